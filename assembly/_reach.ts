// Border to polygon: break points by cone intersection.
import { Border, SAMPLE, sampleX, sampleY } from "./_border";
import { at, nodeX, nodeY, Polygon, put } from "./_polygon";
import { LOOK, tick, Watch } from "./_watch";

/** Samples that a walk looks past the last node it may take, besides twice its way there: keeps all walks together linear. */
const BEYOND: i32 = 64;

/**
 * The last node that a straight side from node `from` can reach in direction `step`, +1 or -1: its line passes every
 * sample between within `radius`. Keeps the cone of directions that do and stops when it is empty, or when the border
 * turns back. Reaches at least the next node.
 */
export function reach(border: Border, polygon: Polygon, from: i32, step: i32, radius: f64, watch: Watch): i32 {
  if (ASC_FEATURE_SIMD) return reachSimd(border, polygon, from, step, radius, watch);
  const end = step > 0 ? border.n + 1 : 0;
  const x = nodeX(polygon, from);
  const y = nodeY(polygon, from);
  const inner = radius * radius;
  let best = from + step;
  let far: f64 = 0; // square of the farthest distance so far
  let open = true; // every direction is still allowed
  let lx: f64 = 0; // left and right edge of the cone, unit
  let ly: f64 = 0;
  let rx: f64 = 0;
  let ry: f64 = 0;
  for (let k = from + step; ; k += step) {
    if ((k & LOOK) == 0 && tick(watch)) return end;
    if (k != end) {
      const dx = sampleX(border, k) - x;
      const dy = sampleY(border, k) - y;
      const square = dx * dx + dy * dy;
      // a pixel nearer than before
      if (square < far - 1 && Math.sqrt(square) < Math.sqrt(far) - 1) break;
      if (square > far) far = square;
      if (square > inner) {
        if (!open && dx * lx + dy * ly <= 0 && dx * rx + dy * ry <= 0) break;
        // an edge moves when it passes the sample farther off than the radius
        const narrowL = open || lx * dy - ly * dx < -radius;
        const narrowR = open || rx * dy - ry * dx > radius;
        if (narrowL || narrowR) {
          const tangent = Math.sqrt(square - inner);
          const scale = 1 / square;
          if (narrowL) {
            lx = (dx * tangent - dy * radius) * scale;
            ly = (dy * tangent + dx * radius) * scale;
          }
          if (narrowR) {
            rx = (dx * tangent + dy * radius) * scale;
            ry = (dy * tangent - dx * radius) * scale;
          }
          open = false;
          if (rx * ly - ry * lx < 0) break;
        }
      }
    }
    // while the cone is open its edges are 0, and every node is inside
    const nx = nodeX(polygon, k) - x;
    const ny = nodeY(polygon, k) - y;
    const inside = <i32>(rx * ny - ry * nx >= 0) & <i32>(nx * ly - ny * lx >= 0);
    if (inside) best = k;
    if (k == end || (k - best) * step > BEYOND + 2 * (best - from) * step) break;
  }
  return best;
}

