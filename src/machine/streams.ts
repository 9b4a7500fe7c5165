import type { KerfworkError } from "../errors.ts";
import { portLost, type Transport } from "./transport.ts";

/** Two streams of bytes, such as an open port of the browser's Web Serial. */
export interface StreamPair {
  readonly readable: ReadableStream<Uint8Array>;
  readonly writable: WritableStream<Uint8Array>;
}

const CLOSE_MS = 1000;

export const isStreamPair = (target: unknown): target is StreamPair =>
  typeof (target as StreamPair | undefined)?.readable?.getReader === "function" &&
  typeof (target as StreamPair | undefined)?.writable?.getWriter === "function";

/** Makes a transport of two streams, which it locks. Closing ends both and leaves the port that they belong to open. */
export class StreamTransport implements Transport {
  readonly name: string;
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  #open = true;
  #data: (bytes: Uint8Array) => void = () => {};
  #close: (reason: KerfworkError) => void = () => {};
  #reason: KerfworkError | undefined;

  constructor({ readable, writable }: StreamPair, name = "the stream") {
    this.name = name;
    this.#reader = readable.getReader();
    this.#writer = writable.getWriter();
    this.#writer.closed.catch((error) => this.#lose(error as Error));
    void this.#read();
  }

  async #read(): Promise<void> {
    try {
      while (this.#open) {
        const { done, value } = await this.#reader.read();
        if (done) return this.#lose();
        if (this.#open) this.#data(value);
      }
    } catch (error) {
      this.#lose(error as Error);
    }
  }

  write(bytes: Uint8Array): void {
    // what a write promises is that the stream took it; only the controller's answers tell more
    if (this.#open) this.#writer.write(bytes).catch((error) => this.#lose(error as Error));
  }

  onData(listener: (bytes: Uint8Array) => void): void {
    this.#data = listener;
  }

  onClose(listener: (reason: KerfworkError) => void): void {
    this.#close = listener;
    if (this.#reason !== undefined) listener(this.#reason);
  }

  async close(): Promise<void> {
    if (!this.#open) return;
    this.#open = false;
    await this.#letGo();
  }

  /** Aborts rather than closes: what still waits to be sent must not be sent later. */
  async #letGo(): Promise<void> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const ended = Promise.allSettled([this.#reader.cancel(), this.#writer.abort()]);
    await Promise.race([
      ended,
      new Promise((resolve) => {
        timer = setTimeout(resolve, CLOSE_MS);
      }),
    ]);
    clearTimeout(timer);
    this.#reader.releaseLock();
    this.#writer.releaseLock();
  }

  #lose(error?: Error): void {
    if (!this.#open) return;
    this.#open = false;
    this.#reason = portLost(this.name, error);
    void this.#letGo();
    this.#close(this.#reason);
  }
}
