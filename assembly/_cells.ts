// Sides of a region in the cells of a grid, and where ways cross them. Coordinates are integers of at most 26 bits in f64, so
// that every sign below is exact.

import { ENTRY } from "./_active";

/** A region, the grid over it and the way through it, as the kernels see them; the host lays out the first part. */
@unmanaged
export class Field {
  /** Corner of the grid, side of a cell, and integer steps for each mm. */
  gx: f64;
  gy: f64;
  cell: f64;
  scale: f64;
  columns: i32;
  rows: i32;
  /** f32 pairs, mm: the region's points. */
  xy: usize;
  /** Side[points of the region]: the one from each point to the next. */
  sides: usize;
  /** u32[columns * rows + 1]: where the list of each cell begins. */
  starts: usize;
  /** u32: sides, cell by cell. */
  list: usize;
  /** Entries for what a segment meets, 2 for each side, and as many to sort with. */
  events: usize;
  spare: usize;
  /** 1: even-odd, 0: non-zero. */
  parity: i32;
  /** 1: what is inside is kept, 0: what is not. */
  inside: i32;
  /** f32[2 * room], u32[room], u32[room]: points, ends of pieces and the paths that they are of. */
  out: usize;
  ends: usize;
  origin: usize;
  room: i32;
  // the state of the way, set by the kernel
  points: i32;
  pieces: i32;
  /** Of the region around the present point; the first point of the present piece. */
  winding: i32;
  begin: i32;
  /** Number of the segment, to meet each side once. */
  stamp: i32;
}

@unmanaged
export class Side {
  px: f64;
  py: f64;
  qx: f64;
  qy: f64;
  stamp: i32;
}

/** Bytes of a Side. */
export const SIDE: usize = 40;

/** What an entry says of its side, in its two lowest bits. */
export const RISE: usize = 0;
export const FALL: usize = 1;
export const ALONG: usize = 2;
export const LEAVE: usize = 3;

// @ts-ignore: decorator
@inline
export function sideOf(field: Field, index: i32): Side {
  return changetype<Side>(field.sides + <usize>index * SIDE);
}

/** Enters a side into the cells that it may meet: counts them, or lists it. */
export function enterSide(field: Field, index: i32, listing: bool): f64 {
  const side = sideOf(field, index);
  let total: f64 = 0;
  const low = rowOf(field, min(side.py, side.qy));
  const high = rowOf(field, max(side.py, side.qy));
  for (let row = low; row <= high; row++) {
    const from = columnFrom(field, side.px, side.py, side.qx, side.qy, row);
    const to = columnTo(field, side.px, side.py, side.qx, side.qy, row);
    for (let column = from; column <= to; column++) {
      const at = field.starts + (<usize>(row * field.columns + column) << 2);
      const place = load<u32>(at);
      if (listing) store<u32>(field.list + (<usize>place << 2), index);
      store<u32>(at, place + 1);
      total++;
    }
  }
  return total;
}

// @ts-ignore: decorator
@inline
function clampTo(value: f64, most: i32): i32 {
  return <i32>min(<f64>most, max(-1.0, Math.floor(value)));
}

/** The row of y, kept within the grid; -1 before it and `rows` behind it. */
// @ts-ignore: decorator
@inline
function rowOf(field: Field, y: f64): i32 {
  return clampTo((y - field.gy) / field.cell, field.rows);
}

/** x where a segment enters or leaves a row, and one more step to be sure. */
// @ts-ignore: decorator
@inline
function boundOf(field: Field, ax: f64, ay: f64, bx: f64, by: f64, row: i32, right: bool): f64 {
  let x0 = ax;
  let x1 = bx;
  if (ay != by) {
    const slope = (bx - ax) / (by - ay);
    const top = field.gy + <f64>row * field.cell;
    const low = max(min(ay, by), top);
    const high = min(max(ay, by), top + field.cell);
    x0 = ax + (low - ay) * slope;
    x1 = ax + (high - ay) * slope;
  }
  return right ? max(x0, x1) + 1 : min(x0, x1) - 1;
}

