import { checkNumber, checkOneOf, checkOptions, KerfworkError } from "../errors.ts";
import type { Channel } from "./channel.ts";

/** What the machine makes of the program's speeds and power, %. Those left out stay. */
export interface Overrides {
  /** Of F, an integer 10..200. */
  readonly feed?: number;
  /** Of travels: 100, 50 or 25. */
  readonly rapid?: 100 | 50 | 25;
  /** Of S, an integer 10..200. */
  readonly spindle?: number;
}

/** Bytes of a scaled override: back to 100, and four steps. */
interface Steps {
  readonly reset: string;
  readonly by: readonly (readonly [number, string])[];
}

const FEED: Steps = {
  reset: "\x90",
  by: [
    [10, "\x91"],
    [-10, "\x92"],
    [1, "\x93"],
    [-1, "\x94"],
  ],
};
const SPINDLE: Steps = {
  reset: "\x99",
  by: [
    [10, "\x9a"],
    [-10, "\x9b"],
    [1, "\x9c"],
    [-1, "\x9d"],
  ],
};
const RAPID: Readonly<Record<number, string>> = { 100: "\x95", 50: "\x96", 25: "\x97" };

/** A report that shows what changed comes at once; one that does not after so long means that the byte did nothing. */
const SHOWN_SECONDS = 0.5;
/** Before the first of them was ever seen: reports show overrides every 20th time. */
const SEEN_SECONDS = 3;
/** From 10 to 200 by tens and ones takes 37, and some may be lost. */
const TRIES = 60;

/**
 * Brings overrides to what is asked. A byte is a flag to the controller, so that two that come close count once: the next
 * one goes out only when a report has shown what the last one did.
 */
export class Overrider {
  readonly #channel: Channel;
  /** What is wanted, feed, rapid and spindle; undefined where nothing is. */
  #wanted: (number | undefined)[] = [];
  #work: Promise<void> | undefined;

  constructor(channel: Channel) {
    this.#channel = channel;
  }

  /** @throws TIMEOUT the reports never showed it; MACHINE_SILENT, PORT_LOST, INVALID_ARGUMENT */
  set(wanted: Overrides): Promise<void> {
    const { feed, rapid, spindle } = checkOverrides(wanted);
    for (const [i, value] of [feed, rapid, spindle].entries())
      if (value !== undefined) this.#wanted[i] = value;
    return this.#start();
  }

  /** Adds to what is wanted, or else to what is; ends at the controller's own limits. */
  async add(change: { readonly feed?: number; readonly spindle?: number }): Promise<void> {
    checkOptions(change, ["feed", "spindle"]);
    const now = await seen(this.#channel);
    for (const [i, name] of [
      [0, "feed"],
      [2, "spindle"],
    ] as const) {
      const value = change[name];
      if (value === undefined) continue;
      checkNumber(name, value, { min: -190, max: 190, integer: true });
      this.#wanted[i] = Math.min(200, Math.max(10, (this.#wanted[i] ?? now[i]!) + value));
    }
    return this.#start();
  }

  #start(): Promise<void> {
    this.#work ??= this.#bring().finally(() => {
      this.#work = undefined;
      this.#wanted = [];
    });
    return this.#work;
  }

  async #bring(): Promise<void> {
    const channel = this.#channel;
    for (let tries = 0; tries < TRIES; tries++) {
      const now = await seen(channel);
      const [feed, rapid, spindle] = this.#wanted;
      const byte =
        nextByte(FEED, now[0]!, feed) ??
        (rapid !== undefined && rapid !== now[1] ? RAPID[rapid] : undefined) ??
        nextByte(SPINDLE, now[2]!, spindle);
      if (byte === undefined) return;
      const before = now.join();
      channel.realtime(byte);
      await channel.wait(SHOWN_SECONDS, (event) =>
        event.type === "status" && event.overrides !== undefined && event.overrides.join() !== before
          ? true
          : undefined,
      );
    }
    throw new KerfworkError(
      "TIMEOUT",
      "The controller's reports never showed the overrides that were asked for",
    );
  }
}

/** Checks without sending anything. @throws INVALID_ARGUMENT */
function checkOverrides(wanted: Overrides): Overrides {
  checkOptions(wanted, ["feed", "rapid", "spindle"]);
  for (const name of ["feed", "spindle"] as const)
    if (wanted[name] !== undefined) checkNumber(name, wanted[name], { min: 10, max: 200, integer: true });
  if (wanted.rapid !== undefined) checkOneOf("rapid", String(wanted.rapid), ["100", "50", "25"]);
  return wanted;
}

async function seen(channel: Channel): Promise<readonly number[]> {
  const { overrides } = channel.tracker.snapshot(true);
  if (overrides !== undefined) return overrides;
  const found = await channel.wait(SEEN_SECONDS, (event) =>
    event.type === "status" ? event.overrides : undefined,
  );
  if (found !== undefined) return found;
  throw new KerfworkError("TIMEOUT", "The controller's reports show no overrides");
}

function nextByte(steps: Steps, now: number, wanted: number | undefined): string | undefined {
  if (wanted === undefined || wanted === now) return undefined;
  // a reset is one byte, wherever it starts from
  if (wanted === 100) return steps.reset;
  const gap = wanted - now;
  // through 100 if that is nearer
  if (Math.abs(wanted - 100) + 1 < Math.abs(gap) && Math.sign(wanted - 100) !== Math.sign(now - 100))
    return steps.reset;
  const size = Math.abs(gap) >= 10 ? 10 : 1;
  return steps.by.find(([step]) => step === size * Math.sign(gap))?.[1];
}
