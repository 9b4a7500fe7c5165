// One least-squares cubic over the sides of a bend.
import { Border, SAMPLE } from "./_border";
import { CORNER, Course, fitParabola, flagsOf, node } from "./_course";
import { at, Polygon, vertexX, vertexY } from "./_polygon";

/** Most samples, or means of several, that the arms are fitted to. */
const DIGEST: i32 = 32;
/** Bytes for them. */
export const DIGEST_BYTES: usize = <usize>DIGEST * SAMPLE;

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
  // an arm that starts away from the other end makes a hook
  const least = 0.2 * chord;
  if (course.aux * chordX + course.auy * chordY < least) return false;
  direction(border, polygon, course, b, b - 1, -1);
  course.bux = course.p0;
  course.buy = course.p1;
  if (course.bux * chordX + course.buy * chordY > -least) return false;

  const samples = <usize>first * SAMPLE + border.samples;
  const count = last - first + 1;
  // many samples say no more than the means of a few in a row
  let list = samples;
  let n = count;
  if (count > DIGEST) {
    list = course.digest;
    n = digest(samples, count, list);
  }
  chordParameters(course, list, n);
  solveArms(course, list, n, chord);
  // a second round moves the arms by less than the stairs do
  if (!improveArms(course, list, n, chord)) return false;
  keepArea(course, samples, count, chord);
  return within(course, samples, count, chord);
}

/** Writes the weighted means of up to `DIGEST` parts of a list of samples, as samples; returns their number. */
function digest(samples: usize, count: i32, to: usize): i32 {
  const each = (count + DIGEST - 1) / DIGEST;
  let n = 0;
  let p = samples;
  for (let left = count; left > 0; left -= each) {
    let w: f64 = 0;
    let x: f64 = 0;
    let y: f64 = 0;
    for (const end = p + <usize>min(each, left) * SAMPLE; p < end; p += SAMPLE) {
      const weight = load<f64>(p, 16);
      w += weight;
      x += weight * load<f64>(p);
      y += weight * load<f64>(p, 8);
    }
    const inverse = 1 / w;
    const q = to + <usize>n * SAMPLE;
    store<f64>(q, x * inverse);
    store<f64>(q, y * inverse, 8);
    store<f64>(q, w, 16);
    n++;
  }
  return n;
}

/** Places the samples by their distance along the border, still in px; leaves what that is to be multiplied by for 0..1. */
function chordParameters(course: Course, samples: usize, count: i32): void {
  let x = course.ax;
  let y = course.ay;
  let length: f64 = 0;
  let u = course.u;
  for (let p = samples, end = samples + <usize>count * SAMPLE; p < end; p += SAMPLE, u += 4) {
    const dx = load<f64>(p) - x;
    const dy = load<f64>(p, 8) - y;
    length += Math.sqrt(dx * dx + dy * dy);
    store<f32>(u, <f32>length);
    x += dx;
    y += dy;
  }
  length += Math.sqrt((course.bx - x) * (course.bx - x) + (course.by - y) * (course.by - y));
  course.inverse = length > 0 ? 1 / length : 0;
}

/** Arms by least squares for parameters along the border. */
function solveArms(course: Course, samples: usize, count: i32, chord: f64): void {
  const ax = course.ax;
  const ay = course.ay;
  const cx = course.bx - ax;
  const cy = course.by - ay;
  const inverse = course.inverse;
  let aa: f64 = 0;
  let ab: f64 = 0;
  let bb: f64 = 0;
  let rax: f64 = 0;
  let ray: f64 = 0;
  let rbx: f64 = 0;
  let rby: f64 = 0;
  let u = course.u;
  for (let p = samples, end = samples + <usize>count * SAMPLE; p < end; p += SAMPLE, u += 4) {
    const t = inverse * <f64>load<f32>(u);
    store<f32>(u, <f32>t);
    const s = 1 - t;
    const w = load<f64>(p, 16);
    const f1 = 3 * s * s * t;
    const f2 = 3 * s * t * t;
    const far = t * t * t + f2;
    const dx = load<f64>(p) - ax - far * cx;
    const dy = load<f64>(p, 8) - ay - far * cy;
    const w1 = w * f1;
    const w2 = w * f2;
    aa += w1 * f1;
    ab += w1 * f2;
    bb += w2 * f2;
    rax += w1 * dx;
    ray += w1 * dy;
    rbx += w2 * dx;
    rby += w2 * dy;
  }
  const ra = rax * course.aux + ray * course.auy;
  const rb = rbx * course.bux + rby * course.buy;
  setArms(course, aa, ab, bb, ra, rb, chord);
}

