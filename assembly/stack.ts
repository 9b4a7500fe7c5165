// Regions to layers that are painted one over the other: layer i is made of the parts of all pixels of rank i and above
// that hold a pixel of rank i. So each part lies within a part of a layer below, and none is painted that the next would
// hide whole. What is hidden is drawn back from where lower ranks show, lest its edge shine through.

import { checkpoint, STOPPED } from "./control";
import { find, join, OUTSIDE, Runs, setU32, u32At } from "./_runs";

/** Runs between two looks at the control block. */
const RUNS: i32 = 1024;

/**
 * Counts the pixel edges between labels.
 *
 * state    the record of the runs; only places are read
 * rows     of the picture
 * labels   u8[pixels]
 * edges    u32[256 * 256], added to: [a * 256 + b] between a and b > a, or [b * 256 + a]
 * returns  0, or STOPPED; reports runs
 * cost     10 ns a run
 */
export function countEdges(state: usize, rows: i32, labels: usize, edges: usize): i32 {
  const runs = changetype<Runs>(state);
  for (let r = 0; r < runs.runs; r += RUNS) {
    countBatch(runs, rows, r, min(runs.runs, r + RUNS), labels, edges);
    if (checkpoint(r)) return STOPPED;
  }
  return 0;
}

@inline function addEdges(edges: usize, a: u8, b: u8, length: u32): void {
  if (a == b) return;
  const p = edges + (((<usize>min(a, b) << 8) | <usize>max(a, b)) << 2);
  store<u32>(p, load<u32>(p) + length);
}

function countBatch(runs: Runs, rows: i32, r: i32, to: i32, labels: usize, edges: usize): void {
  const width = <u32>runs.width;
  for (; r < to; r++) {
    const start = u32At(runs.starts, r);
    const end = u32At(runs.starts, r + 1);
    const label = load<u8>(labels + <usize>start);
    const y = start / width;
    if (end != (y + 1) * width) addEdges(edges, label, load<u8>(labels + <usize>end), 1);
    if (<i32>y + 1 == rows) continue;
    let i = u32At(runs.below, r);
    for (let from = start + width; from < end + width; i++) {
      const stop = min(end + width, u32At(runs.starts, i + 1));
      addEdges(edges, label, load<u8>(labels + <usize>from), stop - from);
      from = stop;
    }
  }
}

/**
 * Sorts runs by the rank of their label and takes them all out of their sets.
 *
 * state    the record of the runs; sets are dissolved
 * labels   u8[pixels]
 * ranks    u8[256]: the rank of each label, 255 for labels that no layer shows
 * ends     u32[257], written: runs of ranks below each rank, so that rank i is ends[i]..ends[i + 1]
 * order    u32[runs], written: the runs, rank by rank
 * returns  0, or STOPPED; reports runs
 * cost     5 ns a run
 */
export function rankRuns(state: usize, labels: usize, ranks: usize, ends: usize, order: usize): i32 {
  const runs = changetype<Runs>(state);
  const n = runs.runs;
  memory.fill(ends, 0, 4 * 257);
  for (let r = 0; r < n; r += RUNS) {
    countRanks(runs, r, min(n, r + RUNS), labels, ranks, ends);
    if (checkpoint(r >> 1)) return STOPPED;
  }
  let sum: u32 = 0;
  for (let i = 0; i < 257; i++) {
    const count = u32At(ends, i);
    setU32(ends, i, sum);
    sum += count;
  }
  for (let r = 0; r < n; r += RUNS) {
    placeRanks(runs, r, min(n, r + RUNS), labels, ranks, ends, order);
    if (checkpoint((n + r) >> 1)) return STOPPED;
  }
  // each end has moved on to the next
  memory.copy(ends + 4, ends, 4 * 256);
  setU32(ends, 0, 0);
  return 0;
}

@inline function rankOf(runs: Runs, r: i32, labels: usize, ranks: usize): u32 {
  return load<u8>(ranks + <usize>load<u8>(labels + <usize>u32At(runs.starts, r)));
}

function countRanks(runs: Runs, r: i32, end: i32, labels: usize, ranks: usize, ends: usize): void {
  for (; r < end; r++) {
    const rank = rankOf(runs, r, labels, ranks);
    setU32(ends, rank, u32At(ends, rank) + 1);
    setU32(runs.parent, r, OUTSIDE);
    setU32(runs.ring, r, r);
  }
}

