import { readFileSync } from "node:fs";
import { type HatchOptions, hatch, KerfworkError, measure, type Paths } from "kerfwork";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { Engine, type Pointer } from "../src/engine/memory.ts";
import { random } from "./oracle.ts";
import { distanceTo, type Point } from "./outline.ts";
import { box, listsOf, pathsOf, ring } from "./polylines.ts";

const mapped = ({ ends, xy }: Paths, map: (p: Point) => Point): Paths => ({
  ends,
  xy: Float32Array.from(listsOf({ ends, xy }).flatMap((path) => path.flatMap(map))),
});

type Line = [x0: number, y0: number, x1: number, y1: number];
const linesOf = (paths: Paths): Line[] => {
  assert.equal(
    paths.ends,
    Uint32Array.from(paths.ends, (_, i) => 2 * i + 2),
  );
  return listsOf(paths).map(([a, b]) => [...a!, ...b!] as Line);
};

/** Row by row against every side, the obvious way. */
function hatchOf(paths: Paths, options: HatchOptions): Line[] {
  const { spacing, angleDeg = 0, phase = 0.5, direction = "zigzag", fillRule = "evenodd" } = options;
  const angle = (angleDeg * Math.PI) / 180;
  const [ux, uy] =
    angleDeg % 90 === 0
      ? [Math.round(Math.cos(angle)), -Math.round(Math.sin(angle))]
      : [Math.cos(angle), -Math.sin(angle)];
  const turned = listsOf(paths)
    .filter((path) => path.length > 2 && String(path[0]) === String(path.at(-1)))
    .map((path) => path.map(([x, y]): Point => [x * ux! + y * uy!, x * uy! - y * ux!]));
  const across = turned.flat().map(([, v]) => v);
  const lines: Line[] = [];
  const last = Math.ceil(Math.max(...across) / spacing) + 1;
  for (let row = Math.floor(Math.min(...across) / spacing) - 1; row <= last; row++) {
    const v = (row + phase) * spacing;
    const met: [x: number, wind: number][] = [];
    for (const path of turned)
      for (let i = 1; i < path.length; i++) {
        const [[xa, va], [xb, vb]] = [path[i - 1]!, path[i]!];
        if (va <= v !== vb <= v)
          met.push([
            va < vb ? xa + ((xb - xa) / (vb - va)) * (v - va) : xb + ((xa - xb) / (va - vb)) * (v - vb),
            va < vb ? 1 : -1,
          ]);
      }
    met.sort((a, b) => a[0] - b[0]);
    const spans: number[] = [];
    let winding = 0;
    for (const [x, wind] of met) {
      const was = fillRule === "evenodd" ? winding % 2 !== 0 : winding !== 0;
      winding += wind;
      const is = fillRule === "evenodd" ? winding % 2 !== 0 : winding !== 0;
      if (was === is) continue;
      // what ends where the next begins goes on
      if (is && spans.length > 0 && x - spans.at(-1)! <= 1e-6) spans.pop();
      else if (!is && x - spans.at(-1)! <= 1e-6) spans.pop();
      else spans.push(x);
    }
    const back = direction === "zigzag" && row % 2 !== 0;
    if (back) spans.reverse();
    for (let i = 0; i < spans.length; i += 2)
      lines.push([...at(spans[i]!, v), ...at(spans[i + 1]!, v)] as Line);
  }
  return lines;
  function at(x: number, v: number): Point {
    return [x * ux! + v * uy!, x * uy! - v * ux!];
  }
}

function near(actual: readonly Line[], expected: readonly Line[], tolerance: number, what = ""): void {
  assert.is(actual.length, expected.length, `${what}: ${actual.length} lines for ${expected.length}`);
  for (const [i, line] of expected.entries())
    for (let k = 0; k < 4; k++)
      assert.ok(
        Math.abs(actual[i]![k]! - line[k]!) <= tolerance,
        `${what}: line ${i}: ${actual[i]} for ${line}`,
      );
}

/** Seeded polygons: stars that cross themselves, and shapes on a coarse grid, whose sides and corners coincide. */
function shapes(seed: number, coarse: boolean): Paths {
  const next = random(seed);
  const paths = Array.from({ length: 1 + Math.floor(next() * 4) }, () =>
    ring(
      ...Array.from(
        { length: 2 + Math.floor(next() * 9) },
        (): Point =>
          coarse ? [Math.floor(next() * 5), Math.floor(next() * 5)] : [next() * 20 - 10, next() * 20 - 10],
      ),
    ),
  );
  return pathsOf(...paths);
}

