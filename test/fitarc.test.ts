import { readFileSync } from "node:fs";
import {
  type ArcCurves,
  type Curves,
  encode,
  type FitArcsOptions,
  fitArcs,
  flatten,
  KerfworkError,
  type Paths,
  toOps,
} from "kerfwork";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { deviationOf, type Point, pointLists, type Stroke, strokesOf, sweepOf } from "../bench/deviation.ts";
import { Engine, type Pointer } from "../src/engine/memory.ts";
import { interpret as controller, START_MODAL, START_OFFSETS } from "../src/machine/interpreter.ts";
import { random } from "./oracle.ts";

const pathsOf = (...lists: (readonly Point[])[]): Paths => {
  let points = 0;
  return {
    ends: Uint32Array.from(lists, (list) => (points += list.length)),
    xy: Float32Array.from(lists.flat(2)),
  };
};
const curvesOf = (ends: number[], kinds: number[], xy: number[]): Curves => ({
  ends: Uint32Array.from(ends),
  kinds: Uint8Array.from(kinds),
  xy: Float32Array.from(xy),
  depth: new Uint16Array(ends.length),
});
const onCircle = (x: number, y: number, radius: number, angle: number): Point => [
  x + radius * Math.cos(angle),
  y + radius * Math.sin(angle),
];
const roundPath = (x: number, y: number, radius: number, from: number, to: number, pieces: number): Point[] =>
  Array.from({ length: pieces + 1 }, (_, k) => onCircle(x, y, radius, from + ((to - from) * k) / pieces));

/** Waves that turn both ways, with straight runs, corners, noise and points twice in a row between them. */
function wander(seed: number, n: number, noise: number, back = true): Point[] {
  const next = random(seed);
  const points: Point[] = [[20 + 100 * next(), 20 + 100 * next()]];
  let heading = 6 * next();
  let bend = 0;
  while (points.length < n) {
    const [x, y] = points.at(-1)!;
    const chance = next();
    if (chance < 0.03) heading += 4 * next() - 2;
    if (chance > 0.9) bend = next() < 0.3 ? 0 : 0.6 * next() - 0.3;
    if (chance > 0.5 && chance < 0.52) points.push([x, y]);
    // back to where it came from
    if (back && chance > 0.52 && chance < 0.54) points.push(points.at(-3) ?? [x, y], [x, y]);
    heading += bend;
    const step = 0.1 + 0.3 * next();
    points.push([
      x + step * Math.cos(heading) + noise * (next() - 0.5),
      y + step * Math.sin(heading) + noise * (next() - 0.5),
    ]);
  }
  return points;
}

function spiral(turns: number, pieces: number): Point[] {
  return Array.from({ length: pieces + 1 }, (_, k) =>
    onCircle(60, 60, 1 + (20 * k) / pieces, (2 * Math.PI * turns * k) / pieces),
  );
}

/** What holds for all results, whatever was fitted. */
function check(paths: Paths, fitted: ArcCurves, options: FitArcsOptions, what: string): void {
  const { tolerance = 0.02, minRadius = 0.05, maxRadius = 1000 } = options;
  const lists = pointLists(paths);
  assert.is(fitted.ends.length, lists.length, what);
  for (const [i, strokes] of strokesOf(fitted).entries()) {
    const points = lists[i]!;
    const off = points.length === 0 ? 0 : deviationOf(points, strokes);
    assert.ok(off <= tolerance, `${what}, path ${i}: ${off} off`);
    for (const stroke of strokes) {
      const [first, last] = [stroke.from, stroke.to].map((end) => distance(end, stroke.center)) as [
        number,
        number,
      ];
      assert.ok(distance(stroke.from, stroke.to) > 0, `${what}, path ${i}: a segment of no length`);
      if (stroke.turn === 0) continue;
      assert.ok(Math.abs(first - last) <= 0.00501, `${what}, path ${i}: radii ${first} and ${last}`);
      assert.ok(
        first > minRadius - 0.001 && first < maxRadius + 0.001,
        `${what}, path ${i}: radius ${first}`,
      );
      assert.ok(sweepOf(stroke) < (331 / 180) * Math.PI, `${what}, path ${i}: sweep ${sweepOf(stroke)}`);
    }
  }
  for (const value of fitted.xy) {
    assert.ok(Math.abs(value * 1000 - Math.round(value * 1000)) < 0.1, `${what}: ${value} is no thousandth`);
    assert.not.ok(Object.is(value, -0), `${what}: -0`);
  }
}

