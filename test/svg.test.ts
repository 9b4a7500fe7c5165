import { type Curves, type SVGOptions, toSVG, trace } from "kerfwork";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { pathWriter, within } from "../src/files/path.ts";
import { blobs, imageOf } from "./outline.ts";
import { failure, random } from "./pictures.ts";

interface Read {
  readonly kinds: number[];
  readonly points: number[][];
  closed: boolean;
}

/** A slow reader of path data: absolute points of each contour; "z" draws a line when the pen is not at the start. */
function readData(d: string): Read[] {
  const contours: Read[] = [];
  let [x, y] = [0, 0];
  let arm: number[] | undefined;
  for (const [, command, rest] of d.matchAll(/([a-z])([^a-z]*)/g)) {
    const numbers = [...rest.matchAll(/-?(?:\d+\.?\d*|\.\d+)/g)].map(([number]) => Number(number));
    if (command === "m") contours.push({ kinds: [], points: [], closed: false });
    const contour = contours.at(-1)!;
    const go = (kind: number, ...points: number[][]): void => {
      if (contour.points.length > 0) contour.kinds.push(kind);
      contour.points.push(...points);
      [x, y] = points.at(-1)!;
      arm = kind === 1 ? points[1] : undefined;
    };
    const size = { m: 2, l: 2, h: 1, v: 1, c: 6, s: 4, z: 1 }[command]!;
    assert.is(numbers.length % size, 0, `numbers of ${command}${rest}`);
    for (let i = 0; i < numbers.length; i += size) {
      const at = (k: number): number[] => [x + numbers[i + k]!, y + numbers[i + k + 1]!];
      if (command === "c") go(1, at(0), at(2), at(4));
      else if (command === "s") go(1, arm ? [2 * x - arm[0]!, 2 * y - arm[1]!] : [x, y], at(0), at(2));
      else if (command === "h") go(0, [x + numbers[i]!, y]);
      else if (command === "v") go(0, [x, y + numbers[i]!]);
      else go(0, at(0));
    }
    if (command === "z") {
      const start = contour.points[0]!;
      if (Math.abs(x - start[0]!) + Math.abs(y - start[1]!) > 1e-9) go(0, start);
      [x, y] = start as [number, number];
      contour.closed = true;
    }
  }
  return contours;
}

const readPath = (svg: string): Read[] => readData(/<path [^>]*? d="([^"]*)"\/>/.exec(svg)![1]!);

/** Fails unless what was read has the kinds of the curves and points within `most` of theirs. */
function checkRead(read: readonly Read[], curves: Curves, most: number): void {
  assert.is(read.length, curves.ends.length);
  let segment = 0;
  let at = 0;
  for (const [i, { kinds, points }] of read.entries()) {
    assert.equal(kinds, [...curves.kinds.subarray(segment, curves.ends[i])], `contour ${i}`);
    for (const [x, y] of points) {
      const off = Math.hypot(x! - curves.xy[at]!, y! - curves.xy[at + 1]!);
      assert.ok(off <= most, `contour ${i}: ${off} off`);
      at += 2;
    }
    segment = curves.ends[i]!;
  }
  assert.is(at, curves.xy.length);
}

/** The obvious way to write contours: absolute coordinates, three decimals. */
function plainData({ ends, kinds, xy }: Curves): string {
  let text = "";
  let segment = 0;
  let at = 0;
  const point = (): string => `${xy[at++]!.toFixed(3)} ${xy[at++]!.toFixed(3)}`;
  for (const end of ends) {
    text += `M ${point()}`;
    for (; segment < end; segment++)
      text += kinds[segment] === 1 ? ` C ${point()} ${point()} ${point()}` : ` L ${point()}`;
    text += " Z\n";
  }
  return text;
}

const curvesOf = (ends: number[], kinds: number[], xy: number[], closed?: number[]): Curves => ({
  ends: Uint32Array.from(ends),
  kinds: Uint8Array.from(kinds),
  xy: Float32Array.from(xy),
  depth: new Uint16Array(ends.length),
  ...(closed === undefined ? {} : { closed: Uint8Array.from(closed) }),
});

/** The path data of a drawing, as it is written. */
const dataOf = (curves: Curves, options: Partial<SVGOptions> = {}): string =>
  / d="\n?([^"]*?)\n?"/.exec(toSVG(curves, { width: 100, height: 100, ...options }))![1]!;

