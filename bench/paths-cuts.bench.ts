// What the work on cuts costs for a job of 100,000 of them: circles of two arcs, and polygons of 4 to 19 sides, side by side.
// Times are of the processor, as other programs may run beside it. Each result is first held to the lengths that it has to
// have, burnt and dark.

import { cutsOf } from "../src/engine/cuts.ts";
import { addLeads, addTabs, type Ops, overcut, overscan, passes, perforate } from "../src/engine/index.ts";
import { newOps } from "../src/engine/ops.ts";
import { measure, seeded } from "./harness.ts";

const SIDE = 316;
const RADIUS = 4;
const REPEATS = 5;

/** Cuts in rows and columns, some room from one to the next. */
function job(side: number, room: number): Ops {
  const next = seeded(1);
  const sides = Array.from({ length: side * side }, (_, i) =>
    i % 3 === 0 ? 2 : 4 + Math.floor(16 * next()),
  );
  const ops = newOps(sides.reduce((sum, n) => sum + n + 1, 0));
  let at = 0;
  for (const [i, n] of sides.entries()) {
    const x = (2 * RADIUS + room) * (i % side);
    const y = (2 * RADIUS + room) * Math.floor(i / side);
    for (let k = 0; k <= n; k++) {
      const angle = (2 * Math.PI * (k % n)) / n;
      ops.kinds[at] = k === 0 ? 0 : n === 2 ? 3 : 1;
      ops.xy.set([x + RADIUS * Math.cos(angle), y + RADIUS * Math.sin(angle)], 2 * at);
      if (ops.kinds[at] === 3) ops.centers.set([x, y], 2 * at);
      ops.power[at] = k === 0 ? 0 : 1;
      ops.speed[at++] = 1200;
    }
  }
  return ops;
}

/** Length of all cuts, and what of it is burnt. */
function lengthsOf(ops: Ops): { all: number; burnt: number } {
  const { way } = cutsOf(ops);
  let [all, burnt] = [0, 0];
  for (let op = 1; op < way.length; op++) {
    if (ops.kinds[op] === 0) continue;
    all += way[op]! - way[op - 1]!;
    burnt += (way[op]! - way[op - 1]!) * ops.power[op]!;
  }
  return { all, burnt };
}

const loose = job(SIDE, 4);
const tight = job(SIDE, 0.3);
const cuts = SIDE * SIDE;
const { all } = lengthsOf(loose);

/** Name, work, and (NaN where nobody knows) by how many mm the result is longer and burns more, for each cut. */
const works: [string, () => { ops: Ops }, number, number][] = [
  ["addTabs, 4 a cut", () => addTabs(loose, { count: 4, width: 0.5 }), 0, -2],
  ["overcut", () => overcut(loose, { length: 1 }), 1, 1],
  ["perforate, 1.5 mm", () => perforate(loose, { cut: 1, gap: 0.5 }), 0, -all / cuts / 3],
  ["passes, 2", () => passes(loose, { count: 2, repeat: "cut" }), all / cuts, all / cuts],
  ["overscan, none straight", () => overscan(loose), 0, 0],
  [
    "addLeads, in and out",
    () => addLeads(loose, { in: { length: 2 }, out: { length: 1, kind: "line" } }),
    3,
    3,
  ],
  [
    "addLeads, no room",
    () => addLeads(tight, { in: { length: 2 }, out: { length: 1, kind: "line" }, side: "outside" }),
    NaN,
    NaN,
  ],
];
for (const [name, run, longer, more] of works) {
  const after = lengthsOf(run().ops);
  const off = Math.max(Math.abs(after.all - all - longer * cuts), Math.abs(after.burnt - all - more * cuts));
  if (off > 1e-4 * after.all) throw new Error(`${name}: lengths are off by ${off} mm of ${after.all} mm`);
  const seconds: number[] = [];
  for (let i = 0; i < REPEATS; i++) {
    const start = process.cpuUsage();
    run();
    const { user, system } = process.cpuUsage(start);
    seconds.push((user + system) / cuts);
  }
  measure(`${name}, ${cuts} cuts, ${loose.kinds.length} moves`, "us a cut", seconds);
}
