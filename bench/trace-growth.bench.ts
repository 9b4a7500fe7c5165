// How time and memory grow: patterns of one megapixel and of sixteen, among them those that some tracer never finishes.
// Time may grow with corners, or with pixels where those grow faster: combs, rings and serpentines have few corners.
import { contest, type Outcome } from "./contest.ts";
import { PATTERNS } from "./corpus.ts";
import { bar, figures } from "./harness.ts";

const KINDS = ["hatch", "dither", "dots", "rings", "comb", "serpentine", "diagonals"] as const;
const [SMALL, LARGE] = [1000, 4000];

for (const kind of KINDS) {
  const small = measured(kind, SMALL);
  const large = measured(kind, LARGE);
  if (small === undefined || large === undefined) {
    bar(`${kind}: time / work, 16 MP to 1 MP`, "ratio", Infinity, { atMost: 1.3 });
    continue;
  }
  const time = large.ms / small.ms;
  const corners = large.corners / small.corners;
  const pixels = (LARGE / SMALL) ** 2;
  const row = { "ms at 1 MP": small.ms, "ms at 16 MP": large.ms, "x time": time, "x corners": corners };
  figures(`${kind}, curves`, { ...row, "ns a corner": (large.ms * 1e6) / large.corners });
  bar(`${kind}: x time / x work`, "ratio", time / Math.max(corners, pixels), { atMost: 1.3 });
}

// a single run: results of earlier ones wait for the collector
const dots = run("kerfwork curves", "dots", 2000, 0);
bar("1,000,000 dots: peak memory added", "MB", dots?.figures.megabytes ?? Infinity, { atMost: 150 });

function measured(kind: keyof typeof PATTERNS, side: number): { ms: number; corners: number } | undefined {
  const curves = run("kerfwork curves", kind, side, 3);
  const borders = run("kerfwork extraction", kind, side, 0);
  return curves && borders && { ms: curves.ms, corners: borders.figures.corners };
}

function run(
  tracer: "kerfwork curves" | "kerfwork extraction",
  kind: keyof typeof PATTERNS,
  side: number,
  runs: number,
): Outcome | undefined {
  const rules = { runs, budgetMs: 1500, limitMs: 60_000 };
  return contest(tracer, PATTERNS[kind](side, side), `${kind} of ${side} px`, rules);
}