/** Random contours of lines and cubics on a grid of 1/1000 mm, so that rounding loses nothing. */
function randomCurves(contours: number): Curves {
  const [ends, kinds, xy]: number[][] = [[], [], []];
  const point = (): number[] => [(random(40000) - 20000) / 1000, (random(40000) - 20000) / 1000];
  for (let i = 0; i < contours; i++) {
    const start = point();
    xy.push(...start);
    const n = 3 + random(6);
    for (let k = 0; k < n; k++) {
      kinds.push(random(2));
      if (kinds.at(-1) === 1) xy.push(...point(), ...point());
      xy.push(...(k === n - 1 ? start : point()));
    }
    ends.push(kinds.length);
  }
  return {
    ends: Uint32Array.from(ends),
    kinds: Uint8Array.from(kinds),
    xy: Float32Array.from(xy),
    depth: new Uint16Array(contours),
  };
}

const square: Curves = {
  ends: Uint32Array.of(4),
  kinds: new Uint8Array(4),
  xy: Float32Array.of(1, 2, 4, 2, 4, 5.25, 1, 5.25, 1, 2),
  depth: Uint16Array.of(0),
};

test("toSVG writes a square as one would by hand", () => {
  assert.is(
    toSVG(square, { width: 20, height: 10.5 }),
    [
      '<svg xmlns="http://www.w3.org/2000/svg" width="20mm" height="10.5mm" viewBox="0 0 20 10.5">',
      '<path fill-rule="evenodd" d="',
      "m1 2h3v3.25h-3z",
      '"/>',
      "</svg>",
      "",
    ].join("\n"),
  );
});

test("toSVG gives back the same curves when it is read", () => {
  const curves = randomCurves(60);
  checkRead(readPath(toSVG(curves, { width: 40, height: 40 })), curves, 1e-5);
});

test("toSVG writes points within the tolerance of their own, and shorter for a larger one", () => {
  const { ends, kinds, depth, xy } = randomCurves(60);
  const curves = { ends, kinds, depth, xy: xy.map((value) => value * Math.SQRT1_2) };
  let length = Infinity;
  for (const tolerance of [1e-6, 1e-4, 0.0007, 0.002, 0.01, 0.05, 0.3, 0.5]) {
    const text = dataOf(curves, { tolerance });
    checkRead(readData(text), curves, tolerance + 1e-9);
    assert.ok(text.length < length, `${text.length} bytes at ${tolerance}`);
    length = text.length;
  }
});

test("toSVG is about half as long as absolute coordinates", () => {
  const curves = trace(imageOf(blobs(5, 200, 150, 18)));
  const plain = plainData(curves).length;
  assert.ok(dataOf(curves).length < 0.7 * plain);
  assert.ok(dataOf(curves, { tolerance: 0.01 }).length < 0.55 * plain);
});

test("toSVG closes a curve where it began, whatever the tolerance", () => {
  const { ends, kinds, depth } = randomCurves(40);
  const curves = { ends, kinds: kinds.fill(1), depth, xy: new Float32Array(2 * (40 + 3 * ends.at(-1)!)) };
  for (let i = 0; i < curves.xy.length; i++) curves.xy[i] = random(1e6) / 12345;
  let at = 0;
  for (const [i, end] of ends.entries()) {
    const last = at + 6 * (end - (ends[i - 1] ?? 0));
    curves.xy.copyWithin(last, at, at + 2);
    at = last + 2;
  }
  for (const { points } of readData(dataOf(curves, { tolerance: 0.2 }))) {
    const [start, last] = [points[0]!, points.at(-1)!];
    assert.ok(Math.abs(start[0]! - last[0]!) + Math.abs(start[1]! - last[1]!) < 1e-9);
  }
});

test("toSVG uses the shortest commands", () => {
  // a curve, one that goes on with the same arm, one that does not, and one that begins without an arm after a line
  const wave = curvesOf(
    [5],
    [1, 1, 1, 0, 1],
    [0, 0, 1, 1, 2, 1, 3, 0, 4, -1, 5, -1, 6, 0, 7, 2, 8, 2, 9, 0, 9, 5, 9, 5, 4, 4, 0, 0],
  );
  assert.is(dataOf(wave), "m0 0c1 1 2 1 3 0s2-1 3 0c1 2 2 2 3 0v5s-5-1-9-5z");
  // the same with arms that agree within the tolerance only
  const almost = { ...wave, xy: wave.xy.map((value, i) => (i === 8 ? value + 0.005 : value)) };
  assert.is(dataOf(almost), "m0 0c1 1 2 1 3 0 1.005-1 2-1 3 0 1 2 2 2 3 0v5s-5-1-9-5z");
  assert.is(dataOf(almost, { tolerance: 0.01 }), dataOf(wave));
  // lines after "m" need no letter, level and upright ones get theirs, what goes nowhere is left out
  const lines = curvesOf([6], Array(6).fill(0), [1, 1, 2, 3, 2, 3, 5, 3, 5, 9.5, 4, 8, 1, 1]);
  assert.is(dataOf(lines), "m1 1 1 2h3v6.5l-1-1.5z");
});

