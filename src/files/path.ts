import { type Arc, pointOfArc, sweepOf } from "../engine/circle.ts";
import { POINTS_OF_KIND } from "../engine/paths.ts";
import type { Curves } from "../engine/trace.ts";

/** Curves of which some may be open. */
export interface Strokes extends Pick<Curves, "ends" | "kinds" | "xy"> {
  /** For each contour 1 if it ends where it starts, 0 if it is open; left out when all are closed. */
  readonly closed?: Uint8Array;
  /** Width of each, mm. */
  readonly width?: Float32Array;
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
 * origin. One line of text for each contour, relative commands, the shortest of `l h v c s a` and of the numbers that
 * `exactness` allows. Each step starts from the point as it was written, so that errors do not add up. A line that is
 * shorter than the slack is left out; the line that closes a contour is what "z" draws. Arcs become "a" of at most a third
 * of a turn each, full circles two halves.
 */
export function pathWriter(curves: Strokes, exactness: Exactness): (from: number, to: number) => string {
  const { ends, kinds } = curves;
  const starts = new Uint32Array(ends.length + 1); // in points
  for (let i = 0, segment = 0, point = 0; i < ends.length; i++) {
    point++;
    for (; segment < ends[i]!; segment++) point += POINTS_OF_KIND[kinds[segment]!]!;
    starts[i + 1] = point;
  }
  const pen = new Pen(exactness);
  return (from, to) => {
    pen.rest();
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
    const kind = kinds[segment]!;
    const from = at;
    at += 2 * POINTS_OF_KIND[kind]!;
    const [x, y] = [xy[at]!, xy[at + 1]!];
    const closing = !open && segment === end - 1 && x === x0 && y === y0;
    if (kind > 1) pen.arc(kind === 2, xy.subarray(from, at + 2), closing);
    else if (kind === 1) pen.curve(xy[at - 4]!, xy[at - 3]!, xy[at - 2]!, xy[at - 1]!, x, y, closing);
    else if (!closing) pen.line(x, y);
  }
  return pen.lift(!open);
}

const MINUS = 45; // "-"
const POINT = 46; // "."
/** The longest piece of an arc that is written as one: a third of a turn. */
const WIDEST = (2 / 3) * Math.PI;
/** Steps up to this many units are written often enough to be kept as text. */
const KEPT = 4096;

/** Writes path data, and knows where a reader of it stands. All positions are in units of the last decimal. */
class Pen {
  readonly #scale: number;
  /** What numbers may be multiples of, in units: the shortest first. */
  readonly #grains: readonly number[];
  readonly #slack: number;
  /** Texts of the steps from -KEPT to KEPT, as far as they were needed. */
  readonly #texts: string[] = new Array<string>(2 * KEPT + 1).fill("");
  #x = 0;
  #y = 0;
  #startX = 0;
  #startY = 0;
  // the control point that "s" mirrors: that of the last curve, if nothing came after it
  #armX = 0;
  #armY = 0;
  #text = "";
  /** The command that numbers without a letter belong to. */
  #command = "";
  /** The next number needs no space before it. */
  #fresh = false;
  /** The last number has a point, so that one beginning with a point needs no space. */
  #dotted = false;

  constructor({ decimals, slack }: Exactness) {
    this.#scale = 10 ** decimals;
    this.#slack = slack;
    this.#grains = Array.from({ length: decimals + 1 }, (_, k) => 10 ** (decimals - k));
  }

  /** Goes to the origin, where path data begins. */
  rest(): void {
    this.#x = 0;
    this.#y = 0;
  }

  /** Begins a contour. */
  move(x: number, y: number): void {
    this.#text = "";
    this.#command = "";
    const dx = this.#step(x, this.#x);
    const dy = this.#step(y, this.#y);
    this.#begin("m");
    this.#put(dx);
    this.#put(dy);
    // further pairs after "m" are lines
    this.#command = "l";
    this.#startX = this.#armX = this.#x += dx;
    this.#startY = this.#armY = this.#y += dy;
  }

  line(x: number, y: number): void {
    const dx = this.#step(x, this.#x);
    const dy = this.#step(y, this.#y);
    if (dx !== 0 || dy !== 0) this.#go(dx, dy);
  }

  #go(dx: number, dy: number): void {
    this.#begin(dy === 0 ? "h" : dx === 0 ? "v" : "l");
    if (dx !== 0) this.#put(dx);
    if (dy !== 0) this.#put(dy);
    this.#armX = this.#x += dx;
    this.#armY = this.#y += dy;
  }

