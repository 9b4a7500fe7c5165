/** How far the work is: the task that runs, 0..1, and what it says. */
export interface Progress {
  readonly task: string;
  readonly progress: number;
  readonly message: string;
}

/** Draws progress somewhere; `undefined` means that nothing runs. */
export type ShowProgress = (progress: Progress | undefined) => void;

const CELLS = 24;
const CLEAR_LINE = "\r\x1b[K";

/** A bar on one line of a terminal, drawn over itself. */
export function newBar(terminal: NodeJS.WriteStream): ShowProgress {
  let shown = false;
  return (progress) => {
    if (progress === undefined) {
      if (shown) terminal.write(CLEAR_LINE);
      shown = false;
      return;
    }
    const done = Math.round(CELLS * progress.progress);
    const text = `${progress.task.padEnd(8)} ${"█".repeat(done)}${"░".repeat(CELLS - done)} ${textOf(progress)}`;
    // a longer line would wrap, and could not be drawn over
    terminal.write(CLEAR_LINE + [...text].slice(0, (terminal.columns || 80) - 1).join(""));
    shown = true;
  };
}

/** Lines for a file or a pipe: one when the task or the first word of its message changes, and one each tenth. */
export function newProgressLines(output: NodeJS.WritableStream): ShowProgress {
  let last = "";
  return (progress) => {
    // a task without a message has not begun, or is over before anybody reads of it
    if (progress === undefined || progress.message === "") return;
    const step = `${progress.task} ${progress.message.split(" ")[0]} ${Math.floor(progress.progress * 10)}`;
    if (step === last) return;
    last = step;
    output.write(`${progress.task} ${textOf(progress)}\n`);
  };
}

function textOf({ progress, message }: Progress): string {
  const percent = `${String(Math.floor(progress * 100)).padStart(3)} %`;
  // a message may quote a controller: nothing in it may move the cursor
  return `${percent}  ${message.replace(/\p{Cc}/gu, " ")}`.trimEnd();
}
