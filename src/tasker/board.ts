import diagnostics from "node:diagnostics_channel";
import type { Timer } from "./clock.ts";
import type { ControlBlock } from "./control.ts";
import type { Lane } from "./lane.ts";
import type { Outcome, Runner } from "./pool.ts";
import { Signal } from "./signal.ts";
import type { TargetRecord } from "./target.ts";
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
  /** Its place in the queue. */
  readonly rank: number;
  place: number;
  /** The key as a map takes it. */
  readonly token: unknown;
  /** What its code is called, in messages. */
  readonly name: string;
  readonly target: TargetRecord;
  readonly lane: Lane;
  readonly group: string | undefined;
  readonly timeoutMs: number | undefined;
  readonly whenDone: ((task: Task<unknown>) => void) | undefined;
  readonly whenEvent: ((task: Task<unknown>, name: string, data: unknown) => void) | undefined;
  /** Runs the code. */
  readonly begin: (entry: Entry) => Promise<Outcome>;
  /** What waiting code on this thread listens to. */
  controller: AbortController | undefined;
  readonly submittedAt: number;
  /** Tasks that its code submitted, by the ids that the worker gave them. */
  children: Map<number, Entry> | undefined;
  /** Takes the abort listener off the caller's signal. */
  unlisten: () => void;
  /** Somebody will see how the task ends. */
  observed: boolean;
  /** How it was taken out of service before its code ended: why it was canceled, or why it failed. */
  verdict: { readonly reason: unknown } | { readonly error: Error } | undefined;
  /** It was asked to end with what it has. */
  finishing: boolean;
  retries: number;
  /** It holds a place of its group. */
  inGroup: boolean;
  startedAt: number | undefined;
  timer: Timer | undefined;
  /** Where the code reports, once it may run. */
  block: ControlBlock | undefined;
  runner: Runner | undefined;
  generation: number;
  /** Snapshots and events to be told of on the next turn, in their order. */
  readonly news: (TaskSnapshot | (() => void))[];
}

/** What happens, for `node:diagnostics_channel`. */
const CHANNELS = {
  submit: diagnostics.channel("kerfwork:submit"),
  start: diagnostics.channel("kerfwork:start"),
  settle: diagnostics.channel("kerfwork:settle"),
  crash: diagnostics.channel("kerfwork:crash"),
};

/**
 * The active tasks as the world sees them, and the telling of what changes.
 *
 * Nobody's code runs while state changes: changes are noted, and a later turn of the scheduler calls back, for each
 * task in this order: events and `changed`, removal, `tasksUpdated`, `whenDone`, `promise`.
 */
export class Board {
  readonly updated = new Signal<TasksUpdate>();
  // these two are made anew instead of emptied: V8 chains the outgrown tables of a map that lives long, and garbage that
  // hangs on an old table outlives many collections
  active = new Map<number, Entry>();
  keys = new Map<unknown, Entry>();

  readonly #later: (run: () => void) => void;
  readonly #onError: (error: unknown) => void;
  #scheduled = false;
  #stale = false;
  #closing = false;
  #closed: Entry[] = [];
  #finals: Entry[] = [];
  #starts: (() => void)[] = [];
  #notices: [channel: keyof typeof CHANNELS, data: object][] = [];
  /** Entries with news. */
  #changes: Entry[] = [];
  readonly #idlers = new Set<() => void>();
  /** Weight of the completed tasks of the batch. */
  #doneWeight = 0;

  constructor(later: (run: () => void) => void, onError: (error: unknown) => void) {
    this.#later = later;
    this.#onError = onError;
  }

  add(entry: Entry): void {
    this.active.set(entry.id, entry);
    this.keys.set(entry.token, entry);
    this.notice("submit", entry);
    this.#announce();
  }

  /** Runs `start` on the next turn. */
  start(start: () => void): void {
    this.#starts.push(start);
    this.#schedule();
  }

  /** Notes that an entry changed. */
  tell(entry: Entry): void {
    if (!entry.task.changed.idle) this.#note(entry, entry.task.snapshot());
    this.#announce();
  }

  /** Calls `handle` on the next turn, in order with the entry's changes. */
  event(entry: Entry, handle: () => void): void {
    this.#note(entry, handle);
    this.#schedule();
  }

  /** Makes an entry final on the next turn, as its verdict says. */
  close(entry: Entry): void {
    this.#closed.push(entry);
    this.#schedule();
  }

