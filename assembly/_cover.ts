// Lines that are kept, in a grid of cells, and which parts of another line lie along them.

import { checkpoint, NO_ROOM, STOPPED } from "./control";

/** Sine of the widest angle at which one line can lie along another. */
const SLANT: f64 = 0.5;

/** A kept line: a line of a path, or a part of one. */
@unmanaged
export class Kept {
  x: f64;
  y: f64;
  /** Direction and length. */
  ux: f64;
  uy: f64;
  length: f64;
  /** Where it ends, along its path. */
  end: f64;
  path: i32;
  /** The last search that has seen it. */
  seen: i32;
}

@unmanaged
export class Cover {
  tolerance: f64;
  /** How far back a path does not look at lines of its own that run its way. */
  blind: f64;
  x0: f64;
  y0: f64;
  /** Width of a cell. */
  cell: f64;
  /** u32[mask + 1], first entry of each bucket of cells, or -1. */
  heads: usize;
  mask: i32;
  /** u32 pairs: a kept line, the next entry. */
  entries: usize;
  entryCount: i32;
  entryRoom: i32;
  kept: usize;
  keptCount: i32;
  keptRoom: i32;
  /**
   * Parts of the line in question that are covered, f64[4] each, along the path: from and to where it is near a kept line,
   * and from and to where it is beside one, not beyond its ends; infinite the wrong way round for none.
   */
  parts: usize;
  partCount: i32;
  partRoom: i32;
  search: i32;
  work: i32;
  done: i32;
  // the line in question
  x: f64;
  y: f64;
  ux: f64;
  uy: f64;
  length: f64;
  start: f64;
  path: i32;

  @inline keptAt(i: i32): Kept {
    return changetype<Kept>(this.kept + <usize>i * offsetof<Kept>());
  }
}

/** Sets the line in question; false when it has no length. */
export function setLine(cover: Cover, p: usize, start: f64): bool {
  cover.x = <f64>load<f32>(p);
  cover.y = <f64>load<f32>(p, 4);
  const dx = <f64>load<f32>(p, 8) - cover.x;
  const dy = <f64>load<f32>(p, 12) - cover.y;
  cover.length = Math.sqrt(dx * dx + dy * dy);
  cover.ux = dx / cover.length;
  cover.uy = dy / cover.length;
  cover.start = start;
  return cover.length > 0;
}

/** Lists the parts of the line in question that lie along kept lines, in no order; 0, NO_ROOM or STOPPED. */
export function findParts(cover: Cover): i32 {
  cover.partCount = 0;
  cover.search++;
  return walk(cover, cover.x, cover.y, cover.ux, cover.uy, cover.length, 0, -1);
}

/** Keeps a part of the line in question; 0, NO_ROOM or STOPPED. */
export function keepPart(cover: Cover, from: f64, to: f64): i32 {
  if (cover.keptCount == cover.keptRoom) return NO_ROOM;
  const kept = cover.keptAt(cover.keptCount);
  const along = from - cover.start;
  kept.x = cover.x + cover.ux * along;
  kept.y = cover.y + cover.uy * along;
  kept.ux = cover.ux;
  kept.uy = cover.uy;
  kept.length = to - from;
  kept.end = to;
  kept.path = cover.path;
  kept.seen = 0;
  const status = walk(cover, kept.x, kept.y, kept.ux, kept.uy, kept.length, cover.tolerance + 1e-6 * cover.cell, cover.keptCount);
  cover.keptCount++;
  return status;
}

/** Goes through the cells within a margin of a line: enters it there as kept line `id`, or for -1 looks at what is there. */
function walk(cover: Cover, x: f64, y: f64, ux: f64, uy: f64, length: f64, margin: f64, id: i32): i32 {
  const dx = ux * length;
  const dy = uy * length;
  const left = min(x, x + dx) - margin;
  const right = max(x, x + dx) + margin;
  const low = min(y, y + dy);
  const high = max(y, y + dy);
  for (let column = cellOf(cover, left - cover.x0), last = cellOf(cover, right - cover.x0); column <= last; column++) {
    // the heights of the line where it is within the margin of the column
    let top = low;
    let bottom = high;
    if (dx != 0) {
      const edge = cover.x0 + <f64>column * cover.cell - margin;
      const slope = dy / dx;
      const a = y + (edge - x) * slope;
      const b = y + (edge + cover.cell + 2 * margin - x) * slope;
      top = max(low, min(a, b));
      bottom = min(high, max(a, b));
    }
    const down = cellOf(cover, bottom + margin + 1e-9 * cover.cell - cover.y0);
    for (let row = cellOf(cover, top - margin - 1e-9 * cover.cell - cover.y0); row <= down; row++) {
      const head = cover.heads + (<usize>(hashOfCell(column, row) & cover.mask) << 2);
      const status = id >= 0 ? enter(cover, head, id) : look(cover, head);
      if (status < 0) return status;
      if (++cover.work > 512) {
        cover.work = 0;
        if (checkpoint(cover.done)) return STOPPED;
      }
    }
  }
  return 0;
}

