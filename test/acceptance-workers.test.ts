// What tasks promise about workers: floods of reports, events, crashes' neighbours, initializers, shutdown.
import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { type ExecutionContext, type KerfworkError, type Task, TaskManager } from "kerfwork";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { codeOf, KINDS, run, staged, target, until, words } from "./tasks.ts";

const folder = mkdtempSync(join(tmpdir(), "kerfwork-workers-"));
test.after(() => rmSync(folder, { recursive: true }));

const tick = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

staged(
  "setTotal and setProgress: shares, clamped; odd totals are 1",
  { progressIntervalMs: 1 },
  async ({ manager }) => {
    const at = async (place: (context: ExecutionContext) => void): Promise<number> => {
      const task = manager.addCoroutine(async (context) => {
        place(context);
        throw new Error("keeps its progress");
      });
      await task.promise.catch(() => {});
      return task.progress;
    };
    const set =
      (total: number, ...values: number[]) =>
      (context: ExecutionContext): void => {
        context.setTotal(total);
        for (const value of values) context.setProgress(value);
      };
    assert.is(await at(set(200, 50)), 0.25);
    for (const total of [0, -10, Number.NaN, Number.POSITIVE_INFINITY])
      assert.is(await at(set(total, 0.25)), 0.25);
    assert.is(await at(set(10, -10)), 0);
    assert.is(await at(set(10, 20)), 1);
    assert.is(await at(set(10, 5, Number.NaN)), 0.5);
    assert.is(await at(set(10, 5, Number.POSITIVE_INFINITY)), 0.5);
    assert.is(await at((context) => context.subContext(0.2, 0.5, 100).setProgress(50)), 0.45);
    const nested = await at((context) =>
      context.subContext(0.1, 0.8).subContext(0.5, 0.25, 10).setProgress(8),
    );
    assert.ok(Math.abs(nested - 0.66) < 1e-12);
    assert.is(await at((context) => context.subContext(0.75, 0.5).setProgress(1)), 1);
    assert.is(await at((context) => context.subContext(-1, 0.5).setProgress(1)), 0.5);
  },
);

for (const name of ["flood", "subFlood"])
  staged(
    `${name}: events are bounded by time, and the last value is seen`,
    { progressIntervalMs: 100 },
    async (stage) => {
      const { manager, done } = stage;
      for (const kind of ["process", "thread"] as const) {
        let events = 0;
        let updates = 0;
        const task = run(manager, kind, name, [1000]);
        task.changed.connect(() => events++);
        const stop = manager.tasksUpdated.connect(() => updates++);
        const start = performance.now();
        await done(task);
        const most = (performance.now() - start) / 100 + 4; // running, the last update, the end, a part of a period
        assert.ok(events <= most, `${events} events, at most ${most}`);
        assert.ok(updates <= most + 2, `${updates} updates`);
        assert.ok(events >= 5, "the progress was seen while it ran");
        stop();
        if (name === "flood") assert.is(task.message, "flooded");
      }
    },
  );