const distance = (a: Point, b: Point): number => Math.hypot(a[0] - b[0], a[1] - b[1]);

test("fitArcs finds a line, a quarter circle and a half circle again", () => {
  const points = [
    [0, 0] as const,
    ...roundPath(30, 10, 10, -Math.PI / 2, 0, 50),
    ...roundPath(50, 10, 10, Math.PI, 0, 90),
    [60, -20] as const,
  ];
  assert.equal(fitArcs(pathsOf(points)), {
    ends: Uint32Array.of(4),
    kinds: Uint8Array.of(0, 2, 3, 0),
    xy: Float32Array.of(0, 0, 30, 0, 30, 10, 40, 10, 50, 10, 60, 10, 60, -20),
    depth: Uint16Array.of(0),
    closed: Uint8Array.of(0),
  });
});

test("fitArcs stays within the tolerance, both ways and after rounding", () => {
  for (let seed = 1; seed <= 10; seed++) {
    const options = { tolerance: [0.002, 0.01, 0.02, 0.05, 0.3][seed % 5]! };
    const lists = [
      wander(seed, 30 + 8 * seed, 0),
      wander(seed + 100, 120, 0.01),
      wander(seed + 200, 100, 0.1),
    ];
    const paths = pathsOf(...lists, spiral(1 + (seed % 4), 150), [...lists[0]!].reverse());
    check(paths, fitArcs(paths, options), options, `seed ${seed}`);
  }
});

test("fitArcs takes few segments: an exhaustive search on short paths that do not turn back finds hardly fewer", () => {
  let [own, least] = [0, 0];
  for (let seed = 1; seed <= 14; seed++) {
    const points = wander(seed + 300, 18, 0.004, false).filter(
      (p, i, all) => i === 0 || distance(p, all[i - 1]!) > 0,
    );
    const tolerance = 0.02;
    const fitted = fitArcs(pathsOf(points), { tolerance });
    own += fitted.kinds.length;
    least += fewest(points, tolerance);
  }
  assert.ok(own <= 1.15 * least, `${own} segments, ${least} needed`);
  assert.ok(own >= 0.95 * least, `${own} segments, ${least} found by trying`);
});

/** The least number of lines and arcs from point to point, by trying bulges one after the other. */
function fewest(points: readonly Point[], tolerance: number): number {
  const counts = [0];
  for (let j = 1; j < points.length; j++) {
    counts[j] = Infinity;
    for (let i = j - 1; i >= 0; i--)
      if (counts[i]! + 1 < counts[j]! && (j === i + 1 || isFitted(points.slice(i, j + 1), tolerance)))
        counts[j] = counts[i]! + 1;
  }
  return counts.at(-1)!;
}

function isFitted(points: readonly Point[], tolerance: number): boolean {
  const [from, to] = [points[0]!, points.at(-1)!];
  const half = distance(from, to) / 2;
  const fits = (stroke: Stroke): boolean => deviationOf(points, [stroke], 12) <= tolerance;
  if (fits({ from, to, center: from, turn: 0 })) return true;
  // the height of the arc over its chord, which the farthest point nearly is
  const heights = points.map(
    ([x, y]) => ((to[0] - from[0]) * (y - from[1]) - (to[1] - from[1]) * (x - from[0])) / 2 / half,
  );
  const top = heights.reduce((most, each) => (Math.abs(each) > Math.abs(most) ? each : most), 0);
  for (let k = -12; k <= 12; k++) {
    const height = top + (k / 8) * tolerance;
    if (height === 0 || Math.abs(height) > 3 * half) continue;
    const out = (half * half - height * height) / (2 * height);
    const center: Point = [
      (from[0] + to[0]) / 2 + ((to[1] - from[1]) / 2 / half) * out,
      (from[1] + to[1]) / 2 - ((to[0] - from[0]) / 2 / half) * out,
    ];
    if (distance(center, from) <= 1000 && fits({ from, to, center, turn: height < 0 ? 1 : -1 })) return true;
  }
  return false;
}

