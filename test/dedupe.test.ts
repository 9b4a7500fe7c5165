import { type DedupeOptions, dedupe, type Paths } from "kerfwork";
import { test } from "uvu";
import * as assert from "uvu/assert";
import type { Engine } from "../src/engine/memory.ts";
import { random } from "./oracle.ts";
import { alongOf, distanceTo, type Point } from "./outline.ts";
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
  walk,
  whileCanceled,
} from "./polylines.ts";

const total = (paths: Paths): number => listsOf(paths).reduce((sum, list) => sum + lengthOf(list), 0);

/** The worst distance of a place on `lists` from what is kept. */
function lostOf(lists: readonly (readonly Point[])[], kept: Paths): number {
  const lines = listsOf(kept).flatMap((list) => list.slice(1).map((p, i) => [list[i]!, p]));
  let worst = 0;
  for (const list of lists)
    for (const p of alongOf(list, 0.05)) {
      let best = Infinity;
      for (const line of lines) best = Math.min(best, distanceTo(line, p));
      worst = Math.max(worst, best);
    }
  return worst;
}

test("dedupe drops a doubled line, a reversed one, and the part of a line that another covers", () => {
  const paths = pathsOf(
    [
      [0, 0],
      [10, 0],
    ],
    [
      [10, 0],
      [0, 0],
    ],
    [
      [5, 0],
      [15, 0],
      [15, 5],
    ],
    [
      [-5, 0],
      [20, 0],
    ],
  );
  const { paths: kept, origin, removed } = dedupe(paths);
  assert.equal(listsOf(kept), [
    [
      [0, 0],
      [10, 0],
    ],
    [
      [10, 0],
      [15, 0],
      [15, 5],
    ],
    [
      [-5, 0],
      [0, 0],
    ],
    [
      [15, 0],
      [20, 0],
    ],
  ]);
  assert.equal(origin, Uint32Array.of(0, 2, 3, 3));
  assert.ok(Math.abs(removed - 30) < 1e-6);
});

test("dedupe leaves paths without doubles as they are, crossings and all", () => {
  // a dozen degrees between any two, and far from parallel to the first
  const lists = Array.from({ length: 14 }, (_, i): Point[] => [
    [50 + 40 * Math.cos((i * Math.PI) / 14), 50 + 40 * Math.sin((i * Math.PI) / 14)],
    [50 - 40 * Math.cos((i * Math.PI) / 14), 49 - 40 * Math.sin((i * Math.PI) / 14)],
  ]);
  lists.push([[1, 1]], [], Array(3).fill([2, 2]), circle(200, 30, 500, 0));
  const paths = pathsOf(...lists);
  const { paths: kept, origin, removed } = dedupe(paths, { tolerance: 0.002 });
  assert.equal(kept, paths);
  assert.equal(
    [...origin],
    lists.map((_, i) => i),
  );
  assert.is(removed, 0);
});

/** Lengths of unions of intervals. */
function unionOf(intervals: readonly (readonly [number, number])[]): number {
  let length = 0;
  let reached = -Infinity;
  for (const [from, to] of [...intervals].sort((a, b) => a[0] - b[0])) {
    length += Math.max(0, to - Math.max(from, reached));
    reached = Math.max(reached, to);
  }
  return length;
}

/** Lines on a few carriers, in both directions, and how long their unions are in all. */
function overlaps(seed: number, n: number, off: number): { lists: Point[][]; union: number } {
  const next = random(seed);
  const carriers = Array.from({ length: 6 }, (_, i) => {
    const angle = i + next();
    return {
      x: 100 * i,
      y: 30 * next(),
      ux: Math.cos(angle),
      uy: Math.sin(angle),
      on: [] as [number, number][],
    };
  });
  const lists = Array.from({ length: n }, (): Point[] => {
    const { x, y, ux, uy, on } = carriers[Math.floor(6 * next())]!;
    const [from, to] = [Math.floor(40 * next()), Math.floor(40 * next())];
    if (from === to) return [];
    on.push([Math.min(from, to), Math.max(from, to)]);
    const aside = off * (next() - 0.5);
    // in one line, or in several
    const stops =
      next() < 0.5 ? [from, to] : Array.from({ length: 6 }, (_, i) => from + (i / 5) * (to - from));
    return stops.map((s): Point => [x + s * ux - aside * uy, y + s * uy + aside * ux]);
  });
  return { lists, union: carriers.reduce((sum, { on }) => sum + unionOf(on), 0) };
}

