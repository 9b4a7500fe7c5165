// Lines and cubics along the samples of a stroke.
import { checkpoint } from "./control";
import { cubicTo, lineTo, Outline } from "./_outline";
import { cornerAt, SAMPLE_BYTES, Stroke, sx, sy } from "./_stroke";

/** Samples that one cubic, or one line, may stand for: bounds the work between two looks at the control block. */
const CUBIC: i32 = 512;
const LINE: i32 = 8192;
/** Samples on each side that a direction is taken from. */
const SPAN: i32 = 4;
/** Rounds of better parameters. */
const ROUNDS: i32 = 4;

/** What a fit works with; lives in scratch. */
@unmanaged
export class Fit {
  tolerance: f64;
  /** Ends of the piece between two corners, and whether it is a whole ring without one. */
  first: i32;
  last: i32;
  ring: bool;
  /** i32[2 * 256]. */
  stack: usize;
  /** A direction that was asked for. */
  ux: f64;
  uy: f64;
  ax: f64;
  ay: f64;
  bx: f64;
  by: f64;
  armA: f64;
  armB: f64;
  /** The sample that is farthest off. */
  worst: i32;
}

@inline function uAt(s: Stroke, i: i32): f64 {
  return <f64>load<f32>(s.samples + <usize>i * SAMPLE_BYTES, 16);
}

@inline function setU(s: Stroke, i: i32, u: f64): void {
  store<f32>(s.samples + <usize>i * SAMPLE_BYTES, <f32>u, 16);
}

@inline function setCorner(s: Stroke, i: i32, corner: i32): void {
  store<i32>(s.samples + <usize>i * SAMPLE_BYTES, corner, 20);
}

/** The cosine of the turn at a sample, over `SPAN` samples on each side; 1 where there are none. */
function turnAt(s: Stroke, i: i32): f64 {
  const n = s.to - 1 - s.from;
  let before = i - SPAN;
  let after = i + SPAN;
  if (s.closed && n > 2 * SPAN) {
    if (s.from > before) before += n;
    if (after > s.to - 1) after -= n;
  }
  if (s.from > before || after > s.to - 1) return 1;
  const ax = sx(s, i) - sx(s, before);
  const ay = sy(s, i) - sy(s, before);
  const bx = sx(s, after) - sx(s, i);
  const by = sy(s, after) - sy(s, i);
  const lengths = Math.sqrt((ax * ax + ay * ay) * (bx * bx + by * by));
  return lengths > 0 ? (ax * bx + ay * by) / lengths : 1;
}

/** Marks samples where the stroke turns by 55 degrees or more, the sharpest within reach of each other. */
function markCorners(s: Stroke): void {
  let last = -SPAN;
  let lastTurn: f64 = 1;
  for (let i = s.from; i < s.to; i++) {
    if (cornerAt(s, i) == 1) {
      if (last >= s.from && i - last <= SPAN && cornerAt(s, last) == 2) setCorner(s, last, 0);
      last = i;
      lastTurn = -1;
      continue;
    }
    const turn = turnAt(s, i);
    if (turn > 0.57) continue;
    if (last >= s.from && i - last <= SPAN) {
      if (turn >= lastTurn) continue;
      setCorner(s, last, 0);
    }
    setCorner(s, i, 2);
    last = i;
    lastTurn = turn;
  }
}

function reverse(s: Stroke, from: i32, to: i32): void {
  let a = s.samples + <usize>from * SAMPLE_BYTES;
  let b = s.samples + <usize>(to - 1) * SAMPLE_BYTES;
  for (; a < b; a += SAMPLE_BYTES, b -= SAMPLE_BYTES) {
    for (let k: usize = 0; k < SAMPLE_BYTES; k += 8) {
      const value = load<u64>(a + k);
      store<u64>(a + k, load<u64>(b + k));
      store<u64>(b + k, value);
    }
  }
}

/** Turns a ring so that it begins at a corner; false when it has none. */
function beginAtCorner(s: Stroke): bool {
  const end = s.to - 1; // the last sample repeats the first
  for (let i = s.from; i < end; i++) {
    if (cornerAt(s, i) == 0) continue;
    reverse(s, s.from, i);
    reverse(s, i, end);
    reverse(s, s.from, end);
    memory.copy(s.samples + <usize>end * SAMPLE_BYTES, s.samples + <usize>s.from * SAMPLE_BYTES, SAMPLE_BYTES);
    return true;
  }
  return false;
}

