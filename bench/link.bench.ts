// The link over a pseudo-terminal to a simulated controller in a process of its own, beside two other ways of sending:
// bytes a second, processor time a line; then what acts at once, and the same senders behind a wire that is late.
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import {
  type ConnectOptions,
  connect,
  type KerfworkError,
  type Machine,
  type Simulator,
  simulate,
  startSimulator,
  type Transport,
  VirtualClock,
} from "kerfwork";
import { ChildSimulator } from "../test/soak/child.ts";
import { bar, figures, measure, quantile } from "./harness.ts";
import { countCharacters, openStream, sendResponse, writeBlind } from "./senders.ts";

/** Bytes a second at 115200 baud. */
const WIRE = 11_520;
const WINDOW = 128;
const LINES = 2000;
const ROUNDS = 3;
/** Fast enough that look-ahead over 15 short moves reaches the speed. */
const SETTINGS = { 110: 8000, 111: 8000, 120: 2000, 121: 2000 };

const circle = (count: number, feed: number): string[] => [
  `G21G90M4S300F${feed.toFixed(1)}`,
  ...Array.from({ length: count }, (_, i) => {
    const angle = (i / count) * 2 * Math.PI;
    return `G1X${(20 + 20 * Math.cos(angle)).toFixed(3)}Y${(20 + 20 * Math.sin(angle)).toFixed(3)}`;
  }),
  "M5",
];
const text = (lines: readonly string[]): string => `${lines.join("\n")}\n`;
/** So fast that its bytes take this share of the wire. */
const feedFor = (count: number, share: number): number => {
  const seconds = text(circle(count, 1000)).length / (share * WIRE);
  return ((2 * Math.PI * 20) / seconds) * 60;
};
const middle = (values: readonly number[]): number => quantile(Float64Array.from(values), 0.5);

const JOB = circle(LINES, 3000);
const JOB_BYTES = text(JOB).length;

interface Sender {
  readonly name: string;
  /** Sends the job in check mode; resolves with the seconds that it took. */
  send(path: string): Promise<{ seconds: number; cpu: number }>;
}

/** Seconds, and ms of processor time of this process, that something takes. */
async function timed(work: () => Promise<unknown>): Promise<{ seconds: number; cpu: number }> {
  const cpu = process.cpuUsage();
  const start = performance.now();
  await work();
  const seconds = (performance.now() - start) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  return { seconds, cpu: (user + system) / 1000 };
}

const link: Sender = {
  name: "kerfwork",
  async send(path) {
    await using machine = await connect(path);
    await machine.command("$C");
    let seconds = 0;
    const { cpu } = await timed(async () => {
      // from the first byte to the last answer, as of the others; what it asks and checks before counts as work
      ({ seconds } = await machine.run(text(JOB)));
    });
    await machine.command("$C").catch(() => {});
    return { seconds, cpu };
  },
};

/** A sender on a port that was opened as usual. */
const plain = (name: string, send: (port: Transport) => Promise<void>): Sender => ({
  name,
  async send(path) {
    const port = await openStream(path);
    await sendResponse(port, ["", "$C"]);
    const took = await timed(() => send(port));
    await sendResponse(port, ["$C"]);
    await port.close();
    return took;
  },
});

const SENDERS: readonly Sender[] = [
  link,
  plain("character counting, as CNCjs", (port) => countCharacters(port, JOB)),
  plain("send-response", (port) => sendResponse(port, JOB)),
  // a controller that parses in no time, and moves nothing, keeps up without any rule
  plain("ceiling: all at once", (port) => writeBlind(port, Buffer.from(text(JOB)), JOB.length)),
];

/** All senders in turns, in check mode over a pseudo-terminal. */
async function rates(): Promise<void> {
  const simulator = await ChildSimulator.start();
  const taken = SENDERS.map(() => ({ rate: [] as number[], cpu: [] as number[] }));
  try {
    for (let round = 0; round < ROUNDS; round++)
      for (const [i, sender] of SENDERS.entries()) {
        const { seconds, cpu } = await sender.send(simulator.path);
        taken[i].rate.push((JOB_BYTES / seconds / WIRE) * 100);
        taken[i].cpu.push(cpu / JOB.length);
      }
  } finally {
    await simulator.close();
  }
  for (const [i, { name }] of SENDERS.entries())
    figures(name, {
      "% of wire": middle(taken[i].rate),
      best: Math.max(...taken[i].rate),
      "CPU ms/line": middle(taken[i].cpu),
      load: loadavg()[0],
    });
  const [ours, counting, response, ceiling] = taken;
  bar("of the wire, no latency", "%", middle(ours.rate), { atLeast: 98 });
  bar("of the ceiling run", "%", (middle(ours.rate) / middle(ceiling.rate)) * 100, { atLeast: 98 });
  bar("times send-response", "x", middle(ours.rate) / middle(response.rate), { atLeast: 1.5 });
  bar("CPU a line", "ms", middle(ours.cpu), { atMost: 0.3 });
  bar("CPU beside counting on a stream", "x", middle(ours.cpu) / middle(counting.cpu), { atMost: 1 });
}

await rates();
