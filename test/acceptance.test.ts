// What tasks promise whatever the scheduler: each test runs with callbacks by microtasks and with ones drained by hand.
// Those about workers alone are in acceptance-workers.test.ts.
import type { ExecutionContext, KerfworkError, Task, TaskSnapshot, TasksUpdate } from "kerfwork";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { KINDS, run, stagedBoth, target, words } from "./tasks.ts";

const FAST = { progressIntervalMs: 1 };

stagedBoth("ten steps: completed, progress 1, the last message, the value, size 0", {}, async (stage) => {
  for (const kind of KINDS) {
    const task = run(stage.manager, kind, "steps", [10]);
    assert.is(stage.manager.size, 1);
    await stage.done(task);
    assert.equal([task.status, task.progress, task.message, task.result()], ["completed", 1, "Step 10", 10]);
    assert.is(stage.manager.size, 0);
  }
});

stagedBoth("code that throws: failed with its own error, progress stays, size 0", FAST, async (stage) => {
  const { manager, done } = stage;
  const own = new TypeError("mine");
  const task = manager.addCoroutine(
    async (context) => {
      context.setProgress(0.3);
      throw own;
    },
    [],
    { whenDone() {} },
  );
  await done(task);
  assert.is(task.error, own);
  assert.equal([task.status, task.progress, manager.size], ["failed", 0.3, 0]);
  assert.throws(
    () => task.result(),
    (error: Error) => error === own,
  );
});

stagedBoth(
  "an error of a worker keeps name, message, code and remote stack",
  {},
  async ({ manager, done }) => {
    for (const kind of KINDS) {
      const seen: string[] = [];
      const task = run(manager, kind, "fail", ["beyond"], { whenDone: ({ status }) => seen.push(status) });
      await done(task);
      const error = task.error as Error & { code: string };
      assert.equal([error.name, error.message, error.code], ["RangeError", "beyond", "E_RANGE"]);
      assert.match(error.stack as string, /tasks\.mjs/);
      assert.equal(seen, ["failed"]);
    }
  },
);

stagedBoth("result: INVALID_STATE before the end, CANCELED after a cancel", {}, async ({ manager, done }) => {
  for (const kind of KINDS) {
    const task = run(manager, kind, "give", [1]);
    assert.throws(
      () => task.result(),
      (error: KerfworkError) => error.code === "INVALID_STATE",
    );
    task.cancel("why");
    await done(task);
    assert.throws(
      () => task.result(),
      (error: KerfworkError) => error.code === "CANCELED" && error.cause === "why",
    );
  }
});

stagedBoth("changed: running, one update, the end; one for a cancel before start", FAST, async (stage) => {
  const { manager, until, done } = stage;
  let release = (): void => {};
  const task = manager.addCoroutine((context) => {
    context.setProgress(0.5);
    return new Promise<void>((resolve) => {
      release = resolve;
    });
  });
  const seen: string[] = [];
  task.changed.connect(({ status, progress }) => seen.push(`${status} ${progress}`));
  await until(() => seen.length === 2);
  release();
  await done(task);
  assert.equal(seen, ["running 0", "running 0.5", "completed 1"]);
  for (const kind of KINDS) {
    const seen: string[] = [];
    const task = run(manager, kind, "give", [1]);
    task.changed.connect(({ status }) => seen.push(status));
    task.cancel();
    await done(task);
    assert.equal(seen, ["canceled"]);
  }
});

stagedBoth("an update of equal values tells nothing; progress and message tell once", FAST, async (stage) => {
  const { manager, until, done } = stage;
  let context!: ExecutionContext;
  let release = (): void => {};
  const task = manager.addCoroutine((given) => {
    context = given;
    return new Promise<void>((resolve) => {
      release = resolve;
    });
  });
  const seen: string[] = [];
  task.changed.connect(({ progress, message }) => seen.push(`${progress} ${message}`));
  await until(() => seen.length === 1);
  context.setProgress(0.5);
  context.setMessage("half");
  context.flush();
  await until(() => seen.length === 2);
  context.setProgress(0.5);
  context.setMessage("half");
  context.flush();
  await new Promise((resolve) => setTimeout(resolve, 20));
  stage.drain();
  assert.equal(seen, ["0 ", "0.5 half"]);
  release();
  await done(task);
});

stagedBoth(
  "a task behind a busy worker is pending until its code starts",
  {},
  async ({ manager, until, done }) => {
    for (const kind of ["thread", "process"] as const) {
      const word = words();
      const busy = run(manager, "process", "hold", [word]);
      const next = manager.runProcess(target("give"), [1]);
      await until(() => busy.status === "running" && word[0] === 1);
      assert.is(next.status, "pending");
      Atomics.store(word, 1, 1);
      await done(busy, next);
      assert.is(next.status, "completed", kind);
    }
  },
);

