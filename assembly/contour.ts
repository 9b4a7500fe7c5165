// A bitmap to its borders: closed polygons along pixel edges, with their nesting. Pixels that share a side belong
// together; where two black and two white ones meet crosswise at a point, a turn policy tells which two do. A border runs
// with black on its right hand: clockwise on the screen around black, the other way around a hole, so that the areas of
// all borders, by the shoelace formula with y down, add up to the number of black pixels.
//
// A border alternates horizontal and vertical edges, so its horizontal edges alone tell all of it. They are found row
// by row, 64 pixels at a time, numbered in raster order and linked where a vertical edge joins two of them; then each
// ring of links is followed once.

import { checkpoint, STOPPED } from "./control";

// A horizontal edge, 8 bytes: following a border jumps from row to row, and lasts as long as its cache misses.
// Addresses stay below 1 GiB, so that a negative NEXT can mark an edge as followed.
const EDGE: usize = 8;
/** i32: the address of the edge that follows in the border; once followed, ~(number of the border). */
const NEXT: usize = 0;
/** u32: y << shift | x, the vertex where the border leaves the edge. */
const EXIT: usize = 4;

// Turn policies: which pixels belong together where black and white meet crosswise.
// 0 the white ones
const BLACK: i32 = 1;
const MAJORITY: i32 = 2; // those of the colour that more pixels around have, white if as many
// 3 those of the colour that fewer have, white if as many

/** How far the pixels around a point reach, in each direction. */
const REACH: i32 = 4;

/** Words between two looks at the control block, in whole rows: 1 us of work if blank, 50 us if all noise. */
const BATCH: i32 = 256;

/**
 * The number of horizontal border edges: half the number of corners, and what `linkBorders` needs room for.
 *
 * bits     u64[rows * words], rows and words >= 1; bit 0 is the left pixel, 1 is black, bits past the width are 0
 * blank    u64[words], cleared here: the row outside the picture
 * returns  edges (i32.MAX_VALUE if there are more), or STOPPED; reports rows
 * cost     1.2 ns a word
 */
export function countBorders(bits: usize, words: i32, rows: i32, blank: usize): i32 {
  memory.fill(blank, 0, <usize>words << 3);
  const stride = <usize>words << 3;
  const batch = max(1, BATCH / words);
  let edges: i64 = countRow(blank, bits, words);
  for (let y = 0; y < rows; ) {
    const end = min(rows, y + batch);
    for (; y < end; y++) {
      edges += countRow(bits, y + 1 < rows ? bits + stride : blank, words);
      bits += stride;
    }
    if (checkpoint(y)) return STOPPED;
  }
  return <i32>min<i64>(edges, i32.MAX_VALUE);
}

/** Edges between two rows, counted at their left ends. */
function countRow(above: usize, below: usize, words: i32): i32 {
  const end = above + (<usize>words << 3);
  let edges: i64 = 0;
  let aCarry: u64 = 0;
  let bCarry: u64 = 0;
  for (; above < end; above += 8, below += 8) {
    const a = load<u64>(above);
    const b = load<u64>(below);
    const aLeft = (a << 1) | aCarry;
    const bLeft = (b << 1) | bCarry;
    // an edge goes right from here, and either none comes from the left, or the two meet at a crossing of borders
    edges += popcnt((a ^ b) & (~(aLeft ^ bLeft) | (a ^ aLeft)));
    aCarry = a >> 63;
    bCarry = b >> 63;
  }
  return <i32>edges;
}

