// A planner as the controller has it: a queue of blocks that is filled up and planned anew before each block runs.
import type { Ops } from "kerfwork";
import { turnOf } from "./moves.ts";

export interface Machine {
  readonly maxRate: readonly number[];
  readonly acceleration: readonly number[];
  readonly junctionDeviation: number;
  readonly arcTolerance: number;
  readonly stepsPerMm: readonly number[];
  readonly plannerBlocks: number;
}

interface Block {
  readonly op: number;
  readonly unit: number[];
  readonly length: number;
  readonly acceleration: number;
  readonly nominal: number;
  /** The most at its start, mm/s, but for what the blocks around it allow. */
  readonly corner: number;
}

/** What a direction may have when no axis may have more than its own. */
const limit = (unit: number[], most: readonly number[]): number =>
  Math.min(...unit.map((part, axis) => (part === 0 ? Infinity : most[axis]! / Math.abs(part))));

/** Ends of the lines that a controller makes of a move. */
function chordsOf(ops: Ops, op: number, from: number[], to: number[], tolerance: number): number[][] {
  // a travel moves its height alone, and first
  if (ops.kinds[op] === 0) return [[from[0]!, from[1]!, to[2]!], to];
  if (ops.kinds[op] === 1) return [to];
  const [cx, cy] = [ops.centers[2 * op]!, ops.centers[2 * op + 1]!];
  const radius = Math.hypot(from[0]! - cx, from[1]! - cy);
  const turn = turnOf(ops, op);
  const count = Math.max(
    1,
    Math.floor(Math.abs(turn * radius * 0.5) / Math.sqrt(tolerance * (2 * radius - tolerance))),
  );
  const start = Math.atan2(from[1]! - cy, from[0]! - cx);
  return Array.from({ length: count }, (_, i) => {
    if (i === count - 1) return to;
    const t = (i + 1) / count;
    const height = from[2]! + (to[2]! - from[2]!) * t;
    return [cx + radius * Math.cos(start + turn * t), cy + radius * Math.sin(start + turn * t), height];
  });
}

function blocksOf(ops: Ops, machine: Machine): Block[] {
  const toStep = (point: number[]): number[] =>
    point.map((value, axis) => {
      const steps = machine.stepsPerMm[axis]!;
      return steps > 0 ? Math.round(value * steps) / steps : value;
    });
  const blocks: Block[] = [];
  let place = [0, 0, 0];
  let motors = [0, 0, 0];
  for (let op = 0; op < ops.kinds.length; op++) {
    const target = [ops.xy[2 * op]!, ops.xy[2 * op + 1]!, ops.z?.[op] ?? 0];
    for (const end of chordsOf(ops, op, place, target, machine.arcTolerance)) {
      const delta = toStep(end).map((value, axis) => value - motors[axis]!);
      const length = Math.hypot(...delta);
      if (length < 1e-9) continue;
      motors = toStep(end);
      const unit = delta.map((value) => value / length);
      const feed = ops.kinds[op] === 0 ? Infinity : ops.speed[op]! / 60;
      const rates = machine.maxRate.map((rate) => rate / 60);
      const nominal = Math.min(feed, limit(unit, rates));
      const acceleration = limit(unit, machine.acceleration);
      const last = blocks.at(-1);
      const corner =
        last === undefined ? 0 : Math.min(nominal, last.nominal, cornerSpeed(last.unit, unit, machine));
      blocks.push({ op, unit, length, acceleration, nominal, corner });
    }
    place = target;
  }
  return blocks;
}

function cornerSpeed(before: number[], after: number[], machine: Machine): number {
  const cos = -before.reduce((sum, part, axis) => sum + part * after[axis]!, 0);
  if (cos > 0.999999) return 0;
  if (cos < -0.999999) return Infinity;
  const half = Math.sin(Math.acos(cos) / 2);
  const change = after.map((part, axis) => part - before[axis]!);
  const length = Math.hypot(...change);
  const acceleration = limit(
    change.map((part) => part / length),
    machine.acceleration,
  );
  return Math.sqrt((acceleration * machine.junctionDeviation * half) / (1 - half));
}

/** When each move ends, seconds. */
export function slowTimes(ops: Ops, machine: Machine): number[] {
  const waiting = blocksOf(ops, machine);
  const queue: Block[] = [];
  const times: number[] = [];
  let speed = 0;
  let now = 0;
  const fill = (op: number): void => {
    while (times.length < op) times.push(now);
  };
  for (;;) {
    while (queue.length < machine.plannerBlocks && waiting.length > 0) queue.push(waiting.shift()!);
    const block = queue[0];
    if (block === undefined) break;
    // backwards from the stop at the end of what is known, then forwards through the block that runs
    let exit = 0;
    for (let i = queue.length - 1; i > 0; i--) {
      const { corner, acceleration, length } = queue[i]!;
      exit = Math.min(corner, Math.sqrt(exit ** 2 + 2 * acceleration * length));
    }
    exit = Math.min(exit, Math.sqrt(speed ** 2 + 2 * block.acceleration * block.length));
    fill(block.op);
    now += secondsOf(block, speed, exit);
    times[block.op] = now;
    speed = exit;
    queue.shift();
  }
  fill(ops.kinds.length);
  return times;
}

/** A ramp up, a stretch at the top speed where there is room for one, and a ramp down. */
function secondsOf({ acceleration, length, nominal }: Block, entry: number, exit: number): number {
  const up = (nominal ** 2 - entry ** 2) / (2 * acceleration);
  const down = (nominal ** 2 - exit ** 2) / (2 * acceleration);
  if (up + down <= length)
    return (2 * nominal - entry - exit) / acceleration + (length - up - down) / nominal;
  const peak = Math.sqrt(acceleration * length + (entry ** 2 + exit ** 2) / 2);
  return (2 * peak - entry - exit) / acceleration;
}
