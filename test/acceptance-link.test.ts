// what the link promises, case by case, against simulated controllers on virtual time
import { readdirSync, readFileSync } from "node:fs";
import {
  connect,
  Firmware,
  KerfworkError,
  LineReader,
  type Machine,
  type MachineState,
  parseLine,
  type RunOptions,
  type RunProgress,
  SimulatedTransport,
  type Transport,
  VirtualClock,
} from "kerfwork";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { circle, failure, LONG, text } from "./jobs.ts";
import {
  type Bench,
  bench,
  codeOf,
  jobLines,
  Latent,
  realtimeOf,
  Scripted,
  seeded,
  untilAsked,
} from "./machines.ts";

/** Bytes a second of the wire. */
const WIRE = 11_520;

test("A1: of 5,003 lines each is executed once and in order, and the buffer never overflows", async () => {
  const lines = [...circle(5001, 6000), "M5"];
  const { machine, firmware, clock, executed } = await bench();
  const result = await clock.run(machine.run(text(lines)));
  assert.is(result.acknowledged, 5003);
  assert.equal(executed(), [...lines, "G4P0"]);
  assert.is(firmware.uart.overflow + firmware.uart.overrun, 0);
});

test("A2: the same with random lines of 1 to 79 characters, 20 times", async () => {
  for (let seed = 1; seed <= 20; seed++) {
    const random = seeded(seed);
    const lines = Array.from({ length: 100 }, () => {
      const size = random(79) + 1;
      const short = ["", "M5", "G21"][size - 1];
      return short || (size < 3 ? "M5" : `G0X${"0".repeat(size - 3)}`.padEnd(4, "0"));
    });
    const { machine, firmware, clock, executed } = await bench({ lineSeconds: random(3) / 1000 });
    await clock.run(machine.run(text(lines)));
    assert.equal(executed(), [...lines, "G4P0"], `seed ${seed}`);
    assert.is(firmware.uart.overflow, 0);
    assert.ok(firmware.uart.highWater <= 128);
  }
});

test("A3: a line of 79 characters is sent, one of 80 refuses the program before its first byte", async () => {
  const { machine, clock, executed } = await bench();
  const line = (n: number) => `G0X${"0".repeat(n - 3)}`;
  const error = await clock.run(failure(machine.run(`G21\n${line(80)}\n`)));
  assert.is(
    error.message,
    "Expected line 2 of `program` to be at most 79 characters, spaces and comments left out, got 80",
  );
  assert.equal(executed(), []);
  // comments are not sent, so the line may be longer than the whole buffer
  await clock.run(machine.run(`${line(79)} (${"x".repeat(200)})\n`));
  assert.equal(executed(), [line(79), "G4P0"]);
});

test("A4: lines that end with a carriage return and a line feed are answered once", async () => {
  const { machine, clock, executed, heard } = await bench();
  const before = heard.filter((line) => line === "ok").length;
  const result = await clock.run(machine.run("G21\r\nG90\r\n\r\nG0X1\r\n"));
  assert.is(result.lines, 4);
  assert.equal(executed(), ["G21", "G90", "G0X1", "G4P0"]);
  // and one for the question about the modes
  assert.is(heard.filter((line) => line === "ok").length - before, 5);
});

/** A GRBL made of its answers, with as many bytes of buffer as it is said to have. */
const scripted = (banner: string, options: string, free: number, extra: readonly string[] = []) => {
  const clock = new VirtualClock();
  const transport: Scripted = new Scripted(
    (input) => {
      if (input === "?")
        return `<Idle|MPos:0.000,0.000,0.000|Bf:${options === "" ? 15 : 100},${free}|FS:0,0|WCO:0.000,0.000,0.000>\r\n`;
      if (input === "\x18") return `\r\n${banner}\r\n`;
      if (input === "!" || input === "~") return "";
      if (input === "$I")
        return `[VER:1.1f.20230101:]\r\n${options}${extra.map((line) => `${line}\r\n`).join("")}ok\r\n`;
      if (input === "$$")
        return "$22=1\r\n$130=200.000\r\n$131=200.000\r\n$132=10.000\r\n$384=0\r\n$74=name\r\nok\r\n";
      if (input.startsWith(")")) return "error:1\r\n";
      return "ok\r\n";
    },
    { clock },
  );
  return { clock, transport };
};

