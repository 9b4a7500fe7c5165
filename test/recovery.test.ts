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

for (const name of ["stands", "standsBlocked"])
  staged(`isolation process: the last report is seen while it ${name}`, LIMITS, async (stage) => {
    const { manager, done, until } = stage;
    const task = manager.runProcess(target(name), [[0.25, 0.5]], { isolation: "process", whenEvent() {} });
    await until(() => task.progress === 0.5);
    task.cancel();
    await done(task);
    await task.ended;
  });

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
