import { invalid, KerfworkError } from "../errors.ts";
import { engineFunction } from "../tasker/target.ts";
import { Stages, withEngine } from "./memory.ts";
import { type Paths, type PathsMeasure, placePaths } from "./paths.ts";

/** x' = a x + c y + e, y' = b x + d y + f: the numbers of `matrix(a, b, c, d, e, f)` in SVG and CSS. */
export type Matrix = readonly [a: number, b: number, c: number, d: number, e: number, f: number];

/**
 * Moves, turns, scales, mirrors or shears paths. Products and sums are f64, rounded once. Closed paths stay closed.
 *
 * @param paths   mm, finite; read and not kept
 * @param matrix  [a, b, c, d, e, f], finite: x' = a x + c y + e, y' = b x + d y + f
 * @throws INVALID_ARGUMENT   paths that are not shaped as `Paths` or not finite, a matrix that is not six finite numbers,
 *                            or a point that the matrix moves beyond what a Float32Array holds
 * @throws CANCELED, OUT_OF_MEMORY
 * Cost: about 2 ns a point.
 * @example transform(paths, [0, 1, -1, 0, 100, 0]) // a quarter turn clockwise on the screen, then 100 mm to the right
 */
export const transform = engineFunction("transform", (paths: Paths, matrix: Matrix): Paths => {
  if (!Array.isArray(matrix)) throw invalid("matrix", "[a, b, c, d, e, f], six finite numbers", matrix);
  if (matrix.length !== 6 || !matrix.every(Number.isFinite))
    throw invalid("matrix", "[a, b, c, d, e, f], six finite numbers", `[${matrix.join(", ")}]`);
  return withEngine((engine) => {
    const { kernels } = engine;
    const stages = new Stages();
    const { xy } = placePaths(engine, paths, stages, 0.3);
    const points = paths.xy.length / 2;
    const numbers = engine.push(Float64Array.from(matrix));
    const box = engine.alloc(16);
    stages.run(0.5, points, () => kernels.movePoints(xy, points, numbers));
    stages.run(0.2, points, () => kernels.boxOf(xy, points, box));
    const moved = engine.f32(xy, 2 * points).slice();
    if (points > 0 && !engine.f32(box, 4).every(Number.isFinite)) throw beyond(paths, moved);
    return { ends: paths.ends.slice(), xy: moved };
  });
});

/** Names the first point that is no longer finite. */
function beyond({ ends }: Paths, xy: Float32Array): KerfworkError {
  const at = xy.findIndex((value) => !Number.isFinite(value)) >> 1;
  const path = ends.findIndex((end) => end > at);
  const point = at - (ends[path - 1] ?? 0);
  return new KerfworkError(
    "INVALID_ARGUMENT",
    `Expected path ${path}, point ${point} to be finite after the transform, got (${xy[2 * at]}, ${xy[2 * at + 1]})`,
    { data: { path, point } },
  );
}

/**
 * The box of all points, mm; all 0 when there are none. `measure` finds more, and takes longer.
 *
 * @param paths   mm, finite; read and not kept
 * @throws INVALID_ARGUMENT   paths that are not shaped as `Paths`, or a point that is not finite, by path and point
 * @throws CANCELED, OUT_OF_MEMORY
 * Cost: about 0.6 ns a point.
 * @example bounds(paths).maxX
 */
export const bounds = engineFunction("bounds", (paths: Paths): PathsMeasure["bounds"] =>
  withEngine((engine) => placePaths(engine, paths, new Stages(), 1).bounds),
);

/**
 * Paths run backwards, each in its place.
 *
 * @param paths   mm, finite; read and not kept
 * @throws INVALID_ARGUMENT   paths that are not shaped as `Paths` or not finite
 * @throws CANCELED, OUT_OF_MEMORY
 * Cost: about 2 ns a point.
 * @example reverse(paths)
 */
export const reverse = engineFunction(
  "reverse",
  (paths: Paths): Paths =>
    withEngine((engine) => {
      const stages = new Stages();
      const { ends, xy } = placePaths(engine, paths, stages, 0.4);
      const count = paths.ends.length;
      const points = paths.xy.length / 2;
      stages.run(0.6, points, () => engine.kernels.reversePaths(ends, count, xy));
      return { ends: paths.ends.slice(), xy: engine.f32(xy, 2 * points).slice() };
    }),
);
