import type { ColorLayers } from "../engine/colors.ts";
import type { Curves } from "../engine/trace.ts";
import { checkNumber, checkOptions, invalid } from "../errors.ts";
import { engineFunction } from "../tasker/target.ts";

export interface SVGOptions {
  /** Size of the drawing, mm, > 0. */
  readonly width: number;
  readonly height: number;
  /** Decimals of a coordinate, an integer 0..6 (default 3: micrometres). */
  readonly precision?: number;
}

/**
 * Writes curves as an SVG drawing: one even-odd path, a line of text for each contour, in mm.
 * The same curves always give the same text. Coordinates are rounded once, from the absolute ones, so relative steps
 * do not drift.
 *
 * @param curves             closed contours, mm, y down; read and not kept
 * @param options.width      mm, > 0
 * @param options.height     mm, > 0
 * @param options.precision  decimals, 0..6 (default 3)
 * @throws INVALID_ARGUMENT  an option out of range, or a coordinate that is not finite
 * @example toSVG(await trace(image), { width: image.width / 10, height: image.height / 10 })
 */
export const toSVG = engineFunction("toSVG", (curves: Curves, options: SVGOptions): string => {
  checkOptions(options, ["width", "height", "precision"]);
  const precision = checkNumber("precision", options.precision ?? 3, { min: 0, max: 6, integer: true });
  const scale = 10 ** precision;
  const size = (["width", "height"] as const).map((name) =>
    shortNumber(Math.round(checkNumber(name, options[name], { above: 0, max: 1e6 }) * scale), precision),
  );
  const bad = curves.xy.findIndex((value) => !Number.isFinite(value));
  if (bad !== -1) throw invalid(`curves.xy[${bad}]`, "a finite number", curves.xy[bad]);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${size[0]}mm" height="${size[1]}mm" viewBox="0 0 ${size.join(" ")}">`,
    '<path fill-rule="evenodd" d="',
    ...pathLines(curves, precision),
    '"/>',
    "</svg>",
    "",
  ].join("\n");
});

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

/** One line of path data for each contour. */
function pathLines({ ends, kinds, xy }: Curves, precision: number): string[] {
  const scale = 10 ** precision;
  const lines: string[] = [];
  let segment = 0;
  let at = 0; // in xy
  // where the pen is, in units of the last decimal
  let penX = 0;
  let penY = 0;
  for (const end of ends) {
    const next = (): [number, number] => [Math.round(xy[at++] * scale), Math.round(xy[at++] * scale)];
    const [startX, startY] = next();
    let line = `m${step(startX - penX, startY - penY, precision)}`;
    let command = "";
    [penX, penY] = [startX, startY];
    for (; segment < end; segment++) {
      let text: string;
      let name: string;
      if (kinds[segment] === 1) {
        const [x1, y1] = next();
        const [x2, y2] = next();
        const [x, y] = next();
        name = "c";
        text = [
          step(x1 - penX, y1 - penY, precision),
          step(x2 - penX, y2 - penY, precision),
          step(x - penX, y - penY, precision),
        ].reduce(join);
        [penX, penY] = [x, y];
      } else {
        const [x, y] = next();
        // the line back to the start is what "z" draws
        if (segment === end - 1 && x === startX && y === startY) break;
        name = y === penY ? "h" : x === penX ? "v" : "l";
        text =
          name === "l"
            ? step(x - penX, y - penY, precision)
            : shortNumber(name === "h" ? x - penX : y - penY, precision);
        [penX, penY] = [x, y];
      }
      line = name === command ? join(line, text) : line + name + text;
      command = name;
    }
    segment = end;
    lines.push(`${line}z`);
    // "z" takes the pen back to the start
    [penX, penY] = [startX, startY];
  }
  return lines;
}

function step(dx: number, dy: number, precision: number): string {
  return join(shortNumber(dx, precision), shortNumber(dy, precision));
}

/** Numbers side by side: a minus sign is separator enough. */
function join(left: string, right: string): string {
  return right.startsWith("-") ? left + right : `${left} ${right}`;
}

/** An integer of 10^-decimals units, without trailing zeros and without a zero before the point. */
function shortNumber(units: number, decimals: number): string {
  if (units === 0) return "0";
  const sign = units < 0 ? "-" : "";
  const digits = String(Math.abs(units)).padStart(decimals + 1, "0");
  const whole = digits.slice(0, digits.length - decimals);
  const fraction = digits.slice(digits.length - decimals).replace(/0+$/, "");
  return `${sign}${whole === "0" && fraction ? "" : whole}${fraction ? `.${fraction}` : ""}`;
}
