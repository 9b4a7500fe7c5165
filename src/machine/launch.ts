import type { Program } from "../engine/gcode.ts";
import { checkOneOf, checkOptions, invalid, KerfworkError } from "../errors.ts";
import type { Channel } from "./channel.ts";
import { type Checked, examine, type ProgramCheck } from "./check.ts";
import { alarmError } from "./failure.ts";
import { limitsOf } from "./limits.ts";
import { type Listing, prepareProgram } from "./listing.ts";
import { type Modal, parseModal, resetModal } from "./modal.ts";
import type { RunHost, RunResult } from "./progress.ts";
import { Run, type RunTimes } from "./run.ts";

export interface RunOptions extends Pick<RunHost, "signal" | "context" | "onProgress"> {
  /**
   * What a refused line does: "stop" (default) holds the feed and resets; "continue" lets the machine go on without the
   * line, as it does by itself, and gives the line in the result.
   */
  readonly policy?: "stop" | "continue";
  /**
   * Lets the controller check the program first, in its check mode, without motion (default false). A refused line then
   * fails the run before anything moves; G92 offsets are lost, as with every reset. GRBL only.
   */
  readonly checkFirst?: boolean;
  /** Refuse a program that leaves the machine's travel, where travel and place are known (default true). */
  readonly bounds?: boolean;
  /** What becomes of a beam that is still switched on after the last line (default "off": `M5` is sent). */
  readonly laserAtEnd?: "off" | "leave";
  /**
   * Wait for earlier runs to end and for the machine to be idle and unlocked, instead of failing (default false). It then
   * starts by itself when somebody unlocks the machine.
   */
  readonly wait?: boolean;
}

const OPTIONS = ["signal", "context", "onProgress", "policy", "checkFirst", "bounds", "laserAtEnd", "wait"];
/** Reports show the work offset every 30th time at least. */
const OFFSET_REPORTS = 32;
const REPORT_SECONDS = 2;
const CHECK_MODE_SECONDS = 3;

/** Brings programs to a machine: one at a time, checked against the machine as it is when their turn comes. */
export class Launch {
  readonly #channel: Channel;
  readonly #times: RunTimes;
  readonly #ready: () => Promise<void>;
  #run: Run | undefined;
  /** The run that has its turn, from the first question on. */
  #current: { readonly stop: AbortController; readonly ended: Promise<unknown> } | undefined;
  /** The end of the last run that waits. */
  #queue: Promise<unknown> = Promise.resolve();
  /** False when the machine may not be where it reports to be. */
  #placed: boolean;

  constructor(channel: Channel, times: RunTimes, ready: () => Promise<void>) {
    this.#channel = channel;
    this.#times = times;
    this.#ready = ready;
    this.#placed = channel.report?.state !== "Alarm";
    channel.listen((event) => {
      // soft limits hold the machine before they lock it; all other alarms may lose steps
      if (event.type === "alarm" && event.code !== 2) this.#placed = false;
      if (event.type === "banner" && !channel.resetting) this.#placed = false;
    });
  }

  get busy(): boolean {
    return this.#current !== undefined;
  }

  get stopping(): boolean {
    return this.#run?.stopping === true;
  }

  /** A line of the host's own was taken. */
  sent(text: string): void {
    if (text.toUpperCase() === "$H") this.#placed = true;
  }

  /** Ends the run that has its turn, if there is one; false when there is none. */
  async cancel(reason: unknown): Promise<boolean> {
    const current = this.#current;
    if (current === undefined) return false;
    current.stop.abort(reason);
    const error = await current.ended.then(
      () => undefined,
      (failure: KerfworkError) => failure,
    );
    if (error?.data?.stopped === false) throw this.#channel.silentError();
    return true;
  }

  endBy(reset: Promise<boolean>, reason: KerfworkError): void {
    void this.#run?.endBy(reset, reason);
  }

