import type { Program } from "../engine/gcode.ts";
import { checkNumber, invalid, KerfworkError } from "../errors.ts";
import { alarmError, Channel, REALTIME } from "./channel.ts";
import { type Clock, REAL_CLOCK } from "./clock.ts";
import { cleanLine, type StatusReport } from "./grbl.ts";
import { shakeHands } from "./handshake.ts";
import { prepareProgram } from "./listing.ts";
import { FAST_POLL, Run, type RunOptions, type RunResult, type RunTimes } from "./run.ts";
import { openSerial, type SerialOptions, type Transport } from "./transport.ts";

export interface ConnectOptions extends SerialOptions {
  /** How long the controller may take to answer at all, ms, > 0 (default 5000; boards may restart when a port opens). */
  readonly timeoutMs?: number;
  /** Bytes that may be on their way unanswered, >= 1 (default: what the controller tells, else 128). */
  readonly window?: number;
  /** Time between two questions for the status while something runs, ms, > 0 (default 200). */
  readonly pollMs?: number;
  /** Without any answer for so long the controller counts as gone, ms, > 0 (default 3000). A slow `ok` never does. */
  readonly silenceMs?: number;
  /** How long a feed hold may take before a stop resets the controller anyway, ms, > 0 (default 1000). */
  readonly holdMs?: number;
  /** Resets the controller first; one that stands in a limit alarm answers to nothing else (default false). */
  readonly reset?: boolean;
  /** Called with every line from the controller, for a console. */
  readonly onLine?: (text: string) => void;
  /** Where time comes from (default: the real one). */
  readonly clock?: Clock;
}

/** The smallest receive buffer of GRBL 1.1. */
const DEFAULT_WINDOW = 128;
/** A feed hold from full speed and a resume both take less. */
const CONTROL_SECONDS = 10;

/**
 * Connects to a GRBL controller: opens the port, finds out that somebody answers, how much may be sent, and the state.
 * Nothing that the controller said before counts. The machine is not unlocked, homed or moved; only a line that an
 * earlier host left without its end is ended, and then runs.
 *
 * @param target  the path of a serial port, or a Transport of your own
 * @throws MACHINE_SILENT nobody answers; PORT_NOT_FOUND, PORT_BUSY, PORT_DENIED, PORT_NOT_SERIAL, PORT_LOST, TIMEOUT as
 *   `openSerial`; INVALID_ARGUMENT
 * @example await using machine = await connect("/dev/ttyUSB0"); await machine.run("G21 G90\nG0 X10\n");
 */
export async function connect(target: string | Transport, options: ConnectOptions = {}): Promise<Machine> {
  const { timeoutMs = 5000, pollMs = 200, silenceMs = 3000, holdMs = 1000, clock = REAL_CLOCK } = options;
  for (const [name, value] of Object.entries({ timeoutMs, pollMs, silenceMs, holdMs }))
    checkNumber(name, value, { above: 0 });
  if (options.window !== undefined) checkNumber("window", options.window, { min: 1, integer: true });
  if (typeof target !== "string" && typeof (target as Transport | undefined)?.write !== "function")
    throw invalid("target", "the path of a serial port or a Transport", target);
  const transport = typeof target === "string" ? await openSerial(target, options) : target;
  const silence = silenceMs / 1000;
  const channel = new Channel(transport, { clock, window: DEFAULT_WINDOW, silence, onLine: options.onLine });
  try {
    if (options.reset === true && !(await channel.reset(closedError(channel.name))))
      throw channel.silentError();
    await shakeHands(channel, timeoutMs / 1000);
    if (options.window !== undefined) channel.window.size = options.window;
  } catch (error) {
    await channel.close(closedError(channel.name));
    throw error;
  }
  return new Machine(channel, { poll: pollMs / 1000, hold: holdMs / 1000 });
}

function closedError(name: string): KerfworkError {
  return new KerfworkError("INVALID_STATE", `The connection to ${name} is closed`);
}

/** A controller that is connected. Whatever is asked of it settles in bounded time, a slow `ok` of a living one excepted. */
export class Machine {
  readonly #channel: Channel;
  readonly #times: RunTimes;
  #run: Run | undefined;
  /** Set from the call of `run` on, while the state is still being asked for, until its end. */
  #claimed = false;
  #holding: Promise<void> | undefined;

