import { describe, invalid, KerfworkError } from "../errors.ts";
import type { ExecutionContext, StageReporter } from "./context.ts";
import { type KernelRecord, kernelFunction } from "./kernel.ts";

/**
 * What a thread's code finds around itself. In a worker the tasker fills it in before any target runs; on other
 * threads it is made on first use and reports to nobody. Kept under a global symbol, so that several copies of
 * kerfwork in one thread (ESM, CJS, bundles) share it.
 */
export interface Environment {
  /** The memory whose first bytes are the control block; undefined where nobody samples it. */
  memory: WebAssembly.Memory | undefined;
  /** Where the running task's kernels report. */
  reporter: StageReporter;
  /** Values that the main thread hands to each worker as it starts, such as compiled modules. */
  readonly provided: Map<string, unknown>;
  /** Functions that can be named from another thread. */
  readonly functions: Map<string, (...args: never[]) => unknown>;
  /** In a worker, while a task runs: how its code reaches the main thread's manager. */
  manager: (() => unknown) | undefined;
  /** In a worker, while a task runs: other threads that may take part in it; undefined where there are none. */
  crew: Crew | undefined;
}

/** The other threads of the compute pool. */
export interface Crew {
  /** How many may take part, >= 1. */
  readonly size: number;
  /**
   * Calls an engine function on one of them, once one is free and no task waits for it. Nobody tells what becomes of the
   * call: it may never be made. Returns what takes it back.
   */
  enlist<A extends unknown[]>(target: EngineFunction<A, unknown>, args: A): () => void;
  /** Says something to the manager's logger, at its level "debug". */
  tell(message: string): void;
}

const NOBODY: StageReporter = { beginStage() {}, isCancelled: () => false };
const ENVIRONMENT = Symbol.for("kerfwork.environment");

export function environment(): Environment {
  const holder = globalThis as { [ENVIRONMENT]?: Environment };
  holder[ENVIRONMENT] ??= {
    memory: undefined,
    reporter: NOBODY,
    provided: new Map(),
    functions: new Map(),
    manager: undefined,
    crew: undefined,
  };
  return holder[ENVIRONMENT];
}

const NAME: unique symbol = Symbol.for("kerfwork.target") as never;

/** A function that workers know by name: the same call on and off the main thread, without a context. */
export interface EngineFunction<A extends unknown[], R> {
  (...args: A): R;
  readonly [NAME]: string;
}

/** A function that a module exports, named so that a worker can import it. */
export interface WorkerFunction<A extends unknown[], R> {
  readonly [NAME]: string;
  readonly url: string;
  /** Never there: carries the types. */
  readonly call?: (...args: A) => R;
}

/** Code of a task: gets the context first, then its arguments. */
export type TaskFunction<A extends unknown[], R> = (context: ExecutionContext, ...args: A) => R;

/** Makes `run` callable by name in every worker. Names are unique over the library. */
export function engineFunction<A extends unknown[], R>(
  name: string,
  run: (...args: A) => R,
): EngineFunction<A, R> {
  environment().functions.set(name, run);
  return Object.defineProperty(run, NAME, { value: name }) as EngineFunction<A, R>;
}

/**
 * Names a function that the module at `url` exports, for `runProcess` to run in a worker. It gets the context first.
 *
 * @param url   the module's URL, such as `import.meta.url`
 * @param name  the export's name (default "default")
 * @example taskMgr.runProcess(workerFunction<typeof nest>(import.meta.url, "nest"), [parts]);
 */
export function workerFunction<F extends TaskFunction<never[], unknown>>(
  url: string | URL,
  name = "default",
): F extends (context: ExecutionContext, ...args: infer A) => infer R ? WorkerFunction<A, R> : never {
  const href = String(url);
  if (!/^(file|data|https?):/.test(href))
    throw invalid("url", "a module's URL, such as import.meta.url", href);
  if (typeof name !== "string" || name === "") throw invalid("name", "the name of an export", name);
  return { [NAME]: name, url: href } as never;
}

/** A user's own kernel as a target; made by `defineKernel`. */
export function kernelTarget(record: KernelRecord): WorkerFunction<never[], unknown> {
  return { [NAME]: record.name, url: "", kernel: record } as never;
}

/** A target as plain data, as it crosses to the worker. */
export type TargetRecord =
  | KernelRecord
  | { readonly type: "engine"; readonly name: string }
  | { readonly type: "module"; readonly url: string; readonly name: string }
  | { readonly type: "source"; readonly source: string; readonly name: string };

