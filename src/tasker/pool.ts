import { fileURLToPath } from "node:url";
import type { ResourceLimits } from "node:worker_threads";
import { KerfworkError, restoreError } from "../errors.ts";
import { argumentError, movable, type Packed, packArgs, packsAtOnce, SharedBuffers } from "./args.ts";
import { Child } from "./child.ts";
import type { Clock, Timer } from "./clock.ts";
import type { ControlBlock } from "./control.ts";
import type { LogEntry, LogLevel } from "./log.ts";
import type { Call, Done, Message, Order } from "./protocol.ts";
import { type Host, Thread } from "./thread.ts";

export interface PoolOptions {
  /** Hosts that run at the same time, >= 1. */
  readonly size: number;
  readonly isolation: "thread" | "process";
  readonly clock: Clock;
  /** The worker script (default: the one that ships beside this file). */
  readonly worker?: string | URL | undefined;
  /** Run in each host before its first job. */
  readonly init?: Call | undefined;
  /** A host whose memory grew beyond this is ended when idle: shared memory never shrinks. */
  readonly recycleBytes: number;
  readonly resourceLimits: ResourceLimits | undefined;
  readonly logLevel: LogLevel;
  readonly log: (entry: LogEntry) => void;
  /** Threads of the compute pool beside one. */
  readonly crew: number;
  /** A host that was idle this long is ended; undefined keeps it. */
  readonly idleMs?: number | undefined;
}

/** One call of a target. */
export interface Job extends Call {
  readonly transfer: readonly unknown[];
  /** Gets what the code sends while it runs. */
  readonly hear: (message: Message) => void;
}

/** How a job ended. Running a job never rejects. */
export type Outcome =
  | { readonly ok: true; readonly value: unknown }
  | {
      readonly ok: false;
      readonly error: Error;
      /** The host is gone: it could not start, or ended under the code. */
      readonly lost?: "start" | "crash";
    };

/** What pools have done since they were made. */
export interface PoolCounts {
  spawned: number;
  crashed: number;
  killed: number;
  recycled: number;
}

/** Where jobs run: real pools, or the inline one for tests. */
export interface Runners {
  /** A runner that can take a job now, or undefined. */
  free(): Runner | undefined;
  /** Live hosts. */
  readonly hosts: number;
  close(): Promise<void>;
}

/** Takes one job at a time: `open`, then `run`. */
export interface Runner {
  /** Takes the runner and readies its control block. */
  open(): { readonly block: ControlBlock; readonly generation: number };
  /** Resolves when the job's code has ended and the runner is free again. */
  run(job: Job): Promise<Outcome>;
  /** Tells the running job that it is canceled: inside kernels by the control word, to waiting code by its signal. */
  cancel(generation: number, reason: unknown): void;
  /** Ends the host under a job that does not obey. */
  kill(generation: number): void;
  post(generation: number, order: Order, transfer?: ArrayBuffer[]): void;
  /** Says that the running job waits for others, so that another may run in its place. */
  lend(waiting: boolean): void;
}

/**
 * Hosts, each in a slot of its own. workerpool's queue stays empty, since a slot runs one job at a time: its queue would
 * stall after a crash.
 */
export class Pool implements Runners {
  readonly #options: PoolOptions;
  readonly #counts: PoolCounts;
  readonly #buffers = new SharedBuffers();
  readonly #slots: Slot[] = [];

  constructor(options: PoolOptions, counts: PoolCounts) {
    this.#options = options;
    this.#counts = counts;
  }

