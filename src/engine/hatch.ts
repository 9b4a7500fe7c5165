import { checkFlag, checkNumber, checkOneOf, checkOptions, KerfworkError } from "../errors.ts";
import { engineFunction } from "../tasker/target.ts";
import { type Engine, type Pointer, Stages, withEngine } from "./memory.ts";
import { checkFinite, checkPaths, FILL_RULES, type FillRule, type Paths } from "./paths.ts";

/** What counts as inside where closed paths overlap: what an odd number of them enclose, or what they go around at all. */

export interface HatchOptions {
  /** Distance between neighbouring rows, mm, > 0. */
  readonly spacing: number;
  /** Direction of the lines, degrees, counter-clockwise on the screen from the x axis on (default 0). */
  readonly angleDeg?: number;
  /** Fills a second time, with lines across the first ones (default false). */
  readonly crossHatch?: boolean;
  /** What is inside where paths overlap or cross themselves (default "evenodd"). */
  readonly fillRule?: FillRule;
  /** Back and forth, or every row the same way (default "zigzag"). */
  readonly direction?: "zigzag" | "oneWay";
  /** Room between lines and every side of the region, mm, >= 0 (default 0). */
  readonly inset?: number;
  /** Where the rows lie, as a part of the spacing, 0..1 (default 0.5): rows run at `(k + phase) * spacing` from the origin. */
  readonly phase?: number;
}

const NAMES = ["spacing", "angleDeg", "crossHatch", "fillRule", "direction", "inset", "phase"];
/** Most rows and most lines of one direction; lines beyond it would not fit the kernels' memory. */
const MOST = 2 ** 24;
/** Rows farther from the origin than this would not be told apart for sure. */
const FARTHEST = 2 ** 40;
/** As the kernels lay them out. */
const HATCH_BYTES = 64;
const SIDE_BYTES = 40;
const MARGIN_BYTES = 48;
const ENTRY_BYTES = 16;
const LINE_BYTES = 16;

/** The options, checked, for one direction. */
interface Plan {
  readonly angleDeg: number;
  readonly spacing: number;
  readonly phase: number;
  readonly inset: number;
  readonly parity: boolean;
  readonly zigzag: boolean;
}

/**
 * Fills a region with parallel lines, for engraving and shading. Closed paths bound the region together, so that holes stay
 * free; open paths bound nothing and are left out. Each line is an open path of two points.
 *
 * Rows come one after the other from below the lines' direction upwards on the screen, the lines of a row in the way it is
 * burnt; rows of odd number run backwards in a zigzag. Rows are numbered from the origin, whatever is filled: the lines of
 * shapes filled apart fall in with each other, in place and in way. A row that runs along sides or through corners counts
 * them as if it lay just above them. Lines end on the sides to the precision of f32; no line is too short to be kept down to
 * a nanometre, below which gaps close as well.
 *
 * With an inset, no point of a line is closer than that to any side, to the precision of f32. Sides inside the filled area
 * count too, as where paths overlap under "nonzero": unite such paths first.
 *
 * @param paths               mm; read and not kept
 * @param options.spacing     mm, > 0
 * @param options.angleDeg    degrees, counter-clockwise on the screen (default 0: level rows)
 * @param options.crossHatch  also with `angleDeg + 90`, after the others (default false)
 * @param options.fillRule    "evenodd" (default) or "nonzero"
 * @param options.direction   "zigzag" (bidirectional, default) or "oneWay" (unidirectional)
 * @param options.inset       mm, >= 0 (default 0)
 * @param options.phase       part of the spacing, 0..1 (default 0.5)
 * @throws INVALID_ARGUMENT   `paths` is not shaped as `Paths`, a point is not finite, an option out of range or of another
 *                            name, or a spacing so small that there would be more than 16,777,216 rows or lines
 * @throws OUT_OF_MEMORY      more than kernel memory holds
 * @throws CANCELED           the task that runs it was canceled
 * Cost: about 0.1 us a line for shapes with few sides a row.
 * @example hatch(flatten(trace(image)), { spacing: 0.1, angleDeg: 45 }).ends.length
 */
