// Moves to G-code bytes. Numbers go through integer thousandths, so text and machine agree on every coordinate.

import { STOPPED, checkpoint } from "./control";

/** Moves between two checkpoints, about 20 us. */
const BATCH: i32 = 512;
/** Farthest coordinate and largest radius, mm: thousandths fit an i32. */
const FAR: f64 = 2e6;
/** The same where moves have heights, and for these: lines have one word more, and keep their length. */
const FAR_FLAT: f64 = 9999;
const HIGH: f64 = 999;
/** mm/min; the bounds of `survey` and the length of a line depend on them. */
const SLOWEST: f64 = 0.001;
const FASTEST: f64 = 1e6;
/** A controller takes an arc whose ends differ in radius by less than 5 um, or 0.1 % and half a millimetre. */
const ARC_SLACK: f64 = 0.005;
const ARC_SLACK_PART: f64 = 0.001;
const ARC_SLACK_MOST: f64 = 0.5;

/** 1.5 * 2^52: added, it leaves no room for a fraction, and the whole part stands in the low bits. Faster than nearest. */
const ROUND: f64 = 6755399441055744;

const TRAVEL: i32 = 0;
const CLOCKWISE: i32 = 2;

/** Where the writer stands between calls: what the text so far has set. */
@unmanaged
class Modal {
  /** Thousandths of mm; UNSET before the first move. */
  x: i32;
  y: i32;
  /** Power word; -1 before the first. */
  s: i32;
  /** Thousandths of mm/min; -1 before the first. */
  f: i32;
  /** 0..3 for G0..G3; -1 before the first. */
  motion: i32;
  /** Lines written. */
  lines: i32;
  /** Thousandths of mm; UNSET before the first. */
  z: i32;
}

/**
 * Checks moves and sums up where they go and how long they take.
 *
 * kinds    u8[n], 0 travel, 1 line, 2 arc clockwise, 3 arc counter-clockwise
 * xy       f32[2 * (n + 1)], mm: where the first move starts, then the end of each
 * centers  f32[2 * n], mm
 * power    f32[n], 0..1
 * speed    f32[n], mm/min
 * z        f32[n + 1], mm: the height where the first move starts, then at the end of each; 0 for moves without heights
 * n        moves
 * box      f64[5], updated: min x, min y, max x, max y of all ends and arcs, mm, then seconds
 * control  checkpoint per BATCH moves
 * returns  n, or the first move that breaks its contract: a number not finite or out of range (FAR, HIGH, SLOWEST, FASTEST),
 *          an unknown kind, an arc that does not end on its circle; STOPPED. The box is garbage then
 * cost     O(n)
 * source   own
 */
export function surveyOps(kinds: usize, xy: usize, centers: usize, power: usize, speed: usize, z: usize, n: i32, box: usize): i32 {
  for (let i = 0; i < n; i += BATCH) {
    if (checkpoint(i)) return STOPPED;
    const end = min(i + BATCH, n);
    const bad = surveyBatch(kinds, xy, centers, power, speed, z, i, end, box);
    if (bad < end) return bad;
  }
  return n;
}

