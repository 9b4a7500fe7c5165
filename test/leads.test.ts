import { addLeads, addTabs, estimate, type LeadsOptions, type Ops, passes, taskMgr } from "kerfwork";
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
  type Move,
  messageOf,
  messageWhenCanceled,
  opsOf,
  pointsOn,
  ring,
  rowsOf,
  type Sample,
  samplesOf,
  sumOf,
  travel,
  turnOf,
} from "./moves.ts";
import { random } from "./oracle.ts";

const BOTH: LeadsOptions = { in: { length: 3 }, out: { length: 2, kind: "line" } };
const near = (actual: number, expected: number, slack = 1e-4): void =>
  assert.ok(Math.abs(actual - expected) < slack, `${actual}, expected ${expected}`);

/** The same cuts run the other way around. */
function reversed(ops: Ops): Move[] {
  return cutsIn(ops).flatMap(({ first, end }) => {
    const place = (op: number): [number, number] => [ops.xy[2 * op]!, ops.xy[2 * op + 1]!];
    const moves: Move[] = [travel(...place(end - 1))];
    for (let op = end - 1; op > first; op--) {
      const kind = ops.kinds[op]! < 2 ? 1 : 5 - ops.kinds[op]!;
      moves.push({
        kind,
        x: place(op - 1)[0],
        y: place(op - 1)[1],
        center: [ops.centers[2 * op]!, ops.centers[2 * op + 1]!],
      });
    }
    return moves;
  });
}

// --- slow and obvious ---

/** Distance of a place from a move, by its parts. */
function distanceTo(ops: Ops, op: number, x: number, y: number): number {
  if (ops.kinds[op]! > 1) {
    const [cx, cy] = [ops.centers[2 * op]!, ops.centers[2 * op + 1]!];
    const [x0, y0] = [ops.xy[2 * op - 2]!, ops.xy[2 * op - 1]!];
    const turn = turnOf(ops, op);
    let angle = Math.atan2(y - cy, x - cx) - Math.atan2(y0 - cy, x0 - cx);
    while (turn > 0 && angle < 0) angle += 2 * Math.PI;
    while (turn < 0 && angle > 0) angle -= 2 * Math.PI;
    if (Math.abs(angle) <= Math.abs(turn))
      return Math.abs(Math.hypot(x - cx, y - cy) - Math.hypot(x0 - cx, y0 - cy));
    return Math.min(Math.hypot(x - x0, y - y0), Math.hypot(x - ops.xy[2 * op]!, y - ops.xy[2 * op + 1]!));
  }
  const [x0, y0, x1, y1] = [...ops.xy.subarray(2 * op - 2, 2 * op + 2)] as [number, number, number, number];
  const square = (x1 - x0) ** 2 + (y1 - y0) ** 2;
  const t =
    square === 0 ? 0 : Math.min(1, Math.max(0, ((x - x0) * (x1 - x0) + (y - y0) * (y1 - y0)) / square));
  return Math.hypot(x - x0 - t * (x1 - x0), y - y0 - t * (y1 - y0));
}

/** How many closed cuts a place lies in, by samples of each. */
function around(outlines: Sample[][], x: number, y: number): number {
  let count = 0;
  for (const points of outlines) {
    if (Math.hypot(points[0]!.x - points.at(-1)!.x, points[0]!.y - points.at(-1)!.y) > 1e-4) continue;
    let inside = false;
    for (let i = 1; i < points.length; i++) {
      const [a, b] = [points[i - 1]!, points[i]!];
      if (a.y > y !== b.y > y && a.x + ((y - a.y) / (b.y - a.y)) * (b.x - a.x) > x) inside = !inside;
    }
    count += Number(inside);
  }
  return count;
}

