// The manager's surroundings: queues and their order, watching, logs and diagnostics, errors that nobody takes.

import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { getEventListeners } from "node:events";
import { createRequire } from "node:module";
import { type KerfworkError, type Task, TaskManager, type TaskSnapshot, taskMgr } from "kerfwork";
import { createTestManager } from "kerfwork/testing";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { KINDS, run, staged, stagedBoth, until, words } from "./tasks.ts";

staged(
  "ids grow, keys of their own equal no other, iteration walks a snapshot",
  {},
  async ({ manager, done }) => {
    const word = words();
    const tasks = KINDS.map((kind) => run(manager, kind, "hold", [word]));
    assert.equal(
      tasks.map(({ id }) => id),
      [1, 2, 3],
    );
    assert.is(new Set(tasks.map(({ key }) => key)).size, 3);
    assert.equal(
      tasks.map(({ kind }) => kind),
      [...KINDS],
    );
    const seen: number[] = [];
    for (const { id } of manager) {
      seen.push(id);
      if (id === 1) run(manager, "coroutine", "give", [1]);
    }
    assert.equal(seen, [1, 2, 3]);
    assert.is(manager.hasTasks(), true);
    assert.is(manager.getTask(tasks[1]?.key as symbol), tasks[1]);
    Atomics.store(word, 1, 1);
    await done(...tasks);
  },
);

staged(
  "ready and maxQueued: one more is refused, room is told of",
  { maxQueued: 3 },
  async ({ manager, done }) => {
    await manager.ready();
    const word = words();
    const busy = run(manager, "process", "hold", [word]);
    await until(() => word[0] === 1);
    const queued = [1, 2, 3].map((n) => run(manager, "process", "give", [n]));
    assert.throws(
      () => run(manager, "process", "give", [4]),
      (error: KerfworkError) =>
        error.code === "QUEUE_FULL" &&
        error.message === "Expected at most 3 waiting tasks: await `ready()` first",
    );
    assert.is(manager.size, 4);
    let room = false;
    const ready = manager.ready().then(() => {
      room = true;
    });
    await new Promise((resolve) => setTimeout(resolve, 5));
    assert.is(room, false);
    queued[0]?.cancel();
    await ready;
    const more = run(manager, "process", "give", [4]);
    const waiting = manager.ready();
    Atomics.store(word, 1, 1);
    await waiting;
    await done(busy, ...queued, more);
  },
);

staged(
  "a flood of submissions behind ready() keeps the queue short",
  { maxQueued: 20 },
  async ({ manager }) => {
    let most = 0;
    let sum = 0;
    for (let i = 0; i < 500; i++) {
      await manager.ready();
      run(manager, "process", "give", [i], {
        whenDone: (task) => {
          sum += task.result() as number;
        },
      });
      most = Math.max(most, manager.stats().queued);
    }
    await manager.whenIdle();
    assert.is(sum, (499 * 500) / 2);
    assert.ok(most <= 20);
  },
);

test("ageing: waiting is worth priority, so that nobody starves", async () => {
  const { manager, settle, advance } = createTestManager({ ageingMs: 1000 });
  const gate = globalThis as unknown as { kerfworkAge: (name: string) => unknown };
  const started: string[] = [];
  let free: (() => void)[] = [];
  gate.kerfworkAge = (name) => {
    started.push(name);
    return new Promise<void>((resolve) => free.push(resolve));
  };
  const submit = (name: string, priority: number): Task<unknown> =>
    manager.runProcess(
      (_context, name: string) => (globalThis as unknown as typeof gate).kerfworkAge(name),
      [name],
      { priority },
    );
  submit("busy", 0);
  await settle();
  submit("old", 0);
  await advance(2500);
  submit("young", 2); // the old one has waited for 2.5 levels
  submit("urgent", 3);
  for (let i = 0; i < 4; i++) {
    await settle();
    for (const release of free.splice(0)) release();
  }
  free = [];
  await settle();
  assert.equal(started, ["busy", "urgent", "old", "young"]);
});

