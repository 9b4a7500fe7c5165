import { readFileSync } from "node:fs";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { type Borders, extract, TURNS, type Turn } from "../src/engine/contours.ts";
import { type Bitmap, type Image, toBitmap } from "../src/engine/image.ts";
import { Engine, type Pointer, Stages } from "../src/engine/memory.ts";
import {
  areaOf,
  type Bits,
  type Border,
  bitsFrom,
  bitsOf,
  checkEdges,
  joinsOf,
  random,
  regionsOf,
} from "./oracle.ts";

const moduleOf = (path: string): WebAssembly.Module => new WebAssembly.Module(readFileSync(path));
const newMemory = (): WebAssembly.Memory =>
  new WebAssembly.Memory({ initial: 2, maximum: 16384, shared: true });
const release = new Engine(newMemory(), moduleOf("dist/kernels.wasm"));
const debug = new Engine(newMemory(), moduleOf("build/kernels-debug.wasm"));

function placeBits(engine: Engine, { width, height, black }: Bits): Bitmap {
  const words = Math.ceil(width / 64);
  const bytes = new Uint8Array(words * 8 * height);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++)
      if (black[y * width + x]) bytes[y * words * 8 + (x >> 3)]! |= 1 << (x & 7);
  return { at: engine.push(bytes), width, height, words };
}

