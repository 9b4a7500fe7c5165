import { type Cuts, isClosed, sweepOf } from "./cuts.ts";
import { Stages, withEngine } from "./memory.ts";
import { distance } from "./paths.ts";

/** How far the lines may leave the arcs that they stand for, mm, and the longest turn of one. */
const TOLERANCE = 0.02;
const TURN = Math.PI / 8;

/** Closed cuts as polygons, and what lies in what. */
export interface Insides {
  /** The polygon of each cut, -1 for open ones. */
  readonly polygon: Int32Array;
  /** Polygon `i` has the points `first[i]..first[i + 1]`; its last is its first. */
  readonly first: Uint32Array;
  readonly xy: Float32Array;
  /** How many closed cuts lie around each polygon. */
  readonly depth: Uint16Array;
}

/** Finds the insides of closed cuts; of two that are the same the later one counts as lying in the earlier. */
export function insidesOf(cuts: Cuts): Insides {
  const { ops, count, first } = cuts;
  const polygon = new Int32Array(count).fill(-1);
  const starts: number[] = [];
  let xy = new Float32Array(Math.max(16, 4 * ops.kinds.length));
  let at = 0;
  const lay = (x: number, y: number): void => {
    if (at === xy.length) {
      const more = new Float32Array(2 * at);
      more.set(xy);
      xy = more;
    }
    xy[at++] = x;
    xy[at++] = y;
  };
  for (let cut = 0; cut < count; cut++) {
    if (!isClosed(cuts, cut)) continue;
    polygon[cut] = starts.length;
    starts.push(at / 2);
    for (let op = first[cut]!; op < first[cut + 1]!; op++) layMove(cuts, op, lay);
  }
  starts.push(at / 2);
  const points = Uint32Array.from(starts);
  const inside = { polygon, first: points, xy: xy.subarray(0, at) };
  return { ...inside, depth: depthsOf(points, inside.xy) };
}

/** The end of a move, and before it, of an arc, places on the way. */
function layMove({ ops }: Cuts, op: number, lay: (x: number, y: number) => void): void {
  const { kinds, xy, centers } = ops;
  const at = 2 * op;
  if (kinds[op]! > 1) {
    const [x0, y0, cx, cy] = [xy[at - 2]!, xy[at - 1]!, centers[at]!, centers[at + 1]!];
    const radius = distance(x0, y0, cx, cy);
    const sweep = sweepOf(ops, op);
    const turn = Math.min(TURN, 2 * Math.acos(Math.max(0, 1 - TOLERANCE / radius)));
    const n = Math.ceil(Math.abs(sweep) / turn);
    const start = Math.atan2(y0 - cy, x0 - cx);
    for (let i = 1; i < n; i++) {
      const angle = start + (sweep * i) / n;
      lay(cx + radius * Math.cos(angle), cy + radius * Math.sin(angle));
    }
  }
  lay(xy[at]!, xy[at + 1]!);
}

function depthsOf(first: Uint32Array, xy: Float32Array): Uint16Array {
  const n = first.length - 1;
  const depth = new Uint16Array(n);
  if (n === 0) return depth;
  const points = xy.length / 2;
  const owner = new Uint32Array(points);
  for (let i = 0; i < n; i++) owner.fill(i, first[i], first[i + 1]);
  return withEngine((engine) => {
    const { kernels } = engine;
    const xyAt = engine.push(xy);
    const firstAt = engine.push(first);
    const closedAt = engine.push(new Uint8Array(n).fill(1));
    const ownerAt = engine.push(owner);
    const startsAt = engine.alloc(4 * (n + 1));
    const mark = engine.mark();
    const stages = new Stages();
    // only outlines that cross need more than one entry each
    for (let room = 2 * n; ; room *= 2) {
      engine.release(mark);
      const around = engine.alloc(4 * room);
      const scratch = engine.alloc(kernels.nestBytes(n, points));
      const entries = stages.offer(0, 2 * n, () =>
        kernels.nestItems(xyAt, points, firstAt, closedAt, n, ownerAt, startsAt, around, room, scratch),
      );
      if (entries !== undefined)
        return countAround(engine.u32(startsAt, n + 1), engine.u32(around, entries), depth);
    }
  });
}

/**
 * The first that lies around an outline is the smallest; those around that one lie around both; the rest are listed.
 */
function countAround(starts: Uint32Array, around: Uint32Array, depth: Uint16Array): Uint16Array {
  const chain = new Int32Array(depth.length).fill(-1);
  for (let i = 0; i < depth.length; i++) {
    const open: number[] = [];
    let at = i;
    for (; chain[at] === -1 && starts[at]! < starts[at + 1]!; at = around[starts[at]!]!) open.push(at);
    let length = Math.max(0, chain[at]!);
    chain[at] = length;
    while (open.length > 0) chain[open.pop()!] = ++length;
    depth[i] = chain[i]! + Math.max(0, starts[i + 1]! - starts[i]! - 1);
  }
  return depth;
}

/** Twice the area of a polygon, counter-clockwise positive. */
export function areaOf({ first, xy }: Insides, polygon: number): number {
  const from = first[polygon]!;
  const [x0, y0] = [xy[2 * from]!, xy[2 * from + 1]!];
  let area = 0;
  for (let point = from + 1; point < first[polygon + 1]!; point++) {
    const [ax, ay] = [xy[2 * point - 2]! - x0, xy[2 * point - 1]! - y0];
    area += ax * (xy[2 * point + 1]! - y0) - ay * (xy[2 * point]! - x0);
  }
  return area;
}

/** True when a place lies in a polygon, by the even-odd rule. */
export function isInside({ first, xy }: Insides, polygon: number, x: number, y: number): boolean {
  let inside = false;
  for (let point = first[polygon]! + 1; point < first[polygon + 1]!; point++) {
    const [ax, ay] = [xy[2 * point - 2]!, xy[2 * point - 1]!];
    const [bx, by] = [xy[2 * point]!, xy[2 * point + 1]!];
    if (ay > y === by > y) continue;
    if (ax + ((y - ay) / (by - ay)) * (bx - ax) > x) inside = !inside;
  }
  return inside;
}
