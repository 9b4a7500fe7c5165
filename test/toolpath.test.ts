// From a drawing to a toolpath: kerf, filling lines, tabs, leads, passes, order, arcs; SVG in, moves out.
import {
  type Job,
  type JobOptions,
  KerfworkError,
  makeProgram,
  type Ops,
  readGcode,
  TaskManager,
} from "kerfwork";
import { test } from "uvu";
import * as assert from "uvu/assert";

const manager = new TaskManager({ maxWorkers: 1 });
test.after(() => manager.shutdown());

const svg = (content: string): Uint8Array =>
  new TextEncoder().encode(
    `<svg xmlns="http://www.w3.org/2000/svg" width="100mm" height="60mm" viewBox="0 0 100 60">${content}</svg>`,
  );
const make = (content: string, options: JobOptions = {}): Promise<Job> =>
  makeProgram(svg(content), options, manager).promise;
const opsOf = ({ program }: Job): Ops => readGcode(program.bytes, { maxPower: 1000 }).ops;

/** Length of burning moves, mm; arcs count as their chords. */
function burnt({ kinds, xy, power }: Ops, least = 0): number {
  let length = 0;
  for (let i = 1; i < kinds.length; i++)
    if (kinds[i] !== 0 && power[i]! > least)
      length += Math.hypot(xy[2 * i]! - xy[2 * i - 2]!, xy[2 * i + 1]! - xy[2 * i - 1]!);
  return length;
}

const square = '<rect x="20" y="10" width="20" height="20" fill="none" stroke="red"/>';
const plate = `<path d="M10 10h40v40h-40zM20 20v20h20v-20z" fill="black"/>`;
const near = (actual: number, expected: number, slack: number, what = ""): void =>
  assert.ok(Math.abs(actual - expected) <= slack, `${what} ${actual}, expected ${expected}`);

test("a drawing is cut where it lies, y up from the page's lower edge", async () => {
  const job = await make(square);
  assert.equal([job.width, job.height], [100, 60]);
  assert.equal(job.program.bounds, { minX: 20, minY: 30, maxX: 40, maxY: 50 });
  near(burnt(opsOf(job)), 80, 1e-3);
  near(job.report.cut, 80, 1e-3);
  assert.equal(
    [job.report.notes, job.report.warnings],
    [["the page is 100 x 60 mm", "a unit of its view box is 1 mm"], []],
  );
  assert.ok(Object.keys(job.report.stages).includes("read"));
});

test("lines that were drawn twice are cut once, pieces that meet are joined", async () => {
  const lines = '<path d="M10 10H30M30 10V30M30 30H10M10 30V10M10 10H30" stroke="red"/>';
  const job = await make(lines);
  near(job.report.cut, 80, 1e-3);
  assert.is(opsOf(job).kinds.filter((kind) => kind === 0).length, 2, "one way there, one home");
  const given = await make(lines, { dedupe: false, join: false });
  near(given.report.cut, 100, 1e-3);
});

test("kerf: parts keep their size, holes too, open lines stay, and what vanishes is told", async () => {
  const job = await make(`${plate}<path d="M60 10H90" stroke="red" fill="none"/>`, { kerf: 0.2 });
  // the outline grows by 0.1 mm with round corners, the hole shrinks with sharp ones
  near(job.report.cut, 160 + 2 * Math.PI * 0.1 + (80 - 8 * 0.1) + 30, 0.05);
  near(job.program.bounds.maxX, 90, 1e-6);
  near(job.program.bounds.maxY, 50.1, 1e-3);
  const tiny = await make(`${plate}<path d="M12 12h.05v.05h-.05z" fill="black"/>`, { kerf: 0.2 });
  assert.is(tiny.report.warnings.length, 1, tiny.report.warnings.join());
  assert.match(tiny.report.warnings[0]!, /^kerf: 1 outlines? /);
});

test("filling lines come first, with a power and speed of their own, and cover the area", async () => {
  const hatch = { spacing: 0.5, power: 0.25, speed: 3000 };
  const job = await make(plate, { hatch, cut: true, ops: { power: 0.8, speed: 500 } });
  const ops = opsOf(job);
  const filled = ops.power.indexOf(0.25);
  const cutting = ops.power.findIndex((power) => Math.abs(power - 0.8) < 1e-6);
  assert.ok(filled >= 0 && cutting > ops.power.lastIndexOf(0.25), "filled, then cut");
  assert.equal([ops.speed[filled], ops.speed[cutting]], [3000, 500]);
  near((burnt(ops) - burnt(ops, 0.5)) * 0.5, 40 * 40 - 20 * 20, 20, "area");
  near(burnt(ops, 0.5), 240, 1e-2, "outlines");
  const alone = await make(plate, { hatch });
  near(burnt(opsOf(alone)) * 0.5, 1200, 20, "without cuts");
  const lines = await make(square, { hatch });
  assert.is(burnt(opsOf(lines)), 0, "what is not filled is not filled");
});

