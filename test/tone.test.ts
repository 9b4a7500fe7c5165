import { readFileSync } from "node:fs";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { filtersOf } from "../src/engine/filters.ts";
import { type BitmapOptions, checkImage, type Image, toBitmap } from "../src/engine/image.ts";
import { Engine, type Pointer, Stages } from "../src/engine/memory.ts";
import { checkTone, DEFAULT_TONE, type Tone, type ToneOptions } from "../src/engine/tone.ts";
import type { KerfworkError } from "../src/errors.ts";
import { medianOf, noise, SIDES, sauvolaOf } from "./grays.ts";
import { grayOf, otsuOf, random } from "./oracle.ts";

const moduleOf = (path: string): WebAssembly.Module => new WebAssembly.Module(readFileSync(path));
const newMemory = (): WebAssembly.Memory =>
  new WebAssembly.Memory({ initial: 2, maximum: 16384, shared: true });
const release = new Engine(newMemory(), moduleOf("dist/kernels.wasm"));
const debug = new Engine(newMemory(), moduleOf("build/kernels-debug.wasm"));

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

test("alphaGray makes the opaque black, SIMD as scalar, debug as release", () => {
  for (let n = 0; n <= 70; n++) {
    const pixels = noise(n, 4 * n);
    const expected = Array.from({ length: n }, (_, i) => 255 - pixels[4 * i + 3]!);
    const run = (engine: Engine, scalar: boolean): number[] =>
      engine.run(({ kernels }) => {
        const from = engine.push(pixels);
        const to = engine.alloc(n + 64);
        engine.u8(to, n + 64).fill(0xa5);
        assert.is((scalar ? kernels.alphaGrayScalar : kernels.alphaGray)(from, n, to), 0);
        assert.ok(engine.u8((to + n) as Pointer, 64).every((byte) => byte === 0xa5));
        return Array.from(engine.u8(to, n));
      });
    assert.equal(run(release, false), expected);
    assert.equal(run(release, true), expected);
    assert.equal(run(debug, false), expected);
  }
});

test("alphaSpan spans the gray of the more opaque half, run after run, SIMD as scalar, debug as release", () => {
  for (let n = 0; n <= 70; n++) {
    // of little contrast, so that each pixel matters for the span in some picture
    const pixels = noise(n, 4 * n).map((value, i) => (i % 4 === 3 ? 120 + (value % 32) : value >> 1));
    const runs = [pixels.subarray(0, 4 * (n >> 1)), pixels.subarray(4 * (n >> 1))];
    let [darkest, lightest, clear] = [255, 0, 0];
    for (let i = 0; i < n; i++) {
      const [r, g, b, alpha] = pixels.subarray(4 * i);
      const gray = grayOf(r!, g!, b!);
      if (alpha! < 128) clear = 1;
      else [darkest, lightest] = [Math.min(darkest, gray), Math.max(lightest, gray)];
    }
    const run = (engine: Engine, scalar: boolean): number[] =>
      engine.run(({ kernels }) => {
        const span = engine.push(new Int32Array([255, 0, 0, 77]));
        for (const run of runs)
          (scalar ? kernels.alphaSpanScalar : kernels.alphaSpan)(engine.push(run), run.length / 4, span);
        return Array.from(engine.i32(span, 4));
      });
    const expected = [darkest, lightest, clear, 77];
    assert.equal(run(release, false), expected);
    assert.equal(run(release, true), expected);
    assert.equal(run(debug, false), expected);
  }
});

test("mapGray takes each gray to its entry, for runs of any length", () => {
  const table = noise(1, 256);
  for (const n of [0, 1, 7, 8, 9, 255, 40_000])
    for (const engine of [release, debug])
      engine.run(({ kernels }) => {
        const values = noise(n, n + 64);
        const gray = engine.push(values);
        assert.is(kernels.mapGray(gray, n, engine.push(table)), 0);
        assert.equal(
          engine.u8(gray, n + 64).slice(),
          values.map((value, i) => (i < n ? table[value]! : value)),
        );
      });
});

test("hasGray finds a pixel that is neither black nor white, wherever it is", () => {
  for (const engine of [release, debug])
    for (const n of [0, 1, 7, 31, 32, 33, 100, 70_000])
      engine.run(({ kernels }) => {
        // behind the last pixel there may be anything
        const plane = noise(n, n + 64).map((value, i) => (i < n ? (value & 1) * 255 : 100));
        const at = engine.push(plane);
        assert.is(kernels.hasGray(at, n), 0);
        for (const k of n < 1000 ? plane.slice(0, n).keys() : [0, 65_537, n - 1])
          for (const value of [1, 127, 128, 254]) {
            const kept = engine.u8(at, n)[k]!;
            engine.u8(at, n)[k] = value;
            assert.is(kernels.hasGray(at, n), 1, `${value} at ${k} of ${n}`);
            engine.u8(at, n)[k] = kept;
          }
      });
});

