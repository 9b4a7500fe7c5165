import { checkNumber, describe, invalid, KerfworkError } from "../errors.ts";
import { Board, type Entry, type TasksUpdate } from "./board.ts";
import { hear, localLink, type ManagerAccess } from "./children.ts";
import { type Clock, realClock, within } from "./clock.ts";
import { BlockContext } from "./context.ts";
import { ControlBlock } from "./control.ts";
import { asError, Dispatcher, type Ground } from "./dispatcher.ts";
import {
  type FullManagerOptions,
  type ManagerOptions,
  managerOptions,
  type ProcessOptions,
  type TaskOptions,
  type ThreadOptions,
  taskOptions,
} from "./options.ts";
import type { Outcome, Runner } from "./pool.ts";
import type { Call } from "./protocol.ts";
import type { Signal } from "./signal.ts";
import type { ManagerStats } from "./stats.ts";
import {
  type EngineFunction,
  recordTarget,
  type TargetRecord,
  type TaskFunction,
  type WorkerFunction,
} from "./target.ts";
import { keyToken, Task, type TaskKey, type TaskKind, type TaskSnapshot } from "./task.ts";

/** A shutdown waits at least this long for the scheduler to call back for the last tasks, ms. */
const TURN_MS = 1000;

/** Runs background work of all kinds behind one interface: keyed, cancelable, with progress. */
export class TaskManager {
  #options: FullManagerOptions;
  readonly #clock: Clock;
  readonly #board: Board;
  readonly #dispatcher: Dispatcher;
  readonly #access: ManagerAccess;
  /** What a shutdown has to settle or take back. */
  readonly #pending = new Set<() => void>();
  #initialized = false;
  #lastId = 0;
  #droppedEvents = 0;
  #closed: Promise<void> | undefined;

