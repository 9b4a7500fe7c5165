// How long a job takes to be timed: a million moves through the planner's look-ahead, with everything in and out. Before
// that, small jobs are held to a planner that plans anew before each block.
import { estimate, type Ops } from "../src/engine/index.ts";
import { newOps } from "../src/engine/ops.ts";
import { slowTimes } from "../test/planner.ts";
import { bar, figures, measure, quantile, seeded } from "./harness.ts";

const MOVES = 1_000_000;
const REPEATS = 15;
const MACHINE = {
  maxRate: [12_000, 12_000, 500],
  acceleration: [1000, 1000, 10],
  junctionDeviation: 0.01,
  arcTolerance: 0.002,
  stepsPerMm: [250, 250, 250],
  plannerBlocks: 15,
} as const;

/** Outlines of short lines, as traced pictures have them: 50 to a cut, a few tenths of a millimetre each. */
function outlines(n: number): Ops {
  const next = seeded(1);
  const ops = newOps(n);
  for (let i = 0, x = 0, y = 0, heading = 0; i < n; i++) {
    const starts = i % 50 === 0;
    heading = starts ? 2 * Math.PI * next() : heading + 0.4 * (next() - 0.5);
    const length = starts ? 10 * next() : 0.1 + 0.4 * next();
    // back to the middle of the bed again and again
    x = (x + length * Math.cos(heading)) * (starts ? 0.9 : 1);
    y = (y + length * Math.sin(heading)) * (starts ? 0.9 : 1);
    lay(ops, i, starts ? 0 : 1, x, y);
  }
  return ops;
}

/** Rows of a hatch, there and back: a travel and a line each. */
function hatch(n: number): Ops {
  const next = seeded(2);
  const ops = newOps(n);
  for (let i = 0; i < n; i++) {
    const row = i >> 1;
    const isRight = (row + i) % 2 === 1;
    lay(ops, i, i % 2, isRight ? 50 + 20 * next() : 20 * next(), 0.1 * (row % 3000));
  }
  return ops;
}

/** Circles of two arcs each, 20 chords to an arc or so. */
function circles(n: number): Ops {
  const next = seeded(3);
  const ops = newOps(n);
  for (let i = 0, x = 0, y = 0, r = 0; i < n; i++) {
    if (i % 3 === 0) [x, y, r] = [200 * next(), 200 * next(), 0.2 + 0.4 * next()];
    lay(ops, i, i % 3 === 0 ? 0 : 3, Math.fround(i % 3 === 1 ? x - r : x + r), y);
    if (i % 3 > 0) ops.centers.set([x, y], 2 * i);
  }
  return ops;
}

function lay(ops: Ops, i: number, kind: number, x: number, y: number): void {
  ops.kinds[i] = kind;
  ops.xy.set([x, y], 2 * i);
  ops.power[i] = kind === 0 ? 0 : 1;
  ops.speed[i] = kind === 0 ? 6000 : 3000;
}

const kinds = { outlines, hatch, circles };
for (const [name, make] of Object.entries(kinds)) {
  const ops = make(3000);
  const { times } = estimate(ops, MACHINE);
  for (const [op, time] of slowTimes(ops, MACHINE).entries())
    if (!(Math.abs(times[op]! - time) <= 1e-6 * time + 1e-9))
      throw new Error(`${name}: move ${op} ends at ${times[op]} s, of a planner step by step at ${time} s`);
}

const medians: Record<string, number> = {};
for (const [name, make] of Object.entries(kinds)) {
  const ops = make(MOVES);
  const ms: number[] = [];
  for (let i = -3; i < REPEATS; i++) {
    // processor time, as other programs may run beside it
    const start = process.cpuUsage();
    estimate(ops, MACHINE);
    const { user, system } = process.cpuUsage(start);
    if (i >= 0) ms.push((user + system) / 1000);
  }
  medians[name] = quantile(Float64Array.from(ms), 0.5);
  measure(`estimate of 1,000,000 moves, ${name}`, "ms", ms);
}
figures(
  "ns a move",
  Object.fromEntries(Object.entries(medians).map(([name, ms]) => [name, (ms * 1e6) / MOVES])),
);
bar(
  "estimate of 1,000,000 lines and travels, all in and out",
  "ms",
  Math.max(medians.outlines!, medians.hatch!),
  {
    atMost: 100,
  },
);
