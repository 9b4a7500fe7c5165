import { fileURLToPath } from "node:url";
import { MessageChannel, type MessagePort, receiveMessageOnPort, type Worker } from "node:worker_threads";
import workerpool, { type Pool as Executor } from "workerpool";
import { KerfworkError, restoreError } from "../errors.ts";
import { packArgs, packsAtOnce, SharedBuffers } from "./args.ts";
import { ControlBlock, MEMORY_PAGES } from "./control.ts";
import { environment, type TargetRecord } from "./target.ts";
import type { Answer, Order, WorkerSetup } from "./worker.ts";

/** Workers whose memory outgrew this are ended when idle: shared memory never shrinks. */
const RECYCLE_BYTES = 256 * 2 ** 20;

export interface PoolOptions {
  /** Threads, >= 1. */
  readonly size: number;
  /** The worker script; default: the one that ships beside this file. */
  readonly worker?: string | URL;
  readonly recycleBytes?: number;
}

/** One call of a target. */
export interface Job {
  readonly target: TargetRecord;
  readonly args: readonly unknown[];
  readonly transfer: readonly unknown[];
}

/** How a job ended; a crash says so by an error's code. Running a job never rejects. */
export type Outcome =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly error: Error };

/** What the pool has done since it was made. */
export interface PoolCounts {
  spawned: number;
  crashed: number;
  killed: number;
  recycled: number;
}

/**
 * Worker threads, each in a slot of its own. workerpool starts, watches and ends them; its queue stays empty, since a
 * slot runs one job at a time: its queue would stall after a crash. Arguments and results travel over a port of ours,
 * where what cannot be cloned fails at once and harms nobody.
 */
export class Pool {
  readonly slots: readonly Slot[];
  readonly counts: PoolCounts = { spawned: 0, crashed: 0, killed: 0, recycled: 0 };

  constructor(options: PoolOptions) {
    const buffers = new SharedBuffers();
    const script = fileURLToPath(options.worker ?? new URL("../esm/worker.js", import.meta.url));
    const limit = options.recycleBytes ?? RECYCLE_BYTES;
    this.slots = Array.from({ length: options.size }, () => new Slot(script, buffers, limit, this.counts));
  }

  /** A slot that can take a job now: one with a warm thread if there is any. */
  free(): Slot | undefined {
    const free = this.slots.filter((slot) => !slot.busy);
    return free.find((slot) => slot.warm) ?? free[0];
  }

  /** Ends all threads at once; resolves when they are gone. */
  async close(): Promise<void> {
    await Promise.all(this.slots.map((slot) => slot.end()));
  }
}

/** A place for one worker thread: empty until its first job and after its thread ended. */
export class Slot {
  readonly #script: string;
  readonly #buffers: SharedBuffers;
  readonly #recycleBytes: number;
  readonly #counts: PoolCounts;
  #thread: Thread | undefined;
  #generation = 0;
  #busy = false;
  #ending: "killed" | "closed" | undefined;

  constructor(script: string, buffers: SharedBuffers, recycleBytes: number, counts: PoolCounts) {
    this.#script = script;
    this.#buffers = buffers;
    this.#recycleBytes = recycleBytes;
    this.#counts = counts;
  }

  get busy(): boolean {
    return this.#busy;
  }

  get warm(): boolean {
    return this.#thread !== undefined;
  }

