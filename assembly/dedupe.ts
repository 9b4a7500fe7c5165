// Lines that would be burnt twice.

import { Cover, findParts, Kept, keepPart, setLine } from "./_cover";
import { checkpoint, NO_ROOM, STOPPED } from "./control";

/** Shorter covered runs stay, in tolerances: crossings at slight angles are such runs. */
const LEAST: f64 = 10;
/** Parts of a path's length that rounding may take. */
const TINY: f64 = 1e-9;

/** Where the pieces go. */
@unmanaged
class Pieces {
  /** Length that was left out, mm. */
  removed: f64;
  ends: usize;
  origin: usize;
  xy: usize;
  points: i32;
  room: i32;
  count: i32;
  /** f64[longest], the way along the path up to each point. */
  ways: usize;
  /** f64[4] each, the covered runs of the path, as `Cover.parts`; at last, of those to leave out from and to. */
  runs: usize;
  runCount: i32;
}

/** Bytes of scratch for `dropDoubles`. */
export function doublesBytes(longest: i32, room: i32): f64 {
  const slots = 1 << (32 - clz(room));
  return <f64>(offsetof<Cover>() + offsetof<Pieces>()) + <f64>(slots << 2) + <f64>longest * 8 + <f64>room * <f64>(32 + offsetof<Kept>() + 32 + 16) + 16;
}

/**
 * Leaves out what lies along lines kept before it: within the tolerance of one, at no more than 30 degrees to it, over
 * ten tolerances or all of a path. The rest is kept, cut where it has to be; nothing moves. Parts that are left out
 * count for nothing afterwards, so that none lies farther than the tolerance from what is kept.
 *
 * ends       u32[paths]
 * paths      >= 0
 * xy         f32 pairs, mm, finite
 * x0, y0     least x and y
 * span       diagonal of the box
 * tolerance  mm, > 0
 * longest    points of the longest path
 * outEnds    u32[room], written: points up to and with each piece
 * origin     u32[room], written: the path of each piece
 * outXy      f32[2 * room], written
 * removed    f64[1], written: length left out, mm
 * room       of pieces, points, kept lines and twice as many entries in cells, each
 * scratch    u8[doublesBytes(longest, room)], 8-byte aligned
 * returns    pieces; NO_ROOM, STOPPED; reports points, 2 * points in all
 * cost       O(points) times the lines within a cell of each
 * source     own; capsules against a hashed grid, 1-D union of intervals
 */
export function dropDoubles(
  ends: usize, paths: i32, xy: usize, x0: f64, y0: f64, span: f64, tolerance: f64, longest: i32,
  outEnds: usize, origin: usize, outXy: usize, removed: usize, room: i32, scratch: usize,
): i32 {
  const cover = changetype<Cover>(scratch);
  const pieces = changetype<Pieces>(scratch + offsetof<Cover>());
  const slots = 1 << (32 - clz(room));
  let at = scratch + offsetof<Cover>() + offsetof<Pieces>();
  pieces.ways = at;
  at += <usize>longest << 3;
  pieces.runs = at;
  at += <usize>room << 5;
  cover.parts = at;
  at += <usize>room << 5;
  cover.kept = at;
  at += <usize>room * offsetof<Kept>();
  cover.entries = at;
  at += <usize>room << 4;
  cover.heads = at;
  cover.mask = slots - 1;
  memory.fill(cover.heads, 0xff, <usize>slots << 2);
  cover.keptRoom = room;
  cover.partRoom = room;
  cover.entryRoom = 2 * room;
  cover.keptCount = 0;
  cover.entryCount = 0;
  cover.search = 0;
  cover.work = 0;
  cover.tolerance = tolerance;
  cover.blind = LEAST * tolerance;
  cover.x0 = x0;
  cover.y0 = y0;
  pieces.ends = outEnds;
  pieces.origin = origin;
  pieces.xy = outXy;
  pieces.room = room;
  pieces.points = 0;
  pieces.count = 0;
  pieces.removed = 0;

  const points = paths == 0 ? 0 : load<i32>(ends + (<usize>(paths - 1) << 2));
  const length = lengthOfAll(ends, paths, xy);
  if (length < 0) return STOPPED;
  cover.cell = max(max(4 * tolerance, length / (2 * <f64>max(points, 1))), span / 1048576);
  let from = 0;
  for (let path = 0; path < paths; path++) {
    const end = load<i32>(ends + (<usize>path << 2));
    cover.path = path;
    cover.done = points + from;
    let status = coverPath(cover, pieces, xy + (<usize>from << 3), end - from);
    if (status == 0) status = writePath(cover, pieces, xy + (<usize>from << 3), end - from);
    if (status < 0) return status;
    from = end;
    if ((path & 63) == 63 && checkpoint(points + from)) return STOPPED;
  }
  store<f64>(removed, pieces.removed);
  return pieces.count;
}

