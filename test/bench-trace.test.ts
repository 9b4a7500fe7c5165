import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { type Curves, type Image, trace } from "kerfwork";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { distanceTo, inked, linesOf, type Middle, middleOf } from "../bench/axis.ts";
import { geometricMean } from "../bench/contest.ts";
import { PATTERNS } from "../bench/corpus.ts";
import { fromSvg, readDrawing, toSvg, writeDrawing } from "../bench/drawing.ts";
import { areaOf, lengthOf, type Outline, outlineOf, Pen } from "../bench/outline.ts";
import { gapsOf, paintingOf, psnrOf, repainted, rgbaOf, segmentsOf } from "../bench/painting.ts";
import { bitsOf, render, shapes } from "../bench/shapes.ts";
import { truthOf } from "../bench/truth.ts";
import { xorPercent } from "../bench/xor.ts";

// The tracer's bench is only worth what its measures are: each is held to cases whose answers are known.

/** A closed round of `n` corners; a negative way makes a hole. */
function circle(x: number, y: number, radius: number, way = 1, n = 2000): Outline {
  const points: number[] = [];
  for (let i = 0; i < n; i++) {
    const angle = (way * 2 * Math.PI * i) / n;
    points.push(x + radius * Math.cos(angle), y + radius * Math.sin(angle));
  }
  return { rounds: [Float64Array.from(points)], segments: n };
}

function box(x: number, y: number, side: number): Outline {
  const points = Float64Array.of(x, y, x + side, y, x + side, y + side, x, y + side);
  return { rounds: [points], segments: 4 };
}

function both(...outlines: Outline[]): Outline {
  return {
    rounds: outlines.flatMap(({ rounds }) => rounds),
    segments: outlines.reduce((sum, { segments }) => sum + segments, 0),
  };
}

function near(actual: number, expected: number, within: number, what: string): void {
  assert.ok(Math.abs(actual - expected) <= within, `${what}: ${actual}, expected ${expected} +- ${within}`);
}

test("truthOf finds nothing between an outline and itself", () => {
  const { mean, rms, p99, hausdorff, bias, segments } = truthOf(circle(50, 50, 40), circle(50, 50, 40));
  for (const [name, value] of Object.entries({ mean, rms, p99, hausdorff, bias })) near(value, 0, 1e-9, name);
  assert.is(segments, 2000);
});

test("truthOf of a circle that is shifted: the mean of |cos| times the shift", () => {
  const truth = truthOf(circle(50.3, 50, 40), circle(50, 50, 40));
  near(truth.mean, (0.3 * 2) / Math.PI, 0.001, "mean");
  near(truth.rms, 0.3 / Math.SQRT2, 0.001, "rms");
  near(truth.hausdorff, 0.3, 0.001, "Hausdorff");
  near(truth.p99, 0.3, 0.001, "p99");
  near(truth.bias, 0, 1e-9, "bias");
});

test("truthOf of a circle that is too large: its growth everywhere, and as bias", () => {
  for (const grown of [-0.25, 0.25]) {
    const truth = truthOf(circle(50, 50, 40 + grown), circle(50, 50, 40));
    near(truth.mean, 0.25, 0.001, "mean");
    near(truth.p99, 0.25, 0.001, "p99");
    near(truth.bias, grown * (1 + grown / 80), 0.001, "bias");
  }
});

test("truthOf counts what is missing and what is too much, whichever side has it", () => {
  const [one, two] = [box(0, 0, 10), both(box(0, 0, 10), box(40, 0, 10))];
  for (const truth of [truthOf(one, two), truthOf(two, one)]) {
    near(truth.hausdorff, 40, 0.01, "the far side of what has no partner");
    // half of one way's samples, a quarter of both: a box whose sides are 30 to 40 away from the other's right one
    near(truth.mean, 35 / 4, 0.2, "mean");
  }
  near(truthOf(two, one).bias, 100 / 40, 1e-9, "bias");
  assert.is(truthOf({ rounds: [], segments: 0 }, one).hausdorff, Infinity);
});

test("truthOf sees one spike only in the largest distance", () => {
  const spike = Float64Array.of(0, 0, 49.9, 0, 50, -3, 50.1, 0, 100, 0, 100, 100, 0, 100);
  const truth = truthOf({ rounds: [spike], segments: 7 }, box(0, 0, 100));
  near(truth.hausdorff, 3, 0.11, "Hausdorff");
  near(truth.mean, (6 * 1.5) / 406 / 2, 0.005, "mean");
});

