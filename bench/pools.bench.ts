// The task manager beside the pools that its users have now, each on one warm thread: workerpool alone, piscina, tinypool.
import { monitorEventLoopDelay } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath, pathToFileURL } from "node:url";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { type ExecutionContext, TaskManager } from "kerfwork";
import workerpool from "workerpool";
import { measure, quantile, report } from "./harness.ts";
import { peer } from "./peers.ts";

const REPORTS = 1_000_000;
const QUEUED = 10_000;
const script = fileURLToPath(new URL("../../bench/reference/pool-worker.mjs", import.meta.url));

/** A pool on one thread, as far as it is measured here. */
interface Contender {
  readonly name: string;
  noop(): PromiseLike<unknown>;
  /** Starts a busy loop, stops it as this pool can, and resolves when its next task is done. */
  stopAndGoOn(): Promise<number>;
  close(): PromiseLike<unknown>;
}

const flag = (): SharedArrayBuffer => new SharedArrayBuffer(8);
const begun = async (shared: SharedArrayBuffer): Promise<void> => {
  while (Atomics.load(new Int32Array(shared), 0) === 0) await sleep(1);
};

function ours(): Contender {
  const manager = new TaskManager({ maxWorkers: 1 });
  const noop = (): number => 0;
  const spin = (context: ExecutionContext, word: Int32Array): void => {
    Atomics.add(word, 0, 1);
    while (!context.isCancelled());
  };
  return {
    name: "kerfwork",
    noop: () => manager.runProcess(noop, []).promise,
    async stopAndGoOn() {
      const shared = flag();
      const task = manager.runProcess(spin, [new Int32Array(shared)]);
      task.promise.catch(() => {});
      await begun(shared);
      return timed(() => {
        task.cancel();
        return manager.runProcess(noop, []).promise;
      });
    },
    close: () => manager.shutdown(),
  };
}

function bare(): Contender {
  const pool = workerpool.pool(script, { workerType: "thread", maxWorkers: 1, workerTerminateTimeout: 1 });
  return {
    name: "workerpool",
    noop: () => pool.exec("noop", []),
    async stopAndGoOn() {
      const shared = flag();
      const task = pool.exec("spin", [shared]);
      task.catch(() => {});
      await begun(shared);
      return timed(() => {
        task.cancel();
        return pool.exec("noop", []);
      });
    },
    close: async () => void (await pool.terminate(true)),
  };
}

interface PeerPool {
  run(task: unknown, options?: { signal?: AbortSignal }): Promise<unknown>;
  destroy(): Promise<unknown>;
}

type PeerClass = new (options: object) => PeerPool;

/** What makes a pool of a peer, or undefined where it is not installed. */
async function peerPool(name: "piscina" | "tinypool"): Promise<(() => Contender) | undefined> {
  const exports = (await peer(name)) as Record<string, PeerClass> | undefined;
  const Pool = exports && (exports.Piscina ?? exports.Tinypool ?? exports.default);
  return Pool && (() => theirs(name, Pool));
}

function theirs(name: "piscina" | "tinypool", Pool: PeerClass): Contender {
  const pool = new Pool({
    filename: name === "piscina" ? script : pathToFileURL(script).href,
    minThreads: 1,
    maxThreads: 1,
  });
  const noop = (): Promise<unknown> => pool.run({ name: "noop" });
  return {
    name,
    noop,
    async stopAndGoOn() {
      const shared = flag();
      const controller = new AbortController();
      pool.run({ name: "spin", data: shared }, { signal: controller.signal }).catch(() => {});
      await begun(shared);
      return timed(() => {
        controller.abort();
        return noop();
      });
    },
    close: () => pool.destroy(),
  };
}

async function timed(run: () => PromiseLike<unknown>): Promise<number> {
  const start = performance.now();
  await run();
  return performance.now() - start;
}

const median = (values: readonly number[]): number => quantile(Float64Array.from(values), 0.5);

/** Round trips and floods of all contenders in turns; ours over workerpool's is held to a bar. */
async function dispatch(contenders: readonly Contender[]): Promise<void> {
  const one = new Map<string, number[]>();
  const flood = new Map<string, number[]>();
  for (let batch = 0; batch < 25; batch++)
    for (const { name, noop } of contenders) {
      const start = performance.now();
      for (let i = 0; i < 200; i++) await noop();
      const each = (performance.now() - start) * 5; // us each
      const all = await timed(() => Promise.all(Array.from({ length: 500 }, noop)));
      if (batch < 5) continue; // warming up
      one.set(name, [...(one.get(name) ?? []), each]);
      flood.set(name, [...(flood.get(name) ?? []), all * 2]);
    }
  for (const { name } of contenders) measure(`${name}: no-op, one at a time`, "us", one.get(name) ?? []);
  for (const { name } of contenders)
    measure(`${name}: no-op, 500 at once, each`, "us", flood.get(name) ?? []);
  for (const [what, times] of [
    ["one at a time", one],
    ["500 at once", flood],
  ] as const) {
    const mine = times.get("kerfwork") ?? [];
    const other = times.get("workerpool") ?? [];
    const ratios = mine.map((value, i) => value / (other[i] as number));
    measure(`kerfwork / workerpool, ${what}`, "ratio", ratios, { of: "median", atMost: 1.3 });
  }
}

