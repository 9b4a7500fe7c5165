import { KerfworkError } from "../errors.ts";

/** Holds the size that a header states against the limit, before a byte of the picture is decoded. */
export function checkSize(width: number, height: number, maxPixels: number): void {
  const data = { width, height };
  if (width === 0 || height === 0)
    throw new KerfworkError(
      "BROKEN_IMAGE",
      `Expected an image of at least 1 x 1 pixels, got ${width} x ${height}`,
      {
        data,
      },
    );
  if (width * height > maxPixels)
    throw new KerfworkError(
      "UNSUPPORTED_IMAGE",
      `Expected an image of at most ${maxPixels} pixels (\`maxPixels\`), got ${width} x ${height}`,
      { data },
    );
}
