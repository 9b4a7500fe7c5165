import { checkNumber, checkOptions, invalid } from "../errors.ts";
import { engineFunction } from "../tasker/target.ts";
import { type Arc, pointOfArc, radiusOf, sweepOf } from "./circle.ts";
import { type Engine, type Pointer, Stages, withEngine } from "./memory.ts";
import { checkCurvePoints, flattenCurves, measure, type Paths, POINTS_OF_KIND } from "./paths.ts";
import type { Curves } from "./trace.ts";

export interface FitArcsOptions {
  /** How far the result may be from the source, rounding included, mm, at least a unit of the last decimal (default 0.02). */
  readonly tolerance?: number;
  /** Least radius of an arc, mm, > 0 (default 0.05); those that are fitted have twice the tolerance at least. */
  readonly minRadius?: number;
  /** Greatest radius of an arc, mm, `minRadius`..10,000 (default 1000: controllers count in 24 bits). */
  readonly maxRadius?: number;
  /** Decimals of all coordinates, an integer 0..6 (default 3, as programs have them). */
  readonly decimals?: number;
}

/** Lines and arcs; `closed`, where it is there, says for each contour whether it ends where it starts. */
export interface ArcCurves extends Curves {
  readonly closed?: Uint8Array;
}

/** No arc turns further, so that its ends cannot meet by rounding: 330 degrees. */
const WIDEST = (330 / 180) * Math.PI;
/** What controllers allow the ends of an arc to differ in radius, mm. */
const RADII = 0.005;
/** What flattening takes of the tolerance for cubics; the arcs have the rest. */
const FLATTENED = 1 / 8;

/**
 * Replaces polylines by as few lines and arcs as stay near them, for programs a tenth as long and motion without
 * corners. One contour for each path. Lines and arcs begin and end at points of their path, so corners stay, closed paths
 * stay closed, and straight runs stay lines; points on a straight run, or twice in a row, go.
 *
 * The deviation is measured between what is drawn and the polyline, both ways and square to what is drawn: every point of
 * the path is within the tolerance of its line or arc, and every point of these within the tolerance of the path's
 * edges. So a circle that was cut into lines 0.005 mm inside of it needs more tolerance than that. All numbers of the
 * result are rounded to `decimals`, and the deviation is that of the rounded numbers: `encode` writes them as they are.
 * Arcs turn at most 330 degrees, and their ends differ in radius by 0.005 mm at most, as controllers ask for.
 *
 * Of `Curves`, cubics are fitted so, an eighth of the tolerance being for flattening them, and lines and arcs are kept as
 * they are, rounded. Full circles become two halves. Arcs that break these rules are fitted like cubics.
 *
 * @param artwork  Paths or Curves, mm, finite; read and not kept. A path without points gives a contour without segments
 * @returns        contours in the order of the paths; `depth` and `closed` are copied from curves. For paths, all depths
 *                 are 0, and `closed` tells which are
 * @throws INVALID_ARGUMENT   artwork that is not shaped as `Paths` or `Curves` or not finite, an option out of its contract
 * @throws OUT_OF_MEMORY      more points than kernel memory holds
 * @throws CANCELED           the task that runs it was canceled
 * Cost: about 0.3 us a point.
 * @example toOps(fitArcs(flatten(trace(image), { tolerance: 0.005 }), { tolerance: 0.02 }))
 */
export const fitArcs = engineFunction(
  "fitArcs",
  (artwork: Paths | Curves, options: FitArcsOptions = {}): ArcCurves => {
    const rules = checkFitArcs(options);
    if (typeof artwork !== "object" || artwork === null)
      throw invalid("artwork", "a Paths or a Curves object", artwork);
    if ("kinds" in artwork) return fitCurves(artwork, rules);
    measure(artwork);
    const { ends, xy } = artwork;
    const tolerance = sharpened(rules.tolerance, xy, rules);
    return withEngine((engine) => {
      const at = { ends: engine.push(ends), out: engine.push(xy), points: xy.length / 2 };
      const fitted = fitPolylines(engine, at, ends, tolerance, rules, new Stages(), 1);
      const closed = Uint8Array.from(ends, (end, i) => {
        const [first, last] = [2 * (ends[i - 1] ?? 0), 2 * end - 2];
        return Number(first >= last || (xy[first] === xy[last] && xy[first + 1] === xy[last + 1]));
      });
      return { ...fitted, depth: new Uint16Array(ends.length), closed };
    });
  },
);

type Rules = Required<FitArcsOptions> & { readonly scale: number };

