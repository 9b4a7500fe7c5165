// Rings of edges on the integer grid, cut at their crossings until no two edges have more than ends in common.
//
// A cut at a crossing goes to the nearest grid point, which may bend an edge by up to 0.71 units, so that new crossings
// can come up: the bent pieces are searched again. It ends: a cut lies in the box of its edge and is none of its ends, so
// that the pieces' lengths along x and y add up to the edge's, and each piece is at least one unit long.
import { ask, asked, both, BOX, boxAround, Boxes, countAt, EIGHT, levelAt, nextTouching, nowhere, planBoxes, raiseBoxes, touches } from "./_boxes";
import { sortKeys } from "./_keys";
import { mergeLines } from "./_lines";
import { tick, Watch } from "./_watch";

/** Tag of the last node of each ring, which is its first again: no edge begins there. */
export const GAP: u32 = 0xffffffff;
/** Set in the tags of the second of two sets of rings. */
export const SECOND: u32 = 1 << 31;
/** Blocks of edges between two looks at the cancel word. */
const LOOK_BLOCKS: i32 = 63;
const SLICE: i32 = 8192;
/** Rounds in which edges also bend to nodes within half a unit, so that lines side by side do not cross again and again. */
const SNAPPING: i32 = 12;
/** Makes coordinates positive. */
const BIAS: i32 = 1 << 30;

@unmanaged
export class Plane {
  /** i32 pairs, u32 and u8 a node (of the latter 8 more): where it is, what its edge to the next node is tagged with, and 1 while that edge waits to be searched. */
  xy: usize;
  tags: usize;
  fresh: usize;
  count: i32;
  /** Where the next round goes. */
  nextXy: usize;
  nextTags: usize;
  nextFresh: usize;
  /** Most nodes, and most cuts of one round. */
  room: i32;
  cutRoom: i32;
  cuts: i32;
  /** Edges that do not follow on each other have an end in common: told of a single ring only. */
  touched: bool;
  /** All edges are fresh. */
  whole: bool;
  /** Edges that the round has searched; all, unless its cuts were more than there is room for. */
  searched: i32;
  rounds: i32;
  /** i32[room], first cut of each edge, -1 without. */
  heads: usize;
  /** x, y, next cut of the same edge: i32 x 3 each, at strides of 16. */
  list: usize;
  /** u64[cutRoom], the cuts of one edge. */
  sorted: usize;
  boxes: Boxes;
  levels: usize;
  /** Edges on one line were merged: i32 a node, how many times its edge counts; without, each counts once. */
  weighted: bool;
  weights: usize;
  nextWeights: usize;
  /** What merging needs: u64[room], u64[2 * room], the counts of a sort, and a line. */
  keys: usize;
  events: usize;
  counts: usize;
  line: usize;
}

@inline export function nodeAt(plane: Plane, i: i32): usize {
  return plane.xy + (<usize>i << 3);
}

@inline export function tagOf(plane: Plane, i: i32): u32 {
  return load<u32>(plane.tags + (<usize>i << 2));
}

@inline export function weightOf(plane: Plane, i: i32): i32 {
  return plane.weighted ? load<i32>(plane.weights + (<usize>i << 2)) : 1;
}

/** Positive where a, b, c turn as x turns to y. */
@inline export function turn(ax: i32, ay: i32, bx: i32, by: i32, cx: i32, cy: i32): i64 {
  return <i64>(bx - ax) * <i64>(cy - ay) - <i64>(by - ay) * <i64>(cx - ax);
}

/** Cuts until done; when nothing was to be cut, the count stays. False for want of room or when `watch` has stopped. */
export function makePlanar(plane: Plane, watch: Watch): bool {
  memory.fill(plane.fresh, 1, <usize>plane.count);
  store<u64>(plane.fresh + <usize>plane.count, 0);
  plane.whole = true;
  plane.weighted = plane.touched = false;
  plane.rounds = 0;
  while (true) {
    plane.cuts = 0;
    memory.fill(plane.heads, 0xff, <usize>plane.count << 2);
    layBoxes(plane);
    if (!search(plane, watch)) return false;
    if (plane.cuts == 0) return true;
    if (plane.searched < plane.count && !plane.weighted) {
      // so many cuts may come from edges that lie on each other
      if (!mergeLines(plane, watch)) return false;
      memory.fill(plane.fresh, 1, <usize>plane.count);
      store<u64>(plane.fresh + <usize>plane.count, 0);
      plane.whole = true;
      continue;
    }
    if (plane.count + plane.cuts > plane.room) return false;
    if (!applyCuts(plane, watch)) return false;
    plane.whole = false;
    plane.rounds++;
  }
}

function layBoxes(plane: Plane): void {
  planBoxes(plane.boxes, plane.levels, plane.count);
  const boxes = plane.boxes;
  for (let block = 0, n = countAt(boxes, 0), to = levelAt(boxes, 0); block < n; block += SLICE / EIGHT) {
    const end = min(n, block + SLICE / EIGHT);
    layBlocks(plane, block, end, to + <usize>block * BOX);
  }
  raiseBoxes(boxes);
}