  async check(program: Program | Uint8Array | string): Promise<ProgramCheck> {
    const listing = prepareProgram(program);
    await this.#ready();
    return (await this.#examine(listing, true)).check;
  }

  async run(program: Program | Uint8Array | string, options: RunOptions): Promise<RunResult> {
    checkOptions(options, OPTIONS);
    checkOneOf("policy", options.policy ?? "stop", ["stop", "continue"]);
    checkOneOf("laserAtEnd", options.laserAtEnd ?? "off", ["off", "leave"]);
    for (const name of ["checkFirst", "bounds", "wait"] as const)
      if (typeof (options[name] ?? false) !== "boolean") throw invalid(name, "true or false", options[name]);
    const listing = prepareProgram(program);
    const lineOfOp = (program as Program).lineOfOp;
    const stop = new AbortController();
    const unlink = linkSignals([options.signal, options.context?.signal], stop);
    let leave = () => {};
    try {
      this.#throwIfStopped(stop.signal);
      if (options.wait === true) leave = await this.#turn(stop.signal);
      else await this.#ready();
      if (this.#current !== undefined || this.#channel.busy)
        throw new KerfworkError("INVALID_STATE", "The machine is busy: another run or command has not ended");
      const work = this.#work(listing, { ...options, lineOfOp, signal: stop.signal });
      this.#current = { stop, ended: work };
      if (options.wait !== true) this.#queue = Promise.allSettled([this.#queue, work]);
      return await work.finally(() => {
        this.#current = undefined;
      });
    } finally {
      unlink();
      leave();
    }
  }

  async #work(
    listing: Listing,
    options: RunOptions & RunHost & { readonly signal: AbortSignal },
  ): Promise<RunResult> {
    const checked = await this.#prepare(listing, options).catch((error: KerfworkError) => {
      // what went wrong with the machine before a line was sent
      if (!/^(MACHINE|PORT)_/.test(error.code)) throw error;
      const data = { ...unsent(this.#channel.report?.state), ...error.data };
      throw new KerfworkError(error.code, error.message, { cause: error.cause, data });
    });
    return await this.#perform(checked, options);
  }

  async #prepare(
    listing: Listing,
    options: RunOptions & RunHost & { readonly signal: AbortSignal },
  ): Promise<Checked> {
    const { signal } = options;
    const report = await this.#report();
    if (report.state === "Alarm") throw alarmError(0, "locked: home or unlock it, with $H or $X");
    if (!this.#channel.pulse.isEmpty(report))
      throw new KerfworkError("INVALID_STATE", `Expected the machine to be idle, it is in ${report.state}`);
    let checked = await this.#examine(listing, options.bounds !== false);
    this.#throwIfStopped(signal);
    if (options.checkFirst === true) {
      await this.#rehearse(checked, options);
      checked = await this.#examine(listing, options.bounds !== false);
      this.#throwIfStopped(signal);
    }
    return { ...checked, endsLit: checked.endsLit && options.laserAtEnd !== "leave" };
  }

  async #perform(checked: Checked, host: RunHost): Promise<RunResult> {
    this.#run = new Run(this.#channel, checked, host, this.#times);
    try {
      return await this.#run.promise;
    } finally {
      this.#run = undefined;
    }
  }

