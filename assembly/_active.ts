// A list of things that a sweep meets in one row, in order of where it meets them: (f64 key, usize thing), 16 bytes each.

/** Moves of the insertion sort, for each entry, beyond which merging is cheaper. */
const MOVES: i32 = 12;

/** Bytes of one entry. */
export const ENTRY: usize = 16;

/**
 * Sorts entries by key. From row to row little changes, so they are nearly in order and inserting takes one pass; a row
 * where many begin at once is merged instead, so that no input takes time with the square of its size.
 *
 * list     (f64, usize)[n], sorted in place; equal keys may change places
 * scratch  as large
 * cost     O(n) when nearly sorted, else O(n log n)
 */
export function sortEntries(list: usize, n: i32, scratch: usize): void {
  const end = list + <usize>n * ENTRY;
  let budget = MOVES * n + 64;
  for (let at = list + ENTRY; at < end; at += ENTRY) {
    const key = load<f64>(at);
    if (load<f64>(at - ENTRY) <= key) continue;
    const thing = load<usize>(at, 8);
    let to = at;
    do {
      store<f64>(to, load<f64>(to - ENTRY));
      store<usize>(to, load<usize>(to - ENTRY, 8), 8);
      to -= ENTRY;
      budget--;
    } while (to > list && load<f64>(to - ENTRY) > key);
    store<f64>(to, key);
    store<usize>(to, thing, 8);
    if (budget < 0) {
      mergeEntries(list, n, scratch);
      return;
    }
  }
}

/** Merges runs of 1, 2, 4, ... entries. */
function mergeEntries(list: usize, n: i32, scratch: usize): void {
  const bytes = <usize>n * ENTRY;
  let from = list;
  let to = scratch;
  for (let run = ENTRY; run < bytes; run <<= 1) {
    for (let start: usize = 0; start < bytes; start += run << 1)
      mergeRuns(from, to, start, min(start + run, bytes), min(start + (run << 1), bytes));
    const other = from;
    from = to;
    to = other;
  }
  if (from != list) memory.copy(list, from, bytes);
}

function mergeRuns(from: usize, to: usize, start: usize, middle: usize, end: usize): void {
  let a = from + start;
  let b = from + middle;
  const aEnd = b;
  const bEnd = from + end;
  for (let out = to + start; out < to + end; out += ENTRY) {
    const first = b >= bEnd || (a < aEnd && load<f64>(a) <= load<f64>(b));
    const at = first ? a : b;
    store<f64>(out, load<f64>(at));
    store<usize>(out, load<usize>(at, 8), 8);
    if (first) a += ENTRY;
    else b += ENTRY;
  }
}
