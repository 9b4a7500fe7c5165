export * from "./engine/index.ts";
export { ERROR_CODES, type ErrorCode, KerfworkError } from "./errors.ts";
export * from "./files/index.ts";
export * from "./job/index.ts";
export * from "./machine/index.ts";
export * from "./tasker/index.ts";
