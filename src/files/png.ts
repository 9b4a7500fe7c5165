import { inflateSync } from "node:zlib";
import type { Image } from "../engine/image.ts";
import { KerfworkError } from "../errors.ts";
import { environment } from "../tasker/target.ts";
import { checkSize } from "./size.ts";

const GRAY = 0;
const RGB = 2;
const PALETTE = 3;
const GRAY_ALPHA = 4;
const RGBA = 6;

/** Samples a pixel, and the depths that each colour type may have; PNG specification, table 11.1. */
const COLOR_TYPES: Readonly<
  Record<number, { readonly samples: number; readonly depths: readonly number[] }>
> = {
  [GRAY]: { samples: 1, depths: [1, 2, 4, 8, 16] },
  [RGB]: { samples: 3, depths: [8, 16] },
  [PALETTE]: { samples: 1, depths: [1, 2, 4, 8] },
  [GRAY_ALPHA]: { samples: 2, depths: [8, 16] },
  [RGBA]: { samples: 4, depths: [8, 16] },
};

/** Parts of the picture in the order of the file: the whole of it, or the seven of Adam7; specification, 8.2. */
const WHOLE = [{ x: 0, y: 0, dx: 1, dy: 1 }];
const ADAM7 = [
  { x: 0, y: 0, dx: 8, dy: 8 },
  { x: 4, y: 0, dx: 8, dy: 8 },
  { x: 0, y: 4, dx: 4, dy: 8 },
  { x: 2, y: 0, dx: 4, dy: 4 },
  { x: 0, y: 2, dx: 2, dy: 4 },
  { x: 1, y: 0, dx: 2, dy: 2 },
  { x: 0, y: 1, dx: 1, dy: 2 },
];

/** Rows between two looks at the cancel word. */
const BATCH = 64;

interface Header {
  readonly width: number;
  readonly height: number;
  readonly depth: number;
  readonly color: number;
  readonly interlaced: boolean;
}

/** A file taken apart: its header, palette and transparency as they stand, and its compressed pixels in one piece. */
interface Parts extends Header {
  readonly palette: Uint8Array | undefined;
  readonly transparency: Uint8Array | undefined;
  readonly packed: Uint8Array;
}

/**
 * Decodes to gray, RGB or RGBA of 8 bits. See `decodeImage`.
 * Written here, over node's inflate, since each decoder tried makes a picture of some file that it should not, without a
 * word, and a laser would burn it: fast-png 8 of interlaced files below 8 bits, pngjs 7 of files with too few pixels and of
 * transparent grays, @jsquash/png 3 of wrong checksums.
 * Every critical chunk's checksum and the exact length of the pixel data are checked: a damaged file never becomes a
 * picture, and a small file cannot unpack to more than its header says.
 */
export function decodePng(bytes: Uint8Array, maxPixels: number): Image {
  const parts = readParts(bytes, maxPixels);
  const { width, height, depth, color } = parts;
  const bitsPerPixel = depth * COLOR_TYPES[color].samples;
  const passes = (parts.interlaced ? ADAM7 : WHOLE)
    .map(({ x, y, dx, dy }) => ({
      x,
      y,
      dx,
      dy,
      columns: Math.ceil((width - x) / dx),
      rows: Math.ceil((height - y) / dy),
    }))
    .filter(({ columns, rows }) => columns > 0 && rows > 0);
  const rowBytes = (columns: number): number => Math.ceil((columns * bitsPerPixel) / 8);
  const raw = inflate(
    parts.packed,
    passes.reduce((sum, { columns, rows }) => sum + rows * (1 + rowBytes(columns)), 0),
  );

  const painter = newPainter(parts);
  const { channels } = painter;
  const data = new Uint8Array(width * height * channels);
  const filterStep = Math.max(1, bitsPerPixel >> 3);
  const totalRows = passes.reduce((sum, { rows }) => sum + rows, 0);
  const { reporter } = environment();
  let at = 0;
  let done = 0;
  for (const { x, y, dx, dy, columns, rows } of passes) {
    const n = rowBytes(columns);
    // the row above the first one counts as zeros
    let above: Uint8Array = new Uint8Array(n);
    for (let row = 0; row < rows; row++) {
      if (done++ % BATCH === 0) {
        if (reporter.isCancelled()) throw new KerfworkError("CANCELED", "The work was canceled");
        reporter.beginStage(done / totalRows, 0, 1);
      }
      const line = raw.subarray(at + 1, at + 1 + n);
      unfilter(raw[at], line, above, filterStep);
      painter.paint(line, columns, data, ((y + row * dy) * width + x) * channels, dx * channels);
      above = line;
      at += 1 + n;
    }
  }
  return { width, height, data };
}

