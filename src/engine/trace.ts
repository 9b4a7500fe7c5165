import { checkNumber, checkOneOf, invalid } from "../errors.ts";
import { engineFunction } from "../tasker/target.ts";
import { extract } from "./contours.ts";
import { FIT_MODES, type FitMode, fitBorders } from "./fit.ts";
import { checkImage, type Image, toBitmap } from "./image.ts";
import { Stages, withEngine } from "./memory.ts";

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

export interface TraceOptions {
  /** Gray below it is black: an integer 0..255, or "otsu" (default), which finds it from the picture. */
  readonly threshold?: "otsu" | number;
  /** Traces the white parts instead of the black ones (default false). */
  readonly invert?: boolean;
  /** "curves": lines and cubics (default); "polygons": lines only; "pixels": the exact edges of the pixels. */
  readonly mode?: "curves" | "polygons" | "pixels";
  /** How far outlines may leave the pixels' edges, beyond the half pixel of their stairs, mm, >= 0 (default: half a pixel). */
  readonly tolerance?: number;
  /** Pixels per inch, > 0 (default 254: a pixel is 0.1 mm). */
  readonly dpi?: number;
  /** Drops black and white specks of less than this many pixels, with all inside them (default 2; 0 keeps all). */
  readonly despecklePx?: number;
  /** Places borders between pixels by their gray: always, never, or where there is gray to use ("auto", default). */
  readonly subpixel?: "auto" | boolean;
}

/** 0.1 mm a pixel. */
export const DEFAULT_DPI = 254;

const OPTIONS = ["threshold", "invert", "mode", "tolerance", "dpi", "despecklePx", "subpixel"] as const;
/** Parts of the whole work: pictures are mostly plain, so bits weigh more than their time on busy ones. */
const SHARES = { bitmap: 0.3, borders: 0.3, fit: 0.4 };

/**
 * Traces the black parts of a picture: closed outlines in mm, y down, the origin at the picture's top left corner.
 * The middle of each pixel edge between black and white is within `tolerance` plus half a pixel of its outline, and each
 * point of an outline as near to the line through those middles. Outlines pass through the middle of the stairs, so shapes neither grow
 * nor shrink. A picture without black gives no contours. The image is read and not kept; the arrays are fresh.
 *
 * @throws INVALID_ARGUMENT   an image or an option that breaks its contract, or an option of another name
 * @throws OUT_OF_MEMORY      more pixels or corners than kernel memory holds
 * @throws CANCELED           the task that runs it was canceled
 * Cost: one read of the picture, then about 0.3 us for each corner of the pixels' edges.
 * @example trace(image, { mode: "polygons", dpi: 300 }).ends.length
 */
export const trace = engineFunction("trace", (image: Image, options: TraceOptions = {}): Curves => {
  checkImage(image);
  const { threshold, invert, despecklePx, subpixel, ...fit } = checkOptions(options);
  return withEngine((engine) => {
    const stages = new Stages();
    const keepGray = subpixel !== false && fit.mode !== "pixels";
    const made = toBitmap(engine, image, { threshold, invert, keepGray }, stages, SHARES.bitmap);
    const { bitmap, gray } = made;
    const borders = extract(engine, bitmap, { despecklePx }, stages, SHARES.borders);
    const plane =
      gray === undefined
        ? undefined
        : { at: gray, width: image.width, height: image.height, threshold: made.threshold, always: subpixel === true };
    return fitBorders(engine, borders, fit, stages, SHARES.fit, plane);
  });
});

interface CheckedOptions {
  readonly threshold: "otsu" | number;
  readonly invert: boolean;
  readonly mode: FitMode;
  readonly tolerancePx: number;
  readonly mmPerPx: number;
  readonly despecklePx: number;
  readonly subpixel: "auto" | boolean;
}

function checkOptions(options: TraceOptions): CheckedOptions {
  if (typeof options !== "object" || options === null) throw invalid("options", "an object", options);
  for (const name of Object.keys(options)) checkOneOf("option", name, OPTIONS);
  const { threshold = "otsu", invert = false, mode = "curves", dpi = DEFAULT_DPI, despecklePx = 2, subpixel = "auto" } = options;
  if (typeof threshold === "number") checkNumber("threshold", threshold, { min: 0, max: 255, integer: true });
  else if (threshold !== "otsu")
    throw invalid("threshold", '"otsu" or an integer >= 0 and <= 255', threshold);
  if (typeof invert !== "boolean") throw invalid("invert", "true or false", invert);
  checkOneOf("mode", mode, FIT_MODES);
  checkNumber("dpi", dpi, { above: 0 });
  checkNumber("despecklePx", despecklePx, { min: 0 });
  if (subpixel !== "auto" && typeof subpixel !== "boolean") throw invalid("subpixel", '"auto", true or false', subpixel);
  const mmPerPx = 25.4 / dpi;
  const { tolerance = mmPerPx / 2 } = options;
  checkNumber("tolerance", tolerance, { min: 0 });
  return { threshold, invert, mode, tolerancePx: tolerance / mmPerPx, mmPerPx, despecklePx, subpixel };
}
