import { KerfworkError } from "kerfwork";
import * as assert from "uvu/assert";

/** The error that a promise rejects with. */
export const failure = async (promise: Promise<unknown>): Promise<KerfworkError> => {
  try {
    await promise;
  } catch (error) {
    assert.instance(error, KerfworkError);
    return error as KerfworkError;
  }
  throw new Error("it did not fail");
};

/** The message of what a call throws. */
export const thrown = (run: () => unknown): string => {
  try {
    run();
  } catch (error) {
    return (error as Error).message;
  }
  return "nothing was thrown";
};

/** A circle of short moves. */
export const circle = (n: number, feed = 3000): string[] => [
  `G21G90M4S300F${feed}`,
  ...Array.from({ length: n }, (_, i) => {
    const angle = (i / n) * 2 * Math.PI;
    return `G1X${(20 + 20 * Math.cos(angle)).toFixed(3)}Y${(20 + 20 * Math.sin(angle)).toFixed(3)}`;
  }),
];

export const text = (lines: readonly string[]): string => `${lines.join("\n")}\n`;

/** A job of long slow moves. */
export const LONG = text([
  "G21G90M4S300F600",
  ...Array.from({ length: 40 }, (_, i) => `G1X${(i % 2) * 10}Y${i}`),
]);
