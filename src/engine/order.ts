import { checkFlag, checkNumber, checkOptions, describe, invalid, KerfworkError } from "../errors.ts";
import { engineFunction } from "../tasker/target.ts";
import { type Items, itemsOf, joinUnits, ranksOf } from "./items.ts";
import { withEngine } from "./memory.ts";
import { distance, measure, type Paths } from "./paths.ts";
import { Search, type Tour } from "./tour.ts";

export interface OrderOptions {
  /** Where the head stands before the first path, mm (default [0, 0]). */
  readonly start?: readonly [x: number, y: number];
  /** Where the head has to be after the last path, mm; by default it may finish anywhere. */
  readonly end?: readonly [x: number, y: number];
  /**
   * Put every path before the closed paths that it lies in, so that nothing falls out before it is done (default true).
   * Groups and orders that are kept go before it.
   */
  readonly insideFirst?: boolean;
  /** Open paths may be run backwards (default true). */
  readonly flip?: boolean;
  /**
   * A number for each path: those of the lowest number run first, and so on. The order within a group is free (default:
   * all are of group 0).
   */
  readonly groups?: Uint32Array;
  /** Groups whose paths keep the order given, by their numbers; true: all (default false). Flips and entries are free. */
  readonly keepOrder?: boolean | readonly number[];
  /**
   * A number for each path: paths of one number that follow one another run as one, in the order given or, where they
   * may be flipped, all of it backwards, such as the lines of a hatch (default: each path for itself).
   */
  readonly units?: Uint32Array;
  /** How many times to try to better the order by a random change, an integer >= 0 (default 2 for each path, from 200 to 2000). */
  readonly kicks?: number;
  /**
   * Go on with that for so long after the first order is there, ms, >= 0; `kicks` is then unlimited unless given. How far
   * it comes depends on the machine and its load: for equal results give `kicks`, such as those of an earlier result.
   */
  readonly budgetMs?: number;
}

/** Paths in a new order, and how they came about. */
export interface OrderedPaths {
  readonly paths: Paths;
  /** The old number of the path at each place. */
  readonly order: Uint32Array;
  /** 1 where the path at that place runs backwards. */
  readonly reversed: Uint8Array;
  /** Way of the head between the paths, from the start on and to the end if one is given, mm. */
  readonly travel: number;
  /** The same for the order that was given, mm. */
  readonly before: number;
  /** Share of `before` that is saved: 1 - travel / before; below 0 where the rules made the way longer. */
  readonly saving: number;
  /** Kicks that were made. */
  readonly kicks: number;
}

/** Kicks by default. */
const KICKS = { perPath: 2, least: 200, most: 2000 };

/**
 * Orders paths for little travel: which comes next, which open ones run backwards, where closed ones begin. The result
 * is never longer than the given order, unless that one breaks a rule. Equal input gives equal output, but for
 * `budgetMs`.
 *
 * A first order goes from path to nearest path and is then bettered until no small change shortens it. After that come
 * kicks: a random change somewhere, repairs around it, and back again if that is no gain. They end early when they have
 * long gained nothing. A task that runs it can be told to: `task.finish()` gives the best order so far once there is a
 * first one; `task.cancel()` gives none.
 *
 * A path lies in a closed path when its box does and the middle of its middle segment does by the even-odd rule. Paths
 * without points come last.
 *
 * @param paths   mm, finite; read and not kept
 * @throws INVALID_ARGUMENT   paths that are not shaped as `Paths` or not finite, an option out of its contract, a unit of
 *                            two groups, units that lie inside one another
 * @throws CANCELED, OUT_OF_MEMORY
 * Cost: about 5 to 10 us a path and 80 us a kick; memory about 300 bytes a path and 50 a point.
 * @example order(paths, { end: [0, 0], budgetMs: 1000 }).saving
 */
export const order = engineFunction("order", (paths: Paths, options: OrderOptions = {}): OrderedPaths => {
  checkOptions(options, NAMES);
  const start = checkPlace("start", options.start ?? [0, 0]);
  const end = options.end === undefined ? undefined : checkPlace("end", options.end);
  const insideFirst = checkFlag("insideFirst", options.insideFirst ?? true);
  const flip = checkFlag("flip", options.flip ?? true);
  const keepOrder = checkKept(options.keepOrder ?? false);
  const { budgetMs } = options;
  if (budgetMs !== undefined) checkNumber("budgetMs", budgetMs, { min: 0 });
  if (options.kicks !== undefined) checkNumber("kicks", options.kicks, { min: 0, integer: true });
  measure(paths);
  const groups = checkNumbers("groups", options.groups, paths);
  const units = checkNumbers("units", options.units, paths);

  const single = itemsOf(paths);
  const items = units === undefined ? single : joinUnits(single, units);
  const ranks = ranksOf(items, groups, keepOrder);
  const some = Math.min(Math.max(KICKS.perPath * items.count, KICKS.least), KICKS.most);
  const effort = { kicks: options.kicks ?? (budgetMs === undefined ? some : Infinity), budgetMs };
  const rules = { start, end, insideFirst, flip, ranks };
  const tour = withEngine((engine) => new Search(engine, paths.xy, single, items, rules, effort).run());
  const ordered = arrange(paths, items, tour);
  const travel = travelOf(ordered.paths, start, end);
  const before = travelOf(paths, start, end);
  return { ...ordered, travel, before, saving: before > 0 ? 1 - travel / before : 0, kicks: tour.kicks };
});

