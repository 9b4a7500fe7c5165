// A skeleton of bits to a list of its pixels, and the pixels to branches.
import { checkpoint, STOPPED } from "./control";
import {
  beside, BRANCH, enterRing, Graph, half, LOOP, near, pixel, unite,
} from "./_graph";

const BATCH: i32 = 1024;
/** Pixels between two looks at the control block while distances are measured: 50 ns each where strokes are thin. */
const FEW: i32 = 256;

/**
 * Takes pixels off a skeleton one after another, in raster order, that all-at-once thinning had to leave: what is neither
 * an end nor holds its neighbours together.
 *
 * skel     as `thin` left it
 * returns  pixels taken, or STOPPED; reports rows
 * cost     0.3 ns a word, 5 ns a pixel
 * source   the conditions of Guo and Hall 1989, one pixel at a time
 */
export function trimSkeleton(skel: usize, words: i32, rows: i32): i32 {
  let gone = 0;
  let seen = BATCH;
  for (let y = 0; y < rows; y++) {
    const taken = trimRow(skel, words, y);
    if (taken < 0) return STOPPED;
    gone += taken;
    seen += words;
    if (seen < BATCH) continue;
    seen = 0;
    if (checkpoint(y)) return STOPPED;
  }
  return gone;
}

function trimRow(skel: usize, words: i32, y: i32): i32 {
  const row = <usize>(words + 1) << 3;
  let gone = 0;
  let seen = 0;
  for (let i = 0; i < words; i++) {
    const p = skel + <usize>(y + 1) * row + (<usize>(i + 1) << 3);
    let left = load<u64>(p);
    seen += 1 + <i32>popcnt(left);
    if (seen > BATCH) {
      seen = 0;
      if (checkpoint(y)) return STOPPED;
    }
    while (left != 0) {
      const k = <i32>ctz(left);
      left &= left - 1;
      if (!isLoose(three(p - row, k), three(p, k), three(p + row, k))) continue;
      store<u64>(p, load<u64>(p) ^ ((<u64>1) << k));
      gone++;
    }
  }
  return gone;
}

/** Three rows of three pixels, bit 0 the left one: numbers as in the paper, p2 above, then clockwise. */
@inline function isLoose(above: i32, level: i32, below: i32): bool {
  const p2 = (above >> 1) & 1;
  const p3 = above >> 2;
  const p4 = level >> 2;
  const p5 = below >> 2;
  const p6 = (below >> 1) & 1;
  const p7 = below & 1;
  const p8 = level & 1;
  const p9 = above & 1;
  const parts =
    ((p2 ^ 1) & (p3 | p4)) + ((p4 ^ 1) & (p5 | p6)) + ((p6 ^ 1) & (p7 | p8)) + ((p8 ^ 1) & (p9 | p2));
  const pairs = min(
    (p9 | p2) + (p3 | p4) + (p5 | p6) + (p7 | p8),
    (p2 | p3) + (p4 | p5) + (p6 | p7) + (p8 | p9),
  );
  return parts == 1 && (pairs == 2 || pairs == 3);
}

/**
 * Numbers the pixels of a skeleton, in raster order.
 *
 * skel     as `thin` left it
 * rank     u32[(words + 1) * (rows + 2) + 1], written: pixels before each word
 * returns  0, or STOPPED; reports rows
 * cost     1 ns a word
 * source   own
 */
export function rankSkeleton(skel: usize, words: i32, rows: i32, rank: usize): i32 {
  const stride = words + 1;
  const batch = max(1, BATCH / stride);
  let n = 0;
  for (let y = 0; y < rows + 2; y += batch) {
    n = rankWords(skel, rank, y * stride, min(y + batch, rows + 2) * stride, n);
    if (checkpoint(y)) return STOPPED;
  }
  store<u32>(rank + (<usize>stride * (rows + 2) << 2), n);
  return 0;
}

function rankWords(skel: usize, rank: usize, from: i32, to: i32, n: i32): i32 {
  for (let i = from; i < to; i++) {
    store<u32>(rank + (<usize>i << 2), n);
    n += <i32>popcnt(load<u64>(skel + (<usize>i << 3)));
  }
  return n;
}

/**
 * Lists the pixels of a skeleton with their neighbours, and the exact Euclidean distance of each to the nearest white
 * pixel, middle to middle; all is white around the picture. A diagonal neighbour counts only where no neighbour by side
 * joins the two: at most four are left.
 *
 * graph    `Graph` with ink, skel, words, rows, rank and pixels set
 * returns  0, or STOPPED; reports rows
 * cost     for each pixel: two words for each row within its distance
 * source   own; distances only where they are wanted need no picture of them
 */
