/**
 * Calls of the host's own functions, made in order when the work that led to them is done and everything is consistent
 * again: they may ask for anything.
 */
export class Callbacks {
  #calls: (() => void)[] = [];
  readonly #failed: (error: unknown) => boolean;

  /** `failed` gets what a call throws; when it does not take it (false) the error goes to the process. */
  constructor(failed: (error: unknown) => boolean) {
    this.#failed = failed;
  }

  add(call: () => void): void {
    if (this.#calls.push(call) > 1) return;
    queueMicrotask(() => {
      for (const one of this.#calls.splice(0)) this.#make(one);
    });
  }

  #make(call: () => void): void {
    try {
      call();
    } catch (error) {
      // thrown on into the port's event it would end the process with the laser on
      if (this.#failed(error)) return;
      queueMicrotask(() => {
        throw error;
      });
    }
  }
}
