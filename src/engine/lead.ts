import { checkNumber, checkOneOf, checkOptions, invalid } from "../errors.ts";
import { type Bed, depthIn } from "./bed.ts";

/** A way into a cut or out of it. */
export interface Lead {
  /** Length of the way, mm, 0.2..1000. */
  readonly length: number;
  /** "line": straight, at an angle to the cut. "arc": meets the cut in its own direction (default "arc"). */
  readonly kind?: "line" | "arc";
  /** Of lines: angle to the direction of the cut, 5..90 (default 45). */
  readonly angleDeg?: number;
  /** Of arcs, mm, >= 0.02 (default: as makes a quarter of a circle); half a circle is the most, whatever the length. */
  readonly radius?: number;
}

/** A lead, checked and complete. */
export interface Shape {
  readonly kind: "line" | "arc";
  readonly length: number;
  /** Radians. */
  readonly angle: number;
  readonly radius: number;
}

/** A place on a cut from which leads may go: where it is, the way that comes in and the one that goes out. */
export interface Joint {
  readonly x: number;
  readonly y: number;
  readonly inX: number;
  readonly inY: number;
  readonly outX: number;
  readonly outY: number;
}

/** A lead laid out: its far end, and what a move of it needs. */
export interface LaidLead {
  readonly x: number;
  readonly y: number;
  readonly kind: 1 | 2 | 3;
  readonly cx: number;
  readonly cy: number;
  readonly length: number;
  /** Places along it, x and y in turn, from the cut on; the first piece is the one that is next to it. */
  readonly trail: readonly number[];
}

/** Least angle between a straight lead and the cut, radians. */
const LEAST_ANGLE = Math.PI / 60;
/** An arc next to a cut counts when it has left it by so much, mm. */
const LEFT = 0.004;
/** A straight lead counts from so far on, mm. */
const NEXT = 0.05;
/** Longest piece of an arc in its trail, radians. */
const PIECE = Math.PI / 24;
/** Directions that differ by less are one, radians: coordinates are rounded. */
const SAME = 0.02;

export function checkLead(name: string, lead: Lead | undefined): Shape | undefined {
  if (lead === undefined) return undefined;
  if (typeof lead !== "object" || lead === null)
    throw invalid(name, "{ length, kind, angleDeg, radius }", lead);
  checkOptions(lead, ["length", "kind", "angleDeg", "radius"]);
  const length = checkNumber(`${name}.length`, lead.length, { min: 0.2, max: 1000 });
  const kind = checkOneOf(`${name}.kind`, lead.kind ?? "arc", ["line", "arc"]);
  const angleDeg = checkNumber(`${name}.angleDeg`, lead.angleDeg ?? 45, { min: 5, max: 90 });
  const radius = checkNumber(`${name}.radius`, lead.radius ?? (2 * length) / Math.PI, { min: 0.02 });
  return { kind, length, angle: (angleDeg * Math.PI) / 180, radius };
}

/**
 * Lays a lead from a joint on.
 *
 * @param side     1: on the left of the cut, -1: on its right
 * @param shrink   factor on its size
 * @param turned   straight leads halve the angle that the waste has there, instead of their own
 * @returns undefined where it would begin in the part, along the cut, or leave the bed
 */
export function layLead(
  joint: Joint,
  shape: Shape,
  goesIn: boolean,
  side: 1 | -1,
  shrink: number,
  turned: boolean,
  bed: Bed | undefined,
): LaidLead | undefined {
  const { x, y } = joint;
  if (bed !== undefined && depthIn(bed, x, y) < 0) return undefined;
  // the waste reaches from the way out, turned towards the side, to the way in, looked at backwards
  const wide = turnBetween(joint.outX, joint.outY, -joint.inX, -joint.inY, side);
  const [tx, ty] = goesIn ? [joint.outX, joint.outY] : [joint.inX, joint.inY];
  const [fromX, fromY] = goesIn ? [-tx, -ty] : [tx, ty];
  const length = shape.length * shrink;
  if (shape.kind === "line") {
    const angle = goesIn ? -shape.angle : shape.angle;
    const [ux, uy] = turned
      ? rotated(joint.outX, joint.outY, (side * wide) / 2)
      : rotated(fromX, fromY, side * angle);
    const off = turnBetween(joint.outX, joint.outY, ux, uy, side);
    if (off < LEAST_ANGLE || off > wide - LEAST_ANGLE) return undefined;
    const end = { x: Math.fround(x + length * ux), y: Math.fround(y + length * uy) };
    if (bed !== undefined && depthIn(bed, end.x, end.y) < 0) return undefined;
    const next = Math.min(NEXT, length / 4);
    return {
      ...end,
      kind: 1,
      cx: 0,
      cy: 0,
      length,
      trail: [x, y, x + next * ux, y + next * uy, end.x, end.y],
    };
  }

  const off = turnBetween(joint.outX, joint.outY, fromX, fromY, side);
  const isAlong = off < SAME || off > 2 * Math.PI - SAME || Math.abs(off - wide) < SAME;
  if (!isAlong && off > wide) return undefined;
  const radius = shape.radius * shrink;
  const sweep = Math.min(Math.PI, length / radius);
  const [cx, cy] = [Math.fround(x - side * ty * radius), Math.fround(y + side * tx * radius)];
  // backwards from the joint on the way in
  const sense = goesIn ? -side : side;
  const trail = [x, y];
  const first = Math.min(sweep / 4, Math.sqrt((2 * LEFT) / radius));
  const pieces = Math.ceil((sweep - first) / PIECE);
  for (let i = 0; i <= pieces; i++) {
    const [dx, dy] = rotated(x - cx, y - cy, sense * (first + ((sweep - first) * i) / pieces));
    if (bed !== undefined && depthIn(bed, cx + dx, cy + dy) < radius * (1 - Math.cos(PIECE / 2)))
      return undefined;
    trail.push(cx + dx, cy + dy);
  }
  const end = { x: Math.fround(trail.at(-2)!), y: Math.fround(trail.at(-1)!) };
  return { ...end, kind: side === 1 ? 3 : 2, cx, cy, length: radius * sweep, trail };
}

function rotated(x: number, y: number, angle: number): [number, number] {
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  return [x * cos - y * sin, x * sin + y * cos];
}

/** By how much one direction has to turn towards a side to become another, 0..2 pi. */
function turnBetween(ax: number, ay: number, bx: number, by: number, side: number): number {
  const turn = side * Math.atan2(ax * by - ay * bx, ax * bx + ay * by);
  return turn < 0 ? turn + 2 * Math.PI : turn;
}
