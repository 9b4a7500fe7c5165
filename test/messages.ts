import { KerfworkError } from "kerfwork";
import * as assert from "uvu/assert";

/** Code and message of the KerfworkError that a call throws. */
export function messageOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    assert.instance(error, KerfworkError);
    return `${(error as KerfworkError).code}: ${(error as Error).message}`;
  }
  return "nothing was thrown";
}
