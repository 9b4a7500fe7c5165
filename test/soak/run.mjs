// Bundles the soak and runs it, with the arguments given.
import { spawnSync } from "node:child_process";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { bundle } from "../bundle.mjs";

process.chdir(dirname(dirname(dirname(fileURLToPath(import.meta.url)))));
await bundle(["test/soak/main.ts"], "build/soak");
const { status } = spawnSync(
  process.execPath,
  ["--enable-source-maps", "build/soak/main.mjs", ...process.argv.slice(2)],
  {
    stdio: "inherit",
  },
);
process.exitCode = status ?? 1;
