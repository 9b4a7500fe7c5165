import {
  type DrawingOptions,
  KerfworkError,
  type LayersOptions,
  type StrokesOptions,
  type SVGOptions,
  type TraceOptions,
  type TracePreset,
  tracePresets,
} from "../index.ts";
import { type Flag, numberOf, type Request } from "./args.ts";

export const OUTPUT_FLAG: Flag = {
  name: "output",
  short: "o",
  value: "OUT",
  help: "where the result goes, - for standard output",
};

export const PORT_FLAG: Flag = {
  name: "port",
  short: "p",
  value: "PATH",
  help: "the serial port of the machine",
};
export const BAUD_FLAG: Flag = {
  name: "baud",
  value: "N",
  help: "bits a second of the port (default 115200)",
};
export const TIME_SCALE_FLAG: Flag = {
  name: "time-scale",
  value: "N",
  help: "how much faster than a real machine the simulated one is",
};

/** How a picture becomes outlines. */
export const TRACE_FLAGS: readonly Flag[] = [
  {
    name: "preset",
    value: "NAME",
    help: "begin from what suits a logo, sketch, photo, scan or dither; options given beside it win",
  },
  {
    name: "threshold",
    value: "LEVEL",
    help: "cut what is darker, 0..255, or in a range A..B; otsu finds it (default), adaptive goes with the light",
  },
  { name: "window", value: "PX", help: "side of the surroundings that adaptive looks at, odd (default 51)" },
  { name: "k", value: "K", help: "how much darker than them strokes are for adaptive, 0..1 (default 0.3)" },
  { name: "invert", help: "cut what is brighter instead" },
  { name: "source", value: "WHAT", help: "luma, alpha or auto: cut by colours or by opacity (default auto)" },
  { name: "levels", value: "A..B", help: "grays that become black and white (default 0..255)" },
  { name: "gamma", value: "G", help: "lighten the middle tones above 1, darken them below (default 1)" },
  { name: "denoise", help: "take out single wrong pixels first" },
  { name: "blur", value: "PX", help: "smooth first, by so many pixels (default 0)" },
  { name: "turn", value: "HOW", help: "white, black, majority or minority joins by corners (default white)" },
  {
    name: "subpixel",
    value: "WHEN",
    help: "auto, on or off: outlines between the pixels, by gray (default auto)",
  },
  { name: "mode", value: "MODE", help: "curves, polygons or pixels (default curves)" },
  { name: "tolerance", value: "MM", help: "how far outlines may be from the pixels (default half a pixel)" },
  { name: "dpi", value: "N", help: "pixels an inch, which sets the size (default 254: 0.1 mm a pixel)" },
  { name: "despeckle", value: "PX", help: "drop specks of fewer pixels (default 2)" },
];

/** What is drawn instead of outlines, and how it becomes text. */
export const DRAWING_FLAGS: readonly Flag[] = [
  { name: "centerline", help: "draw the middle line of each stroke, as wide as it was" },
  { name: "spurs", value: "F", help: "for centerline: drop branches of so many stroke widths (default 1)" },
  { name: "colors", value: "N", help: "draw in N flat colours, 2..64" },
  { name: "palette", value: "LIST", help: "draw in these colours, such as #112233,#ffffff" },
  { name: "layers", value: "HOW", help: "colours stacked over one another, or cutout (default stacked)" },
  { name: "svg-tolerance", value: "MM", help: "how far written numbers may be off (default 0.0005)" },
  { name: "fill-rule", value: "RULE", help: "evenodd or nonzero (default evenodd)" },
];

export type Values = Request["values"];

export function drawingOptions(
  values: Values,
  signal: AbortSignal,
): DrawingOptions & { signal: AbortSignal } {
  return {
    key: "trace",
    signal,
    trace: { ...presetOf(values), ...traceOptions(values) },
  };
}

/** Any other word is left to what checks the option. */
function subpixelOf(values: Values): TraceOptions["subpixel"] {
  const when = values.get("subpixel");
  return when === "on" ? true : when === "off" ? false : (when as "auto" | undefined);
}

function traceOptions(values: Values): TraceOptions {
  const window = numberOf(values, "window");
  const k = numberOf(values, "k");
  const levels = rangeOf(values, "levels");
  return given({
    threshold: thresholdOf(values),
    adaptive: window === undefined && k === undefined ? undefined : given({ windowPx: window, k }),
    invert: values.has("invert") || undefined,
    source: values.get("source") as "auto" | undefined,
    levels: levels && { black: levels.from, white: levels.to },
    gamma: numberOf(values, "gamma"),
    denoise: values.has("denoise") || undefined,
    blurPx: numberOf(values, "blur"),
    turn: values.get("turn") as "white" | undefined,
    subpixel: subpixelOf(values),
    mode: values.get("mode") as "curves" | undefined,
    tolerance: numberOf(values, "tolerance"),
    dpi: numberOf(values, "dpi"),
    despecklePx: numberOf(values, "despeckle"),
  });
}

