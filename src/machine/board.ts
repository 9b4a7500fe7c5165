import type { Dialect } from "./dialect.ts";
import { LineInput, Requests } from "./input.ts";
import {
  type Modal,
  type Offsets,
  ORIGIN,
  START_MODAL,
  START_OFFSETS,
  type Vec,
  workOffset,
} from "./interpreter.ts";
import { Overrides } from "./percent.ts";
import type { Planner } from "./planner.ts";
import type { Processor } from "./processor.ts";
import type { Recorder } from "./record.ts";
import type { Settings } from "./settings.ts";
import { StatusWriter } from "./status.ts";
import type { Stepper } from "./stepper.ts";

export type State = "Idle" | "Run" | "Hold" | "Jog" | "Home" | "Alarm" | "Check" | "Door" | "Sleep";

/** Switches as a test or a person holds them. */
export interface Pins {
  /** Closed limit switches, such as `XY`. */
  limits: string;
  /** The safety door is open. */
  door: boolean;
  /** The probe touches. */
  probe: boolean;
}

/** All that the parts of the firmware share: what it is made of, and the state that it is in. */
export class Board {
  readonly cpu: Processor;
  readonly dialect: Dialect;
  readonly settings: Settings;
  readonly planner: Planner;
  readonly stepper: Stepper;
  readonly recorder: Recorder;
  readonly overrides = new Overrides();
  readonly status = new StatusWriter();
  readonly input = new LineInput();
  readonly pins: Pins = { limits: "", door: false, probe: false };
  /** Where the homing switches are, mm from where the machine was powered up. */
  readonly switches: Vec;
  state: State = "Idle";
  modal: Modal = START_MODAL;
  offsets: Offsets = START_OFFSETS;
  /** What is set now, behind the parser by what is queued. */
  outputs: { spindle: Modal["spindle"]; speed: number } = { spindle: 5, speed: 0 };
  probed: { position: Vec; touched: boolean } = { position: ORIGIN, touched: false };
  asked = new Requests();
  /** A reset was asked for: whatever runs comes to its end. */
  aborted = false;
  /** A jog slows down, and is then forgotten. */
  endingJog = false;
  /** The laser or spindle is off for as long as the machine is held. */
  outputsHeld = false;
  /** Seconds are spent on bringing spindle and coolant back after a door. */
  restoring = false;
  /** From motor to machine coordinates, mm: homing and power-up move the zero, not the motors. */
  shift: Vec = ORIGIN;

  constructor(
    cpu: Processor,
    parts: Pick<Board, "dialect" | "settings" | "planner" | "stepper" | "recorder" | "switches">,
  ) {
    this.cpu = cpu;
    this.dialect = parts.dialect;
    this.settings = parts.settings;
    this.planner = parts.planner;
    this.stepper = parts.stepper;
    this.recorder = parts.recorder;
    this.switches = parts.switches;
  }

  /** The state in the controller's words, such as `Hold:0`. */
  get stateText(): string {
    const stopping = this.stepper.motion === "stopping";
    if (this.state === "Hold") return stopping ? "Hold:1" : "Hold:0";
    if (this.state !== "Door") return this.state;
    if (this.restoring) return "Door:3";
    if (stopping) return "Door:2";
    return this.pins.door ? "Door:1" : "Door:0";
  }

  get moving(): boolean {
    return this.stepper.motion === "running" || this.stepper.motion === "stopping";
  }

  /** Machine coordinates in whole steps of the motors, mm. */
  get position(): Vec {
    return this.settings.toSteps(this.stepper.position());
  }

  /** The S word as the spindle or the laser has it; `segment` is the power of the move. */
  #power(segment: number): number {
    const { spindle, speed } = this.outputs;
    if (this.outputsHeld && !this.moving) return 0;
    if (this.settings.laser && this.moving) return segment;
    const lit = spindle === 3 || (spindle === 4 && !this.settings.laser);
    return lit ? (speed * this.overrides.spindle) / 100 : 0;
  }

  /** What the laser or the spindle is driven with just now, 0..255. */
  get pwm(): number {
    const power = this.#power(this.stepper.powerNow);
    return Math.min(255, Math.round((255 * power) / this.settings.number(30)));
  }

  report(): string {
    const { modal, stepper } = this;
    const power = this.#power(stepper.power);
    const spindle = power > 0 ? (this.outputs.spindle === 4 ? "C" : "S") : "";
    const door = this.pins.door ? "D" : "";
    return this.status.line({
      state: this.stateText,
      position: this.position,
      offset: workOffset(this.offsets, modal.system),
      blocks: this.planner.room,
      rxFree: this.cpu.uart.rxFree,
      speed: stepper.speed,
      power,
      pins: `${this.pins.limits}${this.pins.probe ? "P" : ""}${door}`,
      overrides: this.overrides.text,
      accessories: `${spindle}${modal.flood ? "F" : ""}${modal.mist ? "M" : ""}`,
      mask: this.settings.number(10),
      inches: this.settings.number(13) === 1,
    });
  }

  /** Begins with what is queued. */
  startMotion(): void {
    if (this.state !== "Idle" || this.planner.empty) return;
    this.stepper.start();
    this.state = "Run";
  }

  /** The parser stands where the machine does. */
  syncPosition(): void {
    this.modal = { ...this.modal, position: this.position };
  }
}