test("hatch fills a square with a hole, bottom row first, back and forth", () => {
  const paths = pathsOf(box(0, 0, 4, 3), box(1, 0, 2, 2));
  assert.equal(linesOf(hatch(paths, { spacing: 1 })), [
    [4, 2.5, 0, 2.5],
    [0, 1.5, 1, 1.5],
    [2, 1.5, 4, 1.5],
    [4, 0.5, 2, 0.5],
    [1, 0.5, 0, 0.5],
  ]);
  assert.equal(linesOf(hatch(paths, { spacing: 1.5, direction: "oneWay", phase: 0 })), [
    [0, 3, 4, 3],
    [0, 1.5, 1, 1.5],
    [2, 1.5, 4, 1.5],
  ]);
});

test("hatch turns counter-clockwise on the screen, and crosses on request", () => {
  const square = pathsOf(box(0, 0, 2, 2));
  const upright = linesOf(hatch(square, { spacing: 1, angleDeg: 90, direction: "oneWay" }));
  assert.equal(
    upright,
    [
      [1.5, 2, 1.5, 0],
      [0.5, 2, 0.5, 0],
    ].sort((a, b) => b[0]! - a[0]!) as Line[],
  );
  const options = { spacing: 1, direction: "oneWay" } as const;
  assert.equal(linesOf(hatch(square, { ...options, crossHatch: true })), [
    ...linesOf(hatch(square, options)),
    ...upright,
  ]);
  // rising to the right
  for (const [x0, y0, x1, y1] of linesOf(hatch(square, { ...options, angleDeg: 30 })))
    assert.ok(Math.abs(Math.atan2(y0 - y1, x1 - x0) - Math.PI / 6) < 1e-4);
  assert.equal(hatch(square, { ...options, angleDeg: -330 }), hatch(square, { ...options, angleDeg: 30 }));
});

test("hatch agrees with a search of every side in every row", () => {
  for (let seed = 0; seed < 300; seed++) {
    const coarse = seed % 2 === 0;
    const paths = shapes(seed, coarse);
    const options: HatchOptions = {
      spacing: [0.25, 0.5, 1, 0.37][seed % 4]!,
      angleDeg: [0, 90, 33, 180, 270, 45, -12.5][seed % 7]!,
      fillRule: seed % 3 === 0 ? "nonzero" : "evenodd",
      direction: seed % 5 === 0 ? "oneWay" : "zigzag",
      phase: [0, 0.5, 0.25, 1][seed % 4]!,
    };
    // at other angles than right ones, what coincides on the grid is told apart by the last bit of the turn
    if (coarse && options.angleDeg! % 90 !== 0) continue;
    near(linesOf(hatch(paths, options)), hatchOf(paths, options), 2e-6, `seed ${seed}`);
  }
});

test("hatch covers its area, whatever the angle", () => {
  const paths = pathsOf(box(0, 0, 40, 30), box(10, 10, 20, 25), ring([25, 5], [35, 5], [30, 20]));
  for (const angleDeg of [0, 7, 45, 90, 133, 210.5]) {
    const { length } = measure(hatch(paths, { spacing: 0.05, angleDeg }));
    assert.ok(Math.abs(length * 0.05 - (1200 - 150 - 75)) < 0.5, `${length * 0.05} at ${angleDeg}`);
  }
});

test("hatch of shapes apart is the hatch of each, in the rows of all", () => {
  const shapesApart = [box(0, 0, 7, 9.3), box(20, 3.1, 31, 14), ring([50, -4], [60, 2], [45, 20])];
  const sorted = (lines: Line[]): string[] => lines.map(String).sort();
  for (const angleDeg of [0, 30]) {
    const options = { spacing: 0.3, angleDeg };
    const apart = shapesApart.flatMap((shape) => linesOf(hatch(pathsOf(shape), options)));
    assert.equal(sorted(linesOf(hatch(pathsOf(...shapesApart), options))), sorted(apart));
  }
});

