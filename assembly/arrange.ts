// The region that rings enclose, as rings that cross nothing. Rings are lists of nodes on an integer grid, |x| and |y| at
// most 2^29, closed from the last to the first. They come in clusters; rings of two clusters must have no place in common.

import { Boxes, boxesRoom } from "./_boxes";
import { NO_ROOM, STOPPED } from "./control";
import { COUNTS } from "./_keys";
import { GAP, makePlanar, nodeAt, Plane } from "./_plane";
import { BEGUN, BORDER, MET, sweep, Sweep } from "./_sweep";
import { addNode, cutSeam } from "./_straight";
import { Walk, walkBorders, walkRing } from "./_walk";
import { stage, tick, Watch } from "./_watch";

/** Nodes between two looks at the cancel word. */
const SLICE: i32 = 4096;
/** Bytes of scratch a node besides those named elsewhere: three lists of u64, cuts for every other one, nine of i32, two of u8. */
const PER_NODE: usize = 3 * 8 + (16 + 8) / 2 + 9 * 4 + 2;

/** Bytes of scratch for one cluster of at most `room` nodes after all cuts, one more a ring. */
export function arrangeBytes(room: f64): f64 {
  return (room + 16) * (<f64>PER_NODE + <f64>MET + <f64>BEGUN + <f64>BORDER) + boxesRoom(<i32>room) + <f64>COUNTS + 1024;
}

/**
 * Cuts rings at their crossings, finds the windings on both sides of all pieces, and writes the borders of the ink: outer
 * ones with positive shoelace area, holes with negative, none passes a place twice, and those that touch do so in nodes
 * only. A crossing moves to the nearest grid point. Nodes inside straight sides are left out unless two tags or rings meet.
 *
 * xy, tags     i32 pairs and u32 a node: where it is, and a number for the edge to the next, below 2^30; with the top bit
 *              set, the ring belongs to the second set
 * ends         u32 a ring, nodes up to and with it; rings of less than 3 nodes enclose nothing
 * order        u32 a ring: rings cluster by cluster
 * clusterEnds  u32[clusters], rings up to and with each
 * rule         what is inside a set: where windings are 0 odd, 1 not zero, 2 positive
 * table        bit (inside the first set) + 2 * (inside the second): whether there is ink; bit 0 is 0
 * least        rings whose area is less than this times half their girth are left out, units
 * seen         u8 a tag, set to 1 where a border has it; or 0 for none
 * room         most nodes of a cluster, cuts counted and one more a ring
 * scratch      u8[arrangeBytes(room)], 16-byte aligned
 * outXy, outTags, outEnds   as the first three, room for outRoom nodes and a third as many rings
 * returns      rings written, or NO_ROOM when `room` or `outRoom` is too little, or STOPPED; reports nodes
 * cost         O((n + k) log n) for n nodes and k crossings where edges lie apart; about 0.3 us a node
 *              where edges lie on each other by the thousand, they are merged line by line first
 * source       snap rounding after Hobby 1999, Practical segment intersection with finite precision output, in rounds;
 *              the sweep after Bentley and Ottmann 1979
 */
