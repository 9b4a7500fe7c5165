// One border as the fit sees it: crack midpoints ("samples") in order, cut open at its outermost corner.
import { LOOK, tick, Watch } from "./_watch";

/** Longest distance between neighbouring samples of one run, px. */
const SPACING: i32 = 4;
/** Bytes of one. */
export const SAMPLE: usize = 24;
/** Corners equally far out that are compared. */
const TIES: i32 = 16;

/**
 * Samples 1..n, and the middle between the last and the first, where the border is cut open, as entries 0 and n + 1.
 * Lives in scratch memory; the buffer has n + 2 entries.
 */
@unmanaged
export class Border {
  n: i32;
  /** f64 x 3 a sample: x, y in px from the origin, exact, and the cracks that it stands for, 0 for both ends. */
  samples: usize;
  /** Area inside, px^2, signed by the direction of the walk. */
  area: f64;
  /** The corner where the border was first cut, px. All else is relative to it: mirrored shapes give mirrored numbers. */
  originX: i32;
  originY: i32;
  /** Where a vertex at the cut stands. */
  cutX: f64;
  cutY: f64;
  /** True for an arc: entries 0 and n + 1 are its ends, which stay where they are. */
  open: bool;
}

@inline export function sampleX(border: Border, k: i32): f64 {
  return load<f64>(border.samples + <usize>k * SAMPLE);
}

@inline export function sampleY(border: Border, k: i32): f64 {
  return load<f64>(border.samples + <usize>k * SAMPLE, 8);
}

@inline export function sampleWeight(border: Border, k: i32): f64 {
  return load<f64>(border.samples + <usize>k * SAMPLE, 16);
}

/** Samples of one run: every crack up to two, then both ends and what `SPACING` asks for between them. */
@inline function samplesOf(run: i32): i32 {
  return run <= 2 ? run : 1 + (run - 2 + SPACING) / SPACING;
}

/** Samples of the border with these corners. */
export function countSamples(corners: usize, count: i32, watch: Watch): i32 {
  let n = 0;
  let x = load<i32>(corners + (<usize>(count - 1) << 3));
  let y = load<i32>(corners + (<usize>(count - 1) << 3), 4);
  for (let i = 0; i < count; i++) {
    const nextX = load<i32>(corners + (<usize>i << 3));
    const nextY = load<i32>(corners + (<usize>i << 3), 4);
    if ((i & LOOK) == LOOK && tick(watch)) break;
    n += samplesOf(abs(nextX - x) + abs(nextY - y));
    x = nextX;
    y = nextY;
  }
  return n;
}

@inline function sampleRun(border: Border, n: i32, x: i32, y: i32, nextX: i32, nextY: i32): i32 {
  const run = abs(nextX - x) + abs(nextY - y);
  const dx = (nextX - x) / run;
  const dy = (nextY - y) / run;
  const last = samplesOf(run) - 1;
  const weight = <f64>run / <f64>(last + 1);
  for (let j = 0; j <= last; j++) {
    const crack = last == 0 ? 0 : <i32>((<i64>j * (run - 1)) / last);
    n++;
    const step = <f64>crack + 0.5;
    const to = border.samples + <usize>n * SAMPLE;
    store<f64>(to, <f64>x + step * <f64>dx);
    store<f64>(to, <f64>y + step * <f64>dy, 8);
    store<f64>(to, weight, 16);
  }
  return n;
}

/** Squared distance of a corner from the mean of all, times the square of their number. */
@inline function spread(corners: usize, i: i32, count: f64, sumX: f64, sumY: f64): f64 {
  const dx = count * <f64>load<i32>(corners + (<usize>i << 3)) - sumX;
  const dy = count * <f64>load<i32>(corners + (<usize>i << 3), 4) - sumY;
  return dx * dx + dy * dy;
}

/** Compares two walks by how far out they lead, corner by corner; > 0 when the first stays farther out. */
function compareWalks(
  corners: usize,
  count: i32,
  sumX: f64,
  sumY: f64,
  a: i32,
  stepA: i32,
  b: i32,
  stepB: i32,
  watch: Watch,
): f64 {
  for (let i = 1; i < count; i++) {
    if ((i & LOOK) == LOOK && tick(watch)) return 0;
    a += stepA;
    a = a == count ? 0 : a < 0 ? count - 1 : a;
    b += stepB;
    b = b == count ? 0 : b < 0 ? count - 1 : b;
    const difference = spread(corners, a, count, sumX, sumY) - spread(corners, b, count, sumX, sumY);
    if (difference != 0) return difference;
  }
  return 0;
}

