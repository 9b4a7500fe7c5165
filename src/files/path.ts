import type { Curves } from "../engine/trace.ts";

/** Curves of which some may be open. */
export interface Strokes extends Pick<Curves, "ends" | "kinds" | "xy"> {
  /** For each contour 1 if it ends where it starts, 0 if it is open; left out when all are closed. */
  readonly closed?: Uint8Array;
}

/** How exactly numbers are written. */
export interface Exactness {
  /** Decimals at most, 0..6. */
  readonly decimals: number;
  /** How far a written coordinate may be from the true one, in units of the last decimal, >= 0.5. */
  readonly slack: number;
}

/** Half a unit of the last of `decimals`: each coordinate is rounded. */
export function rounded(decimals: number): Exactness {
  return { decimals, slack: 0.5 };
}

/** As many decimals as keep each point within `tolerance` of its own, mm, 1e-6..0.5, both coordinates together. */
export function within(tolerance: number): Exactness {
  const each = tolerance / Math.SQRT2;
  let decimals = 0;
  while (10 ** -decimals > 2 * each) decimals++;
  return { decimals, slack: each * 10 ** decimals };
}

/**
 * Makes the writer of the path data ("d") of contours `from..to`, each range a text of its own that begins at the
 * origin. One line of text for each contour, relative commands, the shortest of `l h v c s` and of the numbers that
 * `exactness` allows. Each step starts from the point as it was written, so that errors do not add up. A line that is
 * shorter than the slack is left out; the line that closes a contour is what "z" draws.
 */
export function pathWriter(curves: Strokes, exactness: Exactness): (from: number, to: number) => string {
  const { ends, kinds } = curves;
  const starts = new Uint32Array(ends.length + 1); // in points
  for (let i = 0, segment = 0, point = 0; i < ends.length; i++) {
    point++;
    for (; segment < ends[i]!; segment++) point += kinds[segment] === 1 ? 3 : 1;
    starts[i + 1] = point;
  }
  return (from, to) => {
    const pen = new Pen(exactness);
    const lines: string[] = [];
    for (let i = from; i < to; i++) lines.push(contourLine(pen, curves, i, 2 * starts[i]!));
    return lines.join("\n");
  };
}

/** One contour, whose start point is at `at` in `xy`. */
function contourLine(pen: Pen, { ends, kinds, xy, closed }: Strokes, i: number, at: number): string {
  const end = ends[i]!;
  const open = closed?.[i] === 0;
  const [x0, y0] = [xy[at]!, xy[at + 1]!];
  pen.move(x0, y0);
  for (let segment = i === 0 ? 0 : ends[i - 1]!; segment < end; segment++) {
    const curved = kinds[segment] === 1;
    at += curved ? 6 : 2;
    const [x, y] = [xy[at]!, xy[at + 1]!];
    const closing = !open && segment === end - 1 && x === x0 && y === y0;
    if (curved) pen.curve(xy[at - 4]!, xy[at - 3]!, xy[at - 2]!, xy[at - 1]!, x, y, closing);
    else if (!closing) pen.line(x, y);
  }
  return pen.lift(!open);
}

/** Writes path data, and knows where a reader of it stands. All positions are in units of the last decimal. */
class Pen {
  readonly #scale: number;
  readonly #steps: readonly number[];
  readonly #slack: number;
  #x = 0;
  #y = 0;
  #startX = 0;
  #startY = 0;
  // the control point that "s" mirrors, as long as a curve came last
  #armX = 0;
  #armY = 0;
  #text = "";
  /** The command that numbers without a letter belong to. */
  #command = "";
  /** The last number has a point, so that one beginning with a point needs no space. */
  #dotted = false;

  constructor({ decimals, slack }: Exactness) {
    this.#scale = 10 ** decimals;
    this.#slack = slack;
    this.#steps = Array.from({ length: decimals + 1 }, (_, k) => 10 ** (decimals - k));
  }

  /** Begins a contour. */
  move(x: number, y: number): void {
    this.#text = "";
    this.#command = "";
    this.#numbers("m", [this.#step(x, this.#x), this.#step(y, this.#y)]);
    // further pairs after "m" are lines
    this.#command = "l";
    this.#startX = this.#armX = this.#x;
    this.#startY = this.#armY = this.#y;
  }

  line(x: number, y: number): void {
    const dx = this.#step(x, this.#x);
    const dy = this.#step(y, this.#y);
    if (dx === 0 && dy === 0) return;
    if (dy === 0) this.#numbers("h", [dx, 0]);
    else if (dx === 0) this.#numbers("v", [0, dy]);
    else this.#numbers("l", [dx, dy]);
    this.#armX = this.#x;
    this.#armY = this.#y;
  }

  /** `closing`: the end is the start of the contour, as it was written. */
  curve(x1: number, y1: number, x2: number, y2: number, x: number, y: number, closing: boolean): void {
    const [penX, penY] = [this.#x, this.#y];
    const arm = [this.#step(x2, penX), this.#step(y2, penY)] as const;
    const step = closing
      ? ([this.#startX - penX, this.#startY - penY] as const)
      : ([this.#step(x, penX), this.#step(y, penY)] as const);
    const smooth = this.#near(x1, 2 * penX - this.#armX) && this.#near(y1, 2 * penY - this.#armY);
    if (smooth) this.#numbers("s", [...arm, ...step]);
    else this.#numbers("c", [this.#step(x1, penX), this.#step(y1, penY), ...arm, ...step]);
    this.#armX = penX + arm[0];
    this.#armY = penY + arm[1];
  }

  /** Ends a contour; returns its text. */
  lift(close: boolean): string {
    if (!close) return this.#text;
    this.#x = this.#startX;
    this.#y = this.#startY;
    return `${this.#text}z`;
  }

  #near(value: number, units: number): boolean {
    return Math.abs(value * this.#scale - units) <= this.#slack;
  }

  /** The step, in units, from a written coordinate to a true one: the shortest number within the slack. */
  #step(value: number, from: number): number {
    const exact = value * this.#scale - from;
    for (const unit of this.#steps) {
      const step = Math.round(exact / unit) * unit;
      if (Math.abs(step - exact) <= this.#slack) return step;
    }
    return Math.round(exact);
  }

  /** Appends a command, whose last two numbers are the way that the pen goes. */
  #numbers(command: string, steps: readonly number[]): void {
    let text = command === this.#command ? "" : command;
    let glue = text !== "";
    let dotted = this.#dotted;
    for (const [k, step] of steps.entries()) {
      if ((command === "h" && k === 1) || (command === "v" && k === 0)) continue;
      const number = shortNumber(step / this.#scale);
      if (!glue && number[0] !== "-" && !(dotted && number[0] === ".")) text += " ";
      text += number;
      glue = false;
      dotted = number.includes(".");
    }
    this.#text += text;
    this.#command = command;
    this.#dotted = dotted;
    this.#x += steps.at(-2)!;
    this.#y += steps.at(-1)!;
  }
}

/** A number of at most 6 decimals, without a zero before the point. */
export function shortNumber(value: number): string {
  return String(value === 0 ? 0 : value).replace(/^(-?)0\./, "$1.");
}
