// Reading SVG: units, viewports, transforms, styles, shapes, arcs; and what is said of what cannot be taken over.
import { type KerfworkError, readSVG, type SVGDrawing, taskMgr, toSVG } from "kerfwork";
import { test } from "uvu";
import * as assert from "uvu/assert";

test.after(() => taskMgr.shutdown());

const mm = (content: string, size = 'width="100mm" height="50mm" viewBox="0 0 100 50"'): string =>
  `<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" ${size}>${content}</svg>`;

/** Contours as "kind:points" texts, rounded to micrometres. */
function contours({ layers }: SVGDrawing): string[] {
  const lines: string[] = [];
  for (const { curves } of layers) {
    let segment = 0;
    let point = 0;
    const next = (): string => {
      const text = [curves.xy[2 * point]!, curves.xy[2 * point + 1]!]
        .map((value) => Math.round(value * 1000) / 1000 || 0)
        .join(",");
      point++;
      return text;
    };
    for (let i = 0; i < curves.ends.length; i++) {
      let text = next();
      for (; segment < curves.ends[i]!; segment++) {
        text += ` ${"LCRG"[curves.kinds[segment]!]}`;
        for (let n = [1, 3, 2, 2][curves.kinds[segment]!]!; n > 0; n--) text += `${next()} `;
        text = text.trimEnd();
      }
      lines.push(text + (curves.closed[i] ? " z" : ""));
    }
    assert.is(2 * point, curves.xy.length);
  }
  return lines;
}

const read = (content: string, size?: string): string[] => contours(readSVG(mm(content, size)));
const broken = (source: string): KerfworkError => {
  try {
    readSVG(source);
  } catch (error) {
    assert.is((error as KerfworkError).code, "BROKEN_DRAWING");
    return error as KerfworkError;
  }
  throw new Error("it was taken");
};

test("paths: every command, absolute and relative", () => {
  assert.equal(read('<path d="M10 10h20v5H5l1 1z"/>'), ["10,10 L30,10 L30,15 L5,15 L6,16 L10,10 z"]);
  assert.equal(read('<path d="m1 1 2 0c0 1 1 2 2 2s2-1 2-2" stroke="red"/>'), [
    "1,1 L3,1 C3,2 4,3 5,3 C6,3 7,2 7,1",
  ]);
  assert.equal(read('<path d="M0 0Q3 3 6 0T12 0" stroke="red"/>'), ["0,0 C2,2 4,2 6,0 C8,-2 10,-2 12,0"]);
  assert.equal(read('<path d="M0 0L1 0M5 5L6 5L6 6Z" stroke="red"/>'), ["0,0 L1,0", "5,5 L6,5 L6,6 L5,5 z"]);
  assert.equal(read('<path d="M0 0H4V4H0zL2 2" stroke="red"/>'), ["0,0 L4,0 L4,4 L0,4 L0,0 z", "0,0 L2,2"]);
});

test("a fill closes its contours, a stroke does not", () => {
  const open = 'd="M0 0L4 0L4 4"';
  assert.equal(read(`<path ${open}/>`), ["0,0 L4,0 L4,4 L0,0 z"]);
  assert.equal(read(`<path ${open} fill="none" stroke="red"/>`), ["0,0 L4,0 L4,4"]);
  assert.equal(read(`<path ${open} fill="blue" stroke="red"/>`), ["0,0 L4,0 L4,4"]);
});

test("basic shapes", () => {
  assert.equal(read('<rect x="1" y="2" width="3" height="4"/>'), ["1,2 L4,2 L4,6 L1,6 L1,2 z"]);
  assert.equal(read('<circle cx="10" cy="10" r="5"/>'), ["15,10 R10,10 5,10 R10,10 15,10 z"]);
  assert.equal(read('<line x1="1" y1="2" x2="3" y2="50%" stroke="red"/>'), ["1,2 L3,25"]);
  assert.equal(read('<polyline points="0,0 1,1 2 0 9" stroke="red"/>'), ["0,0 L1,1 L2,0"]);
  assert.equal(read('<polygon points="0,0 1,1-2-3"/>'), ["0,0 L1,1 L-2,-3 L0,0 z"]);
  assert.equal(read('<rect width="4" height="2" rx="1"/>'), [
    "1,0 L3,0 R3,1 4,1 R3,1 3,2 L1,2 R1,1 0,1 R1,1 1,0 z",
  ]);
  assert.is(read('<ellipse cx="9" cy="9" rx="4" ry="2"/>')[0]!.split("C").length, 5, "four cubics");
  for (const nothing of [
    '<rect width="0" height="4"/>',
    '<circle r="-1"/>',
    '<path d=""/>',
    "<path/>",
    '<polygon points="3"/>',
    '<path d="M5 5"/>',
  ])
    assert.equal(read(nothing), [], nothing);
});

