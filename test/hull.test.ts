import { readFileSync } from "node:fs";
import { type Curves, convexHull, frame, KerfworkError, measure, type Paths, trace } from "kerfwork";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { Engine, type Pointer } from "../src/engine/memory.ts";
import { random } from "./oracle.ts";
import { areaOf, blobs, contoursOf, distanceTo, imageOf, type Point, polylineOf } from "./outline.ts";

const pathsOf = (...paths: Point[][]): Paths => {
  let n = 0;
  return {
    ends: Uint32Array.from(paths, (path) => (n += path.length)),
    xy: Float32Array.from(paths.flat(2)),
  };
};

/** The points of the only path. */
function pointsOf({ ends, xy }: Paths): Point[] {
  assert.is(ends.length, 1);
  assert.is(xy.length, 2 * ends[0]!);
  return Array.from({ length: ends[0]! }, (_, i) => [xy[2 * i]!, xy[2 * i + 1]!]);
}

const cross = (o: Point, a: Point, b: Point): number =>
  (a[0] - o[0]) * (b[1] - o[1]) - (a[1] - o[1]) * (b[0] - o[0]);
const same = (a: Point, b: Point): boolean => a[0] === b[0] && a[1] === b[1];

/** Gift wrapping over integers, the obvious way: go on to the point that has all others on one side, the farthest such. */
function hullOf(points: readonly Point[]): Point[] {
  if (points.length === 0) return [];
  const start = points.reduce((a, b) => (b[0] < a[0] || (b[0] === a[0] && b[1] < a[1]) ? b : a));
  const hull = [start];
  for (;;) {
    const here = hull.at(-1)!;
    const others = points.filter((p) => !same(p, here));
    if (others.length === 0) return hull;
    const next = others.reduce((best, p) => {
      const side = cross(here, best, p);
      const farther =
        Math.hypot(p[0] - here[0], p[1] - here[1]) > Math.hypot(best[0] - here[0], best[1] - here[1]);
      return side < 0 || (side === 0 && farther) ? p : best;
    });
    hull.push(next);
    if (same(next, start)) return hull;
  }
}

test("convexHull goes around a square, clockwise on the screen, past what lies inside and on its sides", () => {
  const paths = pathsOf([
    [4, 1],
    [1, 1],
    [1, 4],
    [4, 4],
    [4, 1],
    [2, 1],
    [1, 3],
    [2, 2],
  ]);
  assert.equal(pointsOf(convexHull(paths)), [
    [1, 1],
    [4, 1],
    [4, 4],
    [1, 4],
    [1, 1],
  ]);
});

test("convexHull agrees with gift wrapping on points of a grid, exactly", () => {
  const next = random(1);
  for (let round = 0; round < 400; round++) {
    const size = [2, 3, 6, 20, 1000, 8_000_000][round % 6]!;
    const n = 1 + Math.floor(next() * 30);
    const points = Array.from(
      { length: n },
      (): Point => [Math.floor(next() * size) - (size >> 1), Math.floor(next() * size) - (size >> 1)],
    );
    assert.equal(pointsOf(convexHull(pathsOf(points))), hullOf(points));
    // order, paths and repeats do not matter
    const shuffled = [...points, ...points].sort(() => next() - 0.5);
    const cut = Math.floor(next() * n);
    assert.equal(
      convexHull(pathsOf(shuffled.slice(0, cut), [], shuffled.slice(cut))),
      convexHull(pathsOf(points)),
    );
  }
});

