// Sorting of u64 keys.
import { tick, Watch } from "./_watch";

/** Keys between two looks at the cancel word. */
const SLICE: i32 = 8192;
const DIGIT: i32 = 11;
/** Bytes of the counts of one digit. */
export const COUNTS: usize = 4 << 11;
/** Up to here the shell sort is faster. */
const FEW: i32 = 256;

/**
 * Sorts keys by their high halves, equal ones in the order in which they stand.
 *
 * keys     u64[n]
 * spare    u64[n], scratch
 * bits     1..32: high halves are less than 2^bits
 * counts   u8[COUNTS], scratch
 * returns  `keys` or `spare`, whichever holds the result; anything when `watch` has stopped
 */
export function sortHigh(keys: usize, spare: usize, n: i32, bits: i32, counts: usize, watch: Watch): usize {
  for (let shift = 32; shift < 32 + bits; shift += DIGIT) {
    memory.fill(counts, 0, COUNTS);
    for (let i = 0; i < n; i += SLICE) {
      countDigits(keys, i, min(n, i + SLICE), shift, counts);
      if (tick(watch)) return keys;
    }
    if (!sumUp(counts, n)) continue;
    for (let i = 0; i < n; i += SLICE) {
      placeKeys(keys, i, min(n, i + SLICE), shift, counts, spare);
      if (tick(watch)) return keys;
    }
    const other = keys;
    keys = spare;
    spare = other;
  }
  return keys;
}

@inline function digitOf(key: u64, shift: i32): usize {
  return <usize>((key >> shift) & ((1 << DIGIT) - 1)) << 2;
}

function countDigits(keys: usize, i: i32, end: i32, shift: i32, counts: usize): void {
  for (; i < end; i++) {
    const at = counts + digitOf(load<u64>(keys + (<usize>i << 3)), shift);
    store<u32>(at, load<u32>(at) + 1);
  }
}

/** Turns counts into places; false when all keys have the same digit. */
function sumUp(counts: usize, n: i32): bool {
  let sum = 0;
  for (let at = counts; at < counts + COUNTS; at += 4) {
    const count = load<i32>(at);
    if (count == n) return false;
    store<i32>(at, sum);
    sum += count;
  }
  return true;
}

function placeKeys(keys: usize, i: i32, end: i32, shift: i32, places: usize, to: usize): void {
  for (; i < end; i++) {
    const key = load<u64>(keys + (<usize>i << 3));
    const at = places + digitOf(key, shift);
    const place = load<u32>(at);
    store<u32>(at, place + 1);
    store<u64>(to + (<usize>place << 3), key);
  }
}

/** True when `sortKeys` is the faster way. */
@inline export function isFew(n: i32): bool {
  return n <= FEW;
}

/**
 * Sorts u64[n] in place; without equal keys, in one way only.
 *
 * source   Shell, A high-speed sorting procedure, 1959; gaps after Knuth
 */
export function sortKeys(keys: usize, n: i32): void {
  let gap = 1;
  while (gap < n / 3) gap = 3 * gap + 1;
  for (; gap > 0; gap /= 3) {
    for (let i = gap; i < n; i++) {
      const key = load<u64>(keys + (<usize>i << 3));
      let k = i;
      for (; k >= gap; k -= gap) {
        const before = load<u64>(keys + (<usize>(k - gap) << 3));
        if (before <= key) break;
        store<u64>(keys + (<usize>k << 3), before);
      }
      store<u64>(keys + (<usize>k << 3), key);
    }
  }
}