/** `reach` with both edges of the cone side by side, and without branches where either may move: they are hard to foretell. */
function reachSimd(border: Border, polygon: Polygon, from: i32, step: i32, radius: f64, watch: Watch): i32 {
  const end = step > 0 ? border.n + 1 : 0;
  const x = f64x2.splat(nodeX(polygon, from));
  const y = f64x2.splat(nodeY(polygon, from));
  const inner = radius * radius;
  let best = from;
  let far: f64 = 0;
  let k = from + step;
  let sample = border.samples + <usize>k * SAMPLE;
  const ahead = <usize>step * SAMPLE;
  let dx = x;
  let dy = y;
  let square: f64 = 0;
  // near by every direction is allowed
  for (; ; k += step, sample += ahead) {
    if (k == end) return end;
    if ((k & LOOK) == 0 && tick(watch)) return end;
    dx = f64x2.sub(v128.load64_splat(sample), x);
    dy = f64x2.sub(v128.load64_splat(sample, 8), y);
    square = f64x2.extract_lane(f64x2.add(f64x2.mul(dx, dx), f64x2.mul(dy, dy)), 0);
    if (square < far - 1 && Math.sqrt(square) < Math.sqrt(far) - 1) return max(best * step, (from + step) * step) * step;
    if (square > far) far = square;
    if (square > inner) break;
    best = k;
  }
  // x and y of both edges, the left one's as they are, the right one's negated: so both narrow where a cross product is small
  const sides = f64x2(radius, -radius);
  const within = f64x2.splat(-radius);
  const zero = f64x2.splat(0);
  const signs = f64x2(1, -1);
  const rim = f64x2.splat(inner);
  let squares = f64x2.splat(square);
  let tangent = f64x2.sqrt(f64x2.sub(squares, rim));
  let scale = f64x2.div(signs, squares);
  let edgeX = f64x2.mul(f64x2.sub(f64x2.mul(dx, tangent), f64x2.mul(dy, sides)), scale);
  let edgeY = f64x2.mul(f64x2.add(f64x2.mul(dy, tangent), f64x2.mul(dx, sides)), scale);
  best = max(best * step, (from + step) * step) * step;
  let node = polygon.nodes + (<usize>k << 4);
  const on = <usize>step << 4;
  for (; ;) {
    const nx = f64x2.sub(v128.load64_splat(node), x);
    const ny = f64x2.sub(v128.load64_splat(node, 8), y);
    const off = f64x2.sub(f64x2.mul(edgeX, ny), f64x2.mul(edgeY, nx));
    best = i64x2.bitmask(f64x2.le(off, zero)) == 3 ? k : best;
    if (k == end || (k - best) * step > BEYOND + 2 * (best - from) * step) return best;
    k += step;
    node += on;
    sample += ahead;
    if ((k & LOOK) == 0 && tick(watch)) return end;
    if (k == end) continue;
    dx = f64x2.sub(v128.load64_splat(sample), x);
    dy = f64x2.sub(v128.load64_splat(sample, 8), y);
    squares = f64x2.add(f64x2.mul(dx, dx), f64x2.mul(dy, dy));
    square = f64x2.extract_lane(squares, 0);
    if (square < far - 1 && Math.sqrt(square) < Math.sqrt(far) - 1) return best;
    if (square > far) far = square;
    if (square <= inner) continue;
    const dot = f64x2.mul(f64x2.add(f64x2.mul(edgeX, dx), f64x2.mul(edgeY, dy)), signs);
    if (i64x2.bitmask(f64x2.le(dot, zero)) == 3) return best;
    const cross = f64x2.sub(f64x2.mul(edgeX, dy), f64x2.mul(edgeY, dx));
    const narrow = f64x2.lt(cross, within);
    tangent = f64x2.sqrt(f64x2.sub(squares, rim));
    scale = f64x2.div(signs, squares);
    edgeX = v128.bitselect(f64x2.mul(f64x2.sub(f64x2.mul(dx, tangent), f64x2.mul(dy, sides)), scale), edgeX, narrow);
    edgeY = v128.bitselect(f64x2.mul(f64x2.add(f64x2.mul(dy, tangent), f64x2.mul(dx, sides)), scale), edgeY, narrow);
    const turn = f64x2.mul(edgeX, v128.shuffle<f64>(edgeY, edgeY, 1, 0));
    if (f64x2.extract_lane(turn, 1) > f64x2.extract_lane(turn, 0)) return best;
  }
  return best;
}

/** Begins both walks anew. */
export function forgetWalks(polygon: Polygon): void {
  polygon.forward = 0;
  polygon.backward = 0;
}

/**
 * Break points of a polygon with few sides: two greedy walks, one in each direction. The forward walk finds the last
 * possible place of each vertex, the backward walk the first, so what lies between is where the vertex belongs.
 * Returns the number of sides.
 *
 * source   Sklansky and Gonzalez 1980 (cone intersection)
 */
export function breakBorder(border: Border, polygon: Polygon, radius: f64, watch: Watch): i32 {
  const end = border.n + 1;
  let forward = polygon.forward;
  let backward = polygon.backward;
  forgetWalks(polygon);
  put(polygon.high, 0, 0);
  put(polygon.low, 0, end);
  while (at(polygon.high, forward) != end) {
    const next = reach(border, polygon, at(polygon.high, forward), 1, radius, watch);
    put(polygon.high, ++forward, next);
  }
  while (at(polygon.low, backward) != 0) {
    const next = reach(border, polygon, at(polygon.low, backward), -1, radius, watch);
    put(polygon.low, ++backward, next);
  }
  for (let i = 0, j = backward; i < j; i++, j--) {
    const other = at(polygon.low, i);
    put(polygon.low, i, at(polygon.low, j));
    put(polygon.low, j, other);
  }
  const m = min(forward, backward);
  if (forward == backward) {
    for (let i = 0; i <= m; i++) {
      const a = at(polygon.low, i);
      const b = at(polygon.high, i);
      put(polygon.low, i, min(a, b));
      put(polygon.high, i, max(a, b));
    }
  } else {
    const from = forward < backward ? polygon.high : polygon.low;
    const to = forward < backward ? polygon.low : polygon.high;
    memory.copy(to, from, <usize>(m + 1) << 2);
  }
  polygon.m = m;
  return m;
}
