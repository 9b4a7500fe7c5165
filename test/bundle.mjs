import * as esbuild from "esbuild";

/**
 * Bundles programs that import the repository's own sources, each into one `.mjs` of `outdir`; packages stay outside.
 *
 * @param {readonly string[]} entryPoints
 * @param {string} outdir
 */
export async function bundle(entryPoints, outdir) {
  await esbuild.build({
    entryPoints: [...entryPoints],
    outdir,
    outExtension: { ".js": ".mjs" },
    bundle: true,
    platform: "node",
    target: "node20",
    format: "esm",
    packages: "external",
    sourcemap: "inline",
    logLevel: "warning",
  });
}
