// The colours of a picture to a palette, and pixels to palette entries. Pixels are counted in cells of 4 x 4 x 4 levels
// (gray ones level by level); all further work is on the cells that occur, in OKLab, where distances are as they look.

import { checkpoint, STOPPED } from "./control";
import { A, B, COLOR, L, nearestColor, nearestFour, W } from "./_lab";

/** Pixels between two looks at the control block: some 20 us of work. */
const BATCH: i32 = 8192;
/** Cells between two looks. */
const CELLS: i32 = 256;
/** Alpha from which a pixel counts. */
const OPAQUE: u32 = 128;
/** The label of pixels that do not. */
const NONE: u8 = 255;
/** Bytes of one cell's tally: u32 pixels, then u32 sums of red, green and blue from the cell's lowest level on. */
const TALLY: usize = 16;

// @ts-ignore: decorator
@inline
function cellOf(r: u32, g: u32, b: u32): usize {
  return ((r >> 2) << 12) | ((g >> 2) << 6) | (b >> 2);
}

/**
 * Counts the colours of a run of pixels.
 *
 * pixels   u8[channels * n]; 1 channel gray, 3 RGB, 4 RGBA, of which those with alpha below 128 are left out
 * tally    16 bytes [2^8 for gray, else 2^18], added to: u32 pixels, and the sums of r & 3, g & 3, b & 3 (0 for gray)
 * returns  0, or STOPPED; reports pixels
 * cost     1..3 ns a pixel
 * source   own
 */
export function countColors(pixels: usize, channels: i32, n: i32, tally: usize): i32 {
  for (let done = 0; done < n; done += BATCH) {
    const count = min(BATCH, n - done);
    const from = pixels + <usize>done * channels;
    if (channels == 1) countLevels(from, from + <usize>count, tally);
    else if (channels == 3) countRgb(from, from + <usize>count * 3, tally);
    else countRgba(from, from + ((<usize>count) << 2), tally);
    if (checkpoint(done + count)) return STOPPED;
  }
  return 0;
}

// @ts-ignore: decorator
@inline
function addColor(slot: usize, r: u32, g: u32, b: u32): void {
  store<u64>(slot, load<u64>(slot) + (1 | (<u64>(r & 3) << 32)));
  store<u64>(slot, load<u64>(slot, 8) + (<u64>(g & 3) | (<u64>(b & 3) << 32)), 8);
}

function countLevels(p: usize, end: usize, tally: usize): void {
  for (; p < end; p++) addColor(tally + <usize>load<u8>(p) * TALLY, 0, 0, 0);
}

function countRgb(p: usize, end: usize, tally: usize): void {
  for (; p < end; p += 3) {
    const r = <u32>load<u8>(p);
    const g = <u32>load<u8>(p, 1);
    const b = <u32>load<u8>(p, 2);
    addColor(tally + cellOf(r, g, b) * TALLY, r, g, b);
  }
}

function countRgba(p: usize, end: usize, tally: usize): void {
  for (; p < end; p += 4) {
    if (<u32>load<u8>(p, 3) < OPAQUE) continue;
    const r = <u32>load<u8>(p);
    const g = <u32>load<u8>(p, 1);
    const b = <u32>load<u8>(p, 2);
    addColor(tally + cellOf(r, g, b) * TALLY, r, g, b);
  }
}

/**
 * The number of cells that occur.
 *
 * tally    as `countColors` leaves it; `cells` entries
 * returns  the number, or STOPPED; reports table entries
 * cost     0.5 ns a cell
 */
export function countCells(tally: usize, cells: i32): i32 {
  let n = 0;
  for (let done = 0; done < cells; done += BATCH) {
    n += countFilled(tally + <usize>done * TALLY, tally + <usize>min(cells, done + BATCH) * TALLY);
    if (checkpoint(done)) return STOPPED;
  }
  return n;
}

function countFilled(p: usize, end: usize): i32 {
  let n = 0;
  for (; p < end; p += TALLY) n += <i32>(load<u32>(p) != 0);
  return n;
}

/** Linear light of a level between two whole ones. */
// @ts-ignore: decorator
@inline
function lightOf(linear: usize, level: f64): f64 {
  const whole = min(254, <i32>level);
  const p = linear + (<usize>whole << 3);
  return load<f64>(p) + (level - <f64>whole) * (load<f64>(p, 8) - load<f64>(p));
}

