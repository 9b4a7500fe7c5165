import { readFileSync } from "node:fs";
import { Worker } from "node:worker_threads";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { STEP } from "../src/engine/memory.ts";
import { BLOCK_BYTES, ControlBlock, LAYOUT, MEMORY_PAGES } from "../src/tasker/control.ts";

test("the layout: words do not overlap, are aligned, and fit the block", () => {
  const words = Object.entries(LAYOUT).sort(([, a], [, b]) => a.at - b.at);
  let end = 0;
  for (const [name, { at, size }] of words) {
    assert.ok(at >= end, `${name} overlaps the word before it`);
    assert.is(at % Math.min(size, 8), 0, `${name} is not aligned`);
    end = at + size;
  }
  assert.ok(end <= BLOCK_BYTES);
});

test("the layout is the same in AssemblyScript", () => {
  const kernels = readFileSync("assembly/control.ts", "utf8");
  const at = /^const CANCEL: usize = (\d+);/m.exec(kernels)?.[1];
  assert.is(Number(at), LAYOUT.CANCEL.at);
  // the engine gives it to each instance
  assert.match(kernels, /^@external\("env", "step"\)\ndeclare const STEP: usize;/m);
  assert.is(STEP, LAYOUT.STEP.at);
  assert.equal(
    [...kernels.matchAll(/const (\w+): usize/g)].map(([, name]) => name),
    ["CANCEL", "STEP"],
  );
});

test("the memory's limits are those that the kernels are built for", () => {
  const { options, targets } = JSON.parse(readFileSync("asconfig.json", "utf8"));
  assert.is(options.memoryBase, BLOCK_BYTES);
  for (const target of Object.values<{ initialMemory: number; maximumMemory: number }>(targets))
    assert.equal([target.initialMemory, target.maximumMemory], [MEMORY_PAGES.initial, MEMORY_PAGES.maximum]);
});

test("progress and messages are read as they were written", () => {
  const block = new ControlBlock(new SharedArrayBuffer(BLOCK_BYTES));
  assert.is(block.readProgress(), 0);
  assert.is(block.readMessage(), "");
  block.writeProgress(0.25);
  assert.is(block.readProgress(), 0.25);
  block.writeProgress(0.5, 0.25, 10);
  assert.is(block.readProgress(), 0.5);
  block.writeMessage("Änderung läuft 🔥");
  assert.is(block.readMessage(), "Änderung läuft 🔥");
  block.writeMessage("");
  assert.is(block.readMessage(), "");
});

test("a kernel's count moves the progress over its share, and not beyond", () => {
  const buffer = new SharedArrayBuffer(BLOCK_BYTES);
  const step = new Int32Array(buffer, LAYOUT.STEP.at, 1);
  const block = new ControlBlock(buffer);
  block.writeProgress(0.5, 0.25, 10);
  for (const [count, progress] of [
    [0, 0.5],
    [4, 0.6],
    [10, 0.75],
    [99, 0.75],
  ] as const) {
    Atomics.store(step, 0, count);
    assert.is(block.readProgress(), progress);
  }
  block.writeProgress(0.75, 0.25, 3);
  assert.is(block.readProgress(), 0.75, "the next stage starts at its own 0");
});

test("messages are cut between characters", () => {
  const block = new ControlBlock();
  block.writeMessage("€".repeat(1000));
  const message = block.readMessage();
  assert.is(message, "€".repeat(Math.floor(LAYOUT.MESSAGE.size / 3)));
});

test("cancel hits the run that it names, and no later one", () => {
  const block = new ControlBlock();
  block.open(7);
  block.cancel(6);
  assert.is(block.isCancelled(), false);
  block.cancel(7);
  assert.is(block.isCancelled(), true);
  block.open(8);
  assert.is(block.isCancelled(), false);
});

test("a run shows nothing of the one before, and begins when its code does", () => {
  const buffer = new SharedArrayBuffer(BLOCK_BYTES);
  const [seen, told] = [new ControlBlock(buffer), new ControlBlock(buffer)];
  for (const generation of [1, 2]) {
    seen.open(generation);
    assert.is(seen.started, false);
    told.begin();
    assert.equal([seen.started, seen.readProgress(), seen.readMessage()], [true, 0, ""]);
    told.writeProgress(0.25, 0.5, 2);
    Atomics.store(new Int32Array(buffer, LAYOUT.STEP.at, 1), 0, 1);
    told.writeMessage(`run ${generation}`);
    assert.equal([seen.readProgress(), seen.readMessage()], [0.5, `run ${generation}`]);
  }
});

/**
 * A writer that never pauses, on a thread of its own: base and span always add up to 1, and a message is one letter
 * over and over. Anything else that is read was torn.
 */
async function storm(
  read: (shared: SharedArrayBuffer) => { reads: number; torn: number },
): Promise<{ reads: number; torn: number }> {
  const shared = new SharedArrayBuffer(BLOCK_BYTES);
  const running = new Int32Array(shared, LAYOUT.WAKE.at, 1);
  const writer = new Worker(new URL("../../test/fixtures/storm.mjs", import.meta.url), {
    workerData: { shared, layout: LAYOUT },
  });
  await new Promise((resolve) => writer.once("message", resolve));
  try {
    return read(shared);
  } finally {
    Atomics.store(running, 0, 1);
    await new Promise((resolve) => writer.once("exit", resolve));
  }
}

const READS = 30_000;

test("seqlock storm: no torn progress and no torn message", async () => {
  const { reads, torn } = await storm((shared) => {
    const block = new ControlBlock(shared);
    let torn = 0;
    for (let i = 0; i < READS; i++) {
      // STEP stays 0, so progress is BASE: the writer keeps it a multiple of 1/1024, with SPAN = 1 - BASE
      const message = block.readMessage();
      if (message !== "" && message !== (message[0] as string).repeat(message.length)) torn++;
      const progress = block.readProgress();
      if (!Number.isInteger(progress * 1024)) torn++;
    }
    return { reads: READS, torn };
  });
  assert.is(reads, READS);
  assert.is(torn, 0);
});

test("seqlock storm, the control: without the check torn messages and pairs are read", async () => {
  const { torn } = await storm((shared) => {
    const numbers = new Float64Array(shared);
    const bytes = new Uint8Array(shared, LAYOUT.MESSAGE.at, LAYOUT.MESSAGE.size);
    let torn = 0;
    // until one is seen: how often hangs on the machine, that it happens does not
    const end = performance.now() + 20_000;
    while (torn === 0 && performance.now() < end) {
      const base = numbers[LAYOUT.BASE.at / 8] as number;
      const span = numbers[LAYOUT.SPAN.at / 8] as number;
      if (base + span !== 1) torn++;
      const copy = bytes.slice(0, 200);
      if (copy.some((byte) => byte !== copy[0])) torn++;
    }
    return { reads: 0, torn };
  });
  assert.ok(torn > 0, "the storm must tear what is read without the check, or the test above proves nothing");
});

test.run();
