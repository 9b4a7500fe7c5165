import { type Paths, type SmoothOptions, smooth } from "kerfwork";
import { test } from "uvu";
import * as assert from "uvu/assert";
import type { Engine } from "../src/engine/memory.ts";
import { random } from "./oracle.ts";
import type { Point } from "./outline.ts";
import {
  assertRefusals,
  debug,
  Guards,
  lengthOf,
  listsOf,
  messageOf,
  NONE,
  pathsOf,
  release,
  same,
  walk,
  whileCanceled,
} from "./polylines.ts";

const smoothed = (points: readonly Point[], options: SmoothOptions = {}): Point[] =>
  listsOf(smooth(pathsOf(points), options))[0]!;

const apart = (a: Point, b: Point): number => Math.hypot(a[0] - b[0], a[1] - b[1]);
const farthest = (a: readonly Point[], b: readonly Point[]): number =>
  a.reduce((worst, p, i) => Math.max(worst, apart(p, b[i]!)), 0);

function ring(n: number, r: number, noise = 0, seed = 1): Point[] {
  const next = random(seed);
  const points = Array.from({ length: n }, (_, i): Point => {
    const at = r + noise * (next() - 0.5);
    return [20 + at * Math.cos((2 * Math.PI * i) / n), 20 + at * Math.sin((2 * Math.PI * i) / n)];
  });
  return [...points, points[0]!];
}

/** Gauss and Jordan's elimination on a dense matrix. */
function solve(matrix: number[][], right: number[]): number[] {
  const rows = matrix.map((row, i) => [...row, right[i]!]);
  const n = rows.length;
  for (let c = 0; c < n; c++) {
    const pivot = rows.reduce(
      (best, row, i) => (i >= c && Math.abs(row[c]!) > Math.abs(rows[best]![c]!) ? i : best),
      c,
    );
    [rows[c], rows[pivot]] = [rows[pivot]!, rows[c]!];
    for (let r = 0; r < n; r++) {
      if (r === c) continue;
      const factor = rows[r]![c]! / rows[c]![c]!;
      for (let k = c; k <= n; k++) rows[r]![k]! -= factor * rows[c]![k]!;
    }
  }
  return rows.map((row, i) => row[n]! / row[i]!);
}

/** Diffusion with dense matrices, where only the ends of open paths stay. */
function oracle(list: readonly Point[], radius: number): Point[] {
  const closed = same(list[0]!, list.at(-1)!);
  const points = closed ? list.slice(0, -1) : list;
  const n = points.length;
  const h = points.map((p, i) => Math.max(radius * 1e-6, apart(p, points[(i + 1) % n]!)));
  const matrix = points.map((_, i) => {
    const row = new Array<number>(n).fill(0);
    if (!closed && (i === 0 || i === n - 1)) row[i] = 1;
    else {
      const [a, b] = [h[(i + n - 1) % n]!, h[i]!];
      const spread = radius ** 2 / 24;
      row[i]! += (a + b) / 2 + spread / a + spread / b;
      row[(i + n - 1) % n]! -= spread / a;
      row[(i + 1) % n]! -= spread / b;
    }
    return row;
  });
  const mass = (i: number): number =>
    !closed && (i === 0 || i === n - 1) ? 1 : (h[(i + n - 1) % n]! + h[i]!) / 2;
  const steps = (values: number[]): number[] => {
    let now = values;
    for (let k = 0; k < 3; k++)
      now = solve(
        matrix,
        now.map((v, i) => v * mass(i)),
      );
    return now;
  };
  const axes = [0, 1].map((axis) => {
    const given = points.map((p) => p[axis as 0 | 1]);
    const once = steps(given);
    const more = steps(given.map((v, i) => v - once[i]!));
    return once.map((v, i) => v + more[i]!);
  });
  const moved = points.map((_, i): Point => [axes[0]![i]!, axes[1]![i]!]);
  return closed ? [...moved, moved[0]!] : moved;
}

