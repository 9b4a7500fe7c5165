// Lines one pixel wide: a walk passes round their end, so the end gets a side of its own.
import { Border, sampleX, sampleY } from "./_border";
import { at, nodeX, nodeY, Polygon, put } from "./_polygon";
import { tick, Watch } from "./_watch";

@inline function middle(polygon: Polygon, i: i32): i32 {
  return (at(polygon.low, i) + at(polygon.high, i)) >> 1;
}

/** The sample at the end of the line around vertex i, or 0 when the border does not turn back there. */
function endOf(border: Border, polygon: Polygon, i: i32): i32 {
  if (i == 0 && border.open) return 0;
  const a = middle(polygon, i == 0 ? polygon.m - 1 : i - 1);
  const here = middle(polygon, i);
  const b = middle(polygon, i + 1);
  const x = nodeX(polygon, here);
  const y = nodeY(polygon, here);
  const ax = x - nodeX(polygon, a);
  const ay = y - nodeY(polygon, a);
  const bx = nodeX(polygon, b) - x;
  const by = nodeY(polygon, b) - y;
  const dot = ax * bx + ay * by;
  if (dot > 0 || dot * dot < 0.8 * (ax * ax + ay * ay) * (bx * bx + by * by)) return 0;
  // around the cut it is the first sample or the last
  if (i == 0) {
    const n = border.n;
    const dx = sampleX(border, 1) - sampleX(border, n);
    const dy = sampleY(border, 1) - sampleY(border, n);
    return dx * ax + dy * ay > 0 ? 1 : n;
  }
  let best = 0;
  let far = -Infinity;
  for (let k = max(2, at(polygon.low, i) - 1); k <= min(border.n - 1, at(polygon.high, i) + 1); k++) {
    const along = sampleX(border, k) * ax + sampleY(border, k) * ay;
    if (along > far) {
      far = along;
      best = k;
    }
  }
  return best;
}

@inline function putVertex(polygon: Polygon, i: i32, low: i32, high: i32): void {
  put(polygon.low, i, low);
  put(polygon.high, i, high);
}

/** Gives a side to each end of a line that is one sample wide. */
export function capLines(border: Border, polygon: Polygon, watch: Watch): void {
  const m = polygon.m;
  const ends = polygon.before; // not in use yet
  let more = 0;
  for (let i = 0; i < m; i++) {
    if ((i & 31) == 31 && tick(watch)) return;
    const end = endOf(border, polygon, i);
    put(ends, i, end);
    if (end) more++;
  }
  // room is for one vertex a sample
  if (more == 0 || m + more > border.n) return;
  // an end at the last sample belongs to the vertex that closes the polygon
  const cut = at(ends, 0);
  put(ends, m, cut > 1 ? cut : 0);
  put(ends, 0, cut == 1 ? 1 : 0);
  // from the back, so that nothing is written over what is still to be read
  for (let i = m, to = m + more; i >= 0; i--) {
    const end = at(ends, i);
    putVertex(polygon, to--, end ? end : at(polygon.low, i), end ? end + 1 : at(polygon.high, i));
    if (end) putVertex(polygon, to--, end - 1, end);
  }
  polygon.m = m + more;
}
