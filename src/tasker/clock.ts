/** Time as the manager sees it; tests put their own in its place. */
export interface Clock {
  /** Milliseconds, monotonic. */
  now(): number;
  /** Calls `run` once, later; a `hold` keeps the process alive until then. */
  after(ms: number, run: () => void, hold?: boolean): Timer;
}

export interface Timer {
  cancel(): void;
}

const NOW = Promise.resolve();

/** Runs `run`, which does not throw, after the code that runs now: cheaper than `queueMicrotask`, which makes a resource of each call. */
export function soon(run: () => void): void {
  void NOW.then(run);
}

/** Resolves when `done` does, in `ms` at the latest; holds the process until then. */
export function within(clock: Clock, ms: number, done: Promise<unknown>): Promise<void> {
  return new Promise((resolve) => {
    const timer = clock.after(ms, resolve, true);
    void done.then(() => {
      timer.cancel();
      resolve();
    });
  });
}

/** What `setTimeout` can wait, 25 days; beyond it fires at once. */
const LONGEST_MS = 2 ** 31 - 1;

export const realClock: Clock = {
  now: () => performance.now(),
  after(ms, run, hold = false) {
    let timer: NodeJS.Timeout;
    const arm = (left: number): void => {
      const more = left - LONGEST_MS;
      timer = setTimeout(() => (more > 0 ? arm(more) : run()), Math.min(left, LONGEST_MS));
      if (!hold) timer.unref();
    };
    arm(ms);
    return { cancel: () => clearTimeout(timer) };
  },
};
