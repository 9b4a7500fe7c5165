import { preview, readGcode, taskMgr } from "../index.ts";
import { type Command, numberOf } from "./args.ts";
import { openOutput, readInput } from "./files.ts";
import { given, OUTPUT_FLAG } from "./flags.ts";
import { row, wroteLine } from "./report.ts";

export const previewCommand: Command = {
  name: "preview",
  operands: ["FILE"],
  summary: "draw the toolpath of a G-code program: travel, cuts by power, order and direction",
  flags: [
    OUTPUT_FLAG,
    { name: "max-power", value: "S", help: "the S value of full power (default: the program's largest)" },
    { name: "arrows", value: "N", help: "arrowheads along the cuts (default 1000)" },
    { name: "numbers", value: "N", help: "number the first so many cuts (default 100)" },
  ],
  required: [["output"]],
  examples: ["preview badge.gcode -o badge-path.svg"],
  async run({ operands: [path], values, signal, report }) {
    const reading = given({ maxPower: numberOf(values, "max-power") });
    const drawing = given({ arrows: numberOf(values, "arrows"), numbers: numberOf(values, "numbers") });
    readGcode("", reading);
    preview(readGcode("").ops, drawing);
    const output = openOutput(values.get("output") as string);
    const bytes = await readInput(path as string, signal);
    const how = { key: "preview", signal };
    const { ops, notes } = await taskMgr.runProcess(readGcode, [bytes, reading], how).promise;
    await output.write(await taskMgr.runProcess(preview, [ops, drawing], how).promise);
    report({ command: "preview", input: path, outputs: [output.path], moves: ops.kinds.length, notes }, [
      row("moves", `${ops.kinds.length}`),
      ...notes.map((note) => row("note", note)),
      wroteLine([output.path]),
    ]);
  },
};
