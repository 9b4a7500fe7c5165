import { checkOptions, describe, invalid, KerfworkError } from "../errors.ts";
import { engineFunction } from "../tasker/target.ts";
import { type Engine, type Pointer, Stages, withEngine } from "./memory.ts";
import { distance, measure, type Paths } from "./paths.ts";

export interface OrderOptions {
  /** Where the head stands before the first path, mm (default [0, 0]). */
  readonly start?: readonly [x: number, y: number];
  /** Where the head has to be after the last path, mm; by default it may finish anywhere. */
  readonly end?: readonly [x: number, y: number];
  /** Put every path before the closed paths that it lies in, so that nothing falls out before it is done (default true). */
  readonly insideFirst?: boolean;
  /** Open paths may be run backwards (default true). */
  readonly flip?: boolean;
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
}

/** Neighbours tried for each end; both ends of a closed path lie at one vertex, so there it takes more to see as far. */
const NEIGHBOURS = { open: 8, closed: 12 };
/** Rounds of improving the order and then the entries of closed paths. */
const ROUNDS = 2;

/**
 * Orders paths for little travel: which comes next, which open ones run backwards, where closed ones begin. The result
 * is never longer than the given order, unless that one breaks `insideFirst`. Equal input gives equal output.
 *
 * A path lies in a closed path when its box does and the middle of its middle segment does by the even-odd rule. Paths
 * without points come last.
 *
 * @param paths   mm, finite; read and not kept
 * @throws INVALID_ARGUMENT   paths that are not shaped as `Paths` or not finite, an option out of its contract
 * @throws CANCELED, OUT_OF_MEMORY
 * Cost: about 5 to 10 us a path; memory about 250 bytes a path and 50 a point.
 * @example order(paths, { end: [0, 0] }).travel
 */
export const order = engineFunction("order", (paths: Paths, options: OrderOptions = {}): OrderedPaths => {
  checkOptions(options, ["start", "end", "insideFirst", "flip"]);
  const start = checkPlace("start", options.start ?? [0, 0]);
  const end = options.end === undefined ? undefined : checkPlace("end", options.end);
  const insideFirst = checkFlag("insideFirst", options.insideFirst ?? true);
  const flip = checkFlag("flip", options.flip ?? true);
  measure(paths);
  const items = itemsOf(paths);
  const tour = withEngine((engine) => search(engine, paths.xy, items, { start, end, insideFirst, flip }));
  const ordered = arrange(paths, items, tour);
  return {
    ...ordered,
    travel: travelOf(ordered.paths, start, end),
    before: travelOf(paths, start, end),
  };
});

/** The paths that have points, as `assembly/order.ts` wants them. */
export interface Items {
  readonly count: number;
  /** The path of each item. */
  readonly path: Uint32Array;
  /** First point of each item, and the number of points. */
  readonly first: Uint32Array;
  readonly closed: Uint8Array;
  /** The item of each point. */
  readonly owner: Uint32Array;
}

interface Tour {
  /** The end at each place; place 0 is the head's own. */
  readonly ends: Int32Array;
  /** The vertex at which each closed item begins. */
  readonly entry: Uint32Array;
}

/** The options, checked and complete. */
interface Rules {
  readonly start: readonly [number, number];
  readonly end: readonly [number, number] | undefined;
  readonly insideFirst: boolean;
  readonly flip: boolean;
}

export function itemsOf({ ends, xy }: Paths): Items {
  const points = xy.length / 2;
  const path = new Uint32Array(ends.length);
  const first = new Uint32Array(ends.length + 1);
  const closed = new Uint8Array(ends.length);
  const owner = new Uint32Array(points);
  let count = 0;
  for (let i = 0, from = 0; i < ends.length; from = ends[i++]!) {
    const last = ends[i]! - 1;
    if (last < from) continue;
    path[count] = i;
    first[count] = from;
    closed[count] = Number(xy[2 * from] === xy[2 * last] && xy[2 * from + 1] === xy[2 * last + 1]);
    owner.fill(count, from, last + 1);
    count++;
  }
  first[count] = points;
  return {
    count,
    path: path.subarray(0, count),
    first: first.subarray(0, count + 1),
    closed: closed.subarray(0, count),
    owner,
  };
}

/** Points at which items may be entered: ends of open ones, vertices of closed ones. */
function candidatesOf({ count, first, closed, owner }: Items, flip: boolean): Uint32Array {
  const candidates = new Uint32Array(owner.length);
  let n = 0;
  for (let i = 0; i < count; i++) {
    const last = first[i + 1]! - 1;
    candidates[n++] = first[i]!;
    if (closed[i] === 1) for (let point = first[i]! + 1; point < last; point++) candidates[n++] = point;
    else if (flip) candidates[n++] = last;
  }
  return candidates.subarray(0, n);
}

