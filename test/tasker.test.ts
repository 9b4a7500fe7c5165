import {
  type KerfworkError,
  type Task,
  TaskManager,
  type TasksUpdate,
  type WorkerFunction,
  workerFunction,
} from "kerfwork";
import { test } from "uvu";
import * as assert from "uvu/assert";

// promises alone do not keep the process alive, and the manager's sampler must not
const alive = setInterval(() => {}, 60_000);
test.after(() => clearInterval(alive));

const targets = new URL("../../test/fixtures/targets.mjs", import.meta.url);
const target = <A extends unknown[], R>(name: string) =>
  workerFunction(targets, name) as WorkerFunction<A, R>;
const add = target<[number, number], number>("add");
const thread = target<[], number>("thread");
const spin = target<[Int32Array], number>("spin");

const sharedWords = (): Int32Array => new Int32Array(new SharedArrayBuffer(8));
const failed = async (task: Task<unknown>): Promise<KerfworkError> => {
  try {
    await task.promise;
  } catch (error) {
    return error as KerfworkError;
  }
  throw new Error("the task did not fail");
};
/** Resolves when the task's code has begun to run. */
const begun = (task: Task<unknown>): Promise<void> =>
  new Promise((resolve) => {
    const check = (): void => {
      if (task.status === "pending") return;
      stop();
      resolve();
    };
    const stop = task.changed.connect(check);
    check();
  });

/** Runs `body` with a manager and sees to it that nothing is left. */
function withManager(
  name: string,
  options: ConstructorParameters<typeof TaskManager>[0],
  body: (manager: TaskManager) => Promise<void>,
): void {
  test(name, async () => {
    const manager = new TaskManager({ maxWorkers: 1, ...options });
    try {
      await body(manager);
    } finally {
      await manager.shutdown({ graceMs: 50 });
    }
    assert.is(manager.size, 0);
    assert.is(manager.stats().threads, 0);
  });
}

/** A scheduler whose turns the test takes by hand. */
const handScheduler = () => {
  const turns: (() => void)[] = [];
  return {
    scheduler: (run: () => void): void => void turns.push(run),
    drain(): void {
      for (let turn = turns.shift(); turn; turn = turns.shift()) turn();
    },
  };
};

withManager("runProcess gives args to the target and its value back", {}, async (manager) => {
  const task = manager.runProcess(add, [2, 3]);
  assert.is(task.status, "pending");
  assert.throws(() => task.result(), /Expected task 1 to be final, it is pending/);
  assert.is(await task.promise, 5);
  assert.is(task.result(), 5);
  assert.is(task.status, "completed");
  assert.is(task.progress, 1);
  assert.is(manager.size, 0);
});

withManager(
  "runProcess runs a function literal, and names what it uses from outside",
  {},
  async (manager) => {
    const value = await manager.runProcess(
      (context, n: number) => {
        context.setTotal(n);
        let sum = 0;
        for (let i = 0; i < n; i++) {
          sum += i;
          context.setProgress(i + 1);
        }
        return sum;
      },
      [10],
    ).promise;
    assert.is(value, 45);
    const outside = 3;
    const error = await failed(
      manager.runProcess(
        function scale(_context, n: number) {
          return n * outside;
        },
        [2],
      ),
    );
    assert.is(error.code, "TARGET_NOT_FOUND");
    assert.match(
      error.message,
      /Expected `scale` to be self-contained, .* but it uses `outside` from outside/,
    );
  },
);

withManager("changed fires on running, on the update and on completed", {}, async (manager) => {
  const task = manager.runProcess((context) => context.setMessage("Counting"), []);
  const seen: string[] = [];
  task.changed.connect((snapshot) =>
    seen.push(`${snapshot.status} ${snapshot.progress} ${snapshot.message}`),
  );
  await task.promise;
  assert.equal(seen, ["running 0 ", "running 0 Counting", "completed 1 Counting"]);
});

withManager("a task without updates fires running and completed", {}, async (manager) => {
  const task = manager.runProcess(add, [1, 1]);
  const seen: string[] = [];
  task.changed.connect((snapshot) => seen.push(snapshot.status));
  await task.promise;
  assert.equal(seen, ["running", "completed"]);
});

