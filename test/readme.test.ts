import { execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { transformSync } from "esbuild";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { codeBlocks } from "./readme.ts";

const root = resolve(".");
const blocks = codeBlocks(readFileSync("README.md", "utf8"), "ts");
const folder = join(root, "build/readme");
rmSync(folder, { recursive: true, force: true });
mkdirSync(folder, { recursive: true });
blocks.forEach((code, i) => void writeFileSync(join(folder, `block-${i + 1}.ts`), `${code}\nexport {};\n`));

/** Runs a program of the README as a user would, beside the sample picture. */
function run(code: string, name: string): string {
  const project = mkdtempSync(join(tmpdir(), "kerfwork-readme-"));
  copyFileSync("samples/badge.png", join(project, "badge.png"));
  const script = join(folder, `${name}.mjs`);
  writeFileSync(script, transformSync(code, { loader: "ts", format: "esm", target: "node20" }).code);
  try {
    return execFileSync(process.execPath, [script], { cwd: project, encoding: "utf8", timeout: 120_000 });
  } finally {
    rmSync(project, { recursive: true, force: true });
  }
}

test("README: it has code to run", () => {
  assert.ok(blocks.length >= 5, `${blocks.length} blocks`);
});

blocks.forEach((code, i) => {
  const title = code.split("\n").find((line) => !/^import|^\s*$/.test(line)) ?? "";
  test(`README: block ${i + 1} runs as it stands: ${title.slice(0, 60)}`, () => {
    run(code, `block-${i + 1}`);
  });
});

test("README: every block passes the type checker", () => {
  writeFileSync(
    join(folder, "tsconfig.json"),
    JSON.stringify({
      extends: "../../tsconfig.json",
      compilerOptions: { noUnusedLocals: false },
      include: ["*.ts"],
      exclude: [],
    }),
  );
  execFileSync(process.execPath, [join(root, "node_modules/typescript/bin/tsc"), "-p", folder], {
    stdio: "pipe",
  });
});

test("README: a block that is wrong fails", () => {
  assert.throws(() => run('import { tracee } from "kerfwork";\ntracee();', "wrong"));
  assert.throws(() => run('throw new Error("no");', "wrong"));
});

test("README: the commands it names exist", () => {
  const { scripts } = JSON.parse(readFileSync("package.json", "utf8"));
  const text = readFileSync("README.md", "utf8");
  for (const [, name] of text.matchAll(/npm (?:run )?(start|test|bench|check|dev|size|build)\b/g))
    assert.ok(scripts[name as string], `npm run ${name}`);
  assert.match(text, /npm ci && npm start/);
  assert.match(text, /npm ci && npm test/);
});

test.run();
