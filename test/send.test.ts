import { readFileSync, writeFileSync } from "node:fs";
import { startSimulator } from "kerfwork";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { at, cleanUp, events, fails, folder, leftovers, run, start } from "./command.ts";

test("kerfwork tells what is wrong with a port, with 1", async () => {
  writeFileSync(at("ok.gcode"), "G0 X1\n");
  for (const port of [at("tty"), folder, at("ok.gcode")])
    await fails(
      ["send", at("ok.gcode"), "--port", port],
      1,
      port === at("tty") ? "There is no serial port" : `${port} is not a serial port`,
    );
});

test("kerfwork run refuses a time scale for a real machine", async () => {
  const args = ["run", at("in.png"), "--port", at("tty"), "--time-scale", "10"];
  await fails(args, 2, "Expected --time-scale with --simulate only");
});

test("kerfwork run --simulate does the whole job and leaves nothing running", async () => {
  const prefix = at("new/folder/job");
  const args = ["run", at("in.png"), "--simulate", "--time-scale", "1000", "--save", prefix, "--json"];
  const { code, stdout, stderr } = await run(args);
  assert.is(code, 0, stderr);
  const all = events(stdout);
  const report = all.at(-1) as { lines: number; machine: { lines: number; acknowledged: number } };
  assert.is(report.machine.acknowledged, report.machine.lines);
  assert.is(readFileSync(`${prefix}.gcode`, "latin1").split("\n").length - 1, report.lines);
  assert.match(readFileSync(`${prefix}.svg`, "utf8"), "<svg ");
  assert.ok(all.some(({ event, task }) => event === "progress" && task === "machine"));
  assert.equal(await leftovers(), []);
});

/** A program of back and forth, long enough to be stopped in the middle. */
const zigzag = [
  "G21",
  "G90",
  "M4 S0",
  "F3000",
  ...Array.from({ length: 3000 }, (_, i) => `G1 X${i % 2 ? 0 : 50} Y${i / 100} S500`),
  "M5",
  "",
].join("\n");

writeFileSync(at("zigzag.gcode"), zigzag);

const machineProgress = (line: string): boolean => {
  const { event, task, progress } = JSON.parse(line);
  return event === "progress" && task === "machine" && progress > 0;
};

for (const signal of ["SIGINT", "SIGTERM"] as const)
  test(`kerfwork send stops the machine on ${signal}: feed hold, then soft reset; 130`, async () => {
    const simulator = await startSimulator({ timeScale: 20 });
    try {
      const running = start(["send", at("zigzag.gcode"), "--port", simulator.path, "--json"]);
      await running.line(machineProgress);
      running.child.kill(signal);
      const { code, stderr } = await running.ended;
      assert.is(code, 130, stderr);
      assert.is(stderr.includes("kerfwork:"), false, stderr);
      const bytes = simulator.log.realtime.map(({ byte }) => byte);
      assert.equal(bytes.slice(-2), ["!".charCodeAt(0), 0x18]);
      assert.is(simulator.log.resets.at(-1)?.kind, "soft");
      assert.is(simulator.state, "Idle");
      // what was not executed by then never is
      assert.ok(simulator.log.lines.length < 3000);
      assert.equal(await leftovers(), []);
    } finally {
      await simulator.close();
    }
  });

test("kerfwork send says so when the machine does not confirm that it stopped", async () => {
  const simulator = await startSimulator({ timeScale: 20 });
  try {
    const running = start(["send", at("zigzag.gcode"), "--port", simulator.path, "--json"]);
    await running.line(machineProgress);
    simulator.freeze();
    running.child.kill("SIGINT");
    const { code, stdout, stderr } = await running.ended;
    assert.is(code, 130);
    assert.match(stderr, /^kerfwork: .*did not confirm that it stopped\n$/);
    const error = events(stdout).at(-1) as { event: string; data: { stopped: boolean } };
    assert.equal([error.event, error.data.stopped], ["error", false]);
    assert.equal(await leftovers(), []);
  } finally {
    await simulator.close();
  }
});

test("kerfwork run --simulate ends with 130 when the terminal interrupts all of its processes", async () => {
  const running = start(["run", at("in.png"), "--simulate", "--time-scale", "0.5", "--json"]);
  await running.line(machineProgress);
  process.kill(-(running.child.pid as number), "SIGINT");
  const { code, stdout, stderr } = await running.ended;
  assert.is(code, 130, stderr);
  assert.is(stderr, "", stderr);
  assert.is(
    events(stdout).some(({ event }) => event === "error"),
    false,
    stdout,
  );
  assert.equal(await leftovers(), []);
});

test("kerfwork simulate prints its port, serves a sender and ends on Ctrl-C", async () => {
  const simulator = start(["simulate", "--time-scale", "1000"]);
  const port = await simulator.line((line) => line.startsWith("/dev/"));
  writeFileSync(at("small.gcode"), "G21\nG90\nG0 X5\nG0 X0\n");
  for (let i = 0; i < 2; i++) {
    const { code, stdout, stderr } = await run(["send", at("small.gcode"), "--port", port]);
    assert.is(code, 0, stderr);
    assert.match(stdout, "machine  4 of 4 lines acknowledged");
  }
  process.kill(-(simulator.child.pid as number), "SIGINT");
  assert.is((await simulator.ended).code, 0);
  assert.equal(await leftovers(), []);
});

test("kerfwork ports ends with 0", async () => {
  const { code, stdout } = await run(["ports", "--json"]);
  assert.is(code, 0);
  assert.ok(Array.isArray(events(stdout)[0].ports));
});

test.after(cleanUp);

test.run();
