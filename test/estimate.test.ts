import { readFileSync } from "node:fs";
import { encode, estimate, Firmware, type MachineProfile, type Ops, taskMgr } from "kerfwork";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { Engine, type Pointer } from "../src/engine/memory.ts";
import {
  arc,
  box,
  bytesOf,
  circle,
  line,
  type Move,
  messageOf,
  messageWhenCanceled,
  opsOf,
  ring,
  travel,
} from "./moves.ts";
import { random } from "./oracle.ts";
import { type Machine, slowTimes } from "./planner.ts";

const DEFAULTS: Machine = {
  maxRate: [3000, 3000, 500],
  acceleration: [200, 200, 10],
  junctionDeviation: 0.01,
  arcTolerance: 0.002,
  stepsPerMm: [250, 250, 250],
  plannerBlocks: 15,
};
const FAST = { maxRate: [20_000, 15_000, 500], acceleration: [3000, 2000, 100] } as const;

const near = (actual: number, expected: number, part: number, what = ""): void =>
  assert.ok(
    Math.abs(actual - expected) <= part * Math.abs(expected) + 1e-9,
    `${what}: ${actual}, expected ${expected}`,
  );

/** Five kinds of jobs. */
function jobs(): Record<string, Ops> {
  const r = random(7);
  const shapes: Move[] = [];
  for (let i = 0; i < 12; i++)
    shapes.push(...box(20 * i, 10, 20 * i + 5 + 30 * r(), 20 + 40 * r(), { speed: 3000 }));
  const short: Move[] = [];
  for (let i = 0; i < 8; i++)
    short.push(
      ...ring(
        Array.from({ length: 400 }, (_, k): [number, number] => {
          const a = (k / 400) * 2 * Math.PI;
          const radius = 12 + 3 * Math.sin(7 * a + i) + 0.1 * r();
          return [30 * i + radius * Math.cos(a), 40 + radius * Math.sin(a)];
        }),
        { speed: 4000 },
      ),
    );
  const arcs: Move[] = [];
  for (let i = 0; i < 15; i++)
    arcs.push(...circle(20 * i, 30, 0.5 + 9 * r(), i % 2 === 0 ? 2 : 3, { speed: 2500 }));
  const hatch: Move[] = [];
  for (let i = 0; i < 120; i++) {
    const [from, to] = i % 2 === 0 ? [10, 60 + 5 * r()] : [60 + 5 * r(), 10];
    hatch.push(travel(from, 5 + 0.2 * i), line((from + to) / 2, 5 + 0.2 * i, { power: r(), speed: 6000 }));
    hatch.push(line(to, 5 + 0.2 * i, { power: r(), speed: 6000 }));
  }
  const some = <T>(list: T[], n: number): T[] => list.slice(0, n);
  const mixed = [...some(shapes, 25), ...some(short, 802), ...some(arcs, 18), ...some(hatch, 60)];
  return {
    shapes: opsOf(shapes),
    short: opsOf(short),
    arcs: opsOf(arcs),
    hatch: opsOf(hatch),
    mixed: opsOf(mixed),
  };
}

test("estimate ramps up, runs and ramps down", () => {
  // 50 mm/s at 200 mm/s2: 0.25 s and 6.25 mm for each ramp
  const ops = opsOf([travel(0, 0), line(50, 0, { speed: 3000 })]);
  const { seconds, cutSeconds, travelSeconds, times } = estimate(ops);
  near(seconds, 0.5 + 37.5 / 50, 1e-12);
  assert.is(travelSeconds, 0);
  assert.is(cutSeconds, seconds);
  assert.equal([...times], [0, seconds]);
  // too short for the top speed: up to the middle and down
  near(estimate(opsOf([travel(0, 0), line(8, 0, { speed: 3000 })])).seconds, 2 * Math.sqrt(8 / 200), 1e-12);
  // travels run as fast as their axes let them, whatever their own speed is
  near(estimate(opsOf([travel(40, 0, { speed: 1 })])).seconds, 0.5 + 27.5 / 50, 1e-12);
  near(estimate(opsOf([travel(40, 40)])).travelSeconds, 0.5 + 27.5 / 50, 1e-12, "both axes at once");
  near(estimate(opsOf([travel(40, 0)]), { start: [30, 0] }).seconds, 2 * Math.sqrt(10 / 200), 1e-12);
});