/** A flood of reports: what each costs, and what it does to the main thread's event loop. */
async function progress(): Promise<void> {
  const manager = new TaskManager({ maxWorkers: 1, progressIntervalMs: 50 });
  let seen = 0;
  manager.tasksUpdated.connect(() => seen++);
  const flood = (context: ExecutionContext, count: number): number => {
    context.setTotal(count);
    const start = performance.now();
    for (let i = 0; i < count; i++) context.setProgress(i + 1);
    return ((performance.now() - start) * 1e6) / count;
  };
  await manager.runProcess(flood, [1000]).promise;
  const rounds = 15;
  const ourDelay = await delays(async () => {
    for (let i = 0; i < rounds; i++) await manager.runProcess(flood, [REPORTS]).promise;
  });
  const ours: number[] = [];
  for (let i = 0; i < 5; i++) ours.push(await manager.runProcess(flood, [REPORTS]).promise);
  measure("setProgress, each of 1e6", "ns", ours);
  report(`event loop delay while ${rounds} x 1e6 reports`, "ms", seen, ourDelay, { of: "p99", atMost: 5 });
  await manager.shutdown();

  const pool = workerpool.pool(script, { workerType: "thread", maxWorkers: 1 });
  await pool.exec("noop", []);
  let heard = 0;
  const theirs: number[] = [];
  const theirDelay = await delays(async () => {
    for (let i = 0; i < 3; i++)
      theirs.push(
        ((await timed(() => pool.exec("emits", [REPORTS], { on: () => heard++ }))) * 1e6) / REPORTS,
      );
  });
  if (heard !== 3 * REPORTS) throw new Error(`workerpool delivered ${heard} of ${3 * REPORTS} events`);
  measure("workerEmit, each of 1e6", "ns", theirs);
  report("event loop delay while 3 x 1e6 workerEmits", "ms", 1, theirDelay);
  measure("workerEmit / setProgress", "ratio", [median(theirs) / median(ours)], {
    of: "median",
    atLeast: 100,
  });
  await pool.terminate(true);
}

/** Delay beyond the tick of the histogram's timer, ms. */
async function delays(body: () => Promise<void>): Promise<{ median: number; p99: number; max: number }> {
  const resolution = 1;
  const histogram = monitorEventLoopDelay({ resolution });
  histogram.enable();
  await body();
  await sleep(5 * resolution);
  histogram.disable();
  const at = (ns: number): number => Math.max(ns / 1e6 - resolution, 0);
  return { median: at(histogram.percentile(50)), p99: at(histogram.percentile(99)), max: at(histogram.max) };
}

async function cancels(contenders: readonly Contender[]): Promise<void> {
  const medians = new Map<string, number>();
  for (const contender of contenders) {
    const times: number[] = [];
    for (let i = 0; i < (contender.name === "kerfwork" ? 50 : 12); i++)
      times.push(await contender.stopAndGoOn());
    measure(`${contender.name}: cancel to the next task done`, "ms", times);
    medians.set(contender.name, median(times));
  }
  const mine = medians.get("kerfwork") as number;
  medians.delete("kerfwork");
  const best = Math.min(...medians.values());
  measure("best peer / kerfwork, cancel to next", "ratio", [best / mine], { of: "median", atLeast: 50 });
}

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

/** What many waiting tasks hold in memory. */
async function queue(contenders: readonly Contender[]): Promise<void> {
  const heap = async (): Promise<number> => {
    // what was let go of goes in two steps
    collect();
    await sleep(20);
    collect();
    return process.memoryUsage().heapUsed;
  };
  for (const { name, noop } of contenders) {
    const tasks = Array.from({ length: QUEUED }, noop);
    collect();
    const held = process.memoryUsage().heapUsed;
    await Promise.all(tasks);
    tasks.length = 0;
    const bytes = (held - (await heap())) / QUEUED;
    const bar = name === "kerfwork" ? ({ of: "median", atMost: 8192 } as const) : undefined;
    measure(`${name}: heap of a waiting task, ${QUEUED} queued`, "B", [bytes], bar);
  }
}

const makers = [ours, bare, await peerPool("piscina"), await peerPool("tinypool")];
const contenders: Contender[] = [];
for (const make of makers) {
  if (make === undefined) continue;
  // some pools start their threads as they are made, others with the first task: from nothing to the first answer
  const start = performance.now();
  const contender = make();
  await contender.noop();
  const first = performance.now() - start;
  report(`${contender.name}: from nothing to the first no-op`, "ms", 1, {
    median: first,
    p99: first,
    max: first,
  });
  contenders.push(contender);
}
await dispatch(contenders);
await cancels(contenders);
await queue(contenders);
await Promise.all(contenders.map((contender) => contender.close()));
await progress();
