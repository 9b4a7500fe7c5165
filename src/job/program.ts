import {
  type EncodeOptions,
  type Estimate,
  encode,
  estimate,
  type Image,
  type MachineProfile,
  type Program,
  toOps,
} from "../engine/index.ts";
import { checkOptions } from "../errors.ts";
import { isSVG, type ReadSVGOptions, readSVG, type SVGDrawing } from "../files/readsvg.ts";
import type { ExecutionContext } from "../tasker/context.ts";
import { type Task, type TaskManager, taskMgr } from "../tasker/index.ts";
import {
  checkDrawing,
  checkSource,
  DRAWING_NAMES,
  DRAWING_WEIGHTS,
  type Drawing,
  type DrawingOptions,
  draw,
  taskOptions,
} from "./drawing.ts";
import { JobStages } from "./stages.ts";
import {
  checkToolpath,
  makeToolpath,
  type Region,
  TOOLPATH_NAMES,
  TOOLPATH_WEIGHTS,
  type ToolpathOptions,
} from "./toolpath.ts";

export interface JobOptions extends DrawingOptions, ToolpathOptions {
  /** Of an SVG drawing. */
  readonly svg?: ReadSVGOptions;
  readonly encode?: EncodeOptions;
  /** Also tells how long the program takes on a machine, with its ramps and corners. */
  readonly estimate?: MachineProfile;
}

/** A drawing or a traced picture, and the program that burns it. */
export interface Job extends Drawing {
  readonly program: Program;
  readonly report: JobReport;
}

export type JobReport = Drawing["report"] & {
  /** Length of all cuts, filling lines included, mm. */
  readonly cut: number;
  /** Length of the way between cuts, mm, and what it was before the paths were ordered. */
  readonly travel: number;
  readonly travelBefore: number;
  readonly lines: number;
  readonly bytes: number;
  /** Time of the program at its speeds, without acceleration, s. */
  readonly seconds: number;
  /** Time on the machine of `options.estimate`, s. */
  readonly estimate?: Omit<Estimate, "times">;
  /** What was made of a drawing's units, and what was left out of it: a sentence each. */
  readonly notes: readonly string[];
  /** What could not be done as asked: a sentence each. */
  readonly warnings: readonly string[];
};

const PROGRAM_WEIGHTS = { ...DRAWING_WEIGHTS, read: 4, ...TOOLPATH_WEIGHTS, encode: 1 };

const JOB_NAMES = [...DRAWING_NAMES, "svg", ...TOOLPATH_NAMES, "encode", "estimate"];

/**
 * Makes the program that burns a picture or an SVG drawing, in the background: decode and trace, or read; then what the
 * options ask for of flatten, hatch, dedupe, join, offset (for the kerf), order, arcs, ops, tabs, perforate, leads, overcut,
 * passes; encode, estimate. One task, canceled and watched as one; each stage runs in a worker and hands its result on
 * without a copy. The lower left corner of the drawing is the machine's 0, 0.
 *
 * @param source   a PNG, JPEG or SVG file's bytes, or pixels; read and not kept, so leave it alone until the task is final
 * @param options  of each stage, all checked before the task starts
 * @param manager  who runs it (default `taskMgr`)
 * @throws INVALID_ARGUMENT  an option of any stage breaks its contract
 * @example
 * const { program, report } = await makeProgram(await readFile("badge.svg"), { kerf: 0.15, tabs: { count: 3, width: 1 } }).promise;
 */
export function makeProgram(
  source: Uint8Array | Image,
  options: JobOptions = {},
  manager: TaskManager = taskMgr,
): Task<Job> {
  checkJobOptions(options);
  checkSource(source);
  const run = async (context: ExecutionContext): Promise<Job> => {
    const drawn = source instanceof Uint8Array && isSVG(source);
    const stages = new JobStages(manager, context, weightsOf(options, drawn));
    if (!drawn) {
      const drawing = await draw(source, options, stages);
      const regions: Region[] = [{ curves: drawing.curves, filled: true, fillRule: "evenodd" }];
      return plan(drawing, regions, [], options, stages);
    }
    const drawing = await stages.run("read", readSVG, [source, options.svg]);
    return planDrawing(drawing, options, stages);
  };
  return manager.addCoroutine(run, [], taskOptions(options));
}

function planDrawing(drawing: SVGDrawing, options: JobOptions, stages: JobStages): Promise<Job> {
  const { width, height, layers, notes } = drawing;
  const curves = concatCurves(layers.map((layer) => layer.curves));
  const report = { shapes: curves.ends.length, nodes: curves.kinds.length, stages: stages.seconds };
  const regions = layers.map(({ fill, fillRule, curves }) => ({ curves, filled: fill !== "none", fillRule }));
  return plan({ curves, width, height, report }, regions, notes, options, stages, true);
}

async function plan(
  drawing: Drawing,
  regions: readonly Region[],
  notes: readonly string[],
  options: JobOptions,
  stages: JobStages,
  drawn = false,
): Promise<Job> {
  const page = { height: drawing.height, home: options.encode?.returnHome ?? true, drawn };
  const { ops, ...made } = await makeToolpath(regions, options, page, stages);
  const times =
    options.estimate === undefined
      ? undefined
      : await stages.run("estimate", estimate, [ops, options.estimate]);
  const program = await stages.run("encode", encode, [ops, options.encode], [ops]);
  const { seconds = 0, travelSeconds = 0, cutSeconds = 0 } = times ?? {};
  return {
    ...drawing,
    program,
    report: {
      ...drawing.report,
      ...made,
      notes,
      lines: program.lines,
      bytes: program.bytes.length,
      seconds: program.seconds,
      ...(times === undefined ? {} : { estimate: { seconds, travelSeconds, cutSeconds } }),
    },
  };
}

/** Only stages that will run move the progress. */
function weightsOf(options: JobOptions, drawn: boolean): Record<string, number> {
  const { decode, trace, read, offset, hatch, ...rest } = PROGRAM_WEIGHTS;
  return {
    ...(drawn ? { read } : { decode, trace }),
    ...rest,
    ...(options.kerf === undefined ? {} : { offset }),
    ...(options.hatch === undefined ? {} : { hatch, "order lines": 4 }),
    ...(options.arcs ? { arcs: 1 } : {}),
    ...(options.estimate === undefined ? {} : { estimate: 1 }),
  };
}

/** All contours of all layers. */
function concatCurves(list: readonly Drawing["curves"][]): Drawing["curves"] {
  const count = (of: (curves: Drawing["curves"]) => ArrayLike<number>): number =>
    list.reduce((sum, curves) => sum + of(curves).length, 0);
  const all = {
    ends: new Uint32Array(count(({ ends }) => ends)),
    kinds: new Uint8Array(count(({ kinds }) => kinds)),
    xy: new Float32Array(count(({ xy }) => xy)),
    depth: new Uint16Array(count(({ depth }) => depth)),
  };
  let [contour, segment, at] = [0, 0, 0];
  for (const { ends, kinds, xy, depth } of list) {
    for (const end of ends) all.ends[contour++] = segment + end;
    all.kinds.set(kinds, segment);
    all.xy.set(xy, at);
    all.depth.set(depth, contour - ends.length);
    segment += kinds.length;
    at += xy.length;
  }
  return all;
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
  readSVG("<svg/>", options.svg);
  checkToolpath(options);
  const ops = toOps({ ends: new Uint32Array(0), xy: new Float32Array(0) });
  encode(ops, options.encode);
  if (options.estimate !== undefined) estimate(ops, options.estimate);
}