stagedBoth(
  "whenDone: once for each end and kind, with its own task",
  {},
  async ({ manager, until, done }) => {
    for (const kind of KINDS) {
      const calls: [Task<unknown>, string][] = [];
      const whenDone = (task: Task<unknown>): void => void calls.push([task, task.status]);
      const word = words();
      const good = run(manager, kind, "give", [1], { whenDone });
      await done(good);
      const bad = run(manager, kind, "fail", ["x"], { whenDone });
      await done(bad);
      const held = run(manager, kind, "hold", [word], { whenDone });
      await until(() => word[0] === 1);
      held.cancel();
      held.cancel();
      await done(held);
      assert.is(calls.length, 3);
      assert.equal(
        calls.map(([, status]) => status),
        ["completed", "failed", "canceled"],
      );
      assert.ok([good, bad, held].every((task, i) => calls[i]?.[0] === task));
    }
  },
);

stagedBoth(
  "each kind tells in the same order, never inside a call",
  FAST,
  async ({ manager, done, until }) => {
    for (const end of ["give", "fail", "hold"] as const) {
      const stories = new Map<string, string[]>();
      for (const kind of KINDS) {
        const story: string[] = [];
        const word = words();
        let id = 0;
        const task = run(manager, kind, end, [end === "hold" ? word : 1], {
          key: "k",
          whenDone: (task) => story.push(`whenDone ${task.status} ${manager.getTask("k") === task}`),
        });
        id = task.id;
        const stop = manager.tasksUpdated.connect(({ tasks }) => {
          if (task.final)
            story.push(
              `tasksUpdated ${tasks.some((other) => other.id === id)} ${manager.getTask("k") === task}`,
            );
        });
        task.changed.connect(({ status }) => {
          if (status !== "running") story.push(`changed ${status} ${manager.getTask("k") === task}`);
        });
        void task.promise.then(
          () => story.push("promise"),
          () => story.push("promise"),
        );
        assert.equal(story, []);
        if (end === "hold") {
          await until(() => word[0] === 1);
          task.cancel();
          assert.equal(story, []);
        }
        await done(task);
        await until(() => story.includes("promise"));
        stop();
        stories.set(kind, story);
      }
      const status = { give: "completed", fail: "failed", hold: "canceled" }[end];
      for (const story of stories.values())
        assert.equal(story, [
          `changed ${status} true`,
          "tasksUpdated false false",
          `whenDone ${status} false`,
          "promise",
        ]);
    }
  },
);

stagedBoth(
  "an active key submitted again: old canceled, new completed",
  {},
  async ({ manager, done, until }) => {
    for (const kind of KINDS) {
      const seen: string[] = [];
      const options = (name: string) => ({
        key: ["view", 1],
        whenDone: (task: Task<unknown>) => seen.push(`${name} ${task.status}`),
      });
      const word = words();
      const old = run(manager, kind, "hold", [word], options("old"));
      await until(() => word[0] === 1);
      const fresh = run(manager, "coroutine", "give", [1], options("new"));
      assert.is(manager.getTask(["view", 1]), fresh);
      assert.equal(seen, []);
      await done(old, fresh);
      assert.equal(seen.sort(), ["new completed", "old canceled"]);
      assert.is(manager.size, 0);
    }
  },
);

stagedBoth(
  "what replaced code still says touches nobody",
  { ...FAST, graceMs: 60_000, maxWorkers: 2 },
  async (stage) => {
    const { manager, until, done } = stage;
    for (const kind of KINDS) {
      const [first, second] = [words(), words()];
      const events: string[] = [];
      const whenEvent = (_task: Task<unknown>, name: string): void => void events.push(name);
      const old = run(manager, kind, "ignore", [first], { key: 1, whenEvent });
      await until(() => first[0] === 1);
      const fresh = run(manager, kind, "hold", [second, 0.25], { key: 1, whenEvent });
      const seen: TaskSnapshot[] = [];
      fresh.changed.connect((snapshot) => seen.push(snapshot));
      await until(() => fresh.status === "running" && fresh.progress === 0.25);
      await done(old);
      Atomics.store(first, 1, 1); // the old code reports, sends an event and returns
      await until(() => first[2] === 1);
      let ended = false;
      void old.ended.then(() => {
        ended = true;
      });
      await until(() => ended);
      assert.equal([fresh.status, fresh.progress, fresh.message], ["running", 0.25, ""]);
      Atomics.store(second, 1, 1);
      await done(fresh);
      assert.is(fresh.result(), "released");
      assert.equal([old.status, old.progress, old.message], ["canceled", 0, ""]);
      assert.ok(seen.every(({ message }) => message === ""));
      assert.equal(events, []);
    }
  },
);

