// How near centre lines come to the axes of strokes: strokes of known axis and width, rendered as gray and cut at 128,
// traced, and compared with what was drawn. No library that is used for this work draws centre lines, so none is beside.
import { traceCenterline } from "kerfwork";
import { inked, linesOf, type Middle, middleOf, scenesOf } from "./axis.ts";
import { corpus } from "./corpus.ts";
import { bar, figures, quantile } from "./harness.ts";

/** A pixel is a millimetre, so that results are in pixels. */
const PX = { threshold: 128, dpi: 25.4 } as const;
const WIDTHS = [2, 3, 4.5, 6, 9, 13, 20];
const TIMED = ["page", "fish"];
const RUNS = 7;

const all: Middle[] = [];
for (const width of WIDTHS) {
  const found = scenesOf(width).map((scene) =>
    middleOf(linesOf(traceCenterline(inked(scene), PX)), scene.strokes),
  );
  all.push(...found);
  figures(`strokes of ${width} px, worst`, worstOf(found));
}
for (const [i, { name }] of scenesOf(WIDTHS[0]).entries())
  figures(`${name}, worst`, worstOf(all.filter((_, k) => k % (all.length / WIDTHS.length) === i)));

const worst = worstOf(all);
bar("distance to the axis, worst", "px", Math.max(worst.there, worst.back), { atMost: 0.35 });
bar("longest spur", "widths", worst.spur, { atMost: 1 });
bar("breaks", "count", worst.breaks, { atMost: 0 });

for (const { name, image } of await corpus()) {
  if (!TIMED.includes(name)) continue;
  const times: number[] = [];
  let lines = 0;
  // the first run warms up
  for (let k = 0; k <= RUNS; k++) {
    const start = process.cpuUsage();
    lines = traceCenterline(image, PX).ends.length;
    const { user, system } = process.cpuUsage(start);
    if (k > 0) times.push((user + system) / 1000);
  }
  const ms = quantile(Float64Array.from(times), 0.5);
  figures(name, { ms, "ms / MP": (ms * 1e6) / (image.width * image.height), lines });
}

/** The largest of each; breaks are summed up. */
function worstOf(found: readonly Middle[]): Record<keyof Middle, number> {
  const most = (of: keyof Middle): number => Math.max(...found.map((middle) => middle[of]));
  return {
    there: most("there"),
    back: most("back"),
    spur: most("spur"),
    breaks: found.reduce((sum, { breaks }) => sum + breaks, 0),
    surplus: most("surplus"),
  };
}