test("circular arcs stay arcs where the transform keeps them round, and turn with mirrors", () => {
  const arc = '<path d="M0 0A5 5 0 0 1 10 0" stroke="red"';
  assert.equal(read(`${arc}/>`), ["0,0 R5,0 10,0"]);
  assert.equal(read(`${arc} transform="rotate(90) scale(2)"/>`), ["0,0 R0,10 0,20"]);
  assert.equal(read(`${arc} transform="scale(-1 1)"/>`), ["0,0 G-5,0 -10,0"]);
  assert.ok(read(`${arc} transform="scale(2 1)"/>`)[0]!.includes("C"), "no circle any more");
  assert.equal(
    read('<path d="M0 0A1 1 0 0 1 10 0" stroke="red"/>'),
    ["0,0 R5,0 10,0"],
    "a radius too small grows",
  );
  // the large way round, and the small one: centres on either side of the chord
  assert.equal(read('<path d="M0 0A5 5 0 1 1 6 0" stroke="red"/>'), ["0,0 R3,-4 6,0"]);
  assert.equal(read('<path d="M0 0A5 5 0 0 1 6 0" stroke="red"/>'), ["0,0 R3,4 6,0"]);
  assert.equal(read('<path d="M0 0A5 5 0 1 0 6 0" stroke="red"/>'), ["0,0 G3,4 6,0"]);
  assert.equal(read('<path d="M0 0A5 5 0 0 0 6 0" stroke="red"/>'), ["0,0 G3,-4 6,0"]);
  assert.equal(read('<path d="M0 0A0 5 0 0 0 6 0" stroke="red"/>'), ["0,0 L6,0"]);
});

test("transforms nest, outer after inner, in every form", () => {
  const dot = '<path d="M1 0L2 0" stroke="red"';
  assert.equal(read(`<g transform="translate(10 5)"><g transform="rotate(90)">${dot}/></g></g>`), [
    "10,6 L10,7",
  ]);
  assert.equal(read(`${dot} transform="translate(10) scale(2,3) rotate(90 1 0)"/>`), ["12,0 L12,3"]);
  assert.equal(read(`${dot} transform="matrix(0 1 -1 0 5 6)"/>`), ["5,7 L5,8"]);
  assert.equal(read(`${dot} transform="skewY(45), skewX(0)"/>`), ["1,1 L2,2"]);
  const { notes } = readSVG(mm(`${dot} transform="rotate(1 2)"/>`));
  assert.ok(notes.includes('transform "rotate(1 2)" not understood'), notes.join());
});

test("units: sizes in mm, in, pt; view boxes; pixels by the inch; one side; none", () => {
  const square = '<rect width="10" height="10"/>';
  const size = (attributes: string, options = {}): string => {
    const { width, height, layers } = readSVG(mm(square, attributes), options);
    const side = layers[0]!.curves.xy[2]!;
    return [width, height, side].map((value) => Number(value.toFixed(4))).join(" ");
  };
  assert.is(size('width="100mm" height="5cm" viewBox="0 0 200 100"'), "100 50 5");
  assert.is(size('width="1in" height="72pt" viewBox="0 0 10 10"'), "25.4 25.4 25.4");
  assert.is(size('width="96" height="48"'), "25.4 12.7 2.6458");
  assert.is(size('width="90" height="45"', { dpi: 90 }), "25.4 12.7 2.8222");
  assert.is(size('viewBox="0 0 96 48"'), "25.4 12.7 2.6458");
  assert.is(size('width="50mm" viewBox="0 0 100 40"'), "50 20 5");
  assert.is(size('width="100%" height="100%" viewBox="0 0 96 96"'), "25.4 25.4 2.6458");
  assert.is(size(""), "79.375 39.6875 2.6458");
  assert.equal(readSVG(mm(square)).notes, ["the page is 100 x 50 mm", "a unit of its view box is 1 mm"]);
  assert.equal(readSVG(mm(square, 'width="96" height="96"')).notes, [
    "the page is 25.4 x 25.4 mm",
    "its size is in pixels, taken as 96 an inch",
  ]);
});

