// Runs the benches: each bench/*.bench.ts is bundled and run as a process of its own, so that its cold figures are cold.
//   node bench/run.mjs [name ...] [--json]   only the files whose names contain one of the words; JSON instead of tables
// Ends with code 1 when a result was wrong, a bar was missed or a bench did not end well.
import { execFileSync, spawn } from "node:child_process";
import { mkdirSync, readdirSync, rmSync } from "node:fs";
import { cpus, loadavg } from "node:os";
import { dirname } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { bundle } from "../test/bundle.mjs";

const LIMIT_MS = 400_000; // a bench that runs longer hangs
process.chdir(dirname(dirname(fileURLToPath(import.meta.url))));

const json = process.argv.includes("--json");
const words = process.argv.slice(2).filter((word) => !word.startsWith("--"));
const unknown = process.argv.slice(2).filter((word) => word.startsWith("--") && word !== "--json");
const all = readdirSync("bench").filter((name) => name.endsWith(".bench.ts"));
const names = all.filter((name) => words.length === 0 || words.some((word) => name.includes(word)));
if (unknown.length > 0 || names.length === 0) {
  const known = all.map((name) => name.replace(".bench.ts", "")).join(", ");
  console.error(`Expected names among ${known}, and --json, got ${process.argv.slice(2).join(" ")}`);
  process.exit(2);
}

const out = "build/bench";
rmSync(out, { recursive: true, force: true });
mkdirSync(out, { recursive: true });
// what bench/kernels.bench.ts compares the fit with
if (names.includes("kernels.bench.ts"))
  execFileSync(process.execPath, ["bench/twin.mjs", `${out}/twin.mjs`], { stdio: "inherit" });
await bundle(
  // solo.ts is what tracers run in, one at a time
  [...names, "solo.ts"].map((name) => `bench/${name}`),
  out,
);

/** What stands above rows of one kind; of figures, their names. */
const HEADS = {
  figures: (row) => columns(["", ...Object.keys(row.figures)]),
  bar: () => columns(["", "unit", "value", "bar"]),
  compare: () => columns(["", "ns per", "Wasm", "+-", "cold", "JavaScript", "+-", "cold", "ratio", "bar"]),
  measure: () => columns(["", "unit", "n", "median", "p99", "max", "bar"]),
};

const FORMATS = {
  figures: (row) =>
    columns([row.name, ...Object.values(row.figures).map((v) => (v === null ? "" : figure(v)))]),
  bar: (row) =>
    columns([
      row.name,
      row.unit,
      row.value === null ? "not taken" : figure(row.value),
      verdict(
        row,
        row.bar.atMost === undefined ? `>= ${figure(row.bar.atLeast)}` : `<= ${figure(row.bar.atMost)}`,
      ),
    ]),
  compare: (row) =>
    columns([
      row.name,
      row.unit,
      ...[row.kernel, row.reference].flatMap((times) =>
        times === null ? ["", "", ""] : [times.median, times.spread, times.cold].map(figure),
      ),
      row.ratio === null ? "" : `${row.ratio.toFixed(2)}x`,
      verdict(row, `>= ${row.bar}x`),
    ]),
  measure: (row) =>
    columns([
      row.name,
      row.unit,
      String(row.count),
      ...[row.median, row.p99, row.max].map(figure),
      verdict(
        row,
        row.bar?.atMost ? `${row.bar.of} <= ${row.bar.atMost}` : `${row.bar?.of} >= ${row.bar?.atLeast}`,
      ),
    ]),
};

const header = {
  date: new Date().toISOString().slice(0, 16).replace("T", " "),
  commit: commit(),
  cpu: `${cpus()[0]?.model.trim()}, ${cpus().length} threads`,
  node: `${process.version}, V8 ${process.versions.v8}`,
  load: loadavg()[0].toFixed(2),
  command: ["npm run bench", ...(words.length > 0 || json ? ["--", ...process.argv.slice(2)] : [])].join(" "),
};
if (!json) for (const [key, value] of Object.entries(header)) console.log(`${key.padEnd(8)} ${value}`);

const results = [];
let failures = 0;
for (const name of names) {
  if (!json) console.log(`\n${name.replace(".bench.ts", "")}`);
  const { rows, why } = await run(name);
  results.push({ bench: name.replace(".bench.ts", ""), rows, ...(why ? { why } : {}) });
  const missed = rows.filter((row) => !row.passed);
  failures += missed.length + (why ? 1 : 0);
  if (why) console.error(`FAIL ${name}: ${why}`);
}
if (json) console.log(JSON.stringify({ ...header, results }, null, 2));
else {
  const bars = results.flatMap(({ rows }) => rows.filter((row) => row.bar !== null && row.value !== null));
  console.log(`\n${bars.filter((row) => row.passed).length} bars held, ${failures} missed or failed`);
}
process.exitCode = failures === 0 ? 0 : 1;

/** Runs one bench; prints its rows as they come. */
function run(name) {
  return new Promise((resolve) => {
    const child = spawn(
      process.execPath,
      ["--enable-source-maps", `${out}/${name.replace(/\.ts$/, ".mjs")}`],
      { stdio: ["ignore", "pipe", "inherit"] },
    );
    const rows = [];
    let why = "";
    const timer = setTimeout(() => {
      why = `did not end within ${LIMIT_MS / 1000} s`;
      child.kill("SIGKILL");
    }, LIMIT_MS);
    createInterface(child.stdout).on("line", (line) => {
      const row = JSON.parse(line);
      if (!json) {
        const head = HEADS[row.kind](row);
        if (rows.length === 0 || HEADS[rows.at(-1).kind](rows.at(-1)) !== head) console.log(head);
        console.log(FORMATS[row.kind](row));
      }
      rows.push(row);
    });
    child.on("close", (code) => {
      clearTimeout(timer);
      if (!why && code !== 0) why = `ended with code ${code}`;
      if (!why && rows.length === 0) why = "measured nothing";
      resolve({ rows, why });
    });
  });
}

/** Four digits, whatever the size: 0.0383, 1.250, 24.70, 129400. */
function figure(value) {
  if (value === 0) return "0";
  const digits = Math.max(0, Math.min(4, 3 - Math.floor(Math.log10(Math.abs(value)))));
  return value.toFixed(digits);
}

function columns(cells) {
  const [name, ...rest] = cells;
  return `  ${name.padEnd(34)}${rest.map((cell) => cell.padStart(13)).join("")}`;
}

function verdict(row, text) {
  return row.bar === null ? "" : `${row.passed ? "" : " MISSED "}${text}`;
}

/** The commit that is measured; "+" when files differ from it. */
function commit() {
  try {
    const git = (...args) => execFileSync("git", args, { encoding: "utf8", stdio: "pipe" }).trim();
    return `${git("rev-parse", "--short", "HEAD")}${git("status", "--porcelain") ? "+" : ""}`;
  } catch {
    return "unknown";
  }
}
