// Makers of pictures for tests: a PNG writer that is slow and obvious, for what encoders do not write, and small JPEG
// files. Random numbers are the same on every run.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { crc32, deflateSync } from "node:zlib";
import encodeJpeg, { init as initJpegEncoder } from "@jsquash/jpeg/encode.js";
import { decodeImage, type ErrorCode, type Image, KerfworkError } from "kerfwork";
import * as assert from "uvu/assert";

let seed = 1;
export const random = (n: number): number => {
  seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
  return Math.floor((seed / 2 ** 32) * n);
};

export const noise = (n: number, most = 256): Uint8Array =>
  Uint8Array.from({ length: n }, () => random(most));

export async function failure(run: () => unknown): Promise<KerfworkError> {
  try {
    await run();
  } catch (error) {
    assert.instance(error, KerfworkError);
    return error as KerfworkError;
  }
  throw new Error("nothing was thrown");
}

/** Decodes and expects to be refused with exactly this error. */
export async function refuses(bytes: Uint8Array, code: ErrorCode, message: string | RegExp): Promise<void> {
  const error = await failure(() => decodeImage(bytes));
  assert.is(error.code, code);
  if (typeof message === "string") assert.is(error.message, message);
  else assert.match(error.message, message);
}

export const channelsOf = (image: Image): number => image.data.length / (image.width * image.height);

export const text = (word: string): Uint8Array => new TextEncoder().encode(word);

export const bytesOf = (...parts: (Uint8Array | number[])[]): Uint8Array =>
  new Uint8Array(Buffer.concat(parts.map((part) => Buffer.from(part))));

export const u32 = (value: number): number[] => [24, 16, 8, 0].map((shift) => (value >>> shift) & 255);

export function chunk(type: string, body: Uint8Array | number[]): Uint8Array {
  const typed = bytesOf(text(type), body);
  return bytesOf(u32(body.length), typed, u32(crc32(typed)));
}

export interface Raw {
  readonly width: number;
  readonly height: number;
  readonly depth: number;
  readonly color: number;
  /** One number for each sample, row by row. */
  readonly samples: ArrayLike<number>;
  readonly interlaced?: boolean;
  readonly palette?: number[];
  readonly transparency?: number[];
}

export const PNG = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];

const PASSES = [
  [0, 0, 8, 8],
  [4, 0, 8, 8],
  [0, 4, 4, 8],
  [2, 0, 4, 4],
  [0, 2, 2, 4],
  [1, 0, 2, 2],
  [0, 1, 1, 2],
];

export function writePng(raw: Raw): Uint8Array {
  const { width, height, depth, color, samples } = raw;
  const perPixel = [1, 0, 3, 1, 2, 0, 4][color];
  const rows: number[] = [];
  for (const [x0, y0, dx, dy] of raw.interlaced ? PASSES : [[0, 0, 1, 1]]) {
    if (x0 >= width) continue;
    for (let y = y0; y < height; y += dy) {
      let bits = "";
      for (let x = x0; x < width; x += dx)
        for (let c = 0; c < perPixel; c++)
          bits += samples[(y * width + x) * perPixel + c].toString(2).padStart(depth, "0");
      rows.push(0);
      for (let i = 0; i < bits.length; i += 8)
        rows.push(Number.parseInt(bits.slice(i, i + 8).padEnd(8, "0"), 2));
    }
  }
  return bytesOf(
    PNG,
    chunk("IHDR", [...u32(width), ...u32(height), depth, color, 0, 0, raw.interlaced ? 1 : 0]),
    ...(raw.palette ? [chunk("PLTE", raw.palette)] : []),
    ...(raw.transparency ? [chunk("tRNS", raw.transparency)] : []),
    chunk("IDAT", deflateSync(Uint8Array.from(rows))),
    chunk("IEND", []),
  );
}

export const COLOR = 3;

export const GRAY = 1;

/** A JPEG of good quality with a value for each pixel, gray in either colour space. */
export async function jpegOf(
  width: number,
  height: number,
  value: (x: number, y: number) => number,
  space = COLOR,
) {
  const wasm = createRequire(import.meta.url).resolve("@jsquash/jpeg/codec/enc/mozjpeg_enc.wasm");
  await initJpegEncoder(new WebAssembly.Module(readFileSync(wasm)) as never);
  const data = new Uint8ClampedArray(4 * width * height);
  for (let i = 0; i < width * height; i++)
    data.set([0, 1, 2].map(() => value(i % width, Math.floor(i / width))).concat(255), 4 * i);
  const picture = { width, height, data, colorSpace: "srgb" as const };
  return new Uint8Array(await encodeJpeg(picture, { quality: 95, color_space: space as never }));
}

export function withOrientation(jpeg: Uint8Array, orientation: number, little: boolean): Uint8Array {
  const u16 = (value: number): number[] => (little ? [value & 255, value >> 8] : [value >> 8, value & 255]);
  const word = (value: number): number[] => (little ? [value, 0, 0, 0] : [0, 0, 0, value]);
  // a directory of two entries, of which the orientation is the second
  const tiff = [
    ...text(little ? "II" : "MM"),
    ...u16(42),
    ...word(8),
    ...u16(2),
    ...u16(0x0100),
    ...u16(3),
    ...word(1),
    ...u16(9),
    ...u16(0),
    ...u16(0x0112),
    ...u16(3),
    ...word(1),
    ...u16(orientation),
    ...u16(0),
    ...word(0),
  ];
  const body = [...text("Exif"), 0, 0, ...tiff];
  const length = body.length + 2;
  return bytesOf(jpeg.subarray(0, 2), [0xff, 0xe1, length >> 8, length & 255, ...body], jpeg.subarray(2));
}
