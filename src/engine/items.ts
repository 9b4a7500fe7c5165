import { invalid, KerfworkError } from "../errors.ts";
import type { Paths } from "./paths.ts";

/** The parts of `paths` that have points: a part is a path, or a unit of paths that follow one another. */
export interface Items {
  readonly count: number;
  /** Paths that have points, and which of them each item holds: those from `parts[i]` to `parts[i + 1]`. */
  readonly path: Uint32Array;
  readonly parts: Uint32Array;
  /** First point of each item, and the number of points. */
  readonly first: Uint32Array;
  readonly closed: Uint8Array;
  /** The item of each point. */
  readonly owner: Uint32Array;
}

/** Item `i` must come before `around[starts[i]..starts[i + 1]]`. */
export interface Nesting {
  readonly starts: Uint32Array;
  readonly around: Uint32Array;
}

/** An item must not come before one of a lower rank. */
export interface Ranks {
  readonly of: Uint32Array;
  /** The items by rank. */
  readonly sorted: Uint32Array;
}

/** Each path that has points as an item of its own. */
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
    parts: Uint32Array.from({ length: count + 1 }, (_, i) => i),
    first: first.subarray(0, count + 1),
    closed: closed.subarray(0, count),
    owner,
  };
}

/** Joins paths of one unit that follow one another to an item, which is open unless it is a single closed path. */
export function joinUnits(single: Items, units: Uint32Array): Items {
  const { path, first, closed, owner } = single;
  const parts: number[] = [];
  for (let i = 0; i < single.count; i++)
    if (i === 0 || units[path[i]!] !== units[path[i - 1]!]) parts.push(i);
  const count = parts.length;
  parts.push(single.count);
  const joined = new Uint32Array(owner.length);
  for (let i = 0; i < count; i++) joined.fill(i, first[parts[i]!], first[parts[i + 1]!]);
  return {
    count,
    path,
    parts: Uint32Array.from(parts),
    first: Uint32Array.from(parts, (part) => first[part]!),
    closed: Uint8Array.from({ length: count }, (_, i) =>
      parts[i + 1]! - parts[i]! === 1 ? closed[parts[i]!]! : 0,
    ),
    owner: joined,
  };
}

/**
 * Ranks that make groups run one after another, and the items of kept groups as they are given.
 *
 * @throws INVALID_ARGUMENT  a unit with paths of two groups
 */
export function ranksOf(
  { count, path, parts }: Items,
  groups: Uint32Array | undefined,
  keepOrder: boolean | readonly number[],
): Ranks | undefined {
  if (groups === undefined && keepOrder === false) return undefined;
  const group = Uint32Array.from({ length: count }, (_, i) => groups?.[path[parts[i]!]!] ?? 0);
  for (let i = 0; i < count; i++)
    for (let part = parts[i]! + 1; part < parts[i + 1]!; part++)
      if ((groups?.[path[part]!] ?? 0) !== group[i])
        throw invalid(
          `groups[${path[part]}]`,
          `${group[i]}, as of path ${path[parts[i]!]}, which is of the same unit`,
          groups?.[path[part]!],
        );
  const kept = new Set(typeof keepOrder === "boolean" ? [] : keepOrder);
  const of = new Uint32Array(count);
  const sorted = Uint32Array.from({ length: count }, (_, i) => i).sort(
    (a, b) => group[a]! - group[b]! || a - b,
  );
  for (let i = 1; i < count; i++) {
    const own = group[sorted[i]!]!;
    const same = own === group[sorted[i - 1]!] && keepOrder !== true && !kept.has(own);
    of[sorted[i]!] = of[sorted[i - 1]!]! + Number(!same);
  }
  return { of, sorted };
}

/**
 * Makes of what lies in what, path by path, which item must come before which: those of one rank, as the rest is
 * settled, and each pair once.
 *
 * @throws INVALID_ARGUMENT  units that lie inside one another
 */
export function liftNesting(
  nesting: Nesting,
  single: Items,
  items: Items,
  ranks: Ranks | undefined,
): Nesting {
  if (items === single && ranks === undefined) return nesting;
  const itemOf = (part: number): number => items.owner[single.first[part]!]!;
  const starts = new Uint32Array(items.count + 1);
  const around: number[] = [];
  const seenBy = new Int32Array(single.count).fill(-1);
  const listedBy = new Int32Array(items.count).fill(-1);
  for (let item = 0; item < items.count; item++) {
    starts[item] = around.length;
    for (let part = items.parts[item]!; part < items.parts[item + 1]!; part++) {
      const open = [part];
      while (open.length > 0) {
        const inner = open.pop()!;
        for (let i = nesting.starts[inner]!; i < nesting.starts[inner + 1]!; i++) {
          const outer = nesting.around[i]!;
          if (seenBy[outer] === part) continue;
          seenBy[outer] = part;
          const other = itemOf(outer);
          // beyond an item of another rank there may be one of the same again
          if (ranks !== undefined && ranks.of[other] !== ranks.of[item]) open.push(outer);
          else if (other !== item && listedBy[other] !== item) {
            listedBy[other] = item;
            around.push(other);
          }
        }
      }
    }
  }
  starts[items.count] = around.length;
  const lifted = { starts, around: Uint32Array.from(around) };
  if (items !== single) checkAcyclic(lifted, items);
  return lifted;
}

/** How many items must come before each. */
export function pendingOf({ starts, around }: Nesting): Uint32Array {
  const pending = new Uint32Array(starts.length - 1);
  for (const outer of around) pending[outer]!++;
  return pending;
}

function checkAcyclic(nesting: Nesting, { count, path, parts }: Items): void {
  const { starts, around } = nesting;
  const pending = pendingOf(nesting);
  const ready: number[] = [];
  for (let item = 0; item < count; item++) if (pending[item] === 0) ready.push(item);
  for (let done = 0; done < ready.length; done++)
    for (let i = starts[ready[done]!]!; i < starts[ready[done]! + 1]!; i++)
      if (--pending[around[i]!]! === 0) ready.push(around[i]!);
  if (ready.length === count) return;
  const stuck = path[parts[pending.findIndex((left) => left > 0)]!]!;
  throw new KerfworkError(
    "INVALID_ARGUMENT",
    `Expected \`units\` that do not lie inside one another, which \`insideFirst\` cannot order, got such a one at path ${stuck}`,
    { data: { path: stuck } },
  );
}
