// One stroke as a row of samples: the plain places of its branches, with its joints and ends put in.
import { Arm, bentOf, lookAlong, windowOf } from "./_arm";
import {
  chainAt, countOf, degreeOf, Graph, headOf, jointOf, midX, midY, nextOf, partnerOf, pixelX, pixelY, place, radius,
  rootAt, wideAt,
} from "./_graph";
import { runInk } from "./_ray";

/** f64 x, y; f32 parameter; i32 1 at a corner. */
export const SAMPLE_BYTES: usize = 24;
/** Most samples that are put in at a joint, and at both ends. */
export const MORE: i32 = 16;
/** Widths that a stroke's width is the middle one of. */
const WIDTHS: i32 = 512;
/** Samples whose middle tells where the end of a stroke is, across it. */
const SETTLED: i32 = 7;
/** Halves of a joint that tell where it is. */
const MEETING: i32 = 12;

@unmanaged
export class Stroke {
  samples: usize;
  /** Samples from..to - 1. */
  from: i32;
  to: i32;
  closed: bool;
  width: f64;
  /** f32[WIDTHS]. */
  widths: usize;
  known: i32;
  stride: i32;
  seen: i32;
  a: Arm;
  b: Arm;
  /** Where the arms of a joint meet. */
  x: f64;
  y: f64;
}

@inline export function sx(s: Stroke, i: i32): f64 {
  return load<f64>(s.samples + <usize>i * SAMPLE_BYTES);
}

@inline export function sy(s: Stroke, i: i32): f64 {
  return load<f64>(s.samples + <usize>i * SAMPLE_BYTES, 8);
}

@inline export function cornerAt(s: Stroke, i: i32): i32 {
  return load<i32>(s.samples + <usize>i * SAMPLE_BYTES, 20);
}

export function put(s: Stroke, x: f64, y: f64, corner: i32): void {
  const at = s.samples + <usize>s.to * SAMPLE_BYTES;
  store<f64>(at, x);
  store<f64>(at, y, 8);
  store<i32>(at, corner, 20);
  s.to++;
}

/** Places left out at a half's end: what its joint bends, or where a skeleton may run into a corner of the end. */
function skipped(g: Graph, h: i32): i32 {
  if (jointOf(g, h) >= 0) return bentOf(g, h);
  const count = countOf(g, h >> 1);
  const r = radius(g, chainAt(g, place(g, h, 0)));
  return <f64>count > 2 * r + 6 ? <i32>(0.5 * r) : 0;
}

/** Gathers the stroke that begins at half h; closed when it comes back to it. `places` is what its branches have. */
export function gather(g: Graph, s: Stroke, begin: i32, ring: bool, places: i32): void {
  // the first place is for what the start may be drawn out by
  s.from = 1;
  s.to = 1;
  s.known = 0;
  s.seen = 0;
  s.stride = 1 + places / WIDTHS;
  s.closed = ring;
  let h = begin;
  if (!ring && rootAt(g, h) >= 0) {
    meet(g, s, h);
    put(s, s.x, s.y, 0);
  }
  for (;;) {
    const far = h ^ 1;
    const count = countOf(g, h >> 1);
    let skip = ring && jointOf(g, h) < 0 ? 0 : skipped(g, h);
    let keep = ring && jointOf(g, far) < 0 ? count : count - skipped(g, far);
    if (skip >= keep) {
      // all is bent: the place that is farthest from joints stands for it, if any is free of them
      const free = jointOf(g, h) < 0 ? 0 : jointOf(g, far) < 0 ? count - 1 : -1;
      skip = free < 0 ? 0 : free;
      keep = free < 0 ? 0 : free + 1;
    }
    for (let i = skip; i < keep; i++) {
      const at = place(g, h, i);
      put(s, midX(g, at), midY(g, at), 0);
      const wide = wideAt(g, at);
      if (s.seen++ % s.stride == 0 && wide > 0 && s.known < WIDTHS) {
        store<f32>(s.widths + (<usize>s.known << 2), <f32>wide);
        s.known++;
      }
    }
    const next = partnerOf(g, far);
    if (next < 0) {
      if (!ring && rootAt(g, far) >= 0) {
        meet(g, s, far);
        put(s, s.x, s.y, 0);
      }
      h = far;
      break;
    }
    bridge(g, s, far, next);
    if (next == begin) break;
    h = next;
  }
  s.width = middleWidth(s);
  if (s.width == 0) s.width = 2 * radius(g, chainAt(g, place(g, begin, 0)));
  if (s.to == s.from) put(s, midX(g, place(g, begin, 0)), midY(g, place(g, begin, 0)), 0);
  if (ring) {
    if (s.to - s.from > 1) put(s, sx(s, s.from), sy(s, s.from), cornerAt(s, s.from));
    else s.closed = false;
    return;
  }
  if (s.to - s.from < 2) return;
  if (rootAt(g, h) < 0) drawOut(g, s, s.to - 1, -1);
  if (rootAt(g, begin) < 0) drawOut(g, s, s.from, 1);
}

