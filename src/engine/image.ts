/** Pixels, rows top down. Channels = `data.length / (width * height)`: 1 gray, 3 RGB, 4 RGBA with straight alpha. */
export interface Image {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array;
}
