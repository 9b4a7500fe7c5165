// Local search on a tour of paths; `order.ts` says what items, ends and tours are.

import { STOPPED, checkpoint } from "./control";

/** Work, in ends looked at or moved, between two checkpoints: well below 50 us. */
const WORK: i32 = 8192;
/** Longest stretch that one move turns round; longer ones cost more time than they save. */
const STRETCH: i32 = 50000;
/** The same where a move must be checked against the rules of order. */
const RULED_STRETCH: i32 = 1000;
/** How often a move that breaks a rule is replaced by the next best one. */
const RETRIES: i32 = 5;
/** Gains below this, mm, do not count; nor do those below this share of the farthest coordinate, which may be rounding. */
const LEAST_GAIN: f64 = 1e-7;
const LEAST_SHARE: f64 = 1e-13;

/** What the functions below share; laid into scratch memory. */
@unmanaged
class Search {
  /** Items and the head's own. */
  size: i32;
  k: i32;
  /** The end where the head may finish anywhere, or -1. */
  free: i32;
  /** 1: open items must not be turned round. */
  oneWay: i32;
  /** 1: turning stretches round is subject to rules, so the head's own item stays at place 0. */
  ruled: i32;
  work: i32;
  leastGain: f64;
  // the ring of ends that wait to be looked at
  head: i32;
  waiting: i32;
  // the move that is tried: its gain, 2 or 3 edges, and t1..t6
  gain: f64;
  edges: i32;
  t3: i32;
  t4: i32;
  t5: i32;
  t6: i32;
  // places that the last move touched, and its turns, 4 ends each
  low: i32;
  high: i32;
  turns: i32;
  log: usize;
  ends: usize;
  tour: usize;
  places: usize;
  near: usize;
  queue: usize;
  queued: usize;
  closed: usize;
  starts: usize;
  around: usize;

  @inline end(place: i32): i32 {
    return load<i32>(this.tour + (<usize>place << 2));
  }

  @inline place(end: i32): i32 {
    return load<i32>(this.places + (<usize>(end >> 1) << 2));
  }

  @inline put(place: i32, end: i32): void {
    store<i32>(this.tour + (<usize>place << 2), end);
    store<i32>(this.places + (<usize>(end >> 1) << 2), place);
  }

  @inline isEntry(end: i32): bool {
    return this.end(this.place(end)) == end;
  }

  /** The end at the other side of the travel that touches `end`. */
  @inline link(end: i32): i32 {
    const place = this.place(end);
    if (this.end(place) == end) return this.end(place == 0 ? this.size - 1 : place - 1) ^ 1;
    return this.end(place + 1 == this.size ? 0 : place + 1);
  }

  @inline distance(a: i32, b: i32): f64 {
    if (a == this.free || b == this.free) return 0;
    const p = this.ends + (<usize>a << 3);
    const q = this.ends + (<usize>b << 3);
    const dx = <f64>load<f32>(p) - <f64>load<f32>(q);
    const dy = <f64>load<f32>(p, 4) - <f64>load<f32>(q, 4);
    return Math.sqrt(dx * dx + dy * dy);
  }

  /** Places from `from` on to `to`, round the tour. */
  @inline ahead(from: i32, to: i32): i32 {
    const steps = to - from;
    return steps < 0 ? steps + this.size : steps;
  }

  @inline wait(end: i32): void {
    if (load<u8>(this.queued + end) != 0) return;
    store<u8>(this.queued + end, 1);
    let at = this.head + this.waiting;
    if (at >= 2 * this.size) at -= 2 * this.size;
    store<i32>(this.queue + (<usize>at << 2), end);
    this.waiting++;
  }
}

/** Bytes of scratch for `improveTour` with n items. */
export function improveBytes(n: i32): i32 {
  return <i32>offsetof<Search>() + 64 + (n + 1) * (4 + 8 + 2);
}

/**
 * Shortens a tour by 2-opt moves and moves of short stretches (sequential 3-opt without a gain in between), each among
 * near ends, until none is left. Moves that break a rule of order are not made.
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
 * tour     i32[n + 1], valid and within the rules; changed
 * scratch  u8[improveBytes(n)]; 8-byte aligned
 * returns  n, or STOPPED
 * cost     about O(n * k) moves tried; a move costs up to STRETCH steps
 * source   2-opt with neighbour lists and a queue: Bentley, "Fast algorithms for geometric traveling salesman problems",
 *          1992; or-3opt: Johnson & McGeoch, "The traveling salesman problem: a case study in local optimization", 1997
 */
