import { readFileSync } from "node:fs";
import { type CropOptions, type CroppedPaths, crop, KerfworkError, measure, type Paths } from "kerfwork";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { Engine, type Pointer } from "../src/engine/memory.ts";
import { random } from "./oracle.ts";
import { distanceTo, type Point } from "./outline.ts";
import { box, listsOf, pathsOf, ring } from "./polylines.ts";

const cropped = (paths: Point[][], options: CropOptions): Point[][] =>
  listsOf(crop(pathsOf(...paths), options));
const isClosed = (path: readonly Point[]): boolean =>
  path.length > 1 && String(path[0]) === String(path.at(-1));
const apart = (a: Point, b: Point): number => Math.hypot(b[0] - a[0], b[1] - a[1]);
const lengthOf = (paths: Paths): number => measure({ ends: paths.ends, xy: paths.xy }).length;

const bed = { minX: 0, minY: 0, maxX: 10, maxY: 8 };

/** Turns of closed paths around a point, side by side; undefined on a side. */
function turnsAround(region: Point[][], [x, y]: Point): number | undefined {
  let turns = 0;
  for (const path of region.filter(isClosed)) {
    if (distanceTo(path, [x, y]) < 1e-9) return undefined;
    for (let i = 1; i < path.length; i++) {
      const [[xa, ya], [xb, yb]] = [path[i - 1]!, path[i]!];
      if (ya <= y !== yb <= y && xa + ((y - ya) / (yb - ya)) * (xb - xa) < x) turns += yb > ya ? 1 : -1;
    }
  }
  return turns;
}

/** Cuts each segment wherever it may meet a side, and asks for the middle of each part: the parts kept, in order. */
function partsOf(
  path: Point[],
  region: Point[][],
  { keep = "inside", fillRule = "evenodd" }: Partial<CropOptions>,
) {
  const parts: [a: Point, b: Point, from: number, to: number][] = [];
  const steps = 1e-12;
  for (let i = 1; i < path.length; i++) {
    const [[ax, ay], [bx, by]] = [path[i - 1]!, path[i]!];
    const at = (t: number): Point => [ax + t * (bx - ax), ay + t * (by - ay)];
    const places = [0, 1];
    for (const outline of region)
      for (let k = 1; k < outline.length; k++) {
        const [[px, py], [qx, qy]] = [outline[k - 1]!, outline[k]!];
        const sides = (qx - px) * (by - ay) - (qy - py) * (bx - ax);
        if (sides !== 0) places.push(((qx - px) * (py - ay) - (qy - py) * (px - ax)) / sides);
        const square = (bx - ax) ** 2 + (by - ay) ** 2;
        if (square > 0)
          for (const [x, y] of [outline[k - 1]!, outline[k]!])
            places.push(((x - ax) * (bx - ax) + (y - ay) * (by - ay)) / square);
      }
    const sorted = places.filter((t) => t >= 0 && t <= 1).sort((a, b) => a - b);
    for (const [k, t] of sorted.entries()) {
      const next = sorted[k + 1] ?? t;
      if (next - t <= steps) continue;
      const turns = turnsAround(region, at((t + next) / 2));
      const inside = turns === undefined || (fillRule === "evenodd" ? turns % 2 !== 0 : turns !== 0);
      if (inside === (keep === "inside")) parts.push([at(t), at(next), i - 1 + t, i - 1 + next]);
    }
  }
  return parts;
}

test("crop cuts lines off at the bed, keeps their way, and tells where they come from", () => {
  const paths = pathsOf(
    [
      [-5, 4],
      [5, 4],
      [5, 20],
    ],
    [
      [20, 1],
      [21, 2],
    ],
    [
      [12, 7],
      [-2, 7],
    ],
  );
  const inside = crop(paths, { to: bed });
  assert.equal(listsOf(inside), [
    [
      [0, 4],
      [5, 4],
      [5, 8],
    ],
    [
      [10, 7],
      [0, 7],
    ],
  ]);
  assert.equal([...inside.origin], [0, 2]);
  const outside = crop(paths, { to: bed, keep: "outside" });
  assert.equal(listsOf(outside), [
    [
      [-5, 4],
      [0, 4],
    ],
    [
      [5, 8],
      [5, 20],
    ],
    [
      [20, 1],
      [21, 2],
    ],
    [
      [12, 7],
      [10, 7],
    ],
    [
      [0, 7],
      [-2, 7],
    ],
  ]);
  assert.equal([...outside.origin], [0, 0, 1, 2, 2]);
});

