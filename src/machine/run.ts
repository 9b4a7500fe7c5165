import { KerfworkError } from "../errors.ts";
import { type Channel, type ChannelEvent, REALTIME } from "./channel.ts";
import type { Checked } from "./check.ts";
import { alarmError, mismatchError } from "./failure.ts";
import { type StatusReport, stopsAnswers, writesStorage } from "./grbl.ts";
import { type RefusedLine, type RunHost, type RunResult, Teller } from "./progress.ts";
import type { Ack, Line } from "./window.ts";

export interface RunTimes {
  /** Seconds between two questions for the status. */
  readonly poll: number;
  /** Seconds that a feed hold may take, from now on, before the reset comes anyway. */
  readonly hold: () => number;
}

/** While a hold is awaited the status is asked for more often. */
export const FAST_POLL = 0.05;
/** Refused lines that are told one by one. */
const ERRORS_KEPT = 1000;
/** Of a position whose steps are not known, mm. */
const PLACE_SLACK = 0.05;

type StopData = Record<string, unknown> & { readonly stopped: boolean };

/**
 * One job on its way through a channel. Sent, accepted and executed are three things: `ok` says that a line was taken, and
 * only a barrier, an idle state and empty buffers together say that the machine has done it.
 */
export class Run {
  readonly #channel: Channel;
  readonly #plan: Checked;
  readonly #host: RunHost;
  readonly #times: RunTimes;
  readonly #teller: Teller;
  readonly #start: number;
  #phase: "feeding" | "settling" | "stopping" | "over" = "feeding";
  /** Lines of the listing. */
  #sent = 0;
  #acked = 0;
  #executed = 0;
  readonly #errors: RefusedLine[] = [];
  #next: Line | undefined;
  #taken: () => void = () => {};
  /** The line of the listing before which the planner was emptied. */
  #drained = -1;
  /** True when the beam has been switched off at the end. */
  #dark = false;
  /** True when a report has shown the machine at another place than the program's end. */
  #doubted = false;
  readonly #undo: (() => void)[] = [];
  #resolve: (result: RunResult) => void = () => {};
  #reject: (error: KerfworkError) => void = () => {};
  readonly promise: Promise<RunResult>;

