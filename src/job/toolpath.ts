import { checkFitArcs } from "../engine/fitarc.ts";
import {
  addLeads,
  addTabs,
  type Curves,
  concatOps,
  type DedupeOptions,
  dedupe,
  type FitArcsOptions,
  type FlattenOptions,
  fitArcs,
  flatten,
  type HatchOptions,
  hatch,
  type JoinOptions,
  join,
  type LeadsOptions,
  measure,
  type Ops,
  type OpsOptions,
  type OrderOptions,
  type OvercutOptions,
  type OverscanOptions,
  offset,
  order,
  overcut,
  overscan,
  type PassesOptions,
  type Paths,
  type PerforateOptions,
  passes,
  perforate,
  type ReworkedOps,
  type TabsOptions,
  toOps,
} from "../engine/index.ts";
import { distance, isClosed } from "../engine/paths.ts";
import { checkFlag, checkNumber } from "../errors.ts";
import type { EngineFunction } from "../tasker/target.ts";
import type { JobStages } from "./stages.ts";

/** Lines that fill, and what they burn with. */
export interface FillOptions extends HatchOptions {
  /** Power of the lines, 0..1 (default: that of cuts). */
  readonly power?: number;
  /** Speed of the lines, mm/min (default: that of cuts). */
  readonly speed?: number;
  /** Dark run-ups, so that lines are burnt at full speed; left out, there are none. */
  readonly overscan?: OverscanOptions;
}

/** Nobody knows the paths yet, so there are no numbers for each. */
export type JobOrder = Omit<OrderOptions, "groups" | "units">;

/** The way from outlines to moves: each stage's options under its name. What is left out is not done, but for cutting. */
export interface ToolpathOptions {
  /** With `arcs`, the tolerance is an eighth of theirs by default. */
  readonly flatten?: FlattenOptions;
  /** Cut along the outlines (default true, or false with `hatch`). */
  readonly cut?: boolean;
  /** Fill what is filled with lines, before anything is cut. */
  readonly hatch?: FillOptions;
  /** Width of the beam, mm, > 0: cuts run half of it beside closed outlines, so that parts keep their size. */
  readonly kerf?: number;
  /** Leaves out lines that would be burnt twice (default {} for drawings, false for pictures, which have none). */
  readonly dedupe?: DedupeOptions | false;
  /** Joins lines that meet (default {} for drawings, false for pictures). */
  readonly join?: JoinOptions | false;
  /** `start` and `end` are where the machine's 0, 0 is by default; false keeps the order given. */
  readonly order?: JobOrder | false;
  /** Fits arcs to the ordered paths, so that the program has G2 and G3 (default false: lines only). */
  readonly arcs?: FitArcsOptions | false;
  /** Of cuts; `height` is known here: the drawing's. */
  readonly ops?: Omit<OpsOptions, "height">;
  readonly tabs?: TabsOptions;
  readonly perforate?: PerforateOptions;
  readonly leads?: LeadsOptions;
  /** Beside `leads`, theirs is meant: give it there. */
  readonly overcut?: OvercutOptions;
  readonly passes?: PassesOptions;
}

/** A set of outlines: a picture's, or what a drawing has of one paint. */
export interface Region {
  readonly curves: Curves;
  readonly filled: boolean;
  readonly fillRule: "evenodd" | "nonzero";
}

/** Moves, and what they are made of. */
export interface Toolpath {
  readonly ops: Ops;
  /** Length of all cuts, of filling lines too, as they are before passes, tabs and leads, mm. */
  readonly cut: number;
  /** Length of the way between them, mm, and what it was before they were ordered. */
  readonly travel: number;
  readonly travelBefore: number;
  /** What could not be done as asked, a sentence each. */
  readonly warnings: readonly string[];
}

export const TOOLPATH_WEIGHTS = { flatten: 1, offset: 2, hatch: 1, order: 4, ops: 1 };

export const TOOLPATH_NAMES = [
  "flatten",
  "cut",
  "hatch",
  "kerf",
  "dedupe",
  "join",
  "order",
  "arcs",
  "ops",
  "tabs",
  "perforate",
  "leads",
  "overcut",
  "passes",
];

const NONE: Paths = { ends: new Uint32Array(0), xy: new Float32Array(0) };

/** Where a toolpath lies. */
export interface Page {
  /** mm; the machine's 0, 0 is its lower left corner. */
  readonly height: number;
  /** The program ends with a way back to 0, 0. */
  readonly home: boolean;
  /** It was drawn, not traced: lines may be doubled or in pieces. */
  readonly drawn: boolean;
}

