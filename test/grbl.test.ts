import { readFileSync } from "node:fs";
import { LineReader, type Message, parseLine } from "kerfwork";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { cleanLine, dwellSeconds, writesStorage } from "../src/machine/grbl.ts";
import { prepareProgram } from "../src/machine/listing.ts";
import { portError } from "../src/machine/transport.ts";
import { thrown } from "./jobs.ts";

interface Entry {
  readonly d: string;
  readonly b: string;
}

/** What real GRBL 1.1h firmware said in a recording, as bytes. */
const recorded = (name: string): Uint8Array => {
  const entries = readFileSync(`test/fixtures/grbl/${name}.jsonl`, "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Entry);
  return Buffer.from(
    entries
      .filter(({ d }) => d === "rx")
      .map(({ b }) => b)
      .join(""),
    "latin1",
  );
};

const parseAll = (bytes: Uint8Array): Message[] => new LineReader().push(bytes).map(parseLine);

test("a report that lost a comma is no report", () => {
  for (const fields of ["Bf:15128", "Bf:15,128|Ov:100100,100", "Bf:1,5,128"])
    assert.is(parseLine(`<Idle|MPos:0.000,0.000,0.000|${fields}|FS:0,0>`).type, "unknown", fields);
});

test("parseLine understands each kind of line", () => {
  assert.equal(parseLine("ok"), { type: "ok" });
  assert.equal(parseLine("error:20"), {
    type: "error",
    code: 20,
    meaning: "the controller does not know this command",
  });
  assert.equal(parseLine("error:99"), { type: "error", code: 99, meaning: "not documented" });
  assert.equal(parseLine("ALARM:2"), {
    type: "alarm",
    code: 2,
    meaning: "a move would have left the machine's travel",
  });
  assert.equal(parseLine("Grbl 1.1h ['$' for help]"), { type: "banner", firmware: "Grbl", version: "1.1h" });
  assert.equal(parseLine("GrblHAL 1.1f ['$' or '$HELP' for help]"), {
    type: "banner",
    firmware: "GrblHAL",
    version: "1.1f",
  });
  assert.equal(parseLine("[MSG:'$H'|'$X' to unlock]"), { type: "feedback", text: "'$H'|'$X' to unlock" });
  assert.equal(parseLine("[OPT:V,15,128]"), { type: "options", flags: "V", blocks: 15, rxBytes: 128 });
  assert.equal(parseLine("[G54:1.000,-2.000,0.000]"), {
    type: "data",
    name: "G54",
    value: "1.000,-2.000,0.000",
  });
  assert.equal(parseLine("$110=500.000"), { type: "setting", number: 110, value: "500.000" });
  assert.equal(parseLine(">G54G20:ok"), { type: "startup", line: "G54G20", result: "ok" });
  assert.equal(parseLine(">:error:7"), { type: "startup", line: "", result: "error:7" });
});

test("parseLine reads every field of a status report", () => {
  assert.equal(
    parseLine(
      "<Hold:1|WPos:1.500,-2.000,0.000|Bf:11,119|Ln:42|FS:1200,300|Pn:XY|WCO:0.000,1.000,0.000|Ov:100,50,100|A:SF>",
    ),
    {
      type: "status",
      state: "Hold",
      substate: 1,
      work: [1.5, -2, 0],
      blocks: 11,
      rxFree: 119,
      line: 42,
      feed: 1200,
      spindle: 300,
      pins: "XY",
      offset: [0, 1, 0],
      overrides: [100, 50, 100],
      accessories: "SF",
    },
  );
  assert.equal(parseLine("<Idle|MPos:0.000,0.000,0.000,4.000|F:0|Sl:1>"), {
    type: "status",
    state: "Idle",
    machine: [0, 0, 0, 4],
    feed: 0,
  });
});

test("parseLine takes a damaged answer or report for neither", () => {
  for (const text of [
    "k",
    "o",
    "ok ",
    "okok",
    "o\x00k",
    "eror:22",
    "rror:22",
    "error:",
    "error:2x",
    "ALARM:",
    "<Idle|MPos:0.000,0.000,0.0",
    "Idle|MPos:0.000,0.000,0.000>",
    "<Run|MPos:0.0g0,0.000,0.000>",
    "<Run|MPos>",
    "",
  ])
    assert.is(parseLine(text).type, "unknown", JSON.stringify(text));
});

test("parseLine reads a recorded square job: nine ok, ten reports, nothing else", () => {
  const messages = parseAll(recorded("03-square-job-charcount"));
  assert.is(messages.filter(({ type }) => type === "ok").length, 9);
  const reports = messages.filter((message) => message.type === "status");
  assert.is(reports.length + 9, messages.length);
  assert.equal(reports[0], {
    type: "status",
    state: "Run",
    machine: [3.432, 0, 0],
    blocks: 11,
    rxFree: 119,
    feed: 1500,
    spindle: 500,
    offset: [0, 0, 0],
  });
  assert.equal(
    reports.map(({ state }) => state),
    [...Array(10).fill("Run"), "Idle"],
  );
});

test("parseLine reads recorded errors in the middle of a job", () => {
  const messages = parseAll(recorded("04-error-line-mid-job"));
  assert.equal(
    messages.map((message) => (message.type === "error" ? message.code : message.type)),
    ["ok", "ok", "ok", "ok", 2, 20, 2, 8, "ok", "ok", "ok", "ok", "ok", "status"],
  );
});

test("parseLine knows nothing of the noise when a recording begins in mid-line", () => {
  const messages = parseAll(recorded("13-unknown-and-overflow"));
  assert.equal(messages[0], { type: "unknown", text: "h ['$' for help]" });
  assert.is(messages.filter(({ type }) => type === "unknown").length, 1);
  assert.equal(
    messages.filter((message) => message.type === "error").map(({ code }) => code),
    [2, 2, 22, 22, 1, 11, 11],
  );
});

test("LineReader gives the same lines wherever the chunks end", () => {
  const bytes = recorded("04-error-line-mid-job");
  const whole = new LineReader().push(bytes);
  for (let cut = 0; cut <= bytes.length; cut++) {
    const reader = new LineReader();
    const lines = [...reader.push(bytes.subarray(0, cut)), ...reader.push(bytes.subarray(cut))];
    assert.equal(lines, whole, `cut at ${cut}`);
  }
  const reader = new LineReader();
  assert.equal(
    [...bytes].flatMap((byte) => reader.push(Uint8Array.of(byte))),
    whole,
  );
});

test("LineReader does not keep endless noise", () => {
  const reader = new LineReader();
  for (let i = 0; i < 100; i++) reader.push(new Uint8Array(1000).fill(0xff));
  assert.ok(reader.push(Buffer.from("\nok\n"))[0]!.length <= 1024);
});

test("cleanLine leaves what the controller would keep", () => {
  assert.is(cleanLine("G1 X10 (to the right) Y2 ; and up\r\n", "line"), "G1X10Y2");
  assert.is(cleanLine("(Grüße! from ?)", "line"), "");
  assert.is(cleanLine("%", "line"), "");
  assert.is(cleanLine("   ", "line"), "");
  assert.is(cleanLine("(unclosed", "line"), "");
  assert.is(cleanLine(`G0X${"0".repeat(76)}`, "line").length, 79);
});

test("cleanLine refuses what would act at once or be lost", () => {
  assert.is(
    thrown(() => cleanLine("G1 X1!", "`line`")),
    'Expected `line` to be plain 7-bit G-code without ?, ! and ~, got 0x21 in "G1 X1!"',
  );
  assert.is(
    thrown(() => cleanLine("G1\x18", "`line`")),
    'Expected `line` to be plain 7-bit G-code without ?, ! and ~, got 0x18 in "G1\\u0018"',
  );
  assert.match(
    thrown(() => cleanLine("G1 Xé", "`line`")),
    "got 0xe9",
  );
  assert.is(
    thrown(() => cleanLine(`G0X${"0".repeat(77)}`, "`line`")),
    "Expected `line` to be at most 79 characters, spaces and comments left out, got 80",
  );
});

test("prepareProgram strips, counts and numbers lines, whatever ends them", () => {
  const text = "%\r\nG21 G90\r\n(head)\r\nG1 X1 F100\r\n\r\nG1 X2";
  for (const program of [text, text.replaceAll("\r\n", "\n"), text.replaceAll("\r\n", "\r")]) {
    const listing = prepareProgram(program);
    assert.is(Buffer.from(listing.bytes).toString(), "G21G90\nG1X1F100\nG1X2\n");
    assert.equal([...listing.ends], [7, 16, 21]);
    assert.equal([...listing.source], [2, 4, 6]);
    assert.is(listing.lines, 6);
  }
});

test("prepareProgram agrees with cleanLine on random lines", () => {
  let seed = 7;
  const random = (n: number) => {
    seed = (Math.imul(seed, 1103515245) + 12345) & 0x7fffffff;
    return (seed >> 8) % n;
  };
  const alphabet = "GXY0123456789.- \t();/%\x80!?~\x01";
  let refused = 0;
  for (let i = 0; i < 3000; i++) {
    const line = Array.from(
      { length: random(30) },
      () => alphabet[random(alphabet.length - (i % 2 ? 5 : 0))],
    );
    const bytes = Buffer.from(line.join(""), "latin1");
    let wanted: string | undefined;
    try {
      wanted = cleanLine(line.join(""), "line 1 of `program`");
    } catch {
      refused++;
    }
    if (wanted === undefined) assert.throws(() => prepareProgram(bytes), /^Expected line 1 of `program`/);
    else
      assert.is(
        Buffer.from(prepareProgram(bytes).bytes).toString("latin1"),
        wanted === "" ? "" : `${wanted}\n`,
      );
  }
  assert.ok(refused > 100 && refused < 2900);
});

test("prepareProgram takes text, bytes and programs, also empty ones", () => {
  const bytes = Buffer.from("G0 X1\n");
  const bounds = { minX: 0, minY: 0, maxX: 1, maxY: 0 };
  const program = { bytes, lines: 1, lineOfOp: new Int32Array(1), bounds, seconds: 1 };
  for (const input of ["G0 X1\n", bytes, program])
    assert.is(Buffer.from(prepareProgram(input).bytes).toString(), "G0X1\n");
  assert.is(prepareProgram("").lines, 0);
  assert.is(prepareProgram("\n\n").lines, 2);
  assert.is(prepareProgram("G0").lines, 1);
});

test("prepareProgram names the line that must not be sent", () => {
  assert.is(
    thrown(() => prepareProgram("G21\nG1 X1 ~\n")),
    'Expected line 2 of `program` to be plain 7-bit G-code without ?, ! and ~, got 0x7e in "G1 X1 ~"',
  );
  assert.is(
    thrown(() => prepareProgram("G21\n $H\n")),
    'Expected `program` to be free of $ commands, which need an idle machine (line 2), got "$H"',
  );
  assert.is(
    thrown(() => prepareProgram(7 as never)),
    "Expected `program` to be a Program, bytes or text, got 7",
  );
});

test("writesStorage finds the lines during which bytes are lost", () => {
  for (const line of ["$110=500", "$N0=G54", "$RST=*", "G10L20P1X0", "G10 L2 P1 X0", "g28.1", "G0X1G30.1"])
    assert.ok(writesStorage(line), line);
  for (const line of ["$$", "$H", "G1X10", "G28", "G30", "G100", "X28.1"])
    assert.not.ok(writesStorage(line), line);
});

test("dwellSeconds tells how long a line may stand still", () => {
  assert.is(dwellSeconds("G4P60"), 60);
  assert.is(dwellSeconds("g04 p.5"), 0.5);
  assert.is(dwellSeconds("G40"), 0);
  assert.is(dwellSeconds("G43.1Z1"), 0);
  assert.is(dwellSeconds("G1X4P3"), 0);
});

test("portError gives each text of the driver its code", () => {
  const codes = [
    ["Error: No such file or directory, cannot open /dev/ttyUSB9", "PORT_NOT_FOUND"],
    ["Opening COM9: File not found", "PORT_NOT_FOUND"],
    ["Error Resource temporarily unavailable Cannot lock port", "PORT_BUSY"],
    ["Opening COM3: Access denied", "PORT_BUSY"],
    ["Error: Permission denied, cannot open /dev/ttyUSB0", "PORT_DENIED"],
    ["Error: Inappropriate ioctl for device, cannot open /tmp/x", "PORT_NOT_SERIAL"],
    ["Error: Is a directory, cannot open /tmp", "PORT_NOT_SERIAL"],
    ["Error: Input/output error, cannot open /dev/ttyS4", "PORT_LOST"],
  ] as const;
  for (const [text, code] of codes) assert.is(portError("/dev/x", text).code, code, text);
});

test.run();
