import { checkNumber, checkOptions, invalid } from "../errors.ts";

/** Where the head may go, mm, in the machine's coordinates, y up. */
export interface Bed {
  readonly minX: number;
  readonly minY: number;
  readonly maxX: number;
  readonly maxY: number;
}

const SIDES = ["minX", "minY", "maxX", "maxY"] as const;

export function checkBed(bed: Bed | undefined): Bed | undefined {
  if (bed === undefined) return undefined;
  if (typeof bed !== "object" || bed === null) throw invalid("bed", "{ minX, minY, maxX, maxY }", bed);
  checkOptions(bed, SIDES);
  for (const side of SIDES) checkNumber(`bed.${side}`, bed[side]);
  if (bed.maxX < bed.minX) throw invalid("bed.maxX", `>= ${bed.minX}, bed.minX`, bed.maxX);
  if (bed.maxY < bed.minY) throw invalid("bed.maxY", `>= ${bed.minY}, bed.minY`, bed.maxY);
  return bed;
}

/** How far a place lies inside the bed; negative outside of it. */
export function depthIn({ minX, minY, maxX, maxY }: Bed, x: number, y: number): number {
  return Math.min(x - minX, maxX - x, y - minY, maxY - y);
}

/** How far the bed reaches from a place in it in the direction of a unit vector; less than 0 where it ended before. */
export function reachIn(bed: Bed, x: number, y: number, dx: number, dy: number): number {
  return Math.min(reachAlong(bed.minX, bed.maxX, x, dx), reachAlong(bed.minY, bed.maxY, y, dy));
}

function reachAlong(min: number, max: number, at: number, step: number): number {
  if (step === 0) return at >= min && at <= max ? Infinity : -Infinity;
  return ((step > 0 ? max : min) - at) / step;
}
