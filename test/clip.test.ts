import { readFileSync } from "node:fs";
import { type ClipOperation, combine, type KerfworkError, type Paths, taskMgr, union } from "kerfwork";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { Engine, type Pointer } from "../src/engine/memory.ts";
import { combinedArea } from "./clipper.ts";
import { guarded } from "./guard.ts";
import { random } from "./oracle.ts";
import {
  areaOf,
  box,
  closed,
  flawOf,
  isOdd,
  mapped,
  type Place,
  pathsOf,
  placesOf,
  scatter,
  slabArea,
  star,
  walk,
} from "./regions.ts";

const OPERATIONS: Record<ClipOperation, (first: boolean, second: boolean) => boolean> = {
  union: (a, b) => a || b,
  intersect: (a, b) => a && b,
  subtract: (a, b) => a && !b,
  exclude: (a, b) => a !== b,
};
const NAMES = Object.keys(OPERATIONS) as ClipOperation[];
const NOTHING = pathsOf();

const messageOf = (run: () => unknown): string => {
  try {
    run();
  } catch (error) {
    assert.is((error as KerfworkError).code, "INVALID_ARGUMENT");
    return (error as KerfworkError).message;
  }
  throw new Error("nothing was thrown");
};

const near = (actual: number, expected: number, most: number): void =>
  assert.ok(Math.abs(actual - expected) <= most, `${actual}, expected ${expected}`);

/** A path from its least point on, to compare paths that begin elsewhere. */
function fromLeast(paths: Paths): string[] {
  return placesOf(paths)
    .map((list) => {
      const ring = list.slice(0, -1);
      const texts = ring.map(String);
      const first = texts.indexOf([...texts].sort()[0]!);
      return [...texts.slice(first), ...texts.slice(0, first)].join(" ");
    })
    .sort();
}

test("two squares, by hand", () => {
  const a = pathsOf(box(0, 0, 10));
  const b = pathsOf(box(5, 5, 10));
  assert.equal(fromLeast(combine("intersect", a, b)), ["10,10 5,10 5,5 10,5"]);
  assert.equal(fromLeast(combine("subtract", a, b)), ["0,0 10,0 10,5 5,5 5,10 0,10"]);
  assert.equal(fromLeast(combine("union", a, b)), ["0,0 10,0 10,5 15,5 15,15 5,15 5,10 0,10"]);
  const both = combine("exclude", a, b);
  assert.is(both.ends.length, 2);
  assert.is(areaOf(both), 150);
  // a hole runs the other way
  const ring = combine("subtract", a, pathsOf(box(2, 2, 3)));
  assert.equal(fromLeast(ring), ["0,0 10,0 10,10 0,10", "2,2 2,5 5,5 5,2"]);
  assert.is(areaOf(ring), 91);
});

/** Seeded sets of several kinds, the first two with crossings all over, the others full of coincidences. */
function setOf(next: () => number, kind: number): Paths {
  const rings = Array.from({ length: 1 + Math.floor(next() * 4) }, () => {
    const corners = 3 + Math.floor(next() * 16);
    if (kind === 0) return scatter(next, corners, 100);
    if (kind === 1) return star(next, corners, 30 * next(), 30 * next(), 20, 0.9);
    return kind === 2 ? walk(next, 3 * corners, 12, 4) : walk(next, 2 * corners, 6, 6);
  });
  return pathsOf(...rings);
}

