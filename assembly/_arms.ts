// The two arms of a cubic whose ends and end directions are given, by least squares.
import { SAMPLE } from "./_border";
import { Course } from "./_course";

/** Places the samples by their distance along the border, still in px; leaves what that is to be multiplied by for 0..1. */
export function chordParameters(course: Course, samples: usize, count: i32): void {
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

/** Solves for the arms, kept between a twentieth and one and a quarter of the chord. */
function setArms(course: Course, aa: f64, ab: f64, bb: f64, ra: f64, rb: f64, chord: f64): void {
  const cross = ab * (course.aux * course.bux + course.auy * course.buy);
  const determinant = aa * bb - cross * cross;
  let armA = chord / 3;
  let armB = chord / 3;
  if (determinant > 1e-9 * aa * bb) {
    const inverse = 1 / determinant;
    armA = (ra * bb - rb * cross) * inverse;
    armB = (rb * aa - ra * cross) * inverse;
  }
  course.armA = min(1.25 * chord, max(0.05 * chord, armA));
  course.armB = min(1.25 * chord, max(0.05 * chord, armB));
  expand(course);
}

/** The cubic's coefficients, from its ends and arms. */
export function expand(course: Course): void {
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
 * Arms by least squares: for parameters along the border, or, to `improve` them, after one Newton step of each towards the
 * foot of its sample. False when a sample is then so far off that the ends and their directions cannot fit.
 */
export function fitArms(course: Course, samples: usize, count: i32, chord: f64, improve: bool): bool {
  if (ASC_FEATURE_SIMD) return fitArmsSimd(course, samples, count, chord, improve);
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
  const inverse = course.inverse;
  const limit = course.hopeless;
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
    if (improve) {
      const px = t * (c1x + t * (c2x + t * c3x)) - sx;
      const py = t * (c1y + t * (c2y + t * c3y)) - sy;
      const vx = c1x + t * (2 * c2x + t * (3 * c3x));
      const vy = c1y + t * (2 * c2y + t * (3 * c3y));
      const bend = px * (2 * c2x + t * (6 * c3x)) + py * (2 * c2y + t * (6 * c3y));
      const slope = vx * vx + vy * vy + bend;
      const across = px * vy - py * vx;
      if (across * across > limit * (vx * vx + vy * vy)) return false;
      // parameters keep the order of the samples, so that the curve between two of them is near the border between them
      if (slope > 1e-12) t -= (px * vx + py * vy) / slope;
      t = min(1.0, max(floor, t));
      floor = t;
    } else t *= inverse;
    store<f32>(u, <f32>t);
    const s = 1 - t;
    const both = 3 * s * t;
    const f1 = both * s;
    const f2 = both * t;
    const far = t * t * t + f2;
    const dx = sx - far * cx;
    const dy = sy - far * cy;
    const w = load<f64>(p, 16);
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

/** Sums of the lanes of a, and of b. */
@inline export function sums(a: v128, b: v128): v128 {
  return f64x2.add(v128.shuffle<f64>(a, b, 0, 2), v128.shuffle<f64>(a, b, 1, 3));
}

/** `fitArms` with x and y side by side, and what belongs to one arm and to the other. */
function fitArmsSimd(course: Course, samples: usize, count: i32, chord: f64, improve: bool): bool {
  const record = changetype<usize>(course);
  const a = v128.load(record, offsetof<Course>("ax"));
  const c = f64x2.sub(v128.load(record, offsetof<Course>("bx")), a);
  const c1 = v128.load(record, offsetof<Course>("c1x"));
  const c2 = v128.load(record, offsetof<Course>("c2x"));
  const c3 = v128.load(record, offsetof<Course>("c3x"));
  const d2 = f64x2.add(c2, c2);
  const d3 = f64x2.mul(f64x2.splat(3), c3);
  const e3 = f64x2.mul(f64x2.splat(6), c3);
  const inverse = course.inverse;
  const limit = course.hopeless;
  let floor: f64 = 0;
  let own = f64x2.splat(0);
  let ab: f64 = 0;
  let ra = f64x2.splat(0);
  let rb = f64x2.splat(0);
  let u = course.u;
  for (let p = samples, end = samples + <usize>count * SAMPLE; p < end; p += SAMPLE, u += 4) {
    let t = <f64>load<f32>(u);
    const sample = f64x2.sub(v128.load(p), a);
    if (improve) {
      const tt = f64x2.splat(t);
      const off = f64x2.sub(f64x2.mul(tt, f64x2.add(c1, f64x2.mul(tt, f64x2.add(c2, f64x2.mul(tt, c3))))), sample);
      const way = f64x2.add(c1, f64x2.mul(tt, f64x2.add(d2, f64x2.mul(tt, d3))));
      const turn = f64x2.add(d2, f64x2.mul(tt, e3));
      const first = sums(f64x2.mul(off, off), f64x2.mul(off, way));
      const second = sums(f64x2.mul(way, way), f64x2.mul(off, turn));
      const slope = f64x2.extract_lane(second, 0) + f64x2.extract_lane(second, 1);
      const crossed = f64x2.mul(off, v128.shuffle<f64>(way, way, 1, 0));
      const across = f64x2.extract_lane(crossed, 0) - f64x2.extract_lane(crossed, 1);
      if (across * across > limit * f64x2.extract_lane(second, 0)) return false;
      if (slope > 1e-12) t -= f64x2.extract_lane(first, 1) / slope;
      t = min(1.0, max(floor, t));
      floor = t;
    } else t *= inverse;
    store<f32>(u, <f32>t);
    const s = 1 - t;
    const both = 3 * s * t;
    const f2 = both * t;
    const far = t * t * t + f2;
    const f = f64x2.mul(f64x2.splat(both), f64x2.replace_lane(f64x2.splat(s), 1, t));
    const d = f64x2.sub(sample, f64x2.mul(f64x2.splat(far), c));
    const w = f64x2.mul(v128.load64_splat(p, 16), f);
    own = f64x2.add(own, f64x2.mul(w, f));
    ab += f64x2.extract_lane(w, 0) * f2;
    ra = f64x2.add(ra, f64x2.mul(v128.shuffle<f64>(w, w, 0, 0), d));
    rb = f64x2.add(rb, f64x2.mul(v128.shuffle<f64>(w, w, 1, 1), d));
  }
  const right = sums(
    f64x2.mul(ra, v128.load(record, offsetof<Course>("aux"))),
    f64x2.mul(rb, v128.load(record, offsetof<Course>("bux"))),
  );
  setArms(
    course,
    f64x2.extract_lane(own, 0),
    ab,
    f64x2.extract_lane(own, 1),
    f64x2.extract_lane(right, 0),
    f64x2.extract_lane(right, 1),
    chord,
  );
  return true;
}
