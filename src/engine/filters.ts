import type { Filter } from "./chain.ts";
import type { Engine, Pointer } from "./memory.ts";
import type { Tone } from "./tone.ts";

/** The filters of a tone, in their order; allocates their tables on `engine`. */
export function filtersOf(engine: Engine, width: number, height: number, tone: Tone): Filter[] {
  return [
    ...(tone.denoise ? [medianOf(engine, width, height)] : []),
    ...(tone.blurPx > 0 ? blurOf(engine, width, height, tone.blurPx) : []),
    ...(tone.threshold === "adaptive" ? [sauvolaOf(engine, width, height, tone.adaptive)] : []),
  ];
}

function medianOf({ kernels }: Engine, width: number, height: number): Filter {
  return {
    rowBytes: width,
    above: 1,
    below: 1,
    cost: 0.3,
    run: (rows, top, y, n, out) => kernels.median(rows, top, width, height, y, n, out),
  };
}

function blurOf(engine: Engine, width: number, height: number, sigma: number): [Filter, Filter] {
  const { kernels } = engine;
  const weights = gaussian(sigma);
  const radius = weights.length - 1;
  const at = engine.push(weights);
  const stride = Math.ceil(width / 16) * 16;
  const line = engine.alloc(stride + 2 * radius);
  const places = engine.alloc((2 * (radius + 1) + 4) * 4);
  return [
    {
      rowBytes: width,
      above: 0,
      below: 0,
      cost: 0.2 + 0.06 * radius,
      run: (rows, top, y, n, out) =>
        kernels.blurAcross((rows + (y - top) * width) as Pointer, width, n, at, radius, line, out),
    },
    {
      rowBytes: stride * 2,
      above: radius,
      below: radius,
      cost: 0.2 + 0.08 * radius,
      run: (rows, top, y, n, out) =>
        kernels.blurDown(rows, top, width, height, y, n, at, radius, places, out),
    },
  ];
}

/** The sum of `gaussian`: twice that is one. */
const HALF = 8192;

/**
 * Weights of the pixels 0, 1, 2, ... to one side, the first halved, for as many as an odd number after the first; their
 * sum is 8192. What lies beyond three standard deviations is left out.
 */
export function gaussian(sigma: number): Uint16Array {
  const radius = Math.max(1, Math.ceil(3 * sigma)) | 1;
  const bell = Array.from({ length: radius + 1 }, (_, j) => Math.exp(-(j * j) / (2 * sigma * sigma)));
  bell[0]! /= 2;
  const sum = bell.reduce((a, b) => a + b);
  const weights = Uint16Array.from(bell, (value) => Math.round((HALF * value) / sum));
  // the rounding goes to the middle
  weights[0] = 0;
  weights[0] = HALF - weights.reduce((a, b) => a + b);
  return weights;
}

function sauvolaOf(engine: Engine, width: number, height: number, { windowPx, k }: Tone["adaptive"]): Filter {
  const { kernels } = engine;
  const radius = (windowPx - 1) / 2;
  const state = engine.alloc(kernels.sauvolaBytes(width));
  return {
    rowBytes: width,
    above: radius + 1,
    below: radius,
    cost: 2.8,
    run: (rows, top, y, n, out) => kernels.sauvola(rows, top, width, height, y, n, radius, k, state, out),
  };
}
