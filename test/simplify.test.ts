import { type Paths, simplify } from "kerfwork";
import { test } from "uvu";
import * as assert from "uvu/assert";
import type { Engine } from "../src/engine/memory.ts";
import { random } from "./oracle.ts";
import { distanceTo, type Point } from "./outline.ts";
import {
  assertRefusals,
  debug,
  Guards,
  listsOf,
  messageOf,
  NONE,
  pathsOf,
  release,
  same,
  walk,
  whileCanceled,
} from "./polylines.ts";

const isRing = (points: readonly Point[]): boolean => points.length > 1 && same(points[0]!, points.at(-1)!);

/**
 * The worst distance of a dropped point from the line of the two kept points around it. Kept points are found again in
 * order; where points repeat, the way with the least error counts.
 */
function errorOf(all: readonly Point[], kept: readonly Point[]): number {
  let from = all;
  if (isRing(all)) {
    const first = all.findIndex((p) => same(p, kept[0]!));
    from = [...all.slice(first, -1), ...all.slice(0, first + 1)];
  }
  assert.ok(same(from[0]!, kept[0]!) && same(from.at(-1)!, kept.at(-1)!), "ends stay");
  // best[i]: the least error when point i is the last kept one found
  let best = new Map([[0, 0]]);
  for (let k = 1; k < kept.length; k++) {
    const next = new Map<number, number>();
    for (const [start, error] of best) {
      let worst = error;
      for (let i = start + 1; i < from.length; i++) {
        if (same(from[i]!, kept[k]!)) next.set(i, Math.min(next.get(i) ?? Infinity, worst));
        worst = Math.max(worst, distanceTo([kept[k - 1]!, kept[k]!], from[i]!));
      }
    }
    best = next;
  }
  const error = best.get(from.length - 1);
  assert.ok(error !== undefined, "kept points are points of the path, in their order");
  return error!;
}

function assertBound(paths: Paths, tolerance: number): Point[][] {
  const before = listsOf(paths);
  const after = listsOf(simplify(paths, { tolerance }));
  assert.is(after.length, before.length);
  for (const [i, kept] of after.entries()) {
    if (before[i]!.length < 2) assert.equal(kept, before[i]!);
    else {
      const error = errorOf(before[i]!, kept);
      assert.ok(error <= tolerance * (1 + 1e-12), `path ${i}: ${error} beyond ${tolerance}`);
    }
  }
  return after;
}

/** Douglas and Peucker, as they wrote it. */
function oracle(points: readonly Point[], tolerance: number): Point[] {
  const [a, b] = [points[0]!, points.at(-1)!];
  let worst = tolerance;
  let at = 0;
  for (let i = 1; i < points.length - 1; i++) {
    const off = same(a, b)
      ? Math.hypot(points[i]![0] - a[0], points[i]![1] - a[1])
      : distanceTo([a, b], points[i]!);
    if (off > worst) {
      worst = off;
      at = i;
    }
  }
  if (at === 0) return [a, b];
  return [...oracle(points.slice(0, at + 1), tolerance), ...oracle(points.slice(at), tolerance).slice(1)];
}

test("simplify drops what lies near a line, and nothing else", () => {
  const paths = pathsOf([
    [0, 0],
    [5, 0.01],
    [10, 0],
    [10, 0.1],
    [10, 10],
  ]);
  assert.equal(listsOf(simplify(paths)), [
    [
      [0, 0],
      [10, 0],
      [10, 10],
    ],
  ]);
  assert.equal(simplify(paths, { tolerance: 0.001 }).ends[0], 4);
});

test("simplify keeps what Douglas and Peucker keep on open paths", () => {
  for (let seed = 1; seed <= 30; seed++) {
    const points = walk(seed, 20 + 10 * seed, 1);
    for (const tolerance of [0.01, 0.1, 1, 10]) {
      const [kept] = assertBound(pathsOf(points), tolerance);
      assert.equal(kept, oracle(points, tolerance));
    }
  }
});

test("simplify holds its bound on closed paths and does not mind where they start or which way they run", () => {
  for (let seed = 1; seed <= 20; seed++) {
    const ring = walk(seed, 150, 1, true);
    const turned = [...ring.slice(40, -1), ...ring.slice(0, 41)];
    const name = (points: readonly Point[]): string[] => points.slice(1).map(String).sort();
    for (const tolerance of [0.05, 0.5, 5]) {
      const [kept, keptTurned, keptBack] = assertBound(pathsOf(ring, turned, [...ring].reverse()), tolerance);
      assert.equal(name(keptTurned!), name(kept!));
      assert.equal(name(keptBack!), name(kept!));
      assert.equal(kept!.at(-1), kept![0]);
    }
  }
});

