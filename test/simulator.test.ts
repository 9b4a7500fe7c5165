import { Firmware, startSimulator } from "kerfwork";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { Bench } from "./controller.ts";

const executed = ({ firmware }: Bench): string[] => firmware.log.lines.map(({ text }) => text);
const IDLE = "<Idle|MPos:0.000,0.000,0.000|Bf:15,128|FS:0,0";

test("a controller starts with its banner and is idle", () => {
  const firmware = new Firmware();
  firmware.advance(0.1);
  assert.is(Buffer.from(firmware.uart.take()).toString(), "\r\nGrbl 1.1h ['$' for help]\r\n");
  assert.is(firmware.state, "Idle");
});

test("each line end is one answer: CRLF gives two", () => {
  const bench = new Bench();
  assert.equal(bench.run(0.1, "\r\n"), ["ok", "ok"]);
  assert.equal(bench.run(0.1, "(a)\n;b\n   \n"), ["ok", "ok", "ok"]);
});

test("a line may keep 79 characters; the 80th is error:11 and nothing runs", () => {
  const bench = new Bench();
  assert.equal(bench.run(0.1, `G0X${"0".repeat(76)}\n`), ["ok"]);
  assert.equal(bench.run(0.1, `G0X${"0".repeat(77)}\n`), ["error:11"]);
  assert.equal(bench.run(0.1, `G0X0${" ".repeat(90)}(${"c".repeat(20)})\n`), ["ok"]);
  assert.is(bench.firmware.log.lines.length, 2);
});

test("a sender that does not count loses bytes, silently", () => {
  const bench = new Bench();
  const job = Array.from({ length: 60 }, (_, i) => `G1X${i + 1}F600`);
  const answers = bench.run(120, `${job.join("\n")}\n`);
  const { uart } = bench.firmware;
  assert.ok(uart.overflow > 0);
  assert.is(uart.highWater, 128);
  assert.ok(answers.length < 60, "a lost line end glues lines");
});

test("128 bytes fit into the buffer while nothing is read, and not one more", () => {
  for (const [extra, lost] of [
    ["", 0],
    ["X", 1],
  ] as const) {
    const bench = new Bench();
    // the dwell keeps the main loop from reading
    bench.run(0.1, "G4P2\n");
    bench.run(0.5, `${"(".padEnd(126, "c")})\n${extra}`);
    assert.is(bench.firmware.uart.overflow, lost);
    assert.is(bench.firmware.uart.highWater, 128);
  }
});

test("realtime requests are flags: two ? before the main loop looks give one report", () => {
  const bench = new Bench({ lineSeconds: 0.05 });
  assert.equal(bench.run(1, "G4P0\n??"), [`${IDLE}|WCO:0.000,0.000,0.000>`, "ok"]);
  assert.equal(bench.run(0.01, "?"), [`${IDLE}|Ov:100,100,100>`]);
  assert.equal(bench.run(0.01, "?"), [`${IDLE}>`]);
});

test("realtime bytes act inside of a comment", () => {
  const bench = new Bench();
  bench.run(0.1, "(wait!");
  assert.is(bench.firmware.state, "Hold:0");
  bench.run(0.1, "~");
  assert.is(bench.firmware.state, "Idle");
});

test("WCO comes every tenth idle report, Ov between them, never both", () => {
  const bench = new Bench();
  const reports = Array.from({ length: 22 }, () => bench.run(0.02, "?")[0]!);
  const places = (field: string) => reports.flatMap((report, i) => (report.includes(field) ? [i] : []));
  assert.equal(places("WCO:"), [0, 10, 20]);
  assert.equal(places("Ov:"), [1, 11, 21]);
});

test("ok waits for room in the planner: 15 moves are taken at once, the 16th with the first that ends", () => {
  const bench = new Bench();
  bench.run(0.1, "G91\nG1F600\n");
  const moves = "X1\n".repeat(17);
  assert.is(bench.run(0.05, moves).length, 15);
  assert.is(bench.run(0.08).length, 2 - 1);
  assert.is(bench.run(0.1).length, 1);
});

