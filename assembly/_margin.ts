// What lies closer to the sides of a region than an inset: around each side a stadium, of which a row meets one stretch.

import { ENTRY } from "./_active";
import { Hatch, rowFrom } from "./_rows";

/** Bytes of a Margin. */
export const MARGIN: usize = 48;

/** The stadium around a side. */
@unmanaged
class Margin {
  x0: f64;
  v0: f64;
  x1: f64;
  v1: f64;
  /** Where the stretch of the present row ends. */
  right: f64;
  /** The first row that it does not meet. */
  end: i32;
  /** Another that begins in the same row, or 0. */
  next: usize;
}

/** Lays the margin of the side that begins at a point; returns how many rows it meets. */
export function layMargin(hatch: Hatch, xy: usize, first: usize, at: usize): f64 {
  const ux = hatch.ux;
  const uy = hatch.uy;
  const px = <f64>load<f32>(xy);
  const py = <f64>load<f32>(xy, 4);
  const qx = <f64>load<f32>(xy, 8);
  const qy = <f64>load<f32>(xy, 12);
  const v0 = px * uy - py * ux;
  const v1 = qx * uy - qy * ux;
  const begin = rowFrom(hatch, min(v0, v1) - hatch.inset);
  const end = rowFrom(hatch, max(v0, v1) + hatch.inset);
  if (begin == end) return 0;
  const margin = changetype<Margin>(at);
  margin.x0 = px * ux + py * uy;
  margin.v0 = v0;
  margin.x1 = qx * ux + qy * uy;
  margin.v1 = v1;
  margin.end = end;
  const head = first + (<usize>begin << 2);
  margin.next = load<usize>(head);
  store<usize>(head, at);
  return <f64>(end - begin);
}

/** Drops the margins that have ended, adds those that begin, and finds their stretches; returns how many there are. */
export function meetMargins(near: usize, count: i32, margin: usize, row: i32, v: f64, inset: f64): i32 {
  let to = near;
  const end = near + <usize>count * ENTRY;
  for (let from = near; from < end; from += ENTRY) {
    const thing = load<usize>(from, 8);
    if (changetype<Margin>(thing).end > row) to = stretch(to, thing, v, inset);
  }
  for (; margin != 0; margin = changetype<Margin>(margin).next) to = stretch(to, margin, v, inset);
  return <i32>((to - near) / ENTRY);
}

/** The stretch of a row within a stadium: that within its two discs and the rectangle between them, which is convex. */
function stretch(to: usize, thing: usize, v: f64, inset: f64): usize {
  const margin = changetype<Margin>(thing);
  const x0 = margin.x0;
  const x1 = margin.x1;
  const h0 = v - margin.v0;
  const h1 = v - margin.v1;
  let left = Infinity;
  let right = -Infinity;
  let half = inset * inset - h0 * h0;
  if (half > 0) {
    half = Math.sqrt(half);
    left = x0 - half;
    right = x0 + half;
  }
  half = inset * inset - h1 * h1;
  if (half > 0) {
    half = Math.sqrt(half);
    left = min(left, x1 - half);
    right = max(right, x1 + half);
  }
  const dx = x1 - x0;
  const dv = margin.v1 - margin.v0;
  const length = Math.sqrt(dx * dx + dv * dv);
  if (length > 0) {
    // across: within the inset of the line; along: between its ends
    let from = -Infinity;
    let until = Infinity;
    if (dv != 0) {
      const middle = x0 + (h0 * dx) / dv;
      const reach = (inset * length) / Math.abs(dv);
      from = middle - reach;
      until = middle + reach;
    } else if (Math.abs(h0) >= inset) until = -Infinity;
    if (dx != 0) {
      const a = x0 - (h0 * dv) / dx;
      const b = x1 - (h1 * dv) / dx;
      from = max(from, min(a, b));
      until = min(until, max(a, b));
    } else if (h0 * h1 > 0) until = -Infinity;
    if (from < until) {
      left = min(left, from);
      right = max(right, until);
    }
  }
  // touched and no more: a stretch of no length, to keep its place
  if (left > right) left = right = x0;
  store<f64>(to, left);
  store<usize>(to, thing, 8);
  margin.right = right;
  return to + ENTRY;
}

/** Takes the stretches from spans, both in order; what is left, longer than `least`, is written; returns how many. */
export function trimSpans(spans: usize, count: i32, near: usize, close: i32, out: usize, least: f64): i32 {
  const end = near + <usize>close * ENTRY;
  let to = out;
  let reach = -Infinity;
  for (let i = 0; i < count; i++, spans += 16) {
    let from = max(load<f64>(spans), reach);
    const until = load<f64>(spans, 8);
    for (; near < end && load<f64>(near) < until; near += ENTRY) {
      const left = load<f64>(near);
      if (left - from > least) {
        store<f64>(to, from);
        store<f64>(to, left, 8);
        to += 16;
      }
      reach = max(reach, changetype<Margin>(load<usize>(near, 8)).right);
      from = max(from, reach);
    }
    if (until - from > least) {
      store<f64>(to, from);
      store<f64>(to, until, 8);
      to += 16;
    }
  }
  return <i32>((to - out) / 16);
}
