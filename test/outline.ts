// What tests do with outlines: read them as plain lists, measure, rasterise and compare them the slow way.
import type { Curves, Image } from "kerfwork";
import { type Bits, random } from "./oracle.ts";

export type Point = readonly [number, number];

/** One closed contour: its segments as lists of points, start included. */
export interface Contour {
  readonly segments: readonly (readonly Point[])[];
  readonly depth: number;
}

export function contoursOf({ ends, kinds, xy, depth }: Curves): Contour[] {
  let p = 0;
  let s = 0;
  const point = (i: number): Point => [xy[2 * i]!, xy[2 * i + 1]!];
  return Array.from(ends, (end, i) => {
    const segments: Point[][] = [];
    for (; s < end; s++) {
      const more = kinds[s] === 0 ? 1 : 3;
      segments.push(Array.from({ length: more + 1 }, (_, j) => point(p + j)));
      p += more;
    }
    p++;
    return { segments, depth: depth[i]! };
  });
}

export function pointAt(segment: readonly Point[], t: number): Point {
  let points = segment;
  while (points.length > 1)
    points = points
      .slice(1)
      .map((q, i) => [
        points[i]![0] + t * (q[0] - points[i]![0]),
        points[i]![1] + t * (q[1] - points[i]![1]),
      ]);
  return points[0]!;
}

/** The contour as a closed list of points, cubics cut into `pieces` lines. */
export function polylineOf({ segments }: Contour, pieces = 32): Point[] {
  const points: Point[] = [segments[0]![0]!];
  for (const segment of segments) {
    if (segment.length === 4) for (let k = 1; k < pieces; k++) points.push(pointAt(segment, k / pieces));
    points.push(segment.at(-1)!);
  }
  return points;
}

/** Shoelace area, positive around black. */
export function areaOf(points: readonly Point[]): number {
  let twice = 0;
  for (let i = 0; i + 1 < points.length; i++)
    twice += points[i]![0] * points[i + 1]![1] - points[i + 1]![0] * points[i]![1];
  return twice / 2;
}

export function distanceTo(points: readonly Point[], [x, y]: Point): number {
  let best = Infinity;
  for (let i = 0; i + 1 < points.length; i++) {
    const [ax, ay] = points[i]!;
    const dx = points[i + 1]![0] - ax;
    const dy = points[i + 1]![1] - ay;
    const square = dx * dx + dy * dy;
    const t = square > 0 ? Math.min(1, Math.max(0, ((x - ax) * dx + (y - ay) * dy) / square)) : 0;
    best = Math.min(best, (x - ax - t * dx) ** 2 + (y - ay - t * dy) ** 2);
  }
  return Math.sqrt(best);
}

/** Points along a polyline, at most `step` apart. */
export function alongOf(points: readonly Point[], step: number): Point[] {
  const found: Point[] = [];
  for (let i = 0; i + 1 < points.length; i++) {
    const [a, b] = [points[i]!, points[i + 1]!];
    const n = Math.max(1, Math.ceil(Math.hypot(b[0] - a[0], b[1] - a[1]) / step));
    for (let k = 0; k < n; k++) found.push(pointAt([a, b], k / n));
  }
  return found;
}

/** The middles of the unit steps of a pixel border. */
export function cracksOf(corners: readonly Point[]): Point[] {
  const found: Point[] = [];
  for (let i = 0; i + 1 < corners.length; i++) {
    const [[ax, ay], [bx, by]] = [corners[i]!, corners[i + 1]!];
    const n = Math.round(Math.abs(bx - ax) + Math.abs(by - ay));
    for (let k = 0; k < n; k++)
      found.push([ax + ((k + 0.5) / n) * (bx - ax), ay + ((k + 0.5) / n) * (by - ay)]);
  }
  return found;
}

/** Even-odd scan conversion at pixel centres. */
export function rasterOf(outlines: readonly (readonly Point[])[], width: number, height: number): Uint8Array {
  const black = new Uint8Array(width * height);
  for (let y = 0; y < height; y++) {
    const crossings: number[] = [];
    for (const points of outlines)
      for (let i = 0; i + 1 < points.length; i++) {
        const [[ax, ay], [bx, by]] = [points[i]!, points[i + 1]!];
        if (ay <= y + 0.5 !== by <= y + 0.5) crossings.push(ax + ((y + 0.5 - ay) / (by - ay)) * (bx - ax));
      }
    for (let x = 0; x < width; x++) black[y * width + x] = crossings.filter((at) => at < x + 0.5).length % 2;
  }
  return black;
}

export function imageOf({ width, height, black }: Bits): Image {
  return { width, height, data: black.map((b) => (b ? 0 : 255)) };
}

/** A shape as a camera without flaws sees it: each pixel as gray as 8 x 8 places in it are outside. */
export function grayOf(width: number, height: number, inside: (x: number, y: number) => boolean): Image {
  const data = new Uint8Array(width * height);
  for (let i = 0; i < data.length; i++) {
    let black = 0;
    for (let k = 0; k < 64; k++) {
      const [x, y] = [(i % width) + ((k % 8) + 0.5) / 8, Math.floor(i / width) + ((k >> 3) + 0.5) / 8];
      if (inside(x, y)) black++;
    }
    data[i] = 255 - Math.round((255 * black) / 64);
  }
  return { width, height, data };
}

/** Smooth seeded shapes: the sum of a few waves, cut at zero; small `scale` gives small shapes. */
export function blobs(seed: number, width: number, height: number, scale: number): Bits {
  const next = random(seed);
  const waves = Array.from({ length: 12 }, () => {
    const angle = 2 * Math.PI * next();
    const k = ((0.5 + next()) * 2 * Math.PI) / scale;
    return { x: k * Math.cos(angle), y: k * Math.sin(angle), phase: 2 * Math.PI * next() };
  });
  const black = new Uint8Array(width * height);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      let sum = 0.7;
      for (const wave of waves) sum += Math.cos(wave.x * x + wave.y * y + wave.phase);
      black[y * width + x] = sum > 0 ? 1 : 0;
    }
  return { width, height, black };
}

/** Each pixel black with the given chance. */
export function noise(seed: number, width: number, height: number, chance: number): Bits {
  const next = random(seed);
  return {
    width,
    height,
    black: Uint8Array.from({ length: width * height }, () => (next() < chance ? 1 : 0)),
  };
}

export function turned({ width, height, black }: Bits, how: "mirror" | "rotate" | "transpose"): Bits {
  const w = how === "mirror" ? width : height;
  const h = how === "mirror" ? height : width;
  const turned = new Uint8Array(width * height);
  for (let y = 0; y < h; y++)
    for (let x = 0; x < w; x++) {
      const [fromX, fromY] =
        how === "mirror" ? [width - 1 - x, y] : how === "rotate" ? [y, height - 1 - x] : [y, x];
      turned[y * w + x] = black[fromY * width + fromX]!;
    }
  return { width: w, height: h, black: turned };
}