/** Checks every lead of a result, and returns how many there are. */
function inspect(given: Ops, options: LeadsOptions): number {
  const before = bytesOf(given);
  const { ops, origin, warnings } = addLeads(given, options);
  assert.is(bytesOf(given), before);
  const again = addLeads(given, options);
  assert.equal(again.ops, ops, "twice the same");
  const olds = cutsIn(given);
  const news = cutsIn(ops);
  assert.is(news.length, olds.length);
  const overcut = options.overcut ?? 0;
  const outlines = olds.map((old) => samplesOf(given, old, 0.2));
  let leads = 0;
  for (const [cut, { first, end }] of news.entries()) {
    const old = olds[cut]!;
    if (![0, 1].every((axis) => given.xy[2 * old.first + axis] === given.xy[2 * old.end - 2 + axis])) {
      assert.equal(rowsOf(ops).slice(first, end), rowsOf(given).slice(old.first, old.end), "open cuts stay");
      continue;
    }
    const codes = warnings.filter((warning) => warning.cut === cut).map(({ code }) => code);
    const omitted = (name: string): boolean =>
      warnings.some(
        (warning) => warning.cut === cut && warning.message.endsWith(`no room for a lead ${name}`),
      );
    assert.is(
      new Set(codes.filter((code) => code !== "omitted")).size,
      codes.filter((code) => code !== "omitted").length,
    );
    const from = options.in !== undefined && !omitted("in") ? first + 1 : undefined;
    const to = options.out !== undefined && !omitted("out") ? end - 1 : undefined;
    const size = codes.includes("shortened")
      ? Number(
          /leads of ([\d.]+) of/.exec(
            warnings.find((w) => w.cut === cut && w.code === "shortened")!.message,
          )![1],
        )
      : 1;
    // what is between the leads is the cut
    const body = { first: from ?? first, end: to ?? end };
    const length = samplesOf(given, olds[cut]!, 1).at(-1)!.at;
    near(samplesOf(ops, body, 1).at(-1)!.at, length + overcut, 0.01);
    for (let op = first + 1; op < end; op++)
      assert.ok(origin[op]! > olds[cut]!.first && origin[op]! < olds[cut]!.end);
    for (const [op, lead, isIn] of [
      [from, options.in, true],
      [to, options.out, false],
    ] as const) {
      if (op === undefined) continue;
      leads++;
      near(lengthOn(ops, op), lead!.length * size, 2e-3 * lead!.length);
      const trail = pointsOn(ops, op, 40);
      if (isIn) trail.reverse();
      const step = lengthOn(ops, op) / 40;
      for (const [i, [x, y]] of trail.entries()) {
        const { minX, minY, maxX, maxY } = options.bed ?? { minX: -1e9, minY: -1e9, maxX: 1e9, maxY: 1e9 };
        assert.ok(x > minX - 1e-3 && x < maxX + 1e-3 && y > minY - 1e-3 && y < maxY + 1e-3, "on the bed");
        for (const [other, old] of olds.entries())
          for (let move = old.first + 1; move < old.end; move++) {
            const off = distanceTo(given, move, x, y);
            if (other !== cut)
              assert.ok(
                off > (options.clearance ?? 0.1) - 2e-3,
                `cut ${cut} comes near cut ${other}: ${off}`,
              );
            else if (i * step > 0.5) assert.ok(off > 0.001, `cut ${cut} touches itself`);
          }
      }
      // from one place to the next the lead crosses none of its own moves
      const own = outlines[cut]!;
      for (let i = 2; i < trail.length; i++) {
        const [[ax, ay], [bx, by]] = [trail[i - 1]!, trail[i]!];
        for (let k = 1; k < own.length; k++) {
          const [p, q] = [own[k - 1]!, own[k]!];
          const side = (x: number, y: number): number => (bx - ax) * (y - ay) - (by - ay) * (x - ax);
          const face = (x: number, y: number): number => (q.x - p.x) * (y - p.y) - (q.y - p.y) * (x - p.x);
          const crosses = side(p.x, p.y) * side(q.x, q.y) < 0 && face(ax, ay) * face(bx, by) < 0;
          // lines that stand for arcs are off by some thousandths
          assert.ok(!crosses || i * step < 0.3, `cut ${cut} is crossed by its lead`);
        }
      }
      // samples of two arcs meet to a rounding only: ask beside such heights
      const [x, y] = [trail.at(-1)![0], trail.at(-1)![1] + 1.3e-3];
      if (options.side === undefined)
        assert.is(around(outlines, x, y) % 2, 0, `lead of cut ${cut} lies in the waste`);
    }
  }
  return leads;
}

