import { KerfworkError } from "../errors.ts";
import type { Engine, Pointer, Stages } from "./memory.ts";
import { measure, type Paths } from "./paths.ts";

// Paths on the integer grid on which regions are worked out: rings in kernel memory, as `assembly/arrange.ts` wants them.

/** Steps of the grid to a millimetre. */
export const STEPS = 10_000;
/** How far from the origin a path may reach, its offset included: the kernels' sums stay exact up to 2^29 steps. */
export const REACH = Math.floor(2 ** 29 / STEPS);

/** Whether a place with winding `w` is inside: `w` is odd, not zero, positive. */
export const RULES = { evenodd: 0, nonzero: 1, positive: 2 } as const;

/** Tag of the rings of a second set. */
export const SECOND = 2 ** 31;
/** Tag of a stroke's end. */
export const CAP = 2 ** 30;

/** Rings in kernel memory: places i32 x 2, tags u32 a node; ends u32 a ring. */
export interface Rings {
  readonly xy: Pointer;
  readonly tags: Pointer;
  readonly ends: Pointer;
  readonly count: number;
  readonly nodes: number;
}

/** Rings outside of it. */
export interface Snapped {
  readonly xy: Int32Array;
  readonly tags: Uint32Array;
  readonly ends: Uint32Array;
}

export interface ArrangeRules {
  readonly rule: number;
  /** Bit (inside the first set) + 2 * (inside the second): whether there is ink. */
  readonly table: number;
  /** Rings thinner than this on average are left out, steps (default 0: none). */
  readonly least?: number;
  /** Bytes, one a tag, that are set where a border has it. */
  readonly seen?: Pointer;
}

const NOWHERE = 0 as Pointer;

/**
 * Checks paths and puts closed ones on the grid; equal neighbours become one node. The tag of each is its number plus
 * `tag`. Open ones go there and back as `strokes`, with the ends marked.
 *
 * @param margin   what the result may reach beyond the paths, mm
 * @throws INVALID_ARGUMENT   `paths` is not shaped as `Paths`, or a point is not finite or too far out
 */
export function snap(paths: Paths, margin: number, tagOf: (path: number) => number): [Snapped, Snapped] {
  const { points } = measure(paths);
  checkReach(paths, margin);
  const { ends, xy } = paths;
  const rings = new Writer(points, ends.length);
  // there and back
  const strokes = new Writer(2 * points, ends.length);
  for (let path = 0, first = 0; path < ends.length; first = ends[path++]!) {
    const last = ends[path]! - 1;
    if (last < first) continue;
    const closed = xy[2 * first] === xy[2 * last] && xy[2 * first + 1] === xy[2 * last + 1];
    const tag = tagOf(path);
    const writer = closed ? rings : strokes;
    for (let point = first; point <= last; point++) writer.add(xy[2 * point]!, xy[2 * point + 1]!, tag);
    if (closed) rings.close();
    else strokes.turnBack(tag);
  }
  return [rings.end(), strokes.end()];
}

function checkReach({ ends, xy }: Paths, margin: number): void {
  const most = REACH - margin;
  const at = xy.findIndex((value) => Math.abs(value) > most);
  if (at === -1) return;
  const path = ends.findIndex((end) => end > at >> 1);
  const point = (at >> 1) - (path === 0 ? 0 : ends[path - 1]!);
  const [x, y] = [xy[at & ~1], xy[at | 1]];
  throw new KerfworkError(
    "INVALID_ARGUMENT",
    `Expected path ${path}, point ${point} to be within ${Math.max(0, Math.floor(most))} mm of the origin, got (${x}, ${y})`,
    { data: { path, point } },
  );
}

/** Writes rings node by node. */
class Writer {
  readonly #xy: Int32Array;
  readonly #tags: Uint32Array;
  readonly #ends: Uint32Array;
  #nodes = 0;
  #first = 0;
  #rings = 0;

  constructor(nodes: number, rings: number) {
    this.#xy = new Int32Array(2 * nodes);
    this.#tags = new Uint32Array(nodes);
    this.#ends = new Uint32Array(rings);
  }

