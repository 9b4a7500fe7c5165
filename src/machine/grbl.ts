import { describe, KerfworkError } from "../errors.ts";

/** One line from the controller, understood. */
export type Message =
  | { readonly type: "ok" }
  | { readonly type: "error"; readonly code: number; readonly meaning: string }
  | { readonly type: "alarm"; readonly code: number; readonly meaning: string }
  | StatusReport
  | { readonly type: "banner"; readonly firmware: string; readonly version: string }
  | { readonly type: "feedback"; readonly text: string }
  | { readonly type: "options"; readonly flags: string; readonly blocks: number; readonly rxBytes: number }
  | { readonly type: "data"; readonly name: string; readonly value: string }
  | { readonly type: "setting"; readonly number: number; readonly value: string }
  /** The line of this number did not arrive whole and is asked for again. */
  | { readonly type: "resend"; readonly number: number }
  | { readonly type: "startup"; readonly line: string; readonly result: string }
  | { readonly type: "unknown"; readonly text: string };

export interface StatusReport {
  readonly type: "status";
  /** Idle, Run, Hold, Jog, Alarm, Door, Check, Home, Sleep, or what a newer controller says. */
  readonly state: string;
  /** What follows the state after a colon: Hold:0 stands, Hold:1 is still slowing down. */
  readonly substate?: number;
  /** Machine and work coordinates, mm (or inches, when the controller reports inches); a report has one of them. */
  readonly machine?: readonly number[];
  readonly work?: readonly number[];
  /** Work offset: machine minus work coordinates. */
  readonly offset?: readonly number[];
  /** Free blocks of the planner. */
  readonly blocks?: number;
  /** Free bytes of the receive buffer. */
  readonly rxFree?: number;
  /** mm/min (or in/min) of the motion now. */
  readonly feed?: number;
  /** S of the spindle or laser now. */
  readonly spindle?: number;
  /** The line number that the program gave to the motion. */
  readonly line?: number;
  /** Input pins that are active, such as "XY". */
  readonly pins?: string;
  /** Feed, rapid and spindle overrides, %. */
  readonly overrides?: readonly number[];
  /** Outputs that are on: S or C spindle, F flood, M mist. */
  readonly accessories?: string;
}

export const ERROR_MEANINGS: Readonly<Record<number, string>> = {
  1: "a word must begin with a letter",
  2: "a number is missing or malformed",
  3: "this $ command does not exist",
  4: "a value that must be positive is negative",
  5: "homing is switched off in the settings",
  6: "the step pulse is shorter than 3 microseconds",
  7: "the stored settings could not be read; defaults are in force",
  8: "this $ command needs the machine to be idle",
  9: "locked: the machine is in alarm or jogs",
  10: "soft limits need homing to be switched on",
  11: "the line is longer than the controller can hold",
  12: "a setting asks for more steps a second than the controller can give",
  13: "the safety door is open",
  14: "the startup line is too long to be stored",
  15: "the jog would leave the machine's travel",
  16: "the jog command has no = or holds a forbidden word",
  17: "laser mode needs a PWM output",
  20: "the controller does not know this command",
  21: "two commands of one group stand in the same line",
  22: "no feed rate was set",
  23: "a command number must be whole",
  24: "two commands of the line both want its axis words",
  25: "a word stands twice in the line",
  26: "the command needs axis words and has none",
  27: "the line number is not between 0 and 9,999,999",
  28: "the command lacks a value that it needs",
  29: "only six work coordinate systems exist, G54 to G59",
  30: "G53 works with G0 and G1 only",
  31: "axis words stand in a line whose mode does not use them",
  32: "an arc needs an axis word of its plane",
  33: "the target cannot be reached by this motion",
  34: "the radius of the arc fits no circle through its ends",
  35: "an arc needs an offset to its centre in its plane",
  36: "the line holds words that nothing uses",
  37: "a tool length offset may change the tool's own axis only",
  38: "the tool number is too large",
};

export const ALARM_MEANINGS: Readonly<Record<number, string>> = {
  1: "a limit switch closed: the position is probably lost",
  2: "a move would have left the machine's travel",
  3: "a reset while moving: the position is probably lost",
  4: "the probe was not in its expected state before the cycle",
  5: "the probe touched nothing on its way",
  6: "homing was ended by a reset",
  7: "homing was ended by the safety door",
  8: "homing could not pull off the limit switch",
  9: "homing found no limit switch",
  10: "homing found no second limit switch of a paired axis",
};

const UNKNOWN = "not documented";

