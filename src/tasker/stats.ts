import type { PoolCounts } from "./pool.ts";

/** Times over the last samples, ms. */
export interface Percentiles {
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  readonly max: number;
}

/** Numbers of the moment, for tests and dashboards. */
export interface ManagerStats extends Readonly<PoolCounts> {
  readonly queued: number;
  readonly running: number;
  /** Canceled tasks whose code has not ended yet. */
  readonly retiring: number;
  /** Live threads and processes. */
  readonly threads: number;
  /** Events that found no handler, or a task that was canceled. */
  readonly droppedEvents: number;
  /** Time from submission to start over the last 1024 tasks, ms. */
  readonly waits: Percentiles;
  /** Time from start to end over the last 1024 tasks, ms. */
  readonly runs: Percentiles;
}

/** The last values of a measurement. */
export class Samples {
  readonly #values = new Float64Array(1024);
  #count = 0;

  add(value: number): void {
    this.#values[this.#count++ % this.#values.length] = value;
  }

  percentiles(): Percentiles {
    const kept = this.#values.slice(0, Math.min(this.#count, this.#values.length)).sort();
    const at = (share: number): number => kept[Math.ceil(share * kept.length) - 1] ?? 0;
    return { p50: at(0.5), p95: at(0.95), p99: at(0.99), max: at(1) };
  }
}
