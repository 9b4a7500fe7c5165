// Chains of paths that are joined end to end. End 2 p is the head of path p, end 2 p + 1 its tail.

import { checkpoint } from "./control";

/** Bytes of points between two looks at the control block. */
const SLICE: usize = 32768;

/** Chains in memory: this record, then its lists, one entry for each end. */
@unmanaged
export class Chains {
  /** Square of the gap, and twice the gap: what a ring has to be longer than. */
  square: f64;
  loop: f64;
  /** Cosine of the widest turn. */
  turn: f64;
  paths: i32;
  /** Ends that may still be joined. */
  free: i32;
  /** f32[2], where the end is. */
  at: usize;
  /** f32[2], the direction from there into the path. */
  into: usize;
  /** i32, the end that it is joined to, -1 for none. */
  mate: usize;
  /** i32, for free ends: the other end of the chain; -2 for ends that cannot be joined. */
  other: usize;
  /** f64 length and i32 lines of the chain, for free ends. */
  length: usize;
  lines: usize;

  @inline isFree(end: i32): bool {
    return wordAt(this.mate, end) == -1;
  }
}

@inline export function wordAt(list: usize, i: i32): i32 {
  return load<i32>(list + (<usize>i << 2));
}

@inline function place(list: usize, i: i32, value: i32): void {
  store<i32>(list + (<usize>i << 2), value);
}

export function chainsRoom(paths: i32): usize {
  return offsetof<Chains>() + <usize>paths * 2 * 36;
}

/** Makes a chain of each open path that has a length; others take no part. Returns false when the kernel has to leave. */
export function layChains(chains: Chains, ends: usize, paths: i32, xy: usize, gap: f64, turn: f64): bool {
  const count = <usize>paths * 2;
  chains.square = gap * gap;
  chains.loop = 2 * gap;
  chains.turn = turn;
  chains.paths = paths;
  chains.length = changetype<usize>(chains) + offsetof<Chains>();
  chains.at = chains.length + (count << 3);
  chains.into = chains.at + (count << 3);
  chains.mate = chains.into + (count << 3);
  chains.other = chains.mate + (count << 2);
  chains.lines = chains.other + (count << 2);
  memory.fill(chains.mate, 0xff, count << 2);
  let from = 0;
  for (let path = 0; path < paths; path++) {
    const end = wordAt(ends, path);
    if (!layChain(chains, path, xy + (<usize>from << 3), end - from)) return false;
    from = end;
    if ((path & 255) == 255 && checkpoint(path)) return false;
  }
  return true;
}

function layChain(chains: Chains, path: i32, head: usize, n: i32): bool {
  const tail = head + (<usize>(n - 1) << 3);
  if (n < 2 || apart(head, tail) == 0) {
    place(chains.other, 2 * path, -2);
    place(chains.other, 2 * path + 1, -2);
    return true;
  }
  const length = lengthOf(head, tail, path);
  if (length < 0) return false;
  layEnd(chains, 2 * path, head, 8, length, n - 1);
  layEnd(chains, 2 * path + 1, tail, -8, length, n - 1);
  return true;
}

/** Length of the way from one point to a later one, or -1 when the kernel has to leave. */
export function lengthOf(head: usize, tail: usize, done: i32): f64 {
  let length: f64 = 0;
  for (let p = head; p < tail; ) {
    const stop = min(tail, p + SLICE);
    for (; p < stop; p += 8) length += Math.sqrt(apart(p, p + 8));
    if (p < tail && checkpoint(done)) return -1;
  }
  return length;
}

function layEnd(chains: Chains, end: i32, at: usize, step: isize, length: f64, lines: i32): void {
  // the ends of the path are apart, so there is a next point elsewhere
  let next = at + step;
  while (apart(at, next) == 0) next += step;
  const scale = 1 / Math.sqrt(apart(at, next));
  const place2 = <usize>end << 3;
  store<u64>(chains.at + place2, load<u64>(at));
  store<f32>(chains.into + place2, <f32>((<f64>load<f32>(next) - <f64>load<f32>(at)) * scale));
  store<f32>(chains.into + place2, <f32>((<f64>load<f32>(next, 4) - <f64>load<f32>(at, 4)) * scale), 4);
  place(chains.other, end, end ^ 1);
  store<f64>(chains.length + place2, length);
  place(chains.lines, end, lines);
}

/** Square of the distance of two points. */
export function apart(a: usize, b: usize): f64 {
  const dx = <f64>load<f32>(b) - <f64>load<f32>(a);
  const dy = <f64>load<f32>(b, 4) - <f64>load<f32>(a, 4);
  return dx * dx + dy * dy;
}

/** Cosine of the turn from one chain into the other. */
export function straightness(chains: Chains, a: i32, b: i32): f64 {
  const u = chains.into + (<usize>a << 3);
  const v = chains.into + (<usize>b << 3);
  return -(<f64>load<f32>(u) * <f64>load<f32>(v) + <f64>load<f32>(u, 4) * <f64>load<f32>(v, 4));
}

/** Whether two free ends may be joined; how far they are apart has been seen to. */
export function allows(chains: Chains, a: i32, b: i32): bool {
  if (wordAt(chains.other, a) == b) {
    const at = chains.at;
    const touch = apart(at + (<usize>a << 3), at + (<usize>b << 3)) == 0;
    if (!touch && (wordAt(chains.lines, a) < 2 || load<f64>(chains.length + (<usize>a << 3)) <= chains.loop)) return false;
  }
  return chains.turn <= -1 || straightness(chains, a, b) >= chains.turn;
}

/** Joins two free ends. */
export function joinEnds(chains: Chains, a: i32, b: i32): void {
  place(chains.mate, a, b);
  place(chains.mate, b, a);
  const head = wordAt(chains.other, a);
  const tail = wordAt(chains.other, b);
  if (head == b) return;
  const gap = Math.sqrt(apart(chains.at + (<usize>a << 3), chains.at + (<usize>b << 3)));
  const length = load<f64>(chains.length + (<usize>a << 3)) + load<f64>(chains.length + (<usize>b << 3)) + gap;
  const lines = wordAt(chains.lines, a) + wordAt(chains.lines, b) + (gap > 0 ? 1 : 0);
  place(chains.other, head, tail);
  place(chains.other, tail, head);
  store<f64>(chains.length + (<usize>head << 3), length);
  store<f64>(chains.length + (<usize>tail << 3), length);
  place(chains.lines, head, lines);
  place(chains.lines, tail, lines);
}
