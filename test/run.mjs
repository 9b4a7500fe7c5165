// Runs the tests: each test/*.test.ts is bundled and run as a program of its own, so that a crash, an open handle or a
// forgotten `test.run()` shows. Ends with one line, "N passed, N failed".
//   node test/run.mjs [name ...]   only the files whose names contain one of the words
import { spawn } from "node:child_process";
import { mkdirSync, readdirSync, rmSync } from "node:fs";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { bundle } from "./bundle.mjs";

const LIMIT_MS = 300_000; // a file that runs longer hangs
process.chdir(dirname(dirname(fileURLToPath(import.meta.url))));

const words = process.argv.slice(2);
const names = readdirSync("test")
  .filter((name) => name.endsWith(".test.ts"))
  .filter((name) => words.length === 0 || words.some((word) => name.includes(word)));

const out = "build/test";
rmSync(out, { recursive: true, force: true });
mkdirSync(out, { recursive: true });
await bundle(
  names.map((name) => `test/${name}`),
  out,
);

/** Runs one file; resolves with what uvu counted, and one failure more when the file did not end well. */
function run(name) {
  return new Promise((resolve) => {
    const child = spawn(
      process.execPath,
      ["--enable-source-maps", `${out}/${name.replace(/\.ts$/, ".mjs")}`],
      {
        stdio: ["ignore", "pipe", "pipe"],
      },
    );
    let output = "";
    let why = "";
    const timer = setTimeout(() => {
      why = `did not end within ${LIMIT_MS / 1000} s`;
      child.kill("SIGKILL");
    }, LIMIT_MS);
    child.stdout.on("data", (chunk) => (output += chunk));
    child.stderr.on("data", (chunk) => (output += chunk));
    child.on("close", (code) => {
      clearTimeout(timer);
      // biome-ignore lint/suspicious/noControlCharactersInRegex: uvu colours its summary
      const plain = output.replace(/\x1b\[[0-9;]*m/g, "");
      const count = (label) => Number(plain.match(new RegExp(`${label}:\\s+(\\d+)`))?.[1] ?? 0);
      const total = count("Total");
      const passed = count("Passed");
      const skipped = count("Skipped");
      let failed = total - passed - skipped;
      if (!why && total === 0) why = "ran no test: is `test.run()` missing?";
      if (!why && skipped > 0) why = `skips ${skipped}: a test runs or goes`;
      if (!why && code !== 0 && failed === 0) why = `ended with code ${code} after its tests`;
      if (why) failed++;
      const verdict = failed === 0 ? "ok  " : "FAIL";
      console.log(
        `${verdict} ${name.padEnd(28)} ${passed} passed, ${failed} failed${why ? ` (${why})` : ""}`,
      );
      if (failed > 0) console.log(plain);
      resolve({ passed, failed });
    });
  });
}

let passed = 0;
let failed = 0;
for (const name of names) {
  const result = await run(name);
  passed += result.passed;
  failed += result.failed;
}
if (names.length === 0) failed++;
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