test("toSVG leaves out zeros, and spaces where a sign or a point parts numbers", () => {
  const xy = [0.5, 0.25, 0.75, 0.125, 10.75, -99.875, 0, 0.625, 0.5, 0.25];
  assert.is(dataOf(curvesOf([4], [0, 0, 0, 0], xy)), "m.5.25.25-.125 10-100-10.75 100.5z");
  assert.is(dataOf(curvesOf([4], [0, 0, 0, 0], xy), { tolerance: 0.2 }), "m.5.3.3-.2 10-100-10.8 100.5z");
});

test("toSVG keeps the drawing's size, however coarse the coordinates", () => {
  for (const coarse of [{ precision: 0 }, { tolerance: 0.5 }])
    assert.match(
      toSVG(square, { width: 20.125, height: 10.5, ...coarse }),
      'width="20.125mm" height="10.5mm" viewBox="0 0 20.125 10.5">',
    );
});

test("toSVG leaves open contours open", () => {
  const strokes = curvesOf(
    [2, 4, 5],
    [0, 0, 0, 0, 1],
    [0, 0, 5, 0, 5, 5, 7, 7, 9, 9, 7, 7, 1, 1, 2, 1, 3, 2, 3, 3],
    [0, 1, 0],
  );
  assert.is(dataOf(strokes), "m0 0h5v5\nm2 2 2 2z\nm-6-6c1 0 2 1 2 2");
  const svg = toSVG(strokes, { width: 10, height: 10, strokeWidth: 0.2 });
  assert.match(svg, '<path fill-rule="evenodd" fill="none" stroke="black" stroke-width="0.2" d="\n');
  assert.equal(
    readPath(svg).map(({ closed }) => closed),
    [false, true, false],
  );
  // an open contour may end where it began: that end is drawn
  assert.is(dataOf(curvesOf([2], [0, 0], [0, 0, 5, 0, 0, 0], [0])), "m0 0h5-5");
});

test("toSVG draws with the colours and the fill rule that it is given", () => {
  const styled = {
    fillRule: "nonzero",
    fill: "rgb(10% 20% 30% / .5)",
    stroke: "#c00",
    strokeWidth: 0.1,
  } as const;
  assert.match(
    toSVG(square, { width: 10, height: 10, ...styled }),
    '\n<path fill-rule="nonzero" fill="rgb(10% 20% 30% / .5)" stroke="#c00" stroke-width="0.1" d="\nm1 2h3v3.25h-3z\n"/>\n',
  );
});

test("toSVG: both fill rules draw the same of a traced picture with holes in holes", () => {
  const bits = blobs(7, 120, 90, 12);
  const curves = trace(imageOf(bits), { dpi: 25.4, mode: "polygons" });
  assert.ok(curves.depth.some((depth) => depth >= 1));
  const read = readPath(toSVG(curves, { width: 120, height: 90, fillRule: "nonzero", tolerance: 0.01 }));
  for (let y = 0.503; y < 90; y += 3)
    for (let x = 0.507; x < 120; x += 1) {
      let winding = 0;
      for (const { points } of read)
        for (const [i, [x1, y1]] of points.entries()) {
          const [x0, y0] = points[i === 0 ? points.length - 1 : i - 1]!;
          if (y0! > y !== y1! > y && x0! + ((y - y0!) / (y1! - y0!)) * (x1! - x0!) < x)
            winding += y1! > y ? 1 : -1;
        }
      // black on the right hand: around black the way is clockwise on the screen
      assert.ok(winding === 0 || winding === -1, `winding ${winding} at ${x}, ${y}`);
    }
});

test("pathWriter writes each range of contours as a text of its own", () => {
  const curves = randomCurves(10);
  const write = pathWriter(curves, within(0.01));
  assert.is(write(0, 10), dataOf(curves, { tolerance: 0.01 }));
  assert.is(write(3, 3), "");
  const parts = [write(0, 1), write(1, 7), write(7, 10)];
  checkRead(parts.flatMap(readData), curves, 0.01 + 1e-9);
});

test("toSVG rounds absolute coordinates, so that long contours do not drift", () => {
  const n = 5000;
  const xy = new Float32Array(2 * (n + 1));
  for (let i = 1; i < n; i++) xy.set([i * 0.0333, (i % 2) * 0.0777], 2 * i);
  const curves = { ends: Uint32Array.of(n), kinds: new Uint8Array(n), xy, depth: Uint16Array.of(0) };
  for (const precision of [0, 1, 2, 3, 4]) {
    const [{ points }] = readPath(toSVG(curves, { width: 200, height: 1, precision }));
    const [x, y] = points.reduce(([ax, ay], [bx, by]) => [Math.max(ax, bx), Math.max(ay, by)]);
    assert.ok(Math.abs(x - xy[2 * n - 2]) <= 0.5 * 10 ** -precision + 1e-6, `precision ${precision}: ${x}`);
    assert.ok(Math.abs(y - 0.0777) <= 0.5 * 10 ** -precision + 1e-6);
  }
});