for (const kind of ["coroutine", "process"]) {
  withManager(
    `callbacks of a ${kind} come in order, after the call that caused them`,
    {},
    async (manager) => {
      const seen: string[] = [];
      manager.tasksUpdated.connect(({ tasks, progress }) =>
        seen.push(`updated ${tasks.map((t) => t.status)} ${progress}`),
      );
      const options = { whenDone: () => seen.push("whenDone") };
      const task =
        kind === "coroutine"
          ? manager.addCoroutine(async () => 1, [], options)
          : manager.runProcess(add, [1, 2], options);
      task.changed.connect((snapshot) => seen.push(snapshot.status));
      assert.equal(seen, []);
      await task.promise;
      assert.equal(seen.slice(-3), ["completed", "updated  1", "whenDone"]);
      assert.is(seen.filter((line) => line === "whenDone").length, 1);
    },
  );

  withManager(`a ${kind} that throws fails with its own error`, {}, async (manager) => {
    const boom = (): never => {
      throw Object.assign(new RangeError("beyond the edge"), {
        code: "E_EDGE",
        data: { at: [1, 2] },
        cause: new Error("below"),
      });
    };
    const task: Task<unknown> =
      kind === "coroutine"
        ? manager.addCoroutine(async () => boom())
        : manager.runProcess(target<[string], never>("fail"), ["E_EDGE"]);
    const error = await failed(task);
    assert.is(task.status, "failed");
    assert.is(task.error, error);
    assert.is(error.name, "RangeError");
    assert.is(error.message, "beyond the edge");
    assert.is(error.code as string, "E_EDGE");
    assert.equal(error.data, { at: [1, 2] });
    assert.is((error.cause as Error).message, "below");
    assert.match(error.stack as string, kind === "coroutine" ? /boom/ : /targets\.mjs/);
  });
}

withManager("the last report is never lost, however fast the task ends", {}, async (manager) => {
  const counted = target<[number], number>("counted");
  for (let i = 1; i <= 200; i++) {
    const task = manager.runProcess(counted, [i]);
    let last = "";
    task.changed.connect((snapshot) => {
      if (snapshot.status === "running") last = `${snapshot.progress} ${snapshot.message}`;
    });
    await task.promise;
    assert.is(last, "1 Counting");
  }
});

withManager(
  "cancel of a running kernel-like loop frees the same thread",
  { graceMs: 60_000 },
  async (manager) => {
    const word = sharedWords();
    const first = await manager.runProcess(thread, []).promise;
    const task = manager.runProcess(spin, [word]);
    await begun(task);
    assert.is(task.cancel("enough"), true);
    assert.is(task.cancel("again"), false);
    assert.is(task.isCancelled(), true);
    assert.is(task.status, "running", "the status follows on the next turn");
    const error = await failed(task);
    assert.is(task.status, "canceled");
    assert.is(error.code, "CANCELED");
    assert.is(error.cause, "enough");
    await task.ended;
    assert.is(await manager.runProcess(thread, []).promise, first);
    assert.is(manager.stats().killed, 0);
    assert.is(manager.stats().spawned, 1);
  },
);

withManager("cancel wakes waiting code in a worker by its signal", { graceMs: 60_000 }, async (manager) => {
  const word = sharedWords();
  const task = manager.runProcess(target<[Int32Array], Promise<void>>("sleep"), [word]);
  await begun(task);
  while (Atomics.load(word, 0) === 0) await new Promise((resolve) => setImmediate(resolve));
  task.cancel();
  await task.ended;
  assert.is(manager.stats().killed, 0);
});

withManager("cancel of code that hears nobody costs its thread", { graceMs: 20 }, async (manager) => {
  const word = sharedWords();
  const task = manager.runProcess(target<[Int32Array], never>("deaf"), [word]);
  await begun(task);
  let done = 0;
  const next = manager.runProcess(add, [1, 1], { whenDone: () => done++ });
  task.cancel();
  assert.is((await failed(task)).code, "CANCELED");
  assert.is(done, 0, "canceled is told before the thread is free");
  assert.is(await next.promise, 2);
  assert.equal([manager.stats().killed, manager.stats().spawned, manager.stats().crashed], [1, 2, 0]);
});

withManager("a queued task that is canceled never runs and costs nothing", {}, async (manager) => {
  const word = sharedWords();
  const busy = manager.runProcess(spin, [word]);
  let calls = 0;
  const queued = manager.runProcess(spin, [word], { key: "queued", whenDone: () => calls++ });
  await begun(busy);
  assert.is(queued.status, "pending");
  assert.is(manager.stats().queued, 1);
  assert.is(manager.cancelTask("queued"), true);
  assert.is(manager.stats().queued, 0);
  assert.is((await failed(queued)).code, "CANCELED");
  assert.is(calls, 1);
  Atomics.store(word, 1, 1);
  await busy.promise;
  assert.is(word[0], 1);
});

