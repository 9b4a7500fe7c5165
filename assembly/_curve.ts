// Polygon to lines and cubics: which vertices are corners, how the outline runs through the others, and one
// least-squares cubic over as many sides as it can follow.
import { Border, sampleWeight, sampleX, sampleY } from "./_border";
import { at, Nearest, Polygon, searchNearest, vertexX, vertexY } from "./_polygon";
import { begin, cubicTo, lineWithin, Outline } from "./_outline";
import { tick, Watch } from "./_watch";

/** Sides that one cubic may replace: bounds the work, since each halving of a group looks at its samples again. */
const GROUP: i32 = 16;
/** A vertex is a corner when it stands this many half-pixels off the chord between the middles of its sides. */
const SHARP: f64 = 4;
/** Cotangent of the turn, about 63 degrees, from which half of that is enough: no round shape of 3 px or more turns so. */
const TURN: f64 = 0.5;
/** Flags of a vertex. */
const CORNER: u8 = 1;
/** Flags of a side. */
const STRAIGHT: u8 = 2;

/** What the curve stage knows of a polygon; buffers have room for its sides + 1, `u` for the border's samples + 2. */
@unmanaged
export class Course {
  /** u8: CORNER of vertex i, STRAIGHT of side i. */
  flags: usize;
  /** f64 x 4 per vertex: where the outline passes, and its unit direction there (not for corners). */
  nodes: usize;
  /** f32: place of each sample on the cubic being fitted, 0..1. */
  u: usize;
  /** Room that `lineWithin` asks for. */
  stack: usize;
  /** What a written segment may be off its samples, px, and what a cubic may be. */
  bound: f64;
  cubicBound: f64;
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
  // scratch of one parabola y = p0 + p1 x + p2 x^2
  p0: f64;
  p1: f64;
  p2: f64;
}

@inline function flagsOf(course: Course, i: i32): u8 {
  return load<u8>(course.flags + <usize>i);
}

@inline function node(course: Course, i: i32): usize {
  return course.nodes + (<usize>i << 5);
}

@inline function sideLength(polygon: Polygon, i: i32): f64 {
  const dx = vertexX(polygon, i + 1) - vertexX(polygon, i);
  const dy = vertexY(polygon, i + 1) - vertexY(polygon, i);
  return Math.sqrt(dx * dx + dy * dy);
}

/**
 * Marks corners and straight sides.
 *
 * source   Selinger 2003, 2.3.3 for the corner measure: distance of the vertex from the chord between the middles of
 *          its sides, against the size of a pixel in that direction; the rule for exact pixel corners is own
 */
export function markCorners(polygon: Polygon, course: Course): void {
  const m = polygon.m;
  for (let i = 0; i < m; i++) {
    const previous = i == 0 ? m - 1 : i - 1;
    const x = vertexX(polygon, i);
    const y = vertexY(polygon, i);
    const ax = 0.5 * (vertexX(polygon, previous) - x);
    const ay = 0.5 * (vertexY(polygon, previous) - y);
    const bx = 0.5 * (vertexX(polygon, i + 1) - x);
    const by = 0.5 * (vertexY(polygon, i + 1) - y);
    const chordX = bx - ax;
    const chordY = by - ay;
    const cross = abs(ax * by - ay * bx);
    // distance = cross / |chord|, half a pixel's extent across the chord = (|x| + |y|) / 2 |chord|: lengths cancel
    const pixel = 0.5 * (abs(chordX) + abs(chordY));
    const dot = -(ax * bx + ay * by);
    const wide = cross > 0 && dot < cross * TURN;
    const sharp = cross > (wide ? 0.5 * SHARP : SHARP) * pixel;
    const exact =
      load<u8>(polygon.axial + <usize>previous) != 0 &&
      load<u8>(polygon.axial + <usize>i) != 0 &&
      abs(ax * bx + ay * by) < 0.3 * cross;
    store<u8>(course.flags + <usize>i, sharp || exact ? CORNER : 0);
  }
  store<u8>(course.flags + <usize>m, load<u8>(course.flags));
  for (let i = 0; i < m; i++) {
    const next = i + 1 == m ? 0 : i + 1;
    const smoothA = (flagsOf(course, i) & CORNER) == 0;
    const smoothB = (flagsOf(course, next) & CORNER) == 0;
    // beside smooth vertices a side is straight when it is much longer than the chords that the bends are made of
    const length = sideLength(polygon, i);
    let chord: f64 = 3;
    if (smoothA) chord = max(chord, sideLength(polygon, i == 0 ? m - 1 : i - 1));
    if (smoothB) chord = max(chord, sideLength(polygon, next));
    if ((!smoothA && !smoothB) || length > 2.5 * chord) store<u8>(course.flags + <usize>i, flagsOf(course, i) | STRAIGHT);
  }
}

