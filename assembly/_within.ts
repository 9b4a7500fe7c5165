// Whether a cubic follows its samples.
import { sums } from "./_arms";
import { SAMPLE } from "./_border";
import { Course } from "./_course";

/** How far a cubic leaves the chord between two places on it, by the square of how far they are apart, at most. */
function bowOf(course: Course): f64 {
  // at most t^2 / 8 times its greatest second derivative, and chords are as near to the border as the places are
  const c2x = course.c2x;
  const c2y = course.c2y;
  const farX = c2x + 3 * course.c3x;
  const farY = c2y + 3 * course.c3y;
  return 0.25 * Math.sqrt(max(c2x * c2x + c2y * c2y, farX * farX + farY * farY));
}

/**
 * True when each sample is within the bound of the cubic, at places in the order of the samples, and so is the cubic between
 * them of the line between them. A place is one Newton step from where the sample was last, when that is `known`, or else
 * from where the place before it leads.
 */
export function within(course: Course, samples: usize, count: i32, chord: f64, known: bool): bool {
  if (ASC_FEATURE_SIMD) return withinSimd(course, samples, count, chord, known);
  const x0 = course.ax;
  const y0 = course.ay;
  const c1x = course.c1x;
  const c1y = course.c1y;
  const c2x = course.c2x;
  const c2y = course.c2y;
  const c3x = course.c3x;
  const c3y = course.c3y;
  const limit = course.cubicBound * course.cubicBound;
  const bow = bowOf(course);
  const slack = course.bound - course.cubicBound;
  let before: f64 = 0;
  let rateX = c1x / (c1x * c1x + c1y * c1y);
  let rateY = c1y / (c1x * c1x + c1y * c1y);
  let fromX = x0;
  let fromY = y0;
  let u = course.u;
  for (let p = samples, end = samples + <usize>count * SAMPLE; p < end; p += SAMPLE, u += 4) {
    const x = load<f64>(p);
    const y = load<f64>(p, 8);
    let t = known ? <f64>load<f32>(u) : before + (rateX * (x - fromX) + rateY * (y - fromY));
    t = min(1.0, max(before, t));
    const px = t * (c1x + t * (c2x + t * c3x)) - (x - x0);
    const py = t * (c1y + t * (c2y + t * c3y)) - (y - y0);
    const vx = c1x + t * (2 * c2x + t * (3 * c3x));
    const vy = c1y + t * (2 * c2y + t * (3 * c3y));
    const slope = 1 / max(1e-12, vx * vx + vy * vy);
    t = min(1.0, max(before, t - (px * vx + py * vy) * slope));
    const qx = t * (c1x + t * (c2x + t * c3x)) - (x - x0);
    const qy = t * (c1y + t * (c2y + t * c3y)) - (y - y0);
    if (qx * qx + qy * qy > limit) return false;
    if (bow * (t - before) * (t - before) > slack && strays(course, p, before, t, chord)) return false;
    before = t;
    rateX = vx * slope;
    rateY = vy * slope;
    fromX = x;
    fromY = y;
  }
  return endsWell(course, samples, count, before, bow, slack, chord);
}

/** `within` with x and y side by side. */
function withinSimd(course: Course, samples: usize, count: i32, chord: f64, known: bool): bool {
  const record = changetype<usize>(course);
  const a = v128.load(record, offsetof<Course>("ax"));
  const c1 = v128.load(record, offsetof<Course>("c1x"));
  const c2 = v128.load(record, offsetof<Course>("c2x"));
  const c3 = v128.load(record, offsetof<Course>("c3x"));
  const d2 = f64x2.add(c2, c2);
  const d3 = f64x2.mul(f64x2.splat(3), c3);
  const limit = course.cubicBound * course.cubicBound;
  const bow = bowOf(course);
  const slack = course.bound - course.cubicBound;
  let before: f64 = 0;
  const start = f64x2.mul(c1, c1);
  let rate = f64x2.div(c1, sums(start, start));
  let from = a;
  let u = course.u;
  for (let p = samples, end = samples + <usize>count * SAMPLE; p < end; p += SAMPLE, u += 4) {
    const sample = v128.load(p);
    let t: f64;
    if (known) t = <f64>load<f32>(u);
    else {
      const ahead = f64x2.mul(rate, f64x2.sub(sample, from));
      t = before + (f64x2.extract_lane(ahead, 0) + f64x2.extract_lane(ahead, 1));
    }
    t = min(1.0, max(before, t));
    let tt = f64x2.splat(t);
    const own = f64x2.sub(sample, a);
    const off = f64x2.sub(f64x2.mul(tt, f64x2.add(c1, f64x2.mul(tt, f64x2.add(c2, f64x2.mul(tt, c3))))), own);
    const way = f64x2.add(c1, f64x2.mul(tt, f64x2.add(d2, f64x2.mul(tt, d3))));
    const both = sums(f64x2.mul(off, way), f64x2.mul(way, way));
    const slope = 1 / max(1e-12, f64x2.extract_lane(both, 1));
    t = min(1.0, max(before, t - f64x2.extract_lane(both, 0) * slope));
    tt = f64x2.splat(t);
    const left = f64x2.sub(f64x2.mul(tt, f64x2.add(c1, f64x2.mul(tt, f64x2.add(c2, f64x2.mul(tt, c3))))), own);
    const square = f64x2.mul(left, left);
    if (f64x2.extract_lane(square, 0) + f64x2.extract_lane(square, 1) > limit) return false;
    if (bow * (t - before) * (t - before) > slack && strays(course, p, before, t, chord)) return false;
    before = t;
    rate = f64x2.mul(way, f64x2.splat(slope));
    from = sample;
  }
  return endsWell(course, samples, count, before, bow, slack, chord);
}

/** The ends were placed within the bound; behind the last one the border goes on to its next sample. */
function endsWell(
  course: Course,
  samples: usize,
  count: i32,
  before: f64,
  bow: f64,
  slack: f64,
  chord: f64,
): bool {
  return bow * (1 - before) * (1 - before) <= slack || !strays(course, samples + <usize>count * SAMPLE, before, 1, chord);
}

/** True when the cubic between two of its places leaves the step to the sample at p from the one before it. */
function strays(course: Course, p: usize, before: f64, t: f64, chord: f64): bool {
  const x = load<f64>(p);
  const y = load<f64>(p, 8);
  const ex = load<f64>(p - SAMPLE) - x;
  const ey = load<f64>(p - SAMPLE, 8) - y;
  const limit = course.cubicBound * course.cubicBound;
  const square = ex * ex + ey * ey;
  const pieces = max(3, min(32, <i32>(4 * chord * (t - before))));
  for (let piece = 1; piece < pieces; piece++) {
    const between = before + (t - before) * (<f64>piece / <f64>pieces);
    const px = course.ax + between * (course.c1x + between * (course.c2x + between * course.c3x)) - x;
    const py = course.ay + between * (course.c1y + between * (course.c2y + between * course.c3y)) - y;
    const along = square > 0 ? min(1.0, max(0.0, (px * ex + py * ey) / square)) : 0;
    const offX = px - along * ex;
    const offY = py - along * ey;
    if (offX * offX + offY * offY > limit) return true;
  }
  return false;
}
