import type { Board } from "./board.ts";
import { command } from "./command.ts";
import { execute, resetOverrides, startup } from "./execute.ts";
import { Requests } from "./input.ts";
import { START_MODAL, START_OFFSETS } from "./interpreter.ts";
import type { Steps } from "./processor.ts";
import { serve } from "./service.ts";

/** The program of a GRBL controller: reads lines, runs them, and begins anew after each reset. */
export function* mainLoop(b: Board, lineSeconds: () => number, blank: boolean): Steps {
  const { cpu } = b;
  if (blank) {
    yield* cpu.print("error:7\r\n");
    for (const line of b.settings.list()) yield* cpu.print(`${line}\r\n`);
  }
  if (b.settings.number(22) === 1) b.state = "Alarm";
  for (let kind: "power" | "soft" = "power"; ; kind = "soft") {
    // sleep takes power from the motors once more
    if (b.state === "Sleep") yield* cpu.wait(b.settings.number(1) / 1000);
    restart(b);
    b.recorder.add("resets", { seconds: cpu.now, kind });
    yield* cpu.print(b.dialect.banner);
    if (b.settings.number(21) === 1 && b.pins.limits !== "") {
      b.state = "Alarm";
      yield* cpu.print("[MSG:Check Limits]\r\n");
    }
    if (b.state === "Alarm") yield* cpu.print("[MSG:'$H'|'$X' to unlock]\r\n");
    else if (blank && kind === "power") yield* cpu.print(">:error:7\r\n>:error:7\r\n");
    else yield* startup(b);
    if (b.pins.door) b.asked.door = true;
    yield* readLines(b, lineSeconds);
  }
}

function restart(b: Board): void {
  b.aborted = false;
  b.endingJog = false;
  b.outputsHeld = false;
  b.restoring = false;
  b.asked = new Requests();
  b.cpu.uart.clearReceived();
  b.input.clear();
  b.stepper.kill();
  b.stepper.place(b.position);
  b.modal = { ...START_MODAL, position: b.position };
  b.offsets = { ...b.offsets, g92: START_OFFSETS.g92, toolLength: 0 };
  b.outputs = { spindle: 5, speed: 0 };
  resetOverrides(b);
  b.status.restart();
  b.state = b.state === "Alarm" || b.state === "Sleep" ? "Alarm" : "Idle";
}

function* readLines(b: Board, lineSeconds: () => number): Steps {
  const { uart } = b.cpu;
  for (;;) {
    for (let byte = uart.read(); byte !== -1; byte = uart.read()) {
      if (byte === 10 || byte === 13) {
        yield* serve(b);
        if (b.aborted) return;
        yield* endLine(b, lineSeconds);
      } else b.input.take(byte);
    }
    b.startMotion();
    yield* serve(b);
    if (b.aborted) return;
    // lines can have come in while the machine was held
    if (uart.rxFree === uart.rxBytes) yield;
  }
}

function* endLine(b: Board, lineSeconds: () => number): Steps {
  const { text, tooLong } = b.input;
  b.input.clear();
  const seconds = lineSeconds();
  if (seconds > 0) yield* b.cpu.wait(seconds);
  let status = 0;
  if (tooLong) status = 11;
  else if (text.startsWith("$")) status = yield* command(b, text);
  else if (text !== "" && (b.state === "Alarm" || b.state === "Jog")) status = 9;
  else if (text !== "") status = yield* execute(b, text);
  const parsed = text !== "" && status !== 9 && status !== 11;
  if (parsed) b.recorder.add("lines", { seconds: b.cpu.now, text, status });
  yield* b.cpu.print(status === 0 ? "ok\r\n" : `error:${status}\r\n`);
  // leaving check mode restarts the controller, and so does a restore
  if (status === 0 && ((text === "$C" && b.state === "Idle") || text.startsWith("$RST="))) b.aborted = true;
}
