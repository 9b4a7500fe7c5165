import type { Board } from "./board.ts";
import { Requests } from "./input.ts";
import { type Action, interpret, ORIGIN, START_MODAL } from "./interpreter.ts";
import type { Steps } from "./processor.ts";

/** Lines that are read ahead of the one that runs. */
const QUEUE_LINES = 4;
/** A line may have so many characters; the rest is cut off. */
const LINE_CHARACTERS = 95;
/** What moves at when no F was given, mm/min. */
const START_FEED = 1500;

/** A line as it came: its number, and what it asks for. */
interface Order {
  readonly number: number | undefined;
  readonly text: string;
}

/**
 * The program of controllers that answer each line with `ok`, check numbers and sums, and ask for a line once more:
 * Marlin, Smoothieware. From general knowledge of the protocol, not from a device.
 */
export function* numberedLoop(b: Board, lineSeconds: () => number): Steps {
  const { cpu, dialect } = b;
  const { uart } = cpu;
  const queue: Order[] = [];
  let characters: number[] = [];
  let last = 0;
  let comment = false;
  b.asked = new Requests();
  b.aborted = false;
  uart.clearReceived();
  b.modal = { ...START_MODAL, feed: START_FEED, position: b.position };
  b.outputs = { spindle: 5, speed: 0 };
  b.recorder.add("resets", { seconds: cpu.now, kind: "power" });
  yield* cpu.print(dialect.banner);
  let waits = cpu.passed(dialect.wait);
  for (;;) {
    yield* look(b);
    if (b.state === "Alarm") {
      yield* halted(b);
      queue.length = 0;
      characters = [];
    }
    for (let byte = uart.read(); byte !== -1; byte = uart.read()) {
      if (byte !== 10 && byte !== 13) {
        if (byte === 0x3b) comment = true;
        if (!comment && characters.length < LINE_CHARACTERS) characters.push(byte);
        continue;
      }
      const line = String.fromCharCode(...characters).trim();
      characters = [];
      comment = false;
      waits = cpu.passed(dialect.wait);
      // a GRBL-like controller answers empty lines, Marlin does not
      if (line === "" && dialect.program === "marlin") continue;
      if (line === "M112") {
        b.state = "Alarm";
        break;
      }
      const order = readOrder(line, last);
      if ("error" in order) {
        uart.clearReceived();
        yield* cpu.print(`Error:${order.error}, Last Line: ${last}\n${dialect.resend}${last + 1}\nok\n`);
        continue;
      }
      if (order.number !== undefined) last = order.number;
      queue.push(order);
      if (queue.length === QUEUE_LINES) break;
    }
    if ((b.state as string) === "Alarm") continue;
    const order = queue.shift();
    if (order !== undefined) {
      if (lineSeconds() > 0) yield* cpu.wait(lineSeconds());
      const text = order.text.toUpperCase().replace(/\s+/g, "");
      const known = yield* run(b, text);
      b.recorder.add("lines", { seconds: cpu.now, text, status: known ? 0 : 20 });
      if (!known) yield* cpu.print(`echo:Unknown command: "${order.text}"\n`);
      if ((b.state as string) !== "Alarm") yield* cpu.print("ok\n");
      waits = cpu.passed(dialect.wait);
      continue;
    }
    if (waits()) {
      waits = cpu.passed(dialect.wait);
      yield* cpu.print("wait\n");
    }
    if (uart.rxFree === uart.rxBytes) yield;
  }
}

/** Checks number and sum: both or none, the sum right, the number the next. `M110` sets the number. */
function readOrder(line: string, last: number): Order | { readonly error: string } {
  const numbered = /^N\s*(-?\d+)\s*(.*)$/i.exec(line);
  const star = line.lastIndexOf("*");
  if (numbered === null) {
    if (star !== -1) return { error: "No Line Number with checksum" };
    const set = /^M110\s*N\s*(\d+)/i.exec(line);
    return { number: set === null ? undefined : Number(set[1]), text: line };
  }
  const number = Number(numbered[1]);
  const text = numbered[2]!.replace(/\*.*$/, "").trim();
  const sets = /^M110\b/i.test(text);
  if (number !== last + 1 && !sets) return { error: "Line Number is not Last Line Number+1" };
  if (star === -1) return { error: "No Checksum with line number" };
  let sum = 0;
  for (let i = 0; i < star; i++) sum ^= line.charCodeAt(i);
  if (sum !== Number(line.slice(star + 1))) return { error: "checksum mismatch" };
  const set = /^M110\s*N\s*(\d+)/i.exec(text);
  return { number: set === null ? number : Number(set[1]), text };
}

