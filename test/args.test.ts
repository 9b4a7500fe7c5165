import { test } from "uvu";
import * as assert from "uvu/assert";
import { type Command, helpText, numberOf, parseArgs } from "../src/cli/args.ts";

const cut: Command = {
  name: "cut",
  operands: ["IN"],
  summary: "cut it",
  flags: [
    { name: "output", short: "o", value: "OUT", help: "where to" },
    { name: "offset", value: "MM", help: "how far" },
    { name: "port", value: "PATH", help: "the port" },
    { name: "simulate", help: "no port" },
  ],
  required: [["port", "simulate"]],
  examples: ["cut a.png --simulate"],
  run: () => Promise.resolve(),
};
const list: Command = { ...cut, name: "list", operands: [], flags: [], required: [], examples: ["list"] };
const parse = (line: string) => parseArgs(line.split(" ").filter(Boolean), [cut, list]);
const complaint = (line: string): string => {
  try {
    parse(line);
  } catch (error) {
    assert.is((error as { code: string }).code, "INVALID_ARGUMENT");
    return (error as Error).message;
  }
  return "nothing was thrown";
};

test("parseArgs reads operands, values and switches in any order", () => {
  const expected = { output: "x.gcode", simulate: "", json: "" };
  for (const line of [
    "cut a.png -o x.gcode --simulate --json",
    "--json cut --simulate a.png --output=x.gcode",
    "cut -ox.gcode --simulate --json -- a.png",
  ]) {
    const { command, operands, values } = parse(line);
    assert.is(command, cut);
    assert.equal(operands, ["a.png"]);
    assert.equal(Object.fromEntries(values), expected, line);
  }
});

test("parseArgs takes - and negative numbers as what they are", () => {
  const { operands, values } = parse("cut - -o - --offset -1.5 --simulate");
  assert.equal(operands, ["-"]);
  assert.is(values.get("output"), "-");
  assert.is(numberOf(values, "offset"), -1.5);
  assert.is(numberOf(values, "absent"), undefined);
});

test("parseArgs keeps text that looks like a number as it is", () => {
  const { operands, values } = parse("cut 007 -o 1e3 --simulate");
  assert.equal(operands, ["007"]);
  assert.is(values.get("output"), "1e3");
});

test("parseArgs refuses what it does not know, by name", () => {
  const lines: Record<string, string> = {
    bend: 'Expected a command, got "bend" (see `kerfwork --help`)',
    "--loud": "Expected a known option, got --loud (see `kerfwork --help`)",
    "cut a --loud --simulate": "Expected a known option, got --loud (see `kerfwork cut --help`)",
    "cut a -x --simulate": "Expected a known option, got -x (see `kerfwork cut --help`)",
    "cut --simulate": "Expected IN after `cut` (see `kerfwork cut --help`)",
    "cut a b --simulate": "Expected IN after `cut`, got b too (see `kerfwork cut --help`)",
    "list a": "Expected nothing after `list`, got a too (see `kerfwork list --help`)",
    "cut a": "Expected --port or --simulate, got none (see `kerfwork cut --help`)",
    "cut a --port p --simulate": "Expected --port or --simulate, got both (see `kerfwork cut --help`)",
    "cut a --simulate --output": "Expected OUT after --output (see `kerfwork cut --help`)",
    "cut a --port --simulate": "Expected PATH after --port (see `kerfwork cut --help`)",
    "cut a --simulate=yes": 'Expected no value for --simulate, got "yes" (see `kerfwork cut --help`)',
    "cut a --simulate -o x -o y": "Expected -o once (see `kerfwork cut --help`)",
  };
  for (const [line, message] of Object.entries(lines)) assert.is(complaint(line), message);
});

test("parseArgs lets help and version pass without the rest", () => {
  assert.ok(parse("cut --help").help);
  assert.is(parse("cut -h").command, cut);
  assert.ok(parse("--version").version);
  assert.is(parse("").command, undefined);
});

test("numberOf refuses what is no number", () => {
  for (const text of ["abc", "", "1,5", "NaN", "Infinity"]) {
    const { values } = parseArgs(["cut", "a", "--simulate", `--offset=${text}`], [cut]);
    assert.throws(() => numberOf(values, "offset"), `Expected \`--offset\` to be a number, got "${text}"`);
  }
});

test("helpText lists every option of a command, and every command", () => {
  assert.is(
    helpText([cut, list], cut),
    `Usage: kerfwork cut IN (--port PATH | --simulate) [OPTIONS]

cut it

  -o, --output OUT  where to
      --offset MM   how far
      --port PATH   the port
      --simulate    no port
      --json        print JSON lines: progress, report, error
      --quiet       print nothing but errors
  -h, --help        print this help
      --version     print the version

  $ kerfwork cut a.png --simulate
`,
  );
  assert.match(helpText([cut, list], undefined), "  cut IN (--port PATH | --simulate)  cut it\n  list  ");
});

test.run();
