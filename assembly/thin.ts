// Strokes to lines one pixel wide. 64 pixels at a time, and only where the last round changed something: the time goes
// with the black pixels, not with the picture's area times the widest stroke.
import { checkpoint, STOPPED } from "./control";

/** Words between two looks at the control block: some 20 us of work. */
const BATCH: i32 = 1024;

/** A word of pixels is on the list of this round, or of the next. */
const NOW: u8 = 1;
const NEXT: u8 = 2;

/** What `thin` counts while it works; 16 bytes of its scratch. */
@unmanaged
class Rounds {
  /** Words on the list of this round, and of the next. */
  now: i32;
  next: i32;
  /** Pixels gone so far. */
  gone: i32;
}

/**
 * Copies a picture and blackens pinholes: white pixels with black on all four sides and at three corners or more. What
 * pixels make of a sharp angle between strokes is such a hole too, which a skeleton would run around.
 *
 * bits     u64[rows * words], bit 0 is the left pixel, 1 black, bits past the width 0
 * ink      u64[rows * words], written
 * returns  black pixels of the copy, or STOPPED; reports rows
 * cost     2 ns a word
 * source   own
 */
export function closePinholes(bits: usize, words: i32, rows: i32, ink: usize): i32 {
  const batch = max(1, BATCH / words);
  let count = 0;
  for (let y = 0; y < rows; y++) {
    count += closeRow(bits, words, rows, y, ink);
    if (y % batch == 0 && checkpoint(y)) return STOPPED;
  }
  return count;
}

function closeRow(bits: usize, words: i32, rows: i32, y: i32, ink: usize): i32 {
  const row = <usize>words << 3;
  const level = bits + <usize>y * row;
  const inside = y > 0 && y + 1 < rows;
  let count = 0;
  for (let i = 0; i < words; i++) {
    const at = <usize>i << 3;
    let c = load<u64>(level + at);
    if (inside) {
      const n = load<u64>(level + at - row);
      const s = load<u64>(level + at + row);
      if ((~c & n & s) != 0) {
        const hasLeft = i > 0;
        const hasRight = i + 1 < words;
        const w = (c << 1) | (hasLeft ? load<u64>(level + at - 8) >> 63 : 0);
        const e = (c >> 1) | (hasRight ? load<u64>(level + at + 8) << 63 : 0);
        const nw = (n << 1) | (hasLeft ? load<u64>(level + at - row - 8) >> 63 : 0);
        const ne = (n >> 1) | (hasRight ? load<u64>(level + at - row + 8) << 63 : 0);
        const sw = (s << 1) | (hasLeft ? load<u64>(level + at + row - 8) >> 63 : 0);
        const se = (s >> 1) | (hasRight ? load<u64>(level + at + row + 8) << 63 : 0);
        const corners = (nw & ne & (sw | se)) | (sw & se & (nw | ne));
        c |= n & s & e & w & corners;
      }
    }
    store<u64>(ink + <usize>y * row + at, c);
    count += <i32>popcnt(c);
  }
  return count;
}

/**
 * Thins strokes to lines one pixel wide, 8-connected, as black parts stay connected and holes stay open. White lies
 * around the picture. Each round takes pixels off one side and then off the other, all at a time.
 *
 * bits     as for `closePinholes`
 * skel     u64[(words + 1) * (rows + 2) + 1], written: the picture in a frame of one blank row above and below and one
 *          blank word before each row and after the last; row y begins at word (y + 1) * (words + 1) + 1
 * lists    u32[2 * (words + 1) * (rows + 2)] scratch
 * marks    u8[(words + 1) * (rows + 2) + 1] scratch
 * gone     u64[(words + 1) * (rows + 2)] scratch
 * state    u8[16] scratch
 * returns  pixels left, or STOPPED; reports pixels gone, at most as many as are black
 * cost     about 10 ns for each word of each round in which something near it changed
 * source   Guo and Hall, Parallel thinning with two-subiteration algorithms, 1989; as boolean algebra on words, own
 */
export function thin(
  bits: usize,
  words: i32,
  rows: i32,
  skel: usize,
  lists: usize,
  marks: usize,
  gone: usize,
  state: usize,
): i32 {
  const stride = words + 1;
  const total = stride * (rows + 2);
  const rounds = changetype<Rounds>(state);
  rounds.now = 0;
  rounds.next = 0;
  rounds.gone = 0;
  memory.fill(skel, 0, <usize>(stride + 1) << 3);
  memory.fill(skel + (<usize>stride * (rows + 1) << 3), 0, <usize>(stride + 1) << 3);
  memory.fill(marks, 0, <usize>total + 1);
  let ink = 0;
  const batch = max(1, BATCH / words);
  for (let y = 0; y < rows; y++) {
    ink += copyRow(bits + (<usize>y * words << 3), words, skel, (y + 1) * stride + 1, lists, marks, rounds);
    if (y % batch == 0 && checkpoint(0)) return STOPPED;
  }
  let now = lists;
  let next = lists + (<usize>total << 2);
  while (rounds.now > 0) {
    for (let side = 0; side < 2; side++) {
      const count = rounds.now;
      for (let i = 0; i < count; i += BATCH) {
        findGone(skel, stride, now, i, min(count, i + BATCH), gone, side);
        if (checkpoint(rounds.gone)) return STOPPED;
      }
      for (let i = 0; i < count; i += BATCH) {
        takeGone(skel, stride, now, i, min(count, i + BATCH), gone, next, marks, rounds);
        if (checkpoint(rounds.gone)) return STOPPED;
      }
    }
    for (let i = 0; i < rounds.now; i += BATCH) {
      forget(now, i, min(rounds.now, i + BATCH), marks);
      if (checkpoint(rounds.gone)) return STOPPED;
    }
    for (let i = 0; i < rounds.next; i += BATCH) {
      promote(next, i, min(rounds.next, i + BATCH), marks);
      if (checkpoint(rounds.gone)) return STOPPED;
    }
    const list = now;
    now = next;
    next = list;
    rounds.now = rounds.next;
    rounds.next = 0;
  }
  return ink - rounds.gone;
}

