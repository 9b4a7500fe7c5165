// A polygon along a border: where its vertices may stand, and a least-squares line for each side.
import { Border, isFine, SAMPLE, sampleWeight, sampleX, sampleY } from "./_border";
import { LOOK, tick, Watch } from "./_watch";

/** Samples by which two walks around a corner differ at most, where it has stairs and where gray has rounded it. */
const DOUBT: i32 = 6;
const FINE_DOUBT: i32 = 2;
/** Samples from which a side does without those at its ends, less one. */
const ROUNDED: i32 = 6;

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
  if (ASC_FEATURE_SIMD) {
    let sample = border.samples + SAMPLE;
    let here = v128.load(sample);
    let step = drawn(f64x2.sub(v128.load(border.samples), here), most);
    for (let k = 1; k < end; k++) {
      if ((k & LOOK) == LOOK && tick(watch)) return;
      sample += SAMPLE;
      const next = v128.load(sample);
      const ahead = drawn(f64x2.sub(next, here), most);
      v128.store(polygon.nodes + (<usize>k << 4), f64x2.add(here, f64x2.add(ahead, step)));
      step = f64x2.neg(ahead);
      here = next;
    }
    return;
  }
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

/** A step, times `partOf`. */
@inline function drawn(step: v128, most: f64): v128 {
  const square = f64x2.mul(step, step);
  const sum = f64x2.add(square, v128.shuffle<f64>(square, square, 1, 0));
  return f64x2.mul(step, f64x2.div(f64x2.splat(most), f64x2.sqrt(f64x2.pmax(f64x2.splat(1), sum))));
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
