// Short ways to write ops down in tests, and slow measures of them.
import { KerfworkError, type Ops } from "kerfwork";
import { type Pointer, withEngine } from "../src/engine/memory.ts";
import { newOps } from "../src/engine/ops.ts";

export interface Move {
  /** 0 travel, 1 line, 2 arc clockwise, 3 arc counter-clockwise. */
  readonly kind: number;
  readonly x: number;
  readonly y: number;
  readonly center?: readonly [number, number];
  readonly power?: number;
  readonly speed?: number;
  readonly z?: number;
}

export const travel = (x: number, y: number, rest: Partial<Move> = {}): Move => ({
  kind: 0,
  x,
  y,
  power: 0,
  speed: 6000,
  ...rest,
});
export const line = (x: number, y: number, rest: Partial<Move> = {}): Move => ({ kind: 1, x, y, ...rest });
export const arc = (
  kind: 2 | 3,
  x: number,
  y: number,
  center: readonly [number, number],
  rest: Partial<Move> = {},
): Move => ({ kind, x, y, center, ...rest });

/** A closed cut of lines through points; the first is not repeated. */
export function ring(points: readonly (readonly [number, number])[], rest: Partial<Move> = {}): Move[] {
  const [first, ...others] = points;
  return [travel(...first!), ...[...others, first!].map(([x, y]) => line(x, y, rest))];
}

/** A closed cut around an upright rectangle, counter-clockwise from its lower left corner. */
export const box = (x0: number, y0: number, x1: number, y1: number, rest: Partial<Move> = {}): Move[] =>
  ring(
    [
      [x0, y0],
      [x1, y0],
      [x1, y1],
      [x0, y1],
    ],
    rest,
  );

/** A closed cut of two half circles from its rightmost point on. */
export const circle = (
  cx: number,
  cy: number,
  r: number,
  kind: 2 | 3 = 3,
  rest: Partial<Move> = {},
): Move[] => [
  travel(cx + r, cy),
  arc(kind, cx - r, cy, [cx, cy], rest),
  arc(kind, cx + r, cy, [cx, cy], rest),
];

export function opsOf(moves: readonly Move[]): Ops {
  const ops = newOps(moves.length, { z: moves.some(({ z }) => z !== undefined) });
  moves.forEach(({ kind, x, y, center = [0, 0], power = 1, speed = 1200, z = 0 }, i) => {
    ops.kinds[i] = kind;
    ops.xy.set([x, y], 2 * i);
    ops.centers.set(center, 2 * i);
    ops.power[i] = power;
    ops.speed[i] = speed;
    if (ops.z !== undefined) ops.z[i] = z;
  });
  return ops;
}

/** Signed angle of an arc by its angles at start and end; a full circle where both are one. */
export function turnOf({ kinds, xy, centers }: Ops, op: number): number {
  const [x0, y0, x1, y1] = xy.subarray(2 * op - 2, 2 * op + 2) as unknown as number[];
  const [cx, cy] = centers.subarray(2 * op, 2 * op + 2) as unknown as number[];
  if (x0 === x1 && y0 === y1) return kinds[op] === 2 ? -2 * Math.PI : 2 * Math.PI;
  let turn = Math.atan2(y1! - cy!, x1! - cx!) - Math.atan2(y0! - cy!, x0! - cx!);
  while (kinds[op] === 3 && turn <= 0) turn += 2 * Math.PI;
  while (kinds[op] === 2 && turn >= 0) turn -= 2 * Math.PI;
  return turn;
}

/** Points along a move, `n + 1` of them, evenly spread. */
export function pointsOn(ops: Ops, op: number, n: number): [number, number][] {
  const { kinds, xy, centers } = ops;
  const [x0, y0, x1, y1] = [...xy.subarray(2 * op - 2, 2 * op + 2)] as [number, number, number, number];
  const [cx, cy] = [...centers.subarray(2 * op, 2 * op + 2)] as [number, number];
  const turn = kinds[op]! < 2 ? 0 : turnOf(ops, op);
  return Array.from({ length: n + 1 }, (_, i) => {
    const t = i / n;
    if (kinds[op]! < 2) return [x0 + (x1 - x0) * t, y0 + (y1 - y0) * t];
    const [cos, sin] = [Math.cos(turn * t), Math.sin(turn * t)];
    return [cx + (x0 - cx) * cos - (y0 - cy) * sin, cy + (x0 - cx) * sin + (y0 - cy) * cos];
  });
}

export function lengthOn(ops: Ops, op: number): number {
  const { kinds, xy, centers } = ops;
  const [x0, y0, x1, y1] = xy.subarray(2 * op - 2, 2 * op + 2) as unknown as [number, number, number, number];
  if (kinds[op]! < 2) return Math.hypot(x1 - x0, y1 - y0);
  return Math.hypot(x0 - centers[2 * op]!, y0 - centers[2 * op + 1]!) * Math.abs(turnOf(ops, op));
}

