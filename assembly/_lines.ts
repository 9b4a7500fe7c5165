// Edges that lie on each other, line by line: m of them can have m^2 crossings, but what they add up to has 2m pieces.
import { sortHigh, sortKeys } from "./_keys";
import { GAP, nodeAt, Plane, SECOND, tagOf, weightOf } from "./_plane";
import { LOOK, tick, Watch } from "./_watch";

const BIAS: i32 = 1 << 30;

/** The line of an edge: the shortest step along it between grid points, down or to the right, and how far it is from the origin. */
@unmanaged
class Line {
  x: i32;
  y: i32;
  away: i64;
  second: bool;
}

/**
 * Replaces edges that overlap on one line by the pieces between all their ends, each with the windings that they add up to.
 * A piece is a ring's rest: two nodes with a gap behind. False for want of room or when `watch` has stopped.
 *
 * cost     O(n log n)
 * source   own
 */
export function mergeLines(plane: Plane, watch: Watch): bool {
  const n = plane.count;
  for (let i = 0; i < n; i++) store<i32>(plane.weights + (<usize>i << 2), 1);
  plane.weighted = true;
  let edges = 0;
  for (let i = 0; i < n; i++) {
    if ((i & 4095) == 0 && tick(watch)) return false;
    if (tagOf(plane, i) == GAP) continue;
    const line = lineOf(plane, i);
    let hash = <u64>line.x * 0x9e3779b97f4a7c15 + <u64>line.y;
    hash = (hash ^ (hash >> 29)) * 0xbf58476d1ce4e5b9 + <u64>line.away + <u64>line.second;
    hash = (hash ^ (hash >> 32)) * 0x94d049bb133111eb;
    store<u64>(plane.keys + (<usize>(edges++) << 3), (hash & 0xffffffff00000000) | <u64>i);
  }
  const keys = sortHigh(plane.keys, plane.list, edges, 32, plane.counts, watch);
  for (let i = 0, looked = 0; i < edges; ) {
    const hash = load<u64>(keys + (<usize>i << 3)) >> 32;
    let end = i + 1;
    while (end < edges && load<u64>(keys + (<usize>end << 3)) >> 32 == hash) end++;
    if (end - i > 1 && !mergeLine(plane, keys, i, end)) return false;
    i = end;
    if (i - looked > LOOK) {
      looked = i;
      if (tick(watch)) return false;
    }
  }
  return !watch.stopped;
}

function lineOf(plane: Plane, i: i32): Line {
  const line = changetype<Line>(plane.line);
  const at = nodeAt(plane, i);
  let x = load<i32>(at, 8) - load<i32>(at);
  let y = load<i32>(at, 12) - load<i32>(at, 4);
  if (y < 0 || (y == 0 && x < 0)) {
    x = -x;
    y = -y;
  }
  let a = abs(x);
  let b = y;
  while (b != 0) {
    const rest = a % b;
    a = b;
    b = rest;
  }
  line.x = x / a;
  line.y = y / a;
  line.away = <i64>line.x * <i64>load<i32>(at, 4) - <i64>line.y * <i64>load<i32>(at);
  line.second = (tagOf(plane, i) & SECOND) != 0;
  return line;
}

/** Edges of one hash. Those on the line of the first are merged; others, of which there are hardly ever any, stay. */
function mergeLine(plane: Plane, keys: usize, i: i32, end: i32): bool {
  const line = lineOf(plane, edgeAt(keys, i));
  const x = line.x;
  const y = line.y;
  const away = line.away;
  const second = line.second;
  // ends of edges by their place along the line: the number of the edge, and 1 for its second node
  const offset: usize = y != 0 ? 4 : 0;
  let ends = 0;
  for (let k = i; k < end; k++) {
    const edge = edgeAt(keys, k);
    const own = lineOf(plane, edge);
    if (own.x != x || own.y != y || own.away != away || own.second != second) continue;
    for (let part = 0; part < 2; part++) {
      const place = load<i32>(nodeAt(plane, edge + part) + offset);
      store<u64>(plane.events + (<usize>(ends++) << 3), (<u64><u32>(place + BIAS) << 32) | <u64>(2 * edge + part));
    }
  }
  sortKeys(plane.events, ends);
  if (!overlaps(plane, ends)) return true;
  return addPieces(plane, ends);
}

@inline function edgeAt(keys: usize, k: i32): i32 {
  return <i32>load<u32>(keys + (<usize>k << 3));
}

@inline function eventAt(plane: Plane, k: i32): u64 {
  return load<u64>(plane.events + (<usize>k << 3));
}

/** True for the end from which an edge leads on along the line. */
@inline function isFirst(plane: Plane, event: u64): bool {
  const at = nodeAt(plane, <i32>(<u32>event >> 1));
  const turned = load<i32>(at, 12) < load<i32>(at, 4) || (load<i32>(at, 12) == load<i32>(at, 4) && load<i32>(at, 8) < load<i32>(at));
  return <bool>(<i32>(event & 1) ^ <i32>!turned);
}

function overlaps(plane: Plane, ends: i32): bool {
  let open = 0;
  for (let k = 0; k < ends; k++) {
    open += isFirst(plane, eventAt(plane, k)) ? 1 : -1;
    if (open > 1 && (k + 1 == ends || eventAt(plane, k + 1) >> 32 != eventAt(plane, k) >> 32)) return true;
  }
  return false;
}

/** Writes the pieces of a line behind all rings, and takes its edges out of theirs. */
function addPieces(plane: Plane, ends: i32): bool {
  let windings = 0;
  let tag: u32 = 0;
  for (let k = 0; k < ends; k++) {
    const event = eventAt(plane, k);
    const node = <i32>((<u32>event >> 1) + (<u32>event & 1));
    if (k > 0 && windings != 0 && eventAt(plane, k - 1) >> 32 != event >> 32) {
      const before = <u32>eventAt(plane, k - 1);
      const to = plane.count;
      if (to + 3 > plane.room) return false;
      store<u64>(nodeAt(plane, to), load<u64>(nodeAt(plane, <i32>((before >> 1) + (before & 1)))));
      store<u64>(nodeAt(plane, to + 1), load<u64>(nodeAt(plane, node)));
      store<u32>(plane.tags + (<usize>to << 2), tag);
      store<u32>(plane.tags + (<usize>to << 2), GAP, 4);
      store<i32>(plane.weights + (<usize>to << 2), windings);
      plane.count += 2;
    }
    const edge = <i32>(<u32>event >> 1);
    // the direction of the edge and which end this is say the same twice
    windings += (event & 1) == 0 ? weightOf(plane, edge) : -weightOf(plane, edge);
    if (tagOf(plane, edge) != GAP) tag = tagOf(plane, edge);
    if (!isFirst(plane, event)) store<u32>(plane.tags + (<usize>edge << 2), GAP);
  }
  return true;
}
