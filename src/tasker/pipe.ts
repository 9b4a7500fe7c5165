import { readSync, writeSync } from "node:fs";
import { Socket } from "node:net";
import { DefaultSerializer, deserialize } from "node:v8";

/** Where a child process finds its pipe: after the three standard streams and the channel of workerpool. */
export const PIPE = 4;

/** Bytes of a frame's head: the length of what follows. */
const HEAD = 4;
/** Bytes that are read at once. */
const READ = 65536;
/** Wait between two looks at a pipe that is empty or full, ms; a look costs some 10 us. */
const NAP_MS = 0.5;

/** A value as it passes through a pipe: its length, then its bytes. Throws what cannot be cloned. */
export function frame(value: unknown): Buffer {
  const serializer = new DefaultSerializer();
  serializer.writeRawBytes(new Uint8Array(HEAD));
  serializer.writeHeader();
  serializer.writeValue(value);
  const bytes = serializer.releaseBuffer();
  bytes.writeUInt32LE(bytes.length - HEAD);
  return bytes;
}

/** Puts values together again from bytes that come in any pieces. */
export class Frames {
  readonly #take: (value: unknown) => void;
  readonly #head = new Uint8Array(HEAD);
  #part = this.#head;
  #filled = 0;

  constructor(take: (value: unknown) => void) {
    this.#take = take;
  }

  push(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; ) {
      const piece = bytes.subarray(at, at + this.#part.length - this.#filled);
      this.#part.set(piece, this.#filled);
      this.#filled += piece.length;
      at += piece.length;
      if (this.#filled < this.#part.length) return;
      const whole = this.#part;
      this.#filled = 0;
      if (whole === this.#head) {
        // of its own, as the views that are read from it stand on it
        this.#part = new Uint8Array(new DataView(whole.buffer).getUint32(0, true));
        continue;
      }
      this.#part = this.#head;
      this.#take(deserialize(whole));
    }
  }
}

/**
 * A child process's end of its pipe. The event loop reads it while it turns, blocked code reads it itself, and writing
 * waits for room: what was written is on its way even when the process dies next. The main thread reads whenever its own
 * event loop turns and keeps what it has written until there is room, so the two ends never wait for each other.
 */
export class ChildPipe<In, Out> {
  /**
   * False on Windows, whose pipes cannot be read without waiting: code that blocks would hear of nothing. There the event
   * loop does all.
   */
  readonly readable = process.platform !== "win32";
  readonly #socket = new Socket({ fd: PIPE, readable: true, writable: true });
  readonly #buffer = new Uint8Array(READ);
  readonly #frames: Frames;
  readonly #take: (value: In) => void;
  #arrived: In[] = [];
  #scheduled = false;

  /**
   * @param take   gets what has arrived, in order, when the event loop turns
   * @param count  gets it first, as it arrives, even in the midst of blocked code; true when that was all
   */
  constructor(take: (value: In) => void, count: (value: In) => boolean) {
    this.#take = take;
    this.#frames = new Frames((value) => {
      if (!count(value as In)) this.#arrived.push(value as In);
    });
    this.#socket.on("data", (bytes) => {
      this.#frames.push(bytes);
      this.#deliver();
    });
    this.#socket.on("error", orphaned);
  }

  /** Reads what is there, without waiting. */
  look(): void {
    for (;;) {
      let count: number | undefined;
      try {
        count = readSync(PIPE, this.#buffer);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "EAGAIN") throw error;
        break;
      }
      if (count === 0) orphaned();
      this.#frames.push(this.#buffer.subarray(0, count));
    }
    if (this.#arrived.length === 0 || this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.#deliver();
    });
  }

  /** The next that has arrived and was not taken yet. */
  poll(): In | undefined {
    if (this.#arrived.length === 0) this.look();
    return this.#arrived.shift();
  }

  /** Waits for room. */
  write(value: Out): void {
    this.#write(frame(value), 0);
  }

  /** As `write`, but where it would have to wait it gives up, and gives false. */
  offer(value: Out): boolean {
    const bytes = frame(value);
    const count = this.#push(bytes, 0);
    if (count > 0) this.#write(bytes, count); // a frame that was begun is ended
    return count > 0;
  }

  #write(bytes: Uint8Array, from: number): void {
    for (let at = from; at < bytes.length; ) {
      const count = this.#push(bytes, at);
      if (count === 0) nap();
      at += count;
    }
  }

  /** Writes what there is room for, and gives how much that was. */
  #push(bytes: Uint8Array, at: number): number {
    if (!this.readable) {
      this.#socket.write(bytes);
      return bytes.length;
    }
    try {
      return writeSync(PIPE, bytes, at);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === "EPIPE" || code === "ECONNRESET") orphaned();
      if (code !== "EAGAIN") throw error;
      return 0;
    }
  }

  #deliver(): void {
    for (let next = this.#arrived.shift(); next !== undefined; next = this.#arrived.shift()) this.#take(next);
  }
}

const NOBODY = new Int32Array(new SharedArrayBuffer(4));

/** Blocks this thread for a moment, or for `ms` if that is less. */
export function nap(ms = NAP_MS): void {
  Atomics.wait(NOBODY, 0, 0, Math.min(ms, NAP_MS));
}

/** The process that this one works for is gone. */
function orphaned(): never {
  process.exit(1);
}
