// Border to polygon: break points by cone intersection, a least-squares line for each side, vertices where lines meet.
import { Border, isFine, SAMPLE, sampleWeight, sampleX, sampleY } from "./_border";
import { LOOK, tick, Watch } from "./_watch";

/** Samples by which two walks around a corner differ at most, where it has stairs and where gray has rounded it. */
const DOUBT: i32 = 6;
const FINE_DOUBT: i32 = 2;
/** Samples from which a side does without those at its ends, less one. */
const ROUNDED: i32 = 6;

/** Samples that a walk looks past the last node it may take, besides twice its way there: keeps all walks together linear. */
const BEYOND: i32 = 64;

/**
 * A closed polygon along a border. Vertex 0 lies where the border was cut open; side i runs from vertex i to i + 1,
 * side m - 1 back to vertex 0, which also stands as vertex m. Buffers have room for the border's n + 2.
 */
@unmanaged
export class Polygon {
  /** Sides. */
  m: i32;
  /** i32: the first and last sample at which vertex i may stand, from walks in both directions. */
  low: usize;
  high: usize;
  /** f64 x 4 per side: a point, then the unit direction, of its least-squares line. */
  lines: usize;
  /** f64 x 2 per vertex, px. */
  vertices: usize;
  /** u8 per side: 1 when all its samples lie on one run of the border. */
  axial: usize;
  /** i32: the samples before and after the place on the border that is nearest to each vertex. */
  before: usize;
  after: usize;
  /** 192 bytes for whoever needs them within one call. */
  scratch: usize;
  /** f64 x 2 per node, px: where a vertex at the node would stand. */
  nodes: usize;
  /** Steps of the walks in both directions that are in `high` and `low` already, from either end of the border. */
  forward: i32;
  backward: i32;
}

@inline export function vertexX(polygon: Polygon, i: i32): f64 {
  return load<f64>(polygon.vertices + (<usize>i << 4));
}

@inline export function vertexY(polygon: Polygon, i: i32): f64 {
  return load<f64>(polygon.vertices + (<usize>i << 4), 8);
}

@inline export function at(list: usize, i: i32): i32 {
  return load<i32>(list + (<usize>i << 2));
}

@inline export function put(list: usize, i: i32, value: i32): void {
  store<i32>(list + (<usize>i << 2), value);
}

/**
 * Fills in where a vertex at each node would stand: the sample drawn a little towards its neighbours, which takes half
 * of the stairs out of slanted borders; the cut's own place at both ends.
 */
export function layNodes(border: Border, polygon: Polygon, watch: Watch): void {
  const end = border.n + 1;
  let x = sampleX(border, 1);
  let y = sampleY(border, 1);
  putNode(polygon, 0, border.cutX, border.cutY);
  putNode(polygon, end, border.open ? sampleX(border, end) : border.cutX, border.open ? sampleY(border, end) : border.cutY);
  // for stairs a quarter of the step to here, at most a quarter of a pixel
  const most = 0.5 * border.grain;
  let stepX = sampleX(border, 0) - x;
  let stepY = sampleY(border, 0) - y;
  const part = partOf(most, stepX, stepY);
  stepX *= part;
  stepY *= part;
  for (let k = 1; k < end; k++) {
    if ((k & LOOK) == LOOK && tick(watch)) return;
    const nextX = sampleX(border, k + 1);
    const nextY = sampleY(border, k + 1);
    let aheadX = nextX - x;
    let aheadY = nextY - y;
    const part = partOf(most, aheadX, aheadY);
    aheadX *= part;
    aheadY *= part;
    putNode(polygon, k, x + (aheadX + stepX), y + (aheadY + stepY));
    stepX = -aheadX;
    stepY = -aheadY;
    x = nextX;
    y = nextY;
  }
}

/** `most`, or so much of a pixel as a part of a longer step. */
@inline function partOf(most: f64, dx: f64, dy: f64): f64 {
  const square = dx * dx + dy * dy;
  return square > 1 ? most / Math.sqrt(square) : most;
}

@inline function putNode(polygon: Polygon, k: i32, x: f64, y: f64): void {
  store<f64>(polygon.nodes + (<usize>k << 4), x);
  store<f64>(polygon.nodes + (<usize>k << 4), y, 8);
}

@inline export function nodeX(polygon: Polygon, k: i32): f64 {
  return load<f64>(polygon.nodes + (<usize>k << 4));
}

@inline export function nodeY(polygon: Polygon, k: i32): f64 {
  return load<f64>(polygon.nodes + (<usize>k << 4), 8);
}

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

