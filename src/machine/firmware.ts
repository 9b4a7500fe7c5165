import { Board, type Pins } from "./board.ts";
import { DIALECTS, type DialectName } from "./dialect.ts";
import { callPlace } from "./homing.ts";
import { isRealtime } from "./input.ts";
import { ORIGIN, type Vec } from "./interpreter.ts";
import { mainLoop } from "./mainloop.ts";
import { numberedLoop } from "./numbered.ts";
import { Planner } from "./planner.ts";
import { Processor, type Steps } from "./processor.ts";
import { type FirmwareLog, type LogListener, Recorder } from "./record.ts";
import { Settings } from "./settings.ts";
import { Stepper } from "./stepper.ts";

export interface FirmwareOptions {
  /** Whose language it speaks (default `grbl`, which is GRBL 1.1h). */
  readonly dialect?: DialectName;
  /** Bits a second of the serial wire (default 115200). */
  readonly baud?: number;
  /** Seconds that reading one line takes (default 0). */
  readonly lineSeconds?: number;
  /** Settings by number that differ from the defaults. */
  readonly settings?: Readonly<Record<number, number>>;
  /** The EEPROM is blank: the firmware's own defaults, and the noise of a first start (default false). */
  readonly blank?: boolean;
  /** Where the homing switches are, mm from where the machine is powered up (default 20, 20, 20). */
  readonly homingSwitches?: Vec;
  /** False keeps no log in memory, for runs without end (default true). */
  readonly keepLog?: boolean;
  /** Gets each entry of the log as it is made. */
  readonly onLog?: LogListener;
}

/**
 * A controller without a board. Acks paced by the planner, the late `ok` of a line that a reset cut, silence after an
 * alarm: all follow from where the main loop waits.
 */
export class Firmware extends Processor {
  readonly settings: Settings;
  readonly #board: Board;
  readonly #recorder: Recorder;
  /** Fault: seconds that reading a line takes from now on. */
  lineSeconds: number;
  #blank: boolean;

  constructor(options: FirmwareOptions = {}) {
    const { baud = 115_200, dialect: name = "grbl", blank = false } = options;
    const dialect = DIALECTS[name];
    const settings = new Settings(options.settings, blank);
    const planner = new Planner(settings, dialect.blocks);
    const stepper = new Stepper(planner);
    super(baud, stepper, dialect.rxBytes);
    this.settings = settings;
    this.#recorder = new Recorder(options.keepLog, options.onLog);
    const switches = options.homingSwitches ?? [20, 20, 20];
    const recorder = this.#recorder;
    this.#board = new Board(this, { dialect, settings, planner, stepper, recorder, switches });
    this.lineSeconds = options.lineSeconds ?? 0;
    this.#blank = blank;
    this.uart.onLoss = (why, byte, seconds, direction) =>
      recorder.add("lost", { seconds, byte, why, direction });
    stepper.onStop = (kind, seconds) => {
      const dry = kind === "end" && this.uart.waiting > 0;
      recorder.add("stops", { seconds, kind: dry ? "dry" : kind, rxFree: this.uart.rxFree });
    };
    this.start(0);
  }

  get log(): FirmwareLog {
    return this.#recorder.log;
  }

  get state(): string {
    return this.#board.stateText;
  }

  /** Machine coordinates, mm. */
  get position(): Vec {
    return this.#board.position;
  }

  /** What the laser or the spindle is driven with, 0..255. */
  get pwm(): number {
    return this.#board.pwm;
  }

  /** Moves that the planner took since power-up. */
  get blocks(): number {
    return this.#board.planner.taken;
  }

  /** Fault: the processor restarts by itself; for `bootSeconds` every byte is lost. */
  restart(bootSeconds = 0): void {
    this.fault(`restart, ${bootSeconds} s of boot`);
    this.#board.stepper.kill();
    callPlace(this.#board, ORIGIN);
    this.#board.state = "Idle";
    this.#blank = false;
    this.start(bootSeconds);
  }

  /** Fault: a limit switch closes, whether or not `$21` asks for it. */
  trip(): void {
    this.fault("limit switch");
    this.#limit();
  }

  /** Fault: for so long nothing is taken from the wire; what the host sends waits on its side. */
  stall(seconds: number): void {
    this.fault(`stall ${seconds} s`);
    this.uart.stall(this.now + seconds, this.now);
  }

  /** Fault: the host gets each answer so much later, s. */
  delay(seconds: number): void {
    this.fault(`answers ${seconds} s late`);
    this.uart.delay(seconds);
  }

  /** Sets switches; limit switches stop the machine when `$21` is 1. Those that are not named stay. */
  setPins(pins: Partial<Pins>): void {
    const board = this.#board;
    const closed = (pins.limits ?? "") !== "" && board.pins.limits === "";
    const opened = pins.door === true && !board.pins.door;
    Object.assign(board.pins, pins);
    this.fault(`pins ${JSON.stringify(pins)}`);
    if (opened) board.asked.door = true;
    if (closed && this.settings.number(21) === 1) this.#limit();
    this.wake();
  }

  /** Notes a fault in the log. */
  fault(what: string): void {
    this.#recorder.add("faults", { seconds: this.now, what });
  }

  override freeze(frozen: boolean): void {
    this.fault(frozen ? "freeze" : "thaw");
    super.freeze(frozen);
  }

  #limit(): void {
    const board = this.#board;
    if (board.state === "Alarm" || board.state === "Home") return;
    board.stepper.kill();
    board.asked.alarm = 1;
    this.wake();
  }

  protected override interrupt(byte: number): boolean {
    const board = this.#board;
    if (!isRealtime(byte, board.dialect.program)) return true;
    const state = board.stateText;
    if (byte !== 0x3f) this.#recorder.add("realtime", { seconds: this.now, byte, state });
    if (byte === 0x18 && !board.asked.reset && /^(Run|Hold:1|Home|Jog|Door:2)$/.test(state)) {
      board.asked.alarm = state === "Home" ? 6 : 3;
      if (state !== "Home") board.stepper.kill();
    }
    board.asked.take(byte);
    return false;
  }

  protected override *main(): Steps {
    const seconds = () => this.lineSeconds;
    if (this.#board.dialect.program === "grbl") yield* mainLoop(this.#board, seconds, this.#blank);
    else yield* numberedLoop(this.#board, seconds);
  }
}

export type { FirmwareLog } from "./record.ts";
