// Windings of edges that have no more than ends in common, and the borders of what they enclose. A line sweeps down the
// nodes by y, then x, and holds the edges that it meets from left to right; each knows the windings to its right.
import { isFew, sortHigh, sortKeys } from "./_keys";
import { GAP, nodeAt, Plane, SECOND, tagOf, turn, weightOf } from "./_plane";
import { LOOK, tick, Watch } from "./_watch";

/** How a winding tells inside from outside. */
const EVEN_ODD: i32 = 0;
const NON_ZERO: i32 = 1;
/** Bytes of an edge that the line meets: both ends, windings of both sets to its right, number of its border or -1, whether ink is to its right. */
export const MET: usize = 32;
/** Bytes of an edge that begins at the node of the moment: its end, windings of both sets, tag. */
export const BEGUN: usize = 24;
/** Bytes of a border: the node where it starts, with the ink to its right as seen on the screen, the next border, tag, number of that node if rings touch there, else -1. */
export const BORDER: usize = 20;
const SLICE: i32 = 8192;

@unmanaged
export class Sweep {
  plane: Plane;
  /** How windings become inside: 0 odd, 1 not zero, 2 positive. */
  rule: i32;
  /** Bit (inside the first set) + 2 * (inside the second): whether there is ink. */
  table: i32;
  /** u64[room] twice, and the digit counts: nodes by place. */
  keys: usize;
  spare: usize;
  counts: usize;
  /** MET[room], and the free ones of them as a list. */
  met: usize;
  free: i32;
  used: i32;
  /** i32[room], those on the line. */
  line: usize;
  width: i32;
  /** BEGUN[room], i32[room] numbers of those that came on the line, i32[2 * room] the borders around a node. */
  begun: usize;
  came: usize;
  around: usize;
  /** BORDER[room]. */
  borders: usize;
  bordered: i32;
  /** Nodes where rings touch. */
  touched: i32;
}

@inline export function isInk(rule: i32, table: i32, first: i32, second: i32): bool {
  return ((table >> (<i32>isInside(rule, first) | (<i32>isInside(rule, second) << 1))) & 1) != 0;
}

@inline function isInside(rule: i32, winding: i32): bool {
  if (rule == EVEN_ODD) return (winding & 1) != 0;
  return rule == NON_ZERO ? winding != 0 : winding > 0;
}

/** Fills `borders`. False when `watch` has stopped. */
export function sweep(s: Sweep, watch: Watch): bool {
  const plane = s.plane;
  s.free = -1;
  s.used = s.width = s.bordered = s.touched = 0;
  const keys = sortNodes(s, watch);
  if (watch.stopped) return false;
  for (let i = 0, looked = 0; i < plane.count; ) {
    const xy = load<u64>(nodeAt(plane, numberOf(keys, i)));
    let end = i + 1;
    while (end < plane.count && load<u64>(nodeAt(plane, numberOf(keys, end))) == xy) end++;
    pass(s, keys, i, end);
    i = end;
    if (i - looked > LOOK) {
      looked = i;
      if (tick(watch)) return false;
    }
  }
  return true;
}

@inline function numberOf(keys: usize, i: i32): i32 {
  return <i32>load<u32>(keys + (<usize>i << 3));
}

/** Numbers of all nodes, in the low halves of keys, by y, then x. */
function sortNodes(s: Sweep, watch: Watch): usize {
  const plane = s.plane;
  const n = plane.count;
  let minX = i32.MAX_VALUE;
  let minY = i32.MAX_VALUE;
  let maxX = i32.MIN_VALUE;
  let maxY = i32.MIN_VALUE;
  for (let i = 0; i < n; i++) {
    const x = load<i32>(nodeAt(plane, i));
    const y = load<i32>(nodeAt(plane, i), 4);
    minX = min(minX, x);
    maxX = max(maxX, x);
    minY = min(minY, y);
    maxY = max(maxY, y);
  }
  if (isFew(n)) {
    layKeys(plane, 0, 0, n, s.keys, minY, 4);
    sortKeys(s.keys, n);
    sortWithinRows(plane, s.keys, n);
    return s.keys;
  }
  for (let i = 0; i < n; i += SLICE) {
    layKeys(plane, 0, i, min(n, i + SLICE), s.keys, minX, 0);
    if (tick(watch)) return s.keys;
  }
  const keys = sortHigh(s.keys, s.spare, n, bitsOf(maxX - minX), s.counts, watch);
  const other = keys == s.keys ? s.spare : s.keys;
  for (let i = 0; i < n; i += SLICE) {
    layKeys(plane, keys, i, min(n, i + SLICE), keys, minY, 4);
    if (tick(watch)) return keys;
  }
  return sortHigh(keys, other, n, bitsOf(maxY - minY), s.counts, watch);
}

