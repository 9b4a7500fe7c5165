import { spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Image } from "kerfwork";
import { type Drawing, readDrawing } from "./drawing.ts";

// Tracers on equal work: pixels are in memory before the clock starts, geometry is when it stops. Each tracer gets a fresh
// process for each picture, so that none works on another's heap. Libraries of the system are driven by small programs
// of ours, compiled when a bench first wants them; those of npm, and kerfwork, by bench/solo.ts.

const SOURCES = fileURLToPath(new URL("../../bench/", import.meta.url));
const SCRATCH = fileURLToPath(new URL("./contest/", import.meta.url));
const SOLO = fileURLToPath(new URL("./solo.mjs", import.meta.url));

/** How to build each driver, and what to install where that fails. */
const DRIVERS = {
  potrace: { build: "gcc -O2 potrace.c -lpotrace", needs: "gcc and libpotrace-dev" },
  opencv: {
    build: "g++ -O2 opencv.cpp -I/usr/include/opencv4 -lopencv_imgproc -lopencv_core",
    needs: "g++ and libopencv-imgproc-dev",
  },
} as const;
type Driver = keyof typeof DRIVERS;

/** Tells glibc to keep its heap, as far as it lets itself be told: page faults cost native tracers much time otherwise. */
const TUNED = {
  MALLOC_TOP_PAD_: String(2 ** 30),
  MALLOC_MMAP_THRESHOLD_: String(2 ** 25), // the most that it takes
  MALLOC_TRIM_THRESHOLD_: String(2 ** 40),
};

/** Tracer by the name that tables show. */
export const TRACERS = {
  "kerfwork extraction": { solo: "extraction" },
  "kerfwork pixels": { solo: "pixels" },
  "kerfwork polygons": { solo: "polygons" },
  "kerfwork curves": { solo: "curves" },
  "potrace stock": { driver: "potrace", args: ["1", "1"] },
  "potrace tuned": { driver: "potrace", args: ["1", "1"], env: TUNED },
  "OpenCV tuned": { driver: "opencv", args: [], env: TUNED },
  "vtracer tuned": { solo: "vtracer", env: TUNED },
  "esm-potrace-wasm": { solo: "esmPotrace" },
  imagetracerjs: { solo: "imagetracer" },
} as const satisfies Record<string, Entry>;
export type Tracer = keyof typeof TRACERS;

interface Entry {
  readonly solo?: string;
  readonly driver?: Driver;
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

export interface Outcome {
  /** Processor time of a run, ms: the median of the warm ones, or the first where no other fitted into the budget. */
  readonly ms: number;
  /** The first run of the process. */
  readonly firstMs: number;
  /** Further figures that the process gave: corners, segments, peak memory. */
  readonly figures: Readonly<Record<string, number>>;
  readonly drawing: Drawing | undefined;
}

export interface Rules {
  /** Runs after the first one, at most. */
  readonly runs: number;
  /** No further run is begun after so much processor time. */
  readonly budgetMs: number;
  /** The process is ended after so long. */
  readonly limitMs: number;
  readonly draw: boolean;
}

/** One run to warm up and up to five. */
export const RULES: Rules = { runs: 5, budgetMs: 2500, limitMs: 12_000, draw: false };

/** Lets a tracer work on a picture; undefined where it is not installed, failed or took too long, which is said aloud. */
export function contest(
  tracer: Tracer,
  picture: Image,
  name: string,
  rules: Partial<Rules> = {},
): Outcome | undefined {
  const { runs, budgetMs, limitMs, draw } = { ...RULES, ...rules };
  const { solo, driver, args = [], env = {} }: Entry = TRACERS[tracer];
  const program = driver === undefined ? process.execPath : built(driver);
  if (program === undefined) return undefined;
  const input = written(picture, name);
  const output = draw ? `${SCRATCH}drawing.f64` : "-";
  const rest = [input, output, ...args, String(runs), String(budgetMs)];
  const { status, stdout, signal, stderr } = spawnSync(
    program,
    driver === undefined ? ["--enable-source-maps", SOLO, solo as string, ...rest] : rest,
    { env: { ...process.env, ...env }, encoding: "utf8", timeout: limitMs, killSignal: "SIGKILL" },
  );
  if (status !== 0) {
    const last =
      stderr
        .trim()
        .split("\n")
        .find((line) => /error/i.test(line)) ?? `code ${status}`;
    const why = signal === "SIGKILL" ? `not done after ${limitMs / 1000} s` : last.trim();
    console.error(`${tracer}, ${name}: left out, ${why}`);
    return undefined;
  }
  const times: number[] = [];
  const figures: Record<string, number> = {};
  for (const line of stdout.trim().split("\n")) {
    const [value, key] = line.split(" ");
    if (key === undefined) times.push(Number(value));
    else figures[key] = Number(value);
  }
  return {
    ms: median(times.length > 1 ? times.slice(1) : times),
    firstMs: times[0],
    figures,
    drawing: draw ? readDrawing(output) : undefined,
  };
}

const programs = new Map<Driver, string | undefined>();

function built(name: Driver): string | undefined {
  if (!programs.has(name)) programs.set(name, build(name));
  return programs.get(name);
}

function build(name: Driver): string | undefined {
  const { build, needs } = DRIVERS[name];
  const [compiler, ...args] = build.split(" ");
  mkdirSync(SCRATCH, { recursive: true });
  const path = `${SCRATCH}${name}`;
  const { status } = spawnSync(compiler, [...args, "-o", path], { cwd: SOURCES, stdio: "ignore" });
  if (status === 0) return path;
  console.error(`${name} is left out: it needs ${needs}`);
  return undefined;
}

const inputs = new Map<string, string>();

/** The picture as all these programs read it. */
function written({ width, height, data }: Image, name: string): string {
  const known = inputs.get(name);
  if (known !== undefined) return known;
  const path = `${SCRATCH}${name.replaceAll(" ", "-")}.raw`;
  mkdirSync(SCRATCH, { recursive: true });
  writeFileSync(path, Buffer.concat([Buffer.from(Int32Array.of(width, height).buffer), data]));
  inputs.set(name, path);
  return path;
}

/** Of ratios, so that twice as fast and twice as slow cancel out; undefined of none. */
export function geometricMean(values: readonly number[]): number | undefined {
  if (values.length === 0) return undefined;
  return Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length);
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const [low, high] = [Math.floor((sorted.length - 1) / 2), Math.ceil((sorted.length - 1) / 2)];
  return (sorted[low] + sorted[high]) / 2;
}