/**
 * Fits y = p0 + p1 x + p2 x^2 to the samples first..last and tail..n, x along (ux, uy) from (x, y), y across it, leaving out those
 * with x outside low..high. False when they do not determine it.
 */
function fitParabola(
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
  if (n < 5) return false;
  s1 /= s0;
  s2 /= s0;
  s3 /= s0;
  s4 /= s0;
  t0 /= s0;
  t1 /= s0;
  t2 /= s0;
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
    if ((i & 31) == 31 && tick(watch, i, polygon.m)) return;
    placeNode(border, polygon, course, i);
  }
  memory.copy(node(course, polygon.m), node(course, 0), 32);
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
    const low = -0.5 * sideLength(polygon, previous);
    const high = 0.5 * sideLength(polygon, i);
    const first = at(polygon.after, i == 0 ? m - 1 : i - 1);
    const last = at(polygon.before, i + 1);
    // around vertex 0 the samples are at both ends of the border
    const tail = i == 0 ? first : border.n + 1;
    if (fitParabola(border, course, i == 0 ? 1 : first, last, tail, x, y, ux, uy, low, high)) {
      shift = course.p0;
      slope = min(0.5, max(-0.5, course.p1));
    }
  }
  const found = changetype<Nearest>(polygon.scratch);
  found.clear();
  const nodeX = x - shift * uy;
  const nodeY = y + shift * ux;
  if (i == 0) {
    searchNearest(border, border.n, border.n + 1, nodeX, nodeY, found);
    searchNearest(border, 0, 1, nodeX, nodeY, found);
  } else {
    const first = at(polygon.before, i);
    searchNearest(border, first - 1, min(border.n, max(first, at(polygon.after, i))) + 1, nodeX, nodeY, found);
  }
  found.hold(to, nodeX, nodeY, course.bound - 0.03);
  const scale = 1 / Math.sqrt(1 + slope * slope);
  store<f64>(to, (ux - slope * uy) * scale, 16);
  store<f64>(to, (uy + slope * ux) * scale, 24);
}

/** Writes the closed outline. */
export function drawCourse(border: Border, polygon: Polygon, course: Course, out: Outline, watch: Watch): void {
  const m = polygon.m;
  begin(out, load<f64>(node(course, 0)), load<f64>(node(course, 0), 8));
  let i = 0;
  while (i < m && out.full == 0) {
    if (tick(watch, i, m)) return;
    if (flagsOf(course, i) & STRAIGHT) {
      drawSide(border, polygon, course, i, out);
      i++;
      continue;
    }
    // a run of bends from one corner or straight side to the next, cut evenly into groups
    let end = i + 1;
    while (end < m && (flagsOf(course, end) & (CORNER | STRAIGHT)) == 0) end++;
    const groups = (end - i + GROUP - 1) / GROUP;
    for (let g = 0; g < groups && out.full == 0; g++) {
      const a = i + (<i32>((<i64>(end - i) * g) / groups));
      const b = i + (<i32>((<i64>(end - i) * (g + 1)) / groups));
      if (tick(watch, a, m)) return;
      drawGroup(border, polygon, course, a, b, out);
    }
    i = end;
  }
}

function drawSide(border: Border, polygon: Polygon, course: Course, i: i32, out: Outline): void {
  const to = node(course, i + 1);
  lineWithin(
    out,
    border,
    at(polygon.after, i),
    at(polygon.before, i + 1),
    load<f64>(to),
    load<f64>(to, 8),
    course.bound,
    course.stack,
  );
}

/** Draws sides a..b - 1 with as few cubics as follow the samples: one, or halves of it; a single side may end as a line. */
function drawGroup(border: Border, polygon: Polygon, course: Course, a: i32, b: i32, out: Outline): void {
  const end = b;
  while (a < end) {
    if (fitCubic(border, polygon, course, a, b)) {
      cubicTo(
        out,
        course.ax + course.armA * course.aux,
        course.ay + course.armA * course.auy,
        course.bx + course.armB * course.bux,
        course.by + course.armB * course.buy,
        course.bx,
        course.by,
      );
    } else if (b - a > 1) {
      b = middle(course, a, b);
      continue;
    } else drawSide(border, polygon, course, a, out);
    a = b;
    b = end;
  }
}