test("fitArcs gives as much for paths that are moved, turned by 90 degrees or mirrored, and nearly that reversed", () => {
  const lists = Array.from({ length: 12 }, (_, i) => wander(i + 50, 300, 0.005));
  const count = (change: (p: Point) => Point): number =>
    fitArcs(pathsOf(...lists.map((list) => list.map(change))), { tolerance: 0.03 }).kinds.length;
  const plain = count((p) => p);
  for (const [what, change] of [
    ["moved", ([x, y]) => [x + 32, y - 64]],
    ["turned", ([x, y]) => [-y, x]],
    ["mirrored", ([x, y]) => [-x, y]],
  ] as [string, (p: Point) => Point][]) {
    // rounding moves points of single precision by other amounts
    assert.ok(Math.abs(count(change) - plain) <= 0.01 * plain, `${what}: ${count(change)}, ${plain}`);
  }
  const reversed = fitArcs(pathsOf(...lists.map((list) => [...list].reverse())), { tolerance: 0.03 }).kinds
    .length;
  assert.ok(Math.abs(reversed - plain) <= 0.03 * plain, `reversed: ${reversed}, ${plain}`);
});

test("fitArcs mirrors the sense of arcs with the path", () => {
  const quarter = roundPath(0, 0, 10, 0, 1.5, 60);
  const kindOf = (points: readonly Point[]): number[] => [...fitArcs(pathsOf(points)).kinds];
  assert.equal(kindOf(quarter), [2]);
  assert.equal(kindOf([...quarter].reverse()), [3]);
  assert.equal(kindOf(quarter.map(([x, y]) => [x, -y])), [3]);
});

test("fitArcs keeps corners, merges straight runs and keeps closed paths closed", () => {
  const run = (a: Point, b: Point): Point[] =>
    Array.from(
      { length: 20 },
      (_, k): Point => [a[0] + ((b[0] - a[0]) * k) / 20, a[1] + ((b[1] - a[1]) * k) / 20],
    );
  const square = [
    ...run([5, 5], [25, 5]),
    ...run([25, 5], [25, 25]),
    ...run([25, 25], [5, 25]),
    ...run([5, 25], [5, 5]),
  ];
  const fitted = fitArcs(pathsOf([...square, [5, 5]]));
  assert.equal(fitted.kinds, new Uint8Array(4));
  assert.equal(fitted.xy, Float32Array.of(5, 5, 25, 5, 25, 25, 5, 25, 5, 5));
  assert.equal(fitted.closed, Uint8Array.of(1));

  // long sides, and round corners cut into small lines: sides stay lines
  const slot = [
    [0, 0] as const,
    ...roundPath(40, 5, 5, -Math.PI / 2, Math.PI / 2, 80),
    ...roundPath(0, 5, 5, Math.PI / 2, 1.5 * Math.PI, 80),
  ];
  assert.equal([...fitArcs(pathsOf(slot)).kinds], [0, 2, 0, 2]);
});

test("fitArcs draws a circle as arcs that cannot be taken for a whole one", () => {
  for (const radius of [0.2, 1, 17, 300])
    for (const pieces of [64, 65, 1000]) {
      const paths = pathsOf(
        roundPath(310.123, 305.7, radius, 1, 1 + 2 * Math.PI, pieces).map((p, k, all) =>
          k === pieces ? all[0]! : p,
        ),
      );
      const options = { tolerance: 0.003 + radius * (1 - Math.cos(Math.PI / pieces)) };
      const fitted = fitArcs(paths, options);
      check(paths, fitted, options, `radius ${radius}, ${pieces} pieces`);
      assert.is(fitted.kinds.length, 2, `radius ${radius}, ${pieces} pieces: ${fitted.kinds}`);
      assert.equal(fitted.closed, Uint8Array.of(1));
    }
});

