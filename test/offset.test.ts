import { readFileSync } from "node:fs";
import {
  type KerfworkError,
  type OffsetOptions,
  offset,
  offsetRings,
  type Paths,
  taskMgr,
  union,
} from "kerfwork";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { Engine } from "../src/engine/memory.ts";
import { offsetArea } from "./clipper.ts";
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
  reachTo,
  scatter,
  star,
} from "./regions.ts";

const near = (actual: number, expected: number, most = 1e-6): void =>
  assert.ok(Math.abs(actual - expected) <= most, `${actual}, expected ${expected}`);

const messageOf = (run: () => unknown): string => {
  try {
    run();
  } catch (error) {
    assert.is((error as KerfworkError).code, "INVALID_ARGUMENT");
    return (error as KerfworkError).message;
  }
  throw new Error("nothing was thrown");
};

const reversed = (paths: Paths): Paths => pathsOf(...placesOf(paths).map((list) => [...list].reverse()));
const square = pathsOf(box(0, 0, 10));

test("a square, by hand", () => {
  const corners = (options: OffsetOptions): string => placesOf(offset(square, options).paths).join(" / ");
  assert.is(corners({ distance: 1, join: "miter" }), "-1,-1,11,-1,11,11,-1,11,-1,-1");
  assert.is(corners({ distance: -1 }), "1,1,9,1,9,9,1,9,1,1");
  near(areaOf(offset(square, { distance: 1, tolerance: 0.0002 }).paths), 140 + Math.PI, 1e-3);
  // squared corners are cut off at the distance
  near(areaOf(offset(square, { distance: 1, join: "square" }).paths), 144 - 4 * (Math.SQRT2 - 1) ** 2, 1e-3);
  // so are miters beyond the limit
  const limited = offset(square, { distance: 1, join: "miter", miterLimit: 1.3 }).paths;
  assert.equal(limited, offset(square, { distance: 1, join: "square" }).paths);
  assert.equal(offset(square, { distance: 0 }).paths, square);
});

test("the sign comes from nesting, whichever way paths run", () => {
  const rings = [box(0, 0, 40), box(5, 5, 30), box(10, 10, 20), box(15, 15, 10)];
  // outer, hole, island, hole: each side moves by 1
  const expected = 42 ** 2 - 28 ** 2 + 22 ** 2 - 8 ** 2;
  for (let ways = 0; ways < 16; ways++) {
    const paths = pathsOf(...rings.map((ring, i) => ((ways >> i) & 1 ? [...ring].reverse() : ring)));
    const grown = offset(paths, { distance: 1, join: "miter" });
    assert.is(areaOf(grown.paths), expected);
    assert.equal([...grown.vanished], []);
    const shrunk = offset(paths, { distance: -1, join: "miter" });
    assert.is(areaOf(shrunk.paths), 38 ** 2 - 32 ** 2 + 18 ** 2 - 12 ** 2);
  }
  // by the non-zero rule it is how they wind that makes holes
  assert.is(
    areaOf(offset(pathsOf(...rings), { distance: 1, join: "miter", fillRule: "nonzero" }).paths),
    42 ** 2,
  );
});

test("what vanishes is told by number, and never comes back", () => {
  const strip = box(0, 20, 30, 1);
  const hole = box(2, 2, 1);
  const paths = pathsOf(
    box(0, 0, 10),
    hole,
    strip,
    [
      [50, 50],
      [50, 50],
    ],
    [[60, 60]],
    [],
    box(40, 0, 4),
  );
  const shrunk = offset(paths, { distance: -0.6 });
  assert.equal([...shrunk.vanished], [2, 3, 4, 5]);
  near(areaOf(shrunk.paths), 8.8 ** 2 - (1 + 4 * 0.6 + Math.PI * 0.36) + 2.8 ** 2, 0.03);
  const grown = offset(paths, { distance: 0.6 });
  assert.equal([...grown.vanished], [1, 3, 4, 5]);
  // exactly half the width is nothing, a step less is something
  assert.equal([...offset(pathsOf(strip), { distance: -0.5 }).vanished], [0]);
  assert.equal([...offset(pathsOf(strip), { distance: -0.4995 }).vanished], []);
  for (const distance of [-5, -5.5, -7, -9.9, -10, -10.1, -25, -1000])
    assert.equal(offset(square, { distance }), { paths: pathsOf(), vanished: Uint32Array.of(0) });
  // of two paths that are the same, one leaves all the lines
  assert.equal(
    [...offset(pathsOf(box(0, 0, 9), box(0, 0, 9)), { distance: 1, fillRule: "nonzero" }).vanished],
    [1],
  );
});

