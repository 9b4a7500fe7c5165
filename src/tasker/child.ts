import type { ChildProcess } from "node:child_process";
import { deserialize, serialize } from "node:v8";
import type { ResourceLimits } from "node:worker_threads";
import workerpool, { type Pool as Executor } from "workerpool";
import { argumentError } from "./args.ts";
import { ControlBlock, RUNNING } from "./control.ts";
import type { Answer, Call, Done, Message, Order, RunOrder } from "./protocol.ts";
import type { Host } from "./thread.ts";

/**
 * A child process, for code that may take its process down. No memory is shared: arguments, results and reports pass
 * as serialized messages, progress at most every 50 ms, and cancelling ends the process.
 */
export class Child implements Host {
  readonly block = new ControlBlock();
  readonly #executor: Executor;
  readonly #init: Call | undefined;
  #ready = false;
  #lost = false;
  #watched = false;
  #ended: Promise<void> | undefined;

  constructor(script: string, init: Call | undefined, { maxOldGenerationSizeMb }: ResourceLimits = {}) {
    this.#init = init;
    this.#executor = workerpool.pool(script, {
      workerType: "process",
      maxWorkers: 1,
      workerTerminateTimeout: 1, // ms; its 0 means 1000
      forkOpts: {
        serialization: "advanced",
        execArgv: maxOldGenerationSizeMb ? [`--max-old-space-size=${maxOldGenerationSizeMb}`] : [],
      },
    });
  }

  get ready(): boolean {
    return this.#ready;
  }

  get lost(): boolean {
    return this.#lost;
  }

  async run(order: RunOrder, _transfer: ArrayBuffer[], hear: (message: Message) => void): Promise<Done> {
    if (this.#ended !== undefined) throw new Error("the process was ended");
    let bytes: Uint8Array;
    try {
      // serialized here, as what cannot be would throw out of the reach of whoever submitted it
      bytes = serialize(order);
    } catch (cause) {
      throw argumentError(order.target.name, cause);
    }
    const init = this.#init && serialize(this.#init);
    const on = (payload: Uint8Array | { progress: number; message: string }): void => {
      this.#ready = true;
      this.block.writeState(RUNNING);
      if (payload instanceof Uint8Array) {
        const answer = deserialize(payload) as Answer;
        if (answer.type === "message") hear(answer.message);
        return;
      }
      this.block.writeProgress(payload.progress);
      this.block.writeMessage(payload.message);
    };
    const call = this.#executor.exec("run", [bytes, init], { on });
    this.#hold(true);
    try {
      const answer = await new Promise<Uint8Array>((resolve, reject) => {
        call.then(resolve, reject);
      });
      this.#ready = true;
      return deserialize(answer) as Done;
    } finally {
      this.#hold(false);
    }
  }

  /** Code that runs cannot be reached: cancelling it is ending it; the rest comes when its event loop turns. */
  post(order: Order): void {
    if (order.type === "cancel") void this.end();
    // past workerpool, whose worker answers that it knows no such method, to nobody
    else this.#process()?.send({ order: serialize(order) }, () => {});
  }

  end(): Promise<void> {
    this.#ended ??= new Promise((resolve) => {
      const done = (): void => resolve();
      this.#process()?.kill("SIGKILL"); // it may be deaf
      this.#executor.terminate(true).then(done, done);
    });
    return this.#ended;
  }

  #process(): ChildProcess | undefined {
    return (
      (this.#executor as unknown as { workers: { worker: ChildProcess | null }[] }).workers[0]?.worker ??
      undefined
    );
  }

  /** A process keeps ours alive only while it runs. */
  #hold(running: boolean): void {
    const child = this.#process();
    if (!this.#watched)
      child?.once("exit", () => {
        this.#lost = true;
      });
    this.#watched = true;
    if (running) {
      child?.ref();
      child?.channel?.ref();
    } else {
      child?.unref();
      child?.channel?.unref();
    }
  }
}
