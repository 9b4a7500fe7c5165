// Big traces on more than one thread: the same to the byte, whatever becomes of the other threads.
import diagnostics from "node:diagnostics_channel";
import {
  type Curves,
  type ExecutionContext,
  type Image,
  TaskManager,
  type TraceOptions,
  trace,
  workerFunction,
} from "kerfwork";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { extract } from "../src/engine/contours.ts";
import { FIT_MODES, type FitMode, fitBorders } from "../src/engine/fit.ts";
import { toBitmap } from "../src/engine/image.ts";
import { Engine, instantiate, type Pointer, Stages } from "../src/engine/memory.ts";
import { CURSOR_BYTES, fitRange, xyBytes } from "../src/engine/range.ts";
import type { fitShare } from "../src/engine/share.ts";
import { type Crew, type EngineFunction, environment } from "../src/tasker/target.ts";
import { bitsFrom, random } from "./oracle.ts";
import { blobs, imageOf, noise } from "./outline.ts";
import { codeOf, staged, target, until, words } from "./tasks.ts";

const url = new URL("../../test/fixtures/share.mjs", import.meta.url);
interface Traced {
  readonly curves: Curves;
  readonly told: string[];
  readonly crew: number | undefined;
}
const traced = workerFunction<
  (
    context: ExecutionContext,
    image: Image,
    options: TraceOptions,
    wait?: boolean,
    word?: Int32Array,
  ) => Traced
>(url, "traced");
const troubled = (kind: string, word: Int32Array) => ({
  target: workerFunction(url, "troubled") as never,
  args: [kind, word],
});

/** Small discs of all sizes, with holes, close together, with gray at their borders. */
function dots(seed: number, width: number, height: number, step: number): Image {
  const next = random(seed);
  const data = new Uint8Array(width * height).fill(255);
  for (let cy = step / 2; cy < height; cy += step)
    for (let cx = step / 2; cx < width; cx += step) {
      const r = step * (0.25 + 0.25 * next());
      for (let y = Math.max(0, Math.ceil(cy - r - 1)); y < Math.min(height, cy + r + 1); y++)
        for (let x = Math.max(0, Math.ceil(cx - r - 1)); x < Math.min(width, cx + r + 1); x++) {
          const d = Math.hypot(x - cx, y - cy);
          const outside = Math.max(d - r, r * 0.3 - d); // px
          data[y * width + x] = Math.min(data[y * width + x]!, 255 * Math.min(1, Math.max(0, outside + 0.5)));
        }
    }
  return { width, height, data };
}

const OPTIONS = { despecklePx: 0, dpi: 300 };
const BUSY = imageOf(noise(3, 1000, 1000, 0.5));
const ROUND = dots(4, 1500, 1500, 11);

/** By one thread, as this one has no crew. */
const alone = new Map<string, Curves>();
function expected(image: Image, mode: FitMode): Curves {
  const name = `${image === BUSY} ${mode}`;
  const known = alone.get(name) ?? trace(image, { ...OPTIONS, mode });
  alone.set(name, known);
  return known;
}

function same(curves: Curves, others: Curves, what: string): void {
  for (const name of ["ends", "kinds", "xy", "depth"] as const)
    assert.ok(Buffer.compare(bytesOf(curves[name]), bytesOf(others[name])) === 0, `${name}: ${what}`);
}
const bytesOf = ({ buffer, byteOffset, byteLength }: Uint8Array | Float32Array | Uint32Array | Uint16Array) =>
  Buffer.from(buffer, byteOffset, byteLength);

/** Chunks that other threads fitted, and all. */
function countsOf({ told }: Traced): [number, number] {
  const [, others, all] = /^other threads fitted (\d+) of (\d+) chunks$/.exec(told[0] ?? "") ?? [];
  assert.is(told.length, 1);
  return [Number(others), Number(all)];
}

const TWO = { maxWorkers: 2, graceMs: 60_000 };