/** Prepares the samples of a stroke; call it before its first sample is written, as a ring may begin elsewhere. */
export function prepare(s: Stroke, fit: Fit): void {
  markCorners(s);
  fit.ring = s.closed && !beginAtCorner(s);
}

/** Draws the prepared samples, from the second on; false when it has to stop. */
export function drawSamples(s: Stroke, fit: Fit, out: Outline, done: i32): bool {
  let from = s.from;
  while (from < s.to - 1) {
    let to = from + 1;
    while (to < s.to - 1 && cornerAt(s, to) == 0) to++;
    fit.first = from;
    fit.last = to;
    if (!drawPiece(s, fit, out, done)) return false;
    from = to;
  }
  return true;
}

function drawPiece(s: Stroke, fit: Fit, out: Outline, done: i32): bool {
  let depth = 1;
  store<i32>(fit.stack, fit.first);
  store<i32>(fit.stack, fit.last, 4);
  while (depth > 0) {
    depth--;
    const entry = fit.stack + (<usize>depth << 3);
    const a = load<i32>(entry);
    const b = load<i32>(entry, 4);
    if (checkpoint(done)) return false;
    const n = b - a;
    fit.worst = (a + b) >> 1;
    if (n == 1 || (n <= LINE && isLine(s, fit, a, b))) {
      lineTo(out, sx(s, b), sy(s, b));
      continue;
    }
    if (n >= 3 && n <= CUBIC && isCubic(s, fit, a, b)) {
      cubicTo(
        out,
        sx(s, a) + fit.armA * fit.ax,
        sy(s, a) + fit.armA * fit.ay,
        sx(s, b) + fit.armB * fit.bx,
        sy(s, b) + fit.armB * fit.by,
        sx(s, b),
        sy(s, b),
      );
      continue;
    }
    // never far from the middle, so that halves get short fast
    const margin = max(1, n >> 3);
    const m = min(b - margin, max(a + margin, n <= CUBIC ? fit.worst : (a + b) >> 1));
    store<i32>(entry, m);
    store<i32>(entry, b, 4);
    store<i32>(entry, a, 8);
    store<i32>(entry, m, 12);
    depth += 2;
  }
  return true;
}

function isLine(s: Stroke, fit: Fit, a: i32, b: i32): bool {
  const x = sx(s, a);
  const y = sy(s, a);
  const dx = sx(s, b) - x;
  const dy = sy(s, b) - y;
  const square = dx * dx + dy * dy;
  const bound = 0.7 * fit.tolerance;
  if (square < 1e-6) return b - a < 3 && bound > 0;
  const most = bound * bound * square;
  for (let i = a + 1; i < b; i++) {
    const px = sx(s, i) - x;
    const py = sy(s, i) - y;
    const off = px * dy - py * dx;
    const along = px * dx + py * dy;
    if (off * off > most || along < -bound * square || along > square * (1 + bound)) return false;
  }
  return true;
}

/** The direction of the stroke at sample i, forward; one-sided at the ends of a piece. Left in ux, uy. */
function directionAt(s: Stroke, fit: Fit, i: i32): void {
  let before = max(fit.first, i - SPAN);
  let after = min(fit.last, i + SPAN);
  const n = s.to - 1 - s.from;
  if (fit.ring && n > 2 * SPAN && (before == i || after == i)) {
    before = s.to - 1 - SPAN;
    after = s.from + SPAN;
  }
  let ux = sx(s, after) - sx(s, before);
  let uy = sy(s, after) - sy(s, before);
  // a chord from the end on lags behind the curve: its parabola does not
  if (before == i && i + 2 * SPAN <= fit.last) {
    ux = 4 * sx(s, after) - sx(s, i + 2 * SPAN) - 3 * sx(s, i);
    uy = 4 * sy(s, after) - sy(s, i + 2 * SPAN) - 3 * sy(s, i);
  } else if (after == i && i - 2 * SPAN >= fit.first) {
    ux = 3 * sx(s, i) + sx(s, i - 2 * SPAN) - 4 * sx(s, before);
    uy = 3 * sy(s, i) + sy(s, i - 2 * SPAN) - 4 * sy(s, before);
  }
  const length = Math.sqrt(ux * ux + uy * uy);
  fit.ux = length > 0 ? ux / length : 1;
  fit.uy = length > 0 ? uy / length : 0;
}

/**
 * The least-squares cubic over samples a..b with both ends and their directions fixed: true within the tolerance.
 *
 * source   Schneider, An algorithm for automatically fitting digitized curves, 1990
 */