/** Solves for the arms, kept between a twentieth and one and a quarter of the chord. */
function setArms(course: Course, aa: f64, ab: f64, bb: f64, ra: f64, rb: f64, chord: f64): void {
  const cross = ab * (course.aux * course.bux + course.auy * course.buy);
  const determinant = aa * bb - cross * cross;
  let armA = chord / 3;
  let armB = chord / 3;
  if (determinant > 1e-9 * aa * bb) {
    armA = (ra * bb - rb * cross) / determinant;
    armB = (rb * aa - ra * cross) / determinant;
  }
  course.armA = min(1.25 * chord, max(0.05 * chord, armA));
  course.armB = min(1.25 * chord, max(0.05 * chord, armB));
  expand(course);
}

/** The cubic's coefficients, from its ends and arms. */
function expand(course: Course): void {
  const x0 = course.ax;
  const y0 = course.ay;
  const c1x = 3 * course.armA * course.aux;
  const c1y = 3 * course.armA * course.auy;
  const c2x = 3 * (course.bx + course.armB * course.bux - x0) - 2 * c1x;
  const c2y = 3 * (course.by + course.armB * course.buy - y0) - 2 * c1y;
  course.c1x = c1x;
  course.c1y = c1y;
  course.c2x = c2x;
  course.c2y = c2y;
  course.c3x = course.bx - x0 - c1x - c2x;
  course.c3y = course.by - y0 - c1y - c2y;
}

/**
 * One Newton step of each parameter towards the foot of its sample, then the arms by least squares for the new ones.
 * False when a sample is so far off that the ends and their directions cannot fit.
 */
function improveArms(course: Course, samples: usize, count: i32, chord: f64): bool {
  const ax = course.ax;
  const ay = course.ay;
  const cx = course.bx - ax;
  const cy = course.by - ay;
  const c1x = course.c1x;
  const c1y = course.c1y;
  const c2x = course.c2x;
  const c2y = course.c2y;
  const c3x = course.c3x;
  const c3y = course.c3y;
  const limit = 9 * course.cubicBound * course.cubicBound;
  let floor: f64 = 0;
  let aa: f64 = 0;
  let ab: f64 = 0;
  let bb: f64 = 0;
  let rax: f64 = 0;
  let ray: f64 = 0;
  let rbx: f64 = 0;
  let rby: f64 = 0;
  let u = course.u;
  for (let p = samples, end = samples + <usize>count * SAMPLE; p < end; p += SAMPLE, u += 4) {
    let t = <f64>load<f32>(u);
    const sx = load<f64>(p) - ax;
    const sy = load<f64>(p, 8) - ay;
    const px = t * (c1x + t * (c2x + t * c3x)) - sx;
    const py = t * (c1y + t * (c2y + t * c3y)) - sy;
    const vx = c1x + t * (2 * c2x + 3 * t * c3x);
    const vy = c1y + t * (2 * c2y + 3 * t * c3y);
    const bend = px * (2 * c2x + 6 * t * c3x) + py * (2 * c2y + 6 * t * c3y);
    const slope = vx * vx + vy * vy + bend;
    if (px * px + py * py > limit) return false;
    // parameters keep the order of the samples, so that the curve between two of them is near the border between them
    if (slope > 1e-12) t -= (px * vx + py * vy) / slope;
    if (t < floor) t = floor;
    else if (t > 1) t = 1;
    floor = t;
    store<f32>(u, <f32>t);
    const s = 1 - t;
    const w = load<f64>(p, 16);
    const f1 = 3 * s * s * t;
    const f2 = 3 * s * t * t;
    const far = t * t * t + f2;
    const dx = sx - far * cx;
    const dy = sy - far * cy;
    const w1 = w * f1;
    const w2 = w * f2;
    aa += w1 * f1;
    ab += w1 * f2;
    bb += w2 * f2;
    rax += w1 * dx;
    ray += w1 * dy;
    rbx += w2 * dx;
    rby += w2 * dy;
  }
  const ra = rax * course.aux + ray * course.auy;
  const rb = rbx * course.bux + rby * course.buy;
  setArms(course, aa, ab, bb, ra, rb, chord);
  return true;
}

