// Pictures in flat colours, and the slow, obvious versions of what colour tracing does with pixels.
import type { ColorLayers, Image } from "kerfwork";
import { random } from "./oracle.ts";
import { contoursOf, polylineOf, rasterOf } from "./outline.ts";

export type Lab = readonly [number, number, number];

const lightOf = (level: number): number => {
  const v = level / 255;
  return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
};

/** OKLab of levels 0..255 that need not be whole: light is linear between two levels. */
export function labOf(levels: readonly number[]): Lab {
  const [r, g, b] = levels.map((level) => {
    const low = Math.min(254, Math.floor(level));
    return lightOf(low) + (level - low) * (lightOf(low + 1) - lightOf(low));
  }) as [number, number, number];
  const l = Math.cbrt(0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b);
  const m = Math.cbrt(0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b);
  const s = Math.cbrt(0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b);
  return [
    0.2104542553 * l + 0.793617785 * m - 0.0040720468 * s,
    1.9779984951 * l - 2.428592205 * m + 0.4505937099 * s,
    0.0259040371 * l + 0.7827717662 * m - 0.808675766 * s,
  ];
}

export const squareOf = (a: Lab, b: Lab): number =>
  (a[0] - b[0]) ** 2 + (a[1] - b[1]) ** 2 + (a[2] - b[2]) ** 2;

export const levelsOf = (hex: string): number[] =>
  [1, 3, 5].map((at) => Number.parseInt(hex.slice(at, at + 2), 16));

/** Red, green, blue of each pixel; undefined where it is transparent. */
export function colorsIn({ width, height, data }: Image): (number[] | undefined)[] {
  const channels = data.length / (width * height);
  return Array.from({ length: width * height }, (_, i) => {
    const pixel = [...data.subarray(i * channels, (i + 1) * channels)];
    if (channels === 1) return [pixel[0]!, pixel[0]!, pixel[0]!];
    return channels === 4 && pixel[3]! < 128 ? undefined : pixel.slice(0, 3);
  });
}

/** The colour that stands for each pixel: the mean of those in its cell of 4 levels, or of 1 level of gray. */
export function cellLabs(image: Image): (Lab | undefined)[] {
  const colors = colorsIn(image);
  const step = image.data.length === image.width * image.height ? 1 : 4;
  const keyOf = (color: number[]): string => color.map((level) => Math.floor(level / step)).join();
  const cells = new Map<string, { sum: number[]; n: number }>();
  for (const color of colors) {
    if (color === undefined) continue;
    const cell = cells.get(keyOf(color)) ?? { sum: [0, 0, 0], n: 0 };
    cells.set(keyOf(color), { sum: cell.sum.map((v, i) => v + color[i]!), n: cell.n + 1 });
  }
  return colors.map((color) => {
    if (color === undefined) return undefined;
    const { sum, n } = cells.get(keyOf(color))!;
    return labOf(sum.map((v) => v / n));
  });
}

export function nearestTo(lab: Lab, palette: readonly Lab[]): number {
  let best = 0;
  for (const [i, other] of palette.entries())
    if (squareOf(lab, other) < squareOf(lab, palette[best]!)) best = i;
  return best;
}

/** -1 for transparent pixels. */
export function labelsOf(image: Image, palette: readonly string[]): number[] {
  const labs = palette.map((hex) => labOf(levelsOf(hex)));
  return cellLabs(image).map((lab) => (lab === undefined ? -1 : nearestTo(lab, labs)));
}

const AROUND = [
  [-1, -1, Math.SQRT1_2],
  [0, -1, 1],
  [1, -1, Math.SQRT1_2],
  [-1, 0, 1],
  [1, 0, 1],
  [-1, 1, Math.SQRT1_2],
  [0, 1, 1],
  [1, 1, Math.SQRT1_2],
] as const;

/** Two turns of giving each pixel the label that suits it and its neighbours best. */
export function smoothOf(image: Image, palette: readonly string[], labels: readonly number[]): number[] {
  const { width, height } = image;
  const labs = palette.map((hex) => labOf(levelsOf(hex)));
  const pixels = cellLabs(image);
  let now = [...labels];
  for (let turn = 0; turn < 2; turn++) {
    now = now.map((own, p) => {
      if (own === -1) return own;
      const [x, y] = [p % width, Math.floor(p / width)];
      const worth = new Map([[own, 0]]);
      for (const [dx, dy, weight] of AROUND) {
        if (x + dx < 0 || x + dx >= width || y + dy < 0 || y + dy >= height) continue;
        const other = now[p + dy * width + dx]!;
        if (other !== -1) worth.set(other, (worth.get(other) ?? 0) + weight);
      }
      const costs = [...worth].map(([label, sum]) => ({
        label,
        cost: squareOf(pixels[p]!, labs[label]!) - 0.002 * sum,
      }));
      return costs.reduce((best, other) => (other.cost < best.cost ? other : best)).label;
    });
  }
  return now;
}

