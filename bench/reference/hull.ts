/**
 * The convex hull in plain JavaScript, the same way as the kernel: what lies deep inside goes, then keys in the order of x
 * and y, sorted byte by byte, and a chain there and back. Keys are halves of 32 bits, as there are no fast integers of 64.
 */
export class HullRoom {
  readonly out: Float32Array;
  #x: Uint32Array;
  #y: Uint32Array;
  #toX: Uint32Array;
  #toY: Uint32Array;
  readonly #counts = new Int32Array(8 * 256);
  readonly #bits = new Int32Array(1);
  readonly #value = new Float32Array(this.#bits.buffer);

  constructor(points: number) {
    this.out = new Float32Array(2 * (points + 1));
    [this.#x, this.#y, this.#toX, this.#toY] = Array.from({ length: 4 }, () => new Uint32Array(points)) as [
      Uint32Array,
      Uint32Array,
      Uint32Array,
      Uint32Array,
    ];
  }

  /** Corners, written to `out`. */
  hull(xy: Float32Array): number {
    const bits = new Int32Array(xy.buffer, xy.byteOffset, xy.length);
    const n = layKeys(xy, bits, innerOf(xy), this.#x, this.#y, this.#counts.fill(0));
    for (let digit = 0; digit < 8; digit++) {
      const counts = this.#counts.subarray(digit * 256, digit * 256 + 256);
      if (!placesOf(counts, n)) continue;
      const by = digit < 4 ? this.#y : this.#x;
      placeKeys(by, this.#x, this.#y, this.#toX, this.#toY, n, counts, (digit & 3) * 8);
      [this.#x, this.#toX] = [this.#toX, this.#x];
      [this.#y, this.#toY] = [this.#toY, this.#y];
    }
    const there = this.#wrap(0, n, 1, 0, 0);
    const back = this.#wrap(n - 1, -1, -1, there, there - 1);
    return back > 1 ? back - 1 : back;
  }

  #wrap(from: number, end: number, step: number, corners: number, kept: number): number {
    const { out } = this;
    const [xs, ys, bits, value] = [this.#x, this.#y, this.#bits, this.#value];
    for (let i = from; i !== end; i += step) {
      const keyX = xs[i] | 0;
      bits[0] = keyX < 0 ? keyX ^ 0x80000000 : ~keyX;
      const x = value[0];
      const keyY = ys[i] | 0;
      bits[0] = keyY < 0 ? keyY ^ 0x80000000 : ~keyY;
      const y = value[0];
      let top = 2 * corners;
      if (corners > 0 && out[top - 2] === x && out[top - 1] === y) continue;
      for (; corners > kept + 1; corners--, top -= 2) {
        const [x0, y0] = [out[top - 4], out[top - 3]];
        if ((out[top - 2] - x0) * (y - y0) > (out[top - 1] - y0) * (x - x0)) break;
      }
      out[top] = x;
      out[top + 1] = y;
      corners++;
    }
    return corners;
  }
}

type Box = readonly [left: number, right: number, top: number, bottom: number];

/** A rectangle in which no corner lies. */
function innerOf(xy: Float32Array): Box {
  let [leastSum, mostSum, leastGap, mostGap] = [Infinity, -Infinity, Infinity, -Infinity];
  let [upperLeft, lowerRight, lowerLeft, upperRight] = [0, 0, 0, 0];
  for (let at = 0; at < xy.length; at += 2) {
    const sum = xy[at] + xy[at + 1];
    const gap = xy[at] - xy[at + 1];
    if (sum < leastSum) {
      leastSum = sum;
      upperLeft = at;
    }
    if (sum > mostSum) {
      mostSum = sum;
      lowerRight = at;
    }
    if (gap < leastGap) {
      leastGap = gap;
      lowerLeft = at;
    }
    if (gap > mostGap) {
      mostGap = gap;
      upperRight = at;
    }
  }
  return [
    Math.max(xy[upperLeft], xy[lowerLeft]),
    Math.min(xy[upperRight], xy[lowerRight]),
    Math.max(xy[upperLeft + 1], xy[upperRight + 1]),
    Math.min(xy[lowerLeft + 1], xy[lowerRight + 1]),
  ];
}

/** Lays the keys of the points outside `inner`, of which `bits` are the bits; returns how many. */
function layKeys(
  xy: Float32Array,
  bits: Int32Array,
  [left, right, top, bottom]: Box,
  xs: Uint32Array,
  ys: Uint32Array,
  counts: Int32Array,
): number {
  let n = 0;
  for (let at = 0; at < xy.length; at += 2) {
    if (xy[at] > left && xy[at] < right && xy[at + 1] > top && xy[at + 1] < bottom) continue;
    const x = ordered(bits[at]);
    const y = ordered(bits[at + 1]);
    xs[n] = x;
    ys[n] = y;
    n++;
    for (let digit = 0; digit < 4; digit++) {
      counts[digit * 256 + ((y >>> (digit * 8)) & 255)]++;
      counts[(digit + 4) * 256 + ((x >>> (digit * 8)) & 255)]++;
    }
  }
  return n;
}

function ordered(bits: number): number {
  return bits === -0x80000000 ? bits : bits ^ ((bits >> 31) | 0x80000000);
}

function placesOf(counts: Int32Array, n: number): boolean {
  let place = 0;
  for (let value = 0; value < 256; value++) {
    const count = counts[value];
    if (count === n) return false;
    counts[value] = place;
    place += count;
  }
  return true;
}

function placeKeys(
  by: Uint32Array,
  xs: Uint32Array,
  ys: Uint32Array,
  toX: Uint32Array,
  toY: Uint32Array,
  n: number,
  places: Int32Array,
  shift: number,
): void {
  for (let i = 0; i < n; i++) {
    const place = places[(by[i] >>> shift) & 255]++;
    toX[place] = xs[i];
    toY[place] = ys[i];
  }
}
