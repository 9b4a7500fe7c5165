import { addTabs, type Ops, type TabsOptions, taskMgr } from "kerfwork";
import { test } from "uvu";
import * as assert from "uvu/assert";
import {
  arc,
  box,
  bytesOf,
  circle,
  cutsIn,
  lengthOn,
  line,
  messageOf,
  messageWhenCanceled,
  opsOf,
  rowsOf,
  samplesOf,
  someCuts,
  sumOf,
  travel,
} from "./moves.ts";
import { random } from "./oracle.ts";

const square = opsOf(box(0, 0, 10, 10));

test("addTabs leaves evenly spread gaps, the first half a distance from the start", () => {
  const { ops, origin, warnings } = addTabs(square, { count: 4, width: 2 });
  assert.equal(rowsOf(ops), [
    [0, 0, 0, 0],
    [1, 4, 0, 1],
    [1, 6, 0, 0],
    [1, 10, 0, 1],
    [1, 10, 4, 1],
    [1, 10, 6, 0],
    [1, 10, 10, 1],
    [1, 6, 10, 1],
    [1, 4, 10, 0],
    [1, 0, 10, 1],
    [1, 0, 6, 1],
    [1, 0, 4, 0],
    [1, 0, 0, 1],
  ]);
  assert.equal([...origin], [0, 1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4]);
  assert.equal(warnings, []);
  assert.ok(
    ops.speed.subarray(1).every((speed) => speed === 1200),
    "dark moves keep the speed of the cut",
  );
});

test("addTabs fits the spacing to the cut, one tab at least", () => {
  const gaps = (options: Omit<TabsOptions, "width">): number => {
    const { ops } = addTabs(square, { width: 1, ...options });
    return Math.round(sumOf(ops, (op) => Number(ops.power[op] === 0)));
  };
  assert.is(gaps({ spacing: 10 }), 4);
  assert.is(gaps({ spacing: 13 }), 3);
  assert.is(gaps({ spacing: 1000 }), 1);
});

test("addTabs runs over corners and over the start", () => {
  const corner = addTabs(square, { places: [{ cut: 0, at: 10 }], width: 2 }).ops;
  assert.equal(rowsOf(corner).slice(0, 6), [
    [0, 0, 0, 0],
    [1, 9, 0, 1],
    [1, 10, 0, 0],
    [1, 10, 1, 0],
    [1, 10, 10, 1],
    [1, 0, 10, 1],
  ]);
  for (const at of [0, 40]) {
    const { ops, warnings } = addTabs(square, { places: [{ cut: 0, at }], width: 3 });
    assert.equal(rowsOf(ops), [
      [0, 0, 0, 0],
      [1, 1.5, 0, 0],
      [1, 10, 0, 1],
      [1, 10, 10, 1],
      [1, 0, 10, 1],
      [1, 0, 1.5, 1],
      [1, 0, 0, 0],
    ]);
    assert.equal(warnings, []);
  }
});

test("addTabs merges tabs that overlap", () => {
  const places = [5, 6.5, 20, 39.5].map((at) => ({ cut: 0, at }));
  const { ops, warnings } = addTabs(square, { places, width: 2 });
  assert.equal(warnings, [{ code: "merged", cut: 0, message: "Cut 0: tabs that overlap became one" }]);
  // 3.5 + 2 + 2 of 40 mm
  assert.ok(Math.abs(sumOf(ops, (op) => ops.power[op]!) - 32.5) < 1e-5);
  assert.ok(Math.abs(sumOf(ops) - 40) < 1e-5);
});

test("addTabs puts fewer or none on a cut that is short for them", () => {
  const small = opsOf([...box(0, 0, 1, 1), ...box(5, 5, 5.5, 5.5)]);
  const { ops, warnings } = addTabs(small, { count: 4, width: 1.2 });
  assert.equal(
    warnings.map(({ message }) => message),
    [
      "Cut 0: 1 of 4 tabs, as more would be over half of its 4 mm",
      "Cut 1: no tabs, as it is 2 mm long, less than two of 1.2 mm",
    ],
  );
  assert.equal(
    warnings.map(({ code }) => code),
    ["fewer", "none"],
  );
  assert.ok(Math.abs(sumOf(ops, (op) => ops.power[op]!) - (6 - 1.2)) < 1e-5);
  const long = addTabs(small, { places: [{ cut: 0, at: 2 }], width: 5 });
  assert.equal(rowsOf(long.ops), rowsOf(small));
  assert.is(long.warnings[0]!.message, "Cut 0: no tabs, as one of 5 mm leaves nothing of its 4 mm");
  const places = [0.5, 1.5, 2.5, 3.5].map((at) => ({ cut: 0, at }));
  const all = addTabs(small, { places, width: 1 });
  assert.equal(rowsOf(all.ops), rowsOf(small));
  assert.is(all.warnings[0]!.message, "Cut 0: no tabs, as they leave nothing of its 4 mm");
});

