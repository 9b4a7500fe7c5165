import { KerfworkError, order, type Task, workerFunction } from "kerfwork";
import { createTestManager, type TestManager } from "kerfwork/testing";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { Queue } from "../src/tasker/queue.ts";

const fixture = new URL("../../test/fixtures/tasks.mjs", import.meta.url);
const code = (task: Task<unknown>): string => (task.error as KerfworkError).code;
const never = (): Promise<never> => new Promise(() => {});

test("createTestManager: nothing happens before settle, all of it then", async () => {
  const { manager, settle, clock } = createTestManager();
  const seen: string[] = [];
  const task = manager.runProcess((_context, a: number, b: number) => a + b, [2, 3], {
    whenDone: (task) => seen.push(`${task.status} ${task.result()}`),
  });
  task.changed.connect(({ status }) => seen.push(status));
  assert.is(task.status, "pending");
  await settle();
  assert.equal(seen, ["running", "completed", "completed 5"]);
  assert.is(clock.now(), 0);
  assert.is(manager.size, 0);
});

test("createTestManager: timeouts, delays and progress come with advance alone, each at its time", async () => {
  const { manager, settle, advance, clock } = createTestManager({
    progressIntervalMs: 100,
    onError: () => {},
  });
  const seen: string[] = [];
  manager.delay(70, () => seen.push(`delay ${clock.now()}`));
  const task = manager.addCoroutine(
    (context) => {
      context.setProgress(0.25);
      return never();
    },
    [],
    { timeoutMs: 250 },
  );
  task.changed.connect(({ status, progress }) => seen.push(`${status} ${progress} ${clock.now()}`));
  await settle();
  assert.equal(seen, ["running 0 0"]);
  await advance(249);
  assert.equal(seen, ["running 0 0", "delay 70", "running 0.25 100"]);
  await advance(1);
  assert.is(code(task), "TIMEOUT");
  assert.is(seen.at(-1), "failed 0.25 250");
  const started = performance.now();
  const late = manager.delay(30 * 24 * 3600 * 1000, () => seen.push("a month"));
  await advance(29 * 24 * 3600 * 1000);
  assert.is.not(seen.at(-1), "a month");
  await advance(24 * 3600 * 1000);
  assert.is(seen.at(-1), "a month");
  late.cancel();
  assert.ok(performance.now() - started < 5000);
});

test("createTestManager: maxWorkers holds, and priority decides who is next", async () => {
  const { manager, settle } = createTestManager({ maxWorkers: 2 });
  const started: string[] = [];
  (globalThis as Record<string, unknown>).kerfworkGate = (name: string) => {
    started.push(name);
    return never();
  };
  const submit = (name: string, priority: number) =>
    manager.runProcess(
      (_context, name: string) =>
        (globalThis as unknown as { kerfworkGate(name: string): Promise<never> }).kerfworkGate(name),
      [name],
      { priority },
    );
  const tasks = [submit("a", 0), submit("b", 0), submit("c", 0), submit("d", 1)];
  await settle();
  assert.equal(started, ["d", "a"]);
  assert.equal(
    tasks.map((task) => task.status),
    ["running", "pending", "pending", "running"],
  );
  tasks[3]?.cancel();
  await settle();
  assert.is(manager.stats().retiring, 1, "its code did not end");
  assert.equal(started, ["d", "a"]);
});

test("createTestManager: code that hears nobody is given up after graceMs", async () => {
  const { manager, settle, advance } = createTestManager({ graceMs: 500 });
  const deaf = manager.runProcess(() => new Promise(() => {}), []);
  const next = manager.runProcess(() => "next", []);
  await settle();
  deaf.cancel();
  await settle();
  assert.is(deaf.status, "canceled");
  assert.is(next.status, "pending");
  await advance(499);
  assert.is(next.status, "pending");
  await advance(1);
  assert.is(next.result(), "next");
  assert.is(manager.stats().killed, 1);
});

test("createTestManager: engine functions, module exports and events work as in a worker", async () => {
  const { manager, settle } = createTestManager({ onError: () => {} });
  const paths = { ends: Uint32Array.of(2, 4, 6), xy: Float32Array.of(9, 9, 8, 8, 0, 0, 1, 1, 7, 7, 2, 2) };
  const ordered = manager.runProcess(order, [paths, {}]);
  const events: unknown[] = [];
  const chunks = manager.runThread(workerFunction(fixture, "chunks") as never, [3] as never, {
    whenEvent: (_task, name, data) => events.push([name, (data as Uint8Array)[0]]),
  });
  const asks = manager.runProcess(
    (context) => Promise.all([context.sendEventAndWait("a"), context.sendEventAndWait("b")]),
    [],
    {
      whenEvent: (_task, name) => {
        if (name === "b") throw new Error("not b");
      },
    },
  );
  await settle();
  assert.equal(ordered.result(), order(paths, {}));
  assert.is(chunks.result() as unknown, 3);
  assert.equal(events, [
    ["chunk", 1],
    ["chunk", 2],
    ["chunk", 3],
  ]);
  assert.equal(asks.result(), ["ack", "nack"]);
});

