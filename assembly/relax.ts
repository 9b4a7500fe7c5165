// Paths smoothed between their corners.

import { checkpoint, STOPPED } from "./control";

/** Points between two looks at the control block. */
const SLICE: i32 = 1024;
/** Implicit steps of diffusion: together they are nearly a Gaussian. */
const STEPS: i32 = 3;

/** The path that is worked on: this record, then its lists. */
@unmanaged
class Relaxing {
  /** Mean square way of one step of diffusion, half of it; mm2. */
  spread: f64;
  /** Shortest line that counts, mm. */
  least: f64;
  /** Corners of a closed path, points of an open one. */
  n: i32;
  closed: bool;
  done: i32;
  total: f64;
  /** f64[n + 1], the way up to each point; the last is the total. */
  ways: usize;
  /** f64[n] each: of the tridiagonal system, mass, what is below the diagonal, and what the elimination needs. */
  mass: usize;
  below: usize;
  scale: usize;
  ratio: usize;
  /** f64[n], the answer to the corner of a cyclic system; before that, cosines of turns. */
  ring: usize;
  ringLast: f64;
  ringScale: f64;
  /** f64[2 * n] each, points: as they were, and as they become. */
  given: usize;
  moved: usize;
  /** u8[n], 1 for points that stay. */
  fixed: usize;
}

/** Bytes of scratch for `relaxPaths`. */
export function relaxBytes(longest: i32): f64 {
  return <f64>offsetof<Relaxing>() + 81 * (<f64>longest + 2) + 16;
}

@inline function at(list: usize, i: i32): f64 {
  return load<f64>(list + (<usize>i << 3));
}

@inline function put(list: usize, i: i32, value: f64): void {
  store<f64>(list + (<usize>i << 3), value);
}

/**
 * Smooths paths in place by diffusion along their length, once for the path and once for what that took from it, so that
 * curves keep their size. Points move; none is added or dropped. The ends of open paths stay, and so do corners: points
 * around which the path turns by more than an angle, from a radius before to a radius behind.
 *
 * ends      u32[paths]
 * paths     >= 0
 * xy        f32 pairs, mm, finite, written
 * longest   points of the longest path
 * radius    mm, > 0: twice the standard deviation
 * corner    cosine of the least turn of a corner; below -1 for no corners
 * scratch   u8[relaxBytes(longest)], 16-byte aligned
 * returns   0, or STOPPED; reports points
 * cost      O(points), whatever the radius: about 0.1 us a point
 * source    implicit fairing: Desbrun, Meyer, Schroeder and Barr 1999; twicing: Tukey 1977; that curves must not shrink:
 *           Taubin 1995; cyclic systems: Sherman and Morrison 1950
 */
export function relaxPaths(ends: usize, paths: i32, xy: usize, longest: i32, radius: f64, corner: f64, scratch: usize): i32 {
  const relaxing = changetype<Relaxing>(scratch);
  // a Gaussian of standard deviation radius / 2 is one of variance 2 * spread for each step
  relaxing.spread = (radius * radius) / (8 * <f64>STEPS);
  relaxing.least = radius * 1e-6;
  const room = (<usize>longest + 2) << 3;
  relaxing.given = (scratch + offsetof<Relaxing>() + 15) & ~15;
  relaxing.moved = relaxing.given + 2 * room;
  relaxing.ways = relaxing.moved + 2 * room;
  relaxing.mass = relaxing.ways + room;
  relaxing.below = relaxing.mass + room;
  relaxing.scale = relaxing.below + room;
  relaxing.ratio = relaxing.scale + room;
  relaxing.ring = relaxing.ratio + room;
  relaxing.fixed = relaxing.ring + room;
  let from = 0;
  for (let path = 0; path < paths; path++) {
    const end = load<i32>(ends + (<usize>path << 2));
    relaxing.done = from;
    if (!relaxPath(relaxing, xy + (<usize>from << 3), end - from, radius, corner)) return STOPPED;
    from = end;
    if ((path & 15) == 15 && checkpoint(from)) return STOPPED;
  }
  return 0;
}

