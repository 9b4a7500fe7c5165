// Rows of labels as runs, and the sets that runs are united to.

/** Buffers by run, all in kernel memory; `runs` of them, in raster order, covering the picture. */
@unmanaged
export class Runs {
  runs: i32;
  width: i32;
  /** u32[runs + 1]: the first pixel of each, y * width + x. */
  starts: usize;
  /** u32: the run above the first pixel, and the one below it; anything in the first and the last row. */
  above: usize;
  below: usize;
  /** u32: a run of the same set that came before, itself for the first of a set; OUTSIDE for a run of no set. */
  parent: usize;
  /** u32: the next run of the same set, in a ring. */
  ring: usize;
}

/** The parent of a run that belongs to no set. */
export const OUTSIDE: u32 = 0xffffffff;

@inline export function u32At(list: usize, i: u32): u32 {
  return load<u32>(list + (<usize>i << 2));
}

@inline export function setU32(list: usize, i: u32, value: u32): void {
  store<u32>(list + (<usize>i << 2), value);
}

/** The run that stands for the set of run r; halves the way there. */
@inline export function find(parent: usize, r: u32): u32 {
  let up = u32At(parent, r);
  while (up != r) {
    const next = u32At(parent, up);
    setU32(parent, r, next);
    r = next;
    up = u32At(parent, r);
  }
  return r;
}

/** Makes the set of root b part of the set of root a, and one ring of both. */
@inline export function join(runs: Runs, a: u32, b: u32): void {
  setU32(runs.parent, b, a);
  const next = u32At(runs.ring, a);
  setU32(runs.ring, a, u32At(runs.ring, b));
  setU32(runs.ring, b, next);
}
