// What the task manager costs and how fast it obeys: a round trip next to bare workerpool, a progress report.
import { fileURLToPath } from "node:url";
import { type ExecutionContext, TaskManager } from "kerfwork";
import workerpool from "workerpool";
import { measure } from "./harness.ts";

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

async function timed(run: () => PromiseLike<unknown>): Promise<number> {
  const start = performance.now();
  await run();
  return (performance.now() - start) * 1000;
}

await roundTrips();
await reports();
await manager.shutdown();
