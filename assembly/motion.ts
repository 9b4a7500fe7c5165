// How long a controller takes for moves: trapezoids of speed with look-ahead, as GRBL 1.1 plans them. Each line is a
// block, each arc a row of them. A block may end as fast as the next may begin; how fast that is follows from the corner
// between them and from having to stop at the end of the last block that the planner holds.

import { STOPPED, checkpoint } from "./control";

/** Moves between two checkpoints. */
const BATCH: i32 = 256;
/** Blocks taken in before they are planned, beyond those that a planner holds. */
const CHUNK: i32 = 1024;
const TRAVEL: i32 = 0;
const CLOCKWISE: i32 = 2;
/** A controller takes an arc whose end is less than this ahead of its start for a full turn, radians. */
const AHEAD: f64 = 5e-7;
/** Cosines beyond which a corner is a turn back, and none at all. */
const SHARP: f64 = 0.999999;

@unmanaged
class Block {
  /** Reciprocal of the acceleration along the block, s2/mm. */
  slowness: f64;
  /** Squared speed that it can add or take away, 2 a L, mm2/s2. */
  gain: f64;
  /** Squares of speeds, mm2/s2: asked for, at most at its start, and what the rest lets it have at its start. */
  nominal: f64;
  corner: f64;
  entry: f64;
  /** Squared speed that all blocks of this call before it can take away. */
  braking: f64;
  move: i32;
  travel: bool;
}

/** The machine, as the host fills it in; then where the planner stands. */
@unmanaged
class Motion {
  /** What an axis takes to have unit speed or acceleration: reciprocals, as products are cheap. */
  rateX: f64;
  rateY: f64;
  rateZ: f64;
  accelerationX: f64;
  accelerationY: f64;
  accelerationZ: f64;
  stepsX: f64;
  stepsY: f64;
  stepsZ: f64;
  mmX: f64;
  mmY: f64;
  mmZ: f64;
  deviation: f64;
  tolerance: f64;
  x: f64;
  y: f64;
  z: f64;
  /** Seconds so far; those of travels among them. */
  seconds: f64;
  travel: f64;
  /** Squared speed at the end of all planned blocks. */
  speed: f64;
  /** Where the motors are, mm: whole steps. */
  motorX: f64;
  motorY: f64;
  motorZ: f64;
  /** Direction and squared speed of the last block. */
  ux: f64;
  uy: f64;
  uz: f64;
  nominal: f64;
  count: i32;
  window: i32;
  /** 0 before the first block. */
  moving: i32;
  times: usize;
  /** Number of the first move of this call; the first whose time is not known. */
  from: i32;
  open: i32;
}

/** Bytes of a plan for a planner of `window` blocks. */
export function motionBytes(window: i32): i32 {
  return <i32>offsetof<Motion>() + (CHUNK + window) * <i32>offsetof<Block>();
}

/**
 * Tells how long moves take, and when each is done, for a machine that starts and ends at rest. To be called for some
 * moves after the others; the last call is one with `last` set.
 *
 * kinds    u8[n], 0 travel, 1 line, 2 arc clockwise, 3 arc counter-clockwise
 * xy       f32[2 * n], mm, ends
 * centers  f32[2 * n], mm
 * z        f32[n], mm; 0 where there are no heights
 * speed    f32[n], mm/min, > 0
 * n        moves of this call
 * from     number of the first of them
 * last     1: no moves follow
 * motion   u8[motionBytes(window)], 8-byte aligned, kept from call to call. Before the first all 0 but for f64s: 0..2
 *          reciprocals of the fastest x, y, z, mm/s; 3..5 of their accelerations, mm/s2; 6..8 steps a mm, 0 for no whole
 *          steps; 9..11 the length of a step, mm; 12 junction deviation, mm; 13 arc tolerance, mm; 14..16 where it starts,
 *          mm. After the last, f64s: 17 seconds, 18 of travels
 * window   blocks that the planner holds, >= 2
 * times    f64[all moves], written: when each move ends, seconds
 * returns  n, or STOPPED
 * cost     40 ns a line or chord of an arc
 * source   look-ahead over a window: own; corners: Jeon, "Improving Grbl: Cornering Algorithm", 2011. With P the sum of
 *          2 a L over the blocks before, the squared speed at the start of block k is the least of v2(m) + P(m) - P(k)
 *          over the corners m >= k that the planner sees. The end of what it sees, where v2 is 0, hides all behind it, so
 *          one backward pass over everything and that one term more are the same
 */
