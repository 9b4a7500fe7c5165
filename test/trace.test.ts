import { type Curves, KerfworkError, type TraceOptions, trace } from "kerfwork";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { environment } from "../src/tasker/target.ts";
import { type Bits, bitsFrom, bitsOf } from "./oracle.ts";
import {
  alongOf,
  areaOf,
  blobs,
  type Contour,
  contoursOf,
  cracksOf,
  distanceTo,
  imageOf,
  noise,
  type Point,
  polylineOf,
  rasterOf,
  turned,
} from "./outline.ts";

/** One pixel is one millimetre, so that outlines can be read in px. */
const PX = { dpi: 25.4, despecklePx: 0 } as const;
const MODES = ["curves", "polygons"] as const;

const traceBits = (bits: Bits, options: TraceOptions = {}): Curves =>
  trace(imageOf(bits), { ...PX, ...options });
const pixelsOf = (bits: Bits, turn: TraceOptions["turn"] = "white"): Point[][] =>
  contoursOf(traceBits(bits, { mode: "pixels", turn })).map((contour) => polylineOf(contour));

function check(curves: Curves): Contour[] {
  assert.is(curves.kinds.length, curves.ends.at(-1) ?? 0);
  assert.is(curves.depth.length, curves.ends.length);
  assert.ok(curves.xy.every(Number.isFinite), "a coordinate is not finite");
  const contours = contoursOf(curves);
  for (const { segments } of contours) {
    assert.ok(segments.length >= 2, `a contour of ${segments.length} segments`);
    assert.equal(segments[0]![0], segments.at(-1)!.at(-1));
  }
  return contours;
}

/** Largest distances, px: from the middles of the border's steps to the outline, and from the outline to the line through them. */
function deviation(bits: Bits, options: TraceOptions): [number, number] {
  const borders = pixelsOf(bits, options.turn);
  const contours = check(traceBits(bits, options));
  assert.is(contours.length, borders.length);
  let there = 0;
  let back = 0;
  for (const [i, border] of borders.entries()) {
    const outline = polylineOf(contours[i]!);
    const middles = cracksOf(border);
    middles.push(middles[0]!);
    for (const crack of middles) there = Math.max(there, distanceTo(outline, crack));
    for (const point of alongOf(outline, 0.25)) back = Math.max(back, distanceTo(middles, point));
  }
  return [there, back];
}

const disc = (r: number, x = 0, y = 0): Bits => {
  const side = Math.ceil(2 * r + 6);
  return bitsFrom(
    side,
    side,
    (px, py) => (px + 0.5 - side / 2 - x) ** 2 + (py + 0.5 - side / 2 - y) ** 2 < r * r,
  );
};

/** A rectangle of w x h, turned by an angle, in the middle of a square picture. */
const slanted = (w: number, h: number, angleDeg: number): Bits => {
  const side = Math.ceil(Math.hypot(w, h) + 6);
  const [cos, sin] = [Math.cos((angleDeg * Math.PI) / 180), Math.sin((angleDeg * Math.PI) / 180)];
  return bitsFrom(side, side, (px, py) => {
    const [x, y] = [px + 0.5 - side / 2 - 0.17, py + 0.5 - side / 2 + 0.29];
    return Math.abs(x * cos + y * sin) < w / 2 && Math.abs(y * cos - x * sin) < h / 2;
  });
};

const countOf = ({ black }: Bits): number => black.reduce((sum, b) => sum + b, 0);
const areaIn = (contours: readonly Contour[]): number =>
  contours.reduce((sum, contour) => sum + areaOf(polylineOf(contour)), 0);

test("trace gives a square its four corners, on whole pixels, in every mode and size", () => {
  for (const mode of ["curves", "polygons", "pixels"] as const)
    for (const side of [1, 2, 3, 4, 5, 7, 10, 63, 64, 65, 300]) {
      const bits = bitsFrom(side + 4, side + 4, (x, y) => x > 1 && y > 1 && x < side + 2 && y < side + 2);
      const [contour, ...others] = check(traceBits(bits, { mode }));
      assert.is(others.length, 0);
      const corners = contour!.segments.map((segment) => segment[0]!.join());
      const [a, b] = [2, side + 2];
      assert.equal(
        corners.sort(),
        [`${a},${a}`, `${a},${b}`, `${b},${a}`, `${b},${b}`].sort(),
        `${mode} ${side}`,
      );
    }
});

