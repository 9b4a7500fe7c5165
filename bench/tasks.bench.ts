// What the task manager costs and how fast it obeys: a round trip next to bare workerpool, a progress report, a large
// trace in the background, and the time from a cancellation to the moment when the kernel has left.
import { monitorEventLoopDelay } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { type Curves, type ExecutionContext, type Image, TaskManager, trace } from "kerfwork";
import workerpool from "workerpool";
import { assertEqual, measure, type Result, report, seeded } from "./harness.ts";
import { colourOf, drawing } from "./scenes.ts";

const manager = new TaskManager({ maxWorkers: 1, progressIntervalMs: 5 });

/** Runs a no-op in a worker and back, in turns with workerpool alone; both on one warm thread. */
async function roundTrips(): Promise<void> {
  const script = fileURLToPath(new URL("../../bench/reference/noop-worker.mjs", import.meta.url));
  const bare = workerpool.pool(script, { workerType: "thread", maxWorkers: 1 });
  const noop = (): number => 0;
  const ours = (): PromiseLike<unknown> => manager.runProcess(noop, []).promise;
  const theirs = (): PromiseLike<unknown> => bare.exec("noop", []);
  const first = { ours: await timed(ours), theirs: await timed(theirs) };
  const times = { ours: [] as number[], theirs: [] as number[] };
  for (let i = 0; i < 200; i++) {
    await ours();
    await theirs();
  }
  for (let batch = 0; batch < 20; batch++) {
    for (let i = 0; i < 50; i++) times.ours.push(await timed(ours));
    for (let i = 0; i < 50; i++) times.theirs.push(await timed(theirs));
  }
  measure("first task of a new thread", "us", [first.ours]);
  measure("first call, bare workerpool", "us", [first.theirs]);
  measure("no-op task, one at a time", "us", times.ours);
  measure("no-op call, bare workerpool", "us", times.theirs);

  const queued: number[] = [];
  for (let batch = 0; batch < 7; batch++) {
    const start = performance.now();
    await Promise.all(Array.from({ length: 1000 }, ours));
    queued.push(performance.now() - start); // ms for 1000 is us for one
  }
  measure("no-op task, 1000 queued, each", "us", queued);
  await bare.terminate();
}

/** Times reports inside a worker, in batches, so that the clock is not what is measured. */
async function reports(): Promise<void> {
  const progress = (context: ExecutionContext, batches: number, calls: number): number[] =>
    Array.from({ length: batches }, () => {
      const start = performance.now();
      for (let i = 0; i < calls; i++) context.setProgress(i / calls);
      return ((performance.now() - start) * 1e6) / calls;
    });
  const message = (context: ExecutionContext, batches: number, calls: number): number[] =>
    Array.from({ length: batches }, () => {
      const start = performance.now();
      for (let i = 0; i < calls; i++) context.setMessage("tracing borders, 12 of 40");
      return ((performance.now() - start) * 1e6) / calls;
    });
  const asked = (context: ExecutionContext, batches: number, calls: number): number[] =>
    Array.from({ length: batches }, () => {
      const start = performance.now();
      let stopped = 0;
      for (let i = 0; i < calls; i++) if (context.isCancelled()) stopped++;
      return ((performance.now() - start) * 1e6) / (calls + stopped);
    });
  measure("setProgress", "ns", await manager.runProcess(progress, [50, 20_000]).promise);
  measure("setMessage, 25 bytes", "ns", await manager.runProcess(message, [50, 5_000]).promise);
  measure("isCancelled", "ns", await manager.runProcess(asked, [50, 50_000]).promise);
}

/** 24 megapixels of RGBA on shared memory, which workers read in place. */
function picture(): Image {
  const [width, height] = [6000, 4000];
  return { width, height, data: colourOf(drawing(width, height, 24_000), width, height) };
}

/** Traces in the background while the event loop is watched; returns the ms that it takes. */
async function background(image: Image): Promise<number> {
  await manager.runProcess(trace, [image]).promise;
  const inWorker: number[] = [];
  const samples: number[] = [];
  const delays = monitorEventLoopDelay({ resolution: 1 });
  let curves: Curves | undefined;
  for (let i = 0; i < 5; i++) {
    const seen = new Set<number>();
    delays.enable();
    const start = performance.now();
    const task = manager.runProcess(trace, [image]);
    task.changed.connect(({ progress }) => seen.add(progress));
    curves = await task.promise;
    inWorker.push(performance.now() - start);
    delays.disable();
    samples.push(seen.size);
  }
  measure("trace of 24 MP in a worker", "ms", inWorker);
  const ms = (ns: number): number => ns / 1e6;
  report(
    "delay of a 1 ms timer meanwhile",
    "ms",
    delays.count,
    { median: ms(delays.percentile(50)), p99: ms(delays.percentile(99)), max: ms(delays.max) },
    { of: "p99", atMost: 20 },
  );
  measure("progress values seen", "count", samples, { of: "median", atLeast: 20 });

  const onMain: number[] = [];
  for (let i = 0; i < 3; i++) {
    const start = performance.now();
    const same = trace(image);
    onMain.push(performance.now() - start);
    assertEqual(parts(same), parts(curves as Curves), "traces here and in a worker");
  }
  measure("trace of 24 MP on the main thread", "ms", onMain);
  return Math.min(...inWorker);
}

function parts({ ends, kinds, xy, depth }: Curves): Result {
  return [ends, kinds, xy, depth];
}

/** Cancels traces at seeded moments all over their time; counts until the worker has nothing left to do. */
async function cancelling(image: Image, traceMs: number): Promise<void> {
  const random = seeded(6);
  const before = manager.stats();
  const latencies: number[] = [];
  while (latencies.length < 50) {
    const task = manager.runProcess(trace, [image], { key: "trace" });
    await new Promise<void>((resolve) => {
      task.changed.connect(({ status }) => {
        if (status === "running") resolve();
      });
    });
    await sleep(random() * traceMs * 0.9);
    const start = performance.now();
    if (!manager.cancelTask("trace")) continue; // it was done already
    await task.ended;
    latencies.push(performance.now() - start);
  }
  measure("cancelTask until the kernel has left", "ms", latencies, { of: "p99", atMost: 10 });
  await manager.runProcess(() => 0, []).promise;
  const { spawned, killed, crashed } = manager.stats();
  if (spawned !== before.spawned || killed + crashed > 0)
    throw new Error(
      `Expected one thread to take all of it, ${spawned} were started, ${killed} ended by force`,
    );
}

async function timed(run: () => PromiseLike<unknown>): Promise<number> {
  const start = performance.now();
  await run();
  return (performance.now() - start) * 1000;
}

await roundTrips();
await reports();
const image = picture();
await cancelling(image, await background(image));
await manager.shutdown();
