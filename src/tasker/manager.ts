import { describe, invalid, KerfworkError } from "../errors.ts";
import { Board, type Entry, type TasksUpdate } from "./board.ts";
import { BlockContext } from "./context.ts";
import { ControlBlock, RUNNING } from "./control.ts";
import {
  type ManagerOptions,
  managerOptions,
  type ProcessOptions,
  type TaskOptions,
  taskOptions,
} from "./options.ts";
import { type Outcome, Pool, type PoolCounts, type Slot } from "./pool.ts";
import { Queue } from "./queue.ts";
import type { Signal } from "./signal.ts";
import { type EngineFunction, recordTarget, type TaskFunction, type WorkerFunction } from "./target.ts";
import { Task, type TaskKey, type TaskKind, type TaskSnapshot } from "./task.ts";

/** Numbers of the moment, for tests and dashboards. */
export interface ManagerStats extends Readonly<PoolCounts> {
  readonly queued: number;
  readonly running: number;
  /** Canceled tasks whose code has not ended yet. */
  readonly retiring: number;
  /** Live threads. */
  readonly threads: number;
}

/** While a worker has not said that it started, it is looked at this often, ms. */
const START_LOOK_MS = 10;
/** Canceled code that goes on reporting gets this many times `graceMs` at most. */
const GRACES = 10;

/** Runs background work of all kinds behind one interface: keyed, cancelable, with progress. */
export class TaskManager {
  #options: Required<ManagerOptions>;
  #board: Board;
  #initialized = false;
  #lastId = 0;
  #pool: Pool | undefined;
  #closed: Promise<void> | undefined;
  readonly #queue = new Queue<Entry>();
  /** Entries whose code may be running and still counts. */
  readonly #live = new Set<Entry>();
  /** Canceled entries whose code has not ended. */
  readonly #retiring = new Set<Entry>();
  #sampler: NodeJS.Timeout | undefined;
  #sampledAt = 0;

  constructor(options: ManagerOptions = {}) {
    this.#options = managerOptions(options);
    this.#board = this.#newBoard();
  }

  /** Sets the options of a manager that has not run anything yet, such as the default one; once. */
  initialize(options: ManagerOptions): void {
    if (this.#initialized || this.#lastId > 0)
      throw new KerfworkError("INVALID_STATE", "Expected `initialize` once, before the first task");
    this.#options = managerOptions(options);
    this.#initialized = true;
  }

  #newBoard(): Board {
    return new Board(
      (run) => this.#options.scheduler(run),
      (error) => this.#options.onError(error),
    );
  }

  /** Fires after every change of the visible tasks; progress at most once per `progressIntervalMs`. */
  get tasksUpdated(): Signal<TasksUpdate> {
    return this.#board.updated;
  }

  // --- submitting ---

