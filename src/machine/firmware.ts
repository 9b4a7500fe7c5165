import { isRealtime, LineInput, Requests } from "./input.ts";
import {
  type Action,
  type Interpreted,
  interpret,
  interpretJog,
  type Modal,
  type Offsets,
  START_MODAL,
  START_OFFSETS,
  type Vec,
  workOffset,
} from "./interpreter.ts";
import { Planner } from "./planner.ts";
import { Processor, type Steps } from "./processor.ts";
import { Reporter } from "./report.ts";
import { Settings } from "./settings.ts";
import { RX_BYTES } from "./uart.ts";

/** What the controller did, as only it can know. Times are seconds of its own clock. */
export interface FirmwareLog {
  /** Every line that the parser finished, stripped and in capitals, with 0 or the number of its error. */
  readonly lines: { readonly seconds: number; readonly text: string; readonly status: number }[];
  /** Realtime bytes taken, `?` left out. */
  readonly realtime: { readonly seconds: number; readonly byte: number; readonly state: string }[];
  /** Starts: power-up, resets from outside, resets by 0x18. */
  readonly resets: { readonly seconds: number; readonly kind: "power" | "soft" }[];
}

export interface FirmwareOptions {
  /** Bits a second of the serial wire (default 115200). */
  readonly baud?: number;
  /** Seconds that reading one line takes (default 0). */
  readonly lineSeconds?: number;
  /** Settings by number that differ from the defaults. */
  readonly settings?: Readonly<Record<number, number>>;
}

type State = "Idle" | "Run" | "Hold" | "Jog" | "Home" | "Alarm" | "Check" | "Sleep";

const BANNER = "\r\nGrbl 1.1h ['$' for help]\r\n";
/** After an alarm the controller stands deaf for so long. */
const ALARM_SECONDS = 0.5;
/** Writing one changed byte of EEPROM, with interrupts off. */
const STORE_SECONDS = 0.0034;
/** From anywhere: this controller finds its switches at once, a real one takes 20 s and more. */
const HOMING_SECONDS = 2;

/**
 * A GRBL 1.1h controller without a board. Acks paced by the planner, the late `ok` of a line that a reset cut, silence
 * after an alarm: all follow from where the main loop waits.
 */
export class Firmware extends Processor {
  readonly log: FirmwareLog = { lines: [], realtime: [], resets: [] };
  readonly settings: Settings;
  readonly #lineSeconds: number;
  readonly #planner: Planner;
  readonly #input = new LineInput();
  readonly #reporter: Reporter;
  #state: State = "Idle";
  #modal: Modal = START_MODAL;
  #offsets: Offsets = START_OFFSETS;
  #asked = new Requests();
  #aborted = false;
  #endingJog = false;

  constructor(options: FirmwareOptions = {}) {
    const planner = new Planner();
    super(options.baud ?? 115_200, planner);
    this.#planner = planner;
    this.settings = new Settings(options.settings);
    this.#reporter = new Reporter(this.settings);
    this.#lineSeconds = options.lineSeconds ?? 0;
    this.start(0);
  }

