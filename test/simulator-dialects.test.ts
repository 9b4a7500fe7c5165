import { type DialectName, startSimulator } from "kerfwork";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { Bench } from "./controller.ts";

/** A line with its number and its sum. */
function numbered(number: number, text: string): string {
  const line = `N${number} ${text}`;
  let sum = 0;
  for (const character of line) sum ^= character.charCodeAt(0);
  return `${line}*${sum}\n`;
}

const lines = (text: string): string[] => text.split(/\r?\n/).filter((line) => line !== "");

/** Like `run`, of dialects that end lines by `\n` alone. */
const run = (bench: Bench, seconds: number, bytes = ""): string[] => lines(bench.raw(seconds, bytes));

test("grblhal says 1024 bytes and takes 1023", () => {
  const bench = new Bench({ dialect: "grblhal" });
  assert.ok(bench.run(0.1, "$I\n").some((line) => /^\[OPT:[^,]*,100,1024/.test(line)));
  assert.match(bench.run(0.1, "?")[0]!, /\|Bf:100,1023\|/);
  bench.run(0.1, "G4P2\n");
  bench.run(0.5, `(${"c".repeat(1023)}`);
  assert.is(bench.firmware.uart.overflow, 1);
});

test("a program that fits grblhal's buffer runs there as on GRBL", () => {
  const [hal, grbl] = [new Bench({ dialect: "grblhal" }), new Bench()];
  const job = Array.from({ length: 40 }, (_, i) => `G1X${i % 5}F3000\n`).join("");
  assert.is(hal.run(20, job).length, 40);
  assert.ok(grbl.run(20, job).length < 40, "too much at once for 128 bytes");
  assert.is(hal.firmware.uart.overflow, 0);
  assert.equal(hal.firmware.position, [4, 0, 0]);
});

test("banners tell the dialects apart", async () => {
  const banners: Record<DialectName, RegExp> = {
    grbl: /^\r\nGrbl 1\.1h \['\$' for help\]\r\n$/,
    grblhal: /^\r\nGrblHAL 1\.1f \['\$' or '\$HELP' for help\]\r\n$/,
    fluidnc: /^\r\nGrbl 3\.\d \[FluidNC v3\.\d+\.\d+ .*\]\r\n$/,
    marlin: /^start\n/,
    smoothie: /^Smoothie\r\nok\r\n$/,
  };
  for (const [dialect, banner] of Object.entries(banners) as [DialectName, RegExp][]) {
    const bench = new Bench({ dialect });
    bench.firmware.restart(0);
    assert.match(bench.raw(0.2), banner, dialect);
  }
  const error = await startSimulator({ dialect: "tinyg" as DialectName }).catch((reason: Error) => reason);
  assert.match((error as Error).message, /^Expected `dialect` to be .*"?grbl"?, .*, got "tinyg"$/);
});

test("marlin: one ok a line, wait when nothing comes, empty lines are not answered", () => {
  const bench = new Bench({ dialect: "marlin" });
  assert.equal(run(bench, 0.2, "G21\n\nG90 ; absolute\n"), ["ok", "ok"]);
  assert.equal(run(bench, 2.5), ["wait", "wait"]);
  assert.equal(run(bench, 0.1, "M114\n"), ["X:0.00 Y:0.00 Z:0.00 E:0.00 Count X:0.00 Y:0.00 Z:0.00", "ok"]);
  assert.equal(run(bench, 0.1, "G99\n"), ['echo:Unknown command: "G99"', "ok"]);
});

test("marlin: a line that takes long says that it is busy", () => {
  const bench = new Bench({ dialect: "marlin" });
  const busy = "echo:busy: processing";
  assert.equal(run(bench, 5.5, "G1 X50 F600\nM400\n"), ["ok", busy, busy, "ok"]);
  assert.equal(run(bench, 3.5, "G4 S3\n"), [busy, "ok"]);
  assert.equal(run(bench, 0.9, "G4 P700\n"), ["ok"]);
});

test("marlin: numbers and sums are checked, and the line that is missing is asked for", () => {
  const bench = new Bench({ dialect: "marlin" });
  const again = (why: string, last: number) => [
    `Error:${why}, Last Line: ${last}`,
    `Resend: ${last + 1}`,
    "ok",
  ];
  assert.equal(run(bench, 0.1, numbered(1, "G1 X1 F6000")), ["ok"]);
  assert.equal(run(bench, 0.1, numbered(3, "G1 X3")), again("Line Number is not Last Line Number+1", 1));
  assert.equal(run(bench, 0.1, "N2 G1 X2*99\n"), again("checksum mismatch", 1));
  assert.equal(run(bench, 0.1, "N2 G1 X2\n"), again("No Checksum with line number", 1));
  assert.equal(run(bench, 0.1, "G1 X2*50\n"), again("No Line Number with checksum", 1));
  assert.equal(run(bench, 0.1, numbered(2, "G1 X2")), ["ok"]);
  assert.equal(run(bench, 0.1, numbered(9, "M110 N20")), ["ok"]);
  assert.equal(run(bench, 0.5, numbered(21, "G1 X4")), ["ok"]);
  assert.equal(bench.firmware.position, [4, 0, 0]);
});

test("marlin: a host that resends gets every line through a bad wire, once and in order", () => {
  const bench = new Bench({ dialect: "marlin" });
  const job = Array.from({ length: 60 }, (_, i) => `G1 X${i % 7} F6000`);
  // every 50th byte is flipped; the sum finds it
  for (let i = 1; i < 60; i++) bench.firmware.uart.damage("toController", i * 50, 1);
  let text = "";
  for (let next = 1; next <= job.length; ) {
    text = bench.raw(0, numbered(next, job[next - 1]!));
    for (let i = 0; i < 200 && !text.includes("ok\n"); i++) text += bench.raw(0.01);
    // a line whose end was lost waits for the next one
    const resend = /Resend: (\d+)/.exec(text);
    if (resend !== null) next = Number(resend[1]);
    else if (text.includes("ok\n")) next++;
  }
  bench.raw(5);
  assert.equal(
    bench.firmware.log.lines.map((line) => line.text),
    job.map((line) => line.replaceAll(" ", "")),
  );
  assert.ok(bench.firmware.log.lost.length > 20);
});

test("marlin: a host that does not wait for ok loses bytes", () => {
  const bench = new Bench({ dialect: "marlin" });
  const answers = run(bench, 60, Array.from({ length: 80 }, (_, i) => `G1 X${i} F600\n`).join(""));
  assert.ok(bench.firmware.uart.overflow > 0);
  assert.ok(answers.filter((line) => line === "ok").length < 80);
});

test("marlin: M112 is the end until a restart", () => {
  const bench = new Bench({ dialect: "marlin" });
  run(bench, 0.5, "G1 X50 F600\n");
  assert.equal(run(bench, 0.1, "M112\n"), ["Error:Printer halted. kill() called!"]);
  assert.equal(run(bench, 3, "G1 X0\nM114\n"), []);
  assert.is(bench.firmware.state, "Alarm");
  bench.firmware.restart(0);
  assert.is(run(bench, 0.2)[0], "start");
});

test("smoothie: ok for each line, status at ?, !! after a stop until M999", () => {
  const bench = new Bench({ dialect: "smoothie" });
  assert.equal(run(bench, 0.2, "G90\n\n"), ["ok", "ok"]);
  run(bench, 0.2, "G1 X50 F600\n");
  assert.match(run(bench, 0.01, "?")[0]!, /^<Run\|MPos:\d+\.\d{4},0\.0000,0\.0000\|WPos:/);
  run(bench, 0.5, "!");
  assert.is(bench.firmware.state, "Hold:0");
  run(bench, 0.1, "~");
  assert.is(bench.firmware.state, "Run");
  assert.match(run(bench, 0.1, "\x18")[0]!, /^ALARM: /);
  assert.equal(run(bench, 0.1, "G1 X0\n"), ["!!"]);
  assert.equal(run(bench, 0.1, "M999\nG90\n"), ["ok", "ok"]);
});

test.run();
