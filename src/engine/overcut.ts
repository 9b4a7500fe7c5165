import { checkNumber, checkOptions } from "../errors.ts";
import { engineFunction } from "../tasker/target.ts";
import {
  type CutWarning,
  checkChosen,
  cutsOf,
  eachCut,
  isClosed,
  mm,
  type ReworkedOps,
  Tape,
  wayOf,
} from "./cuts.ts";
import type { Ops } from "./ops.ts";

export interface OvercutOptions {
  /** How far closed cuts run on past their start, mm, >= 0. */
  readonly length: number;
  /** Numbers of the cuts that do (default: all closed ones). */
  readonly cuts?: readonly number[];
}

/** `capped`: the cut is shorter than its overcut, and is run twice; `open`: an open cut was asked for. */
export type OvercutWarning = "capped" | "open";

/**
 * Lets closed cuts run on past their start, along the way that they began with, so that the beam closes them for sure.
 * A cut is then open: tabs and dashes go before, and leads have an overcut of their own.
 *
 * @param ops   mm; read and not kept
 * @throws INVALID_ARGUMENT   ops that `encode` would refuse, or an option out of its contract
 * @throws CANCELED
 * Cost: about 0.1 us a move.
 * @example overcut(toOps(paths), { length: 1 }).ops
 */
export const overcut = engineFunction(
  "overcut",
  (ops: Ops, options: OvercutOptions): ReworkedOps<OvercutWarning> => {
    checkOptions(options, ["length", "cuts"]);
    const further = checkNumber("length", options.length, { min: 0 });
    const cuts = cutsOf(ops);
    const chosen = checkChosen(options.cuts, cuts.count);
    const warnings: CutWarning<OvercutWarning>[] = [];
    const tape = new Tape(cuts, ops.kinds.length + 2 * cuts.count);
    eachCut(cuts.count, (cut) => {
      tape.copy(cuts.first[cut]!, cuts.first[cut + 1]!);
      if (chosen[cut] === 0) return;
      const length = wayOf(cuts, cut);
      if (!isClosed(cuts, cut)) {
        if (options.cuts !== undefined)
          warnings.push({ code: "open", cut, message: `Cut ${cut}: no overcut, as it is open` });
        return;
      }
      if (further > length) {
        const message = `Cut ${cut}: an overcut of its ${mm(length)}, not of ${mm(further)}`;
        warnings.push({ code: "capped", cut, message });
      }
      tape.part(cut, 0, Math.min(further, length));
    });
    return { ...tape.done(), warnings };
  },
);
