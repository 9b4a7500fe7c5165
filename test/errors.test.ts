import { KerfworkError } from "kerfwork";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { checkNumber, checkOneOf, recordError, restoreError } from "../src/errors.ts";

const messageOf = (run: () => unknown): string => {
  try {
    run();
  } catch (error) {
    return (error as Error).message;
  }
  return "nothing was thrown";
};

test("checkNumber names the parameter, the contract and the value", () => {
  assert.is(
    messageOf(() => checkNumber("tolerance", -1, { above: 0 })),
    "Expected `tolerance` to be a finite number > 0, got -1",
  );
  assert.is(
    messageOf(() => checkNumber("threshold", 256, { min: 0, max: 255, integer: true })),
    "Expected `threshold` to be an integer >= 0 and <= 255, got 256",
  );
  assert.is(
    messageOf(() => checkNumber("dpi", "96")),
    'Expected `dpi` to be a finite number, got "96"',
  );
  assert.is(checkNumber("n", 3, { min: 3, max: 3, integer: true }), 3);
});

test("checkOneOf lists the words", () => {
  assert.is(
    messageOf(() => checkOneOf("mode", "curvy", ["curves", "polygons"])),
    'Expected `mode` to be one of "curves", "polygons", got "curvy"',
  );
});

test("restoreError keeps class, name, message, code, stack, cause and data across structured clone", () => {
  const cause = new RangeError("too far");
  const error = new KerfworkError("MACHINE_ERROR", "error:9 at line 3", { cause, data: { lastAcked: 2 } });
  const back = restoreError(structuredClone(recordError(error))) as KerfworkError;
  assert.instance(back, KerfworkError);
  assert.instance(back, Error);
  assert.is(back.code, "MACHINE_ERROR");
  assert.is(back.message, error.message);
  assert.is(back.stack, error.stack);
  assert.equal(back.data, { lastAcked: 2 });
  assert.is((back.cause as Error).name, "RangeError");
  assert.is((back.cause as Error).message, "too far");
});

test("recordError takes anything that is thrown", () => {
  assert.is(restoreError(recordError("plain text")).message, 'Thrown value: "plain text"');
  assert.is(restoreError(recordError("plain text")).cause, "plain text");
  const foreign = Object.assign(new TypeError("bad"), { code: "E_BAD", data: { at: 7 } });
  const back = restoreError(structuredClone(recordError(foreign))) as Error & { code: string; data: unknown };
  assert.is(back.name, "TypeError");
  assert.is(back.code, "E_BAD");
  assert.equal(back.data, { at: 7 });
  assert.not.ok(back instanceof KerfworkError);
});

test.run();
