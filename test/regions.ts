// Regions of closed paths: seeded ones, and slow, obvious ways to measure and check them.
import type { Paths } from "kerfwork";

export type Place = readonly [x: number, y: number];

/** Steps of the grid that results lie on, to a millimetre. */
const STEPS = 10_000;

export function pathsOf(...lists: (readonly Place[])[]): Paths {
  let points = 0;
  const ends = Uint32Array.from(lists, (list) => (points += list.length));
  return { ends, xy: Float32Array.from(lists.flat(2)) };
}

export function placesOf({ ends, xy }: Paths): Place[][] {
  return Array.from(ends, (end, i) => {
    const from = i === 0 ? 0 : ends[i - 1]!;
    return Array.from(
      { length: end - from },
      (_, k): Place => [xy[2 * (from + k)]!, xy[2 * (from + k) + 1]!],
    );
  });
}

export const closed = (corners: readonly Place[]): Place[] => [...corners, corners[0]!];

export const box = (x: number, y: number, width: number, height = width): Place[] =>
  closed([
    [x, y],
    [x + width, y],
    [x + width, y + height],
    [x, y + height],
  ]);

/** A ring with a corner at each equal angle, up to `depth` of the radius nearer. */
export function star(
  next: () => number,
  corners: number,
  x: number,
  y: number,
  radius: number,
  depth: number,
) {
  return closed(
    Array.from({ length: corners }, (_, k): Place => {
      const angle = (2 * Math.PI * k) / corners;
      const r = radius * (1 - depth * next());
      return [Math.fround(x + r * Math.cos(angle)), Math.fround(y + r * Math.sin(angle))];
    }),
  );
}

/** Corners anywhere: crosses itself. */
export const scatter = (next: () => number, corners: number, size: number): Place[] =>
  closed(
    Array.from({ length: corners }, (): Place => [Math.fround(next() * size), Math.fround(next() * size)]),
  );

/** A walk over whole millimetres: full of collinear and coincident edges. */
export function walk(next: () => number, corners: number, size: number, most: number): Place[] {
  const list: Place[] = [];
  let [x, y] = [Math.floor(next() * size), Math.floor(next() * size)];
  const step = (v: number): number =>
    Math.max(0, Math.min(size, v + Math.floor(next() * (2 * most + 1)) - most));
  for (let k = 0; k < corners; k++) {
    list.push([x, y]);
    [x, y] = [step(x), step(y)];
  }
  return closed(list);
}

/** Sum of the signed areas of closed paths: positive for those that run clockwise on the screen. */
export function areaOf(paths: Paths): number {
  let sum = 0;
  for (const list of placesOf(paths)) {
    const [x, y] = list[0]!;
    for (let k = 1; k < list.length; k++) {
      const [a, b] = [list[k - 1]!, list[k]!];
      sum += (a[0] - x) * (b[1] - y) - (a[1] - y) * (b[0] - x);
    }
  }
  return sum / 2;
}

type Edge = readonly [x0: number, y0: number, x1: number, y1: number];

/** All edges, in steps of the grid. */
function edgesOf(paths: Paths): Edge[] {
  return placesOf(paths).flatMap((list) =>
    list.slice(1).map(([x, y], k): Edge => {
      const [x0, y0] = list[k]!;
      return [x0, y0, x, y].map((v) => Math.round(v * STEPS)) as unknown as Edge;
    }),
  );
}

const inside = (rule: "evenodd" | "nonzero", winding: number): boolean =>
  rule === "evenodd" ? winding % 2 !== 0 : winding !== 0;

