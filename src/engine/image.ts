import { checkNumber, invalid, KerfworkError } from "../errors.ts";
import type { Engine, Pointer, Stages } from "./memory.ts";
import { DEFAULT_TONE, type Tone } from "./tone.ts";
import { Toner } from "./toner.ts";

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

/** A tone, with defaults for what is left out, except that a threshold has to be given. */
export interface BitmapOptions extends Partial<Tone> {
  readonly threshold: Tone["threshold"];
  /** Keeps the gray that the threshold was laid on, one byte a pixel (default false). */
  readonly keepGray?: boolean;
}

/** What `toBitmap` leaves on the engine's arena. */
export interface ToBitmap {
  readonly bitmap: Bitmap;
  /** The gray level that was laid on: as given, as Otsu found it, or 128 for "adaptive" and for a range. */
  readonly threshold: number;
  /**
   * With `keepGray`, u8[width * height], rows top down, after all tone work: a pixel is black in `bitmap` exactly where its
   * gray is below `threshold`, also with `invert`, which turns gray and threshold over. So the outline in gray is the
   * iso-line half a level below `threshold`. For "adaptive" it is 128 and how far the gray is from the threshold of its
   * surroundings, for a range 128 and how far it is outside, both cut to 0..255, so there is such an iso-line too.
   */
  readonly gray: Pointer | undefined;
}

/**
 * Turns a checked image into bits by a checked tone. The picture is read once, band by band (source "auto" looks twice at
 * RGBA down to the first contrast). A byte a pixel is kept for "otsu" until it returns, and for `keepGray`; else only the
 * rows that filters look at.
 */
export function toBitmap(
  engine: Engine,
  image: Image,
  options: BitmapOptions,
  stages: Stages,
  share: number,
): ToBitmap {
  const { width, height } = image;
  const words = Math.ceil(width / 64);
  const bitmap = { at: engine.alloc(words * 8 * height), width, height, words };
  const gray = options.keepGray ? engine.alloc(width * height) : undefined;
  const mark = engine.mark();
  const toner = new Toner(engine, image, { ...DEFAULT_TONE, ...options }, stages, share);
  const threshold = toner.fill(bitmap, gray);
  engine.release(mark);
  return { bitmap, threshold, gray };
}