  /** `closing`: the end is the start of the contour, as it was written. */
  curve(x1: number, y1: number, x2: number, y2: number, x: number, y: number, closing: boolean): void {
    const penX = this.#x;
    const penY = this.#y;
    const armX = this.#step(x2, penX);
    const armY = this.#step(y2, penY);
    const dx = closing ? this.#startX - penX : this.#step(x, penX);
    const dy = closing ? this.#startY - penY : this.#step(y, penY);
    const smooth = this.#near(x1, 2 * penX - this.#armX) && this.#near(y1, 2 * penY - this.#armY);
    this.#begin(smooth ? "s" : "c");
    if (!smooth) {
      this.#put(this.#step(x1, penX));
      this.#put(this.#step(y1, penY));
    }
    this.#put(armX);
    this.#put(armY);
    this.#put(dx);
    this.#put(dy);
    this.#armX = penX + armX;
    this.#armY = penY + armY;
    this.#x += dx;
    this.#y += dy;
  }

  /** `clockwise` as seen on the screen; `closing` as for curves. */
  arc(clockwise: boolean, arc: Arc, closing: boolean): void {
    const sweep = sweepOf(clockwise, arc);
    // near half a turn the radius says little about the arc; but for exactly that, where a small one is as good as any
    const full = sweep === 2 * Math.PI;
    const pieces = full ? 2 : Math.max(1, Math.ceil(sweep / WIDEST - 1e-9));
    for (let k = 1; k <= pieces; k++) {
      const last = k === pieces;
      const [x, y] = last ? [arc[4]!, arc[5]!] : pointOfArc(clockwise, arc, k / pieces);
      const dx = last && closing ? this.#startX - this.#x : this.#step(x, this.#x);
      const dy = last && closing ? this.#startY - this.#y : this.#step(y, this.#y);
      if (dx === 0 && dy === 0) continue;
      const [midX, midY] = pointOfArc(clockwise, arc, (k - 0.5) / pieces);
      // how far the arc bulges from the chord as it is written
      const half = Math.sqrt(dx * dx + dy * dy) / 2;
      const outX = midX * this.#scale - this.#x - dx / 2;
      const outY = midY * this.#scale - this.#y - dy / 2;
      const bulge = ((outX * dy - outY * dx) / (2 * half)) * (clockwise ? 1 : -1);
      if (bulge <= this.#slack) {
        if (!(last && closing)) this.#go(dx, dy);
        continue;
      }
      const radius = full ? Math.max(1, Math.floor(half)) : this.#radius(half, bulge);
      this.#begin("a");
      this.#put(radius);
      this.#put(radius);
      this.#put(0);
      this.#put(0);
      this.#put(clockwise ? this.#scale : 0);
      this.#put(dx);
      this.#put(dy);
      this.#armX = this.#x += dx;
      this.#armY = this.#y += dy;
    }
  }

  /** The shortest radius that bulges so far over half a chord, within the slack. */
  #radius(half: number, bulge: number): number {
    const exact = (half * half + bulge * bulge) / (2 * bulge);
    for (const grain of this.#grains) {
      const radius = Math.round(exact / grain) * grain;
      if (radius < half) continue;
      if (Math.abs(radius - Math.sqrt(radius * radius - half * half) - bulge) <= this.#slack) return radius;
    }
    return Math.max(1, Math.round(exact));
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

  /** The step from a written coordinate to a true one: the shortest number within the slack. */
  #step(value: number, from: number): number {
    const exact = value * this.#scale - from;
    for (const grain of this.#grains) {
      const step = Math.round(exact / grain) * grain;
      if (Math.abs(step - exact) <= this.#slack) return step;
    }
    return Math.round(exact);
  }

  #begin(command: string): void {
    this.#fresh = command !== this.#command;
    if (this.#fresh) this.#text += command;
    this.#command = command;
  }

  #put(step: number): void {
    const text = this.#textOf(step);
    const first = text.charCodeAt(0);
    const parted = this.#fresh || first === MINUS || (first === POINT && this.#dotted);
    this.#text += parted ? text : ` ${text}`;
    this.#fresh = false;
    this.#dotted = text.includes(".");
  }

  #textOf(step: number): string {
    if (step < -KEPT || step > KEPT) return shortNumber(step / this.#scale);
    const kept = this.#texts[step + KEPT]!;
    if (kept !== "") return kept;
    const text = shortNumber(step / this.#scale);
    this.#texts[step + KEPT] = text;
    return text;
  }
}

/** A number of at most 6 decimals, without a zero before the point. */
export function shortNumber(value: number): string {
  return String(value === 0 ? 0 : value).replace(/^(-?)0\./, "$1.");
}