/** Where the ends of items are: those of closed ones at their first vertex, those of the head's own at start and end. */
function endsOf({ count, first, closed }: Items, xy: Float32Array, { start, end }: Rules): Float32Array {
  const ends = new Float32Array(4 * (count + 1));
  for (let i = 0; i < count; i++) {
    const head = first[i]!;
    const tail = closed[i] === 1 ? head : first[i + 1]! - 1;
    ends.set([xy[2 * head]!, xy[2 * head + 1]!, xy[2 * tail]!, xy[2 * tail + 1]!], 4 * i);
  }
  ends.set([...start, ...(end ?? start)], 4 * count);
  return ends;
}

/** What lies in kernel memory during a search; see `assembly/order.ts` for each. */
interface Placed {
  readonly xy: Pointer;
  readonly first: Pointer;
  readonly closed: Pointer;
  readonly owner: Pointer;
  readonly ends: Pointer;
  readonly entry: Pointer;
  readonly tour: Pointer;
}

/** Item `i` must come before `around[starts[i]..starts[i + 1]]`. */
interface Nesting {
  readonly starts: Pointer;
  readonly around: Pointer;
  readonly count: number;
}

const NOWHERE = 0 as Pointer;

function search(engine: Engine, xy: Float32Array, items: Items, rules: Rules): Tour {
  const stages = new Stages();
  const n = items.count;
  const at: Placed = {
    xy: engine.push(xy),
    first: engine.push(items.first),
    closed: engine.push(items.closed),
    owner: engine.push(items.owner),
    ends: engine.push(endsOf(items, xy, rules)),
    entry: engine.push(items.first.subarray(0, n)),
    tour: engine.push(
      Int32Array.from({ length: n + 1 }, (_, place) => (place === 0 ? 2 * n + 1 : 2 * place - 2)),
    ),
  };
  const nesting = nest(engine, items, rules, at, stages);
  begin(engine, items, rules, at, nesting, stages);
  improve(engine, items, rules, at, nesting, stages);
  return { ends: engine.i32(at.tour, n + 1).slice(), entry: engine.u32(at.entry, n).slice() };
}

/** Finds what lies in what. Takes at most 0.2 of the progress. */
function nest(engine: Engine, items: Items, rules: Rules, at: Placed, stages: Stages): Nesting {
  const { kernels } = engine;
  const n = items.count;
  const points = items.owner.length;
  const starts = engine.push(new Uint32Array(n + 1));
  if (!rules.insideFirst || !items.closed.includes(1)) return { starts, around: NOWHERE, count: 0 };
  const mark = engine.mark();
  // only outlines that cross need more than one entry an item
  for (let room = 2 * n, share = 0.1; ; room *= 2, share /= 2) {
    engine.release(mark);
    const around = engine.alloc(4 * room);
    const scratch = engine.alloc(kernels.nestBytes(n, points));
    const count = stages.offer(share, 2 * n, () =>
      kernels.nestItems(at.xy, points, at.first, at.closed, n, at.owner, starts, around, room, scratch),
    );
    if (count !== undefined) {
      engine.release(scratch);
      return { starts, around, count };
    }
    // what was done counts, so that progress does not fall back
    stages.run(share, 1, () => 0);
  }
}

/** Makes a first tour: from path to nearest path, or the given order where that is allowed and no longer. */
function begin(
  engine: Engine,
  items: Items,
  rules: Rules,
  at: Placed,
  nesting: Nesting,
  stages: Stages,
): void {
  const { kernels } = engine;
  const n = items.count;
  const given = { tour: engine.i32(at.tour, n + 1).slice(), ends: engine.f32(at.ends, 4 * n + 4).slice() };
  const pending = new Uint32Array(n);
  for (const outer of engine.u32(nesting.around, nesting.count)) pending[outer]!++;

  const mark = engine.mark();
  const pendingAt = engine.push(pending);
  const candidates = candidatesOf(items, rules.flip);
  const candidatesAt = engine.push(candidates);
  const grid = engine.alloc(kernels.gridBytes(candidates.length, items.owner.length));
  stages.run(0.3, n, () =>
    kernels.nearestTour(
      at.xy,
      items.owner.length,
      at.first,
      at.closed,
      n,
      candidatesAt,
      candidates.length,
      at.owner,
      Number(rules.flip),
      nesting.starts,
      nesting.around,
      pendingAt,
      at.ends,
      at.entry,
      at.tour,
      grid,
    ),
  );
  engine.release(mark);

  if (!isInnerFirst(engine, nesting, n)) return;
  const found = { tour: engine.i32(at.tour, n + 1), ends: engine.f32(at.ends, 4 * n + 4) };
  if (tourLength(given, rules) > tourLength(found, rules)) return;
  found.tour.set(given.tour);
  found.ends.set(given.ends);
  engine.u32(at.entry, n).set(items.first.subarray(0, n));
}

