// Reports and cancellation, and the main thread's own turns, whatever the scheduler: see acceptance.test.ts.
import type { ExecutionContext } from "kerfwork";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { KINDS, run, stagedBoth, words } from "./tasks.ts";

const FAST = { progressIntervalMs: 1 };

stagedBoth(
  "flush: nothing for nothing; a sub-context's is its task's",
  { progressIntervalMs: 60_000 },
  async (stage) => {
    const { manager, until, done } = stage;
    for (const kind of KINDS) {
      const word = words();
      const seen: string[] = [];
      const task = run(manager, kind, "flushed", [word]);
      task.changed.connect(({ status, progress, message }) => seen.push(`${status} ${progress} ${message}`));
      await until(() => task.progress > 0);
      Atomics.store(word, 1, 1);
      await done(task);
      assert.equal(seen, ["running 0 ", "running 0.25 quarter", "completed 1 quarter"]);
    }
  },
);

stagedBoth(
  "a message of the cancel handler belongs to the end; nothing comes after it",
  FAST,
  async (stage) => {
    const { manager, until, done, drain } = stage;
    let context!: ExecutionContext;
    const task = manager.addCoroutine((given) => {
      context = given;
      context.signal.addEventListener("abort", () => {
        context.setMessage("stopped at line 7");
        context.flush();
      });
      return new Promise<void>(() => {});
    });
    const seen: string[] = [];
    task.changed.connect(({ status, message }) => seen.push(`${status} ${message}`));
    await until(() => task.status === "running");
    drain();
    task.cancel();
    await done(task);
    context.setMessage("too late");
    context.setProgress(0.9);
    context.flush();
    context.sendEvent("too late");
    assert.is(await context.sendEventAndWait("too late"), "nack");
    drain();
    assert.equal(seen, ["running ", "canceled stopped at line 7"]);
    assert.equal([task.status, task.message], ["canceled", "stopped at line 7"]);
  },
);

stagedBoth("code left behind cannot wake a final task", FAST, async ({ manager, done, drain }) => {
  let context!: ExecutionContext;
  const events: string[] = [];
  const task = manager.addCoroutine(
    async (given) => {
      context = given;
    },
    [],
    { whenEvent: (_task, name) => void events.push(name) },
  );
  await done(task);
  const before = task.snapshot();
  context.setProgress(0.1);
  context.flush();
  context.sendEvent("x");
  drain();
  assert.is(task.snapshot(), before);
  assert.is(task.status, "completed");
  assert.equal(events, []);
});

stagedBoth("cancel before start: never called, canceled, whenDone once, no error", {}, async (stage) => {
  for (const kind of KINDS) {
    let calls = 0;
    const word = words();
    const task = run(stage.manager, kind, "hold", [word], { whenDone: () => calls++ });
    assert.is(task.cancel(), true);
    await stage.done(task);
    await new Promise((resolve) => setTimeout(resolve, 5));
    assert.equal([task.status, calls, word[0]], ["canceled", 1, 0]);
  }
  assert.equal(stage.errors, []);
});

stagedBoth("a canceled task of the queue never enters its code and delays nobody", {}, async (stage) => {
  const { manager, until, done } = stage;
  const [busyWord, word] = [words(), words()];
  const busy = run(manager, "process", "hold", [busyWord]);
  await until(() => busyWord[0] === 1);
  const queued = Array.from({ length: 50 }, () => run(manager, "process", "loop", [word]));
  const valid = run(manager, "process", "give", [1]);
  assert.is(manager.stats().queued, 51);
  for (const task of queued) task.cancel();
  assert.is(manager.stats().queued, 1);
  await done(...queued);
  Atomics.store(busyWord, 1, 1);
  await done(busy, valid);
  assert.is(word[0], 0);
});

stagedBoth(
  "cancel of a kernel's loop: canceled at once, and it really stops",
  { graceMs: 60_000 },
  async (stage) => {
    const { manager, until, done } = stage;
    for (const kind of ["process", "thread"] as const) {
      const word = words();
      const task = run(manager, kind, "loop", [word]);
      await until(() => (word[0] as number) > 0 && task.status === "running");
      task.cancel();
      const next = run(manager, kind, "give", [1]);
      await done(task);
      await done(next);
      const stopped = word[0];
      await new Promise((resolve) => setTimeout(resolve, 20));
      assert.is(word[0], stopped);
      assert.equal([task.status, manager.stats().killed], ["canceled", 0]);
    }
  },
);

