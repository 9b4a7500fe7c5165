import type { Curves } from "../engine/trace.ts";
import { checkNumber, checkOptions, invalid, KerfworkError } from "../errors.ts";
import { engineFunction } from "../tasker/target.ts";
import { lengthOf, numbersOf, unitsOf } from "./length.ts";
import { compose, type Matrix, transformOf, viewBoxMatrix } from "./matrix.ts";
import { CurvePen } from "./pen.ts";
import { pathDataOf, type Viewport } from "./shapes.ts";
import { DEFAULT_PAINT, type Paint, StyleSheet } from "./style.ts";
import { parseXML, type XMLElement } from "./xml.ts";

export interface ReadSVGOptions {
  /** Pixels an inch of documents that do not say how large they are, > 0 (default 96, as CSS has it). */
  readonly dpi?: number;
}

/** What is painted in one way. */
export interface SVGLayer {
  /** A CSS colour, or "none". */
  readonly fill: string;
  readonly stroke: string;
  readonly fillRule: "evenodd" | "nonzero";
  /** Lines, cubics and circular arcs, mm, y down; `closed` is 1 for each contour that ends where it begins. `depth` is all 0. */
  readonly curves: Curves & { readonly closed: Uint8Array };
}

/** A drawing, in mm. */
export interface SVGDrawing {
  readonly width: number;
  readonly height: number;
  /** In the order in which they first appear. */
  readonly layers: readonly SVGLayer[];
  /** What was made of units, view box and transforms, and what was left out: a sentence each. */
  readonly notes: readonly string[];
}

const MM_PER_PX = 25.4 / 96;
/** Elements drawn at most, those that are drawn again by `use` included. */
const MOST = 1_000_000;
/** `use` within `use`, at most. */
const DEEPEST = 32;
/** What is drawn only where something refers to it, or never. */
const ASIDE = new Set(
  "defs symbol clipPath mask marker pattern linearGradient radialGradient filter metadata title desc style script font".split(
    " ",
  ),
);
/** What a laser program cannot take over, and what to do about it. */
const LOST: Readonly<Record<string, string>> = {
  text: "convert text to paths",
  image: "trace pictures by themselves",
  foreignObject: "it holds no shapes",
};

/** An element that is still to be drawn, and where. */
interface Place {
  readonly element: XMLElement;
  readonly matrix: Matrix;
  readonly paint: Paint;
  readonly viewport: Viewport;
  /** `use` elements around it. */
  readonly uses: number;
}

/**
 * Reads an SVG drawing: paths and basic shapes with their transforms, `use`, nested viewports and style sheets of simple
 * selectors. Circles and circular arcs stay arcs. Shapes without fill and stroke are left out, as they are not seen.
 * Contours that are filled and not stroked are closed, as a fill closes them.
 *
 * @param source       the document: text, or a file's bytes in UTF-8 or UTF-16
 * @param options.dpi  pixels an inch where the document has no size in mm, in, ... (default 96)
 * @throws BROKEN_DRAWING    not well-formed, no SVG, coordinates beyond 1e6 mm, or `use` of itself
 * @throws INVALID_ARGUMENT  another type, an option out of its contract
 * Cost: about 4 us a segment.
 * @example const { layers, notes } = readSVG(await readFile("badge.svg"));
 */
export const readSVG = engineFunction(
  "readSVG",
  (source: string | Uint8Array, options: ReadSVGOptions = {}): SVGDrawing => {
    checkOptions(options, ["dpi"]);
    const dpi = checkNumber("dpi", options.dpi ?? 96, { above: 0, max: 1e6 });
    if (typeof source !== "string" && !(source instanceof Uint8Array))
      throw invalid("source", "a string or a Uint8Array", source);
    const root = parseXML(typeof source === "string" ? source : textOf(source));
    if (root.name !== "svg") throw broken(`an svg element, got ${root.name}`);
    return new Reader(root).read(dpi);
  },
);

/** True for what is a drawing and no picture, by how it begins. */
export function isSVG(bytes: Uint8Array): boolean {
  return /^\uFEFF?\s*<(\?xml|!--|!DOCTYPE svg|([\w.-]+:)?svg)[\s>?]?/i.test(textOf(bytes.subarray(0, 512)));
}

class Reader {
  readonly #root: XMLElement;
  readonly #sheet = new StyleSheet();
  readonly #byId = new Map<string, XMLElement>();
  readonly #layers = new Map<string, { paint: Paint; pen: CurvePen }>();
  /** What was left out or mended, and how often. */
  readonly #counts = new Map<string, number>();
  #drawn = 0;

