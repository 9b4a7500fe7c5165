// Colours in OKLab as lists hold them, and which of a palette is nearest.

/** Bytes of one colour: f32 L, a, b and a weight. */
export const COLOR: usize = 16;
export const L: usize = 0;
export const A: usize = 4;
export const B: usize = 8;
export const W: usize = 12;

/** The index of the palette colour nearest to the one at `p`, the first of equals. */
export function nearestColor(p: usize, palette: usize, k: i32): i32 {
  const l = load<f32>(p, L);
  const a = load<f32>(p, A);
  const b = load<f32>(p, B);
  let best = 0;
  let least = f32.MAX_VALUE;
  for (let c = 0; c < k; c++) {
    const q = palette + <usize>c * COLOR;
    const dl = load<f32>(q, L) - l;
    const da = load<f32>(q, A) - a;
    const db = load<f32>(q, B) - b;
    const square = dl * dl + da * da + db * db;
    if (square < least) {
      least = square;
      best = c;
    }
  }
  return best;
}

/** As `nearestColor` for four colours in a row, as i32x4. */
export function nearestFour(p: usize, palette: usize, k: i32): v128 {
  const c0 = v128.load(p);
  const c1 = v128.load(p, 16);
  const c2 = v128.load(p, 32);
  const c3 = v128.load(p, 48);
  const low01 = v128.shuffle<i32>(c0, c1, 0, 4, 1, 5);
  const low23 = v128.shuffle<i32>(c2, c3, 0, 4, 1, 5);
  const l = v128.shuffle<i32>(low01, low23, 0, 1, 4, 5);
  const a = v128.shuffle<i32>(low01, low23, 2, 3, 6, 7);
  const b = v128.shuffle<i32>(v128.shuffle<i32>(c0, c1, 2, 6, 3, 7), v128.shuffle<i32>(c2, c3, 2, 6, 3, 7), 0, 1, 4, 5);
  let best = i32x4.splat(0);
  let least = f32x4.splat(f32.MAX_VALUE);
  for (let c = 0; c < k; c++) {
    const q = palette + <usize>c * COLOR;
    const dl = f32x4.sub(v128.load_splat<f32>(q, L), l);
    const da = f32x4.sub(v128.load_splat<f32>(q, A), a);
    const db = f32x4.sub(v128.load_splat<f32>(q, B), b);
    const square = f32x4.add(f32x4.add(f32x4.mul(dl, dl), f32x4.mul(da, da)), f32x4.mul(db, db));
    const nearer = f32x4.lt(square, least);
    least = v128.bitselect(square, least, nearer);
    best = v128.bitselect(i32x4.splat(c), best, nearer);
  }
  return best;
}
