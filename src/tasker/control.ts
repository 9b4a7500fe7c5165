/**
 * The layout of the control block, in bytes from the start of a worker's memory. Lines of 64 bytes are grouped by
 * who writes them. `assembly/control.ts` uses CANCEL and STEP; a test holds the two files equal.
 */
export const LAYOUT = {
  // line 0: written by the main thread
  CANCEL: { at: 0, size: 4 }, // 0 run, 1 cancel
  GENERATION: { at: 4, size: 4 }, // which run the block serves
  HANDLED: { at: 8, size: 4 }, // events of the run that were handled; a thread that sent too many waits on it
  WAKE: { at: 12, size: 4 }, // grows with each order; a thread that waits for a reply waits on it
  FINISH: { at: 16, size: 4 }, // 1: end soon, with what there is; only code that looks for it does
  // line 1: written by a running kernel, or by the worker's JavaScript between kernels
  STEP: { at: 64, size: 4 }, // units done by the kernel that runs
  // line 2: written by the worker's JavaScript under the seqlock
  SEQUENCE: { at: 128, size: 4 }, // odd while being written
  STATE: { at: 132, size: 4 }, // the run whose code has begun, as GENERATION
  BASE: { at: 136, size: 8 }, // progress before the stage that runs, 0..1
  SPAN: { at: 144, size: 8 }, // share of that stage, 0..1
  TOTAL: { at: 152, size: 8 }, // units of that stage; progress = BASE + SPAN * STEP / TOTAL
  // line 3: the message, under a seqlock of its own
  MESSAGE_SEQUENCE: { at: 192, size: 4 },
  MESSAGE_LENGTH: { at: 196, size: 4 }, // UTF-8 bytes
  // lines 8 to 23
  MESSAGE: { at: 512, size: 1024 },
} as const;

/** Bytes at the start of every kernel memory that no kernel data may use. */
export const BLOCK_BYTES = 4096;

/** Limits of each worker's memory, in 64 KiB pages; `asconfig.json` builds the kernels for the same. */
export const MEMORY_PAGES = { initial: 2, maximum: 16384 } as const;

const CANCEL = LAYOUT.CANCEL.at >> 2;
const GENERATION = LAYOUT.GENERATION.at >> 2;
const HANDLED = LAYOUT.HANDLED.at >> 2;
const WAKE = LAYOUT.WAKE.at >> 2;
const FINISH = LAYOUT.FINISH.at >> 2;
const STEP = LAYOUT.STEP.at >> 2;
const SEQUENCE = LAYOUT.SEQUENCE.at >> 2;
const STATE = LAYOUT.STATE.at >> 2;
const BASE = LAYOUT.BASE.at >> 3;
const SPAN = LAYOUT.SPAN.at >> 3;
const TOTAL = LAYOUT.TOTAL.at >> 3;
const MESSAGE_SEQUENCE = LAYOUT.MESSAGE_SEQUENCE.at >> 2;
const MESSAGE_LENGTH = LAYOUT.MESSAGE_LENGTH.at >> 2;

/**
 * Tries of a reader that meets a writer, before it keeps what it had. Code that does nothing but report leaves few gaps:
 * with 16 tries its progress stood still; 1000 take some 50 us.
 */
const TRIES = 1000;

/**
 * The control block of one runner: the first bytes of a worker's memory, or 4 KiB of plain memory for code on the
 * main thread. One side opens, cancels and samples it; the other reports into it. Seqlocks keep pairs of words whole:
 * the writer makes the sequence odd, stores, makes it even; a reader that saw an odd or a changed sequence tries again
 * (Lameter 2005, "Effective synchronization on Linux/NUMA systems").
 */
export class ControlBlock {
  readonly #words: Int32Array;
  readonly #numbers: Float64Array;
  readonly #text: Uint8Array;
  // the reader's last whole look
  #progress = 0;
  #message = "";
  #messageSeen = 0;
  /** The writer's last span was 0. */
  #plain = false;

  constructor(buffer: ArrayBufferLike = new ArrayBuffer(BLOCK_BYTES)) {
    this.#words = new Int32Array(buffer, 0, BLOCK_BYTES / 4);
    this.#numbers = new Float64Array(buffer, 0, BLOCK_BYTES / 8);
    this.#text = new Uint8Array(buffer, LAYOUT.MESSAGE.at, LAYOUT.MESSAGE.size);
  }

  // --- the side that samples ---

