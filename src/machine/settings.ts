import type { Modal, Offsets, Vec } from "./interpreter.ts";
import { coordinates } from "./status.ts";

/** Number, value and decimals of every setting, in the order in which `$$` lists them. */
const DEFAULTS: readonly (readonly [number, number, number])[] = [
  [0, 10, 0],
  [1, 255, 0],
  [2, 0, 0],
  [3, 0, 0],
  [4, 0, 0],
  [5, 0, 0],
  [6, 0, 0],
  [10, 3, 0],
  [11, 0.01, 3],
  [12, 0.002, 3],
  [13, 0, 0],
  [20, 0, 0],
  [21, 0, 0],
  [22, 0, 0],
  [23, 0, 0],
  [24, 25, 3],
  [25, 500, 3],
  [26, 250, 0],
  [27, 1, 3],
  [30, 1000, 0],
  [31, 0, 0],
  [32, 1, 0],
  [100, 250, 3],
  [101, 250, 3],
  [102, 250, 3],
  [110, 3000, 3],
  [111, 3000, 3],
  [112, 500, 3],
  [120, 200, 3],
  [121, 200, 3],
  [122, 10, 3],
  [130, 200, 3],
  [131, 200, 3],
  [132, 200, 3],
];

/** What the firmware itself begins with, where that differs: a board with a blank EEPROM. */
const FACTORY: Readonly<Record<number, number>> = {
  1: 25,
  10: 1,
  32: 0,
  110: 500,
  111: 500,
  120: 10,
  121: 10,
};
/** Settings that take three or four bytes of EEPROM; the others take one. */
const FLOATS: ReadonlySet<number> = new Set(
  DEFAULTS.filter(([, , decimals]) => decimals > 0).map(([n]) => n),
);

/** What the parser knows besides the settings; `$#` and `$G` print it. */
export interface Known {
  readonly modal: Modal;
  readonly offsets: Offsets;
  /** Where the last probe touched, machine coordinates, and whether it did. */
  readonly probe: { readonly position: Vec; readonly touched: boolean };
  /** The answer to `$I`. */
  readonly info: readonly string[];
}

/** What a controller keeps in EEPROM under a number, and the texts that it prints about itself. */
export class Settings {
  readonly #values = new Map(DEFAULTS.map(([number, value]) => [number, value]));
  /** By axis, as long as nothing changed. */
  readonly #vecs = new Map<number, Vec>();
  /** `$N0` and `$N1`: lines that run at each start. */
  readonly startup: [string, string] = ["", ""];
  /** What `$I=` put behind the version. */
  build = "";

  constructor(changes: Readonly<Record<number, number>> = {}, factory = false) {
    if (factory) this.reset();
    for (const [number, value] of Object.entries(changes)) this.#values.set(Number(number), value);
  }

  /** Sets all back to what the firmware begins with; gives the bytes of EEPROM that this changed. */
  reset(): number {
    let bytes = 0;
    for (const [number, value] of DEFAULTS) {
      const first = FACTORY[number] ?? value;
      const before = this.number(number);
      if (first !== before) bytes += FLOATS.has(number) ? changedBytes([before], [first]) : 1;
      this.#values.set(number, first);
    }
    this.#vecs.clear();
    return bytes;
  }

  /** `$11`, mm. */
  get junctionDeviation(): number {
    return this.number(11);
  }

  get stepsPerMm(): Vec {
    return this.vec(100);
  }

  get maxRate(): Vec {
    return this.vec(110);
  }

  get acceleration(): Vec {
    return this.vec(120);
  }

  /** Laser mode, `$32`. */
  get laser(): boolean {
    return this.number(32) === 1;
  }

  /** `$12`, mm. */
  get arcTolerance(): number {
    return this.number(12);
  }

  number(setting: number): number {
    return this.#values.get(setting)!;
  }

  /** Three settings in a row, one an axis. */
  vec(first: number): Vec {
    let vec = this.#vecs.get(first);
    if (vec === undefined) {
      vec = [this.number(first), this.number(first + 1), this.number(first + 2)];
      this.#vecs.set(first, vec);
    }
    return vec;
  }

