// How far what is drawn is from what was meant, by looking closely: the slow, obvious measure, which knows nothing of how
// arcs are fitted.

export type Point = readonly [x: number, y: number];

/** A line or an arc that is drawn; `turn` is 0 for a line, 1 where the angle grows along the arc, -1 where it shrinks. */
export interface Stroke {
  readonly from: Point;
  readonly to: Point;
  readonly center: Point;
  readonly turn: -1 | 0 | 1;
}

/** Strokes of each contour of lines and arcs, y down as it is. */
export function strokesOf(curves: {
  readonly ends: Uint32Array;
  readonly kinds: Uint8Array;
  readonly xy: Float32Array;
}): Stroke[][] {
  const { ends, kinds, xy } = curves;
  let segment = 0;
  let p = 0;
  const point = (): Point => [xy[2 * p]!, xy[2 * p++ + 1]!];
  return Array.from(ends, (end) => {
    let from = point();
    const strokes: Stroke[] = [];
    for (; segment < end; segment++) {
      const turn = kinds[segment] === 0 ? 0 : kinds[segment] === 2 ? 1 : -1;
      const center = turn === 0 ? from : point();
      const to = point();
      strokes.push({ from, to, center, turn });
      from = to;
    }
    return strokes;
  });
}

/** Points along a stroke, both ends included, arcs at the radius of their start, as controllers draw them. */
export function pointsOf({ from, to, center, turn }: Stroke, pieces: number): Point[] {
  const sweep = sweepOf({ from, to, center, turn });
  const radius = Math.hypot(from[0] - center[0], from[1] - center[1]);
  const start = Math.atan2(from[1] - center[1], from[0] - center[0]);
  return Array.from({ length: pieces + 1 }, (_, k): Point => {
    const t = k / pieces;
    if (k === 0 || k === pieces) return k === 0 ? from : to;
    if (turn === 0) return [from[0] + t * (to[0] - from[0]), from[1] + t * (to[1] - from[1])];
    const angle = start + turn * t * sweep;
    return [center[0] + radius * Math.cos(angle), center[1] + radius * Math.sin(angle)];
  });
}

/** Radians; a full turn where the end is the start. */
export function sweepOf({ from, to, center, turn }: Stroke): number {
  if (turn === 0) return 0;
  const start = Math.atan2(from[1] - center[1], from[0] - center[0]);
  const sweep = turn * (Math.atan2(to[1] - center[1], to[0] - center[0]) - start);
  return sweep <= 0 ? sweep + 2 * Math.PI : sweep;
}

function toLine(a: Point, b: Point, [x, y]: Point): number {
  const [dx, dy] = [b[0] - a[0], b[1] - a[1]];
  const square = dx * dx + dy * dy;
  const t = square > 0 ? Math.min(1, Math.max(0, ((x - a[0]) * dx + (y - a[1]) * dy) / square)) : 0;
  return Math.hypot(a[0] + t * dx - x, a[1] + t * dy - y);
}

function toStroke(stroke: Stroke, [x, y]: Point): number {
  const { from, to, center, turn } = stroke;
  if (turn === 0) return toLine(from, to, [x, y]);
  const radius = Math.hypot(from[0] - center[0], from[1] - center[1]);
  const away = Math.hypot(x - center[0], y - center[1]);
  const foot: Point = [
    center[0] + ((x - center[0]) * radius) / away,
    center[1] + ((y - center[1]) * radius) / away,
  ];
  const toEnds = Math.min(Math.hypot(x - from[0], y - from[1]), Math.hypot(x - to[0], y - to[1]));
  return sweepOf({ from, to: foot, center, turn }) <= sweepOf(stroke)
    ? Math.min(toEnds, Math.abs(away - radius))
    : toEnds;
}

/**
 * The largest distance between a polyline and the strokes that stand for it, both ways: of points along its edges from
 * the nearest stroke, and of points along the strokes from the nearest edge.
 */
export function deviationOf(points: readonly Point[], strokes: readonly Stroke[], pieces = 32): number {
  if (strokes.length === 0)
    return points.reduce(
      (most, p) => Math.max(most, Math.hypot(p[0] - points[0]![0], p[1] - points[0]![1])),
      0,
    );
  let worst = 0;
  for (const stroke of strokes)
    for (const p of pointsOf(stroke, pieces)) {
      let near = points.length === 1 ? Math.hypot(p[0] - points[0]![0], p[1] - points[0]![1]) : Infinity;
      for (let i = 1; i < points.length; i++) near = Math.min(near, toLine(points[i - 1]!, points[i]!, p));
      worst = Math.max(worst, near);
    }
  for (let i = 1; i < points.length; i++)
    for (const p of pointsOf({ from: points[i - 1]!, to: points[i]!, center: [0, 0], turn: 0 }, 4))
      worst = Math.max(
        worst,
        strokes.reduce((near, stroke) => Math.min(near, toStroke(stroke, p)), Infinity),
      );
  return worst;
}

/** The paths as lists of points. */
export function pointLists({
  ends,
  xy,
}: {
  readonly ends: Uint32Array;
  readonly xy: Float32Array;
}): Point[][] {
  let p = 0;
  return Array.from(ends, (end) => {
    const points: Point[] = [];
    for (; p < end; p++) points.push([xy[2 * p]!, xy[2 * p + 1]!]);
    return points;
  });
}
