// A skeleton as a graph: pixels with three or more neighbours are joints, runs of the others are branches. A branch has
// two halves, 2 * branch at its first pixel and 2 * branch + 1 at its last; the halves at a joint form a ring.

/** Bytes of a pixel: i32 x, y; f32 distance; u8 neighbours, u8 seen. */
export const PIXEL: usize = 16;
/** Bytes of a branch and its halves: see `Graph`. */
export const BRANCH: usize = 12;
export const HALF: usize = 16;

/** A branch is gone, or a ring without a joint, or belongs to a stroke that is listed. */
export const GONE: i32 = 1;
export const LOOP: i32 = 2;
export const DRAWN: i32 = 4;

/** Addresses and sizes; laid out by `layGraph`, kept by the caller in u8[GRAPH]. */
@unmanaged
export class Graph {
  /** The picture, u64[rows * words], and the skeleton in its frame. */
  ink: usize;
  skel: usize;
  words: i32;
  rows: i32;
  /** u32 a word of `skel`: pixels before it. */
  rank: usize;
  pixels: usize;
  n: i32;
  branches: i32;
  /** u32[n]: pixels by branch. */
  chain: usize;
  /** f32[2n] px and f32[n] px: the middle of the stroke and its width beside each place of `chain`; 0: not known. */
  xy: usize;
  wide: usize;
  /** BRANCH bytes each: u32 first place in `chain`, u32 places, u32 flags. */
  branch: usize;
  /** HALF bytes each: i32 joint pixel or -1, u32 next and previous half in the ring, i32 partner or -1. */
  half: usize;
  /** u32[n] by pixel: the joint that it belongs to; a half in the ring of a joint; halves in its ring. */
  parent: usize;
  head: usize;
  degree: usize;
}

@inline export function dx(d: i32): i32 {
  return ((0x901a >> (d << 1)) & 3) - 1;
}

@inline export function dy(d: i32): i32 {
  return ((0x1a9 >> (d << 1)) & 3) - 1;
}

@inline export function pixel(g: Graph, id: i32): usize {
  return g.pixels + <usize>id * PIXEL;
}

@inline export function pixelX(g: Graph, id: i32): f64 {
  return <f64>load<i32>(pixel(g, id)) + 0.5;
}

@inline export function pixelY(g: Graph, id: i32): f64 {
  return <f64>load<i32>(pixel(g, id), 4) + 0.5;
}

/** From the middle of a pixel to the stroke's border, px. */
@inline export function radius(g: Graph, id: i32): f64 {
  return <f64>load<f32>(pixel(g, id), 8) - 0.5;
}

@inline export function near(g: Graph, id: i32): i32 {
  return load<u8>(pixel(g, id), 12);
}

/** The pixel beside another one in direction d: 0 right, then clockwise. */
@inline export function beside(g: Graph, id: i32, d: i32): i32 {
  const at = pixel(g, id);
  const x = load<i32>(at) + dx(d);
  const y = load<i32>(at, 4) + dy(d);
  const word = (y + 1) * (g.words + 1) + 1 + (x >> 6);
  const below = load<u64>(g.skel + (<usize>word << 3)) & (((<u64>1) << (x & 63)) - 1);
  return load<i32>(g.rank + (<usize>word << 2)) + <i32>popcnt(below);
}

@inline export function firstOf(g: Graph, branch: i32): i32 {
  return load<i32>(g.branch + <usize>branch * BRANCH);
}

@inline export function countOf(g: Graph, branch: i32): i32 {
  return load<i32>(g.branch + <usize>branch * BRANCH, 4);
}

@inline export function flagsOf(g: Graph, branch: i32): i32 {
  return load<i32>(g.branch + <usize>branch * BRANCH, 8);
}

@inline export function flag(g: Graph, branch: i32, bit: i32): void {
  store<i32>(g.branch + <usize>branch * BRANCH, flagsOf(g, branch) | bit, 8);
}

@inline export function half(g: Graph, h: i32): usize {
  return g.half + <usize>h * HALF;
}

@inline export function jointOf(g: Graph, h: i32): i32 {
  return load<i32>(half(g, h));
}

@inline export function nextOf(g: Graph, h: i32): i32 {
  return load<i32>(half(g, h), 4);
}

