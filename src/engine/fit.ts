import type { Borders } from "./contours.ts";
import type { Engine, Pointer, Stages } from "./memory.ts";
import type { Curves } from "./trace.ts";

/** In the order of the kernel's numbers. */
export const FIT_MODES = ["pixels", "polygons", "curves"] as const;
export type FitMode = (typeof FIT_MODES)[number];

const NO_ROOM = -2;
/** Segments of one turn of the kernel; memory for its output stays at this size, however large the result. */
const ROOM = 1 << 16;

/** The gray of the picture that the borders come from, u8[width * height], and the threshold that was laid on it. */
export interface GrayPlane {
  readonly at: Pointer;
  readonly width: number;
  readonly height: number;
  readonly threshold: number;
  /** Uses it for each border that has any, not only where it tells more than the pixels' stairs. */
  readonly always: boolean;
}

/**
 * Turns borders in kernel memory into outlines, between pixels where there is gray; the borders may be given back
 * afterwards. The first `open` of them are arcs, which keep their first and last corner, and get no gray.
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
  const watch = engine.alloc(64);
  const bytes = stages.run(share * 0.1, corners, () =>
    kernels.fitScratch(ends, contours, points, watch, gray ? 1 : 0),
  );
  const scratch = engine.alloc(bytes);
  const outEnds = engine.alloc(4 * contours);
  const cursor = engine.alloc(20);
  engine.i32(cursor, 5).fill(0);

  // the kernel fills a room of fixed size, again and again; only a contour that needs more makes the room grow
  const kindParts: Uint8Array[] = [];
  const xyParts: Float32Array[] = [];
  let room = Math.min(ROOM, 4 * corners + 16);
  const mark = engine.mark();
  stages.run(share * 0.9, corners, () => {
    for (;;) {
      engine.release(mark);
      const pointRoom = 4 * room;
      const kinds = engine.alloc(room);
      const xy = engine.alloc(8 * pointRoom);
      const done = kernels.fit(
        ends,
        contours,
        points,
        FIT_MODES.indexOf(options.mode),
        options.tolerancePx,
        options.mmPerPx,
        scratch,
        cursor,
        outEnds,
        kinds,
        xy,
        room,
        pointRoom,
        open,
        gray?.at ?? (0 as Pointer),
        gray?.width ?? 0,
        gray?.height ?? 0,
        gray?.threshold ?? 0,
        gray?.always ? 1 : 0,
      );
      if (done === NO_ROOM) {
        room *= 2;
        continue;
      }
      if (done < 0) return done;
      const [segments, written] = engine.i32(cursor, 4).subarray(2) as unknown as [number, number];
      kindParts.push(engine.u8(kinds, segments).slice());
      xyParts.push(engine.f32(xy, 2 * written).slice());
      if (done === contours) return done;
    }
  });
  return {
    ends: engine.u32(outEnds, contours).slice(),
    kinds: joined(kindParts, (length) => new Uint8Array(length)),
    xy: joined(xyParts, (length) => new Float32Array(length)),
    depth: engine.u16(borders.depth, contours).slice(),
  };
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
