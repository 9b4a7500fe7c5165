// Labels to regions: runs of equal labels in rows, united to 4-connected regions; small regions go to a neighbour.

import { checkpoint, STOPPED } from "./control";
import { find, join, Runs, setU32, u32At } from "./_runs";

/** Pixels between two looks at the control block, in whole rows. */
const BATCH: i32 = 4096;
/** Runs between two looks. */
const RUNS: i32 = 1024;
/** Steps of merging between two looks. */
const STEPS: i32 = 1024;
/** Behind the last region of a list. */
const END: u32 = 0xffffffff;
/** The label of pixels that belong to no layer. */
const NONE: u8 = 255;

/**
 * The number of runs of equal labels; none crosses a row.
 *
 * labels   u8[width * rows], both sides >= 1
 * returns  runs, or STOPPED; reports rows
 * cost     0.2 ns a pixel
 */
export function countRuns(labels: usize, width: i32, rows: i32): i32 {
  const batch = max(1, BATCH / width);
  let runs = rows;
  for (let y = 0; y < rows; y++) {
    runs += changesIn(labels + <usize>y * width, width);
    if (y % batch == 0 && checkpoint(y)) return STOPPED;
  }
  return runs;
}

/** Neighbours in a row that differ. */
function changesIn(row: usize, width: i32): i32 {
  let n = 0;
  const last = row + <usize>(width - 1);
  for (; row + 16 <= last; row += 16) n += popcnt<i32>(i8x16.bitmask(i8x16.ne(v128.load(row), v128.load(row, 1))));
  for (; row < last; row++) n += <i32>(load<u8>(row) != load<u8>(row, 1));
  return n;
}

/**
 * Lists the runs of labels and unites those of one label that touch along an edge.
 *
 * labels   u8[width * rows]
 * state    u8[64]: the record of the runs; its buffers, set by `openRuns`, are filled
 * area     u32[runs], written: pixels of the region, at its first run
 * color    u8[runs], written: the label
 * returns  runs, or STOPPED; reports rows
 * cost     5..20 ns a run
 * source   run-based labelling with union-find: He, Chao, Suzuki 2008
 */
export function linkRuns(labels: usize, width: i32, rows: i32, state: usize, area: usize, color: usize): i32 {
  const runs = changetype<Runs>(state);
  const batch = max(1, BATCH / width);
  let before = 0; // first run of the row above
  let n = 0;
  for (let y = 0; y < rows; y++) {
    const first = n;
    n = listRow(labels, y * width, width, runs, n, area, color);
    if (y > 0) linkRows(runs, before, first, n, color);
    before = first;
    if (y % batch == 0 && checkpoint(y)) return STOPPED;
  }
  setU32(runs.starts, n, rows * width);
  runs.runs = n;
  for (let r = 0; r < n; r += RUNS) {
    gather(runs, r, min(n, r + RUNS), area);
    if (checkpoint(rows)) return STOPPED;
  }
  return n;
}

/**
 * Writes the record of runs that other kernels take as `state`; buffers as in `Runs`.
 *
 * state    u8[64], written
 * returns  0
 */
export function openRuns(
  state: usize,
  count: i32,
  width: i32,
  starts: usize,
  above: usize,
  below: usize,
  parent: usize,
  ring: usize,
): i32 {
  const runs = changetype<Runs>(state);
  runs.runs = count;
  runs.width = width;
  runs.starts = starts;
  runs.above = above;
  runs.below = below;
  runs.parent = parent;
  runs.ring = ring;
  return 0;
}

function listRow(labels: usize, from: i32, width: i32, runs: Runs, n: i32, area: usize, color: usize): i32 {
  const end = from + width;
  let begin = from;
  let label = load<u8>(labels + <usize>from);
  const equal = i8x16.splat(label);
  let current = equal;
  for (let p = from; p < end; ) {
    // sixteen equal labels at a time, where runs are long
    while (p + 16 <= end && i8x16.all_true(i8x16.eq(v128.load(labels + <usize>p), current))) p += 16;
    while (p < end && load<u8>(labels + <usize>p) == label) p++;
    setU32(runs.starts, n, begin);
    setU32(runs.parent, n, n);
    setU32(runs.ring, n, n);
    setU32(area, n, p - begin);
    store<u8>(color + <usize>n, label);
    n++;
    begin = p;
    if (p < end) {
      label = load<u8>(labels + <usize>p);
      current = i8x16.splat(label);
    }
  }
  return n;
}

