// One least-squares cubic over the sides of a bend.
import { Border, sampleWeight, sampleX, sampleY } from "./_border";
import { CORNER, Course, fitParabola, flagsOf, node } from "./_course";
import { at, Polygon, vertexX, vertexY } from "./_polygon";

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
    const other = 2 * side + 1 - i;
    const x = vertexX(polygon, i);
    const y = vertexY(polygon, i);
    const first = at(polygon.after, side);
    const last = at(polygon.before, side + 1);
    const end = (vertexX(polygon, other) - x) * ux + (vertexY(polygon, other) - y) * uy;
    // the side is a chord of its curve; what its parabola says at the corner is noisy, so it turns by 0.35 at most
    if (fitParabola(border, course, first, last, border.n + 1, x, y, ux, uy, min(0.0, end), max(0.0, end))) {
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
export function fitCubic(border: Border, polygon: Polygon, course: Course, a: i32, b: i32): bool {
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
    twice += x * nextY - nextX * y;
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