test("A5, E4: the window is the least of what the controller says of its buffer and what is free in it", async () => {
  for (const [banner, options, free, extra, window, dialect] of [
    ["Grbl 1.1h ['$' for help]", "[OPT:V,15,128]\r\n", 128, [], 128, "grbl"],
    ["Grbl 1.1h ['$' for help]", "[OPT:V,15,254]\r\n", 128, [], 128, "grbl"],
    [
      "GrblHAL 1.1f ['$' or '$HELP' for help]",
      "[OPT:V,100,1024,3,0]\r\n",
      1023,
      ["[FIRMWARE:grblHAL]"],
      1023,
      "grblhal",
    ],
    [
      "GrblHAL 1.1f ['$' or '$HELP' for help]",
      "[OPT:V,100,1024,3,0]\r\n",
      1024,
      ["[FIRMWARE:grblHAL]"],
      1023,
      "grblhal",
    ],
    [
      "Grbl 3.7 [FluidNC v3.7.12 (wifi) '$' for help]",
      "[OPT:PHS]\r\n",
      255,
      ["[VER:3.7 FluidNC v3.7.12:]"],
      255,
      "fluidnc",
    ],
  ] as const) {
    const { clock, transport } = scripted(banner, options, free, extra);
    const machine = await clock.run(connect(transport, { clock }));
    assert.equal([machine.window, machine.dialect], [window, dialect], banner);
    assert.equal(machine.limits.travel, [200, 200, 10]);
    // not one byte that waits for an answer is beyond the window
    let most = 0;
    const write = transport.write.bind(transport);
    transport.write = (bytes) => {
      most = Math.max(most, bytes.length);
      write(bytes);
    };
    await clock.run(
      machine.run(text([...Array.from({ length: 300 }, (_, i) => `G1X-${i % 100}F500`), "G0X0"])),
    );
    assert.ok(most > window - 20 && most <= window, `${most}`);
    await clock.run(machine.close());
  }
});

test("A6, E5: recordings of real firmware give the same events, wherever their chunks end", () => {
  const names = readdirSync("test/fixtures/grbl").filter((name) => name.endsWith(".jsonl"));
  assert.ok(names.length >= 6);
  for (const name of names) {
    const bytes = Buffer.from(
      readFileSync(`test/fixtures/grbl/${name}`, "utf8")
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line) as { d: string; b: string })
        .filter(({ d }) => d === "rx")
        .map(({ b }) => b)
        .join(""),
      "latin1",
    );
    const events = (chunks: Iterable<Uint8Array>) => {
      const reader = new LineReader();
      return [...chunks].flatMap((chunk) => reader.push(chunk)).map(parseLine);
    };
    const whole = events([bytes]);
    // the first line can be cut, and another baud rate or a first start is noise
    const unknown = whole.slice(1).filter(({ type }) => type === "unknown");
    assert.ok(unknown.length <= whole.length / 10, `${name}: ${JSON.stringify(unknown.slice(0, 3))}`);
    assert.equal(events(Array.from(bytes, (byte) => Uint8Array.of(byte))), whole, name);
    const random = seeded(bytes.length);
    for (let round = 0; round < 3; round++) {
      const chunks: Uint8Array[] = [];
      for (let at = 0; at < bytes.length; ) {
        const end = at + 1 + random(40);
        chunks.push(bytes.subarray(at, end));
        at = end;
      }
      assert.equal(events(chunks), whole, name);
    }
    // every single place, in a stretch of it
    const stretch = bytes.subarray(0, 1500);
    const all = events([stretch]);
    for (let at = 0; at <= stretch.length; at++)
      assert.equal(events([stretch.subarray(0, at), stretch.subarray(at)]), all, `${name} at ${at}`);
  }
});

/** Runs a job without motion over a wire that delays; the share of the wire's rate that it reached. */
const rate = async (latency: number, lines: readonly string[]): Promise<number> => {
  const { machine, clock, firmware } = await bench(
    {},
    {},
    (inner, clock) => new Latent(inner, clock, latency),
  );
  await clock.run(machine.command("$C"));
  const { bytes, seconds } = await clock.run(machine.run(text(lines)));
  assert.is(firmware.uart.overflow, 0);
  return bytes / seconds / WIRE;
};

test("B1, B2: check mode goes at the wire's rate, and with latency at what latency and window allow", async () => {
  const lines = [...circle(3000), "M5"];
  const mean = text(lines).length / lines.length;
  for (const [latency, share] of [
    [0, 0.98],
    [0.001, 0.95],
    [0.004, 0.95],
    [0.016, 0.95],
  ] as const) {
    const window = Math.floor(128 / mean) * mean;
    const bound = Math.min(1, window / (latency + (mean + 4) / WIRE) / WIRE);
    const reached = await rate(latency, lines);
    assert.ok(reached >= share * bound, `${latency * 1000} ms: ${reached} of ${bound}`);
  }
});

/** What a job's motion takes by itself: its lines are put into the receive buffer as soon as there is room, at once. */
const motionOf = (settings: Record<number, number>, lines: readonly string[]): number => {
  const firmware = new Firmware({ settings, baud: 1e9 });
  const step = () => firmware.advance(firmware.now + 0.0005);
  step();
  for (const line of lines) {
    while (firmware.uart.rxFree < line.length + 1) step();
    firmware.uart.send(Buffer.from(`${line}\n`), firmware.now);
    firmware.advance(firmware.now + 1e-6);
  }
  while (firmware.log.lines.length < lines.length) step();
  return motionSeconds(firmware);
};

