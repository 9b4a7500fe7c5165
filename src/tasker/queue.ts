/** What the queue needs to know of an item. */
export interface Queued {
  readonly id: number;
  /** Lower goes first; equal ones go in the order of their ids. */
  readonly rank: number;
  /** Where it stands in the queue that it is in, which alone touches it; -1 outside. */
  place: number;
}

/** Waiting work, least rank first. A binary heap that can also remove from its middle. */
export class Queue<T extends Queued> {
  readonly #heap: T[] = [];

  get size(): number {
    return this.#heap.length;
  }

  push(item: T): void {
    this.#rise(item, this.#heap.length);
  }

  peek(): T | undefined {
    return this.#heap[0];
  }

  pop(): T | undefined {
    const first = this.#heap[0];
    if (first !== undefined) this.remove(first);
    return first;
  }

  /** Takes an item out wherever it stands; false when it is not in the queue. */
  remove(item: T): boolean {
    const at = item.place;
    if (this.#heap[at] !== item) return false;
    item.place = -1;
    const last = this.#heap.pop() as T;
    if (last !== item) {
      this.#sink(last, at);
      this.#rise(last, last.place);
    }
    return true;
  }

  #place(item: T, at: number): void {
    this.#heap[at] = item;
    item.place = at;
  }

  #rise(item: T, from: number): void {
    let at = from;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = this.#heap[parent] as T;
      if (!before(item, above)) break;
      this.#place(above, at);
      at = parent;
    }
    this.#place(item, at);
  }

  #sink(item: T, from: number): void {
    let at = from;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= this.#heap.length) break;
      const right = this.#heap[child + 1];
      if (right !== undefined && before(right, this.#heap[child] as T)) child++;
      const below = this.#heap[child] as T;
      if (!before(below, item)) break;
      this.#place(below, at);
      at = child;
    }
    this.#place(item, at);
  }
}

function before(a: Queued, b: Queued): boolean {
  return a.rank === b.rank ? a.id < b.id : a.rank < b.rank;
}