withManager(
  "a task that is canceled in the turn that submitted it never enters its code",
  {},
  async (manager) => {
    await manager.runProcess(add, [1, 1]).promise;
    const word = sharedWords();
    for (let i = 0; i < 100; i++) {
      const task = manager.runProcess(spin, [word]);
      task.cancel();
      assert.is((await failed(task)).code, "CANCELED");
      await task.ended;
    }
    assert.is(word[0], 0);
  },
);

withManager("addCoroutine: cancel before start never calls the function", {}, async (manager) => {
  let called = 0;
  const seen: string[] = [];
  const task = manager.addCoroutine(async () => called++);
  task.changed.connect(({ status }) => seen.push(status));
  assert.is(task.cancel(), true);
  await failed(task);
  assert.is(called, 0);
  assert.equal(seen, ["canceled"]);
});

withManager("addCoroutine: canceled whatever the code then returns", {}, async (manager) => {
  const task = manager.addCoroutine(
    (context) =>
      new Promise((resolve) => context.signal.addEventListener("abort", () => resolve("too late"))),
  );
  await begun(task);
  task.cancel();
  assert.is((await failed(task)).code, "CANCELED");
  await task.ended;
  assert.is(task.status, "canceled");
  assert.throws(() => task.result(), /The work was canceled/);
});

withManager("cancelTask: unknown and final tasks give false", {}, async (manager) => {
  assert.is(manager.cancelTask("nobody"), false);
  const task = manager.addCoroutine(async () => 1, [], { key: ["m1", "connect"] });
  assert.is(manager.getTask(["m1", "connect"]), task);
  await task.promise;
  assert.is(manager.cancelTask(["m1", "connect"]), false);
  assert.is(task.cancel(), false);
  assert.is(task.isCancelled(), false);
  assert.is(task.status, "completed");
});

withManager(
  "an active key that is submitted again cancels the old task; each gets its own whenDone",
  {},
  async (manager) => {
    const seen: string[] = [];
    const whenDone = (name: string) =>
      ({ key: "k", whenDone: (task: Task<number>) => seen.push(`${name} ${task.status}`) }) as never;
    const old = manager.runProcess(spin, [sharedWords()], whenDone("old"));
    await begun(old);
    const fresh = manager.runProcess(add, [4, 5], whenDone("new"));
    assert.is(manager.getTask("k"), fresh);
    assert.equal(seen, [], "no callback inside the submission");
    assert.is(await fresh.promise, 9);
    assert.equal(seen, ["old canceled", "new completed"]);
    assert.is(manager.getTask("k"), undefined);
  },
);

withManager("signal: an abort cancels, an aborted one never starts", {}, async (manager) => {
  const controller = new AbortController();
  const task = manager.runProcess(spin, [sharedWords()], { signal: controller.signal });
  await begun(task);
  controller.abort("stop");
  assert.is((await failed(task)).cause, "stop");
  await task.ended;
  const late = manager.runProcess(add, [1, 1], { signal: controller.signal });
  assert.is((await failed(late)).code, "CANCELED");
});

withManager("priority: higher first, then order of submission", {}, async (manager) => {
  const word = sharedWords();
  const busy = manager.runProcess(spin, [word]);
  const seen: string[] = [];
  const submit = (name: string, priority: number) =>
    manager.runProcess(add, [1, 1], { priority, whenDone: () => seen.push(name) });
  const all = [submit("a", 0), submit("b", 2), submit("c", 0), submit("d", 2), submit("e", -1)];
  await begun(busy);
  Atomics.store(word, 1, 1);
  await Promise.all(all.map((task) => task.promise));
  assert.equal(seen, ["b", "d", "a", "c", "e"]);
});

