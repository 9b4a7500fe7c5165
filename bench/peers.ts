import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";

const require = createRequire(new URL("../../bench/package.json", import.meta.url));

/** A package of `bench/package.json`, or undefined, said aloud, where `npm install --prefix bench` was not run. */
export async function peer(name: string): Promise<unknown> {
  const path = find(name);
  return path === undefined ? undefined : import(pathToFileURL(path).href);
}

/** The path of a file of such a package. */
export function peerFile(name: string, file: string): string | undefined {
  const manifest = find(`${name}/package.json`);
  const path = manifest === undefined ? "" : join(dirname(manifest), file);
  return existsSync(path) ? path : undefined;
}

function find(name: string): string | undefined {
  try {
    return require.resolve(name);
  } catch {
    console.error(`${name} is not installed: npm install --prefix bench`);
    return undefined;
  }
}