/** Copies a row into the frame and lists its words that have black; returns its black pixels. */
function copyRow(bits: usize, words: i32, skel: usize, at: i32, list: usize, marks: usize, rounds: Rounds): i32 {
  let n = rounds.now;
  let ink = 0;
  for (let i = 0; i < words; i++) {
    const word = load<u64>(bits + (<usize>i << 3));
    store<u64>(skel + (<usize>(at + i) << 3), word);
    if (word == 0) continue;
    ink += <i32>popcnt(word);
    store<u32>(list + (<usize>n << 2), at + i);
    store<u8>(marks + <usize>(at + i), NOW);
    n++;
  }
  store<u64>(skel + (<usize>(at + words) << 3), 0);
  rounds.now = n;
  return ink;
}

/** Finds what goes from the listed words: numbers as in the paper, p2 above, then clockwise. */
function findGone(skel: usize, stride: i32, list: usize, from: i32, to: i32, gone: usize, side: i32): void {
  const row = <usize>stride << 3;
  for (let i = from; i < to; i++) {
    const p = skel + (<usize>load<u32>(list + (<usize>i << 2)) << 3);
    const c = load<u64>(p);
    const p2 = load<u64>(p - row);
    const p6 = load<u64>(p + row);
    const p3 = (p2 >> 1) | (load<u64>(p - row + 8) << 63);
    const p9 = (p2 << 1) | (load<u64>(p - row - 8) >> 63);
    const p4 = (c >> 1) | (load<u64>(p + 8) << 63);
    const p8 = (c << 1) | (load<u64>(p - 8) >> 63);
    const p5 = (p6 >> 1) | (load<u64>(p + row + 8) << 63);
    const p7 = (p6 << 1) | (load<u64>(p + row - 8) >> 63);
    // black parts around the pixel: exactly one
    const t1 = ~p2 & (p3 | p4);
    const t2 = ~p4 & (p5 | p6);
    const t3 = ~p6 & (p7 | p8);
    const t4 = ~p8 & (p9 | p2);
    const one = (t1 ^ t2 ^ t3 ^ t4) & ~((t1 & t2) | (t3 & t4));
    // neighbours counted in pairs, both ways of pairing: the lesser count is 2 or 3
    const a1 = p9 | p2;
    const a2 = p3 | p4;
    const a3 = p5 | p6;
    const a4 = p7 | p8;
    const b1 = p2 | p3;
    const b2 = p4 | p5;
    const b3 = p6 | p7;
    const b4 = p8 | p9;
    const atLeast =
      ((a1 & a2) | (a3 & a4) | ((a1 | a2) & (a3 | a4))) & ((b1 & b2) | (b3 & b4) | ((b1 | b2) & (b3 | b4)));
    const four = a1 & a2 & a3 & a4 & b1 & b2 & b3 & b4;
    const kept = side == 0 ? (p6 | p7 | ~p9) & p8 : (p2 | p3 | ~p5) & p4;
    store<u64>(gone + (<usize>i << 3), c & one & atLeast & ~four & ~kept);
  }
}

/** Takes it away, and lists all words around a change for the other side and for the next round. */
function takeGone(
  skel: usize,
  stride: i32,
  list: usize,
  from: i32,
  to: i32,
  gone: usize,
  next: usize,
  marks: usize,
  rounds: Rounds,
): void {
  for (let i = from; i < to; i++) {
    const less = load<u64>(gone + (<usize>i << 3));
    if (less == 0) continue;
    const word = load<u32>(list + (<usize>i << 2));
    const p = skel + (<usize>word << 3);
    store<u64>(p, load<u64>(p) ^ less);
    rounds.gone += <i32>popcnt(less);
    const first = <i32>word - <i32>(less & 1);
    const last = <i32>word + <i32>(less >> 63);
    for (let w = first; w <= last; w++) {
      enlist(skel, w - stride, list, next, marks, rounds);
      enlist(skel, w, list, next, marks, rounds);
      enlist(skel, w + stride, list, next, marks, rounds);
    }
  }
}

@inline function enlist(skel: usize, word: i32, list: usize, next: usize, marks: usize, rounds: Rounds): void {
  const mark = load<u8>(marks + <usize>word);
  if (mark == (NOW | NEXT) || load<u64>(skel + (<usize>word << 3)) == 0) return;
  store<u8>(marks + <usize>word, NOW | NEXT);
  if ((mark & NOW) == 0) {
    store<u32>(list + (<usize>rounds.now << 2), word);
    rounds.now++;
  }
  if ((mark & NEXT) == 0) {
    store<u32>(next + (<usize>rounds.next << 2), word);
    rounds.next++;
  }
}

function forget(list: usize, from: i32, to: i32, marks: usize): void {
  for (let i = from; i < to; i++) {
    const mark = marks + <usize>load<u32>(list + (<usize>i << 2));
    store<u8>(mark, load<u8>(mark) & ~NOW);
  }
}

function promote(list: usize, from: i32, to: i32, marks: usize): void {
  for (let i = from; i < to; i++) store<u8>(marks + <usize>load<u32>(list + (<usize>i << 2)), NOW);
}
