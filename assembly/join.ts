// Paths joined at their ends.

import { allows, apart, Chains, chainsRoom, joinEnds, layChains, lengthOf, straightness, wordAt } from "./_chains";
import { joinNear, nearRoom } from "./_mates";
import { checkpoint, STOPPED } from "./control";

/** Most ends at one place that are weighed against each other. */
const CROWD: i32 = 16;
/** Says of an end that this many others at its place stay free too: it is left alone. */
const CROWDED: i32 = -2;
/** Says of an end that the end nearest to it is to be found later. */
const SPECK: i32 = -2;
/** Points between two looks at the control block. */
const SLICE: i32 = 4096;

/** Bytes of scratch for `joinPaths` and `writeChains`. */
export function joinBytes(paths: i32): f64 {
  const ends = 2 * paths;
  return <f64>(chainsRoom(paths) + tableBytes(<usize>ends) + <usize>ends * 8 + nearRoom(ends));
}

/** A power of two, at least twice the ends. */
function tableBytes(ends: usize): usize {
  return <usize>8 << (32 - clz<u32>(<u32>ends));
}

/**
 * Finds which ends of open paths to join. First ends that are at one place: of up to 16 the straightest pair, then the
 * straightest of the rest; then the two free ends that are nearest to each other, then the nearest of the rest, as long
 * as they are no farther apart than the gap. No end is joined twice. A chain is closed only if its ends meet, or if it has
 * two lines and is longer than two gaps.
 *
 * ends     u32[paths]
 * paths    >= 0
 * xy       f32 pairs, mm, finite
 * gap      mm, >= 0
 * turn     cosine of the widest turn at a joint; -1 for any
 * scratch  u8[joinBytes(paths)], 8-byte aligned; `writeChains` reads it
 * returns  joints, or STOPPED; reports paths, 5 * paths in all
 * cost     O(points + paths * log(paths)) but where many ends compete for each other
 * source   own; greedy matching with a heap of nearest neighbours that may be stale
 */
export function joinPaths(ends: usize, paths: i32, xy: usize, gap: f64, turn: f64, scratch: usize): i32 {
  const chains = changetype<Chains>(scratch);
  if (!layChains(chains, ends, paths, xy, gap, turn)) return STOPPED;
  const table = scratch + chainsRoom(paths);
  const next = table + tableBytes(<usize>paths * 2);
  const list = next + (<usize>paths << 3);
  const room = list + (<usize>paths << 3);
  const meeting = joinMeeting(chains, table, next, list);
  if (meeting < 0 || chains.square == 0) return meeting;
  chains.free = listFree(chains, next, list);
  const mutual = joinMutual(chains, table, next, list, room);
  if (mutual < 0) return STOPPED;
  const near = joinNear(chains, list, room);
  return near < 0 ? STOPPED : meeting + mutual + near;
}

/** Joins ends that are at one place. Leaves in `next` which ends are crowded out. */
function joinMeeting(chains: Chains, table: usize, next: usize, group: usize): i32 {
  const count = chains.paths * 2;
  const bytes = tableBytes(<usize>count);
  const mask = <u32>(bytes >> 2) - 1;
  memory.fill(table, 0xff, bytes);
  // the ends at one place are a ring of ends, of which the table knows the last
  for (let end = 0; end < count; end++) {
    if ((end & 511) == 511 && checkpoint(chains.paths + (end >> 1))) return STOPPED;
    if (wordAt(chains.other, end) == -2) continue;
    const at = chains.at + (<usize>end << 3);
    let slot = hashOf(load<f32>(at), load<f32>(at, 4)) & mask;
    let last = wordAt(table, slot);
    while (last != -1 && apart(at, chains.at + (<usize>last << 3)) != 0) {
      slot = (slot + 1) & mask;
      last = wordAt(table, slot);
    }
    const link = next + (<usize>end << 2);
    if (last == -1) store<i32>(link, end);
    else {
      store<i32>(link, wordAt(next, last));
      store<i32>(next + (<usize>last << 2), end);
    }
    store<i32>(table + (<usize>slot << 2), end);
  }
  // each place once, by its first end
  let joints = 0;
  for (let end = 0; end < count; end++) {
    if ((end & 511) == 511 && checkpoint(2 * chains.paths + (end >> 1))) return STOPPED;
    if (wordAt(chains.other, end) == -2 || wordAt(next, end) < 0) continue;
    joints += joinPlace(chains, end, next, group);
    if (joints < 0) return STOPPED;
  }
  return joints;
}

