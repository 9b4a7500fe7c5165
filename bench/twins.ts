import { extract } from "../src/engine/contours.ts";
import { type FitMode, fitBorders } from "../src/engine/fit.ts";
import { type Engine, type Kernels, Stages } from "../src/engine/memory.ts";
import type { Curves } from "../src/engine/trace.ts";
import type { Entrant } from "./harness.ts";
import type { Pair } from "./pairs.ts";

/** Kernels in JavaScript that was compiled from their own source; `bench/twin.mjs`. */
export type Twin = Pick<Kernels, "fit" | "fitScratch" | "nestBytes" | "nestItems">;

/** Borders to outlines; the items are the corners of the borders. */
export function fitPair(
  engine: Engine,
  makeTwin: (buffer: ArrayBufferLike) => Twin,
  picture: Int32Array,
  width: number,
  height: number,
  mode: FitMode,
): Pair {
  const bitmap = { at: engine.push(picture), width, height, words: (width + 63) >> 6 };
  const borders = extract(engine, bitmap, { despecklePx: 0 }, new Stages(), 1);
  const fit = (): Curves => {
    const start = engine.mark();
    const options = { mode, tolerancePx: 0.5, mmPerPx: 0.1 };
    const curves = fitBorders(engine, borders, options, new Stages(), 1);
    engine.release(start);
    return curves;
  };
  let curves = fit(); // memory is now as large as it gets, so the twin's views hold
  const slot = engine as { kernels: Kernels };
  const { kernels } = engine;
  const twin = { ...kernels, ...makeTwin(engine.memory.buffer) };
  const entrant = (own: Kernels): Entrant => ({
    run: () => {
      slot.kernels = own;
      curves = fit();
      slot.kernels = kernels;
    },
    result: () => [curves.ends, curves.kinds, curves.xy, curves.depth],
  });
  return { items: borders.corners, kernel: entrant(kernels), reference: entrant(twin) };
}

/** What lies in what, of n squares on a grid, each third inside the one before it. */
export function nestPair(engine: Engine, makeTwin: (buffer: ArrayBufferLike) => Twin, n: number): Pair {
  const xy = new Float32Array(10 * n);
  const side = Math.ceil(Math.sqrt(n));
  for (let i = 0; i < n; i++) {
    const host = i % 3 === 2 ? i - 1 : i;
    const [x, y] = [(host % side) * 10, Math.floor(host / side) * 10];
    const [low, high] = host === i ? [1, 9] : [3, 7];
    xy.set(
      [x + low, y + low, x + high, y + low, x + high, y + high, x + low, y + high, x + low, y + low],
      10 * i,
    );
  }
  const points = 5 * n;
  const at = engine.push(xy);
  const first = engine.push(Uint32Array.from({ length: n + 1 }, (_, i) => 5 * i));
  const closed = engine.push(new Uint8Array(n).fill(1));
  const owner = engine.push(Uint32Array.from({ length: points }, (_, i) => Math.floor(i / 5)));
  const starts = engine.alloc(4 * (n + 1));
  const around = engine.alloc(4 * n);
  const scratch = engine.alloc(engine.kernels.nestBytes(n, points));
  const twin = makeTwin(engine.memory.buffer);
  let count = 0;
  const entrant = (kernels: Twin): Entrant => ({
    run: () => {
      count = kernels.nestItems(at, points, first, closed, n, owner, starts, around, n, scratch);
    },
    result: () => [count, engine.u32(starts, n + 1).slice(), engine.u32(around, count).slice()],
  });
  return { items: n, kernel: entrant(engine.kernels), reference: entrant(twin) };
}
