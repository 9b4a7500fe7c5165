import type { Image } from "../engine/image.ts";

const ORIENTATION = 0x0112;
const SHORT = 3;

/**
 * Reads the orientation of an EXIF block.
 *
 * @param tiff  what follows "Exif\0\0": a TIFF header and its first directory
 * @returns     1..8; 1 (upright) for a block without one, or one that makes no sense
 */
export function readOrientation(tiff: Uint8Array): number {
  const view = new DataView(tiff.buffer, tiff.byteOffset, tiff.byteLength);
  if (tiff.length < 8) return 1;
  const order = view.getUint16(0);
  if (order !== 0x4949 && order !== 0x4d4d) return 1;
  const little = order === 0x4949;
  const directory = view.getUint32(4, little);
  if (directory + 2 > tiff.length) return 1;
  const entries = view.getUint16(directory, little);
  for (let i = 0; i < entries; i++) {
    const at = directory + 2 + 12 * i;
    if (at + 12 > tiff.length) return 1;
    if (view.getUint16(at, little) !== ORIENTATION || view.getUint16(at + 2, little) !== SHORT) continue;
    const value = view.getUint16(at + 8, little);
    return value >= 1 && value <= 8 ? value : 1;
  }
  return 1;
}

/**
 * Turns a picture upright. The orientation names where row 0 and column 0 of the data belong on the upright picture:
 * 1 top left, 2 top right, 3 bottom right, 4 bottom left, 5 left top, 6 right top, 7 right bottom, 8 left bottom.
 *
 * @returns  the picture itself for 1, a new one otherwise; 5..8 swap width and height
 */
export function turnUpright(image: Image, orientation: number): Image {
  if (orientation === 1) return image;
  const { width, height, data } = image;
  const swaps = orientation >= 5;
  // on the upright picture: does the data's first axis run backwards, and its second
  const flipX = [2, 3, 7, 8].includes(orientation);
  const flipY = [3, 4, 6, 7].includes(orientation);
  const upright = swaps ? { width: height, height: width } : { width, height };
  // as a step of whole pixels in the result for each step right and down in the data
  const right = (swaps ? upright.width : 1) * (flipX ? -1 : 1);
  const down = (swaps ? 1 : upright.width) * (flipY ? -1 : 1);
  const first = (flipX ? -right * (width - 1) : 0) + (flipY ? -down * (height - 1) : 0);
  const channels = data.length / (width * height);
  const out = new Uint8Array(data.length);
  for (let y = 0; y < height; y++) {
    let to = (first + y * down) * channels;
    let from = y * width * channels;
    for (let x = 0; x < width; x++) {
      for (let c = 0; c < channels; c++) out[to + c] = data[from + c];
      to += right * channels;
      from += channels;
    }
  }
  return { ...upright, data: out };
}
