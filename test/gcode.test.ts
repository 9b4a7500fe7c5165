import { type EncodeOptions, encode, type Ops, type Program } from "kerfwork";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { withEngine } from "../src/engine/memory.ts";
import { newOps } from "../src/engine/ops.ts";
import { messageOf } from "./messages.ts";

interface Move {
  readonly kind: number;
  readonly x: number;
  readonly y: number;
  readonly center?: readonly [number, number];
  readonly power?: number;
  readonly speed?: number;
}

function random(seed: number): () => number {
  let a = seed;
  return () => {
    a = (a + 0x6d2b79f5) | 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

function opsOf(moves: readonly Move[]): Ops {
  const ops = newOps(moves.length);
  moves.forEach(({ kind, x, y, center = [0, 0], power = 1, speed = 1000 }, i) => {
    ops.kinds[i] = kind;
    ops.xy.set([x, y], 2 * i);
    ops.centers.set(center, 2 * i);
    ops.power[i] = power;
    ops.speed[i] = speed;
  });
  return ops;
}

const textOf = (program: Program): string => Buffer.from(program.bytes).toString("latin1");
/** The lines between the head of 4 and the tail. */
const bodyOf = (program: Program): string[] => textOf(program).split("\n").slice(4, -4);
const write = (...moves: Move[]): string[] => bodyOf(encode(opsOf(moves)));

/** Thousandths, ties to even. */
function thousandths(value: number): number {
  const scaled = value * 1000;
  const low = Math.floor(scaled);
  const rest = scaled - low;
  const up = rest > 0.5 || (rest === 0.5 && low % 2 !== 0);
  return low + Number(up) + 0;
}

/** A number of thousandths as the shortest decimal, by way of `toFixed`. */
function decimal(value: number): string {
  const text = (value / 1000).toFixed(3).replace(/\.?0+$/, "");
  return text === "-0" ? "0" : text;
}

/** The same program, written slowly; for lines, travels, and arcs that stay arcs. */
function slow(ops: Ops, { laserMode = "M4", maxPower = 1000, returnHome = true }: EncodeOptions = {}) {
  const lines = ["G21", "G90", "G17", `${laserMode} S0`];
  const lineOfOp: number[] = [];
  const last = new Map<string, string>();
  let at = [Number.NaN, Number.NaN];
  ops.kinds.forEach((kind, i) => {
    const to = [thousandths(ops.xy[2 * i]!), thousandths(ops.xy[2 * i + 1]!)];
    if (kind < 2 && to[0] === at[0] && to[1] === at[1]) {
      lineOfOp.push(lines.length - 1);
      return;
    }
    const words: string[] = [];
    const word = (letter: string, text: string, always = false): void => {
      if (always || last.get(letter) !== text) words.push(letter + text);
      last.set(letter, text);
    };
    word("G", String(kind));
    word("X", decimal(to[0]!), kind >= 2);
    word("Y", decimal(to[1]!), kind >= 2);
    if (kind >= 2) {
      word("I", decimal(thousandths(ops.centers[2 * i]!) - at[0]!), true);
      word("J", decimal(thousandths(ops.centers[2 * i + 1]!) - at[1]!), true);
    }
    if (kind > 0) {
      word("S", decimal(thousandths((ops.power[i]! * maxPower) / 1000) * 1000));
      word("F", decimal(thousandths(ops.speed[i]!)));
    }
    lineOfOp.push(lines.length);
    lines.push(words.join(" "));
    at = to;
  });
  lines.push("M5 S0", ...(returnHome ? ["G0 X0 Y0"] : []), "M2");
  return { text: `${lines.join("\n")}\n`, lines: lines.length, lineOfOp };
}

/** What a controller makes of a program: end points, power and feed of each motion line. */
function run(text: string) {
  const state: Record<string, number> = { X: 0, Y: 0, S: 0, F: 0, G: 0 };
  return text
    .trimEnd()
    .split("\n")
    .map((line) => {
      for (const word of line.split(" ")) {
        const value = Number(word.slice(1));
        assert.ok(Number.isFinite(value), `a number in ${line}`);
        if (word[0] !== "G" || value < 4) state[word[0]!] = value;
      }
      return { ...state };
    });
}

/** Seeded moves of all kinds; arcs end on their circles, well apart from their starts. */
function mix(seed: number, n: number, size = 300): Ops {
  const next = random(seed);
  let x = 0;
  let y = 0;
  const moves = Array.from({ length: n }, (_, i): Move => {
    const kind = i === 0 ? 0 : Math.floor(next() * 4);
    const power = Math.floor(next() * 4) / 3;
    const speed = next() < 0.8 ? 1000 : next() * 9000 + 1;
    if (kind >= 2) {
      const center = [x + next() * 20 - 10, y + next() * 20 - 10] as const;
      const radius = Math.hypot(x - center[0], y - center[1]);
      const angle = Math.atan2(y - center[1], x - center[0]) + 0.5 + next() * 5;
      x = center[0] + radius * Math.cos(angle);
      y = center[1] + radius * Math.sin(angle);
      return { kind, x, y, center, power, speed };
    }
    if (next() < 0.7) x = (next() - 0.5) * size;
    if (next() < 0.7) y = (next() - 0.5) * size;
    return { kind, x, y, power, speed };
  });
  return opsOf(moves);
}

test("encode writes a program, word by word", () => {
  const program = encode(
    opsOf([
      { kind: 0, x: 10, y: 20.5 },
      { kind: 1, x: 10.25, y: 20.5, power: 0.5, speed: 1200 },
      { kind: 1, x: 10.25, y: -3, power: 0.5, speed: 1200 },
      { kind: 3, x: 10.25, y: 7, center: [10.25, 2], power: 1, speed: 1200 },
      { kind: 0, x: 0, y: 0 },
      { kind: 1, x: 1, y: 1, power: 1, speed: 0.5 },
    ]),
    { maxPower: 255 },
  );
  assert.is(
    textOf(program),
    `${[
      "G21",
      "G90",
      "G17",
      "M4 S0",
      "G0 X10 Y20.5",
      "G1 X10.25 S128 F1200",
      "Y-3",
      "G3 X10.25 Y7 I0 J5 S255",
      "G0 X0 Y0",
      "G1 X1 Y1 F0.5",
      "M5 S0",
      "G0 X0 Y0",
      "M2",
    ].join("\n")}\n`,
  );
  assert.is(program.lines, 13);
  assert.equal([...program.lineOfOp], [4, 5, 6, 7, 8, 9]);
});

test("encode writes numbers short, and zero without a sign", () => {
  const numbers = [
    0, -0, 0.0004, -0.0004, 0.001, -0.001, 0.01, 0.1, 1, -1.5, 10, 100, 999.999, 1000, 1000.001,
  ];
  numbers.push(
    1001,
    10_000.5,
    100_000.25,
    999_999,
    1_000_000,
    1_002_003,
    -1_999_999.875,
    2_000_000,
    -2_000_000,
  );
  for (const number of numbers) {
    const [line] = write({ kind: 0, x: number, y: 0.5 });
    assert.is(line, `G0 X${decimal(thousandths(Math.fround(number)))} Y0.5`);
  }
  assert.equal(write({ kind: 0, x: -0.0004, y: -0 }), ["G0 X0 Y0"]);
  // ties of thousandths that a float can hold go to even
  assert.equal(write({ kind: 0, x: 0.0625, y: 0.1875 }), ["G0 X0.062 Y0.188"]);
});

test("encode equals a slow writer byte for byte on seeded moves", () => {
  for (let seed = 1; seed <= 60; seed++) {
    const n = [1, 2, 3, 63, 64, 65, 200, 511, 512, 513][seed % 10]!;
    const ops = mix(seed, n, seed % 3 === 0 ? 3_000_000 : 300);
    if (seed % 3 === 0) for (let i = 0; i < n; i++) ops.kinds[i]! &= 1;
    const options: EncodeOptions = {
      laserMode: seed % 2 === 0 ? "M3" : "M4",
      maxPower: [1, 255, 1000, 100_000][seed % 4]!,
      returnHome: seed % 5 !== 0,
    };
    const program = encode(ops, options);
    const expected = slow(ops, options);
    assert.is(textOf(program), expected.text, `seed ${seed}`);
    assert.is(program.lines, expected.lines);
    assert.equal([...program.lineOfOp], expected.lineOfOp);
  }
});

test("encode gives what it was given when the program is read back", () => {
  const ops = mix(77, 20_000);
  const program = encode(ops);
  const states = run(textOf(program));
  assert.is(states.length, program.lines);
  ops.kinds.forEach((kind, i) => {
    const state = states[program.lineOfOp[i]!]!;
    assert.ok(Math.abs(state.X! - ops.xy[2 * i]!) < 0.000501, `x of ${i}`);
    assert.ok(Math.abs(state.Y! - ops.xy[2 * i + 1]!) < 0.000501, `y of ${i}`);
    if (kind === 0) return;
    assert.ok(
      Math.abs(state.F! - ops.speed[i]!) < 0.000501 || program.lineOfOp[i] === program.lineOfOp[i - 1],
    );
    assert.ok(
      Math.abs(state.S! - ops.power[i]! * 1000) < 0.501 || program.lineOfOp[i] === program.lineOfOp[i - 1],
    );
  });
});

test("encode keeps lines within 79 characters of 7 bits", () => {
  const ops = opsOf([
    { kind: 0, x: -1_999_999.875, y: -1_999_999.875 },
    { kind: 1, x: -1_000_000.0625, y: -1_999_999.875, power: 1, speed: 999_999.9375 },
    {
      kind: 2,
      x: -1_000_000.0625,
      y: -111_111.125,
      center: [-1_000_000.0625, -1_055_555.5],
      speed: 111_111.1171,
    },
    {
      kind: 3,
      x: -1_000_000.0625,
      y: -1_999_999.875,
      center: [-1_000_000.0625, -1_055_555.5],
      power: 0.5,
      speed: 999_999,
    },
  ]);
  const { bytes } = encode(ops, { maxPower: 100_000 });
  assert.ok(bytes.every((byte) => byte === 10 || (byte >= 32 && byte < 127)));
  for (const line of Buffer.from(bytes).toString("latin1").split("\n")) assert.ok(line.length <= 79, line);
});

test("encode's kernel stays within its text, however long the lines", () => {
  for (const n of [1, 2, 63, 64, 65]) {
    const kinds = Uint8Array.from({ length: n }, (_, i) => (i === 0 ? 0 : 1 + (i % 3)));
    const sign = (i: number): number => (i % 2 === 0 ? 1 : -1);
    // every number of every line is as long as can be, and new
    const xy = Float32Array.from({ length: 2 * n + 2 }, (_, i) => -1_000_000.0625 - 64 * ((i >> 1) % 2));
    const centers = Float32Array.from({ length: 2 * n }, (_, i) => 1_000_000.1875 * sign(i >> 1));
    const power = Float32Array.from({ length: n }, (_, i) => 1 - (i % 2) / 2);
    const speed = Float32Array.from({ length: n }, (_, i) => 999_999.0625 - (i % 2));
    withEngine((engine) => {
      const table = engine.alloc(4000);
      engine.kernels.layDigits(table);
      const modal = engine.push(Int32Array.of(-(2 ** 31), -(2 ** 31), -1, -1, -1, 0, -(2 ** 31)));
      const at = [kinds, xy, centers, power, speed].map((array) => engine.push(array));
      const lines = engine.alloc(4 * n + 64);
      const text = engine.alloc(80 * n + 8 + 64);
      engine.u8(lines, 4 * n + 64).fill(0xa5);
      engine.u8(text, 80 * n + 8 + 64).fill(0xa5);
      const bytes = engine.kernels.writeOps(
        at[0]!,
        at[1]!,
        at[2]!,
        at[3]!,
        at[4]!,
        0 as never,
        n,
        100_000,
        modal,
        table,
        lines,
        text,
      );
      assert.ok(bytes <= 80 * n && bytes > 20 * n, `${bytes} bytes for ${n}`);
      assert.ok(
        engine
          .u8(lines, 4 * n + 64)
          .subarray(4 * n)
          .every((byte) => byte === 0xa5),
      );
      assert.ok(
        engine
          .u8(text, 80 * n + 8 + 64)
          .subarray(80 * n + 8)
          .every((byte) => byte === 0xa5),
      );
    });
  }
});

test("encode writes no line for a move that rounding leaves without motion", () => {
  const program = encode(
    opsOf([
      { kind: 0, x: 1, y: 1 },
      { kind: 1, x: 1.0001, y: 1, power: 0.2 },
      { kind: 1, x: 2, y: 1, power: 0.4 },
      { kind: 1, x: 2, y: 1.0004, power: 0.4 },
    ]),
  );
  assert.equal(bodyOf(program), ["G0 X1 Y1", "G1 X2 S400 F1000"]);
  assert.equal([...program.lineOfOp], [4, 4, 5, 5]);
});

test("encode never lets rounding turn a short arc into a full circle, nor a full circle into nothing", () => {
  const around = (kind: number, radius: number, from: number, to: number, x = 0, y = 0): string[] =>
    write(
      { kind: 0, x: x + radius * Math.cos(from), y: y + radius * Math.sin(from) },
      { kind, x: x + radius * Math.cos(to), y: y + radius * Math.sin(to), center: [x, y] },
    ).slice(1);
  // shorter than a thousandth: nothing to do
  assert.equal(around(3, 10, 0, 0.00001), []);
  // flat: a line
  assert.equal(around(3, 100, 0, 0.0001), ["G1 Y0.01 S1000 F1000"]);
  // a full circle, exact and nearly
  assert.equal(around(2, 10, 0, 0), ["G2 X10 Y0 I-10 J0 S1000 F1000"]);
  assert.equal(around(3, 10, 0, -0.00001), ["G3 X10 Y0 I-10 J0 S1000 F1000"]);
  assert.equal(around(2, 10, 0, 0.00001), ["G2 X10 Y0 I-10 J0 S1000 F1000"]);
  // smaller than the resolution
  assert.equal(around(3, 0.0002, 0, 3), []);

  // whatever the numbers, the turn that a controller makes of them is the turn that was meant
  const next = random(3);
  let arcs = 0;
  for (let i = 0; i < 20_000; i++) {
    const radius = 10 ** (next() * 7 - 4);
    const sweep = (next() < 0.5 ? next() * 2 * Math.PI : 10 ** (-9 * next())) + 1e-9;
    const [x, y] = [Math.fround(next() * 100), Math.fround(next() * 100)];
    const from = next() * 2 * Math.PI;
    const kind = next() < 0.5 ? 2 : 3;
    const sense = kind === 2 ? -1 : 1;
    const ops = opsOf([
      { kind: 0, x: x + radius * Math.cos(from), y: y + radius * Math.sin(from) },
      {
        kind,
        x: x + radius * Math.cos(from + sense * sweep),
        y: y + radius * Math.sin(from + sense * sweep),
        center: [x, y],
      },
    ]);
    const turn = (a: number, b: number, c: number, d: number): number => {
      const angle = sense * Math.atan2(a * d - b * c, a * c + b * d);
      return angle <= 0 ? angle + 2 * Math.PI : angle;
    };
    const [x0, y0, x1, y1] = ops.xy as unknown as [number, number, number, number];
    const meant = turn(x0 - x, y0 - y, x1 - x, y1 - y);
    const program = encode(ops);
    const states = run(textOf(program));
    const [start, end] = [states[4]!, states[program.lineOfOp[1]!]!];
    const made =
      end.G! < 2 ? 0 : turn(-end.I!, -end.J!, end.X! - start.X! - end.I!, end.Y! - start.Y! - end.J!);
    if (end.G! >= 2) arcs++;
    // on the arc, in mm; a turn of less than half a circle may have become a line
    const off =
      end.G! >= 2 ? Math.abs(made - meant) * radius : radius * (1 - Math.cos(Math.min(meant, Math.PI) / 2));
    assert.ok(off <= 0.004, `radius ${radius}, sweep ${sweep}: turned ${made}, meant ${meant}`);
  }
  assert.ok(arcs > 5000, `${arcs} arcs`);
});

test("encode finds the box and the time of all moves", () => {
  const { bounds, seconds } = encode(
    opsOf([
      { kind: 0, x: 3, y: 4, speed: 6000 },
      { kind: 1, x: 13, y: 4, speed: 600 },
      { kind: 3, x: 3, y: 4, center: [8, 4], speed: 300 },
      { kind: 2, x: 3, y: 4, center: [3, 2], speed: 100 },
    ]),
  );
  assert.equal(bounds, { minX: 1, minY: 0, maxX: 13, maxY: 9 });
  const expected = (5 / 6000 + 10 / 600 + (Math.PI * 5) / 300 + (Math.PI * 4) / 100) * 60;
  assert.ok(Math.abs(seconds - expected) < 1e-9, `${seconds}, ${expected}`);

  // against dense sampling
  for (let seed = 1; seed <= 30; seed++) {
    const ops = mix(seed, 40);
    const box = { minX: Infinity, minY: Infinity, maxX: -Infinity, maxY: -Infinity };
    let time = 0;
    let [x, y] = [0, 0];
    ops.kinds.forEach((kind, i) => {
      const [toX, toY] = [ops.xy[2 * i]!, ops.xy[2 * i + 1]!];
      const [cx, cy] = [ops.centers[2 * i]!, ops.centers[2 * i + 1]!];
      const radius = Math.hypot(x - cx, y - cy);
      const from = Math.atan2(y - cy, x - cx);
      let sweep = (Math.atan2(toY - cy, toX - cx) - from) * (kind === 2 ? -1 : 1);
      if (sweep < 0) sweep += 2 * Math.PI;
      const steps = kind < 2 ? 1 : 2000;
      for (let k = 1; k <= steps; k++) {
        const angle = from + ((kind === 2 ? -1 : 1) * sweep * k) / steps;
        const [px, py] =
          k === steps ? [toX, toY] : [cx + radius * Math.cos(angle), cy + radius * Math.sin(angle)];
        box.minX = Math.min(box.minX, px);
        box.maxX = Math.max(box.maxX, px);
        box.minY = Math.min(box.minY, py);
        box.maxY = Math.max(box.maxY, py);
        time += (Math.hypot(px - x, py - y) / ops.speed[i]!) * 60;
        [x, y] = [px, py];
      }
    });
    const program = encode(ops);
    for (const key of ["minX", "minY", "maxX", "maxY"] as const)
      assert.ok(Math.abs(program.bounds[key] - box[key]) < 1e-3, `seed ${seed}, ${key}`);
    assert.ok(Math.abs(program.seconds - time) < 1e-4 * time, `seed ${seed}: ${program.seconds}, ${time}`);
  }
});

test("encode writes head and tail for no moves", () => {
  const program = encode(newOps(0), { laserMode: "M3", returnHome: false });
  assert.is(textOf(program), "G21\nG90\nG17\nM3 S0\nM5 S0\nM2\n");
  assert.is(program.lines, 6);
  assert.is(program.seconds, 0);
  assert.equal(program.bounds, { minX: 0, minY: 0, maxX: 0, maxY: 0 });
});

test("encode refuses what breaks its contract, with the move's number", () => {
  const good: Move = { kind: 0, x: 1, y: 1 };
  const bad = (move: Partial<Move>): string =>
    messageOf(() => encode(opsOf([...Array<Move>(9000).fill(good), { kind: 1, x: 2, y: 2, ...move }, good])));
  assert.is(
    bad({ x: 2_000_001 }),
    "INVALID_ARGUMENT: Expected op 9000 to end within 2000000 mm of the origin, got (2000001, 2)",
  );
  assert.is(
    bad({ y: Number.NaN }),
    "INVALID_ARGUMENT: Expected op 9000 to end within 2000000 mm of the origin, got (2, NaN)",
  );
  assert.is(bad({ power: 1.5 }), "INVALID_ARGUMENT: Expected op 9000 to have a power of 0..1, got 1.5");
  assert.is(
    bad({ power: Number.NaN }),
    "INVALID_ARGUMENT: Expected op 9000 to have a power of 0..1, got NaN",
  );
  assert.is(
    bad({ speed: 0 }),
    "INVALID_ARGUMENT: Expected op 9000 to have a speed of 0.001..1000000 mm/min, got 0",
  );
  assert.is(bad({ kind: 4 }), "INVALID_ARGUMENT: Expected op 9000 to be of kind 0..3, got 4");
  assert.is(
    bad({ kind: 2, center: [1, 1] }),
    "INVALID_ARGUMENT: Expected op 9000 to end on its circle around (1, 1), at most 2000000 mm in radius, got (2, 2)",
  );
  assert.is(
    bad({ kind: 2, center: [Infinity, 1] }),
    "INVALID_ARGUMENT: Expected op 9000 to have its centre within 2000000 mm of the origin, got (Infinity, 1)",
  );
  assert.is(
    messageOf(() => encode(opsOf([{ kind: 1, x: 0, y: 0 }]))),
    "INVALID_ARGUMENT: Expected op 0 to be a travel (0), got kind 1",
  );
  assert.is(
    messageOf(() => encode({ ...newOps(2), speed: new Float32Array(1) })),
    "INVALID_ARGUMENT: Expected `ops.speed` to be a Float32Array of 2 numbers for 2 moves, got a Float32Array of 4 bytes",
  );
  assert.is(
    messageOf(() => encode(newOps(0), { laserMode: "M5" as never })),
    'INVALID_ARGUMENT: Expected `laserMode` to be one of "M4", "M3", got "M5"',
  );
  assert.is(
    messageOf(() => encode(newOps(0), { maxPower: 0.5 })),
    "INVALID_ARGUMENT: Expected `maxPower` to be an integer >= 1 and <= 100000, got 0.5",
  );
});

test.run();
