// a short soak, that its judge bites, and what longer ones found
import type { LogRecord } from "kerfwork";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { circle, text } from "./jobs.ts";
import { bench } from "./machines.ts";
import { random as seeded } from "./oracle.ts";
import { below, makeJob } from "./soak/job.ts";
import { Judge } from "./soak/judge.ts";
import { KINDS, Station } from "./soak/station.ts";
import { Table } from "./soak/table.ts";

test("jobs with faults of every kind end exact or as a typed failure, and the next one is clean", async () => {
  const table = new Table();
  for (let seed = 1; seed <= 8; seed++) {
    const random = seeded(seed);
    const station = new Station(seed);
    for (const kind of KINDS) table.add(await station.run(kind, 60 + below(random, 200)));
    await station.close();
  }
  assert.is(table.faults, 8 * KINDS.length);
  assert.ok(table.lines > 5000, `${table.lines}`);
  for (const kind of KINDS) assert.match(String(table), `| ${kind} | 8 |`);
});

test("the same seed gives the same soak", async () => {
  const ends = async () => {
    const station = new Station(77);
    const all = [];
    for (const kind of KINDS.slice(2, 6)) all.push(await station.run(kind, 150));
    await station.close();
    return all;
  };
  assert.equal(await ends(), await ends());
});

test("no two lines of a job, and none of two jobs, are alike", () => {
  const random = seeded(3);
  const lines = [1, 2, 3].flatMap((number) => makeJob(random, number, 500).lines.slice(1));
  assert.is(
    new Set(lines.filter((line) => line.startsWith("G1"))).size,
    lines.filter((l) => l.startsWith("G1")).length,
  );
  for (const line of lines) assert.ok(line.length <= 79, line);
});

/** A judge that has seen a job of six lines written, and what it says of a controller's log. */
const judged = (
  executed: readonly string[],
  lost: readonly number[] = [],
  write = "A1\nB2\nC3\nD4\nE5\nF6\n",
): string[] => {
  let waiting = 0;
  const judge = new Judge(
    () => waiting,
    () => false,
  );
  judge.begin(["A1", "B2", "C3", "D4", "E5", "F6"]);
  judge.wrote(Buffer.from(write));
  for (const at of lost) {
    waiting = write.length - at - 1;
    const entry = { seconds: 0, byte: 0, why: "damage", direction: "toController" } as const;
    judge.take({ kind: "lost", entry });
  }
  for (const line of executed)
    judge.take({ kind: "lines", entry: { seconds: 0, text: line, status: 0 } } as LogRecord);
  return judge.faults;
};

test("the judge takes what was written, and nothing else", () => {
  assert.equal(judged(["A1", "B2", "C3", "D4"]), []);
  assert.equal(judged(["A1", "B2"]), []);
  assert.equal(judged(["A1", "C3"]), ['executed "C3" where "B2" was due']);
  assert.equal(judged(["A1", "A1"]), ['executed "A1" where "B2" was due']);
  assert.equal(judged(["B2", "A1"]), ['executed "B2" where "A1" was due']);
  assert.equal(judged(["A1", "B2", "C3", "D4", "E5", "F6", "G7"]), ['executed "G7" where nothing was due']);
  assert.equal(judged([], [], "A1\nC3\n"), ['wrote "C3" where line 1 of the job was due']);
  assert.equal(judged([], [], "A1\nB2\nB2\n"), ['wrote "B2" where line 2 of the job was due']);
  assert.equal(judged([], [], "A1\nB2\nC3\nD4\nE5\nF6\nA1\n").length, 1);
});

test("the judge forgives a byte that the wire lost or changed, there and nowhere else", () => {
  // the 2 of B2 is byte 4, its end byte 5
  assert.equal(judged(["A1", "B", "C3", "D4"], [4]), []);
  assert.equal(judged(["A1", "C3", "D4"], [4]), []);
  assert.equal(judged(["A1", "B2C3", "D4"], [5]), []);
  assert.equal(judged(["A1", "A1", "C3", "D4"], [4]), []);
  assert.equal(judged(["A1", "C3", "C3", "D4"], [4]), []);
  assert.ok(judged(["A1", "B", "C", "D4"], [4]).length > 0);
  assert.ok(judged(["A", "B", "C3", "D4"], [4]).length > 0);
  assert.ok(judged(["A1", "B", "D4", "E5"], [4]).length > 0);
});

test("the judge sees what a restart throws away, and what is sent after it was told", () => {
  let waiting = 0;
  const judge = new Judge(
    () => waiting,
    () => false,
  );
  judge.begin(["A1", "B2", "C3", "D4", "E5"]);
  judge.wrote(Buffer.from("A1\nB2\nC3\nD4\n"));
  const ran = (text: string) => judge.take({ kind: "lines", entry: { seconds: 0, text, status: 0 } });
  ran("A1");
  // B2 has come, C3 in part: its tail runs as it is
  waiting = 4;
  judge.take({ kind: "resets", entry: { seconds: 0, kind: "power" } });
  assert.is(judge.vanished, 1);
  ran("3");
  ran("D4");
  assert.equal(judge.faults, []);
  judge.toldRestart();
  judge.wrote(Buffer.from("?$G\n"));
  assert.equal(judge.faults, []);
  judge.wrote(Buffer.from("E5\n"));
  assert.equal(judge.faults, ["wrote line 4 of the job after a restart was told"]);
});

test("a digit of a report that was changed on its way does not keep a job from ending", async () => {
  for (const damaged of ["Bf:17,128", "Bf:15,928"]) {
    const { machine, clock, transport } = await bench();
    const run = machine.run(text(circle(300)));
    await clock.advance(1);
    transport.inject(`<Run|MPos:0.000,0.000,0.000|${damaged}|FS:0,0>\r\n`);
    const { seconds } = await clock.run(run);
    assert.ok(seconds < 60, `${seconds}`);
    // and the next one is not held up either
    await clock.run(machine.run("G0X1\n"));
  }
});

test.run();
