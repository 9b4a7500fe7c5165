import { checkJobOptions, type DrawingOptions, type JobOptions, KerfworkError } from "../index.ts";
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
    name: "threshold",
    value: "LEVEL",
    help: "cut what is darker, 0..255, or otsu to find it (default otsu)",
  },
  { name: "invert", help: "cut what is brighter instead" },
  { name: "mode", value: "MODE", help: "curves, polygons or pixels (default curves)" },
  { name: "tolerance", value: "MM", help: "how far outlines may be from the pixels (default half a pixel)" },
  { name: "dpi", value: "N", help: "pixels an inch, which sets the size (default 254: 0.1 mm a pixel)" },
  { name: "despeckle", value: "PX", help: "drop specks of fewer pixels (default 2)" },
];

/** How outlines become a program. */
export const PLAN_FLAGS: readonly Flag[] = [
  { name: "power", value: "P", help: "laser power, 0..1 (default 1)" },
  { name: "speed", value: "MM/MIN", help: "speed of cuts (default 1000)" },
  { name: "travel-speed", value: "MM/MIN", help: "speed between cuts, for the time estimate (default 6000)" },
  { name: "laser-mode", value: "MODE", help: "M4, power follows speed, or M3, constant power (default M4)" },
  { name: "max-power", value: "S", help: "the controller's S value of full power (default 1000)" },
  { name: "stay", help: "stay at the last cut instead of going back to X0 Y0" },
];

type Values = Request["values"];

export function drawingOptions(
  values: Values,
  signal: AbortSignal,
): DrawingOptions & { signal: AbortSignal } {
  return {
    key: "trace",
    signal,
    trace: given({
      threshold: thresholdOf(values),
      invert: values.has("invert") || undefined,
      mode: values.get("mode") as "curves" | undefined,
      tolerance: numberOf(values, "tolerance"),
      dpi: numberOf(values, "dpi"),
      despecklePx: numberOf(values, "despeckle"),
    }),
  };
}

/** Checked as a whole: nothing has been read or opened yet. */
export function jobOptions(values: Values, signal: AbortSignal): JobOptions {
  const options: JobOptions = {
    ...drawingOptions(values, signal),
    key: "plan",
    ops: given({
      power: numberOf(values, "power"),
      speed: numberOf(values, "speed"),
      travelSpeed: numberOf(values, "travel-speed"),
    }),
    encode: given({
      laserMode: values.get("laser-mode") as "M4" | undefined,
      maxPower: numberOf(values, "max-power"),
      returnHome: values.has("stay") ? false : undefined,
    }),
  };
  checkJobOptions(options);
  return options;
}

function thresholdOf(values: Values): number | "otsu" | undefined {
  const text = values.get("threshold");
  if (text === "otsu") return text;
  if (text !== undefined && Number.isNaN(Number(text)))
    throw new KerfworkError(
      "INVALID_ARGUMENT",
      `Expected \`--threshold\` to be a number or otsu, got ${JSON.stringify(text)}`,
    );
  return numberOf(values, "threshold");
}

/** The options that were given, so that the library's defaults hold for the rest. */
export function given<T extends object>(options: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as never;
}