test("crop keeps closed paths closed, to the bit, and cuts others into open pieces without a break at their start", () => {
  const circle = ring(
    ...Array.from({ length: 99 }, (_, i): Point => [5 + 2 * Math.cos(i / 15.7), 4 + 2 * Math.sin(i / 15.7)]),
  );
  const whole = pathsOf(circle, box(1, 1, 2, 2));
  const { ends, xy } = crop(whole, { to: bed });
  assert.equal({ ends, xy }, whole);
  // starts inside and leaves twice: one piece goes on over the start
  assert.equal(cropped([ring([5, 4], [20, 4], [20, 6], [5, 6], [-5, 5])], { to: bed }), [
    [
      [10, 6],
      [5, 6],
      [0, 5.5],
    ],
    [
      [0, 4.5],
      [5, 4],
      [10, 4],
    ],
  ]);
  assert.equal(cropped([box(5, 4, 20, 6)], { to: bed }), [
    [
      [10, 6],
      [5, 6],
      [5, 4],
      [10, 4],
    ],
  ]);
  assert.equal(cropped([box(5, 4, 20, 6)], { to: bed, keep: "outside" }), [
    [
      [10, 4],
      [20, 4],
      [20, 6],
      [10, 6],
    ],
  ]);
});

test("crop counts what runs along a side as inside, and does not cut what touches", () => {
  const frame = box(0, 0, 10, 8);
  for (const path of [frame, [...frame].reverse(), [...frame.slice(2), ...frame.slice(1, 3)]]) {
    assert.equal(cropped([path], { to: bed }), [path]);
    assert.equal(cropped([path], { to: bed, keep: "outside" }), []);
  }
  // along a part of a side
  for (const y of [0, 8])
    for (const way of [1, -1]) {
      const line: Point[] =
        way > 0
          ? [
              [-3, y],
              [13, y],
            ]
          : [
              [13, y],
              [-3, y],
            ];
      const cut: Point[] =
        way > 0
          ? [
              [0, y],
              [10, y],
            ]
          : [
              [10, y],
              [0, y],
            ];
      assert.equal(cropped([line], { to: bed }), [cut]);
      assert.is(cropped([line], { to: bed, keep: "outside" }).length, 2);
    }
  // touching a side, a corner, from inside and from outside
  const touching: Point[][] = [
    [
      [3, 3],
      [5, 0],
      [7, 3],
    ],
    [
      [3, 3],
      [0, 4],
      [3, 5],
    ],
    [
      [8, 3],
      [10, 4],
      [8, 5],
    ],
    [
      [3, 6],
      [5, 8],
      [7, 6],
    ],
    [
      [3, 3],
      [0, 0],
      [3, 4],
    ],
    [
      [3, 3],
      [10, 8],
      [3, 4],
    ],
    ring([0, 4], [3, 3], [3, 5]),
    ring([10, 4], [7, 3], [7, 5]),
    ring([5, 8], [4, 6], [6, 6]),
    ring([5, 0], [4, 2], [6, 2]),
  ];
  for (const path of touching) {
    assert.equal(cropped([path], { to: bed }), [path]);
    assert.equal(cropped([path], { to: bed, keep: "outside" }), []);
    const mirrored = path.map(([x, y]): Point => (path.some(([px]) => px === 0) ? [-x, y] : [x, y]));
    if (mirrored.some(([x]) => x < 0)) {
      assert.equal(cropped([mirrored], { to: bed }), []);
      assert.equal(cropped([mirrored], { to: bed, keep: "outside" }), [
        mirrored.map(([x, y]): Point => [x + 0, y]),
      ]);
    }
  }
});

/** Seeded polygons and lines: anywhere, or on a coarse grid, where all of them touch and coincide. */
function draw(next: () => number, coarse: boolean, closed: boolean): Point[] {
  const points = Array.from(
    { length: 2 + Math.floor(next() * 9) },
    (): Point =>
      coarse ? [Math.floor(next() * 6), Math.floor(next() * 6)] : [next() * 20 - 10, next() * 20 - 10],
  ).map(([x, y]): Point => [Math.fround(x), Math.fround(y)]);
  return closed ? ring(...points) : points;
}

/** Without points that repeat the one before. */
const once = (path: Point[]): Point[] => path.filter((p, i) => i === 0 || apart(p, path[i - 1]!) > 0);

