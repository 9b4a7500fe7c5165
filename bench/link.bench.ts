// The link over a pseudo-terminal to a simulated controller in a process of its own, beside two other ways of sending:
// bytes a second, processor time a line; then what acts at once, and the same senders behind a wire that is late.
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import {
  connect,
  type Machine,
  openSerial,
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

/** The senders behind answers that come late, on virtual time, against what latency and window allow. */
async function latencies(): Promise<void> {
  const mean = JOB_BYTES / JOB.length;
  const held = Math.floor(WINDOW / mean) * mean;
  for (const latency of [0.001, 0.004, 0.016]) {
    const bound = Math.min(1, held / (latency + (mean + 4) / WIRE) / WIRE);
    const late = async (send: (port: Transport, clock: VirtualClock) => Promise<number>): Promise<number> => {
      const clock = new VirtualClock();
      const simulator = simulate({ clock, keepLog: false });
      simulator.strike({ kind: "late", seconds: latency });
      const seconds = await send(simulator.open(), clock);
      await simulator.close();
      return (JOB_BYTES / seconds / WIRE) * 100;
    };
    const plainly = (send: (port: Transport) => Promise<void>) =>
      late(async (port, clock) => {
        await clock.run(sendResponse(port, ["", "$C"]));
        const start = clock.now();
        await clock.run(send(port));
        return clock.now() - start;
      });
    const ours = await late(async (port, clock) => {
      const machine = await clock.run(connect(port, { clock }));
      await clock.run(machine.command("$C"));
      const { seconds } = await clock.run(machine.run(text(JOB)));
      await clock.run(machine.close());
      return seconds;
    });
    const name = `answers ${latency * 1000} ms late`;
    figures(name, {
      "% of wire": ours,
      bound: bound * 100,
      counting: await plainly((port) => countCharacters(port, JOB)),
      "send-resp.": await plainly((port) => sendResponse(port, JOB)),
    });
    bar(`${name}, of the bound`, "%", ours / bound, { atLeast: 95 });
  }
}

/** Times that the motion of a job stood still before its end: the job needs 70 % of the wire. */
async function starvation(): Promise<void> {
  const lines = circle(LINES, feedFor(LINES, 0.7));
  const stops = async (send: (path: string) => Promise<void>): Promise<number> => {
    const folder = mkdtempSync(join(tmpdir(), "kerfwork-bench-"));
    const log = join(folder, "log.jsonl");
    const simulator = await ChildSimulator.start(["--log", log]);
    try {
      const machine = await connect(simulator.path);
      for (const [number, value] of Object.entries(SETTINGS)) await machine.setSetting(Number(number), value);
      await machine.close();
      await send(simulator.path);
    } finally {
      await simulator.close();
    }
    const found = readFileSync(log, "utf8").match(/"log":"stops"/g)?.length ?? 0;
    rmSync(folder, { recursive: true });
    return found - 1;
  };
  const plainly = (send: (port: Transport) => Promise<void>) =>
    stops(async (path) => {
      const port = await openStream(path);
      await sendResponse(port, [""]);
      await send(port);
      await sendResponse(port, ["G4P0"]);
      await port.close();
    });
  const ours = await stops(async (path) => {
    await using machine = await connect(path);
    await machine.run(text(lines));
  });
  figures("stops in a job of 70 % of the wire", {
    kerfwork: ours,
    counting: await plainly((port) => countCharacters(port, lines)),
    "send-resp.": await plainly((port) => sendResponse(port, lines)),
    load: loadavg()[0],
  });
  bar("stops in a job of 70 % of the wire", "count", ours, { atMost: 0 });
}

/** A machine on a pseudo-terminal, in the middle of a job that fills the wire. */
async function amid(
  use: (machine: Machine, simulator: Simulator, run: Promise<unknown>) => Promise<void>,
  wrap = (port: Transport): Transport => port,
): Promise<void> {
  const simulator = await startSimulator({ settings: SETTINGS, keepLog: true });
  const machine = await connect(wrap(await openSerial(simulator.path)));
  // to where the circle begins at full speed, then as fast as the wire can feed it
  const lines = ["G0X40Y20", ...circle(20_000, feedFor(20_000, 0.95))];
  const run = machine.run(text(lines)).catch((error) => error);
  while (simulator.log.lines.length < 100) await sleep(5);
  try {
    await use(machine, simulator, run);
  } finally {
    await machine.close();
    await simulator.close();
    await run;
  }
}

/** What acts at once, and what happens by itself. */
async function reactions(): Promise<void> {
  const holds: number[] = [];
  await amid(async (machine, simulator) => {
    for (let i = 0; i < 21; i++) {
      await sleep(40 + 7 * i);
      const { length } = simulator.log.realtime;
      const at = simulator.firmware.now;
      await machine.hold();
      holds.push((simulator.log.realtime[length].seconds - at) * 1000);
      await machine.resume();
    }
  });
  measure("hold until it is off the wire", "ms", holds, { of: "median", atMost: 12 });

  const [cancels, unplugs, deaths, polls]: number[][] = [[], [], [], []];
  for (let i = 0; i < 5; i++) {
    await amid(async (machine) => {
      cancels.push((await timed(() => machine.cancel())).seconds * 1000);
    });
    await amid(async (machine, simulator, run) => {
      const settled = Promise.allSettled([run, machine.command("$G"), machine.status()]);
      const { seconds } = await timed(() => {
        void simulator.unplug();
        return settled;
      });
      unplugs.push(seconds * 1000);
    });
    let asked = 0;
    let noticed = false;
    await amid(
      async (_machine, simulator, run) => {
        simulator.freeze();
        asked = 0;
        const { seconds } = await timed(() => run);
        deaths.push(seconds * 1000);
        polls.push(asked);
        simulator.freeze(false);
      },
      (port) => ({
        name: port.name,
        write: (bytes) => {
          // the reset that follows on it
          if (bytes.includes(0x18)) noticed = true;
          if (!noticed && bytes[0] === 0x3f) asked++;
          port.write(bytes);
        },
        onData: (listener) => port.onData(listener),
        onClose: (listener) => port.onClose(listener),
        close: () => port.close(),
      }),
    );
  }
  measure("cancel until the controller restarted", "ms", cancels, { of: "median", atMost: 1200 });
  measure("unplugged until all is settled", "ms", unplugs, { of: "median", atMost: 100 });
  measure("controller dead until the job failed", "ms", deaths);
  measure("questions that it did not answer", "count", polls, { of: "max", atMost: 3 });
}

await rates();
await latencies();
await starvation();
await reactions();
