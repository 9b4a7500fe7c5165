// Rings moved sideways. What comes out crosses itself wherever the distance is too much for a bend; the region where its
// winding is positive is the exact answer, but for rounding: each edge adds (or takes away) the rectangle between itself
// and its moved copy, each corner that opens the sector between two of them.

import { checkpoint, NO_ROOM, STOPPED } from "./control";

const ROUND: i32 = 0;
const MITER: i32 = 1;
const BUTT: i32 = 1;
/** Set in the tag of the edge behind a node where a stroke turns back. */
const CAP: u32 = 1 << 30;
/** Least lines to a full turn, however coarse the tolerance. */
const LEAST_LINES: f64 = 8;

/** An edge as the corners at its ends see it: its direction, its length, and how much of it the corner before it takes away. */
const EDGE: usize = 32;

@unmanaged
class Shift {
  distance: f64;
  join: i32;
  cap: i32;
  /** Corners with a cosine of the turn of at least this, halved, are mitered. */
  miter: f64;
  /** Angle of an arc's step, its cosine, and the cosine of half of it. */
  step: f64;
  cosStep: f64;
  cosHalf: f64;
  /** Square of the length up to which a line may bridge a bend that closes. */
  bridge: f64;
  edges: usize;
  xy: usize;
  tags: usize;
  outXy: usize;
  outTags: usize;
  /** Nodes written; those of the ring begin at `first`. */
  n: i32;
  first: i32;
  room: i32;
}

/** Bytes of scratch for `shiftRings`, of `most` nodes in a ring. */
export function shiftBytes(most: i32): f64 {
  return 256 + (<f64>EDGE + 12) * (<f64>most + 1);
}

/**
 * Moves rings outwards, as seen from the ink to the right of what leads down the screen, or inwards where the distance is
 * negative. A corner that closes becomes one node where its edges are long enough, else three, by way of the old node.
 *
 * xy, tags   i32 pairs and u32 a node: where it is, a tag of the edge to the next, below 2^30; with bit 30 set, a stroke
 *            turns back at this node
 * ends       u32[rings], nodes up to and with each; no two neighbours alike, 2 nodes at least
 * distance   units
 * join       corners that open: 0 round, 1 mitered up to the limit, 2 squared
 * limit      the longest miter, in distances, >= 1; beyond it a corner is squared
 * cap        ends of strokes: 0 round, 1 butt, 2 square
 * tolerance  how far lines may leave arcs, units, > 0
 * radius     arcs have the steps that an arc of this radius needs, >= |distance|
 * scratch    u8[shiftBytes(nodes of the longest ring)], 16-byte aligned
 * outXy, outTags, outEnds   written: as the first three, room for outRoom nodes and for `rings` rings
 * returns    rings written, or NO_ROOM, or STOPPED; reports nodes
 * cost       O(n): about 30 ns a node, 100 where it becomes an arc
 * source     own; the winding rule after Chen and McMains 2005, Polygon offsetting by computing winding numbers
 */
export function shiftRings(
  xy: usize, tags: usize, ends: usize, rings: i32, distance: f64, join: i32, limit: f64, cap: i32, tolerance: f64, radius: f64,
  scratch: usize, outXy: usize, outTags: usize, outEnds: usize, outRoom: i32,
): i32 {
  const s = changetype<Shift>(scratch);
  s.distance = distance;
  s.join = join;
  s.cap = cap;
  s.miter = 1 / (limit * limit);
  s.step = Math.min(4 * Math.asin(Math.sqrt(Math.min(1, tolerance / (2 * radius)))), (2 * Math.PI) / LEAST_LINES);
  s.cosStep = Math.cos(s.step);
  s.cosHalf = Math.cos(s.step / 2);
  const size = abs(distance);
  s.bridge = Math.min(4 * size * tolerance * (size / radius), distance * distance);
  s.xy = scratch + 256;
  s.outXy = outXy;
  s.outTags = outTags;
  s.n = 0;
  s.room = outRoom;
  let written = 0;
  let from = 0;
  for (let ring = 0; ring < rings; ring++) {
    const end = load<i32>(ends + (<usize>ring << 2));
    s.tags = s.xy + (<usize>(end - from) << 3);
    s.edges = (s.tags + (<usize>(end - from) << 2) + 7) & ~7;
    s.first = s.n;
    let n = 0;
    for (let i = from; i < end; i += 2048) {
      n = bridgeBends(s, xy, tags, i, min(end, i + 2048), n);
      if (checkpoint(from)) return STOPPED;
    }
    for (let i = 0; i < n; i += 1024) {
      layEdges(s, i, min(n, i + 1024), n);
      if (checkpoint(from)) return STOPPED;
    }
    layTrims(s, n);
    for (let i = 0; i < n; i += 512) {
      if (!shiftCorners(s, i, min(n, i + 512), n)) return NO_ROOM;
      if (checkpoint(from)) return STOPPED;
    }
    while (s.n > s.first + 1 && load<u64>(outXy + (<usize>(s.n - 1) << 3)) == load<u64>(outXy + (<usize>s.first << 3))) s.n--;
    if (s.n - s.first < 3) s.n = s.first;
    else store<u32>(outEnds + (<usize>(written++) << 2), s.n);
    from = end;
  }
  return written;
}

