import { KerfworkError } from "../errors.ts";

export function alarmError(code: number, meaning: string, data: Record<string, unknown> = {}): KerfworkError {
  const message = `The controller is in alarm: ALARM:${code} (${meaning})`;
  return new KerfworkError("MACHINE_ALARM", message, { data: { alarm: code, ...data } });
}

export function mismatchError(what: string, data: Record<string, unknown> = {}): KerfworkError {
  const message = `The controller's answers do not match the lines sent: ${what}`;
  return new KerfworkError("MACHINE_DESYNC", message, { data });
}

/** True for what bytes lost from an answer leave of it; a damaged report has other characters. */
export const isDamagedAck = (text: string): boolean => /^([okers:\d]{1,12}|(ok|error:\d+)[<[].*)$/.test(text);
