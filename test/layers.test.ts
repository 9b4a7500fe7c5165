// The kernels of colour tracing between guard bytes, in the debug build, and canceled.
import { readFileSync } from "node:fs";
import type { Image } from "kerfwork";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { traceCutout } from "../src/engine/arcs.ts";
import { Engine, type Kernels, type Pointer, Stages } from "../src/engine/memory.ts";
import { toLabels } from "../src/engine/palette.ts";
import { mergeSpecks } from "../src/engine/regions.ts";
import { traceStack } from "../src/engine/stack.ts";
import type { Curves } from "../src/engine/trace.ts";
import { environment } from "../src/tasker/target.ts";
import { wavesOf } from "./flat.ts";
import { random } from "./oracle.ts";

const moduleOf = (path: string): WebAssembly.Module => new WebAssembly.Module(readFileSync(path));
const newMemory = (): WebAssembly.Memory =>
  new WebAssembly.Memory({ initial: 2, maximum: 16384, shared: true });
const GUARD = 64;

/** An engine that stands guard bytes around all that it gives out, and looks at them when it is given back. */
class Guarded extends Engine {
  #given: { at: Pointer; bytes: number }[] = [];

  override alloc(bytes: number): Pointer {
    const at = (super.alloc(bytes + 2 * GUARD) + GUARD) as Pointer;
    this.u8((at - GUARD) as Pointer, GUARD).fill(0xa5);
    this.u8(at, bytes + GUARD).fill(0xa5);
    this.#given.push({ at, bytes });
    return at;
  }

  override release(to: Pointer): void {
    this.check(to);
    super.release(to);
  }

  /** Looks at the guards of what was given out since the mark `to`. */
  check(to: number): void {
    for (const { at, bytes } of this.#given) {
      if (at < to) continue;
      for (const from of [at - GUARD, at + bytes])
        if (this.u8(from as Pointer, GUARD).some((byte) => byte !== 0xa5))
          throw new Error(`a kernel wrote outside the ${bytes} bytes at ${at}`);
    }
    this.#given = this.#given.filter(({ at }) => at < to);
  }
}

const release = new Guarded(newMemory(), moduleOf("dist/kernels.wasm"));
const debug = new Engine(newMemory(), moduleOf("build/kernels-debug.wasm"));

interface Run {
  readonly colors: number;
  readonly form: "stacked" | "cutout";
  readonly despecklePx: number;
}

const layersOf = (
  engine: Engine,
  image: Image,
  { colors, form, despecklePx }: Run,
): { label: number; curves: Curves }[] =>
  engine.run((engine) => {
    const stages = new Stages();
    const labels = toLabels(engine, image, { choice: colors, smooth: despecklePx > 0 }, stages, 0.3);
    const regions = mergeSpecks(engine, labels, despecklePx, stages, 0.2);
    const fit = { mode: "curves", tolerancePx: 0.5, mmPerPx: 0.1 } as const;
    const layers = (form === "stacked" ? traceStack : traceCutout)(engine, labels, regions, fit, stages, 0.5);
    if (engine instanceof Guarded) engine.check(0);
    return layers;
  });

/** Every pixel of its own colour, of few or of many. */
function noiseOf(seed: number, width: number, height: number, channels: number, most: number): Image {
  const next = random(seed);
  const data = Uint8Array.from({ length: channels * width * height }, () => Math.floor(next() * most));
  return { width, height, data };
}

const SCENES: [string, Image][] = [
  ["waves", wavesOf(1, 70, 50, 20)],
  ["rough waves", wavesOf(2, 63, 40, 120)],
  ["gray waves", wavesOf(3, 64, 33, 30, 1)],
  ["waves with holes", wavesOf(4, 65, 47, 50, 4)],
  ["noise", noiseOf(5, 66, 31, 3, 256)],
  ["noise with holes", noiseOf(6, 40, 40, 4, 256)],
  ["gray noise", noiseOf(7, 129, 20, 1, 256)],
  ["two grays", noiseOf(8, 50, 50, 1, 2)],
  ["a line", noiseOf(9, 200, 1, 3, 256)],
  ["a column", noiseOf(10, 1, 200, 3, 256)],
  ["a pixel", noiseOf(11, 1, 1, 3, 256)],
  ["nothing", { width: 20, height: 20, data: new Uint8Array(1600) }],
];

test("the kernels of colours write in their buffers only, and as the debug build does", () => {
  for (const [name, image] of SCENES)
    for (const form of ["stacked", "cutout"] as const)
      for (const [colors, despecklePx] of [
        [2, 0],
        [16, 12],
        [64, 0],
        [64, 1e9],
      ] as const) {
        const run = { colors, form, despecklePx };
        const found = layersOf(release, image, run);
        assert.equal(found, layersOf(debug, image, run), `${name}, ${JSON.stringify(run)}`);
      }
});

test("each kernel of colours leaves when it is canceled", () => {
  const names = [
    [
      "countColors",
      "countCells",
      "listCells",
      "splitColors",
      "refinePalette",
      "labelCells",
      "labelPixels",
      "smoothLabels",
    ],
    ["countRuns", "linkRuns", "mergeRegions", "paintRegions"],
    ["countEdges", "rankRuns", "raiseLayer", "tuckLayer", "maskLabel", "markArcs", "walkArcs"],
  ].flat() as (keyof Kernels)[];
  const image = wavesOf(12, 80, 60, 60);
  for (const name of names) {
    const engine = new Engine(newMemory(), moduleOf("dist/kernels.wasm"));
    const word = engine.i32(0 as Pointer, 1);
    const results: number[] = [];
    const kernels = {
      ...engine.kernels,
      [name]: (...args: never[]): number => {
        word[0] = 1;
        results.push((engine.kernels[name] as (...args: never[]) => number)(...args));
        return results.at(-1)!;
      },
    };
    const canceling = Object.create(engine, { kernels: { value: kernels } });
    canceling.alloc = engine.alloc.bind(engine);
    canceling.mark = engine.mark.bind(engine);
    canceling.release = engine.release.bind(engine);
    canceling.run = (body: (engine: Engine) => unknown) => engine.run(() => body(canceling));
    for (const form of ["stacked", "cutout"] as const) {
      try {
        layersOf(canceling, image, { colors: 9, form, despecklePx: 8 });
      } catch (error) {
        assert.is((error as { code?: string }).code, "CANCELED", `${name}: ${error}`);
      }
      word[0] = 0;
    }
    assert.ok(results.length > 0 && results.every((result) => result === -1), `${name} gave ${results}`);
  }
});

test("the kernels of colours report as many units as their stages expect", () => {
  const image = wavesOf(13, 90, 70, 60);
  const step = release.i32(64 as Pointer, 1);
  const around = environment();
  const before = around.reporter;
  let total = 0;
  try {
    around.reporter = {
      beginStage: (_base, _share, units) => {
        total = units;
        step[0] = 0;
      },
      isCancelled: () => {
        const done = release.i32(64 as Pointer, 1)[0]!;
        assert.ok(done >= 0 && done <= Math.max(1, total), `${done} of ${total}`);
        return false;
      },
    };
    for (const form of ["stacked", "cutout"] as const)
      layersOf(release, image, { colors: 9, form, despecklePx: 8 });
  } finally {
    around.reporter = before;
  }
});

test.run();