test("moveBytes moves over itself", () => {
  for (const [n, by] of [
    [0, 3],
    [10, 3],
    [300_000, 1],
    [300_000, 131_072],
    [300_000, 300_000],
  ] as const)
    release.run((engine) => {
      const values = noise(n, n + by);
      const at = engine.push(values);
      assert.is(engine.kernels.moveBytes((at + by) as Pointer, at, n), 0);
      const expected = values.slice();
      expected.copyWithin(0, by, by + n);
      assert.equal(engine.u8(at, n + by).slice(), expected);
    });
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

const levelsOf = (value: number, black: number, white: number): number =>
  Math.min(1, Math.max(0, (value - black) / (white - black)));

/** A picture through `toBitmap`: its bits, one byte a pixel, and the gray with its threshold. */
function toned(image: Image, options: Partial<Tone>): { black: number[]; gray: number[]; threshold: number } {
  const tone = { ...DEFAULT_TONE, ...options };
  const { gray, threshold } = release.run((engine) => {
    const result = toBitmap(engine, image, { ...tone, keepGray: true }, new Stages(), 1);
    const gray = Array.from(engine.u8(result.gray!, image.width * image.height));
    return { gray, threshold: result.threshold };
  });
  const { pixels } = packed(image, tone);
  assert.equal(
    pixels,
    gray.map((value) => Number(value < threshold)),
    "black is gray below the threshold",
  );
  return { black: pixels, gray, threshold };
}

const ofGrays = (width: number, grays: readonly number[]): Image => ({
  width,
  height: grays.length / width,
  data: Uint8Array.from(grays),
});

test("levels and gamma make their tones before the threshold", () => {
  const ramp = ofGrays(
    256,
    Array.from({ length: 256 }, (_, i) => i),
  );
  const { gray, black } = toned(ramp, { levels: { black: 50, white: 200 }, threshold: 128 });
  assert.equal(
    gray,
    Array.from({ length: 256 }, (_, i) => Math.round(255 * levelsOf(i, 50, 200))),
  );
  assert.is(black.lastIndexOf(1), 124); // 126 of 255; 125 is 127.5, which rounds up
  const light = toned(ramp, { gamma: 2, threshold: 128 });
  assert.equal(
    light.gray,
    Array.from({ length: 256 }, (_, i) => Math.round(Math.sqrt(i * 255))),
  );
  assert.is(light.gray[64], 128);
  assert.is(toned(ramp, { gamma: 0.5 }).gray[128], Math.round(128 ** 2 / 255));
  assert.equal(toned(ramp, { levels: { black: 254, white: 255 } }).gray.slice(253), [0, 0, 255]);
});

test("a range is black from its first to its last gray, and its gray tells how far it is away", () => {
  const ramp = ofGrays(
    256,
    Array.from({ length: 256 }, (_, i) => i),
  );
  for (const [from, to] of [
    [0, 255],
    [0, 0],
    [255, 255],
    [100, 100],
    [0, 99],
    [80, 140],
    [200, 255],
  ] as const) {
    const { black, gray, threshold } = toned(ramp, { threshold: { from, to } });
    assert.is(threshold, 128);
    assert.equal(
      black,
      Array.from({ length: 256 }, (_, i) => Number(from <= i && i <= to)),
    );
    const away = (i: number): number => Math.max(from - i, i - to);
    assert.equal(
      gray,
      Array.from({ length: 256 }, (_, i) => Math.min(255, Math.max(0, 127 + away(i)))),
    );
    assert.equal(
      packed(ramp, { threshold: { from, to }, invert: true }).pixels,
      black.map((bit) => 1 - bit),
    );
  }
});

test("toBitmap does its tone work in order: levels, gamma, median, blur, threshold, for any sides and channels", () => {
  const blurred = (width: number, height: number, data: Uint8Array, tone: Tone): Uint8Array =>
    debug.run((engine) => {
      let at = engine.push(data);
      for (const filter of filtersOf(engine, width, height, { ...tone, denoise: false, threshold: 0 })) {
        const out = engine.alloc(Math.ceil(width / 16) * 32 * height);
        filter.run(at, 0, 0, height, out);
        at = out;
      }
      return engine.u8(at, width * height).slice();
    });
  const tone: Tone = {
    ...DEFAULT_TONE,
    levels: { black: 20, white: 230 },
    gamma: 1.5,
    denoise: true,
    blurPx: 1.2,
  };
  for (const [width, height] of [...SIDES, [1500, 130], [70_000, 2]] as const)
    for (const channels of width > 1000 ? [4] : [1, 3, 4]) {
      const image = { width, height, data: noise(width + channels, width * height * channels) };
      const mapped = Uint8Array.from(graysOf(image), (value) =>
        Math.round(255 * levelsOf(value, 20, 230) ** (1 / 1.5)),
      );
      const denoised = medianOf({ width, height, data: mapped });
      const expected = blurred(width, height, denoised.data, tone);
      const at = `${width} x ${height} x ${channels}`;
      const counts = new Array<number>(256).fill(0);
      for (const value of expected) counts[value]!++;
      const otsu = toned(image, { ...tone, source: "luma" });
      assert.equal(Uint8Array.from(otsu.gray), expected, at);
      assert.is(otsu.threshold, otsuOf(counts), at);
      for (const threshold of [100, { from: 90, to: 150 }] as const) {
        const { pixels } = packed(image, { ...tone, source: "luma", threshold });
        const isBlack = (value: number): boolean =>
          typeof threshold === "number" ? value < threshold : value >= 90 && value <= 150;
        assert.is(
          pixels.findIndex((black, i) => black !== Number(isBlack(expected[i]!))),
          -1,
          at,
        );
      }
    }
});

test("adaptive is Sauvola's threshold of each window, and finds light strokes when it is inverted", () => {
  for (const [width, height] of SIDES) {
    const data = noise(width, width * height);
    const adaptive = { windowPx: 5, k: 0.3 };
    const { black, threshold } = toned({ width, height, data }, { threshold: "adaptive", adaptive });
    assert.is(threshold, 128);
    for (const [i, offset] of sauvolaOf({ width, height, data }, 5, 0.3).entries())
      if (Math.abs(offset) > 0.002) assert.is(black[i], Number(offset < 0), `${width} x ${height}: ${i}`);
    const negative = { width, height, data: data.map((value) => 255 - value) };
    assert.equal(toned(negative, { threshold: "adaptive", adaptive, invert: true }).black, black);
  }
});

test("adaptive joins bands of many rows, and pieces of one long row, without a seam", () => {
  for (const [width, height] of [
    [1000, 700],
    [300_001, 2],
  ] as const) {
    const data = noise(2, width * height);
    const tone = { ...DEFAULT_TONE, threshold: "adaptive", adaptive: { windowPx: 63, k: 0.1 } } as const;
    const expected = release.run((engine) => {
      const [filter] = filtersOf(engine, width, height, tone);
      const out = engine.alloc(width * height);
      filter!.run(engine.push(data), 0, 0, height, out);
      return engine.u8(out, width * height).slice();
    });
    const rgba = new Uint8Array(width * height * 4 + 1).subarray(1);
    for (const [i, value] of data.entries()) rgba.fill(value, 4 * i, 4 * i + 3);
    for (let i = 3; i < rgba.length; i += 4) rgba[i] = 255;
    for (const picture of [data, rgba]) {
      const { pixels } = packed({ width, height, data: picture }, tone);
      assert.is(
        pixels.findIndex((black, i) => black !== Number(expected[i]! < 128)),
        -1,
      );
    }
  }
});

/** RGBA from rows of text: each letter stands for a pixel. */
function rgbaOf(colours: Readonly<Record<string, readonly number[]>>, ...rows: string[]): Image {
  const data = Uint8Array.from(rows.flatMap((row) => [...row].flatMap((letter) => [...colours[letter]!])));
  return { width: rows[0]!.length, height: rows.length, data };
}

const CROSS = [".#.", "###", ".#."];
const CROSS_BITS = [0, 1, 0, 1, 1, 1, 0, 1, 0];

test("source auto takes the shape of drawings in one colour on a transparent ground", () => {
  const auto = (image: Image): number[] => packed(image, { threshold: 128, source: "auto" }).pixels;
  for (const colour of [
    [0, 0, 0],
    [255, 255, 255],
    [255, 220, 0],
  ])
    for (const ground of [
      [0, 0, 0, 0],
      [255, 255, 255, 0],
      [90, 10, 200, 100],
    ])
      assert.equal(auto(rgbaOf({ ".": ground, "#": [...colour, 255] }, ...CROSS)), CROSS_BITS);
  // a little shading is no drawing of its own
  const shaded = { ".": [0, 0, 0, 0], "#": [255, 255, 255, 255], x: [192, 192, 192, 200] };
  assert.equal(auto(rgbaOf(shaded, ".#.", "#x#", ".#.")), CROSS_BITS);
  // nothing but transparency is nothing
  assert.equal(auto(rgbaOf({ ".": [0, 0, 0, 0] }, "...")), [0, 0, 0]);
});

test("source auto takes the colours of all other pictures", () => {
  const auto = (image: Image): number[] => packed(image, { threshold: 128, source: "auto" }).pixels;
  // white letters on a black disc on nothing: the shape alone would lose them
  const badge = { ".": [0, 0, 0, 0], "#": [0, 0, 0, 255], o: [255, 255, 255, 255] };
  assert.equal(auto(rgbaOf(badge, ".#.", "#o#", ".#.")), [0, 1, 0, 1, 0, 1, 0, 1, 0]);
  const contrast = { ".": [0, 0, 0, 0], "#": [255, 255, 255, 255], x: [191, 191, 191, 128] };
  assert.equal(auto(rgbaOf(contrast, ".#.", "#x#", ".#.")), new Array(9).fill(0));
  // without transparent pixels, plain or not
  const plain = { "#": [255, 255, 255, 255], x: [240, 240, 240, 128] };
  assert.equal(auto(rgbaOf(plain, "#x#")), [0, 0, 0]);
  assert.equal(auto({ width: 2, height: 1, data: Uint8Array.of(0, 255) }), [1, 0]);
  assert.equal(auto({ width: 2, height: 1, data: Uint8Array.of(0, 0, 0, 255, 255, 255) }), [1, 0]);
});

test("source auto looks at a whole picture before it takes the shape", () => {
  const [width, height] = [300, 1000];
  for (const isLast of [false, true]) {
    const data = new Uint8Array(width * height * 4).fill(255);
    data[3] = 0;
    if (isLast) data.fill(0, data.length - 4, data.length - 1);
    const { pixels } = packed({ width, height, data }, { threshold: 128, source: "auto" });
    const blacks = pixels.reduce((a, b) => a + b);
    assert.is(blacks, isLast ? 1 : width * height - 1);
  }
});

test("source as it is asked for", () => {
  const white = rgbaOf({ ".": [255, 255, 255, 0], "#": [255, 255, 255, 255] }, ...CROSS);
  assert.equal(packed(white, { threshold: 128, source: "luma" }).pixels, new Array(9).fill(0));
  const badge = { ".": [0, 0, 0, 0], "#": [0, 0, 0, 255], o: [255, 255, 255, 255] };
  const image = rgbaOf(badge, ".#.", "#o#", ".#.");
  assert.equal(packed(image, { threshold: 128, source: "alpha" }).pixels, CROSS_BITS);
  const edge = rgbaOf({ a: [9, 9, 9, 0], b: [9, 9, 9, 100], c: [9, 9, 9, 255] }, "abc");
  assert.equal(toned(edge, { source: "alpha" }).gray, [255, 155, 0]);
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
  packed(image, { threshold: { from: 3, to: 9 }, denoise: true, blurPx: 2 }, engine);
  assert.ok(engine.memory.buffer.byteLength < 4 * 2 ** 20);
  packed(image, { threshold: "adaptive" }, engine);
  assert.ok(engine.memory.buffer.byteLength < 4 * 2 ** 20);
});

test("toBitmap spends the share of progress that it is given, whatever its tone", () => {
  class Sum extends Stages {
    total = 0;
    override run(share: number, total: number, kernel: () => number): number {
      this.total += share;
      return super.run(share, total, kernel);
    }
  }
  const data = noise(1, 700 * 300 * 4);
  const tones: readonly Partial<Tone>[] = [
    { threshold: 9 },
    { threshold: "otsu", gamma: 2, invert: true },
    { threshold: { from: 3, to: 9 }, denoise: true },
    { threshold: "adaptive", blurPx: 1, levels: { black: 9, white: 99 } },
  ];
  for (const tone of tones)
    for (const keepGray of [false, true]) {
      const stages = new Sum();
      release.run((engine) => {
        const image = { width: 700, height: 300, data };
        toBitmap(engine, image, { ...DEFAULT_TONE, ...tone, keepGray }, stages, 0.3);
      });
      assert.ok(Math.abs(stages.total - 0.3) < 1e-9, `${JSON.stringify(tone)}: ${stages.total}`);
    }
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
      assert.is(kernels.mapGray(out, 40_000, tables), -1);
      assert.is(kernels.hasGray(out, 40_000), -1);
      assert.is(kernels.moveBytes(pixels, out, 140_000), -1);
      assert.is(kernels.alphaGray(pixels, 40_000, out), -1);
      assert.is(kernels.alphaSpan(pixels, 40_000, tables), -1);
      assert.is(kernels.threshold(out, 200, 200, pixels, 4, 128, 0), -1);
    } finally {
      cancel[0] = 0;
    }
    assert.is(kernels.luma(pixels, 4, 40_000, out), 0);
  });
});

