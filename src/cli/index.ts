import { readFileSync } from "node:fs";
import { type KerfworkError, taskMgr } from "../index.ts";
import { type Command, helpText, parseArgs } from "./args.ts";
import { portsCommand, runCommand, sendCommand } from "./machine.ts";
import { planCommand, traceCommand } from "./picture.ts";
import { simulateCommand } from "./simulate.ts";
import { listenForStop } from "./stop.ts";
import { newVoice, type Voice } from "./voice.ts";

const OK = 0;
const FAILED = 1;
const BAD_ARGUMENTS = 2;
const INTERRUPTED = 130;

const COMMANDS: readonly Command[] = [
  traceCommand,
  planCommand,
  runCommand,
  sendCommand,
  simulateCommand,
  portsCommand,
];

/** Runs one command line; resolves with the exit code. The process then ends by itself: nothing is left running. */
async function main(argv: readonly string[]): Promise<number> {
  // until the arguments are read, at least the wish for JSON lines is known
  let voice = newVoice({ json: argv.includes("--json") });
  const stop = listenForStop();
  let disconnect = (): void => {};
  try {
    const request = parseArgs(argv, COMMANDS);
    const { command, values } = request;
    if (request.help || (command === undefined && !request.version)) {
      const help = helpText(COMMANDS, command);
      (request.help ? process.stdout : process.stderr).write(help);
      return request.help ? OK : BAD_ARGUMENTS;
    }
    if (command === undefined || request.version) {
      process.stdout.write(`${version()}\n`);
      return OK;
    }
    voice = newVoice({
      json: values.has("json"),
      quiet: values.has("quiet"),
      dataOnStdout: values.get("output") === "-",
    });
    disconnect = follow(voice);
    await command.run({ ...request, signal: stop.signal, report: voice.report, result: voice.result });
    return OK;
  } catch (error) {
    const interrupted = stop.signal.aborted;
    const { code, data } = error as Partial<KerfworkError>;
    // that it was stopped is what the user knows; that a machine may not have stopped is not
    if (!interrupted || code !== "CANCELED" || data?.stopped === false) voice.error(error);
    if (interrupted) return INTERRUPTED;
    return code === "INVALID_ARGUMENT" ? BAD_ARGUMENTS : FAILED;
  } finally {
    disconnect();
    voice.progress(undefined);
    stop.dispose();
  }
}

/** Shows the progress of whatever runs, until the function returned is called. */
function follow({ progress }: Voice): () => void {
  return taskMgr.tasksUpdated.connect(({ tasks, progress: part }) => {
    const task = tasks.at(-1);
    progress(task && { task: String(task.key), progress: part, message: task.message });
  });
}

function version(): string {
  return JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")).version;
}

process.exitCode = await main(process.argv.slice(2));
