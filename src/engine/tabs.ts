import { checkNumber, checkOptions, invalid } from "../errors.ts";
import { engineFunction } from "../tasker/target.ts";
import {
  type Cuts,
  type CutWarning,
  checkChosen,
  cutsOf,
  eachCut,
  isClosed,
  mm,
  type ReworkedOps,
  SHORTEST,
  Tape,
  wayOf,
} from "./cuts.ts";
import type { Ops } from "./ops.ts";

/** The middle of a tab. */
export interface TabPlace {
  /** Number of the cut. */
  readonly cut: number;
  /** Way from the cut's start, mm, 0..the cut's length. */
  readonly at: number;
}

export interface TabsOptions {
  /** Length of a tab along the cut, mm, 0.01..1000. What holds is that less the width of the kerf. */
  readonly width: number;
  /**
   * Tabs on each cut, 1..10,000, evenly spread, the first half a distance from the start. One of `count`, `spacing`
   * and `places` has to be given.
   */
  readonly count?: number;
  /** Way from one tab to the next, mm, > 0; it is fitted to the cut, which gets one tab at least. */
  readonly spacing?: number;
  /** Where the tabs are. They may lie over the start; those that overlap become one. */
  readonly places?: readonly TabPlace[];
  /** Power of tabs, 0..1 (default 0: a gap). Moves that have less keep theirs. */
  readonly power?: number;
  /** Numbers of the cuts that get tabs (default: all closed ones); not with `places`. */
  readonly cuts?: readonly number[];
}

/**
 * `fewer`: tabs would be more than half of the cut; `none`: it is shorter than two, or they leave nothing of it;
 * `merged`: some overlapped; `open`: an open cut was asked for.
 */
export type TabsWarning = "fewer" | "none" | "merged" | "open";

const WIDTH = { min: 0.01, max: 1000 };

/**
 * Leaves bridges in closed cuts, so that parts do not fall before the job is done: there the head runs on at its speed
 * with the beam off or low. Arcs are split into arcs, a tab may lie over corners and over the start, and cuts stay
 * closed; open ones stay as they are. Evenly spread tabs are never more than half of a cut: where they would be, there
 * are fewer, and none on a cut shorter than two tabs.
 *
 * @param ops   mm; read and not kept
 * @returns     new ops, the move that each comes from, and the cuts that did not get what was asked for
 * @throws INVALID_ARGUMENT   ops that `encode` would refuse, or an option out of its contract
 * @throws CANCELED
 * Cost: about 0.1 us a move, 1 us a tab.
 * @example addTabs(toOps(paths), { count: 4, width: 0.5 }).ops
 */
export const addTabs = engineFunction(
  "addTabs",
  (ops: Ops, options: TabsOptions): ReworkedOps<TabsWarning> => {
    checkOptions(options, ["width", "count", "spacing", "places", "power", "cuts"]);
    const width = checkNumber("width", options.width, WIDTH);
    const power = checkNumber("power", options.power ?? 0, { min: 0, max: 1 });
    const cuts = cutsOf(ops);
    const wanted = checkWanted(options, cuts);
    const chosen = checkChosen(options.cuts, cuts.count);
    const warnings: CutWarning<TabsWarning>[] = [];
    const tape = new Tape(cuts, ops.kinds.length);

    eachCut(cuts.count, (cut) => {
      const from = cuts.first[cut]!;
      const length = wayOf(cuts, cut);
      const asked = wanted.places?.get(cut);
      const warn = (code: TabsWarning, message: string): void => {
        warnings.push({ code, cut, message: `Cut ${cut}: ${message}` });
      };
      let gaps: Gap[] = [];
      if (wanted.places === undefined ? chosen[cut] === 1 : asked !== undefined) {
        if (isClosed(cuts, cut)) {
          const middles = asked ?? spread(length, width, wanted, warn);
          gaps = gapsOf(middles, width, length, warn);
        } else if (asked !== undefined || options.cuts !== undefined) warn("open", "no tabs, as it is open");
      }
      if (gaps.length === 0) return tape.copy(from, cuts.first[cut + 1]!);
      tape.copy(from, from + 1);
      let at = 0;
      for (const { start, end } of gaps) {
        tape.part(cut, at, start);
        tape.part(cut, start, end, power);
        at = end;
      }
      tape.part(cut, at, length);
    });
    return { ...tape.done(), warnings };
  },
);

