import type { Clock, KerfworkError, Transport, VirtualClock } from "kerfwork";

/**
 * The time of a host whose main thread can be blocked: meanwhile none of its timers runs and nothing reaches it, and
 * afterwards all of that comes at once, timers first, as an event loop has it.
 */
export class HostClock implements Clock {
  readonly #clock: VirtualClock;
  #blocked = false;
  readonly #timers = new Set<() => void>();
  readonly #news: (() => void)[] = [];

  constructor(clock: VirtualClock) {
    this.#clock = clock;
  }

  now(): number {
    return this.#clock.now();
  }

  after(seconds: number, run: () => void): () => void {
    const timer = () => {
      this.#timers.delete(timer);
      run();
    };
    const cancel = this.#clock.after(seconds, () => {
      if (this.#blocked) this.#timers.add(timer);
      else run();
    });
    return () => {
      cancel();
      this.#timers.delete(timer);
    };
  }

  block(seconds: number): void {
    this.#blocked = true;
    this.#clock.after(seconds, () => {
      this.#blocked = false;
      for (const timer of [...this.#timers]) if (this.#timers.has(timer)) timer();
      for (const news of this.#news.splice(0)) news();
    });
  }

  /** What comes from outside. */
  news(run: () => void): void {
    if (this.#blocked) this.#news.push(run);
    else run();
  }
}

/** A wire that is listened to. */
export class TappedTransport implements Transport {
  readonly name = "soak";
  readonly #inner: Transport;
  readonly #host: HostClock;
  readonly #wrote: (bytes: Uint8Array) => void;

  constructor(inner: Transport, host: HostClock, wrote: (bytes: Uint8Array) => void) {
    this.#inner = inner;
    this.#host = host;
    this.#wrote = wrote;
  }

  write(bytes: Uint8Array): void {
    this.#wrote(bytes);
    this.#inner.write(bytes);
  }

  onData(listener: (bytes: Uint8Array) => void): void {
    this.#inner.onData((bytes) => this.#host.news(() => listener(bytes)));
  }

  onClose(listener: (reason: KerfworkError) => void): void {
    this.#inner.onClose((reason) => this.#host.news(() => listener(reason)));
  }

  close(): Promise<void> {
    return this.#inner.close();
  }
}
