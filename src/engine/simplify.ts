import { checkNumber, checkOptions } from "../errors.ts";
import { engineFunction } from "../tasker/target.ts";
import { Stages, withEngine } from "./memory.ts";
import { type Paths, placePaths } from "./paths.ts";

export interface SimplifyOptions {
  /** How far a dropped point may lie from the line that takes its place, mm, >= 0 (default 0.02). */
  readonly tolerance?: number;
}

/**
 * Drops points that lines can do without: every dropped point lies within the tolerance of the line between the kept
 * points around it. No point moves, ends of open paths stay, and there are as many paths as before. At tolerance 0 only
 * points that repeat the one before or lie exactly on a line go. Lines may come to cross where paths run closer to each
 * other than the tolerance.
 *
 * Closed paths stay closed and keep three points that are not on one line where they have them, so that none vanishes,
 * however small. What they keep does not depend on where they start.
 *
 * @param paths              mm, finite; read and not kept
 * @param options.tolerance  mm, >= 0 (default 0.02)
 * @throws INVALID_ARGUMENT   paths that are not shaped as `Paths` or not finite, an option out of its contract
 * @throws CANCELED, OUT_OF_MEMORY
 * Cost: 10 to 40 ns a point, on paths that zigzag O(n log n); memory 8 bytes a point and 9 for each of the longest path.
 * @example simplify(flatten(trace(image)), { tolerance: 0.05 })
 */
export const simplify = engineFunction("simplify", (paths: Paths, options: SimplifyOptions = {}): Paths => {
  checkOptions(options, ["tolerance"]);
  const tolerance = checkNumber("tolerance", options.tolerance ?? 0.02, { min: 0 });
  return withEngine((engine) => {
    const { kernels } = engine;
    const stages = new Stages();
    const { ends, xy } = placePaths(engine, paths, stages, 0.05);
    const count = paths.ends.length;
    const scratch = engine.alloc(kernels.thinBytes(longestOf(paths)));
    const kept = stages.run(0.95, paths.xy.length / 2, () =>
      kernels.thinPaths(ends, count, xy, tolerance, 1, scratch),
    );
    return { ends: engine.u32(ends, count).slice(), xy: engine.f32(xy, 2 * kept).slice() };
  });
});

/** Points of the longest path. */
export function longestOf({ ends }: Paths): number {
  let longest = 0;
  for (let path = 0, from = 0; path < ends.length; from = ends[path++]!)
    longest = Math.max(longest, ends[path]! - from);
  return longest;
}
