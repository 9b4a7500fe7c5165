import {
  MessageChannel,
  type MessagePort,
  type ResourceLimits,
  receiveMessageOnPort,
  type Worker,
} from "node:worker_threads";
import workerpool, { type Pool as Executor } from "workerpool";
import { argumentError, isPlain } from "./args.ts";
import { ControlBlock, MEMORY_PAGES } from "./control.ts";
import type { Answer, Call, Done, Message, Order, RunCall, RunOrder, WorkerSetup } from "./protocol.ts";
import { environment, type TargetRecord } from "./target.ts";

/** What runs orders one at a time, apart from the main thread: a thread or a process. */
export interface Host {
  /** Where runs report and are canceled. */
  readonly block: ControlBlock;
  /** False until the worker's script has loaded and its initializer has run. */
  readonly ready: boolean;
  /** It died, perhaps between two runs. */
  readonly lost: boolean;
  /** Resolves with the worker's answer; rejects with what ended the worker, or a KerfworkError that left it whole. */
  run(
    order: Order & { type: "run" },
    transfer: ArrayBuffer[],
    hear: (message: Message) => void,
  ): Promise<Done>;
  /** Sends to the run in hand; what cannot be cloned is an error here, and harms nobody. */
  post(order: Order, transfer?: ArrayBuffer[]): void;
  end(): Promise<void>;
}

/** ms; workerpool takes 0 for 1000 */
const TERMINATE_MS = 1;

/**
 * A worker thread, its memory and its port. workerpool starts, watches and ends it, and knows when a run is over;
 * everything else passes over the port, where what cannot be cloned fails at once and harms nobody.
 */
export class Thread implements Host {
  readonly block: ControlBlock;
  readonly #executor: Executor;
  readonly #port: MessagePort;
  /** Targets that the worker has got, by their numbers. */
  readonly #targets = new Map<TargetRecord, number>();
  #ready = false;
  #lost = false;
  #watched = false;
  #hear: (message: Message) => void = () => {};
  #generation = 0;
  #done: Done | undefined;
  #ended: Promise<void> | undefined;

  constructor(script: string, init: Call | undefined, resourceLimits: ResourceLimits = {}) {
    const memory = new WebAssembly.Memory({ ...MEMORY_PAGES, shared: true });
    this.block = new ControlBlock(memory.buffer);
    const { port1, port2 } = new MessageChannel();
    this.#port = port1;
    const workerData: WorkerSetup = { memory, port: port2, provided: environment().provided, init };
    this.#executor = workerpool.pool(script, {
      workerType: "thread",
      maxWorkers: 1,
      workerTerminateTimeout: TERMINATE_MS,
      workerThreadOpts: { workerData, transferList: [port2] as never, resourceLimits },
    });
    port1.on("message", this.#receive);
    port1.unref();
  }

  get ready(): boolean {
    this.#drain();
    return this.#ready;
  }

  get lost(): boolean {
    return this.#lost;
  }

  async run(
    order: Order & { type: "run" },
    transfer: ArrayBuffer[],
    hear: (message: Message) => void,
  ): Promise<Done> {
    if (this.#ended !== undefined) throw new Error("the worker was ended");
    this.#hear = hear;
    this.#generation = order.generation;
    this.#done = undefined;
    const plain = transfer.length === 0 && order.target.type !== "kernel" && order.args.every(isPlain);
    try {
      if (!plain) this.post(order, transfer);
    } catch (cause) {
      throw argumentError(order.target.name, cause);
    }
    try {
      const call = this.#executor.exec("run", plain ? this.#plainCall(order) : []);
      this.#hold(true);
      // not a native promise: its handlers run inside workerpool's own stack
      const plainly = await new Promise<[unknown] | undefined>((resolve, reject) => {
        call.then(resolve, reject);
      });
      if (plainly !== undefined)
        return { type: "done", generation: order.generation, bytes: 0, value: plainly[0] };
    } finally {
      this.#hold(false);
      this.#drain();
      this.#hear = () => {};
    }
    if (this.#done === undefined) throw new Error("the worker gave no answer");
    return this.#done;
  }

  #plainCall({ generation, target, args }: RunOrder): Parameters<RunCall> {
    const id = this.#targets.get(target);
    if (id !== undefined) return [generation, id, args];
    const fresh = this.#targets.size;
    this.#targets.set(target, fresh);
    return [generation, fresh, args, target];
  }

  post(order: Order, transfer: ArrayBuffer[] = []): void {
    this.#port.postMessage(order, transfer);
    this.block.wake();
  }

  end(): Promise<void> {
    this.#ended ??= new Promise((resolve) => {
      const close = (): void => {
        this.#drain();
        this.#port.close();
        resolve();
      };
      this.#executor.terminate(true).then(close, close);
    });
    return this.#ended;
  }

  /** A thread keeps the process alive only while it runs, and while it is being ended. */
  #hold(running: boolean): void {
    const handler = (this.#executor as unknown as { workers: { worker: Worker | null }[] }).workers[0];
    const worker = handler?.worker;
    if (!this.#watched)
      worker?.once("exit", () => {
        this.#lost = true;
      });
    this.#watched = true;
    if (running) worker?.ref();
    else if (this.#ended === undefined) worker?.unref();
  }

  #receive = (answer: Answer): void => {
    if (answer.type === "ready") this.#ready = true;
    else if (answer.generation !== this.#generation) return;
    else if (answer.type === "done") this.#done = answer;
    else this.#hear(answer.message);
  };

  #drain(): void {
    for (let next = receiveMessageOnPort(this.#port); next; next = receiveMessageOnPort(this.#port))
      this.#receive(next.message as Answer);
  }
}
