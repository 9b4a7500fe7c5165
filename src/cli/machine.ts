import {
  connect,
  type ExecutionContext,
  KerfworkError,
  listPorts,
  type Machine,
  makeProgram,
  type Program,
  type RunResult,
  startSimulator,
  taskMgr,
} from "../index.ts";
import { type Command, numberOf, type Request } from "./args.ts";
import { readInput } from "./files.ts";
import {
  BAUD_FLAG,
  given,
  jobOptions,
  PLAN_FLAGS,
  PORT_FLAG,
  TIME_SCALE_FLAG,
  TRACE_FLAGS,
} from "./flags.ts";
import { openSaves } from "./picture.ts";
import { jobFacts, jobLines, runLine, wroteLine } from "./report.ts";

/** Of the simulated machine of `run`: a job of minutes takes seconds. */
const RUN_TIME_SCALE = 100;

export const runCommand: Command = {
  name: "run",
  operands: ["IN"],
  summary: "trace a picture, plan it and cut it on a machine or a simulated one",
  flags: [
    PORT_FLAG,
    { name: "simulate", help: "cut on a simulated machine instead" },
    {
      name: "save",
      value: "PREFIX",
      help: "write PREFIX.svg and PREFIX.gcode too; missing folders are made",
    },
    BAUD_FLAG,
    { ...TIME_SCALE_FLAG, help: `${TIME_SCALE_FLAG.help} (default ${RUN_TIME_SCALE})` },
    ...TRACE_FLAGS,
    ...PLAN_FLAGS,
  ],
  required: [["port", "simulate"]],
  examples: ["run badge.png --port /dev/ttyUSB0 --power 0.3", "run badge.png --simulate --save out/badge"],
  async run(session) {
    const { operands, values, signal, report } = session;
    // all that can be wrong with the command is found before the port is opened, which restarts many controllers
    const options = jobOptions(values, signal);
    const saves = openSaves(values.get("save"));
    const bytes = await readInput(operands[0], signal);
    await withMachine(values, async (machine) => {
      const job = await makeProgram(bytes, options).promise;
      await saves.write(job, signal);
      const result = await stream(machine, job.program, signal);
      const facts = {
        command: "run",
        input: operands[0],
        outputs: saves.paths,
        ...jobFacts(job),
        machine: result,
      };
      const wrote = saves.paths.length > 0 ? [wroteLine(saves.paths)] : [];
      report(facts, [...jobLines(job), ...wrote, runLine(result)]);
    });
  },
};

export const sendCommand: Command = {
  name: "send",
  operands: ["FILE"],
  summary: "send a G-code program to a machine",
  flags: [PORT_FLAG, BAUD_FLAG],
  required: [["port"]],
  examples: ["send badge.gcode --port /dev/ttyUSB0"],
  async run({ operands: [path], values, signal, report }) {
    const program = await readInput(path, signal);
    await withMachine(values, async (machine) => {
      const result = await stream(machine, program, signal);
      report({ command: "send", input: path, machine: result }, [runLine(result)]);
    });
  },
};

export const portsCommand: Command = {
  name: "ports",
  operands: [],
  summary: "list the serial ports",
  flags: [],
  examples: ["ports"],
  async run({ result }) {
    const ports = await listPorts();
    const lines = ports.map(({ path, manufacturer }) => (manufacturer ? `${path}  ${manufacturer}` : path));
    result({ command: "ports", ports }, lines.length > 0 ? lines : ["no serial ports"]);
  },
};

/** Connects to the machine that the options name, real or simulated, and lets go of it in every case. */
async function withMachine(
  values: Request["values"],
  body: (machine: Machine) => Promise<void>,
): Promise<void> {
  const baud = numberOf(values, "baud");
  const timeScale = numberOf(values, "time-scale") ?? RUN_TIME_SCALE;
  if (values.has("time-scale") && !values.has("simulate"))
    throw new KerfworkError("INVALID_ARGUMENT", "Expected --time-scale with --simulate only");
  const simulator = values.has("simulate")
    ? await startSimulator({ ...given({ baud }), timeScale })
    : undefined;
  try {
    const machine = await connect(
      simulator?.path ?? (values.get("port") as string),
      given({ baudRate: baud }),
    );
    try {
      await body(machine);
    } finally {
      await machine.close();
    }
  } finally {
    await simulator?.close();
  }
}

/** Runs a program as a task. After a cancellation it waits until the machine stands still, or does not answer. */
async function stream(
  machine: Machine,
  program: Program | Uint8Array,
  signal: AbortSignal,
): Promise<RunResult> {
  let outcome: Promise<RunResult> | undefined;
  const run = (context: ExecutionContext): Promise<RunResult> => {
    outcome = machine.run(program, { context });
    return outcome;
  };
  const task = taskMgr.addCoroutine(run, [], { key: "machine", signal });
  try {
    return await task.promise;
  } catch (error) {
    await task.ended;
    // the task was canceled at once; only the run knows whether the machine really stopped
    await outcome;
    throw error;
  }
}
