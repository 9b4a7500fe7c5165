import type { ExecutionContext } from "../tasker/context.ts";
import type { Channel } from "./channel.ts";

/** Lines are those of the program, counted from 1; each count is the last line up to which it holds, 0 for none. */
export interface RunProgress {
  /** Handed to the port. */
  readonly sent: number;
  /** Answered by the controller, which then has them in its planner; blank ones up to there included. */
  readonly accepted: number;
  /** Surely done by the machine. Where the controller does not report its buffers it learns that only at the end. */
  readonly executed: number;
  /** Lines of the program. */
  readonly lines: number;
  /** Lines that the controller refused; with the policy "continue" only. */
  readonly refused: number;
  /** The controller's state, as last reported. */
  readonly state: string;
  /** mm/min now, as last reported. */
  readonly feed: number;
  /** The move of the Ops that is on now, -1 before the first; only for a Program with its `lineOfOp`. */
  readonly op?: number;
}

export interface RefusedLine {
  readonly line: number;
  readonly text: string;
  /** The controller's own number. */
  readonly code: number;
  readonly meaning: string;
}

export interface RunResult {
  /** Lines of the program. */
  readonly lines: number;
  /** Lines that the controller answered: all of them. */
  readonly acknowledged: number;
  /** Bytes sent for them. */
  readonly bytes: number;
  /** From the first byte until the machine stood still. */
  readonly seconds: number;
  /** What the controller refused, with the policy "continue"; the first 1000. */
  readonly errors: readonly RefusedLine[];
}

/** What a host wants to know of a run, and how it can stop it. */
export interface RunHost {
  /** Aborting it stops the machine: feed hold, then soft reset. */
  readonly signal?: AbortSignal | undefined;
  /** Of the task that this run is: gets progress, messages, and cancels it. */
  readonly context?: Pick<ExecutionContext, "setTotal" | "setProgress" | "setMessage" | "signal"> | undefined;
  /** Called at most 20 times a second and at the end; one that throws stops the machine. */
  readonly onProgress?: ((progress: RunProgress) => void) | undefined;
  readonly policy?: "stop" | "continue" | undefined;
  /** The line, counted from 0, of each move. */
  readonly lineOfOp?: Int32Array | undefined;
}

type Counts = Pick<RunProgress, "sent" | "accepted" | "executed" | "lines" | "refused">;

/** A screen shows no more; a callback for each answer would cost more than the link itself. */
const TELL_SECONDS = 0.05;

/** Tells a host how far a run is: seldom, outside of the link's own work, and never after its end. */
export class Teller {
  readonly #channel: Channel;
  readonly #host: RunHost;
  #latest: (() => Counts) | undefined;
  #toldAt = Number.NEGATIVE_INFINITY;
  #cancel: (() => void) | undefined;
  #total = false;
  readonly #silent: boolean;
  readonly #failed: (error: unknown) => void;

  /** `failed` gets what a callback of the host throws. */
  constructor(channel: Channel, host: RunHost, failed: (error: unknown) => void) {
    this.#channel = channel;
    this.#failed = failed;
    this.#host = host;
    this.#silent = host.context === undefined && host.onProgress === undefined;
  }

  tell(counts: () => Counts): void {
    if (this.#silent || this.#cancel !== undefined) return;
    this.#latest = counts;
    const { clock } = this.#channel;
    const wait = this.#toldAt + TELL_SECONDS - clock.now();
    if (wait <= 0) this.#now(counts());
    else
      this.#cancel = clock.after(wait, () => {
        this.#cancel = undefined;
        if (this.#latest !== undefined) this.#now(this.#latest());
      });
  }

  end(counts: Counts): void {
    this.#latest = undefined;
    this.#cancel?.();
    if (!this.#silent) this.#now(counts);
  }

  #now(counts: Counts): void {
    this.#toldAt = this.#channel.clock.now();
    const { context, onProgress, lineOfOp } = this.#host;
    const { report } = this.#channel;
    const state = report?.state ?? "unknown";
    const feed = report?.feed ?? 0;
    if (context !== undefined) {
      if (!this.#total) context.setTotal(counts.lines);
      this.#total = true;
      context.setProgress(counts.accepted);
      const speed = state === "Run" ? `, ${grouped(Math.round(feed))} mm/min` : "";
      context.setMessage(`line ${grouped(counts.accepted)} of ${grouped(counts.lines)}, ${state}${speed}`);
    }
    if (onProgress === undefined) return;
    const op = lineOfOp === undefined ? {} : { op: opOfLine(lineOfOp, counts.executed) };
    const progress = { ...counts, state, feed, ...op };
    this.#channel.later(() => {
      try {
        onProgress(progress);
      } catch (error) {
        this.#failed(error);
      }
    });
  }
}

/** 4003 as 4,003. */
const grouped = (value: number): string => String(value).replace(/\B(?=(\d{3})+$)/g, ",");

/**
 * The move that a program is at when its lines up to `line` (counted from 1; 0: none) are done: the first whose line is
 * not; -1 before the first.
 *
 * @param lineOfOp  of a Program: the line, counted from 0, of each move, ascending
 */
export function opOfLine(lineOfOp: Int32Array, line: number): number {
  if (lineOfOp.length === 0 || line < lineOfOp[0]!) return -1;
  let low = 0;
  let high = lineOfOp.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (lineOfOp[middle]! < line) low = middle + 1;
    else high = middle;
  }
  return Math.min(low, lineOfOp.length - 1);
}
