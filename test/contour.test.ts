import { readFileSync } from "node:fs";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { extract } from "../src/engine/contours.ts";
import type { Bitmap } from "../src/engine/image.ts";
import { Engine, type Pointer, Stages } from "../src/engine/memory.ts";
import { type Bits, bitsFrom, bitsOf, random, regionsOf } from "./oracle.ts";

const moduleOf = (path: string): WebAssembly.Module => new WebAssembly.Module(readFileSync(path));
const newMemory = (): WebAssembly.Memory =>
  new WebAssembly.Memory({ initial: 2, maximum: 16384, shared: true });
const release = new Engine(newMemory(), moduleOf("dist/kernels.wasm"));
const debug = new Engine(newMemory(), moduleOf("build/kernels-debug.wasm"));

interface Border {
  readonly points: readonly (readonly [number, number])[];
  readonly depth: number;
  /** Shoelace area, px^2: positive around black, negative around a hole. */
  readonly area: number;
}

function placeBits(engine: Engine, { width, height, black }: Bits): Bitmap {
  const words = Math.ceil(width / 64);
  const bytes = new Uint8Array(words * 8 * height);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++)
      if (black[y * width + x]) bytes[y * words * 8 + (x >> 3)]! |= 1 << (x & 7);
  return { at: engine.push(bytes), width, height, words };
}

function bordersOf(bits: Bits, despecklePx = 0, engine = release): Border[] {
  return engine.run((engine) => {
    const { contours, corners, ends, points, depth } = extract(
      engine,
      placeBits(engine, bits),
      { despecklePx },
      new Stages(),
      1,
    );
    const xy = engine.i32(points, 2 * corners);
    const stops = engine.u32(ends, contours);
    const depths = engine.u16(depth, contours);
    assert.is(corners, contours === 0 ? 0 : stops[contours - 1]);
    return Array.from(stops, (stop, i) => {
      const border: [number, number][] = [];
      for (let p = i === 0 ? 0 : stops[i - 1]!; p < stop; p++) border.push([xy[2 * p]!, xy[2 * p + 1]!]);
      return { points: border, depth: depths[i]!, area: areaOf(border) };
    });
  });
}

function areaOf(points: readonly (readonly [number, number])[]): number {
  let twice = 0;
  for (const [i, [x, y]] of points.entries()) {
    const [nextX, nextY] = points[(i + 1) % points.length]!;
    twice += x * nextY - nextX * y;
  }
  return twice / 2;
}

/** Walks every border pixel edge by pixel edge: black on the right, white on the left, no pixel edge twice or missing. */
function checkEdges({ width, height, black }: Bits, borders: readonly Border[]): void {
  const at = (x: number, y: number): number =>
    x < 0 || y < 0 || x >= width || y >= height ? 0 : black[y * width + x]!;
  const walked = new Uint8Array((width + 1) * (height + 1) * 2);
  let steps = 0;
  for (const { points } of borders) {
    for (const [i, [x0, y0]] of points.entries()) {
      const [x1, y1] = points[(i + 1) % points.length]!;
      const flat = i % 2 === 0;
      if ((x0 === x1) === flat || (y0 === y1) !== flat)
        throw new Error(`edge ${x0},${y0} to ${x1},${y1} is not ${flat ? "horizontal" : "vertical"}`);
      const dx = Math.sign(x1 - x0);
      const dy = Math.sign(y1 - y0);
      for (let x = x0, y = y0; x !== x1 || y !== y1; x += dx, y += dy) {
        const [left, top] = [Math.min(x, x + dx), Math.min(y, y + dy)];
        const [one, other] = flat ? [at(left, top), at(left, top - 1)] : [at(left, top), at(left - 1, top)];
        const [right, wrong] = dx > 0 || dy < 0 ? [one, other] : [other, one];
        if (right !== 1 || wrong !== 0) throw new Error(`no border at ${x},${y} going ${dx},${dy}`);
        const slot = 2 * (top * (width + 1) + left) + (flat ? 0 : 1);
        if (walked[slot]) throw new Error(`border at ${x},${y} walked twice`);
        walked[slot] = 1;
        steps++;
      }
    }
  }
  let expected = 0;
  for (let y = 0; y <= height; y++)
    for (let x = 0; x <= width; x++)
      expected += Number(at(x, y) !== at(x - 1, y)) + Number(at(x, y) !== at(x, y - 1));
  assert.is(steps, expected, "pixel edges on borders");
}

