import { KerfworkError } from "../errors.ts";
import { ControlBlock, clamp01 } from "./control.ts";
import type { EventAnswer } from "./protocol.ts";

/**
 * What a task's code gets as its first argument, in every kind of task: a way to report and a way to be stopped.
 * Reporting is a store to memory: it never waits, throws or floods anybody; the manager looks when it needs to. What a
 * process has stored is sent to it, at most every 50 ms.
 */
export interface ExecutionContext {
  /** Reports `value` of the total, clamped to 0..total; a value that is not a finite number is ignored. */
  setProgress(value: number): void;
  /** Sets what `setProgress` counts up to (default 1); a total that is not finite or <= 0 means 1. */
  setTotal(total: number): void;
  /** Shows a text beside the progress; the latest wins, cut at 1024 bytes of UTF-8. */
  setMessage(message: string): void;
  /** Shows what was reported now, not at the manager's next look. */
  flush(): void;
  /** True once cancellation was requested, from then on; one atomic load. */
  isCancelled(): boolean;
  /**
   * True once `task.finish()` was called: somebody wants what there is by now. Code that betters its result step by step
   * looks between steps, and returns early.
   */
  isFinishing(): boolean;
  /** Throws a CANCELED `KerfworkError` once cancellation was requested. */
  throwIfCancelled(): void;
  /** Aborts with the cancellation; for fetch, timers and other asynchronous work. */
  readonly signal: AbortSignal;
  /** A context whose 0..1 is the range `base..base + range` of this one's. */
  subContext(base: number, range: number, total?: number): ExecutionContext;
  /**
   * Hands `data` to the task's `whenEvent`, in order and before the task is final. Buffers in `transfer` move.
   * A worker, thread or process, that is 1000 unhandled events ahead waits, so that none is lost and memory stays
   * bounded. On Windows a process does not wait.
   */
  sendEvent(name: string, data?: unknown, transfer?: readonly ArrayBuffer[]): void;
  /**
   * As `sendEvent`; resolves with `"ack"` when the handler has returned, `"nack"` when there is none, it threw or the
   * task is canceled, `"timeout"` after `timeoutMs` (default 5000). After anything but `"ack"` the data is still yours.
   */
  sendEventAndWait(name: string, data?: unknown, options?: AskOptions): Promise<EventAnswer>;
  /**
   * As `sendEventAndWait`, for synchronous code in a worker: blocks its thread.
   * @throws INVALID_STATE  on the main thread, and in a process on Windows
   */
  sendEventAndWaitSync(name: string, data?: unknown, options?: AskOptions): EventAnswer;
}

export interface AskOptions {
  /** Longest wait, ms (default 5000). */
  readonly timeoutMs?: number;
  readonly transfer?: readonly ArrayBuffer[];
}

/**
 * What kernels report through: the stage that runs. Engine functions call `beginStage` before a kernel; the kernel's
 * count of units then moves the progress from `base` to `base + span` without any further call.
 */
export interface StageReporter {
  /** `base` and `span` are shares of the whole task, 0..1; `total` is the kernel's number of units. */
  beginStage(base: number, span: number, total: number): void;
  isCancelled(): boolean;
  /** As of `ExecutionContext`; undefined where nobody can ask. */
  isFinishing?(): boolean;
}

/** How a context reaches its task's manager. */
export interface ContextLink {
  /** Made when it is first asked for: most code never does, and one costs as much as a whole dispatch. */
  readonly signal: AbortSignal;
  /** Its task's code has ended: what that left behind, such as a timer, must not touch the next task's block. */
  readonly over: boolean;
  /** Called after each report; for a manager that cannot see the control block. */
  readonly reported: (() => void) | undefined;
  flush(): void;
  /** Takes what the manager has sent, where it cannot store into the block. */
  look?(): void;
  send(name: string, data: unknown, transfer: readonly ArrayBuffer[]): void;
  ask(name: string, data: unknown, timeoutMs: number, transfer: readonly ArrayBuffer[]): Promise<EventAnswer>;
  askSync(name: string, data: unknown, timeoutMs: number, transfer: readonly ArrayBuffer[]): EventAnswer;
}

const ASK_MS = 5000;

/** The one implementation, for every kind of task: it reports into a control block. */
export class BlockContext implements ExecutionContext, StageReporter {
  readonly #block: ControlBlock;
  readonly #link: ContextLink;
  readonly #base: number;
  readonly #range: number;
  #total: number;

  constructor(block: ControlBlock, link: ContextLink, base = 0, range = 1, total = 1) {
    this.#block = block;
    this.#link = link;
    this.#base = base;
    this.#range = range;
    this.#total = validTotal(total);
  }

  get signal(): AbortSignal {
    return this.#link.signal;
  }

  setProgress(value: number): void {
    if (Number.isFinite(value)) this.beginStage(clamp01(value / this.#total), 0, 1);
  }

  setTotal(total: number): void {
    this.#total = validTotal(total);
  }

  setMessage(message: string): void {
    if (this.#link.over) return;
    this.#block.writeMessage(String(message));
    this.#link.reported?.();
  }

  flush(): void {
    if (!this.#link.over) this.#link.flush();
  }

  isCancelled(): boolean {
    return this.#link.over ? this.signal.aborted : this.#block.isCancelled();
  }

  isFinishing(): boolean {
    if (!this.#link.over) this.#link.look?.();
    return this.#block.isFinishing();
  }

  throwIfCancelled(): void {
    if (this.isCancelled()) throw canceled(this.signal.reason);
  }

  subContext(base: number, range: number, total = 1): ExecutionContext {
    const from = clamp01(base);
    const share = Math.min(clamp01(range), 1 - from);
    return new BlockContext(
      this.#block,
      this.#link,
      this.#base + from * this.#range,
      share * this.#range,
      total,
    );
  }

  sendEvent(name: string, data?: unknown, transfer: readonly ArrayBuffer[] = []): void {
    if (!this.#link.over) this.#link.send(name, data, transfer);
  }

  sendEventAndWait(name: string, data?: unknown, options: AskOptions = {}): Promise<EventAnswer> {
    if (this.#link.over) return Promise.resolve("nack");
    return this.#link.ask(name, data, options.timeoutMs ?? ASK_MS, options.transfer ?? []);
  }

  sendEventAndWaitSync(name: string, data?: unknown, options: AskOptions = {}): EventAnswer {
    if (this.#link.over) return "nack";
    return this.#link.askSync(name, data, options.timeoutMs ?? ASK_MS, options.transfer ?? []);
  }

  beginStage(base: number, span: number, total: number): void {
    if (this.#link.over) return;
    this.#block.writeProgress(this.#base + base * this.#range, span * this.#range, total);
    this.#link.reported?.();
  }
}

/** A context for calling a task's code directly: reports go nowhere, events find no handler. */
export function directContext(signal: AbortSignal = new AbortController().signal): ExecutionContext {
  const block = new ControlBlock();
  const cancel = (): void => block.cancel(0);
  if (signal.aborted) cancel();
  else signal.addEventListener("abort", cancel, { once: true });
  return new BlockContext(block, {
    signal,
    over: false,
    reported: undefined,
    flush() {},
    send() {},
    ask: async () => "nack",
    askSync: () => "nack",
  });
}

/** The error of canceled work; `reason` is what the one who canceled said, if anything. */
export function canceled(reason?: unknown): KerfworkError {
  return new KerfworkError(
    "CANCELED",
    "The work was canceled",
    reason === undefined ? {} : { cause: reason },
  );
}

function validTotal(total: number): number {
  return Number.isFinite(total) && total > 0 ? total : 1;
}
