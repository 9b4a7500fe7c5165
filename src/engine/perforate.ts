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

export interface PerforateOptions {
  /** Length of a dash, mm, >= 0.01. */
  readonly cut: number;
  /** Length of what is left between dashes, mm, >= 0.01. */
  readonly gap: number;
  /** Power of gaps, 0..1 (default 0). Moves that have less keep theirs. */
  readonly power?: number;
  /** Numbers of the cuts to perforate (default: all). */
  readonly cuts?: readonly number[];
}

/** `solid`: the cut is too short for a gap. */
export type PerforateWarning = "solid";

const LENGTH = { min: 0.01, max: 1e6 };

/**
 * Cuts in dashes, to fold or to tear along. The head runs on at its speed; in gaps the beam is off or low. An open cut
 * begins and ends with a dash. A closed one begins in the middle of a dash and ends there. Dashes and gaps are
 * stretched or shrunk by one factor for each cut, so that all are whole: a factor of 1/2..3/2 for a cut of one gap,
 * nearer to 1 the more there are.
 *
 * @param ops   mm; read and not kept
 * @throws INVALID_ARGUMENT   ops that `encode` would refuse, or an option out of its contract
 * @throws CANCELED
 * Cost: about 0.1 us a move, 0.5 us a dash.
 * @example perforate(toOps(paths), { cut: 3, gap: 1 }).ops
 */
export const perforate = engineFunction(
  "perforate",
  (ops: Ops, options: PerforateOptions): ReworkedOps<PerforateWarning> => {
    checkOptions(options, ["cut", "gap", "power", "cuts"]);
    const dash = checkNumber("cut", options.cut, LENGTH);
    const gap = checkNumber("gap", options.gap, LENGTH);
    const power = checkNumber("power", options.power ?? 0, { min: 0, max: 1 });
    const cuts = cutsOf(ops);
    const chosen = checkChosen(options.cuts, cuts.count);
    const warnings: CutWarning<PerforateWarning>[] = [];
    const tape = new Tape(cuts, 2 * ops.kinds.length);
    eachCut(cuts.count, (cut) => {
      const length = wayOf(cuts, cut);
      if (chosen[cut] === 0 || length === 0) return tape.copy(cuts.first[cut]!, cuts.first[cut + 1]!);
      tape.copy(cuts.first[cut]!, cuts.first[cut]! + 1);
      const closed = isClosed(cuts, cut);
      // the first dash counts half in a closed cut, where the other half comes last
      const gaps = Math.max(0, Math.round((length - (closed ? 0 : dash)) / (dash + gap)));
      const factor = length / (gaps * (dash + gap) + (closed ? 0 : dash));
      const period = (dash + gap) * factor;
      let at = 0;
      for (let i = 0; i < gaps; i++) {
        const start = i * period + dash * factor * (closed ? 0.5 : 1);
        tape.part(cut, at, start);
        at = start + gap * factor;
        tape.part(cut, start, at, power);
      }
      tape.part(cut, at, length);
      if (gaps > 0) return;
      const message = `Cut ${cut}: no gap, as it is ${mm(length)} long`;
      warnings.push({ code: "solid", cut, message });
    });
    return { ...tape.done(), warnings };
  },
);
