import { readFileSync } from "node:fs";
import {
  checkJobOptions,
  decodeImage,
  encode,
  fitArcs,
  flatten,
  type Image,
  type JobOptions,
  makeDrawing,
  makeProgram,
  order,
  TaskManager,
  toOps,
  trace,
} from "kerfwork";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { failure } from "./pictures.ts";

const badge = readFileSync("samples/badge.png");
const STAGES = ["decode", "trace", "flatten", "order", "ops", "encode"];

/** A black square of 20 px with a hole of 10 px, away from the edge. */
const ring: Image = {
  width: 40,
  height: 30,
  data: Uint8Array.from({ length: 1200 }, (_, i) => {
    const [x, y] = [i % 40, Math.floor(i / 40)];
    const inside = (low: number, high: number): boolean => x >= low && x < high && y >= low && y < high;
    return inside(5, 25) && !inside(10, 20) ? 0 : 255;
  }),
};

/** Where the cuts of a program end, as "x y": a reader of modal G-code, slow and obvious. */
function cutsOf(text: string): string[] {
  const words = new Map<string, number>();
  const cuts: string[] = [];
  for (const line of text.split("\n")) {
    const found = [...line.matchAll(/([A-Z])(-?[\d.]+)/g)].map(
      ([, letter, value]) => [letter, Number(value)] as const,
    );
    for (const [letter, value] of found) if (letter !== "G" || value <= 3) words.set(letter, value);
    const moves = found.some(([letter]) => letter === "X" || letter === "Y");
    if (moves && words.get("G") === 1) cuts.push(`${words.get("X")} ${words.get("Y")}`);
  }
  return cuts;
}

async function withManager(body: (manager: TaskManager) => Promise<void>): Promise<void> {
  const manager = new TaskManager({ progressIntervalMs: 1 });
  try {
    await body(manager);
  } finally {
    await manager.shutdown();
  }
}

test("makeProgram cuts a square with a hole: inside first, at its size and place", () =>
  withManager(async (manager) => {
    const options: JobOptions = { trace: { mode: "pixels" }, ops: { speed: 600 } };
    const job = await makeProgram(ring, options, manager).promise;
    assert.equal(
      [job.width, job.height].map((mm) => mm.toFixed(6)),
      ["4.000000", "3.000000"],
    );
    const { report, program } = job;
    assert.equal([report.shapes, report.nodes], [2, 8]);
    assert.ok(Math.abs(report.cut - (8 + 4)) < 1e-4, `${report.cut} mm`);
    assert.equal(
      [report.lines, report.bytes, report.seconds],
      [program.lines, program.bytes.length, program.seconds],
    );
    assert.ok(report.travel <= report.travelBefore);
    // the picture is given as pixels: nothing to decode
    assert.equal(Object.keys(report.stages), STAGES.slice(1));
    // y turns around the picture's height of 3 mm
    const cuts = cutsOf(new TextDecoder().decode(program.bytes));
    assert.equal(new Set(cuts.slice(0, 4)), new Set(["1 2", "2 2", "2 1", "1 1"]));
    assert.equal(new Set(cuts.slice(4)), new Set(["0.5 2.5", "2.5 2.5", "2.5 0.5", "0.5 0.5"]));
    assert.is(cuts.length, 8);
  }));

test("makeProgram gives what its stages give when they are called one by one", () =>
  withManager(async (manager) => {
    const options = {
      trace: { dpi: 300, tolerance: 0.05 },
      flatten: { tolerance: 0.01 },
      order: { start: [10, 10] },
      ops: { power: 0.5, speed: 800 },
      encode: { maxPower: 255 },
    } satisfies JobOptions;
    const job = await makeProgram(badge, options, manager).promise;
    const image = await decodeImage(badge);
    const curves = trace(image, options.trace);
    const height = (image.height * 25.4) / 300;
    // the way back to the machine's 0, 0 counts
    const ordered = order(flatten(curves, options.flatten), { ...options.order, end: [0, height] });
    const ops = toOps(ordered.paths, { ...options.ops, height });
    assert.equal(job.curves, curves);
    assert.equal(job.program, encode(ops, options.encode));
    assert.equal([job.report.travel, job.report.travelBefore], [ordered.travel, ordered.before]);
    assert.equal(Object.keys(job.report.stages), STAGES);
    assert.ok(Object.values(job.report.stages).every((seconds) => seconds > 0));
  }));

test("makeProgram fits arcs if asked to, to curves that it cuts finer for that", () =>
  withManager(async (manager) => {
    const options: JobOptions = { trace: { dpi: 300 }, arcs: { tolerance: 0.04 } };
    const job = await makeProgram(badge, options, manager).promise;
    const home = [0, job.height] as const;
    const ordered = order(flatten(job.curves, { tolerance: 0.005 }), { start: home, end: home });
    const ops = toOps(fitArcs(ordered.paths, { tolerance: 0.04 }), { height: job.height });
    assert.equal(job.program, encode(ops));
    assert.equal(Object.keys(job.report.stages), [...STAGES.slice(0, 4), "arcs", ...STAGES.slice(4)]);
    const plain = await makeProgram(badge, { ...options, arcs: false }, manager).promise;
    assert.ok(job.report.lines < plain.report.lines / 2, `${job.report.lines}, ${plain.report.lines}`);
    assert.throws(
      () => checkJobOptions({ arcs: { tolerance: 0 } }),
      /Expected `tolerance` to be a finite number >= 0.001, got 0/,
    );
  }));