  add(xMm: number, yMm: number, tag: number): void {
    const x = Math.round(xMm * STEPS);
    const y = Math.round(yMm * STEPS);
    const at = 2 * this.#nodes;
    if (this.#nodes > this.#first && this.#xy[at - 2] === x && this.#xy[at - 1] === y) return;
    this.#xy[at] = x;
    this.#xy[at + 1] = y;
    this.#tags[this.#nodes++] = tag;
  }

  /** Ends a ring, of which the last node may be the first again. */
  close(): void {
    const xy = this.#xy;
    const last = 2 * this.#nodes - 2;
    const first = 2 * this.#first;
    if (last > first && xy[last] === xy[first] && xy[last + 1] === xy[first + 1]) this.#nodes--;
    this.#finish(3);
  }

  /** Ends a stroke: the way back over all nodes but the two ends, which are marked. */
  turnBack(tag: number): void {
    const first = this.#first;
    const last = this.#nodes - 1;
    this.#tags[first] = tag + CAP;
    this.#tags[last] = tag + CAP;
    for (let node = last - 1; node > first; node--) {
      this.#xy.copyWithin(2 * this.#nodes, 2 * node, 2 * node + 2);
      this.#tags[this.#nodes++] = tag;
    }
    this.#finish(2);
  }

  /** Rings of less nodes enclose nothing. */
  #finish(least: number): void {
    if (this.#nodes - this.#first < least) this.#nodes = this.#first;
    else this.#ends[this.#rings++] = this.#nodes;
    this.#first = this.#nodes;
  }

  end(): Snapped {
    return {
      xy: this.#xy.subarray(0, 2 * this.#nodes),
      tags: this.#tags.subarray(0, this.#nodes),
      ends: this.#ends.subarray(0, this.#rings),
    };
  }
}

export function pushRings(engine: Engine, sets: readonly Snapped[]): Rings {
  const nodes = sets.reduce((sum, { tags }) => sum + tags.length, 0);
  const count = sets.reduce((sum, { ends }) => sum + ends.length, 0);
  const rings: Rings = {
    xy: engine.alloc(8 * nodes),
    tags: engine.alloc(4 * nodes),
    ends: engine.alloc(4 * count),
    nodes,
    count,
  };
  let node = 0;
  let ring = 0;
  for (const { xy, tags, ends } of sets) {
    engine.i32(rings.xy, 2 * nodes).set(xy, 2 * node);
    engine.u32(rings.tags, nodes).set(tags, node);
    const before = node;
    engine.u32(rings.ends, count).set(before === 0 ? ends : ends.map((end) => end + before), ring);
    node += tags.length;
    ring += ends.length;
  }
  return rings;
}

/** Copies rings out of kernel memory. */
export function pullRings(engine: Engine, { xy, tags, ends, nodes, count }: Rings): Snapped {
  return {
    xy: engine.i32(xy, 2 * nodes).slice(),
    tags: engine.u32(tags, nodes).slice(),
    ends: engine.u32(ends, count).slice(),
  };
}

/** Rings as closed paths, mm. */
export function toPaths(sets: readonly Pick<Snapped, "xy" | "ends">[]): Paths {
  const count = sets.reduce((sum, { ends }) => sum + ends.length, 0);
  const nodes = sets.reduce((sum, { xy }) => sum + xy.length / 2, 0);
  const out = new Float32Array(2 * (nodes + count));
  const outEnds = new Uint32Array(count);
  let to = 0;
  let ring = 0;
  for (const { xy, ends } of sets)
    for (let i = 0, at = 0; i < ends.length; i++) {
      const first = to;
      for (const end = 2 * ends[i]!; at < end; ) out[to++] = xy[at++]! / STEPS;
      out[to++] = out[first]!;
      out[to++] = out[first + 1]!;
      outEnds[ring++] = to / 2;
    }
  return { ends: outEnds, xy: out };
}

/** The region that rings enclose, as rings that cross nothing. */
export function arrange(
  engine: Engine,
  stages: Stages,
  share: number,
  rings: Rings,
  { rule, table, least = 0, seen = NOWHERE }: ArrangeRules,
): Rings {
  const { kernels } = engine;
  const order = engine.alloc(4 * rings.count);
  const clusterEnds = engine.alloc(4 * rings.count);
  const sorting = engine.alloc(kernels.clusterBytes(rings.count));
  const clusters = stages.run(share * 0.05, rings.count, () =>
    kernels.clusterRings(rings.xy, rings.ends, rings.count, sorting, order, clusterEnds),
  );
  engine.release(sorting);
  let room = 3 * largest(engine, rings, order, clusterEnds, clusters) + 64;
  let outRoom = Math.ceil(1.25 * rings.nodes) + 64;
  const mark = engine.mark();
  for (let left = share * 0.95; ; room *= 2, outRoom *= 2) {
    const xy = engine.alloc(8 * outRoom);
    const tags = engine.alloc(4 * outRoom);
    const ends = engine.alloc(4 * Math.ceil(outRoom / 3));
    const scratch = engine.alloc(kernels.arrangeBytes(room));
    const count = stages.offer(left * 0.75, rings.nodes, () =>
      kernels.arrangeRings(
        rings.xy,
        rings.tags,
        rings.ends,
        order,
        clusterEnds,
        clusters,
        rule,
        table,
        least,
        seen,
        room,
        scratch,
        xy,
        tags,
        ends,
        outRoom,
      ),
    );
    if (count !== undefined) {
      engine.release(scratch);
      return { xy, tags, ends, count, nodes: count === 0 ? 0 : engine.u32(ends, count).at(-1)! };
    }
    engine.release(mark);
    // what was done counts, so that progress does not fall back
    stages.run(left * 0.75, 1, () => 0);
    left *= 0.25;
  }
}

/** Nodes of the largest cluster, and one more for each ring of it. */
function largest(
  engine: Engine,
  rings: Rings,
  order: Pointer,
  clusterEnds: Pointer,
  clusters: number,
): number {
  const ends = engine.u32(rings.ends, rings.count);
  const rank = engine.u32(order, rings.count);
  let most = 0;
  let at = 0;
  for (const end of engine.u32(clusterEnds, clusters)) {
    let nodes = end - at;
    for (; at < end; at++) {
      const ring = rank[at]!;
      nodes += ends[ring]! - (ring === 0 ? 0 : ends[ring - 1]!);
    }
    most = Math.max(most, nodes);
  }
  return most;
}
