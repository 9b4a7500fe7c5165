import { checkNumber, checkOptions, invalid } from "../errors.ts";
import { type Channel, REALTIME } from "./channel.ts";

/** A move by hand: axes that are left out stay. */
export interface JogMove {
  /** mm; how far, or with `absolute` where to, in work coordinates. */
  readonly x?: number;
  readonly y?: number;
  readonly z?: number;
  /** mm/min, > 0. */
  readonly feed: number;
  /** Where to, instead of how far (default false). */
  readonly absolute?: boolean;
}

/** Motion that may be queued before the next jog is sent, s: enough to run smoothly, little enough to end at once. */
const AHEAD_SECONDS = 0.2;
/** A timer may ring a hair early, s. */
const ROUNDING = 0.002;

/**
 * Sends jogs as the machine gets through them. A held key asks for more than a machine can do; what cannot be queued yet
 * waits, and only the latest of those that wait.
 */
export class Jogger {
  readonly #channel: Channel;
  /** When the motion that is queued will have ended. */
  #until = 0;
  /** True while the controller has a jog that it has not answered. */
  #sending = false;
  /** Gives the jog that waits its answer: true to look again, false when another took its place. */
  #waiting: ((go: boolean) => void) | undefined;

  constructor(channel: Channel) {
    this.#channel = channel;
    channel.listen((event) => {
      // whatever ended it: a hold, a limit, a reset, or that it was faster than thought
      if (event.type !== "status" || this.#sending || event.state === "Jog") return;
      this.#until = 0;
      this.#waiting?.(true);
    });
  }

  /**
   * Resolves with true when the controller has taken it, with false when a later one or a cancel took its place.
   * `place` is where the machine is now, for the time that an absolute one takes.
   */
  async jog(move: JogMove, place: readonly number[] | undefined): Promise<boolean> {
    const { line, length } = jogLine(move, place);
    this.#waiting?.(false);
    while (!this.#free()) if (!(await this.#turn())) return false;
    if (this.#channel.ended !== undefined) throw this.#channel.ended;
    const now = this.#channel.clock.now();
    this.#until = Math.max(this.#until, now) + (length / move.feed) * 60;
    this.#sending = true;
    try {
      await this.#channel.send(line);
    } finally {
      this.#sending = false;
      this.#waiting?.(true);
    }
    return true;
  }

  /** Ends all jogging, what waits as well; the byte that does it does nothing to other motion. */
  cancel(): void {
    this.#waiting?.(false);
    this.#until = 0;
    this.#channel.realtime(REALTIME.cancelJog);
  }

  #free(): boolean {
    return !this.#sending && this.#until - this.#channel.clock.now() <= AHEAD_SECONDS + ROUNDING;
  }

  /** Waits for the end of what is queued, or of what is sent. */
  #turn(): Promise<boolean> {
    const { clock } = this.#channel;
    return new Promise((resolve) => {
      const wait = this.#until - clock.now() - AHEAD_SECONDS;
      // one that is not answered yet lets the next one go when it is
      const cancel = this.#sending ? () => {} : clock.after(wait, () => this.#waiting?.(true));
      this.#waiting = (go) => {
        cancel();
        this.#waiting = undefined;
        resolve(go);
      };
    });
  }
}

function jogLine(
  move: JogMove,
  place: readonly number[] | undefined,
): { readonly line: string; readonly length: number } {
  if (typeof move !== "object" || move === null)
    throw invalid("move", "an object with x, y, z and feed", move);
  checkOptions(move, ["x", "y", "z", "feed", "absolute"]);
  const { absolute = false } = move;
  if (typeof absolute !== "boolean") throw invalid("absolute", "true or false", absolute);
  checkNumber("feed", move.feed, { above: 0 });
  let words = "";
  let square = 0;
  for (const [axis, name] of (["x", "y", "z"] as const).entries()) {
    const value = move[name];
    if (value === undefined) continue;
    checkNumber(name, value, { min: -10_000, max: 10_000 });
    words += `${name.toUpperCase()}${Number(value.toFixed(3))}`;
    square += (absolute ? value - (place?.[axis] ?? 0) : value) ** 2;
  }
  if (words === "") throw invalid("move", "one of x, y and z", move);
  const line = `$J=G21${absolute ? "G90" : "G91"}${words}F${Number(move.feed.toFixed(3))}`;
  return { line, length: Math.sqrt(square) };
}
