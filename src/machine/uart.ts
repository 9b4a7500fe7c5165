/** The bytes that a GRBL controller keeps for lines that it has not read yet. */
export const RX_BYTES = 128;
const TX_BYTES = 104;
/** Start bit, eight data bits, stop bit. */
const BITS_PER_BYTE = 10;
/** What the receiver itself keeps while interrupts are off. */
const UART_BYTES = 2;

interface Damage {
  after: number;
  readonly mask: number;
}

/**
 * The serial port as the controller has it: one byte at a time each way, at the wire's speed; a receive ring that drops
 * silently when it is full; a transmit ring whose writer waits. Times are seconds of the controller's clock.
 */
export class Uart {
  /** Bytes dropped because the ring was full. */
  overflow = 0;
  /** Bytes lost in the receiver while interrupts were off, or while nobody listened. */
  overrun = 0;
  /** The most bytes that the ring ever held. */
  highWater = 0;
  readonly #byteSeconds: number;
  #wire: number[] = [];
  #wireHead = 0;
  #arrivesAt = Infinity;
  #ring: number[] = [];
  #tx: number[] = [];
  #leavesAt = Infinity;
  #out: number[] = [];
  /** Set while interrupts are off: what the receiver itself holds. */
  #masked: number[] | undefined;
  readonly #damage: { toController: Damage[]; toHost: Damage[] } = { toController: [], toHost: [] };

  constructor(baud: number) {
    this.#byteSeconds = BITS_PER_BYTE / baud;
  }

  /** The host's side: puts bytes on the wire, after those that still wait for it. */
  send(bytes: Uint8Array, now: number): void {
    if (bytes.length === 0) return;
    if (this.#arrivesAt === Infinity) this.#arrivesAt = now + this.#byteSeconds;
    for (const byte of bytes) this.#wire.push(byte);
  }

  /** The host's side: takes what has left the wire. */
  take(): Uint8Array {
    const bytes = Uint8Array.from(this.#out);
    this.#out = [];
    return bytes;
  }

  /** Loses (`mask` 0) or flips the byte that comes after `after` others. */
  damage(direction: "toController" | "toHost", after: number, mask: number): void {
    this.#damage[direction].push({ after, mask });
  }

  /** Forgets damage that has not struck yet. */
  heal(): void {
    this.#damage.toController = [];
    this.#damage.toHost = [];
  }

  /** When the next byte arrives or leaves. */
  next(): number {
    return Math.min(this.#arrivesAt, this.#masked ? Infinity : this.#leavesAt);
  }

  /** Moves bytes up to `now`; `interrupt` takes each one that arrived and says whether it belongs in the ring. */
  advance(now: number, interrupt: (byte: number) => boolean): void {
    while (this.#arrivesAt <= now) {
      const byte = hit(this.#damage.toController, this.#wire[this.#wireHead++]!);
      if (this.#wireHead === this.#wire.length) {
        this.#wire = [];
        this.#wireHead = 0;
        this.#arrivesAt = Infinity;
      } else this.#arrivesAt += this.#byteSeconds;
      if (byte === undefined) continue;
      if (this.#masked === undefined) this.#accept(byte, interrupt);
      else if (this.#masked.length < UART_BYTES) this.#masked.push(byte);
      else this.overrun++;
    }
    while (this.#leavesAt <= now && this.#masked === undefined) {
      const byte = hit(this.#damage.toHost, this.#tx.shift()!);
      if (byte !== undefined) this.#out.push(byte);
      this.#leavesAt = this.#tx.length === 0 ? Infinity : this.#leavesAt + this.#byteSeconds;
    }
  }

  #accept(byte: number, interrupt: (byte: number) => boolean): void {
    if (!interrupt(byte)) return;
    if (this.#ring.length === RX_BYTES) this.overflow++;
    else this.highWater = Math.max(this.highWater, this.#ring.push(byte));
  }

  /** The next byte of the receive ring, or -1. */
  read(): number {
    return this.#ring.shift() ?? -1;
  }

  /** Free bytes of the receive ring. */
  get rxFree(): number {
    return RX_BYTES - this.#ring.length;
  }

  /** Puts a byte into the transmit ring; false when it is full. */
  write(byte: number, now: number): boolean {
    if (this.#tx.length === TX_BYTES) return false;
    if (this.#tx.push(byte) === 1) this.#leavesAt = now + this.#byteSeconds;
    return true;
  }

  /** Turns interrupts off. */
  mask(): void {
    this.#masked = [];
  }

  unmask(now: number, interrupt: (byte: number) => boolean): void {
    const held = this.#masked ?? [];
    this.#masked = undefined;
    for (const byte of held) this.#accept(byte, interrupt);
    if (this.#tx.length > 0) this.#leavesAt = Math.max(this.#leavesAt, now + this.#byteSeconds);
  }

  clearReceived(): void {
    this.#ring = [];
  }

  clearSent(): void {
    this.#tx = [];
    this.#leavesAt = Infinity;
  }
}

/** What is left of a byte after the damage that is due; undefined when it is lost. */
function hit(list: Damage[], byte: number): number | undefined {
  let left: number | undefined = byte;
  for (const damage of list)
    if (damage.after-- === 0) left = damage.mask === 0 ? undefined : byte ^ damage.mask;
  return left;
}
