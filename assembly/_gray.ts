// Where between two pixels the border runs, told by their gray.

/** Pixels on each side of a crack that may belong to one edge. */
const REACH: i32 = 3;
/** Most pixels of an edge, plateaus included, that its covered area tells of: beyond it crosses them steeply. */
const FLAT: i32 = 4;
/** A border stays between the middles of its two pixels, px from the crack: outlines of different borders cannot cross. */
const MOST: f64 = 0.48;
/** Part of the contrast that the threshold may be off the middle of an edge and still leave the border in the middle. */
const IDLE: f64 = 0.125;

/** A gray picture, and the level at which black ends. */
@unmanaged
export class Gray {
  /** u8[width * height]; 0 when there is none. */
  pixels: usize;
  width: i32;
  height: i32;
  /** Half a level below the threshold: no pixel has it. */
  level: f64;
  /** Cracks looked at since this was cleared, and those of them that have a pixel between the plateaus of their edge. */
  seen: i32;
  soft: i32;
}

/**
 * How far from its crack the border runs, px, towards larger x or y; `from` is the pixel on that side, `step` the bytes
 * from the other one to it, `before` and `after` the pixels there are beyond both.
 *
 * An edge whose plateaus are both near covers its pixels by as much as they are gray, whatever the threshold; in a slow slope, or
 * beside another edge, the place is interpolated at the threshold.
 *
 * source   gray as covered area: Youngs 1982, Trujillo-Pino 2013
 */
function displace(gray: Gray, from: usize, step: usize, before: i32, after: i32): f64 {
  const a = <i32>load<u8>(from - step);
  const b = <i32>load<u8>(from);
  const sign = b > a ? 1 : -1;
  let low = a;
  let covered = 0; // what the pixels before lack
  let clean = true;
  let p = from - step;
  let i = 1;
  let sumLow = a;
  for (; i <= before; i++) {
    p -= step;
    const v = <i32>load<u8>(p);
    const gain = sign * (low - v);
    const slack = (sign * (b - low)) >> 5;
    if (gain <= slack) {
      clean = gain >= -slack - 1;
      break;
    }
    if (i == REACH) {
      clean = false;
      break;
    }
    low = v;
    sumLow += v;
  }
  const countLow = i;
  let high = b;
  let sumHigh = b;
  p = from;
  i = 1;
  for (; i <= after; i++) {
    p += step;
    const v = <i32>load<u8>(p);
    const gain = sign * (v - high);
    const slack = (sign * (high - a)) >> 5;
    if (gain <= slack) {
      clean = clean && gain >= -slack - 1;
      break;
    }
    if (i == REACH) {
      clean = false;
      break;
    }
    high = v;
    sumHigh += v;
  }
  const countHigh = i;
  gray.seen++;
  if (countLow + countHigh > 2) gray.soft++;
  const a2 = <f64>(a + b);
  let level = gray.level;
  if (clean) {
    const contrast = <f64>abs(high - low);
    const middle = 0.5 * <f64>(low + high);
    level = min(max(level - IDLE * contrast, middle), level + IDLE * contrast);
    if (countLow + countHigh <= FLAT) {
      covered = countHigh * high - sumHigh - (sumLow - countLow * low);
      const d = (<f64>covered + level - middle) / <f64>(high - low);
      return min(MOST, max(-MOST, d));
    }
  }
  const d = (2 * level - a2) / <f64>(2 * (b - a));
  return min(MOST, max(-MOST, d));
}

/** For a crack between the pixels (x, y - 1) and (x, y). */
export function displaceY(gray: Gray, x: i32, y: i32): f64 {
  if (y == 0 || y == gray.height) return 0;
  return displace(gray, gray.pixels + <usize>y * gray.width + x, gray.width, min(REACH, y - 1), min(REACH, gray.height - 1 - y));
}

/** For a crack between the pixels (x - 1, y) and (x, y). */
export function displaceX(gray: Gray, x: i32, y: i32): f64 {
  if (x == 0 || x == gray.width) return 0;
  return displace(gray, gray.pixels + <usize>y * gray.width + x, 1, min(REACH, x - 1), min(REACH, gray.width - 1 - x));
}