for (const [kind, name] of ["scattered", "stars", "walks", "short walks"].entries())
  test(`${name}: area as cut into slabs, and nothing crosses`, () => {
    for (let seed = 1; seed <= 12; seed++) {
      const next = random(100 * kind + seed);
      const [a, b] = [setOf(next, kind), setOf(next, kind)];
      for (const rule of ["evenodd", "nonzero"] as const) {
        const areas = NAMES.map((operation) => {
          const result = combine(operation, a, b, { fillRule: rule });
          const area = areaOf(result);
          const expected = slabArea([a, b], rule, OPERATIONS[operation]);
          assert.ok(
            Math.abs(area - expected) < 2e-3 + 2e-5 * expected,
            `${seed} ${operation}: ${area}, ${expected}`,
          );
          if (seed % 3 === 0) assert.is(flawOf(result), undefined, `${seed} ${operation}`);
          // what Clipper2 makes of edges that lie on each other is sometimes wrong
          if (kind < 2) {
            const other = combinedArea(operation, a, b, rule);
            assert.ok(
              Math.abs(area - other) < 2e-3 + 2e-5 * other,
              `${seed} ${operation}: ${area}, Clipper2 ${other}`,
            );
          }
          return area;
        });
        const [or, and, minus, xor] = areas as [number, number, number, number];
        const [first, second] = [a, b].map((paths) => areaOf(union(paths, { fillRule: rule }))) as [
          number,
          number,
        ];
        const close = (x: number, y: number): boolean => Math.abs(x - y) < 4e-3 + 4e-5 * or;
        assert.ok(close(or + and, first + second));
        assert.ok(close(xor, or - and));
        assert.ok(close(minus, first - and));
      }
    }
  });

test("turned, mirrored, reversed and shuffled paths give the same region", () => {
  const turned = (paths: Paths): Paths => mapped(paths, ([x, y]) => [-y, x]);
  const mirrored = (paths: Paths): Paths => mapped(paths, ([x, y]) => [-x, y]);
  const reversed = (paths: Paths): Paths => pathsOf(...placesOf(paths).map((list) => [...list].reverse()));
  const shuffled = (paths: Paths): Paths => pathsOf(...placesOf(paths).reverse());
  for (let seed = 1; seed <= 20; seed++) {
    const next = random(seed);
    const [a, b] = [setOf(next, seed % 4), setOf(next, seed % 4)];
    for (const operation of NAMES) {
      const area = areaOf(combine(operation, a, b));
      for (const change of [turned, mirrored, reversed, shuffled])
        assert.ok(Math.abs(areaOf(combine(operation, change(a), change(b))) - area) < 4e-3 + 4e-5 * area);
    }
    assert.equal(combine("union", a, b), combine("union", a, b));
    assert.equal(fromLeast(combine("exclude", a, b)), fromLeast(combine("exclude", b, a)));
  }
});

test("what was resolved stays as it is", () => {
  for (let seed = 1; seed <= 20; seed++) {
    const next = random(seed);
    const once = union(setOf(next, seed % 4), { fillRule: "evenodd" });
    for (const fillRule of ["evenodd", "nonzero"] as const)
      assert.equal(fromLeast(union(once, { fillRule })), fromLeast(once));
    assert.equal(combine("subtract", once, once), { ends: new Uint32Array(), xy: new Float32Array() });
    assert.equal(fromLeast(combine("intersect", once, once)), fromLeast(once));
  }
});

test("even-odd and non-zero: a figure-eight, a square twice, one in another", () => {
  const eight = pathsOf(
    closed([
      [0, 0],
      [4, 4],
      [4, 0],
      [0, 4],
    ]),
  );
  for (const fillRule of ["evenodd", "nonzero"] as const) {
    const parts = union(eight, { fillRule });
    assert.equal(fromLeast(parts), ["0,0 2,2 0,4", "2,2 4,0 4,4"]);
    assert.is(areaOf(parts), 8);
  }
  const twice = pathsOf(box(0, 0, 4), box(0, 0, 4));
  assert.is(union(twice, { fillRule: "evenodd" }).ends.length, 0);
  assert.is(areaOf(union(twice)), 16);
  const nested = pathsOf(box(0, 0, 10), box(2, 2, 4));
  assert.is(areaOf(union(nested)), 100);
  assert.is(areaOf(union(nested, { fillRule: "evenodd" })), 84);
});

