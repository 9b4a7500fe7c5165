// What a branch looks like from one of its joints: where it becomes a plain stroke, and where it comes from.
import {
  chainAt, countOf, Graph, jointOf, midX, midY, pixelX, pixelY, place, radius, rootOf,
} from "./_graph";

/** The outward direction of a half, and a place on it; lives in scratch. */
@unmanaged
export class Arm {
  x: f64;
  y: f64;
  ux: f64;
  uy: f64;
}

/** Places at a half's end that the ink of its joint bends. */
export function bentOf(g: Graph, h: i32): i32 {
  const joint = jointOf(g, h);
  if (joint < 0) return 0;
  const root = rootOf(g, joint);
  const x = pixelX(g, joint);
  const y = pixelY(g, joint);
  const far = radius(g, joint) + 1;
  const rx = pixelX(g, root);
  const ry = pixelY(g, root);
  const rFar = radius(g, root) + 1;
  const count = countOf(g, h >> 1);
  let i = 0;
  for (; i < count; i++) {
    const id = chainAt(g, place(g, h, i));
    const dx = pixelX(g, id) - x;
    const dy = pixelY(g, id) - y;
    const ex = pixelX(g, id) - rx;
    const ey = pixelY(g, id) - ry;
    if (dx * dx + dy * dy >= far * far && ex * ex + ey * ey >= rFar * rFar) break;
  }
  return i;
}

/** Places that a half's direction is taken from. */
@inline export function windowOf(g: Graph, h: i32): i32 {
  return 4 + <i32>Math.ceil(1.5 * radius(g, jointOf(g, h)));
}

/** Fills in an arm: a line by least squares over the first plain places of the half. */
export function lookAlong(g: Graph, h: i32, arm: Arm): void {
  const count = countOf(g, h >> 1);
  const from = min(bentOf(g, h), count - 1);
  const to = min(count, max(from + windowOf(g, h), 2));
  const joint = jointOf(g, h);
  const startX = midX(g, place(g, h, from));
  const startY = midY(g, place(g, h, from));
  arm.x = startX;
  arm.y = startY;
  const n = to - from;
  let sx: f64 = 0;
  let sy: f64 = 0;
  for (let i = from; i < to; i++) {
    sx += midX(g, place(g, h, i));
    sy += midY(g, place(g, h, i));
  }
  sx /= <f64>n;
  sy /= <f64>n;
  // outward
  let ox = midX(g, place(g, h, to - 1)) - startX;
  let oy = midY(g, place(g, h, to - 1)) - startY;
  if (n < 3 || ox * ox + oy * oy < 4) {
    ox = midX(g, place(g, h, to - 1)) - pixelX(g, joint);
    oy = midY(g, place(g, h, to - 1)) - pixelY(g, joint);
    const length = Math.sqrt(ox * ox + oy * oy);
    arm.ux = length > 0 ? ox / length : 1;
    arm.uy = length > 0 ? oy / length : 0;
    return;
  }
  let xx: f64 = 0;
  let xy: f64 = 0;
  let yy: f64 = 0;
  for (let i = from; i < to; i++) {
    const dx = midX(g, place(g, h, i)) - sx;
    const dy = midY(g, place(g, h, i)) - sy;
    xx += dx * dx;
    xy += dx * dy;
    yy += dy * dy;
  }
  const angle = 0.5 * Math.atan2(2 * xy, xx - yy);
  let ux = Math.cos(angle);
  let uy = Math.sin(angle);
  if (ux * ox + uy * oy < 0) {
    ux = -ux;
    uy = -uy;
  }
  arm.ux = ux;
  arm.uy = uy;
  const along = (startX - sx) * ux + (startY - sy) * uy;
  arm.x = sx + along * ux;
  arm.y = sy + along * uy;
}

/** The cosine of the turn from one arm into the other, with what they stand beside each other: 1 is straight. */
export function straightness(a: Arm, b: Arm): f64 {
  const turn = -(a.ux * b.ux + a.uy * b.uy);
  let x = b.x - a.x;
  let y = b.y - a.y;
  const length = Math.sqrt(x * x + y * y);
  if (length < 1) return turn;
  x /= length;
  y /= length;
  const s = min(-(a.ux * x + a.uy * y), b.ux * x + b.uy * y);
  return s <= 0 ? -1 : min(turn, 2 * s * s - 1);
}
