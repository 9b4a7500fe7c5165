import { checkpoint } from "./control";

/** Iterations of a loop of 10 to 100 ns between two looks at the cancel word, less one: a mask. */
export const LOOK: i32 = 255;

/** Progress and cancel inside one long unit of work: the part of its units that a stage has done. */
@unmanaged
export class Watch {
  /** Units before this one, and its own. */
  from: f64;
  units: f64;
  /** Where the running stage begins and how much it is of the whole unit, 0..1. */
  base: f64;
  share: f64;
  /** Most units reported so far: a unit that is begun anew, for want of room, reports no less. */
  most: i32;
  /** 1 once the cancel word was seen. */
  stopped: i32;

  @inline stage(base: f64, share: f64): void {
    this.base = base;
    this.share = share;
  }
}

/** Reports `done` of `total` of the running stage; true when the kernel has to leave. */
export function tick(watch: Watch, done: f64, total: f64): bool {
  const part = watch.base + (watch.share * done) / max(total, 1.0);
  watch.most = max(watch.most, <i32>(watch.from + watch.units * part));
  if (checkpoint(watch.most)) watch.stopped = 1;
  return watch.stopped != 0;
}
