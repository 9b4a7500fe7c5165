// Line fill of a ragged area with 300 holes, beside the clipping of the same lines as open paths.
import { hatch, type Paths } from "kerfwork";
import { bar, figures, quantile } from "./harness.ts";
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

/** Medians of runs in turn, ms, and the median of their ratios. */
function race(ours: () => unknown, theirs: (() => unknown) | undefined, rounds: number) {
  const time = (run: () => unknown): number => {
    const start = performance.now();
    run();
    return performance.now() - start;
  };
  for (let i = 0; i < 30; i++) ours();
  const own: number[] = [];
  const peers: number[] = [];
  for (let i = 0; i < rounds; i++) {
    own.push(
      quantile(
        Float64Array.from({ length: 5 }, () => time(ours)),
        0.5,
      ),
    );
    if (theirs !== undefined) peers.push(time(theirs));
  }
  const median = (values: number[]): number => quantile(Float64Array.from(values), 0.5);
  return {
    ms: median(own),
    peerMs: theirs === undefined ? null : median(peers),
    ratio: theirs === undefined ? undefined : median(peers.map((ms, i) => ms / own[i]!)),
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
    ms,
    "peer's ms": peerMs,
  });
  if (spacing === 0.1) {
    bar("hatch at 0.1 mm", "ms", ms, { atMost: 4 });
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
  figures(`hatch ${name}`, { lines: hatch(region, options).ends.length, ms });
}
