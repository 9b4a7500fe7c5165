// Arcs in curves: flattened, framed, written as SVG and turned into moves.
import {
  type Curves,
  convexHull,
  encode,
  flatten,
  frame,
  measureOps,
  type OpsOptions,
  type Paths,
  toOps,
  toSVG,
} from "kerfwork";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { deviationOf, type Point, pointLists, pointsOf, type Stroke, strokesOf } from "../bench/deviation.ts";
import { messageOf } from "./messages.ts";
import { random } from "./oracle.ts";

const curvesOf = (ends: number[], kinds: number[], xy: number[]): Curves => ({
  ends: Uint32Array.from(ends),
  kinds: Uint8Array.from(kinds),
  xy: Float32Array.from(xy),
  depth: new Uint16Array(ends.length),
});

/** Open contours of lines and arcs of all sizes, within 100 mm or so. */
function arcs(seed: number, contours: number): Curves {
  const next = random(seed);
  const [ends, kinds, xy]: [number[], number[], number[]] = [[], [], []];
  for (let i = 0; i < contours; i++) {
    let [x, y] = [100 * next(), 100 * next()];
    xy.push(x, y);
    for (let k = 0; k < 5; k++) {
      const kind = [0, 2, 3][Math.floor(3 * next())]!;
      kinds.push(kind);
      const [radius, angle] = [10 ** (2.5 * next() - 1), 6 * next()];
      const [centerX, centerY] = [x + radius * Math.cos(angle), y + radius * Math.sin(angle)];
      // full turns among them
      const sweep = next() < 0.15 ? 0 : (0.05 + 6 * next()) * (kind === 2 ? 1 : -1);
      if (kind !== 0) xy.push(centerX, centerY);
      if (sweep !== 0 || kind === 0) {
        x = centerX + radius * Math.cos(angle + Math.PI + sweep);
        y = centerY + radius * Math.sin(angle + Math.PI + sweep);
      }
      xy.push(x, y);
    }
    ends.push(kinds.length);
  }
  return curvesOf(ends, kinds, xy);
}

/** A half circle clockwise on the screen, over the top: left to right; and a full circle counter-clockwise. */
const HALF = curvesOf([1, 2], [2, 3], [0, 10, 10, 10, 20, 10, 35, 10, 30, 10, 35, 10]);

test("flatten cuts arcs into lines around the right side", () => {
  const [half, circle] = pointLists(flatten(HALF, { tolerance: 0.1 })) as [Point[], Point[]];
  assert.equal(
    [half[0], half.at(-1)],
    [
      [0, 10],
      [20, 10],
    ],
  );
  assert.ok(half.every(([, y]) => y <= 10.00001));
  assert.ok(half.some(([, y]) => y < 0.11));
  assert.equal(
    [circle[0], circle.at(-1)],
    [
      [35, 10],
      [35, 10],
    ],
  );
  assert.ok(circle[1]![1] < 10, "counter-clockwise on the screen is up from the right");
  // as many lines as needed: half a circle of 10 mm in lines that are 0.1 mm off
  assert.is(half.length - 1, Math.ceil(Math.PI / (2 * Math.acos(1 - 0.1 / 10))));
});

test("flatten stays within the tolerance of each arc and ends where it ends", () => {
  for (const tolerance of [2, 0.05, 0.002]) {
    const curves = arcs(5, 12);
    const lists = pointLists(flatten(curves, { tolerance }));
    for (const [i, strokes] of strokesOf(curves).entries()) {
      const [first, last] = [strokes[0]!.from, strokes.at(-1)!.to];
      assert.equal([lists[i]![0], lists[i]!.at(-1)], [first, last]);
      const off = deviationOf(lists[i]!, strokes, 40);
      assert.ok(off <= tolerance + 0.0001, `contour ${i}: ${off} off`);
    }
  }
});

test("flatten takes arcs of no radius, and lets a radius grow evenly where the end is off the circle", () => {
  assert.equal(flatten(curvesOf([1], [2], [1, 1, 1, 1, 1, 1])).xy.subarray(-2), Float32Array.of(1, 1));
  assert.equal(flatten(curvesOf([1], [2], [1, 1, 1, 1, 2, 1])).xy.subarray(-2), Float32Array.of(2, 1));
  const [points] = pointLists(flatten(curvesOf([1], [2], [10, 0, 0, 0, 0, 14]), { tolerance: 0.001 }));
  const radii = points!.map(([x, y]) => Math.hypot(x, y));
  const step = 4 / (radii.length - 1);
  for (const [k, radius] of radii.entries())
    assert.ok(Math.abs(radius - 10 - k * step) < 1e-4, `${k}: ${radius}`);
});