const text = (x: number, y: number, depth: number, area: number): string =>
  `at ${x}, ${y}: depth ${depth}, area ${area}`;

/** Compares with the flood fill: same regions in the same order, each with its place, area, colour and depth. */
function checkBorders(bits: Bits, despecklePx = 0, engine = release): Border[] {
  const borders = bordersOf(bits, despecklePx, engine);
  const regions = regionsOf(bits);
  const gone: boolean[] = [];
  for (const { parent, enclosed } of regions) gone.push(enclosed < despecklePx || (gone[parent] ?? false));
  const expected = regions
    .map(({ x, y, depth, enclosed }) => text(x, y, depth, depth % 2 === 0 ? enclosed : -enclosed))
    .filter((_, i) => !gone[i]);
  const got = borders.map(({ points: [first, second], depth, area }) => {
    return text(Math.min(first![0], second![0]), first![1], depth, area);
  });
  assert.equal(got, expected);
  if (despecklePx <= 1) {
    checkEdges(bits, borders);
    const blacks = bits.black.reduce((sum, pixel) => sum + pixel, 0);
    assert.is(
      borders.reduce((sum, { area }) => sum + area, 0),
      blacks,
      "areas add up to black pixels",
    );
  }
  return borders;
}

test("extract walks a ring around its hole", () => {
  const borders = bordersOf(bitsOf("####", "#..#", "####"));
  assert.equal(borders, [
    {
      points: [
        [0, 0],
        [4, 0],
        [4, 3],
        [0, 3],
      ],
      depth: 0,
      area: 12,
    },
    {
      points: [
        [3, 1],
        [1, 1],
        [1, 2],
        [3, 2],
      ],
      depth: 1,
      area: -2,
    },
  ]);
});

test("extract keeps black that touches by a corner apart, and joins white", () => {
  assert.is(bordersOf(bitsOf("#.", ".#")).length, 2);
  assert.is(bordersOf(bitsOf(".#", "#.")).length, 2);
  // the two white pixels inside touch by a corner: one hole
  const borders = bordersOf(bitsOf("####", "#.##", "##.#", "####"));
  assert.equal(
    borders.map(({ area }) => area),
    [16, -2],
  );
});

test("extract agrees with a flood fill on random bitmaps of many sizes", () => {
  const next = random(1);
  const sides = [1, 2, 3, 5, 8, 31, 63, 64, 65, 127, 128, 129];
  for (const width of sides) {
    for (const height of [1, 2, 3, 7, 33]) {
      for (const share of [0.02, 0.3, 0.5, 0.6, 0.9]) {
        const bits = bitsFrom(width, height, () => next() < share);
        checkBorders(bits);
        checkBorders(bits, 1 + Math.floor(next() * 8));
      }
    }
  }
});

test("extract agrees with a flood fill on blobs, whose regions nest", () => {
  const next = random(2);
  for (let round = 0; round < 30; round++) {
    const width = 40 + Math.floor(next() * 100);
    const height = 20 + Math.floor(next() * 80);
    const waves = Array.from({ length: 6 }, () => [next() - 0.5, next() - 0.5, next() * 7] as const);
    const bits = bitsFrom(width, height, (x, y) => {
      let sum = 0;
      for (const [u, v, phase] of waves) sum += Math.sin(u * x + v * y + phase);
      return sum > 0;
    });
    checkBorders(bits);
    for (const despecklePx of [2, 10, 50, 400]) checkBorders(bits, despecklePx);
  }
});

