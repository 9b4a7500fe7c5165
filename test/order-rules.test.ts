import { type OrderOptions, order } from "kerfwork";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { environment } from "../src/tasker/target.ts";
import {
  blob,
  check,
  lists,
  messageOf,
  type Points,
  paths,
  random,
  segments,
  shortest,
  square,
  travel,
  unitsOf,
} from "./tours.ts";

const line = (x: number, y: number, length = 1): Points => [
  [x, y],
  [x + length, y],
];

/** A small job of lines, rings, dots and nothings, some inside others, and rules for it. */
function job(seed: number, most: number): { given: Points[]; options: OrderOptions } {
  const next = random(seed);
  const n = 1 + Math.floor(next() * most);
  const size = 10 + 5 * Math.sqrt(n);
  const given = segments(next, n, size).map((segment): Points => {
    const kind = next();
    if (kind < 0.35)
      return blob(next, next() * size, next() * size, 1 + 8 * next(), 3 + Math.floor(next() * 3));
    if (kind < 0.4) return [segment[0]!];
    return kind < 0.45 ? [] : segment;
  });
  const groups = Uint32Array.from(given, () => Math.floor(next() * 3));
  const units = Uint32Array.from(given, () => Math.floor(next() * 2));
  const rounded = lists(paths(given));
  const options: OrderOptions = {
    flip: seed % 3 !== 0,
    insideFirst: seed % 2 === 0,
    ...(seed % 5 < 2 ? { end: [size, 0] as const } : {}),
    ...(seed % 7 < 3 ? { start: [size / 2, size / 2] as const } : {}),
    ...(seed % 4 < 2 ? { groups } : {}),
    ...(seed % 11 < 3 ? { keepOrder: seed % 11 === 0 ? true : [0, 2] } : {}),
  };
  // a unit is of one group, and units that lie inside one another have no order
  if (seed % 3 === 1 && options.insideFirst === false) {
    for (const unit of unitsOf(rounded, { units })) for (const path of unit) groups[path] = groups[unit[0]!]!;
    return { given: rounded, options: { ...options, units } };
  }
  return { given: rounded, options };
}

test("order runs group by group, the lowest number first", () => {
  const row = [line(0, 0), line(2, 0), line(4, 0), line(6, 0)];
  const result = check(paths(row), { groups: Uint32Array.of(7, 3, 7, 3) });
  assert.equal([...result.order], [1, 3, 2, 0]);
  assert.equal([...result.reversed], [0, 0, 1, 1]);
  assert.is(result.travel, 2 + 3 + 2 + 3);
});

test("order keeps the order of a group and chooses directions and entries all the same", () => {
  const row = [line(9, 0, -1), line(0, 0), square(5, 5, 2), line(3, 0)];
  const result = check(paths(row), { keepOrder: true });
  assert.equal([...result.order], [0, 1, 2, 3]);
  assert.equal(
    [...result.reversed],
    [0, 1, 0, 0].map((_, i) => result.reversed[i]!),
  );
  assert.ok(Math.abs(result.travel - shortest(row, { keepOrder: true })) < 1e-6);
  const groups = Uint32Array.of(1, 0, 1, 0);
  assert.equal([...check(paths(row), { groups, keepOrder: [1] }).order].slice(2), [0, 2]);
});

test("order runs the lines of a unit as one, forwards or all of it backwards", () => {
  const hatch = [line(10, 0, 5), line(15, 1, -5), line(10, 2, 5), line(15, 3, -5)];
  const rows = [...hatch, line(30, 3), ...hatch.map((list) => list.map(([x, y]) => [x! + 30, y!]))];
  const units = Uint32Array.of(1, 1, 1, 1, 0, 1, 1, 1, 1);
  const result = check(paths(rows), { units, start: [10, 3] });
  assert.equal([...result.order], [3, 2, 1, 0, 4, 8, 7, 6, 5]);
  assert.equal([...result.reversed], [1, 1, 1, 1, 0, 1, 1, 1, 1]);
  assert.equal(unitsOf(rows, { units }).length, 3);
  // torn apart they would make a shorter way, and backwards is not allowed here
  check(paths(rows), { units, start: [10, 3], flip: false });
});

test("order puts what lies in a path of a unit before the unit", () => {
  const parts = [square(0, 0, 10), square(20, 0, 10), line(22, 2), line(2, 2), square(4, 4, 2)];
  const result = check(paths(parts), { units: Uint32Array.of(5, 5, 0, 1, 2) });
  assert.equal(new Set(result.order.subarray(3)), new Set([0, 1]));
});

test("order goes by groups where those are against insides", () => {
  // rings within rings, outside in, of three groups: within each the inner one comes first
  const rings = Array.from({ length: 9 }, (_, i) => square(i, i, 40 - 2 * i));
  const groups = Uint32Array.from(rings, (_, i) => i % 3);
  assert.equal([...check(paths(rings), { groups }).order], [6, 3, 0, 7, 4, 1, 8, 5, 2]);
});

