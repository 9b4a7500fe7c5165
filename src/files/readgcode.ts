import { centerOf } from "../engine/circle.ts";
import { newOps, type Ops } from "../engine/ops.ts";
import { checkNumber, checkOptions, invalid, KerfworkError } from "../errors.ts";
import { engineFunction } from "../tasker/target.ts";

export interface ReadGcodeOptions {
  /** The S word of full power, > 0 (default: the largest of the program). */
  readonly maxPower?: number;
  /** Speed of G0, mm/min, > 0, which no program states (default 6000). */
  readonly travelSpeed?: number;
}

/** The moves of a program. */
export interface GcodeMoves {
  readonly ops: Ops;
  /** The line of each move, counted from 0. */
  readonly lineOfOp: Int32Array;
  /** Words that mean nothing here, each with the line where it first stands, counted from 1. */
  readonly notes: readonly string[];
}

/** Words that are known and move nothing. */
const QUIET = new Set([
  "G4",
  "G17",
  "G40",
  "G49",
  "G54",
  "G61",
  "G64",
  "G80",
  "G94",
  "M0",
  "M1",
  "M2",
  "M7",
  "M8",
  "M9",
  "M30",
]);
/** Moves beyond which the memory of a program is not bounded any more. */
const MOST = 50_000_000;

/**
 * Reads a G-code program into moves, as GRBL would make them: G0 to G3 with I, J or R, G20/G21, G90/G91, F, S, M3 to M5.
 * Power is the S word over `maxPower`, 0 while the beam is off and in G0. The machine begins at 0, 0 in mm, absolute.
 *
 * @param source   the program: text, or 7-bit bytes
 * @throws INVALID_ARGUMENT  a word without its number, an arc without centre, an option out of its contract, with the line
 * Cost: about 2 us a line; 33 bytes a move, and 60 while it reads.
 * @example readGcode("G21 G90 M4 S500\nG1 X10 F1200").ops.kinds.length
 */
export const readGcode = engineFunction(
  "readGcode",
  (source: string | Uint8Array, options: ReadGcodeOptions = {}): GcodeMoves => {
    checkOptions(options, ["maxPower", "travelSpeed"]);
    const full =
      options.maxPower === undefined ? undefined : checkNumber("maxPower", options.maxPower, { above: 0 });
    const travelSpeed = checkNumber("travelSpeed", options.travelSpeed ?? 6000, { above: 0 });
    if (typeof source !== "string" && !(source instanceof Uint8Array))
      throw invalid("source", "a string or a Uint8Array", source);
    const reader = new Reader(travelSpeed);
    const text = typeof source === "string" ? source : new TextDecoder("latin1").decode(source);
    let line = 0;
    for (let from = 0; from < text.length; line++) {
      const end = text.indexOf("\n", from);
      const to = end < 0 ? text.length : end;
      reader.take(text.slice(from, to), line);
      from = to + 1;
    }
    return reader.result(full);
  },
);

const WORD = /([A-Z])\s*([-+]?(?:\d+\.?\d*|\.\d+))?/g;

class Reader {
  readonly #travelSpeed: number;
  readonly #kinds: number[] = [];
  readonly #numbers: number[] = []; // x, y, centre x, centre y, S, speed of each move
  readonly #lines: number[] = [];
  readonly #notes = new Map<string, number>();
  #x = 0;
  #y = 0;
  #kind = 0;
  #scale = 1;
  #relative = false;
  #beam = false;
  #strength = 0;
  #speed = 0;

  constructor(travelSpeed: number) {
    this.#travelSpeed = travelSpeed;
  }

