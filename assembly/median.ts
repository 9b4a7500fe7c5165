// Specks of single pixels out of a gray picture, without rounding its edges.

import { checkpoint, STOPPED } from "./control";

/** Pixels between two looks at the control block: some 10 us of work. */
const PIECE: i32 = 16384;

/**
 * The median of each pixel and its eight neighbours; beyond its edges the picture goes on as its last pixels.
 *
 * rows     u8[width] a row: the rows of the picture from row `top` on, as far as row `y + n`
 * out      u8[n * width], written: the rows `y` to `y + n`; may not overlap `rows`
 * returns  0, or STOPPED; reports rows
 * cost     0.3 ns a pixel, no scratch
 * source   Tukey, Exploratory data analysis, 1977; comparisons as in Smith, Implementing median filters in XC4000E
 *          FPGAs, 1996: each column is sorted, then the columns among each other
 */
export function median(rows: usize, top: i32, width: i32, height: i32, y: i32, n: i32, out: usize): i32 {
  for (let i = 0; i < n; i++, out += width) {
    const above = lineAt(rows, top, width, height, y + i - 1);
    const line = lineAt(rows, top, width, height, y + i);
    const below = lineAt(rows, top, width, height, y + i + 1);
    for (let x = 0; x < width; x += PIECE) {
      medianVectors(above, line, below, width, x, min(x + PIECE, width), out);
      if (checkpoint(i + 1)) return STOPPED;
    }
  }
  return 0;
}

/** As `median`, pixel by pixel. */
export function medianScalar(rows: usize, top: i32, width: i32, height: i32, y: i32, n: i32, out: usize): i32 {
  for (let i = 0; i < n; i++, out += width) {
    const above = lineAt(rows, top, width, height, y + i - 1);
    const line = lineAt(rows, top, width, height, y + i);
    const below = lineAt(rows, top, width, height, y + i + 1);
    medianPixels(above, line, below, width, 0, width, out);
  }
  return 0;
}

@inline
function lineAt(rows: usize, top: i32, width: i32, height: i32, y: i32): usize {
  return rows + <usize>(max(0, min(height - 1, y)) - top) * width;
}

@inline
function middle(a: i32, b: i32, c: i32): i32 {
  return max(min(a, b), min(max(a, b), c));
}

function medianPixels(above: usize, line: usize, below: usize, width: i32, x: i32, end: i32, out: usize): void {
  for (; x < end; x++) {
    let lows = 0;
    let highs = 255;
    let first = 0;
    let second = 0;
    let third = 0;
    for (let k = -1; k <= 1; k++) {
      const at = <usize>max(0, min(width - 1, x + k));
      const a = <i32>load<u8>(above + at);
      const b = <i32>load<u8>(line + at);
      const c = <i32>load<u8>(below + at);
      lows = max(lows, min(a, min(b, c)));
      highs = min(highs, max(a, max(b, c)));
      first = second;
      second = third;
      third = middle(a, b, c);
    }
    store<u8>(out + x, middle(lows, middle(first, second, third), highs));
  }
}

@inline
function middle16(a: v128, b: v128, c: v128): v128 {
  return i8x16.max_u(i8x16.min_u(a, b), i8x16.min_u(i8x16.max_u(a, b), c));
}

/** The medians of sixteen pixels whose neighbours all lie in the picture. */
@inline
function median16(above: usize, line: usize, below: usize): v128 {
  const a0 = v128.load(above - 1);
  const a1 = v128.load(above);
  const a2 = v128.load(above, 1);
  const b0 = v128.load(line - 1);
  const b1 = v128.load(line);
  const b2 = v128.load(line, 1);
  const c0 = v128.load(below - 1);
  const c1 = v128.load(below);
  const c2 = v128.load(below, 1);
  const lows = i8x16.max_u(
    i8x16.max_u(i8x16.min_u(i8x16.min_u(a0, b0), c0), i8x16.min_u(i8x16.min_u(a1, b1), c1)),
    i8x16.min_u(i8x16.min_u(a2, b2), c2),
  );
  const highs = i8x16.min_u(
    i8x16.min_u(i8x16.max_u(i8x16.max_u(a0, b0), c0), i8x16.max_u(i8x16.max_u(a1, b1), c1)),
    i8x16.max_u(i8x16.max_u(a2, b2), c2),
  );
  return middle16(lows, middle16(middle16(a0, b0, c0), middle16(a1, b1, c1), middle16(a2, b2, c2)), highs);
}

function medianVectors(above: usize, line: usize, below: usize, width: i32, x: i32, end: i32, out: usize): void {
  if (x == 0) medianPixels(above, line, below, width, x++, 1, out);
  for (const last = min(end, width - 1) - 16; x <= last; x += 16)
    v128.store(out + x, median16(above + x, line + x, below + x));
  medianPixels(above, line, below, width, x, end, out);
}