test("paths that pass a point twice, without any crossing", () => {
  const twice = closed([
    [3, 2],
    [4, 4],
    [1, 3],
    [3, 3],
    [4, 4],
    [4, 0],
  ]);
  assert.equal(fromLeast(union(pathsOf(twice))), ["1,3 3,3 4,4", "3,2 4,0 4,4"]);
  const next = random(4);
  for (let k = 0; k < 300; k++) {
    const ring = closed(
      Array.from({ length: 3 + (k % 6) }, (): Place => [Math.floor(5 * next()), Math.floor(5 * next())]),
    );
    const result = union(pathsOf(ring));
    near(
      areaOf(result),
      slabArea([pathsOf(ring), NOTHING], "nonzero", (a) => a),
      1e-3,
    );
    assert.is(flawOf(result), undefined);
  }
});

test("heaps of edges that overlap on a few lines", () => {
  const next = random(9);
  const bars = Array.from({ length: 3000 }, () => {
    const x = Math.floor(900_000 * next()) / 1000;
    return { x, width: Math.floor(40 * next()) / 1000 + 0.001 };
  });
  let [covered, end] = [0, 0];
  for (const { x, width } of [...bars].sort((a, b) => a.x - b.x)) {
    covered += Math.max(0, x + width - Math.max(x, end));
    end = Math.max(end, x + width);
  }
  near(areaOf(union(pathsOf(...bars.map(({ x, width }) => box(x, 0, width, 1))))), covered, 0.02);
  const long = pathsOf(
    ...Array.from({ length: 1500 }, () => box(Math.floor(500 * next()), 0, 1 + Math.floor(500 * next()), 1)),
  );
  const [least, most] = [Math.min(...long.xy.filter((_, i) => i % 2 === 0)), Math.max(...long.xy)];
  assert.is(areaOf(union(long)), most - least);
  for (const [corners, size] of [
    [1500, 3],
    [800, 4],
  ] as const)
    for (const fillRule of ["evenodd", "nonzero"] as const) {
      const [a, b] = [pathsOf(walk(next, corners, size, size)), pathsOf(walk(next, corners, size, size))];
      const result = combine("exclude", a, b, { fillRule });
      near(areaOf(result), slabArea([a, b], fillRule, OPERATIONS.exclude), 5e-3);
      assert.is(flawOf(result), undefined);
    }
});

test("regions that touch in a point stay apart, a hole that touches its outline is a path of its own", () => {
  const corners = union(pathsOf(box(0, 0, 2), box(2, 2, 2)));
  assert.equal(fromLeast(corners), ["0,0 2,0 2,2 0,2", "2,2 4,2 4,4 2,4"]);
  const pinched = combine(
    "subtract",
    pathsOf(box(0, 0, 8)),
    pathsOf(
      closed([
        [0, 4],
        [4, 2],
        [4, 6],
      ]),
    ),
  );
  assert.is(pinched.ends.length, 2);
  assert.is(areaOf(pinched), 56);
  assert.is(flawOf(pinched), undefined);
});

test("nothing, points, spikes and lines enclose nothing", () => {
  const square = pathsOf(box(0, 0, 1));
  for (const operation of NAMES) assert.is(combine(operation, NOTHING, NOTHING).ends.length, 0);
  assert.equal(combine("union", NOTHING, square), combine("union", square, NOTHING));
  assert.is(combine("intersect", NOTHING, square).ends.length, 0);
  const flat: Place[][] = [
    [],
    [[1, 1]],
    [
      [1, 1],
      [1, 1],
    ],
    closed([
      [0, 0],
      [5, 5],
    ]),
    closed([
      [0, 0],
      [4, 2],
      [8, 4],
      [2, 1],
    ]),
    closed([
      [0, 0],
      [0.00001, 0],
      [0, 0.00001],
    ]),
  ];
  assert.is(union(pathsOf(...flat)).ends.length, 0);
  assert.equal(union(pathsOf(...flat, box(20, 20, 1))), union(pathsOf(box(20, 20, 1))));
  // a spike falls off, points on straight sides too
  const spiked = closed([
    [0, 0],
    [2, 0],
    [6, 0],
    [4, 0],
    [4, 4],
    [4, 9],
    [4, 4],
    [0, 4],
  ]);
  assert.equal(fromLeast(union(pathsOf(spiked))), ["0,0 4,0 4,4 0,4"]);
});

