// Gauss's blur of a gray picture: across each row, then down the columns of what that gives.

import { checkpoint, STOPPED } from "./control";

/** Pixels times weights between two looks at the control block: some 20 us of work. */
const PIECE: i32 = 65536;
/** Columns that are blurred down at a time: so few that the rows around stay in the processor's cache. */
const STRIP: i32 = 512;

/**
 * Pixels of a row of 16-bit gray: what `blurAcross` writes and `blurDown` reads. The row is filled up to whole vectors.
 */
@inline
function strideOf(width: i32): i32 {
  return (width + 15) & ~15;
}

/** Whole vectors of pixels that a checkpoint apart are blurred with `radius` weights. */
@inline
function pieceOf(radius: i32): i32 {
  return max(16, (PIECE / (radius + 1)) & ~15);
}

/**
 * Blurs rows sideways. Beyond its edges the picture goes on as its last pixels.
 *
 * gray     u8[n * width]
 * weights  i16[radius + 1], all >= 0: of the pixels 0, 1, ... to either side, so the first is half the weight of the
 *          pixel itself. Their sum is 8192: the picture as a whole becomes neither lighter nor darker
 * radius   odd, >= 1
 * line     u8[((width + 15) & ~15) + 2 * radius], scratch
 * out      i16[n * ((width + 15) & ~15)], written: 64 times the gray; what lies behind `width` in a row is anything
 * returns  0, or STOPPED; reports rows
 * cost     0.2 + 0.06 radius ns a pixel
 * source   separable sampled Gaussian as in Marr, Hildreth, Theory of edge detection, 1980
 */
export function blurAcross(gray: usize, width: i32, n: i32, weights: usize, radius: i32, line: usize, out: usize): i32 {
  const stride = strideOf(width);
  const piece = pieceOf(radius);
  for (let i = 0; i < n; i++) {
    layLine(gray, width, radius, line);
    for (let x = 0; x < width; x += piece) {
      acrossVectors(line + radius + x, min(piece, stride - x), weights, radius, out + (<usize>x << 1));
      if (checkpoint(i + 1)) return STOPPED;
    }
    gray += width;
    out += <usize>stride << 1;
  }
  return 0;
}

/** As `blurAcross`, pixel by pixel. */
export function blurAcrossScalar(gray: usize, width: i32, n: i32, weights: usize, radius: i32, line: usize, out: usize): i32 {
  for (let i = 0; i < n; i++) {
    layLine(gray, width, radius, line);
    acrossPixels(line + radius, width, weights, radius, out);
    gray += width;
    out += <usize>strideOf(width) << 1;
  }
  return 0;
}

/** A row with `radius` pixels more at both ends. */
function layLine(gray: usize, width: i32, radius: i32, line: usize): void {
  memory.fill(line, load<u8>(gray), radius);
  memory.copy(line + radius, gray, width);
  memory.fill(line + radius + width, load<u8>(gray + width - 1), radius);
}

function acrossPixels(line: usize, width: i32, weights: usize, radius: i32, out: usize): void {
  for (let x = 0; x < width; x++, line++, out += 2) {
    let sum = 128;
    for (let j = 0; j <= radius; j++) {
      const pair = <i32>load<u8>(line - j) + <i32>load<u8>(line + j);
      sum += pair * <i32>load<i16>(weights + (<usize>j << 1));
    }
    store<i16>(out, sum >> 8);
  }
}

function acrossVectors(line: usize, n: i32, weights: usize, radius: i32, out: usize): void {
  const half = i32x4.splat(128);
  for (const end = line + <usize>n; line < end; line += 16, out += 32) {
    let s0 = half;
    let s1 = half;
    let s2 = half;
    let s3 = half;
    for (let j = 0; j <= radius; j += 2) {
      const left = line - <usize>j;
      const right = line + <usize>j;
      const w = v128.load32_splat(weights + (<usize>j << 1));
      // pixels j to either side, and j + 1
      const a = i16x8.add(v128.load8x8_u(left), v128.load8x8_u(right));
      const b = i16x8.add(v128.load8x8_u(left - 1), v128.load8x8_u(right, 1));
      s0 = i32x4.add(s0, i32x4.dot_i16x8_s(lowPairs(a, b), w));
      s1 = i32x4.add(s1, i32x4.dot_i16x8_s(highPairs(a, b), w));
      const c = i16x8.add(v128.load8x8_u(left, 8), v128.load8x8_u(right, 8));
      const d = i16x8.add(v128.load8x8_u(left - 1, 8), v128.load8x8_u(right, 9));
      s2 = i32x4.add(s2, i32x4.dot_i16x8_s(lowPairs(c, d), w));
      s3 = i32x4.add(s3, i32x4.dot_i16x8_s(highPairs(c, d), w));
    }
    v128.store(out, i16x8.narrow_i32x4_s(i32x4.shr_s(s0, 8), i32x4.shr_s(s1, 8)));
    v128.store(out, i16x8.narrow_i32x4_s(i32x4.shr_s(s2, 8), i32x4.shr_s(s3, 8)), 16);
  }
}

@inline
function lowPairs(a: v128, b: v128): v128 {
  return v128.shuffle<i16>(a, b, 0, 8, 1, 9, 2, 10, 3, 11);
}