@inline function hashOf(x: f32, y: f32): i32 {
  // both zeros are one place
  let key = (<u64>reinterpret<u32>(x + 0) << 32) | <u64>reinterpret<u32>(y + 0);
  key = (key ^ (key >> 32)) * 0xd6e8feb86659fd93;
  key = (key ^ (key >> 32)) * 0xd6e8feb86659fd93;
  return <i32>(key ^ (key >> 32));
}

/** Joins the ends of one ring, some at a time; takes the ring apart. */
function joinPlace(chains: Chains, first: i32, next: usize, group: usize): i32 {
  // the ends of the table's rings grow from the first on, and the last leads back to it
  let joints = 0;
  let waiting = 0;
  let free = 0;
  let end = first;
  do {
    const link = next + (<usize>end << 2);
    const after = load<i32>(link);
    store<i32>(link, -1);
    store<i32>(group + (<usize>waiting << 2), end);
    waiting++;
    if (waiting == CROWD || after == first) {
      joints += joinStraightest(chains, group, waiting);
      for (let i = 0; i < waiting; i++)
        if (chains.isFree(wordAt(group, i)) && ++free > CROWD) store<i32>(next + (<usize>wordAt(group, i) << 2), CROWDED);
      waiting = 0;
      if (after != first && checkpoint(2 * chains.paths + (first >> 1))) return STOPPED;
    }
    end = after;
  } while (end != first);
  return joints;
}

function joinStraightest(chains: Chains, group: usize, n: i32): i32 {
  let joints = 0;
  for (;;) {
    let best: f64 = -2;
    let a = -1;
    let b = -1;
    for (let i = 0; i < n; i++) {
      const end = wordAt(group, i);
      if (!chains.isFree(end)) continue;
      for (let j = i + 1; j < n; j++) {
        const other = wordAt(group, j);
        if (!chains.isFree(other) || !allows(chains, end, other)) continue;
        const straight = straightness(chains, end, other);
        if (straight <= best) continue;
        best = straight;
        a = end;
        b = other;
      }
    }
    if (a == -1) break;
    joinEnds(chains, a, b);
    joints++;
  }
  return joints;
}

/** Lists the free ends that are not crowded out. */
function listFree(chains: Chains, next: usize, list: usize): i32 {
  let count = 0;
  for (let end = 0, all = chains.paths * 2; end < all; end++) {
    if (wordAt(chains.other, end) == -2 || !chains.isFree(end) || wordAt(next, end) == CROWDED) continue;
    store<i32>(list + (<usize>count << 2), end);
    count++;
  }
  return count;
}

/**
 * Joins the free ends that are each other's nearest: nothing can come between them. Leaves on the list those that are
 * still free and near others. Where ends are too crowded for it, does nothing.
 */