function layBlocks(plane: Plane, block: i32, end: i32, to: usize): void {
  for (; block < end; block++) {
    let box = nowhere();
    const first = block * EIGHT;
    for (let i = first, last = min(first + EIGHT, plane.count); i < last; i++) {
      if (tagOf(plane, i) != GAP) box = both(box, boxAround(nodeAt(plane, i), nodeAt(plane, i + 1)));
    }
    v128.store(to, box);
    to += BOX;
  }
}

/** Finds the cuts between fresh edges and all others, as many as there is room for. */
function search(plane: Plane, watch: Watch): bool {
  const blocks = countAt(plane.boxes, 0);
  for (let block = 0; block < blocks; block++) {
    if ((block & LOOK_BLOCKS) == 0 && tick(watch)) return false;
    if (!isFresh(plane, block)) continue;
    searchBlock(plane, block, watch);
    if (watch.stopped) return false;
    if (plane.cuts > plane.cutRoom) {
      plane.cuts = plane.cutRoom;
      plane.searched = block * EIGHT;
      return true;
    }
  }
  plane.searched = plane.count;
  return true;
}

@inline function isFresh(plane: Plane, block: i32): bool {
  return load<u64>(plane.fresh + (<usize>block << 3)) != 0;
}

function searchBlock(plane: Plane, block: i32, watch: Watch): void {
  ask(plane.boxes, v128.load(levelAt(plane.boxes, 0) + <usize>block * BOX));
  // pairs of fresh blocks are searched from the former
  let other = block;
  let n = 0;
  for (let from = plane.whole ? block : 0; ; from = other + 1) {
    other = nextTouching(plane.boxes, from);
    if (other < 0) return;
    if (other < block && isFresh(plane, other)) continue;
    pairBlocks(plane, block, other);
    if ((++n & 255) == 255 && tick(watch)) return;
    if (plane.cuts > plane.cutRoom) return;
  }
}

function pairBlocks(plane: Plane, one: i32, other: i32): void {
  const around = v128.load(levelAt(plane.boxes, 0) + <usize>other * BOX);
  const end = min(one * EIGHT + EIGHT, plane.count);
  const otherEnd = min(other * EIGHT + EIGHT, plane.count);
  for (let i = one * EIGHT; i < end; i++) {
    if (tagOf(plane, i) == GAP) continue;
    const question = asked(boxAround(nodeAt(plane, i), nodeAt(plane, i + 1)));
    if (!touches(question, around)) continue;
    const fresh = load<u8>(plane.fresh + <usize>i);
    for (let k = one == other ? i + 1 : other * EIGHT; k < otherEnd; k++) {
      if (!touches(question, boxAround(nodeAt(plane, k), nodeAt(plane, k + 1)))) continue;
      if (tagOf(plane, k) == GAP || (fresh | load<u8>(plane.fresh + <usize>k)) == 0) continue;
      meet(plane, i, k);
    }
  }
}

/** Notes where two edges have to be cut, if anywhere. */
function meet(plane: Plane, i: i32, k: i32): void {
  const a = nodeAt(plane, i);
  const c = nodeAt(plane, k);
  const ax = load<i32>(a);
  const ay = load<i32>(a, 4);
  const bx = load<i32>(a, 8);
  const by = load<i32>(a, 12);
  const cx = load<i32>(c);
  const cy = load<i32>(c, 4);
  const dx = load<i32>(c, 8);
  const dy = load<i32>(c, 12);
  const toC = 2 * turn(ax, ay, bx, by, cx, cy);
  const toD = 2 * turn(ax, ay, bx, by, dx, dy);
  // an edge passes through the unit square around a node where the turn is less than this
  const snapping = plane.rounds < SNAPPING;
  const near = snapping ? <i64>abs(bx - ax) + <i64>abs(by - ay) : 1;
  if ((toC >= near && toD >= near) || (toC <= -near && toD <= -near)) return;
  const toA = 2 * turn(cx, cy, dx, dy, ax, ay);
  const toB = 2 * turn(cx, cy, dx, dy, bx, by);
  const nearToo = snapping ? <i64>abs(dx - cx) + <i64>abs(dy - cy) : 1;
  if ((toA >= nearToo && toB >= nearToo) || (toA <= -nearToo && toB <= -nearToo)) return;
  const before = plane.cuts;
  if (abs(toC) < near) cutWithin(plane, i, ax, ay, bx, by, cx, cy);
  if (abs(toD) < near) cutWithin(plane, i, ax, ay, bx, by, dx, dy);
  if (abs(toA) < nearToo) cutWithin(plane, k, cx, cy, dx, dy, ax, ay);
  if (abs(toB) < nearToo) cutWithin(plane, k, cx, cy, dx, dy, bx, by);
  // what was cut is searched again
  if (plane.cuts != before) return;
  if (toA == 0 || toB == 0 || toC == 0 || toD == 0) {
    const joined = k == i + 1 || (i == 0 && k == plane.count - 2);
    if (!joined && haveOneEnd(a, c)) plane.touched = true;
    return;
  }
  if (toA > 0 == toB > 0 || toC > 0 == toD > 0) return;
  const t = <f64>toA / (<f64>toA - <f64>toB);
  const x = <i32>nearest(<f64>ax + t * <f64>(bx - ax));
  const y = <i32>nearest(<f64>ay + t * <f64>(by - ay));
  cutWithin(plane, i, ax, ay, bx, by, x, y);
  cutWithin(plane, k, cx, cy, dx, dy, x, y);
}

