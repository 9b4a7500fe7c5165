import { type Borders, extract } from "../src/engine/contours.ts";
import { type Image, toBitmap } from "../src/engine/image.ts";
import { type Engine, type Pointer, Stages } from "../src/engine/memory.ts";
import type { Ops } from "../src/engine/ops.ts";
import type { Curves } from "../src/engine/trace.ts";
import type { Entrant, Result } from "./harness.ts";
import { contourRoom, contours, countCorners } from "./reference/contour.ts";
import { flattenCount, flattenFill } from "./reference/flatten.ts";
import { Tour } from "./reference/order.ts";
import { writeOps } from "./reference/text.ts";
import * as tone from "./reference/tone.ts";

/**
 * A kernel and its reference on one input, each with its own copy where it finds data in real work: in kernel memory, in
 * typed arrays. The benches time pairs, the tests hold them equal. Kernel memory is allocated on `engine` and given
 * back by the caller.
 */
export interface Pair {
  readonly items: number;
  readonly kernel: Entrant;
  readonly reference: Entrant;
}

/** RGB or RGBA to gray; the count of pixels is a multiple of 4. `gray` and `jsGray` are where the results are. */
export function lumaPair(engine: Engine, bytes: Uint8Array, channels: 3 | 4): Pair & Grays {
  const n = bytes.length / channels;
  const pixels = engine.push(bytes);
  const gray = engine.alloc(n);
  const jsGray = new Uint8Array(n);
  const words = new Int32Array(jsGray.buffer);
  const jsPixels = new Int32Array(bytes.buffer, bytes.byteOffset, bytes.length >> 2);
  const jsLuma = channels === 4 ? tone.lumaRgba : tone.lumaRgb;
  return {
    items: n,
    gray,
    jsGray,
    kernel: {
      run: () => engine.kernels.luma(pixels, channels, n, gray),
      result: () => engine.u8(gray, n),
    },
    reference: { run: () => jsLuma(jsPixels, words), result: () => jsGray },
  };
}

/** The same gray pixels in kernel memory and in a typed array. */
export interface Grays {
  readonly gray: Pointer;
  readonly jsGray: Uint8Array;
}

/** Gray to four tables of counts, which `otsuPair` goes on with. */
export function histogramPair(engine: Engine, { gray, jsGray }: Grays): Pair & Tables {
  const tables = engine.alloc(4096);
  const jsTables = new Uint32Array(1024);
  const words = new Int32Array(jsGray.buffer, jsGray.byteOffset, jsGray.length >> 2);
  const sums = (counts: Uint32Array): Uint32Array =>
    Uint32Array.from(
      { length: 256 },
      (_, i) => counts[i] + counts[256 + i] + counts[512 + i] + counts[768 + i],
    );
  return {
    items: jsGray.length,
    tables,
    jsTables,
    kernel: {
      run: () => {
        engine.u32(tables, 1024).fill(0);
        engine.kernels.histogram(gray, jsGray.length, tables);
      },
      result: () => sums(engine.u32(tables, 1024)),
    },
    reference: { run: () => tone.histogram(words, jsTables), result: () => sums(jsTables) },
  };
}

export interface Tables {
  readonly tables: Pointer;
  readonly jsTables: Uint32Array;
}

export function otsuPair(engine: Engine, { tables, jsTables }: Tables): Pair {
  let level = 0;
  let jsLevel = 0;
  return {
    items: 1,
    kernel: {
      run: () => {
        level = engine.kernels.otsu(tables);
      },
      result: () => level,
    },
    reference: {
      run: () => {
        jsLevel = tone.otsu(jsTables);
      },
      result: () => jsLevel,
    },
  };
}

/** Gray to bits; the width is a multiple of 4. */
export function thresholdPair(
  engine: Engine,
  grays: Grays,
  width: number,
  height: number,
  level: number,
): Pair {
  const words = (width + 63) >> 6;
  const bits = engine.alloc(words * 8 * height);
  const jsBits = new Int32Array(words * 2 * height);
  const jsGray = grays.jsGray.subarray(0, width * height);
  return {
    items: width * height,
    kernel: {
      run: () => engine.kernels.threshold(grays.gray, width, height, bits, words, level, 0),
      result: () => engine.i32(bits, jsBits.length),
    },
    reference: { run: () => tone.threshold(jsGray, width, height, level, jsBits), result: () => jsBits },
  };
}

