// Boxes in levels: a box of level k + 1 is around eight neighbours of level k. A search walks them without a stack.

/** A box is four lanes: least x, least y, and the greatest x and y with their signs turned, so that the least of each lane is around both. */
export const BOX: usize = 16;
/** Items of one box of the lowest level, and boxes of one box above. */
export const EIGHT: i32 = 8;
const MOST_LEVELS: usize = 12;
/** A lane of the box of nothing; no sum of it and a coordinate of up to 2^29 is <= 0. */
const NOWHERE: i32 = 1 << 30;

@unmanaged
export class Boxes {
  /** What a search looks for, as `touches` wants it. */
  asked0: u64;
  asked1: u64;
  levels: i32;
  /** Where each level lies. */
  at0: usize; at1: usize; at2: usize; at3: usize; at4: usize; at5: usize;
  at6: usize; at7: usize; at8: usize; at9: usize; at10: usize; at11: usize;
  /** Boxes of each level. */
  n0: i32; n1: i32; n2: i32; n3: i32; n4: i32; n5: i32;
  n6: i32; n7: i32; n8: i32; n9: i32; n10: i32; n11: i32;
}

/** Bytes of all boxes above `n` items. */
export function boxesRoom(n: i32): f64 {
  return <f64>BOX * (<f64>n / 7 + 2 * <f64>MOST_LEVELS);
}

@inline export function levelAt(boxes: Boxes, level: i32): usize {
  return load<usize>(changetype<usize>(boxes) + (<usize>level << 2), offsetof<Boxes>("at0"));
}

@inline export function countAt(boxes: Boxes, level: i32): i32 {
  return load<i32>(changetype<usize>(boxes) + (<usize>level << 2), offsetof<Boxes>("n0"));
}

/** Plans the levels above `n` items, in memory of `boxesRoom(n)` bytes; the lowest level is the caller's to fill. */
export function planBoxes(boxes: Boxes, memory: usize, n: i32): void {
  let level = 0;
  for (;;) {
    n = (n + EIGHT - 1) / EIGHT;
    const own = changetype<usize>(boxes) + (<usize>level << 2);
    store<usize>(own, memory, offsetof<Boxes>("at0"));
    store<i32>(own, n, offsetof<Boxes>("n0"));
    memory += <usize>n * BOX;
    level++;
    if (n <= EIGHT) break;
  }
  boxes.levels = level;
}

@inline export function nowhere(): v128 {
  return i32x4.splat(NOWHERE);
}

/** The box around two points. */
@inline export function boxAround(a: usize, b: usize): v128 {
  const p = v128.load64_zero(a);
  const q = v128.load64_zero(b);
  return v128.shuffle<i32>(i32x4.min_s(p, q), i32x4.neg(i32x4.max_s(p, q)), 0, 1, 4, 5);
}

@inline export function both(a: v128, b: v128): v128 {
  return i32x4.min_s(a, b);
}

/** A box as `touches` wants it for its first. */
@inline export function asked(box: v128): v128 {
  return v128.shuffle<i32>(box, box, 2, 3, 0, 1);
}

/** True when two boxes have a point in common. */
@inline export function touches(asked: v128, box: v128): bool {
  return !v128.any_true(i32x4.gt_s(i32x4.add(asked, box), i32x4.splat(0)));
}

/** Fills all levels above the lowest. */
export function raiseBoxes(boxes: Boxes): void {
  for (let level = 1; level < boxes.levels; level++) raiseLevel(levelAt(boxes, level - 1), countAt(boxes, level - 1), levelAt(boxes, level));
}

function raiseLevel(from: usize, n: i32, to: usize): void {
  for (let i = 0; i < n; i += EIGHT) {
    let box = v128.load(from + <usize>i * BOX);
    for (let k = i + 1, end = min(n, i + EIGHT); k < end; k++) box = both(box, v128.load(from + <usize>k * BOX));
    v128.store(to, box);
    to += BOX;
  }
}

/** Sets what a search looks for. */
@inline export function ask(boxes: Boxes, box: v128): void {
  v128.store(changetype<usize>(boxes), asked(box));
}

/** The first box of the lowest level from number `i` on that touches what was asked for, or -1. */
export function nextTouching(boxes: Boxes, i: i32): i32 {
  const question = v128.load(changetype<usize>(boxes));
  const top = boxes.levels - 1;
  let level = 0;
  while (true) {
    // what begins a group of eight is asked for together with it
    while (level < top && (i & (EIGHT - 1)) == 0) {
      i >>= 3;
      level++;
    }
    while (true) {
      if (i >= countAt(boxes, level)) return -1;
      if (!touches(question, v128.load(levelAt(boxes, level) + <usize>i * BOX))) break;
      if (level == 0) return i;
      level--;
      i <<= 3;
    }
    i++;
  }
}
