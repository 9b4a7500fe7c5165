// Every kernel next to its reference in plain JavaScript. The first two rows are what any call costs: crossing into
// Wasm and copying bytes in. Kernels work on data that lies in their memory, as they find it between two stages.
import { readFileSync } from "node:fs";
import { type Borders, extract } from "../src/engine/contours.ts";
import { Engine, Stages } from "../src/engine/memory.ts";
import { compare, type Result } from "./harness.ts";
import * as contourReference from "./reference/contour.ts";
import { writeOps } from "./reference/text.ts";
import * as toneReference from "./reference/tone.ts";
import { drawing, job, photo } from "./scenes.ts";

const engine = new Engine(undefined, new WebAssembly.Module(readFileSync("dist/kernels.wasm")));
const { kernels } = engine;

const WIDTH = 6000;
const HEIGHT = 4000;
const PIXELS = WIDTH * HEIGHT;
const BAND_ROWS = 40; // a quarter of a megabyte of gray

/** Runs one section with all of the arena, and gives it back. */
async function section(body: () => Promise<void>): Promise<void> {
  const start = engine.mark();
  await body();
  engine.release(start);
}

async function crossing(): Promise<void> {
  await compare("empty call", {
    items: 1,
    unit: "call",
    kernel: { run: () => kernels.heapBase(), result: () => 0 },
  });
  const bytes = photo(WIDTH, BAND_ROWS);
  const at = engine.alloc(bytes.length);
  await compare("copy in, 1 MB", {
    items: bytes.length,
    unit: "byte",
    kernel: { run: () => engine.u8(at, bytes.length).set(bytes), result: () => 0 },
  });
}

async function tone(): Promise<void> {
  const rgba = photo(WIDTH, HEIGHT);
  const pixels = engine.push(rgba);
  const gray = engine.alloc(PIXELS);
  const jsGray = new Uint8Array(PIXELS);
  const jsGrayWords = new Int32Array(jsGray.buffer);
  const jsPixels = new Int32Array(rgba.buffer);
  const grays = { kernel: () => engine.u8(gray, PIXELS), reference: () => jsGray };
  await compare("luma of RGBA, 24 MP", {
    items: PIXELS,
    unit: "px",
    bar: 4,
    kernel: { run: () => kernels.luma(pixels, 4, PIXELS, gray), result: grays.kernel },
    reference: { run: () => toneReference.lumaRgba(jsPixels, jsGrayWords), result: grays.reference },
  });

  const tables = engine.alloc(4096);
  const jsTables = new Uint32Array(1024);
  await compare("histogram, 24 MP", {
    items: PIXELS,
    unit: "px",
    kernel: {
      run: () => {
        engine.u32(tables, 1024).fill(0);
        kernels.histogram(gray, PIXELS, tables);
      },
      result: () => sumTables(engine.u32(tables, 1024)),
    },
    reference: {
      run: () => toneReference.histogram(jsGrayWords, jsTables),
      result: () => sumTables(jsTables),
    },
  });
  let level = 0;
  let jsLevel = 0;
  await compare("Otsu's threshold", {
    items: 1,
    unit: "call",
    kernel: { run: () => (level = kernels.otsu(tables)), result: () => level },
    reference: { run: () => (jsLevel = toneReference.otsu(jsTables)), result: () => jsLevel },
  });

  const words = (WIDTH + 63) >> 6;
  const bits = engine.alloc(words * 8 * HEIGHT);
  const jsBits = new Int32Array(words * 2 * HEIGHT);
  // band by band, as the engine works on what luma has just left in the cache; then a picture that lies in memory
  const bandBits = jsBits.subarray(0, words * 2 * BAND_ROWS);
  const jsBand = jsGray.subarray(0, WIDTH * BAND_ROWS);
  await compare("threshold, 240 kB bands", {
    items: WIDTH * BAND_ROWS,
    unit: "px",
    bar: 8,
    kernel: {
      run: () => kernels.threshold(gray, WIDTH, BAND_ROWS, bits, words, level, 0),
      result: () => engine.i32(bits, bandBits.length),
    },
    reference: {
      run: () => toneReference.threshold(jsBand, WIDTH, BAND_ROWS, level, bandBits),
      result: () => bandBits,
    },
  });
  await compare("threshold, 24 MP", {
    items: PIXELS,
    unit: "px",
    kernel: {
      run: () => kernels.threshold(gray, WIDTH, HEIGHT, bits, words, level, 0),
      result: () => engine.i32(bits, jsBits.length),
    },
    reference: {
      run: () => toneReference.threshold(jsGray, WIDTH, HEIGHT, level, jsBits),
      result: () => jsBits,
    },
  });

  const jsRgb = new Int32Array(rgba.buffer, 0, (PIXELS / 4) * 3);
  await compare("luma of RGB, 24 MP", {
    items: PIXELS,
    unit: "px",
    kernel: { run: () => kernels.luma(pixels, 3, PIXELS, gray), result: grays.kernel },
    reference: { run: () => toneReference.lumaRgb(jsRgb, jsGrayWords), result: grays.reference },
  });
}