function placeRanks(runs: Runs, r: i32, end: i32, labels: usize, ranks: usize, ends: usize, order: usize): void {
  for (; r < end; r++) {
    const rank = rankOf(runs, r, labels, ranks);
    const to = u32At(ends, rank);
    setU32(order, to, r);
    setU32(ends, rank, to + 1);
  }
}

/**
 * Adds the runs of one rank to those of the ranks above it, and paints the 4-connected parts of all that hold one of
 * them. Ranks go from the highest down.
 *
 * state    the record of the runs, as `rankRuns` or the rank above left it
 * rows     of the picture
 * list     u32[count]: the runs of this rank
 * painted  u8[runs] scratch: zero before the first rank
 * mark     the rank + 1, 1..255, of which no two calls are the same
 * bits     u64[rows * words], written: bit 0 is the left pixel
 * returns  0, or STOPPED; reports runs
 * cost     20 ns a run added, 10 ns a run painted
 * source   parts of nested level sets, from the highest down: Salembier, Oliveras, Garrido 1998 (component trees)
 */
export function raiseLayer(
  state: usize,
  rows: i32,
  list: usize,
  count: i32,
  painted: usize,
  mark: u8,
  bits: usize,
  words: i32,
): i32 {
  const runs = changetype<Runs>(state);
  for (let i = 0; i < count; i += RUNS) {
    unite(runs, rows, list, i, min(count, i + RUNS));
    if (checkpoint(i)) return STOPPED;
  }
  for (let y = 0; y < rows; y += 64) {
    memory.fill(bits + ((<usize>y * words) << 3), 0, (<usize>min(64, rows - y) * words) << 3);
    if (checkpoint(count)) return STOPPED;
  }
  let done = 0;
  for (let i = 0; i < count; i++) {
    if ((i & (RUNS - 1)) == 0 && checkpoint(count)) return STOPPED;
    let r = u32At(list, i);
    // a ring whose run was painted for this rank is painted whole
    while (load<u8>(painted + <usize>r) != mark) {
      store<u8>(painted + <usize>r, mark);
      paintRun(runs, r, bits, words);
      r = u32At(runs.ring, r);
      if ((++done & (RUNS - 1)) == 0 && checkpoint(count)) return STOPPED;
    }
  }
  return 0;
}

function unite(runs: Runs, rows: i32, list: usize, i: i32, to: i32): void {
  const width = <u32>runs.width;
  for (; i < to; i++) {
    const r = u32At(list, i);
    setU32(runs.parent, r, r);
    const start = u32At(runs.starts, r);
    const end = u32At(runs.starts, r + 1);
    const y = start / width;
    if (start != y * width) uniteWith(runs, r, r - 1);
    if (end != (y + 1) * width) uniteWith(runs, r, r + 1);
    if (y > 0) uniteRow(runs, r, u32At(runs.above, r), end - width);
    if (<i32>y + 1 < rows) uniteRow(runs, r, u32At(runs.below, r), end + width);
  }
}

@inline function uniteRow(runs: Runs, r: u32, i: u32, end: u32): void {
  do {
    uniteWith(runs, r, i);
    i++;
  } while (u32At(runs.starts, i) < end);
}

@inline function uniteWith(runs: Runs, r: u32, i: u32): void {
  if (u32At(runs.parent, i) == OUTSIDE) return;
  const a = find(runs.parent, r);
  const b = find(runs.parent, i);
  if (a == b) return;
  if (a < b) join(runs, a, b);
  else join(runs, b, a);
}

/** Sets the bits of one run. */
function paintRun(runs: Runs, r: u32, bits: usize, words: i32): void {
  const width = <u32>runs.width;
  const start = u32At(runs.starts, r);
  const end = u32At(runs.starts, r + 1);
  const y = start / width;
  const x = start - y * width;
  const last = end - 1 - y * width;
  const row = bits + ((<usize>y * words) << 3);
  const head = ~(<u64>0) << (x & 63);
  const tail = ~(<u64>0) >> (63 - (last & 63));
  let p = row + <usize>((x >> 6) << 3);
  const q = row + <usize>((last >> 6) << 3);
  if (p == q) {
    store<u64>(p, load<u64>(p) | (head & tail));
    return;
  }
  store<u64>(p, load<u64>(p) | head);
  for (p += 8; p < q; p += 8) store<u64>(p, ~(<u64>0));
  store<u64>(q, load<u64>(q) | tail);
}

