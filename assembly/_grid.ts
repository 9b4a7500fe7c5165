// A bucket grid over points: about two points a cell, cells in rows. Points can be switched on and off; a search sees
// the ones that are on. Used by the kernels that order paths.

/** Grid in memory: this record, then its four lists. */
@unmanaged
export class Grid {
  x0: f64;
  y0: f64;
  /** Side of a cell, mm. */
  cell: f64;
  /** Square of the distance to the nearest point of the running search. */
  best: f64;
  /** That point, or -1. */
  found: i32;
  width: i32;
  height: i32;
  /** f32[2 * ids], x and y of each point. */
  xy: usize;
  /** u32[cells + 1], first slot of each cell. */
  starts: usize;
  /** u32[cells], end of the slots of each cell whose points are on. */
  lives: usize;
  /** u32[count], points by cell. */
  slots: usize;
  /** u32[ids], slot of each point. */
  places: usize;

  @inline column(x: f64): i32 {
    return min(max(<i32>((x - this.x0) / this.cell), 0), this.width - 1);
  }

  @inline row(y: f64): i32 {
    return min(max(<i32>((y - this.y0) / this.cell), 0), this.height - 1);
  }

  @inline cellOf(id: i32): i32 {
    const at = this.xy + (<usize>id << 3);
    return this.row(load<f32>(at, 4)) * this.width + this.column(load<f32>(at));
  }
}

@inline function cellsFor(count: i32): i32 {
  return max(count >> 1, 1);
}

/** Bytes that `layGrid` needs for `count` points out of ids 0..ids-1; a grid has at most 3 * (count / 2) + 1 cells. */
export function gridRoom(count: i32, ids: i32): usize {
  const cells = <usize>cellsFor(count) * 3 + 2;
  return offsetof<Grid>() + ((2 * cells + <usize>count + <usize>ids) << 2);
}

/**
 * Lays a grid over points, all of them off or all of them on.
 *
 * at       u8[gridRoom(count, ids)], the grid; 8-byte aligned
 * xy       f32[2 * ids], mm, finite; kept by address
 * list     u32[count] ids, or 0 for the ids 0..count-1
 * cost     O(count), two passes over the points
 */
export function layGrid(at: usize, xy: usize, list: usize, count: i32, ids: i32, on: bool): Grid {
  const grid = changetype<Grid>(at);
  const cells = cellsFor(count);
  const room = (<usize>cells * 3 + 2) << 2;
  grid.xy = xy;
  grid.starts = at + offsetof<Grid>();
  grid.lives = grid.starts + room;
  grid.slots = grid.lives + room;
  grid.places = grid.slots + (<usize>count << 2);

  let x0: f64 = Infinity;
  let y0: f64 = Infinity;
  let x1: f64 = -Infinity;
  let y1: f64 = -Infinity;
  for (let i = 0; i < count; i++) {
    const point = xy + (<usize>idAt(list, i) << 3);
    const x = <f64>load<f32>(point);
    const y = <f64>load<f32>(point, 4);
    x0 = min(x0, x);
    x1 = max(x1, x);
    y0 = min(y0, y);
    y1 = max(y1, y);
  }
  // the second bound keeps long thin clouds from making more cells than points
  const wide = max(x1 - x0, 0);
  const high = max(y1 - y0, 0);
  let cell = max(Math.sqrt((wide * high) / <f64>cells), max(wide, high) / <f64>cells);
  if (!(cell > 0)) cell = 1;
  grid.x0 = x0;
  grid.y0 = y0;
  grid.cell = cell;
  grid.width = <i32>(wide / cell) + 1;
  grid.height = <i32>(high / cell) + 1;

  // count per cell, sum up, then place: `lives` serves as the running end of each cell
  const total = grid.width * grid.height;
  const starts = grid.starts;
  memory.fill(starts, 0, (<usize>total + 1) << 2);
  for (let i = 0; i < count; i++) {
    const word = starts + (<usize>(grid.cellOf(idAt(list, i)) + 1) << 2);
    store<u32>(word, load<u32>(word) + 1);
  }
  for (let c = 0; c < total; c++) {
    const word = starts + (<usize>c << 2);
    store<u32>(word, load<u32>(word) + load<u32>(word, 4), 4);
  }
  memory.copy(grid.lives, starts, <usize>total << 2);
  for (let i = 0; i < count; i++) {
    const id = idAt(list, i);
    const end = grid.lives + (<usize>grid.cellOf(id) << 2);
    const slot = load<u32>(end);
    store<u32>(end, slot + 1);
    store<u32>(grid.slots + (<usize>slot << 2), id);
    store<u32>(grid.places + (<usize>id << 2), slot);
  }
  if (!on) memory.copy(grid.lives, starts, <usize>total << 2);
  return grid;
}

