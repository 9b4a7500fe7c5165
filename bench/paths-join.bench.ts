// What joins, dedupes, nests, smooths and moves paths, each by itself: there is no peer that does the same.
import { dedupe, join, nest, type Paths, simplify, smooth, transform } from "../src/engine/index.ts";
import { bar, figures, quantile, seeded } from "./harness.ts";
import { noisyOutline } from "./noisy.ts";
import { readPaths } from "./paths.ts";

/** Median processor time of a call with its copies in and out, ms: other programs do not count. */
function msOf(run: () => unknown, rounds = 9): number {
  for (let k = 0; k < 3; k++) run();
  const times = Float64Array.from({ length: rounds }, () => {
    const start = process.cpuUsage();
    run();
    const { user, system } = process.cpuUsage(start);
    return (user + system) / 1000;
  });
  return quantile(times, 0.5);
}

function pathsOf(lists: readonly (readonly number[])[]): Paths {
  let points = 0;
  const ends = Uint32Array.from(lists, (list) => (points += list.length / 2));
  return { ends, xy: Float32Array.from(lists.flat()) };
}

/** Wavy outlines of 100 lines each, taken apart, shuffled, and half of the lines turned round; ends lie up to `off` apart. */
function exploded(n: number, off: number): Paths {
  const random = seeded(3);
  const lines: number[][] = [];
  for (let i = 0; i < n; i++) {
    const [ring, k] = [Math.floor(i / 100), i % 100];
    const [x, y] = [15 * (ring % 40), 15 * Math.floor(ring / 40)];
    const at = (j: number): number[] => {
      const angle = (2 * Math.PI * (j % 100)) / 100;
      const r = 5 + Math.sin(7 * angle + ring);
      return [Math.fround(x + r * Math.cos(angle)), Math.fround(y + r * Math.sin(angle))];
    };
    const aside = (): number => off * (random() - 0.5);
    const ends = [at(k), at(k + 1)].map(([px, py]) => [px + aside(), py + aside()]);
    lines.push((random() < 0.5 ? ends : ends.reverse()).flat());
  }
  return pathsOf(shuffled(lines, random));
}

function shuffled<T>(list: readonly T[], random: () => number): T[] {
  const all = [...list];
  for (let i = all.length - 1; i > 0; i--) {
    const k = Math.floor(random() * (i + 1));
    [all[i], all[k]] = [all[k], all[i]];
  }
  return all;
}

for (const [name, paths, gap, chains] of [
  ["join 100k lines that meet", exploded(100_000, 0), 0.05, 1000],
  ["join 100k lines up to 0.02 apart", exploded(100_000, 0.014), 0.05, 1000],
  ["join 100k lines strewn about", strewn(100_000), 0.05, 0],
] as const) {
  const joined = join(paths, { gap });
  if (chains > 0 && joined.paths.ends.length !== chains)
    throw new Error(`${joined.paths.ends.length} chains, not ${chains}`);
  const ms = msOf(() => join(paths, { gap }));
  figures(name, { ms, "paths out": joined.paths.ends.length });
  bar(name, "ms", ms, { atMost: 50 });
}

function strewn(n: number): Paths {
  const random = seeded(5);
  return pathsOf(
    Array.from({ length: n }, () => {
      const [x, y, angle] = [600 * random(), 400 * random(), 7 * random()];
      const length = 0.5 + 4.5 * random();
      return [x, y, x + length * Math.cos(angle), y + length * Math.sin(angle)];
    }),
  );
}

/** The same lines again, backwards, in halves. */
function doubled({ ends, xy }: Paths): Paths {
  const more: number[][] = [];
  for (let i = 0; i < ends.length; i++) {
    const [x0, y0, x1, y1] = xy.subarray(4 * i, 4 * i + 4);
    const [x, y] = [(x0 + x1) / 2, (y0 + y1) / 2];
    more.push([x1, y1, x, y, x0, y0]);
  }
  const twins = pathsOf(more);
  return {
    ends: Uint32Array.from([...ends, ...twins.ends.map((end) => end + ends[ends.length - 1])]),
    xy: Float32Array.from([...xy, ...twins.xy]),
  };
}

const lines = strewn(50_000);
const hatch = pathsOf(Array.from({ length: 30_000 }, (_, i) => [0, i * 0.05, 200 + (i % 7), i * 0.05]));
const outline = noisyOutline(100_000);
for (const [name, paths, kept] of [
  ["dedupe 50k strewn lines and their twins", doubled(lines), undefined],
  ["dedupe 30k hatch lines and their twins", doubled(hatch), 30_000],
  ["dedupe an outline of 100k points", outline, 1],
] as const) {
  const result = dedupe(paths);
  if (kept !== undefined && result.paths.ends.length !== kept)
    throw new Error(`${name}: ${result.paths.ends.length} kept, not ${kept}`);
  figures(name, { ms: msOf(() => dedupe(paths), 5), "paths out": result.paths.ends.length });
}

const rings = pathsOf(
  Array.from({ length: 100_000 }, (_, i) => {
    const [x, y] = [i % 400, Math.floor(i / 400)];
    return [x, y, x + 0.5, y, x + 0.5, y + 0.5, x, y + 0.5, x, y];
  }),
);
if (nest(rings).depth.some((depth) => depth !== 0))
  throw new Error("squares beside each other are not nested");
figures("nest 100k squares beside each other", { ms: msOf(() => nest(rings), 5) });
figures("smooth an outline of 100k points", { ms: msOf(() => smooth(outline, { radius: 1 })) });
figures("transform an outline of 100k points", { ms: msOf(() => transform(outline, [0, 1, -1, 0, 5, 5])) });
const curves = readPaths("curves400");
figures("simplify 400 curves", { ms: msOf(() => simplify(curves)), points: curves.xy.length / 2 });
