// Pictures in flat colours beside the tracers that are used for this work: pixels in memory, geometry out, each in a fresh
// process for each picture. kerfwork and imagetracerjs make 16 colours; vtracer has no such number and groups by its own
// steps. Specks of less than 16 pixels go. vtracer writes its SVG within the time, for it gives nothing else.
import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { decodeImage, type Image, traceColors } from "kerfwork";
import { bar, figures, quantile } from "./harness.ts";
import { gapsOf, paintingOf, psnrOf, type Resvg, repainted, rgbaOf, segmentsOf } from "./painting.ts";
import { peer } from "./peers.ts";

const PICTURES = ["tiger", "map", "coffee", "fish"];
const MEGAPIXEL = 1e6;
const NONE = { ms: 0, psnr: Infinity, segments: 0 };
/** No further run is begun after so much processor time, or so many runs. */
const BUDGET_MS = 300;
const RUNS = 6;
const LIMIT_MS = 15_000;

interface Painter {
  run(): void;
  /** What the last run made. */
  svg(): string;
}
type Prepare = (image: Image) => Painter | undefined | Promise<Painter | undefined>;

function kerfwork(image: Image, layers: "stacked" | "cutout"): Painter {
  let last: ReturnType<typeof traceColors>;
  return {
    run: () => {
      last = traceColors(image, { colors: 16, layers, despecklePx: 16, dpi: 25.4 });
    },
    svg: () => paintingOf(last, image.width, image.height),
  };
}

interface Vectorizer {
  vectorizeRawSync(pixels: Buffer, size: { width: number; height: number }, config: object): string;
}

async function vtracer(image: Image, hierarchical: 0 | 1): Promise<Painter | undefined> {
  const library = (await peer("@neplex/vectorizer")) as Vectorizer | undefined;
  if (library === undefined) return undefined;
  const pixels = Buffer.from(rgbaOf(image));
  const config = {
    colorMode: 0,
    hierarchical,
    filterSpeckle: 4, // a side of a square
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
      svg = library.vectorizeRawSync(pixels, image, config);
    },
    svg: () => svg,
  };
}

interface ImageTracer {
  default: {
    imagedataToTracedata(image: object, options: object): object;
    getsvgstring(traced: object, options: object): string;
  };
}

async function imagetracer(image: Image): Promise<Painter | undefined> {
  const library = (await peer("imagetracerjs")) as ImageTracer | undefined;
  if (library === undefined) return undefined;
  const { default: tracer } = library;
  const options = tracerOptions();
  const source = { width: image.width, height: image.height, data: rgbaOf(image) };
  let traced: object = {};
  return {
    run: () => {
      traced = tracer.imagedataToTracedata(source, options);
    },
    svg: () => tracer.getsvgstring(traced, options),
  };
}

/** Fresh ones, for the library fills them up. Colours are sampled on a grid, so that no run differs; 16 edges go round 4 x 4 pixels. Its strokes of 1 px stay: they hide the seams between its layers. */
function tracerOptions(): object {
  return {
    numberofcolors: 16,
    colorsampling: 2,
    ltres: 1,
    qtres: 1,
    pathomit: 16,
    roundcoords: 2,
    viewbox: false,
  };
}

const PAINTERS: Readonly<Record<string, Prepare>> = {
  "kerfwork stacked": (image) => kerfwork(image, "stacked"),
  "kerfwork cutout": (image) => kerfwork(image, "cutout"),
  "vtracer stacked": (image) => vtracer(image, 0),
  "vtracer cutout": (image) => vtracer(image, 1),
  imagetracerjs: imagetracer,
};

const [painter, name, output] = process.argv.slice(2);
if (painter === undefined) await contest();
else await alone(painter, name, output);

/** The part of the fresh process: prints the processor time of each run, and leaves the SVG of the last. */
async function alone(painter: string, name: string, output: string): Promise<void> {
  const prepared = await PAINTERS[painter](await pictureOf(name));
  if (prepared === undefined) return;
  let spent = 0;
  for (let i = 0; i < RUNS && (i < 2 || spent <= BUDGET_MS); i++) {
    const start = process.cpuUsage();
    prepared.run();
    const { user, system } = process.cpuUsage(start);
    spent += (user + system) / 1000;
    console.log((user + system) / 1000);
  }
  writeFileSync(output, prepared.svg());
}

