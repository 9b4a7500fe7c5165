import {
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
  toOps,
} from "../engine/index.ts";
import { checkOptions } from "../errors.ts";
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

export interface JobOptions extends DrawingOptions {
  readonly flatten?: FlattenOptions;
  readonly order?: Omit<OrderOptions, "groups" | "units">;
  /** `height` is known here: the picture's. */
  readonly ops?: Omit<OpsOptions, "height">;
  readonly encode?: EncodeOptions;
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

const PROGRAM_WEIGHTS = { ...DRAWING_WEIGHTS, flatten: 1, order: 4, ops: 1, encode: 1 };

const JOB_NAMES = [...DRAWING_NAMES, "flatten", "order", "ops", "encode"];

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
