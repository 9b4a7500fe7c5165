import { KerfworkError } from "../errors.ts";
import { arcOf, type Box, growBox } from "./arc.ts";
import type { Limits } from "./limits.ts";
import type { Listing } from "./listing.ts";
import { endModal, type Modal, setModal, setMode } from "./modal.ts";

/** Coordinates beyond it are no machine's, mm; a controller's own numbers have lost the hundredths there. */
const REACH = 2_000_000;
/** Rounding of a program's decimals at the border of the travel, mm. */
const SLACK = 0.002;
/** Of a travel where the machine's own rates are not known, mm/min. */
const TRAVEL_RATE = 3000;
/** Lines of motion over which the need of the wire is taken: what a planner and a receive buffer hold together. */
const RATE_LINES = 32;

const X = 23;
const code = (letter: string): number => letter.charCodeAt(0) - 65;
const F = code("F");
const I = code("I");
const L = code("L");
const P = code("P");
const R = code("R");
const S = code("S");
const AXES = 7 << X;

/** Follows a program as the controller will, without sending it, and refuses what must not reach a machine. */
export class Walk {
  readonly modal: Modal;
  /** Lines of the listing that were walked. */
  done = 0;
  /** 1 for each line that surely fills a place of the planner. */
  readonly moves: Uint8Array;
  /** Box of all moves, work coordinates, mm; empty at first. */
  readonly box: Box = { min: [Infinity, Infinity, Infinity], max: [-Infinity, -Infinity, -Infinity] };
  /** Time of the moves at their feeds, without acceleration. */
  seconds = 0;
  /** Bytes a second that the busiest stretch needs. */
  peak = 0;
  /** The largest S. */
  power = 0;
  /** Bits of the axes that were named: X 1, Y 2, Z 4. */
  named = 0;
  /** True once coordinates hang on something that a reset of the controller takes away. */
  volatile = false;
  readonly #listing: Listing;
  readonly #limits: Limits;
  readonly #values = new Float64Array(26);
  #seen = 0;
  readonly #g: number[] = [];
  readonly #m: number[] = [];
  readonly #rate = { bytes: new Float64Array(RATE_LINES), seconds: new Float64Array(RATE_LINES), at: 0 };
  #sum = { bytes: 0, seconds: 0 };

  constructor(listing: Listing, start: Modal, limits: Limits = {}) {
    this.#listing = listing;
    this.#limits = limits;
    this.modal = { ...start, position: [...start.position], offset: [...start.offset] };
    this.moves = new Uint8Array(listing.ends.length);
  }

  get over(): boolean {
    return this.done === this.#listing.ends.length;
  }

  /**
   * Walks up to line `to` of the listing, not included.
   * @throws INVALID_ARGUMENT the first line that must not be sent, by number
   */
  advance(to = this.#listing.ends.length): void {
    const { ends } = this.#listing;
    const limit = Math.min(to, ends.length);
    while (this.done < limit) {
      const start = this.done === 0 ? 0 : ends[this.done - 1]!;
      const end = ends[this.done]! - 1;
      this.#read(start, end);
      const seconds = this.#apply();
      this.#weigh(end + 1 - start, seconds);
      this.done++;
    }
  }