/** Makes the moves that fill and cut regions: filling first, as what is cut may move. */
export async function makeToolpath(
  regions: readonly Region[],
  options: ToolpathOptions,
  page: Page,
  stages: JobStages,
): Promise<Toolpath> {
  const outlines: Paths[] = [];
  for (const { curves } of regions)
    outlines.push(await stages.run("flatten", flatten, [curves, flattenOptions(options)]));
  const way = new Way(options, page, stages);
  const layers: Ops[] = [];
  if (options.hatch !== undefined) layers.push(await fill(regions, outlines, options, page, way));
  if (options.cut ?? options.hatch === undefined) layers.push(await cut(outlines, options, page, way));
  const ops = layers.length === 1 ? layers[0]! : concatOps(layers);
  return { ops, cut: way.cut, travel: way.travel, travelBefore: way.travelBefore, warnings: way.warnings };
}

/** What the head does so far. */
class Way {
  readonly stages: JobStages;
  readonly warnings: string[] = [];
  cut = 0;
  travel = 0;
  travelBefore = 0;
  readonly #options: ToolpathOptions;
  readonly #home: readonly [number, number];
  readonly #returns: boolean;
  /** Where it stands; y is down, as in paths. */
  #head: readonly [number, number];

  constructor(options: ToolpathOptions, { height, home }: Page, stages: JobStages) {
    this.stages = stages;
    this.#options = options;
    this.#home = [0, height];
    this.#returns = home;
    this.#head = options.order === false ? this.#home : (options.order?.start ?? this.#home);
  }