test("crop agrees with asking for every part of every segment", () => {
  for (let seed = 0; seed < 800; seed++) {
    const next = random(seed);
    const coarse = seed % 2 === 0;
    const region = Array.from({ length: 1 + (seed % 3) }, () => draw(next, coarse, true));
    const paths = Array.from({ length: 4 }, (_, i) => once(draw(next, coarse, i % 2 === 0)));
    const options = {
      keep: seed % 4 < 2 ? "inside" : "outside",
      fillRule: seed % 3 === 0 ? "nonzero" : "evenodd",
    } as const;
    const result = crop(pathsOf(...paths), { to: pathsOf(...region), ...options });
    const pieces = listsOf(result);
    for (const [i, path] of paths.entries()) {
      if (path.length < 2) continue;
      const own = pieces.filter((_, k) => result.origin[k] === i);
      const parts = partsOf(path, region, options);
      const what = `seed ${seed}, path ${i}`;
      const length = parts.reduce((sum, [a, b]) => sum + Math.hypot(b[0] - a[0], b[1] - a[1]), 0);
      assert.ok(
        Math.abs(lengthOf(pathsOf(...own)) - length) < 1e-4,
        `${what}: ${lengthOf(pathsOf(...own))} mm of ${length}`,
      );
      for (const [a, b] of parts) {
        const middle: Point = [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2];
        assert.ok(
          own.some((piece) => distanceTo(piece, middle) < 1e-5),
          `${what} lacks ${middle}`,
        );
      }
      // pieces: one more for each gap between neighbouring parts
      const gaps = parts.filter(([, , from], k) => k > 0 && from - parts[k - 1]![3] > 1e-9).length;
      const around =
        isClosed(path) && gaps > 0 && parts[0]![2] < 1e-9 && parts.at(-1)![3] > path.length - 1 - 1e-9;
      assert.is(own.length, parts.length === 0 ? 0 : gaps + (around ? 0 : 1), `${what}: pieces`);
    }
  }
});

test("crop inside and outside make up the whole, in the order of the paths", () => {
  const next = random(7);
  const paths = pathsOf(...Array.from({ length: 200 }, (_, i) => draw(next, false, i % 2 === 0)));
  const region = pathsOf(...Array.from({ length: 12 }, () => draw(next, false, true)));
  for (const fillRule of ["evenodd", "nonzero"] as const) {
    const inside = crop(paths, { to: region, fillRule });
    const outside = crop(paths, { to: region, fillRule, keep: "outside" });
    assert.ok(Math.abs(lengthOf(inside) + lengthOf(outside) - lengthOf(paths)) < 0.01);
    for (const { origin } of [inside, outside]) assert.equal(origin, origin.slice().sort());
    // once cropped, cropping changes next to nothing
    const again = crop(inside, { to: region, fillRule });
    assert.ok(Math.abs(lengthOf(again) - lengthOf(inside)) < 0.01);
  }
});

test("crop with the paths' own region keeps them, and finds nothing outside", () => {
  const next = random(8);
  for (let round = 0; round < 50; round++) {
    const region = pathsOf(...Array.from({ length: 3 }, () => draw(next, round % 2 === 0, true)));
    const { ends, xy } = crop(region, { to: region });
    assert.equal({ ends, xy }, region);
    assert.is(crop(region, { to: region, keep: "outside" }).ends.length, 0);
  }
});

test("crop takes a rectangle like its four sides, and cuts exactly on them", () => {
  const next = random(9);
  const paths = pathsOf(...Array.from({ length: 300 }, () => draw(next, false, false)));
  const to = { minX: -3.3, minY: -4.7, maxX: 5.1, maxY: 2.9 };
  const result = crop(paths, { to });
  assert.equal(result, crop(paths, { to: pathsOf(box(to.minX, to.minY, to.maxX, to.maxY)) }));
  const given = new Set(listsOf(paths).flat().map(String));
  const sides = [to.minX, to.maxX, to.minY, to.maxY].map(Math.fround);
  let cuts = 0;
  for (const [x, y] of listsOf(result).flat()) {
    assert.ok(x >= sides[0]! && x <= sides[1]! && y >= sides[2]! && y <= sides[3]!);
    if (given.has(String([x, y]))) continue;
    assert.ok(x === sides[0] || x === sides[1] || y === sides[2] || y === sides[3], `${x}, ${y}`);
    cuts++;
  }
  assert.ok(cuts > 500);
});

