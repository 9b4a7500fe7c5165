import type { Vec } from "./interpreter.ts";
import type { Block, Planner } from "./planner.ts";
import type { Moving } from "./processor.ts";

/** The speed changes so often, s. */
const SEGMENT_SECONDS = 0.01;
/** Segments that are ready at a time, the one that runs counted. */
const SEGMENTS = 5;
/** A segment makes at least so many steps of the leading axis. */
const SEGMENT_STEPS = 1.25;
/** From the start of a motion to its first step: recorded moves take so much longer than the ideal ramp, s. */
const START_SECONDS = 0.0012;
const NOTHING = 1e-9;

interface Segment {
  readonly seconds: number;
  readonly end: Vec;
  /** The S word as the laser has it. */
  readonly power: number;
}

export type Motion = "still" | "running" | "stopping" | "held";

/**
 * Runs what the planner holds, in segments of constant speed that the main loop prepares a few ahead. So what is decided
 * now, a hold or an override, shows when the segments that were ready have run; and a main loop that is kept from
 * preparing lets the machine run dry.
 */
export class Stepper implements Moving {
  /** Is told whenever the machine comes to a stop: at the end of the queue, or for a hold. */
  onStop: (kind: "end" | "hold", seconds: number) => void = () => {};
  readonly #planner: Planner;
  #segments: Segment[] = [];
  /** Seconds of the first segment that have run. */
  #ran = 0;
  /** Where the first segment begins. */
  #at: Vec = [0, 0, 0];
  #motion: Motion = "still";
  /** What the next segment takes longer. */
  #late = 0;
  /** A hold has been prepared down to rest. */
  #braked = false;
  /** Of the last segment that was prepared: its speed at the end, mm/s, and its power. */
  #speed = 0;
  #power = 0;
  /** 1 is 100 %. */
  powerShare = 1;

  constructor(planner: Planner) {
    this.#planner = planner;
  }

  get motion(): Motion {
    return this.#motion;
  }

  /** mm/min, at the end of the last segment that was prepared. */
  get speed(): number {
    return this.#speed * 60;
  }

  /** The power of the last segment that was prepared. */
  get power(): number {
    return this.#power;
  }

  /** The power of the segment that runs. */
  get powerNow(): number {
    return this.#segments[0]?.power ?? 0;
  }

