import { gaussian } from "../src/engine/filters.ts";
import type { Engine } from "../src/engine/memory.ts";
import type { Grays, Pair } from "./pairs.ts";
import * as js from "./reference/filters.ts";

/** The three filters on one gray picture that lies in memory as a whole. */
export function medianPair(engine: Engine, { gray, jsGray }: Grays, width: number, height: number): Pair {
  const out = engine.alloc(width * height);
  const jsOut = new Uint8Array(width * height);
  return {
    items: width * height,
    kernel: {
      run: () => engine.kernels.median(gray, 0, width, height, 0, height, out),
      result: () => engine.u8(out, jsOut.length),
    },
    reference: { run: () => js.median(jsGray, width, height, jsOut), result: () => jsOut },
  };
}

export function blurPair(
  engine: Engine,
  { gray, jsGray }: Grays,
  width: number,
  height: number,
  sigma: number,
): Pair {
  const { kernels } = engine;
  const weights = gaussian(sigma);
  const radius = weights.length - 1;
  const at = engine.push(weights);
  const stride = Math.ceil(width / 16) * 16;
  const line = engine.alloc(stride + 2 * radius);
  const places = engine.alloc((2 * (radius + 1) + 4) * 4);
  const middle = engine.alloc(stride * 2 * height);
  const out = engine.alloc(width * height);
  const room = js.blurRoom(width, height, radius);
  const jsOut = new Uint8Array(width * height);
  return {
    items: width * height,
    kernel: {
      run: () => {
        kernels.blurAcross(gray, width, height, at, radius, line, middle);
        kernels.blurDown(middle, 0, width, height, 0, height, at, radius, places, out);
      },
      result: () => engine.u8(out, jsOut.length),
    },
    reference: { run: () => js.blur(jsGray, width, height, weights, room, jsOut), result: () => jsOut },
  };
}

export function sauvolaPair(
  engine: Engine,
  { gray, jsGray }: Grays,
  width: number,
  height: number,
  windowPx: number,
  k: number,
): Pair {
  const radius = (windowPx - 1) / 2;
  const state = engine.alloc(engine.kernels.sauvolaBytes(width));
  const out = engine.alloc(width * height);
  const room = js.sauvolaRoom(width);
  const jsOut = new Uint8Array(width * height);
  return {
    items: width * height,
    kernel: {
      run: () => engine.kernels.sauvola(gray, 0, width, height, 0, height, radius, k, state, out),
      result: () => engine.u8(out, jsOut.length),
    },
    reference: {
      run: () => js.sauvola(jsGray, width, height, radius, k, room, jsOut),
      result: () => jsOut,
    },
  };
}
