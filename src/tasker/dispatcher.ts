import { describe, KerfworkError, restoreError } from "../errors.ts";
import type { Board, Entry } from "./board.ts";
import { type Clock, soon, within } from "./clock.ts";
import { Groups, Lane } from "./lane.ts";
import { isLogged, type LogEntry } from "./log.ts";
import type { FullManagerOptions } from "./options.ts";
import { type Outcome, Pool, type PoolCounts, type Runners } from "./pool.ts";
import { type ManagerStats, Samples } from "./stats.ts";
import { recordTarget, targetIdentity } from "./target.ts";
import { Watch } from "./watch.ts";

/** What a manager stands on; tests put their own in its place. */
export interface Ground {
  readonly clock: Clock;
  /** Makes the runners of a lane, `size` of which run at a time; they count what they do. */
  readonly runners?: (size: number, counts: PoolCounts) => Runners;
}

/** Threads for `runThread` that were idle this long are ended, ms. */
const THREAD_IDLE_MS = 5000;
/** Workers in a row that may fail to start before their tasks fail; the wait before the next, ms, doubles each time. */
const START_TRIES = 3;
const START_WAIT_MS = 20;
/** Canceled code that goes on reporting gets this many times `graceMs` at most. */
const GRACES = 10;

/** Brings entries from their queues to their runners and to their end. */
export class Dispatcher {
  readonly lanes: {
    readonly coroutine: Lane;
    readonly process: Lane;
    readonly thread: Lane;
    readonly isolated: Lane;
  };
  readonly #all: readonly Lane[];
  readonly watch: Watch;
  /** Entries that were taken out of service and whose code has not ended. */
  readonly retiring = new Set<Entry>();
  readonly #board: Board;
  readonly #options: () => FullManagerOptions;
  readonly #clock: Clock;
  readonly #groups: Groups;
  readonly #counts: PoolCounts = { spawned: 0, crashed: 0, killed: 0, recycled: 0 };
  readonly #waits = new Samples();
  readonly #runs = new Samples();
  /** Crashes in a row of each target. */
  readonly #crashes = new Map<string, number>();
  readonly #roomWaiters: (() => void)[] = [];
  #pumping = false;
  /** Restarts that were asked for and are not over; until then no worker gets a task. */
  #restarts = 0;
  #restarted: Promise<void> = Promise.resolve();
  #closing = false;