function surveyBatch(kinds: usize, xy: usize, centers: usize, power: usize, speed: usize, z: usize, from: i32, end: i32, box: usize): i32 {
  const far = z == 0 ? FAR : FAR_FLAT;
  let minX = load<f64>(box);
  let minY = load<f64>(box, 8);
  let maxX = load<f64>(box, 16);
  let maxY = load<f64>(box, 24);
  let minutes: f64 = 0;
  for (let i = from; i < end; i++) {
    const at = xy + (<usize>i << 3);
    const x0 = <f64>load<f32>(at);
    const y0 = <f64>load<f32>(at, 4);
    const x = <f64>load<f32>(at, 8);
    const y = <f64>load<f32>(at, 12);
    const kind = <i32>load<u8>(kinds + i);
    const v = <f64>load<f32>(speed + (<usize>i << 2));
    const p = <f64>load<f32>(power + (<usize>i << 2));
    // comparisons that NaN fails
    if (!(abs(x) <= far && abs(y) <= far && p >= 0 && p <= 1 && v >= <f64>(<f32>SLOWEST) && v <= FASTEST && kind <= 3)) return i;
    minX = min(minX, x);
    minY = min(minY, y);
    maxX = max(maxX, x);
    maxY = max(maxY, y);
    let rise: f64 = 0;
    if (z != 0) {
      const height = <f64>load<f32>(z + (<usize>i << 2), 4);
      if (!(abs(height) <= HIGH)) return i;
      rise = height - <f64>load<f32>(z + (<usize>i << 2));
    }
    if (kind < CLOCKWISE) {
      const flat = (x - x0) * (x - x0) + (y - y0) * (y - y0);
      minutes += (kind == TRAVEL ? Math.sqrt(flat) + abs(rise) : Math.sqrt(flat + rise * rise)) / v;
      continue;
    }
    store<f64>(box, minX);
    store<f64>(box, minY, 8);
    store<f64>(box, maxX, 16);
    store<f64>(box, maxY, 24);
    const cx = <f64>load<f32>(centers + (<usize>i << 3));
    const cy = <f64>load<f32>(centers + (<usize>i << 3), 4);
    const length = surveyArc(kind, x0, y0, x, y, cx, cy, far, box);
    if (!(length >= 0)) return i;
    minutes += Math.sqrt(length * length + rise * rise) / v;
    minX = load<f64>(box);
    minY = load<f64>(box, 8);
    maxX = load<f64>(box, 16);
    maxY = load<f64>(box, 24);
  }
  store<f64>(box, minX);
  store<f64>(box, minY, 8);
  store<f64>(box, maxX, 16);
  store<f64>(box, maxY, 24);
  store<f64>(box, load<f64>(box, 32) + minutes * 60, 32);
  return end;
}

/** Grows the box over an arc; returns its length, or -1 when it is not one. */
function surveyArc(kind: i32, x0: f64, y0: f64, x1: f64, y1: f64, cx: f64, cy: f64, far: f64, box: usize): f64 {
  const radius = Math.sqrt((x0 - cx) * (x0 - cx) + (y0 - cy) * (y0 - cy));
  const slack = abs(Math.sqrt((x1 - cx) * (x1 - cx) + (y1 - cy) * (y1 - cy)) - radius);
  if (!(abs(cx) <= far && abs(cy) <= far && radius <= FAR)) return -1;
  if (slack > ARC_SLACK && (slack > ARC_SLACK_MOST || slack > ARC_SLACK_PART * radius)) return -1;
  const sense: f64 = kind == CLOCKWISE ? -1 : 1;
  const start = Math.atan2(y0 - cy, x0 - cx);
  const sweep = x0 == x1 && y0 == y1 ? 2 * Math.PI : around(sense * (Math.atan2(y1 - cy, x1 - cx) - start));
  for (let quarter = 0; quarter < 4; quarter++) {
    if (around(sense * ((<f64>quarter * Math.PI) / 2 - start)) >= sweep) continue;
    if (quarter == 0) store<f64>(box, max(load<f64>(box, 16), cx + radius), 16);
    else if (quarter == 1) store<f64>(box, max(load<f64>(box, 24), cy + radius), 24);
    else if (quarter == 2) store<f64>(box, min(load<f64>(box), cx - radius));
    else store<f64>(box, min(load<f64>(box, 8), cy - radius), 8);
  }
  return radius * sweep;
}

/** The angle as one of 0..2 pi. */
@inline function around(angle: f64): f64 {
  return angle - Math.floor(angle / (2 * Math.PI)) * (2 * Math.PI);
}

/**
 * Fills the table that `writeOps` takes its digits from.
 *
 * table    u32[1000], written: three digits of each number, first digit in the lowest byte; the highest byte holds
 *          the leading zeros that may go (0..2) above the digits left when trailing zeros go (0..3), 4 bits each
 */
export function layDigits(table: usize): void {
  for (let i: u32 = 0; i < 1000; i++) {
    const a = i / 100;
    const b = (i / 10) % 10;
    const c = i % 10;
    const leading: u32 = a != 0 ? 0 : b != 0 ? 1 : 2;
    const kept: u32 = c != 0 ? 3 : b != 0 ? 2 : a != 0 ? 1 : 0;
    store<u32>(table + (<usize>i << 2), 0x303030 | a | (b << 8) | (c << 16) | (kept << 24) | (leading << 28));
  }
}