for (const isolation of ["thread", "process"] as const) {
  staged(`events of a ${isolation} come whole, in order, before the end`, {}, async ({ manager, done }) => {
    const seen: string[] = [];
    const task = manager.runProcess(target("chunks"), [3], {
      isolation,
      whenEvent: (from, name, data) => {
        const bytes = data as Uint8Array;
        assert.is(from, task);
        seen.push(`${name} ${bytes.length} ${bytes[999]}`);
      },
    });
    task.changed.connect(({ status }) => status !== "running" && seen.push(status));
    await done(task);
    assert.equal(seen, ["chunk 1000 1", "chunk 1000 2", "chunk 1000 3", "completed"]);
  });

  staged(`5000 events of a ${isolation} all arrive`, {}, async ({ manager, done }) => {
    let next = 0;
    const task = manager.runProcess(target("send"), [5000], {
      isolation,
      whenEvent: (_task, _name, data) => assert.is(data, next++),
    });
    await done(task);
    assert.is(task.result(), 5000);
    assert.is(next, 5000);
  });

  test(`a ${isolation} that is 1000 events ahead waits for its manager`, async () => {
    const path = join(folder, isolation);
    writeFileSync(path, "");
    const seen: number[] = [];
    let most = 0;
    /** Lets events be handled only when there are 1000, or no more, and some time after. */
    const scheduler = (run: () => void): void => {
      const check = (): void => {
        const { size } = statSync(path);
        if (size === 0) run();
        else if (size === 5000 || size - seen.length >= 1000) setTimeout(run, 50);
        else setTimeout(check, 1);
      };
      check();
    };
    const manager = new TaskManager({ maxWorkers: 1, scheduler });
    const task = manager.runProcess(target("sendTallied"), [5000, path], {
      isolation,
      whenEvent: (_task, _name, data) => {
        most = Math.max(most, statSync(path).size - seen.length);
        seen.push(data as number);
      },
    });
    await task.promise;
    await manager.shutdown();
    assert.equal(
      seen,
      Array.from({ length: 5000 }, (_, i) => i),
    );
    assert.is(most, 1000);
  });

  staged(`a ${isolation} that may not be sent an event is none ahead`, {}, async ({ manager, done }) => {
    const task = manager.runProcess(target("sendsBad"), [1500], { isolation, whenEvent() {} });
    await done(task);
    assert.is(task.result(), 1500);
  });

  staged(`what a ${isolation} sends before it dies is heard`, {}, async ({ manager, done }) => {
    const seen: unknown[] = [];
    const task = manager.runProcess(target("lastWords"), [3], {
      isolation,
      whenEvent: (_task, name, data) => seen.push([name, (data as Uint8Array).length]),
      whenDone() {},
    });
    await done(task);
    assert.is(codeOf(task), "WORKER_CRASHED");
    assert.equal(
      seen,
      [0, 1, 2].map((i) => [`word ${i}`, 400_000]),
    );
  });

  staged(`a ${isolation} sends and asks with 1 MB while nobody listens`, {}, async ({ manager, done }) => {
    const seen: unknown[] = [];
    const task = manager.runProcess(target("asksBig"), [2 ** 20], {
      isolation,
      whenEvent: (_task, _name, data) => {
        if (seen.length === 0) Atomics.wait(words(), 0, 0, 50); // the pipe is full meanwhile
        const bytes = data as Uint8Array;
        seen.push([bytes.length, bytes.every((byte) => byte === seen.length)]);
      },
    });
    await done(task);
    assert.is(task.result(), "ack");
    assert.equal(seen, Array(4).fill([2 ** 20, true]));
  });

  staged(`flush shows what a ${isolation} reported`, { progressIntervalMs: 1e6 }, async (stage) => {
    const { manager, done } = stage;
    const seen: number[] = [];
    const task = manager.runProcess(target("flushes"), [[0.25, 0.5, 0.75]], {
      isolation,
      whenEvent: (from) => seen.push(from.progress),
    });
    await done(task);
    assert.equal(seen, [0.25, 0.5, 0.75]);
  });
}

staged("a thread that waits for its manager goes on when it is canceled", {}, async ({ manager, done }) => {
  const word = words();
  const blocked = manager.runProcess(target("send"), [10_000, word], { whenEvent: () => blocked.cancel() });
  await done(blocked);
  await blocked.ended;
  assert.is(blocked.status, "canceled");
  assert.ok(manager.stats().droppedEvents > 0);
});

const forms = (["thread", "process"] as const).flatMap((isolation) =>
  (["asks", "asksBlocked"] as const).map((name) => ({ isolation, name })),
);
for (const { isolation, name } of forms)
  staged(`${name} in a ${isolation}: ack, nack of a throw, of nobody`, {}, async (stage) => {
    const { manager, done, errors } = stage;
    const task = manager.runProcess(target(name), [["good", "bad", "good"], 5000], {
      isolation,
      whenEvent: (_task, name) => {
        if (name === "bad") throw new Error("not adopted");
      },
    });
    await done(task);
    assert.equal(task.result(), ["ack", "nack", "ack"]);
    assert.is((errors[0] as Error).message, "not adopted");
    const alone = manager.runProcess(target(name), [["x"], 5000], { isolation });
    await done(alone);
    assert.equal(alone.result(), ["nack"]);
  });

for (const { isolation, name } of forms)
  staged(
    `${name} in a ${isolation}: timeout at its limit; a late answer is not the next one's`,
    {},
    async ({ manager, done }) => {
      let slow = true;
      const task = manager.runProcess(target(name), [["x", "x"], 400], {
        isolation,
        whenEvent: () => {
          if (slow) Atomics.wait(words(), 0, 0, 500); // this thread hangs
          slow = false;
        },
      });
      await done(task);
      assert.equal(task.result(), ["timeout", "ack"]);
    },
  );

