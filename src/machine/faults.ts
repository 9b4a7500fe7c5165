import { checkNumber, invalid } from "../errors.ts";
import type { Firmware } from "./firmware.ts";

/** What can go wrong, as data. */
export type Fault =
  /** The cable is pulled: the host sees a hang-up, the controller goes on with what it has. Back after `seconds`. */
  | { readonly kind: "unplug"; readonly seconds: number }
  /** The processor restarts by itself; bytes of the next `bootSeconds` are lost. */
  | { readonly kind: "restart"; readonly bootSeconds: number }
  /** It hangs for so long: it neither moves, reads nor answers, and what arrives is lost. */
  | { readonly kind: "freeze"; readonly seconds: number }
  /** It takes no byte from the wire for so long; none is lost, they wait on the host's side. */
  | { readonly kind: "stall"; readonly seconds: number }
  /** One byte is lost (`flip` 0) or has bits flipped, after `after` others that pass unharmed. */
  | {
      readonly kind: "damage";
      readonly direction: "toController" | "toHost";
      readonly after: number;
      readonly flip: number;
    }
  /** Answers come so much later from now on. */
  | { readonly kind: "late"; readonly seconds: number }
  /** Reading a line takes so long from now on. */
  | { readonly kind: "slow"; readonly lineSeconds: number }
  /** A limit switch closes, which is ALARM:1 whether or not `$21` asks for it. */
  | { readonly kind: "trip" }
  /** Switches change; those that are not named stay. */
  | { readonly kind: "pins"; readonly limits?: string; readonly door?: boolean; readonly probe?: boolean };

export type FaultKind = Fault["kind"];

/** What a fault needs of the cable, besides the controller itself. */
export interface Cable {
  unplug(): void;
  plug(): void;
}

const KINDS: readonly FaultKind[] = [
  "unplug",
  "restart",
  "freeze",
  "stall",
  "damage",
  "late",
  "slow",
  "trip",
  "pins",
];

/** @throws INVALID_ARGUMENT a kind that is none, a time or a number below 0 */
export function checkFault(fault: Fault): Fault {
  if (!KINDS.includes(fault?.kind)) throw invalid("fault", "a known kind of fault", fault);
  for (const [name, value] of Object.entries(fault))
    if (typeof value === "number") checkNumber(`fault.${name}`, value, { min: 0 });
  return fault;
}

/** Lets a fault happen, now. What it undoes by itself later follows the controller's clock. */
export function strike(firmware: Firmware, fault: Fault, cable: Cable): void {
  switch (fault.kind) {
    case "unplug":
      firmware.fault(`unplug ${fault.seconds} s`);
      cable.unplug();
      firmware.after(fault.seconds, () => cable.plug());
      return;
    case "restart":
      firmware.restart(fault.bootSeconds);
      return;
    case "freeze":
      firmware.freeze(true);
      firmware.after(fault.seconds, () => firmware.freeze(false));
      return;
    case "stall":
      firmware.stall(fault.seconds);
      return;
    case "damage":
      firmware.uart.damage(fault.direction, fault.after, fault.flip);
      return;
    case "late":
      firmware.delay(fault.seconds);
      return;
    case "slow":
      firmware.lineSeconds = fault.lineSeconds;
      firmware.fault(`lines take ${fault.lineSeconds} s`);
      return;
    case "trip":
      firmware.trip();
      return;
    case "pins": {
      const { kind: _, ...pins } = fault;
      firmware.setPins(pins);
      return;
    }
  }
}

/**
 * Faults at random: the same from the same seed, whatever runs between them.
 *
 * @param seed   any whole number
 * @param kinds  which kinds may come (default all)
 * @example const next = randomFaults(1, ["damage", "restart"]); next(); next();
 */
export function randomFaults(seed: number, kinds: readonly FaultKind[] = KINDS): () => Fault {
  let state = seed >>> 0;
  const random = (): number => {
    // mulberry32: one word of state is enough to pick faults with
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const whole = (below: number): number => Math.floor(random() * below);
  return () => {
    const kind = kinds[whole(kinds.length)]!;
    switch (kind) {
      case "unplug":
        return { kind, seconds: 0.1 + random() * 2 };
      case "restart":
        return { kind, bootSeconds: [0, 0.7, 1.5][whole(3)]! };
      case "freeze":
      case "stall":
        return { kind, seconds: 0.01 + random() * 3 };
      case "damage": {
        const direction = random() < 0.5 ? "toController" : "toHost";
        return { kind, direction, after: whole(200), flip: random() < 0.5 ? 0 : 1 << whole(8) };
      }
      case "late":
        return { kind, seconds: [0, 0.001, 0.004, 0.016][whole(4)]! };
      case "slow":
        return { kind, lineSeconds: random() * 0.002 };
      case "trip":
        return { kind };
      default:
        return { kind: "pins", door: random() < 0.5 };
    }
  };
}
