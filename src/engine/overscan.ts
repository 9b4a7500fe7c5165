import { checkNumber, checkOptions, invalid } from "../errors.ts";
import { engineFunction } from "../tasker/target.ts";
import { type Bed, checkBed, reachIn } from "./bed.ts";
import {
  type Cuts,
  type CutWarning,
  checkChosen,
  cutsOf,
  eachCut,
  mm,
  type ReworkedOps,
  Tape,
} from "./cuts.ts";
import type { Ops } from "./ops.ts";
import { distance } from "./paths.ts";

export interface OverscanOptions {
  /**
   * Of the machine, mm/s², > 0: one number, or one for each axis (default [200, 200], as GRBL has it: `$120`, `$121`).
   */
  readonly acceleration?: number | readonly [x: number, y: number];
  /** Room for the machine being weaker than it says: factor on the length, >= 1 (default 1). */
  readonly factor?: number;
  /** Least length, mm, >= 0 (default 0). */
  readonly min?: number;
  /** Where the head may go, mm: overscan that would leave it is shorter, with a warning. */
  readonly bed?: Bed;
  /** Numbers of the cuts that get overscan (default: all straight ones). */
  readonly cuts?: readonly number[];
}

/**
 * `clipped`: the bed ends before the head is at its speed or stands; `bent`: a cut that was asked for is not one
 * straight line forwards.
 */
export type OverscanWarning = "clipped" | "bent";

/** How far the ends of a straight cut's moves may lie beside the line, mm. */
const ASIDE = 0.002;

/**
 * Gives straight cuts, such as lines of a hatch or rows of a picture, a dark run-up and run-out in line with them, so
 * that the head has its full speed `v` wherever the beam is on: `factor * v² / (2 * acceleration)` at the speed of the
 * first and of the last move. Cuts that follow one another on one line, with less between them than the overscan of
 * both, are joined by a dark move at speed. A straight cut is lines only, all forwards; dark ones may be among them.
 * Others stay as they are.
 *
 * @param ops   mm; read and not kept
 * @throws INVALID_ARGUMENT   ops that `encode` would refuse, or an option out of its contract
 * @throws CANCELED
 * Cost: about 0.1 us a move.
 * @example overscan(toOps(lines, { speed: 6000 }), { acceleration: 1000 }).ops
 */
export const overscan = engineFunction(
  "overscan",
  (ops: Ops, options: OverscanOptions = {}): ReworkedOps<OverscanWarning> => {
    checkOptions(options, ["acceleration", "factor", "min", "bed", "cuts"]);
    const acceleration = checkAcceleration(options.acceleration ?? [200, 200]);
    const factor = checkNumber("factor", options.factor ?? 1, { min: 1 });
    const min = checkNumber("min", options.min ?? 0, { min: 0 });
    const bed = checkBed(options.bed);
    const cuts = cutsOf(ops);
    const chosen = checkChosen(options.cuts, cuts.count);
    const warnings: CutWarning<OverscanWarning>[] = [];
    const tape = new Tape(cuts, ops.kinds.length + 2 * cuts.count);

    /** Length of the overscan in a direction, next to a move. */
    const lengthAt = (op: number, { dx, dy }: Row): number => {
      const speed = ops.speed[op]! / 60;
      // what the slower axis allows along the line
      const most = Math.min(acceleration[0] / Math.abs(dx), acceleration[1] / Math.abs(dy));
      return Math.max(min, (factor * speed * speed) / (2 * most));
    };
    /** True when the head need not stop between two rows, and can change from the speed of one to that of the other. */
    const joins = (a: Row, b: Row): boolean => {
      const gap = gapOf(a, b);
      const [before, after] = [lengthAt(a.last, a), lengthAt(b.first, b)];
      return gap < before + after && Math.abs(after - before) <= gap;
    };
    /** What of a length fits on the bed. */
    const clip = (cut: number, wanted: number, x: number, y: number, dx: number, dy: number): number => {
      const room = bed === undefined ? Infinity : Math.max(0, reachIn(bed, x, y, dx, dy));
      if (wanted <= room) return wanted;
      const what = `${mm(room)} of overscan instead of ${mm(wanted)}, as the bed ends there`;
      warnings.push({ code: "clipped", cut, message: `Cut ${cut}: ${what}` });
      return room;
    };

    let last: Row | undefined;
    const rowOf = (cut: number): Row | undefined => (chosen[cut] === 1 ? straightRow(cuts, cut) : undefined);
    let next = cuts.count > 0 ? rowOf(0) : undefined;
    eachCut(cuts.count, (cut) => {
      const row = next;
      next = cut + 1 < cuts.count ? rowOf(cut + 1) : undefined;
      const from = cuts.first[cut]!;
      const end = cuts.first[cut + 1]!;
      if (row === undefined) {
        if (chosen[cut] === 1 && options.cuts !== undefined && end > from + 1)
          warnings.push({
            code: "bent",
            cut,
            message: `Cut ${cut}: no overscan, as it is not one straight line`,
          });
        tape.copy(from, end);
        last = undefined;
        return;
      }
      const { dx, dy } = row;
      if (last !== undefined && joins(last, row))
        tape.lay(from, { kind: 1, power: 0, speed: ops.speed[row.first]! });
      else {
        const length = clip(cut, lengthAt(row.first, row), row.x0, row.y0, -dx, -dy);
        tape.lay(from, { x: row.x0 - dx * length, y: row.y0 - dy * length });
        if (length > 0) tape.lay(from, { kind: 1, power: 0, speed: ops.speed[row.first]! });
      }
      tape.copy(from + 1, end);
      last = row;
      if (next !== undefined && joins(row, next)) return;
      const length = clip(cut, lengthAt(row.last, row), row.x1, row.y1, dx, dy);
      if (length === 0) return;
      tape.lay(row.last, { x: row.x1 + dx * length, y: row.y1 + dy * length, power: 0 });
    });
    return { ...tape.done(), warnings };
  },
);

