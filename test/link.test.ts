import {
  connect,
  Firmware,
  KerfworkError,
  type Machine,
  type RunProgress,
  SimulatedTransport,
  VirtualClock,
} from "kerfwork";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { circle, failure, LONG, text } from "./jobs.ts";
import { bench, jobLines, realtimeOf, seeded, untilAsked } from "./machines.ts";

test("connect takes its window from the controller and leaves the machine as it is", async () => {
  const { machine, heard, firmware, clock } = await bench();
  assert.is(machine.window, 128);
  assert.is(machine.state, "Idle");
  assert.ok(heard.includes("[OPT:V,15,128]"));
  assert.equal(firmware.log.realtime, []);
  await clock.run(machine.close());
  assert.is(clock.pending, 0);
});

test("connect makes half a line of an earlier host harmless: it is refused whole, and swallows nothing", async () => {
  for (const half of [
    "",
    "G1X10F600",
    "G1X10 (a comm",
    "$X",
    "$H",
    "$J=G91X10F600",
    "$10=0",
    "$N0=G0X5",
    "M3S1000",
  ]) {
    const clock = new VirtualClock();
    const firmware = new Firmware({ settings: { 22: half === "$H" ? 1 : 0 } });
    firmware.uart.send(Buffer.from(half), 0);
    firmware.advance(1);
    firmware.uart.take();
    const machine = await clock.run(connect(new SimulatedTransport(firmware, clock), { clock }));
    const [first] = firmware.log.lines;
    assert.is.not(first!.status, 0, half);
    assert.equal(firmware.position, [0, 0, 0], half);
    assert.is(machine.state, half === "$H" ? "Alarm" : "Idle", half);
    assert.is(machine.limits.steps?.[0], 250, half);
    if (half === "$H") continue;
    await clock.run(machine.run("G0X1\n"));
    assert.equal(jobLines(firmware), [...(/^[GM]/.test(half) ? [first!.text] : []), "G0X1", "G4P0"], half);
  }
});

test("connect waits for a board that restarts when its port opens", async () => {
  const clock = new VirtualClock();
  const firmware = new Firmware();
  const transport = new SimulatedTransport(firmware, clock);
  transport.wire.at(() => firmware.restart(1.5));
  const machine = await clock.run(connect(transport, { clock }));
  assert.is(machine.state, "Idle");
  assert.is(machine.window, 128);
});

test("connect gives up on a port where nobody answers", async () => {
  const clock = new VirtualClock();
  const firmware = new Firmware();
  const transport = new SimulatedTransport(firmware, clock);
  transport.wire.at(() => firmware.freeze(true));
  const error = await clock.run(failure(connect(transport, { clock })));
  assert.is(error.code, "MACHINE_SILENT");
  assert.is(error.message, "The controller at simulated does not answer");
  assert.ok(clock.now() >= 5 && clock.now() < 6, `${clock.now()}`);
  assert.is(clock.pending, 0);
});

test("connect with `reset` wakes a controller in a limit alarm", async () => {
  const clock = new VirtualClock();
  const firmware = new Firmware();
  firmware.advance(1);
  firmware.trip();
  firmware.uart.take();
  const transport = new SimulatedTransport(firmware, clock);
  const machine = await clock.run(connect(transport, { clock, reset: true }));
  assert.is(machine.state, "Alarm");
  assert.is((await clock.run(failure(machine.run("G0X1\n")))).code, "MACHINE_ALARM");
  assert.equal(await clock.run(machine.command("$X")), ["[MSG:Caution: Unlocked]"]);
  assert.is((await clock.run(machine.run("G0X1\n"))).acknowledged, 1);
});

