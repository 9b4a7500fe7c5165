// How engine functions report and leave: all that move paths to programs, under one harness.
import {
  bounds,
  close,
  dedupe,
  encode,
  join,
  type KerfworkError,
  nest,
  order,
  type Paths,
  reverse,
  simplify,
  smooth,
  toOps,
  transform,
} from "kerfwork";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { withEngine } from "../src/engine/memory.ts";
import { environment } from "../src/tasker/target.ts";

/** Seeded triangles and lines, so that every kernel has work. */
function scene(n: number): Paths {
  let a = 12345;
  const next = (): number => {
    a = (Math.imul(a, 1664525) + 1013904223) | 0;
    return (a >>> 0) / 2 ** 32;
  };
  const xy = new Float32Array(8 * n);
  const ends = Uint32Array.from({ length: n }, (_, i) => 4 * (i + 1));
  for (let i = 0; i < n; i++) {
    const [x, y] = [next() * 300, next() * 300];
    xy.set([x, y, x + 1, y, x, y + 1, ...(i % 2 === 0 ? [x, y] : [x + 1, y + 1])], 8 * i);
  }
  return { ends, xy };
}

const paths = scene(3000);
const ops = toOps(scene(10_000));
const CALLS: [string, () => unknown][] = [
  ["bounds", () => bounds(paths)],
  ["close", () => close(paths)],
  ["dedupe", () => dedupe(paths)],
  ["join", () => join(paths)],
  ["nest", () => nest(paths)],
  ["reverse", () => reverse(paths)],
  ["simplify", () => simplify(paths)],
  ["smooth", () => smooth(paths)],
  ["transform", () => transform(paths, [2, 0, 0, 2, 0, 0])],
  ["order", () => order(paths, { end: [0, 0] })],
  ["toOps", () => toOps(paths)],
  ["encode", () => encode(ops)],
];

const memory = withEngine((engine) => engine.memory);
/** A word of the control block: 0 is read by kernels as the wish to cancel, 64 is where they count. */
const word = (at: number): Int32Array => new Int32Array(memory.buffer, at, 1);

interface Stage {
  readonly base: number;
  readonly share: number;
  readonly total: number;
}

/** Runs `call`, tells of each stage as it begins, and sees the kernels' words of the control block. */
function watched(call: () => unknown, begins: (stages: Stage[], cancel: () => void) => void): Stage[] {
  const surroundings = environment();
  const kept = surroundings.reporter;
  const stages: Stage[] = [];
  const steps: number[] = [];
  word(0)[0] = 0;
  surroundings.reporter = {
    beginStage(base, share, total) {
      if (stages.length > 0) steps.push(word(64)[0]!);
      stages.push({ base, share, total });
      word(64)[0] = 0;
      begins(stages, () => (word(0)[0] = 1));
    },
    isCancelled: () => word(0)[0] !== 0,
  };
  try {
    call();
    steps.push(word(64)[0]!);
    for (const [i, step] of steps.entries())
      assert.ok(step >= 0 && step <= stages[i]!.total, `stage ${i}: ${step} of ${stages[i]!.total}`);
    return stages;
  } finally {
    surroundings.reporter = kept;
    word(0)[0] = 0;
  }
}

for (const [name, call] of CALLS) {
  test(`${name} reports stages that follow each other and end at all of the work`, () => {
    const stages = watched(call, () => {});
    let reached = 0;
    for (const { base, share, total } of stages) {
      assert.ok(base >= reached - 1e-9, `${base} after ${reached}`);
      assert.ok(total >= 1 && share >= 0);
      reached = base + share;
    }
    assert.ok(reached > 0.85 && reached <= 1 + 1e-9, `${reached}`);
  });

  test(`${name} leaves in whichever stage it is canceled, and works again after that`, () => {
    const whole = watched(call, () => {}).length;
    const expected = call();
    for (let stage = 1; stage <= whole; stage++) {
      let begun = 0;
      try {
        watched(call, (stages, cancel) => {
          begun = stages.length;
          if (begun === stage) cancel();
        });
        assert.unreachable(`canceled in stage ${stage}`);
      } catch (error) {
        assert.is((error as KerfworkError).code, "CANCELED");
        assert.is(begun, stage, "nothing begins after the cancellation");
      }
    }
    assert.equal(call(), expected);
  });
}

test.run();
