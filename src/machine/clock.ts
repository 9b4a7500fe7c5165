/** Where the machine room takes its time from: the real one, or one that a test moves. */
export interface Clock {
  /** Seconds since some fixed moment. */
  now(): number;
  /** Calls `run` once, `seconds` from now; the function that it returns calls that off. */
  after(seconds: number, run: () => void): () => void;
}

export const REAL_CLOCK: Clock = {
  now: () => performance.now() / 1000,
  after: (seconds, run) => {
    const timer = setTimeout(run, seconds * 1000);
    return () => clearTimeout(timer);
  },
};

/** What a promise gives, or undefined after `seconds`. */
export function within<T>(clock: Clock, seconds: number, promise: Promise<T>): Promise<T | undefined> {
  return new Promise((resolve, reject) => {
    const cancel = clock.after(seconds, () => resolve(undefined));
    promise.then(resolve, reject).finally(cancel);
  });
}

interface Entry {
  readonly at: number;
  readonly run: () => void;
}

/** A clock that stands until it is run: hours of a job pass in the time that the work itself takes. */
export class VirtualClock implements Clock {
  #now = 0;
  readonly #entries = new Set<Entry>();

  now(): number {
    return this.#now;
  }

  /** Timers that have not run. */
  get pending(): number {
    return this.#entries.size;
  }

  after(seconds: number, run: () => void): () => void {
    const entry = { at: this.#now + Math.max(0, seconds), run };
    this.#entries.add(entry);
    return () => this.#entries.delete(entry);
  }

  /** Lets `seconds` pass; everything that falls due runs in order, with promises settled in between. */
  async advance(seconds: number): Promise<void> {
    const end = this.#now + seconds;
    await this.#settle();
    while (this.#runNext(end)) await this.#settle();
    this.#now = end;
  }

  /**
   * Lets time pass until a promise settles and gives its outcome.
   * @throws what the promise rejects with; an Error when nothing is left that could settle it
   */
  async run<T>(promise: Promise<T>): Promise<T> {
    let settled = false;
    const mark = () => {
      settled = true;
    };
    promise.then(mark, mark);
    await this.#settle();
    while (!settled) {
      if (!this.#runNext(Infinity))
        throw new Error("The clock stands: no timer is left and the promise is open");
      await this.#settle();
    }
    return promise;
  }

  #runNext(end: number): boolean {
    let first: Entry | undefined;
    for (const entry of this.#entries) if (first === undefined || entry.at < first.at) first = entry;
    if (first === undefined || first.at > end) return false;
    this.#entries.delete(first);
    this.#now = Math.max(this.#now, first.at);
    first.run();
    return true;
  }

  /** All promise reactions run before the next macrotask. */
  #settle(): Promise<void> {
    return new Promise((resolve) => setImmediate(resolve));
  }
}