/** From the first line until it stood, and it stood only once. */
const motionSeconds = ({ log }: Firmware): number => {
  assert.equal(
    log.stops.map(({ kind }) => kind),
    ["end"],
  );
  return log.stops[0]!.seconds - log.lines.find(({ text }) => text.startsWith("G21"))!.seconds;
};

test("B3: a job that needs 70 % of the wire takes no longer than its motion", async () => {
  // look-ahead over 15 moves has to reach the speed
  const settings = { 110: 8000, 111: 8000, 120: 2000, 121: 2000 };
  const { machine, clock, firmware } = await bench({ settings });
  const around = circle(4000).slice(1);
  // so fast that its bytes take 70 % of the wire
  const length = 2 * Math.PI * 20;
  const seconds = text(around).length / (0.7 * WIRE);
  const lines = [`G21G90M4S300F${((length / seconds) * 60).toFixed(1)}`, ...around, "M5"];
  const check = await clock.run(machine.check(text(lines)));
  assert.ok(!check.starves);
  assert.ok(check.bytesPerSecond > 0.69 * WIRE && check.bytesPerSecond < WIRE, `${check.bytesPerSecond}`);
  await clock.run(machine.run(text(lines)));
  const [took, motion] = [motionSeconds(firmware), motionOf(settings, lines)];
  assert.ok(took <= motion * 1.01, `${took} for ${motion}`);
  assert.is(firmware.uart.overflow, 0);
});

test("a large buffer is filled no faster than the wire carries, so that a hold is not held up", async () => {
  const { clock, transport } = scripted(
    "GrblHAL 1.1f ['$' or '$HELP' for help]",
    "[OPT:V,100,1024]\r\n",
    1023,
  );
  const rated = Object.assign(transport, { bytesPerSecond: WIRE });
  const machine = await clock.run(connect(rated, { clock }));
  const sent: { readonly at: number; readonly bytes: number }[] = [];
  const write = transport.write.bind(transport);
  transport.write = (bytes) => {
    sent.push({ at: clock.now(), bytes: bytes.length });
    // a controller that takes the job and answers nothing yet
    if (!Buffer.from(bytes).toString("latin1").startsWith("G")) write(bytes);
  };
  const lines = Array.from({ length: 100 }, (_, i) => `G1X-${i % 100}F500`);
  const run = machine.run(text([...lines, "G0X0"]));
  await clock.advance(0.5);
  let backlog = 0;
  let before = 0;
  for (const { at, bytes } of sent) {
    backlog = Math.max(0, backlog - (at - before) * WIRE) + bytes;
    before = at;
    // and the questions for the status
    assert.ok(backlog <= 128 + 8, `${backlog}`);
  }
  assert.ok(sent.reduce((sum, { bytes }) => sum + bytes, 0) > 900, "in the end it is filled");
  run.catch(() => {});
  await clock.run(machine.close());
  // the controller's own last answer
  await clock.advance(0.01);
  assert.is(clock.pending, 0);
});

test("C1: hold stands with the beam off, and neither lines nor progress go on", async () => {
  const { machine, firmware, clock } = await bench();
  const seen: RunProgress[] = [];
  const run = machine.run(LONG, { onProgress: (progress) => void seen.push(progress) });
  await clock.advance(2);
  const at = clock.now();
  await clock.run(machine.hold());
  assert.ok(clock.now() - at < 0.6);
  assert.is(firmware.state, "Hold:0");
  await clock.advance(0.3);
  const { length } = firmware.log.lines;
  const progress = seen.at(-1)!;
  await clock.advance(60);
  assert.is(firmware.log.lines.length, length);
  assert.equal({ ...seen.at(-1), state: "", feed: 0 }, { ...progress, state: "", feed: 0 });
  assert.is(machine.snapshot.feed, 0);
  await clock.run(machine.resume());
  assert.is((await clock.run(run)).acknowledged, 41);
});

test("C1: a hold is the next byte on the wire, whatever waits to be sent", async () => {
  const order: string[] = [];
  const { machine, clock } = await bench({}, {}, (inner: Transport) => {
    const write = inner.write.bind(inner);
    inner.write = (bytes) => {
      order.push(Buffer.from(bytes).toString("latin1"));
      write(bytes);
    };
    return inner;
  });
  const run = machine.run(text(circle(2000)));
  await clock.advance(1);
  order.length = 0;
  const hold = machine.hold();
  // written in the call itself; before it at most one window is on its way
  assert.is(order[0], "!");
  await clock.run(hold);
  await clock.run(machine.resume());
  await clock.run(run);
});

