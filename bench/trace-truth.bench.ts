// How near outlines come to the true ones: shapes of known outline, rendered as anti-aliased gray and cut to bits, traced,
// and compared with what was drawn. Peers stand beside, on the bits; they see no gray.
import { type Image, type TraceOptions, trace } from "kerfwork";
import { contest, type Tracer } from "./contest.ts";
import type { Drawing } from "./drawing.ts";
import { bar, figures, quantile } from "./harness.ts";
import { outlineOf } from "./outline.ts";
import { bitsOf, render, shapes } from "./shapes.ts";
import { type Truth, truthOf } from "./truth.ts";

/** A pixel is a millimetre, so that results are in pixels; every speck is kept. */
const EQUAL: TraceOptions = { threshold: 128, despecklePx: 0, dpi: 25.4 };

type Way = (picture: { gray: Image; bits: Image; name: string }) => Drawing | undefined;

const beside =
  (tracer: Tracer): Way =>
  ({ bits, name }) =>
    contest(tracer, bits, `shapes ${name}`, { runs: 0, draw: true })?.drawing;

const WAYS = {
  "curves of bits": ({ bits }) => trace(bits, EQUAL),
  "curves of gray": ({ gray }) => trace(gray, EQUAL),
  "polygons of bits": ({ bits }) => trace(bits, { ...EQUAL, mode: "polygons" }),
  "polygons of gray": ({ gray }) => trace(gray, { ...EQUAL, mode: "polygons" }),
  "potrace curves": beside("potrace stock"),
  "OpenCV polygons": beside("OpenCV tuned"),
  "vtracer curves": beside("vtracer tuned"),
} as const satisfies Record<string, Way>;

const pictures = (await shapes()).map((shape) => {
  const gray = render(shape);
  return { ...shape, gray, bits: bitsOf(gray) };
});

/** Without fonts there are no pictures of text, and the bars are for all of them. */
const WHOLE = 10;
const sums = new Map<string, Truth>();
for (const [way, draw] of Object.entries(WAYS)) {
  const all: Truth[] = [];
  for (const picture of pictures) {
    const drawing = draw(picture);
    if (drawing === undefined) continue;
    const truth = truthOf(outlineOf(drawing), picture.exact);
    all.push(truth);
    figures(`${way}, ${picture.name}`, { ...truth });
  }
  if (all.length < WHOLE) continue;
  sums.set(way, overall(all));
}
for (const [way, sum] of sums) figures(`${way}, all`, { ...sum });

for (const [way, limits] of [
  ["curves of bits", { mean: 0.17, p99: 0.6, bias: 0.01 }],
  ["curves of gray", { mean: 0.06, p99: 0.3, bias: 0.005 }],
] as const) {
  const sum = sums.get(way);
  bar(`${way}: mean error`, "px", sum?.mean, { atMost: limits.mean });
  bar(`${way}: p99 of error`, "px", sum?.p99, { atMost: limits.p99 });
  bar(`${way}: |bias|`, "px", sum && Math.abs(sum.bias), { atMost: limits.bias });
  bar(`${way}: segments / potrace`, "ratio", against(way, "potrace curves", "segments"), { atMost: 1.05 });
}
bar("polygons: mean error / OpenCV", "ratio", against("polygons of bits", "OpenCV polygons", "mean"), {
  atMost: 0.5,
});
bar("polygons: segments / OpenCV", "ratio", against("polygons of bits", "OpenCV polygons", "segments"), {
  atMost: 1,
});

/** The ratio of one figure; undefined where the peer is missing. */
function against(way: string, peer: string, of: keyof Truth): number | undefined {
  const [ours, theirs] = [sums.get(way), sums.get(peer)];
  return ours && theirs && ours[of] / theirs[of];
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
