import type { TraceOptions } from "./trace.ts";

/**
 * Options of `trace` for kinds of pictures, to begin from: `trace(image, { ...tracePresets.scan, dpi: 300 })`.
 *
 * logo     flat artwork, anti-aliased or not: small specks go, corners stay
 * sketch   drawn by hand and photographed: uneven light, pale strokes
 * photo    shapes of a photograph: smoothed first, so that grain makes no borders
 * scan     printed pages: uneven paper, dust
 * dither   pictures of single black and white pixels: their edges exactly, every one kept
 */
export const tracePresets = {
  logo: { threshold: "otsu", despecklePx: 4 },
  sketch: { threshold: "adaptive", adaptive: { windowPx: 75, k: 0.2 }, denoise: true, despecklePx: 24 },
  photo: { threshold: "otsu", blurPx: 1.5, despecklePx: 48 },
  scan: { threshold: "adaptive", denoise: true, despecklePx: 8 },
  dither: { threshold: 128, mode: "pixels", despecklePx: 0 },
} as const satisfies Readonly<Record<string, TraceOptions>>;

export type TracePreset = keyof typeof tracePresets;
