/** Characters that a controller keeps of a line. */
const LINE_CHARACTERS = 79;

/** What becomes of each byte outside of comments: its code in capitals, or 0 when it is stripped. */
const KEPT: readonly number[] = Array.from({ length: 256 }, (_, byte) => {
  if (byte <= 32 || byte === 0x2f) return 0;
  return byte >= 0x61 && byte <= 0x7a ? byte - 32 : byte;
});

/** Collects a line as a controller does: it strips while it reads, so what it strips takes no room. */
export class LineInput {
  tooLong = false;
  readonly #codes: number[] = [];
  #comment: 0 | 0x28 | 0x3b = 0;

  /** Without comments, spaces, control characters and `/`, in capitals. */
  get text(): string {
    return String.fromCharCode(...this.#codes);
  }

  take(byte: number): void {
    if (this.#comment !== 0) {
      if (this.#comment === 0x28 && byte === 0x29) this.#comment = 0;
    } else if (byte === 0x28 || byte === 0x3b) this.#comment = byte;
    else {
      const kept = KEPT[byte]!;
      if (kept === 0) return;
      if (this.#codes.length === LINE_CHARACTERS) this.tooLong = true;
      else this.#codes.push(kept);
    }
  }

  clear(): void {
    this.#codes.length = 0;
    this.tooLong = false;
    this.#comment = 0;
  }
}

/**
 * The bytes that act at once wherever they stand: ?, !, ~, 0x18, and for GRBL all beyond 7 bits. Marlin has none.
 */
export function isRealtime(byte: number, program: "grbl" | "marlin" | "smoothie"): boolean {
  if (program === "marlin") return false;
  return (
    (byte > 0x7f && program === "grbl") || byte === 0x3f || byte === 0x21 || byte === 0x7e || byte === 0x18
  );
}

/** What was asked of the main loop from outside. Flags, not a queue: asked twice before it looks counts once. */
export class Requests {
  status = false;
  hold = false;
  resume = false;
  reset = false;
  door = false;
  jogCancel = false;
  sleep = false;
  /** Overrides and the switches of outputs, by their byte. */
  readonly overrides = new Set<number>();
  /** The number of the alarm that is due, or 0. */
  alarm = 0;

  /** Anything at all. */
  get any(): boolean {
    return (
      this.status ||
      this.hold ||
      this.resume ||
      this.reset ||
      this.door ||
      this.jogCancel ||
      this.sleep ||
      this.alarm !== 0 ||
      this.overrides.size > 0
    );
  }

  /** Notes a realtime byte; those that this controller does not know are dropped. */
  take(byte: number): void {
    if (byte === 0x3f) this.status = true;
    else if (byte === 0x21) this.hold = true;
    else if (byte === 0x7e) this.resume = true;
    else if (byte === 0x18) this.reset = true;
    else if (byte === 0x84) this.door = true;
    else if (byte === 0x85) this.jogCancel = true;
    else if (byte >= 0x90 && byte <= 0xa1 && byte !== 0x98 && byte !== 0x9f) this.overrides.add(byte);
  }
}