/** Area where `ink` says so of being inside the one and the other: cut at each y at which edges end or cross. */
export function slabArea(
  sets: readonly [Paths, Paths],
  rule: "evenodd" | "nonzero",
  ink: (first: boolean, second: boolean) => boolean,
): number {
  const edges = sets.flatMap((paths, set) =>
    edgesOf(paths)
      .filter(([, y0, , y1]) => y0 !== y1)
      .map(([x0, y0, x1, y1]) =>
        y0 < y1 ? { x0, y0, x1, y1, way: 1, set } : { x0: x1, y0: y1, x1: x0, y1: y0, way: -1, set },
      ),
  );
  const cuts = new Set(edges.flatMap(({ y0, y1 }) => [y0, y1]));
  for (const [i, a] of edges.entries())
    for (const b of edges.slice(0, i)) {
      const [ux, uy, vx, vy] = [a.x1 - a.x0, a.y1 - a.y0, b.x1 - b.x0, b.y1 - b.y0];
      const t = ((b.x0 - a.x0) * vy - (b.y0 - a.y0) * vx) / (ux * vy - uy * vx);
      const y = a.y0 + t * uy;
      if (y > Math.max(a.y0, b.y0) && y < Math.min(a.y1, b.y1)) cuts.add(y);
    }
  const ys = [...cuts].sort((a, b) => a - b);
  let area = 0;
  for (const [k, top] of ys.slice(0, -1).entries()) {
    const bottom = ys[k + 1]!;
    const y = (top + bottom) / 2;
    const met = edges
      .filter((e) => e.y0 <= top && e.y1 >= bottom)
      .map(({ x0, y0, x1, y1, way, set }) => ({
        x: x0 + ((y - y0) / (y1 - y0)) * (x1 - x0),
        way,
        set,
      }))
      .sort((a, b) => a.x - b.x);
    const windings: [number, number] = [0, 0];
    for (const [i, { x, way, set }] of met.entries()) {
      windings[set as 0 | 1] += way;
      if (i + 1 < met.length && ink(inside(rule, windings[0]), inside(rule, windings[1])))
        area += (met[i + 1]!.x - x) * (bottom - top);
    }
  }
  return area / STEPS ** 2;
}

/** Why paths are not the simple border of a region, or undefined: all pairs of edges. */
export function flawOf(paths: Paths): string | undefined {
  for (const [path, list] of placesOf(paths).entries()) {
    if (list.length < 4) return `path ${path} has ${list.length} points`;
    if (String(list[0]) !== String(list.at(-1))) return `path ${path} is open`;
    if (new Set(list.map(String)).size !== list.length - 1) return `path ${path} passes a point twice`;
  }
  const edges = edgesOf(paths);
  const side = ([x0, y0, x1, y1]: Edge, x: number, y: number): number =>
    Math.sign((x1 - x0) * (y - y0) - (y1 - y0) * (x - x0));
  const within = ([x0, y0, x1, y1]: Edge, x: number, y: number): boolean =>
    (x - x0) * (x - x1) + (y - y0) * (y - y1) < 0;
  for (const [i, a] of edges.entries())
    for (const b of edges.slice(0, i)) {
      const [ab0, ab1] = [side(a, b[0], b[1]), side(a, b[2], b[3])];
      const [ba0, ba1] = [side(b, a[0], a[1]), side(b, a[2], a[3])];
      if (ab0 * ab1 < 0 && ba0 * ba1 < 0) return `edges ${a} and ${b} cross`;
      const touch =
        (ab0 === 0 && within(a, b[0], b[1])) ||
        (ab1 === 0 && within(a, b[2], b[3])) ||
        (ba0 === 0 && within(b, a[0], a[1])) ||
        (ba1 === 0 && within(b, a[2], a[3]));
      if (touch) return `edges ${a} and ${b} touch between their ends`;
      const same = a.every((v, k) => v === b[k]) || a.every((v, k) => v === b[(k + 2) % 4]);
      if (same) return `edge ${a} is there twice`;
    }
  return undefined;
}

/** Distance from a place to the nearest edge, mm. */
export function reachTo(paths: Paths, [x, y]: Place): number {
  let least = Infinity;
  for (const list of placesOf(paths))
    for (let k = 1; k < list.length; k++) {
      const [[x0, y0], [x1, y1]] = [list[k - 1]!, list[k]!];
      const [ux, uy] = [x1 - x0, y1 - y0];
      const size = ux * ux + uy * uy;
      const t = size === 0 ? 0 : Math.max(0, Math.min(1, ((x - x0) * ux + (y - y0) * uy) / size));
      least = Math.min(least, (x0 + t * ux - x) ** 2 + (y0 + t * uy - y) ** 2);
    }
  return Math.sqrt(least);
}

/** Whether paths wind around a place an odd number of times. */
export function isOdd(paths: Paths, [x, y]: Place): boolean {
  let odd = false;
  for (const list of placesOf(paths))
    for (let k = 1; k < list.length; k++) {
      const [[x0, y0], [x1, y1]] = [list[k - 1]!, list[k]!];
      if (y0 > y !== y1 > y && x0 + ((y - y0) / (y1 - y0)) * (x1 - x0) < x) odd = !odd;
    }
  return odd;
}

export const mapped = ({ ends, xy }: Paths, f: (place: Place) => Place): Paths => ({
  ends,
  xy: Float32Array.from(
    Array.from({ length: xy.length / 2 }, (_, k) => f([xy[2 * k]!, xy[2 * k + 1]!])).flat(),
  ),
});
