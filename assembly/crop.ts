// Paths cut along the sides of a region.

import { ENTRY, sortEntries } from "./_active";
import { ALONG, enterSide, FALL, Field, meetSides, RISE, sideOf } from "./_cells";
import { checkpoint, NO_ROOM, STOPPED } from "./control";

/** Sides between two looks at the control block. */
const SLICE: i32 = 512;
/** Parts of a segment that are one place: less than f32 can tell. */
const SAME: f64 = 1e-12;

/**
 * Snaps the sides of closed paths to the integers of the field and counts them in its cells.
 *
 * field    Field, laid out up to `sides`, and `starts` of zeros
 * ends     u32[paths] of the region; open paths have no sides
 * returns  room for `list`, or STOPPED; reports points
 * cost     O(points + cells met)
 */
export function cropSides(at: usize, ends: usize, paths: i32): f64 {
  const field = changetype<Field>(at);
  let total: f64 = 0;
  let from = 0;
  field.stamp = 0;
  for (let path = 0; path < paths; path++) {
    const end = load<i32>(ends + (<usize>path << 2));
    const closed = end > from && sameAt(field.xy, from, end - 1);
    for (let i = from; i < end; i++) {
      const side = sideOf(field, i);
      side.stamp = 0;
      // the last point of a path, and all of an open one, have a side of no length
      const next = closed && i < end - 1 ? i + 1 : i;
      side.px = snap(field, field.xy, i, 0);
      side.py = snap(field, field.xy, i, 4);
      side.qx = snap(field, field.xy, next, 0);
      side.qy = snap(field, field.xy, next, 4);
      if (side.px != side.qx || side.py != side.qy) total += enterSide(field, i, false);
      if ((i & (SLICE - 1)) == 0 && checkpoint(i)) return STOPPED;
    }
    from = end;
  }
  return total;
}

/**
 * Lists the sides cell by cell.
 *
 * field    Field, as `cropSides` left it, with `list`; `starts` then tells where each cell begins
 * n        points of the region
 * returns  0, or STOPPED; reports points
 */
export function cropCells(at: usize, n: i32): i32 {
  const field = changetype<Field>(at);
  const cells = field.columns * field.rows;
  let place: u32 = 0;
  for (let i = 0; i <= cells; i++) {
    const start = field.starts + (<usize>i << 2);
    const count = load<u32>(start);
    store<u32>(start, place);
    place += count;
    if ((i & 16383) == 0 && checkpoint(0)) return STOPPED;
  }
  for (let i = 0; i < n; i++) {
    const side = sideOf(field, i);
    if (side.px != side.qx || side.py != side.qy) enterSide(field, i, true);
    if ((i & (SLICE - 1)) == 0 && checkpoint(i)) return STOPPED;
  }
  // each start has moved to the end of its cell, where the next one begins
  memory.copy(field.starts + 4, field.starts, <usize>cells << 2);
  store<u32>(field.starts, 0);
  return 0;
}

// @ts-ignore: decorator
@inline
function snap(field: Field, xy: usize, i: i32, part: usize): f64 {
  return nearest(<f64>load<f32>(xy + (<usize>i << 3) + part) * field.scale);
}

// @ts-ignore: decorator
@inline
function sameAt(xy: usize, i: i32, k: i32): bool {
  const a = xy + (<usize>i << 3);
  const b = xy + (<usize>k << 3);
  return load<f32>(a) == load<f32>(b) && load<f32>(a, 4) == load<f32>(b, 4);
}

/**
 * Cuts paths where they cross the sides of the region, and keeps the pieces inside or those outside.
 *
 * field    Field, whole
 * xy       f32 pairs, mm, finite
 * ends     u32[paths]
 * returns  pieces >= 0, their points in `field.points`; or STOPPED, or NO_ROOM; reports points
 * cost     O(points + what they meet in the cells that they go through)
 */
