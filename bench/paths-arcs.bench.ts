// Arcs for 400 flattened circles and Bezier curves, 35,434 lines, beside ArcWelder 1.2. It is a program of its own that
// reads and writes text, so its commands and deviations stand here as they were measured once, at tolerances .01, .02 and
// .05; ours is run at the deviation that it reached.
import { fitArcs, type Paths } from "../src/engine/index.ts";
import { deviationOf, pointLists, strokesOf } from "./deviation.ts";
import { bar, figures, quantile } from "./harness.ts";
import { readPaths } from "./paths.ts";

const PEER = [
  { name: "0.01", deviation: 0.006, lines: 863, arcs: 3113 },
  { name: "0.02", deviation: 0.0106, lines: 646, arcs: 2252 },
  { name: "0.05", deviation: 0.026, lines: 631, arcs: 1672 },
] as const;
const RUNS = 15;

const paths = readPaths("curves400");
const sources = pointLists(paths);

for (const { name, deviation, lines, arcs } of PEER) {
  const options = { tolerance: deviation };
  const cold = timed(paths, options);
  const times = Float64Array.from({ length: RUNS }, () => timed(paths, options));
  const fitted = fitArcs(paths, options);
  const own = fitted.kinds.reduce((sum, kind) => sum + Number(kind > 0), 0);
  const worst = strokesOf(fitted).reduce(
    (most, strokes, i) => Math.max(most, deviationOf(sources[i]!, strokes)),
    0,
  );
  const median = quantile(times, 0.5);
  figures(`as ArcWelder at ${name}`, {
    lines: fitted.kinds.length - own,
    arcs: own,
    "their lines": lines,
    "their arcs": arcs,
    deviation: worst,
    "cold ms": cold,
    ms: median,
  });
  bar(`${name}: commands over ArcWelder's`, "ratio", fitted.kinds.length / (lines + arcs), { atMost: 1 });
  bar(`${name}: max deviation over its own`, "ratio", worst / deviation, { atMost: 1.0001 });
  bar(`${name}: time of 35,434 lines`, "CPU ms", median, { atMost: 25 });
}

/** ms of the processor: others may use the machine. */
function timed(given: Paths, options: { readonly tolerance: number }): number {
  const start = process.cpuUsage();
  fitArcs(given, options);
  const { user, system } = process.cpuUsage(start);
  return (user + system) / 1000;
}
