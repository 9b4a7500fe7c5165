// Each pixel against a threshold of its own surroundings.

import { checkpoint, STOPPED } from "./control";

/** Pixels between two looks at the control block: some 20 us of work. */
const PIECE: i32 = 8192;
/** The standard deviation of the strongest contrast, as Sauvola and Pietikäinen take it. */
const RANGE: f64 = 128;

// What `sauvola` keeps from call to call, `width` as W: sums of the window's rows in each column, of gray - 128 and of
// its square, i32[W] each; the sums of those of all columns to the left, modulo 2^32, i32[W + 1] each; a row of 128,
// u8[W]. The squares of a window stay below 2^32 up to 511 x 511 pixels, so differences of the sums are exact.

/** Bytes of scratch that `sauvola` needs. */
export function sauvolaBytes(width: i32): i32 {
  return 17 * width + 8;
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
 * cost     2.5 ns a pixel, whatever the radius
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
      exchange(line + x, blank + x, state + (<usize>x << 2), width, min(PIECE, width - x));
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
    const n = min(PIECE, width - x);
    const columns = state + (<usize>x << 2);
    exchange(enters + x, leaves + x, columns, width, n);
    addUp(columns, width, totals + (<usize>x << 2), n);
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

/** Adds one row to the sums of the columns and takes one away, `n` pixels; with g = gray - 128, g'^2 - g^2 = (g' - g)(g' + g). */
function exchange(enters: usize, leaves: usize, sums: usize, width: i32, n: i32): void {
  let squares = sums + (<usize>width << 2);
  const middle = i16x8.splat(256);
  const full = enters + <usize>(n & ~7);
  while (enters < full) {
    const a = v128.load8x8_u(enters);
    const b = v128.load8x8_u(leaves);
    const difference = i16x8.sub(a, b);
    const sum = i16x8.sub(i16x8.add(a, b), middle);
    addTo(sums, i32x4.extend_low_i16x8_s(difference), i32x4.extend_high_i16x8_s(difference));
    addTo(squares, i32x4.extmul_low_i16x8_s(difference, sum), i32x4.extmul_high_i16x8_s(difference, sum));
    enters += 8;
    leaves += 8;
    sums += 32;
    squares += 32;
  }
  for (const end = full + <usize>(n & 7); enters < end; enters++, leaves++, sums += 4, squares += 4) {
    const a = <i32>load<u8>(enters);
    const b = <i32>load<u8>(leaves);
    store<i32>(sums, load<i32>(sums) + a - b);
    store<i32>(squares, load<i32>(squares) + (a - b) * (a + b - 256));
  }
}

@inline
function addTo(sums: usize, low: v128, high: v128): void {
  v128.store(sums, i32x4.add(v128.load(sums), low));
  v128.store(sums, i32x4.add(v128.load(sums, 16), high), 16);
}

/** Sums from the left, of `n` columns; `totals` holds those up to the first. */
function addUp(columns: usize, width: i32, totals: usize, n: i32): void {
  const squares = <usize>width << 2;
  const squareTotals = squares + 4;
  let sum = load<i32>(totals);
  let squareSum = load<i32>(totals + squareTotals);
  for (const end = columns + (<usize>n << 2); columns < end; columns += 4) {
    totals += 4;
    sum += load<i32>(columns);
    squareSum += load<i32>(columns + squares);
    store<i32>(totals, sum);
    store<i32>(totals + squareTotals, squareSum);
  }
}

/** `count` rows are in the window. */
function offsetPixels(line: usize, width: i32, x: i32, end: i32, radius: i32, count: i32, k: f64, state: usize, out: usize): void {
  const totals = totalsOf(state, width);
  const squareTotals = squareTotalsOf(state, width);
  for (; x < end; x++) {
    const from = max(0, x - radius);
    const to = min(width, x + radius + 1);
    const n = <f64>((to - from) * count);
    const sum = <f64>(load<i32>(totals + (<usize>to << 2)) - load<i32>(totals + (<usize>from << 2)));
    const squares = <f64>(load<u32>(squareTotals + (<usize>to << 2)) - load<u32>(squareTotals + (<usize>from << 2)));
    // n^2 times the variance: below 2^53, so exact
    const root = Math.sqrt(n * squares - sum * sum);
    const mean = (sum + 128 * n) * (1 / n);
    const level = mean * (1 - k + (k / RANGE) * (1 / n) * root);
    const offset = <i32>Math.floor(<f64>load<u8>(line + x) - level);
    store<u8>(out + x, max(0, min(255, offset + 128)));
  }
}

/** Two pixels of `offsetVectors`, in the lower half. */
@inline
function offset2(gray: v128, sum: v128, squares: v128, n: v128, base: v128, slope: v128, share: v128, whole: v128): v128 {
  const s = f64x2.convert_low_i32x4_s(sum);
  const q = f64x2.convert_low_i32x4_u(squares);
  const root = f64x2.sqrt(f64x2.sub(f64x2.mul(n, q), f64x2.mul(s, s)));
  const mean = f64x2.mul(f64x2.add(s, whole), share);
  const level = f64x2.mul(mean, f64x2.add(base, f64x2.mul(slope, root)));
  return i32x4.trunc_sat_f64x2_s_zero(f64x2.floor(f64x2.sub(f64x2.convert_low_i32x4_u(gray), level)));
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
  const size = <f64>((2 * radius + 1) * count);
  const n = f64x2.splat(size);
  const whole = f64x2.splat(128 * size);
  const share = f64x2.splat(1 / size);
  const base = f64x2.splat(1 - k);
  const slope = f64x2.splat((k / RANGE) * (1 / size));
  const middle = i32x4.splat(128);
  const zero = i32x4.splat(0);
  const squareTotals = <usize>width * 4 + 4;
  for (const last = min(end, width - radius) - 4; x <= last; x += 4) {
    const from = totalsOf(state, width) + (<usize>(x - radius) << 2);
    const to = from + (<usize>(2 * radius + 1) << 2);
    const sum = i32x4.sub(v128.load(to), v128.load(from));
    const squares = i32x4.sub(v128.load(to + squareTotals), v128.load(from + squareTotals));
    const gray = i32x4.extend_low_i16x8_u(i16x8.extend_low_i8x16_u(v128.load32_zero(line + x)));
    const low = offset2(gray, sum, squares, n, base, slope, share, whole);
    const high = offset2(upper(gray), upper(sum), upper(squares), n, base, slope, share, whole);
    const offset = i32x4.add(v128.shuffle<i64>(low, high, 0, 2), middle);
    const words = i16x8.narrow_i32x4_s(offset, zero);
    v128.store32_lane(out + x, i8x16.narrow_i16x8_u(words, zero), 0);
  }
  offsetPixels(line, width, x, end, radius, count, k, state, out);
}
