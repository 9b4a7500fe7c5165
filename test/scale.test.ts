import { type Curves, type Image, type Task, TaskManager, trace, workerFunction } from "kerfwork";
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

test.run();
