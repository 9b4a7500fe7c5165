import { KerfworkError } from "../index.ts";

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
const INTERRUPTED = 130;

export interface Stop {
  /** Aborts when the user or the system wants the work to end. */
  readonly signal: AbortSignal;
  dispose(): void;
}

/**
 * Turns Ctrl-C and its relatives into an abort, so that a moving machine is stopped in order. A second one ends the
 * process at once. A reader of our output that goes away is a wish to stop too.
 */
export function listenForStop(): Stop {
  const controller = new AbortController();
  const stop = (why: string): void => {
    if (controller.signal.aborted) process.exit(INTERRUPTED);
    controller.abort(new KerfworkError("CANCELED", `Interrupted by ${why}`));
  };
  const onPipeError = (error: NodeJS.ErrnoException): void => {
    if (error.code !== "EPIPE") throw error;
    // every later write fails as well: not a second wish
    if (!controller.signal.aborted) stop("the end of the output's reader");
  };
  for (const name of SIGNALS) process.on(name, stop);
  for (const stream of [process.stdout, process.stderr]) stream.on("error", onPipeError);
  return {
    signal: controller.signal,
    dispose() {
      for (const name of SIGNALS) process.off(name, stop);
    },
  };
}
