import { checkNumber, checkOneOf, invalid } from "../errors.ts";
import { engineFunction } from "../tasker/target.ts";
import { extract, TURNS, type Turn } from "./contours.ts";
import { FIT_MODES, type FitMode, fitBorders } from "./fit.ts";
import { checkImage, type Image, toBitmap } from "./image.ts";
import { Stages, withEngine } from "./memory.ts";
import { checkScale } from "./scale.ts";
import { checkTone, TONE_NAMES, type Tone, type ToneOptions } from "./tone.ts";

/**
 * Outlines of lines, cubics and arcs, in mm, y down. Contour `i` holds the segments `ends[i-1]..ends[i]`. Kind 0 is a
 * line (1 new point), kind 1 a cubic (3 new points: two control points, end), kinds 2 and 3 are arcs (2 new points:
 * centre, end), 2 clockwise and 3 counter-clockwise as seen on the screen; an arc that ends where it starts is a full
 * circle. Each contour starts with its own start point, and closed ones end on it. `depth` counts the enclosing contours,
 * so odd is a hole. Tracing gives closed contours without arcs.
 */
export interface Curves {
  readonly ends: Uint32Array;
  readonly kinds: Uint8Array;
  readonly xy: Float32Array;
  readonly depth: Uint16Array;
}

export interface TraceOptions extends ToneOptions {
  /** "curves": lines and cubics (default); "polygons": lines only; "pixels": the exact edges of the pixels. */
  readonly mode?: "curves" | "polygons" | "pixels";
  /**
   * How far outlines may leave the pixels' edges, beyond the half pixel of their stairs, mm, >= 0 (default: half a pixel).
   * Where gray tells the way, curves use a tenth of it, beyond a fifth of a pixel.
   */
  readonly tolerance?: number;
  /** Pixels per inch, > 0 (default 254: a pixel is 0.1 mm). */
  readonly dpi?: number;
  /**
   * Drops specks of less than this many pixels, with all inside them (default 2; 0 keeps all). Black and white alike: a
   * speck of black goes, a hole in black fills. What a border encloses counts, so a thin ring is no speck.
   */
  readonly despecklePx?: number;
  /**
   * Which two pixels are one shape where two black and two white ones meet crosswise: the "white" ones (default), so
   * that black shapes part; the "black" ones, so that thin slanted lines hold together; those of the "majority" or the
   * "minority" among the 8 x 8 pixels around the point, the white ones if it is a tie. Outside the picture is white;
   * colours are as traced, after `invert`.
   */
  readonly turn?: "white" | "black" | "majority" | "minority";
  /**
   * Where outlines run between the pixels: "auto" (default) by gray, for each border that has gray at one in eight of its
   * pixels' edges or more and is smoother by it than stairs are; true by gray for all that have any; false by the stairs
   * alone. Pictures of two grays and the mode "pixels" have nothing to tell: they come out the same.
   */
  readonly subpixel?: "auto" | boolean;
}

const OPTIONS = [...TONE_NAMES, "mode", "tolerance", "dpi", "despecklePx", "turn", "subpixel"] as const;
/** Parts of the whole work: pictures are mostly plain, so bits weigh more than their time on busy ones. */
const SHARES = { bitmap: 0.3, borders: 0.3, fit: 0.4 };

/**
 * Traces the black parts of a picture: closed outlines in mm, y down, the origin at the picture's top left corner.
 * The middle of each pixel edge between black and white is within `tolerance` plus half a pixel of its outline, and each
 * point of an outline as near to the line through those middles. Outlines pass through the middle of the stairs, so shapes neither grow
 * nor shrink. Where gray between black and white shows how far a border is off the middle of an edge, at most half a
 * pixel, that place stands for it. The threshold says which pixels are black; the border of a sharp edge lies half way
 * between its two grays, unless the threshold is far from there. A picture without black gives no contours. The image is
 * read and not kept; the arrays are fresh.
 * As a task in a worker it fits big pictures, of 65,536 corners or more, on all threads of the compute pool that are free.
 *
 * @throws INVALID_ARGUMENT   an image or an option that breaks its contract, or an option of another name
 * @throws OUT_OF_MEMORY      more pixels or corners than kernel memory holds
 * @throws CANCELED           the task that runs it was canceled
 * Cost: one read of the picture, then up to 0.2 us for each corner of the pixels' edges; a byte a pixel for `subpixel`.
 * @example trace(image, { mode: "polygons", dpi: 300 }).ends.length
 */
export const trace = engineFunction("trace", (image: Image, options: TraceOptions = {}): Curves => {
  const { tone, despecklePx, turn, subpixel, ...fit } = checkOptions(options, checkImage(image));
  return withEngine((engine) => {
    const stages = new Stages();
    const keepGray = subpixel !== false && fit.mode !== "pixels";
    const { bitmap, threshold, gray } = toBitmap(engine, image, { ...tone, keepGray }, stages, SHARES.bitmap);
    const borders = extract(engine, bitmap, { despecklePx, turn }, stages, SHARES.borders);
    const plane = gray && { ...bitmap, at: gray, threshold, always: subpixel === true };
    return fitBorders(engine, borders, fit, stages, SHARES.fit, 0, plane);
  });
});

interface CheckedOptions {
  readonly tone: Tone;
  readonly mode: FitMode;
  readonly tolerancePx: number;
  readonly mmPerPx: number;
  readonly despecklePx: number;
  readonly turn: Turn;
  readonly subpixel: "auto" | boolean;
}

function checkOptions(options: TraceOptions, channels: number): CheckedOptions {
  if (typeof options !== "object" || options === null) throw invalid("options", "an object", options);
  for (const name of Object.keys(options)) checkOneOf("option", name, OPTIONS);
  const { mode = "curves", despecklePx = 2, turn = "white", subpixel = "auto" } = options;
  checkOneOf("mode", mode, FIT_MODES);
  const scale = checkScale(options);
  checkNumber("despecklePx", despecklePx, { min: 0 });
  checkOneOf("turn", turn, TURNS);
  if (subpixel !== "auto" && typeof subpixel !== "boolean")
    throw invalid("subpixel", '"auto", true or false', subpixel);
  const tone = checkTone(options, channels);
  return { tone, mode, ...scale, despecklePx, turn, subpixel };
}