  /** @param ground  for tests: time and runners of their own */
  constructor(options: ManagerOptions = {}, ground: Ground = { clock: realClock }) {
    this.#options = managerOptions(options);
    this.#clock = ground.clock;
    this.#board = new Board(
      (run) => this.#options.scheduler(run),
      (error) => this.#options.onError(error),
    );
    this.#dispatcher = new Dispatcher(this.#board, () => this.#options, ground);
    this.#access = {
      board: this.#board,
      clock: this.#clock,
      look: (entry) => this.#dispatcher.watch.look(entry, true),
      lend: (entry, waiting) => {
        entry.runner?.lend(waiting);
        this.#dispatcher.pump();
      },
      adopt: ({ kind, call, options }, _parent, whenDone) =>
        this.#submit(kind === "thread" ? "thread" : "process", call, { ...options, whenDone }),
      cancel: (entry, reason) => this.#dispatcher.cancel(entry, reason),
      finish: (entry) => this.#dispatcher.finish(entry),
      cancelTask: (key) => this.cancelTask(key),
      getTask: (key) => this.getTask(key),
      dropped: () => {
        this.#droppedEvents++;
      },
    };
  }

  /** Sets the options of a manager that has not run anything yet, such as the default one; once. */
  initialize(options: ManagerOptions): void {
    if (this.#initialized || this.#lastId > 0)
      throw new KerfworkError("INVALID_STATE", "Expected `initialize` once, before the first task");
    this.#options = managerOptions(options);
    this.#initialized = true;
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
    const begin = async (entry: Entry): Promise<Outcome> => {
      const block = new ControlBlock();
      entry.block = block;
      block.begin();
      this.#dispatcher.watch.look(entry, false);
      const context = new BlockContext(block, localLink(entry, this.#access));
      try {
        return { ok: true, value: await run(context, ...args) };
      } catch (error) {
        return { ok: false, error: asError(error) };
      }
    };
    const target = { type: "source", source: "", name: run.name } as const;
    const entry = this.#insert("coroutine", this.#dispatcher.lanes.coroutine, target, args, options, begin);
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
    return this.#submit("process", { target: recordTarget(target), args: args as unknown[] }, options).task;
  }

  /** Runs blocking work on a thread that holds no compute slot. Otherwise as `runProcess`. */
  runThread<A extends unknown[], R>(
    target: EngineFunction<A, R> | WorkerFunction<A, R>,
    args: NoInfer<A>,
    options?: ThreadOptions<Awaited<R>>,
  ): Task<Awaited<R>>;
  runThread<A extends unknown[], R>(
    target: TaskFunction<A, R>,
    args: NoInfer<A>,
    options?: ThreadOptions<Awaited<R>>,
  ): Task<Awaited<R>>;
  runThread(target: unknown, args: unknown, options: ThreadOptions<unknown> = {}): Task<unknown> {
    return this.#submit("thread", { target: recordTarget(target), args: args as unknown[] }, options).task;
  }

  #submit(kind: "process" | "thread", call: Call, options: ProcessOptions<unknown>): Entry {
    const { lanes } = this.#dispatcher;
    const lane =
      kind === "thread" ? lanes.thread : options.isolation === "process" ? lanes.isolated : lanes.process;
    const begin = (entry: Entry): Promise<Outcome> => {
      const runner = entry.runner as Runner;
      const { block, generation } = runner.open();
      entry.block = block;
      entry.generation = generation;
      const transfer = options.transfer ?? [];
      return runner.run({ ...call, transfer, hear: (message) => hear(entry, message, this.#access) });
    };
    return this.#insert(kind, lane, call.target, call.args, options, begin);
  }

  /** Adds a task and, in the same step, cancels the one whose key it takes. The one path for all kinds. */
  #insert(
    kind: TaskKind,
    lane: Entry["lane"],
    target: TargetRecord,
    args: unknown,
    options: ProcessOptions<unknown>,
    begin: Entry["begin"],
  ): Entry {
    if (this.#board.closing)
      throw new KerfworkError("MANAGER_CLOSED", "Expected no submission after `shutdown`");
    if (!Array.isArray(args)) throw invalid("args", "an array of arguments", args);
    const full = taskOptions(kind, options);
    const { key = Symbol("task"), whenDone, whenEvent, signal, group } = options;
    const { ageingMs, maxQueued } = this.#options;
    const token = keyToken(key);
    const old = this.#board.keys.get(token);
    if (old !== undefined && full.replace === "reject" && !old.task.final)
      throw new KerfworkError(
        "KEY_BUSY",
        `Expected no active task of the key ${describe(key)}, there is task ${old.id}`,
      );
    if (this.#dispatcher.queued >= maxQueued)
      throw new KerfworkError(
        "QUEUE_FULL",
        `Expected at most ${maxQueued} waiting tasks: await \`ready()\` first`,
      );
    const id = ++this.#lastId;
    const submittedAt = this.#clock.now();
    const task = new Task<unknown>(id, key, kind, full.visible, full.weight, {
      cancel: (reason) => this.#dispatcher.cancel(entry, reason),
      finish: () => this.#dispatcher.finish(entry),
      observe: () => {
        entry.observed = true;
      },
    });
    const entry: Entry = {
      task,
      id,
      rank: submittedAt / ageingMs - full.priority,
      place: -1,
      token,
      name: target.name || "anonymous",
      target,
      lane,
      group,
      timeoutMs: full.timeoutMs,
      whenDone: whenDone?.bind(options),
      whenEvent: whenEvent?.bind(options),
      begin,
      controller: undefined,
      submittedAt,
      children: undefined,
      unlisten: () => {},
      observed: whenDone !== undefined,
      verdict: undefined,
      finishing: false,
      retries: full.retries,
      inGroup: false,
      startedAt: undefined,
      timer: undefined,
      block: undefined,
      runner: undefined,
      generation: 0,
      news: [],
    };
    const tellOld =
      old &&
      this.#dispatcher.retire(old, { reason: new KerfworkError("CANCELED", "Another task took its key") });
    this.#board.add(entry);
    const unwinding = full.replace === "wait" ? this.#dispatcher.unwinding(token) : [];
    if (unwinding.length > 0) void Promise.all(unwinding).then(() => this.#dispatcher.enqueue(entry));
    else this.#dispatcher.enqueue(entry);
    tellOld?.();
    if (signal?.aborted) this.#dispatcher.cancel(entry, signal.reason);
    else if (signal) {
      const abort = (): boolean => this.#dispatcher.cancel(entry, signal.reason);
      signal.addEventListener("abort", abort, { once: true });
      entry.unlisten = () => signal.removeEventListener("abort", abort);
    }
    return entry;
  }

  /** Resolves when fewer tasks wait than `maxQueued`, for those who submit more than they want to hold in memory. */
  ready(): Promise<void> {
    return this.#dispatcher.ready();
  }

  /** Cancels the active task of a key; false when there is none, or it was canceled before. Never throws. */
  cancelTask(key: TaskKey, reason?: unknown): boolean {
    const entry = this.#board.keys.get(keyToken(key));
    return entry !== undefined && this.#dispatcher.cancel(entry, reason);
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
    return { ...this.#dispatcher.stats(), droppedEvents: this.#droppedEvents };
  }

  // --- the main thread ---

  /** Runs `run` on a turn of the scheduler; settles as it does, or with MANAGER_CLOSED when a shutdown comes first. */
  runOnMain<R>(run: () => R): Promise<Awaited<R>> {
    return new Promise((resolve, reject) => {
      const closed = (): void =>
        reject(new KerfworkError("MANAGER_CLOSED", "The task manager was shut down"));
      if (this.#board.closing) return closed();
      this.#pending.add(closed);
      this.#board.start(() => {
        if (!this.#pending.delete(closed)) return;
        try {
          resolve(run() as Awaited<R>);
        } catch (error) {
          reject(error);
        }
      });
    });
  }

  /** Calls `run` on the main thread in `ms`, unless it is canceled or the manager is shut down before. */
  delay(ms: number, run: () => void): { cancel(): void } {
    checkNumber("ms", ms, { min: 0 });
    if (this.#board.closing)
      throw new KerfworkError("MANAGER_CLOSED", "Expected no `delay` after `shutdown`");
    const cancel = (): void => {
      this.#pending.delete(cancel);
      timer.cancel();
    };
    const fire = (): void => {
      if (!this.#pending.delete(cancel)) return;
      try {
        run();
      } catch (error) {
        this.#board.contain(error);
      }
    };
    this.#pending.add(cancel);
    const timer = this.#clock.after(ms, () => this.#board.start(fire), true);
    return { cancel };
  }

  /** True once no task is active and every `whenDone` has returned; false after `timeoutMs` (default: never). */
  whenIdle({ timeoutMs = Number.POSITIVE_INFINITY }: { readonly timeoutMs?: number } = {}): Promise<boolean> {
    if (timeoutMs !== Number.POSITIVE_INFINITY) checkNumber("timeoutMs", timeoutMs);
    if (this.#board.active.size === 0) return Promise.resolve(true);
    if (timeoutMs <= 0) return Promise.resolve(false);
    return new Promise((resolve) => {
      const idle = this.#board.whenIdle(() => {
        timer?.cancel();
        resolve(true);
      });
      const late = (): void => {
        idle();
        resolve(false);
      };
      const timer =
        timeoutMs === Number.POSITIVE_INFINITY ? undefined : this.#clock.after(timeoutMs, late, true);
    });
  }

  // --- ending ---

  /**
   * Replaces all workers. Running tasks may end within `graceMs` or fail with POOL_RESTARTED, waiting ones run on the new
   * workers; targets that were refused are admitted again.
   */
  restartPool({ graceMs = 1000 }: { readonly graceMs?: number } = {}): Promise<void> {
    return this.#dispatcher.restart(checkNumber("graceMs", graceMs, { min: 0 }));
  }

  /**
   * Cancels all tasks, waits for their code to end, at most `graceMs`, and ends all workers. Nothing can be submitted
   * afterwards. The same promise each time.
   */
  shutdown({ graceMs = 1000 }: { readonly graceMs?: number } = {}): Promise<void> {
    checkNumber("graceMs", graceMs, { min: 0 });
    if (this.#closed === undefined) {
      // set first: what is canceled may ask for a shutdown itself
      let follow!: (done: Promise<void>) => void;
      this.#closed = new Promise((resolve) => {
        follow = resolve;
      });
      follow(this.#shutdown(graceMs));
    }
    return this.#closed;
  }

  async #shutdown(graceMs: number): Promise<void> {
    this.#board.quiet();
    for (const settle of [...this.#pending]) settle();
    this.#pending.clear();
    const settled = [...this.#board.active.values()].map(({ task }) => task.promise.catch(() => {}));
    await this.#dispatcher.close(
      graceMs,
      new KerfworkError("MANAGER_CLOSED", "The task manager was shut down"),
    );
    // a scheduler that has stopped does not stop this
    await within(this.#clock, Math.max(graceMs, TURN_MS), Promise.all(settled));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.shutdown();
  }
}