withManager(
  "progress: mean over the batch, finished work stays counted, 1 when idle",
  { progressIntervalMs: 1 },
  async (manager) => {
    assert.is(manager.progress, 1);
    const updates: TasksUpdate[] = [];
    manager.tasksUpdated.connect((update) => updates.push(update));
    let finish: (() => void)[] = [];
    const steps = (context: { setTotal(n: number): void; setProgress(n: number): void }, done: number) => {
      context.setTotal(4);
      context.setProgress(done);
      return new Promise<void>((resolve) => finish.push(resolve));
    };
    const first = manager.addCoroutine(steps, [1]);
    const second = manager.addCoroutine(steps, [2]);
    while (manager.progress !== 0.375) await new Promise((resolve) => setTimeout(resolve, 1));
    finish[0]?.();
    await first.promise;
    assert.is(manager.progress, (1 + 0.5) / 2);
    finish[1]?.();
    await second.promise;
    assert.is(manager.progress, 1);
    assert.equal(updates.at(-1), { tasks: [], progress: 1 });
    finish = [];
    const third = manager.addCoroutine(steps, [0]);
    assert.is(manager.progress, 0, "a new batch starts at 0");
    await begun(third);
    finish[0]?.();
    await third.promise;
  },
);

withManager("visible: false hides a task from views and from nothing else", {}, async (manager) => {
  const updates: TasksUpdate[] = [];
  manager.tasksUpdated.connect((update) => updates.push(update));
  let done = 0;
  const task = manager.addCoroutine(async () => 1, [], {
    visible: false,
    key: "h",
    whenDone: () => done++,
  });
  assert.is(manager.size, 0);
  assert.equal([...manager], []);
  assert.is(manager.getTask("h"), task);
  await task.promise;
  assert.is(done, 1);
  assert.ok(updates.every(({ tasks }) => tasks.length === 0));
});

withManager("subContext maps its range into its parent's", { progressIntervalMs: 1 }, async (manager) => {
  const at = async (place: (context: Parameters<Parameters<TaskManager["addCoroutine"]>[0]>[0]) => void) => {
    let release!: () => void;
    const task = manager.addCoroutine((context) => {
      place(context);
      return new Promise<void>((resolve) => {
        release = resolve;
      });
    });
    await begun(task);
    const progress = await new Promise<number>((resolve) => {
      if (task.progress > 0) return resolve(task.progress);
      task.changed.connect((snapshot) => resolve(snapshot.progress));
    });
    release();
    await task.promise;
    return progress;
  };
  assert.is(await at((context) => context.subContext(0.2, 0.5, 100).setProgress(50)), 0.45);
  const nested = await at((context) => context.subContext(0.1, 0.8).subContext(0.5, 0.25, 10).setProgress(8));
  assert.ok(Math.abs(nested - 0.66) < 1e-12);
  assert.is(await at((context) => context.subContext(0.9, 0.5).setProgress(7)), 1);
  const ignoresNaN = await at((context) => {
    context.setProgress(0.5);
    context.setProgress(Number.NaN);
  });
  assert.is(ignoresNaN, 0.5);
  const totalOfOne = await at((context) => {
    context.setTotal(-10);
    context.setProgress(0.25);
  });
  assert.is(totalOfOne, 0.25);
});

withManager("a throwing callback is contained and told of", {}, async (manager) => {
  const manager2 = new TaskManager({ maxWorkers: 1, onError: (error) => errors.push(error) });
  const errors: unknown[] = [];
  const boom = (): never => {
    throw new Error("callback");
  };
  manager2.tasksUpdated.connect(boom);
  const task = manager2.addCoroutine(async () => 1, [], { whenDone: boom });
  task.changed.connect(boom);
  assert.is(await task.promise, 1);
  assert.ok(errors.length >= 3);
  assert.ok(errors.every((error) => (error as Error).message === "callback"));
  await manager2.shutdown();
  await manager.addCoroutine(async () => 1).promise;
});

test("a failure that nobody observes goes to onError, an observed one does not", async () => {
  const errors: unknown[] = [];
  const manager = new TaskManager({ onError: (error) => errors.push(error) });
  const boom = async (): Promise<never> => {
    throw new Error("lost");
  };
  await manager.addCoroutine(boom).ended;
  await Promise.resolve();
  assert.equal(
    errors.map((error) => (error as Error).message),
    ["lost"],
  );
  await failed(manager.addCoroutine(boom));
  await manager.addCoroutine(boom, [], { whenDone() {} }).ended;
  await Promise.resolve();
  assert.is(errors.length, 1);
  await manager.shutdown();
});

