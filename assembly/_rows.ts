// Rows of a hatch, and the frame in which they lie level: x runs along the lines, v across them from row to row.

/** A hatch as its kernels see it; the host lays it out. Rows are numbered from the first that can meet the region. */
@unmanaged
export class Hatch {
  /** Direction of the lines, of length 1; v runs along (uy, -ux). */
  ux: f64;
  uy: f64;
  /** Row k lies at v = (base + k + phase) * spacing. */
  spacing: f64;
  phase: f64;
  base: f64;
  /** Least distance to the edges, 0 for none. */
  inset: f64;
  rows: i32;
  /** 1: even-odd, 0: non-zero. */
  parity: i32;
  /** 1: odd rows run backwards. */
  zigzag: i32;
}

// @ts-ignore: decorator
@inline
export function rowAt(hatch: Hatch, row: f64): f64 {
  return (row + hatch.phase) * hatch.spacing;
}

/** The first row at v or beyond it: exactly so for the row as `rowAt` computes it. */
// @ts-ignore: decorator
@inline
export function firstRow(hatch: Hatch, v: f64): f64 {
  let row = Math.ceil(v / hatch.spacing - hatch.phase);
  if (rowAt(hatch, row) < v) row += 1;
  else if (rowAt(hatch, row - 1) >= v) row -= 1;
  return row;
}

/** That row, counted from the base and kept within the rows that there are. */
// @ts-ignore: decorator
@inline
export function rowFrom(hatch: Hatch, v: f64): i32 {
  return <i32>min(<f64>hatch.rows, max(0.0, firstRow(hatch, v) - hatch.base));
}