/** An opaque RGBA picture of the caller's to bits, copies included, as tracing begins; the width is a multiple of 4. */
export function bitmapPair(engine: Engine, image: Image, level: number): Pair {
  const { width, height, data } = image;
  const rows = 40;
  const words = ((width + 63) >> 6) * 2;
  const jsBits = new Int32Array(words * height);
  const jsGray = new Uint8Array(width * rows);
  const jsWords = new Int32Array(jsGray.buffer);
  const jsPixels = new Int32Array(data.buffer, data.byteOffset, width * height);
  let at = 0 as Pointer;
  return {
    items: width * height,
    kernel: {
      run: () => {
        const start = engine.mark();
        at = toBitmap(engine, image, { threshold: level, invert: false }, new Stages(), 1).bitmap.at;
        engine.release(start);
      },
      result: () => engine.i32(at, jsBits.length),
    },
    reference: {
      run: () => {
        for (let y = 0; y < height; y += rows) {
          const count = Math.min(rows, height - y);
          const band = jsPixels.subarray(y * width, (y + count) * width);
          tone.lumaRgba(band, jsWords.subarray(0, band.length >> 2));
          tone.threshold(jsGray.subarray(0, band.length), width, count, level, jsBits.subarray(y * words));
        }
      },
      result: () => jsBits,
    },
  };
}

/** Bits, in rows of 64-bit words, to nested borders. */
export function contourPair(engine: Engine, picture: Int32Array, width: number, height: number): Pair {
  const corners = countCorners(picture, width, height);
  const room = contourRoom(width, height, corners);
  const bitmap = { at: engine.push(picture), width, height, words: (width + 63) >> 6 };
  let borders: Borders | undefined;
  let count = 0;
  return {
    items: width * height,
    kernel: {
      run: () => {
        const start = engine.mark();
        borders = extract(engine, bitmap, { despecklePx: 0 }, new Stages(), 1);
        engine.release(start); // what lies there stays readable until the next allocation
      },
      result: () => {
        const { contours, corners, ends, points, depth } = borders as Borders;
        return [
          contours,
          engine.u32(ends, contours),
          engine.i32(points, 2 * corners),
          engine.u16(depth, contours),
        ];
      },
    },
    reference: {
      run: () => {
        count = contours(picture, room);
      },
      result: () => [
        count,
        room.ends.subarray(0, count),
        room.points.subarray(0, 2 * corners),
        room.depth.subarray(0, count),
      ],
    },
  };
}

/** Cubics to lines: a pass that counts and one that fills. Items are the points that come out. */
export function flattenPair(engine: Engine, curves: Curves, tolerance: number): Pair {
  const { kernels } = engine;
  const contours = curves.ends.length;
  const ends = engine.push(curves.ends);
  const kinds = engine.push(curves.kinds);
  const xy = engine.push(curves.xy);
  const jsEnds = new Uint32Array(contours);
  const total = flattenCount(curves, tolerance, jsEnds);
  const jsOut = new Float32Array(2 * total);
  const outEnds = engine.alloc(4 * contours);
  const out = engine.alloc(8 * total);
  return {
    items: total,
    kernel: {
      run: () => {
        kernels.flattenCount(ends, contours, kinds, xy, tolerance, outEnds);
        kernels.flattenFill(ends, contours, kinds, xy, tolerance, out);
      },
      result: () => [engine.u32(outEnds, contours), engine.f32(out, 2 * total)],
    },
    reference: {
      run: () => {
        flattenCount(curves, tolerance, jsEnds);
        flattenFill(curves, tolerance, jsOut);
      },
      result: () => [jsEnds, jsOut],
    },
  };
}

/** Near ends among which moves are tried, as in the engine. */
const NEAR = 8;

