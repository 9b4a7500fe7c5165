import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { encode as encodePng } from "fast-png";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { at, cleanUp, events, fails, folder, picture, run } from "./command.ts";

const sizeMm = (px: number): number => px / 10; // at the default of 254 dpi

test("kerfwork prints help and version and ends with 0", async () => {
  const overview = await run(["--help"]);
  assert.is(overview.code, 0);
  for (const name of ["trace IN", "plan IN", "preview FILE", "run IN", "send FILE", "simulate", "ports"])
    assert.match(overview.stdout, `\n  ${name}`);
  const plan = await run(["plan", "--help"]);
  assert.is(plan.code, 0);
  assert.match(plan.stdout, "--travel-speed MM/MIN");
  const version = await run(["--version"]);
  assert.is(version.stdout, `${JSON.parse(readFileSync("package.json", "utf8")).version}\n`);
  const none = await run([]);
  assert.is(none.code, 2);
  assert.is(none.stderr, overview.stdout);
});

test("kerfwork trace writes a drawing of the picture's size", async () => {
  const { code, stdout, stderr } = await run([
    "trace",
    at("in.png"),
    "-o",
    at("out.svg"),
    "--mode",
    "pixels",
  ]);
  assert.is(code, 0, stderr);
  assert.match(stdout, /^shapes {3}4, 16 nodes, on 6\.0 mm x 4\.0 mm\n/);
  const svg = readFileSync(at("out.svg"), "utf8");
  assert.match(svg, '<svg xmlns="http://www.w3.org/2000/svg" width="6mm" height="4mm" viewBox="0 0 6 4">');
  const path = /d="([^"]*)"/.exec(svg)?.[1] ?? "";
  assert.is(path.split("z").length - 1, 4);
});

test("kerfwork plan writes a program that stays on the picture", async () => {
  const args = [
    "plan",
    at("in.png"),
    "-o",
    at("out.gcode"),
    "--power",
    "0.25",
    "--max-power",
    "800",
    "--speed",
    "900",
  ];
  const { code, stdout, stderr } = await run(args);
  assert.is(code, 0, stderr);
  const lines = readFileSync(at("out.gcode"), "latin1").trimEnd().split("\n");
  assert.match(stdout, `program  ${lines.length} lines, `);
  assert.is(lines.at(-1), "M2");
  assert.ok(lines.some((line) => /S200\b/.test(line)));
  assert.ok(lines.some((line) => /F900\b/.test(line)));
  for (const [axis, most] of [
    ["X", sizeMm(60)],
    ["Y", sizeMm(40)],
  ] as const)
    for (const line of lines) {
      const value = new RegExp(`${axis}(-?[\\d.]+)`).exec(line)?.[1];
      if (value !== undefined) assert.ok(Number(value) >= -0.001 && Number(value) <= most + 0.001, line);
    }
});

test("kerfwork plan takes a drawing, and fills, cuts, holds and times it", async () => {
  const circle = '<circle cx="30" cy="20" r="10" fill="black"/><text>A</text>';
  writeFileSync(at("in.svg"), `<svg width="60mm" height="40mm" viewBox="0 0 60 40">${circle}</svg>`);
  const plan = (...flags: string[]) => run(["plan", at("in.svg"), "-o", at("svg.gcode"), ...flags]);
  const words =
    "--hatch 1 --hatch-power 0.2 --inset 0.5 --cut --kerf 0.2 --tabs 3 --tab-width 0.8 --lead-in 2 --overcut 1";
  const more = "--passes 2 --z-step -1 --arcs 0.02 --order-ms 20 --estimate --acceleration 500 --power 0.9";
  const { code, stdout, stderr } = await plan(...words.split(" "), ...more.split(" "));
  assert.is(code, 0, stderr);
  for (const line of [
    /^time {5}[\d.]+ s with ramps and corners: /m,
    /^note {5}the page is 60 x 40 mm$/m,
    /^note {5}text left out: convert text to paths$/m,
  ])
    assert.match(stdout, line);
  const program = readFileSync(at("svg.gcode"), "latin1");
  for (const word of [/\bS200\b/, /\bS900\b/, /\bG[23]/, /\bZ-1\b/]) assert.match(program, word);
  assert.ok(program.indexOf("S900") > program.lastIndexOf("S200"), "filled before it is cut");

  await plan("--order", "given", "--perforate", "2,1", "--json");
  for (const [flags, why] of [
    [["--inset", "1"], "Expected --inset beside --hatch only"],
    [["--perforate", "2"], 'Expected `--perforate` to be two numbers as CUT,GAP, got "2"'],
    [["--order", "random"], 'Expected `--order` to be travel or given, got "random"'],
    [["--order", "given", "--order-ms", "5"], "Expected --order-ms not beside --order given"],
    [["--tabs", "0"], "`count`"],
  ] as const) {
    const bad = await plan(...flags);
    assert.is(bad.code, 2, flags.join(" "));
    assert.match(bad.stderr, why);
  }
});