test("estimate takes a straight corner at speed, a right one slowly and stops for a turn back", () => {
  const seconds = (...moves: Move[]): number => estimate(opsOf([travel(0, 0), ...moves])).seconds;
  const at = { speed: 3000 };
  near(seconds(line(20, 0, at), line(50, 0, at)), seconds(line(50, 0, at)), 1e-12, "straight");
  near(seconds(line(20, 0, at), line(0, 0, at)), 2 * seconds(line(20, 0, at)), 1e-12, "back");
  // junction deviation: v2 = a d s / (1 - s) with s = sin 45°, and both axes may brake at once
  const half = Math.SQRT1_2;
  const v = Math.sqrt((200 * Math.SQRT2 * 0.01 * half) / (1 - half));
  const once = (50 - v) / 200 + 0.25 + (20 - (2500 - v * v) / 400 - 6.25) / 50;
  near(seconds(line(20, 0, at), line(20, 20, at)), 2 * once, 1e-9, "right");
  const stops = estimate(opsOf([travel(0, 0), line(20, 0, at), line(20, 20, at)]), { junctionDeviation: 0 });
  near(stops.seconds, 2 * seconds(line(20, 0, at)), 1e-12, "no deviation");
});

test("estimate is what recorded controllers took", () => {
  // a square of 10 mm at F1500; single moves; a circle of 2000 lines of 0.2 mm at F12000
  const square = [line(10, 0), line(10, 10), line(0, 10), line(0, 0)].map((move) => ({
    ...move,
    speed: 1500,
  }));
  near(estimate(opsOf([travel(0, 0), ...square])).seconds, 2.025, 0.003, "square");
  near(estimate(opsOf([travel(0, 0), line(5, 0, { speed: 600 })])).seconds, 0.551, 0.003, "5 mm");
  near(estimate(opsOf([travel(-15, 0)])).seconds, 0.551, 0.003, "travel");
  near(estimate(opsOf([travel(0, 0), line(14, 0, { speed: 100 })])).seconds, 8.41, 0.003, "slow");
  const thousandths = (value: number): number => Math.round(value * 1000) / 1000;
  const turns = Array.from({ length: 2000 }, (_, i) =>
    line(thousandths(20 + 10 * Math.cos(0.02 * i)), thousandths(20 + 10 * Math.sin(0.02 * i)), {
      speed: 12_000,
    }),
  );
  const machine = { maxRate: [20_000, 20_000], acceleration: [2000, 2000] } as const;
  near(estimate(opsOf([travel(0, 0), ...turns]), machine).seconds, 3.887, 0.015, "2000 lines");
});

test("estimate is what a planner does that plans anew before each block", () => {
  for (const [name, ops] of Object.entries(jobs()))
    for (const change of [
      {},
      FAST,
      { plannerBlocks: 2 },
      { plannerBlocks: 100, stepsPerMm: [0, 0, 0] },
    ] as const) {
      const { times, seconds, travelSeconds, cutSeconds } = estimate(ops, change);
      const slow = slowTimes(ops, { ...DEFAULTS, ...change });
      assert.is(times.length, slow.length);
      slow.forEach((time, i) => {
        near(times[i]!, time, 1e-6, `${name}, op ${i}, ${JSON.stringify(change)}`);
        assert.ok(i === 0 || times[i]! >= times[i - 1]!, "times never fall");
      });
      assert.is(seconds, times.at(-1));
      near(travelSeconds + cutSeconds, seconds, 1e-12);
      const travels = slow.reduce(
        (sum, time, i) => sum + (ops.kinds[i] === 0 ? time - (slow[i - 1] ?? 0) : 0),
        0,
      );
      near(travelSeconds, travels, 1e-6);
    }
});

test("estimate is the same however many moves there are before and after", () => {
  // longer than what is taken in at once, on both sides of the crossing
  const r = random(3);
  const moves = [travel(0, 0)];
  for (let i = 0, x = 0, y = 0; i < 35_000; i++) {
    x += r() - 0.5;
    y += r() - 0.5;
    moves.push(i % 40 === 0 ? travel(x, y) : line(x, y, { speed: 3000 }));
  }
  const ops = opsOf(moves);
  const slow = slowTimes(ops, DEFAULTS);
  const { times } = estimate(ops);
  for (let i = 0; i < moves.length; i += 97) near(times[i]!, slow[i]!, 1e-6, `op ${i}`);
});

