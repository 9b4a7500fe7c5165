import { type TraceOptions, trace } from "kerfwork";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { type Bits, bitsFrom } from "./oracle.ts";
import {
  alongOf,
  areaOf,
  type Contour,
  contoursOf,
  distanceTo,
  imageOf,
  type Point,
  polylineOf,
  turned,
} from "./outline.ts";

// What becomes of shapes whose true outlines are known, and of borders that are hard on the order of the work.

const MODES = ["curves", "polygons"] as const;

/** One pixel is one millimetre, so that outlines can be read in px. */
const contoursIn = (bits: Bits, options: TraceOptions = {}): Contour[] =>
  contoursOf(trace(imageOf(bits), { dpi: 25.4, despecklePx: 0, ...options }));

const disc = (side: number, cx: number, cy: number, r: number): Bits =>
  bitsFrom(side, side, (x, y) => (x + 0.5 - cx) ** 2 + (y + 0.5 - cy) ** 2 < r * r);

test("trace draws a circle with few cubics that stay near it all around", () => {
  let sum = 0;
  let count = 0;
  let far = 0;
  for (let k = 0; k < 60; k++) {
    const r = 4 * 30 ** (k / 59);
    const side = Math.ceil(2 * r + 6);
    const [cx, cy] = [side / 2 + ((k * 0.377) % 1) - 0.5, side / 2 + ((k * 0.731) % 1) - 0.5];
    const [contour, ...others] = contoursIn(disc(side, cx, cy, r));
    assert.is(others.length, 0);
    assert.ok(contour!.segments.length <= 8, `r ${r.toFixed(1)}: ${contour!.segments.length} segments`);
    let worst = 0;
    for (const [x, y] of alongOf(polylineOf(contour!), 0.2)) {
      const off = Math.abs(Math.hypot(x - cx, y - cy) - r);
      worst = Math.max(worst, off);
      sum += off;
      count++;
    }
    // within the tolerance of the pixels' edges, which are half a pixel off the circle at most
    assert.ok(worst < 1.5, `r ${r.toFixed(1)}: ${worst.toFixed(2)} px off`);
    if (worst > 0.75) far++;
  }
  assert.ok(far <= 6, `${far} of 60 circles more than 0.75 px off somewhere`);
  assert.ok(sum / count < 0.11, `${(sum / count).toFixed(3)} px off on average`);
});

test("trace gives a turned square its four sides, and corners where they meet", () => {
  let extra = 0;
  for (let k = 0; k < 12; k++) {
    const half = 6 * 10 ** (k / 11);
    const angle = ((1.7 + 7.3 * k) * Math.PI) / 180;
    const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
    const side = Math.ceil(half * 2.9 + 6);
    const [cx, cy] = [side / 2 + 0.21, side / 2 - 0.34];
    const bits = bitsFrom(side, side, (px, py) => {
      const [x, y] = [px + 0.5 - cx, py + 0.5 - cy];
      return Math.max(Math.abs(x * cos + y * sin), Math.abs(y * cos - x * sin)) < half;
    });
    const truth = [1, 3, 5, 7, 9].map((eighth): Point => {
      const [x, y] = [
        Math.SQRT2 * Math.cos((eighth * Math.PI) / 4),
        Math.SQRT2 * Math.sin((eighth * Math.PI) / 4),
      ];
      return [cx + half * (x * cos - y * sin), cy + half * (x * sin + y * cos)];
    });
    const [contour] = contoursIn(bits);
    const nodes = contour!.segments.map((segment) => segment[0]!);
    extra += nodes.length - 4;
    for (const [x, y] of truth)
      assert.ok(
        nodes.some((node) => Math.hypot(node[0] - x, node[1] - y) < 1.2),
        `side ${(2 * half).toFixed(0)}: no corner near ${x.toFixed(1)}, ${y.toFixed(1)}`,
      );
    for (const point of alongOf(polylineOf(contour!), 0.2))
      assert.ok(distanceTo(truth, point) < 0.75, `side ${(2 * half).toFixed(0)}: ${point} is off`);
  }
  assert.ok(extra <= 2, `${extra} segments more than sides`);
});