test("kerfwork preview draws the toolpath of a program", async () => {
  writeFileSync(at("in.gcode"), "M4 S500\nG0 X1 Y1\nG1 X9 F600\nM106\n");
  const { code, stdout, stderr } = await run([
    "preview",
    at("in.gcode"),
    "-o",
    at("path.svg"),
    "--max-power",
    "1000",
  ]);
  assert.is(code, 0, stderr);
  assert.match(stdout, /^moves {4}2\nnote {5}M106 on line 4 is not shown\nwrote /);
  const svg = readFileSync(at("path.svg"), "utf8");
  for (const part of ["travel", "cut", "direction", "order"]) assert.match(svg, `class="${part}"`);
  const bad = await run(["preview", at("in.gcode"), "-o", at("path.svg"), "--arrows", "-1"]);
  assert.is(bad.code, 2);
  assert.match(bad.stderr, "`arrows`");
});

test("kerfwork plan names the area of the cuts without a minus before zero", async () => {
  const data = new Uint8Array(12);
  writeFileSync(at("full.png"), encodePng({ width: 4, height: 3, data, channels: 1, depth: 8 }));
  // at 127 dpi and 3 px the turn of y leaves a rounding error
  for (const dpi of ["127", "300", "96"]) {
    const { stdout } = await run(["plan", at("full.png"), "-o", at("out.gcode"), "--dpi", dpi, "--stay"]);
    assert.match(stdout, /\narea {5}X 0\.0 to \d\.\d, Y 0\.0 to \d\.\d mm\n/);
  }
});

test("kerfwork reads standard input and writes standard output as -", async () => {
  const piped = await run(["plan", "-", "-o", "-"], picture);
  assert.is(piped.code, 0, piped.stderr);
  assert.is((await run(["plan", at("in.png"), "-o", at("out.gcode")])).code, 0);
  assert.is(piped.stdout, readFileSync(at("out.gcode"), "latin1"));
  assert.match(piped.stderr, "wrote    standard output");
});

test("kerfwork --json prints one JSON object a line", async () => {
  const { code, stdout } = await run(["plan", at("in.png"), "-o", at("out.gcode"), "--json"]);
  assert.is(code, 0);
  const all = events(stdout);
  const report = all.at(-1) as Record<string, never>;
  assert.is(report.event, "report");
  assert.equal([report.command, report.shapes], ["plan", 4]);
  assert.ok(report.lines > 10 && report.cut > 0 && report.travel > 0 && report.bytes > 100);
  assert.equal(Object.keys(report.stages), ["decode", "trace", "flatten", "order", "ops", "encode"]);
  assert.ok(all.slice(0, -1).every(({ event }) => event === "progress"));

  const failed = await run(["plan", at("none.png"), "-o", at("out.gcode"), "--json"]);
  assert.is(failed.code, 1);
  const [error] = events(failed.stdout);
  assert.equal([error.event, error.code], ["error", "FILE_NOT_READABLE"]);
});

test("kerfwork --quiet prints nothing", async () => {
  for (const json of [[], ["--json"]]) {
    const { code, stdout, stderr } = await run([
      "plan",
      at("in.png"),
      "-o",
      at("out.gcode"),
      "--quiet",
      ...json,
    ]);
    assert.equal([code, stdout, stderr], [0, "", ""]);
  }
});

test("kerfwork replaces outputs whole, through links, and leaves no part behind", async () => {
  writeFileSync(at("target.svg"), "old");
  symlinkSync(at("target.svg"), at("link.svg"));
  assert.is((await run(["trace", at("in.png"), "-o", at("link.svg")])).code, 0);
  assert.match(readFileSync(at("target.svg"), "utf8"), "<svg ");
  assert.is(readFileSync(at("link.svg"), "utf8"), readFileSync(at("target.svg"), "utf8"));
  assert.is((await run(["trace", at("in.png"), "-o", "/dev/null"])).code, 0);
  assert.equal(
    readdirSync(folder).filter((name) => name.includes("part")),
    [],
  );
});

test("kerfwork refuses bad input in one line, with 1", async () => {
  writeFileSync(at("text.png"), "hello\n");
  writeFileSync(at("short.png"), picture.subarray(0, picture.length - 30));
  writeFileSync(at("empty.png"), "");
  writeFileSync(at("photo.webp"), "RIFF\x10\0\0\0WEBPVP8 ");
  const out = ["-o", at("x.svg")];
  await fails(
    ["trace", at("text.png"), ...out],
    1,
    'Expected a PNG or JPEG image, got a text that begins with "hello',
  );
  await fails(["trace", at("photo.webp"), ...out], 1, "Expected a PNG or JPEG image, got webp");
  await fails(
    ["trace", at("short.png"), ...out],
    1,
    "Expected a whole PNG image, got a damaged one: it is truncated",
  );
  await fails(["trace", at("empty.png"), ...out], 1, "Expected `bytes` to be an image file, got 0 bytes");
  await fails(
    ["trace", at("none.png"), ...out],
    1,
    `Expected to read "${at("none.png")}": no such file or directory`,
  );
  await fails(["trace", folder, ...out], 1, `Expected to read "${folder}": illegal operation on a directory`);
});

