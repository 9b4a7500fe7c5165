import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Image } from "kerfwork";
import { type Outline, Pen } from "./outline.ts";

// Peers that are libraries of the system, driven by small programs of ours that are compiled when a bench wants them.

const SOURCES = fileURLToPath(new URL("../../bench/", import.meta.url));
const BUILT = fileURLToPath(new URL("./native/", import.meta.url));

/** How to build each driver, and what to install where that fails. */
const DRIVERS = {
  potrace: { build: ["gcc", "-O2", "potrace.c", "-lpotrace"], needs: "gcc and libpotrace-dev" },
} as const;
export type Driver = keyof typeof DRIVERS;

/** Tells glibc to keep its heap: page faults are a third of the time of these peers otherwise. */
export const TUNED = {
  MALLOC_TOP_PAD_: "1073741824",
  MALLOC_MMAP_THRESHOLD_: "4294967296",
  MALLOC_TRIM_THRESHOLD_: "4294967296",
};

const paths = new Map<Driver, string | undefined>();

/** The path of a driver, or undefined, said aloud, where its library is missing. */
export function driver(name: Driver): string | undefined {
  if (!paths.has(name)) paths.set(name, build(name));
  return paths.get(name);
}

function build(name: Driver): string | undefined {
  const path = `${BUILT}${name}`;
  const { needs } = DRIVERS[name];
  const [compiler, ...args] = DRIVERS[name].build;
  mkdirSync(BUILT, { recursive: true });
  const { status } = spawnSync(compiler, [...args, "-o", path], { cwd: SOURCES, stdio: "ignore" });
  if (status === 0) return path;
  console.error(`${name} is left out: it needs ${needs}`);
  return undefined;
}

/** A picture as drivers read it. */
export function writePicture({ width, height, data }: Image, name: string): string {
  const path = `${BUILT}${name.replaceAll(" ", "-")}.raw`;
  mkdirSync(BUILT, { recursive: true });
  writeFileSync(path, Buffer.concat([Buffer.from(Int32Array.of(width, height).buffer), data]));
  return path;
}

/** What potrace makes of black and white pixels, every speck kept; undefined where it is not installed. */
export function potraceOutline(picture: Image, name: string): Outline | undefined {
  const program = driver("potrace");
  if (program === undefined) return undefined;
  const output = `${BUILT}outline.f64`;
  const args = [writePicture(picture, name), output, "1", "1", "0", "0"];
  const { status } = spawnSync(program, args, { stdio: "ignore" });
  if (status !== 0) throw new Error(`potrace ended with ${status} on ${name}`);
  return readOutline(output);
}

function readOutline(path: string): Outline {
  const bytes = readFileSync(path);
  const values = new Float64Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
  const pen = new Pen();
  for (let i = 0; i < values.length; ) {
    const kind = values[i];
    if (kind === 0) pen.move(values[i + 1], values[i + 2]);
    else if (kind === 1) pen.line(values[i + 1], values[i + 2]);
    else pen.cubic(values[i + 1], values[i + 2], values[i + 3], values[i + 4], values[i + 5], values[i + 6]);
    i += kind === 2 ? 7 : 3;
  }
  return pen.outline();
}
