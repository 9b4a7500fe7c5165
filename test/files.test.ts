import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { crc32, deflateSync } from "node:zlib";
import encodeJpeg, { init as initJpegEncoder } from "@jsquash/jpeg/encode.js";
import { type BitDepth, decode as decodeOracle, encode as encodePng } from "fast-png";
import {
  type Curves,
  decodeImage,
  type ErrorCode,
  type Image,
  KerfworkError,
  TaskManager,
  toSVG,
} from "kerfwork";
import { test } from "uvu";
import * as assert from "uvu/assert";

// the same numbers on every run
let seed = 1;
const random = (n: number): number => {
  seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
  return Math.floor((seed / 2 ** 32) * n);
};
const noise = (n: number, most = 256): Uint8Array => Uint8Array.from({ length: n }, () => random(most));

async function failure(run: () => unknown): Promise<KerfworkError> {
  try {
    await run();
  } catch (error) {
    assert.instance(error, KerfworkError);
    return error as KerfworkError;
  }
  throw new Error("nothing was thrown");
}

async function refuses(bytes: Uint8Array, code: ErrorCode, message: string | RegExp): Promise<void> {
  const error = await failure(() => decodeImage(bytes));
  assert.is(error.code, code);
  if (typeof message === "string") assert.is(error.message, message);
  else assert.match(error.message, message);
}

const channelsOf = (image: Image): number => image.data.length / (image.width * image.height);

// a PNG writer that is slow and obvious, for what other encoders do not write

const text = (word: string): Uint8Array => new TextEncoder().encode(word);
const bytesOf = (...parts: (Uint8Array | number[])[]): Uint8Array =>
  new Uint8Array(Buffer.concat(parts.map((part) => Buffer.from(part))));
const u32 = (value: number): number[] => [24, 16, 8, 0].map((shift) => (value >>> shift) & 255);

function chunk(type: string, body: Uint8Array | number[]): Uint8Array {
  const typed = bytesOf(text(type), body);
  return bytesOf(u32(body.length), typed, u32(crc32(typed)));
}

interface Raw {
  readonly width: number;
  readonly height: number;
  readonly depth: number;
  readonly color: number;
  /** One number for each sample, row by row. */
  readonly samples: ArrayLike<number>;
  readonly interlaced?: boolean;
  readonly palette?: number[];
  readonly transparency?: number[];
}

const PNG = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];
const PASSES = [
  [0, 0, 8, 8],
  [4, 0, 8, 8],
  [0, 4, 4, 8],
  [2, 0, 4, 4],
  [0, 2, 2, 4],
  [1, 0, 2, 2],
  [0, 1, 1, 2],
];

function writePng(raw: Raw): Uint8Array {
  const { width, height, depth, color, samples } = raw;
  const perPixel = [1, 0, 3, 1, 2, 0, 4][color];
  const rows: number[] = [];
  for (const [x0, y0, dx, dy] of raw.interlaced ? PASSES : [[0, 0, 1, 1]]) {
    if (x0 >= width) continue;
    for (let y = y0; y < height; y += dy) {
      let bits = "";
      for (let x = x0; x < width; x += dx)
        for (let c = 0; c < perPixel; c++)
          bits += samples[(y * width + x) * perPixel + c].toString(2).padStart(depth, "0");
      rows.push(0);
      for (let i = 0; i < bits.length; i += 8)
        rows.push(Number.parseInt(bits.slice(i, i + 8).padEnd(8, "0"), 2));
    }
  }
  return bytesOf(
    PNG,
    chunk("IHDR", [...u32(width), ...u32(height), depth, color, 0, 0, raw.interlaced ? 1 : 0]),
    ...(raw.palette ? [chunk("PLTE", raw.palette)] : []),
    ...(raw.transparency ? [chunk("tRNS", raw.transparency)] : []),
    chunk("IDAT", deflateSync(Uint8Array.from(rows))),
    chunk("IEND", []),
  );
}

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