test("preserveAspectRatio: meet, slice, none and places", () => {
  const at = (fit: string): string =>
    read('<path d="M0 0L10 10" stroke="red"/>', `width="40mm" height="20mm" viewBox="0 0 10 10" ${fit}`)[0]!;
  assert.is(at(""), "10,0 L30,20");
  assert.is(at('preserveAspectRatio="xMinYMid"'), "0,0 L20,20");
  assert.is(at('preserveAspectRatio="xMaxYMax meet"'), "20,0 L40,20");
  assert.is(at('preserveAspectRatio="none"'), "0,0 L40,20");
  assert.is(at('preserveAspectRatio="xMidYMid slice"'), "0,-10 L40,30");
});

test("use, symbols and nested viewports", () => {
  const stroke = 'stroke="red"';
  assert.equal(read(`<defs><path id="a" d="M0 0L1 0" ${stroke}/></defs><use href="#a" x="5" y="6"/>`), [
    "5,6 L6,6",
  ]);
  assert.equal(
    read(`<path id="a" d="M0 0L1 0" ${stroke}/><use xlink:href="#a" transform="scale(2)" x="1"/>`),
    ["0,0 L1,0", "2,0 L4,0"],
  );
  assert.equal(
    read(
      `<symbol id="s" viewBox="0 0 2 2"><path d="M0 0L2 2" ${stroke}/></symbol><use href="#s" x="10" width="8" height="8"/>`,
    ),
    ["10,0 L18,8"],
  );
  assert.equal(
    read(`<svg x="10" y="5" width="20" height="20" viewBox="0 0 4 4"><path d="M0 0L4 100%" ${stroke}/></svg>`)
      .length,
    1,
  );
  assert.equal(
    read(
      `<svg x="10" y="5" width="20" height="20" viewBox="0 0 4 4"><line x2="100%" y2="4" ${stroke}/></svg>`,
    ),
    ["10,5 L30,25"],
  );
  const { notes } = readSVG(mm('<use href="#gone"/>'));
  assert.ok(notes.includes('use of "#gone", which is not there, left out'), notes.join());
  assert.match(
    broken(mm('<g id="a"><use href="#a"/></g>')).message,
    /`use` at most 32 deep, got "#a" deeper/,
  );
});

test("paint: attributes, style, sheets, inheritance, and what is not seen", () => {
  const layers = (content: string): string[] =>
    readSVG(mm(content)).layers.map(({ fill, stroke, fillRule }) => `${fill} ${stroke} ${fillRule}`);
  const d = 'd="M0 0L1 0L1 1Z"';
  assert.equal(layers(`<path ${d}/>`), ["black none nonzero"]);
  assert.equal(layers(`<g fill="red" style="stroke:blue;fill-rule:evenodd"><path ${d}/></g>`), [
    "red blue evenodd",
  ]);
  assert.equal(
    layers(
      `<style>/* x */ path{fill:green} .cut { stroke: #f00; fill: none } #top{stroke:#00f}</style><path ${d}/><path class="a cut" ${d}/><path id="top" class="cut" ${d}/>`,
    ),
    ["green none nonzero", "none #f00 nonzero", "none #00f nonzero"],
  );
  assert.equal(layers(`<path ${d} fill="red" style="fill:none" stroke="currentColor" color="teal"/>`), [
    "none teal nonzero",
  ]);
  assert.equal(
    layers(`<path ${d} fill="none"/><path ${d} display="none"/><path ${d} visibility="hidden"/>`),
    [],
  );
  assert.equal(layers(`<path ${d} fill="none" stroke="red" stroke-width="0"/>`), []);
  assert.equal(layers(`<path ${d} fill="red"/><path ${d} fill="blue"/><path ${d} fill="red"/>`), [
    "red none nonzero",
    "blue none nonzero",
  ]);
  const { notes } = readSVG(
    mm(
      `<style>g > path{fill:red}</style><path ${d} fill="none"/><path ${d} fill="none"/><path ${d} clip-path="url(#c)"/>`,
    ),
  );
  assert.equal(notes.slice(2), [
    "a shape without fill and stroke left out (2 times)",
    "a clip-path not applied",
    'style of "g > path" not understood',
  ]);
});

