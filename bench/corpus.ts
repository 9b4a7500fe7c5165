import { readFileSync } from "node:fs";
import { decodeImage, type Image } from "kerfwork";
import { seeded } from "./harness.ts";

// What tracers are timed on: black and white pixels, as gray of 0 and 255. Files are real work of the middle size; the made
// ones are patterns that grow to any size, among them those that some tracer is known to fail on.

export interface Picture {
  readonly name: string;
  readonly image: Image;
}

/** Files of bench/pictures by class; halftone joins them, made as printers make it. */
const FILES = ["page", "scan", "coin", "fish", "map", "solids", "coffee", "hatch", "dither"];

export async function corpus(): Promise<Picture[]> {
  const pictures: Picture[] = [];
  for (const name of FILES) {
    const path = new URL(`../../bench/pictures/${name}-m.png`, import.meta.url);
    const { width, height, data } = await decodeImage(readFileSync(path));
    const step = data.length / (width * height);
    pictures.push({
      name,
      image: { width, height, data: Uint8Array.from({ length: width * height }, (_, i) => data[i * step]) },
    });
  }
  return [...pictures, { name: "halftone", image: PATTERNS.halftone(1500, 1000) }];
}

/** Black where `inside` says so. */
function paint(width: number, height: number, inside: (x: number, y: number) => boolean): Image {
  const data = new Uint8Array(width * height);
  for (let y = 0, i = 0; y < height; y++)
    for (let x = 0; x < width; x++, i++) data[i] = inside(x, y) ? 0 : 255;
  return { width, height, data };
}

/** Slow waves over all tones, 0 black to 1 white; the same look at every size. */
function tone(x: number, y: number): number {
  return 0.5 + 0.24 * Math.sin(x / 97 + y / 211) + 0.24 * Math.sin(y / 83 - x / 307);
}

export const PATTERNS = {
  /** Thin lines, crossed where it is dark: long straight runs in few borders. */
  hatch: (width: number, height: number) =>
    paint(width, height, (x, y) => {
      const dark = 1 - tone(x, y);
      const [u, v] = [0.819 * x + 0.574 * y, 0.485 * x - 0.875 * y];
      return u - 9 * Math.floor(u / 9) < 3.4 * dark || (dark > 0.5 && v - 11 * Math.floor(v / 11) < 3 * dark);
    }),
  /** Error diffusion after Floyd and Steinberg: specks without number. */
  dither: (width: number, height: number): Image => {
    const data = new Uint8Array(width * height);
    let below = new Float64Array(width + 2);
    for (let y = 0, i = 0; y < height; y++) {
      const errors = below;
      below = new Float64Array(width + 2);
      for (let x = 0; x < width; x++, i++) {
        const want = tone(x, y) + errors[x + 1];
        data[i] = want < 0.5 ? 0 : 255;
        const error = want - data[i] / 255;
        errors[x + 2] += (7 / 16) * error;
        below[x] += (3 / 16) * error;
        below[x + 1] += (5 / 16) * error;
        below[x + 2] += (1 / 16) * error;
      }
    }
    return { width, height, data };
  },
  /** A pixel at each even place: as many parts as a picture can have. */
  dots: (width: number, height: number) => paint(width, height, (x, y) => (x | y) % 2 === 0),
  /** Frames within frames: the deepest nesting. */
  rings: (width: number, height: number) =>
    paint(width, height, (x, y) => Math.min(x, y, width - 1 - x, height - 1 - y) % 2 === 0),
  /** Columns that hang from one row: few corners, one border past all of them. */
  comb: (width: number, height: number) => paint(width, height, (x, y) => y === 0 || x % 2 === 0),
  /** One line up and down through the picture. */
  serpentine: (width: number, height: number) =>
    paint(width, height, (x, y) => y % 2 === 0 || x === (y % 4 === 1 ? width - 1 : 0)),
  /** Stripes whose edges are one straight run each. */
  diagonals: (width: number, height: number) =>
    paint(width, height, (x, y) => Math.floor((7 * x + 3 * y) / 60) % 2 === 0),
  /** A screen of 8 px at 45 degrees. */
  halftone: (width: number, height: number) =>
    paint(width, height, (x, y) => {
      const [u, v] = [((x + y) * Math.PI) / 8, ((x - y) * Math.PI) / 8];
      return tone(x, y) < 0.5 + 0.25 * (Math.cos(u) + Math.cos(v));
    }),
  /** Discs of all sizes, some within others, and much plain ground. */
  discs: (width: number, height: number): Image => {
    const data = new Uint8Array(width * height).fill(255);
    const random = seeded(21);
    for (let k = 0; k < 60; k++) {
      const radius = (0.01 + 0.12 * random() ** 2) * height;
      const [cx, cy] = [random() * width, random() * height];
      for (let y = Math.max(0, Math.ceil(cy - radius)); y < Math.min(height, cy + radius); y++) {
        const half = Math.sqrt(radius * radius - (y - cy) ** 2);
        const from = Math.max(0, Math.ceil(cx - half));
        const to = Math.min(width, Math.ceil(cx + half));
        for (let i = y * width + from; i < y * width + to; i++) data[i] ^= 255;
      }
    }
    return { width, height, data };
  },
} as const satisfies Record<string, (width: number, height: number) => Image>;