/**
 * Lists the horizontal border edges in raster order and links each to the one that follows in its border.
 *
 * bits     as in `countBorders`
 * blank    u64[words], cleared, as `countBorders` leaves it
 * shift    bits of an x: the least with 2^shift > width; (rows + 1) << shift must fit 32 bits
 * turn     where black and white meet crosswise: 0 the white pixels belong together, 1 the black ones, 2 those of the
 *          colour of most, 3 of fewest of the 8 x 8 pixels around the point (outside is white), white if both are 32
 * open     u32[64 * words + 2] scratch: for each column of vertices the edge that its vertical edge hangs on
 * edges    8 bytes [1 + result of `countBorders`]; the first is not an edge but takes stores that lead nowhere
 * beside   u32[1 + result of `countBorders`], of edges whose left end is an upper left corner: the edge that the nearest
 *          vertical edge to the left, in the row of pixels below, hangs on (0 without one); plus 1 if the pixel inside the
 *          corner is white
 * returns  edges listed, from edges + 8 on, or STOPPED; reports rows
 * cost     4 ns a word + 3..7 ns a corner; policies 2 and 3 add some 20 ns a crossing
 * source   corners linked in one pass after Cederberg 1980 and Mandler and Oberlander 1990; turn policies by name after
 *          Selinger 2003; word-parallel form, window and nesting own
 */
export function linkBorders(
  bits: usize,
  words: i32,
  rows: i32,
  blank: usize,
  shift: i32,
  turn: i32,
  open: usize,
  edges: usize,
  beside: usize,
): i32 {
  const stride = <usize>words << 3;
  // counting pixels around each point of a checkerboard takes eight times as long
  const batch = max(1, (turn > BLACK ? BATCH / 8 : BATCH) / words);
  const first = bits;
  store<i32>(open, 0);
  open += 4; // slot -1 answers for a row without vertical edges
  let edge = linkRow(blank, bits, words, 0, open, edges, beside, edges + EDGE, turn, first, rows, shift);
  for (let y = 0; y < rows; ) {
    const end = min(rows, y + batch);
    for (; y < end; y++) {
      const below = y + 1 < rows ? bits + stride : blank;
      edge = linkRow(bits, below, words, (y + 1) << shift, open, edges, beside, edge, turn, first, rows, shift);
      bits += stride;
    }
    if (checkpoint(y)) return STOPPED;
  }
  return <i32>((edge - edges) / EDGE) - 1;
}

/** The edges between two rows, at `y` << shift, written from `edge` on; returns the address after the last. */
function linkRow(
  above: usize,
  below: usize,
  words: i32,
  y: i32,
  open: usize,
  edges: usize,
  beside: usize,
  edge: usize,
  turn: i32,
  first: usize,
  rows: i32,
  shift: i32,
): usize {
  let x0 = 0; // where the edge under work began
  let lastDown = -1; // the last vertical edge down, in the words before
  let aCarry: u64 = 0;
  let bCarry: u64 = 0;
  // one word more than the row has: its first vertex is the right border of a row that fills its last word
  for (let i = 0; i <= words; i++) {
    const at = <usize>i << 3;
    const a: u64 = i < words ? load<u64>(above + at) : 0;
    const b: u64 = i < words ? load<u64>(below + at) : 0;
    // the four pixels around each vertex, and the four edges between them
    const aLeft = (a << 1) | aCarry;
    const bLeft = (b << 1) | bCarry;
    aCarry = a >> 63;
    bCarry = b >> 63;
    const up = a ^ aLeft;
    const down = b ^ bLeft;
    const left = aLeft ^ bLeft;
    const cross = up & down & left; // all four: two corners that touch
    let corners = (up ^ down) | cross;
    while (corners != 0) {
      const k = ctz(corners);
      const mask = (<u64>1 << k) - 1;
      corners &= corners - 1;
      const x = (i << 6) | <i32>k;
      const slot = open + (<usize>x << 2);
      const hung = load<u32>(slot);
      const aLeftBlack = <i32>(aLeft >> k) & 1;
      if ((cross >> k) & 1) {
        // with aLeft and b black the border comes in from above and below and leaves to both sides, else the reverse.
        // White joined, it turns around each black pixel, whose edges meet; black joined, around each white one.
        const next = <u32>(edge + EDGE);
        const black = turn > BLACK ? joinsBlack(first, words, rows, x, <u32>y >> shift, turn) : turn == BLACK;
        const around = (aLeftBlack != 0) != black ? <u32>edge : next; // meets the vertical edge from above
        store<u32>(aLeftBlack ? hung : around, aLeftBlack ? around : hung, NEXT);
        store<u32>(slot, <u32>edge ^ next ^ around); // the other one meets the edge down
        store<i32>(edge, y | (aLeftBlack ? x0 : x), EXIT);
        edge = next;
        x0 = x;
        const hint = hungBeside(open, down & mask, i, lastDown) | (aLeftBlack ^ 1);
        store<u32>(beside + ((edge - edges) >> 1), hint);
      } else {
        // a vertical edge from above ends here: the two edges on it are neighbours, in the direction of its flow
        const source = aLeftBlack ? hung : <u32>edge;
        store<u32>((up >> k) & 1 ? source : <u32>edges, aLeftBlack ? edge : hung, NEXT);
        store<u32>(slot, edge);
        if ((left >> k) & 1) {
          // with black below the border runs east and leaves at this end, else at the other
          store<i32>(edge, y | ((bLeft >> k) & 1 ? x : x0), EXIT);
          edge += EDGE;
        } else {
          x0 = x;
          const hint = hungBeside(open, down & mask, i, lastDown) | (<u32>(~b >> k) & 1);
          store<u32>(beside + ((edge - edges) >> 1), hint);
        }
      }
    }
    if (down != 0) lastDown = (i << 6) + 63 - <i32>clz(down);
  }
  return edge;
}