function readParts(bytes: Uint8Array, maxPixels: number): Parts {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let header: Header | undefined;
  let palette: Uint8Array | undefined;
  let transparency: Uint8Array | undefined;
  const packed: Uint8Array[] = [];
  let at = 8;
  while (true) {
    if (at + 12 > bytes.length) throw broken("it is truncated");
    const length = view.getUint32(at);
    const type = String.fromCharCode(...bytes.subarray(at + 4, at + 8));
    const end = at + 8 + length;
    if (end + 4 > bytes.length) throw broken(`it is truncated in chunk ${JSON.stringify(type)}`);
    const body = bytes.subarray(at + 8, end);
    // a lower-case first letter marks a chunk that pictures do not need; of those only tRNS is used
    const needed = (type.charCodeAt(0) & 0x20) === 0 || type === "tRNS";
    if (needed && crc32(bytes.subarray(at + 4, end)) !== view.getUint32(end))
      throw broken(`the checksum of chunk ${JSON.stringify(type)} at byte ${at} does not match`);
    if ((header === undefined) !== (type === "IHDR")) throw broken("its header is not its first chunk");
    if (type === "IHDR") {
      header = readHeader(body);
      checkSize(header.width, header.height, maxPixels);
    } else if (type === "PLTE") palette = body;
    else if (type === "tRNS") transparency = body;
    else if (type === "IDAT") packed.push(body);
    else if (type === "IEND") break;
    else if (needed) throw broken(`it needs the unknown chunk ${JSON.stringify(type)}`);
    at = end + 4;
  }
  if (packed.length === 0) throw broken("it holds no pixels");
  return { ...(header as Header), palette, transparency, packed: concat(packed) };
}

function readHeader(body: Uint8Array): Header {
  if (body.length !== 13) throw broken(`its header has ${body.length} bytes`);
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  const [width, height] = [view.getUint32(0), view.getUint32(4)];
  const [depth, color, compression, filter, interlace] = body.subarray(8);
  if (!COLOR_TYPES[color]?.depths.includes(depth) || compression !== 0 || filter !== 0 || interlace > 1)
    throw broken(`its header holds ${[depth, color, compression, filter, interlace].join(", ")}`);
  return { width, height, depth, color, interlaced: interlace === 1 };
}

/** The pixel data, exactly `length` bytes of it. */
function inflate(packed: Uint8Array, length: number): Uint8Array {
  let raw: Uint8Array;
  try {
    raw = inflateSync(packed, {
      maxOutputLength: length,
      chunkSize: Math.min(Math.max(length, 1024), 1 << 20),
    });
  } catch (cause) {
    if ((cause as { code?: string }).code === "ERR_BUFFER_TOO_LARGE")
      throw broken("it holds more pixels than its header says");
    throw broken((cause as Error).message, cause);
  }
  if (raw.length < length) throw broken("it holds fewer pixels than its header says");
  return raw;
}

/** Undoes the filter of one row in place; specification, 9.2. `step` is the distance to the byte on the left. */
function unfilter(filter: number, line: Uint8Array, above: Uint8Array, step: number): void {
  const n = line.length;
  if (filter === 1) for (let i = step; i < n; i++) line[i] += line[i - step];
  else if (filter === 2) for (let i = 0; i < n; i++) line[i] += above[i];
  else if (filter === 3) {
    for (let i = 0; i < Math.min(step, n); i++) line[i] += above[i] >> 1;
    for (let i = step; i < n; i++) line[i] += (line[i - step] + above[i]) >> 1;
  } else if (filter === 4) {
    for (let i = 0; i < Math.min(step, n); i++) line[i] += above[i];
    for (let i = step; i < n; i++) line[i] += paeth(line[i - step], above[i], above[i - step]);
  } else if (filter !== 0) throw broken(`a row has filter ${filter}`);
}

/** Whichever of left, above and upper left is nearest to left + above - upper left; ties go in that order. */
function paeth(left: number, above: number, corner: number): number {
  const toLeft = Math.abs(above - corner);
  const toAbove = Math.abs(left - corner);
  const toCorner = Math.abs(left + above - 2 * corner);
  return toLeft <= toAbove && toLeft <= toCorner ? left : toAbove <= toCorner ? above : corner;
}

