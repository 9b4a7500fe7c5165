// The tone kernels in plain JavaScript, as fast as V8 runs it: whole words instead of bytes, several pixels in one
// multiplication, no allocation. Honest opponents, and second opinions on the kernels' results.

/**
 * Gray of opaque and transparent RGBA pixels: (77 r + 150 g + 29 b + 128) >> 8, straight alpha over white.
 *
 * pixels  one word a pixel, as on little-endian machines: r in the lowest byte
 * gray    one byte a pixel, seen as words: four pixels in each; the count of pixels is a multiple of 4
 */
export function lumaRgba(pixels: Int32Array, gray: Int32Array): void {
  for (let i = 0, j = 0; j < gray.length; i += 4, j++) {
    const p = pixels[i];
    const q = pixels[i + 1];
    const r = pixels[i + 2];
    const s = pixels[i + 3];
    if ((p & q & r & s) >>> 24 !== 255) {
      gray[j] = overWhite(p) | (overWhite(q) << 8) | (overWhite(r) << 16) | (overWhite(s) << 24);
      continue;
    }
    // red and blue in one product: 77 r + 29 b appears in its upper half
    gray[j] =
      (((Math.imul(p & 0xff00ff, 0x4d001d) >>> 16) + 150 * ((p >>> 8) & 255) + 128) >>> 8) |
      (((Math.imul(q & 0xff00ff, 0x4d001d) >>> 16) + 150 * ((q >>> 8) & 255) + 128) & 0xff00) |
      ((((Math.imul(r & 0xff00ff, 0x4d001d) >>> 16) + 150 * ((r >>> 8) & 255) + 128) & 0xff00) << 8) |
      ((((Math.imul(s & 0xff00ff, 0x4d001d) >>> 16) + 150 * ((s >>> 8) & 255) + 128) & 0xff00) << 16);
  }
}

function overWhite(pixel: number): number {
  const gray = ((Math.imul(pixel & 0xff00ff, 0x4d001d) >>> 16) + 150 * ((pixel >>> 8) & 255) + 128) >>> 8;
  const alpha = pixel >>> 24;
  const over = gray * alpha + 255 * (255 - alpha) + 128;
  return (over + (over >>> 8)) >>> 8; // divides by 255, rounded
}

/** Gray of RGB pixels, three bytes each; `words` shows the same bytes. The count of pixels is a multiple of 4. */
export function lumaRgb(words: Int32Array, gray: Int32Array): void {
  for (let i = 0, j = 0; j < gray.length; i += 3, j++) {
    const a = words[i]; // r0 g0 b0 r1
    const b = words[i + 1]; // g1 b1 r2 g2
    const c = words[i + 2]; // b2 r3 g3 b3
    const second = (a >>> 24) | ((b & 0xffff) << 8);
    const third = (b >>> 16) | (c << 16);
    const fourth = c >>> 8;
    gray[j] =
      (((Math.imul(a & 0xff00ff, 0x4d001d) >>> 16) + 150 * ((a >>> 8) & 255) + 128) >>> 8) |
      (((Math.imul(second & 0xff00ff, 0x4d001d) >>> 16) + 150 * ((second >>> 8) & 255) + 128) & 0xff00) |
      ((((Math.imul(third & 0xff00ff, 0x4d001d) >>> 16) + 150 * ((third >>> 8) & 255) + 128) & 0xff00) << 8) |
      ((((Math.imul(fourth & 0xff00ff, 0x4d001d) >>> 16) + 150 * ((fourth >>> 8) & 255) + 128) & 0xff00) <<
        16);
  }
}

/**
 * Counts of each gray level. Four tables, so that neighbouring equal pixels do not wait for each other's store.
 *
 * gray    four pixels in each word
 * tables  4 x 256 counts; the histogram is the sum of the four
 */
export function histogram(gray: Int32Array, tables: Uint32Array): void {
  tables.fill(0);
  for (let i = 0; i < gray.length; i++) {
    const v = gray[i];
    tables[v & 255]++;
    tables[256 + ((v >>> 8) & 255)]++;
    tables[512 + ((v >>> 16) & 255)]++;
    tables[768 + (v >>> 24)]++;
  }
}

/**
 * Otsu's threshold of what `histogram` counted: the t that makes gray < t and gray >= t differ most; the middle one of a
 * stretch of equals, 128 for a picture of one value.
 */