@inline export function partnerOf(g: Graph, h: i32): i32 {
  return load<i32>(half(g, h), 12);
}

/** Place in `chain` of the i-th pixel from a half's end on. */
@inline export function place(g: Graph, h: i32, i: i32): i32 {
  const first = firstOf(g, h >> 1);
  return h & 1 ? first + countOf(g, h >> 1) - 1 - i : first + i;
}

@inline export function chainAt(g: Graph, place: i32): i32 {
  return load<i32>(g.chain + (<usize>place << 2));
}

@inline export function midX(g: Graph, place: i32): f64 {
  return <f64>load<f32>(g.xy + (<usize>place << 3));
}

@inline export function midY(g: Graph, place: i32): f64 {
  return <f64>load<f32>(g.xy + (<usize>place << 3), 4);
}

@inline export function wideAt(g: Graph, place: i32): f64 {
  return <f64>load<f32>(g.wide + (<usize>place << 2));
}

@inline export function headOf(g: Graph, joint: i32): i32 {
  return load<i32>(g.head + (<usize>joint << 2));
}

@inline export function degreeOf(g: Graph, joint: i32): i32 {
  return load<i32>(g.degree + (<usize>joint << 2));
}

/** The pixel that stands for the joint of another one; halves the way there. */
export function rootOf(g: Graph, id: i32): i32 {
  while (true) {
    const at = g.parent + (<usize>id << 2);
    const up = load<i32>(at);
    if (up == id) return id;
    const above = load<i32>(g.parent + (<usize>up << 2));
    store<i32>(at, above);
    id = above;
  }
}

/** The joint at a half, or -1 where the stroke ends. */
@inline export function rootAt(g: Graph, h: i32): i32 {
  const joint = jointOf(g, h);
  return joint < 0 ? -1 : rootOf(g, joint);
}

/** Makes two joints one, with one ring; the pixel with more ink around it stands for both. Returns it. */
export function unite(g: Graph, a: i32, b: i32): i32 {
  a = rootOf(g, a);
  b = rootOf(g, b);
  if (a == b) return a;
  if (radius(g, a) < radius(g, b) || (radius(g, a) == radius(g, b) && b < a)) {
    const swap = a;
    a = b;
    b = swap;
  }
  store<i32>(g.parent + (<usize>b << 2), a);
  const more = degreeOf(g, b);
  if (more > 0) {
    const from = headOf(g, b);
    if (degreeOf(g, a) == 0) store<i32>(g.head + (<usize>a << 2), from);
    else {
      const to = headOf(g, a);
      const toNext = nextOf(g, to);
      const fromNext = nextOf(g, from);
      link(g, to, fromNext);
      link(g, from, toNext);
    }
    store<i32>(g.degree + (<usize>a << 2), degreeOf(g, a) + more);
  }
  return a;
}

@inline function link(g: Graph, a: i32, b: i32): void {
  store<i32>(half(g, a), b, 4);
  store<i32>(half(g, b), a, 8);
}

/** Puts a half into the ring of its joint. */
export function enterRing(g: Graph, h: i32): void {
  const joint = rootAt(g, h);
  const n = degreeOf(g, joint);
  if (n == 0) {
    link(g, h, h);
    store<i32>(g.head + (<usize>joint << 2), h);
  } else {
    const to = headOf(g, joint);
    const after = nextOf(g, to);
    link(g, to, h);
    link(g, h, after);
  }
  store<i32>(g.degree + (<usize>joint << 2), n + 1);
}

/** Takes a half out of its ring; its stroke ends there now. */
export function leaveRing(g: Graph, h: i32): void {
  const joint = rootAt(g, h);
  if (joint < 0) return;
  const n = degreeOf(g, joint);
  const next = nextOf(g, h);
  link(g, load<i32>(half(g, h), 8), next);
  store<i32>(g.head + (<usize>joint << 2), next);
  store<i32>(g.degree + (<usize>joint << 2), n - 1);
  store<i32>(half(g, h), -1);
}

/** Takes a branch away. */
export function drop(g: Graph, branch: i32): void {
  leaveRing(g, 2 * branch);
  leaveRing(g, 2 * branch + 1);
  flag(g, branch, GONE);
}
