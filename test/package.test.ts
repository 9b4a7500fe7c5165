import { execFileSync } from "node:child_process";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { transformSync } from "esbuild";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { codeBlocks } from "./readme.ts";

interface Packed {
  readonly filename: string;
  readonly files: readonly { readonly path: string }[];
}

const root = resolve(".");
const project = mkdtempSync(join(tmpdir(), "kerfwork-package-"));
test.after(() => rmSync(project, { recursive: true, force: true }));

const run = (command: string, args: string[]): string =>
  execFileSync(command, args, {
    cwd: project,
    encoding: "utf8",
    timeout: 120_000,
    stdio: ["ignore", "pipe", "pipe"],
  });

// what `npm install kerfwork.tgz` lays down, with the dependencies that it names taken from here
const [packed] = JSON.parse(
  execFileSync("npm", ["pack", "--json", "--ignore-scripts", "--pack-destination", project], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
  }),
) as [Packed];
const installed = join(project, "node_modules/kerfwork");
mkdirSync(installed, { recursive: true });
run("tar", ["-xzf", packed.filename, "-C", installed, "--strip-components=1"]);
const manifest = JSON.parse(readFileSync(join(installed, "package.json"), "utf8"));
for (const name of Object.keys(manifest.dependencies)) {
  const link = join(project, "node_modules", name);
  mkdirSync(dirname(link), { recursive: true });
  symlinkSync(join(root, "node_modules", name), link, "dir");
}
copyFileSync("samples/badge.png", join(project, "badge.png"));
const example = codeBlocks(readFileSync("README.md", "utf8"), "ts")[0] as string;

test("the package holds what is needed and no more", () => {
  const paths = packed.files.map(({ path }) => path);
  for (const path of ["package.json", "README.md", "LICENSE", "CHANGELOG.md"])
    assert.ok(paths.includes(path), path);
  const rest = paths.filter((path) => !/^(package\.json|README\.md|LICENSE|CHANGELOG\.md)$/.test(path));
  assert.ok(rest.includes("assembly/index.ts"));
  for (const path of rest.filter((path) => path !== "assembly/index.ts"))
    assert.match(path, /^dist\/(kernels\.wasm|cli\.js|(esm|cjs)\/[\w./-]+\.(js|d\.ts|json))$/);
  assert.ok(rest.some((path) => path === "dist/esm/worker.js"));
});

test("every target of `exports` and `bin` is there", () => {
  const targets: string[] = [];
  const collect = (value: unknown): void => {
    if (typeof value === "string") targets.push(value);
    else for (const item of Object.values(value as object)) collect(item);
  };
  collect([manifest.exports, manifest.bin, manifest.main, manifest.types]);
  assert.ok(targets.length > 10);
  for (const target of targets) assert.ok(existsSync(join(installed, target)), target);
});

test("nothing of it runs when it is installed", () => {
  for (const name of ["preinstall", "install", "postinstall", "prepare"])
    assert.is(manifest.scripts[name], undefined);
});

test("the README's first example runs from the package as an ES module", () => {
  writeFileSync(join(project, "example.mjs"), transformSync(example, { loader: "ts" }).code);
  run(process.execPath, ["example.mjs"]);
  assert.ok(statSync(join(project, "badge.svg")).size > 1000);
  rmSync(join(project, "badge.svg"));
});

test("the README's first example runs from the package as CommonJS", () => {
  const code = transformSync(example, { loader: "ts" }).code;
  const body = code.replace(
    /^import \{([^}]*)\} from ("[^"]+");$/gm,
    (_line, names: string, from: string) => `const {${names.replace(/ as /g, ": ")}} = require(${from});`,
  );
  writeFileSync(join(project, "example.cjs"), `(async () => {\n${body}\n})();`);
  run(process.execPath, ["example.cjs"]);
  assert.ok(statSync(join(project, "badge.svg")).size > 1000);
});

test("ESM and CJS share the default manager and know each other's errors", () => {
  writeFileSync(
    join(project, "both.cjs"),
    `(async () => {
      const cjs = require("kerfwork");
      const esm = await import("kerfwork");
      const alone = await import("kerfwork/tasker");
      const assert = require("node:assert");
      assert.strictEqual(cjs.taskMgr, esm.taskMgr);
      assert.strictEqual(alone.taskMgr, esm.taskMgr);
      assert.notStrictEqual(cjs.KerfworkError, esm.KerfworkError);
      assert.ok(new cjs.KerfworkError("CANCELED", "x") instanceof esm.KerfworkError);
    })();`,
  );
  run(process.execPath, ["both.cjs"]);
});

test("the types serve both module systems", () => {
  const source =
    'import { type Curves, taskMgr, trace, type Image } from "kerfwork";\nimport { TaskManager } from "kerfwork/tasker";\nimport { connect } from "kerfwork/machine";\nexport const f = async (image: Image): Promise<Curves> => taskMgr.runProcess(trace, [image]).promise;\nexport const all: [typeof TaskManager, typeof connect] = [TaskManager, connect];\n';
  writeFileSync(join(project, "types.mts"), source);
  writeFileSync(join(project, "types.cts"), source);
  symlinkSync(join(root, "node_modules/@types"), join(project, "node_modules/@types"), "dir");
  const compilerOptions = {
    module: "node16",
    target: "es2022",
    strict: true,
    noEmit: true,
    lib: ["es2022", "esnext.disposable", "dom"],
    types: ["node"],
  };
  writeFileSync(
    join(project, "tsconfig.json"),
    JSON.stringify({ compilerOptions, files: ["types.mts", "types.cts"] }),
  );
  run(process.execPath, [join(root, "node_modules/typescript/bin/tsc"), "-p", "."]);
});

test("the command starts from the package", () => {
  assert.is(
    run(process.execPath, [join(installed, "dist/cli.js"), "--version"])
      .trim()
      .split("\n")
      .at(-1)
      ?.includes(manifest.version),
    true,
  );
});

test("importing starts nothing and the process ends by itself", () => {
  writeFileSync(
    join(project, "import.mjs"),
    'import "kerfwork"; import { getActiveResourcesInfo } from "node:process";\nif (getActiveResourcesInfo().some((name) => /Worker|Timeout|Message/.test(name))) throw new Error(getActiveResourcesInfo().join());\n',
  );
  run(process.execPath, ["import.mjs"]);
});

test.run();
