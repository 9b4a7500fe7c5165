/** A queue of bytes, first in, first out, in one array that wraps around and grows when it has to. */
export class Fifo {
  #bytes: Uint8Array;
  #head = 0;
  #length = 0;

  constructor(room = 256) {
    // a power of two, so that wrapping is a mask
    this.#bytes = new Uint8Array(2 ** Math.ceil(Math.log2(room)));
  }

  get length(): number {
    return this.#length;
  }

  push(byte: number): void {
    if (this.#length === this.#bytes.length) {
      const larger = new Uint8Array(this.#length * 2);
      this.#copy(larger);
      this.#bytes = larger;
      this.#head = 0;
    }
    this.#bytes[(this.#head + this.#length++) & (this.#bytes.length - 1)] = byte;
  }

  /** The byte that is `place` behind the first one; the caller knows that there is one. */
  at(place: number): number {
    return this.#bytes[(this.#head + place) & (this.#bytes.length - 1)]!;
  }

  /** Takes the first byte; -1 when there is none. */
  shift(): number {
    if (this.#length === 0) return -1;
    const byte = this.#bytes[this.#head]!;
    this.#head = (this.#head + 1) & (this.#bytes.length - 1);
    this.#length--;
    return byte;
  }

  /** Takes the first `count` bytes. */
  take(count = this.#length): Uint8Array {
    const bytes = new Uint8Array(count);
    this.#copy(bytes);
    this.#head = (this.#head + count) & (this.#bytes.length - 1);
    this.#length -= count;
    return bytes;
  }

  clear(): void {
    this.#length = 0;
  }

  #copy(to: Uint8Array): void {
    const count = Math.min(to.length, this.#length);
    const first = Math.min(count, this.#bytes.length - this.#head);
    to.set(this.#bytes.subarray(this.#head, this.#head + first));
    to.set(this.#bytes.subarray(0, count - first), first);
  }
}
