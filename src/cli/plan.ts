import { checkJobOptions, type JobOptions, KerfworkError, type MachineProfile } from "../index.ts";
import { type Flag, numberOf } from "./args.ts";
import { drawingOptions, given, type Values } from "./flags.ts";

/** How outlines become a program. */
export const PLAN_FLAGS: readonly Flag[] = [
  { name: "cut", help: "cut along the outlines: done anyway, unless there is --hatch" },
  { name: "power", value: "P", help: "laser power, 0..1 (default 1)" },
  { name: "speed", value: "MM/MIN", help: "speed of cuts (default 1000)" },
  { name: "travel-speed", value: "MM/MIN", help: "speed between cuts, for the time (default 6000)" },
  {
    name: "kerf",
    value: "MM",
    help: "width of the beam: cuts run half of it beside outlines, so that parts keep their size",
  },
  { name: "hatch", value: "MM", help: "fill with lines so far apart, before anything is cut" },
  { name: "hatch-angle", value: "DEG", help: "direction of the lines (default 0)" },
  { name: "cross-hatch", help: "fill a second time, across" },
  { name: "hatch-power", value: "P", help: "power of the lines (default: that of cuts)" },
  { name: "hatch-speed", value: "MM/MIN", help: "speed of the lines (default: that of cuts)" },
  { name: "inset", value: "MM", help: "room between the lines and the outlines (default 0)" },
  { name: "overscan", help: "run up to the lines and out of them in the dark, by the acceleration" },
  { name: "tabs", value: "N", help: "bridges that hold each part" },
  { name: "tab-width", value: "MM", help: "their width (default 1)" },
  { name: "lead-in", value: "MM", help: "begin cuts so far beside the part" },
  { name: "overcut", value: "MM", help: "run on past the start of a cut" },
  { name: "perforate", value: "CUT,GAP", help: "dashes and gaps instead of cuts, mm" },
  { name: "passes", value: "N", help: "cut so many times (default 1)" },
  { name: "z-step", value: "MM", help: "raise the head with each pass; below 0: lower it" },
  { name: "order", value: "HOW", help: "travel, the shortest way (default), or given, as it was drawn" },
  { name: "order-ms", value: "MS", help: "look for a shorter way for so long" },
  { name: "arcs", value: "MM", help: "write G2 and G3 where arcs are so near" },
  { name: "estimate", help: "tell the time with ramps and corners, as GRBL plans them" },
  {
    name: "acceleration",
    value: "MM/S2",
    help: "of the machine, for --estimate and --overscan (default 200)",
  },
  { name: "max-rate", value: "MM/MIN", help: "of the machine, for --estimate (default 3000)" },
  { name: "laser-mode", value: "MODE", help: "M4, power follows speed, or M3, constant power (default M4)" },
  { name: "max-power", value: "S", help: "the controller's S value of full power (default 1000)" },
  { name: "stay", help: "stay at the last cut instead of going back to X0 Y0" },
];

/** Options that mean nothing without another. */
const NEEDS: Readonly<Record<string, readonly string[]>> = {
  "hatch-angle": ["hatch"],
  "cross-hatch": ["hatch"],
  "hatch-power": ["hatch"],
  "hatch-speed": ["hatch"],
  inset: ["hatch"],
  overscan: ["hatch"],
  "tab-width": ["tabs"],
  "z-step": ["passes"],
  acceleration: ["estimate", "overscan"],
  "max-rate": ["estimate"],
};

/**
 * Checked as a whole: nothing has been read or opened yet.
 * @throws INVALID_ARGUMENT
 */
export function jobOptions(values: Values, signal: AbortSignal): JobOptions {
  for (const [name, others] of Object.entries(NEEDS))
    if (values.has(name) && !others.some((other) => values.has(other)))
      throw wrong(`--${name} beside --${others.join(" or --")} only`);
  const options: JobOptions = {
    ...drawingOptions(values, signal),
    key: "plan",
    ...given({
      svg: given({ dpi: numberOf(values, "dpi") }),
      cut: values.has("cut") || undefined,
      kerf: numberOf(values, "kerf"),
      hatch: hatchOf(values),
      order: orderOf(values),
      arcs: values.has("arcs") ? given({ tolerance: numberOf(values, "arcs") }) : undefined,
      ...cutsOf(values),
      estimate: values.has("estimate") ? machineOf(values) : undefined,
    }),
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

function hatchOf(values: Values): JobOptions["hatch"] {
  const spacing = numberOf(values, "hatch");
  if (spacing === undefined) return undefined;
  return {
    spacing,
    ...given({
      angleDeg: numberOf(values, "hatch-angle"),
      crossHatch: values.has("cross-hatch") || undefined,
      power: numberOf(values, "hatch-power"),
      speed: numberOf(values, "hatch-speed"),
      inset: numberOf(values, "inset"),
      overscan: values.has("overscan")
        ? given({ acceleration: numberOf(values, "acceleration") })
        : undefined,
    }),
  };
}

/** What is done to the moves of cuts. */
function cutsOf(values: Values): Pick<JobOptions, "tabs" | "leads" | "overcut" | "perforate" | "passes"> {
  const tabs = numberOf(values, "tabs");
  const lead = numberOf(values, "lead-in");
  const overcut = numberOf(values, "overcut");
  const count = numberOf(values, "passes");
  const zStep = numberOf(values, "z-step");
  return given({
    tabs: tabs === undefined ? undefined : { count: tabs, width: numberOf(values, "tab-width") ?? 1 },
    leads: lead === undefined ? undefined : { in: { length: lead }, ...given({ overcut }) },
    overcut: overcut === undefined || lead !== undefined ? undefined : { length: overcut },
    perforate: dashesOf(values),
    passes: count === undefined ? undefined : { count, ...given({ zStep }) },
  });
}

function dashesOf(values: Values): JobOptions["perforate"] {
  const text = values.get("perforate");
  if (text === undefined) return undefined;
  const [cut, gap, ...rest] = text.split(",").map((part) => (part.trim() === "" ? Number.NaN : Number(part)));
  if (!Number.isFinite(cut) || !Number.isFinite(gap) || rest.length > 0)
    throw wrong(`\`--perforate\` to be two numbers as CUT,GAP, got ${JSON.stringify(text)}`);
  return { cut: cut as number, gap: gap as number };
}

function orderOf(values: Values): JobOptions["order"] {
  const how = values.get("order") ?? "travel";
  const budgetMs = numberOf(values, "order-ms");
  if (how !== "travel" && how !== "given")
    throw wrong(`\`--order\` to be travel or given, got ${JSON.stringify(how)}`);
  if (how === "given" && budgetMs !== undefined) throw wrong("--order-ms not beside --order given");
  return how === "given" ? false : given({ budgetMs });
}

function machineOf(values: Values): MachineProfile {
  const acceleration = numberOf(values, "acceleration");
  const rate = numberOf(values, "max-rate");
  return given({
    acceleration:
      acceleration === undefined ? undefined : ([acceleration, acceleration, acceleration] as const),
    maxRate: rate === undefined ? undefined : ([rate, rate, rate] as const),
  });
}

function wrong(contract: string): KerfworkError {
  return new KerfworkError("INVALID_ARGUMENT", `Expected ${contract}`);
}
