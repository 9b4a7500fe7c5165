import { createServer, connect as dial } from "node:net";
import {
  connect,
  type Fault,
  type LogRecord,
  openSerial,
  randomFaults,
  type Simulator,
  simulate,
  startSimulator,
  type Transport,
  VirtualClock,
} from "kerfwork";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { Bench } from "./controller.ts";

/** A simulator on virtual time, and a host that counts nothing and only listens. */
class Desk {
  readonly clock = new VirtualClock();
  readonly simulator: Simulator;
  said = "";
  lost = 0;
  transport: Transport;

  constructor(options: Parameters<typeof simulate>[0] = {}) {
    this.simulator = simulate({ ...options, clock: this.clock });
    this.transport = this.open();
  }

  open(): Transport {
    const transport = this.simulator.open();
    transport.onData((bytes) => {
      this.said += Buffer.from(bytes).toString("latin1");
    });
    transport.onClose((reason) => {
      assert.is(reason.code, "PORT_LOST");
      this.lost++;
    });
    return transport;
  }

  async run(seconds: number, bytes = ""): Promise<string[]> {
    this.said = "";
    if (bytes !== "") this.transport.write(Buffer.from(bytes, "latin1"));
    await this.clock.advance(seconds);
    return this.said.split("\r\n").filter((line) => line !== "");
  }
}

test("simulate: a connection without a port, on virtual time", async () => {
  const desk = new Desk();
  assert.equal(await desk.run(0.1), ["Grbl 1.1h ['$' for help]"]);
  assert.equal(await desk.run(0.001, "G4P0\n"), ["ok"]);
  assert.equal(await desk.run(3600, "G1X5F600\n"), ["ok"]);
  assert.equal(desk.simulator.position, [5, 0, 0]);
  assert.is(desk.simulator.log.received, 14);
  assert.is(desk.simulator.log.blocks, 1);
  // another connection ends the one before
  const old = desk.transport;
  desk.transport = desk.open();
  assert.is(desk.lost, 1);
  old.write(Buffer.from("G1X9\n"));
  assert.equal(await desk.run(1, "\n"), ["ok"]);
  await desk.simulator.close();
});

test("simulate: kerfwork's own link runs over it", async () => {
  const clock = new VirtualClock();
  const simulator = simulate({ clock });
  const machine = await clock.run(connect(simulator.open(), { clock }));
  const result = await clock.run(machine.run("G1X10F6000\nX0\n"));
  assert.is(result.acknowledged, 2);
  await machine.close();
  await simulator.close();
});

test("fault unplug: the host sees a hang-up, the controller goes on, and the cable comes back", async () => {
  const desk = new Desk();
  await desk.run(0.5, "G1X20F1200\nX0\nX5\n");
  desk.simulator.strike({ kind: "unplug", seconds: 2 });
  await desk.run(1);
  assert.is(desk.lost, 1);
  assert.throws(
    () => desk.simulator.open(),
    (error: Error & { code: string }) => error.code === "PORT_NOT_FOUND",
  );
  desk.transport.write(Buffer.from("G0X100\n"));
  await desk.run(1.5);
  desk.transport = desk.open();
  assert.equal(await desk.run(3, "\n"), ["ok"]);
  assert.equal(desk.simulator.position, [5, 0, 0]);
  assert.equal(
    desk.simulator.log.lines.map(({ text }) => text),
    ["G1X20F1200", "X0", "X5"],
  );
});