test("simplify turns, flips and scales with its paths", () => {
  const points = walk(5, 400, 1);
  const kept = listsOf(simplify(pathsOf(points), { tolerance: 0.3 }))[0]!;
  for (const how of [
    ([x, y]: Point): Point => [-x, y],
    ([x, y]: Point): Point => [y, x],
    ([x, y]: Point): Point => [-y, x],
    ([x, y]: Point): Point => [64 * x, 64 * y],
  ]) {
    const tolerance = 0.3 * Math.abs(how([1, 0])[0] + how([1, 0])[1]);
    assert.equal(listsOf(simplify(pathsOf(points.map(how)), { tolerance }))[0], kept.map(how));
  }
});

test("simplify treats each path by itself", () => {
  const lists = Array.from({ length: 600 }, (_, i) => walk(i, i % 40, 1, i % 3 === 0 && i % 40 > 0));
  const together = listsOf(simplify(pathsOf(...lists), { tolerance: 0.2 }));
  for (const [i, list] of lists.entries())
    assert.equal(together[i], listsOf(simplify(pathsOf(list), { tolerance: 0.2 }))[0]);
});

test("simplify keeps three points of closed paths, however small, and takes what is degenerate", () => {
  const circle = Array.from(
    { length: 65 },
    (_, i): Point => [5 + 0.001 * Math.cos((i * Math.PI) / 32), 5 + 0.001 * Math.sin((i * Math.PI) / 32)],
  );
  circle[64] = circle[0]!;
  const [tiny] = assertBound(pathsOf(circle), 1);
  assert.is(tiny!.length, 4);
  // a sliver: bent to one side by less than the tolerance
  const sliver: Point[] = [
    [0, 0],
    [3, 0],
    [6, 0.01],
    [10, 0],
    [5, 0],
    [0, 0],
  ];
  assert.equal(assertBound(pathsOf(sliver), 1)[0], [
    [0, 0],
    [6, 0.009999999776482582],
    [10, 0],
    [0, 0],
  ]);
  assert.equal(simplify(NONE), NONE);
  const odd = pathsOf(
    [],
    [[3, 4]],
    [
      [3, 4],
      [3, 4],
    ],
    Array(9).fill([3, 4]),
    [
      [0, 0],
      [2, 0],
      [1, 0],
      [0, 0],
    ],
    [
      [1, 1],
      [2, 2],
    ],
  );
  assert.equal(listsOf(simplify(odd, { tolerance: 1 })), [
    [],
    [[3, 4]],
    [
      [3, 4],
      [3, 4],
    ],
    [
      [3, 4],
      [3, 4],
    ],
    [
      [0, 0],
      [2, 0],
      [0, 0],
    ],
    [
      [1, 1],
      [2, 2],
    ],
  ]);
});

test("simplify at tolerance 0 drops repeats and points on lines only", () => {
  const next = random(3);
  const corners = Array.from({ length: 50 }, (): Point => [Math.floor(64 * next()), Math.floor(64 * next())]);
  const fine = corners.flatMap(([x, y], i): Point[] => {
    const [x1, y1] = corners[i + 1] ?? [x, y];
    return [0, 1, 1, 2, 3].map((k): Point => [x + (k / 4) * (x1 - x), y + (k / 4) * (y1 - y)]);
  });
  const kept = assertBound(pathsOf(fine), 0)[0]!;
  assert.equal(kept, oracle(fine, 0));
  assert.ok(kept.length <= 50);
});

test("simplify takes coordinates and tolerances of any size", () => {
  for (const [size, tolerance] of [
    [1e30, 1e27],
    [1e-30, 1e-32],
    [1e6, 1e-6],
    [3e38, 1e37],
  ] as const) {
    const points = walk(8, 300, 1).map(
      ([x, y]): Point => [Math.fround((x * size) / 100), Math.fround((y * size) / 100)],
    );
    const [kept] = assertBound(pathsOf(points), tolerance);
    assert.equal(kept, oracle(points, tolerance));
  }
});

/** Alternating sides, ever farther out: the farthest point is always the next to last. */
const zigzag = (n: number): Point[] =>
  Array.from(
    { length: n },
    (_, i): Point => [Math.fround(i * 0.01), Math.fround((i % 2 === 0 ? 1 : -1) * (1 + i * 0.001))],
  );

