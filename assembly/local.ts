// Each pixel against a threshold of its own surroundings.

import { checkpoint, STOPPED } from "./control";

/** Pixels between two looks at the control block: some 3 us of work, and sums that stay in the nearest cache. */
const PIECE: i32 = 1024;
/** The standard deviation of the strongest contrast, as Sauvola and Pietikäinen take it. */
const RANGE: f64 = 128;
/** Gray levels that rounding may cost: in a plain picture with k = 0 nothing is below its threshold. */
const SLACK: f32 = 1.0 / 1024;

// What `sauvola` keeps from call to call, `width` as W: sums of the window's rows in each column, of gray - 128 and of
// its square, i32[W] each; the sums of those of all columns to the left, modulo 2^32, i32[W + 1] each; a row of 128,
// u8[W]. The squares of a window stay below 2^32 up to 511 x 511 pixels, so differences of the sums are exact.

/** Bytes of scratch that `sauvola` needs: for the widest pictures more than 32 bits count. */
export function sauvolaBytes(width: i32): f64 {
  return 17 * <f64>width + 8;
}

/**
 * How far each gray is from its threshold m (1 + k (s / 128 - 1)), with the mean m and the standard deviation s of the
 * square window around it, as far as that lies in the picture. Call it for the rows from 0 on, some at a time.
 *
 * rows     u8[width] a row: the rows of the picture from row `top` on; from row `y - radius - 1` to
 *          `y + n - 1 + radius` they are read
 * radius   1..255; the window is 2 radius + 1 pixels wide and high
 * state    u8[sauvolaBytes(width)], 4-byte aligned, scratch; kept between the calls
 * out      u8[n * width], written: 128 + gray - threshold, rounded down, cut to 0..255: below 128 is below the threshold
 * returns  0, or STOPPED; reports rows
 * cost     2.8 ns a pixel, whatever the radius
 * source   Sauvola, Pietikäinen, Adaptive document image binarization, 2000; sums as in Shafait, Keysers, Breuel,
 *          Efficient implementation of local adaptive thresholding techniques, 2008, of one strip of the picture
 */
export function sauvola(rows: usize, top: i32, width: i32, height: i32, y: i32, n: i32, radius: i32, k: f64, state: usize, out: usize): i32 {
  if (y == 0 && enter(rows, width, height, radius, state)) return STOPPED;
  for (let i = 0; i < n; i++, y++, out += width) {
    if (slide(rows, top, width, height, y, radius, state, i)) return STOPPED;
    const line = rows + <usize>(y - top) * width;
    const count = min(height, y + radius + 1) - max(0, y - radius);
    for (let x = 0; x < width; x += PIECE) {
      offsetVectors(line, width, x, min(x + PIECE, width), radius, count, k, state, out);
      if (checkpoint(i + 1)) return STOPPED;
    }
  }
  return 0;
}

/** As `sauvola`, pixel by pixel. */
export function sauvolaScalar(rows: usize, top: i32, width: i32, height: i32, y: i32, n: i32, radius: i32, k: f64, state: usize, out: usize): i32 {
  if (y == 0 && enter(rows, width, height, radius, state)) return STOPPED;
  for (let i = 0; i < n; i++, y++, out += width) {
    if (slide(rows, top, width, height, y, radius, state, i)) return STOPPED;
    const count = min(height, y + radius + 1) - max(0, y - radius);
    offsetPixels(rows + <usize>(y - top) * width, width, 0, width, radius, count, k, state, out);
  }
  return 0;
}

/** The sums as they are for the row before the first; true: leave. */
function enter(rows: usize, width: i32, height: i32, radius: i32, state: usize): bool {
  memory.fill(state, 0, <usize>width << 3);
  const blank = blankOf(state, width);
  memory.fill(blank, 128, width);
  for (let y = 0; y < min(height, radius); y++) {
    const line = rows + <usize>y * width;
    for (let x = 0; x < width; x += PIECE) {
      const columns = state + (<usize>x << 2);
      exchange(line + x, blank + x, columns, columns + (<usize>width << 3), width, min(PIECE, width - x));
      if (checkpoint(0)) return true;
    }
  }
  return false;
}

