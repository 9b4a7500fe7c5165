import { type ChildProcess, spawn } from "node:child_process";
import type { Readable, Writable } from "node:stream";
import { KerfworkError } from "../errors.ts";

// `script` owns the pair: its stdin and stdout are the controller's end. The shell inside opens the other end, tells its
// path on fd 4 and then only waits for fd 3 to end, so that a closed or crashed parent leaves nothing running.
const INSIDE = "stty raw -echo; tty >&4; exec cat <&3 >/dev/null";
const START_MS = 5000;
const END_MS = 1000;

/** A pseudo-terminal without native modules: a serial port whose other end is this process. */
export class Pty {
  /** What a host opens. */
  readonly path: string;
  readonly #child: ChildProcess;
  readonly #exited: Promise<void>;

  /**
   * Starts one; `receive` gets what hosts write.
   * @throws SIMULATOR_FAILED when the `script` command is missing or opens no terminal
   */
  static async open(receive: (bytes: Uint8Array) => void): Promise<Pty> {
    const child = spawn("script", ["-qfc", INSIDE, "/dev/null"], {
      stdio: ["pipe", "pipe", "ignore", "pipe", "pipe"],
      // Ctrl-C at a terminal reaches a whole process group; the port has to outlive the stop of the machine
      detached: true,
      env: { ...process.env, SHELL: "/bin/sh" },
    });
    const exited = new Promise<void>((resolve) => {
      child.once("close", () => resolve());
      child.once("error", () => resolve());
    });
    // a pipe whose other end is gone is no news: the end of the child says it
    for (const stream of child.stdio) stream?.on("error", () => {});
    const path = await new Promise<string>((resolve, reject) => {
      let text = "";
      const fail = (why: string, cause?: Error) => {
        clearTimeout(timer);
        child.kill();
        const message = `Cannot open a pseudo-terminal for the simulated controller: ${why}`;
        reject(new KerfworkError("SIMULATOR_FAILED", message, cause === undefined ? {} : { cause }));
      };
      const timer = setTimeout(() => fail("`script` did not start one"), START_MS);
      child.once("error", (error) => fail("the `script` command (bsdutils, util-linux) cannot run", error));
      child.once("exit", () => fail("`script` ended at once"));
      (child.stdio[4] as Readable).on("data", (chunk) => {
        text += String(chunk);
        if (!text.includes("\n")) return;
        clearTimeout(timer);
        resolve(text.trim());
      });
    });
    child.stdout!.on("data", receive);
    return new Pty(path, child, exited);
  }

  private constructor(path: string, child: ChildProcess, exited: Promise<void>) {
    this.path = path;
    this.#child = child;
    this.#exited = exited;
  }

  /** Bytes to whoever has the port open. */
  write(bytes: Uint8Array): void {
    if (this.#child.stdin!.writable) this.#child.stdin!.write(bytes);
  }

  /** While paused, takes nothing from hosts: their bytes wait in the kernel. */
  pause(paused: boolean): void {
    if (paused) this.#child.stdout!.pause();
    else this.#child.stdout!.resume();
  }

  /** Ends it: an open host sees a hang-up. Settles when nothing is left running. */
  async close(): Promise<void> {
    (this.#child.stdio[3] as Writable).end();
    const timer = setTimeout(() => this.#child.kill("SIGKILL"), END_MS);
    await this.#exited;
    clearTimeout(timer);
  }
}
