// Every kernel next to its reference in plain JavaScript. The first two rows are what any call costs: crossing into
// Wasm and copying bytes in. Kernels work on data that lies in their memory, as they find it between two stages.
import { readFileSync } from "node:fs";
import { Engine } from "../src/engine/memory.ts";
import { blurPair, medianPair, sauvolaPair } from "./filters.ts";
import { compare } from "./harness.ts";
import { hullPair } from "./hulls.ts";
import {
  bitmapPair,
  contourPair,
  flattenPair,
  histogramPair,
  lumaPair,
  orderPairs,
  otsuPair,
  textPair,
  thresholdPair,
} from "./pairs.ts";
import { drawing, job, outlines, photo, strokes } from "./scenes.ts";
import { fitPair, nestPair, type Twin } from "./twins.ts";

const engine = new Engine(undefined, new WebAssembly.Module(readFileSync("dist/kernels.wasm")));

/** Written by `bench/run.mjs` beside this bench. */
const { makeTwin } = (await import(new URL("./twin.mjs", import.meta.url).href)) as {
  makeTwin(buffer: ArrayBufferLike): Twin;
};

const WIDTH = 6000;
const HEIGHT = 4000;
const BAND_ROWS = 40; // a quarter of a megabyte of gray

/** Runs one section with all of the arena, and gives it back. */
async function section(body: () => Promise<void>): Promise<void> {
  const start = engine.mark();
  await body();
  engine.release(start);
}

await section(async () => {
  const result = (): number => 0;
  await compare("empty call", {
    items: 1,
    unit: "call",
    kernel: { run: () => engine.kernels.heapBase(), result },
  });
  const bytes = photo(WIDTH, BAND_ROWS);
  const at = engine.alloc(bytes.length);
  await compare("copy in, 1 MB", {
    items: bytes.length,
    unit: "byte",
    kernel: { run: () => engine.u8(at, bytes.length).set(bytes), result },
  });
});

await section(async () => {
  const picture = photo(WIDTH, HEIGHT);
  const grays = lumaPair(engine, picture, 4);
  await compare("luma of RGBA, 24 MP", { ...grays, unit: "px", bar: 4 });
  const tables = histogramPair(engine, grays);
  await compare("histogram, 24 MP", { ...tables, unit: "px" });
  await compare("Otsu's threshold", { ...otsuPair(engine, tables), unit: "call" });
  // band by band, as the engine works on what luma has just left in the cache; then a picture that lies in memory
  const band = thresholdPair(engine, grays, WIDTH, BAND_ROWS, 130);
  await compare("threshold, 240 kB bands", { ...band, unit: "px", bar: 8 });
  const whole = thresholdPair(engine, grays, WIDTH, HEIGHT, 130);
  await compare("threshold, 24 MP", { ...whole, unit: "px" });
});

await section(async () => {
  const [width, height] = [3000, 2000];
  const jsGray = photo(width * 3, height).filter((_, i) => i % 12 === 0);
  const grays = { gray: engine.push(jsGray), jsGray };
  await compare("median, 6 MP", { ...medianPair(engine, grays, width, height), unit: "px", bar: 4 });
  await compare("blur of 1 px, 6 MP", { ...blurPair(engine, grays, width, height, 1), unit: "px", bar: 4 });
  await compare("blur of 5 px, 6 MP", { ...blurPair(engine, grays, width, height, 5), unit: "px", bar: 4 });
  const local = sauvolaPair(engine, grays, width, height, 51, 0.2);
  await compare("Sauvola's threshold, 6 MP", { ...local, unit: "px", bar: 1.5 });
});

await section(async () => {
  const picture = photo(WIDTH, HEIGHT).subarray(0, WIDTH * HEIGHT * 3);
  await compare("luma of RGB, 24 MP", { ...lumaPair(engine, picture, 3), unit: "px" });
});

await section(async () => {
  const pair = bitmapPair(engine, { width: WIDTH, height: HEIGHT, data: photo(WIDTH, HEIGHT) }, 130);
  await compare("RGBA to bits with copies, 24 MP", { ...pair, unit: "px" });
});

await section(async () => {
  const [width, height] = [4000, 2500];
  const pair = contourPair(engine, drawing(width, height, 16_000), width, height);
  await compare("contours with nesting, 10 MP", { ...pair, unit: "px", bar: 1.1 });
});

for (const mode of ["pixels", "polygons", "curves"] as const)
  await section(async () => {
    const [width, height] = [4000, 2500];
    const pair = fitPair(engine, makeTwin, drawing(width, height, 16_000), width, height, mode);
    await compare(`fit ${mode}, 10 MP`, { ...pair, unit: "corner" });
  });

await section(async () => {
  await compare("flatten cubics", { ...flattenPair(engine, outlines(10_000), 0.02), unit: "point" });
});

await section(async () => {
  const points = outlines(10_000).xy;
  await compare("convex hull of outlines", { ...hullPair(engine, points), unit: "point" });
});

await section(async () => {
  await compare("nesting of 10,000 paths", { ...nestPair(engine, makeTwin, 10_000), unit: "path" });
});

await section(async () => {
  const { nearest, improve } = orderPairs(engine, strokes(10_000));
  await compare("order: nearest of 10,000 paths", { ...nearest, unit: "path" });
  await compare("order: 2-opt of 10,000 paths", { ...improve, unit: "path" });
});

await section(async () => {
  const { ops, xy } = job(20_000);
  await compare("G-code text", { ...textPair(engine, ops, xy), unit: "move", bar: 1.5 });
});