/** Goes on to row `y`: one row comes into the window and one leaves it, both blank where there is no row; true: leave. */
function slide(rows: usize, top: i32, width: i32, height: i32, y: i32, radius: i32, state: usize, done: i32): bool {
  const blank = blankOf(state, width);
  const enters = y + radius < height ? rows + <usize>(y + radius - top) * width : blank;
  const leaves = y > radius ? rows + <usize>(y - radius - 1 - top) * width : blank;
  const totals = totalsOf(state, width);
  store<i32>(totals, 0);
  store<i32>(squareTotalsOf(state, width), 0);
  for (let x = 0; x < width; x += PIECE) {
    const skip = <usize>x << 2;
    exchange(enters + x, leaves + x, state + skip, totals + skip, width, min(PIECE, width - x));
    if (checkpoint(done)) return true;
  }
  return false;
}

@inline
function totalsOf(state: usize, width: i32): usize {
  return state + (<usize>width << 3);
}

@inline
function squareTotalsOf(state: usize, width: i32): usize {
  return state + <usize>width * 12 + 4;
}

@inline
function blankOf(state: usize, width: i32): usize {
  return state + (<usize>width << 4) + 8;
}

/**
 * Adds one row to the sums of the columns and takes one away, `n` pixels; with g = gray - 128, g'^2 - g^2 = (g' - g)(g' + g).
 * Then adds up from the left; `totals` holds the sums as far as the first of the columns.
 */
function exchange(enters: usize, leaves: usize, sums: usize, totals: usize, width: i32, n: i32): void {
  let squares = sums + (<usize>width << 2);
  let squareTotals = totals + (<usize>width << 2) + 4;
  let left = v128.load32_splat(totals);
  let squaresLeft = v128.load32_splat(squareTotals);
  const middle = i16x8.splat(256);
  const full = enters + <usize>(n & ~7);
  while (enters < full) {
    const a = v128.load8x8_u(enters);
    const b = v128.load8x8_u(leaves);
    const difference = i16x8.sub(a, b);
    const sum = i16x8.sub(i16x8.add(a, b), middle);
    left = addUp(sums, totals, i32x4.extend_low_i16x8_s(difference), left);
    left = addUp(sums + 16, totals + 16, i32x4.extend_high_i16x8_s(difference), left);
    squaresLeft = addUp(squares, squareTotals, i32x4.extmul_low_i16x8_s(difference, sum), squaresLeft);
    squaresLeft = addUp(squares + 16, squareTotals + 16, i32x4.extmul_high_i16x8_s(difference, sum), squaresLeft);
    enters += 8;
    leaves += 8;
    sums += 32;
    squares += 32;
    totals += 32;
    squareTotals += 32;
  }
  for (const end = full + <usize>(n & 7); enters < end; enters++, leaves++) {
    const a = <i32>load<u8>(enters);
    const b = <i32>load<u8>(leaves);
    const sum = load<i32>(sums) + a - b;
    const square = load<i32>(squares) + (a - b) * (a + b - 256);
    store<i32>(sums, sum);
    store<i32>(squares, square);
    store<i32>(totals, load<i32>(totals) + sum, 4);
    store<i32>(squareTotals, load<i32>(squareTotals) + square, 4);
    sums += 4;
    squares += 4;
    totals += 4;
    squareTotals += 4;
  }
}

/** Changes four sums and writes them, added up, behind the first total; `left` is that in all lanes, returned is the last. */
@inline
function addUp(sums: usize, totals: usize, change: v128, left: v128): v128 {
  const zero = i32x4.splat(0);
  const changed = i32x4.add(v128.load(sums), change);
  v128.store(sums, changed);
  const pairs = i32x4.add(changed, v128.shuffle<i32>(zero, changed, 0, 4, 5, 6));
  const total = i32x4.add(i32x4.add(pairs, v128.shuffle<i32>(zero, pairs, 0, 1, 4, 5)), left);
  v128.store(totals, total, 4);
  return v128.shuffle<i32>(total, total, 3, 3, 3, 3);
}