  /** Runs it in check mode: each line is read and answered, nothing moves. */
  async #rehearse(checked: Checked, { signal }: RunHost): Promise<void> {
    const channel = this.#channel;
    if (!channel.protocol.questions || channel.report?.state !== "Idle")
      throw new KerfworkError(
        "INVALID_STATE",
        "The controller checks programs only when it is idle, and only a GRBL does",
      );
    await channel.alive(channel.send("$C"), this.#times.poll);
    const { errors } = await this.#perform(
      { ...checked, endsLit: false, end: undefined },
      { signal, policy: "continue" },
    );
    channel.resetting = true;
    try {
      const banner = channel.wait(CHECK_MODE_SECONDS, ({ type }) => (type === "banner" ? true : undefined));
      await channel.send("$C");
      if (!(await banner)) throw channel.silentError();
    } finally {
      channel.resetting = false;
    }
    const [first] = errors;
    if (first === undefined) return;
    const { line, text, code, meaning } = first;
    const message = `The controller would refuse ${errors.length} of the lines, line ${line}, ${text}, first: error:${code} (${meaning})`;
    const data = { line, text, code, errors, ...unsent("Idle"), stopped: true };
    throw new KerfworkError("MACHINE_ERROR", message, { data });
  }

  /** Learns what is set now and where the machine stands, and walks the program from there. */
  async #examine(listing: Listing, bounds: boolean): Promise<Checked> {
    const channel = this.#channel;
    const limits = limitsOf(channel.settings);
    const start = channel.protocol.questions ? await this.#modal(limits.inches === true) : resetModal();
    const { travel, ...rest } = limits;
    const bounded = bounds && travel !== undefined && limits.homing === true && this.#placed;
    const wire = channel.bytesPerSecond === undefined ? {} : { bytesPerSecond: channel.bytesPerSecond };
    return await examine(listing, { limits: bounded ? limits : rest, start, ...wire });
  }

  async #modal(inches: boolean): Promise<Modal> {
    const channel = this.#channel;
    const said = await channel.alive(channel.send("$G"), this.#times.poll).catch((error: KerfworkError) => {
      if (error.code !== "MACHINE_ERROR") throw error;
      return [];
    });
    const modal =
      said.map((line) => parseModal(line, inches)).find((found) => found !== undefined) ?? resetModal();
    for (let i = 0; i < OFFSET_REPORTS && channel.tracker.snapshot(true).offset === undefined; i++)
      await this.#report();
    const { position, offset } = channel.tracker.snapshot(true);
    const scale = inches ? 25.4 : 1;
    for (let axis = 0; axis < 3; axis++) {
      modal.position[axis] = (position?.[axis] ?? Number.NaN) * scale;
      modal.offset[axis] = (offset?.[axis] ?? Number.NaN) * scale;
    }
    return modal;
  }

  async #report() {
    const channel = this.#channel;
    const answer = channel.wait(REPORT_SECONDS, (event) => (event.type === "status" ? event : undefined));
    const report = await channel.alive(answer, this.#times.poll);
    if (report === undefined) throw channel.silentError();
    return report;
  }

  /**
   * Waits behind the runs that came before, then for a machine that is idle and unlocked. The next one waits until the
   * function that it gives is called.
   */
  async #turn(signal: AbortSignal): Promise<() => void> {
    const before = this.#queue;
    let leave = () => {};
    const mine = new Promise<void>((resolve) => {
      leave = resolve;
    });
    this.#queue = Promise.all([before, mine]);
    let stop = () => {};
    const stopped = new Promise<never>((_resolve, reject) => {
      stop = () => reject(canceled(signal.reason, this.#channel));
      signal.addEventListener("abort", stop, { once: true });
    });
    try {
      await Promise.race([before, stopped]);
      const unwatch = this.#channel.pulse.watch(this.#times.poll);
      const idle = this.#idle();
      try {
        await Promise.race([idle.promise, stopped]);
      } finally {
        idle.cancel();
        unwatch();
      }
      return leave;
    } catch (error) {
      leave();
      throw error;
    } finally {
      signal.removeEventListener("abort", stop);
    }
  }

  /** The moment when a run may begin. */
  #idle(): { readonly promise: Promise<void>; readonly cancel: () => void } {
    const channel = this.#channel;
    let cancel = () => {};
    const promise = new Promise<void>((resolve, reject) => {
      if (channel.ended !== undefined) return reject(channel.ended);
      cancel = channel.listen((event) => {
        if (event.type === "lost") reject(event.reason);
        if (event.type !== "status" || event.state !== "Idle" || !channel.pulse.isEmpty(event)) return;
        if (this.#current === undefined && !channel.fenced && !channel.busy) resolve();
      });
    });
    return { promise, cancel };
  }

  #throwIfStopped(signal: AbortSignal): void {
    if (signal.aborted) throw canceled(signal.reason, this.#channel);
  }
}

/** What the error of a run tells that has not sent a line of its program. */
function unsent(state = "unknown"): Record<string, unknown> {
  return { lastAcked: 0, lastSent: 0, lastExecuted: 0, state };
}

function canceled(reason: unknown, channel: Channel): KerfworkError {
  return new KerfworkError("CANCELED", "The run was canceled before it began", {
    cause: reason,
    data: { ...unsent(channel.report?.state), stopped: true },
  });
}

/** Aborts `stop` with any of the signals; the function returned ends that. */
function linkSignals(signals: readonly (AbortSignal | undefined)[], stop: AbortController): () => void {
  const undo: (() => void)[] = [];
  for (const signal of signals) {
    if (signal === undefined) continue;
    const abort = () => stop.abort(signal.reason);
    if (signal.aborted) abort();
    signal.addEventListener("abort", abort, { once: true });
    undo.push(() => signal.removeEventListener("abort", abort));
  }
  return () => {
    for (const one of undo) one();
  };
}