test("frame and convexHull go around arcs, not around their centres", () => {
  assert.equal(frame(HALF).xy, Float32Array.of(0, 0, 35, 0, 35, 15, 0, 15, 0, 0));
  const quarter = curvesOf([1], [3], [10, 0, 0, 0, 0, -10]);
  assert.equal(frame(quarter).xy, Float32Array.of(0, -10, 10, -10, 10, 0, 0, 0, 0, -10));
  for (const [x, y] of pointLists(convexHull(quarter))[0]!) assert.ok(x + y * -1 >= 9.999, `${x}, ${y}`);
  for (let seed = 1; seed <= 10; seed++) {
    const curves = arcs(seed, 3);
    const points = strokesOf(curves).flatMap((strokes) =>
      strokes.flatMap((stroke) => pointsOf(stroke, 4000)),
    );
    const { xy } = frame(curves);
    const box = [0, 1].flatMap((axis) => [
      Math.min(...points.map((p) => p[axis]!)),
      Math.max(...points.map((p) => p[axis]!)),
    ]);
    for (const [k, value] of [xy[0], xy[2], xy[1], xy[5]].entries())
      assert.ok(Math.abs(value! - box[k]!) < 0.002, `seed ${seed}: ${value}, ${box[k]}`);
  }
});

test("toOps turns y up and leaves arcs as clockwise as they are seen", () => {
  const ops = toOps(HALF, { height: 30 });
  assert.equal([...ops.kinds], [0, 2, 0, 3]);
  assert.equal([...ops.xy], [0, 20, 20, 20, 35, 20, 35, 20]);
  assert.equal([...ops.centers], [0, 0, 10, 20, 0, 0, 30, 20]);
  const text = Buffer.from(encode(ops).bytes).toString("latin1").split("\n").slice(4, 8);
  assert.equal(text, ["G0 X0 Y20", "G2 X20 Y20 I10 J0 S1000 F1000", "G0 X35", "G3 X35 Y20 I-5 J0"]);
  // over the top of the half circle, which is at y = 0 on the screen
  assert.equal(encode(ops).bounds, { minX: 0, minY: 15, maxX: 35, maxY: 30 });
});

test("toOps takes the largest y of the arcs themselves for the height", () => {
  const ops = toOps(curvesOf([1], [3], [0, 10, 10, 10, 20, 10]));
  assert.equal([...ops.xy], [0, 10, 20, 10]);
  assert.equal(measureOps(ops).bounds, { minX: 0, minY: 0, maxX: 20, maxY: 10 });
});

test("toOps drops lines of no length and contours without segments, but no full circles", () => {
  const given = curvesOf(
    [0, 2, 4, 5],
    [0, 0, 0, 2, 0],
    [9, 9, 1, 1, 1, 1, 1, 1, 4, 0, 4, 0, 2, 0, 4, 0, 4, 0, 4, 5],
  );
  const { kinds, xy } = toOps(given, { height: 10 });
  assert.equal([...kinds], [0, 2, 1]);
  assert.equal([...xy], [4, 10, 4, 10, 4, 5]);
  assert.is(toOps(curvesOf([], [], [])).kinds.length, 0);
});

test("toOps gives what it gives for paths, for curves of lines", () => {
  const next = random(4);
  const xy = Float32Array.from({ length: 200 }, () => Math.floor(6 * next()));
  const paths: Paths = { ends: Uint32Array.of(20, 21, 60, 100), xy };
  const curves = { ...curvesOf([19, 19, 57, 96], [], []), kinds: new Uint8Array(96), xy };
  assert.equal(toOps(curves, { power: 0.5 }), toOps(paths, { power: 0.5 }));
});

test("toOps gives each path its own power and speed", () => {
  const paths: Paths = {
    ends: Uint32Array.of(2, 3, 5),
    xy: Float32Array.of(0, 0, 1, 0, 5, 5, 2, 0, 3, 0),
  };
  const ops = toOps(paths, { power: Float32Array.of(0.25, 1, 0.5), speed: Float32Array.of(100, 200, 300) });
  assert.equal([...ops.kinds], [0, 1, 0, 1]);
  assert.equal([...ops.power], [0, 0.25, 0, 0.5]);
  assert.equal([...ops.speed], [6000, 100, 6000, 300]);
  const refused = (options: OpsOptions): string => messageOf(() => toOps(paths, options));
  assert.is(
    refused({ power: Float32Array.of(1, 1) }),
    "INVALID_ARGUMENT: Expected `power` to be a number, or a Float32Array of 3 numbers, one for each path, got a Float32Array of 8 bytes",
  );
  assert.is(
    refused({ power: Float32Array.of(1, 1, -0.5) }),
    "INVALID_ARGUMENT: Expected `power[2]` to be a finite number >= 0 and <= 1, got -0.5",
  );
  assert.is(
    refused({ speed: Float32Array.of(1, Number.NaN, 1) }),
    "INVALID_ARGUMENT: Expected `speed[1]` to be a finite number >= 0.001 and <= 1000000, got NaN",
  );
  // the least speed of single precision is a little more than that
  assert.is(toOps(paths, { speed: new Float32Array(3).fill(0.001) }).speed[1], Math.fround(0.001));
});