/** Parts with holes, some of them with parts within, each cut its own way around. */
function parts(seed: number, gap: number, count: number): Ops {
  const next = random(seed);
  const moves: Move[] = [];
  const shape = (cx: number, cy: number, r: number): Move[] => {
    const kind = next() < 0.5 ? 2 : 3;
    if (next() < 0.4) return circle(cx, cy, r, kind);
    const n = 3 + Math.floor(6 * next());
    const at = 2 * Math.PI * next();
    const sense = kind === 3 ? 1 : -1;
    return ring(
      Array.from({ length: n }, (_, k): [number, number] => {
        const angle = at + (sense * 2 * Math.PI * k) / n;
        return [cx + r * Math.cos(angle), cy + r * Math.sin(angle)];
      }),
    );
  };
  for (let i = 0; i < count; i++) {
    const [x, y] = [(20 + gap) * (i % 5), (20 + gap) * Math.floor(i / 5)];
    moves.push(...shape(x, y, 10));
    if (next() < 0.7) moves.push(...shape(x, y, 4.5));
    if (next() < 0.4) moves.push(...shape(x, y, 1.8));
    if (next() < 0.3) moves.push(travel(x + 6, y - 2), line(x + 6, y + 2));
  }
  return opsOf(moves);
}

test("addLeads comes in on an arc and goes out on a line, outside of parts and inside of holes", () => {
  const ops = opsOf([...box(0, 0, 20, 20, { power: 0.8 }), ...circle(10, 10, 4, 2)]);
  const { ops: out, origin, warnings } = addLeads(ops, BOTH);
  const r = 6 / Math.PI;
  const round = (rows: number[][]): number[][] =>
    rows.map((row) => row.map((value) => Math.round(value * 1e3) / 1e3));
  assert.equal(
    round(rowsOf(out)),
    round([
      [0, -r, -r, 0],
      [2, 0, 0, 0.8],
      [1, 20, 0, 0.8],
      [1, 20, 20, 0.8],
      [1, 0, 20, 0.8],
      [1, 0, 0, 0.8],
      [1, -Math.SQRT2, -Math.SQRT2, 0.8],
      [0, 14 - r, 10 + r, 0],
      [2, 14, 10, 1],
      [2, 6, 10, 1],
      [2, 14, 10, 1],
      [1, 14 - Math.SQRT2, 10 - Math.SQRT2, 1],
    ]),
  );
  assert.equal([...out.centers.subarray(2, 4)], [0, Math.fround(-r)]);
  assert.equal([...origin], [0, 1, 1, 2, 3, 4, 4, 5, 6, 6, 7, 7]);
  assert.equal(warnings, []);
});

