import type { ColorLayers, Image } from "kerfwork";
import { visit } from "./drawing.ts";

// What colour layers look like when they are drawn again, and what they are made of. All of it is taken from the SVG text,
// so that every tracer is counted by the same rule.

export interface Resvg {
  Resvg: new (
    svg: string,
    options: object,
  ) => { render(): { pixels: Uint8Array; width: number; height: number } };
}

/** Layers whose unit is a pixel, to a hundredth of one. */
export function paintingOf({ layers }: ColorLayers, width: number, height: number): string {
  const paths = layers.map(({ color, curves }) => {
    const parts: string[] = [];
    visit(
      curves,
      (x, y) => parts.push(`${parts.length > 0 ? "Z" : ""}M${hundredths([x, y])}`),
      (points) => parts.push(`${points.length === 2 ? "L" : "C"}${hundredths(points)}`),
    );
    return `<path fill="${color}" fill-rule="evenodd" d="${parts.join("")}Z"/>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}">${paths.join("")}</svg>`;
}

function hundredths(values: ArrayLike<number>): string {
  return Array.from(values, (value) => Math.round(100 * value) / 100).join(" ");
}

/** Numbers that each command takes for one segment. */
const TAKES: Readonly<Record<string, number>> = { L: 2, H: 1, V: 1, Q: 4, C: 6 };

/** Lines and curves of all paths; lines that only a Z draws are not counted. */
export function segmentsOf(svg: string): number {
  let sum = 0;
  for (const [, data] of svg.matchAll(/ d="([^"]*)"/g))
    for (const [, command, rest] of data.matchAll(/([a-zA-Z])([^a-zA-Z]*)/g)) {
      const numbers = rest.match(/-?(?:\d+\.?\d*|\.\d+)/g)?.length ?? 0;
      const name = command.toUpperCase();
      // further pairs after a move are lines
      sum += name === "M" ? numbers / 2 - 1 : name === "Z" ? 0 : numbers / (TAKES[name] as number);
    }
  return sum;
}

/** dB over red, green and blue; Infinity of two that are alike. Pixels are RGBA, and alpha is left out. */
export function psnrOf(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) throw new Error(`Expected as many bytes, got ${a.length} and ${b.length}`);
  let squares = 0;
  for (let i = 0; i < a.length; i++) if (i % 4 !== 3) squares += (a[i] - b[i]) ** 2;
  return 10 * Math.log10(255 ** 2 / (squares / ((3 * a.length) / 4)));
}

/** RGBA of a picture of 1, 3 or 4 channels that has no holes. */
export function rgbaOf({ width, height, data }: Image): Uint8Array {
  const channels = data.length / (width * height);
  return Uint8Array.from({ length: 4 * width * height }, (_, i) =>
    i % 4 === 3 ? 255 : data[channels * (i >> 2) + (channels < 3 ? 0 : i % 4)],
  );
}

/** The SVG over white where the picture was. */
export function repainted(svg: string, picture: Image, resvg: Resvg): Uint8Array {
  return rendered(svg, picture, resvg, { background: "#fff" });
}

/** Pixels whose middle lies in no layer: edges are drawn without smoothing, so that a seam is not taken for a gap. */
export function gapsOf(svg: string, picture: Image, resvg: Resvg): number {
  const crisp = svg.replaceAll("<path ", '<path shape-rendering="crispEdges" ');
  const pixels = rendered(crisp, picture, resvg, {});
  let gaps = 0;
  for (let i = 3; i < pixels.length; i += 4) if (pixels[i] === 0) gaps++;
  return gaps;
}

function rendered(svg: string, { width, height }: Image, { Resvg }: Resvg, options: object): Uint8Array {
  const image = new Resvg(svg, { ...options, font: { loadSystemFonts: false } }).render();
  if (image.width !== width || image.height !== height)
    throw new Error(`Rendered ${image.width} x ${image.height} for ${width} x ${height}`);
  return image.pixels; // each reading of it is a copy
}
