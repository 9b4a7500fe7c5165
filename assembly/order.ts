// Orders paths for little travel. An item is a path that has points; item i has the ends 2i (head) and 2i + 1 (tail). A
// tour holds, place by place, the end through which an item is entered; it is left through the other end. A closed item
// is entered and left at one vertex, which both its ends share. Item n is the head's own: end 2n is where the head
// starts, end 2n + 1 where it finishes. It stands at place 0 as entered through 2n + 1 and left through 2n.

import { STOPPED, checkpoint } from "./control";
import { Grid, gridRoom, layGrid, nearest, switchOff, switchOn } from "./_grid";

/** Steps between two checkpoints; each takes a few microseconds at most. */
const BATCH: i32 = 16;
/** Ranks of up to this many items are searched item by item: the grid would be all but empty. */
const FEW: i32 = 64;
/** In `pending`: the item has its place. */
const DONE: u32 = 0xffffffff;

/** Bytes of scratch for `nearestTour` and `nearEnds`: a grid of `count` points out of ids 0..ids-1. */
export function gridBytes(count: i32, ids: i32): i32 {
  return <i32>gridRoom(count, ids);
}

/**
 * Makes a tour by going to the nearest point again and again, among items that nothing has to precede any more. Closed
 * items are entered at their nearest vertex.
 *
 * xy          f32[2 * points], mm, finite
 * points      number of points
 * first       u32[n + 1], first point of each item; first[n] = points
 * closed      u8[n], 1 where an item's last point equals its first, or is its first
 * n           items
 * candidates  u32[count], the points at which items may be entered
 * count       >= n
 * owner       u32[points], the item of each point
 * flip        1: open items may be entered at their tails
 * starts      u32[n + 1]; item i must come before around[starts[i]..starts[i + 1]]
 * around      u32[starts[n]], as `nestItems` lists them
 * pending     u32[n], how many items must come before each; spoilt
 * ranks       u32[n]; an item must not come before one of a lower rank
 * ranked      u32[n], the items by rank; 0: all are of one rank, `ranks` is not read
 * ends        f32[4 * (n + 1)], x and y of each end; those of closed items are set here
 * entry       u32[n], set for closed items: the vertex at which they are entered
 * tour        i32[n + 1], written
 * grid        u8[gridBytes(count, points)], scratch
 * returns     n, or STOPPED
 * cost        O(points) expected for evenly spread points
 * source      nearest neighbour with deletion on buckets: Bentley, "Fast algorithms for geometric traveling salesman
 *             problems", 1992
 */
export function nearestTour(
  xy: usize, points: i32, first: usize, closed: usize, n: i32, candidates: usize, count: i32, owner: usize, flip: i32,
  starts: usize, around: usize, pending: usize, ranks: usize, ranked: usize, ends: usize, entry: usize, tour: usize, grid: usize,
): i32 {
  const cells = layGrid(grid, xy, candidates, count, points, false);
  store<i32>(tour, 2 * n + 1);
  const start = ends + (<usize>n << 4);
  let x = <f64>load<f32>(start);
  let y = <f64>load<f32>(start, 4);
  // the items of the rank that runs: ranked[low..high], all of them in the grid or none
  let low = 0;
  let high = 0;
  for (let place = 1; place <= n; place++) {
    if (place > high) {
      low = high;
      high = rankEnd(ranks, ranked, low, n);
      if (high - low > FEW) {
        for (let i = low; i < high; i++) {
          if ((i & 1023) == 1023 && checkpoint(place)) return STOPPED;
          const item = itemAt(ranked, i);
          if (word(pending, item) == 0) offer(cells, first, closed, item, flip, true);
        }
      }
    }
    const many = high - low > FEW;
    if ((!many || place % BATCH == 0) && checkpoint(place)) return STOPPED;
    const point = many ? nearest(cells, x, y) : nearestOf(xy, first, closed, flip, pending, ranked, low, high, x, y);
    const item = word(owner, point);
    if (many) offer(cells, first, closed, item, flip, false);
    store<u32>(pending + (<usize>item << 2), DONE);
    if (load<u8>(closed + item) != 0) {
      const both = load<u64>(xy + (<usize>point << 3));
      store<u64>(ends + (<usize>item << 4), both);
      store<u64>(ends + (<usize>item << 4), both, 8);
      store<u32>(entry + (<usize>item << 2), point);
    }
    const end = 2 * item + (load<u8>(closed + item) == 0 && point != word(first, item) ? 1 : 0);
    store<i32>(tour + (<usize>place << 2), end);
    const exit = ends + (<usize>(end ^ 1) << 3);
    x = load<f32>(exit);
    y = load<f32>(exit, 4);
    for (let k = word(starts, item), last = word(starts, item + 1); k < last; k++) {
      const later = word(around, k);
      const left = word(pending, later) - 1;
      store<u32>(pending + (<usize>later << 2), left);
      if (left == 0 && many) offer(cells, first, closed, later, flip, true);
    }
  }
  return n;
}

@inline function word(at: usize, i: i32): i32 {
  return load<i32>(at + (<usize>i << 2));
}

@inline function itemAt(ranked: usize, i: i32): i32 {
  return ranked == 0 ? i : word(ranked, i);
}

/** The last point at which an item may be entered: the tail of an open one, the last vertex of a closed one. */
@inline function lastEntry(first: usize, closed: usize, item: i32, flip: i32): i32 {
  const from = word(first, item);
  const last = word(first, item + 1) - 1;
  if (load<u8>(closed + item) != 0) return max(last - 1, from);
  return flip != 0 ? last : from;
}

/** Points from one such to the next. */
@inline function entryStep(first: usize, closed: usize, item: i32): i32 {
  return load<u8>(closed + item) != 0 ? 1 : word(first, item + 1) - 1 - word(first, item);
}