test("lines side by side: needles through one point, and strips that cross at the slightest angles", () => {
  for (let seed = 1; seed <= 6; seed++) {
    const next = random(seed);
    const strips = Array.from({ length: 40 }, () => {
      const y = 10 + next() * 1e-3;
      return closed(
        [
          [0, y],
          [300, 10 + next() * 1e-3],
          [300, 10.001 + next() * 1e-3],
          [0, y + 1e-3],
        ].map(([x, v]) => [Math.fround(x!), Math.fround(v!)] as const),
      );
    });
    const needles = Array.from({ length: 60 }, () => {
      const angle = 6.3 * next();
      const tip: Place = [Math.fround(150 + 100 * Math.cos(angle)), Math.fround(10 + 100 * Math.sin(angle))];
      return closed([[150, 10], tip, [Math.fround(tip[0] + 0.01), Math.fround(tip[1] + 0.01)]]);
    });
    for (const rings of [strips, needles]) {
      const result = union(pathsOf(...rings));
      assert.is(flawOf(result), undefined);
      const expected = slabArea([pathsOf(...rings), NOTHING], "nonzero", (a) => a);
      // each edge may be a few steps off
      assert.ok(Math.abs(areaOf(result) - expected) < 0.06, `${areaOf(result)}, ${expected}`);
    }
  }
});

test("100,000 steps over a small board: the cells that they wind around an odd number of times", () => {
  const next = random(7);
  const size = 60;
  const list: Place[] = [];
  const odd = Array.from({ length: size }, () => new Uint8Array(size));
  let [x, y] = [size / 2, size / 2];
  const go = (nextX: number, nextY: number): void => {
    // an upright step turns all cells to its right over
    if (nextX === x) {
      const row = odd[Math.min(y, nextY)]!;
      for (let k = x; k < size; k++) row[k]! ^= 1;
    }
    [x, y] = [nextX, nextY];
    list.push([x, y]);
  };
  list.push([x, y]);
  for (let k = 0; k < 100_000; k++) {
    const way = Math.floor(4 * next());
    const [nextX, nextY] = [x + [1, -1, 0, 0][way]!, y + [0, 0, 1, -1][way]!];
    if (nextX >= 0 && nextY >= 0 && nextX <= size && nextY <= size) go(nextX, nextY);
  }
  while (x !== list[0]![0]) go(x + Math.sign(list[0]![0] - x), y);
  while (y !== list[0]![1]) go(x, y + Math.sign(list[0]![1] - y));
  const cells = odd.reduce((sum, row) => sum + row.reduce((n, cell) => n + cell, 0), 0);
  const result = union(pathsOf(list), { fillRule: "evenodd" });
  assert.is(areaOf(result), cells);
  for (let k = 0; k < 200; k++) {
    const [column, row] = [Math.floor(size * next()), Math.floor(size * next())];
    assert.is(isOdd(result, [column + 0.5, row + 0.5]), odd[row]![column] === 1);
  }
});

