import { readFileSync } from "node:fs";
import { type ASUtil, instantiateSync } from "@assemblyscript/loader";
import { describe, invalid, KerfworkError } from "../errors.ts";
import { canceled, type ExecutionContext } from "./context.ts";
import { kernelTarget, type TaskFunction, type WorkerFunction } from "./target.ts";

/** What a kernel's return value is lifted to; numbers and booleans are as they are. */
export type KernelResult =
  | "void"
  | "number"
  | "boolean"
  | "string"
  | "Int8Array"
  | "Uint8Array"
  | "Int16Array"
  | "Uint16Array"
  | "Int32Array"
  | "Uint32Array"
  | "Float32Array"
  | "Float64Array";

export interface KernelDefinition {
  /** The compiled AssemblyScript: its file's URL, its bytes, or the module itself. */
  readonly module: string | URL | Uint8Array | WebAssembly.Module;
  /** The exported function. */
  readonly export: string;
  /** What it returns (default "number"). */
  readonly returns?: KernelResult;
}

const RESULTS: readonly KernelResult[] = [
  "void",
  "number",
  "boolean",
  "string",
  "Int8Array",
  "Uint8Array",
  "Int16Array",
  "Uint16Array",
  "Int32Array",
  "Uint32Array",
  "Float32Array",
  "Float64Array",
];

/**
 * Makes a target of an AssemblyScript function of your own, compiled by your own asc with `--exportRuntime`.
 *
 * Numbers, booleans, strings and typed arrays can be arguments. For typed arrays the module exports their class ids,
 * such as `export const Float64Array_ID = idof<Float64Array>()`. The function reports and is canceled through what it
 * imports from "kerfwork/assembly": `setTotal`, `setProgress`, `setMessage`, `isCancelled`.
 *
 * @throws INVALID_ARGUMENT  a definition that names no module or no export
 * @example
 * const smooth = defineKernel<(values: Float64Array, width: number) => Float64Array>({
 *   module: new URL("./build/smooth.wasm", import.meta.url), export: "smooth", returns: "Float64Array" });
 * taskMgr.runProcess(smooth, [values, 5]);
 */
export function defineKernel<F extends (...args: never[]) => unknown>(
  definition: KernelDefinition,
): F extends (...args: infer A) => infer R ? WorkerFunction<A, R> : never {
  const { module, export: name, returns = "number" } = definition;
  const known =
    typeof module === "string" ||
    module instanceof URL ||
    module instanceof Uint8Array ||
    module instanceof WebAssembly.Module;
  if (!known) throw invalid("module", "the URL, the bytes or the module of a kernel", module);
  if (typeof name !== "string" || name === "")
    throw invalid("export", "the name of an exported function", name);
  if (!RESULTS.includes(returns)) throw invalid("returns", `one of ${RESULTS.join(", ")}`, returns);
  const source = module instanceof URL ? module.href : module;
  return kernelTarget({ type: "kernel", name, module: source, returns }) as never;
}

/** A definition as it crosses to the worker. */
export interface KernelRecord {
  readonly type: "kernel";
  readonly name: string;
  readonly module: string | Uint8Array | WebAssembly.Module;
  readonly returns: KernelResult;
}

type Exports = ASUtil & Record<string, unknown> & { readonly hasRuntime: boolean };

/** Compiled kernels of this thread, by their URL. */
const modules = new Map<string, WebAssembly.Module>();
/** Where the kernel that runs reports. */
let current: ExecutionContext | undefined;

/** In a worker: the function behind a definition. Each call has an instance of its own, so nothing leaks from run to run. */
export function kernelFunction(record: KernelRecord): TaskFunction<unknown[], unknown> {
  const { name, returns } = record;
  const exports = instantiate(record);
  const run = exports[name];
  if (typeof run !== "function")
    throw new KerfworkError(
      "TARGET_NOT_FOUND",
      `Expected the kernel's module to export a function \`${name}\`, got ${describe(run)}`,
    );
  return (context, ...args) => {
    current = context;
    const pinned: number[] = [];
    try {
      const value = run(...args.map((arg, i) => lower(exports, arg, `${name}: argument ${i + 1}`, pinned)));
      // the kernel left early: what it returned is garbage
      if (context.isCancelled()) throw canceled(context.signal.reason);
      return lift(exports, value as number, returns);
    } catch (error) {
      if (!(error instanceof WebAssembly.RuntimeError)) throw error;
      throw new KerfworkError("KERNEL_TRAP", `The kernel \`${name}\` trapped: ${error.message}`, {
        cause: error,
      });
    } finally {
      for (const pointer of pinned) exports.__unpin(pointer);
      current = undefined;
    }
  };
}

