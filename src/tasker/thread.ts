import {
  MessageChannel,
  type MessagePort,
  type ResourceLimits,
  receiveMessageOnPort,
  type Worker,
} from "node:worker_threads";
import workerpool, { type Pool as Executor } from "workerpool";
import { argumentError } from "./args.ts";
import { ControlBlock, MEMORY_PAGES } from "./control.ts";
import type { LogEntry, LogLevel } from "./log.ts";
import type { Answer, Call, Done, Message, Order, RunOrder, WorkerSetup } from "./protocol.ts";
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
  run(order: RunOrder, transfer: ArrayBuffer[], hear: (message: Message) => void): Promise<Done>;
  /** Sends to the run in hand; what cannot be cloned is an error here, and harms nobody. */
  post(order: Order, transfer?: ArrayBuffer[]): void;
  end(): Promise<void>;
}

/** What a host is made of. */
export interface HostOptions {
  /** The worker's script, a path. */
  readonly script: string;
  /** Run before the first order. */
  readonly init: Call | undefined;
  readonly resourceLimits: ResourceLimits | undefined;
  readonly logLevel: LogLevel;
  readonly log: (entry: LogEntry) => void;
  /** Threads of the compute pool beside one. */
  readonly crew: number;
}

/** ms; workerpool takes 0 for 1000 */
const TERMINATE_MS = 1;

/** Who waits for the answer to the order in hand. */
interface Waiting {
  readonly resolve: (done: Done) => void;
  readonly reject: (error: Error) => void;
}

/**
 * A worker thread, its memory and its port. workerpool starts, watches and ends it: one call that never returns is its
 * whole use of it, and fails when the thread is gone. Orders and answers pass over the port, where what cannot be
 * cloned fails at once and harms nobody.
 */
export class Thread implements Host {
  readonly block: ControlBlock;
  readonly #executor: Executor;
  readonly #port: MessagePort;
  /** Targets that the worker has got, by their numbers. */
  readonly #targets = new Map<TargetRecord, number>();
  #ready = false;
  /** What ended it. */
  #failure: Error | undefined;
  #hear: (message: Message) => void = () => {};
  #generation = 0;
  #waiting: Waiting | undefined;
  #ended: Promise<void> | undefined;

  readonly #log: HostOptions["log"];

  constructor({ script, init, resourceLimits = {}, logLevel, log, crew }: HostOptions) {
    this.#log = log;
    const memory = new WebAssembly.Memory({ ...MEMORY_PAGES, shared: true });
    this.block = new ControlBlock(memory.buffer);
    const { port1, port2 } = new MessageChannel();
    this.#port = port1;
    const { provided } = environment();
    const workerData: WorkerSetup = { memory, port: port2, provided, init, logLevel, crew };
    this.#executor = workerpool.pool(script, {
      workerType: "thread",
      maxWorkers: 1,
      workerTerminateTimeout: TERMINATE_MS,
      workerThreadOpts: { workerData, transferList: [port2] as never, resourceLimits },
    });
    port1.on("message", this.#receive);
    port1.unref();
    try {
      this.#executor.exec("serve", []).catch((error: Error) => this.#gone(error));
    } catch (cause) {
      this.#gone(cause as Error); // what it should start with cannot be cloned
    }
    // the port keeps the process alive while the thread runs something
    this.#worker?.unref();
  }

  get ready(): boolean {
    this.#drain();
    return this.#ready;
  }

  get lost(): boolean {
    return this.#failure !== undefined;
  }

  run(order: RunOrder, transfer: ArrayBuffer[], hear: (message: Message) => void): Promise<Done> {
    return new Promise((resolve, reject) => {
      if (this.#ended !== undefined) throw new Error("the worker was ended");
      const { target } = order;
      const number = this.#targets.get(target);
      try {
        this.#port.postMessage(number === undefined ? order : { ...order, target: number }, transfer);
      } catch (cause) {
        throw argumentError(target.name, cause);
      }
      if (number === undefined) this.#targets.set(target, this.#targets.size);
      this.#hear = hear;
      this.#generation = order.generation;
      this.#waiting = { resolve, reject };
      if (this.#failure !== undefined) this.#gone(this.#failure);
      else this.#port.ref();
    });
  }

  post(order: Order, transfer: ArrayBuffer[] = []): void {
    this.#port.postMessage(order, transfer);
    this.block.wake();
  }

  end(): Promise<void> {
    this.#ended ??= new Promise((resolve) => {
      this.#worker?.ref();
      const close = (): void => {
        this.#gone(new Error("the worker was ended"));
        this.#port.close();
        resolve();
      };
      this.#executor.terminate(true).then(close, close);
    });
    return this.#ended;
  }

  get #worker(): Worker | undefined {
    const { workers } = this.#executor as unknown as { workers: { worker: Worker | null }[] };
    return workers[0]?.worker ?? undefined;
  }

  #receive = (answer: Answer): void => {
    if (answer.type === "ready") this.#ready = true;
    else if (answer.type === "log") this.#log(answer);
    else if (answer.generation !== this.#generation) return;
    else if (answer.type === "done") this.#settle()?.resolve(answer);
    else this.#hear(answer.message);
  };

  /** What it had posted before it went is still taken. */
  #gone(error: Error): void {
    this.#drain();
    this.#failure ??= error;
    this.#settle()?.reject(error);
  }

  #settle(): Waiting | undefined {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    this.#hear = () => {};
    this.#port.unref();
    return waiting;
  }

  #drain(): void {
    for (let next = receiveMessageOnPort(this.#port); next; next = receiveMessageOnPort(this.#port))
      this.#receive(next.message as Answer);
  }
}
