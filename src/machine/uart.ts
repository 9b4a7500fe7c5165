import { Fifo } from "./fifo.ts";

/** The bytes that a GRBL controller keeps for lines that it has not read yet. */
export const RX_BYTES = 128;
const TX_BYTES = 104;
/** Start bit, eight data bits, stop bit. */
const BITS_PER_BYTE = 10;
/** What the receiver itself keeps while interrupts are off. */
const UART_BYTES = 2;
const LF = 10;

/** Why a byte did not come through: no room, interrupts off or nobody there, or lost or changed on the wire. */
export type Loss = "overflow" | "overrun" | "damage";

interface Damage {
  after: number;
  readonly mask: number;
}

/** Bytes at which the controller may have something to do, whatever its language: line ends and realtime bytes. */
const CALLS: readonly boolean[] = Array.from(
  { length: 256 },
  (_, byte) => byte > 0x7f || [10, 13, 0x18, 0x21, 0x3f, 0x7e].includes(byte),
);

/**
 * The serial port as the controller has it: one byte at a time each way, at the wire's speed; a receive ring that drops
 * silently when it is full; a transmit ring whose writer waits. Times are seconds of the controller's clock. Bytes that
 * change nothing but the fill of a ring are moved when somebody looks, each with its own time.
 */
export class Uart {
  /** Bytes dropped because the ring was full. */
  overflow = 0;
  /** Bytes lost in the receiver while interrupts were off, or while nobody listened. */
  overrun = 0;
  /** The most bytes that the ring ever held. */
  highWater = 0;
  /** Bytes that arrived, and that left. */
  received = 0;
  sent = 0;
  /** Is told of each byte that is lost or changed, on its way in or out. */
  onLoss: (why: Loss, byte: number, seconds: number, direction: "toController" | "toHost") => void = () => {};
  /** The room of the receive ring. */
  readonly rxBytes: number;
  readonly #byteSeconds: number;
  readonly #wire = new Fifo();
  readonly #ring: Fifo;
  readonly #tx = new Fifo(TX_BYTES);
  readonly #out = new Fifo();
  #now = 0;
  #arrivesAt = Infinity;
  /** Bytes on the wire up to the first that calls, itself counted; 0 when none does. */
  #toCall = 0;
  /** Bytes in the transmit ring up to the first line end, itself counted; 0 when there is none. */
  #toLine = 0;
  #leavesAt = Infinity;
  /** Until then nothing is taken from the wire. */
  #stalledUntil = 0;
  /** Set while interrupts are off: what the receiver itself holds. */
  #masked: number[] | undefined;
  #latency = 0;
  /** With latency: how many bytes become visible to the host, and when. */
  #late: { readonly at: number; count: number }[] = [];
  readonly #damage: { toController: Damage[]; toHost: Damage[] } = { toController: [], toHost: [] };

  constructor(baud: number, rxBytes = RX_BYTES) {
    this.#byteSeconds = BITS_PER_BYTE / baud;
    this.rxBytes = rxBytes;
    this.#ring = new Fifo(rxBytes);
  }