staged("two threads give what one gives, in all modes", TWO, async ({ manager }) => {
  for (const image of [BUSY, ROUND])
    for (const mode of FIT_MODES) {
      const one = expected(image, mode);
      assert.ok(one.ends.length > 20_000, `${one.ends.length} contours`);
      const found = await manager.runProcess(traced, [image, { ...OPTIONS, mode }, true]).promise;
      const [others, all] = countsOf(found);
      assert.ok(others > 0 && others <= all, `${others} of ${all} chunks by others, ${mode}`);
      assert.is(found.crew, 1);
      same(found.curves, one, mode);
      same(await manager.runProcess(trace, [image, { ...OPTIONS, mode }]).promise, one, `${mode}, plain`);
    }
  const { spawned, killed, crashed } = manager.stats();
  assert.equal({ spawned, killed, crashed }, { spawned: 2, killed: 0, crashed: 0 });
});

staged("the gray of soft edges is there for all", TWO, async ({ manager }) => {
  const soft = { ...ROUND, data: ROUND.data.slice() };
  for (let i = 1; i + 1 < soft.data.length; i++)
    soft.data[i] = (ROUND.data[i - 1]! + 2 * ROUND.data[i]! + ROUND.data[i + 1]!) >> 2;
  const options = { ...OPTIONS, subpixel: true } as const;
  const one = trace(soft, options);
  const found = await manager.runProcess(traced, [soft, options, true]).promise;
  assert.ok(countsOf(found)[0] > 0);
  same(found.curves, one, "soft");
  const hard = trace(soft, { ...OPTIONS, subpixel: false });
  assert.ok(Buffer.compare(bytesOf(hard.xy), bytesOf(one.xy)) !== 0);
});

staged("a thread beside the pool is helped as well", TWO, async ({ manager }) => {
  const found = await manager.runThread(traced, [BUSY, OPTIONS, true]).promise;
  assert.ok(countsOf(found)[0] > 0);
  same(found.curves, expected(BUSY, "curves"), "thread");
});

staged(
  "nobody sees the others, and progress grows to 1",
  { ...TWO, progressIntervalMs: 1 },
  async (stage) => {
    const { manager, done } = stage;
    const seen: number[] = [];
    let most = 0;
    manager.tasksUpdated.connect(({ tasks }) => {
      most = Math.max(most, tasks.length);
    });
    const task = manager.runProcess(traced, [BUSY, OPTIONS, true]);
    task.changed.connect(({ progress }) => seen.push(progress));
    await done(task);
    assert.is(most, 1);
    assert.is(seen.at(-1), 1);
    assert.ok(seen.length > 3, `${seen.length} changes`);
    for (let i = 1; i < seen.length; i++) assert.ok(seen[i]! >= seen[i - 1]!, `${seen[i - 1]} to ${seen[i]}`);
  },
);

staged(
  "a full pool leaves a trace alone, and takes back what it asked for",
  TWO,
  async ({ manager, done }) => {
    const word = words();
    const held = manager.runProcess(target("hold"), [word]);
    await until(() => Atomics.load(word, 0) === 1);
    const ends: string[] = [];
    const hear = (data: unknown): void => {
      const { target, status } = data as { target: string; status: string };
      if (target === "fitShare") ends.push(status);
    };
    diagnostics.subscribe("kerfwork:settle", hear);
    const found = await manager.runProcess(traced, [BUSY, OPTIONS]).promise;
    assert.is(countsOf(found)[0], 0);
    same(found.curves, expected(BUSY, "curves"), "full pool");
    await until(() => ends.length > 0 && manager.stats().queued === 0);
    diagnostics.unsubscribe("kerfwork:settle", hear);
    assert.equal(ends, ["canceled"]);
    assert.is(held.status, "running");
    Atomics.store(word, 1, 1);
    await done(held);
    assert.is(manager.stats().spawned, 2);
  },
);

staged("two big traces at once share what there is", TWO, async ({ manager }) => {
  const both = [BUSY, ROUND].map((image) => manager.runProcess(traced, [image, OPTIONS]).promise);
  const [busy, round] = await Promise.all(both);
  same(busy!.curves, expected(BUSY, "curves"), "busy");
  same(round!.curves, expected(ROUND, "curves"), "round");
  await until(() => manager.stats().queued + manager.stats().running === 0);
});