function lengthOfAll(ends: usize, paths: i32, xy: usize): f64 {
  let length: f64 = 0;
  let point = 0;
  for (let path = 0; path < paths; path++) {
    const last = load<i32>(ends + (<usize>path << 2)) - 1;
    while (point < last) {
      const stop = min(last, point + 4096);
      for (; point < stop; point++) length += lineLength(xy + (<usize>point << 3));
      if (point < last && checkpoint(point)) return -1;
    }
    point = last + 1;
    if ((path & 255) == 255 && checkpoint(point)) return -1;
  }
  return length;
}

@inline function lineLength(p: usize): f64 {
  const dx = <f64>load<f32>(p, 8) - <f64>load<f32>(p);
  const dy = <f64>load<f32>(p, 12) - <f64>load<f32>(p, 4);
  return Math.sqrt(dx * dx + dy * dy);
}

/** Finds the covered runs of a path, and keeps what is between them; 0, NO_ROOM or STOPPED. */
function coverPath(cover: Cover, pieces: Pieces, at: usize, n: i32): i32 {
  pieces.runCount = 0;
  let way: f64 = 0;
  for (let i = 0; i < n; i++) {
    store<f64>(pieces.ways + (<usize>i << 3), way);
    const p = at + (<usize>i << 3);
    if (i + 1 == n || !setLine(cover, p, way)) continue;
    const end = way + cover.length;
    let status = findParts(cover);
    if (status == 0) status = sortParts(cover);
    if (status < 0) return status;
    // what is between the parts is kept
    let reached = way;
    for (let k = 0; k < cover.partCount; k++) {
      const part = cover.parts + (<usize>k << 5);
      const from = load<f64>(part);
      const to = load<f64>(part, 8);
      if (from > reached) {
        status = keepPart(cover, reached, from);
        if (status < 0) return status;
      }
      if (!addRun(pieces, part)) return NO_ROOM;
      reached = max(reached, to);
    }
    if (reached < end) {
      status = keepPart(cover, reached, end);
      if (status < 0) return status;
    }
    way = end;
    cover.done++;
  }
  return 0;
}

/** Sorts the parts by where they begin: Shell's sort with gaps that shrink by 2.25; 0 or STOPPED. */
function sortParts(cover: Cover): i32 {
  const n = cover.partCount;
  if (n < 2) return 0;
  for (let gap = (n * 4) / 9; ; gap = (gap * 4) / 9) {
    gap = max(gap, 1);
    for (let i = gap; i < n; i++) {
      const part = cover.parts + (<usize>i << 5);
      const near = v128.load(part);
      const beside = v128.load(part, 16);
      const from = f64x2.extract_lane(near, 0);
      let to = part;
      for (; to >= cover.parts + (<usize>gap << 5); to -= <usize>gap << 5) {
        const other = to - (<usize>gap << 5);
        if (load<f64>(other) <= from) break;
        v128.store(to, v128.load(other));
        v128.store(to, v128.load(other, 16), 16);
      }
      v128.store(to, near);
      v128.store(to, beside, 16);
      if ((i & 255) == 255 && checkpoint(cover.done)) return STOPPED;
    }
    if (gap == 1) break;
  }
  return 0;
}

/** Adds a part that begins no sooner than the last run, or makes that one longer; false when there is no room. */
function addRun(pieces: Pieces, part: usize): bool {
  const last = pieces.runs + (<usize>(pieces.runCount - 1) << 5);
  if (pieces.runCount > 0 && load<f64>(part) <= load<f64>(last, 8) * (1 + TINY)) {
    store<f64>(last, max(load<f64>(part, 8), load<f64>(last, 8)), 8);
    store<f64>(last, min(load<f64>(part, 16), load<f64>(last, 16)), 16);
    store<f64>(last, max(load<f64>(part, 24), load<f64>(last, 24)), 24);
    return true;
  }
  if (pieces.runCount == pieces.room) return false;
  const run = pieces.runs + (<usize>pieces.runCount << 5);
  v128.store(run, v128.load(part));
  v128.store(run, v128.load(part, 16), 16);
  pieces.runCount++;
  return true;
}