@inline
function highPairs(a: v128, b: v128): v128 {
  return v128.shuffle<i16>(a, b, 4, 12, 5, 13, 6, 14, 7, 15);
}

/**
 * Blurs down the columns what `blurAcross` gave. Beyond its edges the picture goes on as its last rows.
 *
 * rows     i16[(width + 15) & ~15] a row, 64 times the gray: the rows of the picture from row `top` on, as far as row
 *          `y + n - 1 + radius`
 * weights  as for `blurAcross`, with `radius`
 * places   u32[2 * (radius + 1) + 4], scratch
 * out      u8[n * width], written: the rows `y` to `y + n` as gray
 * returns  0, or STOPPED; reports rows
 * cost     0.2 + 0.08 radius ns a pixel
 * source   as `blurAcross`
 */
export function blurDown(rows: usize, top: i32, width: i32, height: i32, y: i32, n: i32, weights: usize, radius: i32, places: usize, out: usize): i32 {
  for (let x = 0; x < width; x += STRIP) {
    const end = min(x + STRIP, width);
    // rows of all strips count alike
    const before = <i64>n * x;
    const wide = end - x;
    for (let i = 0; i < n; i++) {
      layPlaces(rows, top, width, height, y + i, radius, places);
      downVectors(places, x, end, weights, radius, out + <usize>i * width);
      if (checkpoint(<i32>((before + <i64>(i + 1) * wide) / width))) return STOPPED;
    }
  }
  return 0;
}

/** As `blurDown`, pixel by pixel. */
export function blurDownScalar(rows: usize, top: i32, width: i32, height: i32, y: i32, n: i32, weights: usize, radius: i32, places: usize, out: usize): i32 {
  for (let i = 0; i < n; i++, out += width) {
    layPlaces(rows, top, width, height, y + i, radius, places);
    downPixels(places, width, weights, radius, out);
  }
  return 0;
}

/** Where the rows 0, 1, ... above and below `y` begin, in turns. */
function layPlaces(rows: usize, top: i32, width: i32, height: i32, y: i32, radius: i32, places: usize): void {
  const bytes = strideOf(width) << 1;
  for (let j = 0; j <= radius; j++, places += 8) {
    store<u32>(places, <u32>rows + (max(0, y - j) - top) * bytes);
    store<u32>(places, <u32>rows + (min(height - 1, y + j) - top) * bytes, 4);
  }
}

function downPixels(places: usize, width: i32, weights: usize, radius: i32, out: usize): void {
  for (let x: usize = 0; x < <usize>width; x++) {
    let sum = 1 << 19;
    for (let j = 0; j <= radius; j++) {
      const place = places + (<usize>j << 3);
      const pair =
        <i32>load<i16>(<usize>load<u32>(place) + (x << 1)) + <i32>load<i16>(<usize>load<u32>(place, 4) + (x << 1));
      sum += pair * <i32>load<i16>(weights + (<usize>j << 1));
    }
    store<u8>(out + x, sum >> 20);
  }
}

/** Sixteen pixels from column `x` on. */
@inline
function down16(places: usize, x: i32, weights: usize, radius: i32): v128 {
  const half = i32x4.splat(1 << 19);
  const skip = <usize>x << 1;
  let s0 = half;
  let s1 = half;
  let s2 = half;
  let s3 = half;
  for (let j = 0; j <= radius; j += 2, places += 16) {
    const up0 = <usize>load<u32>(places) + skip;
    const down0 = <usize>load<u32>(places, 4) + skip;
    const up1 = <usize>load<u32>(places, 8) + skip;
    const down1 = <usize>load<u32>(places, 12) + skip;
    const w = v128.load32_splat(weights + (<usize>j << 1));
    const a = i16x8.add(v128.load(up0), v128.load(down0));
    const b = i16x8.add(v128.load(up1), v128.load(down1));
    s0 = i32x4.add(s0, i32x4.dot_i16x8_s(lowPairs(a, b), w));
    s1 = i32x4.add(s1, i32x4.dot_i16x8_s(highPairs(a, b), w));
    const c = i16x8.add(v128.load(up0, 16), v128.load(down0, 16));
    const d = i16x8.add(v128.load(up1, 16), v128.load(down1, 16));
    s2 = i32x4.add(s2, i32x4.dot_i16x8_s(lowPairs(c, d), w));
    s3 = i32x4.add(s3, i32x4.dot_i16x8_s(highPairs(c, d), w));
  }
  const low = i16x8.narrow_i32x4_s(i32x4.shr_s(s0, 20), i32x4.shr_s(s1, 20));
  const high = i16x8.narrow_i32x4_s(i32x4.shr_s(s2, 20), i32x4.shr_s(s3, 20));
  return i8x16.narrow_i16x8_u(low, high);
}

function downVectors(places: usize, x: i32, end: i32, weights: usize, radius: i32, out: usize): void {
  for (; x + 16 <= end; x += 16) v128.store(out + x, down16(places, x, weights, radius));
  if (x == end) return;
  // the last pixels of a row, by way of the room behind the places
  const rest = places + (<usize>(radius + 1) << 3);
  v128.store(rest, down16(places, x, weights, radius));
  memory.copy(out + x, rest, end - x);
}