test("addTabs keeps to closed cuts and to the cuts that it is given", () => {
  const ops = opsOf([travel(0, 0), line(50, 0), ...box(0, 10, 10, 20), travel(3, 3), ...box(20, 10, 30, 20)]);
  const dark = (options: Partial<TabsOptions>): number[] => {
    const { ops: out, origin } = addTabs(ops, { count: 1, width: 1, ...options });
    return [...out.kinds.keys()]
      .filter((op) => out.kinds[op] !== 0 && out.power[op] === 0)
      .map((op) => origin[op]!);
  };
  // over the corner in the middle of each
  assert.equal(dark({}), [4, 5, 10, 11]);
  assert.equal(dark({ cuts: [3] }), [10, 11]);
  assert.equal(dark({ cuts: [] }), []);
  assert.equal(addTabs(ops, { count: 1, width: 1, cuts: [0, 2] }).warnings, [
    { code: "open", cut: 0, message: "Cut 0: no tabs, as it is open" },
    { code: "open", cut: 2, message: "Cut 2: no tabs, as it is open" },
  ]);
});

test("addTabs never raises a power", () => {
  const ops = opsOf(box(0, 0, 10, 10, { power: 0.2 }));
  assert.equal(
    rowsOf(addTabs(ops, { count: 4, width: 2, power: 0.5 }).ops)
      .slice(1)
      .map((row) => row[3]),
    Array(12).fill(0.2),
  );
  const low = addTabs(square, { count: 4, width: 2, power: 0.25 }).ops;
  assert.ok(Math.abs(sumOf(low, (op) => low.power[op]!) - (32 + 8 * 0.25)) < 1e-5);
});

test("addTabs splits arcs into arcs of the same circle", () => {
  for (const kind of [2, 3] as const) {
    const ops = opsOf(circle(3, 4, 10, kind));
    const tabbed = addTabs(ops, { count: 5, width: 3 }).ops;
    assert.ok([...tabbed.kinds].slice(1).every((each) => each === kind));
    for (let op = 1; op < tabbed.kinds.length; op++) {
      assert.equal([...tabbed.centers.subarray(2 * op, 2 * op + 2)], [3, 4]);
      assert.ok(Math.abs(Math.hypot(tabbed.xy[2 * op]! - 3, tabbed.xy[2 * op + 1]! - 4) - 10) < 2e-6);
    }
    assert.ok(Math.abs(sumOf(tabbed, (op) => tabbed.power[op]!) - (20 * Math.PI - 15)) < 1e-4);
  }
});

/** The head's way and its power, place by place, against the plain rule: dark within half a width of a middle. */
function compare(ops: Ops, options: TabsOptions, middlesOf: (length: number, cut: number) => number[]): void {
  const before = bytesOf(ops);
  const tabbed = addTabs(ops, options).ops;
  assert.is(bytesOf(ops), before);
  assert.equal(addTabs(ops, options).ops, tabbed, "twice the same");
  const olds = cutsIn(ops);
  const news = cutsIn(tabbed);
  assert.is(news.length, olds.length);
  olds.forEach((old, cut) => {
    const out = news[cut]!;
    const length =
      sumOf({ ...ops, kinds: ops.kinds.slice(0, old.end) }) -
      sumOf({ ...ops, kinds: ops.kinds.slice(0, old.first + 1) });
    const ends = (one: Ops, { first, end }: typeof old): number[] => [
      ...one.xy.subarray(2 * first, 2 * first + 2),
      ...one.xy.subarray(2 * end - 2, 2 * end),
    ];
    assert.equal(ends(tabbed, out), ends(ops, old), "ends stay, to the last bit");
    const middles = middlesOf(length, cut);
    const truth = samplesOf(ops, old, 0.05);
    let i = 0;
    for (const { at, x, y, op } of samplesOf(tabbed, out, 0.31)) {
      while (i + 1 < truth.length && truth[i + 1]!.at <= at) i++;
      const [a, b] = [truth[i]!, truth[Math.min(i + 1, truth.length - 1)]!];
      const t = b.at > a.at ? (at - a.at) / (b.at - a.at) : 0;
      assert.ok(
        Math.hypot(a.x + (b.x - a.x) * t - x, a.y + (b.y - a.y) * t - y) < 2e-3,
        `cut ${cut} at ${at}`,
      );
      const off = Math.min(
        ...middles.map((m) => Math.min(Math.abs(at - m), length - Math.abs(at - m))),
        Infinity,
      );
      if (Math.abs(off - options.width / 2) < 0.006 || Math.abs(at - a.at) < 1e-6) continue;
      const own = ops.power[a.op]!;
      assert.is(
        tabbed.power[op],
        off < options.width / 2 ? Math.fround(Math.min(own, options.power ?? 0)) : own,
      );
    }
  });
}