const shapes: Record<string, (n: number) => Bits> = {
  "all white": (n) => bitsFrom(n, n, () => false),
  "all black": (n) => bitsFrom(n, n, () => true),
  checkerboard: (n) => bitsFrom(n, n, (x, y) => (x + y) % 2 === 0),
  "the other checkerboard": (n) => bitsFrom(n, n, (x, y) => (x + y) % 2 === 1),
  "dots on a grid": (n) => bitsFrom(n, n, (x, y) => x % 2 === 0 && y % 2 === 0),
  "holes on a grid": (n) => bitsFrom(n, n, (x, y) => x % 2 === 0 || y % 2 === 0),
  "nested rings": (n) => bitsFrom(n, n, (x, y) => Math.min(x, y, n - 1 - x, n - 1 - y) % 2 === 0),
  serpentine: (n) => bitsFrom(n, n, (x, y) => y % 2 === 0 || x === (y % 4 === 1 ? n - 1 : 0)),
  comb: (n) => bitsFrom(n, n, (x, y) => y === 0 || x % 2 === 0),
  "comb from below": (n) => bitsFrom(n, n, (x, y) => y === n - 1 || x % 2 === 0),
  "vertical stripes": (n) => bitsFrom(n, n, (x) => x % 2 === 1),
  "horizontal stripes": (n) => bitsFrom(n, n, (_, y) => y % 2 === 1),
  "diagonal stripes": (n) => bitsFrom(n, n, (x, y) => Math.floor((7 * x + 3 * y) / 60) % 2 === 0),
  staircase: (n) => bitsFrom(n, n, (x, y) => x <= y),
  "a plus that touches all sides": (n) =>
    bitsFrom(n, n, (x, y) => Math.abs(2 * x + 1 - n) < 3 || Math.abs(2 * y + 1 - n) < 3),
  "a frame": (n) => bitsFrom(n, n, (x, y) => x === 0 || y === 0 || x === n - 1 || y === n - 1),
};

for (const [name, shape] of Object.entries(shapes)) {
  test(`extract agrees with a flood fill on ${name}`, () => {
    for (const n of [1, 2, 3, 4, 63, 64, 65, 128, 129]) {
      checkBorders(shape(n));
      checkBorders(shape(n), 5);
    }
  });
}

test("extract drops a speck with all that lies inside it", () => {
  const island = bitsOf(".......", ".#####.", ".#...#.", ".#.#.#.", ".#...#.", ".#####.", ".......");
  const areas = (despecklePx: number): number[] => bordersOf(island, despecklePx).map(({ area }) => area);
  assert.equal(areas(0), [25, -9, 1]);
  assert.equal(areas(1), [25, -9, 1]);
  assert.equal(areas(2), [25, -9]);
  assert.equal(areas(9), [25, -9]);
  assert.equal(areas(9.5), [25]);
  assert.equal(areas(25), [25]);
  assert.equal(areas(26), []);
});

test("extract finds as many borders, areas and corners in a mirrored or turned picture", () => {
  const next = random(3);
  for (const [width, height] of [
    [70, 50],
    [64, 64],
    [129, 17],
  ] as const) {
    const { black } = bitsFrom(width, height, () => next() < 0.55);
    const at = (x: number, y: number): boolean => black[y * width + x] === 1;
    const facts = (bits: Bits): unknown =>
      bordersOf(bits)
        .map(({ points, depth, area }) => `${depth} ${area} ${points.length}`)
        .sort();
    const expected = facts({ width, height, black });
    assert.equal(facts(bitsFrom(width, height, (x, y) => at(width - 1 - x, y))), expected);
    assert.equal(facts(bitsFrom(width, height, (x, y) => at(x, height - 1 - y))), expected);
    assert.equal(facts(bitsFrom(height, width, (x, y) => at(y, height - 1 - x))), expected);
  }
});

test("extract gives the same borders from the debug build", () => {
  const next = random(4);
  for (const share of [0.1, 0.5, 0.8]) {
    const bits = bitsFrom(130, 41, () => next() < share);
    assert.equal(bordersOf(bits, 3, debug), bordersOf(bits, 3));
    checkBorders(bits, 0, debug);
  }
});

