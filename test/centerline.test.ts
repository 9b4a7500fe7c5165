import { type CenterlineOptions, type Centerlines, type Image, KerfworkError, traceCenterline } from "kerfwork";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { thinned } from "../src/engine/centerline.ts";
import { toBitmap } from "../src/engine/image.ts";
import { type Pointer, Stages, withEngine } from "../src/engine/memory.ts";
import { environment } from "../src/tasker/target.ts";
import { type Bits, bitsFrom, bitsOf } from "./oracle.ts";
import { alongOf, blobs, contoursOf, distanceTo, imageOf, noise, type Point, polylineOf, turned } from "./outline.ts";

/** One pixel is one millimetre. */
const PX = { dpi: 25.4 } as const;

interface Line {
  readonly points: Point[];
  readonly closed: boolean;
  readonly width: number;
  readonly segments: number;
}

const traceBits = (bits: Bits, options: CenterlineOptions = {}): Line[] => read(imageOf(bits), options);

function read(image: Image, options: CenterlineOptions = {}): Line[] {
  const lines = traceCenterline(image, { ...PX, ...options });
  return check(lines);
}

function check(lines: Centerlines): Line[] {
  const n = lines.ends.length;
  assert.is(lines.kinds.length, lines.ends.at(-1) ?? 0);
  assert.is(lines.depth.length, n);
  assert.is(lines.width.length, n);
  assert.is(lines.closed.length, n);
  assert.ok(lines.xy.every(Number.isFinite), "a coordinate is not finite");
  assert.ok(lines.width.every((width) => width > 0 && Number.isFinite(width)), "a width is not positive");
  const contours = contoursOf(lines);
  const used = contours.reduce((sum, { segments }) => sum + 1 + segments.reduce((s, q) => s + q.length - 1, 0), 0);
  assert.is(lines.xy.length, 2 * used);
  return contours.map((contour, i) => {
    const points = polylineOf(contour);
    const closed = lines.closed[i] === 1;
    if (closed) assert.equal(points[0], points.at(-1), "a ring ends where it began");
    return { points, closed, width: lines.width[i]!, segments: contour.segments.length };
  });
}

// --- the renderer: strokes of known axes and widths, 8 x 8 samples a pixel, cut at half ---

interface Pen {
  readonly axis: readonly Point[];
  readonly width: number;
}

function render(side: number, pens: readonly Pen[]): Bits {
  return bitsFrom(side, side, (x, y) =>
    pens.some(({ axis, width }) => {
      const far = distanceTo(axis, [x + 0.5, y + 0.5]);
      if (Math.abs(far - width / 2) > 0.8) return far < width / 2;
      let inside = 0;
      for (let j = 0; j < 64; j++)
        if (distanceTo(axis, [x + ((j & 7) + 0.5) / 8, y + ((j >> 3) + 0.5) / 8]) < width / 2) inside++;
      return inside >= 32;
    }),
  );
}

const SIDE = 110;
const MIDDLE = SIDE / 2;
const ray = (angleDeg: number, from: number, to: number, [x, y]: Point = [MIDDLE + 0.17, MIDDLE - 0.22]): Point[] => {
  const [cos, sin] = [Math.cos((angleDeg * Math.PI) / 180), Math.sin((angleDeg * Math.PI) / 180)];
  return [
    [x + from * cos, y + from * sin],
    [x + to * cos, y + to * sin],
  ];
};
const arc = (r: number, fromDeg: number, toDeg: number, [x, y]: Point = [MIDDLE + 0.17, MIDDLE - 0.22]): Point[] =>
  Array.from({ length: 91 }, (_, i) => {
    const angle = ((fromDeg + ((toDeg - fromDeg) * i) / 90) * Math.PI) / 180;
    return [x + r * Math.cos(angle), y + r * Math.sin(angle)];
  });

const gap = ([ax, ay]: Point, [bx, by]: Point): number => Math.hypot(ax - bx, ay - by);

/** Mean distances both ways, away from the ends of the axes; and the largest from the lines to the axes. */
function deviation(lines: readonly Line[], pens: readonly Pen[]): { there: number; back: number; most: number } {
  const ends = pens
    .filter(({ axis }) => gap(axis[0]!, axis.at(-1)!) > 0.1)
    .flatMap(({ axis, width }) => [axis[0]!, axis.at(-1)!].map((at) => ({ at, width })));
  const awake = (point: Point): boolean => ends.every(({ at, width }) => gap(at, point) > width / 2 + 1);
  const mean = (values: number[]): number => values.reduce((sum, v) => sum + v, 0) / Math.max(1, values.length);
  const nearest = (lists: (readonly Point[])[], point: Point): number =>
    Math.min(...lists.map((list) => distanceTo(list, point)));
  const axes = pens.map(({ axis }) => axis);
  const found = lines.map(({ points }) => points);
  const there = axes.flatMap((axis) => alongOf(axis, 0.5).filter(awake)).map((point) => nearest(found, point));
  const back = found.flatMap((points) => alongOf(points, 0.5).filter(awake)).map((point) => nearest(axes, point));
  const all = found.flatMap((points) => alongOf(points, 0.5)).map((point) => nearest(axes, point));
  return { there: mean(there), back: mean(back), most: Math.max(0, ...all) };
}