test("checkTone fills in the defaults", () => {
  assert.equal(checkTone({}, 1), DEFAULT_TONE);
  assert.equal(checkTone({ levels: { black: 20 }, adaptive: { k: 0.5 } }, 3), {
    ...DEFAULT_TONE,
    levels: { black: 20, white: 255 },
    adaptive: { windowPx: 51, k: 0.5 },
  });
  assert.equal(
    checkTone({ levels: undefined, blurPx: undefined, adaptive: { k: undefined } } as never, 4),
    DEFAULT_TONE,
  );
  const extremes: ToneOptions = {
    source: "alpha",
    levels: { black: 254, white: 255 },
    gamma: 0.1,
    denoise: true,
    blurPx: 20,
    threshold: { from: 7, to: 7 },
    adaptive: { windowPx: 511, k: 1 },
    invert: true,
  };
  assert.equal(checkTone(extremes, 4), extremes);
});

test("checkTone names what is wrong", () => {
  const messageOf = (options: unknown, channels = 4): string => {
    try {
      checkTone(options as ToneOptions, channels);
    } catch (error) {
      assert.is((error as KerfworkError).code, "INVALID_ARGUMENT");
      return (error as Error).message;
    }
    return "nothing was thrown";
  };
  const cases: readonly [unknown, string][] = [
    [{ source: "shape" }, '`source` to be one of "auto", "luma", "alpha", got "shape"'],
    [{ levels: 3 }, "`levels` to be an object with black, white, got 3"],
    [{ levels: { blck: 3 } }, '`levels` to be an object with no other names than black, white, got "blck"'],
    [{ levels: { black: 255 } }, "`levels.black` to be an integer >= 0 and <= 254, got 255"],
    [{ levels: { black: 9, white: 9 } }, "`levels.white` to be an integer >= 10 and <= 255, got 9"],
    [{ gamma: 0 }, "`gamma` to be a finite number >= 0.1 and <= 10, got 0"],
    [{ denoise: 3 }, "`denoise` to be true or false, got 3"],
    [{ blurPx: 20.5 }, "`blurPx` to be a finite number >= 0 and <= 20, got 20.5"],
    [{ threshold: 1.5 }, "`threshold` to be an integer >= 0 and <= 255, got 1.5"],
    [
      { threshold: "sauvola" },
      '`threshold` to be "otsu", "adaptive", an integer >= 0 and <= 255, or { from, to }, got "sauvola"',
    ],
    [
      { threshold: null },
      '`threshold` to be "otsu", "adaptive", an integer >= 0 and <= 255, or { from, to }, got null',
    ],
    [
      { threshold: { from: 1, to: 2, by: 3 } },
      '`threshold` to be an object with no other names than from, to, got "by"',
    ],
    [{ threshold: { to: 2 } }, "`threshold.from` to be an integer >= 0 and <= 255, got undefined"],
    [{ threshold: { from: 9, to: 8 } }, "`threshold.to` to be an integer >= 9 and <= 255, got 8"],
    [{ adaptive: null }, "`adaptive` to be an object with windowPx, k, got null"],
    [
      { adaptive: { window: 9 } },
      '`adaptive` to be an object with no other names than windowPx, k, got "window"',
    ],
    [{ adaptive: { windowPx: 8 } }, "`adaptive.windowPx` to be an odd integer >= 3 and <= 511, got 8"],
    [{ adaptive: { windowPx: 513 } }, "`adaptive.windowPx` to be an odd integer >= 3 and <= 511, got 513"],
    [{ adaptive: { windowPx: "9" } }, '`adaptive.windowPx` to be an odd integer >= 3 and <= 511, got "9"'],
    [{ adaptive: { k: -0.1 } }, "`adaptive.k` to be a finite number >= 0 and <= 1, got -0.1"],
    [{ invert: "no" }, '`invert` to be true or false, got "no"'],
  ];
  for (const [options, message] of cases) assert.is(messageOf(options), `Expected ${message}`);
  for (const channels of [1, 3])
    assert.is(
      messageOf({ source: "alpha" }, channels),
      'Expected `source` to be "auto" or "luma" for a picture without transparency, got "alpha"',
    );
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