@inline function idAt(list: usize, i: i32): i32 {
  return list == 0 ? i : load<i32>(list + (<usize>i << 2));
}

/** Switches a point on that is off. */
export function switchOn(grid: Grid, id: i32): void {
  const end = grid.lives + (<usize>grid.cellOf(id) << 2);
  const slot = load<u32>(end);
  swap(grid, id, slot);
  store<u32>(end, slot + 1);
}

/** Switches a point off that is on. */
export function switchOff(grid: Grid, id: i32): void {
  const end = grid.lives + (<usize>grid.cellOf(id) << 2);
  const slot = load<u32>(end) - 1;
  swap(grid, id, slot);
  store<u32>(end, slot);
}

/** Puts a point in another slot of its cell; the point there takes its old slot. */
@inline function swap(grid: Grid, id: i32, slot: u32): void {
  const other = load<i32>(grid.slots + (<usize>slot << 2));
  const old = load<u32>(grid.places + (<usize>id << 2));
  store<i32>(grid.slots + (<usize>old << 2), other);
  store<u32>(grid.places + (<usize>other << 2), old);
  store<i32>(grid.slots + (<usize>slot << 2), id);
  store<u32>(grid.places + (<usize>id << 2), slot);
}

/**
 * Finds the point nearest to a place among those that are on, ring of cells by ring of cells.
 *
 * returns  its id, or -1 when every point is off
 */
export function nearest(grid: Grid, x: f64, y: f64): i32 {
  const column = grid.column(x);
  const row = grid.row(y);
  const reach = max(max(column, grid.width - 1 - column), max(row, grid.height - 1 - row));
  grid.best = Infinity;
  grid.found = -1;
  for (let r = 0; r <= reach; r++) {
    const top = row - r;
    const bottom = row + r;
    for (let j = max(top, 0), last = min(bottom, grid.height - 1); j <= last; j++) {
      if (j == top || j == bottom) nearestInRow(grid, j, column - r, column + r, 1, x, y);
      else nearestInRow(grid, j, column - r, column + r, 2 * r, x, y);
    }
    // all that was not looked at lies at least r cells away
    const near = <f64>r * grid.cell;
    if (grid.best <= near * near) break;
  }
  return grid.found;
}

function nearestInRow(grid: Grid, row: i32, from: i32, to: i32, step: i32, x: f64, y: f64): void {
  const xy = grid.xy;
  const slots = grid.slots;
  let best = grid.best;
  let found = grid.found;
  for (let i = from; i <= to; i += step) {
    if (<u32>i >= <u32>grid.width) continue;
    const word = <usize>(row * grid.width + i) << 2;
    const end = load<u32>(grid.lives + word);
    for (let s = load<u32>(grid.starts + word); s < end; s++) {
      const id = load<i32>(slots + (<usize>s << 2));
      const at = xy + (<usize>id << 3);
      const dx = <f64>load<f32>(at) - x;
      const dy = <f64>load<f32>(at, 4) - y;
      const square = dx * dx + dy * dy;
      if (square < best) {
        best = square;
        found = id;
      }
    }
  }
  grid.best = best;
  grid.found = found;
}
