import { inspect } from "node:util";
import { KerfworkError } from "../index.ts";
import type { Report } from "./args.ts";
import { newBar, newProgressLines, type ShowProgress } from "./bar.ts";

/** How the command speaks: in words to people, or in JSON lines to programs. */
export interface Voice {
  readonly progress: ShowProgress;
  readonly report: Report;
  readonly result: Report;
  readonly error: (error: unknown) => void;
}

export interface VoiceOptions {
  readonly json?: boolean;
  readonly quiet?: boolean;
  /** Standard output carries the result, so everything else goes to standard error. */
  readonly dataOnStdout?: boolean;
}

/** Results on standard output, progress and errors on standard error; JSON lines all on one of them. */
export function newVoice({ json = false, quiet = false, dataOnStdout = false }: VoiceOptions): Voice {
  const { stderr } = process;
  const output = dataOnStdout ? stderr : process.stdout;
  const event = (name: string, facts: object): void => {
    output.write(`${JSON.stringify({ event: name, ...facts })}\n`);
  };
  const sayError = (error: unknown): void => {
    stderr.write(`kerfwork: ${messageOf(error)}\n`);
    if (process.env.KERFWORK_DEBUG) stderr.write(`${inspect(error)}\n`);
  };
  if (json)
    return {
      progress: (progress) => progress && !quiet && event("progress", progress),
      report: (facts) => !quiet && event("report", facts),
      result: (facts) => event("report", facts),
      error(error) {
        const { code, data } = error as Partial<KerfworkError>;
        event("error", { code, message: messageOf(error), data });
        sayError(error);
      },
    };
  const show = quiet ? () => {} : stderr.isTTY ? newBar(stderr) : newProgressLines(stderr);
  const print: Report = (_facts, lines) => {
    show(undefined);
    output.write(lines.map((line) => `${line}\n`).join(""));
  };
  return {
    progress: show,
    report: quiet ? () => {} : print,
    result: print,
    error(error) {
      show(undefined);
      sayError(error);
    },
  };
}

function messageOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  const text =
    error instanceof KerfworkError ? message : `${message} (a defect of kerfwork: please report it)`;
  return text.replace(/\s*\n\s*/g, " ");
}
