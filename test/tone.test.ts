import { readFileSync } from "node:fs";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { type BitmapOptions, checkImage, type Image, toBitmap } from "../src/engine/image.ts";
import { Engine, type Pointer, Stages } from "../src/engine/memory.ts";
import { grayOf, otsuOf, random } from "./oracle.ts";

const moduleOf = (path: string): WebAssembly.Module => new WebAssembly.Module(readFileSync(path));
const newMemory = (): WebAssembly.Memory =>
  new WebAssembly.Memory({ initial: 2, maximum: 16384, shared: true });
const release = new Engine(newMemory(), moduleOf("dist/kernels.wasm"));
const debug = new Engine(newMemory(), moduleOf("build/kernels-debug.wasm"));

const noise = (seed: number, bytes: number): Uint8Array => {
  const next = random(seed);
  return Uint8Array.from({ length: bytes }, () => Math.floor(next() * 256));
};

/** The bitmap as one byte a pixel, and the words as they lie in memory. */
function packed(
  image: Image,
  options: Partial<BitmapOptions> = {},
  engine = release,
): { pixels: number[]; threshold: number; words: BigUint64Array } {
  return engine.run((engine) => {
    const { bitmap, threshold } = toBitmap(
      engine,
      image,
      { threshold: 128, invert: false, ...options },
      new Stages(),
      1,
    );
    const bytes = engine.u8(bitmap.at, bitmap.words * 8 * bitmap.height).slice();
    const pixels: number[] = [];
    for (let y = 0; y < image.height; y++)
      for (let x = 0; x < image.width; x++)
        pixels.push((bytes[y * bitmap.words * 8 + (x >> 3)]! >> (x & 7)) & 1);
    return { pixels, threshold, words: new BigUint64Array(bytes.buffer) };
  });
}

function graysOf({ width, height, data }: Image): number[] {
  const channels = data.length / (width * height);
  return Array.from({ length: width * height }, (_, i) => {
    const [r, g, b, a] = data.subarray(i * channels, (i + 1) * channels);
    return channels === 1 ? r! : grayOf(r!, g!, b!, a ?? 255);
  });
}

function gray(engine: Engine, pixels: Uint8Array, channels: number, scalar = false): number[] {
  return engine.run(({ kernels }) => {
    const n = pixels.length / channels;
    const from = engine.push(pixels);
    const to = engine.alloc(n + 64);
    engine.u8(to, n + 64).fill(0xa5);
    assert.is((scalar ? kernels.lumaScalar : kernels.luma)(from, channels, n, to), 0);
    const out = engine.u8(to, n + 64);
    assert.ok(
      out.subarray(n).every((byte) => byte === 0xa5),
      "bytes past the output are as they were",
    );
    return Array.from(out.subarray(0, n));
  });
}

test("luma weighs the colours and lays them over white", () => {
  const rgba = (...pixel: number[]): number => gray(release, Uint8Array.from(pixel), 4)[0]!;
  assert.is(rgba(0, 0, 0, 255), 0);
  assert.is(rgba(255, 255, 255, 255), 255);
  assert.is(rgba(255, 0, 0, 255), 77);
  assert.is(rgba(0, 255, 0, 255), 149);
  assert.is(rgba(0, 0, 255, 255), 29);
  assert.is(rgba(0, 0, 0, 0), 255);
  assert.is(rgba(0, 0, 0, 128), 127);
  assert.equal(gray(release, Uint8Array.of(255, 0, 0, 0, 255, 0), 3), [77, 149]);
});

test("luma gives the oracle's gray for every length, SIMD as scalar, debug as release", () => {
  for (const channels of [3, 4]) {
    for (let n = 0; n <= 70; n++) {
      const pixels = noise(n + channels, n * channels);
      const expected = graysOf({ width: n, height: 1, data: pixels });
      assert.equal(gray(release, pixels, channels), expected);
      assert.equal(gray(release, pixels, channels, true), expected);
      assert.equal(gray(debug, pixels, channels), expected);
    }
  }
});

test("luma blends every alpha with every gray as the oracle does", () => {
  const pixels = new Uint8Array(256 * 256 * 4);
  for (let i = 0; i < 65536; i++) pixels.set([i & 255, i & 255, i & 255, i >> 8], 4 * i);
  const expected = graysOf({ width: 256, height: 256, data: pixels });
  assert.equal(gray(release, pixels, 4), expected);
  assert.equal(gray(release, pixels, 4, true), expected);
});

test("luma takes opaque and transparent pixels in one run", () => {
  const pixels = noise(9, 4 * 1000);
  for (let i = 0; i < 1000; i++) if (i % 100 < 70) pixels[4 * i + 3] = 255;
  assert.equal(gray(release, pixels, 4), graysOf({ width: 1000, height: 1, data: pixels }));
});

function tablesOf(engine: Engine, runs: readonly Uint8Array[]): { counts: number[]; otsu: number } {
  return engine.run(({ kernels }) => {
    const tables = engine.push(new Uint32Array(4 * 256));
    for (const run of runs) kernels.histogram(engine.push(run), run.length, tables);
    const out = engine.u32(tables, 1024);
    const counts = Array.from(
      { length: 256 },
      (_, v) => out[v]! + out[256 + v]! + out[512 + v]! + out[768 + v]!,
    );
    return { counts, otsu: kernels.otsu(tables) };
  });
}

