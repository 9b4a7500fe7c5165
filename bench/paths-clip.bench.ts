// Offsets and combined regions beside Clipper2, in Wasm and in TypeScript, in turns. kerfwork's time is that of the whole
// call, from paths in mm to paths in mm; Clipper2's is given alone and with its input and output.
import { combine, offset, offsetRings, type Paths } from "../src/engine/index.ts";
import { type Clipper, clipperTs, clipperWasm, type Operation } from "./clippers.ts";
import { bar, figures, quantile } from "./harness.ts";
import { gear, moved, noisyOutline, partsOnGrid, sizeOf } from "./parts.ts";

const ROUNDS = 5;
const TOLERANCE = 0.005; // mm, of arcs
const newWasm = await clipperWasm();
const newTs = await clipperTs();

const time = (run: () => unknown): number => {
  const start = performance.now();
  run();
  return performance.now() - start;
};
const median = (values: readonly number[]): number => quantile(Float64Array.from(values), 0.5);

/** Times of one job, ms; undefined for a peer that is not installed or was not asked. */
interface Times {
  readonly own: number;
  readonly wasm: number | undefined;
  readonly ts: number | undefined;
}

/** Runs a job in turns with its peers; areas may differ by `most` mm2. */
function contest(
  name: string,
  own: () => Paths,
  wasm: { readonly on: Clipper; readonly run: (on: Clipper) => void } | undefined,
  ts: { readonly run: () => void; readonly area: () => number } | undefined,
  most: number,
): Times {
  const times = { own: [] as number[], wasm: [] as number[], both: [] as number[], ts: [] as number[] };
  let result = own();
  for (let round = 0; round < ROUNDS; round++) {
    times.own.push(time(() => (result = own())));
    if (wasm) {
      times.wasm.push(time(() => wasm.run(wasm.on)));
      times.both.push(times.wasm.at(-1)! + time(() => wasm.on.give()) + time(() => wasm.on.take()));
    }
    // it takes seconds
    if (ts && round < 2) times.ts.push(time(ts.run));
  }
  const { area } = sizeOf(result);
  for (const [peer, other] of [
    ["clipper2-wasm", wasm?.on.area()],
    ["clipper2-ts", ts?.area()],
  ] as const)
    if (other !== undefined && !(Math.abs(area - other) <= most))
      throw new Error(`${name}: ${area} mm2, ${peer} has ${other}`);
  const [ownMs, wasmMs, bothMs, tsMs] = [times.own, times.wasm, times.both, times.ts].map((values) =>
    values.length > 0 ? median(values) : undefined,
  );
  figures(`${name}, ms`, {
    kerfwork: ownMs!,
    "clipper2-wasm": wasmMs ?? null,
    "in and out too": bothMs ?? null,
    "clipper2-ts": tsMs ?? null,
    points: result.xy.length / 2,
  });
  return { own: ownMs!, wasm: wasmMs, ts: tsMs };
}

const over = (own: number, other: number | undefined): number | undefined =>
  other === undefined ? undefined : own / other;

function offsetContest(name: string, paths: Paths, distance: number, withTs: boolean): Times {
  const on = newWasm?.(paths);
  const ts = withTs ? newTs?.(paths) : undefined;
  return contest(
    `${name}, ${distance > 0 ? "+" : ""}${distance} mm`,
    () => offset(paths, { distance, tolerance: TOLERANCE }).paths,
    on && { on, run: (clipper) => clipper.offset(distance, TOLERANCE) },
    ts && { run: () => ts.offset(distance, TOLERANCE), area: ts.area },
    // each has its outline within the tolerance
    TOLERANCE * sizeOf(paths).length,
  );
}

function combineContest(name: string, operation: Operation, subject: Paths, clip: Paths): Times {
  const on = newWasm?.(subject, clip);
  return contest(
    name,
    () => combine(operation, subject, clip),
    on && { on, run: (clipper) => clipper.combine(operation) },
    undefined,
    2e-5 * sizeOf(subject).length,
  );
}

const calm = noisyOutline(100_000, 300, 0.02);
const rough = noisyOutline(100_000, 300, 0.1);
const parts = partsOnGrid(5000);

const outlines: (number | undefined)[] = [];
for (const [name, paths] of [
  ["outline of 100k, noise 20 um", calm],
  ["outline of 100k, noise 100 um", rough],
] as const)
  for (const distance of [0.1, -0.1]) {
    const { own, wasm } = offsetContest(name, paths, distance, false);
    outlines.push(over(own, wasm));
  }
const worst = (ratios: readonly (number | undefined)[]): number | undefined =>
  ratios.every((ratio) => ratio !== undefined) ? Math.max(...(ratios as number[])) : undefined;
bar("offset of 100k / clipper2-wasm", "worst", worst(outlines), { atMost: 1.3 });

const disjoint: Times[] = [];
for (const distance of [0.1, -0.1]) disjoint.push(offsetContest("5,000 parts apart", parts, distance, true));
bar("offset of parts / clipper2-wasm", "worst", worst(disjoint.map(({ own, wasm }) => over(own, wasm))), {
  atMost: 0.4,
});
const slower = disjoint.map(({ own, ts }) => (ts === undefined ? undefined : ts / own));
bar(
  "clipper2-ts / offset of parts",
  "least",
  slower.every((ratio) => ratio !== undefined) ? Math.min(...(slower as number[])) : undefined,
  { atLeast: 8 },
);

const combined = [
  combineContest("outline of 100k and parts", "intersect", noisyOutline(100_000, 150, 0.02), parts),
  combineContest("two outlines of 100k", "union", calm, moved(calm, 3, 2)),
  combineContest("outline of 100k less itself, moved", "subtract", rough, moved(rough, 0.05, 0.02)),
];
bar("combined with 100k / clipper2-wasm", "worst", worst(combined.map(({ own, wasm }) => over(own, wasm))), {
  atMost: 1.3,
});
combineContest("5,000 parts less themselves, moved", "subtract", parts, moved(parts, 1.3, 0.4));

const teeth = gear(100);
const tenRings = newWasm?.(teeth);
let last: Paths = teeth;
contest(
  "10 rings of 0.2 mm in a gear",
  () => {
    const { paths, ring } = offsetRings(teeth, { step: 0.2, count: 10, tolerance: TOLERANCE });
    // of the area, the last ring counts
    const kept = paths.ends.subarray(ring.indexOf(10) - 1);
    last = {
      ends: kept.subarray(1).map((end) => end - kept[0]!),
      xy: paths.xy.subarray(2 * kept[0]!),
    };
    return last;
  },
  tenRings && { on: tenRings, run: (clipper) => clipper.rings(10, 0.2, TOLERANCE) },
  undefined,
  2 * TOLERANCE * sizeOf(teeth).length,
);
