import { readFileSync } from "node:fs";
import { deflateSync } from "node:zlib";
import { decode as decodeOracle, encode as encodePng } from "fast-png";
import { decodeImage } from "kerfwork";
import { test } from "uvu";
import * as assert from "uvu/assert";
import {
  bytesOf,
  channelsOf,
  chunk,
  failure,
  noise,
  PNG,
  random,
  refuses,
  u32,
  writePng,
} from "./pictures.ts";

const scaleTo8 = (value: number, depth: number): number => Math.round((value / (2 ** depth - 1)) * 255);

test("decodeImage reads PNG of 8 bits in 1, 3 and 4 channels, and gives gray with alpha as RGBA", async () => {
  for (const [width, height] of [
    [1, 1],
    [1, 7],
    [7, 1],
    [63, 5],
    [64, 5],
    [65, 5],
    [12, 130],
  ]) {
    for (const channels of [1, 3, 4]) {
      const data = noise(width * height * channels);
      const image = await decodeImage(encodePng({ width, height, data, channels, depth: 8 }));
      assert.is(image.width, width);
      assert.is(image.height, height);
      assert.equal(image.data, data);
    }
    const data = noise(width * height * 2);
    const image = await decodeImage(encodePng({ width, height, data, channels: 2, depth: 8 }));
    assert.is(channelsOf(image), 4);
    for (let i = 0; i < width * height; i++)
      assert.equal(
        [...image.data.subarray(4 * i, 4 * i + 4)],
        [data[2 * i], data[2 * i], data[2 * i], data[2 * i + 1]],
      );
  }
});

test("decodeImage brings every depth and colour type to 8 bits, interlaced or not", async () => {
  const kinds = [
    [0, 1, [1, 2, 4, 8, 16]],
    [2, 3, [8, 16]],
    [4, 2, [8, 16]],
    [6, 4, [8, 16]],
  ] as const;
  for (const [color, perPixel, depths] of kinds)
    for (const depth of depths)
      for (const interlaced of [false, true])
        for (const [width, height] of [
          [1, 1],
          [2, 3],
          [5, 1],
          [1, 9],
          [9, 8],
          [33, 17],
        ]) {
          const samples = Array.from({ length: width * height * perPixel }, () => random(2 ** depth));
          const image = await decodeImage(writePng({ width, height, depth, color, samples, interlaced }));
          const label = `color ${color}, ${depth} bits, ${width} x ${height}${interlaced ? ", interlaced" : ""}`;
          const gray = perPixel <= 2;
          assert.is(channelsOf(image), color === 0 ? 1 : color === 2 ? 3 : 4, label);
          const expected: number[] = [];
          for (let i = 0; i < width * height; i++) {
            const pixel = samples
              .slice(i * perPixel, (i + 1) * perPixel)
              .map((value) => scaleTo8(value, depth));
            expected.push(...(gray && perPixel === 2 ? [pixel[0], pixel[0], pixel[0], pixel[1]] : pixel));
          }
          assert.equal([...image.data], expected, label);
        }
});

test("decodeImage scales each of the 65536 values of 16 bits to the nearest of 8", async () => {
  const samples = Uint16Array.from({ length: 65536 }, (_, i) => i);
  const image = await decodeImage(
    encodePng({ width: 256, height: 256, data: samples, channels: 1, depth: 16 }),
  );
  assert.equal(
    image.data,
    Uint8Array.from(samples, (value) => Math.round(value / 257)),
  );
});

test("decodeImage undoes every row filter as another decoder does", async () => {
  for (const step of [1, 3, 4, 2, 6, 8]) {
    const [width, height] = [31, 40];
    const n = width * step;
    const rows = Array.from({ length: height }, (_, y) => bytesOf([y % 5], noise(n)));
    const [color, depth] = { 1: [0, 8], 3: [2, 8], 4: [6, 8], 2: [0, 16], 6: [2, 16], 8: [6, 16] }[
      step
    ] as number[];
    const png = bytesOf(
      PNG,
      chunk("IHDR", [...u32(width), ...u32(height), depth, color, 0, 0, 0]),
      // pixel data in pieces of any size is one stream
      ...Array.from({ length: 4 }, (_, i) => {
        const packed = deflateSync(Buffer.concat(rows));
        const piece = Math.ceil(packed.length / 4);
        return chunk("IDAT", packed.subarray(i * piece, (i + 1) * piece));
      }),
      chunk("IEND", []),
    );
    const oracle = decodeOracle(png);
    const expected = depth === 8 ? oracle.data : oracle.data.map((value) => Math.round(value / 257));
    assert.equal([...(await decodeImage(png)).data], [...expected], `${step} bytes a pixel`);
  }
});

