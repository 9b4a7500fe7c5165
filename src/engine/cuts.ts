import { invalid } from "../errors.ts";
import { sweepOf as turnOf } from "./circle.ts";
import { refuse } from "./gcode.ts";
import { Stages, withEngine } from "./memory.ts";
import { checkOps as checkShape, newOps, type Ops } from "./ops.ts";
import { distance } from "./paths.ts";

/** Moves made from others, and what could not be done as asked. */
export interface ReworkedOps<Code extends string> {
  readonly ops: Ops;
  /** The move of the given ops that each move comes from. */
  readonly origin: Uint32Array;
  readonly warnings: readonly CutWarning<Code>[];
}

export interface CutWarning<Code extends string> {
  readonly code: Code;
  /** Number of the cut, counted from 0: cut `i` begins with the i-th travel of the given ops. */
  readonly cut: number;
  /** What happened, in words. */
  readonly message: string;
}

/**
 * The cuts of a job. A cut is a travel and the moves up to the next one; without moves it is empty. It is closed when
 * it ends where its travel does, to the last bit.
 */
export interface Cuts {
  readonly ops: Ops;
  readonly count: number;
  /** The travel of each cut; `first[count]` is the number of moves. */
  readonly first: Uint32Array;
  /** Way from the start of its cut to the end of each move, mm; 0 for travels. */
  readonly way: Float64Array;
}

/**
 * What is shorter than this is not split off, mm: controllers get thousandths, and an arc of nearly no length may turn
 * into a circle.
 */
export const SHORTEST = 0.002;

/** Cuts between two looks at the cancel word. */
const BATCH = 128;
/** `assembly/control.ts` */
const STOPPED = -1;
/** As `assembly/text.ts` has them: how far an arc may end from its circle. */
const ARC_SLACK = { least: 0.005, part: 0.001, most: 0.5 };
const FAR = 2e6;
const HIGH = 999;
const SLOWEST = Math.fround(0.001);
const FASTEST = 1e6;

/** Checks ops in full and finds their cuts. */
export function cutsOf(ops: Ops): Cuts {
  checkMoves(ops);
  const { kinds } = ops;
  const n = kinds.length;
  let count = 0;
  for (let op = 0; op < n; op++) if (kinds[op] === 0) count++;
  const first = new Uint32Array(count + 1);
  const way = new Float64Array(n);
  let cut = 0;
  for (let op = 0; op < n; op++) {
    if (kinds[op] === 0) first[cut++] = op;
    else way[op] = way[op - 1]! + lengthOf(ops, op);
  }
  first[count] = n;
  return { ops, count, first, way };
}

/** Checks that ops are what `encode` takes: shapes and numbers. */
export function checkMoves(ops: Ops): void {
  checkShape(ops);
  const { kinds, xy, centers, power, speed, z } = ops;
  if (z !== undefined && (!(z instanceof Float32Array) || z.length !== kinds.length))
    throw invalid("ops.z", `a Float32Array of ${kinds.length} numbers for ${kinds.length} moves`, z);
  for (let op = 0; op < kinds.length; op++) {
    const kind = kinds[op]!;
    const fits =
      kind <= 3 &&
      Math.abs(xy[2 * op]!) <= FAR &&
      Math.abs(xy[2 * op + 1]!) <= FAR &&
      power[op]! >= 0 &&
      power[op]! <= 1 &&
      speed[op]! >= SLOWEST &&
      speed[op]! <= FASTEST &&
      (kind < 2 || isArc(xy, centers, op));
    if (!fits) throw refuse(ops, op);
    if (z !== undefined && !(Math.abs(z[op]!) <= HIGH))
      throw invalid(`ops.z[${op}]`, `a height of -${HIGH}..${HIGH} mm`, z[op]);
  }
}

function isArc(xy: Float32Array, centers: Float32Array, op: number): boolean {
  const cx = centers[2 * op]!;
  const cy = centers[2 * op + 1]!;
  const radius = distance(xy[2 * op - 2]!, xy[2 * op - 1]!, cx, cy);
  const off = Math.abs(distance(xy[2 * op]!, xy[2 * op + 1]!, cx, cy) - radius);
  const slack = Math.max(ARC_SLACK.least, Math.min(ARC_SLACK.most, ARC_SLACK.part * radius));
  return Math.abs(cx) <= FAR && Math.abs(cy) <= FAR && radius <= FAR && off <= slack;
}

/** Signed angle of an arc, counter-clockwise positive; one that ends where it starts is a full circle. */
export function sweepOf({ kinds, xy, centers }: Ops, op: number): number {
  const at = 2 * op;
  const arc = [xy[at - 2]!, xy[at - 1]!, centers[at]!, centers[at + 1]!, xy[at]!, xy[at + 1]!];
  return kinds[op] === 2 ? -turnOf(false, arc) : turnOf(true, arc);
}