test("kerfwork finds an output that cannot be written before it works", async () => {
  mkdirSync(at("full.svg"));
  // the input is not looked at
  await fails(
    ["trace", at("none.png"), "-o", at("no/x.svg")],
    1,
    `Expected to write "${at("no/x.svg")}": no such file`,
  );
  await fails(
    ["trace", at("none.png"), "-o", at("full.svg")],
    1,
    `Expected to write "${at("full.svg")}": it is a directory`,
  );
  await fails(["trace", at("none.png"), "-o", "/proc/x.svg"], 1, 'Expected to write "/proc/x.svg": ');
});

test("kerfwork trace begins from a preset, and takes tone options as the library does", async () => {
  const svg = async (...args: string[]): Promise<string> => {
    const { code, stdout, stderr } = await run(["trace", at("in.png"), "-o", "-", ...args]);
    assert.is(code, 0, stderr);
    return stdout;
  };
  const dithered = await svg("--preset", "dither");
  assert.is(dithered, await svg("--threshold", "128", "--mode", "pixels", "--despeckle", "0"));
  assert.is(
    await svg("--preset", "photo", "--blur", "0", "--despeckle", "2"),
    await svg(),
    "what is given wins",
  );

  assert.is(
    await svg("--threshold", "0..127", "--levels", "0..255", "--gamma", "1"),
    await svg("--threshold", "128"),
  );
  const smooth = await svg("--preset", "photo");
  assert.ok((await svg("--preset", "photo", "--svg-tolerance", "0.05")).length < smooth.length);
  assert.match(await svg("--fill-rule", "nonzero"), "nonzero");
});

test("kerfwork trace draws centre lines and colours, and refuses options that mean nothing there", async () => {
  const svg = async (...args: string[]): Promise<string> => {
    const { code, stdout, stderr } = await run(["trace", at("in.png"), "-o", "-", ...args]);
    assert.is(code, 0, stderr);
    return stdout;
  };
  assert.match(
    await svg("--centerline", "--preset", "sketch"),
    '<g fill-rule="evenodd" fill="none" stroke="black"',
  );
  const cutout = await svg("--palette", "#ff0000,#0000ff", "--layers", "cutout", "--svg-tolerance", "0.01");
  assert.equal(cutout.match(/<g fill="#[0-9a-f]{6}">/g), ['<g fill="#ff0000">', '<g fill="#0000ff">']);
  assert.match(await svg("--colors", "2"), '<g fill="#');
  const none = at("none.png");
  await fails(
    ["trace", none, "-o", at("x"), "--colors", "4", "--gamma", "2"],
    2,
    "Expected --gamma not beside --colors",
  );
  await fails(
    ["trace", none, "-o", at("x"), "--centerline", "--turn", "black"],
    2,
    "Expected --turn not beside",
  );
  await fails(["trace", at("in.png"), "-o", at("x"), "--colors", "1"], 2, "Expected `colors` to be ");
  await fails(["trace", at("in.png"), "-o", at("x"), "--spurs", "-1"], 2, "Expected `spurs` to be ");
});

test("kerfwork refuses wrong arguments with 2, before it reads", async () => {
  const none = at("none.png");
  await fails(["bend", none], 2, 'Expected a command, got "bend"');
  await fails(["trace", none], 2, "Expected --output, got none");
  await fails(["send", none], 2, "Expected --port, got none");
  await fails(
    ["plan", none, "-o", at("x"), "--dpi", "many"],
    2,
    'Expected `--dpi` to be a number, got "many"',
  );
  await fails(
    ["trace", none, "-o", at("x"), "--preset", "icon"],
    2,
    'Expected `--preset` to be one of logo, sketch, photo, scan, dither, got "icon"',
  );
  await fails(
    ["trace", none, "-o", at("x"), "--levels", "20"],
    2,
    'Expected `--levels` to be two numbers as A..B, got "20"',
  );
  const ranges: Record<string, [string, string]> = {
    "--dpi": ["0", "dpi"],
    "--threshold": ["256", "threshold"],
    "--mode": ["curvy", "mode"],
    "--blur": ["-1", "blurPx"],
    "--turn": ["left", "turn"],
    "--window": ["4", "adaptive.windowPx"],
    "--tolerance": ["-1", "tolerance"],
    "--power": ["1.5", "power"],
    "--speed": ["0", "speed"],
    "--laser-mode": ["M5", "laserMode"],
  };
  for (const [flag, [value, name]] of Object.entries(ranges))
    await fails(["plan", at("in.png"), "-o", at("x"), flag, value], 2, `Expected \`${name}\` to be `);
});

test.after(cleanUp);

test.run();
