import { close, type JoinedPaths, type JoinOptions, join, type Paths } from "kerfwork";
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

interface Chain {
  readonly points: Point[];
  readonly parts: { readonly path: number; readonly reversed: boolean }[];
}

/** An end of a path: where it is, and the direction into the path, rounded as the kernel does. */
interface End {
  readonly path: number;
  readonly tail: boolean;
  readonly at: Point;
  readonly into: Point;
}

const reach = (a: Point, b: Point): number => (b[0] - a[0]) ** 2 + (b[1] - a[1]) ** 2;

function endsOf(lists: readonly (readonly Point[])[]): End[] {
  return lists.flatMap((list, path) => {
    if (list.length < 2 || same(list[0]!, list.at(-1)!)) return [];
    return [false, true].map((tail): End => {
      const way = tail ? [...list].reverse() : list;
      const at = way[0]!;
      const next = way.find((p) => !same(p, at))!;
      const scale = 1 / Math.sqrt(reach(at, next));
      return {
        path,
        tail,
        at,
        into: [Math.fround((next[0] - at[0]) * scale), Math.fround((next[1] - at[1]) * scale)],
      };
    });
  });
}

/** Chains as lists of paths, joined by trying all pairs of ends. Places with more than 16 ends are beyond it. */
function oracle(paths: Paths, { gap = 0.05, maxAngleDeg = 180 }: JoinOptions): Chain[] {
  const lists = listsOf(paths);
  const ends = endsOf(lists);
  const mates = new Map<End, End>();
  const free = (end: End): boolean => !mates.has(end);
  const otherEnd = (end: End): End => ends.find((e) => e.path === end.path && e.tail !== end.tail)!;
  /** All ends of the chain from a free end on, to the other free end. */
  const along = (end: End): End[] => {
    const way = [end, otherEnd(end)];
    for (let mate = mates.get(way.at(-1)!); mate !== undefined; mate = mates.get(way.at(-1)!))
      way.push(mate, otherEnd(mate));
    return way;
  };
  const cosine = (a: End, b: End): number => -(a.into[0] * b.into[0] + a.into[1] * b.into[1]);
  const allowed = (a: End, b: End): boolean => {
    const way = along(a);
    if (way.at(-1) === b && !same(a.at, b.at)) {
      const points = way
        .filter((_, i) => i % 2 === 0)
        .flatMap(({ path, tail }) => (tail ? [...lists[path]!].reverse() : lists[path]!));
      const lines = points.slice(1).filter((p, i) => way.length === 2 || !same(p, points[i]!)).length;
      if (lines < 2 || lengthOf(points) <= 2 * gap) return false;
    }
    return maxAngleDeg === 180 || cosine(a, b) >= Math.cos((maxAngleDeg * Math.PI) / 180) - 2e-7;
  };
  const joinBest = (pairs: [End, End][], worth: (a: End, b: End) => number): void => {
    for (;;) {
      let best: [End, End] | undefined;
      for (const [a, b] of pairs)
        if (free(a) && free(b) && allowed(a, b) && (best === undefined || worth(a, b) > worth(...best)))
          best = [a, b];
      if (best === undefined) return;
      mates.set(best[0], best[1]).set(best[1], best[0]);
    }
  };
  const pairsOf = (some: readonly End[]): [End, End][] =>
    some.flatMap((a, i) => some.slice(i + 1).map((b): [End, End] => [a, b]));
  const places = new Map<string, End[]>();
  for (const end of ends) places.set(String(end.at), [...(places.get(String(end.at)) ?? []), end]);
  for (const some of places.values()) joinBest(pairsOf(some), cosine);
  if (gap > 0)
    joinBest(
      pairsOf(ends).filter(([a, b]) => reach(a.at, b.at) <= gap * gap),
      (a, b) => -reach(a.at, b.at),
    );

  const done = new Set<number>();
  return lists.flatMap((list, path): Chain[] => {
    if (done.has(path)) return [];
    let start = ends.find((e) => e.path === path && !e.tail);
    if (start === undefined) return [{ points: [...list], parts: [{ path, reversed: false }] }];
    const home = start;
    for (let mate = mates.get(start); mate !== undefined; mate = mates.get(start)) {
      start = otherEnd(mate);
      if (start === home) break;
    }
    const chain: Chain = { points: [], parts: [] };
    for (let end: End | undefined = start; end !== undefined; ) {
      done.add(end.path);
      chain.parts.push({ path: end.path, reversed: end.tail });
      const way = end.tail ? [...lists[end.path]!].reverse() : lists[end.path]!;
      const meets = chain.points.length > 0 && same(chain.points.at(-1)!, way[0]!);
      chain.points.push(...way.slice(meets ? 1 : 0));
      end = mates.get(otherEnd(end));
      if (end !== start) continue;
      if (!same(chain.points[0]!, chain.points.at(-1)!)) chain.points.push(chain.points[0]!);
      break;
    }
    return [chain];
  });
}