test("C2: resume is held back until the machine stands, and always makes it run again", async () => {
  for (const gap of [0, 0.005, 0.035, 0.1]) {
    const { machine, firmware, clock } = await bench();
    const run = machine.run(LONG);
    await clock.advance(2);
    const held = machine.hold();
    await clock.advance(gap);
    await clock.run(Promise.all([held, machine.resume()]));
    assert.is(firmware.state, "Run", `${gap}`);
    for (const { byte, state } of firmware.log.realtime) if (byte === 0x7e) assert.is(state, "Hold:0");
    assert.is((await clock.run(run)).acknowledged, 41);
  }
});

test("C3: cancel in every state: banner within 1.2 s, and the next job is clean", async () => {
  const cases: readonly (readonly [string, (one: Bench) => Promise<Promise<unknown>[]>])[] = [
    [
      "Run",
      async ({ machine, clock }) => {
        const run = machine.run(LONG, { bounds: false });
        await clock.advance(3);
        return [run];
      },
    ],
    [
      "Hold:1",
      async ({ machine, clock }) => {
        const run = machine.run(LONG, { bounds: false });
        await clock.advance(3);
        machine.hold().catch(() => {});
        await clock.advance(0.01);
        return [run];
      },
    ],
    [
      "Hold:0",
      async ({ machine, clock }) => {
        const run = machine.run(LONG, { bounds: false });
        await clock.advance(3);
        await clock.run(machine.hold());
        return [run];
      },
    ],
    ["Idle", async () => []],
    [
      "Home",
      async ({ machine, clock }) => {
        const homing = machine.home();
        await clock.advance(1);
        return [homing];
      },
    ],
    [
      "Jog",
      async ({ machine, clock }) => {
        await clock.run(machine.jog({ x: -30, feed: 600 }));
        await clock.advance(1);
        return [];
      },
    ],
    [
      "G4",
      async ({ machine, clock }) => {
        const run = machine.run("G4P30\nG4P30\n");
        await clock.advance(2);
        return [run];
      },
    ],
    [
      "M0",
      async ({ machine, clock }) => {
        const run = machine.run("G1X-1F600\nM0\nG0X-5\n");
        await clock.advance(3);
        return [run];
      },
    ],
  ];
  for (const [name, prepare] of cases) {
    const one = await bench({ settings: { 22: 1 } });
    const { machine, firmware, clock } = one;
    await clock.run(machine.home());
    const [code] = (await prepare(one)).map(codeOf);
    const resets = firmware.log.resets.length;
    const at = clock.now();
    await clock.run(machine.cancel("enough"));
    const restart = firmware.log.resets[resets]!.seconds;
    assert.ok(restart - at < 1.2, `${name}: ${restart - at}`);
    if (code !== undefined) assert.is(await code, "CANCELED", name);
    assert.is(firmware.log.realtime.at(-1)!.byte, 0x18, name);
    if (name !== "Home") assert.not.match(firmware.log.realtime.at(-1)!.state, "Run", name);
    if (machine.state === "unknown" || machine.state === "Alarm") await clock.run(machine.unlock());
    assert.is(machine.state, "Idle", name);
    const before = jobLines(firmware).length;
    assert.is((await clock.run(machine.run("G4P0.1\nG4P0\n"))).acknowledged, 2, name);
    assert.equal(jobLines(firmware).slice(before), ["G4P0.1", "G4P0", "G4P0"], name);
    await clock.run(machine.close());
    assert.is(clock.pending, 0, name);
  }
});

test("C4: a second job waits for its turn, and for the lock of an alarm to be taken away", async () => {
  const { machine, firmware, clock } = await bench();
  const options: RunOptions = { wait: true };
  const first = codeOf(machine.run(LONG, options));
  const second = codeOf(machine.run("G21G90\nG0X7\n", options));
  const third = new AbortController();
  const canceled = codeOf(machine.run("G0X9\n", { ...options, signal: third.signal }));
  await clock.advance(3);
  third.abort();
  assert.is(await canceled, "CANCELED");
  // a reset in motion loses the position, and the machine locks itself
  await clock.run(machine.reset());
  assert.is(await first, "CANCELED");
  await clock.advance(60);
  assert.is(machine.state, "Alarm");
  assert.not.ok(jobLines(firmware).includes("G0X7"));
  assert.is(await codeOf(clock.run(machine.run("G0X1\n"))), "MACHINE_ALARM");
  await clock.run(machine.unlock());
  assert.is(await clock.run(second), "done");
  assert.equal(jobLines(firmware).slice(-3), ["G21G90", "G0X7", "G4P0"]);
  assert.not.ok(jobLines(firmware).includes("G0X9"));
});