test("estimate counts heights, helices and moves of no length", () => {
  // 2 mm of z at 500 mm/min and 10 mm/s2
  const down = opsOf([travel(0, 0, { z: 0 }), line(0, 0, { z: -2, speed: 3000 })]);
  near(estimate(down).seconds, 2 * Math.sqrt(2 / 10), 1e-12);
  const helix = opsOf([
    travel(10, 0, { z: 0 }),
    arc(3, 10, 0, [0, 0], { z: -1, speed: 3000 }),
    travel(0, 0, { z: 5 }),
  ]);
  const slow = slowTimes(helix, DEFAULTS);
  for (const [i, time] of estimate(helix).times.entries()) near(time, slow[i]!, 1e-6);
  const still = estimate(
    opsOf([travel(0, 0), travel(0, 0), line(0.001, 0), line(5, 0), line(5, 0.001), travel(5, 0)]),
  );
  assert.equal([...still.times].slice(0, 3), [0, 0, 0], "less than a step is no move");
  assert.equal([...still.times].slice(3), [still.seconds, still.seconds, still.seconds]);
  assert.equal(estimate(opsOf([])), {
    seconds: 0,
    travelSeconds: 0,
    cutSeconds: 0,
    times: new Float64Array(0),
  });
});

test("estimate scales with the machine and reads what it is given only", () => {
  const { mixed } = jobs() as { mixed: Ops };
  const before = bytesOf(mixed);
  const first = estimate(mixed, { plannerBlocks: 65_536 });
  assert.is(bytesOf(mixed), before);
  assert.equal(estimate(mixed, { plannerBlocks: 65_536 }), first, "twice the same");
  let last = first.seconds;
  for (const plannerBlocks of [100, 15, 5, 2]) {
    const { seconds } = estimate(mixed, { plannerBlocks });
    assert.ok(seconds >= last, "who sees less is not faster");
    last = seconds;
  }
  // y for x: the same job turned by a right angle
  const turned = {
    ...mixed,
    xy: mixed.xy.map((_, i) => (i % 2 === 0 ? -mixed.xy[i + 1]! : mixed.xy[i - 1]!)),
  };
  turned.centers = mixed.centers.map((_, i) =>
    i % 2 === 0 ? -mixed.centers[i + 1]! : mixed.centers[i - 1]!,
  );
  near(estimate(turned).seconds, estimate(mixed).seconds, 1e-3, "turned");
});

/** Seconds of motion of a simulated controller that is never short of lines. */
function simulate(ops: Ops, settings: Record<number, number>): number {
  const firmware = new Firmware({ baud: 1e9, settings: { 1: 255, ...settings } });
  firmware.advance(0.01);
  const begin = firmware.now;
  const text = Buffer.from(encode(ops, { returnHome: false }).bytes).toString("latin1");
  for (const row of text.trim().split("\n")) {
    firmware.uart.take();
    firmware.uart.send(Buffer.from(`${row}\n`), firmware.now);
    for (let said = ""; !said.includes("ok\r\n"); said += Buffer.from(firmware.uart.take()).toString()) {
      assert.not.match(said, /error|ALARM/, row);
      assert.ok(firmware.next() < Infinity, `no answer to ${row}`);
      firmware.advance(firmware.next());
    }
  }
  return firmware.now - begin;
}

test("estimate is within 3 % of the simulated controller's clock", () => {
  // ramps of no length first: a controller without acceleration takes 0.5 s for 5 mm at 10 mm/s, another 0.55 s
  const machines: [Record<number, number>, MachineProfile][] = [
    [
      { 11: 1e6, 110: 9000, 111: 6000, 120: 1e9, 121: 1e9 },
      { maxRate: [9000, 6000], acceleration: [1e9, 1e9], junctionDeviation: 1e6 },
    ],
  ];
  if (simulate(opsOf([travel(0, 0), line(5, 0, { speed: 600 })]), {}) > 0.54)
    machines.push(
      [{}, {}],
      [{ 110: 20_000, 111: 15_000, 120: 3000, 121: 2000 }, FAST],
      [
        { 11: 0.002, 12: 0.01, 110: 9000, 111: 6000, 120: 1000, 121: 800 },
        { junctionDeviation: 0.002, arcTolerance: 0.01, maxRate: [9000, 6000], acceleration: [1000, 800] },
      ],
    );
  for (const [settings, machine] of machines)
    for (const [name, ops] of Object.entries(jobs()))
      near(estimate(ops, machine).seconds, simulate(ops, settings), 0.03, name);
});

