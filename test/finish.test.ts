import { type KerfworkError, order, type Task, type WorkerFunction, workerFunction } from "kerfwork";
import { createTestManager } from "kerfwork/testing";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { KINDS, run, staged, stagedBoth, target, words } from "./tasks.ts";
import { check, paths, random, segments } from "./tours.ts";

const url = new URL("../../test/fixtures/nested.mjs", import.meta.url);
const nested = (name: string): WorkerFunction<unknown[], unknown> => workerFunction(url, name) as never;

const isRunning = (task: Task<unknown>) => (): boolean => task.status === "running" && task.progress > 0;

for (const isolation of ["thread", "process"] as const) {
  staged(`finish lets blocking code of a ${isolation} complete with what it has`, {}, async (stage) => {
    const { manager, until, done } = stage;
    const task = manager.runProcess(target("betters"), [], { isolation });
    await until(isRunning(task));
    assert.is(task.isFinishing(), false);
    assert.is(task.finish(), true);
    assert.is(task.finish(), false, "once is enough");
    assert.is(task.isFinishing(), true);
    await done(task);
    assert.is(task.status, "completed");
    assert.ok((task.result() as number) > 0);
    assert.is(task.finish(), false, "it is final");
    // the next task of the worker knows nothing of it
    const next = manager.runProcess(target("betters"), [], { isolation });
    await until(isRunning(next));
    assert.is(next.isFinishing(), false);
    next.cancel();
    assert.is(next.finish(), false, "it is canceled");
    await done(next);
    assert.is(next.status, "canceled");
  });

  staged(
    `finish reaches a task that waits for a ${isolation} as it starts`,
    {},
    async ({ manager, done }) => {
      const first = manager.runProcess(target("give"), [1], { isolation });
      const second = manager.runProcess(target("betters"), [], { isolation });
      assert.is(second.status, "pending");
      assert.is(second.finish(), true);
      await done(first, second);
      assert.is(second.status, "completed");
    },
  );
}

for (const kind of KINDS)
  stagedBoth(`finish is seen between two turns of a ${kind}`, {}, async ({ manager, until, done }) => {
    const task = run(manager, kind, "bettersInTurns");
    await until(() => task.status === "running");
    task.finish();
    await done(task);
    assert.is(task.status, "completed");
  });

staged("finish changes nothing for code that does not look", {}, async ({ manager, until, done }) => {
  const word = words();
  const task = manager.runProcess(target("hold"), [word, 0.5]);
  await until(isRunning(task));
  task.finish();
  const other = manager.runThread(target("give"), [1]);
  await done(other);
  assert.is(task.status, "running");
  Atomics.store(word, 1, 1);
  await done(task);
  assert.is(task.result(), "released");
});

staged("cancel after finish cancels", {}, async ({ manager, until, done }) => {
  const word = words();
  const task = manager.runProcess(target("hold"), [word, 0.5]);
  await until(isRunning(task));
  task.finish();
  assert.is(task.cancel(), true);
  await done(task);
  assert.is(task.status, "canceled");
});

staged("finish of a child reaches it through its parent's worker", {}, async ({ manager, done }) => {
  const task = manager.runProcess(nested("finishing"), []);
  await done(task);
  assert.is(task.result(), "completed, asked once");
});

test("finish works on a manager without threads", async () => {
  const { manager, settle } = createTestManager();
  const task = manager.runProcess(target("bettersInTurns"), []);
  task.finish();
  await settle();
  await task.promise;
  assert.is(task.status, "completed");
});

for (const isolation of ["thread", "process"] as const)
  staged(`order in a ${isolation} gives the best so far when it is asked to finish`, {}, async (stage) => {
    const { manager, until, done } = stage;
    const given = paths(segments(random(1), 4000, 400));
    const task = manager.runProcess(order, [given, { budgetMs: 600_000 }], { isolation });
    // the first order and the rows of moves are 0.01 % of that
    await until(() => task.progress > 0.0005);
    task.finish();
    await done(task);
    const result = task.result() as ReturnType<typeof order>;
    assert.ok(result.kicks > 0);
    assert.ok(result.travel < order(given, { kicks: 0 }).travel);
    assert.equal(result, check(given, { kicks: result.kicks }));
  });

staged("order that is canceled gives nothing", {}, async ({ manager, until, done }) => {
  const given = paths(segments(random(1), 4000, 400));
  const task = manager.runProcess(order, [given, { budgetMs: 600_000 }]);
  await until(() => task.progress > 0.0005);
  task.cancel();
  await done(task);
  assert.is(task.status, "canceled");
  assert.is((task.error as KerfworkError).code, "CANCELED");
  await task.ended;
});

test.run();
