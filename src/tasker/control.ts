/**
 * The layout of the control block, in bytes from the start of a worker's memory. Lines of 64 bytes are grouped by
 * who writes them. `assembly/control.ts` uses CANCEL and STEP; a test holds the two files equal.
 */
export const LAYOUT = {
  // line 0: written by the main thread
  CANCEL: { at: 0, type: "i32" }, // 0 run, 1 cancel
  GENERATION: { at: 4, type: "i32" }, // which run the block serves
  // line 1: written by a running kernel, or by the worker's JavaScript between kernels
  STEP: { at: 64, type: "i32" }, // units done by the kernel that runs
  HEARTBEAT: { at: 68, type: "i32" }, // grows with each report of the worker's JavaScript
  // line 2: written by the worker's JavaScript under the seqlock
  SEQUENCE: { at: 128, type: "i32" }, // odd while being written
  STATE: { at: 132, type: "i32" }, // 0 idle, 1 running, 2 finishing
  BASE: { at: 136, type: "f64" }, // progress before the stage that runs, 0..1
  SPAN: { at: 144, type: "f64" }, // share of that stage, 0..1
  TOTAL: { at: 152, type: "f64" }, // units of that stage; progress = BASE + SPAN * STEP / TOTAL
  // line 3: the message, under a seqlock of its own
  MESSAGE_SEQUENCE: { at: 192, type: "i32" },
  MESSAGE_LENGTH: { at: 196, type: "i32" }, // UTF-8 bytes
  // line 4: waking a waiting thread
  WAKE: { at: 256, type: "i32" },
  MESSAGE: { at: 512, type: "bytes", size: 1024 },
} as const;

/** Bytes at the start of every kernel memory that no kernel data may use. */
export const BLOCK_BYTES = 4096;

/** Limits of each worker's memory, in 64 KiB pages; `asconfig.json` builds the kernels for the same. */
export const MEMORY_PAGES = { initial: 2, maximum: 16384 } as const;