/** Length of a move that is not the first, in the plane, mm. */
export function lengthOf(ops: Ops, op: number): number {
  const { kinds, xy, centers } = ops;
  const at = 2 * op;
  if (kinds[op]! < 2) return distance(xy[at - 2]!, xy[at - 1]!, xy[at]!, xy[at + 1]!);
  const radius = distance(xy[at - 2]!, xy[at - 1]!, centers[at]!, centers[at + 1]!);
  return radius * Math.abs(sweepOf(ops, op));
}

/** A place on a move, and the direction of the way there. */
export interface Place {
  readonly x: number;
  readonly y: number;
  /** Unit vector along the way; 0, 0 on a move of no length. */
  readonly dx: number;
  readonly dy: number;
}

/** Where a move is after a share of it, 0..1. */
export function placeOn(ops: Ops, op: number, share: number): Place {
  const { kinds, xy, centers } = ops;
  const at = 2 * op;
  const [x0, y0, x1, y1] = [xy[at - 2]!, xy[at - 1]!, xy[at]!, xy[at + 1]!];
  if (kinds[op]! < 2) {
    const length = distance(x0, y0, x1, y1) || 1;
    const [dx, dy] = [(x1 - x0) / length, (y1 - y0) / length];
    if (share === 1) return { x: x1, y: y1, dx, dy };
    return { x: x0 + (x1 - x0) * share, y: y0 + (y1 - y0) * share, dx, dy };
  }
  const [cx, cy] = [centers[at]!, centers[at + 1]!];
  const sense = kinds[op] === 2 ? -1 : 1;
  const r0 = distance(x0, y0, cx, cy);
  // ends lie on the circle to a rounding, which the points between share out
  const radius = r0 + (distance(x1, y1, cx, cy) - r0) * share;
  const angle = Math.atan2(y0 - cy, x0 - cx) + sweepOf(ops, op) * share;
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  const [dx, dy] = [-sense * sin, sense * cos];
  if (share === 0) return { x: x0, y: y0, dx, dy };
  if (share === 1) return { x: x1, y: y1, dx, dy };
  return { x: cx + radius * cos, y: cy + radius * sin, dx, dy };
}

export function isClosed({ ops: { xy }, first }: Cuts, cut: number): boolean {
  const start = 2 * first[cut]!;
  const end = 2 * first[cut + 1]! - 2;
  return end > start && xy[start] === xy[end] && xy[start + 1] === xy[end + 1];
}

/** Length of a cut, mm. */
export function wayOf({ first, way }: Cuts, cut: number): number {
  return way[first[cut + 1]! - 1]!;
}

