// Polygon to course: which vertices are corners, which sides are straight, where the outline passes the other vertices.
import { Border, isFine, sampleWeight, sampleX, sampleY } from "./_border";
import { at, Polygon, vertexX, vertexY } from "./_polygon";
import { isBeside, Nearest, searchAround } from "./_vertices";
import { tick, Watch } from "./_watch";

/** A vertex is a corner when it stands this many half-pixels off the chord between the middles of its sides. */
const SHARP: f64 = 4;
/** Cotangent of the turn, about 63 degrees, from which half of that is enough. */
const TURN: f64 = 0.5;
/** And this many when it is one without a doubt. */
const SURE: f64 = 12;
/** How far sides that are chords of one round shape bulge, both together, px. */
const ROUND: f64 = 0.4;
/** The same where they turn less than that, and say it with more certainty, being longer than this together, px. */
const BENT: f64 = 0.26;
const LONG: f32 = 12;
/** Samples that determine a parabola in spite of their stairs. */
const LEAST: i32 = 5;
/** Flags of a vertex. */
export const CORNER: u8 = 1;
/** Flags of a side. */
export const STRAIGHT: u8 = 2;

/** What the curve stage knows of a polygon; buffers have room for its sides + 1, `u` for the border's samples + 2. */
@unmanaged
export class Course {
  /** u8: CORNER of vertex i, STRAIGHT of side i. */
  flags: usize;
  /** f64 x 4 per vertex: where the outline passes, and its unit direction there (not for corners). */
  nodes: usize;
  /** f32: length of each side, px, and later places on the cubic that is being fitted, 0..1. */
  u: usize;
  /** `DIGEST_BYTES` for the cubic that is being fitted. */
  digest: usize;
  /** Room that `lineWithin` asks for. */
  stack: usize;
  /** What a written segment may be off its samples, px, and what a cubic may be. */
  bound: f64;
  cubicBound: f64;
  /** Square of what a sample may be off a cubic whose arms are still rough, px^2. */
  hopeless: f64;
  /** The vertex that `aux`, `auy` are known of, or -1. */
  began: i32;
  // scratch of one fit: end points, unit end directions into the curve, arms
  ax: f64;
  ay: f64;
  bx: f64;
  by: f64;
  aux: f64;
  auy: f64;
  bux: f64;
  buy: f64;
  armA: f64;
  armB: f64;
  // its coefficients, but for the first, and 1 / length of the border along it
  c1x: f64;
  c1y: f64;
  c2x: f64;
  c2y: f64;
  c3x: f64;
  c3y: f64;
  inverse: f64;
  // scratch of one parabola y = p0 + p1 x + p2 x^2
  p0: f64;
  p1: f64;
  p2: f64;
}

@inline export function flagsOf(course: Course, i: i32): u8 {
  return load<u8>(course.flags + <usize>i);
}

@inline export function node(course: Course, i: i32): usize {
  return course.nodes + (<usize>i << 5);
}

/** px; of side i, until the first cubic is fitted. */
@inline function lengthOf(course: Course, i: i32): f32 {
  return load<f32>(course.u + (<usize>i << 2));
}

/** Makes all vertices corners, and all sides straight. */
export function markLines(polygon: Polygon, course: Course): void {
  memory.fill(course.flags, CORNER | STRAIGHT, <usize>(polygon.m + 1));
}

/**
 * Marks corners and straight sides.
 *
 * source   Selinger 2003, 2.3.3 for the corner measure: distance of the vertex from the chord between the middles of
 *          its sides, against the size of a pixel in that direction; the rule for exact pixel corners is own
 */