function isCubic(s: Stroke, fit: Fit, a: i32, b: i32): bool {
  const cx = sx(s, b) - sx(s, a);
  const cy = sy(s, b) - sy(s, a);
  const chord = Math.sqrt(cx * cx + cy * cy);
  let length: f64 = 0;
  setU(s, a, 0);
  for (let i = a + 1; i <= b; i++) {
    const dx = sx(s, i) - sx(s, i - 1);
    const dy = sy(s, i) - sy(s, i - 1);
    length += Math.sqrt(dx * dx + dy * dy);
    setU(s, i, length);
  }
  // a cubic goes half around, no farther
  if (length > 2 * chord || length < 1e-6) return false;
  for (let i = a + 1; i <= b; i++) setU(s, i, uAt(s, i) / length);
  directionAt(s, fit, a);
  fit.ax = fit.ux;
  fit.ay = fit.uy;
  directionAt(s, fit, b);
  fit.bx = -fit.ux;
  fit.by = -fit.uy;
  const bound = fit.tolerance * fit.tolerance;
  for (let round = 0; round <= ROUNDS; round++) {
    solveArms(s, fit, a, b, chord, length);
    const off = improve(s, fit, a, b);
    if (off <= bound) return true;
    if (off > 16 * bound) return false;
  }
  return false;
}

function solveArms(s: Stroke, fit: Fit, a: i32, b: i32, chord: f64, length: f64): void {
  const x0 = sx(s, a);
  const y0 = sy(s, a);
  const x3 = sx(s, b);
  const y3 = sy(s, b);
  let aa: f64 = 0;
  let ab: f64 = 0;
  let bb: f64 = 0;
  let ra: f64 = 0;
  let rb: f64 = 0;
  for (let i = a; i <= b; i++) {
    const t = uAt(s, i);
    const r = 1 - t;
    const f1 = 3 * r * r * t;
    const f2 = 3 * r * t * t;
    const start = r * r * r + f1;
    const end = t * t * t + f2;
    const dx = sx(s, i) - start * x0 - end * x3;
    const dy = sy(s, i) - start * y0 - end * y3;
    aa += f1 * f1;
    ab += f1 * f2;
    bb += f2 * f2;
    ra += f1 * (dx * fit.ax + dy * fit.ay);
    rb += f2 * (dx * fit.bx + dy * fit.by);
  }
  const cross = ab * (fit.ax * fit.bx + fit.ay * fit.by);
  const determinant = aa * bb - cross * cross;
  fit.armA = determinant > 1e-9 * aa * bb ? (ra * bb - rb * cross) / determinant : length / 3;
  fit.armB = determinant > 1e-9 * aa * bb ? (rb * aa - ra * cross) / determinant : length / 3;
  const least = 0.02 * chord;
  fit.armA = max(least, min(length, fit.armA));
  fit.armB = max(least, min(length, fit.armB));
}

/** One Newton step of each parameter; returns the largest squared distance before it, of sample `worst`. */
function improve(s: Stroke, fit: Fit, a: i32, b: i32): f64 {
  const x0 = sx(s, a);
  const y0 = sy(s, a);
  const c1x = 3 * fit.armA * fit.ax;
  const c1y = 3 * fit.armA * fit.ay;
  const c2x = 3 * (sx(s, b) + fit.armB * fit.bx - x0) - 2 * c1x;
  const c2y = 3 * (sy(s, b) + fit.armB * fit.by - y0) - 2 * c1y;
  const c3x = sx(s, b) - x0 - c1x - c2x;
  const c3y = sy(s, b) - y0 - c1y - c2y;
  let worst: f64 = 0;
  let floor: f64 = 0;
  for (let i = a; i <= b; i++) {
    const t = uAt(s, i);
    const dx = x0 + t * (c1x + t * (c2x + t * c3x)) - sx(s, i);
    const dy = y0 + t * (c1y + t * (c2y + t * c3y)) - sy(s, i);
    const off = dx * dx + dy * dy;
    if (off > worst) {
      worst = off;
      fit.worst = i;
    }
    const vx = c1x + t * (2 * c2x + t * 3 * c3x);
    const vy = c1y + t * (2 * c2y + t * 3 * c3y);
    const slope = vx * vx + vy * vy + dx * (2 * c2x + 6 * t * c3x) + dy * (2 * c2y + 6 * t * c3y);
    const step = slope > 1e-12 ? (dx * vx + dy * vy) / slope : 0;
    floor = min(1.0, max(floor, t - step));
    setU(s, i, floor);
  }
  return worst;
}