test("decodeImage reads bytes that lie in shared memory and behind an offset", async () => {
  const png = encodePng({
    width: 3,
    height: 2,
    data: Uint8Array.of(1, 2, 3, 4, 5, 6),
    channels: 1,
    depth: 8,
  });
  const jpeg = await jpegOf(8, 8, () => 40);
  for (const file of [png, jpeg]) {
    const shared = new Uint8Array(new SharedArrayBuffer(file.length + 20)).subarray(5, 5 + file.length);
    shared.set(file);
    assert.equal(await decodeImage(shared), await decodeImage(file));
  }
});

test("decodeImage gives the same picture in a worker, with progress on the way, and can be canceled there", async () => {
  const [width, height] = [3000, 2400];
  const png = encodePng({ width, height, data: noise(width * height), channels: 1, depth: 8 });
  const manager = new TaskManager({ progressIntervalMs: 1 });
  try {
    const seen = new Set<number>();
    const task = manager.runProcess(decodeImage, [png]);
    task.changed.connect(({ progress }) => seen.add(progress));
    assert.equal(await task.promise, await decodeImage(png));
    assert.ok(seen.size > 2, `${seen.size} values of progress`);

    const stopped = manager.runProcess(decodeImage, [png]);
    stopped.changed.connect(({ progress }) => progress > 0 && stopped.cancel());
    assert.is((await failure(() => stopped.promise)).code, "CANCELED");

    const jpeg = await jpegOf(40, 20, (x) => 5 * x);
    assert.equal(await manager.runProcess(decodeImage, [jpeg]).promise, await decodeImage(jpeg));
    const refused = await failure(() => manager.runProcess(decodeImage, [text("hello")]).promise);
    assert.is(refused.code, "UNSUPPORTED_IMAGE");
  } finally {
    await manager.shutdown();
  }
});

// JPEG

const COLOR = 3;
const GRAY = 1;

/** A JPEG of good quality with a value for each pixel, gray in either colour space. */
async function jpegOf(width: number, height: number, value: (x: number, y: number) => number, space = COLOR) {
  const wasm = createRequire(import.meta.url).resolve("@jsquash/jpeg/codec/enc/mozjpeg_enc.wasm");
  await initJpegEncoder(new WebAssembly.Module(readFileSync(wasm)) as never);
  const data = new Uint8ClampedArray(4 * width * height);
  for (let i = 0; i < width * height; i++)
    data.set([0, 1, 2].map(() => value(i % width, Math.floor(i / width))).concat(255), 4 * i);
  const picture = { width, height, data, colorSpace: "srgb" as const };
  return new Uint8Array(await encodeJpeg(picture, { quality: 95, color_space: space as never }));
}

function withOrientation(jpeg: Uint8Array, orientation: number, little: boolean): Uint8Array {
  const u16 = (value: number): number[] => (little ? [value & 255, value >> 8] : [value >> 8, value & 255]);
  const word = (value: number): number[] => (little ? [value, 0, 0, 0] : [0, 0, 0, value]);
  // a directory of two entries, of which the orientation is the second
  const tiff = [
    ...text(little ? "II" : "MM"),
    ...u16(42),
    ...word(8),
    ...u16(2),
    ...u16(0x0100),
    ...u16(3),
    ...word(1),
    ...u16(9),
    ...u16(0),
    ...u16(0x0112),
    ...u16(3),
    ...word(1),
    ...u16(orientation),
    ...u16(0),
    ...word(0),
  ];
  const body = [...text("Exif"), 0, 0, ...tiff];
  const length = body.length + 2;
  return bytesOf(jpeg.subarray(0, 2), [0xff, 0xe1, length >> 8, length & 255, ...body], jpeg.subarray(2));
}

