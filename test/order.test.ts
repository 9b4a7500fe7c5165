import { measure, type OrderOptions, order, type Paths } from "kerfwork";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { type Engine, type Pointer, withEngine } from "../src/engine/memory.ts";
import {
  blob,
  check,
  lists,
  messageOf,
  nestings,
  type Points,
  paths,
  random,
  segments,
  square,
  travel,
} from "./tours.ts";

test("order runs through a row of lines without turning back", () => {
  const row: Points[] = [
    [
      [30, 0],
      [40, 0],
    ],
    [
      [20, 0],
      [10, 0],
    ],
    [
      [50, 0],
      [60, 0],
    ],
  ];
  const result = check(paths(row));
  assert.equal([...result.order], [1, 0, 2]);
  assert.equal([...result.reversed], [1, 0, 0]);
  assert.is(result.travel, 30);
  assert.is(result.before, 30 + 20 + 40);
});

test("order enters a closed path at the vertex nearest on the way", () => {
  const result = check(paths([square(10, 10, 5)]), { start: [20, 20] });
  assert.equal(lists(result.paths)[0]![0], [15, 15]);
  assert.is(result.travel, Math.hypot(5, 5));
});

test("order runs holes and marks before the outline around them, and outlines part by part", () => {
  const parts = [0, 100, 200].flatMap((x) => [
    square(x, 0, 50),
    square(x + 10, 10, 10),
    square(x + 12, 12, 5),
    [
      [x + 30, 30],
      [x + 40, 40],
    ],
  ]);
  const result = check(paths(parts));
  assert.equal(nestings(parts).length, 12);
  // no part is left half done: its outline follows before the next part begins
  assert.equal(
    Array.from(result.order, (path) => path >> 2),
    [0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2],
  );
});

test("order without insideFirst may run the outline first", () => {
  const nest = [square(0, 0, 50), square(60, 20, 1), square(24, 24, 2)];
  assert.ok(order(paths(nest), { insideFirst: false, start: [0, 0] }).travel < check(paths(nest)).travel);
});

test("order keeps all rules on seeded mixes of crossing outlines, holes, lines and dots", () => {
  for (let seed = 1; seed <= 40; seed++) {
    const next = random(seed);
    const n = [0, 1, 2, 3, 20, 63, 64, 65, 150][seed % 9]!;
    const mix = Array.from({ length: n }, (): Points => {
      const kind = next();
      const [x, y] = [next() * 60, next() * 60];
      if (kind < 0.6)
        return blob(next, x, y, next() < 0.3 ? 30 * next() : 3 * next(), 3 + Math.floor(next() * 20));
      if (kind < 0.9) return segments(next, 1, 60)[0]!;
      if (kind < 0.95) return [[x, y]];
      return [];
    });
    check(paths(mix), {
      insideFirst: seed % 4 !== 0,
      flip: seed % 3 !== 0,
      ...(seed % 2 === 0 ? { end: [0, 0] as const } : {}),
    });
  }
});

test("order is never longer than the given order where that one is allowed", () => {
  for (let seed = 1; seed <= 60; seed++) {
    const next = random(seed);
    const row = Array.from({ length: 12 }, (_, i) => [
      [i * 3 + next(), next()],
      [i * 3 + 1 + next(), next()],
    ]);
    const result = check(paths(row), { flip: seed % 2 === 0 });
    assert.ok(result.travel <= result.before + 1e-6, `seed ${seed}`);
  }
});

test("order does not depend on the order in which far apart parts are given, as to its length", () => {
  const next = random(5);
  const some = segments(next, 200);
  const forth = check(paths(some), { end: [0, 0] }).travel;
  const back = check(paths([...some].reverse()), { end: [0, 0] }).travel;
  assert.ok(Math.abs(forth - back) < 0.1 * forth);
  assert.equal(order(paths(some)), order(paths(some)), "equal input, equal output");
});

