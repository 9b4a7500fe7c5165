import { checkNumber, checkOneOf, checkOptions } from "../errors.ts";
import { engineFunction } from "../tasker/target.ts";
import { type Engine, Stages, withEngine } from "./memory.ts";
import { checkPaths, FILL_RULES, type FillRule, type Paths } from "./paths.ts";
import {
  arrange,
  pullRings,
  pushRings,
  REACH,
  type Rings,
  RULES,
  type Snapped,
  STEPS,
  snap,
  toPaths,
} from "./rings.ts";

export interface CornerOptions {
  /** What becomes of corners that open (default "round"). */
  readonly join?: "round" | "miter" | "square";
  /** How far a miter may reach, in distances, 1..100 (default 2); beyond it the corner is squared. */
  readonly miterLimit?: number;
  /** How far lines may leave the arcs that they stand for, mm, > 0 (default 0.01). */
  readonly tolerance?: number;
  /** What closed paths enclose: places around which they wind an odd number of times, or any number but none (default "evenodd"). */
  readonly fillRule?: FillRule;
}

export interface OffsetOptions extends CornerOptions {
  /** By how much the ink grows, mm; negative: by how much it shrinks. */
  readonly distance: number;
  /** What becomes of the ends of open paths (default "round"). */
  readonly cap?: "round" | "butt" | "square";
}

/** Moved outlines, and what is no more. */
export interface Offset {
  readonly paths: Paths;
  /** Numbers of the given paths that no line of the result comes from, growing. */
  readonly vanished: Uint32Array;
}

export interface OffsetRingsOptions extends CornerOptions {
  /** Distance from ring to ring, and from the outline to the first, mm, > 0. */
  readonly step: number;
  /** Most rings, >= 1 (default: until nothing is left). */
  readonly count?: number;
}

/** Rings that fill a region from the outside in. */
export interface OffsetRings {
  readonly paths: Paths;
  /** For each path of the result, how many steps it is from the outline: 1 for the outermost. */
  readonly ring: Uint32Array;
  /** Numbers of the given paths that are too narrow for a single ring, growing. */
  readonly vanished: Uint32Array;
}

const JOINS = ["round", "miter", "square"] as const;
const CAPS = ["round", "butt", "square"] as const;
const JOIN_NAMES = ["join", "miterLimit", "tolerance", "fillRule"];
/** Ink where the winding is positive, and holes therein. */
const INK = { table: 0b0010 };
/** What is thinner than this is rounding, steps. */
const SPECK = 2;

/**
 * Moves the outlines of ink: for the width of the cut (kerf), by half of it. Positive distances make the ink grow, so that
 * outer outlines go outwards and holes get smaller; negative ones make it shrink. What is ink, the fill rule says: with
 * "evenodd", outlines at even nesting depth are outer ones and those at odd depth are holes, whichever way they run.
 * Crossing outlines are made one region first. Open paths become the outline of a stroke, twice the distance wide, as a part
 * of the ink; with a distance <= 0 they vanish.
 *
 * The result crosses nothing: closed paths, outer ones clockwise on the screen, holes counter-clockwise. It is exact but
 * for rounding to a grid of 0.1 um and for arcs, whose lines lie within the tolerance.
 *
 * `vanished` lists the paths that no line of the result comes from: narrower than the distance allows, holes that closed,
 * paths without area, paths covered by others. Say so to the user: such parts are missing from the job.
 *
 * @param paths                mm; with the offset within 53,687 mm of the origin; read and not kept
 * @param options.distance     mm
 * @param options.join         "round" (default), "miter" or "square"
 * @param options.miterLimit   1..100 (default 2)
 * @param options.cap          "round" (default), "butt" or "square"
 * @param options.tolerance    mm, > 0 (default 0.01)
 * @param options.fillRule     "evenodd" (default) or "nonzero"
 * @throws INVALID_ARGUMENT   paths that are not shaped as `Paths`, not finite or too far out, an option out of its contract
 * @throws CANCELED, OUT_OF_MEMORY
 * Cost: 0.3 to 1 us a point, more where the distance is many times the length of the lines; parts whose boxes lie apart do
 * not cost each other anything.
 * @example offset(outlines, { distance: 0.08 }).vanished
 */
export const offset = engineFunction("offset", (paths: Paths, options: OffsetOptions): Offset => {
  checkPaths(paths);
  checkOptions(options, ["distance", "cap", ...JOIN_NAMES]);
  const distance = checkNumber("distance", options.distance, { min: -REACH, max: REACH });
  const cap = CAPS.indexOf(checkOneOf("cap", options.cap ?? "round", CAPS));
  const joins = joinsOf(options);
  const [rings, strokes] = snap(paths, marginOf(distance, joins), (path) => path);
  return withEngine((engine) => {
    const stages = new Stages();
    const seen = engine.push(new Uint8Array(paths.ends.length));
    const ink = pullRings(
      engine,
      arrange(engine, stages, 0.3, pushRings(engine, [rings]), { ...INK, rule: joins.rule }),
    );
    const given = pushRings(engine, distance > 0 ? [ink, strokes] : [ink]);
    const moved = shift(engine, stages, 0.2, given, { ...joins, distance, cap, radius: Math.abs(distance) });
    const rules = { ...INK, rule: RULES.positive, least: SPECK, seen };
    const result = toPaths([pullRings(engine, arrange(engine, stages, 0.5, moved, rules))]);
    return { paths: result, vanished: unseen(engine.u8(seen, paths.ends.length)) };
  });
});