  /** Notes that an entry's task has become final. */
  finish(entry: Entry): void {
    entry.unlisten();
    this.#finals.push(entry);
    this.notice("settle", entry);
    // whoever connects before the turn is told of the end too
    this.#note(entry, () => {
      if (!entry.task.changed.idle && !this.#closing)
        entry.task.changed.emit(entry.task.snapshot(), this.contain);
    });
    this.#announce();
  }

  #note(entry: Entry, item: Entry["news"][number]): void {
    if (entry.news.push(item) === 1) this.#changes.push(entry);
  }

  /** Tells diagnostics of it, if anybody listens. */
  notice(channel: keyof typeof CHANNELS, entry: Entry, more: object = {}): void {
    if (!CHANNELS[channel].hasSubscribers) return;
    this.#notices.push([channel, { target: entry.name, ...entry.task.snapshot(), ...more }]);
    this.#schedule();
  }

  /** From now on nobody is told of anything but that his task is done. */
  quiet(): void {
    this.#closing = true;
  }

  get closing(): boolean {
    return this.#closing;
  }

  /** Takes over what an entry that was taken out of service has reported, for its end to show. */
  sample({ task, block }: Entry): void {
    if (block?.started) task.update(task.status, block.readProgress(), block.readMessage());
  }

  /** Calls `run` once nothing is active and every `whenDone` has returned; returns what takes it back. */
  whenIdle(run: () => void): () => void {
    this.#idlers.add(run);
    this.#schedule();
    return () => this.#idlers.delete(run);
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

  /** Keeps an error of a callback, or a failure that nobody observes, from stopping anything. */
  readonly contain = (error: unknown): void => {
    try {
      this.#onError(error);
    } catch {
      // the last resort failed: there is nobody left to tell
    }
  };

  #announce(): void {
    this.#stale = true;
    this.#schedule();
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.#later(this.#turn);
  }

  #turn = (): void => {
    this.#scheduled = false;
    for (const entry of take(this.#closed)) this.#settle(entry);
    const finals = take(this.#finals);
    const starts = take(this.#starts);
    const notices = take(this.#notices);
    const changes = take(this.#changes);

    for (const entry of changes)
      for (const item of take(entry.news)) {
        if (typeof item === "function") item();
        else if (!this.#closing) entry.task.changed.emit(item, this.contain);
      }
    for (const entry of finals) this.#remove(entry);
    if (this.#stale) this.#publish();
    for (const entry of finals) this.#conclude(entry);
    for (const [channel, data] of notices) CHANNELS[channel].publish(data);
    for (const start of starts) start();
    if (this.active.size === 0 && !this.#scheduled) for (const idler of [...this.#idlers]) this.#wake(idler);
  };

  #wake(idler: () => void): void {
    this.#idlers.delete(idler);
    idler();
  }

  /** The end of an entry that was taken out of service: with what it had reported by then. */
  #settle(entry: Entry): void {
    const { task, verdict, news } = entry;
    this.sample(entry);
    if (verdict !== undefined && "error" in verdict) task.fail(verdict.error);
    else {
      // what was noted before the cancel and not told is past
      news.splice(0, news.length, ...news.filter((item) => typeof item === "function"));
      task.finishCanceled(verdict?.reason);
    }
    this.finish(entry);
  }

  #remove(entry: Entry): void {
    const { task } = entry;
    if (this.active.size === 1) this.active = new Map();
    else this.active.delete(entry.id);
    if (this.keys.get(entry.token) !== entry) {
      // its key has another task by now
    } else if (this.keys.size === 1) this.keys = new Map();
    else this.keys.delete(entry.token);
    if (task.visible && task.status === "completed") this.#doneWeight += task.weight;
  }

  #publish(): void {
    this.#stale = false;
    let idle = true;
    for (const { task } of this.active.values())
      if (task.visible) {
        idle = false;
        break;
      }
    if (!this.updated.idle && !this.#closing) {
      const update = Object.freeze({ tasks: Object.freeze(this.tasks), progress: this.progress });
      this.updated.emit(update, this.contain);
    }
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
}

const NOTHING: never[] = [];

/** Empties a list and gives what was in it. */
function take<T>(list: T[]): readonly T[] {
  return list.length === 0 ? NOTHING : list.splice(0);
}
