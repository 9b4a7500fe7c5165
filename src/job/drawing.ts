import { checkImage } from "../engine/image.ts";
import {
  type CenterlineOptions,
  type Centerlines,
  type ColorLayer,
  type ColorsOptions,
  type Curves,
  type Image,
  type TraceOptions,
  trace,
  traceCenterline,
  traceColors,
} from "../engine/index.ts";
import { mmPerPxOf } from "../engine/scale.ts";
import { checkOptions, invalid } from "../errors.ts";
import { checkDecodeOptions, type DecodeOptions, decodeImage } from "../files/decode.ts";
import { type Task, type TaskKey, type TaskManager, taskMgr } from "../tasker/index.ts";
import type { EngineFunction } from "../tasker/target.ts";
import { JobStages } from "./stages.ts";

/** What all that is made of a picture takes. */
export interface PictureOptions {
  readonly decode?: DecodeOptions;
  /** Key of the task: an active one with the same key is canceled (default: a key of its own). */
  readonly key?: TaskKey;
  /** Its abort cancels the task. */
  readonly signal?: AbortSignal;
}

/** Options of each stage under the stage's name, as that stage documents them. */
export interface DrawingOptions extends PictureOptions {
  readonly trace?: TraceOptions;
}

export interface StrokesOptions extends PictureOptions {
  readonly centerline?: CenterlineOptions;
}

export interface LayersOptions extends PictureOptions {
  readonly colors?: ColorsOptions;
}

/** What was found in a picture, and its size. */
export interface Picture {
  /** Size of the picture, mm. */
  readonly width: number;
  readonly height: number;
  readonly report: {
    /** Closed outlines, holes included; or strokes. */
    readonly shapes: number;
    /** Lines and cubics that they are made of. */
    readonly nodes: number;
    /** Wall time of each stage, s. */
    readonly stages: Readonly<Record<string, number>>;
  };
}

/** A traced picture. */
export interface Drawing extends Picture {
  readonly curves: Curves;
}

/** The middle lines of a picture's strokes. */
export interface StrokeDrawing extends Picture {
  readonly curves: Centerlines;
}

/** A picture in flat colours. */
export interface LayerDrawing extends Picture {
  /** In painting order: the first is below. */
  readonly layers: readonly ColorLayer[];
}

/** About how long each stage takes for a line drawing; only the smoothness of the progress depends on it. */
export const DRAWING_WEIGHTS = { decode: 4, trace: 6 };

export const DRAWING_NAMES = ["decode", "trace", "key", "signal"];

type Source = Uint8Array | Image;

/**
 * Traces a picture in the background: decode, trace. One task, canceled and watched as one.
 *
 * @param source   a PNG or JPEG file's bytes, or pixels; read and not kept, so leave it alone until the task is final
 * @param options  of each stage, all checked before the task starts
 * @param manager  who runs it (default `taskMgr`)
 * @throws INVALID_ARGUMENT  an option of any stage breaks its contract
 * @example const { curves } = await makeDrawing(await readFile("badge.png")).promise;
 */
export function makeDrawing(
  source: Source,
  options: DrawingOptions = {},
  manager: TaskManager = taskMgr,
): Task<Drawing> {
  checkOptions(options, DRAWING_NAMES);
  checkDrawing(options);
  return start(source, options, manager, (stages) => draw(source, options, stages));
}

/** As `makeDrawing`, for the middle lines of the strokes: `decode`, `centerline`. */
export function makeStrokes(
  source: Source,
  options: StrokesOptions = {},
  manager: TaskManager = taskMgr,
): Task<StrokeDrawing> {
  checkOptions(options, ["decode", "centerline", "key", "signal"]);
  checkDecodeOptions(options.decode ?? {});
  traceCenterline(PROBE, options.centerline);
  return start(source, options, manager, async (stages) => {
    const { found: curves, ...size } = await find(
      source,
      options,
      traceCenterline,
      options.centerline,
      stages,
    );
    return { curves, ...size, report: reportOf([curves], stages) };
  });
}

/** As `makeDrawing`, for layers of flat colour: `decode`, `colors`. */
export function makeLayers(
  source: Source,
  options: LayersOptions = {},
  manager: TaskManager = taskMgr,
): Task<LayerDrawing> {
  checkOptions(options, ["decode", "colors", "key", "signal"]);
  checkDecodeOptions(options.decode ?? {});
  traceColors(PROBE, options.colors);
  return start(source, options, manager, async (stages) => {
    const { found, ...size } = await find(source, options, traceColors, options.colors, stages);
    const { layers } = found;
    return {
      layers,
      ...size,
      report: reportOf(
        layers.map(({ curves }) => curves),
        stages,
      ),
    };
  });
}

function start<R>(
  source: Source,
  options: PictureOptions,
  manager: TaskManager,
  run: (stages: JobStages) => Promise<R>,
): Task<R> {
  checkSource(source);
  return manager.addCoroutine(
    (context) => run(new JobStages(manager, context, DRAWING_WEIGHTS)),
    [],
    taskOptions(options),
  ) as Task<R>;
}

export async function draw(source: Source, options: DrawingOptions, stages: JobStages): Promise<Drawing> {
  const { found: curves, ...size } = await find(source, options, trace, options.trace, stages);
  return { curves, ...size, report: reportOf([curves], stages) };
}

/** Decodes the picture, if it is a file, and runs one of the tracers on it. */
async function find<O extends { readonly dpi?: number }, R>(
  source: Source,
  { decode }: PictureOptions,
  tracer: EngineFunction<[Image, (O | undefined)?], R>,
  options: O | undefined,
  stages: JobStages,
): Promise<{ found: Awaited<R>; width: number; height: number }> {
  const isFile = source instanceof Uint8Array;
  const image = isFile ? await stages.run("decode", decodeImage, [source, decode]) : source;
  const mmPerPx = mmPerPxOf(options?.dpi);
  const [width, height] = [image.width * mmPerPx, image.height * mmPerPx];
  const found = await stages.run("trace", tracer, [image, options], isFile ? [image] : []);
  return { found, width, height };
}

function reportOf(all: readonly Curves[], stages: JobStages): Picture["report"] {
  const count = (name: "ends" | "kinds"): number => all.reduce((sum, curves) => sum + curves[name].length, 0);
  return { shapes: count("ends"), nodes: count("kinds"), stages: stages.seconds };
}

/** A pixel with alpha fits every option. */
const PROBE: Image = { width: 1, height: 1, data: new Uint8Array(4) };

export function checkDrawing(options: DrawingOptions): void {
  checkDecodeOptions(options.decode ?? {});
  trace(PROBE, options.trace);
}

export function checkSource(source: unknown): void {
  if (typeof source !== "object" || source === null)
    throw invalid("source", "a Uint8Array or an Image", source);
  if (!(source instanceof Uint8Array)) checkImage(source as Image);
}

export function taskOptions({ key, signal }: PictureOptions): { key?: TaskKey; signal?: AbortSignal } {
  return { ...(key === undefined ? {} : { key }), ...(signal === undefined ? {} : { signal }) };
}