/** Sum of length times `weight` over all moves but travels. */
export function sumOf(ops: Ops, weight: (op: number) => number = () => 1): number {
  let sum = 0;
  for (let op = 1; op < ops.kinds.length; op++)
    if (ops.kinds[op] !== 0) sum += lengthOn(ops, op) * weight(op);
  return sum;
}

/** Moves as rows of kind, x, y, power, rounded to a millionth. */
export const rowsOf = (ops: Ops): number[][] =>
  Array.from(ops.kinds, (kind, i) =>
    [kind, ops.xy[2 * i]!, ops.xy[2 * i + 1]!, ops.power[i]!].map(
      (value) => Math.round(value * 1e5) / 1e5 + 0,
    ),
  );

/** The bytes of all arrays, to see that a call changed none. */
export const bytesOf = (ops: Ops): string =>
  [ops.kinds, ops.xy, ops.centers, ops.power, ops.speed, ...(ops.z ? [ops.z] : [])]
    .map(({ buffer, byteOffset, byteLength }) => Buffer.from(buffer, byteOffset, byteLength).toString("hex"))
    .join();

/** Code and text of what a call throws. */
export const messageOf = (run: () => unknown): string => {
  try {
    run();
  } catch (error) {
    if (error instanceof KerfworkError) return `${error.code}: ${error.message}`;
    throw error;
  }
  return "nothing was thrown";
};

/** Moves of each cut: from its travel up to the next. */
export function cutsIn({ kinds }: Ops): { first: number; end: number }[] {
  const starts = [...kinds.keys()].filter((op) => kinds[op] === 0);
  return starts.map((first, i) => ({ first, end: starts[i + 1] ?? kinds.length }));
}

export interface Sample {
  /** Way from the start of the cut, mm. */
  readonly at: number;
  readonly x: number;
  readonly y: number;
  readonly op: number;
}

/** Where the head is along a cut, about every `step` mm, both ends of each move included. */
export function samplesOf(ops: Ops, { first, end }: { first: number; end: number }, step: number): Sample[] {
  const samples: Sample[] = [];
  let start = 0;
  for (let op = first + 1; op < end; op++) {
    const length = lengthOn(ops, op);
    const n = Math.max(1, Math.ceil(length / step));
    for (const [i, [x, y]] of pointsOn(ops, op, n).entries())
      samples.push({ at: start + (length * i) / n, x, y, op });
    start += length;
  }
  return samples;
}

/** Cuts of many kinds: polygons, rounded rectangles, circles of one, two and four arcs, open ones, each its own way around. */
export function someCuts(next: () => number, count: number): Move[] {
  const moves: Move[] = [];
  for (let i = 0; i < count; i++) {
    const [x, y] = [200 * next() - 100, 200 * next() - 100];
    const r = 0.5 + 20 * next();
    const sense = next() < 0.5 ? 1 : -1;
    const kind = sense === 1 ? 3 : 2;
    const rest = { power: 0.1 + 0.9 * next(), speed: 600 + 3000 * next() };
    const on = (turns: number, radius = r): [number, number] => [
      x + radius * Math.cos(2 * Math.PI * turns * sense),
      y + radius * Math.sin(2 * Math.PI * turns * sense),
    ];
    const shape = i % 5;
    if (shape === 0) moves.push(travel(...on(0)), arc(kind, ...on(0), [x, y], rest));
    if (shape === 1) moves.push(...circle(x, y, r, kind, rest));
    if (shape === 2) {
      const n = 3 + Math.floor(9 * next());
      moves.push(
        ...ring(
          Array.from({ length: n }, (_, k) => on(k / n, r * (0.6 + 0.4 * next()))),
          rest,
        ),
      );
    }
    if (shape === 3) {
      // a slot: two lines, two half circles
      const h = r / 3;
      moves.push(travel(x - r, y - sense * h), line(x + r, y - sense * h, rest));
      moves.push(arc(kind, x + r, y + sense * h, [x + r, y], rest), line(x - r, y + sense * h, rest));
      moves.push(arc(kind, x - r, y - sense * h, [x - r, y], rest));
    }
    if (shape === 4)
      moves.push(travel(...on(0)), line(...on(0.2), rest), arc(kind, ...on(0.5), [x, y], rest));
  }
  return moves;
}

/** Code and text of what a call throws on this thread while its cancel word is set. */
export function messageWhenCanceled(run: () => unknown): string {
  const setCancel = (value: number): void =>
    withEngine((engine) => {
      engine.i32(0 as Pointer, 1)[0] = value;
    });
  setCancel(1);
  try {
    return messageOf(run);
  } finally {
    setCancel(0);
  }
}