test("truthOf is the same when both are turned round, moved far or named in another order", () => {
  const [a, b] = [
    both(circle(30, 30, 20), circle(90, 40, 7)),
    both(circle(91, 40, 7.5), circle(30.4, 30.1, 20)),
  ];
  const moved = ({ rounds, segments }: Outline): Outline => ({
    rounds: rounds.map((points) => points.map((v) => v - 1000)),
    segments,
  });
  const swapped = ({ rounds, segments }: Outline): Outline => ({
    rounds: rounds.map((points) => points.map((_, i) => points[i ^ 1])),
    segments,
  });
  const plain = truthOf(a, b);
  near(truthOf(moved(a), moved(b)).mean, plain.mean, 0.001, "moved");
  near(truthOf(swapped(a), b).mean, truthOf(a, swapped(b)).mean, 0.001, "swapped");
  near(truthOf(b, a).mean, plain.mean, 1e-9, "both ways");
});

test("Pen closes rounds by a line only where the pen is not at their start", () => {
  const pen = new Pen();
  pen.move(0, 0);
  pen.line(4, 0);
  pen.line(4, 4);
  pen.move(10, 10);
  pen.line(14, 10);
  pen.line(14, 14);
  pen.line(10, 10);
  const { rounds, segments } = pen.outline();
  assert.equal([rounds.length, segments], [2, 6]);
  assert.is(areaOf({ rounds, segments }), 16);
});

test("outlineOf flattens cubics to within a thousandth of a pixel", () => {
  const k = (4 / 3) * (Math.SQRT2 - 1);
  const quarter = (r: number, way: [number, number][]): number[] => way.flatMap(([x, y]) => [r * x, r * y]);
  const curves: Curves = {
    ends: Uint32Array.of(4),
    kinds: Uint8Array.of(1, 1, 1, 1),
    xy: Float32Array.from(
      quarter(30, [
        [1, 0],
        [1, k],
        [k, 1],
        [0, 1],
        [-k, 1],
        [-1, k],
        [-1, 0],
        [-1, -k],
        [-k, -1],
        [0, -1],
        [k, -1],
        [1, -k],
        [1, 0],
      ]),
    ),
    depth: Uint16Array.of(0),
  };
  const outline = outlineOf(curves);
  assert.is(outline.segments, 4);
  near(lengthOf(outline), 2 * Math.PI * 30, 0.03, "length");
  // four cubics leave a circle by 0.027 % of its radius
  near(truthOf(outline, circle(0, 0, 30)).hausdorff, 30 * 0.00027, 0.001, "distance");
});

test("render gives each pixel the share that is covered", () => {
  const exact = both(box(2.25, 3.5, 4));
  const { data, width } = render({ name: "box", exact, width: 10, height: 10 });
  const share = (x: number, y: number): number => 1 - data[y * width + x] / 255;
  near(share(4, 5), 1, 0, "inside");
  near(share(1, 5), 0, 0, "outside");
  near(share(2, 5), 0.75, 0.003, "left edge");
  near(share(6, 5), 0.25, 0.003, "right edge");
  near(share(4, 3), 0.5, 0.003, "top edge");
  near(share(2, 3), 0.375, 0.003, "corner");
});

test("shapes are black where their outlines say, holes taken off, and stay within their pictures", async () => {
  const all = await shapes();
  assert.ok(all.length >= 4);
  for (const shape of all) {
    const gray = render(shape);
    let black = 0;
    for (const value of gray.data) black += 1 - value / 255;
    near(black / areaOf(shape.exact), 1, 0.006, `${shape.name}: area`);
    for (const points of shape.exact.rounds)
      for (let i = 0; i < points.length; i += 2)
        assert.ok(points[i] > 1 && points[i] < shape.width - 1, `${shape.name}: x ${points[i]}`);
    for (const points of shape.exact.rounds)
      for (let i = 1; i < points.length; i += 2)
        assert.ok(points[i] > 1 && points[i] < shape.height - 1, `${shape.name}: y ${points[i]}`);
  }
});