test("hatch does not mind where a path begins, which way it runs, or the order of paths", () => {
  for (let seed = 0; seed < 40; seed++)
    for (const fillRule of ["evenodd", "nonzero"] as const) {
      const paths = listsOf(shapes(seed, false));
      const options = { spacing: 0.4, angleDeg: 20, fillRule };
      const expected = hatch(pathsOf(...paths), options);
      assert.equal(hatch(pathsOf(...paths.map((path) => [...path].reverse()).reverse()), options), expected);
      const begun = paths.map((path) => ring(...path.slice(1)));
      assert.equal(hatch(pathsOf(...begun), options), expected);
    }
});

test("hatch mirrors and moves with its paths", () => {
  for (let seed = 0; seed < 40; seed++) {
    const paths = shapes(seed, false);
    const options = { spacing: 0.5, direction: "oneWay" } as const;
    const plain = linesOf(hatch(paths, options));
    const mirrored = linesOf(
      hatch(
        mapped(paths, ([x, y]) => [-x, y]),
        options,
      ),
    );
    const rowOf = (line: Line): number => Math.round(line[1] * 1e4);
    const turned = mirrored
      .map(([x0, y0, x1, y1]): Line => [0 - x1, y1, 0 - x0, y0])
      .sort((a, b) => rowOf(b) - rowOf(a) || a[0] - b[0]);
    near(turned, plain, 1e-5);
    // four rows up
    const moved = linesOf(
      hatch(
        mapped(paths, ([x, y]) => [x, y - 2]),
        options,
      ),
    );
    near(
      moved.map(([x0, y0, x1, y1]): Line => [x0, y0 + 2, x1, y1 + 2]),
      plain,
      1e-5,
    );
  }
});

test("hatch meets corners and level sides once, wherever the row lies on them", () => {
  // a diamond with its corners on rows, a comb with level sides on rows
  const diamond = pathsOf(ring([0, -2], [2, 0], [0, 2], [-2, 0]));
  assert.equal(
    linesOf(hatch(diamond, { spacing: 1, phase: 0, direction: "oneWay" })),
    [
      [-1, 1, 1, 1],
      [-2, -0, 2, -0],
      [-1, -1, 1, -1],
    ].map((line) => line.map((value) => value + 0)) as Line[],
  );
  const comb = pathsOf(ring([0, 0], [6, 0], [6, 2], [5, 2], [5, 1], [3, 1], [3, 2], [1, 2], [1, 1], [0, 1]));
  assert.equal(linesOf(hatch(comb, { spacing: 1, phase: 0, direction: "oneWay" })), [
    [1, 2, 3, 2],
    [5, 2, 6, 2],
    [0, 1, 6, 1],
  ]);
});

test("hatch joins parts that touch, and keeps slivers of a micrometre", () => {
  const halves = pathsOf(box(0, 0, 3, 2), box(3, 0, 5, 2), box(3, 0, 4, 2).reverse(), box(3, 0, 4, 2));
  for (const fillRule of ["evenodd", "nonzero"] as const)
    assert.equal(linesOf(hatch(halves, { spacing: 1, direction: "oneWay", fillRule })), [
      [0, 1.5, 5, 1.5],
      [0, 0.5, 5, 0.5],
    ]);
  const slivers = pathsOf(...Array.from({ length: 50 }, (_, i) => box(i / 10, 0, i / 10 + 0.001, 1)));
  assert.is(hatch(slivers, { spacing: 0.1 }).ends.length, 500);
  const wedge = pathsOf(ring([0, 0], [100, 0.001], [100, 0]));
  assert.is(hatch(wedge, { spacing: 0.0001 }).ends.length, 10);
});

test("hatch with an inset keeps to the points that are so far from every side", () => {
  for (let seed = 0; seed < 60; seed++) {
    const paths = shapes(seed, seed % 2 === 0);
    const inset = [0.05, 0.3, 0.8][seed % 3]!;
    const options = { spacing: 0.31, angleDeg: [0, 90, 25][seed % 3]!, direction: "oneWay" } as const;
    const outlines = listsOf(paths);
    const kept = linesOf(hatch(paths, { ...options, inset }));
    const clearance = (p: Point): number => Math.min(...outlines.map((outline) => distanceTo(outline, p)));
    const alongOf = ([x0, y0, x1, y1]: Line, t: number): Point => [x0 + t * (x1 - x0), y0 + t * (y1 - y0)];
    for (const line of kept)
      for (let k = 0; k <= 20; k++)
        assert.ok(clearance(alongOf(line, k / 20)) > inset - 1e-5, `seed ${seed}`);
    // and nothing else is missing
    for (const line of linesOf(hatch(paths, options)))
      for (let k = 0; k <= 40; k++) {
        const p = alongOf(line, k / 40);
        if (clearance(p) > inset + 1e-4)
          assert.ok(
            kept.some(
              (other) =>
                distanceTo(
                  [
                    [other[0], other[1]],
                    [other[2], other[3]],
                  ],
                  p,
                ) < 1e-4,
            ),
            `seed ${seed}: ${p}`,
          );
      }
  }
  // level sides above and below a row count as well
  assert.equal(
    linesOf(hatch(pathsOf(box(0, 0, 9, 1)), { spacing: 0.25, inset: 0.375, direction: "oneWay", phase: 0 })),
    [[0.375, 0.5, 8.625, 0.5]],
  );
  assert.is(hatch(pathsOf(box(0, 0, 9, 1)), { spacing: 0.01, inset: 0.51 }).ends.length, 0);
});

