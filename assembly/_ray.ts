import { Graph } from "./_graph";

@inline function isInk(g: Graph, x: i32, y: i32): bool {
  if (<u32>x >= <u32>(g.words << 6) || <u32>y >= <u32>g.rows) return false;
  return ((load<u64>(g.ink + ((<usize>y * g.words + <usize>(x >> 6)) << 3)) >> (x & 63)) & 1) != 0;
}

/**
 * How far a ray from a black place runs until it leaves the black pixels, px, exactly; -1 when it starts on white or
 * runs farther than `most`.
 *
 * source   Amanatides and Woo, A fast voxel traversal algorithm, 1987
 */
export function runInk(g: Graph, x: f64, y: f64, dx: f64, dy: f64, most: f64): f64 {
  let i = <i32>Math.floor(x);
  let j = <i32>Math.floor(y);
  if (!isInk(g, i, j)) return -1;
  const stepX = dx > 0 ? 1 : -1;
  const stepY = dy > 0 ? 1 : -1;
  const perX: f64 = dx != 0 ? 1 / abs(dx) : Infinity;
  const perY: f64 = dy != 0 ? 1 / abs(dy) : Infinity;
  let nextX: f64 = dx != 0 ? (dx > 0 ? <f64>i + 1 - x : x - <f64>i) * perX : Infinity;
  let nextY: f64 = dy != 0 ? (dy > 0 ? <f64>j + 1 - y : y - <f64>j) * perY : Infinity;
  while (true) {
    const t = min(nextX, nextY);
    if (t > most) return -1;
    // through a corner, both at once: the mirrored ray does the same
    if (nextX == t) {
      i += stepX;
      nextX += perX;
    }
    if (nextY == t) {
      j += stepY;
      nextY += perY;
    }
    if (!isInk(g, i, j)) return t;
  }
}
