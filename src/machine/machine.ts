import type { Program } from "../engine/gcode.ts";
import { invalid, KerfworkError } from "../errors.ts";
import type { Signal } from "../tasker/signal.ts";
import { WatchedSignal } from "./changed.ts";
import { type Channel, REALTIME } from "./channel.ts";
import type { ProgramCheck } from "./check.ts";
import { within } from "./clock.ts";
import { cleanLine } from "./grbl.ts";
import { takeOver } from "./handshake.ts";
import { Jogger, type JogMove } from "./jog.ts";
import { Launch, type RunOptions } from "./launch.ts";
import {
  type Limits,
  limitsOf,
  numericSettings,
  refuseStore,
  type SettingValues,
  settingLine,
} from "./limits.ts";
import { Overrider, type Overrides } from "./override.ts";
import type { RunResult } from "./progress.ts";
import type { ProtocolName } from "./protocol.ts";
import { FAST_POLL, type RunTimes, stopMachine } from "./run.ts";
import type { MachineState } from "./state.ts";

/** A feed hold from full speed and a resume both take less. */
const CONTROL_SECONDS = 10;
/** The beam of a machine that is let go is switched off, if that can be had so soon. */
const DARK_SECONDS = 0.3;
const HOME_SECONDS = 600;

/** A controller that is connected. Whatever is asked of it settles in bounded time, a slow `ok` of a living one excepted. */
export class Machine {
  /**
   * Emitted after each report and whenever what is known changes; while somebody listens the machine is asked even when
   * nothing runs.
   */
  readonly changed: Signal<MachineState>;
  readonly #channel: Channel;
  readonly #times: RunTimes;
  readonly #launch: Launch;
  readonly #jogger: Jogger;
  readonly #overrider: Overrider;
  #holding: Promise<void> | undefined;
  #canceling: Promise<void> | undefined;

  /** @internal `connect` makes one. */
  constructor(channel: Channel, times: RunTimes) {
    this.#channel = channel;
    this.#times = times;
    this.#launch = new Launch(channel, times, () => this.#ready());
    this.#jogger = new Jogger(channel);
    this.#overrider = new Overrider(channel);
    const changed = new WatchedSignal<MachineState>(() => channel.pulse.watch(times.poll));
    this.changed = changed;
    let told = false;
    channel.listen(({ type }) => {
      if (changed.idle || told || !/^(status|alarm|banner|lost)$/.test(type)) return;
      told = true;
      channel.callbacks.add(() => {
        told = false;
        let fault: { readonly error: unknown } | undefined;
        changed.emit(this.snapshot, (error) => {
          fault ??= { error };
        });
        if (fault !== undefined) throw fault.error;
      });
    });
  }

  /** The controller's state, as last reported: Idle, Run, Hold, Alarm, ...; "unknown" after a restart. */
  get state(): string {
    return this.#channel.report?.state ?? "unknown";
  }

  /** All that is known now, without asking. */
  get snapshot(): MachineState {
    return this.#channel.tracker.snapshot(this.connected);
  }

  /** Whose language it speaks: GRBL, grblHAL, FluidNC, Marlin or Smoothieware. */
  get dialect(): ProtocolName {
    return this.#channel.protocol.name;
  }

  /** Bytes that may be on their way unanswered. */
  get window(): number {
    return this.#channel.window.size;
  }

  /** True until the connection is closed or lost. */
  get connected(): boolean {
    return this.#channel.ended === undefined;
  }

