import type { Vec } from "./interpreter.ts";

/** An arc, in the two axes of its plane; a third axis goes along evenly. */
export interface Arc {
  readonly position: Vec;
  readonly target: Vec;
  /** The numbers of the plane's axes. */
  readonly plane: readonly [number, number];
  /** From the start to the centre, mm. */
  readonly centre: readonly [number, number];
  readonly clockwise: boolean;
}

/** Cuts an arc into chords that leave it by no more than `arcTolerance`, mm. The start is not among the points. */
export function chordsOf(arc: Arc, { arcTolerance }: { readonly arcTolerance: number }): Vec[] {
  const { position, target, clockwise } = arc;
  const [a, b] = arc.plane;
  const [ca, cb] = arc.centre;
  const dx = target[a]! - position[a]!;
  const dy = target[b]! - position[b]!;
  const radius = Math.hypot(ca, cb);
  const start = Math.atan2(-cb, -ca);
  let angle = Math.atan2(dy - cb, dx - ca) - start;
  // an end on the start is a whole turn
  if (clockwise && angle >= -5e-7) angle -= 2 * Math.PI;
  if (!clockwise && angle <= 5e-7) angle += 2 * Math.PI;
  const sagitta = arcTolerance * (2 * radius - arcTolerance);
  const chords =
    sagitta > 0 ? Math.max(1, Math.floor(Math.abs(angle * radius * 0.5) / Math.sqrt(sagitta))) : 1;
  return Array.from({ length: chords }, (_, i) => {
    if (i === chords - 1) return target;
    const share = (i + 1) / chords;
    const at = start + angle * share;
    const point = position.map((value, axis) => value + (target[axis]! - value) * share);
    point[a] = position[a]! + ca + radius * Math.cos(at);
    point[b] = position[b]! + cb + radius * Math.sin(at);
    return point as unknown as Vec;
  });
}