test("smooth takes the noise out of a circle and leaves the circle", () => {
  const noisy = ring(1000, 10, 0.2);
  const calm = smoothed(noisy, { radius: 1 });
  const off = (points: readonly Point[]): number =>
    Math.sqrt(points.reduce((sum, p) => sum + (apart(p, [20, 20]) - 10) ** 2, 0) / points.length);
  assert.ok(off(calm) < off(noisy) / 3, `${off(calm)} of ${off(noisy)}`);
  assert.ok(lengthOf(calm) < 63.5 && lengthOf(noisy) > 90);
});

test("smooth shrinks circles by no more than it says", () => {
  for (const n of [12, 40, 400, 5000])
    for (const [r, radius] of [
      [10, 0.5],
      [10, 5],
      [3, 2],
      [1, 0.5],
      [50, 1],
    ] as const) {
      const before = ring(n, r);
      const after = smoothed(before, { radius });
      // of a coarse ring, every corner turns too much
      if (360 / n > 45 || r < 1.5 * radius) continue;
      for (const p of after) {
        const shrunk = 1 - apart(p, [20, 20]) / r;
        assert.ok(shrunk <= (radius / r) ** 4 / 64 + 1e-5, `${n} points, ${r}, ${radius}: ${shrunk}`);
        assert.ok(shrunk > -1e-5);
      }
    }
});

test("smooth does what dense matrices do", () => {
  for (let seed = 1; seed <= 12; seed++)
    for (const closed of [false, true]) {
      const points = walk(seed, 3 + 4 * seed, 1, closed);
      if (seed % 3 === 0) points.splice(2, 0, points[1]!, points[1]!);
      for (const radius of [0.3, 2, 20]) {
        const after = smoothed(points, { radius, cornerAngleDeg: 180 });
        assert.is(after.length, points.length);
        assert.ok(farthest(after, oracle(points, radius)) < 2e-5, `seed ${seed}, ${radius}, ${closed}`);
      }
    }
});

test("smooth keeps corners and ends exactly, and lines between them straight", () => {
  const square: Point[] = [];
  for (const [x, y, dx, dy] of [
    [0, 0, 1, 0],
    [10, 0, 0, 1],
    [10, 10, -1, 0],
    [0, 10, 0, -1],
  ] as const)
    for (let k = 0; k < 40; k++) square.push([x + (dx * k) / 4, y + (dy * k) / 4]);
  square.push([0, 0]);
  const next = random(5);
  const rough = square.map(
    ([x, y], i): Point => (i % 40 === 0 ? [x, y] : [x + 0.05 * next(), y + 0.05 * next()]),
  );
  const after = smoothed(rough, { radius: 1 });
  for (let i = 0; i <= 160; i += 40) assert.equal(after[i], square[i]);
  assert.ok(farthest(after, square) < 0.06);
  assert.ok(farthest(smoothed(square, { radius: 1 }), square) < 1e-5);
  // without corners they are rounded
  const round = smoothed(rough, { radius: 1, cornerAngleDeg: 180 });
  assert.ok(apart(round[40]!, square[40]!) > 0.1);
  assert.equal(round[0], round.at(-1));
  // 30 degrees is a corner only if one asks for it
  const bend = Array.from({ length: 81 }, (_, i): Point => {
    const s = (i - 40) / 4;
    return s < 0 ? [s, 0] : [s * Math.cos(Math.PI / 6), s * Math.sin(Math.PI / 6)];
  });
  assert.ok(apart(smoothed(bend)[40]!, [0, 0]) > 1e-3);
  assert.equal(smoothed(bend, { cornerAngleDeg: 25 })[40], [0, 0]);
  for (const cornerAngleDeg of [25, 45, 180]) {
    const ends = smoothed(bend, { cornerAngleDeg, radius: 3 });
    assert.equal([ends[0], ends[80]], listsOf(pathsOf([bend[0]!, bend[80]!]))[0]);
  }
});

