// Tasks that are run again, refused, held back by their group, or outlive a restart of the pool.
import type { KerfworkError, ManagerOptions, ProcessOptions, Task } from "kerfwork";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { codeOf, run, staged, words } from "./tasks.ts";

const LIMITS: ManagerOptions = { graceMs: 20 };

staged("retries: run again after a crash, as often as allowed", {}, async ({ manager, done }) => {
  const word = words();
  const task = run(manager, "process", "crashes", [word, 2], { retries: 2 });
  const seen: string[] = [];
  task.changed.connect(({ status }) => seen.push(status));
  await done(task);
  assert.is(task.result(), 3);
  assert.is(seen.at(-1), "completed");
  const other = words();
  const failing = run(manager, "process", "crashes", [other, 9], { retries: 1, whenDone() {} });
  await done(failing);
  assert.is(codeOf(failing), "WORKER_CRASHED");
  assert.is(other[0], 2);
  const own = run(manager, "process", "fail", ["x"], { retries: 3, whenDone() {} });
  await done(own);
  assert.is(codeOf(own), "E_RANGE", "an error of its own is not tried again");
});

staged(
  "a target that crashed K times in a row is refused, and no other; a restart admits it",
  { crashLimit: 3 },
  async (stage) => {
    const { manager, done } = stage;
    const crash = (): Task<unknown> => run(manager, "process", "exit", [1], { whenDone() {} });
    const first = [crash(), crash()];
    await done(...first);
    const good = run(manager, "process", "give", [1]);
    await done(good);
    const third = crash();
    await done(third);
    const refused = [crash(), crash()];
    const spawned = manager.stats().spawned;
    await done(...refused);
    for (const task of refused) {
      assert.is(codeOf(task), "TARGET_REFUSED");
      assert.match(
        task.error?.message as string,
        /Expected `exit` to leave its worker whole: it crashed 3 times in a row/,
      );
      assert.equal((task.error as KerfworkError).data, { target: "exit", crashes: 3 });
    }
    assert.is(manager.stats().spawned, spawned, "it costs no worker");
    const others = [
      manager.runProcess(() => 1, []),
      manager.runProcess(() => 2, []),
      run(manager, "thread", "give", [3]),
    ];
    await done(...others);
    await manager.restartPool();
    const again = crash();
    await done(again);
    assert.is(codeOf(again), "WORKER_CRASHED");
  },
);

staged(
  "literals that crash do not bring other literals into disrepute",
  { crashLimit: 1 },
  async ({ manager, done }) => {
    const crash = manager.runProcess(() => process.exit(1), [], { whenDone() {} });
    await done(crash);
    assert.is(codeOf(crash), "WORKER_CRASHED");
    const other = manager.runProcess(() => 1 + 1, []);
    await done(other);
    assert.is(other.result(), 2);
  },
);

staged(
  "a group gives its place back on every path",
  { ...LIMITS, groups: { g: 1 } },
  async ({ manager, done, until }) => {
    const group = "g";
    const word = words();
    const paths: [string, unknown[], ProcessOptions<unknown>][] = [
      ["give", [1], {}],
      ["fail", ["x"], {}],
      ["exit", [1], {}],
      ["spin", [], { timeoutMs: 30 }],
      ["give", [() => 1], {}],
      ["uncloneable", [], {}],
      ["crashes", [word, 1], { retries: 1 }],
    ];
    const tasks = paths.map(([name, args, options]) =>
      run(manager, "process", name, args, { ...options, group, whenDone() {} }),
    );
    const last = run(manager, "thread", "give", ["last"], { group });
    await done(...tasks, last);
    assert.is(last.result(), "last");
    // canceled while it runs, while it is parked, and after it was called back but not started
    const held = words();
    const busy = words();
    const first = run(manager, "thread", "hold", [held], { group });
    await until(() => held[0] === 1);
    const blocker = run(manager, "process", "hold", [busy]);
    await until(() => busy[0] === 1);
    const [parked, called, waiting] = [1, 2, 3].map((n) => run(manager, "process", "give", [n], { group }));
    const ends = run(manager, "process", "give", [0]);
    Atomics.store(busy, 1, 1);
    await done(ends);
    const blockAgain = words();
    const blocker2 = run(manager, "process", "hold", [blockAgain]);
    await until(() => blockAgain[0] === 1);
    parked?.cancel();
    first.cancel();
    await first.ended;
    await new Promise((resolve) => setTimeout(resolve, 5));
    called?.cancel();
    Atomics.store(blockAgain, 1, 1);
    await done(blocker, blocker2, waiting as Task<unknown>);
    assert.is(waiting?.result(), 3);
  },
);

staged(
  "groups run as many as they may, over lanes",
  { maxWorkers: 2, groups: { g: 2 } },
  async ({ manager, until, done }) => {
    const word = words();
    const tasks = ["coroutine", "process", "thread", "coroutine", "thread"].map((kind) =>
      run(manager, kind as "process", "hold", [word], { group: "g" }),
    );
    await until(() => word[0] === 2);
    await new Promise((resolve) => setTimeout(resolve, 20));
    assert.is(word[0], 2);
    assert.is(manager.stats().queued, 3);
    const free = run(manager, "coroutine", "give", [1]);
    await done(free);
    Atomics.store(word, 1, 1);
    await done(...tasks);
    assert.is(word[0], 5);
  },
);

staged(
  "restartPool: what runs may end or fails, what waits runs anew, coroutines go on",
  { graceMs: 20 },
  async (stage) => {
    const { manager, until, done } = stage;
    const [quick, slow] = [words(), words()];
    const ends = run(manager, "thread", "hold", [quick]);
    const stuck = run(manager, "process", "spin", [], { whenDone() {} });
    const queued = [1, 2].map((n) => run(manager, "process", "give", [n]));
    const coroutine = run(manager, "coroutine", "hold", [slow]);
    await until(() => quick[0] === 1 && stuck.status === "running" && slow[0] === 1);
    const [first, second] = [manager.restartPool({ graceMs: 100 }), manager.restartPool({ graceMs: 0 })];
    const meanwhile = run(manager, "coroutine", "give", ["meanwhile"]);
    await done(meanwhile);
    assert.is(stuck.status, "running");
    const after = run(manager, "process", "give", ["after"]);
    Atomics.store(quick, 1, 1);
    await Promise.all([first, second]);
    await done(ends, stuck, ...queued, after);
    assert.is(ends.result(), "released");
    assert.is(codeOf(stuck), "POOL_RESTARTED");
    assert.equal(
      [...queued, after].map((task) => task.result()),
      [1, 2, "after"],
    );
    assert.is(coroutine.status, "running");
    Atomics.store(slow, 1, 1);
    await done(coroutine);
    assert.throws(
      () => manager.restartPool({ graceMs: -1 }),
      /Expected `graceMs` to be a finite number >= 0, got -1/,
    );
  },
);

test.run();
