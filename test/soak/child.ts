import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";

/** A simulated controller in a process of its own, so that what this one does or suffers does not touch it. */
export class ChildSimulator {
  /** What to connect to. */
  readonly path: string;
  readonly process: ChildProcess;

  /** `flags` as of `kerfwork simulate`. Run from the folder of the repository. */
  static async start(flags: readonly string[] = []): Promise<ChildSimulator> {
    const child = spawn(process.execPath, ["dist/cli.js", "simulate", ...flags], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const lines = createInterface(child.stdout!);
    const [path] = (await Promise.race([
      once(lines, "line"),
      once(child, "exit").then(() => Promise.reject(new Error("the simulator ended at once"))),
    ])) as [string];
    return new ChildSimulator(path, child);
  }

  private constructor(path: string, child: ChildProcess) {
    this.path = path;
    this.process = child;
  }

  /** Ends it, in order; its log is complete then. */
  async close(): Promise<void> {
    if (this.process.exitCode !== null) return;
    const exited = once(this.process, "exit");
    this.process.kill("SIGINT");
    await exited;
  }
}