export function otsu(tables: Uint32Array): number {
  let n = 0;
  let sum = 0;
  for (let v = 0; v < 256; v++) {
    const count = countOf(tables, v);
    n += count;
    sum += v * count;
  }
  let best = 0;
  let first = 128;
  let last = 128;
  let dark = 0;
  let darkSum = 0;
  for (let t = 1; t < 256; t++) {
    const count = countOf(tables, t - 1);
    dark += count;
    darkSum += (t - 1) * count;
    const light = n - dark;
    if (dark === 0 || light === 0) continue;
    const gap = (sum - darkSum) / light - darkSum / dark;
    const between = dark * light * gap * gap;
    if (between > best) {
      best = between;
      first = t;
      last = t;
    } else if (between === best && last === t - 1) last = t;
  }
  return (first + last + 1) >> 1;
}

function countOf(tables: Uint32Array, value: number): number {
  return tables[value] + tables[256 + value] + tables[512 + value] + tables[768 + value];
}

const HIGH = 0x80808080 | 0;

/**
 * Gray below `level` to set bits; rows start on 64-bit words, bit 0 is the left pixel, bits past the width are 0.
 *
 * gray   one byte a pixel; the width is a multiple of 4
 * bits   2 * ((width + 63) >> 6) words a row
 * level  0..255
 */
export function threshold(
  gray: Uint8Array,
  width: number,
  height: number,
  level: number,
  bits: Int32Array,
): void {
  const words = new Int32Array(gray.buffer, gray.byteOffset, gray.length >> 2);
  const stride = ((width + 63) >> 6) * 2;
  const row = level < 128 ? rowBelow128 : rowFrom128;
  for (let y = 0; y < height; y++) {
    const done = row(
      words,
      (y * width) >> 2,
      width >> 5,
      Math.imul(level & 127, 0x01010101),
      bits,
      y * stride,
    );
    let rest = 0;
    for (let x = done << 5; x < width; x++) rest |= ((gray[y * width + x] - level) >>> 31) << (x & 31);
    for (let i = done; i < stride; i++) bits[y * stride + i] = i === done ? rest : 0;
  }
}

// Four pixels in a word are compared by one subtraction: with bit 7 set before it, bit 7 of each byte stays set
// exactly where the lower seven bits are >= those of the level. Eight words then interleave into one of bits, in
// an order that two swaps of bit groups put right.

function rowFrom128(
  words: Int32Array,
  from: number,
  count: number,
  level: number,
  bits: Int32Array,
  to: number,
): number {
  for (let k = 0, s = from; k < count; k++, s += 8) {
    const a = words[s];
    const b = words[s + 1];
    const c = words[s + 2];
    const d = words[s + 3];
    const e = words[s + 4];
    const f = words[s + 5];
    const g = words[s + 6];
    const h = words[s + 7];
    bits[to + k] = ordered(
      ((((a | HIGH) - level) & a & HIGH) >>> 7) |
        ((((b | HIGH) - level) & b & HIGH) >>> 3) |
        ((((c | HIGH) - level) & c & HIGH) >>> 6) |
        ((((d | HIGH) - level) & d & HIGH) >>> 2) |
        ((((e | HIGH) - level) & e & HIGH) >>> 5) |
        ((((f | HIGH) - level) & f & HIGH) >>> 1) |
        ((((g | HIGH) - level) & g & HIGH) >>> 4) |
        (((h | HIGH) - level) & h & HIGH),
    );
  }
  return count;
}

function rowBelow128(
  words: Int32Array,
  from: number,
  count: number,
  level: number,
  bits: Int32Array,
  to: number,
): number {
  for (let k = 0, s = from; k < count; k++, s += 8) {
    const a = words[s];
    const b = words[s + 1];
    const c = words[s + 2];
    const d = words[s + 3];
    const e = words[s + 4];
    const f = words[s + 5];
    const g = words[s + 6];
    const h = words[s + 7];
    bits[to + k] = ordered(
      (((((a | HIGH) - level) | a) & HIGH) >>> 7) |
        (((((b | HIGH) - level) | b) & HIGH) >>> 3) |
        (((((c | HIGH) - level) | c) & HIGH) >>> 6) |
        (((((d | HIGH) - level) | d) & HIGH) >>> 2) |
        (((((e | HIGH) - level) | e) & HIGH) >>> 5) |
        (((((f | HIGH) - level) | f) & HIGH) >>> 1) |
        (((((g | HIGH) - level) | g) & HIGH) >>> 4) |
        ((((h | HIGH) - level) | h) & HIGH),
    );
  }
  return count;
}

/** Puts 8 x 4 interleaved "not below" bits into pixel order, and turns them into "below". */
function ordered(mixed: number): number {
  const swap = ((mixed >>> 7) ^ mixed) & 0x00aa00aa;
  const half = mixed ^ swap ^ (swap << 7);
  const cross = ((half >>> 14) ^ half) & 0xcccc;
  return ~(half ^ cross ^ (cross << 14));
}