export function arrangeRings(
  xy: usize, tags: usize, ends: usize, order: usize, clusterEnds: usize, clusters: i32, rule: i32, table: i32, least: f64,
  seen: usize, room: i32, scratch: usize, outXy: usize, outTags: usize, outEnds: usize, outRoom: i32,
): i32 {
  let at = scratch;
  const watch = changetype<Watch>(at);
  at += 32;
  const plane = changetype<Plane>(at);
  at += (offsetof<Plane>() + 15) & ~15;
  plane.boxes = changetype<Boxes>(at);
  at += (offsetof<Boxes>() + 15) & ~15;
  plane.line = at;
  at += 32;
  const s = changetype<Sweep>(at);
  at += (offsetof<Sweep>() + 15) & ~15;
  const walk = changetype<Walk>(at);
  at += (offsetof<Walk>() + 15) & ~15;
  watch.from = 0;
  watch.most = 0;
  watch.stopped = false;
  const n = (<usize>room + 15) & ~15;
  plane.levels = at;
  at += (<usize>boxesRoom(room) + 15) & ~15;
  plane.xy = at;
  plane.nextXy = at += n << 3;
  s.keys = at += n << 3;
  plane.list = at += n << 3;
  plane.sorted = at += n << 3;
  s.met = at += n << 2;
  s.begun = at += n * MET;
  s.borders = at += n * BEGUN;
  plane.tags = at += n * BORDER;
  plane.nextTags = at += n << 2;
  plane.weights = at += n << 2;
  plane.nextWeights = at += n << 2;
  plane.heads = at += n << 2;
  s.line = at += n << 2;
  s.came = at += n << 2;
  s.around = at += n << 2;
  s.counts = at += n << 3;
  plane.keys = s.keys;
  plane.counts = s.counts;
  plane.events = s.met;
  plane.fresh = at += COUNTS;
  plane.nextFresh = at + n + 16;
  // when borders are walked, nothing is met any more
  walk.xy = s.met;
  walk.tags = walk.xy + (n << 3);
  walk.touches = walk.tags + (n << 2);
  walk.places = walk.touches + (n << 2);
  plane.room = room;
  plane.cutRoom = room >> 1;
  s.plane = plane;
  s.rule = rule;
  s.table = table;
  walk.least = least;
  walk.seen = seen;
  walk.outXy = outXy;
  walk.outTags = outTags;
  walk.outEnds = outEnds;
  walk.outRoom = outRoom;
  walk.nodes = walk.rings = 0;

  let ring = 0;
  for (let cluster = 0; cluster < clusters; cluster++) {
    const last = load<i32>(clusterEnds + (<usize>cluster << 2));
    const single = last - ring == 1;
    plane.count = 0;
    for (; ring < last; ring++) {
      if (!loadRing(plane, xy, tags, ends, load<i32>(order + (<usize>ring << 2)), watch)) return watch.stopped ? STOPPED : NO_ROOM;
    }
    const nodes = plane.count;
    watch.units = <f64>nodes;
    if (nodes > 0) {
      if (!makePlanar(plane, watch)) return watch.stopped ? STOPPED : NO_ROOM;
      stage(watch, 0.5);
      if (single && plane.count == nodes && !plane.weighted && !plane.touched) {
        if (!walkRing(walk, plane, rule, table)) return NO_ROOM;
      } else {
        s.spare = plane.nextXy;
        if (!sweep(s, watch)) return STOPPED;
        stage(watch, 0.9);
        if (!walkBorders(walk, s, watch)) return watch.stopped ? STOPPED : NO_ROOM;
      }
    }
    stage(watch, 1);
    watch.from += watch.units;
  }
  return walk.rings;
}

/**
 * Lays a ring behind those that lie there, without nodes on a line with their neighbours: the way there and on winds around
 * nothing that the straight way does not, whether it turns back or not. False for want of room.
 */
function loadRing(plane: Plane, xy: usize, tags: usize, ends: usize, ring: i32, watch: Watch): bool {
  const from = ring == 0 ? 0 : load<i32>(ends + (<usize>(ring - 1) << 2));
  const end = load<i32>(ends + (<usize>ring << 2));
  if (plane.count + end - from + 1 > plane.room) return false;
  const toXy = nodeAt(plane, plane.count);
  const toTags = plane.tags + (<usize>plane.count << 2);
  let n = 0;
  for (let i = from; i < end; i += SLICE) {
    n = loadNodes(xy, tags, i, min(end, i + SLICE), toXy, toTags, n);
    if (tick(watch)) return false;
  }
  n = cutSeam(toXy, toTags, n);
  if (n < 3) return true;
  store<u64>(toXy + (<usize>n << 3), load<u64>(toXy));
  store<u32>(toTags + (<usize>n << 2), GAP);
  plane.count += n + 1;
  return true;
}

function loadNodes(xy: usize, tags: usize, i: i32, end: i32, toXy: usize, toTags: usize, n: i32): i32 {
  for (; i < end; i++) n = addNode(toXy, toTags, n, load<u64>(xy + (<usize>i << 3)), load<u32>(tags + (<usize>i << 2)));
  return n;
}
