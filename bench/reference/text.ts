// G-code text in plain JavaScript: integer thousandths to bytes by a table of three digits, four bytes a store.
import type { Ops } from "../../src/engine/ops.ts";

/** As the kernel's: three digits, first in the lowest byte; above them what may go in front (28) and what stays (24). */
const DIGITS = Uint32Array.from({ length: 1000 }, (_, i) => {
  const [a, b, c] = [Math.floor(i / 100), Math.floor(i / 10) % 10, i % 10];
  const leading = a !== 0 ? 0 : b !== 0 ? 1 : 2;
  const kept = c !== 0 ? 3 : b !== 0 ? 2 : a !== 0 ? 1 : 0;
  return (0x303030 | a | (b << 8) | (c << 16) | (kept << 24) | (leading << 28)) >>> 0;
});

/** 1.5 * 2^52: adding it leaves a double no room for a fraction, rounding it to even. */
const ROUND = 6755399441055744;

/** What the text so far has set, thousandths; -1 or out of reach where nothing is. */
export interface Modal {
  x: number;
  y: number;
  s: number;
  f: number;
  motion: number;
  lines: number;
}

/**
 * Writes travels and lines as G-code, only what changed; arcs are not known here.
 *
 * xy        one point more than moves: where the first starts
 * maxPower  the power word of full power
 * lineOfOp  written: the line of each move
 * text      room for 80 bytes a move
 * returns   bytes written
 */
export function writeOps(
  { kinds, power, speed }: Ops,
  xy: Float32Array,
  maxPower: number,
  modal: Modal,
  lineOfOp: Int32Array,
  text: DataView,
): number {
  let at = 0;
  let { x: lastX, y: lastY, s: lastS, f: lastF, motion: lastMotion, lines } = modal;
  for (let i = 0; i < kinds.length; i++) {
    const motion = kinds[i];
    const x = thousandths(xy[2 * i + 2]);
    const y = thousandths(xy[2 * i + 3]);
    if (x === lastX && y === lastY) {
      lineOfOp[i] = lines - 1;
      continue;
    }
    if (motion !== lastMotion) {
      text.setUint32(at, 0x203047 | (motion << 8), true);
      at += 3;
      lastMotion = motion;
    }
    if (x !== lastX) at = writeWord(text, at, 0x2d58, x);
    if (y !== lastY) at = writeWord(text, at, 0x2d59, y);
    lastX = x;
    lastY = y;
    if (motion !== 0) {
      const s = (power[i] * maxPower + ROUND - ROUND) | 0;
      if (s !== lastS) {
        at = writeWord(text, at, 0x2d53, s * 1000);
        lastS = s;
      }
      const f = thousandths(speed[i]);
      if (f !== lastF) {
        at = writeWord(text, at, 0x2d46, f);
        lastF = f;
      }
    }
    text.setUint8(at - 1, 0x0a);
    lineOfOp[i] = lines++;
  }
  modal.x = lastX;
  modal.y = lastY;
  modal.s = lastS;
  modal.f = lastF;
  modal.motion = lastMotion;
  modal.lines = lines;
  return at;
}

function thousandths(value: number): number {
  return (value * 1000 + ROUND - ROUND) | 0;
}

/** Writes a letter (with a minus above it), a number of thousandths without needless zeros, and a blank. */
function writeWord(text: DataView, start: number, letter: number, value: number): number {
  text.setUint16(start, letter, true);
  let at = start + 1;
  let size = value;
  if (value < 0) {
    at++;
    size = -value;
  }
  const whole = (size / 1000) | 0;
  const part = size - whole * 1000;
  if (whole < 1000) at = writeHead(text, at, whole);
  else if (whole < 1000000) {
    const thousands = (whole / 1000) | 0;
    at = writeHead(text, at, thousands);
    text.setUint32(at, DIGITS[whole - thousands * 1000], true);
    at += 3;
  } else {
    const millions = (whole / 1000000) | 0;
    const rest = whole - millions * 1000000;
    const thousands = (rest / 1000) | 0;
    at = writeHead(text, at, millions);
    text.setUint32(at, DIGITS[thousands], true);
    text.setUint32(at + 3, DIGITS[rest - thousands * 1000], true);
    at += 6;
  }
  if (part !== 0) {
    const digits = DIGITS[part];
    text.setUint8(at, 0x2e);
    text.setUint32(at + 1, digits, true);
    at += 1 + ((digits >>> 24) & 15);
  }
  text.setUint8(at, 0x20);
  return at + 1;
}

/** Writes 0..999 without leading zeros. */
function writeHead(text: DataView, at: number, value: number): number {
  const digits = DIGITS[value];
  const leading = digits >>> 28;
  text.setUint32(at, digits >>> (leading << 3), true);
  return at + 3 - leading;
}
