// Labels that follow the noise of a picture to labels with calm borders.

import { checkpoint, STOPPED } from "./control";
import { A, B, COLOR, L } from "./_lab";

/** Pixels between two looks at the control block: 50 us of work where all are at borders. */
const BATCH: i32 = 1024;
/** The label of pixels that belong to no layer. */
const NONE: u8 = 255;
/** Weight of a neighbour at a corner, of which one at an edge has 1. */
const DIAGONAL: f32 = 0.70710678;

/** What a turn of smoothing needs to know of the picture. */
@unmanaged
class Picture {
  channels: i32;
  width: i32;
  rows: i32;
  /** f32[4] a cell: L, a, b. */
  cells: usize;
  palette: usize;
  /** Squared distance that a whole neighbour is worth. */
  worth: f32;
  from: usize;
  to: usize;
}

/**
 * Gives pixels at borders the label that suits them and their neighbours best: of their own and the eight around, the
 * one with the least squared colour distance less `worth` for each neighbour that has it, 0.71 of it for those at
 * corners; their own, then the lowest, among equals. Reads one set of labels and writes another, so that no direction is
 * preferred.
 *
 * pixels   u8[channels * n]: pixels first..first + n of the picture, as in `countColors`
 * labels   u8[width * rows]: all labels
 * smooth   u8[width * rows]: labels first..first + n are written
 * cells    as `listCells` leaves its tally
 * palette  f32[4 * k]: L, a, b, unused
 * scratch  u8[64]
 * returns  0, or STOPPED; reports pixels
 * cost     0.2 ns a pixel, 60 ns at borders
 * source   iterated conditional modes: Besag, On the statistical analysis of dirty pictures, 1986
 */
export function smoothLabels(
  pixels: usize,
  channels: i32,
  first: i32,
  n: i32,
  width: i32,
  rows: i32,
  labels: usize,
  smooth: usize,
  cells: usize,
  palette: usize,
  worth: f32,
  scratch: usize,
): i32 {
  const picture = changetype<Picture>(scratch);
  picture.channels = channels;
  picture.width = width;
  picture.rows = rows;
  picture.cells = cells;
  picture.palette = palette;
  picture.worth = worth;
  picture.from = labels;
  picture.to = smooth;
  for (let done = 0; done < n; ) {
    const at = first + done;
    const y = at / width;
    // within one row
    const count = min(min(BATCH, n - done), (y + 1) * width - at);
    smoothRow(picture, pixels + <usize>done * channels, at - y * width, y, count);
    done += count;
    if (checkpoint(done)) return STOPPED;
  }
  return 0;
}

function smoothRow(picture: Picture, pixels: usize, x: i32, y: i32, count: i32): void {
  const width = picture.width;
  const end = x + count;
  const row = picture.from + <usize>y * width;
  const to = picture.to + <usize>y * width;
  memory.copy(to + x, row + x, count);
  const inner = y > 0 && y + 1 < picture.rows;
  for (let i = x; i < end; ) {
    if (inner && i > 0 && i + 17 <= width && i + 16 <= end) {
      let borders = bordersAt(row + i, width);
      for (; borders != 0; borders &= borders - 1) smoothPixel(picture, row, to, pixels, x, i + ctz(borders), y);
      i += 16;
    } else smoothPixel(picture, row, to, pixels, x, i++, y);
  }
}

/** Which of sixteen pixels have one of another label around them. */
// @ts-ignore: decorator
@inline
function bordersAt(p: usize, width: usize): i32 {
  const label = v128.load(p);
  const up = p - width;
  const down = p + width;
  const besides = v128.and(i8x16.eq(v128.load(p - 1), label), i8x16.eq(v128.load(p + 1), label));
  const above = v128.and(i8x16.eq(v128.load(up - 1), label), i8x16.eq(v128.load(up + 1), label));
  const below = v128.and(i8x16.eq(v128.load(down - 1), label), i8x16.eq(v128.load(down + 1), label));
  const straight = v128.and(i8x16.eq(v128.load(up), label), i8x16.eq(v128.load(down), label));
  return i8x16.bitmask(v128.not(v128.and(v128.and(besides, straight), v128.and(above, below))));
}

@inline function smoothPixel(
  picture: Picture,
  row: usize,
  to: usize,
  pixels: usize,
  first: i32,
  x: i32,
  y: i32,
): void {
  const own = load<u8>(row + <usize>x);
  if (own == NONE) return;
  const color = colorOf(picture, pixels + <usize>(x - first) * picture.channels);
  store<u8>(to + <usize>x, bestLabel(picture, color, own, labelsAround(picture, row, x, y)));
}

// The eight labels around a pixel as bytes, row by row: which of them are at edges, and which at corners.
const EDGES: i32 = 0b01011010;
const CORNERS: i32 = 0b10100101;

function labelsAround(picture: Picture, row: usize, x: i32, y: i32): u64 {
  const width = picture.width;
  const up = row - <usize>width + <usize>x;
  const down = row + <usize>width + <usize>x;
  if (x > 0 && x + 2 < width && y > 0 && y + 1 < picture.rows) {
    const above = <u64>(load<u32>(up - 1) & 0xffffff);
    const below = <u64>(load<u32>(down - 1) & 0xffffff);
    return above | (<u64>load<u8>(row + x - 1) << 24) | (<u64>load<u8>(row + x + 1) << 32) | (below << 40);
  }
  let all: u64 = 0;
  let shift: u64 = 0;
  for (let j = y - 1; j <= y + 1; j++)
    for (let i = x - 1; i <= x + 1; i++) {
      if (i == x && j == y) continue;
      const inside = <u32>i < <u32>width && <u32>j < <u32>picture.rows;
      all |= (inside ? <u64>load<u8>(picture.from + (<usize>j * width + i)) : <u64>NONE) << shift;
      shift += 8;
    }
  return all;
}

/** The address of the colour of a pixel's cell. */
@inline function colorOf(picture: Picture, p: usize): usize {
  const r = <usize>load<u8>(p);
  if (picture.channels == 1) return picture.cells + r * COLOR;
  const g = <usize>load<u8>(p, 1);
  const b = <usize>load<u8>(p, 2);
  return picture.cells + (((r >> 2) << 12) | ((g >> 2) << 6) | (b >> 2)) * COLOR;
}

function bestLabel(picture: Picture, color: usize, own: u8, around: u64): u8 {
  const labels = i64x2.splat(around);
  const mine = placesOf(labels, own);
  let best = own;
  let least = costOf(picture, color, own, mine);
  let rest = 0xff & ~(mine | placesOf(labels, NONE));
  while (rest != 0) {
    const label = <u8>(around >> ((<u64>ctz(rest)) << 3));
    const places = placesOf(labels, label);
    rest &= ~places;
    const cost = costOf(picture, color, label, places);
    if (cost < least || (cost == least && best != own && label < best)) {
      least = cost;
      best = label;
    }
  }
  return best;
}

@inline function placesOf(labels: v128, label: u8): i32 {
  return i8x16.bitmask(i8x16.eq(labels, i8x16.splat(label))) & 0xff;
}

@inline function costOf(picture: Picture, color: usize, label: u8, places: i32): f32 {
  const q = picture.palette + <usize>label * COLOR;
  const dl = load<f32>(q, L) - load<f32>(color, L);
  const da = load<f32>(q, A) - load<f32>(color, A);
  const db = load<f32>(q, B) - load<f32>(color, B);
  const neighbours = <f32>popcnt(places & EDGES) + DIAGONAL * <f32>popcnt(places & CORNERS);
  return dl * dl + da * da + db * db - picture.worth * neighbours;
}
