/** A program in the controller's language: 7-bit bytes, lines ended by `\n` only. */
export interface Program {
  readonly bytes: Uint8Array;
  readonly lines: number;
  /** The line, counted from 0, that carries each move. */
  readonly lineOfOp: Int32Array;
  /** Box of all moves, mm. */
  readonly bounds: {
    readonly minX: number;
    readonly minY: number;
    readonly maxX: number;
    readonly maxY: number;
  };
  /** Time of all moves at their speeds, without acceleration. */
  readonly seconds: number;
}
