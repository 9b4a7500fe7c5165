// How near outlines come to the true ones: shapes of known outline, rendered as anti-aliased gray and cut to bits, traced,
// and compared with what was drawn. potrace stands beside, on the bits; it sees no gray.
import { type Image, type TraceOptions, trace } from "kerfwork";
import { bar, figures, quantile } from "./harness.ts";
import { potraceOutline } from "./native.ts";
import { outlineOf } from "./outline.ts";
import { bitsOf, render, shapes } from "./shapes.ts";
import { type Truth, truthOf } from "./truth.ts";

/** A pixel is a millimetre, so that results are in pixels; every speck is kept. */
const EQUAL: TraceOptions = { threshold: 128, despecklePx: 0, dpi: 25.4 };

/** Each way to trace, fed with bits or with gray. */
const WAYS = {
  "curves of bits": { input: "bits", trace: (image: Image) => outlineOf(trace(image, EQUAL)) },
  "curves of gray": { input: "gray", trace: (image: Image) => outlineOf(trace(image, EQUAL)) },
  "polygons of bits": {
    input: "bits",
    trace: (image: Image) => outlineOf(trace(image, { ...EQUAL, mode: "polygons" })),
  },
  "polygons of gray": {
    input: "gray",
    trace: (image: Image) => outlineOf(trace(image, { ...EQUAL, mode: "polygons" })),
  },
  "potrace, curves of bits": { input: "bits", trace: potraceOutline },
} as const;

const pictures = (await shapes()).map((shape) => {
  const gray = render(shape);
  return { ...shape, gray, bits: bitsOf(gray) };
});

const sums = new Map<string, Truth>();
for (const [way, { input, trace }] of Object.entries(WAYS)) {
  const all: Truth[] = [];
  for (const picture of pictures) {
    const outline = trace(picture[input], picture.name);
    if (outline === undefined) continue;
    const truth = truthOf(outline, picture.exact);
    all.push(truth);
    figures(`${way}, ${picture.name}`, { ...truth });
  }
  if (all.length === 0) continue;
  const sum = overall(all);
  sums.set(way, sum);
  figures(`${way}, all`, { ...sum });
}

const peer = sums.get("potrace, curves of bits")?.segments;
for (const [way, limits] of [
  ["curves of bits", { mean: 0.17, p99: 0.6, bias: 0.01 }],
  ["curves of gray", { mean: 0.06, p99: 0.3, bias: 0.005 }],
] as const) {
  const sum = sums.get(way) as Truth;
  bar(`${way}: mean error`, "px", sum.mean, { atMost: limits.mean });
  bar(`${way}: p99 of error`, "px", sum.p99, { atMost: limits.p99 });
  bar(`${way}: |bias|`, "px", Math.abs(sum.bias), { atMost: limits.bias });
  bar(`${way}: segments / potrace`, "ratio", peer && sum.segments / peer, { atMost: 1.05 });
}

/** Medians over the pictures; segments are summed up. */
function overall(all: readonly Truth[]): Truth {
  const middle = (of: keyof Truth): number =>
    quantile(
      Float64Array.from(all, (truth) => truth[of]),
      0.5,
    );
  return {
    mean: middle("mean"),
    rms: middle("rms"),
    p99: middle("p99"),
    hausdorff: middle("hausdorff"),
    bias: middle("bias"),
    segments: all.reduce((sum, { segments }) => sum + segments, 0),
  };
}
