import { checkImage } from "../engine/image.ts";
import {
  type Curves,
  type EncodeOptions,
  encode,
  type FlattenOptions,
  flatten,
  type Image,
  measure,
  type OpsOptions,
  type OrderOptions,
  order,
  type Paths,
  type Program,
  type TraceOptions,
  toOps,
  trace,
} from "../engine/index.ts";
import { DEFAULT_DPI } from "../engine/trace.ts";
import { checkOptions, invalid } from "../errors.ts";
import { checkDecodeOptions, type DecodeOptions, decodeImage } from "../files/decode.ts";
import type { ExecutionContext } from "../tasker/context.ts";
import { type Task, type TaskKey, type TaskManager, taskMgr } from "../tasker/index.ts";
import { JobStages } from "./stages.ts";

/** Options of each stage under the stage's name, as that stage documents them. */
export interface DrawingOptions {
  readonly decode?: DecodeOptions;
  readonly trace?: TraceOptions;
  /** Key of the task: an active one with the same key is canceled (default: a key of its own). */
  readonly key?: TaskKey;
  /** Its abort cancels the task. */
  readonly signal?: AbortSignal;
}

export interface JobOptions extends DrawingOptions {
  readonly flatten?: FlattenOptions;
  readonly order?: OrderOptions;
  /** `height` is known here: the picture's. */
  readonly ops?: Omit<OpsOptions, "height">;
  readonly encode?: EncodeOptions;
}

/** A traced picture. */
export interface Drawing {
  readonly curves: Curves;
  /** Size of the picture, mm. */
  readonly width: number;
  readonly height: number;
  readonly report: {
    /** Closed outlines, holes included. */
    readonly shapes: number;
    /** Lines and cubics that they are made of. */
    readonly nodes: number;
    /** Wall time of each stage, s. */
    readonly stages: Readonly<Record<string, number>>;
  };
}

/** A traced picture and the program that cuts it. */
export interface Job extends Drawing {
  readonly program: Program;
  readonly report: JobReport;
}

export type JobReport = Drawing["report"] & {
  /** Length of all cuts, mm. */
  readonly cut: number;
  /** Length of the way between cuts, mm, and what it was before the paths were ordered. */
  readonly travel: number;
  readonly travelBefore: number;
  readonly lines: number;
  readonly bytes: number;
  /** Time of the program at its speeds, without acceleration, s. */
  readonly seconds: number;
};

/** About how long each stage takes for a line drawing; only the smoothness of the progress depends on it. */
const DRAWING_WEIGHTS = { decode: 4, trace: 6 };
const PROGRAM_WEIGHTS = { ...DRAWING_WEIGHTS, flatten: 1, order: 4, ops: 1, encode: 1 };

const MM_PER_INCH = 25.4;

const DRAWING_NAMES = ["decode", "trace", "key", "signal"];
const JOB_NAMES = [...DRAWING_NAMES, "flatten", "order", "ops", "encode"];

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
  source: Uint8Array | Image,
  options: DrawingOptions = {},
  manager: TaskManager = taskMgr,
): Task<Drawing> {
  checkOptions(options, DRAWING_NAMES);
  checkDrawing(options);
  checkSource(source);
  return manager.addCoroutine(
    (context) => draw(source, options, new JobStages(manager, context, DRAWING_WEIGHTS)),
    [],
    taskOptions(options),
  );
}

/**
 * Makes the program that cuts the outlines of a picture, in the background: decode, trace, flatten, order, ops, encode.
 * One task, canceled and watched as one; each stage runs in a worker and hands its result on without a copy.
 *
 * @param source   a PNG or JPEG file's bytes, or pixels; read and not kept, so leave it alone until the task is final
 * @param options  of each stage, all checked before the task starts
 * @param manager  who runs it (default `taskMgr`)
 * @throws INVALID_ARGUMENT  an option of any stage breaks its contract
 * @example
 * const { program, report } = await makeProgram(await readFile("badge.png"), { trace: { dpi: 300 } }).promise;
 */
export function makeProgram(
  source: Uint8Array | Image,
  options: JobOptions = {},
  manager: TaskManager = taskMgr,
): Task<Job> {
  checkJobOptions(options);
  checkSource(source);
  const run = async (context: ExecutionContext): Promise<Job> => {
    const stages = new JobStages(manager, context, PROGRAM_WEIGHTS);
    return plan(await draw(source, options, stages), options, stages);
  };
  return manager.addCoroutine(run, [], taskOptions(options));
}

async function draw(
  source: Uint8Array | Image,
  options: DrawingOptions,
  stages: JobStages,
): Promise<Drawing> {
  const isFile = source instanceof Uint8Array;
  const image = isFile ? await stages.run("decode", decodeImage, [source, options.decode]) : source;
  const mmPerPx = MM_PER_INCH / (options.trace?.dpi ?? DEFAULT_DPI);
  const [width, height] = [image.width * mmPerPx, image.height * mmPerPx];
  const curves = await stages.run("trace", trace, [image, options.trace], isFile ? [image] : []);
  const report = { shapes: curves.ends.length, nodes: curves.kinds.length, stages: stages.seconds };
  return { curves, width, height, report };
}

async function plan(drawing: Drawing, options: JobOptions, stages: JobStages): Promise<Job> {
  const paths = await stages.run("flatten", flatten, [drawing.curves, options.flatten]);
  const ordered = await stages.run("order", order, [paths, options.order], [paths]);
  const cut = measure(ordered.paths).length;
  const opsOptions = { ...options.ops, height: drawing.height };
  const ops = await stages.run("ops", toOps, [ordered.paths, opsOptions], [ordered.paths]);
  const program = await stages.run("encode", encode, [ops, options.encode], [ops]);
  return {
    ...drawing,
    program,
    report: {
      ...drawing.report,
      cut,
      travel: ordered.travel,
      travelBefore: ordered.before,
      lines: program.lines,
      bytes: program.bytes.length,
      seconds: program.seconds,
    },
  };
}

/**
 * Checks the options of all stages at once, as `makeProgram` does before it starts. Each stage owns the contract of its
 * options, so all of them run on next to nothing.
 *
 * @throws INVALID_ARGUMENT  the first option that breaks its stage's contract
 */
export function checkJobOptions(options: JobOptions): void {
  checkOptions(options, JOB_NAMES);
  checkDrawing(options);
  const none: Paths = { ends: new Uint32Array(0), xy: new Float32Array(0) };
  flatten({ ...none, kinds: new Uint8Array(0), depth: new Uint16Array(0) }, options.flatten);
  order(none, options.order);
  encode(toOps(none, { ...options.ops, height: 1 }), options.encode);
}

function checkDrawing(options: DrawingOptions): void {
  checkDecodeOptions(options.decode ?? {});
  // a pixel with alpha fits every option
  trace({ width: 1, height: 1, data: new Uint8Array(4) }, options.trace);
}

function checkSource(source: unknown): void {
  if (typeof source !== "object" || source === null)
    throw invalid("source", "a Uint8Array or an Image", source);
  if (!(source instanceof Uint8Array)) checkImage(source as Image);
}

function taskOptions({ key, signal }: DrawingOptions): { key?: TaskKey; signal?: AbortSignal } {
  return { ...(key === undefined ? {} : { key }), ...(signal === undefined ? {} : { signal }) };
}