test("dedupe keeps as much as the union of what lies on each line, whatever the order", () => {
  for (let seed = 1; seed <= 25; seed++) {
    const { lists, union } = overlaps(seed, 5 + 2 * seed, 0.005);
    const next = random(seed);
    for (let order = 0; order < 3; order++) {
      const { paths: kept, origin, removed } = dedupe(pathsOf(...lists));
      assert.ok(
        Math.abs(total(kept) - union) < 0.01 * lists.length,
        `seed ${seed}: ${total(kept)}, ${union}`,
      );
      assert.ok(Math.abs(total(kept) + removed - total(pathsOf(...lists))) < 1e-3);
      assert.ok(lostOf(lists, kept) <= 0.01 + 1e-5, `seed ${seed}: ${lostOf(lists, kept)} off`);
      for (const [i, list] of listsOf(kept).entries())
        for (const p of list) if (list.length > 1) assert.ok(distanceTo(lists[origin[i]!]!, p) < 1e-4);
      lists.sort(() => next() - 0.5);
    }
  }
});

test("dedupe does not add tolerances up", () => {
  const at = (y: number): Point[] => [
    [0, y],
    [10, y],
  ];
  const { origin } = dedupe(pathsOf(at(0), at(0.009), at(0.018), at(0.027), at(0.0355)), { tolerance: 0.01 });
  assert.equal([...origin], [0, 2, 4]);
  const many = Array.from({ length: 500 }, (_, i) => at(i * 0.003));
  const { paths: kept } = dedupe(pathsOf(...many), { tolerance: 0.01 });
  assert.ok(lostOf(many, kept) <= 0.01 + 1e-6);
  assert.is(kept.ends.length, 125);
});

const circle = (x: number, r: number, n: number, phase: number): Point[] =>
  Array.from({ length: n + 1 }, (_, i): Point => {
    const angle = phase + (2 * Math.PI * (i % n)) / n;
    return [x + r * Math.cos(angle), r * Math.sin(angle)];
  });

test("dedupe drops curves that were cut into other lines, backwards and in part", () => {
  const full = circle(0, 10, 400, 0);
  const other = circle(0, 10, 333, 1).reverse();
  const { origin } = dedupe(pathsOf(full, other));
  assert.equal([...origin], [0]);
  // an arc of it that goes on elsewhere
  const part: Point[] = [...circle(0, 10, 271, 0.5).slice(0, 80), [-20, 30]];
  const { paths: kept, origin: from } = dedupe(pathsOf(full, part));
  assert.equal([...from], [0, 1]);
  const rest = listsOf(kept)[1]!;
  assert.ok(lengthOf(rest) < Math.hypot(-20 - part[79]![0], 30 - part[79]![1]) + 0.2);
  // small circles of fine lines, twice around
  const twice = [...circle(5, 1, 300, 0), ...circle(5, 1, 300, 0).slice(1)];
  const once = dedupe(pathsOf(twice));
  assert.ok(Math.abs(total(once.paths) - 2 * Math.PI) < 0.05);
  assert.is(once.paths.ends.length, 1);
});

test("dedupe drops the way back, and opens closed paths where they are covered", () => {
  const there: Point[] = [
    [0, 0],
    [10, 0],
    [0, 0],
  ];
  assert.equal(listsOf(dedupe(pathsOf(there)).paths), [there.slice(0, 2)]);
  const square: Point[] = [
    [5, 0],
    [10, 0],
    [10, 10],
    [0, 10],
    [0, 0],
    [5, 0],
  ];
  const kept = (line: Point[]): Point[][] => listsOf(dedupe(pathsOf(line, square)).paths).slice(1);
  // on another side: one piece, through where the square began
  assert.equal(
    kept([
      [2, 10],
      [8, 10],
    ]),
    [
      [
        [2, 10],
        [0, 10],
        [0, 0],
        [5, 0],
        [10, 0],
        [10, 10],
        [8, 10],
      ],
    ],
  );
  // around where it begins
  assert.equal(
    kept([
      [2, 0],
      [8, 0],
    ]),
    [
      [
        [8, 0],
        [10, 0],
        [10, 10],
        [0, 10],
        [0, 0],
        [2, 0],
      ],
    ],
  );
  // from its beginning on
  const [from] = kept([
    [5, 0],
    [9, 0],
  ]);
  assert.equal(from!.slice(0, 3), [
    [9, 0],
    [10, 0],
    [10, 10],
  ]);
  assert.ok(Math.abs(lengthOf(from!) - 36) < 0.02);
});

test("dedupe finds the same doubles in turned, mirrored and scaled paths", () => {
  const { lists } = overlaps(4, 60, 0);
  const plain = dedupe(pathsOf(...lists));
  for (const [how, scale] of [
    [([x, y]: Point): Point => [-x, y], 1],
    [([x, y]: Point): Point => [0.6 * x - 0.8 * y, 0.8 * x + 0.6 * y], 1],
    [([x, y]: Point): Point => [50 * x, 50 * y], 50],
  ] as const) {
    const turned = dedupe(pathsOf(...lists.map((list) => list.map(how))), { tolerance: 0.01 * scale });
    assert.equal(turned.origin, plain.origin);
    assert.ok(Math.abs(turned.removed / scale - plain.removed) < 0.01);
  }
});