/**
 * Lists the cells that occur, each with the mean of its pixels in OKLab.
 *
 * tally    as `countColors` leaves it; `cells` entries, 2^8 of gray or 2^18; those that occur become L, a, b, pixels
 * linear   f64[256]: linear light of each level of sRGB, 0..1
 * colors   f32[4 * result], written: L, a, b, pixels; room for `countCells`
 * keys     u32[result], written: the cell
 * returns  cells written, or STOPPED; reports table entries
 * cost     0.5 ns a table entry, 0.1 us a cell
 * source   Ottosson, A perceptual color space for image processing, 2020
 */
export function listCells(tally: usize, cells: i32, linear: usize, colors: usize, keys: usize): i32 {
  let n = 0;
  for (let done = 0; done < cells; done += CELLS) {
    n = listBatch(tally, done, min(cells, done + CELLS), cells == 256, linear, colors, keys, n);
    if (checkpoint(done)) return STOPPED;
  }
  return n;
}

function listBatch(
  tally: usize,
  cell: i32,
  end: i32,
  gray: bool,
  linear: usize,
  colors: usize,
  keys: usize,
  n: i32,
): i32 {
  for (; cell < end; cell++) {
    const p = tally + <usize>cell * TALLY;
    const pixels = load<u32>(p);
    if (pixels == 0) continue;
    const inverse = 1 / <f64>pixels;
    const r = <f64>(gray ? cell : (cell >> 10) & 0xfc) + inverse * <f64>load<u32>(p, 4);
    const g = <f64>(gray ? cell : (cell >> 4) & 0xfc) + inverse * <f64>load<u32>(p, 8);
    const b = <f64>(gray ? cell : (cell << 2) & 0xfc) + inverse * <f64>load<u32>(p, 12);
    const to = colors + <usize>n * COLOR;
    toLab(lightOf(linear, r), lightOf(linear, g), lightOf(linear, b), to);
    store<f32>(to, <f32>pixels, W);
    memory.copy(p, to, COLOR);
    store<u32>(keys + (<usize>n << 2), cell);
    n++;
  }
  return n;
}

/** Linear light to OKLab. */
function toLab(r: f64, g: f64, b: f64, to: usize): void {
  const l = Math.cbrt(0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b);
  const m = Math.cbrt(0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b);
  const s = Math.cbrt(0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b);
  store<f32>(to, <f32>(0.2104542553 * l + 0.793617785 * m - 0.0040720468 * s), L);
  store<f32>(to, <f32>(1.9779984951 * l - 2.428592205 * m + 0.4505937099 * s), A);
  store<f32>(to, <f32>(0.0259040371 * l + 0.7827717662 * m - 0.808675766 * s), B);
}

/**
 * Moves palette colours to the means of the cells nearest to them, until no cell changes sides or `rounds` are done.
 * A colour that is nearest to none stays where it is.
 *
 * colors   f32[4 * count]: L, a, b, weight > 0
 * palette  f32[4 * k], read and written: L, a, b, unused; 1 <= k <= 64
 * sums     f64[4 * k] scratch
 * nearest  u8[count] scratch
 * returns  rounds done, or STOPPED; reports cells of all rounds
 * cost     about 1 ns a cell, colour and round
 * source   k-means on a histogram: Celebi, Improving the performance of k-means for color quantization, 2011
 */
export function refinePalette(
  colors: usize,
  count: i32,
  palette: usize,
  k: i32,
  sums: usize,
  nearest: usize,
  rounds: i32,
): i32 {
  memory.fill(nearest, NONE, <usize>count);
  for (let round = 0; round < rounds; round++) {
    memory.fill(sums, 0, <usize>k << 5);
    let moved = 0;
    for (let i = 0; i < count; i += CELLS) {
      moved += sumNearest(colors, i, min(count, i + CELLS), palette, k, sums, nearest);
      if (checkpoint(<i32>min<i64>(<i64>round * count + i, i32.MAX_VALUE))) return STOPPED;
    }
    if (moved == 0) return round;
    for (let c = 0; c < k; c++) {
      const sum = sums + (<usize>c << 5);
      const weight = load<f64>(sum, 24);
      if (weight == 0) continue;
      const to = palette + <usize>c * COLOR;
      store<f32>(to, <f32>(load<f64>(sum) / weight), L);
      store<f32>(to, <f32>(load<f64>(sum, 8) / weight), A);
      store<f32>(to, <f32>(load<f64>(sum, 16) / weight), B);
    }
  }
  return rounds;
}

