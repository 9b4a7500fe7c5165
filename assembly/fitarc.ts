// Polylines to lines and arcs.

import { checkpoint, STOPPED } from "./control";
import { Fit, isRound, isStraight, rounded, SLICE, tick } from "./_stretch";

/** An arc has to go so many times as far as a line would, so that straight runs stay straight. */
const WORTH: f64 = 1.2;

/** Of the tolerance: what lines and arcs are held to where they meet. */
const FINE: f64 = 0.125;

/** Bytes of a fit, of which points begin at a multiple of 16, and of a piece. */
const HEAD: usize = 256;
const PIECE: usize = 32;

const LINE: i32 = 1;
const ARC: i32 = 2;

/** Segments of kind 2 turn clockwise on the screen, where y is down. */
const CLOCKWISE: u8 = 2;
const COUNTER: u8 = 3;

/** Bytes of scratch that `fitArcs` needs when no path has more than n points. */
export function fitArcsBytes(n: i32): f64 {
  return <f64>(HEAD + 2 * PIECE) + <f64>(16 + PIECE) * <f64>n;
}

/**
 * Replaces polylines by the longest lines and arcs that stay near. Each segment begins and ends at a vertex of its path,
 * rounded, so corners stay. The deviation is measured along the radius (of lines, square to them): every vertex is
 * within the tolerance of its arc and every point of the arc within the tolerance of the edge on its ray, with all
 * numbers rounded, and whichever end's radius the arc is drawn with. Straight runs stay lines: an arc has to go 1.2
 * times as far. Where a segment goes back by more than the tolerance it is parted. Where two meet is then settled by
 * holding one of them to an eighth of the tolerance, which finds tangent points and halves of circles again.
 *
 * ends       u32[paths], points up to and with each path
 * xy         f32 pairs, mm, finite
 * tolerance  mm, >= 1 / scale
 * scale      units to a millimetre, that ends and centres are rounded to
 * minRadius, maxRadius  mm, of arcs; none is smaller than twice the tolerance
 * scratch    u8[fitArcsBytes(points of the longest path)], 16-byte aligned
 * outEnds    u32[paths], written: segments up to and with each path
 * kinds      u8[points], written: 0 line, 2 arc clockwise on the screen, 3 counter-clockwise
 * out        f32 pairs, room for points + paths, written: per path its start, then 1 point for a line, centre and end for
 *            an arc. A path without points gets the end of the one before as its start
 * returns    segments, or STOPPED; reports points
 * cost       O(n log n), about 0.3 us a point of curves
 * source     own; arcs through both ends as intervals of one number after Drysdale, Rote, Sturm 2008, approximation of
 *            an open polygonal curve with a minimum number of circular arcs and biarcs
 */
export function fitArcs(
  ends: usize, paths: i32, xy: usize, tolerance: f64, scale: f64, minRadius: f64, maxRadius: f64, scratch: usize, outEnds: usize, kinds: usize, out: usize,
): i32 {
  const fit = changetype<Fit>(scratch);
  fit.points = scratch + HEAD;
  fit.whole = fit.tolerance = tolerance;
  fit.scale = scale;
  fit.minRadius = minRadius;
  fit.maxRadius = maxRadius;
  fit.work = fit.stopped = 0;
  let from = 0;
  let segments = 0;
  // the start of paths without points that come before any point
  let last: u64 = paths > 0 && load<u32>(ends + (<usize>(paths - 1) << 2)) > 0 ? placeOf(fit, xy) : 0;
  for (let path = 0; path < paths; path++) {
    const to = load<i32>(ends + (<usize>path << 2));
    fit.done = from;
    const n = takePoints(fit, xy, from, to);
    if (n < 0) return STOPPED;
    // behind the points and two pieces that are tried
    fit.pieces = fit.points + (<usize>n << 4) + 2 * PIECE;
    if (n > 0) last = corner(fit, 0);
    store<u64>(out, last);
    out += 8;
    const count = split(fit, n);
    for (let k = 0; k < count - 1 && !fit.stopped; k++) {
      fit.done = from + ((n + pieceOf(fit, k).end) >> 1);
      settle(fit, k);
    }
    if (checkpoint(to)) return STOPPED;
    for (let k = 0; k < count; k++) {
      const piece = pieceOf(fit, k);
      const end = corner(fit, piece.end);
      if (end == last) continue;
      if (piece.turn != 0) {
        store<u8>(kinds + segments, piece.turn > 0 ? CLOCKWISE : COUNTER);
        store<u64>(out, packed(piece.x, piece.y));
        out += 8;
      } else store<u8>(kinds + segments, 0);
      store<u64>(out, end);
      out += 8;
      segments++;
      last = end;
    }
    store<u32>(outEnds + (<usize>path << 2), segments);
    from = to;
  }
  return segments;
}

