// Outlines of small borders that recur: specks, and what a printer's screen or a hatch leaves.
import { Outline } from "./_outline";

/** Most corners of a border that is looked up, and most points of an outline that is kept. */
const CORNERS: i32 = 24;
const POINTS: i32 = 64;
/** Slots of the table, and bytes of the pool; when either is full, all is forgotten: what recurs is soon back. */
const SLOTS: i32 = 2048;
const POOL: usize = 1 << 18;
/** Bytes for both. */
export const SHAPES_BYTES: usize = (<usize>SLOTS << 2) + POOL;
/** Most bytes of one shape. */
const SHAPE: usize = 32 + (<usize>CORNERS << 2) + <usize>POINTS * 17 + 8;

/** One border and its outline: the corners after the head, then the points, f64 x 2, then the kinds. */
@unmanaged
class Shape {
  hash: u32;
  corners: i32;
  segments: i32;
  points: i32;
  /** Where the outline's origin is, from the first corner, px. */
  dx: i32;
  dy: i32;
  /** The one that was put into the same slot before it: its offset in the pool, 0 for none. */
  next: i32;
}

/** Lives in scratch memory; valid for one tolerance, mode and scale. */
@unmanaged
export class Shapes {
  /** u32[SLOTS]: offset of a shape in the pool, 0 for none; the pool follows. */
  table: usize;
  used: usize;
  kept: i32;
}

@inline function pool(shapes: Shapes): usize {
  return shapes.table + (<usize>SLOTS << 2);
}

@inline function points(shape: Shape): usize {
  return changetype<usize>(shape) + 32 + ((<usize>shape.corners << 2) + 7 & ~7);
}

export function forgetShapes(shapes: Shapes): void {
  memory.fill(shapes.table, 0, <usize>SLOTS << 2);
  shapes.used = 8;
  shapes.kept = 0;
}

/** The steps from corner to corner at the end of the pool, where a new shape would stand; null when one is too long. */
function sketch(shapes: Shapes, corners: usize, count: i32): Shape | null {
  if (count > CORNERS) return null;
  if (shapes.used + SHAPE > POOL || shapes.kept >= SLOTS) forgetShapes(shapes);
  const shape = changetype<Shape>(pool(shapes) + shapes.used);
  let to = changetype<usize>(shape) + 32;
  let x = load<i32>(corners);
  let y = load<i32>(corners, 4);
  let hash: u32 = count;
  let far = 0;
  for (let p = corners + 8, end = corners + (<usize>count << 3); p < end; p += 8, to += 4) {
    const dx = load<i32>(p) - x;
    const dy = load<i32>(p, 4) - y;
    x += dx;
    y += dy;
    // one of both is 0
    far |= abs(dx + dy);
    const step = (dx & 0xffff) | (dy << 16);
    store<i32>(to, step);
    hash = rotl<u32>((hash ^ step) * 0x9e3779b1, 13);
  }
  store<i32>(to, 0);
  shape.hash = hash;
  shape.corners = count;
  return far > 0x7fff ? null : shape;
}

@inline function slotOf(shapes: Shapes, hash: u32): usize {
  return shapes.table + (<usize>((hash ^ (hash >> 15)) & (SLOTS - 1)) << 2);
}

function isSame(a: Shape, b: Shape): bool {
  if (a.hash != b.hash || a.corners != b.corners) return false;
  let p = changetype<usize>(a) + 32;
  let q = changetype<usize>(b) + 32;
  for (const end = p + (<usize>a.corners << 2); p < end; p += 4, q += 4)
    if (load<i32>(p) != load<i32>(q)) return false;
  return true;
}

/**
 * Draws the outline of a closed border like an earlier one, to the letter as fitting it would; true when there was one.
 * Else the outline is to be drawn with `out` as it is left, and then kept, unless `out.logEnd` is 0.
 */
export function drawKnown(shapes: Shapes, corners: usize, count: i32, out: Outline): bool {
  out.logEnd = 0;
  const shape = sketch(shapes, corners, count);
  if (shape == null) return false;
  for (let at = load<u32>(slotOf(shapes, shape.hash)); at != 0; ) {
    const known = changetype<Shape>(pool(shapes) + at);
    if (isSame(known, shape)) {
      draw(known, corners, out);
      return true;
    }
    at = known.next;
  }
  out.log = points(shape) - (<usize>out.points << 4);
  out.logEnd = out.points + POINTS;
  return false;
}

function draw(shape: Shape, corners: usize, out: Outline): void {
  if (out.segments + shape.segments > out.segmentRoom || out.points + shape.points > out.pointRoom) {
    out.full = 1;
    return;
  }
  const originX = <f64>(load<i32>(corners) + shape.dx);
  const originY = <f64>(load<i32>(corners, 4) + shape.dy);
  const scale = out.scale;
  let p = points(shape);
  const end = p + (<usize>shape.points << 4);
  for (let to = out.xy + (<usize>out.points << 3); p < end; p += 16, to += 8) {
    store<f32>(to, <f32>((load<f64>(p) + originX) * scale));
    store<f32>(to, <f32>((load<f64>(p, 8) + originY) * scale), 4);
  }
  for (let i: usize = 0, to = out.kinds + <usize>out.segments; i < <usize>shape.segments; i++)
    store<u8>(to + i, load<u8>(end + i));
  out.segments += shape.segments;
  out.points += shape.points;
}

/** Keeps the outline that was drawn from `segment` and `point` on, after `drawKnown` had none. */
export function keepShape(shapes: Shapes, corners: usize, out: Outline, segment: i32, point: i32, turned: bool): void {
  const most = out.logEnd;
  out.logEnd = 0;
  if (out.full || out.points > most) return;
  const shape = changetype<Shape>(pool(shapes) + shapes.used);
  shape.segments = out.segments - segment;
  shape.points = out.points - point;
  shape.dx = <i32>out.originX - load<i32>(corners);
  shape.dy = <i32>out.originY - load<i32>(corners, 4);
  const first = points(shape);
  const end = first + (<usize>shape.points << 4);
  if (turned)
    for (let a = first, b = end - 16; a < b; a += 16, b -= 16) {
      const x = load<f64>(a);
      const y = load<f64>(a, 8);
      store<f64>(a, load<f64>(b));
      store<f64>(a, load<f64>(b, 8), 8);
      store<f64>(b, x);
      store<f64>(b, y, 8);
    }
  memory.copy(end, out.kinds + <usize>segment, shape.segments);
  const slot = slotOf(shapes, shape.hash);
  shape.next = load<i32>(slot);
  store<u32>(slot, <u32>shapes.used);
  shapes.used += (end - changetype<usize>(shape) + shape.segments + 7) & ~7;
  shapes.kept++;
}
