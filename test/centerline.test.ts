import { readFileSync } from "node:fs";
import {
  type CenterlineOptions,
  type Centerlines,
  type Image,
  KerfworkError,
  traceCenterline,
} from "kerfwork";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { thinned, traceStrokes } from "../src/engine/centerline.ts";
import { toBitmap } from "../src/engine/image.ts";
import { Engine, type Pointer, Stages, withEngine } from "../src/engine/memory.ts";
import { environment } from "../src/tasker/target.ts";
import { type Bits, bitsFrom, bitsOf } from "./oracle.ts";
import {
  alongOf,
  blobs,
  contoursOf,
  distanceTo,
  imageOf,
  noise,
  type Point,
  polylineOf,
  turned,
} from "./outline.ts";

/** One pixel is one millimetre. */
const PX = { dpi: 25.4 } as const;

interface Line {
  readonly points: Point[];
  readonly closed: boolean;
  readonly width: number;
  readonly segments: number;
}

const traceBits = (bits: Bits, options: CenterlineOptions = {}): Line[] => read(imageOf(bits), options);

function read(image: Image, options: CenterlineOptions = {}): Line[] {
  const lines = traceCenterline(image, { ...PX, ...options });
  return check(lines);
}

function check(lines: Centerlines): Line[] {
  const n = lines.ends.length;
  assert.is(lines.kinds.length, lines.ends.at(-1) ?? 0);
  assert.is(lines.depth.length, n);
  assert.is(lines.width.length, n);
  assert.is(lines.closed.length, n);
  assert.ok(lines.xy.every(Number.isFinite), "a coordinate is not finite");
  assert.ok(
    lines.width.every((width) => width > 0 && Number.isFinite(width)),
    "a width is not positive",
  );
  const contours = contoursOf(lines);
  const used = contours.reduce(
    (sum, { segments }) => sum + 1 + segments.reduce((s, q) => s + q.length - 1, 0),
    0,
  );
  assert.is(lines.xy.length, 2 * used);
  return contours.map((contour, i) => {
    const points = polylineOf(contour);
    const closed = lines.closed[i] === 1;
    if (closed) assert.equal(points[0], points.at(-1), "a ring ends where it began");
    return { points, closed, width: lines.width[i]!, segments: contour.segments.length };
  });
}

// --- the renderer: strokes of known axes and widths, 8 x 8 samples a pixel, cut at half ---

interface Pen {
  readonly axis: readonly Point[];
  readonly width: number;
}

function render(side: number, pens: readonly Pen[]): Bits {
  return bitsFrom(side, side, (x, y) =>
    pens.some(({ axis, width }) => {
      const far = distanceTo(axis, [x + 0.5, y + 0.5]);
      if (Math.abs(far - width / 2) > 0.8) return far < width / 2;
      let inside = 0;
      for (let j = 0; j < 64; j++)
        if (distanceTo(axis, [x + ((j & 7) + 0.5) / 8, y + ((j >> 3) + 0.5) / 8]) < width / 2) inside++;
      return inside >= 32;
    }),
  );
}

const SIDE = 110;
const MIDDLE = SIDE / 2;
const ray = (
  angleDeg: number,
  from: number,
  to: number,
  [x, y]: Point = [MIDDLE + 0.2, MIDDLE + 0.2],
): Point[] => {
  const [cos, sin] = [Math.cos((angleDeg * Math.PI) / 180), Math.sin((angleDeg * Math.PI) / 180)];
  return [
    [x + from * cos, y + from * sin],
    [x + to * cos, y + to * sin],
  ];
};
const arc = (
  r: number,
  fromDeg: number,
  toDeg: number,
  [x, y]: Point = [MIDDLE + 0.2, MIDDLE + 0.2],
): Point[] =>
  Array.from({ length: 91 }, (_, i) => {
    const angle = ((fromDeg + ((toDeg - fromDeg) * i) / 90) * Math.PI) / 180;
    return [x + r * Math.cos(angle), y + r * Math.sin(angle)];
  });

const gap = ([ax, ay]: Point, [bx, by]: Point): number => Math.hypot(ax - bx, ay - by);