export function cropPaths(at: usize, xy: usize, ends: usize, paths: i32): i32 {
  const field = changetype<Field>(at);
  field.points = field.pieces = field.winding = 0;
  // where everything is known to be outside
  let x = field.gx - 2;
  let y = field.gy - 2;
  let from = 0;
  for (let path = 0; path < paths; path++) {
    const end = load<i32>(ends + (<usize>path << 2));
    if (checkpoint(from)) return STOPPED;
    if (end == from) continue;
    // the region around the start is known from the way to it
    const ax = snap(field, xy, from, 0);
    const ay = snap(field, xy, from, 4);
    if (ax != x || ay != y) travel(field, x, y, ax, ay);
    const status = cutPath(field, xy, from, end, path);
    if (status < 0) return status;
    x = snap(field, xy, end - 1, 0);
    y = snap(field, xy, end - 1, 4);
    from = end;
  }
  return field.pieces;
}

function travel(field: Field, ax: f64, ay: f64, bx: f64, by: f64): void {
  const count = meetSides(field, ax, ay, bx, by);
  for (let i = 0; i < count; i++) {
    const what = load<usize>(field.events + <usize>i * ENTRY, 8) & 3;
    if (what == RISE) field.winding++;
    else if (what == FALL) field.winding--;
  }
}

// @ts-ignore: decorator
@inline
function kept(field: Field, along: i32): bool {
  const within = field.parity ? (field.winding & 1) != 0 : field.winding != 0;
  return (within || along > 0) == (field.inside != 0);
}

function cutPath(field: Field, xy: usize, from: i32, end: i32, path: i32): i32 {
  const pieces = field.pieces;
  const points = field.points;
  const last = end - 1;
  let open = kept(field, 0);
  // the point at which the last piece was closed: if it goes on from there, it was only touched
  let shut = -1;
  // the first of the points alike, one after the other, of which the present one is the last
  let rest = from;
  // whether a piece begins at the first point
  let whole = open;
  field.begin = points;
  if (open && !push(field, xy + (<usize>from << 3))) return NO_ROOM;
  for (let i = from; i < last; i++) {
    const ax = snap(field, xy, i, 0);
    const ay = snap(field, xy, i, 4);
    const bx = snap(field, xy, i + 1, 0);
    const by = snap(field, xy, i + 1, 4);
    const still = ax == bx && ay == by;
    const count = still ? 0 : meetSides(field, ax, ay, bx, by);
    if (count > 1) sortEntries(field.events, count, field.spare);
    const stop = field.events + <usize>count * ENTRY;
    const next = xy + (<usize>(i + 1) << 3);
    let reached = false;
    let along = 0;
    for (let event = field.events; event < stop; ) {
      const t = load<f64>(event);
      const thing = load<usize>(event, 8);
      do {
        const what = load<usize>(event, 8) & 3;
        if (what == RISE) field.winding++;
        else if (what == FALL) field.winding--;
        else along += what == ALONG ? 1 : -1;
        event += ENTRY;
      } while (event < stop && load<f64>(event) - t <= SAME);
      const keep = kept(field, along);
      const atEnd = t >= 1 - SAME;
      if (atEnd && open && !reached) {
        if (!push(field, next)) return NO_ROOM;
        reached = true;
      }
      if (keep == open) continue;
      open = keep;
      if (t > SAME && !atEnd) {
        if (!pushCut(field, xy + (<usize>i << 3), t, <i32>(thing >> 2))) return NO_ROOM;
        if (open) field.begin = field.points - 1;
        else finish(field, path, 2);
        continue;
      }
      const corner = atEnd ? i + 1 : i;
      if (!open) {
        if (finish(field, path, 2)) shut = corner;
        whole = whole && field.pieces > pieces;
      } else {
        let first = atEnd ? corner : rest;
        if (shut >= first && field.pieces > pieces) {
          reopen(field);
          first = shut + 1;
        } else {
          field.begin = field.points;
          if (first == from) whole = true;
        }
        for (; first <= corner; first++) if (!push(field, xy + (<usize>first << 3))) return NO_ROOM;
        if (atEnd) reached = true;
      }
    }
    if (open && !reached && !push(field, next)) return NO_ROOM;
    if (!still) rest = i + 1;
    if (checkpoint(i)) return STOPPED;
  }
  // a piece that ended on the last point but for repetitions of it has those too
  if (!open && shut >= rest && shut < last) {
    reopen(field);
    while (shut < last) if (!push(field, xy + (<usize>++shut << 3))) return NO_ROOM;
    finish(field, path, 2);
  }
  // a path that is nowhere cut stays as it is, were it but a point
  if (open) open = finish(field, path, whole && field.pieces == pieces ? 0 : 2);
  // a closed path goes on over its first point
  if (whole && field.pieces > pieces + 1 && (open || shut == last) && sameAt(xy, from, last))
    return joinEnds(field, points, pieces) ? 0 : NO_ROOM;
  return 0;
}

