import { checkOneOf, checkOptions, KerfworkError } from "../errors.ts";
import { engineFunction } from "../tasker/target.ts";
import { Stages, withEngine } from "./memory.ts";
import { checkPaths, FILL_RULES, type FillRule, type Paths } from "./paths.ts";
import { arrange, pullRings, pushRings, RULES, SECOND, type Snapped, snap, toPaths } from "./rings.ts";

export type ClipOperation = "union" | "intersect" | "subtract" | "exclude";

export interface ClipOptions {
  /** What closed paths enclose: places around which they wind an odd number of times, or any number but none. */
  readonly fillRule?: FillRule;
}

/** Bit (inside the subject) + 2 * (inside the clip): whether that is inside the result. */
const TABLES: Record<ClipOperation, number> = {
  union: 0b1110,
  intersect: 0b1000,
  subtract: 0b0010,
  exclude: 0b0110,
};

/**
 * Combines the regions of two sets of closed paths: what is in one of them (`union`), in both (`intersect`), in the first
 * and not in the second (`subtract`), in just one (`exclude`). Paths may cross and touch themselves and each other.
 *
 * The result crosses nothing: closed paths, outer ones clockwise on the screen, holes counter-clockwise, none of which
 * passes a point twice. Points lie on a grid of 0.1 um, so that a crossing is up to 0.07 um off; points inside straight
 * sides are left out. Equal input gives equal output.
 *
 * @param operation          what to keep
 * @param subject, clip      closed paths, mm, within 53,687 mm of the origin; read and not kept
 * @param options.fillRule   of both sets (default "evenodd")
 * @throws INVALID_ARGUMENT   paths that are not shaped as `Paths`, not closed, not finite or too far out, an option out of
 *                            its contract
 * @throws CANCELED, OUT_OF_MEMORY
 * Cost: about 0.3 us a point, and as much for each crossing; memory about 500 bytes a point, and 250 a crossing, of the largest
 * part that hangs together by its boxes.
 * @example combine("subtract", plate, holes)
 */
export const combine = engineFunction(
  "combine",
  (operation: ClipOperation, subject: Paths, clip: Paths, options: ClipOptions = {}): Paths => {
    checkOneOf("operation", operation, ["union", "intersect", "subtract", "exclude"]);
    checkOptions(options, ["fillRule"]);
    const rule = RULES[checkOneOf("fillRule", options.fillRule ?? "evenodd", FILL_RULES)];
    return resolve(
      [closedOnly("subject", subject, 0), closedOnly("clip", clip, SECOND)],
      rule,
      TABLES[operation],
    );
  },
);

/**
 * Makes one region of closed paths that may cross, touch and cover themselves and each other, as `combine` does.
 *
 * @param paths              closed paths, mm, within 53,687 mm of the origin; read and not kept
 * @param options.fillRule   default "nonzero": what overlaps becomes one, holes have to run the other way
 * @throws, cost   as `combine`
 * @example union(letters).ends.length
 */
export const union = engineFunction("union", (paths: Paths, options: ClipOptions = {}): Paths => {
  checkOptions(options, ["fillRule"]);
  const rule = RULES[checkOneOf("fillRule", options.fillRule ?? "nonzero", FILL_RULES)];
  return resolve([closedOnly("paths", paths, 0)], rule, TABLES.union);
});

function resolve(sets: Snapped[], rule: number, table: number): Paths {
  return withEngine((engine) => {
    const rings = pushRings(engine, sets);
    return toPaths([pullRings(engine, arrange(engine, new Stages(), 1, rings, { rule, table }))]);
  });
}

function closedOnly(name: string, paths: Paths, tag: number): Snapped {
  checkPaths(paths);
  const [rings, strokes] = snap(paths, 0, () => tag);
  if (strokes.ends.length > 0) {
    const path = openPath(paths);
    throw new KerfworkError(
      "INVALID_ARGUMENT",
      `Expected \`${name}\` to be closed paths, whose last points equal their first, got an open path ${path}`,
      { data: { path } },
    );
  }
  return rings;
}

function openPath({ ends, xy }: Paths): number {
  return ends.findIndex((end, path) => {
    const first = path === 0 ? 0 : ends[path - 1]!;
    return end > first && (xy[2 * first] !== xy[2 * end - 2] || xy[2 * first + 1] !== xy[2 * end - 1]);
  });
}