test("lines that sync answer when the motion has ended", () => {
  const bench = new Bench();
  assert.equal(bench.run(0.1, "G1X10F600\n"), ["ok"]);
  assert.equal(bench.run(0.8, "G4P0.5\n"), []);
  assert.equal(bench.run(0.7), ["ok"]);
  assert.equal(bench.firmware.position, [10, 0, 0]);
});

test("a hold stands after its ramp, executes nothing, and goes on where it was", () => {
  const bench = new Bench();
  bench.run(0.05, "G1X100F1200\n");
  bench.run(0.5, "");
  bench.run(0.02, "!");
  assert.is(bench.firmware.state, "Hold:1");
  bench.run(0.2);
  assert.is(bench.firmware.state, "Hold:0");
  const [x] = bench.firmware.position;
  assert.ok(x > 10 && x < 14, `${x}`);
  assert.equal(bench.run(1, "G1X0\n"), []);
  assert.is(bench.firmware.position[0], x);
  assert.equal(bench.run(0.1, "~"), ["ok"]);
  bench.run(20);
  assert.equal(bench.firmware.position, [0, 0, 0]);
});

test("a resume during the ramp of a hold is lost", () => {
  const bench = new Bench();
  bench.run(0.5, "G1X100F1200\n");
  bench.run(0.03, "!");
  bench.run(5, "~");
  assert.is(bench.firmware.state, "Hold:0");
  bench.run(0.1, "~");
  assert.is(bench.firmware.state, "Run");
});

test("a reset in motion is ALARM:3, then the late ok of the line that waited, then the banner and a lock", () => {
  const bench = new Bench();
  bench.run(0.5, `G1X100F1200\n${"X0\nX100\n".repeat(10)}`);
  assert.equal(bench.run(0.1, "\x18"), []);
  assert.equal(bench.run(0.2), ["ALARM:3"]);
  assert.equal(bench.run(0.6), ["ok", "Grbl 1.1h ['$' for help]", "[MSG:'$H'|'$X' to unlock]"]);
  assert.is(bench.firmware.state, "Alarm");
  assert.equal(bench.run(0.1, "G0X0\n"), ["error:9"]);
  assert.equal(bench.run(0.1, "$X\n"), ["[MSG:Caution: Unlocked]", "ok"]);
  assert.equal(bench.run(0.1, "G0X0\n"), ["ok"]);
});

test("a reset at rest or at Hold:0 keeps position and sets no alarm; half a line is forgotten", () => {
  const bench = new Bench();
  bench.run(0.5, "G1X100F1200\n");
  bench.run(0.5, "!");
  const { position } = bench.firmware;
  assert.equal(bench.run(0.1, "M5\nG1 X"), []);
  assert.equal(bench.run(0.1, "\x18"), ["Grbl 1.1h ['$' for help]"]);
  assert.is(bench.firmware.state, "Idle");
  assert.equal(bench.firmware.position, position);
  assert.equal(bench.run(0.1, "G4P0\n"), ["ok"]);
  assert.match(bench.run(0.1, "$G\n")[0]!, /^\[GC:G0 G54 G17 G21 G90 G94 M5 M9 T0 F0 S0\]$/);
});

test("a limit switch is ALARM:1; then the controller is deaf to all but a reset", () => {
  const bench = new Bench();
  bench.run(0.5, "G1X100F1200\n");
  bench.firmware.trip();
  assert.equal(bench.run(0.9), ["ALARM:1", "[MSG:Reset to continue]"]);
  assert.equal(bench.run(1, "?$X\n"), []);
  assert.equal(bench.run(0.1, "\x18"), ["Grbl 1.1h ['$' for help]", "[MSG:'$H'|'$X' to unlock]"]);
});

