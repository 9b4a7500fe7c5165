// what is known of a program before it is sent, and how one that was stopped can go on
import { checkProgram, opOfLine, parseModal, resumeFrom } from "kerfwork";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { growBox } from "../src/machine/arc.ts";
import { prepareProgram } from "../src/machine/listing.ts";
import { type Modal, resetModal } from "../src/machine/modal.ts";
import { Walk } from "../src/machine/walk.ts";
import { failure, text, thrown } from "./jobs.ts";
import { bench, seeded } from "./machines.ts";

const messageOf = async (program: string, options: Parameters<typeof checkProgram>[1] = {}) =>
  (await failure(checkProgram(program, options))).message;

test("checkProgram tells lines, bytes, time, box, power and what the wire has to carry", async () => {
  const check = await checkProgram("G21 G90\nM4 S500\nG0 X10 Y-5\nG1 X40 F600\n\nG1 Y5 S800\n");
  assert.equal(check, {
    lines: 6,
    bytes: text(["G21G90", "M4S500", "G0X10Y-5", "G1X40F600", "G1Y5S800"]).length,
    // where it begins is not known, so neither is the way to the first place
    seconds: 3 + 1,
    bounds: { min: [10, -5, 0], max: [40, 5, 0] },
    power: 800,
    endsLit: true,
    bytesPerSecond: 0,
    starves: false,
  });
  assert.is((await checkProgram("M3 S1\nM5\n")).endsLit, false);
  assert.is((await checkProgram("M3 S1\nM2\n")).endsLit, false);
  assert.is((await checkProgram("G4 P1\n")).bounds, undefined);
});

test("checkProgram compares the busiest stretch of lines with the wire", async () => {
  const lines = [
    "G90",
    "G1X0Y0F6000",
    ...Array.from({ length: 100 }, (_, i) => `G1X${((i + 1) / 100).toFixed(2)}`),
  ];
  // a hundredth of a millimetre at 100 mm/s is a tenth of a millisecond, for 8 bytes
  const slow = await checkProgram(text(lines), { bytesPerSecond: 11_520 });
  assert.ok(Math.abs(slow.bytesPerSecond - 80_000) < 10_000, `${slow.bytesPerSecond}`);
  assert.ok(slow.starves);
  const fast = await checkProgram(text(["G90", "G1X0Y0F60", ...lines.slice(2)]), { bytesPerSecond: 11_520 });
  assert.not.ok(fast.starves);
});

test("checkProgram refuses what is no word with a finite number, by line", async () => {
  for (const [line, contract] of [
    ["G1 X", 'a number behind "X"'],
    ["G1 XNaN", 'a number behind "X"'],
    ["G1 X-", 'a number behind "X"'],
    ["G1 X1.2.3", 'a word where "." stands'],
    ["G1 X[1+2]", 'a number behind "X"'],
    ["#1=5", 'a word where "#" stands'],
    ["G1 X2000001", "coordinates within 2000000 mm"],
    ["G20 X100000", "coordinates within 2000000 mm"],
  ] as const) {
    const got = JSON.stringify(line.replaceAll(" ", ""));
    assert.is(
      await messageOf(`G21\n\n${line}\n`),
      `Expected line 3 of \`program\` to have ${contract}, got ${got}`,
    );
  }
});

test("checkProgram refuses arcs that no circle fits, as the controller would", async () => {
  const arc = (words: string) => `G21 G90\nG0 X0 Y0\nG2 ${words} F600\n`;
  for (const good of ["X10 Y0 I5", "X10 Y0 I5.0024 J0", "X10 R5", "X10 R-6", "X0 Y0 I5", "X10 Y10 I10 J0"])
    await checkProgram(arc(good));
  for (const [bad, contract] of [
    ["X10 Y0 I4.9", "an arc that ends on its circle, with radii of 4.9 and 5.1 mm"],
    ["X10 Y0", "an arc with a centre or a radius"],
    ["X10 R4", "an arc whose radius of 4 reaches its end, 10 mm away"],
    ["X0 Y0 R5", "an arc by radius that ends elsewhere than it begins"],
  ] as const)
    assert.match(await messageOf(arc(bad)), `line 3 of \`program\` to have ${contract}`);
  // from a place that is not known nothing can be said
  await checkProgram("G2 X10 Y0 I4 F600\n");
});