test("order finds the shortest way on nearly all small jobs, under all rules", () => {
  let exact = 0;
  let count = 0;
  for (let seed = 1; seed <= 240; seed++) {
    const { given, options } = job(seed, 7);
    const best = shortest(given, options);
    const { travel: found } = check(paths(given), options);
    assert.ok(found >= best - 1e-4, `seed ${seed}: ${found} is not below the shortest, ${best}`);
    assert.ok(found <= 1.2 * best + 1e-4, `seed ${seed}: ${found} against ${best}`);
    count++;
    if (found <= best * 1.00001 + 1e-4) exact++;
  }
  assert.ok(exact >= 0.85 * count, `${exact} of ${count} are the shortest`);
});

test("order keeps all rules on thousands of seeded jobs, with and without kicks", () => {
  for (let seed = 1; seed <= 2500; seed++) {
    const { given, options } = job(seed, seed % 50 === 0 ? 120 : 16);
    check(paths(given), seed % 2 === 0 ? { ...options, kicks: 0 } : options);
  }
});

test("order is never longer than the given order where that one is allowed, whatever the rules", () => {
  for (let seed = 1; seed <= 300; seed++) {
    const { given, options } = job(seed, 20);
    // what order gave is allowed, so from there on it can only become shorter
    const first = check(paths(given), { ...options, kicks: 0 });
    const moved = (numbers?: Uint32Array) =>
      numbers && Uint32Array.from(first.order, (path) => numbers[path]!);
    const { groups, units, ...rest } = options;
    if (units !== undefined) continue;
    const again = order(first.paths, { ...rest, ...(groups ? { groups: moved(groups)! } : {}), kicks: 0 });
    assert.ok(
      again.travel <= first.travel * (1 + 1e-9) + 1e-9,
      `seed ${seed}: ${again.travel}, ${first.travel}`,
    );
  }
});

test("order does not depend on where up and right are, nor on the unit of length", () => {
  const next = random(12);
  const some = [
    ...segments(next, 150),
    ...Array.from({ length: 50 }, () => blob(next, 100 * next(), 100 * next(), 3)),
  ];
  const plain = check(paths(some), { start: [1, 2], end: [90, 4], kicks: 300 });
  const turned = (turn: (x: number, y: number) => [number, number]): number =>
    order(paths(some.map((list) => list.map(([x, y]) => turn(x!, y!)))), {
      start: turn(1, 2),
      end: turn(90, 4),
      kicks: 300,
    }).travel;
  const near = (a: number, b: number): boolean => Math.abs(a - b) <= 1e-6 * b;
  assert.ok(
    near(
      turned((x, y) => [-x, y]),
      plain.travel,
    ),
    "mirrored",
  );
  assert.ok(
    near(
      turned((x, y) => [y, -x]),
      plain.travel,
    ),
    "turned by a quarter",
  );
  assert.ok(
    near(
      turned((x, y) => [4 * x, 4 * y]),
      4 * plain.travel,
    ),
    "four times as large",
  );
});

test("order with more kicks is shorter, and equal input gives equal output", () => {
  const given = paths(segments(random(3), 600));
  const ways = [0, 100, 1000].map((kicks) => {
    const result = check(given, { kicks, end: [0, 0] });
    assert.is(result.kicks, kicks);
    assert.equal(order(given, { kicks, end: [0, 0] }), result);
    return result.travel;
  });
  assert.ok(ways[1]! < 0.97 * ways[0]! && ways[2]! < 0.98 * ways[1]!, `${ways}`);
});

test("order for a time can be had again by its kicks", () => {
  const given = paths([
    ...segments(random(4), 200),
    ...Array.from({ length: 40 }, (_, i) => square((i * 37) % 100, (i * 53) % 100, 2)),
  ]);
  const timed = check(given, { budgetMs: 20 });
  assert.ok(timed.kicks > 0);
  assert.equal(order(given, { kicks: timed.kicks }), timed);
  assert.equal(order(given, { budgetMs: 0 }), order(given, { kicks: 0 }));
});

test("order ends early where nothing is left to gain", () => {
  const { kicks, travel: found } = order(paths(segments(random(6), 5)), { budgetMs: 600_000 });
  assert.ok(kicks >= 1000 && kicks < 5000, `${kicks}`);
  assert.ok(Math.abs(found - shortest(lists(paths(segments(random(6), 5))))) < 1e-4);
  assert.is(order(paths([line(0, 0), line(3, 3)]), { budgetMs: 600_000 }).kicks, 0);
});

