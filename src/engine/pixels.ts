import type { Image } from "./image.ts";
import type { Engine, Pointer, Stages } from "./memory.ts";

/** Bytes of the picture that are in kernel memory at a time: few calls, and still in the processor's cache. */
export const BAND_BYTES = 2 ** 18;
/** Gray levels that the opaque pixels of a picture span when they show something themselves. */
const CONTRAST = 64;

/** Whole rows, or a piece of one row that begins on a word of the bitmap. */
export interface Band {
  readonly x: number;
  readonly y: number;
  readonly columns: number;
  readonly rows: number;
  /** Pixels before the band, and in it. */
  readonly first: number;
  readonly pixels: number;
}

/** Rows of the highest band. */
export function bandRows(width: number, height: number, channels: number): number {
  return Math.min(height, Math.max(1, Math.floor(BAND_BYTES / channels / width)));
}

/** Cuts a picture into pieces of at most `BAND_BYTES`, in raster order. */
export function* bands(width: number, height: number, channels: number): Generator<Band> {
  const most = Math.floor(BAND_BYTES / channels);
  if (width <= most) {
    const step = bandRows(width, height, channels);
    for (let y = 0; y < height; y += step) yield rowsOf(width, y, Math.min(step, height - y));
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

export function rowsOf(width: number, y: number, rows: number): Band {
  return { x: 0, y, columns: width, rows, first: y * width, pixels: rows * width };
}

/** Copies a band into `room`, which has 8 bytes to spare. */
export function copyIn(
  engine: Engine,
  { data }: Image,
  { first, pixels: n }: Band,
  channels: number,
  room: Pointer,
): Pointer {
  const pixels = data.subarray(first * channels, (first + n) * channels);
  // at the same place within 8 bytes as in the source: copies into shared memory go byte by byte otherwise
  const at = (room + (pixels.byteOffset % 8)) as Pointer;
  engine.u8(at, pixels.length).set(pixels);
  return at;
}

/** What becomes gray: the colours laid over white, or the transparency. */
export type Source = "luma" | "alpha";

/** Reads a checked picture into kernel memory, as gray, band by band. */
export class GrayReader {
  readonly #engine: Engine;
  readonly #image: Image;
  readonly #stages: Stages;
  readonly #room: Pointer;
  #source: Source = "luma";
  readonly channels: number;

  /** Allocates on `engine`. */
  constructor(engine: Engine, image: Image, stages: Stages) {
    this.#engine = engine;
    this.#image = image;
    this.#stages = stages;
    this.channels = image.data.length / (image.width * image.height);
    this.#room = engine.alloc(BAND_BYTES + 8);
  }

  bands(): Generator<Band> {
    return bands(this.#image.width, this.#image.height, this.channels);
  }

  /** Decides what is read. For "auto" it looks at an RGBA picture from the top, until it meets some contrast. */
  choose(source: Source | "auto"): void {
    if (source !== "auto") this.#source = source;
    else if (this.channels === 4) this.#source = this.#isShapeAlone() ? "alpha" : "luma";
  }

  #isShapeAlone(): boolean {
    const span = this.#engine.push(new Int32Array([255, 0, 0]));
    for (const band of this.bands()) {
      const from = this.#copyIn(band);
      this.#stages.run(0, band.pixels, () => this.#engine.kernels.alphaSpan(from, band.pixels, span));
      const [darkest, lightest] = this.#engine.i32(span, 2);
      if (lightest! - darkest! >= CONTRAST) return false;
    }
    return this.#engine.i32(span, 3)[2] === 1;
  }

  /** Writes the gray of a band to `to`. */
  read(band: Band, to: Pointer, share: number): void {
    const { kernels } = this.#engine;
    const from = this.#copyIn(band);
    const n = band.pixels;
    this.#stages.run(share, n, () => {
      if (this.channels === 1) return kernels.moveBytes(from, to, n);
      if (this.#source === "alpha") return kernels.alphaGray(from, n, to);
      return kernels.luma(from, this.channels, n, to);
    });
  }

  #copyIn(band: Band): Pointer {
    return copyIn(this.#engine, this.#image, band, this.channels, this.#room);
  }
}