test("histogram adds up runs of any length", () => {
  const runs = [0, 1, 7, 8, 9, 1000].map((n) => noise(n, n));
  const counts = new Array<number>(256).fill(0);
  for (const run of runs) for (const value of run) counts[value]!++;
  assert.equal(tablesOf(release, runs).counts, counts);
  assert.equal(tablesOf(debug, runs).counts, counts);
});

test("otsu finds the threshold of exact arithmetic", () => {
  const next = random(10);
  for (let round = 0; round < 200; round++) {
    // two bumps of any place, width and weight
    const bumps = [0, 1].map(() => [next() * 255, 1 + next() * 40, next()] as const);
    const values = Uint8Array.from({ length: 500 }, () => {
      const [middle, width] = next() < bumps[0]![2] ? bumps[0]! : bumps[1]!;
      return Math.min(255, Math.max(0, middle + (next() + next() + next() - 1.5) * width));
    });
    const { counts, otsu } = tablesOf(release, [values]);
    assert.is(otsu, otsuOf(counts));
  }
});

test("otsu takes the middle of equals, and 128 where there is one value", () => {
  const of = (...values: number[]): number => tablesOf(release, [Uint8Array.from(values)]).otsu;
  assert.is(of(0, 255), 128);
  assert.is(of(0, 0, 0, 255), 128);
  assert.is(of(10, 11), 11);
  assert.is(of(10, 12), 12);
  assert.is(of(10, 13), 12);
  assert.is(of(100, 200), 151);
  assert.is(of(0), 128);
  assert.is(of(255), 128);
  assert.is(of(), 128);
  assert.is(of(0, 100, 200), 101);
  // 1..100 and 111..210 are equally good, what lies between is worse
  assert.is(of(0, 100, 110, 210), 51);
});

test("threshold packs what lies below the level, SIMD as scalar, debug as release", () => {
  for (const width of [1, 2, 15, 16, 17, 63, 64, 65, 127, 128, 129, 200]) {
    const height = 5;
    const image = noise(width, width * height);
    const words = Math.ceil(width / 64);
    for (const level of [0, 1, 127, 128, 255]) {
      for (const flip of [0, 1]) {
        const expected = new BigUint64Array(words * height);
        for (const [i, value] of image.entries()) {
          const x = i % width;
          const black = value < level !== (flip === 1);
          if (black) expected[Math.floor(i / width) * words + (x >> 6)]! |= 1n << BigInt(x & 63);
        }
        const pack = (engine: Engine, scalar: boolean): BigUint64Array =>
          engine.run(({ kernels }) => {
            const from = engine.push(image);
            const bytes = words * height * 8;
            const guard = engine.alloc(bytes + 128);
            engine.u8(guard, bytes + 128).fill(0xa5);
            const bits = (guard + 64) as Pointer;
            const run = scalar ? kernels.thresholdScalar : kernels.threshold;
            assert.is(run(from, width, height, bits, words, level, flip), 0);
            const all = engine.u8(guard, bytes + 128).slice();
            assert.ok(all.subarray(0, 64).every((byte) => byte === 0xa5));
            assert.ok(all.subarray(64 + bytes).every((byte) => byte === 0xa5));
            return new BigUint64Array(all.buffer, 64, words * height);
          });
        assert.equal(pack(release, false), expected);
        assert.equal(pack(release, true), expected);
        assert.equal(pack(debug, false), expected);
      }
    }
  }
});

test("toBitmap makes black what is darker than the threshold, for 1, 3 and 4 channels", () => {
  for (const channels of [1, 3, 4]) {
    for (const [width, height] of [
      [1, 1],
      [1, 300],
      [300, 1],
      [63, 5],
      [64, 5],
      [65, 5],
    ] as const) {
      const image = { width, height, data: noise(channels * width, channels * width * height) };
      const grays = graysOf(image);
      const black = grays.map((value) => Number(value < 100));
      assert.equal(packed(image, { threshold: 100 }).pixels, black);
      assert.equal(
        packed(image, { threshold: 100, invert: true }).pixels,
        black.map((bit) => 1 - bit),
      );
      const counts = new Array<number>(256).fill(0);
      for (const value of grays) counts[value]!++;
      const { threshold, pixels } = packed(image, { threshold: "otsu" });
      assert.is(threshold, otsuOf(counts));
      assert.equal(
        pixels,
        grays.map((value) => Number(value < threshold)),
      );
    }
  }
});