test("addLeads takes the side from the nesting, whichever way cuts run", () => {
  for (const ops of [
    parts(1, 8, 10),
    opsOf([...box(0, 0, 40, 40), ...box(5, 5, 35, 35), ...box(12, 12, 28, 28)]),
  ]) {
    const back = opsOf(reversed(ops));
    assert.ok(inspect(ops, { in: { length: 1 } }) > 0);
    assert.is(inspect(back, { in: { length: 1 } }), inspect(ops, { in: { length: 1 } }));
  }
  const square = opsOf(box(0, 0, 20, 20));
  const start = (options: LeadsOptions): number[] =>
    rowsOf(addLeads(square, options).ops)[0]!.slice(1, 3).map(Math.sign);
  assert.equal(start({ in: { length: 2 } }), [-1, -1]);
  assert.equal(start({ in: { length: 2, kind: "line" }, side: "outside" }), [-1, -1]);
  const inside = addLeads(square, { in: { length: 2, kind: "line" }, side: "inside" });
  assert.equal(rowsOf(inside.ops)[0]!.slice(1, 3).map(Math.sign), [1, 1]);
  assert.equal(
    inside.warnings.map(({ code }) => code),
    ["turned"],
    "at 45 degrees to the way out is along the way in",
  );
});

test("addLeads meets the cut in its own direction", () => {
  for (const kind of [2, 3] as const)
    for (const side of ["outside", "inside"] as const) {
      const lead = { length: 2, radius: 1.5 };
      const { ops } = addLeads(opsOf(circle(3, 4, 10, kind)), { in: lead, out: lead, side });
      const end = pointsOn(ops, 1, 1000).slice(-2) as [[number, number], [number, number]];
      const begin = pointsOn(ops, 2, 10_000).slice(0, 2) as [[number, number], [number, number]];
      const angle = ([[ax, ay], [bx, by]]: [[number, number], [number, number]]): number =>
        Math.atan2(by - ay, bx - ax);
      near(Math.cos(angle(end) - angle(begin)), 1, 1e-4);
      near(lengthOn(ops, 1), 2);
      near(Math.hypot(ops.xy[0]! - ops.centers[2]!, ops.xy[1]! - ops.centers[3]!), 1.5);
      assert.is(Math.hypot(ops.xy[0]! - 3, ops.xy[1]! - 4) > 10, side === "outside");
    }
});

test("addLeads runs past the start before it leaves", () => {
  const { ops, warnings } = addLeads(opsOf(box(0, 0, 10, 10)), {
    in: { length: 1 },
    out: { length: 1, kind: "line" },
    overcut: 12,
  });
  const half = Math.round(Math.SQRT1_2 * 1e5) / 1e5;
  assert.equal(rowsOf(ops).slice(-3), [
    [1, 10, 0, 1],
    [1, 10, 2, 1],
    [1, 10 + half, 2 + half, 1],
  ]);
  assert.equal(warnings, []);
  const capped = addLeads(opsOf(box(0, 0, 1, 1)), { out: { length: 1, kind: "line" }, overcut: 9 });
  near(sumOf(capped.ops), 9);
  assert.equal(capped.warnings, [
    { code: "capped", cut: 0, message: "Cut 0: an overcut of its 4 mm, not of 9 mm" },
  ]);
});

test("addLeads begins elsewhere, turns or shortens leads, and leaves them out where there is no room", () => {
  const codes = (moves: Move[], options: LeadsOptions): string[] =>
    addLeads(opsOf(moves), options).warnings.map(({ code }) => code);
  const square = box(0, 0, 20, 20);
  const wall = [travel(-1, -5), line(-1, 5)];
  assert.equal(codes([...square, ...wall], BOTH), ["moved"]);
  assert.equal(codes([...square, ...wall], { ...BOTH, move: false }), ["shortened"]);
  const close = [travel(-0.2, -5), line(-0.2, 5), line(30, -0.2), travel(5, -0.2), line(-0.2, -0.2)];
  assert.equal(codes([...square, ...close], { ...BOTH, move: false }), ["omitted", "omitted"]);
  assert.equal(
    codes([...box(0, 0, 9, 9), ...box(0.3, 0.3, 8.7, 8.7), ...box(0.6, 0.6, 8.4, 8.4)], {
      in: { length: 3 },
      cuts: [1],
    }),
    ["omitted"],
  );
  const one = addLeads(opsOf([...square, ...close]), { ...BOTH, move: false, cuts: [0] });
  assert.equal(rowsOf(one.ops).slice(0, 5), rowsOf(opsOf(square)));
  assert.is(one.warnings[0]!.message, "Cut 0: no room for a lead in");
  // one of both is better than none
  const half = addLeads(opsOf([...square, travel(-3, -0.5), line(30, -0.5)]), {
    in: { length: 3 },
    out: { length: 2, angleDeg: 20, kind: "line" },
    move: false,
  });
  assert.ok(half.warnings.length > 0);
});

