// Random stories against the model in model.ts. `MODEL_STORIES=100000 node test/run.mjs model` plays more of them.
import { KerfworkError, type ProcessOptions, type TaskKind, TaskManager, workerFunction } from "kerfwork";
import { createTestManager } from "kerfwork/testing";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { ACTS, type Act, playStory, randomFrom, type World } from "./model.ts";

const STORIES = Number(process.env.MODEL_STORIES ?? 2500);
const SEED = Number(process.env.MODEL_SEED ?? 1);
const url = new URL("../../test/fixtures/model.mjs", import.meta.url);

async function play(seed: number, moves: number, make: () => World): Promise<void> {
  const world = make();
  try {
    await playStory(world, randomFrom(seed), moves);
  } catch (error) {
    throw new Error(`story ${seed} (MODEL_SEED=${seed} MODEL_STORIES=1): ${(error as Error).message}`, {
      cause: error,
    });
  }
}

/** One for each act, as targets that crash are refused by what they are. */
const TARGETS = new Map(
  ACTS.map((act) => [
    act,
    new Function("context", "...args", `return globalThis.kerfworkStory(context, ...args); // ${act}`),
  ]),
);

/** Inline: what code does is told by a function that it finds on the global object. */
class Inline implements World {
  readonly #test = createTestManager({
    maxWorkers: 2,
    maxThreads: 2,
    groups: { pair: 2 },
    graceMs: 30,
    progressIntervalMs: 10,
    crashLimit: 4,
    onError: (error) => {
      if ((error as Error).name === "Assertion") this.broken ??= error as Error;
    },
  });
  readonly manager = this.#test.manager;
  broken: Error | undefined;
  readonly #releases = new Map<number, () => void>();
  readonly #released = new Set<number>();
  readonly #entered = new Set<number>();
  /** Codes that run now, by lane and by group. */
  readonly #inside = new Map<string, number>();

  async act(
    context: { signal: AbortSignal; setProgress(value: number): void },
    act: Act,
    id: number,
    places: string[],
  ): Promise<number> {
    this.#entered.add(id);
    for (const place of places) {
      const [how, key] = place.split(" ");
      const others = (this.#inside.get(`alone ${key}`) ?? 0) + (this.#inside.get(`key ${key}`) ?? 0);
      assert.ok(how !== "alone" || others === 0, "replace: wait starts after all earlier code of its key");
      const count = (this.#inside.get(place) ?? 0) + 1;
      this.#inside.set(place, count);
      assert.ok(place === "coroutine" || key !== undefined || count <= 2, `${count} of ${place} run`);
    }
    try {
      context.setProgress(0.25);
      if (act === "fail") throw Object.assign(new RangeError("own"), { code: "E_OWN" });
      if (act === "crash") throw new KerfworkError("WORKER_CRASHED", "gone");
      if (act !== "give" && !this.#released.has(id))
        await new Promise<void>((resolve) => {
          this.#releases.set(id, resolve);
          if (act === "hold") context.signal.addEventListener("abort", () => resolve(), { once: true });
        });
      // unwinding takes its time where nobody ends it from outside
      if (context.signal.aborted && places[0] === "coroutine")
        for (let i = 0; i < 3; i++) await new Promise(setImmediate);
      context.setProgress(0.5);
      return id;
    } finally {
      for (const place of places) this.#inside.set(place, (this.#inside.get(place) as number) - 1);
    }
  }

  submit(kind: TaskKind, act: Act, id: number, options: ProcessOptions<unknown>) {
    // code that hears nobody is given up and runs on beside the next; what is counted is what hears
    // only a coroutine is never ended from outside
    const key =
      options.key === undefined || kind !== "coroutine"
        ? []
        : [`${options.replace === "wait" ? "alone" : "key"} ${String(options.key)}`];
    const places = act === "deaf" ? [] : [kind, ...(options.group ? [options.group] : []), ...key];
    const args: [Act, number, string[], ...unknown[]] = [act, id, places];
    if (act === "closure") args.push(() => 1);
    if (kind === "coroutine")
      return this.manager.addCoroutine(
        (context, ...args: [Act, number, string[]]) => this.act(context, ...args),
        [act, id, places],
        options,
      ) as never;
    const run = kind === "thread" ? this.manager.runThread : this.manager.runProcess;
    return run.call(this.manager, TARGETS.get(act) as never, args as never, options);
  }

  release(id: number): void {
    this.#released.add(id);
    this.#releases.get(id)?.();
  }

  entered(id: number): boolean {
    return this.#entered.has(id);
  }

  async pass(ms: number): Promise<void> {
    if (ms === 0) await Promise.resolve();
    else await this.#test.advance(ms);
    if (this.broken) throw this.broken;
  }
}

test(`${STORIES} random stories, inline: every task ends once, in order, as the model says`, async () => {
  const start = performance.now();
  for (let seed = SEED; seed < SEED + STORIES; seed++)
    await play(seed, 12 + (seed % 30), () => {
      const world = new Inline();
      (globalThis as Record<string, unknown>).kerfworkStory = world.act.bind(world);
      return world;
    });
  console.log(`${STORIES} stories in ${((performance.now() - start) / 1000).toFixed(1)} s`);
});

/** With workers: code is released and tells of itself by shared words. */
class Threads implements World {
  readonly manager = new TaskManager({
    maxWorkers: 2,
    maxThreads: 2,
    groups: { pair: 2 },
    graceMs: 15,
    progressIntervalMs: 5,
    crashLimit: 1000,
    onError: (error) => {
      if ((error as Error).name === "Assertion") this.broken ??= error as Error;
    },
  });
  broken: Error | undefined;
  readonly #words = new Int32Array(new SharedArrayBuffer(4 * 20_010));

  submit(kind: TaskKind, act: Act, id: number, options: ProcessOptions<unknown>) {
    const args = [act, id, this.#words, ...(act === "closure" ? [() => 1] : [])];
    if (kind === "coroutine")
      return this.manager.addCoroutine(
        async (context) => {
          const { act: run } = await import(url.href);
          return run(context, act, id, this.#words);
        },
        [],
        options,
      ) as never;
    const run = kind === "thread" ? this.manager.runThread : this.manager.runProcess;
    return run.call(this.manager, workerFunction(url, "act") as never, args as never, options);
  }

  release(id: number): void {
    Atomics.store(this.#words, 2 * id + 1, 1);
  }

  entered(id: number): boolean {
    return Atomics.load(this.#words, 2 * id) > 0;
  }

  async pass(ms: number): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, ms));
    if (this.broken) throw this.broken;
  }
}

const REAL = Math.min(STORIES, Math.max(20, STORIES / 1000));
test(`${REAL} random stories with real workers`, async () => {
  const start = performance.now();
  for (let seed = SEED; seed < SEED + REAL; seed++) {
    let world: Threads | undefined;
    await play(seed, 10 + (seed % 10), () => {
      world = new Threads();
      return world;
    });
    const manager = (world as unknown as Threads).manager;
    assert.ok(manager.stats().threads <= 4);
    await manager.shutdown();
    assert.is(manager.stats().threads, 0);
  }
  console.log(`${REAL} stories with workers in ${((performance.now() - start) / 1000).toFixed(1)} s`);
});

test.run();
