import {
  accessSync,
  closeSync,
  constants,
  mkdirSync,
  openSync,
  realpathSync,
  rmSync,
  statSync,
} from "node:fs";
import { open, readFile, rename, rm, writeFile } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { KerfworkError } from "../index.ts";

/** Stands for standard input or output. */
export const STANDARD = "-";

/**
 * All bytes of a file, or of standard input for "-".
 * @throws FILE_NOT_READABLE
 */
export async function readInput(path: string, signal: AbortSignal): Promise<Uint8Array> {
  try {
    if (path !== STANDARD) return await readFile(path, { signal });
    const chunks: Uint8Array[] = [];
    const abort = (): void => void process.stdin.destroy(signal.reason);
    signal.addEventListener("abort", abort);
    try {
      for await (const chunk of process.stdin) chunks.push(chunk as Uint8Array);
    } finally {
      signal.removeEventListener("abort", abort);
    }
    return Buffer.concat(chunks);
  } catch (cause) {
    signal.throwIfAborted();
    throw new KerfworkError("FILE_NOT_READABLE", `Expected to read ${nameOf(path)}: ${reasonOf(cause)}`, {
      cause,
    });
  }
}

/** Where a result goes: a file, written whole or not at all, or standard output. */
export interface Output {
  readonly path: string;
  write(data: string | Uint8Array): Promise<void>;
}

/**
 * Finds out before the work whether a result can be put at `path`.
 *
 * @param options.makeFolders  make missing folders (default false)
 * @throws FILE_NOT_WRITABLE
 */
export function openOutput(path: string, options: { readonly makeFolders?: boolean } = {}): Output {
  if (path === STANDARD) return { path, write: writeStandard };
  try {
    const asked = resolve(path);
    if (options.makeFolders) mkdirSync(dirname(asked), { recursive: true });
    const there = statSync(asked, { throwIfNoEntry: false });
    if (there?.isDirectory()) throw new Error("it is a directory");
    if (there !== undefined) accessSync(asked, constants.W_OK);
    // a link stays a link: the file behind it is replaced. What is no file, such as /dev/null, is written in place
    const target = there === undefined ? asked : realpathSync(asked);
    const isPlain = there === undefined || there.isFile();
    if (isPlain) tryToCreate(partOf(target));
    return {
      path,
      write: (data) => guard(path, isPlain ? writeWhole(target, data) : writeFile(target, data)),
    };
  } catch (cause) {
    throw notWritable(path, cause);
  }
}

/** Rights alone do not tell: the file system may be read-only, or full, or none that holds files. */
function tryToCreate(path: string): void {
  closeSync(openSync(path, "wx"));
  rmSync(path);
}

/** Where a file is written before it gets its name. */
function partOf(target: string): string {
  return join(dirname(target), `.${basename(target)}.${process.pid}.part`);
}

/** Beside the target and renamed, so that nobody ever sees half a file. */
async function writeWhole(target: string, data: string | Uint8Array): Promise<void> {
  const part = partOf(target);
  try {
    const file = await open(part, "wx");
    try {
      await file.writeFile(data);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(part, target);
  } catch (error) {
    await rm(part, { force: true });
    throw error;
  }
}

function writeStandard(data: string | Uint8Array): Promise<void> {
  return guard(
    STANDARD,
    new Promise((done, fail) => process.stdout.write(data, (error) => (error ? fail(error) : done()))),
  );
}

async function guard(path: string, writing: Promise<void>): Promise<void> {
  try {
    await writing;
  } catch (cause) {
    throw notWritable(path, cause);
  }
}

function notWritable(path: string, cause: unknown): KerfworkError {
  return new KerfworkError(
    "FILE_NOT_WRITABLE",
    `Expected to write ${nameOf(path, "output")}: ${reasonOf(cause)}`,
    {
      cause,
    },
  );
}

function nameOf(path: string, stream = "input"): string {
  return path === STANDARD ? `standard ${stream}` : JSON.stringify(path);
}

/** The system's words without its code, call and path. */
function reasonOf(cause: unknown): string {
  const { message } = cause as Error;
  return /^[A-Z0-9_]+: (.*?)(, \w+(?: '.*')?)?$/.exec(message)?.[1] ?? message;
}