function chainsOf({ paths, members, origin, reversed }: JoinedPaths): Chain[] {
  return listsOf(paths).map((points, i) => {
    const from = members[i - 1] ?? 0;
    const parts = Array.from(origin.subarray(from, members[i]), (path, k) => ({
      path,
      reversed: reversed[from + k] === 1,
    }));
    return { points, parts };
  });
}

test("join makes a ring of lines in any order and direction", () => {
  const paths = pathsOf(
    [
      [0, 0],
      [10, 0],
    ],
    [
      [10, 10],
      [10, 0],
    ],
    [
      [0, 10],
      [0, 0.04],
    ],
    [
      [10, 10],
      [0, 10],
    ],
  );
  const joined = join(paths);
  assert.equal(
    joined.paths,
    pathsOf([
      [0, 0],
      [10, 0],
      [10, 10],
      [0, 10],
      [0, 0.04],
      [0, 0],
    ]),
  );
  assert.equal(joined.members, Uint32Array.of(4));
  assert.equal(joined.origin, Uint32Array.of(0, 1, 3, 2));
  assert.equal(joined.reversed, Uint8Array.of(0, 1, 0, 0));
});

test("join goes straight on where lines cross", () => {
  const cross = pathsOf(
    [
      [0, 0],
      [5, 5],
    ],
    [
      [0, 5.5],
      [5, 5],
    ],
    [
      [10, 4.5],
      [5, 5],
    ],
    [
      [5, 5],
      [10, 10],
    ],
  );
  assert.equal(listsOf(join(cross).paths), [
    [
      [0, 0],
      [5, 5],
      [10, 10],
    ],
    [
      [0, 5.5],
      [5, 5],
      [10, 4.5],
    ],
  ]);
});

/** Lines and curves whose ends lie on a coarse raster, some of them a little off it. */
function scene(seed: number, n: number, size: number, off: number): Paths {
  const next = random(seed);
  const corner = (): Point => [
    Math.floor(size * next()) + (next() < 0.4 ? off * (next() - 0.5) : 0),
    Math.floor(size * next()) + (next() < 0.4 ? off * (next() - 0.5) : 0),
  ];
  const lists = Array.from({ length: n }, (): Point[] => {
    const kind = next();
    if (kind < 0.05) return [];
    if (kind < 0.1) return [corner()];
    if (kind < 0.2)
      return [corner(), corner(), corner(), corner()].map((p, i, all) => (i === 3 ? all[0]! : p));
    if (kind < 0.3) {
      // a speck, whose ends are within the gap of each other
      const [x, y] = corner();
      return [
        [x, y],
        [x + off * 0.2 * next(), y],
        [x, y + off * 0.2 * next()],
      ];
    }
    return Array.from({ length: 2 + Math.floor(3 * next()) }, corner);
  });
  return pathsOf(...lists);
}

test("join does what trying all pairs of ends does", () => {
  for (let seed = 1; seed <= 60; seed++) {
    const paths = scene(seed, 10 + (seed % 30), 3 + (seed % 7), 0.3);
    for (const options of [
      { gap: 0 },
      { gap: 0.1 },
      { gap: 0.25, maxAngleDeg: 60 },
      { gap: 1.2 },
      { gap: 0.2, maxAngleDeg: 0 },
    ])
      assert.equal(
        chainsOf(join(paths, options)),
        oracle(paths, options),
        `seed ${seed}, ${JSON.stringify(options)}`,
      );
  }
});

