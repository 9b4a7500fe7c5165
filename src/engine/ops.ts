import { checkNumber, checkOptions, invalid, KerfworkError } from "../errors.ts";
import { engineFunction } from "../tasker/target.ts";
import { boxOf } from "./box.ts";
import { Stages, withEngine } from "./memory.ts";
import { checkCurvePoints, measure, type Paths } from "./paths.ts";
import type { Curves } from "./trace.ts";

/**
 * Moves of a machine, mm, y up, power 0..1, speed in mm/min; one entry per move, all views on one buffer.
 * Kinds: 0 travel, 1 line, 2 arc clockwise, 3 arc counter-clockwise. The first move is a travel.
 */
export interface Ops {
  readonly kinds: Uint8Array;
  /** End points, 2 per move. */
  readonly xy: Float32Array;
  /** Arc centres, 2 per move; 0 for other kinds. An arc that ends where it starts is a full circle. */
  readonly centers: Float32Array;
  readonly power: Float32Array;
  readonly speed: Float32Array;
  /** Height at the end of each move, mm; left out where heights are the machine's own business. */
  readonly z?: Float32Array;
}

export interface OpsOptions {
  /** Power of the beam, 0..1: one for all, or one for each path (default 1). */
  readonly power?: number | Float32Array;
  /** Speed of lines and arcs, mm/min, 0.001..1,000,000: one for all, or one for each path (default 1000). */
  readonly speed?: number | Float32Array;
  /** Speed between paths, mm/min, 0.001..1,000,000; it counts for times, as controllers travel at their own (default 6000). */
  readonly travelSpeed?: number;
  /** Height of the picture, mm: its upper edge y = 0 becomes y = height, its lower edge y = 0 (default: the largest y of the paths). */
  readonly height?: number;
}

/** Paths between two looks at the cancel word. */
const BATCH = 256;

/**
 * Turns paths, or curves of lines and arcs, into moves: a travel to each one's start, then its lines and arcs. Here, and
 * nowhere else, y is turned from down to up; an arc that is clockwise on the screen stays clockwise. The height is
 * rounded to thousandths, so that coordinates that are whole thousandths stay so. Moves of no length are dropped, and so
 * are paths of no length; the first travel stays. An arc that ends where it starts is a full circle.
 *
 * @param artwork   mm, y down, finite; read and not kept
 * @param options.power        0..1, or a Float32Array of one for each path (default 1)
 * @param options.speed        mm/min, or a Float32Array of one for each path (default 1000)
 * @param options.travelSpeed  mm/min (default 6000)
 * @param options.height       mm (default: the largest y)
 * @throws INVALID_ARGUMENT   artwork that is not shaped as `Paths` or `Curves` or not finite, cubics, an option out of
 *                            its contract
 * @throws CANCELED
 * Cost: three passes over the points, 25 bytes a move.
 * @example toOps(paths, { power: 0.8, speed: 1200, height: 100 })
 */
export const toOps = engineFunction("toOps", (artwork: Paths | Curves, options: OpsOptions = {}): Ops => {
  checkOptions(options, ["power", "speed", "travelSpeed", "height"]);
  const lowest = checkArtwork(artwork);
  const paths = artwork.ends.length;
  const power = checkEach("power", options.power ?? 1, paths, { min: 0, max: 1 });
  const speed = checkEach("speed", options.speed ?? 1000, paths, SPEED);
  const travelSpeed = checkNumber("travelSpeed", options.travelSpeed ?? 6000, SPEED);
  const height = Math.round(1000 * checkNumber("height", options.height ?? lowest)) / 1000;

  const ops = newOps(layMoves(artwork, () => false).moves);
  return withEngine(({ kernels }) => {
    const stages = new Stages();
    stages.run(1, paths, () => {
      layMoves(artwork, (path) => path % BATCH === 0 && kernels.checkpoint(path), {
        ops,
        height,
        travelSpeed,
        powerOf: typeof power === "number" ? () => power : (path) => power[path]!,
        speedOf: typeof speed === "number" ? () => speed : (path) => speed[path]!,
      });
      return 0;
    });
    return ops;
  });
});

/** What `encode` takes: below, a speed would round to 0. */
const SPEED = { min: 0.001, max: 1e6 };

/** Room for `n` moves on one buffer, all 0; with heights if `z` is true. */
export function newOps(n: number, { z = false }: { readonly z?: boolean } = {}): Ops {
  const buffer = new ArrayBuffer((z ? 29 : 25) * n);
  return {
    xy: new Float32Array(buffer, 0, 2 * n),
    centers: new Float32Array(buffer, 8 * n, 2 * n),
    power: new Float32Array(buffer, 16 * n, n),
    speed: new Float32Array(buffer, 20 * n, n),
    ...(z ? { z: new Float32Array(buffer, 24 * n, n) } : {}),
    kinds: new Uint8Array(buffer, (z ? 28 : 24) * n, n),
  };
}

