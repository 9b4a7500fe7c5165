import type { Borders } from "./contours.ts";
import type { Engine, Pointer, Stages } from "./memory.ts";
import {
  CURSOR_BYTES,
  type FitJob,
  type FitPart,
  fitRange,
  type GrayPlane,
  NO_ROOM,
  openRange,
  xyBytes,
} from "./range.ts";
import { type Chunk, SharedFit } from "./share.ts";
import type { Curves } from "./trace.ts";

/** In the order of the kernel's numbers. */
export const FIT_MODES = ["pixels", "polygons", "curves"] as const;
export type FitMode = (typeof FIT_MODES)[number];

/** Segments of one turn of the kernel; memory for its output stays at this size, however large the result. */
const ROOM = 1 << 16;

/**
 * Turns borders in kernel memory into outlines, between pixels where there is gray; the borders may be given back
 * afterwards. The first `open` of them are arcs, which keep their first and last corner, and get no gray. Other threads
 * take part in big ones where there are any, and what comes out is the same.
 */
export function fitBorders(
  engine: Engine,
  borders: Borders,
  options: { mode: FitMode; tolerancePx: number; mmPerPx: number },
  stages: Stages,
  share: number,
  open = 0,
  gray?: GrayPlane,
): Curves {
  const { kernels } = engine;
  const { contours, corners, ends, points } = borders;
  const { mode, tolerancePx, mmPerPx } = options;
  const watch = engine.alloc(64);
  const plane = gray && isGray(engine, gray, stages, share * 0.05) ? gray : undefined;
  const bytes = stages.run(share * 0.05, corners, () =>
    kernels.fitScratch(ends, contours, points, watch, plane ? 1 : 0),
  );
  const scratch = engine.alloc(bytes);
  const outEnds = engine.alloc(4 * contours);
  const cursor = engine.alloc(CURSOR_BYTES);
  engine.u8(cursor, CURSOR_BYTES).fill(0);
  const number = FIT_MODES.indexOf(mode);
  const job: FitJob = { ends, points, outEnds, mode: number, tolerancePx, mmPerPx, open, gray: plane };
  const fit = fitter(engine, job, { scratch, cursor }, Math.min(ROOM, 4 * corners + 16));
  const shared = SharedFit.offer(engine, job, contours, corners, bytes);

  let chunks: Chunk[] = [];
  stages.run(share * 0.9, corners, () => {
    const parts: FitPart[] = [];
    const result = shared?.run(fit) ?? fit(0, contours, parts);
    if (typeof result !== "number") chunks = result;
    else if (result < 0) return result;
    else chunks = [{ from: 0, to: contours, parts }];
    return contours;
  });
  const parts = chunks.flatMap((chunk) => chunk.parts);
  return {
    ends: rebased(engine.u32(outEnds, contours).slice(), chunks),
    kinds: joined(
      parts.map(({ kinds }) => kinds),
      (length) => new Uint8Array(length),
    ),
    xy: joined(
      parts.map(({ xy }) => xy),
      (length) => new Float32Array(length),
    ),
    depth: engine.u16(borders.depth, contours).slice(),
  };
}

/** Whether a plane has anything to tell beside black and white. */
function isGray(engine: Engine, { at, width, height }: GrayPlane, stages: Stages, share: number): boolean {
  return stages.run(share, width * height, () => engine.kernels.hasGray(at, width * height)) > 0;
}

/**
 * Fits ranges on this thread, in one room: the kernel fills it again and again, and only a contour that needs more makes
 * it grow. Gives 0 or the kernel's status.
 */
function fitter(
  engine: Engine,
  job: FitJob,
  own: { scratch: Pointer; cursor: Pointer },
  least: number,
): (from: number, to: number, parts: FitPart[]) => number {
  let mark = engine.mark();
  let end = mark;
  const makeRoom = (room: number) => {
    // the last one's place is free when nothing stands behind it
    if (engine.mark() === end) engine.release(mark);
    else mark = engine.mark();
    const place = { ...own, kinds: engine.alloc(room), xy: engine.alloc(xyBytes(room)), room };
    end = engine.mark();
    return place;
  };
  let place = makeRoom(least);
  return (from, to, parts) => {
    openRange(engine.i32(own.cursor, CURSOR_BYTES / 4), from);
    for (;;) {
      const done = fitRange(engine.kernels, job, place, to);
      if (done === NO_ROOM) {
        place = makeRoom(2 * place.room);
        continue;
      }
      if (done < 0) return done;
      const [segments, points] = engine.i32(own.cursor, 4).subarray(2) as unknown as [number, number];
      parts.push({
        kinds: engine.u8(place.kinds, segments).slice(),
        xy: engine.f32(place.xy, 2 * points).slice(),
      });
      if (done === to) return 0;
    }
  };
}

/** Counts the ends of all chunks from the first one's start. */
function rebased(ends: Uint32Array, chunks: readonly Chunk[]): Uint32Array {
  let base = 0;
  for (const { from, to, parts } of chunks) {
    if (base > 0) for (let i = from; i < to; i++) ends[i]! += base;
    for (const { kinds } of parts) base += kinds.length;
  }
  return ends;
}

function joined<T extends Uint8Array | Float32Array>(parts: readonly T[], make: (length: number) => T): T {
  if (parts.length === 1) return parts[0]!;
  const all = make(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part as never, at);
    at += part.length;
  }
  return all;
}