/** The 4-connected part around each pixel of one label, as lists of pixels in raster order of their first ones. */
export function partsOf(labels: readonly number[], width: number): number[][] {
  const parts: number[][] = [];
  const seen = new Set<number>();
  for (let first = 0; first < labels.length; first++) {
    if (seen.has(first)) continue;
    const part = [first];
    seen.add(first);
    for (const p of part)
      for (const q of neighboursOf(p, width, labels.length)) {
        if (seen.has(q) || labels[q] !== labels[p]) continue;
        seen.add(q);
        part.push(q);
      }
    parts.push(part);
  }
  return parts;
}

export function neighboursOf(p: number, width: number, n: number): number[] {
  const found: number[] = [];
  if (p % width > 0) found.push(p - 1);
  if (p % width < width - 1) found.push(p + 1);
  if (p >= width) found.push(p - width);
  if (p + width < n) found.push(p + width);
  return found;
}

/**
 * Merges small parts, smallest first, into all neighbours of the label with the least squared distance for each pixel of
 * shared border. Of equally small ones the one that came to its size last goes first, and at the start the first in
 * raster order.
 */
export function mergedOf(
  labels: readonly number[],
  width: number,
  palette: readonly string[],
  least: number,
): number[] {
  const labs = palette.map((hex) => labOf(levelsOf(hex)));
  const now = [...labels];
  const partAt = (p: number): number[] => {
    const part = [p];
    const seen = new Set(part);
    for (const q of part)
      for (const r of neighboursOf(q, width, now.length))
        if (!seen.has(r) && now[r] === now[p]) {
          seen.add(r);
          part.push(r);
        }
    return part;
  };
  // a part waits under one of its pixels, with the size it had
  const waiting: number[][] = Array.from({ length: least }, () => []);
  for (const part of partsOf(now, width).reverse())
    if (part.length < least) waiting[part.length]!.push(part[0]!);
  for (let size = 1; size < least; size++)
    for (;;) {
      const p = waiting[size]!.pop();
      if (p === undefined) break;
      const part = partAt(p);
      if (now[p] === -1 || part.length !== size) continue;
      const borders = new Map<number, number>();
      for (const q of part)
        for (const r of neighboursOf(q, width, now.length))
          if (now[r] !== now[p]) borders.set(now[r]!, (borders.get(now[r]!) ?? 0) + 1);
      const choices = [...borders]
        .filter(([label]) => label !== -1)
        .sort(([a], [b]) => a - b)
        .map(([label, length]) => ({ label, cost: squareOf(labs[now[p]!]!, labs[label]!) / length }));
      if (choices.length === 0 && borders.size === 0) continue;
      const to =
        choices.length === 0
          ? -1
          : choices.reduce((best, other) => (other.cost < best.cost - 1e-9 ? other : best)).label;
      for (const q of part) now[q] = to;
      const grown = partAt(p).length;
      if (to !== -1 && grown < least) waiting[grown]!.push(p);
    }
  return now;
}

/** What a viewer sees of layers traced at a pixel a millimetre: the index of the topmost layer at each pixel, or -1. */
export function paintedOf({ layers }: ColorLayers, width: number, height: number): number[] {
  const seen: number[] = new Array(width * height).fill(-1);
  for (const [i, { curves }] of layers.entries()) {
    const outlines = contoursOf(curves).map((contour) => polylineOf(contour, 8));
    for (const [p, inside] of rasterOf(outlines, width, height).entries()) if (inside) seen[p] = i;
  }
  return seen;
}

/** Smooth seeded waves in three channels, with noise: many regions, large and small. */
export function wavesOf(seed: number, width: number, height: number, noise: number, channels = 3): Image {
  const next = random(seed);
  const waves = Array.from({ length: 3 * channels }, () => [next() / 4, next() / 4, 6 * next()] as const);
  const data = new Uint8Array(width * height * channels);
  for (let p = 0; p < width * height; p++)
    for (let c = 0; c < channels; c++) {
      let sum = 0;
      for (const [kx, ky, phase] of waves.slice(3 * c, 3 * c + 3))
        sum += Math.sin(kx * (p % width) + ky * Math.floor(p / width) + phase);
      data[p * channels + c] = Math.max(0, Math.min(255, 128 + 60 * sum + noise * (next() - 0.5)));
    }
  return { width, height, data };
}

export function turnedImage(image: Image, how: "mirror" | "rotate"): Image {
  const { width, height, data } = image;
  const channels = data.length / (width * height);
  const [w, h] = how === "mirror" ? [width, height] : [height, width];
  const turned = new Uint8Array(data.length);
  for (let y = 0; y < h; y++)
    for (let x = 0; x < w; x++) {
      const [fromX, fromY] = how === "mirror" ? [width - 1 - x, y] : [y, height - 1 - x];
      const from = (fromY * width + fromX) * channels;
      turned.set(data.subarray(from, from + channels), (y * w + x) * channels);
    }
  return { width: w, height: h, data: turned };
}
