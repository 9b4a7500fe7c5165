import type { StageReporter } from "./context.ts";

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
}

const NOBODY: StageReporter = { beginStage() {}, isCancelled: () => false };
const KEY = Symbol.for("kerfwork.environment");

export function environment(): Environment {
  const holder = globalThis as { [KEY]?: Environment };
  holder[KEY] ??= { memory: undefined, reporter: NOBODY, provided: new Map(), functions: new Map() };
  return holder[KEY];
}

const NAME = Symbol.for("kerfwork.target");

/** A function that workers know by name: the same call on and off the main thread, without a context. */
export interface EngineFunction<A extends unknown[], R> {
  (...args: A): R;
  readonly [NAME]: string;
}

/** Makes `run` callable by name in every worker. Names are unique over the library. */
export function engineFunction<A extends unknown[], R>(
  name: string,
  run: (...args: A) => R,
): EngineFunction<A, Awaited<R>> & ((...args: A) => R) {
  environment().functions.set(name, run);
  return Object.defineProperty(run, NAME, { value: name }) as never;
}
