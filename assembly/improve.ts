// Local search on a tour of paths; `order.ts` says what items, ends and tours are.

import { STOPPED, checkpoint } from "./control";
import { improveAt } from "./_moves";
import { Search, keepsRules, lead, takeBack, turn } from "./_search";

/** Work, in ends looked at or moved, between two checkpoints: well below 50 us. */
const WORK: i32 = 8192;
/** Longest stretch that one move turns round; longer ones cost more time than they save. */
const STRETCH: i32 = 50000;
/** The same where a move must be checked against the rules of order. */
const RULED_STRETCH: i32 = 1000;
/** After a kick the longest stretch times the size of the tour is this: most repairs are taken back. */
const KICKED_AREA: i32 = 300000000;
/** Gains below this, mm, do not count; nor do those below this share of the farthest coordinate, which may be rounding. */
const LEAST_GAIN: f64 = 1e-7;
const LEAST_SHARE: f64 = 1e-13;
/** Longest stretch that a kick moves, items. */
const KICK: i32 = 50;
/** Turns that can be taken back. A repair that needs more ends early; a move takes three at most, and one is undone at once. */
const TURNS: i32 = 1024;
const SPARE: i32 = 32;
/** Moves in a row, at most, and the ends that they touch. */
const DEPTH: i32 = 8;
const TOUCHED: i32 = 5 * DEPTH;

/** Bytes of scratch for `improveTour` with n items. */
export function improveBytes(n: i32): i32 {
  return <i32>offsetof<Search>() + (TURNS << 4) + (TOUCHED << 2) + (n + 1) * (4 + 8 + 2);
}

/**
 * Shortens a tour by 2-opt moves and moves of short stretches (sequential 3-opt without a gain in between), each among
 * near ends, until none is left; with a depth above 1 by rows of such moves, of which only the last closes with a gain.
 * What breaks a rule of order is not done.
 *
 * ends     f32[4 * (n + 1)], as in `nearestTour`
 * n        items
 * near     i32[(2 * (n + 1) - free) * k], by `nearEnds`
 * k        neighbours of each end
 * free     1: the head may finish anywhere; end 2n + 1 then has no neighbours and costs no travel
 * flip     1: open items may be turned round
 * closed   u8[n], 1 for closed items
 * starts   u32[n + 1]; item i must come before around[starts[i]..starts[i + 1]]; 0: no item must precede another
 * around   u32[starts[n]], as `nestItems` lists them
 * ranks    u32[n]; an item must not come before one of a lower rank; 0: all are of one
 * depth    moves in a row, 1..8
 * tour     i32[n + 1], valid and within the rules; changed
 * scratch  u8[improveBytes(n)]; 8-byte aligned; what `kickTour` goes on from
 * returns  n, or STOPPED
 * cost     about O(n * k) moves tried; a move costs up to STRETCH steps
 * source   2-opt with neighbour lists and a queue: Bentley, "Fast algorithms for geometric traveling salesman problems",
 *          1992; or-3opt and rows of moves: Johnson & McGeoch, "The traveling salesman problem: a case study in local
 *          optimization", 1997, with the step of Lin & Kernighan, 1973
 */
export function improveTour(
  ends: usize, n: i32, near: usize, k: i32, free: i32, flip: i32, closed: usize, starts: usize, around: usize, ranks: usize, depth: i32, tour: usize, scratch: usize,
): i32 {
  const size = n + 1;
  const search = changetype<Search>(scratch);
  search.size = size;
  search.k = k;
  search.free = free != 0 ? 2 * n + 1 : -1;
  search.oneWay = flip != 0 ? 0 : anySet(closed, n) ? 1 : 2;
  // where nothing may be turned round no move is tried that does
  search.ruled = search.oneWay == 1 || starts != 0 || ranks != 0 ? 1 : 0;
  search.work = 0;
  search.leastGain = max(LEAST_GAIN, LEAST_SHARE * farthest(ends, size));
  search.head = 0;
  search.waiting = 0;
  search.turns = 0;
  search.random = 0x9e3779b9;
  search.depth = min(depth, DEPTH);
  search.ends = ends;
  search.tour = tour;
  search.near = near;
  search.closed = closed;
  search.starts = starts;
  search.around = around;
  search.ranks = ranks;
  search.stretch = longest(search, STRETCH);
  search.log = scratch + offsetof<Search>();
  search.touchedEnds = search.log + (TURNS << 4);
  search.places = search.touchedEnds + (TOUCHED << 2);
  search.queue = search.places + (<usize>size << 2);
  search.queued = search.queue + (<usize>size << 3);
  memory.fill(search.queued, 0, <usize>size << 1);
  for (let place = 0; place < size; place++) search.put(place, search.end(place));
  for (let place = 0; place < size; place++) {
    search.wait(search.end(place));
    search.wait(search.end(place) ^ 1);
  }

  // progress counts the first round through the queue, which is most of the work
  let looked = 0;
  while (search.waiting > 0) {
    const end = search.next();
    looked = min(looked + 1, 2 * size);
    while (improveAt(search, end) > 0) {
      search.turns = 0;
      if (search.work > WORK && pause(search, looked)) return STOPPED;
    }
    search.work += 64;
    if (search.work > WORK && pause(search, looked)) return STOPPED;
  }
  lead(search);
  return n;
}