/** The vertex between a and b whose distances to both differ least. */
function middle(course: Course, a: i32, b: i32): i32 {
  const ax = load<f64>(node(course, a));
  const ay = load<f64>(node(course, a), 8);
  const bx = load<f64>(node(course, b));
  const by = load<f64>(node(course, b), 8);
  let best = a + 1;
  let least = Infinity;
  for (let i = a + 1; i < b; i++) {
    const x = load<f64>(node(course, i));
    const y = load<f64>(node(course, i), 8);
    const difference = abs(
      Math.sqrt((x - ax) * (x - ax) + (y - ay) * (y - ay)) - Math.sqrt((x - bx) * (x - bx) + (y - by) * (y - by)),
    );
    if (difference < least) {
      least = difference;
      best = i;
    }
  }
  return best;
}

/**
 * The direction in which the outline leaves vertex i along side `side`, towards its other end: sign +1 for the side
 * that starts at i, -1 for the one that ends there. Left in p0, p1.
 */
function direction(border: Border, polygon: Polygon, course: Course, i: i32, side: i32, sign: f64): void {
  let ux: f64;
  let uy: f64;
  if ((flagsOf(course, i) & CORNER) == 0) {
    ux = load<f64>(node(course, i), 16);
    uy = load<f64>(node(course, i), 24);
  } else {
    ux = load<f64>(polygon.lines + (<usize>side << 5), 16);
    uy = load<f64>(polygon.lines + (<usize>side << 5), 24);
    const length = sideLength(polygon, side);
    const x = vertexX(polygon, i);
    const y = vertexY(polygon, i);
    const first = at(polygon.after, side);
    const last = at(polygon.before, side + 1);
    const low = sign > 0 ? 0 : -length;
    const high = sign > 0 ? length : 0;
    // the side is a chord of its curve; what its parabola says at the corner is noisy, so it turns by 0.35 at most
    if (fitParabola(border, course, first, last, border.n + 1, x, y, ux, uy, low, high)) {
      const slope = min(0.35, max(-0.35, course.p1));
      const scale = 1 / Math.sqrt(1 + slope * slope);
      const turnedX = (ux - slope * uy) * scale;
      uy = (uy + slope * ux) * scale;
      ux = turnedX;
    }
  }
  course.p0 = sign * ux;
  course.p1 = sign * uy;
}

/**
 * The least-squares cubic over sides a..b - 1 with fixed ends and end directions: true when every sample, and the
 * curve between any two, is within `cubicBound`.
 *
 * source   Schneider 1990 (chord-length parameters, arms by least squares, Newton steps on the parameters)
 */
function fitCubic(border: Border, polygon: Polygon, course: Course, a: i32, b: i32): bool {
  const first = at(polygon.after, a);
  const last = at(polygon.before, b);
  if (last - first < 2) return false;
  course.ax = load<f64>(node(course, a));
  course.ay = load<f64>(node(course, a), 8);
  course.bx = load<f64>(node(course, b));
  course.by = load<f64>(node(course, b), 8);
  const chordX = course.bx - course.ax;
  const chordY = course.by - course.ay;
  const chord = Math.sqrt(chordX * chordX + chordY * chordY);
  if (chord < 1e-6) return false;
  // a cubic bends through a right angle and a little more; no side may turn farther from the chord
  for (let i = a; i < b; i++) {
    const line = polygon.lines + (<usize>i << 5);
    if (load<f64>(line, 16) * chordX + load<f64>(line, 24) * chordY < 0.4 * chord) return false;
  }
  direction(border, polygon, course, a, a, 1);
  course.aux = course.p0;
  course.auy = course.p1;
  direction(border, polygon, course, b, b - 1, -1);
  course.bux = course.p0;
  course.buy = course.p1;
  // an arm that starts away from the other end makes a hook
  const least = 0.2 * chord;
  if (course.aux * chordX + course.auy * chordY < least) return false;
  if (course.bux * chordX + course.buy * chordY > -least) return false;

  chordParameters(border, course, first, last);
  solveArms(border, course, first, last, chord);
  for (let pass = 0; pass < 3; pass++) {
    const off = improveParameters(border, course, first, last);
    // far off at the start stays off: the ends and their directions do not fit
    if (off > 9 * course.cubicBound * course.cubicBound) return false;
    solveArms(border, course, first, last, chord);
  }
  keepArea(border, course, first, last, chord);
  improveParameters(border, course, first, last);
  return within(border, course, first, last, chord);
}

