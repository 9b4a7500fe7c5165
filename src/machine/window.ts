import type { Message } from "./grbl.ts";

export type Ack = Extract<Message, { readonly type: "ok" | "error" }>;

/** One line on its way: what it costs, and who wants to know. */
export interface Line {
  /** Without its line end. */
  readonly text: string;
  /** True for lines that the controller must receive with nothing before or behind them. */
  readonly alone: boolean;
  /** Called once, with the controller's answer. */
  readonly answered: (ack: Ack) => void;
  /** Called instead when no answer can come any more. */
  readonly dropped?: (error: Error) => void;
  /** Called with what the controller says while this line is the one it works on. */
  readonly said?: (text: string) => void;
}

/** Bytes of a line on the wire: every one counts against the controller's buffer, the line end too. */
export const wireBytes = (line: Line): number => line.text.length + 1;

/**
 * The lines that were sent and not yet answered, oldest first. GRBL answers each line once and in order, so the sum of
 * these lines is the most that its receive buffer can hold, and keeping that sum within the buffer's size is all that
 * keeps it from dropping bytes.
 */
export class SendWindow {
  size: number;
  /** Lines that may be on their way. */
  lines: number;
  #lines: Line[] = [];
  #bytes = 0;

  constructor(size: number, lines = Number.POSITIVE_INFINITY) {
    this.size = size;
    this.lines = lines;
  }

  get pending(): number {
    return this.#lines.length;
  }

  /** The line that the controller works on. */
  get oldest(): Line | undefined {
    return this.#lines[0];
  }

  /** True when the line may be sent now. A line longer than the whole window goes alone. */
  fits(line: Line): boolean {
    if (this.#lines.length === 0) return true;
    if (this.#lines.length >= this.lines) return false;
    return !line.alone && !this.#lines[0]!.alone && this.#bytes + wireBytes(line) <= this.size;
  }

  push(line: Line): void {
    this.#lines.push(line);
    this.#bytes += wireBytes(line);
  }

  /** Takes the line that an answer belongs to; undefined when no line waits for one. */
  answer(): Line | undefined {
    const line = this.#lines.shift();
    if (line !== undefined) this.#bytes -= wireBytes(line);
    return line;
  }

  /** Forgets all lines and gives them back: nothing will be answered any more. */
  clear(): Line[] {
    const lines = this.#lines;
    this.#lines = [];
    this.#bytes = 0;
    return lines;
  }
}
