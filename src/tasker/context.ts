import { KerfworkError } from "../errors.ts";
import { type ControlBlock, clamp01 } from "./control.ts";

/**
 * What a task's code gets as its first argument, in every kind of task: a way to report and a way to be stopped.
 * Reporting is a store to memory: it never waits, throws or floods anybody; the manager looks when it needs to.
 */
export interface ExecutionContext {
  /** Reports `value` of the total, clamped to 0..total; a value that is not a finite number is ignored. */
  setProgress(value: number): void;
  /** Sets what `setProgress` counts up to (default 1); a total that is not finite or <= 0 means 1. */
  setTotal(total: number): void;
  /** Shows a text beside the progress; the latest wins, cut at 1024 bytes of UTF-8. */
  setMessage(message: string): void;
  /** True once cancellation was requested, from then on; one atomic load. */
  isCancelled(): boolean;
  /** Throws a CANCELED `KerfworkError` once cancellation was requested. */
  throwIfCancelled(): void;
  /** Aborts with the cancellation; for fetch, timers and other asynchronous work. */
  readonly signal: AbortSignal;
  /** A context whose 0..1 is the range `base..base + range` of this one's. */
  subContext(base: number, range: number, total?: number): ExecutionContext;
}

/**
 * What kernels report through: the stage that runs. Engine functions call `beginStage` before a kernel; the kernel's
 * count of units then moves the progress from `base` to `base + span` without any further call.
 */
export interface StageReporter {
  /** `base` and `span` are shares of the whole task, 0..1; `total` is the kernel's number of units. */
  beginStage(base: number, span: number, total: number): void;
  isCancelled(): boolean;
}

/** The one implementation, for every kind of task: it reports into a control block. */
export class BlockContext implements ExecutionContext, StageReporter {
  readonly signal: AbortSignal;
  readonly #block: ControlBlock;
  readonly #base: number;
  readonly #range: number;
  #total: number;

  constructor(block: ControlBlock, signal: AbortSignal, base = 0, range = 1, total = 1) {
    this.#block = block;
    this.signal = signal;
    this.#base = base;
    this.#range = range;
    this.#total = validTotal(total);
  }

  setProgress(value: number): void {
    if (Number.isFinite(value)) this.beginStage(clamp01(value / this.#total), 0, 1);
  }

  setTotal(total: number): void {
    this.#total = validTotal(total);
  }

  setMessage(message: string): void {
    this.#block.writeMessage(String(message));
  }

  isCancelled(): boolean {
    return this.#block.isCancelled();
  }

  throwIfCancelled(): void {
    if (this.isCancelled()) throw canceled(this.signal.reason);
  }

  subContext(base: number, range: number, total = 1): ExecutionContext {
    const from = clamp01(base);
    const share = Math.min(clamp01(range), 1 - from);
    return new BlockContext(
      this.#block,
      this.signal,
      this.#base + from * this.#range,
      share * this.#range,
      total,
    );
  }

  beginStage(base: number, span: number, total: number): void {
    this.#block.writeProgress(this.#base + base * this.#range, span * this.#range, total);
  }
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
