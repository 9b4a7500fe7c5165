// Programs read back into moves, and pictures of toolpaths.
import { encode, type Ops, preview, readGcode, toOps } from "kerfwork";
import { test } from "uvu";
import * as assert from "uvu/assert";

const moves = (ops: Ops): string[] =>
  Array.from(ops.kinds, (kind, i) => {
    const [x, y] = ops.xy.subarray(2 * i, 2 * i + 2);
    const [cx, cy] = ops.centers.subarray(2 * i, 2 * i + 2);
    const round = (value: number | undefined): number => Math.round((value ?? 0) * 1000) / 1000 || 0;
    const arc = kind > 1 ? ` @${round(cx)},${round(cy)}` : "";
    return `${"TLCA"[kind]}${round(x)},${round(y)}${arc} S${round(ops.power[i])} F${round(ops.speed[i])}`;
  });

test("modal words: units, distances, beam, speed", () => {
  const { ops, lineOfOp, notes } = readGcode(
    "; head\nG21 G90\nM4 S500\ng1 x10 f1200\nY5 S1000 (half)\nG91\nX-1\nG20 G90\nG0 X1 Y0\nM5\nG1 X2 F10\n",
  );
  assert.equal(moves(ops), [
    "T0,0 S0 F6000",
    "L10,0 S0.5 F1200",
    "L10,5 S1 F1200",
    "L9,5 S1 F1200",
    "T25.4,0 S0 F6000",
    "L50.8,0 S0 F254",
  ]);
  assert.equal([...lineOfOp], [3, 3, 4, 6, 8, 10]);
  assert.equal(notes, []);
});

test("arcs by centre and by radius, the long way for a negative one, and whole circles", () => {
  const arc = (words: string): string => moves(readGcode(`G0 X0\nG1 F60\n${words}`).ops).at(-1)!;
  assert.is(arc("G2 X6 Y0 I3 J4"), "C6,0 @3,4 S0 F60");
  assert.is(arc("G2 X6 Y0 R5"), "C6,0 @3,-4 S0 F60");
  assert.is(arc("G2 X6 Y0 R-5"), "C6,0 @3,4 S0 F60");
  assert.is(arc("G3 X6 Y0 R5"), "A6,0 @3,4 S0 F60");
  assert.is(arc("G3 X6 Y0 R-5"), "A6,0 @3,-4 S0 F60");
  assert.is(arc("G3 I5"), "A0,0 @5,0 S0 F60");
});

test("what encode writes is read back as it was", () => {
  const paths = {
    ends: Uint32Array.of(3, 5),
    xy: Float32Array.of(0, 0, 10, 0, 10, 10, 20, 20, 30, 25),
  };
  const ops = toOps(paths, { power: 0.5, speed: 900, height: 30 });
  const program = encode(ops, { returnHome: false });
  const again = readGcode(program.bytes, { maxPower: 1000 });
  assert.equal(moves(again.ops), moves(ops));
  assert.equal([...again.lineOfOp], [...program.lineOfOp]);
});

test("words that mean nothing are noted once, mistakes name their line", () => {
  const { notes } = readGcode("$H\nG38.2 Z-5 F10\nG38.2 Z-5\nM106\n%\n");
  assert.equal(notes, [
    "$ on line 1 is not shown",
    "G38.2 on line 2 is not shown",
    "Z on line 2 is not shown",
    "M106 on line 4 is not shown",
  ]);
  const why = (source: string): string => {
    try {
      readGcode(source);
    } catch (error) {
      return (error as Error).message;
    }
    throw new Error("it was taken");
  };
  assert.is(why("G1 X1\nG1 X"), 'Expected line 2 to have a number after X, got "G1 X"');
  assert.is(why("G2 X5"), 'Expected line 1 to have I, J or R for an arc, got "G2 X5"');
  assert.throws(() => readGcode(5 as never), /Expected `source` to be a string or a Uint8Array/);
  assert.throws(() => readGcode("", { maxPower: 0 }), /`maxPower`/);
  assert.throws(() => readGcode("", { power: 0 } as never), /power/);
  assert.is(readGcode("").ops.kinds.length, 0);
});