test("100,000 points: to and fro on a line, a comb, spikes from one point; nested squares", () => {
  const next = random(8);
  const n = 100_000;
  const line = closed(
    Array.from({ length: n }, (): Place => {
      const x = Math.floor(1000 * next());
      return [x, x / 2];
    }),
  );
  assert.is(union(pathsOf(line)).ends.length, 0);
  const teeth = n / 4;
  const comb = closed([
    ...Array.from({ length: teeth }, (_, k): Place[] => [
      [k / 50, 0],
      [k / 50, 90],
      [k / 50 + 0.01, 90],
      [k / 50 + 0.01, 0],
    ]).flat(),
    [teeth / 50, -1],
    [0, -1],
  ]);
  assert.ok(Math.abs(areaOf(union(pathsOf(comb))) - (teeth * 0.9 + teeth / 50 - 0.005)) < 1e-3);
  const spikes = closed(
    Array.from({ length: n / 2 }, (_, k): Place[] => {
      const angle = (4 * Math.PI * k) / n;
      return [
        [200, 200],
        [200 + 150 * Math.cos(angle), 200 + 150 * Math.sin(angle)],
      ];
    }).flat(),
  );
  assert.is(union(pathsOf(spikes)).ends.length, 0);
  const squares = 4000;
  const nested = pathsOf(...Array.from({ length: squares }, (_, k) => box(k / 16, k / 16, 600 - k / 8)));
  const rings = union(nested, { fillRule: "evenodd" });
  assert.is(rings.ends.length, squares);
  const parts = Array.from({ length: squares }, (_, k) => (k % 2 === 0 ? 1 : -1) * (600 - k / 8) ** 2);
  assert.ok(Math.abs(areaOf(rings) - parts.reduce((a, b) => a + b, 0)) < 1);
});

test("works up to the edge of the grid, and says where it ends", () => {
  const far = pathsOf(
    box(-53_000, -53_000, 106_000),
    closed([
      [-53_000, 0],
      [53_000, 0.5],
      [0, 53_000],
    ]),
  );
  const expected = slabArea([far, NOTHING], "evenodd", (a) => a);
  assert.ok(Math.abs(areaOf(union(far, { fillRule: "evenodd" })) / expected - 1) < 1e-8);
  assert.is(
    messageOf(() => union(pathsOf(box(0, 0, 1), box(0, 0, 60_000)))),
    "Expected path 1, point 1 to be within 53687 mm of the origin, got (60000, 0)",
  );
});

test("bad arguments are named", () => {
  const square = pathsOf(box(0, 0, 1));
  const hurt = pathsOf(box(0, 0, 1), [
    [0, 0],
    [1, Number.NaN],
    [0, 0],
  ]);
  assert.is(
    messageOf(() => combine("union", square, hurt)),
    "Expected path 1, point 1 to be finite, got (1, NaN)",
  );
  const open = pathsOf(box(0, 0, 1), [
    [0, 0],
    [1, 1],
  ]);
  assert.is(
    messageOf(() => combine("union", open, square)),
    "Expected `subject` to be closed paths, whose last points equal their first, got an open path 1",
  );
  assert.is(
    messageOf(() => combine("cut" as "union", square, square)),
    'Expected `operation` to be one of "union", "intersect", "subtract", "exclude", got "cut"',
  );
  assert.is(
    messageOf(() => union(square, { fillRule: "odd" as "evenodd" })),
    'Expected `fillRule` to be one of "evenodd", "nonzero", got "odd"',
  );
  assert.is(
    messageOf(() => union(square, { rule: 1 } as never)),
    'Expected `options` to be an object with no other names than fillRule, got "rule"',
  );
  assert.is(
    messageOf(() => union(undefined as never)),
    "Expected `paths` to be a Paths object, got undefined",
  );
});

test("runs as a task", async () => {
  const [a, b] = [pathsOf(box(0, 0, 10)), pathsOf(box(5, 5, 10))];
  assert.equal(await taskMgr.runProcess(combine, ["subtract", a, b]).promise, combine("subtract", a, b));
  await taskMgr.shutdown();
});

const moduleOf = (path: string): WebAssembly.Module => new WebAssembly.Module(readFileSync(path));
const release = new Engine(undefined, moduleOf("dist/kernels.wasm"));
const debug = new Engine(undefined, moduleOf("build/kernels-debug.wasm"));