test("toSVG writes short numbers and no path data for no curves", () => {
  const xy = Float32Array.of(0.5, -0.25, 10.1, 100, -0.0001, 7, 0.5, -0.25);
  const curves = { ends: Uint32Array.of(3), kinds: new Uint8Array(3), xy, depth: Uint16Array.of(0) };
  assert.match(toSVG(curves, { width: 1, height: 1 }), "\nm.5-.25 9.6 100.25-10.1-93z\n");
  const none = {
    ends: new Uint32Array(0),
    kinds: new Uint8Array(0),
    xy: new Float32Array(0),
    depth: new Uint16Array(0),
  };
  assert.match(toSVG(none, { width: 1, height: 1 }), 'd="\n"/>');
});

test("toSVG writes strokes open, each with its width", () => {
  const strokes = {
    ends: Uint32Array.of(2, 5, 6),
    kinds: Uint8Array.of(0, 1, 0, 0, 0, 0),
    xy: Float32Array.of(1, 1, 2, 1, 3, 1, 4, 2, 4, 3, 5, 5, 6, 5, 6, 6, 5, 5, 7, 7, 7, 7),
    depth: new Uint16Array(3),
    width: Float32Array.of(0.25, 1, 2),
    closed: Uint8Array.of(0, 1, 0),
  };
  assert.is(
    toSVG(strokes, { width: 9, height: 9 }),
    [
      '<svg xmlns="http://www.w3.org/2000/svg" width="9mm" height="9mm" viewBox="0 0 9 9">',
      '<g fill-rule="evenodd" fill="none" stroke="black" stroke-linecap="round" stroke-linejoin="round">',
      '<path stroke-width=".25" d="m1 1h1c1 0 2 1 2 2"/>',
      '<path stroke-width="1" d="m5 5h1v1z"/>',
      '<path stroke-width="2" d="m7 7h0"/>',
      "</g>",
      "</svg>",
      "",
    ].join("\n"),
  );
});

test("toSVG checks its arguments", async () => {
  const message = async (curves: Curves, options: unknown): Promise<string> =>
    (await failure(() => toSVG(curves, options as never))).message;
  assert.is(
    await message(square, { width: 0, height: 1 }),
    "Expected `width` to be a finite number > 0 and <= 1000000, got 0",
  );
  assert.is(
    await message(square, { width: 1 }),
    "Expected `height` to be a finite number > 0 and <= 1000000, got undefined",
  );
  assert.is(
    await message(square, { width: 1, height: 1, precision: 7 }),
    "Expected `precision` to be an integer >= 0 and <= 6, got 7",
  );
  assert.is(
    await message(square, { width: 1, height: 1, decimals: 7 }),
    'Expected `options` to be an object with no other names than width, height, precision, tolerance, fillRule, fill, stroke, strokeWidth, got "decimals"',
  );
  const size = { width: 1, height: 1 };
  assert.is(
    await message(square, { ...size, tolerance: 0 }),
    "Expected `tolerance` to be a finite number >= 0.000001 and <= 0.5, got 0",
  );
  assert.is(
    await message(square, { ...size, tolerance: 0.01, precision: 2 }),
    "Expected one of `precision` and `tolerance`, got both, 2 and 0.01",
  );
  assert.is(
    await message(square, { ...size, fillRule: "winding" }),
    'Expected `fillRule` to be one of "evenodd", "nonzero", got "winding"',
  );
  assert.is(
    await message(square, { ...size, fill: 'red" onload="' }),
    'Expected `fill` to be a CSS colour, such as "#c00" or "none", got "red\\" onload=\\""',
  );
  assert.is(
    await message(square, { ...size, stroke: 3 }),
    'Expected `stroke` to be a CSS colour, such as "#c00" or "none", got 3',
  );
  assert.is(
    await message(square, { ...size, strokeWidth: 0 }),
    "Expected `strokeWidth` to be a finite number > 0, got 0",
  );
  assert.is(
    await message({ ...square, closed: new Uint8Array(2) } as Curves, size),
    "Expected `curves.closed` to be a Uint8Array of 1 bytes, got a Uint8Array of 2 bytes",
  );
  const bad = { ...square, xy: Float32Array.of(1, 2, Number.NaN, 2, 4, 5, 1, 5, 1, 2) };
  assert.is(
    await message(bad, { width: 1, height: 1 }),
    "Expected `curves.xy[2]` to be a finite number, got NaN",
  );
});

test.run();
