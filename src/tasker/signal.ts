/** Calls its handlers with each value that is emitted, in the order in which they connected. */
export class Signal<T> {
  #handlers: Set<(value: T) => void> | undefined;

  /** Adds a handler; the function returned takes it away again. Connecting the same function twice is connecting it once. */
  connect(handler: (value: T) => void): () => void {
    this.#handlers ??= new Set();
    this.#handlers.add(handler);
    return () => {
      this.#handlers?.delete(handler);
    };
  }

  /** True while nobody listens, so that values nobody wants need not be made. */
  get idle(): boolean {
    return this.#handlers === undefined || this.#handlers.size === 0;
  }

  /** @internal Handlers see the set as it was when the emission began; one that throws goes to `contain`. */
  emit(value: T, contain: (error: unknown) => void): void {
    if (this.#handlers === undefined) return;
    for (const handler of [...this.#handlers]) {
      try {
        handler(value);
      } catch (error) {
        contain(error);
      }
    }
  }
}
