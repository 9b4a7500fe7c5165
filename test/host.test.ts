// What a program that uses kerfwork is left with: run as processes of their own.
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { test } from "uvu";
import * as assert from "uvu/assert";

const script = fileURLToPath(new URL("../../test/fixtures/host.mjs", import.meta.url));

interface Facts {
  readonly uncaught: string[];
  readonly open?: string[];
  readonly threads?: number;
  readonly values?: number[];
  readonly status?: string;
  readonly statuses?: string[];
  readonly told?: number;
}

/** Runs the host; it has to end by itself. */
function host(act: string): Promise<Facts> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [script, act], { stdio: ["ignore", "pipe", "inherit"] });
    let output = "";
    const timer = setTimeout(() => {
      child.kill("SIGKILL");
      reject(new Error(`${act} did not end by itself`));
    }, 60_000);
    child.stdout.on("data", (chunk) => {
      output += chunk;
    });
    child.on("close", (code) => {
      clearTimeout(timer);
      if (code !== 0) reject(new Error(`${act} ended with ${code}: ${output}`));
      else resolve(JSON.parse(output));
    });
  });
}

test("importing starts nothing", async () => {
  assert.equal(await host("import"), { uncaught: [], open: [], threads: 0 });
});

test("an idle manager lets the process end", async () => {
  const { uncaught, values, threads } = await host("idle");
  assert.equal([uncaught, values], [[], [1, 2, 3, 4]]);
  assert.ok((threads as number) >= 3, "its workers were alive");
});

test("work that nobody waits for is done before the process ends", async () => {
  assert.equal(await host("forget"), { uncaught: [], status: "completed" });
});

test("after a shutdown with stuck workers no handle is open, and nothing was uncaught", async () => {
  const { uncaught, open, statuses } = await host("shutdown");
  assert.equal([uncaught, open], [[], []]);
  assert.equal(statuses?.slice(2, 4), ["canceled", "canceled"]);
  assert.ok(statuses?.every((status) => status !== "pending" && status !== "running"));
});

test("a process that waits for its host ends with it", async () => {
  const child = spawn(process.execPath, [script, "stuck"], { stdio: ["ignore", "pipe", "inherit"] });
  const pid = await new Promise<number>((resolve) => {
    child.stdout.once("data", (bytes) => resolve(Number(bytes)));
  });
  const alive = (): boolean => {
    try {
      return process.kill(pid, 0);
    } catch {
      return false;
    }
  };
  assert.ok(alive());
  child.kill("SIGKILL");
  for (let i = 0; alive(); i++) {
    assert.ok(i < 500, "it is left over");
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
});

test("failures that nobody observes are told to onError, not to the process", async () => {
  assert.equal(await host("unobserved"), { uncaught: [], told: 7 });
});

test.run();
