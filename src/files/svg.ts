import type { ColorLayers } from "../engine/colors.ts";
import { FILL_RULES } from "../engine/paths.ts";
import type { Curves } from "../engine/trace.ts";
import { checkNumber, checkOneOf, checkOptions, describe, invalid, KerfworkError } from "../errors.ts";
import { engineFunction } from "../tasker/target.ts";
import { type Exactness, pathWriter, rounded, type Strokes, shortNumber, within } from "./path.ts";

export interface SVGOptions {
  /** Size of the drawing, mm, > 0. */
  readonly width: number;
  readonly height: number;
  /** Decimals of a coordinate, an integer 0..6 (default 3: micrometres). Not together with `tolerance`. */
  readonly precision?: number;
  /**
   * How far a written point may be from its own, mm, 1e-6..0.5: instead of `precision`, for numbers as short as that
   * allows. Curves stay as near as their points.
   */
  readonly tolerance?: number;
  /** How contours inside one another fill (default "evenodd"). Holes run the other way around, so both draw traced curves alike. */
  readonly fillRule?: "evenodd" | "nonzero";
  /** A CSS colour or "none" (default black, but "none" for curves with `closed`). */
  readonly fill?: string;
  /** A CSS colour or "none" (default "none", but "black" for curves with `closed`). */
  readonly stroke?: string;
  /** Width of the stroke, mm, > 0 (default 1, as SVG has it). */
  readonly strokeWidth?: number;
}

