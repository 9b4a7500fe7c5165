// Seeded outlines of parts to be cut, as closed paths in mm.
import type { Paths } from "../src/engine/index.ts";
import { seeded } from "./harness.ts";

type Place = readonly [x: number, y: number];

function closedPaths(rings: readonly Place[][]): Paths {
  let points = 0;
  const ends = Uint32Array.from(rings, (ring) => (points += ring.length + 1));
  return { ends, xy: Float32Array.from(rings.flatMap((ring) => [...ring, ring[0]!]).flat()) };
}

const around = (x: number, y: number, radius: number, angle: number): Place => [
  x + radius * Math.cos(angle),
  y + radius * Math.sin(angle),
];

/** One outline, about a circle, with waves and with noise from point to point. */
export function noisyOutline(points: number, radius: number, noise: number): Paths {
  const next = seeded(1);
  const phases = [next(), next(), next()].map((phase) => 7 * phase) as [number, number, number];
  const ring = Array.from({ length: points }, (_, k) => {
    const angle = (2 * Math.PI * k) / points;
    const waves =
      Math.sin(5 * angle + phases[0]) +
      Math.sin(23 * angle + phases[1]) / 2 +
      Math.sin(101 * angle + phases[2]) / 5;
    return around(1.2 * radius, 1.2 * radius, radius * (1 + 0.03 * waves) + noise * (next() - 0.5), angle);
  });
  return closedPaths([ring]);
}

/** Polygons of 18 to 26 corners on a square grid, 5 mm apart; none touches another. */
export function partsOnGrid(count: number): Paths {
  const next = seeded(3);
  const columns = Math.ceil(Math.sqrt(count));
  const rings = Array.from({ length: count }, (_, i) => {
    const corners = 18 + Math.floor(9 * next());
    const [x, y] = [3 + 5 * (i % columns), 3 + 5 * Math.floor(i / columns)];
    return Array.from({ length: corners }, (_, k) =>
      around(x, y, 2 * (0.7 + 0.3 * next()), (2 * Math.PI * k) / corners),
    );
  });
  return closedPaths(rings);
}

/** A gear of square teeth, ten points to a tooth. */
export function gear(teeth: number): Paths {
  const ring = Array.from({ length: 10 * teeth }, (_, k) =>
    around(25, 25, k % 10 < 5 ? 20 : 18, (2 * Math.PI * k) / (10 * teeth)),
  );
  return closedPaths([ring]);
}

export function moved({ ends, xy }: Paths, dx: number, dy: number): Paths {
  return { ends, xy: xy.map((value, i) => value + (i % 2 === 0 ? dx : dy)) };
}

/** Sum of signed areas, mm2, and of lengths, mm. */
export function sizeOf({ ends, xy }: Paths): { area: number; length: number } {
  let area = 0;
  let length = 0;
  let point = 0;
  for (const end of ends) {
    const [x, y] = [xy[2 * point]!, xy[2 * point + 1]!];
    for (; point < end - 1; point++) {
      const [x0, y0, x1, y1] = xy.subarray(2 * point, 2 * point + 4) as unknown as [
        number,
        number,
        number,
        number,
      ];
      area += ((x0 - x) * (y1 - y) - (y0 - y) * (x1 - x)) / 2;
      length += Math.sqrt((x1 - x0) ** 2 + (y1 - y0) ** 2);
    }
    point++;
  }
  return { area, length };
}
