import { checkNumber, checkOneOf, invalid, KerfworkError } from "../errors.ts";
import { engineFunction } from "../tasker/target.ts";
import { type Engine, type Pointer, Stages, withEngine } from "./memory.ts";
import type { Curves } from "./trace.ts";

/** Polylines in mm: path `i` holds the points `ends[i-1]..ends[i]` of `xy`; closed when its last point equals its first. */
export interface Paths {
  readonly ends: Uint32Array;
  readonly xy: Float32Array;
}

/** What closed paths enclose: places around which they wind an odd number of times, or any number but none. */
export const FILL_RULES = ["evenodd", "nonzero"] as const;
export type FillRule = (typeof FILL_RULES)[number];

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

export interface FlattenOptions {
  /** How far lines may leave their curve, mm, > 0 (default 0.02). */
  readonly tolerance?: number;
}

/**
 * Replaces the cubics and arcs of outlines by lines: one path for each contour, which ends
 * exactly where the contour does: closed for outlines, open for open strokes.
 * Lines stay as they are. An arc whose end is not on its circle gets there by changing its radius evenly. The curves are read and not kept; the arrays are fresh.
 *
 * @throws INVALID_ARGUMENT   `curves` is not shaped as `Curves`, a tolerance out of range, or an option of another name
 * @throws OUT_OF_MEMORY      more points than kernel memory holds
 * @throws CANCELED           the task that runs it was canceled
 * Cost: two passes, about 10 ns a point.
 * @example flatten(trace(image), { tolerance: 0.05 }).ends.length
 */
export const flatten = engineFunction("flatten", (curves: Curves, options: FlattenOptions = {}): Paths => {
  checkCurves(curves);
  if (typeof options !== "object" || options === null) throw invalid("options", "an object", options);
  for (const name of Object.keys(options)) checkOneOf("option", name, ["tolerance"]);
  const { tolerance = 0.02 } = options;
  checkNumber("tolerance", tolerance, { above: 0 });
  return withEngine((engine) => {
    const { ends, out, points } = flattenCurves(engine, curves, tolerance, new Stages(), 1);
    return {
      ends: engine.u32(ends, curves.ends.length).slice(),
      xy: engine.f32(out, 2 * points).slice(),
    };
  });
});

/** Flattens checked curves in kernel memory: `ends` u32 for each contour, `out` f32[2 * points]. */
export function flattenCurves(
  engine: Engine,
  curves: Curves,
  tolerance: number,
  stages: Stages,
  share: number,
): { ends: Pointer; out: Pointer; points: number } {
  const { kernels } = engine;
  const contours = curves.ends.length;
  const segments = curves.kinds.length;
  const from = engine.push(curves.ends);
  const kinds = engine.push(curves.kinds);
  const xy = engine.push(curves.xy);
  const ends = engine.alloc(4 * contours);
  const points = stages.run(share * 0.3, segments, () =>
    kernels.flattenCount(from, contours, kinds, xy, tolerance, ends),
  );
  const out = engine.alloc(8 * points);
  stages.run(share * 0.7, segments, () => kernels.flattenFill(from, contours, kinds, xy, tolerance, out));
  return { ends, out, points };
}

/** New points of a segment of `Curves`, by its kind. */
export const POINTS_OF_KIND = [1, 3, 2, 2] as const;

/** Checks that the arrays fit each other; says nothing about the numbers in `xy`. */
export function checkCurves(curves: Curves): void {
  if (typeof curves !== "object" || curves === null) throw invalid("curves", "a Curves object", curves);
  const { ends, kinds, xy } = curves;
  if (!(ends instanceof Uint32Array)) throw invalid("curves.ends", "a Uint32Array", ends);
  if (!(kinds instanceof Uint8Array)) throw invalid("curves.kinds", "a Uint8Array", kinds);
  if (!(xy instanceof Float32Array)) throw invalid("curves.xy", "a Float32Array", xy);
  for (let i = 1; i < ends.length; i++)
    if (ends[i]! < ends[i - 1]!)
      throw invalid(`curves.ends[${i}]`, `>= ${ends[i - 1]}, the end before it`, ends[i]);
  const segments = ends.at(-1) ?? 0;
  if (kinds.length !== segments)
    throw invalid("curves.kinds", `a kind for each of ${segments} segments`, `${kinds.length} kinds`);
  let points = ends.length;
  for (const [i, kind] of kinds.entries()) {
    if (kind > 3) throw invalid(`curves.kinds[${i}]`, "0..3", kind);
    points += POINTS_OF_KIND[kind]!;
  }
  if (xy.length !== 2 * points)
    throw invalid("curves.xy", `2 numbers for each of ${points} points`, `${xy.length} numbers`);
}

