// Paths as plain lists of points, seeded ones to try things on, and what tests of path functions share.
import { readFileSync } from "node:fs";
import { KerfworkError, type Paths } from "kerfwork";
import * as assert from "uvu/assert";
import { Engine, type Pointer } from "../src/engine/memory.ts";
import { random } from "./oracle.ts";
import type { Point } from "./outline.ts";

export const NONE: Paths = { ends: new Uint32Array(0), xy: new Float32Array(0) };

export function pathsOf(...paths: (readonly Point[])[]): Paths {
  let n = 0;
  return {
    ends: Uint32Array.from(paths, (path) => (n += path.length)),
    xy: Float32Array.from(paths.flat(2) as number[]),
  };
}

export function listsOf({ ends, xy }: Paths): Point[][] {
  let p = 0;
  return Array.from(ends, (end) => {
    const points: Point[] = [];
    for (; p < end; p++) points.push([xy[2 * p]!, xy[2 * p + 1]!]);
    return points;
  });
}

/** Closed, by its corners. */
export const ring = (...points: Point[]): Point[] => [...points, points[0]!];
export const box = (x0: number, y0: number, x1: number, y1: number): Point[] =>
  ring([x0, y0], [x1, y0], [x1, y1], [x0, y1]);

export const same = (a: Point, b: Point): boolean => a[0] === b[0] && a[1] === b[1];

export const lengthOf = (points: readonly Point[]): number =>
  points.slice(1).reduce((sum, [x, y], i) => sum + Math.hypot(x - points[i]![0], y - points[i]![1]), 0);

/** A random walk of `n` points whose steps are up to `step` long; back to its start when closed. */
export function walk(seed: number, n: number, step: number, closed = false): Point[] {
  const next = random(seed);
  let [x, y, angle] = [50 * next(), 50 * next(), 7 * next()];
  const points = Array.from({ length: n }, (): Point => {
    angle += next() - 0.5;
    x = Math.fround(x + step * next() * Math.cos(angle));
    y = Math.fround(y + step * next() * Math.sin(angle));
    return [x, y];
  });
  return closed ? [...points, points[0]!] : points;
}

/** The text of the error that a call ends with. */
export function messageOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    assert.instance(error, KerfworkError);
    assert.is((error as KerfworkError).code, "INVALID_ARGUMENT");
    return (error as Error).message;
  }
  return "nothing was thrown";
}

/** Says of a function of paths what all of them have to say of paths that are none. */
export function assertRefusals(run: (paths: Paths) => unknown): void {
  const says = (paths: unknown): string => messageOf(() => run(paths as Paths));
  const good = pathsOf([
    [1, 2],
    [3, 4],
  ]);
  assert.is(says(null), "Expected `paths` to be a Paths object, got null");
  assert.is(says({ ...good, ends: [2] }), "Expected `paths.ends` to be a Uint32Array, got an array of 1");
  assert.is(
    says({ ...good, xy: [1, 2, 3, 4] }),
    "Expected `paths.xy` to be a Float32Array, got an array of 4",
  );
  assert.is(
    says({ ...good, ends: Uint32Array.of(3) }),
    'Expected `paths.xy` to be 2 numbers for each of 3 points, got "4 numbers"',
  );
  assert.is(
    says({ ...good, ends: Uint32Array.of(2, 1) }),
    "Expected `paths.ends[1]` to be >= 2, the end before it, got 1",
  );
  for (const bad of [Number.NaN, Infinity, -Infinity])
    assert.is(
      says(
        pathsOf(
          [],
          [
            [1, 2],
            [3, 4],
          ],
          [
            [0, 0],
            [5, bad],
            [1, 1],
          ],
        ),
      ),
      `Expected path 2, point 1 to be finite, got (5, ${bad})`,
    );
}

const moduleOf = (path: string): WebAssembly.Module => new WebAssembly.Module(readFileSync(path));
export const release = new Engine(undefined, moduleOf("dist/kernels.wasm"));
export const debug = new Engine(undefined, moduleOf("build/kernels-debug.wasm"));

/** Buffers with 64 guard bytes on both sides. */
export class Guards {
  readonly #placed: [Pointer, number][] = [];
  readonly engine: Engine;

  constructor(engine: Engine) {
    this.engine = engine;
  }

  room(bytes: number): Pointer {
    const at = (this.engine.alloc(bytes + 128) + 64) as Pointer;
    this.engine.u8((at - 64) as Pointer, bytes + 128).fill(0xa5);
    this.#placed.push([at, bytes]);
    return at;
  }

  push(values: Uint32Array | Float32Array | Float64Array | Uint8Array): Pointer {
    const at = this.room(values.byteLength);
    this.engine
      .u8(at, values.byteLength)
      .set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
    return at;
  }

  check(): void {
    for (const [at, bytes] of this.#placed) {
      const before = this.engine.u8((at - 64) as Pointer, 64);
      const after = this.engine.u8((at + bytes) as Pointer, 64);
      assert.ok(before.every((byte) => byte === 0xa5) && after.every((byte) => byte === 0xa5));
    }
  }
}

/** Calls a kernel while its memory says that the work is canceled. */
export function whileCanceled(engine: Engine, kernel: () => number): number {
  const cancel = engine.i32(0 as Pointer, 1);
  cancel[0] = 1;
  try {
    return kernel();
  } finally {
    cancel[0] = 0;
  }
}
