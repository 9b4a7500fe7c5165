import type { Entry } from "./board.ts";
import type { Clock } from "./clock.ts";
import type { Runner, Runners } from "./pool.ts";
import { Queue } from "./queue.ts";

/** A queue and what serves it: a pool, or this thread's event loop, which takes any number at a time. */
export class Lane {
  readonly queue = new Queue<Entry>();
  readonly #make: (() => Runners) | undefined;
  #runners: Runners | undefined;
  /** Workers in a row that could not start. */
  failures = 0;
  #resting = false;

  constructor(make?: () => Runners) {
    this.#make = make;
  }

  /** True when its tasks run on this thread. */
  get local(): boolean {
    return this.#make === undefined;
  }

  /** True while nothing is started, since a worker could not start. */
  get resting(): boolean {
    return this.#resting;
  }

  rest(clock: Clock, ms: number, then: () => void): void {
    this.#resting = true;
    const go = (): void => {
      this.#resting = false;
      then();
    };
    clock.after(ms, go, true);
  }

  /** A free runner of the pool, which is made on first use; undefined when all are busy. */
  runner(): Runner | "local" | undefined {
    if (this.#make === undefined) return "local";
    this.#runners ??= this.#make();
    return this.#runners.free();
  }

  get hosts(): number {
    return this.#runners?.hosts ?? 0;
  }

  /** Ends the pool; the next task makes a new one. */
  async close(): Promise<void> {
    const runners = this.#runners;
    this.#runners = undefined;
    this.failures = 0;
    await runners?.close();
  }
}

/** Limits on how many tasks of a group run; those beyond wait here, outside of their queue. */
export class Groups {
  readonly #limitOf: (group: string) => number;
  readonly #running = new Map<string, number>();
  readonly #parked = new Map<string, Queue<Entry>>();

  constructor(limitOf: (group: string) => number) {
    this.#limitOf = limitOf;
  }

  /** Takes a place for the entry, or parks it and gives false. */
  enter(entry: Entry): boolean {
    const { group } = entry;
    if (group === undefined) return true;
    const running = this.#running.get(group) ?? 0;
    if (running >= this.#limitOf(group)) {
      const parked = this.#parked.get(group) ?? new Queue<Entry>();
      parked.push(entry);
      this.#parked.set(group, parked);
      return false;
    }
    this.#running.set(group, running + 1);
    entry.inGroup = true;
    return true;
  }

  /**
   * Gives the entry's place back, or takes it out of the parked ones. The first parked one goes back to its queue while
   * there is room, even if the entry held no place: it may be one that was called back and left before it took its own.
   */
  leave(entry: Entry): void {
    const { group } = entry;
    if (group === undefined) return;
    const parked = this.#parked.get(group);
    parked?.remove(entry);
    let running = this.#running.get(group) ?? 0;
    if (entry.inGroup) {
      entry.inGroup = false;
      running--;
      if (running > 0) this.#running.set(group, running);
      else this.#running.delete(group);
    }
    const next = running < this.#limitOf(group) ? parked?.pop() : undefined;
    next?.lane.queue.push(next);
    if (parked?.size === 0) this.#parked.delete(group);
  }

  get parked(): number {
    let count = 0;
    for (const entries of this.#parked.values()) count += entries.size;
    return count;
  }
}
