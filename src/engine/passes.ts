import { checkNumber, checkOneOf, checkOptions, invalid } from "../errors.ts";
import { engineFunction } from "../tasker/target.ts";
import { type Cuts, type CutWarning, checkChosen, cutsOf, eachCut, type ReworkedOps, Tape } from "./cuts.ts";
import type { Ops } from "./ops.ts";

/** How a factor runs over the passes: `start`, `start + step`, `start + 2 step`, ... */
export interface Steps {
  /** Factor of the first pass, >= 0 (default 1). */
  readonly start?: number;
  /** Added with each pass (default 0). */
  readonly step?: number;
}

export interface PassesOptions {
  /** Passes, 1..1000. */
  readonly count: number;
  /**
   * "cut": each cut is repeated before the next one. "job": all is repeated after all is done, so that it can cool
   * (default "job").
   */
  readonly repeat?: "cut" | "job";
  /** Factor on the power of moves; what it takes beyond 1 is 1, with a warning. */
  readonly power?: Steps;
  /** Factor on the speed of all moves but travels, which has to stay in 0.001..1,000,000 mm/min. */
  readonly speed?: Steps;
  /**
   * Added to all heights with each pass but the first, mm; negative is deeper (default 0: no heights unless there are
   * some).
   */
  readonly zStep?: number;
  /** Numbers of the cuts to repeat (default: all); the others run in the first pass only. */
  readonly cuts?: readonly number[];
}

/** `power`: a pass would take some move of the cut beyond full power. */
export type PassesWarning = "power";

/**
 * Repeats cuts: each back to back, or the job as a whole, with power, speed and height that may change from pass to
 * pass. Every pass of a cut begins with its travel, so that cuts stay what they are; where the head is there already,
 * `encode` writes none.
 *
 * @param ops   mm; read and not kept
 * @returns     new ops; `origin` is each move's move in the first pass
 * @throws INVALID_ARGUMENT   ops that `encode` would refuse, an option out of its contract, or a speed beyond its range
 * @throws CANCELED
 * Cost: about 0.1 us a move that is laid.
 * @example passes(toOps(paths), { count: 3, repeat: "cut", zStep: -0.5 }).ops
 */
export const passes = engineFunction(
  "passes",
  (ops: Ops, options: PassesOptions): ReworkedOps<PassesWarning> => {
    checkOptions(options, ["count", "repeat", "power", "speed", "zStep", "cuts"]);
    const count = checkNumber("count", options.count, { min: 1, max: 1000, integer: true });
    const repeat = checkOneOf("repeat", options.repeat ?? "job", ["cut", "job"]);
    const zStep = checkNumber("zStep", options.zStep ?? 0);
    const powers = checkSteps("power", options.power, count);
    const speeds = checkSteps("speed", options.speed, count);
    const cuts = cutsOf(ops);
    const chosen = checkChosen(options.cuts, cuts.count);
    checkSpeeds(cuts, chosen, speeds);

    const warnings: CutWarning<PassesWarning>[] = [];
    const most = Math.max(...powers);
    const tape = new Tape(cuts, countMoves(cuts, chosen, count), zStep !== 0 && count > 1);
    const lay = (cut: number, pass: number): void => {
      for (let op = cuts.first[cut]!; op < cuts.first[cut + 1]!; op++)
        tape.lay(op, {
          power: Math.min(1, ops.power[op]! * powers[pass]!),
          speed: ops.kinds[op] === 0 ? ops.speed[op]! : ops.speed[op]! * speeds[pass]!,
          z: (ops.z?.[op] ?? 0) + pass * zStep,
        });
    };
    eachCut(count * cuts.count, (i) => {
      // in job order the passes follow one another, in cut order those of one cut do
      const cut = repeat === "job" ? i % cuts.count : Math.floor(i / count);
      const pass = repeat === "job" ? Math.floor(i / cuts.count) : i % count;
      if (chosen[cut] === 0) {
        if (pass === 0) tape.copy(cuts.first[cut]!, cuts.first[cut + 1]!);
        return;
      }
      lay(cut, pass);
      const strongest = pass === 0 ? strongestOf(cuts, cut) : 0;
      if (strongest * most <= 1) return;
      const message = `Cut ${cut}: full power instead of ${Number((strongest * most).toPrecision(4))}`;
      warnings.push({ code: "power", cut, message });
    });
    return { ...tape.done(), warnings };
  },
);

/** The factor of each pass. */
function checkSteps(name: string, steps: Steps | undefined, count: number): number[] {
  if (steps === undefined) return new Array<number>(count).fill(1);
  if (typeof steps !== "object" || steps === null) throw invalid(name, "{ start, step }", steps);
  checkOptions(steps, ["start", "step"]);
  const start = checkNumber(`${name}.start`, steps.start ?? 1, { min: 0 });
  const step = checkNumber(`${name}.step`, steps.step ?? 0);
  const last = start + step * (count - 1);
  if (last < 0)
    throw invalid(`${name}.step`, `>= ${-start / (count - 1)}, so that no factor falls below 0`, step);
  return Array.from({ length: count }, (_, pass) => start + step * pass);
}

function checkSpeeds({ ops, count, first }: Cuts, chosen: Uint8Array, speeds: number[]): void {
  const [least, most] = [Math.min(...speeds), Math.max(...speeds)];
  for (let cut = 0; cut < count; cut++) {
    if (chosen[cut] === 0) continue;
    for (let op = first[cut]! + 1; op < first[cut + 1]!; op++)
      for (const factor of [least, most])
        if (!(ops.speed[op]! * factor >= 0.001 && ops.speed[op]! * factor <= 1e6))
          throw invalid("speed", `factors that keep op ${op} within 0.001..1000000 mm/min`, factor);
  }
}

function countMoves({ first, count }: Cuts, chosen: Uint8Array, passes: number): number {
  let moves = 0;
  for (let cut = 0; cut < count; cut++)
    moves += (first[cut + 1]! - first[cut]!) * (chosen[cut] === 1 ? passes : 1);
  return moves;
}

function strongestOf({ ops, first }: Cuts, cut: number): number {
  let strongest = 0;
  for (let op = first[cut]!; op < first[cut + 1]!; op++) strongest = Math.max(strongest, ops.power[op]!);
  return strongest;
}
