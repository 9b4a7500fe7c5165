/** Every failure of the library, one line each. Test `error.code`; messages may be reworded. */
export const ERROR_CODES = {
  // the caller
  INVALID_ARGUMENT: "an argument or option breaks its contract",
  INVALID_STATE: "the call does not fit the object's present state",
  CANCELED: "the work was canceled; `cause` is the reason given",
  TIMEOUT: "the work ran longer than its `timeoutMs`",
  // tasks and their threads
  MANAGER_CLOSED: "the task manager was shut down",
  ARGUMENT_NOT_CLONEABLE: "an argument cannot be sent to a thread",
  RESULT_NOT_CLONEABLE: "a result cannot be sent back from a thread",
  TARGET_NOT_FOUND: "a target cannot be found, or is not a function",
  WORKER_INIT: "a worker thread could not start",
  WORKER_CRASHED: "a worker thread ended while it ran the task",
  POOL_RESTARTED: "the pool was restarted while the task ran",
  QUEUE_FULL: "more tasks wait than `maxQueued` allows",
  KEY_BUSY: "a task of that key is active and was not to be replaced",
  TARGET_REFUSED: "the target ended its worker too many times in a row",
  // kernels
  OUT_OF_MEMORY: "the work needs more kernel memory than its cap",
  KERNEL_TRAP: "a kernel trapped: a defect of kerfwork",
  // files
  UNSUPPORTED_IMAGE: "the bytes are not an image that can be decoded here",
  BROKEN_IMAGE: "the image is truncated, empty or damaged",
  BROKEN_DRAWING: "the drawing is not well-formed, or no drawing",
  FILE_NOT_READABLE: "a file cannot be read",
  FILE_NOT_WRITABLE: "a file cannot be written",
  // the machine
  PORT_NOT_FOUND: "no such serial port",
  PORT_BUSY: "another program holds the serial port",
  PORT_DENIED: "the serial port may not be opened by this user",
  PORT_NOT_SERIAL: "the path is not a serial port",
  PORT_LOST: "the serial port vanished or failed while open",
  MACHINE_SILENT: "the controller does not answer",
  MACHINE_ERROR: "the controller refused a line",
  MACHINE_ALARM: "the controller is in alarm",
  MACHINE_RESET: "the controller restarted by itself",
  MACHINE_DESYNC: "the controller's answers do not match the lines sent",
  SIMULATOR_FAILED: "the simulated controller could not start",
} as const;

export type ErrorCode = keyof typeof ERROR_CODES;

export interface ErrorOptions {
  /** The error underneath, or the reason of a cancellation. */
  readonly cause?: unknown;
  /** What is known, as plain data: the machine's last lines, the offending index, ... */
  readonly data?: Readonly<Record<string, unknown>>;
}

/** An error as plain data, as it crosses a thread. */
export interface ErrorRecord {
  readonly kerfwork: boolean;
  readonly name: string;
  readonly message: string;
  readonly code?: unknown;
  readonly stack?: string | undefined;
  readonly data?: unknown;
  readonly cause?: ErrorRecord | { readonly value: unknown };
}

const BRAND = Symbol.for("kerfwork.error");

/**
 * The one error class of kerfwork. Messages name the parameter, the contract and the value:
 * ``Expected `tolerance` to be a finite number > 0, got -1``.
 */
export class KerfworkError extends Error {
  override readonly name = "KerfworkError";
  readonly code: ErrorCode;
  readonly data: Readonly<Record<string, unknown>> | undefined;

  constructor(code: ErrorCode, message: string, options: ErrorOptions = {}) {
    super(message, "cause" in options ? { cause: options.cause } : undefined);
    this.code = code;
    this.data = options.data;
    Object.defineProperty(this, BRAND, { value: true });
  }

  /** True for errors of any copy of kerfwork in the process (ESM, CJS, several bundles). */
  static override [Symbol.hasInstance](value: unknown): boolean {
    return typeof value === "object" && value !== null && BRAND in value;
  }
}

/** ``Expected `name` to be contract, got value``, as an INVALID_ARGUMENT. */
export function invalid(name: string, contract: string, value: unknown): KerfworkError {
  return new KerfworkError(
    "INVALID_ARGUMENT",
    `Expected \`${name}\` to be ${contract}, got ${describe(value)}`,
  );
}