test("trace keeps the corners of an L, and lines between them", () => {
  const bits = bitsFrom(40, 40, (x, y) => x >= 4 && y >= 3 && y < 35 && x < (y < 20 ? 14 : 33));
  for (const mode of MODES) {
    const [contour] = check(traceBits(bits, { mode }));
    assert.equal(
      contour!.segments.map((segment) => segment[0]!.join()).sort(),
      ["14,20", "14,3", "33,20", "33,35", "4,3", "4,35"],
      mode,
    );
    assert.ok(contour!.segments.every((segment) => segment.length === 2));
  }
});

test("trace keeps the square ends of lines one pixel wide", () => {
  const cornersOf = (bits: Bits, mode: (typeof MODES)[number]): string[] =>
    check(traceBits(bits, { mode }))[0]!.segments.map((segment) => segment[0]!.join());
  const bend = bitsFrom(30, 30, (x, y) => x === 0 || y === 29);
  const plus = bitsFrom(21, 21, (x, y) => x === 10 || y === 10);
  for (const mode of MODES) {
    assert.equal(cornersOf(bend, mode).sort(), ["0,0", "0,30", "1,0", "1,29", "30,29", "30,30"]);
    assert.is(cornersOf(plus, mode).length, 12);
    assert.ok(
      ["10,0", "11,0", "0,10", "0,11", "21,10", "21,11", "10,21", "11,21"].every((corner) =>
        cornersOf(plus, mode).includes(corner),
      ),
    );
  }
  const comb = bitsFrom(100, 60, (x, y) => y === 0 || x % 2 === 0);
  assert.ok(Math.abs(areaIn(check(traceBits(comb))) - countOf(comb)) < 2);
});

test("trace gives a slanted rectangle four straight sides", () => {
  for (const angle of [0, 7, 17, 26.5, 33, 45, 61, 85]) {
    const [contour] = check(traceBits(slanted(90, 60, angle)));
    assert.is(contour!.segments.length, 4, `at ${angle} degrees`);
    assert.ok(
      contour!.segments.every((segment) => segment.length === 2),
      `at ${angle} degrees`,
    );
  }
});

test("trace draws discs with few cubics, and neither grows nor shrinks them", () => {
  const biases: Record<string, number[]> = { curves: [], polygons: [] };
  for (let r = 3; r <= 60; r += r < 12 ? 0.5 : 3)
    for (const [x, y] of [
      [0.31, -0.22],
      [0.13, 0.4],
      [-0.27, 0.08],
    ] as const)
      for (const mode of MODES) {
        const bits = disc(r, x, y);
        const contours = check(traceBits(bits, { mode }));
        const bias = (areaIn(contours) - countOf(bits)) / (2 * Math.PI * r);
        biases[mode]!.push(bias);
        assert.ok(Math.abs(bias) <= 0.15, `${mode} r ${r} at ${x}, ${y}: bias ${bias.toFixed(3)} px`);
        if (mode === "curves") assert.ok(contours[0]!.segments.length <= 12, `r ${r} at ${x}, ${y}`);
      }
  for (const mode of MODES) {
    const mean = biases[mode]!.reduce((sum, bias) => sum + bias, 0) / biases[mode]!.length;
    assert.ok(Math.abs(mean) <= 0.03, `${mode}: mean bias ${mean.toFixed(3)} px`);
  }
});

test("trace keeps the area of rings and of their negatives", () => {
  for (const r of [8, 15, 31, 50]) {
    const outer = disc(r, 0.31, -0.22);
    const inner = disc(r * 0.6, 0.31, -0.22);
    const offset = (outer.width - inner.width) / 2;
    const ring = bitsFrom(outer.width, outer.height, (x, y) => {
      const [ix, iy] = [x - Math.round(offset), y - Math.round(offset)];
      const inside = ix >= 0 && iy >= 0 && ix < inner.width && iy < inner.height;
      return outer.black[y * outer.width + x] === 1 && !(inside && inner.black[iy * inner.width + ix] === 1);
    });
    const length = 2 * Math.PI * r * 1.6;
    const black = check(traceBits(ring));
    assert.equal(
      black.map((contour) => contour.depth),
      [0, 1],
    );
    assert.ok(Math.abs(areaIn(black) - countOf(ring)) / length <= 0.05, `ring ${r}`);
    const white = check(traceBits(ring, { invert: true }));
    assert.equal(
      white.map((contour) => contour.depth),
      [0, 1, 2],
    );
    assert.ok(
      Math.abs(areaIn(white) + areaIn(black) - ring.width * ring.height) < 1e-2,
      `negative of ring ${r}`,
    );
  }
});