test("run executes every line once, in order, within the window, and ends when the machine stands", async () => {
  const lines = circle(1000);
  // so strong that the ramps do not count
  const { machine, firmware, clock, executed } = await bench({ settings: { 120: 1e5, 121: 1e5 } });
  const result = await clock.run(machine.run(text(lines)));
  assert.is(result.lines, 1001);
  assert.is(result.acknowledged, 1001);
  assert.is(result.bytes, text(lines).length);
  assert.equal(executed(), [...lines, "M5", "G4P0"]);
  assert.is(firmware.uart.overflow, 0);
  assert.ok(firmware.uart.highWater <= 128);
  assert.is(firmware.state, "Idle");
  // 40 mm to the start, then once round, at 50 mm/s
  assert.ok(Math.abs(result.seconds - (40 + 40 * Math.PI) / 50) < 0.5, `${result.seconds}`);
});

test("run keeps a slow reader's buffer filled to the last byte that fits, never over it", async () => {
  const lines = circle(300, 60_000);
  const { machine, firmware, clock } = await bench({ lineSeconds: 0.02, settings: { 110: 9e4, 111: 9e4 } });
  await clock.run(machine.run(text(lines)));
  assert.is(firmware.uart.overflow, 0);
  assert.ok(firmware.uart.highWater > 128 - 40 && firmware.uart.highWater <= 128);
});

test("run is exact on random lines of 1 to 79 characters", async () => {
  const random = seeded(3);
  for (let round = 0; round < 5; round++) {
    const lines = Array.from({ length: 200 }, () => {
      const size = random(79) + 1;
      return size < 4
        ? ["F", "F1", "F12"][size - 1]!.replace(/^F$/, "G0").padEnd(size, "0")
        : `G0X${"0".repeat(size - 3)}`;
    });
    const { machine, firmware, clock, executed } = await bench();
    const result = await clock.run(machine.run(text(lines)));
    assert.is(result.acknowledged, 200);
    assert.equal(executed(), [...lines, "G4P0"]);
    assert.is(firmware.uart.overflow, 0);
  }
});

test("run tells progress by answered line, to the end, through the context too", async () => {
  const { machine, clock } = await bench();
  const seen: RunProgress[] = [];
  const told = { totals: [] as number[], values: [] as number[], messages: [] as string[] };
  const context = {
    setProgress: (value: number) => told.values.push(value),
    setTotal: (total: number) => told.totals.push(total),
    setMessage: (message: string) => told.messages.push(message),
    flush: () => {},
    sendEvent: () => {},
    sendEventAndWait: async () => "nack" as const,
    sendEventAndWaitSync: () => "nack" as const,
    isCancelled: () => false,
    throwIfCancelled: () => {},
    signal: new AbortController().signal,
    subContext: () => context,
  };
  const program = "G21 G90 M4 S1\n(a comment)\n\nG1 X10 F600\nG1 X0\nM5\n";
  await clock.run(machine.run(program, { context, onProgress: (progress) => seen.push(progress) }));
  assert.equal(told.totals, [6]);
  assert.is(told.values.at(-1), 6);
  assert.is(told.messages.at(-1), "line 6 of 6, Idle");
  assert.ok(told.messages.includes("line 5 of 6, Run, 600 mm/min"));
  const end = { sent: 6, accepted: 6, executed: 6, lines: 6, refused: 0, state: "Idle", feed: 0 };
  assert.equal(seen.at(-1), end);
  for (let i = 1; i < seen.length; i++) {
    for (const count of ["sent", "accepted", "executed"] as const)
      assert.ok(seen[i]![count] >= seen[i - 1]![count], count);
    assert.ok(seen[i]!.accepted <= seen[i]!.sent && seen[i]!.executed <= seen[i]!.accepted);
  }
  assert.ok(seen.some(({ accepted, executed }) => accepted === 5 && executed === 4));
});

test("run of an empty program does nothing and ends", async () => {
  const { machine, clock, executed } = await bench();
  assert.equal((await clock.run(machine.run(""))).acknowledged, 0);
  assert.equal((await clock.run(machine.run("(nothing)\n\n"))).acknowledged, 2);
  assert.equal(executed(), ["G4P0", "G4P0"]);
});

