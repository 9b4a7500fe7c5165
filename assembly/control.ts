// The control block: the first 4 KiB of every kernel memory, seen by the main thread, the worker's JavaScript and
// its kernels alike. Kernels use two words of it. `src/tasker/control.ts` owns the layout; a test holds both equal.

/** i32, written by the host: 0 run, anything else leave. */
const CANCEL: usize = 0;
/**
 * Address of an i32, written by the running kernel: units of work done. The host gives it to each instance: of several
 * that work on one memory, one reports into the control block, the others beside it.
 */
// @ts-ignore: decorator
@external("env", "step")
declare const STEP: usize;

/** Returned by a kernel that saw the cancel word; its outputs are garbage. */
export const STOPPED: i32 = -1;
/** Returned by a kernel whose output does not fit the room it was given; nothing was written past it. */
export const NO_ROOM: i32 = -2;

/**
 * Reports `done` units of work and tells whether the kernel has to leave.
 * Call it once per row, contour or batch, at most 50 us of work apart, never in an inner loop.
 *
 * done     units done since the kernel started, growing; the host knows the total
 * returns  true: return STOPPED now
 * cost     about 10 ns
 */
export function checkpoint(done: i32): bool {
  atomic.store<i32>(STEP, done);
  return atomic.load<i32>(CANCEL) != 0;
}

/** Where the host may place data: behind the control block and the kernels' static data. */
export function heapBase(): usize {
  return __heap_base;
}
