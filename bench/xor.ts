import type { Image } from "kerfwork";
import { type Drawing, toSvg } from "./drawing.ts";

interface Resvg {
  Resvg: new (
    svg: string,
    options: object,
  ) => { render(): { pixels: Uint8Array; width: number; height: number } };
}

/** Of 100 pixels, those that change colour when the drawing is rendered where the picture was; half gray is white. */
export function xorPercent(drawing: Drawing, picture: Image, { Resvg }: Resvg): number {
  const { width, height, data } = picture;
  const rendered = new Resvg(toSvg(drawing, width, height), { font: { loadSystemFonts: false } }).render();
  if (rendered.width !== width || rendered.height !== height)
    throw new Error(`Rendered ${rendered.width} x ${rendered.height} for ${width} x ${height}`);
  const { pixels } = rendered; // each reading of it is a copy
  let differing = 0;
  for (const [i, gray] of data.entries()) if (pixels[4 * i] < 128 !== gray < 128) differing++;
  return (100 * differing) / data.length;
}