/** The least-squares line of each side, by its samples' moments. */
export function fitSides(border: Border, polygon: Polygon, watch: Watch): void {
  for (let i = 0; i < polygon.m; i++) {
    if ((i & 31) == 31 && tick(watch)) return;
    fitSide(border, polygon, i);
  }
}

@inline function doubt(border: Border): i32 {
  return isFine(border) ? FINE_DOUBT : DOUBT;
}

/**
 * The first sample that is side i's alone. Where the two walks differ little there is a corner, and what only one of
 * them gave to this side may be its neighbour's; where they differ much there is a bend, and the middle is as good.
 */
export function sideStart(border: Border, polygon: Polygon, i: i32): i32 {
  const low = at(polygon.low, i);
  const high = at(polygon.high, i);
  return high - low <= doubt(border) ? high : (low + high + 1) >> 1;
}

/** The last sample that is side i's alone. */
export function sideEnd(border: Border, polygon: Polygon, i: i32): i32 {
  const low = at(polygon.low, i + 1);
  const high = at(polygon.high, i + 1);
  return high - low <= doubt(border) ? low : (low + high) >> 1;
}

function fitSide(border: Border, polygon: Polygon, i: i32): void {
  let first = sideStart(border, polygon, i);
  let last = sideEnd(border, polygon, i);
  // gray rounds corners: what is next to one may not lie on the side
  if (isFine(border) && last - first >= ROUNDED) {
    first++;
    last--;
  }
  const midA = (at(polygon.low, i) + at(polygon.high, i) + 1) >> 1;
  const midB = (at(polygon.low, i + 1) + at(polygon.high, i + 1)) >> 1;
  const line = polygon.lines + (<usize>i << 5);
  // a side of one sample runs from the sample before to the one after
  const one = midB <= midA ? 1 : 0;
  const from = one && midA == 1 && !border.open ? border.n : midA - one;
  const to = one && midB == border.n && !border.open ? 1 : midB + one;
  const chordX = sampleX(border, to) - sampleX(border, from);
  const chordY = sampleY(border, to) - sampleY(border, from);
  const axial = fitLine(border, first < last ? first : midA, first < last ? last : midB, chordX, chordY, line);
  store<u8>(polygon.axial + <usize>i, axial ? 1 : 0);
}

/**
 * The total-least-squares line of the samples first..last, written as a point and a unit direction that runs with
 * (chordX, chordY). True when all samples lie on one run of the border.
 */
export function fitLine(border: Border, first: i32, last: i32, chordX: f64, chordY: f64, line: usize): bool {
  // the cut corner itself has no weight, but it may be all there is
  const originX = sampleX(border, first);
  const originY = sampleY(border, first);
  let w: f64 = 0;
  let sx: f64 = 0;
  let sy: f64 = 0;
  let sxx: f64 = 0;
  let sxy: f64 = 0;
  let syy: f64 = 0;
  for (let k = first; k <= last; k++) {
    const weight = sampleWeight(border, k);
    const x = sampleX(border, k) - originX;
    const y = sampleY(border, k) - originY;
    w += weight;
    sx += weight * x;
    sy += weight * y;
    sxx += weight * x * x;
    sxy += weight * x * y;
    syy += weight * y * y;
  }
  const inverse = w > 0 ? 1 / w : 0;
  sx *= inverse;
  sy *= inverse;
  sxx = sxx * inverse - sx * sx;
  sxy = sxy * inverse - sx * sy;
  syy = syy * inverse - sy * sy;
  let ux = chordX;
  let uy = chordY;
  const axial = min(sxx, syy) < 1e-9;
  const spread = Math.sqrt((sxx - syy) * (sxx - syy) + 4 * sxy * sxy);
  // a single sample, or a cloud without direction, leaves the chord's
  if (spread > 0.1) {
    const large = 0.5 * (sxx + syy + spread);
    if (sxx >= syy) {
      ux = large - syy;
      uy = sxy;
    } else {
      ux = sxy;
      uy = large - sxx;
    }
    // + 0, as -0 is no direction; which way it is cannot be foretold, so there is no branch
    const sign = copysign<f64>(1, ux * chordX + uy * chordY + 0);
    ux *= sign;
    uy *= sign;
  }
  const length = Math.sqrt(ux * ux + uy * uy);
  const unit = 1 / length;
  store<f64>(line, originX + sx);
  store<f64>(line, originY + sy, 8);
  store<f64>(line, length > 0 ? ux * unit : 1, 16);
  store<f64>(line, length > 0 ? uy * unit : 0, 24);
  return axial;
}
