import { encode, type PassesOptions, passes } from "kerfwork";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { box, bytesOf, line, messageOf, opsOf, rowsOf, someCuts, sumOf, travel } from "./moves.ts";
import { random } from "./oracle.ts";

const two = opsOf([...box(0, 0, 1, 1, { power: 0.4 }), travel(5, 5), line(6, 5, { power: 0.8, speed: 600 })]);

test("passes repeats the job, or cut after cut", () => {
  const job = passes(two, { count: 3 });
  assert.equal(
    [...job.origin],
    [0, 1, 2].flatMap(() => [0, 1, 2, 3, 4, 5, 6]),
  );
  assert.equal(rowsOf(job.ops), [...rowsOf(two), ...rowsOf(two), ...rowsOf(two)]);
  const each = passes(two, { count: 2, repeat: "cut" });
  assert.equal([...each.origin], [0, 1, 2, 3, 4, 0, 1, 2, 3, 4, 5, 6, 5, 6]);
  assert.equal(
    rowsOf(each.ops),
    [...each.origin].map((op) => rowsOf(two)[op]),
  );
  assert.equal(rowsOf(passes(two, { count: 1 }).ops), rowsOf(two));
  assert.is(job.ops.z, undefined);
});

test("passes changes power, speed and height in steps", () => {
  const { ops, warnings } = passes(two, {
    count: 3,
    power: { start: 0.5, step: 0.25 },
    speed: { step: -0.2 },
    zStep: -0.5,
  });
  const column = (values: Float32Array): number[] =>
    [1, 6, 8, 13, 15, 20].map((op) => Math.round(values[op]! * 1e4) / 1e4);
  assert.equal(column(ops.power), [0.2, 0.4, 0.3, 0.6, 0.4, 0.8]);
  assert.equal(column(ops.speed), [1200, 600, 960, 480, 720, 360]);
  assert.equal(column(ops.z!), [0, 0, -0.5, -0.5, -1, -1]);
  assert.ok(
    [0, 5, 7, 12, 14, 19].every((op) => ops.speed[op] === 6000),
    "travels keep their speed",
  );
  assert.equal(warnings, []);
  const deep = opsOf([travel(0, 0, { z: 2 }), line(9, 0, { z: 1 })]);
  assert.equal([...passes(deep, { count: 2, zStep: -1 }).ops.z!], [2, 1, 1, 0]);
});

test("passes stops at full power and says so", () => {
  const { ops, warnings } = passes(two, { count: 3, power: { step: 0.5 } });
  assert.equal(
    [6, 13, 20].map((op) => ops.power[op]),
    [Math.fround(0.8), 1, 1],
  );
  assert.equal(warnings, [{ code: "power", cut: 1, message: "Cut 1: full power instead of 1.6" }]);
});

test("passes repeats the chosen cuts only", () => {
  assert.equal([...passes(two, { count: 2, cuts: [1] }).origin], [0, 1, 2, 3, 4, 5, 6, 5, 6]);
  assert.equal(
    [...passes(two, { count: 2, cuts: [0], repeat: "cut" }).origin],
    [0, 1, 2, 3, 4, 0, 1, 2, 3, 4, 5, 6],
  );
  const sunk = passes(two, { count: 2, cuts: [1], zStep: -1 }).ops;
  assert.equal([...sunk.z!], [0, 0, 0, 0, 0, 0, 0, -1, -1]);
});

test("passes of a closed cut begin where the head is: no line is written for their travels", () => {
  const once = encode(opsOf(box(0, 0, 1, 1))).lines;
  const thrice = encode(passes(opsOf(box(0, 0, 1, 1)), { count: 3, repeat: "cut" }).ops).lines;
  assert.is(thrice - once, 2 * 4);
});

test("passes multiplies lengths, on many shapes", () => {
  const ops = opsOf(someCuts(random(2), 50));
  const before = bytesOf(ops);
  for (const repeat of ["cut", "job"] as const) {
    const out = passes(ops, { count: 4, repeat, power: { start: 1, step: -0.25 } }).ops;
    assert.is(bytesOf(ops), before);
    assert.ok(Math.abs(sumOf(out) - 4 * sumOf(ops)) < 1e-6 * sumOf(out));
    const burnt = sumOf(ops, (op) => ops.power[op]!);
    assert.ok(Math.abs(sumOf(out, (op) => out.power[op]!) - 2.5 * burnt) < 1e-5 * burnt);
  }
});

test("passes refuses what breaks its contract", () => {
  const said = (options: unknown): string => messageOf(() => passes(two, options as PassesOptions));
  assert.is(
    said({ count: 0 }),
    "INVALID_ARGUMENT: Expected `count` to be an integer >= 1 and <= 1000, got 0",
  );
  assert.is(
    said({ count: 2, repeat: "layer" }),
    'INVALID_ARGUMENT: Expected `repeat` to be one of "cut", "job", got "layer"',
  );
  assert.is(
    said({ count: 3, power: { step: -0.6 } }),
    "INVALID_ARGUMENT: Expected `power.step` to be >= -0.5, so that no factor falls below 0, got -0.6",
  );
  assert.is(
    said({ count: 3, speed: { step: -0.5 } }),
    "INVALID_ARGUMENT: Expected `speed` to be factors that keep op 1 within 0.001..1000000 mm/min, got 0",
  );
  assert.is(said({ count: 3, power: 2 }), "INVALID_ARGUMENT: Expected `power` to be { start, step }, got 2");
  assert.is(
    said({ count: 3, zStep: Infinity }),
    "INVALID_ARGUMENT: Expected `zStep` to be a finite number, got Infinity",
  );
});

test.run();
