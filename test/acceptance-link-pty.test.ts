// the rest of what the link promises, over a real pseudo-terminal and the serial driver, in real time
import {
  type ConnectOptions,
  connect,
  type Machine,
  type Simulator,
  type SimulatorOptions,
  startSimulator,
} from "kerfwork";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { circle, failure, LONG, text } from "./jobs.ts";
import { jobLines } from "./machines.ts";

const simulated = async (
  options: SimulatorOptions,
  use: (machine: Machine, simulator: Simulator) => Promise<void>,
  link: ConnectOptions = {},
): Promise<void> => {
  const simulator = await startSimulator(options);
  try {
    const machine = await connect(simulator.path, link);
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
        const lines = slow(400);
        assert.is((await machine.run(text(lines))).acknowledged, 401);
        assert.equal(jobLines(simulator), [...lines, "G4P0"]);
        const { overflow, overrun, highWater } = simulator.log;
        assert.is(overflow + overrun, 0);
        assert.ok(highWater > window - 20 && highWater <= window, `${dialect}: ${highWater}`);
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
  await simulated({ blank: true, timeScale: 5 }, async (machine, simulator) => {
    assert.equal([machine.state, machine.window], ["Idle", 128]);
    const lines = circle(200, 6000);
    assert.is((await machine.run(text([...lines, "M5"]))).acknowledged, 202);
    assert.equal(jobLines(simulator), [...lines, "M5", "G4P0"]);
  });
  const heard: string[] = [];
  const onLine = (line: string) => void heard.push(line);
  const simulator = await startSimulator({ timeScale: 5 });
  try {
    const first = await connect(simulator.path, { onLine });
    await first.command("$N0=G54");
    // the connection sees the start, and the next one makes it
    await first.reset();
    await first.close();
    const second = await connect(simulator.path, { onLine, reset: true });
    assert.is((await second.run("G21\nG90\nG0X1\n")).acknowledged, 3);
    assert.is(heard.filter((line) => line === ">G54:ok").length, 2);
    await second.close();
    // it starts while somebody connects
    simulator.restart(0.5);
    const third = await connect(simulator.path, { onLine });
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
  await simulated({ timeScale: 15 }, async (machine, simulator) => {
    const lines = ["G21G90", "G0X1", "G4P30", "G0X2"];
    const { acknowledged } = await machine.run(text(lines));
    assert.is(acknowledged, 4);
    assert.equal(jobLines(simulator), [...lines, "G4P0"]);
    assert.equal(realtime(simulator), []);
    const [start, end] = ["G0X1", "G0X2"].map(
      (line) => simulator.log.lines.find((one) => one.text === line)!.seconds,
    );
    assert.ok(end! - start! >= 30);
  });
});

test.run();