function middleWidth(s: Stroke): f64 {
  const n = s.known;
  if (n == 0) return 0;
  // Shell's sort
  for (let gap = n / 2; gap > 0; gap /= 2)
    for (let i = gap; i < n; i++) {
      const value = load<f32>(s.widths + (<usize>i << 2));
      let j = i;
      for (; j >= gap; j -= gap) {
        const other = load<f32>(s.widths + (<usize>(j - gap) << 2));
        if (other <= value) break;
        store<f32>(s.widths + (<usize>j << 2), other);
      }
      store<f32>(s.widths + (<usize>j << 2), value);
    }
  return load<f32>(s.widths + (<usize>(n / 2) << 2));
}

/** Moves a free end to half a width before the end of the ink; `inward` is the step to the next sample. */
function drawOut(g: Graph, s: Stroke, end: i32, inward: i32): void {
  const n = s.to - s.from;
  const back = end + inward * min(n - 1, 4 + <i32>Math.ceil(0.5 * s.width));
  let dx = sx(s, end) - sx(s, back);
  let dy = sy(s, end) - sy(s, back);
  const length = Math.sqrt(dx * dx + dy * dy);
  if (length < 0.5) return;
  dx /= length;
  dy /= length;
  const ink = runInk(g, sx(s, end), sy(s, end), dx, dy, 2 * s.width + 4);
  if (ink < 0) return;
  const more = min(1.5 * s.width, ink - 0.5 * s.width);
  // the last samples lean towards whatever pixels close the stroke: their middle does less
  const settled = min(n, SETTLED);
  let off: f64 = 0;
  for (let k = 0; k < settled; k++) {
    const i = end + inward * k;
    off += (sy(s, i) - sy(s, back)) * dx - (sx(s, i) - sx(s, back)) * dy;
  }
  off = off / <f64>settled;
  store<f64>(s.samples + <usize>end * SAMPLE_BYTES, sx(s, end) - off * dy);
  store<f64>(s.samples + <usize>end * SAMPLE_BYTES, sy(s, end) + off * dx, 8);
  const x = sx(s, end) + more * dx;
  const y = sy(s, end) + more * dy;
  if (more > 0.2) {
    if (inward < 0) put(s, x, y, 0);
    else {
      s.from--;
      store<f64>(s.samples + <usize>s.from * SAMPLE_BYTES, x);
      store<f64>(s.samples + <usize>s.from * SAMPLE_BYTES, y, 8);
      store<i32>(s.samples + <usize>s.from * SAMPLE_BYTES, 0, 20);
    }
  } else if (more < -0.2) {
    // what lies behind the new end goes
    let k = end;
    while (s.to - s.from > 2 && (sx(s, k + inward) - x) * dx + (sy(s, k + inward) - y) * dy > 0) {
      if (inward < 0) s.to--;
      else s.from++;
      k += inward;
    }
    const step = (sx(s, k + inward) - x) * dx + (sy(s, k + inward) - y) * dy;
    if (step > 0) return;
    store<f64>(s.samples + <usize>k * SAMPLE_BYTES, x);
    store<f64>(s.samples + <usize>k * SAMPLE_BYTES, y, 8);
  }
}