test("fault restart: at a time of the controller's clock, bytes of the boot are lost", async () => {
  const desk = new Desk();
  desk.simulator.strike({ kind: "restart", bootSeconds: 0.7 }, 1);
  await desk.run(0.9, "G1X20F1200\n");
  assert.equal(await desk.run(0.5, "X1\nX2\n"), ["ok", "ok"]);
  assert.equal(await desk.run(0.6, "X3\n"), ["Grbl 1.1h ['$' for help]"]);
  assert.equal(desk.simulator.position, [0, 0, 0]);
  assert.equal(
    desk.simulator.log.resets.map(({ kind, seconds }) => `${kind} ${seconds.toFixed(3)}`),
    ["power 0.000", "power 1.700"],
  );
  assert.equal(
    desk.simulator.log.lost.map(({ byte, why }) => `${String.fromCharCode(byte)} ${why}`),
    ["X overrun", "3 overrun", "\n overrun"],
  );
});

test("fault stall: nothing is taken, nothing is lost", async () => {
  const desk = new Desk();
  await desk.run(0.1);
  desk.simulator.strike({ kind: "stall", seconds: 30 });
  assert.equal(await desk.run(29, "G0X1\n".repeat(100)), []);
  assert.is((await desk.run(3)).length, 100);
  assert.is(desk.simulator.log.overflow, 0);
});

test("fault freeze: what arrives meanwhile is lost, then it goes on", async () => {
  const desk = new Desk();
  await desk.run(0.5, "G1X20F1200\n");
  const { position } = desk.simulator;
  desk.simulator.strike({ kind: "freeze", seconds: 2 });
  assert.equal(await desk.run(1.9, "?G0X1\n"), []);
  assert.equal(desk.simulator.position, position);
  await desk.run(5);
  assert.equal(desk.simulator.position, [20, 0, 0]);
  assert.is(desk.simulator.log.overrun, 6);
});

test("fault late: answers come so much later, in order, and nothing else does", async () => {
  const desk = new Desk();
  await desk.run(0.1);
  desk.simulator.strike({ kind: "late", seconds: 0.016 });
  const sent = desk.clock.now();
  const times: number[] = [];
  desk.transport.onData((bytes) => {
    for (const byte of bytes) if (byte === 10) times.push(desk.clock.now() - sent);
  });
  await desk.run(0.5, "\n\n");
  const byte = 10 / 115_200;
  assert.is(times.length, 2);
  assert.ok(Math.abs(times[0]! - 0.016 - 5 * byte) < byte / 2, `${times[0]}`);
  assert.ok(Math.abs(times[1]! - 0.016 - 9 * byte) < byte / 2, `${times[1]}`);
  assert.ok(desk.simulator.log.faults.some(({ what }) => what === "answers 0.016 s late"));
});

test("fault slow: each line takes its time", async () => {
  const desk = new Desk();
  desk.simulator.strike({ kind: "slow", lineSeconds: 0.1 });
  assert.is((await desk.run(0.95, "\n".repeat(20))).filter((line) => line === "ok").length, 9);
});

test("fault damage: the n-th byte of either direction, and the log has it", async () => {
  const desk = new Desk();
  await desk.run(0.1);
  desk.simulator.strike({ kind: "damage", direction: "toController", after: 2, flip: 1 });
  desk.simulator.strike({ kind: "damage", direction: "toHost", after: 1, flip: 0 });
  assert.equal(await desk.run(0.1, "G0X0\nG4P0\n"), ["o", "ok"]);
  assert.equal(
    desk.simulator.log.lines.map(({ text }) => text),
    ["G0Y0", "G4P0"],
  );
  assert.equal(
    desk.simulator.log.lost.map(
      ({ byte, why, direction }) => `${String.fromCharCode(byte)} ${why} ${direction}`,
    ),
    ["X damage toController", "k damage toHost"],
  );
});

test("fault trip and pins: switches as a person would close them", async () => {
  const desk = new Desk();
  await desk.run(0.5, "G1X20F1200\n");
  desk.simulator.strike({ kind: "pins", door: true });
  assert.equal(await desk.run(0.5), ["[MSG:Check Door]"]);
  assert.is(desk.simulator.state, "Door:1");
  desk.simulator.strike({ kind: "trip" });
  assert.equal(await desk.run(1), ["ALARM:1", "[MSG:Reset to continue]"]);
});

