import { describe, KerfworkError } from "../errors.ts";

/** Typed arrays from this size on do not travel by copying on the caller's thread. */
const SHARE_BYTES = 65536;
/** Buffers of results from this size on are moved; cloning smaller ones is cheaper. */
const MOVE_BYTES = 4096;
/** Levels of plain objects and arrays that are searched for typed arrays. */
const DEPTH = 6;
/** Idle shared buffers kept for the next arguments. */
const KEEP_BYTES = 256 * 2 ** 20;
/** Bytes copied between looks at the clock, and the time after which the event loop gets its turn. */
const SLICE_BYTES = 2 ** 20;
const TURN_MS = 4;

type View = Uint8Array; // any typed array or DataView; all have buffer, byteOffset, byteLength

/** Shared buffers in sizes of powers of two, kept warm: fresh ones cost 40 times the copy into them. */
export class SharedBuffers {
  readonly #free: SharedArrayBuffer[] = [];
  #kept = 0;

  take(bytes: number): SharedArrayBuffer {
    const size = 2 ** Math.ceil(Math.log2(Math.max(bytes, SHARE_BYTES)));
    const at = this.#free.findIndex((buffer) => buffer.byteLength === size);
    if (at < 0) return new SharedArrayBuffer(size);
    this.#kept -= size;
    return this.#free.splice(at, 1)[0] as SharedArrayBuffer;
  }

  give(buffers: readonly SharedArrayBuffer[]): void {
    for (const buffer of buffers) {
      if (this.#kept + buffer.byteLength > KEEP_BYTES) continue;
      this.#kept += buffer.byteLength;
      this.#free.push(buffer);
    }
  }
}

/** What becomes of a call whose arguments cannot be sent. */
export function argumentError(name: string, cause: unknown): KerfworkError {
  const why = cause instanceof Error ? cause.message : describe(cause);
  return new KerfworkError(
    "ARGUMENT_NOT_CLONEABLE",
    `Expected the arguments of \`${name}\` to be cloneable: ${why}`,
    { cause },
  );
}

/** Arguments on their way to a worker. */
export interface Packed {
  readonly args: readonly unknown[];
  readonly transfer: ArrayBuffer[];
  /** Pooled buffers that hold copies; to be given back when the task's code has ended. */
  readonly staged: SharedArrayBuffer[];
}

/**
 * Readies arguments to be posted: typed arrays on shared memory pass by reference, those in `transfer` move, other big
 * ones are copied once into pooled shared memory, in slices between which the event loop turns.
 */
export async function packArgs(
  args: readonly unknown[],
  transfer: readonly unknown[],
  buffers: SharedBuffers,
): Promise<Packed> {
  const moved = new Set(movable(transfer));
  const staged: SharedArrayBuffer[] = [];
  const copies: [from: View, to: Uint8Array][] = [];
  const packed = replaceViews(args, DEPTH, (view) => {
    if (!(view.buffer instanceof ArrayBuffer) || moved.has(view.buffer) || view.byteLength < SHARE_BYTES)
      return view;
    const shared = buffers.take(view.byteLength);
    staged.push(shared);
    copies.push([view, new Uint8Array(shared, 0, view.byteLength)]);
    return viewLike(view, shared, 0);
  });
  let turn = performance.now();
  for (const [view, to] of copies) {
    const from = new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
    for (let at = 0; at < from.length; at += SLICE_BYTES) {
      if (performance.now() - turn > TURN_MS) {
        await new Promise((resolve) => setImmediate(resolve));
        turn = performance.now();
      }
      to.set(from.subarray(at, at + SLICE_BYTES), at);
    }
  }
  return { args: packed as unknown[], transfer: [...moved], staged };
}

const NOTHING: never[] = [];

/**
 * Those of `transfer` that can be moved: shared ones pass by reference, and none may stand twice. Throws for one that was
 * moved before, with which Node loses the whole message without a word.
 */
export function movable(transfer: readonly unknown[]): ArrayBuffer[] {
  if (transfer.length === 0) return NOTHING;
  const moved = new Set<ArrayBuffer>();
  for (const item of transfer) {
    if (item instanceof SharedArrayBuffer) continue;
    if (item instanceof ArrayBuffer && isDetached(item))
      throw new Error("an ArrayBuffer of `transfer` was moved before");
    moved.add(item as ArrayBuffer);
  }
  return [...moved];
}

function isDetached(buffer: ArrayBuffer): boolean {
  if (buffer.byteLength > 0) return false;
  try {
    new Uint8Array(buffer);
    return false;
  } catch {
    return true;
  }
}

/** True for values that can always be cloned. */
export function isPlain(value: unknown): boolean {
  return (
    value === null || (typeof value !== "object" && typeof value !== "function" && typeof value !== "symbol")
  );
}

/** True when `packArgs` would have nothing to copy, so that a task can start at once. */
export function packsAtOnce(args: readonly unknown[]): boolean {
  let small = true;
  replaceViews(args, DEPTH, (view) => {
    if (view.buffer instanceof ArrayBuffer && view.byteLength >= SHARE_BYTES) small = false;
    return view;
  });
  return small;
}

/**
 * Readies a result to be posted: buffers move, but views on memory that outlives the task (`kept`) are copied out.
 */
export function packResult(
  value: unknown,
  kept: ReadonlySet<ArrayBufferLike>,
): { value: unknown; transfer: ArrayBuffer[] } {
  const transfer = new Set<ArrayBuffer>();
  const packed = replaceViews(value, DEPTH, (view) => {
    let out = view;
    if (kept.has(view.buffer)) {
      const copy = new ArrayBuffer(view.byteLength);
      new Uint8Array(copy).set(new Uint8Array(view.buffer, view.byteOffset, view.byteLength));
      out = viewLike(view, copy, 0);
    }
    // a Node Buffer may stand on a pool that belongs to others
    const owned = !(
      typeof Buffer === "function" &&
      Buffer.isBuffer(out) &&
      out.length < out.buffer.byteLength
    );
    if (owned && out.buffer instanceof ArrayBuffer && out.buffer.byteLength >= MOVE_BYTES)
      transfer.add(out.buffer);
    return out;
  });
  return { value: packed, transfer: [...transfer] };
}

/** Walks plain objects and arrays; copies those of them whose views change, keeps all else as it is. */
function replaceViews(value: unknown, depth: number, replace: (view: View) => View): unknown {
  if (ArrayBuffer.isView(value)) return replace(value as View);
  if (depth === 0 || typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) {
    let out: unknown[] = value;
    for (let i = 0; i < value.length; i++) {
      const item = value[i];
      if (typeof item !== "object" || item === null) continue;
      const next = replaceViews(item, depth - 1, replace);
      if (next === item) continue;
      if (out === value) out = [...value];
      out[i] = next;
    }
    return out;
  }
  const prototype = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return value;
  let out = value as Record<string, unknown>;
  for (const [name, item] of Object.entries(value)) {
    if (typeof item !== "object" || item === null) continue;
    const next = replaceViews(item, depth - 1, replace);
    if (next === item) continue;
    if (out === value) out = { ...(value as Record<string, unknown>) };
    out[name] = next;
  }
  return out;
}

function viewLike(view: View, buffer: ArrayBufferLike, at: number): View {
  const plain = typeof Buffer === "function" && Buffer.isBuffer(view);
  const Type = (plain ? Uint8Array : view.constructor) as Uint8ArrayConstructor;
  const length = "length" in view ? view.length : (view as DataView).byteLength;
  return new Type(buffer, at, length);
}