staged(
  "one worker, a small picture or a process: nobody is asked",
  { maxWorkers: 1 },
  async ({ manager }) => {
    const { curves, told, crew } = await manager.runProcess(traced, [BUSY, OPTIONS]).promise;
    assert.equal([told, crew, manager.stats().spawned], [[], undefined, 1]);
    same(curves, expected(BUSY, "curves"), "one worker");
    const two = new TaskManager(TWO);
    const small = await two.runProcess(traced, [dots(5, 100, 100, 9), OPTIONS]).promise;
    assert.equal([small.told, small.crew, two.stats().spawned], [[], 1, 1]);
    const apart = await two.runProcess(traced, [ROUND, OPTIONS], { isolation: "process" }).promise;
    assert.equal([apart.told, apart.crew], [[], undefined]);
    same(apart.curves, expected(ROUND, "curves"), "process");
    await two.shutdown();
  },
);

for (const [kind, crashed] of [
  ["exit", 1],
  ["throw", 0],
] as const) {
  const word = words();
  const init = { ...TWO, workerInit: troubled(kind, word), crashLimit: 9 };
  staged(`another thread fails in the middle (${kind}): its chunk is fitted anew`, init, async (stage) => {
    const found = await stage.manager.runProcess(traced, [BUSY, OPTIONS, true]).promise;
    assert.is(countsOf(found)[0], 1);
    same(found.curves, expected(BUSY, "curves"), kind);
    await until(() => stage.manager.stats().running === 0);
    assert.is(stage.manager.stats().crashed, crashed);
    assert.equal(stage.errors, []);
  });
}

const asleep = words();
staged(
  "another thread that stands still is not waited for, nor met again in memory",
  { ...TWO, workerInit: troubled("sleep", asleep) },
  async ({ manager }) => {
    const found = await manager.runProcess(traced, [BUSY, OPTIONS, true]).promise;
    assert.is(countsOf(found)[0], 1);
    assert.equal([Atomics.load(asleep, 1), Atomics.load(asleep, 3)], [1, 0]);
    same(found.curves, expected(BUSY, "curves"), "asleep");
    // the next one on the same memory has only just begun when the other wakes up
    const next = manager.runProcess(traced, [ROUND, OPTIONS]).promise;
    Atomics.store(asleep, 2, 1);
    Atomics.notify(asleep, 2);
    same((await next).curves, expected(ROUND, "curves"), "beside one that woke up late");
    await until(() => Atomics.load(asleep, 3) > 0);
  },
);

staged("a cancel ends all, on the same threads", TWO, async ({ manager, done }) => {
  const image = imageOf(noise(6, 1400, 1400, 0.5));
  const word = words();
  await manager.runProcess(traced, [BUSY, OPTIONS, true]).promise; // both are up
  const task = manager.runProcess(traced, [image, OPTIONS, true, word]);
  await until(() => Atomics.load(word, 0) === 1);
  assert.ok(task.cancel());
  await done(task);
  await task.ended;
  assert.is(codeOf(task), "CANCELED");
  await until(() => manager.stats().running + manager.stats().retiring + manager.stats().queued === 0);
  const found = await manager.runProcess(traced, [BUSY, OPTIONS, true]).promise;
  assert.ok(countsOf(found)[0] > 0);
  same(found.curves, expected(BUSY, "curves"), "after a cancel");
  const { spawned, killed, crashed } = manager.stats();
  assert.equal({ spawned, killed, crashed }, { spawned: 2, killed: 0, crashed: 0 });
});

// --- with a crew that runs here and now ---

type Share = Parameters<typeof fitShare>;
type Come = (target: EngineFunction<Share, unknown>, args: Share) => void;
interface Asked {
  readonly told: string[];
  dismissed: number;
}

