// Where between two pixels a border runs, told by their gray.
import { Border, closeBorder, SAMPLE, sampleX, sampleY } from "./_border";
import { LOOK, tick, Watch } from "./_watch";

/** Pixels on each side of a crack that may belong to its edge, the plateau included. */
const REACH: i32 = 3;
/** Pixels of an edge, plateaus included, up to which it is sharp. */
const SHARP: i32 = 4;
/** Farthest that a border is moved off its crack, px: less than to the middles of pixels, where it would meet others. */
const FAR: f64 = 0.48;
/**
 * A threshold within this part of the contrast from the middle of an edge leaves the border in the middle, where the edge
 * is; one twice as far again moves it as far as the iso-line of the threshold.
 */
const IDLE: f64 = 0.125;
/** A pixel that continues an edge by less than 1 / 2^FLAT of its contrast is its plateau. */
const FLAT: i32 = 5;

/** A gray picture, and the level at which black ends. */
@unmanaged
export class Gray {
  /** u8[width * height], rows top down; 0 when there is none. */
  pixels: usize;
  width: i32;
  height: i32;
  /** Half a level below the threshold: no pixel has it. */
  level: f64;
  /** Also where little of it is between black and white. */
  always: bool;
  /** Cracks measured since this was cleared that have a pixel between the plateaus of their edge. */
  soft: i32;
  // one side of an edge, as `follow` left it: its pixels and the sum and last of their gray
  count: i32;
  sum: i32;
  end: i32;
}

/**
 * Follows an edge from its pixel at `from` on, `step` bytes a pixel, away from the one that has `other`, for as long as it
 * goes on darker or lighter; at most `most` pixels follow. True when it ends in a plateau near by.
 */
@inline function follow(gray: Gray, from: usize, step: usize, other: i32, most: i32): bool {
  let end = <i32>load<u8>(from);
  const sign = end > other ? 1 : -1;
  let sum = end;
  let count = 1;
  let plateau = true;
  for (; count <= most; count++) {
    from += step;
    const next = <i32>load<u8>(from);
    const more = sign * (next - end);
    const slack = (sign * (end - other)) >> FLAT;
    if (more <= slack) {
      plateau = more >= -slack - 1;
      break;
    }
    if (count == REACH) {
      plateau = false;
      break;
    }
    sum += next;
    end = next;
  }
  gray.count = count;
  gray.sum = sum;
  gray.end = end;
  return plateau;
}

/** How far the border of a sharp edge moves off its middle for a threshold that is off it, in parts of the contrast. */
@inline function shiftOf(off: f64): f64 {
  const far = abs(off);
  if (far <= IDLE) return 0;
  return far >= 3 * IDLE ? off : 1.5 * (off > 0 ? far - IDLE : IDLE - far);
}

/**
 * How far from its crack a border runs, px, towards larger x or y. `from` is the pixel on that side, `step` the bytes from
 * the other one to it; `before` and `after` pixels follow theirs on both sides.
 *
 * Between two plateaus gray is the part of a pixel that is covered, so the place follows from the sum of all, whatever the
 * threshold is: exactly, for a straight edge. Where there is no plateau, in thin lines, next to other edges and in slow
 * slopes, it is interpolated at the threshold. Mirrored pixels give mirrored numbers.
 *
 * source   gray as covered area: Youngs 1982, Trujillo-Pino 2013
 */
function displace(gray: Gray, from: usize, step: usize, before: i32, after: i32): f64 {
  const a = <i32>load<u8>(from - step);
  const b = <i32>load<u8>(from);
  let clean = follow(gray, from - step, 0 - step, b, before);
  const count = gray.count;
  const sum = gray.sum;
  const end = gray.end;
  clean = follow(gray, from, step, a, after) && clean;
  if (count + gray.count > 2) gray.soft++;
  let level = gray.level;
  let d: f64 = 0;
  let sharp = false;
  if (clean) {
    const contrast = <f64>(gray.end - end);
    const middle = 0.5 * <f64>(gray.end + end);
    const shift = shiftOf((level - middle) / contrast);
    level = middle + shift * contrast;
    sharp = count + gray.count <= SHARP;
    d = <f64>(gray.count * gray.end - gray.sum - (sum - count * end)) / contrast + shift;
  }
  if (!sharp) d = (2 * level - <f64>(a + b)) / <f64>(2 * (b - a));
  return min(FAR, max(-FAR, d));
}

