import { invalid, KerfworkError } from "../errors.ts";

/** Polylines in mm: path `i` holds the points `ends[i-1]..ends[i]` of `xy`; closed when its last point equals its first. */
export interface Paths {
  readonly ends: Uint32Array;
  readonly xy: Float32Array;
}

/** What `measure` finds. */
export interface PathsMeasure {
  readonly paths: number;
  readonly points: number;
  /** Length of all paths, without the ways between them, mm. */
  readonly length: number;
  /** Box of all points, mm; all 0 when there are none. */
  readonly bounds: {
    readonly minX: number;
    readonly minY: number;
    readonly maxX: number;
    readonly maxY: number;
  };
}

/**
 * Counts paths and points, sums up their length and finds their box. Checks every point on the way.
 *
 * @throws INVALID_ARGUMENT   `paths` is not shaped as `Paths`, or a point is not finite
 * Cost: one pass, about 3 ns a point.
 * @example measure(paths).length
 */
export function measure(paths: Paths): PathsMeasure {
  checkShape(paths);
  const { ends, xy } = paths;
  let minX = Infinity;
  let minY = Infinity;
  let maxX = -Infinity;
  let maxY = -Infinity;
  let length = 0;
  let point = 0;
  for (let path = 0; path < ends.length; path++) {
    const first = point;
    for (; point < ends[path]!; point++) {
      const x = xy[2 * point]!;
      const y = xy[2 * point + 1]!;
      if (!Number.isFinite(x) || !Number.isFinite(y))
        throw new KerfworkError(
          "INVALID_ARGUMENT",
          `Expected path ${path}, point ${point - first} to be finite, got (${x}, ${y})`,
          { data: { path, point: point - first } },
        );
      minX = Math.min(minX, x);
      minY = Math.min(minY, y);
      maxX = Math.max(maxX, x);
      maxY = Math.max(maxY, y);
      if (point > first) length += distance(xy[2 * point - 2]!, xy[2 * point - 1]!, x, y);
    }
  }
  const bounds = point === 0 ? { minX: 0, minY: 0, maxX: 0, maxY: 0 } : { minX, minY, maxX, maxY };
  return { paths: ends.length, points: point, length, bounds };
}

/** Checks that the arrays fit each other; says nothing about the numbers in `xy`. */
function checkShape(paths: Paths): void {
  if (typeof paths !== "object" || paths === null) throw invalid("paths", "a Paths object", paths);
  const { ends, xy } = paths;
  if (!(ends instanceof Uint32Array)) throw invalid("paths.ends", "a Uint32Array", ends);
  if (!(xy instanceof Float32Array)) throw invalid("paths.xy", "a Float32Array", xy);
  for (let path = 1; path < ends.length; path++)
    if (ends[path]! < ends[path - 1]!)
      throw invalid(`paths.ends[${path}]`, `>= ${ends[path - 1]}, the end before it`, ends[path]);
  const points = ends.at(-1) ?? 0;
  if (xy.length !== 2 * points)
    throw invalid("paths.xy", `2 numbers for each of ${points} points`, `${xy.length} numbers`);
}

/** Length of a straight way; `Math.hypot` is ten times slower. */
export function distance(x0: number, y0: number, x1: number, y1: number): number {
  return Math.sqrt((x1 - x0) ** 2 + (y1 - y0) ** 2);
}