test("the edges of a shape's pixels are about as far from it as cutting at a half leaves them", async () => {
  const [circles] = await shapes();
  const image = bitsOf(render(circles));
  const truth = truthOf(
    outlineOf(trace(image, { mode: "pixels", dpi: 25.4, despecklePx: 0 })),
    circles.exact,
  );
  near(truth.mean, 0.224, 0.01, "mean");
  near(truth.bias, 0, 0.01, "bias");
  assert.ok(truth.hausdorff < 1.3);
});

test("fromSvg reads what tracers write: relative and absolute, transforms, curves, white layers left out", () => {
  const svg = `<svg><g transform="translate(0,40) scale(0.1,-0.1)" fill="#000">
    <path d="M80 350 l0 -250 220 0 0 250z m50 -50l10 0 0 -10z"/></g></svg>`;
  const { ends, kinds, xy } = fromSvg(svg);
  assert.equal([...ends], [4, 7]);
  assert.equal([...kinds], [0, 0, 0, 0, 0, 0, 0]);
  assert.equal([...xy.subarray(0, 10)], [8, 5, 8, 30, 30, 30, 30, 5, 8, 5]);
  assert.equal([...xy.subarray(10, 14)], [13, 10, 14, 10]);
  const curved = fromSvg(
    '<svg><path fill="rgb(255,255,255)" d="M 0 0 L 9 0 L 9 9 Z"/>' +
      '<path d="M1 1H7V7Q4 10 1 7C1 5 1 3 1 1Z" fill="#000000" transform="translate(10,20)"/></svg>',
  );
  assert.equal([...curved.kinds], [0, 0, 1, 1]);
  assert.equal([...curved.xy], [11, 21, 17, 21, 17, 27, 15, 29, 13, 29, 11, 27, 11, 25, 11, 23, 11, 21]);
  assert.throws(
    () => fromSvg('<path d="M0 0A1 1 0 0 0 2 2"/>'),
    /Expected a path of M, L, H, V, Q, C and Z, got A/,
  );
});

test("toSvg and fromSvg keep a trace as it is", () => {
  const image = PATTERNS.discs(200, 120);
  const traced = trace(image, { threshold: 128, dpi: 25.4 });
  const { ends, kinds, xy } = fromSvg(toSvg(traced, 200, 120));
  assert.equal([ends, kinds, xy], [traced.ends, traced.kinds, traced.xy]);
});

test("readDrawing reads what writeDrawing wrote", () => {
  const traced = trace(PATTERNS.discs(200, 120), { threshold: 128, dpi: 25.4 });
  const path = join(mkdtempSync(join(tmpdir(), "drawing-")), "a.f64");
  writeDrawing(traced, path);
  const { ends, kinds, xy } = readDrawing(path);
  assert.equal([ends, kinds, xy], [traced.ends, traced.kinds, traced.xy]);
  rmSync(dirname(path), { recursive: true });
});

test("xorPercent counts the pixels that changed, half gray as white", () => {
  const shown = [0, 0, 127, 128, 255, 255, 255, 0];
  class Resvg {
    render(): { pixels: Uint8Array; width: number; height: number } {
      return { pixels: Uint8Array.from(shown.flatMap((v) => [v, v, v, 255])), width: 4, height: 2 };
    }
  }
  const nothing = { ends: new Uint32Array(0), kinds: new Uint8Array(0), xy: new Float32Array(0) };
  const picture = (data: number[]): Image => ({ width: 4, height: 2, data: Uint8Array.from(data) });
  assert.is(xorPercent(nothing, picture([0, 0, 0, 255, 255, 255, 255, 0]), { Resvg }), 0);
  assert.is(xorPercent(nothing, picture([255, 0, 0, 0, 255, 255, 255, 0]), { Resvg }), 25);
  const other = { ...picture([0, 0]), width: 2, height: 1 };
  assert.throws(() => xorPercent(nothing, other, { Resvg }), /Rendered 4 x 2 for 2 x 1/);
});

