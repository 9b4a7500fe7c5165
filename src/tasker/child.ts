import type { ChildProcess } from "node:child_process";
import type { Socket } from "node:net";
import { serialize } from "node:v8";
import workerpool, { type Pool as Executor } from "workerpool";
import { argumentError } from "./args.ts";
import { ControlBlock } from "./control.ts";
import { Frames, frame, PIPE } from "./pipe.ts";
import type {
  Answer,
  Done,
  Handled,
  Message,
  Order,
  ProcessReport,
  ProcessSetup,
  RunOrder,
} from "./protocol.ts";
import type { Host, HostOptions } from "./thread.ts";

/** A control block whose count of handled events the other side does not see: it is told. */
class ToldBlock extends ControlBlock {
  readonly #tell: () => void;

  constructor(tell: () => void) {
    super();
    this.#tell = tell;
  }

  override handled(): void {
    super.handled();
    this.#tell();
  }
}

/**
 * A child process, for code that may take its process down. No memory is shared: everything passes as serialized
 * messages through a pipe of its own, which the child can read while its code blocks; progress at most every 50 ms.
 * Cancelling ends the process. workerpool starts, watches and ends it, and knows when a run is over.
 */
export class Child implements Host {
  readonly block: ControlBlock = new ToldBlock(() => this.#countHandled());
  readonly #executor: Executor;
  #process: ChildProcess | undefined;
  #pipe: Socket | undefined;
  /** All that the process has written was read. */
  #closed: Promise<void> = Promise.resolve();
  #ready = false;
  #lost = false;
  #hear: (message: Message) => void = () => {};
  #generation = 0;
  #done: Done | undefined;
  #answered: () => void = () => {};
  /** Events that were handled and not told of yet. */
  #handled = 0;
  #ended: Promise<void> | undefined;

  readonly #options: HostOptions;

  constructor(hostOptions: HostOptions) {
    this.#options = hostOptions;
    const { script, resourceLimits: { maxOldGenerationSizeMb } = {} } = hostOptions;
    const limits = process.execArgv.filter((flag) => flag.startsWith("--max-old-space-size"));
    const options = {
      serialization: "advanced",
      execArgv: maxOldGenerationSizeMb ? [`--max-old-space-size=${maxOldGenerationSizeMb}`] : limits,
      stdio: ["inherit", "inherit", "inherit", "ipc", "pipe"],
    };
    this.#executor = workerpool.pool(script, {
      workerType: "process",
      maxWorkers: 1,
      workerTerminateTimeout: 1, // ms; its 0 means 1000
      // of its own `forkOpts` workerpool drops `stdio`; `fork` takes options in the place of arguments as well
      forkArgs: options as never,
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
      bytes = frame(order);
    } catch (cause) {
      throw argumentError(order.target.name, cause);
    }
    const { init, logLevel } = this.#options;
    const setup = serialize({ init, logLevel } satisfies ProcessSetup);
    this.#hear = hear;
    this.#generation = order.generation;
    this.#done = undefined;
    this.#handled = 0;
    const answered = new Promise<void>((resolve) => {
      this.#answered = resolve;
    });
    const call = this.#executor.exec("run", [setup]);
    this.#attach();
    this.#hold(true);
    this.#pipe?.write(bytes);
    try {
      await new Promise((resolve, reject) => {
        call.then(resolve, reject);
      });
      await Promise.race([answered, this.#closed]);
    } catch (error) {
      // what it sent before it died counts
      this.#process?.kill("SIGKILL");
      await this.#closed;
      throw error;
    } finally {
      this.#hold(false);
      this.#hear = () => {};
    }
    if (this.#done === undefined) throw new Error("the process gave no answer");
    return this.#done;
  }

  /** Code that runs cannot be made to leave: cancelling it is ending it. */
  post(order: Order): void {
    if (order.type === "cancel") void this.end();
    else this.#write(order);
  }

  end(): Promise<void> {
    this.#ended ??= this.#end();
    return this.#ended;
  }

  async #end(): Promise<void> {
    this.#hold(true); // until it is gone
    this.#process?.kill("SIGKILL"); // it may be deaf
    await new Promise<void>((resolve) => {
      const done = (): void => resolve();
      this.#executor.terminate(true).then(done, done);
    });
    await this.#closed;
  }

  /** Takes over the process that workerpool has started for the first run. */
  #attach(): void {
    if (this.#process !== undefined) return;
    const { workers } = this.#executor as unknown as { workers: { worker: ChildProcess }[] };
    const child = workers[0]?.worker as ChildProcess;
    const pipe = child.stdio[PIPE] as Socket;
    const frames = new Frames((value) => this.#receive(value as Answer | ProcessReport));
    this.#process = child;
    this.#pipe = pipe;
    this.#closed = new Promise((resolve) => {
      pipe.once("close", () => resolve());
    });
    pipe.on("data", (bytes) => frames.push(bytes));
    pipe.on("error", () => {}); // it is gone: its exit says why
    child.once("exit", () => {
      this.#lost = true;
    });
  }

  #receive(answer: Answer | ProcessReport): void {
    if (answer.type === "ready") {
      this.#ready = true;
      this.block.begin();
    } else if (answer.type === "log") this.#options.log(answer);
    else if (answer.generation !== this.#generation) return;
    else if (answer.type === "report") {
      this.block.writeProgress(answer.progress);
      this.block.writeMessage(answer.message);
    } else if (answer.type === "done") {
      this.#done = answer;
      this.#answered();
    } else this.#hear(answer.message);
  }

  #write(order: Order | Handled): void {
    const bytes = frame(order);
    if (this.#pipe?.writable) this.#pipe.write(bytes);
  }

  /** One order for all events that are handled in a turn. */
  #countHandled(): void {
    if (this.#handled++ > 0) return;
    queueMicrotask(() => {
      const count = this.#handled;
      this.#handled = 0;
      if (count > 0) this.#write({ type: "handled", generation: this.#generation, count });
    });
  }

  /** A process keeps ours alive only while it runs, and while it is being ended. */
  #hold(running: boolean): void {
    const all = [this.#process, this.#process?.channel, this.#pipe];
    if (running) for (const handle of all) handle?.ref();
    else if (this.#ended === undefined) for (const handle of all) handle?.unref();
  }
}
