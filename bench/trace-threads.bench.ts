// One picture on one thread and on two: the same curves, in less time. Contours are shared where there are many.
import { readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { type Curves, decodeImage, type Image, TaskManager, trace } from "kerfwork";
import { PATTERNS } from "./corpus.ts";
import { assertEqual, bar, figures, quantile } from "./harness.ts";

const ROUNDS = 9;
/** Of more than 20,000 contours: those of scans and of pages are each of their own, those of a dither recur. */
const PICTURES = [
  ["dither, 4 MP", PATTERNS.dither(2000, 2000)],
  ["scan, four times", tiled(await file("scan"))],
  ["page, four times", tiled(await file("page"))],
] as const;

const managers = [new TaskManager({ maxWorkers: 1 }), new TaskManager({ maxWorkers: 2 })] as const;
for (const [name, image] of PICTURES) await compareThreads(name, shared(image));
await Promise.all(managers.map((manager) => manager.shutdown()));

async function compareThreads(name: string, image: Image): Promise<void> {
  const times: [number[], number[]] = [[], []];
  const results: Curves[] = [];
  for (let round = -2; round < ROUNDS; round++)
    for (const [i, manager] of managers.entries()) {
      const start = performance.now();
      results[i] = await manager.runProcess(trace, [image, { despecklePx: 0 }]).promise;
      if (round >= 0) times[i]!.push(performance.now() - start);
    }
  const [one, two] = results as [Curves, Curves];
  assertEqual([two.ends, two.kinds, two.xy], [one.ends, one.kinds, one.xy], `${name}: one thread and two`);
  const [single, double] = times.map((values) => quantile(Float64Array.from(values), 0.5)) as [
    number,
    number,
  ];
  figures(name, { contours: one.ends.length, "ms on 1 thread": single, "ms on 2": double });
  const value = availableParallelism() > 1 ? single / double : undefined;
  bar(`${name}: 1 thread / 2`, "ratio", value, { atLeast: 1.5 });
}

function file(name: string): Promise<Image> {
  return decodeImage(readFileSync(new URL(`../../bench/pictures/${name}-m.png`, import.meta.url)));
}

/** Two by two of a picture. */
function tiled({ width, height, data }: Image): Image {
  const channels = data.length / (width * height);
  const row = width * channels;
  const all = new Uint8Array(4 * data.length);
  for (let y = 0; y < 2 * height; y++)
    for (const x of [0, row])
      all.set(data.subarray((y % height) * row, (y % height) * row + row), 2 * y * row + x);
  return { width: 2 * width, height: 2 * height, data: all };
}

/** On memory that workers read as it is: copying is not what is measured. */
function shared({ width, height, data }: Image): Image {
  const there = new Uint8Array(new SharedArrayBuffer(data.length));
  there.set(data);
  return { width, height, data: there };
}
