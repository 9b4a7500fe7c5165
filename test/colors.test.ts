import {
  type ColorLayers,
  type ColorsOptions,
  type Curves,
  colorsToSVG,
  type Image,
  KerfworkError,
  traceColors,
} from "kerfwork";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { environment } from "../src/tasker/target.ts";
import {
  cellLabs,
  labelsOf,
  labOf,
  levelsOf,
  mergedOf,
  nearestTo,
  paintedOf,
  partsOf,
  smoothOf,
  squareOf,
  turnedImage,
  wavesOf,
} from "./flat.ts";
import { random } from "./oracle.ts";
import { areaOf, contoursOf, type Point, polylineOf } from "./outline.ts";
import { failure } from "./pictures.ts";

/** A pixel is a millimetre, and every pixel keeps its own colour. */
const EXACT = { dpi: 25.4, despecklePx: 0, smooth: false, mode: "pixels" } as const;
const FORMS = ["stacked", "cutout"] as const;
const PALETTE = ["#000000", "#ffffff", "#d03010", "#20a040", "#3050e0", "#e0d020"];

const hexes = ({ layers }: ColorLayers): string[] => layers.map(({ color }) => color);
const counts = ({ layers }: ColorLayers): Record<string, number> =>
  Object.fromEntries(layers.map(({ color, area }) => [color, Math.round(area * 1e6) / 1e6]));

/** A picture from rows of text: each letter is a colour of `PALETTE`, a dot is transparent. */
function imageFrom(...rows: string[]): Image {
  const [width, height] = [rows[0]!.length, rows.length];
  const data = new Uint8Array(4 * width * height);
  for (const [p, letter] of [...rows.join("")].entries())
    if (letter !== ".") data.set([...levelsOf(PALETTE["kwrgby".indexOf(letter)]!), 255], 4 * p);
  return { width, height, data };
}

/** Labels of a result by its colours, as the painted layers show them. */
function shownOf(result: ColorLayers, { width, height }: Image, palette: readonly string[]): number[] {
  return paintedOf(result, width, height).map((i) => (i < 0 ? -1 : palette.indexOf(result.layers[i]!.color)));
}

const signedArea = (curves: Curves): number =>
  contoursOf(curves).reduce((sum, contour) => sum + areaOf(polylineOf(contour, 16)), 0);

test("traceColors cuts out two halves of a picture along one line", () => {
  const image = imageFrom("rrrgg", "rrrgg", "rrrgg");
  const result = traceColors(image, { ...EXACT, layers: "cutout" });
  assert.equal(hexes(result), ["#d03010", "#20a040"]);
  assert.equal(
    result.layers.map(({ area }) => Math.round(area * 1e6) / 1e6),
    [9, 6],
  );
  const corners = result.layers.map(({ curves }) => [...curves.xy].join(" "));
  assert.equal(corners, ["0 0 3 0 3 3 0 3 0 0", "3 0 5 0 5 3 3 3 3 0"]);
  assert.equal(
    result.layers.map(({ curves }) => [...curves.depth]),
    [[0], [0]],
  );
});

test("traceColors stacks the smaller half on the whole", () => {
  const image = imageFrom("rrrgg", "rrrgg", "rrrgg");
  const result = traceColors(image, EXACT);
  assert.equal(counts(result), { "#d03010": 9, "#20a040": 6 });
  assert.equal(
    result.layers.map(({ curves }) => signedArea(curves)),
    [15, 6],
  );
});

