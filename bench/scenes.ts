import type { Ops } from "../src/engine/ops.ts";
import type { Curves } from "../src/engine/trace.ts";
import { seeded } from "./harness.ts";

// Inputs of the benches: seeded, so that every run on every machine sees the same. Made by shapes rather than pure
// noise, since branch prediction, bin conflicts and contour lengths decide the figures of real pictures.

/** A photograph's tones, RGBA, opaque: slow gradients over all levels with a little noise, as a camera gives. */
export function photo(width: number, height: number, seed = 1): Uint8Array {
  const pixels = new Uint32Array(width * height);
  const random = seeded(seed);
  const noise = Uint8Array.from({ length: 4096 }, () => random() * 24);
  for (let y = 0, i = 0; y < height; y++) {
    const green = 100 + 90 * Math.sin(y / 311);
    const shift = Math.floor(random() * 4096);
    for (let x = 0; x < width; x++, i++) {
      const n = noise[(x + shift) & 4095];
      const red = ((x * 219) / width + n) | 0;
      const blue = (((x + y) >> 4) & 127) + n;
      pixels[i] = (red | ((green + n) << 8) | (blue << 16) | 0xff000000) >>> 0;
    }
  }
  return new Uint8Array(pixels.buffer);
}

/**
 * A drawing as bits: `count` discs and rings of 2 to 26 px radius that flip what they cover, so that there are holes,
 * islands in holes, and touching corners. Rows are 64-bit words, bit 0 left.
 */
export function drawing(width: number, height: number, count: number, seed = 2): Int32Array {
  const stride = ((width + 63) >> 6) * 2;
  const bits = new Int32Array(stride * height);
  const random = seeded(seed);
  const flip = (cx: number, cy: number, radius: number): void => {
    for (let y = Math.max(0, Math.ceil(cy - radius)); y < Math.min(height, cy + radius); y++) {
      const half = Math.sqrt(radius * radius - (y - cy) * (y - cy));
      const to = Math.min(width, Math.ceil(cx + half));
      for (let x = Math.max(0, Math.ceil(cx - half)); x < to; x++)
        bits[y * stride + (x >> 5)] ^= 1 << (x & 31);
    }
  };
  for (let i = 0; i < count; i++) {
    const x = random() * width;
    const y = random() * height;
    const radius = 2 + 24 * random() ** 2;
    flip(x, y, radius);
    if (random() < 0.3) flip(x, y, radius * 0.6);
  }
  return bits;
}

/** Bits as gray pixels: 0 for black, 255 for white. */
export function grayOf(bits: Int32Array, width: number, height: number): Uint8Array {
  const stride = ((width + 63) >> 6) * 2;
  const gray = new Uint8Array(width * height);
  for (let y = 0, i = 0; y < height; y++)
    for (let x = 0; x < width; x++, i++) gray[i] = (bits[y * stride + (x >> 5)] >>> (x & 31)) & 1 ? 0 : 255;
  return gray;
}

/** Bits as a picture in two inks, RGBA, opaque, on shared memory. */
export function colourOf(bits: Int32Array, width: number, height: number): Uint8Array {
  const stride = ((width + 63) >> 6) * 2;
  const bytes = new Uint8Array(new SharedArrayBuffer(width * height * 4));
  const pixels = new Uint32Array(bytes.buffer);
  for (let y = 0, i = 0; y < height; y++)
    for (let x = 0; x < width; x++, i++)
      pixels[i] = (bits[y * stride + (x >> 5)] >>> (x & 31)) & 1 ? 0xff402818 : 0xffe8f0f4;
  return bytes;
}

/**
 * A job of `paths` polylines of 1 to 20 moves, as the writer of G-code gets it: a travel, then lines of a few mm at one
 * power and speed a path. `xy` has one point more in front, where the first move starts.
 */
export function job(paths: number, seed = 3): { ops: Ops; xy: Float32Array } {
  const random = seeded(seed);
  const kinds: number[] = [];
  const points: number[] = [0, 0];
  const power: number[] = [];
  const speed: number[] = [];
  for (let i = 0; i < paths; i++) {
    let x = random() * 400;
    let y = random() * 300;
    const level = Math.floor(random() * 4) / 4;
    const pace = 600 * (1 + Math.floor(random() * 5));
    const moves = 1 + Math.floor(random() * 20);
    for (let k = 0; k <= moves; k++) {
      kinds.push(k === 0 ? 0 : 1);
      points.push(x, y);
      power.push(level);
      speed.push(pace);
      x += random() * 4 - 2;
      y += random() * 4 - 2;
    }
  }
  const xy = Float32Array.from(points);
  const ops = {
    kinds: Uint8Array.from(kinds),
    xy: xy.subarray(2),
    centers: new Float32Array(2 * kinds.length),
    power: Float32Array.from(power),
    speed: Float32Array.from(speed),
  };
  return { ops, xy };
}

/** Outlines as tracing leaves them: closed rounds of 8 to 40 segments, four cubics to each line, 1 to 20 mm across. */
export function outlines(count: number, seed = 4): Curves {
  const random = seeded(seed);
  const ends: number[] = [];
  const kinds: number[] = [];
  const xy: number[] = [];
  for (let i = 0; i < count; i++) {
    const [cx, cy, radius] = [random() * 400, random() * 300, 0.5 + 9.5 * random() ** 2];
    const segments = 8 + Math.floor(random() * 33);
    const place = (turn: number): number[] => {
      const bulge = radius * (1 + 0.2 * Math.sin(3 * turn));
      return [cx + bulge * Math.cos(turn), cy + bulge * Math.sin(turn)];
    };
    const step = (2 * Math.PI) / segments;
    xy.push(...place(0));
    for (let k = 0; k < segments; k++) {
      const curved = random() < 0.8;
      kinds.push(curved ? 1 : 0);
      if (curved) xy.push(...place((k + 0.33) * step), ...place((k + 0.67) * step));
      xy.push(...place(k + 1 === segments ? 0 : (k + 1) * step));
    }
    ends.push(kinds.length);
  }
  return {
    ends: Uint32Array.from(ends),
    kinds: Uint8Array.from(kinds),
    xy: Float32Array.from(xy),
    depth: new Uint16Array(count),
  };
}

/**
 * The ends of open paths of 0.5 to 5 mm at random places and angles on 600 x 400 mm, two points each, and of the head's
 * way from and to the origin behind them.
 */
export function strokes(count: number, seed = 5): Float32Array {
  const random = seeded(seed);
  const ends = new Float32Array(4 * (count + 1));
  for (let i = 0; i < count; i++) {
    const [x, y] = [random() * 600, random() * 400];
    const [length, turn] = [0.5 + 4.5 * random(), 2 * Math.PI * random()];
    ends.set([x, y, x + length * Math.cos(turn), y + length * Math.sin(turn)], 4 * i);
  }
  return ends;
}