  /** @internal `connect` makes one. */
  constructor(channel: Channel, times: RunTimes) {
    this.#channel = channel;
    this.#times = times;
  }

  /** The controller's state, as last reported: Idle, Run, Hold, Alarm, ...; "unknown" after a restart. */
  get state(): string {
    return this.#channel.report?.state ?? "unknown";
  }

  /** Bytes that may be on their way unanswered. */
  get window(): number {
    return this.#channel.window.size;
  }

  /** True until the connection is closed or lost. */
  get connected(): boolean {
    return this.#channel.ended === undefined;
  }

  /**
   * Sends a program and waits until the machine has done it. The program is checked whole before its first byte goes
   * out; lines are sent as the controller has room. One run at a time.
   *
   * Line numbers in errors and progress count from 1 over the lines of the program; 0 is none. After an error of a line, a
   * mismatch or an abort the machine is held and then reset, so the laser is off, and what was not done is not done later.
   *
   * @throws CANCELED with the signal's reason as cause; MACHINE_ERROR a line was refused (`data`: line, text, code);
   *   MACHINE_ALARM; MACHINE_RESET the controller restarted; MACHINE_SILENT; MACHINE_DESYNC; PORT_LOST; INVALID_STATE the
   *   machine is not idle; INVALID_ARGUMENT. `data` holds `lastAcked`, `lastSent` and `state`, and `stopped` where a stop
   *   was tried: whether the controller confirmed it
   */
  async run(program: Program | Uint8Array | string, options: RunOptions = {}): Promise<RunResult> {
    const listing = prepareProgram(program);
    const { signal, context } = options;
    const aborted = () => [signal, context?.signal].find((one) => one?.aborted);
    const canceled = (reason: unknown) =>
      new KerfworkError("CANCELED", "The run was canceled before it began", {
        cause: reason,
        data: { lastAcked: 0, lastSent: 0, state: this.state, stopped: true },
      });
    if (aborted()) throw canceled(aborted()!.reason);
    this.#check();
    if (this.#claimed || this.#channel.busy)
      throw new KerfworkError("INVALID_STATE", "The machine is busy: another run or command has not ended");
    this.#claimed = true;
    try {
      const report = await this.status();
      if (report.state === "Alarm") throw alarmError(0, "locked: home or unlock it, with $H or $X");
      if (!this.#channel.isEmpty(report))
        throw new KerfworkError("INVALID_STATE", `Expected the machine to be idle, it is in ${report.state}`);
      if (aborted()) throw canceled(aborted()!.reason);
      this.#run = new Run(this.#channel, listing, options, this.#times);
      return await this.#run.promise;
    } finally {
      this.#run = undefined;
      this.#claimed = false;
    }
  }

  /**
   * Sends one line of the controller's own language and waits for its `ok`. Works beside a run, within the same count of
   * bytes. Resolves with what the controller said before the `ok`.
   *
   * @throws MACHINE_ERROR the controller refused it; MACHINE_ALARM, MACHINE_RESET, MACHINE_SILENT, PORT_LOST,
   *   INVALID_ARGUMENT, INVALID_STATE
   */
  async command(line: string): Promise<string[]> {
    if (typeof line !== "string") throw invalid("line", "text", line);
    const text = cleanLine(line, "`line`");
    if (text === "") throw invalid("line", "a line that holds something", line);
    this.#check();
    const answer = this.#channel.send(text);
    return await this.#alive(answer);
  }

  /** Asks for the state. @throws MACHINE_SILENT, PORT_LOST, INVALID_STATE */
  async status(): Promise<StatusReport> {
    this.#checkOpen();
    const report = this.#channel.wait(CONTROL_SECONDS, (event) =>
      event.type === "status" ? event : undefined,
    );
    const found = await this.#alive(report, this.#times.poll);
    if (found === undefined) throw this.#channel.silentError();
    return found;
  }

  /**
   * Feed hold: slows down and stands, the laser off (in laser mode). Resolves once it stands.
   * @throws INVALID_STATE the state knows no hold; TIMEOUT it did not stand within 10 s; MACHINE_SILENT, PORT_LOST
   */
  hold(): Promise<void> {
    this.#holding ??= this.#hold().finally(() => {
      this.#holding = undefined;
    });
    return this.#holding;
  }

  async #hold(): Promise<void> {
    this.#check();
    this.#channel.realtime(REALTIME.hold);
    let idle = 0;
    const done = this.#channel.wait(CONTROL_SECONDS, (event) => {
      if (event.type !== "status") return undefined;
      const { state, substate } = event;
      if (/^(Alarm|Check|Sleep)$/.test(state)) return state;
      // the report can be older than the hold; a jog that it ended leaves an idle machine
      idle = state === "Idle" ? idle + 1 : 0;
      return ((state === "Hold" || state === "Door") && (substate ?? 0) === 0) || idle === 3 ? "" : undefined;
    });
    const state = await this.#alive(done, FAST_POLL);
    if (state === undefined)
      throw new KerfworkError("TIMEOUT", `The machine did not stand still within ${CONTROL_SECONDS} s`);
    if (state !== "") throw new KerfworkError("INVALID_STATE", `The machine cannot be held in ${state}`);
  }

  /**
   * Goes on after a hold, a pause of the program or a closed door; of a machine that is not held it asks nothing.
   * @throws INVALID_STATE the run is being stopped; TIMEOUT; MACHINE_SILENT, PORT_LOST
   */
  async resume(): Promise<void> {
    this.#check();
    // a resume while the machine still slows down is lost on the controller
    await this.#holding?.catch(() => {});
    this.#check();
    const done = this.#channel.wait(CONTROL_SECONDS, (event) => {
      if (event.type !== "status") return undefined;
      if (event.state !== "Hold" && event.state !== "Door") return true;
      if ((event.substate ?? 0) === 0 && this.#run?.stopping !== true)
        this.#channel.realtime(REALTIME.resume);
      return undefined;
    });
    if ((await this.#alive(done, FAST_POLL)) === undefined)
      throw new KerfworkError("TIMEOUT", `The machine did not go on within ${CONTROL_SECONDS} s`);
  }

  /**
   * Soft reset, at once: motion stops dead, and with it the position is lost if it was in motion (the state is then Alarm).
   * A run ends as CANCELED. Resolves when the controller has started again.
   * @throws MACHINE_SILENT it did not start again; PORT_LOST, INVALID_STATE
   */
  async reset(): Promise<void> {
    this.#checkOpen();
    const error = new KerfworkError("CANCELED", "The controller was reset");
    const run = this.#run;
    const restarted = this.#channel.reset(error);
    void run?.endBy(restarted, error);
    if (!(await restarted)) throw this.#channel.silentError();
    await this.status();
  }

  /** Stops a run if there is one, and closes the connection. Nothing is sent after it. */
  async close(): Promise<void> {
    const error = closedError(this.#channel.name);
    if (this.#run !== undefined) {
      this.#run.cancel(error);
      await this.#run.promise.catch(() => {});
    }
    await this.#channel.close(error);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #checkOpen(): void {
    if (this.#channel.ended !== undefined) throw this.#channel.ended;
  }

  #check(): void {
    this.#checkOpen();
    if (this.#run?.stopping)
      throw new KerfworkError(
        "INVALID_STATE",
        "The run is being stopped: the machine takes no orders until it has",
      );
    if (this.#channel.fenced)
      throw new KerfworkError("INVALID_STATE", "The controller takes nothing but a reset: call `reset()`");
  }

  /** Awaits an answer while asking for signs of life. */
  async #alive<T>(answer: Promise<T>, seconds = this.#times.poll): Promise<T> {
    let unlisten = () => {};
    const silent = new Promise<never>((_resolve, reject) => {
      unlisten = this.#channel.listen((event) => {
        if (event.type === "silent") reject(this.#channel.silentError());
      });
    });
    const unwatch = this.#channel.watch(seconds);
    try {
      return await Promise.race([answer, silent]);
    } finally {
      unwatch();
      unlisten();
      // the loser of the race may still fail, with nobody to listen
      answer.catch(() => {});
    }
  }
}
