// The rules of the house, as functions over files: the house test runs them over the repository, and over small
// broken houses to show that each rule bites.

export type Files = ReadonlyMap<string, string>;

/** Which rooms a room may import from, besides itself. */
const ROOMS: Record<string, readonly string[]> = {
  errors: [],
  tasker: ["errors"],
  engine: ["errors", "tasker/target"],
  files: ["errors", "tasker/target", "engine"],
  job: ["errors", "tasker", "engine", "files"],
  machine: ["errors", "tasker", "engine"],
  cli: ["errors", "tasker", "engine", "files", "job", "machine", "index"],
  index: ["errors", "tasker", "engine", "files", "job", "machine"],
};

/** Rooms from which another may take types only. */
const TYPES_ONLY: Record<string, readonly string[]> = { machine: ["tasker", "engine"] };

/** Files without imports of their own, which such a room may run nevertheless. */
const LEAVES = ["tasker/signal"];

/** Outside packages, and the only files that may import them. */
const OUTSIDE: Record<string, RegExp> = {
  workerpool: /^src\/tasker\/(thread|child|worker)\.ts$/,
  "@assemblyscript/loader": /^src\/(engine\/memory|tasker\/kernel)\.ts$/,
  serialport: /^src\/machine\/transport\.ts$/,
  "@jsquash/jpeg": /^src\/files\//,
};

const DRAWERS = /(^|\/)(utils?|helpers?|common|types|misc|shared)(\.ts$|\/)/;
const MAX_LINES = 400;

interface Import {
  readonly from: string;
  readonly typeOnly: boolean;
}

/** The import and re-export lines of a source text; a dynamic import counts. */
export function importsOf(text: string): Import[] {
  const found: Import[] = [];
  const statement = /^\s*(?:import|export)\s+(type\s+)?([^;]*?)\s*from\s+"([^"]+)"/gm;
  for (const [, type, names, from] of text.matchAll(statement)) {
    const list = /^\{([^}]*)\}$/s.exec((names as string).trim())?.[1];
    const allTypes =
      list
        ?.split(",")
        .map((name) => name.trim())
        .filter(Boolean)
        .every((name) => name.startsWith("type ")) ?? false;
    found.push({ from: from as string, typeOnly: type !== undefined || allTypes });
  }
  for (const [, from] of text.matchAll(/\bimport\(\s*"([^"]+)"\s*\)/g))
    found.push({ from: from as string, typeOnly: false });
  for (const [, from] of text.matchAll(/^\s*import\s+"([^"]+)"/gm))
    found.push({ from: from as string, typeOnly: false });
  return found;
}

