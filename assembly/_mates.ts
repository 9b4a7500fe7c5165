// Free ends of chains joined to those nearest to them, with a heap of nearest neighbours that may be stale.

import { allows, apart, Chains, joinEnds, wordAt } from "./_chains";
import { Grid, gridRoom, layGrid, switchOff } from "./_grid";
import { checkpoint, STOPPED } from "./control";

/** Bytes of an entry of the heap: f64 square of a distance, i32 end, i32 the end nearest to it. */
const ENTRY: usize = 16;

/** Bytes of scratch for `joinNear`. */
export function nearRoom(ends: i32): usize {
  return <usize>ends * ENTRY + gridRoom(ends, ends) + 8;
}

/** Joins the free ends on a list, nearest first; returns the joints, or STOPPED. */
export function joinNear(chains: Chains, list: usize, scratch: usize): i32 {
  const count = chains.free;
  const heap = (scratch + 7) & ~7;
  const grid = layGrid(heap + <usize>chains.paths * 2 * ENTRY, chains.at, list, count, chains.paths * 2, true);
  let size = 0;
  for (let i = 0; i < count; i++) {
    const end = wordAt(list, i);
    nearestMate(chains, grid, end);
    if (grid.found >= 0) size = push(heap, size, grid.best, end, grid.found);
    if ((i & 63) == 63 && checkpoint(3 * chains.paths + (end >> 1))) return STOPPED;
  }
  let joints = 0;
  for (let tries = 0; size > 0; tries++) {
    if ((tries & 63) == 63 && checkpoint(4 * chains.paths + joints)) return STOPPED;
    const end = load<i32>(heap, 8);
    const mate = load<i32>(heap, 12);
    size = pop(heap, size);
    if (!chains.isFree(end)) continue;
    if (chains.isFree(mate) && allows(chains, end, mate)) {
      joinEnds(chains, end, mate);
      switchOff(grid, end);
      switchOff(grid, mate);
      joints++;
    } else {
      nearestMate(chains, grid, end);
      if (grid.found >= 0) size = push(heap, size, grid.best, end, grid.found);
    }
  }
  return joints;
}

/** Finds the end nearest to an end among those that it may be joined to; of equally near ones the first. */
function nearestMate(chains: Chains, grid: Grid, end: i32): void {
  const at = chains.at + (<usize>end << 3);
  const x = load<f32>(at);
  const y = load<f32>(at, 4);
  const column = grid.column(x);
  const row = grid.row(y);
  const reach = max(max(column, grid.width - 1 - column), max(row, grid.height - 1 - row));
  grid.best = chains.square;
  grid.found = -1;
  for (let r = 0; r <= reach; r++) {
    for (let j = max(row - r, 0), last = min(row + r, grid.height - 1); j <= last; j++)
      matesInRow(chains, grid, end, j, column - r, column + r, j == row - r || j == row + r ? 1 : 2 * r);
    const seen = grid.seen(<f64>x, <f64>y, column, row, r);
    if (grid.best < seen * seen) break;
  }
}

function matesInRow(chains: Chains, grid: Grid, end: i32, row: i32, from: i32, to: i32, step: i32): void {
  const at = chains.at + (<usize>end << 3);
  for (let i = from; i <= to; i += step) {
    if (<u32>i >= <u32>grid.width) continue;
    const word = <usize>(row * grid.width + i) << 2;
    const stop = load<u32>(grid.lives + word);
    for (let slot = load<u32>(grid.starts + word); slot < stop; slot++) {
      const id = wordAt(grid.slots, slot);
      const square = apart(at, chains.at + (<usize>id << 3));
      if (square > grid.best || (square == grid.best && grid.found >= 0 && id > grid.found)) continue;
      if (id == end || !allows(chains, end, id)) continue;
      grid.best = square;
      grid.found = id;
    }
  }
}

@inline function before(heap: usize, a: i32, b: i32): bool {
  const p = heap + <usize>a * ENTRY;
  const q = heap + <usize>b * ENTRY;
  if (load<f64>(p) != load<f64>(q)) return load<f64>(p) < load<f64>(q);
  return load<i32>(p, 8) < load<i32>(q, 8);
}

@inline function exchange(heap: usize, a: i32, b: i32): void {
  const p = heap + <usize>a * ENTRY;
  const q = heap + <usize>b * ENTRY;
  const entry = v128.load(p);
  v128.store(p, v128.load(q));
  v128.store(q, entry);
}

function push(heap: usize, size: i32, square: f64, end: i32, mate: i32): i32 {
  const at = heap + <usize>size * ENTRY;
  store<f64>(at, square);
  store<i32>(at, end, 8);
  store<i32>(at, mate, 12);
  for (let i = size; i > 0; ) {
    const up = (i - 1) >> 1;
    if (!before(heap, i, up)) break;
    exchange(heap, i, up);
    i = up;
  }
  return size + 1;
}

function pop(heap: usize, size: i32): i32 {
  const left = size - 1;
  exchange(heap, 0, left);
  for (let i = 0; ; ) {
    let down = 2 * i + 1;
    if (down >= left) break;
    if (down + 1 < left && before(heap, down + 1, down)) down++;
    if (!before(heap, down, i)) break;
    exchange(heap, i, down);
    i = down;
  }
  return left;
}