test("trace gives the mirror image of a mirrored picture, however late both ways around it begin to differ", () => {
  // discs whose eight-fold symmetry is broken by one pixel of their border
  for (const [notchX, notchY] of [
    [0, 12],
    [2, 7],
    [26, 21],
  ] as const) {
    const round = disc(29, 14.5, 14.5, 14.2);
    const bits = bitsFrom(31, 31, (x, y) => {
      const [ix, iy] = [x - 1, y - 1];
      if (ix < 0 || iy < 0 || ix >= 29 || iy >= 29) return false;
      return round.black[iy * 29 + ix] === 1 && !(ix === notchX && iy === notchY);
    });
    for (const how of ["mirror", "rotate", "transpose"] as const)
      for (const mode of MODES) {
        const back = ([x, y]: Point): Point =>
          how === "mirror" ? [bits.width - x, y] : how === "rotate" ? [y, bits.height - x] : [y, x];
        const nodes = (contours: Contour[]): Point[] =>
          contours.flatMap(({ segments }) => segments.map((segment) => segment[0]!));
        const ours = nodes(contoursIn(bits, { mode }));
        const theirs = nodes(contoursIn(turned(bits, how), { mode })).map(back);
        assert.is(theirs.length, ours.length, `${how} ${mode}`);
        for (const [x, y] of ours)
          assert.ok(
            theirs.some((point) => Math.hypot(point[0] - x, point[1] - y) < 1e-4),
            `${how} ${mode}: no node at ${x}, ${y}`,
          );
      }
  }
});

test("trace follows long borders, jagged and repeated ones, and keeps their area", () => {
  // one border of 800 000 corners, and one that looks the same from either end
  const comb = bitsFrom(900, 900, (x, y) => y === 0 || (x + (y & 1)) % 4 < 2);
  const stairs = bitsFrom(3000, 1500, (x, y) => Math.abs(x - 2 * y) < 300 && x > 300 && x < 2700);
  for (const [name, bits] of [
    ["comb", comb],
    ["stairs", stairs],
  ] as const)
    for (const mode of MODES) {
      const contours = contoursIn(bits, { mode });
      const black = bits.black.reduce((sum, b) => sum + b, 0);
      const area = contours.reduce((sum, contour) => sum + areaOf(polylineOf(contour, 8)), 0);
      assert.ok(Math.abs(area / black - 1) < 0.02, `${name}, ${mode}: ${area} of ${black} px^2`);
    }
});

test("trace follows the tangle of a dithered picture, all of it", () => {
  // error diffusion after Floyd and Steinberg over slow waves: somewhere in it, two walks differ by more than a side is long
  const size = 1000;
  const data = new Uint8Array(size * size);
  let below = new Float64Array(size + 2);
  for (let y = 0, i = 0; y < size; y++) {
    const errors = below;
    below = new Float64Array(size + 2);
    for (let x = 0; x < size; x++, i++) {
      const tone = 0.5 + 0.24 * Math.sin(x / 97 + y / 211) + 0.24 * Math.sin(y / 83 - x / 307);
      const want = tone + errors[x + 1]!;
      data[i] = want < 0.5 ? 0 : 255;
      const error = want - data[i]! / 255;
      errors[x + 2]! += (7 / 16) * error;
      below[x]! += (3 / 16) * error;
      below[x + 1]! += (5 / 16) * error;
      below[x + 2]! += (1 / 16) * error;
    }
  }
  const picture = { width: size, height: size, data };
  const count = (options: TraceOptions): number =>
    trace(picture, { threshold: 128, despecklePx: 0, ...options }).ends.length;
  const borders = count({ mode: "pixels" });
  assert.ok(borders > 150_000);
  for (const mode of MODES) assert.is(count({ mode }), borders, mode);
});

test.run();