const square = readGcode(
  "M4 S200\nG0 X10 Y10\nG1 X20 F600\nY20\nX10\nY10\nS1000\nG0 X40\nG2 X40 Y20 I0 J5\nG1 S0 X60\n",
  { maxPower: 1000 },
).ops;

test("a picture: travel, dark moves, cuts by order and power, arrows, numbers; y up", () => {
  const svg = preview(square, { arrows: 3, numbers: 1 });
  const paths = svg.match(/<path [^>]*>/g)!;
  const classes = paths.map((path) => /class="(\w+)"/.exec(path)![1]);
  assert.equal(classes, ["travel", "dark", "cut", "cut", "direction"]);
  assert.ok(paths[0]!.includes('d="M0 20L10 10M10 10L40 10"'), paths[0]);
  assert.ok(paths[1]!.includes('d="M40 0L60 0"'), paths[1]);
  assert.ok(paths[2]!.includes('d="M10 10L20 10L20 0L10 0L10 10"'), paths[2]);
  assert.ok(paths[2]!.includes('stroke-opacity=".36"'), paths[2]);
  assert.ok(paths[3]!.includes('d="M40 10A5 5 0 0 1 40 0"'), paths[3]);
  assert.ok(paths[3]!.includes('stroke-opacity="1"'), paths[3]);
  const colour = (path: string): string => /stroke="(#\w+)"/.exec(path)![1]!;
  assert.not.equal(colour(paths[2]!), colour(paths[3]!));
  assert.is(svg.match(/<text /g)!.length, 1);
  assert.is(preview(square, { arrows: 0, numbers: 0 }).includes("direction"), false);
});

test("arrowheads lie on their moves, arcs included, and point along them", () => {
  const circle = readGcode("M4 S1000 F600\nG0 X10 Y0\nG3 X10 Y0 I-10\nG1 X100").ops;
  const marks = /class="direction"[^>]* d="([^"]*)"/.exec(preview(circle, { arrows: 50 }))![1]!;
  const heads = [...marks.matchAll(/M(\S+) (\S+)L(\S+) (\S+)L(\S+) (\S+?)(?=M|$)/g)].map((m) =>
    m.slice(1).map(Number),
  );
  assert.ok(heads.length > 5);
  let onArc = 0;
  for (const [ax, ay, x, y, bx, by] of heads as [number, number, number, number, number, number][]) {
    const top = 10; // y of the picture's upper edge
    const radius = Math.hypot(x, top - y);
    const back = [x - (ax + bx) / 2, ay + (by - ay) / 2 - y];
    if (Math.abs(radius - 10) < 0.05 && x < 9.99) {
      onArc++;
      assert.ok(x * back[1]! - (top - y) * back[0]! > 0, "counter-clockwise");
    } else {
      assert.ok(Math.abs(top - y) < 0.01);
      assert.ok(back[0]! > 0);
    }
  }
  assert.ok(onArc > 3, `${onArc} on the arc`);
});

test("degenerate toolpaths are pictures too; broken ones are refused", () => {
  assert.match(preview(readGcode("").ops), /^<svg .*<\/svg>\n$/s);
  assert.match(preview(readGcode("G0 X0 Y0").ops), /<path class="travel"/);
  const broken = readGcode("G1 X5").ops;
  broken.xy[2] = Number.NaN;
  assert.throws(() => preview(broken), /Expected op 1 to end at finite numbers/);
  assert.throws(() => preview({} as Ops), /Expected `ops.kinds` to be a Uint8Array/);
  assert.throws(() => preview(square, { arrows: -1 }), /`arrows`/);
});

test("a hundred thousand moves stay few paths", () => {
  let text = "M4 S1000 F600\n";
  for (let i = 0; i < 100_000; i++)
    text += i % 7 === 0 ? `G0 X${i % 300} Y${i % 211}\n` : `G1 X${(i * 7) % 300} S${i % 1000}\n`;
  const svg = preview(readGcode(text).ops);
  assert.ok(svg.match(/<path /g)!.length <= 83);
});

test.run();
