import { invalid, KerfworkError } from "../errors.ts";
import { canceled } from "./context.ts";
import { Deferred } from "./deferred.ts";
import { Signal } from "./signal.ts";

export type TaskStatus = "pending" | "running" | "completed" | "failed" | "canceled";
export type TaskKind = "coroutine" | "process" | "thread";
/** Arrays are compared by value. */
export type TaskKey = string | number | symbol | readonly (string | number)[];

/** A task as it was at one moment. */
export interface TaskSnapshot {
  readonly id: number;
  readonly key: TaskKey;
  readonly kind: TaskKind;
  readonly status: TaskStatus;
  readonly progress: number;
  readonly message: string;
}

/** @internal What the manager does to a task. */
export interface TaskControls {
  cancel(reason?: unknown): boolean;
  finish(): boolean;
  /** Somebody will see how the task ends. */
  observe(): void;
}

/** One piece of background work, from submission to its end. */
export class Task<R = unknown> {
  /** Grows with each submission, never used again. */
  readonly id: number;
  readonly key: TaskKey;
  readonly kind: TaskKind;
  /** False hides the task from `tasksUpdated`, the manager's progress, size and iteration. */
  readonly visible: boolean;
  /** Its part in the manager's overall progress. */
  readonly weight: number;
  /** Fires when it starts, on each visible update, and once when it is final. */
  readonly changed = new Signal<TaskSnapshot>();

  readonly #controls: TaskControls;
  readonly #done = new Deferred<unknown>();
  readonly #ended = new Deferred<void>();
  #status: TaskStatus = "pending";
  #progress = 0;
  #message = "";
  #value: R | undefined;
  #error: Error | undefined;
  #cancelled = false;
  #finishing = false;
  #snapshot: TaskSnapshot | undefined;

  /** @internal */
  constructor(
    id: number,
    key: TaskKey,
    kind: TaskKind,
    visible: boolean,
    weight: number,
    controls: TaskControls,
  ) {
    this.id = id;
    this.key = key;
    this.kind = kind;
    this.visible = visible;
    this.weight = weight;
    this.#controls = controls;
  }

  get status(): TaskStatus {
    return this.#status;
  }

  /** 0..1; 1 when completed, else as last reported. */
  get progress(): number {
    return this.#progress;
  }

  get message(): string {
    return this.#message;
  }

  /** Why it failed or was canceled. */
  get error(): Error | undefined {
    return this.#error;
  }

  /** Settles as the task does: its value, its error, or a CANCELED error. */
  get promise(): Promise<R> {
    this.#controls.observe();
    return this.#done.promise as Promise<R>;
  }

  /** Resolves when its code has ended: for a canceled task, later than the status says. Never rejects. */
  get ended(): Promise<void> {
    return this.#ended.promise;
  }

  /** True when it is one of completed, failed and canceled: nothing changes from then on. */
  get final(): boolean {
    return this.#status !== "pending" && this.#status !== "running";
  }

  /**
   * The value of a completed task.
   * @throws INVALID_STATE  before the end; else the task's own error, CANCELED for a canceled one
   */
  result(): R {
    if (!this.final)
      throw new KerfworkError("INVALID_STATE", `Expected task ${this.id} to be final, it is ${this.#status}`);
    if (this.#error !== undefined) throw this.#error;
    return this.#value as R;
  }

  /** True once cancellation was requested of a task that was not final. */
  isCancelled(): boolean {
    return this.#cancelled;
  }

  /** Requests cancellation; false when it was final or canceled before. It is `canceled` on the next turn. */
  cancel(reason?: unknown): boolean {
    return this.#controls.cancel(reason);
  }

  /**
   * Asks for what the task has got so far: code that looks for it, such as `order` with a `budgetMs`, ends soon and
   * completes with that. Other code runs on to its end. One that waits still runs, and is asked as it starts. False
   * when it was final, canceled or asked before.
   */
  finish(): boolean {
    const asked = this.#controls.finish();
    this.#finishing ||= asked;
    return asked;
  }

  /** True once it was asked to finish. */
  isFinishing(): boolean {
    return this.#finishing;
  }

  snapshot(): TaskSnapshot {
    this.#snapshot ??= Object.freeze({
      id: this.id,
      key: this.key,
      kind: this.kind,
      status: this.#status,
      progress: this.#progress,
      message: this.#message,
    });
    return this.#snapshot;
  }

  /** @internal */
  markCancelled(): void {
    this.#cancelled = true;
  }

  /** @internal Back in the queue, after its worker crashed. */
  restart(): void {
    this.#status = "pending";
    this.#snapshot = undefined;
  }

  /** @internal True when anything changed. */
  update(status: TaskStatus, progress: number, message: string): boolean {
    if (status === this.#status && progress === this.#progress && message === this.#message) return false;
    this.#status = status;
    this.#progress = progress;
    this.#message = message;
    this.#snapshot = undefined;
    return true;
  }

  /** @internal */
  complete(value: R): void {
    this.#value = value;
    this.update("completed", 1, this.#message);
  }

  /** @internal */
  fail(error: Error): void {
    this.#error = error;
    this.update("failed", this.#progress, this.#message);
  }

  /** @internal */
  finishCanceled(reason: unknown): void {
    this.#error = canceled(reason);
    this.update("canceled", this.#progress, this.#message);
  }

  /**
   * Snapshots as they come, until the final one; slow readers get the latest, and always the last.
   * @example for await (const { progress } of task) bar.update(progress);
   */
  async *[Symbol.asyncIterator](): AsyncIterableIterator<TaskSnapshot> {
    let latest: TaskSnapshot | undefined = this.snapshot();
    let wake = (): void => {};
    const stop = this.changed.connect((snapshot) => {
      latest = snapshot;
      wake();
    });
    // during a shutdown nothing tells of changes; the end comes all the same
    const end = (): void => {
      latest = this.snapshot();
      wake();
    };
    this.#done.promise.then(end, end);
    try {
      for (;;) {
        if (latest === undefined)
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
        const snapshot = latest as TaskSnapshot;
        latest = undefined;
        yield snapshot;
        if (snapshot.status !== "pending" && snapshot.status !== "running") return;
      }
    } finally {
      stop();
    }
  }

  /** @internal Settles the promise as the status says. */
  settle(): void {
    this.#done.settle(this.#error === undefined ? { value: this.#value } : { error: this.#error });
  }

  /** @internal */
  end(): void {
    this.#ended.settle({ value: undefined });
  }
}

/** A key as a map compares it: arrays by value. */
export function keyToken(key: TaskKey): unknown {
  if (Array.isArray(key) && key.every((part) => typeof part === "string" || typeof part === "number"))
    return `[${key.map((part) => (typeof part === "string" ? JSON.stringify(part) : String(part))).join()}]`;
  if (typeof key === "string") return `"${key}`;
  if (typeof key === "number" || typeof key === "symbol") return key;
  throw invalid("key", "a string, number, symbol or array of strings and numbers", key);
}
