import { availableParallelism } from "node:os";
import { type MessagePort, receiveMessageOnPort } from "node:worker_threads";
import type { ControlBlock } from "./control.ts";
import type { Order } from "./protocol.ts";

/** How long a thread that has answered looks out for its next order, ms: waking it takes as long as a small task. */
const LINGER_MS = 0.05;
/** How long it may do so, task after task, before its event loop gets a turn, ms. */
const TURN_MS = 4;
/** On a single core it would only be in the way. */
const ALONE = availableParallelism() === 1;

/** The orders of a thread, in the order in which they were posted. */
export class Inbox {
  readonly #port: MessagePort;
  readonly #block: ControlBlock;
  readonly #take: (order: Order) => void;
  /** When it first lingered since the event loop's last turn. */
  #since: number | undefined;

  constructor(port: MessagePort, block: ControlBlock, take: (order: Order) => void) {
    this.#port = port;
    this.#block = block;
    this.#take = take;
  }

  /** Takes orders from now on; they hold nobody from ending. */
  open(): void {
    this.#port.on("message", this.#take);
    this.#port.unref();
  }

  /** The next order that has arrived, without waiting. */
  poll(): Order | undefined {
    return receiveMessageOnPort(this.#port)?.message as Order | undefined;
  }

  /**
   * After the run `generation`: takes the next order if it comes at once. Its generation is seen before it is, as
   * looking at memory costs next to nothing.
   */
  linger(generation: number): void {
    if (ALONE) return;
    const now = performance.now();
    if (this.#since === undefined) {
      this.#since = now;
      setImmediate(this.#turned).unref();
    } else if (now - this.#since > TURN_MS) return;
    const end = now + LINGER_MS;
    do {
      const order = this.#block.generation === generation ? undefined : this.poll();
      if (order === undefined) continue;
      this.#take(order);
      return;
    } while (performance.now() < end);
  }

  #turned = (): void => {
    this.#since = undefined;
  };
}