test("hatch takes nothing, points, open paths, spikes and repeated points", () => {
  const none = pathsOf();
  const spike: Point[] = [
    [0, 0],
    [5, 5],
    [0, 0],
  ];
  const open: Point[] = [
    [0, 0],
    [5, 0],
    [5, 5],
    [0, 5],
  ];
  for (const inset of [0, 0.1])
    for (const paths of [
      none,
      pathsOf([]),
      pathsOf([[1, 2]]),
      pathsOf([
        [1, 2],
        [1, 2],
      ]),
      pathsOf(open),
      pathsOf(spike),
    ])
      assert.equal(hatch(paths, { spacing: 0.5, inset }), none);
  const square = box(0, 0, 3, 3);
  const repeated = square.flatMap((p) => [p, p, p]);
  assert.equal(
    hatch(pathsOf([], repeated, open, [[7, 7]]), { spacing: 0.5 }),
    hatch(pathsOf(square), { spacing: 0.5 }),
  );
  // too small for the rows to meet
  assert.equal(hatch(pathsOf(box(0, 0.1, 3, 0.4)), { spacing: 1 }), none);
});

test("hatch of thousands of sides that begin in one row, in the worst order, is sorted all the same", () => {
  const teeth: Point[] = [];
  for (let i = 20_000; i > 0; i--) teeth.push([i, (i % 2) * 2]);
  const paths = pathsOf(ring(...teeth, [0, 3], [20_001, 3]));
  const options = { spacing: 1, phase: 0.5 } as const;
  const lines = linesOf(hatch(paths, options));
  assert.is(lines.length, 1 + 2 * 10_000);
});

const moduleOf = (path: string): WebAssembly.Module => new WebAssembly.Module(readFileSync(path));
const release = new Engine(undefined, moduleOf("dist/kernels.wasm"));
const debug = new Engine(undefined, moduleOf("build/kernels-debug.wasm"));

/** Runs the kernels between guard bytes; `room` is how many lines fit. */
function runKernels(
  engine: Engine,
  paths: Paths,
  inset: number,
  room?: number,
): { status: number; out: number[]; met: number } {
  return engine.run(({ kernels }) => {
    const n = paths.xy.length / 2;
    const rows = 90;
    const guarded: [Pointer, number][] = [];
    const place = (bytes: number): Pointer => {
      const at = (engine.alloc(bytes + 128) + 64) as Pointer;
      engine.u8((at - 64) as Pointer, bytes + 128).fill(0xa5);
      guarded.push([at, bytes]);
      return at;
    };
    const at = place(64);
    engine.f64(at, 6).set([1, 0, 0.25, 0.5, -45, inset]);
    engine.i32((at + 48) as Pointer, 3).set([rows, 1, 1]);
    const xy = place(8 * n);
    engine.f32(xy, 2 * n).set(paths.xy);
    const ends = place(4 * paths.ends.length);
    engine.u32(ends, paths.ends.length).set(paths.ends);
    const first = place(4 * rows);
    const met = kernels.hatchSides(at, xy, ends, paths.ends.length, first, place(40 * n));
    const margins = inset > 0 ? place(4 * rows) : (0 as Pointer);
    if (inset > 0) kernels.hatchMargins(at, xy, ends, paths.ends.length, margins, place(48 * n));
    const scratch = place(16 * n * (inset > 0 ? 6 : 3));
    const lines = room ?? met / 2 + 1000;
    const out = place(16 * lines);
    const status = kernels.hatchRows(at, first, margins, n, scratch, out, lines);
    for (const [from, bytes] of guarded) {
      const edges = [...engine.u8((from - 64) as Pointer, 64), ...engine.u8((from + bytes) as Pointer, 64)];
      assert.ok(edges.every((byte) => byte === 0xa5));
    }
    return { status, met, out: [...engine.f32(out, 4 * Math.max(0, status))] };
  });
}