/**
 * Writes moves as G-code, one line each: words that did not change are left out, but arcs carry X, Y, I and J always.
 * A move that does nothing after rounding writes no line. An arc that rounding would turn into a full circle, or that is
 * flatter than half a thousandth, becomes a line; one that is a full circle after rounding ends where it starts. A new
 * height is a word of lines and arcs, but for a travel a line before its own.
 *
 * kinds, xy, centers, power, speed, z, n   as in `surveyOps`, and accepted by it
 * maxPower  the power word of full power, 1..100000
 * modal     i32[7], what the text so far has set; updated
 * table     u32[1000], by `layDigits`
 * lineOfOp  i32[n], written: the line of each move, or the line before it where it writes none
 * text      u8[80 * n + 8], written
 * returns   bytes of text; STOPPED
 * cost      O(n), about 20 ns a move
 * source    own
 */
export function writeOps(
  kinds: usize, xy: usize, centers: usize, power: usize, speed: usize, z: usize, n: i32, maxPower: i32, modal: usize, table: usize, lineOfOp: usize, text: usize,
): i32 {
  let at = text;
  for (let i = 0; i < n; i += BATCH) {
    if (checkpoint(i)) return STOPPED;
    at = writeBatch(kinds, xy, centers, power, speed, z, i, min(i + BATCH, n), maxPower, changetype<Modal>(modal), table, lineOfOp, at);
  }
  return <i32>(at - text);
}

function writeBatch(
  kinds: usize, xy: usize, centers: usize, power: usize, speed: usize, z: usize, from: i32, end: i32, maxPower: i32, modal: Modal, table: usize, lineOfOp: usize, text: usize,
): usize {
  let at = text;
  let lastX = modal.x;
  let lastY = modal.y;
  let lines = modal.lines;
  let lastS = modal.s;
  let lastF = modal.f;
  let lastMotion = modal.motion;
  for (let i = from; i < end; i++) {
    let motion = <i32>load<u8>(kinds + i);
    let x = thousandths(load<f32>(xy + (<usize>i << 3), 8));
    let y = thousandths(load<f32>(xy + (<usize>i << 3), 12));
    let centerX = 0;
    let centerY = 0;
    if (motion >= CLOCKWISE) {
      centerX = thousandths(load<f32>(centers + (<usize>i << 3)));
      centerY = thousandths(load<f32>(centers + (<usize>i << 3), 4));
      const verdict = judgeArc(motion, xy + (<usize>i << 3), centers + (<usize>i << 3), lastX, lastY, x, y, centerX, centerY);
      if (verdict == LINE) motion = 1;
      else if (verdict == CIRCLE) {
        x = lastX;
        y = lastY;
      }
    }
    const arc = motion >= CLOCKWISE;
    let height = modal.z;
    if (z != 0) {
      height = thousandths(load<f32>(z + (<usize>i << 2), 4));
      // before a travel a line of its own: nothing is in the way up there, and the beam is dark
      if (motion == TRAVEL && height != modal.z) {
        store<u32>(at, 0x00203047);
        at = callWriteWord(at + (lastMotion == TRAVEL ? 0 : 3), 0x5a, height, table);
        store<u8>(at - 1, 0x0a);
        lines++;
        lastMotion = TRAVEL;
        modal.z = height;
      }
    }
    if (!arc && x == lastX && y == lastY && height == modal.z) {
      store<i32>(lineOfOp + (<usize>i << 2), lines - 1);
      continue;
    }
    // each word is followed by a blank, the last blank becomes the line's end
    if (motion != lastMotion) {
      store<u32>(at, 0x00203047 | (motion << 8));
      at += 3;
      lastMotion = motion;
    }
    if (arc || x != lastX) at = writeWord(at, 0x58, x, table);
    if (arc || y != lastY) at = writeWord(at, 0x59, y, table);
    if (arc) {
      at = callWriteWord(at, 0x49, centerX - lastX, table);
      at = callWriteWord(at, 0x4a, centerY - lastY, table);
    }
    if (height != modal.z) {
      at = callWriteWord(at, 0x5a, height, table);
      modal.z = height;
    }
    lastX = x;
    lastY = y;
    if (motion != TRAVEL) {
      const s = <i32>nearest(<f64>load<f32>(power + (<usize>i << 2)) * <f64>maxPower);
      if (s != lastS) {
        at = callWriteWord(at, 0x53, s * 1000, table);
        lastS = s;
      }
      const f = thousandths(load<f32>(speed + (<usize>i << 2)));
      if (f != lastF) {
        at = callWriteWord(at, 0x46, f, table);
        lastF = f;
      }
    }
    store<u8>(at - 1, 0x0a);
    store<i32>(lineOfOp + (<usize>i << 2), lines++);
  }
  modal.x = lastX;
  modal.y = lastY;
  modal.lines = lines;
  modal.s = lastS;
  modal.f = lastF;
  modal.motion = lastMotion;
  return at;
}