/**
 * Draws the hidden parts of a layer back by a pixel from where lower ranks show, and layers below it end: an edge of
 * this layer right under one above it would shine through beside it.
 *
 * state    the record of the runs
 * list     u32[count]: the runs of this rank, which stay whole
 * above    u64[rows * words]: 1 for pixels of higher ranks, 0 past the width; this rank is added
 * bits     u64[rows * words]: the layer, as `raiseLayer` leaves it; updated
 * returns  0, or STOPPED; reports runs
 * cost     10 ns a run, 3 ns a word
 * source   erosion by a 3 x 3 square; its use is own
 */
export function tuckLayer(
  state: usize,
  list: usize,
  count: i32,
  above: usize,
  bits: usize,
  words: i32,
  rows: i32,
): i32 {
  const runs = changetype<Runs>(state);
  for (let i = 0; i < count; i += RUNS) {
    paintList(runs, list, i, min(count, i + RUNS), above, words);
    if (checkpoint(i)) return STOPPED;
  }
  const batch = max(1, 4096 / words);
  const stride = <usize>words << 3;
  const last = runs.width & 63;
  const tail: u64 = last == 0 ? 0 : ~(<u64>0) << last;
  for (let y = 0; y < rows; y++) {
    const row = above + <usize>y * stride;
    drawBack(y > 0 ? row - stride : row, row, y + 1 < rows ? row + stride : row, bits + <usize>y * stride, words, tail);
    if (y % batch == 0 && checkpoint(count)) return STOPPED;
  }
  for (let i = 0; i < count; i += RUNS) {
    paintList(runs, list, i, min(count, i + RUNS), bits, words);
    if (checkpoint(count)) return STOPPED;
  }
  return 0;
}

function paintList(runs: Runs, list: usize, i: i32, end: i32, bits: usize, words: i32): void {
  for (; i < end; i++) paintRun(runs, u32At(list, i), bits, words);
}

/** Clears bits of a row where any of nine around is clear; what is outside counts as set. */
function drawBack(up: usize, row: usize, down: usize, bits: usize, words: i32, tail: u64): void {
  let carry: u64 = 1;
  let here = allOf(up, row, down, 0, words, tail);
  for (let i = 0; i < words; i++) {
    const next = i + 1 < words ? allOf(up, row, down, i + 1, words, tail) : ~(<u64>0);
    const p = bits + (<usize>i << 3);
    store<u64>(p, load<u64>(p) & here & ((here << 1) | carry) & ((here >> 1) | (next << 63)));
    carry = here >> 63;
    here = next;
  }
}

/** Word i of three rows, with what is past the width set. */
@inline function allOf(up: usize, row: usize, down: usize, i: i32, words: i32, tail: u64): u64 {
  const at = <usize>i << 3;
  const all = load<u64>(up + at) & load<u64>(row + at) & load<u64>(down + at);
  return i + 1 == words ? all | tail : all;
}

/**
 * The bits of one label.
 *
 * labels   u8[width * rows]
 * bits     u64[rows * words], written: 1 where the label is `label`, bits past the width 0
 * returns  0, or STOPPED; reports rows
 * cost     0.1 ns a pixel
 */
export function maskLabel(labels: usize, width: i32, rows: i32, label: u8, bits: usize, words: i32): i32 {
  const batch = max(1, 65536 / width);
  for (let y = 0; y < rows; y++) {
    maskRow(labels + <usize>y * width, width, label, bits + ((<usize>y * words) << 3));
    if (y % batch == 0 && checkpoint(y)) return STOPPED;
  }
  return 0;
}

function maskRow(row: usize, width: i32, label: u8, bits: usize): void {
  const wanted = i8x16.splat(label);
  for (let x = 0; x < width; x += 64) {
    let word: u64 = 0;
    const n = min(64, width - x);
    let k = 0;
    for (; k + 16 <= n; k += 16) word |= <u64>(<u32>i8x16.bitmask(i8x16.eq(v128.load(row + x + k), wanted))) << k;
    for (; k < n; k++) word |= <u64>(load<u8>(row + x + k) == label) << k;
    store<u64>(bits + (<usize>(x >> 6) << 3), word);
  }
}