export function markCorners(border: Border, polygon: Polygon, course: Course): void {
  const open = border.open;
  const m = polygon.m;
  for (let i = 0; i < m; i++) {
    const dx = vertexX(polygon, i + 1) - vertexX(polygon, i);
    const dy = vertexY(polygon, i + 1) - vertexY(polygon, i);
    store<f32>(course.u + (<usize>i << 2), <f32>Math.sqrt(dx * dx + dy * dy));
  }
  for (let i = 0; i < m; i++) {
    const previous = i == 0 ? m - 1 : i - 1;
    const a = polygon.lines + (<usize>previous << 5);
    const b = polygon.lines + (<usize>i << 5);
    const halves = 0.25 * <f64>lengthOf(course, previous) * <f64>lengthOf(course, i);
    const dot = halves * (load<f64>(a, 16) * load<f64>(b, 16) + load<f64>(a, 24) * load<f64>(b, 24));
    const turn = halves * (load<f64>(a, 16) * load<f64>(b, 24) - load<f64>(a, 24) * load<f64>(b, 16));
    const cross = abs(turn);
    // distance = cross / chord, half a pixel's extent across the chord = (|x| + |y|) / 2 chord: lengths cancel
    const pixel =
      0.5 *
      border.grain *
      (abs(vertexX(polygon, i + 1) - vertexX(polygon, previous)) +
        abs(vertexY(polygon, i + 1) - vertexY(polygon, previous)));
    const sharp = cross > (dot < cross * TURN ? 0.5 * SHARP : SHARP) * pixel;
    const exact =
      (load<u8>(polygon.axial + <usize>previous) & load<u8>(polygon.axial + <usize>i)) != 0 && abs(dot) < 0.3 * cross;
    // between two chords of a round shape there is no corner, however far they turn; gray leaves no such doubt
    const corner =
      exact ||
      (sharp &&
        (isFine(border) ||
          cross > SURE * pixel ||
          bow(border, polygon, previous, turn) + bow(border, polygon, i, turn) <
            (dot > cross * TURN && lengthOf(course, previous) + lengthOf(course, i) > LONG ? BENT : ROUND)));
    store<u8>(course.flags + <usize>i, corner ? CORNER : 0);
  }
  if (open) store<u8>(course.flags, CORNER);
  store<u8>(course.flags + <usize>m, flagsOf(course, 0));
  for (let i = 0; i < m; i++) {
    // beside smooth vertices a side is straight when it is much longer than the chords that the bends are made of
    let chord: f32 = 3;
    const smoothA = (flagsOf(course, i) & CORNER) == 0;
    const smoothB = (flagsOf(course, i + 1) & CORNER) == 0;
    if (smoothA) chord = max(chord, lengthOf(course, i == 0 ? m - 1 : i - 1));
    if (smoothB) chord = max(chord, lengthOf(course, i + 1 == m ? 0 : i + 1));
    if ((!smoothA && !smoothB) || lengthOf(course, i) > 2.5 * chord)
      store<u8>(course.flags + <usize>i, flagsOf(course, i) | STRAIGHT);
  }
}

/** How far the middle half of side i's samples lies outside of its other half, px, where outside is that of a turn. */
function bow(border: Border, polygon: Polygon, i: i32, turn: f64): f64 {
  const first = at(polygon.after, i);
  const last = at(polygon.before, i + 1);
  const quarter = (last - first + 1) >> 2;
  if (quarter < 1) return 0;
  const line = polygon.lines + (<usize>i << 5);
  let inner: f64 = 0;
  let outer: f64 = 0;
  for (let k = first; k <= last; k++) {
    const dx = sampleX(border, k) - load<f64>(line);
    const dy = sampleY(border, k) - load<f64>(line, 8);
    const across = dy * load<f64>(line, 16) - dx * load<f64>(line, 24);
    if (k < first + quarter || k > last - quarter) outer += across;
    else inner += across;
  }
  const mean = inner / <f64>(last - first + 1 - 2 * quarter) - outer / <f64>(2 * quarter);
  return turn > 0 ? -mean : mean;
}

/**
 * Fits y = p0 + p1 x + p2 x^2 to the samples first..last and tail..n, x along (ux, uy) from (x, y), y across it, leaving out those
 * with x outside low..high. False when they do not determine it.
 */
export function fitParabola(
  border: Border,
  course: Course,
  first: i32,
  last: i32,
  tail: i32,
  x: f64,
  y: f64,
  ux: f64,
  uy: f64,
  low: f64,
  high: f64,
): bool {
  let n = 0;
  let s0: f64 = 0;
  let s1: f64 = 0;
  let s2: f64 = 0;
  let s3: f64 = 0;
  let s4: f64 = 0;
  let t0: f64 = 0;
  let t1: f64 = 0;
  let t2: f64 = 0;
  // in units of the window, so that the determinant says how well the samples spread
  const unit = 1 / max(high, -low);
  const end = last + 1 + max(0, border.n + 1 - tail);
  if (end - first < LEAST) return false;
  for (let j = first; j < end; j++) {
    const k = j <= last ? j : tail + (j - last - 1);
    const dx = sampleX(border, k) - x;
    const dy = sampleY(border, k) - y;
    const along = dx * ux + dy * uy;
    if (along < low || along > high) continue;
    const a = along * unit;
    const across = dy * ux - dx * uy;
    const w = sampleWeight(border, k);
    n++;
    s0 += w;
    s1 += w * a;
    s2 += w * a * a;
    s3 += w * a * a * a;
    s4 += w * a * a * a * a;
    t0 += w * across;
    t1 += w * a * across;
    t2 += w * a * a * across;
  }
  if (n < LEAST) return false;
  const mean = 1 / s0;
  s1 *= mean;
  s2 *= mean;
  s3 *= mean;
  s4 *= mean;
  t0 *= mean;
  t1 *= mean;
  t2 *= mean;
  const c0 = s2 * s4 - s3 * s3;
  const c1 = s2 * s3 - s1 * s4;
  const c2 = s1 * s3 - s2 * s2;
  const determinant = c0 + s1 * c1 + s2 * c2;
  if (determinant < 1e-3) return false;
  const inverse = 1 / determinant;
  course.p0 = (t0 * c0 + t1 * c1 + t2 * c2) * inverse;
  course.p1 = (t0 * c1 + t1 * (s4 - s2 * s2) + t2 * (s1 * s2 - s3)) * inverse * unit;
  course.p2 = (t0 * c2 + t1 * (s1 * s2 - s3) + t2 * (s2 - s1 * s1)) * inverse * unit * unit;
  return true;
}