test("hatch kernels stay within their buffers, ask for room, and the debug build gives the same", () => {
  for (let seed = 0; seed < 30; seed++)
    for (const inset of [0, 0.2]) {
      const paths = shapes(seed, false);
      const result = runKernels(release, paths, inset);
      assert.equal(runKernels(debug, paths, inset), result);
      if (inset === 0) assert.ok(result.status <= result.met / 2);
      if (result.status === 0) continue;
      assert.equal(runKernels(release, paths, inset, result.status), result);
      assert.is(runKernels(release, paths, inset, result.status - 1).status, -2);
    }
});

test("hatch leaves when it is canceled", () => {
  const paths = shapes(3, false);
  const cancel = release.i32(0 as Pointer, 1);
  for (const inset of [0, 0.2]) {
    assert.ok(runKernels(release, paths, inset).status > 0);
    Atomics.store(cancel, 0, 1);
    try {
      const { status, met } = runKernels(release, paths, inset, 10);
      assert.equal([status, met], [-1, -1]);
    } finally {
      Atomics.store(cancel, 0, 0);
    }
  }
});

test("hatch says which argument breaks its contract", () => {
  const messageOf = (paths: unknown, options?: unknown): string => {
    try {
      hatch(paths as Paths, options as HatchOptions);
    } catch (error) {
      assert.instance(error, KerfworkError);
      assert.is((error as KerfworkError).code, "INVALID_ARGUMENT");
      return (error as Error).message;
    }
    return "nothing was thrown";
  };
  const square = pathsOf(box(0, 0, 4, 4));
  const cases: [options: unknown, message: string][] = [
    [undefined, "Expected `options` to be an object, got undefined"],
    [{}, "Expected `spacing` to be a finite number > 0, got undefined"],
    [{ spacing: 0 }, "Expected `spacing` to be a finite number > 0, got 0"],
    [{ spacing: 1, angleDeg: Number.NaN }, "Expected `angleDeg` to be a finite number, got NaN"],
    [{ spacing: 1, crossHatch: 1 }, "Expected `crossHatch` to be true or false, got 1"],
    [{ spacing: 1, inset: -1 }, "Expected `inset` to be a finite number >= 0, got -1"],
    [{ spacing: 1, phase: 2 }, "Expected `phase` to be a finite number >= 0 and <= 1, got 2"],
    [{ spacing: 1, fillRule: "odd" }, 'Expected `fillRule` to be one of "evenodd", "nonzero", got "odd"'],
    [{ spacing: 1, direction: "up" }, 'Expected `direction` to be one of "zigzag", "oneWay", got "up"'],
    [
      { spacing: 1, angle: 3 },
      'Expected `options` to be an object with no other names than spacing, angleDeg, crossHatch, fillRule, direction, inset, phase, got "angle"',
    ],
    [
      { spacing: 1e-7 },
      "Expected `spacing` to make at most 16777216 rows of the paths, got 1e-7, which makes 40000003",
    ],
  ];
  for (const [options, message] of cases) assert.is(messageOf(square, options), message);
  assert.is(messageOf(null, { spacing: 1 }), "Expected `paths` to be a Paths object, got null");
  const broken = pathsOf(box(0, 0, 1, 1), [
    [1, 2],
    [3, Number.NaN],
    [1, 2],
  ]);
  assert.is(messageOf(broken, { spacing: 1 }), "Expected path 1, point 1 to be finite, got (3, NaN)");
  const far = pathsOf(box(1e30, 0, 2e30, 1));
  assert.match(messageOf(far, { spacing: 1, angleDeg: 90 }), /at most 16777216 rows of the paths, got 1/);
  const many = pathsOf(...Array.from({ length: 20 }, (_, i) => box(i, 0, i + 0.5, 1)));
  assert.match(
    messageOf(many, { spacing: 1e-6 }),
    /at most 16777216 lines of the paths, got 0.000001, which makes 2/,
  );
});

test.run();