test("addTabs is what the plain rule says, on many shapes", () => {
  const next = random(11);
  const ops = opsOf(someCuts(next, 40));
  const closed = (cut: number): boolean => cut % 5 !== 4;
  const even = (n: number, length: number): number[] =>
    Array.from({ length: n }, (_, i) => ((i + 0.5) * length) / n);
  compare(ops, { count: 3, width: 0.4 }, (length, cut) =>
    closed(cut) ? even(Math.min(3, Math.floor(length / 0.8)), length) : [],
  );
  compare(ops, { spacing: 7, width: 0.9, power: 0.15 }, (length, cut) =>
    closed(cut) ? even(Math.min(Math.max(1, Math.round(length / 7)), Math.floor(length / 1.8)), length) : [],
  );
  const places = cutsIn(ops).flatMap(({ first, end }, cut) => {
    let length = 0;
    for (let op = first + 1; op < end; op++) length += lengthOn(ops, op);
    return closed(cut) ? [0, 1, 2].map(() => ({ cut, at: 0.999 * length * next() })) : [];
  });
  compare(ops, { places, width: 0.7 }, (_, cut) =>
    places.filter((place) => place.cut === cut).map(({ at }) => at),
  );
});

test("addTabs takes heights along and keeps moves that only sink", () => {
  const ops = opsOf([
    travel(0, 0, { z: 1 }),
    line(0, 0, { z: 0 }),
    line(10, 0, { z: -1 }),
    line(10, 10, { z: -1 }),
    line(0, 0, { z: -2 }),
    line(0, 0, { z: -3 }),
  ]);
  const { z, power } = addTabs(ops, { places: [{ cut: 0, at: 5 }], width: 2 }).ops;
  assert.equal(
    [...z!].map((value) => Math.round(value * 1e5) / 1e5),
    [1, 0, -0.4, -0.6, -1, -1, -2, -3],
  );
  assert.equal([...power], [0, 1, 1, 0, 1, 1, 1, 1]);
});

test("addTabs makes no pieces of nearly no length, which could turn into circles", () => {
  const ops = opsOf([travel(10, 0), arc(3, 10, 0, [0, 0])]);
  const length = 20 * Math.PI;
  for (const off of [0.001, 0.0001, 1e-7, 0])
    for (const place of [1 + off, 1 - off, length - 1 + off, length - 1 - off]) {
      const tabbed = addTabs(ops, { places: [{ cut: 0, at: place }], width: 2 }).ops;
      assert.ok(Math.abs(sumOf(tabbed) - length) < 1e-4);
      assert.ok(Math.abs(sumOf(tabbed, (op) => tabbed.power[op]!) - (length - 2)) < 5e-3);
    }
});

test("addTabs takes nothing, and cuts without moves", () => {
  assert.is(addTabs(opsOf([]), { count: 1, width: 1 }).ops.kinds.length, 0);
  assert.equal(rowsOf(addTabs(opsOf([travel(1, 1), travel(2, 2)]), { count: 1, width: 1 }).ops), [
    [0, 1, 1, 0],
    [0, 2, 2, 0],
  ]);
  const dot = opsOf([travel(1, 1), line(1, 1)]);
  assert.equal(rowsOf(addTabs(dot, { count: 1, width: 1 }).ops), rowsOf(dot));
});

test("addTabs refuses what breaks its contract", () => {
  const said = (options: unknown): string => messageOf(() => addTabs(square, options as TabsOptions));
  assert.is(
    said({ count: 2 }),
    "INVALID_ARGUMENT: Expected `width` to be a finite number >= 0.01 and <= 1000, got undefined",
  );
  assert.is(
    said({ width: 1 }),
    'INVALID_ARGUMENT: Expected `options` to be an object with one of count, spacing and places, got "0 of them"',
  );
  assert.is(
    said({ width: 1, count: 0 }),
    "INVALID_ARGUMENT: Expected `count` to be an integer >= 1 and <= 10000, got 0",
  );
  assert.is(
    said({ width: 1, spacing: 0 }),
    "INVALID_ARGUMENT: Expected `spacing` to be a finite number > 0, got 0",
  );
  assert.is(
    said({ width: 1, places: [{ cut: 1, at: 0 }] }),
    "INVALID_ARGUMENT: Expected `places[0].cut` to be an integer >= 0 and <= 0, got 1",
  );
  assert.is(
    said({ width: 1, places: [{ cut: 0, at: 41 }] }),
    "INVALID_ARGUMENT: Expected `places[0].at` to be a finite number >= 0 and <= 40, got 41",
  );
  assert.is(
    said({ width: 1, count: 1, cuts: [1] }),
    "INVALID_ARGUMENT: Expected `cuts[0]` to be the number of one of 1 cuts, got 1",
  );
  assert.match(said({ width: 1, count: 1, size: 2 }), /no other names than .*, got "size"$/);
  assert.is(
    messageOf(() => addTabs(opsOf([travel(0, 0), arc(3, 5, 5, [1, 0])]), { width: 1, count: 1 })),
    "INVALID_ARGUMENT: Expected op 1 to end on its circle around (1, 0), at most 2000000 mm in radius, got (5, 5)",
  );
});

test("addTabs leaves when it is canceled, and runs in a worker", async () => {
  assert.is(
    messageWhenCanceled(() => addTabs(square, { count: 1, width: 1 })),
    "CANCELED: The work was canceled",
  );
  const task = taskMgr.runProcess(addTabs, [square, { count: 2, width: 1 }]);
  assert.equal(await task.promise, addTabs(square, { count: 2, width: 1 }));
});

test.after(() => taskMgr.shutdown());
test.run();