test("order handles nested rings by the thousand, and rings within rings that touch nothing", () => {
  const n = 3000;
  const rings = Array.from({ length: n }, (_, i) => square(-i - 1, -i - 1, 2 * i + 2));
  const shuffled = rings.map((_, i) => rings[(i * 1009) % n]!);
  const { order: places } = order(paths(shuffled));
  assert.equal(
    Array.from(places, (path) => (path * 1009) % n),
    rings.map((_, i) => i),
  );
});

test("order stands degenerate input", () => {
  check(paths([]));
  assert.equal(order({ ends: new Uint32Array(0), xy: new Float32Array(0) }).travel, 0);
  check(paths([[], [], []]));
  check(paths([[[3, 4]]]));
  assert.is(order(paths([[[3, 4]]])).travel, 5);
  const still: Points = [
    [1, 1],
    [1, 1],
  ];
  check(paths([still, still, [], still]));
  check(paths(Array.from({ length: 70 }, () => [[2, 2]])));
  check(paths(Array.from({ length: 65 }, (_, i) => [[(i * 37) % 65, 0]])));
  check(paths(Array.from({ length: 65 }, (_, i) => [[0, (i * 37) % 65]])));
  check(paths(Array.from({ length: 9 }, () => square(0, 0, 5))));
  // where rounding of lengths is coarser than any gain that counts
  for (const size of [1e9, 1e20, 1e36]) {
    const wide = segments(random(8), 400, 100).map((list) => list.map(([x, y]) => [x! * size, y! * size]));
    check(paths(wide), { end: [0, 0] });
    check(paths(wide.map((list, i) => (i % 2 === 0 ? list : [...list, list[0]!]))));
  }
  // crowds in two far corners, and a speck farther away
  const next = random(4);
  const crowd = Array.from({ length: 300 }, (_, i) => blob(next, 1000 * (i % 2) + next(), next(), 0.01, 4));
  check(paths([...crowd, [[1e6, -1e6]]]));
  check(
    paths([
      [
        [-3e38, 3e38],
        [3e38, -3e38],
      ],
      [
        [1e-40, 1e-40],
        [2e-40, 0],
      ],
    ]),
  );
});

test("order works on 100,000 tiny paths", () => {
  const next = random(9);
  const n = 100_000;
  const xy = new Float32Array(8 * n);
  const ends = new Uint32Array(n);
  for (let i = 0; i < n; i++) {
    // every other path is a closed triangle, the others are open lines of 4 points
    const [x, y] = [next() * 500, next() * 500];
    xy.set([x, y, x + 0.2, y, x, y + 0.2, ...(i % 2 === 0 ? [x, y] : [x + 0.3, y + 0.3])], 8 * i);
    ends[i] = 4 * (i + 1);
  }
  const result = order({ ends, xy });
  const seen = new Uint8Array(n);
  for (const path of result.order) seen[path]!++;
  assert.ok(seen.every((times) => times === 1));
  assert.ok(Math.abs(result.travel - travel(lists(result.paths))) < 1e-3);
  assert.ok(Math.abs(measure(result.paths).length - measure({ ends, xy }).length) < 1e-3);
  assert.ok(result.travel < result.before / 100);
});

/** Runs `body` with guard bytes behind everything that the engine hands out, and `fill` in it. */
function guarded(fill: number, body: () => void): number {
  const GUARD = 64;
  let engine!: Engine;
  withEngine((own) => (engine = own));
  const { alloc, release } = engine;
  let guards: Pointer[] = [];
  let checked = 0;
  const inspect = (from: number): void => {
    for (const at of guards.filter((guard) => guard >= from)) {
      assert.ok(
        engine.u8(at, GUARD).every((byte) => byte === 0xa5),
        `bytes behind a buffer are whole`,
      );
      checked++;
    }
    guards = guards.filter((guard) => guard < from);
  };
  engine.alloc = (bytes) => {
    const at = alloc.call(engine, bytes + GUARD);
    const guard = (at + bytes) as Pointer;
    engine.u8(at, bytes).fill(fill);
    engine.u8(guard, GUARD).fill(0xa5);
    guards.push(guard);
    return at;
  };
  engine.release = (to) => {
    inspect(to);
    release.call(engine, to);
  };
  try {
    body();
    inspect(0);
  } finally {
    engine.alloc = alloc;
    engine.release = release;
  }
  return checked;
}

