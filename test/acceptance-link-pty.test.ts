// the rest of what the link promises, over a real pseudo-terminal and the serial driver, in real time
import { readdirSync, readFileSync } from "node:fs";
import {
  type ConnectOptions,
  connect,
  LineReader,
  type Machine,
  type Message,
  openSerial,
  parseLine,
  type Simulator,
  type SimulatorOptions,
  startSimulator,
} from "kerfwork";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { Pty } from "../src/machine/pty.ts";
import { circle, failure, LONG, text } from "./jobs.ts";
import { jobLines } from "./machines.ts";

/** A host busy with something else must not take its own lateness for the controller's silence. */
const PATIENT: ConnectOptions = { silenceMs: 10_000 };

const simulated = async (
  options: SimulatorOptions,
  use: (machine: Machine, simulator: Simulator) => Promise<void>,
  link: ConnectOptions = {},
): Promise<void> => {
  const simulator = await startSimulator(options);
  try {
    const machine = await connect(simulator.path, { ...PATIENT, ...link });
    try {
      await use(machine, simulator);
    } finally {
      await machine.close();
    }
  } finally {
    await simulator.close();
  }
};

/** Settles when something has become true. */
const until = async (true_: () => boolean): Promise<void> => {
  while (!true_()) await new Promise((resolve) => setTimeout(resolve, 2));
};

const realtime = ({ log }: Simulator): number[] => log.realtime.map(({ byte }) => byte);

/** So many moves that take so long that planner and receive buffer fill up. */
const slow = (n: number): string[] => ["G21G90F3000", ...Array.from({ length: n }, (_, i) => `G1X${i % 50}`)];

test("A5, E4: the window is the controller's own, is used, and is never exceeded", async () => {
  for (const [dialect, window, settings] of [
    ["grbl", 128, { 130: 310, 110: 6000 }],
    ["grblhal", 1023, { 130: 420, 110: 7000 }],
  ] as const) {
    const heard: string[] = [];
    await simulated(
      { dialect, settings, timeScale: 20 },
      async (machine, simulator) => {
        assert.equal([machine.dialect, machine.window], [dialect, window]);
        // its settings were read as it was met
        assert.is(machine.limits.travel![0], settings[130]);
        assert.is(machine.limits.rates![0], settings[110]);
        await machine.setSetting(111, 4321);
        assert.is((await machine.settings()).get(111), 4321);
        // and its banner is understood
        await machine.reset();
        assert.ok(heard.some((line) => line.startsWith(dialect === "grbl" ? "Grbl 1.1h" : "GrblHAL 1.1f")));
        assert.equal([machine.dialect, machine.window, machine.state], [dialect, window, "Idle"]);
        const lines = slow(320);
        const run = machine.run(text(lines));
        await until(() => simulator.state === "Run");
        // while it stands its buffers fill up, however fast the host is
        await machine.hold();
        await until(() => simulator.log.highWater > window - 20);
        await machine.resume();
        assert.is((await run).acknowledged, 321);
        assert.equal(jobLines(simulator), [...lines, "G4P0"]);
        const { overflow, overrun, highWater } = simulator.log;
        assert.is(overflow + overrun, 0);
        assert.ok(highWater <= window, `${dialect}: ${highWater}`);
      },
      { onLine: (line) => void heard.push(line) },
    );
  }
});

test("C6: ten times 10 % more is 200 %, as the reports have it, although bytes that come close count once", async () => {
  await simulated({ timeScale: 5 }, async (machine, simulator) => {
    const run = failure(machine.run(LONG));
    await until(() => simulator.state === "Run");
    await Promise.all(Array.from({ length: 10 }, () => machine.overrideBy({ feed: 10 })));
    assert.equal(machine.snapshot.overrides, [200, 100, 100]);
    assert.ok(realtime(simulator).every((byte) => byte === 0x91));
    // one that was merged would have had to be sent again, and none takes it beyond
    assert.ok(realtime(simulator).length >= 10);
    // the machine itself goes faster than the program says
    await until(() => (machine.snapshot.feed ?? 0) > 600);
    await machine.override({ feed: 87, rapid: 25, spindle: 112 });
    assert.equal((await machine.status()).overrides, [87, 25, 112]);
    await machine.override({ feed: 100, rapid: 100, spindle: 100 });
    assert.equal((await machine.status()).overrides, [100, 100, 100]);
    await machine.cancel();
    assert.is((await run).code, "CANCELED");
  });
});

