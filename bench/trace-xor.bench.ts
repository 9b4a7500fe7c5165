// What outlines look like when they are drawn again, in pixels of the picture. This is a tripwire and no measure of
// accuracy, for the pixels are stairs themselves and smoothing them counts as error; that measure is trace-truth.
import { trace } from "kerfwork";
import { contest } from "./contest.ts";
import { corpus } from "./corpus.ts";
import type { Drawing } from "./drawing.ts";
import { bar, figures } from "./harness.ts";
import { peer } from "./peers.ts";
import { xorPercent } from "./xor.ts";

const resvg = (await peer("@resvg/resvg-js")) as Parameters<typeof xorPercent>[2] | undefined;

/** Percent by tracer and picture. */
const rows: Record<string, Record<string, number | null>> = {};
for (const { name, image } of resvg === undefined ? [] : await corpus()) {
  const ours = (mode: "pixels" | "polygons" | "curves"): Drawing =>
    trace(image, { threshold: 128, despecklePx: 0, dpi: 25.4, mode });
  const theirs = (tracer: Parameters<typeof contest>[0]): Drawing | undefined =>
    contest(tracer, image, name, { runs: 0, draw: true })?.drawing;
  for (const [tracer, drawing] of [
    ["kerfwork pixels", ours("pixels")],
    ["kerfwork polygons", ours("polygons")],
    ["kerfwork curves", ours("curves")],
    ["potrace curves", theirs("potrace stock")],
    ["vtracer curves", theirs("vtracer tuned")],
  ] as const) {
    rows[tracer] ??= {};
    rows[tracer][name] = drawing && resvg ? xorPercent(drawing, image, resvg) : null;
  }
}
for (const [tracer, row] of Object.entries(rows)) figures(`${tracer}, XOR %`, row);

const pixels = Object.values(rows["kerfwork pixels"] ?? {}).map(Number);
bar("XOR of pixels", "worst %", pixels.length > 0 ? Math.max(...pixels) : undefined, { atMost: 0 });
const shares = Object.entries(rows["potrace curves"] ?? {}).flatMap(([name, percent]) =>
  percent === null ? [] : [Number(rows["kerfwork curves"][name]) / percent],
);
bar("XOR of curves / potrace", "worst", shares.length > 0 ? Math.max(...shares) : undefined, { atMost: 1 });