test("run refuses a program before its first byte goes out", async () => {
  const { machine, clock, executed } = await bench();
  const error = await clock.run(failure(machine.run("G0X1\nG0X2!\n")));
  assert.is(error.code, "INVALID_ARGUMENT");
  assert.equal(executed(), []);
});

test("run stops at a refused line: hold, then reset, and what follows is not cut", async () => {
  const { machine, firmware, clock, executed } = await bench();
  const lines = ["G21G90M4S300F600", "G1X10", "G1X20", "G99X1", ...Array(40).fill("G1X0"), "G1X10"];
  const error = await clock.run(failure(machine.run(text(lines))));
  assert.is(error.code, "MACHINE_ERROR");
  assert.is(
    error.message,
    "The controller refused line 4, G99X1: error:20 (the controller does not know this command)",
  );
  const { lastAcked, lastSent, lastExecuted, ...data } = error.data!;
  assert.ok((lastExecuted as number) <= (lastAcked as number));
  assert.equal(data, { line: 4, text: "G99X1", code: 20, state: "Hold", stopped: true });
  assert.equal(realtimeOf({ firmware }), [0x21, 0x18]);
  assert.is(firmware.log.realtime[1]!.state, "Hold:0");
  // what had been taken before the hold arrived is known exactly
  assert.is(executed().length, lastAcked as number);
  assert.ok((lastSent as number) >= (lastAcked as number) && (lastSent as number) < lines.length);
  assert.is(firmware.state, "Idle");
  assert.is(machine.state, "unknown");
  assert.is((await clock.run(machine.run("G4P0\n"))).acknowledged, 1);
});

test("a canceled run holds, resets, tells the reason, and the next job is clean", async () => {
  const { machine, firmware, clock } = await bench();
  const controller = new AbortController();
  const run = failure(machine.run(LONG, { signal: controller.signal }));
  await clock.advance(3);
  assert.is(firmware.state, "Run");
  const at = clock.now();
  controller.abort("enough");
  const error = await clock.run(run);
  assert.is(error.code, "CANCELED");
  assert.is(error.cause, "enough");
  assert.is(error.data!.stopped, true);
  assert.ok(clock.now() - at < 1.2, `${clock.now() - at}`);
  assert.equal(realtimeOf({ firmware }), [0x21, 0x18]);
  assert.is(firmware.state, "Idle");
  const before = firmware.log.lines.length;
  const result = await clock.run(machine.run("G21G90\nG1X5F600\n"));
  assert.is(result.acknowledged, 2);
  assert.equal(
    firmware.log.lines.slice(before).map((line) => line.text),
    ["$G", "G21G90", "G1X5F600", "G4P0"],
  );
});

test("a run can be canceled in every state, and each time the next job is clean", async () => {
  const after = (seconds: number) => (_machine: Machine, clock: VirtualClock) => clock.advance(seconds);
  const cases: readonly (readonly [
    string,
    string,
    (machine: Machine, clock: VirtualClock) => Promise<void>,
  ])[] = [
    ["a dwell", "G4P30\nG4P30\n", after(2)],
    ["a pause", "M0\nG0X1\n", after(2)],
    ["the first moment", LONG, after(0.012)],
    ["the last moment", "G0X0\n", after(0.001)],
    [
      "a hold",
      LONG,
      async (machine, clock) => {
        await clock.advance(2);
        await clock.run(machine.hold());
      },
    ],
    [
      "the ramp of a hold",
      LONG,
      async (machine, clock) => {
        await clock.advance(2);
        machine.hold().catch(() => {});
      },
    ],
  ];
  for (const [name, program, prepare] of cases) {
    const { machine, firmware, clock } = await bench();
    const controller = new AbortController();
    const run = failure(machine.run(program, { signal: controller.signal }));
    await prepare(machine, clock);
    controller.abort();
    assert.is((await clock.run(run)).code, "CANCELED", name);
    assert.is((await clock.run(machine.run("G4P0.1\nG4P0\n"))).acknowledged, 2, name);
    assert.is(firmware.uart.overflow, 0, name);
  }
});

