import { readFileSync } from "node:fs";
import { instantiateSync } from "@assemblyscript/loader";
import { KerfworkError } from "../errors.ts";
import { environment } from "../tasker/target.ts";
import type { Kernels, Pointer } from "./kernels.ts";

export type { Kernels, Pointer } from "./kernels.ts";

const PAGE = 65536;
/** As `asconfig.json` builds the kernels; a test holds both equal. */
const PAGES = { initial: 2, maximum: 16384 };
/** A thread of its own gives up its kernel memory after a call that grew it beyond this. */
const KEEP_BYTES = 256 * 2 ** 20;
/** Where the kernels of a thread report, a word of the control block; a test holds both equal. */
export const STEP = 64;
/** Statuses of every kernel; `assembly/control.ts`. */
const STOPPED = -1;
const NO_ROOM = -2;

const MODULE = "kerfwork.kernels";
const ENGINE = Symbol.for("kerfwork.engine");

/** The kernels' machine code: compiled once a process, handed to each worker. */
export function kernelModule(): WebAssembly.Module {
  const { provided } = environment();
  let module = provided.get(MODULE) as WebAssembly.Module | undefined;
  if (module === undefined) {
    module = new WebAssembly.Module(readFileSync(new URL("../kernels.wasm", import.meta.url)));
    provided.set(MODULE, module);
  }
  return module;
}

/** The kernels on a memory, their own or another thread's. `step` is the address of the word where they report. */
export function instantiate(memory: WebAssembly.Memory, step = STEP, module = kernelModule()): Kernels {
  const { instance } = instantiateSync<Record<string, never>>(module, { env: { memory, step } } as never);
  return instance.exports as unknown as Kernels;
}

/**
 * One instance of the kernels on one memory, and the arena that places their data.
 * The arena is a stack: `run` gives all of it back when the call ends, whether it returned or threw.
 */
export class Engine {
  readonly kernels: Kernels;
  readonly memory: WebAssembly.Memory;
  readonly limitBytes: number;
  #start: number;
  #top: number;
  #running = false;

  /** `limitBytes` caps the memory, at most 1 GiB; beyond it an allocation throws OUT_OF_MEMORY. */
  constructor(memory = newMemory(), module = kernelModule(), limitBytes = PAGES.maximum * PAGE) {
    this.memory = memory;
    this.limitBytes = Math.min(limitBytes, PAGES.maximum * PAGE);
    this.kernels = instantiate(memory, STEP, module);
    this.#start = align(this.kernels.heapBase());
    this.#top = this.#start;
  }

