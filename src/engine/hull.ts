import { checkNumber, checkOptions, invalid } from "../errors.ts";
import { engineFunction } from "../tasker/target.ts";
import { boxOf } from "./box.ts";
import { Stages, withEngine } from "./memory.ts";
import { checkCurves, checkPaths, flattenCurves, type Paths } from "./paths.ts";
import type { Curves } from "./trace.ts";

export interface HullOptions {
  /** Room between artwork and outline, mm, >= 0 (default 0); the outline's corners are then round. */
  readonly margin?: number;
  /** How far lines may leave the curves and arcs that they stand for, mm, > 0 (default 0.02). */
  readonly tolerance?: number;
}

export interface FrameOptions extends HullOptions {
  /** Radius of the corners, mm, >= 0 (default 0: square); at most half the shorter side is used. */
  readonly radius?: number;
}

const TOLERANCE = 0.02;
/** Least lines to a full turn, however coarse the tolerance. */
const LEAST_LINES = 8;
/** Most of them: beyond it the tolerance is finer than f32 can tell. */
const MOST_LINES = 65535;

type Point = readonly [x: number, y: number];

/**
 * The outline that a rubber band takes around artwork: its convex hull, moved outwards by the margin with round corners.
 * One closed path, clockwise on the screen, without points inside straight sides; no path for artwork without points. A
 * single point gives a path of that point, points on a line one there and back; with a margin, a circle and a slot.
 * Exact for paths of integers without a margin; else the outline lies up to the tolerance inside the true one, where that
 * is curved, and nowhere outside of it.
 *
 * @param artwork            Paths or Curves, mm; read and not kept
 * @param options.margin     mm, >= 0 (default 0)
 * @param options.tolerance  mm, > 0 (default 0.02)
 * @throws INVALID_ARGUMENT   artwork that is not shaped as `Paths` or `Curves`, a number that is not finite, or an option
 *                            out of range or of another name
 * @throws OUT_OF_MEMORY      more points than kernel memory holds
 * @throws CANCELED           the task that runs it was canceled
 * Cost: 5 to 50 ns a point, by how many lie near the outline.
 * @example convexHull(trace(image), { margin: 2 }).ends.length
 */
export const convexHull = engineFunction(
  "convexHull",
  (artwork: Paths | Curves, options: HullOptions = {}): Paths => {
    checkArtwork(artwork);
    checkOptions(options, ["margin", "tolerance"]);
    const margin = checkNumber("margin", options.margin ?? 0, { min: 0 });
    const tolerance = checkNumber("tolerance", options.tolerance ?? TOLERANCE, { above: 0 });
    // what curves and arcs lose adds up
    const each = "kinds" in artwork && margin > 0 ? tolerance / 2 : tolerance;
    return closedPath(inflate(cornersOf(artwork, each), margin, each));
  },
);

/**
 * The upright rectangle around artwork, moved outwards by the margin, with round corners if asked for: a frame to cut
 * out along, or to show where the work will lie. One closed path of lines, clockwise on the screen from the top left corner
 * on; no path for artwork without points. The box of curves is that of the curves themselves, not of their control points.
 *
 * @param artwork            Paths or Curves, mm; read and not kept
 * @param options.margin     mm, >= 0 (default 0)
 * @param options.radius     of the corners, mm, >= 0 (default 0); at most half the shorter side is used
 * @param options.tolerance  of round corners, mm, > 0 (default 0.02)
 * @throws INVALID_ARGUMENT   artwork that is not shaped as `Paths` or `Curves`, a number that is not finite, or an option
 *                            out of range or of another name
 * Cost: about 5 ns a point.
 * @example frame(trace(image), { margin: 5, radius: 3 })
 */
export const frame = engineFunction("frame", (artwork: Paths | Curves, options: FrameOptions = {}): Paths => {
  checkArtwork(artwork);
  checkOptions(options, ["margin", "radius", "tolerance"]);
  const margin = checkNumber("margin", options.margin ?? 0, { min: 0 });
  const radius = checkNumber("radius", options.radius ?? 0, { min: 0 });
  const tolerance = checkNumber("tolerance", options.tolerance ?? TOLERANCE, { above: 0 });
  const [x0, y0, x1, y1] = boxOf(artwork);
  if (x0 > x1) return closedPath([]);
  const round = Math.min(radius, (x1 - x0) / 2 + margin, (y1 - y0) / 2 + margin);
  // the rectangle of the corners' centres, which may shrink to a line or a point but not turn inside out
  const out = margin - round;
  const [left, right] = [Math.min(x0 - out, (x0 + x1) / 2), Math.max(x1 + out, (x0 + x1) / 2)];
  const [top, bottom] = [Math.min(y0 - out, (y0 + y1) / 2), Math.max(y1 + out, (y0 + y1) / 2)];
  const corners: Point[] = [
    [left, top],
    [right, top],
    [right, bottom],
    [left, bottom],
  ];
  return closedPath(round > 0 ? inflate(corners.filter(isNew), round, tolerance) : corners);
});

