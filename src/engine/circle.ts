/** An arc of a circle: start, centre, end; a full turn when its end is its start. Float32Arrays do as well. */
export type Arc = ArrayLike<number>;

/** The angle that an arc turns, 0..2 pi. `growing`: the angle grows along it, which is clockwise as seen where y is down. */
export function sweepOf(growing: boolean, arc: Arc): number {
  const [x0, y0, centerX, centerY, x, y] = [arc[0]!, arc[1]!, arc[2]!, arc[3]!, arc[4]!, arc[5]!];
  return x0 === x && y0 === y
    ? 2 * Math.PI
    : angleTo(growing, x0 - centerX, y0 - centerY, x - centerX, y - centerY);
}

function angleTo(growing: boolean, ax: number, ay: number, bx: number, by: number): number {
  const cross = ax * by - ay * bx;
  const angle = Math.atan2(growing ? cross : -cross, ax * bx + ay * by);
  return angle < 0 ? angle + 2 * Math.PI : angle;
}

/** Distance of an arc's start from its centre. */
export function radiusOf(arc: Arc): number {
  return Math.sqrt((arc[0]! - arc[2]!) ** 2 + (arc[1]! - arc[3]!) ** 2);
}

/** Where an arc crosses the axes through its centre: the points that its box reaches to, apart from its ends. */
export function extremesOf(growing: boolean, arc: Arc): [x: number, y: number][] {
  const [centerX, centerY] = [arc[2]!, arc[3]!];
  const radius = radiusOf(arc);
  const sweep = sweepOf(growing, arc);
  const found: [x: number, y: number][] = [];
  for (const [dx, dy] of [
    [radius, 0],
    [0, radius],
    [-radius, 0],
    [0, -radius],
  ] as const)
    if (angleTo(growing, arc[0]! - centerX, arc[1]! - centerY, dx, dy) < sweep)
      found.push([centerX + dx, centerY + dy]);
  return found;
}

/** The point at a part of an arc, 0..1; where its ends differ in radius, that changes evenly. */
export function pointOfArc(growing: boolean, arc: Arc, part: number): [x: number, y: number] {
  const [centerX, centerY] = [arc[2]!, arc[3]!];
  const [dx, dy] = [arc[0]! - centerX, arc[1]! - centerY];
  const angle = (growing ? part : -part) * sweepOf(growing, arc);
  const from = radiusOf(arc);
  const to = Math.sqrt((arc[4]! - centerX) ** 2 + (arc[5]! - centerY) ** 2);
  const scale = from === 0 ? 0 : 1 + (part * (to - from)) / from;
  const [cos, sin] = [scale * Math.cos(angle), scale * Math.sin(angle)];
  return [centerX + dx * cos - dy * sin, centerY + dx * sin + dy * cos];
}

/** Centre of the arc of a radius from one point to another, to the left or right of its chord (SVG 2, appendix B.2.4). */
export function centerOf(
  x0: number,
  y0: number,
  x1: number,
  y1: number,
  r: number,
  left: boolean,
): [number, number] {
  const [dx, dy] = [(x1 - x0) / 2, (y1 - y0) / 2];
  const half = Math.hypot(dx, dy);
  // a radius that is too small is made just large enough
  const height = Math.sqrt(Math.max(r * r - half * half, 0)) / (half || 1);
  const side = left ? 1 : -1;
  return [x0 + dx - side * height * dy, y0 + dy + side * height * dx];
}
