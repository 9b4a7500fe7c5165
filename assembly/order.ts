// Orders paths for little travel. An item is a path that has points; item i has the ends 2i (head) and 2i + 1 (tail). A
// tour holds, place by place, the end through which an item is entered; it is left through the other end. A closed item
// is entered and left at one vertex, which both its ends share. Item n is the head's own: end 2n is where the head
// starts, end 2n + 1 where it finishes. It stands at place 0 as entered through 2n + 1 and left through 2n.

import { STOPPED, checkpoint } from "./control";
import { Grid, gridRoom, layGrid, nearest, switchOff, switchOn } from "./_grid";

/** Steps between two checkpoints; each takes a few microseconds at most. */
const BATCH: i32 = 16;

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
 * pending     u32[n], how many items must come before each; all 0 when done
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
  starts: usize, around: usize, pending: usize, ends: usize, entry: usize, tour: usize, grid: usize,
): i32 {
  const cells = layGrid(grid, xy, candidates, count, points, false);
  for (let i = 0; i < n; i++) {
    if (word(pending, i) == 0) offer(cells, first, closed, i, flip, true);
  }
  store<i32>(tour, 2 * n + 1);
  const start = ends + (<usize>n << 4);
  let x = <f64>load<f32>(start);
  let y = <f64>load<f32>(start, 4);
  for (let place = 1; place <= n; place++) {
    if (place % BATCH == 0 && checkpoint(place)) return STOPPED;
    const point = nearest(cells, x, y);
    const item = word(owner, point);
    offer(cells, first, closed, item, flip, false);
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
      if (left == 0) offer(cells, first, closed, later, flip, true);
    }
  }
  return n;
}

@inline function word(at: usize, i: i32): i32 {
  return load<i32>(at + (<usize>i << 2));
}

/** Switches the points on or off at which an item may be entered. */
function offer(grid: Grid, first: usize, closed: usize, item: i32, flip: i32, on: bool): void {
  const from = word(first, item);
  const last = word(first, item + 1) - 1;
  let step = 1;
  let to = max(last - 1, from);
  if (load<u8>(closed + item) == 0) {
    step = last - from;
    to = flip != 0 ? last : from;
  }
  for (let point = from; point <= to; point += step) {
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
 * near     i32[count * k], written; -1 where there are fewer
 * grid     u8[gridBytes(count, count) + 8 * k], scratch
 * returns  count, or STOPPED
 * cost     O(count * k) expected for evenly spread ends
 * source   own
 */
export function nearEnds(ends: usize, count: i32, k: i32, near: usize, grid: usize): i32 {
  const squares = grid + ((gridRoom(count, count) + 7) & ~7);
  const cells = layGrid(grid, ends, 0, count, count, true);
  for (let end = 0; end < count; end++) {
    if (end % BATCH == 0 && checkpoint(end)) return STOPPED;
    nearEnd(cells, end, k, near + ((<usize>end * <usize>k) << 2), squares);
  }
  return count;
}

function nearEnd(grid: Grid, end: i32, k: i32, list: usize, squares: usize): void {
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
      n = nearEndInRow(grid, j, column - r, column + r, step, x, y, end, n, k, list, squares);
    }
    const seen = grid.seen(x, y, column, row, r);
    if (n == k && load<f64>(squares + (<usize>(k - 1) << 3)) <= seen * seen) break;
  }
  for (; n < k; n++) store<i32>(list + (<usize>n << 2), -1);
}

/** Sorts the ends of a row of cells into the list of the nearest; returns how many the list holds. */
function nearEndInRow(
  grid: Grid, row: i32, from: i32, to: i32, step: i32, x: f64, y: f64, self: i32, n: i32, k: i32, list: usize, squares: usize,
): i32 {
  const xy = grid.xy;
  for (let i = from; i <= to; i += step) {
    if (<u32>i >= <u32>grid.width) continue;
    const cell = <usize>(row * grid.width + i) << 2;
    for (let s = load<u32>(grid.starts + cell), last = load<u32>(grid.lives + cell); s < last; s++) {
      const id = load<i32>(grid.slots + (<usize>s << 2));
      if (id >> 1 == self >> 1) continue;
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

/**
 * Moves the entry of each closed item to the vertex that makes the way from the item before to the item after shortest.
 * One pass in the tour's order; the way never grows, and another pass may shorten it again.
 *
 * xy, first, closed, n, ends, entry, tour   as in `nearestTour`; ends and entry of closed items change
 * free     1: the head may finish anywhere
 * returns  n, or STOPPED
 * cost     O(points)
 * source   own
 */
export function chooseEntries(
  xy: usize, first: usize, closed: usize, n: i32, ends: usize, entry: usize, tour: usize, free: i32,
): i32 {
  for (let place = 1; place <= n; place++) {
    if (place % BATCH == 0 && checkpoint(place)) return STOPPED;
    const item = word(tour, place) >> 1;
    if (load<u8>(closed + item) == 0) continue;
    const from = ends + (<usize>(word(tour, place - 1) ^ 1) << 3);
    const next = place < n ? word(tour, place + 1) : 2 * n + 1;
    const to = place == n && free != 0 ? from : ends + (<usize>next << 3);
    const point = closestBetween(xy, word(first, item), max(word(first, item + 1) - 1, word(first, item) + 1), word(entry, item), from, to);
    const both = load<u64>(xy + (<usize>point << 3));
    store<u64>(ends + (<usize>item << 4), both);
    store<u64>(ends + (<usize>item << 4), both, 8);
    store<u32>(entry + (<usize>item << 2), point);
  }
  return n;
}

/** The vertex with the shortest way from one place over it to another; `current` unless another is shorter. */
function closestBetween(xy: usize, first: i32, end: i32, current: i32, from: usize, to: usize): i32 {
  const ax = <f64>load<f32>(from);
  const ay = <f64>load<f32>(from, 4);
  const bx = <f64>load<f32>(to);
  const by = <f64>load<f32>(to, 4);
  let point = current;
  let best = way(xy, current, ax, ay, bx, by) * (1 - 1e-12);
  for (let i = first; i < end; i++) {
    const length = way(xy, i, ax, ay, bx, by);
    if (length < best) {
      best = length;
      point = i;
    }
  }
  return point;
}

@inline function way(xy: usize, point: i32, ax: f64, ay: f64, bx: f64, by: f64): f64 {
  const x = <f64>load<f32>(xy + (<usize>point << 3));
  const y = <f64>load<f32>(xy + (<usize>point << 3), 4);
  return Math.sqrt((x - ax) * (x - ax) + (y - ay) * (y - ay)) + Math.sqrt((x - bx) * (x - bx) + (y - by) * (y - by));
}
