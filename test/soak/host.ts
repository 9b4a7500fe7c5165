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

const BANNER = "Grbl 1.1h ['$' for help]\r\n";

/** What is heard on a wire that is listened to. */
export interface Tap {
  /** The host writes. */
  wrote(bytes: Uint8Array): void;
  /** The host is being told that the controller has started. */
  started(): void;
}

/** A wire that is listened to. */
export class TappedTransport implements Transport {
  readonly name = "soak";
  readonly #inner: Transport;
  readonly #host: HostClock;
  readonly #tap: Tap;
  #heard = "";

  constructor(inner: Transport, host: HostClock, tap: Tap) {
    this.#inner = inner;
    this.#host = host;
    this.#tap = tap;
  }

  write(bytes: Uint8Array): void {
    this.#tap.wrote(bytes);
    this.#inner.write(bytes);
  }

  onData(listener: (bytes: Uint8Array) => void): void {
    this.#inner.onData((bytes) =>
      this.#host.news(() => {
        const heard = this.#heard + Buffer.from(bytes).toString("latin1");
        const at = heard.indexOf(BANNER);
        if (at !== -1) this.#tap.started();
        // of one that comes in pieces
        this.#heard = at === -1 ? heard.slice(-BANNER.length) : heard.slice(at + BANNER.length);
        listener(bytes);
      }),
    );
  }

  onClose(listener: (reason: KerfworkError) => void): void {
    this.#inner.onClose((reason) => this.#host.news(() => listener(reason)));
  }

  close(): Promise<void> {
    return this.#inner.close();
  }
}
