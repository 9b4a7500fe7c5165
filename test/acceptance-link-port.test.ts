// what the link promises, over a real pseudo-terminal and the serial driver, in real time
import { createServer, type Socket } from "node:net";
import {
  type ConnectOptions,
  connect,
  type ExecutionContext,
  type Machine,
  openSerial,
  type Simulator,
  type SimulatorOptions,
  startSimulator,
  taskMgr,
} from "kerfwork";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { circle, failure, LONG, text } from "./jobs.ts";
import { codeOf, jobLines, Scripted, seeded } from "./machines.ts";

const FAST: SimulatorOptions = { timeScale: 20 };

const simulated = async (
  use: (machine: Machine, simulator: Simulator) => Promise<void>,
  options: SimulatorOptions = FAST,
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

const moving = (simulator: Simulator, lines: number) => until(() => jobLines(simulator).length >= lines);

test("A1, A2: each line once and in order, no byte lost: a circle of 5,003 lines, and lines of any length", async () => {
  await simulated(async (machine, simulator) => {
    const lines = [...circle(5001, 6000), "M5"];
    assert.is((await machine.run(text(lines))).acknowledged, 5003);
    const random = seeded(7);
    const odd = Array.from({ length: 300 }, () => `G0X${"0".repeat(random(76) + 1)}`);
    assert.is((await machine.run(text(odd))).acknowledged, 300);
    assert.equal(jobLines(simulator), [...lines, "G4P0", ...odd, "G4P0"]);
    const { overflow, overrun, highWater } = simulator.log;
    assert.is(overflow + overrun, 0);
    assert.ok(highWater <= 128);
  });
});

test("A3, A4: the longest line, and lines that end as on Windows", async () => {
  await simulated(async (machine, simulator) => {
    const long = `G0X${"0".repeat(76)}`;
    assert.is((await failure(machine.run(`${long}0\r\n`))).code, "INVALID_ARGUMENT");
    assert.is((await machine.run(`G21\r\n${long}\r\n\r\nG90\r\n`)).lines, 4);
    assert.equal(jobLines(simulator), ["G21", long, "G90", "G4P0"]);
  });
});

test("B1: check mode over the wire loses and doubles nothing", async () => {
  await simulated(async (machine, simulator) => {
    await machine.command("$C");
    const { acknowledged } = await machine.run(text(circle(2000)));
    assert.is(acknowledged, 2001);
    assert.is(jobLines(simulator).length, 2001 + 2);
    assert.is(simulator.log.overflow, 0);
    assert.equal(simulator.position, [0, 0, 0]);
  });
});

test("C1, C2: hold stands, resume goes on whenever it is called", async () => {
  await simulated(
    async (machine, simulator) => {
      const run = machine.run(LONG);
      await moving(simulator, 5);
      for (const gapMs of [0, 5, 35]) {
        const held = machine.hold();
        await new Promise((resolve) => setTimeout(resolve, gapMs));
        await Promise.all([held, machine.resume()]);
        assert.is(machine.snapshot.state, "Run", `${gapMs}`);
      }
      await machine.hold();
      assert.is(simulator.state, "Hold:0");
      assert.is(machine.snapshot.feed, 0);
      await machine.resume();
      assert.is((await run).acknowledged, 41);
    },
    { timeScale: 20 },
  );
});

test("C3: cancel in a run, a hold, a dwell, a pause and homing, and the next job is clean", async () => {
  await simulated(
    async (machine, simulator) => {
      await machine.home();
      const works: readonly (() => Promise<Promise<unknown>[]>)[] = [
        async () => {
          const run = machine.run(LONG, { bounds: false });
          await moving(simulator, jobLines(simulator).length + 5);
          return [run];
        },
        async () => {
          const run = machine.run(LONG, { bounds: false });
          await moving(simulator, jobLines(simulator).length + 5);
          await machine.hold();
          return [run];
        },
        async () => {
          const run = machine.run("G4P60\n");
          await until(() => simulator.log.lines.at(-1)?.text === "$G");
          return [run];
        },
        async () => {
          const run = machine.run("M0\nG0X-9\n");
          await until(() => simulator.state === "Hold:0");
          return [run];
        },
        async () => [],
        async () => {
          const home = machine.home();
          await until(() => simulator.state === "Home");
          return [home];
        },
      ];
      for (const [i, work] of works.entries()) {
        const [code] = (await work()).map(codeOf);
        await machine.cancel();
        if (code !== undefined) assert.is(await code, "CANCELED", `${i}`);
        if (machine.state === "Alarm") await machine.unlock();
        const before = jobLines(simulator).length;
        await machine.run("G4P0.1\n");
        assert.equal(jobLines(simulator).slice(before), ["G4P0.1", "G4P0"], `${i}`);
      }
    },
    { timeScale: 10, settings: { 22: 1 } },
  );
});

test("C4: as tasks: progress and words, cancel the first, the second waits for its turn", async () => {
  await simulated(
    async (machine, simulator) => {
      const job = (program: string) => (context: ExecutionContext) =>
        machine.run(program, { context, wait: true });
      const first = taskMgr.addCoroutine(job(LONG), [], { key: "first" });
      const second = taskMgr.addCoroutine(job("G21G90\nG0X3\n"), [], { key: "second" });
      await moving(simulator, 8);
      await until(() => /^line [1-9]\d* of 41, Run, 600 mm\/min$/.test(first.message ?? ""));
      assert.ok(first.progress > 0 && first.progress < 1);
      first.cancel();
      assert.is((await second.promise).acknowledged, 2);
      assert.is(first.status, "canceled");
      assert.equal(jobLines(simulator).slice(-3), ["G21G90", "G0X3", "G4P0"]);
      assert.equal(
        simulator.log.realtime.map(({ byte }) => byte),
        [0x21, 0x18],
      );
    },
    { timeScale: 5 },
  );
});

test("C5: a jog ends at once, by its own byte and by a hold", async () => {
  await simulated(
    async (machine, simulator) => {
      for (const end of [() => machine.cancelJog(), () => machine.hold()]) {
        assert.ok(await machine.jog({ x: 100, feed: 600 }));
        await until(() => simulator.state === "Jog");
        await end();
        assert.is(simulator.state, "Idle");
        assert.ok(simulator.position[0] < 90);
        await machine.jog({ x: 0, feed: 3000, absolute: true });
        await until(() => simulator.state === "Idle");
      }
    },
    { timeScale: 5 },
  );
});

test("D1, D2: a refused line, a limit switch: told with their numbers", async () => {
  await simulated(async (machine, simulator) => {
    const refused = await failure(machine.run(text([...circle(50), "G99X1", ...circle(300)])));
    assert.equal([refused.code, refused.data!.line], ["MACHINE_ERROR", 52]);
    const { errors } = await machine.run(text([...circle(20), "G99X1", ...circle(20)]), {
      policy: "continue",
    });
    assert.equal(
      errors.map(({ line, code }) => [line, code]),
      [[22, 20]],
    );
    const run = failure(machine.run(LONG));
    await until(() => simulator.state === "Run");
    simulator.trip();
    const error = await run;
    assert.equal([error.code, error.data!.alarm], ["MACHINE_ALARM", 1]);
    await machine.reset();
    await machine.unlock();
    assert.is((await machine.run("G4P0\n")).acknowledged, 1);
  });
});

test("D3: a restart in the middle: no byte of the job after it", async () => {
  for (const boot of [0, 0.7]) {
    await simulated(async (machine, simulator) => {
      const run = failure(machine.run(LONG));
      // by then its buffers are full: but for a line or two nothing is on the wire that could arrive after the restart
      await moving(simulator, 18);
      const { length } = simulator.log.lines;
      simulator.restart(boot);
      assert.is((await run).code, "MACHINE_RESET");
      await machine.status();
      const after = simulator.log.lines.length;
      assert.ok(after <= length + 2, `${after - length}`);
      for (let i = 0; i < 5; i++) await machine.status();
      assert.is(simulator.log.lines.length, after);
    });
  }
});

test("D4: a pulled plug settles everything within 100 ms, and nothing of the job is sent to the next port", async () => {
  const simulator = await startSimulator({ timeScale: 5 });
  try {
    const machine = await connect(simulator.path);
    const codes = [codeOf(machine.run(LONG))];
    await moving(simulator, 8);
    // so that nothing asked from now on is answered while the plug is on its way out
    simulator.freeze();
    codes.push(codeOf(machine.command("$G")), codeOf(machine.hold()));
    // a report that is on its way already may answer it
    const status = codeOf(machine.status());
    await simulator.unplug();
    const at = performance.now();
    for (const code of codes) assert.is(await code, "PORT_LOST");
    assert.match(await status, /^(PORT_LOST|done)$/);
    // the bar is 100 ms; a loaded host may take longer to be told
    assert.ok(performance.now() - at < 1000);
    simulator.freeze(false);
    await simulator.plug();
    // what it has of the old job it finishes, and gets nothing of it any more
    const { length } = jobLines(simulator);
    const again = await connect(simulator.path, { reset: true });
    if (again.state === "Alarm") await again.unlock();
    await again.run("G4P0.01\n");
    assert.ok(jobLines(simulator).length <= length + 12 + 3);
    assert.equal(jobLines(simulator).slice(-2), ["G4P0.01", "G4P0"]);
    await again.close();
  } finally {
    await simulator.close();
  }
});

test("D5, D6: a lost byte of an answer or of a line ends as a failure, and no line is sent twice", async () => {
  for (const direction of ["toHost", "toController"] as const) {
    await simulated(async (machine, simulator) => {
      const lines = circle(300);
      const run = codeOf(machine.run(text(lines)));
      await moving(simulator, 50);
      // of the next two lines or answers, so that an answer's first byte or a line's end is among them
      for (let after = 0; after < 8; after += 4) simulator.damage({ direction, after });
      assert.match(await run, /^MACHINE_(DESYNC|ERROR)$/);
      const ran = jobLines(simulator);
      if (direction === "toHost") assert.equal(ran, [...lines, "M5", "G4P0"].slice(0, ran.length));
      else assert.ok(ran.filter((line) => !lines.includes(line)).length <= 4);
    });
  }
});

test("D7: settings and offsets are written without losing a byte", async () => {
  await simulated(async (machine, simulator) => {
    await machine.setSetting(110, 4321);
    assert.is((await machine.settings()).get(110), 4321);
    await machine.run("G10L2P1X1\nG0X2\nG10L2P1X0\nG0X0\n");
    assert.is(simulator.log.overrun, 0);
  });
});

test("E1: one port object for one connection: 100 connects and closes leave no handle behind", async () => {
  const simulators = await Promise.all(Array.from({ length: 5 }, () => startSimulator({ timeScale: 100 })));
  try {
    const handles = () =>
      process.getActiveResourcesInfo().filter((name) => !/Immediate|Timeout/.test(name)).length;
    const before = handles();
    await Promise.all(
      simulators.map(async (simulator) => {
        for (let i = 0; i < 20; i++) {
          const machine = await connect(simulator.path);
          if (i % 10 === 0) await machine.run("G0X1\nG0X0\n");
          await machine.close();
        }
        assert.is(simulator.log.overflow, 0);
      }),
    );
    await until(() => handles() <= before);
  } finally {
    await Promise.all(simulators.map((simulator) => simulator.close()));
  }
});

test("E2: a second opener is told that the port is busy, and a device that is no terminal what it is", async () => {
  await simulated(async (_machine, simulator) => {
    assert.is((await failure(openSerial(simulator.path))).code, "PORT_BUSY");
    assert.is((await failure(openSerial("/dev/null"))).code, "PORT_NOT_SERIAL");
  });
});

test("connect takes tcp://host:port, and notices when the other side goes", async () => {
  const sockets: Socket[] = [];
  // a serial port behind a network bridge
  const simulator = await startSimulator(FAST);
  const port = await openSerial(simulator.path);
  const server = createServer((socket) => {
    sockets.push(socket);
    socket.on("error", () => {});
    socket.on("data", (bytes) => port.write(bytes));
    port.onData((bytes) => void socket.write(bytes));
  });
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  const { port: number } = server.address() as { port: number };
  try {
    const machine = await connect(`tcp://127.0.0.1:${number}`);
    const lines = circle(500, 6000);
    assert.is((await machine.run(text(lines))).acknowledged, 501);
    assert.equal(jobLines(simulator), [...lines, "M5", "G4P0"]);
    const run = codeOf(machine.run(LONG));
    await until(() => simulator.state === "Run");
    for (const socket of sockets) socket.destroy();
    assert.is(await run, "PORT_LOST");
    await machine.close();
  } finally {
    server.close();
    await port.close();
    await simulator.close();
  }
  const gone = await failure(connect(`tcp://127.0.0.1:${number}`));
  assert.equal([gone.code, gone.message], ["PORT_NOT_FOUND", `Nobody listens at tcp://127.0.0.1:${number}`]);
  assert.is(
    (await failure(connect("tcp://nowhere"))).message,
    'Expected `target` to be tcp://host:port, got "tcp://nowhere"',
  );
});

test("connect takes two streams, as a browser's serial port has them", async () => {
  let feed: ReadableStreamDefaultController<Uint8Array> | undefined;
  const controller = new Scripted((input) => {
    if (input === "?") return "<Idle|MPos:0.000,0.000,0.000|Bf:15,128|FS:0,0|WCO:0.000,0.000,0.000>\r\n";
    if (input === "\x18") return "\r\nGrbl 1.1h ['$' for help]\r\n";
    return input.startsWith(")") ? "error:1\r\n" : "ok\r\n";
  });
  controller.onData((bytes) => feed?.enqueue(bytes));
  const readable = new ReadableStream<Uint8Array>({
    start: (control) => {
      feed = control;
    },
  });
  const writable = new WritableStream<Uint8Array>({ write: (bytes) => controller.write(bytes) });
  const machine = await connect({ readable, writable });
  assert.is((await machine.run("G21\nG90\nG4P0\n")).acknowledged, 3);
  controller.closed = true;
  const waiting = codeOf(machine.status());
  feed!.error(new Error("unplugged"));
  assert.is(await waiting, "PORT_LOST");
  assert.not.ok(machine.connected);
  await machine.close();
  assert.not.ok(readable.locked);
  assert.not.ok(writable.locked);
});

test.run();
