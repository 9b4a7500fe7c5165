// Slow, obvious versions of the filters of gray pictures, and the pictures to compare them on.
import { random } from "./oracle.ts";

/** One byte a pixel, rows top down. */
export interface Gray {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array;
}

/** Sides that meet every path of the kernels: single rows and columns, around the 16 of a vector and the 64 of a word. */
export const SIDES: readonly (readonly [number, number])[] = [
  [1, 1],
  [1, 40],
  [40, 1],
  [2, 3],
  [15, 9],
  [16, 9],
  [17, 9],
  [18, 4],
  [33, 20],
  [63, 5],
  [64, 5],
  [65, 5],
  [130, 34],
];

export function noise(seed: number, bytes: number): Uint8Array {
  const next = random(seed);
  return Uint8Array.from({ length: bytes }, () => Math.floor(next() * 256));
}

export function noisePicture(width: number, height: number, seed = width * 1000 + height): Gray {
  return { width, height, data: noise(seed, width * height) };
}

export function grayFrom(width: number, height: number, at: (x: number, y: number) => number): Gray {
  const data = new Uint8Array(width * height);
  for (let y = 0; y < height; y++) for (let x = 0; x < width; x++) data[y * width + x] = at(x, y);
  return { width, height, data };
}

/** Beyond its edges a picture goes on as its last pixels. */
function pixelOf({ width, height, data }: Gray, x: number, y: number): number {
  const column = Math.min(width - 1, Math.max(0, x));
  return data[Math.min(height - 1, Math.max(0, y)) * width + column]!;
}

export function mirrored(gray: Gray): Gray {
  return grayFrom(gray.width, gray.height, (x, y) => pixelOf(gray, gray.width - 1 - x, y));
}

export function turned(gray: Gray): Gray {
  return grayFrom(gray.width, gray.height, (x, y) => pixelOf(gray, gray.width - 1 - x, gray.height - 1 - y));
}

export function transposed(gray: Gray): Gray {
  return grayFrom(gray.height, gray.width, (x, y) => pixelOf(gray, y, x));
}

export function negativeOf(gray: Gray): Gray {
  return { ...gray, data: gray.data.map((value) => 255 - value) };
}

export function medianOf(gray: Gray): Gray {
  return grayFrom(gray.width, gray.height, (x, y) => {
    const values: number[] = [];
    for (let dy = -1; dy <= 1; dy++)
      for (let dx = -1; dx <= 1; dx++) values.push(pixelOf(gray, x + dx, y + dy));
    return values.sort((a, b) => a - b)[4]!;
  });
}

/** Gauss's blur in real numbers, cut off where the kernels cut it, not rounded. */
export function blurOf(gray: Gray, sigma: number): Float64Array {
  const radius = Math.ceil(3 * sigma) | 1;
  const weights = Array.from({ length: 2 * radius + 1 }, (_, j) =>
    Math.exp(-((j - radius) ** 2) / (2 * sigma * sigma)),
  );
  const sum = weights.reduce((a, b) => a + b);
  const { width, height } = gray;
  const across = new Float64Array(width * height);
  const out = new Float64Array(width * height);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++)
      for (const [j, weight] of weights.entries())
        across[y * width + x]! += (weight / sum) * pixelOf(gray, x + j - radius, y);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++)
      for (const [j, weight] of weights.entries()) {
        const row = Math.min(height - 1, Math.max(0, y + j - radius));
        out[y * width + x]! += (weight / sum) * across[row * width + x]!;
      }
  return out;
}

/** Gray less Sauvola's threshold, in real numbers: mean and deviation of each window from its pixels one by one. */
export function sauvolaOf({ width, height, data }: Gray, windowPx: number, k: number): Float64Array {
  const radius = (windowPx - 1) / 2;
  const out = new Float64Array(width * height);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      let n = 0;
      let sum = 0;
      let squares = 0;
      for (let v = Math.max(0, y - radius); v <= Math.min(height - 1, y + radius); v++)
        for (let u = Math.max(0, x - radius); u <= Math.min(width - 1, x + radius); u++) {
          const value = data[v * width + u]!;
          n++;
          sum += value;
          squares += value * value;
        }
      const mean = sum / n;
      const deviation = Math.sqrt(Math.max(0, squares / n - mean * mean));
      out[y * width + x] = data[y * width + x]! - mean * (1 + k * (deviation / 128 - 1));
    }
  return out;
}