export function listSkeleton(graph: usize): i32 {
  const g = changetype<Graph>(graph);
  let n = 0;
  let seen = 4 * FEW;
  for (let y = 0; y < g.rows; y++) {
    for (let i = 0; i < g.words; i++) {
      const word = (y + 1) * (g.words + 1) + 1 + i;
      let left = load<u64>(g.skel + (<usize>word << 3));
      while (left != 0) {
        const k = <i32>ctz(left);
        left &= left - 1;
        const at = pixel(g, n);
        store<i32>(at, (i << 6) + k);
        store<i32>(at, y, 4);
        const distance = nearestWhite(g, (i << 6) + k, y);
        store<f32>(at, <f32>distance, 8);
        store<u16>(at, neighbours(g, word, k), 12);
        n++;
        seen += 4 + <i32>distance;
        if (seen > 4 * FEW) {
          seen = 0;
          if (checkpoint(y)) return STOPPED;
        }
      }
    }
    seen += g.words;
  }
  return 0;
}

/** Pixel k of a word and those left and right of it, as bits 0..2 from the left. */
@inline function three(p: usize, k: i32): i32 {
  if (k == 0) return <i32>((load<u64>(p) << 1) & 6) | <i32>(load<u64>(p - 8) >> 63);
  if (k == 63) return <i32>(load<u64>(p) >> 62) | (<i32>(load<u64>(p + 8) & 1) << 2);
  return <i32>(load<u64>(p) >> (k - 1)) & 7;
}

function neighbours(g: Graph, word: i32, k: i32): u16 {
  const row = <usize>(g.words + 1) << 3;
  const p = g.skel + (<usize>word << 3);
  const above = three(p - row, k);
  const level = three(p, k);
  const below = three(p + row, k);
  const e = level >> 2;
  const s = (below >> 1) & 1;
  const w = level & 1;
  const n = (above >> 1) & 1;
  return <u16>(
    e |
    (((below >> 2) & ~(e | s) & 1) << 1) |
    (s << 2) |
    ((below & ~(s | w) & 1) << 3) |
    (w << 4) |
    ((above & ~(w | n) & 1) << 5) |
    (n << 6) |
    (((above >> 2) & ~(n | e) & 1) << 7)
  );
}

function nearestWhite(g: Graph, x: i32, y: i32): f64 {
  let best = whiteBeside(g, x, y, i32.MAX_VALUE);
  let square = <f64>best * <f64>best;
  for (let r = 1; <f64>r * <f64>r < square; r++) {
    const most = <i32>Math.ceil(Math.sqrt(square - <f64>r * <f64>r));
    for (let side = -1; side <= 1; side += 2) {
      const d = <f64>whiteBeside(g, x, y + side * r, most);
      square = min(square, d * d + <f64>r * <f64>r);
    }
  }
  return Math.sqrt(square);
}

/** Columns from x to the nearest white pixel of row y; may give up, with no less, beyond `most`. */
function whiteBeside(g: Graph, x: i32, y: i32, most: i32): i32 {
  if (<u32>y >= <u32>g.rows) return 0;
  const row = g.ink + (<usize>y * g.words << 3);
  const i = x >> 6;
  const k = x & 63;
  const white = ~load<u64>(row + (<usize>i << 3));
  let right = 64 - k;
  let found = white >> k;
  if (found != 0) right = <i32>ctz(found);
  else
    for (let j = i + 1; j < g.words && right < most; j++) {
      found = ~load<u64>(row + (<usize>j << 3));
      if (found != 0) {
        right += <i32>ctz(found);
        break;
      }
      right += 64;
    }
  let left = k + 1;
  found = white << (63 - k);
  if (found != 0) left = <i32>clz(found);
  else
    for (let j = i - 1; j >= 0 && left < most; j--) {
      found = ~load<u64>(row + (<usize>j << 3));
      if (found != 0) {
        left += <i32>clz(found);
        break;
      }
      left += 64;
    }
  return min(left, right);
}

/**
 * Cuts a skeleton into branches: joints are pixels with three neighbours or more, all that touch are one joint.
 *
 * graph    `Graph` as `listSkeleton` left it, with chain, branch, half, parent, head and degree set
 * count    0: only counts the room that branches may need; 1: follows
 * returns  branches, or STOPPED; reports pixels
 * cost     10 ns a pixel
 * source   own
 */