test("join uses each path once, bridges no more than the gap and turns no more than it may", () => {
  for (const maxAngleDeg of [20, 180]) {
    const paths = scene(7, 3000, 40, 0.4);
    const lists = listsOf(paths);
    const gap = 0.15;
    const joined = join(paths, { gap, maxAngleDeg });
    assert.equal(
      [...joined.origin].sort((a, b) => a - b),
      lists.map((_, i) => i),
    );
    for (const { points, parts } of chainsOf(joined)) {
      let at = 0;
      for (const { path, reversed } of parts) {
        const way = reversed ? [...lists[path]!].reverse() : lists[path]!;
        if (at > 0) {
          assert.ok(Math.sqrt(reach(points[at - 1]!, way[0]!)) <= gap + 1e-9);
          if (same(points[at - 1]!, way[0]!)) at--;
        }
        assert.equal(points.slice(at, at + way.length), way);
        at += way.length;
      }
      assert.ok(points.length - at <= 1);
      if (points.length > at) assert.equal(points.at(-1), points[0]);
    }
  }
});

test("join of a chain of ends, each within the gap of the next, pairs the nearest and leaves the rest", () => {
  // ends at 0, 0.09, 0.17 and 0.27: 0.09 and 0.17 are nearest
  const at = (x: number, y: number): Point[] => [
    [x, 0],
    [x, y],
  ];
  const joined = join(pathsOf(at(0, 5), at(0.09, -5), at(0.17, 6), at(0.27, -6)), { gap: 0.1 });
  assert.equal([...joined.members], [1, 3, 4]);
  // path 1 keeps its direction, so it comes after the one that ends where it begins
  assert.equal([...joined.origin], [0, 2, 1, 3]);
});

test("join does not mind mirrored, turned and scaled paths", () => {
  const paths = scene(12, 300, 12, 0.3);
  const plain = join(paths, { gap: 0.125, maxAngleDeg: 100 });
  for (const how of [
    ([x, y]: Point): Point => [-x, y],
    ([x, y]: Point): Point => [-y, x],
    ([x, y]: Point): Point => [8 * x, 8 * y],
  ]) {
    const gap = 0.125 * Math.abs(how([1, 0])[0] + how([1, 0])[1]);
    const turned = join(pathsOf(...listsOf(paths).map((list) => list.map(how))), { gap, maxAngleDeg: 100 });
    assert.equal(turned.origin, plain.origin);
    assert.equal(turned.members, plain.members);
  }
});

test("join takes nothing, and crowds of ends at one place and at nearly one place", () => {
  assert.equal(join(NONE).paths, NONE);
  for (const [maxAngleDeg, spread] of [
    [180, 0],
    [0.001, 0],
    [180, 1e-4],
  ] as const) {
    const star = Array.from({ length: 30_000 }, (_, i): Point[] => [
      [spread * Math.cos(i), spread * Math.sin(i)],
      [Math.cos(i / 5000) * 5, Math.sin(i / 5000) * 5],
    ]);
    const { paths, origin } = join(pathsOf(...star), { gap: 0.01, maxAngleDeg });
    assert.equal([...origin].sort((a, b) => a - b).at(-1), 29_999);
    if (maxAngleDeg === 180) assert.ok(paths.ends.length <= 15_000);
  }
});

test("close adds a line to the first point where the ends are near", () => {
  const lists: Point[][] = [
    [
      [0, 0],
      [10, 0],
      [10, 10],
      [0.03, 0.04],
    ],
    [
      [0, 0],
      [10, 0],
      [10, 10],
      [0.04, 0.04],
    ],
    // too short, too few points, closed, nothing
    [
      [0, 0],
      [0.02, 0.02],
      [0.01, 0.04],
    ],
    [
      [0, 0],
      [0.01, 0],
    ],
    [
      [1, 1],
      [2, 2],
      [1, 1],
    ],
    [[4, 4]],
    [],
  ];
  const expected = lists.map((list, i) => (i === 0 ? [...list, list[0]!] : list));
  assert.equal(close(pathsOf(...lists), { gap: 0.0501 }), pathsOf(...expected));
  assert.equal(close(pathsOf(...lists), { gap: 0 }), pathsOf(...lists));
  assert.equal(close(NONE), NONE);
});