test("crop turns and mirrors with its paths", () => {
  const next = random(10);
  const turns: ((p: Point) => Point)[] = [([x, y]) => [-x, y], ([x, y]) => [x, -y], ([x, y]) => [y, -x]];
  for (let round = 0; round < 60; round++) {
    const paths = Array.from({ length: 3 }, () => once(draw(next, round % 2 === 0, false)));
    const region = Array.from({ length: 2 }, () => draw(next, round % 2 === 0, true));
    const plain = crop(pathsOf(...paths), { to: pathsOf(...region) });
    for (const turn of turns) {
      const turned = crop(pathsOf(...paths.map((path) => path.map(turn))), {
        to: pathsOf(...region.map((path) => path.map(turn))),
      });
      assert.equal(turned.origin, plain.origin);
      assert.equal(turned.ends, plain.ends);
      const expected = listsOf(plain).flat().flatMap(turn);
      assert.ok(turned.xy.every((value, i) => Math.abs(value - expected[i]!) < 1e-5));
    }
  }
});

test("crop takes nothing, points, repeated points and regions without area", () => {
  const none: CroppedPaths = { ...pathsOf(), origin: new Uint32Array(0) };
  assert.equal(crop(pathsOf(), { to: bed }), none);
  assert.equal(crop(pathsOf([], []), { to: bed }), none);
  const paths = [
    [[1, 1]],
    [[20, 1]],
    [],
    [
      [2, 2],
      [2, 2],
    ],
    [
      [3, 3],
      [3, 3],
      [30, 3],
      [30, 3],
    ],
  ] as Point[][];
  const inside = crop(pathsOf(...paths), { to: bed });
  assert.equal(listsOf(inside), [
    [[1, 1]],
    [
      [2, 2],
      [2, 2],
    ],
    [
      [3, 3],
      [3, 3],
      [10, 3],
    ],
  ]);
  assert.equal([...inside.origin], [0, 3, 4]);
  const outside = crop(pathsOf(...paths), { to: bed, keep: "outside" });
  assert.equal(listsOf(outside), [
    [[20, 1]],
    [
      [10, 3],
      [30, 3],
      [30, 3],
    ],
  ]);
  assert.equal([...outside.origin], [1, 4]);
  for (const to of [
    pathsOf(),
    pathsOf([]),
    pathsOf([[1, 1]]),
    pathsOf([
      [0, 0],
      [9, 0],
      [9, 9],
    ]),
  ]) {
    assert.equal(crop(pathsOf(...paths), { to }), none);
    assert.is(crop(pathsOf(...paths), { to, keep: "outside" }).ends.length, 4);
  }
  const flat = { minX: 4, minY: 0, maxX: 4, maxY: 8 };
  assert.equal(
    cropped(
      [
        [
          [0, 1],
          [9, 1],
        ],
        [
          [4, -1],
          [4, 3],
        ],
      ],
      { to: flat },
    ),
    [
      [
        [4, 0],
        [4, 3],
      ],
    ],
  );
});

test("crop cuts many pieces off one line, and holds them in order", () => {
  const teeth = Array.from({ length: 3000 }, (_, i) => box(2 * i, -1, 2 * i + 1, 1));
  const result = crop(
    pathsOf(
      [
        [-1, 0],
        [6001, 0],
      ],
      [
        [6001, 0.5],
        [-1, 0.5],
      ],
    ),
    { to: pathsOf(...teeth) },
  );
  assert.is(result.ends.length, 6000);
  for (const [i, [a, b]] of listsOf(result).entries()) {
    const tooth = i < 3000 ? i : 5999 - i;
    assert.equal([a![0], b![0]], i < 3000 ? [2 * tooth, 2 * tooth + 1] : [2 * tooth + 1, 2 * tooth]);
  }
});

const moduleOf = (path: string): WebAssembly.Module => new WebAssembly.Module(readFileSync(path));
const release = new Engine(undefined, moduleOf("dist/kernels.wasm"));
const debug = new Engine(undefined, moduleOf("build/kernels-debug.wasm"));