test("a figure-eight is two triangles", () => {
  const eight = pathsOf(
    closed([
      [0, 0],
      [10, 10],
      [10, 0],
      [0, 10],
    ]),
  );
  for (const paths of [eight, reversed(eight)]) {
    const grown = offset(paths, { distance: 0.1, tolerance: 0.0005 });
    assert.is(grown.paths.ends.length, 1);
    near(areaOf(grown.paths), offsetArea(eight, { distance: 0.1, tolerance: 0.0005 }), 1e-3);
    const shrunk = offset(paths, { distance: -0.1 });
    assert.is(shrunk.paths.ends.length, 2);
    near(areaOf(shrunk.paths), offsetArea(eight, { distance: -0.1 }), 1e-3);
  }
});

const shapes = (next: () => number, kind: number): Paths =>
  pathsOf(
    ...Array.from({ length: 1 + Math.floor(next() * 4) }, () => {
      const corners = 3 + Math.floor(next() * 24);
      return kind === 0
        ? scatter(next, Math.min(corners, 12), 20)
        : star(next, corners, 20 * next(), 20 * next(), 1 + 8 * next(), kind === 1 ? 0.9 : 0.3);
    }),
  );

test("area as Clipper2 has it, and nothing crosses", () => {
  for (let seed = 1; seed <= 60; seed++) {
    const next = random(seed);
    const paths = shapes(next, seed % 3);
    for (const distance of [0.05, 0.3, 1, -0.05, -0.3, -1])
      for (const join of ["round", "miter", "square"] as const) {
        const options = { distance, join, tolerance: 0.001 };
        const { paths: result } = offset(paths, options);
        const expected = offsetArea(paths, options);
        const most = (join === "round" ? 4e-3 : 4e-2) * Math.max(1, expected / 50);
        near(areaOf(result), expected, most);
        if (seed % 12 === 0) assert.is(flawOf(result), undefined);
      }
  }
});

test("places are ink where the outline is near enough, by measuring", () => {
  const tolerance = 0.02;
  for (let seed = 1; seed <= 12; seed++) {
    const next = random(seed);
    const paths = shapes(next, seed % 3);
    for (const distance of [0.2, 1.5, -0.2, -0.8]) {
      const { paths: result } = offset(paths, { distance, tolerance });
      for (let k = 0; k < 150; k++) {
        const place: Place = [30 * next() - 5, 30 * next() - 5];
        const reach = reachTo(paths, place) * (isOdd(paths, place) ? -1 : 1);
        if (Math.abs(reach - distance) > tolerance)
          assert.is(isOdd(result, place), reach < distance, `${seed}: ${place} is ${reach} off`);
      }
    }
  }
});

test("turned, mirrored and reversed shapes", () => {
  for (let seed = 1; seed <= 12; seed++) {
    const paths = shapes(random(seed), seed % 3);
    for (const distance of [0.4, -0.4]) {
      const area = areaOf(offset(paths, { distance, tolerance: 0.001 }).paths);
      const others = [
        mapped(paths, ([x, y]) => [-y, x]),
        mapped(paths, ([x, y]) => [-x, y]),
        reversed(paths),
      ];
      for (const other of others)
        near(areaOf(offset(other, { distance, tolerance: 0.001 }).paths), area, 0.01 + 1e-4 * area);
    }
  }
});

test("out and back in again closes gaps and keeps the rest", () => {
  const hexagon = pathsOf(
    closed(Array.from({ length: 6 }, (_, k): Place => [20 * Math.cos(k), 20 * Math.sin(k)])),
  );
  const there = offset(hexagon, { distance: 1, tolerance: 0.001 }).paths;
  near(areaOf(offset(there, { distance: -1 }).paths), areaOf(union(hexagon)), 0.02);
  const slit = union(pathsOf(box(0, 0, 10, 4), box(0, 4.1, 10, 4)));
  const joined = offset(slit, { distance: 0.2, join: "miter" }).paths;
  assert.is(joined.ends.length, 1);
  near(areaOf(offset(joined, { distance: -0.2, join: "miter" }).paths), 81, 1e-3);
});

