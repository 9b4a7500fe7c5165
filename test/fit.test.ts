import { readFileSync } from "node:fs";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { extract } from "../src/engine/contours.ts";
import { FIT_MODES, type FitMode, fitBorders } from "../src/engine/fit.ts";
import { type Image, toBitmap } from "../src/engine/image.ts";
import { Engine, type Pointer, Stages } from "../src/engine/memory.ts";
import { CURSOR_BYTES, fitRange, openRange, xyBytes } from "../src/engine/range.ts";
import type { Curves } from "../src/engine/trace.ts";
import { bitsFrom, random } from "./oracle.ts";
import { blobs, grayOf, imageOf, noise } from "./outline.ts";

const moduleOf = (path: string): WebAssembly.Module => new WebAssembly.Module(readFileSync(path));
const newMemory = (): WebAssembly.Memory =>
  new WebAssembly.Memory({ initial: 2, maximum: 16384, shared: true });
const release = new Engine(newMemory(), moduleOf("dist/kernels.wasm"));
const debug = new Engine(newMemory(), moduleOf("build/kernels-debug.wasm"));

/** The borders of a picture, and its gray. */
const bordersOf = (engine: Engine, image: Image) => {
  const stages = new Stages();
  const tone = { threshold: 128, invert: false, keepGray: true };
  const { bitmap, gray, threshold } = toBitmap(engine, image, tone, stages, 0.3);
  const borders = extract(engine, bitmap, { despecklePx: 0 }, stages, 0.3);
  return { borders, gray: { ...bitmap, at: gray!, threshold, always: false } };
};

const fitImage = (engine: Engine, image: Image, mode: FitMode): Curves =>
  engine.run((engine) => {
    const { borders, gray } = bordersOf(engine, image);
    return fitBorders(engine, borders, { mode, tolerancePx: 0.5, mmPerPx: 0.1 }, new Stages(), 0.4, 0, gray);
  });

const next = random(4);
const SCENES: [string, Image][] = [
  ["blobs", imageOf(blobs(1, 140, 90, 30))],
  ["noise", imageOf(noise(2, 70, 70, 0.5))],
  ["stairs", imageOf(bitsFrom(64, 64, (x, y) => x + y < 64))],
  ["comb", imageOf(bitsFrom(129, 40, (x, y) => y === 0 || x % 2 === 0))],
  [
    "gray waves, cut by the frame",
    grayOf(90, 70, (x, y) => Math.sin(x / 5) + Math.cos(y / 4 + x / 19) > 0.1),
  ],
  ["gray noise", { width: 60, height: 50, data: Uint8Array.from({ length: 3000 }, () => 256 * next()) }],
];

test("fit gives the same in the debug build, where every step is checked", () => {
  for (const [name, image] of SCENES)
    for (const mode of FIT_MODES) {
      const [ours, theirs] = [fitImage(release, image, mode), fitImage(debug, image, mode)];
      assert.equal(ours.ends, theirs.ends, `${name}, ${mode}`);
      assert.equal(ours.kinds, theirs.kinds, `${name}, ${mode}`);
      assert.equal(ours.xy, theirs.xy, `${name}, ${mode}`);
    }
});

/** Calls the kernel with rooms of the given size between guard bytes until all is done; returns its output, joined. */
function fitInRooms(
  image: Image,
  mode: FitMode,
  room: number,
): { kinds: number[]; xy: number[]; calls: number } {
  return release.run((engine) => {
    const { kernels } = engine;
    const { borders, gray } = bordersOf(engine, image);
    const { contours, ends, points } = borders;
    const watch = engine.alloc(64);
    const bytes = kernels.fitScratch(ends, contours, points, watch, 1);
    const guarded = (size: number): Pointer => {
      const at = engine.alloc(size + 64);
      engine.u8(at, size + 64).fill(0xa5);
      return (at + 32) as Pointer;
    };
    const scratch = guarded(bytes);
    const outEnds = guarded(4 * contours);
    const cursor = guarded(20);
    engine.i32(cursor, 5).fill(0);
    const kinds = guarded(room);
    const pointRoom = 3 * room;
    const xy = guarded(8 * pointRoom);
    const found = { kinds: [] as number[], xy: [] as number[], calls: 0 };
    for (;;) {
      const done = kernels.fit(
        ends,
        contours,
        points,
        FIT_MODES.indexOf(mode),
        0.5,
        0.1,
        scratch,
        cursor,
        outEnds,
        kinds,
        xy,
        room,
        pointRoom,
        0,
        gray.at,
        gray.width,
        gray.height,
        gray.threshold,
        0,
      );
      found.calls++;
      for (const [at, size] of [
        [scratch, bytes],
        [outEnds, 4 * contours],
        [cursor, 20],
        [kinds, room],
        [xy, 8 * pointRoom],
      ] as const) {
        assert.ok(
          engine.u8((at - 32) as Pointer, 32).every((byte) => byte === 0xa5),
          "written before",
        );
        assert.ok(
          engine.u8((at + size) as Pointer, 32).every((byte) => byte === 0xa5),
          "written behind",
        );
      }
      if (done < 0) {
        assert.is(done, -2);
        return found;
      }
      const [, , segments, written] = engine.i32(cursor, 4);
      found.kinds.push(...engine.u8(kinds, segments!));
      found.xy.push(...engine.f32(xy, 2 * written!));
      if (done === contours) return found;
    }
  });
}