  constructor(root: XMLElement) {
    this.#root = root;
    for (const rest = [root]; rest.length > 0; ) {
      const element = rest.pop() as XMLElement;
      const id = element.attributes.get("id");
      if (id !== undefined && !this.#byId.has(id)) this.#byId.set(id, element);
      if (element.name === "style") this.#sheet.add(element.text);
      for (let i = element.children.length - 1; i >= 0; i--) rest.push(element.children[i] as XMLElement);
    }
  }

  read(dpi: number): SVGDrawing {
    const { size, matrix, viewport, how } = sizeOf(this.#root, dpi);
    const stack: Place[] = [];
    const paint = this.#sheet.paint(this.#root, DEFAULT_PAINT);
    if (paint !== undefined) this.#pushAll(stack, { element: this.#root, matrix, paint, viewport, uses: 0 });
    for (let place = stack.pop(); place !== undefined; place = stack.pop()) this.#visit(place, stack);
    for (const selector of this.#sheet.unknown)
      this.#count(`style of ${JSON.stringify(selector)} not understood`);
    const layers = [...this.#layers.values()]
      .filter(({ pen }) => pen.contours > 0)
      .map(({ paint: { fill, stroke, fillRule }, pen }) => ({
        fill,
        stroke,
        fillRule,
        curves: pen.curves(),
      }));
    for (const { curves } of layers)
      if (curves.xy.some((value) => !(Math.abs(value) <= 1e6)))
        throw broken("coordinates within 1000000 mm, got one beyond");
    const notes = [
      ...how,
      ...[...this.#counts].map(([what, times]) => (times === 1 ? what : `${what} (${times} times)`)),
    ];
    return { ...size, layers, notes };
  }

  #count(what: string): void {
    this.#counts.set(what, (this.#counts.get(what) ?? 0) + 1);
  }

  /** The first child is drawn first, so it lies on top of the stack. */
  #pushAll(stack: Place[], place: Place): void {
    const { children } = place.element;
    for (let i = children.length - 1; i >= 0; i--)
      stack.push({ ...place, element: children[i] as XMLElement });
  }

  #visit(place: Place, stack: Place[]): void {
    const { element, viewport, uses } = place;
    const { name, attributes } = element;
    if (ASIDE.has(name)) return;
    if (++this.#drawn > MOST) throw broken(`at most ${MOST} elements, got more`);
    const paint = this.#sheet.paint(element, place.paint);
    if (paint === undefined) {
      this.#count("what is not displayed left out");
      return;
    }
    for (const cut of ["clip-path", "mask"])
      if (attributes.has(cut) && attributes.get(cut) !== "none") this.#count(`a ${cut} not applied`);
    const matrix = this.#transformed(place.matrix, attributes.get("transform"));
    const here: Place = { element, matrix, paint, viewport, uses };
    if (Object.hasOwn(LOST, name)) this.#count(`${name} left out: ${LOST[name]}`);
    else if (name === "use") this.#use(here, stack);
    else if (name === "svg") this.#enter(here, stack, viewport);
    else {
      const data = pathDataOf(element, viewport);
      if (data === undefined) this.#pushAll(stack, here);
      else this.#shape(here, data);
    }
  }

  #transformed(outer: Matrix, text: string | undefined): Matrix {
    if (text === undefined || text.trim() === "" || text.trim() === "none") return outer;
    const own = transformOf(text);
    if (own === undefined) {
      this.#count(`transform ${JSON.stringify(text.slice(0, 60))} not understood`);
      return outer;
    }
    return compose(outer, own);
  }

  #shape({ element, matrix, paint }: Place, data: string): void {
    const { fill, stroke, fillRule, visible } = paint;
    if (!visible || (fill === "none" && stroke === "none")) {
      this.#count("a shape without fill and stroke left out");
      return;
    }
    const key = `${fill} ${stroke} ${fillRule}`;
    const layer = this.#layers.get(key) ?? { paint, pen: new CurvePen() };
    this.#layers.set(key, layer);
    const mistake = layer.pen.draw(data, matrix, stroke === "none");
    const id = element.attributes.get("id");
    if (mistake)
      this.#count(`${element.name}${id ? ` ${JSON.stringify(id)}` : ""} drawn up to a mistake: ${mistake}`);
  }

  #use(place: Place, stack: Place[]): void {
    const { attributes } = place.element;
    const { width, height } = place.viewport;
    const href = attributes.get("href") ?? "";
    const target = href.startsWith("#") ? this.#byId.get(href.slice(1)) : undefined;
    if (target === undefined) {
      this.#count(`use of ${JSON.stringify(href)}, which is not there, left out`);
      return;
    }
    if (place.uses >= DEEPEST)
      throw broken(`\`use\` at most ${DEEPEST} deep, got ${JSON.stringify(href)} deeper`);
    const x = unitsOf(attributes.get("x"), width);
    const y = unitsOf(attributes.get("y"), height);
    const matrix = compose(place.matrix, [1, 0, 0, 1, x, y]);
    const inner = { ...place, element: target, matrix, uses: place.uses + 1 };
    if (target.name !== "symbol" && target.name !== "svg") {
      stack.push(inner);
      return;
    }
    const paint = this.#sheet.paint(target, place.paint);
    if (paint === undefined) return;
    const size = (name: "width" | "height"): number =>
      unitsOf(
        attributes.get(name),
        place.viewport[name],
        unitsOf(target.attributes.get(name), place.viewport[name], place.viewport[name]),
      );
    this.#enter({ ...inner, paint }, stack, { width: size("width"), height: size("height") });
  }

