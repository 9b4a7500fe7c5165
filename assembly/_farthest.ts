// The point of a run that is farthest from the line between the run's ends.

import { checkpoint, STOPPED } from "./control";

/** Points between two looks at the control block. */
const SLICE: i32 = 16384;

/** What is known of the path that is worked on. */
@unmanaged
export class Thinning {
  /** f64 square of the tolerance; the squares below which and above which f32 is sure. */
  square: f64;
  low: f32;
  high: f32;
  quick: bool;
  vector: bool;
  /** The farthest point seen by the running search: the square of its distance, its number. */
  best: f64;
  found: i32;
  /** Points settled, and those looked at since the last look at the control block. */
  done: i32;
  since: i32;
  /** Points that may be looked at before runs are halved. */
  budget: f64;
  xy: usize;
  keep: usize;
  stack: usize;
  /** Least x of the path. */
  left: f32;
}

/** Finds the point between two that is farthest from the line between them; false when the kernel has to leave. */
export function search(thin: Thinning, a: i32, b: i32): bool {
  const pa = thin.xy + (<usize>a << 3);
  const pb = thin.xy + (<usize>b << 3);
  const ax = load<f32>(pa);
  const ay = load<f32>(pa, 4);
  const dx = <f64>load<f32>(pb) - <f64>ax;
  const dy = <f64>load<f32>(pb, 4) - <f64>ay;
  const length = Math.sqrt(dx * dx + dy * dy);
  // from a point, all directions are the same
  const ux = length > 0 ? <f32>(dx / length) : 1;
  const uy = length > 0 ? <f32>(dy / length) : 0;
  thin.best = -1;
  thin.found = a;
  for (let i = a + 1; i < b; i += SLICE) {
    const end = min(b, i + SLICE);
    if (thin.vector) searchVector(thin, i, end, ax, ay, ux, uy, <f32>length);
    else searchScalar(thin, i, end, ax, ay, ux, uy, <f32>length);
    if (look(thin, end - i)) return false;
  }
  return true;
}

/** As `search`, in f64; returns what `thin.best` is divided by to be a square distance, or STOPPED. */
export function searchFine(thin: Thinning, a: i32, b: i32): f64 {
  const pa = thin.xy + (<usize>a << 3);
  const pb = thin.xy + (<usize>b << 3);
  const ax = <f64>load<f32>(pa);
  const ay = <f64>load<f32>(pa, 4);
  const dx = <f64>load<f32>(pb) - ax;
  const dy = <f64>load<f32>(pb, 4) - ay;
  thin.best = -1;
  thin.found = a;
  for (let i = a + 1; i < b; i += SLICE) {
    const end = min(b, i + SLICE);
    searchExact(thin, i, end, ax, ay, dx, dy);
    if (look(thin, end - i)) return STOPPED;
  }
  const length = dx * dx + dy * dy;
  return length > 0 ? length : 1;
}

/** Counts work, and looks at the control block when there was enough of it. */
@inline function look(thin: Thinning, points: i32): bool {
  thin.since += points + 16;
  if (thin.since <= SLICE) return false;
  thin.since = 0;
  return checkpoint(thin.done);
}

/** Squares of distances in f32: across the line, and along it what lies beyond its ends. */
function searchScalar(thin: Thinning, i: i32, end: i32, ax: f32, ay: f32, ux: f32, uy: f32, length: f32): void {
  let best = <f32>thin.best;
  let found = thin.found;
  for (let p = thin.xy + (<usize>i << 3); i < end; i++, p += 8) {
    const x = load<f32>(p) - ax;
    const y = load<f32>(p, 4) - ay;
    const across = x * uy - y * ux;
    const along = x * ux + y * uy;
    const beyond = max<f32>(max<f32>(along - length, -along), 0);
    const square = across * across + beyond * beyond;
    if (square > best) {
      best = square;
      found = i;
    }
  }
  thin.best = <f64>best;
  thin.found = found;
}

/** As `searchScalar`, four points at a time; the first of equals is found here too. */
function searchVector(thin: Thinning, i: i32, end: i32, ax: f32, ay: f32, ux: f32, uy: f32, length: f32): void {
  const vax = f32x4.splat(ax);
  const vay = f32x4.splat(ay);
  const vux = f32x4.splat(ux);
  const vuy = f32x4.splat(uy);
  const vlength = f32x4.splat(length);
  const zero = f32x4.splat(0);
  const four = i32x4.splat(4);
  let best = f32x4.splat(-1);
  let at = i32x4(i, i + 1, i + 2, i + 3);
  let found = at;
  let p = thin.xy + (<usize>i << 3);
  for (; i + 4 <= end; i += 4, p += 32) {
    const u = v128.load(p);
    const w = v128.load(p, 16);
    const x = f32x4.sub(v128.shuffle<f32>(u, w, 0, 2, 4, 6), vax);
    const y = f32x4.sub(v128.shuffle<f32>(u, w, 1, 3, 5, 7), vay);
    const across = f32x4.sub(f32x4.mul(x, vuy), f32x4.mul(y, vux));
    const along = f32x4.add(f32x4.mul(x, vux), f32x4.mul(y, vuy));
    const beyond = f32x4.pmax(f32x4.pmax(f32x4.sub(along, vlength), f32x4.neg(along)), zero);
    const square = f32x4.add(f32x4.mul(across, across), f32x4.mul(beyond, beyond));
    found = v128.bitselect(at, found, f32x4.gt(square, best));
    best = f32x4.pmax(best, square);
    at = i32x4.add(at, four);
  }
  takeLane(thin, f32x4.extract_lane(best, 0), i32x4.extract_lane(found, 0));
  takeLane(thin, f32x4.extract_lane(best, 1), i32x4.extract_lane(found, 1));
  takeLane(thin, f32x4.extract_lane(best, 2), i32x4.extract_lane(found, 2));
  takeLane(thin, f32x4.extract_lane(best, 3), i32x4.extract_lane(found, 3));
  searchScalar(thin, i, end, ax, ay, ux, uy, length);
}

@inline function takeLane(thin: Thinning, square: f32, found: i32): void {
  const value = <f64>square;
  if (value < thin.best || (value == thin.best && found > thin.found)) return;
  thin.best = value;
  thin.found = found;
}

/**
 * Squares of distances in f64, times the square of the line's length so that nothing is divided; of a point on the line
 * it is 0 wherever products are exact.
 */
function searchExact(thin: Thinning, i: i32, end: i32, ax: f64, ay: f64, dx: f64, dy: f64): void {
  const length = dx * dx + dy * dy;
  const scale = length > 0 ? length : 1;
  let best = thin.best;
  let found = thin.found;
  for (let p = thin.xy + (<usize>i << 3); i < end; i++, p += 8) {
    let x = <f64>load<f32>(p) - ax;
    let y = <f64>load<f32>(p, 4) - ay;
    const along = x * dx + y * dy;
    const across = x * dy - y * dx;
    let square = across * across;
    if (along <= 0 || along >= length) {
      if (along > 0) {
        x -= dx;
        y -= dy;
      }
      square = (x * x + y * y) * scale;
    }
    if (square > best) {
      best = square;
      found = i;
    }
  }
  thin.best = best;
  thin.found = found;
}
