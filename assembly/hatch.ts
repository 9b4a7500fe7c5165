// Parallel lines that fill a region.

import { ENTRY, sortEntries } from "./_active";
import { layMargin, MARGIN, meetMargins, trimSpans } from "./_margin";
import { Hatch, rowAt, rowFrom } from "./_rows";
import { checkpoint, NO_ROOM, STOPPED } from "./control";

/** Points between two looks at the control block. */
const SLICE: i32 = 4096;
/** Crossings closer than this are one, and lines shorter than it none: a nanometre, which f32 does not tell in a bed. */
const SAME: f64 = 1e-6;
/** Bytes of a line, and of a pair of x. */
const LINE: usize = 16;
/** Bytes of a Side. */
const SIDE: usize = 40;

/** A side of the region, from its end of less v on. */
@unmanaged
class Side {
  x: f64;
  v: f64;
  /** x for each mm of v. */
  slope: f64;
  /** The first row that it does not meet. */
  end: i32;
  /** 1 where v grows along the path, else -1. */
  wind: i32;
  /** Another that begins in the same row, or 0. */
  next: usize;
}

/**
 * Lists the sides of closed paths by the row where they begin. A side meets the rows from its lower end on up to but
 * without its upper one, so that each row meets each closed path an even number of times, wherever its corners lie.
 *
 * hatch    Hatch; its rows reach from the first one at or beyond the least v to the last one before the greatest
 * xy       f32 pairs, mm, finite; n points
 * ends     u32[paths]; open paths and single points have no sides
 * first    u32[rows], written: the first side of each row, or 0
 * sides    u8[40 * n], 8-byte aligned, written
 * returns  how often rows and sides meet, or STOPPED; reports points
 * cost     O(points + rows)
 */
export function hatchSides(at: usize, xy: usize, ends: usize, paths: i32, first: usize, sides: usize): f64 {
  const hatch = changetype<Hatch>(at);
  memory.fill(first, 0, <usize>hatch.rows << 2);
  let total: f64 = 0;
  let from = 0;
  for (let path = 0; path < paths; path++) {
    const end = load<i32>(ends + (<usize>path << 2));
    const last = end - 1;
    if (last > from && closedAt(xy, from, last))
      for (let i = from; i < last; i += SLICE) {
        total += laySides(hatch, xy, i, min(last, i + SLICE), first, sides);
        if (checkpoint(i)) return STOPPED;
      }
    else if ((path & (SLICE - 1)) == 0 && checkpoint(from)) return STOPPED;
    from = end;
  }
  return total;
}

// @ts-ignore: decorator
@inline
function closedAt(xy: usize, from: i32, last: i32): bool {
  const a = xy + (<usize>from << 3);
  const b = xy + (<usize>last << 3);
  return load<f32>(a) == load<f32>(b) && load<f32>(a, 4) == load<f32>(b, 4);
}

function laySides(hatch: Hatch, xy: usize, i: i32, end: i32, first: usize, sides: usize): f64 {
  const ux = hatch.ux;
  const uy = hatch.uy;
  let at = xy + (<usize>i << 3);
  let px = <f64>load<f32>(at);
  let py = <f64>load<f32>(at, 4);
  let x0 = px * ux + py * uy;
  let v0 = px * uy - py * ux;
  let row0 = rowFrom(hatch, v0);
  let total: f64 = 0;
  for (; i < end; i++) {
    at += 8;
    px = <f64>load<f32>(at);
    py = <f64>load<f32>(at, 4);
    const x1 = px * ux + py * uy;
    const v1 = px * uy - py * ux;
    const row1 = rowFrom(hatch, v1);
    if (row0 != row1) {
      const up = row0 < row1;
      const begin = up ? row0 : row1;
      const side = changetype<Side>(sides + <usize>i * SIDE);
      // always from the lower end, so that sides that coincide give the same numbers
      side.x = up ? x0 : x1;
      side.v = up ? v0 : v1;
      side.slope = up ? (x1 - x0) / (v1 - v0) : (x0 - x1) / (v0 - v1);
      side.end = up ? row1 : row0;
      side.wind = up ? 1 : -1;
      const head = first + (<usize>begin << 2);
      side.next = load<usize>(head);
      store<usize>(head, changetype<usize>(side));
      total += <f64>(side.end - begin);
    }
    x0 = x1;
    v0 = v1;
    row0 = row1;
  }
  return total;
}

/**
 * Lists the sides of closed paths by the first row that comes closer to them than the inset.
 *
 * hatch, xy, ends, paths   as for `hatchSides`
 * first    u32[rows], written: the first margin of each row, or 0
 * margins  u8[48 * n], 8-byte aligned, written
 * returns  how often rows and margins meet, or STOPPED; reports points
 * cost     O(points + rows)
 */