/** Checks the options and fills in what is left out. */
export function checkFitArcs(options: FitArcsOptions): Rules {
  checkOptions(options, ["tolerance", "minRadius", "maxRadius", "decimals"]);
  const decimals = checkNumber("decimals", options.decimals ?? 3, { min: 0, max: 6, integer: true });
  const tolerance = checkNumber("tolerance", options.tolerance ?? 0.02, { min: 10 ** -decimals });
  const minRadius = checkNumber("minRadius", options.minRadius ?? 0.05, { above: 0, max: 10_000 });
  const maxRadius = checkNumber("maxRadius", options.maxRadius ?? Math.max(1000, minRadius), {
    min: minRadius,
    max: 10_000,
  });
  return { decimals, tolerance, minRadius, maxRadius, scale: 10 ** decimals };
}

/** What single precision leaves of a tolerance: of rounded numbers it keeps the nearest it has. */
function sharpened(tolerance: number, xy: Float32Array, { scale }: Rules): number {
  let most = 0;
  for (let i = 0; i < xy.length; i++) most = Math.max(most, Math.abs(xy[i]!));
  // even so, a line from point to point has to be near enough
  return Math.max(tolerance - most * 2 ** -23, 0.75 / scale);
}

type Segments = Pick<Curves, "ends" | "kinds" | "xy">;

/** Fits polylines that lie in kernel memory; `ends` is what lies at `at.ends`. */
function fitPolylines(
  engine: Engine,
  at: { readonly ends: Pointer; readonly out: Pointer; readonly points: number },
  ends: Uint32Array,
  tolerance: number,
  { scale, minRadius, maxRadius }: Rules,
  stages: Stages,
  share: number,
): Segments {
  const { kernels } = engine;
  const paths = ends.length;
  const longest = ends.reduce((most, end, i) => Math.max(most, end - (ends[i - 1] ?? 0)), 0);
  const scratch = engine.alloc(kernels.fitArcsBytes(longest));
  const outEnds = engine.alloc(4 * paths);
  const kinds = engine.alloc(at.points);
  const xy = engine.alloc(8 * (at.points + paths));
  const segments = stages.run(share, at.points, () =>
    kernels.fitArcs(
      at.ends,
      paths,
      at.out,
      tolerance,
      scale,
      minRadius,
      maxRadius,
      scratch,
      outEnds,
      kinds,
      xy,
    ),
  );
  const found = engine.u8(kinds, segments).slice();
  const points = paths + found.reduce((sum, kind) => sum + POINTS_OF_KIND[kind]!, 0);
  return { ends: engine.u32(outEnds, paths).slice(), kinds: found, xy: engine.f32(xy, 2 * points).slice() };
}

/** What becomes of a segment of curves. */
const FITTED = 0;
const KEPT = 1;
const HALVED = 2;

/** Fits the runs of segments that cannot stay as they are, and puts them between those that can. */
function fitCurves(curves: ArcCurves, rules: Rules): ArcCurves {
  checkCurvePoints(curves);
  const fates = fatesOf(curves, rules);
  const runs = runsOf(curves, fates);
  const fitted = withEngine((engine) => {
    const stages = new Stages();
    const at = flattenCurves(engine, runs, FLATTENED * rules.tolerance, stages, 0.3);
    const ends = engine.u32(at.ends, runs.ends.length).slice();
    const tolerance = sharpened((1 - FLATTENED) * rules.tolerance, curves.xy, rules);
    return fitPolylines(engine, at, ends, tolerance, rules, stages, 0.7);
  });
  const { closed } = curves;
  return {
    ...join(curves, fates, fitted, rules.scale),
    depth: curves.depth?.slice() ?? new Uint16Array(curves.ends.length),
    ...(closed === undefined ? {} : { closed: closed.slice() }),
  };
}

function fatesOf({ ends, kinds, xy }: Curves, rules: Rules): Uint8Array {
  const fates = new Uint8Array(kinds.length);
  for (let contour = 0, segment = 0, at = 0; contour < ends.length; contour++, at += 2)
    for (; segment < ends[contour]!; segment++) {
      const kind = kinds[segment]!;
      if (kind !== 1) fates[segment] = kind === 0 ? KEPT : fateOf(kind === 2, xy.subarray(at, at + 6), rules);
      at += 2 * POINTS_OF_KIND[kind]!;
    }
  return fates;
}

/** Whether an arc stays one, by what rounding makes of it. */
function fateOf(growing: boolean, arc: Float32Array, rules: Rules): number {
  if (sweepOf(growing, arc) <= WIDEST) return isKeepable(growing, arc, rules) ? KEPT : FITTED;
  return halvesOf(growing, arc).every((half) => isKeepable(growing, half, rules)) ? HALVED : FITTED;
}

function halvesOf(growing: boolean, arc: Arc): [Arc, Arc] {
  const [x0, y0, centerX, centerY, x, y] = Array.from(arc) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const [midX, midY] = pointOfArc(growing, arc, 0.5);
  return [
    [x0, y0, centerX, centerY, midX, midY],
    [midX, midY, centerX, centerY, x, y],
  ];
}

