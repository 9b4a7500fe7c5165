// Pixels to gray, gray to a packed bitmap. Every SIMD form has its scalar form beside it; both give the same bytes.

import { weigh, weigh4 } from "./_weigh";
import { checkpoint, STOPPED } from "./control";

/** Pixels between two looks at the control block: some 10 us of work. */
const BATCH: i32 = 16384;
/** Bytes moved between two looks: some 20 us where nothing is cached. */
const PIECE: i32 = 131072;

/**
 * Gray of a run of pixels: (77 R + 150 G + 29 B + 128) >> 8, laid over white where alpha is below 255.
 *
 * pixels   u8[channels * n]; 3 channels RGB, 4 channels RGBA with straight alpha
 * gray     u8[n], written; may not overlap `pixels`
 * returns  0, or STOPPED; reports pixels
 * cost     0.2 ns a pixel (opaque RGBA), no scratch
 * source   weights of ITU-R BT.601 in 1/256
 */
export function luma(pixels: usize, channels: i32, n: i32, gray: usize): i32 {
  for (let done = 0; done < n; done += BATCH) {
    const count = min(BATCH, n - done);
    const from = pixels + <usize>done * channels;
    if (channels == 4) lumaRgba(from, count, gray + done);
    else lumaRgb(from, count, gray + done);
    if (checkpoint(done + count)) return STOPPED;
  }
  return 0;
}

/** As `luma`, pixel by pixel. */
export function lumaScalar(pixels: usize, channels: i32, n: i32, gray: usize): i32 {
  if (channels == 4) grayRgba(pixels, n, gray);
  else grayRgb(pixels, n, gray);
  return 0;
}

/** 255 - (255 - y) * a / 255, rounded to nearest: exact for all bytes, and y itself where a = 255. */
// @ts-ignore: decorator
@inline
function overWhite(y: u32, a: u32): u32 {
  const v = (255 - y) * a + 128;
  return 255 - ((v + (v >> 8)) >> 8);
}

function grayRgba(pixels: usize, n: i32, gray: usize): void {
  const end = gray + <usize>n;
  for (; gray < end; gray++, pixels += 4) {
    const y = weigh(load<u8>(pixels), load<u8>(pixels, 1), load<u8>(pixels, 2));
    store<u8>(gray, overWhite(y, load<u8>(pixels, 3)));
  }
}

function grayRgb(pixels: usize, n: i32, gray: usize): void {
  const end = gray + <usize>n;
  for (; gray < end; gray++, pixels += 3) {
    store<u8>(gray, weigh(load<u8>(pixels), load<u8>(pixels, 1), load<u8>(pixels, 2)));
  }
}

/** `overWhite` of eight lanes: 255 * 255 + 128 + 254 still fits 16 bits. */
// @ts-ignore: decorator
@inline
function overWhite8(y: v128, p: v128, q: v128): v128 {
  const alpha = i16x8.narrow_i32x4_s(i32x4.shr_u(p, 24), i32x4.shr_u(q, 24));
  const white = i16x8.splat(255);
  const v = i16x8.add(i16x8.mul(i16x8.sub(white, y), alpha), i16x8.splat(128));
  return i16x8.sub(white, i16x8.shr_u(i16x8.add(v, i16x8.shr_u(v, 8)), 8));
}

function lumaRgba(pixels: usize, n: i32, gray: usize): void {
  const end = gray + <usize>(n & ~15);
  while (gray < end) {
    const p0 = v128.load(pixels);
    const p1 = v128.load(pixels, 16);
    const p2 = v128.load(pixels, 32);
    const p3 = v128.load(pixels, 48);
    let low = i16x8.narrow_i32x4_s(weigh4(p0), weigh4(p1));
    let high = i16x8.narrow_i32x4_s(weigh4(p2), weigh4(p3));
    // most pictures are opaque: sixteen alphas of 255 need no blending
    const alphas = v128.and(v128.and(p0, p1), v128.and(p2, p3));
    if (v128.any_true(v128.andnot(i32x4.splat(0xff000000), alphas))) {
      low = overWhite8(low, p0, p1);
      high = overWhite8(high, p2, p3);
    }
    v128.store(gray, i8x16.narrow_i16x8_u(low, high));
    pixels += 64;
    gray += 16;
  }
  grayRgba(pixels, n & 15, gray);
}

/** The first four RGB pixels of a vector, laid out as RGBA; alpha is anything. */
// @ts-ignore: decorator
@inline
function spread4(p: v128): v128 {
  return v128.shuffle<i8>(p, p, 0, 1, 2, 2, 3, 4, 5, 5, 6, 7, 8, 8, 9, 10, 11, 11);
}

function lumaRgb(pixels: usize, n: i32, gray: usize): void {
  const end = gray + <usize>(n & ~15);
  while (gray < end) {
    const p0 = spread4(v128.load(pixels));
    const p1 = spread4(v128.load(pixels, 12));
    const p2 = spread4(v128.load(pixels, 24));
    // the last twelve bytes as the end of a vector, so as not to read past them
    const rest = v128.load(pixels, 32);
    const p3 = spread4(v128.shuffle<i8>(rest, rest, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3));
    const low = i16x8.narrow_i32x4_s(weigh4(p0), weigh4(p1));
    const high = i16x8.narrow_i32x4_s(weigh4(p2), weigh4(p3));
    v128.store(gray, i8x16.narrow_i16x8_u(low, high));
    pixels += 48;
    gray += 16;
  }
  grayRgb(pixels, n & 15, gray);
}