/** Checks that the arrays fit each other and that the first move is a travel; says nothing about the numbers in them. */
export function checkOps(ops: Ops, name = "ops"): void {
  if (typeof ops !== "object" || ops === null) throw invalid(name, "an Ops object", ops);
  if (!(ops.kinds instanceof Uint8Array)) throw invalid(`${name}.kinds`, "a Uint8Array", ops.kinds);
  const n = ops.kinds.length;
  for (const [part, length] of [
    ["xy", 2 * n],
    ["centers", 2 * n],
    ["power", n],
    ["speed", n],
    ...(ops.z === undefined ? [] : ([["z", n]] as const)),
  ] as const)
    if (!(ops[part] instanceof Float32Array) || ops[part].length !== length)
      throw invalid(`${name}.${part}`, `a Float32Array of ${length} numbers for ${n} moves`, ops[part]);
  if (n > 0 && ops.kinds[0] !== 0)
    throw new KerfworkError(
      "INVALID_ARGUMENT",
      `Expected ${name === "ops" ? "op 0" : `\`${name}\`, op 0,`} to be a travel (0), got kind ${ops.kinds[0]}`,
      { data: { op: 0 } },
    );
}

/** Checks all numbers; returns the largest y, 0 when there are no points. */
function checkArtwork(artwork: Paths | Curves): number {
  if (typeof artwork !== "object" || artwork === null || !("kinds" in artwork))
    return measure(artwork).bounds.maxY;
  checkCurvePoints(artwork);
  const cubic = artwork.kinds.indexOf(1);
  if (cubic !== -1)
    throw invalid(
      `curves.kinds[${cubic}]`,
      "a line (0) or an arc (2, 3): `flatten` or `fitArcs` replaces cubics",
      artwork.kinds[cubic],
    );
  const lowest = boxOf(artwork)[3];
  return lowest === -Infinity ? 0 : lowest;
}

function checkEach(
  name: string,
  value: number | Float32Array,
  paths: number,
  contract: { readonly min: number; readonly max: number },
): number | Float32Array {
  if (!(value instanceof Float32Array)) return checkNumber(name, value, contract);
  if (value.length !== paths)
    throw invalid(name, `a number, or a Float32Array of ${paths} numbers, one for each path`, value);
  // of single precision, as the values are
  const [min, max] = [Math.fround(contract.min), Math.fround(contract.max)];
  const bad = value.findIndex((each) => !(each >= min && each <= max));
  if (bad !== -1) checkNumber(`${name}[${bad}]`, value[bad], contract);
  return value;
}

interface Plan {
  readonly ops: Ops;
  readonly height: number;
  readonly travelSpeed: number;
  powerOf(path: number): number;
  speedOf(path: number): number;
}

/** Goes through all moves, and writes them down if there is a plan; stops before a path when `leave` says so. */
function layMoves(artwork: Paths | Curves, leave: (path: number) => boolean, plan?: Plan): { moves: number } {
  const { ends, xy } = artwork;
  const kinds = "kinds" in artwork ? artwork.kinds : undefined;
  let moves = 0;
  let headX = Number.NaN;
  let headY = Number.NaN;
  const go = (kind: number, at: number, power: number, speed: number): void => {
    headX = xy[at]!;
    headY = xy[at + 1]!;
    if (plan !== undefined) {
      const { ops, height } = plan;
      ops.kinds[moves] = kind;
      ops.power[moves] = power;
      ops.speed[moves] = speed;
      ops.xy[2 * moves] = headX;
      ops.xy[2 * moves + 1] = height - headY;
      if (kind > 1) {
        ops.centers[2 * moves] = xy[at - 2]!;
        ops.centers[2 * moves + 1] = height - xy[at - 1]!;
      }
    }
    moves++;
  };
  let at = 0; // in `xy`
  let item = 0; // a segment of curves, or a point of paths
  for (let path = 0; path < ends.length; path++) {
    if (leave(path)) break;
    const end = ends[path]!;
    if (kinds === undefined && item === end) continue;
    const power = plan?.powerOf(path) ?? 0;
    const speed = plan?.speedOf(path) ?? 0;
    const [startX, startY] = [xy[at]!, xy[at + 1]!];
    let started = false;
    at += 2;
    for (item += kinds === undefined ? 1 : 0; item < end; item++) {
      const kind = kinds?.[item] ?? 0;
      if (kind > 1) at += 2;
      const still = started
        ? xy[at] === headX && xy[at + 1] === headY
        : xy[at] === startX && xy[at + 1] === startY;
      if (kind > 1 || !still) {
        if (!started && (startX !== headX || startY !== headY))
          go(0, at - (kind > 1 ? 4 : 2), 0, plan?.travelSpeed ?? 0);
        started = true;
        go(kind === 0 ? 1 : kind, at, power, speed);
      }
      at += 2;
    }
  }
  return { moves };
}