test("traceColors stacks the parts that hold a colour, drawn back from where lower layers show", () => {
  const [width, height] = [66, 43];
  for (const seed of [81, 82, 83]) {
    const image = wavesOf(seed, width, height, seed === 83 ? 200 : 25, 4);
    const result = traceColors(image, { ...EXACT, colors: 7 });
    const ranks = paintedOf(result, width, height);
    assert.ok(ranks.includes(-1));
    for (const [rank, layer] of result.layers.entries()) {
      const parts = partsOf(
        ranks.map((other) => (other >= rank ? 1 : 0)),
        width,
      );
      const expected = new Uint8Array(width * height);
      for (const part of parts)
        if (part.some((p) => ranks[p] === rank))
          for (const p of part) {
            const [x, y] = [p % width, Math.floor(p / width)];
            const lower = ranks.some((other, q) => {
              const far = Math.max(Math.abs((q % width) - x), Math.abs(Math.floor(q / width) - y));
              return far <= 1 && other < rank;
            });
            if (ranks[p] === rank || !lower) expected[p] = 1;
          }
      const found = paintedOf({ layers: [layer] }, width, height).map((i) => i + 1);
      assert.equal(found, [...expected], `seed ${seed}, layer ${rank}`);
    }
  }
});

test("traceColors stacks a ramp step by step, from its larger end", () => {
  const levels = [10, 200, 60, 120, 240];
  for (const larger of [0, 4]) {
    const sorted = [...levels].sort((a, b) => a - b);
    const widths = sorted.map((_, i) => (i === larger ? 20 : 6));
    const row = sorted.flatMap((level, i) => new Array<number>(widths[i]!).fill(level));
    const image = { width: row.length, height: 3, data: Uint8Array.from([...row, ...row, ...row]) };
    const shown = hexes(traceColors(image, EXACT)).map((hex) => levelsOf(hex)[0]);
    assert.equal(shown, larger === 0 ? sorted : sorted.reverse());
  }
});

test("traceColors finds the very colours of a flat picture, and no more", () => {
  const next = random(5);
  const data = new Uint8Array(3 * 40 * 30);
  for (let p = 0; p < 40 * 30; p++) data.set(levelsOf(PALETTE[Math.floor(next() * 6)]!), 3 * p);
  for (const colors of [6, 16, 64]) {
    const result = traceColors({ width: 40, height: 30, data }, { ...EXACT, colors });
    assert.equal(hexes(result).sort(), [...PALETTE].sort(), `${colors} colours`);
  }
});

/** Mean squared distance of the pixels of a picture from the nearest of a palette. */
function errorOf(image: Image, palette: readonly (readonly [number, number, number])[]): number {
  const labs = cellLabs(image).filter((lab) => lab !== undefined);
  return labs.reduce((sum, lab) => sum + squareOf(lab, palette[nearestTo(lab, palette)]!), 0) / labs.length;
}

test("traceColors chooses colours as well as k-means from the best of several starts", () => {
  for (const seed of [1, 2, 3]) {
    const image = wavesOf(seed, 48, 40, 12);
    const labs = cellLabs(image).filter((lab) => lab !== undefined);
    const next = random(seed);
    for (const colors of [2, 5, 12]) {
      let best = Infinity;
      for (let start = 0; start < 4; start++) {
        let palette = Array.from({ length: colors }, () => labs[Math.floor(next() * labs.length)]!);
        for (let round = 0; round < 15; round++) {
          const sums = palette.map(() => [0, 0, 0, 0]);
          for (const lab of labs) {
            const sum = sums[nearestTo(lab, palette)]!;
            for (let i = 0; i < 3; i++) sum[i]! += lab[i]!;
            sum[3]!++;
          }
          palette = palette.map((old, c) => {
            const [l, a, b, n] = sums[c] as [number, number, number, number];
            return n === 0 ? old : [l / n, a / n, b / n];
          });
        }
        best = Math.min(best, errorOf(image, palette));
      }
      const found = hexes(traceColors(image, { ...EXACT, colors }));
      assert.ok(found.length <= colors);
      const error = errorOf(
        image,
        found.map((hex) => labOf(levelsOf(hex))),
      );
      assert.ok(error < 1.04 * best, `seed ${seed}, ${colors} colours: ${error} against ${best}`);
    }
  }
});