test("decodeImage looks palettes up: gray ones give 1 channel, colours 3, transparency 4", async () => {
  const width = 13;
  const height = 6;
  for (const depth of [1, 2, 4, 8])
    for (const interlaced of [false, true]) {
      const colors = Math.min(2 ** depth, 200);
      const samples = Array.from({ length: width * height }, () => random(colors));
      const palette = [...noise(3 * colors)];
      const base = { width, height, depth, color: 3, samples, interlaced };
      const rgb = await decodeImage(writePng({ ...base, palette }));
      assert.equal(
        [...rgb.data],
        samples.flatMap((i) => palette.slice(3 * i, 3 * i + 3)),
      );

      const transparency = [7, 99].slice(0, colors);
      const rgba = await decodeImage(writePng({ ...base, palette, transparency }));
      assert.equal(
        [...rgba.data],
        samples.flatMap((i) => [...palette.slice(3 * i, 3 * i + 3), transparency[i] ?? 255]),
      );

      const gray = await decodeImage(
        writePng({ ...base, palette: palette.map((_, i) => palette[i - (i % 3)]) }),
      );
      assert.equal(
        [...gray.data],
        samples.map((i) => palette[3 * i]),
      );
    }
});

test("decodeImage makes the one transparent colour of gray and RGB transparent", async () => {
  const samples = [0, 1, 2, 3, 3, 1];
  const gray = await decodeImage(
    writePng({ width: 3, height: 2, depth: 2, color: 0, samples, transparency: [0, 3] }),
  );
  assert.equal(
    [...gray.data],
    samples.flatMap((v) => [v * 85, v * 85, v * 85, v === 3 ? 0 : 255]),
  );
  const deep = [0x1234, 1, 2, 0x1235, 1, 2];
  const rgb = await decodeImage(
    writePng({
      width: 2,
      height: 1,
      depth: 16,
      color: 2,
      samples: deep,
      transparency: [0x12, 0x34, 0, 1, 0, 2],
    }),
  );
  assert.equal([rgb.data[3], rgb.data[7]], [0, 255]);
});

test("decodeImage reads the shipped sample as another decoder does", async () => {
  const bytes = readFileSync("samples/badge.png");
  const oracle = decodeOracle(bytes);
  const image = await decodeImage(bytes);
  assert.equal([image.width, image.height], [oracle.width, oracle.height]);
  assert.equal(image.data, oracle.data);
});

test("decodeImage never gives a picture of a PNG with a changed byte in its picture", async () => {
  const png = encodePng({ width: 20, height: 10, data: noise(200), channels: 1, depth: 8 });
  for (let at = 8; at < png.length; at++) {
    const bad = png.slice();
    bad[at] ^= 1 << random(8);
    assert.is((await failure(() => decodeImage(bad))).code, "BROKEN_IMAGE", `byte ${at}`);
  }
});

test("decodeImage refuses pixel data that does not fit the header, without unpacking it", async () => {
  const file = (height: number, n: number): Uint8Array =>
    bytesOf(
      PNG,
      chunk("IHDR", [...u32(10), ...u32(height), 8, 0, 0, 0, 0]),
      chunk("IDAT", deflateSync(new Uint8Array(n))),
      chunk("IEND", []),
    );
  assert.is((await decodeImage(file(2, 22))).height, 2);
  const message = "Expected a whole PNG image, got a damaged one: it holds";
  await refuses(file(2, 21), "BROKEN_IMAGE", `${message} fewer pixels than its header says`);
  // 50 MB of zeros in 50 kB
  await refuses(file(2, 50e6), "BROKEN_IMAGE", `${message} more pixels than its header says`);
});

test.run();