test("a run whose signal is aborted already sends nothing", async () => {
  const { machine, clock, executed } = await bench();
  const reason = new Error("no");
  const error = await clock.run(failure(machine.run("G0X1\n", { signal: AbortSignal.abort(reason) })));
  assert.is(error.code, "CANCELED");
  assert.is(error.cause, reason);
  assert.equal(executed(), []);
});

test("a listener that throws stops the machine instead of the process", async () => {
  const { machine, firmware, clock } = await bench();
  const onProgress = ({ accepted }: RunProgress) => {
    if (accepted > 2) throw new Error("in the host");
  };
  const error = await clock.run(failure(machine.run(LONG, { onProgress })));
  assert.is(error.code, "CANCELED");
  assert.is((error.cause as Error).message, "in the host");
  assert.equal(realtimeOf({ firmware }), [0x21, 0x18]);
});

test("an alarm in the middle of a run ends it; only a reset is offered then", async () => {
  const { machine, firmware, transport, clock } = await bench();
  const run = failure(machine.run(LONG));
  await clock.advance(3);
  transport.wire.at(() => firmware.trip());
  const error = await clock.run(run);
  assert.is(error.code, "MACHINE_ALARM");
  assert.match(error.message, "ALARM:1 (a limit switch closed: the position is probably lost)");
  assert.is(error.data!.alarm, 1);
  assert.is(machine.state, "Alarm");
  assert.is((await clock.run(failure(machine.command("$X")))).code, "INVALID_STATE");
  assert.is((await clock.run(failure(machine.run("G0X1\n")))).code !== undefined, true);
  await clock.run(machine.reset());
  assert.is(machine.state, "Alarm");
  await clock.run(machine.command("$X"));
  // the late answer of the line that the alarm cut was not counted for anything
  assert.is((await clock.run(machine.run("G0X1\nG0X0\n"))).acknowledged, 2);
});

test("a restart of the controller ends the run, and not one byte of the job goes out after it", async () => {
  for (const [after, boot] of [
    [0.05, 0],
    [0.5, 0.7],
    [2, 1.5],
    [3.3, 0],
  ] as const) {
    // a restart is known by its banner; one that takes longer than the silence that is borne is a silence
    const { machine, firmware, transport, clock } = await bench({}, { silenceMs: 2500 });
    const run = failure(machine.run(LONG));
    await clock.advance(after);
    const before = firmware.log.lines.length;
    transport.wire.at(() => firmware.restart(boot));
    const error = await clock.run(run);
    assert.is(error.code, "MACHINE_RESET");
    await clock.advance(5);
    assert.is(firmware.log.lines.length, before);
    assert.equal(firmware.position, [0, 0, 0]);
  }
});

test("a controller that falls silent ends the run after the silence that was asked for", async () => {
  for (const silenceMs of [1000, 3000]) {
    const { machine, firmware, transport, clock } = await bench({}, { silenceMs });
    const run = failure(machine.run(LONG));
    await clock.advance(2);
    transport.wire.at(() => firmware.freeze(true));
    const at = clock.now();
    const error = await clock.run(run);
    assert.is(error.code, "MACHINE_SILENT");
    const seconds = clock.now() - at;
    assert.ok(seconds >= silenceMs / 1000 && seconds < silenceMs / 1000 + 1, `${seconds}`);
    assert.ok((error.data!.lastSent as number) > 0);
  }
});

test("a slow ok is no silence: a dwell of a minute and a long homing run through", async () => {
  const { machine, clock } = await bench({ settings: { 22: 1 } });
  assert.is(machine.state, "Alarm");
  await clock.run(machine.command("$H"));
  const result = await clock.run(machine.run("G4 P60\nG1X-10F600\nG4P30\n"));
  assert.ok(result.seconds > 90 && result.seconds < 93);
});