@inline function edgeAt(s: Shift, i: i32): usize {
  return s.edges + <usize>i * EDGE;
}

/**
 * Copies nodes, without those in bends that close and that a short line bridges. All of the area between line and bend is
 * nearer than the distance to the bend; beside it, the moved line is beyond what the bend's ends reach by up to an eighth of
 * its squared length over the distance.
 */
function bridgeBends(s: Shift, xy: usize, tags: usize, i: i32, end: i32, n: i32): i32 {
  for (; i < end; i++) {
    const place = load<u64>(xy + (<usize>i << 3));
    while (n > 1 && isBridged(s, s.xy + (<usize>(n - 2) << 3), <i32>place, <i32>(place >> 32)) && (load<u32>(s.tags + (<usize>(n - 1) << 2)) & CAP) == 0) n--;
    store<u64>(s.xy + (<usize>n << 3), place);
    store<u32>(s.tags + (<usize>n << 2), load<u32>(tags + (<usize>i << 2)));
    n++;
  }
  return n;
}

@inline function isBridged(s: Shift, at: usize, x: i32, y: i32): bool {
  const ax = <f64>(x - load<i32>(at));
  const ay = <f64>(y - load<i32>(at, 4));
  if (ax * ax + ay * ay > s.bridge) return false;
  const bx = <f64>(load<i32>(at, 8) - load<i32>(at));
  const by = <f64>(load<i32>(at, 12) - load<i32>(at, 4));
  return (bx * ay - by * ax) * s.distance < 0;
}

/** Directions and lengths of edges i..end - 1 of a ring of n. */
function layEdges(s: Shift, i: i32, end: i32, n: i32): void {
  for (; i < end; i++) {
    const a = s.xy + (<usize>i << 3);
    const b = i + 1 == n ? s.xy : a + 8;
    const dx = <f64>(load<i32>(b) - load<i32>(a));
    const dy = <f64>(load<i32>(b, 4) - load<i32>(a, 4));
    const length = Math.sqrt(dx * dx + dy * dy);
    const edge = edgeAt(s, i);
    store<f64>(edge, dx / length);
    store<f64>(edge, dy / length, 8);
    store<f64>(edge, length, 16);
  }
}

/** How much of both its edges each corner takes away; infinite where it turns back. */
function layTrims(s: Shift, n: i32): void {
  const size = abs(s.distance);
  for (let i = 0; i < n; i++) {
    const a = edgeAt(s, i == 0 ? n - 1 : i - 1);
    const b = edgeAt(s, i);
    const cross = load<f64>(a) * load<f64>(b, 8) - load<f64>(a, 8) * load<f64>(b);
    const along = load<f64>(a) * load<f64>(b) + load<f64>(a, 8) * load<f64>(b, 8);
    store<f64>(b, cross * s.distance < 0 ? (size * abs(cross)) / (1 + along) : 0, 24);
  }
}

