// Cubics to lines in plain JavaScript: counted first, so that nothing is allocated or grown on the way.
import type { Curves } from "../../src/engine/trace.ts";

/** Most lines for one cubic. */
const MOST = 65535;

/** Counts the points of each flattened outline into `outEnds`, running; returns them all. */
export function flattenCount({ ends, kinds, xy }: Curves, tolerance: number, outEnds: Uint32Array): number {
  let total = 0;
  let segment = 0;
  let at = 0;
  for (let i = 0; i < ends.length; i++) {
    total++;
    for (; segment < ends[i]; segment++) {
      if (kinds[segment] === 0) {
        total++;
        at += 2;
      } else {
        total += piecesOf(xy, at, 1 / tolerance);
        at += 6;
      }
    }
    at += 2;
    outEnds[i] = total;
  }
  return total;
}

/** Writes the points that `flattenCount` counted; each path ends where it starts. */
export function flattenFill({ ends, kinds, xy }: Curves, tolerance: number, out: Float32Array): void {
  let segment = 0;
  let at = 0;
  let to = 0;
  for (let i = 0; i < ends.length; i++) {
    const start = at;
    const empty = segment === ends[i];
    out[to++] = xy[at];
    out[to++] = xy[at + 1];
    for (; segment < ends[i]; segment++) {
      if (kinds[segment] === 0) {
        out[to++] = xy[at + 2];
        out[to++] = xy[at + 3];
        at += 2;
      } else {
        to = flattenCubic(xy, at, piecesOf(xy, at, 1 / tolerance), out, to);
        at += 6;
      }
    }
    at += 2;
    if (empty) continue;
    out[to - 2] = xy[start];
    out[to - 1] = xy[start + 1];
  }
}

/** Lines that a cubic needs: Wang's bound by its largest second difference. */
function piecesOf(xy: Float32Array, at: number, perTolerance: number): number {
  const ax = xy[at] - 2 * xy[at + 2] + xy[at + 4];
  const ay = xy[at + 1] - 2 * xy[at + 3] + xy[at + 5];
  const bx = xy[at + 2] - 2 * xy[at + 4] + xy[at + 6];
  const by = xy[at + 3] - 2 * xy[at + 5] + xy[at + 7];
  const bend = Math.sqrt(Math.max(ax * ax + ay * ay, bx * bx + by * by));
  return Math.min(MOST, Math.max(1, Math.ceil(Math.sqrt(0.75 * bend * perTolerance)))) | 0;
}

function flattenCubic(xy: Float32Array, at: number, pieces: number, out: Float32Array, from: number): number {
  const x0 = xy[at];
  const y0 = xy[at + 1];
  const c1x = 3 * (xy[at + 2] - x0);
  const c1y = 3 * (xy[at + 3] - y0);
  const c2x = 3 * (xy[at + 4] - x0) - 2 * c1x;
  const c2y = 3 * (xy[at + 5] - y0) - 2 * c1y;
  const c3x = xy[at + 6] - x0 - c1x - c2x;
  const c3y = xy[at + 7] - y0 - c1y - c2y;
  const step = 1 / pieces;
  let to = from;
  for (let k = 1; k < pieces; k++) {
    const t = step * k;
    out[to++] = x0 + t * (c1x + t * (c2x + t * c3x));
    out[to++] = y0 + t * (c1y + t * (c2y + t * c3y));
  }
  out[to++] = xy[at + 6];
  out[to++] = xy[at + 7];
  return to;
}