test("any byte of an ok that is lost ends the run as a mismatch, or does no harm; nothing is sent again", async () => {
  const lines = ["G21", "G90", "G0X1", "G0X2", "G0X3"];
  const codes = new Set<string>();
  for (let byte = 0; byte < 4; byte++)
    for (const before of [0, 1, 2, 4]) {
      const { machine, firmware, transport, clock, heard, executed } = await bench({ lineSeconds: 0.01 });
      const run = machine.run(text(lines)).catch((error) => error as KerfworkError);
      await untilAsked({ clock, firmware });
      const oks = () => heard.filter((line) => line === "ok").length;
      for (const from = oks(); oks() < from + 1 + before; ) await clock.advance(0.001);
      transport.wire.at(() => firmware.uart.damage("toHost", byte, 0));
      const end = await clock.run(run);
      const name = `byte ${byte} after ${before}`;
      const all = [...lines, "G4P0"];
      assert.equal(executed(), all.slice(0, executed().length), name);
      if (!(end instanceof KerfworkError)) {
        codes.add("done");
        assert.is(executed().length, all.length, name);
        continue;
      }
      codes.add(end.code);
      assert.is(end.code, "MACHINE_DESYNC", name);
      assert.match(end.message, /an answer arrived damaged|[12] lines were not answered/);
      // stopped where it was noticed: what the controller says it took, it took
      assert.ok((end.data!.lastAcked as number) <= executed().length, name);
      assert.is((await clock.run(machine.run("G0X0\n"))).acknowledged, 1, name);
    }
  assert.equal([...codes].sort(), ["MACHINE_DESYNC", "done"]);
});

test("a lost byte of a line, its end included, never ends as success with another job done", async () => {
  const lines = ["G21", "G90", "G1X10F600", "G1X20", "G1Y10", "G1X0"];
  const sent = text(lines).length;
  for (let byte = 0; byte < sent; byte++) {
    const { machine, firmware, transport, clock, executed } = await bench();
    const run = machine.run(text(lines)).then(
      () => undefined,
      (error: KerfworkError) => error.code,
    );
    await untilAsked({ clock, firmware });
    transport.wire.at(() => firmware.uart.damage("toController", byte, 0));
    const code = await clock.run(run);
    const job = [...lines, "G4P0"];
    // a digit of a move in the middle makes another move, and nothing on the wire tells; the final place would
    if (code === undefined) assert.is(executed().length, job.length, `byte ${byte}`);
    else assert.ok(code === "MACHINE_ERROR" || code === "MACHINE_DESYNC", `byte ${byte}: ${code}`);
    // every line that ran is one that was sent, or the two that the lost line end glued, or the damaged one
    assert.ok(executed().filter((line) => !job.includes(line)).length <= 1, `byte ${byte}`);
    assert.ok(executed().length <= job.length);
  }
});

test("a digit that changes on the wire is found by the place where the machine ends", async () => {
  for (const [line, lost] of [
    ["G1X15", 4],
    ["G1X15", 3],
  ] as const) {
    const { machine, firmware, transport, clock } = await bench();
    const head = "G21G90\nG1Y1F600\n";
    const run = failure(machine.run(`${head}${line}\n`));
    await untilAsked({ clock, firmware });
    transport.wire.at(() => firmware.uart.damage("toController", head.length + lost, 0));
    const error = await clock.run(run);
    assert.is(error.code, "MACHINE_DESYNC");
    assert.match(error.message, "the program ends at 15, 1, 0: a line was changed on its way");
    assert.equal(error.data!.planned, [15, 1, 0]);
  }
});

test("an answer that belongs to no line is a mismatch", async () => {
  const { machine, transport, clock } = await bench();
  const run = failure(machine.run("G4P5\n"));
  await clock.advance(1);
  transport.inject("ok\r\nok\r\nok\r\n");
  const error = await clock.run(run);
  assert.is(error.code, "MACHINE_DESYNC");
});

