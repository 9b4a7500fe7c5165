import { KerfworkError } from "../errors.ts";
import { type Crew, engineFunction, environment } from "../tasker/target.ts";
import { type Engine, instantiate, type Pointer } from "./memory.ts";
import {
  CURSOR_BYTES,
  type FitJob,
  type FitPart,
  type FitRoom,
  fitRange,
  NO_ROOM,
  openRange,
  SEGMENT_BYTES,
  xyBytes,
} from "./range.ts";

/** Corners of a chunk: about 2 ms of work, so that no thread waits long for the last of another. */
const CHUNK = 8192;
/** Corners for each thread, below which asking it costs more than it gives. */
const LEAST = 4 * CHUNK;
/** Corners of small contours count for so much of one: shapes that recur are drawn as before (`assembly/_shapes.ts`). */
const SMALL = { most: 24, part: 1 / 4 };
/** Most bytes of kernel memory for the other threads' scratch and room, and most of what is left. */
const SEATS_BYTES = 128 * 2 ** 20;
const SEATS_PART = 0.25;
/** Bytes for the others' outlines for each corner; most need 4 to 11. What does not fit is left to the caller. */
const TRAY_BYTES = 16;
/** A seat whose thread has not moved on for so long is given up, ms; it reports every 50 us. */
const LATE_MS = 250;

// Words of shared memory: the next chunk to take, the units of the tray that are in use, then a word for each seat, then
// for each chunk where in the tray its outlines begin, in units and plus 1, 0 for none, then the ends of the chunks
const NEXT = 0;
const USED = 1;
const SEATS = 2;
/** Bytes of a unit of the tray. */
const UNIT = 8;
/** Words of a part's head: the unit of the next part, 0 for none, segments, points. */
const HEAD = 4;

// states of a seat
const FREE = 0;
const TAKEN = 1;
const LEFT = 2;
const CLOSED = 3;

/** What all threads see of a shared fit, beside the kernel memory. */
interface Share {
  readonly words: Int32Array;
  readonly tray: Uint8Array;
  readonly job: FitJob;
  readonly seats: number;
  readonly chunks: number;
}

/** Where a thread that takes part works, and the address of the word where it reports. */
interface Seat extends FitRoom {
  readonly step: Pointer;
}

/** Contours `from` to `to`, and their outlines. */
export interface Chunk {
  readonly from: number;
  readonly to: number;
  readonly parts: readonly FitPart[];
}

const chunkWord = ({ seats }: Share, chunk: number): number => SEATS + seats + chunk;

/** The contours of a chunk. */
function rangeOf(share: Share, chunk: number): [from: number, to: number] {
  const { words, chunks } = share;
  const at = chunkWord(share, chunks + chunk);
  return [chunk === 0 ? 0 : words[at - 1]!, words[at]!];
}

/**
 * Takes part in a fit on another thread's memory: takes chunks until there are none. The seat tells that thread whether
 * anybody may still write there; a chunk that was begun and not ended is fitted there anew.
 */
export const fitShare = engineFunction(
  "fitShare",
  (memory: WebAssembly.Memory, share: Share, number: number, seat: Seat): void => {
    const { words, chunks } = share;
    if (Atomics.compareExchange(words, SEATS + number, FREE, TAKEN) !== FREE) return;
    try {
      const { reporter } = environment();
      const fit = chunkFitter(memory, share, seat);
      for (;;) {
        const chunk = Atomics.add(words, NEXT, 1);
        if (chunk >= chunks || reporter.isCancelled() || !fit(chunk)) return;
      }
    } finally {
      Atomics.store(words, SEATS + number, LEFT);
      Atomics.notify(words, SEATS + number);
    }
  },
);