function instantiate({ module, name }: KernelRecord): Exports {
  let compiled: WebAssembly.Module | undefined = typeof module === "string" ? modules.get(module) : undefined;
  if (compiled === undefined) {
    try {
      const source = typeof module === "string" ? readFileSync(new URL(module)) : module;
      compiled =
        source instanceof WebAssembly.Module
          ? source
          : new WebAssembly.Module(source as Uint8Array<ArrayBuffer>);
    } catch (cause) {
      const where = typeof module === "string" ? ` at ${module}` : "";
      throw new KerfworkError(
        "TARGET_NOT_FOUND",
        `Expected the module of kernel \`${name}\`${where}: ${(cause as Error).message}`,
        { cause },
      );
    }
    if (typeof module === "string") modules.set(module, compiled);
  }
  let exports: Exports | undefined;
  const text = (pointer: number): string => (exports?.__getString ? exports.__getString(pointer) : "");
  const imports = {
    kerfwork: {
      setTotal: (total: number) => current?.setTotal(total),
      setProgress: (value: number) => current?.setProgress(value),
      setMessage: (pointer: number) => current?.setMessage(text(pointer)),
      isCancelled: () => (current?.isCancelled() ? 1 : 0),
    },
    env: {
      abort(message: number, file: number, line: number, column: number): never {
        throw new KerfworkError(
          "KERNEL_TRAP",
          `The kernel \`${name}\` threw: ${text(message)} (${text(file)}:${line}:${column})`,
        );
      },
      seed: () => Math.random(),
    },
  };
  try {
    const loaded = instantiateSync<Record<string, unknown>>(compiled, imports as never);
    // without a runtime the loader's own helpers are there, and throw
    exports = Object.assign(loaded.exports, {
      hasRuntime: "__new" in loaded.instance.exports,
    }) as unknown as Exports;
  } catch (cause) {
    throw new KerfworkError(
      "TARGET_NOT_FOUND",
      `Expected kernel \`${name}\` to import only from "kerfwork/assembly": ${(cause as Error).message}`,
      { cause },
    );
  }
  return exports;
}

function lower(exports: Exports, value: unknown, what: string, pinned: number[]): unknown {
  if (typeof value === "number" || typeof value === "bigint" || typeof value === "boolean") return value;
  let pointer: number;
  if (typeof value === "string") {
    needRuntime(exports);
    pointer = exports.__newString(value);
  } else if (ArrayBuffer.isView(value) && !(value instanceof DataView)) {
    needRuntime(exports);
    const type = value.constructor.name === "Buffer" ? "Uint8Array" : value.constructor.name;
    const id = exports[`${type}_ID`] as WebAssembly.Global | number | undefined;
    if (id === undefined)
      throw new KerfworkError(
        "INVALID_ARGUMENT",
        `Expected the kernel's module to export \`${type}_ID = idof<${type}>()\`, as ${what} is a ${type}`,
      );
    pointer = exports.__newArray(typeof id === "number" ? id : id.value, value as never);
  } else {
    throw new KerfworkError(
      "INVALID_ARGUMENT",
      `Expected ${what} to be a number, boolean, string or typed array, got ${describe(value)}`,
    );
  }
  pinned.push(exports.__pin(pointer));
  return pointer;
}

function needRuntime(exports: Exports): void {
  if (!exports.hasRuntime)
    throw new KerfworkError(
      "INVALID_ARGUMENT",
      "Expected the kernel's module to be compiled with --exportRuntime, as it takes strings or arrays",
    );
}

function lift(exports: Exports, value: number, returns: KernelResult): unknown {
  if (returns === "void") return undefined;
  if (returns === "number") return value;
  if (returns === "boolean") return value !== 0;
  if (returns === "string") return exports.__getString(value);
  return exports[`__get${returns}`]
    ? (exports[`__get${returns}`] as (pointer: number) => unknown)(value)
    : undefined;
}
