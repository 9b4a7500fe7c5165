// Travel between paths: how long the first order takes, and how far kicks bring it. On the 10,000 segments the way is held
// against what LKH 3.0.6 found in its time, 26,073 mm from the origin over all and back; the other sets are from a seed and
// have no reference. Times are CPU time of the process, which other work on the machine changes least.
import { type OrderOptions, order, type Paths } from "../src/engine/index.ts";
import { withEngine } from "../src/engine/memory.ts";
import { bar, figures, quantile, seeded } from "./harness.ts";
import { readPaths } from "./paths.ts";

const REFERENCE_MM = 26_073;
const HOME: OrderOptions = { start: [0, 0], end: [0, 0] };

/** Segments of 0.5 to 5 mm in 600 x 400 mm. */
function segments(n: number): Paths {
  const next = seeded(7);
  const xy = new Float32Array(4 * n);
  for (let i = 0; i < n; i++) {
    const [x, y, angle, length] = [600 * next(), 400 * next(), 2 * Math.PI * next(), 0.5 + 4.5 * next()];
    xy.set([x, y, x + length * Math.cos(angle), y + length * Math.sin(angle)], 4 * i);
  }
  return { ends: Uint32Array.from({ length: n }, (_, i) => 2 * (i + 1)), xy };
}

/** Hatch lines 0.3 mm apart over 600 x 400 mm, cut by gaps; the row of each. */
function hatch(): { lines: Paths; rows: Uint32Array } {
  const next = seeded(11);
  const xy: number[] = [];
  const rows: number[] = [];
  for (let row = 0; row < 1333; row++)
    for (let x = 5 * next(); x < 590; ) {
      const end = Math.min(x + 2 + 40 * next(), 600);
      xy.push(x, 0.3 * row, end, 0.3 * row);
      rows.push(row);
      x = end + 0.5 + 8 * next();
    }
  const ends = Uint32Array.from(rows, (_, i) => 2 * (i + 1));
  return { lines: { ends, xy: Float32Array.from(xy) }, rows: Uint32Array.from(rows) };
}

/** Closed paths of 24 points. */
function rings(n: number): Paths {
  const next = seeded(9);
  const side = 4 * Math.sqrt(n);
  const xy = new Float32Array(50 * n);
  for (let i = 0; i < n; i++) {
    const [x, y, radius] = [side * next(), side * next(), 0.3 + next()];
    for (let k = 0; k <= 24; k++) {
      const angle = (Math.PI * (k % 24)) / 12;
      xy.set([x + radius * Math.cos(angle), y + radius * Math.sin(angle)], 50 * i + 2 * k);
    }
  }
  return { ends: Uint32Array.from({ length: n }, (_, i) => 25 * (i + 1)), xy };
}

interface Outcome {
  readonly ms: number;
  readonly travel: number;
}

/** Median CPU time, and the way, which is the same each time. */
function time(paths: Paths, options: OrderOptions, runs: number): Outcome {
  const times = new Float64Array(runs);
  let travel = 0;
  for (let run = 0; run < runs; run++) {
    const before = process.cpuUsage();
    const result = order(paths, { ...HOME, ...options });
    const { user, system } = process.cpuUsage(before);
    times[run] = (user + system) / 1000;
    if (run > 0 && result.travel !== travel) throw new Error(`${result.travel} mm, and ${travel} mm before`);
    travel = result.travel;
  }
  return { ms: quantile(times, 0.5), travel };
}

function row(name: string, paths: Paths, options: OrderOptions, runs = 3): Outcome {
  const outcome = time(paths, options, runs);
  const paths1000 = paths.ends.length / 1000;
  figures(name, { "CPU ms": outcome.ms, "us a path": outcome.ms / paths1000, mm: outcome.travel });
  return outcome;
}

const measured = readPaths("seg10k");
time(measured, { kicks: 50 }, 5); // warm

const first = row("10,000 segments, first order", measured, { kicks: 0 }, 9);
row("10,000 segments, by default", measured, {});
const second = row("10,000 segments, 6000 kicks", measured, { kicks: 6000 });
const above = ({ travel }: Outcome): number => 100 * (travel / REFERENCE_MM - 1);
bar("first order of 10,000, CPU", "ms", first.ms, { atMost: 56 });
bar("first order of 10,000, above LKH", "%", above(first), { atMost: 12 });
bar("6000 kicks on 10,000, CPU", "ms", second.ms, { atMost: 1000 });
bar("6000 kicks on 10,000, above LKH", "%", above(second), { atMost: 2.5 });

row("10,000 segments, one way", measured, { flip: false });
const columns = Uint32Array.from(measured.ends, (_, i) => Math.max(0, measured.xy[4 * i]! / 60));
row("10,000 segments, 10 groups", measured, { groups: columns });
row("10,000 segments, order kept", measured, { keepOrder: true });

const few = segments(1000);
row("1,000 segments, first order", few, { kicks: 0 }, 9);
row("1,000 segments, by default", few, {});
row("10,000 rings, first order", rings(10_000), { kicks: 0 });
row("10,000 rings, by default", rings(10_000), {});

const { lines, rows } = hatch();
row(`${lines.ends.length} hatch lines, first order`, lines, { kicks: 0 });
row(`${lines.ends.length} hatch lines, by default`, lines, {});
row(`${lines.ends.length} hatch lines, rows as units`, lines, { units: rows });

const many = segments(100_000);
row("100,000 segments, first order", many, { kicks: 0 });
row("100,000 segments, by default", many, {});
row("100,000 segments, 40,000 kicks", many, { kicks: 40_000 }, 1);
const bytes = withEngine((engine) => engine.memory.buffer.byteLength);
bar("100,000 segments, kernel memory", "byte/path", bytes / 100_000, { atMost: 500 });
