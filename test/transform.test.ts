import { bounds, type Matrix, measure, type Paths, reverse, transform } from "kerfwork";
import { test } from "uvu";
import * as assert from "uvu/assert";
import type { Engine } from "../src/engine/memory.ts";
import { random } from "./oracle.ts";
import type { Point } from "./outline.ts";
import {
  assertRefusals,
  debug,
  Guards,
  listsOf,
  messageOf,
  NONE,
  pathsOf,
  release,
  walk,
  whileCanceled,
} from "./polylines.ts";

const lists = [0, 1, 2, 3, 7, 1000, 0, 300, 40_000].map((n) => walk(n, n, 1, n > 2 && n % 2 === 1));

test("transform moves points as a matrix says, rounded once", () => {
  const square: Point[] = [
    [0, 0],
    [10, 0],
    [10, 5],
    [0, 0],
  ];
  assert.equal(listsOf(transform(pathsOf(square), [0, 1, -1, 0, 100, 0])), [
    [
      [100, 0],
      [100, 10],
      [95, 10],
      [100, 0],
    ],
  ]);
  const next = random(1);
  for (let round = 0; round < 20; round++) {
    const [a, b, c, d, e, f] = Array.from({ length: 6 }, () => 8 * next() - 4) as unknown as Matrix;
    const moved = transform(pathsOf(...lists), [a, b, c, d, e, f]);
    const expected = lists.map((list) =>
      list.map(([x, y]): Point => [Math.fround(a * x + c * y + e), Math.fround(b * x + d * y + f)]),
    );
    assert.equal(moved, pathsOf(...expected));
  }
});

test("transform leaves its input alone and takes nothing", () => {
  const paths = pathsOf(...lists);
  const moved = transform(paths, [1, 0, 0, 1, 0, 0]);
  assert.equal(moved, paths);
  assert.is.not(moved.xy.buffer, paths.xy.buffer);
  assert.is.not(moved.ends.buffer, paths.ends.buffer);
  assert.equal(transform(NONE, [2, 0, 0, 2, 1, 1]), NONE);
});

test("bounds is the box that measure finds", () => {
  for (const list of lists) assert.equal(bounds(pathsOf(list)), measure(pathsOf(list)).bounds);
  assert.equal(bounds(pathsOf(...lists)), measure(pathsOf(...lists)).bounds);
  assert.equal(bounds(NONE), { minX: 0, minY: 0, maxX: 0, maxY: 0 });
  assert.equal(bounds(pathsOf([[-3, 7]])), { minX: -3, minY: 7, maxX: -3, maxY: 7 });
});

test("reverse turns each path round in its place", () => {
  const paths = pathsOf(...lists);
  assert.equal(reverse(paths), pathsOf(...lists.map((list) => [...list].reverse())));
  assert.equal(reverse(reverse(paths)), paths);
  assert.equal(reverse(NONE), NONE);
});

/** Runs the three kernels on one set of paths. */
function run(engine: Engine, paths: Paths): number[][] {
  return engine.run(({ kernels }) => {
    const guards = new Guards(engine);
    const points = paths.xy.length / 2;
    const ends = guards.push(paths.ends);
    const xy = guards.push(paths.xy);
    const matrix = guards.push(Float64Array.of(0.6, 0.8, -0.8, 0.6, 1, 2));
    const box = guards.room(16);
    assert.is(kernels.boxOf(xy, points, box), 0);
    const corners = [...engine.f32(box, 4)];
    assert.is(kernels.movePoints(xy, points, matrix), 0);
    assert.is(kernels.reversePaths(ends, paths.ends.length, xy), 0);
    guards.check();
    return [corners, [...engine.f32(xy, 2 * points)]];
  });
}

test("boxOf, movePoints and reversePaths stay within their buffers, and the debug build gives the same", () => {
  for (const list of lists) assert.equal(run(debug, pathsOf(list)), run(release, pathsOf(list)));
  assert.equal(run(debug, pathsOf(...lists)), run(release, pathsOf(...lists)));
});

test("boxOf, movePoints and reversePaths leave when they are canceled", () => {
  release.run((engine) => {
    const { kernels } = engine;
    const paths = pathsOf(walk(1, 100_000, 1));
    const ends = engine.push(paths.ends);
    const xy = engine.push(paths.xy);
    const room = engine.push(new Float64Array(6));
    for (const kernel of [
      () => kernels.boxOf(xy, 100_000, room),
      () => kernels.movePoints(xy, 100_000, room),
      () => kernels.reversePaths(ends, 1, xy),
    ]) {
      assert.is(whileCanceled(engine, kernel), -1);
      assert.is(kernel(), 0);
    }
  });
});

test("transform, bounds and reverse say which argument breaks its contract", () => {
  assertRefusals((paths) => transform(paths, [1, 0, 0, 1, 0, 0]));
  assertRefusals(bounds);
  assertRefusals(reverse);
  const says = (matrix: unknown): string => messageOf(() => transform(NONE, matrix as Matrix));
  assert.is(
    says("scale(2)"),
    'Expected `matrix` to be [a, b, c, d, e, f], six finite numbers, got "scale(2)"',
  );
  assert.is(
    says([1, 0, 0, 1, 0]),
    'Expected `matrix` to be [a, b, c, d, e, f], six finite numbers, got "[1, 0, 0, 1, 0]"',
  );
  assert.is(
    says([1, 0, 0, Number.NaN, 0, 0]),
    'Expected `matrix` to be [a, b, c, d, e, f], six finite numbers, got "[1, 0, 0, NaN, 0, 0]"',
  );
  assert.is(
    messageOf(() =>
      transform(
        pathsOf(
          [[0, 0]],
          [],
          [
            [1, 1],
            [1, 1e30],
          ],
        ),
        [1, 0, 0, 1e30, 0, 0],
      ),
    ),
    "Expected path 2, point 1 to be finite after the transform, got (1, Infinity)",
  );
});

test.run();
