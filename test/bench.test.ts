import { readFileSync } from "node:fs";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { blurPair, medianPair, sauvolaPair } from "../bench/filters.ts";
import { assertEqual, quantile, seeded } from "../bench/harness.ts";
import { hullPair } from "../bench/hulls.ts";
import * as pairs from "../bench/pairs.ts";
import { drawing, job, outlines, photo, strokes } from "../bench/scenes.ts";
import { Engine } from "../src/engine/memory.ts";

// The benches' references are opponents only while they do the same as the kernels, at every size and not just at the
// ones that are timed.

const release = new Engine(undefined, new WebAssembly.Module(readFileSync("dist/kernels.wasm")));

/** Runs both sides twice, as a timed pair would, and compares what they made. */
function same(pair: pairs.Pair, what: string): void {
  for (let round = 0; round < 2; round++) {
    pair.kernel.run();
    pair.reference.run();
    assertEqual(pair.kernel.result(), pair.reference.result(), what);
  }
}

function noise(seed: number, length: number, power = 1): Uint8Array {
  const random = seeded(seed);
  return Uint8Array.from({ length }, () => Math.floor(random() ** power * 256));
}

test("luma of the reference is luma of the kernel, opaque or not", () => {
  const rgba = noise(1, 4 * 4096).map((byte, i) => (i % 4 === 3 && i < 8192 ? 255 : byte));
  release.run((engine) => same(pairs.lumaPair(engine, rgba, 4), "gray of RGBA"));
  release.run((engine) => same(pairs.lumaPair(engine, noise(2, 3 * 4096), 3), "gray of RGB"));
});

test("histogram and otsu of the reference are those of the kernels", () => {
  for (const power of [0.5, 1, 2])
    release.run((engine) => {
      const jsGray = noise(3, 4096, power);
      const tables = pairs.histogramPair(engine, { gray: engine.push(jsGray), jsGray });
      same(tables, "counts");
      same(pairs.otsuPair(engine, tables), "threshold");
    });
});

test("threshold of the reference is that of the kernel at every level and width", () => {
  for (const width of [4, 28, 32, 36, 60, 64, 68, 124, 128, 132])
    for (const level of [0, 1, 127, 128, 129, 255])
      release.run((engine) => {
        const jsGray = noise(width, width * 5);
        const pair = pairs.thresholdPair(engine, { gray: engine.push(jsGray), jsGray }, width, 5, level);
        same(pair, `bits of ${width} x 5 below ${level}`);
      });
});

test("filters of the reference are those of the kernels", () => {
  for (const [width, height] of [
    [1, 1],
    [1, 60],
    [60, 1],
    [17, 9],
    [130, 70],
  ] as const)
    release.run((engine) => {
      const jsGray = noise(width, width * height);
      const grays = { gray: engine.push(jsGray), jsGray };
      same(medianPair(engine, grays, width, height), `median of ${width} x ${height}`);
      for (const sigma of [0.3, 1, 5])
        same(blurPair(engine, grays, width, height, sigma), `blur of ${width} x ${height} by ${sigma}`);
      for (const [windowPx, k] of [
        [3, 0.5],
        [51, 0],
        [511, 0.2],
      ] as const)
        same(sauvolaPair(engine, grays, width, height, windowPx, k), `offsets of ${width} x ${height}`);
    });
});

test("bits of the reference are those of the engine, over several bands", () => {
  const image = { width: 100, height: 90, data: photo(100, 90) };
  release.run((engine) => same(pairs.bitmapPair(engine, image, 130), "bits of a photo"));
});

test("the hull of the reference is that of the kernel", () => {
  const random = seeded(9);
  for (const n of [0, 1, 2, 3, 100, 5000])
    for (const grain of [0.001, 1, 50]) {
      const points = Float32Array.from(
        { length: 2 * n },
        () => Math.round((random() * 200 - 100) / grain) * grain,
      );
      release.run((engine) => same(hullPair(engine, points), `hull of ${n} points`));
    }
});

test("contours of the reference are those of the engine, nesting and all", () => {
  const random = seeded(5);
  for (const width of [1, 2, 31, 32, 33, 63, 64, 65, 127, 128, 129])
    for (const height of [1, 2, 40])
      for (const density of [0, 0.1, 0.5, 0.6, 0.9, 1]) {
        const words = ((width + 63) >> 6) * 2;
        const bits = new Int32Array(words * height);
        for (let y = 0; y < height; y++)
          for (let x = 0; x < width; x++) if (random() < density) bits[words * y + (x >> 5)] |= 1 << (x & 31);
        release.run((engine) => same(pairs.contourPair(engine, bits, width, height), `${width} x ${height}`));
      }
  release.run((engine) => same(pairs.contourPair(engine, drawing(300, 200, 120), 300, 200), "drawing"));
});

test("flattening of the reference is that of the kernels", () => {
  for (const tolerance of [1e-6, 0.02, 5])
    release.run((engine) => same(pairs.flattenPair(engine, outlines(40), tolerance), `within ${tolerance}`));
});

test("tours of the reference are those of the kernels", () => {
  for (const n of [1, 2, 3, 10, 500]) {
    release.run((engine) => {
      const { nearest, improve } = pairs.orderPairs(engine, strokes(n));
      same(nearest, `nearest of ${n}`);
      same(improve, `2-opt of ${n}`);
    });
  }
});

test("text of the reference is that of the kernel", () => {
  release.run((engine) => {
    const { ops, xy } = job(300);
    same(pairs.textPair(engine, ops, xy), "text");
  });
});

test("assertEqual tells where two results part", () => {
  assert.throws(
    () => assertEqual(Uint8Array.of(1, 2, 3), Uint8Array.of(1, 2, 4), "sums"),
    /^sums differ at byte 2 of 3 and 3: 3, 4$/,
  );
  assert.throws(() => assertEqual([1, 2], [1, 3], "counts"), /counts, part 1 differ: 2, 3/);
  assert.throws(() => assertEqual(Uint8Array.of(1), Uint8Array.of(1, 0), "sizes"), /sizes differ at byte 1/);
  assertEqual([1, Int32Array.of(-1)], [1, Uint32Array.of(2 ** 32 - 1)], "bytes");
});

test("quantile takes the nearest rank", () => {
  const values = Float64Array.of(5, 1, 4, 2, 3);
  assert.is(quantile(values, 0.5), 3);
  assert.is(quantile(values, 0.99), 5);
  assert.is(quantile(values, 0), 1);
  assert.equal(values, Float64Array.of(5, 1, 4, 2, 3));
});

test.run();
