// Simplifying beside simplify-js at high quality, the setting that bounds the error: each takes points and gives
// points in the form that is its own, typed arrays here and objects there.
import { type Paths, simplify } from "../src/engine/index.ts";
import { bar, figures, quantile } from "./harness.ts";
import { noisyOutline } from "./noisy.ts";
import { peer } from "./peers.ts";

interface XY {
  readonly x: number;
  readonly y: number;
}
type Peer = (points: readonly XY[], tolerance: number, highQuality: boolean) => XY[];

const ROUNDS = 31;
const simplifyJs = ((await peer("simplify-js")) as { default: Peer } | undefined)?.default;

const paths = noisyOutline(100_000);
const points = Array.from(
  { length: paths.xy.length / 2 },
  (_, i): XY => ({ x: paths.xy[2 * i], y: paths.xy[2 * i + 1] }),
);

/** How far the points that were dropped lie from the lines that took their place. */
function errorOf(all: readonly XY[], kept: Paths): number {
  const { xy } = kept;
  const first = all.findIndex(({ x, y }) => x === xy[0] && y === xy[1]);
  const ring = [...all.slice(first), ...all.slice(1, first + 1)];
  let worst = 0;
  let line = 0;
  for (const p of ring.slice(1)) {
    worst = Math.max(worst, distanceTo(xy.subarray(2 * line, 2 * line + 4), p));
    if (p.x === xy[2 * line + 2] && p.y === xy[2 * line + 3]) line++;
  }
  if (2 * line !== xy.length - 2) throw new Error(`only ${line} of the lines could be followed`);
  return worst;
}

function distanceTo([ax, ay, bx, by]: Float32Array, { x, y }: XY): number {
  const [dx, dy] = [bx - ax, by - ay];
  const square = dx * dx + dy * dy;
  const t = square > 0 ? Math.min(1, Math.max(0, ((x - ax) * dx + (y - ay) * dy) / square)) : 0;
  return Math.hypot(x - ax - t * dx, y - ay - t * dy);
}

function timed(run: () => unknown): number {
  const start = performance.now();
  run();
  return performance.now() - start;
}

for (const tolerance of [0.01, 0.05, 0.2]) {
  const kept = simplify(paths, { tolerance });
  const error = errorOf(points, kept);
  if (error > tolerance) throw new Error(`a point lies ${error} off, beyond ${tolerance}`);
  const other = simplifyJs?.(points, tolerance, true);
  if (other !== undefined && kept.ends[0] > 1.05 * other.length)
    throw new Error(`kept ${kept.ends[0]} points, simplify-js ${other.length}`);
  const ours: number[] = [];
  const theirs: number[] = [];
  for (let k = 0; k < ROUNDS + 5; k++) {
    const ms = timed(() => simplify(paths, { tolerance }));
    const peerMs = simplifyJs === undefined ? Number.NaN : timed(() => simplifyJs(points, tolerance, true));
    if (k < 5) continue;
    ours.push(ms);
    theirs.push(peerMs);
  }
  const median = (values: number[]): number => quantile(Float64Array.from(values), 0.5);
  figures(`100,000 points at ${tolerance}`, {
    ms: median(ours),
    kept: kept.ends[0],
    "error, mm": error,
    "simplify-js, ms": other === undefined ? null : median(theirs),
    "kept there": other?.length ?? null,
  });
  const ratio = other === undefined ? undefined : median(ours.map((ms, k) => theirs[k] / ms));
  bar(`simplify-js / kerfwork at ${tolerance}`, "times", ratio, { atLeast: 3 });
}