  constructor(board: Board, options: () => FullManagerOptions, { clock, runners }: Ground) {
    this.#board = board;
    this.#options = options;
    this.#clock = clock;
    this.#groups = new Groups((name) => options().groups[name] ?? 1);
    this.watch = new Watch(
      board,
      clock,
      () => options().progressIntervalMs,
      (entry) => this.#started(entry),
    );
    const pool = (size: () => number, isolation: "thread" | "process", idleMs?: number): Lane =>
      new Lane(() => runners?.(size(), this.#counts) ?? this.#newPool(size(), isolation, idleMs));
    this.lanes = {
      coroutine: new Lane(),
      process: pool(() => options().maxWorkers, "thread"),
      thread: pool(() => options().maxThreads, "thread", THREAD_IDLE_MS),
      isolated: pool(() => options().maxWorkers, "process"),
    };
    this.#all = Object.values(this.lanes);
  }

  #newPool(size: number, isolation: "thread" | "process", idleMs: number | undefined): Pool {
    const { assets, workerInit, recycleBytes, resourceLimits, logLevel, maxWorkers } = this.#options();
    const init = workerInit && { target: recordTarget(workerInit.target), args: workerInit.args ?? [] };
    const options = {
      size,
      isolation,
      idleMs,
      clock: this.#clock,
      worker: assets.worker,
      init,
      recycleBytes,
      resourceLimits,
      logLevel,
      crew: maxWorkers - 1,
      log: ({ level, message, target, error }: LogEntry) =>
        this.#log(level, message, { target, ...(error ? { error: restoreError(error) } : {}) }),
    };
    return new Pool(options, this.#counts);
  }

  stats(): Omit<ManagerStats, "droppedEvents"> {
    return {
      ...this.#counts,
      queued: this.queued,
      running: this.watch.live.size,
      retiring: this.retiring.size,
      threads: this.#all.reduce((sum, lane) => sum + lane.hosts, 0),
      waits: this.#waits.percentiles(),
      runs: this.#runs.percentiles(),
    };
  }

  /** Entries that wait for a runner or for their group. */
  get queued(): number {
    return this.#all.reduce((sum, lane) => sum + lane.queue.size, this.#groups.parked);
  }

  /** Resolves when fewer entries wait than the options allow. */
  ready(): Promise<void> {
    if (this.queued < this.#options().maxQueued || this.#closing) return Promise.resolve();
    return new Promise((resolve) => this.#roomWaiters.push(resolve));
  }

  enqueue(entry: Entry): void {
    if (entry.verdict !== undefined) return;
    entry.lane.queue.push(entry);
    this.pump();
  }

  /** Starts what can be started. Not at once: what its caller cancels, replaces or submits first comes first. */
  pump(): void {
    if (this.#pumping) return;
    this.#pumping = true;
    soon(this.#pump);
  }

  #pump = (): void => {
    this.#pumping = false;
    for (const lane of this.#all) {
      if (lane.resting || (this.#restarts > 0 && !lane.local)) continue;
      for (let entry = lane.queue.peek(); entry !== undefined; entry = lane.queue.peek()) {
        const runner = lane.runner();
        if (runner === undefined) break;
        lane.queue.remove(entry);
        if (this.#refuse(entry) || !this.#groups.enter(entry)) continue;
        this.#start(entry, runner === "local" ? undefined : runner);
      }
    }
    while (this.#roomWaiters.length > 0 && this.queued < this.#options().maxQueued)
      this.#roomWaiters.shift()?.();
  };

  #start(entry: Entry, runner: Entry["runner"]): void {
    entry.runner = runner;
    if (runner !== undefined) this.#run(entry);
    else this.#board.start(() => this.#run(entry));
  }

  /** Runs an entry's code and files what becomes of it; every path ends in `#end`. */
  #run(entry: Entry): void {
    if (entry.verdict !== undefined) return;
    this.watch.add(entry);
    const failed = (error: unknown): void => this.#end(entry, { ok: false, error: asError(error) });
    try {
      entry.begin(entry).then((outcome) => this.#end(entry, outcome), failed);
    } catch (error) {
      failed(error); // no memory for a worker, say
    }
    if (entry.finishing) this.#tellFinish(entry);
    this.watch.look(entry, false);
    this.watch.wind();
  }

  #started(entry: Entry): void {
    const { timeoutMs } = entry;
    entry.startedAt = this.#clock.now();
    this.#waits.add(entry.startedAt - entry.submittedAt);
    this.#board.notice("start", entry);
    if (entry.finishing) this.#tellFinish(entry);
    if (timeoutMs === undefined) return;
    entry.timer = this.#clock.after(timeoutMs, () => {
      const message = `Expected \`${entry.name}\` to end within ${timeoutMs} ms of its start`;
      this.retire(entry, { error: new KerfworkError("TIMEOUT", message, { data: { timeoutMs } }) })?.();
    });
  }

  #end(entry: Entry, outcome: Outcome): void {
    // the last look: nothing that was reported is lost, and the next run has the block
    this.watch.look(entry, true);
    if (entry.verdict !== undefined && !entry.task.final) this.#board.sample(entry);
    entry.block = undefined;
    this.watch.delete(entry);
    this.retiring.delete(entry);
    this.#groups.leave(entry);
    entry.timer?.cancel();
    if (entry.startedAt !== undefined) this.#runs.add(this.#clock.now() - entry.startedAt);
    entry.startedAt = undefined;
    this.pump();
    // a parent that did not come to its end leaves no orphans
    if (!outcome.ok && entry.children)
      for (const child of entry.children.values()) this.cancel(child, outcome.error);
    entry.children = undefined;
    if (this.#account(entry, outcome)) return;
    if (entry.verdict === undefined) this.#finish(entry, outcome);
    entry.task.end();
  }

  #finish(entry: Entry, outcome: Outcome): void {
    if (outcome.ok) entry.task.complete(outcome.value);
    else entry.task.fail(outcome.error);
    this.#board.finish(entry);
  }

  /** Settles an entry that never ran. */
  #fail(entry: Entry, error: Error): void {
    this.#groups.leave(entry);
    this.#finish(entry, { ok: false, error });
    entry.task.end();
  }

  // --- trouble ---

  /** Fails a task whose target keeps ending its workers, instead of giving it another. */
  #refuse(entry: Entry): boolean {
    if (this.#crashes.size === 0) return false;
    const crashes = this.#crashes.get(targetIdentity(entry.target)) ?? 0;
    if (crashes < this.#options().crashLimit) return false;
    const message = `Expected \`${entry.name}\` to leave its worker whole: it crashed ${crashes} times in a row; \`restartPool()\` admits it again`;
    this.#fail(
      entry,
      new KerfworkError("TARGET_REFUSED", message, { data: { target: entry.name, crashes } }),
    );
    return true;
  }

  /** Keeps count of crashes and failed starts; true when the entry went back to its queue. */
  #account(entry: Entry, outcome: Outcome): boolean {
    const { lane } = entry;
    if (lane.local) return false;
    if (!outcome.ok && outcome.lost === "start") return this.#startFailed(entry, outcome.error);
    lane.failures = 0;
    const whole = outcome.ok || outcome.lost === undefined;
    if (whole && this.#crashes.size > 0) this.#crashes.delete(targetIdentity(entry.target));
    if (whole || entry.verdict !== undefined) return false;
    const target = targetIdentity(entry.target);
    const { error } = outcome;
    const crashes = (this.#crashes.get(target) ?? 0) + 1;
    this.#crashes.set(target, crashes);
    this.#board.notice("crash", entry, { crashes, error });
    this.#log("warn", "a worker crashed", { target: entry.name, crashes, error });
    if (entry.retries <= 0) return false;
    entry.retries--;
    this.#requeue(entry);
    return true;
  }

  /** A worker that cannot start is no fault of the task that it was started for: the task tries again, not for ever. */
  #startFailed(entry: Entry, error: Error): boolean {
    const { lane } = entry;
    this.#log("error", "a worker could not start", { error });
    if (++lane.failures < START_TRIES) {
      // all wait in the queue meanwhile, so that whoever fails last fails with the rest
      lane.rest(this.#clock, START_WAIT_MS * 2 ** lane.failures, () => this.pump());
      if (entry.verdict !== undefined) return false;
      this.#requeue(entry);
      return true;
    }
    for (let next = lane.queue.pop(); next !== undefined; next = lane.queue.pop()) this.#fail(next, error);
    return false;
  }

  #log(level: LogEntry["level"], message: string, data: object): void {
    const { logger, logLevel } = this.#options();
    if (logger === undefined || !isLogged(level, logLevel)) return;
    this.#board.start(() => {
      try {
        logger[level](message, data);
      } catch (error) {
        this.#board.contain(error);
      }
    });
  }

  #requeue(entry: Entry): void {
    if (entry.verdict !== undefined) {
      entry.task.end();
      return;
    }
    entry.task.restart();
    this.enqueue(entry);
  }