/**
 * Replaces each gray by its entry in a table.
 *
 * gray     u8[n], read and written
 * table    u8[256], not changed
 * returns  0, or STOPPED; reports pixels
 * cost     0.5 ns a pixel; sixteen vectors of table in turn are no faster, so there is no SIMD form
 * source   own
 */
export function mapGray(gray: usize, n: i32, table: usize): i32 {
  for (let done = 0; done < n; done += BATCH) {
    const count = min(BATCH, n - done);
    mapRun(gray + done, count, table);
    if (checkpoint(done + count)) return STOPPED;
  }
  return 0;
}

@inline
function entry(table: usize, v: u64, shift: i32): u64 {
  return <u64>load<u8>(table + <usize>((v >> shift) & 255)) << shift;
}

function mapRun(gray: usize, n: i32, table: usize): void {
  const end = gray + <usize>n;
  for (; gray + 8 <= end; gray += 8) {
    const v = load<u64>(gray);
    const low = entry(table, v, 0) | entry(table, v, 8) | entry(table, v, 16) | entry(table, v, 24);
    const high = entry(table, v, 32) | entry(table, v, 40) | entry(table, v, 48) | entry(table, v, 56);
    store<u64>(gray, low | high);
  }
  for (; gray < end; gray++) store<u8>(gray, load<u8>(table + <usize>load<u8>(gray)));
}

/**
 * Moves bytes to a lower address; both places may overlap.
 *
 * from     u8[n]
 * to       u8[n], written; `to` <= `from`, or the two are apart
 * returns  0, or STOPPED; reports bytes
 * source   own
 */
export function moveBytes(from: usize, to: usize, n: i32): i32 {
  for (let done = 0; done < n; done += PIECE) {
    const count = min(PIECE, n - done);
    memory.copy(to + done, from + done, count);
    if (checkpoint(done + count)) return STOPPED;
  }
  return 0;
}

/**
 * Adds a run of gray values to a histogram.
 * Four tables take turns, so that equal neighbours do not wait for each other's count.
 *
 * gray     u8[n]
 * tables   u32[4 * 256], added to; the histogram is the sum of the four
 * returns  0, or STOPPED; reports pixels
 * cost     0.5 ns a pixel
 * source   own
 */
export function histogram(gray: usize, n: i32, tables: usize): i32 {
  for (let done = 0; done < n; done += BATCH) {
    const count = min(BATCH, n - done);
    countGray(gray + done, count, tables);
    if (checkpoint(done + count)) return STOPPED;
  }
  return 0;
}

// @ts-ignore: decorator
@inline
function bump(slot: usize): void {
  store<u32>(slot, load<u32>(slot) + 1);
}

function countGray(gray: usize, n: i32, tables: usize): void {
  const end = gray + <usize>n;
  for (; gray + 8 <= end; gray += 8) {
    const v = load<u64>(gray);
    bump(tables + <usize>((v & 255) << 2));
    bump(tables + 1024 + <usize>(((v >> 8) & 255) << 2));
    bump(tables + 2048 + <usize>(((v >> 16) & 255) << 2));
    bump(tables + 3072 + <usize>(((v >> 24) & 255) << 2));
    bump(tables + <usize>(((v >> 32) & 255) << 2));
    bump(tables + 1024 + <usize>(((v >> 40) & 255) << 2));
    bump(tables + 2048 + <usize>(((v >> 48) & 255) << 2));
    bump(tables + 3072 + <usize>((v >> 56) << 2));
  }
  for (; gray < end; gray++) bump(tables + (<usize>load<u8>(gray) << 2));
}

// @ts-ignore: decorator
@inline
function bin(tables: usize, value: i32): f64 {
  const slot = tables + (<usize>value << 2);
  return <f64>load<u32>(slot) + <f64>load<u32>(slot, 1024) + <f64>load<u32>(slot, 2048) + <f64>load<u32>(slot, 3072);
}

/**
 * Otsu's threshold: the t that makes the classes gray < t and gray >= t differ most in their means, by weight.
 * Of equally good neighbouring t, which an empty stretch of the histogram gives, the middle one; of separate equals,
 * the lowest stretch. A picture of one value has no classes: 128, so that it comes out black if dark and white if not.
 *
 * tables   u32[4 * 256], as `histogram` leaves them; not changed
 * returns  1..255
 * source   Otsu, A threshold selection method from gray-level histograms, 1979
 */
