// Labels to a map of arcs: each border between two labels once, cut where three or more borders meet. Regions on its two
// sides share it, so whatever is done to an arc leaves neither a gap nor an overlap between them.

import { checkpoint, STOPPED } from "./control";

/** What is outside the picture, and pixels that belong to no layer. */
const NONE: u8 = 255;
/** Rows between two looks at the control block hold this many words. */
const BATCH: i32 = 1024;
/** Pixel edges between two looks. */
const PIECE: i32 = 1024;
const NOTHING: u32 = 0xffffffff;

// Directions along pixel edges, in the order of right turns.
const EAST: i32 = 0;
const SOUTH: i32 = 1;
const WEST: i32 = 2;
const NORTH: i32 = 3;

/** A picture's pixel edges between labels, as bits: (rows + 1) rows of `words` u64, bit x of row y for vertex (x, y). */
@unmanaged
class Edges {
  labels: usize;
  width: i32;
  rows: i32;
  words: i32;
  /** Edges that run right and down from each vertex; `right` loses those that were walked. */
  right: usize;
  down: usize;
  /** Vertices where three or more edges meet, and the picture's corners; u32 for each word: nodes before it. */
  nodes: usize;
  before: usize;
  // what was counted: nodes, edges at nodes, turns that are no node, all edges
  count: i32;
  arms: i32;
  turns: i32;
  steps: i32;
  // the walk: where it is, and the edges done in all walks
  x: i32;
  y: i32;
  way: i32;
  done: i32;
  /** Where the next corner goes, and the topmost corner of the arc so far, of these the leftmost. */
  out: usize;
  topX: i32;
  topY: i32;
}

/**
 * Finds the edges between labels and the nodes where arcs end.
 *
 * state    u8[96], written: what `walkArcs` takes
 * labels   u8[width * rows], both sides >= 1
 * words    (width + 64) / 64
 * right, down, nodes  u64[(rows + 1) * words], written
 * before   u32[(rows + 1) * words], written
 * counts   i32[4], written: nodes, arms of all nodes, turns that are no node, all edges
 * returns  0, or STOPPED; reports rows
 * cost     0.3 ns a pixel
 * source   arc-node maps: Braquelaire and Brun, Image segmentation with topological maps and inter-pixel
 *          representation, 1998; word-parallel form own
 */
export function markArcs(
  state: usize,
  labels: usize,
  width: i32,
  rows: i32,
  words: i32,
  right: usize,
  down: usize,
  nodes: usize,
  before: usize,
  counts: usize,
): i32 {
  const edges = changetype<Edges>(state);
  edges.labels = labels;
  edges.width = width;
  edges.rows = rows;
  edges.words = words;
  edges.right = right;
  edges.down = down;
  edges.nodes = nodes;
  edges.before = before;
  edges.count = 0;
  edges.arms = 0;
  edges.turns = 0;
  edges.steps = 0;
  edges.done = 0;
  const batch = max(1, BATCH / words);
  for (let y = 0; y <= rows; y++) {
    markRight(edges, y);
    markDown(edges, y);
    markNodes(edges, y);
    if (y % batch == 0 && checkpoint(y)) return STOPPED;
  }
  store<i32>(counts, edges.count);
  store<i32>(counts, edges.arms, 4);
  store<i32>(counts, edges.turns, 8);
  store<i32>(counts, edges.steps, 12);
  return 0;
}

/** The edges of vertex row y between the pixels above and below it. */
function markRight(edges: Edges, y: i32): void {
  const width = edges.width;
  const below = edges.labels + <usize>y * width;
  const above = below - <usize>width;
  const outside = i8x16.splat(<i8>NONE);
  let to = edges.right + ((<usize>y * edges.words) << 3);
  const inside = y > 0 && y < edges.rows;
  const only = y > 0 ? above : below;
  for (let x = 0; x <= width; x += 64) {
    let word: u64 = 0;
    const n = min(64, width - x);
    let k = 0;
    for (; k + 16 <= n; k += 16) {
      const other = inside ? v128.load(below + x + k) : outside;
      word |= <u64>(<u32>i8x16.bitmask(i8x16.ne(v128.load(only + x + k), other))) << k;
    }
    for (; k < n; k++) {
      const other = inside ? load<u8>(below + x + k) : NONE;
      word |= <u64>(load<u8>(only + x + k) != other) << k;
    }
    store<u64>(to, word);
    to += 8;
  }
}

/** The edges of pixel row y between the pixels left and right of them. */
function markDown(edges: Edges, y: i32): void {
  const width = edges.width;
  const row = edges.labels + <usize>y * width;
  const to = edges.down + ((<usize>y * edges.words) << 3);
  memory.fill(to, 0, <usize>edges.words << 3);
  if (y == edges.rows) return;
  let x = 1;
  let word: u64 = <u64>(load<u8>(row) != NONE);
  for (; x < width; ) {
    const at = x & 63;
    if (at <= 48 && x + 16 <= width) {
      word |= <u64>(<u32>i8x16.bitmask(i8x16.ne(v128.load(row + x), v128.load(row + x - 1)))) << at;
      x += 16;
    } else {
      word |= <u64>(load<u8>(row + x) != load<u8>(row + x - 1)) << at;
      x++;
    }
    if ((x & 63) == 0) {
      store<u64>(to + <usize>(((x - 1) >> 6) << 3), word);
      word = 0;
    }
  }
  word |= <u64>(load<u8>(row + width - 1) != NONE) << (width & 63);
  store<u64>(to + <usize>((width >> 6) << 3), word);
}