  position(): Vec {
    const segment = this.#segments[0];
    if (segment === undefined || this.#ran === 0) return this.#at;
    const share = Math.min(1, this.#ran / segment.seconds);
    const [x, y, z] = this.#at;
    const { end } = segment;
    return [x + (end[0] - x) * share, y + (end[1] - y) * share, z + (end[2] - z) * share];
  }

  start(): void {
    if (this.#motion === "stopping" || this.#planner.empty) return;
    if (this.#motion === "still") this.#late = START_SECONDS;
    this.#motion = "running";
    this.prepare();
  }

  /** Slows down to a stop; `held` once it stands. */
  hold(): void {
    if (this.#motion === "running") {
      this.#motion = "stopping";
      this.#braked = false;
    } else if (this.#motion === "still") this.#motion = "held";
  }

  /** Ends a hold that is complete; without moves the machine is simply still. */
  release(): void {
    this.#motion = "still";
    this.start();
  }

  /** Stops dead and forgets all moves; the machine stays where it is. */
  kill(): void {
    this.place(this.position());
    this.#motion = "still";
  }

  /** Forgets all moves; the machine is, or is called, there. */
  place(position: Vec): void {
    this.#at = position;
    this.#segments = [];
    this.#ran = 0;
    this.#rest();
    this.#planner.clear(position);
  }

  #rest(): void {
    this.#speed = 0;
    this.#power = 0;
  }

  next(): number {
    const segment = this.#segments[0];
    return segment === undefined ? Infinity : segment.seconds - this.#ran;
  }

  advance(seconds: number, now: number): void {
    const segment = this.#segments[0];
    if (segment === undefined) return;
    this.#ran += seconds;
    if (this.#ran < segment.seconds - NOTHING) return;
    this.#at = segment.end;
    this.#segments.shift();
    this.#ran = 0;
    if (this.#segments.length > 0) return;
    const stopping = this.#motion === "stopping";
    this.#motion = stopping ? "held" : "still";
    // with moves left the main loop was too late, and the machine stands in between
    this.#planner.continueAt(0);
    this.#rest();
    this.onStop(stopping ? "hold" : "end", now);
  }

  /** Makes segments ready as far as there is room; the main loop calls it whenever it looks around. */
  prepare(): void {
    if (this.#motion !== "running" && this.#motion !== "stopping") return;
    while (this.#segments.length < SEGMENTS) {
      const block = this.#planner.first;
      if (block === undefined || (this.#motion === "stopping" && this.#braked)) break;
      if (this.#motion === "stopping") this.#brake(block);
      else this.#run(block);
    }
    if (this.#segments.length > 0 || this.#motion !== "stopping") return;
    this.#motion = "held";
    this.#rest();
  }

  #run(block: Block): void {
    const speed = Math.sqrt(block.entry2);
    const least = SEGMENT_STEPS * block.stepMm;
    const nominal = this.#planner.nominal(block);
    let part = along(block, speed, nominal, this.#planner.exit2, SEGMENT_SECONDS);
    for (
      let seconds = 2 * SEGMENT_SECONDS;
      part.mm < least && part.mm < block.left;
      seconds += SEGMENT_SECONDS
    )
      part = along(block, speed, nominal, this.#planner.exit2, seconds);
    this.#push(block, part.mm, part.seconds, part.speed);
  }

  #brake(block: Block): void {
    const speed = Math.sqrt(block.entry2);
    const rest = speed / block.acceleration;
    if (rest < NOTHING) {
      this.#braked = true;
      return;
    }
    let seconds = Math.min(SEGMENT_SECONDS, rest);
    let slower = seconds === rest ? 0 : speed - block.acceleration * seconds;
    let mm = ((speed + slower) / 2) * seconds;
    if (mm > block.left) {
      slower = Math.sqrt(Math.max(0, block.entry2 - 2 * block.acceleration * block.left));
      mm = block.left;
      seconds = mm / ((speed + slower) / 2);
    }
    this.#braked = slower === 0;
    this.#push(block, mm, seconds, slower);
  }

  #push(block: Block, mm: number, seconds: number, speed: number): void {
    block.left -= mm;
    block.entry2 = speed * speed;
    const done = block.left < NOTHING;
    const { end, unit, left } = block;
    const at: Vec = done ? end : [end[0] - unit[0] * left, end[1] - unit[1] * left, end[2] - unit[2] * left];
    const share = block.dynamic && block.rate !== Infinity ? speed / block.rate : 1;
    const power = block.power * this.powerShare * share;
    this.#segments.push({ seconds: seconds + this.#late, end: at, power });
    this.#late = 0;
    this.#speed = speed;
    this.#power = power;
    if (done) this.#planner.drop(speed);
  }
}

/**
 * How far a move comes in `seconds`, and how fast it is then: up to `nominal` and down to its exit, both with its
 * acceleration; less than `seconds` when it ends before.
 */
function along(
  { acceleration, left }: Block,
  from: number,
  nominal: number,
  exit2: number,
  seconds: number,
): { readonly mm: number; readonly seconds: number; readonly speed: number } {
  const a = acceleration;
  const from2 = from * from;
  // what cannot be braked for any more is passed as slow as can be; what cannot be reached, as fast
  const end2 = Math.min(Math.max(exit2, from2 - 2 * a * left), from2 + 2 * a * left);
  const end = Math.sqrt(Math.max(0, end2));
  let peak = Math.min(nominal, Math.sqrt(Math.max(0, (2 * a * left + from2 + end2) / 2)));
  // an override can ask for less than the speed that it has: it brakes first
  const first = Math.min(from > peak ? left : Infinity, Math.abs(peak * peak - from2) / (2 * a));
  if (peak < end) peak = end;
  const firstSeconds = Math.abs(peak - from) / a;
  const last = (peak * peak - end2) / (2 * a);
  const cruise = Math.max(0, left - first - last);
  const cruiseSeconds = peak > 0 ? cruise / peak : 0;
  const lastSeconds = (peak - end) / a;
  let t = seconds;
  if (t < firstSeconds) {
    const speed = from + Math.sign(peak - from) * a * t;
    return { mm: Math.min(left, ((from + speed) / 2) * t), seconds, speed };
  }
  t -= firstSeconds;
  if (t < cruiseSeconds) return { mm: Math.min(left, first + peak * t), seconds, speed: peak };
  t -= cruiseSeconds;
  if (t < lastSeconds - NOTHING) {
    const speed = peak - a * t;
    return { mm: Math.min(left, first + cruise + ((peak + speed) / 2) * t), seconds, speed };
  }
  return { mm: left, seconds: firstSeconds + cruiseSeconds + lastSeconds, speed: end };
}