/** Mean distances both ways, away from the ends of the axes; and the largest from the lines to the axes. */
function deviation(
  lines: readonly Line[],
  pens: readonly Pen[],
): { there: number; back: number; most: number } {
  const ends = pens
    .filter(({ axis }) => gap(axis[0]!, axis.at(-1)!) > 0.1)
    .flatMap(({ axis, width }) => [axis[0]!, axis.at(-1)!].map((at) => ({ at, width })));
  const awake = (point: Point): boolean => ends.every(({ at, width }) => gap(at, point) > width / 2 + 1);
  const mean = (values: number[]): number =>
    values.reduce((sum, v) => sum + v, 0) / Math.max(1, values.length);
  const nearest = (lists: (readonly Point[])[], point: Point): number =>
    Math.min(...lists.map((list) => distanceTo(list, point)));
  const axes = pens.map(({ axis }) => axis);
  const found = lines.map(({ points }) => points);
  const there = axes
    .flatMap((axis) => alongOf(axis, 0.5).filter(awake))
    .map((point) => nearest(found, point));
  const back = found
    .flatMap((points) => alongOf(points, 0.5).filter(awake))
    .map((point) => nearest(axes, point));
  const all = found.flatMap((points) => alongOf(points, 0.5)).map((point) => nearest(axes, point));
  return { there: mean(there), back: mean(back), most: Math.max(0, ...all) };
}

const WIDTHS = [2, 3, 4.5, 6, 9, 13, 20];
const ANGLES = [0, 7, 23, 45, 61, 90, 118, 160];

test("traceCenterline gives a bar its middle line", () => {
  const [line, ...others] = traceBits(bitsFrom(30, 12, (x, y) => x >= 3 && x < 27 && y >= 4 && y < 8));
  assert.is(others.length, 0);
  assert.is(line!.segments, 1);
  assert.is(line!.closed, false);
  assert.is(line!.width, 4);
  const [[ax, ay], [bx, by]] = [line!.points[0]!, line!.points.at(-1)!];
  assert.ok(Math.abs(ay - 6) < 1e-3 && Math.abs(by - 6) < 1e-3, `at ${ay}, ${by}`);
  assert.ok(
    Math.abs(Math.min(ax, bx) - 5) < 0.3 && Math.abs(Math.max(ax, bx) - 25) < 0.3,
    `from ${ax} to ${bx}`,
  );
});

test("traceCenterline finds the axis of lines at any angle and width, and where they end", () => {
  for (const width of WIDTHS)
    for (const angle of ANGLES) {
      const pens = [{ axis: ray(angle, -34, 36), width }];
      const name = `width ${width} at ${angle} degrees`;
      const lines = traceBits(render(SIDE, pens));
      assert.is(lines.length, 1, `${name}: ${lines.length} lines`);
      const { there, back } = deviation(lines, pens);
      assert.ok(there <= 0.35 && back <= 0.35, `${name}: ${there.toFixed(2)} there, ${back.toFixed(2)} back`);
      assert.ok(Math.abs(lines[0]!.width - width) <= 0.6, `${name}: found width ${lines[0]!.width}`);
      for (const end of pens[0]!.axis)
        assert.ok(
          Math.min(gap(lines[0]!.points[0]!, end), gap(lines[0]!.points.at(-1)!, end)) <=
            Math.max(1, width / 2),
          `${name}: an end is off`,
        );
    }
});

test("traceCenterline closes rings, and follows arcs", () => {
  for (const width of WIDTHS)
    for (const [r, from, to] of [
      [14, 0, 360],
      [30, 0, 360],
      [41, 0, 360],
      [24, 20, 250],
      [40, -70, 100],
    ] as const) {
      const pens = [{ axis: arc(r, from, to), width }];
      const name = `width ${width}, radius ${r}, ${from} to ${to}`;
      const lines = traceBits(render(SIDE, pens));
      assert.is(lines.length, 1, `${name}: ${lines.length} lines`);
      assert.is(lines[0]!.closed, to - from === 360, name);
      const { there, back } = deviation(lines, pens);
      assert.ok(there <= 0.35 && back <= 0.35, `${name}: ${there.toFixed(2)} there, ${back.toFixed(2)} back`);
    }
});