test("C5: jogs do not pile up, end at once, and no job begins while one is on", async () => {
  const { machine, firmware, clock } = await bench();
  // a key held down: 100 asks of 1 mm at 600 mm/min in one second, of which the machine can do ten
  const asked: Promise<boolean>[] = [];
  for (let i = 0; i < 100; i++) {
    asked.push(machine.jog({ x: 1, feed: 600 }));
    await clock.advance(0.01);
  }
  const at = clock.now();
  await clock.run(machine.cancelJog());
  const taken = (await Promise.all(asked)).filter(Boolean).length;
  assert.ok(taken >= 8 && taken <= 14, `${taken}`);
  assert.ok(clock.now() - at < 0.7, `${clock.now() - at}`);
  assert.is(firmware.state, "Idle");
  const stood = firmware.position[0];
  assert.ok(stood > 7 && stood < 14, `${stood}`);
  await clock.advance(5);
  assert.is(firmware.position[0], stood);

  assert.ok(await clock.run(machine.jog({ x: 50, y: -5, feed: 600, absolute: true })));
  await clock.advance(0.3);
  assert.is(
    (await clock.run(failure(machine.run("G0X1\n")))).message,
    "Expected the machine to be idle, it is in Jog",
  );
  // a feed hold ends a jog as well
  await clock.run(machine.hold());
  assert.is(firmware.state, "Idle");
  const run = machine.run(LONG);
  await clock.advance(1);
  assert.is(
    (await clock.run(failure(machine.jog({ x: 1, feed: 600 })))).message,
    "A run is on: the machine cannot be moved by hand",
  );
  await clock.run(run);
  assert.is(
    (await clock.run(failure(machine.jog({ feed: 600 })))).message,
    "Expected `move` to be one of x, y and z, got a Object",
  );
  assert.equal(
    firmware.log.lines.filter(({ text, status }) => text.startsWith("$J") && status !== 0),
    [],
  );
});

/** Adds overrides to a controller: each byte is a flag, served with the next report, and shown once after a change. */
const withOverrides = (inner: Transport, values: number[]): Transport => {
  const flags = new Set<number>();
  let show = true;
  const change = (axis: number, byte: number, base: number) => {
    const steps = [100 - values[axis]!, 10, -10, 1, -1];
    values[axis] = Math.min(200, Math.max(10, values[axis]! + steps[byte - base]!));
  };
  const serve = () => {
    const before = values.join();
    for (const byte of flags) {
      if (byte >= 0x90 && byte <= 0x94) change(0, byte, 0x90);
      if (byte >= 0x95 && byte <= 0x97) values[1] = [100, 50, 25][byte - 0x95]!;
      if (byte >= 0x99 && byte <= 0x9d) change(2, byte, 0x99);
    }
    flags.clear();
    if (values.join() !== before) show = true;
  };
  let rest = "";
  return {
    name: inner.name,
    write: (bytes) => {
      for (const byte of bytes) if (byte >= 0x90 && byte <= 0x9d) flags.add(byte);
      inner.write(bytes.filter((byte) => byte < 0x90 || byte > 0x9d));
    },
    onData: (listener) =>
      inner.onData((bytes) => {
        const lines = (rest + Buffer.from(bytes).toString("latin1")).split("\n");
        rest = lines.pop()!;
        const out = lines.map((line) => {
          if (!line.startsWith("<")) return `${line}\n`;
          serve();
          const plain = line.replace(/\|Ov:[\d,]*/, "");
          const shown = show && !plain.includes("WCO");
          if (shown) show = false;
          return `${shown ? plain.replace(">", `|Ov:${values.join()}>`) : plain}\n`;
        });
        listener(Buffer.from(out.join(""), "latin1"));
      }),
    onClose: (listener) => inner.onClose(listener),
    close: () => inner.close(),
  };
};

test("C6: overrides reach what was asked for, although bytes that come close count once", async () => {
  const values = [100, 100, 100];
  const { machine, clock } = await bench({}, {}, (inner) => withOverrides(inner, values));
  const run = machine.run(LONG);
  await clock.advance(1);
  await clock.run(machine.override({ feed: 200 }));
  assert.equal(values, [200, 100, 100]);
  // ten clicks at once
  await clock.run(machine.override({ feed: 100 }));
  await clock.run(Promise.all(Array.from({ length: 10 }, () => machine.overrideBy({ feed: 10 }))));
  assert.equal(values, [200, 100, 100]);
  await clock.run(machine.override({ feed: 87, rapid: 25, spindle: 123 }));
  assert.equal(values, [87, 25, 123]);
  assert.equal(machine.snapshot.overrides, [87, 25, 123]);
  await clock.run(machine.override({ feed: 10, rapid: 100, spindle: 200 }));
  assert.equal(values, [10, 100, 200]);
  assert.is((await clock.run(run)).acknowledged, 41);
  assert.is(
    (await failure(machine.override({ feed: 201 }))).message,
    "Expected `feed` to be an integer >= 10 and <= 200, got 201",
  );
});