/** Clusters and arranges one set in guarded buffers; returns what the kernels returned and wrote. */
function arrangeIn(engine: Engine, paths: Paths, room: number, outRoom: number, stop = false): number[] {
  return engine.run(({ kernels }) => {
    const { place, check } = guarded(engine);
    const rings = placesOf(paths).map((list) => list.slice(0, -1));
    let nodes = 0;
    const ends = Uint32Array.from(rings, (ring) => (nodes += ring.length));
    const [xy, tags, endsAt] = [place(8 * nodes), place(4 * nodes), place(4 * ends.length)];
    engine.i32(xy, 2 * nodes).set(rings.flat(2).map((v) => Math.round(v * 10_000)));
    engine.u32(tags, nodes).fill(0);
    engine.u32(endsAt, ends.length).set(ends);
    const order = place(4 * ends.length);
    const clusterEnds = place(4 * ends.length);
    const sorting = place(kernels.clusterBytes(ends.length));
    const clusters = kernels.clusterRings(xy, endsAt, ends.length, sorting, order, clusterEnds);
    const scratch = place(kernels.arrangeBytes(room));
    if (stop) engine.i32(0 as Pointer, 1)[0] = 1;
    const [outXy, outTags, outEnds] = [
      place(8 * outRoom),
      place(4 * outRoom),
      place(4 * Math.floor(outRoom / 3)),
    ];
    const nothing = 0 as Pointer;
    const count = kernels.arrangeRings(
      xy,
      tags,
      endsAt,
      order,
      clusterEnds,
      clusters,
      1,
      2,
      0,
      nothing,
      room,
      scratch,
      outXy,
      outTags,
      outEnds,
      outRoom,
    );
    check();
    if (count < 0) return [clusters, count];
    const written = engine.u32(outEnds, count).slice();
    return [clusters, count, ...written, ...engine.i32(outXy, 2 * (written.at(-1) ?? 0))];
  });
}

test("the kernels stay within their buffers, say when there is no room, and the debug build gives the same", () => {
  for (let seed = 1; seed <= 12; seed++) {
    const next = random(seed);
    const paths = pathsOf(...placesOf(setOf(next, seed % 4)), ...placesOf(setOf(next, 1)), box(200, 200, 5));
    for (const room of [2048, 200, 64, 16]) {
      const result = arrangeIn(release, paths, room, 2048);
      assert.equal(arrangeIn(debug, paths, room, 2048), result);
      if (room === 16) assert.is(result[1], -2);
      else if (room === 2048) assert.ok(result[1]! > 0);
    }
    assert.is(arrangeIn(release, paths, 2048, 8)[1], -2);
  }
  assert.equal(arrangeIn(release, NOTHING, 16, 16), [0, 0]);
});

test("rings whose boxes lie apart are in clusters of their own", () => {
  const apart = pathsOf(box(0, 0, 1), box(5, 0, 1), box(0.5, 0.5, 1), box(5, 5, 1), box(1.5, 1.5, 4));
  assert.is(arrangeIn(release, apart, 256, 256)[0], 2);
  assert.is(
    arrangeIn(release, pathsOf(box(0, 0, 1), box(5, 0, 1), box(0.5, 0.5, 1), box(5, 5, 1)), 256, 256)[0],
    3,
  );
});

test("arrange reports nodes and leaves when it is canceled", () => {
  const paths = pathsOf(scatter(random(3), 400, 100), box(200, 0, 1));
  const step = release.i32(64 as Pointer, 1);
  arrangeIn(release, paths, 200_000, 200_000);
  assert.ok(step[0]! > 0 && step[0]! <= 410);
  try {
    assert.is(arrangeIn(release, paths, 200_000, 200_000, true)[1], -1);
    // now from the start
    assert.is(arrangeIn(release, paths, 200_000, 200_000)[0], -1);
  } finally {
    release.i32(0 as Pointer, 1)[0] = 0;
  }
});

test.run();