  /** Prefers a slot whose host is up. There are more slots than `size` while running jobs wait for their children. */
  free(): Slot | undefined {
    let working = 0;
    let free: Slot | undefined;
    for (const slot of this.#slots) {
      if (slot.busy) working += slot.lent ? 0 : 1;
      else if (free === undefined || (slot.up && !free.up)) free = slot;
    }
    if (working >= this.#options.size) return undefined;
    if (free !== undefined) return free;
    const fresh = new Slot(this.#options, this.#buffers, this.#counts, () => this.#shrink());
    this.#slots.push(fresh);
    return fresh;
  }

  get hosts(): number {
    return this.#slots.filter((slot) => slot.up).length;
  }

  async close(): Promise<void> {
    await Promise.all(this.#slots.map((slot) => slot.end()));
  }

  /** Gives back the hosts that were needed only while others waited, once those do not wait any more. */
  #shrink(): void {
    if (this.#slots.length <= this.#options.size) return;
    const lent = this.#slots.filter((slot) => slot.lent).length;
    let spare = this.#slots.length - this.#options.size - lent;
    for (const slot of [...this.#slots]) {
      if (spare <= 0) return;
      if (slot.busy) continue;
      void slot.end();
      this.#slots.splice(this.#slots.indexOf(slot), 1);
      spare--;
    }
  }
}

/** A place for one host: empty until its first job and after its host ended. */
class Slot implements Runner {
  readonly #options: PoolOptions;
  readonly #buffers: SharedBuffers;
  readonly #counts: PoolCounts;
  readonly #freed: () => void;
  #host: Host | undefined;
  #generation = 0;
  #busy = false;
  #lent = false;
  #ending: "killed" | "closed" | undefined;
  #idle: Timer | undefined;

  constructor(options: PoolOptions, buffers: SharedBuffers, counts: PoolCounts, freed: () => void) {
    this.#options = options;
    this.#buffers = buffers;
    this.#counts = counts;
    this.#freed = freed;
  }

  get busy(): boolean {
    return this.#busy;
  }

  get lent(): boolean {
    return this.#lent;
  }

  /** True while there is a live host in it. */
  get up(): boolean {
    return this.#host !== undefined && !this.#host.lost;
  }

  lend(waiting: boolean): void {
    this.#lent = waiting;
  }

  open(): { block: ControlBlock; generation: number } {
    this.#ending = undefined;
    this.#idle?.cancel();
    // one that died while idle, by what a task had left behind, is no failure of the next
    if (this.#host?.lost) void this.#drop(this.#host);
    if (this.#host === undefined) {
      const { isolation, worker, init, resourceLimits, logLevel, log, crew } = this.#options;
      const script = fileURLToPath(worker ?? new URL("../esm/worker.js", import.meta.url));
      const options = { script, init, resourceLimits, logLevel, log, crew };
      this.#host = isolation === "thread" ? new Thread(options) : new Child(options);
      this.#counts.spawned++;
    }
    const { block } = this.#host;
    block.open(++this.#generation);
    this.#busy = true;
    return { block, generation: this.#generation };
  }

  // written without `async`: a promise more for each of its steps is what a small task would feel
  run(job: Job): Promise<Outcome> {
    const { args, transfer } = job;
    const unfit = (cause: unknown): Outcome =>
      this.#free({ ok: false, error: argumentError(job.target.name, cause) });
    try {
      if (this.#options.isolation === "process" || packsAtOnce(args))
        return this.#call(job, { args, transfer: movable(transfer), staged: [] });
    } catch (cause) {
      return Promise.resolve(unfit(cause)); // a getter threw
    }
    return packArgs(args, transfer, this.#buffers).then((packed) => this.#call(job, packed), unfit);
  }

  #call({ target, hear }: Job, { args, transfer, staged }: Packed): Promise<Outcome> {
    const host = this.#host as Host;
    const order = { type: "run", generation: this.#generation, target, args, staged } as const;
    return host.run(order, transfer, hear).then(
      (done) => {
        this.#buffers.give(staged);
        return this.#free(this.#take(done, host));
      },
      (error) => this.#free(this.#failed(error, host, target.name)),
    );
  }

  #take(done: Done, host: Host): Outcome {
    const unfit = done.unfit === true;
    if (done.bytes > this.#options.recycleBytes || unfit) {
      this.#counts.recycled += unfit ? 0 : 1;
      void this.#drop(host);
    }
    if (done.error === undefined) return { ok: true, value: done.value };
    return { ok: false, error: restoreError(done.error), ...(unfit ? { lost: "start" } : {}) };
  }

  /** An error that is ours left the host whole; buffers it might still write to are given up. */
  #failed(thrown: Error, host: Host, name: string): Outcome {
    if (thrown instanceof KerfworkError) return { ok: false, error: thrown };
    this.#counts.crashed += this.#ending ? 0 : 1;
    void this.#drop(host);
    const error = this.#explain(thrown, host, name);
    return { ok: false, error, lost: error.code === "WORKER_INIT" ? "start" : "crash" };
  }

  #free(outcome: Outcome): Outcome {
    this.#busy = false;
    this.#lent = false;
    const { idleMs, clock } = this.#options;
    if (idleMs !== undefined && this.up) this.#idle = clock.after(idleMs, () => void this.end());
    this.#freed();
    return outcome;
  }

  cancel(generation: number, reason: unknown): void {
    const host = this.#host;
    if (!this.#busy || host === undefined || generation !== this.#generation) return;
    host.block.cancel(generation);
    if (host instanceof Child) this.#ending = "killed";
    try {
      host.post({ type: "cancel", generation, reason });
    } catch {
      host.post({ type: "cancel", generation, reason: undefined }); // the reason cannot be cloned
    }
  }

  kill(generation: number): void {
    if (!this.#busy || generation !== this.#generation || this.#host === undefined) return;
    this.#ending = "killed";
    this.#counts.killed++;
    void this.#drop(this.#host);
  }

  post(generation: number, order: Order, transfer: ArrayBuffer[] = []): void {
    if (this.#busy && generation === this.#generation) this.#host?.post(order, transfer);
  }

  async end(): Promise<void> {
    this.#ending = "closed";
    this.#idle?.cancel();
    if (this.#host !== undefined) await this.#drop(this.#host);
  }

  #drop(host: Host): Promise<void> {
    if (this.#host === host) this.#host = undefined;
    return host.end();
  }

  #explain(error: Error, host: Host, name: string): KerfworkError {
    const data = { target: name };
    if (this.#ending === "killed")
      return new KerfworkError(
        "WORKER_CRASHED",
        `The worker was ended, as \`${name}\` did not stop when told to`,
        { data },
      );
    if (this.#ending === "closed")
      return new KerfworkError("WORKER_CRASHED", `The worker was ended while it ran \`${name}\``, { data });
    const cause = (error.cause as Error | undefined) ?? error;
    const [, exit, signal] = /exitCode: `(\S*)`\s+signalCode: `(\S*)`/.exec(error.message) ?? [];
    const known = (word: string | undefined): word is string =>
      word !== undefined && !/^(null|undefined)$/.test(word);
    const how = known(exit) ? `exit code ${exit}` : known(signal) ? `signal ${signal}` : cause.message;
    const facts = {
      ...data,
      ...(known(exit) ? { exitCode: Number(exit) } : {}),
      ...(known(signal) ? { signal } : {}),
    };
    return host.ready
      ? new KerfworkError("WORKER_CRASHED", `The worker ended while it ran \`${name}\`: ${how}`, {
          cause,
          data: facts,
        })
      : new KerfworkError("WORKER_INIT", `The worker for \`${name}\` could not start: ${how}`, {
          cause,
          data: facts,
        });
  }
}