test("a reset right after a limit alarm is thrown away", () => {
  const bench = new Bench();
  bench.firmware.trip();
  assert.equal(bench.run(0.4), ["ALARM:1"]);
  bench.run(0.01, "\x18");
  assert.equal(bench.run(2), ["[MSG:Reset to continue]"]);
});

test("a soft limit stops in order and is ALARM:2", () => {
  const bench = new Bench({ settings: { 20: 1, 22: 1, 27: 2 } });
  assert.equal(bench.run(30, "$H\n"), ["ok"]);
  assert.equal(bench.firmware.position, [-2, -2, -2]);
  const answers = bench.run(3, "G90F1500\nG53G1X-30\nG53X-250\nG53X-20\n");
  assert.equal(answers, ["ok", "ok", "ALARM:2", "[MSG:Reset to continue]"]);
  assert.equal(bench.run(0.3, "\x18"), ["ok", "Grbl 1.1h ['$' for help]", "[MSG:'$H'|'$X' to unlock]"]);
});

test("the controller refuses lines with GRBL's numbers", () => {
  const bench = new Bench();
  const cases: readonly (readonly [string, string])[] = [
    ["1X2", "error:1"],
    ["GX", "error:2"],
    ["G1X1Y-", "error:2"],
    ["$5000=1", "error:3"],
    ["$11=-1", "error:4"],
    ["G1X1F-5", "error:4"],
    ["$H", "error:5"],
    ["$0=1", "error:6"],
    ["$20=1", "error:10"],
    ["G5X1", "error:20"],
    ["M6", "error:20"],
    ["G1X1A2", "error:20"],
    ["G0G1X1", "error:21"],
    ["M3M5", "error:21"],
    ["G1X1", "error:22"],
    ["M3.5", "error:23"],
    ["G0G28X1", "error:24"],
    ["G0X1X2", "error:25"],
    ["G92", "error:26"],
    ["N-1G0", "error:4"],
    ["N99999999G0", "error:27"],
    ["G4", "error:28"],
    ["G10L2P9X0", "error:29"],
    ["G53G2X1Y1I1F100", "error:30"],
    ["G80X1", "error:31"],
    ["G2I1F100Z1", "error:32"],
    ["G2X10Y0I1J0F100", "error:33"],
    ["G2X10Y0R1F100", "error:34"],
    ["G2X1Y1F100", "error:35"],
    ["G0X1P2", "error:36"],
    ["G43.1X1", "error:37"],
    ["T256", "error:38"],
  ];
  for (const [line, answer] of cases) assert.equal(bench.run(0.1, `${line}\n`), [answer], line);
  assert.equal(bench.firmware.position, [0, 0, 0]);
});

test("modes stay: units, distances, offsets and feed act on later lines", () => {
  const bench = new Bench();
  const at = (line: string) => {
    bench.run(60, `${line}\n`);
    return bench.firmware.position.map((value) => Number(value.toFixed(4)));
  };
  assert.equal(at("G20G0X1"), [25.4, 0, 0]);
  assert.equal(at("G91Y1"), [25.4, 25.4, 0]);
  assert.equal(at("G21G90X10Y0"), [10, 0, 0]);
  assert.equal(at("G92X0"), [10, 0, 0]);
  assert.equal(at("X1"), [11, 0, 0]);
  assert.equal(at("G92.1X1"), [11, 0, 0]);
  assert.equal(at("X1"), [1, 0, 0]);
  assert.equal(at("G10L20P0X0"), [1, 0, 0]);
  assert.equal(at("X1"), [2, 0, 0]);
  assert.equal(at("G53X0"), [0, 0, 0]);
  assert.equal(at("G55X0"), [0, 0, 0]);
  assert.equal(at("G54X0"), [1, 0, 0]);
  assert.equal(at("G2X2Y0I1J0F600"), [3, 0, 0]);
});

