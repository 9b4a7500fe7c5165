import type { ExecutionContext } from "../tasker/context.ts";
import type { TaskManager } from "../tasker/manager.ts";
import type { EngineFunction } from "../tasker/target.ts";

/**
 * The stages of one job, run one after another on the compute pool. Each is a task of its own, hidden behind the task
 * that `context` belongs to: its progress moves that one's by the stage's share, its name is that one's message, and
 * cancelling that one cancels it.
 */
export class JobStages {
  /** Wall time of each stage that has run, waiting for a free thread included, s. */
  readonly seconds: Record<string, number> = {};
  readonly #manager: TaskManager;
  readonly #context: ExecutionContext;
  readonly #weights: Readonly<Record<string, number>>;
  readonly #total: number;
  #done = 0;

  /** `weights`: about how long each stage takes, in any unit; stages without one do not move the progress. */
  constructor(manager: TaskManager, context: ExecutionContext, weights: Readonly<Record<string, number>>) {
    this.#manager = manager;
    this.#context = context;
    this.#weights = weights;
    this.#total = Object.values(weights).reduce((sum, weight) => sum + weight, 0);
  }

  /** Runs one stage; arguments whose values are in `spent` move to the worker and are empty afterwards. */
  async run<A extends unknown[], R>(
    name: string,
    target: EngineFunction<A, R>,
    args: NoInfer<A>,
    spent: readonly object[] = [],
  ): Promise<Awaited<R>> {
    const start = performance.now();
    const share = (this.#weights[name] ?? 0) / this.#total;
    const part = this.#context.subContext(this.#done, share);
    this.#context.setMessage(name);
    const task = this.#manager.runProcess(target, args, {
      visible: false,
      signal: this.#context.signal,
      transfer: spent.flatMap(buffersOf),
    });
    task.changed.connect(({ progress }) => part.setProgress(progress));
    const result = await task.promise;
    this.#done += share;
    this.seconds[name] = (performance.now() - start) / 1000;
    return result;
  }
}

/** The buffers under the typed arrays of a value, each once. */
function buffersOf(value: object): ArrayBufferLike[] {
  return [
    ...new Set(
      Object.values(value)
        .filter(ArrayBuffer.isView)
        .map((view) => view.buffer),
    ),
  ];
}
