// Boxes of points, points moved by matrices, and paths turned round.

import { checkpoint, STOPPED } from "./control";

/** Points between two looks at the control block. */
const SLICE: i32 = 16384;

/**
 * The box of points; what is not finite gets through to it: a NaN makes all of its column NaN.
 *
 * xy       f32[2 * points]
 * points   >= 0
 * box      f32[4], written: least x, y, greatest x, y; infinite the wrong way round for no points
 * returns  0, or STOPPED; reports points
 * cost     0.3 ns a point
 * source   own
 */
export function boxOf(xy: usize, points: i32, box: usize): i32 {
  store<v128>(box, f32x4(Infinity, Infinity, -Infinity, -Infinity));
  for (let i = 0; i < points; i += SLICE) {
    widen(xy + (<usize>i << 3), xy + (<usize>min(points, i + SLICE) << 3), box);
    if (checkpoint(i)) return STOPPED;
  }
  return 0;
}

function widen(p: usize, end: usize, box: usize): void {
  const corners = v128.load(box);
  let low = v128.shuffle<u64>(corners, corners, 0, 0);
  let high = v128.shuffle<u64>(corners, corners, 1, 1);
  for (; p + 16 <= end; p += 16) {
    const pair = v128.load(p);
    low = f32x4.min(low, pair);
    high = f32x4.max(high, pair);
  }
  if (p < end) {
    const one = v128.load64_splat(p);
    low = f32x4.min(low, one);
    high = f32x4.max(high, one);
  }
  low = f32x4.min(low, v128.shuffle<u64>(low, low, 1, 0));
  high = f32x4.max(high, v128.shuffle<u64>(high, high, 1, 0));
  v128.store(box, v128.shuffle<u64>(low, high, 0, 2));
}

/**
 * Moves points in place: x' = a x + c y + e, y' = b x + d y + f, in f64, rounded once.
 *
 * xy       f32[2 * points], written
 * points   >= 0
 * matrix   f64[6]: a, b, c, d, e, f; 16-byte aligned
 * returns  0, or STOPPED; reports points
 * cost     1 ns a point
 * source   own
 */
export function movePoints(xy: usize, points: i32, matrix: usize): i32 {
  for (let i = 0; i < points; i += SLICE) {
    moveSlice(xy + (<usize>i << 3), xy + (<usize>min(points, i + SLICE) << 3), matrix);
    if (checkpoint(i)) return STOPPED;
  }
  return 0;
}

function moveSlice(p: usize, end: usize, matrix: usize): void {
  const ofX = v128.load(matrix);
  const ofY = v128.load(matrix, 16);
  const shift = v128.load(matrix, 32);
  for (; p < end; p += 8) {
    const x = f64x2.splat(<f64>load<f32>(p));
    const y = f64x2.splat(<f64>load<f32>(p, 4));
    const moved = f64x2.add(f64x2.add(f64x2.mul(x, ofX), f64x2.mul(y, ofY)), shift);
    store<u64>(p, i64x2.extract_lane(f32x4.demote_f64x2_zero(moved), 0));
  }
}

/**
 * Turns the order of points round in each path, in place.
 *
 * ends     u32[paths], points up to and with each path
 * xy       f32 pairs, written
 * returns  0, or STOPPED; reports points
 * cost     1 ns a point
 * source   own
 */
export function reversePaths(ends: usize, paths: i32, xy: usize): i32 {
  let from = 0;
  for (let path = 0; path < paths; path++) {
    const end = load<i32>(ends + (<usize>path << 2));
    let head = from;
    let tail = end - 1;
    while (head < tail) {
      const swaps = min((tail - head + 1) >> 1, SLICE);
      swapSlice(xy + (<usize>head << 3), xy + (<usize>tail << 3), swaps);
      head += swaps;
      tail -= swaps;
      if (swaps == SLICE && checkpoint(from)) return STOPPED;
    }
    from = end;
    if ((path & 255) == 255 && checkpoint(from)) return STOPPED;
  }
  return 0;
}

function swapSlice(head: usize, tail: usize, swaps: i32): void {
  for (; swaps > 0; swaps--, head += 8, tail -= 8) {
    const point = load<u64>(head);
    store<u64>(head, load<u64>(tail));
    store<u64>(tail, point);
  }
}
