// What a manager and its workers say, and to whom.
import { type Logger, type LogLevel, TaskManager, workerFunction } from "kerfwork";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { target, until } from "./tasks.ts";

interface Line {
  readonly level: string;
  readonly message: string;
  readonly target: unknown;
  readonly error: unknown;
}

function listen(lines: Line[]): Logger {
  const hear =
    (level: string) =>
    (message: string, data: object = {}): void => {
      const { target, error } = data as Partial<Line>;
      lines.push({ level, message, target, error: (error as Error | undefined)?.message });
    };
  return { debug: hear("debug"), info: hear("info"), warn: hear("warn"), error: hear("error") };
}

const clumsy = workerFunction(new URL("../../test/fixtures/nested.mjs", import.meta.url), "clumsy") as never;

/** Runs what gives one line of each level. */
async function lines(logLevel: LogLevel | undefined, isolation: "thread" | "process"): Promise<Line[]> {
  const heard: Line[] = [];
  const manager = new TaskManager({
    maxWorkers: 1,
    logger: listen(heard),
    ...(logLevel && { logLevel }),
    workerInit: { target: target("give"), args: [1] },
  });
  await manager.runProcess(clumsy, [], { isolation }).promise;
  const dies = manager.runProcess(target("exit"), [1], { isolation, whenDone() {} });
  await until(() => dies.final);
  await manager.shutdown();
  return heard;
}

const EXPECTED: readonly Line[] = [
  { level: "info", message: "a worker's initializer ran", target: "give", error: undefined },
  { level: "debug", message: "a worker loaded a target", target: "clumsy", error: undefined },
  { level: "error", message: "a callback in a worker failed", target: "give", error: "clumsy" },
  { level: "warn", message: "a worker crashed", target: "exit", error: undefined },
];

for (const isolation of ["thread", "process"] as const)
  test(`a worker's log reaches the manager's logger, from its level on (${isolation})`, async () => {
    const of = async (level: LogLevel | undefined): Promise<Line[]> =>
      (await lines(level, isolation))
        // targets beside `clumsy` are loaded by other workers, in no certain order
        .filter(({ level, target }) => level !== "debug" || target === "clumsy")
        .map((line) => (line.level === "warn" ? { ...line, error: undefined } : line));
    const levels = ["debug", "info", "warn", "error", "silent"] as const;
    for (const limit of ["debug", "warn", "silent", undefined] as const) {
      const from = levels.indexOf(limit ?? "warn");
      const wanted = EXPECTED.filter(({ level }) => levels.indexOf(level as LogLevel) >= from);
      const heard = await of(limit);
      // the child of `clumsy` has a worker of its own, which is prepared too
      const once = heard.filter((line, i) => i === 0 || line.message !== heard[0]?.message);
      assert.equal(once, wanted, `from ${limit}`);
    }
  });

test("logLevel: a level that is none is refused", () => {
  assert.throws(
    () => new TaskManager({ logLevel: "loud" as never }),
    (error: Error) =>
      error.message ===
      'Expected `logLevel` to be one of "debug", "info", "warn", "error", "silent", got "loud"',
  );
});

test.run();