test("traceColors gives each pixel the nearest colour of a palette, and shows it", () => {
  for (const channels of [1, 3, 4]) {
    const image = wavesOf(channels, 67, 45, 60, channels);
    const expected = labelsOf(image, PALETTE);
    assert.ok(channels < 4 || expected.includes(-1));
    for (const layers of FORMS) {
      const result = traceColors(image, { ...EXACT, palette: PALETTE, layers });
      assert.equal(shownOf(result, image, PALETTE), expected, `${channels} channels, ${layers}`);
      for (const { color, area } of result.layers)
        assert.ok(Math.abs(area - expected.filter((label) => PALETTE[label] === color).length) < 1e-6);
    }
  }
});

test("traceColors smooths labels as the slow version does", () => {
  for (const channels of [1, 3, 4]) {
    const image = wavesOf(10 + channels, 70, 41, 90, channels);
    const expected = smoothOf(image, PALETTE, labelsOf(image, PALETTE));
    const rough = labelsOf(image, PALETTE);
    assert.ok(expected.some((label, p) => label !== rough[p]));
    const result = traceColors(image, { ...EXACT, palette: PALETTE, layers: "cutout", smooth: true });
    assert.equal(shownOf(result, image, PALETTE), expected, `${channels} channels`);
  }
});

test("traceColors merges small regions as the slow version does", () => {
  for (const [channels, despecklePx] of [
    [3, 2],
    [3, 5],
    [4, 9],
    [3, 40],
    [1, 12],
  ] as const) {
    const image = wavesOf(20 + despecklePx, 60, 44, 150, channels);
    const expected = mergedOf(labelsOf(image, PALETTE), 60, PALETTE, despecklePx);
    const result = traceColors(image, { ...EXACT, palette: PALETTE, layers: "cutout", despecklePx });
    assert.equal(shownOf(result, image, PALETTE), expected, `${channels} channels, ${despecklePx} px`);
  }
});

test("traceColors merges a speck into the colour that is near and around it", () => {
  const image = imageFrom("kkkkww", "kykkww", "kkkkww", "kkkyww");
  // the first speck has one neighbour; the second has one edge more with black, but white is much nearer
  const result = traceColors(image, { ...EXACT, despecklePx: 2 });
  assert.equal(counts(result), { "#000000": 15, "#ffffff": 9 });
});

test("traceColors in pixels cuts the picture into parts that add up exactly", () => {
  for (const seed of [31, 32]) {
    const image = wavesOf(seed, 90, 65, 40);
    for (const colors of [2, 9, 40]) {
      const { layers } = traceColors(image, { ...EXACT, colors, layers: "cutout" });
      assert.is(
        layers.reduce((sum, { curves }) => sum + signedArea(curves), 0),
        90 * 65,
      );
      for (const { area, curves } of layers) assert.ok(Math.abs(signedArea(curves) - area) < 1e-6);
    }
  }
});

/** Every segment of every layer as text, and the same segment walked the other way. */
function segmentsOf({ layers }: ColorLayers): { text: string; back: string; points: readonly Point[] }[] {
  return layers.flatMap(({ curves }) =>
    contoursOf(curves).flatMap(({ segments }) =>
      segments.map((points) => ({ text: points.join(" "), back: [...points].reverse().join(" "), points })),
    ),
  );
}

test("traceColors in a cutout lets neighbours share each segment, in every mode", () => {
  for (const mode of ["curves", "polygons", "pixels"] as const)
    for (const [i, despecklePx] of [0, 6, 25].entries()) {
      const image = wavesOf(40 + i, 80, 61, 30);
      const result = traceColors(image, { dpi: 25.4, colors: 9, layers: "cutout", mode, despecklePx });
      const segments = segmentsOf(result);
      const known = new Map<string, number>();
      for (const { text } of segments) known.set(text, (known.get(text) ?? 0) + 1);
      for (const { text, back, points } of segments) {
        const onFrame = [0, 1].some((axis) =>
          [0, axis === 0 ? 80 : 61].some((side) => points.every((point) => point[axis] === side)),
        );
        assert.is(known.get(back) ?? 0, onFrame ? 0 : known.get(text), `${mode}: ${text}`);
      }
      assert.ok(segments.length > 50);
      // areas enclosed by shared arcs add up, whatever shape the arcs took
      const total = result.layers.reduce((sum, { curves }) => sum + signedArea(curves), 0);
      assert.ok(Math.abs(total - 80 * 61) < 0.01, `${mode}: ${total}`);
    }
});