export function improveTour(
  ends: usize, n: i32, near: usize, k: i32, free: i32, flip: i32, closed: usize, starts: usize, around: usize, tour: usize, scratch: usize,
): i32 {
  const size = n + 1;
  const search = changetype<Search>(scratch);
  search.size = size;
  search.k = k;
  search.free = free != 0 ? 2 * n + 1 : -1;
  search.oneWay = flip == 0 ? 1 : 0;
  search.ruled = flip == 0 || starts != 0 ? 1 : 0;
  search.work = 0;
  search.leastGain = max(LEAST_GAIN, LEAST_SHARE * farthest(ends, size));
  search.head = 0;
  search.waiting = 0;
  search.ends = ends;
  search.tour = tour;
  search.near = near;
  search.closed = closed;
  search.starts = starts;
  search.around = around;
  search.log = scratch + offsetof<Search>();
  search.places = search.log + 64;
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
    const end = load<i32>(search.queue + (<usize>search.head << 2));
    if (++search.head == 2 * size) search.head = 0;
    search.waiting--;
    store<u8>(search.queued + end, 0);
    looked = min(looked + 1, 2 * size);
    while (improveAt(search, end)) {
      if (search.work > WORK && pause(search, looked)) return STOPPED;
    }
    search.work += 64;
    if (search.work > WORK && pause(search, looked)) return STOPPED;
  }
  lead(search);
  return n;
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

/** Makes the best move that breaks the travel at `t1`; false when none shortens the tour. */
function improveAt(search: Search, t1: i32): bool {
  const t2 = search.link(t1);
  let limit: f64 = Infinity;
  for (let round = 0; round <= RETRIES; round++) {
    if (!findMove(search, t1, t2, limit)) return false;
    makeMove(search, t1, t2);
    if (search.ruled == 0 || keepsRules(search)) {
      search.wait(t1);
      search.wait(t2);
      search.wait(search.t3);
      search.wait(search.t4);
      if (search.edges == 3) {
        search.wait(search.t5);
        search.wait(search.t6);
      }
      return true;
    }
    takeBack(search);
    limit = search.gain;
  }
  return false;
}

/**
 * Finds the move of most gain, below `limit`, that breaks the travel t1-t2 and joins t2 to a near end t3. Two edges:
 * t3-t4 breaks, t4 joins t1. Three edges: where that would cut the tour in two, a travel t5-t6 between t2 and t3 breaks
 * too, t4 joins t5, t6 joins t1.
 */
function findMove(search: Search, t1: i32, t2: i32, limit: f64): bool {
  const k = search.k;
  const stretch = search.ruled != 0 ? RULED_STRETCH : STRETCH;
  const broken = search.distance(t1, t2);
  const t2Enters = search.isEntry(t2);
  let best = search.leastGain;
  search.edges = 0;
  if (t2 == search.free) return false;
  const near = search.near + ((<usize>t2 * <usize>k) << 2);
  for (let i = 0; i < k; i++) {
    const t3 = load<i32>(near + (<usize>i << 2));
    if (t3 < 0) break;
    const gain1 = broken - search.distance(t2, t3);
    if (gain1 <= 0) break;
    if (t3 == t1) continue;
    const t4 = search.link(t3);
    const gain2 = gain1 + search.distance(t3, t4);
    if (search.isEntry(t3) == t2Enters) {
      const gain = gain2 - search.distance(t4, t1);
      if (gain <= best || gain >= limit) continue;
      if (turnLength(search, t1, t2, t3, t4) > stretch) continue;
      best = gain;
      search.edges = 2;
      search.t3 = t3;
      search.t4 = t4;
      continue;
    }
    if (t4 == search.free) continue;
    const from = search.place(t2Enters ? t2 : t3);
    const length = search.ahead(from, search.place(t2Enters ? t3 : t2));
    if (search.ruled == 0) {
      if (min(length, search.size - length) > stretch) continue;
    } else if (length > stretch || from == 0 || from + length >= search.size) {
      // within rules the head's own item, at place 0, must stay outside what moves
      continue;
    }
    const around = search.near + ((<usize>t4 * <usize>k) << 2);
    for (let j = 0; j < k; j++) {
      const t5 = load<i32>(around + (<usize>j << 2));
      if (t5 < 0) break;
      const gain3 = gain2 - search.distance(t4, t5);
      if (gain3 <= best) break;
      if (t5 == t2 || t5 == t3 || search.ahead(from, search.place(t5)) > length) continue;
      const t6 = search.link(t5);
      if (search.ahead(from, search.place(t6)) > length) continue;
      const gain = gain3 + search.distance(t5, t6) - search.distance(t6, t1);
      if (gain <= best || gain >= limit) continue;
      best = gain;
      search.edges = 3;
      search.t3 = t3;
      search.t4 = t4;
      search.t5 = t5;
      search.t6 = t6;
    }
  }
  search.work += 2 * k;
  search.gain = best;
  return search.edges != 0;
}

