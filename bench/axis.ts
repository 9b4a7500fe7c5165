import type { Centerlines, Image } from "kerfwork";
import { visit } from "./drawing.ts";

// Strokes whose axes are known: what a tracer takes for the middle is held against what was drawn and not against pixels.

/** A polyline, x and y in turns. */
export type Line = readonly number[];

export interface Stroke {
  readonly axis: Line;
  readonly width: number;
}

export interface Scene {
  readonly name: string;
  readonly strokes: readonly Stroke[];
  readonly width: number;
  readonly height: number;
}

/** How traced lines differ from the axes, px but for `spur`. */
export interface Middle {
  /** From the axes to the lines and back, means, both away from the ends of the axes. */
  readonly there: number;
  readonly back: number;
  /** The longest run of a line away from all axes, in widths of the stroke. */
  readonly spur: number;
  /** Parts that the lines fall into, but for the first. All that is drawn here hangs together. */
  readonly breaks: number;
  /** Lines less those that were drawn. */
  readonly surplus: number;
}

/** Pixels are averages of this many samples in each direction. */
const SAMPLES = 8;
const MARGIN = 4;
/** px between the points from which distances are taken. */
const STEP = 0.5;
/** px from an axis at which a line has left it. */
const AWAY = 1;
const ANGLES = [7, 23, 61, 118];

/** Lines at odd angles, arcs, T, X, Y and a spiral, of one width. */
export function scenesOf(width: number): Scene[] {
  const lone = ANGLES.map((turn) => scene(`line at ${turn}`, width, [ray(turn, -50, 50)]));
  return [
    ...lone,
    scene("arc", width, [spiral(45, 45, 20, 250)]),
    scene("wide arc", width, [spiral(90, 90, -40, 50)]),
    scene("T", width, [ray(11, -50, 50), ray(101, 0, 50)]),
    scene("X", width, [ray(17, -50, 50), ray(82, -50, 50)]),
    scene("Y", width, [ray(11, 0, 50), ray(131, 0, 50), ray(251, 0, 50)]),
    // a width and a half of white, and more, between the turns
    scene("spiral", width, [spiral(12 + width, 12 + width + 1.75 * (2.5 * width + 6), 30, 660)]),
  ];
}

function ray(degrees: number, from: number, to: number): Line {
  const angle = (degrees * Math.PI) / 180;
  return [from, to].flatMap((r) => [r * Math.cos(angle), r * Math.sin(angle)]);
}

/** An arc where both radii are the same. */
function spiral(inner: number, outer: number, fromDegrees: number, toDegrees: number): Line {
  const n = Math.ceil((Math.max(inner, outer) * (toDegrees - fromDegrees) * Math.PI) / 180 / 2);
  return Array.from({ length: n + 1 }, (_, i) => {
    const angle = ((fromDegrees + ((toDegrees - fromDegrees) * i) / n) * Math.PI) / 180;
    const r = inner + ((outer - inner) * i) / n;
    return [r * Math.cos(angle), r * Math.sin(angle)];
  }).flat();
}

/** Places the axes within a picture, off its grid. */
function scene(name: string, width: number, axes: readonly Line[]): Scene {
  const pad = MARGIN + width / 2;
  const spread = (from: 0 | 1): [number, number] => {
    const values = axes.flatMap((axis) => axis.filter((_, i) => i % 2 === from));
    return [Math.min(...values), Math.max(...values)];
  };
  const [[left, right], [top, bottom]] = [spread(0), spread(1)];
  const moved = (axis: Line): Line => axis.map((v, i) => v + pad + (i % 2 === 0 ? 0.37 - left : 0.61 - top));
  return {
    name,
    strokes: axes.map((axis) => ({ axis: moved(axis), width })),
    width: Math.ceil(right - left + 2 * pad + 1),
    height: Math.ceil(bottom - top + 2 * pad + 1),
  };
}

/** Strokes with round ends as gray, black on white: each pixel the share that is covered. */
export function inked({ strokes, width, height }: Pick<Scene, "strokes" | "width" | "height">): Image {
  const columns = SAMPLES * width;
  const ink = new Uint8Array(columns * SAMPLES * height);
  for (const { axis, width: wide } of strokes)
    for (let i = 0; i + 3 < axis.length; i += 2) {
      const [ax, ay, bx, by] = axis.slice(i, i + 4);
      const [x0, x1] = reach(ax, bx, wide / 2, width);
      const [y0, y1] = reach(ay, by, wide / 2, height);
      for (let y = y0; y < y1; y++)
        for (let x = x0; x < x1; x++)
          if (toSegment((x + 0.5) / SAMPLES, (y + 0.5) / SAMPLES, ax, ay, bx, by) < (wide / 2) ** 2)
            ink[y * columns + x] = 1;
    }
  const covered = new Uint8Array(width * height);
  for (let y = 0, i = 0; y < SAMPLES * height; y++)
    for (let x = 0; x < columns; x++, i++)
      covered[Math.floor(y / SAMPLES) * width + Math.floor(x / SAMPLES)] += ink[i];
  return { width, height, data: covered.map((n) => 255 - Math.round((255 * n) / SAMPLES ** 2)) };
}

