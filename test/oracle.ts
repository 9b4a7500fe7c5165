// Slow, obvious versions of what the kernels do, and the seeded inputs to compare them on.

import type { Turn } from "../src/engine/contours.ts";

/** Mulberry32: the same numbers for the same seed on every machine, 0..1. */
export function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

// --- gray ---

/** Gray of one pixel: weights in 1/256, laid over white by its alpha. */
export function grayOf(r: number, g: number, b: number, alpha = 255): number {
  const y = Math.floor((77 * r + 150 * g + 29 * b + 128) / 256);
  return 255 - Math.round(((255 - y) * alpha) / 255);
}

/** Otsu's threshold in exact arithmetic: the middle of the first stretch of equally good thresholds. */
export function otsuOf(counts: readonly number[]): number {
  let best = { top: 0n, bottom: 1n };
  let first = 128;
  let last = 128;
  const sumOf = (from: number, to: number): [bigint, bigint] => {
    let n = 0n;
    let sum = 0n;
    for (let v = from; v < to; v++) {
      n += BigInt(counts[v]!);
      sum += BigInt(v) * BigInt(counts[v]!);
    }
    return [n, sum];
  };
  for (let t = 1; t < 256; t++) {
    const [dark, darkSum] = sumOf(0, t);
    const [light, lightSum] = sumOf(t, 256);
    if (dark === 0n || light === 0n) continue;
    // weights times the square of the gap between the means, as a fraction
    const top = (lightSum * dark - darkSum * light) ** 2n;
    const bottom = dark * light;
    const difference = top * best.bottom - best.top * bottom;
    if (difference > 0n) {
      best = { top, bottom };
      first = last = t;
    } else if (difference === 0n && last === t - 1) {
      last = t;
    }
  }
  return Math.floor((first + last + 1) / 2);
}

// --- bitmaps and their borders ---

/** One byte a pixel, 1 black. */
export interface Bits {
  readonly width: number;
  readonly height: number;
  readonly black: Uint8Array;
}

export function bitsFrom(width: number, height: number, isBlack: (x: number, y: number) => boolean): Bits {
  const black = new Uint8Array(width * height);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) black[y * width + x] = isBlack(x, y) ? 1 : 0;
  return { width, height, black };
}

/** From rows of text: `#` is black. */
export function bitsOf(...rows: string[]): Bits {
  return bitsFrom(rows[0]!.length, rows.length, (x, y) => rows[y]![x] === "#");
}

export interface Region {
  /** The upper left corner of its first pixel in raster order. */
  readonly x: number;
  readonly y: number;
  /** Index of the region right around it, always a smaller one; -1 for the outside. */
  readonly parent: number;
  /** Regions around it, the outside not counted. */
  readonly depth: number;
  /** Pixels of it and of all regions inside it. */
  readonly enclosed: number;
}

/** Whether black joins where two black and two white pixels meet crosswise at the point x, y. */
export type Joins = (x: number, y: number) => boolean;

/** The turn policies, by counting. */
export function joinsOf({ width, height, black }: Bits, turn: Turn): Joins {
  return (x, y) => {
    if (turn === "white" || turn === "black") return turn === "black";
    let blacks = 0;
    for (let v = y - 4; v < y + 4; v++)
      for (let u = x - 4; u < x + 4; u++)
        blacks += u < 0 || v < 0 || u >= width || v >= height ? 0 : black[v * width + u]!;
    return turn === "majority" ? blacks > 32 : blacks < 32;
  };
}

/**
 * Connected parts, by 4 neighbours and by the fourth corner where `joins` says so (default: only white), in raster order
 * of their first pixels, without the outside. A flood fill from outside inwards: a region first met from another lies
 * inside that one.
 */
