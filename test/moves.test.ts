// Moves put together, measured, and given heights.
import { concatOps, encode, measureOps, newOps, type Ops, type Program } from "kerfwork";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { messageOf } from "./messages.ts";
import { random } from "./oracle.ts";

type Row = readonly [
  kind: number,
  x: number,
  y: number,
  z?: number | undefined,
  centerX?: number,
  centerY?: number,
];

function opsOf(rows: readonly Row[], heights = rows.some((row) => row[3] !== undefined)): Ops {
  const ops = newOps(rows.length, { z: heights });
  for (const [i, [kind, x, y, z = 0, centerX = 0, centerY = 0]] of rows.entries()) {
    ops.kinds[i] = kind;
    ops.xy.set([x, y], 2 * i);
    ops.centers.set([centerX, centerY], 2 * i);
    ops.power[i] = kind === 0 ? 0 : 1;
    ops.speed[i] = 1000;
    if (ops.z !== undefined) ops.z[i] = z;
  }
  return ops;
}

const bodyOf = ({ bytes }: Program): string[] =>
  Buffer.from(bytes).toString("latin1").split("\n").slice(4, -4);
test("newOps lays all arrays on one buffer, heights too if asked for", () => {
  for (const z of [false, true]) {
    const ops = newOps(7, { z });
    const arrays = Object.values(ops) as (Float32Array | Uint8Array)[];
    assert.is(arrays.length, z ? 6 : 5);
    assert.ok(arrays.every((array) => array.buffer === ops.xy.buffer));
    assert.is(
      arrays.reduce((sum, array) => sum + array.byteLength, 0),
      ops.xy.buffer.byteLength,
    );
  }
  assert.is(newOps(0).z, undefined);
});

test("encode moves the height of a travel first, in a line of its own, and that of other moves along", () => {
  const program = encode(
    opsOf([
      [0, 1, 1, 5],
      [1, 2, 1, 5],
      [1, 3, 1, 4.5],
      [2, 5, 1, 4, 4, 1],
      [1, 5, 1, 0],
      [0, 9, 9, 0],
      [0, 9, 9, 2],
      [0, 9, 9, 2],
      [1, 9, 8, 2.0001],
    ]),
  );
  assert.equal(bodyOf(program), [
    "G0 Z5",
    "X1 Y1",
    "G1 X2 S1000 F1000",
    "X3 Z4.5",
    "G2 X5 Y1 I1 J0 Z4",
    "G1 Z0",
    "G0 X9 Y9",
    "Z2",
    "G1 Y8",
  ]);
  assert.equal([...program.lineOfOp], [5, 6, 7, 8, 9, 10, 11, 11, 12]);
  assert.is(program.lines, 4 + 9 + 3);
});

test("encode counts heights for times, and leaves them out where there are none", () => {
  const rows: Row[] = [
    [0, 3, 4, 2],
    [1, 3, 4, 5],
    [1, 3, 8, 8],
    [0, 3, 8, 0],
  ];
  const { seconds, bounds } = encode(opsOf(rows));
  assert.ok(Math.abs(seconds - ((5 + 3 + 5 + 8) / 1000) * 60) < 1e-9, `${seconds}`);
  assert.equal(bounds, { minX: 3, minY: 4, maxX: 3, maxY: 8 });
  assert.not.match(bodyOf(encode(opsOf(rows, false))).join(), /Z/);
});

test("encode writes heights across the chunks it works in, within 79 characters a line", () => {
  const next = random(3);
  const rows = Array.from({ length: 20_000 }, (_, i): Row => {
    const kind = i === 0 || next() < 0.2 ? 0 : 1;
    return [kind, -9998.999 + next() / 9, 9999 - next() / 9, next() < 0.5 ? 998.999 : -998.999];
  });
  const ops = opsOf(rows);
  for (let i = 0; i < rows.length; i++) {
    if (ops.kinds[i] === 1) ops.power[i] = next();
    ops.speed[i] = 999_999.938 - i / 16;
  }
  const program = encode(ops, { maxPower: 100_000 });
  const lines = Buffer.from(program.bytes).toString("latin1").trimEnd().split("\n");
  assert.is(lines.length, program.lines);
  assert.ok(lines.every((line) => line.length <= 79));
  // read back
  let [x, y, z] = [Number.NaN, Number.NaN, Number.NaN];
  let op = 0;
  for (const [i, line] of lines.entries()) {
    for (const word of line.split(" ")) {
      const value = Number(word.slice(1));
      if (word[0] === "X") x = value;
      else if (word[0] === "Y") y = value;
      else if (word[0] === "Z") z = value;
    }
    for (; program.lineOfOp[op] === i; op++) {
      assert.ok(Math.abs(z - ops.z![op]!) < 0.00051, `z of ${op}: ${z}`);
      assert.ok(
        Math.abs(x - ops.xy[2 * op]!) < 0.00101 && Math.abs(y - ops.xy[2 * op + 1]!) < 0.00101,
        `op ${op}`,
      );
    }
  }
  assert.is(op, rows.length);
});

test("encode refuses heights that break their contract, with the move's number", () => {
  const refused = (...row: Row): string => messageOf(() => encode(opsOf([[0, 1, 1, 0], row])));
  assert.is(
    refused(1, 2, 2, 1000),
    "INVALID_ARGUMENT: Expected op 1 to have a height of -999..999 mm, got 1000",
  );
  assert.is(
    refused(0, 2, 2, Number.NaN),
    "INVALID_ARGUMENT: Expected op 1 to have a height of -999..999 mm, got NaN",
  );
  assert.is(
    refused(1, 10_000, 2, 0),
    "INVALID_ARGUMENT: Expected op 1 to end within 9999 mm of the origin, got (10000, 2)",
  );
  assert.is(
    messageOf(() => encode({ ...newOps(2), z: new Float32Array(1) })),
    "INVALID_ARGUMENT: Expected `ops.z` to be a Float32Array of 2 numbers for 2 moves, got a Float32Array of 4 bytes",
  );
});

