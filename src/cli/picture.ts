import {
  type Drawing,
  type Job,
  makeDrawing,
  makeProgram,
  type SVGOptions,
  taskMgr,
  toSVG,
} from "../index.ts";
import type { Command } from "./args.ts";
import { type Output, openOutput, readInput } from "./files.ts";
import {
  drawingOptions,
  jobOptions,
  OUTPUT_FLAG,
  PLAN_FLAGS,
  SVG_FLAGS,
  svgOptions,
  TRACE_FLAGS,
} from "./flags.ts";
import { drawingFacts, drawingLines, jobFacts, jobLines, wroteLine } from "./report.ts";

export const traceCommand: Command = {
  name: "trace",
  operands: ["IN"],
  summary: "trace a picture (PNG, JPEG) into an SVG drawing",
  flags: [OUTPUT_FLAG, ...TRACE_FLAGS, ...SVG_FLAGS],
  required: [["output"]],
  examples: ["trace badge.png -o badge.svg", "trace page.jpg -o - --preset scan --dpi 300 > page.svg"],
  async run({ operands: [path], values, signal, report }) {
    const options = drawingOptions(values, signal);
    const svg = svgOptions(values);
    const output = openOutput(values.get("output") as string);
    const bytes = await readInput(path, signal);
    const drawing = await makeDrawing(bytes, options).promise;
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
  summary: "trace a picture and write the program that cuts its outlines",
  flags: [OUTPUT_FLAG, ...TRACE_FLAGS, ...PLAN_FLAGS],
  required: [["output"]],
  examples: ["plan badge.png -o badge.gcode --power 0.6 --speed 1200"],
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

function drawingText(
  { curves, width, height }: Drawing,
  signal: AbortSignal,
  options: Partial<SVGOptions> = {},
): Promise<string> {
  return taskMgr.runProcess(toSVG, [curves, { width, height, ...options }], { key: "svg", signal }).promise;
}
