// The convex hull of points.

import { checkpoint, STOPPED } from "./control";

/** Points between two looks at the control block. */
const SLICE: i32 = 4096;
/** Bytes of a key are digits of the sort. */
const DIGITS: i32 = 8;
/** Bytes of the counts of one digit. */
const COUNTS: usize = 1024;

/** The four points farthest along the diagonals: upper left, lower right, lower left, upper right with y down. */
@unmanaged
class Diagonal {
  leastSum: f64;
  mostSum: f64;
  leastGap: f64;
  mostGap: f64;
  /** Bits of x in the low half, of y in the high one. */
  upperLeft: u64;
  lowerRight: u64;
  lowerLeft: u64;
  upperRight: u64;
}

/** Bytes of scratch that `hull` needs for n points. */
export function hullBytes(n: i32): f64 {
  return <f64>DIGITS * <f64>COUNTS + <f64>offsetof<Diagonal>() + 16 * <f64>n;
}

/**
 * The corners of the smallest convex polygon around points: none on a straight side, none twice, from the leftmost (of
 * those the one of least y) on, in the direction of positive shoelace area. Points all alike give one, points on a line
 * its two ends. Exact where products of differences of coordinates are exact in f64, as for all integers up to 2^24.
 *
 * xy       f32[2 * n], finite
 * n        >= 0
 * scratch  u8[hullBytes(n)], 8-byte aligned
 * out      f32[2 * (n + 1)], written: x, y of each corner; the first is not repeated
 * returns  corners, or STOPPED; reports points, 10 * n in all
 * cost     O(n): 4 ns a point, and some 40 more for those that are not deep inside
 * source   Andrew 1979, another efficient algorithm for convex hulls in two dimensions; points inside thrown away first
 *          after Akl and Toussaint 1978; radix sort
 */
export function hull(xy: usize, n: i32, scratch: usize, out: usize): i32 {
  const diagonal = changetype<Diagonal>(scratch + <usize>DIGITS * COUNTS);
  let from = scratch + <usize>DIGITS * COUNTS + offsetof<Diagonal>();
  let to = from + (<usize>n << 3);
  memory.fill(scratch, 0, <usize>DIGITS * COUNTS);
  diagonal.leastSum = diagonal.leastGap = Infinity;
  diagonal.mostSum = diagonal.mostGap = -Infinity;
  for (let i = 0; i < n; i += SLICE) {
    stretch(diagonal, xy, i, min(n, i + SLICE));
    if (checkpoint(i >> 1)) return STOPPED;
  }
  let count = 0;
  for (let i = 0; i < n; i += SLICE) {
    count = layKeys(diagonal, xy, i, min(n, i + SLICE), from, count, scratch);
    if (checkpoint((n + i) >> 1)) return STOPPED;
  }

  for (let digit = 0; digit < DIGITS; digit++) {
    const counts = scratch + <usize>digit * COUNTS;
    if (!placesOf(counts, count)) continue; // all keys have the same byte here
    for (let i = 0; i < count; i += SLICE) {
      placeKeys(from, i, min(count, i + SLICE), to, counts, digit);
      if (checkpoint((digit + 1) * n + i)) return STOPPED;
    }
    const other = from;
    from = to;
    to = other;
  }

  // from left to right along the side of small y, and back along the other
  let corners = 0;
  for (let i = 0; i < count; i += SLICE) {
    corners = wrap(from, i, min(count, i + SLICE), 1, out, corners, 0);
    if (checkpoint((DIGITS + 1) * n + (i >> 1))) return STOPPED;
  }
  const turn = corners - 1;
  for (let i = count - 1; i >= 0; i -= SLICE) {
    corners = wrap(from, i, max(-1, i - SLICE), -1, out, corners, turn);
    if (checkpoint((DIGITS + 2) * n - (i >> 1))) return STOPPED;
  }
  // the way back ends on the first corner
  return corners > 1 ? corners - 1 : corners;
}

function stretch(diagonal: Diagonal, xy: usize, i: i32, end: i32): void {
  for (; i < end; i++) {
    const at = xy + (<usize>i << 3);
    const x = <f64>load<f32>(at);
    const y = <f64>load<f32>(at, 4);
    const sum = x + y;
    const gap = x - y;
    if (sum < diagonal.leastSum) {
      diagonal.leastSum = sum;
      diagonal.upperLeft = load<u64>(at);
    }
    if (sum > diagonal.mostSum) {
      diagonal.mostSum = sum;
      diagonal.lowerRight = load<u64>(at);
    }
    if (gap < diagonal.leastGap) {
      diagonal.leastGap = gap;
      diagonal.lowerLeft = load<u64>(at);
    }
    if (gap > diagonal.mostGap) {
      diagonal.mostGap = gap;
      diagonal.upperRight = load<u64>(at);
    }
  }
}