/** Fits on this thread with a crew of one, whose work is done by `come`, before this thread begins its own. */
function fitWith(
  engine: Engine,
  image: Image,
  mode: FitMode,
  come: Come,
  open = 0,
): { curves: Curves; asked: Asked } {
  const asked: Asked = { told: [], dismissed: 0 };
  const crew = {
    size: 1,
    enlist(target: EngineFunction<Share, unknown>, args: Share) {
      come(target, args);
      return () => {
        asked.dismissed++;
      };
    },
    tell: (message: string) => asked.told.push(message),
  };
  environment().crew = crew as unknown as Crew;
  try {
    return { asked, curves: engine.run((engine) => fitted(engine, image, mode, open)) };
  } finally {
    environment().crew = undefined;
  }
}

function fitted(engine: Engine, image: Image, mode: FitMode, open = 0): Curves {
  const stages = new Stages();
  const { bitmap } = toBitmap(engine, image, { threshold: 128, invert: false }, stages, 0.3);
  const borders = extract(engine, bitmap, { despecklePx: 0 }, stages, 0.3);
  return fitBorders(engine, borders, { mode, tolerancePx: 0.5, mmPerPx: 25.4 / 300 }, stages, 0.4, open);
}

test("all by another, in one part a chunk or in many, and as far as its room goes", () => {
  const engine = new Engine();
  for (const mode of FIT_MODES) {
    const one = engine.run((engine) => fitted(engine, ROUND, mode));
    const whole = fitWith(engine, ROUND, mode, (target, args) => target(...args));
    const [, others, all] = /fitted (\d+) of (\d+)/.exec(whole.asked.told[0]!)!;
    assert.is(others, all);
    same(whole.curves, one, mode);
    const pieces = fitWith(engine, ROUND, mode, (target, [memory, share, number, seat]) =>
      target(memory, share, number, { ...seat, room: 64 }),
    );
    assert.equal(pieces.asked.told, whole.asked.told);
    same(pieces.curves, one, `${mode} in pieces`);
    const none = fitWith(engine, ROUND, mode, (target, [memory, share, number, seat]) =>
      target(memory, share, number, { ...seat, room: 1 }),
    );
    assert.equal(none.asked.told, [`other threads fitted 0 of ${all} chunks`]);
    same(none.curves, one, `${mode} without room`);
    const half = fitWith(engine, ROUND, mode, (target, [memory, share, number, seat]) =>
      target(memory, { ...share, tray: share.tray.subarray(0, 500_000) }, number, seat),
    );
    const [, few] = /fitted (\d+) of/.exec(half.asked.told[0]!)!;
    assert.ok(Number(few) > 0 && Number(few) < Number(all), `${few} of ${all}`);
    same(half.curves, one, `${mode} with a small tray`);
  }
});

test("one that does not come is sent away, and finds the door closed when it comes late", () => {
  let late = (): unknown => undefined;
  let words: Int32Array | undefined;
  const { curves, asked } = fitWith(new Engine(), BUSY, "curves", (target, args) => {
    late = () => target(...args);
    words = args[1].words;
  });
  same(curves, expected(BUSY, "curves"), "nobody came");
  assert.is(asked.dismissed, 1);
  const before = words!.slice();
  late();
  assert.equal(words, before);
});

test("one that never leaves keeps the memory that it may write to", () => {
  const engine = new Engine();
  let end = 0;
  const { curves, asked } = fitWith(engine, BUSY, "curves", (_target, [, { words, seats }, number, seat]) => {
    assert.is(seats, 1);
    Atomics.store(words, 2 + number, 1); // the seats follow two words
    end = seat.xy + xyBytes(seat.room);
  });
  same(curves, expected(BUSY, "curves"), "stuck");
  assert.is(asked.dismissed, 0);
  engine.run(() => assert.ok(engine.alloc(16) >= end));
});

test("a crew that cannot be asked is an error that leaves nothing behind", () => {
  const engine = new Engine();
  let start = 0;
  engine.run(() => {
    start = engine.alloc(16);
  });
  const broken = (): never => {
    throw new TypeError("cannot be sent");
  };
  assert.throws(() => fitWith(engine, BUSY, "curves", broken), /cannot be sent/);
  engine.run(() => assert.is(engine.alloc(16), start));
});

