// The start of a palette: the colours of a picture, halved again and again where that helps most.

import { checkpoint, STOPPED } from "./control";
import { COLOR, L, A, B, W } from "./_lab";

/** Places where a group may be cut along its axis. */
const BINS: i32 = 64;
/** Cells between two looks at the control block. */
const BATCH: i32 = 512;
/** Steps towards the axis: the largest of three eigenvalues, seldom close to the next. */
const POWER: i32 = 12;
/** Squared deviation, OKLab, below which a group is one colour. */
const FLAT: f64 = 1e-10;

// A group of cells, f64 each unless said.
const FROM: usize = 0; // i32, i32: its cells in `order`
const TO: usize = 4;
const SSE: usize = 8; // weighted squared deviation from the mean
const WEIGHT: usize = 16;
const SUMS: usize = 24; // 3
const PRODUCTS: usize = 48; // LL, aa, bb, La, Lb, ab
const GROUP: usize = 96;

/**
 * Splits cells into at most k groups and lists the groups' means. Each turn takes the group with the largest squared
 * deviation and cuts it across its main axis where the two halves have the least.
 *
 * colors   f32[4 * count]: L, a, b, weight > 0; count >= 1
 * order    u32[count] scratch: the cells, group by group
 * scratch  96 * k + 3072 bytes
 * palette  f32[4 * k], written: L, a, b, weight
 * returns  colours, fewer than k when there are not so many different ones, or STOPPED; reports groups
 * cost     about 40 ns a cell for each halving that it goes through, on the average log2 k
 * source   main axis: Orchard and Bouman, Color quantization of images, 1991; place of the cut by sums of squares: Wu,
 *          Color quantization by dynamic programming and principal analysis, 1992
 */
export function splitColors(colors: usize, count: i32, k: i32, order: usize, scratch: usize, palette: usize): i32 {
  for (let i = 0; i < count; i++) {
    store<u32>(order + (<usize>i << 2), i);
    if ((i & 8191) == 0 && checkpoint(0)) return STOPPED;
  }
  const bins = scratch;
  const groups = scratch + 3072;
  store<i32>(groups, 0, FROM);
  store<i32>(groups, count, TO);
  if (!measure(colors, order, groups, 0)) return STOPPED;
  let n = 1;
  while (n < k) {
    const group = widest(groups, n);
    if (load<f64>(group, SSE) <= FLAT * load<f64>(group, WEIGHT)) break;
    const other = groups + <usize>n * GROUP;
    const middle = cut(colors, order, group, bins, n);
    if (middle < 0) return STOPPED;
    store<i32>(other, middle, FROM);
    store<i32>(other, load<i32>(group, TO), TO);
    store<i32>(group, middle, TO);
    if (!measure(colors, order, group, n) || !measure(colors, order, other, n)) return STOPPED;
    n++;
  }
  for (let i = 0; i < n; i++) {
    const group = groups + <usize>i * GROUP;
    const to = palette + <usize>i * COLOR;
    const weight = load<f64>(group, WEIGHT);
    store<f32>(to, <f32>(load<f64>(group, SUMS) / weight), L);
    store<f32>(to, <f32>(load<f64>(group, SUMS + 8) / weight), A);
    store<f32>(to, <f32>(load<f64>(group, SUMS + 16) / weight), B);
    store<f32>(to, <f32>weight, W);
  }
  return n;
}

function widest(groups: usize, n: i32): usize {
  let best = groups;
  for (let i = 1; i < n; i++) {
    const group = groups + <usize>i * GROUP;
    if (load<f64>(group, SSE) > load<f64>(best, SSE)) best = group;
  }
  return best;
}

// @ts-ignore: decorator
@inline
function addTo(p: usize, value: f64): void {
  store<f64>(p, load<f64>(p) + value);
}