test("addLeads stays on the bed", () => {
  const ops = opsOf([...box(0, 0, 20, 20), ...box(50, 0, 100, 50)]);
  const bed = { minX: 0, minY: 0, maxX: 100, maxY: 50 };
  assert.is(inspect(ops, { ...BOTH, bed }), 4);
  const { warnings } = addLeads(ops, { ...BOTH, bed });
  assert.equal(
    warnings.map(({ code, cut }) => [code, cut]),
    [
      ["moved", 0],
      ["moved", 1],
    ],
  );
  const full = addLeads(opsOf(box(0, 0, 100, 50)), { ...BOTH, bed });
  assert.equal(
    full.warnings.map(({ message }) => message),
    ["Cut 0: no room for a lead in", "Cut 0: no room for a lead out"],
  );
});

test("addLeads never crosses or touches a cut, on many jobs", () => {
  let leads = 0;
  for (let seed = 1; seed <= 4; seed++)
    for (const gap of [0.15, 0.6, 2]) {
      const ops = parts(10 * seed, gap, 8);
      leads += inspect(ops, { in: { length: 2.5 }, out: { length: 1.5, kind: "line" }, overcut: seed % 2 });
      leads += inspect(ops, {
        in: { length: 1, kind: "line", angleDeg: 90 },
        out: { length: 1, radius: 2 },
        clearance: 0.3,
      });
      const bed = { minX: -10.5, minY: -11, maxX: 70, maxY: 31 };
      leads += inspect(ops, { in: { length: 3, kind: "line", angleDeg: 30 }, bed });
    }
  assert.ok(leads > 250, `${leads} leads`);
});

test("addLeads finds the waste of cuts that cross themselves", () => {
  const eight = opsOf(
    ring([
      [0, 0],
      [20, 20],
      [20, 0],
      [0, 20],
    ]),
  );
  assert.is(inspect(eight, { in: { length: 2 } }), 1);
  assert.is(inspect(opsOf(reversed(eight)), { in: { length: 2 } }), 1);
});

test("addLeads takes slits, needles and cuts of one arc", () => {
  const slit = opsOf(
    ring([
      [0, 0],
      [10, 0],
      [10, 0.3],
      [0, 0.3],
    ]),
  );
  assert.is(inspect(slit, { in: { length: 2 }, side: "outside" }), 1);
  inspect(slit, { in: { length: 2 }, side: "inside" });
  const needle = opsOf(
    ring([
      [0, 0],
      [10, 0.2],
      [10, -0.2],
    ]),
  );
  assert.is(inspect(needle, BOTH), 2);
  const whole = opsOf([travel(5, 0), arc(2, 5, 0, [0, 0])]);
  assert.is(inspect(whole, BOTH), 2);
  const back = opsOf([travel(0, 0), line(10, 0), line(0, 0)]);
  addLeads(back, BOTH);
  const dot = opsOf([travel(0, 0), line(0, 0)]);
  assert.equal(rowsOf(addLeads(dot, BOTH).ops), rowsOf(dot));
  assert.is(addLeads(opsOf([]), BOTH).ops.kinds.length, 0);
});