test("estimate refuses what breaks its contract", () => {
  const ops = opsOf([travel(0, 0), line(1, 1)]);
  const said = (machine: unknown): string => messageOf(() => estimate(ops, machine as MachineProfile));
  assert.is(
    said({ maxRate: [0, 1] }),
    "INVALID_ARGUMENT: Expected `maxRate[0]` to be a finite number > 0, got 0",
  );
  assert.is(
    said({ acceleration: 200 }),
    "INVALID_ARGUMENT: Expected `acceleration` to be [x, y] or [x, y, z], got 200",
  );
  assert.is(
    said({ plannerBlocks: 1 }),
    "INVALID_ARGUMENT: Expected `plannerBlocks` to be an integer >= 2 and <= 65536, got 1",
  );
  assert.is(
    said({ arcTolerance: 0 }),
    "INVALID_ARGUMENT: Expected `arcTolerance` to be a finite number > 0, got 0",
  );
  assert.match(said({ speed: 3 }), /no other names than maxRate, .*, got "speed"$/);
  ops.xy[2] = Number.NaN;
  assert.is(
    messageOf(() => estimate(ops)),
    "INVALID_ARGUMENT: Expected op 1 to end within 2000000 mm of the origin, got (NaN, 1)",
  );
  assert.is(
    messageOf(() => estimate(opsOf([line(1, 1)]))),
    "INVALID_ARGUMENT: Expected op 0 to be a travel (0), got kind 1",
  );
  const short = { ...opsOf([travel(0, 0), line(1, 1)]), z: new Float32Array(1) };
  assert.is(
    messageOf(() => estimate(short)),
    "INVALID_ARGUMENT: Expected `ops.z` to be a Float32Array of 2 numbers for 2 moves, got a Float32Array of 4 bytes",
  );
});

const moduleAt = (path: string): WebAssembly.Module => new WebAssembly.Module(readFileSync(path));

test("planMotion writes within its buffers, and release and debug builds agree", () => {
  const { mixed } = jobs() as { mixed: Ops };
  const run = (path: string, window: number): number[] =>
    new Engine(undefined, moduleAt(path)).run((engine) => {
      const { kernels } = engine;
      const guarded: [Pointer, number][] = [];
      const place = (bytes: number): Pointer => {
        const at = (engine.alloc(bytes + 128) + 64) as Pointer;
        engine.u8((at - 64) as Pointer, bytes + 128).fill(0xa5);
        guarded.push([at, bytes]);
        return at;
      };
      const n = mixed.kinds.length;
      const given = [mixed.kinds, mixed.xy, mixed.centers, mixed.speed].map((values) => {
        const at = place(values.byteLength);
        engine
          .u8(at, values.byteLength)
          .set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
        return at;
      }) as [Pointer, Pointer, Pointer, Pointer];
      const motion = place(kernels.motionBytes(window));
      engine.u8(motion, kernels.motionBytes(window)).fill(0);
      engine.f64(motion, 14).set([0.02, 0.02, 0.1, 0.005, 0.005, 0.1, 0, 0, 0, 0, 0, 0, 0.01, 0.002]);
      const times = place(8 * n);
      const [kinds, xy, centers, speed] = given;
      const none = 0 as Pointer;
      assert.is(kernels.planMotion(kinds, xy, centers, none, speed, n, 0, 1, motion, window, times), n);
      for (const [from, bytes] of guarded) {
        const edges = [...engine.u8((from - 64) as Pointer, 64), ...engine.u8((from + bytes) as Pointer, 64)];
        assert.ok(edges.every((byte) => byte === 0xa5));
      }
      return [...engine.f64(times, n)];
    });
  for (const window of [2, 15, 700])
    assert.equal(run("build/kernels-debug.wasm", window), run("dist/kernels.wasm", window));
});

test("estimate leaves when it is canceled", () => {
  const { mixed } = jobs() as { mixed: Ops };
  assert.is(
    messageWhenCanceled(() => estimate(mixed)),
    "CANCELED: The work was canceled",
  );
  assert.ok(estimate(mixed).seconds > 0);
});

test("estimate runs in a worker", async () => {
  const { shapes } = jobs() as { shapes: Ops };
  const task = taskMgr.runProcess(estimate, [shapes, { plannerBlocks: 30 }]);
  assert.equal(await task.promise, estimate(shapes, { plannerBlocks: 30 }));
});

test.after(() => taskMgr.shutdown());
test.run();