/** Whether the two black pixels at a crossing belong together by majority or minority. */
function joinsBlack(bits: usize, words: i32, rows: i32, x: i32, y: i32, turn: i32): bool {
  const left = max(0, x - REACH);
  const columns = min(words << 6, x + REACH) - left;
  const bottom = min(rows, y + REACH);
  const shift = <u64>(left & 63);
  const mask = (<u64>1 << columns) - 1;
  const split = (left & 63) + columns > 64; // it goes on in the next word
  let word = bits + ((<usize>max(0, y - REACH) * <usize>words + <usize>(left >> 6)) << 3);
  let black: i64 = 0;
  for (let row = max(0, y - REACH); row < bottom; row++) {
    let near = load<u64>(word) >> shift;
    if (split) near |= load<u64>(word, 8) << (64 - shift);
    black += popcnt(near & mask);
    word += <usize>words << 3;
  }
  const half = 2 * REACH * REACH;
  return turn == MAJORITY ? black > half : black < half;
}

/** What the last vertical edge of word `i` among `before`, or else the one in column `last`, hangs on. */
// @ts-ignore: decorator
@inline
function hungBeside(open: usize, before: u64, i: i32, last: i32): u32 {
  const x = before != 0 ? (i << 6) + 63 - <i32>clz(before) : last;
  return load<u32>(open + (<usize>x << 2));
}

// What `followBorders` counts while it works, i32 each.
const KEPT: usize = 0; // borders written
const SEEN: usize = 4; // borders followed, written or not
const DONE: usize = 8; // edges followed
const RESUME: usize = 12; // where a long border goes on

/** Edges followed between two looks at the control block: at most some 50 us of work. */
const PIECE: i32 = 1024;

/**
 * Follows the linked edges, border by border in raster order of their first edges, and tells how they nest.
 * Borders around less than `despecklePx` pixels are left out, black and white alike, with all that lies inside them.
 *
 * edges    as `linkBorders` left them, `count` after the first; links are lost
 * beside   as `linkBorders` left it
 * shift    as in `linkBorders`
 * nest     u32[count / 2] scratch: for each border depth << 2 | enclosed in a speck << 1 | speck or in a speck
 * tally    i32[4] scratch
 * ends     u32[count / 2], written: points up to the end of each border
 * points   i32[4 * count], written: x, y of corners in px, y down; 2 per edge. The first corner is an end of the topmost
 *          edge and is not repeated
 * depth    u16[count / 2], written: enclosing borders; even is the outside of black, odd a hole
 * returns  borders, or STOPPED; reports edges
 * cost     3..13 ns a corner, by how far the next edge lies in memory
 * source   own
 */
export function followBorders(
  edges: usize,
  count: i32,
  beside: usize,
  shift: i32,
  despecklePx: f64,
  nest: usize,
  tally: usize,
  ends: usize,
  points: usize,
  depth: usize,
): i32 {
  memory.fill(tally, 0, 16);
  for (let i = 0; i < count; i += PIECE) {
    const from = edges + EDGE + <usize>i * EDGE;
    const to = from + <usize>min(PIECE, count - i) * EDGE;
    if (!followBatch(from, to, beside + (<usize>(i + 1) << 2), shift, despecklePx, nest, tally, ends, points, depth)) return STOPPED;
  }
  return load<i32>(tally, KEPT);
}

