/**
 * Closed outlines of lines and cubics, in mm, y down. Contour `i` holds the segments `ends[i-1]..ends[i]`. Kind 0 is a
 * line (1 new point), kind 1 a cubic (3 new points); each contour starts with its own start point and ends on it.
 * `depth` counts the enclosing contours, so odd is a hole.
 */
export interface Curves {
  readonly ends: Uint32Array;
  readonly kinds: Uint8Array;
  readonly xy: Float32Array;
  readonly depth: Uint16Array;
}