@inline function bitsOf(value: i32): i32 {
  return max(1, 32 - clz(value));
}

/** Keys of x or y of nodes, all of them in turn or as numbered by `order`. */
function layKeys(plane: Plane, order: usize, i: i32, end: i32, keys: usize, least: i32, offset: usize): void {
  for (; i < end; i++) {
    const node = order == 0 ? i : numberOf(order, i);
    const key = load<i32>(nodeAt(plane, node) + offset) - least;
    store<u64>(keys + (<usize>i << 3), (<u64><u32>key << 32) | <u64>node);
  }
}

/** Sorts nodes of one y by x, of few. */
function sortWithinRows(plane: Plane, keys: usize, n: i32): void {
  for (let i = 1; i < n; i++) {
    const key = load<u64>(keys + (<usize>i << 3));
    const x = load<i32>(nodeAt(plane, <i32>key));
    let k = i;
    for (; k > 0; k--) {
      const before = load<u64>(keys + (<usize>(k - 1) << 3));
      if (before >> 32 != key >> 32 || load<i32>(nodeAt(plane, <i32>before)) <= x) break;
      store<u64>(keys + (<usize>k << 3), before);
    }
    store<u64>(keys + (<usize>k << 3), key);
  }
}

/** Takes the edges that end at a node off the line, and those that begin there on it; links their borders. */
function pass(s: Sweep, keys: usize, i: i32, end: i32): void {
  const at = nodeAt(s.plane, numberOf(keys, i));
  const x = load<i32>(at);
  const y = load<i32>(at, 4);
  let begun = 0;
  for (let k = i; k < end; k++) begun = gather(s, numberOf(keys, k), x, y, begun);
  // where all edges were merged away, others may pass by
  if (begun == 0 && s.plane.weighted && !haveEdges(s.plane, keys, i, end)) return;
  if (begun > 1) begun = settle(s, begun, x, y);
  const from = firstFrom(s, x, y);
  let to = from;
  while (to < s.width && side(metAt(s, to), x, y) == 0) to++;
  let first = 0;
  let second = 0;
  if (from > 0) {
    first = load<i32>(metAt(s, from - 1), 16);
    second = load<i32>(metAt(s, from - 1), 20);
  }
  let came = 0;
  let around = 0;
  let ink = isInk(s.rule, s.table, first, second);
  for (let k = 0; k < begun; k++) {
    const edge = s.begun + <usize>k * BEGUN;
    const one = load<i32>(edge, 8);
    const two = load<i32>(edge, 12);
    if (one == 0 && two == 0) continue;
    first += one;
    second += two;
    const next = isInk(s.rule, s.table, first, second);
    const met = take(s);
    const own = s.met + <usize>met * MET;
    store<u64>(own, load<u64>(at));
    store<u64>(own, load<u64>(edge), 8);
    store<i32>(own, first, 16);
    store<i32>(own, second, 20);
    store<i32>(own, -1, 24);
    if (next != ink) {
      const border = addBorder(s, next ? load<u64>(edge) : load<u64>(at), load<u32>(edge, 16));
      store<i32>(own, border, 24);
      store<i32>(own, <i32>next, 28);
      store<i32>(s.around + (<usize>(around++) << 2), (border << 1) | <i32>next);
    }
    ink = next;
    store<i32>(s.came + (<usize>(came++) << 2), met);
  }
  for (let k = to - 1; k >= from; k--) {
    const met = metAt(s, k);
    const border = load<i32>(met, 24);
    if (border >= 0) store<i32>(s.around + (<usize>(around++) << 2), (border << 1) | (load<i32>(met, 28) ^ 1));
    give(s, load<i32>(s.line + (<usize>k << 2)));
  }
  const line = s.line + (<usize>from << 2);
  if (came != to - from)
    memory.copy(line + (<usize>came << 2), s.line + (<usize>to << 2), <usize>(s.width - to) << 2);
  if (came > 0) memory.copy(line, s.came, <usize>came << 2);
  s.width += came - (to - from);
  if (around > 0) link(s, around);
}

function haveEdges(plane: Plane, keys: usize, i: i32, end: i32): bool {
  for (; i < end; i++) {
    const node = numberOf(keys, i);
    if (tagOf(plane, node) != GAP || (node > 0 && tagOf(plane, node - 1) != GAP)) return true;
  }
  return false;
}

/** Lists the edges of a node that lead on from it: those to a node that comes later. */
function gather(s: Sweep, node: i32, x: i32, y: i32, begun: i32): i32 {
  const plane = s.plane;
  const at = nodeAt(plane, node);
  const tag = tagOf(plane, node);
  // what goes up has less to its left
  if (tag != GAP && isLater(at + 8, x, y)) begun = begin(s, begun, at + 8, -weightOf(plane, node), tag);
  if (node > 0) {
    const before = tagOf(plane, node - 1);
    if (before != GAP && isLater(at - 8, x, y)) begun = begin(s, begun, at - 8, weightOf(plane, node - 1), before);
  }
  return begun;
}