function presetOf(values: Values): TraceOptions {
  const name = values.get("preset");
  if (name === undefined) return {};
  if (Object.hasOwn(tracePresets, name)) return tracePresets[name as TracePreset];
  throw new KerfworkError(
    "INVALID_ARGUMENT",
    `Expected \`--preset\` to be one of ${Object.keys(tracePresets).join(", ")}, got ${JSON.stringify(name)}`,
  );
}

/** Options that go with every kind of drawing, and with colours. */
const FOR_COLORS = ["colors", "palette", "layers"];
const WITH_COLORS = ["mode", "tolerance", "dpi", "despeckle"];
const FOR_STROKES = ["centerline", "spurs"];
const NOT_FOR_STROKES = ["mode", "turn", "despeckle", "subpixel"];

/** What the command line asks for. */
export type Wish =
  | { readonly kind: "outlines"; readonly options: DrawingOptions }
  | { readonly kind: "strokes"; readonly options: StrokesOptions }
  | { readonly kind: "layers"; readonly options: LayersOptions };

/** @throws INVALID_ARGUMENT  options that have no meaning together */
export function wishOf(values: Values, signal: AbortSignal): Wish {
  const base = { key: "trace", signal };
  const names = [...values.keys()];
  const strokes = FOR_STROKES.some((name) => values.has(name));
  const layers = FOR_COLORS.some((name) => values.has(name));
  const tracing = TRACE_FLAGS.map(({ name }) => name);
  const clash = strokes
    ? names.find((name) => FOR_COLORS.includes(name) || NOT_FOR_STROKES.includes(name))
    : layers && names.find((name) => tracing.includes(name) && !WITH_COLORS.includes(name));
  if (clash)
    throw new KerfworkError(
      "INVALID_ARGUMENT",
      `Expected --${clash} not beside --${names.find((name) => (strokes ? FOR_STROKES : FOR_COLORS).includes(name))}`,
    );
  if (strokes) {
    const { mode, turn, despecklePx, ...tone } = { ...presetOf(values), ...traceOptions(values) };
    return {
      kind: "strokes",
      options: { ...base, centerline: { ...tone, ...given({ spurs: numberOf(values, "spurs") }) } },
    };
  }
  if (layers)
    return {
      kind: "layers",
      options: {
        ...base,
        colors: given({
          colors: numberOf(values, "colors"),
          palette: values.get("palette")?.split(","),
          layers: values.get("layers") as "stacked" | undefined,
          mode: values.get("mode") as "curves" | undefined,
          tolerance: numberOf(values, "tolerance"),
          dpi: numberOf(values, "dpi"),
          despecklePx: numberOf(values, "despeckle"),
        }),
      },
    };
  return { kind: "outlines", options: drawingOptions(values, signal) };
}

export function svgOptions(values: Values): Pick<SVGOptions, "tolerance" | "fillRule"> {
  return given({
    tolerance: numberOf(values, "svg-tolerance"),
    fillRule: values.get("fill-rule") as "evenodd" | undefined,
  });
}

function thresholdOf(values: Values): TraceOptions["threshold"] {
  const text = values.get("threshold");
  if (text === "otsu" || text === "adaptive") return text;
  if (text !== undefined && /^\s*\d+\s*\.\.\s*\d+\s*$/.test(text)) return rangeOf(values, "threshold");
  if (text !== undefined && Number.isNaN(Number(text)))
    throw new KerfworkError(
      "INVALID_ARGUMENT",
      `Expected \`--threshold\` to be a number, A..B, otsu or adaptive, got ${JSON.stringify(text)}`,
    );
  return numberOf(values, "threshold");
}

function rangeOf(values: Values, name: string): { from: number; to: number } | undefined {
  const text = values.get(name);
  if (text === undefined) return undefined;
  const [, from, to] = /^\s*(\d+)\s*\.\.\s*(\d+)\s*$/.exec(text) ?? [];
  if (from === undefined)
    throw new KerfworkError(
      "INVALID_ARGUMENT",
      `Expected \`--${name}\` to be two numbers as A..B, got ${JSON.stringify(text)}`,
    );
  return { from: Number(from), to: Number(to) };
}

/** The options that were given, so that the library's defaults hold for the rest. */
export function given<T extends object>(options: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as never;
}