interface Painted {
  readonly ms: number;
  readonly svg: string;
}

/** Undefined where the peer is missing, failed or took too long, which is said aloud. */
function painted(painter: string, name: string): Painted | undefined {
  const self = fileURLToPath(import.meta.url);
  const output = fileURLToPath(new URL("./painting.svg", import.meta.url));
  const { status, stdout, stderr, signal } = spawnSync(
    process.execPath,
    ["--enable-source-maps", self, painter, name, output],
    { encoding: "utf8", timeout: LIMIT_MS, killSignal: "SIGKILL" },
  );
  const times = stdout.trim().split("\n").map(Number);
  if (status !== 0 || stdout === "") {
    const why = signal === "SIGKILL" ? `not done after ${LIMIT_MS / 1000} s` : stderr.trim();
    console.error(`${painter}, ${name}: left out, ${why}`);
    return undefined;
  }
  // the first run warms up
  return { ms: quantile(Float64Array.from(times.slice(1)), 0.5), svg: readFileSync(output, "utf8") };
}

async function contest(): Promise<void> {
  const resvg = (await peer("@resvg/resvg-js")) as Resvg | undefined;
  const worst = new Map<string, { ms: number; psnr: number; segments: number }>();
  for (const name of PICTURES) {
    const image = await pictureOf(name);
    const pixels = rgbaOf(image);
    for (const painter of Object.keys(PAINTERS)) {
      const found = painted(painter, name);
      if (found === undefined) continue;
      const { ms, svg } = found;
      const row = {
        ms,
        "PSNR dB": resvg ? psnrOf(repainted(svg, image, resvg), pixels) : null,
        segments: segmentsOf(svg),
        bytes: svg.length,
        gaps: resvg && painter.endsWith("cutout") ? gapsOf(svg, image, resvg) : null,
      };
      figures(`${painter}, ${name}`, row);
      const { ms: slowest, psnr, segments } = worst.get(painter) ?? NONE;
      worst.set(painter, {
        ms: Math.max(slowest, (ms * MEGAPIXEL) / (image.width * image.height)),
        psnr: Math.min(psnr, row["PSNR dB"] ?? Infinity),
        segments: Math.max(segments, row.segments),
      });
    }
  }
  for (const painter of ["kerfwork stacked", "kerfwork cutout"]) {
    const found = worst.get(painter);
    bar(`${painter}: 1 MP, worst`, "ms", found?.ms, { atMost: 100 });
    bar(`${painter}: PSNR, worst`, "dB", resvg && found?.psnr, { atLeast: 25 });
    bar(`${painter}: segments, worst`, "count", found?.segments, { atMost: 12_000 });
  }
}

/** A megapixel; photos are kept small and enlarged here. */
async function pictureOf(name: string): Promise<Image> {
  const path = new URL(`../../bench/pictures/${name}-c.png`, import.meta.url);
  const image = await decodeImage(readFileSync(path));
  const scale = Math.sqrt(MEGAPIXEL / (image.width * image.height));
  return scale < 1.1 ? image : enlarged(image, scale);
}

/** Between pixels, along straight lines. */
function enlarged(image: Image, scale: number): Image {
  const [width, height] = [Math.round(scale * image.width), Math.round(scale * image.height)];
  const channels = image.data.length / (image.width * image.height);
  const data = new Uint8Array(width * height * channels);
  const place = (i: number, size: number): [number, number, number] => {
    const at = Math.min(size - 1, Math.max(0, (i + 0.5) / scale - 0.5));
    return [Math.floor(at), Math.min(size - 1, Math.floor(at) + 1), at % 1];
  };
  for (let y = 0, i = 0; y < height; y++) {
    const [top, bottom, v] = place(y, image.height);
    for (let x = 0; x < width; x++) {
      const [left, right, u] = place(x, image.width);
      for (let c = 0; c < channels; c++, i++) {
        const level = (row: number, column: number): number =>
          image.data[(row * image.width + column) * channels + c];
        const above = level(top, left) * (1 - u) + level(top, right) * u;
        const below = level(bottom, left) * (1 - u) + level(bottom, right) * u;
        data[i] = Math.round(above * (1 - v) + below * v);
      }
    }
  }
  return { width, height, data };
}
