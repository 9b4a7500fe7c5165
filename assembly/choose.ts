// Where items are entered, in a tour whose order stays; `order.ts` says what items, ends and tours are.

import { STOPPED, checkpoint } from "./control";

/** Vertices of a closed item that are weighed against one another; open items have two ends. */
const CHOICES: i32 = 8;
/** Points looked at between two checkpoints: some 20 us of work. */
const WORK: i32 = 2048;

@unmanaged
class Choice {
  xy: usize;
  first: usize;
  closed: usize;
  /** u32[n * CHOICES], the points at which the item at each place may be entered; the present one first. */
  points: usize;
  /** u8[n * CHOICES], the choice at the place before. */
  before: usize;
  /** u8[n], choices at each place. */
  counts: usize;
  /** f64[2 * CHOICES], the shortest ways to the choices of this place and of the one before. */
  ways: usize;
  /** f64[CHOICES], detours of a closed item's choices. */
  detours: usize;

  @inline point(place: i32, choice: i32): usize {
    return this.points + (<usize>((place - 1) * CHOICES + choice) << 2);
  }

  @inline count(place: i32): i32 {
    return <i32>load<u8>(this.counts + (place - 1));
  }

  @inline at(point: i32): usize {
    return this.xy + (<usize>point << 3);
  }

  /** The point at which an item is left that is entered at `point`. */
  @inline exit(item: i32, point: i32): i32 {
    if (load<u8>(this.closed + item) != 0) return point;
    const from = load<i32>(this.first + (<usize>item << 2));
    const last = load<i32>(this.first + (<usize>item << 2), 4) - 1;
    return point == from ? last : from;
  }
}

/** Bytes of scratch for `chooseEnds` with n items. */
export function chooseBytes(n: i32): i32 {
  return <i32>offsetof<Choice>() + 24 * CHOICES + n * (5 * CHOICES + 1);
}

/**
 * Chooses anew at which end each open item of a tour is entered, and at which vertex each closed one: the best of all
 * choices together. Of closed items with more than 8 vertices those 8 are weighed that lie best between the places where
 * the item before is left now and the one behind is entered, so another pass may find more. The way never grows.
 *
 * xy, first, closed, n, ends, entry, tour   as in `nearestTour`; ends and entry of closed items and the directions of
 *                                           open ones change, their order does not
 * free     1: the head may finish anywhere
 * flip     1: open items may be turned round
 * scratch  u8[chooseBytes(n)]; 8-byte aligned
 * returns  n, or STOPPED
 * cost     O(points), about 0.3 us an item and 5 ns a point
 * source   own; dynamic programming along the tour
 */
export function chooseEnds(
  xy: usize, first: usize, closed: usize, n: i32, ends: usize, entry: usize, tour: usize, free: i32, flip: i32, scratch: usize,
): i32 {
  const choice = changetype<Choice>(scratch);
  choice.xy = xy;
  choice.first = first;
  choice.closed = closed;
  choice.ways = scratch + offsetof<Choice>();
  choice.detours = choice.ways + (CHOICES << 4);
  choice.points = choice.detours + (CHOICES << 3);
  choice.before = choice.points + ((<usize>n * CHOICES) << 2);
  choice.counts = choice.before + <usize>n * CHOICES;
  if (n == 0) return n;

  let work = 0;
  for (let place = 1; place <= n; place++) {
    const end = load<i32>(tour + (<usize>place << 2));
    const item = end >> 1;
    work += 64;
    if (load<u8>(closed + item) == 0) {
      const from = load<i32>(first + (<usize>item << 2));
      const last = load<i32>(first + (<usize>item << 2), 4) - 1;
      store<i32>(choice.point(place, 0), (end & 1) == 0 ? from : last);
      store<i32>(choice.point(place, 1), (end & 1) == 0 ? last : from);
      store<u8>(choice.counts + (place - 1), flip != 0 ? 2 : 1);
    } else {
      const from = ends + (<usize>(load<i32>(tour + (<usize>(place - 1) << 2)) ^ 1) << 3);
      const next = place < n ? load<i32>(tour + (<usize>(place + 1) << 2)) : 2 * n + 1;
      const to = place == n && free != 0 ? from : ends + (<usize>next << 3);
      offerVertices(choice, place, item, load<i32>(entry + (<usize>item << 2)), from, to);
      work += load<i32>(first + (<usize>item << 2), 4) - load<i32>(first + (<usize>item << 2));
    }
    weigh(choice, place, ends + (<usize>n << 4), place > 1 ? load<i32>(tour + (<usize>(place - 1) << 2)) >> 1 : -1);
    if (work > WORK) {
      work = 0;
      if (checkpoint(place)) return STOPPED;
    }
  }
  return settle(choice, n, ends, entry, tour, free) ? n : STOPPED;
}

