import { KerfworkError, recordError } from "../errors.ts";
import { movable } from "./args.ts";
import type { ContextLink } from "./context.ts";
import type { ControlBlock } from "./control.ts";
import { Forwarder } from "./forward.ts";
import { isLogged, type LogEntry, type LogLevel } from "./log.ts";
import type { Answer, EventAnswer, Message, Order } from "./protocol.ts";

/** Events sent and not yet handled, beyond which the sender waits. */
const EVENTS_AHEAD = 1000;
/** Longest single wait of a blocked thread, ms: it looks for a cancel in between. */
const NAP_MS = 100;

/** How this worker reaches the main thread. */
export interface Channel {
  readonly logLevel: LogLevel;
  readonly crew: number;
  post(answer: Answer, transfer?: readonly ArrayBuffer[]): void;
  /** The next order that has arrived, if any, without waiting; undefined where that cannot be told. */
  readonly poll: (() => Order | undefined) | undefined;
  /** Waits a moment, at most `ms`, and looks what has arrived; for a worker whose memory the main thread does not see. */
  readonly nap?: (ms: number) => void;
}

/** One target at work: its context's link to the manager. */
export class Run implements ContextLink {
  readonly generation: number;
  readonly #block: ControlBlock;
  #forwarder: Forwarder | undefined;
  readonly reported: (() => void) | undefined;
  over = false;
  readonly channel: Channel;
  #waiters: Map<number, (value: unknown) => void> | undefined;
  #controller: AbortController | undefined;
  #correlation = 0;
  #sent = 0;

  constructor(generation: number, block: ControlBlock, channel: Channel, reported?: () => void) {
    this.#block = block;
    this.generation = generation;
    this.channel = channel;
    this.reported = reported;
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  get #abort(): AbortController {
    this.#controller ??= new AbortController();
    return this.#controller;
  }

  /** Who waits for which reply. Most code never asks for anything. */
  get #replies(): Map<number, (value: unknown) => void> {
    this.#waiters ??= new Map();
    return this.#waiters;
  }

  get forwarder(): Forwarder {
    this.#forwarder ??= new Forwarder(
      (message, transfer) => this.#post(message, transfer),
      (message) => this.#request(message),
      (error, name) => log(this.channel, "error", "a callback in a worker failed", name, error),
    );
    return this.#forwarder;
  }

  receive(order: Order): void {
    if (order.type === "cancel" && order.generation === this.generation) this.#abort.abort(order.reason);
    else if (order.type === "finish") this.#block.finish(order.generation);
    else if (order.type === "reply") {
      this.#replies.get(order.correlation)?.(order.value);
      this.#replies.delete(order.correlation);
    } else if (order.type === "child" || order.type === "childDone") this.forwarder.receive(order);
  }

  flush(): void {
    this.#post({ type: "flush" });
  }

  send(name: string, data: unknown, transfer: readonly ArrayBuffer[]): void {
    this.#event({ type: "event", name, data, correlation: undefined }, transfer);
  }

  ask(
    name: string,
    data: unknown,
    timeoutMs: number,
    transfer: readonly ArrayBuffer[],
  ): Promise<EventAnswer> {
    const correlation = ++this.#correlation;
    this.#event({ type: "event", name, data, correlation }, transfer);
    return new Promise((resolve) => {
      const timer = setTimeout(() => settle("timeout"), timeoutMs);
      const settle = (answer: unknown): void => {
        clearTimeout(timer);
        this.#replies.delete(correlation);
        resolve(answer as EventAnswer);
      };
      this.#replies.set(correlation, settle);
    });
  }

  askSync(name: string, data: unknown, timeoutMs: number, transfer: readonly ArrayBuffer[]): EventAnswer {
    this.#mayBlock("sendEventAndWaitSync");
    const correlation = ++this.#correlation;
    this.#event({ type: "event", name, data, correlation }, transfer);
    return this.#wait(correlation, timeoutMs, "timeout") as EventAnswer;
  }

  /** Asks the main thread something and blocks until it answers. */
  #request(message: (correlation: number) => Message): unknown {
    this.#mayBlock("getTask and cancelTask");
    const correlation = ++this.#correlation;
    this.#post(message(correlation));
    return this.#wait(correlation, NAP_MS * 50, undefined);
  }

  /** In a process; a thread sees in the block what there is to see. */
  look(threads = false): void {
    if (this.channel.nap === undefined && !threads) return;
    for (let order = this.channel.poll?.(); order; order = this.channel.poll?.()) this.receive(order);
  }

  /** Blocks until the reply to `correlation` is there; other orders that arrive are taken too. */
  #wait(correlation: number, timeoutMs: number, late: unknown): unknown {
    let reply: { value: unknown } | undefined;
    this.#replies.set(correlation, (value) => {
      reply = { value };
    });
    const end = performance.now() + timeoutMs;
    for (;;) {
      const wakes = this.#block.wakes;
      this.look(true);
      if (reply !== undefined) return reply.value;
      const left = end - performance.now();
      if (left <= 0) break;
      if (this.channel.nap !== undefined) this.channel.nap(left);
      else this.#block.waitWake(wakes, Math.min(left, NAP_MS));
    }
    this.#replies.delete(correlation);
    return late;
  }

  #mayBlock(call: string): void {
    if (this.channel.poll === undefined)
      throw new KerfworkError(
        "INVALID_STATE",
        `Expected ${call} in a thread: on Windows a process cannot wait without its event loop`,
      );
  }

  #event(message: Message, transfer: readonly ArrayBuffer[]): void {
    const moved = movable(transfer);
    while (this.channel.poll !== undefined) {
      const handled = this.#block.handledEvents;
      if (this.#sent - handled < EVENTS_AHEAD || this.#block.isCancelled()) break;
      if (this.channel.nap !== undefined) this.channel.nap(NAP_MS);
      else this.#block.waitHandled(handled, NAP_MS);
    }
    this.#post(message, moved);
    this.#sent++; // what cannot be sent is never handled
  }

  #post(message: Message, transfer: readonly ArrayBuffer[] = []): void {
    this.channel.post({ type: "message", generation: this.generation, message }, transfer);
  }
}

/** Says something to the manager's logger, if that wants to hear it. */
export function log(
  channel: Channel,
  level: LogEntry["level"],
  message: string,
  target: string,
  error?: unknown,
): void {
  if (!isLogged(level, channel.logLevel)) return;
  channel.post({
    type: "log",
    level,
    message,
    target,
    ...(error === undefined ? {} : { error: recordError(error) }),
  });
}
