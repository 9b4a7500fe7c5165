import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect } from "kerfwork";
import { random as seeded } from "../oracle.ts";
import { ChildSimulator } from "./child.ts";
import { below, makeJob } from "./job.ts";

/**
 * Jobs over a real pseudo-terminal, while this thread is blocked again and again, 50 to 300 ms each time. Gives how many
 * lines the controller executed and how often it was blocked; throws when that is not each job exactly.
 */
export async function blockedJobs(jobs: number, seed: number): Promise<{ lines: number; blocks: number }> {
  const folder = mkdtempSync(join(tmpdir(), "kerfwork-soak-"));
  const log = join(folder, "log.jsonl");
  const random = seeded(seed);
  const simulator = await ChildSimulator.start(["--log", log]);
  const expected: string[] = [];
  let blocks = 0;
  try {
    const machine = await connect(simulator.path);
    await machine.command("$120=3000");
    await machine.command("$121=3000");
    for (let i = 0; i < jobs; i++) {
      const { lines } = makeJob(random, i, 150 + below(random, 300));
      for (const line of lines) {
        // before a write to EEPROM the planner is emptied
        if (line.startsWith("G10")) expected.push("G4P0");
        expected.push(line);
      }
      expected.push("G4P0");
      let over = false;
      const run = machine.run(`${lines.join("\n")}\n`).finally(() => {
        over = true;
      });
      while (!over) {
        await Promise.race([run, new Promise((resolve) => setTimeout(resolve, random() * 400))]);
        if (over) break;
        block(50 + random() * 250);
        blocks++;
      }
      await run;
    }
    await machine.close();
  } finally {
    await simulator.close();
  }
  const records = readFileSync(log, "utf8")
    .split("\n")
    .filter(Boolean)
    .map((line) => JSON.parse(line) as { log: string; text: string });
  rmSync(folder, { recursive: true });
  const ran = records
    .filter(({ log, text }) => log === "lines" && !/^[$)]/.test(text))
    .map(({ text }) => text);
  const first = ran.findIndex((line, i) => line !== expected[i]);
  if (first !== -1 || ran.length !== expected.length)
    throw new Error(`line ${first} of ${ran.length}: executed ${ran[first]}, expected ${expected[first]}`);
  const lost = records.filter(({ log }) => log === "lost").length;
  if (lost > 0) throw new Error(`${lost} bytes were lost`);
  return { lines: ran.length, blocks };
}

/** Keeps this thread from everything else. */
function block(ms: number): void {
  const end = performance.now() + ms;
  while (performance.now() < end);
}