test("a fault can follow from what the controller did", async () => {
  let fired = 0;
  const desk: Desk = new Desk({
    onLog: ({ kind, entry }) => {
      if (kind !== "lines" || entry.text !== "X2" || fired++ > 0) return;
      assert.match(desk.simulator.state, /Run|Idle/);
      desk.simulator.strike({ kind: "restart", bootSeconds: 0.1 });
    },
  });
  const said = await desk.run(1, "G1F6000\nX1\nX2\nX3\n");
  assert.is(fired, 1);
  assert.is(said.at(-1), "Grbl 1.1h ['$' for help]");
  assert.equal(
    desk.simulator.log.lines.map(({ text }) => text),
    ["G1F6000", "X1", "X2"],
  );
});

test("a fault that is none is refused", () => {
  const desk = new Desk();
  assert.throws(
    () => desk.simulator.strike({ kind: "lightning" } as unknown as Fault),
    /Expected `fault` to be a known kind of fault/,
  );
  assert.throws(
    () => desk.simulator.strike({ kind: "stall", seconds: -1 }),
    /Expected `fault.seconds` to be a finite number >= 0, got -1/,
  );
  assert.throws(() => desk.simulator.strike({ kind: "trip" }, Number.NaN), /Expected `seconds` to be/);
});

test("faults from a seed: the same run, to the byte, every time; another seed is another one", async () => {
  const run = async (seed: number) => {
    const records: LogRecord[] = [];
    const desk = new Desk({ onLog: (record) => records.push(record), keepLog: false });
    const next = randomFaults(seed);
    let said = "";
    for (let i = 1; i <= 40; i++) {
      desk.simulator.strike(next(), i * 0.37);
      try {
        desk.transport = desk.open();
      } catch {
        // the cable is out
      }
      said += (await desk.run(0.5, `G1X${i % 7}F3000\n?`)).join("\n");
    }
    assert.is(desk.simulator.log.lines.length, 0, "nothing is kept");
    return { said, records };
  };
  const first = await run(5);
  assert.equal(await run(5), first);
  assert.is.not((await run(6)).said, first.said);
  const kinds = new Set(first.records.map(({ kind }) => kind));
  for (const kind of ["lines", "resets", "faults", "lost"] as const) assert.ok(kinds.has(kind), kind);
});

test("after any row of faults a reset and an unlock make the controller answer and move again", async () => {
  const desk = new Desk({ settings: { 110: 60_000, 120: 5000 } });
  const next = randomFaults(11);
  for (let round = 0; round < 60; round++) {
    for (let i = 0; i < 5; i++) desk.simulator.strike(next(), i * 0.2);
    for (let i = 0; i < 8; i++) await desk.run(0.2, `G1X${i}F3000\n$J=G91X1F500\n?!~\x84`);
    // all faults have run out, but for the switches, and damage that has not struck
    await desk.run(4);
    desk.simulator.strike({ kind: "pins", limits: "", door: false, probe: false });
    desk.simulator.strike({ kind: "late", seconds: 0 });
    desk.simulator.firmware.uart.heal();
    desk.transport = desk.open();
    await desk.run(3, "\x18");
    await desk.run(1, "\x18");
    assert.ok((await desk.run(0.5, "\n$X\n")).includes("ok"), `${round}: ${desk.said}`);
    assert.match(desk.simulator.state, "Idle", `${round}`);
    assert.equal(await desk.run(10, `G21G90G53G0X${round}\n`), ["ok"]);
    assert.is(desk.simulator.position[0], round);
  }
});

test("what is planned for the controller's clock happens then, also while it hangs", () => {
  const bench = new Bench();
  const times: number[] = [];
  bench.firmware.freeze(true);
  for (const seconds of [0.5, 0.2, 0.9]) bench.firmware.after(seconds, () => times.push(bench.firmware.now));
  bench.run(2);
  assert.equal(
    times.map((time) => Number(time.toFixed(9))),
    [0.3, 0.6, 1],
  );
});

