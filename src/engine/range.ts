import type { Kernels, Pointer } from "./memory.ts";

/** The gray of the picture that the borders come from, u8[width * height], and the threshold that was laid on it. */
export interface GrayPlane {
  readonly at: Pointer;
  readonly width: number;
  readonly height: number;
  readonly threshold: number;
  /** Uses it for each border that has any, not only where it tells more than the pixels' stairs. */
  readonly always: boolean;
}

/** What is done to all contours alike: addresses in one kernel memory and numbers, which another thread can be sent. */
export interface FitJob {
  /** u32[contours], corners up to and with each contour. */
  readonly ends: Pointer;
  /** i32[2 * corners], px. */
  readonly points: Pointer;
  /** u32[contours], gets the segments up to and with each contour, counted from the start of its range. */
  readonly outEnds: Pointer;
  readonly mode: number;
  readonly tolerancePx: number;
  readonly mmPerPx: number;
  /** So many contours, the first ones, are open. */
  readonly open: number;
  readonly gray: GrayPlane | undefined;
}

/** Where one thread works. */
export interface FitRoom {
  /** i32[5], see `openRange`. */
  readonly cursor: Pointer;
  /** As many bytes as `fitScratch` says. */
  readonly scratch: Pointer;
  /** u8[room]. */
  readonly kinds: Pointer;
  /** f32[2 * POINTS * room]. */
  readonly xy: Pointer;
  /** Segments of one turn. */
  readonly room: number;
}

/** Outlines of a range, or of the part of it that one turn gave. */
export interface FitPart {
  readonly kinds: Uint8Array;
  readonly xy: Float32Array;
}

/** The kernel's status for a contour that does not fit the room. */
export const NO_ROOM = -2;
/** Bytes of a cursor. */
export const CURSOR_BYTES = 20;
/** Points of room for each segment: three of a cubic, and the starts of the contours. */
const POINTS = 4;
/** Bytes of output for each segment of room. */
export const SEGMENT_BYTES = 1 + 8 * POINTS;

/** Bytes of `xy` for so many segments of room. */
export function xyBytes(room: number): number {
  return 8 * POINTS * room;
}

/** Readies a cursor for the contours from `from` on; what was reported through it stays the least that is reported. */
export function openRange(cursor: Int32Array, from: number): void {
  cursor[0] = from;
  cursor.fill(0, 1, 4);
}

/**
 * One turn of the kernel, up to contour `to`: contours done, less than `to` when the room is full, or a status. The
 * segments and points that it gave are in the cursor's words 2 and 3.
 */
export function fitRange(kernels: Kernels, job: FitJob, place: FitRoom, to: number): number {
  const { gray } = job;
  return kernels.fit(
    job.ends,
    to,
    job.points,
    job.mode,
    job.tolerancePx,
    job.mmPerPx,
    place.scratch,
    place.cursor,
    job.outEnds,
    place.kinds,
    place.xy,
    place.room,
    POINTS * place.room,
    job.open,
    gray?.at ?? (0 as Pointer),
    gray?.width ?? 0,
    gray?.height ?? 0,
    gray?.threshold ?? 0,
    gray?.always ? 1 : 0,
  );
}