test("text and pictures are named; a mistake in path data ends that path alone", () => {
  const { layers, notes } = readSVG(
    mm('<text>A</text><image href="a.png"/><path id="p" d="M0 0L4 0L4 4L x" stroke="red"/><circle r="1"/>'),
  );
  assert.is(layers.length, 2);
  assert.ok(notes.includes("text left out: convert text to paths"), notes.join());
  assert.ok(
    notes.some((note) => note.startsWith('path "p" drawn up to a mistake: ')),
    notes.join(),
  );
});

test("documents as programs write them: prefixes, entities, byte order marks, UTF-16, CDATA", () => {
  const text =
    '\uFEFF<?xml version="1.0"?><!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "x" [<!ENTITY ns "http://www.w3.org/2000/svg"><!ENTITY s \'red\'>]>' +
    '<svg:svg xmlns:svg="&ns;" width="10mm" height="10mm"><svg:style><![CDATA[path{stroke:&s;}]]></svg:style>' +
    '<svg:path fill="&s;" d="M0 0L1 0L1 1Z"/></svg:svg>';
  const [layer] = readSVG(text).layers;
  assert.is(layer!.fill, "red");
  const utf16 = new Uint8Array(Buffer.from(text, "utf16le"));
  assert.equal(readSVG(utf16), readSVG(new TextEncoder().encode(text)));
  assert.equal(readSVG(utf16).width, 10);
});

test("what is no drawing is refused, with the place", () => {
  assert.match(
    broken("<svg><path></svg>").message,
    /^Expected a well-formed SVG document, got a mistake at 1:/,
  );
  assert.match(broken("").message, /document must contain a root element/);
  assert.is(broken("<html></html>").message, "Expected an svg element, got html");
  assert.is(
    broken(mm('<path d="M0 0L1e9 0L1 1"/>')).message,
    "Expected coordinates within 1000000 mm, got one beyond",
  );
  // a thousand million shapes in a few lines
  const levels = Array.from(
    { length: 9 },
    (_, i) => `<g id="l${i + 1}">${`<use href="#l${i}"/>`.repeat(10)}</g>`,
  ).join("");
  assert.is(
    broken(mm(`<defs><rect id="l0" width="1" height="1"/>${levels}</defs><use href="#l9"/>`)).message,
    "Expected at most 1000000 elements, got more",
  );
  assert.throws(() => readSVG(5 as never), /Expected `source` to be a string or a Uint8Array, got 5/);
  assert.throws(() => readSVG(mm(""), { dpi: 0 }), /Expected `dpi` to be a finite number > 0/);
  assert.throws(() => readSVG(mm(""), { size: 1 } as never), /size/);
});

test("deep nesting takes no stack", () => {
  const deep = 20_000;
  const text = mm(`${"<g>".repeat(deep)}<rect width="1" height="1"/>${"</g>".repeat(deep)}`);
  assert.is(readSVG(text).layers.length, 1);
});

test("what toSVG wrote is read back as it was", () => {
  const drawing = readSVG(mm('<path d="M10 10h20v5H5l1 1z"/><path d="m40 1 2 0c0 1 1 2 2 2s2-1 2-2z"/>'));
  const { curves } = drawing.layers[0]!;
  const again = readSVG(toSVG(curves, { width: 100, height: 50 }));
  assert.equal([again.width, again.height], [100, 50]);
  assert.equal(contours(again), contours(drawing));
});

test("runs in a worker too", async () => {
  const drawing = await taskMgr.runProcess(readSVG, [mm('<circle cx="5" cy="5" r="2"/>')]).promise;
  assert.equal(contours(drawing), ["7,5 R5,5 3,5 R5,5 7,5 z"]);
});

test.run();
