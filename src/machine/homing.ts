import type { Board } from "./board.ts";
import type { Vec } from "./interpreter.ts";
import type { Steps } from "./processor.ts";
import { serve } from "./service.ts";

/** A switch that does not come within so many travels is not there. */
const SEARCH_TRAVELS = 1.5;
/** The order in which axes find their switches: up and out of the way first. */
const CYCLES: readonly (readonly number[])[] = [[2], [0, 1]];

/**
 * Finds the switches: fast towards each, back off it, slowly once more, and off it again, with a pause after each for the
 * switch to come to rest. While it runs the controller serves nothing, not even `?`; only a reset ends it.
 */
export function* home(b: Board): Steps {
  const { settings } = b;
  b.state = "Home";
  const seek = settings.number(25) / 60;
  const locate = settings.number(24) / 60;
  const debounce = settings.number(26) / 1000;
  const pullOff = settings.number(27);
  const low = (axis: number): boolean => ((settings.number(23) >> axis) & 1) === 1;
  for (const axes of CYCLES) {
    const away = axes.map((axis) => {
      const place = b.stepper.position()[axis]! + b.shift[axis]!;
      return (b.switches[axis]! - place) * (low(axis) ? -1 : 1);
    });
    const missing = axes.some(
      (axis, i) => away[i]! < 0 || away[i]! > SEARCH_TRAVELS * settings.number(130 + axis),
    );
    const phases: readonly (readonly [mm: readonly number[], speed: number, ramps: number])[] = [
      [missing ? axes.map((axis) => SEARCH_TRAVELS * settings.number(130 + axis)) : away, seek, 1],
      [axes.map(() => -pullOff), seek, 2],
      [axes.map(() => pullOff), locate, 1],
      [axes.map(() => -pullOff), seek, 2],
    ];
    for (const [mm, speed, ramps] of phases) {
      const delta: [number, number, number] = [0, 0, 0];
      axes.forEach((axis, i) => {
        delta[axis] = mm[i]! * (low(axis) ? -1 : 1);
      });
      const seconds = Math.max(
        ...axes.map((axis, i) => duration(Math.abs(mm[i]!), speed, settings.number(120 + axis), ramps)),
      );
      if (!(yield* move(b, delta, seconds))) return yield* serve(b);
      if (missing) {
        b.asked.alarm = 9;
        return yield* serve(b);
      }
      // off the switch it comes to rest by itself
      if (ramps === 2)
        b.recorder.add("stops", { seconds: b.cpu.now, kind: "end", rxFree: b.cpu.uart.rxFree });
      if (!(yield* move(b, [0, 0, 0], debounce))) return yield* serve(b);
    }
  }
  const machine = [0, 1, 2].map((axis) =>
    low(axis) ? pullOff - settings.number(130 + axis) : -pullOff,
  ) as unknown as Vec;
  callPlace(b, machine);
  b.syncPosition();
  b.state = "Idle";
}

/** The machine is where it is, but that place gets another name. */
export function callPlace(b: Board, machine: Vec): void {
  const now = b.stepper.position();
  b.shift = b.shift.map((value, axis) => value + now[axis]! - machine[axis]!) as unknown as Vec;
  b.stepper.place(machine);
}

/** Goes on for so long; false when a reset cut it off on the way. */
function* move(b: Board, delta: Vec, seconds: number): Steps<boolean> {
  const from = b.stepper.position();
  const start = b.cpu.now;
  const passed = b.cpu.passed(seconds);
  const at = (share: number) => from.map((value, axis) => value + delta[axis]! * share) as unknown as Vec;
  while (!passed()) {
    if (b.asked.reset) {
      b.stepper.place(at(Math.min(1, (b.cpu.now - start) / seconds)));
      b.syncPosition();
      return false;
    }
    yield;
  }
  b.stepper.place(at(1));
  return true;
}

/** Of a move from rest: with one ramp it is cut off at speed, with two it comes to rest. */
function duration(mm: number, speed: number, acceleration: number, ramps: number): number {
  const ramp = (speed * speed) / (2 * acceleration);
  if (ramps * ramp <= mm) return mm / speed + (ramps * speed) / (2 * acceleration);
  return ramps * Math.sqrt((2 * mm) / ramps / acceleration);
}