staged("sendEventAndWait in a coroutine; the blocking form is refused there", {}, async (stage) => {
  const { manager, done } = stage;
  const task = run(manager, "coroutine", "asks", [["a", "b"], 1000], { whenEvent() {} });
  await done(task);
  assert.equal(task.result(), ["ack", "ack"]);
  const blocked = run(manager, "coroutine", "asksBlocked", [["a"], 10], { whenDone() {} });
  await done(blocked);
  assert.is(codeOf(blocked), "INVALID_STATE");
  assert.match(blocked.error?.message as string, /Expected `sendEventAndWaitSync` in a worker/);
});

staged(
  "an event of a task that is canceled meets no handler: nack",
  { graceMs: 60_000 },
  async ({ manager, done }) => {
    const answers: unknown[] = [];
    let context!: ExecutionContext;
    let called = 0;
    const task = manager.addCoroutine(
      (given) => {
        context = given;
        return new Promise<void>((resolve) => given.signal.addEventListener("abort", () => resolve()));
      },
      [],
      { whenEvent: () => called++ },
    );
    await until(() => task.status === "running");
    const asked = context.sendEventAndWait("x").then((answer) => answers.push(answer));
    task.cancel(); // after it was sent, before it is handled
    const after = context.sendEventAndWait("y").then((answer) => answers.push(answer));
    await Promise.all([asked, after]);
    assert.equal(answers, ["nack", "nack"]);
    assert.is(called, 0);
    await done(task);
  },
);

staged("visible: false hides from views alone", {}, async ({ manager, done }) => {
  for (const kind of KINDS) {
    let calls = 0;
    let listed = 0;
    const events: string[] = [];
    const stop = manager.tasksUpdated.connect(({ tasks }) => {
      listed += tasks.length;
    });
    const task = run(manager, kind, "send", [1], {
      visible: false,
      key: "hidden",
      whenDone: () => calls++,
      whenEvent: (_task, name) => void events.push(name),
    });
    assert.equal([manager.size, [...manager].length, manager.hasTasks(), manager.progress], [0, 0, false, 1]);
    assert.is(manager.getTask("hidden"), task);
    assert.is(await manager.whenIdle({ timeoutMs: 0 }), false);
    await task.promise;
    await done(task);
    assert.equal([calls, listed, events], [1, 0, ["count"]]);
    stop();
  }
});

staged("code that its task left behind in a worker touches no other task", {}, async ({ manager, done }) => {
  const [leftWord, word] = [words(), words()];
  await run(manager, "process", "leaves", [leftWord]).promise;
  const events: string[] = [];
  const next = run(manager, "process", "hold", [word, 0.25], {
    whenEvent: (_task, name) => void events.push(name),
  });
  await until(() => next.progress === 0.25);
  const before = Atomics.load(leftWord, 0);
  await until(() => Atomics.load(leftWord, 0) > before + 5);
  await tick(250);
  assert.equal([next.progress, next.message, events], [0.25, "", []]);
  Atomics.store(leftWord, 1, 1);
  Atomics.store(word, 1, 1);
  await done(next);
});

staged(
  "workers that died while idle fail nobody",
  { maxWorkers: 2, maxThreads: 4 },
  async ({ manager, done }) => {
    const fuses = Array.from({ length: 4 }, words);
    await Promise.all(fuses.map((word) => run(manager, "thread", "bomb", [word]).promise));
    await until(() => fuses.every((word) => word[0] === 1) && manager.stats().threads === 0);
    const tasks = Array.from({ length: 8 }, (_, i) => run(manager, "thread", "give", [i]));
    await done(...tasks);
    assert.equal(
      tasks.map((task) => task.result()),
      [0, 1, 2, 3, 4, 5, 6, 7],
    );
    assert.is(manager.stats().crashed, 0);
  },
);

staged("workerInit: once in each worker, before its first task, also in replacements", {}, async () => {
  const word = words();
  const manager = new TaskManager({
    maxWorkers: 1,
    workerInit: { target: target("prepare"), args: [word, 10] },
  });
  const tasks = Array.from({ length: 5 }, () => run(manager, "process", "preparations"));
  assert.equal(await Promise.all(tasks.map((task) => task.promise)), [1, 1, 1, 1, 1]);
  assert.is(word[0], 10);
  await run(manager, "process", "exit", [1]).promise.catch(() => {});
  assert.is(await run(manager, "process", "preparations").promise, 1);
  assert.is(word[0], 20);
  await manager.restartPool();
  assert.is(await run(manager, "process", "preparations").promise, 1);
  assert.is(await run(manager, "thread", "preparations").promise, 1);
  assert.is(word[0], 40);
  await manager.shutdown();
});