const CRASHES: [string, Task<unknown>["status"], string, unknown[], RegExp][] = [
  ["exit", "failed", "WORKER_CRASHED", [3], /The worker ended while it ran `exit`: exit code 3/],
  ["later", "failed", "WORKER_CRASHED", [], /The worker ended while it ran `later`: uncaught in a timer/],
  [
    "uncloneable",
    "failed",
    "RESULT_NOT_CLONEABLE",
    [],
    /Expected the result of `uncloneable` to be cloneable, got a function/,
  ],
  ["notAFunction", "failed", "TARGET_NOT_FOUND", [], /to export a function `notAFunction`, got 3/],
  ["missing", "failed", "TARGET_NOT_FOUND", [], /to export a function `missing`, got undefined/],
  [
    "echo",
    "failed",
    "ARGUMENT_NOT_CLONEABLE",
    [() => 1],
    /Expected the arguments of `echo` to be cloneable: /,
  ],
];
for (const [name, status, code, args, message] of CRASHES)
  withManager(`${name}: fails with ${code}, the tasks behind it complete`, {}, async (manager) => {
    const bad = manager.runProcess(target<unknown[], unknown>(name), args);
    const good = [1, 2, 3].map((n) => manager.runProcess(add, [n, n]));
    const error = await failed(bad);
    assert.is(bad.status, status);
    assert.is(error.code, code);
    assert.match(error.message, message);
    assert.equal(await Promise.all(good.map((task) => task.promise)), [2, 4, 6]);
  });

test("a worker script that cannot start fails the task, and the next one as well", async () => {
  const manager = new TaskManager({
    maxWorkers: 1,
    assets: { worker: new URL("./no-such-worker.js", import.meta.url) },
  });
  for (let i = 0; i < 2; i++) {
    const error = await failed(manager.runProcess(add, [1, 1]));
    assert.is(error.code, "WORKER_INIT");
    assert.match(error.message, /The worker for `add` could not start: .*no-such-worker/);
  }
  await manager.shutdown();
});

withManager(
  "big arguments arrive whole on shared memory, small and moved ones as they are",
  {},
  async (manager) => {
    const sum = target<[Uint8Array], { sum: number; shared: boolean }>("total");
    const big = new Uint8Array(3_000_001).fill(1);
    assert.equal(await manager.runProcess(sum, [big]).promise, { sum: 3_000_001, shared: true });
    assert.equal(await manager.runProcess(sum, [big.subarray(5)]).promise, { sum: 2_999_996, shared: true });
    assert.is(big.byteLength, 3_000_001);
    assert.equal(await manager.runProcess(sum, [new Uint8Array(10).fill(2)]).promise, {
      sum: 20,
      shared: false,
    });
    assert.equal(await manager.runProcess(sum, [big], { transfer: [big.buffer, big.buffer] }).promise, {
      sum: 3_000_001,
      shared: false,
    });
    assert.is(big.byteLength, 0, "moved");
    const own = new Uint8Array(new SharedArrayBuffer(100_000)).fill(1);
    assert.equal(await manager.runProcess(sum, [own], { transfer: [own.buffer] }).promise, {
      sum: 100_000,
      shared: true,
    });
  },
);

withManager("a buffer that was moved before is refused, not lost with its message", {}, async (manager) => {
  const gone = new Uint8Array(10);
  structuredClone(gone, { transfer: [gone.buffer] });
  const error = await failed(manager.runProcess(add, [1, 1], { transfer: [gone.buffer] }));
  assert.is(error.code, "ARGUMENT_NOT_CLONEABLE");
  assert.is(
    error.message,
    "Expected the arguments of `add` to be cloneable: an ArrayBuffer of `transfer` was moved before",
  );
  const sends = manager.runProcess((context) => {
    const buffer = new ArrayBuffer(10);
    context.sendEvent("first", 0, [buffer]);
    try {
      context.sendEvent("second", 0, [buffer]);
    } catch (thrown) {
      return (thrown as Error).message;
    }
  }, []);
  assert.is(await sends.promise, "an ArrayBuffer of `transfer` was moved before");
});

withManager("a result that is its argument does not stand on pooled memory", {}, async (manager) => {
  const echo = target<[{ data: Uint8Array }], { data: Uint8Array }>("echo");
  const first = await manager.runProcess(echo, [{ data: new Uint8Array(100_000).fill(1) }]).promise;
  const second = await manager.runProcess(echo, [{ data: new Uint8Array(100_000).fill(2) }]).promise;
  assert.ok(first.data.buffer instanceof ArrayBuffer);
  assert.is(first.data[99_999], 1);
  assert.is(second.data[99_999], 2);
});