test("traceColors stays near the pixels in a cutout, and keeps arcs' ends", () => {
  const image = wavesOf(51, 80, 61, 20);
  const exact = traceColors(image, { dpi: 25.4, colors: 7, layers: "cutout", mode: "pixels" });
  for (const mode of ["curves", "polygons"] as const) {
    const result = traceColors(image, { dpi: 25.4, colors: 7, layers: "cutout", mode });
    assert.equal(hexes(result), hexes(exact));
    for (const [i, { curves, area }] of result.layers.entries()) {
      assert.equal(curves.depth, exact.layers[i]!.curves.depth);
      assert.ok(
        Math.abs(signedArea(curves) - area) < 0.06 * area + 4,
        `${mode}: ${signedArea(curves)}, ${area}`,
      );
    }
    const [shown, expected] = [paintedOf(result, 80, 61), paintedOf(exact, 80, 61)];
    const wrong = shown.filter((label, p) => label !== expected[p]).length;
    assert.ok(wrong < 0.05 * shown.length, `${mode}: ${wrong} pixels`);
  }
});

test("traceColors leaves no place of a cutout without a layer, and hardly any with more than one", () => {
  for (const mode of ["curves", "polygons"] as const)
    for (const seed of [91, 92]) {
      const image = wavesOf(seed, 120, 80, 60);
      const result = traceColors(image, {
        dpi: 25.4 / 3,
        colors: 12,
        layers: "cutout",
        mode,
        despecklePx: 4,
      });
      const cover = new Uint8Array(360 * 240);
      for (const layer of result.layers)
        for (const [p, i] of paintedOf({ layers: [layer] }, 360, 240).entries()) cover[p]! += i + 1;
      assert.ok(!cover.includes(0), `${mode}, seed ${seed}`);
      const more = cover.filter((n) => n > 1).length;
      assert.ok(more < 0.001 * cover.length, `${mode}, seed ${seed}: ${more}`);
    }
});

test("traceColors tells the nesting of rings", () => {
  const rings = imageFrom("rrrrrrr", "rgggggr", "rgrrrgr", "rgrgrgr", "rgrrrgr", "rgggggr", "rrrrrrr");
  const { layers } = traceColors(rings, { ...EXACT, layers: "cutout" });
  assert.equal(
    layers.map(({ curves }) => [...curves.depth]),
    [
      [0, 1, 2, 3],
      [0, 1, 2],
    ],
  );
});

test("traceColors shows the same of a turned picture", () => {
  const image = wavesOf(61, 75, 52, 50);
  for (const layers of FORMS) {
    // equally small regions are merged in raster order, so that only pictures without specks turn exactly
    const options: ColorsOptions = { ...EXACT, palette: PALETTE, layers, smooth: true };
    for (const how of ["mirror", "rotate"] as const) {
      const turned = turnedImage(image, how);
      const labels = shownOf(traceColors(image, options), image, PALETTE);
      const picture = { ...image, data: Uint8Array.from(labels) };
      const expected = [...turnedImage(picture, how).data];
      assert.equal(shownOf(traceColors(turned, options), turned, PALETTE), expected, `${layers}, ${how}`);
      const curved = { ...options, mode: "curves" } as const;
      const [ours, theirs] = [traceColors(image, curved), traceColors(turned, curved)];
      assert.equal(counts(ours), counts(theirs));
    }
  }
});

test("traceColors gives one layer for one colour, in lines and columns too", () => {
  for (const [width, height] of [
    [1, 1],
    [1, 7],
    [65, 1],
    [64, 3],
  ] as const)
    for (const layers of FORMS)
      for (const mode of ["curves", "polygons", "pixels"] as const) {
        const data = new Uint8Array(3 * width * height).fill(77);
        const result = traceColors({ width, height, data }, { dpi: 25.4, layers, mode });
        assert.equal(hexes(result), ["#4d4d4d"]);
        assert.is(signedArea(result.layers[0]!.curves), width * height);
        assert.is(result.layers[0]!.curves.kinds.length, 4, `${width} x ${height}, ${layers}, ${mode}`);
      }
});