const NAMES = ["width", "height", "precision", "tolerance", "fillRule", "fill", "stroke", "strokeWidth"];
/** Hex colours, names, functions and references: nothing that could end the attribute. */
const COLOUR = /^[-#\w.,%()/ ]+$/;

/**
 * Writes curves as an SVG drawing: one path, a line of text for each contour, in mm.
 * The same curves always give the same text. Steps start from the point before as it was written, so they do not drift.
 * Curves that have `closed`, a byte for each contour, may be open where it is 0: those contours are strokes. Where they
 * have a `width` each, as `traceCenterline` gives it, and `strokeWidth` is left out, each is drawn as wide as it was, with
 * round ends, in a path of its own.
 *
 * @param curves                contours, mm, y down; read and not kept
 * @param options.width         mm, > 0
 * @param options.height        mm, > 0
 * @param options.precision     decimals, 0..6 (default 3)
 * @param options.tolerance     mm, 1e-6..0.5, instead of `precision`
 * @param options.fillRule      "evenodd" (default) or "nonzero"
 * @param options.fill          a CSS colour (default black, or "none" for curves with `closed`)
 * @param options.stroke        a CSS colour (default none, or "black" for curves with `closed`)
 * @param options.strokeWidth   mm, > 0 (default 1)
 * @throws INVALID_ARGUMENT  an option out of range or of another name, a coordinate that is not finite, or `closed` or
 *                           `width` of another length than `ends`
 * Cost: about 1 us a segment.
 * @example toSVG(await trace(image), { width: image.width / 10, height: image.height / 10, tolerance: 0.01 })
 */
export const toSVG = engineFunction(
  "toSVG",
  (curves: Curves & Pick<Strokes, "closed" | "width">, options: SVGOptions): string => {
    checkOptions(options, NAMES);
    const exactness = exactnessOf(options);
    const size = (["width", "height"] as const).map((name) => {
      const scale = 10 ** Math.max(exactness.decimals, 3); // of a micrometre at most
      return shortNumber(
        Math.round(checkNumber(name, options[name], { above: 0, max: 1e6 }) * scale) / scale,
      );
    });
    const style = styleOf(options, curves.closed !== undefined);
    checkStrokes(curves);
    return [
      `<svg xmlns="http://www.w3.org/2000/svg" width="${size[0]}mm" height="${size[1]}mm" viewBox="0 0 ${size.join(" ")}">`,
      ...(curves.width !== undefined && options.strokeWidth === undefined
        ? strokeLines(curves, curves.width, style, exactness)
        : pathLines(curves, style, exactness)),
      "</svg>",
      "",
    ].join("\n");
  },
);

/**
 * Writes the layers of a colour picture as an SVG drawing: a group for each, in painting order, with its colour.
 *
 * @param picture            layers of closed contours, mm, y down; read and not kept
 * @param options            as for `toSVG`
 * @throws INVALID_ARGUMENT  an option out of range, a colour that is not "#rrggbb", or a coordinate that is not finite
 * @example colorsToSVG(await traceColors(image), { width: image.width / 10, height: image.height / 10 })
 */
export const colorsToSVG = engineFunction(
  "colorsToSVG",
  ({ layers }: ColorLayers, options: SVGOptions): string => {
    // every layer is a drawing of its own in all but its colour
    const empty = { ends: new Uint32Array(), kinds: new Uint8Array(), xy: new Float32Array() };
    const frame = toSVG({ ...empty, depth: new Uint16Array() }, options).split("\n");
    const groups = layers.map(({ color, curves }, i) => {
      if (!/^#[0-9a-f]{6}$/i.test(color)) throw invalid(`layers[${i}].color`, 'a colour as "#rrggbb"', color);
      return `<g fill="${color}">\n${toSVG(curves, options).split("\n").slice(1, -2).join("\n")}\n</g>`;
    });
    return [frame[0], ...groups, ...frame.slice(-2)].join("\n");
  },
);

function pathLines(curves: Strokes, style: string, exactness: Exactness): string[] {
  const { length } = curves.ends;
  return [`<path ${style} d="`, ...(length > 0 ? [pathWriter(curves, exactness)(0, length)] : []), '"/>'];
}

/** A path for each stroke, as wide as it was. */
function strokeLines(curves: Strokes, width: Float32Array, style: string, exactness: Exactness): string[] {
  const write = pathWriter(curves, exactness);
  const scale = 10 ** exactness.decimals;
  const paths = Array.from(curves.ends, (_end, i) => {
    const d = write(i, i + 1);
    // a dot shows only as a line of no length
    const path = /[a-z]/.test(d.slice(1)) ? d : `${d}h0`;
    return `<path stroke-width="${shortNumber(Math.round(width[i]! * scale) / scale)}" d="${path}"/>`;
  });
  return [`<g ${style} stroke-linecap="round" stroke-linejoin="round">`, ...paths, "</g>"];
}

function exactnessOf({ precision, tolerance }: SVGOptions): Exactness {
  if (tolerance === undefined)
    return rounded(checkNumber("precision", precision ?? 3, { min: 0, max: 6, integer: true }));
  if (precision !== undefined)
    throw new KerfworkError(
      "INVALID_ARGUMENT",
      `Expected one of \`precision\` and \`tolerance\`, got both, ${describe(precision)} and ${describe(tolerance)}`,
    );
  return within(checkNumber("tolerance", tolerance, { min: 1e-6, max: 0.5 }));
}

/** The attributes that say how the path is drawn. */
function styleOf(options: SVGOptions, strokes: boolean): string {
  const { fillRule = "evenodd", fill = strokes ? "none" : undefined } = options;
  const { stroke = strokes ? "black" : undefined, strokeWidth } = options;
  const attributes = [`fill-rule="${checkOneOf("fillRule", fillRule, FILL_RULES)}"`];
  if (fill !== undefined) attributes.push(`fill="${checkColour("fill", fill)}"`);
  if (stroke !== undefined) attributes.push(`stroke="${checkColour("stroke", stroke)}"`);
  if (strokeWidth !== undefined)
    attributes.push(`stroke-width="${checkNumber("strokeWidth", strokeWidth, { above: 0 })}"`);
  return attributes.join(" ");
}

function checkColour(name: string, value: unknown): string {
  if (typeof value !== "string" || !COLOUR.test(value))
    throw invalid(name, 'a CSS colour, such as "#c00" or "none"', value);
  return value;
}

function checkStrokes({ ends, xy, closed, width }: Strokes): void {
  const bad = xy.findIndex((value) => !Number.isFinite(value));
  if (bad !== -1) throw invalid(`curves.xy[${bad}]`, "a finite number", xy[bad]);
  if (closed !== undefined && (!(closed instanceof Uint8Array) || closed.length !== ends.length))
    throw invalid("curves.closed", `a Uint8Array of ${ends.length} bytes`, closed);
  if (width !== undefined && (!(width instanceof Float32Array) || width.length !== ends.length))
    throw invalid("curves.width", `a Float32Array of ${ends.length} numbers`, width);
}
