// Fewer points for paths, with a bound on how far what is dropped lies from what stays.

import { search, searchFine, Thinning } from "./_farthest";
import { checkpoint, STOPPED } from "./control";

/** Shorter runs are looked through in f64 at once. */
const LEAST: i32 = 12;
/** What is left of a path that was cut too unevenly is halved down to this many points. */
const BLOCK: i32 = 256;
/** Pairs of i32: the shorter part goes on first, so that there is at most one for each bit of a count. */
const STACK: i32 = 32;
/** How far distances in f32 are off at most, as a part of the box's diagonal: 12 roundings of 2^-24. */
const OFF: f64 = 12.0 / 16777216.0;

/** Bytes of scratch for `thinPaths`; `longest` counts the points of the longest path. */
export function thinBytes(longest: i32): f64 {
  return <f64>offsetof<Thinning>() + <f64>(STACK << 3) + 9 * (<f64>longest + 16);
}

/**
 * Drops points of paths in place: each dropped point lies within the tolerance of the line between the kept ones around
 * it. Ends of open paths stay. Closed paths are taken from their leftmost point to the farthest from it and back; they
 * keep three points that are not on one line where they have them.
 *
 * ends       u32[paths], points up to and with each path; written: the same for what is kept
 * paths      >= 0
 * xy         f32 pairs, mm, finite; written: what is kept
 * tolerance  mm, >= 0
 * vector     1 for SIMD, 0 for the scalar form: the same result
 * scratch    u8[thinBytes(longest)], 16-byte aligned
 * returns    points kept, or STOPPED; reports points
 * cost       about 20 ns a point; at most O(n log n): a path that is cut too unevenly is halved instead, down to blocks
 * source     Douglas and Peucker 1973 on a stack
 */
export function thinPaths(ends: usize, paths: i32, xy: usize, tolerance: f64, vector: i32, scratch: usize): i32 {
  const thin = changetype<Thinning>(scratch);
  thin.square = tolerance * tolerance;
  thin.vector = vector != 0;
  thin.stack = scratch + offsetof<Thinning>();
  thin.since = 0;
  thin.done = 0;
  const work = thin.stack + (<usize>STACK << 3);
  let from = 0;
  let out = xy;
  for (let path = 0; path < paths; path++) {
    const end = load<i32>(ends + (<usize>path << 2));
    const n = end - from;
    const at = xy + (<usize>from << 3);
    if (n < 3) {
      memory.copy(out, at, <usize>n << 3);
      out += <usize>n << 3;
    } else {
      measurePath(thin, at, n, tolerance);
      const last = at + (<usize>(n - 1) << 3);
      const ring = load<f32>(at) == load<f32>(last) && load<f32>(at, 4) == load<f32>(last, 4);
      thin.keep = work + (ring ? <usize>n << 3 : 0);
      memory.fill(thin.keep, 0, <usize>n);
      const start = ring ? thinRing(thin, at, n - 1, work) : thinOpen(thin, at, n);
      if (start < 0) return STOPPED;
      out = ring ? writeRing(work, thin.keep, n - 1, start, out) : writeOpen(at, thin.keep, n, out);
    }
    from = end;
    thin.done = end;
    store<u32>(ends + (<usize>path << 2), <u32>((out - xy) >> 3));
    if ((path & 255) == 255 && checkpoint(end)) return STOPPED;
  }
  return <i32>((out - xy) >> 3);
}

/** Sets what depends on the size of a path. */
function measurePath(thin: Thinning, at: usize, n: i32, tolerance: f64): void {
  let low = v128.load64_zero(at);
  low = v128.shuffle<u64>(low, low, 0, 0);
  let high = low;
  const end = at + (<usize>n << 3);
  let p = at;
  for (; p + 16 <= end; p += 16) {
    const pair = v128.load(p);
    low = f32x4.pmin(low, pair);
    high = f32x4.pmax(high, pair);
  }
  if (p < end) {
    const one = v128.load64_splat(p);
    low = f32x4.pmin(low, one);
    high = f32x4.pmax(high, one);
  }
  low = f32x4.pmin(low, v128.shuffle<u64>(low, low, 1, 0));
  high = f32x4.pmax(high, v128.shuffle<u64>(high, high, 1, 0));
  const width = <f64>f32x4.extract_lane(high, 0) - <f64>f32x4.extract_lane(low, 0);
  const height = <f64>f32x4.extract_lane(high, 1) - <f64>f32x4.extract_lane(low, 1);
  const off = Math.sqrt(width * width + height * height) * OFF;
  // beyond, the squares of f32 could run out of their range
  thin.quick = tolerance > 8 * off && tolerance > 1e-15 && width + height < 1e15;
  thin.low = <f32>((tolerance - off) * (tolerance - off));
  thin.high = <f32>((tolerance + off) * (tolerance + off));
  thin.budget = <f64>n * (16 + 4 * <f64>(32 - clz(n)));
  thin.left = f32x4.extract_lane(low, 0);
}

