import type { Program } from "../engine/gcode.ts";
import { checkNumber } from "../errors.ts";
import type { Limits } from "./limits.ts";
import { type Listing, prepareProgram } from "./listing.ts";
import { type Modal, resetModal } from "./modal.ts";
import { Walk } from "./walk.ts";

/** What was learned of a program before its first byte went out. */
export interface ProgramCheck {
  /** Lines of the program. */
  readonly lines: number;
  /** Bytes on the wire. */
  readonly bytes: number;
  /** Time of its moves at their feeds, without acceleration. */
  readonly seconds: number;
  /** Box of all moves, work coordinates x, y, z, mm; undefined when there is none, or nothing of it is known. */
  readonly bounds: { readonly min: readonly number[]; readonly max: readonly number[] } | undefined;
  /** The largest S. */
  readonly power: number;
  /** True when the beam is still switched on after the last line; `run` then switches it off. */
  readonly endsLit: boolean;
  /** Bytes a second that the busiest stretch needs, to be compared with the wire's: baud rate / 10. */
  readonly bytesPerSecond: number;
  /** True when that is more than the wire carries: the machine will stop and start. Only where the wire is known. */
  readonly starves: boolean;
}

/** A program that may be sent. */
export interface Checked {
  readonly listing: Listing;
  /** 1 for each line that surely fills a place of the planner. */
  readonly moves: Uint8Array;
  readonly endsLit: boolean;
  /** Where it ends, machine coordinates; undefined when only the controller knows. */
  readonly end: readonly number[] | undefined;
  /** Steps a millimetre. */
  readonly steps: readonly number[] | undefined;
  readonly check: ProgramCheck;
}

export interface CheckOptions {
  /** What is known of the machine (default nothing, so no bounds). */
  readonly limits?: Limits;
  /** What is set when it begins (default as after a reset, its place unknown). */
  readonly start?: Modal;
  /** Bytes a second that the wire carries, > 0: baud rate / 10 (default not known). */
  readonly bytesPerSecond?: number;
}

/** Lines that are walked before others get their turn. */
const CHUNK = 50_000;

/**
 * Checks a program whole, as `run` does before its first byte goes out: 7-bit bytes, no realtime characters outside of
 * comments (comments are not sent), lines of at most 79 characters, no `$` commands, words with finite numbers,
 * coordinates within 2,000,000 mm, arcs that end on their circle, and, where the machine's travel and place are known, no
 * move out of it.
 *
 * @throws INVALID_ARGUMENT the first line that must not be sent, by number (`data`: line, text)
 * Cost: about 0.3 us a line; give way to other work every 50,000 lines.
 * @example (await checkProgram("G21 G90\nM4 S500\nG1 X10 F600\n")).endsLit // true
 */
export async function checkProgram(
  program: Program | Uint8Array | string,
  options: CheckOptions = {},
): Promise<ProgramCheck> {
  return (await examine(prepareProgram(program), options)).check;
}

export async function examine(listing: Listing, options: CheckOptions): Promise<Checked> {
  const { limits = {}, start = resetModal(), bytesPerSecond } = options;
  if (bytesPerSecond !== undefined) checkNumber("bytesPerSecond", bytesPerSecond, { above: 0 });
  const walk = new Walk(listing, start, limits);
  for (;;) {
    walk.advance(walk.done + CHUNK);
    if (walk.over) break;
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
  const { modal, box, moves, seconds, power, peak } = walk;
  const end = modal.position.map((value, axis) => value + modal.offset[axis]!);
  const endsLit = modal.spindle !== 5;
  const known = box.min.map((low, axis) => low <= box.max[axis]!);
  return {
    listing,
    moves,
    endsLit,
    end: end.every(Number.isFinite) ? end : undefined,
    steps: limits.steps,
    check: {
      lines: listing.lines,
      bytes: listing.bytes.length,
      seconds,
      bounds: known.includes(true)
        ? {
            min: known.map((yes, i) => (yes ? box.min[i]! : 0)),
            max: known.map((yes, i) => (yes ? box.max[i]! : 0)),
          }
        : undefined,
      power,
      endsLit,
      bytesPerSecond: peak,
      starves: bytesPerSecond !== undefined && peak > bytesPerSecond,
    },
  };
}
