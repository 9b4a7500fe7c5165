import type { Engine, Pointer, Stages } from "./memory.ts";
import { type Labels, squaredDistances } from "./palette.ts";

/** The runs of equal labels in the rows of a picture, in kernel memory; `assembly/_runs.ts` owns the record at `state`. */
export interface Regions {
  readonly state: Pointer;
  readonly runs: number;
  /** Pixels of each label. */
  readonly counts: Uint32Array;
}

/**
 * Merges regions of less than `despecklePx` pixels into neighbours, in the labels themselves, and counts what each label
 * has then.
 * Memory: 20 bytes a run stay allocated on `engine`; 9 more and 4 for each of `despecklePx` while it runs.
 */
export function mergeSpecks(
  engine: Engine,
  labels: Labels,
  despecklePx: number,
  stages: Stages,
  share: number,
): Regions {
  const { kernels } = engine;
  const { at, width, height, palette } = labels;
  const runs = stages.run(share * 0.1, height, () => kernels.countRuns(at, width, height));
  const state = engine.alloc(64);
  const [starts, above, below, parent, ring] = [1, 0, 0, 0, 0].map((more) => engine.alloc(4 * (runs + more)));
  kernels.openRuns(state, runs, width, starts, above, below, parent, ring);
  const mark = engine.mark();
  const area = engine.alloc(4 * runs);
  const color = engine.alloc(runs);
  stages.run(share * 0.4, height, () => kernels.linkRuns(at, width, height, state, area, color));
  const least = Math.min(Math.ceil(despecklePx), width * height + 1);
  if (least > 1 && palette.length > 0) {
    const squares = engine.push(squaredDistances(palette));
    const scratch = engine.alloc(1152 + 4 * least + 4 * runs);
    const { length } = palette;
    stages.run(share * 0.4, runs, () =>
      kernels.mergeRegions(state, height, area, color, squares, length, least, scratch),
    );
  }
  const counts = engine.push(new Uint32Array(256));
  stages.run(share * 0.1, runs, () => kernels.paintRegions(state, color, at, counts));
  const found = engine.u32(counts, 256).slice();
  engine.release(mark);
  return { state, runs, counts: found };
}
