import { test } from "uvu";
import * as assert from "uvu/assert";
import { Engine, type Kernels, type Pointer, Stages, withEngine } from "../src/engine/memory.ts";
import type { KerfworkError } from "../src/errors.ts";
import { environment } from "../src/tasker/target.ts";

const PAGE = 65536;
const newEngine = (limitBytes?: number): Engine => new Engine(undefined, undefined, limitBytes);
const thrown = (run: () => unknown): KerfworkError => {
  try {
    run();
  } catch (error) {
    return error as KerfworkError;
  }
  throw new Error("nothing was thrown");
};

test("alloc: addresses are 16-byte aligned, behind the control block, and do not overlap", () => {
  newEngine().run((engine) => {
    let end = 4096;
    for (const bytes of [0, 1, 15, 16, 17, 100, 65536, 3]) {
      const at = engine.alloc(bytes);
      assert.is(at % 16, 0);
      assert.ok(at >= end);
      end = at + bytes;
    }
  });
});

test("alloc: grows the memory, and what was there stays", () => {
  newEngine().run((engine) => {
    const first = engine.push(Uint8Array.of(1, 2, 3));
    const before = engine.memory.buffer.byteLength;
    const big = engine.alloc(10 * PAGE);
    assert.ok(engine.memory.buffer.byteLength >= before + 9 * PAGE);
    engine.u8(big, 10 * PAGE).fill(9);
    assert.equal([...engine.u8(first, 3)], [1, 2, 3]);
  });
});

test("run: gives the whole arena back, after a return and after a throw", () => {
  const engine = newEngine();
  const first = engine.run(() => engine.alloc(1000));
  thrown(() =>
    engine.run(() => {
      engine.alloc(5000);
      throw new Error("in the middle");
    }),
  );
  assert.is(
    engine.run(() => engine.alloc(8)),
    first,
  );
});

test("mark and release give back what came after", () => {
  newEngine().run((engine) => {
    engine.alloc(10);
    const mark = engine.mark();
    const at = engine.alloc(10_000);
    engine.release(mark);
    assert.is(engine.alloc(4), at);
  });
});

test("push copies every kind of typed array, also a view into a larger buffer", () => {
  newEngine().run((engine) => {
    const doubles = Float64Array.of(1, 2, 3, 4).subarray(1, 3);
    assert.equal([...engine.f64(engine.push(doubles), 2)], [2, 3]);
    assert.equal([...engine.f32(engine.push(Float32Array.of(0.5)), 1)], [0.5]);
    assert.equal([...engine.i32(engine.push(Int32Array.of(-7)), 1)], [-7]);
    assert.equal([...engine.u16(engine.push(Uint16Array.of(65535)), 1)], [65535]);
  });
});

test("the cap: one clear error, nothing lost, the engine goes on", () => {
  const engine = newEngine(4 * PAGE);
  const error = thrown(() => engine.run(() => engine.alloc(100 * PAGE)));
  assert.is(error.code, "OUT_OF_MEMORY");
  assert.is(error.message, "Expected the work to fit in 1 MiB of kernel memory, needs at least 7 MiB");
  assert.equal(Object.keys(error.data ?? {}), ["limitBytes", "neededBytes"]);
  assert.ok(engine.memory.buffer.byteLength <= 4 * PAGE);
  engine.run(() => engine.alloc(PAGE));
});

test("the cap of 1 GiB holds without a limit of the caller's", () => {
  const error = thrown(() => withEngine((engine) => engine.alloc(2 ** 30)));
  assert.is(error.code, "OUT_OF_MEMORY");
  assert.match(error.message, /fit in 1024 MiB of kernel memory, needs at least 1025 MiB/);
});

test("run: a trap names itself, and calls do not nest", () => {
  const engine = newEngine();
  const outside = (2 ** 31) as Pointer;
  const trap = thrown(() => engine.run(() => engine.kernels.otsu(outside)));
  assert.is(trap.code, "KERNEL_TRAP");
  assert.is(trap.message, "A kernel trapped: memory access out of bounds");
  assert.is(thrown(() => engine.run(() => engine.run(() => 1))).code, "INVALID_STATE");
  assert.is(
    engine.run(() => 2),
    2,
  );
});

test("Stages: each stage begins where the one before ended; statuses become errors", () => {
  const surroundings = environment();
  const kept = surroundings.reporter;
  const seen: number[][] = [];
  let cancelled = false;
  surroundings.reporter = {
    beginStage: (base, span, total) => void seen.push([base, span, total]),
    isCancelled: () => cancelled,
  };
  try {
    const stages = new Stages();
    assert.is(
      stages.run(0.25, 10, () => 3),
      3,
    );
    assert.is(
      stages.offer(0.5, 0, () => -2),
      undefined,
    );
    assert.is(
      stages.offer(0.5, 7, () => 0),
      0,
    );
    assert.equal(seen, [
      [0, 0.25, 10],
      [0.25, 0.5, 1],
      [0.25, 0.5, 7],
    ]);
    assert.is(thrown(() => stages.run(0.1, 1, () => -1)).code, "CANCELED");
    assert.is(thrown(() => stages.run(0.1, 1, () => -2)).code, "KERNEL_TRAP");
    cancelled = true;
    assert.is(
      thrown(() => stages.run(0.1, 1, () => 5)).code,
      "CANCELED",
      "a cancel between kernels is seen too",
    );
  } finally {
    surroundings.reporter = kept;
  }
});

test("kernel calls are typed: what the compiler must refuse", () => {
  const check = (kernels: Kernels, at: Pointer): void => {
    // @ts-expect-error a count where the kernel takes none
    kernels.heapBase(3);
    // @ts-expect-error no such kernel
    kernels.nothing(at);
    // @ts-expect-error a number is not an address
    const address: Pointer = 16;
    void address;
  };
  assert.type(check, "function");
});

test("checkpoint: stores the count, reads the cancel word", () => {
  const engine = newEngine();
  const words = new Int32Array(engine.memory.buffer);
  assert.not.ok(engine.kernels.checkpoint(42));
  assert.is(words[64 / 4], 42);
  words[0] = 1;
  assert.ok(engine.kernels.checkpoint(43));
});

test.run();