test("traceCenterline goes straight through crossings", () => {
  for (const width of WIDTHS)
    for (const turn of [0, 17, 40])
      for (const angle of [90, 65, 45]) {
        const pens = [0, angle].map((between) => ({ axis: ray(turn + between, -42, 43), width }));
        const name = `width ${width}, ${angle} degrees, turned by ${turn}`;
        const lines = traceBits(render(SIDE, pens));
        assert.is(lines.length, 2, `${name}: ${lines.length} lines`);
        const { there, back, most } = deviation(lines, pens);
        assert.ok(
          there <= 0.35 && back <= 0.35,
          `${name}: ${there.toFixed(2)} there, ${back.toFixed(2)} back`,
        );
        assert.ok(most <= Math.max(1.5, width / 2), `${name}: ${most.toFixed(2)} px off`);
      }
});

test("traceCenterline gives a T two strokes and a Y three, that meet", () => {
  for (const width of WIDTHS)
    for (const turn of [0, 11, 30, 45]) {
      const [x, y] = [MIDDLE + 0.2, MIDDLE + 0.2];
      for (const [letter, pens, count] of [
        ["T", [ray(turn, -40, 40), ray(turn + 90, 0, 42)], 2],
        ["Y", [ray(turn, 0, 40), ray(turn + 120, 0, 40), ray(turn + 240, 0, 40)], 3],
      ] as const) {
        const strokes = pens.map((axis) => ({ axis, width }));
        const name = `${letter} of width ${width}, turned by ${turn}`;
        const lines = traceBits(render(SIDE, strokes));
        assert.is(lines.length, count, `${name}: ${lines.length} lines`);
        const { there, back } = deviation(lines, strokes);
        assert.ok(
          there <= 0.35 && back <= 0.35,
          `${name}: ${there.toFixed(2)} there, ${back.toFixed(2)} back`,
        );
        const at = Math.max(...lines.map(({ points }) => distanceTo(points, [x, y])));
        assert.ok(at <= Math.max(1, width / 4), `${name}: a line ends ${at.toFixed(2)} px before the others`);
      }
    }
});

test("traceCenterline draws a letter without spurs or breaks", () => {
  for (const width of [2, 3, 4.5, 6, 9, 13]) {
    // an R: stem, bowl and leg; the corners of the stem are the bowl's ends
    const stem: Point[] = [
      [30.2, 90.4],
      [30.2, 18.3],
    ];
    const bowl: Point[] = [[30.2, 18.3], [52, 18.3], ...arc(17, -90, 90, [52, 35.3]), [30.2, 52.3]];
    const leg: Point[] = [
      [52, 52.3],
      [77.6, 90.4],
    ];
    const pens = [stem, bowl, leg].map((axis) => ({ axis, width }));
    const lines = traceBits(render(SIDE, pens));
    const { there, back, most } = deviation(lines, pens);
    const name = `R of width ${width}`;
    assert.ok(there <= 0.35 && back <= 0.35, `${name}: ${there.toFixed(2)} there, ${back.toFixed(2)} back`);
    assert.ok(most <= width / 2 + 0.5, `${name}: ${most.toFixed(2)} px off`);
    assert.ok(lines.length <= 3, `${name}: ${lines.length} lines`);
  }
});

test("traceCenterline takes spurs away, or keeps them", () => {
  const comb = bitsFrom(
    80,
    30,
    (x, y) => (y >= 12 && y < 18 && x > 2 && x < 77) || (x % 20 === 10 && y >= 10 && y < 15),
  );
  assert.is(traceBits(comb).length, 1);
  const kept = traceBits(comb, { spurs: 0 }).length;
  assert.ok(kept > 1, `${kept} lines with spurs`);
});

test("traceCenterline ends at each crossing when it is not to join", () => {
  const bits = render(SIDE, [
    { axis: ray(10, -40, 40), width: 5 },
    { axis: ray(95, -40, 40), width: 5 },
  ]);
  assert.is(traceBits(bits).length, 2);
  assert.is(traceBits(bits, { join: false }).length, 4);
});