test("C5, C6: no job begins while a jog is on, and after its end, by cancel or hold, it does", async () => {
  await simulated({ timeScale: 5 }, async (machine, simulator) => {
    let ran: string[] = [];
    for (const [end, byte] of [
      [() => machine.cancelJog(), 0x85],
      [() => machine.hold(), 0x21],
    ] as const) {
      assert.ok(await machine.jog({ x: 100, feed: 600 }));
      await until(() => simulator.state === "Jog");
      const refused = await failure(machine.run("G0X1\n"));
      assert.is(refused.code, "INVALID_STATE");
      assert.equal(jobLines(simulator), ran);
      assert.is(simulator.state, "Jog");
      await end();
      assert.is(simulator.state, "Idle");
      assert.ok(realtime(simulator).includes(byte));
      assert.ok(simulator.position[0] < 90);
      assert.is((await machine.run("G21G90\nG0X0\n")).acknowledged, 2);
      ran = [...ran, "G21G90", "G0X0", "G4P0"];
      assert.equal(jobLines(simulator), ran);
      assert.is(simulator.position[0], 0);
    }
  });
});

test("D9: what would act at once is never on the wire: comments are not sent, other bytes refuse the program", async () => {
  await simulated({ timeScale: 20 }, async (machine, simulator) => {
    await machine.run("G21 (go! ~ ? \u0104 \u00e4)\nG90 ; ! \u00a5 \x18\n");
    assert.equal(jobLines(simulator), ["G21", "G90", "G4P0"]);
    const { received } = simulator.log;
    for (const line of ["G0X1!", "G0X1?", "~", "G0X\u0104", "G0X1\x18", "G0\x85", "G0X1\x00"]) {
      const error = await failure(machine.run(`G21\n${line}\nG90\n`));
      assert.is(error.code, "INVALID_ARGUMENT", JSON.stringify(line));
      assert.match(error.message, "line 2 of `program`");
    }
    await machine.status();
    // nothing but questions went out since
    assert.ok(simulator.log.received - received < 20);
    assert.is(jobLines(simulator).length, 3);
    assert.equal(realtime(simulator), []);
  });
});

test("E1: a first start's noise and startup lines count for nothing, whenever they come", async () => {
  await simulated({ blank: true, timeScale: 40 }, async (machine, simulator) => {
    assert.equal([machine.state, machine.window], ["Idle", 128]);
    const lines = circle(200, 6000);
    assert.is((await machine.run(text([...lines, "M5"]))).acknowledged, 202);
    assert.equal(jobLines(simulator), [...lines, "M5", "G4P0"]);
  });
  const heard: string[] = [];
  const onLine = (line: string) => void heard.push(line);
  const simulator = await startSimulator({ timeScale: 5 });
  try {
    const first = await connect(simulator.path, { ...PATIENT, onLine });
    await first.command("$N0=G54");
    // the connection sees the start, and the next one makes it
    await first.reset();
    await first.close();
    const second = await connect(simulator.path, { ...PATIENT, onLine, reset: true });
    assert.is((await second.run("G21\nG90\nG0X1\n")).acknowledged, 3);
    assert.is(heard.filter((line) => line === ">G54:ok").length, 2);
    await second.close();
    // it starts while somebody connects
    simulator.restart(0.5);
    const third = await connect(simulator.path, { ...PATIENT, onLine });
    assert.is((await third.run("G0X2\nG0X3\n")).acknowledged, 2);
    await third.close();
    assert.equal(
      jobLines(simulator).filter((line) => line !== "G54"),
      ["G21", "G90", "G0X1", "G4P0", "G0X2", "G0X3", "G4P0"],
    );
  } finally {
    await simulator.close();
  }
});

test("D8: a dwell of half a minute is not taken for death", async () => {
  // longer in real time than a controller may be silent
  await simulated(
    { timeScale: 15 },
    async (machine, simulator) => {
      const lines = ["G21G90", "G0X1", "G4P30", "G0X2"];
      const { acknowledged } = await machine.run(text(lines));
      assert.is(acknowledged, 4);
      assert.equal(jobLines(simulator), [...lines, "G4P0"]);
      assert.equal(realtime(simulator), []);
      const [start, end] = ["G0X1", "G0X2"].map(
        (line) => simulator.log.lines.find((one) => one.text === line)!.seconds,
      );
      assert.ok(end! - start! >= 30);
    },
    { silenceMs: 1200 },
  );
});

/** Bytes a second of the wire. */
const WIRE = 11_520;
/** Runs that a host busy with something else may spoil before one has to be whole. */
const TRIES = 4;