function thinOpen(thin: Thinning, at: usize, n: i32): i32 {
  thin.xy = at;
  store<u8>(thin.keep, 1);
  store<u8>(thin.keep + <usize>n - 1, 1);
  return thinRun(thin, 0, n - 1);
}

/** Lays the ring of `m` corners into `work` from its leftmost corner on, and thins it there; returns that corner. */
function thinRing(thin: Thinning, at: usize, m: i32, work: usize): i32 {
  let start = 0;
  let highest: f32 = f32.MAX_VALUE;
  for (let i = 0; i < m; i++) {
    const p = at + (<usize>i << 3);
    if (load<f32>(p) != thin.left || load<f32>(p, 4) >= highest) continue;
    highest = load<f32>(p, 4);
    start = i;
  }
  memory.copy(work, at + (<usize>start << 3), <usize>(m - start) << 3);
  memory.copy(work + (<usize>(m - start) << 3), at, <usize>start << 3);
  store<u64>(work + (<usize>m << 3), load<u64>(work));
  thin.xy = work;
  store<u8>(thin.keep, 1);
  if (thin.quick ? !search(thin, 0, m) : searchFine(thin, 0, m) < 0) return STOPPED;
  const far = thin.found;
  if (thin.best <= 0) return start;
  store<u8>(thin.keep + <usize>far, 1);
  const before = thin.done;
  if (thinRun(thin, 0, far) < 0 || thinRun(thin, far, m) < 0) return STOPPED;
  if (countKept(thin.keep, m) > 2) return start;

  // all lies near one line: the third point is the farthest from it
  thin.done = before;
  if (searchFine(thin, 0, far) < 0) return STOPPED;
  let third = thin.found;
  const best = thin.best;
  if (searchFine(thin, far, m) < 0) return STOPPED;
  if (thin.best > best) third = thin.found;
  if (max(best, thin.best) <= 0) return start;
  store<u8>(thin.keep + <usize>third, 1);
  const a = third < far ? 0 : far;
  if (thinRun(thin, a, third) < 0 || thinRun(thin, third, third < far ? far : m) < 0) return STOPPED;
  return start;
}

/** Kept corners, counted up to 3. */
function countKept(keep: usize, m: i32): i32 {
  let kept = 0;
  for (let i = 0; i < m && kept < 3; i++) kept += load<u8>(keep + <usize>i);
  return kept;
}

/** Marks what to keep between two kept points; 0 or STOPPED. */
function thinRun(thin: Thinning, a: i32, b: i32): i32 {
  let top = thin.stack;
  for (;;) {
    while (b - a > 1) {
      thin.budget -= <f64>(b - a);
      let middle = split(thin, a, b);
      if (middle < 0) return STOPPED;
      if (middle == 0) break;
      // cut too unevenly until now
      if (thin.budget < 0 && b - a > BLOCK) middle = (a + b) >> 1;
      store<u8>(thin.keep + <usize>middle, 1);
      if (middle - a > b - middle) {
        store<i32>(top, a);
        store<i32>(top, middle, 4);
        a = middle;
      } else {
        store<i32>(top, middle);
        store<i32>(top, b, 4);
        b = middle;
      }
      top += 8;
    }
    thin.done += b - a;
    if (top == thin.stack) break;
    top -= 8;
    a = load<i32>(top);
    b = load<i32>(top, 4);
  }
  return 0;
}

/** The point between two that has to stay, 0 when none has to, or STOPPED. */
function split(thin: Thinning, a: i32, b: i32): i32 {
  if (thin.quick && b - a > LEAST) {
    if (!search(thin, a, b)) return STOPPED;
    if (thin.best > <f64>thin.high) return thin.found;
    if (thin.best < <f64>thin.low) return 0;
  }
  const length = searchFine(thin, a, b);
  if (length < 0) return STOPPED;
  return thin.best > thin.square * length ? thin.found : 0;
}

function writeOpen(at: usize, keep: usize, n: i32, out: usize): usize {
  for (let i = 0; i < n; i++) {
    if (load<u8>(keep + <usize>i) == 0) continue;
    store<u64>(out, load<u64>(at + (<usize>i << 3)));
    out += 8;
  }
  return out;
}

/** Writes a thinned ring from its first kept corner on, as it was numbered before it was turned by `start`. */
function writeRing(work: usize, keep: usize, m: i32, start: i32, out: usize): usize {
  const first = out;
  out = writeOpen(work + (<usize>(m - start) << 3), keep + <usize>(m - start), start, out);
  out = writeOpen(work, keep, m - start, out);
  store<u64>(out, load<u64>(first));
  return out + 8;
}
