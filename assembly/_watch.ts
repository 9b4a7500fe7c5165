import { checkpoint } from "./control";

/** Iterations of a loop of 10 to 100 ns between two looks at the cancel word, less one: a mask. */
export const LOOK: i32 = 255;

/** Progress and cancel inside one long unit of work. */
@unmanaged
export class Watch {
  /** Units before the one that runs, and its own. */
  from: f64;
  units: f64;
  /** Most units reported so far: a unit that is begun anew, for want of room, reports no less. */
  most: i32;
  /** The cancel word was seen. */
  stopped: bool;
}

/** Reports that `part` of the running unit is done, 0..1. */
export function stage(watch: Watch, part: f64): void {
  watch.most = max(watch.most, <i32>(watch.from + watch.units * part));
}

/** Looks at the cancel word, which stays once it is set; true when the kernel has to leave. */
export function tick(watch: Watch): bool {
  const stopped = checkpoint(watch.most);
  watch.stopped = stopped;
  return stopped;
}
