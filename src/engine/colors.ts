import { checkFlag, checkNumber, checkOneOf, checkOptions, invalid } from "../errors.ts";
import { engineFunction } from "../tasker/target.ts";
import { traceCutout } from "./arcs.ts";
import { FIT_MODES, type FitMode } from "./fit.ts";
import { checkImage, type Image } from "./image.ts";
import { Stages, withEngine } from "./memory.ts";
import { hexOf, type Rgb, toLabels } from "./palette.ts";
import { mergeSpecks } from "./regions.ts";
import { checkScale } from "./scale.ts";
import { traceStack } from "./stack.ts";
import type { Curves } from "./trace.ts";

/** What is drawn in one colour. */
export interface ColorLayer {
  /** "#rrggbb". */
  readonly color: string;
  /** Of the pixels that show this colour, mm^2. */
  readonly area: number;
  /** mm, y down. */
  readonly curves: Curves;
}

/** A picture in flat colours. */
export interface ColorLayers {
  /** In painting order: the first is below. */
  readonly layers: readonly ColorLayer[];
}

export interface ColorsOptions {
  /** Most colours of a palette that is made from the picture, an integer 2..64 (default 16). Not beside `palette`. */
  readonly colors?: number;
  /** 2..64 colours to use instead, each "#rrggbb"; those that no pixel is nearest to give no layer. */
  readonly palette?: readonly string[];
  /**
   * "stacked" (default): layers lie one over the other, so that no crack shows between them. "cutout": layers lie side by
   * side, and neighbours share their border, segment by segment.
   */
  readonly layers?: "stacked" | "cutout";
  /** "curves": lines and cubics (default); "polygons": lines only; "pixels": the exact edges of the pixels. */
  readonly mode?: "curves" | "polygons" | "pixels";
  /** How far outlines may leave the pixels' edges, beyond the half pixel of their stairs, mm, >= 0 (default: three quarters of a pixel). */
  readonly tolerance?: number;
  /** Pixels per inch, > 0 (default 254: a pixel is 0.1 mm). */
  readonly dpi?: number;
  /** Regions of less than this many pixels become part of a neighbour (default 16; 0 keeps all). */
  readonly despecklePx?: number;
  /** Lets pixels at borders follow their neighbours where another colour is nearly as near (default true). */
  readonly smooth?: boolean;
}

const OPTIONS = ["colors", "palette", "layers", "mode", "tolerance", "dpi", "despecklePx", "smooth"] as const;
const LAYERS = ["stacked", "cutout"] as const;
const COUNT = { min: 2, max: 64, integer: true } as const;
/** Borders between like colours are rougher than those of black on white. */
const TOLERANCE_PX = 0.75;
/** Parts of the whole work. */
const SHARES = { labels: 0.25, regions: 0.15, layers: 0.6 };

/**
 * Traces a picture in flat colours: a layer of closed outlines for each colour, in mm, y down, the origin at the picture's
 * top left corner. Colours are told apart in OKLab, by their distance as one sees it, in steps of 4 levels of red, green
 * and blue; gray pictures give gray layers, in single levels. Pixels of alpha below 128 belong to no layer.
 * The image is read and not kept; the arrays are fresh.
 *
 * @throws INVALID_ARGUMENT   an image or an option that breaks its contract, or an option of another name
 * @throws OUT_OF_MEMORY      more pixels or corners than kernel memory holds
 * @throws CANCELED           the task that runs it was canceled
 * Cost: two reads of the picture, then about 20 ns for each run of equal pixels in a row and 0.3 us for each corner of
 * the layers' edges.
 * @example traceColors(image, { colors: 8, layers: "cutout" }).layers.map((layer) => layer.color)
 */
export const traceColors = engineFunction(
  "traceColors",
  (image: Image, options: ColorsOptions = {}): ColorLayers => {
    checkImage(image);
    const { choice, smooth, layers: form, despecklePx, ...fit } = checkColors(options);
    return withEngine((engine) => {
      const stages = new Stages();
      const labels = toLabels(engine, image, { choice, smooth }, stages, SHARES.labels);
      const regions = mergeSpecks(engine, labels, despecklePx, stages, SHARES.regions);
      const traceLayers = form === "stacked" ? traceStack : traceCutout;
      const traced = traceLayers(engine, labels, regions, fit, stages, SHARES.layers);
      const layers = traced.map(({ label, curves }) => {
        const area = regions.counts[label] * fit.mmPerPx ** 2;
        return { color: hexOf(labels.palette[label]), area, curves };
      });
      return { layers };
    });
  },
);

interface CheckedOptions {
  readonly choice: number | readonly Rgb[];
  readonly smooth: boolean;
  readonly layers: "stacked" | "cutout";
  readonly mode: FitMode;
  readonly tolerancePx: number;
  readonly mmPerPx: number;
  readonly despecklePx: number;
}

function checkColors(options: ColorsOptions): CheckedOptions {
  checkOptions(options, OPTIONS);
  const { colors, palette, layers = "stacked", mode = "curves" } = options;
  const { despecklePx = 16, smooth = true } = options;
  if (palette !== undefined && colors !== undefined)
    throw invalid("colors", "left out beside `palette`", colors);
  const choice = palette === undefined ? checkNumber("colors", colors ?? 16, COUNT) : checkPalette(palette);
  checkOneOf("layers", layers, LAYERS);
  checkOneOf("mode", mode, FIT_MODES);
  const scale = checkScale(options, TOLERANCE_PX);
  checkNumber("despecklePx", despecklePx, { min: 0 });
  checkFlag("smooth", smooth);
  return { choice, smooth, layers, mode, ...scale, despecklePx };
}

function checkPalette(palette: readonly string[]): Rgb[] {
  if (!Array.isArray(palette) || palette.length < COUNT.min || palette.length > COUNT.max)
    throw invalid("palette", `an array of ${COUNT.min} to ${COUNT.max} colours`, palette);
  return palette.map((color, i) => {
    if (typeof color !== "string" || !/^#[0-9a-f]{6}$/i.test(color))
      throw invalid(`palette[${i}]`, 'a colour as "#rrggbb"', color);
    return [1, 3, 5].map((at) => Number.parseInt(color.slice(at, at + 2), 16)) as unknown as Rgb;
  });
}