/** Fits a chunk into the tray; false when this thread is to take no more. */
function chunkFitter(memory: WebAssembly.Memory, share: Share, seat: Seat): (chunk: number) => boolean {
  const { words, tray, job } = share;
  const kernels = instantiate(memory, seat.step);
  const cursor = new Int32Array(memory.buffer, seat.cursor, CURSOR_BYTES / 4);
  const heads = new Int32Array(tray.buffer);
  return (chunk) => {
    const [from, to] = rangeOf(share, chunk);
    let first = 0;
    let last = 0;
    openRange(cursor, from);
    for (;;) {
      const done = fitRange(kernels, job, seat, to);
      if (done < 0) return done === NO_ROOM;
      const [segments, points] = cursor.subarray(2) as unknown as [number, number];
      const size = Math.ceil((4 * HEAD + 8 * points + segments) / UNIT);
      const unit = Atomics.add(words, USED, size);
      if ((unit + size) * UNIT > tray.length) return false;
      const head = (unit * UNIT) / 4;
      heads.set([0, segments, points], head);
      const at = unit * UNIT + 4 * HEAD;
      tray.set(new Uint8Array(memory.buffer, seat.xy, 8 * points), at);
      tray.set(new Uint8Array(memory.buffer, seat.kinds, segments), at + 8 * points);
      if (first === 0) first = unit + 1;
      else heads[last] = unit;
      last = head;
      if (done < to) continue;
      Atomics.store(words, chunkWord(share, chunk), first);
      return true;
    }
  };
}

/** A fit that this thread shares with others: all take chunks off one row, in order, until there are none. */
export class SharedFit {
  readonly #engine: Engine;
  readonly #crew: Crew;
  readonly #share: Share;
  readonly #seats: readonly Seat[];

  private constructor(engine: Engine, crew: Crew, share: Share, seats: readonly Seat[]) {
    this.#engine = engine;
    this.#crew = crew;
    this.#share = share;
    this.#seats = seats;
  }

  /** Undefined where nobody is there, where it would not pay, or where there is no room for others. */
  static offer(
    engine: Engine,
    job: FitJob,
    contours: number,
    corners: number,
    scratchBytes: number,
  ): SharedFit | undefined {
    const { crew } = environment();
    if (crew === undefined || corners < 2 * LEAST) return undefined;
    const ends = engine.u32(job.ends, contours);
    const work = workOf(ends);
    if (work < 2 * LEAST) return undefined;
    const { bounds, most } = cut(ends, corners);
    const room = most + CHUNK;
    const seatBytes = scratchBytes + SEGMENT_BYTES * room;
    const left = engine.limitBytes - engine.mark();
    const seats = Math.min(
      crew.size,
      Math.floor(work / LEAST) - 1,
      bounds.length - 1,
      Math.floor(Math.min(SEATS_BYTES, SEATS_PART * left) / seatBytes),
    );
    if (seats < 1) return undefined;
    const mark = engine.mark();
    try {
      const places = Array.from({ length: seats }, () => makeSeat(engine, scratchBytes, room));
      const chunks = bounds.length;
      const words = new Int32Array(new SharedArrayBuffer(4 * (SEATS + seats + 2 * chunks)));
      words.set(bounds, SEATS + seats + chunks);
      const tray = new Uint8Array(new SharedArrayBuffer(TRAY_BYTES * corners));
      return new SharedFit(engine, crew, { words, tray, job, seats, chunks }, places);
    } catch (error) {
      if (!(error instanceof RangeError || error instanceof KerfworkError)) throw error;
      engine.release(mark);
      return undefined;
    }
  }

