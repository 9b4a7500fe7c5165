import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { defineKernel, type KerfworkError, TaskManager } from "kerfwork";
import { test } from "uvu";
import * as assert from "uvu/assert";

const root = resolve(".");
const project = mkdtempSync(join(tmpdir(), "kerfwork-kernel-"));
cpSync("examples/own-kernel", project, { recursive: true });
mkdirSync(join(project, "node_modules"));
symlinkSync(root, join(project, "node_modules/kerfwork"), "dir");
test.after(() => rmSync(project, { recursive: true, force: true }));

/** Compiles AssemblyScript as a user would; gives the module's URL. */
function compile(name: string, source: string | undefined, ...flags: string[]): URL {
  if (source !== undefined) writeFileSync(join(project, `assembly/${name}.ts`), source);
  const asc = join(root, "node_modules/assemblyscript/bin/asc.js");
  const args = [asc, `assembly/${name}.ts`, "-o", `build/${name}.wasm`, "-O3", ...flags];
  execFileSync(process.execPath, args, { cwd: project, stdio: ["ignore", "pipe", "pipe"] });
  return pathToFileURL(join(project, `build/${name}.wasm`));
}

const KERNELS = `
import { isCancelled, setMessage, setProgress, setTotal } from "kerfwork/assembly";
export const Uint8Array_ID = idof<Uint8Array>();
export const Float64Array_ID = idof<Float64Array>();
export function add(a: f64, b: f64): f64 { return a + b; }
export function both(a: bool, b: bool): bool { return a && b; }
export function greet(name: string): string { setMessage("Greeting " + name); return "Hello, " + name + " \\u00e4\\u{1F525}"; }
export function twice(values: Float64Array): Float64Array { return values.map((v: f64): f64 => v * 2); }
export function count(bytes: Uint8Array): i32 { let n = 0; for (let i = 0; i < bytes.length; i++) n += bytes[i]; return n; }
export function spin(rounds: f64): f64 { setTotal(rounds); for (let i = 0.0; i < rounds; i++) { setProgress(i); if (isCancelled()) return i; } return rounds; }
export function fail(): void { throw new Error("out of chalk"); }
export function trap(): void { unreachable(); }
export const notAFunction = 3;
`;
const module = compile("kernels", KERNELS, "--exportRuntime");
const manager = new TaskManager({ maxWorkers: 1 });
test.after(() => manager.shutdown());

const codeOf = async (run: () => Promise<unknown>): Promise<KerfworkError> => {
  try {
    await run();
  } catch (error) {
    return error as KerfworkError;
  }
  throw new Error("it did not fail");
};

test("defineKernel lowers and lifts numbers, booleans, strings and typed arrays", async () => {
  const add = defineKernel<(a: number, b: number) => number>({ module, export: "add" });
  assert.is(await manager.runProcess(add, [1.5, 2]).promise, 3.5);
  const both = defineKernel<(a: boolean, b: boolean) => boolean>({
    module,
    export: "both",
    returns: "boolean",
  });
  assert.is(await manager.runProcess(both, [true, false]).promise, false);
  const greet = defineKernel<(name: string) => string>({ module, export: "greet", returns: "string" });
  const task = manager.runProcess(greet, ["Ada"]);
  assert.is(await task.promise, "Hello, Ada ä🔥");
  assert.is(task.message, "Greeting Ada");
  const twice = defineKernel<(values: Float64Array) => Float64Array>({
    module,
    export: "twice",
    returns: "Float64Array",
  });
  const values = Float64Array.from({ length: 20_000 }, (_, i) => i);
  const doubled = await manager.runProcess(twice, [values]).promise;
  assert.is(doubled.length, 20_000);
  assert.is(doubled[19_999], 39_998);
  const count = defineKernel<(bytes: Uint8Array) => number>({ module, export: "count" });
  assert.is(await manager.runProcess(count, [Buffer.from([1, 2, 3])]).promise, 6);
});

test("defineKernel takes bytes and compiled modules too", async () => {
  const bytes = readFileSync(module);
  const add = { export: "add" } as const;
  type Add = (a: number, b: number) => number;
  assert.is(await manager.runProcess(defineKernel<Add>({ module: bytes, ...add }), [1, 2]).promise, 3);
  const compiled = new WebAssembly.Module(bytes);
  assert.is(await manager.runProcess(defineKernel<Add>({ module: compiled, ...add }), [1, 2]).promise, 3);
});