staged("a failing workerInit: three tries, then all that wait fail with WORKER_INIT", {}, async () => {
  const word = words();
  const logged: string[] = [];
  const manager = new TaskManager({
    maxWorkers: 1,
    groups: { g: 1 },
    workerInit: { target: target("unprepared"), args: [word] },
    logger: { debug() {}, info() {}, warn() {}, error: (message) => void logged.push(message) },
  });
  const tasks = [0, 1, 2, 3].map((i) => run(manager, "process", "give", [i], i < 3 ? { group: "g" } : {}));
  await Promise.allSettled(tasks.map((task) => task.promise));
  for (const task of tasks) {
    assert.is(codeOf(task), "WORKER_INIT");
    assert.is(task.error?.message, "The worker's initializer `unprepared` failed: no license");
    assert.is(((task.error as Error).cause as Error).message, "no license");
  }
  assert.is(word[0], 3);
  assert.equal(logged, Array(3).fill("a worker could not start"));
  assert.is(manager.stats().queued, 0);
  await manager.shutdown();
});

test("options that cannot work are refused as the manager is made", () => {
  const refuses = (options: object, message: RegExp): void =>
    assert.throws(
      () => new TaskManager(options),
      (error: KerfworkError) => error.code === "INVALID_ARGUMENT" && message.test(error.message),
    );
  refuses({ workerInit: { target: "prepare" } }, /Expected `target` to be an engine function/);
  refuses(
    { workerInit: { target: target("prepare"), args: 3 } },
    /`workerInit.args` to be an array of arguments, got 3/,
  );
  refuses(
    { assets: { worker: "./worker.js" } },
    /Expected `assets.worker` to be a file: URL, got "\.\/worker\.js"/,
  );
  refuses({ resourceLimits: 5 }, /Expected `resourceLimits` to be an object, got 5/);
});

test("maxWorkers is clamped to 1..cores; nothing starts before the first pooled task; one pool", async () => {
  for (const [asked, size] of [
    [0, 1],
    [-1, 1],
    [1e6, availableParallelism()],
  ] as const) {
    const manager = new TaskManager({ maxWorkers: asked });
    assert.is(manager.stats().threads, 0);
    await manager.restartPool();
    await manager.addCoroutine(async () => {}).promise;
    assert.is(manager.stats().spawned, 0, "a restart makes no pool, nor does a coroutine");
    const word = words();
    const tasks = Array.from({ length: size + 2 }, () => run(manager, "process", "hold", [word]));
    await until(() => tasks.filter(({ status }) => status === "running").length === size && word[0] === size);
    await tick(20);
    assert.is(word[0], size);
    assert.is(manager.stats().threads, size);
    Atomics.store(word, 1, 1);
    await Promise.all(tasks.map((task) => task.promise));
    await manager.shutdown();
  }
});

staged(
  "timeoutMs counts from the start; the worker is replaced",
  { graceMs: 20 },
  async ({ manager, done, until }) => {
    const word = words();
    const busy = run(manager, "process", "hold", [word]);
    await until(() => word[0] === 1);
    const queued = run(manager, "process", "give", [1], { timeoutMs: 40 });
    await tick(80);
    assert.is(queued.status, "pending");
    Atomics.store(word, 1, 1);
    await done(busy, queued);
    assert.is(queued.status, "completed");
    for (const kind of ["process", "thread"] as const) {
      const late = run(manager, kind, "spin", [], { timeoutMs: 40, whenDone() {} });
      const next = run(manager, kind, "give", [2]);
      await done(late, next);
      await late.ended;
      assert.is(codeOf(late), "TIMEOUT");
      assert.is(late.error?.message, "Expected `spin` to end within 40 ms of its start");
      assert.is(late.isCancelled(), false);
      assert.is(next.result(), 2);
    }
    assert.is(manager.stats().killed, 2);
    const aborted: unknown[] = [];
    const waiting = manager.addCoroutine(
      (context) =>
        new Promise<void>((resolve) =>
          context.signal.addEventListener("abort", () => resolve(void aborted.push(context.signal.reason))),
        ),
      [],
      { timeoutMs: 10, whenDone() {} },
    );
    await done(waiting);
    assert.is(codeOf(waiting), "TIMEOUT");
    assert.is(aborted[0], waiting.error);
    const long = run(manager, "coroutine", "give", [3], { timeoutMs: 1e11 });
    assert.is(await long.promise, 3);
  },
);

