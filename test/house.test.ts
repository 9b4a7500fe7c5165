import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, statSync } from "node:fs";
import { test } from "uvu";
import * as assert from "uvu/assert";
import {
  doubledKernels,
  edges,
  type Files,
  idleTests,
  importsOf,
  kernelEdges,
  shapes,
  statefulKernels,
  traps,
} from "./house.ts";

/** As `npm run size` has it. */
const WASM_BUDGET = Number(
  /WASM_BUDGET = ([\d_]+)/.exec(readFileSync("build.mjs", "utf8"))?.[1]?.replaceAll("_", ""),
);

/** What git would keep, as the working tree has it. */
const house: Files = new Map(
  execFileSync("git", ["ls-files", "--cached", "--others", "--exclude-standard"], { encoding: "utf8" })
    .split("\n")
    .filter((name) => /\.(ts|mjs|md|json)$/.test(name) && existsSync(name))
    .map((name) => [name, readFileSync(name, "utf8")]),
);
const broken = (...entries: [string, string][]): Files => new Map(entries);

/** Each rule: its name, what it says of this repository, and a house that breaks it. */
const RULES: [string, (files: Files) => string[], Files, RegExp][] = [
  [
    "rooms import only from the rooms below them",
    edges,
    broken(["src/tasker/pool.ts", 'import { trace } from "../engine/trace.ts";\n']),
    /src\/tasker\/pool\.ts imports engine\/trace: tasker may import errors/,
  ],
  [
    "the engine takes from the tasker what names a target, and nothing else",
    edges,
    broken(["src/engine/trace.ts", 'import { TaskManager } from "../tasker/manager.ts";\n']),
    /engine may import errors, tasker\/target/,
  ],
  [
    "the machine takes only types from the engine",
    edges,
    broken(["src/machine/link.ts", 'import { encode, type Program } from "../engine/gcode.ts";\n']),
    /machine takes only types from engine/,
  ],
  [
    "nobody but the command imports the index",
    edges,
    broken(["src/job/plan.ts", 'export { trace } from "../index.ts";\n']),
    /src\/job\/plan\.ts imports index/,
  ],
  [
    "outside packages have one place each",
    edges,
    broken(["src/engine/image.ts", 'import decode from "@jsquash/jpeg";\n']),
    /src\/engine\/image\.ts imports @jsquash\/jpeg/,
  ],
  [
    "no package comes in unnamed",
    edges,
    broken(["src/files/svg.ts", 'import x from "left-pad";\n']),
    /imports left-pad, which has no place in the house/,
  ],
  [
    "serialport is loaded when a port is opened, not before",
    edges,
    broken(["src/machine/transport.ts", 'import { SerialPort } from "serialport";\n']),
    /has to be a lazy import\(\)/,
  ],
  [
    "kernels import the control block only",
    kernelEdges,
    broken(["assembly/fit.ts", 'import { link } from "./contour";\n']),
    /assembly\/fit\.ts imports \.\/contour/,
  ],
  [
    "kernel names are unique over all files",
    doubledKernels,
    broken(
      ["assembly/a.ts", "export function fill(n: i32): i32 { return n; }\n"],
      ["assembly/b.ts", "export function fill(n: i32): i32 { return n; }\n"],
    ),
    /assembly\/a\.ts and assembly\/b\.ts both export fill/,
  ],
  [
    "kernels keep no state",
    statefulKernels,
    broken(["assembly/a.ts", "let top: usize = 0;\n"]),
    /assembly\/a\.ts has a mutable global/,
  ],
  [
    "kernels make no objects",
    statefulKernels,
    broken(["assembly/a.ts", "export function f(): void { const a = new Array<i32>(3); }\n"]),
    /assembly\/a\.ts makes an object/,
  ],
  [
    "files stay short",
    shapes,
    broken(["src/engine/trace.ts", "// line\n".repeat(401)]),
    /src\/engine\/trace\.ts has 401 lines/,
  ],
  ["there are no drawers", shapes, broken(["src/engine/utils.ts", ""]), /src\/engine\/utils\.ts is a drawer/],
  ["there are no default exports", shapes, broken(["src/a.ts", "export default 3;\n"]), /default export/],
  [
    "test files run their tests",
    idleTests,
    broken(["test/a.test.ts", 'import { test } from "uvu";\ntest("a", () => {});\n']),
    /test\/a\.test\.ts never calls test\.run\(\)/,
  ],
  [
    "no test is skipped",
    idleTests,
    broken(["test/a.test.ts", `test.${"skip"}("a", () => {});\ntest.run();\n`]),
    /skips or singles out/,
  ],
  [
    "workerpool gets a path, not a URL",
    traps,
    broken(["src/tasker/pool.ts", 'workerpool.pool(new URL("./worker.js", import.meta.url));\n']),
    /use fileURLToPath/,
  ],
];

for (const [name, rule, house2, message] of RULES)
  test(`house: ${name}`, () => {
    assert.equal(rule(house), []);
    const found = rule(house2);
    assert.is(found.length, 1, `the rule bites: ${found.join("; ")}`);
    assert.match(found[0] as string, message);
  });

test("house: it is not empty", () => {
  assert.ok(house.size > 20);
  assert.ok(house.has("src/tasker/pool.ts"));
});

test("importsOf sees every way to import", () => {
  const text = [
    'import a from "./a.ts";',
    'import type { B } from "./b.ts";',
    'import { type C, type D } from "./c.ts";',
    'import { type E, f } from "./e.ts";',
    'import {\n  g,\n  h,\n} from "./g.ts";',
    'export * from "./i.ts";',
    'import "./j.ts";',
    'const k = await import("./k.ts");',
  ].join("\n");
  const types = importsOf(text).map(({ from, typeOnly }) => `${from}${typeOnly ? " type" : ""}`);
  assert.equal(types.sort(), [
    "./a.ts",
    "./b.ts type",
    "./c.ts type",
    "./e.ts",
    "./g.ts",
    "./i.ts",
    "./j.ts",
    "./k.ts",
  ]);
});

test("the kernels fit their budget", () => {
  const { size } = statSync("dist/kernels.wasm");
  assert.ok(size <= WASM_BUDGET, `${size} bytes, at most ${WASM_BUDGET}`);
});

test("what is built runs on Node 20: no Uint8Array.fromBase64", () => {
  const built = ["dist/esm/worker.js", "dist/esm/index.js", "dist/cjs/index.js", "dist/cli.js"];
  for (const path of built) assert.not.match(readFileSync(path, "utf8"), /Uint8Array\.fromBase64/);
});

test("the repository names no place of a machine", () => {
  const places = /(^|[^\w.])\/(home|root|Users)\/\w/;
  for (const [file, text] of house) {
    if (file.startsWith("test/house") || file === "package-lock.json") continue;
    assert.not.match(text, places, file);
  }
});

test.run();