/** A straight cut: its first and last move but the travel, its ends and its direction. */
interface Row {
  readonly first: number;
  readonly last: number;
  readonly x0: number;
  readonly y0: number;
  readonly x1: number;
  readonly y1: number;
  readonly dx: number;
  readonly dy: number;
}

function straightRow({ ops: { kinds, xy }, first }: Cuts, cut: number): Row | undefined {
  const from = first[cut]!;
  const last = first[cut + 1]! - 1;
  const [x0, y0] = [xy[2 * from]!, xy[2 * from + 1]!];
  const [x1, y1] = [xy[2 * last]!, xy[2 * last + 1]!];
  const length = distance(x0, y0, x1, y1);
  if (length === 0) return undefined;
  const [dx, dy] = [(x1 - x0) / length, (y1 - y0) / length];
  let reached = 0;
  for (let op = from + 1; op <= last; op++) {
    if (kinds[op] !== 1) return undefined;
    const [x, y] = [xy[2 * op]! - x0, xy[2 * op + 1]! - y0];
    const along = x * dx + y * dy;
    if (along < reached || Math.abs(x * dy - y * dx) > ASIDE) return undefined;
    reached = along;
  }
  return { first: from + 1, last, x0, y0, x1, y1, dx, dy };
}

/** Way from the end of a row to the start of one ahead on the same line; infinite to others. */
function gapOf(a: Row, b: Row): number {
  const gap = (b.x0 - a.x1) * a.dx + (b.y0 - a.y1) * a.dy;
  const isAside = (x: number, y: number): boolean => Math.abs((x - a.x1) * a.dy - (y - a.y1) * a.dx) > ASIDE;
  const forwards = a.dx * b.dx + a.dy * b.dy > 0;
  return gap >= 0 && forwards && !isAside(b.x0, b.y0) && !isAside(b.x1, b.y1) ? gap : Infinity;
}

function checkAcceleration(value: unknown): readonly [number, number] {
  if (typeof value === "number") {
    const both = checkNumber("acceleration", value, { above: 0 });
    return [both, both];
  }
  if (!Array.isArray(value) || value.length !== 2) throw invalid("acceleration", "a number or [x, y]", value);
  return [0, 1].map((axis) => checkNumber(`acceleration[${axis}]`, value[axis], { above: 0 })) as [
    number,
    number,
  ];
}
