// For users' own tests: a manager whose time stands still and whose tasks all run on the calling thread.
import { invalid, KerfworkError } from "../errors.ts";
import { argumentError } from "./args.ts";
import type { Clock, Timer } from "./clock.ts";
import { BlockContext, type ContextLink, canceled } from "./context.ts";
import { ControlBlock } from "./control.ts";
import { TaskManager } from "./manager.ts";
import type { ManagerOptions } from "./options.ts";
import type { Job, Outcome, PoolCounts, Runner, Runners } from "./pool.ts";
import type { EventAnswer, Order } from "./protocol.ts";
import { environment, resolveTarget } from "./target.ts";

/** What a test can set; the rest has no meaning without threads. */
export type TestManagerOptions = Omit<
  ManagerOptions,
  "scheduler" | "workerInit" | "assets" | "recycleBytes" | "resourceLimits"
>;

/** A manager and the hands that move it. */
export interface TestManager {
  /** The same class as ever. `maxWorkers` and `maxThreads` hold: tasks beyond them wait in their queue. */
  readonly manager: TaskManager;
  /** The manager's time, ms; 0 at first. It moves in `advance` alone. */
  readonly clock: { now(): number };
  /** Lets the time pass: timeouts, delays and progress events that fall due happen, each at its own time. */
  advance(ms: number): Promise<void>;
  /** Lets everything happen that needs no time: starts, ends, callbacks. Resolves when all is quiet. */
  settle(): Promise<void>;
}

/**
 * Makes a manager for tests: no thread, no process, no real time, the same order of events in each run.
 *
 * Targets of `runProcess` and `runThread` run on the calling thread; arguments, results and events are cloned as on the
 * way to a thread, so that what cannot be sent fails here too, and literals may use nothing from outside. Code that spins
 * until it is canceled would spin for ever: let it await. A target that throws a `KerfworkError` of code WORKER_CRASHED
 * stands for one that ends its worker. Targets that submit tasks of their own reach the default manager, not this one.
 * Timers of the code itself are real ones.
 *
 * @example
 * const { manager, advance, settle } = createTestManager({ maxWorkers: 1 });
 * const task = manager.addCoroutine((context) => new Promise(() => {}), [], { timeoutMs: 60_000 });
 * await settle(); // task.status is "running"
 * await advance(60_000); // task.status is "failed", task.error.code is "TIMEOUT"
 */
export function createTestManager(options: TestManagerOptions = {}): TestManager {
  for (const name of ["scheduler", "workerInit", "assets", "recycleBytes", "resourceLimits"])
    if (name in options) throw invalid("options", "options of a manager without threads", name);
  const clock = new TestClock();
  const turns: (() => void)[] = [];
  const loading = new Set<Promise<unknown>>();
  const manager = new TaskManager(
    { maxWorkers: 1, ...options, scheduler: (run) => void turns.push(run) },
    { clock, runners: (size, counts) => new InlineRunners(size, counts, clock, loading) },
  );

  const settle = async (): Promise<void> => {
    for (;;) {
      for (let turn = turns.shift(); turn !== undefined; turn = turns.shift()) turn();
      // by then all microtasks have run, and what they started
      await new Promise((resolve) => setImmediate(resolve));
      if (loading.size > 0) await Promise.allSettled(loading);
      else if (turns.length === 0) return;
    }
  };
  const advance = async (ms: number): Promise<void> => {
    await settle();
    const end = clock.now() + ms;
    while (clock.fire(end)) await settle();
  };
  return { manager, clock, advance, settle };
}

/** Time that moves by hand. */
class TestClock implements Clock {
  #now = 0;
  readonly #timers = new Set<{ readonly at: number; readonly run: () => void }>();

  now(): number {
    return this.#now;
  }

