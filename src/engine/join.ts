import { checkNumber, checkOptions } from "../errors.ts";
import { engineFunction } from "../tasker/target.ts";
import { Stages, withEngine } from "./memory.ts";
import { type Paths, placePaths } from "./paths.ts";

export interface CloseOptions {
  /** How far apart the ends of a path may be, mm, >= 0 (default 0.05). */
  readonly gap?: number;
}

export interface JoinOptions {
  /** How far apart two ends may be that are joined, mm, >= 0 (default 0.05); 0 joins ends that meet. */
  readonly gap?: number;
  /** By how much the way may turn at a joint, degrees, 0..180 (default 180: any turn). */
  readonly maxAngleDeg?: number;
}

/** Paths made of others, and of which. */
export interface JoinedPaths {
  readonly paths: Paths;
  /** Path `i` is made of the given paths `origin[members[i-1]..members[i]]`, in this order. */
  readonly members: Uint32Array;
  readonly origin: Uint32Array;
  /** 1 where the given path of that entry of `origin` runs backwards. */
  readonly reversed: Uint8Array;
}

const GAP = 0.05;

/**
 * Joins open paths end to end into longer ones, and closes those whose ends then meet. Ends that lie at one place come
 * first, where several meet the pair that goes on straightest; then, of all free ends, the two that are nearest to each
 * other, and so on: each joint bridges at most the gap, and no end is used twice. No point moves: where ends are apart,
 * the line between them is added. Nothing shorter than two gaps is closed over a gap, so that specks stay lines.
 *
 * Joined paths come in the order of the first given path in each, which keeps its direction. Closed paths, paths of one
 * point and those without points stay as they are.
 *
 * @param paths                mm, finite; read and not kept
 * @param options.gap          mm, >= 0 (default 0.05)
 * @param options.maxAngleDeg  0..180 (default 180), between the last line of one path and the first of the next
 * @throws INVALID_ARGUMENT   paths that are not shaped as `Paths` or not finite, an option out of its contract
 * @throws CANCELED, OUT_OF_MEMORY
 * Cost: about 0.3 us a path and 10 ns a point; memory about 220 bytes a path and 16 a point.
 * @example join(paths, { gap: 0.1 }).paths
 */
export const join = engineFunction("join", (paths: Paths, options: JoinOptions = {}): JoinedPaths => {
  checkOptions(options, ["gap", "maxAngleDeg"]);
  const gap = checkNumber("gap", options.gap ?? GAP, { min: 0 });
  const angle = checkNumber("maxAngleDeg", options.maxAngleDeg ?? 180, { min: 0, max: 180 });
  // directions are f32: what is straight by their measure may be off by this
  const turn = angle === 180 ? -1 : Math.cos((angle * Math.PI) / 180) - 2e-7;
  return withEngine((engine) => {
    const { kernels } = engine;
    const stages = new Stages();
    const { ends, xy } = placePaths(engine, paths, stages, 0.05);
    const count = paths.ends.length;
    const points = paths.xy.length / 2;
    const outEnds = engine.alloc(4 * count);
    const out = engine.alloc(8 * (points + count));
    const members = engine.alloc(4 * count);
    const origin = engine.alloc(4 * count);
    const reversed = engine.alloc(count);
    const scratch = engine.alloc(kernels.joinBytes(count));
    stages.run(0.75, 5 * count, () => kernels.joinPaths(ends, count, xy, gap, turn, scratch));
    const chains = stages.run(0.2, count, () =>
      kernels.writeChains(ends, count, xy, scratch, outEnds, out, members, origin, reversed),
    );
    const joined = engine.u32(outEnds, chains).slice();
    return {
      paths: { ends: joined, xy: engine.f32(out, 2 * (joined.at(-1) ?? 0)).slice() },
      members: engine.u32(members, chains).slice(),
      origin: engine.u32(origin, count).slice(),
      reversed: engine.u8(reversed, count).slice(),
    };
  });
});

/**
 * Closes open paths whose ends nearly meet, by a line to their first point. Paths of less than three points and those
 * that are no longer than two gaps stay open. No point moves.
 *
 * @param paths        mm, finite; read and not kept
 * @param options.gap  mm, >= 0 (default 0.05)
 * @throws INVALID_ARGUMENT   paths that are not shaped as `Paths` or not finite, an option out of its contract
 * @throws CANCELED, OUT_OF_MEMORY
 * Cost: about 4 ns a point.
 * @example close(paths, { gap: 0.1 })
 */
export const close = engineFunction("close", (paths: Paths, options: CloseOptions = {}): Paths => {
  checkOptions(options, ["gap"]);
  const gap = checkNumber("gap", options.gap ?? GAP, { min: 0 });
  return withEngine((engine) => {
    const stages = new Stages();
    const { ends, xy } = placePaths(engine, paths, stages, 0.3);
    const count = paths.ends.length;
    const outEnds = engine.alloc(4 * count);
    const out = engine.alloc(8 * (paths.xy.length / 2 + count));
    const points = stages.run(0.7, count, () =>
      engine.kernels.closePaths(ends, count, xy, gap, outEnds, out),
    );
    return { ends: engine.u32(outEnds, count).slice(), xy: engine.f32(out, 2 * points).slice() };
  });
});
