import { checkFlag, checkNumber, checkOneOf, checkOptions, KerfworkError } from "../errors.ts";
import { engineFunction } from "../tasker/target.ts";
import { type Engine, type Pointer, Stages, withEngine } from "./memory.ts";
import { checkOps, type Ops } from "./ops.ts";

/** A program in the controller's language: 7-bit bytes, lines ended by `\n` only. */
export interface Program {
  readonly bytes: Uint8Array;
  readonly lines: number;
  /** The line, counted from 0, that carries each move. */
  readonly lineOfOp: Int32Array;
  /** Box of all moves, mm. */
  readonly bounds: {
    readonly minX: number;
    readonly minY: number;
    readonly maxX: number;
    readonly maxY: number;
  };
  /** Time of all moves at their speeds, without acceleration. */
  readonly seconds: number;
}

export interface EncodeOptions {
  /** M4 scales the beam with the speed and is dark when the head stands; M3 is not (default "M4"). */
  readonly laserMode?: "M4" | "M3";
  /** The controller's word for full power, `$30` of GRBL, an integer 1..100,000 (default 1000). */
  readonly maxPower?: number;
  /** End with a travel to X0 Y0 (default true). */
  readonly returnHome?: boolean;
}

/** Moves written at a time: bounds the memory, and stays in cache. */
const CHUNK = 8192;
/** Longest line, with its end. */
const LINE_BYTES = 80;
const UNSET = -(2 ** 31);
const NOWHERE = 0 as Pointer;

/**
 * Writes moves as a program for GRBL: mm, absolute, one line a move, three decimals at most. Words that did not change
 * are left out. Lines have at most 79 characters. Travels are G0, dark on a controller in laser mode (`$32=1`).
 *
 * Coordinates are rounded to thousandths of a millimetre, ties to even. A move that does nothing after rounding writes
 * no line; `lineOfOp` then names the line before. An arc that rounding would turn into a full circle becomes a line.
 * `bounds` and `seconds` take the first move to start at 0, 0 and leave the way home out; bounds of no moves are 0.
 *
 * Where moves have heights, Z is written when it changes: a travel moves Z alone first, in a line of its own, and then X
 * and Y; a line or arc moves Z along with X and Y, or alone where these stay. The first height is always written. The way
 * home leaves Z as it is.
 *
 * @param ops   mm, y up; read and not kept
 * @throws INVALID_ARGUMENT   ops that are not shaped as `Ops`; a first move that is no travel; a coordinate that is not
 *                            finite or beyond 2,000,000 mm (with heights 9999 mm, and 999 mm for these), a power beyond 0..1, a speed beyond 0.001..1,000,000, an arc
 *                            that does not end on its circle, each with the move's number; an option out of its contract
 * @throws CANCELED
 * Cost: about 30 ns a move; memory for the text, and 1 MiB.
 * @example encode(toOps(paths), { maxPower: 255 }).bytes
 */
export const encode = engineFunction("encode", (ops: Ops, options: EncodeOptions = {}): Program => {
  checkOptions(options, ["laserMode", "maxPower", "returnHome"]);
  const laserMode = checkOneOf("laserMode", options.laserMode ?? "M4", ["M4", "M3"]);
  const maxPower = checkNumber("maxPower", options.maxPower ?? 1000, { min: 1, max: 100_000, integer: true });
  const { returnHome = true } = options;
  checkFlag("returnHome", returnHome);
  checkOps(ops);

  const head = ["G21", "G90", "G17", `${laserMode} S0`];
  const tail = ["M5 S0", ...(returnHome ? ["G0 X0 Y0"] : []), "M2"];
  return withEngine((engine) => write(engine, ops, maxPower, head, tail));
});

