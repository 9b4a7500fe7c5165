import type { Bitmap } from "./image.ts";
import type { Engine, Pointer, Stages } from "./memory.ts";

/**
 * Closed pixel borders in kernel memory, in raster order of their topmost edges. Where black and white meet crosswise, a
 * turn policy tells which pixels belong together. Border `i` holds the corners `ends[i-1]..ends[i]`; edges alternate horizontal, vertical; the first corner
 * follows the last and is not repeated. Black lies on the right hand: with y down, the shoelace area of outer borders is
 * positive and of holes negative, and all areas add up to the number of black pixels.
 */
export interface Borders {
  readonly contours: number;
  readonly corners: number;
  /** u32[contours], counting corners. */
  readonly ends: Pointer;
  /** i32[2 * corners]: x, y in px, y down; pixel (0, 0) spans (0, 0) to (1, 1). */
  readonly points: Pointer;
  /** u16[contours]: enclosing borders; odd is a hole. */
  readonly depth: Pointer;
}

/** In the order of the kernel's numbers. */
export const TURNS = ["white", "black", "majority", "minority"] as const;
export type Turn = (typeof TURNS)[number];

export interface ExtractOptions {
  /** Borders around less than this many pixels go, with all that they enclose; 0 or 1 keeps all. */
  readonly despecklePx: number;
  /** Whose pixels belong together where two black and two white ones meet crosswise (default "white"). */
  readonly turn?: Turn;
}

/**
 * Finds all borders of a bitmap, in time linear in its words and corners.
 * Peak memory: 33 bits a column and 16.5 bytes a corner: with the bitmap at most 2 bits a pixel and 24 bytes a corner, for
 * pictures at least 35 pixels high and 33 wide; 10.5 bytes a corner stay allocated on `engine`.
 */
export function extract(
  engine: Engine,
  bitmap: Bitmap,
  options: ExtractOptions,
  stages: Stages,
  share: number,
): Borders {
  const { at, words, height } = bitmap;
  const { kernels } = engine;
  const blank = engine.alloc(words * 8);
  const edges = stages.run(share * 0.1, height, () => kernels.countBorders(at, words, height, blank));

  // a border has at least two horizontal edges, and each of them two ends
  const ends = engine.alloc((edges / 2) * 4);
  const depth = engine.alloc((edges / 2) * 2);
  const points = engine.alloc(edges * 16);
  const mark = engine.mark();
  const turn = TURNS.indexOf(options.turn ?? "white");
  const shift = 32 - Math.clz32(bitmap.width);
  const links = engine.alloc((edges + 1) * 8);
  const beside = engine.alloc((edges + 1) * 4);
  const nest = engine.alloc((edges / 2) * 4);
  const open = engine.alloc((words * 64 + 2) * 4);
  const tally = engine.alloc(16);
  stages.run(share * 0.5, height, () =>
    kernels.linkBorders(at, words, height, blank, shift, turn, open, links, beside),
  );
  const contours = stages.run(share * 0.4, edges, () =>
    kernels.followBorders(links, edges, beside, shift, options.despecklePx, nest, tally, ends, points, depth),
  );
  engine.release(mark);
  const corners = contours === 0 ? 0 : engine.u32(ends, contours)[contours - 1]!;
  return { contours, corners, ends, points, depth };
}
