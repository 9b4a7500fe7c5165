// Where the lines of a polygon's sides meet, held near the border.
import { Border, SAMPLE, sampleX, sampleY } from "./_border";
import { at, nodeX, nodeY, Polygon, put, vertexX, vertexY } from "./_polygon";
import { tick, Watch } from "./_watch";

/** Beyond this, px^2, more than twice the least square distance, samples lead away from a point. */
const AWAY: f64 = 4.5;

/** The foot of (x, y) on a line: `axis` 0 asks for its x, 8 for its y. */
function onLine(line: usize, x: f64, y: f64, axis: usize): f64 {
  const s =
    (x - load<f64>(line)) * load<f64>(line, 16) + (y - load<f64>(line, 8)) * load<f64>(line, 24);
  return load<f64>(line + axis) + s * load<f64>(line + axis, 16);
}

/** Leaves in `to.x`, `to.y` where two lines meet; returns the sine of the turn from one to the other. */
export function meet(a: usize, b: usize, to: Nearest): f64 {
  const bux = load<f64>(b, 16);
  const buy = load<f64>(b, 24);
  const cross = load<f64>(a, 16) * buy - load<f64>(a, 24) * bux;
  const t = ((load<f64>(b) - load<f64>(a)) * buy - (load<f64>(b, 8) - load<f64>(a, 8)) * bux) / cross;
  to.x = load<f64>(a) + t * load<f64>(a, 16);
  to.y = load<f64>(a, 8) + t * load<f64>(a, 24);
  return cross;
}

/**
 * Puts each vertex where the lines of its sides meet, but no farther than `limit` from the border.
 *
 * source   the idea of adjusting vertices between fitted sides: Selinger 2003, 2.3; the construction is own
 */
export function placeVertices(border: Border, polygon: Polygon, limit: f64, watch: Watch): void {
  for (let i = border.open ? 1 : 0; i < polygon.m; i++) {
    if ((i & 31) == 31 && tick(watch)) return;
    placeVertex(border, polygon, i, limit);
  }
  if (border.open) {
    placeEnd(border, polygon, 0, 0);
    placeEnd(border, polygon, polygon.m, border.n + 1);
  } else memory.copy(polygon.vertices + (<usize>polygon.m << 4), polygon.vertices, 16);
  put(polygon.before, polygon.m, border.n);
  put(polygon.after, 0, 1);
}

function placeEnd(border: Border, polygon: Polygon, i: i32, k: i32): void {
  store<f64>(polygon.vertices + (<usize>i << 4), sampleX(border, k));
  store<f64>(polygon.vertices + (<usize>i << 4), sampleY(border, k), 8);
}

function placeVertex(border: Border, polygon: Polygon, i: i32, limit: f64): void {
  const a = polygon.lines + (<usize>(i == 0 ? polygon.m - 1 : i - 1) << 5);
  const b = polygon.lines + (<usize>i << 5);
  const low = at(polygon.low, i);
  const high = at(polygon.high, i);
  const found = changetype<Nearest>(polygon.scratch);
  let x: f64;
  let y: f64;
  if (abs(meet(a, b, found)) > (i == 0 ? 0.35 : 0.05)) {
    x = found.x;
    y = found.y;
  } else {
    // nearly parallel: the lines meet anywhere, so the middle of the doubt decides and both lines pull it over
    const middle = (low + high) >> 1;
    const px = nodeX(polygon, middle);
    const py = nodeY(polygon, middle);
    x = 0.5 * (onLine(a, px, py, 0) + onLine(b, px, py, 0));
    y = 0.5 * (onLine(a, px, py, 8) + onLine(b, px, py, 8));
  }

  // flat lines meet anywhere along them: half of both sides is searched
  const back = i == 0 ? 0 : 2 + max(0, (low - at(polygon.high, i - 1)) >> 1);
  const ahead = 2 + max(0, (at(polygon.low, i + 1) - high) >> 1);
  searchAround(border, i, low - back, (low + high) >> 1, high + ahead, x, y, found);
  // vertices keep the order of the border; one that does not goes back on it
  const floor = i <= 1 ? 1 : at(polygon.after, i - 1);
  if (i > 0 && found.before < floor) {
    found.before = floor;
    found.after = floor;
    found.square = 0;
    found.x = sampleX(border, floor);
    found.y = sampleY(border, floor);
    x = found.x;
    y = found.y;
  }
  found.hold(polygon.vertices + (<usize>i << 4), x, y, limit);
  put(polygon.before, i, min(border.n, max(1, found.before)));
  put(polygon.after, i, min(border.n, max(1, found.after)));
}

/** The place on a border nearest to a point, and the samples before and after it; the same one when it is a sample. */
@unmanaged
export class Nearest {
  square: f64;
  x: f64;
  y: f64;
  before: i32;
  after: i32;

