import {
  type Curves,
  type Image,
  type KerfworkError,
  type Task,
  TaskManager,
  trace,
  workerFunction,
} from "kerfwork";
import { test } from "uvu";
import * as assert from "uvu/assert";

const targets = new URL("../../test/fixtures/targets.mjs", import.meta.url);
const thread = workerFunction(targets, "thread");

/** 24 megapixels of soft discs and rings of all sizes on a grid, a tenth of it bent by a wave: work in every row. */
function picture(width: number, height: number): Image {
  const data = new Uint8Array(new SharedArrayBuffer(width * height)).fill(255);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const dx = (x % 60) - 30 + 8 * Math.sin(y / 40);
      const dy = (y % 60) - 30;
      const distance = Math.sqrt(dx * dx + dy * dy);
      const radius = 8 + (((x / 60) | 0) % 16);
      const ring = Math.abs(distance - radius);
      data[y * width + x] = Math.min(255, Math.max(0, (ring - 3) * 60 + 128));
    }
  return { width, height, data };
}

const image = picture(6000, 4000);
const manager = new TaskManager({ maxWorkers: 1, progressIntervalMs: 2 });
test.after(() => manager.shutdown());

const begun = (task: Task<unknown>, share: number): Promise<void> =>
  new Promise((resolve) => {
    const stop = task.changed.connect(({ progress }) => {
      if (progress < share) return;
      stop();
      resolve();
    });
  });

const sameCurves = (a: Curves, b: Curves): void => {
  for (const name of ["ends", "kinds", "xy", "depth"] as const)
    assert.ok(
      Buffer.from(a[name].buffer, a[name].byteOffset, a[name].byteLength).equals(
        Buffer.from(b[name].buffer, b[name].byteOffset, b[name].byteLength),
      ),
      `${name} differs`,
    );
};

test("24 megapixels in a worker: the result of the calling thread, with progress on the way", async () => {
  const seen: number[] = [];
  const task = manager.runProcess(trace, [image]);
  task.changed.connect(({ status, progress }) => {
    if (status === "running") seen.push(progress);
  });
  const curves = await task.promise;
  assert.ok(curves.ends.length > 5000, `${curves.ends.length} contours`);
  assert.ok(seen.length >= 20, `${seen.length} samples of progress`);
  assert.equal(
    seen,
    [...seen].sort((a, b) => a - b),
    "progress never falls",
  );
  sameCurves(curves, trace(image));
});

test("cancel in the middle of 24 megapixels: the kernel leaves, its thread takes the next task", async () => {
  const id = await manager.runProcess(thread, []).promise;
  for (const share of [0.05, 0.2, 0.4, 0.6, 0.8]) {
    const task = manager.runProcess(trace, [image]);
    task.promise.catch(() => {});
    await begun(task, share);
    assert.ok(manager.cancelTask(task.key));
    await task.ended;
    assert.is(task.status, "canceled");
    assert.ok(task.progress < 1);
    assert.is(await manager.runProcess(thread, []).promise, id);
  }
  const { spawned, killed, crashed } = manager.stats();
  assert.equal([spawned, killed, crashed], [1, 0, 0]);
});

test("a worker whose memory outgrew the limit is ended when idle, and the next task gets a fresh one", async () => {
  const small = new TaskManager({ maxWorkers: 1, recycleBytes: 4 * 2 ** 20 });
  const id = await small.runProcess(thread, []).promise;
  await small.runProcess(trace, [image]).promise;
  assert.is(small.stats().recycled, 1);
  assert.is.not(await small.runProcess(thread, []).promise, id);
  assert.equal([small.stats().spawned, small.stats().crashed, small.stats().killed], [2, 0, 0]);
  await small.shutdown();
});

test("a picture beyond the kernels' memory fails with one clear line, and the thread serves on", async () => {
  const spawned = manager.stats().spawned;
  // every second pixel is a shape of its own: more corners than 1 GiB holds
  const dots = { width: 16_000, height: 8_000, data: new Uint8Array(new SharedArrayBuffer(128e6)).fill(255) };
  for (let y = 0; y < dots.height; y += 2)
    for (let x = 0; x < dots.width; x += 2) dots.data[y * dots.width + x] = 0;
  const task = manager.runProcess(trace, [dots, { threshold: 128, despecklePx: 0 }]);
  const error = await task.promise.then(
    () => undefined,
    (reason: KerfworkError) => reason,
  );
  assert.is(error?.code, "OUT_OF_MEMORY");
  assert.match(
    error?.message ?? "",
    /^Expected the work to fit in 1024 MiB of kernel memory, needs at least \d+ MiB$/,
  );
  await task.ended;
  assert.is(typeof (await manager.runProcess(thread, []).promise), "number");
  assert.is(manager.stats().crashed, 0);
  assert.ok(manager.stats().spawned <= spawned + 1, "a thread that grew may be recycled");
});

test.run();