test("convexHull of many points is convex, holds all of them and is made of them", () => {
  const next = random(2);
  const shapes: ((i: number) => Point)[] = [
    () => [next() * 300 - 100, next() * 200 - 150],
    (i) => [50 * Math.cos(i), 50 * Math.sin(i)],
    (i) => [i / 100, (i / 10000) ** 2],
    () => [next() ** 9 * 1e-30, -next() * 1e30],
  ];
  for (const shape of shapes) {
    const paths = pathsOf(Array.from({ length: 20_000 }, (_, i) => shape(i)));
    const hull = pointsOf(convexHull(paths));
    const given = new Set<string>();
    for (let i = 0; i < paths.xy.length; i += 2) given.add(String(paths.xy.subarray(i, i + 2)));
    for (const [i, point] of hull.entries()) {
      assert.ok(given.has(String(point)));
      if (i > 1) assert.ok(cross(hull[i - 2]!, hull[i - 1]!, point) > 0);
    }
    // a few hundred of them against all sides
    for (let i = 0; i < paths.xy.length; i += 2 * 61)
      for (const [k, b] of hull.entries()) {
        if (k === 0) continue;
        const p: Point = [paths.xy[i]!, paths.xy[i + 1]!];
        const reach = Math.hypot(b[0] - hull[k - 1]![0], b[1] - hull[k - 1]![1]);
        assert.ok(cross(hull[k - 1]!, b, p) >= -1e-9 * reach * (Math.abs(p[0]) + Math.abs(p[1])));
      }
  }
});

test("convexHull turns and flips with its points", () => {
  const next = random(3);
  const points = Array.from({ length: 200 }, (): Point => [Math.floor(next() * 99), Math.floor(next() * 50)]);
  const corners = (paths: Paths, back: (p: Point) => Point): string[] =>
    pointsOf(convexHull(paths))
      .slice(1)
      .map((p) => String(back(p)))
      .sort();
  const expected = corners(pathsOf(points), (p) => p);
  assert.equal(
    corners(pathsOf(points.map(([x, y]) => [-x, y])), ([x, y]) => [0 - x, y]),
    expected,
  );
  assert.equal(
    corners(pathsOf(points.map(([x, y]) => [y, 98 - x])), ([x, y]) => [98 - y, x]),
    expected,
  );
  assert.equal(
    corners(pathsOf(points.map(([x, y]) => [y, x])), ([x, y]) => [y, x]),
    expected,
  );
});

test("convexHull takes nothing, one point, two points, points on a line and points all alike", () => {
  const none = { ends: new Uint32Array(0), xy: new Float32Array(0) };
  assert.equal(convexHull(none), none);
  assert.equal(convexHull(pathsOf([], [])), none);
  assert.equal(convexHull(none, { margin: 3 }), none);
  assert.equal(convexHull(pathsOf([[3, 4]])), pathsOf([[3, 4]]));
  assert.equal(convexHull(pathsOf(Array(9).fill([3, 4]))), pathsOf([[3, 4]]));
  assert.equal(
    pointsOf(
      convexHull(
        pathsOf([
          [5, 1],
          [3, 4],
        ]),
      ),
    ),
    [
      [3, 4],
      [5, 1],
      [3, 4],
    ],
  );
  const line = Array.from({ length: 20_000 }, (_, i): Point => [(i * 7919) % 20_000, 0]);
  assert.equal(pointsOf(convexHull(pathsOf(line))), [
    [0, 0],
    [19_999, 0],
    [0, 0],
  ]);
  const upright = line.map(([x]): Point => [2, -x]);
  assert.equal(pointsOf(convexHull(pathsOf(upright))), [
    [2, -19_999],
    [2, 0],
    [2, -19_999],
  ]);
  // both zeros are the same place
  assert.equal(
    pointsOf(
      convexHull(
        pathsOf([
          [0, 0],
          [-0, 0],
          [0, -0],
          [1, 0],
        ]),
      ),
    ),
    [
      [0, 0],
      [1, 0],
      [0, 0],
    ],
  );
});

/** Whether a point is in a closed path or on it. */
function holds(points: readonly Point[], p: Point): boolean {
  let inside = false;
  for (let i = 1; i < points.length; i++) {
    const [[x0, y0], [x1, y1]] = [points[i - 1]!, points[i]!];
    if (y0 > p[1] !== y1 > p[1] && x0 + ((p[1] - y0) / (y1 - y0)) * (x1 - x0) < p[0]) inside = !inside;
  }
  return inside || distanceTo(points, p) < 1e-5;
}