/** The first move of a cut that reaches a place so many mm from its start, or its last one. */
export function moveAt({ first, way }: Cuts, cut: number, mm: number): number {
  let low = first[cut]! + 1;
  let high = first[cut + 1]! - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (way[middle]! >= mm) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** Which cuts an option names; all by default. */
export function checkChosen(cuts: readonly number[] | undefined, count: number): Uint8Array {
  const chosen = new Uint8Array(count).fill(cuts === undefined ? 1 : 0);
  if (cuts === undefined) return chosen;
  if (!Array.isArray(cuts)) throw invalid("cuts", "an array of numbers of cuts", cuts);
  for (const [i, cut] of cuts.entries()) {
    if (!Number.isInteger(cut) || cut < 0 || cut >= count)
      throw invalid(`cuts[${i}]`, `the number of one of ${count} cuts`, cut);
    chosen[cut] = 1;
  }
  return chosen;
}

/** Calls `work` for cut after cut with progress; it ends when the task is canceled. */
export function eachCut(count: number, work: (cut: number) => void): void {
  withEngine(({ kernels }) =>
    new Stages().run(1, count, () => {
      for (let cut = 0; cut < count; cut++) {
        if (cut % BATCH === 0 && kernels.checkpoint(cut)) return STOPPED;
        work(cut);
      }
      return count;
    }),
  );
}

/** Moves in the making, of whatever number. */
export class Tape {
  readonly #from: Cuts;
  #ops: Ops;
  #origin: Uint32Array;
  #n = 0;

  /** `room` moves fit before it grows; with `z` they have heights though the given ones have none. */
  constructor(from: Cuts, room: number, z = false) {
    this.#from = from;
    this.#ops = newOps(room, { z: z || from.ops.z !== undefined });
    this.#origin = new Uint32Array(room);
  }

  /** Lays a move as another one has it, but for what is given. Centres count for arcs. */
  lay(op: number, change: Change): void {
    const i = this.#copy(op);
    const out = this.#ops;
    if (change.kind !== undefined) out.kinds[i] = change.kind;
    if (change.x !== undefined) out.xy[2 * i] = change.x;
    if (change.y !== undefined) out.xy[2 * i + 1] = change.y;
    const straight = out.kinds[i]! < 2;
    if (straight || change.cx !== undefined) out.centers[2 * i] = straight ? 0 : change.cx!;
    if (straight || change.cy !== undefined) out.centers[2 * i + 1] = straight ? 0 : change.cy!;
    if (change.power !== undefined) out.power[i] = change.power;
    if (change.speed !== undefined) out.speed[i] = change.speed;
    if (change.z !== undefined && out.z !== undefined) out.z[i] = change.z;
  }

  /** Lays some moves as they are. */
  copy(from: number, to: number): void {
    for (let op = from; op < to; op++) this.#copy(op);
  }

  #copy(op: number): number {
    const { ops } = this.#from;
    if (this.#n === this.#origin.length) this.#grow();
    const i = this.#n++;
    const out = this.#ops;
    out.kinds[i] = ops.kinds[op]!;
    out.xy[2 * i] = ops.xy[2 * op]!;
    out.xy[2 * i + 1] = ops.xy[2 * op + 1]!;
    out.centers[2 * i] = ops.centers[2 * op]!;
    out.centers[2 * i + 1] = ops.centers[2 * op + 1]!;
    out.power[i] = ops.power[op]!;
    out.speed[i] = ops.speed[op]!;
    if (out.z !== undefined && ops.z !== undefined) out.z[i] = ops.z[op]!;
    this.#origin[i] = op;
    return i;
  }

  /**
   * Lays the part of a cut between two places, mm from its start, at no more than some power. Moves are split exactly
   * there, but less than `SHORTEST` from a move's end at that end. Parts that follow one another fit together.
   */
  part(cut: number, from: number, to: number, most = 1): void {
    const { ops, first, way } = this.#from;
    if (to <= from) return;
    const end = first[cut + 1]!;
    const whole = way[end - 1]!;
    for (let op = moveAt(this.#from, cut, from); op < end; op++) {
      const start = way[op - 1]!;
      if (start > to || (start === to && to < whole)) return;
      const length = way[op]! - start;
      const power = Math.min(most, ops.power[op]!);
      const a = snapped(from - start, length);
      const b = snapped(to - start, length);
      // a move of no length may still change the height
      if (length === 0 ? from <= start : b === length && a < b) {
        const i = this.#copy(op);
        this.#ops.power[i] = power;
      } else if (a < b) {
        const { x, y } = placeOn(ops, op, b / length);
        this.lay(op, { x, y, z: heightOn(ops, op, b / length), power });
      }
    }
  }

  done(): { ops: Ops; origin: Uint32Array } {
    if (this.#n < this.#origin.length) this.#resize(this.#n);
    return { ops: this.#ops, origin: this.#origin };
  }

  #grow(): void {
    this.#resize(Math.max(16, 2 * this.#origin.length));
  }

  #resize(room: number): void {
    const n = this.#n;
    const old = this.#ops;
    const ops = newOps(room, { z: old.z !== undefined });
    for (const name of ["kinds", "power", "speed"] as const) ops[name].set(old[name].subarray(0, n));
    for (const name of ["xy", "centers"] as const) ops[name].set(old[name].subarray(0, 2 * n));
    ops.z?.set(old.z!.subarray(0, n));
    const origin = new Uint32Array(room);
    origin.set(this.#origin.subarray(0, n));
    this.#ops = ops;
    this.#origin = origin;
  }
}

/** What a move has of its own. */
export interface Change {
  readonly kind?: number;
  readonly x?: number;
  readonly y?: number;
  readonly z?: number | undefined;
  readonly cx?: number;
  readonly cy?: number;
  readonly power?: number;
  readonly speed?: number;
}

/** The height of a move after a share of it; undefined where moves have none. */
export function heightOn({ z }: Ops, op: number, share: number): number | undefined {
  return z === undefined ? undefined : z[op - 1]! + (z[op]! - z[op - 1]!) * share;
}

/** A length as messages have it. */
export function mm(value: number): string {
  return `${Number(value.toFixed(3))} mm`;
}

/** A place on a move of some length, or the end of it that is next to nothing away; its start where both are. */
function snapped(mm: number, length: number): number {
  if (mm >= length) return length;
  if (mm < SHORTEST) return 0;
  return mm > length - SHORTEST ? length : mm;
}