/** Notes which runs of two rows, a..first and first..end, lie above each other, and unites equal ones. */
function linkRows(runs: Runs, a: i32, first: i32, end: i32, color: usize): void {
  const width = runs.width;
  let r = first;
  let aStart = <i32>u32At(runs.starts, a) + width;
  let rStart = <i32>u32At(runs.starts, r);
  setU32(runs.starts, end, rStart + width);
  const lastEnd = rStart + width;
  while (true) {
    if (aStart <= rStart) setU32(runs.above, r, a);
    if (rStart <= aStart) setU32(runs.below, a, r);
    if (load<u8>(color + <usize>a) == load<u8>(color + <usize>r)) {
      const x = find(runs.parent, a);
      const y = find(runs.parent, r);
      if (x < y) setU32(runs.parent, y, x);
      else setU32(runs.parent, x, y);
    }
    const aEnd = a + 1 < first ? <i32>u32At(runs.starts, a + 1) + width : lastEnd;
    const rEnd = r + 1 < end ? <i32>u32At(runs.starts, r + 1) : lastEnd;
    if (aEnd == lastEnd && rEnd == lastEnd) return;
    if (aEnd <= rEnd) {
      a++;
      aStart = aEnd;
    }
    if (rEnd <= aEnd) {
      r++;
      rStart = rEnd;
    }
  }
}

/** Points runs at the first of their region, rings them and adds up areas; parents come first. */
function gather(runs: Runs, r: i32, end: i32, area: usize): void {
  for (; r < end; r++) {
    const up = u32At(runs.parent, r);
    if (up == r) continue;
    const root = u32At(runs.parent, up);
    const own = u32At(area, r);
    join(runs, root, r);
    setU32(area, root, u32At(area, root) + own);
  }
}

/** What merging keeps beside the runs. */
@unmanaged
class Merge {
  runs: Runs;
  rows: i32;
  area: usize;
  color: usize;
  /** u32[256]: border with neighbours of each label, all 0 between two turns. */
  lengths: usize;
  /** u32[least]: first of the waiting regions of each area, then u32[runs]: the one behind it. */
  heads: usize;
  behind: usize;
  least: i32;
  work: i32;
  stopped: bool;
}

/**
 * Merges regions of less than `least` pixels into the neighbours of one label, smallest regions first: the label with the
 * least squared colour distance for each pixel of shared border, the first of equals. What touches the grown region with
 * that label becomes one region with it, and small ones are looked at again. Pixels of label 255 stay as they are, and
 * so do regions without neighbours; a small region among pixels of label 255 only becomes 255.
 *
 * state, area, color  as `linkRuns` left them; updated
 * rows     of the picture
 * squares  f32[k * k]: squared distance of two labels' colours
 * least    pixels, >= 1
 * scratch  1152 bytes, then u32[least], then u32[runs]
 * returns  regions merged, or STOPPED; reports steps of work, at most the runs
 * cost     O(runs of small regions * log least)
 * source   merging by colour distance over border length: Koepfler, Lopez, Morel, A multiscale algorithm for image
 *          segmentation by variational method, 1994; in order of area after Nock and Nielsen 2004
 */
export function mergeRegions(
  state: usize,
  rows: i32,
  area: usize,
  color: usize,
  squares: usize,
  k: i32,
  least: i32,
  scratch: usize,
): i32 {
  const merge = changetype<Merge>(scratch);
  const runs = changetype<Runs>(state);
  merge.runs = runs;
  merge.rows = rows;
  merge.area = area;
  merge.color = color;
  merge.lengths = scratch + 128;
  merge.heads = scratch + 1152;
  merge.behind = merge.heads + (<usize>least << 2);
  merge.least = least;
  merge.work = 0;
  merge.stopped = false;
  memory.fill(merge.lengths, 0, 1024);
  memory.fill(merge.heads, 0xff, <usize>least << 2);
  for (let end = runs.runs; end > 0; end -= RUNS) {
    queueRoots(merge, max(0, end - RUNS), end);
    if (checkpoint(0)) return STOPPED;
  }
  let merged = 0;
  for (let size = 1; size < least; size++) {
    if (step(merge)) return STOPPED;
    for (;;) {
      const r = u32At(merge.heads, size);
      if (r == END) break;
      setU32(merge.heads, size, u32At(merge.behind, r));
      // merged away since it was queued, or no part of the picture
      if (u32At(runs.parent, r) != r || load<u8>(color + <usize>r) == NONE) {
        if (step(merge)) return STOPPED;
        continue;
      }
      measureBorders(merge, r);
      const to = takeBest(merge, load<u8>(color + <usize>r), squares, k);
      if (to >= 0) {
        absorb(merge, r, <u8>to);
        merged++;
      }
      if (merge.stopped) return STOPPED;
    }
  }
  return merged;
}

/** Counts a step of work, and now and then looks whether to stop. */
@inline function step(merge: Merge): bool {
  if ((++merge.work & (STEPS - 1)) == 0 && checkpoint(min(merge.work, merge.runs.runs))) merge.stopped = true;
  return merge.stopped;
}

/** Queues the small regions among runs r..end, so that the first comes out first. */
function queueRoots(merge: Merge, r: i32, end: i32): void {
  for (let i = end - 1; i >= r; i--) if (u32At(merge.runs.parent, i) == i) queueRegion(merge, i);
}

@inline function queueRegion(merge: Merge, r: u32): void {
  const size = u32At(merge.area, r);
  if (size >= <u32>merge.least) return;
  setU32(merge.behind, r, u32At(merge.heads, size));
  setU32(merge.heads, size, r);
}