/** Smooths one path; false when the kernel has to leave. */
function relaxPath(relaxing: Relaxing, xy: usize, points: i32, radius: f64, corner: f64): bool {
  if (points < 3) return true;
  const last = xy + (<usize>(points - 1) << 3);
  relaxing.closed = load<f32>(xy) == load<f32>(last) && load<f32>(xy, 4) == load<f32>(last, 4);
  const n = points - i32(relaxing.closed);
  relaxing.n = n;
  if (n < 3 || !(measurePath(relaxing, xy) && findCorners(relaxing, radius, corner) && layRows(relaxing))) return n < 3;
  memory.copy(relaxing.moved, relaxing.given, <usize>n << 4);
  for (let step = 0; step < STEPS; step++) if (!diffuse(relaxing)) return false;
  // what was lost on the way is smoothed too, and given back
  for (let i = 0; i < n; i += SLICE) {
    takeLoss(relaxing, i, min(n, i + SLICE));
    if (checkpoint(relaxing.done)) return false;
  }
  for (let step = 0; step < STEPS; step++) if (!diffuse(relaxing)) return false;
  for (let i = 0; i < n; i += SLICE) {
    giveBack(relaxing, xy, i, min(n, i + SLICE));
    if (checkpoint(relaxing.done)) return false;
  }
  if (relaxing.closed) store<u64>(last, load<u64>(xy));
  return true;
}

/** Lays the points and their ways; false when the kernel has to leave. */
function measurePath(relaxing: Relaxing, xy: usize): bool {
  const n = relaxing.n;
  let way: f64 = 0;
  for (let i = 0; i < n; i++) {
    const p = xy + (<usize>i << 3);
    put(relaxing.ways, i, way);
    const point = f64x2(<f64>load<f32>(p), <f64>load<f32>(p, 4));
    v128.store(relaxing.given + (<usize>i << 4), point);
    // of a closed path the point after the last is the first again
    if (i + 1 < n || relaxing.closed) {
      const step = f64x2.sub(f64x2(<f64>load<f32>(p, 8), <f64>load<f32>(p, 12)), point);
      way += lengthOf(step);
    }
    if ((i & (SLICE - 1)) == SLICE - 1 && checkpoint(relaxing.done)) return false;
  }
  put(relaxing.ways, n, way);
  relaxing.total = way;
  return true;
}

@inline function lengthOf(v: v128): f64 {
  const square = f64x2.mul(v, v);
  return Math.sqrt(f64x2.extract_lane(square, 0) + f64x2.extract_lane(square, 1));
}

/** The way up to a point, counted on around a closed path. */
@inline function wayTo(relaxing: Relaxing, i: i32): f64 {
  const n = relaxing.n;
  if (i < 0) return at(relaxing.ways, i + n) - relaxing.total;
  return i < n ? at(relaxing.ways, i) : at(relaxing.ways, i - n) + relaxing.total;
}

@inline function pointAt(relaxing: Relaxing, i: i32): v128 {
  const n = relaxing.n;
  const k = i < 0 ? i + n : i < n ? i : i - n;
  return v128.load(relaxing.given + (<usize>k << 4));
}

/** The place some way along the path, on the line that begins at point i. */
function placeAt(relaxing: Relaxing, i: i32, way: f64): v128 {
  const start = wayTo(relaxing, i);
  const a = pointAt(relaxing, i);
  const length = wayTo(relaxing, i + 1) - start;
  if (length <= 0 || way <= start) return a;
  const b = pointAt(relaxing, i + 1);
  return f64x2.add(a, f64x2.mul(f64x2.sub(b, a), f64x2.splat((way - start) / length)));
}

/**
 * Marks the points that stay: ends, and where the path turns most of all places within reach. False when the kernel has
 * to leave.
 */