export function hatchMargins(at: usize, xy: usize, ends: usize, paths: i32, first: usize, margins: usize): f64 {
  const hatch = changetype<Hatch>(at);
  memory.fill(first, 0, <usize>hatch.rows << 2);
  let total: f64 = 0;
  let from = 0;
  for (let path = 0; path < paths; path++) {
    const end = load<i32>(ends + (<usize>path << 2));
    const last = end - 1;
    if ((path & (SLICE - 1)) == 0 && checkpoint(from)) return STOPPED;
    if (last > from && closedAt(xy, from, last))
      for (let i = from; i < last; i++) {
        total += layMargin(hatch, xy + (<usize>i << 3), first, margins + <usize>i * MARGIN);
        if ((i & (SLICE - 1)) == 0 && checkpoint(i)) return STOPPED;
      }
    from = end;
  }
  return total;
}

/**
 * Draws the lines row by row, in each row from left to right, or back in odd rows of a zigzag.
 *
 * hatch    Hatch
 * first    u32[rows], as `hatchSides` left it
 * margins  u32[rows], as `hatchMargins` left it, or 0 without an inset
 * n        points of the paths
 * scratch  u8[16 * n * 3], with an inset u8[16 * n * 6]; 8-byte aligned
 * out      f32[4 * room], written: x, y of a line's start and of its end, mm
 * returns  lines >= 0, or STOPPED, or NO_ROOM; reports rows
 * cost     O(meetings of rows and sides) where neighbouring rows meet the same sides in the same order
 * source   own; active edges after Wylie, Romney, Evans and Erdahl 1967
 */
export function hatchRows(
  at: usize,
  first: usize,
  margins: usize,
  n: i32,
  scratch: usize,
  out: usize,
  room: i32,
): i32 {
  const hatch = changetype<Hatch>(at);
  const each = <usize>n * ENTRY;
  const spare = scratch + each;
  const spans = spare + each;
  const near = spans + each;
  const trimmed = near + each;
  let count = 0;
  let close = 0;
  let lines = 0;
  for (let row = 0; row < hatch.rows; row++) {
    const v = rowAt(hatch, hatch.base + <f64>row);
    count = meet(scratch, count, load<usize>(first + (<usize>row << 2)), row, v);
    sortEntries(scratch, count, spare);
    let spanned = listSpans(scratch, count, hatch.parity != 0, spans);
    if (margins != 0) {
      close = meetMargins(near, close, load<usize>(margins + (<usize>row << 2)), row, v, hatch.inset);
      sortEntries(near, close, spare);
      spanned = trimSpans(spans, spanned, near, close, trimmed, SAME);
    }
    if (spanned > room - lines) return NO_ROOM;
    drawSpans(hatch, margins != 0 ? trimmed : spans, spanned, v, row, out + <usize>lines * LINE);
    lines += spanned;
    if (checkpoint(row)) return STOPPED;
  }
  return lines;
}

/** Drops the sides that have ended, adds those that begin, and finds where they are met; returns how many there are. */
function meet(active: usize, count: i32, side: usize, row: i32, v: f64): i32 {
  let to = active;
  const end = active + <usize>count * ENTRY;
  for (let from = active; from < end; from += ENTRY) {
    const thing = load<usize>(from, 8);
    if (changetype<Side>(thing).end > row) to = enter(to, thing, v);
  }
  for (; side != 0; side = changetype<Side>(side).next) to = enter(to, side, v);
  return <i32>((to - active) / ENTRY);
}

// @ts-ignore: decorator
@inline
function enter(to: usize, thing: usize, v: f64): usize {
  const side = changetype<Side>(thing);
  store<f64>(to, side.x + (v - side.v) * side.slope);
  store<usize>(to, thing, 8);
  return to + ENTRY;
}

/** Pairs of x between which a row is inside. What is met at one place is met at once, so that parts that touch are one. */
function listSpans(active: usize, count: i32, parity: bool, spans: usize): i32 {
  const end = active + <usize>count * ENTRY;
  let to = spans;
  let winding = 0;
  let inside = false;
  for (let at = active; at < end; ) {
    const x = load<f64>(at);
    do {
      winding += changetype<Side>(load<usize>(at, 8)).wind;
      at += ENTRY;
    } while (at < end && load<f64>(at) - x <= SAME);
    const now = parity ? (winding & 1) != 0 : winding != 0;
    if (now == inside) continue;
    inside = now;
    store<f64>(to, x);
    to += 8;
  }
  return <i32>((to - spans) / LINE);
}

function drawSpans(hatch: Hatch, spans: usize, count: i32, v: f64, row: i32, out: usize): void {
  const ux = hatch.ux;
  const uy = hatch.uy;
  const back = hatch.zigzag != 0 && ((<i64>hatch.base + row) & 1) != 0;
  const points = count << 1;
  let to = back ? out + (<usize>(points - 1) << 3) : out;
  for (let i = 0; i < points; i++) {
    const x = load<f64>(spans + (<usize>i << 3));
    store<f32>(to, <f32>(x * ux + v * uy));
    store<f32>(to, <f32>(x * uy - v * ux), 4);
    to = back ? to - 8 : to + 8;
  }
}