test("D1: a refused line stops the job, or is left out and told; what ran is known exactly", async () => {
  const lines = [
    "G21G90M4S300F600",
    "G1X10",
    "G1X20",
    "G99X1",
    ...Array(20)
      .fill(0)
      .map((_, i) => `G1X${i}`),
    "G1X10",
    "M5",
  ];
  const stop = await bench();
  const error = await stop.clock.run(failure(stop.machine.run(text(lines))));
  assert.is(error.code, "MACHINE_ERROR");
  assert.equal([error.data!.line, error.data!.text, error.data!.code], [4, "G99X1", 20]);
  const ran = stop.executed();
  assert.equal(ran, lines.slice(0, ran.length));
  // a line that waited for room in the planner when the reset came was read, and never ran
  const cut = ran.length - (error.data!.lastAcked as number);
  assert.ok(cut === 0 || cut === 1, `${cut}`);
  assert.equal(realtimeOf(stop), [0x21, 0x18]);

  const go = await bench();
  const result = await go.clock.run(go.machine.run(text([...lines, "G98", "G1X3"]), { policy: "continue" }));
  assert.equal(go.executed(), [...lines, "G98", "G1X3", "G4P0"]);
  assert.equal(
    result.errors.map(({ line, text, code }) => [line, text, code]),
    [
      [4, "G99X1", 20],
      [27, "G98", 20],
    ],
  );
  assert.equal(realtimeOf(go), []);
});

test("D1: the controller's check mode finds refused lines before anything moves", async () => {
  const { machine, firmware, clock } = await bench();
  const lines = ["G21G90M4S300F600", "G1X10", "G99X1", "G1X20", "G98", "M5"];
  const error = await clock.run(failure(machine.run(text(lines), { checkFirst: true })));
  assert.is(
    error.message,
    "The controller would refuse 2 of the lines, line 3, G99X1, first: error:20 (the controller does not know this command)",
  );
  assert.equal(
    (error.data!.errors as { line: number }[]).map(({ line }) => line),
    [3, 5],
  );
  assert.equal(firmware.position, [0, 0, 0]);
  assert.is(machine.state, "unknown");
  const good = lines.filter((line) => !/G9[89]/.test(line));
  const result = await clock.run(machine.run(text(good), { checkFirst: true }));
  assert.is(result.acknowledged, 4);
  assert.is(firmware.position[0], 20);
  // canceled while it is only being checked, it leaves check mode as well
  const abort = new AbortController();
  const run = codeOf(machine.run(LONG, { checkFirst: true, signal: abort.signal }));
  while (firmware.state !== "Check") await clock.advance(0.001);
  await clock.advance(0.02);
  abort.abort();
  assert.is(await clock.run(run), "CANCELED");
  assert.is((await clock.run(machine.status())).state, "Idle");
  assert.is(firmware.position[0], 20);
});

test("D2: an alarm fails the job with its number; only a reset is taken then, and after it the unlock", async () => {
  for (const code of [1, 2] as const) {
    const settings = code === 2 ? { 20: 1, 22: 1 } : {};
    const { machine, firmware, transport, clock } = await bench({ settings });
    if (code === 2) await clock.run(machine.home());
    const far = code === 2 ? "G1X-100F3000\nG1X-250\nG1X-100\n" : LONG;
    const run = failure(machine.run(far, { bounds: false }));
    if (code === 1) {
      await clock.advance(2);
      transport.wire.at(() => firmware.trip());
    }
    const error = await clock.run(run);
    assert.is(error.code, "MACHINE_ALARM");
    assert.is(error.data!.alarm, code);
    assert.ok((error.data!.lastExecuted as number) <= (error.data!.lastAcked as number));
    assert.equal(machine.snapshot.alarm?.code, code);
    for (const call of [
      () => machine.unlock(),
      () => machine.command("$G"),
      () => machine.hold(),
      () => machine.resume(),
    ])
      assert.is(
        (await clock.run(failure(call()))).message,
        "The controller takes nothing but a reset: call `reset()`",
      );
    // deaf to `?`: silence is in order, and the reset is sent when it will be heard
    await clock.run(machine.reset());
    assert.is(machine.state, "Alarm");
    assert.equal(machine.snapshot.alarm?.code, code);
    assert.is(realtimeOf({ firmware }).filter((byte) => byte === 0x18).length, 1);
    await clock.run(machine.unlock());
    assert.is(machine.state, "Idle");
    assert.is((await clock.run(machine.run("G4P0\n"))).acknowledged, 1);
  }
});

test("D3: a restart of the controller at 50 moments ends the job, and no byte of it goes out after the banner", async () => {
  const random = seeded(5);
  for (let round = 0; round < 50; round++) {
    // longer than the longest start, so that a start is told from a silence
    const { machine, firmware, transport, clock } = await bench({}, { silenceMs: 2500 });
    const run = failure(machine.run(LONG));
    await untilAsked({ clock, firmware });
    await clock.advance(0.01 + random(20_000) / 1000);
    const boot = [0, 0.7, 1.5][round % 3]!;
    const { length } = firmware.log.lines;
    transport.wire.at(() => firmware.restart(boot));
    const error = await clock.run(run);
    assert.is(error.code, "MACHINE_RESET", `round ${round}`);
    await clock.advance(3);
    assert.is(firmware.log.lines.length, length, `round ${round}`);
    assert.is(firmware.state, "Idle");
  }
});