/** Where the lines of all arms of a joint come nearest to each other; for the arm of half h not far from its joint. */
function meet(g: Graph, s: Stroke, h: i32): void {
  const root = rootAt(g, h);
  const n = min(degreeOf(g, root), MEETING);
  const cx = pixelX(g, root);
  const cy = pixelY(g, root);
  // a little weight at the middle keeps parallel arms from meeting far away
  let xx: f64 = 0.02;
  let xy: f64 = 0;
  let yy: f64 = 0.02;
  let bx: f64 = 0;
  let by: f64 = 0;
  let k = headOf(g, root);
  for (let i = 0; i < n; i++) {
    lookAlong(g, k, s.a);
    const nx = -s.a.uy;
    const ny = s.a.ux;
    const far = nx * (s.a.x - cx) + ny * (s.a.y - cy);
    xx += nx * nx;
    xy += nx * ny;
    yy += ny * ny;
    bx += nx * far;
    by += ny * far;
    k = nextOf(g, k);
  }
  const determinant = xx * yy - xy * xy;
  s.x = cx + (bx * yy - by * xy) / determinant;
  s.y = cy + (by * xx - bx * xy) / determinant;
  const own = jointOf(g, h);
  const dx = s.x - pixelX(g, own);
  const dy = s.y - pixelY(g, own);
  const most = 2 * radius(g, root) + 1.5;
  if (dx * dx + dy * dy > most * most) {
    s.x = pixelX(g, own);
    s.y = pixelY(g, own);
  }
}

/** Puts in what lies between two arms that are one stroke: a corner, or samples of a parabola through both. */
function bridge(g: Graph, s: Stroke, p: i32, q: i32): void {
  const a = s.a;
  const b = s.b;
  lookAlong(g, p, a);
  lookAlong(g, q, b);
  const r = radius(g, rootAt(g, p));
  const turn = -(a.ux * b.ux + a.uy * b.uy);
  if (turn < 0.7) {
    // the point where both lines meet
    const cross = a.ux * b.uy - a.uy * b.ux;
    if (abs(cross) < 0.2) return;
    const t = ((b.x - a.x) * b.uy - (b.y - a.y) * b.ux) / cross;
    const u = ((b.x - a.x) * a.uy - (b.y - a.y) * a.ux) / cross;
    if (t > 0 || u > 0 || t < -3 * r - 3 || u < -3 * r - 3) return;
    put(s, a.x + t * a.ux, a.y + t * a.uy, 1);
    return;
  }
  const gapX = b.x - a.x;
  const gapY = b.y - a.y;
  const gap = Math.sqrt(gapX * gapX + gapY * gapY);
  // arms that pass each other, as short ones between close joints may, have nothing between them
  if (gap < 1.8 || gapX * a.ux + gapY * a.uy > 0 || gapX * b.ux + gapY * b.uy < 0) return;
  const ux = gapX / gap;
  const uy = gapY / gap;
  // v over u by least squares, in units of the gap, from the first plain places of both arms
  let s1: f64 = 0;
  let s2: f64 = 0;
  let s3: f64 = 0;
  let s4: f64 = 0;
  let n: f64 = 0;
  let v0: f64 = 0;
  let v1: f64 = 0;
  let v2: f64 = 0;
  for (let side = 0; side < 2; side++) {
    const h = side == 0 ? p : q;
    const from = min(bentOf(g, h), countOf(g, h >> 1) - 1);
    const to = min(countOf(g, h >> 1), from + windowOf(g, h));
    for (let i = from; i < to; i++) {
      const dx = midX(g, place(g, h, i)) - a.x;
      const dy = midY(g, place(g, h, i)) - a.y;
      const u = (dx * ux + dy * uy) / gap;
      const v = dy * ux - dx * uy;
      n++;
      s1 += u;
      s2 += u * u;
      s3 += u * u * u;
      s4 += u * u * u * u;
      v0 += v;
      v1 += u * v;
      v2 += u * u * v;
    }
  }
  const m1 = s2 * s4 - s3 * s3;
  const m2 = s1 * s4 - s2 * s3;
  const m3 = s1 * s3 - s2 * s2;
  const determinant = n * m1 - s1 * m2 + s2 * m3;
  let c0: f64 = 0;
  let c1: f64 = 0;
  let c2: f64 = 0;
  if (determinant > 1e-6) {
    c0 = (v0 * m1 - v1 * m2 + v2 * m3) / determinant;
    c1 = (-v0 * m2 + v1 * (n * s4 - s2 * s2) - v2 * (n * s3 - s1 * s2)) / determinant;
    c2 = (v0 * m3 - v1 * (n * s3 - s1 * s2) + v2 * (n * s2 - s1 * s1)) / determinant;
  }
  const count = min(MORE - 1, <i32>gap);
  for (let k = 1; k < count; k++) {
    const u = <f64>k / <f64>count;
    const v = max(-0.5 * gap, min(0.5 * gap, c0 + u * (c1 + u * c2)));
    put(s, a.x + u * gapX - v * uy, a.y + u * gapY + v * ux, 0);
  }
}