test("B2: with answers 1, 4 and 16 ms late each line is exact, at no less than half of what latency and window allow", async () => {
  await simulated({}, async (machine, simulator) => {
    const lines = [...circle(300), "M5"];
    const mean = text(lines).length / lines.length;
    await machine.command("$C");
    for (const latency of [0.001, 0.004, 0.016]) {
      simulator.strike({ kind: "late", seconds: latency });
      const bound = Math.min(1, (Math.floor(128 / mean) * mean) / (latency + (mean + 4) / WIRE) / WIRE);
      let reached = 0;
      for (let tries = 0; tries < TRIES && reached < bound / 2; tries++) {
        const before = jobLines(simulator).length;
        const { bytes, seconds, acknowledged } = await machine.run(text(lines));
        reached = bytes / seconds / WIRE;
        assert.is(acknowledged, lines.length);
        assert.equal(jobLines(simulator).slice(before), [...lines, "G4P0"]);
        assert.is(simulator.log.overflow + simulator.log.overrun, 0);
      }
      assert.ok(reached >= bound / 2, `${reached} of ${bound} at ${latency} s`);
    }
    assert.is(simulator.log.faults.length, 3);
  });
});

test("B3: a job that needs 70 % of the wire never runs dry", async () => {
  // look-ahead over 15 moves has to reach the speed
  const settings = { 110: 8000, 111: 8000, 120: 2000, 121: 2000 };
  await simulated({ settings }, async (machine, simulator) => {
    const around = circle(600).slice(1);
    const seconds = text(around).length / (0.7 * WIRE);
    const feed = ((2 * Math.PI * 20) / seconds) * 60;
    const lines = [`G21G90M4S300F${feed.toFixed(1)}`, ...around, "M5"];
    const { bytesPerSecond } = await machine.check(text(lines));
    assert.ok(bytesPerSecond > 0.67 * WIRE && bytesPerSecond < 0.75 * WIRE, `${bytesPerSecond}`);
    let whole = false;
    for (let tries = 0; tries < TRIES && !whole; tries++) {
      // to where the circle begins, so that each run is the same
      await machine.run("G21G90\nG0X40Y20\n");
      const before = { lines: jobLines(simulator).length, stops: simulator.log.stops.length };
      await machine.run(text(lines));
      assert.equal(jobLines(simulator).slice(before.lines), [...lines, "G4P0"]);
      const stops = simulator.log.stops.slice(before.stops);
      whole = stops.length === 1 && stops[0]!.kind === "end";
    }
    assert.ok(whole, JSON.stringify(simulator.log.stops));
    assert.is(simulator.log.overflow, 0);
  });
});

interface Recorded {
  readonly d: "rx" | "tx" | "note";
  readonly b: string;
}

test("A6, E5: recordings played by a device on a real port give the events that the real firmware gave", async () => {
  const names = readdirSync("test/fixtures/grbl").filter((name) => name.endsWith(".jsonl"));
  assert.ok(names.length >= 6);
  let device: (bytes: Uint8Array) => void = () => {};
  const pty = await Pty.open((bytes) => device(bytes));
  const port = await openSerial(pty.path);
  try {
    for (const name of names) {
      const record = readFileSync(`test/fixtures/grbl/${name}`, "utf8")
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line) as Recorded)
        .filter(({ d }) => d === "rx" || d === "tx");
      const all = (kind: string) =>
        Buffer.from(
          record
            .filter(({ d }) => d === kind)
            .map(({ b }) => b)
            .join(""),
          "latin1",
        );
      const [said, asked] = [all("rx"), all("tx")];
      let at = 0;
      let due = 0;
      const taken: Uint8Array[] = [];
      let count = 0;
      // says each piece, as it was recorded, once it has heard what the host had sent before it
      const play = () => {
        for (; at < record.length; at++) {
          const { d, b } = record[at]!;
          if (d === "tx") due += b.length;
          else if (count < due) return;
          else pty.write(Buffer.from(b, "latin1"));
        }
      };
      device = (bytes) => {
        taken.push(bytes);
        count += bytes.length;
        play();
      };
      const reader = new LineReader();
      const events: Message[] = [];
      const got: Uint8Array[] = [];
      let size = 0;
      const ended = new Promise<void>((resolve) => {
        port.onData((bytes) => {
          got.push(Uint8Array.from(bytes));
          size += bytes.length;
          events.push(...reader.push(bytes).map(parseLine));
          if (size >= said.length) resolve();
        });
      });
      play();
      for (const { d, b } of record) if (d === "tx") port.write(Buffer.from(b, "latin1"));
      await ended;
      await until(() => count >= asked.length);
      assert.ok(Buffer.concat(got).equals(said), name);
      assert.ok(Buffer.concat(taken).equals(asked), name);
      assert.equal(events, new LineReader().push(said).map(parseLine), name);
      assert.ok(events.length > 0, name);
    }
  } finally {
    await port.close();
    await pty.close();
  }
});

test.run();
