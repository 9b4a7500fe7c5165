import type { Program } from "../engine/gcode.ts";
import { invalid } from "../errors.ts";
import { cleanLine, LINE_CHARACTERS } from "./grbl.ts";

/** A program as it goes over the wire. Its lines are those of the source that hold something. */
export interface Listing {
  /** All lines, each ended by `\n`, stripped of what the controller would strip. */
  readonly bytes: Uint8Array;
  /** Where line i ends in `bytes`, its `\n` included. */
  readonly ends: Uint32Array;
  /** The number of line i in the source, counted from 1. */
  readonly source: Uint32Array;
  /** Lines of the source. */
  readonly lines: number;
}

const LF = 10;
const CR = 13;

/**
 * Checks a program whole and makes it ready to send. Any line end is taken; a last line without one counts.
 *
 * @throws INVALID_ARGUMENT the first line that must not be sent, by number: not 7-bit, a realtime character, too long, or
 *   a `$` command (which fails while a job runs)
 * Cost: one pass over the bytes.
 */
export function prepareProgram(program: Program | Uint8Array | string): Listing {
  const input =
    typeof program === "string"
      ? new TextEncoder().encode(program)
      : program instanceof Uint8Array
        ? program
        : (program as Program | undefined)?.bytes;
  if (!(input instanceof Uint8Array)) throw invalid("program", "a Program, bytes or text", program);
  const bytes = new Uint8Array(input.length + 1);
  const ends: number[] = [];
  const source: number[] = [];
  let size = 0;
  let lines = 0;
  for (let at = 0; at < input.length; ) {
    const start = at;
    const first = size;
    let comment = 0;
    let clean = true;
    for (; at < input.length; at++) {
      const byte = input[at]!;
      if (byte === LF || byte === CR) break;
      if (comment !== 0) {
        if (comment === 0x28 && byte === 0x29) comment = 0;
      } else if (byte === 0x28 || byte === 0x3b) comment = byte;
      else if (byte !== 0x20 && byte !== 0x09) {
        // ! ? ~ and whatever is not printable ASCII
        if (byte < 0x21 || byte > 0x7d || byte === 0x21 || byte === 0x3f) clean = false;
        bytes[size++] = byte;
      }
    }
    lines++;
    if (!clean || size - first > LINE_CHARACTERS || bytes[first] === 0x24)
      refuse(input.subarray(start, at), lines);
    // a CR that an LF follows is one line end, not two
    at += input[at] === CR && input[at + 1] === LF ? 2 : 1;
    if (size - first === 1 && bytes[first] === 0x25) size = first;
    if (size === first) continue;
    bytes[size++] = LF;
    ends.push(size);
    source.push(lines);
  }
  return {
    bytes: bytes.subarray(0, size),
    ends: Uint32Array.from(ends),
    source: Uint32Array.from(source),
    lines,
  };
}

/** The words for a line that must not be sent. */
function refuse(line: Uint8Array, number: number): void {
  const text = cleanLine(Buffer.from(line).toString("latin1"), `line ${number} of \`program\``);
  if (text.startsWith("$"))
    throw invalid(`program`, `free of $ commands, which need an idle machine (line ${number})`, text);
}