test("traceCenterline drops dust, and keeps dots as lines of no length", () => {
  const bits = bitsOf(
    "............",
    ".#....####..",
    "......####..",
    "......####..",
    "..##..####..",
    "............",
  );
  const [dot, ...others] = traceBits(bits, { minLengthPx: 3 });
  assert.is(others.length, 0);
  assert.is(dot!.segments, 1);
  assert.is(dot!.closed, false);
  assert.ok(gap(dot!.points[0]!, dot!.points.at(-1)!) < 1, "a square is no line");
  assert.ok(gap(dot!.points[0]!, [8, 3]) < 0.8, `a dot at ${dot!.points[0]}`);
  assert.is(traceBits(bits, { minLengthPx: 0 }).length, 3);
});

// --- thinning and distances against slow, obvious versions ---

/** Guo and Hall 1989, pixel by pixel, after pinholes were closed; then one pixel after another. */
function thinOf({ width, height, black }: Bits): Uint8Array {
  const at = (map: Uint8Array, x: number, y: number): number =>
    x < 0 || y < 0 || x >= width || y >= height ? 0 : map[y * width + x]!;
  let map = black.map((b, i) => {
    const [x, y] = [i % width, Math.floor(i / width)];
    const sides = at(black, x, y - 1) + at(black, x + 1, y) + at(black, x, y + 1) + at(black, x - 1, y);
    const corners =
      at(black, x - 1, y - 1) + at(black, x + 1, y - 1) + at(black, x + 1, y + 1) + at(black, x - 1, y + 1);
    return b || (sides === 4 && corners >= 3) ? 1 : 0;
  });
  const loose = (x: number, y: number, side: number): boolean => {
    const p = [
      [0, -1],
      [1, -1],
      [1, 0],
      [1, 1],
      [0, 1],
      [-1, 1],
      [-1, 0],
      [-1, -1],
    ].map(([dx, dy]) => at(map, x + dx!, y + dy!));
    const [p2, p3, p4, p5, p6, p7, p8, p9] = p as [
      number,
      number,
      number,
      number,
      number,
      number,
      number,
      number,
    ];
    const parts =
      Number(!p2 && (p3 || p4)) +
      Number(!p4 && (p5 || p6)) +
      Number(!p6 && (p7 || p8)) +
      Number(!p8 && (p9 || p2));
    const n = Math.min(
      (p9 | p2) + (p3 | p4) + (p5 | p6) + (p7 | p8),
      (p2 | p3) + (p4 | p5) + (p6 | p7) + (p8 | p9),
    );
    const kept = side === 0 ? (p6 || p7 || !p9) && p8 : side === 1 ? (p2 || p3 || !p5) && p4 : false;
    return parts === 1 && (n === 2 || n === 3) && !kept;
  };
  for (let changed = true; changed; ) {
    changed = false;
    for (const side of [0, 1]) {
      const next = map.map((b, i) => (b && !loose(i % width, Math.floor(i / width), side) ? 1 : 0));
      changed ||= next.some((b, i) => b !== map[i]);
      map = next;
    }
  }
  for (let i = 0; i < map.length; i++) if (map[i] && loose(i % width, Math.floor(i / width), 2)) map[i] = 0;
  return map;
}

interface Listed {
  readonly skeleton: Uint8Array;
  readonly pixels: { x: number; y: number; distance: number }[];
  readonly ink: Uint8Array;
}

