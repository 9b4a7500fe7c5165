import { checkpoint, STOPPED } from "./control";

/** Contours, and pieces of one, between two checkpoints. */
const STRIDE: i32 = 1024;
/** Most lines for one cubic: beyond it the tolerance is finer than f32 can tell. */
const MOST: f64 = 65535;

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

/**
 * Counts the points of flattened outlines, path by path.
 *
 * ends       u32[contours], segments up to and with each contour
 * kinds      u8[segments]: 0 line, 1 cubic
 * xy         f32 pairs, mm: per contour its start, then 1 point for a line, 3 for a cubic
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
      if (load<u8>(kinds + <usize>segment) == 0) {
        xy += 8;
        total++;
      } else {
        total += piecesOf(xy, perTolerance);
        xy += 24;
      }
    }
    xy += 8;
    store<u32>(outEnds + (<usize>i << 2), <u32>total);
    if ((i & (STRIDE - 1)) == 0 && checkpoint(segment)) return STOPPED;
  }
  return total;
}

/**
 * Replaces cubics by lines that stay within the tolerance; a path ends exactly where its outline does.
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
      if (load<u8>(kinds + <usize>segment) == 0) {
        store<u64>(out, load<u64>(xy, 8));
        out += 8;
        xy += 8;
      } else {
        out = flattenCubic(xy, piecesOf(xy, perTolerance), out);
        xy += 24;
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
