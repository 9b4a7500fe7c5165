// controllers that are no GRBL: each line waits for its answer, and a damaged one is asked for again
import { type ConnectOptions, connect, type Machine, PROTOCOLS, VirtualClock } from "kerfwork";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { circle, failure, text } from "./jobs.ts";
import { codeOf, Scripted } from "./machines.ts";

/** What a Marlin does with lines: numbers, checksums, and words instead of codes. */
class Marlin {
  /** Lines that were executed, without number and checksum. */
  readonly lines: string[] = [];
  readonly transport: Scripted;
  /** Damages what arrives. */
  damage: (line: string) => string = (line) => line;
  silent = false;
  /** Says that it is busy instead of answering. */
  busy = false;
  #number = 0;

  constructor(clock: VirtualClock) {
    this.transport = new Scripted((line) => (this.silent ? "" : this.#take(this.damage(line))), {
      clock,
      realtime: "",
    });
  }

  #take(raw: string): string {
    const match = /^(?:N(\d+) ?)?(.*?)(?:\*(\d+))?$/.exec(raw.replace(/^[?\s]+/, ""))!;
    const [, number, line = "", sum] = match;
    const renumbers = /^M110/.test(line);
    if (number !== undefined || sum !== undefined) {
      let xor = 0;
      for (const character of raw.slice(0, raw.lastIndexOf("*"))) xor ^= character.charCodeAt(0);
      const fits =
        number !== undefined && Number(sum) === xor && (renumbers || Number(number) === this.#number + 1);
      if (!fits)
        return `Error:checksum mismatch, Last Line: ${this.#number}\nResend: ${this.#number + 1}\nok\n`;
      this.#number = renumbers ? Number(/N(\d+)/.exec(line)?.[1] ?? number) : Number(number);
    }
    if (number === undefined && renumbers) this.#number = Number(/N(\d+)/.exec(line)![1]);
    if (line === "") return "ok\n";
    this.lines.push(line);
    if (line === "M115")
      return "FIRMWARE_NAME:Marlin 2.1.2 (Github) PROTOCOL_VERSION:1.0\nCap:EMERGENCY_PARSER:1\nok\n";
    if (this.busy) return "echo:busy: processing\n";
    if (/^[^GMST]/.test(line)) return `echo:Unknown command: "${line}"\nok\n`;
    return "ok P15 B3\n";
  }

  /** What a job left of it. */
  get job(): string[] {
    return this.lines.filter((line) => !/^(M110|M115|[)*?])/.test(line));
  }
}

const marlin = async (
  options: ConnectOptions = {},
): Promise<{ clock: VirtualClock; controller: Marlin; machine: Machine }> => {
  const clock = new VirtualClock();
  const controller = new Marlin(clock);
  const machine = await clock.run(connect(controller.transport, { clock, ...options }));
  return { clock, controller, machine };
};

test("connect finds out that a Marlin answers, and leaves its half lines harmless", async () => {
  for (const dialect of [undefined, "marlin"] as const) {
    const { clock, controller, machine } = await marlin(dialect === undefined ? {} : { dialect });
    assert.is(machine.dialect, "marlin");
    assert.is(machine.state, "Idle");
    assert.equal(controller.job, []);
    await clock.run(machine.close());
    assert.is(clock.pending, 0);
  }
});

test("a Marlin gets one line at a time, numbered, and the barrier that it knows", async () => {
  const { clock, controller, machine } = await marlin();
  let open = 0;
  let most = 0;
  controller.damage = (line) => {
    most = Math.max(most, ++open);
    void clock.after(0.001, () => open--);
    return line;
  };
  const lines = [...circle(50), "M5"];
  const result = await clock.run(machine.run(text(lines)));
  assert.is(result.acknowledged, 52);
  assert.equal(controller.job, [...lines, "M400"]);
  assert.is(most, 1);
  assert.equal(await clock.run(machine.command("M114")), []);
});

