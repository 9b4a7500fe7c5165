import { type OvercutOptions, overcut } from "kerfwork";
import { test } from "uvu";
import * as assert from "uvu/assert";
import {
  arc,
  box,
  bytesOf,
  cutsIn,
  line,
  messageOf,
  opsOf,
  rowsOf,
  samplesOf,
  someCuts,
  sumOf,
  travel,
} from "./moves.ts";
import { random } from "./oracle.ts";

test("overcut runs closed cuts on past their start", () => {
  const { ops, origin, warnings } = overcut(opsOf(box(0, 0, 10, 10, { power: 0.5 })), { length: 12 });
  assert.equal(rowsOf(ops).slice(5), [
    [1, 10, 0, 0.5],
    [1, 10, 2, 0.5],
  ]);
  assert.equal([...origin], [0, 1, 2, 3, 4, 1, 2]);
  assert.equal(warnings, []);
  const round = overcut(opsOf([travel(10, 0), arc(2, 10, 0, [0, 0])]), { length: 5 * Math.PI }).ops;
  assert.equal(rowsOf(round)[2], [2, 0, -10, 1]);
});

test("overcut leaves open cuts alone, and says so when they were asked for", () => {
  const ops = opsOf([travel(0, 0), line(10, 0), ...box(0, 0, 1, 1), travel(5, 5)]);
  assert.equal(rowsOf(overcut(ops, { length: 0.5 }).ops).length, ops.kinds.length + 1);
  assert.equal(rowsOf(overcut(ops, { length: 0 }).ops), rowsOf(ops));
  assert.equal(rowsOf(overcut(ops, { length: 0.5, cuts: [] }).ops), rowsOf(ops));
  assert.equal(overcut(ops, { length: 0.5, cuts: [0, 1] }).warnings, [
    { code: "open", cut: 0, message: "Cut 0: no overcut, as it is open" },
  ]);
});

test("overcut runs a cut twice at most", () => {
  const { ops, warnings } = overcut(opsOf(box(0, 0, 1, 1)), { length: 9 });
  assert.ok(Math.abs(sumOf(ops) - 8) < 1e-6);
  assert.equal(warnings, [{ code: "capped", cut: 0, message: "Cut 0: an overcut of its 4 mm, not of 9 mm" }]);
});

test("overcut follows the beginning of each cut, on many shapes", () => {
  const ops = opsOf(someCuts(random(5), 40));
  const before = bytesOf(ops);
  const out = overcut(ops, { length: 1.7 }).ops;
  assert.is(bytesOf(ops), before);
  const news = cutsIn(out);
  for (const [cut, old] of cutsIn(ops).entries()) {
    const truth = samplesOf(ops, old, 0.02);
    const found = samplesOf(out, news[cut]!, 0.02);
    const length = truth.at(-1)!.at;
    if (cut % 5 === 4) {
      assert.is(found.at(-1)!.at, length);
      continue;
    }
    assert.ok(Math.abs(found.at(-1)!.at - length - Math.min(1.7, length)) < 0.003);
    for (const { at, x, y } of found.filter((sample) => sample.at > length)) {
      const same = truth.find((sample) => sample.at >= at - length - 0.003)!;
      assert.ok(Math.hypot(same.x - x, same.y - y) < 0.03, `cut ${cut} at ${at}`);
    }
  }
});

test("overcut refuses what breaks its contract", () => {
  const ops = opsOf(box(0, 0, 1, 1));
  const said = (options: unknown): string => messageOf(() => overcut(ops, options as OvercutOptions));
  assert.is(said({ length: -1 }), "INVALID_ARGUMENT: Expected `length` to be a finite number >= 0, got -1");
  assert.is(said({}), "INVALID_ARGUMENT: Expected `length` to be a finite number >= 0, got undefined");
  assert.is(
    said({ length: 1, cuts: 0 }),
    "INVALID_ARGUMENT: Expected `cuts` to be an array of numbers of cuts, got 0",
  );
});

test.run();