  get state(): string {
    if (this.#state !== "Hold") return this.#state;
    return this.#planner.state === "stopping" ? "Hold:1" : "Hold:0";
  }

  /** Machine coordinates, mm. */
  get position(): Vec {
    return this.#planner.position();
  }

  /** Fault: the processor restarts by itself; for `bootSeconds` every byte is lost. */
  restart(bootSeconds = 0): void {
    this.#planner.kill();
    this.#planner.place([0, 0, 0]);
    this.#state = "Idle";
    this.start(bootSeconds);
  }

  /** Fault: a limit switch closes. */
  trip(): void {
    if (this.#state === "Alarm") return;
    this.#planner.kill();
    this.#asked.alarm = 1;
    this.wake();
  }

  protected override interrupt(byte: number): boolean {
    if (!isRealtime(byte)) return true;
    if (byte !== 0x3f) this.log.realtime.push({ seconds: this.now, byte, state: this.state });
    const moving = /^(Run|Hold:1|Home|Jog)$/.test(this.state);
    if (byte === 0x18 && moving && !this.#asked.reset) {
      this.#asked.alarm = this.#state === "Home" ? 6 : 3;
      this.#planner.kill();
    }
    this.#asked.take(byte);
    return false;
  }

  protected override *main(): Steps {
    if (this.settings.number(22) === 1) this.#state = "Alarm";
    for (let kind: "power" | "soft" = "power"; ; kind = "soft") {
      this.#aborted = false;
      this.#endingJog = false;
      this.#asked = new Requests();
      this.uart.clearReceived();
      this.#input.clear();
      this.#planner.kill();
      this.#modal = { ...START_MODAL, position: this.#planner.position() };
      this.#offsets = { ...this.#offsets, g92: START_OFFSETS.g92, toolLength: 0 };
      this.#reporter.restart();
      this.#state = this.#state === "Alarm" || this.#state === "Sleep" ? "Alarm" : "Idle";
      this.log.resets.push({ seconds: this.now, kind });
      yield* this.print(BANNER);
      if (this.#state === "Alarm") yield* this.print("[MSG:'$H'|'$X' to unlock]\r\n");
      yield* this.#loop();
    }
  }

  *#loop(): Steps {
    for (;;) {
      for (let byte = this.uart.read(); byte !== -1; byte = this.uart.read()) {
        if (byte === 10 || byte === 13) {
          yield* this.#serve();
          if (this.#aborted) return;
          yield* this.#endLine();
        } else this.#input.take(byte);
      }
      this.#startMotion();
      yield* this.#serve();
      if (this.#aborted) return;
      // lines can have come in while the machine was held
      if (this.uart.rxFree === RX_BYTES) yield;
    }
  }

  *#endLine(): Steps {
    const { text, tooLong } = this.#input;
    this.#input.clear();
    yield* this.wait(this.#lineSeconds);
    let status = 0;
    if (tooLong) status = 11;
    else if (text.startsWith("$")) status = yield* this.#command(text);
    else if (text !== "" && (this.#state === "Alarm" || this.#state === "Jog")) status = 9;
    else if (text !== "") status = yield* this.#execute(text);
    const parsed = text !== "" && status !== 9 && status !== 11;
    if (parsed) this.log.lines.push({ seconds: this.now, text, status });
    yield* this.print(status === 0 ? "ok\r\n" : `error:${status}\r\n`);
    // leaving check mode restarts the controller
    if (text === "$C" && status === 0 && this.#state === "Idle") this.#aborted = true;
  }

  *#execute(text: string): Steps<number> {
    const result = interpret(text, this.#modal, this.#offsets, this.settings);
    if (typeof result === "number") return result;
    yield* this.#perform(result);
    return 0;
  }

  *#jog(text: string): Steps<number> {
    if (this.#state !== "Idle" && this.#state !== "Jog") return 8;
    const result = interpretJog(text, this.#modal, this.#offsets, this.settings);
    if (typeof result === "number") return result;
    yield* this.#perform(result);
    if (!this.#aborted && this.#state === "Idle" && !this.#planner.empty) {
      this.#planner.start();
      this.#state = "Jog";
    }
    return 0;
  }

  *#perform(result: Interpreted): Steps {
    const offset = workOffset(this.#offsets, this.#modal.system).join();
    let from = this.#modal.position;
    const still = this.#state === "Check";
    for (const action of result.actions) {
      if (!still) yield* this.#act(action, from);
      if (this.#aborted) return;
      if (action.type === "move") from = action.target;
      if (action.type === "end") yield* this.print("[MSG:Pgm End]\r\n");
    }
    this.#modal = result.modal;
    this.#offsets = result.offsets;
    if (workOffset(this.#offsets, this.#modal.system).join() !== offset) this.#reporter.offsetChanged();
    if (result.outputs) this.#reporter.outputsChanged();
  }

  *#act(action: Action, from: Vec): Steps {
    if (action.type === "sync") yield* this.#drain();
    if (action.type === "dwell") yield* this.#until(this.passed(action.seconds));
    if (action.type === "store" && action.bytes > 0) yield* this.maskedWait(action.bytes * STORE_SECONDS);
    if (action.type === "pause") {
      this.#asked.hold = true;
      yield* this.#serve();
    }
    if (action.type !== "move") return;
    if (this.settings.number(20) === 1 && !this.settings.reaches(action.target)) {
      // soft limits stop the machine in order before they lock it
      this.#planner.hold(this.settings.vec(120)[0]);
      if (this.#planner.state === "stopping") yield* this.#until(() => this.#planner.state === "held");
      this.#asked.alarm = 2;
      yield* this.#serve();
      return;
    }
    yield* this.#until(() => {
      if (this.#planner.room > 0) return true;
      this.#startMotion();
      return false;
    });
    if (!this.#aborted)
      this.#planner.add(from, action.target, action.feed, action.power, this.settings.vec(110));
  }

  *#drain(): Steps {
    yield* this.#until(() => {
      this.#startMotion();
      return this.#planner.empty && this.#state !== "Run";
    });
  }

  #startMotion(): void {
    if (this.#state !== "Idle" || this.#planner.empty) return;
    this.#planner.start();
    this.#state = "Run";
  }

  /** Serves requests until something is true, or a reset was asked for. */
  *#until(done: () => boolean): Steps {
    for (;;) {
      yield* this.#serve();
      if (this.#aborted || done()) return;
      yield;
    }
  }

  /** Serves what was asked for; while the machine is held it does nothing else. */
  *#serve(): Steps {
    yield* this.#flags();
    while (!this.#aborted && (this.#state === "Hold" || this.#state === "Sleep" || this.#endingJog)) {
      yield;
      yield* this.#flags();
    }
  }

  *#flags(): Steps {
    const asked = this.#asked;
    if (asked.alarm !== 0) yield* this.#alarm(asked.alarm);
    if (asked.reset) {
      this.#aborted = true;
      return;
    }
    if (asked.sleep) {
      asked.sleep = false;
      this.#state = "Sleep";
      yield* this.print("[MSG:Sleeping]\r\n");
    }
    if (asked.status) {
      asked.status = false;
      yield* this.print(this.#report());
    }
    if ((asked.hold || asked.jogCancel) && this.#state === "Jog") {
      this.#planner.hold(this.settings.vec(120)[0]);
      this.#endingJog = true;
    }
    asked.jogCancel = false;
    if (asked.hold) {
      asked.hold = false;
      if (this.#state === "Idle" || this.#state === "Run") {
        this.#planner.hold(this.settings.vec(120)[0]);
        this.#state = "Hold";
      }
    }
    if (asked.resume) {
      asked.resume = false;
      if (this.state === "Hold:0") {
        const lit = this.#modal.spindle !== 5 && this.settings.laser;
        if (lit) yield* this.print("[MSG:Restoring spindle]\r\n");
        this.#planner.release();
        this.#state = this.#planner.empty ? "Idle" : "Run";
      } else this.#startMotion();
    }
    if (this.#endingJog && this.#planner.state !== "stopping") {
      // what is left of the jog is forgotten
      this.#planner.kill();
      this.#modal = { ...this.#modal, position: this.#planner.position() };
      this.#endingJog = false;
    }
    if ((this.#state === "Run" || this.#state === "Jog") && this.#planner.state === "still") {
      this.#state = "Idle";
      const lockMs = this.settings.number(1);
      if (lockMs !== 255) yield* this.wait(lockMs / 1000);
    }
  }

  *#alarm(code: number): Steps {
    this.#asked.alarm = 0;
    this.#state = "Alarm";
    if (code !== 2) yield* this.wait(this.settings.number(1) / 1000);
    yield* this.print(`ALARM:${code}\r\n`);
    yield* this.wait(ALARM_SECONDS);
    if (code > 2) return;
    this.#asked.reset = false;
    yield* this.print("[MSG:Reset to continue]\r\n");
    while (!this.#asked.reset) yield;
  }

  *#command(text: string): Steps<number> {
    const resting = this.#state === "Idle" || this.#state === "Alarm";
    const lines = this.settings.answer(text, this.#modal, this.#offsets);
    if (text.startsWith("$J=")) return yield* this.#jog(text.slice(3));
    if (text === "$X") {
      if (this.#state !== "Alarm") return 0;
      this.#state = "Idle";
      yield* this.print("[MSG:Caution: Unlocked]\r\n");
    } else if (text === "$C") {
      if (this.#state !== "Idle" && this.#state !== "Check") return 8;
      this.#state = this.#state === "Idle" ? "Check" : "Idle";
      yield* this.print(`[MSG:${this.#state === "Check" ? "Enabled" : "Disabled"}]\r\n`);
    } else if (text === "$H") {
      if (this.settings.number(22) !== 1) return 5;
      if (!resting) return 8;
      yield* this.#home();
    } else if (text === "$SLP") {
      if (!resting) return 8;
      this.#asked.sleep = true;
    } else if (lines !== undefined) {
      const free = text === "$" || text === "$G";
      if (!resting && !free && !(text === "$$" && this.#state === "Check")) return 8;
      for (const line of lines) yield* this.print(`${line}\r\n`);
    } else {
      const stored = this.settings.store(text, resting);
      if (stored.error !== 0) return stored.error;
      if (stored.bytes > 0) yield* this.maskedWait(stored.bytes * STORE_SECONDS);
    }
    return 0;
  }

  /** While it homes the controller serves nothing, not even `?`; only a reset ends it. */
  *#home(): Steps {
    this.#state = "Home";
    const passed = this.passed(HOMING_SECONDS);
    while (!passed()) {
      if (this.#asked.reset) return yield* this.#serve();
      yield;
    }
    const pulledOff = -this.settings.number(27);
    this.#planner.place([pulledOff, pulledOff, pulledOff]);
    this.#modal = { ...this.#modal, position: this.#planner.position() };
    this.#state = "Idle";
  }

  #report(): string {
    const running = this.#planner.state === "running";
    return this.#reporter.line({
      state: this.state,
      position: this.#planner.position(),
      offset: workOffset(this.#offsets, this.#modal.system),
      blocks: this.#planner.room,
      rxFree: this.uart.rxFree,
      running,
      speed: this.#planner.speed(),
      power: this.#planner.power(),
      modal: this.#modal,
    });
  }
}