function findCorners(relaxing: Relaxing, radius: f64, corner: f64): bool {
  const n = relaxing.n;
  const total = relaxing.total;
  const closed = relaxing.closed;
  memory.fill(relaxing.fixed, 0, <usize>n);
  if (!closed) {
    store<u8>(relaxing.fixed, 1);
    store<u8>(relaxing.fixed + <usize>n - 1, 1);
  }
  const reach = min(radius, total / (closed ? 8 : 4));
  if (reach <= 0) return true;
  let behind = closed ? -1 : 0;
  while (closed && wayTo(relaxing, behind) > -reach) behind--;
  let ahead = 0;
  let held = -1;
  let first = -1;
  for (let i = closed ? 0 : 1, end = closed ? n : n - 1; i < end; i++) {
    if ((i & 255) == 255 && checkpoint(relaxing.done)) return false;
    const way = at(relaxing.ways, i);
    const back = closed ? way - reach : max(0, way - reach);
    const on = closed ? way + reach : min(total, way + reach);
    while (behind < i - 1 && wayTo(relaxing, behind + 1) <= back) behind++;
    if (ahead < i) ahead = i;
    while (ahead + 1 < (closed ? 2 * n - 1 : n - 1) && wayTo(relaxing, ahead + 1) <= on) ahead++;
    if (way - back < reach / 4 || on - way < reach / 4) continue;
    const here = pointAt(relaxing, i);
    const u = f64x2.sub(here, placeAt(relaxing, behind, back));
    const v = f64x2.sub(placeAt(relaxing, ahead, on), here);
    const product = f64x2.mul(u, v);
    const size = lengthOf(u) * lengthOf(v);
    const cosine = size > 0 ? (f64x2.extract_lane(product, 0) + f64x2.extract_lane(product, 1)) / size : 1;
    if (cosine >= corner) continue;
    put(relaxing.ring, i, cosine);
    if (held >= 0 && way - at(relaxing.ways, held) <= reach) {
      if (cosine >= at(relaxing.ring, held)) continue;
      store<u8>(relaxing.fixed + <usize>held, 0);
      if (first == held) first = i;
    }
    if (first < 0) first = i;
    held = i;
    store<u8>(relaxing.fixed + <usize>i, 1);
  }
  if (closed && first >= 0 && first != held && at(relaxing.ways, first) + total - at(relaxing.ways, held) <= reach) {
    const lesser = at(relaxing.ring, held) < at(relaxing.ring, first) ? first : held;
    store<u8>(relaxing.fixed + <usize>lesser, 0);
  }
  return true;
}

/**
 * Lays the rows of one implicit step, mass + spread * stiffness along the way, eliminated from the first row on. What
 * stays has a row of its own. False when the kernel has to leave.
 */
function layRows(relaxing: Relaxing): bool {
  const n = relaxing.n;
  let ratio: f64 = 0;
  let corner: f64 = 0;
  let corner2: f64 = 0;
  let gamma: f64 = 0;
  for (let i = 0; i < n; i++) {
    if ((i & (SLICE - 1)) == SLICE - 1 && checkpoint(relaxing.done)) return false;
    let mass: f64 = 1;
    let below: f64 = 0;
    let above: f64 = 0;
    if (load<u8>(relaxing.fixed + <usize>i) == 0) {
      const before = max(relaxing.least, at(relaxing.ways, i) - wayTo(relaxing, i - 1));
      const after = max(relaxing.least, at(relaxing.ways, i + 1) - at(relaxing.ways, i));
      mass = (before + after) / 2;
      below = -relaxing.spread / before;
      above = -relaxing.spread / after;
    }
    let diagonal = mass - below - above;
    if (relaxing.closed && i == 0) {
      // the corner entries of a cyclic system are split off
      gamma = -diagonal;
      corner = below;
      diagonal -= gamma;
      below = 0;
    }
    if (relaxing.closed && i == n - 1) {
      corner2 = above;
      diagonal -= (corner * corner2) / gamma;
      above = 0;
    }
    const scale = 1 / (diagonal - below * ratio);
    ratio = above * scale;
    put(relaxing.mass, i, mass);
    put(relaxing.below, i, below);
    put(relaxing.scale, i, scale);
    put(relaxing.ratio, i, ratio);
  }
  if (!relaxing.closed) return true;
  // the answer to the split-off part
  let value: f64 = 0;
  for (let i = 0; i < n; i++) {
    if ((i & (SLICE - 1)) == SLICE - 1 && checkpoint(relaxing.done)) return false;
    const right = i == 0 ? gamma : i == n - 1 ? corner2 : 0;
    value = (right - at(relaxing.below, i) * value) * at(relaxing.scale, i);
    put(relaxing.ring, i, value);
  }
  for (let i = n - 2; i >= 0; i--) {
    if ((i & (SLICE - 1)) == 0 && checkpoint(relaxing.done)) return false;
    value = at(relaxing.ring, i) - at(relaxing.ratio, i) * value;
    put(relaxing.ring, i, value);
  }
  relaxing.ringLast = corner / gamma;
  relaxing.ringScale = 1 / (1 + at(relaxing.ring, 0) + relaxing.ringLast * at(relaxing.ring, n - 1));
  return true;
}

