// What the walks leave behind: straight borders in several sides, and a short side across a corner.
import { Border, isFine, recut, sampleX, sampleY } from "./_border";
import { at, fitLine, layNodes, nodeX, nodeY, Polygon, put, sideEnd, sideStart } from "./_polygon";
import { meet, Nearest, searchNearest } from "./_vertices";
import { forgetWalks, reach } from "./_reach";
import { tick, Watch } from "./_watch";

/** A line over two sides may be this much farther off the samples than the grain of a straight border is, in parts of it. */
const SLACK: f64 = 0.1;
/** Height of a roof that no line passes within half a pixel and this, px. */
const ROOF: f64 = 1.2;
/** What gray leaves of the grain on a straight border. */
const FINE: f64 = 0.65;
/** Most samples of a side that may hide a corner. */
const HIDDEN: i32 = 64;
/** How far from the border a corner may be, px, where the tolerance allows it, and a sample from its sides. */
const CORNER: f64 = 1;
const BESIDE: f64 = 0.75;
/** Sine of the turn of both neighbours from which a side may hide a corner, of stairs; a blunter one is a bend. */
const TURNED: f64 = 0.75;
/**
 * The same where gray has placed the samples. Gray rounds a corner by 0.28 px times the tangent of half its turn, so it is
 * looked for a little farther out than that: a round shape would have it farther.
 */
const FINE_TURNED: f64 = 0.3;
const FINE_BESIDE: f64 = 0.3;
const ROUNDED: f64 = 0.5;
const ROUNDED_ALWAYS: f64 = 0.15;
/** Length below which the first side of a walk may be a chamfer, px. */
const CHAMFER: f64 = 6;
/** Merges into one side in a row: a long line is looked at again for each. */
const MERGES: i32 = 8;

@inline function line(polygon: Polygon, i: i32): usize {
  return polygon.lines + (<usize>i << 5);
}

/** Distance of sample k from an endless line. */
@inline function offLine(border: Border, k: i32, line: usize): f64 {
  const dx = sampleX(border, k) - load<f64>(line);
  const dy = sampleY(border, k) - load<f64>(line, 8);
  return abs(dy * load<f64>(line, 16) - dx * load<f64>(line, 24));
}

/** Cosine of the turn from one line to another. */
@inline function along(a: usize, b: usize): f64 {
  return load<f64>(a, 16) * load<f64>(b, 16) + load<f64>(a, 24) * load<f64>(b, 24);
}

function moveSide(polygon: Polygon, from: i32, to: i32): void {
  if (from == to) return;
  memory.copy(line(polygon, to), line(polygon, from), 32);
  store<u8>(polygon.axial + <usize>to, load<u8>(polygon.axial + <usize>from));
}

function moveVertex(polygon: Polygon, from: i32, to: i32): void {
  put(polygon.low, to, at(polygon.low, from));
  put(polygon.high, to, at(polygon.high, from));
}

/** Joins neighbouring sides that one line serves as well. */
export function mergeSides(border: Border, polygon: Polygon, watch: Watch): void {
  let top = 0; // the last side kept
  let merges = 0;
  for (let i = 1; i < polygon.m; i++) {
    if ((i & 31) == 31 && tick(watch)) return;
    // sides 0..top are done; vertex top + 1 lies between side `top` and side i
    const spare = border.open || top + 1 > 2 - (polygon.m - i);
    if (merges < MERGES && spare && mergeInto(border, polygon, top, i)) {
      merges++;
      continue;
    }
    merges = 0;
    top++;
    moveSide(polygon, i, top);
    moveVertex(polygon, i, top);
  }
  moveVertex(polygon, polygon.m, top + 1);
  polygon.m = top + 1;
}

/** Replaces line `a` by one over sides a and b, when that passes all their samples. */
function mergeInto(border: Border, polygon: Polygon, a: i32, b: i32): bool {
  if (along(line(polygon, a), line(polygon, b)) < 0.8) return false;
  const first = sideStart(border, polygon, a);
  const last = sideEnd(border, polygon, b);
  const top = (at(polygon.low, b) + at(polygon.high, b)) >> 1;
  if (mergeOver(border, polygon, a, first, top, last)) return true;
  if (isFine(border)) return false;
  // a walk that drifted far on the next side leaves a wide doubt; what is sure may be nearly all
  const high = at(polygon.high, a);
  const low = at(polygon.low, b + 1);
  return 4 * (low - high) > 3 * (last - first) && mergeOver(border, polygon, a, high, top, low);
}

/** True when the border from node a over node b to node c forms so high a roof that no line passes all of it. */
function bends(polygon: Polygon, a: i32, b: i32, c: i32): bool {
  const x = nodeX(polygon, a);
  const y = nodeY(polygon, a);
  const dx = nodeX(polygon, c) - x;
  const dy = nodeY(polygon, c) - y;
  const cross = dx * (nodeY(polygon, b) - y) - dy * (nodeX(polygon, b) - x);
  return cross * cross > ROOF * ROOF * (dx * dx + dy * dy);
}

function mergeOver(border: Border, polygon: Polygon, a: i32, first: i32, top: i32, last: i32): bool {
  // without the samples at both ends, which may be around a corner
  const ends = isFine(border) ? 0 : 1;
  first = max(1, first + ends);
  last = min(border.n, last - ends);
  if (last - first < 2 || bends(polygon, first, top, last)) return false;
  const joined = polygon.scratch;
  const axial = fitLine(
    border,
    first,
    last,
    sampleX(border, last) - sampleX(border, first),
    sampleY(border, last) - sampleY(border, first),
    joined,
  );
  // the grain along the axis that the line crosses
  const limit = (isFine(border) ? FINE : 1) * border.grain * (max(abs(load<f64>(joined, 16)), abs(load<f64>(joined, 24))) + SLACK);
  for (let k = first; k <= last; k++) if (offLine(border, k, joined) > limit) return false;
  memory.copy(line(polygon, a), joined, 32);
  store<u8>(polygon.axial + <usize>a, axial ? 1 : 0);
  return true;
}

