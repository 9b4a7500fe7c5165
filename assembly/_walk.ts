// From borders to rings: each passes no place twice, and has ink to its right on the way down, so that outer ones have
// positive area and holes negative.
import { nodeAt, Plane, SECOND, tagOf, turn } from "./_plane";
import { addNode, cutSeam, STAYS } from "./_straight";
import { BORDER, isInk, Sweep } from "./_sweep";
import { LOOK, tick, Watch } from "./_watch";

@unmanaged
export class Walk {
  /** u64, u32 and i32[room]: places, tags and touching nodes of the ring so far. */
  xy: usize;
  tags: usize;
  touches: usize;
  /** i32[room], where each touching node stands in it. */
  places: usize;
  /** Rings thinner than this on average are left out, in units. */
  least: f64;
  /** Where rings go: i32 pairs and u32 a node, u32 a ring. */
  outXy: usize;
  outTags: usize;
  outEnds: usize;
  nodes: i32;
  rings: i32;
  /** Most nodes; rings have three at least. */
  outRoom: i32;
  /** u8 per tag, set where a ring has it. */
  seen: usize;
}

@inline function put(w: Walk, n: i32, xy: u64, tag: u32, touch: i32): void {
  store<u64>(w.xy + (<usize>n << 3), xy);
  store<u32>(w.tags + (<usize>n << 2), tag);
  store<i32>(w.touches + (<usize>n << 2), touch);
}

/** Follows all borders of a sweep. False for want of room or when `watch` has stopped. */
export function walkBorders(w: Walk, s: Sweep, watch: Watch): bool {
  let walked = 0;
  for (let first = 0; first < s.bordered; first++) {
    if ((first & LOOK) == 0 && tick(watch)) return false;
    let n = 0;
    for (let border = first; ; ) {
      const at = s.borders + <usize>border * BORDER;
      const next = load<i32>(at, 8);
      if (next < 0) break;
      store<i32>(at, -1, 8);
      const touch = load<i32>(at, 16);
      if (touch >= 0) {
        const place = w.places + (<usize>touch << 2);
        const before = load<i32>(place);
        if (<u32>before < <u32>n && load<i32>(w.touches + (<usize>before << 2)) == touch) {
          if (!emit(w, before, n)) return false;
          n = before;
        }
        store<i32>(place, n);
      }
      put(w, n++, load<u64>(at), load<u32>(at, 12), touch);
      border = next;
      if ((++walked & 4095) == 0 && tick(watch)) return false;
    }
    if (n > 0 && !emit(w, 0, n)) return false;
  }
  return true;
}

/** Takes over a single ring that crosses nothing, the first nodes of a plane, if it encloses ink. False for want of room. */
export function walkRing(w: Walk, plane: Plane, rule: i32, table: i32): bool {
  const n = plane.count - 1;
  const winding = areaOf(plane.xy, 0, n) > 0 ? 1 : -1;
  const isSecond = (tagOf(plane, 0) & SECOND) != 0;
  const first = isSecond ? 0 : winding;
  const second = isSecond ? winding : 0;
  // both sides alike: no border
  if (isInk(rule, table, 0, 0) == isInk(rule, table, first, second)) return true;
  for (let i = 0; i < n; i++) {
    if (winding > 0) put(w, i, load<u64>(nodeAt(plane, i)), tagOf(plane, i) & ~SECOND, -1);
    else put(w, i, load<u64>(nodeAt(plane, n - i)), tagOf(plane, n - 1 - i) & ~SECOND, -1);
  }
  return emit(w, 0, n);
}

/** Twice the area of nodes i..end - 1. */
function areaOf(xy: usize, i: i32, end: i32): i64 {
  const x = load<i32>(xy + (<usize>i << 3));
  const y = load<i32>(xy + (<usize>i << 3), 4);
  let sum: i64 = 0;
  for (let at = xy + (<usize>i << 3), last = xy + (<usize>(end - 1) << 3); at < last; at += 8)
    sum += turn(x, y, load<i32>(at), load<i32>(at, 4), load<i32>(at, 8), load<i32>(at, 12));
  return sum;
}

/** Length around, each edge by the longer of its two sides. */
function girthOf(xy: usize, i: i32, end: i32): f64 {
  let x = load<i32>(xy + (<usize>(end - 1) << 3));
  let y = load<i32>(xy + (<usize>(end - 1) << 3), 4);
  let sum: f64 = 0;
  for (; i < end; i++) {
    const nextX = load<i32>(xy + (<usize>i << 3));
    const nextY = load<i32>(xy + (<usize>i << 3), 4);
    sum += <f64>max(abs(nextX - x), abs(nextY - y));
    x = nextX;
    y = nextY;
  }
  return sum;
}

/** Writes nodes i..end - 1 of the walk as a ring, without those inside straight sides of one tag. */
function emit(w: Walk, i: i32, end: i32): bool {
  if (end - i < 3) return true;
  if (w.least > 0 && <f64>abs(areaOf(w.xy, i, end)) < w.least * girthOf(w.xy, i, end)) return true;
  if (w.nodes + (end - i) > w.outRoom) return false;
  const xy = w.outXy + (<usize>w.nodes << 3);
  const tags = w.outTags + (<usize>w.nodes << 2);
  let n = 0;
  for (; i < end; i++) {
    const tag = load<u32>(w.tags + (<usize>i << 2));
    if (w.seen != 0) store<u8>(w.seen + <usize>tag, 1);
    // other rings touch here
    const stays = load<i32>(w.touches + (<usize>i << 2)) >= 0;
    n = addNode(xy, tags, n, load<u64>(w.xy + (<usize>i << 3)), stays ? tag | STAYS : tag);
  }
  n = cutSeam(xy, tags, n);
  for (let k = 0; k < n; k++) store<u32>(tags + (<usize>k << 2), load<u32>(tags + (<usize>k << 2)) & ~STAYS);
  if (n < 3) return true;
  w.nodes += n;
  store<u32>(w.outEnds + (<usize>(w.rings++) << 2), w.nodes);
  return true;
}