/** Fills in all but the range of a group; false when it has to stop. */
function measure(colors: usize, order: usize, group: usize, done: i32): bool {
  const to = load<i32>(group, TO);
  memory.fill(group + SSE, 0, GROUP - SSE);
  for (let from = load<i32>(group, FROM); from < to; from += BATCH) {
    addMoments(colors, order, from, min(to, from + BATCH), group);
    if (checkpoint(done)) return false;
  }
  const inverse = 1 / load<f64>(group, WEIGHT);
  let sse: f64 = 0;
  for (let axis: usize = 0; axis < 24; axis += 8) {
    const sum = load<f64>(group + axis, SUMS);
    sse += load<f64>(group + axis, PRODUCTS) - sum * sum * inverse;
  }
  store<f64>(group, to - load<i32>(group, FROM) > 1 ? sse : 0, SSE);
  return true;
}

function addMoments(colors: usize, order: usize, from: i32, to: i32, group: usize): void {
  for (let i = from; i < to; i++) {
    const p = colors + <usize>load<u32>(order + (<usize>i << 2)) * COLOR;
    const w = <f64>load<f32>(p, W);
    const l = <f64>load<f32>(p, L);
    const a = <f64>load<f32>(p, A);
    const b = <f64>load<f32>(p, B);
    addTo(group + WEIGHT, w);
    addTo(group + SUMS, w * l);
    addTo(group + SUMS + 8, w * a);
    addTo(group + SUMS + 16, w * b);
    addTo(group + PRODUCTS, w * l * l);
    addTo(group + PRODUCTS + 8, w * a * a);
    addTo(group + PRODUCTS + 16, w * b * b);
    addTo(group + PRODUCTS + 24, w * l * a);
    addTo(group + PRODUCTS + 32, w * l * b);
    addTo(group + PRODUCTS + 40, w * a * b);
  }
}

/** Sorts the cells of a group to the two sides of its best cut; the first of the upper side, or -1 to stop. */
function cut(colors: usize, order: usize, group: usize, bins: usize, done: i32): i32 {
  // the 3 values of the axis, then the range along it, behind the bins
  const axis = bins + <usize>BINS * 32;
  findAxis(group, axis);
  const from = load<i32>(group, FROM);
  const to = load<i32>(group, TO);
  store<f64>(axis, Infinity, 24);
  store<f64>(axis, -Infinity, 32);
  for (let i = from; i < to; i += BATCH) {
    widen(colors, order, i, min(to, i + BATCH), axis);
    if (checkpoint(done)) return -1;
  }
  memory.fill(bins, 0, <usize>BINS * 32);
  for (let i = from; i < to; i += BATCH) {
    fillBins(colors, order, i, min(to, i + BATCH), axis, bins);
    if (checkpoint(done)) return -1;
  }
  const last = bestCut(group, bins);
  let low = from;
  for (let i = from; i < to; i += BATCH) {
    low = partition(colors, order, i, min(to, i + BATCH), axis, last, low);
    if (checkpoint(done)) return -1;
  }
  return low;
}

/** The direction in which the group is widest. */
function findAxis(group: usize, axis: usize): void {
  const inverse = 1 / load<f64>(group, WEIGHT);
  const sl = load<f64>(group, SUMS);
  const sa = load<f64>(group, SUMS + 8);
  const sb = load<f64>(group, SUMS + 16);
  const ll = load<f64>(group, PRODUCTS) - sl * sl * inverse;
  const aa = load<f64>(group, PRODUCTS + 8) - sa * sa * inverse;
  const bb = load<f64>(group, PRODUCTS + 16) - sb * sb * inverse;
  const la = load<f64>(group, PRODUCTS + 24) - sl * sa * inverse;
  const lb = load<f64>(group, PRODUCTS + 32) - sl * sb * inverse;
  const ab = load<f64>(group, PRODUCTS + 40) - sa * sb * inverse;
  // the row of the largest variance is no worse a start than any
  let x = ll >= aa && ll >= bb ? ll : aa >= bb ? la : lb;
  let y = ll >= aa && ll >= bb ? la : aa >= bb ? aa : ab;
  let z = ll >= aa && ll >= bb ? lb : aa >= bb ? ab : bb;
  for (let i = 0; i < POWER; i++) {
    const scale = 1 / Math.sqrt(x * x + y * y + z * z);
    x *= scale;
    y *= scale;
    z *= scale;
    const nextX = ll * x + la * y + lb * z;
    const nextY = la * x + aa * y + ab * z;
    z = lb * x + ab * y + bb * z;
    x = nextX;
    y = nextY;
  }
  const scale = 1 / Math.sqrt(x * x + y * y + z * z);
  store<f64>(axis, x * scale);
  store<f64>(axis, y * scale, 8);
  store<f64>(axis, z * scale, 16);
}

