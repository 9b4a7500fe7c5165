import type { Image } from "../engine/image.ts";
import { checkNumber, checkOptions, invalid, KerfworkError } from "../errors.ts";
import { engineFunction } from "../tasker/target.ts";
import { decodeJpeg } from "./jpeg.ts";
import { decodePng } from "./png.ts";

export interface DecodeOptions {
  /** Refuse larger pictures before they are decoded, px (default 100,000,000). */
  readonly maxPixels?: number;
}

/** How files that people hand to a laser program begin; read from the top, first match wins. */
const MAGIC: readonly (readonly [format: string, at: number, magic: string])[] = [
  ["png", 0, "\x89PNG\r\n\x1a\n"],
  ["jpeg", 0, "\xff\xd8\xff"],
  ["gif", 0, "GIF8"],
  ["webp", 8, "WEBP"],
  ["bmp", 0, "BM"],
  ["tiff", 0, "II*\0"],
  ["tiff", 0, "MM\0*"],
  ["avif", 4, "ftypavif"],
  ["heic", 4, "ftyphei"],
  ["heic", 4, "ftypmif1"],
  ["psd", 0, "8BPS"],
  ["pdf", 0, "%PDF"],
];

/**
 * Decodes a PNG or JPEG file, told apart by its first bytes.
 * PNG of every kind becomes gray, RGB or, with transparency, RGBA, 8 bits a channel; JPEG becomes gray or RGBA, turned
 * upright as its EXIF orientation says. Nothing is colour-managed. The bytes are read and not kept.
 *
 * @param bytes              the whole file
 * @param options.maxPixels  refuse larger pictures from their header, px, an integer >= 1 (default 100,000,000)
 * @throws UNSUPPORTED_IMAGE another format, a CMYK or lossless JPEG, or more than `maxPixels`
 * @throws BROKEN_IMAGE      truncated, empty, zero-sized or damaged
 * Cost: about 20 ns a pixel; one picture of memory beside the result.
 * @example const image = await decodeImage(await readFile("badge.png"));
 */
export const decodeImage = engineFunction(
  "decodeImage",
  async (bytes: Uint8Array, options: DecodeOptions = {}): Promise<Image> => {
    if (!(bytes instanceof Uint8Array)) throw invalid("bytes", "a Uint8Array", bytes);
    const maxPixels = checkDecodeOptions(options);
    if (bytes.length === 0)
      throw new KerfworkError("BROKEN_IMAGE", "Expected `bytes` to be an image file, got 0 bytes");
    const format = sniff(bytes);
    if (format === "png") return decodePng(bytes, maxPixels);
    if (format === "jpeg") return decodeJpeg(bytes, maxPixels);
    throw new KerfworkError("UNSUPPORTED_IMAGE", `Expected a PNG or JPEG image, got ${format}`, {
      data: { format },
    });
  },
);

/** The limit that the options set, once they are found good. */
export function checkDecodeOptions(options: DecodeOptions): number {
  checkOptions(options, ["maxPixels"]);
  return checkNumber("maxPixels", options.maxPixels ?? 100e6, { min: 1, integer: true });
}

/** What a file is, by its first bytes. */
function sniff(bytes: Uint8Array): string {
  const head = String.fromCharCode(...bytes.subarray(0, 512));
  for (const [format, at, magic] of MAGIC) if (head.startsWith(magic, at)) return format;
  // a file cut inside its signature is still that format
  for (const [format, , magic] of MAGIC.slice(0, 2)) if (magic.startsWith(head)) return format;
  const text = head.replace(/^\xef\xbb\xbf/, "").trimStart();
  if (/<svg[\s>]/i.test(text)) return "svg";
  if (/^[\t\n\r\x20-\x7e]+$/.test(text))
    return `a text that begins with ${JSON.stringify(text.slice(0, 20))}`;
  const start = [...bytes.subarray(0, 4)].map((byte) => byte.toString(16).padStart(2, "0"));
  return `a file that begins with the bytes ${start.join(" ")}`;
}
