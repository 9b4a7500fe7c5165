// The order of open paths in plain JavaScript: nearest neighbour on a grid, then 2-opt and moves of short stretches among
// near ends. The same steps as the kernels', so that tours come out equal and not just about as long. Closed paths,
// insides and paths that must not be turned are left out: they change which moves are tried, not what a move costs.
import { Grid } from "./grid.ts";

/** Longest stretch that one move turns round. */
const STRETCH = 30000;
/** Gains below this, mm, are noise of rounding. */
const EPSILON = 1e-7;

/**
 * Item i has the ends 2i and 2i + 1; item n is the head's own, which starts at end 2n and finishes at 2n + 1. A tour
 * holds the ends through which items are entered, the head's first.
 */
export class Tour {
  /** x and y of each end. */
  readonly ends: Float32Array;
  readonly tour: Int32Array;
  /** Items and the head's own. */
  readonly #size: number;
  readonly #k: number;
  readonly #near: Int32Array;
  readonly #squares: Float64Array;
  readonly #places: Int32Array;
  readonly #queue: Int32Array;
  readonly #queued: Uint8Array;
  readonly #grid: Grid;
  #head = 0;
  #waiting = 0;
  // the move that is tried
  #edges = 0;
  #t3 = 0;
  #t4 = 0;
  #t5 = 0;
  #t6 = 0;

