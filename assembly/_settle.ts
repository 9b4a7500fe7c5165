// Between the first and the last possible place of a vertex, the one from which two lines fit best.
import { Border, sampleWeight, sampleX, sampleY } from "./_border";
import { at, Polygon, put } from "./_polygon";
import { tick, Watch } from "./_watch";

/** Sums over a stretch of samples, which samples can join and leave. */
@unmanaged
class Moments {
  w: f64;
  x: f64;
  y: f64;
  xx: f64;
  xy: f64;
  yy: f64;

  @inline clear(): void {
    this.w = 0;
    this.x = 0;
    this.y = 0;
    this.xx = 0;
    this.xy = 0;
    this.yy = 0;
  }

  add(x: f64, y: f64, w: f64): void {
    this.w += w;
    this.x += w * x;
    this.y += w * y;
    this.xx += w * x * x;
    this.xy += w * x * y;
    this.yy += w * y * y;
  }

  /** Sum of squared distances from the best line. */
  misfit(): f64 {
    const inverse = this.w > 0 ? 1 / this.w : 0;
    const xx = this.xx - this.x * this.x * inverse;
    const xy = this.xy - this.x * this.y * inverse;
    const yy = this.yy - this.y * this.y * inverse;
    return 0.5 * (xx + yy - Math.sqrt((xx - yy) * (xx - yy) + 4 * xy * xy));
  }
}

/** Samples beyond the walks' places that are tried too. */
const BEYOND: i32 = 2;

/** Cosine of the turn, 60 degrees, below which a vertex is a bend: there the lines would follow the pixels' runs. */
const BEND: f64 = 0.5;

/** True when the border turns at sample k, seen from the samples a and b. */
function turns(border: Border, a: i32, k: i32, b: i32): bool {
  const x = sampleX(border, k);
  const y = sampleY(border, k);
  const ax = x - sampleX(border, a);
  const ay = y - sampleY(border, a);
  const bx = sampleX(border, b) - x;
  const by = sampleY(border, b) - y;
  return ax * bx + ay * by < BEND * Math.sqrt((ax * ax + ay * ay) * (bx * bx + by * by));
}

/**
 * Narrows the place of each vertex at a corner to two neighbouring samples, `low` the last of the side before, `high` the first of
 * the side after. Each side is looked at three times or so.
 */
export function settleVertices(border: Border, polygon: Polygon, watch: Watch): void {
  const left = changetype<Moments>(polygon.scratch);
  const right = changetype<Moments>(polygon.scratch + 48);
  for (let i = 1; i < polygon.m; i++) {
    if ((i & 7) == 7 && tick(watch, i, polygon.m)) return;
    const first = max(1, (at(polygon.low, i - 1) + at(polygon.high, i - 1) + 1) >> 1);
    const last = min(border.n, (at(polygon.low, i + 1) + at(polygon.high, i + 1)) >> 1);
    if (!turns(border, first, (at(polygon.low, i) + at(polygon.high, i)) >> 1, last)) continue;
    const low = max(first, at(polygon.low, i) - BEYOND);
    const high = min(last - 1, at(polygon.high, i) + BEYOND);
    const k = low < high ? bestBreak(border, first, low, high, last, left, right) : max(first, min(low, last - 1));
    put(polygon.low, i, k);
    put(polygon.high, i, k + 1);
  }
}

/** The last sample of the left line: from low to high, with samples first..last for both lines. */
function bestBreak(
  border: Border,
  first: i32,
  low: i32,
  high: i32,
  last: i32,
  left: Moments,
  right: Moments,
): i32 {
  const originX = sampleX(border, low);
  const originY = sampleY(border, low);
  left.clear();
  right.clear();
  for (let k = first; k <= low; k++)
    left.add(sampleX(border, k) - originX, sampleY(border, k) - originY, sampleWeight(border, k));
  for (let k = low + 1; k <= last; k++)
    right.add(sampleX(border, k) - originX, sampleY(border, k) - originY, sampleWeight(border, k));
  let best = low;
  let least = Infinity;
  let k = low;
  while (true) {
    const misfit = left.misfit() + right.misfit();
    if (misfit < least - 1e-9) {
      least = misfit;
      best = k;
    }
    if (++k > high) break;
    const x = sampleX(border, k) - originX;
    const y = sampleY(border, k) - originY;
    const w = sampleWeight(border, k);
    left.add(x, y, w);
    right.add(x, y, -w);
  }
  return best;
}
