import { readFileSync } from "node:fs";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { assertEqual, quantile, seeded } from "../bench/harness.ts";
import { contourRoom, contours, countCorners } from "../bench/reference/contour.ts";
import * as tone from "../bench/reference/tone.ts";
import { drawing } from "../bench/scenes.ts";
import { extract } from "../src/engine/contours.ts";
import { Engine, Stages } from "../src/engine/memory.ts";

// The benches' references are opponents only while they do the same as the kernels, at every size and not just at the
// ones that are timed.

const engine = new Engine(undefined, new WebAssembly.Module(readFileSync("dist/kernels.wasm")));
const { kernels } = engine;

test("lumaRgba of the reference is luma of the kernel, opaque or not", () => {
  const random = seeded(1);
  const pixels = Uint8Array.from({ length: 4 * 4096 }, (_, i) =>
    i % 4 === 3 && i < 8192 ? 255 : Math.floor(random() * 256),
  );
  const gray = new Uint8Array(4096);
  tone.lumaRgba(new Int32Array(pixels.buffer), new Int32Array(gray.buffer));
  engine.run(() => {
    const at = engine.alloc(4096);
    kernels.luma(engine.push(pixels), 4, 4096, at);
    assertEqual(gray, engine.u8(at, 4096), "gray");
  });
});

test("lumaRgb of the reference is luma of the kernel", () => {
  const random = seeded(2);
  const pixels = Uint8Array.from({ length: 3 * 4096 }, () => Math.floor(random() * 256));
  const gray = new Uint8Array(4096);
  tone.lumaRgb(new Int32Array(pixels.buffer), new Int32Array(gray.buffer));
  engine.run(() => {
    const at = engine.alloc(4096);
    kernels.luma(engine.push(pixels), 3, 4096, at);
    assertEqual(gray, engine.u8(at, 4096), "gray");
  });
});

test("histogram and otsu of the reference are those of the kernels", () => {
  const random = seeded(3);
  const gray = Uint8Array.from({ length: 4096 }, () => Math.floor(random() ** 2 * 256));
  const tables = new Uint32Array(1024);
  tone.histogram(new Int32Array(gray.buffer), tables);
  engine.run(() => {
    const at = engine.push(new Uint32Array(1024));
    kernels.histogram(engine.push(gray), gray.length, at);
    const counted = engine.u32(at, 1024);
    for (let v = 0; v < 256; v++) {
      const both = [tables, counted].map((t) => t[v] + t[256 + v] + t[512 + v] + t[768 + v]);
      assert.is(both[0], both[1], `count of ${v}`);
    }
    assert.is(tone.otsu(tables), kernels.otsu(at));
  });
});

test("threshold of the reference is that of the kernel at every level and width", () => {
  const random = seeded(4);
  for (const width of [4, 28, 32, 36, 60, 64, 68, 124, 128, 132]) {
    const height = 5;
    const words = (width + 63) >> 6;
    const gray = Uint8Array.from({ length: width * height }, () => Math.floor(random() * 256));
    for (const level of [0, 1, 127, 128, 129, 255]) {
      const bits = new Int32Array(2 * words * height).fill(-1);
      tone.threshold(gray, width, height, level, bits);
      engine.run(() => {
        const at = engine.alloc(bits.byteLength);
        kernels.threshold(engine.push(gray), width, height, at, words, level, 0);
        assertEqual(bits, engine.i32(at, bits.length), `width ${width}, level ${level}`);
      });
    }
  }
});

test("contours of the reference are those of the engine, nesting and all", () => {
  const random = seeded(5);
  for (const width of [1, 2, 31, 32, 33, 63, 64, 65, 127, 128, 129])
    for (const height of [1, 2, 40])
      for (const density of [0, 0.1, 0.5, 0.6, 0.9, 1]) {
        const words = (width + 63) >> 6;
        const bits = new Int32Array(2 * words * height);
        for (let y = 0; y < height; y++)
          for (let x = 0; x < width; x++)
            if (random() < density) bits[2 * words * y + (x >> 5)] |= 1 << (x & 31);
        compareContours(bits, width, height);
      }
  compareContours(drawing(300, 200, 120), 300, 200);
});

function compareContours(bits: Int32Array, width: number, height: number): void {
  const corners = countCorners(bits, width, height);
  const room = contourRoom(width, height, corners);
  const count = contours(bits, room);
  engine.run(() => {
    const bitmap = { at: engine.push(bits), width, height, words: (width + 63) >> 6 };
    const borders = extract(engine, bitmap, { despecklePx: 0 }, new Stages(), 1);
    const size = `${width} x ${height}`;
    assert.is(count, borders.contours, size);
    assert.is(corners, borders.corners, size);
    assertEqual(room.ends.subarray(0, count), engine.u32(borders.ends, count), size);
    assertEqual(room.points.subarray(0, 2 * corners), engine.i32(borders.points, 2 * corners), size);
    assertEqual(room.depth.subarray(0, count), engine.u16(borders.depth, count), size);
  });
}

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