function joinMutual(chains: Chains, heads: usize, next: usize, list: usize, near: usize): i32 {
  const count = chains.free;
  const bytes = tableBytes(<usize>chains.paths * 2);
  const mask = <i32>(bytes >> 2) - 1;
  // what is within the gap of a place is in the cell of the place, or in those beside it that are nearer
  const scale = 1 / (2.000001 * Math.sqrt(chains.square));
  memory.fill(heads, 0xff, bytes);
  // a bit for each cell that is not empty, four times as many as heads: most cells are seen to be empty in little memory
  const bits = near + (<usize>chains.paths << 3);
  memory.fill(bits, 0, bytes >> 3);
  for (let i = 0; i < count; i++) {
    const end = wordAt(list, i);
    const at = chains.at + (<usize>end << 3);
    const hash = hashOfCell(Math.floor(<f64>load<f32>(at) * scale), Math.floor(<f64>load<f32>(at, 4) * scale));
    const bit = hash & (mask * 4 + 3);
    store<u8>(bits + <usize>(bit >> 3), <u8>(<i32>load<u8>(bits + <usize>(bit >> 3)) | (1 << (bit & 7))));
    const head = heads + (<usize>(hash & mask) << 2);
    store<i32>(next + (<usize>end << 2), load<i32>(head));
    store<i32>(head, end);
    if ((i & 511) == 511 && checkpoint(3 * chains.paths)) return STOPPED;
  }
  let budget = 64 * <i64>count;
  for (let i = 0; i < count; i++) {
    const end = wordAt(list, i);
    budget -= <i64>nearestInCells(chains, heads, mask, next, scale, end, near, bits);
    if (budget < 0) return 0;
    if ((i & 63) == 63 && checkpoint(3 * chains.paths + (end >> 1))) return STOPPED;
  }
  // not specks, which may turn out to be the two ends of a chain that is too short to be closed
  for (let i = 0; i < count; i++) {
    const end = wordAt(list, i);
    const mate = wordAt(near, end);
    if (mate <= end || wordAt(near, mate) != end || wordAt(chains.other, end) == mate) continue;
    if (load<f64>(chains.length + (<usize>end << 3)) > chains.loop || load<f64>(chains.length + (<usize>mate << 3)) > chains.loop) continue;
    store<i32>(near + (<usize>end << 2), SPECK);
  }
  let joints = 0;
  for (let i = 0; i < count; i++) {
    const end = wordAt(list, i);
    const mate = wordAt(near, end);
    if (mate > end && wordAt(near, mate) == end) {
      joinEnds(chains, end, mate);
      joints++;
    }
    if ((i & 255) == 255 && checkpoint(4 * chains.paths)) return STOPPED;
  }
  let left = 0;
  for (let i = 0; i < count; i++) {
    const end = wordAt(list, i);
    if (!chains.isFree(end) || wordAt(near, end) == -1) continue;
    store<i32>(list + (<usize>left << 2), end);
    left++;
  }
  chains.free = left;
  return joints;
}

@inline function hashOfCell(column: f64, row: f64): i32 {
  // both zeros are one cell
  let key = reinterpret<u64>(column + 0) * 0x9e3779b97f4a7c15;
  key = (key ^ (key >> 32)) + reinterpret<u64>(row + 0);
  key *= 0xd6e8feb86659fd93;
  return <i32>(key ^ (key >> 32));
}

/** Finds the end nearest to an end, or -1; of equally near ones the first. Returns the ends looked at. */
function nearestInCells(chains: Chains, heads: usize, mask: i32, next: usize, scale: f64, end: i32, near: usize, bits: usize): i32 {
  const at = chains.at + (<usize>end << 3);
  const x = <f64>load<f32>(at) * scale;
  const y = <f64>load<f32>(at, 4) * scale;
  let best = chains.square;
  let found = -1;
  let looked = 0;
  for (let cell = 0; cell < 4; cell++) {
    let column = Math.floor(x);
    let row = Math.floor(y);
    if ((cell & 1) != 0) column += x - column < 0.5 ? -1 : 1;
    if ((cell & 2) != 0) row += y - row < 0.5 ? -1 : 1;
    const hash = hashOfCell(column, row);
    const bit = hash & (mask * 4 + 3);
    if ((load<u8>(bits + <usize>(bit >> 3)) & (1 << (bit & 7))) == 0) continue;
    const head = heads + (<usize>(hash & mask) << 2);
    for (let id = load<i32>(head); id >= 0; id = wordAt(next, id)) {
      looked++;
      const square = apart(at, chains.at + (<usize>id << 3));
      if (square > best || (square == best && found >= 0 && id > found)) continue;
      if (id == end || !allows(chains, end, id)) continue;
      best = square;
      found = id;
    }
  }
  store<i32>(near + (<usize>end << 2), found);
  return looked;
}

/**
 * Writes the chains that `joinPaths` found, in the order of their first paths, which run as they did. Where ends meet,
 * their point is written once; where they are apart, both are, and closed chains end on their first point.
 *
 * ends, paths, xy, scratch   as for `joinPaths`
 * outEnds    u32[paths], written: points up to and with each chain
 * outXy      f32[2 * (points + paths)], written
 * members    u32[paths], written: paths up to and with each chain
 * origin     u32[paths], written: the paths of the chains, in their order
 * reversed   u8[paths], written: 1 where that path runs backwards
 * returns    chains, or STOPPED; reports paths
 * cost       O(points)
 * source     own
 */
