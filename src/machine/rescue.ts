import type { Program } from "../engine/gcode.ts";
import { checkNumber, KerfworkError } from "../errors.ts";
import { prepareProgram } from "./listing.ts";
import { type Modal, resetModal } from "./modal.ts";
import { Walk } from "./walk.ts";

export interface ResumeOptions {
  /** What was set when the program first began (default as after a reset, its place unknown). */
  readonly start?: Modal;
}

/** The rest of a program that was stopped, with what has to be set before it. Nothing of it is sent. */
export interface Resumption {
  /** Preamble and rest, to be given to `run` once a person has looked at it. */
  readonly program: string;
  /** Sets what the lines before had left set, and moves to where they ended, dark. */
  readonly preamble: readonly string[];
  /** Where the head will go first, work coordinates x, y, z, mm; NaN for an axis that does not move. */
  readonly position: readonly number[];
  /** The line that comes first after the preamble, counted from 1 over the lines of the program. */
  readonly line: number;
}

/**
 * Prepares to go on with a program from one of its lines: after an alarm, a restart or a pulled plug nothing goes on by
 * itself, and where to go on, whether the work still lies in its place and the machine knows its own are for a person to
 * say. `error.data.lastExecuted + 1` cuts nothing twice but may leave a gap of a few moves that were in the planner;
 * take a line some moves before it to be sure of an overlap.
 *
 * The preamble sets units, plane, work offset and feed, moves to the end of the line before with the beam off, and last
 * sets distance mode, beam and power. M3 burns where it stands until the first move; prefer M4.
 *
 * @param line  the first line to run again, 1..lines of the program
 * @throws INVALID_ARGUMENT  a line out of range, a program that `run` would refuse, or a place that only the controller
 *   knows (relative moves from an unknown start, G28, G92 or a change of the work offset before it)
 * @example resumeFrom("G21 G90\nM4 S500\nG1 X10 F600\nX0\nM5\n", 4).preamble.at(-1) // "G1 M4 S500"
 */
export function resumeFrom(
  program: Program | Uint8Array | string,
  line: number,
  options: ResumeOptions = {},
): Resumption {
  const listing = prepareProgram(program);
  checkNumber("line", line, { min: 1, max: Math.max(1, listing.lines), integer: true });
  const walk = new Walk(listing, options.start ?? resetModal());
  const { source, ends, bytes } = listing;
  let first = 0;
  while (first < source.length && source[first]! < line) first++;
  walk.advance(first);
  const lost = (axis: number) => Number.isNaN(walk.modal.position[axis]) && (walk.named >> axis) & 1;
  if (walk.volatile || lost(0) || lost(1) || lost(2)) throw unknownPlace(line);
  const preamble = write(walk.modal);
  const rest = [...lineTexts(bytes, ends, first)];
  // an arc's mode cannot be set without an arc
  const arc = walk.modal.motion;
  const next = rest.findIndex((text) => /G0*([0-3]|80)(?![.\d])|[XYZ]/i.test(text));
  if ((arc === 2 || arc === 3) && next >= 0 && !/G0*([0-3]|80)(?![.\d])/i.test(rest[next]!))
    rest[next] = `G${arc}${rest[next]}`;
  const position = [...walk.modal.position];
  // the rest has to be fit to run, too
  walk.advance();
  return {
    program: `${[...preamble, ...rest].join("\n")}\n`,
    preamble,
    position,
    line: first < source.length ? source[first]! : listing.lines,
  };
}

function* lineTexts(bytes: Uint8Array, ends: Uint32Array, first: number): Generator<string> {
  for (let i = first; i < ends.length; i++)
    yield Buffer.from(bytes.subarray(i === 0 ? 0 : ends[i - 1]!, ends[i]! - 1)).toString("latin1");
}

function unknownPlace(line: number): KerfworkError {
  const message = `Expected the place before line ${line} to follow from the program, and only the controller knows it`;
  return new KerfworkError("INVALID_ARGUMENT", message, { data: { line } });
}

/** Millimetres all through: the program's own units are set last. */
function write(modal: Modal): string[] {
  const number = (value: number): string => Number(value.toFixed(4)).toString();
  const words = modal.position.map((value, axis) =>
    Number.isNaN(value) ? "" : ` ${"XYZ"[axis]}${number(value)}`,
  );
  const lines = ["M5", `G21 G90 G94 G${modal.plane} G${modal.system}`];
  // down last, so that the way there is flat and high
  if (words[0] !== "" || words[1] !== "") lines.push(`G0${words[0]}${words[1]}`);
  if (words[2] !== "") lines.push(`G0${words[2]}`);
  if (modal.mist) lines.push("M7");
  if (modal.flood) lines.push("M8");
  const motion = modal.motion <= 3 ? `G${modal.motion === 0 ? 0 : 1}` : "G0";
  if (modal.feed > 0 && modal.feedMode === 94) lines.push(`F${number(modal.feed)}`);
  const modes = [
    modal.units === 20 ? "G20" : "",
    modal.distance === 91 ? "G91" : "",
    modal.feedMode === 93 ? "G93" : "",
  ].filter(Boolean);
  if (modes.length > 0) lines.push(modes.join(" "));
  const beam = modal.spindle === 5 ? `S${number(modal.power)}` : `M${modal.spindle} S${number(modal.power)}`;
  lines.push(`${motion} ${beam}`);
  return lines;
}