/** Writes the pixels of one row into `out`, the first at `at`, each `step` bytes behind the one before. */
interface Painter {
  /** Channels of the picture: 1, 3 or 4. */
  readonly channels: number;
  paint(line: Uint8Array, columns: number, out: Uint8Array, at: number, step: number): void;
}

function newPainter(parts: Parts): Painter {
  if (parts.color === PALETTE) return newPalettePainter(parts);
  const { width, depth, color, transparency } = parts;
  const { samples } = COLOR_TYPES[color];
  // the one colour that stands for transparent, as samples of the file
  const keyed = color === GRAY || color === RGB ? transparency : undefined;
  if (keyed !== undefined && keyed.length !== 2 * samples) throw broken("its transparent colour is cut");
  const key = keyed && Array.from({ length: samples }, (_, i) => (keyed[2 * i] << 8) | keyed[2 * i + 1]);
  const alpha = color === GRAY_ALPHA || color === RGBA || key !== undefined;
  const channels = alpha ? 4 : samples;
  const isCopy = depth === 8 && channels === samples;
  const values = new Uint16Array(width * samples);
  const most = 2 ** depth - 1;
  const scaled = Uint8Array.from({ length: most + 1 }, (_, value) => Math.round((value * 255) / most));

  return {
    channels,
    paint(line, columns, out, at, step) {
      if (isCopy && step === channels) {
        out.set(line, at);
        return;
      }
      readSamples(line, depth, columns * samples, values);
      for (let i = 0, from = 0, to = at; i < columns; i++, from += samples, to += step) {
        if (channels === 4) {
          const gray = samples <= 2;
          for (let c = 0; c < 3; c++) out[to + c] = scaled[values[from + (gray ? 0 : c)]];
          out[to + 3] = key
            ? key.every((value, c) => value === values[from + c])
              ? 0
              : 255
            : scaled[values[from + samples - 1]];
        } else for (let c = 0; c < channels; c++) out[to + c] = scaled[values[from + c]];
      }
    },
  };
}

function newPalettePainter({ width, depth, palette, transparency }: Parts): Painter {
  if (palette === undefined || palette.length === 0 || palette.length % 3 !== 0)
    throw broken("its palette is missing or cut");
  const colors = palette.length / 3;
  const alphas = transparency ?? new Uint8Array(0);
  const isOpaque = alphas.subarray(0, colors).every((alpha) => alpha === 255);
  const isGray = Array.from({ length: colors }).every(
    (_, i) => palette[3 * i] === palette[3 * i + 1] && palette[3 * i] === palette[3 * i + 2],
  );
  const channels = !isOpaque ? 4 : isGray ? 1 : 3;
  const indexes = new Uint16Array(width);

  return {
    channels,
    paint(line, columns, out, at, step) {
      readSamples(line, depth, columns, indexes);
      for (let i = 0, to = at; i < columns; i++, to += step) {
        const index = indexes[i];
        if (index >= colors) throw broken(`a pixel has colour ${index} of a palette of ${colors}`);
        for (let c = 0; c < Math.min(channels, 3); c++) out[to + c] = palette[3 * index + c];
        if (channels === 4) out[to + 3] = index < alphas.length ? alphas[index] : 255;
      }
    },
  };
}

/** The first `count` samples of a row as numbers; below 8 bits the left one sits in the high bits. */
function readSamples(line: Uint8Array, depth: number, count: number, values: Uint16Array): void {
  if (depth === 8) values.set(line.subarray(0, count));
  else if (depth === 16) for (let i = 0; i < count; i++) values[i] = (line[2 * i] << 8) | line[2 * i + 1];
  else {
    const mask = 2 ** depth - 1;
    const perByte = 8 / depth;
    for (let i = 0; i < count; i++) {
      const shift = 8 - depth * (1 + (i % perByte));
      values[i] = (line[Math.floor(i / perByte)] >> shift) & mask;
    }
  }
}

function concat(pieces: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  return value;
});

/** The checksum of PNG chunks; specification, annex D. */
function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (let i = 0; i < bytes.length; i++) crc = CRC_TABLE[(crc ^ bytes[i]) & 255] ^ (crc >>> 8);
  return ~crc >>> 0;
}

function broken(why: string, cause?: unknown): KerfworkError {
  return new KerfworkError("BROKEN_IMAGE", `Expected a whole PNG image, got a damaged one: ${why}`, {
    ...(cause === undefined ? {} : { cause }),
  });
}
