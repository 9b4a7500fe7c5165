import type { Modal, Vec } from "./interpreter.ts";
import type { Settings } from "./settings.ts";

/** What a status report shows of one moment. */
export interface Snapshot {
  readonly state: string;
  /** Machine coordinates, mm. */
  readonly position: Vec;
  readonly offset: Vec;
  readonly blocks: number;
  readonly rxFree: number;
  readonly running: boolean;
  /** mm/min, now. */
  readonly speed: number;
  /** The S word of the move that runs. */
  readonly power: number;
  readonly modal: Modal;
}

/** Reports between two mentions of a slow field, in motion and at rest. */
const OFFSET_EVERY = { busy: 30, idle: 10 };
const OVERRIDES_EVERY = { busy: 20, idle: 10 };

/** Writes status reports; the fields that seldom change come only now and then, and never both in one report. */
export class Reporter {
  readonly #settings: Settings;
  #toOffset = 0;
  #toOverrides = 0;

  constructor(settings: Settings) {
    this.#settings = settings;
  }

  /** After a reset the next report shows the offset, the one after it the overrides. */
  restart(): void {
    this.#toOffset = 0;
    this.#toOverrides = 0;
  }

  offsetChanged(): void {
    this.#toOffset = 0;
  }

  /** Spindle, laser or coolant were set. */
  outputsChanged(): void {
    this.#toOverrides = 0;
  }

  line(now: Snapshot): string {
    const flags = this.#settings.number(10);
    const { laser } = this.#settings;
    const { modal, offset } = now;
    const machine = this.#settings.toSteps(now.position);
    const place =
      (flags & 1) === 1
        ? `MPos:${text(machine)}`
        : `WPos:${text(machine.map((value, axis) => value - offset[axis]!))}`;
    const buffers = (flags & 2) === 2 ? `|Bf:${now.blocks},${now.rxFree}` : "";
    // in laser mode M4 is dark while the machine stands
    const lit = modal.spindle === 3 || (modal.spindle === 4 && (now.running || !laser));
    const power = now.running ? now.power : lit ? modal.speed : 0;
    let line = `<${now.state}|${place}${buffers}|FS:${Math.round(now.speed)},${Math.round(power)}`;
    const pace = /^(Run|Hold|Home|Jog)/.test(now.state) ? "busy" : "idle";
    if (this.#toOffset > 0) this.#toOffset--;
    else {
      line += `|WCO:${text(offset)}`;
      this.#toOffset = OFFSET_EVERY[pace] - 1;
      if (this.#toOverrides === 0) this.#toOverrides = 1;
    }
    if (this.#toOverrides > 0) this.#toOverrides--;
    else {
      line += "|Ov:100,100,100";
      this.#toOverrides = OVERRIDES_EVERY[pace] - 1;
      const spindle = lit ? (modal.spindle === 3 ? "S" : "C") : "";
      const on = `${spindle}${modal.flood ? "F" : ""}${modal.mist ? "M" : ""}`;
      if (on !== "") line += `|A:${on}`;
    }
    return `${line}>\r\n`;
  }
}

const text = (vec: readonly number[]): string => vec.map((value) => value.toFixed(3)).join(",");