test("an arc goes round its centre, the asked way and the whole of it", () => {
  // so fast an acceleration that the ramps do not count
  const bench = new Bench({ settings: { 110: 60_000, 111: 60_000, 120: 1e7, 121: 1e7, 11: 10 } });
  bench.run(1, "G0X10\n");
  for (const [line, sign, seconds] of [
    ["G3X10Y0I-10J0F6000", 1, 0.628],
    ["G2X10Y0I-10J0F6000", -1, 0.628],
    ["G3X-10Y0R10F6000", 1, 0.314],
  ] as const) {
    bench.run(0, `${line}\n`);
    let [low, high, ran] = [0, 0, 0];
    do {
      bench.run(0.001);
      const [x, y] = bench.firmware.position;
      assert.ok(Math.abs(Math.hypot(x, y) - 10) < 0.007);
      if (ran++ === 100) assert.is(Math.sign(y), sign);
      low = Math.min(low, x);
      high = Math.max(high, x);
    } while (bench.firmware.state === "Run" || ran < 10);
    assert.ok(Math.abs(ran / 1000 - seconds) < 0.01, `${ran}`);
    assert.ok(low < -9.99 && high > 9.98);
  }
});

test("G10 writes EEPROM with interrupts off: what arrives meanwhile is lost", () => {
  const bench = new Bench();
  const answers = bench.run(1, `G10L2P1X1Y2Z3\n${"G0X1\n".repeat(10)}`);
  assert.ok(bench.firmware.uart.overrun > 30);
  assert.ok(answers.length < 11);
  // the same values change nothing, so nothing is written
  const quiet = new Bench();
  assert.is(quiet.run(1, `G10L2P1X0Y0Z0\n${"G0X1\n".repeat(10)}`).length, 11);
  assert.is(quiet.firmware.uart.overrun, 0);
});

test("check mode answers and moves nothing; leaving it restarts the controller", () => {
  const bench = new Bench();
  assert.equal(bench.run(0.1, "$C\n"), ["[MSG:Enabled]", "ok"]);
  assert.equal(bench.run(0.1, "G1X10F100\nG1X20Q\n"), ["ok", "error:2"]);
  assert.equal(bench.firmware.position, [0, 0, 0]);
  assert.equal(bench.run(0.1, "$C\n"), ["[MSG:Disabled]", "ok", "Grbl 1.1h ['$' for help]"]);
});

test("sleep wakes by a reset only, into alarm", () => {
  const bench = new Bench();
  assert.equal(bench.run(0.1, "$SLP\n"), ["ok", "[MSG:Sleeping]"]);
  assert.equal(bench.run(0.1, "G0X1\n~"), []);
  assert.equal(bench.run(0.3, "\x18"), ["Grbl 1.1h ['$' for help]", "[MSG:'$H'|'$X' to unlock]"]);
});

test("a jog leaves no mode behind, and 0x85 or ! end it where it is", () => {
  const bench = new Bench();
  assert.equal(bench.run(0.1, "$J=X10\n$J=X1F0\n$J=F100\n$J=G1X1F100\n"), [
    "error:22",
    "error:22",
    "error:26",
    "error:16",
  ]);
  assert.equal(bench.run(1, "$J=G91X10F600\n$J=G91X10F600\n"), ["ok", "ok"]);
  assert.is(bench.firmware.state, "Jog");
  assert.equal(bench.run(0.1, "G0X0\n"), ["error:9"]);
  for (const end of ["\x85", "!"]) {
    bench.run(0.5, end);
    assert.is(bench.firmware.state, "Idle");
    const [x] = bench.firmware.position;
    assert.ok(x > 1 && x < 25 && x % 10 !== 0, `${x}`);
    assert.equal(bench.run(1, `$J=G91X10F600\n`), ["ok"]);
  }
  bench.run(5);
  assert.match(bench.run(0.1, "$G\n")[0]!, "[GC:G0 G54 G17 G21 G90 G94 M5 M9 T0 F0 S0]");
});