test("dedupe takes nothing, points, far specks, stars and stacks", () => {
  assert.equal(dedupe(NONE), { paths: NONE, origin: new Uint32Array(0), removed: 0 });
  const dots = pathsOf(
    [],
    [[1, 1]],
    [[1, 1]],
    [
      [2, 2],
      [2, 2],
    ],
  );
  assert.equal(dedupe(dots).paths, dots);
  const far = pathsOf(
    [
      [0, 0],
      [1e-3, 0],
    ],
    [
      [1e30, 1e30],
      [1.1e30, 1e30],
    ],
    [
      [1e-3, 0],
      [0, 0],
    ],
  );
  assert.equal([...dedupe(far).origin], [0, 1]);
  const star = Array.from({ length: 3000 }, (_, i): Point[] => [
    [0, 0],
    [50 * Math.cos((i * Math.PI) / 1500), 50 * Math.sin((i * Math.PI) / 1500)],
  ]);
  const { paths: rays } = dedupe(pathsOf(...star), { tolerance: 0.01 });
  assert.ok(rays.ends.length >= 3000 && total(rays) < 3000 * 50);
  const line: Point[] = [
    [0, 0],
    [300, 200],
  ];
  assert.equal([...dedupe(pathsOf(...Array(20_000).fill(line))).origin], [0]);
  // one long line through many short ones that cross it, and as many that lie along it
  const short = Array.from({ length: 4000 }, (_, i): Point[] => [
    [i, 0],
    [i + 0.5, i % 2],
  ]);
  const { paths: cut, origin } = dedupe(
    pathsOf(...short, [
      [-1, 0],
      [4001, 0],
    ]),
  );
  assert.is(cut.ends.length, 4000 + 2001);
  assert.is(origin.at(-1), 4000);
});

function run(engine: Engine, paths: Paths, room: number): number[][] {
  return engine.run(({ kernels }) => {
    const guards = new Guards(engine);
    const n = paths.ends.length;
    let longest = 0;
    for (const list of listsOf(paths)) longest = Math.max(longest, list.length);
    const ends = guards.push(paths.ends);
    const xy = guards.push(paths.xy);
    const [outEnds, origin, out] = [guards.room(4 * room), guards.room(4 * room), guards.room(8 * room)];
    const removed = guards.room(8);
    const scratch = guards.room(kernels.doublesBytes(longest, room));
    const pieces = kernels.dropDoubles(
      ends,
      n,
      xy,
      -100,
      -100,
      900,
      0.01,
      longest,
      outEnds,
      origin,
      out,
      removed,
      room,
      scratch,
    );
    guards.check();
    if (pieces < 0) return [[pieces]];
    const kept = [...engine.u32(outEnds, pieces)];
    return [[pieces], kept, [...engine.u32(origin, pieces)], [...engine.f32(out, 2 * (kept.at(-1) ?? 0))]];
  });
}

test("dropDoubles stays within its buffers, short of room too, and the debug build gives the same", () => {
  const { lists } = overlaps(9, 150, 0.004);
  for (const paths of [
    NONE,
    pathsOf([]),
    pathsOf(...lists),
    pathsOf(circle(3, 9, 400, 0), circle(3, 9, 300, 1)),
  ]) {
    const enough = run(release, paths, 20_000);
    assert.ok(enough[0]![0]! >= 0);
    assert.equal(run(debug, paths, 20_000), enough);
    let short = 0;
    for (let room = 1; room < 20_000; room *= 2) {
      const result = run(release, paths, room);
      if (result[0]![0] === -2) short++;
      else assert.equal(result, enough);
    }
    assert.ok(short > 3 || paths.xy.length === 0);
  }
});

test("dropDoubles leaves when it is canceled", () => {
  assert.equal(
    whileCanceled(release, () => run(release, pathsOf(walk(1, 9000, 1)), 30_000)[0]![0]!),
    -1,
  );
});

test("dedupe says which argument breaks its contract", () => {
  assertRefusals((paths) => dedupe(paths));
  const says = (options: unknown): string => messageOf(() => dedupe(NONE, options as DedupeOptions));
  assert.is(says({ tolerance: 0 }), "Expected `tolerance` to be a finite number > 0, got 0");
  assert.is(
    says({ gap: 1 }),
    'Expected `options` to be an object with no other names than tolerance, got "gap"',
  );
});

test.run();