/** Lists the vertices of a closed item that lie best between two places, the present entry first. */
function offerVertices(choice: Choice, place: i32, item: i32, entry: i32, from: usize, to: usize): void {
  const first = load<i32>(choice.first + (<usize>item << 2));
  const last = max(load<i32>(choice.first + (<usize>item << 2), 4) - 1, first + 1);
  const detours = choice.detours;
  store<i32>(choice.point(place, 0), entry);
  let n = 1;
  for (let point = first; point < last; point++) {
    if (point == entry) continue;
    const at = choice.at(point);
    const detour = far(from, at) + far(at, to);
    let p = n;
    if (n == CHOICES) {
      if (detour >= load<f64>(detours + ((CHOICES - 1) << 3))) continue;
      p = CHOICES - 1;
    } else n++;
    for (; p > 1 && load<f64>(detours + (<usize>(p - 1) << 3)) > detour; p--) {
      store<f64>(detours + (<usize>p << 3), load<f64>(detours + (<usize>(p - 1) << 3)));
      store<i32>(choice.point(place, p), load<i32>(choice.point(place, p - 1)));
    }
    store<f64>(detours + (<usize>p << 3), detour);
    store<i32>(choice.point(place, p), point);
  }
  store<u8>(choice.counts + (place - 1), <u8>n);
}

/** Finds the shortest way to each choice of a place; `before` is the item at the place before, -1 at the first. */
function weigh(choice: Choice, place: i32, start: usize, before: i32): void {
  const now = choice.ways + ((<usize>place & 1) * (CHOICES << 3));
  const past = choice.ways + ((<usize>(place + 1) & 1) * (CHOICES << 3));
  const count = choice.count(place);
  for (let i = 0; i < count; i++) {
    const at = choice.at(load<i32>(choice.point(place, i)));
    let best: f64 = Infinity;
    let by = 0;
    if (before < 0) best = far(start, at);
    else {
      const choices = choice.count(place - 1);
      for (let j = 0; j < choices; j++) {
        const exit = choice.at(choice.exit(before, load<i32>(choice.point(place - 1, j))));
        const way = load<f64>(past + (<usize>j << 3)) + far(exit, at);
        if (way >= best) continue;
        best = way;
        by = j;
      }
    }
    store<f64>(now + (<usize>i << 3), best);
    store<u8>(choice.before + ((place - 1) * CHOICES + i), <u8>by);
  }
}

/** Takes the choices of the shortest way, from the last place back; false when it was stopped. */
function settle(choice: Choice, n: i32, ends: usize, entry: usize, tour: usize, free: i32): bool {
  const ways = choice.ways + ((<usize>n & 1) * (CHOICES << 3));
  const item = load<i32>(tour + (<usize>n << 2)) >> 1;
  let best: f64 = Infinity;
  let by = 0;
  for (let i = 0; i < choice.count(n); i++) {
    let way = load<f64>(ways + (<usize>i << 3));
    if (free == 0) way += far(choice.at(choice.exit(item, load<i32>(choice.point(n, i)))), ends + (<usize>n << 4) + 8);
    if (way >= best) continue;
    best = way;
    by = i;
  }
  for (let place = n; place >= 1; place--) {
    if (place % WORK == 0 && checkpoint(n)) return false;
    const slot = tour + (<usize>place << 2);
    const item = load<i32>(slot) >> 1;
    const point = load<i32>(choice.point(place, by));
    if (load<u8>(choice.closed + item) != 0) {
      const both = load<u64>(choice.at(point));
      store<u64>(ends + (<usize>item << 4), both);
      store<u64>(ends + (<usize>item << 4), both, 8);
      store<i32>(entry + (<usize>item << 2), point);
    } else store<i32>(slot, 2 * item + (point == load<i32>(choice.first + (<usize>item << 2)) ? 0 : 1));
    by = <i32>load<u8>(choice.before + ((place - 1) * CHOICES + by));
  }
  return true;
}

@inline function far(a: usize, b: usize): f64 {
  const dx = <f64>load<f32>(a) - <f64>load<f32>(b);
  const dy = <f64>load<f32>(a, 4) - <f64>load<f32>(b, 4);
  return Math.sqrt(dx * dx + dy * dy);
}