test("order's kernels stay within their buffers, and what lay there before changes nothing", () => {
  const next = random(21);
  const hold = (given: Paths, options: OrderOptions): void => {
    const results: unknown[] = [];
    const run = (): void => void results.push(order(given, options));
    const checked = guarded(0, run) + guarded(0xff, run);
    assert.equal(results[0], results[1]);
    assert.ok(checked >= 20, `${checked} buffers`);
  };
  for (const n of [0, 1, 2, 3, 7, 64, 200]) {
    const closed = Array.from({ length: n }, () => blob(next, next() * 50, next() * 50, 20 * next(), 5));
    for (const mix of [
      segments(next, n, 50),
      closed,
      [...closed, ...segments(next, n, 50)],
      closed.map((list) => list.slice(0, 1)),
    ]) {
      const given = paths(mix);
      const groups = Uint32Array.from(mix, (_, i) => i % 3);
      const units = Uint32Array.from(mix, (_, i) => i >> 1);
      hold(given, {});
      hold(given, { flip: false, end: [1, 1], kicks: 20 });
      hold(given, { groups, keepOrder: [1] });
      hold(given, { units, insideFirst: false });
    }
  }
  // longer than the stretches that the rules let be turned
  hold(paths(segments(next, 3000, 200)), { kicks: 40 });
});

test("order refuses what breaks its contract", () => {
  const one = paths([square(0, 0, 1)]);
  assert.is(
    messageOf(() => order(one, { start: [0, Number.NaN] })),
    "INVALID_ARGUMENT: Expected `start` to be [x, y], two finite numbers, got [0, NaN]",
  );
  assert.is(
    messageOf(() => order(one, { flip: 1 as never })),
    "INVALID_ARGUMENT: Expected `flip` to be true or false, got 1",
  );
  assert.is(
    messageOf(() => order(one, { inner: true } as never)),
    'INVALID_ARGUMENT: Expected `options` to be an object with no other names than start, end, insideFirst, flip, groups, keepOrder, units, kicks, budgetMs, got "inner"',
  );
  assert.is(
    messageOf(() => order({ ends: Uint32Array.of(2), xy: Float32Array.of(0, 0, Number.NaN, 1) })),
    "INVALID_ARGUMENT: Expected path 0, point 1 to be finite, got (NaN, 1)",
  );
});

test("measure sums up and names the point that is not finite", () => {
  assert.equal(measure(paths([square(1, 2, 3), [[9, -1]], []])), {
    paths: 3,
    points: 6,
    length: 12,
    bounds: { minX: 1, minY: -1, maxX: 9, maxY: 5 },
  });
  assert.equal(measure(paths([])).bounds, { minX: 0, minY: 0, maxX: 0, maxY: 0 });
  const many = paths(Array.from({ length: 20 }, () => square(0, 3, 1)));
  many.xy[2 * (17 * 5 + 4)] = Number.NaN;
  assert.is(
    messageOf(() => measure(many)),
    "INVALID_ARGUMENT: Expected path 17, point 4 to be finite, got (NaN, 3)",
  );
  assert.is(
    messageOf(() => measure({ ends: Uint32Array.of(2, 1), xy: new Float32Array(2) })),
    "INVALID_ARGUMENT: Expected `paths.ends[1]` to be >= 2, the end before it, got 1",
  );
  assert.is(
    messageOf(() => measure({ ends: Uint32Array.of(2), xy: new Float32Array(2) })),
    'INVALID_ARGUMENT: Expected `paths.xy` to be 2 numbers for each of 2 points, got "2 numbers"',
  );
});

test.run();