  /**
   * Fits all, in this thread by `fit`, which gives 0 or the status to leave with. When it returns, nobody else writes to
   * this thread's memory, or what they may write to is never used again.
   */
  run(fit: (from: number, to: number, parts: FitPart[]) => number): Chunk[] | number {
    const { words, chunks } = this.#share;
    const own = new Map<number, FitPart[]>();
    const fitOwn = (chunk: number): number => {
      const parts: FitPart[] = [];
      own.set(chunk, parts);
      return fit(...rangeOf(this.#share, chunk), parts);
    };
    const dismissals: (() => void)[] = [];
    try {
      for (const [number, seat] of this.#seats.entries())
        dismissals.push(this.#crew.enlist(fitShare, [this.#engine.memory, this.#share, number, seat]));
      for (let chunk = Atomics.add(words, NEXT, 1); chunk < chunks; chunk = Atomics.add(words, NEXT, 1)) {
        const status = fitOwn(chunk);
        if (status < 0) return status;
      }
    } finally {
      Atomics.store(words, NEXT, chunks);
      this.#close(dismissals);
    }
    let others = 0;
    const all: Chunk[] = [];
    for (let chunk = 0; chunk < chunks; chunk++) {
      let parts = own.get(chunk) ?? this.#partsOf(chunk);
      if (parts !== undefined) others += own.has(chunk) ? 0 : 1;
      else {
        const status = fitOwn(chunk);
        if (status < 0) return status;
        parts = own.get(chunk)!;
      }
      const [from, to] = rangeOf(this.#share, chunk);
      all.push({ from, to, parts });
    }
    this.#crew.tell(`other threads fitted ${others} of ${chunks} chunks`);
    return all;
  }

  /** Sends away whoever has not come, and waits for those who are at work to leave. */
  #close(dismissals: readonly (() => void)[]): void {
    const { words } = this.#share;
    for (const [number, { step }] of this.#seats.entries()) {
      const at = SEATS + number;
      if (Atomics.compareExchange(words, at, FREE, CLOSED) === FREE) {
        dismissals[number]?.();
        continue;
      }
      const steps = this.#engine.i32(step, 1);
      for (let seen: number | undefined; Atomics.load(words, at) === TAKEN; ) {
        const now = Atomics.load(steps, 0);
        if (now === seen) {
          this.#engine.forsake();
          break;
        }
        seen = now;
        Atomics.wait(words, at, TAKEN, LATE_MS);
      }
    }
  }

  /** What another thread made of a chunk, if any did. */
  #partsOf(chunk: number): FitPart[] | undefined {
    const { words, tray } = this.#share;
    const first = Atomics.load(words, chunkWord(this.#share, chunk));
    if (first === 0) return undefined;
    const heads = new Int32Array(tray.buffer);
    const parts: FitPart[] = [];
    for (let unit = first - 1, more = true; more; ) {
      const [next, segments, points] = heads.subarray((unit * UNIT) / 4) as unknown as [
        number,
        number,
        number,
      ];
      const at = unit * UNIT + 4 * HEAD;
      parts.push({
        kinds: tray.subarray(at + 8 * points, at + 8 * points + segments),
        xy: new Float32Array(tray.buffer, at, 2 * points),
      });
      more = next !== 0;
      unit = next;
    }
    return parts;
  }
}

function makeSeat(engine: Engine, scratchBytes: number, room: number): Seat {
  const step = engine.alloc(64); // a cache line of its own
  const cursor = engine.alloc(64);
  engine.i32(step, 16).fill(0);
  engine.i32(cursor, 16).fill(0);
  const scratch = engine.alloc(scratchBytes);
  const kinds = engine.alloc(room);
  return { step, cursor, scratch, kinds, xy: engine.alloc(xyBytes(room)), room };
}

/** The fit of contours, in corners of large ones. */
function workOf(ends: Uint32Array): number {
  let work = 0;
  for (let i = 0, from = 0; i < ends.length; from = ends[i++]!) {
    const corners = ends[i]! - from;
    work += corners > SMALL.most ? corners : SMALL.part * corners;
  }
  return work;
}

/** The contours at which chunks of `CHUNK` corners end, one contour more at most, and the most corners of a chunk. */
function cut(ends: Uint32Array, corners: number): { bounds: number[]; most: number } {
  const bounds: number[] = [];
  let most = 0;
  for (let from = 0; from < corners; ) {
    let low = bounds.at(-1) ?? 0;
    let high = ends.length - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (ends[middle]! < from + CHUNK) low = middle + 1;
      else high = middle;
    }
    bounds.push(low + 1);
    most = Math.max(most, ends[low]! - from);
    from = ends[low]!;
  }
  return { bounds, most };
}