/** Runs the first kernels on a picture, between guard bytes. */
function listOf(bits: Bits): Listed {
  return withEngine((engine) => {
    const { kernels } = engine;
    const stages = new Stages();
    const { bitmap } = toBitmap(engine, imageOf(bits), { threshold: 128, invert: false }, stages, 0.1);
    const { words, height, width } = bitmap;
    const guards: Pointer[] = [];
    const { alloc } = engine;
    engine.alloc = (bytes) => {
      const at = alloc.call(engine, bytes + 32);
      engine.u8((at + bytes) as Pointer, 32).fill(0xa5);
      guards.push((at + bytes) as Pointer);
      return at;
    };
    try {
      const ink = engine.alloc(8 * words * height);
      const black = kernels.closePinholes(bitmap.at, words, height, ink);
      const skel = thinned(engine, { ...bitmap, at: ink }, black, stages);
      const rank = engine.alloc(4 * ((words + 1) * (height + 2) + 1));
      kernels.rankSkeleton(skel.at, words, height, rank);
      const graph = engine.alloc(128);
      const pixels = engine.alloc(16 * skel.pixels);
      kernels.layGraph(graph, ink, words, height, skel.at, rank, skel.pixels, pixels);
      assert.is(kernels.listSkeleton(graph), 0);
      // scratch that was given back is written over by what came after it; the last guards stand
      for (const guard of guards.slice(-3))
        assert.ok(
          engine.u8(guard, 32).every((byte) => byte === 0xa5),
          "written behind a buffer",
        );
      const bitsAt = (at: Pointer, stride: number, first: number): Uint8Array =>
        Uint8Array.from({ length: width * height }, (_, i) => {
          const [x, y] = [i % width, Math.floor(i / width)];
          const byte = engine.u8(at, 8 * (first + (height + 1) * stride))[
            8 * (first + y * stride) + (x >> 3)
          ]!;
          return (byte >> (x & 7)) & 1;
        });
      return {
        skeleton: bitsAt(skel.at, words + 1, words + 2),
        ink: bitsAt(ink, words, 0),
        pixels: Array.from({ length: skel.pixels }, (_, i) => {
          const [x, y] = engine.i32((pixels + 16 * i) as Pointer, 2) as unknown as [number, number];
          return { x, y, distance: engine.f32((pixels + 16 * i + 8) as Pointer, 1)[0]! };
        }),
      };
    } finally {
      engine.alloc = alloc;
    }
  });
}

const SCENES: Bits[] = [
  blobs(1, 63, 50, 30),
  blobs(2, 64, 41, 12),
  blobs(3, 131, 40, 60),
  noise(4, 65, 40, 0.6),
  noise(5, 130, 33, 0.9),
  bitsFrom(66, 40, () => true),
  bitsFrom(40, 40, (x, y) => (x + y) % 2 === 0),
];

test("thin leaves what thinning pixel by pixel leaves", () => {
  for (const [i, bits] of SCENES.entries()) assert.equal(listOf(bits).skeleton, thinOf(bits), `scene ${i}`);
});

test("listSkeleton lists each pixel once, with its exact distance to white", () => {
  for (const [i, bits] of SCENES.entries()) {
    const { skeleton, pixels, ink } = listOf(bits);
    const { width, height } = bits;
    const listed = new Uint8Array(width * height);
    for (const { x, y } of pixels) listed[y * width + x]!++;
    assert.equal(listed, skeleton, `scene ${i}`);
    for (const { x, y, distance } of pixels) {
      let best = Math.min(x + 1, y + 1, width - x, height - y) ** 2;
      for (let v = 0; v < height; v++)
        for (let u = 0; u < width; u++)
          if (ink[v * width + u] === 0) best = Math.min(best, (u - x) ** 2 + (v - y) ** 2);
      assert.ok(Math.abs(distance - Math.sqrt(best)) < 1e-5, `scene ${i}: ${distance} at ${x}, ${y}`);
    }
  }
});

test("traceCenterline's kernels give the same in the debug build, where every step is checked", () => {
  const options = { mmPerPx: 1, tolerancePx: 0.5, minLengthPx: 0, spurs: 1, join: true };
  const [ours, theirs] = ["dist/kernels.wasm", "build/kernels-debug.wasm"].map((path) => {
    const memory = new WebAssembly.Memory({ initial: 2, maximum: 16384, shared: true });
    return new Engine(memory, new WebAssembly.Module(readFileSync(path)));
  });
  for (const [i, bits] of SCENES.entries()) {
    const [one, other] = [ours!, theirs!].map((engine) =>
      engine.run(() => {
        const stages = new Stages();
        const { bitmap } = toBitmap(engine, imageOf(bits), { threshold: 128, invert: false }, stages, 0.1);
        return traceStrokes(engine, bitmap, options, stages);
      }),
    );
    assert.equal(one, other, `scene ${i}`);
  }
});

// --- invariances ---