test("patterns are what they are called", () => {
  const traced = (kind: keyof typeof PATTERNS, side: number): Curves =>
    trace(PATTERNS[kind](side, side), { threshold: 128, despecklePx: 0, mode: "pixels" });
  assert.is(traced("dots", 60).ends.length, 900);
  assert.is(Math.max(...traced("rings", 60).depth), 29);
  assert.equal([...traced("comb", 60).depth], [0]);
  assert.equal([...traced("serpentine", 60).depth], [0]);
  assert.ok(traced("diagonals", 400).ends.length > 20);
  for (const kind of ["hatch", "dither", "halftone", "discs"] as const) {
    const { data } = PATTERNS[kind](500, 300);
    const black = data.reduce((sum, v) => sum + (v === 0 ? 1 : 0), 0) / data.length;
    assert.ok(black > 0.1 && black < 0.6, `${kind}: ${black}`);
  }
});

test("geometricMean lets twice and half cancel out", () => {
  near(geometricMean([0.5, 2]) as number, 1, 1e-12, "mean");
  near(geometricMean([1, 10, 100]) as number, 10, 1e-12, "mean");
  assert.is(geometricMean([]), undefined);
});

test("psnrOf is endless of a picture with itself, and known of a known difference; alpha does not count", () => {
  const picture = Uint8Array.from({ length: 400 }, (_, i) => (37 * i) % 200);
  assert.is(psnrOf(picture, picture), Infinity);
  const shifted = picture.map((v, i) => (i % 4 === 3 ? 255 - v : v + 5));
  near(psnrOf(shifted, picture), 20 * Math.log10(255 / 5), 1e-9, "5 levels everywhere");
  const reddened = picture.map((v, i) => (i === 0 ? v + 30 : v));
  near(psnrOf(reddened, picture), 10 * Math.log10((255 ** 2 * 300) / 900), 1e-9, "30 levels of one of 300");
  near(psnrOf(Uint8Array.of(0, 0, 0, 255), Uint8Array.of(255, 255, 255, 255)), 0, 1e-9, "black and white");
  assert.throws(() => psnrOf(picture, picture.subarray(4)), "Expected as many bytes, got 400 and 396");
});

test("rgbaOf takes gray, RGB and RGBA", () => {
  const size = { width: 2, height: 1 };
  for (const [data, expected] of [
    [
      [7, 9],
      [7, 7, 7, 255, 9, 9, 9, 255],
    ],
    [
      [1, 2, 3, 4, 5, 6],
      [1, 2, 3, 255, 4, 5, 6, 255],
    ],
    [
      [1, 2, 3, 255, 4, 5, 6, 255],
      [1, 2, 3, 255, 4, 5, 6, 255],
    ],
  ])
    assert.equal([...rgbaOf({ ...size, data: Uint8Array.from(data) })], expected);
});

test("segmentsOf counts lines and curves however they are written", () => {
  const paths = ["M0 0L9 0 9 9H3V-2.5Z", "M0 0 1 1 2-2c1 2 3 4 5 6-1.5.5 1 1 2 2q1 1 2 2z"];
  assert.is(segmentsOf(`<svg>${paths.map((d) => `<path id="L1" d="${d}"/>`).join("")}</svg>`), 4 + 5);
  assert.is(segmentsOf('<path d=""/>'), 0);
});

test("paintingOf writes layers as they are painted, to hundredths", () => {
  const curves: Curves = {
    ends: Uint32Array.of(3, 5),
    kinds: Uint8Array.of(0, 0, 0, 1, 0),
    xy: Float32Array.of(0, 0, 4.123, 0, 4, 4, 0, 0, 1, 1, 2, 1, 2, 2, 1, 2, 1, 1),
    depth: Uint16Array.of(0, 1),
  };
  const svg = paintingOf({ layers: [{ color: "#102030", area: 1, curves }] }, 5, 6);
  assert.is(
    svg,
    '<svg xmlns="http://www.w3.org/2000/svg" width="5" height="6"><path fill="#102030" fill-rule="evenodd" ' +
      'd="M0 0L4.12 0L4 4L0 0ZM1 1C2 1 2 2 1 2L1 1Z"/></svg>',
  );
  assert.is(segmentsOf(svg), 5);
});

