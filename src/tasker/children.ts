import { KerfworkError, recordError } from "../errors.ts";
import { packResult } from "./args.ts";
import type { Board, Entry } from "./board.ts";
import type { Clock } from "./clock.ts";
import type { ContextLink } from "./context.ts";
import type { EventAnswer, Message } from "./protocol.ts";
import type { Task, TaskKey } from "./task.ts";

/** What the code of a task may ask of its manager, from wherever it runs. */
export interface ManagerAccess {
  readonly board: Board;
  readonly clock: Clock;
  look(entry: Entry): void;
  lend(entry: Entry, waiting: boolean): void;
  /** Submits on behalf of `parent`; throws as a submission does. */
  adopt(message: Message & { type: "submit" }, parent: Entry, whenDone: (task: Task<unknown>) => void): Entry;
  cancel(entry: Entry, reason: unknown): boolean;
  finish(entry: Entry): boolean;
  cancelTask(key: TaskKey): boolean;
  getTask(key: TaskKey): Task<unknown> | undefined;
  dropped(): void;
}

/** Hears what a worker says about the entry that it runs. */
export function hear(entry: Entry, message: Message, manager: ManagerAccess): void {
  const reply = (correlation: number, value: unknown): void =>
    entry.runner?.post(entry.generation, { type: "reply", correlation, value });
  switch (message.type) {
    case "flush":
      manager.look(entry);
      break;
    case "event": {
      const { name, data, correlation } = message;
      handleEvent(entry, name, data, manager, (answer) => {
        entry.block?.handled();
        if (correlation !== undefined) reply(correlation, answer);
      });
      break;
    }
    case "submit":
      submitChild(entry, message, manager);
      break;
    case "cancelChild": {
      const child = entry.children?.get(message.child);
      if (child !== undefined) manager.cancel(child, message.reason);
      break;
    }
    case "finishChild": {
      const child = entry.children?.get(message.child);
      if (child !== undefined) manager.finish(child);
      break;
    }
    case "waiting":
      manager.lend(entry, message.waiting);
      break;
    case "cancelTask":
      reply(message.correlation, manager.cancelTask(message.key));
      break;
    case "getTask":
      // the key is the one that was asked for
      reply(message.correlation, manager.getTask(message.key)?.snapshot());
  }
}

/**
 * Hands an event to the task's handler on the next turn, in order with its changes. Whether the task is still in
 * service is decided when the handler is about to run.
 */
export function handleEvent(
  entry: Entry,
  name: string,
  data: unknown,
  manager: ManagerAccess,
  answer: (answer: EventAnswer) => void,
): void {
  const handle = (): void => {
    const { task, whenEvent, verdict } = entry;
    if (verdict !== undefined || whenEvent === undefined || manager.board.closing) {
      manager.dropped();
      answer("nack");
      return;
    }
    try {
      whenEvent(task, name, data);
    } catch (error) {
      manager.board.contain(error);
      answer("nack");
      return;
    }
    answer("ack");
  };
  if (entry.verdict !== undefined) handle();
  else manager.board.event(entry, handle);
}

/** How the context of a coroutine reaches its manager. */
export function localLink(entry: Entry, manager: ManagerAccess): ContextLink {
  return {
    get signal() {
      entry.controller ??= new AbortController();
      return entry.controller.signal;
    },
    get over() {
      return entry.task.final;
    },
    reported: undefined,
    flush: () => manager.look(entry),
    send: (name, data) => handleEvent(entry, name, data, manager, () => {}),
    ask: (name, data, timeoutMs) =>
      new Promise((resolve) => {
        const timer = manager.clock.after(timeoutMs, () => resolve("timeout"));
        handleEvent(entry, name, data, manager, (answer) => {
          timer.cancel();
          resolve(answer);
        });
      }),
    askSync: () => {
      throw new KerfworkError(
        "INVALID_STATE",
        "Expected `sendEventAndWaitSync` in a worker: this thread may not block",
      );
    },
  };
}

/** Runs a task that another's code submitted, and mirrors it there. */
function submitChild(parent: Entry, message: Message & { type: "submit" }, manager: ManagerAccess): void {
  const { child } = message;
  const { runner, generation } = parent;
  const done = (value: unknown, error: Error | undefined): void => {
    parent.children?.delete(child);
    if (error !== undefined)
      runner?.post(generation, { type: "childDone", child, error: recordError(error) });
    else {
      const packed = packResult(value, new Set());
      try {
        runner?.post(generation, { type: "childDone", child, value: packed.value }, packed.transfer);
      } catch (cause) {
        // it came from a thread, and a process takes less
        const message = `Expected the result of a task to be cloneable: ${(cause as Error).message}`;
        const error = new KerfworkError("RESULT_NOT_CLONEABLE", message, { cause });
        runner?.post(generation, { type: "childDone", child, error: recordError(error) });
      }
    }
  };
  if (parent.verdict !== undefined) {
    done(undefined, new KerfworkError("CANCELED", "The work that submitted it was canceled"));
    return;
  }
  try {
    const entry = manager.adopt(message, parent, (task) =>
      task.error === undefined ? done(task.result(), undefined) : done(undefined, task.error),
    );
    parent.children ??= new Map();
    parent.children.set(child, entry);
    entry.task.changed.connect(({ status, progress, message }) =>
      runner?.post(generation, { type: "child", child, report: { status, progress, message } }),
    );
  } catch (error) {
    done(undefined, error as Error);
  }
}