test("a line that writes EEPROM travels alone, so nothing is lost around it", async () => {
  const lines = ["G21G90", "G1X10F600", "G10L2P1X1Y2Z3", "G1X0", "G10L20P2X5", "G1X10", "G28.1", "G1X3"];
  const { machine, firmware, clock, executed } = await bench();
  const result = await clock.run(machine.run(text(lines)));
  assert.is(result.acknowledged, lines.length);
  assert.is(firmware.uart.overrun, 0);
  assert.equal(
    executed().filter((line) => line !== "G4P0"),
    lines,
  );
});

test("hold resolves when the machine stands; resume goes on, whenever it is called", async () => {
  for (const gap of [0, 0.005, 0.035, 0.1, 1]) {
    const { machine, firmware, clock } = await bench();
    const run = machine.run(LONG);
    await clock.advance(2);
    const hold = machine.hold();
    await clock.advance(gap);
    if (gap === 1) {
      await clock.run(hold);
      assert.is(firmware.state, "Hold:0");
      const before = firmware.log.lines.length;
      await clock.advance(60);
      assert.is(firmware.log.lines.length, before);
    }
    await clock.run(Promise.all([hold, machine.resume()]));
    assert.is(firmware.state, "Run", `${gap}`);
    assert.is((await clock.run(run)).acknowledged, 41);
  }
});

test("resume continues a program that paused itself", async () => {
  const { machine, firmware, clock } = await bench();
  const run = machine.run("G1X10F600\nM0\nG1X0\n");
  await clock.advance(5);
  assert.is(firmware.state, "Hold:0");
  await clock.run(machine.resume());
  assert.is((await clock.run(run)).acknowledged, 3);
});

test("command gives what the controller said, in a run too, and keeps within the window", async () => {
  const { machine, firmware, clock } = await bench();
  assert.equal(await clock.run(machine.command("$I")), ["[VER:1.1h.20190830:]", "[OPT:V,15,128]"]);
  assert.is((await clock.run(machine.command("$$"))).length, 34);
  const error = await clock.run(failure(machine.command("G1X1")));
  assert.is(error.code, "MACHINE_ERROR");
  assert.is(error.message, "The controller refused G1X1: error:22 (no feed rate was set)");
  assert.is((await clock.run(failure(machine.command("?")))).code, "INVALID_ARGUMENT");
  assert.is((await clock.run(failure(machine.command("(only)")))).code, "INVALID_ARGUMENT");
  const run = machine.run(LONG);
  await clock.advance(2);
  assert.equal(await clock.run(machine.command("$G")), ["[GC:G1 G54 G17 G21 G90 G94 M4 M9 T0 F600 S300]"]);
  assert.is((await clock.run(run)).acknowledged, 41);
  assert.is(firmware.uart.overflow, 0);
});

test("one run at a time, and only of an idle machine", async () => {
  const { machine, firmware, transport, clock } = await bench();
  const run = machine.run("G1X10F600\n");
  assert.is(
    (await failure(machine.run("G0X0\n"))).message,
    "The machine is busy: another run or command has not ended",
  );
  await clock.run(run);
  // somebody at the controller's own panel
  transport.wire.at(() => firmware.uart.send(Buffer.from("!"), firmware.now));
  await clock.advance(0.1);
  assert.is(
    (await clock.run(failure(machine.run("G0X0\n")))).message,
    "Expected the machine to be idle, it is in Hold",
  );
  await clock.run(machine.resume());
  assert.is((await clock.run(machine.run("G0X0\n"))).acknowledged, 1);
});

test("reset ends a run as canceled and waits for the controller", async () => {
  const { machine, firmware, clock } = await bench();
  const run = failure(machine.run(LONG));
  await clock.advance(2);
  await clock.run(machine.reset());
  const error = await clock.run(run);
  assert.is(error.code, "CANCELED");
  assert.is(error.data!.stopped, true);
  // in motion the position is lost, and the controller says so
  assert.is(machine.state, "Alarm");
  assert.equal(realtimeOf({ firmware }), [0x18]);
});

