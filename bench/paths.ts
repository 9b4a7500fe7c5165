import { readFileSync } from "node:fs";
import type { Paths } from "../src/engine/index.ts";

/**
 * Reads one of the data sets in bench/paths/: u32 paths, u32 flags (1 = closed), u32 count[paths] padded to 8 bytes, then
 * f64 x, y a point, mm. Closed ones get their first point again at the end, as `Paths` wants it.
 */
export function readPaths(name: "curves400" | "hatchpoly" | "seg10k"): Paths {
  const file = readFileSync(new URL(`../../bench/paths/${name}.pth`, import.meta.url));
  const bytes = file.buffer.slice(file.byteOffset, file.byteOffset + file.length);
  const [count, flags] = new Uint32Array(bytes, 0, 2) as unknown as [number, number];
  const counts = new Uint32Array(bytes, 8, count);
  const from = new Float64Array(bytes, Math.ceil((8 + 4 * count) / 8) * 8);
  const closed = flags & 1;
  const ends = new Uint32Array(count);
  let points = 0;
  for (let path = 0; path < count; path++) ends[path] = points += counts[path]! + closed;
  const xy = new Float32Array(2 * points);
  for (let path = 0, read = 0, write = 0; path < count; path++) {
    const n = 2 * counts[path]!;
    xy.set(from.subarray(read, read + n), write);
    if (closed) xy.set(from.subarray(read, read + 2), write + n);
    read += n;
    write += n + 2 * closed;
  }
  return { ends, xy };
}