test("a damaged line is sent again when, and only when, the controller asks for it", async () => {
  const { clock, controller, machine } = await marlin();
  let n = 0;
  controller.damage = (line) => (++n % 5 === 0 ? line.replace(/[XG]/, "q") : line);
  const lines = [...circle(30), "M5"];
  assert.is((await clock.run(machine.run(text(lines)))).acknowledged, 32);
  assert.equal(controller.job, [...lines, "M400"]);
  // one that was answered already
  const run = failure(machine.run(text(["G4 P9", ...circle(30)])));
  controller.busy = true;
  await clock.advance(0.1);
  controller.transport.say("Resend: 3\nok\n");
  assert.is((await clock.run(run)).code, "MACHINE_DESYNC");
});

test("a Marlin that says that it is busy is alive, one that says nothing is not", async () => {
  const { clock, controller, machine } = await marlin();
  controller.busy = true;
  const run = machine.run("G28\nM5\n");
  for (let i = 0; i < 60; i++) {
    await clock.advance(2);
    controller.transport.say("echo:busy: processing\n");
  }
  controller.busy = false;
  controller.transport.say("ok\n");
  assert.is((await clock.run(run)).acknowledged, 2);
  controller.silent = true;
  const at = clock.now();
  assert.is((await clock.run(failure(machine.run("G0X1\n")))).code, "MACHINE_SILENT");
  assert.ok(clock.now() - at > 14 && clock.now() - at < 17);
});

test("cancel stops a Marlin and switches its beam off; a hold it does not know", async () => {
  const { clock, controller, machine } = await marlin();
  controller.busy = true;
  const run = codeOf(machine.run(text(circle(30))));
  await clock.advance(0.1);
  assert.is((await failure(machine.hold())).message, "marlin cannot be held or overridden: only canceled");
  controller.busy = false;
  await clock.run(machine.cancel());
  assert.is(await run, "CANCELED");
  assert.equal(controller.job.slice(-2), ["M410", "M5"]);
  await clock.run(machine.run("G0X1\nM5\n"));
  assert.equal(controller.job.slice(-3), ["G0X1", "M5", "M400"]);
});

test("a Smoothieware is paced line by line, with reports", async () => {
  const clock = new VirtualClock();
  const lines: string[] = [];
  let halted = false;
  const transport: Scripted = new Scripted(
    (input) => {
      if (input === "?")
        return "<Idle|MPos:0.0000,0.0000,0.0000|WPos:0.0000,0.0000,0.0000|F:4000.0,100.0>\r\n";
      if (input === "\x18") {
        halted = true;
        return "";
      }
      if (input === "M999") halted = false;
      else if (halted) return "!!\r\n";
      lines.push(input);
      return /^[)*]/.test(input) ? "error:Unsupported command\r\nok\r\n" : "ok\r\n";
    },
    { clock },
  );
  const machine = await clock.run(connect(transport, { clock }));
  assert.is(machine.dialect, "smoothie");
  const job = [...circle(20), "M5"];
  lines.length = 0;
  assert.is((await clock.run(machine.run(text(job)))).acknowledged, 22);
  assert.equal(lines, [...job, "M400"]);
  await clock.run(machine.cancel());
  assert.equal(lines.slice(-2), ["M999", "M5"]);
  assert.is((await clock.run(machine.run("G0X1\nM5\n"))).acknowledged, 2);
});

test("protocols are data: each has a sign, a way to spoil a line and a way to stop", () => {
  assert.equal(PROTOCOLS.map(({ name }) => name).sort(), [
    "fluidnc",
    "grbl",
    "grblhal",
    "marlin",
    "smoothie",
  ]);
  for (const { sign, spoil, reset, barrier } of PROTOCOLS) {
    assert.instance(sign, RegExp);
    assert.ok(spoil !== "" && reset.bytes !== "" && barrier !== "");
  }
});

test.run();