test("addLeads keeps to closed cuts and to those that it is given", () => {
  const ops = opsOf([travel(0, 0), line(5, 0), ...box(10, 10, 20, 20), travel(3, 3), ...box(30, 10, 40, 20)]);
  assert.equal(
    [...addLeads(ops, { in: { length: 1 } }).origin],
    [0, 1, 2, 3, 3, 4, 5, 6, 7, 8, 9, 9, 10, 11, 12],
  );
  const { origin, warnings } = addLeads(ops, { in: { length: 1 }, cuts: [0, 3] });
  assert.equal([...origin], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9, 10, 11, 12]);
  assert.equal(warnings, [{ code: "open", cut: 0, message: "Cut 0: no leads, as it is open" }]);
});

test("addLeads goes with tabs before it, passes after it and heights", () => {
  const tabbed = addTabs(opsOf(box(0, 0, 20, 20, { z: -1 })), { count: 4, width: 1 }).ops;
  const { ops } = addLeads(tabbed, { ...BOTH, power: 0.3 });
  near(ops.power[1]!, 0.3);
  near(ops.power.at(-1)!, 0.3);
  near(
    sumOf(ops, (op) => Number(ops.power[op] === 0)),
    4,
  );
  assert.equal([ops.z![0], ops.z![1], ops.z!.at(-1)], [0, 0, -1]);
  const deep = passes(ops, { count: 3, zStep: -1 }).ops;
  near(sumOf(deep), 3 * 85);
  assert.ok(estimate(deep).seconds > 0);
});

test("addLeads does not begin on a tab", () => {
  const tabbed = addTabs(opsOf(circle(0, 0, 20)), {
    places: [0, 9.6, 115].map((at) => ({ cut: 0, at })),
    width: 2,
  }).ops;
  const { ops, warnings } = addLeads(tabbed, { in: { length: 2 } });
  assert.equal(
    warnings.map(({ message }) => message),
    // the nearest places, 1/13 of the way on and back, are 9.7 mm from the start
    ["Cut 0: begins 19.333 mm further on, where there is room for leads"],
  );
  assert.is(ops.power[2], 1);
  near(
    sumOf(ops, (op) => Number(ops.power[op] === 0)),
    6,
  );
});

test("addLeads refuses what breaks its contract", () => {
  const ops = opsOf(box(0, 0, 1, 1));
  const said = (options: unknown): string => messageOf(() => addLeads(ops, options as LeadsOptions));
  assert.is(
    said({}),
    "INVALID_ARGUMENT: Expected `options` to be an object with `in`, `out` or both, got a Object",
  );
  assert.is(
    said({ in: { length: 0 } }),
    "INVALID_ARGUMENT: Expected `in.length` to be a finite number >= 0.2 and <= 1000, got 0",
  );
  assert.is(
    said({ out: { length: 1, kind: "spiral" } }),
    'INVALID_ARGUMENT: Expected `out.kind` to be one of "line", "arc", got "spiral"',
  );
  assert.is(
    said({ in: { length: 1, angleDeg: 120 } }),
    "INVALID_ARGUMENT: Expected `in.angleDeg` to be a finite number >= 5 and <= 90, got 120",
  );
  assert.is(
    said({ in: 3 }),
    "INVALID_ARGUMENT: Expected `in` to be { length, kind, angleDeg, radius }, got 3",
  );
  assert.is(
    said({ in: { length: 1 }, side: "left" }),
    'INVALID_ARGUMENT: Expected `side` to be one of "waste", "outside", "inside", got "left"',
  );
  assert.is(
    said({ in: { length: 1 }, move: 1 }),
    "INVALID_ARGUMENT: Expected `move` to be true or false, got 1",
  );
});

test("addLeads leaves when it is canceled, and runs in a worker", async () => {
  const ops = opsOf(box(0, 0, 20, 20));
  assert.is(
    messageWhenCanceled(() => addLeads(ops, BOTH)),
    "CANCELED: The work was canceled",
  );
  const task = taskMgr.runProcess(addLeads, [ops, BOTH]);
  assert.equal(await task.promise, addLeads(ops, BOTH));
});

test.after(() => taskMgr.shutdown());
test.run();