test("concatOps puts layers one behind the other", () => {
  const flat = opsOf([
    [0, 1, 1],
    [3, 3, 1, undefined, 2, 1],
  ]);
  const raised = opsOf([
    [0, 5, 5, 2],
    [1, 6, 5, 2],
  ]);
  const all = concatOps([flat, newOps(0), raised, flat]);
  assert.equal([...all.kinds], [0, 3, 0, 1, 0, 3]);
  assert.equal([...all.xy], [1, 1, 3, 1, 5, 5, 6, 5, 1, 1, 3, 1]);
  assert.equal([...all.centers], [0, 0, 2, 1, 0, 0, 0, 0, 0, 0, 2, 1]);
  assert.equal([...all.power], [0, 1, 0, 1, 0, 1]);
  assert.equal([...all.z!], [0, 0, 2, 2, 0, 0]);
  assert.is(concatOps([flat, flat]).z, undefined);
  assert.is(concatOps([]).kinds.length, 0);
  assert.is(encode(all).lineOfOp.length, 6);
  assert.is(
    messageOf(() => concatOps(flat as never)),
    "INVALID_ARGUMENT: Expected `list` to be an array of Ops objects, got a Object",
  );
  assert.is(
    messageOf(() => concatOps([flat, { ...flat, power: new Float32Array(0) }])),
    "INVALID_ARGUMENT: Expected `list[1].power` to be a Float32Array of 2 numbers for 2 moves, got a Float32Array of 0 bytes",
  );
  assert.is(
    messageOf(() => concatOps([flat, opsOf([[1, 1, 1]])])),
    "INVALID_ARGUMENT: Expected `list[1]`, op 0, to be a travel (0), got kind 1",
  );
});

test("measureOps finds the box with the arcs, what is cut and what is travelled", () => {
  const ops = opsOf([
    [0, 3, 4],
    [1, 13, 4],
    [3, 3, 4, undefined, 8, 4],
    [2, 3, 4, undefined, 3, 2],
    [0, 0, 4],
  ]);
  const { lengths, ...sums } = measureOps(ops, { lengths: true });
  const near = (value: number, expected: number): void =>
    assert.ok(Math.abs(value - expected) < 1e-9, `${value}, ${expected}`);
  for (const [i, length] of [5, 10, 5 * Math.PI, 4 * Math.PI, 3].entries()) near(lengths![i]!, length);
  near(sums.cut, 10 + 9 * Math.PI);
  near(sums.travel, 8);
  assert.is(sums.moves, 5);
  assert.equal(sums.bounds, { minX: 0, minY: 0, maxX: 13, maxY: 9 });
  assert.equal(sums.bounds, encode(ops).bounds);
  // heights
  const raised = measureOps(
    opsOf([
      [0, 0, 0, 7],
      [1, 3, 0, 3],
      [0, 6, 0, 5],
    ]),
  );
  assert.equal([raised.cut, raised.travel], [5, 5]);
  assert.equal(measureOps(newOps(0)), {
    moves: 0,
    bounds: { minX: 0, minY: 0, maxX: 0, maxY: 0 },
    cut: 0,
    travel: 0,
  });
});

test("measureOps and encode agree on the box of seeded arcs", () => {
  const next = random(9);
  for (let run = 0; run < 20; run++) {
    let [x, y] = [0, 0];
    const rows = Array.from({ length: 30 }, (_, i): Row => {
      const [radius, from, turn] = [0.1 + 30 * next(), 6 * next(), 0.1 + 6 * next()];
      const kind = i === 0 ? 0 : Math.floor(4 * next());
      const [centerX, centerY] = [x - radius * Math.cos(from), y - radius * Math.sin(from)];
      const to = from + (kind === 2 ? -turn : turn);
      [x, y] = [centerX + radius * Math.cos(to), centerY + radius * Math.sin(to)];
      return [kind, x, y, undefined, centerX, centerY];
    });
    const ops = opsOf(rows, false);
    const [own, coded] = [measureOps(ops).bounds, encode(ops).bounds];
    for (const side of ["minX", "minY", "maxX", "maxY"] as const)
      assert.ok(Math.abs(own[side] - coded[side]) < 1e-6, `${side}: ${own[side]}, ${coded[side]}`);
  }
});

test("measureOps refuses what breaks its contract", () => {
  assert.is(
    messageOf(() =>
      measureOps(
        opsOf([
          [0, 1, 1],
          [1, 2, Number.NaN],
        ]),
      ),
    ),
    "INVALID_ARGUMENT: Expected op 1 to end at finite numbers, got (2, NaN)",
  );
  assert.is(
    messageOf(() => measureOps(newOps(0), { length: true } as never)),
    'INVALID_ARGUMENT: Expected `options` to be an object with no other names than lengths, got "length"',
  );
  assert.is(
    messageOf(() => measureOps(newOps(0), { lengths: 1 } as never)),
    "INVALID_ARGUMENT: Expected `lengths` to be true or false, got 1",
  );
  assert.is(
    messageOf(() => measureOps(null as never)),
    "INVALID_ARGUMENT: Expected `ops` to be an Ops object, got null",
  );
});

test.run();
