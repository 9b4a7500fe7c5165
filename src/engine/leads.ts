import { checkFlag, checkNumber, checkOneOf, checkOptions, invalid } from "../errors.ts";
import { engineFunction } from "../tasker/target.ts";
import { type Bed, checkBed } from "./bed.ts";
import {
  type Cuts,
  type CutWarning,
  checkChosen,
  cutsOf,
  eachCut,
  isClosed,
  mm,
  moveAt,
  placeOn,
  type ReworkedOps,
  SHORTEST,
  Tape,
  wayOf,
} from "./cuts.ts";
import { areaOf, type Insides, insidesOf, isInside } from "./insides.ts";
import { checkLead, type Joint, type LaidLead, type Lead, layLead, type Shape } from "./lead.ts";
import { Obstacles } from "./obstacles.ts";
import type { Ops } from "./ops.ts";

export interface LeadsOptions {
  /** The way in; `in`, `out` or both. */
  readonly in?: Lead;
  /** The way out. */
  readonly out?: Lead;
  /** Power of leads, 0..1 (default: the strongest of the cut). */
  readonly power?: number;
  /** How far a cut runs on past its start before it is left, mm, >= 0 (default 0). */
  readonly overcut?: number;
  /**
   * On which side of its cut a lead is: "waste" is outside of parts and inside of holes, by how many closed cuts lie
   * around (default "waste").
   */
  readonly side?: "waste" | "outside" | "inside";
  /** How near a lead may come to cuts, but to its own where it leaves it, mm, 0.001..100 (default 0.1). */
  readonly clearance?: number;
  /** Where the head may go. */
  readonly bed?: Bed;
  /** A cut may begin elsewhere when there is no room at its start (default true). */
  readonly move?: boolean;
  /** Numbers of the cuts that get leads (default: all closed ones). */
  readonly cuts?: readonly number[];
}

/**
 * `moved`: the cut begins elsewhere; `turned`: a straight lead has another angle; `shortened`: leads are half or a
 * quarter of what was asked for; `omitted`: a lead was left out; `capped`: the overcut is once around; `open`: an open
 * cut was asked for.
 */
export type LeadsWarning = "moved" | "turned" | "shortened" | "omitted" | "capped" | "open";

/** Sizes that are tried, each at all places before the next. */
const SIZES = [1, 0.5, 0.25];
/** Places tried beside the start, evenly spread, the nearest to it first. */
const PLACES = 12;
/** How near a lead may come to its own cut just where it leaves it, mm. */
const TOUCH = 0.001;
/** Up to so many lengths of the lead along its own cut only touching counts. */
const REACH = 1.5;
const NOT: Layout = { at: 0, size: 1, turned: false, in: undefined, out: undefined };

/**
 * Leads closed cuts in and out on their waste side, so that the beam pierces and leaves beside the part: straight at
 * an angle, or on an arc that meets the cut in its own direction. Parts are the cuts with an even number of closed
 * cuts around them, holes those with an odd one, whichever way they run.
 *
 * A lead never crosses or touches a cut of the job, its own elsewhere included, and never leaves the bed. Where there
 * is no room for it at the start, straight ones are turned, then the cut begins elsewhere, then leads are made half
 * and a quarter as long, and at last one or both are left out; each with a warning. No cut begins on a tab
 * if it may begin elsewhere. A cut with leads is open: tabs and dashes go before, passes after.
 *
 * @param ops   mm; read and not kept; all cuts of the job, as leads are kept off them
 * @throws INVALID_ARGUMENT   ops that `encode` would refuse, or an option out of its contract
 * @throws OUT_OF_MEMORY      more outlines than kernel memory holds
 * @throws CANCELED
 * Cost: about 40 us a cut, three times that where there is no room; memory about 60 bytes a move.
 * @example addLeads(toOps(paths), { in: { length: 3 }, out: { length: 1, kind: "line", angleDeg: 30 } }).ops
 */
export const addLeads = engineFunction(
  "addLeads",
  (ops: Ops, options: LeadsOptions): ReworkedOps<LeadsWarning> => {
    const rules = checkRules(options);
    const cuts = cutsOf(ops);
    const chosen = checkChosen(options.cuts, cuts.count);
    const warnings: CutWarning<LeadsWarning>[] = [];
    const tape = new Tape(cuts, ops.kinds.length + 3 * cuts.count);
    const job = { cuts, insides: insidesOf(cuts), obstacles: new Obstacles(cuts), rules };
    eachCut(cuts.count, (cut) => {
      const warn = (code: LeadsWarning, message: string): void => {
        warnings.push({ code, cut, message: `Cut ${cut}: ${message}` });
      };
      const length = wayOf(cuts, cut);
      if (chosen[cut] === 0 || !isClosed(cuts, cut) || length < 2 * SHORTEST) {
        if (options.cuts !== undefined && chosen[cut] === 1) warn("open", "no leads, as it is open");
        return tape.copy(cuts.first[cut]!, cuts.first[cut + 1]!);
      }
      const overcut = Math.min(rules.overcut, length);
      if (overcut < rules.overcut)
        warn("capped", `an overcut of its ${mm(length)}, not of ${mm(rules.overcut)}`);
      const layout = findLayout(job, cut, overcut);
      tell(layout, rules, warn);
      lay(tape, cuts, cut, layout, overcut, rules.power);
    });
    return { ...tape.done(), warnings };
  },
);

