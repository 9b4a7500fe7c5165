import { KerfworkError, restoreError } from "../errors.ts";
import { argumentError, movable } from "./args.ts";
import type { Message, Order, SentOptions } from "./protocol.ts";
import { type Crew, environment, recordTarget } from "./target.ts";
import { Task, type TaskKey, type TaskKind, type TaskSnapshot } from "./task.ts";

/** Behind every task that waits. */
const LAST = -1e6;

interface ChildOptions extends SentOptions {
  readonly signal?: AbortSignal;
  readonly transfer?: readonly ArrayBufferLike[];
  whenDone?(task: Task<unknown>): void;
}

/** A child as its parent's worker knows it. */
interface Child {
  readonly task: Task<unknown>;
  readonly name: string;
  readonly whenDone: ((task: Task<unknown>) => void) | undefined;
}

/**
 * The manager inside a worker: forwards to the main thread's manager and mirrors the children of the running task.
 * A run that awaits a child tells so, and its compute slot serves others until the child is final.
 */
export class Forwarder {
  readonly #post: (message: Message, transfer: readonly ArrayBuffer[]) => void;
  readonly #request: (message: (correlation: number) => Message) => unknown;
  readonly #contain: (error: unknown, name: string) => void;
  readonly #children = new Map<number, Child>();
  readonly #awaited = new Set<number>();
  #lastId = 0;

  constructor(
    post: (message: Message, transfer: readonly ArrayBuffer[]) => void,
    request: (message: (correlation: number) => Message) => unknown,
    contain: (error: unknown, name: string) => void,
  ) {
    this.#post = post;
    this.#request = request;
    this.#contain = contain;
  }

  submit(kind: TaskKind, target: unknown, args: unknown, options: ChildOptions): Task<unknown> {
    const { signal, transfer = [], whenDone, ...sent } = options;
    const child = ++this.#lastId;
    const task = new Task<unknown>(
      child,
      sent.key ?? `child ${child}`,
      kind,
      sent.visible ?? true,
      sent.weight ?? 1,
      {
        cancel: (reason) => {
          if (task.final || task.isCancelled()) return false;
          task.markCancelled();
          this.#post({ type: "cancelChild", child, reason }, []);
          return true;
        },
        finish: () => {
          if (task.final || task.isCancelled() || task.isFinishing()) return false;
          this.#post({ type: "finishChild", child }, []);
          return true;
        },
        observe: () => this.#await(child),
      },
    );
    const call = { target: recordTarget(target), args: args as unknown[] };
    try {
      this.#post({ type: "submit", child, kind, call, options: sent }, movable(transfer));
    } catch (cause) {
      throw argumentError(call.target.name, cause);
    }
    this.#children.set(child, { task, name: call.target.name, whenDone });
    if (signal?.aborted) task.cancel(signal.reason);
    else signal?.addEventListener("abort", () => task.cancel(signal.reason), { once: true });
    return task;
  }

  cancelTask(key: TaskKey): boolean {
    return this.#request((correlation) => ({ type: "cancelTask", key, correlation })) === true;
  }

  getTask(key: TaskKey): TaskSnapshot | undefined {
    return this.#request((correlation) => ({ type: "getTask", key, correlation })) as
      | TaskSnapshot
      | undefined;
  }

  receive(order: Order): void {
    if (order.type !== "child" && order.type !== "childDone") return;
    const child = this.#children.get(order.child);
    if (child === undefined) return;
    const { task, name, whenDone } = child;
    const contain = (error: unknown): void => this.#contain(error, name);
    if (order.type === "child") {
      const { status, progress, message } = order.report;
      if (status !== "pending" && status !== "running") return;
      if (task.update(status, progress, message)) task.changed.emit(task.snapshot(), contain);
      return;
    }
    this.#children.delete(order.child);
    if (order.error === undefined) task.complete(order.value);
    else {
      const error = restoreError(order.error);
      if (error instanceof KerfworkError && error.code === "CANCELED") task.finishCanceled(error.cause);
      else task.fail(error);
    }
    task.changed.emit(task.snapshot(), contain);
    if (this.#awaited.delete(order.child) && this.#awaited.size === 0)
      this.#post({ type: "waiting", waiting: false }, []);
    try {
      whenDone?.(task);
    } catch (error) {
      contain(error);
    }
    task.settle();
    task.end();
  }

  #await(child: number): void {
    if (!this.#children.has(child) || this.#awaited.has(child)) return;
    this.#awaited.add(child);
    if (this.#awaited.size === 1) this.#post({ type: "waiting", waiting: true }, []);
  }
}

/** Other threads for the running task; undefined for none. They come as children of it that nobody sees. */
export function crewOf(
  size: number,
  forwarder: () => Forwarder,
  tell: (message: string) => void,
): Crew | undefined {
  if (size < 1) return undefined;
  const options = { visible: false, priority: LAST };
  return {
    size,
    enlist(target, args) {
      const task = forwarder().submit("process", target, args, options);
      return () => void task.cancel();
    },
    tell,
  };
}

/** What a worker keeps alive by a task: its own memory, or another's that the task was lent. */
export function bytesHeld(memory: WebAssembly.Memory, args: readonly unknown[]): number {
  const lent = args.filter((arg) => arg instanceof WebAssembly.Memory);
  return Math.max(...[memory, ...lent].map(({ buffer }) => buffer.byteLength));
}

/**
 * The default manager as code in a worker sees it. Its tasks are children of the task that runs: canceled with it, and
 * lost to it when it ends before them.
 */
export class WorkerTaskManager {
  /** As on the main thread, but `getTask` gives a snapshot. */
  runProcess(target: unknown, args: unknown[], options: ChildOptions = {}): Task<unknown> {
    return this.#forwarder.submit("process", target, args, options);
  }

  runThread(target: unknown, args: unknown[], options: ChildOptions = {}): Task<unknown> {
    return this.#forwarder.submit("thread", target, args, options);
  }

  addCoroutine(): never {
    throw new KerfworkError(
      "INVALID_STATE",
      "Expected `addCoroutine` on the main thread: code in a worker can await",
    );
  }

  cancelTask(key: TaskKey): boolean {
    return this.#forwarder.cancelTask(key);
  }

  getTask(key: TaskKey): TaskSnapshot | undefined {
    return this.#forwarder.getTask(key);
  }

  get #forwarder(): Forwarder {
    const forwarder = environment().manager?.() as Forwarder | undefined;
    if (forwarder === undefined)
      throw new KerfworkError(
        "INVALID_STATE",
        "Expected a running task: its code is what submits in a worker",
      );
    return forwarder;
  }
}