/** For the crack between the pixels (x, y - 1) and (x, y); a border on the frame stays there. */
function displaceY(gray: Gray, x: i32, y: i32): f64 {
  if (y == 0 || y == gray.height) return 0;
  const from = gray.pixels + <usize>y * gray.width + x;
  return displace(gray, from, gray.width, min(REACH, y - 1), min(REACH, gray.height - 1 - y));
}

/** For the crack between the pixels (x - 1, y) and (x, y). */
function displaceX(gray: Gray, x: i32, y: i32): f64 {
  if (x == 0 || x == gray.width) return 0;
  const from = gray.pixels + <usize>y * gray.width + x;
  return displace(gray, from, 1, min(REACH, x - 1), min(REACH, gray.width - 1 - x));
}

/** Cracks of a border that `showsGray` looks at. */
const LOOKS: i32 = 64;

/** Whether some cracks of a border, evenly spread, are gray, or all borders are taken for that. */
export function showsGray(gray: Gray, corners: usize, count: i32): bool {
  if (gray.pixels == 0) return false;
  if (gray.always) return true;
  gray.soft = 0;
  const looks = min(LOOKS, count);
  for (let i = 0; i < looks; i++) {
    const at = <i32>((<i64>count * i) / looks);
    const here = corners + (<usize>at << 3);
    const next = at + 1 < count ? here + 8 : corners;
    const x = min(load<i32>(here), load<i32>(next));
    const y = min(load<i32>(here, 4), load<i32>(next, 4));
    if (load<i32>(here, 4) == load<i32>(next, 4)) displaceY(gray, x, y);
    else displaceX(gray, x, y);
    if (gray.soft > 0) return true;
  }
  return false;
}

/** Moves the samples of a border off their cracks to where gray puts them, and counts the gray ones in `soft`. */
export function moveSamples(border: Border, gray: Gray, watch: Watch): void {
  gray.soft = 0;
  for (let k = 1; k <= border.n; k++) {
    if ((k & LOOK) == LOOK && tick(watch)) return;
    const sample = border.samples + <usize>k * SAMPLE;
    const x = load<f64>(sample);
    const y = load<f64>(sample, 8);
    // the coordinate across the crack is whole
    const column = <i32>Math.floor(x);
    const row = <i32>Math.floor(y);
    if (<f64>row == y) store<f64>(sample, y + displaceY(gray, border.originX + column, border.originY + row), 8);
    else store<f64>(sample, x + displaceX(gray, border.originX + column, border.originY + row));
  }
  closeBorder(border);
  sharpen(border, gray, watch);
}

@inline function onFrame(origin: i32, place: f64, size: i32): bool {
  const at = <f64>origin + place;
  return at == 0 || at == <f64>size;
}

/** Most of its distance from the line between its neighbours by which a sample moves on. */
const MOST: f64 = 0.25;

/**
 * Takes back what pixels do to bends: the gray of one tells the mean of its border, which lies 1/24 to 1/12 of the curvature
 * inside, by its slant. Measures the area between the samples, too.
 */
function sharpen(border: Border, gray: Gray, watch: Watch): void {
  const n = border.n;
  let x = sampleX(border, n);
  let y = sampleY(border, n);
  let hereX = sampleX(border, 1);
  let hereY = sampleY(border, 1);
  const firstX = hereX;
  const firstY = hereY;
  let area: f64 = 0;
  for (let k = 1; k <= n; k++) {
    if ((k & LOOK) == LOOK && tick(watch)) return;
    const nextX = k < n ? sampleX(border, k + 1) : firstX;
    const nextY = k < n ? sampleY(border, k + 1) : firstY;
    const dx = nextX - x;
    const dy = nextY - y;
    const square = dx * dx + dy * dy;
    // a border on the frame stays there; the curvature is 8 times the distance from the chord over its square
    const framed = onFrame(border.originX, hereX, gray.width) || onFrame(border.originY, hereY, gray.height);
    const part = framed ? 0 : min(MOST, 0.5 / max(1e-9, square)) / max(1e-9, square);
    const cross = (hereX - x) * dy - (hereY - y) * dx;
    const sample = border.samples + <usize>k * SAMPLE;
    store<f64>(sample, hereX + part * cross * dy);
    store<f64>(sample, hereY - part * cross * dx, 8);
    area += hereX * dy - hereY * dx;
    x = hereX;
    y = hereY;
    hereX = nextX;
    hereY = nextY;
  }
  border.area = 0.25 * area;
  closeBorder(border);
}
