// Tasks that submit tasks: the manager as code in a worker sees it.
import { readdirSync } from "node:fs";
import { type KerfworkError, type Task, TaskManager, type WorkerFunction, workerFunction } from "kerfwork";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { codeOf, run, staged, target, until, words } from "./tasks.ts";

const url = new URL("../../test/fixtures/nested.mjs", import.meta.url);
const nested = (name: string): WorkerFunction<unknown[], unknown> => workerFunction(url, name) as never;

const ISOLATIONS = ["thread", "process"] as const;

for (const isolation of ISOLATIONS)
  staged(`a tree of tasks deeper than the pool completes (${isolation})`, {}, async ({ manager, done }) => {
    const depth = isolation === "thread" ? 3 : 2;
    const task = manager.runProcess(nested("tree"), [depth], { isolation });
    await done(task);
    assert.is(task.result(), 2 ** depth);
    const most = isolation === "thread" ? 2 ** depth + 1 : 1 + 2 ** depth + 1;
    assert.ok(manager.stats().spawned <= most, "slots that waiting parents have lent are used again");
    await until(() => manager.stats().running === 0 && manager.size === 0);
    assert.ok(manager.stats().threads <= 2, "the slots that were needed meanwhile are given back");
  });

for (const isolation of ISOLATIONS)
  staged(
    `cancelling a parent cancels its children (${isolation})`,
    { maxWorkers: 2, graceMs: 60_000 },
    async ({ manager, done }) => {
      const word = words();
      const task = manager.runProcess(nested("parent"), [word], { isolation });
      await until(() => manager.getTask("child")?.status === "running");
      const child = manager.getTask("child");
      assert.ok(child);
      task.cancel("all of it");
      await done(task);
      await task.ended;
      await child?.ended;
      assert.equal([task.status, child?.status], ["canceled", "canceled"]);
      assert.is(manager.stats().killed, 0);
    },
  );

staged(
  "a parent that fails or runs out of time leaves no orphans",
  { maxWorkers: 2, graceMs: 20 },
  async (stage) => {
    const { manager, done } = stage;
    const word = words();
    const task = manager.runProcess(nested("parent"), [word], { timeoutMs: 50, whenDone() {} });
    await until(() => manager.getTask("child") !== undefined); // it may not run yet
    const child = manager.getTask("child");
    await done(task);
    assert.is(codeOf(task), "TIMEOUT");
    await child?.ended;
    assert.is(child?.status, "canceled");
    const dead = manager.runProcess(nested("dies"), [word], { whenDone() {} });
    await until(() => manager.getTask("child")?.status === "running");
    const orphan = manager.getTask("child");
    Atomics.store(word, 3, 1);
    await done(dead);
    assert.is(codeOf(dead), "WORKER_CRASHED");
    await orphan?.ended;
    assert.is(orphan?.status, "canceled");
  },
);

for (const isolation of ISOLATIONS)
  staged(
    `an error of a child reaches its parent (${isolation}), and is no crash of the parent's`,
    { crashLimit: 1 },
    async (stage) => {
      const { manager, done } = stage;
      const task = manager.runProcess(nested("failing"), [], { isolation, whenDone() {} });
      await done(task);
      const error = task.error as Error & { code: string };
      assert.equal([error.name, error.message, error.code], ["RangeError", "beyond the edge", "E_CHILD"]);
      for (let i = 0; i < 2; i++) {
        const passed = manager.runProcess(nested("crashing"), [], { isolation, retries: 3, whenDone() {} });
        await done(passed);
        assert.is((passed.error as KerfworkError).code, i === 0 ? "WORKER_CRASHED" : "TARGET_REFUSED");
        assert.match(
          passed.error?.message as string,
          /`exit`/,
          "it is the child that crashed, or is refused",
        );
      }
      assert.is(manager.stats().crashed, 1, "the parent's worker is whole, and the parent was not run again");
    },
  );

for (const isolation of ISOLATIONS)
  staged(`getTask and cancelTask from a ${isolation}`, { maxWorkers: 2 }, async ({ manager, done }) => {
    const word = words();
    const other = run(manager, "process", "hold", [word, 0.5], { key: ["other", 1] });
    await until(() => other.progress === 0.5);
    const task = manager.runProcess(nested("lookup"), [["other", 1]], { isolation });
    await done(task, other);
    const { found, missing, canceled, again } = task.result() as Record<string, unknown>;
    assert.equal(
      { ...(found as object) },
      { id: other.id, key: ["other", 1], kind: "process", status: "running", progress: 0.5, message: "" },
    );
    assert.equal([missing, canceled, again], [undefined, true, false]);
    assert.is(other.status, "canceled");
  });

for (const isolation of ISOLATIONS)
  staged(
    `a child's progress and end are mirrored to its parent (${isolation})`,
    { progressIntervalMs: 1, maxWorkers: 2 },
    async (stage) => {
      const { manager, done } = stage;
      const task = manager.runProcess(nested("watching"), [], { isolation });
      await done(task);
      const { seen, value, whenDone, canceled, refused } = task.result() as Record<string, unknown>;
      assert.is((seen as string[])[0], "running");
      assert.is((seen as string[]).at(-1), "completed 1 Step 10");
      assert.equal([value, whenDone, canceled], [10, "completed", "canceled CANCELED"]);
      assert.equal(refused, ["INVALID_STATE", "ARGUMENT_NOT_CLONEABLE", "INVALID_ARGUMENT"]);
    },
  );

for (const isolation of ISOLATIONS)
  staged(`what a child gives reaches a ${isolation} that blocks`, { maxWorkers: 2 }, async (stage) => {
    const { manager, done } = stage;
    const task = manager.runProcess(nested("blocksForChild"), [2 ** 20], { isolation, whenEvent() {} });
    await done(task);
    assert.equal(task.result(), { status: "completed", length: 2 ** 20, last: 7 });
  });

staged("a child's value that cannot reach a process is an error there", {}, async ({ manager, done }) => {
  const task = manager.runProcess(nested("sharing"), [], { isolation: "process", whenDone() {} });
  await done(task);
  assert.is(codeOf(task), "RESULT_NOT_CLONEABLE");
});

test("a manager that has run processes leaves no pipe open", async () => {
  const open = (): number => readdirSync("/dev/fd").length;
  let before: number | undefined;
  for (let round = 0; round < 2; round++) {
    const manager = new TaskManager({ maxWorkers: 2, onError() {} });
    const submit = (name: string, ...args: unknown[]): Task<unknown> =>
      manager.runProcess(nested(name), args, { isolation: "process", whenDone() {} });
    const start = open();
    await Promise.all([submit("tree", 0), submit("tree", 0)].map((task) => task.promise));
    assert.ok(open() >= start + 2);
    const dies = manager.runProcess(target("exit"), [1], { isolation: "process", whenDone() {} });
    await until(() => dies.final);
    await manager.shutdown();
    // the first round opens what Node keeps for all processes
    if (before !== undefined) await until(() => open() === before);
    else await new Promise((resolve) => setTimeout(resolve, 300)); // a channel closes some turns after its process
    before = open();
  }
});

test("a manager that is not the default one serves its own workers' submissions", async () => {
  const [one, two] = [new TaskManager({ maxWorkers: 1 }), new TaskManager({ maxWorkers: 1 })];
  const tasks = [one, two].map((manager) => manager.runProcess(nested("tree"), [1]));
  assert.equal(await Promise.all(tasks.map((task) => task.promise)), [2, 2]);
  await Promise.all([one.shutdown(), two.shutdown()]);
});

test.run();
