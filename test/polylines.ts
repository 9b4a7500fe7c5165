// Paths from points by hand, and back.

import type { Paths } from "kerfwork";
import type { Point } from "./outline.ts";

export const pathsOf = (...paths: Point[][]): Paths => {
  let n = 0;
  return {
    ends: Uint32Array.from(paths, (path) => (n += path.length)),
    xy: Float32Array.from(paths.flat(2)),
  };
};
export const ring = (...points: Point[]): Point[] => [...points, points[0]!];
export const box = (x0: number, y0: number, x1: number, y1: number): Point[] =>
  ring([x0, y0], [x1, y0], [x1, y1], [x0, y1]);
export const pointsOf = ({ ends, xy }: Paths): Point[][] =>
  Array.from(ends, (end, i) =>
    Array.from({ length: end - (ends[i - 1] ?? 0) }, (_, k): Point => {
      const at = 2 * ((ends[i - 1] ?? 0) + k);
      return [xy[at]!, xy[at + 1]!];
    }),
  );
