import { checkNumber, checkOptions } from "../errors.ts";
import { engineFunction } from "../tasker/target.ts";
import { type Engine, Stages, withEngine } from "./memory.ts";
import { type Paths, type PlacedPaths, placePaths } from "./paths.ts";
import { longestOf } from "./simplify.ts";

export interface DedupeOptions {
  /** How far from each other lines may run that count as one, mm, > 0 (default 0.01). */
  readonly tolerance?: number;
}

/** Paths without doubled lines. */
export interface DedupedPaths {
  readonly paths: Paths;
  /** The given path that each is, or is a part of. */
  readonly origin: Uint32Array;
  /** Length that was left out, mm. */
  readonly removed: number;
}

/**
 * Leaves out lines that run along others, so that nothing is burnt twice: doubled paths, forwards or backwards, parts of
 * lines that overlap, curves that were cut into other lines, ways there and back. What comes first stays; of later
 * paths, what lies within the tolerance of what stays is left out, and the rest is kept in its order and direction, cut
 * into open paths where it has to be. Every point left out lies within the tolerance of a line that is kept, not of one
 * that is left out itself: tolerances do not add up.
 *
 * Lines lie along each other at angles up to 30 degrees. Overlaps shorter than ten tolerances stay unless they are a
 * whole path, so that crossings are not cut. Paths without doubles come out as they are, and so do paths of no length.
 *
 * @param paths              mm, finite; read and not kept
 * @param options.tolerance  mm, > 0 (default 0.01)
 * @throws INVALID_ARGUMENT   paths that are not shaped as `Paths` or not finite, an option out of its contract
 * @throws CANCELED, OUT_OF_MEMORY
 * Cost: 0.3 to 1 us a line, 10 where a thousand long lines lie side by side; memory about 300 bytes a point.
 * @example dedupe(paths).removed
 */
export const dedupe = engineFunction("dedupe", (paths: Paths, options: DedupeOptions = {}): DedupedPaths => {
  checkOptions(options, ["tolerance"]);
  const tolerance = checkNumber("tolerance", options.tolerance ?? 0.01, { above: 0 });
  return withEngine((engine) => {
    const stages = new Stages();
    const placed = placePaths(engine, paths, stages, 0.05);
    const mark = engine.mark();
    // long lines among short ones, and lines that are cut many times, need more room
    for (let room = paths.xy.length + 1024, share = 0.9; ; room *= 2, share /= 2) {
      engine.release(mark);
      const deduped = drop(engine, paths, placed, tolerance, room, stages, share);
      // what was done counts, so that progress does not fall back; what is not needed counts as done
      stages.run(share / 2, 1, () => 0);
      if (deduped !== undefined) return deduped;
    }
  });
});

function drop(
  engine: Engine,
  paths: Paths,
  { ends, xy, bounds }: PlacedPaths,
  tolerance: number,
  room: number,
  stages: Stages,
  share: number,
): DedupedPaths | undefined {
  const { kernels } = engine;
  const { minX, minY, maxX, maxY } = bounds;
  const count = paths.ends.length;
  const longest = longestOf(paths);
  const outEnds = engine.alloc(4 * room);
  const origin = engine.alloc(4 * room);
  const out = engine.alloc(8 * room);
  const removed = engine.alloc(8);
  const scratch = engine.alloc(kernels.doublesBytes(longest, room));
  const span = Math.hypot(maxX - minX, maxY - minY);
  const pieces = stages.offer(share / 2, paths.xy.length, () =>
    kernels.dropDoubles(
      ends,
      count,
      xy,
      minX,
      minY,
      span,
      tolerance,
      longest,
      outEnds,
      origin,
      out,
      removed,
      room,
      scratch,
    ),
  );
  if (pieces === undefined) return undefined;
  const kept = engine.u32(outEnds, pieces).slice();
  return {
    paths: { ends: kept, xy: engine.f32(out, 2 * (kept.at(-1) ?? 0)).slice() },
    origin: engine.u32(origin, pieces).slice(),
    removed: engine.f64(removed, 1)[0]!,
  };
}