test("trace in pixel mode gives back every pixel", () => {
  for (const [seed, width, height] of [
    [1, 63, 40],
    [2, 64, 33],
    [3, 65, 65],
    [4, 1, 90],
    [5, 90, 1],
  ] as const)
    for (const bits of [blobs(seed, width, height, 20), noise(seed, width, height, 0.5)]) {
      for (const turn of ["white", "black", "majority", "minority"] as const)
        assert.equal(rasterOf(pixelsOf(bits, turn), width, height), bits.black);
    }
});

test("trace stays within the tolerance and half a pixel, both ways", () => {
  const cases: [string, Bits][] = [];
  for (const scale of [8, 15, 30, 60]) cases.push([`blobs of ${scale} px`, blobs(scale, 72, 61, scale)]);
  for (const chance of [0.2, 0.5, 0.8]) cases.push([`noise of ${chance}`, noise(7, 26, 26, chance)]);
  for (const angle of [3, 22, 45, 71]) cases.push([`slanted bar at ${angle}`, slanted(70, 4, angle)]);
  for (const [name, bits] of cases)
    for (const mode of MODES)
      for (const tolerance of [0, 0.1, 0.5, 2]) {
        const [there, back] = deviation(bits, { mode, tolerance });
        const bound = tolerance + 0.5;
        assert.ok(
          there <= bound,
          `${name}, ${mode}, tolerance ${tolerance}: border ${there.toFixed(3)} px off`,
        );
        assert.ok(
          back <= bound,
          `${name}, ${mode}, tolerance ${tolerance}: outline ${back.toFixed(3)} px off`,
        );
      }
});

test("trace stays within the tolerance and half a pixel when black joins, on thin lines above all", () => {
  const lines = bitsFrom(60, 60, (x, y) => [x - y, x + y - 59, x - 2 * y, x - y - 30].includes(0));
  for (const turn of ["black", "majority", "minority"] as const)
    for (const bits of [lines, noise(8, 30, 30, 0.5), bitsFrom(20, 20, (x, y) => (x + y) % 2 === 0)])
      for (const mode of MODES)
        for (const off of deviation(bits, { mode, turn, tolerance: 0.5 }))
          assert.ok(off <= 1, `${turn}, ${mode}: ${off.toFixed(3)} px off`);
});

test("trace gives the mirror image of a mirrored picture, and so when turned", () => {
  for (const seed of [1, 2, 3, 4, 5, 6]) {
    const bits = blobs(seed, 120, 97, 45);
    for (const how of ["mirror", "rotate", "transpose"] as const)
      for (const mode of MODES) {
        const plain = traceBits(bits, { mode });
        const other = traceBits(turned(bits, how), { mode });
        const back = ([x, y]: Point): Point =>
          how === "mirror" ? [bits.width - x, y] : how === "rotate" ? [y, bits.height - x] : [y, x];
        const nodes = (curves: Curves, map: (point: Point) => Point): Point[] =>
          contoursOf(curves).flatMap(({ segments }) => segments.map((segment) => map(segment[0]!)));
        const [ours, theirs] = [nodes(plain, (p) => p), nodes(other, back)];
        assert.is(theirs.length, ours.length, `${seed} ${how} ${mode}`);
        for (const [x, y] of ours)
          assert.ok(
            theirs.some((point) => Math.hypot(point[0] - x, point[1] - y) < 1e-4),
            `${seed} ${how} ${mode}: no node at ${x}, ${y}`,
          );
      }
  }
});