test("D4: a pulled plug at 50 moments settles everything, and nothing is sent to the machine before the next connect", async () => {
  const random = seeded(6);
  for (let round = 0; round < 50; round++) {
    const { machine, firmware, transport, clock } = await bench();
    const codes = [codeOf(machine.run(LONG))];
    await clock.advance(random(20_000) / 1000);
    codes.push(codeOf(machine.command("$G")), codeOf(machine.hold()), codeOf(machine.status()));
    codes.push(codeOf(machine.override({ feed: 150 })), codeOf(machine.cancel()));
    const at = clock.now();
    transport.unplug();
    for (const code of codes) assert.is(await clock.run(code), "PORT_LOST", `round ${round}`);
    assert.ok(clock.now() - at < 0.1);
    const { length } = firmware.log.lines;
    const again = new SimulatedTransport(firmware, clock);
    await machine.close();
    await clock.advance(30);
    // what the controller had it may finish
    assert.ok(firmware.log.lines.length <= length + 128 / 6, `round ${round}`);
    const ran = firmware.log.lines.length;
    await clock.advance(5);
    assert.is(firmware.log.lines.length, ran);
    const next = await clock.run(connect(again, { clock, reset: true }));
    assert.is(firmware.log.lines.filter(({ text }) => text.startsWith(")")).length, 2);
    await clock.run(next.close());
    assert.is(clock.pending, 0);
  }
});

test("D7: lines that write to EEPROM lose nothing around them; $ commands are not let into a job", async () => {
  const { machine, firmware, clock, executed } = await bench();
  const lines = [
    "G21G90",
    "G10L2P1X1Y2Z3",
    "G1X1F600",
    "G10L20P2X5Y7",
    "G0X2",
    "G28.1",
    "G10L2P1X0Y0Z0",
    "G0X0",
  ];
  const run = machine.run(text(lines));
  // realtime bytes wait for the end of the write as well
  while (!firmware.log.lines.some(({ text }) => text.startsWith("G10L20"))) {
    machine.override({ feed: 110 }).catch(() => {});
    await clock.advance(0.001);
  }
  await clock.run(run);
  assert.is(firmware.uart.overrun, 0);
  assert.equal(
    executed().filter((line) => line !== "G4P0"),
    lines,
  );
  const error = await clock.run(failure(machine.run("G21\n$10=2\n")));
  assert.is(error.code, "INVALID_ARGUMENT");
  await clock.run(machine.setSetting(110, 4000));
  assert.is((await clock.run(machine.settings())).get(110), 4000);
  assert.equal(machine.limits.rates, [4000, 3000, 500]);
  assert.is(firmware.uart.overrun, 0);
});

test("D8: neither a dwell of a minute nor long homing is taken for death", async () => {
  const { machine, clock } = await bench({ settings: { 22: 1 } });
  await clock.run(machine.home());
  const { seconds } = await clock.run(machine.run("G4 P60\nG1X-10F600\nG4P30\n"));
  assert.ok(seconds > 90 && seconds < 93);
});

test("D8: a deaf controller is given up within three missed questions", async () => {
  const { machine, firmware, transport, clock } = await bench();
  const run = failure(machine.run(LONG));
  await clock.advance(2.05);
  transport.wire.at(() => firmware.freeze(true));
  const at = clock.now();
  const error = await clock.run(run);
  assert.is(error.code, "MACHINE_SILENT");
  assert.ok(clock.now() - at <= 0.81, `${clock.now() - at}`);
  // hold and reset went out, in case that it only cannot speak
  transport.wire.at(() => firmware.freeze(false));
});

test("D9: what would act at once is never on the wire: comments are not sent, other bytes refuse the program", async () => {
  const { machine, firmware, clock, executed } = await bench();
  await clock.run(machine.run("G21 (go! ~ ? \u0104 \u00e4)\nG90 ; ! \u00a5\n"));
  assert.equal(executed(), ["G21", "G90", "G4P0"]);
  assert.equal(realtimeOf({ firmware }), []);
  for (const line of ["G0X1!", "G0X1?", "~", "G0X\u0104", "G0X1\x18", "G0\x85", "G0X1\x00"]) {
    const error = await clock.run(failure(machine.run(`G21\n${line}\nG90\n`)));
    assert.is(error.code, "INVALID_ARGUMENT", JSON.stringify(line));
    assert.match(error.message, "line 2 of `program`");
  }
  assert.is(executed().length, 3);
});

