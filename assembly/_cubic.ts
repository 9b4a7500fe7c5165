// One least-squares cubic over the sides of a bend.
import { chordParameters, expand, fitArms } from "./_arms";
import { Border, SAMPLE } from "./_border";
import { CORNER, Course, fitParabola, flagsOf, node } from "./_course";
import { at, Polygon, vertexX, vertexY } from "./_polygon";
import { within } from "./_within";

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
  // of the same start over fewer sides there is no need to ask again
  if (course.began != a) {
    direction(border, polygon, course, a, a, 1);
    course.aux = course.p0;
    course.auy = course.p1;
    course.began = a;
  }
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
  fitArms(course, list, n, chord, false);
  // a second round of better places moves the arms by less than the stairs do
  if (!fitArms(course, list, n, chord, true)) return false;
  keepArea(course, samples, count, chord);
  return within(course, samples, count, chord, list == samples);
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