  /** Splits a line into words. */
  #read(start: number, end: number): void {
    const { bytes } = this.#listing;
    this.#seen = 0;
    this.#g.length = 0;
    this.#m.length = 0;
    for (let at = start; at < end; ) {
      const letter = (bytes[at]! & 0xdf) - 65;
      if (bytes[at] === 0x2f) {
        at++;
        continue;
      }
      if (letter < 0 || letter > 25 || bytes[at]! < 65) this.#refuse(`a word where ${this.#char(at)} stands`);
      const first = ++at;
      let byte = bytes[at]!;
      const negative = byte === 0x2d;
      if (negative || byte === 0x2b) at++;
      let value = 0;
      let scale = 0;
      let digits = 0;
      for (; at < end; at++) {
        byte = bytes[at]!;
        if (byte >= 0x30 && byte <= 0x39) {
          value = value * 10 + (byte - 0x30);
          scale *= 10;
          digits++;
        } else if (byte === 0x2e && scale === 0) scale = 1;
        else break;
      }
      if (digits === 0) this.#refuse(`a number behind ${this.#char(first - 1)}`);
      if (scale > 1) value /= scale;
      if (negative) value = -value;
      if (letter === 6) this.#g.push(value);
      else if (letter === 12) {
        this.#m.push(value);
        // a text for the display
        if (value === 117 || value === 118) return;
      } else {
        this.#values[letter] = value;
        this.#seen |= 1 << letter;
      }
    }
  }

  /** Lets a line have its effect; gives its seconds, or -1 when it makes no move. */
  #apply(): number {
    const { modal } = this;
    const seen = this.#seen;
    let nonModal = 0;
    let machineCoordinates = false;
    const { system } = modal;
    for (const g of this.#g) {
      if (g === 53) machineCoordinates = true;
      else if (g === 4 || g === 10 || (g >= 28 && g < 31) || g >= 92) {
        if (g !== 93 && g !== 94) nonModal = g;
        else setModal(modal, g);
      } else if (g >= 43 && g <= 49) nonModal = g;
      else setModal(modal, g);
    }
    const scale = modal.units === 20 ? 25.4 : 1;
    if ((seen >> F) & 1) modal.feed = this.#values[F]! * (modal.feedMode === 94 ? scale : 1);
    if ((seen >> S) & 1) modal.power = this.#values[S]!;
    if (modal.power > this.power) this.power = modal.power;
    if (modal.system !== system) this.#forget();
    this.named |= (seen & AXES) >> X;
    let ends = false;
    for (const m of this.#m) {
      setMode(modal, m);
      if (m === 2 || m === 30) ends = true;
    }
    let seconds = -1;
    if (nonModal !== 0) this.#shift(nonModal, scale);
    else if ((seen & AXES) !== 0 && modal.motion !== 80) seconds = this.#move(machineCoordinates, scale);
    if (ends) endModal(modal);
    return seconds;
  }

  #move(machineCoordinates: boolean, scale: number): number {
    const { modal } = this;
    const { position, offset, motion } = modal;
    const from = [position[0]!, position[1]!, position[2]!];
    let length = 0;
    for (let axis = 0; axis < 3; axis++) {
      if (((this.#seen >> (X + axis)) & 1) === 0) continue;
      const value = this.#values[X + axis]! * scale;
      if (!(Math.abs(value) <= REACH)) this.#refuse(`coordinates within ${REACH} mm`);
      if (machineCoordinates) position[axis] = value - offset[axis]!;
      else position[axis] = modal.distance === 91 ? position[axis]! + value : value;
      const delta = position[axis]! - from[axis]!;
      length += delta * delta;
    }
    length = Math.sqrt(length);
    if (motion === 2 || motion === 3) length = this.#arc(from, motion, scale);
    else growBox(this.box, position);
    this.#checkReach(position, position);
    // a probe ends wherever it touches
    if (motion === 38) position.fill(Number.NaN);
    if (!(length > 0)) return -1;
    this.moves[this.done] = 1;
    if (motion === 0) return (length / this.#travelRate(from)) * 60;
    if (modal.feedMode === 93) return modal.feed > 0 ? 60 / modal.feed : 0;
    return modal.feed > 0 ? (length / modal.feed) * 60 : 0;
  }

  #arc(from: readonly number[], motion: 2 | 3, scale: number): number {
    const { modal } = this;
    const words = (letter: number): number | undefined =>
      (this.#seen >> letter) & 1 ? this.#values[letter]! * scale : undefined;
    const centre = [words(I), words(I + 1), words(I + 2)];
    const arc = arcOf(from, modal.position, centre, words(R), motion === 2, modal.plane);
    if (typeof arc === "string") this.#refuse(arc);
    else if (arc !== undefined) {
      growBox(this.box, arc.box.min);
      growBox(this.box, arc.box.max);
      this.#checkReach(arc.box.min, arc.box.max);
      return arc.length;
    }
    return 0;
  }

  #checkReach(min: readonly number[], max: readonly number[]): void {
    const { travel } = this.#limits;
    if (travel === undefined) return;
    for (let axis = 0; axis < 3; axis++) {
      const offset = this.modal.offset[axis]!;
      const low = min[axis]! + offset;
      const high = max[axis]! + offset;
      if (((this.#seen >> (X + axis)) & 1) === 0 && min === max) continue;
      if (low >= -travel[axis]! - SLACK && high <= SLACK) continue;
      // what is not known cannot be judged
      if (Number.isNaN(low) || Number.isNaN(high)) continue;
      const name = "XYZ"[axis];
      const at = low < -travel[axis]! ? low : high;
      this.#refuse(
        `within the machine's travel, ${name} ${-travel[axis]!}..0 in machine coordinates, and it reaches ${name} ${Number(at.toFixed(3))}`,
      );
    }
  }

  #travelRate(from: readonly number[]): number {
    const { rates } = this.#limits;
    if (rates === undefined) return TRAVEL_RATE;
    let seconds = 0;
    let length = 0;
    for (let axis = 0; axis < 3; axis++) {
      const delta = Math.abs(this.modal.position[axis]! - from[axis]!);
      if (!(delta > 0)) continue;
      length += delta * delta;
      seconds = Math.max(seconds, delta / rates[axis]!);
    }
    return seconds > 0 ? Math.sqrt(length) / seconds : TRAVEL_RATE;
  }

  /** G10, G28, G30, G43.1, G49, G92: they change what coordinates mean, or move to where only the controller knows. */
  #shift(g: number, scale: number): void {
    const { position, offset, system } = this.modal;
    if (g === 4 || g === 28.1 || g === 30.1) return;
    if (g === 92 || g === 43.1) this.volatile = true;
    const has = (letter: number): boolean => ((this.#seen >> letter) & 1) === 1;
    if (g === 10) {
      const slot = has(P) ? this.#values[P]! : -1;
      if (slot !== 0 && slot !== system - 53) return;
    }
    if (g !== 92 && !(g === 10 && has(L) && this.#values[L] === 20)) {
      this.#forget();
      return;
    }
    for (let axis = 0; axis < 3; axis++) {
      if (!has(X + axis)) continue;
      const value = this.#values[X + axis]! * scale;
      offset[axis] = offset[axis]! + position[axis]! - value;
      position[axis] = value;
    }
  }

  #forget(): void {
    this.modal.position.fill(Number.NaN);
    this.modal.offset.fill(Number.NaN);
  }

  /** Counts what the wire has to carry while the machine moves. */
  #weigh(bytes: number, seconds: number): void {
    const { bytes: ring, seconds: times } = this.#rate;
    if (seconds < 0) {
      ring.fill(0);
      times.fill(0);
      this.#rate.at = 0;
      this.#sum = { bytes: 0, seconds: 0 };
      return;
    }
    this.seconds += seconds;
    const slot = this.#rate.at++ % RATE_LINES;
    this.#sum.bytes += bytes - ring[slot]!;
    this.#sum.seconds += seconds - times[slot]!;
    ring[slot] = bytes;
    times[slot] = seconds;
    if (this.#rate.at >= RATE_LINES && this.#sum.seconds > 1e-9)
      this.peak = Math.max(this.peak, this.#sum.bytes / this.#sum.seconds);
  }

  #char(at: number): string {
    return JSON.stringify(String.fromCharCode(this.#listing.bytes[at]!));
  }

  #refuse(contract: string): never {
    const { ends, source, bytes } = this.#listing;
    const start = this.done === 0 ? 0 : ends[this.done - 1]!;
    const text = Buffer.from(bytes.subarray(start, ends[this.done]! - 1)).toString("latin1");
    const line = source[this.done]!;
    const message = `Expected line ${line} of \`program\` to have ${contract}, got ${JSON.stringify(text)}`;
    throw new KerfworkError("INVALID_ARGUMENT", message.replace("to have within", "to stay within"), {
      data: { line, text },
    });
  }
}