test("startSimulator on a pseudo-terminal: unplug is a hang-up, the controller goes on, plug is a new port", async () => {
  const simulator = await startSimulator({ timeScale: 100 });
  try {
    const open = async () => {
      const port = await openSerial(simulator.path);
      let text = "";
      let look = (): void => {};
      port.onData((bytes) => {
        text += Buffer.from(bytes).toString("latin1");
        look();
      });
      const until = (wanted: string) =>
        new Promise<void>((done) => {
          look = () => text.includes(wanted) && done();
          look();
        });
      return { port, until };
    };
    const first = await open();
    first.port.write(Buffer.from("\nG1X50F600\nX0\n"));
    await first.until("ok\r\n".repeat(3));
    const lost = new Promise<string>((done) => first.port.onClose((reason) => done(reason.code)));
    await simulator.unplug();
    assert.is(await lost, "PORT_LOST");
    first.port.write(Buffer.from("G1X9\n"));
    await simulator.plug();
    const second = await open();
    // waits for the motion, which nothing has stopped
    second.port.write(Buffer.from("\nG4P0\n"));
    await second.until("ok\r\nok\r\n");
    assert.equal(
      simulator.log.lines.map(({ text }) => text),
      ["G1X50F600", "X0", "G4P0"],
    );
    assert.equal(simulator.position, [0, 0, 0]);
    await second.port.close();
  } finally {
    await simulator.close();
  }
});

test("startSimulator over TCP: one host at a time, a hang-up at unplug, the same port after it", async () => {
  const simulator = await startSimulator({ tcp: {}, timeScale: 100 });
  const host = (): Promise<{
    said: () => string;
    until: (text: string) => Promise<void>;
    closed: Promise<void>;
    write(text: string): void;
    end(): void;
  }> =>
    new Promise((resolve, reject) => {
      const socket = dial(simulator.port!, "127.0.0.1");
      let text = "";
      let look = (): void => {};
      socket.on("data", (chunk) => {
        text += chunk.toString("latin1");
        look();
      });
      const closed = new Promise<void>((done) => socket.on("close", () => done()));
      socket.once("error", reject);
      socket.once("connect", () =>
        resolve({
          said: () => text,
          until: (wanted) =>
            new Promise((done) => {
              look = () => text.includes(wanted) && done();
              look();
            }),
          closed,
          write: (bytes) => socket.write(bytes, "latin1"),
          end: () => socket.destroy(),
        }),
      );
    });
  try {
    assert.match(simulator.path, /^tcp:\/\/127\.0\.0\.1:\d+$/);
    const first = await host();
    first.write("\n?");
    await first.until(">\r\n");
    assert.match(first.said(), /ok\r\n<Idle\|MPos:0\.000/);
    // a second one is hung up on
    await (await host()).closed;
    await simulator.unplug();
    await first.closed;
    let refused = false;
    await host().catch(() => {
      refused = true;
    });
    assert.ok(refused);
    const { port } = simulator;
    await simulator.plug();
    assert.is(simulator.port, port);
    const again = await host();
    // far more than the wire takes at once
    again.write("(ten bytes)\n".repeat(2000));
    await again.until("ok\r\n".repeat(2000));
    assert.is(simulator.log.overflow, 0);
    again.end();
  } finally {
    await simulator.close();
  }
});

test("startSimulator over TCP says when the port is taken", async () => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  const error = await startSimulator({ tcp: { port } }).then(
    () => undefined,
    (reason: Error & { code: string }) => reason,
  );
  assert.is(error?.code, "SIMULATOR_FAILED");
  assert.match(
    error!.message,
    new RegExp(`^Cannot listen on 127\\.0\\.0\\.1:${port} for the simulated controller: `),
  );
  await new Promise((resolve) => server.close(resolve));
});

test.run();