test("gapsOf counts the pixels that nothing was painted on, without smoothed edges", () => {
  const alphas = [0, 255, 0, 1, 255, 255];
  const seen: [string, object][] = [];
  class Resvg {
    constructor(svg: string, options: object) {
      seen.push([svg, options]);
    }
    render(): { pixels: Uint8Array; width: number; height: number } {
      return { pixels: Uint8Array.from(alphas.flatMap((a) => [9, 9, 9, a])), width: 3, height: 2 };
    }
  }
  const picture = { width: 3, height: 2, data: new Uint8Array(6) };
  assert.is(gapsOf('<path d=""/><path d=""/>', picture, { Resvg }), 2);
  assert.is(seen[0][0].match(/crispEdges/g)?.length, 2);
  assert.is("background" in seen[0][1], false);
  assert.is(repainted('<path d=""/>', picture, { Resvg }).length, 24);
  assert.equal([seen[1][0], "background" in seen[1][1]], ['<path d=""/>', true]);
  assert.throws(() => gapsOf("", { ...picture, width: 2 }, { Resvg }), "Rendered 3 x 2 for 2 x 2");
});

function faultless({ there, back, spur, breaks, surplus }: Middle): void {
  near(there, 0, 1e-9, "there");
  near(back, 0, 1e-9, "back");
  assert.equal([spur, breaks, surplus], [0, 0, 0]);
}

const STROKE = { axis: [10, 20, 70, 20], width: 6 } as const;

test("middleOf finds nothing between an axis and itself, and a shift as it is", () => {
  faultless(middleOf([STROKE.axis], [STROKE]));
  const shifted = middleOf([[10, 20.3, 40, 20.3, 70, 20.3]], [STROKE]);
  near(shifted.there, 0.3, 1e-9, "there");
  near(shifted.back, 0.3, 1e-9, "back");
  // 0.1 at one end to 0.5 at the other
  const slanted = middleOf([[10, 20.1, 70, 20.5]], [STROKE]);
  near(slanted.there, 0.3, 1e-3, "there, slanted");
  near(distanceTo([[0, 0, 3, 4]], [3, -1]), 3, 1e-9, "to the foot on a line");
  near(distanceTo([[0, 0, 3, 4]], [6, 8]), 5, 1e-9, "to the end of a line");
  assert.is(middleOf([], [STROKE]).there, Infinity);
});

test("middleOf tells spurs, breaks and surplus lines apart", () => {
  const spur = middleOf([STROKE.axis, [40, 20, 40, 32]], [STROKE]);
  // 12 px, of which the first is near the axis
  near(spur.spur, 11 / 6, 0.1, "spur");
  assert.equal([spur.breaks, spur.surplus], [0, 1]);
  near(spur.there, 0, 1e-9, "what is too much is not missing");
  assert.ok(spur.back > 0.5);
  const broken = middleOf(
    [
      [10, 20, 35, 20],
      [45, 20, 70, 20],
    ],
    [STROKE],
  );
  assert.equal([broken.breaks, broken.surplus, broken.spur], [1, 1, 0]);
  // 0 to 5 px on both sides of 10 of the 52 px that lie away from the ends
  near(broken.there, (10 * 2.5) / 52, 0.02, "there, broken");
  near(broken.back, 0, 1e-9, "back, broken");
  faultless(middleOf([STROKE.axis, [30, 0, 50, 40]], [STROKE, { axis: [30, 0, 50, 40], width: 6 }]));
});

test("inked covers the area of a stroke with round ends, and leaves the rest white", () => {
  const { data, width } = inked({ strokes: [STROKE], width: 80, height: 40 });
  let area = 0;
  for (const gray of data) area += 1 - gray / 255;
  near(area, 60 * 6 + Math.PI * 9, 0.5, "area");
  assert.equal(
    [16, 17, 22, 23].map((y) => data[y * width + 40]),
    [255, 0, 0, 255],
  );
  assert.is(data[20 * width + 6], 255);
});

test("linesOf keeps open lines open and follows cubics", () => {
  const k = (4 / 3) * (Math.SQRT2 - 1);
  const [line, quarter] = linesOf({
    ends: Uint32Array.of(2, 3),
    kinds: Uint8Array.of(0, 0, 1),
    xy: Float32Array.of(1, 2, 3, 4, 5, 6, 30, 0, 30, 30 * k, 30 * k, 30, 0, 30),
  });
  assert.equal(line, [1, 2, 3, 4, 5, 6]);
  for (let i = 0; i < quarter.length; i += 2)
    near(Math.hypot(quarter[i], quarter[i + 1]), 30, 0.01, "radius");
  assert.equal(quarter.slice(-2), [0, 30]);
});

test.run();