/** Makes the move that `findMove` left, as one to three turns. */
function makeMove(search: Search, t1: i32, t2: i32): void {
  const t3 = search.t3;
  const t4 = search.t4;
  const t5 = search.t5;
  const t6 = search.t6;
  search.turns = 0;
  search.low = search.size;
  search.high = -1;
  if (search.edges == 2) {
    turn(search, t1, t2, t3, t4);
    return;
  }
  const from = search.place(search.isEntry(t2) ? t2 : t3);
  const at2 = search.ahead(from, search.place(t2));
  const at5 = search.ahead(from, search.place(t5));
  const at6 = search.ahead(from, search.place(t6));
  if (abs(at5 - at2) >= abs(at6 - at2)) {
    turn(search, t1, t2, t5, t6);
    turn(search, t5, t2, t3, t4);
  } else {
    turn(search, t1, t2, t4, t3);
    turn(search, t1, t3, t5, t6);
    turn(search, t5, t3, t2, t4);
  }
}

function takeBack(search: Search): void {
  for (let i = search.turns - 1; i >= 0; i--) {
    const at = search.log + (<usize>i << 4);
    turnRound(search, load<i32>(at, 8), load<i32>(at, 4), load<i32>(at), load<i32>(at, 12));
  }
}

function turn(search: Search, t1: i32, t2: i32, t3: i32, t4: i32): void {
  const at = search.log + (<usize>search.turns << 4);
  store<i32>(at, t1);
  store<i32>(at, t2, 4);
  store<i32>(at, t3, 8);
  store<i32>(at, t4, 12);
  search.turns++;
  turnRound(search, t1, t2, t3, t4);
}

/** Places that `turnRound` would change. */
@inline function turnLength(search: Search, t1: i32, t2: i32, t3: i32, t4: i32): i32 {
  const enters = search.isEntry(t2);
  const from = search.place(enters ? t2 : t1);
  const length = search.ahead(from, search.place(enters ? t4 : t3)) + 1;
  if (search.ruled == 0) return min(length, search.size - length);
  return from == 0 || from + length > search.size ? search.size - length : length;
}

/** Replaces the travels t1-t2 and t3-t4 by t2-t3 and t4-t1: turns round what lies between, or all the rest. */
function turnRound(search: Search, t1: i32, t2: i32, t3: i32, t4: i32): void {
  const size = search.size;
  const enters = search.isEntry(t2);
  let i = search.place(enters ? t2 : t1);
  let j = search.place(enters ? t4 : t3);
  let length = search.ahead(i, j) + 1;
  if (search.ruled != 0 ? i == 0 || i + length > size : 2 * length > size) {
    const next = j + 1 == size ? 0 : j + 1;
    j = i == 0 ? size - 1 : i - 1;
    i = next;
    length = size - length;
  }
  search.work += length;
  search.low = min(search.low, i);
  search.high = max(search.high, j);
  for (let pairs = length >> 1; pairs > 0; pairs--) {
    const a = search.end(i);
    search.put(i, search.end(j) ^ 1);
    search.put(j, a ^ 1);
    if (++i == size) i = 0;
    if (--j < 0) j = size - 1;
  }
  if ((length & 1) != 0) search.put(i, search.end(i) ^ 1);
}

/** True when no item between the touched places is turned or placed against the rules. */
function keepsRules(search: Search): bool {
  const starts = search.starts;
  search.work += search.high - search.low;
  for (let place = max(search.low, 1); place <= search.high; place++) {
    const end = search.end(place);
    const item = end >> 1;
    if (search.oneWay != 0 && (end & 1) != 0 && load<u8>(search.closed + item) == 0) return false;
    if (starts == 0) continue;
    const last = load<u32>(starts + (<usize>item << 2), 4);
    for (let i = load<u32>(starts + (<usize>item << 2)); i < last; i++) {
      const later = load<i32>(search.around + (<usize>i << 2));
      if (load<i32>(search.places + (<usize>later << 2)) < place) return false;
    }
  }
  return true;
}

/** Brings the head's own item back to place 0, entered through its end 2n + 1. */
function lead(search: Search): void {
  const size = search.size;
  const own = 2 * size - 2;
  const at = search.place(own);
  const backwards = search.end(at) == own;
  if (at == 0 && !backwards) return;
  // the queue is empty by now, its room serves for the copy
  let from = at;
  for (let place = 0; place < size; place++) {
    const end = search.end(from);
    store<i32>(search.queue + (<usize>place << 2), backwards ? end ^ 1 : end);
    if (backwards) from = from == 0 ? size - 1 : from - 1;
    else from = from + 1 == size ? 0 : from + 1;
  }
  memory.copy(search.tour, search.queue, <usize>size << 2);
}
