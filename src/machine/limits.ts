import { checkNumber, invalid, KerfworkError } from "../errors.ts";

/** What the controller keeps in EEPROM, by number. */
export type SettingValues = ReadonlyMap<number, number>;

/** The numbers in the answer to `$$`; settings that newer controllers keep as text are left out. */
export function numericSettings(lines: readonly string[]): SettingValues {
  const values = new Map<number, number>();
  for (const line of lines) {
    const match = /^\$(\d+)=(-?\d+(?:\.\d+)?)(?:\s|$)/.exec(line);
    if (match) values.set(Number(match[1]), Number(match[2]));
  }
  return values;
}

/** The line that stores a setting. @throws INVALID_ARGUMENT */
export function settingLine(number: number, value: number): string {
  checkNumber("number", number, { min: 0, max: 9999, integer: true });
  checkNumber("value", value, { min: -1e6, max: 1e9 });
  const text = Number(value.toFixed(3)).toString();
  if (!/^-?\d+(\.\d+)?$/.test(text)) throw invalid("value", "a number of at most three decimals", value);
  return `$${number}=${text}`;
}

/** What of the settings counts for the safety of a program; each undefined where it is not known. */
export interface Limits {
  /** `$32`: the beam follows the speed with M4 and is dark in travels. */
  readonly laser?: boolean;
  /** `$30`, the S word of full power. */
  readonly maxPower?: number;
  /** `$110`..`$112`, mm/min: what a travel does. */
  readonly rates?: readonly number[];
  /** `$100`..`$102`, steps a millimetre. */
  readonly steps?: readonly number[];
  /** `$130`..`$132`, mm: machine coordinates reach from minus these to 0, on a machine that was homed. */
  readonly travel?: readonly number[];
  /** `$22`: it homes, and so knows where it is. */
  readonly homing?: boolean;
  /** `$13`: reports are in inches. */
  readonly inches?: boolean;
}

export function limitsOf(settings: SettingValues | undefined): Limits {
  if (settings === undefined) return {};
  const vec = (first: number): readonly number[] | undefined => {
    const values = [0, 1, 2].map((axis) => settings.get(first + axis));
    return values.every((value) => value !== undefined) ? (values as number[]) : undefined;
  };
  const flag = (number: number): boolean | undefined => {
    const value = settings.get(number);
    return value === undefined ? undefined : (value & 1) === 1;
  };
  const found: Record<string, unknown> = {
    laser: settings.has(32) ? settings.get(32) === 1 : undefined,
    maxPower: settings.get(30),
    rates: vec(110),
    steps: vec(100),
    travel: vec(130),
    homing: flag(22),
    inches: flag(13),
  };
  for (const key of Object.keys(found)) if (found[key] === undefined) delete found[key];
  return found as Limits;
}

/** Refuses a write that cannot be made now, in words. */
export function refuseStore(line: string, state: string): KerfworkError {
  const message = `Expected the machine to be idle for ${line}, it is in ${state}`;
  return new KerfworkError("INVALID_STATE", message);
}
