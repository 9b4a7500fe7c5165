import { checkpoint, STOPPED } from "./control";
import {
  chainAt, countOf, firstOf, flagsOf, GONE, Graph, LOOP, pixelX, pixelY, radius,
} from "./_graph";
import { runInk } from "./_ray";

const BATCH: i32 = 128;
/** Places on each side that a smoothed one is made of. */
const REACH: i32 = 4;
/** A quarter of a pixel's diagonal: there the stairs of a diagonal are at their mean. */
const ASIDE: f64 = 0.35355;

/**
 * Moves the pixels of branches to the middle between both borders of their stroke, measured square to the branch, and
 * smooths the result by parabolas. Strokes keep their curvature; even widths lose their half pixel.
 *
 * graph    `Graph` as `pruneSpurs` left it, with xy and wide set
 * rough    f32[3 * n] scratch: x, y, width before smoothing
 * returns  0, or STOPPED; reports places, of n
 * cost     two rays a place, O(width)
 * source   own; smoothing by Savitzky and Golay 1964
 */
export function centerBranches(graph: usize, rough: usize): i32 {
  const g = changetype<Graph>(graph);
  for (let b = 0; b < g.branches; b++) {
    if (flagsOf(g, b) & GONE) continue;
    const count = countOf(g, b);
    const first = firstOf(g, b);
    for (let i = 0; i < count; i += BATCH) {
      const to = min(count, i + BATCH);
      for (let k = i; k < to; k++) measure(g, b, k, rough + <usize>(first + k) * 12);
      if (checkpoint(first + i / 2)) return STOPPED;
    }
    for (let i = 0; i < count; i += BATCH) {
      smooth(g, b, i, min(count, i + BATCH), rough);
      if (checkpoint(first + (count + i) / 2)) return STOPPED;
    }
  }
  return 0;
}

/** The place `k` of a branch as it is within `count`, or around a ring. */
@inline function wrap(k: i32, count: i32, ring: bool): i32 {
  if (ring) return k < 0 ? k + count : k >= count ? k - count : k;
  return min(count - 1, max(0, k));
}

/** Writes the middle beside one place. */
function measure(g: Graph, b: i32, k: i32, out: usize): void {
  const first = firstOf(g, b);
  const count = countOf(g, b);
  const ring = (flagsOf(g, b) & LOOP) != 0;
  const id = chainAt(g, first + k);
  const r = radius(g, id);
  const reach = min(max(3, <i32>Math.ceil(r)), max(1, count / 3));
  const before = first + wrap(k - reach, count, ring);
  const after = first + wrap(k + reach, count, ring);
  let x = pixelX(g, id);
  let y = pixelY(g, id);
  let dx = pixelX(g, chainAt(g, after)) - pixelX(g, chainAt(g, before));
  let dy = pixelY(g, chainAt(g, after)) - pixelY(g, chainAt(g, before));
  let wide: f64 = 0;
  const length = Math.sqrt(dx * dx + dy * dy);
  const most = 1.6 * r + 2;
  if (length > 0.5) {
    dx /= length;
    dy /= length;
    // from a pixel's middle a ray across a diagonal stroke meets only every second diagonal of pixels: it starts beside
    x += ASIDE * dx;
    y += ASIDE * dy;
    const left = runInk(g, x, y, dy, -dx, most);
    const right = runInk(g, x, y, -dy, dx, most);
    if (left >= 0 && right >= 0) {
      wide = left + right;
      x += 0.5 * (left - right) * dy;
      y -= 0.5 * (left - right) * dx;
    }
  } else {
    // a dot has no direction
    const up = runInk(g, x, y, 0, -1, 2 * most);
    const down = runInk(g, x, y, 0, 1, 2 * most);
    const left = runInk(g, x, y, -1, 0, 2 * most);
    const right = runInk(g, x, y, 1, 0, 2 * most);
    if (up >= 0 && down >= 0 && left >= 0 && right >= 0) {
      wide = min(up + down, left + right);
      x += 0.5 * (right - left);
      y += 0.5 * (down - up);
    }
  }
  store<f32>(out, <f32>x);
  store<f32>(out, <f32>y, 4);
  store<f32>(out, <f32>wide, 8);
}

/** Weight of the j-th neighbour in a least-squares parabola over 2m + 1 places. */
@inline function weight(m: i32, j: i32): f64 {
  const n = <f64>(2 * m + 1);
  const q = <f64>m * <f64>(m + 1);
  return (3 * (3 * q - 1) - 15 * <f64>(j * j)) / (n * (4 * q - 3));
}

function smooth(g: Graph, b: i32, from: i32, to: i32, rough: usize): void {
  const first = firstOf(g, b);
  const count = countOf(g, b);
  const ring = (flagsOf(g, b) & LOOP) != 0;
  const longest = ring ? min(REACH, (count - 1) / 2) : REACH;
  for (let k = from; k < to; k++) {
    const m = ring ? longest : min(longest, min(k, count - 1 - k));
    let x: f64 = 0;
    let y: f64 = 0;
    let wide: f64 = 0;
    let known: i32 = 0;
    for (let j = -m; j <= m; j++) {
      const at = rough + <usize>(first + wrap(k + j, count, ring)) * 12;
      const w = m < 2 ? 1 / <f64>(2 * m + 1) : weight(m, j);
      x += w * <f64>load<f32>(at);
      y += w * <f64>load<f32>(at, 4);
      const width = <f64>load<f32>(at, 8);
      if (width > 0) {
        wide += width;
        known++;
      }
    }
    const at = first + k;
    store<f32>(g.xy + (<usize>at << 3), <f32>x);
    store<f32>(g.xy + (<usize>at << 3), <f32>y, 4);
    store<f32>(g.wide + (<usize>at << 2), <f32>(known > 0 ? wide / <f64>known : 0));
  }
}
