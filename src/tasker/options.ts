import { availableParallelism } from "node:os";
import { checkNumber, invalid } from "../errors.ts";
import type { Task, TaskKey } from "./task.ts";

export interface ManagerOptions {
  /** Compute threads, clamped to 1..cores (default cores - 1). */
  readonly maxWorkers?: number;
  /** Least time between two progress events, ms (default 100). */
  readonly progressIntervalMs?: number;
  /** Time that canceled code has to end while it shows no sign of life, ms (default 500); then its thread is ended. */
  readonly graceMs?: number;
  /** Runs the manager's callbacks later, never at once (default `queueMicrotask`). */
  readonly scheduler?: (run: () => void) => void;
  /** Gets failures that nobody observes and errors thrown by callbacks (default: printed with `console.error`). */
  readonly onError?: (error: unknown) => void;
  /** Where the worker script is, for bundlers and archives (default: beside the library). */
  readonly assets?: { readonly worker?: string | URL };
  /** A worker whose kernel memory grew beyond this is ended when idle, bytes (default 256 MiB). */
  readonly recycleBytes?: number;
}

export interface TaskOptions<R> {
  /** Submitting an active key cancels the task that had it; default: a key that equals no other. */
  readonly key?: TaskKey;
  /** Called once when the task is final, whatever its status. */
  whenDone?(task: Task<R>): void;
  /** Its abort cancels the task. */
  readonly signal?: AbortSignal;
  /** False hides the task from views; nothing else changes (default true). */
  readonly visible?: boolean;
  /** Its part in the overall progress, > 0 (default 1). */
  readonly weight?: number;
}

export interface ProcessOptions<R> extends TaskOptions<R> {
  /** Higher runs first; equal ones in order of submission (default 0). */
  readonly priority?: number;
  /** Buffers in the arguments that move to the worker instead of being copied. */
  readonly transfer?: readonly ArrayBufferLike[];
}

const TASK_NAMES = ["key", "whenDone", "signal", "visible", "weight"];
const PROCESS_NAMES = [...TASK_NAMES, "priority", "transfer"];
const MANAGER_NAMES = [
  "maxWorkers",
  "progressIntervalMs",
  "graceMs",
  "scheduler",
  "onError",
  "assets",
  "recycleBytes",
];

/** Fills in what a manager's options leave out. */
export function managerOptions(options: ManagerOptions): Required<ManagerOptions> {
  checkNames(options, MANAGER_NAMES);
  const cores = availableParallelism();
  const workers = checkNumber("maxWorkers", options.maxWorkers ?? cores - 1);
  return {
    maxWorkers: Math.min(Math.max(Math.floor(workers), 1), cores),
    progressIntervalMs: checkNumber("progressIntervalMs", options.progressIntervalMs ?? 100, { min: 1 }),
    graceMs: checkNumber("graceMs", options.graceMs ?? 500, { min: 1 }),
    scheduler: optional("scheduler", "function", options.scheduler) ?? queueMicrotask,
    onError: optional("onError", "function", options.onError) ?? ((error) => console.error(error)),
    assets: options.assets ?? {},
    recycleBytes: checkNumber("recycleBytes", options.recycleBytes ?? 256 * 2 ** 20, { min: 0 }),
  };
}

/** Checks the options of a submission. */
export function taskOptions(
  options: ProcessOptions<unknown>,
  pooled: boolean,
): Required<Pick<ProcessOptions<unknown>, "visible" | "weight" | "priority" | "transfer">> {
  checkNames(options, pooled ? PROCESS_NAMES : TASK_NAMES);
  optional("whenDone", "function", options.whenDone);
  if (options.signal !== undefined && !(options.signal instanceof AbortSignal))
    throw invalid("signal", "an AbortSignal", options.signal);
  if (options.transfer !== undefined && !Array.isArray(options.transfer))
    throw invalid("transfer", "an array of buffers", options.transfer);
  return {
    visible: optional("visible", "boolean", options.visible) ?? true,
    weight: checkNumber("weight", options.weight ?? 1, { above: 0 }),
    priority: checkNumber("priority", options.priority ?? 0),
    transfer: options.transfer ?? [],
  };
}

function optional<T>(name: string, type: "function" | "boolean", value: T): T {
  if (value !== undefined && typeof value !== type) throw invalid(name, `a ${type}`, value);
  return value;
}

/** No option is accepted and then ignored. */
function checkNames(options: object, names: readonly string[]): void {
  if (typeof options !== "object" || options === null) throw invalid("options", "an object", options);
  for (const name of Object.keys(options))
    if (!names.includes(name))
      throw invalid("options", `an object of ${names.join(", ")}`, `the name ${name}`);
}
