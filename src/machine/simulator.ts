import { checkNumber, checkOneOf, checkOptions, KerfworkError } from "../errors.ts";
import { type Clock, REAL_CLOCK } from "./clock.ts";
import { DIALECTS, type DialectName } from "./dialect.ts";
import { checkFault, type Fault, strike } from "./faults.ts";
import { Firmware, type FirmwareLog, type FirmwareOptions } from "./firmware.ts";
import { type Plug, plugPty, plugTcp } from "./plug.ts";
import { portLost, type Transport } from "./transport.ts";
import { Wire } from "./wire.ts";

export interface SimulatorOptions extends FirmwareOptions {
  /** Seconds of the controller that pass in one second of the clock, motion and wire alike, > 0 (default 1). */
  readonly timeScale?: number;
  /** A TCP port to serve instead of a pseudo-terminal: `host` (default 127.0.0.1), `port` (default 0, any free one). */
  readonly tcp?: { readonly host?: string; readonly port?: number };
}

/** What the simulated controller did: the truth that a sender's claims are held against. */
export interface SimulatorLog extends FirmwareLog {
  /** Bytes dropped because the receive buffer was full. */
  readonly overflow: number;
  /** Bytes lost while the controller had its interrupts off, or started, or hung. */
  readonly overrun: number;
  /** The most bytes that the receive buffer of 128 ever held. */
  readonly highWater: number;
  /** Bytes that arrived at the controller, and that left it. */
  readonly received: number;
  readonly sent: number;
  /** Moves that the planner took. */
  readonly blocks: number;
}

export interface Damage {
  /** Whose bytes suffer. */
  readonly direction: "toController" | "toHost";
  /** How many bytes pass unharmed first, >= 0. */
  readonly after: number;
  /** The bits to flip, 1..255; 0 loses the byte (default 0). */
  readonly flip?: number;
}

/** Where a host finds the controller: in this process, on a pseudo-terminal or on a TCP port. */
type Place = "here" | "pty" | NonNullable<SimulatorOptions["tcp"]>;

/** So many bytes of the host wait for the wire before no more are taken, as a driver's buffer has it. */
const WAITING_BYTES = 4096;
/** A full one is looked at so often, s of the controller. */
const WAITING_SECONDS = 0.01;

/**
 * A simulated controller: GRBL 1.1h, or another dialect of it. `startSimulator` puts one on a pseudo-terminal or a TCP
 * port, `simulate` in reach of this process alone, on any clock.
 */
export class Simulator {
  readonly firmware: Firmware;
  readonly #wire: Wire;
  readonly #place: Place;
  /** The cable is in. */
  #plugged = false;
  #plug: Plug | undefined;
  #path = "";
  #port: number | undefined;
  #connection: Connection | undefined;
  #paused = false;
  #closed = false;

  /** @internal `startSimulator` and `simulate` make one. */
  constructor(firmware: Firmware, clock: Clock, timeScale: number, place: Place) {
    this.firmware = firmware;
    this.#place = place;
    this.#plugged = place === "here";
    const deliver = (bytes: Uint8Array): void => {
      this.#plug?.write(bytes);
      this.#connection?.receive(bytes);
    };
    this.#wire = new Wire(firmware, deliver, { clock, timeScale });
  }

  /** What to connect to: a serial port, or `tcp://host:port`. A serial port is another one after `plug()`. */
  get path(): string {
    return this.#path;
  }

  /** The number of the TCP port. */
  get port(): number | undefined {
    return this.#port;
  }

  /** The controller's state in its own words, such as `Hold:0`. */
  get state(): string {
    this.#look();
    return this.firmware.state;
  }

  /** Machine coordinates x, y, z, mm. */
  get position(): readonly [number, number, number] {
    this.#look();
    return this.firmware.position;
  }

  /** What the laser or the spindle is driven with, 0..255. */
  get pwm(): number {
    this.#look();
    return this.firmware.pwm;
  }