/**
 * Scales both arms a little so that the cubic cuts off the same area from its chord as the border does: what is left of
 * the pixels' stairs in a fit by distances would make round shapes grow.
 *
 * source   the area of a cubic is bilinear in its arms: Levien 2021
 */
function keepArea(course: Course, samples: usize, count: i32, chord: f64): void {
  let twice: f64 = 0;
  let x: f64 = 0;
  let y: f64 = 0;
  for (let p = samples, end = samples + <usize>count * SAMPLE; p < end; p += SAMPLE) {
    const nextX = load<f64>(p) - course.ax;
    const nextY = load<f64>(p, 8) - course.ay;
    twice += x * nextY - nextX * y;
    x = nextX;
    y = nextY;
  }
  const cx = course.bx - course.ax;
  const cy = course.by - course.ay;
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
  expand(course);
}

/**
 * True when each sample is within the bound of the cubic, at places in the order of the samples, and so is the cubic between
 * them of the line between them.
 */
function within(course: Course, samples: usize, count: i32, chord: f64): bool {
  const x0 = course.ax;
  const y0 = course.ay;
  const c1x = course.c1x;
  const c1y = course.c1y;
  const c2x = course.c2x;
  const c2y = course.c2y;
  const c3x = course.c3x;
  const c3y = course.c3y;
  const limit = course.cubicBound * course.cubicBound;
  // between two places t apart a cubic leaves its chord by at most t^2 / 8 times its greatest second derivative, and
  // chords are as near to the border as the places are
  const start = c2x * c2x + c2y * c2y;
  const stop = (c2x + 3 * c3x) * (c2x + 3 * c3x) + (c2y + 3 * c3y) * (c2y + 3 * c3y);
  const bow = 0.25 * Math.sqrt(max(start, stop));
  const slack = course.bound - course.cubicBound;
  let before: f64 = 0;
  let beforeX = load<f64>(samples - SAMPLE);
  let beforeY = load<f64>(samples - SAMPLE, 8);
  // from the cubic's place for the sample before, and along its direction there, to that for the next
  let rateX = c1x / (c1x * c1x + c1y * c1y);
  let rateY = c1y / (c1x * c1x + c1y * c1y);
  let fromX = x0;
  let fromY = y0;
  for (let p = samples, end = samples + <usize>count * SAMPLE; p <= end; p += SAMPLE) {
    const x = load<f64>(p);
    const y = load<f64>(p, 8);
    let t: f64 = 1;
    // the ends were placed within the bound; around them the border goes on to its next samples
    if (p < end) {
      t = min(1, max(before, before + rateX * (x - fromX) + rateY * (y - fromY)));
      fromX = x;
      fromY = y;
      const px = x0 + t * (c1x + t * (c2x + t * c3x)) - x;
      const py = y0 + t * (c1y + t * (c2y + t * c3y)) - y;
      const vx = c1x + t * (2 * c2x + 3 * t * c3x);
      const vy = c1y + t * (2 * c2y + 3 * t * c3y);
      const slope = 1 / max(1e-12, vx * vx + vy * vy);
      rateX = vx * slope;
      rateY = vy * slope;
      t = min(1, max(before, t - px * rateX - py * rateY));
      const qx = x0 + t * (c1x + t * (c2x + t * c3x)) - x;
      const qy = y0 + t * (c1y + t * (c2y + t * c3y)) - y;
      if (qx * qx + qy * qy > limit) return false;
    }
    if (bow * (t - before) * (t - before) > slack) {
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
    }
    before = t;
    beforeX = x;
    beforeY = y;
  }
  return true;
}