/** The four tables of the histogram kernel as one. */
function sumTables(tables: Uint32Array): Uint32Array {
  return Uint32Array.from(
    { length: 256 },
    (_, i) => tables[i] + tables[256 + i] + tables[512 + i] + tables[768 + i],
  );
}

async function contour(): Promise<void> {
  const width = 4000;
  const height = 2500;
  const picture = drawing(width, height, 16_000);
  const corners = contourReference.countCorners(picture, width, height);
  const room = contourReference.contourRoom(width, height, corners);
  let jsContours = 0;

  const words = (width + 63) >> 6;
  const bitmap = { at: engine.push(picture), width, height, words };
  let borders: Borders | undefined;
  const run = (): void => {
    const start = engine.mark();
    borders = extract(engine, bitmap, { despecklePx: 0 }, new Stages(), 1);
    engine.release(start); // the borders stay readable until the next call
  };
  const result = (): Result => {
    const { contours, corners, ends, points, depth } = borders as Borders;
    return [
      contours,
      engine.u32(ends, contours),
      engine.i32(points, 2 * corners),
      engine.u16(depth, contours),
    ];
  };
  await compare("contours with nesting, 10 MP", {
    items: width * height,
    unit: "px",
    bar: 1.1,
    kernel: { run, result },
    reference: {
      run: () => (jsContours = contourReference.contours(picture, room)),
      result: () => [
        jsContours,
        room.ends.subarray(0, jsContours),
        room.points.subarray(0, 2 * corners),
        room.depth.subarray(0, jsContours),
      ],
    },
  });
}

async function text(): Promise<void> {
  const { ops, xy } = job(20_000);
  const n = ops.kinds.length;
  const kinds = engine.push(ops.kinds);
  const points = engine.push(xy);
  const centers = engine.push(ops.centers);
  const power = engine.push(ops.power);
  const speed = engine.push(ops.speed);
  const table = engine.alloc(4000);
  kernels.layDigits(table);
  const modal = engine.alloc(24);
  const lineOfOp = engine.alloc(4 * n);
  const bytes = engine.alloc(80 * n + 8);
  let size = 0;

  const jsLineOfOp = new Int32Array(n);
  const jsBytes = new Uint8Array(80 * n + 8);
  const jsText = new DataView(jsBytes.buffer);
  let jsSize = 0;
  await compare("G-code text", {
    items: n,
    unit: "move",
    bar: 1.5,
    kernel: {
      run: () => {
        engine.i32(modal, 6).set(NOTHING_SET);
        size = kernels.writeOps(kinds, points, centers, power, speed, n, 1000, modal, table, lineOfOp, bytes);
      },
      result: () => [size, engine.u8(bytes, size), engine.i32(lineOfOp, n)],
    },
    reference: {
      run: () => {
        const [x, y, s, f, motion, lines] = NOTHING_SET;
        jsSize = writeOps(ops, xy, 1000, { x, y, s, f, motion, lines }, jsLineOfOp, jsText);
      },
      result: () => [jsSize, jsBytes.subarray(0, jsSize), jsLineOfOp],
    },
  });
}

/** x, y, s, f, motion and lines of a text without a line. */
const NOTHING_SET = [0x7fffffff, 0x7fffffff, -1, -1, -1, 0] as const;

await section(crossing);
await section(tone);
await section(contour);
await section(text);