test("the contour kernels stay within their buffers", () => {
  const next = random(5);
  const { kernels } = release;
  const GUARD = 64;
  for (const [width, height, share] of [
    [1, 1, 1],
    [64, 1, 0.5],
    [64, 64, 0.5],
    [65, 20, 0.5],
    [127, 9, 0.3],
    [128, 30, 0.9],
  ] as const) {
    release.run((engine) => {
      const guarded: [at: Pointer, bytes: number][] = [];
      const place = (bytes: number): Pointer => {
        engine.u8(engine.alloc(GUARD), GUARD).fill(0xa5);
        const at = engine.alloc(bytes);
        guarded.push([at, bytes]);
        // the guard begins with the first byte past the buffer, before any padding
        const rest = Math.ceil(bytes / 16) * 16 - bytes;
        engine.u8(engine.alloc(GUARD), GUARD).fill(0xa5);
        engine.u8((at + bytes) as Pointer, rest).fill(0xa5);
        return at;
      };
      const bits = bitsFrom(width, height, () => next() < share);
      const { at, words } = placeBits(engine, bits);
      const blank = place(words * 8);
      const count = kernels.countBorders(at, words, height, blank);
      const borders = Math.floor(count / 2);
      const [ends, depth, points] = [place(borders * 4), place(borders * 2), place(count * 16)];
      const [links, nest] = [place((count + 1) * 16), place(borders * 4)];
      const [open, tally] = [place((words * 64 + 2) * 4), place(16)];
      assert.is(kernels.linkBorders(at, words, height, blank, open, links), count);
      assert.ok(kernels.followBorders(links, count, 0, nest, tally, ends, points, depth) >= 0);
      for (const [at, bytes] of guarded) {
        const before = engine.u8((at - GUARD) as Pointer, GUARD);
        const after = engine.u8((at + bytes) as Pointer, GUARD);
        assert.ok(before.every((byte) => byte === 0xa5) && after.every((byte) => byte === 0xa5));
      }
    });
  }
});

test("extract leaves when it is canceled", () => {
  const next = random(6);
  const bits = bitsFrom(100, 100, () => next() < 0.5);
  const { kernels } = release;
  release.run((engine) => {
    const cancel = engine.i32(0 as Pointer, 1);
    const { at, words, height } = placeBits(engine, bits);
    const blank = engine.alloc(words * 8);
    const count = kernels.countBorders(at, words, height, blank);
    const [ends, depth, points] = [engine.alloc(count * 2), engine.alloc(count), engine.alloc(count * 16)];
    const [links, nest] = [engine.alloc((count + 1) * 16), engine.alloc(count * 2)];
    const [open, tally] = [engine.alloc((words * 64 + 2) * 4), engine.alloc(16)];
    cancel[0] = 1;
    try {
      assert.is(kernels.countBorders(at, words, height, blank), -1);
      assert.is(kernels.linkBorders(at, words, height, blank, open, links), -1);
    } finally {
      cancel[0] = 0;
    }
    assert.is(kernels.linkBorders(at, words, height, blank, open, links), count);
    cancel[0] = 1;
    try {
      assert.is(kernels.followBorders(links, count, 0, nest, tally, ends, points, depth), -1);
    } finally {
      cancel[0] = 0;
    }
  });
});

test("extract reports every row and edge", () => {
  const next = random(7);
  const bits = bitsFrom(200, 150, () => next() < 0.5);
  release.run((engine) => {
    const { kernels } = engine;
    const step = engine.i32(64 as Pointer, 1);
    const { at, words, height } = placeBits(engine, bits);
    const blank = engine.alloc(words * 8);
    const count = kernels.countBorders(at, words, height, blank);
    assert.is(step[0], 150);
    const [ends, depth, points] = [engine.alloc(count * 2), engine.alloc(count), engine.alloc(count * 16)];
    const [links, nest] = [engine.alloc((count + 1) * 16), engine.alloc(count * 2)];
    const [open, tally] = [engine.alloc((words * 64 + 2) * 4), engine.alloc(16)];
    step[0] = 0;
    kernels.linkBorders(at, words, height, blank, open, links);
    assert.is(step[0], 150);
    kernels.followBorders(links, count, 0, nest, tally, ends, points, depth);
    assert.is(step[0], count);
  });
});

test.run();