export const hatch = engineFunction("hatch", (paths: Paths, options: HatchOptions): Paths => {
  checkPaths(paths);
  checkOptions(options, NAMES);
  const spacing = checkNumber("spacing", options.spacing, { above: 0 });
  const angleDeg = checkNumber("angleDeg", options.angleDeg ?? 0);
  const crossHatch = options.crossHatch ?? false;
  checkFlag("crossHatch", crossHatch);
  const plan = {
    spacing,
    phase: checkNumber("phase", options.phase ?? 0.5, { min: 0, max: 1 }),
    inset: checkNumber("inset", options.inset ?? 0, { min: 0 }),
    parity: checkOneOf("fillRule", options.fillRule ?? "evenodd", FILL_RULES) === "evenodd",
    zigzag: checkOneOf("direction", options.direction ?? "zigzag", ["zigzag", "oneWay"]) === "zigzag",
  };
  checkFinite(paths);
  const stages = new Stages();
  const angles = crossHatch ? [angleDeg, angleDeg + 90] : [angleDeg];
  const parts = angles.map((angle) =>
    withEngine((engine) => fill(engine, paths, { ...plan, angleDeg: angle }, stages, 1 / angles.length)),
  );
  const xy = parts.length === 1 ? parts[0]! : new Float32Array(parts[0]!.length + parts[1]!.length);
  if (parts.length === 2) {
    xy.set(parts[0]!);
    xy.set(parts[1]!, parts[0]!.length);
  }
  return { ends: pairs(xy.length / 4), xy };
});

/** The ends of so many paths of two points. A function of its own: within another the loop was ten times slower. */
function pairs(count: number): Uint32Array {
  const ends = new Uint32Array(count);
  for (let i = 0; i < count; i++) ends[i] = 2 * i + 2;
  return ends;
}

function fill(engine: Engine, paths: Paths, plan: Plan, stages: Stages, share: number): Float32Array {
  const { kernels } = engine;
  const n = paths.xy.length / 2;
  const count = paths.ends.length;
  if (n === 0) return new Float32Array(0);
  const { spacing, phase, inset } = plan;
  const [ux, uy] = directionOf(plan.angleDeg);
  const [low, high] = reachOf(paths.xy, ux, uy);
  // half-open as in the kernel, which puts rows on the line itself where they belong
  const base = Math.floor(low / spacing - phase) - 1;
  const rows = Math.ceil(high / spacing - phase) + 1 - base;
  if (rows > MOST || Math.max(Math.abs(low), Math.abs(high)) / spacing > FARTHEST)
    throw tooFine(spacing, rows, "rows");

  const at = engine.alloc(HATCH_BYTES);
  engine.f64(at, 6).set([ux, uy, spacing, phase, base, inset]);
  engine.i32((at + 48) as Pointer, 3).set([rows, Number(plan.parity), Number(plan.zigzag)]);
  const xy = engine.push(paths.xy);
  const ends = engine.push(paths.ends);
  const first = engine.alloc(4 * rows);
  const sides = engine.alloc(SIDE_BYTES * n);
  const met = stages.run(share * 0.1, n, () => kernels.hatchSides(at, xy, ends, count, first, sides));
  if (met / 2 > MOST) throw tooFine(spacing, met / 2, "lines");
  let margins = 0 as Pointer;
  if (inset > 0) {
    margins = engine.alloc(4 * rows);
    const stadiums = engine.alloc(MARGIN_BYTES * n);
    stages.run(share * 0.1, n, () => kernels.hatchMargins(at, xy, ends, count, margins, stadiums));
  }
  const scratch = engine.alloc(ENTRY_BYTES * n * (inset > 0 ? 6 : 3));
  // each line lies between two sides; an inset may cut it into several
  for (let room = met / 2 + (inset > 0 ? 64 : 0); ; room *= 2) {
    const start = engine.mark();
    const out = engine.alloc(LINE_BYTES * room);
    const lines = stages.offer(share * 0.8, rows, () =>
      kernels.hatchRows(at, first, margins, n, scratch, out, room),
    );
    if (lines !== undefined) return engine.f32(out, 4 * lines).slice();
    if (room > MOST) throw tooFine(spacing, room, "lines");
    engine.release(start);
  }
}

function tooFine(spacing: number, n: number, what: string): KerfworkError {
  return new KerfworkError(
    "INVALID_ARGUMENT",
    `Expected \`spacing\` to make at most ${MOST} ${what} of the paths, got ${spacing}, which makes ${Math.ceil(n)}`,
    { data: { spacing, [what]: n, most: MOST } },
  );
}

/** The direction of lines, with y down; exact for level and upright ones. */
function directionOf(angleDeg: number): [ux: number, uy: number] {
  const turn = ((angleDeg % 360) + 360) % 360;
  if (turn % 90 === 0)
    return (
      [
        [1, 0],
        [0, -1],
        [-1, 0],
        [0, 1],
      ] as const
    )[(turn / 90) % 4] as [number, number];
  const angle = (turn * Math.PI) / 180;
  return [Math.cos(angle), -Math.sin(angle)];
}

/** The least and the greatest place of points across the lines. */
function reachOf(xy: Float32Array, ux: number, uy: number): [low: number, high: number] {
  let low = Infinity;
  let high = -Infinity;
  for (let i = 0; i < xy.length; i += 2) {
    const v = xy[i]! * uy - xy[i + 1]! * ux;
    if (v < low) low = v;
    if (v > high) high = v;
  }
  return [low, high];
}