test("simplify does not look at a zigzag over and over, and holds its bound there", () => {
  const points = zigzag(40_000);
  for (const tolerance of [0.01, 0.5]) {
    const kept = listsOf(simplify(pathsOf(points), { tolerance }))[0]!;
    // every kept point is found, and what lies between two is near
    let line = 0;
    let worst = 0;
    for (const p of points.slice(1)) {
      worst = Math.max(worst, distanceTo([kept[line]!, kept[line + 1]!], p));
      if (same(p, kept[line + 1]!)) line++;
    }
    assert.is(line, kept.length - 1);
    assert.ok(worst <= tolerance);
    assert.ok(kept.length > 20_000);
  }
});

/** A path that is cut more and more unevenly, with much between the spikes that can go. */
function spiked(n: number): Point[] {
  const next = random(4);
  return Array.from({ length: n }, (_, i): Point => {
    const spike = i % 50 === 0 ? (i % 100 === 0 ? 1 : -1) * (1 + i * 0.001) : 0;
    return [Math.fround(i * 0.01 + 0.02 * next()), Math.fround(spike + 0.1 * next())];
  });
}

test("simplify drops what it can on paths that it has to halve", () => {
  const points = spiked(60_000);
  for (const tolerance of [0.08, 0.3]) {
    const kept = listsOf(simplify(pathsOf(points), { tolerance }))[0]!;
    assert.ok(kept.length < (tolerance === 0.3 ? 4000 : 5000), `${kept.length} kept`);
    let line = 0;
    let worst = 0;
    for (const p of points.slice(1)) {
      worst = Math.max(worst, distanceTo([kept[line]!, kept[line + 1]!], p));
      if (same(p, kept[line + 1]!)) line++;
    }
    assert.is(line, kept.length - 1);
    assert.ok(worst <= tolerance * (1 + 1e-12), `${worst} beyond ${tolerance}`);
  }
});

/** Runs the kernel; the points kept, the ends, and guards checked. */
function thin(engine: Engine, paths: Paths, tolerance: number, vector: number): [number[], number[]] {
  return engine.run(({ kernels }) => {
    const guards = new Guards(engine);
    const ends = guards.push(paths.ends);
    const xy = guards.push(paths.xy);
    let longest = 0;
    for (const list of listsOf(paths)) longest = Math.max(longest, list.length);
    const scratch = guards.room(kernels.thinBytes(longest));
    const kept = kernels.thinPaths(ends, paths.ends.length, xy, tolerance, vector, scratch);
    guards.check();
    return [[...engine.f32(xy, 2 * kept)], [...engine.u32(ends, paths.ends.length)]];
  });
}

test("thinPaths stays within its buffers; scalar and SIMD, release and debug give the same", () => {
  const lists = [0, 1, 2, 3, 4, 5, 12, 13, 14, 15, 16, 17, 31, 1000, 20_000].map((n) =>
    walk(n, n, 0.2, n > 2 && n % 2 === 0),
  );
  for (const tolerance of [0, 0.01, 0.1, 2]) {
    const paths = pathsOf(...lists);
    const expected = thin(release, paths, tolerance, 0);
    assert.equal(thin(release, paths, tolerance, 1), expected);
    assert.equal(thin(debug, paths, tolerance, 1), expected);
    for (const list of lists)
      assert.equal(thin(release, pathsOf(list), tolerance, 1), thin(release, pathsOf(list), tolerance, 0));
  }
  assert.equal(
    thin(debug, pathsOf(spiked(20_000)), 0.08, 1),
    thin(release, pathsOf(spiked(20_000)), 0.08, 0),
  );
});

test("thinPaths reports points and leaves when it is canceled", () => {
  release.run((engine) => {
    const { kernels } = engine;
    const paths = pathsOf(walk(1, 100_000, 1), walk(2, 10, 1));
    const ends = engine.push(paths.ends);
    const xy = engine.push(paths.xy);
    const scratch = engine.alloc(kernels.thinBytes(100_000));
    assert.is(
      whileCanceled(engine, () => kernels.thinPaths(ends, 2, xy, 0.1, 1, scratch)),
      -1,
    );
    const step = engine.i32(64 as never, 1);
    assert.ok(kernels.thinPaths(ends, 2, xy, 0.1, 1, scratch) > 10);
    assert.ok(step[0]! > 50_000 && step[0]! <= 100_010);
  });
});

test("simplify says which argument breaks its contract", () => {
  assertRefusals((paths) => simplify(paths));
  assert.is(
    messageOf(() => simplify(NONE, { tolerance: -1 })),
    "Expected `tolerance` to be a finite number >= 0, got -1",
  );
  assert.is(
    messageOf(() => simplify(NONE, { epsilon: 1 } as never)),
    'Expected `options` to be an object with no other names than tolerance, got "epsilon"',
  );
});

test.run();
