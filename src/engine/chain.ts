import type { Engine, Pointer, Stages } from "./memory.ts";

/** A kernel that turns rows of a picture into rows of the same number, looking at some around each. */
export interface Filter {
  /** Bytes of a row that comes in. */
  readonly rowBytes: number;
  /** Rows over and under a row that it is made from, where the picture has them. */
  readonly above: number;
  readonly below: number;
  /** About ns a pixel. */
  readonly cost: number;
  /** Makes the rows `y` to `y + n`; at `rows` lies row `top`. Returns the kernel's status. */
  run(rows: Pointer, top: number, y: number, n: number, out: Pointer): number;
}

/** Rows on their way into a filter: those that it still has to look at. */
class Inflow {
  readonly filter: Filter;
  readonly #height: number;
  readonly #room: number;
  readonly #at: Pointer;
  /** Rows of the picture: the first that is here, the first that is not yet here, the first that is not yet made. */
  #top = 0;
  #end = 0;
  #next = 0;

  /** For at most `most` rows at once. */
  constructor(engine: Engine, filter: Filter, height: number, most: number) {
    this.filter = filter;
    this.#height = height;
    // as many rows more as are kept, so that on the whole no row is moved more than once
    this.#room = Math.min(height, 2 * (filter.above + filter.below) + most);
    this.#at = engine.alloc(this.#room * filter.rowBytes);
  }

  /** Where the next rows go. */
  place(rows: number, engine: Engine, stages: Stages): Pointer {
    const { rowBytes, above } = this.filter;
    if (this.#end - this.#top + rows > this.#room) {
      const top = Math.max(this.#top, this.#next - above);
      const bytes = (this.#end - top) * rowBytes;
      const from = (this.#at + (top - this.#top) * rowBytes) as Pointer;
      stages.run(0, bytes, () => engine.kernels.moveBytes(from, this.#at, bytes));
      this.#top = top;
    }
    return (this.#at + (this.#end - this.#top) * rowBytes) as Pointer;
  }

  /** `rows` more have come: the rows that can be made. */
  take(rows: number): { y: number; rows: number } {
    this.#end += rows;
    const ready = this.#end === this.#height ? this.#height : this.#end - this.filter.below;
    return { y: this.#next, rows: Math.max(0, ready - this.#next) };
  }

  make(rows: number, out: Pointer): number {
    const result = this.filter.run(this.#at, this.#top, this.#next, rows, out);
    this.#next += rows;
    return result;
  }
}

/** Filters one behind the other. A picture runs through from top to bottom, and only the rows in work are kept. */
export class Chain {
  readonly #engine: Engine;
  readonly #stages: Stages;
  readonly #inflows: Inflow[] = [];
  /** Rows that come out at once, at most. */
  readonly most: number;

  /** At least one filter, and at most `most` rows in at once. Allocates on `engine`. */
  constructor(engine: Engine, stages: Stages, filters: readonly Filter[], height: number, most: number) {
    this.#engine = engine;
    this.#stages = stages;
    for (const filter of filters) {
      this.#inflows.push(new Inflow(engine, filter, height, most));
      most = Math.min(height, most + filter.below);
    }
    this.most = most;
  }

  /** Where the next rows go. */
  place(rows: number): Pointer {
    return this.#inflows[0]!.place(rows, this.#engine, this.#stages);
  }

  /**
   * Takes the rows that have been written there, and makes what can be made of them.
   *
   * @param out       where the rows from `y` on go
   * @param shareOf   part of the whole call for so many rows of a filter of that cost
   * @returns         the rows that were made, sometimes none
   */
  pass(
    rows: number,
    out: (y: number) => Pointer,
    shareOf: (cost: number, rows: number) => number,
  ): { y: number; rows: number } {
    let made = { y: 0, rows };
    for (const [i, inflow] of this.#inflows.entries()) {
      made = inflow.take(made.rows);
      const { y, rows } = made;
      if (rows === 0) break;
      const to = this.#inflows[i + 1]?.place(rows, this.#engine, this.#stages) ?? out(y);
      this.#stages.run(shareOf(inflow.filter.cost, rows), rows, () => inflow.make(rows, to));
    }
    return made;
  }
}