test("decodeImage reads JPEG: gray files as 1 channel, others as RGBA", async () => {
  const ramp = (x: number, y: number): number => 20 + 8 * x + 3 * y;
  for (const [space, channels] of [
    [GRAY, 1],
    [COLOR, 4],
  ]) {
    const image = await decodeImage(await jpegOf(17, 9, ramp, space));
    assert.equal([image.width, image.height, channelsOf(image)], [17, 9, channels]);
    assert.is(image.data.constructor, Uint8Array);
    for (let i = 0; i < 17 * 9; i++) {
      const expected = ramp(i % 17, Math.floor(i / 17));
      for (let c = 0; c < Math.min(channels, 3); c++)
        assert.ok(Math.abs(image.data[i * channels + c] - expected) <= 6, `pixel ${i}`);
      if (channels === 4) assert.is(image.data[4 * i + 3], 255);
    }
  }
});

test("decodeImage turns JPEG upright for EXIF orientations 1..8, of either byte order", async () => {
  // blocks of 8 px, so that JPEG keeps them apart: the upright picture is 3 x 2 blocks
  const upright = [
    [10, 60, 110],
    [160, 210, 250],
  ];
  // where the upright pixel (x, y) stands in the stored data; EXIF 2.3, tag 274
  const stored: Record<number, (x: number, y: number, w: number, h: number) => [number, number]> = {
    1: (x, y) => [x, y],
    2: (x, y, w) => [w - 1 - x, y],
    3: (x, y, w, h) => [w - 1 - x, h - 1 - y],
    4: (x, y, _, h) => [x, h - 1 - y],
    5: (x, y) => [y, x],
    6: (x, y, w) => [y, w - 1 - x],
    7: (x, y, w, h) => [h - 1 - y, w - 1 - x],
    8: (x, y, _, h) => [h - 1 - y, x],
  };
  for (let orientation = 1; orientation <= 8; orientation++)
    for (const space of [GRAY, COLOR]) {
      const [w, h] = orientation < 5 ? [3, 2] : [2, 3];
      const blocks = Array.from({ length: h }, () => new Array<number>(w));
      for (let y = 0; y < 2; y++)
        for (let x = 0; x < 3; x++) {
          const [sx, sy] = stored[orientation](x, y, 3, 2);
          blocks[sy][sx] = upright[y][x];
        }
      const jpeg = await jpegOf(8 * w, 8 * h, (x, y) => blocks[y >> 3][x >> 3], space);
      const image = await decodeImage(withOrientation(jpeg, orientation, space === GRAY));
      assert.equal([image.width, image.height], [24, 16], `orientation ${orientation}`);
      const channels = channelsOf(image);
      for (let y = 0; y < 16; y++)
        for (let x = 0; x < 24; x++) {
          const got = image.data[(y * 24 + x) * channels];
          assert.ok(
            Math.abs(got - upright[y >> 3][x >> 3]) <= 6,
            `orientation ${orientation} at ${x}, ${y}: ${got}`,
          );
        }
    }
  const plain = await jpegOf(16, 8, (x) => 10 * x);
  for (const nonsense of [0, 9, 255])
    assert.equal(await decodeImage(withOrientation(plain, nonsense, true)), await decodeImage(plain));
});

// bad input

test("decodeImage refuses every truncation of a file", async () => {
  const png = encodePng({
    width: 60,
    height: 50,
    data: noise(60 * 50 * 3),
    channels: 3,
    depth: 8 as BitDepth,
  });
  const jpeg = withOrientation(await jpegOf(96, 96, () => random(256)), 6, false);
  for (const file of [png, jpeg]) {
    await decodeImage(file);
    const ends = Array.from({ length: Math.ceil(file.length / 100) }, (_, i) => 100 * i);
    for (const end of [
      ...ends,
      1,
      2,
      3,
      4,
      7,
      8,
      9,
      12,
      20,
      33,
      file.length - 12,
      file.length - 4,
      file.length - 1,
    ]) {
      const error = await failure(() => decodeImage(file.subarray(0, end)));
      assert.is(
        error.code,
        end === 1 || end === 2 ? error.code : "BROKEN_IMAGE",
        `${end} of ${file.length} bytes: ${error.message}`,
      );
      assert.not.match(error.message, "\n");
    }
  }
});