export function followBranches(graph: usize, count: i32): i32 {
  const g = changetype<Graph>(graph);
  if (count == 0) {
    let most = 0;
    let rings = 0;
    for (let id = 0; id < g.n; id++) {
      const d = <i32>popcnt(near(g, id));
      if (d == 2) rings++;
      else most += max(1, d);
      if ((id & (BATCH - 1)) == 0 && checkpoint(id >> 1)) return STOPPED;
    }
    return most + rings / 4;
  }
  for (let id = 0; id < g.n; id++) {
    store<i32>(g.parent + (<usize>id << 2), id);
    store<i32>(g.degree + (<usize>id << 2), 0);
    if ((id & (BATCH - 1)) == 0 && checkpoint(id >> 2)) return STOPPED;
  }
  for (let id = 0; id < g.n; id++) {
    if (popcnt(near(g, id)) > 2) uniteBeside(g, id);
    if ((id & (BATCH - 1)) == 0 && checkpoint((g.n + id) >> 2)) return STOPPED;
  }
  g.branches = 0;
  let places = 0;
  for (let id = 0; id < g.n; id++) {
    const d = popcnt(near(g, id));
    if (d != 2) {
      places = d > 2 ? followFromJoint(g, id, places) : load<u8>(pixel(g, id), 13) ? places : follow(g, id, -1, -1, places);
      if (places < 0) return STOPPED;
    }
    if ((id & (BATCH - 1)) == 0 && checkpoint((g.n + places) >> 1)) return STOPPED;
  }
  for (let id = 0; id < g.n; id++) {
    if (popcnt(near(g, id)) == 2 && load<u8>(pixel(g, id), 13) == 0) places = follow(g, id, -1, -1, places);
    if (places < 0) return STOPPED;
    if ((id & (BATCH - 1)) == 0 && checkpoint((g.n + places) >> 1)) return STOPPED;
  }
  return g.branches;
}

function uniteBeside(g: Graph, id: i32): void {
  for (let left = near(g, id) & 15; left != 0; left &= left - 1) {
    const other = beside(g, id, ctz(left));
    if (popcnt(near(g, other)) > 2) unite(g, id, other);
  }
}

function followFromJoint(g: Graph, id: i32, places: i32): i32 {
  for (let left = near(g, id); left != 0 && places >= 0; left &= left - 1) {
    const d = ctz(left);
    const other = beside(g, id, d);
    if (popcnt(near(g, other)) > 2 || load<u8>(pixel(g, other), 13)) continue;
    places = follow(g, other, id, (d + 4) & 7, places);
  }
  return places;
}

/** Follows a branch from its first pixel, away from direction `from`; returns the places taken, or STOPPED. */
function follow(g: Graph, id: i32, joint: i32, from: i32, places: i32): i32 {
  const b = g.branches;
  const first = places;
  const record = g.branch + <usize>b * BRANCH;
  let end = -1;
  let flags = 0;
  for (;;) {
    store<u8>(pixel(g, id), 1, 13);
    store<u32>(g.chain + (<usize>places << 2), id);
    places++;
    const ways = near(g, id) & (from < 0 ? 255 : ~(1 << from));
    if (ways == 0) break;
    const d = ctz(ways);
    const other = beside(g, id, d);
    if (popcnt(near(g, other)) > 2) {
      end = other;
      break;
    }
    if (load<u8>(pixel(g, other), 13)) {
      flags = LOOP;
      break;
    }
    id = other;
    from = (d + 4) & 7;
    if ((places & (BATCH - 1)) == 0 && checkpoint((g.n + places) >> 1)) return STOPPED;
  }
  store<i32>(record, first);
  store<i32>(record, places - first, 4);
  store<i32>(record, flags, 8);
  store<i32>(half(g, 2 * b), joint);
  store<i32>(half(g, 2 * b + 1), end);
  store<i32>(half(g, 2 * b), -1, 12);
  store<i32>(half(g, 2 * b + 1), -1, 12);
  if (joint >= 0) enterRing(g, 2 * b);
  if (end >= 0) enterRing(g, 2 * b + 1);
  g.branches = b + 1;
  return places;
}

/** Lays out the graph of a skeleton: see `Graph` for what the addresses hold. */
export function layGraph(
  graph: usize,
  ink: usize,
  words: i32,
  rows: i32,
  skel: usize,
  rank: usize,
  n: i32,
  pixels: usize,
): void {
  const g = changetype<Graph>(graph);
  g.ink = ink;
  g.words = words;
  g.rows = rows;
  g.skel = skel;
  g.rank = rank;
  g.n = n;
  g.pixels = pixels;
  g.branches = 0;
}

/** Gives the graph room for its branches. */
export function layBranches(
  graph: usize,
  chain: usize,
  branch: usize,
  half: usize,
  parent: usize,
  head: usize,
  degree: usize,
  xy: usize,
  wide: usize,
): void {
  const g = changetype<Graph>(graph);
  g.chain = chain;
  g.branch = branch;
  g.half = half;
  g.parent = parent;
  g.head = head;
  g.degree = degree;
  g.xy = xy;
  g.wide = wide;
}
