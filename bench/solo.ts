// One tracer on one picture in a process of its own; arguments, input and output as in bench/potrace.c, after the tracer's
// name. Prints the processor time of each run, and further figures by name.
//   node solo.mjs TRACER INPUT OUTPUT runs budget_ms
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname } from "node:path";
import { type Image, type TraceOptions, trace } from "kerfwork";
import { extract } from "../src/engine/contours.ts";
import { toBitmap } from "../src/engine/image.ts";
import { Engine, Stages } from "../src/engine/memory.ts";
import { type Drawing, fromSvg, writeDrawing } from "./drawing.ts";
import { peer, peerFile } from "./peers.ts";

interface Solo {
  run(): void | Promise<void>;
  /** What the last run drew. */
  drawing?(): Drawing;
  figures?(): Readonly<Record<string, number>>;
}

/** A pixel is a millimetre; the pictures are black and white. */
const EQUAL: TraceOptions = { threshold: 128, despecklePx: 0, dpi: 25.4 };

function kerfwork(image: Image, mode: "pixels" | "polygons" | "curves"): Solo {
  let last: Drawing | undefined;
  return {
    run: () => {
      last = trace(image, { ...EQUAL, mode });
    },
    drawing: () => last as Drawing,
  };
}

/** Gray to nested borders in kernel memory: the part of `trace` before the fit. */
function extraction(image: Image): Solo {
  const engine = new Engine(undefined, new WebAssembly.Module(readFileSync("dist/kernels.wasm")));
  let corners = 0;
  let contours = 0;
  return {
    run: () => {
      const start = engine.mark();
      const stages = new Stages();
      const { bitmap } = toBitmap(engine, image, { threshold: 128, invert: false }, stages, 0.5);
      ({ corners, contours } = extract(engine, bitmap, { despecklePx: 0 }, stages, 0.5));
      engine.release(start);
    },
    figures: () => ({ corners, contours }),
  };
}

interface Vectorizer {
  vectorizeRawSync(pixels: Buffer, size: { width: number; height: number }, config: object): string;
}

/** vtracer's core: black and white, splines, every speck kept. */
async function vtracer(image: Image): Promise<Solo> {
  const { vectorizeRawSync } = (await peer("@neplex/vectorizer")) as Vectorizer;
  const pixels = Buffer.from(rgbaOf(image));
  const config = {
    colorMode: 1,
    hierarchical: 0,
    filterSpeckle: 0,
    colorPrecision: 6,
    layerDifference: 16,
    mode: 2,
    cornerThreshold: 60,
    lengthThreshold: 4,
    maxIterations: 10,
    spliceThreshold: 45,
    pathPrecision: 2,
  };
  let svg = "";
  return {
    run: () => {
      svg = vectorizeRawSync(pixels, image, config);
    },
    drawing: () => fromSvg(svg),
  };
}

type Potrace = (image: object, options: object) => Promise<string>;

/** An ESM file that wants the globals of CommonJS. */
async function esmPotrace(image: Image): Promise<Solo> {
  const file = peerFile("esm-potrace-wasm", "dist/index.js") as string;
  Object.assign(globalThis, { require: createRequire(file), __dirname: dirname(file) });
  const { potrace, init } = (await peer("esm-potrace-wasm")) as { potrace: Potrace; init(): Promise<void> };
  await init();
  const source = { width: image.width, height: image.height, data: rgbaOf(image) };
  let svg = "";
  return {
    run: async () => {
      svg = await potrace(source, { turdsize: 0, extractcolors: false });
    },
    drawing: () => fromSvg(svg),
  };
}

interface ImageTracer {
  default: { imagedataToSVG(image: object, options: object): string };
}

/** Two fixed colours; the white layer that it draws too is left out of the drawing. */
async function imagetracer(image: Image): Promise<Solo> {
  const { default: tracer } = (await peer("imagetracerjs")) as ImageTracer;
  const [black, white] = [0, 255].map((v) => ({ r: v, g: v, b: v, a: 255 }));
  const options = {
    pal: [black, white],
    colorsampling: 0,
    numberofcolors: 2,
    ltres: 1,
    qtres: 1,
    pathomit: 0,
    linefilter: false,
  };
  const source = { width: image.width, height: image.height, data: rgbaOf(image) };
  let svg = "";
  return {
    run: () => {
      svg = tracer.imagedataToSVG(source, options);
    },
    drawing: () => fromSvg(svg),
  };
}

function rgbaOf({ data }: Image): Uint8ClampedArray {
  return Uint8ClampedArray.from({ length: 4 * data.length }, (_, i) => (i % 4 === 3 ? 255 : data[i >> 2]));
}

const TRACERS: Readonly<Record<string, (image: Image) => Solo | Promise<Solo>>> = {
  extraction,
  pixels: (image) => kerfwork(image, "pixels"),
  polygons: (image) => kerfwork(image, "polygons"),
  curves: (image) => kerfwork(image, "curves"),
  vtracer,
  esmPotrace,
  imagetracer,
};

const [tracer, input, output, runs, budgetMs] = process.argv.slice(2);
const bytes = readFileSync(input);
const [width, height] = new Int32Array(bytes.buffer, bytes.byteOffset, 2);
const data = new Uint8Array(bytes.buffer, bytes.byteOffset + 8, width * height);
const solo = await TRACERS[tracer]({ width, height, data });

const before = process.memoryUsage().rss;
let spent = 0;
for (let i = 0; i <= Number(runs) && spent <= Number(budgetMs); i++) {
  const start = process.cpuUsage();
  const pending = solo.run();
  if (pending instanceof Promise) await pending;
  const { user, system } = process.cpuUsage(start);
  spent += (user + system) / 1000;
  console.log(((user + system) / 1000).toFixed(4));
}
const grown = process.resourceUsage().maxRSS / 1024 - before / 2 ** 20;
for (const [name, value] of Object.entries({ megabytes: grown, ...solo.figures?.() }))
  console.log(`${value} ${name}`);
if (output !== "-" && solo.drawing !== undefined) writeDrawing(solo.drawing(), output);
