/** Polylines in mm: path `i` holds the points `ends[i-1]..ends[i]` of `xy`; closed when its last point equals its first. */
export interface Paths {
  readonly ends: Uint32Array;
  readonly xy: Float32Array;
}
