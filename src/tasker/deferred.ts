type Outcome<T> = { readonly value: T } | { readonly error: unknown };

/** A promise that is made only when somebody asks for it: most tasks are watched in other ways, or not at all. */
export class Deferred<T> {
  #outcome: Outcome<T> | undefined;
  #promise: Promise<T> | undefined;
  #wake: (() => void) | undefined;

  /** The same each time. A rejection that nobody handles stays silent. */
  get promise(): Promise<T> {
    if (this.#promise === undefined) {
      this.#promise = new Promise((resolve, reject) => {
        this.#wake = () => {
          const outcome = this.#outcome as Outcome<T>;
          if ("error" in outcome) reject(outcome.error);
          else resolve(outcome.value);
        };
      });
      this.#promise.catch(() => {});
      if (this.#outcome !== undefined) this.#wake?.();
    }
    return this.#promise;
  }

  /** The first outcome counts. */
  settle(outcome: Outcome<T>): void {
    if (this.#outcome !== undefined) return;
    this.#outcome = outcome;
    this.#wake?.();
  }
}
