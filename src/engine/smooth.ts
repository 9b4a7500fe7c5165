import { checkNumber, checkOptions } from "../errors.ts";
import { engineFunction } from "../tasker/target.ts";
import { Stages, withEngine } from "./memory.ts";
import { type Paths, placePaths } from "./paths.ts";
import { longestOf } from "./simplify.ts";

export interface SmoothOptions {
  /** Size of the details that go, mm, > 0 (default 0.5): twice the standard deviation of the Gaussian. */
  readonly radius?: number;
  /** Where a path turns by more than this within a radius is a corner, degrees, 0..180 (default 45); at 180 there is none. */
  readonly cornerAngleDeg?: number;
}

/**
 * Smooths paths between their corners, as a Gaussian along their length does, without the shrinking: what it took is
 * smoothed and given back. Points move, none is added or dropped, so paths of lines longer than the radius hardly change.
 * Ends of open paths and corners stay exactly where they are; closed paths stay closed.
 *
 * Turns are measured from a radius before a point to a radius behind it, so that noise makes no corners; of several
 * places within a radius the sharpest is the corner. A circle of radius R, from one and a half times `radius` on, loses
 * at most the part (radius / R) ** 4 / 64 of it: 0.1 % at twice the radius.
 *
 * @param paths                   mm, finite; read and not kept
 * @param options.radius          mm, > 0 (default 0.5)
 * @param options.cornerAngleDeg  0..180 (default 45)
 * @throws INVALID_ARGUMENT   paths that are not shaped as `Paths` or not finite, an option out of its contract
 * @throws CANCELED, OUT_OF_MEMORY
 * Cost: about 0.1 us a point, whatever the radius; memory 8 bytes a point, and 81 for each of the longest path.
 * @example smooth(paths, { radius: 1 })
 */
export const smooth = engineFunction("smooth", (paths: Paths, options: SmoothOptions = {}): Paths => {
  checkOptions(options, ["radius", "cornerAngleDeg"]);
  const radius = checkNumber("radius", options.radius ?? 0.5, { above: 0 });
  const angle = checkNumber("cornerAngleDeg", options.cornerAngleDeg ?? 45, { min: 0, max: 180 });
  const corner = angle === 180 ? -2 : Math.cos((angle * Math.PI) / 180);
  return withEngine((engine) => {
    const { kernels } = engine;
    const stages = new Stages();
    const { ends, xy } = placePaths(engine, paths, stages, 0.02);
    const count = paths.ends.length;
    const points = paths.xy.length / 2;
    const longest = longestOf(paths);
    const scratch = engine.alloc(kernels.relaxBytes(longest));
    stages.run(0.98, points, () => kernels.relaxPaths(ends, count, xy, longest, radius, corner, scratch));
    return { ends: paths.ends.slice(), xy: engine.f32(xy, 2 * points).slice() };
  });
});