/** Keeps the motion going and answers what needs no line. */
function* look(b: Board): Steps {
  const { asked, stepper } = b;
  if (asked.reset || b.state === "Alarm") {
    stepper.kill();
    b.state = "Alarm";
    return;
  }
  if (asked.alarm !== 0) b.state = "Alarm";
  if (asked.status) {
    asked.status = false;
    const place = b.position.map((value) => value.toFixed(4)).join(",");
    yield* b.cpu.print(`<${b.stateText}|MPos:${place}|WPos:${place}|F:${stepper.speed.toFixed(1)},100.0>\n`);
  }
  if (asked.hold && b.state !== "Hold") {
    stepper.hold();
    b.state = "Hold";
  }
  asked.hold = false;
  if (asked.resume && b.stateText === "Hold:0") {
    stepper.release();
    b.state = b.planner.empty ? "Idle" : "Run";
  }
  asked.resume = false;
  b.startMotion();
  stepper.prepare();
  if (b.state === "Run" && stepper.motion === "still") b.state = "Idle";
}

/** Waits until something is true, and says now and then that it is alive. */
function* until(b: Board, done: () => boolean, end = Infinity): Steps {
  let busy = b.cpu.now + b.dialect.busy;
  for (;;) {
    yield* look(b);
    if (done() || b.state === "Alarm") return;
    if (b.cpu.now >= busy) {
      yield* b.cpu.print("echo:busy: processing\n");
      busy = b.cpu.now + b.dialect.busy;
    }
    const wake = Math.min(busy, end);
    if (wake !== Infinity) b.cpu.passed(wake - b.cpu.now);
    yield;
  }
}

const drained = (b: Board) => () => b.planner.empty && b.state !== "Run" && b.state !== "Hold";

/** Runs one line; false when it is none that this controller knows. */
function* run(b: Board, text: string): Steps<boolean> {
  const code = /^[GMT]\d+(\.\d+)?/.exec(text)?.[0] ?? "";
  const value = (letter: string) =>
    Number(new RegExp(`${letter}(-?[\\d.]+)`).exec(text.slice(code.length))?.[1]);
  const place = () => b.position.map((mm, axis) => `${"XYZ"[axis]}:${mm.toFixed(2)}`).join(" ");
  if (text === "") return true;
  if (code === "M114") yield* b.cpu.print(`${place()} E:0.00 Count ${place()}\n`);
  else if (code === "M115") for (const line of b.dialect.info) yield* b.cpu.print(`${line}\n`);
  else if (code === "M105") yield* b.cpu.print(" T:0.00 /0.00 @:0\n");
  else if (code === "M400") yield* until(b, drained(b));
  else if (code === "M410") {
    b.stepper.kill();
    b.state = "Idle";
    b.modal = { ...b.modal, position: b.position };
  } else if (code === "G4") {
    const seconds = text.includes("S") ? value("S") : value("P") / 1000;
    yield* until(b, drained(b));
    const end = b.cpu.now + (seconds > 0 ? seconds : 0);
    yield* until(b, () => b.cpu.now >= end, end);
  } else if (code === "G28") {
    yield* until(b, drained(b));
    b.planner.add({ target: ORIGIN, feed: b.settings.number(25), power: 0, dynamic: false });
    yield* until(b, drained(b));
    b.modal = { ...b.modal, position: b.position };
  } else if (/^M(17|18|84|82|83|104|106|107|108|110|117|140|201|203|204|205|220|221|999)$/.test(code)) {
    // taken, and of no consequence to a laser's motion
  } else return yield* move(b, text.replace(/E-?[\d.]+/, ""));
  return true;
}

function* move(b: Board, text: string): Steps<boolean> {
  const result = interpret(text, b.modal, b.offsets, b.settings);
  if (typeof result === "number") return false;
  for (const action of result.actions) {
    yield* act(b, action, result.modal.spindle === 4);
    if (b.state === "Alarm") return true;
  }
  b.modal = result.modal;
  b.offsets = result.offsets;
  return true;
}

function* act(b: Board, action: Action, dynamic: boolean): Steps {
  if (action.type === "sync") yield* until(b, drained(b));
  else if (action.type === "spindle") b.outputs = { spindle: action.spindle, speed: action.speed };
  else if (action.type === "move") {
    yield* until(b, () => b.planner.room > 0);
    if (b.state !== "Alarm") b.planner.add({ ...action, dynamic });
  }
}

/** After an emergency stop only a restart helps; Smoothieware answers each line with `!!` until `M999`. */
function* halted(b: Board): Steps {
  b.stepper.kill();
  b.state = "Alarm";
  const { cpu } = b;
  const smoothie = b.dialect.program === "smoothie";
  yield* cpu.print(
    smoothie
      ? "ALARM: Kill button pressed - reset or M999 to continue\n"
      : "Error:Printer halted. kill() called!\n",
  );
  let line = "";
  for (;;) {
    const byte = cpu.uart.read();
    if (byte === -1) yield;
    else if (byte !== 10) line += String.fromCharCode(byte);
    else {
      if (smoothie && line.trim() === "M999") {
        b.asked = new Requests();
        b.state = "Idle";
        yield* cpu.print("ok\n");
        return;
      }
      line = "";
      if (smoothie) yield* cpu.print("!!\n");
    }
  }
}
