// One border as the fit sees it: crack midpoints ("samples") in order, cut open at its outermost corner.
import { LOOK, tick, Watch } from "./_watch";

/** How far crack midpoints are off a smooth border at most, px. */
export const STAIRS: f64 = 0.5;
/** Longest distance between neighbouring samples of one run, px. */
const SPACING: i32 = 4;
/** The same where gray tells how a bend goes on inside a run, up to a length of which bends are flat, px. */
const FINE_SPACING: i32 = 2;
const BENT: i32 = 64;
/** Runs up to this length have a sample on each crack, without gray and with it, px. */
const DENSE: i32 = 2;
const FINE_DENSE: i32 = 8;
/** Bytes of one. */
export const SAMPLE: usize = 24;

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
  /** How far samples are off a smooth border at most, px: half a pixel for stairs, less where gray has placed them. */
  grain: f64;
}

/** True when gray has placed the samples. */
@inline export function isFine(border: Border): bool {
  return border.grain < STAIRS;
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

/** Samples of one run: every crack of a short one, of others both ends and what the spacing asks for between them. */
@inline function samplesOf(run: i32, fine: bool): i32 {
  if (run <= (fine ? FINE_DENSE : DENSE)) return run;
  // divisors that are constants cost no division
  return fine && run <= BENT ? 1 + <u32>(run - 2 + FINE_SPACING) / FINE_SPACING : 1 + <u32>(run - 2 + SPACING) / SPACING;
}

/** Samples of the border with these corners. */
export function countSamples(corners: usize, count: i32, fine: bool, watch: Watch): i32 {
  let n = 0;
  let x = load<i32>(corners + (<usize>(count - 1) << 3));
  let y = load<i32>(corners + (<usize>(count - 1) << 3), 4);
  for (let i = 0; i < count; i++) {
    const nextX = load<i32>(corners + (<usize>i << 3));
    const nextY = load<i32>(corners + (<usize>i << 3), 4);
    if ((i & LOOK) == LOOK && tick(watch)) break;
    n += samplesOf(abs(nextX - x) + abs(nextY - y), fine);
    x = nextX;
    y = nextY;
  }
  return n;
}

@inline function putSample(border: Border, k: i32, x: f64, y: f64, weight: f64): void {
  const to = border.samples + <usize>k * SAMPLE;
  store<f64>(to, x);
  store<f64>(to, y, 8);
  store<f64>(to, weight, 16);
}

function sampleRun(border: Border, fine: bool, n: i32, x: i32, y: i32, nextX: i32, nextY: i32): i32 {
  const run = abs(nextX - x) + abs(nextY - y);
  const dx = <f64>(<i32>(nextX > x) - <i32>(nextX < x));
  const dy = <f64>(<i32>(nextY > y) - <i32>(nextY < y));
  const fromX = <f64>x + 0.5 * dx;
  const fromY = <f64>y + 0.5 * dy;
  if (run <= 2) {
    putSample(border, ++n, fromX, fromY, 1);
    if (run == 2) putSample(border, ++n, fromX + dx, fromY + dy, 1);
    return n;
  }
  const last = samplesOf(run, fine) - 1;
  const weight = <f64>run / <f64>(last + 1);
  // crack floor(j (run - 1) / last) for j = 0..last, without a division for each
  const whole = (run - 1) / last;
  const part = run - 1 - whole * last;
  let crack = 0;
  let rest = 0;
  for (let j = 0; j <= last; j++) {
    putSample(border, ++n, fromX + <f64>crack * dx, fromY + <f64>crack * dy, weight);
    crack += whole;
    rest += part;
    if (rest >= last) {
      rest -= last;
      crack++;
    }
  }
  return n;
}

/** Squared distance of a corner from the mean of all, times the square of their number. */
@inline function spread(corners: usize, i: i32, count: f64, sumX: f64, sumY: f64): f64 {
  const dx = count * <f64>load<i32>(corners + (<usize>i << 3)) - sumX;
  const dy = count * <f64>load<i32>(corners + (<usize>i << 3), 4) - sumY;
  return dx * dx + dy * dy;
}

@inline function around(i: i32, count: i32): i32 {
  return i >= count ? i - count : i < 0 ? i + count : i;
}

/** How much farther out one corner is than another. */
@inline function lead(corners: usize, a: i32, b: i32, count: i32, sumX: f64, sumY: f64): f64 {
  return spread(corners, a, count, sumX, sumY) - spread(corners, b, count, sumX, sumY);
}

/** Corners for which two walks are equally far out: `count` when they are so all the way. */
function commonPart(
  corners: usize,
  count: i32,
  sumX: f64,
  sumY: f64,
  a: i32,
  stepA: i32,
  b: i32,
  stepB: i32,
  watch: Watch,
): i32 {
  for (let i = 0; i < count; i++) {
    if ((i & LOOK) == LOOK && tick(watch)) break;
    if (lead(corners, a, b, count, sumX, sumY) != 0) return i;
    a = around(a + stepA, count);
    b = around(b + stepB, count);
  }
  return count;
}

/**
 * Of the corners farthest out, `first` and others, the one from which a walk in the given direction stays farthest out.
 *
 * cost     O(count): what two walks have in common rules out the loser's start and all starts along that part
 * source   greatest rotation of a string: Shiloach 1981
 */
function farthestWalk(
  corners: usize,
  count: i32,
  sumX: f64,
  sumY: f64,
  first: i32,
  direction: i32,
  watch: Watch,
): i32 {
  const far = spread(corners, first, count, sumX, sumY);
  // offsets from `first` in walking order; all before `other` but `best` are ruled out
  let best = 0;
  for (let other = 1; other < count; other++) {
    if ((other & LOOK) == LOOK && tick(watch)) break;
    const b = around(first + direction * other, count);
    if (spread(corners, b, count, sumX, sumY) != far) continue;
    const a = around(first + direction * best, count);
    const common = commonPart(corners, count, sumX, sumY, a, direction, b, direction, watch);
    // the border repeats itself
    if (common == count) break;
    const endA = around(a + direction * common, count);
    const endB = around(b + direction * common, count);
    if (lead(corners, endA, endB, count, sumX, sumY) > 0) other += common;
    else {
      // the loser's part may reach past the winner's start; then what follows it is next
      best = max(best + common + 1, other);
      while (spread(corners, around(first + direction * best, count), count, sumX, sumY) < far) best++;
      other = best;
    }
  }
  return around(first + direction * best, count);
}

/**
 * Fills `border` from its corners; room for `countSamples` + 2 entries. Incomplete when the watch stopped it.
 *
 * The cut is at the corner farthest from the mean of all: it lies on the convex hull, so it is a good place for a vertex.
 * The walk goes to the side where the border stays farther out, which also decides between equally far corners. So a mirrored or turned picture is walked over the same
 * samples in the same order, and its outline is the mirrored or turned one. Returns the direction, +1 or -1.
 */
export function sampleBorder(corners: usize, count: i32, border: Border, fine: bool, watch: Watch): i32 {
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
  let best: f64 = -1;
  let several = false;
  for (let i = 0; i < count; i++) {
    if ((i & LOOK) == LOOK && tick(watch)) return 1;
    const square = spread(corners, i, count, meanX, meanY);
    if (square < best) continue;
    several = square == best;
    if (several) continue;
    best = square;
    start = i;
  }
  let back = start;
  if (several) {
    back = farthestWalk(corners, count, meanX, meanY, start, -1, watch);
    start = farthestWalk(corners, count, meanX, meanY, start, 1, watch);
  }
  const common = commonPart(corners, count, meanX, meanY, back, -1, start, 1, watch);
  if (watch.stopped) return 1;
  let direction = 1;
  if (lead(corners, around(back - common, count), around(start + common, count), count, meanX, meanY) > 0) {
    start = back;
    direction = -1;
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
    n = sampleRun(border, fine, n, x, y, nextX, nextY);
    area += <i64>x * (nextY - y);
    x = nextX;
    y = nextY;
  }
  border.n = n;
  border.area = <f64>area;
  closeBorder(border);
  return direction;
}

/** Closes a border where its samples begin and end. */
export function closeBorder(border: Border): void {
  closeCut(border);
  border.cutX = sampleX(border, 0);
  border.cutY = sampleY(border, 0);
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
    n = sampleRun(border, false, n, x, y, nextX, nextY);
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

/** Classes of distances that `roughness` counts, and their width, px. */
const CLASSES: i32 = 32;
const CLASS: f64 = 0.02;

/** Median distance of a sample from the line between its neighbours, px; `room` holds `CLASSES` i32. */
export function roughness(border: Border, room: usize, watch: Watch): f64 {
  memory.fill(room, 0, <usize>CLASSES << 2);
  let x = sampleX(border, 1);
  let y = sampleY(border, 1);
  let nextX = sampleX(border, 2);
  let nextY = sampleY(border, 2);
  for (let k = 3; k <= border.n; k++) {
    if ((k & LOOK) == LOOK && tick(watch)) return 0;
    const farX = sampleX(border, k);
    const farY = sampleY(border, k);
    const dx = farX - x;
    const dy = farY - y;
    const off = abs((nextX - x) * dy - (nextY - y) * dx) / Math.sqrt(max(1e-9, dx * dx + dy * dy));
    const to = room + (<usize>min(CLASSES - 1, <i32>(off / CLASS)) << 2);
    store<i32>(to, load<i32>(to) + 1);
    x = nextX;
    y = nextY;
    nextX = farX;
    nextY = farY;
  }
  let left = (border.n - 2) >> 1;
  let found = 0;
  while (found < CLASSES - 1) {
    left -= load<i32>(room + (<usize>found << 2));
    if (left < 0) break;
    found++;
  }
  return CLASS * (<f64>found + 0.5);
}