test("convexHull moves outwards by the margin, up to the tolerance", () => {
  const next = random(4);
  for (const n of [1, 2, 3, 12])
    for (const margin of [0.05, 2, 30])
      for (const tolerance of [0.001, 0.02, 1]) {
        const points = Array.from({ length: n }, (): Point => [next() * 40, next() * 30]);
        const core = pointsOf(convexHull(pathsOf(points)));
        const rim = pointsOf(convexHull(pathsOf(points), { margin, tolerance }));
        assert.equal(rim.at(-1), rim[0]);
        assert.ok(areaOf(rim) > 0);
        for (const p of points) assert.ok(holds(rim, p));
        const round = core.length === 1 ? [core[0]!, core[0]!] : core;
        for (let i = 1; i < rim.length; i++) {
          const [a, b] = [rim[i - 1]!, rim[i]!];
          assert.ok(Math.abs(distanceTo(round, a) - margin) < 2e-5);
          for (const t of [0.25, 0.5, 0.75]) {
            const off = distanceTo(round, [a[0] + t * (b[0] - a[0]), a[1] + t * (b[1] - a[1])]);
            assert.ok(off < margin + 2e-5 && off > margin - tolerance - 2e-5, `${off} for ${margin}`);
          }
          if (i > 1) assert.ok(cross(rim[i - 2]!, a, b) > -1e-3);
        }
        // no more lines than the tolerance, or 8 to a turn, ask for
        const turn = 2 * Math.acos(Math.max(1 - tolerance / margin, Math.cos(Math.PI / 8)));
        assert.ok(rim.length <= (2 * Math.PI) / turn + 2 * core.length + 2);
      }
});

const K = (4 / 3) * (Math.SQRT2 - 1);
/** A circle of four cubics around 10, 20. */
function circle(r: number): Curves {
  const quarter = [
    r,
    K * r,
    K * r,
    r,
    0,
    r,
    -K * r,
    r,
    -r,
    K * r,
    -r,
    0,
    -r,
    -K * r,
    -K * r,
    -r,
    0,
    -r,
    K * r,
    -r,
    r,
    -K * r,
    r,
    0,
  ];
  return {
    ends: Uint32Array.of(4),
    kinds: new Uint8Array(4).fill(1),
    xy: Float32Array.from([r, 0, ...quarter], (v, i) => v + (i % 2 === 0 ? 10 : 20)),
    depth: Uint16Array.of(0),
  };
}

test("convexHull of curves holds to the curves, not to their control points", () => {
  for (const margin of [0, 3]) {
    const hull = pointsOf(convexHull(circle(5), { margin, tolerance: 0.01 }));
    for (let i = 1; i < hull.length; i++) {
      const [a, b] = [hull[i - 1]!, hull[i]!];
      assert.ok(Math.abs(Math.hypot(a[0] - 10, a[1] - 20) - 5 - margin) < 0.01);
      const middle = Math.hypot((a[0] + b[0]) / 2 - 10, (a[1] + b[1]) / 2 - 20);
      assert.ok(middle > 5 + margin - 0.01);
    }
  }
  const curves = trace(imageOf(blobs(3, 120, 90, 25)));
  const hull = pointsOf(convexHull(curves, { margin: 1 }));
  for (const contour of contoursOf(curves))
    for (const p of polylineOf(contour, 8)) assert.ok(holds(hull, p) && distanceTo(hull, p) > 1 - 0.021);
});

test("frame is the box of the artwork, moved outwards", () => {
  const paths = pathsOf(
    [
      [2, 3],
      [5, 9],
    ],
    [[4, 1]],
  );
  assert.equal(
    frame(paths),
    pathsOf([
      [2, 1],
      [5, 1],
      [5, 9],
      [2, 9],
      [2, 1],
    ]),
  );
  assert.equal(
    frame(paths, { margin: 1.5 }),
    pathsOf([
      [0.5, -0.5],
      [6.5, -0.5],
      [6.5, 10.5],
      [0.5, 10.5],
      [0.5, -0.5],
    ]),
  );
  assert.equal(
    frame(pathsOf([[2, 3]])),
    pathsOf([
      [2, 3],
      [2, 3],
      [2, 3],
      [2, 3],
      [2, 3],
    ]),
  );
  assert.equal(frame(pathsOf()), pathsOf());
  assert.equal(frame(pathsOf([]), { margin: 1, radius: 1 }), pathsOf());
});

