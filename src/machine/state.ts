import type { StatusReport } from "./grbl.ts";

/** What is known of the machine, put together from its reports: each of them shows only a part. */
export interface MachineState {
  /** Idle, Run, Hold, Jog, Alarm, Door, Check, Home, Sleep, or what a newer controller says; "unknown" after a restart. */
  readonly state: string;
  /** Hold:0 stands, Hold:1 still slows down. */
  readonly substate?: number;
  /** Work coordinates x, y, z, as the program counts. */
  readonly position?: readonly number[];
  /** Machine coordinates x, y, z. */
  readonly machine?: readonly number[];
  /** Machine minus work coordinates. */
  readonly offset?: readonly number[];
  /** mm/min of the motion now. */
  readonly feed?: number;
  /** S of the spindle or laser now. */
  readonly spindle?: number;
  /** Feed, rapid and spindle overrides, %. */
  readonly overrides?: readonly number[];
  /** Free blocks of the planner. */
  readonly blocks?: number;
  /** Free bytes of the receive buffer. */
  readonly rxFree?: number;
  /** Input pins that are active, such as "XY". */
  readonly pins: string;
  /** Outputs that are on: S or C spindle, F flood, M mist. */
  readonly accessories: string;
  /** Why it is in alarm, where it said so. */
  readonly alarm?: { readonly code: number; readonly meaning: string };
  readonly connected: boolean;
}

/** Keeps what reports leave out: offset, overrides and outputs come only now and then. */
export class Tracker {
  /** The last status report since the controller started. */
  report: StatusReport | undefined;
  #offset: readonly number[] | undefined;
  #overrides: readonly number[] | undefined;
  #accessories = "";
  #alarm: { readonly code: number; readonly meaning: string } | undefined;

  take(report: StatusReport): void {
    this.report = report;
    this.#offset = report.offset ?? this.#offset;
    if (report.overrides !== undefined) {
      this.#overrides = report.overrides;
      // told beside the overrides, and only when something is on
      this.#accessories = report.accessories ?? "";
    }
    if (report.state !== "Alarm") this.#alarm = undefined;
  }

  alarm(code: number, meaning: string): void {
    this.#alarm = { code, meaning };
    this.report = { type: "status", state: "Alarm" };
  }

  /** Nothing of what was known holds after a start; the reason of an alarm does. */
  restart(): void {
    this.report = undefined;
    this.#offset = undefined;
    this.#overrides = undefined;
    this.#accessories = "";
  }

  snapshot(connected: boolean): MachineState {
    const { report } = this;
    const offset = this.#offset;
    const shifted = (from: readonly number[] | undefined, sign: number) =>
      from !== undefined && offset !== undefined
        ? from.map((value, axis) => rounded(value + sign * (offset[axis] ?? 0)))
        : undefined;
    const position = report?.work ?? shifted(report?.machine, -1);
    const machine = report?.machine ?? shifted(report?.work, 1);
    const state: Record<string, unknown> = {
      state: report?.state ?? "unknown",
      substate: report?.substate,
      position,
      machine,
      offset,
      feed: report?.feed,
      spindle: report?.spindle,
      overrides: this.#overrides,
      blocks: report?.blocks,
      rxFree: report?.rxFree,
      pins: report?.pins ?? "",
      accessories: this.#accessories,
      alarm: this.#alarm,
      connected,
    };
    for (const key of Object.keys(state)) if (state[key] === undefined) delete state[key];
    return state as unknown as MachineState;
  }
}

/** Reports have three decimals; their sums have them too. */
const rounded = (value: number): number => Math.round(value * 1e4) / 1e4 + 0;