  /** Orders paths to go on from where the head stands; the `last` ones lead home. */
  async order(name: string, paths: Paths, rules: JobOrder, last: boolean): Promise<Paths> {
    const given = this.#options.order || undefined;
    const end = last ? (given?.end ?? (this.#returns ? this.#home : undefined)) : undefined;
    const ends = { start: this.#head, ...(end === undefined ? {} : { end }) };
    const ordered =
      this.#options.order === false
        ? { paths, ...asGiven(paths, ends) }
        : await this.stages.run(name, order, [paths, { ...rules, ...given, ...ends }], [paths]);
    this.travel += ordered.travel;
    this.travelBefore += ordered.before;
    this.cut += measure(ordered.paths).length;
    const { xy } = ordered.paths;
    if (xy.length > 0) this.#head = [xy.at(-2)!, xy.at(-1)!];
    return ordered.paths;
  }

  /** Runs a stage that changes moves, and keeps its warnings. */
  async rework<O>(name: string, stage: Rework<O>, ops: Ops, options: O | undefined): Promise<Ops> {
    if (options === undefined) return ops;
    const made = await this.stages.run(name, stage, [ops, options], [ops]);
    for (const { message } of made.warnings) this.warnings.push(`${name}: ${message}`);
    return made.ops;
  }
}

type Rework<O> = EngineFunction<[Ops, O], ReworkedOps<string>>;

async function fill(
  regions: readonly Region[],
  outlines: readonly Paths[],
  { hatch: options = { spacing: 1 }, ops, cut: cuts = false }: ToolpathOptions,
  { height }: Page,
  way: Way,
): Promise<Ops> {
  const { power, speed, overscan: runUp, ...lines } = options;
  const filled: Paths[] = [];
  for (const [i, { fillRule, filled: isFilled }] of regions.entries())
    if (isFilled) filled.push(await way.stages.run("hatch", hatch, [outlines[i]!, { fillRule, ...lines }]));
  const rules = { insideFirst: false, flip: lines.direction !== "oneWay" };
  const ordered = await way.order("order lines", concatPaths(filled), rules, !cuts);
  const burn = {
    ...ops,
    ...(power === undefined ? {} : { power }),
    ...(speed === undefined ? {} : { speed }),
  };
  const moves = await way.stages.run("ops", toOps, [ordered, { ...burn, height }], [ordered]);
  return way.rework("overscan", overscan, moves, runUp);
}

async function cut(
  outlines: readonly Paths[],
  options: ToolpathOptions,
  { height, drawn }: Page,
  way: Way,
): Promise<Ops> {
  const { kerf, arcs = false, dedupe: once = drawn ? {} : false, join: whole = drawn ? {} : false } = options;
  let paths = concatPaths(outlines);
  if (once !== false) paths = (await way.stages.run("dedupe", dedupe, [paths, once], [paths])).paths;
  if (whole !== false) paths = (await way.stages.run("join", join, [paths, whole], [paths])).paths;
  if (kerf !== undefined) paths = await besideBeam(paths, kerf, way);
  paths = await way.order("order", paths, {}, true);
  const artwork = arcs === false ? paths : await way.stages.run("arcs", fitArcs, [paths, arcs], [paths]);
  let ops = await way.stages.run("ops", toOps, [artwork, { ...options.ops, height }], [artwork]);
  ops = await way.rework("tabs", addTabs, ops, options.tabs);
  ops = await way.rework("perforate", perforate, ops, options.perforate);
  ops = await way.rework("leads", addLeads, ops, options.leads);
  ops = await way.rework("overcut", overcut, ops, options.overcut);
  return way.rework("passes", passes, ops, options.passes);
}

/** Moves closed outlines half a beam to their waste side; open ones stay where they are. */
async function besideBeam(paths: Paths, kerf: number, way: Way): Promise<Paths> {
  const closed = pick(paths, true);
  const moved = await way.stages.run("offset", offset, [closed, { distance: kerf / 2 }], [closed]);
  if (moved.vanished.length > 0)
    way.warnings.push(`kerf: ${moved.vanished.length} outlines are smaller than the beam and are not cut`);
  return concatPaths([moved.paths, pick(paths, false)]);
}

/** The paths that are closed, or those that are not, in their order. */
function pick(paths: Paths, closed: boolean): Paths {
  const kept: Float32Array[] = [];
  for (let i = 0, from = 0; i < paths.ends.length; from = paths.ends[i++]!) {
    const to = paths.ends[i]!;
    if ((to > from && isClosed(paths, from, to)) === closed) kept.push(paths.xy.subarray(2 * from, 2 * to));
  }
  let points = 0;
  const ends = Uint32Array.from(kept, ({ length }) => (points += length / 2));
  const xy = new Float32Array(2 * points);
  for (const [i, part] of kept.entries()) xy.set(part, 2 * (ends[i]! - part.length / 2));
  return { ends, xy };
}

function concatPaths(list: readonly Paths[]): Paths {
  const ends = new Uint32Array(list.reduce((sum, { ends }) => sum + ends.length, 0));
  const xy = new Float32Array(list.reduce((sum, { xy }) => sum + xy.length, 0));
  let [path, at] = [0, 0];
  for (const part of list) {
    ends.set(part.ends, path);
    for (let i = path; i < path + part.ends.length; i++) ends[i]! += at / 2;
    xy.set(part.xy, at);
    path += part.ends.length;
    at += part.xy.length;
  }
  return { ends, xy };
}

type Spot = readonly [number, number];

/** The way between paths that stay in their order. */
function asGiven({ ends, xy }: Paths, { start, end }: { readonly start: Spot; readonly end?: Spot }) {
  let [x, y] = start;
  let travel = 0;
  for (let i = 0, from = 0; i < ends.length; from = ends[i++]!) {
    const to = ends[i]!;
    if (to === from) continue;
    travel += distance(x, y, xy[2 * from]!, xy[2 * from + 1]!);
    [x, y] = [xy[2 * to - 2]!, xy[2 * to - 1]!];
  }
  if (end !== undefined) travel += distance(x, y, ...end);
  return { travel, before: travel };
}

/** Arcs want curves cut finer than they may leave them. */
function flattenOptions({ flatten: given, arcs = false }: ToolpathOptions): FlattenOptions | undefined {
  if (arcs === false || given?.tolerance !== undefined) return given;
  return { ...given, tolerance: checkFitArcs(arcs).tolerance / 8 };
}

/**
 * Checks the options of all stages. Each owns the contract of its options, so all of them run on next to nothing.
 * @throws INVALID_ARGUMENT  the first option that breaks its stage's contract
 */
export function checkToolpath(options: ToolpathOptions): void {
  const curves = { ...NONE, kinds: new Uint8Array(0), depth: new Uint16Array(0) };
  flatten(curves, options.flatten);
  if (options.cut !== undefined) checkFlag("cut", options.cut);
  if (options.kerf !== undefined) checkNumber("kerf", options.kerf, { above: 0, max: 100 });
  if (options.dedupe !== undefined && options.dedupe !== false) dedupe(NONE, options.dedupe);
  if (options.join !== undefined && options.join !== false) join(NONE, options.join);
  if (options.order !== undefined && options.order !== false) order(NONE, options.order);
  if (options.arcs !== undefined && options.arcs !== false) checkFitArcs(options.arcs);
  const ops = toOps(NONE, { ...options.ops, height: 1 });
  if (options.hatch !== undefined) {
    const { power, speed, overscan: runUp, ...lines } = options.hatch;
    hatch(NONE, lines);
    if (power !== undefined) toOps(NONE, { power });
    if (speed !== undefined) toOps(NONE, { speed });
    if (runUp !== undefined) overscan(ops, runUp);
  }
  if (options.tabs !== undefined) addTabs(ops, options.tabs);
  if (options.perforate !== undefined) perforate(ops, options.perforate);
  if (options.leads !== undefined) addLeads(ops, options.leads);
  if (options.overcut !== undefined) overcut(ops, options.overcut);
  if (options.passes !== undefined) passes(ops, options.passes);
}