/** Takes out short sides where the lines of their neighbours meet on the border: there is a corner. */
export function sharpenCorners(border: Border, polygon: Polygon, bound: f64, watch: Watch): void {
  const limit = min(CORNER, bound);
  let top = 0;
  const m = polygon.m;
  let left = m;
  for (let i = 1; i < m; i++) {
    if ((i & 31) == 31 && tick(watch)) return;
    if (i + 1 < m && (left > 3 || border.open) && hidesCorner(border, polygon, top, i, limit)) {
      // vertex i + 1 takes over what vertex i had
      put(polygon.low, i + 1, at(polygon.low, i));
      left--;
      continue;
    }
    top++;
    moveSide(polygon, i, top);
    moveVertex(polygon, i, top);
  }
  moveVertex(polygon, m, top + 1);
  polygon.m = top + 1;
}

function hidesCorner(border: Border, polygon: Polygon, previous: i32, i: i32, limit: f64): bool {
  const a = line(polygon, previous);
  const b = line(polygon, i + 1);
  const found = changetype<Nearest>(polygon.scratch);
  const fine = isFine(border);
  // a bend of several sides turns less over one of them
  const sine = abs(meet(a, b, found));
  const cosine = along(a, b);
  const least = fine ? FINE_TURNED : TURNED;
  if (sine < least && cosine > 0) return false;
  if (fine) limit = min(limit, ROUNDED_ALWAYS + (ROUNDED * sine) / max(1e-6, 1 + cosine));
  const beside = fine ? FINE_BESIDE : BESIDE;
  const first = (at(polygon.low, i) + at(polygon.high, i)) >> 1;
  const last = (at(polygon.low, i + 1) + at(polygon.high, i + 1) + 1) >> 1;
  if (last - first > HIDDEN) return false;
  for (let k = max(1, first); k <= min(border.n, last); k++)
    if (min(offLine(border, k, a), offLine(border, k, b)) > beside) return false;
  const x = found.x;
  const y = found.y;
  found.clear();
  searchNearest(border, max(0, first - 2), (first + last) >> 1, min(border.n + 1, last + 2), x, y, found);
  return found.square <= limit * limit;
}

/** Samples at each side of the cut that say where its corner is. */
const ARM: i32 = 48;

/**
 * Moves the cut of a border to the corner near it, if there is one: walks that begin beside a corner would cut it off.
 * `room` holds the border's samples.
 */
export function cutAtCorner(
  border: Border,
  polygon: Polygon,
  radius: f64,
  bound: f64,
  room: usize,
  watch: Watch,
): void {
  const end = border.n + 1;
  const a = polygon.lines;
  const b = polygon.lines + 32;
  polygon.backward = stepOff(border, polygon, polygon.low, end, -1, radius, watch);
  polygon.forward = stepOff(border, polygon, polygon.high, 0, 1, radius, watch);
  const reachedA = armOf(border, polygon.low, polygon.backward, -1, a);
  const reachedB = armOf(border, polygon.high, polygon.forward, 1, b);
  if (reachedA <= reachedB) return;
  const found = changetype<Nearest>(polygon.scratch);
  if (abs(meet(a, b, found)) < 0.35) return;
  const x = found.x;
  const y = found.y;
  found.clear();
  searchNearest(border, 0, 0, reachedB, x, y, found);
  searchNearest(border, reachedA, end, end, x, y, found);
  const limit = min(CORNER, bound);
  if (found.square > limit * limit) return;
  recut(border, found.after < 1 || found.after > border.n ? 1 : found.after, x, y, room);
  forgetWalks(polygon);
  layNodes(border, polygon, watch);
}

/** Takes a first step of a walk, and a second if that may be a chamfer; returns how many. */
function stepOff(
  border: Border,
  polygon: Polygon,
  list: usize,
  from: i32,
  step: i32,
  radius: f64,
  watch: Watch,
): i32 {
  const to = reach(border, polygon, from, step, radius, watch);
  put(list, 0, from);
  put(list, 1, to);
  const dx = nodeX(polygon, to) - nodeX(polygon, from);
  const dy = nodeY(polygon, to) - nodeY(polygon, from);
  if (to == border.n + 1 - from || dx * dx + dy * dy >= CHAMFER * CHAMFER) return 1;
  put(list, 2, reach(border, polygon, to, step, radius, watch));
  return 2;
}

/** The line of the first side from the cut that is no chamfer, and a sample on it. */
function armOf(border: Border, list: usize, steps: i32, step: i32, line: usize): i32 {
  const from = at(list, steps - 1);
  // the walk runs over the side's far end a little
  const to = step > 0 ? min(at(list, steps) - 2, from + ARM) : max(at(list, steps) + 2, from - ARM);
  const first = max(1, min(from, to));
  const last = min(border.n, max(from, to));
  if (last - first < 2) return step > 0 ? border.n + 1 : 0;
  const chordX = sampleX(border, last) - sampleX(border, first);
  const chordY = sampleY(border, last) - sampleY(border, first);
  fitLine(border, first, last, chordX, chordY, line);
  return step > 0 ? last : first;
}