  /** The host's side: puts bytes on the wire, after those that still wait for it. */
  send(bytes: Uint8Array, now: number): void {
    if (bytes.length === 0) return;
    if (this.#arrivesAt === Infinity && this.#stalledUntil !== Infinity)
      this.#arrivesAt = Math.max(now, this.#stalledUntil) + this.#byteSeconds;
    for (const byte of bytes) {
      this.#wire.push(byte);
      if (this.#toCall === 0 && CALLS[byte]!) this.#toCall = this.#wire.length;
    }
  }

  /** The host's side: takes what has left the wire. */
  take(): Uint8Array {
    if (this.#late.length === 0) return this.#out.take();
    let count = 0;
    while (this.#late.length > 0 && this.#late[0]!.at <= this.#now) count += this.#late.shift()!.count;
    return this.#out.take(count);
  }

  /** Bytes of the host that still wait for the wire. */
  get waiting(): number {
    return this.#wire.length;
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

  /** The host sees each byte so much later than it left, s. */
  delay(seconds: number): void {
    // what already left keeps its place in the order
    if (this.#out.length > 0 && this.#late.length === 0)
      this.#late.push({ at: this.#now, count: this.#out.length });
    this.#latency = seconds;
  }

  /** Takes nothing from the wire until then; what the host sends meanwhile waits on its side. */
  stall(until: number, now: number): void {
    this.#stalledUntil = until;
    if (this.#wire.length > 0) this.#arrivesAt = Math.max(now, until) + this.#byteSeconds;
  }

  /** When a byte arrives that the controller may act on, or that fills the ring. */
  nextArrival(): number {
    if (this.#wire.length === 0) return Infinity;
    if (this.#damage.toController.length > 0) return this.#arrivesAt;
    const room = this.rxBytes - this.#ring.length;
    const count = this.#toCall === 0 ? room : room > 0 && room < this.#toCall ? room : this.#toCall;
    if (count === 0 || count > this.#wire.length) return Infinity;
    return this.#arrivesAt + (count - 1) * this.#byteSeconds;
  }

  /** When the next byte makes room in the transmit ring. */
  nextRoom(): number {
    return this.#masked ? Infinity : this.#leavesAt;
  }

  /** When the host has something to read: a line end has left, or all there is. */
  nextOut(): number {
    const late = this.#late.length > 0 ? this.#late[0]!.at : Infinity;
    if (this.#tx.length === 0 || this.#masked) return late;
    const count = this.#toLine > 0 ? this.#toLine : this.#tx.length;
    return Math.min(late, this.#leavesAt + (count - 1) * this.#byteSeconds + this.#latency);
  }

  /** Moves bytes up to `now`; `interrupt` takes each one that arrived and says whether it belongs in the ring. */
  advance(now: number, interrupt: (byte: number, at: number) => boolean): void {
    while (this.#arrivesAt <= now) {
      const at = this.#arrivesAt;
      const sent = this.#wire.shift();
      if (this.#toCall > 0 && --this.#toCall === 0)
        this.#toCall = firstOf(this.#wire, (byte) => CALLS[byte]!);
      this.#arrivesAt = this.#wire.length === 0 ? Infinity : at + this.#byteSeconds;
      const byte = this.#hit("toController", sent, at);
      if (byte === undefined) continue;
      this.received++;
      if (this.#masked === undefined) this.#accept(byte, at, interrupt);
      else if (this.#masked.length < UART_BYTES) this.#masked.push(byte);
      else this.lose(byte, at);
    }
    while (this.#leavesAt <= now && this.#masked === undefined) {
      const at = this.#leavesAt;
      const sent = this.#tx.shift();
      if (this.#toLine > 0 && --this.#toLine === 0) this.#toLine = firstOf(this.#tx, (byte) => byte === LF);
      this.#leavesAt = this.#tx.length === 0 ? Infinity : at + this.#byteSeconds;
      this.sent++;
      const byte = this.#hit("toHost", sent, at);
      if (byte === undefined) continue;
      this.#out.push(byte);
      if (this.#latency > 0 || this.#late.length > 0) this.#postpone(at + this.#latency);
    }
    this.#now = Math.max(this.#now, now);
  }

  #postpone(at: number): void {
    const last = this.#late.at(-1);
    // within one byte time it is one delivery
    if (last !== undefined && at - last.at < this.#byteSeconds / 2) last.count++;
    else this.#late.push({ at: Math.max(at, last?.at ?? 0), count: 1 });
  }

  #accept(byte: number, at: number, interrupt: (byte: number, at: number) => boolean): void {
    if (!interrupt(byte, at)) return;
    if (this.#ring.length === this.rxBytes) {
      this.overflow++;
      this.onLoss("overflow", byte, at, "toController");
      return;
    }
    this.#ring.push(byte);
    if (this.#ring.length > this.highWater) this.highWater = this.#ring.length;
  }

  /** Counts a byte that came when nobody could take it. */
  lose(byte: number, at: number): void {
    this.overrun++;
    this.onLoss("overrun", byte, at, "toController");
  }

  /** The next byte of the receive ring, or -1. */
  read(): number {
    return this.#ring.shift();
  }

  /** Free bytes of the receive ring. */
  get rxFree(): number {
    return this.rxBytes - this.#ring.length;
  }

  /** Puts a byte into the transmit ring; false when it is full. */
  write(byte: number, now: number): boolean {
    if (this.#tx.length === TX_BYTES) return false;
    this.#tx.push(byte);
    if (this.#tx.length === 1) this.#leavesAt = now + this.#byteSeconds;
    if (byte === LF && this.#toLine === 0) this.#toLine = this.#tx.length;
    return true;
  }

  /** Turns interrupts off. */
  mask(): void {
    this.#masked ??= [];
  }

  unmask(now: number, interrupt: (byte: number, at: number) => boolean): void {
    const held = this.#masked;
    if (held === undefined) return;
    this.#masked = undefined;
    for (const byte of held) this.#accept(byte, now, interrupt);
    if (this.#tx.length > 0) this.#leavesAt = Math.max(this.#leavesAt, now + this.#byteSeconds);
  }

  clearReceived(): void {
    this.#ring.clear();
  }

  clearSent(): void {
    this.#tx.clear();
    this.#toLine = 0;
    this.#leavesAt = Infinity;
  }

  /** What is left of a byte after the damage that is due; undefined when it is lost. */
  #hit(direction: "toController" | "toHost", byte: number, at: number): number | undefined {
    const list = this.#damage[direction];
    if (list.length === 0) return byte;
    let left: number | undefined = byte;
    for (const damage of list)
      if (damage.after-- === 0) left = damage.mask === 0 ? undefined : byte ^ damage.mask;
    if (left !== byte) {
      this.#damage[direction] = list.filter(({ after }) => after >= 0);
      this.onLoss("damage", byte, at, direction);
    }
    return left;
  }
}

/** How many bytes there are up to the first that fits, itself counted; 0 when none does. */
function firstOf(bytes: Fifo, fits: (byte: number) => boolean): number {
  for (let place = 0; place < bytes.length; place++) if (fits(bytes.at(place))) return place + 1;
  return 0;
}