function bordersOf(bits: Bits, despecklePx = 0, engine = release, turn: Turn = "white"): Border[] {
  return engine.run((engine) => {
    const { contours, corners, ends, points, depth } = extract(
      engine,
      placeBits(engine, bits),
      { despecklePx, turn },
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

const text = (x: number, y: number, depth: number, area: number): string =>
  `at ${x}, ${y}: depth ${depth}, area ${area}`;

/** Compares with the flood fill: same regions in the same order, each with its place, area, colour and depth. */
function checkBorders(bits: Bits, despecklePx = 0, engine = release, turn: Turn = "white"): Border[] {
  const borders = bordersOf(bits, despecklePx, engine, turn);
  const regions = regionsOf(bits, joinsOf(bits, turn));
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

test("extract joins what the turn policy says, where two black pixels touch by a corner", () => {
  const counts = (bits: Bits): number[] => TURNS.map((turn) => bordersOf(bits, 0, release, turn).length);
  // few black pixels around: they are the minority
  assert.equal(TURNS, ["white", "black", "majority", "minority"]);
  assert.equal(counts(bitsOf("#.", ".#")), [2, 1, 2, 1]);
  assert.equal(counts(bitsOf(".#", "#.")), [2, 1, 2, 1]);
  // few white ones: two holes if black joins, else one
  const holes = bitsFrom(12, 12, (x, y) => !((x === 5 && y === 5) || (x === 6 && y === 6)));
  assert.equal(counts(holes), [2, 3, 3, 2]);
  // a tie: 32 black pixels of the 8 x 8 around, white joins
  const half = bitsFrom(8, 8, (x, y) => y < 4 !== x < 4);
  assert.equal(counts(half), [2, 1, 2, 2]);
  // the walk around both pixels goes on at the corner where they touch
  const [joined] = bordersOf(bitsOf(".#", "#."), 0, release, "black");
  assert.equal(joined, {
    points: [
      [1, 0],
      [2, 0],
      [2, 1],
      [1, 1],
      [1, 2],
      [0, 2],
      [0, 1],
      [1, 1],
    ],
    depth: 0,
    area: 2,
  });
});

test("extract agrees with a flood fill for each turn policy", () => {
  const next = random(8);
  for (const turn of TURNS) {
    for (const width of [1, 2, 3, 8, 63, 64, 65, 129])
      for (const height of [1, 2, 5, 33])
        for (const share of [0.3, 0.5, 0.7]) {
          const bits = bitsFrom(width, height, () => next() < share);
          checkBorders(bits, 0, release, turn);
          checkBorders(bits, 1 + Math.floor(next() * 8), release, turn);
        }
    for (const name of ["checkerboard", "the other checkerboard", "dots on a grid", "diagonal stripes"])
      for (const n of [2, 3, 7, 63, 64, 65, 130]) checkBorders(shapes[name]!(n), 0, release, turn);
    // coarser boards, whose crossings lie at all places within a word; more black than white
    for (const side of [2, 3, 5])
      for (const x0 of [0, 1, 2]) {
        const board = bitsFrom(140, 40, (x, y) => {
          const [u, v] = [Math.floor((x + x0) / side), Math.floor(y / side)];
          return (u + v) % 2 === 0 || (u % 5 === 0 && v % 3 === 0);
        });
        checkBorders(board, 0, release, turn);
        assert.equal(bordersOf(board, 0, debug, turn), bordersOf(board, 0, release, turn));
      }
  }
});

test("extract nests borders as a count of the borders around a pixel says, for each turn policy", () => {
  const next = random(9);
  for (const turn of TURNS) {
    let deepest = 0;
    for (let round = 0; round < 6; round++) {
      const grain = 1 + (round % 3);
      const rough = bitsFrom(60, 40, () => next() < 0.5);
      const bits = bitsFrom(
        60,
        40,
        (x, y) => rough.black[Math.floor(y / grain) * 60 + Math.floor(x / grain)] === 1,
      );
      const borders = bordersOf(bits, 0, release, turn);
      deepest = Math.max(deepest, ...borders.map(({ depth }) => depth));
      for (const { points, depth } of borders) {
        const [x, y] = [Math.min(points[0]![0], points[1]![0]) + 0.5, points[0]![1] + 0.5];
        const around = borders.filter((other) => {
          let inside = false;
          for (const [i, [x1, y1]] of other.points.entries()) {
            const [, y0] = other.points.at(i - 1)!;
            if (y0 > y !== y1 > y && x1 < x) inside = !inside;
          }
          return inside;
        });
        assert.is(around.length, depth + 1);
      }
    }
    assert.ok(deepest > 1);
  }
});

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

/** What stays the same when a picture is turned over. */
const factsOf = (borders: readonly Border[]): string[] =>
  borders.map(({ points, depth, area }) => `${depth} ${area} ${points.length}`).sort();

test("extract: black joined in a picture is white joined in its negative", () => {
  const next = random(10);
  const grain = bitsFrom(90, 50, () => next() < 0.5);
  const inner = (x: number, y: number): boolean => x > 0 && y > 0 && x < 89 && y < 49;
  const picture = bitsFrom(90, 50, (x, y) => inner(x, y) && grain.black[y * 90 + x] === 1);
  const negative = bitsFrom(90, 50, (x, y) => picture.black[y * 90 + x] === 0);
  for (const [turn, other] of [
    ["black", "white"],
    ["white", "black"],
  ] as const) {
    const frame = { points: [0, 1, 2, 3].map(() => [0, 0] as const), depth: 0, area: 90 * 50 };
    const inside = bordersOf(picture, 0, release, turn).map(({ points, depth, area }) => ({
      points,
      depth: depth + 1,
      area: -area,
    }));
    assert.equal(factsOf(bordersOf(negative, 0, release, other)), factsOf([frame, ...inside]));
  }
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
    for (const turn of TURNS) {
      const facts = (bits: Bits): string[] => factsOf(bordersOf(bits, 0, release, turn));
      const expected = facts({ width, height, black });
      assert.equal(facts(bitsFrom(width, height, (x, y) => at(width - 1 - x, y))), expected);
      assert.equal(facts(bitsFrom(width, height, (x, y) => at(x, height - 1 - y))), expected);
      assert.equal(facts(bitsFrom(height, width, (x, y) => at(y, height - 1 - x))), expected);
    }
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
      const shift = 32 - Math.clz32(width);
      const count = kernels.countBorders(at, words, height, blank);
      const borders = Math.floor(count / 2);
      const [ends, depth, points] = [place(borders * 4), place(borders * 2), place(count * 16)];
      const [links, beside] = [place((count + 1) * 8), place((count + 1) * 4)];
      const nest = place(borders * 4);
      const [open, tally] = [place((words * 64 + 2) * 4), place(16)];
      assert.is(kernels.linkBorders(at, words, height, blank, shift, 0, open, links, beside), count);
      assert.ok(kernels.followBorders(links, count, beside, shift, 0, nest, tally, ends, points, depth) >= 0);
      for (const [at, bytes] of guarded) {
        const before = engine.u8((at - GUARD) as Pointer, GUARD);
        const after = engine.u8((at + bytes) as Pointer, GUARD);
        assert.ok(before.every((byte) => byte === 0xa5) && after.every((byte) => byte === 0xa5));
      }
    });
  }
});

/** The kernels one by one, up to the links. */
function linked(engine: Engine, bits: Bits) {
  const { kernels } = engine;
  const { at, words, height } = placeBits(engine, bits);
  const blank = engine.alloc(words * 8);
  const shift = 32 - Math.clz32(bits.width);
  const countEdges = (): number => kernels.countBorders(at, words, height, blank);
  const count = countEdges();
  const [ends, depth, points] = [engine.alloc(count * 2), engine.alloc(count), engine.alloc(count * 16)];
  const [links, beside] = [engine.alloc((count + 1) * 8), engine.alloc((count + 1) * 4)];
  const nest = engine.alloc(count * 2);
  const [open, tally] = [engine.alloc((words * 64 + 2) * 4), engine.alloc(16)];
  const link = (): number => kernels.linkBorders(at, words, height, blank, shift, 0, open, links, beside);
  const follow = (): number =>
    kernels.followBorders(links, count, beside, shift, 0, nest, tally, ends, points, depth);
  assert.is(link(), count);
  return { count, countEdges, link, follow };
}

test("the contour kernels leave when they are canceled", () => {
  const next = random(6);
  release.run((engine) => {
    const { countEdges, link, follow } = linked(
      engine,
      bitsFrom(100, 100, () => next() < 0.5),
    );
    const cancel = engine.i32(0 as Pointer, 1);
    cancel[0] = 1;
    try {
      assert.is(countEdges(), -1);
      assert.is(link(), -1);
    } finally {
      cancel[0] = 0;
    }
    link();
    cancel[0] = 1;
    try {
      assert.is(follow(), -1);
    } finally {
      cancel[0] = 0;
    }
  });
});

test("the contour kernels report every row and edge", () => {
  const next = random(7);
  release.run((engine) => {
    const { count, countEdges, link, follow } = linked(
      engine,
      bitsFrom(200, 150, () => next() < 0.5),
    );
    const step = engine.i32(64 as Pointer, 1);
    countEdges();
    assert.is(step[0], 150);
    step[0] = 0;
    link();
    assert.is(step[0], 150);
    follow();
    assert.is(step[0], count);
  });
});

function extractGray(engine: Engine, image: Image, despecklePx: number): Borders {
  const stages = new Stages();
  const { bitmap } = toBitmap(engine, image, { threshold: 128, invert: false }, stages, 0.5);
  return extract(engine, bitmap, { despecklePx }, stages, 0.5);
}

test("extract takes 24 megapixels in 2 bits a pixel and 24 bytes a corner", () => {
  const [width, height] = [6000, 4000];
  const data = new Uint8Array(width * height).fill(255);
  // in each cell of 16 x 16 a square of 8 x 8 with a hole of 2 x 2
  const edge = Uint8Array.from({ length: width }, (_, x) => (x % 16 >= 4 && x % 16 < 12 ? 0 : 255));
  const middle = edge.map((value, x) => (x % 16 === 7 || x % 16 === 8 ? 255 : value));
  for (let y = 0; y < height; y++)
    if (y % 16 >= 4 && y % 16 < 12) data.set(y % 16 === 7 || y % 16 === 8 ? middle : edge, y * width);
  const engine = new Engine(newMemory(), moduleOf("dist/kernels.wasm"));
  engine.run((engine) => {
    const borders = extractGray(engine, { width, height, data }, 2);
    const cells = (width / 16) * (height / 16);
    assert.is(borders.contours, 2 * cells);
    assert.is(borders.corners, 8 * cells);
    // the arena grows by a quarter at least
    const most = 1.25 * (width * height * (2 / 8) + 24 * borders.corners);
    assert.ok(engine.memory.buffer.byteLength < most);

    const points = engine.i32(borders.points, 2 * borders.corners);
    const depth = engine.u16(borders.depth, borders.contours);
    const ends = engine.u32(borders.ends, borders.contours);
    let area = 0;
    let holes = 0;
    for (let i = 0; i < borders.contours; i++) {
      if (ends[i] !== 4 * (i + 1)) throw new Error(`border ${i} ends at ${ends[i]}`);
      holes += depth[i]!;
      const [x0, y0, , , x2, y2] = points.subarray(8 * i, 8 * i + 6);
      area += (x2! - x0!) * (y2! - y0!);
    }
    assert.is(holes, cells);
    assert.is(area, cells * (64 - 4));
    assert.equal(Array.from(points.subarray(-8)), [5993, 3991, 5991, 3991, 5991, 3993, 5993, 3993]);
  });
});

/** Remembers how far its arena reached. */
class Watched extends Engine {
  highest = 0;
  override alloc(bytes: number): Pointer {
    const at = super.alloc(bytes);
    this.highest = Math.max(this.highest, this.mark());
    return at;
  }
}

test("extract: bits and borders reach no higher than 2 bits a pixel and 24 bytes a corner", () => {
  const next = random(11);
  const engine = new Watched(newMemory(), moduleOf("dist/kernels.wasm"));
  const pictures: [string, Bits][] = [
    ["all white", bitsFrom(1000, 700, () => false)],
    ["all black", bitsFrom(1001, 700, () => true)],
    ["noise", bitsFrom(1024, 768, () => next() < 0.5)],
    ["checkerboard", bitsFrom(640, 480, (x, y) => (x + y) % 2 === 0)],
    ["a million dots", bitsFrom(2000, 2000, (x, y) => x % 2 === 0 && y % 2 === 0)],
    ["a few dots", bitsFrom(2000, 1500, (x, y) => x % 50 === 0 && y % 50 === 0)],
    // the row outside and the open edges of a row take 33 bits a column
    ["the least height", bitsFrom(3000, 35, () => false)],
    // rows are whole words of 64 pixels
    ["the least width", bitsFrom(33, 4000, () => false)],
  ];
  for (const [name, bits] of pictures)
    for (const turn of TURNS)
      engine.run((engine) => {
        const start = engine.mark();
        (engine as Watched).highest = start;
        const bitmap = placeBits(engine, bits);
        const { corners } = extract(engine, bitmap, { despecklePx: 0, turn }, new Stages(), 1);
        const used = (engine as Watched).highest - start;
        const most = (bits.width * bits.height * 2) / 8 + 24 * corners + 512;
        assert.ok(used <= most, `${name}: ${used} bytes, at most ${most}`);
        if (name === "a million dots") assert.ok(used <= 150e6);
      });
});

test("extract takes one row of 24 million pixels, and one column of two million", () => {
  for (const [width, height] of [
    [24_000_000, 1],
    [1, 2_000_000],
  ] as const) {
    const long = width * height;
    const data = new Uint8Array(long).map((_, i) => (i % 1000 < 500 || i === long - 1 ? 0 : 255));
    release.run((engine) => {
      const { contours, corners, points } = extractGray(engine, { width, height, data }, 0);
      assert.is(contours, long / 1000 + 1);
      const last = engine.i32(points, 2 * corners).subarray(-8);
      const [x0, y0, , , x2, y2] = last;
      assert.equal([x0, y0, x2, y2], [width - 1, height - 1, width, height]);
    });
  }
});

const longComb = bitsFrom(20_001, 3, (x, y) => y === 0 || x % 2 === 0);

test("extract follows a border that is longer than what it follows at a time", () => {
  assert.is(checkBorders(longComb).length, 1);
});

test("followBorders leaves in the middle of a long border, or of many, when it is canceled", () => {
  // in the second, all borders begin in the first row
  const zigzags = bitsFrom(1000, 400, (x, y) => (x + (y % 2)) % 4 < 2);
  for (const bits of [longComb, zigzags]) {
    release.run((engine) => {
      const { count, follow } = linked(engine, bits);
      const [cancel, step] = [engine.i32(0 as Pointer, 1), engine.i32(64 as Pointer, 1)];
      cancel[0] = 1;
      try {
        assert.is(follow(), -1);
      } finally {
        cancel[0] = 0;
      }
      assert.ok(count > 20_000);
      assert.ok(step[0]! >= 1024 && step[0]! < 2048);
    });
  }
});

test.run();
