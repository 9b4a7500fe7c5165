import { type Curves, type Image, type TraceOptions, trace } from "kerfwork";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { environment } from "../src/tasker/target.ts";
import { bitsFrom, random } from "./oracle.ts";
import {
  alongOf,
  areaOf,
  blobs,
  contoursOf,
  cracksOf,
  distanceTo,
  grayOf,
  imageOf,
  noise,
  type Point,
  polylineOf,
} from "./outline.ts";

/** One pixel is one millimetre, so that outlines can be read in px. */
const PX = { dpi: 25.4, despecklePx: 0, threshold: 128 } as const;
const MODES = ["curves", "polygons"] as const;

const linesOf = (image: Image, options: TraceOptions = {}): Point[][] =>
  contoursOf(trace(image, { ...PX, ...options })).map((contour) => polylineOf(contour));

type Inside = (x: number, y: number) => boolean;

/** A closed polygon as a shape, by the number of its sides to the right. */
const within =
  (corners: readonly Point[]): Inside =>
  (x, y) => {
    let inside = false;
    for (let i = 0, j = corners.length - 1; i < corners.length; j = i++) {
      const [[ax, ay], [bx, by]] = [corners[i]!, corners[j]!];
      if (ay > y !== by > y && x < ax + ((y - ay) / (by - ay)) * (bx - ax)) inside = !inside;
    }
    return inside;
  };

/** Corners around a place, one for each radius. */
const corners = (x: number, y: number, radii: readonly number[], angle: number): Point[] =>
  radii.map((radius, i) => {
    const turn = angle + (2 * Math.PI * i) / radii.length;
    return [x + radius * Math.cos(turn), y + radius * Math.sin(turn)];
  });

const round = (x: number, y: number, radius: number): Point[] =>
  corners(x, y, new Array<number>(Math.ceil(40 + 8 * radius)).fill(radius), 0);

interface Scene {
  readonly name: string;
  readonly side: number;
  /** The true outlines; the shape is what an odd number of them encloses. */
  readonly exact: readonly Point[][];
  readonly segments: number;
}

const SCENES: Scene[] = [
  ...[4, 7, 13, 31].map((r) => ({
    name: `circle of radius ${r}`,
    side: 2 * r + 8,
    exact: [round(r + 3.87, r + 4.31, r)],
    segments: 6,
  })),
  ...[2, 17, 31, 45].map((angle) => ({
    name: `square at ${angle} degrees`,
    side: 50,
    exact: [corners(25.3, 24.6, [21, 21, 21, 21], (angle * Math.PI) / 180)],
    segments: 5,
  })),
  { name: "ring", side: 60, exact: [round(29.6, 30.2, 24), round(29.6, 30.2, 17)], segments: 12 },
  {
    name: "star",
    side: 70,
    exact: [corners(34.7, 35.2, [32, 14.4, 32, 14.4, 32, 14.4, 32, 14.4, 32, 14.4], 0.3)],
    segments: 16,
  },
];

const drawn = ({ side, exact }: Scene): Image => {
  const parts = exact.map(within);
  return grayOf(side, side, (x, y) => parts.filter((part) => part(x, y)).length % 2 === 1);
};