/** Checks that the arrays fit each other and that all numbers are finite. */
export function checkCurvePoints(curves: Curves): void {
  checkCurves(curves);
  const { ends, kinds, xy } = curves;
  const bad = xy.findIndex((value) => !Number.isFinite(value));
  if (bad === -1) return;
  let left = bad >> 1;
  let contour = 0;
  for (let segment = 0; ; contour++) {
    let points = 1;
    for (; segment < ends[contour]!; segment++) points += POINTS_OF_KIND[kinds[segment]!]!;
    if (left < points) break;
    left -= points;
  }
  throw notFinite("contour", contour, left, xy[bad & ~1]!, xy[bad | 1]!);
}

function notFinite(what: "path" | "contour", i: number, point: number, x: number, y: number): KerfworkError {
  return new KerfworkError(
    "INVALID_ARGUMENT",
    `Expected ${what} ${i}, point ${point} to be finite, got (${x}, ${y})`,
    { data: { [what]: i, point } },
  );
}

/**
 * Counts paths and points, sums up their length and finds their box. Checks every point on the way.
 *
 * @throws INVALID_ARGUMENT   `paths` is not shaped as `Paths`, or a point is not finite
 * Cost: one pass, about 3 ns a point.
 * @example measure(paths).length
 */
export function measure(paths: Paths): PathsMeasure {
  checkPaths(paths);
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
      if (!Number.isFinite(x) || !Number.isFinite(y)) throw notFinite("path", path, point - first, x, y);
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
export function checkPaths(paths: Paths, name = "paths"): void {
  if (typeof paths !== "object" || paths === null) throw invalid(name, "a Paths object", paths);
  const { ends, xy } = paths;
  if (!(ends instanceof Uint32Array)) throw invalid(`${name}.ends`, "a Uint32Array", ends);
  if (!(xy instanceof Float32Array)) throw invalid(`${name}.xy`, "a Float32Array", xy);
  for (let path = 1; path < ends.length; path++)
    if (ends[path]! < ends[path - 1]!)
      throw invalid(`${name}.ends[${path}]`, `>= ${ends[path - 1]}, the end before it`, ends[path]);
  const points = ends.at(-1) ?? 0;
  if (xy.length !== 2 * points)
    throw invalid(`${name}.xy`, `2 numbers for each of ${points} points`, `${xy.length} numbers`);
}

/** Checks that every point is finite, and names the first that is not. */
export function checkFinite({ ends, xy }: Paths, word = "path"): void {
  let bad = 0;
  while (bad < xy.length && Number.isFinite(xy[bad])) bad++;
  if (bad === xy.length) return;
  const at = bad >> 1;
  const path = ends.findIndex((end) => end > at);
  const point = at - (ends[path - 1] ?? 0);
  throw new KerfworkError(
    "INVALID_ARGUMENT",
    `Expected ${word} ${path}, point ${point} to be finite, got (${xy[2 * at]}, ${xy[2 * at + 1]})`,
    { data: { path, point } },
  );
}

/** Paths in kernel memory, and their box. */
export interface PlacedPaths {
  /** u32[paths] and f32[2 * points]. */
  readonly ends: Pointer;
  readonly xy: Pointer;
  /** All 0 when there are no points. */
  readonly bounds: PathsMeasure["bounds"];
}

/** Copies paths into kernel memory. Checks their shape and every point. */
export function placePaths(engine: Engine, paths: Paths, stages: Stages, share: number): PlacedPaths {
  checkPaths(paths);
  const points = paths.xy.length / 2;
  const ends = engine.push(paths.ends);
  const xy = engine.push(paths.xy);
  const box = engine.alloc(16);
  stages.run(share, points, () => engine.kernels.boxOf(xy, points, box));
  const [minX, minY, maxX, maxY] = engine.f32(box, 4) as unknown as [number, number, number, number];
  if (points === 0) return { ends, xy, bounds: { minX: 0, minY: 0, maxX: 0, maxY: 0 } };
  // the slow way knows which point it is
  if (![minX, minY, maxX, maxY].every(Number.isFinite)) measure(paths);
  return { ends, xy, bounds: { minX, minY, maxX, maxY } };
}

/** Whether a path with points ends where it begins; a single point does. */
export function isClosed({ xy }: Paths, from: number, to: number): boolean {
  return xy[2 * from] === xy[2 * to - 2] && xy[2 * from + 1] === xy[2 * to - 1];
}

/** Length of a straight way; `Math.hypot` is ten times slower. */
export function distance(x0: number, y0: number, x1: number, y1: number): number {
  return Math.sqrt((x1 - x0) ** 2 + (y1 - y0) ** 2);
}
