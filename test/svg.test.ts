import { type Curves, toSVG } from "kerfwork";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { failure, random } from "./pictures.ts";

/** A slow reader of the path data that `toSVG` writes: absolute points of each contour, closed. */
function readPath(svg: string): { kinds: number[]; points: number[][] }[] {
  const d = /<path fill-rule="evenodd" d="([^"]*)"\/>/.exec(svg)?.[1] ?? "";
  const contours: { kinds: number[]; points: number[][] }[] = [];
  let [x, y] = [0, 0];
  for (const [, command, rest] of d.matchAll(/([a-z])([^a-z]*)/g)) {
    const numbers = [...rest.matchAll(/-?(?:\d+\.?\d*|\.\d+)/g)].map(([number]) => Number(number));
    const contour = contours.at(-1);
    if (command === "m") {
      [x, y] = [x + numbers[0], y + numbers[1]];
      contours.push({ kinds: [], points: [[x, y]] });
    } else if (command === "z") {
      const [start] = contour!.points;
      if (Math.abs(x - start[0]) + Math.abs(y - start[1]) > 1e-9) {
        contour!.kinds.push(0);
        contour!.points.push(start);
      }
      [x, y] = start;
    } else if (command === "c") {
      for (let i = 0; i < numbers.length; i += 6) {
        contour!.kinds.push(1);
        for (let k = 0; k < 6; k += 2) contour!.points.push([x + numbers[i + k], y + numbers[i + k + 1]]);
        [x, y] = contour!.points.at(-1)!;
      }
    } else {
      const pair = command === "l" ? 2 : 1;
      for (let i = 0; i < numbers.length; i += pair) {
        if (command !== "v") x += numbers[i];
        if (command !== "h") y += numbers[i + pair - 1];
        contour!.kinds.push(0);
        contour!.points.push([x, y]);
      }
    }
  }
  return contours;
}

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
  const read = readPath(toSVG(curves, { width: 40, height: 40 }));
  assert.is(read.length, 60);
  let segment = 0;
  let at = 0;
  for (const [i, { kinds, points }] of read.entries()) {
    assert.equal(kinds, [...curves.kinds.subarray(segment, curves.ends[i])], `contour ${i}`);
    for (const [x, y] of points) {
      assert.ok(Math.abs(x - curves.xy[at]) < 1e-5 && Math.abs(y - curves.xy[at + 1]) < 1e-5, `contour ${i}`);
      at += 2;
    }
    segment = curves.ends[i];
  }
  assert.is(at, curves.xy.length);
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
  assert.match(toSVG(curves, { width: 1, height: 1 }), "\nm.5-.25l9.6 100.25-10.1-93z\n");
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
      '<g fill="none" stroke="#000" stroke-linecap="round" stroke-linejoin="round">',
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
    'Expected `options` to be an object with no other names than width, height, precision, got "decimals"',
  );
  const bad = { ...square, xy: Float32Array.of(1, 2, Number.NaN, 2, 4, 5, 1, 5, 1, 2) };
  assert.is(
    await message(bad, { width: 1, height: 1 }),
    "Expected `curves.xy[2]` to be a finite number, got NaN",
  );
});

test.run();