test("fit fills whatever room it gets, never more, and goes on in the next call", () => {
  for (const [name, image] of SCENES)
    for (const mode of FIT_MODES) {
      const whole = fitImage(release, image, mode);
      const [kinds, xy] = [[...whole.kinds], [...whole.xy]];
      const most = Math.max(...whole.ends.map((end, i) => end - (i === 0 ? 0 : whole.ends[i - 1]!)));
      const parts = fitInRooms(image, mode, most + 1);
      assert.equal(parts.kinds, kinds, `${name}, ${mode}`);
      assert.equal(parts.xy, xy, `${name}, ${mode}`);
      if (whole.ends.length > 3) assert.ok(parts.calls > 1, `${name}, ${mode}: one call`);
      const short = fitInRooms(image, mode, most - 1);
      assert.ok(short.kinds.length < kinds.length, `${name}, ${mode}: not asked for more room`);
    }
});

test("fit leaves when the cancel word is set, in every mode and in both passes", () => {
  // noise has more borders, and the comb one longer border, than go between two looks at the word
  const waves = grayOf(600, 60, (x, y) => Math.sin(x / 2) + Math.cos(y / 2) > -0.9);
  const comb = bitsFrom(1025, 10, (x, y) => y === 0 || x % 2 === 0);
  for (const image of [imageOf(noise(3, 120, 120, 0.5)), imageOf(comb), waves])
    release.run((engine) => {
      const { borders, gray } = bordersOf(engine, image);
      const { contours, ends, points } = borders;
      const watch = engine.alloc(64);
      const scratch = engine.alloc(engine.kernels.fitScratch(ends, contours, points, watch, 1));
      const out = engine.alloc(1 << 20);
      const outEnds = engine.alloc(4 * contours);
      const cursor = engine.alloc(20);
      const word = engine.i32(0 as Pointer, 1);
      Atomics.store(word, 0, 1);
      try {
        assert.is(engine.kernels.fitScratch(ends, contours, points, watch, 1), -1);
        for (const mode of [0, 1, 2]) {
          engine.i32(cursor, 5).fill(0);
          const at = (bytes: number): Pointer => (out + bytes) as Pointer;
          assert.is(
            engine.kernels.fit(
              ends,
              contours,
              points,
              mode,
              0.5,
              0.1,
              scratch,
              cursor,
              outEnds,
              out,
              at(65536),
              65536,
              100000,
              0,
              gray.at,
              gray.width,
              gray.height,
              gray.threshold,
              0,
            ),
            -1,
            `mode ${mode}`,
          );
        }
      } finally {
        Atomics.store(word, 0, 0);
      }
    });
});

/** The outlines of borders that are fitted in calls of `each` at a time, so that a call knows of no more. */
function fitApart(image: Image, mode: number, each: number): { kinds: number[]; xy: number[] } {
  return release.run((engine) => {
    const { contours, corners, ends, points } = bordersOf(engine, image).borders;
    const scratch = engine.alloc(engine.kernels.fitScratch(ends, contours, points, engine.alloc(64), 0));
    const outEnds = engine.alloc(4 * contours);
    const job = { ends, points, outEnds, mode, tolerancePx: 0.5, mmPerPx: 0.1, open: 0, gray: undefined };
    const room = 4 * corners + 16;
    const cursor = engine.alloc(CURSOR_BYTES);
    const place = { cursor, scratch, kinds: engine.alloc(room), xy: engine.alloc(xyBytes(room)), room };
    const words = engine.i32(cursor, CURSOR_BYTES / 4);
    const found = { kinds: [] as number[], xy: [] as number[] };
    words.fill(0);
    for (let from = 0; from < contours; from += each) {
      const to = Math.min(contours, from + each);
      openRange(words, from);
      assert.is(fitRange(engine.kernels, job, place, to), to);
      for (const kind of engine.u8(place.kinds, words[2]!)) found.kinds.push(kind);
      for (const value of engine.f32(place.xy, 2 * words[3]!)) found.xy.push(value);
    }
    return found;
  });
}

test("a small border is drawn the same to the letter, whatever was drawn before it", () => {
  // more shapes than are kept at a time; and two that differ by 2^16 px in one step
  const many = imageOf(noise(5, 360, 360, 0.4));
  const long = imageOf(
    bitsFrom(66_000, 8, (x, y) => (y % 4 === 1 && x < (y < 4 ? 300 : 65_836)) || (y % 4 === 2 && x < 7)),
  );
  for (const image of [many, long])
    for (const mode of [0, 1, 2])
      assert.equal(fitApart(image, mode, Number.MAX_SAFE_INTEGER), fitApart(image, mode, 1), `mode ${mode}`);
});

test.run();
