import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const require = createRequire(new URL("../../bench/package.json", import.meta.url));

/** A package of `bench/package.json`, or undefined, said aloud, where `npm ci --prefix bench` was not run. */
export async function peer(name: string): Promise<unknown> {
  let path: string;
  try {
    path = require.resolve(name);
  } catch {
    console.error(`${name} is not installed: npm ci --prefix bench`);
    return undefined;
  }
  return import(pathToFileURL(path).href);
}