// @ts-ignore: decorator
@inline
function along(p: usize, axis: usize): f64 {
  return (
    <f64>load<f32>(p, L) * load<f64>(axis) +
    <f64>load<f32>(p, A) * load<f64>(axis, 8) +
    <f64>load<f32>(p, B) * load<f64>(axis, 16)
  );
}

function widen(colors: usize, order: usize, i: i32, end: i32, axis: usize): void {
  let low = load<f64>(axis, 24);
  let high = load<f64>(axis, 32);
  for (; i < end; i++) {
    const t = along(colors + <usize>load<u32>(order + (<usize>i << 2)) * COLOR, axis);
    low = min(low, t);
    high = max(high, t);
  }
  store<f64>(axis, low, 24);
  store<f64>(axis, high, 32);
}

// @ts-ignore: decorator
@inline
function binOf(p: usize, axis: usize): i32 {
  const low = load<f64>(axis, 24);
  return min(BINS - 1, <i32>((<f64>BINS * (along(p, axis) - low)) / (load<f64>(axis, 32) - low)));
}

function fillBins(colors: usize, order: usize, i: i32, end: i32, axis: usize, bins: usize): void {
  for (; i < end; i++) {
    const p = colors + <usize>load<u32>(order + (<usize>i << 2)) * COLOR;
    const bin = bins + (<usize>binOf(p, axis) << 5);
    const w = <f64>load<f32>(p, W);
    addTo(bin, w * <f64>load<f32>(p, L));
    addTo(bin + 8, w * <f64>load<f32>(p, A));
    addTo(bin + 16, w * <f64>load<f32>(p, B));
    addTo(bin + 24, w);
  }
}

/** The last bin of the lower side: the squares of both sides' sums over their weights are largest. */
function bestCut(group: usize, bins: usize): i32 {
  let l: f64 = 0;
  let a: f64 = 0;
  let b: f64 = 0;
  let w: f64 = 0;
  let best = 0;
  let most: f64 = -1;
  for (let i = 0; i < BINS - 1; i++) {
    const bin = bins + (<usize>i << 5);
    l += load<f64>(bin);
    a += load<f64>(bin, 8);
    b += load<f64>(bin, 16);
    w += load<f64>(bin, 24);
    const rest = load<f64>(group, WEIGHT) - w;
    const dl = load<f64>(group, SUMS) - l;
    const da = load<f64>(group, SUMS + 8) - a;
    const db = load<f64>(group, SUMS + 16) - b;
    const value = (l * l + a * a + b * b) / w + (dl * dl + da * da + db * db) / rest;
    if (value > most) {
      most = value;
      best = i;
    }
  }
  return best;
}

/** Moves the cells i..end of bins up to `last` down to `low`; returns the next free place there. */
function partition(colors: usize, order: usize, i: i32, end: i32, axis: usize, last: i32, low: i32): i32 {
  for (; i < end; i++) {
    const p = order + (<usize>i << 2);
    const cell = load<u32>(p);
    if (binOf(colors + <usize>cell * COLOR, axis) > last) continue;
    const to = order + (<usize>low << 2);
    low++;
    store<u32>(p, load<u32>(to));
    store<u32>(to, cell);
  }
  return low;
}