/** Adds the cells i..end to the sums of their nearest colours; returns how many were another's before. */
function sumNearest(colors: usize, i: i32, end: i32, palette: usize, k: i32, sums: usize, nearest: usize): i32 {
  let moved = 0;
  for (; i + 4 <= end; i += 4) {
    const four = nearestFour(colors + <usize>i * COLOR, palette, k);
    moved += addCell(colors, i, i32x4.extract_lane(four, 0), sums, nearest);
    moved += addCell(colors, i + 1, i32x4.extract_lane(four, 1), sums, nearest);
    moved += addCell(colors, i + 2, i32x4.extract_lane(four, 2), sums, nearest);
    moved += addCell(colors, i + 3, i32x4.extract_lane(four, 3), sums, nearest);
  }
  for (; i < end; i++) moved += addCell(colors, i, nearestColor(colors + <usize>i * COLOR, palette, k), sums, nearest);
  return moved;
}

/** Adds a cell to the sums of colour c; 1 when it was another's before. */
// @ts-ignore: decorator
@inline
function addCell(colors: usize, i: i32, c: i32, sums: usize, nearest: usize): i32 {
  const moved = <i32>(c != <i32>load<u8>(nearest + i));
  store<u8>(nearest + i, c);
  const p = colors + <usize>i * COLOR;
  const weight = <f64>load<f32>(p, W);
  const sum = sums + (<usize>c << 5);
  store<f64>(sum, load<f64>(sum) + weight * <f64>load<f32>(p, L));
  store<f64>(sum, load<f64>(sum, 8) + weight * <f64>load<f32>(p, A), 8);
  store<f64>(sum, load<f64>(sum, 16) + weight * <f64>load<f32>(p, B), 16);
  store<f64>(sum, load<f64>(sum, 24) + weight, 24);
  return moved;
}

/**
 * Gives each cell the index of its nearest palette colour, the first of equals.
 *
 * colors, keys  as `listCells` leaves them
 * palette  f32[4 * k]: L, a, b, unused; 1 <= k <= 64
 * table    u8[cells], entries of listed cells written
 * returns  0, or STOPPED; reports cells
 * cost     about 1 ns a cell and colour
 */
export function labelCells(colors: usize, keys: usize, count: i32, palette: usize, k: i32, table: usize): i32 {
  for (let i = 0; i < count; i++) {
    const c = nearestColor(colors + <usize>i * COLOR, palette, k);
    store<u8>(table + <usize>load<u32>(keys + (<usize>i << 2)), c);
    if ((i & (CELLS - 1)) == 0 && checkpoint(i)) return STOPPED;
  }
  return 0;
}

/**
 * Gives each pixel the label of its cell, and 255 to those with alpha below 128.
 *
 * pixels   as in `countColors`
 * table    as `labelCells` leaves it
 * labels   u8[n], written
 * returns  0, or STOPPED; reports pixels
 * cost     1 ns a pixel
 */
export function labelPixels(pixels: usize, channels: i32, n: i32, table: usize, labels: usize): i32 {
  for (let done = 0; done < n; done += BATCH) {
    const count = min(BATCH, n - done);
    const from = pixels + <usize>done * channels;
    const to = labels + <usize>done;
    if (channels == 1) labelLevels(from, to, to + <usize>count, table);
    else labelRgb(from, channels, to, to + <usize>count, table);
    if (checkpoint(done + count)) return STOPPED;
  }
  return 0;
}

function labelLevels(p: usize, to: usize, end: usize, table: usize): void {
  for (; to < end; to++, p++) store<u8>(to, load<u8>(table + <usize>load<u8>(p)));
}

function labelRgb(p: usize, channels: usize, to: usize, end: usize, table: usize): void {
  for (; to < end; to++, p += channels) {
    const cell = cellOf(load<u8>(p), load<u8>(p, 1), load<u8>(p, 2));
    const out = channels == 4 && <u32>load<u8>(p, 3) < OPAQUE;
    store<u8>(to, out ? NONE : load<u8>(table + cell));
  }
}
