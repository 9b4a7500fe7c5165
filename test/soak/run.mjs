// Bundles the soak and runs it, with the arguments given.
import { spawnSync } from "node:child_process";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import * as esbuild from "esbuild";

process.chdir(dirname(dirname(dirname(fileURLToPath(import.meta.url)))));
const out = "build/soak/main.mjs";
await esbuild.build({
  entryPoints: ["test/soak/main.ts"],
  outfile: out,
  bundle: true,
  platform: "node",
  target: "node20",
  format: "esm",
  packages: "external",
  sourcemap: "inline",
  logLevel: "warning",
});
const { status } = spawnSync(process.execPath, ["--enable-source-maps", out, ...process.argv.slice(2)], {
  stdio: "inherit",
});
process.exitCode = status ?? 1;