test("fitArcs turns arcs that are too flat, too small or too wide into what a controller can draw", () => {
  const flat = pathsOf(roundPath(0, 20_000, 20_000, -Math.PI / 2, -Math.PI / 2 + 0.01, 300));
  const fitted = fitArcs(flat, { tolerance: 0.05, maxRadius: 10_000 });
  check(flat, fitted, { tolerance: 0.05, maxRadius: 10_000 }, "flat");
  assert.ok(fitted.kinds.every((kind) => kind === 0));

  const small = pathsOf(roundPath(3, 3, 0.3, 0, 2, 40));
  assert.equal([...fitArcs(small, { tolerance: 0.005 }).kinds], [2]);
  assert.ok(fitArcs(small, { tolerance: 0.005, minRadius: 0.4 }).kinds.every((kind) => kind === 0));

  // all but a full turn, twice around, and there and back
  for (const turn of [6.2, 4 * Math.PI, 12])
    for (const back of [false, true]) {
      const there = roundPath(40, 40, 10, 0.1, 0.1 + turn, 400);
      const path = pathsOf(back ? [...there, ...[...there].reverse()] : there);
      const around = fitArcs(path, { tolerance: 0.01 });
      check(path, around, { tolerance: 0.01 }, `${turn}`);
      const swept = strokesOf(around)[0]!.reduce((sum, stroke) => sum + sweepOf(stroke), 0);
      assert.ok(Math.abs(swept - turn * (back ? 2 : 1)) < 0.02, `swept ${swept} of ${turn}`);
    }
});

test("fitArcs takes a spike for no circle that goes around the other way", () => {
  const spike: Point[] = [
    [9.898, 5.072],
    [9.774, 5.08],
    [9.802, 5.086],
  ];
  for (const points of [spike, [...spike].reverse(), [spike[1]!, ...spike.slice(0, 2)]])
    for (const tolerance of [0.002, 0.02, 0.05, 0.5]) {
      const paths = pathsOf(points);
      check(paths, fitArcs(paths, { tolerance }), { tolerance }, `tolerance ${tolerance}`);
    }
});

test("fitArcs takes nothing, single points, points that repeat and paths smaller than the tolerance", () => {
  const none = fitArcs(pathsOf());
  assert.equal([none.ends.length, none.kinds.length, none.xy.length], [0, 0, 0]);
  const fitted = fitArcs(
    pathsOf(
      [],
      [[1.00049, 2]],
      [],
      [
        [3, 3],
        [3, 3],
        [3, 3],
      ],
      [
        [4, 4],
        [4.003, 4.001],
        [4, 4],
      ],
      [
        [0, 0],
        [0, 0],
        [9, 0],
        [9, 0],
      ],
    ),
  );
  assert.equal([...fitted.ends], [0, 0, 0, 0, 0, 1]);
  assert.equal(fitted.xy, Float32Array.of(1, 2, 1, 2, 1, 2, 3, 3, 4, 4, 0, 0, 9, 0));
  assert.equal([...fitted.closed!], [1, 1, 1, 1, 1, 0]);
  // a line there and back is not lost
  assert.equal(
    fitArcs(
      pathsOf([
        [0, 0],
        [5, 0],
        [0, 0],
      ]),
    ).xy,
    Float32Array.of(0, 0, 5, 0, 0, 0),
  );
  // and neither is -0 made
  assert.ok(
    Object.is(
      fitArcs(
        pathsOf([
          [-0.0001, 5],
          [0, 1],
        ]),
      ).xy[0],
      0,
    ),
  );
});

test("fitArcs rounds to as many decimals as asked for", () => {
  const paths = pathsOf(roundPath(20, 20, 7.123, 0, 2, 200));
  for (const decimals of [1, 2, 3, 4]) {
    const { xy, kinds } = fitArcs(paths, { decimals, tolerance: 0.15 });
    for (const value of xy)
      assert.is(value, Math.fround(Math.round(value * 10 ** decimals) / 10 ** decimals));
    // coarser ones leave no arc whose ends are equally far from its centre
    assert.ok(decimals < 3 || kinds.length === 1, `${decimals} decimals: ${kinds}`);
  }
});

/** What a controller draws of a program: strokes of each burnt path, y up; it refuses what GRBL refuses. */
function interpret(bytes: Uint8Array): Stroke[][] {
  const found: Stroke[][] = [];
  const state: Record<string, number> = { G: 0, X: 0, Y: 0 };
  for (const line of Buffer.from(bytes).toString("latin1").trimEnd().split("\n")) {
    assert.not.match(line, /-0(?![.\d])/, line);
    const words = Object.fromEntries(
      line.split(" ").map((word) => [word[0], Number(word.slice(1))]),
    ) as Record<string, number>;
    if ((words.G ?? 0) > 3 || words.M !== undefined) continue;
    const from: Point = [state.X!, state.Y!];
    Object.assign(state, words);
    const to: Point = [state.X!, state.Y!];
    if (state.G === 0) {
      found.push([]);
      continue;
    }
    const turn = state.G === 1 ? 0 : state.G === 3 ? 1 : -1;
    const center: Point = turn === 0 ? from : [from[0] + words.I!, from[1] + words.J!];
    if (turn !== 0) {
      const [radius, other] = [distance(from, center), distance(to, center)];
      const apart = Math.abs(radius - other);
      assert.ok(apart <= 0.005 || (apart <= 0.5 && apart <= 0.001 * radius), `error 33: ${line}`);
      assert.ok(distance(from, to) > 0, `a full circle: ${line}`);
    }
    found.at(-1)!.push({ from, to, center, turn });
  }
  return found.filter((strokes) => strokes.length > 0);
}