/** The options, checked and complete. */
interface Rules {
  readonly in: Shape | undefined;
  readonly out: Shape | undefined;
  readonly power: number | undefined;
  readonly overcut: number;
  readonly side: "waste" | "outside" | "inside";
  readonly clearance: number;
  readonly bed: Bed | undefined;
  readonly move: boolean;
}

function checkRules(options: LeadsOptions): Rules {
  checkOptions(options, ["in", "out", "power", "overcut", "side", "clearance", "bed", "move", "cuts"]);
  const rules = {
    in: checkLead("in", options.in),
    out: checkLead("out", options.out),
    power: options.power === undefined ? undefined : checkNumber("power", options.power, { min: 0, max: 1 }),
    overcut: checkNumber("overcut", options.overcut ?? 0, { min: 0 }),
    side: checkOneOf("side", options.side ?? "waste", ["waste", "outside", "inside"]),
    clearance: checkNumber("clearance", options.clearance ?? 0.1, { min: TOUCH, max: 100 }),
    bed: checkBed(options.bed),
    move: options.move ?? true,
  };
  checkFlag("move", rules.move);
  if (rules.in === undefined && rules.out === undefined)
    throw invalid("options", "an object with `in`, `out` or both", options);
  return rules;
}

interface Job {
  readonly cuts: Cuts;
  readonly insides: Insides;
  readonly obstacles: Obstacles;
  readonly rules: Rules;
}

/** Where a cut begins, mm from its start, and its leads. */
interface Layout {
  readonly at: number;
  readonly size: number;
  readonly turned: boolean;
  readonly in: LaidLead | undefined;
  readonly out: LaidLead | undefined;
}

/** The first layout for which there is room: with all leads that were asked for, or else with one. */
function findLayout(job: Job, cut: number, overcut: number): Layout {
  const { cuts, insides, rules } = job;
  const polygon = insides.polygon[cut]!;
  const outside = rules.side === "waste" ? insides.depth[polygon]! % 2 === 0 : rules.side === "outside";
  // the inside of a cut that runs counter-clockwise is on its left
  const side = areaOf(insides, polygon) > 0 === outside ? -1 : 1;
  const straight = rules.in?.kind === "line" || rules.out?.kind === "line";
  // a lead to a tab would burn what holds
  const all = placesOn(wayOf(cuts, cut), rules.move);
  const lit = all.filter((at) => cuts.ops.power[moveAt(cuts, cut, at)]! > 0);
  const places = lit.length > 0 ? lit : all;
  const wishes = [{ in: rules.in, out: rules.out }];
  if (rules.in !== undefined && rules.out !== undefined)
    wishes.push({ in: rules.in, out: undefined }, { in: undefined, out: rules.out });
  const joints: { readonly start: Joint; readonly end: Joint }[] = [];
  for (const wish of wishes)
    for (const size of SIZES)
      for (const [i, at] of places.entries()) {
        joints[i] ??= { start: jointAt(cuts, cut, at), end: jointAt(cuts, cut, at + overcut) };
        for (const turned of straight ? [false, true] : [false]) {
          const layout = layoutAt(job, cut, {
            ...wish,
            ...joints[i]!,
            at,
            overcut,
            size,
            turned,
            side,
            outside,
          });
          if (layout !== undefined) return layout;
        }
      }
  return NOT;
}

/** A layout to try. */
interface Trial {
  readonly in: Shape | undefined;
  readonly out: Shape | undefined;
  /** Where the cut begins, and where it is left. */
  readonly start: Joint;
  readonly end: Joint;
  readonly at: number;
  readonly overcut: number;
  readonly size: number;
  readonly turned: boolean;
  /** Where the waste is. */
  readonly side: 1 | -1;
  readonly outside: boolean;
}

function layoutAt(job: Job, cut: number, trial: Trial): Layout | undefined {
  const { insides, rules } = job;
  const { at, size, turned, outside } = trial;
  const polygon = insides.polygon[cut]!;
  for (const side of [trial.side, -trial.side as 1 | -1]) {
    let strays = false;
    const reach = (shape: Shape, joint: Joint, place: number, goesIn: boolean): LaidLead | undefined => {
      const lead = layLead(joint, shape, goesIn, side, size, turned, rules.bed);
      if (lead === undefined || meets(job, cut, place, lead)) return undefined;
      strays = isInside(insides, polygon, lead.x, lead.y) === outside;
      return strays ? undefined : lead;
    };
    const into = trial.in && reach(trial.in, trial.start, at, true);
    if (trial.in === undefined || into !== undefined) {
      const out = trial.out && reach(trial.out, trial.end, at + trial.overcut, false);
      if (trial.out === undefined || out !== undefined) return { at, size, turned, in: into, out };
    }
    // a cut that crosses itself has its waste on either side
    if (!strays) return undefined;
  }
  return undefined;
}

