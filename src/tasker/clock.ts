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

export const realClock: Clock = {
  now: () => performance.now(),
  after(ms, run, hold = false) {
    const timer = setTimeout(run, ms);
    if (!hold) timer.unref();
    return { cancel: () => clearTimeout(timer) };
  },
};