export function planMotion(
  kinds: usize, xy: usize, centers: usize, z: usize, speed: usize, n: i32, from: i32, last: i32, motion: usize, window: i32,
  times: usize,
): i32 {
  const plan = changetype<Motion>(motion);
  plan.window = window;
  plan.times = times;
  plan.from = from;
  if (plan.moving == 0) {
    plan.motorX = toStep(plan.x, plan.stepsX, plan.mmX);
    plan.motorY = toStep(plan.y, plan.stepsY, plan.mmY);
    plan.motorZ = toStep(plan.z, plan.stepsZ, plan.mmZ);
  }
  for (let i = 0; i < n; i += BATCH) {
    if (checkpoint(i)) return STOPPED;
    if (!takeMoves(plan, kinds, xy, centers, z, speed, i, min(i + BATCH, n))) return STOPPED;
  }
  if (last != 0) {
    planBlocks(plan, true);
    endMoves(plan, from + n, plan.seconds);
  }
  return n;
}

function takeMoves(
  plan: Motion, kinds: usize, xy: usize, centers: usize, z: usize, speed: usize, i: i32, end: i32,
): bool {
  for (; i < end; i++) {
    const kind = <i32>load<u8>(kinds + i);
    const at = xy + (<usize>i << 3);
    const x = <f64>load<f32>(at);
    const y = <f64>load<f32>(at, 4);
    const height = z != 0 ? <f64>load<f32>(z + (<usize>i << 2)) : plan.z;
    const rate = kind == TRAVEL ? Infinity : <f64>load<f32>(speed + (<usize>i << 2)) / 60;
    if (kind >= CLOCKWISE) {
      const center = centers + (<usize>i << 3);
      if (!takeArc(plan, kind, x, y, height, load<f32>(center), load<f32>(center, 4), rate, i)) return false;
    } else {
      // a travel moves its height alone, and first
      if (kind == TRAVEL && height != plan.z) takeLine(plan, plan.x, plan.y, height, rate, i, true);
      takeLine(plan, x, y, height, rate, i, kind == TRAVEL);
    }
    plan.x = x;
    plan.y = y;
    plan.z = height;
  }
  return true;
}

/** Takes in an arc as chords that stay within the tolerance, by rotation from one to the next; false when it is stopped. */
function takeArc(plan: Motion, kind: i32, x: f64, y: f64, z: f64, cx: f64, cy: f64, rate: f64, move: i32): bool {
  let rx = plan.x - cx;
  let ry = plan.y - cy;
  const radius = Math.sqrt(rx * rx + ry * ry);
  let turn = Math.atan2(rx * (y - cy) - ry * (x - cx), rx * (x - cx) + ry * (y - cy));
  if (kind == CLOCKWISE) {
    if (turn >= -AHEAD) turn -= 2 * Math.PI;
  } else if (turn <= AHEAD) turn += 2 * Math.PI;
  const bend = plan.tolerance * (2 * radius - plan.tolerance);
  const chords = bend > 0 ? Math.floor(abs(0.5 * turn * radius) / Math.sqrt(bend)) : 1;
  const step = turn / max(chords, 1);
  const cos = Math.cos(step);
  const sin = Math.sin(step);
  const climb = (z - plan.z) / max(chords, 1);
  let height = plan.z;
  for (let chord = 1; <f64>chord < chords; chord++) {
    const turned = rx * cos - ry * sin;
    ry = rx * sin + ry * cos;
    rx = turned;
    height += climb;
    takeLine(plan, cx + rx, cy + ry, height, rate, move, false);
    if (chord % BATCH == 0 && checkpoint(move)) return false;
  }
  takeLine(plan, x, y, z, rate, move, false);
  return true;
}

/** The whole step next to a place; `mm` is a step's length. */
@inline function toStep(value: f64, steps: f64, mm: f64): f64 {
  return steps > 0 ? nearest<f64>(value * steps) * mm : value;
}

