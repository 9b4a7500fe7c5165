// Whether one line or arc stays near enough to a stretch of a polyline. Angles are never taken: an arc is known by the
// sine and cosine of half its sweep.

import { checkpoint } from "./control";

/** Vertices looked at between two checkpoints, about 20 us. */
export const SLICE: i32 = 2048;
/** What a trial costs besides its vertices, in vertices. */
const TRIAL: i32 = 8;
/** No arc turns further, so that its ends cannot meet by rounding: cosine of half of 330 degrees. */
const WIDEST: f64 = -0.9659258262890683;
/** The same as a quarter-turn count, see `quartersOf`. */
const WIDEST_QUARTERS: f64 = 3.6339745962155614;
/** How much of the room that edges leave an arc may take. */
const EDGES: f64 = 0.75;
/** What controllers allow the ends of an arc to differ in radius, mm. */
const RADII: f64 = 0.005;
/** A path, what its segments have to keep to, and the one that is tried now. */
@unmanaged
export class Fit {
  /** f64 pairs, mm: the path's points, none twice in a row. */
  points: usize;
  /** The pieces chosen so far. */
  pieces: usize;
  /** What is asked for, and what the vertices of the present piece are held to, mm. */
  whole: f64;
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
  /** The change of half the sweep, as a tangent, that the vertices seen so far allow, and that the edges do. */
  least: f64;
  most: f64;
  cap: f64;
  /** 1 for clockwise on the screen, -1 for the other way. */
  turn: f64;
  cx: f64;
  cy: f64;
  /** The lesser and the greater of the distances of both ends from the centre. */
  inner: f64;
  outer: f64;
  /** How far along the chord or the arc the vertices came. */
  reached: f64;
  /** Vertices done, and looked at since the last checkpoint. */
  done: i32;
  work: i32;
  stopped: i32;
}

// @ts-ignore: decorator
@inline
export function rounded(fit: Fit, value: f64): f64 {
  // no "-0"
  return nearest(value * fit.scale) / fit.scale + 0;
}

/** Tells whether to stop, once in a while. */
// @ts-ignore: decorator
@inline
export function tick(fit: Fit, vertices: i32): bool {
  fit.work += vertices + TRIAL;
  if (fit.work < SLICE) return false;
  fit.work = 0;
  if (checkpoint(fit.done)) fit.stopped = 1;
  return fit.stopped != 0;
}

/** Whether the chord of vertices i and j, whose rounded places the fit holds, is near all between. */
export function isStraight(fit: Fit, i: i32, j: i32): bool {
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
export function isRound(fit: Fit, i: i32, j: i32): bool {
  const dx = fit.bx - fit.ax;
  const dy = fit.by - fit.ay;
  const chord = Math.sqrt(dx * dx + dy * dy);
  if (chord == 0 || !bendsThrough(fit, fit.points + (<usize>((i + j) >> 1) << 4))) return false;
  fit.least = -Infinity;
  fit.most = fit.cap = Infinity;
  for (let k = i; k < j; k += SLICE) {
    const end = min(j, k + SLICE);
    if (tick(fit, end - k) || !narrow(fit, k, end, chord)) return false;
  }
  if (!(fit.least > -Infinity && fit.most < Infinity)) return false;
  // vertices lie on the curve that was meant, edges inside of it: the former in the middle, as far as the latter allow
  const room = min(fit.cap, fit.most) - fit.least;
  if (room < 0) return false;
  bend(fit, min((fit.least + fit.most) / 2, fit.least + EDGES * room));
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
  const whole = fit.whole;
  let least = fit.least;
  let most = fit.most;
  let cap = fit.cap;
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
    if (gain < 0) cap = min(cap, (off + whole) / -gain);
    if (least > min(most, cap)) return false;
    x = nextX;
    y = nextY;
  }
  fit.least = least;
  fit.most = most;
  fit.cap = cap;
  return true;
}

/**
 * Puts the centre where half the sweep says, rounded; false where no arc may be. On circles of twice the tolerance and
 * more, an edge that is near is also on the side of the arc.
 */
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
    fit.inner >= max(fit.minRadius, 2 * fit.whole) && fit.outer <= fit.maxRadius && fit.outer - fit.inner <= min(RADII, fit.whole) &&
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
  const depth = max(0.0, fit.outer - fit.whole);
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
    // an edge turns by less than half round the centre, or it passes on the other side
    if (quarters < reached - back || quarters > reached + 2) return false;
    // beyond an end it is the end that has to be near
    if (quarters < 0 && !isNear(nextX + cx - fit.ax, nextY + cy - fit.ay, fit.tolerance)) return false;
    if (quarters > whole && !isNear(nextX + cx - fit.bx, nextY + cy - fit.by, fit.tolerance)) return false;
    reached = max(reached, quarters);
    // where the edge is nearest to the centre
    const dx = nextX - x;
    const dy = nextY - y;
    if (x * dx + y * dy < 0 && nextX * dx + nextY * dy > 0) {
      const cross = x * nextY - y * nextX;
      if (cross * cross < depth * depth * (dx * dx + dy * dy)) return false;
    }
    x = nextX;
    y = nextY;
  }
  fit.reached = reached;
  return true;
}