test("traceColors gives stripes one pixel wide in a line", () => {
  const image = imageFrom("rgrgbbw");
  for (const layers of FORMS) {
    const result = traceColors(image, { ...EXACT, layers });
    assert.equal(shownOf(result, image, PALETTE), [2, 3, 2, 3, 4, 4, 1]);
  }
});

test("traceColors cuts out a checkerboard square by square", () => {
  const image = imageFrom("kwkw", "wkwk", "kwkw");
  const { layers } = traceColors(image, { ...EXACT, layers: "cutout" });
  assert.equal(
    layers.map(({ curves }) => curves.ends.length),
    [6, 6],
  );
  for (const { curves } of layers) assert.ok(contoursOf(curves).every((c) => areaOf(polylineOf(c)) === 1));
  assert.equal(shownOf({ layers }, image, PALETTE), [0, 1, 0, 1, 1, 0, 1, 0, 0, 1, 0, 1]);
});

test("traceColors gives gray pictures gray layers, in single levels", () => {
  const image = { width: 64, height: 4, data: Uint8Array.from({ length: 256 }, (_, p) => 100 + (p % 64)) };
  const result = traceColors(image, { ...EXACT, colors: 64 });
  assert.is(result.layers.length, 64);
  assert.ok(hexes(result).every((hex) => new Set(levelsOf(hex)).size === 1));
  const shown = paintedOf(result, 64, 4).map((i) => levelsOf(hexes(result)[i]!)[0]);
  assert.equal(shown, [...image.data]);
});

test("traceColors leaves transparent pixels out, and drops specks that only they surround", () => {
  const image = imageFrom("......", ".rr..g", ".r.r..", "..rr..", "wwwwww");
  for (const layers of FORMS) {
    const all = traceColors(image, { ...EXACT, layers });
    const shown = [-1, -1, -1, -1, -1, -1, -1, 2, 2, -1, -1, 3, -1, 2, -1, 2, -1, -1, -1, -1, 2, 2, -1, -1];
    assert.equal(shownOf(all, image, PALETTE), [...shown, 1, 1, 1, 1, 1, 1]);
    const some = traceColors(image, { ...EXACT, layers, despecklePx: 2 });
    assert.equal(counts(some), { "#ffffff": 6, "#d03010": 6 });
  }
  const half = { width: 2, height: 1, data: Uint8Array.of(1, 2, 3, 127, 4, 5, 6, 128) };
  assert.equal(counts(traceColors(half, EXACT)), { "#040506": 1 });
});

test("traceColors gives no layer for a picture of nothing", () => {
  const clear = { width: 70, height: 9, data: new Uint8Array(4 * 70 * 9) };
  for (const layers of FORMS) assert.equal(traceColors(clear, { layers }), { layers: [] });
});

test("traceColors measures in mm", () => {
  const image = imageFrom("rrrgg", "rrrgg");
  for (const layers of FORMS) {
    const { layers: found } = traceColors(image, { ...EXACT, layers, dpi: 254 });
    assert.ok(Math.abs(found.at(-1)!.area - 0.04) < 1e-9);
    assert.ok(Math.abs(Math.max(...found.at(-1)!.curves.xy) - 0.5) < 1e-6);
  }
});