@inline function isLater(at: usize, x: i32, y: i32): bool {
  const otherY = load<i32>(at, 4);
  return otherY > y || (otherY == y && load<i32>(at) > x);
}

@inline function begin(s: Sweep, begun: i32, end: usize, winding: i32, tag: u32): i32 {
  const to = s.begun + <usize>begun * BEGUN;
  const isSecond = (tag & SECOND) != 0;
  store<u64>(to, load<u64>(end));
  store<i32>(to, isSecond ? 0 : winding, 8);
  store<i32>(to, isSecond ? winding : 0, 12);
  store<u32>(to, tag & ~SECOND, 16);
  return begun + 1;
}

/** Sorts edges that begin at a node from left to right, and makes one of those that are the same; returns how many are left. */
function settle(s: Sweep, n: i32, x: i32, y: i32): i32 {
  let gap = 1;
  while (gap < n / 3) gap = 3 * gap + 1;
  for (; gap > 0; gap /= 3) {
    for (let i = gap; i < n; i++) {
      const at = s.begun + <usize>i * BEGUN;
      const end = load<u64>(at);
      const windings = load<u64>(at, 8);
      const tag = load<u64>(at, 16);
      let k = i;
      for (; k >= gap; k -= gap) {
        const before = s.begun + <usize>(k - gap) * BEGUN;
        const t = turn(x, y, load<i32>(before), load<i32>(before, 4), <i32>end, <i32>(end >> 32));
        // of the same ones the least tag comes first
        if (t < 0 || (t == 0 && load<u32>(before, 16) <= <u32>tag)) break;
        const to = s.begun + <usize>k * BEGUN;
        store<u64>(to, load<u64>(before));
        store<u64>(to, load<u64>(before, 8), 8);
        store<u64>(to, load<u64>(before, 16), 16);
      }
      const to = s.begun + <usize>k * BEGUN;
      store<u64>(to, end);
      store<u64>(to, windings, 8);
      store<u64>(to, tag, 16);
    }
  }
  let kept = 0;
  for (let i = 1; i < n; i++) {
    const to = s.begun + <usize>kept * BEGUN;
    const at = s.begun + <usize>i * BEGUN;
    if (load<u64>(at) == load<u64>(to)) {
      store<i32>(to, load<i32>(to, 8) + load<i32>(at, 8), 8);
      store<i32>(to, load<i32>(to, 12) + load<i32>(at, 12), 12);
    } else if (++kept != i) memory.copy(s.begun + <usize>kept * BEGUN, at, BEGUN);
  }
  return kept + 1;
}

@inline function metAt(s: Sweep, place: i32): usize {
  return s.met + <usize>load<i32>(s.line + (<usize>place << 2)) * MET;
}

/** Negative when a place is right of an edge on the line. */
@inline function side(met: usize, x: i32, y: i32): i64 {
  return turn(load<i32>(met), load<i32>(met, 4), load<i32>(met, 8), load<i32>(met, 12), x, y);
}

/** The first on the line that a place is not right of. */
function firstFrom(s: Sweep, x: i32, y: i32): i32 {
  let low = 0;
  let high = s.width;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (side(metAt(s, middle), x, y) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

@inline function take(s: Sweep): i32 {
  const free = s.free;
  if (free < 0) return s.used++;
  s.free = load<i32>(s.met + <usize>free * MET);
  return free;
}

@inline function give(s: Sweep, met: i32): void {
  store<i32>(s.met + <usize>met * MET, s.free);
  s.free = met;
}

@inline function addBorder(s: Sweep, start: u64, tag: u32): i32 {
  const at = s.borders + <usize>s.bordered * BORDER;
  store<u64>(at, start);
  store<u32>(at, tag, 12);
  store<i32>(at, -1, 16);
  return s.bordered++;
}

/**
 * Links the borders around a node, given clockwise as seen from it: (number << 1) | 1 for those that come in. Behind one
 * that comes in is ink, and then one that goes out.
 */
function link(s: Sweep, n: i32): void {
  const touch = n > 2 ? s.touched++ : -1;
  let next = load<i32>(s.around);
  for (let k = n - 1; k >= 0; k--) {
    const own = load<i32>(s.around + (<usize>k << 2));
    if ((own & 1) != 0) store<i32>(s.borders + <usize>(own >> 1) * BORDER, next >> 1, 8);
    else store<i32>(s.borders + <usize>(own >> 1) * BORDER, touch, 16);
    next = own;
  }
}