  /** What its settings, as last read, say of laser, travel and rates. */
  get limits(): Limits {
    return limitsOf(this.#channel.settings);
  }

  /**
   * Sends a program and waits until the machine has done it. The program is checked whole before its first byte goes
   * out (`checkProgram`); lines are sent as the controller has room. One run at a time, unless `wait` is set.
   *
   * Line numbers in errors and progress count from 1 over the lines of the program; 0 is none. After an error of a line, a
   * mismatch or an abort the machine is held and then reset, so the laser is off, and what was not done is not done later.
   * Nothing goes on by itself afterwards: `resumeFrom` prepares what a person may start.
   *
   * @throws CANCELED with the signal's reason as cause; MACHINE_ERROR a line was refused (`data`: line, text, code);
   *   MACHINE_ALARM; MACHINE_RESET the controller restarted; MACHINE_SILENT; MACHINE_DESYNC answers or the final place do
   *   not fit the program; PORT_LOST; INVALID_STATE the machine is not idle; INVALID_ARGUMENT. `data` holds `lastAcked`,
   *   `lastSent`, `lastExecuted` and `state`, and `stopped` where a stop was tried: whether the controller confirmed it
   */
  run(program: Program | Uint8Array | string, options: RunOptions = {}): Promise<RunResult> {
    return this.#launch.run(program, options);
  }

  /** Checks a program against what is known of this machine, as `run` does. @throws as `run`; sends questions only */
  check(program: Program | Uint8Array | string): Promise<ProgramCheck> {
    return this.#launch.check(program);
  }

  /**
   * Sends one line of the controller's own language and waits for its `ok`. Works beside a run, within the same count of
   * bytes. Resolves with what the controller said before the `ok`.
   *
   * @throws MACHINE_ERROR the controller refused it; MACHINE_ALARM, MACHINE_RESET, MACHINE_SILENT, MACHINE_DESYNC, PORT_LOST,
   *   INVALID_ARGUMENT, INVALID_STATE
   */
  async command(line: string): Promise<string[]> {
    if (typeof line !== "string") throw invalid("line", "text", line);
    const text = cleanLine(line, "`line`");
    if (text === "") throw invalid("line", "a line that holds something", line);
    await this.#ready();
    const said = await this.#alive(this.#channel.send(text));
    this.#launch.sent(text);
    return said;
  }

  /** Asks for the state. @throws MACHINE_SILENT, PORT_LOST, INVALID_STATE */
  async status(): Promise<MachineState> {
    this.#checkOpen();
    const report = this.#channel.wait(CONTROL_SECONDS, (event) =>
      event.type === "status" ? event : undefined,
    );
    if ((await this.#alive(report)) === undefined) throw this.#channel.silentError();
    return this.snapshot;
  }

  /** Reads the settings, by number. Those of an idle machine only. @throws as `command` */
  async settings(): Promise<SettingValues> {
    const values = numericSettings(await this.command("$$"));
    this.#channel.settings = values;
    return values;
  }

  /**
   * Stores a setting. The write travels alone, with nothing sent before its `ok`: the controller loses what arrives while
   * it writes.
   * @throws INVALID_STATE the machine is not idle; INVALID_ARGUMENT; as `command`
   */
  async setSetting(number: number, value: number): Promise<void> {
    const line = settingLine(number, value);
    const { state } = await this.status();
    if (this.#launch.busy || !/^(Idle|Alarm)$/.test(state)) throw refuseStore(line, state);
    await this.command(line);
    const known = this.#channel.settings;
    if (known !== undefined) this.#channel.settings = new Map([...known, [number, value]]);
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
    this.#checkControl();
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
    this.#checkControl();
    // a resume while the machine still slows down is lost on the controller
    await this.#holding?.catch(() => {});
    this.#checkControl();
    const done = this.#channel.wait(CONTROL_SECONDS, (event) => {
      if (event.type !== "status") return undefined;
      if (event.state !== "Hold" && event.state !== "Door") return true;
      if ((event.substate ?? 0) === 0 && !this.#launch.stopping) this.#channel.realtime(REALTIME.resume);
      return undefined;
    });
    if ((await this.#alive(done, FAST_POLL)) === undefined)
      throw new KerfworkError("TIMEOUT", `The machine did not go on within ${CONTROL_SECONDS} s`);
  }

  /**
   * Stops whatever it does, in order: feed hold, and once it stands soft reset. The laser is off, nothing that was queued is
   * done later, and the position is kept where the machine stood in time (`holdMs`). A run ends as CANCELED.
   * @throws MACHINE_SILENT it did not confirm; PORT_LOST, INVALID_STATE
   */
  cancel(reason?: unknown): Promise<void> {
    this.#canceling ??= this.#cancel(reason).finally(() => {
      this.#canceling = undefined;
    });
    return this.#canceling;
  }

  async #cancel(reason: unknown): Promise<void> {
    this.#checkOpen();
    if (await this.#launch.cancel(reason)) {
      this.#checkOpen();
      return;
    }
    const error = new KerfworkError("CANCELED", "The machine was stopped", { cause: reason });
    if (!(await stopMachine(this.#channel, this.#times.hold(), () => error)))
      throw this.#channel.silentError();
    await this.status();
  }

  /**
   * Soft reset, at once: motion stops dead, and with it the position is lost if it was in motion (the state is then Alarm).
   * A run ends as CANCELED. Resolves when the controller has started again.
   * @throws MACHINE_SILENT it did not start again; PORT_LOST, INVALID_STATE
   */
  async reset(): Promise<void> {
    this.#checkOpen();
    const error = new KerfworkError("CANCELED", "The controller was reset");
    const restarted = this.#channel.reset(error);
    this.#launch.endBy(restarted, error);
    if (!(await restarted)) throw this.#channel.silentError();
    await this.status();
  }

  /** Takes the lock of an alarm away, without homing: the machine then does not know where it is. @throws as `command` */
  async unlock(): Promise<void> {
    await this.command(this.#channel.protocol.unlock);
    await this.status();
  }

  /** Homes; takes as long as it takes. @throws MACHINE_ALARM it failed; TIMEOUT after 10 min; as `command` */
  async home(): Promise<void> {
    const homed = this.command(this.#channel.protocol.home).then(() => true);
    if ((await within(this.#channel.clock, HOME_SECONDS, homed)) === undefined)
      throw new KerfworkError("TIMEOUT", `Homing took longer than ${HOME_SECONDS} s`);
    await this.status();
  }

  /**
   * Moves by hand. Jogs that come faster than the machine moves do not pile up: one waits, and a later one takes its place.
   *
   * @returns true when the controller has taken it; false when a later jog or `cancelJog` took its place
   * @throws INVALID_STATE a run is on; MACHINE_ERROR it would leave the travel; as `command`
   * @example await machine.jog({ x: 10, feed: 3000 })
   */
  async jog(move: JogMove): Promise<boolean> {
    await this.#ready();
    if (this.#launch.busy)
      throw new KerfworkError("INVALID_STATE", "A run is on: the machine cannot be moved by hand");
    if (!this.#channel.protocol.questions)
      throw new KerfworkError("INVALID_STATE", `${this.dialect} knows no jog that can be ended`);
    return this.#alive(this.#jogger.jog(move, this.snapshot.position));
  }

  /** Ends jogging at once; resolves when the machine stands and all of it is answered. @throws TIMEOUT; MACHINE_SILENT, PORT_LOST */
  async cancelJog(): Promise<void> {
    this.#checkControl();
    this.#jogger.cancel();
    const done = this.#channel.wait(CONTROL_SECONDS, (event) => {
      if (event.type !== "status") return undefined;
      if (event.state !== "Jog") return this.#channel.busy ? undefined : true;
      // one that was on its way began after the first
      this.#channel.realtime(REALTIME.cancelJog);
      return undefined;
    });
    if ((await this.#alive(done, FAST_POLL)) === undefined)
      throw new KerfworkError("TIMEOUT", `The jog did not end within ${CONTROL_SECONDS} s`);
  }

  /**
   * Sets what the machine makes of a program's speeds and power; resolves when its reports show it.
   * @throws TIMEOUT they never did; MACHINE_SILENT, PORT_LOST, INVALID_ARGUMENT
   * @example await machine.override({ feed: 150, spindle: 80 })
   */
  async override(wanted: Overrides): Promise<void> {
    this.#checkControl();
    await this.#alive(this.#overrider.set(wanted), FAST_POLL);
  }

  /** Changes feed and power overrides by so many %; calls that come close add up. @throws as `override` */
  async overrideBy(change: { readonly feed?: number; readonly spindle?: number }): Promise<void> {
    this.#checkControl();
    await this.#alive(this.#overrider.add(change), FAST_POLL);
  }

  /** Stops a run if there is one, switches a beam off that is known to be on, and closes the connection. Nothing is sent after it. */
  async close(): Promise<void> {
    const error = closedError(this.#channel.name);
    if (this.connected) {
      await this.#launch.cancel(error).catch(() => {});
      const lit = /[SC]/.test(this.snapshot.accessories) || (this.snapshot.spindle ?? 0) > 0;
      if (lit && this.connected && !this.#channel.fenced)
        await within(this.#channel.clock, DARK_SECONDS, this.#channel.send("M5")).catch(() => {});
    }
    await this.#channel.close(error);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #checkOpen(): void {
    if (this.#channel.ended !== undefined) throw this.#channel.ended;
  }

  /** What acts at once works also while an earlier host's lines are on. */
  #checkControl(): void {
    this.#checkOpen();
    if (!this.#channel.protocol.realtime)
      throw new KerfworkError("INVALID_STATE", `${this.dialect} cannot be held or overridden: only canceled`);
    if (this.#launch.stopping)
      throw new KerfworkError(
        "INVALID_STATE",
        "The run is being stopped: the machine takes no orders until it has",
      );
    if (this.#channel.fenced && !this.#channel.strange)
      throw new KerfworkError("INVALID_STATE", "The controller takes nothing but a reset: call `reset()`");
  }

  /** Lines may be sent. */
  async #ready(): Promise<void> {
    this.#checkOpen();
    if (this.#launch.stopping)
      throw new KerfworkError(
        "INVALID_STATE",
        "The run is being stopped: the machine takes no orders until it has",
      );
    if (this.#channel.strange) await takeOver(this.#channel, CONTROL_SECONDS);
    if (this.#channel.fenced)
      throw new KerfworkError("INVALID_STATE", "The controller takes nothing but a reset: call `reset()`");
  }

  /** Awaits an answer while asking for signs of life. */
  #alive<T>(answer: Promise<T>, seconds = this.#times.poll): Promise<T> {
    return this.#channel.alive(answer, seconds);
  }
}

export function closedError(name: string): KerfworkError {
  return new KerfworkError("INVALID_STATE", `The connection to ${name} is closed`);
}