test("overscan lets filling lines start and end dark", async () => {
  const fill = { spacing: 1, speed: 6000 };
  const plain = await make(plate, { hatch: fill });
  const run = await make(plate, { hatch: { ...fill, overscan: { acceleration: 2000 } } });
  near(burnt(opsOf(run)), burnt(opsOf(plain)), 0.1);
  // v² / 2a = 2.5 mm beyond 10..50
  near(run.program.bounds.maxX, 52.5, 0.01);
});

test("tabs, leads, overcut, perforation and passes reach the moves", async () => {
  const plain = burnt(opsOf(await make(square)));
  const tabs = await make(square, { tabs: { count: 4, width: 1 } });
  near(burnt(opsOf(tabs)), plain - 4, 0.02, "tabs");
  const over = await make(square, { overcut: { length: 3 } });
  near(burnt(opsOf(over)), plain + 3, 0.02, "overcut");
  const leads = await make(square, { leads: { in: { kind: "line", length: 2 } } });
  near(burnt(opsOf(leads)), plain + 2, 0.02, "leads");
  const dashes = burnt(opsOf(await make(square, { perforate: { cut: 1, gap: 1 } })));
  assert.ok(dashes > 0.45 * plain && dashes < 0.55 * plain, `${dashes}`);
  const twice = await make(square, { passes: { count: 2, repeat: "cut", zStep: -0.5 } });
  near(burnt(opsOf(twice)), 2 * plain, 0.02, "passes");
  assert.match(new TextDecoder().decode(twice.program.bytes), /Z-0?\.5/);
  const far = await make(square, {
    leads: { in: { length: 30 }, bed: { minX: 19, minY: 29, maxX: 41, maxY: 51 } },
  });
  assert.ok(
    far.report.warnings.length > 0 && far.report.warnings[0]!.startsWith("leads: "),
    far.report.warnings.join(),
  );
});

test("order: from the machine's corner and back to it; false keeps what was drawn", async () => {
  // far from 0, 0 first, then near
  const lines = '<path d="M80 10H90M10 50H20M40 30H50" stroke="red"/>';
  const ordered = await make(lines);
  const given = await make(lines, { order: false });
  const starts = (job: Job): number[] => {
    const { kinds, xy } = opsOf(job);
    return [...kinds.keys()].filter((i) => kinds[i] === 0).map((i) => Math.round(xy[2 * i]!));
  };
  assert.equal(starts(given), [80, 10, 40, 0]);
  near(given.report.travel, given.report.travelBefore, 0);
  assert.ok(ordered.report.travel < given.report.travel);
  near(ordered.report.travelBefore, given.report.travel, 1e-3);
  assert.equal(starts(ordered).at(-1), 0, "home");
});

test("arcs that were drawn are cut as arcs; an estimate knows ramps", async () => {
  const circle = '<circle cx="50" cy="30" r="20" fill="none" stroke="red"/>';
  const job = await make(circle, { arcs: {}, estimate: { acceleration: [100, 100, 10] } });
  assert.ok(job.report.lines < 20, `${job.report.lines} lines`);
  assert.match(new TextDecoder().decode(job.program.bytes), /G[23]/);
  const { seconds, cutSeconds, travelSeconds } = job.report.estimate!;
  near(cutSeconds + travelSeconds, seconds, 1e-6);
  assert.ok(cutSeconds >= (2 * Math.PI * 20) / (1000 / 60), `${cutSeconds} s`);
});

test("every stage's options are checked before anything runs", () => {
  const bad: [JobOptions, RegExp][] = [
    [{ kerf: 0 }, /`kerf` to be a finite number > 0/],
    [{ cut: 1 as never }, /`cut` to be true or false/],
    [{ hatch: { spacing: 0 } }, /`spacing`/],
    [{ hatch: { spacing: 1, power: 2 } }, /`power`/],
    [{ hatch: { spacing: 1, overscan: { factor: 0.5 } } }, /`factor`/],
    [{ tabs: { width: 1 } }, /one of count, spacing and places/],
    [{ leads: {} }, /`in`/],
    [{ passes: { count: 0 } }, /`count`/],
    [{ overcut: { length: -1 } }, /`length`/],
    [{ perforate: { cut: 0, gap: 1 } }, /`cut`/],
    [{ dedupe: { tolerance: 0 } }, /`tolerance`/],
    [{ join: { gap: -1 } }, /`gap`/],
    [{ svg: { dpi: 0 } }, /`dpi`/],
    [{ estimate: { plannerBlocks: 0 } }, /`plannerBlocks`/],
    [{ kerv: 1 } as never, /kerv/],
  ];
  for (const [options, why] of bad)
    assert.throws(
      () => makeProgram(svg(square), options, manager),
      (error: unknown) =>
        error instanceof KerfworkError && error.code === "INVALID_ARGUMENT" && why.test(error.message),
      JSON.stringify(options),
    );
});

test("an empty drawing is an empty job; a broken one fails as such", async () => {
  const empty = await make("");
  assert.is(empty.report.cut, 0);
  const filled = await make("", { hatch: { spacing: 1 }, cut: true, kerf: 0.1, arcs: {} });
  assert.is(filled.report.cut, 0);
  const error = await makeProgram(new TextEncoder().encode("<svg><g></svg>"), {}, manager).promise.catch(
    (e) => e,
  );
  assert.is(error.code, "BROKEN_DRAWING");
});

test.run();