// @ts-ignore: decorator
@inline
function xOf(point: u64): f32 {
  return reinterpret<f32>(<u32>point);
}

// @ts-ignore: decorator
@inline
function yOf(point: u64): f32 {
  return reinterpret<f32>(<u32>(point >> 32));
}

/**
 * Keys that order points by x, then y, and how often each byte occurs at each place of them; returns the keys laid.
 * A point within the rectangle that the four on the diagonals leave between them is no corner: it has one of the four in
 * each quadrant around it.
 */
function layKeys(diagonal: Diagonal, xy: usize, i: i32, end: i32, keys: usize, count: i32, counts: usize): i32 {
  const left = max(xOf(diagonal.upperLeft), xOf(diagonal.lowerLeft));
  const right = min(xOf(diagonal.upperRight), xOf(diagonal.lowerRight));
  const top = max(yOf(diagonal.upperLeft), yOf(diagonal.upperRight));
  const bottom = min(yOf(diagonal.lowerLeft), yOf(diagonal.lowerRight));
  for (; i < end; i++) {
    const at = xy + (<usize>i << 3);
    const x = load<f32>(at);
    const y = load<f32>(at, 4);
    if (x > left && x < right && y > top && y < bottom) continue;
    const key = (ordered(x) << 32) | ordered(y);
    store<u64>(keys + (<usize>count << 3), key);
    count++;
    for (let digit: usize = 0; digit < <usize>DIGITS; digit++) {
      const slot = counts + digit * COUNTS + (((<usize>(key >> (digit << 3))) & 255) << 2);
      store<i32>(slot, load<i32>(slot) + 1);
    }
  }
  return count;
}

/** A number whose order as an integer is that of the value; both zeros are one. */
// @ts-ignore: decorator
@inline
function ordered(value: f32): u64 {
  const bits = reinterpret<i32>(value + 0);
  return <u64>(<u32>(bits ^ ((bits >> 31) | i32.MIN_VALUE)));
}

// @ts-ignore: decorator
@inline
function coordinate(order: u32): f64 {
  const bits = <i32>order;
  return <f64>reinterpret<f32>(bits ^ (bits < 0 ? i32.MIN_VALUE : -1));
}

/** Turns the counts of a digit into places; false when one value has them all. */
function placesOf(counts: usize, n: i32): bool {
  let place = 0;
  for (let at = counts; at < counts + COUNTS; at += 4) {
    const count = load<i32>(at);
    if (count == n) return false;
    store<i32>(at, place);
    place += count;
  }
  return true;
}

function placeKeys(from: usize, i: i32, end: i32, to: usize, places: usize, digit: i32): void {
  const shift = <u64>(digit << 3);
  for (; i < end; i++) {
    const key = load<u64>(from + (<usize>i << 3));
    const at = places + ((<usize>(key >> shift) & 255) << 2);
    const place = load<i32>(at);
    store<i32>(at, place + 1);
    store<u64>(to + (<usize>place << 3), key);
  }
}

/**
 * Adds points to a chain whose every turn adds to a positive area, taking back the corners that they make needless, but
 * none up to number `kept`; returns how many corners there are.
 */
function wrap(keys: usize, i: i32, end: i32, step: i32, out: usize, corners: i32, kept: i32): i32 {
  for (; i != end; i += step) {
    const key = load<u64>(keys + (<usize>i << 3));
    const x = coordinate(<u32>(key >> 32));
    const y = coordinate(<u32>key);
    let top = out + (<usize>corners << 3);
    if (corners > 0 && <f64>load<f32>(top - 8) == x && <f64>load<f32>(top - 4) == y) continue;
    while (corners > kept + 1) {
      const x1 = <f64>load<f32>(top - 8);
      const y1 = <f64>load<f32>(top - 4);
      const x0 = <f64>load<f32>(top - 16);
      const y0 = <f64>load<f32>(top - 12);
      if ((x1 - x0) * (y - y0) > (y1 - y0) * (x - x0)) break;
      top -= 8;
      corners--;
    }
    store<f32>(top, <f32>x);
    store<f32>(top, <f32>y, 4);
    corners++;
  }
  return corners;
}