  after(ms: number, run: () => void): Timer {
    const timer = { at: this.#now + Math.max(ms, 0), run };
    this.#timers.add(timer);
    return { cancel: () => this.#timers.delete(timer) };
  }

  /** Moves to the next timer and fires it, or to `end`, then false. Of those at one time, the first made fires first. */
  fire(end: number): boolean {
    let next: { readonly at: number; readonly run: () => void } | undefined;
    for (const timer of this.#timers)
      if (timer.at <= end && (next === undefined || timer.at < next.at)) next = timer;
    this.#now = next?.at ?? end;
    if (next === undefined) return false;
    this.#timers.delete(next);
    next.run();
    return true;
  }
}

/** As a pool, but of runners on the calling thread. */
class InlineRunners implements Runners {
  /** No thread is alive, ever. */
  readonly hosts = 0;
  readonly #size: number;
  readonly #make: () => InlineRunner;
  readonly #all: InlineRunner[] = [];

  constructor(size: number, counts: PoolCounts, clock: Clock, loading: Set<Promise<unknown>>) {
    this.#size = size;
    this.#make = () => new InlineRunner(counts, clock, loading);
  }

  free(): Runner | undefined {
    const idle = this.#all.find((runner) => !runner.busy);
    if (idle !== undefined || this.#all.length === this.#size) return idle;
    const runner = this.#make();
    this.#all.push(runner);
    return runner;
  }

  async close(): Promise<void> {
    for (const runner of this.#all) runner.end("the worker was ended");
  }
}

class InlineRunner implements Runner {
  readonly #counts: PoolCounts;
  readonly #clock: Clock;
  readonly #loading: Set<Promise<unknown>>;
  readonly #block = new ControlBlock();
  #generation = 0;
  #run: InlineRun | undefined;
  #lose: (outcome: Outcome) => void = () => {};
  busy = false;

  constructor(counts: PoolCounts, clock: Clock, loading: Set<Promise<unknown>>) {
    this.#counts = counts;
    this.#clock = clock;
    this.#loading = loading;
  }

  open(): { block: ControlBlock; generation: number } {
    this.busy = true;
    this.#block.open(++this.#generation);
    return { block: this.#block, generation: this.#generation };
  }

  async run(job: Job): Promise<Outcome> {
    const run = new InlineRun(job.hear, this.#clock);
    const lost = new Promise<Outcome>((resolve) => {
      this.#lose = resolve;
    });
    this.#run = run;
    const outcome = await Promise.race([lost, this.#execute(job, run)]);
    run.over = true;
    this.busy = false;
    return outcome;
  }

  async #execute({ target, args, transfer }: Job, run: InlineRun): Promise<Outcome> {
    const { name } = target;
    const moved = [...new Set(transfer)].filter((item) => !(item instanceof SharedArrayBuffer));
    let sent: unknown[];
    try {
      sent = structuredClone([...args], { transfer: moved as ArrayBuffer[] });
    } catch (cause) {
      return { ok: false, error: argumentError(name, cause) };
    }
    const context = new BlockContext(this.#block, run);
    let value: unknown;
    try {
      const code = await this.#load(resolveTarget(target));
      if (run.over || this.#block.isCancelled()) throw canceled(run.signal.reason);
      this.#block.begin();
      run.flush(); // that it runs shows now, not when somebody looks
      const surroundings = environment();
      const before = surroundings.reporter;
      surroundings.reporter = context;
      try {
        value = code(context, ...sent);
      } finally {
        surroundings.reporter = before;
      }
      value = await value;
    } catch (error) {
      return this.#failure(error);
    }
    try {
      return { ok: true, value: structuredClone(value) };
    } catch (cause) {
      const message = `Expected the result of \`${name}\` to be cloneable: ${(cause as Error).message}`;
      return { ok: false, error: new KerfworkError("RESULT_NOT_CLONEABLE", message, { cause }) };
    }
  }

  #failure(thrown: unknown): Outcome {
    const error = thrown instanceof Error ? thrown : new Error(`Thrown value: ${String(thrown)}`);
    if (!(error instanceof KerfworkError) || error.code !== "WORKER_CRASHED") return { ok: false, error };
    this.#counts.crashed++;
    return { ok: false, error, lost: "crash" };
  }

  async #load<T>(loaded: Promise<T>): Promise<T> {
    this.#loading.add(loaded);
    try {
      return await loaded;
    } finally {
      this.#loading.delete(loaded);
    }
  }

  cancel(generation: number, reason: unknown): void {
    if (!this.busy || generation !== this.#generation) return;
    this.#block.cancel(generation);
    this.#run?.controller.abort(reason);
  }

  kill(generation: number): void {
    if (!this.busy || generation !== this.#generation) return;
    this.#counts.killed++;
    this.end("it did not stop when told to");
  }

  end(why: string): void {
    const error = new KerfworkError("WORKER_CRASHED", `The worker was ended: ${why}`);
    this.#lose({ ok: false, error, lost: "crash" });
  }

  post(generation: number, order: Order): void {
    if (this.busy && generation === this.#generation) this.#run?.receive(order);
  }

  lend(): void {}
}

/** One target at work: its context's link to the manager, which clones as the way between threads does. */
class InlineRun implements ContextLink {
  readonly controller = new AbortController();
  readonly signal = this.controller.signal;
  readonly reported = undefined;
  over = false;
  readonly #hear: Job["hear"];
  readonly #clock: Clock;
  readonly #replies = new Map<number, (answer: EventAnswer) => void>();
  #correlation = 0;

  constructor(hear: Job["hear"], clock: Clock) {
    this.#hear = hear;
    this.#clock = clock;
  }

  receive(order: Order): void {
    if (order.type === "reply") this.#replies.get(order.correlation)?.(order.value as EventAnswer);
  }

  flush(): void {
    this.#hear({ type: "flush" });
  }

  send(name: string, data: unknown, transfer: readonly ArrayBuffer[], correlation?: number): void {
    const sent = structuredClone(data, { transfer: [...transfer] });
    this.#hear({ type: "event", name, data: sent, correlation });
  }

  ask(
    name: string,
    data: unknown,
    timeoutMs: number,
    transfer: readonly ArrayBuffer[],
  ): Promise<EventAnswer> {
    const correlation = ++this.#correlation;
    return new Promise((resolve) => {
      const timer = this.#clock.after(timeoutMs, () => settle("timeout"));
      const settle = (answer: EventAnswer): void => {
        timer.cancel();
        this.#replies.delete(correlation);
        resolve(answer);
      };
      this.#replies.set(correlation, settle);
      this.send(name, data, transfer, correlation);
    });
  }

  askSync(): never {
    throw new KerfworkError(
      "INVALID_STATE",
      "Expected `sendEventAndWaitSync` in a worker: this thread may not block",
    );
  }
}
