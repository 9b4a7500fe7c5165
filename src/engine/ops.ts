/**
 * Moves of a machine, mm, y up, power 0..1, speed in mm/min; one entry per move, all views on one buffer.
 * Kinds: 0 travel, 1 line, 2 arc clockwise, 3 arc counter-clockwise.
 */
export interface Ops {
  readonly kinds: Uint8Array;
  /** End points, 2 per move. */
  readonly xy: Float32Array;
  /** Arc centres, 2 per move; 0 for other kinds. */
  readonly centers: Float32Array;
  readonly power: Float32Array;
  readonly speed: Float32Array;
}