  @inline clear(): void {
    this.square = Infinity;
  }

  /** Notes the place at t on the way from sample a to its neighbour b. */
  take(border: Border, a: i32, b: i32, t: f64, square: f64): void {
    const ax = sampleX(border, a);
    const ay = sampleY(border, a);
    this.square = square;
    this.x = ax + t * (sampleX(border, b) - ax);
    this.y = ay + t * (sampleY(border, b) - ay);
    const near = t == 1 ? b : a;
    const next = t == 0 ? a : b;
    this.before = min(near, next);
    this.after = max(near, next);
  }

  /** Writes (x, y), drawn towards the place found until it is within `limit` of it. */
  hold(to: usize, x: f64, y: f64, limit: f64): void {
    const shrink = this.square > limit * limit ? limit / Math.sqrt(this.square) : 1;
    store<f64>(to, this.x + (x - this.x) * shrink);
    store<f64>(to, this.y + (y - this.y) * shrink, 8);
  }
}

/** Looks for vertex i among the samples first..last; vertex 0 stays by the cut. */
export function searchAround(
  border: Border,
  i: i32,
  first: i32,
  middle: i32,
  last: i32,
  x: f64,
  y: f64,
  found: Nearest,
): void {
  found.clear();
  if (i == 0) {
    first = border.n;
    last = border.n + 1;
    searchNearest(border, 0, 0, 1, x, y, found);
  }
  searchNearest(border, max(0, first), middle, min(border.n + 1, last), x, y, found);
}

/**
 * Looks along the border through the samples first..last, both ways from `middle`, for the place nearest to (x, y), if it
 * is nearer than what was found before; there is nothing to find when first > last. Looks until the samples lead away: what comes back to the
 * point beyond that is another part of the border.
 */
export function searchNearest(
  border: Border,
  first: i32,
  middle: i32,
  last: i32,
  x: f64,
  y: f64,
  found: Nearest,
): void {
  // two walks that differ much leave a side no samples of its own
  if (first > last) return;
  middle = min(last, max(first, middle));
  const px = sampleX(border, middle) - x;
  const py = sampleY(border, middle) - y;
  if (px * px + py * py < found.square) found.take(border, middle, middle, 0, px * px + py * py);
  searchWay(border, middle, last, 1, x, y, found);
  searchWay(border, middle, first, -1, x, y, found);
}

function searchWay(border: Border, from: i32, to: i32, step: i32, x: f64, y: f64, found: Nearest): void {
  const ahead = <usize>step * SAMPLE;
  let sample = border.samples + <usize>from * SAMPLE;
  let px = load<f64>(sample) - x;
  let py = load<f64>(sample, 8) - y;
  let least = found.square;
  let best = -1;
  let t: f64 = 0;
  for (let k = from; k != to; k += step) {
    sample += ahead;
    const qx = load<f64>(sample) - x;
    const qy = load<f64>(sample, 8) - y;
    const dx = qx - px;
    const dy = qy - py;
    const along = -(px * dx + py * dy);
    const square = qx * qx + qy * qy;
    // on a step that leads away nothing is nearer than its start
    if (along > 0) {
      const length = dx * dx + dy * dy;
      const cross = px * dy - py * dx;
      if (along >= length) {
        if (square < least) {
          least = square;
          best = k;
          t = 1;
        }
      } else if (cross * cross < least * length) {
        const inverse = 1 / length;
        least = cross * cross * inverse;
        best = k;
        t = along * inverse;
      }
    }
    if (square > 2 * least + AWAY) break;
    px = qx;
    py = qy;
  }
  if (best >= 0) found.take(border, best, best + step, t, least);
}

/** True when (x, y) is within `bound` of the step from sample k to the next. */
export function isBeside(border: Border, k: i32, x: f64, y: f64, bound: f64): bool {
  const px = x - sampleX(border, k);
  const py = y - sampleY(border, k);
  const dx = sampleX(border, k + 1) - sampleX(border, k);
  const dy = sampleY(border, k + 1) - sampleY(border, k);
  const along = px * dx + py * dy;
  const length = dx * dx + dy * dy;
  const cross = px * dy - py * dx;
  const limit = bound * bound;
  if (along <= 0) return px * px + py * py <= limit;
  if (along >= length) return (px - dx) * (px - dx) + (py - dy) * (py - dy) <= limit;
  return cross * cross <= limit * length;
}

/** Area of the polygon, px^2, signed like the border's. */
export function polygonArea(polygon: Polygon): f64 {
  const originX = vertexX(polygon, 0);
  let area: f64 = 0;
  for (let i = 0; i < polygon.m; i++)
    area +=
      0.5 *
      (vertexX(polygon, i) + vertexX(polygon, i + 1) - 2 * originX) *
      (vertexY(polygon, i + 1) - vertexY(polygon, i));
  return area;
}