/** Open paths, two ends each and the head's own behind them, to a tour by nearest neighbour, and that tour to a shorter. */
export function orderPairs(engine: Engine, places: Float32Array): { nearest: Pair; improve: Pair } {
  const { kernels } = engine;
  const n = (places.length >> 2) - 1;
  const numbers = (length: number, value: (i: number) => number): Pointer =>
    engine.push(Uint32Array.from({ length }, (_, i) => value(i)));
  const xy = engine.push(places);
  const ends = engine.push(places);
  const first = numbers(n + 1, (i) => 2 * i);
  const candidates = numbers(2 * n, (i) => i);
  const owner = numbers(2 * n, (i) => i >> 1);
  const nobody = numbers(n + 1, () => 0); // nothing lies inside anything
  const pending = numbers(n, () => 0);
  const closed = engine.push(new Uint8Array(n));
  const entry = engine.alloc(4 * n);
  const tour = engine.alloc(4 * (n + 1));
  const count = 2 * (n + 1);
  const grid = engine.alloc(kernels.gridBytes(count, count) + 8 * (NEAR + 1));
  const near = engine.alloc(4 * count * NEAR);
  const scratch = engine.alloc(kernels.improveBytes(n));
  const reference = new Tour(places, NEAR);
  const result = (): Result => engine.i32(tour, n + 1);
  const jsResult = (): Result => reference.tour;
  reference.nearest();
  const byNearest = reference.tour.slice();
  return {
    nearest: {
      items: n,
      kernel: {
        run: () => {
          engine.u32(pending, n).fill(0);
          kernels.nearestTour(
            xy,
            2 * n,
            first,
            closed,
            n,
            candidates,
            2 * n,
            owner,
            1,
            nobody,
            nobody,
            pending,
            nobody,
            0 as Pointer,
            ends,
            entry,
            tour,
            grid,
          );
        },
        result,
      },
      reference: { run: () => reference.nearest(), result: jsResult },
    },
    improve: {
      items: n,
      kernel: {
        run: () => {
          engine.i32(tour, n + 1).set(byNearest);
          kernels.nearEnds(ends, count, NEAR, 0, near, grid);
          kernels.improveTour(
            ends,
            n,
            near,
            NEAR,
            0,
            1,
            closed,
            0 as Pointer,
            nobody,
            0 as Pointer,
            1,
            tour,
            scratch,
          );
        },
        result,
      },
      reference: {
        run: () => {
          reference.tour.set(byNearest);
          reference.improve();
        },
        result: jsResult,
      },
    },
  };
}

/** x, y, s, f, motion and lines of a text without a line. */
const NOTHING_SET = [0x7fffffff, 0x7fffffff, -1, -1, -1, 0] as const;

/** Travels and lines to G-code; `points` has one point more in front, where the first move starts. */
export function textPair(engine: Engine, ops: Ops, points: Float32Array): Pair {
  const { kernels } = engine;
  const n = ops.kinds.length;
  const kinds = engine.push(ops.kinds);
  const xy = engine.push(points);
  const centers = engine.push(ops.centers);
  const power = engine.push(ops.power);
  const speed = engine.push(ops.speed);
  const table = engine.alloc(4000);
  kernels.layDigits(table);
  const modal = engine.alloc(28);
  const lineOfOp = engine.alloc(4 * n);
  const bytes = engine.alloc(80 * n + 8);
  let size = 0;
  const jsLineOfOp = new Int32Array(n);
  const jsBytes = new Uint8Array(80 * n + 8);
  const jsText = new DataView(jsBytes.buffer);
  let jsSize = 0;
  return {
    items: n,
    kernel: {
      run: () => {
        engine.i32(modal, 6).set(NOTHING_SET);
        size = kernels.writeOps(
          kinds,
          xy,
          centers,
          power,
          speed,
          0 as Pointer,
          n,
          1000,
          modal,
          table,
          lineOfOp,
          bytes,
        );
      },
      result: () => [size, engine.u8(bytes, size), engine.i32(lineOfOp, n)],
    },
    reference: {
      run: () => {
        const [x, y, s, f, motion, lines] = NOTHING_SET;
        jsSize = writeOps(ops, points, 1000, { x, y, s, f, motion, lines }, jsLineOfOp, jsText);
      },
      result: () => [jsSize, jsBytes.subarray(0, jsSize), jsLineOfOp],
    },
  };
}