function write(
  engine: Engine,
  ops: Ops,
  maxPower: number,
  headLines: string[],
  tailLines: string[],
): Program {
  const { kernels } = engine;
  const n = ops.kinds.length;
  const stages = new Stages();
  const modal = engine.push(Int32Array.of(UNSET, UNSET, -1, -1, -1, headLines.length, UNSET));
  const box = engine.push(Float64Array.of(Infinity, Infinity, -Infinity, -Infinity, 0));
  const table = engine.alloc(4000);
  kernels.layDigits(table);
  const place = placeFor(engine, Math.min(CHUNK, n), ops.z !== undefined);
  const lineOfOp = new Int32Array(n);
  // the text lies last, so that it can grow in place
  const text = engine.alloc(0);
  let bytes = 0;
  for (let from = 0; from < n; from += CHUNK) {
    const count = Math.min(CHUNK, n - from);
    const missing = text + bytes + LINE_BYTES * count + 8 - engine.mark();
    if (missing > 0) engine.alloc(missing);
    copyIn(engine, place, ops, from, count);
    const { kinds, xy, centers, power, speed, z, lineOf } = place;
    const share = count / n;
    const good = stages.run(share * 0.2, count, () =>
      kernels.surveyOps(kinds, xy, centers, power, speed, z, count, box),
    );
    if (good < count) throw refuse(ops, from + good);
    const at = (text + bytes) as Pointer;
    bytes += stages.run(share * 0.8, count, () =>
      kernels.writeOps(kinds, xy, centers, power, speed, z, count, maxPower, modal, table, lineOf, at),
    );
    lineOfOp.set(engine.i32(lineOf, count), from);
  }
  const head = ascii(headLines);
  const tail = ascii(tailLines);
  const whole = new Uint8Array(head.length + bytes + tail.length);
  whole.set(head);
  whole.set(engine.u8(text, bytes), head.length);
  whole.set(tail, head.length + bytes);
  const [minX, minY, maxX, maxY, seconds] = [...engine.f64(box, 5)] as [
    number,
    number,
    number,
    number,
    number,
  ];
  const bounds = n === 0 ? { minX: 0, minY: 0, maxX: 0, maxY: 0 } : { minX, minY, maxX, maxY };
  return { bytes: whole, lines: engine.i32(modal, 7)[5]! + tailLines.length, lineOfOp, bounds, seconds };
}

/** Where a chunk of moves lies in kernel memory. */
type Place = { readonly [K in keyof Ops | "lineOf"]-?: Pointer };

function placeFor(engine: Engine, count: number, heights: boolean): Place {
  return {
    kinds: engine.alloc(count),
    xy: engine.alloc(8 * (count + 1)),
    centers: engine.alloc(8 * count),
    power: engine.alloc(4 * count),
    speed: engine.alloc(4 * count),
    z: heights ? engine.alloc(4 * (count + 1)) : NOWHERE,
    lineOf: engine.alloc(4 * count),
  };
}

/** Copies some moves in; their points and heights begin with where the first of them starts. */
function copyIn(engine: Engine, place: Place, ops: Ops, from: number, count: number): void {
  const end = from + count;
  const points = engine.f32(place.xy, 2 * (count + 1));
  points.fill(0, 0, 2);
  points.set(ops.xy.subarray(Math.max(2 * from - 2, 0), 2 * end), from === 0 ? 2 : 0);
  engine.u8(place.kinds, count).set(ops.kinds.subarray(from, end));
  engine.f32(place.centers, 2 * count).set(ops.centers.subarray(2 * from, 2 * end));
  engine.f32(place.power, count).set(ops.power.subarray(from, end));
  engine.f32(place.speed, count).set(ops.speed.subarray(from, end));
  if (ops.z === undefined) return;
  const heights = engine.f32(place.z, count + 1);
  heights.set(ops.z.subarray(from, end), 1);
  heights[0] = ops.z[Math.max(from - 1, 0)]!;
}

/** Says what is wrong with a move that the kernel refused. */
export function refuse({ kinds, xy, centers, power, speed, z }: Ops, op: number): KerfworkError {
  const [x, y] = xy.subarray(2 * op, 2 * op + 2) as unknown as [number, number];
  const [centerX, centerY] = centers.subarray(2 * op, 2 * op + 2) as unknown as [number, number];
  const far = z === undefined ? 2_000_000 : 9999;
  const isFar = (value: number): boolean => !(Math.abs(value) <= far);
  let why = `to end on its circle around (${centerX}, ${centerY}), at most 2000000 mm in radius, got (${x}, ${y})`;
  if (kinds[op]! > 3) why = `to be of kind 0..3, got ${kinds[op]}`;
  else if (isFar(x) || isFar(y)) why = `to end within ${far} mm of the origin, got (${x}, ${y})`;
  else if (z !== undefined && !(Math.abs(z[op]!) <= 999))
    why = `to have a height of -999..999 mm, got ${z[op]}`;
  else if (!(power[op]! >= 0 && power[op]! <= 1)) why = `to have a power of 0..1, got ${power[op]}`;
  else if (!(speed[op]! >= Math.fround(0.001) && speed[op]! <= 1e6))
    why = `to have a speed of 0.001..1000000 mm/min, got ${speed[op]}`;
  else if (isFar(centerX) || isFar(centerY))
    why = `to have its centre within ${far} mm of the origin, got (${centerX}, ${centerY})`;
  return new KerfworkError("INVALID_ARGUMENT", `Expected op ${op} ${why}`, { data: { op } });
}

function ascii(lines: string[]): Uint8Array {
  return new TextEncoder().encode(`${lines.join("\n")}\n`);
}
