// Which items lie inside which closed items; `order.ts` says what items are. Item a lies inside item b when b is closed,
// a's box lies in b's box, and the middle of a's middle segment lies in b by the even-odd rule. Of two items with equal
// boxes only the later can lie inside the earlier.

import { NO_ROOM, STOPPED, checkpoint } from "./control";

@unmanaged
class Bands {
  n: i32;
  count: i32;
  y0: f64;
  height: f64;
  xy: usize;
  first: usize;
  owner: usize;
  boxes: usize;
  /** u32[count + 1], first edge of each band; an edge is the number of its first point. */
  starts: usize;
  edges: usize;
  /** u32[n], p + 1 where item p was seen to cross an odd number of edges of this item. */
  odd: usize;
  /** u32[n], p + 1 where the search for p has met this item. */
  met: usize;
  /** u32[n], the items met. */
  list: usize;
}

/** Bytes of scratch for `nestItems`. */
export function nestBytes(n: i32, points: i32): i32 {
  return <i32>offsetof<Bands>() + ((n * 10 + points * 4 + 4) << 2);
}

/**
 * Lists for each item the closed items that it lies in: the smallest, and those that the smallest does not lie in by way
 * of its own smallest and so on, which exist only where outlines cross.
 *
 * xy        f32[2 * points], mm, finite
 * points    number of points
 * first     u32[n + 1], first point of each item; first[n] = points
 * closed    u8[n]
 * n         items
 * owner     u32[points], the item of each point
 * starts    u32[n + 1], written: item i lies in around[starts[i]..starts[i + 1]]
 * around    u32[room], written
 * room      >= n
 * scratch   u8[nestBytes(n, points)]; 8-byte aligned
 * returns   entries of `around`; NO_ROOM, STOPPED. Progress counts to 2 * n
 * cost      O(points + hits), hits = edges crossed by level lines through every item: slow only for thousands of items
 *           inside one another
 * source    own; even-odd rule on edges in level bands
 */
export function nestItems(
  xy: usize, points: i32, first: usize, closed: usize, n: i32, owner: usize, starts: usize, around: usize, room: i32, scratch: usize,
): i32 {
  const bands = openBands(xy, points, first, closed, n, owner, scratch);
  const parents = bands.list + (<usize>n << 2);
  const sums = parents + (<usize>n << 2);

  // first the smallest item around each, and a sum over all items around it
  for (let i = 0; i < n; i++) {
    if (checkpoint(i)) return STOPPED;
    const met = meet(bands, i, i + 1);
    store<i32>(parents + (<usize>i << 2), smallestAround(bands, i, met, sums + (<usize>i << 3)));
  }

  let total = 0;
  for (let i = 0; i < n; i++) {
    if (checkpoint(n + i)) return STOPPED;
    const parent = word(parents, i);
    store<i32>(starts + (<usize>i << 2), total);
    if (parent < 0) continue;
    if (total == room) return NO_ROOM;
    store<i32>(around + (<usize>total << 2), parent);
    total++;
    // where the sums of keys agree, i lies in just its parent and what that lies in; they agree by chance once in 2^64
    if (load<u64>(sums + (<usize>i << 3)) == (load<u64>(sums + (<usize>parent << 3)) ^ keyOf(parent))) continue;
    const met = meet(bands, i, n + i + 1);
    total = listOthers(bands, i, met, parents, around, total, room);
    if (total == NO_ROOM) return NO_ROOM;
  }
  store<i32>(starts + (<usize>n << 2), total);
  return total;
}

@inline function word(at: usize, i: i32): i32 {
  return load<i32>(at + (<usize>i << 2));
}

/** The smallest item around an item, or -1; writes the sum of the keys of all. */
function smallestAround(bands: Bands, item: i32, met: i32, sum: usize): i32 {
  let keys: u64 = 0;
  let parent = -1;
  for (let k = 0; k < met; k++) {
    const other = word(bands.list, k);
    if (word(bands.odd, other) != item + 1 || !holds(bands, other, item)) continue;
    keys ^= keyOf(other);
    if (parent < 0 || holds(bands, parent, other) || (!holds(bands, other, parent) && area(bands, other) < area(bands, parent)))
      parent = other;
  }
  store<u64>(sum, keys);
  return parent;
}