/** `src/tasker/pool.ts` + `../errors.ts` -> `errors`. */
function resolve(file: string, from: string): string {
  const parts = file.split("/").slice(0, -1);
  for (const step of from.split("/")) {
    if (step === "..") parts.pop();
    else if (step !== ".") parts.push(step);
  }
  return parts
    .join("/")
    .replace(/^src\//, "")
    .replace(/\.ts$/, "");
}

/** Each broken import edge of `src/`, as one line. */
export function edges(files: Files): string[] {
  const broken: string[] = [];
  for (const [file, text] of files) {
    if (!file.startsWith("src/")) continue;
    const room = file.split("/")[1]?.replace(/\.ts$/, "") as string;
    const allowed = ROOMS[room];
    if (allowed === undefined) {
      broken.push(`${file}: no room of the house is called ${room}`);
      continue;
    }
    for (const { from, typeOnly } of importsOf(text)) {
      if (!from.startsWith(".")) {
        const name = from.startsWith("@")
          ? from.split("/").slice(0, 2).join("/")
          : (from.split("/")[0] as string);
        if (name.startsWith("node:")) continue;
        const places = OUTSIDE[name];
        if (places === undefined) broken.push(`${file} imports ${name}, which has no place in the house`);
        else if (!places.test(file))
          broken.push(`${file} imports ${name}, which belongs to ${places.source}`);
        else if (name === "serialport" && new RegExp(`from\\s+"${name}"`).test(text) && !typeOnly)
          broken.push(`${file} imports serialport at once; it has to be a lazy import()`);
        continue;
      }
      const target = resolve(file, from);
      const other = target.split("/")[0] as string;
      if (other === room) continue;
      const fits = allowed.some(
        (place) => target === place || target.startsWith(`${place}/`) || place === other,
      );
      if (!fits)
        broken.push(`${file} imports ${target}: ${room} may import ${allowed.join(", ") || "nothing"}`);
      else if (TYPES_ONLY[room]?.includes(other) && !typeOnly && !LEAVES.includes(target))
        broken.push(`${file} imports ${target}: ${room} takes only types from ${other}`);
    }
  }
  return broken;
}

/** Kernels import the control block, or a file that starts with an underscore, or what they call in their inner work. */
export function kernelEdges(files: Files): string[] {
  const broken: string[] = [];
  for (const [file, text] of files) {
    if (!/^assembly\/.*\.ts$/.test(file)) continue;
    for (const { from } of importsOf(text))
      if (!/^\.\/(control|_\w+)$/.test(from))
        broken.push(`${file} imports ${from}: kernels import ./control or ./_part`);
  }
  return broken;
}

/** Exports that two entry files of the Wasm module share: the compiler keeps the first and says nothing. */
export function doubledKernels(files: Files): string[] {
  const seen = new Map<string, string>();
  const broken: string[] = [];
  for (const [file, text] of files) {
    if (!/^assembly\/(?!index\.)[^_/]*\.ts$/.test(file)) continue;
    for (const [, name] of text.matchAll(/^export\s+(?:function|const|let)\s+(\w+)/gm)) {
      const first = seen.get(name as string);
      if (first === undefined) seen.set(name as string, file);
      else broken.push(`${first} and ${file} both export ${name}`);
    }
  }
  return broken;
}

/** Kernels hold no state and own no heap. */
export function statefulKernels(files: Files): string[] {
  const broken: string[] = [];
  for (const [file, text] of files) {
    if (!/^assembly\/.*\.ts$/.test(file)) continue;
    const code = text.replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, "");
    if (/^(export\s+)?(let|var)\s/m.test(code)) broken.push(`${file} has a mutable global`);
    if (/\bnew\s+[A-Z]/.test(code)) broken.push(`${file} makes an object`);
    if (/\bheap\.alloc\b/.test(code)) broken.push(`${file} allocates`);
    if (/^\s*throw\b/m.test(code)) broken.push(`${file} throws`);
  }
  return broken;
}

/** Files that ask to be split, and drawers. */
export function shapes(files: Files): string[] {
  const broken: string[] = [];
  for (const [file, text] of files) {
    if (!/^(src|assembly|bench|web)\/.*\.ts$/.test(file) || file === "src/engine/kernels.ts") continue;
    const lines = text.split("\n").length - 1;
    if (lines > MAX_LINES) broken.push(`${file} has ${lines} lines: split it at ${MAX_LINES}`);
    if (DRAWERS.test(file)) broken.push(`${file} is a drawer: name it after its noun`);
    if (/^export\s+default\b/m.test(text)) broken.push(`${file} has a default export`);
    if (/^\s*(export\s+)?(const\s+)?enum\s/m.test(text)) broken.push(`${file} has an enum`);
  }
  return broken;
}

/** Test files that would pass without running anything, or leave something out. */
export function idleTests(files: Files): string[] {
  const broken: string[] = [];
  for (const [file, text] of files) {
    if (!/^test\/.*\.test\.ts$/.test(file)) continue;
    if (!/^\w+\.run\(\);$/m.test(text)) broken.push(`${file} never calls test.run()`);
    if (/\btest\.(skip|only)\(/.test(text)) broken.push(`${file} skips or singles out a test`);
  }
  return broken;
}

/** Traps of the tools that were met before. */
export function traps(files: Files): string[] {
  const broken: string[] = [];
  for (const [file, text] of files) {
    if (!/^(src|bench|test)\/.*\.ts$|\.mjs$/.test(file) || file.startsWith("test/house")) continue;
    // workerpool takes a URL for its options, and then runs its default worker
    if (/\bpool\(\s*new URL\(/.test(text))
      broken.push(`${file} gives a URL to workerpool.pool: use fileURLToPath`);
  }
  return broken;
}