/** The longest stretch that may be turned round: short where each of its items has to be looked at. */
@inline function longest(search: Search, stretch: i32): i32 {
  return search.starts != 0 || search.oneWay == 1 ? RULED_STRETCH : stretch;
}

function anySet(flags: usize, n: i32): bool {
  for (let i = 0; i < n; i++) if (load<u8>(flags + i) != 0) return true;
  return false;
}

/** The largest coordinate of all ends, without its sign. */
function farthest(ends: usize, size: i32): f64 {
  let far: f32 = 0;
  for (let at = ends, end = ends + (<usize>size << 4); at < end; at += 4) far = max(far, abs(load<f32>(at)));
  return far;
}

function pause(search: Search, looked: i32): bool {
  search.work = 0;
  return checkpoint(looked);
}

/**
 * Goes on from where `improveTour` or `kickTour` stopped. Each kick puts three neighbouring stretches of the tour into the
 * opposite order, repairs the tour around by the moves of `improveTour`, and takes all back when that made it longer.
 *
 * scratch  as it was left; all that was given to `improveTour` lies where it was, ends and directions may have changed
 * kicks    how many
 * done     kicks made before, for the progress
 * returns  how many kicks made the tour shorter, or STOPPED. Progress counts kicks
 * cost     about 80 us a kick at depth 5
 * source   iterated local search by localized double bridges: Applegate, Cook & Rohe, "Chained Lin-Kernighan for large
 *          traveling salesman problems", 2003; here around the moves of `improveTour`
 */
export function kickTour(scratch: usize, kicks: i32, done: i32): i32 {
  const search = changetype<Search>(scratch);
  if (search.size < 4) return 0;
  search.stretch = longest(search, min(STRETCH, max(1000, KICKED_AREA / search.size)));
  let gains = 0;
  for (let i = 0; i < kicks; i++) {
    const gain = kick(search, done + i);
    if (isNaN(gain)) return STOPPED;
    if (gain > search.leastGain) gains++;
  }
  lead(search);
  return gains;
}

/** Kicks once; returns the gain, 0 when all was taken back, NaN when it was stopped. */
function kick(search: Search, done: i32): f64 {
  search.turns = 0;
  let gain = shuffle(search);
  if (gain == -Infinity) return 0;
  while (search.waiting > 0) {
    const end = search.next();
    while (search.turns + SPARE <= TURNS) {
      const more = improveAt(search, end);
      if (more == 0) break;
      gain += more;
    }
    search.work += 64;
    if (search.work > WORK && pause(search, done)) return NaN;
  }
  if (gain >= 0) return gain;
  takeBack(search, 0);
  return 0;
}

/**
 * Puts three neighbouring stretches, t2..t3, t4..t5 and t6..t7, chosen at random, into the opposite order. Returns how much
 * shorter that makes the tour, -Infinity when the rules forbid it.
 */
function shuffle(search: Search): f64 {
  const size = search.size;
  const most = min(KICK, (size - 1) / 3);
  const a = 1 + below(search, most);
  const b = a + 1 + below(search, most);
  const c = b + 1 + below(search, most);
  // within rules the head's own item, at place 0, stays where it is
  const p = below(search, search.ruled == 0 ? size : size - c);
  if (search.ruled != 0 && !search.isOneRank(p + 1, p + c)) return -Infinity;
  const t1 = endAt(search, p) ^ 1;
  const t2 = endAt(search, p + 1);
  const t3 = endAt(search, p + a) ^ 1;
  const t4 = endAt(search, p + a + 1);
  const t5 = endAt(search, p + b) ^ 1;
  const t6 = endAt(search, p + b + 1);
  const t7 = endAt(search, p + c) ^ 1;
  const t8 = endAt(search, p + c + 1);
  const gain =
    search.distance(t1, t2) + search.distance(t3, t4) + search.distance(t5, t6) + search.distance(t7, t8)
    - search.distance(t1, t6) - search.distance(t7, t4) - search.distance(t5, t2) - search.distance(t3, t8);
  search.low = size;
  search.high = -1;
  turn(search, t1, t2, t8, t7);
  turn(search, t1, t7, t5, t6);
  turn(search, t7, t5, t3, t4);
  turn(search, t5, t3, t8, t2);
  if (search.ruled != 0 && !keepsRules(search)) {
    takeBack(search, 0);
    return -Infinity;
  }
  search.wait(t1);
  search.wait(t2);
  search.wait(t3);
  search.wait(t4);
  search.wait(t5);
  search.wait(t6);
  search.wait(t7);
  search.wait(t8);
  return gain;
}

@inline function endAt(search: Search, place: i32): i32 {
  return search.end(place >= search.size ? place - search.size : place);
}

/** A random number in 0..limit - 1, by the generator "mulberry32". */
@inline function below(search: Search, limit: i32): i32 {
  let random = search.random + 0x6d2b79f5;
  search.random = random;
  random = (random ^ (random >> 15)) * (random | 1);
  random ^= random + (random ^ (random >> 7)) * (random | 61);
  random ^= random >> 14;
  return <i32>((<u64>random * <u64>limit) >> 32);
}