/** `count` rows are in the window. */
function offsetPixels(line: usize, width: i32, x: i32, end: i32, radius: i32, count: i32, k: f64, state: usize, out: usize): void {
  const totals = totalsOf(state, width);
  const squareTotals = squareTotalsOf(state, width);
  for (; x < end; x++) {
    const from = max(0, x - radius);
    const to = min(width, x + radius + 1);
    const n = (to - from) * count;
    const sum = load<i32>(totals + (<usize>to << 2)) - load<i32>(totals + (<usize>from << 2));
    const squares = <f64>(load<u32>(squareTotals + (<usize>to << 2)) - load<u32>(squareTotals + (<usize>from << 2)));
    // n^2 times the variance: below 2^53, so exact
    const root = sqrt<f32>(<f32>(<f64>n * squares - <f64>sum * <f64>sum));
    const mean = <f32>(sum + 128 * n) * <f32>(1 / <f64>n);
    const level = mean * (<f32>(1 - k) + <f32>(k / RANGE / <f64>n) * root);
    const offset = <i32>floor<f32>(<f32>load<u8>(line + x) + SLACK - level);
    store<u8>(out + x, max(0, min(255, offset + 128)));
  }
}

/** n^2 times the variance of two windows, in the lower half. */
@inline
function variance2(sum: v128, squares: v128, n: v128): v128 {
  const s = f64x2.convert_low_i32x4_s(sum);
  const q = f64x2.convert_low_i32x4_u(squares);
  return f32x4.demote_f64x2_zero(f64x2.sub(f64x2.mul(n, q), f64x2.mul(s, s)));
}

@inline
function upper(v: v128): v128 {
  return v128.shuffle<i64>(v, v, 1, 0);
}

function offsetVectors(line: usize, width: i32, x: i32, end: i32, radius: i32, count: i32, k: f64, state: usize, out: usize): void {
  // windows that reach over an end of the row are of other widths
  const inner = min(end, max(x, radius));
  offsetPixels(line, width, x, inner, radius, count, k, state, out);
  x = inner;
  const size = (2 * radius + 1) * count;
  const n = f64x2.splat(<f64>size);
  const whole = i32x4.splat(128 * size);
  const share = f32x4.splat(<f32>(1 / <f64>size));
  const base = f32x4.splat(<f32>(1 - k));
  const slope = f32x4.splat(<f32>(k / RANGE / <f64>size));
  const slack = f32x4.splat(SLACK);
  const middle = i32x4.splat(128);
  const zero = i32x4.splat(0);
  const squareTotals = <usize>width * 4 + 4;
  for (const last = min(end, width - radius) - 4; x <= last; x += 4) {
    const from = totalsOf(state, width) + (<usize>(x - radius) << 2);
    const to = from + (<usize>(2 * radius + 1) << 2);
    const sum = i32x4.sub(v128.load(to), v128.load(from));
    const squares = i32x4.sub(v128.load(to + squareTotals), v128.load(from + squareTotals));
    const gray = i32x4.extend_low_i16x8_u(i16x8.extend_low_i8x16_u(v128.load32_zero(line + x)));
    const variance = v128.shuffle<i64>(
      variance2(sum, squares, n),
      variance2(upper(sum), upper(squares), n),
      0,
      2,
    );
    const mean = f32x4.mul(f32x4.convert_i32x4_s(i32x4.add(sum, whole)), share);
    const level = f32x4.mul(mean, f32x4.add(base, f32x4.mul(slope, f32x4.sqrt(variance))));
    const above = f32x4.floor(f32x4.sub(f32x4.add(f32x4.convert_i32x4_s(gray), slack), level));
    const offset = i32x4.add(i32x4.trunc_sat_f32x4_s(above), middle);
    const words = i16x8.narrow_i32x4_s(offset, zero);
    v128.store32_lane(out + x, i8x16.narrow_i16x8_u(words, zero), 0);
  }
  offsetPixels(line, width, x, end, radius, count, k, state, out);
}