test("E1: connect takes a banner before, after or never, a first start's noise, and startup lines", async () => {
  const noise = "error:7\r\n$0=10\r\n$1=25\r\n";
  for (const [before, name] of [
    ["", "no banner"],
    ["\r\nGrbl 1.1h ['$' for help]\r\n", "a banner"],
    [`${noise}\r\nGrbl 1.1h ['$' for help]\r\n>:error:7\r\n>:error:7\r\n`, "a blank EEPROM"],
    ["\r\nGrbl 1.1h ['$' for help]\r\n>G54:ok\r\n", "a startup line"],
    ["\x00\xff\x7fets Jun  8 2016\r\nrst:0x1 (POWERON_RESET)\r\nok", "a bootloader"],
  ] as const)
    for (const late of [0, 0.05, 0.12, 0.3]) {
      const clock = new VirtualClock();
      const firmware = new Firmware();
      firmware.advance(1);
      firmware.uart.take();
      const transport = new SimulatedTransport(firmware, clock);
      if (late === 0) queueMicrotask(() => transport.inject(before));
      else clock.after(late, () => transport.inject(before));
      const machine = await clock.run(connect(transport, { clock }));
      assert.is((await clock.run(machine.status())).state, "Idle", `${name}, ${late}`);
      assert.is(machine.window, 128, `${name}, ${late}`);
      await clock.advance(1);
      assert.is((await clock.run(machine.run("G21\nG90\nG0X1\n"))).acknowledged, 3, `${name}, ${late}`);
      assert.equal(jobLines(firmware), ["G21", "G90", "G0X1", "G4P0"], `${name}, ${late}`);
    }
});

test("E1: a controller at work for somebody else is taken over when it is done, and controlled before", async () => {
  const clock = new VirtualClock();
  const firmware = new Firmware();
  firmware.uart.send(Buffer.from("G1X20F600\nG1X0\nG1X10\n"), 0);
  firmware.advance(1);
  firmware.uart.take();
  const machine = await clock.run(connect(new SimulatedTransport(firmware, clock), { clock }));
  assert.is(machine.state, "Run");
  assert.match(
    (await clock.run(failure(machine.command("$G")))).message,
    "The machine still does what an earlier host sent",
  );
  await clock.run(machine.hold());
  await clock.run(machine.resume());
  await clock.advance(10);
  assert.is((await clock.run(machine.run("G0X1\n"))).acknowledged, 1);
  assert.equal(firmware.position[0], 1);
});

test("every state is told as it changes, put together from reports that each show a part", async () => {
  const { machine, clock, transport, firmware } = await bench();
  const states: MachineState[] = [];
  const disconnect = machine.changed.connect((state) => void states.push(state));
  await clock.advance(1);
  assert.ok(states.length >= 4, "it is asked while somebody listens");
  await clock.run(machine.command("G10L20P1X5Y6"));
  await clock.run(machine.run("G21G90M4S200\nG1X10F600\nM5\n"));
  assert.ok(states.some(({ state, feed }) => state === "Run" && (feed ?? 0) > 0));
  assert.equal(machine.snapshot.position!.slice(0, 2), [10, 6]);
  assert.equal(machine.snapshot.machine!.slice(0, 2), [5, 0]);
  transport.wire.at(() => firmware.trip());
  await clock.advance(2);
  assert.equal(states.at(-1)!.alarm, {
    code: 1,
    meaning: "a limit switch closed: the position is probably lost",
  });
  disconnect();
  assert.is(clock.pending, 0, "nobody asks any more");
  await clock.run(machine.close());
  assert.is(machine.snapshot.connected, false);
});

test("a listener of the host may ask for anything, and one that throws stops the machine", async () => {
  const { machine, clock, firmware } = await bench();
  let asked: Promise<unknown> | undefined;
  machine.changed.connect(({ state }) => {
    if (state === "Run") asked ??= machine.hold().then(() => machine.resume());
  });
  assert.is((await clock.run(machine.run(LONG))).acknowledged, 41);
  await asked;
  assert.ok(realtimeOf({ firmware }).includes(0x7e));
  machine.changed.connect(({ state }) => {
    if (state === "Run") throw new Error("in the host");
  });
  const error = await clock.run(failure(machine.run(LONG)));
  assert.is(error.code, "CANCELED");
  assert.instance(error, KerfworkError);
  assert.is((error.cause as Error).message, "in the host");
});

test("100 connects and closes leave no timer and no listener behind", async () => {
  const clock = new VirtualClock();
  const firmware = new Firmware();
  const machines: Machine[] = [];
  for (let i = 0; i < 100; i++) {
    const transport = new SimulatedTransport(firmware, clock);
    const machine = await clock.run(connect(transport, { clock }));
    if (i % 10 === 0) await clock.run(machine.run("G0X1\n"));
    await clock.run(machine.close());
    assert.is(clock.pending, 0);
    machines.push(machine);
  }
  assert.ok(machines.every(({ connected }) => !connected));
  assert.is(firmware.uart.overflow, 0);
});

test.run();
