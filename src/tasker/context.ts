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
