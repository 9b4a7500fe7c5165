import type { Vec } from "./interpreter.ts";

/** What the planner needs to know of the machine; all by axis. */
export interface Mechanics {
  /** `$100`.. */
  readonly stepsPerMm: Vec;
  /** `$110`.., mm/min */
  readonly maxRate: Vec;
  /** `$120`.., mm/s² */
  readonly acceleration: Vec;
  /** `$11`, mm */
  readonly junctionDeviation: number;
}

/** A move as it was asked for. */
export interface Move {
  /** Machine coordinates, mm. */
  readonly target: Vec;
  /** mm/min; Infinity is as fast as the axes can. */
  readonly feed: number;
  /** The S word. */
  readonly power: number;
  /** Power follows speed, as M4 does. */
  readonly dynamic: boolean;
}

/** A move on its way. Speeds are mm/s. */
export interface Block {
  /** Where it ends, mm. */
  readonly end: Vec;
  readonly unit: Vec;
  /** Of one step of the axis that makes the most, mm. */
  readonly stepMm: number;
  readonly acceleration: number;
  /** As asked for; Infinity for rapids. */
  readonly rate: number;
  /** The most that the axes can. */
  readonly limit: number;
  readonly power: number;
  readonly dynamic: boolean;
  /** The squared speed that the corner before it allows. */
  readonly corner2: number;
  /** What has not been prepared yet, mm. */
  left: number;
  /** The squared speed at which what is left begins. */
  entry2: number;
}

/** Below this the directions of two moves are the same, or opposite. */
const STRAIGHT = 0.999999;

/**
 * The queue of moves. It looks ahead over all of them: each begins as fast as its corner allows and as the way to the last
 * one, which ends at rest, leaves room to brake. Corners follow the junction deviation: the speed at which an arc that
 * touches both moves, and leaves the corner by `$11`, asks for no more than the acceleration that the axes have.
 */
export class Planner {
  /** Moves that it holds at most. */
  readonly size: number;
  readonly #mechanics: Mechanics;
  readonly #blocks: Block[] = [];
  /** Where the last move ends, whole steps. */
  #steps: [number, number, number] = [0, 0, 0];
  #lastUnit: Vec | undefined;
  #feedShare = 1;
  #rapidShare = 1;
  /** Moves taken so far. */
  taken = 0;

  constructor(mechanics: Mechanics, size: number) {
    this.#mechanics = mechanics;
    this.size = size;
  }

  get room(): number {
    return this.size - this.#blocks.length;
  }

  get empty(): boolean {
    return this.#blocks.length === 0;
  }

  get first(): Block | undefined {
    return this.#blocks[0];
  }

  /** Adds a move; the caller has looked for room. A move of no whole step takes no block. */
  add(move: Move): void {
    const { stepsPerMm, maxRate, acceleration } = this.#mechanics;
    const steps: [number, number, number] = [0, 0, 0];
    const unit: [number, number, number] = [0, 0, 0];
    let most = 0;
    for (let axis = 0; axis < 3; axis++) {
      steps[axis] = Math.round(move.target[axis]! * stepsPerMm[axis]!);
      const count = steps[axis]! - this.#steps[axis]!;
      most = Math.max(most, Math.abs(count));
      unit[axis] = count / stepsPerMm[axis]!;
    }
    if (most === 0) return;
    const length = norm(unit);
    for (let axis = 0; axis < 3; axis++) unit[axis] = unit[axis]! / length;
    this.#blocks.push({
      end: [steps[0] / stepsPerMm[0], steps[1] / stepsPerMm[1], steps[2] / stepsPerMm[2]],
      unit,
      stepMm: length / most,
      acceleration: limited(acceleration, unit),
      rate: move.feed / 60,
      limit: limited(maxRate, unit) / 60,
      power: move.power,
      dynamic: move.dynamic,
      corner2: this.empty ? 0 : this.#corner2(unit),
      left: length,
      entry2: 0,
    });
    this.#steps = steps;
    this.#lastUnit = unit;
    this.taken++;
    this.#plan();
  }

  /** The squared speed of the corner between the last move and one in the direction of `unit`. */
  #corner2(unit: Vec): number {
    const last = this.#lastUnit!;
    const cos = -(last[0] * unit[0] + last[1] * unit[1] + last[2] * unit[2]);
    if (cos > STRAIGHT) return 0;
    if (cos < -STRAIGHT) return Infinity;
    const turn: Vec = [unit[0] - last[0], unit[1] - last[1], unit[2] - last[2]];
    // in the direction of the turn; its length goes into the limit
    const acceleration = limited(this.#mechanics.acceleration, turn) * norm(turn);
    const sinHalf = Math.sqrt((1 - cos) / 2);
    return (acceleration * this.#mechanics.junctionDeviation * sinHalf) / (1 - sinHalf);
  }

  /** How fast a move runs between its ramps. */
  nominal(block: Block): number {
    if (block.rate === Infinity) return block.limit * this.#rapidShare;
    return Math.min(block.rate * this.#feedShare, block.limit);
  }

  /** The squared speed at which the first move has to end. */
  get exit2(): number {
    return this.#blocks[1]?.entry2 ?? 0;
  }

  /** Feed and rapid overrides, 1 is 100 %. */
  override(feedShare: number, rapidShare: number): void {
    this.#feedShare = feedShare;
    this.#rapidShare = rapidShare;
    this.#plan();
  }

  /** The first move goes on from a speed that the stepper has set. */
  continueAt(speed: number): void {
    const block = this.#blocks[0];
    if (block === undefined) return;
    block.entry2 = speed * speed;
    this.#plan();
  }

  /** Drops the first move, whose last part was prepared; the next begins at that speed. */
  drop(speed: number): void {
    this.#blocks.shift();
    const block = this.#blocks[0];
    if (block !== undefined) block.entry2 = speed * speed;
  }

  /** Forgets all moves; the next begins here, mm. */
  clear(position: Vec): void {
    this.#blocks.length = 0;
    this.#lastUnit = undefined;
    const { stepsPerMm } = this.#mechanics;
    this.#steps = [0, 1, 2].map((axis) => Math.round(position[axis]! * stepsPerMm[axis]!)) as never;
  }

  #plan(): void {
    const blocks = this.#blocks;
    // backwards: no move begins faster than it can brake for what follows
    let exit2 = 0;
    for (let i = blocks.length - 1; i > 0; i--) {
      const block = blocks[i]!;
      const before = this.nominal(blocks[i - 1]!);
      const own = this.nominal(block);
      const most2 = Math.min(block.corner2, before * before, own * own);
      exit2 = Math.min(most2, exit2 + 2 * block.acceleration * block.left);
      block.entry2 = exit2;
    }
    // forwards: nor faster than what came before can reach
    for (let i = 1; i < blocks.length; i++) {
      const before = blocks[i - 1]!;
      const reached2 = before.entry2 + 2 * before.acceleration * before.left;
      if (blocks[i]!.entry2 > reached2) blocks[i]!.entry2 = reached2;
    }
  }
}

/** Without the care of Math.hypot for extremes, which costs more than all else here. */
const norm = ([x, y, z]: Vec): number => Math.sqrt(x * x + y * y + z * z);

/** How many times a vector can be taken until the first axis comes to its limit. */
function limited(limits: Vec, unit: Vec): number {
  let most = Infinity;
  for (let axis = 0; axis < 3; axis++)
    if (unit[axis] !== 0) most = Math.min(most, limits[axis]! / Math.abs(unit[axis]!));
  return most;
}