export function otsu(tables: usize): i32 {
  let n: f64 = 0;
  let sum: f64 = 0;
  for (let v = 0; v < 256; v++) {
    n += bin(tables, v);
    sum += <f64>v * bin(tables, v);
  }
  let best: f64 = 0;
  let first = 128;
  let last = 128;
  let dark: f64 = 0; // pixels with gray < t, and the sum of their values
  let darkSum: f64 = 0;
  for (let t = 1; t < 256; t++) {
    dark += bin(tables, t - 1);
    darkSum += <f64>(t - 1) * bin(tables, t - 1);
    const light = n - dark;
    if (dark == 0 || light == 0) continue;
    // weights times the square of the gap between the means, in a form that is exact for small pictures
    const gap = (sum - darkSum) * dark - darkSum * light;
    const between = (gap * gap) / (dark * light);
    if (between > best) {
      best = between;
      first = last = t;
    } else if (between == best && last == t - 1) {
      last = t;
    }
  }
  return (first + last + 1) >> 1;
}

/**
 * Packs gray < level into bits: 1 is black.
 *
 * gray     u8[rows * width]
 * bits     u64[rows * stride], the first (width + 63) / 64 words of each row written; bit 0 is the left pixel, bits past
 *          width are 0
 * stride   words from a row to the next
 * level    0..255; 0 makes nothing black
 * flip     0, or 1 for gray >= level
 * returns  0, or STOPPED; reports rows
 * cost     0.04 ns a pixel, no scratch
 * source   own; lane masks of rounded means
 */
export function threshold(gray: usize, width: i32, rows: i32, bits: usize, stride: i32, level: i32, flip: i32): i32 {
  const batch = max(1, BATCH / max(1, width));
  for (let y = 0; y < rows; y++) {
    thresholdRow(gray, width, bits, level, <u64>flip - 1);
    gray += width;
    bits += <usize>stride << 3;
    if (y % batch == 0 && checkpoint(y + 1)) return STOPPED;
  }
  return 0;
}

/** As `threshold`, pixel by pixel. */
export function thresholdScalar(gray: usize, width: i32, rows: i32, bits: usize, stride: i32, level: i32, flip: i32): i32 {
  for (let y = 0; y < rows; y++) {
    packPixels(gray, width, bits, level, flip);
    gray += width;
    bits += <usize>stride << 3;
  }
  return 0;
}

function packPixels(gray: usize, n: i32, bits: usize, level: i32, flip: i32): void {
  for (let x = 0; x < n; x += 64) {
    const count = min(64, n - x);
    let word: u64 = 0;
    for (let k = 0; k < count; k++) {
      const black = <i32>(<i32>load<u8>(gray + x + k) < level) ^ flip;
      word |= <u64>black << k;
    }
    store<u64>(bits, word);
    bits += 8;
  }
}

/**
 * Bits 0..15: which of sixteen bytes are white, that is not below the level. `complement` is 255 - level in each lane:
 * the rounded mean (gray + complement + 1) >> 1 has its top bit set exactly where gray >= level.
 */
// @ts-ignore: decorator
@inline
function white16(gray: usize, complement: v128): u32 {
  return i8x16.bitmask(i8x16.avgr_u(v128.load(gray), complement));
}

/** `black` is all ones, or 0 to exchange black and white. */
function thresholdRow(gray: usize, n: i32, bits: usize, level: i32, black: u64): void {
  const complement = i8x16.splat(<i8>(255 - level));
  const full = gray + <usize>(n & ~63);
  while (gray < full) {
    const low = white16(gray, complement) | (white16(gray + 16, complement) << 16);
    const high = white16(gray + 32, complement) | (white16(gray + 48, complement) << 16);
    store<u64>(bits, (<u64>low | (<u64>high << 32)) ^ black);
    gray += 64;
    bits += 8;
  }
  const rest = n & 63;
  if (rest == 0) return;
  let word: u64 = 0;
  let x = 0;
  for (; x + 16 <= rest; x += 16) word |= <u64>white16(gray + x, complement) << x;
  for (; x < rest; x++) word |= <u64>(<i32>load<u8>(gray + x) >= level) << x;
  store<u64>(bits, (word ^ black) & (((<u64>1) << rest) - 1));
}

/**
 * Whether any pixel is neither black nor white: without one, gray tells no more of borders than bits do.
 *
 * gray     u8[n]
 * returns  1 or 0, or STOPPED; reports pixels
 * cost     O(n), 10 GB/s, up to the first that is
 * source   own
 */
export function hasGray(gray: usize, n: i32): i32 {
  const words = <usize>(n & ~31);
  for (let i: usize = 0; i < words; i += 32) {
    const p = gray + i;
    if ((i & 0xffff) == 0 && checkpoint(<i32>i)) return STOPPED;
    const mixed = levels(load<u64>(p)) | levels(load<u64>(p, 8)) | levels(load<u64>(p, 16)) | levels(load<u64>(p, 24));
    if (mixed & 0x7f7f7f7f7f7f7f7f) return 1;
  }
  for (let i = words; i < <usize>n; i++) if (((<u32>load<u8>(gray + i) + 1) & 0xff) > 1) return 1;
  return 0;
}

/** Bits that differ from the next higher one; those within a byte tell that it is neither 0 nor 255. */
@inline function levels(bytes: u64): u64 {
  return bytes ^ (bytes >> 1);
}