test("the box of an arc is that of its points, for any arc", async () => {
  const random = seeded(9);
  for (let round = 0; round < 300; round++) {
    const [cx, cy] = [random(200) / 10, random(200) / 10];
    const radius = 1 + random(100) / 10;
    const [a0, a1] = [random(628) / 100, random(628) / 100];
    const clockwise = round % 2 === 0;
    const at = (angle: number) => [cx + radius * Math.cos(angle), cy + radius * Math.sin(angle)] as const;
    const [x0, y0] = at(a0);
    const [x1, y1] = at(a1);
    const n = (value: number) => value.toFixed(6);
    const program = `G0X${n(x0)}Y${n(y0)}\nG${clockwise ? 2 : 3}X${n(x1)}Y${n(y1)}I${n(cx - x0)}J${n(cy - y0)}F600\n`;
    const { bounds, seconds } = await checkProgram(program);
    let sweep = clockwise ? a0 - a1 : a1 - a0;
    if (sweep <= 0) sweep += 2 * Math.PI;
    const box = { min: [Infinity, Infinity, 0], max: [-Infinity, -Infinity, 0] };
    for (let i = 0; i <= 2000; i++) growBox(box, [...at(a0 + (clockwise ? -1 : 1) * sweep * (i / 2000)), 0]);
    for (const axis of [0, 1]) {
      assert.ok(Math.abs(bounds!.min[axis]! - box.min[axis]!) < 1e-3, `round ${round}`);
      assert.ok(Math.abs(bounds!.max[axis]! - box.max[axis]!) < 1e-3, `round ${round}`);
    }
    assert.ok(Math.abs(seconds - (sweep * radius) / 10) < 1e-3, `round ${round}`);
  }
});

test("checkProgram keeps a program within the travel, in machine coordinates, where all of that is known", async () => {
  const start: Modal = { ...resetModal(), position: [0, 0, 0], offset: [-100, -100, -1] };
  const options = { limits: { travel: [200, 200, 10] }, start };
  await checkProgram("G90 G1 X100 Y-100 F600\n", options);
  await checkProgram("G53 G0 X-200 Y0\n", options);
  assert.is(
    await messageOf("G90\nG1 X100.1 F600\n", options),
    'Expected line 2 of `program` to stay within the machine\'s travel, X -200..0 in machine coordinates, and it reaches X 0.1, got "G1X100.1F600"',
  );
  for (const bad of [
    "G91\nG0 Y-60\nG0 Y-60\n",
    "G53 G0 X1\n",
    "G20\nG0 X4\n",
    "G0 Z2\n",
    "G92 X50\nG0 X151\n",
  ])
    assert.match(await messageOf(bad, options), "to stay within the machine's travel");
  // the middle of an arc leaves it, its ends do not
  assert.match(await messageOf("G0 X90 Y0\nG3 X90 Y40 J20 F600\n", options), "it reaches X 10");
  // a work offset that only the controller knows
  await checkProgram("G55\nG0 X5000\n", options);
  await checkProgram("G28\nG0 X5000\n", options);
});

test("the walk ends where the controller ends", async () => {
  const random = seeded(17);
  const lines = ["G21 G90", "M4 S100", "F1500"];
  for (let i = 0; i < 60; i++) {
    const x = random(4000) / 100;
    lines.push(
      [
        `G1 X${x} Y${random(40)}`,
        `G91 G0 X${random(3) - 1}`,
        "G90",
        `G20 G1 X${(x / 25.4).toFixed(4)}`,
        "G21",
        `G0 X${x} Y0`,
        `G1 X${x} Y${random(30)} S${random(1000)}`,
        `G2 X${x} Y${random(40)} R100`,
        `G92 X${x}`,
        `G10 L20 P1 Y${random(9)}`,
        "G53 G0 X1 Y2",
      ][random(11)]!,
    );
  }
  const { machine, clock, firmware } = await bench();
  // the run itself compares the last place with the plan
  const result = await clock.run(machine.run(text(lines), { policy: "stop" }));
  assert.is(result.errors.length, 0);
  const walk = new Walk(prepareProgram(text(lines)), {
    ...resetModal(),
    position: [0, 0, 0],
    offset: [0, 0, 0],
  });
  walk.advance();
  const end = walk.modal.position.map((value, axis) => value + walk.modal.offset[axis]!);
  for (const axis of [0, 1, 2]) assert.ok(Math.abs(end[axis]! - firmware.position[axis]!) < 0.01, `${end}`);
});

