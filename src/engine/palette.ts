import type { Image } from "./image.ts";
import type { Engine, Pointer, Stages } from "./memory.ts";
import { BAND_BYTES, bands, copyIn } from "./pixels.ts";

/** Red, green and blue, 0..255. */
export type Rgb = readonly [number, number, number];
/** Lightness, green to red, blue to yellow: OKLab. */
type Lab = readonly [number, number, number];

/** Each pixel's index in a palette, 255 for transparent ones: u8, row by row. */
export interface Labels {
  readonly at: Pointer;
  readonly width: number;
  readonly height: number;
  /** Without equal colours. */
  readonly palette: readonly Rgb[];
}

/** Rounds of k-means: later ones change what nobody sees. */
const ROUNDS = 12;
/** Squared distance in OKLab that a neighbour of one's own label is worth: 0.045 of lightness. */
const WORTH = 0.002;
/** Turns of smoothing, an even number: labels go to and fro between two buffers. */
const TURNS = 2;

export interface LabelOptions {
  /** Most colours of a palette that is made from the picture, or the palette. */
  readonly choice: number | readonly Rgb[];
  /** Whether pixels at borders follow their neighbours where their own colour is nearly as far. */
  readonly smooth: boolean;
}

/**
 * Labels the pixels of a checked image with their nearest colour in OKLab. Pixels of alpha below 128 get the label 255.
 *
 * @returns labels, allocated on `engine`
 */
export function toLabels(
  engine: Engine,
  image: Image,
  { choice, smooth }: LabelOptions,
  stages: Stages,
  share: number,
): Labels {
  const { width, height, data } = image;
  const total = width * height;
  const channels = data.length / total;
  const labels = engine.alloc(total);
  const mark = engine.mark();
  const room = engine.alloc(BAND_BYTES + 8);
  const cells = channels === 1 ? 256 : 2 ** 18;
  const tally = engine.alloc(16 * cells);
  engine.u8(tally, 16 * cells).fill(0);
  for (const band of bands(width, height, channels)) {
    const from = copyIn(engine, image, band, channels, room);
    stages.run((share * 0.3 * band.pixels) / total, band.pixels, () =>
      engine.kernels.countColors(from, channels, band.pixels, tally),
    );
  }
  const count = stages.run(0, cells, () => engine.kernels.countCells(tally, cells));
  const linear = engine.push(Float64Array.from({ length: 256 }, (_, level) => lightOf(level)));
  const colors = engine.alloc(16 * count);
  const keys = engine.alloc(4 * count);
  stages.run(share * 0.05, cells, () => engine.kernels.listCells(tally, cells, linear, colors, keys));

  const palette =
    typeof choice === "number"
      ? choosePalette(engine, colors, count, choice, stages, share * 0.3)
      : distinct(choice);
  const table = engine.alloc(cells);
  const labs = pushLabs(engine, palette);
  stages.run(share * 0.05, count, () =>
    engine.kernels.labelCells(colors, keys, count, labs, palette.length, table),
  );
  const last = share * (smooth ? 0.1 : 0.3);
  for (const band of bands(width, height, channels)) {
    const from = copyIn(engine, image, band, channels, room);
    const to = (labels + band.first) as Pointer;
    stages.run((last * band.pixels) / total, band.pixels, () =>
      engine.kernels.labelPixels(from, channels, band.pixels, table, to),
    );
  }
  if (smooth) {
    const other = engine.alloc(total);
    const scratch = engine.alloc(64);
    for (let turn = 0; turn < TURNS; turn++) {
      const [from, to] = turn % 2 === 0 ? [labels, other] : [other, labels];
      for (const band of bands(width, height, channels)) {
        const { first, pixels } = band;
        const at = copyIn(engine, image, band, channels, room);
        stages.run((share * 0.2 * pixels) / total / TURNS, pixels, () =>
          engine.kernels.smoothLabels(
            at,
            channels,
            first,
            pixels,
            width,
            height,
            from,
            to,
            tally,
            labs,
            WORTH,
            scratch,
          ),
        );
      }
    }
  }
  engine.release(mark);
  return { at: labels, width, height, palette };
}

/** The cells that occur, split into groups and moved to where they are nearest to most pixels. */
function choosePalette(
  engine: Engine,
  colors: Pointer,
  count: number,
  most: number,
  stages: Stages,
  share: number,
): Rgb[] {
  if (count === 0) return [];
  const { kernels } = engine;
  const order = engine.alloc(4 * count);
  const scratch = engine.alloc(96 * most + 3072);
  const palette = engine.alloc(16 * most);
  const k = stages.run(share * 0.3, most, () =>
    kernels.splitColors(colors, count, most, order, scratch, palette),
  );
  const sums = engine.alloc(32 * k);
  const nearest = engine.alloc(count);
  stages.run(share * 0.7, ROUNDS * count, () =>
    kernels.refinePalette(colors, count, palette, k, sums, nearest, ROUNDS),
  );
  const labs = engine.f32(palette, 4 * k);
  return distinct(
    Array.from({ length: k }, (_, c) => rgbOf([labs[4 * c], labs[4 * c + 1], labs[4 * c + 2]])),
  );
}

function distinct(palette: readonly Rgb[]): Rgb[] {
  return [...new Map(palette.map((color) => [hexOf(color), color])).values()];
}

function pushLabs(engine: Engine, palette: readonly Rgb[]): Pointer {
  return engine.push(Float32Array.from(palette.flatMap((color) => [...labOf(color), 0])));
}

/** Squared distances of all pairs of colours, as f32[k * k]. */
export function squaredDistances(palette: readonly Rgb[]): Float32Array {
  const labs = palette.map(labOf);
  return Float32Array.from(
    labs.flatMap((a) => labs.map((b) => (a[0] - b[0]) ** 2 + (a[1] - b[1]) ** 2 + (a[2] - b[2]) ** 2)),
  );
}

/** "#rrggbb". */
export function hexOf(color: Rgb): string {
  return `#${color.map((level) => level.toString(16).padStart(2, "0")).join("")}`;
}

/** Linear light of a level of sRGB, 0..1. */
function lightOf(level: number): number {
  const v = level / 255;
  return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
}

/** The level of sRGB nearest to linear light. */
function levelOf(light: number): number {
  const v = light <= 0.0031308 ? 12.92 * light : 1.055 * light ** (1 / 2.4) - 0.055;
  return Math.min(255, Math.max(0, Math.round(255 * v)));
}

// Ottosson, A perceptual color space for image processing, 2020

function labOf(color: Rgb): Lab {
  const [r, g, b] = color.map(lightOf) as [number, number, number];
  const l = Math.cbrt(0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b);
  const m = Math.cbrt(0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b);
  const s = Math.cbrt(0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b);
  return [
    0.2104542553 * l + 0.793617785 * m - 0.0040720468 * s,
    1.9779984951 * l - 2.428592205 * m + 0.4505937099 * s,
    0.0259040371 * l + 0.7827717662 * m - 0.808675766 * s,
  ];
}

function rgbOf([lightness, a, b]: Lab): Rgb {
  const l = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3;
  const m = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3;
  const s = (lightness - 0.0894841775 * a - 1.291485548 * b) ** 3;
  return [
    levelOf(4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s),
    levelOf(-1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s),
    levelOf(-0.0041960863 * l - 0.7034186147 * m + 1.707614701 * s),
  ];
}