const NAMES = [
  "start",
  "end",
  "insideFirst",
  "flip",
  "groups",
  "keepOrder",
  "units",
  "kicks",
  "budgetMs",
] as const satisfies readonly (keyof OrderOptions)[];

/** Lays the paths out in the tour's order; those without points follow. */
function arrange(paths: Paths, items: Items, tour: Tour): Pick<OrderedPaths, "paths" | "order" | "reversed"> {
  const total = paths.ends.length;
  const order = new Uint32Array(total);
  const reversed = new Uint8Array(total);
  const ends = new Uint32Array(total);
  const xy = new Float32Array(paths.xy.length);
  let at = 0;
  let place = 0;
  const lay = (path: number, entry: number, backwards: boolean): void => {
    const from = pointOf(paths, path);
    const to = paths.ends[path]!;
    order[place] = path;
    if (backwards) {
      reversed[place] = 1;
      for (let point = to - 1, target = at; point >= from; point--) {
        xy[target++] = paths.xy[2 * point]!;
        xy[target++] = paths.xy[2 * point + 1]!;
      }
    } else if (entry === from) xy.set(paths.xy.subarray(2 * from, 2 * to), at);
    else {
      // closed: from the entry round to the point before it, then the entry again
      xy.set(paths.xy.subarray(2 * entry, 2 * (to - 1)), at);
      xy.set(paths.xy.subarray(2 * from, 2 * entry), at + 2 * (to - 1 - entry));
      xy.set(paths.xy.subarray(2 * entry, 2 * entry + 2), at + 2 * (to - 1 - from));
    }
    at += 2 * (to - from);
    ends[place++] = at / 2;
  };
  for (let i = 0; i < items.count; i++) {
    const end = tour.ends[i + 1]!;
    const item = end >> 1;
    const first = items.parts[item]!;
    const last = items.parts[item + 1]! - 1;
    if (items.closed[item] === 1) lay(items.path[first]!, tour.entry[item]!, false);
    else if ((end & 1) === 0)
      for (let part = first; part <= last; part++)
        lay(items.path[part]!, pointOf(paths, items.path[part]!), false);
    else for (let part = last; part >= first; part--) lay(items.path[part]!, 0, true);
  }
  for (let path = 0, part = 0; path < total; path++) {
    if (part < items.path.length && items.path[part] === path) part++;
    else lay(path, pointOf(paths, path), false);
  }
  return { paths: { ends, xy }, order, reversed };
}

/** The first point of a path. */
function pointOf({ ends }: Paths, path: number): number {
  return path === 0 ? 0 : ends[path - 1]!;
}

/** Way of the head from the start over all paths, and to the end if one is given. */
function travelOf({ ends, xy }: Paths, start: readonly number[], end: readonly number[] | undefined): number {
  let [x, y] = start as [number, number];
  let travel = 0;
  for (let path = 0, from = 0; path < ends.length; from = ends[path++]!) {
    const to = ends[path]!;
    if (to === from) continue;
    travel += distance(x, y, xy[2 * from]!, xy[2 * from + 1]!);
    x = xy[2 * to - 2]!;
    y = xy[2 * to - 1]!;
  }
  return end === undefined ? travel : travel + distance(x, y, end[0]!, end[1]!);
}

function checkPlace(name: string, value: unknown): readonly [number, number] {
  const fits =
    Array.isArray(value) &&
    value.length === 2 &&
    value.every((number) => Number.isFinite(Math.fround(number)));
  if (!fits)
    throw new KerfworkError(
      "INVALID_ARGUMENT",
      `Expected \`${name}\` to be [x, y], two finite numbers, got ${Array.isArray(value) ? `[${value.join(", ")}]` : describe(value)}`,
    );
  return [Math.fround(value[0]), Math.fround(value[1])];
}

function checkKept(value: unknown): boolean | readonly number[] {
  const fits = typeof value === "boolean" || (Array.isArray(value) && value.every(Number.isInteger));
  if (!fits) throw invalid("keepOrder", "true, false or the numbers of groups", value);
  return value as boolean | readonly number[];
}

function checkNumbers(name: string, value: unknown, { ends }: Paths): Uint32Array | undefined {
  if (value === undefined) return undefined;
  if (!(value instanceof Uint32Array)) throw invalid(name, "a Uint32Array", value);
  if (value.length !== ends.length)
    throw invalid(name, `a number for each of ${ends.length} paths`, `${value.length} numbers`);
  return value;
}