/** One implicit step on the points that move; false when the kernel has to leave. */
function diffuse(relaxing: Relaxing): bool {
  const n = relaxing.n;
  for (let i = 0; i < n; i += SLICE) {
    eliminate(relaxing, i, min(n, i + SLICE));
    if (checkpoint(relaxing.done)) return false;
  }
  for (let i = n - 2; i >= 0; i -= SLICE) {
    substitute(relaxing, i, max(-1, i - SLICE));
    if (checkpoint(relaxing.done)) return false;
  }
  if (!relaxing.closed) return true;
  const first = v128.load(relaxing.moved);
  const last = v128.load(relaxing.moved + (<usize>(n - 1) << 4));
  const sum = f64x2.add(first, f64x2.mul(last, f64x2.splat(relaxing.ringLast)));
  const factor = f64x2.mul(sum, f64x2.splat(relaxing.ringScale));
  for (let i = 0; i < n; i += SLICE) {
    closeRing(relaxing, factor, i, min(n, i + SLICE));
    if (checkpoint(relaxing.done)) return false;
  }
  return true;
}

function eliminate(relaxing: Relaxing, i: i32, end: i32): void {
  let before = i == 0 ? f64x2.splat(0) : v128.load(relaxing.moved + (<usize>(i - 1) << 4));
  for (; i < end; i++) {
    const p = relaxing.moved + (<usize>i << 4);
    const right = f64x2.mul(v128.load(p), v128.load64_splat(relaxing.mass + (<usize>i << 3)));
    const carried = f64x2.mul(before, v128.load64_splat(relaxing.below + (<usize>i << 3)));
    before = f64x2.mul(f64x2.sub(right, carried), v128.load64_splat(relaxing.scale + (<usize>i << 3)));
    v128.store(p, before);
  }
}

function substitute(relaxing: Relaxing, i: i32, end: i32): void {
  let after = v128.load(relaxing.moved + (<usize>(i + 1) << 4));
  for (; i > end; i--) {
    const p = relaxing.moved + (<usize>i << 4);
    after = f64x2.sub(v128.load(p), f64x2.mul(after, v128.load64_splat(relaxing.ratio + (<usize>i << 3))));
    v128.store(p, after);
  }
}

function closeRing(relaxing: Relaxing, factor: v128, i: i32, end: i32): void {
  for (; i < end; i++) {
    const p = relaxing.moved + (<usize>i << 4);
    v128.store(p, f64x2.sub(v128.load(p), f64x2.mul(factor, v128.load64_splat(relaxing.ring + (<usize>i << 3)))));
  }
}

/** Keeps the smoothed points, and goes on with what they lost. */
function takeLoss(relaxing: Relaxing, i: i32, end: i32): void {
  for (; i < end; i++) {
    const p = relaxing.moved + (<usize>i << 4);
    const g = relaxing.given + (<usize>i << 4);
    const smooth = v128.load(p);
    v128.store(p, f64x2.sub(v128.load(g), smooth));
    v128.store(g, smooth);
  }
}

function giveBack(relaxing: Relaxing, xy: usize, i: i32, end: i32): void {
  for (; i < end; i++) {
    if (load<u8>(relaxing.fixed + <usize>i) != 0) continue;
    const sum = f64x2.add(v128.load(relaxing.given + (<usize>i << 4)), v128.load(relaxing.moved + (<usize>i << 4)));
    store<u64>(xy + (<usize>i << 3), i64x2.extract_lane(f32x4.demote_f64x2_zero(sum), 0));
  }
}
