// What becomes of tasks whose code, arguments or worker go wrong: with one worker and three tasks behind, and with more
// tasks than workers. Each fails by its own error, all others complete, the pool is whole again.
import {
  type KerfworkError,
  type ManagerOptions,
  type ProcessOptions,
  type Task,
  TaskManager,
} from "kerfwork";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { codeOf, run, staged, target, until, words } from "./tasks.ts";

interface Trouble {
  readonly name: string;
  readonly args?: unknown[];
  readonly options?: ProcessOptions<unknown>;
  readonly code: string;
  readonly message: RegExp;
  /** It costs its worker. */
  readonly crash: boolean;
  readonly data?: object;
}

const bad = {
  get x(): never {
    throw new Error("a getter that throws");
  },
};
const TROUBLES: Trouble[] = [
  { name: "fail", args: ["own"], code: "E_RANGE", message: /^own$/, crash: false },
  {
    name: "exit",
    args: [3],
    code: "WORKER_CRASHED",
    message: /The worker ended while it ran `exit`: exit code 3/,
    crash: true,
    data: { target: "exit", exitCode: 3 },
  },
  {
    name: "uncaught",
    code: "WORKER_CRASHED",
    message: /The worker ended while it ran `uncaught`: uncaught in a timer/,
    crash: true,
  },
  {
    name: "rejects",
    code: "WORKER_CRASHED",
    message: /The worker ended while it ran `rejects`: rejected and forgotten/,
    crash: true,
  },
  {
    name: "exhaust",
    code: "WORKER_CRASHED",
    message: /The worker ended while it ran `exhaust`: .*(memory|heap)/i,
    crash: true,
  },
  {
    name: "spin",
    options: { timeoutMs: 50 },
    code: "TIMEOUT",
    message: /Expected `spin` to end within 50 ms of its start/,
    crash: false,
  },
  {
    name: "missing",
    code: "TARGET_NOT_FOUND",
    message: /to export a function `missing`, got undefined/,
    crash: false,
  },
  {
    name: "give",
    args: [() => 1],
    code: "ARGUMENT_NOT_CLONEABLE",
    message: /Expected the arguments of `give` to be cloneable: .* could not be cloned/,
    crash: false,
  },
  {
    name: "give",
    args: [[new Uint8Array(100_000), bad]],
    code: "ARGUMENT_NOT_CLONEABLE",
    message: /Expected the arguments of `give` to be cloneable: a getter that throws/,
    crash: false,
  },
  {
    name: "give",
    args: [1],
    options: { transfer: ["no buffer"] as never },
    code: "ARGUMENT_NOT_CLONEABLE",
    message: /Expected the arguments of `give` to be cloneable: /,
    crash: false,
  },
  {
    name: "uncloneable",
    code: "RESULT_NOT_CLONEABLE",
    message: /Expected the result of `uncloneable` to be cloneable, got a Object: .* could not be cloned/,
    crash: false,
  },
];
const LIMITS: ManagerOptions = {
  resourceLimits: { maxOldGenerationSizeMb: 24, maxYoungGenerationSizeMb: 4 },
  graceMs: 20,
};

function checkFailure(task: Task<unknown>, { code, message, data }: Trouble): void {
  assert.is(task.status, "failed");
  assert.is(codeOf(task), code, task.error?.message);
  assert.match(task.error?.message as string, message);
  if (data !== undefined) assert.equal((task.error as KerfworkError).data, data);
}

for (const trouble of TROUBLES)
  staged(
    `${trouble.code} of ${trouble.name} ${trouble.message}: three tasks behind complete`,
    LIMITS,
    async (stage) => {
      const { manager, done, errors } = stage;
      const { name, args = [], options = {}, crash } = trouble;
      for (const kind of ["process", "thread"] as const) {
        const before = manager.stats();
        let calls = 0;
        const doomed = run(manager, kind, name, args, { ...options, whenDone: () => calls++ });
        const good = [1, 2, 3].map((n) => run(manager, kind, "give", [n]));
        await done(doomed, ...good);
        await doomed.ended;
        checkFailure(doomed, trouble);
        assert.is(calls, 1);
        assert.equal(
          good.map((task) => task.result()),
          [1, 2, 3],
        );
        const { crashed, running, retiring, queued } = manager.stats();
        assert.is(crashed - before.crashed, crash ? 1 : 0);
        assert.equal({ running, retiring, queued }, { running: 0, retiring: 0, queued: 0 });
      }
      assert.equal(errors, []);
    },
  );