  /** Takes the slot for a job and readies its control block. The job follows with `run`. */
  open(): { block: ControlBlock; generation: number } {
    this.#busy = true;
    this.#ending = undefined;
    if (this.#thread === undefined) {
      this.#thread = new Thread(this.#script);
      this.#counts.spawned++;
    }
    const { block } = this.#thread;
    block.open(++this.#generation);
    return { block, generation: this.#generation };
  }

  /** Runs the job that `open` made room for; resolves when its code has ended and the slot is free again. */
  async run(job: Job): Promise<Outcome> {
    const thread = this.#thread as Thread;
    const { args, transfer } = job;
    const packed = packsAtOnce(args)
      ? { args: [...args], transfer: movable(transfer), staged: [] }
      : await packArgs(args, transfer, this.#buffers);
    let outcome: Outcome;
    try {
      const answer = await thread.run(
        {
          type: "run",
          generation: this.#generation,
          target: job.target,
          args: packed.args,
          staged: packed.staged,
        },
        packed.transfer,
      );
      outcome = answer.error
        ? { ok: false, error: restoreError(answer.error) }
        : { ok: true, value: answer.value };
      if (answer.bytes > this.#recycleBytes) {
        this.#counts.recycled++;
        void this.#drop(thread);
      }
    } catch (error) {
      outcome = { ok: false, error: this.#explain(error as Error, thread, job) };
      if (!(error instanceof KerfworkError)) {
        this.#counts.crashed += this.#ending ? 0 : 1;
        void this.#drop(thread);
      }
    }
    this.#buffers.give(packed.staged);
    this.#busy = false;
    return outcome;
  }

  /** Tells the running job that it is canceled: inside kernels by the control word, to waiting code by its signal. */
  cancel(generation: number, reason: unknown): void {
    this.#thread?.cancel(generation, reason);
  }

  /** Ends the thread under a job that does not obey. */
  kill(generation: number): void {
    if (!this.#busy || generation !== this.#generation || this.#thread === undefined) return;
    this.#ending = "killed";
    this.#counts.killed++;
    void this.#drop(this.#thread);
  }

  async end(): Promise<void> {
    this.#ending = "closed";
    if (this.#thread !== undefined) await this.#drop(this.#thread);
  }

  #drop(thread: Thread): Promise<void> {
    if (this.#thread === thread) this.#thread = undefined;
    return thread.end();
  }

  #explain(error: Error, thread: Thread, job: Job): Error {
    if (error instanceof KerfworkError) return error;
    const name = job.target.name;
    const data = { target: name };
    if (this.#ending === "killed")
      return new KerfworkError(
        "WORKER_CRASHED",
        `The worker was ended, as \`${name}\` did not stop when canceled`,
        { data },
      );
    if (this.#ending === "closed")
      return new KerfworkError("MANAGER_CLOSED", `The pool was closed while \`${name}\` ran`, { data });
    const cause = (error.cause as Error | undefined) ?? error;
    const exit = /exitCode: `(-?\d+)`/.exec(error.message)?.[1];
    const how = exit === undefined ? cause.message : `exit code ${exit}`;
    return thread.ready
      ? new KerfworkError("WORKER_CRASHED", `The worker ended while it ran \`${name}\`: ${how}`, {
          cause,
          data: exit === undefined ? data : { ...data, exitCode: Number(exit) },
        })
      : new KerfworkError("WORKER_INIT", `The worker for \`${name}\` could not start: ${how}`, {
          cause,
          data,
        });
  }
}

/** A live worker thread, its memory and its port. */
class Thread {
  readonly block: ControlBlock;
  readonly #executor: Executor;
  readonly #port: MessagePort;
  #ready = false;
  #answer: (Answer & { type: "done" }) | undefined;
  #ended: Promise<void> | undefined;

  constructor(script: string) {
    const memory = new WebAssembly.Memory({ ...MEMORY_PAGES, shared: true });
    this.block = new ControlBlock(memory.buffer);
    const { port1, port2 } = new MessageChannel();
    this.#port = port1;
    const workerData: WorkerSetup = { memory, port: port2, provided: environment().provided };
    this.#executor = workerpool.pool(script, {
      workerType: "thread",
      maxWorkers: 1,
      workerTerminateTimeout: 1, // ms; its 0 means 1000
      workerThreadOpts: { workerData, transferList: [port2] as never },
    });
    port1.on("message", this.#receive);
    port1.unref();
  }

  /** False until the worker's script has loaded. */
  get ready(): boolean {
    this.#drain();
    return this.#ready;
  }

  async run(order: Order & { type: "run" }, transfer: ArrayBuffer[]): Promise<Answer & { type: "done" }> {
    try {
      this.#port.postMessage(order, transfer);
    } catch (cause) {
      throw new KerfworkError(
        "ARGUMENT_NOT_CLONEABLE",
        `Expected the arguments of \`${order.target.name}\` to be cloneable: ${(cause as Error).message}`,
        { cause },
      );
    }
    if (this.#ended !== undefined) throw new Error("the worker was ended");
    const calls = this.#executor.exec("run", []);
    this.#hold(true);
    try {
      await new Promise<void>((resolve, reject) => {
        calls.then(() => resolve(), reject);
      });
    } finally {
      this.#hold(false);
    }
    this.#drain();
    const answer = this.#answer;
    this.#answer = undefined;
    if (answer?.generation !== order.generation) throw new Error("the worker gave no answer");
    return answer;
  }

  cancel(generation: number, reason: unknown): void {
    this.block.cancel(generation);
    try {
      this.#port.postMessage({ type: "cancel", generation, reason } satisfies Order);
    } catch {
      this.#port.postMessage({ type: "cancel", generation, reason: undefined } satisfies Order);
    }
  }

  end(): Promise<void> {
    this.#ended ??= new Promise((resolve) => {
      const close = (): void => {
        this.#port.close();
        resolve();
      };
      this.#executor.terminate(true).then(close, close);
    });
    return this.#ended;
  }

  /** A thread keeps the process alive only while it runs a job. */
  #hold(running: boolean): void {
    const handler = (this.#executor as unknown as { workers: { worker: Worker | null }[] }).workers[0];
    if (running) handler?.worker?.ref();
    else handler?.worker?.unref();
  }

  #receive = (answer: Answer): void => {
    if (answer.type === "ready") this.#ready = true;
    else this.#answer = answer;
  };

  #drain(): void {
    for (;;) {
      const next = receiveMessageOnPort(this.#port);
      if (next === undefined) return;
      this.#receive(next.message as Answer);
    }
  }
}

/** Buffers that can be moved: shared ones pass by reference, and none may stand twice. */
function movable(transfer: readonly unknown[]): ArrayBuffer[] {
  return [...new Set(transfer)].filter((item): item is ArrayBuffer => !(item instanceof SharedArrayBuffer));
}