test("decodeImage never gives a picture of a PNG with a changed byte in its picture", async () => {
  const png = encodePng({ width: 20, height: 10, data: noise(200), channels: 1, depth: 8 });
  for (let at = 8; at < png.length; at++) {
    const bad = png.slice();
    bad[at] ^= 1 << random(8);
    assert.is((await failure(() => decodeImage(bad))).code, "BROKEN_IMAGE", `byte ${at}`);
  }
});

test("decodeImage settles with a picture or a KerfworkError for a JPEG with changed bytes", async () => {
  const jpeg = await jpegOf(64, 48, (x, y) => (x * y) & 255);
  let refused = 0;
  for (let i = 0; i < 300; i++) {
    const bad = jpeg.slice();
    bad[2 + random(jpeg.length - 2)] ^= 1 << random(8);
    try {
      const image = await decodeImage(bad, { maxPixels: 1e6 });
      assert.is(image.data.length, image.width * image.height * channelsOf(image));
    } catch (error) {
      assert.instance(error, KerfworkError);
      refused++;
    }
  }
  assert.ok(refused > 30, `${refused} of 300 were refused`);
});

test("decodeImage says what a file is that it cannot read", async () => {
  const head = (magic: string): Uint8Array => Uint8Array.from(magic, (char) => char.charCodeAt(0));
  const files: Record<string, string> = {
    gif: "GIF89a\x01\0\x01\0",
    webp: "RIFF\x10\0\0\0WEBPVP8 ",
    bmp: "BM\x10\0\0\0",
    tiff: "II*\0\x08\0\0\0",
    heic: "\0\0\0\x18ftypheic",
    avif: "\0\0\0\x18ftypavif",
    pdf: "%PDF-1.7",
    svg: '<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg"/>',
    'a text that begins with "G21\\nG90\\nG0 X0"': "G21\nG90\nG0 X0",
    "a file that begins with the bytes 00 01 02 03": "\0\x01\x02\x03\x04",
  };
  for (const [format, magic] of Object.entries(files))
    await refuses(head(magic), "UNSUPPORTED_IMAGE", `Expected a PNG or JPEG image, got ${format}`);
  await refuses(new Uint8Array(0), "BROKEN_IMAGE", "Expected `bytes` to be an image file, got 0 bytes");
});

