import {
  connect,
  type Fault,
  type KerfworkError,
  type Machine,
  type RunResult,
  type Simulator,
  simulate,
  VirtualClock,
} from "kerfwork";
import { random as seeded } from "../oracle.ts";
import { HostClock, TappedTransport } from "./host.ts";
import { below, type Job, makeJob } from "./job.ts";
import { Judge } from "./judge.ts";

/** What is done to a job. */
export const KINDS = [
  "unplug",
  "controller restarts",
  "byte lost, host to controller",
  "byte flipped, host to controller",
  "byte lost, controller to host",
  "byte flipped, controller to host",
  "wire stalls",
  "controller hangs",
  "answers late",
  "lines slow",
  "limit switch",
  "host blocked",
  "canceled",
] as const;
export type Kind = (typeof KINDS)[number];

/** How a job ended. */
export interface Ending {
  readonly kind: Kind;
  /** `exact`, `undetectable` (a damaged line that the wire cannot tell), or the code of the failure. */
  readonly how: string;
  /** Lines of the job that the controller executed. */
  readonly lines: number;
  /**
   * Somebody had to step in: a byte of a line had become a feed hold or a program pause, or a coordinate had lost its point
   * and the machine was on its way out of the house.
   */
  readonly byHand: boolean;
}

/** Nobody waits longer for a job, s: a lost decimal point makes a dwell of minutes, or a move without end. */
const LONGEST_JOB = 3000;
/** By then it must have ended in any case. */
const PATIENCE = 2 * LONGEST_JOB;
const CLEAN_LINES = 12;
/** Questions that go unanswered before a controller counts as silent. */
const ASKED = 4;
const SETTINGS = { 1: 255, 110: 30_000, 111: 30_000, 120: 3000, 121: 3000 };
const FAILURES =
  /^(CANCELED|MACHINE_ERROR|MACHINE_ALARM|MACHINE_RESET|MACHINE_SILENT|MACHINE_DESYNC|PORT_LOST)$/;