function chordParameters(border: Border, course: Course, first: i32, last: i32): void {
  let x = course.ax;
  let y = course.ay;
  let length: f64 = 0;
  for (let k = first; k <= last; k++) {
    const nextX = sampleX(border, k);
    const nextY = sampleY(border, k);
    length += Math.sqrt((nextX - x) * (nextX - x) + (nextY - y) * (nextY - y));
    store<f32>(course.u + (<usize>k << 2), <f32>length);
    x = nextX;
    y = nextY;
  }
  length += Math.sqrt((course.bx - x) * (course.bx - x) + (course.by - y) * (course.by - y));
  const inverse = <f32>(length > 0 ? 1 / length : 0);
  for (let k = first; k <= last; k++) {
    const p = course.u + (<usize>k << 2);
    store<f32>(p, load<f32>(p) * inverse);
  }
}

/** Arms by least squares, kept between a twentieth and one and a quarter of the chord. */
function solveArms(border: Border, course: Course, first: i32, last: i32, chord: f64): void {
  let aa: f64 = 0;
  let ab: f64 = 0;
  let bb: f64 = 0;
  let ra: f64 = 0;
  let rb: f64 = 0;
  const turn = course.aux * course.bux + course.auy * course.buy;
  for (let k = first; k <= last; k++) {
    const t = <f64>load<f32>(course.u + (<usize>k << 2));
    const s = 1 - t;
    const w = sampleWeight(border, k);
    const f1 = 3 * s * s * t;
    const f2 = 3 * s * t * t;
    const start = s * s * s + f1;
    const end = t * t * t + f2;
    const dx = sampleX(border, k) - start * course.ax - end * course.bx;
    const dy = sampleY(border, k) - start * course.ay - end * course.by;
    aa += w * f1 * f1;
    ab += w * f1 * f2;
    bb += w * f2 * f2;
    ra += w * f1 * (dx * course.aux + dy * course.auy);
    rb += w * f2 * (dx * course.bux + dy * course.buy);
  }
  const cross = ab * turn;
  const determinant = aa * bb - cross * cross;
  let armA = chord / 3;
  let armB = chord / 3;
  if (determinant > 1e-9 * aa * bb) {
    armA = (ra * bb - rb * cross) / determinant;
    armB = (rb * aa - ra * cross) / determinant;
  }
  course.armA = min(1.25 * chord, max(0.05 * chord, armA));
  course.armB = min(1.25 * chord, max(0.05 * chord, armB));
}

/**
 * Scales both arms a little so that the cubic cuts off the same area from its chord as the border does: what is left of
 * the pixels' stairs in a fit by distances would make round shapes grow.
 *
 * source   the area of a cubic is bilinear in its arms: Levien 2021
 */
function keepArea(border: Border, course: Course, first: i32, last: i32, chord: f64): void {
  const ax = course.ax;
  const ay = course.ay;
  let twice: f64 = 0;
  let x: f64 = 0;
  let y: f64 = 0;
  for (let k = first; k <= last; k++) {
    const nextX = sampleX(border, k) - ax;
    const nextY = sampleY(border, k) - ay;
    twice += x * nextY - nextX * y + 0.25 * cornerBetween(border, k, first);
    x = nextX;
    y = nextY;
  }
  const cx = course.bx - ax;
  const cy = course.by - ay;
  twice += x * cy - cx * y;
  // 10 times twice the cubic's area is 3 armA armB (u x v) + 6 armA (u x c) + 6 armB (v x c)
  const product = 3 * course.armA * course.armB * (course.aux * course.buy - course.auy * course.bux);
  const sum =
    6 * (course.armA * (course.aux * cy - course.auy * cx) + course.armB * (course.bux * cy - course.buy * cx));
  const missing = 10 * twice - product - sum;
  const slope = 2 * product + sum;
  // a flat or double curve has no area to give
  if (abs(slope) < 2 * chord) return;
  const scale = 1 + missing / slope;
  if (scale < 0.8 || scale > 1.2) return;
  course.armA *= scale;
  course.armB *= scale;
}