test("toOps refuses cubics, and numbers that are not finite", () => {
  assert.is(
    messageOf(() => toOps(curvesOf([2], [0, 1], [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]))),
    "INVALID_ARGUMENT: Expected `curves.kinds[1]` to be a line (0) or an arc (2, 3): `flatten` or `fitArcs` replaces cubics, got 1",
  );
  assert.is(
    messageOf(() => toOps(curvesOf([1, 2], [0, 2], [0, 0, 1, 1, 2, 2, 3, 3, 4, Number.NaN]))),
    "INVALID_ARGUMENT: Expected contour 1, point 2 to be finite, got (4, NaN)",
  );
  assert.is(
    messageOf(() => toOps(null as never)),
    "INVALID_ARGUMENT: Expected `paths` to be a Paths object, got null",
  );
});

/** A slow reader of path data with arcs, by the formulas of the SVG specification; strokes of each contour. */
function readArcs(svg: string): Stroke[][] {
  const found: Stroke[][] = [];
  let at: Point = [0, 0];
  let start: Point = at;
  for (const [, command, rest] of /<path [^>]*? d="([^"]*)"\/>/
    .exec(svg)![1]!
    .matchAll(/([a-z])([^a-z]*)/g)) {
    const numbers = [...rest!.matchAll(/-?(?:\d+\.?\d*|\.\d+)/g)].map(([number]) => Number(number));
    const line = (to: Point): void => {
      found.at(-1)!.push({ from: at, to, center: at, turn: 0 });
      at = to;
    };
    const size = { m: 2, l: 2, h: 1, v: 1, a: 7, z: 1 }[command!]!;
    assert.is(numbers.length % size, 0, `numbers of ${command}${rest}`);
    for (let i = 0; i < numbers.length; i += size) {
      const [dx, dy] = [numbers[i + size - 2]!, numbers[i + size - 1]!];
      const to: Point = [at[0] + dx, at[1] + dy];
      if (command === "m" && i === 0) {
        found.push([]);
        start = at = to;
      } else if (command === "h") line([at[0] + numbers[i]!, at[1]]);
      else if (command === "v") line([at[0], at[1] + numbers[i]!]);
      else if (command !== "a") line(to);
      else {
        const [rx, ry, tilt, large, sweep] = numbers.slice(i, i + 5);
        assert.equal([rx, tilt], [ry, 0]);
        const half = Math.hypot(dx, dy) / 2;
        const radius = Math.max(rx!, half);
        const out = Math.sqrt(radius * radius - half * half) * (large === sweep ? -1 : 1);
        const center: Point = [
          at[0] + dx / 2 - (dy / 2 / half) * out,
          at[1] + dy / 2 + (dx / 2 / half) * out,
        ];
        found.at(-1)!.push({ from: at, to, center, turn: sweep === 1 ? 1 : -1 });
        at = to;
      }
    }
    if (command === "z") at = start;
  }
  return found;
}

test("toSVG writes arcs as A commands, full circles as two", () => {
  const svg = toSVG({ ...HALF, closed: Uint8Array.of(0, 1) }, { width: 40, height: 20 });
  assert.match(svg, /\nm0 10a10 10 0 0 1 10-10 10 10 0 0 1 10 10\n/);
  assert.match(svg, /\nm15 0a5 5 0 0 0-10 0 5 5 0 0 0 10 0z\n/);
});

test("toSVG's arcs are within the tolerance of their own", () => {
  for (const [options, most] of [
    [{ precision: 3 }, 0.0008],
    [{ tolerance: 0.01 }, 0.0101],
    [{ tolerance: 0.2 }, 0.202],
  ] as const)
    for (let seed = 1; seed <= 12; seed++) {
      const curves = { ...arcs(seed, 4), closed: new Uint8Array(4) };
      const read = readArcs(toSVG(curves, { width: 200, height: 200, ...options }));
      for (const [i, strokes] of strokesOf(curves).entries()) {
        const points = strokes.flatMap((stroke) => pointsOf(stroke, 300));
        const off = deviationOf(points.length > 0 ? points : [[0, 0]], read[i]!, 12);
        // chords of 300 points to an arc are off themselves
        const chord = Math.max(...strokes.map((stroke) => chordOf(stroke, 300)));
        assert.ok(off <= most + chord, `seed ${seed}, contour ${i}: ${off} off`);
      }
    }
});

function chordOf(stroke: Stroke, pieces: number): number {
  const radius = Math.hypot(stroke.from[0] - stroke.center[0], stroke.from[1] - stroke.center[1]);
  return stroke.turn === 0 ? 0 : radius * (1 - Math.cos(Math.PI / pieces));
}

test.run();
