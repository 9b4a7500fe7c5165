// A tour of paths under search: what stands where, and turning stretches of it round. `order.ts` says what items, ends and
// tours are.

/** A tour under search; laid into scratch memory. */
@unmanaged
export class Search {
  /** Items and the head's own. */
  size: i32;
  k: i32;
  /** The end where the head may finish anywhere, or -1. */
  free: i32;
  /** 1: open items must not be turned round; 2: nor is there any other. */
  oneWay: i32;
  /** 1: turning stretches round is subject to rules, so the head's own item stays at place 0. */
  ruled: i32;
  /** Longest stretch that one move turns round. */
  stretch: i32;
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
  // the best that leaves the tour open between t1 and its last end: gain without the closing edge
  openGain: f64;
  openEdges: i32;
  open3: i32;
  open4: i32;
  open5: i32;
  open6: i32;
  /** Moves that may follow one another before the tour is shorter, >= 1. */
  depth: i32;
  /** Ends of open moves, for the queue. */
  touched: i32;
  touchedEnds: usize;
  // places that the last move touched
  low: i32;
  high: i32;
  /** Turns that can be taken back, 4 ends each. */
  turns: i32;
  /** State of the generator of random numbers. */
  random: u32;
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
  ranks: usize;

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

  @inline touch(end: i32): void {
    store<i32>(this.touchedEnds + (<usize>this.touched << 2), end);
    this.touched++;
  }

  /** The end that is looked at next; one waits. */
  @inline next(): i32 {
    const end = load<i32>(this.queue + (<usize>this.head << 2));
    if (++this.head == 2 * this.size) this.head = 0;
    this.waiting--;
    store<u8>(this.queued + end, 0);
    return end;
  }

  /** Whether all items of a stretch are of one rank, as its first and its last are; the head's own is not among them. */
  @inline isOneRank(from: i32, to: i32): bool {
    if (this.ranks == 0) return true;
    return load<u32>(this.ranks + (<usize>(this.end(from) >> 1) << 2)) == load<u32>(this.ranks + (<usize>(this.end(to) >> 1) << 2));
  }
}

/** Takes all turns back but the first `kept`. */
export function takeBack(search: Search, kept: i32): void {
  for (let i = search.turns - 1; i >= kept; i--) {
    const at = search.log + (<usize>i << 4);
    turnRound(search, load<i32>(at, 8), load<i32>(at, 4), load<i32>(at), load<i32>(at, 12));
  }
  search.turns = kept;
}

/** As `turnRound`, kept in the log. */
export function turn(search: Search, t1: i32, t2: i32, t3: i32, t4: i32): void {
  const at = search.log + (<usize>search.turns << 4);
  store<i32>(at, t1);
  store<i32>(at, t2, 4);
  store<i32>(at, t3, 8);
  store<i32>(at, t4, 12);
  search.turns++;
  turnRound(search, t1, t2, t3, t4);
}

/** Places that `turnRound` would change; `i32.MAX_VALUE` where the rules forbid it at first sight. */
@inline export function turnLength(search: Search, t1: i32, t2: i32, t3: i32, t4: i32): i32 {
  const enters = search.isEntry(t2);
  const from = search.place(enters ? t2 : t1);
  const to = search.place(enters ? t4 : t3);
  const length = search.ahead(from, to) + 1;
  if (search.oneWay == 2) return i32.MAX_VALUE;
  if (search.ruled == 0) return min(length, search.size - length);
  if (from != 0 && from + length <= search.size) return search.isOneRank(from, to) ? length : i32.MAX_VALUE;
  return search.isOneRank(to + 1 == search.size ? 0 : to + 1, from == 0 ? search.size - 1 : from - 1) ? search.size - length : i32.MAX_VALUE;
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

/** True when no item between the touched places, which are of one rank, is turned or placed against the other rules. */
export function keepsRules(search: Search): bool {
  const starts = search.starts;
  if (starts == 0 && search.oneWay != 1) return true;
  search.work += search.high - search.low;
  for (let place = max(search.low, 1); place <= search.high; place++) {
    const end = search.end(place);
    const item = end >> 1;
    if (search.oneWay == 1 && (end & 1) != 0 && load<u8>(search.closed + item) == 0) return false;
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
export function lead(search: Search): void {
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
  for (let place = 0; place < size; place++) search.put(place, load<i32>(search.queue + (<usize>place << 2)));
}
