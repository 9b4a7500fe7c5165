import { numbersOf, unitsOf } from "./length.ts";
import type { XMLElement } from "./xml.ts";

/** Size of the nearest viewport in user units, which percentages refer to. */
export interface Viewport {
  readonly width: number;
  readonly height: number;
}

type Drawer = (attributes: ReadonlyMap<string, string>, viewport: Viewport) => string;

/** Path data of each basic shape, as SVG 2 defines it; "" for one that draws nothing. */
const SHAPES: Readonly<Record<string, Drawer>> = {
  path: (attributes) => attributes.get("d") ?? "",

  line(attributes, { width, height }) {
    const at = (name: string, whole: number): number => unitsOf(attributes.get(name), whole);
    return `M${at("x1", width)} ${at("y1", height)}L${at("x2", width)} ${at("y2", height)}`;
  },

  polyline: (attributes) => polyline(attributes.get("points"), ""),
  polygon: (attributes) => polyline(attributes.get("points"), "Z"),

  circle(attributes, viewport) {
    const r = unitsOf(attributes.get("r"), diagonal(viewport));
    return ellipse(attributes, viewport, r, r);
  },

  ellipse(attributes, viewport) {
    const rx = unitsOf(attributes.get("rx"), viewport.width, Number.NaN);
    const ry = unitsOf(attributes.get("ry"), viewport.height, Number.NaN);
    // one that is left out is as the other
    return ellipse(attributes, viewport, rx >= 0 ? rx : ry, ry >= 0 ? ry : rx);
  },

  rect(attributes, { width, height }) {
    const x = unitsOf(attributes.get("x"), width);
    const y = unitsOf(attributes.get("y"), height);
    const w = unitsOf(attributes.get("width"), width);
    const h = unitsOf(attributes.get("height"), height);
    if (!(w > 0 && h > 0)) return "";
    const askedX = unitsOf(attributes.get("rx"), width, Number.NaN);
    const askedY = unitsOf(attributes.get("ry"), height, Number.NaN);
    const rx = Math.min((askedX >= 0 ? askedX : askedY) || 0, w / 2);
    const ry = Math.min((askedY >= 0 ? askedY : askedX) || 0, h / 2);
    if (!(rx > 0 && ry > 0)) return `M${x} ${y}h${w}v${h}h${-w}Z`;
    const corner = (dx: number, dy: number): string => `a${rx} ${ry} 0 0 1 ${dx} ${dy}`;
    const across = (length: number): string => (length === 0 ? "" : `h${length}`);
    const down = (length: number): string => (length === 0 ? "" : `v${length}`);
    const [flatX, flatY] = [w - 2 * rx, h - 2 * ry];
    return `M${x + rx} ${y}${across(flatX)}${corner(rx, ry)}${down(flatY)}${corner(-rx, ry)}${across(-flatX)}${corner(-rx, -ry)}${down(-flatY)}${corner(rx, -ry)}Z`;
  },
};

/** Path data of an element; undefined when it is no shape. */
export function pathDataOf(element: XMLElement, viewport: Viewport): string | undefined {
  return Object.hasOwn(SHAPES, element.name)
    ? SHAPES[element.name]?.(element.attributes, viewport)
    : undefined;
}

function ellipse(
  attributes: ReadonlyMap<string, string>,
  { width, height }: Viewport,
  rx: number,
  ry: number,
) {
  if (!(rx > 0 && ry > 0)) return "";
  const cx = unitsOf(attributes.get("cx"), width);
  const cy = unitsOf(attributes.get("cy"), height);
  return `M${cx + rx} ${cy}A${rx} ${ry} 0 0 1 ${cx - rx} ${cy}A${rx} ${ry} 0 0 1 ${cx + rx} ${cy}Z`;
}

function polyline(points: string | undefined, end: string): string {
  const numbers = numbersOf(points ?? "");
  const pairs = numbers.length >> 1;
  return pairs === 0 ? "" : `M${numbers.slice(0, 2 * pairs).join(" ")}${end}`;
}

/** What a percentage of a radius refers to. */
function diagonal({ width, height }: Viewport): number {
  return Math.hypot(width, height) / Math.SQRT2;
}
