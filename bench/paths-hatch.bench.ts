// Line fill of a ragged area with 300 holes, beside the clipping of the same lines as open paths; and open paths cropped to it.
import { crop, hatch, type Paths } from "kerfwork";
import { bar, figures, quantile, seeded } from "./harness.ts";
import { readPaths } from "./paths.ts";
import { peer } from "./peers.ts";

interface Clipper {
  Clipper64: new () => {
    addSubject(paths: unknown): void;
    addOpenSubject(paths: unknown): void;
    addClip(paths: unknown): void;
    execute(clip: number, rule: number, closed: unknown[], open: unknown[]): boolean;
  };
  ClipType: { Intersection: number };
  FillRule: { EvenOdd: number };
}

const clipper = (await peer("clipper2-ts")) as Clipper | undefined;
type Point = { x: number; y: number };

/** Paths as the peer wants them: integers, um. */
function integers({ ends, xy }: Paths): Point[][] {
  return Array.from(ends, (end, i) =>
    Array.from({ length: end - (ends[i - 1] ?? 0) }, (_, k) => {
      const at = 2 * ((ends[i - 1] ?? 0) + k);
      return { x: Math.round(1000 * xy[at]!), y: Math.round(1000 * xy[at + 1]!) };
    }),
  );
}

function clip(region: Point[][], lines: Point[][]): Point[][] {
  const { Clipper64, ClipType, FillRule } = clipper!;
  const work = new Clipper64();
  work.addOpenSubject(lines);
  work.addClip(region);
  const open: Point[][] = [];
  work.execute(ClipType.Intersection, FillRule.EvenOdd, [], open);
  return open;
}

const lengthOf = (lines: Point[][]): number =>
  lines.reduce(
    (sum, line) =>
      sum + line.slice(1).reduce((s, p, i) => s + Math.hypot(p.x - line[i]!.x, p.y - line[i]!.y), 0),
    0,
  ) / 1000;

/** Medians of runs in turn: CPU ms of the process, which other programs do not add to, and the ratio of the times passed. */
function race(ours: () => unknown, theirs: (() => unknown) | undefined, rounds: number) {
  const time = (run: () => unknown): { ms: number; cpuMs: number } => {
    const [start, used] = [performance.now(), process.cpuUsage()];
    run();
    const { user, system } = process.cpuUsage(used);
    return { ms: performance.now() - start, cpuMs: (user + system) / 1000 };
  };
  for (let i = 0; i < 30; i++) ours();
  const median = (values: number[]): number => quantile(Float64Array.from(values), 0.5);
  const own: { ms: number; cpuMs: number }[] = [];
  const peers: { ms: number; cpuMs: number }[] = [];
  for (let i = 0; i < rounds; i++) {
    const runs = Array.from({ length: 5 }, () => time(ours));
    own.push({ ms: median(runs.map(({ ms }) => ms)), cpuMs: median(runs.map(({ cpuMs }) => cpuMs)) });
    if (theirs !== undefined) peers.push(time(theirs));
  }
  return {
    ms: median(own.map(({ cpuMs }) => cpuMs)),
    peerMs: theirs === undefined ? null : median(peers.map(({ cpuMs }) => cpuMs)),
    ratio: theirs === undefined ? undefined : median(peers.map(({ ms }, i) => ms / own[i]!.ms)),
  };
}

const region = readPaths("hatchpoly");
const whole = integers(region);
const [minX, maxX, minY, maxY] = [0, 1].flatMap((axis) => {
  const values = region.xy.filter((_, i) => i % 2 === axis);
  return [Math.min(...values), Math.max(...values)];
}) as [number, number, number, number];

for (const spacing of [0.1, 0.05]) {
  const options = { spacing, direction: "oneWay" } as const;
  const rows: Point[][] = [];
  for (let row = Math.ceil(-maxY / spacing - 0.5); -(row + 0.5) * spacing > minY; row++) {
    const y = Math.round(-1000 * (row + 0.5) * spacing);
    rows.push([
      { x: Math.floor(1000 * minX) - 1000, y },
      { x: Math.ceil(1000 * maxX) + 1000, y },
    ]);
  }
  const ours = hatch(region, options);
  const theirs = clipper === undefined ? undefined : clip(whole, rows);
  // the peer works in whole um, and loses slivers
  const length = lengthOf(integers(ours));
  if (theirs !== undefined && Math.abs(lengthOf(theirs) / length - 1) > 1e-4)
    throw new Error(`${spacing} mm: ${length} mm of lines, the peer has ${lengthOf(theirs)}`);
  const { ms, peerMs, ratio } = race(
    () => hatch(region, options),
    clipper && (() => clip(whole, rows)),
    spacing === 0.1 ? 7 : 3,
  );
  figures(`hatch, 19,432 points, ${spacing} mm`, {
    lines: ours.ends.length,
    "peer's lines": theirs?.length ?? null,
    mm: length,
    "peer's mm": theirs === undefined ? null : lengthOf(theirs),
    "CPU ms": ms,
    "peer's CPU ms": peerMs,
  });
  if (spacing === 0.1) {
    bar("hatch at 0.1 mm", "CPU ms", ms, { atMost: 4 });
    bar("hatch at 0.1 mm, clipper2-ts / ours", "ratio", ratio, { atLeast: 50 });
  }
}

for (const [name, options] of Object.entries({
  "at 45 degrees": { spacing: 0.1, angleDeg: 45 },
  crosswise: { spacing: 0.1, crossHatch: true },
  "0.1 mm inside": { spacing: 0.1, inset: 0.1 },
  "1 mm inside": { spacing: 0.1, inset: 1 },
})) {
  const { ms } = race(() => hatch(region, options), undefined, 5);
  figures(`hatch ${name}`, { lines: hatch(region, options).ends.length, "CPU ms": ms });
}

// wandering lines of 100 points, on the same um that the peer works in
const next = seeded(1);
const strokes: Point[][] = Array.from({ length: 1000 }, () => {
  let [x, y] = [minX + next() * (maxX - minX), minY + next() * (maxY - minY)];
  return Array.from({ length: 100 }, () => {
    x += 2 * next() - 1;
    y += 2 * next() - 1;
    return { x: Math.round(1000 * x), y: Math.round(1000 * y) };
  });
});
const paths: Paths = {
  ends: Uint32Array.from(strokes, (_, i) => 100 * (i + 1)),
  xy: Float32Array.from(strokes.flatMap((line) => line.flatMap(({ x, y }) => [x / 1000, y / 1000]))),
};
const cropped = crop(paths, { to: region });
const clipped = clipper === undefined ? undefined : clip(whole, strokes);
const kept = lengthOf(integers(cropped));
if (clipped !== undefined && Math.abs(lengthOf(clipped) / kept - 1) > 1e-3)
  throw new Error(`crop: ${kept} mm are left, the peer leaves ${lengthOf(clipped)}`);
const { ms, peerMs } = race(() => crop(paths, { to: region }), clipper && (() => clip(whole, strokes)), 3);
figures("crop of 100,000 points", {
  pieces: cropped.ends.length,
  "peer's pieces": clipped?.length ?? null,
  mm: kept,
  "peer's mm": clipped === undefined ? null : lengthOf(clipped),
  "CPU ms": ms,
  "peer's CPU ms": peerMs,
});