  /** `ends` holds 2 * (n + 1) points; `k` is the number of near ends that moves are tried among. */
  constructor(ends: Float32Array, k: number) {
    this.ends = ends;
    this.#size = ends.length >> 2;
    this.#k = k;
    this.#near = new Int32Array(2 * this.#size * k);
    this.#squares = new Float64Array(k);
    this.tour = new Int32Array(this.#size);
    this.#places = new Int32Array(this.#size);
    this.#queue = new Int32Array(2 * this.#size);
    this.#queued = new Uint8Array(2 * this.#size);
    this.#grid = new Grid(ends, 2 * this.#size);
  }

  /** Goes to the nearest end again and again. */
  nearest(): void {
    const { ends, tour } = this;
    const grid = this.#grid;
    const n = this.#size - 1;
    grid.lay(2 * n);
    tour[0] = 2 * n + 1;
    let x = ends[4 * n];
    let y = ends[4 * n + 1];
    for (let place = 1; place <= n; place++) {
      const end = grid.nearest(x, y);
      grid.remove(end & ~1);
      grid.remove(end | 1);
      tour[place] = end;
      x = ends[2 * (end ^ 1)];
      y = ends[2 * (end ^ 1) + 1];
    }
  }

  /** Makes moves that shorten the tour until there are none. */
  improve(): void {
    const size = this.#size;
    this.#listNear();
    this.#head = 0;
    this.#waiting = 0;
    for (let place = 0; place < size; place++) this.#places[this.tour[place] >> 1] = place;
    for (let place = 0; place < size; place++) {
      this.#wait(this.tour[place]);
      this.#wait(this.tour[place] ^ 1);
    }
    while (this.#waiting > 0) {
      const end = this.#queue[this.#head];
      if (++this.#head === 2 * size) this.#head = 0;
      this.#waiting--;
      this.#queued[end] = 0;
      while (this.#improveAt(end));
    }
    this.#lead();
  }

  #listNear(): void {
    const count = 2 * this.#size;
    const k = this.#k;
    this.#grid.lay(count);
    for (let end = 0; end < count; end++) this.#grid.nearEnds(end, k, this.#near, end * k, this.#squares);
  }

  #wait(end: number): void {
    if (this.#queued[end] !== 0) return;
    this.#queued[end] = 1;
    let at = this.#head + this.#waiting;
    if (at >= this.#queue.length) at -= this.#queue.length;
    this.#queue[at] = end;
    this.#waiting++;
  }

  #isEntry(end: number): boolean {
    return this.tour[this.#places[end >> 1]] === end;
  }

  /** The end at the other side of the travel that touches `end`. */
  #link(end: number): number {
    const place = this.#places[end >> 1];
    if (this.tour[place] === end) return this.tour[place === 0 ? this.#size - 1 : place - 1] ^ 1;
    return this.tour[place + 1 === this.#size ? 0 : place + 1];
  }

  #distance(a: number, b: number): number {
    const dx = this.ends[2 * a] - this.ends[2 * b];
    const dy = this.ends[2 * a + 1] - this.ends[2 * b + 1];
    return Math.sqrt(dx * dx + dy * dy);
  }

  /** Places from `from` on to `to`, round the tour. */
  #ahead(from: number, to: number): number {
    const steps = to - from;
    return steps < 0 ? steps + this.#size : steps;
  }

  #improveAt(t1: number): boolean {
    const t2 = this.#link(t1);
    if (!this.#findMove(t1, t2)) return false;
    this.#makeMove(t1, t2);
    this.#wait(t1);
    this.#wait(t2);
    this.#wait(this.#t3);
    this.#wait(this.#t4);
    if (this.#edges === 3) {
      this.#wait(this.#t5);
      this.#wait(this.#t6);
    }
    return true;
  }

  #findMove(t1: number, t2: number): boolean {
    const k = this.#k;
    const near = this.#near;
    const places = this.#places;
    const size = this.#size;
    const broken = this.#distance(t1, t2);
    const t2Enters = this.#isEntry(t2);
    let best = EPSILON;
    this.#edges = 0;
    for (let i = 0; i < k; i++) {
      const t3 = near[t2 * k + i];
      if (t3 < 0) break;
      const gain1 = broken - this.#distance(t2, t3);
      if (gain1 <= 1e-9) break;
      if (t3 === t1) continue;
      const t4 = this.#link(t3);
      const gain2 = gain1 + this.#distance(t3, t4);
      if (this.#isEntry(t3) === t2Enters) {
        const gain = gain2 - this.#distance(t4, t1);
        if (gain <= best || this.#turnLength(t1, t2, t3, t4) > STRETCH) continue;
        best = gain;
        this.#edges = 2;
        this.#t3 = t3;
        this.#t4 = t4;
        continue;
      }
      const from = places[(t2Enters ? t2 : t3) >> 1];
      const length = this.#ahead(from, places[(t2Enters ? t3 : t2) >> 1]);
      if (Math.min(length, size - length) > STRETCH) continue;
      for (let j = 0; j < k; j++) {
        const t5 = near[t4 * k + j];
        if (t5 < 0) break;
        const gain3 = gain2 - this.#distance(t4, t5);
        if (gain3 <= best) break;
        if (t5 === t2 || t5 === t3 || this.#ahead(from, places[t5 >> 1]) > length) continue;
        const t6 = this.#link(t5);
        if (this.#ahead(from, places[t6 >> 1]) > length) continue;
        const gain = gain3 + this.#distance(t5, t6) - this.#distance(t6, t1);
        if (gain <= best) continue;
        best = gain;
        this.#edges = 3;
        this.#t3 = t3;
        this.#t4 = t4;
        this.#t5 = t5;
        this.#t6 = t6;
      }
    }
    return this.#edges !== 0;
  }

  #makeMove(t1: number, t2: number): void {
    const [t3, t4, t5, t6] = [this.#t3, this.#t4, this.#t5, this.#t6];
    if (this.#edges === 2) {
      this.#turn(t1, t2, t3, t4);
      return;
    }
    const places = this.#places;
    const from = places[(this.#isEntry(t2) ? t2 : t3) >> 1];
    const at2 = this.#ahead(from, places[t2 >> 1]);
    const at5 = this.#ahead(from, places[t5 >> 1]);
    const at6 = this.#ahead(from, places[t6 >> 1]);
    if (Math.abs(at5 - at2) >= Math.abs(at6 - at2)) {
      this.#turn(t1, t2, t5, t6);
      this.#turn(t5, t2, t3, t4);
    } else {
      this.#turn(t1, t2, t4, t3);
      this.#turn(t1, t3, t5, t6);
      this.#turn(t5, t3, t2, t4);
    }
  }

  #turnLength(t1: number, t2: number, t3: number, t4: number): number {
    const enters = this.#isEntry(t2);
    const from = this.#places[(enters ? t2 : t1) >> 1];
    const length = this.#ahead(from, this.#places[(enters ? t4 : t3) >> 1]) + 1;
    return Math.min(length, this.#size - length);
  }

  /** Replaces the travels t1-t2 and t3-t4 by t2-t3 and t4-t1: turns round what lies between, or all the rest. */
  #turn(t1: number, t2: number, t3: number, t4: number): void {
    const { tour } = this;
    const places = this.#places;
    const size = this.#size;
    const enters = this.#isEntry(t2);
    let i = places[(enters ? t2 : t1) >> 1];
    let j = places[(enters ? t4 : t3) >> 1];
    let length = this.#ahead(i, j) + 1;
    if (2 * length > size) {
      const next = j + 1 === size ? 0 : j + 1;
      j = i === 0 ? size - 1 : i - 1;
      i = next;
      length = size - length;
    }
    for (let pairs = length >> 1; pairs > 0; pairs--) {
      const a = tour[i] ^ 1;
      const b = tour[j] ^ 1;
      tour[i] = b;
      places[b >> 1] = i;
      tour[j] = a;
      places[a >> 1] = j;
      if (++i === size) i = 0;
      if (--j < 0) j = size - 1;
    }
    if ((length & 1) !== 0) tour[i] ^= 1;
  }

  /** Brings the head's own item back to place 0, entered through its end 2n + 1. */
  #lead(): void {
    const { tour } = this;
    const size = this.#size;
    const own = 2 * size - 2;
    let from = this.#places[own >> 1];
    const backwards = tour[from] === own;
    if (from === 0 && !backwards) return;
    const copy = this.#queue;
    for (let place = 0; place < size; place++) {
      copy[place] = backwards ? tour[from] ^ 1 : tour[from];
      if (backwards) from = from === 0 ? size - 1 : from - 1;
      else from = from + 1 === size ? 0 : from + 1;
    }
    tour.set(copy.subarray(0, size));
  }
}
