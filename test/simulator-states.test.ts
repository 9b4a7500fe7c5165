import { test } from "uvu";
import * as assert from "uvu/assert";
import { Bench } from "./controller.ts";

const BANNER = "Grbl 1.1h ['$' for help]";
const LOCKED = "[MSG:'$H'|'$X' to unlock]";

test("a door that opens stops the machine; closed it goes on at ~, and not before", () => {
  const bench = new Bench();
  bench.run(0.5, "G1X100F1200\n");
  bench.firmware.setPins({ door: true });
  assert.equal(bench.run(0.02), ["[MSG:Check Door]"]);
  assert.is(bench.firmware.state, "Door:2");
  bench.run(0.3);
  assert.is(bench.firmware.state, "Door:1");
  assert.match(bench.run(0.01, "?")[0]!, /^<Door:1\|.*\|Pn:D\|WCO/);
  bench.run(0.1, "~");
  assert.is(bench.firmware.state, "Door:1");
  bench.firmware.setPins({ door: false });
  bench.run(0.01);
  assert.is(bench.firmware.state, "Door:0");
  bench.run(0.1, "~");
  assert.is(bench.firmware.state, "Run");
});

test("without laser mode a door gives the spindle its time: Door:3", () => {
  const bench = new Bench({ settings: { 32: 0 } });
  bench.run(0.5, "M3S1000\nG1X100F1200\n");
  assert.is(bench.firmware.pwm, 255);
  bench.run(0.5, "\x84");
  assert.is(bench.firmware.pwm, 0);
  assert.equal(bench.run(0.1, "~"), ["[MSG:Restoring spindle]"]);
  assert.is(bench.firmware.state, "Door:3");
  bench.run(3.8);
  assert.is(bench.firmware.state, "Door:3");
  bench.run(0.2);
  assert.is(bench.firmware.state, "Run");
  assert.is(bench.firmware.pwm, 255);
});

test("a reset while a spindle is brought back ends that", () => {
  const bench = new Bench({ settings: { 32: 0 } });
  bench.run(0.5, "M3S1000\nG1X100F1200\n");
  bench.run(0.5, "\x84");
  bench.run(1, "~");
  assert.equal(bench.run(0.1, "\x18"), [BANNER]);
  assert.is(bench.firmware.state, "Idle");
});

test("a feed hold in laser mode turns the beam off, and outside of it leaves the spindle on", () => {
  for (const [laser, held] of [
    [1, 0],
    [0, 128],
  ] as const) {
    const bench = new Bench({ settings: { 32: laser } });
    bench.run(0.5, "M3S500\nG1X100F1200\n");
    assert.is(bench.firmware.pwm, 128);
    bench.run(0.5, "!");
    assert.is(bench.firmware.pwm, held);
    assert.is(bench.run(0.1, "~").includes("[MSG:Restoring spindle]"), laser === 1);
    assert.is(bench.firmware.pwm, 128);
  }
});

test("the power of M4 follows the speed, that of M3 does not", () => {
  for (const [word, half] of [
    ["M4", true],
    ["M3", false],
  ] as const) {
    const bench = new Bench();
    bench.run(0, `${word}S1000\nG1X100F3000\n`);
    // 50 mm/s take 0.25 s at 200 mm/s²
    bench.run(0.13);
    assert.is(bench.firmware.pwm > 110 && bench.firmware.pwm < 150, half);
    bench.run(0.3);
    assert.is(bench.firmware.pwm, 255);
  }
});

test("homing finds the switches in their order, and leaves the machine at the pull-off", () => {
  const bench = new Bench({ settings: { 22: 1, 27: 3 }, homingSwitches: [5, 12, 3] });
  assert.is(bench.firmware.state, "Alarm");
  assert.equal(bench.run(0.1, "G0X1\n"), ["error:9"]);
  assert.equal(bench.run(5, "$H\n?"), []);
  assert.is(bench.firmware.state, "Home");
  // the ? that was not answered is, once it has homed
  const answers = bench.run(60);
  assert.is(answers.length, 2);
  assert.ok(answers.includes("ok"));
  assert.equal(bench.firmware.position, [-3, -3, -3]);
  assert.equal(bench.run(0.1, "G0X-1\n"), ["ok"]);
});

test("homing towards the low end sets the far end of the travel", () => {
  const bench = new Bench({ settings: { 22: 1, 23: 1 }, homingSwitches: [-20, 20, 20] });
  bench.run(60, "$H\n");
  assert.equal(bench.firmware.position, [-199, -1, -1]);
});

test("a second homing is as long as the first is not: the switches stay where they are", () => {
  const bench = new Bench({ settings: { 22: 1 } });
  const seconds = () => {
    const start = bench.firmware.now;
    let said: string[] = [];
    bench.run(0, "$H\n");
    while (said.length === 0) said = bench.run(0.01);
    assert.equal(said, ["ok"]);
    return bench.firmware.now - start;
  };
  const first = seconds();
  const second = seconds();
  assert.ok(second < first - 3, `${first} ${second}`);
});