test("frame of curves is the box of the curves, not of their control points", () => {
  const { minX, minY, maxX, maxY } = measure(frame(circle(5))).bounds;
  for (const [got, expected] of [
    [minX, 5],
    [minY, 15],
    [maxX, 15],
    [maxY, 25],
  ] as const)
    assert.ok(Math.abs(got - expected) < 1e-5);
  // against many points along random curves
  const next = random(5);
  for (let round = 0; round < 50; round++) {
    const xy = Float32Array.from({ length: 2 * 13 }, () => next() * 20 - 10);
    const curves = {
      ends: Uint32Array.of(2, 5),
      kinds: Uint8Array.of(1, 0, 1, 0, 1),
      xy,
      depth: new Uint16Array(2),
    };
    const along = contoursOf(curves).flatMap((contour) => polylineOf(contour, 500));
    const { bounds } = measure(frame(curves));
    const ends = [bounds.minX, bounds.minY, bounds.maxX, bounds.maxY];
    for (const [k, sign] of [-1, -1, 1, 1].entries()) {
      const reached = along.reduce((most, p) => Math.max(most, sign * p[k % 2]!), -Infinity);
      assert.ok(sign * ends[k]! >= reached - 1e-6 && sign * ends[k]! < reached + 1e-3);
    }
  }
});

test("frame rounds its corners, at most to half the shorter side", () => {
  const box = pathsOf([
    [0, 0],
    [20, 10],
  ]);
  const rounded = pointsOf(frame(box, { radius: 3, tolerance: 0.01 }));
  assert.equal(rounded.at(-1), rounded[0]);
  const arcs = [
    [3, 3],
    [17, 3],
    [17, 7],
    [3, 7],
  ] as const;
  for (const p of rounded)
    assert.ok(arcs.some((at) => Math.abs(Math.hypot(p[0] - at[0], p[1] - at[1]) - 3) < 1e-5));
  assert.ok(Math.abs(areaOf(rounded) - (200 - (4 - Math.PI) * 9)) < 0.2);
  // what goes beyond half a side makes a slot; a margin widens it
  for (const radius of [5, 7]) assert.equal(frame(box, { radius }), frame(box, { radius: 5 }));
  assert.ok(
    Math.abs(areaOf(pointsOf(frame(box, { radius: 9, tolerance: 0.001 }))) - (100 + 25 * Math.PI)) < 0.1,
  );
  const { bounds } = measure(frame(box, { margin: 2, radius: 99 }));
  assert.equal([bounds.minY, bounds.maxY], [-2, 12]);
  assert.ok(Math.abs(bounds.minX + 2) <= 0.02 && Math.abs(bounds.maxX - 22) <= 0.02);
  // around a single point, a circle
  const round = pointsOf(frame(pathsOf([[1, 2]]), { margin: 4, radius: 4 }));
  assert.equal(round.at(-1), round[0]);
  for (const p of round) assert.ok(Math.abs(Math.hypot(p[0] - 1, p[1] - 2) - 4) < 1e-5);
});

const moduleOf = (path: string): WebAssembly.Module => new WebAssembly.Module(readFileSync(path));
const release = new Engine(undefined, moduleOf("dist/kernels.wasm"));
const debug = new Engine(undefined, moduleOf("build/kernels-debug.wasm"));