test("trace takes the smallest and the fullest pictures", () => {
  assert.equal(traceBits(bitsOf("."), {}).ends, new Uint32Array(0));
  for (const bits of [
    bitsOf("#"),
    bitsOf("##"),
    bitsOf("#", "#"),
    bitsOf("###########"),
    bitsOf("#.", ".#"),
    bitsOf("##", ".#"),
    bitsOf("###", "#.#", "###"),
    bitsFrom(65, 64, () => true),
    bitsFrom(33, 31, (x, y) => (x + y) % 2 === 0),
    bitsFrom(30, 30, (x, y) => x !== y),
    bitsFrom(30, 30, (x, y) => Math.abs(x - y) <= 1),
    bitsFrom(50, 50, (x, y) => (7 * x + 3 * y) % 60 < 30),
    bitsFrom(60, 20, (x, y) => y === 0 || x % 2 === 0),
  ])
    for (const mode of MODES) {
      const contours = check(traceBits(bits, { mode }));
      assert.is(contours.length, pixelsOf(bits).length);
      for (const contour of contours)
        assert.ok(Math.abs(areaOf(polylineOf(contour))) > 0.2, `${mode}: no area`);
    }
});

test("trace reports progress that only grows, from nothing to the whole", () => {
  const seen: number[] = [];
  const around = environment();
  const { reporter } = around;
  around.reporter = {
    beginStage: (base, span) => seen.push(base, base + span),
    isCancelled: () => false,
  };
  try {
    const { width, height, data } = imageOf(noise(1, 1000, 700, 0.5));
    const rgba = Uint8Array.from({ length: 4 * data.length }, (_, i) => (i % 4 === 3 ? 255 : data[i >> 2]!));
    trace({ width, height, data: rgba });
  } finally {
    around.reporter = reporter;
  }
  assert.ok(seen.length >= 20, `${seen.length} values`);
  assert.is(seen[0], 0);
  for (let i = 1; i < seen.length; i++)
    assert.ok(seen[i]! >= seen[i - 1]! - 1e-12, `${seen[i - 1]}, ${seen[i]}`);
  assert.ok(Math.abs(seen.at(-1)! - 1) < 1e-9, `ends at ${seen.at(-1)}`);
});

test("trace leaves with CANCELED", () => {
  const around = environment();
  const { reporter } = around;
  let stages = 0;
  around.reporter = { beginStage: () => stages++, isCancelled: () => stages === 3 };
  try {
    traceBits(noise(1, 1000, 700, 0.5));
    assert.unreachable();
  } catch (error) {
    assert.is((error as KerfworkError).code, "CANCELED");
  } finally {
    around.reporter = reporter;
  }
  assert.is(stages, 3);
});

test("trace measures in millimetres of the given dpi", () => {
  const bits = bitsFrom(30, 30, (x, y) => x >= 10 && y >= 5 && x < 20 && y < 25);
  const corners = (dpi?: number): string =>
    contoursOf(trace(imageOf(bits), { ...(dpi ? { dpi } : {}) }))[0]!
      .segments.map((segment) => segment[0]!.map((v) => v.toFixed(4)).join())
      .sort()
      .join(" ");
  assert.is(corners(), "1.0000,0.5000 1.0000,2.5000 2.0000,0.5000 2.0000,2.5000");
  assert.is(corners(127), "2.0000,1.0000 2.0000,5.0000 4.0000,1.0000 4.0000,5.0000");
});

test("trace drops specks by default", () => {
  const bits = bitsOf("#.##....", "....####", "..#.#.#.", "....####");
  assert.is(trace(imageOf(bits)).ends.length, 2);
  assert.is(trace(imageOf(bits), { despecklePx: 0 }).ends.length, 5);
});

test("trace parts or joins what touches by a corner as `turn` says, after `invert`", () => {
  const bits = bitsOf("......", ".##...", ".##...", "...##.", "...##.", "......");
  const count = (options: TraceOptions): number => trace(imageOf(bits), options).ends.length;
  assert.is(count({}), 2);
  assert.is(count({ turn: "white" }), 2);
  assert.is(count({ turn: "black" }), 1);
  assert.is(count({ turn: "majority" }), 2);
  assert.is(count({ turn: "minority" }), 1);
  // white is traced, with the frame's outside as its ground: two holes or one
  assert.is(count({ invert: true, turn: "black" }), 3);
  assert.is(count({ invert: true, turn: "white" }), 2);
});