  constructor(channel: Channel, plan: Checked, host: RunHost, times: RunTimes) {
    this.#channel = channel;
    this.#plan = plan;
    this.#host = host;
    this.#times = times;
    this.#start = channel.clock.now();
    this.#teller = new Teller(channel, host, (error) => this.cancel(error));
    this.promise = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    for (const signal of [host.signal, host.context?.signal]) {
      if (signal === undefined) continue;
      const abort = () => this.cancel(signal.reason);
      signal.addEventListener("abort", abort, { once: true });
      this.#undo.push(() => signal.removeEventListener("abort", abort));
    }
    this.#undo.push(channel.listen((event) => this.#take(event)));
    channel.source = {
      peek: () => this.#peek(),
      taken: () => {
        this.#next = undefined;
        this.#taken();
      },
      hostFailed: (error) => this.cancel(error),
    };
    channel.pump();
    this.#undo.push(channel.pulse.watch(times.poll));
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
    const { bytes, ends } = this.#plan.listing;
    const index = this.#sent;
    if (index === ends.length) return this.#makeEnd();
    const start = index === 0 ? 0 : ends[index - 1]!;
    const size = ends[index]! - start - 1;
    const text = Buffer.from(bytes.buffer, bytes.byteOffset + start, size).toString("latin1");
    const alone = writesStorage(text);
    if (alone && this.#drained !== index) {
      // emptied first, so that the write itself, during which the controller must be left alone, is short
      this.#taken = () => {
        this.#drained = index;
      };
      return this.#barrier(true);
    }
    this.#taken = () => {
      this.#sent = index + 1;
    };
    return { text, alone, answered: (ack) => this.#answer(index, text, ack) };
  }

  #makeEnd(): Line {
    if (this.#plan.endsLit && !this.#dark) {
      this.#taken = () => {
        this.#dark = true;
      };
      return { text: "M5", alone: false, answered: (ack) => this.#own("M5", ack) };
    }
    this.#taken = () => {
      this.#phase = "settling";
    };
    return this.#barrier(false);
  }

  /** The controller answers it when all motion before it has ended. */
  #barrier(alone: boolean): Line {
    const text = this.#channel.protocol.barrier;
    return { text, alone, answered: (ack) => this.#own(text, ack) };
  }

  #own(text: string, ack: Ack): void {
    if (ack.type === "error") this.#refused(this.#line(this.#sent), text, ack);
    else if (this.#phase === "settling" && this.#channel.window.pending === 0) this.#channel.pulse.ask();
  }

  #answer(index: number, text: string, ack: Ack): void {
    this.#acked = index + 1;
    if (ack.type === "error") {
      const line = this.#plan.listing.source[index]!;
      if (this.#errors.length < ERRORS_KEPT)
        this.#errors.push({ line, text, code: ack.code, meaning: ack.meaning });
      if (this.#host.policy !== "continue") {
        // counted as far as the lines before it; those after it that still ran are counted as they answer
        if (this.#phase !== "stopping") this.#acked = index;
        this.#refused(line, text, ack);
        return;
      }
    }
    this.#tell();
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
    else if (event.type === "status") this.#status(event);
    else if (this.#phase === "stopping") return;
    else if (event.type === "alarm") this.#fail(alarmError(event.code, event.meaning, this.#data()));
    else if (event.type === "banner") {
      const message = `The controller restarted in the middle of the run, after line ${this.#line(this.#acked)}`;
      this.#fail(new KerfworkError("MACHINE_RESET", message, { data: this.#data() }));
    } else if (event.type === "silent") {
      // should it only be unable to speak, then this still stops it
      const { realtime, reset } = this.#channel.protocol;
      this.#channel.realtime((realtime ? REALTIME.hold : "") + reset.bytes);
      this.#channel.fenced = true;
      this.#fail(this.#withData(this.#channel.silentError()));
    } else if (event.type === "mismatch") void this.#stop((data) => mismatchError(event.what, data));
  }

  #status(report: StatusReport): void {
    if (this.#phase === "stopping") return;
    this.#follow(report);
    this.#tell();
    const { pulse, window } = this.#channel;
    if (this.#phase === "settling" && window.pending === 0 && pulse.isEmpty(report)) this.#finish(report);
  }

  /** What the planner still holds is not executed; the lines that surely fill a place in it are counted back. */
  #follow(report: StatusReport): void {
    if (report.blocks === undefined) return;
    const { moves } = this.#plan;
    let held = this.#channel.pulse.blocks - report.blocks;
    let line = this.#acked;
    while (held > 0 && line > this.#executed) if (moves[--line] === 1) held--;
    if (line > this.#executed) this.#executed = line;
  }

  #finish(report: StatusReport): void {
    const { lines, bytes } = this.#plan.listing;
    const wrong = report.state === "Check" ? undefined : this.#misplaced();
    if (wrong !== undefined) {
      // one report can be damaged itself
      if (this.#doubted) this.#fail(wrong);
      else this.#channel.pulse.ask();
      this.#doubted = true;
      return;
    }
    this.#executed = this.#acked;
    this.#end();
    this.#resolve({
      lines,
      acknowledged: lines,
      bytes: bytes.length,
      seconds: this.#channel.clock.now() - this.#start,
      errors: this.#errors,
    });
  }

  /** The wire has no checksum: where the machine ends tells whether a digit was lost. */
  #misplaced(): KerfworkError | undefined {
    const { end, steps } = this.#plan;
    const { machine } = this.#channel.tracker.snapshot(true);
    if (end === undefined || machine === undefined || this.#errors.length > 0) return undefined;
    const off = end.some((value, axis) => {
      const slack = steps === undefined ? PLACE_SLACK : 0.002 + 1 / steps[axis]!;
      return Math.abs(value - machine[axis]!) > slack;
    });
    if (!off) return undefined;
    const [planned, found] = [end, machine].map((one) => one.map((value) => Number(value.toFixed(3))));
    const message = `The machine stands at ${found!.join(", ")}, the program ends at ${planned!.join(", ")}: a line was changed on its way`;
    return new KerfworkError("MACHINE_DESYNC", message, { data: { ...this.#data(), planned, found } });
  }

  #fail(error: KerfworkError): void {
    if (this.#phase === "over") return;
    this.#end();
    this.#reject(error);
  }

  /** Stops feeding, holds, resets, and only then fails: at Hold:0 a reset loses no position. */
  async #stop(make: (data: StopData) => KerfworkError): Promise<void> {
    if (this.#phase === "stopping" || this.#phase === "over") return;
    this.#phase = "stopping";
    let data = this.#data();
    const stopped = await stopMachine(this.#channel, this.#times.hold(), () => {
      // by now it stands, and what it answers from here on counts for nothing
      data = this.#data();
      return make({ ...data, stopped: true });
    });
    this.#fail(make({ ...data, stopped }));
  }

  #end(): void {
    this.#teller.end(this.#counts());
    this.#phase = "over";
    this.#channel.source = undefined;
    for (const undo of this.#undo) undo();
  }

  /** The line of the source that ends with line `count` of the listing; blank lines go with the one before them. */
  #line(count: number): number {
    const { source, lines } = this.#plan.listing;
    return count === source.length ? lines : source[count]! - 1;
  }

  #data(): Record<string, unknown> {
    const state = this.#channel.report?.state ?? "unknown";
    return {
      lastAcked: this.#line(this.#acked),
      lastSent: this.#line(this.#sent),
      lastExecuted: this.#line(this.#executed),
      state,
    };
  }

  #withData(error: KerfworkError): KerfworkError {
    const data = { ...error.data, ...this.#data() };
    return new KerfworkError(error.code, error.message, { cause: error.cause, data });
  }

  #counts() {
    return {
      sent: this.#line(this.#sent),
      accepted: this.#line(this.#acked),
      executed: this.#line(this.#executed),
      lines: this.#plan.listing.lines,
      refused: this.#errors.length,
    };
  }

  #tell(): void {
    this.#teller.tell(() => this.#counts());
  }
}

/**
 * Feed hold, and once the machine stands, soft reset: the beam is off, nothing that was queued is done, and the position is
 * kept. A machine that does not stand in time is reset all the same.
 *
 * Resolves with whether the controller confirmed it; never rejects.
 */
export async function stopMachine(
  channel: Channel,
  holdSeconds: number,
  reason: () => KerfworkError,
): Promise<boolean> {
  const unwatch = channel.pulse.watch(FAST_POLL);
  // it serves no hold while it homes
  const { oldest } = channel.window;
  const homing = channel.report?.state === "Home" || (oldest !== undefined && stopsAnswers(oldest.text));
  if (channel.protocol.realtime && !homing) {
    channel.realtime(REALTIME.hold);
    // a controller in alarm, check or sleep ignores a hold; a silent one is reset all the same
    const held = /^(Hold0|Door0|Alarm|Check|Sleep)/;
    const stands = (event: ChannelEvent) =>
      event.type === "banner" ||
      event.type === "alarm" ||
      (event.type === "status" && held.test(`${event.state}${event.substate ?? ""}`));
    await channel.wait(holdSeconds, (event) => stands(event) || undefined).catch(() => {});
  }
  const stopped = await channel.reset(reason()).catch(() => false);
  unwatch();
  return stopped;
}