test("decodeImage refuses what its header states before it decodes", async () => {
  const header = (width: number, height: number): Uint8Array =>
    bytesOf(
      PNG,
      chunk("IHDR", [...u32(width), ...u32(height), 8, 0, 0, 0, 0]),
      chunk("IDAT", []),
      chunk("IEND", []),
    );
  await refuses(header(0, 5), "BROKEN_IMAGE", "Expected an image of at least 1 x 1 pixels, got 0 x 5");
  await refuses(
    header(20000, 20000),
    "UNSUPPORTED_IMAGE",
    "Expected an image of at most 100000000 pixels (`maxPixels`), got 20000 x 20000",
  );
  const jpeg = await jpegOf(40, 20, () => 9);
  const error = await failure(() => decodeImage(jpeg, { maxPixels: 799 }));
  assert.is(error.message, "Expected an image of at most 799 pixels (`maxPixels`), got 40 x 20");
  assert.equal(error.data, { width: 40, height: 20 });
  assert.is((await decodeImage(jpeg, { maxPixels: 800 })).width, 40);
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

test("decodeImage names kinds of JPEG that it does not read", async () => {
  const jpeg = await jpegOf(8, 8, () => 9);
  const frame = jpeg.findIndex((byte, i) => byte === 0xff && jpeg[i + 1] >= 0xc0 && jpeg[i + 1] <= 0xc2);
  const changed = (at: number, value: number): Uint8Array => {
    const copy = jpeg.slice();
    copy[frame + at] = value;
    return copy;
  };
  const message = "Expected a gray or colour JPEG of 8 bits, got a";
  await refuses(changed(1, 0xc3), "UNSUPPORTED_IMAGE", `${message} lossless or hierarchical one`);
  await refuses(changed(4, 12), "UNSUPPORTED_IMAGE", `${message} 12-bit one`);
  await refuses(changed(9, 4), "UNSUPPORTED_IMAGE", `${message} CMYK one`);
});

test("decodeImage checks its arguments", async () => {
  const message = async (...args: unknown[]): Promise<string> =>
    (await failure(() => (decodeImage as (...args: unknown[]) => unknown)(...args))).message;
  assert.is(await message("badge.png"), 'Expected `bytes` to be a Uint8Array, got "badge.png"');
  assert.is(
    await message(new Uint8Array(1), { maxPixels: 0 }),
    "Expected `maxPixels` to be an integer >= 1, got 0",
  );
  assert.is(
    await message(new Uint8Array(1), { maxpixels: 5 }),
    'Expected `options` to be of known names only (maxPixels), got "maxpixels"',
  );
});

// toSVG

/** A slow reader of the path data that `toSVG` writes: absolute points of each contour, closed. */
function readPath(svg: string): { kinds: number[]; points: number[][] }[] {
  const d = /<path fill-rule="evenodd" d="([^"]*)"\/>/.exec(svg)?.[1] ?? "";
  const contours: { kinds: number[]; points: number[][] }[] = [];
  let [x, y] = [0, 0];
  for (const [, command, rest] of d.matchAll(/([a-z])([^a-z]*)/g)) {
    const numbers = [...rest.matchAll(/-?(?:\d+\.?\d*|\.\d+)/g)].map(([number]) => Number(number));
    const contour = contours.at(-1);
    if (command === "m") {
      [x, y] = [x + numbers[0], y + numbers[1]];
      contours.push({ kinds: [], points: [[x, y]] });
    } else if (command === "z") {
      const [start] = contour!.points;
      if (Math.abs(x - start[0]) + Math.abs(y - start[1]) > 1e-9) {
        contour!.kinds.push(0);
        contour!.points.push(start);
      }
      [x, y] = start;
    } else if (command === "c") {
      for (let i = 0; i < numbers.length; i += 6) {
        contour!.kinds.push(1);
        for (let k = 0; k < 6; k += 2) contour!.points.push([x + numbers[i + k], y + numbers[i + k + 1]]);
        [x, y] = contour!.points.at(-1)!;
      }
    } else {
      const pair = command === "l" ? 2 : 1;
      for (let i = 0; i < numbers.length; i += pair) {
        if (command !== "v") x += numbers[i];
        if (command !== "h") y += numbers[i + pair - 1];
        contour!.kinds.push(0);
        contour!.points.push([x, y]);
      }
    }
  }
  return contours;
}

/** Random contours of lines and cubics on a grid of 1/1000 mm, so that rounding loses nothing. */
function randomCurves(contours: number): Curves {
  const [ends, kinds, xy]: number[][] = [[], [], []];
  const point = (): number[] => [(random(40000) - 20000) / 1000, (random(40000) - 20000) / 1000];
  for (let i = 0; i < contours; i++) {
    const start = point();
    xy.push(...start);
    const n = 3 + random(6);
    for (let k = 0; k < n; k++) {
      kinds.push(random(2));
      if (kinds.at(-1) === 1) xy.push(...point(), ...point());
      xy.push(...(k === n - 1 ? start : point()));
    }
    ends.push(kinds.length);
  }
  return {
    ends: Uint32Array.from(ends),
    kinds: Uint8Array.from(kinds),
    xy: Float32Array.from(xy),
    depth: new Uint16Array(contours),
  };
}

const square: Curves = {
  ends: Uint32Array.of(4),
  kinds: new Uint8Array(4),
  xy: Float32Array.of(1, 2, 4, 2, 4, 5.25, 1, 5.25, 1, 2),
  depth: Uint16Array.of(0),
};

