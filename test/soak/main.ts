// The soak: as many lines and faults as are asked for, at random from a seed, judged on what the controller executed.
import { loadavg } from "node:os";
import { parseArgs } from "node:util";
import { random as seeded } from "../oracle.ts";
import { blockedJobs } from "./blocked.ts";
import { below } from "./job.ts";
import { KINDS, type Kind, Station } from "./station.ts";
import { Table } from "./table.ts";

const { values } = parseArgs({
  options: {
    lines: { type: "string", default: "1000000" },
    faults: { type: "string", default: "2000" },
    seed: { type: "string", default: "1" },
    kind: { type: "string" },
    blocked: { type: "string", default: "40" },
    stations: { type: "string" },
    trace: { type: "boolean", default: false },
  },
});
const [lines, faults, stations] = [values.lines, values.faults, values.stations ?? Infinity].map(Number);
/** Jobs to one controller, each with its fault. */
const JOBS = 13;

const table = new Table();
const start = performance.now();
let seed = Number(values.seed);
let wrong = 0;
for (let count = 0; count < stations! && (table.lines < lines! || table.faults < faults!); count++, seed++) {
  const random = seeded(seed ^ 0x50a4);
  const station = new Station(seed, values.trace ? console.log : undefined);
  let kind: Kind = KINDS[0];
  try {
    for (let i = 0; i < JOBS; i++) {
      kind = (values.kind as Kind | undefined) ?? KINDS[(i + seed) % KINDS.length]!;
      table.add(await station.run(kind, 300 + below(random, 1400)));
    }
    await station.close();
  } catch (error) {
    wrong++;
    console.error(`seed ${seed}, ${kind}: ${(error as Error).message}`);
    if (!(error as Error).message.startsWith("job")) console.error(error);
    if (wrong === 20) break;
  }
  if (count % 20 === 19) console.error(`${table.lines} lines, ${table.faults} faults, ${wrong} wrong`);
}
const seconds = (performance.now() - start) / 1000;
console.log(String(table));
console.log(
  `\n${table.lines} lines executed, ${table.faults} faults, ${wrong} wrong, ${table.byHand} needed a hand; ${seconds.toFixed(0)} s, load ${loadavg()[0]!.toFixed(1)}`,
);
const blocked = await blockedJobs(Number(values.blocked), seed);
console.log(
  `main thread blocked over a pseudo-terminal: ${values.blocked} jobs, ${blocked.lines} lines, blocked ${blocked.blocks} times: all exact`,
);
process.exitCode = wrong === 0 ? 0 : 1;
