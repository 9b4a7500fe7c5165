/** A box of three axes; empty while min > max. */
export interface Box {
  readonly min: number[];
  readonly max: number[];
}

/** Takes a point into a box; coordinates that are not known count for nothing. */
export function growBox(box: Box, point: readonly number[]): void {
  for (let axis = 0; axis < 3; axis++) {
    if (point[axis]! < box.min[axis]!) box.min[axis] = point[axis]!;
    if (point[axis]! > box.max[axis]!) box.max[axis] = point[axis]!;
  }
}

/** As GRBL has it: both ends may lie so far off the circle, mm and as a share of the radius. */
const RADIUS_SLACK = { always: 0.005, never: 0.5, share: 0.001 };

/**
 * Follows an arc: its length and box, mm; undefined when its start is not known, words when it is no arc. Axes lie as
 * the plane says, `centre` is I, J, K from the start.
 */
export function arcOf(
  from: readonly number[],
  to: readonly number[],
  centre: readonly (number | undefined)[],
  radiusWord: number | undefined,
  clockwise: boolean,
  plane: 17 | 18 | 19,
): { readonly length: number; readonly box: Box } | string | undefined {
  const [a, b, c] = plane === 17 ? [0, 1, 2] : plane === 18 ? [2, 0, 1] : [1, 2, 0];
  const dx = to[a]! - from[a]!;
  const dy = to[b]! - from[b]!;
  if (Number.isNaN(dx) || Number.isNaN(dy)) return undefined;
  let cx = centre[a] ?? 0;
  let cy = centre[b] ?? 0;
  if (radiusWord !== undefined) {
    const chord = Math.hypot(dx, dy);
    if (chord === 0) return "an arc by radius that ends elsewhere than it begins";
    const height = 4 * radiusWord * radiusWord - chord * chord;
    if (height < 0) return `an arc whose radius of ${radiusWord} reaches its end, ${rounded(chord)} mm away`;
    // a negative radius asks for the longer way round
    const side = ((clockwise ? -1 : 1) * (radiusWord < 0 ? -1 : 1) * Math.sqrt(height)) / chord;
    cx = (dx - dy * side) / 2;
    cy = (dy + dx * side) / 2;
  } else {
    if (centre[a] === undefined && centre[b] === undefined) return "an arc with a centre or a radius";
    const [r0, r1] = [Math.hypot(cx, cy), Math.hypot(dx - cx, dy - cy)];
    const gap = Math.abs(r0 - r1);
    if (gap > RADIUS_SLACK.always && (gap > RADIUS_SLACK.never || gap > RADIUS_SLACK.share * r0))
      return `an arc that ends on its circle, with radii of ${rounded(r0)} and ${rounded(r1)} mm`;
  }
  const radius = Math.hypot(cx, cy);
  const start = Math.atan2(-cy, -cx);
  let sweep = Math.atan2(dy - cy, dx - cx) - start;
  if (clockwise && sweep >= -5e-7) sweep -= 2 * Math.PI;
  if (!clockwise && sweep <= 5e-7) sweep += 2 * Math.PI;
  const box: Box = {
    min: [0, 1, 2].map((axis) => Math.min(from[axis]!, to[axis]!)),
    max: [0, 1, 2].map((axis) => Math.max(from[axis]!, to[axis]!)),
  };
  // where it crosses the directions of the axes
  const [low, high] = sweep < 0 ? [start + sweep, start] : [start, start + sweep];
  for (let quarter = Math.ceil(low / (Math.PI / 2)); quarter * (Math.PI / 2) <= high; quarter++) {
    const turn = ((quarter % 4) + 4) % 4;
    const axis = turn % 2 === 0 ? a : b;
    const at = from[axis]! + (turn % 2 === 0 ? cx : cy) + (turn < 2 ? radius : -radius);
    box.min[axis] = Math.min(box.min[axis]!, at);
    box.max[axis] = Math.max(box.max[axis]!, at);
  }
  const climb = to[c]! - from[c]!;
  return { length: Math.hypot(sweep * radius, Number.isNaN(climb) ? 0 : climb), box };
}

const rounded = (value: number): number => Number(value.toFixed(3));