  take(text: string, line: number): void {
    const plain = text
      .replace(/\([^)]*\)?|;.*/g, "")
      .trim()
      .toUpperCase();
    if (plain === "" || plain === "%") return;
    if (plain.startsWith("$")) {
      this.#note("$", line);
      return;
    }
    const words = new Map<string, number>();
    for (const [, letter, digits] of plain.matchAll(WORD)) {
      if (digits === undefined) throw wrong(line, `a number after ${letter}`, text);
      const value = Number(digits);
      if (letter === "G" || letter === "M") this.#command(`${letter}${value}`, line);
      else words.set(letter as string, value);
    }
    this.#move(words, line, text);
  }

  #command(name: string, line: number): void {
    if (/^G[0-3]$/.test(name)) this.#kind = Number(name[1]);
    else if (name === "G20" || name === "G21") this.#scale = name === "G20" ? 25.4 : 1;
    else if (name === "G90" || name === "G91") this.#relative = name === "G91";
    else if (name === "M3" || name === "M4" || name === "M5") this.#beam = name !== "M5";
    else if (!QUIET.has(name)) this.#note(name, line);
  }

  #move(words: ReadonlyMap<string, number>, line: number, text: string): void {
    const at = (letter: string): number => (words.get(letter) as number) * this.#scale;
    if (words.has("S")) this.#strength = words.get("S") as number;
    if (words.has("F")) this.#speed = at("F");
    if (words.has("Z")) this.#note("Z", line);
    if (!words.has("X") && !words.has("Y") && !(this.#kind > 1 && (words.has("I") || words.has("J")))) return;
    const x = words.has("X") ? at("X") + (this.#relative ? this.#x : 0) : this.#x;
    const y = words.has("Y") ? at("Y") + (this.#relative ? this.#y : 0) : this.#y;
    let center: readonly [number, number] = [0, 0];
    if (this.#kind > 1) {
      if (words.has("R")) {
        // of the two arcs of a radius the short one, the long one when it is negative
        const r = at("R");
        center = centerOf(this.#x, this.#y, x, y, Math.abs(r), (this.#kind === 3) === r > 0);
      } else if (words.has("I") || words.has("J"))
        center = [this.#x + (words.has("I") ? at("I") : 0), this.#y + (words.has("J") ? at("J") : 0)];
      else throw wrong(line, "I, J or R for an arc", text);
    }
    const strength = this.#kind > 0 && this.#beam ? this.#strength : 0;
    const speed = this.#kind === 0 ? this.#travelSpeed : this.#speed || this.#travelSpeed;
    if (this.#kinds.length === 0 && this.#kind > 0) this.#put(0, 0, 0, 0, 0, 0, this.#travelSpeed, line);
    this.#put(this.#kind, x, y, ...center, strength, speed, line);
    [this.#x, this.#y] = [x, y];
    if (this.#kinds.length > MOST) throw wrong(line, `at most ${MOST} moves`, text);
  }

  #put(
    kind: number,
    x: number,
    y: number,
    cx: number,
    cy: number,
    strength: number,
    speed: number,
    line: number,
  ) {
    this.#kinds.push(kind);
    this.#numbers.push(x, y, cx, cy, strength, speed);
    this.#lines.push(line);
  }

  #note(what: string, line: number): void {
    if (!this.#notes.has(what)) this.#notes.set(what, line);
  }

  result(full: number | undefined): GcodeMoves {
    const n = this.#kinds.length;
    const ops = newOps(n);
    let most = full ?? 0;
    for (let i = 4; full === undefined && i < this.#numbers.length; i += 6)
      most = Math.max(most, this.#numbers[i]!);
    for (let i = 0; i < n; i++) {
      const [x, y, cx, cy, strength, speed] = this.#numbers.slice(6 * i, 6 * i + 6) as [
        number,
        number,
        number,
        number,
        number,
        number,
      ];
      ops.kinds[i] = this.#kinds[i]!;
      ops.xy.set([x, y], 2 * i);
      ops.centers.set([cx, cy], 2 * i);
      ops.power[i] = most > 0 ? Math.min(strength / most, 1) : 0;
      ops.speed[i] = speed;
    }
    const notes = [...this.#notes].map(([what, line]) => `${what} on line ${line + 1} is not shown`);
    return { ops, lineOfOp: Int32Array.from(this.#lines), notes };
  }
}

function wrong(line: number, contract: string, text: string): KerfworkError {
  return new KerfworkError(
    "INVALID_ARGUMENT",
    `Expected line ${line + 1} to have ${contract}, got ${JSON.stringify(text.slice(0, 60))}`,
    { data: { line } },
  );
}
