import { availableParallelism } from "node:os";
import type { ResourceLimits } from "node:worker_threads";
import { checkNumber, checkOneOf, invalid } from "../errors.ts";
import { soon } from "./clock.ts";
import { LOG_LEVELS, type Logger, type LogLevel } from "./log.ts";
import { recordTarget } from "./target.ts";
import type { Task, TaskKey } from "./task.ts";

export interface ManagerOptions {
  /** Compute threads, clamped to 1..cores (default cores - 1, or KERFWORK_MAX_WORKERS). */
  readonly maxWorkers?: number;
  /** Threads for `runThread`, started as needed and ended after 5 s idle (default 16). */
  readonly maxThreads?: number;
  /** A target that is run in each worker before its first task, by `workerFunction`, and its arguments. */
  readonly workerInit?: { readonly target: unknown; readonly args?: readonly unknown[] };
  /** Tasks that may wait (default 100000); one more is refused with QUEUE_FULL. `ready()` waits for room. */
  readonly maxQueued?: number;
  /** How many tasks of a group run at a time (default 1 for each group that is not named here). */
  readonly groups?: Readonly<Record<string, number>>;
  /** Waiting this long is worth as much as one level of priority, ms (default 10000). */
  readonly ageingMs?: number;
  /** Crashes in a row after which a target is refused (default 5). */
  readonly crashLimit?: number;
  /** Least time between two progress events, ms (default 100). */
  readonly progressIntervalMs?: number;
  /** Time that canceled code has to end while it shows no sign of life, ms (default 500); then its thread is ended. */
  readonly graceMs?: number;
  /** Runs the manager's callbacks later, never at once (default: as a microtask). */
  readonly scheduler?: (run: () => void) => void;
  /** Gets failures that nobody observes and errors thrown by callbacks (default: printed with `console.error`). */
  readonly onError?: (error: unknown) => void;
  /** Gets what the manager and its workers log (default: nobody). */
  readonly logger?: Logger;
  /** What is below it is not logged, nor sent by workers (default "warn"). */
  readonly logLevel?: LogLevel;
  /** Where the worker script is, for bundlers and archives (default: beside the library). */
  readonly assets?: { readonly worker?: string | URL };
  /** Limits of each worker's JavaScript memory; processes take `maxOldGenerationSizeMb` alone (default Node's own). */
  readonly resourceLimits?: ResourceLimits;
  /** A worker whose kernel memory grew beyond this is ended when idle, bytes (default 256 MiB). */
  readonly recycleBytes?: number;
}

export interface TaskOptions<R> {
  /** Submitting an active key cancels the task that had it; default: a key that equals no other. */
  readonly key?: TaskKey;
  /**
   * What happens to the active task of the same key: `overlap` (default) cancels it and goes on at once, `wait` cancels
   * it and starts when its code has ended, `reject` leaves it alone and throws KEY_BUSY.
   */
  readonly replace?: "overlap" | "wait" | "reject";
  /** Called once when the task is final, whatever its status. */
  whenDone?(task: Task<R>): void;
  /** Gets what the code sends with `sendEvent`. */
  whenEvent?(task: Task<R>, name: string, data: unknown): void;
  /** Its abort cancels the task. */
  readonly signal?: AbortSignal;
  /** False hides the task from views; nothing else changes (default true). */
  readonly visible?: boolean;
  /** Its part in the overall progress, > 0 (default 1). */
  readonly weight?: number;
  /** Higher runs first; equal ones in order of submission; waiting raises it (default 0). */
  readonly priority?: number;
  /** Tasks of one group share a limit on how many run. */
  readonly group?: string;
  /** Longest time from its start, ms; then it fails with TIMEOUT (default none). */
  readonly timeoutMs?: number;
}

export interface ThreadOptions<R> extends TaskOptions<R> {
  /** Buffers in the arguments that move to the worker instead of being copied; a process gets copies all the same. */
  readonly transfer?: readonly ArrayBufferLike[];
  /** How often it is run again when its worker crashed; for targets that may run twice (default 0). */
  readonly retries?: number;
}

export interface ProcessOptions<R> extends ThreadOptions<R> {
  /**
   * `thread` (default), or `process`: a child process, for code that may take its process down. Its code can do all that
   * a thread's can, but it shares no memory, reports by message, and is killed on cancel.
   */
  readonly isolation?: "thread" | "process";
}

const TASK_NAMES = [
  "key",
  "replace",
  "whenDone",
  "whenEvent",
  "signal",
  "visible",
  "weight",
  "priority",
  "group",
  "timeoutMs",
];
const THREAD_NAMES = [...TASK_NAMES, "transfer", "retries"];
const NAMES = { coroutine: TASK_NAMES, thread: THREAD_NAMES, process: [...THREAD_NAMES, "isolation"] };
const MANAGER_NAMES = [
  "maxWorkers",
  "maxThreads",
  "workerInit",
  "maxQueued",
  "groups",
  "ageingMs",
  "crashLimit",
  "progressIntervalMs",
  "graceMs",
  "scheduler",
  "onError",
  "logger",
  "logLevel",
  "assets",
  "recycleBytes",
  "resourceLimits",
];

export type FullManagerOptions = Required<
  Omit<ManagerOptions, "workerInit" | "resourceLimits" | "logger">