test("fitArcs, toOps and encode: what a controller reads is within the tolerance of the source", () => {
  for (let seed = 1; seed <= 8; seed++) {
    const tolerance = [0.003, 0.01, 0.04][seed % 3]!;
    const height = [150, 135.46667, 99.9995][seed % 3]!;
    const paths = pathsOf(
      wander(seed + 400, 250, 0.004),
      spiral(3, 300),
      roundPath(50, 50, 20, 0, 6.25, 500),
    );
    const drawn = interpret(encode(toOps(fitArcs(paths, { tolerance }), { height })).bytes);
    const lists = pointLists(paths);
    assert.is(drawn.length, lists.length);
    const up = Math.round(height * 1000) / 1000;
    for (const [i, strokes] of drawn.entries()) {
      const off = deviationOf(
        lists[i]!.map(([x, y]): Point => [x, up - y]),
        strokes,
      );
      assert.ok(off <= tolerance, `seed ${seed}, path ${i}: ${off} off`);
    }
  }
});

test("fitArcs: the simulated controller takes every line, and its chords are where the source is", () => {
  const [arcTolerance, tolerance] = [0.002, 0.01];
  const lists = [wander(501, 400, 0.003), spiral(5, 600), roundPath(50, 50, 20, 0, 2 * Math.PI, 500)];
  const program = encode(toOps(fitArcs(pathsOf(...lists), { tolerance }), { height: 150 }), {
    returnHome: false,
  });
  let modal = START_MODAL;
  let drawn: Point[] = [];
  const paths: Point[][] = [];
  for (const line of Buffer.from(program.bytes).toString("latin1").trimEnd().split("\n")) {
    const before: Point = [modal.position[0], modal.position[1]];
    const done = controller(line.replaceAll(" ", ""), modal, START_OFFSETS, { laser: true, arcTolerance });
    if (typeof done === "number") throw new Error(`error ${done}: ${line}`);
    modal = done.modal;
    const moves = done.actions.flatMap((action) => (action.type === "move" ? [action] : []));
    if (moves.some(({ power }) => power > 0)) drawn.push(...(drawn.length > 0 ? [] : [before]));
    else if (drawn.length > 0) {
      paths.push(drawn);
      drawn = [];
    }
    if (drawn.length > 0) drawn.push(...moves.map(({ target }): Point => [target[0], target[1]]));
  }
  assert.is(paths.length, lists.length);
  for (const [i, points] of paths.entries()) {
    const source = lists[i]!.map(([x, y]): Point => [Math.fround(x), 150 - Math.fround(y)]);
    const strokes = points.slice(1).map((to, k): Stroke => ({ from: points[k]!, to, center: to, turn: 0 }));
    // GRBL's chords may be a little farther off than it is told
    const off = deviationOf(source, strokes, 2);
    assert.ok(off <= tolerance + 1.5 * arcTolerance, `path ${i}: ${off} off`);
  }
});

test("fitArcs keeps lines and arcs of curves, halves full circles, and fits cubics", () => {
  const k = 10 * (4 / 3) * (Math.SQRT2 - 1);
  const curves = {
    // an open contour: line, arc, quarter circle as a cubic; then a full circle
    ...curvesOf(
      [3, 4],
      [0, 3, 1, 2],
      [0, 0, 10, 0, 10, -5, 15, -5, 15, -5 + k, 25 - k, 5, 25, 5, 9, 9, 7, 9, 9, 9],
    ),
    depth: Uint16Array.of(0, 3),
    closed: Uint8Array.of(0, 1),
  };
  const fitted = fitArcs(curves, { tolerance: 0.01 });
  assert.equal([...fitted.kinds], [0, 3, 3, 2, 2]);
  assert.equal([...fitted.ends], [3, 5]);
  assert.equal([...fitted.xy.subarray(0, 8)], [0, 0, 10, 0, 10, -5, 15, -5]);
  assert.equal([...fitted.xy.subarray(12)], [9, 9, 7, 9, 5, 9, 7, 9, 9, 9]);
  assert.ok(distance([fitted.xy[8]!, fitted.xy[9]!], [25, -5]) < 0.02);
  assert.equal(fitted.depth, curves.depth);
  assert.equal(fitted.closed, curves.closed);
});