/** One simulated controller, to which things happen job after job. Throws with the first thing that must not be. */
export class Station {
  readonly #random: () => number;
  readonly #clock = new VirtualClock();
  readonly #host = new HostClock(this.#clock);
  readonly #simulator: Simulator;
  // the controller starts, and tells of it, before there is a simulator to ask
  readonly #judge = new Judge(
    () => this.#simulator?.firmware.uart.waiting ?? 0,
    () => this.#simulator?.firmware.state === "Alarm",
  );
  readonly #tell: ((what: string) => void) | undefined;
  #machine: Machine | undefined;
  #jobs = 0;
  /** Called when the controller has executed so many lines of the job. */
  #strikeAt = Infinity;
  #strike = () => {};

  /** `trace` gets everything that is written and done. */
  constructor(seed: number, trace?: (what: string) => void) {
    if (trace !== undefined) this.#tell = (what) => trace(`${this.#clock.now().toFixed(4)} ${what}`);
    this.#random = seeded(seed);
    this.#simulator = simulate({
      clock: this.#clock,
      settings: SETTINGS,
      keepLog: false,
      onLog: (record) => {
        this.#tell?.(JSON.stringify(record));
        this.#judge.take(record);
        if (this.#judge.executed < this.#strikeAt) return;
        this.#strikeAt = Infinity;
        queueMicrotask(this.#strike);
      },
    });
  }

  /** One job with one fault, and a short one after it that has to be clean. */
  async run(kind: Kind, size: number): Promise<Ending> {
    const ending = await this.#disturbed(kind, size);
    await this.#recover();
    const clean = makeJob(this.#random, this.#jobs++, CLEAN_LINES);
    const result = await this.#job(clean);
    if (!("acknowledged" in result)) throw this.#wrong("the job after it failed", result);
    this.#checkExact(clean);
    return ending;
  }

  async close(): Promise<void> {
    await this.#clock.run(this.#machine?.close() ?? Promise.resolve());
    await this.#simulator.close();
    this.#check();
    if (this.#clock.pending > 0) throw this.#wrong(`${this.#clock.pending} timers are left`);
  }

  async #disturbed(kind: Kind, size: number): Promise<Ending> {
    this.#machine ??= await this.#connect(false);
    const job = makeJob(this.#random, this.#jobs++, size);
    const stop = new AbortController();
    this.#strikeAt = below(this.#random, size);
    const delay = this.#random() * 0.02;
    const act = this.#deed(kind, stop);
    this.#strike = () => void this.#clock.after(delay, act);
    let byHand = false;
    const leave = this.#operator(stop, () => {
      byHand = true;
    });
    const result = await this.#job(job, stop.signal);
    leave();
    this.#strikeAt = Infinity;
    const judge = this.#judge;
    let how = "exact";
    if (!("acknowledged" in result)) {
      this.#checkFailure(result, job);
      how = result.code;
    } else {
      judge.settle();
      if (judge.damaged > 0) how = "undetectable";
      if (judge.damaged > 0) this.#checkPlace(job);
      else this.#checkExact(job);
    }
    // only a line that was changed on its way makes a machine wait, or go on for ever
    if (byHand && !kind.endsWith("host to controller"))
      throw this.#wrong("somebody had to step in", undefined);
    const { executed: lines } = judge;
    return { kind, how, lines, byHand };
  }

  /** Runs a job; nothing may be open when it has ended. */
  async #job(job: Job, signal?: AbortSignal): Promise<RunResult | KerfworkError> {
    this.#judge.begin(job.lines);
    const options = signal === undefined ? {} : { signal };
    const run = this.#machine!.run(`${job.lines.join("\n")}\n`, options);
    const open = new Promise<never>((_resolve, reject) => {
      const cancel = this.#clock.after(PATIENCE, () => reject(this.#wrong("the job did not end")));
      run.finally(cancel).catch(() => {});
    });
    const failed = (error: KerfworkError) => {
      if (!FAILURES.test(error.code ?? "")) throw error;
      return error;
    };
    const result = await this.#clock.run(Promise.race([run.catch(failed), open]));
    this.#check();
    return result;
  }

  #deed(kind: Kind, stop: AbortController): () => void {
    const random = this.#random;
    const strike = (fault: Fault) => () => this.#simulator.strike(fault);
    const damage = (direction: "toController" | "toHost", flip: number) =>
      strike({ kind: "damage", direction, after: below(random, direction === "toHost" ? 60 : 120), flip });
    const bit = 1 << below(random, 8);
    // some for good, until somebody mends it
    const seconds = random() < 0.2 ? Infinity : 0.01 + random() * 3;
    switch (kind) {
      case "unplug":
        return strike({ kind: "unplug", seconds: 0.01 + random() * 2 });
      case "controller restarts":
        return strike({ kind: "restart", bootSeconds: [0, 0.7, 1.5][below(random, 3)]! });
      case "byte lost, host to controller":
        return damage("toController", 0);
      case "byte flipped, host to controller":
        return damage("toController", bit);
      case "byte lost, controller to host":
        return damage("toHost", 0);
      case "byte flipped, controller to host":
        return damage("toHost", bit);
      case "wire stalls":
        return () => this.#simulator.firmware.stall(seconds);
      case "controller hangs":
        if (seconds === Infinity) return () => this.#simulator.freeze();
        return strike({ kind: "freeze", seconds });
      case "answers late":
        return strike({ kind: "late", seconds: [0.001, 0.004, 0.016, 0.1][below(random, 4)]! });
      case "lines slow":
        return strike({ kind: "slow", lineSeconds: random() * 0.01 });
      case "limit switch":
        return strike({ kind: "trip" });
      case "host blocked":
        return () => this.#host.block(0.05 + random() * 0.95);
      case "canceled":
        return () => stop.abort("enough");
    }
  }

  /** A person who lets a machine go on that stands in a hold nobody asked for, and stops one that is on its way for ever. */
  #operator(stop: AbortController, pressed: () => void): () => void {
    let over = false;
    let seen = "";
    const end = this.#clock.now() + LONGEST_JOB;
    const look = () => {
      if (over) return;
      const state = this.#simulator.state;
      if (/^(Hold|Door):0$/.test(state) && seen === state && this.#machine?.connected) {
        pressed();
        this.#machine.resume().catch(() => {});
      }
      seen = state;
      if (this.#clock.now() > end) {
        pressed();
        stop.abort("on its way for ever");
        return;
      }
      this.#clock.after(1, look);
    };
    look();
    return () => {
      over = true;
    };
  }

  /** Makes the machine ready for the next job, as a person would. */
  async #recover(): Promise<void> {
    const simulator = this.#simulator;
    await this.#clock.advance(this.#random() < 0.5 ? 0 : this.#random() * 2);
    if (!this.#machine!.connected) {
      await this.#clock.advance(3);
      // what it had it may finish
      await this.#clock.run(this.#machine!.close());
      this.#machine = await this.#connect(true);
    }
    simulator.freeze(false);
    simulator.strike({ kind: "stall", seconds: 0 });
    // longer than the longest fault
    await this.#clock.advance(4);
    simulator.firmware.uart.heal();
    simulator.strike({ kind: "late", seconds: 0 });
    simulator.strike({ kind: "slow", lineSeconds: 0 });
    await this.#clock.advance(1);
    if (!/^Idle$/.test(simulator.state)) await this.#clock.run(this.#machine!.reset());
    else {
      const ready = await this.#clock.run(
        this.#machine!.command("$G").then(
          () => true,
          () => false,
        ),
      );
      if (!ready) await this.#clock.run(this.#machine!.reset());
    }
    if (simulator.state === "Alarm") await this.#clock.run(this.#machine!.unlock());
    this.#check();
    if (this.#judge.sent > 0) this.#judge.begin([]);
  }

  async #connect(reset: boolean): Promise<Machine> {
    const { firmware } = this.#simulator;
    const transport = new TappedTransport(this.#simulator.open(), this.#host, {
      wrote: (bytes) => {
        // what is counted as written must not be older than what the controller has done
        firmware.advance(this.#clock.now() + 1e-9);
        this.#tell?.(`> ${JSON.stringify(Buffer.from(bytes).toString("latin1"))}`);
        this.#judge.wrote(bytes);
      },
      started: () => this.#judge.toldRestart(),
    });
    return await this.#clock.run(connect(transport, { clock: this.#host, reset }));
  }

  #check(): void {
    const { faults, overflow } = this.#judge;
    if (overflow > 0) throw this.#wrong(`${overflow} bytes found no room`);
    if (faults.length > 0) throw this.#wrong(faults.join("; "));
  }

  #checkExact(job: Job): void {
    const { sent, executed, refused, damaged, overrun, vanished } = this.#judge;
    if (vanished > 0) throw this.#wrong(`done, but ${vanished} lines were thrown away`);
    const size = job.lines.length;
    if (sent !== size || executed !== size || refused > 0 || damaged > 0)
      throw this.#wrong(`of ${size} lines ${sent} were sent, ${executed} executed, ${refused} refused`);
    this.#checkPlace(job);
    // of a controller that hung no more than questions can have gone by
    if (overrun > ASKED) throw this.#wrong(`${overrun} bytes came while nobody listened`);
    if (!/^(Idle|Hold:0)$/.test(this.#simulator.state))
      throw this.#wrong(`done in state ${this.#simulator.state}`);
  }

  #checkPlace({ end }: Job): void {
    const { position } = this.#simulator;
    if (end.some((mm, axis) => Math.abs(mm - position[axis]!) > 0.01))
      throw this.#wrong(`stands at ${position}, the job ends at ${end}`);
  }

  /** What a failure says must be so. */
  #checkFailure(error: KerfworkError, job: Job): void {
    const { sent, executed } = this.#judge;
    const { lastAcked, lastSent, lastExecuted } = error.data as { [name: string]: number };
    const fits =
      lastSent === sent && lastAcked <= executed && lastExecuted <= lastAcked && executed <= lastSent;
    if (!fits)
      throw this.#wrong(
        `told ${lastAcked}, ${lastSent}, was ${executed}, ${sent} of ${job.lines.length}`,
        error,
      );
  }

  #wrong(what: string, error?: KerfworkError): Error {
    const tail =
      error === undefined ? "" : ` (${error.code}: ${error.message}, ${JSON.stringify(error.data)})`;
    return new Error(`job ${this.#jobs - 1} at ${this.#clock.now().toFixed(3)} s: ${what}${tail}`);
  }
}