/** Samples, of one direction, that a segment may cover. */
function reach(a: number, b: number, radius: number, size: number): [number, number] {
  const from = Math.floor(SAMPLES * (Math.min(a, b) - radius));
  const to = Math.ceil(SAMPLES * (Math.max(a, b) + radius));
  return [Math.max(0, from), Math.min(SAMPLES * size, to)];
}

/** What was traced, of one unit a pixel, with cubics in short pieces. */
export function linesOf(traced: Pick<Centerlines, "ends" | "kinds" | "xy">): Line[] {
  const lines: number[][] = [];
  visit(
    traced,
    (x, y) => lines.push([x, y]),
    (p) => {
      const line = lines.at(-1) as number[];
      if (p.length === 2) line.push(p[0], p[1]);
      else line.push(...flattened([...line.slice(-2), ...p]));
    },
  );
  return lines;
}

const PIECES = 24;

function flattened(p: readonly number[]): number[] {
  const points: number[] = [];
  for (let k = 1; k <= PIECES; k++) {
    const [t, u] = [k / PIECES, 1 - k / PIECES];
    for (const c of [0, 1])
      points.push(u ** 3 * p[c] + 3 * u * u * t * p[2 + c] + 3 * u * t * t * p[4 + c] + t ** 3 * p[6 + c]);
  }
  return points;
}

/** Holds traced lines against the strokes that were drawn; nothing at all is as far off as can be. */
export function middleOf(lines: readonly Line[], strokes: readonly Stroke[]): Middle {
  const axes = strokes.map(({ axis }) => axis);
  const ends = strokes.flatMap(({ axis, width }) =>
    [axis.slice(0, 2), axis.slice(-2)].map(([x, y]) => ({ x, y, near: width / 2 + 1 })),
  );
  const inside = ([x, y]: Point): boolean => ends.every((end) => Math.hypot(end.x - x, end.y - y) > end.near);
  const width = Math.max(...strokes.map((stroke) => stroke.width));
  return {
    there: meanTo(lines, axes.flatMap(along).filter(inside)),
    back: meanTo(axes, lines.flatMap(along).filter(inside)),
    spur: Math.max(0, ...lines.map((line) => longestAway(line, axes))) / width,
    breaks: Math.max(0, partsOf(lines, Math.max(AWAY, width / 4)) - 1),
    surplus: lines.length - strokes.length,
  };
}

type Point = readonly [x: number, y: number];

/** Points of a line, at most STEP apart, both ends among them. */
function along(line: Line): Point[] {
  const points: Point[] = [[line[0], line[1]]];
  for (let i = 0; i + 3 < line.length; i += 2) {
    const [dx, dy] = [line[i + 2] - line[i], line[i + 3] - line[i + 1]];
    const n = Math.ceil(Math.hypot(dx, dy) / STEP);
    for (let k = 1; k <= n; k++) points.push([line[i] + (dx * k) / n, line[i + 1] + (dy * k) / n]);
  }
  return points;
}

function meanTo(lines: readonly Line[], points: readonly Point[]): number {
  if (points.length === 0) return Infinity;
  return points.reduce((sum, point) => sum + distanceTo(lines, point), 0) / points.length;
}

/** Infinity where there is no line. */
export function distanceTo(lines: readonly Line[], [x, y]: Point): number {
  let best = Infinity;
  for (const line of lines)
    for (let i = 0; i + 3 < line.length; i += 2)
      best = Math.min(best, toSegment(x, y, line[i], line[i + 1], line[i + 2], line[i + 3]));
  return Math.sqrt(best);
}

/** Square of the distance. */
function toSegment(x: number, y: number, ax: number, ay: number, bx: number, by: number): number {
  const [dx, dy] = [bx - ax, by - ay];
  const square = dx * dx + dy * dy;
  const t = square > 0 ? Math.min(1, Math.max(0, ((x - ax) * dx + (y - ay) * dy) / square)) : 0;
  return (x - ax - t * dx) ** 2 + (y - ay - t * dy) ** 2;
}

function longestAway(line: Line, axes: readonly Line[]): number {
  let [longest, run] = [0, 0];
  let last: Point | undefined;
  for (const point of along(line)) {
    const away = distanceTo(axes, point) > AWAY;
    run = away && last !== undefined ? run + Math.hypot(point[0] - last[0], point[1] - last[1]) : 0;
    longest = Math.max(longest, run);
    last = point;
  }
  return longest;
}

/** How many parts the lines fall into, when those whose ends come near another hang together with it. */
function partsOf(lines: readonly Line[], near: number): number {
  const part = lines.map((_, i) => i);
  for (const [i, line] of lines.entries())
    for (const [x, y] of [line.slice(0, 2), line.slice(-2)])
      for (const [j, other] of lines.entries()) {
        if (part[i] === part[j] || distanceTo([other], [x, y]) > near) continue;
        const [from, to] = [part[j], part[i]];
        for (const [k, p] of part.entries()) if (p === from) part[k] = to;
      }
  // lines that cross do it anywhere
  for (const [i, line] of lines.entries())
    for (const [j, other] of lines.entries()) {
      if (part[i] === part[j] || !along(line).some((point) => distanceTo([other], point) <= STEP)) continue;
      const [from, to] = [part[j], part[i]];
      for (const [k, p] of part.entries()) if (p === from) part[k] = to;
    }
  return new Set(part).size;
}
