// the link over a real pseudo-terminal and serialport, in real time
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type ConnectOptions,
  connect,
  KerfworkError,
  listPorts,
  type Machine,
  openSerial,
  type Simulator,
  startSimulator,
} from "kerfwork";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { circle, failure, LONG, text } from "./jobs.ts";

const simulated = async (
  use: (simulator: Simulator, machine: Machine) => Promise<void>,
  { timeScale = 20, ...options }: ConnectOptions & { timeScale?: number } = {},
): Promise<void> => {
  const simulator = await startSimulator({ timeScale });
  try {
    const machine = await connect(simulator.path, options);
    try {
      await use(simulator, machine);
    } finally {
      await machine.close();
    }
  } finally {
    await simulator.close();
  }
};

/** Settles when the controller has executed so many lines. */
const executedLines = async (simulator: Simulator, n: number): Promise<void> => {
  while (simulator.log.lines.length < n) await new Promise((resolve) => setTimeout(resolve, 5));
};

test("a job of 2,000 lines over a pseudo-terminal: each executed once, in order, nothing dropped", async () => {
  const lines = circle(2000, 6000);
  await simulated(async (simulator, machine) => {
    const result = await machine.run(text(lines));
    assert.is(result.acknowledged, 2001);
    const { log } = simulator;
    assert.equal(
      log.lines.map((line) => line.text),
      [")*0", "$I", "$$", "$G", ...lines, "M5", "G4P0"],
    );
    assert.ok(log.lines.slice(1).every(({ status }) => status === 0));
    assert.is(log.overflow + log.overrun, 0);
    assert.ok(log.highWater <= 128);
    assert.is(simulator.state, "Idle");
  });
});

test("hold, resume and cancel in the middle over a pseudo-terminal; the next job is clean", async () => {
  await simulated(
    async (simulator, machine) => {
      const controller = new AbortController();
      const run = failure(machine.run(LONG, { signal: controller.signal }));
      await executedLines(simulator, 10);
      await machine.hold();
      assert.is(simulator.state, "Hold:0");
      const { length } = simulator.log.lines;
      await machine.resume();
      await executedLines(simulator, length + 2);
      controller.abort();
      assert.is((await run).code, "CANCELED");
      const { realtime } = simulator.log;
      assert.equal([...new Set(realtime.map(({ byte }) => byte))], [0x21, 0x7e, 0x18]);
      assert.equal(realtime.at(-1)!.byte, 0x18);
      assert.is(realtime.at(-1)!.state, "Hold:0");
      const before = simulator.log.lines.length;
      assert.is((await machine.run("G21G90\nG0X0Y0\n")).acknowledged, 2);
      assert.equal(
        simulator.log.lines.slice(before).map((line) => line.text),
        ["$G", "G21G90", "G0X0Y0", "G4P0"],
      );
      assert.is(simulator.log.overflow, 0);
    },
    { timeScale: 5 },
  );
});

test("an error line in a job over a pseudo-terminal stops the machine", async () => {
  await simulated(async (simulator, machine) => {
    const lines = [...circle(100), "G99X1", ...circle(500)];
    const error = await machine.run(text(lines)).catch((reason) => reason as KerfworkError);
    assert.instance(error, KerfworkError);
    assert.is((error as KerfworkError).code, "MACHINE_ERROR");
    assert.is((error as KerfworkError).data!.line, 102);
    assert.ok(simulator.log.lines.length < 150);
    assert.equal(
      simulator.log.realtime.map(({ byte }) => byte),
      [0x21, 0x18],
    );
  });
});

test("a cable that is pulled in the middle settles as PORT_LOST, and a new port starts afresh", async () => {
  const simulator = await startSimulator({ timeScale: 5 });
  try {
    const machine = await connect(simulator.path);
    const run = failure(machine.run(LONG));
    await executedLines(simulator, 10);
    await simulator.unplug();
    const error = await run;
    assert.is(error.code, "PORT_LOST");
    assert.is(error.message, `${simulator.path} was disconnected`);
    assert.ok((error.data!.lastAcked as number) >= 5);
    await machine.close();
    await simulator.plug();
    const again = await connect(simulator.path);
    await again.reset();
    if (again.state === "Alarm") await again.command("$X");
    const before = simulator.log.lines.length;
    await again.run("G4P0\n");
    assert.equal(
      simulator.log.lines.slice(before).map((line) => line.text),
      ["$G", "G4P0", "G4P0"],
    );
    await again.close();
  } finally {
    await simulator.close();
  }
});

test("a port can be opened and closed many times; a second opener is told that it is busy", async () => {
  const simulator = await startSimulator({ timeScale: 20 });
  try {
    for (let i = 0; i < 5; i++) {
      const machine = await connect(simulator.path);
      const error = await failure(connect(simulator.path));
      assert.is(error.code, "PORT_BUSY");
      assert.is(error.message, `${simulator.path} is in use by another program`);
      await machine.run("G0X1\nG0X0\n");
      await machine.close();
    }
    assert.is(simulator.log.overflow, 0);
  } finally {
    await simulator.close();
  }
});

test("openSerial tells missing ports, plain files and directories apart", async () => {
  const folder = mkdtempSync(join(tmpdir(), "kerfwork-"));
  try {
    const file = join(folder, "file");
    writeFileSync(file, "");
    const missing = await failure(openSerial(join(folder, "missing")));
    assert.is(missing.code, "PORT_NOT_FOUND");
    assert.is(missing.message, `There is no serial port ${join(folder, "missing")}`);
    for (const path of [file, folder, "/dev/null"]) {
      const error = await failure(openSerial(path));
      assert.is(error.code, "PORT_NOT_SERIAL", path);
      assert.is(error.message, `${path} is not a serial port`);
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("listPorts lists without udev too", async () => {
  const ports = await listPorts();
  assert.ok(Array.isArray(ports));
  for (const { path } of ports) assert.is(typeof path, "string");
});

test("nothing keeps the process alive after close", async () => {
  const before = process.getActiveResourcesInfo().filter((name) => name !== "Immediate").length;
  await simulated(async (_simulator, machine) => {
    await machine.run("G0X1\n");
  });
  await new Promise((resolve) => setTimeout(resolve, 50));
  const after = process.getActiveResourcesInfo().filter((name) => name !== "Immediate");
  assert.ok(after.length <= before + 1, after.join());
});

test.run();