function isNew([x, y]: Point, i: number, points: readonly Point[]): boolean {
  return points.findIndex(([x0, y0]) => x0 === x && y0 === y) === i;
}

function checkArtwork(artwork: Paths | Curves): void {
  if (typeof artwork !== "object" || artwork === null)
    throw invalid("artwork", "a Paths or a Curves object", artwork);
  if ("kinds" in artwork) checkCurves(artwork);
  else checkPaths(artwork);
  const bad = artwork.xy.findIndex((value) => !Number.isFinite(value));
  if (bad !== -1)
    throw invalid(
      `${"kinds" in artwork ? "curves" : "paths"}.xy[${bad}]`,
      "a finite number",
      artwork.xy[bad],
    );
}

/** The corners of the hull, in the direction of positive area. */
function cornersOf(artwork: Paths | Curves, tolerance: number): Point[] {
  return withEngine((engine) => {
    const { kernels } = engine;
    const stages = new Stages();
    const { out: at, points } =
      "kinds" in artwork
        ? flattenCurves(engine, artwork, tolerance, stages, 0.4)
        : { out: engine.push(artwork.xy), points: artwork.xy.length / 2 };
    const scratch = engine.alloc(kernels.hullBytes(points));
    const out = engine.alloc(8 * (points + 1));
    const corners = stages.run(0.6, 10 * points, () => kernels.hull(at, points, scratch, out));
    const xy = engine.f32(out, 2 * corners);
    return Array.from({ length: corners }, (_, i): Point => [xy[2 * i]!, xy[2 * i + 1]!]);
  });
}

/** The points at distance `radius` around a convex polygon of positive area, a line or a point, with arcs cut into lines. */
function inflate(corners: readonly Point[], radius: number, tolerance: number): readonly Point[] {
  if (radius === 0 || corners.length === 0) return corners;
  // the middle of a line over the angle a is radius * (1 - cos(a / 2)) inside the arc
  const widest = 4 * Math.asin(Math.sqrt(Math.min(1, tolerance / (2 * radius))));
  const step = Math.min(Math.max(widest, (2 * Math.PI) / MOST_LINES), (2 * Math.PI) / LEAST_LINES);
  const points: Point[] = [];
  for (const [i, corner] of corners.entries()) {
    const before = corners.at(i - 1)!;
    const after = corners[(i + 1) % corners.length]!;
    const from = outwards(before, corner);
    const turn = corners.length === 1 ? 2 * Math.PI : turnAt(before, corner, after);
    const lines = Math.max(1, Math.ceil(turn / step - 1e-9));
    // all around a single point, the last is the first again
    const last = corners.length === 1 ? lines - 1 : lines;
    for (let k = 0; k <= last; k++) {
      const angle = from + (k / lines) * turn;
      points.push([corner[0] + radius * Math.cos(angle), corner[1] + radius * Math.sin(angle)]);
    }
  }
  return points;
}

/** The direction that leads away from the polygon at a side. */
function outwards([x0, y0]: Point, [x1, y1]: Point): number {
  return Math.atan2(x0 - x1, y1 - y0);
}

/** By how much the way turns, 0..pi. */
function turnAt([x0, y0]: Point, [x, y]: Point, [x1, y1]: Point): number {
  const [ux, uy, vx, vy] = [x - x0, y - y0, x1 - x, y1 - y];
  return Math.atan2(Math.abs(ux * vy - uy * vx), ux * vx + uy * vy);
}

function closedPath(points: readonly Point[]): Paths {
  const xy = points.flat();
  if (points.length > 1) xy.push(...points[0]!);
  return { ends: Uint32Array.from(xy.length > 0 ? [xy.length / 2] : []), xy: Float32Array.from(xy) };
}