test("traceCenterline finds the same lines in turned and mirrored pictures", () => {
  const scenes = [
    render(SIDE, [{ axis: ray(23, -40, 41), width: 7 }]),
    render(SIDE, [{ axis: arc(31, 0, 360), width: 5 }]),
    render(SIDE, [
      { axis: ray(12, -40, 40), width: 6 },
      { axis: ray(85, -40, 40), width: 6 },
    ]),
    render(SIDE, [
      { axis: ray(5, -40, 40), width: 4 },
      { axis: arc(24, 30, 260), width: 4 },
    ]),
  ];
  for (const [i, bits] of scenes.entries()) {
    const plain = traceBits(bits);
    for (const how of ["mirror", "rotate", "transpose"] as const) {
      const other = traceBits(turned(bits, how));
      assert.is(other.length, plain.length, `scene ${i}, ${how}`);
      const back = other.map(({ points }) =>
        points.map(
          ([x, y]): Point =>
            how === "mirror" ? [bits.width - x, y] : how === "rotate" ? [y, bits.height - x] : [y, x],
        ),
      );
      const off = plain
        .flatMap(({ points }) => alongOf(points, 1))
        .map((point) => Math.min(...back.map((points) => distanceTo(points, point))));
      const mean = off.reduce((sum, v) => sum + v, 0) / off.length;
      assert.ok(mean <= 0.3, `scene ${i}, ${how}: ${mean.toFixed(2)} px apart`);
    }
  }
});

test("traceCenterline traces white on black when it is told to", () => {
  const bits = render(SIDE, [{ axis: ray(23, -40, 41), width: 7 }]);
  const { width, height, data } = imageOf(bits);
  const negative = { width, height, data: data.map((v) => 255 - v) };
  const options = { threshold: 128, dpi: 25.4 } as const;
  assert.equal(
    traceCenterline(negative, { ...options, invert: true }),
    traceCenterline(imageOf(bits), options),
  );
});

test("traceCenterline measures in millimetres of the given dpi", () => {
  const image = imageOf(bitsFrom(30, 12, (x, y) => x >= 3 && x < 27 && y >= 4 && y < 8));
  const [px, mm] = [traceCenterline(image, PX), traceCenterline(image)];
  assert.ok(mm.xy.every((v, i) => Math.abs(v - px.xy[i]! / 10) < 1e-5));
  assert.ok(Math.abs(mm.width[0]! - 0.4) < 1e-6);
});

test("traceCenterline takes the smallest and the fullest pictures", () => {
  const keep = { minLengthPx: 0, threshold: 128 } as const;
  assert.is(traceBits(bitsOf("."), keep).length, 0);
  assert.equal(
    traceBits(bitsOf("#"), keep).map(({ points, width }) => [points[0], width]),
    [[[0.5, 0.5], 1]],
  );
  for (const bits of [
    bitsFrom(70, 1, () => true),
    bitsFrom(1, 70, () => true),
    bitsFrom(3, 64, () => true),
    bitsFrom(65, 64, () => true),
    bitsOf("##", "##"),
    bitsOf("#.", ".#"),
    bitsOf("###", "#.#", "###"),
    bitsFrom(40, 40, (x, y) => x === 0 || y === 0 || x === 39 || y === 39),
    bitsFrom(33, 31, (x, y) => (x + y) % 2 === 0),
    bitsFrom(33, 31, (x, y) => x % 2 === 0 && y % 2 === 0),
    bitsFrom(64, 64, (x, y) => x % 4 === 0 || y % 4 === 0),
    bitsFrom(60, 20, (x, y) => y === 0 || x % 2 === 0),
    noise(9, 128, 90, 0.3),
    noise(10, 128, 90, 0.7),
    blobs(11, 150, 90, 9),
  ])
    for (const options of [
      keep,
      { ...keep, spurs: 0 },
      { ...keep, join: false },
      { ...keep, tolerance: 0 },
    ]) {
      const lines = traceBits(bits, options);
      assert.ok(lines.length > 0);
      for (const { points } of lines)
        for (const [x, y] of points)
          assert.ok(x > -2 && y > -2 && x < bits.width + 2 && y < bits.height + 2, `a point at ${x}, ${y}`);
    }
  const [frame, ...more] = traceBits(bitsFrom(40, 40, (x, y) => x === 0 || y === 0 || x === 39 || y === 39));
  assert.is(more.length, 0);
  assert.is(frame!.closed, true);
});

