import { Firmware } from "kerfwork";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { Bench } from "./controller.ts";

/** Seconds from the first step to the last stop of a program, on a controller that has all of it at once. */
function motion(bench: Bench, program: string): number {
  bench.raw(0, program);
  const { stops, lines } = bench.firmware.log;
  const before = { stops: stops.length, lines: lines.length };
  for (let i = 0; i < 1000 && stops.length === before.stops; i++) bench.run(0.1);
  bench.run(1);
  return stops.at(-1)!.seconds - lines[before.lines]!.seconds;
}

const random = (seed: number) => () => {
  seed = (seed * 1_103_515_245 + 12_345) & 0x7fffffff;
  return seed / 0x7fffffff;
};

/** What a move from rest to rest takes at best. */
function ideal(mm: number, speed: number, acceleration: number): number {
  const ramps = (speed * speed) / acceleration;
  return mm > ramps ? mm / speed + speed / acceleration : 2 * Math.sqrt(mm / acceleration);
}

test("single moves take what the ideal ramp takes, within 3 ms", () => {
  const next = random(1);
  for (let i = 0; i < 60; i++) {
    const bench = new Bench();
    const mm = 0.1 + next() * 40;
    const feed = 100 + Math.floor(next() * 3000);
    const seconds = motion(bench, `G1X${mm.toFixed(3)}F${feed}\n`);
    const wanted = ideal(Number(mm.toFixed(3)), Math.min(feed, 3000) / 60, 200);
    assert.ok(Math.abs(seconds - wanted) < 0.003, `${mm} mm at ${feed}: ${seconds}, ideal ${wanted}`);
  }
});

test("a slow axis slows a slanted move, in speed and in acceleration", () => {
  const bench = new Bench();
  // Z: 500 mm/min and 10 mm/s²
  const length = Math.hypot(20, 10);
  const seconds = motion(bench, "G0X20Z10\n");
  assert.ok(Math.abs(seconds - ideal(length, (500 / 60) * (length / 10), 10 * (length / 10))) < 0.005);
});

test("moves in a line run through, corners slow down by the junction deviation", () => {
  const bench = new Bench();
  const straight = motion(bench, "G1F1500\nX10\nX20\nX30\n");
  assert.ok(Math.abs(straight - ideal(30, 25, 200)) < 0.004, `${straight}`);
  // a right angle: the arc that leaves the corner by 0.01 mm at the acceleration of both axes together
  const square = new Bench();
  const seconds = motion(square, "G1X10F1500\nY10\n");
  const half = Math.SQRT1_2;
  const corner2 = (200 * Math.SQRT2 * 0.01 * half) / (1 - half);
  const leg = (from2: number, to2: number) =>
    (25 - Math.sqrt(from2) + 25 - Math.sqrt(to2)) / 200 + (10 - (2 * 625 - from2 - to2) / 400) / 25;
  assert.ok(Math.abs(seconds - leg(0, corner2) - leg(corner2, 0)) < 0.004, `${seconds}`);
  // there and back again stops in between
  const back = motion(new Bench(), "G1X10F1500\nX0\n");
  assert.ok(Math.abs(back - 2 * ideal(10, 25, 200)) < 0.012, `${back}`);
  // a greater deviation, or more acceleration, is sooner there
  const loose = motion(new Bench({ settings: { 11: 1 } }), "G1X10F1500\nY10\n");
  assert.ok(loose < seconds - 0.05, `${loose}`);
});