  /** Draws the content of a nested viewport of that size. */
  #enter(place: Place, stack: Place[], size: Viewport): void {
    const { attributes } = place.element;
    const nested = place.element.name === "svg";
    const x = nested ? unitsOf(attributes.get("x"), place.viewport.width) : 0;
    const y = nested ? unitsOf(attributes.get("y"), place.viewport.height) : 0;
    const width = nested ? unitsOf(attributes.get("width"), place.viewport.width, size.width) : size.width;
    const height = nested
      ? unitsOf(attributes.get("height"), place.viewport.height, size.height)
      : size.height;
    const box = boxOf(attributes.get("viewBox"));
    const fit = attributes.get("preserveAspectRatio") ?? "";
    const inner: Matrix =
      box === undefined ? [1, 0, 0, 1, x, y] : viewBoxMatrix(box, fit, { x, y, width, height });
    const viewport = box === undefined ? { width, height } : { width: box[2], height: box[3] };
    this.#pushAll(stack, { ...place, matrix: compose(place.matrix, inner), viewport });
  }
}

type Box = readonly [minX: number, minY: number, width: number, height: number];

function boxOf(text: string | undefined): Box | undefined {
  const numbers = numbersOf(text ?? "");
  const [, , width, height] = numbers;
  return numbers.length === 4 && (width as number) > 0 && (height as number) > 0
    ? (numbers as unknown as Box)
    : undefined;
}

/** Size of a document, the way from its user units to mm, and that way in words. */
function sizeOf({ attributes }: XMLElement, dpi: number) {
  const box = boxOf(attributes.get("viewBox"));
  const sides = (["width", "height"] as const).map((name, i) => {
    const length = lengthOf(attributes.get(name));
    const stated = length !== undefined && length.unit !== "%" && length.value > 0;
    const inner = box?.[2 + i] ?? [300, 150][i];
    const real = stated && !["", "px", "em", "ex", "rem"].includes(length.unit);
    const px = stated ? length.value : (inner as number);
    // 10mm is 10 again
    const mm = Math.round((real ? px * MM_PER_PX : (px * 25.4) / dpi) * 1e9) / 1e9;
    return { mm, px, stated, real };
  });
  const [across, down] = sides as [(typeof sides)[0], (typeof sides)[0]];
  // of one side that is stated, the other follows by the view box
  if (box !== undefined && across.stated !== down.stated) {
    const [known, unknown, ratio] = across.stated
      ? [across, down, box[3] / box[2]]
      : [down, across, box[2] / box[3]];
    unknown.mm = known.mm * ratio;
    unknown.px = known.px * ratio;
    unknown.real = known.real;
  }
  const [width, height] = [across.mm, down.mm];
  const whole = { x: 0, y: 0, width, height };
  const fit = attributes.get("preserveAspectRatio") ?? "";
  const plain: Box = [0, 0, across.px, down.px];
  const matrix = viewBoxMatrix(box ?? plain, fit, whole);
  const viewport = { width: box?.[2] ?? across.px, height: box?.[3] ?? down.px };
  const how = [`the page is ${round(width)} x ${round(height)} mm`];
  if (box !== undefined) how.push(`a unit of its view box is ${round(matrix[0])} mm`);
  if (!across.real && !down.real) how.push(`its size is in pixels, taken as ${dpi} an inch`);
  return { size: { width, height }, matrix, viewport, how };
}

/** To five digits. */
function round(value: number): number {
  return Number(value.toPrecision(5));
}

function textOf(bytes: Uint8Array): string {
  const [first, second] = bytes;
  if (first === 0xff && second === 0xfe) return new TextDecoder("utf-16le").decode(bytes);
  if (first === 0xfe && second === 0xff) return new TextDecoder("utf-16be").decode(bytes);
  return new TextDecoder().decode(bytes);
}

function broken(contract: string): KerfworkError {
  return new KerfworkError("BROKEN_DRAWING", `Expected ${contract}`);
}
