// The filters of gray pictures in plain JavaScript, as fast as V8 runs it: running sums, row after row, no allocation.

/** The median of each pixel and its eight neighbours; each column of three is sorted once, and met three times. */
export function median(gray: Uint8Array, width: number, height: number, out: Uint8Array): void {
  for (let y = 0; y < height; y++) {
    const above = Math.max(0, y - 1) * width;
    const line = y * width;
    const below = Math.min(height - 1, y + 1) * width;
    let low1 = 0;
    let middle1 = 0;
    let high1 = 0;
    let low2 = 0;
    let middle2 = 0;
    let high2 = 0;
    for (let x = 0; x <= width; x++) {
      const at = x < width ? x : width - 1;
      const a = gray[above + at];
      const b = gray[line + at];
      const c = gray[below + at];
      const small = lesser(a, b);
      const large = a + b - small;
      const low = lesser(small, c);
      const rest = small + c - low;
      const middle = lesser(rest, large);
      const high = rest + large - middle;
      if (x === 0) {
        low1 = low;
        middle1 = middle;
        high1 = high;
      } else {
        const lows = greater(greater(low1, low2), low);
        const highs = lesser(lesser(high1, high2), high);
        out[line + x - 1] = middleOf(lows, middleOf(middle1, middle2, middle), highs);
        low1 = low2;
        middle1 = middle2;
        high1 = high2;
      }
      low2 = low;
      middle2 = middle;
      high2 = high;
    }
  }
}

// without branches: on noise, half of them would be foretold wrong

function lesser(a: number, b: number): number {
  const difference = a - b;
  return b + (difference & (difference >> 31));
}

function greater(a: number, b: number): number {
  const difference = a - b;
  return a - (difference & (difference >> 31));
}

function middleOf(a: number, b: number, c: number): number {
  return greater(lesser(a, b), lesser(greater(a, b), c));
}

/** What `blur` works in. */
export function blurRoom(width: number, height: number, radius: number) {
  return {
    line: new Uint8Array(width + 2 * radius),
    middle: new Int16Array(width * height),
    sums: new Int32Array(width),
  };
}

/** Gauss's blur across and down; weights of one side, the first halved, that add up to 8192. */
export function blur(
  gray: Uint8Array,
  width: number,
  height: number,
  weights: Uint16Array,
  { line, middle, sums }: ReturnType<typeof blurRoom>,
  out: Uint8Array,
): void {
  const radius = weights.length - 1;
  for (let y = 0; y < height; y++) {
    line.fill(gray[y * width], 0, radius);
    line.set(gray.subarray(y * width, (y + 1) * width), radius);
    line.fill(gray[(y + 1) * width - 1], radius + width);
    for (let x = 0; x < width; x++) {
      let sum = 128;
      for (let j = 0; j <= radius; j++) sum += (line[x + radius - j] + line[x + radius + j]) * weights[j];
      middle[y * width + x] = sum >> 8;
    }
  }
  for (let y = 0; y < height; y++) {
    sums.fill(1 << 19);
    for (let j = 0; j <= radius; j++) {
      const up = Math.max(0, y - j) * width;
      const down = Math.min(height - 1, y + j) * width;
      const weight = weights[j];
      for (let x = 0; x < width; x++) sums[x] += Math.imul(middle[up + x] + middle[down + x], weight);
    }
    for (let x = 0; x < width; x++) out[y * width + x] = sums[x] >> 20;
  }
}

/** What `sauvola` works in: sums of columns, and those from the left. */
export function sauvolaRoom(width: number) {
  return {
    columns: new Int32Array(width),
    squares: new Int32Array(width),
    totals: new Int32Array(width + 1),
    squareTotals: new Int32Array(width + 1),
  };
}

/** 128 and how far each gray is from Sauvola's threshold of its window, cut to 0..255. */
export function sauvola(
  gray: Uint8Array,
  width: number,
  height: number,
  radius: number,
  k: number,
  room: ReturnType<typeof sauvolaRoom>,
  out: Uint8Array,
): void {
  const { columns, squares, totals, squareTotals } = room;
  columns.fill(0);
  squares.fill(0);
  for (let y = -radius; y < height; y++) {
    const enters = y + radius < height ? (y + radius) * width : -1;
    const leaves = y > radius ? (y - radius - 1) * width : -1;
    let sum = 0;
    let squareSum = 0;
    for (let x = 0; x < width; x++) {
      const a = enters < 0 ? 0 : gray[enters + x] - 128;
      const b = leaves < 0 ? 0 : gray[leaves + x] - 128;
      columns[x] += a - b;
      squares[x] += (a - b) * (a + b);
      sum = (sum + columns[x]) | 0;
      squareSum = (squareSum + squares[x]) | 0;
      totals[x + 1] = sum;
      squareTotals[x + 1] = squareSum;
    }
    if (y < 0) continue;
    const rows = Math.min(height, y + radius + 1) - Math.max(0, y - radius);
    const base = Math.fround(1 - k);
    let n = 0;
    let share = 0;
    let slope = 0;
    for (let x = 0; x < width; x++) {
      const from = x > radius ? x - radius : 0;
      const to = x + radius < width ? x + radius + 1 : width;
      if (n !== (to - from) * rows) {
        n = (to - from) * rows;
        share = Math.fround(1 / n);
        slope = Math.fround(k / 128 / n);
      }
      const s = (totals[to] - totals[from]) | 0;
      const q = (squareTotals[to] - squareTotals[from]) >>> 0;
      const root = Math.fround(Math.sqrt(Math.fround(n * q - s * s)));
      const mean = Math.fround(Math.fround(s + 128 * n) * share);
      const level = Math.fround(mean * Math.fround(base + Math.fround(slope * root)));
      const value = gray[y * width + x];
      const offset = 128 + Math.floor(Math.fround(Math.fround(value + 1 / 1024) - level));
      out[y * width + x] = offset < 0 ? 0 : offset > 255 ? 255 : offset;
    }
  }
}
