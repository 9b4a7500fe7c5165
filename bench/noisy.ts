import type { Paths } from "../src/engine/index.ts";
import { seeded } from "./harness.ts";

/** A closed outline of `n` points, about 200 mm wide: slow waves, and noise of up to 0.025 mm across it. */
export function noisyOutline(n: number, seed = 7): Paths {
  const random = seeded(seed);
  const waves = Array.from({ length: 40 }, (_, k) => ({
    count: 2 + 5 * k,
    size: 12 / (1 + k),
    phase: 2 * Math.PI * random(),
  }));
  const xy = new Float32Array(2 * (n + 1));
  for (let i = 0; i < n; i++) {
    const angle = (2 * Math.PI * i) / n;
    let r = 80 + 0.05 * (random() - 0.5);
    for (const { count, size, phase } of waves) r += size * Math.sin(count * angle + phase);
    xy[2 * i] = 120 + r * Math.cos(angle);
    xy[2 * i + 1] = 120 + r * Math.sin(angle);
  }
  xy.copyWithin(2 * n, 0, 2);
  return { ends: Uint32Array.of(n + 1), xy };
}
