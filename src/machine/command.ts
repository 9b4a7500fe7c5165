import type { Board } from "./board.ts";
import { execute, perform, STORE_SECONDS, startup } from "./execute.ts";
import { home } from "./homing.ts";
import { interpretJog, ORIGIN, START_OFFSETS, type Vec } from "./interpreter.ts";
import type { Steps } from "./processor.ts";
import { changedBytes } from "./settings.ts";

/** A startup line or a build text takes so many bytes of EEPROM, its checksum counted. */
const LINE_BYTES = 81;

/** Runs a line that begins with `$`; gives 0 or the number of the error. */
export function* command(b: Board, text: string): Steps<number> {
  const resting = b.state === "Idle" || b.state === "Alarm";
  if (text.startsWith("$J=")) return yield* jog(b, text.slice(3));
  if (text === "$X") {
    if (b.state !== "Alarm") return 0;
    if (b.pins.door) return 13;
    b.state = "Idle";
    yield* b.cpu.print("[MSG:Caution: Unlocked]\r\n");
    return 0;
  }
  if (text === "$C") {
    if (b.state !== "Idle" && b.state !== "Check") return 8;
    b.state = b.state === "Idle" ? "Check" : "Idle";
    yield* b.cpu.print(`[MSG:${b.state === "Check" ? "Enabled" : "Disabled"}]\r\n`);
    return 0;
  }
  if (text === "$H") {
    if (b.settings.number(22) !== 1) return 5;
    if (!resting) return 8;
    if (b.pins.door) return 13;
    yield* home(b);
    // a machine that found its place runs its startup lines
    if ((b.state as string) === "Idle" && !b.aborted) yield* startup(b);
    return 0;
  }
  if (text === "$SLP") {
    if (!resting) return 8;
    b.asked.sleep = true;
    return 0;
  }
  if (/^\$N[01]=/.test(text)) return yield* storeStartup(b, Number(text[2]) as 0 | 1, text.slice(4));
  if (text.startsWith("$I=")) {
    if (!resting) return 8;
    b.settings.build = text.slice(3);
    yield* b.cpu.maskedWait(LINE_BYTES * STORE_SECONDS);
    return 0;
  }
  if (text.startsWith("$RST=")) return yield* restore(b, text.slice(5), resting);
  const known = { modal: b.modal, offsets: b.offsets, probe: b.probed, info: b.dialect.info };
  const lines = b.settings.answer(text, known);
  if (lines !== undefined) {
    const free = text === "$" || text === "$G";
    const listed = text === "$$" && b.state !== "Run" && b.state !== "Hold";
    if (!resting && !free && !listed) return 8;
    for (const line of lines) yield* b.cpu.print(`${line}\r\n`);
    return 0;
  }
  const stored = b.settings.store(text, resting);
  if (stored.error !== 0) return stored.error;
  yield* b.cpu.maskedWait(stored.bytes * STORE_SECONDS);
  return 0;
}

function* jog(b: Board, text: string): Steps<number> {
  if (b.state !== "Idle" && b.state !== "Jog") return 8;
  const result = interpretJog(text, b.modal, b.offsets, b.settings);
  if (typeof result === "number") return result;
  const target = result.actions.find((action) => action.type === "move")?.target;
  if (b.settings.number(20) === 1 && target !== undefined && !b.settings.reaches(target)) return 15;
  yield* perform(b, result);
  if (!b.aborted && b.state === "Idle" && !b.planner.empty) {
    b.stepper.start();
    b.state = "Jog";
  }
  return 0;
}

/** A startup line is kept when it runs. */
function* storeStartup(b: Board, index: 0 | 1, line: string): Steps<number> {
  if (b.state !== "Idle") return 8;
  const status = line === "" ? 0 : yield* execute(b, line);
  if (status !== 0) return status;
  if (b.settings.startup[index] === line) return 0;
  b.settings.startup[index] = line;
  yield* b.cpu.maskedWait(LINE_BYTES * STORE_SECONDS);
  return 0;
}

/** `$RST=`: settings, offsets or all go back to what they were at first. */
function* restore(b: Board, what: string, resting: boolean): Steps<number> {
  if (!resting) return 8;
  if (what !== "$" && what !== "#" && what !== "*") return 3;
  let bytes = 0;
  if (what !== "#") bytes += b.settings.reset();
  if (what !== "$") {
    const { systems, home } = b.offsets;
    const zeros = (vec: Vec) => changedBytes(vec, ORIGIN);
    bytes += [...systems, ...home].reduce((sum, vec) => sum + zeros(vec), 0);
    b.offsets = START_OFFSETS;
  }
  if (what === "*") {
    b.settings.startup.fill("");
    b.settings.build = "";
    bytes += 3 * LINE_BYTES;
  }
  yield* b.cpu.maskedWait(bytes * STORE_SECONDS);
  yield* b.cpu.print("[MSG:Restoring defaults]\r\n");
  return 0;
}
