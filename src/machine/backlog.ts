import type { Clock } from "./clock.ts";
import { type Line, type SendWindow, wireBytes } from "./window.ts";

/** As much as GRBL's own buffer: at 115,200 bits a second a feed hold is behind at most 11 ms of it. */
const BYTES = 128;

/**
 * What is on its way to a controller with a large buffer. The window may be a kilobyte, but what lies in it before the wire
 * would hold up a feed hold for a tenth of a second; so no more goes out than the wire can be expected to have carried.
 * Answers that come sooner show a wire that is faster than its baud rate says.
 */
export class Backlog {
  readonly #clock: Clock;
  readonly #window: SendWindow;
  readonly #rate: number | undefined;
  readonly #pump: () => void;
  /** When the wire will have carried all. */
  #until = 0;
  #cancel: (() => void) | undefined;

  /** `rate` in bytes a second, undefined where nobody knows; `pump` is called when there is room again. */
  constructor(clock: Clock, window: SendWindow, rate: number | undefined, pump: () => void) {
    this.#clock = clock;
    this.#window = window;
    this.#rate = rate;
    this.#pump = pump;
  }

  /** True when a line has to wait; it is asked for again in time. */
  isFull(line: Line): boolean {
    if (this.#rate === undefined || this.#window.size <= BYTES) return false;
    const room = BYTES - wireBytes(line);
    if (this.#window.bytes <= room) return false;
    const excess = (this.#until - this.#clock.now()) * this.#rate - room;
    if (excess <= 0) return false;
    // half of it at a time, so that few timers keep the wire busy
    this.#cancel ??= this.#clock.after(Math.max(excess, BYTES / 2) / this.#rate, () => {
      this.#cancel = undefined;
      this.#pump();
    });
    return true;
  }

  sent(line: Line): void {
    if (this.#rate === undefined) return;
    this.#until = Math.max(this.#until, this.#clock.now()) + wireBytes(line) / this.#rate;
  }

  stop(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }
}