/** Rounds to thousandths, ties to even; within FAR, so that the low half of the sum is the whole number. */
@inline function thousandths(value: f32): i32 {
  return <i32>reinterpret<i64>(<f64>value * 1000 + ROUND);
}

/** Writes a letter, a number of thousandths without needless zeros, and a blank; up to 4 bytes behind are garbage. */
@inline function writeWord(at: usize, letter: u32, value: i32, table: usize): usize {
  store<u16>(at, letter | 0x2d00);
  at += 1 + usize(value < 0);
  const size = <u32>abs(value);
  const whole = size / 1000;
  const part = size - whole * 1000;
  if (whole < 1000) at = writeHead(at, whole, table);
  else if (whole < 1000000) {
    const thousands = whole / 1000;
    at = writeHead(at, thousands, table);
    store<u32>(at, load<u32>(table + (<usize>(whole - thousands * 1000) << 2)));
    at += 3;
  } else {
    const millions = whole / 1000000;
    const rest = whole - millions * 1000000;
    const thousands = rest / 1000;
    at = writeHead(at, millions, table);
    store<u32>(at, load<u32>(table + (<usize>thousands << 2)));
    store<u32>(at, load<u32>(table + (<usize>(rest - thousands * 1000) << 2)), 3);
    at += 6;
  }
  if (part != 0) {
    const digits = load<u32>(table + (<usize>part << 2));
    store<u8>(at, 0x2e);
    store<u32>(at, digits, 1);
    at += 1 + ((digits >> 24) & 15);
  }
  store<u8>(at, 0x20);
  return at + 1;
}

/** `writeWord` for words that are rare: not worth a copy of its code at each place. */
function callWriteWord(at: usize, letter: u32, value: i32, table: usize): usize {
  return writeWord(at, letter, value, table);
}

/** Writes 0..999 without leading zeros. */
@inline function writeHead(at: usize, value: u32, table: usize): usize {
  const digits = load<u32>(table + (<usize>value << 2));
  const leading = digits >> 28;
  store<u32>(at, digits >> (leading << 3));
  return at + 3 - leading;
}

const ARC: i32 = 0;
const LINE: i32 = 1;
const CIRCLE: i32 = 2;

/**
 * Tells how to write an arc so that the controller, which sees rounded numbers, makes the same turn. A controller takes
 * an arc whose end is not ahead of its start for a full turn more.
 */
function judgeArc(
  motion: i32, xy: usize, center: usize, startX: i32, startY: i32, endX: i32, endY: i32, centerX: i32, centerY: i32,
): i32 {
  const ax = <f64>startX - <f64>centerX;
  const ay = <f64>startY - <f64>centerY;
  const bx = <f64>endX - <f64>centerX;
  const by = <f64>endY - <f64>centerY;
  const squared = ax * ax + ay * ay;
  if (squared == 0 || (bx == 0 && by == 0)) return LINE;
  const cx = <f64>load<f32>(center);
  const cy = <f64>load<f32>(center, 4);
  const px = <f64>load<f32>(xy) - cx;
  const py = <f64>load<f32>(xy, 4) - cy;
  const qx = <f64>load<f32>(xy, 8) - cx;
  const qy = <f64>load<f32>(xy, 12) - cy;
  const meantLong = isLong(motion, px, py, qx, qy);
  const meantNear = px * qx + py * qy > 0;
  const near = ax * bx + ay * by > 0;
  // only where start and end lie on one side can rounding swap them
  if (!near && !meantNear) return ARC;
  if (isLong(motion, ax, ay, bx, by) != meantLong) return meantLong ? CIRCLE : LINE;
  // sagitta = chord^2 / (8 radius) < 1/2 thousandth
  const chord = (ax - bx) * (ax - bx) + (ay - by) * (ay - by);
  return !meantLong && chord * chord < 16 * squared ? LINE : ARC;
}

/** True when the turn from a to b is half a turn or more; a full turn where they are equal. */
@inline function isLong(motion: i32, ax: f64, ay: f64, bx: f64, by: f64): bool {
  const cross = motion == CLOCKWISE ? ay * bx - ax * by : ax * by - ay * bx;
  return cross < 0 || (cross == 0 && ax * bx + ay * by > 0);
}