test("order moves the progress on, whatever stops it", () => {
  const around = environment();
  const { reporter } = around;
  const given = paths([...segments(random(7), 300), square(-1, -1, 200)]);
  for (const options of [{}, { kicks: 0 }, { kicks: 3000 }, { budgetMs: 30 }]) {
    const seen: number[] = [];
    around.reporter = { beginStage: (base, span) => seen.push(base, base + span), isCancelled: () => false };
    try {
      order(given, options);
    } finally {
      around.reporter = reporter;
    }
    assert.is(seen[0], 0);
    for (const [i, value] of seen.entries())
      assert.ok(value <= 1 + 1e-9 && value >= (seen[i - 2] ?? 0) - 1e-9, `${seen}`);
    if (!("budgetMs" in options)) assert.ok(seen.at(-1)! > 0.89, `ends at ${seen.at(-1)}`);
  }
});

test("order leaves with CANCELED at every stage, and gives what it has when it is asked to finish", () => {
  const around = environment();
  const { reporter } = around;
  const given = paths([
    ...segments(random(8), 100),
    ...Array.from({ length: 20 }, (_, i) => square(5 * i, 50, 3)),
  ]);
  let stages = 0;
  const asked = (last: number, finishing: boolean) => ({
    beginStage: () => stages++,
    isCancelled: () => !finishing && stages === last,
    isFinishing: () => finishing && stages >= last,
  });
  const run = (last: number, finishing: boolean): ReturnType<typeof order> => {
    stages = 0;
    around.reporter = asked(last, finishing);
    try {
      return order(given, { budgetMs: 600_000 });
    } finally {
      around.reporter = reporter;
    }
  };
  const first = order(given, { kicks: 0 });
  for (let last = 1; last <= 16; last++) {
    assert.is(
      messageOf(() => run(last, false)),
      "CANCELED: The work was canceled",
      `stage ${last}`,
    );
    assert.is(stages, last);
    const early = run(last, true);
    assert.equal(order(given, { kicks: early.kicks }), early);
    assert.ok(early.travel <= first.travel);
  }
  assert.ok(run(40, true).travel < run(1, true).travel);
});

test("order refuses rules that it cannot keep", () => {
  const three = paths([square(0, 0, 9), square(20, 0, 9), line(2, 2)]);
  const cases: [OrderOptions, string][] = [
    [{ groups: [1] as never }, "Expected `groups` to be a Uint32Array, got an array of 1"],
    [{ groups: Uint32Array.of(1) }, 'Expected `groups` to be a number for each of 3 paths, got "1 numbers"'],
    [{ units: new Uint32Array(4) }, 'Expected `units` to be a number for each of 3 paths, got "4 numbers"'],
    [
      { units: Uint32Array.of(0, 1, 1), groups: Uint32Array.of(0, 4, 5) },
      "Expected `groups[2]` to be 4, as of path 1, which is of the same unit, got 5",
    ],
    [{ keepOrder: 1 as never }, "Expected `keepOrder` to be true, false or the numbers of groups, got 1"],
    [
      { keepOrder: ["a"] as never },
      "Expected `keepOrder` to be true, false or the numbers of groups, got an array of 1",
    ],
    [{ kicks: 1.5 }, "Expected `kicks` to be an integer >= 0, got 1.5"],
    [{ budgetMs: -1 }, "Expected `budgetMs` to be a finite number >= 0, got -1"],
  ];
  for (const [options, text] of cases)
    assert.is(
      messageOf(() => order(three, options)),
      `INVALID_ARGUMENT: ${text}`,
    );
  const locked = paths([square(0, 0, 9), line(22, 2), square(20, 0, 9), line(2, 2)]);
  assert.is(
    messageOf(() => order(locked, { units: Uint32Array.of(0, 0, 1, 1) })),
    "INVALID_ARGUMENT: Expected `units` that do not lie inside one another, which `insideFirst` cannot order, got such a one at path 0",
  );
  assert.is(order(locked, { units: Uint32Array.of(0, 0, 1, 1), insideFirst: false }).order.length, 4);
});

test("order stands rules on degenerate input", () => {
  for (const given of [[], [[]], [[[1, 1]]], [[], [[2, 2]], [], [[3, 3]], []]] as Points[][]) {
    const numbers = new Uint32Array(given.length);
    check(paths(given), { groups: numbers, units: numbers, keepOrder: true });
    check(paths(given), { groups: numbers, keepOrder: [0], budgetMs: 1 });
  }
  // 70 of a rank, and ranks of one by the hundred: the grid and the lists
  const next = random(2);
  const many = segments(next, 400);
  check(paths(many), { groups: Uint32Array.from(many, (_, i) => Math.max(0, i - 300)) });
  check(paths(many), { groups: Uint32Array.from(many, () => 4_000_000_000 + Math.floor(3 * next())) });
  assert.ok(Math.abs(order(paths(many), { keepOrder: true }).travel - travel(many)) < travel(many) / 10);
});

test.run();