/** Lists the items around an item that its parent, the parent's parent and so on do not reach. */
function listOthers(bands: Bands, item: i32, met: i32, parents: usize, around: usize, total: i32, room: i32): i32 {
  for (let other = word(parents, item); other >= 0; other = word(parents, other)) store<i32>(bands.odd + (<usize>other << 2), 0);
  for (let k = 0; k < met; k++) {
    const other = word(bands.list, k);
    if (word(bands.odd, other) != bands.n + item + 1 || !holds(bands, other, item)) continue;
    if (total == room) return NO_ROOM;
    store<i32>(around + (<usize>total << 2), other);
    total++;
  }
  return total;
}

/** A number that looks random, for sums that tell sets apart: the finalizer of SplitMix64. */
@inline function keyOf(item: i32): u64 {
  let key = (<u64>item + 1) * 0x9e3779b97f4a7c15;
  key = (key ^ (key >> 30)) * 0xbf58476d1ce4e5b9;
  key = (key ^ (key >> 27)) * 0x94d049bb133111eb;
  return key ^ (key >> 31);
}

function layBoxes(bands: Bands): void {
  for (let i = 0; i < bands.n; i++) {
    let x0 = f32.MAX_VALUE;
    let y0 = f32.MAX_VALUE;
    let x1 = -f32.MAX_VALUE;
    let y1 = -f32.MAX_VALUE;
    for (let p = word(bands.first, i), end = word(bands.first, i + 1); p < end; p++) {
      const at = bands.xy + (<usize>p << 3);
      x0 = min(x0, load<f32>(at));
      x1 = max(x1, load<f32>(at));
      y0 = min(y0, load<f32>(at, 4));
      y1 = max(y1, load<f32>(at, 4));
    }
    const box = bands.boxes + (<usize>i << 4);
    store<f32>(box, x0);
    store<f32>(box, y0, 4);
    store<f32>(box, x1, 8);
    store<f32>(box, y1, 12);
  }
}

/** True when the box of `outer` holds that of `inner`; of equal boxes the first holds the later. */
function holds(bands: Bands, outer: i32, inner: i32): bool {
  const a = bands.boxes + (<usize>outer << 4);
  const b = bands.boxes + (<usize>inner << 4);
  if (load<f32>(a) > load<f32>(b) || load<f32>(a, 4) > load<f32>(b, 4)) return false;
  if (load<f32>(a, 8) < load<f32>(b, 8) || load<f32>(a, 12) < load<f32>(b, 12)) return false;
  if (load<u64>(a) == load<u64>(b) && load<u64>(a, 8) == load<u64>(b, 8)) return outer < inner;
  return true;
}

function area(bands: Bands, item: i32): f64 {
  const box = bands.boxes + (<usize>item << 4);
  return (<f64>load<f32>(box, 8) - <f64>load<f32>(box)) * (<f64>load<f32>(box, 12) - <f64>load<f32>(box, 4));
}

/** Sorts the edges of closed items into level bands, as many as give at most 4 entries an edge. */
function layBands(bands: Bands, closed: usize, points: i32): void {
  let low: f64 = Infinity;
  let high: f64 = -Infinity;
  let climb: f64 = 0;
  let edges = 0;
  for (let i = 0; i < bands.n; i++) {
    if (load<u8>(closed + i) == 0) continue;
    for (let p = word(bands.first, i), last = word(bands.first, i + 1) - 1; p < last; p++) {
      const y = <f64>load<f32>(bands.xy + (<usize>p << 3), 4);
      low = min(low, y);
      high = max(high, y);
      climb += abs(<f64>load<f32>(bands.xy + (<usize>p << 3), 12) - y);
      edges++;
    }
  }
  const span = high - low;
  bands.count = climb > 0 ? <i32>min(<f64>edges, max(1, (<f64>edges * span) / climb)) : 1;
  bands.y0 = edges > 0 ? low : 0;
  bands.height = span > 0 ? span / <f64>bands.count : 1;
  bands.edges = bands.starts + ((<usize>bands.count + 2) << 2);

  // count, sum up, place; the starts stand one band late while edges are placed
  const starts = bands.starts;
  memory.fill(starts, 0, (<usize>bands.count + 2) << 2);
  for (let pass = 0; pass < 2; pass++) {
    for (let i = 0; i < bands.n; i++) {
      if (load<u8>(closed + i) == 0) continue;
      for (let p = word(bands.first, i), last = word(bands.first, i + 1) - 1; p < last; p++) {
        const y = load<f32>(bands.xy + (<usize>p << 3), 4);
        const next = load<f32>(bands.xy + (<usize>p << 3), 12);
        // a level edge meets no level line
        if (y == next) continue;
        for (let b = bandOf(bands, min(y, next)), end = bandOf(bands, max(y, next)); b <= end; b++) {
          if (pass == 0) {
            const at = starts + (<usize>(b + 2) << 2);
            store<u32>(at, load<u32>(at) + 1);
          } else {
            const at = starts + (<usize>(b + 1) << 2);
            const slot = load<u32>(at);
            store<u32>(at, slot + 1);
            store<i32>(bands.edges + (<usize>slot << 2), p);
          }
        }
      }
    }
    if (pass == 0) {
      for (let b = 1; b <= bands.count + 1; b++) {
        const at = starts + (<usize>b << 2);
        store<u32>(at, load<u32>(at) + load<u32>(at - 4));
      }
    }
  }
}

