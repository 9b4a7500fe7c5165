// Runs the built command as a program of its own, in a folder of its own, with a small picture in it.
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { encode as encodePng } from "fast-png";
import * as assert from "uvu/assert";

export const folder = mkdtempSync(join(tmpdir(), "kerfwork-cli-"));
export const at = (name: string): string => join(folder, name);
const MARKER = `KERFWORK_TEST_${process.pid}`;

/** Two nested squares and a bar, 60 x 40 px. */
export const picture = encodePng({
  width: 60,
  height: 40,
  channels: 1,
  depth: 8,
  data: Uint8Array.from({ length: 60 * 40 }, (_, i) => {
    const [x, y] = [i % 60, Math.floor(i / 60)];
    const inside = (low: number, high: number) => x >= low && x < high && y >= low && y < high;
    const bar = x >= 45 && x < 55 && y >= 5 && y < 35;
    return (inside(5, 35) && !inside(10, 30)) || inside(15, 25) || bar ? 0 : 255;
  }),
});
writeFileSync(at("in.png"), picture);

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Running {
  readonly child: ChildProcessWithoutNullStreams;
  readonly ended: Promise<Ended>;
  /** Resolves with the first line of output that passes. */
  line(passes: (line: string) => boolean): Promise<string>;
}

/** Starts the built command as a program of its own, in a process group of its own. */
export function start(args: string[], input?: Uint8Array): Running {
  const child = spawn(process.execPath, ["dist/cli.js", ...args], {
    env: { ...process.env, [MARKER]: "1" },
    detached: true,
  });
  let stdout = "";
  let stderr = "";
  let look = (): void => {};
  child.stdout.on("data", (chunk) => {
    stdout += chunk;
    look();
  });
  child.stderr.on("data", (chunk) => (stderr += chunk));
  child.stdin.on("error", () => {}); // a command that fails early does not read its input
  child.stdin.end(input);
  const ended = new Promise<Ended>((resolve) =>
    child.on("close", (code) => resolve({ code, stdout, stderr })),
  );
  return {
    child,
    ended,
    line: (passes) =>
      new Promise((resolve, reject) => {
        look = () => {
          const found = stdout.split("\n").slice(0, -1).find(passes);
          if (found !== undefined) resolve(found);
        };
        look();
        void ended.then((all) => reject(new Error(`ended before: ${JSON.stringify(all)}`)));
      }),
  };
}

export const run = (args: string[], input?: Uint8Array): Promise<Ended> => start(args, input).ended;

/** Processes that the command started and that outlive it for more than the moment that the system takes to reap them. */
export async function leftovers(): Promise<string[]> {
  const deadline = performance.now() + 2000;
  while (true) {
    const found = marked();
    if (found.length === 0 || performance.now() > deadline) return found;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** Processes that inherited the marker. */
function marked(): string[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/environ`, "latin1").includes(MARKER);
      } catch {
        return false; // ended meanwhile
      }
    })
    .map((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, "latin1").replaceAll("\0", " ").trim();
      } catch {
        return "";
      }
    })
    .filter(Boolean); // a zombie has no command line
}

/** Fails with `code` and one line on standard error that begins with `message`; leaves no process and no file. */
export async function fails(args: string[], code: number, message: string): Promise<void> {
  const before = readdirSync(folder);
  const ended = await run(args);
  const label = args.join(" ");
  assert.is(ended.code, code, `${label}: ${ended.stderr}`);
  const lines = ended.stderr.split("\n").filter((line) => line.startsWith("kerfwork: "));
  assert.is(lines.length, 1, `${label}: ${ended.stderr}`);
  assert.ok(lines[0].startsWith(`kerfwork: ${message}`), `${label}: ${lines[0]}`);
  assert.not.match(ended.stderr, /\n\s+at /);
  assert.is(ended.stdout, "", label);
  assert.equal(readdirSync(folder), before, label);
  assert.equal(await leftovers(), [], label);
}

export const events = (text: string): Record<string, unknown>[] =>
  text
    .split("\n")
    .filter(Boolean)
    .map((line) => JSON.parse(line));

/** For the end of a test file. */
export const cleanUp = (): void => rmSync(folder, { recursive: true, force: true });
