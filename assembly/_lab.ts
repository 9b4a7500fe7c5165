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
