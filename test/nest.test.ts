import { nest, type Paths } from "kerfwork";
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
  NONE,
  pathsOf,
  release,
  same,
  whileCanceled,
} from "./polylines.ts";

const square = (x: number, y: number, side: number): Point[] => [
  [x, y],
  [x + side, y],
  [x + side, y + side],
  [x, y + side],
  [x, y],
];

/** Even-odd, by counting the crossings of a ray to the left. */
function holds(points: readonly Point[], [x, y]: Point): boolean {
  let inside = false;
  for (let i = 1; i < points.length; i++) {
    const [[ax, ay], [bx, by]] = [points[i - 1]!, points[i]!];
    if (ay > y !== by > y && ax + ((y - ay) / (by - ay)) * (bx - ax) < x) inside = !inside;
  }
  return inside;
}

const boxOf = (points: readonly Point[]): number[] => [
  Math.min(...points.map((p) => p[0])),
  Math.min(...points.map((p) => p[1])),
  -Math.max(...points.map((p) => p[0])),
  -Math.max(...points.map((p) => p[1])),
];

/** The rule of the docs, over all pairs. Parents are compared by the caller where they are beyond doubt. */
function oracle(lists: readonly Point[][]): number[][] {
  return lists.map((list, i) => {
    if (list.length === 0) return [];
    const middle = (list.length - 1) >> 1;
    const [a, b] = [list[middle]!, list[middle + 1] ?? list[middle]!];
    const p: Point = [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2];
    const box = boxOf(list);
    return lists.flatMap((other, k) => {
      if (k === i || other.length === 0 || !same(other[0]!, other.at(-1)!)) return [];
      const around = boxOf(other);
      if (around.some((v, axis) => v > box[axis]!)) return [];
      if (around.every((v, axis) => v === box[axis]) && k > i) return [];
      return holds(other, p) ? [k] : [];
    });
  });
}

test("nest counts what lies around", () => {
  const paths = pathsOf(
    square(2, 2, 6),
    square(0, 0, 10),
    [
      [3, 3],
      [4, 4],
    ],
    [],
    square(20, 0, 3),
    [[21, 1]],
    square(4, 4, 1),
  );
  const { depth, parent } = nest(paths);
  assert.equal(depth, Uint16Array.of(1, 0, 2, 0, 0, 1, 2));
  assert.equal(parent, Int32Array.of(1, -1, 0, -1, -1, 4, 0));
});

test("nest takes paths that cross themselves by the even-odd rule", () => {
  // a pentagram: the middle is outside
  const star = Array.from(
    { length: 6 },
    (_, i): Point => [50 + 40 * Math.sin((i * 4 * Math.PI) / 5), 50 - 40 * Math.cos((i * 4 * Math.PI) / 5)],
  );
  star[5] = star[0]!;
  const { depth } = nest(pathsOf(star, square(49, 49, 2), square(49, 18, 1), square(1, 1, 2)));
  assert.equal(depth, Uint16Array.of(0, 0, 1, 0));
});

/** Squares, blobs, lines and points, in and beside each other, some crossing. */
function scene(seed: number, n: number): Point[][] {
  const next = random(seed);
  return Array.from({ length: n }, (): Point[] => {
    const [x, y, r] = [100 * next(), 100 * next(), 1 + 40 * next() ** 3];
    const kind = next();
    if (kind < 0.05) return [];
    if (kind < 0.1) return [[Math.fround(x), Math.fround(y)]];
    const open = kind < 0.3;
    const corners = 3 + Math.floor(12 * next());
    const points = Array.from({ length: corners }, (_, i): Point => {
      const angle = (2 * Math.PI * i * (kind < 0.4 ? 3 : 1)) / corners;
      const at = r * (0.5 + 0.5 * next());
      return [Math.fround(x + at * Math.cos(angle)), Math.fround(y + at * Math.sin(angle))];
    });
    return open ? points : [...points, points[0]!];
  });
}

test("nest does what looking at all pairs does", () => {
  for (let seed = 1; seed <= 40; seed++) {
    const lists = scene(seed, 4 * seed);
    const { depth, parent } = nest(pathsOf(...lists));
    const around = oracle(lists);
    for (const [i, others] of around.entries()) {
      assert.is(depth[i], others.length, `path ${i} of seed ${seed}`);
      assert.is(parent[i] === -1, others.length === 0);
      if (parent[i] !== -1) assert.ok(others.includes(parent[i]!));
      // where what is around is itself nested, the parent is the innermost
      const chain = others.every((a) =>
        others.every((b) => a === b || around[a]!.includes(b) || around[b]!.includes(a)),
      );
      if (chain && others.length > 0)
        assert.is(depth[parent[i]!], Math.max(...others.map((other) => depth[other]!)));
    }
  }
});

test("nest does not mind order, direction, mirrors and scale", () => {
  const lists = scene(3, 120);
  const plain = [...nest(pathsOf(...lists)).depth];
  const same = (changed: Point[][]): void => assert.equal([...nest(pathsOf(...changed)).depth], plain);
  same(lists.map((list) => list.map(([x, y]): Point => [-x, y])));
  same(lists.map((list) => list.map(([x, y]): Point => [16 * x, 16 * y])));
  assert.equal([...nest(pathsOf(...[...lists].reverse())).depth].reverse(), plain);
});

test("nest takes nothing, rings in rings and many beside each other", () => {
  assert.equal(nest(NONE), { depth: new Uint16Array(0), parent: new Int32Array(0) });
  const rings = Array.from({ length: 1500 }, (_, i) => square(i / 64, i / 64, 100 - i / 32));
  const { depth, parent } = nest(pathsOf(...rings));
  assert.equal(
    [...depth],
    rings.map((_, i) => i),
  );
  assert.equal(
    [...parent],
    rings.map((_, i) => i - 1),
  );
  const many = Array.from({ length: 10_000 }, (_, i) => square(i % 100, Math.floor(i / 100), 0.5));
  assert.ok(nest(pathsOf(...many)).depth.every((d) => d === 0));
});

function run(engine: Engine, paths: Paths): number[] {
  return engine.run(({ kernels }) => {
    const guards = new Guards(engine);
    const n = paths.ends.length;
    const points = paths.xy.length / 2;
    const xy = guards.push(paths.xy);
    const first = guards.push(Uint32Array.from([0, ...paths.ends]));
    const closed = guards.push(new Uint8Array(n).fill(1));
    const owner = guards.push(Uint32Array.from(listsOf(paths).flatMap((list, i) => list.map(() => i))));
    const depths = guards.room(2 * n);
    const parents = guards.room(4 * n);
    const scratch = guards.room(kernels.nestBytes(n, points));
    const status = kernels.nestDepths(xy, points, first, closed, n, owner, depths, parents, scratch);
    guards.check();
    return [status, ...engine.u16(depths, n), ...engine.i32(parents, n)];
  });
}

test("nestDepths stays within its buffers, leaves when canceled, and the debug build gives the same", () => {
  for (const n of [0, 1, 2, 3, 50, 500]) {
    const paths = pathsOf(...scene(n, n).filter((list) => list.length > 0 && same(list[0]!, list.at(-1)!)));
    const found = run(release, paths);
    assert.is(found[0], 0);
    assert.equal(run(debug, paths), found);
  }
  const paths = pathsOf(square(0, 0, 1));
  assert.is(
    whileCanceled(release, () => run(release, paths)[0]!),
    -1,
  );
});

test("nest says which argument breaks its contract", () => {
  assertRefusals(nest);
});

test.run();
