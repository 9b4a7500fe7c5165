// Nearest points in plain JavaScript; `order.ts` uses it.

/** Buckets of about two points, laid out as one array sorted by cell. */
export class Grid {
  readonly #xy: Float32Array;
  readonly #starts: Int32Array;
  readonly #lives: Int32Array;
  readonly #slots: Int32Array;
  readonly #places: Int32Array;
  #x0 = 0;
  #y0 = 0;
  #cell = 1;
  #width = 1;
  #height = 1;
  #best = 0;
  #found = -1;

  constructor(xy: Float32Array, most: number) {
    const cells = Math.max(most >> 1, 1) * 3 + 2;
    this.#xy = xy;
    this.#starts = new Int32Array(cells);
    this.#lives = new Int32Array(cells);
    this.#slots = new Int32Array(most);
    this.#places = new Int32Array(most);
  }

  /** Sorts the first `count` points into cells, all of them on. */
  lay(count: number): void {
    const xy = this.#xy;
    let [x0, y0, x1, y1] = [Infinity, Infinity, -Infinity, -Infinity];
    for (let i = 0; i < count; i++) {
      x0 = Math.min(x0, xy[2 * i]);
      x1 = Math.max(x1, xy[2 * i]);
      y0 = Math.min(y0, xy[2 * i + 1]);
      y1 = Math.max(y1, xy[2 * i + 1]);
    }
    const cells = Math.max(count >> 1, 1);
    const wide = Math.max(x1 - x0, 0);
    const high = Math.max(y1 - y0, 0);
    const cell = Math.max(Math.sqrt((wide * high) / cells), Math.max(wide, high) / cells);
    this.#x0 = x0;
    this.#y0 = y0;
    this.#cell = cell > 0 ? cell : 1;
    this.#width = ((wide / this.#cell) | 0) + 1;
    this.#height = ((high / this.#cell) | 0) + 1;

    const total = this.#width * this.#height;
    const starts = this.#starts;
    const lives = this.#lives;
    starts.fill(0, 0, total + 1);
    for (let i = 0; i < count; i++) starts[this.#cellOf(i) + 1]++;
    for (let c = 0; c < total; c++) starts[c + 1] += starts[c];
    for (let c = 0; c < total; c++) lives[c] = starts[c];
    for (let i = 0; i < count; i++) {
      const slot = lives[this.#cellOf(i)]++;
      this.#slots[slot] = i;
      this.#places[i] = slot;
    }
  }

  #column(x: number): number {
    const column = ((x - this.#x0) / this.#cell) | 0;
    return column < 0 ? 0 : column >= this.#width ? this.#width - 1 : column;
  }

  #row(y: number): number {
    const row = ((y - this.#y0) / this.#cell) | 0;
    return row < 0 ? 0 : row >= this.#height ? this.#height - 1 : row;
  }

  #cellOf(id: number): number {
    return this.#row(this.#xy[2 * id + 1]) * this.#width + this.#column(this.#xy[2 * id]);
  }

  remove(id: number): void {
    const cell = this.#cellOf(id);
    const slot = --this.#lives[cell];
    const other = this.#slots[slot];
    const old = this.#places[id];
    this.#slots[old] = other;
    this.#places[other] = old;
    this.#slots[slot] = id;
    this.#places[id] = slot;
  }

  /** The point nearest to a place among those that are left, ring of cells by ring of cells. */
  nearest(x: number, y: number): number {
    const column = this.#column(x);
    const row = this.#row(y);
    const reach = this.#reach(column, row);
    this.#best = Infinity;
    this.#found = -1;
    for (let r = 0; r <= reach; r++) {
      const top = row - r;
      const bottom = row + r;
      for (let j = Math.max(top, 0), last = Math.min(bottom, this.#height - 1); j <= last; j++)
        this.#nearestInRow(j, column - r, column + r, j === top || j === bottom ? 1 : 2 * r, x, y);
      const near = r * this.#cell;
      if (this.#best <= near * near) break;
    }
    return this.#found;
  }

  #reach(column: number, row: number): number {
    return Math.max(column, this.#width - 1 - column, row, this.#height - 1 - row);
  }

  #nearestInRow(row: number, from: number, to: number, step: number, x: number, y: number): void {
    const xy = this.#xy;
    const slots = this.#slots;
    let best = this.#best;
    let found = this.#found;
    for (let i = from; i <= to; i += step) {
      if (i < 0 || i >= this.#width) continue;
      const cell = row * this.#width + i;
      const end = this.#lives[cell];
      for (let s = this.#starts[cell]; s < end; s++) {
        const id = slots[s];
        const dx = xy[2 * id] - x;
        const dy = xy[2 * id + 1] - y;
        const square = dx * dx + dy * dy;
        if (square < best) {
          best = square;
          found = id;
        }
      }
    }
    this.#best = best;
    this.#found = found;
  }

  /** Lists the `k` ends nearest to an end, its item's own left out, from `list[at]` on; -1 where there are fewer. */
  nearEnds(end: number, k: number, list: Int32Array, at: number, squares: Float64Array): void {
    const xy = this.#xy;
    const x = xy[2 * end];
    const y = xy[2 * end + 1];
    const column = this.#column(x);
    const row = this.#row(y);
    const reach = this.#reach(column, row);
    let n = 0;
    for (let r = 0; r <= reach; r++) {
      const top = row - r;
      const bottom = row + r;
      for (let j = Math.max(top, 0), last = Math.min(bottom, this.#height - 1); j <= last; j++) {
        const step = j === top || j === bottom ? 1 : 2 * r;
        n = this.#nearInRow(j, column - r, column + r, step, x, y, end, n, k, list, at, squares);
      }
      const sure = r * this.#cell;
      if (n === k && squares[k - 1] <= sure * sure) break;
    }
    for (; n < k; n++) list[at + n] = -1;
  }

  #nearInRow(
    row: number,
    from: number,
    to: number,
    step: number,
    x: number,
    y: number,
    self: number,
    known: number,
    k: number,
    list: Int32Array,
    at: number,
    squares: Float64Array,
  ): number {
    const xy = this.#xy;
    const slots = this.#slots;
    let n = known;
    for (let i = from; i <= to; i += step) {
      if (i < 0 || i >= this.#width) continue;
      const cell = row * this.#width + i;
      const end = this.#lives[cell];
      for (let s = this.#starts[cell]; s < end; s++) {
        const id = slots[s];
        if (id >> 1 === self >> 1) continue;
        const dx = xy[2 * id] - x;
        const dy = xy[2 * id + 1] - y;
        const square = dx * dx + dy * dy;
        let p = n;
        if (n === k) {
          if (square >= squares[k - 1]) continue;
          p = k - 1;
        } else n++;
        for (; p > 0 && squares[p - 1] > square; p--) {
          squares[p] = squares[p - 1];
          list[at + p] = list[at + p - 1];
        }
        squares[p] = square;
        list[at + p] = id;
      }
    }
    return n;
  }
}