test("toSVG writes a square as one would by hand", () => {
  assert.is(
    toSVG(square, { width: 20, height: 10.5 }),
    [
      '<svg xmlns="http://www.w3.org/2000/svg" width="20mm" height="10.5mm" viewBox="0 0 20 10.5">',
      '<path fill-rule="evenodd" d="',
      "m1 2h3v3.25h-3z",
      '"/>',
      "</svg>",
      "",
    ].join("\n"),
  );
});

test("toSVG gives back the same curves when it is read", () => {
  const curves = randomCurves(60);
  const read = readPath(toSVG(curves, { width: 40, height: 40 }));
  assert.is(read.length, 60);
  let segment = 0;
  let at = 0;
  for (const [i, { kinds, points }] of read.entries()) {
    assert.equal(kinds, [...curves.kinds.subarray(segment, curves.ends[i])], `contour ${i}`);
    for (const [x, y] of points) {
      assert.ok(Math.abs(x - curves.xy[at]) < 1e-5 && Math.abs(y - curves.xy[at + 1]) < 1e-5, `contour ${i}`);
      at += 2;
    }
    segment = curves.ends[i];
  }
  assert.is(at, curves.xy.length);
});

test("toSVG rounds absolute coordinates, so that long contours do not drift", () => {
  const n = 5000;
  const xy = new Float32Array(2 * (n + 1));
  for (let i = 1; i < n; i++) xy.set([i * 0.0333, (i % 2) * 0.0777], 2 * i);
  const curves = { ends: Uint32Array.of(n), kinds: new Uint8Array(n), xy, depth: Uint16Array.of(0) };
  for (const precision of [0, 1, 2, 3, 4]) {
    const [{ points }] = readPath(toSVG(curves, { width: 200, height: 1, precision }));
    const [x, y] = points.reduce(([ax, ay], [bx, by]) => [Math.max(ax, bx), Math.max(ay, by)]);
    assert.ok(Math.abs(x - xy[2 * n - 2]) <= 0.5 * 10 ** -precision + 1e-6, `precision ${precision}: ${x}`);
    assert.ok(Math.abs(y - 0.0777) <= 0.5 * 10 ** -precision + 1e-6);
  }
});

test("toSVG writes short numbers and no path data for no curves", () => {
  const xy = Float32Array.of(0.5, -0.25, 10.1, 100, -0.0001, 7, 0.5, -0.25);
  const curves = { ends: Uint32Array.of(3), kinds: new Uint8Array(3), xy, depth: Uint16Array.of(0) };
  assert.match(toSVG(curves, { width: 1, height: 1 }), "\nm.5-.25l9.6 100.25-10.1-93z\n");
  const none = {
    ends: new Uint32Array(0),
    kinds: new Uint8Array(0),
    xy: new Float32Array(0),
    depth: new Uint16Array(0),
  };
  assert.match(toSVG(none, { width: 1, height: 1 }), 'd="\n"/>');
});

test("toSVG checks its arguments", async () => {
  const message = async (curves: Curves, options: unknown): Promise<string> =>
    (await failure(() => toSVG(curves, options as never))).message;
  assert.is(
    await message(square, { width: 0, height: 1 }),
    "Expected `width` to be a finite number > 0 and <= 1000000, got 0",
  );
  assert.is(
    await message(square, { width: 1 }),
    "Expected `height` to be a finite number > 0 and <= 1000000, got undefined",
  );
  assert.is(
    await message(square, { width: 1, height: 1, precision: 7 }),
    "Expected `precision` to be an integer >= 0 and <= 6, got 7",
  );
  assert.is(
    await message(square, { width: 1, height: 1, decimals: 7 }),
    'Expected `options` to be of known names only (width, height, precision), got "decimals"',
  );
  const bad = { ...square, xy: Float32Array.of(1, 2, Number.NaN, 2, 4, 5, 1, 5, 1, 2) };
  assert.is(
    await message(bad, { width: 1, height: 1 }),
    "Expected `curves.xy[2]` to be a finite number, got NaN",
  );
});

test.run();
