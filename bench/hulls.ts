import type { Engine } from "../src/engine/memory.ts";
import type { Pair } from "./pairs.ts";
import { HullRoom } from "./reference/hull.ts";

/** The convex hull of points; the items are the points. */
export function hullPair(engine: Engine, xy: Float32Array): Pair {
  const n = xy.length / 2;
  const from = engine.push(xy);
  const scratch = engine.alloc(engine.kernels.hullBytes(n));
  const out = engine.alloc(8 * (n + 1));
  const room = new HullRoom(n);
  let corners = 0;
  let jsCorners = 0;
  return {
    items: n,
    kernel: {
      run: () => {
        corners = engine.kernels.hull(from, n, scratch, out);
      },
      result: () => engine.f32(out, 2 * corners),
    },
    reference: {
      run: () => {
        jsCorners = room.hull(xy);
      },
      result: () => room.out.subarray(0, 2 * jsCorners),
    },
  };
}