  /**
   * Readies the block for the next run; nobody else may be using it. What the other side writes it resets itself as it
   * begins: until then nothing of it counts, and each line of the block stays with the core that writes it.
   */
  open(generation: number): void {
    this.#words[CANCEL] = 0;
    this.#words[HANDLED] = 0;
    this.#words[FINISH] = 0;
    this.#progress = 0;
    this.#message = "";
    this.#messageSeen = 0;
    Atomics.store(this.#words, GENERATION, generation);
  }

  /** Asks the run `generation` to stop; a later run is not touched. */
  cancel(generation: number): void {
    if (Atomics.load(this.#words, GENERATION) === generation) Atomics.store(this.#words, CANCEL, 1);
  }

  /** Asks the run `generation` to end soon with what it has; a later run is not touched. */
  finish(generation: number): void {
    if (Atomics.load(this.#words, GENERATION) === generation) Atomics.store(this.#words, FINISH, 1);
  }

  /** Wakes a thread that waits for room for its events. */
  handled(): void {
    Atomics.add(this.#words, HANDLED, 1);
    Atomics.notify(this.#words, HANDLED);
  }

  /** Wakes a thread that waits for a reply, after the reply was posted. */
  wake(): void {
    Atomics.add(this.#words, WAKE, 1);
    Atomics.notify(this.#words, WAKE);
  }

  get started(): boolean {
    return Atomics.load(this.#words, STATE) === Atomics.load(this.#words, GENERATION);
  }

  /** Changes whenever the other side reports anything. */
  get heartbeat(): string {
    return [STEP, SEQUENCE, MESSAGE_SEQUENCE].map((word) => Atomics.load(this.#words, word)).join(".");
  }

  /** Progress 0..1 as last reported. */
  readProgress(): number {
    for (let tries = 0; tries < TRIES; tries++) {
      const sequence = Atomics.load(this.#words, SEQUENCE);
      if (sequence === 0) break; // nothing was reported
      if (sequence & 1) continue;
      const base = this.#numbers[BASE] as number;
      const span = this.#numbers[SPAN] as number;
      const total = this.#numbers[TOTAL] as number;
      const step = Atomics.load(this.#words, STEP);
      // a read-modify-write, so that no read above can sink below it
      if (Atomics.add(this.#words, SEQUENCE, 0) !== sequence) continue;
      this.#progress = span === 0 ? base : base + span * clamp01(step / total);
      break;
    }
    return this.#progress;
  }

  /** The message as last reported. */
  readMessage(): string {
    for (let tries = 0; tries < TRIES; tries++) {
      const sequence = Atomics.load(this.#words, MESSAGE_SEQUENCE);
      if (sequence === this.#messageSeen) break;
      if (sequence & 1) continue;
      // decoders refuse shared memory, and a copy is taken whole or not at all
      const bytes = this.#text.slice(0, Atomics.load(this.#words, MESSAGE_LENGTH));
      if (Atomics.add(this.#words, MESSAGE_SEQUENCE, 0) !== sequence) continue;
      this.#messageSeen = sequence;
      this.#message = DECODER.decode(bytes);
      break;
    }
    return this.#message;
  }

  // --- the side that reports ---

  get generation(): number {
    return Atomics.load(this.#words, GENERATION);
  }

  isCancelled(): boolean {
    return Atomics.load(this.#words, CANCEL) !== 0;
  }

  isFinishing(): boolean {
    return Atomics.load(this.#words, FINISH) !== 0;
  }

  get handledEvents(): number {
    return Atomics.load(this.#words, HANDLED);
  }

  /** Blocks this thread until another event was handled than `handled`, at most `ms`. */
  waitHandled(handled: number, ms: number): void {
    Atomics.wait(this.#words, HANDLED, handled, ms);
  }

  get wakes(): number {
    return Atomics.load(this.#words, WAKE);
  }

  /** Blocks this thread until there were more than `wakes`, at most `ms`. */
  waitWake(wakes: number, ms: number): void {
    Atomics.wait(this.#words, WAKE, wakes, ms);
  }

  /** Says that the code of the run begins; what the one before has reported is gone. */
  begin(): void {
    for (const word of [STEP, SEQUENCE, MESSAGE_SEQUENCE, MESSAGE_LENGTH]) this.#words[word] = 0;
    this.#numbers[BASE] = 0;
    this.#numbers[SPAN] = 0;
    Atomics.store(this.#words, STATE, this.generation);
  }

  /** The progress of a kernel: from `base`, over `span`, as it counts STEP up to `total`. A span of 0 is a plain value. */
  writeProgress(base: number, span = 0, total = 1): void {
    if (span === 0 && this.#plain) {
      // one aligned word, which is never torn: whatever a reader finds was reported, and the sequence only has to move on.
      // Plain stores do, a third of the price of an atomic one; nobody else changes the sequence
      this.#numbers[BASE] = base;
      this.#words[SEQUENCE] = (this.#words[SEQUENCE] as number) + 2;
      return;
    }
    Atomics.add(this.#words, SEQUENCE, 1);
    this.#numbers[BASE] = base;
    this.#numbers[SPAN] = span;
    this.#numbers[TOTAL] = total;
    Atomics.store(this.#words, STEP, 0);
    Atomics.add(this.#words, SEQUENCE, 1);
    this.#plain = span === 0;
  }

  /** Longer texts are cut between characters. */
  writeMessage(message: string): void {
    const { written } = ENCODER.encodeInto(message, SCRATCH);
    Atomics.add(this.#words, MESSAGE_SEQUENCE, 1);
    this.#text.set(SCRATCH.subarray(0, written));
    Atomics.store(this.#words, MESSAGE_LENGTH, written);
    Atomics.add(this.#words, MESSAGE_SEQUENCE, 1);
  }
}

// encodeInto refuses shared memory
const SCRATCH = new Uint8Array(LAYOUT.MESSAGE.size);
const ENCODER = new TextEncoder();
const DECODER = new TextDecoder();

export function clamp01(value: number): number {
  return value > 0 ? Math.min(value, 1) : 0;
}