test("a kernel reports progress and leaves when canceled, and its thread lives on", async () => {
  const spin = defineKernel<(rounds: number) => number>({ module, export: "spin" });
  const task = manager.runProcess(spin, [1e12]);
  await new Promise<void>((resolve) => {
    task.changed.connect(({ progress }) => {
      if (progress > 0) resolve();
    });
    const alive = setInterval(() => {}, 1000);
    void task.ended.then(() => clearInterval(alive));
  });
  const { spawned } = manager.stats();
  task.cancel();
  assert.is((await codeOf(() => task.promise)).code, "CANCELED");
  await task.ended;
  assert.is(manager.stats().killed, 0);
  assert.is(manager.stats().spawned, spawned);
});

const WRONG: [string, () => unknown, string, RegExp][] = [
  [
    "throws",
    () => run("fail", []),
    "KERNEL_TRAP",
    /The kernel `fail` threw: out of chalk \(assembly\/kernels\.ts:\d+:\d+\)/,
  ],
  ["traps", () => run("trap", []), "KERNEL_TRAP", /The kernel `trap` trapped: unreachable/],
  [
    "is missing",
    () => run("nothing", []),
    "TARGET_NOT_FOUND",
    /to export a function `nothing`, got undefined/,
  ],
  [
    "gets an array without its class id",
    () => run("count", [Float32Array.of(1)]),
    "INVALID_ARGUMENT",
    /to export `Float32Array_ID = idof<Float32Array>\(\)`, as count: argument 1/,
  ],
  [
    "gets an object",
    () => run("add", [{}, 1]),
    "INVALID_ARGUMENT",
    /Expected add: argument 1 to be a number, boolean, string or typed array, got a Object/,
  ],
  [
    "has no module",
    () =>
      manager.runProcess(defineKernel({ module: "file:///nowhere.wasm", export: "x" }), [] as never).promise,
    "TARGET_NOT_FOUND",
    /module of kernel `x` at file:\/\/\/nowhere\.wasm: ENOENT/,
  ],
];
const run = (name: string, args: unknown[]): Promise<unknown> =>
  manager.runProcess(defineKernel<(...args: unknown[]) => number>({ module, export: name }), args).promise;
for (const [what, attempt, code, message] of WRONG)
  test(`a kernel that ${what} fails its task with ${code}`, async () => {
    const error = await codeOf(async () => attempt());
    assert.is(error.code, code);
    assert.match(error.message, message);
    assert.is(await run("add", [1, 2]), 3);
  });

test("a kernel without --exportRuntime takes numbers, and says what it lacks for more", async () => {
  const bare = compile(
    "bare",
    "export function add(a: i32, b: i32): i32 { return a + b; }\nexport function len(s: string): i32 { return s.length; }\n",
    "--runtime",
    "stub",
  );
  assert.is(
    await manager.runProcess(
      defineKernel<(a: number, b: number) => number>({ module: bare, export: "add" }),
      [1, 2],
    ).promise,
    3,
  );
  const error = await codeOf(
    () =>
      manager.runProcess(defineKernel<(s: string) => number>({ module: bare, export: "len" }), ["x"]).promise,
  );
  assert.match(error.message, /compiled with --exportRuntime/);
});

test("defineKernel: wrong definitions are refused at once", () => {
  assert.throws(
    () => defineKernel({ module: 3 as never, export: "x" }),
    /Expected `module` to be the URL, the bytes or the module of a kernel, got 3/,
  );
  assert.throws(
    () => defineKernel({ module, export: "" }),
    /Expected `export` to be the name of an exported function, got ""/,
  );
  assert.throws(
    () => defineKernel({ module, export: "x", returns: "Array" as never }),
    /Expected `returns` to be one of void, number/,
  );
});

test("examples/own-kernel builds and runs", () => {
  compile("smooth", undefined, "--exportRuntime");
  const output = execFileSync(process.execPath, ["run.js"], {
    cwd: project,
    encoding: "utf8",
    timeout: 60_000,
  });
  assert.match(output, /completed 100 %/);
  assert.match(output, /100000 values, the roughest step is now 0\.1\d+, was 0\.6\d+/);
});

test.run();