stagedBoth("an array key is compared by value", {}, async ({ manager, done }) => {
  const word = words();
  const task = run(manager, "coroutine", "hold", [word], { key: ["m1", "connect"] });
  assert.is(manager.cancelTask(["m1"]), false);
  assert.is(manager.cancelTask('["m1","connect"]'), false);
  assert.is(manager.cancelTask(["m1", "connect"]), true);
  await done(task);
  assert.is(task.status, "canceled");
  const [number, text] = [[1], ["1"]].map((key) => run(manager, "coroutine", "give", [1], { key }));
  assert.is(manager.getTask([1]), number);
  assert.is(manager.getTask(["1"]), text);
  await done(number as Task<unknown>, text as Task<unknown>);
});

stagedBoth(
  "replace wait: the new code starts after all old code of the key",
  {},
  async ({ manager, done, until }) => {
    for (const kind of KINDS) {
      const word = words();
      const old = run(manager, kind, "hold", [word], { key: "port" });
      await until(() => word[0] === 1);
      const skipped = run(manager, "coroutine", "give", [1], { key: "port", replace: "wait" });
      const ends: number[] = [];
      const fresh = manager.addCoroutine(async () => ends.push(Atomics.load(word, 2)), [], {
        key: "port",
        replace: "wait",
      });
      await done(old, skipped, fresh);
      assert.equal([old.status, skipped.status, fresh.status], ["canceled", "canceled", "completed"]);
      assert.equal(ends, [1], "the old code had unwound");
      // the old one is long canceled, and its code still unwinds
      let release = (): void => {};
      const slow = manager.addCoroutine(
        () =>
          new Promise<void>((resolve) => {
            release = resolve;
          }),
        [],
        { key: "port" },
      );
      await until(() => slow.status === "running");
      slow.cancel();
      await done(slow);
      const last = run(manager, "coroutine", "give", [1], { key: "port", replace: "wait" });
      await new Promise((resolve) => setTimeout(resolve, 5));
      assert.is(last.status, "pending");
      release();
      await done(last);
    }
  },
);

stagedBoth(
  "replace reject: the submission throws, the old task goes on",
  {},
  async ({ manager, done, until }) => {
    const word = words();
    const old = run(manager, "process", "hold", [word], { key: "k" });
    await until(() => word[0] === 1);
    assert.throws(
      () => run(manager, "process", "give", [1], { key: "k", replace: "reject" }),
      (error: KerfworkError) =>
        error.code === "KEY_BUSY" &&
        error.message === `Expected no active task of the key "k", there is task 1`,
    );
    assert.is(manager.getTask("k"), old);
    assert.is(old.isCancelled(), false);
    Atomics.store(word, 1, 1);
    await done(old);
    assert.is(old.result(), "released");
  },
);

stagedBoth("progress: mean of two tasks; a finished one stays counted; 1 when idle", FAST, async (stage) => {
  const { manager, until, done } = stage;
  assert.is(manager.progress, 1);
  const releases: (() => void)[] = [];
  const steps = (context: ExecutionContext, n: number): Promise<void> => {
    context.setTotal(4);
    context.setProgress(n);
    return new Promise((resolve) => releases.push(resolve));
  };
  const [first, second] = [manager.addCoroutine(steps, [1]), manager.addCoroutine(steps, [2])];
  await until(() => manager.progress === 0.375);
  releases[0]?.();
  await done(first);
  assert.is(manager.progress, 0.75);
  releases[1]?.();
  await done(second);
  assert.is(manager.progress, 1);
  const silent = manager.addCoroutine(async () => {});
  const idle = manager.addCoroutine(steps, [0]);
  await done(silent);
  assert.is(manager.progress, 0.5, "one that never reported counts when it is done");
  const failed = manager.addCoroutine(
    async () => {
      throw new Error("x");
    },
    [],
    { whenDone() {} },
  );
  await done(failed);
  assert.is(manager.progress, 0.5, "a failed one leaves the mean");
  const heavy = manager.addCoroutine(steps, [2], { weight: 2 });
  await until(() => heavy.progress === 0.5);
  assert.is(manager.progress, (1 + 0 + 2 * 0.5) / 4);
  for (const release of releases) release();
  await done(idle, heavy);
});

stagedBoth("a batch ends with no tasks and progress 1; the next starts at 0", FAST, async (stage) => {
  const { manager, until, done } = stage;
  const updates: TasksUpdate[] = [];
  manager.tasksUpdated.connect((update) => updates.push(update));
  for (let round = 0; round < 2; round++) {
    const word = words();
    updates.length = 0;
    const task = run(manager, "process", "hold", [word, 0.5]);
    await until(() => task.progress === 0.5);
    assert.is(updates[0]?.progress, 0);
    Atomics.store(word, 1, 1);
    await done(task);
    assert.equal(updates.at(-1), { tasks: [], progress: 1 });
    for (const { tasks, progress } of updates.slice(0, -1)) assert.is(progress, tasks[0]?.progress);
    assert.ok(Object.isFrozen(updates[0]) && Object.isFrozen(updates[0]?.tasks[0]));
  }
});

test.run();