function takeLine(plan: Motion, x: f64, y: f64, z: f64, rate: f64, move: i32, travel: bool): void {
  const motorX = toStep(x, plan.stepsX, plan.mmX);
  const motorY = toStep(y, plan.stepsY, plan.mmY);
  const motorZ = toStep(z, plan.stepsZ, plan.mmZ);
  const dx = motorX - plan.motorX;
  const dy = motorY - plan.motorY;
  const dz = motorZ - plan.motorZ;
  const length = Math.sqrt(dx * dx + dy * dy + dz * dz);
  if (length == 0) return;
  plan.motorX = motorX;
  plan.motorY = motorY;
  plan.motorZ = motorZ;

  const part = 1 / length;
  const ux = dx * part;
  const uy = dy * part;
  const uz = dz * part;
  const speed = min(rate, 1 / most(ux, uy, uz, plan.rateX, plan.rateY, plan.rateZ));
  const nominal = speed * speed;
  const block = blockAt(plan, plan.count);
  block.slowness = most(ux, uy, uz, plan.accelerationX, plan.accelerationY, plan.accelerationZ);
  block.gain = (2 * length) / block.slowness;
  block.nominal = nominal;
  block.corner = plan.moving != 0 ? min(min(nominal, plan.nominal), cornerOf(plan, ux, uy, uz)) : 0;
  block.move = plan.from + move;
  block.travel = travel;
  plan.moving = 1;
  plan.ux = ux;
  plan.uy = uy;
  plan.uz = uz;
  plan.nominal = nominal;
  if (++plan.count == CHUNK + plan.window) planBlocks(plan, false);
}

@inline function blockAt(plan: Motion, i: i32): Block {
  return changetype<Block>(changetype<usize>(plan) + offsetof<Motion>() + <usize>i * offsetof<Block>());
}

/** What a direction takes when no axis may have more than its own: the reciprocal of the most. */
@inline function most(ux: f64, uy: f64, uz: f64, x: f64, y: f64, z: f64): f64 {
  return max(max(abs(ux) * x, abs(uy) * y), abs(uz) * z);
}

/** The square of the speed at which a circle through the corner, within the deviation, takes all of the acceleration. */
function cornerOf(plan: Motion, ux: f64, uy: f64, uz: f64): f64 {
  const cos = -(plan.ux * ux + plan.uy * uy + plan.uz * uz);
  if (cos > SHARP) return 0;
  if (cos < -SHARP) return Infinity;
  const sin = Math.sqrt(0.5 * (1 - cos));
  const dx = ux - plan.ux;
  const dy = uy - plan.uy;
  const dz = uz - plan.uz;
  const length = Math.sqrt(dx * dx + dy * dy + dz * dz);
  const slowness = most(dx, dy, dz, plan.accelerationX, plan.accelerationY, plan.accelerationZ);
  return (length * plan.deviation * sin) / (slowness * (1 - sin));
}

/** Plans the blocks whose end the planner can see when they run; with `last`, all. The others stay. */
function planBlocks(plan: Motion, last: bool): void {
  const count = plan.count;
  const done = last ? count : count - plan.window + 1;
  let entry: f64 = last ? 0 : Infinity;
  for (let k = count - 1; k >= 0; k--) {
    const block = blockAt(plan, k);
    entry = min(block.corner, entry + block.gain);
    block.entry = entry;
  }
  let braking: f64 = 0;
  for (let k = 0; k < count; k++) {
    const block = blockAt(plan, k);
    block.braking = braking;
    braking += block.gain;
  }

  let square = plan.speed;
  let speed = Math.sqrt(square);
  let seconds = plan.seconds;
  for (let k = 0; k < done; k++) {
    const block = blockAt(plan, k);
    const gain = block.gain;
    let exit: f64 = 0;
    if (k + 1 < count) {
      const next = blockAt(plan, k + 1);
      const seen = k + plan.window < count ? blockAt(plan, k + plan.window).braking : braking;
      exit = min(min(next.entry, seen - next.braking), square + gain);
    }
    const exitSpeed = Math.sqrt(exit);
    // up to the top speed and down from it; the rest of the way at it, if there is any
    const peak = 0.5 * (square + exit + gain);
    const top = Math.sqrt(min(peak, block.nominal));
    let spent = 2 * top - speed - exitSpeed;
    if (peak > block.nominal) spent += (peak - block.nominal) / top;
    spent *= block.slowness;
    if (block.move > plan.open) endMoves(plan, block.move, seconds);
    seconds += spent;
    if (block.travel) plan.travel += spent;
    store<f64>(plan.times + (<usize>block.move << 3), seconds);
    plan.open = block.move + 1;
    square = exit;
    speed = exitSpeed;
  }
  plan.speed = square;
  plan.seconds = seconds;
  plan.count = count - done;
  memory.copy(
    changetype<usize>(blockAt(plan, 0)), changetype<usize>(blockAt(plan, done)), <usize>plan.count * offsetof<Block>(),
  );
}

/** Moves of no length end when the move before them does. */
function endMoves(plan: Motion, end: i32, seconds: f64): void {
  for (let move = plan.open; move < end; move++) store<f64>(plan.times + (<usize>move << 3), seconds);
  plan.open = end;
}
