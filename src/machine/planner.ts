import type { Vec } from "./interpreter.ts";

interface Block {
  readonly from: Vec;
  readonly to: Vec;
  readonly seconds: number;
  /** mm/min */
  readonly speed: number;
  readonly power: number;
}

/** A feed hold lets the segments that are already prepared run out before the machine slows down, s. */
const PREPARED_SECONDS = 0.045;

/**
 * The queue of moves and the stepper that runs them. A move has one speed from end to end: no ramps, so a job of many
 * short moves runs faster here than on a machine. Everything outside sees only `room`, `position`, `speed` and the time
 * until something changes, which is all that a planner with ramps would show as well.
 */
export class Planner {
  static readonly BLOCKS = 15;
  #blocks: Block[] = [];
  /** Seconds of the first block that have run. */
  #ran = 0;
  #rest: Vec = [0, 0, 0];
  #state: "still" | "running" | "stopping" | "held" = "still";
  /** Seconds until a hold is complete. */
  #stopIn = 0;

  get room(): number {
    return Planner.BLOCKS - this.#blocks.length;
  }

  get empty(): boolean {
    return this.#blocks.length === 0;
  }

  get state(): "still" | "running" | "stopping" | "held" {
    return this.#state;
  }

  /** Adds a move; the caller has looked for room. `feed` and `maxRate` are mm/min. A move of no length takes no block. */
  add(from: Vec, to: Vec, feed: number, power: number, maxRate: Vec): void {
    const delta = to.map((value, axis) => value - from[axis]!);
    const length = Math.hypot(...delta);
    if (length < 1e-6) return;
    let speed = feed;
    // an axis at its limit slows the whole move
    delta.forEach((part, axis) => {
      if (part !== 0) speed = Math.min(speed, (maxRate[axis]! * length) / Math.abs(part));
    });
    this.#blocks.push({ from, to, seconds: (length / speed) * 60, speed, power });
  }

  start(): void {
    if (this.#blocks.length > 0 && this.#state !== "stopping") this.#state = "running";
  }

  /** Slows down to a stop; `held` once it stands. */
  hold(acceleration: number): void {
    if (this.#state !== "running") {
      if (this.#state === "still") this.#state = "held";
      return;
    }
    this.#state = "stopping";
    this.#stopIn = PREPARED_SECONDS + this.#blocks[0]!.speed / 60 / acceleration;
  }

  /** Ends a hold that is complete; without blocks the machine is simply still. */
  release(): void {
    this.#state = this.#blocks.length > 0 ? "running" : "still";
  }

  /** Stops dead and forgets all moves; the machine stays where it is. */
  kill(): void {
    this.#rest = this.position();
    this.#blocks = [];
    this.#ran = 0;
    this.#state = "still";
  }

  /** Moves the resting place, as homing does. */
  place(position: Vec): void {
    this.#rest = position;
  }

  /** Seconds until a block ends or a hold is complete. */
  next(): number {
    if (this.#state === "running") return this.#blocks[0]!.seconds - this.#ran;
    if (this.#state !== "stopping") return Infinity;
    const block = this.#blocks[0];
    return block === undefined ? this.#stopIn : Math.min(this.#stopIn, (block.seconds - this.#ran) * 2);
  }

  /** Lets time pass, at most up to `next()`. */
  advance(seconds: number): void {
    if (this.#state !== "running" && this.#state !== "stopping") return;
    const stopping = this.#state === "stopping";
    // the mean speed of a ramp to zero is half of the full one
    this.#ran += stopping ? seconds / 2 : seconds;
    const block = this.#blocks[0];
    if (block !== undefined && this.#ran >= block.seconds - 1e-9) {
      this.#blocks.shift();
      this.#ran = 0;
      this.#rest = block.to;
      if (this.#blocks.length === 0 && !stopping) this.#state = "still";
    }
    if (!stopping) return;
    this.#stopIn -= seconds;
    if (this.#stopIn <= 1e-9 || this.#blocks.length === 0) this.#state = "held";
  }

  position(): Vec {
    const block = this.#blocks[0];
    if (block === undefined || this.#ran === 0) return block?.from ?? this.#rest;
    const share = Math.min(1, this.#ran / block.seconds);
    return block.from.map((value, axis) => value + (block.to[axis]! - value) * share) as unknown as Vec;
  }

  /** mm/min, now. */
  speed(): number {
    return this.#state === "running" ? this.#blocks[0]!.speed : 0;
  }

  /** The S word of the move that runs. */
  power(): number {
    return this.#state === "running" ? this.#blocks[0]!.power : 0;
  }
}