/** Copies a path's points, but for those that repeat the one before; returns how many, or STOPPED. */
function takePoints(fit: Fit, xy: usize, from: i32, to: i32): i32 {
  let n = 0;
  for (let i = from; i < to; i += SLICE) {
    n = takeSlice(fit.points, n, xy + (<usize>i << 3), min(to - i, SLICE));
    if (checkpoint(from)) return STOPPED;
  }
  return n;
}

function takeSlice(points: usize, n: i32, xy: usize, count: i32): i32 {
  for (let end = xy + (<usize>count << 3); xy < end; xy += 8) {
    const x = <f64>load<f32>(xy);
    const y = <f64>load<f32>(xy, 4);
    const at = points + (<usize>n << 4);
    if (n > 0 && load<f64>(at - 16) == x && load<f64>(at - 8) == y) continue;
    store<f64>(at, x);
    store<f64>(at, y, 8);
    n++;
  }
  return n;
}

/** A vertex as it is written. */
function corner(fit: Fit, i: i32): u64 {
  const at = fit.points + (<usize>i << 4);
  return packed(rounded(fit, load<f64>(at)), rounded(fit, load<f64>(at, 8)));
}

function placeOf(fit: Fit, xy: usize): u64 {
  return packed(rounded(fit, <f64>load<f32>(xy)), rounded(fit, <f64>load<f32>(xy, 4)));
}

// @ts-ignore: decorator
@inline
function packed(x: f64, y: f64): u64 {
  return <u64>reinterpret<u32>(<f32>x) | (<u64>reinterpret<u32>(<f32>y) << 32);
}

/** A line or an arc that was chosen. */
@unmanaged
class Piece {
  /** Centre of an arc. */
  x: f64;
  y: f64;
  /** 0 for a line, else as `Fit.turn`. */
  turn: f64;
  /** The vertex where it ends. */
  end: i32;
}

// @ts-ignore: decorator
@inline
function pieceOf(fit: Fit, k: i32): Piece {
  return changetype<Piece>(fit.pieces + <usize>k * PIECE);
}

/** Splits the path into pieces, each as long as can be; returns how many. Reports half of the points. */
function split(fit: Fit, n: i32): i32 {
  const from = fit.done;
  let count = 0;
  for (let i = 0; i < n - 1; ) {
    const piece = pieceOf(fit, count++);
    i = longest(fit, i, n - 1, piece);
    fit.done = from + (i >> 1);
    if (checkpoint(fit.done)) fit.stopped = 1;
    if (fit.stopped) break;
  }
  return count;
}

/** The longest piece from vertex i; returns where it ends. */
function longest(fit: Fit, i: i32, last: i32, piece: Piece): i32 {
  piece.turn = 0;
  piece.end = search(fit, i, i + 1, last, LINE, fit.whole, piece);
  const straight = piece.end;
  if (straight == last) return last;
  const round = search(fit, i, straight, last, ARC, fit.whole, piece);
  if (round > straight && reach(fit, i, round) >= WORTH * reach(fit, i, straight)) return round;
  piece.turn = 0;
  piece.end = straight;
  return straight;
}

/**
 * Moves the vertex where two pieces meet to where the one that is surer of it ends when it is held to a fraction of the
 * tolerance, if the other reaches there: greed has gone past it, as far as the tolerance let it. Lines are surer than
 * arcs; two arcs of one circle get half of it each.
 */