test("toBitmap joins bands without a seam: many rows, one long row, any alignment of the data", () => {
  for (const [width, height] of [
    [1000, 300],
    [300_001, 2],
    [3, 100_000],
  ] as const) {
    for (const channels of [1, 3, 4]) {
      const shift = channels; // not on a word of the buffer
      const data = noise(1, width * height * channels + shift).subarray(shift);
      const image = { width, height, data };
      const grays = graysOf(image);
      for (const threshold of [77, "otsu"] as const) {
        const result = packed(image, { threshold });
        const wrong = grays.findIndex((value, i) => Number(value < result.threshold) !== result.pixels[i]);
        assert.is(wrong, -1);
        const words = Math.ceil(width / 64);
        const spill = BigInt.asUintN(64, -1n << BigInt(width % 64));
        const spilled =
          width % 64 === 0
            ? -1
            : result.words.findIndex((word, i) => i % words === words - 1 && (word & spill) !== 0n);
        assert.is(spilled, -1, "bits past the width are 0");
      }
    }
  }
});

test("toBitmap keeps the gray on request: black is what lies below the threshold, inverted or not", () => {
  for (const [width, height] of [
    [65, 7],
    [1, 300],
    [300_001, 2],
  ] as const) {
    for (const channels of [1, 3, 4]) {
      const image = { width, height, data: noise(channels, width * height * channels) };
      for (const threshold of [0, 77, "otsu"] as const) {
        for (const invert of [false, true]) {
          release.run((engine) => {
            const options = { threshold, invert, keepGray: true };
            const result = toBitmap(engine, image, options, new Stages(), 1);
            const gray = engine.u8(result.gray!, width * height);
            const grays = graysOf(image);
            assert.is(
              grays.findIndex((value, i) => gray[i] !== (invert ? 255 - value : value)),
              -1,
            );
            const { pixels } = packed(image, { threshold, invert }, debug);
            assert.is(
              pixels.findIndex((black, i) => black !== Number(gray[i]! < result.threshold)),
              -1,
            );
            assert.is(toBitmap(engine, image, { threshold, invert }, new Stages(), 1).gray, undefined);
          });
        }
      }
    }
  }
});

test("toBitmap gives a dark picture of one value as black and a light one as white", () => {
  const flat = (value: number): number[] =>
    packed({ width: 3, height: 1, data: new Uint8Array(3).fill(value) }, { threshold: "otsu" }).pixels;
  assert.equal(flat(0), [1, 1, 1]);
  assert.equal(flat(127), [1, 1, 1]);
  assert.equal(flat(128), [0, 0, 0]);
  assert.equal(flat(255), [0, 0, 0]);
});

test("toBitmap needs memory for the bits and a band, not for the picture", () => {
  const engine = new Engine(newMemory(), moduleOf("dist/kernels.wasm"));
  const image = { width: 4000, height: 2000, data: new Uint8Array(4000 * 2000 * 4) };
  packed(image, { threshold: 10 }, engine);
  assert.ok(engine.memory.buffer.byteLength < 4 * 2 ** 20);
});

test("the tone kernels leave when they are canceled", () => {
  release.run((engine) => {
    const { kernels } = engine;
    const cancel = engine.i32(0 as Pointer, 1);
    const pixels = engine.alloc(40_000 * 4);
    const out = engine.alloc(40_000);
    const tables = engine.push(new Uint32Array(1024));
    cancel[0] = 1;
    try {
      assert.is(kernels.luma(pixels, 4, 40_000, out), -1);
      assert.is(kernels.histogram(out, 40_000, tables), -1);
      assert.is(kernels.threshold(out, 200, 200, pixels, 4, 128, 0), -1);
    } finally {
      cancel[0] = 0;
    }
    assert.is(kernels.luma(pixels, 4, 40_000, out), 0);
  });
});

test("checkImage names what is wrong", () => {
  const messageOf = (image: unknown): string => {
    try {
      checkImage(image as Image);
    } catch (error) {
      return (error as Error).message;
    }
    return "nothing was thrown";
  };
  const data = new Uint8Array(85);
  assert.is(
    messageOf(undefined),
    "Expected `image` to be an object with `width`, `height` and `data`, got undefined",
  );
  assert.is(messageOf({ width: 0, height: 7, data }), "Expected `image.width` to be an integer >= 1, got 0");
  assert.is(
    messageOf({ width: 12, height: 7.5, data }),
    "Expected `image.height` to be an integer >= 1, got 7.5",
  );
  assert.is(
    messageOf({ width: 12, height: 7, data }),
    "Expected `image.data` to be 1, 3 or 4 bytes for each of 12 x 7 pixels, got a Uint8Array of 85 bytes",
  );
  assert.is(
    messageOf({ width: 12, height: 7, data: new Uint8Array(168) }),
    "Expected `image.data` to be 1, 3 or 4 bytes for each of 12 x 7 pixels, got a Uint8Array of 168 bytes",
  );
  assert.is(
    messageOf({ width: 2, height: 2, data: [0, 0, 0, 0] }),
    "Expected `image.data` to be 1, 3 or 4 bytes for each of 2 x 2 pixels, got an array of 4",
  );
  assert.is(
    messageOf({ width: 40_000, height: 40_000, data }),
    "Expected `image` to have at most 1073741824 pixels, got 40000 x 40000",
  );
  for (const channels of [1, 3, 4] as const)
    assert.is(checkImage({ width: 2, height: 3, data: new Uint8Array(6 * channels) }), channels);
});

test.run();
