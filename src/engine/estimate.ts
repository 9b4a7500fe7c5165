import { checkNumber, checkOptions, invalid } from "../errors.ts";
import { engineFunction } from "../tasker/target.ts";
import { checkMoves } from "./cuts.ts";
import { type Engine, type Pointer, Stages, withEngine } from "./memory.ts";
import type { Ops } from "./ops.ts";

/** One number an axis; where moves have heights, the third counts too. */
export type Axes = readonly [x: number, y: number] | readonly [x: number, y: number, z: number];

/** What times depend on, with the names and defaults of GRBL's settings. */
export interface MachineProfile {
  /**
   * Fastest that each axis goes, mm/min, > 0: `$110`, `$111`, `$112` (default [3000, 3000, 500]). Travels go as fast
   * as that lets them.
   */
  readonly maxRate?: Axes;
  /** mm/s², > 0: `$120`, `$121`, `$122` (default [200, 200, 10]). */
  readonly acceleration?: Axes;
  /** mm, >= 0: `$11` (default 0.01). Less takes corners slower; at 0 the head stops in every corner. */
  readonly junctionDeviation?: number;
  /** mm, > 0: `$12` (default 0.002). Arcs run as chords that stay as near as that. */
  readonly arcTolerance?: number;
  /**
   * >= 0: `$100`, `$101`, `$102` (default [250, 250, 250]). Ends of moves lie on whole steps; 0 is for no steps at
   * all.
   */
  readonly stepsPerMm?: Axes;
  /** Moves that the planner holds, 2..65,536 (default 15, what `$I` says of most boards). */
  readonly plannerBlocks?: number;
  /** Where the head stands at first, mm (default [0, 0, 0]). */
  readonly start?: Axes;
}

export interface Estimate {
  /** Of the whole job, from rest to rest. */
  readonly seconds: number;
  /** Of travels, and of all other moves. */
  readonly travelSeconds: number;
  readonly cutSeconds: number;
  /** When each move ends, seconds from the start, never falling. */
  readonly times: Float64Array;
}

/** Moves handed over at a time. */
const CHUNK = 16_384;
/** Numbers that come first in a plan; `assembly/motion.ts` says which. */
const NUMBERS = 19;

/**
 * Tells how long a GRBL controller takes for a job, and when each move ends, so that the job can be played. Speeds ramp
 * with the acceleration of each axis, corners slow the head down by the junction deviation, arcs run as chords, and the
 * planner sees as far ahead as the moves that it holds: that is what makes short moves slow. Powers stop nothing, as in
 * laser mode (`$32=1`) with M4. A travel moves its height first and alone, lines and arcs along with x and y.
 *
 * The controller is taken to get its lines in time; a slow wire or a slow board adds to it. Homing, dwells and the way
 * home at the end are not counted.
 *
 * @param ops       mm; read and not kept
 * @param machine   settings of the controller; see `MachineProfile`
 * @throws INVALID_ARGUMENT   ops that `encode` would refuse, or a setting out of its contract
 * @throws OUT_OF_MEMORY      more moves than kernel memory holds times for
 * @throws CANCELED
 * Cost: about 60 ns a move, more for arcs of many chords; 8 bytes a move.
 * @example estimate(toOps(paths), { acceleration: [1000, 1000], maxRate: [12000, 12000] }).seconds
 */
export const estimate = engineFunction("estimate", (ops: Ops, machine: MachineProfile = {}): Estimate => {
  const { numbers, window } = checkMachine(machine);
  checkMoves(ops);
  return withEngine((engine) => plan(engine, ops, numbers, window));
});

function plan(engine: Engine, ops: Ops, numbers: Float64Array, window: number): Estimate {
  const { kernels } = engine;
  const n = ops.kinds.length;
  const times = engine.alloc(8 * n);
  const bytes = kernels.motionBytes(window);
  const motion = engine.alloc(bytes);
  engine.u8(motion, bytes).fill(0);
  engine.f64(motion, NUMBERS).set(numbers);
  const room = Math.min(CHUNK, n);
  const place = {
    kinds: engine.alloc(room),
    xy: engine.alloc(8 * room),
    centers: engine.alloc(8 * room),
    speed: engine.alloc(4 * room),
    z: ops.z === undefined ? (0 as Pointer) : engine.alloc(4 * room),
  };
  const stages = new Stages();
  for (let from = 0; from < n; from += CHUNK) {
    const end = Math.min(from + CHUNK, n);
    const count = end - from;
    engine.u8(place.kinds, count).set(ops.kinds.subarray(from, end));
    engine.f32(place.xy, 2 * count).set(ops.xy.subarray(2 * from, 2 * end));
    engine.f32(place.centers, 2 * count).set(ops.centers.subarray(2 * from, 2 * end));
    engine.f32(place.speed, count).set(ops.speed.subarray(from, end));
    if (ops.z !== undefined) engine.f32(place.z, count).set(ops.z.subarray(from, end));
    const { kinds, xy, centers, z, speed } = place;
    const last = Number(end === n);
    stages.run(count / n, count, () =>
      kernels.planMotion(kinds, xy, centers, z, speed, count, from, last, motion, window, times),
    );
  }
  const [seconds, travelSeconds] = engine.f64(motion, NUMBERS).subarray(17) as unknown as [number, number];
  return {
    seconds,
    travelSeconds,
    cutSeconds: seconds - travelSeconds,
    times: engine.f64(times, n).slice(),
  };
}

function checkMachine(machine: MachineProfile): { numbers: Float64Array; window: number } {
  checkOptions(machine, [
    "maxRate",
    "acceleration",
    "junctionDeviation",
    "arcTolerance",
    "stepsPerMm",
    "plannerBlocks",
    "start",
  ]);
  const rates = checkAxes("maxRate", machine.maxRate, [3000, 3000, 500], { above: 0 });
  const accelerations = checkAxes("acceleration", machine.acceleration, [200, 200, 10], { above: 0 });
  const steps = checkAxes("stepsPerMm", machine.stepsPerMm, [250, 250, 250], { min: 0 });
  const start = checkAxes("start", machine.start, [0, 0, 0], { min: -2e6, max: 2e6 });
  const deviation = checkNumber("junctionDeviation", machine.junctionDeviation ?? 0.01, { min: 0 });
  const tolerance = checkNumber("arcTolerance", machine.arcTolerance ?? 0.002, { above: 0 });
  const blocks = { min: 2, max: 65_536, integer: true };
  const window = checkNumber("plannerBlocks", machine.plannerBlocks ?? 15, blocks);
  const numbers = Float64Array.of(
    ...rates.map((rate) => 60 / rate),
    ...accelerations.map((most) => 1 / most),
    ...steps,
    ...steps.map((each) => (each > 0 ? 1 / each : 0)),
    deviation,
    tolerance,
    ...start,
  );
  return { numbers, window };
}

/** Checks a number for each axis; of two, z keeps its default. */
function checkAxes(
  name: string,
  value: unknown,
  defaults: readonly [number, number, number],
  contract: { readonly min?: number; readonly max?: number; readonly above?: number },
): number[] {
  if (value === undefined) return [...defaults];
  if (!Array.isArray(value) || value.length < 2 || value.length > 3)
    throw invalid(name, "[x, y] or [x, y, z]", value);
  return defaults.map((standard, axis) =>
    axis < value.length ? checkNumber(`${name}[${axis}]`, value[axis], contract) : standard,
  );
}
