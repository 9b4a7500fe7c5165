/** Characters that a controller keeps of a line. */
const LINE_CHARACTERS = 79;

/** Collects a line as a controller does: it strips while it reads, so what it strips takes no room. */
export class LineInput {
  /** Without comments, spaces, control characters and `/`, in capitals. */
  text = "";
  tooLong = false;
  #comment: "" | "(" | ";" = "";

  take(byte: number): void {
    const character = String.fromCharCode(byte);
    if (this.#comment !== "") {
      if (this.#comment === "(" && character === ")") this.#comment = "";
    } else if (character === "(" || character === ";") this.#comment = character;
    else if (byte > 32 && character !== "/") {
      if (this.text.length === LINE_CHARACTERS) this.tooLong = true;
      else this.text += character.toUpperCase();
    }
  }

  clear(): void {
    this.text = "";
    this.tooLong = false;
    this.#comment = "";
  }
}

/** The bytes that act at once wherever they stand: ?, !, ~, 0x18 and all beyond 7 bits. */
export const isRealtime = (byte: number): boolean =>
  byte > 0x7f || byte === 0x3f || byte === 0x21 || byte === 0x7e || byte === 0x18;

/** What was asked of the main loop from outside. Flags, not a queue: asked twice before it looks counts once. */
export class Requests {
  status = false;
  hold = false;
  resume = false;
  reset = false;
  jogCancel = false;
  sleep = false;
  /** The number of the alarm that is due, or 0. */
  alarm = 0;

  /** Notes a realtime byte; those that this controller does not know are dropped. */
  take(byte: number): void {
    if (byte === 0x3f) this.status = true;
    if (byte === 0x21) this.hold = true;
    if (byte === 0x7e) this.resume = true;
    if (byte === 0x18) this.reset = true;
    if (byte === 0x85) this.jogCancel = true;
  }
}