test("$ commands that need rest are refused in motion", () => {
  const bench = new Bench();
  bench.run(0.1, "G1X100F600\n");
  for (const line of ["$$", "$#", "$I", "$N", "$10=3", "$C", "$SLP"])
    assert.equal(bench.run(0.05, `${line}\n`), ["error:8"], line);
  assert.is(bench.run(0.1, "$G\n").length, 2);
});

test("a restart forgets everything but settings; bytes of the boot are lost", () => {
  const bench = new Bench();
  bench.run(0.5, "$110=1000\n");
  bench.run(0.5, "G1X100F600\n");
  bench.firmware.restart(0.7);
  assert.equal(bench.run(0.6, "G0X5\n"), []);
  assert.equal(bench.run(0.2), ["Grbl 1.1h ['$' for help]"]);
  assert.is(bench.firmware.uart.overrun, 5);
  assert.equal(bench.firmware.position, [0, 0, 0]);
  assert.is(bench.firmware.settings.number(110), 1000);
  assert.equal(
    bench.firmware.log.resets.map(({ kind }) => kind),
    ["power", "power"],
  );
});

test("damage loses or flips exactly the byte that it names", () => {
  const bench = new Bench();
  bench.firmware.uart.damage("toController", 2, 0);
  bench.firmware.uart.damage("toController", 7, 1);
  assert.equal(bench.run(0.1, "G4P0\nG0X0\n"), ["ok", "ok"]);
  assert.equal(executed(bench), ["G40", "G0Y0"]);
  bench.firmware.uart.damage("toHost", 0, 0);
  assert.equal(bench.run(0.1, "\n\n"), ["k", "ok"]);
});

test("a frozen controller is silent and goes on when let go", () => {
  const bench = new Bench();
  bench.run(0.1, "G1X10F600\n");
  bench.firmware.freeze(true);
  const { position } = bench.firmware;
  assert.equal(bench.run(5, "?"), []);
  assert.equal(bench.firmware.position, position);
  bench.firmware.freeze(false);
  assert.match(bench.run(0.1, "?")[0]!, /^<Run/);
});

test("the wire takes its time: 10 bits a byte, both ways", () => {
  for (const baud of [9600, 115_200]) {
    const bench = new Bench({ baud });
    bench.run(1);
    const byte = 10 / baud;
    assert.is(bench.raw(1.99 * byte, "\n"), "");
    assert.is(bench.raw(1 * byte), "o");
    assert.is(bench.raw(2 * byte), "k\r");
    assert.is(bench.raw(0.02 * byte), "\n");
  }
});

test("startSimulator checks its options", async () => {
  for (const [options, message] of [
    [{ timeScale: 0 }, "Expected `timeScale` to be a finite number > 0, got 0"],
    [{ baud: Number.NaN }, "Expected `baud` to be a finite number > 0, got NaN"],
    [{ settings: { 110: Number.NaN } }, "Expected `settings[110]` to be a finite number, got NaN"],
    [{ lineSeconds: -1 }, "Expected `lineSeconds` to be a finite number >= 0, got -1"],
  ] as const) {
    const error = await startSimulator(options).then(
      () => undefined,
      (reason: Error) => reason,
    );
    assert.is(error?.message, message);
  }
});

test("startSimulator without the script command says so", async () => {
  const { PATH } = process.env;
  process.env.PATH = "/nowhere";
  const error = await startSimulator().then(
    () => undefined,
    (reason: Error & { code?: string }) => reason,
  );
  process.env.PATH = PATH;
  assert.is(error?.code, "SIMULATOR_FAILED");
  assert.is(
    error?.message,
    "Cannot open a pseudo-terminal for the simulated controller: the `script` command (bsdutils, util-linux) cannot run",
  );
});

test.run();