for (const kind of KINDS)
  staged(
    `for await: snapshots of a ${kind}, up to the last one`,
    { progressIntervalMs: 1 },
    async ({ manager }) => {
      const word = words();
      const task = run(manager, kind, "hold", [word, 0.5]);
      const seen: TaskSnapshot[] = [];
      for await (const snapshot of task) {
        seen.push(snapshot);
        if (snapshot.progress === 0.5) Atomics.store(word, 1, 1);
      }
      assert.is(seen[0]?.status, "pending");
      assert.ok(seen.some(({ progress }) => progress === 0.5));
      assert.equal(seen.at(-1), task.snapshot());
      assert.is(seen.at(-1)?.status, "completed");
      let after = 0;
      for await (const { status } of task) {
        after++;
        assert.is(status, "completed");
      }
      assert.is(after, 1);
    },
  );

test("for await ends when the manager is shut down, and when its reader leaves", async () => {
  const manager = new TaskManager();
  const task = manager.addCoroutine(() => new Promise(() => {}));
  await until(() => task.status === "running");
  for await (const _snapshot of task) break;
  const read = (async () => {
    let last = "";
    for await (const { status } of task) last = status;
    return last;
  })();
  await manager.shutdown({ graceMs: 1 });
  assert.is(await read, "canceled");
});

staged("diagnostics channels tell of submit, start, settle and crash", {}, async ({ manager, done }) => {
  const seen: string[] = [];
  const listen = (message: unknown, name: string | symbol): void => {
    const { id, status, target } = message as { id: number; status: string; target: string };
    seen.push(`${String(name)} ${id} ${status} ${target}`);
  };
  const names = ["submit", "start", "settle", "crash"].map((name) => `kerfwork:${name}`);
  for (const name of names) subscribe(name, listen);
  await done(run(manager, "process", "give", [1]));
  await done(run(manager, "process", "exit", [1], { whenDone() {} }));
  const canceled = run(manager, "process", "give", [1]);
  canceled.cancel();
  await done(canceled);
  await until(() => seen.length === 9);
  for (const name of names) unsubscribe(name, listen);
  await done(run(manager, "process", "give", [1]));
  assert.equal(seen, [
    "kerfwork:submit 1 pending give",
    "kerfwork:start 1 running give",
    "kerfwork:settle 1 completed give",
    "kerfwork:submit 2 pending exit",
    "kerfwork:start 2 running exit",
    "kerfwork:crash 2 running exit",
    "kerfwork:settle 2 failed exit",
    "kerfwork:submit 3 pending give",
    "kerfwork:settle 3 canceled give",
  ]);
});

test("a logger and callbacks that throw stop nothing", async () => {
  const errors: Error[] = [];
  const boom = (): never => {
    throw new Error("boom");
  };
  const manager = new TaskManager({
    maxWorkers: 1,
    logger: { debug: boom, info: boom, warn: boom, error: boom },
    onError: (error) => {
      errors.push(error as Error);
      throw new Error("and again");
    },
  });
  manager.tasksUpdated.connect(boom);
  const task = run(manager, "process", "exit", [1], { retries: 1, whenDone: boom });
  task.changed.connect(boom);
  const next = run(manager, "process", "send", [2], { whenEvent: boom, whenDone: boom });
  await until(() => task.final && next.final && manager.size === 0);
  assert.is(next.result(), 2);
  manager.delay(0, boom);
  await until(() => errors.length >= 9);
  assert.ok(errors.every(({ message }) => message === "boom"));
  assert.is(manager.stats().running, 0);
  await manager.shutdown();
});

stagedBoth("a failure that nobody observes goes to onError, whatever its kind", {}, async (stage) => {
  const { manager, done, errors } = stage;
  const lost = KINDS.map((kind) => run(manager, kind, "fail", [kind]));
  await done(...lost);
  await until(() => errors.length === 3);
  assert.equal(errors.map((error) => (error as Error).message).sort(), [...KINDS].sort());
  const seen = KINDS.map((kind) => run(manager, kind, "fail", [kind], { whenDone() {} }));
  const awaited = KINDS.map((kind) => run(manager, kind, "fail", [kind]));
  for (const { promise } of awaited) promise.catch(() => {});
  const canceled = KINDS.map((kind) => run(manager, kind, "fail", [kind]));
  for (const task of canceled) task.cancel();
  await done(...seen, ...awaited, ...canceled);
  assert.is(errors.length, 3);
});