withManager("results keep their shape", {}, async (manager) => {
  const fill = target<[number], { first: Uint8Array; n: number }>("fill");
  const { first, n } = await manager.runProcess(fill, [100_000]).promise;
  assert.is(n, 100_000);
  assert.is(first.length, 100_000);
  assert.is(first[99_999], 7);
});

test("more tasks than workers, with crashes among them: all settle, the pool is whole", async () => {
  const manager = new TaskManager({ maxWorkers: 2 });
  const tasks = Array.from({ length: 40 }, (_, i) =>
    i % 10 === 3 ? manager.runProcess(target<[number], never>("exit"), [i]) : manager.runProcess(add, [i, 1]),
  );
  const results = await Promise.allSettled(tasks.map((task) => task.promise));
  results.forEach((result, i) => {
    if (i % 10 === 3) assert.is((result as PromiseRejectedResult).reason.data.exitCode, i);
    else assert.is((result as PromiseFulfilledResult<number>).value, i + 1);
  });
  assert.is(manager.stats().running, 0);
  assert.is(manager.stats().crashed, 4);
  await manager.shutdown();
});

test("shutdown cancels, runs whenDone, ends stuck threads, is idempotent and final", async () => {
  const manager = new TaskManager({ maxWorkers: 2 });
  const word = sharedWords();
  let unwound = false;
  const statuses: string[] = [];
  const options = { whenDone: (task: Task<unknown>) => statuses.push(task.status) };
  const stuck = manager.runProcess(target<[Int32Array], never>("deaf"), [word], options);
  const coroutine = manager.addCoroutine(
    async (context) => {
      try {
        await new Promise((_resolve, reject) => context.signal.addEventListener("abort", reject));
      } finally {
        unwound = true;
      }
    },
    [],
    options,
  );
  await Promise.all([begun(stuck), begun(coroutine)]);
  const promise = manager.shutdown({ graceMs: 50 });
  assert.is(manager.shutdown(), promise);
  await promise;
  assert.ok(unwound);
  assert.equal(statuses, ["canceled", "canceled"]);
  assert.is(manager.size, 0);
  assert.throws(
    () => manager.runProcess(add, [1, 1]),
    (error: KerfworkError) => error.code === "MANAGER_CLOSED",
  );
  await stuck.ended;
});

test("options: unknown names, wrong types and ranges are refused", () => {
  const manager = new TaskManager();
  const refuses = (run: () => unknown, message: RegExp): void =>
    assert.throws(
      run,
      (error: KerfworkError) => error.code === "INVALID_ARGUMENT" && message.test(error.message),
    );
  const run = async () => 1;
  refuses(
    () => new TaskManager({ workers: 3 } as never),
    /an object of maxWorkers, .* got "the name workers"/,
  );
  refuses(() => new TaskManager({ graceMs: 0 }), /`graceMs` to be a finite number >= 1, got 0/);
  refuses(() => manager.addCoroutine(run, [], { retries: 1 } as never), /got "the name retries"/);
  refuses(() => manager.addCoroutine(run, 3 as never), /`args` to be an array of arguments, got 3/);
  refuses(() => manager.addCoroutine(run, [], { weight: 0 }), /`weight` to be a finite number > 0, got 0/);
  refuses(
    () => manager.addCoroutine(run, [], { key: {} as never }),
    /`key` to be a string, number, symbol or array/,
  );
  refuses(() => manager.runProcess("trace" as never, []), /`target` to be an engine function/);
  refuses(() => workerFunction("./relative.js"), /`url` to be a module's URL/);
  assert.is(manager.size, 0);
  assert.is(manager.stats().threads, 0);
});

test("initialize works once, before the first task", async () => {
  const manager = new TaskManager();
  manager.initialize({ maxWorkers: 1 });
  assert.throws(() => manager.initialize({}), /Expected `initialize` once, before the first task/);
  await manager.shutdown();
});

test("a scheduler of the caller's own gets every callback", async () => {
  const { scheduler, drain } = handScheduler();
  const manager = new TaskManager({ scheduler });
  const seen: string[] = [];
  let called = 0;
  const task = manager.addCoroutine(async () => called++, [], { whenDone: () => seen.push("done") });
  await Promise.resolve();
  assert.is(called, 0);
  drain();
  assert.is(called, 1);
  await task.ended;
  assert.equal(seen, []);
  assert.is(task.status, "completed");
  drain();
  assert.equal(seen, ["done"]);
  const closing = manager.shutdown();
  drain();
  await closing;
});

test.run();
