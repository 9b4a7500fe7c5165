import { checkNumber, invalid, KerfworkError } from "../errors.ts";
import type { Engine, Pointer, Stages } from "./memory.ts";

/** Pixels, rows top down. Channels = `data.length / (width * height)`: 1 gray, 3 RGB, 4 RGBA with straight alpha. */
export interface Image {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array;
}

/** Pixels whose corners kernels can number in 32 bits. */
const MAX_PIXELS = 2 ** 30;

/**
 * Checks an image; every public function that takes one calls this first.
 *
 * @returns bytes per pixel
 * @throws INVALID_ARGUMENT   sides that are not integers >= 1, more than 2^30 pixels, or data that is not 1, 3 or 4 bytes for each pixel
 */
export function checkImage(image: Image): 1 | 3 | 4 {
  if (typeof image !== "object" || image === null)
    throw invalid("image", "an object with `width`, `height` and `data`", image);
  const { width, height, data } = image;
  checkNumber("image.width", width, { min: 1, integer: true });
  checkNumber("image.height", height, { min: 1, integer: true });
  if (width * height > MAX_PIXELS) {
    const got = `${width} x ${height}`;
    throw new KerfworkError(
      "INVALID_ARGUMENT",
      `Expected \`image\` to have at most ${MAX_PIXELS} pixels, got ${got}`,
    );
  }
  const channels = isBytes(data) ? data.length / (width * height) : 0;
  if (channels !== 1 && channels !== 3 && channels !== 4)
    throw invalid("image.data", `1, 3 or 4 bytes for each of ${width} x ${height} pixels`, data);
  return channels;
}

/** Of any realm: pictures come from windows and sandboxes too. */
function isBytes(value: unknown): value is Uint8Array {
  return ArrayBuffer.isView(value) && (value as Uint8Array)[Symbol.toStringTag] === "Uint8Array";
}

/**
 * A black and white picture in kernel memory: `words` u64 a row, bit 0 the left pixel, 1 black, bits past `width` 0.
 */
export interface Bitmap {
  readonly at: Pointer;
  readonly width: number;
  readonly height: number;
  readonly words: number;
}

export interface BitmapOptions {
  /** Gray below it is black: 0..255, or chosen by Otsu's method. */
  readonly threshold: "otsu" | number;
  /** Exchanges black and white. */
  readonly invert: boolean;
  /** Keeps the gray that the threshold was laid on, one byte a pixel (default false). */
  readonly keepGray?: boolean;
}

/** What `toBitmap` leaves on the engine's arena. */
export interface ToBitmap {
  readonly bitmap: Bitmap;
  /** The gray level that was used: pixels below it are black. */
  readonly threshold: number;
  /**
   * With `keepGray`, u8[width * height], rows top down, after all tone work: a pixel is black in `bitmap` exactly where its
   * gray is below `threshold`, also with `invert`, which turns gray and threshold over. So the outline in gray is the
   * iso-line half a level below `threshold`.
   */
  readonly gray: Pointer | undefined;
}

/** Bytes of the picture that are in kernel memory at a time: few calls, and still in the processor's cache. */
const BAND_BYTES = 2 ** 18;

/** Whole rows, or a piece of one row that begins on a word of the bitmap. */
interface Band {
  readonly x: number;
  readonly y: number;
  readonly columns: number;
  readonly rows: number;
  /** Pixels before the band, and in it. */
  readonly first: number;
  readonly pixels: number;
}

function* bands(width: number, height: number, channels: number): Generator<Band> {
  const most = Math.floor(BAND_BYTES / channels);
  if (width <= most) {
    const step = Math.floor(most / width);
    for (let y = 0; y < height; y += step) {
      const rows = Math.min(step, height - y);
      yield { x: 0, y, columns: width, rows, first: y * width, pixels: rows * width };
    }
    return;
  }
  const step = most - (most % 64);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x += step) {
      const columns = Math.min(step, width - x);
      yield { x, y, columns, rows: 1, first: y * width + x, pixels: columns };
    }
  }
}

/**
 * Turns a checked image into bits. The picture is read once, band by band; "otsu" keeps one byte a pixel until it
 * returns, a fixed threshold none, unless the gray is wanted.
 */