test("parseModal reads the answer to $G", () => {
  const modal = parseModal("[GC:G1 G55 G17 G20 G91 G94 M4 M8 T0 F600 S300]");
  assert.equal(modal, {
    ...resetModal(),
    ...{ motion: 1, system: 55, units: 20, distance: 91, spindle: 4, flood: true, feed: 600, power: 300 },
  });
  assert.is(parseModal("[G54:0.000,0.000,0.000]"), undefined);
  assert.is(parseModal("[GC:G0 F10]", true)!.feed, 254);
});

test("resumeFrom sets what was set, moves dark to where the line before ended, and goes on", () => {
  const program = "G21 G90\nM4 S500\nG0 X10 Y5\nG1 X40 F600\nY20\nX0 S800\nM5\n";
  const rest = resumeFrom(program, 6);
  assert.equal(rest.preamble, ["M5", "G21 G90 G94 G17 G54", "G0 X40 Y20", "F600", "G1 M4 S500"]);
  assert.equal(rest.position.slice(0, 2), [40, 20]);
  assert.is(rest.line, 6);
  assert.is(rest.program, `${rest.preamble.join("\n")}\nX0S800\nM5\n`);
  // blank lines go with what follows
  assert.is(resumeFrom("G21\n\n\nG90\n", 2).line, 4);
  assert.equal(resumeFrom("G90\nG0 X1\n", 1).preamble, ["M5", "G21 G90 G94 G17 G54", "G0 S0"]);
  assert.equal(resumeFrom("G90\nG0 X1 Y1 Z3\nG20\nG91\nM8\nM3 S9\nG1 X1 F10\nX1\n", 8).preamble, [
    "M5",
    "G21 G90 G94 G17 G54",
    "G0 X26.4 Y1",
    "G0 Z3",
    "M8",
    "F254",
    "G20 G91",
    "G1 M3 S9",
  ]);
  assert.equal(
    resumeFrom("G90\nG0 X0 Y0\nG2 X10 I5 F600\nX20 I5\nX30 I5\n", 5).program.split("\n").slice(-3),
    ["G1 S0", "G2X30I5", ""],
  );
});

test("resumeFrom refuses what only the controller knows, and lines that are none", () => {
  const unknown =
    "Expected the place before line 3 to follow from the program, and only the controller knows it";
  for (const program of ["G91\nG1 X1 F9\nX1\n", "G90\nG28 X0\nG1 Y1\n", "G92 X0\nG0 X1\nX2\n"])
    assert.is(
      thrown(() => resumeFrom(program, 3)),
      unknown,
      program,
    );
  assert.is(
    thrown(() => resumeFrom("G21\n", 2)),
    "Expected `line` to be an integer >= 1 and <= 1, got 2",
  );
  assert.match(
    thrown(() => resumeFrom("G21\nG1 X\n", 1)),
    "line 2 of `program`",
  );
});

test("a job that was stopped goes on from where a person says, and ends as if it had never stopped", async () => {
  const random = seeded(4);
  for (let round = 0; round < 6; round++) {
    const lines = [
      "G21 G90",
      "M4 S100",
      "F1200",
      ...Array.from({ length: 40 }, () => `G1 X${random(30)} Y${random(30)} S${random(900)}`),
      "M5",
    ];
    const { machine, clock, firmware, transport } = await bench();
    const run = failure(machine.run(text(lines)));
    await clock.advance(3 + random(15));
    if (round % 2 === 0) transport.wire.at(() => firmware.restart(0));
    else machine.cancel().catch(() => {});
    const error = await clock.run(run);
    const done = error.data!.lastExecuted as number;
    assert.ok(done > 0 && done <= (error.data!.lastAcked as number), `round ${round}`);
    await clock.advance(1);
    const rest = resumeFrom(text(lines), Math.max(1, done));
    const result = await clock.run(machine.run(rest.program));
    assert.is(result.errors.length, 0);
    const last = lines.at(-2)!.match(/X(\d+) Y(\d+)/)!;
    if (round % 2 === 1) assert.equal(firmware.position.slice(0, 2), [Number(last[1]), Number(last[2])]);
  }
});

test("opOfLine names the move that a program is at", () => {
  const lineOfOp = Int32Array.of(4, 5, 5, 7);
  assert.equal(
    [0, 3, 4, 5, 6, 7, 8, 20].map((line) => opOfLine(lineOfOp, line)),
    [-1, -1, 0, 1, 3, 3, 3, 3],
  );
  assert.is(opOfLine(new Int32Array(0), 3), -1);
});

test.run();
