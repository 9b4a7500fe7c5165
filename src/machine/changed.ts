import { Signal } from "../tasker/signal.ts";

/** A signal that costs something while somebody listens, such as questions to a machine. */
export class WatchedSignal<T> extends Signal<T> {
  readonly #watch: () => () => void;
  #unwatch: (() => void) | undefined;

  /** `watch` is called when the first handler connects; what it returns, when the last one goes. */
  constructor(watch: () => () => void) {
    super();
    this.#watch = watch;
  }

  override connect(handler: (value: T) => void): () => void {
    const disconnect = super.connect(handler);
    this.#unwatch ??= this.#watch();
    return () => {
      disconnect();
      if (!this.idle) return;
      this.#unwatch?.();
      this.#unwatch = undefined;
    };
  }
}