/** Understands one line without its line end. Exact forms only: a damaged `ok` or status report is `unknown`. */
export function parseLine(text: string): Message {
  if (text === "ok") return { type: "ok" };
  let match = /^error:(\d+)$/.exec(text);
  if (match) {
    const code = Number(match[1]);
    return { type: "error", code, meaning: ERROR_MEANINGS[code] ?? UNKNOWN };
  }
  match = /^ALARM:(\d+)$/.exec(text);
  if (match) {
    const code = Number(match[1]);
    return { type: "alarm", code, meaning: ALARM_MEANINGS[code] ?? UNKNOWN };
  }
  if (text.startsWith("<")) return parseStatus(text) ?? { type: "unknown", text };
  // forks keep the form of the banner and change the name
  match = /^(Grbl|GrblHAL|FluidNC)\s+v?(\d\S*)(.*)$/i.exec(text);
  if (match) {
    const fluid = /\[FluidNC v?(\d\S*)/i.exec(match[3]!);
    if (fluid) return { type: "banner", firmware: "FluidNC", version: fluid[1]! };
    return { type: "banner", firmware: match[1]!, version: match[2]! };
  }
  match = /^\[([^:\]]+):(.*)\]$/.exec(text);
  if (match) {
    const [, name, value] = match as unknown as [string, string, string];
    if (name === "MSG") return { type: "feedback", text: value };
    const options = name === "OPT" ? /^([^,]*),(\d+),(\d+)/.exec(value) : null;
    if (options) {
      return { type: "options", flags: options[1]!, blocks: Number(options[2]), rxBytes: Number(options[3]) };
    }
    return { type: "data", name, value };
  }
  match = /^\$(\d+)=(\S*)/.exec(text);
  if (match) return { type: "setting", number: Number(match[1]), value: match[2]! };
  match = /^>(.*):(ok|error:\d+)$/.exec(text);
  if (match) return { type: "startup", line: match[1]!, result: match[2]! };
  return { type: "unknown", text };
}

function parseStatus(text: string): StatusReport | undefined {
  if (!text.endsWith(">")) return undefined;
  const [head, ...fields] = text.slice(1, -1).split("|");
  const state = /^([A-Z][A-Za-z]+)(?::(\d+))?$/.exec(head!);
  if (state === null) return undefined;
  const report: Record<string, unknown> = { type: "status", state: state[1] };
  if (state[2] !== undefined) report.substate = Number(state[2]);
  for (const field of fields) {
    const at = field.indexOf(":");
    if (at < 1) return undefined;
    const name = field.slice(0, at);
    const value = field.slice(at + 1);
    if (name === "Pn") report.pins = value;
    else if (name === "A") report.accessories = value;
    else {
      const target = NUMERIC_FIELDS[name];
      // what newer controllers add is no damage
      if (target === undefined) continue;
      const numbers = value
        .split(",")
        .map((part) => (/^-?\d+(\.\d+)?$/.test(part) ? Number(part) : Number.NaN));
      if (numbers.some(Number.isNaN)) return undefined;
      if (typeof target === "string") report[target] = numbers;
      else for (const [i, key] of target.entries()) if (i < numbers.length) report[key] = numbers[i];
    }
  }
  return report as unknown as StatusReport;
}

const NUMERIC_FIELDS: Readonly<Record<string, string | readonly string[]>> = {
  MPos: "machine",
  WPos: "work",
  WCO: "offset",
  Ov: "overrides",
  Bf: ["blocks", "rxFree"],
  FS: ["feed", "spindle"],
  F: ["feed"],
  Ln: ["line"],
};

/** Longer than any line of a controller: noise of a bootloader or of a wrong baud rate. */
const LINE_LIMIT = 1024;

/** Cuts a stream of bytes into lines, wherever its chunks end. */
export class LineReader {
  #rest = "";

  /** The lines that are complete now, without `\r` and `\n`, empty ones left out. */
  push(bytes: Uint8Array): string[] {
    const lines = (this.#rest + Buffer.from(bytes).toString("latin1")).split("\n");
    this.#rest = lines.pop()!.slice(0, LINE_LIMIT);
    return lines.map((line) => line.replaceAll("\r", "")).filter((line) => line !== "");
  }
}

/** Characters of a line that count, at most: what the controller strips itself is stripped before. */
export const LINE_CHARACTERS = 79;

/**
 * A line as it goes over the wire: comments, spaces and line end removed, since every byte costs time and room.
 * Returns "" for a line that holds nothing, `%` included. `name` is for the message.
 *
 * @throws INVALID_ARGUMENT bytes beyond 7 bits, control and realtime characters outside of comments, or too long
 */
export function cleanLine(line: string, name: string): string {
  const kept = line
    .replace(/\([^)]*\)?|;.*/g, "")
    .replace(/[\t\r\n ]/g, "")
    .replace(/^%$/, "");
  const bad = /[^\x21-\x7e]|[?!~]/.exec(kept);
  if (bad !== null) {
    const code = `0x${bad[0].charCodeAt(0).toString(16).padStart(2, "0")}`;
    throw refused(name, `plain 7-bit G-code without ?, ! and ~`, `${code} in ${describe(line)}`);
  }
  if (kept.length > LINE_CHARACTERS)
    throw refused(
      name,
      `at most ${LINE_CHARACTERS} characters, spaces and comments left out`,
      `${kept.length}`,
    );
  return kept;
}

function refused(name: string, contract: string, got: string): KerfworkError {
  return new KerfworkError("INVALID_ARGUMENT", `Expected ${name} to be ${contract}, got ${got}`);
}

/**
 * True for lines that write to EEPROM: while it writes, the controller loses what is sent to it. They must travel alone.
 */
export function writesStorage(line: string): boolean {
  const text = line.toUpperCase();
  if (/^\$(\d+|N\d*|I|RST)=/.test(text)) return true;
  return /G0*(10(?![.\d])|28\.1|30\.1)/.test(text);
}

/** True for lines during which a controller answers nothing, not even `?`: homing. */
export const stopsAnswers = (line: string): boolean => /^\$H[A-Z]?$/i.test(line);

/** Seconds that a line makes the controller wait where it stands, which looks like idleness; 0 for other lines. */
export function dwellSeconds(line: string): number {
  if (!/G0*4(?![.\d])/i.test(line)) return 0;
  const match = /P(\d+\.?\d*|\.\d+)/i.exec(line);
  return match === null ? 0 : Number(match[1]);
}