function shiftCorners(s: Shift, i: i32, end: i32, n: i32): bool {
  for (; i < end; i++) {
    const a = edgeAt(s, i == 0 ? n - 1 : i - 1);
    const b = edgeAt(s, i);
    const after = edgeAt(s, i + 1 == n ? 0 : i + 1);
    const at = s.xy + (<usize>i << 3);
    const x = <f64>load<i32>(at);
    const y = <f64>load<i32>(at, 4);
    const ux = load<f64>(a);
    const uy = load<f64>(a, 8);
    const vx = load<f64>(b);
    const vy = load<f64>(b, 8);
    const cross = ux * vy - uy * vx;
    const along = ux * vx + uy * vy;
    const d = s.distance;
    const tag = load<u32>(s.tags + (<usize>i << 2));
    // what leads away from the ink, twice
    const px = d * uy;
    const py = -d * ux;
    const qx = d * vy;
    const qy = -d * vx;
    const trim = load<f64>(b, 24);
    if ((tag & CAP) != 0) {
      if (s.cap == ROUND) addArc(s, x, y, px, py, qx, qy, Math.PI, tag);
      else if (s.cap == BUTT) addTwo(s, x + px, y + py, x + qx, y + qy, tag);
      else addTwo(s, x + px + abs(d) * ux, y + py + abs(d) * uy, x + qx + abs(d) * ux, y + qy + abs(d) * uy, tag);
    } else if (trim > 0) {
      if (load<f64>(a, 24) + trim <= load<f64>(a, 16) && trim + load<f64>(after, 24) <= load<f64>(b, 16)) {
        const k = 1 / (1 + along);
        add(s, x + k * (px + qx), y + k * (py + qy), tag);
      } else {
        add(s, x + px, y + py, tag);
        add(s, x, y, tag);
        add(s, x + qx, y + qy, tag);
      }
    } else if (along >= s.cosHalf || (s.join == MITER && 1 + along >= 2 * s.miter)) {
      const k = 1 / (1 + along);
      add(s, x + k * (px + qx), y + k * (py + qy), tag);
    } else if (s.join != ROUND) {
      // a side across the bisector, at the distance
      const half = Math.sqrt(max(0, (1 + along) / 2));
      const reach = (abs(d) * Math.sqrt(max(0, (1 - along) / 2))) / (1 + half);
      addTwo(s, x + px + reach * ux, y + py + reach * uy, x + qx - reach * vx, y + qy - reach * vy, tag);
    } else if (along >= s.cosStep) addTwo(s, x + px, y + py, x + qx, y + qy, tag);
    else addArc(s, x, y, px, py, qx, qy, Math.atan2(abs(cross), along), tag);
    if (s.n > s.room) return false;
  }
  return true;
}

@inline function addTwo(s: Shift, x0: f64, y0: f64, x1: f64, y1: f64, tag: u32): void {
  add(s, x0, y0, tag);
  add(s, x1, y1, tag);
}

/** The nodes of an arc around x, y, from one spoke to another. */
function addArc(s: Shift, x: f64, y: f64, px: f64, py: f64, qx: f64, qy: f64, angle: f64, tag: u32): void {
  const lines = Math.ceil(angle / s.step - 1e-9);
  const turn = (s.distance < 0 ? -angle : angle) / lines;
  const cos = Math.cos(turn);
  const sin = Math.sin(turn);
  add(s, x + px, y + py, tag);
  for (let k: f64 = 1; k < lines; k++) {
    const nextX = cos * px - sin * py;
    py = sin * px + cos * py;
    px = nextX;
    add(s, x + px, y + py, tag);
  }
  add(s, x + qx, y + qy, tag);
}

/** Writes a node, unless the ring's last is the same or there is no room: then it only counts. */
function add(s: Shift, x: f64, y: f64, tag: u32): void {
  const n = s.n;
  if (n >= s.room) {
    s.n = s.room + 1;
    return;
  }
  const at = s.outXy + (<usize>n << 3);
  const place = (<u64><u32><i32>nearest(y) << 32) | <u64><u32><i32>nearest(x);
  if (n > s.first && load<u64>(at - 8) == place) {
    store<u32>(s.outTags + (<usize>(n - 1) << 2), tag & ~CAP);
    return;
  }
  store<u64>(at, place);
  store<u32>(s.outTags + (<usize>n << 2), tag & ~CAP);
  s.n = n + 1;
}