  /** Runs asynchronous code on this thread's event loop, with `context.signal`: network, files, devices. */
  addCoroutine<A extends unknown[], R>(
    run: TaskFunction<A, R>,
    args: NoInfer<A> = [] as unknown[] as A,
    options: TaskOptions<Awaited<R>> = {},
  ): Task<Awaited<R>> {
    if (typeof run !== "function") throw invalid("run", "a function", run);
    const entry = this.#insert("coroutine", args, options, async (entry) => {
      const block = new ControlBlock();
      block.writeState(RUNNING);
      this.#watch(entry, block);
      try {
        return { ok: true, value: await run(new BlockContext(block, entry.controller.signal), ...args) };
      } catch (error) {
        return { ok: false, error: asError(error) };
      }
    });
    this.#board.start(() => {
      if (!entry.task.isCancelled()) this.#run(entry);
    });
    return entry.task as Task<Awaited<R>>;
  }

  /**
   * Runs CPU work on the compute pool, one thread per core. Engine functions get `args` as they are; other targets get
   * the context first. Arguments are read when the task starts: do not change them before that.
   */
  runProcess<A extends unknown[], R>(
    target: EngineFunction<A, R> | WorkerFunction<A, R>,
    args: NoInfer<A>,
    options?: ProcessOptions<Awaited<R>>,
  ): Task<Awaited<R>>;
  runProcess<A extends unknown[], R>(
    target: TaskFunction<A, R>,
    args: NoInfer<A>,
    options?: ProcessOptions<Awaited<R>>,
  ): Task<Awaited<R>>;
  runProcess(target: unknown, args: unknown, options: ProcessOptions<unknown> = {}): Task<unknown> {
    const job = {
      target: recordTarget(target),
      args: args as unknown[],
      transfer: options.transfer ?? [],
    };
    const entry = this.#insert("process", args, options, (entry) => {
      const slot = entry.slot as Slot;
      const { block, generation } = slot.open();
      entry.generation = generation;
      this.#watch(entry, block);
      return slot.run(job);
    });
    // not at once: what the caller cancels, replaces or submits with a higher priority in the same turn comes first
    if (!entry.task.isCancelled()) this.#queue.push(entry);
    queueMicrotask(() => this.#pump());
    return entry.task;
  }

  /** Adds a task and, in the same step, cancels the one whose key it takes. */
  #insert(
    kind: TaskKind,
    args: unknown,
    options: ProcessOptions<unknown>,
    begin: (entry: Entry) => Promise<Outcome>,
  ): Entry {
    if (this.#closed) throw new KerfworkError("MANAGER_CLOSED", "Expected no submission after `shutdown`");
    if (!Array.isArray(args)) throw invalid("args", "an array of arguments", args);
    const { visible, weight, priority } = taskOptions(options, kind !== "coroutine");
    const { key = Symbol("task"), whenDone, signal } = options;
    const token = keyToken(key);
    const id = ++this.#lastId;
    const task = new Task<unknown>(id, key, kind, visible, weight, {
      cancel: (reason) => this.#cancel(entry, reason),
      observe: () => {
        entry.observed = true;
      },
    });
    const entry: Entry = {
      task,
      id,
      priority,
      token,
      whenDone: whenDone?.bind(options),
      begin,
      controller: new AbortController(),
      unlisten: () => {},
      observed: whenDone !== undefined,
      reason: undefined,
      block: undefined,
      slot: undefined,
      generation: 0,
      news: [],
    };
    const old = this.#board.keys.get(token);
    const tellOld = old && this.#retire(old, new KerfworkError("CANCELED", "Another task took its key"));
    this.#board.add(entry);
    tellOld?.();
    if (signal?.aborted) this.#cancel(entry, signal.reason);
    else if (signal) {
      const abort = (): boolean => this.#cancel(entry, signal.reason);
      signal.addEventListener("abort", abort, { once: true });
      entry.unlisten = () => signal.removeEventListener("abort", abort);
    }
    return entry;
  }

  // --- running ---

  /** Starts waiting tasks while there are free threads. */
  #pump(): void {
    while (this.#queue.size > 0 && !this.#closed) {
      const { maxWorkers, assets, recycleBytes } = this.#options;
      this.#pool ??= new Pool({ size: maxWorkers, recycleBytes, ...assets });
      const slot = this.#pool.free();
      if (slot === undefined) return;
      const entry = this.#queue.pop() as Entry;
      entry.slot = slot;
      this.#run(entry);
    }
  }

  /** Runs an entry's code and files what becomes of it; every path ends in `#end`. */
  #run(entry: Entry): void {
    this.#live.add(entry);
    entry.begin(entry).then(
      (outcome) => this.#end(entry, outcome),
      (error) => this.#end(entry, { ok: false, error: asError(error) }),
    );
  }

  #end(entry: Entry, outcome: Outcome): void {
    const { task } = entry;
    if (!task.isCancelled()) {
      // the last look: nothing that was reported is lost
      this.#look(entry, true);
      if (outcome.ok) task.complete(outcome.value);
      else task.fail(outcome.error);
      this.#board.finish(entry);
    }
    this.#live.delete(entry);
    this.#retiring.delete(entry);
    task.end();
    this.#pump();
  }

  // --- canceling ---

  /** Cancels the active task of a key; false when there is none, or it was canceled before. Never throws. */
  cancelTask(key: TaskKey, reason?: unknown): boolean {
    const entry = this.#board.keys.get(keyToken(key));
    return entry !== undefined && this.#cancel(entry, reason);
  }

  #cancel(entry: Entry, reason: unknown): boolean {
    const tell = this.#retire(entry, reason);
    tell?.();
    return tell !== undefined;
  }

  /**
   * Takes an entry out of service without running anybody's code; the function returned then tells the code of it.
   * Undefined when there is nothing to cancel.
   */
  #retire(entry: Entry, reason: unknown): (() => void) | undefined {
    const { task } = entry;
    if (task.final || task.isCancelled()) return undefined;
    task.markCancelled();
    entry.reason = reason;
    this.#board.cancel(entry);
    this.#queue.remove(entry);
    if (!this.#live.delete(entry)) {
      task.end();
      return () => {};
    }
    this.#retiring.add(entry);
    entry.block?.cancel(entry.generation);
    this.#ladder(entry);
    return () => {
      entry.slot?.cancel(entry.generation, reason);
      entry.controller.abort(reason);
    };
  }

  /** Ends the thread under canceled code that neither leaves nor shows a sign of life. */
  #ladder(entry: Entry): void {
    const { slot, block, generation } = entry;
    if (slot === undefined || block === undefined) return;
    let seen = block.heartbeat;
    let rounds = 0;
    const check = (): void => {
      if (!this.#retiring.has(entry)) return;
      const now = block.heartbeat;
      if (now === seen || ++rounds === GRACES) slot.kill(generation);
      else setTimeout(check, this.#options.graceMs).unref();
      seen = now;
    };
    setTimeout(check, this.#options.graceMs).unref();
  }

  // --- watching ---

  #watch(entry: Entry, block: ControlBlock): void {
    entry.block = block;
    this.#look(entry, false);
    this.#sample();
  }

  /** Looks at the control blocks of the live entries, as long as there are any. */
  #sample(): void {
    if (this.#sampler !== undefined || this.#live.size === 0) return;
    const { progressIntervalMs } = this.#options;
    const starting = [...this.#live].some(({ task }) => task.status === "pending");
    const look = (): void => {
      this.#sampler = undefined;
      const due = performance.now() - this.#sampledAt >= progressIntervalMs - 1;
      if (due) this.#sampledAt = performance.now();
      for (const entry of this.#live) this.#look(entry, due);
      this.#sample();
    };
    const wait = starting ? Math.min(START_LOOK_MS, progressIntervalMs) : progressIntervalMs;
    this.#sampler = setTimeout(look, wait).unref();
  }

  /** Takes over what an entry's code has reported; its progress and message only when that is due. */
  #look(entry: Entry, due: boolean): void {
    const { task, block } = entry;
    if (!block?.started) return;
    if (task.update("running", task.progress, task.message)) this.#board.tell(entry);
    if (due && task.update("running", block.readProgress(), block.readMessage())) this.#board.tell(entry);
  }

  // --- looking from outside ---

  /** The active task of a key, visible or not. */
  getTask(key: TaskKey): Task<unknown> | undefined {
    return this.#board.keys.get(keyToken(key))?.task;
  }

  /** Number of active visible tasks. */
  get size(): number {
    return this.#board.tasks.length;
  }

  hasTasks(): boolean {
    return this.size > 0;
  }

  /** Weighted mean over the batch of visible tasks, which runs from idle to idle; 1 when idle. */
  get progress(): number {
    return this.#board.progress;
  }

  /** The active visible tasks as they are now, in order of submission. */
  *[Symbol.iterator](): IterableIterator<TaskSnapshot> {
    yield* this.#board.tasks;
  }

  stats(): ManagerStats {
    const none = { spawned: 0, crashed: 0, killed: 0, recycled: 0 };
    return {
      queued: this.#queue.size,
      running: this.#live.size,
      retiring: this.#retiring.size,
      threads: this.#pool?.slots.filter((slot) => slot.warm).length ?? 0,
      ...(this.#pool?.counts ?? none),
    };
  }

  // --- ending ---

  /**
   * Cancels all tasks, waits for their code to end, at most `graceMs`, and ends all threads. Nothing can be submitted
   * afterwards. The same promise each time.
   */
  shutdown({ graceMs = 1000 }: { readonly graceMs?: number } = {}): Promise<void> {
    this.#closed ??= this.#shutdown(graceMs);
    return this.#closed;
  }

  async #shutdown(graceMs: number): Promise<void> {
    const entries = [...this.#board.active.values()];
    const tells = entries.map((entry) =>
      this.#retire(entry, new KerfworkError("MANAGER_CLOSED", "The task manager was shut down")),
    );
    for (const tell of tells) tell?.();
    const ended = [...this.#retiring, ...entries].map(({ task }) => task.ended);
    const settled = entries.map(({ task }) => task.promise.catch(() => {}));
    let timer: NodeJS.Timeout | undefined;
    const deadline = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, graceMs);
    });
    await Promise.race([Promise.all(ended), deadline]);
    clearTimeout(timer);
    clearTimeout(this.#sampler);
    await this.#pool?.close();
    await Promise.all(settled);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.shutdown();
  }
}

/** A key as a map compares it: arrays by value. */
function keyToken(key: TaskKey): unknown {
  if (Array.isArray(key) && key.every((part) => typeof part === "string" || typeof part === "number"))
    return `[${key.map((part) => JSON.stringify(part)).join()}]`;
  if (typeof key === "string") return `"${key}`;
  if (typeof key === "number" || typeof key === "symbol") return key;
  throw invalid("key", "a string, number, symbol or array of strings and numbers", key);
}

function asError(value: unknown): Error {
  return value instanceof Error ? value : new Error(`Thrown value: ${describe(value)}`, { cause: value });
}
