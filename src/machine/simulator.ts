import { checkNumber } from "../errors.ts";
import { Firmware, type FirmwareLog } from "./firmware.ts";
import { Pty } from "./pty.ts";
import { Wire } from "./wire.ts";

export interface SimulatorOptions {
  /** Seconds of the controller that pass in one real second, motion and wire alike, > 0 (default 1). */
  readonly timeScale?: number;
  /** Bits a second on the wire, both ways, > 0 (default 115200). The host's own setting does not matter. */
  readonly baud?: number;
  /** Seconds that the controller takes to read a line, >= 0 (default 0; an 8-bit board needs about 0.001). */
  readonly lineSeconds?: number;
  /** `$` settings by number that differ from the defaults, such as `{ 22: 1 }` for homing. */
  readonly settings?: Readonly<Record<number, number>>;
}

/** What the simulated controller did: the truth that a sender's claims are held against. */
export interface SimulatorLog extends FirmwareLog {
  /** Bytes dropped because the receive buffer was full. */
  readonly overflow: number;
  /** Bytes lost while the controller had its interrupts off, or started, or hung. */
  readonly overrun: number;
  /** The most bytes that the receive buffer of 128 ever held. */
  readonly highWater: number;
}

export interface Damage {
  /** Whose bytes suffer. */
  readonly direction: "toController" | "toHost";
  /** How many bytes pass unharmed first, >= 0. */
  readonly after: number;
  /** The bits to flip, 1..255; 0 loses the byte (default 0). */
  readonly flip?: number;
}

/** A simulated GRBL 1.1h controller on a pseudo-terminal. */
export class Simulator {
  readonly #firmware: Firmware;
  readonly #wire: Wire;
  #pty: Pty | undefined;
  #path = "";

  /** @internal `startSimulator` makes one. */
  constructor(firmware: Firmware, timeScale: number) {
    this.#firmware = firmware;
    this.#wire = new Wire(firmware, (bytes) => this.#pty?.write(bytes), { timeScale });
  }

  /** The serial port to connect to; after `plug()` it is another one. */
  get path(): string {
    return this.#path;
  }

  /** The controller's state in its own words, such as `Hold:0`. */
  get state(): string {
    return this.#firmware.state;
  }

  /** Machine coordinates x, y, z, mm. */
  get position(): readonly [number, number, number] {
    return this.#firmware.position;
  }

  get log(): SimulatorLog {
    const { overflow, overrun, highWater } = this.#firmware.uart;
    return { ...this.#firmware.log, overflow, overrun, highWater };
  }

  /** Fault: the cable is pulled. The host sees a hang-up; the controller goes on with what it has. */
  async unplug(): Promise<void> {
    const pty = this.#pty;
    this.#pty = undefined;
    await pty?.close();
  }

  /** Puts the cable back after `unplug()`; `path` is new. */
  async plug(): Promise<void> {
    if (this.#pty !== undefined) return;
    this.#pty = await Pty.open((bytes) => this.#wire.send(bytes));
    this.#path = this.#pty.path;
  }

  /** Fault: the controller restarts by itself and loses all that it held, bytes of the next `bootSeconds` too. */
  restart(bootSeconds = 0): void {
    this.#wire.at(() => this.#firmware.restart(checkNumber("bootSeconds", bootSeconds, { min: 0 })));
  }

  /** Fault: the controller hangs: it neither moves, reads nor answers. `freeze(false)` lets it go on. */
  freeze(frozen = true): void {
    this.#wire.at(() => this.#firmware.freeze(frozen));
  }

  /** Fault: a limit switch closes, which is ALARM:1. */
  trip(): void {
    this.#wire.at(() => this.#firmware.trip());
  }

  /** Fault: one byte is lost or changed on the wire. */
  damage({ direction, after, flip = 0 }: Damage): void {
    this.#wire.at(() => this.#firmware.uart.damage(direction, after, flip));
  }

  /** Ends it and the pseudo-terminal; nothing is left running. */
  async close(): Promise<void> {
    this.#wire.stop();
    await this.unplug();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/**
 * Starts a simulated GRBL 1.1h controller on a pseudo-terminal (Linux, with the `script` command of bsdutils). It
 * answers as the firmware does: a receive buffer of 128 bytes that drops silently when it is full, `ok` paced by a planner
 * of 15 moves, realtime bytes, hold, resume, resets and alarms. Moves have no acceleration.
 *
 * @throws SIMULATOR_FAILED no pseudo-terminal can be had
 */
export async function startSimulator(options: SimulatorOptions = {}): Promise<Simulator> {
  const { timeScale = 1, baud = 115_200, lineSeconds = 0, settings = {} } = options;
  checkNumber("timeScale", timeScale, { above: 0 });
  checkNumber("baud", baud, { above: 0 });
  checkNumber("lineSeconds", lineSeconds, { min: 0 });
  const firmware = new Firmware({ baud, lineSeconds, settings });
  const simulator = new Simulator(firmware, timeScale);
  await simulator.plug();
  return simulator;
}