stagedBoth(
  "resubmitting a key inside the old task's whenDone is an ordinary submission",
  {},
  async (stage) => {
    const { manager, until } = stage;
    const seen: string[] = [];
    let third: Task<unknown> | undefined;
    const options = (name: string, more: () => void = () => {}) => ({
      key: "k",
      whenDone: (task: Task<unknown>) => {
        seen.push(`${name} ${task.status}`);
        more();
      },
    });
    const word = words();
    run(
      manager,
      "process",
      "hold",
      [word],
      options("first", () => {
        third = run(manager, "coroutine", "give", [3], options("third"));
      }),
    );
    await until(() => word[0] === 1);
    run(manager, "process", "hold", [word], options("second"));
    assert.equal(seen, []);
    await until(() => third?.final === true && seen.length === 3);
    assert.equal(seen.sort(), ["first canceled", "second canceled", "third completed"]);
  },
);

staged("the caller's signal is let go of when the task ends", {}, async ({ manager, done }) => {
  const { signal } = new AbortController();
  const tasks = KINDS.map((kind) => run(manager, kind, "give", [1], { signal }));
  assert.is(getEventListeners(signal, "abort").length, 3);
  await done(...tasks);
  assert.is(getEventListeners(signal, "abort").length, 0);
});

staged(
  "stats: counts of the moment, waits and runs as percentiles",
  { maxWorkers: 2 },
  async ({ manager, done }) => {
    const zero = { p50: 0, p95: 0, p99: 0, max: 0 };
    assert.equal(manager.stats(), {
      spawned: 0,
      crashed: 0,
      killed: 0,
      recycled: 0,
      queued: 0,
      running: 0,
      retiring: 0,
      threads: 0,
      droppedEvents: 0,
      waits: zero,
      runs: zero,
    });
    const word = words();
    const held = [1, 2].map(() => run(manager, "process", "hold", [word]));
    const queued = run(manager, "process", "send", [3]);
    // seen to run: from then on the time counts
    await until(() => word[0] === 2 && held.every(({ status }) => status === "running"));
    const { running, threads, spawned } = manager.stats();
    assert.equal([running, manager.stats().queued, threads, spawned], [2, 1, 2, 2]);
    await new Promise((resolve) => setTimeout(resolve, 50));
    Atomics.store(word, 1, 1);
    await done(...held, queued);
    const { waits, runs, droppedEvents } = manager.stats();
    assert.ok(runs.p50 <= runs.p95 && runs.p95 <= runs.p99 && runs.p99 <= runs.max);
    assert.ok(runs.max >= 49 && waits.max >= 49, "the held ones ran, and the queued one waited, for 50 ms");
    assert.is(droppedEvents, 3, "nobody listened");
  },
);

test("runThread: a thread for each that blocks, apart from the compute pool, ended when idle", async () => {
  // the manager's own 5 s of idleness, shortened
  const clock = {
    now: () => performance.now(),
    after: (ms: number, run: () => void) => {
      const timer = setTimeout(run, ms === 5000 ? 30 : ms);
      return { cancel: () => clearTimeout(timer) };
    },
  };
  const manager = new TaskManager({ maxWorkers: 1, maxThreads: 5 }, { clock });
  const word = words();
  const blocked = Array.from({ length: 6 }, () => run(manager, "thread", "block", [word]));
  await until(() => word[0] === 5);
  assert.equal([manager.stats().threads, manager.stats().queued], [5, 1]);
  assert.is(await run(manager, "process", "give", [1]).promise, 1, "compute goes on");
  Atomics.store(word, 1, 1);
  await Promise.all(blocked.map((task) => task.promise));
  await until(() => manager.stats().threads === 1);
  assert.is(await run(manager, "thread", "give", [2]).promise, 2);
  await manager.shutdown();
});

test("taskMgr is one in the process, whether imported or required", () => {
  const required = createRequire(import.meta.url)("kerfwork") as { taskMgr: TaskManager };
  assert.is(required.taskMgr, taskMgr);
  assert.is(taskMgr.stats().threads, 0);
});

test.run();
