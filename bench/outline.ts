import { type Drawing, visit } from "./drawing.ts";

/**
 * Closed polylines, x and y in turns, the first point not repeated. Black lies on the right hand with y down, so areas
 * of holes are negative.
 */
export interface Outline {
  readonly rounds: readonly Float64Array[];
  /** Lines and curves that were drawn, before any flattening. */
  readonly segments: number;
}

/** Curves are cut into pieces of about this length, px: their chords stay within a thousandth of a pixel of them. */
export const PIECE = 0.15;

/** Collects one outline, segment by segment; closing lines are drawn, and counted, only where the pen is not at its start. */
export class Pen {
  readonly rounds: Float64Array[] = [];
  segments = 0;
  #points: number[] = [];
  #x = 0;
  #y = 0;

  move(x: number, y: number): void {
    this.close();
    this.#to(x, y);
  }

  line(x: number, y: number): void {
    this.segments++;
    this.#to(x, y);
  }

  cubic(x1: number, y1: number, x2: number, y2: number, x3: number, y3: number): void {
    this.segments++;
    const [x0, y0] = [this.#x, this.#y];
    const length = Math.hypot(x1 - x0, y1 - y0) + Math.hypot(x2 - x1, y2 - y1) + Math.hypot(x3 - x2, y3 - y2);
    const n = Math.max(1, Math.ceil(length / PIECE));
    for (let k = 1; k < n; k++) {
      const t = k / n;
      const [a, b, c, d] = [(1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t ** 3];
      this.#to(a * x0 + b * x1 + c * x2 + d * x3, a * y0 + b * y1 + c * y2 + d * y3);
    }
    this.#to(x3, y3);
  }

  quadratic(x1: number, y1: number, x2: number, y2: number): void {
    const [x0, y0] = [this.#x, this.#y];
    const third = (from: number, by: number): number => from + (2 / 3) * (by - from);
    this.cubic(third(x0, x1), third(y0, y1), third(x2, x1), third(y2, y1), x2, y2);
  }

  close(): void {
    const points = this.#points;
    const n = points.length;
    if (n > 2) {
      const [x, y] = [points[n - 2] as number, points[n - 1] as number];
      if (x === points[0] && y === points[1]) points.length -= 2;
      else this.segments++;
    }
    if (points.length >= 4) this.rounds.push(Float64Array.from(points));
    this.#points = [];
  }

  outline(): Outline {
    this.close();
    return { rounds: this.rounds, segments: this.segments };
  }

  #to(x: number, y: number): void {
    this.#points.push(x, y);
    this.#x = x;
    this.#y = y;
  }
}

/** What a tracer drew, of one unit a pixel, flattened. */
export function outlineOf(drawing: Drawing): Outline {
  const pen = new Pen();
  visit(
    drawing,
    (x, y) => pen.move(x, y),
    (p) => (p.length === 2 ? pen.line(p[0], p[1]) : pen.cubic(p[0], p[1], p[2], p[3], p[4], p[5])),
  );
  return pen.outline();
}

/** Shoelace area of all rounds, holes taken off. */
export function areaOf({ rounds }: Outline): number {
  let twice = 0;
  for (const points of rounds) {
    const n = points.length;
    for (let i = 0, j = n - 2; i < n; j = i, i += 2)
      twice += points[j] * points[i + 1] - points[i] * points[j + 1];
  }
  return twice / 2;
}

export function lengthOf({ rounds }: Outline): number {
  let length = 0;
  for (const points of rounds) {
    const n = points.length;
    for (let i = 0, j = n - 2; i < n; j = i, i += 2)
      length += Math.hypot(points[i] - points[j], points[i + 1] - points[j + 1]);
  }
  return length;
}
