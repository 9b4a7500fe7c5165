// The moves of local search on a tour of paths: which are tried, and how they are made.

import { Search, keepsRules, takeBack, turn, turnLength } from "./_search";

/** How often a move that breaks a rule is replaced by the next best one. */
const RETRIES: i32 = 5;
/** Longest stretch that a move turns round which leaves the tour open: most are taken back. */
const OPEN_STRETCH: i32 = 1000;

/**
 * Makes the best move that breaks the travel at `t1`, or a row of moves that all do; returns what is gained, mm, or 0
 * when none shortens the tour.
 */
export function improveAt(search: Search, t1: i32): f64 {
  const before = search.turns;
  let t2 = search.link(t1);
  let broken = search.distance(t1, t2);
  let limit: f64 = Infinity;
  search.low = search.size;
  search.high = -1;
  search.touched = 0;
  let retries = RETRIES;
  for (let depth = 1; ; ) {
    const turns = search.turns;
    if (findMove(search, t1, t2, broken, limit)) {
      makeMove(search, t1, t2);
      if (search.ruled == 0 || keepsRules(search)) {
        touchMove(search, t2);
        search.wait(t1);
        for (let i = 0; i < search.touched; i++) search.wait(load<i32>(search.touchedEnds + (<usize>i << 2)));
        return search.gain;
      }
      takeBack(search, turns);
      if (retries-- == 0) break;
      limit = search.gain;
      continue;
    }
    // nothing closes with a gain: what leaves most may, with another move
    if (depth++ == search.depth || search.openEdges == 0) break;
    search.edges = search.openEdges;
    search.t3 = search.open3;
    search.t4 = search.open4;
    search.t5 = search.open5;
    search.t6 = search.open6;
    makeMove(search, t1, t2);
    touchMove(search, t2);
    t2 = search.edges == 3 ? search.t6 : search.t4;
    broken = search.openGain;
    limit = Infinity;
  }
  if (search.turns > before) takeBack(search, before);
  return 0;
}

/** Notes the ends of a move but t1. */
function touchMove(search: Search, t2: i32): void {
  search.touch(t2);
  search.touch(search.t3);
  search.touch(search.t4);
  if (search.edges == 2) return;
  search.touch(search.t5);
  search.touch(search.t6);
}

/**
 * Finds the move of most gain, below `limit`, that breaks the travel t1-t2 and joins t2 to a near end t3. Two edges:
 * t3-t4 breaks, t4 joins t1. Three edges: where that would cut the tour in two, a travel t5-t6 between t2 and t3 breaks
 * too, t4 joins t5, t6 joins t1. Where rows are wanted it also finds the one of most gain before its end joins t1.
 *
 * broken   what t1-t2 and the moves before it leave to gain, mm
 */
function findMove(search: Search, t1: i32, t2: i32, broken: f64, limit: f64): bool {
  const k = search.k;
  const stretch = search.stretch;
  const deep = search.depth > 1;
  search.openGain = search.leastGain;
  search.openEdges = 0;
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
      if (deep && gain2 > search.openGain && t4 != search.free && turnLength(search, t1, t2, t3, t4) <= OPEN_STRETCH) {
        search.openGain = gain2;
        search.openEdges = 2;
        search.open3 = t3;
        search.open4 = t4;
      }
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
    } else if (length > stretch || from == 0 || from + length >= search.size || !search.isOneRank(from, from + length)) {
      // within rules the head's own item, at place 0, must stay outside what moves
      continue;
    }
    const around = search.near + ((<usize>t4 * <usize>k) << 2);
    for (let j = 0; j < k; j++) {
      const t5 = load<i32>(around + (<usize>j << 2));
      if (t5 < 0) break;
      const gain3 = gain2 - search.distance(t4, t5);
      if (gain3 <= (deep ? 0 : best)) break;
      if (t5 == t2 || t5 == t3) continue;
      const at5 = search.ahead(from, search.place(t5));
      if (at5 > length) continue;
      const t6 = search.link(t5);
      const at6 = search.ahead(from, search.place(t6));
      if (at6 > length || (search.oneWay == 2 && turnsRound(search, t2, from, at5, at6))) continue;
      const gain4 = gain3 + search.distance(t5, t6);
      const gain = gain4 - search.distance(t6, t1);
      const opens = deep && gain4 > search.openGain && t6 != search.free;
      const closes = gain > best && gain < limit;
      if (!opens && !closes) continue;
      // the longest of the three parts stays where it is
      const part = min(at5, at6) + 1;
      const rest = length + 1 - part;
      const moved = search.ruled != 0 ? length : search.size - max(max(part, rest), search.size - part - rest);
      if (opens && moved <= OPEN_STRETCH) {
        search.openGain = gain4;
        search.openEdges = 3;
        search.open3 = t3;
        search.open4 = t4;
        search.open5 = t5;
        search.open6 = t6;
      }
      if (!closes || moved > stretch) continue;
      best = gain;
      search.edges = 3;
      search.t3 = t3;
      search.t4 = t4;
      search.t5 = t5;
      search.t6 = t6;
    }
  }
  search.work += 8 * k;
  search.gain = best;
  return search.edges != 0;
}

/** Makes the move that `findMove` left, as one to three turns. */
function makeMove(search: Search, t1: i32, t2: i32): void {
  const t3 = search.t3;
  const t4 = search.t4;
  const t5 = search.t5;
  const t6 = search.t6;
  if (search.edges == 2) {
    turn(search, t1, t2, t3, t4);
    return;
  }
  const from = search.place(search.isEntry(t2) ? t2 : t3);
  const at5 = search.ahead(from, search.place(t5));
  const at6 = search.ahead(from, search.place(t6));
  if (turnsRound(search, t2, from, at5, at6)) {
    turn(search, t1, t2, t5, t6);
    turn(search, t5, t2, t3, t4);
    return;
  }
  // three parts go round; of them the longest stays where it is
  const part = min(at5, at6) + 1;
  const rest = search.ahead(from, search.place(search.isEntry(t2) ? t3 : t2)) + 1 - part;
  const most = search.ruled != 0 ? search.size : search.size - part - rest;
  const beside2 = search.isEntry(t2) ? part : rest;
  if (most >= max(part, rest)) exchange(search, t1, t2, t3, t4, t5, t6);
  else if (beside2 > part + rest - beside2) exchange(search, t5, t6, t1, t2, t3, t4);
  else exchange(search, t3, t4, t5, t6, t1, t2);
}

/** Exchanges the parts between t1-t2 and t5-t6 and between t5-t6 and t3-t4: joins t2 to t3, t4 to t5, t6 to t1. */
@inline function exchange(search: Search, t1: i32, t2: i32, t3: i32, t4: i32, t5: i32, t6: i32): void {
  turn(search, t1, t2, t4, t3);
  turn(search, t1, t3, t5, t6);
  turn(search, t5, t3, t2, t4);
}

/** Whether a move of three edges turns a stretch round; else two stretches change places as they are. */
@inline function turnsRound(search: Search, t2: i32, from: i32, at5: i32, at6: i32): bool {
  const at2 = search.ahead(from, search.place(t2));
  return abs(at5 - at2) >= abs(at6 - at2);
}