/** The start, and places along a cut, those near to the start first. */
function placesOn(length: number, move: boolean): number[] {
  const places = [0];
  for (let i = 1; move && i <= PLACES; i++) {
    const steps = i % 2 === 1 ? (i + 1) / 2 : PLACES + 1 - i / 2;
    places.push((steps * length) / (PLACES + 1));
  }
  return places;
}

function jointAt(cuts: Cuts, cut: number, at: number): Joint {
  const { ops, way } = cuts;
  const length = wayOf(cuts, cut);
  const mm = at >= length ? at - length : at;
  const end = cuts.first[cut + 1]!;
  // moves of no length have no direction
  const follow = (op: number, step: 1 | -1): number => {
    for (let i = op; ; i += step) {
      if (i === end) i = cuts.first[cut]! + 1;
      if (i === cuts.first[cut]) i = end - 1;
      if (way[i]! - way[i - 1]! > 0) return i;
    }
  };
  const op = moveAt(cuts, cut, mm);
  const start = way[op - 1]!;
  const whole = way[op]! - start;
  if (mm - start < SHORTEST || way[op]! - mm < SHORTEST) {
    const isStart = mm - start < SHORTEST;
    const before = placeOn(ops, follow(isStart ? op - 1 : op, -1), 1);
    const after = placeOn(ops, follow(isStart ? op : op + 1, 1), 0);
    const { x, y } = before;
    return { x, y, inX: before.dx, inY: before.dy, outX: after.dx, outY: after.dy };
  }
  const { x, y, dx, dy } = placeOn(ops, op, (mm - start) / whole);
  return { x: Math.fround(x), y: Math.fround(y), inX: dx, inY: dy, outX: dx, outY: dy };
}

/** True when a lead that leaves its cut at a place comes too near to some cut. */
function meets({ cuts, obstacles, rules }: Job, cut: number, place: number, lead: LaidLead): boolean {
  const { way, first } = cuts;
  const length = wayOf(cuts, cut);
  const at = place >= length ? place - length : place;
  const reach = REACH * lead.length;
  /** Way along the cut from the place to a move of it, the shorter way round. */
  const wayTo = (op: number): number => {
    const [start, end] = [way[op - 1]!, way[op]!];
    if (start <= at && at <= end) return 0;
    const [ahead, behind] = [start - at, at - end];
    return Math.min(ahead > 0 ? ahead : ahead + length, behind > 0 ? behind : behind + length);
  };
  const { trail } = lead;
  for (let i = 2; i < trail.length; i += 2) {
    const within = (op: number): number => {
      if (op <= first[cut]! || op >= first[cut + 1]!) return rules.clearance;
      const mm = wayTo(op);
      if (mm > reach) return rules.clearance;
      return i === 2 && mm <= SHORTEST ? -1 : TOUCH;
    };
    if (obstacles.meets(trail[i - 2]!, trail[i - 1]!, trail[i]!, trail[i + 1]!, rules.clearance, within))
      return true;
  }
  return false;
}

type Warn = (code: LeadsWarning, message: string) => void;

function tell(layout: Layout, rules: Rules, warn: Warn): void {
  for (const name of ["in", "out"] as const)
    if (rules[name] !== undefined && layout[name] === undefined)
      warn("omitted", `no room for a lead ${name}`);
  if (layout.in === undefined && layout.out === undefined) return;
  if (layout.at > 0) warn("moved", `begins ${mm(layout.at)} further on, where there is room for leads`);
  if (layout.turned) warn("turned", "leads halve the angle of the waste");
  if (layout.size < 1) warn("shortened", `leads of ${layout.size} of their size`);
}

function lay(
  tape: Tape,
  cuts: Cuts,
  cut: number,
  { at, in: into, out }: Layout,
  overcut: number,
  asked: number | undefined,
): void {
  const from = cuts.first[cut]!;
  const end = cuts.first[cut + 1]!;
  const length = wayOf(cuts, cut);
  const { power: powers, z } = cuts.ops;
  let power = asked ?? 0;
  if (asked === undefined) for (let op = from + 1; op < end; op++) power = Math.max(power, powers[op]!);
  const start = jointAt(cuts, cut, at);
  const first = at === 0 ? from + 1 : moveAt(cuts, cut, at);
  // the height at which the cut begins
  const height = z === undefined || at === 0 ? z?.[from] : z[first];
  if (into === undefined) tape.lay(from, { x: start.x, y: start.y, z: height });
  else {
    tape.lay(from, { x: into.x, y: into.y, z: height });
    tape.lay(first, { ...into, x: start.x, y: start.y, power, z: height });
  }
  tape.part(cut, at, length);
  tape.part(cut, 0, at);
  tape.part(cut, at, Math.min(at + overcut, length));
  tape.part(cut, 0, at + overcut - length);
  if (out !== undefined) {
    const last = at + overcut === 0 ? end - 1 : moveAt(cuts, cut, (at + overcut) % length || length);
    tape.lay(last, { ...out, power });
  }
}