test("fitArcs stays within the tolerance of curves, whatever their arcs are like", () => {
  for (let seed = 1; seed <= 16; seed++) {
    const next = random(seed);
    const kinds: number[] = [];
    const xy = [50 * next(), 50 * next()];
    for (let i = 0; i < 12; i++) {
      const kind = Math.floor(4 * next());
      kinds.push(kind);
      const [x, y] = xy.slice(-2) as [number, number];
      if (kind < 2) for (let j = 0; j < (kind === 0 ? 1 : 3); j++) xy.push(50 * next(), 50 * next());
      else {
        // tiny and huge ones too, and some that miss their circle
        const radius = 10 ** (next() * 5 - 2.5);
        const angle = 6 * next();
        const center = onCircle(x, y, radius, angle);
        const sweep = next() < 0.2 ? 0 : next() < 0.3 ? 6.2832 : 6 * next();
        const missed = next() < 0.2 ? 0.02 : 0;
        xy.push(...center);
        if (sweep === 0) xy.push(x, y);
        else
          xy.push(...onCircle(...center, radius + missed, angle + Math.PI + (kind === 2 ? sweep : -sweep)));
      }
    }
    const curves = curvesOf([kinds.length], kinds, xy);
    const tolerance = 0.02;
    const fitted = fitArcs(curves, { tolerance, maxRadius: 150 });
    const fine = pointLists(flatten(curves, { tolerance: 0.0005 }))[0]!;
    const strokes = strokesOf(fitted)[0]!;
    // f32 of far points is coarse
    const slack = 0.0006 + Math.max(...curves.xy.map(Math.abs)) * 2 ** -22;
    const off = deviationOf(fine, strokes, 6);
    assert.ok(off <= tolerance + slack, `seed ${seed}: ${off} off`);
    for (const stroke of strokes)
      if (stroke.turn !== 0) {
        assert.ok(
          Math.abs(distance(stroke.from, stroke.center) - distance(stroke.to, stroke.center)) <=
            0.0051 + slack,
        );
        assert.ok(sweepOf(stroke) < 5.8);
      }
  }
});

const release = new Engine(undefined, new WebAssembly.Module(readFileSync("dist/kernels.wasm")));
const debug = new Engine(undefined, new WebAssembly.Module(readFileSync("build/kernels-debug.wasm")));

test("fitArcs's kernel stays within its buffers, and the debug build gives the same", () => {
  const run = (engine: Engine, paths: Paths, tolerance: number): number[] =>
    engine.run(({ kernels }) => {
      const guarded: [Pointer, number][] = [];
      const place = (bytes: number): Pointer => {
        const at = (engine.alloc(bytes + 128) + 64) as Pointer;
        engine.u8((at - 64) as Pointer, bytes + 128).fill(0xa5);
        guarded.push([at, bytes]);
        return at;
      };
      const n = paths.ends.length;
      const points = paths.xy.length / 2;
      const longest = Math.max(0, ...[...paths.ends].map((end, i) => end - (paths.ends[i - 1] ?? 0)));
      const ends = place(4 * n);
      engine.u32(ends, n).set(paths.ends);
      const xy = place(8 * points);
      engine.f32(xy, 2 * points).set(paths.xy);
      const scratch = place(kernels.fitArcsBytes(longest));
      const outEnds = place(4 * n);
      const kinds = place(points);
      const out = place(8 * (points + n));
      const segments = kernels.fitArcs(
        ends,
        n,
        xy,
        tolerance,
        1000,
        0.05,
        1000,
        scratch,
        outEnds,
        kinds,
        out,
      );
      assert.equal(engine.f32(xy, 2 * points).slice(), paths.xy);
      for (const [from, bytes] of guarded) {
        const edges = [...engine.u8((from - 64) as Pointer, 64), ...engine.u8((from + bytes) as Pointer, 64)];
        assert.ok(edges.every((byte) => byte === 0xa5));
      }
      return [
        segments,
        ...engine.u8(outEnds, 4 * n),
        ...engine.u8(kinds, segments),
        ...engine.u8(out, 8 * (segments + n)),
      ];
    });
  const next = random(8);
  const scattered = Array.from({ length: 3000 }, (): Point => [9 * next(), 9 * next()]);
  for (const paths of [
    pathsOf(),
    pathsOf([], []),
    pathsOf([], scattered, [], [[1, 1]]),
    pathsOf(wander(1, 500, 0.01), wander(2, 4, 0), roundPath(0, 0, 50, 0, 6, 5000)),
  ])
    for (const tolerance of [0.001, 0.02, 1])
      assert.equal(run(debug, paths, tolerance), run(release, paths, tolerance));
});

