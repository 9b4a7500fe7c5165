// What the compiler knows of tasks. Each `@ts-expect-error` is a line that must not compile: `tsc` fails when it does.
import {
  type ExecutionContext,
  encode,
  type Ops,
  type OrderedPaths,
  order,
  type Paths,
  type Program,
  type Task,
  type TaskManager,
  type TasksUpdate,
  taskMgr,
  workerFunction,
} from "kerfwork";
import { createTestManager, type TestManager } from "kerfwork/testing";
import { test } from "uvu";
import * as assert from "uvu/assert";

/** Fails to compile unless the types are the same. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
const same = <A, B>(_same: Same<A, B>): void => {};

declare const paths: Paths;
declare const ops: Ops;

/** Compiled, never called. */
export function compiled(manager: TaskManager): void {
  // engine functions: arguments as they are, the result inferred
  const ordered = manager.runProcess(order, [paths, {}]);
  same<typeof ordered, Task<OrderedPaths>>(true);
  same<Awaited<typeof ordered.promise>, OrderedPaths>(true);
  same<ReturnType<typeof ordered.result>, OrderedPaths>(true);
  const program = manager.runThread(encode, [ops, {}], {
    whenDone: (_task) => same<typeof _task, Task<Program>>(true),
    whenEvent: (_task, _name, _data) => {
      same<typeof _name, string>(true);
      same<typeof _data, unknown>(true);
    },
  });
  same<typeof program, Task<Program>>(true);
  // @ts-expect-error a number is no Paths
  manager.runProcess(order, [1, {}]);
  // @ts-expect-error arguments are missing
  manager.runProcess(order, []);
  // @ts-expect-error one argument too many
  manager.runProcess(order, [paths, {}, 1]);
  // @ts-expect-error arguments come as an array
  manager.runProcess(order, paths);
  // @ts-expect-error no such option of the engine function
  manager.runProcess(order, [paths, { nonsense: 1 }]);

  // literals and functions: the context comes first and is not among the arguments
  const literal = manager.runProcess(
    (_context, n: number, text: string) => {
      same<typeof _context, ExecutionContext>(true);
      return text.repeat(n);
    },
    [3, "ab"],
  );
  same<typeof literal, Task<string>>(true);
  // @ts-expect-error the arguments are in the wrong order
  manager.runProcess((_context, n: number, text: string) => text.repeat(n), ["ab", 3]);
  // @ts-expect-error an argument is missing
  manager.runThread((_context, n: number) => n, []);
  const later = manager.runThread(async (_context, n: number) => ({ n }), [1]);
  same<typeof later, Task<{ n: number }>>(true);

  // coroutines
  const coroutine = manager.addCoroutine(async (_context, url: string) => url.length, ["http://laser"]);
  same<typeof coroutine, Task<number>>(true);
  const bare = manager.addCoroutine(async () => {});
  same<typeof bare, Task<void>>(true);
  // @ts-expect-error a number is no string
  manager.addCoroutine(async (_context, url: string) => url.length, [1]);

  // exports of modules, by the type of the function
  function nest(_context: ExecutionContext, parts: number[], gap: number): Promise<Float32Array> {
    return Promise.resolve(Float32Array.of(gap, ...parts));
  }
  const nested = manager.runProcess(workerFunction<typeof nest>(import.meta.url, "nest"), [[1, 2], 0.5]);
  same<typeof nested, Task<Float32Array>>(true);
  // @ts-expect-error the second argument is a number
  manager.runProcess(workerFunction<typeof nest>(import.meta.url, "nest"), [[1, 2], "0.5"]);
  // @ts-expect-error the context comes first
  workerFunction<(n: number) => number>(import.meta.url, "nest");

  // options
  // @ts-expect-error no such option
  manager.addCoroutine(async () => 1, [], { prio: 1 });
  // @ts-expect-error coroutines have no worker that could crash
  manager.addCoroutine(async () => 1, [], { retries: 1 });
  // @ts-expect-error threads are not isolated further
  manager.runThread(order, [paths, {}], { isolation: "process" });
  // @ts-expect-error not one of the three
  manager.addCoroutine(async () => 1, [], { replace: "queue" });
  // @ts-expect-error objects are no keys
  manager.addCoroutine(async () => 1, [], { key: {} });
  // @ts-expect-error whenDone gets the task of that result
  manager.addCoroutine(async () => 1, [], { whenDone: (task: Task<string>) => task });

  // what tasks and signals give
  const any: Task<unknown> = ordered;
  same<typeof any.status, "pending" | "running" | "completed" | "failed" | "canceled">(true);
  same<typeof any.error, Error | undefined>(true);
  // @ts-expect-error tasks are not set from outside
  any.status = "completed";
  const stop = manager.tasksUpdated.connect((_update) => same<typeof _update, TasksUpdate>(true));
  same<typeof stop, () => void>(true);
  same<ReturnType<TaskManager["getTask"]>, Task<unknown> | undefined>(true);
  const main = manager.runOnMain(() => 7);
  same<typeof main, Promise<number>>(true);

  const tested = createTestManager({ maxWorkers: 2 });
  same<typeof tested, TestManager>(true);
  // @ts-expect-error a test manager brings its own scheduler
  createTestManager({ scheduler: queueMicrotask });
}

test("types of tasks are held by tsc; at run time the same calls check the same", () => {
  assert.throws(
    () => taskMgr.runProcess(order, none as never),
    /Expected `args` to be an array of arguments/,
  );
  assert.throws(() => taskMgr.addCoroutine(async () => 1, [], { retries: 1 } as never), /the name retries/);
  assert.throws(
    () => taskMgr.runThread(order, [none, {}], { isolation: "process" } as never),
    /the name isolation/,
  );
  assert.is(taskMgr.size, 0);
});

const none = { ends: new Uint32Array(), xy: new Float32Array() };

test.run();