/** Records by their targets: the same one each time, so that what a worker has got need not be sent again. */
const records = new WeakMap<object, TargetRecord>();
const interned = new Map<string, TargetRecord>();

/** What a worker has to run for `target`. */
export function recordTarget(target: unknown): TargetRecord {
  const known =
    typeof target === "object" || typeof target === "function" ? records.get(target as object) : undefined;
  if (known !== undefined) return known;
  const made = makeRecord(target);
  // code that makes its target anew for each task gives the same record all the same, or workers would keep them all
  const record = made.type === "kernel" ? made : (interned.get(targetIdentity(made)) ?? made);
  if (record === made && made.type !== "kernel") interned.set(targetIdentity(made), made);
  records.set(target as object, record);
  return record;
}

function makeRecord(target: unknown): TargetRecord {
  if (typeof target === "object" && target !== null && "kernel" in target)
    return target.kernel as KernelRecord;
  if (typeof target === "object" && target !== null && NAME in target && "url" in target)
    return { type: "module", url: String(target.url), name: String(target[NAME]) };
  if (typeof target !== "function")
    throw invalid(
      "target",
      "an engine function, workerFunction(...), defineKernel(...) or a self-contained function",
      target,
    );
  if (NAME in target) return { type: "engine", name: String(target[NAME]) };
  return { type: "source", source: String(target), name: target.name || "anonymous" };
}

/** What tells a target from others of the same name. */
export function targetIdentity(record: TargetRecord): string {
  switch (record.type) {
    case "engine":
      return `engine ${record.name}`;
    case "module":
      return `module ${record.url} ${record.name}`;
    case "kernel":
      return `kernel ${typeof record.module === "string" ? record.module : ""} ${record.name}`;
    case "source":
      return `source ${record.source}`;
  }
}

/** In a worker: the function behind a record, called with the context and the arguments. */
export async function resolveTarget(record: TargetRecord): Promise<TaskFunction<unknown[], unknown>> {
  if (record.type === "engine") {
    const run = environment().functions.get(record.name) as ((...args: unknown[]) => unknown) | undefined;
    if (run === undefined)
      throw new KerfworkError("TARGET_NOT_FOUND", `Expected the worker to know \`${record.name}\``);
    return (_context, ...args) => run(...args);
  }
  if (record.type === "module") {
    const exports = await import(record.url);
    const run = exports[record.name] ?? exports.default?.[record.name];
    if (typeof run !== "function")
      throw new KerfworkError(
        "TARGET_NOT_FOUND",
        `Expected ${record.url} to export a function \`${record.name}\`, got ${describe(run)}`,
      );
    return run;
  }
  if (record.type === "kernel") return kernelFunction(record);
  return fromSource(record.source, record.name);
}

/** Functions that were sent as text, by their text: evaluated once a thread. */
const sources = new Map<string, TaskFunction<unknown[], unknown>>();

function fromSource(source: string, name: string): TaskFunction<unknown[], unknown> {
  let run = sources.get(source);
  if (run === undefined) {
    // biome-ignore lint/security/noGlobalEval: the caller asked for its own text to run here; in global scope
    const evaluate = globalThis.eval;
    try {
      run = evaluate(`(${source}\n)`) as TaskFunction<unknown[], unknown>;
    } catch {
      // a method in short form reads as a function only inside an object
      try {
        run = Object.values(evaluate(`({${source}\n})`))[0] as TaskFunction<unknown[], unknown>;
      } catch (cause) {
        throw new KerfworkError(
          "TARGET_NOT_FOUND",
          `Expected \`${name}\` to be a function whose source can be sent to a worker, got ${describe(source)}`,
          { cause },
        );
      }
    }
    sources.set(source, run);
  }
  return (context, ...args) => explain(name, run, context, args);
}

/** Tells a function that reaches outside itself what it reached for. */
function explain(
  name: string,
  run: TaskFunction<unknown[], unknown>,
  context: ExecutionContext,
  args: unknown[],
): unknown {
  const rethrow = (error: unknown): never => {
    const outer = error instanceof ReferenceError && /^(\S+) is not defined$/.exec(error.message)?.[1];
    if (!outer) throw error;
    throw new KerfworkError(
      "TARGET_NOT_FOUND",
      `Expected \`${name}\` to be self-contained, as it is sent to a worker as text, but it uses \`${outer}\` from outside`,
      { cause: error },
    );
  };
  try {
    const result = run(context, ...args);
    return result instanceof Promise ? result.catch(rethrow) : result;
  } catch (error) {
    return rethrow(error);
  }
}