test("trace despeckles black and white alike, by what a border encloses", () => {
  // a block of 8 x 8 with holes of 4 and 2 pixels, a speck of 3 beside it, and a ring of 8 pixels around 1
  const bits = bitsFrom(24, 10, (x, y) => {
    if (x < 8 && y < 8) return !(x >= 1 && x < 3 && y >= 1 && y < 3) && !(x >= 5 && x < 7 && y === 5);
    if (x >= 10 && x < 13 && y === 2) return true;
    return x >= 15 && x < 18 && y < 3 && !(x === 16 && y === 1);
  });
  const kept = (despecklePx: number): number[] => [...trace(imageOf(bits), { despecklePx }).depth];
  // block, ring, hole of 4, hole of the ring, speck, hole of 2
  assert.equal(kept(0), [0, 0, 1, 1, 0, 1]);
  assert.equal(kept(2), [0, 0, 1, 0, 1]);
  assert.equal(kept(3), [0, 0, 1, 0]);
  assert.equal(kept(4), [0, 0, 1]);
  assert.equal(kept(5), [0, 0]);
  assert.equal(kept(9), [0, 0]);
  assert.equal(kept(10), [0]);
  assert.equal(kept(65), []);
});

test("trace takes the shape of a white drawing on nothing, and faint strokes in uneven light", () => {
  const ring = bitsFrom(40, 40, (x, y) => Math.abs(Math.hypot(x - 19.5, y - 19.5) - 12) < 4);
  const expected = traceBits(ring);
  assert.is(expected.ends.length, 2);
  const white = new Uint8Array(4 * 1600).fill(255);
  for (const [i, black] of ring.black.entries()) white[4 * i + 3] = black * 255;
  const image = { width: 40, height: 40, data: white };
  assert.equal(trace(image, PX), expected);
  assert.equal(trace(image, { ...PX, source: "luma" }).ends.length, 0);
  const dusk = ring.black.map((black, i) => (90 + 2 * (i % 40) + (i % 3)) * (black ? 0.5 : 1));
  const page = { width: 40, height: 40, data: dusk };
  const byPixels = { ...PX, threshold: "adaptive", adaptive: { windowPx: 31 }, subpixel: false } as const;
  assert.equal(trace(page, byPixels), expected);
  const negative = { ...page, data: dusk.map((value) => 255 - value) };
  assert.equal(trace(negative, { ...byPixels, invert: true }), expected);
});

test("trace says which argument breaks its contract", () => {
  const image = imageOf(bitsOf("#"));
  const messageOf = (options: unknown, picture: unknown = image): string => {
    try {
      trace(picture as never, options as TraceOptions);
    } catch (error) {
      assert.instance(error, KerfworkError);
      assert.is((error as KerfworkError).code, "INVALID_ARGUMENT");
      return (error as Error).message;
    }
    return "nothing was thrown";
  };
  assert.is(messageOf({ tolerance: -1 }), "Expected `tolerance` to be a finite number >= 0, got -1");
  assert.is(messageOf({ dpi: 0 }), "Expected `dpi` to be a finite number > 0, got 0");
  assert.is(
    messageOf({ turn: "left" }),
    'Expected `turn` to be one of "white", "black", "majority", "minority", got "left"',
  );
  assert.is(messageOf({ threshold: 300 }), "Expected `threshold` to be an integer >= 0 and <= 255, got 300");
  assert.is(
    messageOf({ threshold: "auto" }),
    'Expected `threshold` to be "otsu", "adaptive", an integer >= 0 and <= 255, or { from, to }, got "auto"',
  );
  assert.is(messageOf({ subpixel: "yes" }), 'Expected `subpixel` to be "auto", true or false, got "yes"');
  assert.is(messageOf({ invert: 1 }), "Expected `invert` to be true or false, got 1");
  assert.is(
    messageOf({ mode: "curvy" }),
    'Expected `mode` to be one of "pixels", "polygons", "curves", got "curvy"',
  );
  assert.is(
    messageOf({ despecklePx: Number.NaN }),
    "Expected `despecklePx` to be a finite number >= 0, got NaN",
  );
  assert.is(
    messageOf({ tolerence: 1 }),
    'Expected `option` to be one of "source", "levels", "gamma", "denoise", "blurPx", "threshold", "adaptive", "invert", "mode", "tolerance", "dpi", "despecklePx", "turn", "subpixel", got "tolerence"',
  );
  assert.is(messageOf(null), "Expected `options` to be an object, got null");
  assert.match(
    messageOf({}, { width: 2, height: 1, data: new Uint8Array(1) }),
    /^Expected `image\.data` to be /,
  );
});

test.run();