function markNodes(edges: Edges, y: i32): void {
  const words = edges.words;
  const row = <usize>y * words;
  let carry: u64 = 0;
  for (let i = 0; i < words; i++) {
    const at = (row + i) << 3;
    const east = load<u64>(edges.right + at);
    const west = (east << 1) | carry;
    carry = east >> 63;
    const south = load<u64>(edges.down + at);
    const north: u64 = y > 0 ? load<u64>(edges.down + at - (<usize>words << 3)) : 0;
    let nodes = (east & west & (north | south)) | (north & south & (east | west));
    if (y == 0 || y == edges.rows) nodes |= (east | west) & cornersIn(edges, i);
    store<u64>(edges.nodes + at, nodes);
    store<u32>(edges.before + (at >> 1), edges.count);
    edges.count += <i32>popcnt(nodes);
    edges.arms += <i32>(popcnt(nodes & east) + popcnt(nodes & west) + popcnt(nodes & north) + popcnt(nodes & south));
    edges.steps += <i32>(popcnt(east) + popcnt(south));
    edges.turns += <i32>popcnt((east ^ west) & (north ^ south) & ~nodes);
  }
}

/** The picture's left and right end in word i of a row. */
function cornersIn(edges: Edges, i: i32): u64 {
  const first: u64 = i == 0 ? 1 : 0;
  return edges.width >> 6 == i ? first | (<u64>1 << (edges.width & 63)) : first;
}

@inline function bitAt(edges: Edges, bits: usize, x: i32, y: i32): bool {
  return ((load<u64>(bits + ((<usize>y * edges.words + (x >> 6)) << 3)) >> (x & 63)) & 1) != 0;
}

/** The number of the node at a vertex that is one. */
@inline function nodeAt(edges: Edges, x: i32, y: i32): u32 {
  const word = <usize>y * edges.words + (x >> 6);
  const bits = load<u64>(edges.nodes + (word << 3));
  return load<u32>(edges.before + (word << 2)) + <u32>popcnt(bits & ((<u64>1 << (x & 63)) - 1));
}

@inline function labelAt(edges: Edges, x: i32, y: i32): u8 {
  if (<u32>x >= <u32>edges.width || <u32>y >= <u32>edges.rows) return NONE;
  return load<u8>(edges.labels + (<usize>y * edges.width + x));
}

/** Whether an edge leaves the vertex that way. */
function leaves(edges: Edges, x: i32, y: i32, way: i32): bool {
  if (way == EAST) return bitAt(edges, edges.right, x, y);
  if (way == SOUTH) return bitAt(edges, edges.down, x, y);
  if (way == WEST) return x > 0 && bitAt(edges, edges.right, x - 1, y);
  return y > 0 && bitAt(edges, edges.down, x, y - 1);
}

/**
 * Follows all arcs: first those between nodes, then closed ones, each from the left end of its first edge in raster order.
 *
 * state    as `markArcs` left it; `right` is lost
 * starts   u32[4 * nodes], written: the half-arc that leaves each node east, south, west, north, or 2^32 - 1.
 *          Half-arc 2 i runs along arc i, 2 i + 1 back
 * goals    u32[2 * room], written: node * 4 + direction of arrival of each half-arc; 2^32 - 1 for closed arcs
 * sides    u8[2 * room], written: the label on the right hand of each half-arc, 255 outside
 * tops     i32[2 * room], written: y and x of each arc's topmost, then leftmost corner
 * ends     u32[room], written: corners up to and with each arc; room is arms / 2 + turns / 4
 * points   i32[2 * (arms + turns)], written: corners, px; both nodes of an arc, closed arcs without repeating
 * counts   i32[2], written: arcs between nodes, all arcs
 * returns  arcs, or STOPPED; reports pixel edges
 * cost     5 ns a pixel edge
 * source   as `markArcs`
 */
