import { checkpoint, STOPPED } from "./control";

/** Contours, and pieces of one, between two checkpoints. */
const STRIDE: i32 = 1024;
/** Most lines for one curve: beyond it the tolerance is finer than f32 can tell. */
const MOST: f64 = 65535;

const CUBIC: u8 = 1;
const CLOCKWISE: u8 = 2;

/**
 * Lines that a cubic needs. The distance of a chord is at most an eighth of the second derivative's bound times the
 * squared step, and for a cubic that bound is six times its largest second difference.
 *
 * source   Wang 1984, as in Goldman, Pyramid Algorithms, 2002
 */
function piecesOf(p: usize, perTolerance: f64): i32 {
  const x0 = <f64>load<f32>(p);
  const y0 = <f64>load<f32>(p, 4);
  const x1 = <f64>load<f32>(p, 8);
  const y1 = <f64>load<f32>(p, 12);
  const x2 = <f64>load<f32>(p, 16);
  const y2 = <f64>load<f32>(p, 20);
  const x3 = <f64>load<f32>(p, 24);
  const y3 = <f64>load<f32>(p, 28);
  const ax = x0 - 2 * x1 + x2;
  const ay = y0 - 2 * y1 + y2;
  const bx = x1 - 2 * x2 + x3;
  const by = y1 - 2 * y2 + y3;
  const bend = Math.sqrt(max(ax * ax + ay * ay, bx * bx + by * by));
  return <i32>min(MOST, max(1.0, Math.ceil(Math.sqrt(0.75 * bend * perTolerance))));
}

/** The angle that an arc turns, 0..2 pi: a full turn when its end is its start. */
function sweepOfArc(p: usize, kind: u8): f64 {
  if (load<f32>(p) == load<f32>(p, 16) && load<f32>(p, 4) == load<f32>(p, 20)) return 2 * Math.PI;
  const cx = <f64>load<f32>(p, 8);
  const cy = <f64>load<f32>(p, 12);
  const ax = <f64>load<f32>(p) - cx;
  const ay = <f64>load<f32>(p, 4) - cy;
  const bx = <f64>load<f32>(p, 16) - cx;
  const by = <f64>load<f32>(p, 20) - cy;
  const cross = ax * by - ay * bx;
  const angle = Math.atan2(kind == CLOCKWISE ? cross : -cross, ax * bx + ay * by);
  return angle < 0 ? angle + 2 * Math.PI : angle;
}

// @ts-ignore: decorator
@inline
function radiusAt(p: usize, end: usize): f64 {
  const x = <f64>load<f32>(p + end) - <f64>load<f32>(p, 8);
  const y = <f64>load<f32>(p + end, 4) - <f64>load<f32>(p, 12);
  return Math.sqrt(x * x + y * y);
}

/** Lines that an arc needs, at least four to a turn: the middle of a line over the angle a is r (1 - cos(a / 2)) inside. */
function piecesOfArc(p: usize, kind: u8, perTolerance: f64): i32 {
  const radius = max(radiusAt(p, 0), radiusAt(p, 16));
  const step = min(Math.PI / 2, 4 * Math.asin(min(1.0, Math.sqrt(0.5 / (radius * perTolerance)))));
  return <i32>min(MOST, max(1.0, Math.ceil(sweepOfArc(p, kind) / step)));
}

/**
 * Counts the points of flattened outlines, path by path.
 *
 * ends       u32[contours], segments up to and with each contour
 * kinds      u8[segments]: 0 line, 1 cubic, 2 arc clockwise on the screen, where y is down, 3 counter-clockwise
 * xy         f32 pairs, mm: per contour its start, then 1 point for a line, 3 for a cubic, centre and end for an arc
 * tolerance  mm, > 0
 * outEnds    u32[contours], points up to and with each path
 * returns    points in all, or STOPPED; reports segments
 * cost       O(segments)
 */
export function flattenCount(
  ends: usize,
  contours: i32,
  kinds: usize,
  xy: usize,
  tolerance: f64,
  outEnds: usize,
): f64 {
  const perTolerance = 1 / tolerance;
  let total: f64 = 0;
  let segment = 0;
  for (let i = 0; i < contours; i++) {
    const end = load<i32>(ends + (<usize>i << 2));
    total++;
    for (; segment < end; segment++) {
      if ((segment & (STRIDE - 1)) == 0 && checkpoint(segment)) return STOPPED;
      const kind = load<u8>(kinds + <usize>segment);
      if (kind == 0) {
        xy += 8;
        total++;
      } else if (kind == CUBIC) {
        total += piecesOf(xy, perTolerance);
        xy += 24;
      } else {
        total += piecesOfArc(xy, kind, perTolerance);
        xy += 16;
      }
    }
    xy += 8;
    store<u32>(outEnds + (<usize>i << 2), <u32>total);
    if ((i & (STRIDE - 1)) == 0 && checkpoint(segment)) return STOPPED;
  }
  return total;
}