/** Runs the kernels between guard bytes; `room` is how many points fit. */
function runKernels(engine: Engine, paths: Paths, region: Paths, room: number) {
  return engine.run(({ kernels }) => {
    const guarded: [Pointer, number][] = [];
    const place = (bytes: number): Pointer => {
      const at = (engine.alloc(bytes + 128) + 64) as Pointer;
      engine.u8((at - 64) as Pointer, bytes + 128).fill(0xa5);
      guarded.push([at, bytes]);
      return at;
    };
    const copy = (values: Float32Array | Uint32Array): Pointer => {
      const at = place(values.byteLength);
      engine.u8(at, values.byteLength).set(new Uint8Array(values.buffer));
      return at;
    };
    const n = region.xy.length / 2;
    const columns = 12;
    const field = place(108);
    const starts = place(4 * (columns * columns + 1));
    engine.u32(starts, columns * columns + 1).fill(0);
    engine.f64(field, 4).set([-11 * 2 ** 20, -11 * 2 ** 20, 2 * 2 ** 20, 2 ** 20]);
    const words = [
      columns,
      columns,
      copy(region.xy),
      place(40 * n),
      starts,
      0,
      place(32 * n),
      place(32 * n),
      1,
      1,
    ];
    words.push(place(8 * room), place(4 * room), place(4 * room), room);
    engine.i32((field + 32) as Pointer, words.length).set(words);
    const sides = kernels.cropSides(field, copy(region.ends), region.ends.length);
    const list = place(sides < 0 ? 4000 : 4 * sides);
    engine.i32((field + 52) as Pointer, 1)[0] = list;
    const cells = kernels.cropCells(field, n);
    const status = kernels.cropPaths(field, copy(paths.xy), copy(paths.ends), paths.ends.length);
    for (const [from, bytes] of guarded) {
      const edges = [...engine.u8((from - 64) as Pointer, 64), ...engine.u8((from + bytes) as Pointer, 64)];
      assert.ok(edges.every((byte) => byte === 0xa5));
    }
    const points = engine.i32((field + 88) as Pointer, 1)[0]!;
    const out = status < 0 ? [] : [...engine.f32(words[10] as Pointer, 2 * points)];
    return { sides, cells, status, points, out };
  });
}

test("crop kernels stay within their buffers, ask for room, and the debug build gives the same", () => {
  const next = random(11);
  for (let round = 0; round < 40; round++) {
    const paths = pathsOf(...Array.from({ length: 5 }, (_, i) => draw(next, false, i % 2 === 0)));
    const region = pathsOf(...Array.from({ length: 2 }, () => draw(next, false, true)));
    const result = runKernels(release, paths, region, 1000);
    assert.ok(result.status >= 0);
    assert.equal(runKernels(debug, paths, region, 1000), result);
    const { ends, xy } = crop(paths, { to: region });
    assert.is(result.status, ends.length);
    assert.ok(xy.every((value, i) => Math.abs(value - result.out[i]!) < 1e-4));
    for (let room = 0; room < result.points; room++)
      assert.is(runKernels(release, paths, region, room).status, -2);
  }
});

test("crop leaves when it is canceled", () => {
  const paths = pathsOf(box(0, 0, 5, 5));
  const cancel = release.i32(0 as Pointer, 1);
  Atomics.store(cancel, 0, 1);
  try {
    const { sides, cells, status } = runKernels(release, paths, paths, 100);
    assert.equal([sides, cells, status], [-1, -1, -1]);
  } finally {
    Atomics.store(cancel, 0, 0);
  }
});

test("crop says which argument breaks its contract", () => {
  const messageOf = (paths: unknown, options?: unknown): string => {
    try {
      crop(paths as Paths, options as CropOptions);
    } catch (error) {
      assert.instance(error, KerfworkError);
      assert.is((error as KerfworkError).code, "INVALID_ARGUMENT");
      return (error as Error).message;
    }
    return "nothing was thrown";
  };
  const paths = pathsOf([
    [1, 2],
    [3, 4],
  ]);
  const cases: [options: unknown, message: string][] = [
    [undefined, "Expected `options` to be an object, got undefined"],
    [{}, "Expected `to` to be a rectangle or a Paths object, got undefined"],
    [{ to: { ...bed, maxX: Number.NaN } }, "Expected `to.maxX` to be a finite number, got NaN"],
    [{ to: { ...bed, maxY: -1 } }, "Expected `to.maxY` to be a finite number >= 0, got -1"],
    [{ to: { ...paths, ends: [1] } }, "Expected `to.ends` to be a Uint32Array, got an array of 1"],
    [
      {
        to: pathsOf([
          [0, 0],
          [Infinity, 1],
        ]),
      },
      "Expected to: path 0, point 1 to be finite, got (Infinity, 1)",
    ],
    [{ to: bed, keep: "both" }, 'Expected `keep` to be one of "inside", "outside", got "both"'],
    [{ to: bed, fillRule: 1 }, 'Expected `fillRule` to be one of "evenodd", "nonzero", got 1'],
    [
      { to: bed, rule: 1 },
      'Expected `options` to be an object with no other names than to, keep, fillRule, got "rule"',
    ],
  ];
  for (const [options, message] of cases) assert.is(messageOf(paths, options), message);
  assert.is(messageOf(7, { to: bed }), "Expected `paths` to be a Paths object, got 7");
  assert.is(
    messageOf(pathsOf([[1, 2]], [[Number.NaN, 4]]), { to: bed }),
    "Expected path 1, point 0 to be finite, got (NaN, 4)",
  );
});

test.run();
