import type { Board, Entry } from "./board.ts";
import type { Clock, Timer } from "./clock.ts";

/** While a worker has not said that it started, it is looked at this often, ms. */
const START_LOOK_MS = 10;

/** The entries whose code may be running and still counts: looks at what they report, as long as there are any. */
export class Watch {
  #live = new Set<Entry>();
  readonly #board: Board;
  readonly #clock: Clock;
  readonly #intervalMs: () => number;
  readonly #started: (entry: Entry) => void;
  #timer: Timer | undefined;
  #dueAt = 0;
  #lookedAt = Number.NEGATIVE_INFINITY;

  /** `started` is told of each entry whose code has begun. */
  constructor(board: Board, clock: Clock, intervalMs: () => number, started: (entry: Entry) => void) {
    this.#board = board;
    this.#clock = clock;
    this.#intervalMs = intervalMs;
    this.#started = started;
  }

  get live(): ReadonlySet<Entry> {
    return this.#live;
  }

  add(entry: Entry): void {
    this.#live.add(entry);
  }

  /** False when it was not there. */
  delete(entry: Entry): boolean {
    if (!this.#live.has(entry)) return false;
    // as the board's maps
    if (this.#live.size === 1) this.#live = new Set();
    else this.#live.delete(entry);
    return true;
  }

  /** Takes over what an entry's code has reported; its progress and message only when that is due. */
  look(entry: Entry, due: boolean): void {
    const { task, block, verdict } = entry;
    // after a cancel nothing is told but the end, after the end nothing at all
    if (verdict !== undefined || task.final || !block?.started) return;
    if (task.update("running", task.progress, task.message)) {
      this.#started(entry);
      this.#board.tell(entry);
    }
    if (due && task.update("running", block.readProgress(), block.readMessage())) this.#board.tell(entry);
  }

  /** Goes on looking; sooner than it would have, once there is one that has not started. */
  wind(): void {
    if (this.live.size === 0) return;
    const interval = this.#intervalMs();
    let starting = false;
    for (const { task } of this.live) starting ||= task.status === "pending";
    const wait = starting ? Math.min(START_LOOK_MS, interval) : interval;
    if (this.#timer !== undefined) {
      if (this.#dueAt <= this.#clock.now() + wait) return;
      this.#timer.cancel();
    }
    this.#dueAt = this.#clock.now() + wait;
    this.#timer = this.#clock.after(wait, () => {
      this.#timer = undefined;
      const due = this.#clock.now() - this.#lookedAt >= interval - 1;
      if (due) this.#lookedAt = this.#clock.now();
      for (const entry of this.live) this.look(entry, due);
      this.wind();
    });
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }
}