test("close stops a run first; nothing is left on the clock and nothing may be asked", async () => {
  const { machine, firmware, clock } = await bench();
  const run = failure(machine.run(LONG));
  await clock.advance(2);
  await clock.run(machine.close());
  assert.is((await run).code, "CANCELED");
  assert.equal(realtimeOf({ firmware }), [0x21, 0x18]);
  assert.is(clock.pending, 0);
  assert.not.ok(machine.connected);
  for (const call of [
    machine.status(),
    machine.run("G0\n"),
    machine.command("$G"),
    machine.hold(),
    machine.reset(),
  ])
    assert.is((await failure(call)).message, "The connection to simulated is closed");
  await clock.run(machine.close());
});

test("a pulled cable settles everything that waits", async () => {
  const { machine, transport, clock } = await bench();
  const run = failure(machine.run(LONG));
  await clock.advance(2);
  const others = [failure(machine.command("$G")), failure(machine.hold())];
  transport.unplug();
  for (const promise of [run, ...others]) assert.is((await clock.run(promise)).code, "PORT_LOST");
  const error = await run;
  assert.ok((error.data!.lastAcked as number) > 0);
  assert.is((await failure(machine.status())).code, "PORT_LOST");
  assert.is(clock.pending, 0);
});

test("whatever fault strikes a run, it ends exact or as a typed failure, and nothing runs afterwards", async () => {
  const random = seeded(11);
  const faults = [
    "none",
    "unplug",
    "restart",
    "trip",
    "freeze",
    "lose in",
    "lose out",
    "flip",
    "cancel",
    "hold",
  ] as const;
  const codes = new Map<string, number>();
  for (let round = 0; round < 100; round++) {
    const fault = faults[round % faults.length]!;
    const name = `round ${round}, ${fault}`;
    const lines = [
      "G21G90F3000M4S100",
      ...Array.from({ length: 60 }, () => `G1X${random(30)}Y${random(30)}S${random(999)}`),
    ];
    const { machine, firmware, transport, clock, executed } = await bench({ lineSeconds: random(3) / 1000 });
    const controller = new AbortController();
    const run = machine.run(text(lines), { signal: controller.signal }).then(
      () => "done",
      (error: KerfworkError) => error.code,
    );
    await clock.advance(random(15_000) / 1000);
    const at = random(100);
    const { uart } = firmware;
    if (fault === "unplug") transport.unplug();
    if (fault === "restart") transport.wire.at(() => firmware.restart(random(3) / 2));
    if (fault === "trip") transport.wire.at(() => firmware.trip());
    if (fault === "freeze") transport.wire.at(() => firmware.freeze(true));
    if (fault === "lose in") transport.wire.at(() => uart.damage("toController", at, 0));
    if (fault === "lose out") transport.wire.at(() => uart.damage("toHost", at, 0));
    if (fault === "flip") transport.wire.at(() => uart.damage("toController", at, 1 << random(7)));
    if (fault === "cancel") controller.abort();
    if (fault === "hold") {
      await clock.run(machine.hold());
      await clock.advance(random(10));
      await clock.run(machine.resume());
    }
    // a flipped bit can make a feed hold of a digit; somebody looks after a while
    const release = clock.after(60, () => void (firmware.state === "Hold:0" && machine.resume()));
    const code = await clock.run(run);
    release();
    codes.set(code, (codes.get(code) ?? 0) + 1);
    assert.is(uart.overflow, 0, name);
    const ran = executed();
    const job = [...lines, "M5", "G4P0"];
    if (code === "done") assert.is(ran.length, job.length, name);
    else
      assert.ok(
        code.startsWith("MACHINE_") || code === "PORT_LOST" || code === "CANCELED",
        `${name}: ${code}`,
      );
    // a byte lost or changed on the way can make another line of its own, or one of two: the wire has no checksum
    if (fault !== "flip" && fault !== "lose in") assert.equal(ran, job.slice(0, ran.length), name);
    else {
      const odd = ran.findIndex((line, i) => line !== job[i]);
      const rest = odd === -1 ? [] : ran.slice(odd + 1);
      assert.ok(
        [1, 2].some((skip) => rest.every((line, i) => line === job[odd + skip + i])) || code !== "done",
        name,
      );
    }
    if (fault === "none" || fault === "hold") assert.is(code, "done", name);
    if (fault === "unplug") continue;
    firmware.freeze(false);
    uart.heal();
    await clock.advance(5);
    if (fault !== "freeze") assert.is(executed().length, ran.length, `${name}: ran on`);
    await clock.run(machine.reset());
    if (machine.state === "Alarm") await clock.run(machine.command("$X"));
    assert.is((await clock.run(machine.run("G21G90\nG0X0Y0\n"))).acknowledged, 2, name);
    await clock.run(machine.close());
    assert.is(clock.pending, 0, name);
  }
  // the rounds met each kind of end; a mismatch takes the loss of just the right byte, which has a test of its own
  for (const code of ["done", "PORT_LOST", "CANCELED", "MACHINE_RESET", "MACHINE_ALARM", "MACHINE_SILENT"])
    assert.ok(codes.has(code), code);
});