@inline function cellOf(cover: Cover, offset: f64): i32 {
  return <i32>Math.floor(offset / cover.cell);
}

@inline function hashOfCell(column: i32, row: i32): i32 {
  let hash = column * 0x2c1b3c6d + row * 0x297a2d39;
  hash = (hash ^ (hash >>> 15)) * 0x2c1b3c6d;
  return hash ^ (hash >>> 13);
}

function enter(cover: Cover, head: usize, id: i32): i32 {
  if (cover.entryCount == cover.entryRoom) return NO_ROOM;
  const entry = cover.entries + (<usize>cover.entryCount << 3);
  store<i32>(entry, id);
  store<i32>(entry, load<i32>(head), 4);
  store<i32>(head, cover.entryCount);
  cover.entryCount++;
  return 0;
}

function look(cover: Cover, head: usize): i32 {
  for (let at = load<i32>(head); at != -1; ) {
    const entry = cover.entries + (<usize>at << 3);
    const kept = cover.keptAt(load<i32>(entry));
    at = load<i32>(entry, 4);
    cover.work++;
    if (kept.seen == cover.search) continue;
    kept.seen = cover.search;
    if (!partAlong(cover, kept)) return NO_ROOM;
  }
  return 0;
}

/** Adds the part of the line in question that lies within the tolerance of a kept line; false when there is no room. */
function partAlong(cover: Cover, kept: Kept): bool {
  const sine = kept.ux * cover.uy - kept.uy * cover.ux;
  if (abs(sine) > SLANT) return true;
  const cosine = kept.ux * cover.ux + kept.uy * cover.uy;
  // a line goes on from the one before it, and does not lie along it
  if (kept.path == cover.path && cosine > 0 && cover.start - kept.end < cover.blind) return true;
  const tolerance = cover.tolerance;
  const dx = cover.x - kept.x;
  const dy = cover.y - kept.y;
  // along and across the kept line; both grow with the way along the line in question
  const along = dx * kept.ux + dy * kept.uy;
  const across = kept.ux * dy - kept.uy * dx;
  let from: f64 = 0;
  let to = cover.length;
  const ahead = (kept.length - along) / cosine;
  const behind = -along / cosine;
  from = max(from, min(ahead, behind));
  to = min(to, max(ahead, behind));
  if (sine != 0) {
    const left = (-tolerance - across) / sine;
    const right = (tolerance - across) / sine;
    from = max(from, min(left, right));
    to = min(to, max(left, right));
  } else if (abs(across) > tolerance) to = -1;
  if (from > to) {
    from = Infinity;
    to = -Infinity;
  }
  const beside = from;
  const besideTo = to;
  // what is near is convex: with the circles around its ends, it is one part
  for (let end = 0; end < 2; end++) {
    const ex = end == 0 ? dx : dx - kept.ux * kept.length;
    const ey = end == 0 ? dy : dy - kept.uy * kept.length;
    const side = cover.ux * ey - cover.uy * ex;
    const square = tolerance * tolerance - side * side;
    if (square < 0) continue;
    const middle = -(ex * cover.ux + ey * cover.uy);
    const half = Math.sqrt(square);
    if (middle + half < 0 || middle - half > cover.length) continue;
    from = min(from, max(0, middle - half));
    to = max(to, min(cover.length, middle + half));
  }
  if (from > to) return true;
  if (cover.partCount == cover.partRoom) return false;
  const part = cover.parts + (<usize>cover.partCount << 5);
  store<f64>(part, cover.start + from);
  store<f64>(part, cover.start + to, 8);
  store<f64>(part, cover.start + beside, 16);
  store<f64>(part, cover.start + besideTo, 24);
  cover.partCount++;
  return true;
}