const WIDTHS = [2, 3, 4.5, 6, 9, 13, 20];
const ANGLES = [0, 7, 23, 45, 61, 90, 118, 160];

test("traceCenterline gives a bar its middle line", () => {
  const [line, ...others] = traceBits(bitsFrom(30, 12, (x, y) => x >= 3 && x < 27 && y >= 4 && y < 8));
  assert.is(others.length, 0);
  assert.is(line!.segments, 1);
  assert.is(line!.closed, false);
  assert.is(line!.width, 4);
  const [[ax, ay], [bx, by]] = [line!.points[0]!, line!.points.at(-1)!];
  assert.ok(Math.abs(ay - 6) < 1e-3 && Math.abs(by - 6) < 1e-3, `at ${ay}, ${by}`);
  assert.ok(Math.abs(Math.min(ax, bx) - 5) < 0.3 && Math.abs(Math.max(ax, bx) - 25) < 0.3, `from ${ax} to ${bx}`);
});

test("traceCenterline finds the axis of lines at any angle and width, and where they end", () => {
  for (const width of WIDTHS)
    for (const angle of ANGLES) {
      const pens = [{ axis: ray(angle, -34, 36), width }];
      const name = `width ${width} at ${angle} degrees`;
      const lines = traceBits(render(SIDE, pens));
      assert.is(lines.length, 1, `${name}: ${lines.length} lines`);
      const { there, back } = deviation(lines, pens);
      assert.ok(there <= 0.35 && back <= 0.35, `${name}: ${there.toFixed(2)} there, ${back.toFixed(2)} back`);
      assert.ok(Math.abs(lines[0]!.width - width) <= 0.6, `${name}: found width ${lines[0]!.width}`);
      for (const end of pens[0]!.axis)
        assert.ok(
          Math.min(gap(lines[0]!.points[0]!, end), gap(lines[0]!.points.at(-1)!, end)) <= Math.max(1, width / 2),
          `${name}: an end is off`,
        );
    }
});

test("traceCenterline closes rings, and follows arcs", () => {
  for (const width of WIDTHS)
    for (const [r, from, to] of [
      [14, 0, 360],
      [30, 0, 360],
      [41, 0, 360],
      [24, 20, 250],
      [40, -70, 100],
    ] as const) {
      const pens = [{ axis: arc(r, from, to), width }];
      const name = `width ${width}, radius ${r}, ${from} to ${to}`;
      const lines = traceBits(render(SIDE, pens));
      assert.is(lines.length, 1, `${name}: ${lines.length} lines`);
      assert.is(lines[0]!.closed, to - from === 360, name);
      const { there, back } = deviation(lines, pens);
      assert.ok(there <= 0.35 && back <= 0.35, `${name}: ${there.toFixed(2)} there, ${back.toFixed(2)} back`);
    }
});

test("traceCenterline goes straight through crossings", () => {
  for (const width of WIDTHS)
    for (const turn of [0, 17, 40])
      for (const angle of [90, 65, 45]) {
        const pens = [0, angle].map((between) => ({ axis: ray(turn + between, -42, 43), width }));
        const name = `width ${width}, ${angle} degrees, turned by ${turn}`;
        const lines = traceBits(render(SIDE, pens));
        assert.is(lines.length, 2, `${name}: ${lines.length} lines`);
        const { there, back, most } = deviation(lines, pens);
        assert.ok(there <= 0.35 && back <= 0.35, `${name}: ${there.toFixed(2)} there, ${back.toFixed(2)} back`);
        assert.ok(most <= Math.max(1.5, width / 2), `${name}: ${most.toFixed(2)} px off`);
      }
});

test("traceCenterline gives a T two strokes and a Y three, that meet", () => {
  for (const width of WIDTHS)
    for (const turn of [0, 11, 30, 45]) {
      const [x, y] = [MIDDLE + 0.17, MIDDLE - 0.22];
      for (const [letter, pens, count] of [
        ["T", [ray(turn, -40, 40), ray(turn + 90, 0, 42)], 2],
        ["Y", [ray(turn, 0, 40), ray(turn + 120, 0, 40), ray(turn + 240, 0, 40)], 3],
      ] as const) {
        const strokes = pens.map((axis) => ({ axis, width }));
        const name = `${letter} of width ${width}, turned by ${turn}`;
        const lines = traceBits(render(SIDE, strokes));
        assert.is(lines.length, count, `${name}: ${lines.length} lines`);
        const { there, back } = deviation(lines, strokes);
        assert.ok(there <= 0.35 && back <= 0.35, `${name}: ${there.toFixed(2)} there, ${back.toFixed(2)} back`);
        const at = Math.max(...lines.map(({ points }) => distanceTo(points, [x, y])));
        assert.ok(at <= Math.max(1, width / 4), `${name}: a line ends ${at.toFixed(2)} px before the others`);
      }
    }
});

test.run();