test("open paths become strokes with their caps", () => {
  const line = pathsOf([
    [0, 0],
    [10, 0],
  ]);
  const areas = (["butt", "square", "round"] as const).map((cap) =>
    areaOf(offset(line, { distance: 0.5, cap, tolerance: 0.0005 }).paths),
  );
  near(areas[0]!, 10);
  near(areas[1]!, 11);
  near(areas[2]!, 10 + Math.PI / 4, 2e-3);
  assert.equal([...offset(line, { distance: -0.5 }).vanished], [0]);
  assert.equal([...offset(line, { distance: 0 }).vanished], [0]);
  // there and back on itself, crossing itself, around a corner
  near(
    areaOf(
      offset(
        pathsOf([
          [0, 0],
          [10, 0],
          [4, 0],
        ]),
        { distance: 0.5, cap: "butt", tolerance: 0.0005 },
      ).paths,
    ),
    10 + Math.PI / 8,
    2e-3,
  );
  const loop: Place[] = [
    [0, 0],
    [10, 0],
    [10, 10],
    [5, -5],
  ];
  const bent: Place[] = [
    [0, 0],
    [4, 0],
    [4.1, 3],
    [0, 0.5],
    [8, 2],
  ];
  for (const points of [loop, bent])
    for (const cap of ["butt", "square", "round"] as const)
      for (const join of ["round", "miter", "square"] as const) {
        const options = { distance: 0.7, cap, join, tolerance: 0.001 };
        near(
          areaOf(offset(pathsOf(points), options).paths),
          offsetArea(pathsOf(points), { ...options, open: true }),
          0.01,
        );
      }
  // with closed ones they are one region
  near(
    areaOf(
      offset(
        pathsOf(box(0, 0, 10), [
          [-5, 5],
          [15, 5],
        ]),
        { distance: 0.5, join: "miter", cap: "butt" },
      ).paths,
    ),
    121 + 2 * 4.5,
  );
});

/** A gear of square teeth. */
const gear = (teeth: number): Paths =>
  pathsOf(
    closed(
      Array.from({ length: 10 * teeth }, (_, k): Place => {
        const angle = (2 * Math.PI * k) / (10 * teeth);
        const r = k % 10 < 5 ? 20 : 18;
        return [25 + r * Math.cos(angle), 25 + r * Math.sin(angle)];
      }),
    ),
  );

test("rings fill a region step by step, with as many points as they need", () => {
  const rings = offsetRings(square, { step: 1, join: "miter" });
  assert.equal([...rings.ring], [1, 2, 3, 4]);
  assert.equal(
    placesOf(rings.paths).map((list) => list[0]),
    [
      [1, 1],
      [2, 2],
      [3, 3],
      [4, 4],
    ],
  );
  assert.equal([...rings.vanished], []);
  assert.equal([...offsetRings(square, { step: 1, count: 2 }).ring], [1, 2]);
  const teeth = gear(100);
  const filled = offsetRings(teeth, { step: 0.2, tolerance: 0.005 });
  const points = new Map<number, number>();
  for (const [i, list] of placesOf(filled.paths).entries())
    points.set(filled.ring[i]!, (points.get(filled.ring[i]!) ?? 0) + list.length);
  for (const n of points.values()) assert.ok(n <= 2 * 1001, `${n} points`);
  // each ring is where the whole distance puts it
  for (const [ring, step] of [
    [1, 0.2],
    [6, 0.2],
    [30, 0.2],
    [80, 0.2],
  ] as const) {
    const lists = placesOf(filled.paths).filter((_, i) => filled.ring[i] === ring);
    for (const place of lists.flat()) near(reachTo(teeth, place), ring * step, 0.011);
    near(areaOf(pathsOf(...lists)), offsetArea(teeth, { distance: -ring * step, tolerance: 0.0005 }), 0.5);
  }
});

test("rings: parts that fall apart, islands, and what is too narrow", () => {
  const paths = pathsOf(box(0, 0, 20), box(5, 5, 10), box(8, 8, 4), box(30, 0, 20, 0.3), [
    [0, 30],
    [9, 30],
  ]);
  const { paths: rings, ring, vanished } = offsetRings(paths, { step: 0.5, join: "miter" });
  assert.equal([...vanished], [3, 4]);
  const areas = new Map<number, number>();
  for (const [i, list] of placesOf(rings).entries())
    areas.set(ring[i]!, (areas.get(ring[i]!) ?? 0) + areaOf(pathsOf(list)));
  for (const [k, area] of areas) {
    const d = 0.5 * k;
    near(area, (20 - 2 * d) ** 2 - (10 + 2 * d) ** 2 + Math.max(0, 4 - 2 * d) ** 2, 1e-3);
  }
  assert.is(Math.max(...ring), 4);
});

test("an outline of 100,000 points, and 100 needles of spikes", () => {
  const next = random(5);
  const outline = pathsOf(star(next, 100_000, 200, 200, 180, 0.0005));
  for (const distance of [0.1, -0.1]) {
    const { paths, vanished } = offset(outline, { distance, tolerance: 0.005 });
    assert.is(vanished.length, 0);
    const length = 2 * Math.PI * 180;
    near(areaOf(paths) - areaOf(outline), distance * length, 0.06 * length);
  }
  const spiky = pathsOf(star(next, 2000, 0, 0, 50, 0.99));
  const result = offset(spiky, { distance: 0.05, tolerance: 0.002 }).paths;
  near(areaOf(result), offsetArea(spiky, { distance: 0.05, tolerance: 0.002 }), 2);
});