export function writeChains(
  ends: usize, paths: i32, xy: usize, scratch: usize, outEnds: usize, outXy: usize, members: usize, origin: usize, reversed: usize,
): i32 {
  const chains = changetype<Chains>(scratch);
  // a path is written once: `lines` of its head tells, which nothing else needs any more
  const written = chains.lines;
  for (let path = 0; path < paths; path++) store<i32>(written + (<usize>path << 2), 0);
  let count = 0;
  let placed = 0;
  let out = outXy;
  for (let path = 0; path < paths; path++) {
    if (wordAt(written, path) != 0) continue;
    // back to where the chain begins, or once around
    let start = 2 * path;
    let steps = 0;
    for (let mate = wordAt(chains.mate, start); mate >= 0; mate = wordAt(chains.mate, start)) {
      start = mate ^ 1;
      if (start == 2 * path) break;
      steps++;
      if ((steps & 1023) == 0 && checkpoint(placed)) return STOPPED;
    }
    const first = out;
    for (let end = start; ; ) {
      const from = end >> 1 == 0 ? 0 : wordAt(ends, (end >> 1) - 1);
      const n = wordAt(ends, end >> 1) - from;
      out = writePath(xy + (<usize>from << 3), n, (end & 1) != 0, first, out, placed);
      if (out == 0) return STOPPED;
      store<i32>(origin + (<usize>placed << 2), end >> 1);
      store<u8>(reversed + <usize>placed, <u8>(end & 1));
      store<i32>(written + (<usize>(end >> 1) << 2), 1);
      placed++;
      if ((placed & 255) == 0 && checkpoint(placed)) return STOPPED;
      end = wordAt(chains.mate, end ^ 1);
      if (end < 0) break;
      if (end != start) continue;
      if (apart(first, out - 8) != 0) {
        store<u64>(out, load<u64>(first));
        out += 8;
      }
      break;
    }
    store<u32>(outEnds + (<usize>count << 2), <u32>((out - outXy) >> 3));
    store<i32>(members + (<usize>count << 2), placed);
    count++;
  }
  return count;
}

/** Appends a path to a chain that began at `first`; 0 when the kernel has to leave. */
function writePath(at: usize, n: i32, backwards: bool, first: usize, out: usize, done: i32): usize {
  const step: isize = backwards ? -8 : 8;
  let p = backwards ? at + (<usize>(n - 1) << 3) : at;
  let left = n;
  if (out > first && apart(out - 8, p) == 0) {
    p += step;
    left--;
  }
  while (left > 0) {
    const now = min(left, SLICE);
    for (let i = 0; i < now; i++, p += step, out += 8) store<u64>(out, load<u64>(p));
    left -= now;
    if (left > 0 && checkpoint(done)) return 0;
  }
  return out;
}

/**
 * Closes open paths whose ends are no farther apart than the gap, if they have two lines and are longer than two gaps.
 *
 * ends, paths, xy, gap   as for `joinPaths`
 * outEnds    u32[paths], written
 * outXy      f32[2 * (points + paths)], written
 * returns    points written, or STOPPED; reports paths
 * cost       O(points)
 * source     own
 */
export function closePaths(ends: usize, paths: i32, xy: usize, gap: f64, outEnds: usize, outXy: usize): i32 {
  let from = 0;
  let out = outXy;
  for (let path = 0; path < paths; path++) {
    const end = wordAt(ends, path);
    const first = out;
    const head = xy + (<usize>from << 3);
    const tail = head + (<usize>(end - from - 1) << 3);
    out = writePath(head, end - from, false, first, out, path);
    if (out == 0) return STOPPED;
    const square = end - from < 3 ? 0 : apart(head, tail);
    if (square > 0 && square <= gap * gap) {
      const length = lengthOf(head, tail, path);
      if (length < 0) return STOPPED;
      if (length > 2 * gap) {
        store<u64>(out, load<u64>(first));
        out += 8;
      }
    }
    store<u32>(outEnds + (<usize>path << 2), <u32>((out - outXy) >> 3));
    from = end;
    if ((path & 255) == 255 && checkpoint(path)) return STOPPED;
  }
  return <i32>((out - outXy) >> 3);
}