staged(
  "all troubles at once on two workers, with tasks between them",
  { ...LIMITS, maxWorkers: 2 },
  async (stage) => {
    const { manager, done } = stage;
    const doomed: Task<unknown>[] = [];
    const good: Task<unknown>[] = [];
    for (const { name, args = [], options = {} } of TROUBLES) {
      doomed.push(run(manager, "process", name, args, { ...options, whenDone() {} }));
      for (let i = 0; i < 2; i++) good.push(run(manager, "process", "give", [good.length]));
    }
    await done(...doomed, ...good);
    doomed.forEach((task, i) => {
      checkFailure(task, TROUBLES[i] as Trouble);
    });
    assert.equal(
      good.map((task) => task.result()),
      good.map((_task, i) => i),
    );
    const word = words();
    const whole = [0, 1].map(() => run(manager, "process", "hold", [word]));
    await until(() => word[0] === 2);
    assert.is(manager.stats().threads, 2, "both workers are there");
    Atomics.store(word, 1, 1);
    await done(...whole);
  },
);

for (const [name, code, message] of [
  ["abort", "WORKER_CRASHED", /The worker ended while it ran `abort`: signal SIGABRT/],
  ["exit", "WORKER_CRASHED", /The worker ended while it ran `exit`: exit code 7/],
  ["exhaust", "WORKER_CRASHED", /The worker ended while it ran `exhaust`: signal SIG|exit code/],
  ["fail", "E_RANGE", /^own$/],
  ["uncloneable", "RESULT_NOT_CLONEABLE", /Expected the result of `uncloneable` to be cloneable/],
  ["missing", "TARGET_NOT_FOUND", /to export a function `missing`/],
] as const)
  staged(`isolation process: ${name} fails its task alone`, LIMITS, async ({ manager, done }) => {
    const isolation = "process";
    const args = { exit: [7], fail: ["own"] }[name as string] ?? [];
    const doomed = manager.runProcess(target(name), args, { isolation, whenDone() {} });
    const good = [1, 2].map((n) => manager.runProcess(target("give"), [n], { isolation }));
    await done(doomed, ...good);
    assert.is(codeOf(doomed), code, doomed.error?.message);
    assert.match(doomed.error?.message as string, message);
    assert.equal(
      good.map((task) => task.result()),
      [1, 2],
    );
  });

staged(
  "isolation process: progress is seen, cancel and timeout kill, arguments are checked",
  LIMITS,
  async (stage) => {
    const { manager, done, until } = stage;
    const isolation = "process";
    const seen: number[] = [];
    const flood = manager.runProcess(target("flood"), [300], { isolation });
    flood.changed.connect(({ progress }) => seen.push(progress));
    await done(flood);
    assert.ok(seen.length >= 3);
    assert.is(flood.message, "flooded");
    const spinning = manager.runProcess(target("spin"), [], { isolation });
    await until(() => spinning.status === "running");
    spinning.cancel();
    await done(spinning);
    await spinning.ended;
    assert.is(spinning.status, "canceled");
    const late = manager.runProcess(target("spin"), [], { isolation, timeoutMs: 30, whenDone() {} });
    await done(late);
    assert.is(codeOf(late), "TIMEOUT");
    await late.ended;
    const closure = manager.runProcess(target("give"), [() => 1], { isolation, whenDone() {} });
    const next = manager.runProcess(target("give"), [new Map([[1, "a"]])], { isolation });
    await done(closure, next);
    assert.is(codeOf(closure), "ARGUMENT_NOT_CLONEABLE");
    assert.equal(next.result(), new Map([[1, "a"]]));
    assert.is(manager.stats().crashed, 0);
  },
);

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

test("an initializer that throws and a script that is not there fail the tasks, not the process", async () => {
  for (const options of [
    { assets: { worker: new URL("file:///no/such/worker.js") } },
    { workerInit: { target: target("unprepared"), args: [words()] } },
    { workerInit: { target: target("give"), args: [() => 1] } },
    { workerInit: { target: target("exit"), args: [1] } },
  ]) {
    const manager = new TaskManager({ maxWorkers: 1, ...options });
    for (const isolation of ["thread", "process"] as const) {
      const tasks = [1, 2, 3].map((n) =>
        manager.runProcess(target("give"), [n], { isolation, whenDone() {} }),
      );
      await until(() => tasks.every(({ final }) => final));
      for (const task of tasks) assert.is(codeOf(task), "WORKER_INIT", task.error?.message);
    }
    await manager.shutdown();
    assert.equal([manager.stats().threads, manager.stats().running], [0, 0]);
  }
});

test.run();
