// Where finished segments go, and the rule that none is written before it was held against the border.
import { Border, sampleX, sampleY } from "./_border";
import { isBeside, Nearest, searchNearest } from "./_vertices";

/** Splits of one straight side before every sample becomes a point. */
const DEPTH: i32 = 24;
/** Longest segment that may fold back, px. */
const SHORT: i32 = 8;

/** Output room and what is in it. Points are f32 pairs in mm; kinds 0 line, 1 cubic. */
@unmanaged
export class Outline {
  kinds: usize;
  xy: usize;
  segments: i32;
  points: i32;
  segmentRoom: i32;
  pointRoom: i32;
  /** Added to all points, px, and then mm per px. */
  originX: f64;
  originY: f64;
  scale: f64;
  /** 1 when something did not fit; nothing was written past the room. */
  full: i32;
  /** Where the pen is, px. */
  x: f64;
  y: f64;
  /** Points before `logEnd` are also written here as they come, f64 x 2 each, px from the origin. */
  log: usize;
  logEnd: i32;
}

function putPoint(out: Outline, x: f64, y: f64): void {
  const p = out.xy + (<usize>out.points << 3);
  store<f32>(p, <f32>((x + out.originX) * out.scale));
  store<f32>(p, <f32>((y + out.originY) * out.scale), 4);
  if (out.points < out.logEnd) {
    store<f64>(out.log + (<usize>out.points << 4), x);
    store<f64>(out.log + (<usize>out.points << 4), y, 8);
  }
  out.points++;
  out.x = x;
  out.y = y;
}

export function begin(out: Outline, x: f64, y: f64): void {
  if (out.points >= out.pointRoom) out.full = 1;
  else putPoint(out, x, y);
}

export function lineTo(out: Outline, x: f64, y: f64): void {
  if (out.segments >= out.segmentRoom || out.points >= out.pointRoom) {
    out.full = 1;
    return;
  }
  store<u8>(out.kinds + <usize>out.segments, 0);
  out.segments++;
  putPoint(out, x, y);
}

export function cubicTo(out: Outline, x1: f64, y1: f64, x2: f64, y2: f64, x3: f64, y3: f64): void {
  if (out.segments >= out.segmentRoom || out.points + 3 > out.pointRoom) {
    out.full = 1;
    return;
  }
  store<u8>(out.kinds + <usize>out.segments, 1);
  out.segments++;
  putPoint(out, x1, y1);
  putPoint(out, x2, y2);
  putPoint(out, x3, y3);
}

/** Turns the segments and points from `segment` and `point` on around, so that the contour is walked the other way. */
export function turnAround(out: Outline, segment: i32, point: i32): void {
  for (let a = out.kinds + <usize>segment, b = out.kinds + <usize>out.segments - 1; a < b; a++, b--) {
    const kind = load<u8>(a);
    store<u8>(a, load<u8>(b));
    store<u8>(b, kind);
  }
  for (let a = out.xy + (<usize>point << 3), b = out.xy + (<usize>(out.points - 1) << 3); a < b; a += 8, b -= 8) {
    const xy = load<u64>(a);
    store<u64>(a, load<u64>(b));
    store<u64>(b, xy);
  }
}

/**
 * Draws a line that passes the samples first..last within `bound`. A line that does not is bent at the worst sample,
 * again and again; `stack` holds 3 f64 for each of `DEPTH` splits, and 64 bytes.
 *
 * source   Ramer 1972, on one short side, with bounded depth
 */
export function lineWithin(
  out: Outline,
  border: Border,
  first: i32,
  last: i32,
  x: f64,
  y: f64,
  bound: f64,
  stack: usize,
): void {
  let depth = 0;
  // a full room leaves the pen where it is, and no split gets anywhere
  while (out.full == 0) {
    const worst = worstSample(border, first, last, out.x, out.y, x, y, bound);
    if (worst >= 0 && depth < DEPTH) {
      const top = stack + <usize>(24 * depth++);
      store<f64>(top, x);
      store<f64>(top, y, 8);
      store<f64>(top, <f64>last, 16);
      x = sampleX(border, worst);
      y = sampleY(border, worst);
      last = worst;
      continue;
    }
    const found = changetype<Nearest>(stack + 24 * DEPTH);
    if (worst >= 0 || strays(border, first, last, out.x, out.y, x, y, bound, found))
      for (let k = first; k <= last; k++) lineTo(out, sampleX(border, k), sampleY(border, k));
    lineTo(out, x, y);
    if (depth == 0) return;
    first = last;
    const top = stack + <usize>(24 * --depth);
    x = load<f64>(top);
    y = load<f64>(top, 8);
    last = <i32>load<f64>(top, 16);
  }
}

/**
 * True when a short segment leaves the line through its samples, which only happens where the border folds: a longer one
 * has samples all along it.
 */
function strays(
  border: Border,
  first: i32,
  last: i32,
  ax: f64,
  ay: f64,
  bx: f64,
  by: f64,
  bound: f64,
  found: Nearest,
): bool {
  // both ends near the border's steps to its samples, and those all near the segment: so is what is between
  if (last >= first - 1 && isBeside(border, first - 1, ax, ay, bound) && isBeside(border, last, bx, by, bound)) return false;
  const length = Math.sqrt((bx - ax) * (bx - ax) + (by - ay) * (by - ay));
  if (length > SHORT || last - first > 2 * SHORT) return false;
  const pieces = <i32>(4 * length) + 1;
  for (let piece = 1; piece < pieces; piece++) {
    const x = ax + (bx - ax) * (<f64>piece / <f64>pieces);
    const y = ay + (by - ay) * (<f64>piece / <f64>pieces);
    found.clear();
    searchNearest(border, max(0, first - 1), (first + last) >> 1, min(border.n, last) + 1, x, y, found);
    if (found.square > bound * bound) return true;
  }
  return false;
}

/** The sample farthest from a segment, or -1 when all are within `bound`. A sample that is an end of it never counts. */
function worstSample(
  border: Border,
  first: i32,
  last: i32,
  ax: f64,
  ay: f64,
  bx: f64,
  by: f64,
  bound: f64,
): i32 {
  const dx = bx - ax;
  const dy = by - ay;
  const square = dx * dx + dy * dy;
  const inverse = square > 0 ? 1 / square : 0;
  let worst = -1;
  let far = bound * bound;
  for (let k = first; k <= last; k++) {
    const px = sampleX(border, k) - ax;
    const py = sampleY(border, k) - ay;
    const along = px * dx + py * dy;
    const cross = px * dy - py * dx;
    let d = cross * cross * inverse;
    if (along <= 0) d = px * px + py * py;
    else if (along >= square) d = (px - dx) * (px - dx) + (py - dy) * (py - dy);
    if (d > far) {
      far = d;
      worst = k;
    }
  }
  return worst;
}
