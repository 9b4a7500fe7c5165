import type { Board } from "./board.ts";
import type { Steps } from "./processor.ts";

/** After an alarm the controller stands deaf for so long. */
const ALARM_SECONDS = 0.5;
/** What a door takes to bring back a spindle and a coolant pump; a laser needs neither. */
const SPINDLE_SECONDS = 4;
const COOLANT_SECONDS = 1;

/** Serves requests until something is true, or a reset was asked for. */
export function* until(b: Board, done: () => boolean): Steps {
  for (;;) {
    yield* serve(b);
    if (b.aborted || done()) return;
    yield;
  }
}

/** Waits until all that is queued has run. */
export function* drain(b: Board): Steps {
  yield* until(b, () => {
    b.startMotion();
    return b.planner.empty && !b.moving && b.state !== "Run";
  });
}

/** Serves what was asked for; while the machine is held it does nothing else. */
export function* serve(b: Board): Steps {
  yield* flags(b);
  while (!b.aborted && (b.state === "Hold" || b.state === "Door" || b.state === "Sleep" || b.endingJog)) {
    yield;
    yield* flags(b);
  }
}

/** Looks once at all that was asked for, and at what the motion has come to. */
export function* flags(b: Board): Steps {
  const { asked, stepper } = b;
  if (asked.alarm !== 0) yield* alarm(b, asked.alarm);
  if (asked.reset) {
    b.aborted = true;
    return;
  }
  if (asked.sleep) {
    asked.sleep = false;
    b.state = "Sleep";
    b.outputs = { spindle: 5, speed: 0 };
    b.status.outputsChanged();
    yield* b.cpu.print("[MSG:Sleeping]\r\n");
  }
  if (asked.status) {
    asked.status = false;
    yield* b.cpu.print(b.report());
  }
  if (asked.door) yield* door(b);
  if ((asked.hold || asked.jogCancel) && b.state === "Jog") {
    stepper.hold();
    b.endingJog = true;
  }
  asked.jogCancel = false;
  if (asked.hold) {
    asked.hold = false;
    if (b.state === "Idle" || b.state === "Run") {
      stepper.hold();
      b.state = "Hold";
    }
  }
  if (asked.resume) yield* resume(b);
  stepper.prepare();
  stopped(b);
  if ((b.state === "Run" || b.state === "Jog") && stepper.motion === "still") {
    b.state = "Idle";
    const lockMs = b.settings.number(1);
    if (lockMs !== 255) yield* b.cpu.wait(lockMs / 1000);
  }
  if (asked.overrides.size > 0) override(b);
}

/** A hold, a door or the end of a jog that is complete. */
function stopped(b: Board): void {
  if (b.moving) return;
  if (b.endingJog) {
    // what is left of the jog is forgotten
    b.stepper.place(b.position);
    b.stepper.kill();
    b.syncPosition();
    b.endingJog = false;
    if (b.state === "Jog") b.state = "Idle";
  }
  const held = b.state === "Hold" || b.state === "Door";
  if (!held || b.outputsHeld) return;
  if (b.state === "Door" || (b.settings.laser && b.outputs.spindle !== 5)) {
    b.outputsHeld = true;
    b.status.outputsChanged();
  }
}

function* door(b: Board): Steps {
  b.asked.door = false;
  if (b.state === "Alarm" || b.state === "Check" || b.state === "Sleep" || b.state === "Home") return;
  yield* b.cpu.print("[MSG:Check Door]\r\n");
  if (b.state === "Jog") b.endingJog = true;
  b.stepper.hold();
  b.restoring = false;
  b.state = "Door";
}

/** `~` counts when the machine stands; while it slows down it is lost. */
function* resume(b: Board): Steps {
  b.asked.resume = false;
  const text = b.stateText;
  if (text !== "Hold:0" && text !== "Door:0") return b.startMotion();
  const lit = b.outputsHeld && b.outputs.spindle !== 5;
  if (text === "Door:0" && !b.settings.laser) {
    const coolant = b.modal.mist || b.modal.flood;
    b.restoring = true;
    if (lit) yield* restore(b, "[MSG:Restoring spindle]\r\n", SPINDLE_SECONDS);
    if (coolant && b.restoring) yield* restore(b, "", COOLANT_SECONDS);
    // a door that was opened again, or a reset
    if (!b.restoring || b.aborted) return;
    b.restoring = false;
  } else if (lit) yield* b.cpu.print("[MSG:Restoring spindle]\r\n");
  b.outputsHeld = false;
  b.stepper.release();
  b.state = b.planner.empty ? "Idle" : "Run";
}

function* restore(b: Board, message: string, seconds: number): Steps {
  yield* b.cpu.print(message);
  const passed = b.cpu.passed(seconds);
  while (b.restoring && !b.aborted && !passed()) {
    yield;
    yield* flags(b);
  }
}

function override(b: Board): void {
  for (const byte of b.asked.overrides) {
    if (byte === 0x9e) {
      // stops or starts the spindle of a held machine
      if (b.stateText !== "Hold:0" || b.outputs.spindle === 5) continue;
      b.outputsHeld = !b.outputsHeld;
      b.status.outputsChanged();
    } else if (byte === 0xa0 || byte === 0xa1) {
      if (b.state !== "Idle" && b.state !== "Run" && b.state !== "Hold") continue;
      const { mist, flood } = b.modal;
      b.modal = { ...b.modal, ...(byte === 0xa0 ? { flood: !flood } : { mist: !mist }) };
      b.status.outputsChanged();
    } else if (b.overrides.take(byte)) {
      b.planner.override(b.overrides.feed / 100, b.overrides.rapid / 100);
      b.stepper.powerShare = b.overrides.spindle / 100;
      b.status.outputsChanged();
    }
  }
  b.asked.overrides.clear();
}

/** Takes power from the motors; the main loop stands for `$1` ms. What came by an interrupt keeps others out. */
function* lock(b: Board, masked: boolean): Steps {
  const seconds = b.settings.number(1) / 1000;
  yield* masked ? b.cpu.maskedWait(seconds) : b.cpu.wait(seconds);
}

function* alarm(b: Board, code: number): Steps {
  const { asked } = b;
  asked.alarm = 0;
  b.state = "Alarm";
  b.outputs = { spindle: 5, speed: 0 };
  // probing and homing end by themselves
  const byItself = code === 4 || code === 5 || code > 6;
  if (!byItself) yield* lock(b, code !== 2);
  yield* b.cpu.print(`ALARM:${code}\r\n`);
  yield* b.cpu.wait(ALARM_SECONDS);
  if (code > 2) return;
  asked.reset = false;
  yield* b.cpu.print("[MSG:Reset to continue]\r\n");
  while (!asked.reset) yield;
  // a soft limit leaves the stepper in its hold, so the reset locks once more
  if (code === 2) yield* lock(b, true);
}
