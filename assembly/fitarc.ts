// Polylines to lines and arcs. Angles are never taken: an arc is known by the sine and cosine of half its sweep.

import { checkpoint, STOPPED } from "./control";

/** Vertices looked at between two checkpoints, about 20 us. */
const SLICE: i32 = 2048;
/** No arc turns further, so that its ends cannot meet by rounding: cosine of half of 330 degrees. */
const WIDEST: f64 = -0.9659258262890683;
/** The same as a quarter-turn count, see `quartersOf`. */
const WIDEST_QUARTERS: f64 = 3.6339745962155614;
/** What controllers allow the ends of an arc to differ in radius, mm. */
const RADII: f64 = 0.005;
/** An arc has to go so many times as far as a line would, so that straight runs stay straight. */
const WORTH: f64 = 1.2;

const NONE: i32 = 0;
const LINE: i32 = 1;
const ARC: i32 = 2;

/** Segments of kind 2 turn clockwise on the screen, where y is down. */
const CLOCKWISE: u8 = 2;
const COUNTER: u8 = 3;

@unmanaged
class Fit {
  /** f64 pairs, mm: the path's points, none twice in a row. */
  points: usize;
  tolerance: f64;
  /** Units to a millimetre that ends and centres are whole numbers of. */
  scale: f64;
  minRadius: f64;
  maxRadius: f64;
  /** Where the present segment starts and ends, rounded. */
  ax: f64;
  ay: f64;
  bx: f64;
  by: f64;
  /** Of half the sweep. */
  sine: f64;
  cosine: f64;
  /** The change of half the sweep, as a tangent, that the vertices seen so far allow. */
  least: f64;
  most: f64;
  /** 1 for clockwise on the screen, -1 for the other way. */
  turn: f64;
  cx: f64;
  cy: f64;
  /** The lesser and the greater of the distances of both ends from the centre. */
  inner: f64;
  outer: f64;
  /** Of the arc kept last: its centre and turn. */
  keptX: f64;
  keptY: f64;
  keptTurn: f64;
  /** How far along the chord or the arc the vertices came. */
  reached: f64;
  /** Vertices done before this path, and looked at since the last checkpoint. */
  done: i32;
  work: i32;
  stopped: i32;
}

/** Bytes of scratch that `fitArcs` needs when no path has more than n points. */
export function fitArcsBytes(n: i32): f64 {
  return <f64>((offsetof<Fit>() + 15) & ~15) + 16 * <f64>n;
}

/**
 * Replaces polylines by the longest lines and arcs that stay near. Each segment begins and ends at a vertex of its path,
 * rounded, so corners stay. The deviation is measured along the radius (of lines, square to them): every vertex is
 * within the tolerance of its arc and every point of the arc within the tolerance of the edge on its ray, with all
 * numbers rounded, and whichever end's radius the arc is drawn with. Straight runs stay lines: an arc has to go 1.2
 * times as far. Where a segment goes back by more than the tolerance it is parted.
 *
 * ends       u32[paths], points up to and with each path
 * xy         f32 pairs, mm, finite
 * tolerance  mm, >= 1 / scale
 * scale      units to a millimetre, that ends and centres are rounded to
 * minRadius, maxRadius  mm, of arcs
 * scratch    u8[fitArcsBytes(points of the longest path)], 16-byte aligned
 * outEnds    u32[paths], written: segments up to and with each path
 * kinds      u8[points], written: 0 line, 2 arc clockwise on the screen, 3 counter-clockwise
 * out        f32 pairs, room for points + paths, written: per path its start, then 1 point for a line, centre and end for
 *            an arc. A path without points gets the end of the one before as its start
 * returns    segments, or STOPPED; reports points
 * cost       O(n log n): a segment's vertices are looked at about 4 log2(n) times
 * source     own; arcs through both ends as intervals of one number after Drysdale, Rote, Sturm 2008, approximation of
 *            an open polygonal curve with a minimum number of circular arcs and biarcs
 */