/** All borders whose first edge lies in from..to, where `beside` belongs to `from`; false when it has to stop. */
function followBatch(
  from: usize,
  to: usize,
  beside: usize,
  shift: i32,
  despecklePx: f64,
  nest: usize,
  tally: usize,
  ends: usize,
  points: usize,
  depth: usize,
): bool {
  let kept = load<i32>(tally, KEPT);
  let seen = load<i32>(tally, SEEN);
  let done = load<i32>(tally, DONE);
  let checked = done;
  let out = points + (kept > 0 ? <usize>load<u32>(ends + (<usize>kept << 2) - 4) << 3 : 0);
  for (let first = from; first < to; first += EDGE) {
    if (load<i32>(first, NEXT) < 0) continue;
    const begin = out;
    let edge = first;
    let x: u32 = 0;
    do {
      const piece = out;
      out = walk(first, edge, shift, x, ~seen, out, out + ((<usize>PIECE) << 4), tally);
      edge = load<u32>(tally, RESUME);
      x = load<u32>(out - 8);
      done += <i32>((out - piece) >> 4);
      if (done - checked >= PIECE) {
        if (checkpoint(done)) return false;
        checked = done;
      }
    } while (edge != first);
    store<u32>(begin, x); // the first corner lies above or below the last

    // the border to the left of the first corner either encloses this one too, or stands beside it
    const hint = load<u32>(beside + ((first - from) >> 1));
    const hole = hint & 1;
    const neighbour = hint & ~1;
    let level: u32 = 0;
    let buried: u32 = 0;
    if (neighbour != 0) {
      const other = load<u32>(nest + (<usize>~load<i32>(neighbour, NEXT) << 2));
      const sibling = ((other >> 2) & 1) == hole;
      level = (other >> 2) + <u32>!sibling;
      buried = sibling ? (other >> 1) & 1 : other & 1;
    }
    const speck = buried | <u32>isSpeck(begin, out, despecklePx);
    store<u32>(nest + (<usize>seen << 2), (level << 2) | (buried << 1) | speck);
    seen++;
    if (speck) {
      out = begin;
    } else {
      store<u32>(ends + (<usize>kept << 2), <u32>((out - points) >> 3));
      store<u16>(depth + (<usize>kept << 1), <u16>level);
      kept++;
    }
  }
  store<i32>(tally, kept, KEPT);
  store<i32>(tally, seen, SEEN);
  store<i32>(tally, done, DONE);
  return !checkpoint(done);
}

/** Writes corners from `edge` on until the border closes or the piece is full; returns the address after the last. */
function walk(first: usize, edge: usize, shift: i32, x: u32, mark: i32, out: usize, full: usize, tally: usize): usize {
  const mask = ((<u32>1) << shift) - 1;
  do {
    const next = load<u32>(edge, NEXT);
    const exit = load<u32>(edge, EXIT);
    store<i32>(edge, mark, NEXT);
    const x1 = exit & mask;
    const y = <i64>(exit >> shift) << 32;
    // both coordinates of a corner in one store
    store<i64>(out, y | x);
    store<i64>(out, y | x1, 8);
    out += 16;
    x = x1;
    edge = next;
  } while (edge != first && out < full);
  store<u32>(tally, edge, RESUME);
  return out;
}

/** Whether a border encloses less than `leastPx` pixels. */
function isSpeck(begin: usize, end: usize, leastPx: f64): bool {
  // n pixels have at most 4 n corners, so that only short borders have to be measured
  if (<f64>((end - begin) >> 3) >= 4 * leastPx) return false;
  let area: i64 = 0;
  for (let p = begin; p < end; p += 16) {
    area += <i64>load<i32>(p, 4) * (<i64>load<i32>(p) - <i64>load<i32>(p, 8));
  }
  return <f64>abs(area) < leastPx;
}