/**
 * Where the outline passes each vertex and in which direction. A smooth vertex lies outside its curve, so a parabola
 * through the samples around it says where the curve is; beside a straight side the side decides.
 */
export function placeNodes(border: Border, polygon: Polygon, course: Course, watch: Watch): void {
  for (let i = 0; i < polygon.m; i++) {
    if ((i & 31) == 31 && tick(watch)) return;
    placeNode(border, polygon, course, i);
  }
  // an arc ends on its last vertex, a closed border where it began
  if (border.open) memory.copy(node(course, polygon.m), polygon.vertices + (<usize>polygon.m << 4), 16);
  else memory.copy(node(course, polygon.m), node(course, 0), 32);
}

function placeNode(border: Border, polygon: Polygon, course: Course, i: i32): void {
  const m = polygon.m;
  const previous = i == 0 ? m - 1 : i - 1;
  const x = vertexX(polygon, i);
  const y = vertexY(polygon, i);
  const to = node(course, i);
  store<f64>(to, x);
  store<f64>(to, y, 8);
  if (flagsOf(course, i) & CORNER) return;

  const lineA = polygon.lines + (<usize>previous << 5);
  const lineB = polygon.lines + (<usize>i << 5);
  const straightA = (flagsOf(course, previous) & STRAIGHT) != 0;
  const straightB = (flagsOf(course, i) & STRAIGHT) != 0;
  let ux = (straightB && !straightA ? 0 : load<f64>(lineA, 16)) + (straightA && !straightB ? 0 : load<f64>(lineB, 16));
  let uy = (straightB && !straightA ? 0 : load<f64>(lineA, 24)) + (straightA && !straightB ? 0 : load<f64>(lineB, 24));
  const length = Math.sqrt(ux * ux + uy * uy);
  if (length < 1e-9) {
    ux = load<f64>(lineB, 16);
    uy = load<f64>(lineB, 24);
  } else {
    ux /= length;
    uy /= length;
  }
  let shift: f64 = 0;
  let slope: f64 = 0;
  if (!straightA && !straightB) {
    // as far as both sides go: on a long side the curve may bend otherwise farther away
    const room = <f64>min(lengthOf(course, previous), lengthOf(course, i));
    const first = at(polygon.after, i == 0 ? m - 1 : i - 1);
    const last = at(polygon.before, i + 1);
    // around vertex 0 the samples are at both ends of the border
    const tail = i == 0 ? first : border.n + 1;
    if (fitParabola(border, course, i == 0 ? 1 : first, last, tail, x, y, ux, uy, -room, room)) {
      shift = course.p0;
      slope = min(0.5, max(-0.5, course.p1));
    }
  }
  const limit = course.bound - 0.03;
  const nodeX = x - shift * uy;
  const nodeY = y + shift * ux;
  const before = at(polygon.before, i);
  if (isBeside(border, before, nodeX, nodeY, limit)) {
    store<f64>(to, nodeX);
    store<f64>(to, nodeY, 8);
  } else {
    const found = changetype<Nearest>(polygon.scratch);
    searchAround(border, i, before - 1, before, at(polygon.after, i) + 1, nodeX, nodeY, found);
    found.hold(to, nodeX, nodeY, limit);
  }
  const scale = 1 / Math.sqrt(1 + slope * slope);
  store<f64>(to, (ux - slope * uy) * scale, 16);
  store<f64>(to, (uy + slope * ux) * scale, 24);
}