/** Which way the border turns between samples k - 1 and k when there is one corner between them: 1, -1, or 0. */
@inline function cornerBetween(border: Border, k: i32, first: i32): f64 {
  if (k == first) return 0;
  const p = border.xy + (<usize>k << 3);
  const dx = load<i32>(p) - load<i32>(p - 8);
  const dy = load<i32>(p, 4) - load<i32>(p - 8, 4);
  if (dx == 0 || dy == 0) return 0;
  // a half x is the middle of a step along x; whichever run comes first, the corner lies outside of the diagonal
  const turn = (load<i32>(p) & 2) == 0 ? 1 : -1;
  return (dx > 0) == (dy > 0) ? turn : -turn;
}

/** One Newton step of each parameter towards the foot of its sample; returns the largest squared distance before it. */
function improveParameters(border: Border, course: Course, first: i32, last: i32): f64 {
  const x0 = course.ax;
  const y0 = course.ay;
  const c1x = 3 * course.armA * course.aux;
  const c1y = 3 * course.armA * course.auy;
  const x2 = course.bx + course.armB * course.bux;
  const y2 = course.by + course.armB * course.buy;
  const c2x = 3 * (x2 - x0) - 2 * c1x;
  const c2y = 3 * (y2 - y0) - 2 * c1y;
  const c3x = course.bx - x0 - c1x - c2x;
  const c3y = course.by - y0 - c1y - c2y;
  let worst: f64 = 0;
  let floor: f64 = 0;
  for (let k = first; k <= last; k++) {
    const p = course.u + (<usize>k << 2);
    const t = <f64>load<f32>(p);
    const dx = x0 + t * (c1x + t * (c2x + t * c3x)) - sampleX(border, k);
    const dy = y0 + t * (c1y + t * (c2y + t * c3y)) - sampleY(border, k);
    const vx = c1x + t * (2 * c2x + t * 3 * c3x);
    const vy = c1y + t * (2 * c2y + t * 3 * c3y);
    const ax = 2 * c2x + 6 * t * c3x;
    const ay = 2 * c2y + 6 * t * c3y;
    const slope = vx * vx + vy * vy + dx * ax + dy * ay;
    worst = max(worst, dx * dx + dy * dy);
    // parameters keep the order of the samples, so that the curve between two of them is near the border between them
    const step = slope > 1e-12 ? (dx * vx + dy * vy) / slope : 0;
    floor = min(1.0, max(floor, t - step));
    store<f32>(p, <f32>floor);
  }
  return worst;
}

/** True when each sample is within the bound of its place on the cubic, and so is the cubic between them of the line between them. */
function within(border: Border, course: Course, first: i32, last: i32, chord: f64): bool {
  const x0 = course.ax;
  const y0 = course.ay;
  const c1x = 3 * course.armA * course.aux;
  const c1y = 3 * course.armA * course.auy;
  const x2 = course.bx + course.armB * course.bux;
  const y2 = course.by + course.armB * course.buy;
  const c2x = 3 * (x2 - x0) - 2 * c1x;
  const c2y = 3 * (y2 - y0) - 2 * c1y;
  const c3x = course.bx - x0 - c1x - c2x;
  const c3y = course.by - y0 - c1y - c2y;
  const limit = course.cubicBound * course.cubicBound;
  let before: f64 = 0;
  let beforeX = sampleX(border, first - 1);
  let beforeY = sampleY(border, first - 1);
  for (let k = first; k <= last + 1; k++) {
    // the ends were placed within the bound; around them the border goes on to its next samples
    const t = k <= last ? <f64>load<f32>(course.u + (<usize>k << 2)) : 1;
    const x = sampleX(border, k);
    const y = sampleY(border, k);
    const dx = x0 + t * (c1x + t * (c2x + t * c3x)) - x;
    const dy = y0 + t * (c1y + t * (c2y + t * c3y)) - y;
    if (k <= last && dx * dx + dy * dy > limit) return false;
    const ex = beforeX - x;
    const ey = beforeY - y;
    const square = ex * ex + ey * ey;
    const pieces = max(3, min(32, <i32>(4 * chord * (t - before))));
    for (let piece = 1; piece < pieces; piece++) {
      const between = before + (t - before) * (<f64>piece / <f64>pieces);
      const px = x0 + between * (c1x + between * (c2x + between * c3x)) - x;
      const py = y0 + between * (c1y + between * (c2y + between * c3y)) - y;
      const along = square > 0 ? min(1.0, max(0.0, (px * ex + py * ey) / square)) : 0;
      const offX = px - along * ex;
      const offY = py - along * ey;
      if (offX * offX + offY * offY > limit) return false;
    }
    before = t;
    beforeX = x;
    beforeY = y;
  }
  return true;
}
