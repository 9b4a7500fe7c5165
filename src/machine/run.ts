import { KerfworkError } from "../errors.ts";
import type { ExecutionContext } from "../tasker/context.ts";
import { alarmError, type Channel, type ChannelEvent, REALTIME } from "./channel.ts";
import { dwellSeconds, type StatusReport, writesStorage } from "./grbl.ts";
import type { Listing } from "./listing.ts";
import type { Ack, Line } from "./window.ts";

export interface RunProgress {
  /** Lines of the program that the controller has answered, blank ones up to there included. */
  readonly acknowledged: number;
  /** Lines of the program that were sent. */
  readonly sent: number;
  /** Lines of the program. */
  readonly lines: number;
  /** The controller's state, as last reported. */
  readonly state: string;
}

export interface RunOptions {
  /** Aborting it stops the machine: feed hold, then soft reset. */
  readonly signal?: AbortSignal;
  /** Of the task that this run is: gets progress, messages, and cancels it. */
  readonly context?: Pick<ExecutionContext, "setTotal" | "setProgress" | "setMessage" | "signal">;
  /** Called after each burst of answers. */
  readonly onProgress?: (progress: RunProgress) => void;
}

export interface RunResult {
  /** Lines of the program. */
  readonly lines: number;
  /** Lines that the controller answered with `ok`: all of them. */
  readonly acknowledged: number;
  /** Bytes sent for them. */
  readonly bytes: number;
  /** From the first byte until the machine stood still. */
  readonly seconds: number;
}

export interface RunTimes {
  /** Seconds between two questions for the status. */
  readonly poll: number;
  /** Seconds that a feed hold may take before the reset comes anyway. */
  readonly hold: number;
}

/** The controller answers it when all motion before it has ended. */
const BARRIER = "G4P0";
/** While a hold is awaited the status is asked for more often. */
export const FAST_POLL = 0.05;
/** An idle, empty controller that owes answers, though nothing was sent meanwhile, gets so long to give them. */
const DESYNC_SECONDS = 1;

/**
 * One job on its way through a channel. Sent, answered and done are three things: `ok` says that a line was taken, and only
 * a barrier, an idle state and empty buffers together say that the machine has done it.
 */
export class Run {
  readonly #channel: Channel;
  readonly #listing: Listing;
  readonly #options: RunOptions;
  readonly #times: RunTimes;
  readonly #start: number;
  #phase: "feeding" | "settling" | "stopping" | "over" = "feeding";
  /** Lines of the listing. */
  #sent = 0;
  #acked = 0;
  #next: Line | undefined;
  #taken: () => void = () => {};
  /** The line of the listing before which the planner was emptied. */
  #drained = -1;
  /** When an empty, idle controller was first seen to owe an answer. */
  #owingSince: number | undefined;
  #changed = true;
  readonly #undo: (() => void)[] = [];
  #resolve: (result: RunResult) => void = () => {};
  #reject: (error: KerfworkError) => void = () => {};
  readonly promise: Promise<RunResult>;

  constructor(channel: Channel, listing: Listing, options: RunOptions, times: RunTimes) {
    this.#channel = channel;
    this.#listing = listing;
    this.#options = options;
    this.#times = times;
    this.#start = channel.clock.now();
    this.promise = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    options.context?.setTotal(listing.lines);
    for (const signal of [options.signal, options.context?.signal]) {
      if (signal === undefined) continue;
      const abort = () => this.cancel(signal.reason);
      signal.addEventListener("abort", abort, { once: true });
      this.#undo.push(() => signal.removeEventListener("abort", abort));
    }
    this.#undo.push(channel.listen((event) => this.#take(event)));
    channel.source = {
      peek: () => this.#peek(),
      taken: () => {
        this.#owingSince = undefined;
        this.#next = undefined;
        this.#taken();
      },
    };
    channel.pump();
    this.#undo.push(channel.watch(times.poll));
    this.#tell();
  }

