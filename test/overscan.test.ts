import { estimate, type Ops, type OverscanOptions, overscan } from "kerfwork";
import { test } from "uvu";
import * as assert from "uvu/assert";
import {
  arc,
  box,
  bytesOf,
  cutsIn,
  lengthOn,
  line,
  type Move,
  messageOf,
  opsOf,
  rowsOf,
  sumOf,
  travel,
} from "./moves.ts";
import { random } from "./oracle.ts";

// 50 mm/s at 250 mm/s2: 5 mm
const AT = { speed: 3000, power: 0.5 };
const HARD = { acceleration: 250 };
const row = (x0: number, x1: number, y: number, rest: Partial<Move> = AT): Move[] => [
  travel(x0, y),
  line(x1, y, rest),
];

test("overscan runs up to a line and out of it in the dark", () => {
  const { ops, origin, warnings } = overscan(opsOf([...row(10, 30, 4), ...row(30, 10, 5)]), HARD);
  assert.equal(rowsOf(ops), [
    [0, 5, 4, 0],
    [1, 10, 4, 0],
    [1, 30, 4, 0.5],
    [1, 35, 4, 0],
    [0, 35, 5, 0],
    [1, 30, 5, 0],
    [1, 10, 5, 0.5],
    [1, 5, 5, 0],
  ]);
  assert.equal([...origin], [0, 0, 1, 1, 2, 2, 3, 3]);
  assert.equal(warnings, []);
  assert.ok([1, 2, 3, 5, 6, 7].every((op) => ops.speed[op] === 3000) && ops.speed[0] === 6000);
});

test("overscan grows with the square of the speed, the factor and what the slower axis leaves", () => {
  const length = (options: OverscanOptions, ...moves: Move[]): number =>
    lengthOn(overscan(opsOf(moves), options).ops, 1);
  const near = (actual: number, expected: number): void =>
    assert.ok(Math.abs(actual - expected) < 1e-4, `${actual}, expected ${expected}`);
  near(length({}, ...row(100, 110, 0)), 6.25);
  near(length(HARD, ...row(100, 110, 0, { speed: 6000 })), 20);
  near(length({ ...HARD, factor: 1.5 }, ...row(100, 110, 0)), 7.5);
  near(length({ ...HARD, min: 8 }, ...row(100, 110, 0)), 8);
  near(length({ acceleration: [250, 50] }, ...row(100, 110, 0)), 5);
  near(length({ acceleration: [250, 50] }, travel(100, 100), line(100, 90, AT)), 25);
  near(length({ acceleration: [250, 50] }, travel(100, 100), line(103, 104, AT)), 20);
});

test("overscan joins pieces of one row by a dark move at speed", () => {
  const joined = overscan(opsOf([...row(10, 20, 0), ...row(28, 40, 0), ...row(51, 60, 0)]), HARD).ops;
  assert.equal(rowsOf(joined), [
    [0, 5, 0, 0],
    [1, 10, 0, 0],
    [1, 20, 0, 0.5],
    [1, 28, 0, 0],
    [1, 40, 0, 0.5],
    [1, 45, 0, 0],
    [0, 46, 0, 0],
    [1, 51, 0, 0],
    [1, 60, 0, 0.5],
    [1, 65, 0, 0],
  ]);
  const cuts = (...moves: Move[]): number => cutsIn(overscan(opsOf(moves), HARD).ops).length;
  assert.is(cuts(...row(10, 20, 0), ...row(28, 40, 0.1)), 2, "another row");
  assert.is(cuts(...row(10, 20, 0), ...row(40, 28, 0)), 2, "backwards");
  assert.is(cuts(...row(20, 30, 0), ...row(10, 15, 0)), 2, "behind");
  assert.is(cuts(...row(10, 20, 0), travel(0, 0), ...row(22, 30, 0)), 3, "a travel between");
  assert.is(cuts(...row(10, 20, 0), ...row(20, 30, 0)), 1, "no gap");
  // from 10 to 50 mm/s takes 4.8 mm
  assert.is(cuts(...row(10, 20, 0, { speed: 600 }), ...row(24, 30, 0)), 2, "too near to change speed");
  assert.is(cuts(...row(10, 20, 0, { speed: 600 }), ...row(25, 30, 0)), 1, "far enough to change speed");
});

test("overscan takes rows of pieces of many powers as one", () => {
  const ops = opsOf([travel(0, 9), line(2, 9, AT), line(7, 9, { ...AT, power: 0 }), line(8, 9, AT)]);
  assert.equal(rowsOf(overscan(ops, HARD).ops), [
    [0, -5, 9, 0],
    [1, 0, 9, 0],
    [1, 2, 9, 0.5],
    [1, 7, 9, 0],
    [1, 8, 9, 0.5],
    [1, 13, 9, 0],
  ]);
});