  // --- taking out of service ---

  cancel(entry: Entry, reason: unknown): boolean {
    const tell = this.retire(entry, { reason });
    tell?.();
    return tell !== undefined;
  }

  /** Asks an entry for what it has; false when it is out of service or was asked before. */
  finish(entry: Entry): boolean {
    if (entry.task.final || entry.verdict !== undefined || entry.finishing) return false;
    entry.finishing = true;
    this.#tellFinish(entry);
    return true;
  }

  #tellFinish({ block, runner, generation }: Entry): void {
    block?.finish(generation);
    runner?.post(generation, { type: "finish", generation }); // for a process, which does not see the block
  }

  /**
   * Takes an entry out of service without running anybody's code; the function returned then tells the code of it.
   * Undefined when there is nothing left to take.
   */
  retire(entry: Entry, verdict: NonNullable<Entry["verdict"]>): (() => void) | undefined {
    const { task } = entry;
    if (task.final || entry.verdict !== undefined) return undefined;
    const reason = "error" in verdict ? verdict.error : verdict.reason;
    entry.verdict = verdict;
    if ("reason" in verdict) task.markCancelled();
    this.#board.close(entry);
    if (entry.children) for (const child of entry.children.values()) this.retire(child, { reason })?.();
    if (!this.watch.delete(entry)) {
      // its code never began
      entry.lane.queue.remove(entry);
      this.#groups.leave(entry);
      this.pump();
      task.end();
      return () => {};
    }
    this.retiring.add(entry);
    entry.block?.cancel(entry.generation);
    this.#ladder(entry);
    return () => {
      entry.runner?.cancel(entry.generation, reason);
      entry.controller?.abort(reason);
    };
  }

  /** Ends the thread under code that neither leaves nor shows a sign of life. */
  #ladder(entry: Entry): void {
    const { runner, block, generation } = entry;
    if (runner === undefined || block === undefined) return;
    const { graceMs } = this.#options();
    let seen = block.heartbeat;
    let rounds = 0;
    const check = (): void => {
      if (!this.retiring.has(entry)) return;
      const now = block.heartbeat;
      if (now === seen || ++rounds === GRACES) runner.kill(generation);
      else this.#clock.after(graceMs, check);
      seen = now;
    };
    this.#clock.after(graceMs, check);
  }

  /** The ends of the code of all that once had the key and is out of service. */
  unwinding(token: unknown): Promise<void>[] {
    return [...this.retiring].filter((entry) => entry.token === token).map(({ task }) => task.ended);
  }

  /** New workers for all: what runs may end within `graceMs`, what waits runs on the new ones. One at a time. */
  restart(graceMs: number): Promise<void> {
    this.#restarts++;
    this.#restarted = this.#restarted.then(() => this.#restart(graceMs));
    return this.#restarted;
  }

  async #restart(graceMs: number): Promise<void> {
    try {
      const running = [...this.watch.live, ...this.retiring].filter(({ lane }) => !lane.local);
      await within(this.#clock, graceMs, Promise.all(running.map(({ task }) => task.ended)));
      for (const entry of running) {
        const message = `The pool was restarted while \`${entry.name}\` ran`;
        this.retire(entry, { error: new KerfworkError("POOL_RESTARTED", message) })?.();
      }
      await Promise.all(this.#all.map((lane) => lane.close()));
      await Promise.all(running.map(({ task }) => task.ended));
      this.#crashes.clear();
    } finally {
      this.#restarts--;
      this.pump();
    }
  }

  /** Takes all out of service, waits for their code for at most `graceMs`, and ends all workers. */
  async close(graceMs: number, error: Error): Promise<void> {
    this.#closing = true;
    for (const resolve of this.#roomWaiters.splice(0)) resolve();
    const entries = [...this.#board.active.values()];
    const tells = entries.map((entry) => this.retire(entry, { reason: error }));
    for (const tell of tells) tell?.();
    await within(this.#clock, graceMs, Promise.all([...this.retiring].map(({ task }) => task.ended)));
    this.watch.stop();
    await Promise.allSettled(this.#all.map((lane) => lane.close()));
  }
}

export function asError(value: unknown): Error {
  return value instanceof Error ? value : new Error(`Thrown value: ${describe(value)}`, { cause: value });
}