> & {
  readonly logger: Logger | undefined;
  readonly workerInit: ManagerOptions["workerInit"] | undefined;
  readonly resourceLimits: ResourceLimits | undefined;
};

/** Fills in what a manager's options leave out. */
export function managerOptions(options: ManagerOptions): FullManagerOptions {
  checkNames(options, MANAGER_NAMES);
  const cores = availableParallelism();
  const asked = options.maxWorkers ?? (Number(process.env.KERFWORK_MAX_WORKERS) || cores - 1);
  const groups = options.groups ?? {};
  for (const [name, limit] of Object.entries(groups))
    checkNumber(`groups.${name}`, limit, { min: 1, integer: true });
  const logLevel = checkOneOf("logLevel", options.logLevel ?? "warn", LOG_LEVELS);
  return {
    maxWorkers: Math.min(Math.max(Math.floor(checkNumber("maxWorkers", asked)), 1), cores),
    maxThreads: checkNumber("maxThreads", options.maxThreads ?? 16, { min: 1, integer: true }),
    workerInit: checkInit(options.workerInit),
    maxQueued: checkNumber("maxQueued", options.maxQueued ?? 100_000, { min: 1 }),
    groups,
    ageingMs: checkNumber("ageingMs", options.ageingMs ?? 10_000, { above: 0 }),
    crashLimit: checkNumber("crashLimit", options.crashLimit ?? 5, { min: 1, integer: true }),
    progressIntervalMs: checkNumber("progressIntervalMs", options.progressIntervalMs ?? 100, { min: 1 }),
    graceMs: checkNumber("graceMs", options.graceMs ?? 500, { min: 1 }),
    scheduler: optional("scheduler", "function", options.scheduler) ?? soon,
    onError: optional("onError", "function", options.onError) ?? ((error) => console.error(error)),
    logger: optional("logger", "object", options.logger),
    // what nobody hears need not be sent
    logLevel: options.logger === undefined ? "silent" : logLevel,
    assets: checkAssets(optional("assets", "object", options.assets) ?? {}),
    recycleBytes: checkNumber("recycleBytes", options.recycleBytes ?? 256 * 2 ** 20, { min: 0 }),
    resourceLimits: optional("resourceLimits", "object", options.resourceLimits),
  };
}

function checkInit(init: ManagerOptions["workerInit"]): ManagerOptions["workerInit"] {
  if (optional("workerInit", "object", init) === undefined) return undefined;
  recordTarget(init?.target);
  if (init?.args !== undefined && !Array.isArray(init.args))
    throw invalid("workerInit.args", "an array of arguments", init.args);
  return init;
}

function checkAssets(assets: NonNullable<ManagerOptions["assets"]>): NonNullable<ManagerOptions["assets"]> {
  if (assets.worker !== undefined && !String(assets.worker).startsWith("file:"))
    throw invalid("assets.worker", "a file: URL", String(assets.worker));
  return assets;
}

/** A submission's options with what they leave out. */
export interface FullTaskOptions {
  readonly replace: "overlap" | "wait" | "reject";
  readonly visible: boolean;
  readonly weight: number;
  readonly priority: number;
  readonly timeoutMs: number | undefined;
  readonly transfer: readonly ArrayBufferLike[];
  readonly retries: number;
  readonly isolation: "thread" | "process";
}

/** Checks the options of a submission. */
export function taskOptions(kind: keyof typeof NAMES, options: ProcessOptions<unknown>): FullTaskOptions {
  checkNames(options, NAMES[kind]);
  optional("whenDone", "function", options.whenDone);
  optional("whenEvent", "function", options.whenEvent);
  optional("group", "string", options.group);
  if (options.signal !== undefined && !(options.signal instanceof AbortSignal))
    throw invalid("signal", "an AbortSignal", options.signal);
  if (options.transfer !== undefined && !Array.isArray(options.transfer))
    throw invalid("transfer", "an array of buffers", options.transfer);
  return {
    replace: checkOneOf("replace", options.replace ?? "overlap", ["overlap", "wait", "reject"]),
    visible: optional("visible", "boolean", options.visible) ?? true,
    weight: checkNumber("weight", options.weight ?? 1, { above: 0 }),
    priority: checkNumber("priority", options.priority ?? 0),
    timeoutMs:
      options.timeoutMs === undefined ? undefined : checkNumber("timeoutMs", options.timeoutMs, { above: 0 }),
    transfer: options.transfer ?? [],
    retries: checkNumber("retries", options.retries ?? 0, { min: 0, integer: true }),
    isolation: checkOneOf("isolation", options.isolation ?? "thread", ["thread", "process"]),
  };
}

function optional<T>(name: string, type: "function" | "boolean" | "string" | "object", value: T): T {
  if (value !== undefined && typeof value !== type)
    throw invalid(name, type === "object" ? "an object" : `a ${type}`, value);
  return value;
}

/** No option is accepted and then ignored. */
function checkNames(options: object, names: readonly string[]): void {
  if (typeof options !== "object" || options === null) throw invalid("options", "an object", options);
  for (const name of Object.keys(options))
    if (!names.includes(name))
      throw invalid("options", `an object of ${names.join(", ")}`, `the name ${name}`);
}