// --- progress, cancel, errors ---

test("traceCenterline reports progress that only grows, from nothing to the whole, and leaves with CANCELED", () => {
  const around = environment();
  const { reporter } = around;
  const image = imageOf(blobs(1, 300, 200, 20));
  const seen: number[] = [];
  let last = Number.POSITIVE_INFINITY;
  around.reporter = {
    beginStage: (base, span) => seen.push(base, base + span),
    isCancelled: () => seen.length >= last,
  };
  try {
    traceCenterline(image, { threshold: 128 });
    assert.is(seen[0], 0);
    for (let i = 1; i < seen.length; i++) assert.ok(seen[i]! >= seen[i - 1]! - 1e-12);
    assert.ok(Math.abs(seen.at(-1)! - 1) < 1e-9, `ends at ${seen.at(-1)}`);
    for (last = 2; last <= 24; last += 2) {
      seen.length = 0;
      assert.throws(
        () => traceCenterline(image),
        (error: KerfworkError) => error.code === "CANCELED",
      );
      assert.is(seen.length, last);
    }
  } finally {
    around.reporter = reporter;
  }
});

test("each kernel of traceCenterline leaves when the cancel word is set", () => {
  const bits = blobs(1, 300, 200, 20);
  let kernels = 0;
  let word!: Int32Array;
  const around = environment();
  const { reporter } = around;
  // the word is set as each stage begins, so that its kernel has to see it by itself
  for (let at = 2; at < 40; at++) {
    kernels = 0;
    around.reporter = {
      beginStage: () => {
        if (++kernels === at) Atomics.store(word, 0, 1);
      },
      isCancelled: () => false,
    };
    withEngine((engine) => (word = engine.i32(0 as Pointer, 1)));
    try {
      traceCenterline(imageOf(bits));
      break;
    } catch (error) {
      assert.is((error as KerfworkError).code, "CANCELED", `stage ${at}`);
      assert.is(kernels, at);
    } finally {
      Atomics.store(word, 0, 0);
      around.reporter = reporter;
    }
  }
  assert.ok(kernels >= 12 && kernels < 39, `${kernels} stages`);
});

test("traceCenterline says which argument breaks its contract", () => {
  const image = imageOf(bitsOf("#"));
  const messageOf = (options: unknown, picture: unknown = image): string => {
    try {
      traceCenterline(picture as never, options as CenterlineOptions);
    } catch (error) {
      assert.instance(error, KerfworkError);
      assert.is((error as KerfworkError).code, "INVALID_ARGUMENT");
      return (error as Error).message;
    }
    return "nothing was thrown";
  };
  assert.is(messageOf({ tolerance: -1 }), "Expected `tolerance` to be a finite number >= 0, got -1");
  assert.is(messageOf({ dpi: 0 }), "Expected `dpi` to be a finite number > 0, got 0");
  assert.is(messageOf({ spurs: Number.NaN }), "Expected `spurs` to be a finite number >= 0, got NaN");
  assert.is(messageOf({ minLengthPx: "2" }), 'Expected `minLengthPx` to be a finite number >= 0, got "2"');
  assert.is(messageOf({ join: 1 }), "Expected `join` to be true or false, got 1");
  assert.is(messageOf({ invert: 1 }), "Expected `invert` to be true or false, got 1");
  assert.is(
    messageOf({ threshold: "auto" }),
    'Expected `threshold` to be "otsu", "adaptive", an integer >= 0 and <= 255, or { from, to }, got "auto"',
  );
  assert.is(
    messageOf({ mode: "curves" }),
    'Expected `option` to be one of "source", "levels", "gamma", "denoise", "blurPx", "threshold", "adaptive", "invert", "dpi", "tolerance", "minLengthPx", "spurs", "join", got "mode"',
  );
  assert.is(messageOf(null), "Expected `options` to be an object, got null");
  assert.match(
    messageOf({}, { width: 2, height: 1, data: new Uint8Array(1) }),
    /^Expected `image\.data` to be /,
  );
});

test.run();