interface Gap {
  readonly start: number;
  readonly end: number;
}

interface Wanted {
  readonly count: number | undefined;
  readonly spacing: number | undefined;
  /** Middles by cut. */
  readonly places: Map<number, number[]> | undefined;
}

type Warn = (code: TabsWarning, message: string) => void;

function checkWanted({ count, spacing, places, cuts }: TabsOptions, all: Cuts): Wanted {
  const given = [count, spacing, places].filter((value) => value !== undefined);
  if (given.length !== 1)
    throw invalid("options", "an object with one of count, spacing and places", `${given.length} of them`);
  if (count !== undefined) checkNumber("count", count, { min: 1, max: 10_000, integer: true });
  if (spacing !== undefined) checkNumber("spacing", spacing, { above: 0 });
  if (places === undefined) return { count, spacing, places };
  if (!Array.isArray(places)) throw invalid("places", "an array of { cut, at }", places);
  if (cuts !== undefined) throw invalid("cuts", "left out when `places` are given", cuts);
  const middles = new Map<number, number[]>();
  for (const [i, place] of (places as readonly (TabPlace | null)[]).entries()) {
    const cut = checkNumber(`places[${i}].cut`, place?.cut, { min: 0, max: all.count - 1, integer: true });
    const at = checkNumber(`places[${i}].at`, place?.at, { min: 0, max: wayOf(all, cut) });
    const list = middles.get(cut);
    if (list === undefined) middles.set(cut, [at]);
    else list.push(at);
  }
  return { count, spacing, places: middles };
}

/** Middles of tabs that are spread evenly. */
function spread(length: number, width: number, { count, spacing = 1 }: Wanted, warn: Warn): number[] {
  const asked = count ?? Math.max(1, Math.round(length / spacing));
  const most = Math.floor(length / (2 * width));
  const n = Math.min(asked, most);
  if (n === 0) warn("none", `no tabs, as it is ${mm(length)} long, less than two of ${mm(width)}`);
  else if (n < asked) warn("fewer", `${n} of ${asked} tabs, as more would be over half of its ${mm(length)}`);
  return Array.from({ length: n }, (_, i) => ((i + 0.5) * length) / n);
}

/** What tabs take of a closed cut, in order and apart; those over the start in two parts. */
function gapsOf(middles: readonly number[], width: number, length: number, warn: Warn): Gap[] {
  if (middles.length > 0 && width > length - SHORTEST) {
    warn("none", `no tabs, as one of ${mm(width)} leaves nothing of its ${mm(length)}`);
    return [];
  }
  const parts: Gap[] = [];
  for (const middle of middles) {
    const [start, end] = [middle - width / 2, middle + width / 2];
    parts.push({ start: Math.max(start, 0), end: Math.min(end, length) });
    if (start < 0) parts.push({ start: start + length, end: length });
    if (end > length) parts.push({ start: 0, end: end - length });
  }
  parts.sort((a, b) => a.start - b.start);
  const gaps: Gap[] = [];
  let overlaps = false;
  for (const part of parts) {
    const last = gaps.at(-1);
    if (last === undefined || part.start > last.end + SHORTEST) gaps.push(part);
    else {
      overlaps ||= part.start < last.end;
      gaps[gaps.length - 1] = { start: last.start, end: Math.max(last.end, part.end) };
    }
  }
  const taken = gaps.reduce((sum, { start, end }) => sum + end - start, 0);
  if (taken > length - SHORTEST) {
    warn("none", `no tabs, as they leave nothing of its ${mm(length)}`);
    return [];
  }
  if (overlaps) warn("merged", "tabs that overlap became one");
  return gaps;
}
