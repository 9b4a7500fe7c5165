import { extremesOf } from "./circle.ts";
import { type Paths, POINTS_OF_KIND } from "./paths.ts";
import type { Curves } from "./trace.ts";

type Box = [x0: number, y0: number, x1: number, y1: number];

/** Least and greatest x and y of artwork, the former infinite when there are no points; of curves themselves, not of their control points. */
export function boxOf(artwork: Paths | Curves): Box {
  const box: Box = [Infinity, Infinity, -Infinity, -Infinity];
  const { xy } = artwork;
  const take = (at: number): void => {
    box[0] = Math.min(box[0], xy[at]!);
    box[1] = Math.min(box[1], xy[at + 1]!);
    box[2] = Math.max(box[2], xy[at]!);
    box[3] = Math.max(box[3], xy[at + 1]!);
  };
  if (!("kinds" in artwork)) {
    for (let at = 0; at < xy.length; at += 2) take(at);
    return box;
  }
  const { ends, kinds } = artwork;
  let at = 0;
  let segment = 0;
  for (const end of ends) {
    take(at);
    for (; segment < end; segment++) {
      const kind = kinds[segment]!;
      const step = 2 * POINTS_OF_KIND[kind]!;
      take(at + step);
      if (kind === 1)
        for (const axis of [0, 1] as const) widen(box, axis, xy.subarray(at + axis, at + axis + 7));
      else if (kind > 1)
        for (const [x, y] of extremesOf(kind === 2, xy.subarray(at, at + 6))) {
          box[0] = Math.min(box[0], x);
          box[1] = Math.min(box[1], y);
          box[2] = Math.max(box[2], x);
          box[3] = Math.max(box[3], y);
        }
      at += step;
    }
    at += 2;
  }
  return box;
}

/** Widens a box that holds the ends of a cubic until it holds all of it, along one axis; every other number is its own. */
function widen(box: Box, axis: 0 | 1, cubic: Float32Array): void {
  const [a, , b, , c, , d] = cubic as unknown as [number, 0, number, 0, number, 0, number];
  // a cubic leaves the box of its ends only where a control point does
  if (Math.min(b, c) >= box[axis] && Math.max(b, c) <= box[axis + 2]!) return;
  for (const t of turnsOf(a, b, c, d)) {
    const value = valueAt(a, b, c, d, t);
    box[axis] = Math.min(box[axis], value);
    box[axis + 2] = Math.max(box[axis + 2]!, value);
  }
}

/** Where a cubic turns back along one axis, 0..1. */
function turnsOf(a: number, b: number, c: number, d: number): number[] {
  // a third of the derivative: square t^2 + linear t + constant
  const square = d - a + 3 * (b - c);
  const linear = 2 * (a - 2 * b + c);
  const constant = b - a;
  const root = Math.sqrt(linear * linear - 4 * square * constant);
  // of the two forms of each root the one that does not cancel
  const sum = -(linear + (linear < 0 ? -root : root)) / 2;
  return [sum / square, constant / sum].filter((t) => t > 0 && t < 1);
}

function valueAt(a: number, b: number, c: number, d: number, t: number): number {
  const s = 1 - t;
  return s * s * s * a + 3 * s * t * (s * b + t * c) + t * t * t * d;
}