export function fitArcs(
  ends: usize, paths: i32, xy: usize, tolerance: f64, scale: f64, minRadius: f64, maxRadius: f64, scratch: usize, outEnds: usize, kinds: usize, out: usize,
): i32 {
  const fit = changetype<Fit>(scratch);
  fit.points = scratch + ((offsetof<Fit>() + 15) & ~15);
  fit.tolerance = tolerance;
  fit.scale = scale;
  fit.minRadius = minRadius;
  fit.maxRadius = maxRadius;
  fit.work = fit.stopped = 0;
  let from = 0;
  let segments = 0;
  let last: u64 = 0;
  for (let path = 0; path < paths; path++) {
    const to = load<i32>(ends + (<usize>path << 2));
    fit.done = from;
    const n = takePoints(fit, xy, from, to);
    if (n < 0) return STOPPED;
    if (n > 0) last = corner(fit, 0);
    store<u64>(out, last);
    out += 8;
    for (let i = 0; i < n - 1; ) {
      const next = longest(fit, i, n - 1);
      if (fit.stopped || checkpoint(from + i)) return STOPPED;
      const arc = fit.keptTurn != 0;
      const end = corner(fit, next);
      i = next;
      if (end == last) continue;
      if (arc) {
        store<u8>(kinds + segments, fit.keptTurn > 0 ? CLOCKWISE : COUNTER);
        store<f32>(out, <f32>fit.keptX);
        store<f32>(out, <f32>fit.keptY, 4);
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

// @ts-ignore: decorator
@inline
function rounded(fit: Fit, value: f64): f64 {
  // no "-0"
  return nearest(value * fit.scale) / fit.scale + 0;
}

/** A vertex as it is written. */
function corner(fit: Fit, i: i32): u64 {
  const at = fit.points + (<usize>i << 4);
  const x = <f32>rounded(fit, load<f64>(at));
  const y = <f32>rounded(fit, load<f64>(at, 8));
  return <u64>reinterpret<u32>(x) | (<u64>reinterpret<u32>(y) << 32);
}

/** The last vertex of the longest segment from vertex i; `kept...` tells of what kind it is. */
function longest(fit: Fit, i: i32, last: i32): i32 {
  const at = fit.points + (<usize>i << 4);
  fit.ax = rounded(fit, load<f64>(at));
  fit.ay = rounded(fit, load<f64>(at, 8));
  fit.keptTurn = 0;
  const straight = search(fit, i, i + 1, last, LINE);
  if (straight == last || fit.stopped) return straight;
  const round = search(fit, i, straight, last, ARC);
  if (round > straight && reach(fit, i, round) >= WORTH * reach(fit, i, straight)) return round;
  fit.keptTurn = 0;
  return straight;
}

/** Length of the path between two vertices. */
function reach(fit: Fit, i: i32, j: i32): f64 {
  let length: f64 = 0;
  for (let at = fit.points + (<usize>i << 4), end = fit.points + (<usize>j << 4); at < end; at += 16) {
    const dx = load<f64>(at, 16) - load<f64>(at);
    const dy = load<f64>(at, 24) - load<f64>(at, 8);
    length += Math.sqrt(dx * dx + dy * dy);
  }
  return length;
}

/** The farthest vertex that a segment of a kind takes in, galloping and then halving; `good` is one that is reached. */
function search(fit: Fit, i: i32, good: i32, last: i32, kind: i32): i32 {
  let bad = last + 1;
  for (let span = good + 1 - i; ; span <<= 1) {
    const j = min(i + span, last);
    if (j <= good) break;
    if (!fits(fit, i, j, kind)) {
      bad = j;
      break;
    }
    good = j;
  }
  while (bad - good > 1) {
    const j = (good + bad) >> 1;
    if (fits(fit, i, j, kind)) good = j;
    else bad = j;
  }
  return good;
}

/** Tells whether one segment of a kind goes from vertex i to vertex j; an arc that does is kept. */
function fits(fit: Fit, i: i32, j: i32, kind: i32): bool {
  const at = fit.points + (<usize>j << 4);
  fit.bx = rounded(fit, load<f64>(at));
  fit.by = rounded(fit, load<f64>(at, 8));
  if (kind == LINE) return isStraight(fit, i, j);
  if (!isRound(fit, i, j)) return false;
  fit.keptX = fit.cx;
  fit.keptY = fit.cy;
  fit.keptTurn = fit.turn;
  return true;
}

/** Tells whether to stop, once in a while. */
// @ts-ignore: decorator
@inline
function tick(fit: Fit, vertices: i32): bool {
  fit.work += vertices;
  if (fit.work < SLICE) return false;
  fit.work = 0;
  if (checkpoint(fit.done)) fit.stopped = 1;
  return fit.stopped != 0;
}

function isStraight(fit: Fit, i: i32, j: i32): bool {
  fit.reached = 0;
  for (let k = i; k <= j; k += SLICE) {
    const end = min(j + 1, k + SLICE);
    if (tick(fit, end - k) || !isNearChord(fit, k, end)) return false;
  }
  return true;
}

function isNearChord(fit: Fit, from: i32, to: i32): bool {
  const ax = fit.ax;
  const ay = fit.ay;
  const tolerance = fit.tolerance;
  const dx = fit.bx - ax;
  const dy = fit.by - ay;
  const squared = dx * dx + dy * dy;
  const aside = tolerance * tolerance * squared;
  const back = tolerance * Math.sqrt(squared);
  let reached = fit.reached;
  for (let at = fit.points + (<usize>from << 4), end = fit.points + (<usize>to << 4); at < end; at += 16) {
    const x = load<f64>(at) - ax;
    const y = load<f64>(at, 8) - ay;
    const along = x * dx + y * dy;
    const cross = x * dy - y * dx;
    if (cross * cross > aside || along < reached - back) return false;
    if (along <= 0) {
      if (!isNear(x, y, tolerance)) return false;
    } else if (along >= squared) {
      if (!isNear(x - dx, y - dy, tolerance)) return false;
    }
    reached = max(reached, along);
  }
  fit.reached = reached;
  return true;
}

/** Looks for the arc through both ends that stays nearest to the vertices between; it is checked as it will be written. */
function isRound(fit: Fit, i: i32, j: i32): bool {
  const dx = fit.bx - fit.ax;
  const dy = fit.by - fit.ay;
  const chord = Math.sqrt(dx * dx + dy * dy);
  if (chord == 0 || !bendsThrough(fit, fit.points + (<usize>((i + j) >> 1) << 4))) return false;
  fit.least = -Infinity;
  fit.most = Infinity;
  for (let k = i; k < j; k += SLICE) {
    const end = min(j, k + SLICE);
    if (tick(fit, end - k) || !narrow(fit, k, end, chord)) return false;
  }
  if (!(fit.least > -Infinity && fit.most < Infinity)) return false;
  bend(fit, (fit.least + fit.most) / 2);
  if (!placeCenter(fit, chord)) return false;
  fit.reached = 0;
  for (let k = i; k < j; k += SLICE) {
    const end = min(j, k + SLICE);
    if (tick(fit, end - k) || !isNearArc(fit, k, end)) return false;
  }
  return true;
}

/** Half the sweep of the arc through both ends and a vertex, from the angle at which the vertex sees them. */
function bendsThrough(fit: Fit, at: usize): bool {
  const x = load<f64>(at) - fit.ax;
  const y = load<f64>(at, 8) - fit.ay;
  const toX = fit.bx - load<f64>(at);
  const toY = fit.by - load<f64>(at, 8);
  const cross = x * toY - y * toX;
  const dot = x * toX + y * toY;
  const size = Math.sqrt(cross * cross + dot * dot);
  if (cross == 0) return false;
  fit.turn = cross > 0 ? 1 : -1;
  fit.sine = abs(cross) / size;
  fit.cosine = dot / size;
  return true;
}

/** Adds an angle, given by its tangent, to half the sweep. */
function bend(fit: Fit, tangent: f64): void {
  const size = 1 / Math.sqrt(1 + tangent * tangent);
  const sine = (fit.sine + tangent * fit.cosine) * size;
  fit.cosine = (fit.cosine - tangent * fit.sine) * size;
  fit.sine = sine;
}

/**
 * Narrows the change of half the sweep to what the vertices from..to, and the middles of the edges behind them, allow.
 * Over half the sweep a, how far a point is outside of the circle is p sin a - q cos a: linear in the change's tangent.
 */
function narrow(fit: Fit, from: i32, to: i32, chord: f64): bool {
  const ax = fit.ax;
  const ay = fit.ay;
  const dx = fit.bx - ax;
  const dy = fit.by - ay;
  const sine = fit.sine;
  const cosine = fit.cosine;
  const aside = fit.turn / chord;
  const tolerance = fit.tolerance;
  let least = fit.least;
  let most = fit.most;
  let at = fit.points + (<usize>from << 4);
  let x = load<f64>(at) - ax;
  let y = load<f64>(at, 8) - ay;
  for (const end = fit.points + (<usize>to << 4); at < end; at += 16) {
    let p = (x * (x - dx) + y * (y - dy)) / chord;
    let q = (dx * y - dy * x) * aside;
    let off = p * sine - q * cosine;
    let gain = p * cosine + q * sine;
    if (gain < 0) {
      const each = -1 / gain;
      least = max(least, (off - tolerance) * each);
      most = min(most, (off + tolerance) * each);
    }
    const nextX = load<f64>(at, 16) - ax;
    const nextY = load<f64>(at, 24) - ay;
    const midX = (x + nextX) / 2;
    const midY = (y + nextY) / 2;
    p = (midX * (midX - dx) + midY * (midY - dy)) / chord;
    q = (dx * midY - dy * midX) * aside;
    off = p * sine - q * cosine;
    gain = p * cosine + q * sine;
    if (gain < 0) most = min(most, (off + tolerance) / -gain);
    if (least > most) return false;
    x = nextX;
    y = nextY;
  }
  fit.least = least;
  fit.most = most;
  return true;
}

/** Puts the centre where half the sweep says, rounded; false where no arc may be. */
function placeCenter(fit: Fit, chord: f64): bool {
  if (!(fit.sine > 0 && fit.cosine > WIDEST)) return false;
  const out = (fit.turn * fit.cosine) / (2 * fit.sine);
  const dx = fit.bx - fit.ax;
  const dy = fit.by - fit.ay;
  const cx = rounded(fit, fit.ax + dx / 2 - dy * out);
  const cy = rounded(fit, fit.ay + dy / 2 + dx * out);
  const first = Math.sqrt((fit.ax - cx) * (fit.ax - cx) + (fit.ay - cy) * (fit.ay - cy));
  const last = Math.sqrt((fit.bx - cx) * (fit.bx - cx) + (fit.by - cy) * (fit.by - cy));
  fit.cx = cx;
  fit.cy = cy;
  fit.inner = min(first, last);
  fit.outer = max(first, last);
  return (
    fit.inner >= fit.minRadius && fit.outer <= fit.maxRadius && fit.outer - fit.inner <= min(RADII, fit.tolerance) &&
    quartersOf(fit, fit.bx, fit.by) <= WIDEST_QUARTERS
  );
}

/** How far around the centre a point is from the start, 0..4, growing with the angle; 1 is a quarter turn. */
// @ts-ignore: decorator
@inline
function quartersOf(fit: Fit, x: f64, y: f64): f64 {
  const fromX = fit.ax - fit.cx;
  const fromY = fit.ay - fit.cy;
  const toX = x - fit.cx;
  const toY = y - fit.cy;
  const cross = fit.turn * (fromX * toY - fromY * toX);
  const part = (fromX * toX + fromY * toY) / (abs(cross) + abs(fromX * toX + fromY * toY));
  return cross >= 0 ? 1 - part : 3 + part;
}

// @ts-ignore: decorator
@inline
function isNear(x: f64, y: f64, tolerance: f64): bool {
  return x * x + y * y <= tolerance * tolerance;
}

/** Checks the vertices after from..to and the edges that lead to them. */
function isNearArc(fit: Fit, from: i32, to: i32): bool {
  const cx = fit.cx;
  const cy = fit.cy;
  const inside = max(0.0, fit.outer - fit.tolerance);
  const inner = inside * inside;
  const outer = (fit.inner + fit.tolerance) * (fit.inner + fit.tolerance);
  const back = min(0.25, fit.tolerance / fit.inner);
  const whole = quartersOf(fit, fit.bx, fit.by);
  let reached = fit.reached;
  let at = fit.points + (<usize>from << 4);
  let x = load<f64>(at) - cx;
  let y = load<f64>(at, 8) - cy;
  for (const end = fit.points + (<usize>to << 4); at < end; at += 16) {
    const nextX = load<f64>(at, 16) - cx;
    const nextY = load<f64>(at, 24) - cy;
    const squared = nextX * nextX + nextY * nextY;
    if (squared < inner || squared > outer) return false;
    let quarters = quartersOf(fit, load<f64>(at, 16), load<f64>(at, 24));
    if (quarters > 4 - back) quarters -= 4;
    if (quarters < reached - back) return false;
    // beyond an end it is the end that has to be near
    if (quarters < 0 && !isNear(nextX + cx - fit.ax, nextY + cy - fit.ay, fit.tolerance)) return false;
    if (quarters > whole && !isNear(nextX + cx - fit.bx, nextY + cy - fit.by, fit.tolerance)) return false;
    reached = max(reached, quarters);
    // where the edge is nearest to the centre
    const dx = nextX - x;
    const dy = nextY - y;
    if (x * dx + y * dy < 0 && nextX * dx + nextY * dy > 0) {
      const cross = x * nextY - y * nextX;
      if (cross * cross < inner * (dx * dx + dy * dy)) return false;
    }
    x = nextX;
    y = nextY;
  }
  fit.reached = reached;
  return true;
}
