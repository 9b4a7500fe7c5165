// Makes JavaScript of the kernels for which nobody would write a second one by hand: the same source, compiled by asc and
// turned into JavaScript by binaryen's wasm2js. Not tuned, but the same work to the letter.
//   node bench/twin.mjs OUT.mjs   writes a module whose `makeTwin(buffer)` gives the kernels over that memory
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";

const ENTRIES = ["assembly/fit.ts", "assembly/nest.ts", "assembly/control.ts"];

const out = process.argv[2];
const wasm = out.replace(/\.mjs$/, ".wasm");
mkdirSync(dirname(out), { recursive: true });

const { default: asc } = await import("assemblyscript/asc");
const { error, stderr } = await asc.main([
  ...ENTRIES,
  ...["-o", wasm, "-O3", "--runtime", "stub", "--noAssert", "--memoryBase", "4096", "--importMemory"],
  ...["--initialMemory", "2", "--maximumMemory", "16384", "--enable", "threads", "--disable", "simd"],
]);
if (error) throw new Error(`asc failed: ${error.message}\n${stderr}`);
execFileSync(process.execPath, ["node_modules/binaryen/bin/wasm2js", wasm, "-all", "-O", "-o", out]);

const text = readFileSync(out, "utf8");
const end = text.indexOf("var memasmFunc");
if (end < 0 || text.includes("initActiveSegments"))
  throw new Error("wasm2js wrote another form than is known here");
// the module's imports are handed to it by `makeTwin`
writeFileSync(
  out,
  `${text.slice(0, end).replace(/^import .*$/gm, "")}
export function makeTwin(buffer) {
  bufferView = new Uint8Array(buffer);
  return asmFunc({ env: { memory: { buffer }, step: 64 } });
}
`,
);
