import type { Board } from "./board.ts";
import { type Action, type Interpreted, interpret, workOffset } from "./interpreter.ts";
import { probe } from "./probe.ts";
import type { Steps } from "./processor.ts";
import { drain, flags, serve, until } from "./service.ts";

/** Writing one changed byte of EEPROM, with interrupts off. */
export const STORE_SECONDS = 0.0034;
/** A dwell looks around so often, and lasts a whole number of these. */
const DWELL_SECONDS = 0.05;

/** Runs the stored lines; their answers say so. */
export function* startup(b: Board): Steps {
  for (const line of b.settings.startup) {
    if (line === "") continue;
    yield* b.cpu.print(`>${line}:`);
    const status = yield* execute(b, line);
    yield* b.cpu.print(status === 0 ? "ok\r\n" : `error:${status}\r\n`);
  }
}

export function* execute(b: Board, text: string): Steps<number> {
  const result = interpret(text, b.modal, b.offsets, b.settings);
  if (typeof result === "number") return result;
  yield* perform(b, result);
  return 0;
}

/** Does what a line asks for, then lets its modes count. */
export function* perform(b: Board, result: Interpreted): Steps {
  const before = { offsets: b.offsets, system: b.modal.system };
  const still = b.state === "Check";
  let { modal } = result;
  for (const action of result.actions) {
    if (action.type === "end") yield* b.cpu.print("[MSG:Pgm End]\r\n");
    if (still) continue;
    if (action.type === "probe") {
      yield* probe(b, action);
      modal = { ...modal, position: b.position };
    } else yield* act(b, action, result);
    if (b.aborted) return;
  }
  b.modal = modal;
  b.offsets = result.offsets;
  if (!still && modal.spindle !== 5 && b.settings.laser) b.outputs.speed = modal.speed;
  if (b.offsets === before.offsets && modal.system === before.system) return;
  const was = workOffset(before.offsets, before.system).join();
  if (workOffset(b.offsets, modal.system).join() !== was) b.status.offsetChanged();
}

function* act(b: Board, action: Action, { modal }: Interpreted): Steps {
  if (action.type === "sync") yield* drain(b);
  else if (action.type === "spindle") {
    b.outputs = { spindle: action.spindle, speed: action.speed };
    b.status.outputsChanged();
  } else if (action.type === "coolant") b.status.outputsChanged();
  else if (action.type === "dwell") yield* dwell(b, action.seconds);
  else if (action.type === "store") yield* b.cpu.maskedWait(action.bytes * STORE_SECONDS);
  else if (action.type === "pause") {
    b.asked.hold = true;
    yield* serve(b);
  } else if (action.type === "end") {
    b.outputs = { spindle: 5, speed: 0 };
    resetOverrides(b);
    b.status.outputsChanged();
  } else if (action.type === "move") {
    if (b.settings.number(20) === 1 && !b.settings.reaches(action.target)) return yield* softLimit(b);
    if (b.planner.room === 0 || b.asked.any)
      yield* until(b, () => {
        if (b.planner.room > 0) return true;
        b.startMotion();
        return false;
      });
    if (b.aborted) return;
    const dynamic = modal.spindle === 4 && b.settings.laser;
    b.planner.add({ ...action, dynamic });
  }
}

function* dwell(b: Board, seconds: number): Steps {
  for (let left = Math.ceil(seconds / DWELL_SECONDS - 1e-9); left > 0 && !b.aborted; left--) {
    yield* b.cpu.wait(DWELL_SECONDS);
    yield* serve(b);
  }
}

/** Soft limits stop the machine in order before they lock it. */
function* softLimit(b: Board): Steps {
  b.startMotion();
  if (b.state === "Run") {
    b.state = "Hold";
    b.stepper.hold();
    while (!b.aborted && b.moving) {
      yield;
      yield* flags(b);
    }
  }
  if (b.aborted) return;
  b.asked.alarm = 2;
  yield* serve(b);
}

/** Back to 100 %. */
export function resetOverrides(b: Board): void {
  b.overrides.reset();
  b.planner.override(1, 1);
  b.stepper.powerShare = 1;
}
