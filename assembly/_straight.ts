// Rings without nodes on a line with their neighbours, as they are written node by node.
import { turn } from "./_plane";

/** Set in the tag of a node that stays though it lies on a line. */
export const STAYS: u32 = 1 << 30;

/** Adds a node to a ring of n: i32 pairs and u32 a node; leaves out what then lies on a line, if its edges have one tag. Returns the new n. */
export function addNode(xy: usize, tags: usize, n: i32, place: u64, tag: u32): i32 {
  store<u64>(xy + (<usize>n << 3), place);
  while (n > 1 && isSpare(xy, tags, n - 2, n - 1, n)) {
    n--;
    store<u64>(xy + (<usize>n << 3), place);
  }
  if (n > 0 && load<u64>(xy + (<usize>(n - 1) << 3)) == place) n--;
  store<u32>(tags + (<usize>n << 2), tag);
  return n + 1;
}

/** The same over the seam between the last node and the first. */
export function cutSeam(xy: usize, tags: usize, n: i32): i32 {
  let first = 0;
  while (n - first > 2) {
    if (load<u64>(xy + (<usize>(n - 1) << 3)) == load<u64>(xy + (<usize>first << 3)) || isSpare(xy, tags, n - 2, n - 1, first)) n--;
    else if (isSpare(xy, tags, n - 1, first, first + 1)) first++;
    else break;
  }
  n -= first;
  if (first > 0) {
    memory.copy(xy, xy + (<usize>first << 3), <usize>n << 3);
    memory.copy(tags, tags + (<usize>first << 2), <usize>n << 2);
  }
  return n;
}

@inline function isSpare(xy: usize, tags: usize, a: i32, b: i32, c: i32): bool {
  const p = xy + (<usize>a << 3);
  const q = xy + (<usize>b << 3);
  const r = xy + (<usize>c << 3);
  const tag = load<u32>(tags + (<usize>b << 2));
  return (
    tag == (load<u32>(tags + (<usize>a << 2)) & ~STAYS) &&
    turn(load<i32>(p), load<i32>(p, 4), load<i32>(q), load<i32>(q, 4), load<i32>(r), load<i32>(r, 4)) == 0
  );
}