stagedBoth("cancel after the end: false, and nothing changes", {}, async ({ manager, done }) => {
  for (const kind of KINDS) {
    const task = run(manager, kind, "give", [1], { key: "k" });
    await done(task);
    assert.equal([task.cancel(), manager.cancelTask("k")], [false, false]);
    assert.equal([task.status, task.isCancelled(), task.result()], ["completed", false, 1]);
  }
});

stagedBoth("isCancelled is sticky and cheap", { graceMs: 60_000 }, async ({ manager, until, done }) => {
  const word = words();
  const task = run(manager, "process", "afterCancel", [word]);
  await until(() => word[0] === 1);
  task.cancel();
  await until(() => word[1] !== 0);
  assert.is(word[1], 1000);
  await done(task);
  const counted = run(manager, "process", "checks", [1e7]);
  await done(counted);
  assert.is((counted.result() as { count: number }).count, 0);
});

stagedBoth(
  "cancel of an unknown key is false; cancelling twice is as once",
  {},
  async ({ manager, done, until }) => {
    assert.is(manager.cancelTask("nobody"), false);
    for (const kind of KINDS) {
      const word = words();
      const seen: string[] = [];
      const task = run(manager, kind, "hold", [word], { key: "k", whenDone: () => seen.push("done") });
      await until(() => word[0] === 1);
      assert.equal([manager.cancelTask("k"), manager.cancelTask("k"), task.cancel()], [true, false, false]);
      assert.is(task.isCancelled(), true);
      await done(task);
      assert.equal(seen, ["done"]);
    }
  },
);

stagedBoth("whenIdle resolves after every whenDone", {}, async ({ manager, until }) => {
  let calls = 0;
  const options = { visible: false, whenDone: () => calls++ };
  for (const kind of KINDS) run(manager, kind, "give", [1], options);
  let idle: number | undefined;
  void manager.whenIdle().then(() => {
    idle = calls;
  });
  await until(() => idle !== undefined);
  assert.is(idle, 3);
});

stagedBoth(
  "delay: fires in time, never when canceled, works with 0",
  {},
  async ({ manager, until, drain }) => {
    const start = performance.now();
    let fired = 0;
    let after = 0;
    manager.delay(100, () => {
      fired++;
      after = performance.now() - start;
    });
    const never = manager.delay(50, () => assert.unreachable());
    never.cancel();
    manager.delay(0, () => assert.unreachable()).cancel();
    let zero = false;
    manager.delay(0, () => {
      zero = true;
    });
    assert.is(zero, false);
    await until(() => zero);
    await until(() => fired === 1);
    assert.ok(after >= 99, `after ${after} ms`);
    // due, and canceled before its turn
    let late: { cancel(): void } | undefined;
    manager.delay(10, () => late?.cancel());
    late = manager.delay(10, () => assert.unreachable());
    await new Promise((resolve) => setTimeout(resolve, 30));
    drain();
  },
);

stagedBoth(
  "runOnMain: the value, the thrown error, never inside the call",
  {},
  async ({ manager, until }) => {
    let called = false;
    let value: unknown;
    let thrown: unknown;
    void manager
      .runOnMain(() => {
        called = true;
        return 7;
      })
      .then((got) => {
        value = got;
      });
    assert.is(called, false);
    const own = new Error("own");
    void manager
      .runOnMain(() => {
        throw own;
      })
      .catch((error) => {
        thrown = error;
      });
    await until(() => value !== undefined && thrown !== undefined);
    assert.is(value, 7);
    assert.is(thrown, own);
  },
);

stagedBoth("runOnMain and delay at shutdown: rejected, and dropped", {}, async ({ manager, until }) => {
  let code = "";
  manager.delay(1, () => assert.unreachable());
  void manager
    .runOnMain(() => assert.unreachable())
    .catch((error) => {
      code = error.code;
    });
  void manager.shutdown();
  await until(() => code !== "");
  assert.is(code, "MANAGER_CLOSED");
  let late = "";
  void manager
    .runOnMain(() => 1)
    .catch((error) => {
      late = error.code;
    });
  await until(() => late !== "");
  assert.is(late, "MANAGER_CLOSED");
  assert.throws(() => manager.delay(1, () => {}), /Expected no `delay` after `shutdown`/);
});

test.run();
