// A bucket grid over points: about two points a cell. Its lines stand where the points are, at equal shares of a sample,
// so that a far speck does not crowd all others into one cell. Points can be switched on and off; a search sees the ones
// that are on. Used by the kernels that order paths.

/** Most points that the lines are drawn by. */
const SAMPLE: i32 = 2048;

/** Grid in memory: this record, then its lists. */
@unmanaged
export class Grid {
  /** Square of the distance to the nearest point of the running search. */
  best: f64;
  /** That point, or -1. */
  found: i32;
  width: i32;
  height: i32;
  /** f32[2 * ids], x and y of each point. */
  xy: usize;
  /** f32[width - 1] and f32[height - 1], growing: a point on a line belongs to the cell behind it. */
  columns: usize;
  rows: usize;
  /** u32[cells + 1], first slot of each cell, row by row. */
  starts: usize;
  /** u32[cells], end of the slots of each cell whose points are on. */
  lives: usize;
  /** u32[count], points by cell. */
  slots: usize;
  /** u32[ids], slot of each point. */
  places: usize;
  /** u32[ids], cell of each point. */
  cells: usize;

  @inline column(x: f32): i32 {
    return linesUpTo(this.columns, this.width - 1, x);
  }

  @inline row(y: f32): i32 {
    return linesUpTo(this.rows, this.height - 1, y);
  }

  @inline cellOf(id: i32): i32 {
    return load<i32>(this.cells + (<usize>id << 2));
  }

  /** How far around a place all has been seen when the cells up to `r` columns and rows away have. */
  seen(x: f64, y: f64, column: i32, row: i32, r: i32): f64 {
    let gap: f64 = Infinity;
    if (column - r > 0) gap = x - line(this.columns, column - r - 1);
    if (column + r < this.width - 1) gap = min(gap, line(this.columns, column + r) - x);
    if (row - r > 0) gap = min(gap, y - line(this.rows, row - r - 1));
    if (row + r < this.height - 1) gap = min(gap, line(this.rows, row + r) - y);
    return gap;
  }
}

@inline function line(lines: usize, i: i32): f64 {
  return <f64>load<f32>(lines + (<usize>i << 2));
}

/** Lines at or before a place, by halving without branches. */
function linesUpTo(lines: usize, count: i32, value: f32): i32 {
  let from = 0;
  let left = count;
  while (left > 0) {
    const half = left >> 1;
    const behind = load<f32>(lines + (<usize>(from + half) << 2)) <= value;
    from = select(from + half + 1, from, behind);
    left = select(left - half - 1, half, behind);
  }
  return from;
}

@inline function cellsFor(count: i32): i32 {
  return max(count >> 1, 1);
}

/** Bytes that `layGrid` needs for `count` points out of ids 0..ids-1. */
export function gridRoom(count: i32, ids: i32): usize {
  return offsetof<Grid>() + ((<usize>SAMPLE * 3 + <usize>cellsFor(count) * 2 + 1 + <usize>count + <usize>ids * 2) << 2);
}

/**
 * Lays a grid over points, all of them off or all of them on.
 *
 * at       u8[gridRoom(count, ids)], the grid; 8-byte aligned
 * xy       f32[2 * ids], mm, finite; kept by address
 * list     u32[count] ids, or 0 for the ids 0..count-1
 * cost     O(count * log(cells))
 */
export function layGrid(at: usize, xy: usize, list: usize, count: i32, ids: i32, on: bool): Grid {
  const grid = changetype<Grid>(at);
  const cells = cellsFor(count);
  grid.xy = xy;
  grid.columns = at + offsetof<Grid>();
  grid.rows = grid.columns + (<usize>SAMPLE << 2);
  const sample = grid.rows + (<usize>SAMPLE << 2);
  grid.starts = sample + (<usize>SAMPLE << 2);
  grid.lives = grid.starts + ((<usize>cells + 1) << 2);
  grid.slots = grid.lives + (<usize>cells << 2);
  grid.places = grid.slots + (<usize>count << 2);
  grid.cells = grid.places + (<usize>ids << 2);

  // cells about as wide as high where most points are
  const m = min(count, SAMPLE);
  takeSample(xy, list, count, sample, m, 4);
  const high = spread(sample, m);
  takeSample(xy, list, count, sample, m, 0);
  const wide = spread(sample, m);
  const columns = wide > 0 ? Math.sqrt(<f64>cells * (wide / high)) : 1;
  grid.width = drawLines(sample, m, <i32>min(columns, <f64>cells), grid.columns);
  takeSample(xy, list, count, sample, m, 4);
  grid.height = drawLines(sample, m, cells / grid.width, grid.rows);

  // count per cell, sum up, then place: `lives` serves as the running end of each cell
  const total = grid.width * grid.height;
  const starts = grid.starts;
  memory.fill(starts, 0, (<usize>total + 1) << 2);
  for (let i = 0; i < count; i++) {
    const id = idAt(list, i);
    const point = xy + (<usize>id << 3);
    const cell = grid.row(load<f32>(point, 4)) * grid.width + grid.column(load<f32>(point));
    store<i32>(grid.cells + (<usize>id << 2), cell);
    const word = starts + (<usize>(cell + 1) << 2);
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

/** Takes x (offset 0) or y (offset 4) of evenly chosen points and sorts them. */
function takeSample(xy: usize, list: usize, count: i32, sample: usize, m: i32, offset: usize): void {
  for (let i = 0; i < m; i++) {
    const id = idAt(list, <i32>((<i64>i * count) / m));
    store<f32>(sample + (<usize>i << 2), load<f32>(xy + (<usize>id << 3) + offset));
  }
  // Shell's sort with gaps that shrink by 2.25
  for (let gap = (m * 4) / 9; ; gap = (gap * 4) / 9) {
    gap = max(gap, 1);
    for (let i = gap; i < m; i++) {
      const value = load<f32>(sample + (<usize>i << 2));
      let j = i;
      for (; j >= gap; j -= gap) {
        const other = load<f32>(sample + (<usize>(j - gap) << 2));
        if (other <= value) break;
        store<f32>(sample + (<usize>j << 2), other);
      }
      store<f32>(sample + (<usize>j << 2), value);
    }
    if (gap == 1) return;
  }
}

/** Width of the middle four fifths of a sorted sample, or of all of it where that is 0. */
function spread(sample: usize, m: i32): f64 {
  if (m == 0) return 0;
  const most = line(sample, m - 1 - m / 10) - line(sample, m / 10);
  return most > 0 ? most : line(sample, m - 1) - line(sample, 0);
}

/** Draws lines at equal shares of a sorted sample, equal ones once; returns the number of parts. */
function drawLines(sample: usize, m: i32, parts: i32, lines: usize): i32 {
  const wanted = max(min(parts, m), 1);
  let n = 0;
  for (let i = 1; i < wanted; i++) {
    const value = load<f32>(sample + (<usize>((<i64>i * m) / wanted) << 2));
    if (n > 0 && load<f32>(lines + (<usize>(n - 1) << 2)) == value) continue;
    store<f32>(lines + (<usize>n << 2), value);
    n++;
  }
  return n + 1;
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
  const column = grid.column(<f32>x);
  const row = grid.row(<f32>y);
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
    const seen = grid.seen(x, y, column, row, r);
    if (grid.best <= seen * seen) break;
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