test("hull stays within its buffers, and the debug build gives the same", () => {
  const next = random(6);
  const run = (engine: Engine, points: Float32Array): number[] =>
    engine.run(({ kernels }) => {
      const n = points.length / 2;
      const guarded: [Pointer, number][] = [];
      const place = (bytes: number): Pointer => {
        const at = (engine.alloc(bytes + 128) + 64) as Pointer;
        engine.u8((at - 64) as Pointer, bytes + 128).fill(0xa5);
        guarded.push([at, bytes]);
        return at;
      };
      const at = place(points.byteLength);
      engine.f32(at, points.length).set(points);
      const scratch = place(kernels.hullBytes(n));
      const out = place(8 * (n + 1));
      const corners = kernels.hull(at, n, scratch, out);
      assert.equal(engine.f32(at, points.length).slice(), points);
      for (const [from, bytes] of guarded) {
        const edges = [...engine.u8((from - 64) as Pointer, 64), ...engine.u8((from + bytes) as Pointer, 64)];
        assert.ok(edges.every((byte) => byte === 0xa5));
      }
      return [...engine.f32(out, 2 * corners)];
    });
  for (const n of [0, 1, 2, 3, 4, 50, 8191, 8192, 8193, 30_000]) {
    const scattered = Float32Array.from({ length: 2 * n }, () => next() * 100 - 50);
    // all of them corners, on both sides
    const round = scattered.map((_, i) => (i % 2 === 0 ? 90 * Math.cos(i / n) : 90 * Math.sin((i - 1) / n)));
    for (const points of [scattered, round]) assert.equal(run(debug, points), run(release, points));
  }
});

test("hull reports points and leaves when it is canceled", () => {
  const next = random(7);
  release.run((engine) => {
    const n = 40_000;
    const at = engine.push(Float32Array.from({ length: 2 * n }, () => next() * 100));
    const scratch = engine.alloc(engine.kernels.hullBytes(n));
    const out = engine.alloc(8 * (n + 1));
    const [cancel, step] = [engine.i32(0 as Pointer, 1), engine.i32(64 as Pointer, 1)];
    assert.ok(engine.kernels.hull(at, n, scratch, out) > 3);
    assert.ok(step[0]! > 9 * n && step[0]! <= 10 * n);
    cancel[0] = 1;
    try {
      assert.is(engine.kernels.hull(at, n, scratch, out), -1);
      assert.is(step[0], 0);
    } finally {
      cancel[0] = 0;
    }
  });
});

test("convexHull and frame say which argument breaks its contract", () => {
  const messageOf = (run: () => unknown): string => {
    try {
      run();
    } catch (error) {
      assert.instance(error, KerfworkError);
      assert.is((error as KerfworkError).code, "INVALID_ARGUMENT");
      return (error as Error).message;
    }
    return "nothing was thrown";
  };
  const paths = pathsOf([[1, 2]]);
  for (const outline of [convexHull, frame] as ((artwork: unknown, options?: unknown) => Paths)[]) {
    const says = (artwork: unknown, options?: unknown): string => messageOf(() => outline(artwork, options));
    assert.is(says(null), "Expected `artwork` to be a Paths or a Curves object, got null");
    assert.is(says({ ...paths, ends: [1] }), "Expected `paths.ends` to be a Uint32Array, got an array of 1");
    assert.is(
      says({ ...circle(1), kinds: new Uint8Array(3) }),
      'Expected `curves.kinds` to be a kind for each of 4 segments, got "3 kinds"',
    );
    assert.is(says(pathsOf([[1, Number.NaN]])), "Expected `paths.xy[1]` to be a finite number, got NaN");
    assert.is(says(circle(Infinity)), "Expected `curves.xy[0]` to be a finite number, got Infinity");
    assert.is(says(paths, { margin: -1 }), "Expected `margin` to be a finite number >= 0, got -1");
    assert.is(says(paths, { tolerance: 0 }), "Expected `tolerance` to be a finite number > 0, got 0");
    assert.is(says(paths, 7), "Expected `options` to be an object, got 7");
  }
  assert.is(
    messageOf(() => convexHull(paths, { radius: 1 } as never)),
    'Expected `options` to be an object with no other names than margin, tolerance, got "radius"',
  );
  assert.is(
    messageOf(() => frame(paths, { radius: Number.NaN })),
    "Expected `radius` to be a finite number >= 0, got NaN",
  );
  assert.is(
    messageOf(() => frame(paths, { corner: 1 } as never)),
    'Expected `options` to be an object with no other names than margin, radius, tolerance, got "corner"',
  );
});

test.run();