test("connect takes a machine that is held, and can let it go on or reset it", async () => {
  for (const end of ["resume", "reset"] as const) {
    const clock = new VirtualClock();
    const firmware = new Firmware();
    firmware.uart.send(Buffer.from("G1X100F600\nG1X0\n"), 0);
    firmware.advance(1);
    firmware.uart.send(Buffer.from("!"), 1);
    firmware.advance(2);
    firmware.uart.take();
    const machine = await clock.run(connect(new SimulatedTransport(firmware, clock), { clock }));
    assert.is(machine.state, "Hold");
    assert.is(machine.window, 128);
    await clock.run(machine[end]());
    assert.is(machine.state, end === "resume" ? "Run" : "Idle");
    await clock.run(machine[Symbol.asyncDispose]());
  }
});

test("connect bears a board that restarts while it is being asked", async () => {
  for (let ms = 0; ms < 400; ms += 7) {
    const clock = new VirtualClock();
    const firmware = new Firmware();
    firmware.advance(1);
    firmware.uart.take();
    const transport = new SimulatedTransport(firmware, clock);
    const connected = connect(transport, { clock });
    await clock.advance(ms / 1000);
    transport.wire.at(() => firmware.restart(0));
    const machine = await clock.run(connected);
    await clock.advance(0.3);
    assert.is((await clock.run(machine.run("G21\nG0X1\n"))).acknowledged, 2, `${ms}`);
  }
});

test("check mode runs a program without motion", async () => {
  const { machine, firmware, clock } = await bench();
  await clock.run(machine.command("$C"));
  const result = await clock.run(machine.run(LONG));
  assert.is(result.acknowledged, 41);
  assert.equal(firmware.position, [0, 0, 0]);
  await clock.run(machine.command("$C"));
  await clock.advance(0.5);
  assert.is((await clock.run(machine.status())).state, "Idle");
});

test("connect and run check their options", async () => {
  const { machine, clock } = await bench();
  assert.is(
    (await failure(connect("/dev/null", { pollMs: 0 }))).message,
    "Expected `pollMs` to be a finite number > 0, got 0",
  );
  assert.is(
    (await failure(connect(5 as never))).message,
    "Expected `target` to be the path of a serial port, tcp://host:port, two streams or a Transport, got 5",
  );
  assert.is((await failure(connect(""))).message, 'Expected `path` to be the path of a serial port, got ""');
  assert.is(
    (await clock.run(failure(machine.command(5 as never)))).message,
    "Expected `line` to be text, got 5",
  );
});

test.run();
