import { once } from "node:events";
import { closeSync, openSync, writeSync } from "node:fs";
import {
  type DialectName,
  KerfworkError,
  type LogRecord,
  randomFaults,
  type SimulatorOptions,
  startSimulator,
} from "../index.ts";
import { type Command, numberOf, type Request } from "./args.ts";
import { BAUD_FLAG, given, TIME_SCALE_FLAG } from "./flags.ts";

/** Faults come so far apart, s of the controller, and so many are planned. */
const FAULT_SECONDS = 10;
const FAULTS = 1000;

export const simulateCommand: Command = {
  name: "simulate",
  operands: [],
  summary: "start a simulated machine and print the path of its port; Ctrl-C ends it",
  flags: [
    BAUD_FLAG,
    { ...TIME_SCALE_FLAG, help: `${TIME_SCALE_FLAG.help} (default 1)` },
    { name: "dialect", value: "NAME", help: "grbl (default), grblhal, fluidnc, marlin or smoothie" },
    {
      name: "tcp",
      value: "PORT",
      help: "serve this TCP port, or HOST:PORT, instead of a serial one; 0 is any",
    },
    { name: "log", value: "FILE", help: "write what the controller did to FILE, a JSON line for each" },
    {
      name: "line-ms",
      value: "MS",
      help: "what reading a line takes the controller (default 0; a board needs 1)",
    },
    {
      name: "faults",
      value: "SEED",
      help: `let a fault happen every ${FAULT_SECONDS} s, picked by this seed`,
    },
  ],
  examples: ["simulate --time-scale 10", "simulate --tcp 2323 --dialect grblhal --log machine.jsonl"],
  async run({ values, signal, result }) {
    const lineMs = numberOf(values, "line-ms");
    const seed = numberOf(values, "faults");
    const log = openLog(values.get("log"));
    const options: SimulatorOptions = {
      ...given({
        baud: numberOf(values, "baud"),
        timeScale: numberOf(values, "time-scale"),
        dialect: values.get("dialect") as DialectName | undefined,
        tcp: tcpOf(values),
        lineSeconds: lineMs === undefined ? undefined : lineMs / 1000,
      }),
      // a simulator can run for days
      keepLog: false,
      onLog: log.write,
    };
    try {
      const simulator = await startSimulator(options);
      try {
        if (seed !== undefined) {
          const next = randomFaults(seed);
          for (let i = 1; i <= FAULTS; i++) simulator.strike(next(), i * FAULT_SECONDS);
        }
        result({ command: "simulate", port: simulator.path }, [simulator.path]);
        // the simulator's port keeps the process alive meanwhile
        if (!signal.aborted) await once(signal, "abort");
      } finally {
        await simulator.close();
      }
    } finally {
      log.close();
    }
  },
};

function tcpOf(values: Request["values"]): { readonly host?: string; readonly port: number } | undefined {
  const text = values.get("tcp");
  if (text === undefined) return undefined;
  const [, host, port] = /^(?:(.+):)?(\d+)$/.exec(text) ?? [];
  if (port === undefined)
    throw new KerfworkError(
      "INVALID_ARGUMENT",
      `Expected \`--tcp\` to be PORT or HOST:PORT, got ${JSON.stringify(text)}`,
    );
  return { ...(host === undefined ? {} : { host }), port: Number(port) };
}

function openLog(path: string | undefined): { write(record: LogRecord): void; close(): void } {
  if (path === undefined) return { write() {}, close() {} };
  let file: number;
  try {
    file = openSync(path, "w");
  } catch (cause) {
    const why = (cause as Error).message;
    throw new KerfworkError("FILE_NOT_WRITABLE", `Expected to write ${path}: ${why}`, { cause });
  }
  return {
    // at once: the log is there whatever ends the process
    write: ({ kind, entry }) => writeSync(file, `${JSON.stringify({ log: kind, ...entry })}\n`),
    close: () => closeSync(file),
  };
}