staged(
  "whenIdle: true at once, false for 0 and at the limit, true after the last",
  { maxWorkers: 2 },
  async (stage) => {
    const { manager } = stage;
    assert.is(await manager.whenIdle(), true);
    assert.is(await manager.whenIdle({ timeoutMs: 0 }), true);
    const word = words();
    const tasks = KINDS.map((kind) => run(manager, kind, "hold", [word]));
    assert.is(await manager.whenIdle({ timeoutMs: 0 }), false);
    const start = performance.now();
    assert.is(await manager.whenIdle({ timeoutMs: 100 }), false);
    assert.ok(performance.now() - start >= 99);
    const idle = manager.whenIdle({ timeoutMs: 1e12 });
    Atomics.store(word, 1, 1);
    assert.is(await idle, true);
    assert.ok(tasks.every(({ final }) => final));
    assert.throws(
      () => manager.whenIdle({ timeoutMs: Number.NaN }),
      /Expected `timeoutMs` to be a finite number/,
    );
  },
);

test("shutdown with stuck workers: one deadline for all, each whenDone canceled, no thread left", async () => {
  const manager = new TaskManager({ maxWorkers: 2, graceMs: 60_000 });
  const seen: string[] = [];
  const whenDone = ({ status }: Task<unknown>): void => void seen.push(status);
  const stuck = ["process", "process", "thread"].map((kind) =>
    run(manager, kind as "process", "spin", [], { whenDone }),
  );
  const queued = [1, 2, 3].map((i) => run(manager, "process", "give", [i], { whenDone }));
  await until(() => stuck.filter(({ status }) => status === "running").length >= 2);
  let unwound = false;
  const polite = manager.addCoroutine(
    async (context) => {
      try {
        await new Promise((_resolve, reject) => context.signal.addEventListener("abort", reject));
      } finally {
        await tick(20);
        unwound = true;
      }
    },
    [],
    { whenDone },
  );
  await until(() => polite.status === "running");
  const start = performance.now();
  const closing = manager.shutdown({ graceMs: 100 });
  assert.is(manager[Symbol.asyncDispose](), closing);
  assert.equal(seen, []);
  await closing;
  assert.ok(performance.now() - start >= 99);
  assert.ok(unwound);
  assert.equal(seen, Array(stuck.length + queued.length + 1).fill("canceled"));
  assert.equal([manager.stats().threads, manager.stats().retiring, manager.size], [0, 0, 0]);
  for (const submit of KINDS)
    assert.throws(
      () => run(manager, submit, "give", [1]),
      (error: KerfworkError) => error.code === "MANAGER_CLOSED",
    );
  assert.is(manager.size, 0);
});

test("shutdown: code that it cancels cannot submit, and gets the same promise", async () => {
  const manager = new TaskManager();
  let inner: Promise<void> | undefined;
  let code = "";
  const task = manager.addCoroutine(
    (context) =>
      new Promise<void>((resolve) =>
        context.signal.addEventListener("abort", () => {
          inner = manager.shutdown();
          try {
            manager.addCoroutine(async () => {});
          } catch (error) {
            code = (error as KerfworkError).code;
          }
          resolve();
        }),
      ),
  );
  await until(() => task.status === "running");
  const closing = manager.shutdown();
  await closing;
  assert.is(inner, closing);
  assert.is(code, "MANAGER_CLOSED");
});

test("shutdown does not wait for ever for a scheduler that has stopped", async () => {
  let dead = false;
  const manager = new TaskManager({ scheduler: (run) => (dead ? undefined : queueMicrotask(run)) });
  const task = manager.addCoroutine(() => new Promise(() => {}));
  await until(() => task.status === "running");
  dead = true;
  const rejected = manager.runOnMain(() => 1).catch((error) => error);
  await manager.shutdown({ graceMs: 10 });
  assert.is((await rejected).code, "MANAGER_CLOSED");
});

test.run();