  get stopping(): boolean {
    return this.#phase === "stopping";
  }

  /** Stops the machine and ends the run as CANCELED. */
  cancel(reason: unknown): void {
    void this.#stop((data) => {
      const tail = data.stopped ? "" : ", but the controller did not confirm that it stopped";
      return new KerfworkError("CANCELED", `The run was canceled${tail}`, { cause: reason, data });
    });
  }

  /** Ends the run as CANCELED after a reset that somebody else makes. */
  async endBy(reset: Promise<boolean>, reason: KerfworkError): Promise<void> {
    if (this.#phase === "stopping" || this.#phase === "over") return;
    this.#phase = "stopping";
    const data = this.#data();
    const stopped = await reset.catch(() => false);
    const message = "The run was canceled: the controller was reset";
    this.#fail(new KerfworkError("CANCELED", message, { cause: reason, data: { ...data, stopped } }));
  }

  #peek(): Line | undefined {
    if (this.#phase !== "feeding") return undefined;
    this.#next ??= this.#make();
    return this.#next;
  }

  #make(): Line | undefined {
    const { bytes, ends } = this.#listing;
    const index = this.#sent;
    if (index === ends.length) {
      this.#taken = () => {
        this.#phase = "settling";
      };
      return { text: BARRIER, alone: false, answered: (ack) => this.#barrier(ack) };
    }
    const start = index === 0 ? 0 : ends[index - 1]!;
    const text = Buffer.from(bytes.buffer, bytes.byteOffset + start, ends[index]! - start - 1).toString(
      "latin1",
    );
    const alone = writesStorage(text);
    if (alone && this.#drained !== index) {
      // emptied first, so that the write itself, during which the controller must be left alone, is short
      this.#taken = () => {
        this.#drained = index;
      };
      return { text: BARRIER, alone: true, answered: (ack) => this.#barrier(ack) };
    }
    this.#taken = () => {
      this.#sent = index + 1;
    };
    return { text, alone, answered: (ack) => this.#answer(index, text, ack) };
  }

  #answer(index: number, text: string, ack: Ack): void {
    this.#owingSince = undefined;
    if (ack.type === "error") {
      this.#refused(this.#listing.source[index]!, text, ack);
      return;
    }
    this.#acked = index + 1;
    this.#changed = true;
    // told once for all answers of a chunk
    queueMicrotask(() => this.#tell());
  }

  #barrier(ack: Ack): void {
    this.#owingSince = undefined;
    if (ack.type === "error") this.#refused(this.#line(this.#sent), BARRIER, ack);
    else if (this.#phase === "settling") this.#channel.realtime(REALTIME.status);
  }

  #refused(line: number, text: string, ack: Extract<Ack, { type: "error" }>): void {
    const message = `The controller refused line ${line}, ${text}: error:${ack.code} (${ack.meaning})`;
    void this.#stop(
      (data) =>
        new KerfworkError("MACHINE_ERROR", message, { data: { line, text, code: ack.code, ...data } }),
    );
  }

  #take(event: ChannelEvent): void {
    if (this.#phase === "over") return;
    if (event.type === "lost") this.#fail(this.#withData(event.reason));
    else if (event.type === "alarm" && this.#phase !== "stopping")
      this.#fail(alarmError(event.code, event.meaning, this.#data()));
    else if (event.type === "banner" && this.#phase !== "stopping") {
      const message = `The controller restarted in the middle of the run, after line ${this.#line(this.#acked)}`;
      this.#fail(new KerfworkError("MACHINE_RESET", message, { data: this.#data() }));
    } else if (event.type === "silent" && this.#phase !== "stopping") {
      // should it only be unable to speak, then this still stops it
      this.#channel.realtime(REALTIME.hold);
      this.#channel.realtime(REALTIME.reset);
      this.#channel.fenced = true;
      this.#fail(this.#withData(this.#channel.silentError()));
    } else if (event.type === "surplus") this.#desync("an answer that belongs to no line");
    else if (event.type === "status") this.#status(event);
  }

  #status(report: StatusReport): void {
    this.#changed = true;
    this.#tell();
    if (this.#phase === "stopping") return;
    const { window, clock } = this.#channel;
    if (!this.#channel.isEmpty(report)) {
      this.#owingSince = undefined;
      return;
    }
    if (window.pending === 0) {
      if (this.#phase === "settling") this.#finish();
      return;
    }
    // a dwell looks the same: the machine stands, nothing is queued, and the answer is yet to come
    this.#owingSince ??= clock.now();
    const patience = DESYNC_SECONDS + dwellSeconds(window.oldest!.text);
    if (clock.now() - this.#owingSince >= patience) this.#desync(`${window.pending} lines were not answered`);
  }

  #desync(what: string): void {
    const message = `The controller's answers do not match the lines sent: ${what}`;
    void this.#stop((data) => new KerfworkError("MACHINE_DESYNC", message, { data }));
  }

  #finish(): void {
    this.#end();
    const { lines, bytes } = this.#listing;
    this.#resolve({
      lines,
      acknowledged: lines,
      bytes: bytes.length,
      seconds: this.#channel.clock.now() - this.#start,
    });
  }

  #fail(error: KerfworkError): void {
    if (this.#phase === "over") return;
    this.#end();
    this.#reject(error);
  }

  /** Stops feeding, holds, resets, and only then fails: at Hold:0 a reset loses no position. */
  async #stop(make: (data: Record<string, unknown> & { stopped: boolean }) => KerfworkError): Promise<void> {
    if (this.#phase === "stopping" || this.#phase === "over") return;
    this.#phase = "stopping";
    const channel = this.#channel;
    channel.realtime(REALTIME.hold);
    const unwatch = channel.watch(FAST_POLL);
    // a controller in alarm, check or sleep ignores a hold; a silent one is reset all the same
    const held = /^(Hold0|Door0|Alarm|Check|Sleep)/;
    const stands = (event: ChannelEvent) =>
      event.type === "banner" ||
      event.type === "alarm" ||
      (event.type === "status" && held.test(`${event.state}${event.substate ?? ""}`));
    await channel.wait(this.#times.hold, (event) => stands(event) || undefined).catch(() => {});
    const data = this.#data();
    const stopped = await channel.reset(make({ ...data, stopped: true })).catch(() => false);
    unwatch();
    this.#fail(make({ ...data, stopped }));
  }

  #end(): void {
    this.#changed = true;
    this.#tell();
    this.#phase = "over";
    this.#channel.source = undefined;
    for (const undo of this.#undo) undo();
  }

  /** The line of the source that ends with line `count` of the listing; blank lines go with the one before them. */
  #line(count: number): number {
    const { source, lines } = this.#listing;
    return count === source.length ? lines : source[count]! - 1;
  }

  #data(): Record<string, unknown> {
    const state = this.#channel.report?.state ?? "unknown";
    return { lastAcked: this.#line(this.#acked), lastSent: this.#line(this.#sent), state };
  }

  #withData(error: KerfworkError): KerfworkError {
    const data = { ...error.data, ...this.#data() };
    return new KerfworkError(error.code, error.message, { cause: error.cause, data });
  }

  #tell(): void {
    if (!this.#changed || this.#phase === "over") return;
    this.#changed = false;
    const { lines } = this.#listing;
    const acknowledged = this.#line(this.#acked);
    const state = this.#channel.report?.state ?? "unknown";
    const { context, onProgress } = this.#options;
    context?.setProgress(acknowledged);
    context?.setMessage(`line ${acknowledged} of ${lines}, ${state}`);
    try {
      onProgress?.({ acknowledged, sent: this.#line(this.#sent), lines, state });
    } catch (error) {
      // thrown on into the port's event it would end the process with the laser on
      this.cancel(error);
    }
  }
}
