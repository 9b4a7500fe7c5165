// What the transparency of a picture tells: its shape, and whether the shape is all there is.

import { weigh, weigh4 } from "./_weigh";
import { checkpoint, STOPPED } from "./control";

/** Pixels between two looks at the control block: some 10 us of work. */
const BATCH: i32 = 16384;

/**
 * The shape of a run of RGBA pixels as gray: 255 - alpha, so that what is opaque is black.
 *
 * pixels   u8[4 * n], straight alpha
 * gray     u8[n], written; may not overlap `pixels`
 * returns  0, or STOPPED; reports pixels
 * cost     0.15 ns a pixel, no scratch
 * source   own
 */
export function alphaGray(pixels: usize, n: i32, gray: usize): i32 {
  for (let done = 0; done < n; done += BATCH) {
    const count = min(BATCH, n - done);
    grayVectors(pixels + (<usize>done << 2), count, gray + done);
    if (checkpoint(done + count)) return STOPPED;
  }
  return 0;
}

/** As `alphaGray`, pixel by pixel. */
export function alphaGrayScalar(pixels: usize, n: i32, gray: usize): i32 {
  grayPixels(pixels, n, gray);
  return 0;
}

function grayPixels(pixels: usize, n: i32, gray: usize): void {
  const end = gray + <usize>n;
  for (; gray < end; gray++, pixels += 4) store<u8>(gray, 255 - <i32>load<u8>(pixels, 3));
}

function grayVectors(pixels: usize, n: i32, gray: usize): void {
  const end = gray + <usize>(n & ~15);
  while (gray < end) {
    const low = i16x8.narrow_i32x4_s(
      i32x4.shr_u(v128.load(pixels), 24),
      i32x4.shr_u(v128.load(pixels, 16), 24),
    );
    const high = i16x8.narrow_i32x4_s(
      i32x4.shr_u(v128.load(pixels, 32), 24),
      i32x4.shr_u(v128.load(pixels, 48), 24),
    );
    v128.store(gray, v128.not(i8x16.narrow_i16x8_u(low, high)));
    pixels += 64;
    gray += 16;
  }
  grayPixels(pixels, n & 15, gray);
}

/**
 * Widens the span of gray that the more opaque half of the pixels has, alpha >= 128, not laid over anything; and tells
 * whether there are others.
 *
 * pixels   u8[4 * n], straight alpha
 * span     i32[3], changed: the darkest and the lightest gray, 1 when a pixel has alpha < 128; before the first run of
 *          pixels 255, 0, 0
 * returns  0, or STOPPED; reports pixels
 * cost     0.4 ns a pixel, no scratch
 * source   own
 */
export function alphaSpan(pixels: usize, n: i32, span: usize): i32 {
  for (let done = 0; done < n; done += BATCH) {
    const count = min(BATCH, n - done);
    spanVectors(pixels + (<usize>done << 2), count, span);
    if (checkpoint(done + count)) return STOPPED;
  }
  return 0;
}

/** As `alphaSpan`, pixel by pixel. */
export function alphaSpanScalar(pixels: usize, n: i32, span: usize): i32 {
  spanPixels(pixels, n, span);
  return 0;
}

@inline
function widen(span: usize, darkest: i32, lightest: i32, clear: i32): void {
  store<i32>(span, min(load<i32>(span), darkest));
  store<i32>(span, max(load<i32>(span, 4), lightest), 4);
  store<i32>(span, load<i32>(span, 8) | clear, 8);
}

function spanPixels(pixels: usize, n: i32, span: usize): void {
  let darkest = 255;
  let lightest = 0;
  let clear = 0;
  for (let i = 0; i < n; i++, pixels += 4) {
    if (load<u8>(pixels, 3) < 128) {
      clear = 1;
      continue;
    }
    const gray = <i32>weigh(load<u8>(pixels), load<u8>(pixels, 1), load<u8>(pixels, 2));
    darkest = min(darkest, gray);
    lightest = max(lightest, gray);
  }
  widen(span, darkest, lightest, clear);
}

function spanVectors(pixels: usize, n: i32, span: usize): void {
  const white = i32x4.splat(255);
  let darkest = white;
  let lightest = i32x4.splat(0);
  let opaque = i32x4.splat(-1);
  for (const end = pixels + (<usize>(n & ~3) << 2); pixels < end; pixels += 16) {
    const p = v128.load(pixels);
    const gray = weigh4(p);
    const counts = i32x4.shr_s(p, 31); // the top bit of alpha, all over the lane
    darkest = i32x4.min_s(darkest, v128.bitselect(gray, white, counts));
    lightest = i32x4.max_s(lightest, v128.and(gray, counts));
    opaque = v128.and(opaque, counts);
  }
  widen(
    span,
    min(
      min(i32x4.extract_lane(darkest, 0), i32x4.extract_lane(darkest, 1)),
      min(i32x4.extract_lane(darkest, 2), i32x4.extract_lane(darkest, 3)),
    ),
    max(
      max(i32x4.extract_lane(lightest, 0), i32x4.extract_lane(lightest, 1)),
      max(i32x4.extract_lane(lightest, 2), i32x4.extract_lane(lightest, 3)),
    ),
    i32(!i32x4.all_true(opaque)),
  );
  spanPixels(pixels, n & 3, span);
}