function columnFrom(field: Field, ax: f64, ay: f64, bx: f64, by: f64, row: i32): i32 {
  return max(0, clampTo((boundOf(field, ax, ay, bx, by, row, false) - field.gx) / field.cell, field.columns));
}

function columnTo(field: Field, ax: f64, ay: f64, bx: f64, by: f64, row: i32): i32 {
  const x = (boundOf(field, ax, ay, bx, by, row, true) - field.gx) / field.cell;
  return min(field.columns - 1, clampTo(x, field.columns));
}

/**
 * Lists what a segment from a to b meets: (part of the segment, side and what of it), in no order; returns how many.
 * The segment counts as moved right by less than any number, and down by less than that again, so that it never meets a
 * corner nor ends on a side; and beside that, stretches that lie on sides are told.
 *
 * source   Edelsbrunner and Mücke 1990, simulation of simplicity
 */
export function meetSides(field: Field, ax: f64, ay: f64, bx: f64, by: f64): i32 {
  const stamp = ++field.stamp;
  let to = field.events;
  const low = max(0, rowOf(field, min(ay, by)));
  const high = min(field.rows - 1, rowOf(field, max(ay, by)));
  for (let row = low; row <= high; row++) {
    const from = columnFrom(field, ax, ay, bx, by, row);
    const until = columnTo(field, ax, ay, bx, by, row);
    if (from > until) continue;
    const line = field.starts + (<usize>(row * field.columns) << 2);
    // the cells of a row lie one behind the other in the list
    let at = field.list + (<usize>load<u32>(line + (<usize>from << 2)) << 2);
    const end = field.list + (<usize>load<u32>(line + (<usize>(until + 1) << 2)) << 2);
    for (; at < end; at += 4) {
      const index = load<i32>(at);
      const side = sideOf(field, index);
      if (side.stamp == stamp) continue;
      side.stamp = stamp;
      to = meetSide(side, index, ax, ay, bx, by, to);
    }
  }
  return <i32>((to - field.events) / ENTRY);
}

// @ts-ignore: decorator
@inline
function meetSide(side: Side, index: i32, ax: f64, ay: f64, bx: f64, by: f64, to: usize): usize {
  const px = side.px;
  const py = side.py;
  const ex = side.qx - px;
  const ey = side.qy - py;
  const a = ex * (ay - py) - ey * (ax - px);
  const b = ex * (by - py) - ey * (bx - px);
  const dx = bx - ax;
  const dy = by - ay;
  if (a == 0 && b == 0) {
    // both on one line: how far along the segment the side begins and ends
    const square = dx * dx + dy * dy;
    const p = ((px - ax) * dx + (py - ay) * dy) / square;
    const q = ((side.qx - ax) * dx + (side.qy - ay) * dy) / square;
    const from = max(0.0, min(p, q));
    const until = min(1.0, max(p, q));
    if (from >= until) return to;
    to = note(to, from, index, ALONG);
    return note(to, until, index, LEAVE);
  }
  const moved = ey != 0 ? -ey : ex;
  const aBeside = (a != 0 ? a : moved) > 0;
  const bBeside = (b != 0 ? b : moved) > 0;
  if (aBeside == bBeside) return to;
  const p = dx * (py - ay) - dy * (px - ax);
  const q = dx * (side.qy - ay) - dy * (side.qx - ax);
  const shifted = dy != 0 ? dy : -dx;
  if ((p != 0 ? p : shifted) > 0 == (q != 0 ? q : shifted) > 0) return to;
  return note(to, a / (a - b), index, bBeside ? RISE : FALL);
}

// @ts-ignore: decorator
@inline
function note(to: usize, t: f64, index: i32, what: usize): usize {
  store<f64>(to, t);
  store<usize>(to, (<usize>index << 2) | what, 8);
  return to + ENTRY;
}
