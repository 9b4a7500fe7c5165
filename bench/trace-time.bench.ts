// How long outlines take beside the tracers that are used for this work: the same pixels in memory, geometry out, each in
// a fresh process for each picture. Native tracers are gated as fast as they can be made: with a heap that stays.
import { contest, geometricMean, type Outcome, TRACERS, type Tracer } from "./contest.ts";
import { corpus, PATTERNS, type Picture } from "./corpus.ts";
import { bar, figures } from "./harness.ts";

/** For runs of a millisecond: compilers that still work on other threads count as the process's time. */
const BRIEF = { runs: 41, budgetMs: 500 };

const pictures: Picture[] = await corpus();
const names = Object.keys(TRACERS) as Tracer[];
/** Outcome by tracer and picture. */
const outcomes = new Map<Tracer, Map<string, Outcome>>(names.map((name) => [name, new Map()]));

for (const { name, image } of pictures)
  for (const tracer of names) {
    const outcome = contest(tracer, image, name, tracer === "kerfwork extraction" ? BRIEF : { draw: true });
    if (outcome !== undefined) outcomes.get(tracer)?.set(name, outcome);
  }

for (const tracer of names) table(`${tracer}, ms`, tracer, ({ ms }) => ms);
table("kerfwork curves, first run, ms", "kerfwork curves", ({ firstMs }) => firstMs);
for (const tracer of names)
  if (tracer !== "kerfwork extraction" && tracer !== "potrace stock")
    table(`${tracer}, segments`, tracer, ({ drawing }) => drawing?.kinds.length);

extractionBars();
polygonBars();
curveBars();

function table(title: string, tracer: Tracer, value: (outcome: Outcome) => number | undefined): void {
  const cells = pictures.map(({ name }) => {
    const outcome = outcomes.get(tracer)?.get(name);
    return [name, (outcome && value(outcome)) ?? null] as const;
  });
  figures(title, Object.fromEntries(cells));
}

/** Gray to nested borders, against what reading the pixels and placing the corners may take; plain and busy pictures of 10 MP too. */
function extractionBars(): void {
  const shares: Record<string, number> = {};
  const weigh = (name: string, pixels: number, outcome: Outcome | undefined): void => {
    if (outcome !== undefined)
      shares[name] = outcome.ms / (0.15e-6 * pixels + 20e-6 * outcome.figures.corners);
  };
  for (const { name, image } of pictures)
    weigh(name, image.data.length, outcomes.get("kerfwork extraction")?.get(name));
  for (const kind of ["discs", "hatch", "dither"] as const) {
    const image = PATTERNS[kind](4000, 2500);
    weigh(
      `${kind} 10 MP`,
      image.data.length,
      contest("kerfwork extraction", image, `${kind} of 10 MP`, BRIEF),
    );
  }
  figures("extraction / allowance", shares);
  const worst = Math.max(...Object.values(shares));
  bar("extraction / (0.15 ms/MP + 20 ns a corner)", "worst", worst, { atMost: 1 });
}

function polygonBars(): void {
  const shares = ratios("kerfwork polygons", "OpenCV tuned");
  bar("polygons / OpenCV tuned", "mean", geometricMean(shares), { atMost: 0.5 });
  bar("polygons / OpenCV tuned", "worst", worstOf(shares), { atMost: 1 });
}

function curveBars(): void {
  const shares = ratios("kerfwork curves", "potrace tuned");
  bar("curves / potrace tuned", "mean", geometricMean(shares), { atMost: 1 / 3 });
  bar("curves / potrace tuned", "worst", worstOf(shares), { atMost: 0.7 });
  const vtracer = geometricMean(ratios("vtracer tuned", "kerfwork curves"));
  bar("vtracer tuned / curves", "mean", vtracer, { atLeast: 8 });
}

/** Of times, over the pictures that both finished; shown as a row. */
function ratios(tracer: Tracer, other: Tracer): number[] {
  const row: Record<string, number | null> = {};
  const found: number[] = [];
  for (const { name } of pictures) {
    const [a, b] = [outcomes.get(tracer)?.get(name), outcomes.get(other)?.get(name)];
    row[name] = a && b ? a.ms / b.ms : null;
    if (a && b) found.push(a.ms / b.ms);
  }
  figures(`${tracer} / ${other}`, row);
  return found;
}

function worstOf(shares: readonly number[]): number | undefined {
  return shares.length === 0 ? undefined : Math.max(...shares);
}