/** Writes what is kept of a path; 0, NO_ROOM or STOPPED. */
function writePath(cover: Cover, pieces: Pieces, at: usize, n: i32): i32 {
  const whole = n == 0 ? 0 : load<f64>(pieces.ways + (<usize>(n - 1) << 3));
  const closed = n > 1 && sameSpot(at, at + (<usize>(n - 1) << 3));
  const tiny = whole * TINY;
  if (whole > 0 && pieces.runCount == 1 && load<f64>(pieces.runs) <= tiny && load<f64>(pieces.runs, 8) >= whole - tiny) {
    pieces.removed += whole;
    return 0;
  }
  chooseRuns(cover, pieces, whole, closed, tiny);
  const runs = pieces.runCount;
  if (runs == 0) return writePiece(pieces, at, n, 0, whole, cover.path, true);
  // the last piece of a closed path goes on as the first
  const last = pieces.runs + (<usize>(runs - 1) << 5);
  const around = closed && load<f64>(pieces.runs) > tiny && load<f64>(last, 8) < whole - tiny;
  let from: f64 = 0;
  for (let k = 0; k <= runs; k++) {
    const run = pieces.runs + (<usize>k << 5);
    const to = k < runs ? load<f64>(run) : whole;
    const goesOn = around && k == runs;
    if (to > from + tiny && !(around && k == 0)) {
      let status = writePiece(pieces, at, n, from, to, cover.path, !goesOn);
      if (status == 0 && goesOn) {
        // its end is the path's first point
        pieces.points--;
        status = writePiece(pieces, at, n, 0, load<f64>(pieces.runs), cover.path, true);
      }
      if (status < 0) return status;
    }
    if (k < runs) {
      pieces.removed += load<f64>(run, 8) - to;
      from = load<f64>(run, 8);
    }
    if ((k & 63) == 63 && checkpoint(cover.done)) return STOPPED;
  }
  return 0;
}

@inline function sameSpot(a: usize, b: usize): bool {
  return load<f32>(a) == load<f32>(b) && load<f32>(a, 4) == load<f32>(b, 4);
}

/**
 * Drops runs that are too short, and ends the others where what covers them ends: beyond it they are near, but not beside
 * it. Where an open path ends, so does the run.
 */
function chooseRuns(cover: Cover, pieces: Pieces, whole: f64, closed: bool, tiny: f64): void {
  const runs = pieces.runCount;
  if (runs == 0) return;
  const last = pieces.runs + (<usize>(runs - 1) << 5);
  const first = load<f64>(pieces.runs, 8) - load<f64>(pieces.runs);
  const final = load<f64>(last, 8) - load<f64>(last);
  const around = closed && runs > 1 && load<f64>(pieces.runs) <= tiny && load<f64>(last, 8) >= whole - tiny;
  let kept = 0;
  for (let k = 0; k < runs; k++) {
    const run = pieces.runs + (<usize>k << 5);
    let from = load<f64>(run);
    let to = load<f64>(run, 8);
    const length = around && (k == 0 || k == runs - 1) ? first + final : to - from;
    if (length < LEAST * cover.tolerance) continue;
    if (from > tiny || (closed && !around)) from = load<f64>(run, 16);
    if (to < whole - tiny || (closed && !around)) to = load<f64>(run, 24);
    if (to <= from) continue;
    const target = pieces.runs + (<usize>kept << 5);
    store<f64>(target, from <= tiny ? 0 : from);
    store<f64>(target, to >= whole - tiny ? whole : to, 8);
    kept++;
  }
  pieces.runCount = kept;
}

/** Writes the part of a path from one way along it to another; `ends` says that the piece ends there. */
function writePiece(pieces: Pieces, at: usize, n: i32, from: f64, to: f64, path: i32, ends: bool): i32 {
  const whole = n == 0 ? 0 : load<f64>(pieces.ways + (<usize>(n - 1) << 3));
  // the first point beyond the start
  let low = 0;
  let high = n;
  while (from > 0 && low < high) {
    const middle = (low + high) >> 1;
    if (load<f64>(pieces.ways + (<usize>middle << 3)) <= from) low = middle + 1;
    else high = middle;
  }
  if (pieces.points + (n - low) + 2 > pieces.room || pieces.count == pieces.room) return NO_ROOM;
  let out = pieces.xy + (<usize>pieces.points << 3);
  if (from > 0) out = writeSpot(pieces, at, low - 1, from, out);
  for (; low < n; low++) {
    if (to < whole && load<f64>(pieces.ways + (<usize>low << 3)) >= to) break;
    store<u64>(out, load<u64>(at + (<usize>low << 3)));
    out += 8;
  }
  if (to < whole) out = writeSpot(pieces, at, low - 1, to, out);
  pieces.points = <i32>((out - pieces.xy) >> 3);
  if (!ends) return 0;
  store<u32>(pieces.ends + (<usize>pieces.count << 2), pieces.points);
  store<u32>(pieces.origin + (<usize>pieces.count << 2), path);
  pieces.count++;
  return 0;
}

/** Writes the place on a line of a path that is some way along it. */
function writeSpot(pieces: Pieces, at: usize, i: i32, way: f64, out: usize): usize {
  const p = at + (<usize>i << 3);
  const start = load<f64>(pieces.ways + (<usize>i << 3));
  const length = lineLength(p);
  const t = length > 0 ? (way - start) / length : 0;
  const x = <f64>load<f32>(p);
  const y = <f64>load<f32>(p, 4);
  store<f32>(out, <f32>(x + t * (<f64>load<f32>(p, 8) - x)));
  store<f32>(out, <f32>(y + t * (<f64>load<f32>(p, 12) - y)), 4);
  return out + 8;
}