test("a reset while homing is ALARM:6, a switch that never comes ALARM:9", () => {
  const bench = new Bench({ settings: { 22: 1 } });
  bench.run(1, "$H\n");
  assert.equal(bench.run(1, "\x18"), ["ALARM:6", "ok", BANNER, LOCKED]);
  const lost = new Bench({ settings: { 22: 1 }, homingSwitches: [20, 20, 900] });
  assert.equal(lost.run(60, "$H\n"), ["ALARM:9", "ok"]);
  assert.is(lost.firmware.state, "Alarm");
});

test("limit switches count when $21 says so; closed at a reset they are told of", () => {
  const bench = new Bench();
  bench.firmware.setPins({ limits: "XY" });
  assert.match(bench.run(0.01, "?")[0]!, /\|FS:0,0\|Pn:XY\|/);
  assert.is(bench.firmware.state, "Idle");
  bench.firmware.setPins({ limits: "" });
  bench.run(0.1, "$21=1\n");
  bench.run(0.5, "G1X100F1200\n");
  bench.firmware.setPins({ limits: "X" });
  assert.equal(bench.run(1), ["ALARM:1", "[MSG:Reset to continue]"]);
  assert.equal(bench.run(0.1, "\x18"), [BANNER, "[MSG:Check Limits]", LOCKED]);
});

test("overrides change what runs: twice the feed takes half the time", () => {
  const run = (bytes: string[]) => {
    const bench = new Bench();
    bench.run(0.5, "G1X50F600\n");
    for (const byte of bytes) bench.run(0.02, byte);
    let seconds = 0.5 + 0.02 * bytes.length;
    for (; bench.firmware.state === "Run"; seconds += 0.01) bench.run(0.01);
    return seconds;
  };
  const plain = run([]);
  assert.ok(Math.abs(plain - 5.05) < 0.03, `${plain}`);
  // ten more ten times is 200 %, which is the most
  const fast = run(Array(15).fill("\x91"));
  assert.ok(fast > 2.5 && fast < 3.1, `${fast}`);
  const slow = run(Array(15).fill("\x92"));
  assert.ok(slow > 30 && slow < 51, `${slow}`);
});

test("overrides and switches of outputs are flags, clamp, and show in the next report", () => {
  const bench = new Bench();
  const field = (): string | undefined => {
    const report = bench.run(0.02, "?")[0]!;
    // the offset comes first, the overrides wait for it
    return report.includes("WCO:") ? field() : /\|Ov:[^>]*/.exec(report)?.[0];
  };
  field();
  const cases: readonly (readonly [string, string | undefined])[] = [
    ["\x91", "|Ov:110,100,100"],
    ["\x93", "|Ov:111,100,100"],
    ["\x94", "|Ov:110,100,100"],
    ["\x90", "|Ov:100,100,100"],
    ["\x90", undefined],
    ["\x96", "|Ov:100,50,100"],
    ["\x97", "|Ov:100,25,100"],
    ["\x95", "|Ov:100,100,100"],
    ["\x9a", "|Ov:100,100,110"],
    ["\x9d", "|Ov:100,100,109"],
    ["\x99", "|Ov:100,100,100"],
    ["\xa0", "|Ov:100,100,100|A:F"],
    ["\xa0", "|Ov:100,100,100"],
    ["\xff\x98\x86", undefined],
  ];
  for (const [bytes, shown] of cases) {
    bench.run(0.02, bytes);
    assert.is(field(), shown, JSON.stringify(bytes));
  }
  bench.run(0.1, "\x91");
  bench.run(0.1, "\x18");
  bench.run(0.1, "?");
  assert.is(field(), "|Ov:100,100,100");
  // twice while the main loop looks elsewhere counts once
  bench.firmware.lineSeconds = 0.1;
  bench.run(0.3, "G4P0\n\x91\x91");
  assert.is(field(), "|Ov:110,100,100");
});

test("a probe stops where it touches; not to touch is an alarm or is said", () => {
  const bench = new Bench();
  bench.run(0.1, "G38.2X-50F600\n");
  bench.run(1);
  bench.firmware.setPins({ probe: true });
  const answers = bench.run(0.5);
  assert.match(answers[0]!, /^\[PRB:-\d+\.\d{3},0\.000,0\.000:1\]$/);
  assert.is(answers[1], "ok");
  assert.is(bench.run(0.1, "$#\n").at(-2), answers[0]);
  // away from it
  bench.run(0.2, "G38.4X50F600\n");
  bench.firmware.setPins({ probe: false });
  assert.match(bench.run(0.2)[0]!, /:1\]$/);
  assert.match(bench.run(20, "G38.3X-60F3000\n")[0]!, /^\[PRB:-60\.000,0\.000,0\.000:0\]$/);
  assert.equal(bench.run(20, "G38.2X-70F3000\n"), ["ALARM:5", "ok"]);
  bench.run(0.1, "$X\n");
  bench.firmware.setPins({ probe: true });
  assert.equal(bench.run(1, "G38.2X-80F3000\n"), ["ALARM:4", "ok"]);
});