/** Adds `length` to the border with the region of run i, unless that is region r itself. */
@inline function addBorder(merge: Merge, r: u32, i: u32, length: u32): void {
  const other = find(merge.runs.parent, i);
  if (other == r) return;
  const p = merge.lengths + (<usize>load<u8>(merge.color + <usize>other) << 2);
  store<u32>(p, load<u32>(p) + length);
}

/** Borders of region r with its neighbours, by label. */
function measureBorders(merge: Merge, r: u32): void {
  const runs = merge.runs;
  const width = <u32>runs.width;
  let i = r;
  do {
    if (step(merge)) return;
    const start = u32At(runs.starts, i);
    const end = u32At(runs.starts, i + 1);
    const y = start / width;
    if (start != y * width) addBorder(merge, r, i - 1, 1);
    if (end != (y + 1) * width) addBorder(merge, r, i + 1, 1);
    if (y > 0) measureRow(merge, r, u32At(runs.above, i), start - width, end - width);
    if (<i32>y + 1 < merge.rows) measureRow(merge, r, u32At(runs.below, i), start + width, end + width);
    i = u32At(runs.ring, i);
  } while (i != r);
}

/** The runs from i on that share pixels start..end of their row. */
@inline function measureRow(merge: Merge, r: u32, i: u32, start: u32, end: u32): void {
  let from = start;
  while (from < end) {
    const to = min(end, u32At(merge.runs.starts, i + 1));
    addBorder(merge, r, i, to - from);
    from = to;
    i++;
  }
}

/** The label to merge into, 255 when all around is that, -1 without neighbours; clears the lengths. */
function takeBest(merge: Merge, own: u8, squares: usize, k: i32): i32 {
  let best = load<u32>(merge.lengths, 4 * 255) > 0 ? 255 : -1;
  let bestSquare: f64 = 0;
  let bestLength: f64 = 0;
  for (let c = 0; c < k; c++) {
    const length = <f64>u32At(merge.lengths, c);
    if (length == 0) continue;
    const square = <f64>load<f32>(squares + ((<usize>own * k + c) << 2));
    if (best < 0 || best == 255 || square * bestLength < bestSquare * length) {
      best = c;
      bestSquare = square;
      bestLength = length;
    }
  }
  memory.fill(merge.lengths, 0, 1024);
  return best;
}

/** Unites region r with all its neighbours of label `to`. */
function absorb(merge: Merge, r: u32, to: u8): void {
  const runs = merge.runs;
  const width = <u32>runs.width;
  // neighbours that join lengthen the ring behind r: only its own runs are walked
  let i = r;
  const end = r;
  do {
    if (step(merge)) return;
    const next = u32At(runs.ring, i);
    const start = u32At(runs.starts, i);
    const stop = u32At(runs.starts, i + 1);
    const y = start / width;
    if (start != y * width) absorbRun(merge, r, i - 1, to);
    if (stop != (y + 1) * width) absorbRun(merge, r, i + 1, to);
    if (y > 0) absorbRow(merge, r, u32At(runs.above, i), stop - width, to);
    if (<i32>y + 1 < merge.rows) absorbRow(merge, r, u32At(runs.below, i), stop + width, to);
    i = next;
  } while (i != end);
  store<u8>(merge.color + <usize>r, to);
  queueRegion(merge, r);
}

@inline function absorbRow(merge: Merge, r: u32, i: u32, end: u32, to: u8): void {
  for (;;) {
    absorbRun(merge, r, i, to);
    i++;
    if (u32At(merge.runs.starts, i) >= end) return;
  }
}

@inline function absorbRun(merge: Merge, r: u32, i: u32, to: u8): void {
  const other = find(merge.runs.parent, i);
  if (other == r || load<u8>(merge.color + <usize>other) != to) return;
  join(merge.runs, r, other);
  setU32(merge.area, r, u32At(merge.area, r) + u32At(merge.area, other));
}

/**
 * Writes the labels of regions back to their pixels and counts them.
 *
 * state, color  as `mergeRegions` left them
 * labels   u8[pixels], written
 * counts   u32[256], added to: pixels of each label
 * returns  0, or STOPPED; reports runs
 * cost     5 ns a run
 */
export function paintRegions(state: usize, color: usize, labels: usize, counts: usize): i32 {
  const runs = changetype<Runs>(state);
  const n = runs.runs;
  for (let r = 0; r < n; r += RUNS) {
    paintRuns(runs, r, min(n, r + RUNS), color, labels, counts);
    if (checkpoint(r)) return STOPPED;
  }
  return 0;
}

function paintRuns(runs: Runs, r: i32, end: i32, color: usize, labels: usize, counts: usize): void {
  let start = u32At(runs.starts, r);
  for (; r < end; r++) {
    const stop = u32At(runs.starts, r + 1);
    const label = load<u8>(color + <usize>find(runs.parent, r));
    memory.fill(labels + <usize>start, label, <usize>(stop - start));
    setU32(counts, label, u32At(counts, label) + stop - start);
    start = stop;
  }
}
