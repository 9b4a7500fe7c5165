import { type BitDepth, encode as encodePng } from "fast-png";
import { decodeImage, TaskManager } from "kerfwork";
import { test } from "uvu";
import * as assert from "uvu/assert";
import {
  bytesOf,
  chunk,
  failure,
  jpegOf,
  noise,
  PNG,
  random,
  refuses,
  text,
  u32,
  withOrientation,
} from "./pictures.ts";

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
    'Expected `options` to be an object with no other names than maxPixels, got "maxpixels"',
  );
});

test.run();