test("startup lines are kept, and run at each start that is not locked", () => {
  const bench = new Bench();
  assert.equal(bench.run(1, "$N0=G55\n"), ["ok"]);
  assert.equal(bench.run(0.1, "$N1=G1X\n"), ["error:2"]);
  assert.equal(bench.run(0.1, "$N\n"), ["$N0=G55", "$N1=", "ok"]);
  assert.equal(bench.run(0.1, "\x18"), [BANNER, ">G55:ok"]);
  assert.match(bench.run(0.1, "$G\n")[0]!, /G55/);
});

test("$RST brings the first settings or offsets back, and restarts", () => {
  const bench = new Bench();
  bench.run(1, "G10L2P1X5\n");
  assert.equal(bench.run(0.2, "$RST=#\n"), ["[MSG:Restoring defaults]", "ok", BANNER]);
  assert.is(bench.run(0.1, "$#\n")[0], "[G54:0.000,0.000,0.000]");
  bench.run(1, "$RST=$\n");
  assert.is(bench.firmware.settings.number(110), 500);
  assert.equal(bench.run(0.1, "$RST=x\n"), ["error:3"]);
});

test("$I= puts a text behind the version, and takes its time", () => {
  const bench = new Bench();
  assert.equal(bench.run(0.2, "$I=shop 3\n"), []);
  assert.equal(bench.run(0.2), ["ok"]);
  assert.is(bench.run(0.1, "$I\n")[0], "[VER:1.1h.20190830:SHOP3]");
});

test("reports can be in work coordinates, without buffers, and in inches", () => {
  const bench = new Bench();
  bench.run(2, "G92X5\nG0X10\n");
  bench.run(0.1, "$10=0\n");
  assert.match(
    bench.run(0.1, "?")[0]!,
    /^<Idle\|WPos:10\.000,0\.000,0\.000\|FS:0,0\|WCO:-5\.000,0\.000,0\.000>$/,
  );
  bench.run(0.1, "$13=1\n");
  assert.match(bench.run(0.1, "?")[0]!, /^<Idle\|WPos:0\.3937,0\.0000,0\.0000\|FS:0\.0,0\|Ov/);
  assert.is(bench.run(0.1, "$#\n")[8], "[G92:-0.1969,0.0000,0.0000]");
});

test("a host that asks for status too often keeps the parser waiting for the wire", () => {
  const seconds = (asks: string) => {
    const bench = new Bench();
    const start = bench.firmware.now;
    for (let line = 0; line < 50; line++) {
      let said = bench.raw(0, "\n");
      for (let i = 0; i < 1000 && !said.includes("ok\r\n"); i++) said += bench.raw(0.001, asks);
      assert.match(said, "ok\r\n");
    }
    return bench.firmware.now - start;
  };
  assert.ok(seconds("?") > 2 * seconds(""), "each report takes 5 ms of the wire");
});

test("while 0x18 takes power from the motors, what arrives is lost", () => {
  const bench = new Bench();
  bench.run(0.5, "G1X50F1200\n");
  bench.run(0.1, "\x18");
  bench.run(0.1, "G0X1\n?");
  assert.is(bench.firmware.uart.overrun, 4);
  // two are in the receiver; the reset forgets them
  assert.equal(bench.run(2), ["ALARM:3", BANNER, LOCKED]);
});

test("! in alarm and in check mode is ignored; the door too", () => {
  for (const enter of ["$C\n", "\x18"]) {
    const bench = new Bench();
    if (enter === "\x18") bench.run(0.5, "G1X50F600\n");
    bench.run(1, enter);
    const { state } = bench.firmware;
    assert.match(state, /Check|Alarm/);
    assert.equal(bench.run(0.1, "!\x84"), []);
    assert.is(bench.firmware.state, state);
  }
});

test("a jog beyond the travel is error:15", () => {
  const bench = new Bench({ settings: { 20: 1, 22: 1 } });
  bench.run(60, "$H\n");
  assert.equal(bench.run(0.1, "$J=G91X50F600\n"), ["error:15"]);
  assert.equal(bench.run(0.1, "$J=G91X-5F600\n"), ["ok"]);
});

test("without $1=255 each stop holds the main loop up for so many ms", () => {
  const bench = new Bench({ settings: { 1: 200 } });
  bench.run(0.6, "G1X5F600\n");
  assert.equal(bench.run(0.01, "G4P0\n"), []);
  const idle = new Bench();
  idle.run(0.6, "G1X5F600\n");
  assert.equal(idle.run(0.01, "G4P0\n"), ["ok"]);
});

test("a resume at every moment after a hold either counts or is lost, and a second one counts", () => {
  for (let ms = 0; ms <= 200; ms += 10) {
    const bench = new Bench();
    bench.run(0.5, "G1X100F1200\n");
    bench.run(ms / 1000, "!");
    bench.run(0.5, "~");
    assert.match(bench.firmware.state, /^(Run|Hold:0)$/);
    bench.run(0.1, "~");
    assert.is(bench.firmware.state, "Run", `${ms}`);
    bench.run(10);
    assert.equal(bench.firmware.position, [100, 0, 0]);
  }
});

test.run();
