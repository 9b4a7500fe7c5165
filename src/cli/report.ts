import type { Job, Picture, RunResult } from "../index.ts";

/** More than a screen of them hide the rest. */
const MOST_WARNINGS = 10;

/** What a trace found, as data. */
export function drawingFacts({ report, width, height }: Picture): Record<string, unknown> {
  return { width, height, ...report };
}

/** What a plan made, as data. */
export function jobFacts(job: Job): Record<string, unknown> {
  return { ...drawingFacts(job), bounds: job.program.bounds };
}

/** What a trace found, in words. */
export function drawingLines({ report, width, height }: Picture): string[] {
  return [
    row("shapes", `${report.shapes}, ${report.nodes} nodes, on ${mm(width)} x ${mm(height)}`),
    stagesLine(report.stages),
  ];
}

/** What a plan made, in words. */
export function jobLines({ report, width, height, program }: Job): string[] {
  const saved = report.travelBefore > 0 ? 1 - report.travel / report.travelBefore : 0;
  const order = saved > 0 ? ` (${Math.round(saved * 100)} % less than in the order traced)` : "";
  const { minX, minY, maxX, maxY } = program.bounds;
  return [
    row("shapes", `${report.shapes}, ${report.nodes} nodes, on ${mm(width)} x ${mm(height)}`),
    row("cut", mm(report.cut)),
    row("travel", `${mm(report.travel)}${order}`),
    row("program", `${report.lines} lines, ${report.bytes} bytes, ${duration(report.seconds)} at its speeds`),
    ...(report.estimate === undefined
      ? []
      : [
          row(
            "time",
            `${duration(report.estimate.seconds)} with ramps and corners: ${duration(report.estimate.cutSeconds)} of cuts, ${duration(report.estimate.travelSeconds)} of travel`,
          ),
        ]),
    row("area", `X ${tenths(minX)} to ${tenths(maxX)}, Y ${tenths(minY)} to ${tenths(maxY)} mm`),
    ...report.notes.map((note) => row("note", note)),
    ...report.warnings.slice(0, MOST_WARNINGS).map((warning) => row("warning", warning)),
    ...(report.warnings.length > MOST_WARNINGS
      ? [row("warning", `${report.warnings.length - MOST_WARNINGS} more`)]
      : []),
    stagesLine(report.stages),
  ];
}

/** What a machine did, in words. */
export function runLine(result: RunResult): string {
  return row(
    "machine",
    `${result.acknowledged} of ${result.lines} lines acknowledged, ${result.bytes} bytes, in ${duration(result.seconds)}`,
  );
}

export function wroteLine(paths: readonly string[]): string {
  return row("wrote", paths.map((path) => (path === "-" ? "standard output" : path)).join(", "));
}

export function row(label: string, text: string): string {
  return `${label.padEnd(9)}${text}`;
}

function stagesLine(stages: Readonly<Record<string, number>>): string {
  const parts = Object.entries(stages).map(([name, seconds]) => `${name} ${seconds.toFixed(3)} s`);
  return row("stages", parts.join(", "));
}

function mm(length: number): string {
  return `${tenths(length)} mm`;
}

/** To one decimal; what rounds to nothing has no sign. */
function tenths(value: number): string {
  return (Math.round(value * 10) / 10 || 0).toFixed(1);
}

function duration(seconds: number): string {
  const whole = Math.round(seconds);
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  const [h, min, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  return h > 0 ? `${h} h ${min} min` : `${min} min ${s} s`;
}
