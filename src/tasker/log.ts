import type { ErrorRecord } from "../errors.ts";

/** Where a manager says what it does. */
export interface Logger {
  debug(message: string, data?: object): void;
  info(message: string, data?: object): void;
  warn(message: string, data?: object): void;
  error(message: string, data?: object): void;
}

export const LOG_LEVELS = ["debug", "info", "warn", "error", "silent"] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** What a worker has to say. */
export interface LogEntry {
  readonly type: "log";
  readonly level: keyof Logger;
  readonly message: string;
  readonly target: string;
  readonly error?: ErrorRecord;
}

/** True when the limit lets the level through. */
export function isLogged(level: keyof Logger, limit: LogLevel): boolean {
  return LOG_LEVELS.indexOf(level) >= LOG_LEVELS.indexOf(limit);
}