function isKeepable(growing: boolean, arc: Arc, { tolerance, minRadius, maxRadius, scale }: Rules): boolean {
  const written = Array.from(arc, (value) => roundTo(scale, value));
  const [first, last] = radiiOf(written);
  const sweep = sweepOf(growing, written);
  if (Math.min(first, last) < minRadius || Math.max(first, last) > maxRadius) return false;
  if (Math.abs(first - last) > Math.min(RADII, tolerance)) return false;
  // rounding may have turned a short arc into all but a circle, or one into nothing
  if (sweep > WIDEST + 0.01 || Math.abs(sweep - sweepOf(growing, arc)) > 0.5) return false;
  // from the true circle to the written one it is the step of the centre and the change of radius at most
  const step = Math.sqrt((arc[2]! - written[2]!) ** 2 + (arc[3]! - written[3]!) ** 2);
  const [from, to] = radiiOf(arc);
  return step + Math.max(first, last, from, to) - Math.min(first, last, from, to) <= tolerance;
}

function radiiOf(arc: Arc): [first: number, last: number] {
  return [radiusOf(arc), Math.sqrt((arc[4]! - arc[2]!) ** 2 + (arc[5]! - arc[3]!) ** 2)];
}

/** Rounds as kernels do, ties to even; never -0. */
function roundTo(scale: number, value: number): number {
  const units = value * scale;
  const whole = Math.round(units);
  return (whole - units === 0.5 && whole % 2 !== 0 ? whole - 1 : whole) / scale + 0;
}

/** The runs that are fitted, as contours of their own. */
function runsOf({ ends, kinds, xy }: Curves, fates: Uint8Array): Curves {
  const found = { ends: [] as number[], kinds: [] as number[], xy: [] as number[] };
  for (let contour = 0, segment = 0, at = 0; contour < ends.length; contour++, at += 2) {
    const first = segment;
    for (; segment < ends[contour]!; segment++) {
      const kind = kinds[segment]!;
      const next = at + 2 * POINTS_OF_KIND[kind]!;
      if (fates[segment] === FITTED) {
        if (segment === first || fates[segment - 1] !== FITTED) {
          found.ends.push(found.kinds.length);
          found.xy.push(xy[at]!, xy[at + 1]!);
        }
        found.kinds.push(kind);
        found.ends[found.ends.length - 1] = found.kinds.length;
        for (let i = at + 2; i < next + 2; i++) found.xy.push(xy[i]!);
      }
      at = next;
    }
  }
  return {
    ends: Uint32Array.from(found.ends),
    kinds: Uint8Array.from(found.kinds),
    xy: Float32Array.from(found.xy),
    depth: new Uint16Array(found.ends.length),
  };
}

/** Rounded segments in their places, runs by what they were fitted with. */
function join({ ends, kinds, xy }: Curves, fates: Uint8Array, fitted: Segments, scale: number): Segments {
  const out = { ends: new Uint32Array(ends.length), kinds: [] as number[], xy: [] as number[] };
  const put = (kind: number, points: Arc): void => {
    const n = out.xy.length;
    const end = points.length - 2;
    if (kind === 0 && points[end] === out.xy[n - 2] && points[end + 1] === out.xy[n - 1]) return;
    out.kinds.push(kind);
    for (let i = 0; i < points.length; i++) out.xy.push(points[i]!);
  };
  const rounded = (from: Arc): number[] => Array.from(from, (value) => roundTo(scale, value));
  let run = 0;
  let runSegment = 0;
  let runAt = 0;
  for (let contour = 0, segment = 0, at = 0; contour < ends.length; contour++, at += 2) {
    out.xy.push(...rounded(xy.subarray(at, at + 2)));
    const first = segment;
    for (; segment < ends[contour]!; segment++) {
      const kind = kinds[segment]!;
      const next = at + 2 * POINTS_OF_KIND[kind]!;
      if (fates[segment] === KEPT) put(kind, rounded(xy.subarray(at + 2, next + 2)));
      else if (fates[segment] === HALVED)
        for (const half of halvesOf(kind === 2, xy.subarray(at, at + 6))) put(kind, rounded(half).slice(2));
      else if (segment === first || fates[segment - 1] !== FITTED) {
        runAt += 2;
        for (; runSegment < fitted.ends[run]!; runSegment++) {
          const end = runAt + 2 * POINTS_OF_KIND[fitted.kinds[runSegment]!]!;
          put(fitted.kinds[runSegment]!, fitted.xy.subarray(runAt, end));
          runAt = end;
        }
        run++;
      }
      at = next;
    }
    out.ends[contour] = out.kinds.length;
  }
  return { ends: out.ends, kinds: Uint8Array.from(out.kinds), xy: Float32Array.from(out.xy) };
}