/**
 * Fills a region with its outline, moved inwards step by step until nothing is left, or `count` times: the rings of an
 * offset fill, outermost first. Each ring comes from the one before, with the arcs that its whole distance asks for, so
 * that the number of points does not grow from ring to ring. Open paths enclose nothing.
 *
 * @param paths                closed paths, mm, within 53,687 mm of the origin; read and not kept
 * @param options.step         mm, > 0
 * @param options.count        >= 1 (default: until nothing is left)
 * @param options.join, options.miterLimit, options.tolerance, options.fillRule   as for `offset`
 * @throws INVALID_ARGUMENT   paths that are not shaped as `Paths`, not finite or too far out, an option out of its contract
 * @throws CANCELED, OUT_OF_MEMORY
 * Cost: as `offset`, for each ring and its own points.
 * @example offsetRings(letters, { step: 0.1 }).paths
 */
export const offsetRings = engineFunction(
  "offsetRings",
  (paths: Paths, options: OffsetRingsOptions): OffsetRings => {
    checkPaths(paths);
    checkOptions(options, ["step", "count", ...JOIN_NAMES]);
    const step = checkNumber("step", options.step, { min: 10 / STEPS, max: REACH });
    const count =
      options.count === undefined ? Infinity : checkNumber("count", options.count, { min: 1, integer: true });
    const joins = joinsOf(options);
    const [rings] = snap(paths, 0, (path) => path);
    return withEngine((engine) => {
      const stages = new Stages();
      const seen = engine.push(new Uint8Array(paths.ends.length));
      const mark = engine.mark();
      let ink = pullRings(
        engine,
        arrange(engine, stages, 0.1, pushRings(engine, [rings]), { ...INK, rule: joins.rule }),
      );
      const found: Snapped[] = [];
      let left = 0.9;
      for (let k = 1; k <= count && ink.ends.length > 0; k++) {
        engine.release(mark);
        // nobody knows how many rings there will be: each takes a part of what is left
        const share = left / 8;
        left -= share;
        const given = pushRings(engine, [ink]);
        const moved = shift(engine, stages, share / 3, given, {
          ...joins,
          distance: -step,
          cap: 0,
          radius: k * step,
        });
        const rules = { ...INK, rule: RULES.positive, least: SPECK };
        ink = pullRings(
          engine,
          arrange(engine, stages, share / 2, moved, k === 1 ? { ...rules, seen } : rules),
        );
        if (ink.ends.length > 0) found.push(ink);
      }
      const ring = found.flatMap(({ ends }, k) => Array.from(ends, () => k + 1));
      const vanished = unseen(engine.u8(seen, paths.ends.length));
      return { paths: toPaths(found), ring: Uint32Array.from(ring), vanished };
    });
  },
);

/** Options of joins, checked and complete. */
interface Joins {
  readonly join: number;
  readonly miterLimit: number;
  readonly tolerance: number;
  readonly rule: number;
}

function joinsOf(options: CornerOptions): Joins {
  return {
    join: JOINS.indexOf(checkOneOf("join", options.join ?? "round", JOINS)),
    miterLimit: checkNumber("miterLimit", options.miterLimit ?? 2, { min: 1, max: 100 }),
    tolerance: checkNumber("tolerance", options.tolerance ?? 0.01, { above: 0 }),
    rule: RULES[checkOneOf("fillRule", options.fillRule ?? "evenodd", FILL_RULES)],
  };
}

/** How far beyond the paths the moved ones may reach: miters, and squared corners and caps. */
function marginOf(distance: number, { join, miterLimit }: Joins): number {
  return Math.abs(distance) * Math.max(Math.SQRT2, join === 1 ? miterLimit : 0);
}

interface ShiftRules extends Joins {
  /** mm, as is `radius`, of which arcs have the steps. */
  readonly distance: number;
  readonly cap: number;
  readonly radius: number;
}

/** Moves rings sideways; what comes out may cross itself. */
function shift(engine: Engine, stages: Stages, share: number, rings: Rings, rules: ShiftRules): Rings {
  const { kernels } = engine;
  const { distance, join, miterLimit, cap, tolerance, radius } = rules;
  let longest = 0;
  let from = 0;
  for (const end of engine.u32(rings.ends, rings.count)) {
    longest = Math.max(longest, end - from);
    from = end;
  }
  const ends = engine.alloc(4 * rings.count);
  const scratch = engine.alloc(kernels.shiftBytes(longest));
  const mark = engine.mark();
  for (let outRoom = 3 * rings.nodes + 1000, left = share; ; outRoom *= 2, left *= 0.25) {
    engine.release(mark);
    const xy = engine.alloc(8 * outRoom);
    const tags = engine.alloc(4 * outRoom);
    const count = stages.offer(left * 0.75, rings.nodes, () =>
      kernels.shiftRings(
        rings.xy,
        rings.tags,
        rings.ends,
        rings.count,
        distance * STEPS,
        join,
        miterLimit,
        cap,
        tolerance * STEPS,
        radius * STEPS,
        scratch,
        xy,
        tags,
        ends,
        outRoom,
      ),
    );
    if (count !== undefined)
      return { xy, tags, ends, count, nodes: count === 0 ? 0 : engine.u32(ends, count).at(-1)! };
    // what was done counts, so that progress does not fall back
    stages.run(left * 0.75, 1, () => 0);
  }
}

/** Where no byte is set. */
function unseen(seen: Uint8Array): Uint32Array {
  const found: number[] = [];
  for (const [i, byte] of seen.entries()) if (byte === 0) found.push(i);
  return Uint32Array.from(found);
}
