import { checkNumber, checkOneOf, checkOptions, invalid } from "../errors.ts";
import { engineFunction } from "../tasker/target.ts";
import { type Engine, type Pointer, Stages, withEngine } from "./memory.ts";
import {
  checkFinite,
  checkPaths,
  FILL_RULES,
  type FillRule,
  type Paths,
  type PathsMeasure,
} from "./paths.ts";

export interface CropOptions {
  /** A rectangle, mm, such as `{ minX: 0, minY: 0, maxX: 300, maxY: 200 }`; or closed paths. */
  readonly to: PathsMeasure["bounds"] | Paths;
  /** Which part stays (default "inside"). */
  readonly keep?: "inside" | "outside";
  /** What is inside where the paths of `to` overlap or cross themselves (default "evenodd"). */
  readonly fillRule?: FillRule;
}

/** Pieces of paths: piece `i` is of path `origin[i]`. */
export interface CroppedPaths extends Paths {
  readonly origin: Uint32Array;
}

const NAMES = ["to", "keep", "fillRule"];
const CORNERS = ["minX", "minY", "maxX", "maxY"] as const;
/** As the kernels lay them out: a Field, its integers, where its count of points is, a side, an entry. */
const FIELD_BYTES = 128;
const FIELD_WORDS = 32;
const FIELD_POINTS = 88;
const SIDE_BYTES = 40;
const ENTRY_BYTES = 16;
/** Most cells of a grid along a side. */
const MOST_CELLS = 1024;

/**
 * Cuts paths off at the sides of a rectangle or of any shape: to fit a job on its bed, or to keep it out of a clamp.
 *
 * Pieces keep the order and the way of their paths and lie on them: nothing is cut along the sides of the shape. A closed path
 * that is nowhere cut stays closed, and every path that is not cut keeps its points to the bit; a closed path that is cut
 * becomes open pieces, none of which ends at its start for no other reason. Open paths of the shape bound nothing.
 *
 * What runs along a side of the shape counts as inside. A path that only touches a side or a corner is not cut there. A path
 * of a single point on a side goes by what is right of it and, on a level side, below it.
 *
 * Crossings are found exactly among coordinates that are first rounded to 2^-24 of the greatest one of all (0.06 um in 1 m);
 * the points of the result are not. Cuts at upright and level sides lie exactly on them.
 *
 * @param paths             mm; read and not kept
 * @param options.to        a rectangle or closed paths, mm
 * @param options.keep      "inside" (default) or "outside"
 * @param options.fillRule  "evenodd" (default) or "nonzero"
 * @throws INVALID_ARGUMENT   `paths` or `to` is not shaped as it should, a number is not finite, or an option out of range or
 *                            of another name
 * @throws OUT_OF_MEMORY      more than kernel memory holds
 * @throws CANCELED           the task that runs it was canceled
 * Cost: about 0.3 us a point, and more for long segments across many sides.
 * @example crop(paths, { to: { minX: 0, minY: 0, maxX: 300, maxY: 200 } }).origin
 */
export const crop = engineFunction("crop", (paths: Paths, options: CropOptions): CroppedPaths => {
  checkPaths(paths);
  checkOptions(options, NAMES);
  const region = regionOf(options.to);
  const inside = checkOneOf("keep", options.keep ?? "inside", ["inside", "outside"]) === "inside";
  const parity = checkOneOf("fillRule", options.fillRule ?? "evenodd", FILL_RULES) === "evenodd";
  checkFinite(paths);
  return withEngine((engine) => cut(engine, paths, region, parity, inside));
});

function regionOf(to: CropOptions["to"]): Paths {
  if (typeof to !== "object" || to === null) throw invalid("to", "a rectangle or a Paths object", to);
  if ("ends" in to) {
    checkPaths(to, "to");
    checkFinite(to, "to: path");
    return to;
  }
  const [x0, y0, x1, y1] = CORNERS.map((name) => checkNumber(`to.${name}`, to[name])) as [
    number,
    number,
    number,
    number,
  ];
  checkNumber("to.maxX", x1, { min: x0 });
  checkNumber("to.maxY", y1, { min: y0 });
  return { ends: Uint32Array.of(5), xy: Float32Array.of(x0, y0, x1, y0, x1, y1, x0, y1, x0, y0) };
}