export function toBitmap(
  engine: Engine,
  image: Image,
  { threshold, invert, keepGray = false }: BitmapOptions,
  stages: Stages,
  share: number,
): ToBitmap {
  const { width, height } = image;
  const words = Math.ceil(width / 64);
  const bitmap = { at: engine.alloc(words * 8 * height), width, height, words };
  const kept = keepGray ? engine.alloc(width * height) : undefined;
  const mark = engine.mark();
  const level =
    threshold === "otsu"
      ? packByOtsu(engine, image, bitmap, invert, kept, stages, share)
      : packBelow(engine, image, bitmap, threshold, invert, kept, stages, share);
  engine.release(mark);
  if (kept === undefined || !invert) return { bitmap, threshold: level, gray: kept };
  const gray = engine.u8(kept, width * height);
  for (let i = 0; i < gray.length; i++) gray[i] = 255 - gray[i]!;
  return { bitmap, threshold: 256 - level, gray: kept };
}

function packBelow(
  engine: Engine,
  image: Image,
  bitmap: Bitmap,
  threshold: number,
  invert: boolean,
  kept: Pointer | undefined,
  stages: Stages,
  share: number,
): number {
  const channels = channelsOf(image);
  const room = engine.alloc(BAND_BYTES + 8);
  const scratch = engine.alloc(kept === undefined ? BAND_BYTES : 0);
  for (const band of bands(image.width, image.height, channels)) {
    const part = (share * band.pixels) / (image.width * image.height);
    const gray = kept === undefined ? scratch : offset(kept, band.first);
    grayOf(engine, image, band, room, gray, stages, part * 0.8);
    pack(engine, gray, band, bitmap, threshold, invert, stages, part * 0.2);
  }
  return threshold;
}

function packByOtsu(
  engine: Engine,
  image: Image,
  bitmap: Bitmap,
  invert: boolean,
  kept: Pointer | undefined,
  stages: Stages,
  share: number,
): number {
  const channels = channelsOf(image);
  const total = image.width * image.height;
  const tables = engine.push(new Uint32Array(4 * 256));
  const gray = kept ?? engine.alloc(total);
  const room = engine.alloc(BAND_BYTES + 8);
  for (const band of bands(image.width, image.height, channels)) {
    const part = (share * band.pixels) / total;
    const at = offset(gray, band.first);
    grayOf(engine, image, band, room, at, stages, part * 0.4);
    stages.run(part * 0.4, band.pixels, () => engine.kernels.histogram(at, band.pixels, tables));
  }
  const threshold = engine.kernels.otsu(tables);
  for (const band of bands(image.width, image.height, 1)) {
    const part = (share * band.pixels) / total;
    pack(engine, offset(gray, band.first), band, bitmap, threshold, invert, stages, part * 0.2);
  }
  return threshold;
}

/** Writes the gray of a band to `gray`. */
function grayOf(
  engine: Engine,
  image: Image,
  band: Band,
  room: Pointer,
  gray: Pointer,
  stages: Stages,
  share: number,
): void {
  const channels = channelsOf(image);
  if (channels === 1) {
    engine.u8(gray, band.pixels).set(pixelsOf(image, band, 1));
    return;
  }
  const from = copyIn(engine, image, band, channels, room);
  stages.run(share, band.pixels, () => engine.kernels.luma(from, channels, band.pixels, gray));
}

function pack(
  engine: Engine,
  gray: Pointer,
  { x, y, columns, rows }: Band,
  { at, words }: Bitmap,
  threshold: number,
  invert: boolean,
  stages: Stages,
  share: number,
): void {
  const bits = offset(at, (y * words + x / 64) * 8);
  stages.run(share, rows, () =>
    engine.kernels.threshold(gray, columns, rows, bits, words, threshold, invert ? 1 : 0),
  );
}

/** Copies a band into `room`. */
function copyIn(engine: Engine, image: Image, band: Band, channels: number, room: Pointer): Pointer {
  const pixels = pixelsOf(image, band, channels);
  // at the same place within 8 bytes as in the source: copies into shared memory go byte by byte otherwise
  const at = offset(room, pixels.byteOffset % 8);
  engine.u8(at, pixels.length).set(pixels);
  return at;
}

function pixelsOf({ data }: Image, { first, pixels }: Band, channels: number): Uint8Array {
  return data.subarray(first * channels, (first + pixels) * channels);
}

function channelsOf({ width, height, data }: Image): number {
  return data.length / (width * height);
}

function offset(at: Pointer, bytes: number): Pointer {
  return (at + bytes) as Pointer;
}