/** Distances both ways between outlines, px, and how much too fat they are. */
function truth(lines: readonly Point[][], exact: readonly Point[][]) {
  const closed = exact.map((points) => [...points, points[0]!]);
  const way = (from: readonly Point[][], to: readonly Point[][]): number[] =>
    from.flatMap((points) =>
      alongOf(points, 0.4).map((point) => Math.min(...to.map((other) => distanceTo(other, point)))),
    );
  const [there, back] = [way(lines, closed), way(closed, lines)];
  const mean = (values: number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
  const p99 = (values: number[]): number =>
    [...values].sort((a, b) => a - b)[Math.floor(0.99 * values.length)]!;
  // the holes of the truth run the same way as its outsides
  const area = closed.reduce((sum, points, i) => sum + (i === 0 ? 1 : -1) * Math.abs(areaOf(points)), 0);
  const length = closed.reduce((sum, points) => sum + alongOf(points, 0.1).length * 0.1, 0);
  return {
    mean: (mean(there) + mean(back)) / 2,
    p99: Math.max(p99(there), p99(back)),
    bias: (lines.reduce((sum, points) => sum + areaOf(points), 0) - area) / length,
  };
}

test("trace places the sides of a rectangle where gray says, whatever the threshold near the middle", () => {
  // covers 0.7 of the column at 10, 0.4 of that at 30, 0.8 of the row at 5 and 0.1 of that at 25
  const cover = (at: number, from: number, to: number): number =>
    Math.max(0, Math.min(at + 1, to) - Math.max(at, from));
  for (const [dark, light] of [
    [0, 255],
    [40, 200],
  ] as const) {
    const data = Uint8Array.from({ length: 40 * 32 }, (_, i) => {
      const part = cover(i % 40, 10.3, 30.4) * cover(Math.floor(i / 40), 5.2, 25.1);
      return Math.round(light + part * (dark - light));
    });
    const middle = (dark + light) / 2;
    for (const mode of MODES)
      for (const threshold of [middle - 12, middle, middle + 12].map(Math.round)) {
        const image = { width: 40, height: 32, data };
        const [outline, ...others] = contoursOf(trace(image, { ...PX, mode, threshold }));
        assert.is(others.length, 0);
        assert.is(outline!.segments.length, 4, `${dark} to ${light}, ${mode}, ${threshold}`);
        const found = outline!.segments.map((segment) => segment[0]!);
        for (const [x, y] of [
          [10.3, 5.2],
          [30.4, 5.2],
          [30.4, 25.1],
          [10.3, 25.1],
        ] as const)
          assert.ok(
            found.some((point) => Math.hypot(point[0] - x, point[1] - y) < 0.08),
            `${dark} to ${light}, ${mode}, ${threshold}: no corner at ${x}, ${y}, but at ${found.join("; ")}`,
          );
      }
  }
});

test("trace draws gray shapes of known outline within a small part of a pixel", () => {
  for (const scene of SCENES) {
    const image = drawn(scene);
    const curves = trace(image, PX);
    const { mean, p99, bias } = truth(
      contoursOf(curves).map((contour) => polylineOf(contour)),
      scene.exact,
    );
    assert.is(curves.ends.length, scene.exact.length, scene.name);
    assert.ok(mean <= 0.06, `${scene.name}: mean ${mean.toFixed(3)} px`);
    assert.ok(p99 <= 0.5, `${scene.name}: p99 ${p99.toFixed(3)} px`);
    assert.ok(Math.abs(bias) <= 0.025, `${scene.name}: bias ${bias.toFixed(3)} px`);
    assert.ok(curves.kinds.length <= scene.segments, `${scene.name}: ${curves.kinds.length} segments`);
    const blind = truth(linesOf(image, { subpixel: false }), scene.exact);
    assert.ok(
      mean < blind.mean,
      `${scene.name}: ${mean.toFixed(3)} px, ${blind.mean.toFixed(3)} without gray`,
    );
  }
});

/** Waves that no turn or mirror leaves as they are, cut by the frame. */
const WAVES: Inside = (x, y) =>
  Math.sin(x / 6.3 + y / 17) + Math.cos(y / 7.1 - x / 23) + 0.4 * Math.sin((x + 2 * y) / 11) > 0.3;

test("trace gives the mirror image of a mirrored gray picture, and so when turned", () => {
  const [width, height] = [90, 71];
  const image = grayOf(width, height, WAVES);
  const nodes = (curves: Curves): Point[] =>
    contoursOf(curves).flatMap(({ segments }) => segments.map((segment) => segment[0]!));
  for (const mode of MODES) {
    const ours = nodes(trace(image, { ...PX, mode }));
    for (const how of ["mirror", "rotate", "transpose"] as const) {
      const w = how === "mirror" ? width : height;
      const h = how === "mirror" ? height : width;
      const to = (x: number, y: number): Point =>
        how === "mirror" ? [width - x, y] : how === "rotate" ? [y, height - x] : [y, x];
      const data = Uint8Array.from({ length: w * h }, (_, i) => {
        const [x, y] = to((i % w) + 0.5, Math.floor(i / w) + 0.5);
        return image.data[(y - 0.5) * width + (x - 0.5)]!;
      });
      const theirs = nodes(trace({ width: w, height: h, data }, { ...PX, mode })).map(([x, y]) => to(x, y));
      assert.is(theirs.length, ours.length, `${how} ${mode}`);
      for (const [x, y] of ours)
        assert.ok(
          theirs.some((point) => Math.hypot(point[0] - x, point[1] - y) < 1e-4),
          `${how} ${mode}: no node at ${x}, ${y}`,
        );
    }
    const negative = { width, height, data: image.data.map((gray) => 255 - gray) };
    assert.equal(nodes(trace(negative, { ...PX, mode, invert: true })), ours, `negative, ${mode}`);
  }
});

test("trace gives pictures of two grays the same outlines with subpixel and without", () => {
  const pictures: [string, Image][] = [
    ["blobs", imageOf(blobs(3, 90, 80, 25))],
    ["noise", imageOf(noise(5, 60, 60, 0.5))],
    ["hatch", imageOf(bitsFrom(80, 70, (x, y) => (3 * x + 7 * y) % 31 < 9))],
    ["comb", imageOf(bitsFrom(65, 20, (x, y) => y === 0 || x % 2 === 0))],
  ];
  for (const [name, { width, height, data }] of pictures)
    for (const [dark, light] of [
      [0, 255],
      [90, 180],
    ] as const)
      for (const threshold of [dark + 1, light, "otsu"] as const) {
        const image = { width, height, data: data.map((gray) => (gray === 0 ? dark : light)) };
        const [blind, ...others] = ([false, "auto", true] as const).map((subpixel) =>
          trace(image, { ...PX, threshold, subpixel }),
        );
        for (const other of others) assert.equal(other, blind, `${name}, ${dark}, ${light}, ${threshold}`);
      }
});

test("trace leaves noise to its stairs, unless told otherwise, and never changes what there is", () => {
  const next = random(9);
  const data = Uint8Array.from({ length: 90 * 80 }, () => 256 * next());
  const image = { width: 90, height: 80, data };
  const pixels = trace(image, { ...PX, mode: "pixels" });
  for (const mode of MODES) {
    const [blind, auto, always] = ([false, "auto", true] as const).map((subpixel) =>
      trace(image, { ...PX, mode, subpixel }),
    );
    assert.equal([...auto!.depth], [...pixels.depth]);
    assert.equal([...always!.depth], [...pixels.depth]);
    assert.ok(
      auto!.kinds.length < 1.02 * blind!.kinds.length,
      `${auto!.kinds.length}, ${blind!.kinds.length}`,
    );
    assert.not.equal(always!.xy, blind!.xy);
  }
});

test("trace in pixel mode knows no gray", () => {
  const image = grayOf(60, 50, WAVES);
  const plain = trace(image, { ...PX, mode: "pixels", subpixel: false });
  assert.equal(trace(image, { ...PX, mode: "pixels", subpixel: true }), plain);
});

test("trace keeps gray shapes inside the picture, and on its frame what the frame cuts", () => {
  const image = grayOf(70, 60, (x, y) => WAVES(x, y) || x < 1.4);
  for (const subpixel of ["auto", true] as const) {
    const { xy } = trace(image, { ...PX, subpixel, mode: "polygons", tolerance: 0 });
    let onFrame = 0;
    for (let i = 0; i < xy.length; i += 2) {
      const [x, y] = [xy[i]!, xy[i + 1]!];
      assert.ok(x > -0.05 && y > -0.05 && x < 70.05 && y < 60.05, `${x}, ${y}`);
      if (Math.min(Math.abs(x), Math.abs(y), Math.abs(70 - x), Math.abs(60 - y)) < 0.02) onFrame++;
    }
    assert.ok(onFrame >= 8, `${onFrame} points on the frame`);
  }
  for (const value of [0, 127, 128, 255]) {
    const one = { width: 1, height: 1, data: Uint8Array.of(value) };
    assert.is(trace(one, { ...PX, subpixel: true }).ends.length, value < 128 ? 1 : 0);
  }
  // a ramp has one border and no plateau: it runs where gray crosses the threshold
  const ramp = { width: 64, height: 12, data: Uint8Array.from({ length: 768 }, (_, i) => 4 * (i % 64)) };
  const right = Math.max(...linesOf(ramp, { subpixel: true, threshold: 103 })[0]!.map(([x]) => x));
  assert.ok(Math.abs(right - (0.5 + 102.5 / 4)) < 0.02, `${right}`);
});

test("trace stays within the tolerance, half a pixel and what gray moves, both ways", () => {
  const next = random(12);
  const data = Uint8Array.from({ length: 40 * 30 }, () => 256 * next());
  for (const image of [grayOf(60, 50, WAVES), { width: 40, height: 30, data }]) {
    const borders = contoursOf(trace(image, { ...PX, mode: "pixels" })).map((contour) => polylineOf(contour));
    for (const mode of MODES)
      for (const tolerance of [0, 0.5, 2]) {
        const lines = linesOf(image, { mode, tolerance, subpixel: true });
        const bound = tolerance + 0.5 + 0.75;
        for (const [i, border] of borders.entries()) {
          const middles = cracksOf(border);
          middles.push(middles[0]!);
          for (const crack of middles)
            assert.ok(distanceTo(lines[i]!, crack) <= bound, `${mode}, ${tolerance}`);
          for (const point of alongOf(lines[i]!, 0.5))
            assert.ok(distanceTo(middles, point) <= bound, `${mode}, ${tolerance}`);
        }
      }
  }
});

/** Whether two closed polylines cross. */
function cross(a: readonly Point[], b: readonly Point[]): boolean {
  const side = ([px, py]: Point, [qx, qy]: Point, [x, y]: Point): number =>
    (qx - px) * (y - py) - (qy - py) * (x - px);
  for (let i = 0; i + 1 < a.length; i++)
    for (let j = 0; j + 1 < b.length; j++) {
      const [p, q, r, s] = [a[i]!, a[i + 1]!, b[j]!, b[j + 1]!];
      if (side(p, q, r) * side(p, q, s) < 0 && side(r, s, p) * side(r, s, q) < 0) return true;
    }
  return false;
}

test("trace keeps outlines of thin gray lines and narrow gaps apart", () => {
  for (const angle of [0, 4, 27, 45, 68])
    for (const [line, gap] of [
      [1.3, 1.5],
      [2.2, 1.2],
      [3, 3],
    ] as const) {
      const [cos, sin] = [Math.cos((angle * Math.PI) / 180), Math.sin((angle * Math.PI) / 180)];
      const image = grayOf(48, 40, (x, y) => {
        const [u, v] = [(x - 24) * cos + (y - 20) * sin, (y - 20) * cos - (x - 24) * sin];
        const at = (v + 100) % (line + gap);
        return Math.abs(u) < 15 && Math.abs(v) < 12 && at < line;
      });
      const lines = linesOf(image);
      assert.is(lines.length, trace(image, { ...PX, mode: "pixels" }).ends.length);
      for (let i = 0; i < lines.length; i++)
        for (let j = 0; j < i; j++)
          assert.not(cross(lines[i]!, lines[j]!), `lines of ${line}, gaps of ${gap}, at ${angle} degrees`);
    }
});

test("trace leaves with CANCELED while it measures gray", () => {
  const image = grayOf(300, 200, (x, y) => Math.sin(x) + Math.sin(y * 0.9) > 0.2);
  const around = environment();
  const { reporter } = around;
  let stages = 0;
  around.reporter = { beginStage: () => stages++, isCancelled: () => false };
  try {
    trace(image, { ...PX, subpixel: true });
    const all = stages;
    stages = 0;
    around.reporter = { beginStage: () => stages++, isCancelled: () => stages === all };
    assert.throws(
      () => trace(image, { ...PX, subpixel: true }),
      (error: { code: string }) => error.code === "CANCELED",
    );
  } finally {
    around.reporter = reporter;
  }
});

test.run();