function cut(engine: Engine, paths: Paths, region: Paths, parity: boolean, inside: boolean): CroppedPaths {
  const { kernels } = engine;
  const stages = new Stages();
  const n = region.xy.length / 2;
  const count = paths.xy.length / 2;
  const scale = stepsOf(paths.xy, region.xy);
  const grid = gridOf(region.xy, scale);
  const cells = grid.columns * grid.rows;

  const field = engine.alloc(FIELD_BYTES);
  const from = engine.push(paths.xy);
  const fromEnds = engine.push(paths.ends);
  const xy = engine.push(region.xy);
  const ends = engine.push(region.ends);
  const sides = engine.alloc(SIDE_BYTES * n);
  const events = engine.alloc(2 * ENTRY_BYTES * n);
  const spare = engine.alloc(2 * ENTRY_BYTES * n);
  const starts = engine.alloc(4 * (cells + 1));
  engine.u32(starts, cells + 1).fill(0);
  engine.f64(field, 4).set([grid.x, grid.y, grid.cell, scale]);
  const words = [
    grid.columns,
    grid.rows,
    xy,
    sides,
    starts,
    0,
    events,
    spare,
    Number(parity),
    Number(inside),
  ];
  const at = (field + FIELD_WORDS) as Pointer;
  engine.i32(at, words.length).set(words);
  const entries = stages.run(0.1, n, () => kernels.cropSides(field, ends, region.ends.length));
  const list = engine.alloc(4 * entries);
  engine.i32(at, words.length)[5] = list;
  stages.run(0.1, n, () => kernels.cropCells(field, n));

  for (let room = count + 64; ; room *= 2) {
    const start = engine.mark();
    const out = engine.alloc(8 * room);
    const outEnds = engine.alloc(4 * room);
    const origin = engine.alloc(4 * room);
    engine.i32((at + 4 * words.length) as Pointer, 4).set([out, outEnds, origin, room]);
    const pieces = stages.offer(0.8, count, () =>
      kernels.cropPaths(field, from, fromEnds, paths.ends.length),
    );
    if (pieces !== undefined) {
      const points = engine.i32((field + FIELD_POINTS) as Pointer, 1)[0]!;
      return {
        ends: engine.u32(outEnds, pieces).slice(),
        xy: engine.f32(out, 2 * points).slice(),
        origin: engine.u32(origin, pieces).slice(),
      };
    }
    engine.release(start);
  }
}

/** Integer steps for each mm: a power of two, with which no coordinate has more than 25 bits. */
function stepsOf(...all: Float32Array[]): number {
  let most = 0;
  for (const xy of all) for (let i = 0; i < xy.length; i++) most = Math.max(most, Math.abs(xy[i]!));
  return most === 0 ? 1 : 2 ** (24 - Math.floor(Math.log2(most)));
}

/** A grid over points, of about as many cells. */
function gridOf(
  xy: Float32Array,
  scale: number,
): { x: number; y: number; cell: number; columns: number; rows: number } {
  let [x0, y0, x1, y1] = [Infinity, Infinity, -Infinity, -Infinity];
  for (let i = 0; i < xy.length; i += 2) {
    x0 = Math.min(x0, xy[i]!);
    y0 = Math.min(y0, xy[i + 1]!);
    x1 = Math.max(x1, xy[i]!);
    y1 = Math.max(y1, xy[i + 1]!);
  }
  if (x0 > x1) return { x: 0, y: 0, cell: 1, columns: 1, rows: 1 };
  const [x, y] = [Math.floor(x0 * scale) - 1, Math.floor(y0 * scale) - 1];
  const [width, height] = [Math.ceil(x1 * scale) + 1 - x, Math.ceil(y1 * scale) + 1 - y];
  const most = Math.max(width, height);
  const cell = Math.max(Math.sqrt((width * height) / (xy.length / 2)), most / MOST_CELLS);
  return { x, y, cell, columns: Math.floor(width / cell) + 1, rows: Math.floor(height / cell) + 1 };
}
