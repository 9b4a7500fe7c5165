import {
  colorsToSVG,
  type Drawing,
  type Job,
  type LayerDrawing,
  makeDrawing,
  makeLayers,
  makeProgram,
  makeStrokes,
  type SVGOptions,
  taskMgr,
  toSVG,
} from "../index.ts";
import type { Command } from "./args.ts";
import { type Output, openOutput, readInput } from "./files.ts";
import { DRAWING_FLAGS, OUTPUT_FLAG, svgOptions, TRACE_FLAGS, type Wish, wishOf } from "./flags.ts";
import { jobOptions, PLAN_FLAGS } from "./plan.ts";
import { drawingFacts, drawingLines, jobFacts, jobLines, wroteLine } from "./report.ts";

export const traceCommand: Command = {
  name: "trace",
  operands: ["IN"],
  summary: "trace a picture (PNG, JPEG) into an SVG drawing",
  flags: [OUTPUT_FLAG, ...TRACE_FLAGS, ...DRAWING_FLAGS],
  required: [["output"]],
  examples: [
    "trace badge.png -o badge.svg",
    "trace page.jpg -o - --preset scan --dpi 300 > page.svg",
    "trace map.png -o map.svg --colors 12 --layers cutout",
    "trace sketch.png -o lines.svg --preset sketch --centerline",
  ],
  async run({ operands: [path], values, signal, report }) {
    const wish = wishOf(values, signal);
    const svg = svgOptions(values);
    const output = openOutput(values.get("output") as string);
    const bytes = await readInput(path, signal);
    const drawing = await drawn(bytes, wish);
    await output.write(await drawingText(drawing, signal, svg));
    report({ command: "trace", input: path, outputs: [output.path], ...drawingFacts(drawing) }, [
      ...drawingLines(drawing),
      wroteLine([output.path]),
    ]);
  },
};

export const planCommand: Command = {
  name: "plan",
  operands: ["IN"],
  summary: "trace a picture or read an SVG drawing, and write the program that burns it",
  flags: [OUTPUT_FLAG, ...TRACE_FLAGS, ...PLAN_FLAGS],
  required: [["output"]],
  examples: [
    "plan badge.png -o badge.gcode --power 0.6 --speed 1200",
    "plan box.svg -o box.gcode --kerf 0.15 --tabs 3 --lead-in 2 --passes 2 --estimate",
    "plan logo.svg -o logo.gcode --hatch 0.1 --hatch-power 0.3 --hatch-speed 6000 --overscan --cut",
  ],
  async run(session) {
    const { operands, values, signal } = session;
    const options = jobOptions(values, signal);
    const output = openOutput(values.get("output") as string);
    const job = await makeProgram(await readInput(operands[0], signal), options).promise;
    await output.write(job.program.bytes);
    session.report({ command: "plan", input: operands[0], outputs: [output.path], ...jobFacts(job) }, [
      ...jobLines(job),
      wroteLine([output.path]),
    ]);
  },
};

/** The files `PREFIX.svg` and `PREFIX.gcode`, found writable before the work. */
export function openSaves(prefix: string | undefined): {
  paths: string[];
  write(job: Job, signal: AbortSignal): Promise<void>;
} {
  const outputs: Output[] =
    prefix === undefined
      ? []
      : ["svg", "gcode"].map((ending) => openOutput(`${prefix}.${ending}`, { makeFolders: true }));
  return {
    paths: outputs.map(({ path }) => path),
    async write(job, signal) {
      const [svg, gcode] = outputs;
      await svg?.write(await drawingText(job, signal));
      await gcode?.write(job.program.bytes);
    },
  };
}

function drawn(bytes: Uint8Array, { kind, options }: Wish): Promise<Drawing | LayerDrawing> {
  if (kind === "strokes") return makeStrokes(bytes, options).promise;
  return kind === "layers" ? makeLayers(bytes, options).promise : makeDrawing(bytes, options).promise;
}

function drawingText(
  drawing: Drawing | LayerDrawing,
  signal: AbortSignal,
  options: Partial<SVGOptions> = {},
): Promise<string> {
  const { width, height } = drawing;
  const all = { width, height, ...options };
  const how = { key: "svg", signal };
  if ("layers" in drawing)
    return taskMgr.runProcess(colorsToSVG, [{ layers: drawing.layers }, all], how).promise;
  const { curves } = drawing;
  return taskMgr.runProcess(toSVG, [curves, all], how).promise;
}