test("smooth does not mind where closed paths start, which way they run, or how they lie", () => {
  const points = walk(6, 300, 0.3, true);
  const options = { radius: 1 };
  const after = smoothed(points, options);
  const turned = smoothed([...points.slice(70, -1), ...points.slice(0, 71)], options);
  assert.ok(farthest([...turned.slice(230), ...turned.slice(1, 231)], after) < 2e-5);
  const back = smoothed([...points].reverse(), { radius: 1, cornerAngleDeg: 180 });
  assert.ok(farthest(back.reverse(), smoothed(points, { radius: 1, cornerAngleDeg: 180 })) < 2e-5);
  const how = ([x, y]: Point): Point => [32 * y, -32 * x];
  assert.ok(farthest(smoothed(points.map(how), { radius: 32 }), after.map(how)) < 2e-3);
});

test("smooth treats each path by itself", () => {
  const lists = Array.from({ length: 80 }, (_, i) => walk(i, i, 0.4, i % 2 === 0 && i > 2));
  const together = listsOf(smooth(pathsOf(...lists)));
  for (const [i, list] of lists.entries()) assert.equal(together[i], smoothed(list));
});

test("smooth leaves what is too small for it, and takes repeats, far points and any radius", () => {
  assert.equal(smooth(NONE), NONE);
  const small = pathsOf(
    [],
    [[1, 2]],
    [
      [1, 2],
      [3, 4],
    ],
    [
      [1, 1],
      [2, 2],
      [1, 1],
    ],
    Array(9).fill([3, 3]),
  );
  assert.equal(smooth(small), small);
  for (const radius of [1e-12, 1e12])
    for (const closed of [false, true]) {
      const after = smoothed(walk(2, 500, 1, closed), { radius });
      assert.ok(after.every((p) => p.every(Number.isFinite)));
    }
  const far = smoothed([...walk(2, 50, 1), [1e30, 1e30], ...walk(3, 50, 1)]);
  assert.ok(far.every((p) => p.every(Number.isFinite)));
  // a radius as small as that moves nothing
  const points = walk(2, 500, 1);
  assert.ok(farthest(smoothed(points, { radius: 1e-12 }), points) < 1e-5);
});

function run(engine: Engine, paths: Paths, radius: number): number[] {
  return engine.run(({ kernels }) => {
    const guards = new Guards(engine);
    let longest = 0;
    for (const list of listsOf(paths)) longest = Math.max(longest, list.length);
    const ends = guards.push(paths.ends);
    const xy = guards.push(paths.xy);
    const scratch = guards.room(kernels.relaxBytes(longest));
    assert.is(kernels.relaxPaths(ends, paths.ends.length, xy, longest, radius, 0.7, scratch), 0);
    guards.check();
    return [...engine.f32(xy, paths.xy.length)];
  });
}

test("relaxPaths stays within its buffers, and the debug build gives the same", () => {
  for (const n of [0, 1, 2, 3, 4, 5, 1023, 1024, 1025, 5000])
    for (const closed of [false, n > 2]) {
      const paths = pathsOf(walk(n, n, 0.2, closed));
      assert.equal(run(debug, paths, 1), run(release, paths, 1));
    }
});

test("relaxPaths reports points and leaves when it is canceled", () => {
  release.run((engine) => {
    const { kernels } = engine;
    const paths = pathsOf(walk(1, 5000, 1, true), walk(2, 3000, 1));
    const [ends, xy] = [engine.push(paths.ends), engine.push(paths.xy)];
    const scratch = engine.alloc(kernels.relaxBytes(5001));
    const kernel = (): number => kernels.relaxPaths(ends, 2, xy, 5001, 1, 0.7, scratch);
    assert.is(whileCanceled(engine, kernel), -1);
    assert.is(kernel(), 0);
    assert.is(engine.i32(64 as never, 1)[0], 5001);
  });
});

test("smooth says which argument breaks its contract", () => {
  assertRefusals((paths) => smooth(paths));
  const says = (options: unknown): string => messageOf(() => smooth(NONE, options as SmoothOptions));
  assert.is(says({ radius: 0 }), "Expected `radius` to be a finite number > 0, got 0");
  assert.is(
    says({ cornerAngleDeg: -1 }),
    "Expected `cornerAngleDeg` to be a finite number >= 0 and <= 180, got -1",
  );
  assert.is(
    says({ amount: 1 }),
    'Expected `options` to be an object with no other names than radius, cornerAngleDeg, got "amount"',
  );
});

test.run();