/** A short text of any value, for messages. */
export function describe(value: unknown): string {
  if (typeof value === "string")
    return JSON.stringify(value.length > 60 ? `${value.slice(0, 57)}...` : value);
  if (typeof value === "function") return `a function${value.name ? ` ${value.name}` : ""}`;
  if (typeof value === "bigint") return `${value}n`;
  if (typeof value !== "object" || value === null) return String(value);
  if (Array.isArray(value)) return `an array of ${value.length}`;
  if (ArrayBuffer.isView(value)) return `a ${value.constructor.name} of ${value.byteLength} bytes`;
  return `a ${value.constructor?.name ?? "null-prototype object"}`;
}

/** Checks a number against a range; both ends are allowed unless `above` is given. */
export function checkNumber(
  name: string,
  value: unknown,
  { min = -Infinity, max = Infinity, above, integer = false }: NumberContract = {},
): number {
  const low = above === undefined ? min : above;
  const fits =
    typeof value === "number" &&
    Number.isFinite(value) &&
    (above === undefined ? value >= min : value > above) &&
    value <= max &&
    (!integer || Number.isInteger(value));
  if (fits) return value;
  const kind = integer ? "an integer" : "a finite number";
  const bounds = [
    low === -Infinity ? "" : `${above === undefined ? ">=" : ">"} ${low}`,
    max === Infinity ? "" : `<= ${max}`,
  ].filter(Boolean);
  throw invalid(name, [kind, bounds.join(" and ")].filter(Boolean).join(" "), value);
}

export interface NumberContract {
  readonly min?: number;
  readonly max?: number;
  /** Exclusive lower bound, instead of `min`. */
  readonly above?: number;
  readonly integer?: boolean;
}

export function checkFlag(name: string, value: unknown): boolean {
  if (typeof value !== "boolean") throw invalid(name, "true or false", value);
  return value;
}

/** Checks a value against a list of words. */
export function checkOneOf<T extends string>(name: string, value: unknown, words: readonly T[]): T {
  if (words.includes(value as T)) return value as T;
  throw invalid(name, `one of ${words.map((word) => JSON.stringify(word)).join(", ")}`, value);
}

/** Checks an options argument: an object without names that the call does not know. */
export function checkOptions(options: unknown, names: readonly string[]): void {
  if (typeof options !== "object" || options === null) throw invalid("options", "an object", options);
  for (const name of Object.keys(options))
    if (!names.includes(name))
      throw invalid("options", `an object with no other names than ${names.join(", ")}`, name);
}

/** Turns anything thrown into plain data that structured clone carries whole. */
export function recordError(error: unknown, depth = 4): ErrorRecord {
  if (!(error instanceof Error)) {
    return {
      kerfwork: false,
      name: "Error",
      message: `Thrown value: ${describe(error)}`,
      cause: { value: cloneable(error) },
    };
  }
  const { code, data } = error as Error & { code?: unknown; data?: unknown };
  const hasCause = depth > 0 && error.cause !== undefined;
  return {
    kerfwork: error instanceof KerfworkError,
    name: error.name,
    message: error.message,
    stack: error.stack,
    ...(code === undefined ? {} : { code: cloneable(code) }),
    ...(data === undefined ? {} : { data: cloneable(data) }),
    ...(hasCause
      ? {
          cause:
            error.cause instanceof Error
              ? recordError(error.cause, depth - 1)
              : { value: cloneable(error.cause) },
        }
      : {}),
  };
}

/** Rebuilds what `recordError` took apart: same name, message, code, stack, cause and data. */
export function restoreError(record: ErrorRecord): Error {
  const cause =
    record.cause === undefined
      ? {}
      : { cause: "value" in record.cause ? record.cause.value : restoreError(record.cause as ErrorRecord) };
  if (record.kerfwork) {
    const data = record.data === undefined ? {} : { data: record.data as Record<string, unknown> };
    const error = new KerfworkError(record.code as ErrorCode, record.message, { ...cause, ...data });
    if (record.stack !== undefined) error.stack = record.stack;
    return error;
  }
  const error = new Error(record.message, cause);
  Object.defineProperty(error, "name", { value: record.name, configurable: true, writable: true });
  if (record.stack !== undefined) error.stack = record.stack;
  if (record.code !== undefined) Object.assign(error, { code: record.code });
  if (record.data !== undefined) Object.assign(error, { data: record.data });
  return error;
}

function cloneable(value: unknown): unknown {
  try {
    return structuredClone(value);
  } catch {
    return describe(value);
  }
}