test("makeProgram is one visible task whose progress only grows and whose message names the stage", () =>
  withManager(async (manager) => {
    const seen: number[] = [];
    const messages = new Set<string>();
    manager.tasksUpdated.connect(({ tasks }) => {
      assert.ok(tasks.length <= 1);
      for (const { progress, message } of tasks) {
        seen.push(progress);
        messages.add(message);
      }
    });
    await makeProgram(badge, { key: "job" }, manager).promise;
    assert.equal(
      seen,
      [...seen].sort((a, b) => a - b),
    );
    assert.ok(new Set(seen).size >= 5, `${new Set(seen).size} values`);
    assert.ok(messages.has("decode") && messages.size >= 3, [...messages].join(", "));
  }));

test("makeProgram and makeDrawing leave the caller's pixels alone", () =>
  withManager(async (manager) => {
    const image: Image = {
      width: 400,
      height: 300,
      data: new Uint8Array(120_000).fill(255).fill(0, 40_000, 80_000),
    };
    const copy = image.data.slice();
    const drawing = await makeDrawing(image, {}, manager).promise;
    const job = await makeProgram(image, {}, manager).promise;
    assert.equal(image.data, copy);
    assert.equal(drawing.curves, job.curves);
    assert.equal(Object.keys(drawing.report.stages), ["trace"]);
  }));

test("makeProgram of a blank picture is a program without cuts", () =>
  withManager(async (manager) => {
    const blank: Image = { width: 3, height: 2, data: new Uint8Array(6).fill(255) };
    const { report, program } = await makeProgram(blank, {}, manager).promise;
    assert.equal([report.shapes, report.nodes, report.cut, report.travel], [0, 0, 0, 0]);
    assert.ok(program.lines > 0);
  }));

test("makeProgram takes the shape of a picture with transparency, and refuses it of one without", () =>
  withManager(async (manager) => {
    const options: JobOptions = { trace: { source: "alpha", despecklePx: 0 } };
    const dot = { width: 3, height: 3, data: new Uint8Array(36).fill(255) };
    for (let i = 0; i < 9; i++) if (i !== 4) dot.data[4 * i + 3] = 0;
    assert.is((await makeProgram(dot, options, manager).promise).report.shapes, 1);
    const error = await failure(() => makeProgram(ring, options, manager).promise);
    assert.match(error.message, /for a picture without transparency/);
  }));

test("makeProgram passes on what a stage refuses", () =>
  withManager(async (manager) => {
    const error = await failure(() => makeProgram(badge.subarray(0, 5000), {}, manager).promise);
    assert.is(error.code, "BROKEN_IMAGE");
    const { data } = await failure(() => makeProgram(badge, { decode: { maxPixels: 10 } }, manager).promise);
    assert.equal(data, { width: 1400, height: 1400 });
  }));

test("makeProgram is canceled as one task, in any stage, by signal and by key", () =>
  withManager(async (manager) => {
    for (const stage of ["decode", "trace", "order"]) {
      const controller = new AbortController();
      const task = makeProgram(badge, { signal: controller.signal }, manager);
      task.changed.connect(({ message }) => message === stage && controller.abort("enough"));
      // a short stage may pass between two looks
      const outcome = await task.promise.then(
        () => "completed",
        (error) => error.code,
      );
      if (stage !== "order") assert.is(outcome, "CANCELED", stage);
      await task.ended;
    }
    const first = makeProgram(badge, { key: "job" }, manager);
    const second = makeProgram(badge, { key: "job" }, manager);
    assert.is((await failure(() => first.promise)).code, "CANCELED");
    assert.ok((await second.promise).program.lines > 1000);
    assert.is(manager.hasTasks(), false);
  }));

test("checkJobOptions and makeProgram refuse a bad option of any stage before anything runs", async () => {
  const bad: [JobOptions, string][] = [
    [{ decode: { maxPixels: 0 } }, "Expected `maxPixels` to be an integer >= 1, got 0"],
    [{ trace: { dpi: 0 } }, "Expected `dpi` to be a finite number > 0"],
    [{ flatten: { tolerance: 0 } }, "Expected `tolerance` to be a finite number"],
    [{ order: { start: [0] as never } }, "Expected `start` to be "],
    [{ ops: { power: 2 } }, "Expected `power` to be a finite number >= 0 and <= 1, got 2"],
    [{ encode: { laserMode: "M5" as never } }, 'Expected `laserMode` to be one of "M4", "M3", got "M5"'],
    [{ layers: 2 } as never, "Expected `options` to be an object with no other names than "],
  ];
  const manager = new TaskManager();
  for (const [options, message] of bad)
    for (const run of [() => checkJobOptions(options), () => makeProgram(badge, options, manager)]) {
      const error = await failure(run);
      assert.is(error.code, "INVALID_ARGUMENT");
      assert.ok(error.message.startsWith(message), error.message);
    }
  assert.is(manager.hasTasks(), false);
  const source = await failure(() => makeProgram("badge.png" as never));
  assert.is(source.message, 'Expected `source` to be a Uint8Array or an Image, got "badge.png"');
});

test.run();