/**
 * Replaces cubics and arcs by lines that stay within the tolerance; a path ends exactly where its outline does.
 *
 * ends, kinds, xy, tolerance   as for `flattenCount`
 * out        f32 pairs, mm, room for the points that `flattenCount` returned
 * returns    0, or STOPPED; reports segments
 * cost       O(points)
 */
export function flattenFill(
  ends: usize,
  contours: i32,
  kinds: usize,
  xy: usize,
  tolerance: f64,
  out: usize,
): i32 {
  const perTolerance = 1 / tolerance;
  let segment = 0;
  for (let i = 0; i < contours; i++) {
    const end = load<i32>(ends + (<usize>i << 2));
    store<u64>(out, load<u64>(xy));
    out += 8;
    for (; segment < end; segment++) {
      if ((segment & (STRIDE - 1)) == 0 && checkpoint(segment)) return STOPPED;
      const kind = load<u8>(kinds + <usize>segment);
      if (kind == 0) {
        store<u64>(out, load<u64>(xy, 8));
        out += 8;
        xy += 8;
      } else if (kind == CUBIC) {
        out = flattenCubic(xy, piecesOf(xy, perTolerance), out);
        xy += 24;
      } else {
        out = flattenArc(xy, kind, piecesOfArc(xy, kind, perTolerance), out);
        xy += 16;
      }
    }
    xy += 8;
    if ((i & (STRIDE - 1)) == 0 && checkpoint(segment)) return STOPPED;
  }
  return 0;
}

/** Writes the ends of `pieces` equal steps along a cubic; returns where the next point goes. */
function flattenCubic(p: usize, pieces: i32, out: usize): usize {
  const x0 = <f64>load<f32>(p);
  const y0 = <f64>load<f32>(p, 4);
  const c1x = 3 * (<f64>load<f32>(p, 8) - x0);
  const c1y = 3 * (<f64>load<f32>(p, 12) - y0);
  const c2x = 3 * (<f64>load<f32>(p, 16) - x0) - 2 * c1x;
  const c2y = 3 * (<f64>load<f32>(p, 20) - y0) - 2 * c1y;
  const c3x = <f64>load<f32>(p, 24) - x0 - c1x - c2x;
  const c3y = <f64>load<f32>(p, 28) - y0 - c1y - c2y;
  const step = 1 / <f64>pieces;
  for (let k = 1; k < pieces; k++) {
    const t = step * <f64>k;
    store<f32>(out, <f32>(x0 + t * (c1x + t * (c2x + t * c3x))));
    store<f32>(out, <f32>(y0 + t * (c1y + t * (c2y + t * c3y))), 4);
    out += 8;
  }
  store<u64>(out, load<u64>(p, 24));
  return out + 8;
}

/** Writes the ends of `pieces` equal steps along an arc; where its ends differ in radius, that changes evenly. */
function flattenArc(p: usize, kind: u8, pieces: i32, out: usize): usize {
  const cx = <f64>load<f32>(p, 8);
  const cy = <f64>load<f32>(p, 12);
  let x = <f64>load<f32>(p) - cx;
  let y = <f64>load<f32>(p, 4) - cy;
  const step = 1 / <f64>pieces;
  const angle = sweepOfArc(p, kind) * step;
  const cos = Math.cos(angle);
  const sin = kind == CLOCKWISE ? Math.sin(angle) : -Math.sin(angle);
  const radius = radiusAt(p, 0);
  const growth = radius > 0 ? (radiusAt(p, 16) / radius - 1) * step : 0;
  for (let k = 1; k < pieces; k++) {
    const nextX = x * cos - y * sin;
    y = x * sin + y * cos;
    x = nextX;
    const scale = 1 + growth * <f64>k;
    store<f32>(out, <f32>(cx + x * scale));
    store<f32>(out, <f32>(cy + y * scale), 4);
    out += 8;
  }
  store<u64>(out, load<u64>(p, 16));
  return out + 8;
}
