import { type Ops, type PerforateOptions, perforate } from "kerfwork";
import { test } from "uvu";
import * as assert from "uvu/assert";
import {
  arc,
  box,
  bytesOf,
  cutsIn,
  lengthOn,
  line,
  messageOf,
  opsOf,
  rowsOf,
  someCuts,
  sumOf,
  travel,
} from "./moves.ts";
import { random } from "./oracle.ts";

const LOW = 0.0625;

/** Lengths of the stretches of one power along a cut: dash, gap, dash, ... */
function stretches(ops: Ops, { first, end }: { first: number; end: number }): number[] {
  const lengths: number[] = [];
  for (let op = first + 1; op < end; op++)
    if (op > first + 1 && (ops.power[op] === LOW) === (ops.power[op - 1] === LOW))
      lengths[lengths.length - 1]! += lengthOn(ops, op);
    else lengths.push(lengthOn(ops, op));
  return lengths;
}

test("perforate begins and ends an open cut with whole dashes", () => {
  const { ops, origin, warnings } = perforate(opsOf([travel(0, 0), line(11, 0)]), { cut: 3, gap: 1 });
  assert.equal(rowsOf(ops), [
    [0, 0, 0, 0],
    [1, 3, 0, 1],
    [1, 4, 0, 0],
    [1, 7, 0, 1],
    [1, 8, 0, 0],
    [1, 11, 0, 1],
  ]);
  assert.equal([...origin], [0, 1, 1, 1, 1, 1]);
  assert.equal(warnings, []);
});

test("perforate begins a closed cut in the middle of a dash", () => {
  const { ops } = perforate(opsOf(box(0, 0, 10, 10)), { cut: 6, gap: 4 });
  assert.equal(rowsOf(ops).slice(0, 5), [
    [0, 0, 0, 0],
    [1, 3, 0, 1],
    [1, 7, 0, 0],
    [1, 10, 0, 1],
    [1, 10, 3, 1],
  ]);
  assert.equal(rowsOf(ops).at(-1), [1, 0, 0, 1]);
});

test("perforate has whole dashes and gaps of one factor, on many shapes", () => {
  const ops = opsOf(someCuts(random(9), 60));
  const before = bytesOf(ops);
  const options = { cut: 2.5, gap: 0.8, power: LOW };
  const { ops: out, warnings } = perforate(ops, options);
  assert.is(bytesOf(ops), before);
  assert.ok(Math.abs(sumOf(out) - sumOf(ops)) < 0.01 * 60);
  const news = cutsIn(out);
  for (const [cut, old] of cutsIn(ops).entries()) {
    let length = 0;
    for (let op = old.first + 1; op < old.end; op++) length += lengthOn(ops, op);
    const found = stretches(out, news[cut]!);
    assert.is(found.length % 2, 1, "a dash at both ends");
    const gaps = (found.length - 1) / 2;
    assert.is(
      warnings.some((warning) => warning.cut === cut),
      gaps === 0,
    );
    if (gaps === 0) continue;
    const closed = cut % 5 !== 4;
    const factor = length / (gaps * 3.3 + (closed ? 0 : 2.5));
    assert.ok(factor >= 0.5 && factor <= 1.5, `${factor}`);
    for (const [i, stretch] of found.entries()) {
      const half = closed && (i === 0 || i === found.length - 1);
      const whole = (i % 2 === 1 ? 0.8 : half ? 1.25 : 2.5) * factor;
      assert.ok(Math.abs(stretch - whole) < 0.006, `cut ${cut}, ${i}: ${stretch}, not ${whole}`);
    }
  }
});

test("perforate leaves what is too short whole, and says so", () => {
  const ops = opsOf([travel(0, 0), line(4, 0), travel(9, 9), travel(20, 0), arc(3, 20, 0, [19.9, 0])]);
  const { ops: out, warnings } = perforate(ops, { cut: 3, gap: 1.5 });
  assert.equal(rowsOf(out), rowsOf(ops));
  assert.equal(warnings, [
    { code: "solid", cut: 0, message: "Cut 0: no gap, as it is 4 mm long" },
    { code: "solid", cut: 2, message: "Cut 2: no gap, as it is 0.628 mm long" },
  ]);
  assert.equal(rowsOf(perforate(ops, { cut: 1, gap: 1, cuts: [] }).ops), rowsOf(ops));
  assert.is(perforate(opsOf([]), { cut: 1, gap: 1 }).ops.kinds.length, 0);
});

test("perforate refuses what breaks its contract", () => {
  const ops = opsOf([travel(0, 0), line(4, 0)]);
  const said = (options: unknown): string => messageOf(() => perforate(ops, options as PerforateOptions));
  assert.is(
    said({ cut: 0, gap: 1 }),
    "INVALID_ARGUMENT: Expected `cut` to be a finite number >= 0.01 and <= 1000000, got 0",
  );
  assert.is(
    said({ cut: 1 }),
    "INVALID_ARGUMENT: Expected `gap` to be a finite number >= 0.01 and <= 1000000, got undefined",
  );
  assert.is(
    said({ cut: 1, gap: 1, power: 2 }),
    "INVALID_ARGUMENT: Expected `power` to be a finite number >= 0 and <= 1, got 2",
  );
});

test.run();
