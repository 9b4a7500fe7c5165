// What the tests of tasks share: managers that are seen off, waiting for events, and a scheduler that is drained by hand.
import {
  type KerfworkError,
  type ManagerOptions,
  type ProcessOptions,
  type Task,
  type TaskKind,
  TaskManager,
  type WorkerFunction,
  workerFunction,
} from "kerfwork";
import { test } from "uvu";
import * as assert from "uvu/assert";

// promises alone do not keep the process alive, and the manager's timers must not
const alive = setInterval(() => {}, 60_000);
test.after(() => clearInterval(alive));

const url = new URL("../../test/fixtures/tasks.mjs", import.meta.url);
const code = (await import(url.href)) as Record<string, (...all: unknown[]) => unknown>;

/** An export of fixtures/tasks.mjs as a target. */
export const target = (name: string): WorkerFunction<unknown[], unknown> =>
  workerFunction(url, name) as WorkerFunction<unknown[], unknown>;

export const KINDS: readonly TaskKind[] = ["coroutine", "thread", "process"];

/** Runs an export of fixtures/tasks.mjs as a task of the kind. */
export function run(
  manager: TaskManager,
  kind: TaskKind,
  name: string,
  args: unknown[] = [],
  options: ProcessOptions<unknown> = {},
): Task<unknown> {
  if (kind === "thread") return manager.runThread(target(name), args, options);
  if (kind === "process") return manager.runProcess(target(name), args, options);
  const call = code[name] as NonNullable<(typeof code)[string]>;
  return manager.addCoroutine(async (context, ...all: unknown[]) => call(context, ...all), args, options);
}

/** Four words that all threads see. */
export const words = (): Int32Array => new Int32Array(new SharedArrayBuffer(16));

/** Lets the manager's callbacks happen until `check` holds; fails after `ms`. */
export type Until = (check: () => boolean, ms?: number) => Promise<void>;

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

const waiter =
  (drain: () => void): Until =>
  async (check, ms = 20_000) => {
    const end = performance.now() + ms;
    for (drain(); !check(); drain()) {
      if (performance.now() > end) throw new Error(`not within ${ms} ms: ${check}`);
      await turn();
    }
  };
export const until = waiter(() => {});

/** What a test gets of its manager. */
export interface Stage {
  readonly manager: TaskManager;
  readonly until: Until;
  /** Resolves when the task is final and its `whenDone` has returned. */
  readonly done: (...tasks: Task<unknown>[]) => Promise<void>;
  /** What went to `onError`. */
  readonly errors: unknown[];
  readonly drain: () => void;
}

type Body = (stage: Stage) => Promise<void>;

async function play(options: ManagerOptions, turns: (() => void)[], body: Body): Promise<void> {
  const drain = (): void => {
    for (let next = turns.shift(); next; next = turns.shift()) next();
  };
  const errors: unknown[] = [];
  const manager = new TaskManager({ maxWorkers: 1, onError: (error) => errors.push(error), ...options });
  const until = waiter(drain);
  const done = (...tasks: Task<unknown>[]): Promise<void> =>
    until(() => tasks.every((task) => task.final && ![...manager].some(({ id }) => id === task.id)));
  try {
    await body({ manager, until, done, errors, drain });
  } finally {
    let closed = false;
    void manager.shutdown({ graceMs: 30 }).then(() => {
      closed = true;
    });
    await until(() => closed);
  }
  assert.is(manager.size, 0);
  const { running, queued, threads } = manager.stats();
  assert.equal({ running, queued, threads }, { running: 0, queued: 0, threads: 0 });
}

/** A test with a manager that calls back by microtasks. */
export function staged(name: string, options: ManagerOptions, body: Body): void {
  test(name, () => play(options, [], body));
}

/** The same test twice: called back by microtasks, and only when the test lets it. */
export function stagedBoth(name: string, options: ManagerOptions, body: Body): void {
  staged(name, options, body);
  test(`${name} (deferring scheduler)`, () => {
    const turns: (() => void)[] = [];
    return play({ ...options, scheduler: (run) => void turns.push(run) }, turns, body);
  });
}

export const codeOf = (task: Task<unknown>): string => (task.error as KerfworkError).code;
