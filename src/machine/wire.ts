import type { KerfworkError } from "../errors.ts";
import { type Clock, REAL_CLOCK } from "./clock.ts";
import type { Firmware } from "./firmware.ts";
import { portLost, type Transport } from "./transport.ts";

/** Moves a simulated controller along a clock and carries its bytes. */
export class Wire {
  readonly #firmware: Firmware;
  readonly #clock: Clock;
  readonly #scale: number;
  readonly #deliver: (bytes: Uint8Array) => void;
  readonly #start: number;
  readonly #offset: number;
  #cancel: (() => void) | undefined;
  #stopped = false;

  /** `timeScale` seconds of the controller pass in one of the clock. */
  constructor(
    firmware: Firmware,
    deliver: (bytes: Uint8Array) => void,
    { clock = REAL_CLOCK, timeScale = 1 }: { readonly clock?: Clock; readonly timeScale?: number } = {},
  ) {
    this.#firmware = firmware;
    this.#deliver = deliver;
    this.#clock = clock;
    this.#scale = timeScale;
    this.#start = clock.now();
    this.#offset = firmware.now;
    this.#move();
  }

  /** Bytes from the host. */
  send(bytes: Uint8Array): void {
    if (this.#stopped) return;
    this.#catchUp();
    this.#firmware.uart.send(bytes, this.#firmware.now);
    this.#move();
  }

  /** Does something to the controller at the present moment, such as a fault. */
  at(action: () => void): void {
    this.#catchUp();
    action();
    this.#move();
  }

  stop(): void {
    this.#stopped = true;
    this.#cancel?.();
  }

  #catchUp(): void {
    // a nanosecond more, so that rounding never leaves the event behind for which the timer was set
    this.#firmware.advance(this.#offset + (this.#clock.now() - this.#start) * this.#scale + 1e-9);
  }

  #move(): void {
    if (this.#stopped) return;
    this.#cancel?.();
    this.#cancel = undefined;
    this.#catchUp();
    const bytes = this.#firmware.uart.take();
    if (bytes.length > 0) this.#deliver(bytes);
    if (this.#stopped) return;
    const next = this.#firmware.next();
    if (next === Infinity) return;
    const wait = this.#start + (next - this.#offset) / this.#scale - this.#clock.now();
    this.#cancel = this.#clock.after(Math.max(0, wait), () => this.#move());
  }
}

/** A transport to a controller in the same process, without a port in between: for tests on any clock. */
export class SimulatedTransport implements Transport {
  readonly name = "simulated";
  readonly wire: Wire;
  #data: (bytes: Uint8Array) => void = () => {};
  #close: (reason: KerfworkError) => void = () => {};
  #open = true;

  constructor(firmware: Firmware, clock: Clock, timeScale = 1) {
    this.wire = new Wire(firmware, (bytes) => this.#open && this.#data(bytes), { clock, timeScale });
  }

  onData(listener: (bytes: Uint8Array) => void): void {
    this.#data = listener;
  }

  onClose(listener: (reason: KerfworkError) => void): void {
    this.#close = listener;
  }

  write(bytes: Uint8Array): void {
    if (this.#open) this.wire.send(bytes);
  }

  async close(): Promise<void> {
    this.#open = false;
    this.wire.stop();
  }

  /** Fault: bytes that the controller never sent. */
  inject(text: string): void {
    if (this.#open) this.#data(Buffer.from(text, "latin1"));
  }

  /** Fault: the cable is pulled. */
  unplug(): void {
    if (!this.#open) return;
    this.#open = false;
    this.wire.stop();
    this.#close(portLost(this.name));
  }
}