test("overscan leaves alone what is not straight, and cuts that were not asked for", () => {
  const ops = opsOf([
    ...box(0, 0, 1, 1),
    travel(5, 5),
    arc(3, 6, 6, [5, 6]),
    ...[travel(0, 0), line(5, 0), line(3, 0)],
    ...[travel(3, 3), line(3, 3)],
    travel(9, 9),
    ...row(0, 10, 2),
  ]);
  const { ops: out, warnings } = overscan(ops, HARD);
  assert.is(out.kinds.length, ops.kinds.length + 2);
  assert.equal(rowsOf(out).slice(0, -4), rowsOf(ops).slice(0, -2));
  assert.equal(warnings, []);
  assert.equal(rowsOf(overscan(ops, { ...HARD, cuts: [] }).ops), rowsOf(ops));
  const asked = overscan(ops, { ...HARD, cuts: [0, 5] });
  assert.equal(asked.warnings, [
    { code: "bent", cut: 0, message: "Cut 0: no overscan, as it is not one straight line" },
  ]);
  assert.is(overscan(opsOf([])).ops.kinds.length, 0);
});

test("overscan stays on the bed and says where it is short", () => {
  const bed = { minX: 0, minY: 0, maxX: 100, maxY: 50 };
  const ops = opsOf([...row(2, 98, 0), travel(50, 45), line(50, 50, AT), ...row(-3, 4, 1)]);
  const { ops: out, warnings } = overscan(ops, { ...HARD, bed });
  assert.equal(
    warnings.map(({ message }) => message),
    [
      "Cut 0: 2 mm of overscan instead of 5 mm, as the bed ends there",
      "Cut 0: 2 mm of overscan instead of 5 mm, as the bed ends there",
      "Cut 1: 0 mm of overscan instead of 5 mm, as the bed ends there",
      "Cut 2: 0 mm of overscan instead of 5 mm, as the bed ends there",
    ],
  );
  assert.equal(rowsOf(out).slice(0, 7), [
    [0, 0, 0, 0],
    [1, 2, 0, 0],
    [1, 98, 0, 0.5],
    [1, 100, 0, 0],
    [0, 50, 40, 0],
    [1, 50, 45, 0],
    [1, 50, 50, 0.5],
  ]);
});

/** A hatch of pieces, there and back, at some angle. */
function hatch(angle: number): Ops {
  const next = random(4);
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  const moves: Move[] = [];
  const at = (x: number, y: number): [number, number] => [x * cos - y * sin, x * sin + y * cos];
  for (let i = 0; i < 40; i++) {
    const places = Array.from({ length: 2 * (1 + Math.floor(4 * next())) }, () => 100 * next());
    places.sort((a, b) => (i % 2 === 0 ? a - b : b - a));
    for (let k = 0; k < places.length; k += 2)
      moves.push(travel(...at(places[k]!, 0.3 * i)), line(...at(places[k + 1]!, 0.3 * i), AT));
  }
  return opsOf(moves);
}

test("overscan lets the head have its full speed wherever the beam is on", () => {
  for (const angle of [0, 0.3, Math.PI / 2]) {
    const ops = hatch(angle);
    const before = bytesOf(ops);
    const machine = {
      maxRate: [9000, 9000],
      acceleration: [400, 250],
      stepsPerMm: [0, 0],
      plannerBlocks: 60,
    } as const;
    const { ops: out } = overscan(ops, { acceleration: [400, 250] });
    assert.is(bytesOf(ops), before);
    const { times } = estimate(out, machine);
    let lit = 0;
    for (let op = 1; op < out.kinds.length; op++) {
      if (out.kinds[op] === 0 || out.power[op] === 0) continue;
      const seconds = times[op]! - times[op - 1]!;
      assert.ok(Math.abs(seconds - lengthOn(out, op) / 50) < 2e-4, `op ${op}: ${seconds} s`);
      lit += lengthOn(out, op);
    }
    assert.ok(Math.abs(lit - sumOf(ops)) < 1e-3, "what is burnt stays");
  }
});

test("overscan refuses what breaks its contract", () => {
  const ops = opsOf(row(0, 1, 0));
  const said = (options: unknown): string => messageOf(() => overscan(ops, options as OverscanOptions));
  assert.is(
    said({ acceleration: 0 }),
    "INVALID_ARGUMENT: Expected `acceleration` to be a finite number > 0, got 0",
  );
  assert.is(
    said({ acceleration: [1] }),
    "INVALID_ARGUMENT: Expected `acceleration` to be a number or [x, y], got an array of 1",
  );
  assert.is(said({ factor: 0.5 }), "INVALID_ARGUMENT: Expected `factor` to be a finite number >= 1, got 0.5");
  assert.is(said({ min: -1 }), "INVALID_ARGUMENT: Expected `min` to be a finite number >= 0, got -1");
  assert.is(said({ bed: 3 }), "INVALID_ARGUMENT: Expected `bed` to be { minX, minY, maxX, maxY }, got 3");
  const bed = { minX: 0, minY: 0, maxX: -1, maxY: 1 };
  assert.is(said({ bed }), "INVALID_ARGUMENT: Expected `bed.maxX` to be >= 0, bed.minX, got -1");
});

test.run();