test("bad arguments are named", () => {
  const hurt = pathsOf(box(0, 0, 1), [
    [0, 0],
    [Number.POSITIVE_INFINITY, 1],
    [0, 0],
  ]);
  assert.is(
    messageOf(() => offset(hurt, { distance: 1 })),
    "Expected path 1, point 1 to be finite, got (Infinity, 1)",
  );
  assert.is(
    messageOf(() => offset(square, {} as never)),
    "Expected `distance` to be a finite number >= -53687 and <= 53687, got undefined",
  );
  assert.is(
    messageOf(() => offset(pathsOf(box(0, 0, 53_600)), { distance: 100 })),
    "Expected path 0, point 1 to be within 53545 mm of the origin, got (53600, 0)",
  );
  assert.is(
    messageOf(() => offset(square, { distance: 1, join: "bevel" as never })),
    'Expected `join` to be one of "round", "miter", "square", got "bevel"',
  );
  assert.is(
    messageOf(() => offset(square, { distance: 1, cap: "flat" as never })),
    'Expected `cap` to be one of "round", "butt", "square", got "flat"',
  );
  assert.is(
    messageOf(() => offset(square, { distance: 1, miterLimit: 0.5 })),
    "Expected `miterLimit` to be a finite number >= 1 and <= 100, got 0.5",
  );
  assert.is(
    messageOf(() => offset(square, { distance: 1, tolerance: 0 })),
    "Expected `tolerance` to be a finite number > 0, got 0",
  );
  assert.is(
    messageOf(() => offset(square, { distance: 1, delta: 1 } as never)),
    'Expected `options` to be an object with no other names than distance, cap, join, miterLimit, tolerance, fillRule, got "delta"',
  );
  assert.is(
    messageOf(() => offsetRings(square, { step: 0 })),
    "Expected `step` to be a finite number >= 0.001 and <= 53687, got 0",
  );
  assert.is(
    messageOf(() => offsetRings(square, { step: 1, count: 1.5 })),
    "Expected `count` to be an integer >= 1, got 1.5",
  );
});

test("runs as a task, and leaves when it is canceled", async () => {
  const options = { distance: 0.3, tolerance: 0.002 };
  assert.equal(await taskMgr.runProcess(offset, [gear(20), options]).promise, offset(gear(20), options));
  const seen: number[] = [];
  const rings = taskMgr.runProcess(offsetRings, [gear(100), { step: 0.002 }]);
  const failed = rings.promise.then(
    () => "done",
    (error: KerfworkError) => error.code,
  );
  taskMgr.tasksUpdated.connect(({ progress }) => {
    seen.push(progress);
    if (progress > 0.2) rings.cancel();
  });
  assert.is(await failed, "CANCELED");
  assert.equal(
    seen,
    [...seen].sort((a, b) => a - b),
  );
  await taskMgr.shutdown();
});

const moduleOf = (path: string): WebAssembly.Module => new WebAssembly.Module(readFileSync(path));
const release = new Engine(undefined, moduleOf("dist/kernels.wasm"));
const debug = new Engine(undefined, moduleOf("build/kernels-debug.wasm"));

test("the kernel stays within its buffers, says when there is no room, and the debug build gives the same", () => {
  const run = (
    engine: Engine,
    ring: readonly Place[],
    distance: number,
    join: number,
    room: number,
  ): number[] =>
    engine.run(({ kernels }) => {
      const { place, check } = guarded(engine);
      const n = ring.length;
      const [xy, tags, ends] = [place(8 * n), place(4 * n), place(4)];
      engine.i32(xy, 2 * n).set(ring.flat().map((v) => Math.round(v * 10_000)));
      engine.u32(tags, n).fill(7);
      engine.u32(ends, 1)[0] = n;
      const scratch = place(kernels.shiftBytes(n));
      const [outXy, outTags, outEnds] = [place(8 * room), place(4 * room), place(4)];
      const count = kernels.shiftRings(
        xy,
        tags,
        ends,
        1,
        distance * 10_000,
        join,
        2,
        0,
        20,
        Math.abs(distance) * 10_000,
        scratch,
        outXy,
        outTags,
        outEnds,
        room,
      );
      check();
      if (count !== 1) return [count];
      const nodes = engine.u32(outEnds, 1)[0]!;
      assert.ok([...engine.u32(outTags, nodes)].every((tag) => tag === 7));
      return [nodes, ...engine.i32(outXy, 2 * nodes)];
    });
  for (let seed = 1; seed <= 8; seed++) {
    const ring = star(random(seed), 3 + 5 * seed, 0, 0, 10, 0.8).slice(0, -1);
    for (const distance of [0.3, -0.3])
      for (const join of [0, 1, 2]) {
        const result = run(release, ring, distance, join, 2000);
        assert.ok(result[0]! >= ring.length);
        assert.equal(run(debug, ring, distance, join, 2000), result);
        assert.equal(run(release, ring, distance, join, result[0]! - 1), [-2]);
      }
  }
});

test.run();