@inline function bandOf(bands: Bands, y: f64): i32 {
  return min(max(<i32>((y - bands.y0) / bands.height), 0), bands.count - 1);
}

/** Marks the items of which a level line from the left to the middle of `item` crosses an odd number of edges. */
function meet(bands: Bands, item: i32, mark: i32): i32 {
  const from = word(bands.first, item);
  const last = word(bands.first, item + 1) - 1;
  const a = bands.xy + (<usize>(from + ((last - from) >> 1)) << 3);
  const b = from == last ? a : a + 8;
  const x = (<f64>load<f32>(a) + <f64>load<f32>(b)) / 2;
  const y = (<f64>load<f32>(a, 4) + <f64>load<f32>(b, 4)) / 2;
  const band = bandOf(bands, y);
  return meetInBand(bands, word(bands.starts, band), word(bands.starts, band + 1), x, y, item, mark);
}

function meetInBand(bands: Bands, slot: i32, end: i32, x: f64, y: f64, item: i32, mark: i32): i32 {
  let met = 0;
  for (; slot < end; slot++) {
    const point = word(bands.edges, slot);
    const at = bands.xy + (<usize>point << 3);
    const y0 = <f64>load<f32>(at, 4);
    const y1 = <f64>load<f32>(at, 12);
    if ((y0 > y) == (y1 > y)) continue;
    const x0 = <f64>load<f32>(at);
    if (x0 + ((y - y0) / (y1 - y0)) * (<f64>load<f32>(at, 8) - x0) >= x) continue;
    const other = word(bands.owner, point);
    if (other == item) continue;
    const odd = bands.odd + (<usize>other << 2);
    if (word(bands.met, other) != mark) {
      store<i32>(bands.met + (<usize>other << 2), mark);
      store<i32>(bands.list + (<usize>met << 2), other);
      met++;
      store<i32>(odd, mark);
    } else store<i32>(odd, word(bands.odd, other) == mark ? 0 : mark);
  }
  return met;
}

/**
 * Counts the closed items around each item, and finds the smallest of them.
 *
 * xy, points, first, closed, n, owner, scratch   as for `nestItems`
 * depths    u16[n], written; 65535 stands for more too
 * parents   i32[n], written: an item, or -1
 * returns   0, or STOPPED; reports items
 * cost      as the first half of `nestItems`
 * source    own; even-odd rule on edges in level bands
 */
export function nestDepths(
  xy: usize, points: i32, first: usize, closed: usize, n: i32, owner: usize, depths: usize, parents: usize, scratch: usize,
): i32 {
  const bands = openBands(xy, points, first, closed, n, owner, scratch);
  const sum = bands.list + (<usize>n << 2);
  for (let i = 0; i < n; i++) {
    if (checkpoint(i)) return STOPPED;
    const met = meet(bands, i, i + 1);
    store<i32>(parents + (<usize>i << 2), smallestAround(bands, i, met, sum));
    let depth = 0;
    for (let k = 0; k < met; k++) {
      const other = word(bands.list, k);
      if (word(bands.odd, other) == i + 1 && holds(bands, other, i)) depth++;
    }
    store<u16>(depths + (<usize>i << 1), <u16>min(depth, 65535));
  }
  return 0;
}

/** Lays the record, the boxes and the bands. */
function openBands(xy: usize, points: i32, first: usize, closed: usize, n: i32, owner: usize, scratch: usize): Bands {
  const bands = changetype<Bands>(scratch);
  bands.n = n;
  bands.xy = xy;
  bands.first = first;
  bands.owner = owner;
  bands.boxes = scratch + offsetof<Bands>();
  bands.odd = bands.boxes + (<usize>n << 4);
  bands.met = bands.odd + (<usize>n << 2);
  bands.list = bands.met + (<usize>n << 2);
  // behind the list there is room for `nestItems`: a parent and a sum for each item
  bands.starts = bands.list + (<usize>n << 4);
  memory.fill(bands.odd, 0, <usize>n << 3);
  layBoxes(bands);
  layBands(bands, closed, points);
  return bands;
}