test("open borders stay open in whatever chunk they are", () => {
  const engine = new Engine();
  const one = engine.run((engine) => fitted(engine, ROUND, "curves", 12_000));
  const all = fitWith(engine, ROUND, "curves", (target, args) => target(...args), 12_000);
  same(all.curves, one, "open");
  assert.ok(Buffer.compare(bytesOf(one.xy), bytesOf(expected(ROUND, "curves").xy)) !== 0);
});

test("a border that needs a bigger room than all others, by this thread and by another", () => {
  const comb = (x: number, y: number): boolean => y === 0 || (y === 1 && x % 2 === 0);
  const specks = (x: number, y: number): boolean => y > 2 && y % 2 === 1 && x % 2 === 0;
  const image = imageOf(bitsFrom(140_000, 8, (x, y) => comb(x, y) || specks(x, y)));
  const one = trace(image, { ...OPTIONS, mode: "pixels" });
  const engine = new Engine();
  const all = fitWith(engine, image, "pixels", (target, args) => target(...args));
  assert.match(all.asked.told[0]!, /fitted (\d+) of \1 /);
  same(all.curves, one, "by another");
  // the seat is still the other's when this thread's room has grown
  let seated = (): Uint8Array => new Uint8Array();
  const own = fitWith(engine, image, "pixels", (_target, [, , , { scratch, xy, room }]) => {
    seated = () => engine.u8(scratch, xy + xyBytes(room) - scratch);
    seated().fill(0xa5);
  });
  assert.match(own.asked.told[0]!, /fitted 0 of/);
  same(own.curves, one, "by this one");
  assert.ok(seated().every((byte) => byte === 0xa5));
});

test("without memory for others a trace stays alone", () => {
  const roomy = new Engine();
  roomy.run((engine) => fitted(engine, BUSY, "curves"));
  const tight = new Engine(undefined, undefined, roomy.memory.buffer.byteLength);
  let came = 0;
  const { curves, asked } = fitWith(tight, BUSY, "curves", () => came++);
  assert.equal([came, asked.told], [0, []]);
  same(curves, expected(BUSY, "curves"), "tight");
});

test("kernels on a lent memory report beside its control block, and leave by its cancel word", () => {
  const engine = new Engine();
  engine.run(() => {
    const image = imageOf(blobs(7, 200, 200, 40));
    const stages = new Stages();
    const { bitmap } = toBitmap(engine, image, { threshold: 128, invert: false }, stages, 0.3);
    const { contours, corners, ends, points } = extract(engine, bitmap, { despecklePx: 0 }, stages, 0.3);
    const bytes = engine.kernels.fitScratch(ends, contours, points, engine.alloc(64), 0);
    const room = 4 * corners + 16;
    const place = {
      cursor: engine.alloc(CURSOR_BYTES),
      scratch: engine.alloc(bytes),
      kinds: engine.alloc(room),
      xy: engine.alloc(xyBytes(room)),
      room,
    };
    const job = {
      ends,
      points,
      outEnds: engine.alloc(4 * contours),
      mode: 2,
      tolerancePx: 0.5,
      mmPerPx: 1,
      open: 0,
      gray: undefined,
    };
    const step = engine.alloc(16);
    engine.i32(step, 4).fill(-9);
    const lent = instantiate(engine.memory, step);
    const block = engine.i32(0 as Pointer, 32);
    block[16] = -7;
    const run = (): number => {
      engine.u8(place.cursor, CURSOR_BYTES).fill(0);
      return fitRange(lent, job, place, contours);
    };
    assert.is(run(), contours);
    assert.is(block[16], -7);
    const [reported, ...guards] = engine.i32(step, 4);
    assert.ok(reported! > 0 && reported! <= corners, `${reported}`);
    assert.equal(guards, [-9, -9, -9]);
    block[0] = 1;
    assert.is(run(), -1);
    block[0] = 0;
  });
});

test.run();
