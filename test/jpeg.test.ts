import { decodeImage, KerfworkError } from "kerfwork";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { COLOR, channelsOf, GRAY, jpegOf, random, refuses, withOrientation } from "./pictures.ts";

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

test.run();
