import type { ControlBlock } from "./control.ts";
import type { Outcome, Slot } from "./pool.ts";
import { Signal } from "./signal.ts";
import type { Task, TaskSnapshot } from "./task.ts";

/** What `tasksUpdated` delivers: tasks and progress of the same moment. */
export interface TasksUpdate {
  /** Active visible tasks in order of submission. */
  readonly tasks: readonly TaskSnapshot[];
  /** Weighted mean over the batch, which runs from idle to idle; 1 when idle. */
  readonly progress: number;
}

/** A task and all that the manager keeps beside it. */
export interface Entry {
  readonly task: Task<unknown>;
  readonly id: number;
  readonly priority: number;
  /** The key as a map takes it. */
  readonly token: unknown;
  readonly whenDone: ((task: Task<unknown>) => void) | undefined;
  /** Runs the code; called once at most. */
  readonly begin: (entry: Entry) => Promise<Outcome>;
  /** What waiting code on this thread listens to. */
  readonly controller: AbortController;
  /** Takes the abort listener off the caller's signal. */
  unlisten: () => void;
  /** Somebody will see how the task ends. */
  observed: boolean;
  /** Why it was canceled. */
  reason: unknown;
  /** Where the code reports, once it may run. */
  block: ControlBlock | undefined;
  slot: Slot | undefined;
  generation: number;
  /** Snapshots to be told of on the next turn. */
  readonly news: TaskSnapshot[];
}

/**
 * The active tasks as the world sees them, and the telling of what changes.
 *
 * Nobody's code runs while state changes: changes are noted, and a later turn of the scheduler calls back, for each
 * task in this order: `changed`, removal, `tasksUpdated`, `whenDone`, `promise`.
 */
export class Board {
  readonly updated = new Signal<TasksUpdate>();
  readonly active = new Map<number, Entry>();
  readonly keys = new Map<unknown, Entry>();

  readonly #later: (run: () => void) => void;
  readonly #onError: (error: unknown) => void;
  #scheduled = false;
  #stale = false;
  #cancels: Entry[] = [];
  #finals: Entry[] = [];
  #starts: (() => void)[] = [];
  readonly #changes = new Set<Entry>();
  /** Weight of the completed tasks of the batch. */
  #doneWeight = 0;

  constructor(later: (run: () => void) => void, onError: (error: unknown) => void) {
    this.#later = later;
    this.#onError = onError;
  }

  add(entry: Entry): void {
    this.active.set(entry.id, entry);
    this.keys.set(entry.token, entry);
    this.#announce();
  }

  /** Runs `start` on the next turn. */
  start(start: () => void): void {
    this.#starts.push(start);
    this.#schedule();
  }

  /** Notes that an entry changed. */
  tell(entry: Entry): void {
    entry.news.push(entry.task.snapshot());
    this.#changes.add(entry);
    this.#announce();
  }

  /** Makes an entry canceled on the next turn. */
  cancel(entry: Entry): void {
    this.#cancels.push(entry);
    this.#schedule();
  }

  /** Notes that an entry's task has become final. */
  finish(entry: Entry): void {
    entry.unlisten();
    this.#finals.push(entry);
    this.tell(entry);
  }

  get tasks(): TaskSnapshot[] {
    const tasks: TaskSnapshot[] = [];
    for (const { task } of this.active.values()) if (task.visible) tasks.push(task.snapshot());
    return tasks;
  }

  get progress(): number {
    let done = this.#doneWeight;
    let all = this.#doneWeight;
    for (const { task } of this.active.values()) {
      if (!task.visible || task.status === "failed" || task.status === "canceled") continue;
      done += task.weight * task.progress;
      all += task.weight;
    }
    return all === 0 ? 1 : done / all;
  }

  #announce(): void {
    this.#stale = true;
    this.#schedule();
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.#later(() => this.#turn());
  }

  #turn(): void {
    this.#scheduled = false;
    const cancels = this.#cancels;
    this.#cancels = [];
    for (const entry of cancels) {
      const { task, block } = entry;
      if (block !== undefined) task.update(task.status, block.readProgress(), block.readMessage());
      task.finishCanceled(entry.reason);
      this.finish(entry);
    }
    const finals = this.#finals;
    this.#finals = [];
    const starts = this.#starts;
    this.#starts = [];
    const changes = [...this.#changes];
    this.#changes.clear();

    for (const { task, news } of changes)
      for (const snapshot of news.splice(0)) task.changed.emit(snapshot, this.contain);
    for (const entry of finals) this.#remove(entry);
    if (this.#stale) this.#publish();
    for (const entry of finals) this.#conclude(entry);
    for (const start of starts) start();
  }

  #remove(entry: Entry): void {
    const { task } = entry;
    this.active.delete(entry.id);
    if (this.keys.get(entry.token) === entry) this.keys.delete(entry.token);
    if (task.visible && task.status === "completed") this.#doneWeight += task.weight;
  }

  #publish(): void {
    this.#stale = false;
    const idle = ![...this.active.values()].some(({ task }) => task.visible);
    if (!this.updated.idle)
      this.updated.emit(
        Object.freeze({ tasks: Object.freeze(this.tasks), progress: this.progress }),
        this.contain,
      );
    // the batch ends only after its end was published
    if (idle) this.#doneWeight = 0;
  }

  #conclude({ task, whenDone, observed }: Entry): void {
    try {
      whenDone?.(task);
    } catch (error) {
      this.contain(error);
    }
    task.settle();
    if (task.status === "failed" && !observed) this.contain(task.error);
  }

  /** Keeps an error of a callback, or a failure that nobody observes, from stopping anything. */
  readonly contain = (error: unknown): void => {
    try {
      this.#onError(error);
    } catch {
      // the last resort failed: there is nobody left to tell
    }
  };
}
