import { checkNumber, checkOptions } from "../errors.ts";
import { engineFunction } from "../tasker/target.ts";
import { Stages, withEngine } from "./memory.ts";
import { measure, type Paths } from "./paths.ts";

/**
 * Moves of a machine, mm, y up, power 0..1, speed in mm/min; one entry per move, all views on one buffer.
 * Kinds: 0 travel, 1 line, 2 arc clockwise, 3 arc counter-clockwise. The first move is a travel.
 */
export interface Ops {
  readonly kinds: Uint8Array;
  /** End points, 2 per move. */
  readonly xy: Float32Array;
  /** Arc centres, 2 per move; 0 for other kinds. */
  readonly centers: Float32Array;
  readonly power: Float32Array;
  readonly speed: Float32Array;
  /** Height at the end of each move, mm; absent where nobody sets it. */
  readonly z?: Float32Array;
}

export interface OpsOptions {
  /** Power of the beam, 0..1 (default 1). */
  readonly power?: number;
  /** Speed of lines, mm/min, 0.001..1,000,000 (default 1000). */
  readonly speed?: number;
  /** Speed between paths, mm/min, 0.001..1,000,000; it counts for times, as controllers travel at their own (default 6000). */
  readonly travelSpeed?: number;
  /** Height of the picture, mm: its upper edge y = 0 becomes y = height, its lower edge y = 0 (default: the largest y of the paths). */
  readonly height?: number;
}

/** Paths between two looks at the cancel word. */
const BATCH = 256;

/**
 * Turns paths into moves: a travel to each path's start, then its lines. Here, and nowhere else, y is turned from down
 * to up. Moves of no length are dropped, and so are paths of no length; the first travel stays.
 *
 * @param paths   mm, y down, finite; read and not kept
 * @throws INVALID_ARGUMENT   paths that are not shaped as `Paths` or not finite, an option out of its contract
 * @throws CANCELED
 * Cost: three passes over the points, 25 bytes a move.
 * @example toOps(paths, { power: 0.8, speed: 1200, height: 100 })
 */
export const toOps = engineFunction("toOps", (paths: Paths, options: OpsOptions = {}): Ops => {
  checkOptions(options, ["power", "speed", "travelSpeed", "height"]);
  const power = checkNumber("power", options.power ?? 1, { min: 0, max: 1 });
  const speed = checkNumber("speed", options.speed ?? 1000, SPEED);
  const travelSpeed = checkNumber("travelSpeed", options.travelSpeed ?? 6000, SPEED);
  const { bounds } = measure(paths);
  const height = checkNumber("height", options.height ?? bounds.maxY);

  const ops = newOps(countMoves(paths));
  ops.power.fill(power);
  ops.speed.fill(speed);
  return withEngine(({ kernels }) => {
    const { ends, xy } = paths;
    let move = 0;
    let headX = Number.NaN;
    let headY = Number.NaN;
    const go = (kind: number, x: number, y: number): void => {
      headX = x;
      headY = y;
      ops.kinds[move] = kind;
      ops.xy[2 * move] = x;
      ops.xy[2 * move + 1] = height - y;
      move++;
    };
    new Stages().run(1, ends.length, () => {
      for (let path = 0, from = 0; path < ends.length; from = ends[path++]!) {
        if (path % BATCH === 0 && kernels.checkpoint(path)) break;
        if (isStill(paths, from, ends[path]!)) continue;
        if (xy[2 * from] !== headX || xy[2 * from + 1] !== headY) {
          ops.power[move] = 0;
          ops.speed[move] = travelSpeed;
          go(0, xy[2 * from]!, xy[2 * from + 1]!);
        }
        for (let point = from + 1; point < ends[path]!; point++) {
          const x = xy[2 * point]!;
          const y = xy[2 * point + 1]!;
          if (x !== headX || y !== headY) go(1, x, y);
        }
      }
      return 0;
    });
    return ops;
  });
});

/** What `encode` takes: below, a speed would round to 0. */
const SPEED = { min: 0.001, max: 1e6 };

/** Room for `n` moves on one buffer, all 0; with heights if asked for. */
export function newOps(n: number, { z = false } = {}): Ops {
  const buffer = new ArrayBuffer((z ? 29 : 25) * n);
  const ops = {
    xy: new Float32Array(buffer, 0, 2 * n),
    centers: new Float32Array(buffer, 8 * n, 2 * n),
    power: new Float32Array(buffer, 16 * n, n),
    speed: new Float32Array(buffer, 20 * n, n),
    kinds: new Uint8Array(buffer, (z ? 28 : 24) * n, n),
  };
  return z ? { ...ops, z: new Float32Array(buffer, 24 * n, n) } : ops;
}

/** True when all points of a path are one. */
function isStill({ xy }: Paths, from: number, to: number): boolean {
  for (let point = from + 1; point < to; point++)
    if (xy[2 * point] !== xy[2 * from] || xy[2 * point + 1] !== xy[2 * from + 1]) return false;
  return true;
}

/** The moves that `toOps` will make. */
function countMoves(paths: Paths): number {
  const { ends, xy } = paths;
  let moves = 0;
  let last = -1;
  for (let path = 0, from = 0; path < ends.length; from = ends[path++]!) {
    if (isStill(paths, from, ends[path]!)) continue;
    if (last < 0 || xy[2 * from] !== xy[2 * last] || xy[2 * from + 1] !== xy[2 * last + 1]) moves++;
    for (let point = from + 1; point < ends[path]!; point++)
      if (xy[2 * point] !== xy[2 * point - 2] || xy[2 * point + 1] !== xy[2 * point - 1]) moves++;
    last = ends[path]! - 1;
  }
  return moves;
}