test("fitArcs reports points and leaves when it is canceled", () => {
  release.run((engine) => {
    const points = wander(5, 20_000, 0.002);
    const { ends, xy } = pathsOf(points);
    const [kinds, out] = [engine.alloc(points.length), engine.alloc(8 * points.length + 8)];
    const at = [
      engine.push(ends),
      engine.push(xy),
      engine.alloc(engine.kernels.fitArcsBytes(points.length)),
      engine.alloc(4),
    ] as const;
    const [cancel, step] = [engine.i32(0 as Pointer, 1), engine.i32(64 as Pointer, 1)];
    const run = (): number =>
      engine.kernels.fitArcs(at[0], 1, at[1], 0.02, 1000, 0.05, 1000, at[2], at[3], kinds, out);
    assert.ok(run() > 100);
    assert.ok(step[0]! > 0.9 * points.length && step[0]! <= points.length);
    cancel[0] = 1;
    try {
      assert.is(run(), -1);
      assert.is(step[0], 0);
    } finally {
      cancel[0] = 0;
    }
  });
});

test("fitArcs says which argument breaks its contract", () => {
  const messageOf = (artwork: unknown, options?: unknown): string => {
    try {
      fitArcs(artwork as Paths, options as FitArcsOptions);
    } catch (error) {
      assert.instance(error, KerfworkError);
      assert.is((error as KerfworkError).code, "INVALID_ARGUMENT");
      return (error as Error).message;
    }
    return "nothing was thrown";
  };
  const paths = pathsOf([
    [0, 0],
    [1, 0],
  ]);
  assert.is(messageOf(null), "Expected `artwork` to be a Paths or a Curves object, got null");
  assert.is(messageOf({ ...paths, xy: [] }), "Expected `paths.xy` to be a Float32Array, got an array of 0");
  assert.is(
    messageOf(
      pathsOf(
        [[0, 0]],
        [
          [1, 1],
          [Number.NaN, 2],
        ],
      ),
    ),
    "Expected path 1, point 1 to be finite, got (NaN, 2)",
  );
  assert.is(
    messageOf(curvesOf([1, 2], [0, 2], [0, 0, 1, 1, 2, 2, Infinity, 3, 4, 4])),
    "Expected contour 1, point 1 to be finite, got (Infinity, 3)",
  );
  assert.is(messageOf(curvesOf([1], [4], [0, 0, 1, 1])), "Expected `curves.kinds[0]` to be 0..3, got 4");
  assert.is(messageOf(paths, 3), "Expected `options` to be an object, got 3");
  assert.is(
    messageOf(paths, { radius: 3 }),
    'Expected `options` to be an object with no other names than tolerance, minRadius, maxRadius, decimals, got "radius"',
  );
  assert.is(
    messageOf(paths, { tolerance: 0.0009 }),
    "Expected `tolerance` to be a finite number >= 0.001, got 0.0009",
  );
  assert.is(messageOf(paths, { decimals: 1 }), "Expected `tolerance` to be a finite number >= 0.1, got 0.02");
  assert.is(
    messageOf(paths, { decimals: 2.5 }),
    "Expected `decimals` to be an integer >= 0 and <= 6, got 2.5",
  );
  assert.is(
    messageOf(paths, { minRadius: 0 }),
    "Expected `minRadius` to be a finite number > 0 and <= 10000, got 0",
  );
  assert.is(
    messageOf(paths, { minRadius: 5, maxRadius: 4 }),
    "Expected `maxRadius` to be a finite number >= 5 and <= 10000, got 4",
  );
});

test.run();