/** Shortens the tour at `at.tour`. Takes at most 0.5 of the progress. */
function improve(
  engine: Engine,
  items: Items,
  rules: Rules,
  at: Placed,
  nesting: Nesting,
  stages: Stages,
): void {
  const { kernels } = engine;
  const n = items.count;
  const free = Number(rules.end === undefined);
  const anyClosed = items.closed.includes(1);
  const count = 2 * (n + 1) - free;
  const k = anyClosed ? NEIGHBOURS.closed : NEIGHBOURS.open;
  const near = engine.alloc(4 * count * k);
  const grid = engine.alloc(kernels.gridBytes(count, count) + 8 * (k + 1));
  const scratch = engine.alloc(kernels.improveBytes(n));
  const rounds = anyClosed ? ROUNDS : 1;
  const part = 0.5 / rounds;
  const chooseEntries = (): number =>
    stages.run(anyClosed ? part * 0.1 : 0, n, () =>
      kernels.chooseEntries(at.xy, at.first, at.closed, n, at.ends, at.entry, at.tour, free),
    );
  for (let round = 0; round < rounds; round++) {
    stages.run(part * 0.3, count, () => kernels.nearEnds(at.ends, count, k, near, grid));
    stages.run(part * 0.6, 2 * (n + 1), () =>
      kernels.improveTour(
        at.ends,
        n,
        near,
        k,
        free,
        Number(rules.flip),
        at.closed,
        nesting.count > 0 ? nesting.starts : NOWHERE,
        nesting.around,
        at.tour,
        scratch,
      ),
    );
    if (anyClosed) chooseEntries();
  }
}

function isInnerFirst(engine: Engine, { starts, around, count }: Nesting, n: number): boolean {
  const first = engine.u32(starts, n + 1);
  const outer = engine.u32(around, count);
  for (let item = 0; item < n; item++)
    for (let i = first[item]!; i < first[item + 1]!; i++) if (outer[i]! < item) return false;
  return true;
}

function tourLength({ tour, ends }: { tour: Int32Array; ends: Float32Array }, rules: Rules): number {
  let length = 0;
  const last = tour.length - 1;
  for (let place = 0; place <= last; place++) {
    if (place === last && rules.end === undefined) break;
    const from = 2 * (tour[place]! ^ 1);
    const to = 2 * tour[place === last ? 0 : place + 1]!;
    length += distance(ends[from]!, ends[from + 1]!, ends[to]!, ends[to + 1]!);
  }
  return length;
}

/** Lays the paths out in the tour's order; those without points follow. */
function arrange(paths: Paths, items: Items, tour: Tour): Omit<OrderedPaths, "travel" | "before"> {
  const total = paths.ends.length;
  const order = new Uint32Array(total);
  const reversed = new Uint8Array(total);
  const ends = new Uint32Array(total);
  const xy = new Float32Array(paths.xy.length);
  let at = 0;
  for (let place = 0; place < items.count; place++) {
    const end = tour.ends[place + 1]!;
    const item = end >> 1;
    const from = items.first[item]!;
    const to = items.first[item + 1]!;
    order[place] = items.path[item]!;
    if (items.closed[item] === 1) {
      // from the entry round to the point before it, then the entry again
      const entry = tour.entry[item]!;
      xy.set(paths.xy.subarray(2 * entry, 2 * Math.max(to - 1, entry + 1)), at);
      xy.set(paths.xy.subarray(2 * from, 2 * entry), at + 2 * Math.max(to - 1 - entry, 0));
      xy.set(paths.xy.subarray(2 * entry, 2 * entry + 2), at + 2 * (to - 1 - from));
    } else if ((end & 1) === 0) {
      xy.set(paths.xy.subarray(2 * from, 2 * to), at);
    } else {
      reversed[place] = 1;
      for (let point = to - 1, target = at; point >= from; point--) {
        xy[target++] = paths.xy[2 * point]!;
        xy[target++] = paths.xy[2 * point + 1]!;
      }
    }
    at += 2 * (to - from);
    ends[place] = at / 2;
  }
  let place = items.count;
  for (let path = 0, item = 0; path < total; path++) {
    if (item < items.count && items.path[item] === path) item++;
    else {
      order[place] = path;
      ends[place++] = at / 2;
    }
  }
  return { paths: { ends, xy }, order, reversed };
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

function checkFlag(name: string, value: unknown): boolean {
  if (typeof value !== "boolean") throw invalid(name, "true or false", value);
  return value;
}
