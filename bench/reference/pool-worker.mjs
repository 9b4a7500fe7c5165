// What the peers' threads run, as each of them wants it: exports for piscina and tinypool, registration for workerpool.
import { isMainThread, workerData } from "node:worker_threads";

export const noop = () => 0;

/** Spins until the flag is set: the time from a cancel to the next task is what is measured. */
export function spin(shared) {
  const word = new Int32Array(shared);
  Atomics.add(word, 0, 1);
  while (Atomics.load(word, 1) === 0) {}
  return 0;
}

// biome-ignore lint/style/noDefaultExport: what piscina and tinypool call
export default (task) => ({ noop, spin })[task?.name ?? "noop"](task?.data);

// workerpool starts its workers without workerData; the others pass theirs
if (!isMainThread && (workerData === null || workerData === undefined)) {
  const { default: workerpool } = await import("workerpool");
  workerpool.worker({
    noop,
    spin,
    emits(count) {
      for (let i = 0; i < count; i++) workerpool.workerEmit(i);
      return count;
    },
  });
}