export function regionsOf({ width, height, black }: Bits, joins: Joins = () => false): Region[] {
  const w = width + 2;
  const h = height + 2;
  const at = (x: number, y: number): number =>
    x < 1 || y < 1 || x > width || y > height ? 0 : black[(y - 1) * width + x - 1]!;
  const label = new Int32Array(w * h).fill(-1);
  const found: { first: number; parent: number; depth: number; size: number }[] = [];
  const waiting: [number, number][] = [[0, -1]]; // a pixel of a region, and the region around it
  for (let next = 0; next < waiting.length; next++) {
    const [seed, parent] = waiting[next]!;
    if (label[seed] !== -1) continue;
    const id = found.length;
    const colour = at(seed % w, Math.floor(seed / w));
    const region = { first: seed, parent, depth: parent < 0 ? -1 : found[parent]!.depth + 1, size: 0 };
    found.push(region);
    const stack = [seed];
    label[seed] = id;
    while (stack.length > 0) {
      const p = stack.pop()!;
      region.size++;
      region.first = Math.min(region.first, p);
      const x = p % w;
      const y = (p - x) / w;
      for (let dy = -1; dy <= 1; dy++) {
        for (let dx = -1; dx <= 1; dx++) {
          const q = p + dy * w + dx;
          if (x + dx < 0 || x + dx >= w || y + dy < 0 || y + dy >= h || label[q] !== -1) continue;
          const straight = dx === 0 || dy === 0;
          if (at(x + dx, y + dy) !== colour) {
            if (straight) waiting.push([q, id]);
          } else if (straight || colour === Number(joins(x - 1 + (dx + 1) / 2, y - 1 + (dy + 1) / 2))) {
            label[q] = id;
            stack.push(q);
          }
        }
      }
    }
  }
  const enclosed = found.map((region) => region.size);
  for (let id = found.length - 1; id > 0; id--) enclosed[found[id]!.parent]! += enclosed[id]!;
  // raster order; the outside has the very first pixel
  const order = found.map((_, id) => id).sort((a, b) => found[a]!.first - found[b]!.first);
  const rank = new Map(order.map((id, i) => [id, i - 1]));
  return order.slice(1).map((id) => {
    const { first, parent, depth } = found[id]!;
    return {
      x: (first % w) - 1,
      y: Math.floor(first / w) - 1,
      parent: rank.get(parent)!,
      depth,
      enclosed: enclosed[id]!,
    };
  });
}

export interface Border {
  readonly points: readonly (readonly [number, number])[];
  readonly depth: number;
  /** Shoelace area, px^2: positive around black, negative around a hole. */
  readonly area: number;
}

export function areaOf(points: readonly (readonly [number, number])[]): number {
  let twice = 0;
  for (const [i, [x, y]] of points.entries()) {
    const [nextX, nextY] = points[(i + 1) % points.length]!;
    twice += x * nextY - nextX * y;
  }
  return twice / 2;
}

/** Walks every border pixel edge by pixel edge: black on the right, white on the left, no pixel edge twice or missing. */
export function checkEdges({ width, height, black }: Bits, borders: readonly Border[]): void {
  const at = (x: number, y: number): number =>
    x < 0 || y < 0 || x >= width || y >= height ? 0 : black[y * width + x]!;
  const walked = new Uint8Array((width + 1) * (height + 1) * 2);
  let steps = 0;
  for (const { points } of borders) {
    for (const [i, [x0, y0]] of points.entries()) {
      const [x1, y1] = points[(i + 1) % points.length]!;
      const flat = i % 2 === 0;
      if ((x0 === x1) === flat || (y0 === y1) !== flat)
        throw new Error(`edge ${x0},${y0} to ${x1},${y1} is not ${flat ? "horizontal" : "vertical"}`);
      const dx = Math.sign(x1 - x0);
      const dy = Math.sign(y1 - y0);
      for (let x = x0, y = y0; x !== x1 || y !== y1; x += dx, y += dy) {
        const [left, top] = [Math.min(x, x + dx), Math.min(y, y + dy)];
        const [one, other] = flat ? [at(left, top), at(left, top - 1)] : [at(left, top), at(left - 1, top)];
        const [right, wrong] = dx > 0 || dy < 0 ? [one, other] : [other, one];
        if (right !== 1 || wrong !== 0) throw new Error(`no border at ${x},${y} going ${dx},${dy}`);
        const slot = 2 * (top * (width + 1) + left) + (flat ? 0 : 1);
        if (walked[slot]) throw new Error(`border at ${x},${y} walked twice`);
        walked[slot] = 1;
        steps++;
      }
    }
  }
  let expected = 0;
  for (let y = 0; y <= height; y++)
    for (let x = 0; x <= width; x++)
      expected += Number(at(x, y) !== at(x - 1, y)) + Number(at(x, y) !== at(x, y - 1));
  if (steps !== expected) throw new Error(`walked ${steps} pixel edges of ${expected}`);
}
