// Rings in clusters: two whose boxes have a place in common are in one, and so are all that hang together by way of others.

import { ask, asked, both, BOX, boxAround, Boxes, boxesRoom, countAt, EIGHT, levelAt, nextTouching, nowhere, planBoxes, raiseBoxes, touches } from "./_boxes";
import { STOPPED } from "./control";
import { COUNTS, sortHigh } from "./_keys";
import { LOOK, tick, Watch } from "./_watch";

/** Bytes of scratch for `clusterRings`. */
export function clusterBytes(rings: i32): f64 {
  return <f64>rings * (2 * <f64>BOX + 2 * 8 + 4 + 4) + boxesRoom(rings) + <f64>COUNTS + 256;
}

/**
 * Sorts rings into clusters. Clusters come in the order of their first rings; within one, rings that are near each other
 * are near in the list.
 *
 * xy           i32 pairs a node, |x| and |y| at most 2^29
 * ends         u32[rings], nodes up to and with each
 * scratch      u8[clusterBytes(rings)], 16-byte aligned
 * order        u32[rings], written: rings cluster by cluster
 * clusterEnds  u32[rings], written: rings up to and with each cluster
 * returns      clusters, or STOPPED; reports rings
 * cost         O(n) for nodes, O(r log r) for rings that lie apart
 * source       Morton 1966 for the order; disjoint sets after Tarjan 1975, by halving paths
 */
export function clusterRings(xy: usize, ends: usize, rings: i32, scratch: usize, order: usize, clusterEnds: usize): i32 {
  const watch = changetype<Watch>(scratch);
  const boxes = changetype<Boxes>(scratch + 32);
  watch.from = 0;
  watch.units = <f64>rings;
  watch.most = 0;
  watch.stopped = false;
  const own = scratch + 256;
  const sorted = own + <usize>rings * BOX;
  let keys = sorted + <usize>rings * BOX;
  const spare = keys + (<usize>rings << 3);
  const roots = spare + (<usize>rings << 3);
  const places = roots + (<usize>rings << 2);
  const counts = places + (<usize>rings << 2);
  const levels = (counts + COUNTS + 15) & ~15;

  // boxes of all rings, sorted along a curve that keeps neighbours together
  let node = 0;
  let whole = nowhere();
  for (let ring = 0; ring < rings; ring++) {
    const end = load<i32>(ends + (<usize>ring << 2));
    const box = boxOf(xy, node, end, watch);
    if (watch.stopped || ((ring & LOOK) == 0 && tick(watch))) return STOPPED;
    node = end;
    v128.store(own + <usize>ring * BOX, box);
    whole = both(whole, box);
  }
  for (let ring = 0; ring < rings; ring++) layKey(keys, own, ring, whole);
  keys = sortHigh(keys, spare, rings, 32, counts, watch);
  if (watch.stopped) return STOPPED;
  planBoxes(boxes, levels, rings);
  for (let i = 0; i < rings; i++) {
    const box = v128.load(own + <usize>load<u32>(keys + (<usize>i << 3)) * BOX);
    v128.store(sorted + <usize>i * BOX, box);
    const block = levelAt(boxes, 0) + <usize>(i / EIGHT) * BOX;
    v128.store(block, i % EIGHT == 0 ? box : both(box, v128.load(block)));
    store<i32>(roots + (<usize>i << 2), i);
  }
  raiseBoxes(boxes);

  for (let i = 0; i < rings; i++) {
    unite(boxes, sorted, roots, i, rings, watch);
    if (watch.stopped || ((i & LOOK) == 0 && tick(watch))) return STOPPED;
  }
  return list(keys, roots, places, rings, order, clusterEnds);
}

function boxOf(xy: usize, i: i32, end: i32, watch: Watch): v128 {
  let box = nowhere();
  while (i < end) {
    for (let slice = min(end, i + 8192); i < slice; i++) {
      const at = xy + (<usize>i << 3);
      box = both(box, boxAround(at, at));
    }
    if (i < end && tick(watch)) break;
  }
  return box;
}