function settle(fit: Fit, k: i32): void {
  const first = pieceOf(fit, k);
  const second = pieceOf(fit, k + 1);
  const from = k == 0 ? 0 : pieceOf(fit, k - 1).end;
  const to = second.end;
  const fine = min(fit.whole, max(fit.whole * FINE, 2 / fit.scale));
  const firstKind = first.turn == 0 ? LINE : ARC;
  const secondKind = second.turn == 0 ? LINE : ARC;
  const before = pieceOf(fit, -2);
  const after = pieceOf(fit, -1);
  if (firstKind == LINE || secondKind == ARC) {
    const least = firstKind == LINE ? from : from + 1;
    let meet = search(fit, from, least, first.end, firstKind, fine, before);
    if (meet == least) return;
    if (meet < first.end) {
      if (!fits(fit, meet, to, secondKind, fit.whole, after)) return;
    } else {
      meet = (from + to) >> 1;
      if (firstKind == LINE || !fits(fit, from, meet, ARC, fine, before) || !fits(fit, meet, to, ARC, fine, after)) return;
    }
  } else {
    const meet = search(fit, to, to, from, LINE, fine, after);
    if (meet >= first.end || meet <= from || !fits(fit, from, meet, ARC, fit.whole, before)) return;
    after.turn = 0;
    after.end = to;
  }
  take(first, before);
  take(second, after);
}

function take(piece: Piece, other: Piece): void {
  piece.x = other.x;
  piece.y = other.y;
  piece.turn = other.turn;
  piece.end = other.end;
}

/** Length of the path between two vertices. */
function reach(fit: Fit, i: i32, j: i32): f64 {
  let length: f64 = 0;
  for (let k = i; k < j; k += SLICE) {
    const end = min(j, k + SLICE);
    if (tick(fit, end - k)) break;
    length += lengthOf(fit.points, k, end);
  }
  return length;
}

function lengthOf(points: usize, i: i32, j: i32): f64 {
  let length: f64 = 0;
  for (let at = points + (<usize>i << 4), end = points + (<usize>j << 4); at < end; at += 16) {
    const dx = load<f64>(at, 16) - load<f64>(at);
    const dy = load<f64>(at, 24) - load<f64>(at, 8);
    length += Math.sqrt(dx * dx + dy * dy);
  }
  return length;
}

/**
 * The vertex farthest from `anchor`, on the way to `limit`, that a piece of a kind reaches, galloping and then halving;
 * `good` where none does. The piece that reaches it is kept.
 */
function search(fit: Fit, anchor: i32, good: i32, limit: i32, kind: i32, tolerance: f64, piece: Piece): i32 {
  const way = limit < anchor ? -1 : 1;
  const most = way * (limit - anchor);
  let near = way * (good - anchor);
  let far = most + 1;
  for (let span = near + 1; near < most; span <<= 1) {
    const next = min(span, most);
    if (!fits(fit, min(anchor, anchor + way * next), max(anchor, anchor + way * next), kind, tolerance, piece)) {
      far = next;
      break;
    }
    near = next;
  }
  while (far - near > 1) {
    const next = (near + far) >> 1;
    if (fits(fit, min(anchor, anchor + way * next), max(anchor, anchor + way * next), kind, tolerance, piece)) near = next;
    else far = next;
  }
  return anchor + way * near;
}

/** Tells whether one piece of a kind goes from vertex i to vertex j; it is kept if it does. */
function fits(fit: Fit, i: i32, j: i32, kind: i32, tolerance: f64, piece: Piece): bool {
  const from = fit.points + (<usize>i << 4);
  const to = fit.points + (<usize>j << 4);
  fit.tolerance = tolerance;
  fit.ax = rounded(fit, load<f64>(from));
  fit.ay = rounded(fit, load<f64>(from, 8));
  fit.bx = rounded(fit, load<f64>(to));
  fit.by = rounded(fit, load<f64>(to, 8));
  if (!(kind == LINE ? isStraight(fit, i, j) : isRound(fit, i, j))) return false;
  piece.x = fit.cx;
  piece.y = fit.cy;
  piece.turn = kind == LINE ? 0 : fit.turn;
  piece.end = j;
  return true;
}
