import type { Board } from "./board.ts";
import type { Action } from "./interpreter.ts";
import type { Steps } from "./processor.ts";
import { drain, flags, serve } from "./service.ts";
import { coordinates } from "./status.ts";

/** Moves until the probe touches, or lets go; not to find it is an alarm, or just said. */
export function* probe(b: Board, action: Extract<Action, { type: "probe" }>): Steps {
  yield* drain(b);
  if (b.aborted) return;
  const found = () => b.pins.probe !== action.away;
  if (found()) {
    b.asked.alarm = 4;
    return yield* serve(b);
  }
  b.planner.add({ target: action.target, feed: action.feed, power: 0, dynamic: false });
  b.startMotion();
  while (!b.aborted && b.moving && !found()) {
    yield;
    yield* flags(b);
  }
  if (b.aborted) return;
  const touched = found();
  b.probed = { position: b.position, touched };
  if (touched) {
    b.stepper.kill();
    b.stepper.place(b.position);
    b.state = "Idle";
  } else if (action.must) {
    b.asked.alarm = 5;
    return yield* serve(b);
  }
  b.modal = { ...b.modal, position: b.position };
  yield* b.cpu.print(`[PRB:${coordinates(b.position, b.settings.number(13) === 1)}:${touched ? 1 : 0}]\r\n`);
}
