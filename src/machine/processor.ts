import { Uart } from "./uart.ts";

/** A piece of a program that stops wherever the real one would wait, and goes on when something happened. */
export type Steps<R = void> = Generator<void, R, void>;

/** What moves by itself while time passes. */
export interface Moving {
  /** Seconds until something about it changes. */
  next(): number;
  /** Lets time pass, at most up to `next()`; `now` is when that has passed. */
  advance(seconds: number, now: number): void;
}

/**
 * A microcontroller on a clock that the caller moves: a serial port whose bytes interrupt, a motion that runs beside it,
 * and one main loop, which is a generator. What a host sees of a program that waits follows from where it waits.
 */
export abstract class Processor {
  readonly uart: Uart;
  readonly #motion: Moving;
  #now = 0;
  #main: Steps | undefined;
  #wakeAt = Infinity;
  #listening = false;
  #frozen = false;
  #masked = false;
  #advancing = false;
  /** What happens from outside, in order. */
  #planned: { readonly at: number; readonly run: () => void }[] = [];
  /** The main loop waits for room in the transmit ring. */
  #full = false;

  constructor(baud: number, motion: Moving, rxBytes?: number) {
    this.uart = new Uart(baud, rxBytes);
    this.#motion = motion;
  }

  /** Seconds since power-up. */
  get now(): number {
    return this.#now;
  }

  /** When something happens next that a host could see, if no byte is sent before. */
  next(): number {
    return Math.min(this.#due(), this.uart.nextOut());
  }

  /** Does something from outside when `seconds` have passed on this clock, between two steps of the main loop. */
  after(seconds: number, run: () => void): void {
    const at = this.#now + seconds;
    const place = this.#planned.findIndex((other) => other.at > at);
    this.#planned.splice(place === -1 ? this.#planned.length : place, 0, { at, run });
  }

  #due(): number {
    const planned = this.#planned.length > 0 ? this.#planned[0]!.at : Infinity;
    if (this.#frozen) return planned;
    if (this.#masked) return Math.min(planned, this.#wakeAt);
    let due = Math.min(planned, this.#now + this.#motion.next(), this.#wakeAt);
    if (this.#full) due = Math.min(due, this.uart.nextRoom());
    return this.#listening ? Math.min(due, this.uart.nextArrival()) : due;
  }

  /** Lets time pass up to `to`, through everything that happens on the way. */
  advance(to: number): void {
    // who listens to what it does may look at it, but not move it on
    if (this.#advancing) return;
    this.#advancing = true;
    try {
      for (let at = this.#due(); at <= to; at = this.#due()) this.#step(at);
      if (to > this.#now) this.#step(to);
    } finally {
      this.#advancing = false;
    }
  }

  #step(at: number): void {
    const passed = Math.max(0, at - this.#now);
    this.#now = Math.max(this.#now, at);
    if (!this.#masked && !this.#frozen) this.#motion.advance(passed, this.#now);
    this.uart.advance(this.#now, this.#arrived);
    while (this.#planned.length > 0 && this.#planned[0]!.at <= this.#now) this.#planned.shift()!.run();
    if (this.#frozen) return;
    // whoever still waits sets it again
    if (this.#wakeAt <= this.#now) this.#wakeAt = Infinity;
    this.wake();
  }

  /** Fault: it hangs, or (false) goes on as if nothing had been. Bytes that arrive meanwhile are lost. */
  freeze(frozen: boolean): void {
    this.#frozen = frozen;
  }

  /** Starts the main loop from the beginning; for `bootSeconds` nobody listens. */
  protected start(bootSeconds: number): void {
    this.#listening = false;
    this.#masked = false;
    this.#full = false;
    this.#wakeAt = Infinity;
    this.uart.unmask(this.#now, this.#arrived);
    this.uart.clearSent();
    this.#main = this.#boot(bootSeconds);
    this.wake();
  }

  *#boot(seconds: number): Steps {
    yield* this.wait(seconds);
    this.#listening = true;
    yield* this.main();
  }

  /** Lets the main loop look around. */
  protected wake(): void {
    this.#main?.next();
  }

  /** The program; it never ends. */
  protected abstract main(): Steps;

  /** What happens at the arrival of a byte, whatever the main loop does; true when it belongs in the ring. */
  protected abstract interrupt(byte: number): boolean;

  readonly #arrived = (byte: number, at: number): boolean => {
    if (this.#listening && !this.#frozen) return this.interrupt(byte);
    this.uart.lose(byte, at);
    return false;
  };

  /** Lets time pass and does nothing else. */
  *wait(seconds: number): Steps {
    if (seconds <= 0) return;
    const passed = this.passed(seconds);
    while (!passed()) yield;
  }

  /** A test that becomes true after `seconds`, and wakes the main loop then. */
  passed(seconds: number): () => boolean {
    const end = this.#now + seconds;
    this.#wakeAt = end;
    return () => {
      if (this.#now >= end) return true;
      this.#wakeAt = end;
      return false;
    };
  }

  /** Lets time pass with interrupts off: motion stands, and most of what arrives is lost. */
  *maskedWait(seconds: number): Steps {
    if (seconds <= 0) return;
    this.#masked = true;
    this.uart.mask();
    yield* this.wait(seconds);
    this.#masked = false;
    this.uart.unmask(this.#now, this.#arrived);
  }

  /** Puts text into the transmit ring, waiting for room. */
  *print(message: string): Steps {
    for (let i = 0; i < message.length; i++) {
      while (!this.uart.write(message.charCodeAt(i), this.#now)) {
        this.#full = true;
        yield;
      }
    }
    this.#full = false;
  }
}