/**
 * Fills `border` from its corners; room for `countSamples` + 2 entries. Incomplete when the watch stopped it.
 *
 * The cut is at the corner farthest from the mean of all: it lies on the convex hull, so it is a good place for a vertex.
 * The walk goes to the side where the border stays farther out, which also decides between equally far corners. So a mirrored or turned picture is walked over the same
 * samples in the same order, and its outline is the mirrored or turned one. Returns the direction, +1 or -1.
 */
export function sampleBorder(corners: usize, count: i32, border: Border, watch: Watch): i32 {
  let sumX: i64 = 0;
  let sumY: i64 = 0;
  for (let i = 0; i < count; i++) {
    if ((i & LOOK) == LOOK && tick(watch)) return 1;
    sumX += load<i32>(corners + (<usize>i << 3));
    sumY += load<i32>(corners + (<usize>i << 3), 4);
  }
  const meanX = <f64>sumX;
  const meanY = <f64>sumY;
  let start = 0;
  let direction = 1;
  let best: f64 = -1;
  let ties = 0;
  for (let i = 0; i < count; i++) {
    if ((i & LOOK) == LOOK && tick(watch)) return 1;
    const square = spread(corners, i, count, meanX, meanY);
    if (square < best) continue;
    if (square > best) {
      best = square;
      start = i;
      direction = 1;
      ties = 0;
    } else if (++ties > TIES) continue;
    for (let d = -1; d <= 1; d += 2)
      if (compareWalks(corners, count, meanX, meanY, i, d, start, direction, watch) > 0) {
        start = i;
        direction = d;
      }
  }
  const originX = load<i32>(corners + (<usize>start << 3));
  const originY = load<i32>(corners + (<usize>start << 3), 4);
  border.originX = originX;
  border.originY = originY;
  border.open = false;
  let x = 0;
  let y = 0;
  let n = 0;
  let area: i64 = 0;
  for (let step = 1, at = start; step <= count; step++) {
    if ((step & LOOK) == LOOK && tick(watch)) return 1;
    at += direction;
    if (at == count) at = 0;
    else if (at < 0) at = count - 1;
    const nextX = load<i32>(corners + (<usize>at << 3)) - originX;
    const nextY = load<i32>(corners + (<usize>at << 3), 4) - originY;
    n = sampleRun(border, n, x, y, nextX, nextY);
    area += <i64>x * (nextY - y);
    x = nextX;
    y = nextY;
  }
  border.n = n;
  border.area = <f64>area;
  closeCut(border);
  border.cutX = sampleX(border, 0);
  border.cutY = sampleY(border, 0);
  return direction;
}

/** Fills `border` from the corners of an arc, both ends included; room as in `sampleBorder`. */
export function sampleArc(corners: usize, count: i32, border: Border, watch: Watch): void {
  const originX = load<i32>(corners);
  const originY = load<i32>(corners, 4);
  border.originX = originX;
  border.originY = originY;
  border.cutX = 0;
  border.cutY = 0;
  border.open = true;
  storeEnd(border, 0, 0, 0);
  let x = 0;
  let y = 0;
  let n = 0;
  for (let i = 1; i < count; i++) {
    if ((i & LOOK) == LOOK && tick(watch)) return;
    const nextX = load<i32>(corners + (<usize>i << 3)) - originX;
    const nextY = load<i32>(corners + (<usize>i << 3), 4) - originY;
    n = sampleRun(border, n, x, y, nextX, nextY);
    x = nextX;
    y = nextY;
  }
  border.n = n;
  storeEnd(border, n + 1, x, y);
}

function storeEnd(border: Border, k: i32, x: i32, y: i32): void {
  const to = border.samples + <usize>k * SAMPLE;
  store<f64>(to, x);
  store<f64>(to, y, 8);
  store<f64>(to, 0, 16);
}

/** Fills in the entries 0 and n + 1. */
function closeCut(border: Border): void {
  const n = border.n;
  store<f64>(border.samples, 0.5 * (sampleX(border, 1) + sampleX(border, n)));
  store<f64>(border.samples, 0.5 * (sampleY(border, 1) + sampleY(border, n)), 8);
  store<f64>(border.samples, 0, 16);
  memory.copy(border.samples + <usize>(n + 1) * SAMPLE, border.samples, SAMPLE);
}

/** Cuts the border open before sample `first` instead, where a vertex would stand at (x, y); `room` holds n samples. */
export function recut(border: Border, first: i32, x: f64, y: f64, room: usize): void {
  const list = border.samples + SAMPLE;
  const head = <usize>(first - 1) * SAMPLE;
  const rest = <usize>border.n * SAMPLE - head;
  memory.copy(room, list, head);
  memory.copy(list, list + head, rest);
  memory.copy(list + rest, room, head);
  closeCut(border);
  border.cutX = x;
  border.cutY = y;
}