function push(field: Field, xy: usize): bool {
  if (field.points == field.room) return false;
  store<u64>(field.out + (<usize>field.points << 3), load<u64>(xy));
  field.points++;
  return true;
}

/** The point at a part of a segment; on an upright or a level side, exactly there. */
function pushCut(field: Field, xy: usize, t: f64, index: i32): bool {
  if (field.points == field.room) return false;
  const ax = <f64>load<f32>(xy);
  const ay = <f64>load<f32>(xy, 4);
  const bx = <f64>load<f32>(xy, 8);
  const by = <f64>load<f32>(xy, 12);
  const from = field.xy + (<usize>index << 3);
  const upright = load<f32>(from) == load<f32>(from, 8);
  const level = load<f32>(from, 4) == load<f32>(from, 12);
  const to = field.out + (<usize>field.points << 3);
  store<f32>(to, upright && ax != bx ? load<f32>(from) : <f32>(ax + t * (bx - ax)));
  store<f32>(to, level && ay != by ? load<f32>(from, 4) : <f32>(ay + t * (by - ay)), 4);
  field.points++;
  return true;
}

/** Ends a piece at the last point; true, or false and no piece when it has fewer than `least` different ones. */
function finish(field: Field, path: i32, least: i32): bool {
  const count = field.points - field.begin;
  if (count < least || (count == least && sameAt(field.out, field.begin, field.points - 1))) {
    field.points = field.begin;
    return false;
  }
  const at = <usize>field.pieces << 2;
  store<u32>(field.ends + at, field.points);
  store<u32>(field.origin + at, path);
  field.pieces++;
  field.begin = field.points;
  return true;
}

/** Takes back that the last piece was ended. */
function reopen(field: Field): void {
  field.pieces--;
  field.begin = field.pieces > 0 ? load<i32>(field.ends + (<usize>(field.pieces - 1) << 2)) : 0;
}

/** Lays the first piece of a path behind its last one, whose last point is the first one's first. */
function joinEnds(field: Field, start: i32, piece: i32): bool {
  const end = load<i32>(field.ends + (<usize>piece << 2));
  const length = end - start;
  const total = field.points;
  if (total + length - 1 > field.room) return false;
  const from = field.out + (<usize>start << 3);
  memory.copy(field.out + (<usize>total << 3), from + 8, <usize>(length - 1) << 3);
  memory.copy(from, field.out + (<usize>end << 3), <usize>(total - end + length - 1) << 3);
  for (let i = piece + 1; i < field.pieces; i++)
    store<u32>(field.ends + (<usize>(i - 1) << 2), load<u32>(field.ends + (<usize>i << 2)) - length);
  field.pieces--;
  field.points = total - 1;
  store<u32>(field.ends + (<usize>(field.pieces - 1) << 2), field.points);
  return true;
}