function run(engine: Engine, paths: Paths, gap: number): number[][] {
  return engine.run(({ kernels }) => {
    const guards = new Guards(engine);
    const n = paths.ends.length;
    const points = paths.xy.length / 2;
    const ends = guards.push(paths.ends);
    const xy = guards.push(paths.xy);
    const scratch = guards.room(kernels.joinBytes(n));
    const outEnds = guards.room(4 * n);
    const out = guards.room(8 * (points + n));
    const members = guards.room(4 * n);
    const origin = guards.room(4 * n);
    const reversed = guards.room(n);
    const joints = kernels.joinPaths(ends, n, xy, gap, -1, scratch);
    const chains = kernels.writeChains(ends, n, xy, scratch, outEnds, out, members, origin, reversed);
    guards.check();
    const results = [
      [joints, chains],
      [...engine.u32(outEnds, chains)],
      [...engine.f32(out, 2 * (engine.u32(outEnds, n)[chains - 1] ?? 0))],
      [...engine.u32(members, chains)],
      [...engine.u32(origin, n)],
      [...engine.u8(reversed, n)],
    ];
    const closed = kernels.closePaths(ends, n, xy, gap, outEnds, out);
    guards.check();
    return [...results, [...engine.u32(outEnds, n)], [...engine.f32(out, 2 * closed)]];
  });
}

test("joinPaths, writeChains and closePaths stay within their buffers, and the debug build gives the same", () => {
  for (const n of [0, 1, 2, 3, 10, 1000])
    for (const gap of [0, 0.1, 1.5]) {
      const paths = scene(n, n, 5 + n / 40, 0.3);
      assert.equal(run(debug, paths, gap), run(release, paths, gap));
    }
});

test("joinPaths, writeChains and closePaths leave when they are canceled", () => {
  release.run((engine) => {
    const { kernels } = engine;
    const paths = pathsOf(...Array.from({ length: 5000 }, (_, i) => walk(i, 5, 1)));
    const [ends, xy] = [engine.push(paths.ends), engine.push(paths.xy)];
    const scratch = engine.alloc(kernels.joinBytes(5000));
    const [outEnds, out] = [engine.alloc(20_000), engine.alloc(8 * 30_000)];
    const [members, origin, reversed] = [engine.alloc(20_000), engine.alloc(20_000), engine.alloc(5000)];
    for (const kernel of [
      () => kernels.joinPaths(ends, 5000, xy, 0.1, -1, scratch),
      () => kernels.writeChains(ends, 5000, xy, scratch, outEnds, out, members, origin, reversed),
      () => kernels.closePaths(ends, 5000, xy, 0.1, outEnds, out),
    ]) {
      assert.is(whileCanceled(engine, kernel), -1);
      assert.ok(kernel() > 0);
    }
  });
});

test("join and close say which argument breaks its contract", () => {
  assertRefusals((paths) => join(paths));
  assertRefusals((paths) => close(paths));
  const says = (options: unknown): string => messageOf(() => join(NONE, options as JoinOptions));
  assert.is(says({ gap: -1 }), "Expected `gap` to be a finite number >= 0, got -1");
  assert.is(
    says({ maxAngleDeg: 181 }),
    "Expected `maxAngleDeg` to be a finite number >= 0 and <= 180, got 181",
  );
  assert.is(
    says({ angle: 1 }),
    'Expected `options` to be an object with no other names than gap, maxAngleDeg, got "angle"',
  );
  assert.is(
    messageOf(() => close(NONE, { gap: Number.NaN })),
    "Expected `gap` to be a finite number >= 0, got NaN",
  );
});

test.run();