  get log(): SimulatorLog {
    this.#look();
    const { overflow, overrun, highWater, received, sent } = this.firmware.uart;
    return {
      ...this.firmware.log,
      overflow,
      overrun,
      highWater,
      received,
      sent,
      blocks: this.firmware.blocks,
    };
  }

  /** Brings the controller up to the clock. */
  #look(): void {
    this.#wire.at(() => {});
  }

  /**
   * A connection without a port: what it writes goes onto the controller's wire, at the time of the clock. There is one
   * at a time; opening another ends the one before, as pulling the cable does.
   *
   * @throws PORT_NOT_FOUND the cable is pulled
   */
  open(): Transport {
    if (!this.#plugged)
      throw new KerfworkError("PORT_NOT_FOUND", "There is no simulated controller: its cable is pulled");
    this.#connection?.lose();
    const connection = new Connection((bytes) => this.#receive(bytes));
    this.#connection = connection;
    return connection;
  }

  readonly #receive = (bytes: Uint8Array): void => {
    this.#wire.send(bytes);
    if (!this.#paused && this.firmware.uart.waiting > WAITING_BYTES) this.#wire.at(() => this.#hold());
  };

  /** Lets the host's bytes wait on its side until the wire has taken what it has. */
  #hold(): void {
    this.#paused = this.firmware.uart.waiting > WAITING_BYTES / 2;
    this.#plug?.pause(this.#paused);
    if (this.#paused) this.firmware.after(WAITING_SECONDS, () => this.#hold());
  }

  /** Fault: the cable is pulled. The host sees a hang-up; the controller goes on with what it has. */
  async unplug(): Promise<void> {
    const plug = this.#plug;
    this.#plug = undefined;
    this.#plugged = false;
    this.#connection?.lose();
    this.#connection = undefined;
    await plug?.close();
  }

  /** Puts the cable back after `unplug()`; the `path` of a pseudo-terminal is new. */
  async plug(): Promise<void> {
    if (this.#plugged || this.#closed) return;
    this.#plugged = true;
    if (this.#place === "here") return;
    if (this.#place === "pty") this.#plug = await plugPty(this.#receive);
    else {
      const { host = "127.0.0.1", port = 0 } = this.#place;
      const plug = await plugTcp(host, this.#port ?? port, this.#receive);
      this.#port = plug.port;
      this.#plug = plug;
    }
    this.#path = this.#plug.path;
    // pulled again, or closed, in the meantime
    if (this.#closed || !this.#plugged) await this.unplug();
  }

  /** Fault: the controller restarts by itself and loses all that it held, bytes of the next `bootSeconds` too. */
  restart(bootSeconds = 0): void {
    this.#wire.at(() => this.firmware.restart(checkNumber("bootSeconds", bootSeconds, { min: 0 })));
  }

  /** Fault: the controller hangs: it neither moves, reads nor answers. `freeze(false)` lets it go on. */
  freeze(frozen = true): void {
    this.#wire.at(() => this.firmware.freeze(frozen));
  }

  /** Fault: a limit switch closes, which is ALARM:1. */
  trip(): void {
    this.#wire.at(() => this.firmware.trip());
  }

  /** Fault: one byte is lost or changed on the wire. */
  damage({ direction, after, flip = 0 }: Damage): void {
    this.#wire.at(() => this.firmware.uart.damage(direction, after, flip));
  }

  /**
   * Lets any fault happen, now or after so many seconds of the controller's clock. On a virtual clock the same faults at
   * the same times give the same run, byte for byte.
   */
  strike(fault: Fault, seconds = 0): void {
    checkFault(fault);
    checkNumber("seconds", seconds, { min: 0 });
    // when the controller's step is done: what a host does at a hang-up must find it in order
    const cable = {
      unplug: () => queueMicrotask(() => void this.unplug()),
      // a port that cannot be had again is for the host to find out
      plug: () => queueMicrotask(() => void this.plug().catch(() => {})),
    };
    this.#wire.at(() => this.firmware.after(seconds, () => strike(this.firmware, fault, cable)));
  }

  /** Ends it and its port; nothing is left running. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#wire.stop();
    await this.unplug();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/** A host's end of a wire in the same process. */
class Connection implements Transport {
  readonly name = "simulated";
  readonly #send: (bytes: Uint8Array) => void;
  #data: (bytes: Uint8Array) => void = () => {};
  #close: (reason: ReturnType<typeof portLost>) => void = () => {};
  #open = true;

  constructor(send: (bytes: Uint8Array) => void) {
    this.#send = send;
  }

  write(bytes: Uint8Array): void {
    if (this.#open) this.#send(bytes);
  }

  onData(listener: (bytes: Uint8Array) => void): void {
    this.#data = listener;
  }

  onClose(listener: (reason: ReturnType<typeof portLost>) => void): void {
    this.#close = listener;
  }

  async close(): Promise<void> {
    this.#open = false;
  }

  receive(bytes: Uint8Array): void {
    if (this.#open) this.#data(bytes);
  }

  lose(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#close(portLost(this.name));
  }
}

const OPTIONS = [
  "dialect",
  "baud",
  "lineSeconds",
  "settings",
  "blank",
  "homingSwitches",
  "keepLog",
  "onLog",
  "timeScale",
  "tcp",
] as const;

function makeSimulator(options: SimulatorOptions, clock: Clock, here: boolean): Simulator {
  checkOptions(options, OPTIONS);
  const { timeScale = 1, tcp, ...rest } = options;
  checkNumber("timeScale", timeScale, { above: 0 });
  checkNumber("baud", rest.baud ?? 115_200, { above: 0 });
  checkNumber("lineSeconds", rest.lineSeconds ?? 0, { min: 0 });
  checkOneOf("dialect", rest.dialect ?? "grbl", Object.keys(DIALECTS) as DialectName[]);
  for (const mm of rest.homingSwitches ?? []) checkNumber("homingSwitches", mm);
  for (const [number, value] of Object.entries(rest.settings ?? {}))
    checkNumber(`settings[${number}]`, value);
  if (tcp?.port !== undefined) checkNumber("tcp.port", tcp.port, { min: 0, max: 65_535, integer: true });
  return new Simulator(new Firmware(rest), clock, timeScale, here ? "here" : (tcp ?? "pty"));
}

/**
 * Makes a simulated controller that only this process can reach, with `open()`, on any clock: hours of a job pass in the
 * time that the work itself takes when the clock is a `VirtualClock`.
 *
 * @param options.clock  where the time comes from (default the real one)
 * @throws INVALID_ARGUMENT an option out of range
 * @example
 * const clock = new VirtualClock();
 * const simulator = simulate({ clock });
 * const machine = await clock.run(connect(simulator.open(), { clock }));
 */
export function simulate(
  options: Omit<SimulatorOptions, "tcp"> & { readonly clock?: Clock } = {},
): Simulator {
  const { clock = REAL_CLOCK, ...rest } = options;
  return makeSimulator(rest, clock, true);
}

/**
 * Starts a simulated controller on a pseudo-terminal (Linux, with the `script` command of bsdutils) or a TCP port. It
 * answers as GRBL 1.1h does: a receive buffer of 128 bytes that drops silently when it is full, `ok` paced by a planner of
 * 15 moves with acceleration and look-ahead, realtime bytes, holds, doors, overrides, homing, resets and alarms. Other
 * dialects are there to try a host's flow control on.
 *
 * @throws SIMULATOR_FAILED no pseudo-terminal can be had, or the TCP port is in use; INVALID_ARGUMENT
 */
export async function startSimulator(options: SimulatorOptions = {}): Promise<Simulator> {
  const simulator = makeSimulator(options, REAL_CLOCK, false);
  try {
    await simulator.plug();
  } catch (error) {
    await simulator.close();
    throw error;
  }
  return simulator;
}
