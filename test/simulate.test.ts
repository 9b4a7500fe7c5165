import { readFileSync, writeFileSync } from "node:fs";
import { connect as dial } from "node:net";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { at, cleanUp, fails, leftovers, run, start } from "./command.ts";

test("kerfwork simulate --tcp serves hosts, and --log has what the controller did", async () => {
  const log = at("machine.jsonl");
  const simulator = start(["simulate", "--tcp", "0", "--time-scale", "100", "--log", log]);
  const address = await simulator.line((line) => line.startsWith("tcp://"));
  const { hostname, port } = new URL(address);
  const socket = dial(Number(port), hostname);
  const answered = new Promise<string>((resolve) => {
    let text = "";
    socket.on("data", (chunk) => {
      text += String(chunk);
      if (text.endsWith("error:20\r\n")) resolve(text);
    });
  });
  socket.write("G0X1\nG99\n");
  assert.match(await answered, /ok\r\nerror:20\r\n$/);
  socket.destroy();
  process.kill(-(simulator.child.pid as number), "SIGINT");
  assert.is((await simulator.ended).code, 0);
  const records = readFileSync(log, "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  assert.equal(
    records.filter((record) => record.log === "lines").map(({ text, status }) => `${status} ${text}`),
    ["0 G0X1", "20 G99"],
  );
  assert.is(records[0].log, "resets");
  assert.is(records[0].kind, "power");
  assert.equal(await leftovers(), []);
});

test("kerfwork simulate --dialect grblhal serves kerfwork send", async () => {
  const simulator = start(["simulate", "--dialect", "grblhal", "--time-scale", "1000"]);
  const port = await simulator.line((line) => line.startsWith("/dev/"));
  writeFileSync(at("small.gcode"), "G21\nG0 X5\n");
  const { code, stdout, stderr } = await run(["send", at("small.gcode"), "--port", port]);
  assert.is(code, 0, stderr);
  assert.match(stdout, "2 of 2 lines acknowledged");
  process.kill(-(simulator.child.pid as number), "SIGINT");
  assert.is((await simulator.ended).code, 0);
  assert.equal(await leftovers(), []);
});

test("kerfwork simulate refuses what it does not know", async () => {
  await fails(["simulate", "--tcp", "x"], 2, 'Expected `--tcp` to be PORT or HOST:PORT, got "x"');
  await fails(
    ["simulate", "--tcp", "99999"],
    2,
    "Expected `tcp.port` to be an integer >= 0 and <= 65535, got 99999",
  );
  await fails(["simulate", "--log", "/nowhere/log", "--tcp", "0"], 1, "Expected to write /nowhere/log: ");
});

test.after(cleanUp);

test.run();