test("createTestManager: what could not be sent to a thread fails here too", async () => {
  const { manager, settle } = createTestManager({ onError: () => {} });
  const outside = 1;
  const closure = manager.runProcess((_context) => outside, []);
  const argument = manager.runProcess((_context, f: () => number) => f(), [() => 1]);
  const result = manager.runThread((_context) => () => 1, []);
  const missing = manager.runProcess(workerFunction(fixture, "missing") as never, [] as never);
  await settle();
  assert.equal([closure, argument, result, missing].map(code), [
    "TARGET_NOT_FOUND",
    "ARGUMENT_NOT_CLONEABLE",
    "RESULT_NOT_CLONEABLE",
    "TARGET_NOT_FOUND",
  ]);
  const good = manager.runProcess((_context, a: number) => a, [1]);
  await settle();
  assert.is(good.result(), 1);
});

test("createTestManager: WORKER_CRASHED stands for a crash: retried, counted, refused", async () => {
  const { manager, settle } = createTestManager({ crashLimit: 3, onError: () => {} });
  (globalThis as Record<string, unknown>).kerfworkCrash = (until: number) => {
    const global = globalThis as { kerfworkRuns?: number };
    global.kerfworkRuns = (global.kerfworkRuns ?? 0) + 1;
    if (global.kerfworkRuns < until) throw new KerfworkError("WORKER_CRASHED", "gone");
    return global.kerfworkRuns;
  };
  const target = (_context: unknown, until: number): number =>
    (globalThis as unknown as { kerfworkCrash(until: number): number }).kerfworkCrash(until);
  const task = manager.runProcess(target, [3], { retries: 2 });
  await settle();
  assert.is(task.result(), 3);
  assert.is(manager.stats().crashed, 2);
  const doomed = manager.runProcess(target, [99], { retries: 9 });
  await settle();
  assert.is(code(doomed), "TARGET_REFUSED");
  await manager.restartPool();
  const again = manager.runProcess(target, [0]);
  await settle();
  assert.is(again.status, "completed");
});

test("createTestManager: refuses options that mean nothing without threads", () => {
  for (const name of ["scheduler", "workerInit", "assets", "recycleBytes", "resourceLimits"])
    assert.throws(
      () => createTestManager({ [name]: {} } as never),
      new RegExp(`Expected \`options\` to be options of a manager without threads, got "${name}"`),
    );
  assert.throws(() => createTestManager({ nonsense: 1 } as never), /the name nonsense/);
});

test("createTestManager: two runs of the same test see the same events at the same times", async () => {
  const story = async (): Promise<string[]> => {
    const { manager, settle, advance, clock }: TestManager = createTestManager({
      maxWorkers: 2,
      onError: () => {},
    });
    const seen: string[] = [];
    manager.tasksUpdated.connect(({ tasks, progress }) =>
      seen.push(`${clock.now()} ${progress} ${tasks.map(({ id, status }) => id + status)}`),
    );
    for (let i = 0; i < 12; i++)
      manager.runProcess(
        async (context, i: number) => {
          context.setProgress(i / 12);
          if (i % 3 === 0) await new Promise(() => {});
          return i;
        },
        [i],
        { timeoutMs: 100 + i, priority: i % 4, key: i % 9 },
      );
    await settle();
    await advance(1000);
    const closed = manager.shutdown();
    await advance(2000);
    await closed;
    return seen;
  };
  const first = await story();
  assert.ok(first.length > 4);
  assert.equal(await story(), first);
});

type Item = { readonly id: number; readonly rank: number; place: number };

test("the queue gives what a sorted list gives, under random pushes, pops and removals", () => {
  let seed = 7;
  const random = (n: number): number => {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    return seed % n;
  };
  const queue = new Queue<Item>();
  let list: Item[] = [];
  for (let id = 1; id <= 5000; id++) {
    const act = random(10);
    if (act < 6) {
      const item = { id, rank: random(20), place: -1 };
      queue.push(item);
      list.push(item);
      list.sort((a, b) => a.rank - b.rank || a.id - b.id);
    } else if (act < 8) assert.is(queue.pop(), list.shift());
    else if (list.length > 0) {
      const item = list[random(list.length)] as Item;
      assert.is(queue.remove(item), true);
      assert.is(queue.remove(item), false);
      list = list.filter((other) => other !== item);
    }
    assert.is(queue.peek(), list[0]);
    assert.is(queue.size, list.length);
  }
});

test.run();