test("traceColors checks its arguments", async () => {
  const image = imageFrom("rg");
  const cases: [unknown, string][] = [
    [{ colors: 1 }, "Expected `colors` to be an integer >= 2 and <= 64, got 1"],
    [{ colors: 65 }, "Expected `colors` to be an integer >= 2 and <= 64, got 65"],
    [{ palette: ["#000000"] }, "Expected `palette` to be an array of 2 to 64 colours, got an array of 1"],
    [{ palette: "#000000" }, 'Expected `palette` to be an array of 2 to 64 colours, got "#000000"'],
    [{ palette: ["#000000", "red"] }, 'Expected `palette[1]` to be a colour as "#rrggbb", got "red"'],
    [{ palette: PALETTE, colors: 3 }, "Expected `colors` to be left out beside `palette`, got 3"],
    [{ layers: "flat" }, 'Expected `layers` to be one of "stacked", "cutout", got "flat"'],
    [{ mode: "lines" }, 'Expected `mode` to be one of "pixels", "polygons", "curves", got "lines"'],
    [{ tolerance: -1 }, "Expected `tolerance` to be a finite number >= 0, got -1"],
    [{ dpi: 0 }, "Expected `dpi` to be a finite number > 0, got 0"],
    [{ despecklePx: Number.NaN }, "Expected `despecklePx` to be a finite number >= 0, got NaN"],
    [{ smooth: 1 }, "Expected `smooth` to be true or false, got 1"],
    [
      { color: 3 },
      'Expected `options` to be an object with no other names than colors, palette, layers, mode, tolerance, dpi, despecklePx, smooth, got "color"',
    ],
    [null, "Expected `options` to be an object, got null"],
  ];
  for (const [options, message] of cases) {
    const error = await failure(() => traceColors(image, options as never));
    assert.is(error.code, "INVALID_ARGUMENT");
    assert.is(error.message, message);
  }
  assert.is(
    (await failure(() => traceColors({ ...image, width: 0 }))).message,
    "Expected `image.width` to be an integer >= 1, got 0",
  );
});

test("traceColors leaves with CANCELED from any of its stages, and reports them in order", () => {
  const image = wavesOf(71, 80, 60, 60);
  const around = environment();
  const before = around.reporter;
  try {
    for (const layers of FORMS) {
      const bases: number[] = [];
      around.reporter = {
        beginStage: (base, share) => bases.push(base, base + share),
        isCancelled: () => false,
      };
      traceColors(image, { layers });
      assert.ok(
        bases.every((value, i) => i === 0 || value >= bases[i - 1]! - 1e-9) && bases.at(-1)! <= 1 + 1e-9,
      );
      assert.ok(bases.at(-1)! > 0.9, `${layers} ends at ${bases.at(-1)}`);
      const stages = bases.length / 2;
      for (const last of [1, 5, Math.floor(stages / 2), stages]) {
        let seen = 0;
        around.reporter = { beginStage: () => seen++, isCancelled: () => seen === last };
        try {
          traceColors(image, { layers });
          assert.unreachable();
        } catch (error) {
          assert.instance(error, KerfworkError);
          assert.is((error as KerfworkError).code, "CANCELED");
        }
      }
    }
  } finally {
    around.reporter = before;
  }
});

test("colorsToSVG writes a group for each layer, in painting order", async () => {
  const picture = traceColors(imageFrom("rrrgg", "rrrgg", "rrrgg"), { ...EXACT, layers: "cutout" });
  assert.is(
    colorsToSVG(picture, { width: 5, height: 3 }),
    [
      '<svg xmlns="http://www.w3.org/2000/svg" width="5mm" height="3mm" viewBox="0 0 5 3">',
      '<g fill="#d03010">',
      '<path fill-rule="evenodd" d="',
      "m0 0h3v3h-3z",
      '"/>',
      "</g>",
      '<g fill="#20a040">',
      '<path fill-rule="evenodd" d="',
      "m3 0h2v3h-2z",
      '"/>',
      "</g>",
      "</svg>",
      "",
    ].join("\n"),
  );
  const [layer] = picture.layers;
  assert.is(
    (
      await failure(() =>
        colorsToSVG({ layers: [{ ...layer!, color: 'red" x="' }] }, { width: 5, height: 3 }),
      )
    ).message,
    'Expected `layers[0].color` to be a colour as "#rrggbb", got "red\\" x=\\""',
  );
  assert.is(
    (await failure(() => colorsToSVG({ layers: [] }, { width: 0, height: 3 }))).message,
    "Expected `width` to be a finite number > 0 and <= 1000000, got 0",
  );
});

test.run();