  /** The travel of each axis lies on the negative side of the machine's zero. */
  reaches(target: Vec): boolean {
    return target.every((value, axis) => value <= 0 && value >= -this.number(130 + axis));
  }

  /** The place of the motors, which know whole steps only. */
  toSteps(position: Vec): Vec {
    return position.map((value, axis) => {
      const steps = this.number(100 + axis);
      return Math.round(value * steps) / steps;
    }) as unknown as Vec;
  }

  /** Stores what `$n=value` says; `bytes` of EEPROM changed. Settings are taken from a machine at rest only. */
  store(text: string, resting: boolean): { readonly error: number; readonly bytes: number } {
    const match = /^\$(.*?)(?:=(.*))?$/.exec(text)!;
    const [setting, value] = [Number(match[1]), Number(match[2])];
    let error = 0;
    if (!/^\d+(\.\d+)?$/.test(match[1]!)) error = 2;
    else if (!resting) error = 8;
    else if (match[2] === undefined) error = 3;
    else if (!/^[+-]?(\d+\.?\d*|\.\d+)$/.test(match[2])) error = 2;
    else if (value < 0) error = 4;
    else if (!this.#values.has(setting)) error = 3;
    else if (setting === 0 && value < 3) error = 6;
    else if (setting === 20 && value === 1 && this.number(22) !== 1) error = 10;
    if (error !== 0) return { error, bytes: 0 };
    const before = this.number(setting);
    this.#values.set(setting, value);
    this.#vecs.clear();
    // turning homing off takes the soft limits with it
    if (setting === 22 && value === 0) this.#values.set(20, 0);
    if (before === value) return { error, bytes: 0 };
    // and one of the checksum
    return { error, bytes: 1 + (FLOATS.has(setting) ? changedBytes([before], [value]) : 1) };
  }

  /** All settings, as `$$` lists them. */
  list(): string[] {
    return DEFAULTS.map(([number, , decimals]) => `$${number}=${this.number(number).toFixed(decimals)}`);
  }

  /** The lines that answer a question, or undefined when the text is none. */
  answer(question: string, { modal, offsets, probe, info }: Known): readonly string[] | undefined {
    if (question === "$") return ["[HLP:$$ $# $G $I $N $x=val $Nx=line $J=line $SLP $C $X $H ~ ! ? ctrl-x]"];
    if (question === "$I") return info.map((line) => line.replace(/^(\[VER:.*:)\]$/, `$1${this.build}]`));
    if (question === "$N") return this.startup.map((line, i) => `$N${i}=${line}`);
    if (question === "$$") return this.list();
    if (question === "$G") return [modes(modal)];
    if (question !== "$#") return undefined;
    const text = (vec: readonly number[]) => coordinates(vec, this.number(13) === 1);
    return [
      ...offsets.systems.map((vec, i) => `[G${54 + i}:${text(vec)}]`),
      `[G28:${text(offsets.home[0])}]`,
      `[G30:${text(offsets.home[1])}]`,
      `[G92:${text(offsets.g92)}]`,
      `[TLO:${text([offsets.toolLength])}]`,
      `[PRB:${text(probe.position)}:${probe.touched ? 1 : 0}]`,
    ];
  }
}

function modes(modal: Modal): string {
  const coolant = [modal.mist ? "M7" : "", modal.flood ? "M8" : ""].filter(Boolean).join(" ") || "M9";
  const feed = Number(modal.feed.toFixed(3));
  return (
    `[GC:G${modal.motion} G${54 + modal.system} G${modal.plane} G${modal.units} G${modal.distance} ` +
    `G${modal.feedMode} M${modal.spindle} ${coolant} T${modal.tool} F${feed} S${modal.speed}]`
  );
}

/** How many bytes two lists of 32-bit floats differ in. */
export function changedBytes(before: readonly number[], now: readonly number[]): number {
  const bytes = (values: readonly number[]) => new Uint8Array(Float32Array.from(values).buffer);
  const old = bytes(before);
  return bytes(now).filter((value, i) => value !== old[i]).length;
}