export function walkArcs(
  state: usize,
  starts: usize,
  goals: usize,
  sides: usize,
  tops: usize,
  ends: usize,
  points: usize,
  counts: usize,
): i32 {
  const edges = changetype<Edges>(state);
  edges.out = points;
  for (let i = 0; i < edges.count; i += PIECE) {
    memory.fill(starts + (<usize>i << 4), 0xff, <usize>min(PIECE, edges.count - i) << 4);
    if (checkpoint(0)) return STOPPED;
  }
  let arcs = 0;
  for (let y = 0; y <= edges.rows; y++) {
    for (let i = 0; i < edges.words; i++) {
      let bits = load<u64>(edges.nodes + ((<usize>y * edges.words + i) << 3));
      for (; bits != 0; bits &= bits - 1) {
        const x = (i << 6) + <i32>ctz(bits);
        const node = nodeAt(edges, x, y);
        for (let way = EAST; way <= NORTH; way++) {
          const slot = starts + (<usize>(node * 4 + way) << 2);
          if (load<u32>(slot) != NOTHING || !leaves(edges, x, y, way)) continue;
          store<u32>(slot, 2 * arcs);
          putSides(edges, x, y, way, sides, arcs);
          if (!walkArc(edges, x, y, way)) return STOPPED;
          putCorner(edges);
          const goal = nodeAt(edges, edges.x, edges.y);
          const back = (edges.way + 2) & 3;
          store<u32>(starts + (<usize>(goal * 4 + back) << 2), 2 * arcs + 1);
          store<u32>(goals + (<usize>arcs << 3), goal * 4 + edges.way);
          store<u32>(goals + (<usize>arcs << 3), node * 4 + ((way + 2) & 3), 4);
          endArc(edges, arcs++, tops, ends, points);
        }
      }
    }
    if (checkpoint(edges.done)) return STOPPED;
  }
  store<i32>(counts, arcs);
  for (let y = 0; y <= edges.rows; y++) {
    for (let i = 0; i < edges.words; i++) {
      const at = (<usize>y * edges.words + i) << 3;
      for (let bits = load<u64>(edges.right + at); bits != 0; bits = load<u64>(edges.right + at)) {
        const x = (i << 6) + <i32>ctz(bits);
        // for this walk its first corner is a node
        const node = edges.nodes + at;
        store<u64>(node, load<u64>(node) | (<u64>1 << (x & 63)));
        putSides(edges, x, y, EAST, sides, arcs);
        if (!walkArc(edges, x, y, EAST)) return STOPPED;
        store<u64>(node, load<u64>(node) ^ (<u64>1 << (x & 63)));
        store<u64>(goals + (<usize>arcs << 3), ~(<u64>0));
        endArc(edges, arcs++, tops, ends, points);
      }
    }
    if (checkpoint(edges.done)) return STOPPED;
  }
  store<i32>(counts, arcs, 4);
  return arcs;
}

function putSides(edges: Edges, x: i32, y: i32, way: i32, sides: usize, arc: i32): void {
  const southEast = labelAt(edges, x, y);
  const southWest = labelAt(edges, x - 1, y);
  const northWest = labelAt(edges, x - 1, y - 1);
  const northEast = labelAt(edges, x, y - 1);
  const right = way == EAST ? southEast : way == SOUTH ? southWest : way == WEST ? northWest : northEast;
  const left = way == EAST ? northEast : way == SOUTH ? southEast : way == WEST ? southWest : northWest;
  store<u8>(sides + (<usize>arc << 1), right);
  store<u8>(sides + (<usize>arc << 1), left, 1);
}

function endArc(edges: Edges, arc: i32, tops: usize, ends: usize, points: usize): void {
  store<i32>(tops + (<usize>arc << 3), edges.topY);
  store<i32>(tops + (<usize>arc << 3), edges.topX, 4);
  store<u32>(ends + (<usize>arc << 2), <u32>((edges.out - points) >> 3));
}

@inline function putCorner(edges: Edges): void {
  store<i32>(edges.out, edges.x);
  store<i32>(edges.out, edges.y, 4);
  edges.out += 8;
  if (edges.y < edges.topY || (edges.y == edges.topY && edges.x < edges.topX)) {
    edges.topY = edges.y;
    edges.topX = edges.x;
  }
}

/** Walks from a vertex to the next node, writing corners without the last; false when it has to stop. */
function walkArc(edges: Edges, x: i32, y: i32, way: i32): bool {
  edges.x = x;
  edges.y = y;
  edges.way = way;
  edges.topY = i32.MAX_VALUE;
  putCorner(edges);
  while (!walkPiece(edges)) if (checkpoint(edges.done)) return false;
  return !((edges.done & (PIECE - 1)) == 0 && checkpoint(edges.done));
}

/** Walks some edges; true at a node. */
function walkPiece(edges: Edges): bool {
  let x = edges.x;
  let y = edges.y;
  let way = edges.way;
  const stride = <usize>edges.words << 3;
  do {
    if ((way & 1) == 0) {
      const at = way == EAST ? x : x - 1;
      const p = edges.right + <usize>y * stride + <usize>((at >> 6) << 3);
      store<u64>(p, load<u64>(p) & ~(<u64>1 << (at & 63)));
      x += 1 - way;
    } else y += 2 - way;
    edges.done++;
    edges.x = x;
    edges.y = y;
    if (bitAt(edges, edges.nodes, x, y)) {
      edges.way = way;
      return true;
    }
    if (leaves(edges, x, y, way)) continue;
    const turned = (way + 1) & 3;
    way = leaves(edges, x, y, turned) ? turned : turned ^ 2;
    putCorner(edges);
  } while ((edges.done & (PIECE - 1)) != 0);
  edges.way = way;
  return false;
}