@inline function haveOneEnd(a: usize, c: usize): bool {
  const first = load<u64>(a);
  const second = load<u64>(a, 8);
  return first == load<u64>(c) || first == load<u64>(c, 8) || second == load<u64>(c) || second == load<u64>(c, 8);
}

/** Cuts an edge at a place that is in its box but none of its ends. */
@inline function cutWithin(plane: Plane, edge: i32, ax: i32, ay: i32, bx: i32, by: i32, x: i32, y: i32): void {
  if (x < min(ax, bx) || x > max(ax, bx) || y < min(ay, by) || y > max(ay, by)) return;
  if ((x == ax && y == ay) || (x == bx && y == by)) return;
  const cut = plane.cuts++;
  if (cut >= plane.cutRoom) {
    plane.cuts = plane.cutRoom + 1;
    return;
  }
  const to = plane.list + (<usize>cut << 4);
  const head = plane.heads + (<usize>edge << 2);
  store<i32>(to, x);
  store<i32>(to, y, 4);
  store<i32>(to, load<i32>(head), 8);
  store<i32>(head, cut);
}

/** Writes the nodes again, with the cuts between them. */
function applyCuts(plane: Plane, watch: Watch): bool {
  let to = 0;
  for (let i = 0; i < plane.count; i += SLICE) {
    to = cutSlice(plane, i, min(plane.count, i + SLICE), to);
    if (tick(watch)) return false;
  }
  // the blocks are read in whole
  store<u64>(plane.nextFresh + <usize>to, 0);
  plane.count = to;
  let other = plane.xy;
  plane.xy = plane.nextXy;
  plane.nextXy = other;
  other = plane.tags;
  plane.tags = plane.nextTags;
  plane.nextTags = other;
  other = plane.weights;
  plane.weights = plane.nextWeights;
  plane.nextWeights = other;
  other = plane.fresh;
  plane.fresh = plane.nextFresh;
  plane.nextFresh = other;
  return true;
}

function cutSlice(plane: Plane, i: i32, end: i32, to: i32): i32 {
  for (; i < end; i++) {
    const head = load<i32>(plane.heads + (<usize>i << 2));
    const first = to;
    put(plane, to++, load<u64>(nodeAt(plane, i)), tagOf(plane, i), head >= 0 || i >= plane.searched);
    if (head >= 0) to = putCuts(plane, i, head, to);
    if (plane.weighted) {
      for (let k = first; k < to; k++) store<i32>(plane.nextWeights + (<usize>k << 2), weightOf(plane, i));
    }
  }
  return to;
}

@inline function put(plane: Plane, to: i32, xy: u64, tag: u32, fresh: bool): void {
  store<u64>(plane.nextXy + (<usize>to << 3), xy);
  store<u32>(plane.nextTags + (<usize>to << 2), tag);
  store<u8>(plane.nextFresh + <usize>to, <u8>fresh);
}

/** The cuts of one edge, in the order in which it meets them: its x and its y never turn back. */
function putCuts(plane: Plane, edge: i32, head: i32, to: i32): i32 {
  const a = nodeAt(plane, edge);
  const left = load<i32>(a, 8) < load<i32>(a);
  const up = load<i32>(a, 12) < load<i32>(a, 4);
  let n = 0;
  for (let cut = head; cut >= 0; n++) {
    const at = plane.list + (<usize>cut << 4);
    const x = load<i32>(at);
    const y = load<i32>(at, 4);
    store<u64>(plane.sorted + (<usize>n << 3), (<u64>((left ? -x : x) + BIAS) << 32) | <u64>((up ? -y : y) + BIAS));
    cut = load<i32>(at, 8);
  }
  sortKeys(plane.sorted, n);
  const tag = tagOf(plane, edge);
  let before: u64 = 0;
  for (let k = 0; k < n; k++) {
    const key = load<u64>(plane.sorted + (<usize>k << 3));
    if (key == before) continue;
    before = key;
    const x = <i32>(key >> 32) - BIAS;
    const y = <i32>key - BIAS;
    put(plane, to++, (<u64><u32>(up ? -y : y) << 32) | <u64><u32>(left ? -x : x), tag, true);
  }
  return to;
}
