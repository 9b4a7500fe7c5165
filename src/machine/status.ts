import type { Vec } from "./interpreter.ts";

/** What a status report shows of one moment. */
export interface Snapshot {
  readonly state: string;
  /** Machine coordinates, mm. */
  readonly position: Vec;
  /** From machine to work coordinates, mm. */
  readonly offset: Vec;
  /** Free places of the planner and of the receive ring. */
  readonly blocks: number;
  readonly rxFree: number;
  /** mm/min, of the last segment prepared. */
  readonly speed: number;
  /** The S word as it is now. */
  readonly power: number;
  /** Closed switches, such as `XYD`. */
  readonly pins: string;
  readonly overrides: string;
  /** What is on: `S` or `C`, `F`, `M`. */
  readonly accessories: string;
  /** `$10` */
  readonly mask: number;
  /** `$13`: lengths in inches. */
  readonly inches: boolean;
}

/** Reports between two mentions of a slow field, in motion and at rest. */
const OFFSET_EVERY = { busy: 30, idle: 10 };
const OVERRIDES_EVERY = { busy: 20, idle: 10 };

/** Writes status reports; the fields that seldom change come only now and then, and never both in one report. */
export class StatusWriter {
  #toOffset = 0;
  #toOverrides = 0;

  /** After a reset the next report shows the offset, the one after it the overrides. */
  restart(): void {
    this.#toOffset = 0;
    this.#toOverrides = 0;
  }

  offsetChanged(): void {
    this.#toOffset = 0;
  }

  /** Overrides, spindle, laser or coolant were set. */
  outputsChanged(): void {
    this.#toOverrides = 0;
  }

  line(now: Snapshot): string {
    const { position, offset, inches } = now;
    const place =
      (now.mask & 1) === 1
        ? `MPos:${coordinates(position, inches)}`
        : `WPos:${coordinates(
            position.map((value, axis) => value - offset[axis]!),
            inches,
          )}`;
    const buffers = (now.mask & 2) === 2 ? `|Bf:${now.blocks},${now.rxFree}` : "";
    let line = `<${now.state}|${place}${buffers}|FS:${rate(now.speed, inches)},${Math.round(now.power)}`;
    if (now.pins !== "") line += `|Pn:${now.pins}`;
    const pace = /^(Run|Hold|Home|Jog|Door)/.test(now.state) ? "busy" : "idle";
    if (this.#toOffset > 0) this.#toOffset--;
    else {
      line += `|WCO:${coordinates(offset, inches)}`;
      this.#toOffset = OFFSET_EVERY[pace] - 1;
      if (this.#toOverrides === 0) this.#toOverrides = 1;
    }
    if (this.#toOverrides > 0) this.#toOverrides--;
    else {
      line += `|Ov:${now.overrides}`;
      this.#toOverrides = OVERRIDES_EVERY[pace] - 1;
      if (now.accessories !== "") line += `|A:${now.accessories}`;
    }
    return `${line}>\r\n`;
  }
}

const INCH = 25.4;

/** Three lengths, given in mm. */
export const coordinates = (vec: readonly number[], inches = false): string =>
  vec.map((value) => (inches ? (value / INCH).toFixed(4) : value.toFixed(3))).join(",");

const rate = (mmPerMin: number, inches: boolean): string =>
  inches ? (mmPerMin / INCH).toFixed(1) : String(Math.round(mmPerMin));