/** Bits of the middle of a ring's box, x and y in turn, at 2^16 steps over the whole. */
function layKey(keys: usize, own: usize, ring: i32, whole: v128): void {
  const box = v128.load(own + <usize>ring * BOX);
  const x = placeIn(i32x4.extract_lane(box, 0), i32x4.extract_lane(box, 2), i32x4.extract_lane(whole, 0), i32x4.extract_lane(whole, 2));
  const y = placeIn(i32x4.extract_lane(box, 1), i32x4.extract_lane(box, 3), i32x4.extract_lane(whole, 1), i32x4.extract_lane(whole, 3));
  store<u64>(keys + (<usize>ring << 3), ((spread(x) | (spread(y) << 1)) << 32) | <u64>ring);
}

/** Where the middle of low..-high is in least..-most, 0..65535; 0 for the box of nothing. */
@inline function placeIn(low: i32, high: i32, least: i32, most: i32): u64 {
  const span = -<i64>most - <i64>least;
  const twice = <i64>low - <i64>high - 2 * <i64>least;
  return span <= 0 ? 0 : <u64>max(0, min(65535, (twice * 32768) / span));
}

/** Puts a zero bit before each bit. */
function spread(v: u64): u64 {
  v = (v | (v << 8)) & 0x00ff00ff;
  v = (v | (v << 4)) & 0x0f0f0f0f;
  v = (v | (v << 2)) & 0x33333333;
  return (v | (v << 1)) & 0x55555555;
}

function unite(boxes: Boxes, sorted: usize, roots: usize, i: i32, rings: i32, watch: Watch): void {
  const question = asked(v128.load(sorted + <usize>i * BOX));
  ask(boxes, v128.load(sorted + <usize>i * BOX));
  let n = 0;
  for (let block = i / EIGHT; ; block++) {
    block = nextTouching(boxes, block);
    if (block < 0) return;
    for (let k = max(i + 1, block * EIGHT), end = min(rings, block * EIGHT + EIGHT); k < end; k++) {
      if (!touches(question, v128.load(sorted + <usize>k * BOX))) continue;
      const a = rootOf(roots, i);
      const b = rootOf(roots, k);
      // the lesser root stays, so that the result does not hang on the order of unions
      store<i32>(roots + (<usize>max(a, b) << 2), min(a, b));
    }
    if ((++n & LOOK) == 0 && tick(watch)) return;
  }
}

function rootOf(roots: usize, i: i32): i32 {
  while (true) {
    const at = roots + (<usize>i << 2);
    const up = load<i32>(at);
    if (up == i) return i;
    const over = load<i32>(roots + (<usize>up << 2));
    store<i32>(at, over);
    i = over;
  }
}

/** Writes the clusters; `places` becomes, for the root of each, where its rings go. */
function list(keys: usize, roots: usize, places: usize, rings: i32, order: usize, clusterEnds: usize): i32 {
  // first ring of each cluster in the order given
  memory.fill(places, 0xff, <usize>rings << 2);
  for (let i = 0; i < rings; i++) {
    const place = places + (<usize>rootOf(roots, i) << 2);
    store<u32>(place, min(load<u32>(place), load<u32>(keys + (<usize>i << 3))));
  }
  // sizes, kept for the moment at the clusters' first rings
  memory.fill(clusterEnds, 0, <usize>rings << 2);
  for (let i = 0; i < rings; i++) {
    const at = clusterEnds + (<usize>load<u32>(places + (<usize>rootOf(roots, i) << 2)) << 2);
    store<u32>(at, load<u32>(at) + 1);
  }
  let clusters = 0;
  let sum = 0;
  for (let ring = 0; ring < rings; ring++) {
    const size = load<i32>(clusterEnds + (<usize>ring << 2));
    if (size == 0) continue;
    // where its rings begin, for its root to find by its first ring
    store<i32>(order + (<usize>ring << 2), sum);
    sum += size;
    store<i32>(clusterEnds + (<usize>(clusters++) << 2), sum);
  }
  for (let i = 0; i < rings; i++) {
    if (rootOf(roots, i) != i) continue;
    const place = places + (<usize>i << 2);
    store<u32>(place, load<u32>(order + (<usize>load<u32>(place) << 2)));
  }
  for (let i = 0; i < rings; i++) {
    const place = places + (<usize>rootOf(roots, i) << 2);
    const to = load<u32>(place);
    store<u32>(place, to + 1);
    store<u32>(order + (<usize>to << 2), load<u32>(keys + (<usize>i << 3)));
  }
  return clusters;
}
