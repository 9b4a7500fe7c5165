import { parseArgs as tokenize } from "node:util";
import { KerfworkError } from "../index.ts";

/** One option of a command. */
export interface Flag {
  readonly name: string;
  readonly short?: string;
  /** What its value is called in the help; a switch has none. */
  readonly value?: string;
  readonly help: string;
}

/** A command line, read and checked for form. */
export interface Request {
  readonly command: Command | undefined;
  readonly help: boolean;
  readonly version: boolean;
  /** The arguments that are not options. */
  readonly operands: readonly string[];
  /** Options by long name; switches that are given have the value "". */
  readonly values: ReadonlyMap<string, string>;
}

/** Plain data for JSON lines, and the same in words. */
export type Report = (facts: Readonly<Record<string, unknown>>, lines: readonly string[]) => void;

/** What a command works with. */
export interface Session extends Request {
  readonly signal: AbortSignal;
  /** Tells what was done. */
  readonly report: Report;
  /** Tells what the user asked for, which is printed even when the rest is to be quiet. */
  readonly result: Report;
}

export interface Command {
  readonly name: string;
  /** Operands by name, all required. */
  readonly operands: readonly string[];
  readonly summary: string;
  readonly flags: readonly Flag[];
  /** Names of flags that must be given; of a list, exactly one. */
  readonly required?: readonly (readonly string[])[];
  readonly examples: readonly string[];
  run(session: Session): Promise<void>;
}

const GLOBAL_FLAGS: readonly Flag[] = [
  { name: "json", help: "print JSON lines: progress, report, error" },
  { name: "quiet", help: "print nothing but errors" },
  { name: "help", short: "h", help: "print this help" },
  { name: "version", help: "print the version" },
];

/**
 * Reads a command line. Numbers stay text, "-" is an operand or a value like any other, and a value may begin with a
 * minus sign.
 *
 * @throws INVALID_ARGUMENT  an unknown command or option, a missing or surplus argument
 */
export function parseArgs(argv: readonly string[], commands: readonly Command[]): Request {
  // only switches can stand before the command
  const at = argv.findIndex((arg) => !arg.startsWith("-"));
  const name = argv[at];
  const command = commands.find((candidate) => candidate.name === name);
  const flags = [...GLOBAL_FLAGS, ...(command?.flags ?? [])];
  const { operands, values } = readTokens(
    argv.filter((_, i) => i !== at),
    flags,
    command?.name,
  );
  const request = { command, operands, values, help: values.has("help"), version: values.has("version") };
  if (request.help || request.version) return request;
  if (command === undefined) {
    if (name !== undefined) throw usage(`Expected a command, got ${JSON.stringify(name)}`);
    return request;
  }
  const missing = command.operands[operands.length];
  if (missing !== undefined) throw usage(`Expected ${missing} after \`${name}\``, name);
  if (operands.length > command.operands.length) {
    const surplus = operands[command.operands.length];
    throw usage(
      `Expected ${command.operands.join(" ") || "nothing"} after \`${name}\`, got ${surplus} too`,
      name,
    );
  }
  for (const group of command.required ?? []) {
    const given = group.filter((flag) => values.has(flag)).length;
    if (given !== 1)
      throw usage(
        `Expected ${group.map((flag) => `--${flag}`).join(" or ")}, got ${given ? "both" : "none"}`,
        name,
      );
  }
  return request;
}

function readTokens(args: string[], flags: readonly Flag[], command: string | undefined) {
  const options = Object.fromEntries(
    flags.map(({ name, short, value }) => [
      name,
      { type: value === undefined ? ("boolean" as const) : ("string" as const), ...(short ? { short } : {}) },
    ]),
  );
  const operands: string[] = [];
  const values = new Map<string, string>();
  for (const token of tokenize({ args, options, strict: false, allowPositionals: true, tokens: true })
    .tokens) {
    if (token.kind === "positional") operands.push(token.value);
    if (token.kind !== "option") continue;
    const flag = flags.find(({ name }) => name === token.name);
    if (flag === undefined) throw usage(`Expected a known option, got ${token.rawName}`, command);
    if (values.has(flag.name)) throw usage(`Expected ${token.rawName} once`, command);
    // a forgotten value takes the next option for itself
    const isOption = !token.inlineValue && token.value?.startsWith("--");
    if (flag.value !== undefined && (token.value === undefined || isOption))
      throw usage(`Expected ${flag.value} after ${token.rawName}`, command);
    if (flag.value === undefined && token.value !== undefined)
      throw usage(`Expected no value for ${token.rawName}, got ${JSON.stringify(token.value)}`, command);
    values.set(flag.name, token.value ?? "");
  }
  return { operands, values };
}

function usage(message: string, command?: string): KerfworkError {
  const help = `kerfwork ${command === undefined ? "" : `${command} `}--help`;
  return new KerfworkError("INVALID_ARGUMENT", `${message} (see \`${help}\`)`);
}

/** The number behind an option, or undefined when it is not given. Its range is the library's to check. */
export function numberOf(values: Request["values"], name: string): number | undefined {
  const text = values.get(name);
  if (text === undefined) return undefined;
  const value = Number(text);
  if (text.trim() !== "" && Number.isFinite(value)) return value;
  throw new KerfworkError(
    "INVALID_ARGUMENT",
    `Expected \`--${name}\` to be a number, got ${JSON.stringify(text)}`,
  );
}

/** The help of one command, or of all of them. */
export function helpText(commands: readonly Command[], command: Command | undefined): string {
  const blocks = command === undefined ? overview(commands) : helpOf(command);
  return `${blocks.join("\n\n")}\n`;
}

function overview(commands: readonly Command[]): string[] {
  return [
    "kerfwork: trace, plan and stream laser jobs",
    "Usage: kerfwork COMMAND [OPTIONS]",
    table(commands.map((command) => [synopsis(command), command.summary])),
    table(GLOBAL_FLAGS.map((flag) => [flagText(flag), flag.help])),
    "`kerfwork COMMAND --help` tells a command's options. - stands for standard input or output.",
    "Exit codes: 0 done, 1 failed, 2 wrong arguments, 130 interrupted.",
  ];
}

function helpOf(command: Command): string[] {
  return [
    `Usage: kerfwork ${synopsis(command)} [OPTIONS]`,
    command.summary,
    table([...command.flags, ...GLOBAL_FLAGS].map((flag) => [flagText(flag), flag.help])),
    command.examples.map((example) => `  $ kerfwork ${example}`).join("\n"),
  ];
}

function synopsis({ name, operands, required = [], flags }: Command): string {
  const groups = required.map((group) =>
    group
      .map((word) => flags.find((flag) => flag.name === word) as Flag)
      .map(
        (flag) => `${flag.short ? `-${flag.short}` : `--${flag.name}`}${flag.value ? ` ${flag.value}` : ""}`,
      )
      .join(" | "),
  );
  return [name, ...operands, ...groups.map((group) => (group.includes("|") ? `(${group})` : group))].join(
    " ",
  );
}

function flagText({ name, short, value }: Flag): string {
  return `${short ? `-${short}, ` : "    "}--${name}${value ? ` ${value}` : ""}`;
}

function table(rows: readonly (readonly [left: string, right: string])[]): string {
  const width = Math.max(...rows.map(([left]) => left.length));
  return rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`).join("\n");
}