test("no axis passes its limits, whatever the moves", () => {
  for (let seed = 1; seed <= 20; seed++) {
    const next = random(seed);
    const bench = new Bench({ settings: { 110: 2000, 111: 1500, 120: 150, 121: 90 } });
    const moves = Array.from(
      { length: 14 },
      () => `G1X${(next() * 30).toFixed(2)}Y${(next() * 30).toFixed(2)}F${200 + Math.floor(next() * 4000)}\n`,
    );
    let sent = 0;
    let before = bench.firmware.position;
    const speeds: (readonly [number, number])[] = [];
    for (let i = 0; i < 4000; i++) {
      // in time, so that the queue is never empty
      if (sent < moves.length && bench.firmware.uart.rxFree > 100) bench.raw(0, moves[sent++]!);
      bench.raw(0.01);
      const { position } = bench.firmware;
      speeds.push([(position[0] - before[0]) / 0.01, (position[1] - before[1]) / 0.01]);
      before = position;
      if (sent === moves.length && bench.firmware.state === "Idle") break;
    }
    assert.is(bench.firmware.state, "Idle");
    for (const [i, [x, y]] of speeds.entries()) {
      // a step of 0.004 mm in 10 ms is 0.4 mm/s either way
      assert.ok(Math.abs(x) <= 2000 / 60 + 0.9 && Math.abs(y) <= 1500 / 60 + 0.9, `${x} ${y}`);
      const [px, py] = speeds[i - 1] ?? [0, 0];
      // what the junction deviation lets pass in a corner, at most
      const corner = 12;
      const change = `${x} after ${px}, ${y} after ${py}`;
      assert.ok(Math.abs(x - px) <= 1.5 + 1.7 + corner && Math.abs(y - py) <= 0.9 + 1.7 + corner, change);
    }
  }
});

test("a job ends where it says, with or without holds on the way", () => {
  for (let seed = 1; seed <= 30; seed++) {
    const next = random(seed);
    const bench = new Bench();
    let job = "G91F1500\n";
    for (let i = 0; i < 6; i++) job += `G1X${(next() * 4).toFixed(3)}Y${(next() * 4 - 2).toFixed(3)}\n`;
    bench.raw(0, `${job}G90\n`);
    for (let i = 0; i < 3; i++) {
      bench.run(next() * 0.2, "!");
      bench.run(0.4);
      bench.run(next() * 0.2, "~");
    }
    bench.run(10);
    const plain = new Bench();
    plain.run(20, `${job}G90\n`);
    assert.is(bench.firmware.state, "Idle");
    assert.equal(bench.firmware.position, plain.firmware.position);
  }
});

test("the machine runs dry when lines come too late, and the log says so", () => {
  const bench = new Bench({ baud: 1200 });
  const job = Array.from({ length: 20 }, (_, i) => `G1X${(i + 1) / 100}F3000\n`).join("");
  bench.run(10, job);
  const dry = bench.firmware.log.stops.filter(({ kind }) => kind === "dry");
  assert.ok(dry.length > 10, `${dry.length}`);
  assert.is(bench.firmware.log.stops.at(-1)!.kind, "end");
  assert.equal(bench.firmware.position, [0.2, 0, 0]);
});

test("how the caller cuts time into steps changes nothing", () => {
  const job = "G1X3F1200M4S500\n(pause!)\nX5Y1\n?G2X8Y4I3F900\nG4P0.1\n$G\n~\nX0Y0\nG10L2P1X1\nX1\n".repeat(
    3,
  );
  const outcome = (step: () => number) => {
    const firmware = new Firmware();
    firmware.advance(0.1);
    let said = "";
    firmware.uart.send(Buffer.from(job), 0.1);
    firmware.after(1, () => firmware.uart.send(Buffer.from("~"), firmware.now));
    firmware.after(4.25, () => firmware.uart.send(Buffer.from("~\n$X\n?"), firmware.now));
    while (firmware.now < 12) {
      firmware.advance(Math.min(12, firmware.now + step()));
      said += Buffer.from(firmware.uart.take()).toString("latin1");
    }
    return { said, log: firmware.log, overflow: firmware.uart.overflow, position: firmware.position };
  };
  const plain = outcome(() => 12);
  assert.match(plain.said, "<Hold:");
  assert.ok(plain.overflow > 0);
  const next = random(7);
  for (const step of [() => 0.0001, () => 0.03, () => next() * 0.2]) {
    const other = outcome(step);
    assert.is(other.said, plain.said);
    assert.equal(
      other.log.lines.map(({ text, status }) => `${status} ${text}`),
      plain.log.lines.map(({ text, status }) => `${status} ${text}`),
    );
    assert.equal(other.position, plain.position);
    assert.is(other.overflow, plain.overflow);
  }
});

test.run();