  /** Runs `body` with a clean arena; calls do not nest. */
  run<R>(body: (engine: Engine) => R): R {
    if (this.#running)
      throw new KerfworkError("INVALID_STATE", "Expected one engine call at a time on a thread");
    this.#running = true;
    try {
      return body(this);
    } catch (error) {
      if (!(error instanceof WebAssembly.RuntimeError)) throw error;
      throw new KerfworkError("KERNEL_TRAP", `A kernel trapped: ${error.message}`, { cause: error });
    } finally {
      this.#running = false;
      this.#top = this.#start;
    }
  }

  /** Room for `bytes`, 16-byte aligned, not cleared. */
  alloc(bytes: number): Pointer {
    const at = this.#top;
    const end = align(at + bytes);
    if (end > this.memory.buffer.byteLength) this.#grow(end);
    this.#top = end;
    return at as Pointer;
  }

  /** Gives back everything that was allocated since `mark()` returned `to`, but for what was forsaken meanwhile. */
  release(to: Pointer): void {
    this.#top = Math.max(to, this.#start);
  }

  mark(): Pointer {
    return this.#top as Pointer;
  }

  /** Never uses again what is allocated now: another thread that cannot be reached may still write there. */
  forsake(): void {
    this.#start = this.#top;
  }

  /** Copies a typed array in. */
  push(values: Uint8Array | Uint16Array | Int32Array | Uint32Array | Float32Array | Float64Array): Pointer {
    const at = this.alloc(values.byteLength);
    this.u8(at, values.byteLength).set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
    return at;
  }

  // Views into kernel memory. Growing leaves old views short or detached: take a view after the last `alloc`, use it
  // at once, never return it.
  u8 = (at: Pointer, n: number): Uint8Array => new Uint8Array(this.memory.buffer, at, n);
  u16 = (at: Pointer, n: number): Uint16Array => new Uint16Array(this.memory.buffer, at, n);
  i32 = (at: Pointer, n: number): Int32Array => new Int32Array(this.memory.buffer, at, n);
  u32 = (at: Pointer, n: number): Uint32Array => new Uint32Array(this.memory.buffer, at, n);
  f32 = (at: Pointer, n: number): Float32Array => new Float32Array(this.memory.buffer, at, n);
  f64 = (at: Pointer, n: number): Float64Array => new Float64Array(this.memory.buffer, at, n);

  #grow(end: number): void {
    const have = this.memory.buffer.byteLength;
    // a quarter more, so that a row of small allocations grows the memory few times
    const want = Math.min(Math.max(end, have + (have >> 2)), this.limitBytes);
    try {
      if (end > this.limitBytes) throw new RangeError("beyond the cap");
      this.memory.grow(Math.ceil((want - have) / PAGE));
    } catch (cause) {
      const mib = (bytes: number): number => Math.ceil(bytes / 2 ** 20);
      throw new KerfworkError(
        "OUT_OF_MEMORY",
        `Expected the work to fit in ${mib(this.limitBytes)} MiB of kernel memory, needs at least ${mib(end)} MiB`,
        { cause, data: { limitBytes: this.limitBytes, neededBytes: end } },
      );
    }
  }
}

function align(bytes: number): number {
  return Math.ceil(bytes / 16) * 16;
}

function newMemory(): WebAssembly.Memory {
  return new WebAssembly.Memory({ ...PAGES, shared: true });
}

/** Runs `body` on this thread's engine, which is made on first use. */
export function withEngine<R>(body: (engine: Engine) => R): R {
  const holder = globalThis as { [ENGINE]?: Engine };
  const { memory } = environment();
  holder[ENGINE] ??= new Engine(memory ?? newMemory());
  const engine = holder[ENGINE];
  try {
    return engine.run(body);
  } finally {
    // a worker's memory is its pool's to recycle
    if (memory === undefined && engine.memory.buffer.byteLength > KEEP_BYTES) delete holder[ENGINE];
  }
}

/**
 * Progress over the stages of one engine call: each `run` moves the progress on by its share, as its kernel reports
 * unit by unit, and turns the kernel's statuses into what the caller expects.
 */
export class Stages {
  #base = 0;

  /**
   * @param share   part of the whole call, 0..1; all shares of a call add up to at most 1
   * @param total   units that the kernel will report
   * @param kernel  calls one kernel; its negative results are statuses
   * @returns       the kernel's result, >= 0
   * @throws CANCELED       the kernel saw the cancel word
   */
  run(share: number, total: number, kernel: () => number): number {
    const result = this.offer(share, total, kernel);
    if (result === undefined)
      throw new KerfworkError("KERNEL_TRAP", "A kernel ran out of room that was sized for it");
    return result;
  }

  /** As `run`, but undefined when the kernel asks for more room; the stage then starts again. */
  offer(share: number, total: number, kernel: () => number): number | undefined {
    const { reporter } = environment();
    reporter.beginStage(this.#base, share, Math.max(total, 1));
    const result = kernel();
    if (result === NO_ROOM) return undefined;
    if (result === STOPPED || reporter.isCancelled())
      throw new KerfworkError("CANCELED", "The work was canceled");
    this.#base = Math.min(this.#base + share, 1);
    return result;
  }
}