/** Where the items end that are of the same rank as item `from` of the list. */
function rankEnd(ranks: usize, ranked: usize, from: i32, n: i32): i32 {
  if (ranked == 0) return n;
  const rank = word(ranks, word(ranked, from));
  let to = from + 1;
  while (to < n && word(ranks, word(ranked, to)) == rank) to++;
  return to;
}

/** The nearest point at which one of a few items may be entered now. */
function nearestOf(
  xy: usize, first: usize, closed: usize, flip: i32, pending: usize, ranked: usize, low: i32, high: i32, x: f64, y: f64,
): i32 {
  let found = -1;
  let best: f64 = Infinity;
  for (let i = low; i < high; i++) {
    const item = itemAt(ranked, i);
    if (word(pending, item) != 0) continue;
    const to = lastEntry(first, closed, item, flip);
    const step = entryStep(first, closed, item);
    for (let point = word(first, item); point <= to; point += step) {
      const dx = <f64>load<f32>(xy + (<usize>point << 3)) - x;
      const dy = <f64>load<f32>(xy + (<usize>point << 3), 4) - y;
      const square = dx * dx + dy * dy;
      if (square >= best) continue;
      best = square;
      found = point;
    }
  }
  return found;
}

/** Switches the points on or off at which an item may be entered. */
function offer(grid: Grid, first: usize, closed: usize, item: i32, flip: i32, on: bool): void {
  const to = lastEntry(first, closed, item, flip);
  const step = entryStep(first, closed, item);
  for (let point = word(first, item); point <= to; point += step) {
    if (on) switchOn(grid, point);
    else switchOff(grid, point);
  }
}

/**
 * Lists the ends nearest to each end, nearest first, ends of the same item left out.
 *
 * ends     f32[2 * count], mm, finite
 * count    ends
 * k        neighbours wanted, 1..16
 * oneWay   1: only ends at which items are left for those at which they are entered, and the other way round
 * near     i32[count * k], written; -1 where there are fewer
 * grid     u8[gridBytes(count, count) + 8 * k], scratch
 * returns  count, or STOPPED
 * cost     O(count * k) expected for evenly spread ends
 * source   own
 */
export function nearEnds(ends: usize, count: i32, k: i32, oneWay: i32, near: usize, grid: usize): i32 {
  const squares = grid + ((gridRoom(count, count) + 7) & ~7);
  const cells = layGrid(grid, ends, 0, count, count, true);
  for (let end = 0; end < count; end++) {
    if (end % BATCH == 0 && checkpoint(end)) return STOPPED;
    nearEnd(cells, end, k, oneWay != 0 ? (count - 1) >> 1 : -1, near + ((<usize>end * <usize>k) << 2), squares);
  }
  return count;
}

/** `own` is the head's own item, whose ends are entered and left the other way round, or -1 where all ends count. */
function nearEnd(grid: Grid, end: i32, k: i32, own: i32, list: usize, squares: usize): void {
  const at = grid.xy + (<usize>end << 3);
  const x = <f64>load<f32>(at);
  const y = <f64>load<f32>(at, 4);
  const column = grid.column(<f32>x);
  const row = grid.row(<f32>y);
  const reach = max(max(column, grid.width - 1 - column), max(row, grid.height - 1 - row));
  let n = 0;
  for (let r = 0; r <= reach; r++) {
    const top = row - r;
    const bottom = row + r;
    for (let j = max(top, 0), last = min(bottom, grid.height - 1); j <= last; j++) {
      const step = j == top || j == bottom ? 1 : 2 * r;
      n = nearEndInRow(grid, j, column - r, column + r, step, x, y, end, own, n, k, list, squares);
    }
    const seen = grid.seen(x, y, column, row, r);
    if (n == k && load<f64>(squares + (<usize>(k - 1) << 3)) <= seen * seen) break;
  }
  for (; n < k; n++) store<i32>(list + (<usize>n << 2), -1);
}

@inline function enters(end: i32, own: i32): bool {
  return ((end & 1) == 0) != (end >> 1 == own);
}

/** Sorts the ends of a row of cells into the list of the nearest; returns how many the list holds. */
function nearEndInRow(
  grid: Grid, row: i32, from: i32, to: i32, step: i32, x: f64, y: f64, self: i32, own: i32, n: i32, k: i32, list: usize, squares: usize,
): i32 {
  const xy = grid.xy;
  for (let i = from; i <= to; i += step) {
    if (<u32>i >= <u32>grid.width) continue;
    const cell = <usize>(row * grid.width + i) << 2;
    for (let s = load<u32>(grid.starts + cell), last = load<u32>(grid.lives + cell); s < last; s++) {
      const id = load<i32>(grid.slots + (<usize>s << 2));
      if (id >> 1 == self >> 1 || (own >= 0 && enters(id, own) == enters(self, own))) continue;
      const at = xy + (<usize>id << 3);
      const dx = <f64>load<f32>(at) - x;
      const dy = <f64>load<f32>(at, 4) - y;
      const square = dx * dx + dy * dy;
      let p = n;
      if (n == k) {
        if (square >= load<f64>(squares + (<usize>(k - 1) << 3))) continue;
        p = k - 1;
      } else n++;
      for (; p > 0 && load<f64>(squares + (<usize>(p - 1) << 3)) > square; p--) {
        store<f64>(squares + (<usize>p << 3), load<f64>(squares + (<usize>(p - 1) << 3)));
        store<i32>(list + (<usize>p << 2), load<i32>(list + (<usize>(p - 1) << 2)));
      }
      store<f64>(squares + (<usize>p << 3), square);
      store<i32>(list + (<usize>p << 2), id);
    }
  }
  return n;
}
