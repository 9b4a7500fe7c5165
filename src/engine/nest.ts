import { engineFunction } from "../tasker/target.ts";
import { itemsOf } from "./items.ts";
import { Stages, withEngine } from "./memory.ts";
import { type Paths, placePaths } from "./paths.ts";

/** What lies in what. */
export interface Nesting {
  /** Closed paths around each path: 0 is outermost; of outlines, odd ones are holes. 65535 stands for more too. */
  readonly depth: Uint16Array;
  /** The smallest closed path around each path, or -1. */
  readonly parent: Int32Array;
}

/**
 * Tells for each path, open or closed, how many closed paths lie around it and which is the next one out.
 *
 * A path lies in a closed path when its box does and the middle of its middle segment does by the even-odd rule: the
 * parts of a path that crosses itself are in or out by turns. Of closed paths with equal boxes only the later can lie in
 * the earlier. Paths without points lie in nothing. These are the rules of `order`.
 *
 * @param paths   mm, finite; read and not kept
 * @throws INVALID_ARGUMENT   paths that are not shaped as `Paths` or not finite
 * @throws CANCELED, OUT_OF_MEMORY
 * Cost: 0.2 to 2 us a path by how many lie beside it, 20 ns a point; slow only for thousands of paths inside one another.
 * @example nest(flatten(trace(image))).depth
 */
export const nest = engineFunction(
  "nest",
  (paths: Paths): Nesting =>
    withEngine((engine) => {
      const { kernels } = engine;
      const stages = new Stages();
      const { xy } = placePaths(engine, paths, stages, 0.05);
      const { count, path, first, closed, owner } = itemsOf(paths);
      const points = owner.length;
      const firstAt = engine.push(first);
      const closedAt = engine.push(closed);
      const ownerAt = engine.push(owner);
      const depths = engine.alloc(2 * count);
      const parents = engine.alloc(4 * count);
      const scratch = engine.alloc(kernels.nestBytes(count, points));
      stages.run(0.95, count, () =>
        kernels.nestDepths(xy, points, firstAt, closedAt, count, ownerAt, depths, parents, scratch),
      );
      // items are the paths that have points
      const depth = new Uint16Array(paths.ends.length);
      const parent = new Int32Array(paths.ends.length).fill(-1);
      const found = engine.u16(depths, count);
      const around = engine.i32(parents, count);
      for (let item = 0; item < count; item++) {
        depth[path[item]!] = found[item]!;
        if (around[item]! >= 0) parent[path[item]!] = path[around[item]!]!;
      }
      return { depth, parent };
    }),
);
