import { readFileSync } from "node:fs";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { Chain, type Filter } from "../src/engine/chain.ts";
import { filtersOf, gaussian } from "../src/engine/filters.ts";
import { Engine, type Pointer, Stages } from "../src/engine/memory.ts";
import { DEFAULT_TONE, type Tone } from "../src/engine/tone.ts";
import {
  blurOf,
  type Gray,
  grayFrom,
  medianOf,
  mirrored,
  noise,
  noisePicture,
  SIDES,
  sauvolaOf,
  transposed,
  turned,
} from "./grays.ts";

const moduleOf = (path: string): WebAssembly.Module => new WebAssembly.Module(readFileSync(path));
const newMemory = (): WebAssembly.Memory =>
  new WebAssembly.Memory({ initial: 2, maximum: 16384, shared: true });
const release = new Engine(newMemory(), moduleOf("dist/kernels.wasm"));
const debug = new Engine(newMemory(), moduleOf("build/kernels-debug.wasm"));

const GUARD = 64;
type Form = "vectors" | "scalar";
type Kernel = (gray: Gray, engine?: Engine, form?: Form) => Gray;

/** Runs `fill` on room for `bytes` with guards around it. */
function guarded(engine: Engine, bytes: number, fill: (at: Pointer) => number): Uint8Array {
  const start = engine.alloc(bytes + 2 * GUARD);
  engine.u8(start, bytes + 2 * GUARD).fill(0xa5);
  assert.is(fill((start + GUARD) as Pointer), 0);
  const all = engine.u8(start, bytes + 2 * GUARD).slice();
  assert.ok(
    all.subarray(0, GUARD).every((byte) => byte === 0xa5) &&
      all.subarray(GUARD + bytes).every((byte) => byte === 0xa5),
    "bytes around the output are as they were",
  );
  return all.slice(GUARD, GUARD + bytes);
}

const median: Kernel = (gray, engine = release, form = "vectors") =>
  engine.run(({ kernels }) => {
    const { width, height } = gray;
    const rows = engine.push(gray.data);
    const run = form === "scalar" ? kernels.medianScalar : kernels.median;
    const fill = (out: Pointer): number => run(rows, 0, width, height, 0, height, out);
    return { ...gray, data: guarded(engine, width * height, fill) };
  });

/** Room behind the given bytes holds anything, as it does in real work. */
function blurBy(sigma: number): Kernel {
  return (gray, engine = release, form = "vectors") =>
    engine.run(({ kernels }) => {
      const { width, height } = gray;
      const stride = Math.ceil(width / 16) * 16;
      const weights = gaussian(sigma);
      const radius = weights.length - 1;
      const at = engine.push(weights);
      const rows = engine.push(gray.data);
      const [across, down] =
        form === "scalar"
          ? [kernels.blurAcrossScalar, kernels.blurDownScalar]
          : [kernels.blurAcross, kernels.blurDown];
      let middle: Uint8Array | undefined;
      guarded(engine, stride + 2 * radius, (line) => {
        middle = guarded(engine, stride * 2 * height, (out) =>
          across(rows, width, height, at, radius, line, out),
        );
        return 0;
      });
      const between = engine.push(middle!);
      let data: Uint8Array | undefined;
      guarded(engine, (2 * (radius + 1) + 4) * 4, (places) => {
        data = guarded(engine, width * height, (out) =>
          down(between, 0, width, height, 0, height, at, radius, places, out),
        );
        return 0;
      });
      return { ...gray, data: data! };
    });
}

function sauvolaBy(windowPx: number, k: number): Kernel {
  return (gray, engine = release, form = "vectors") =>
    engine.run(({ kernels }) => {
      const { width, height } = gray;
      const rows = engine.push(gray.data);
      const run = form === "scalar" ? kernels.sauvolaScalar : kernels.sauvola;
      let data: Uint8Array | undefined;
      guarded(engine, kernels.sauvolaBytes(width), (state) => {
        data = guarded(engine, width * height, (out) =>
          run(rows, 0, width, height, 0, height, (windowPx - 1) / 2, k, state, out),
        );
        return 0;
      });
      return { ...gray, data: data! };
    });
}

const SIGMAS = [0.1, 0.3, 0.5, 1, 1.4, 2, 5, 20];
const WINDOWS = [
  [3, 0.5],
  [15, 0.2],
  [51, 0.34],
  [511, 0],
  [511, 1],
] as const;
const KERNELS: readonly [string, Kernel][] = [
  ["median", median],
  ...SIGMAS.map((sigma): [string, Kernel] => [`blur of ${sigma}`, blurBy(sigma)]),
  ...WINDOWS.map(([windowPx, k]): [string, Kernel] => [
    `sauvola of ${windowPx}, ${k}`,
    sauvolaBy(windowPx, k),
  ]),
];

test("median takes specks away and leaves edges where they are", () => {
  const picture = grayFrom(20, 6, (x) => (x < 10 ? 40 : 200));
  assert.equal(median(picture), picture);
  const specks = grayFrom(20, 6, (x, y) =>
    x % 5 === 2 && y % 3 === 1 ? 255 - (x < 10 ? 40 : 200) : x < 10 ? 40 : 200,
  );
  assert.equal(median(specks), picture);
});

test("median is the oracle's, for every side", () => {
  for (const [width, height] of SIDES) {
    const picture = noisePicture(width, height);
    assert.equal(median(picture), medianOf(picture), `${width} x ${height}`);
  }
});

test("median keeps the middle of every order of nine values", () => {
  // few values, so that there are ties of every kind; and all of nine bits, which are enough to prove a network that sorts
  const next = noise(5, 9 * 4000);
  const ties = grayFrom(3 * 4000, 3, (x, y) => next[Math.floor(x / 3) * 9 + y * 3 + (x % 3)]! % 5);
  assert.equal(median(ties), medianOf(ties));
  const bits = grayFrom(3 * 512, 3, (x, y) => (Math.floor(x / 3) >> (y * 3 + (x % 3))) & 1);
  const out = median(bits).data;
  for (let i = 0; i < 512; i++) {
    const ones = i.toString(2).replaceAll("0", "").length;
    assert.is(out[1536 + 3 * i + 1], ones > 4 ? 1 : 0);
  }
});

test("gaussian's weights add up to one and fall as the bell does", () => {
  for (const sigma of [0.001, ...SIGMAS]) {
    const weights = gaussian(sigma);
    assert.is(weights.length % 2, 0);
    assert.ok(weights.length - 1 >= 3 * sigma);
    assert.is(
      weights.reduce((a, b) => a + b),
      8192,
    );
    for (let j = 2; j < weights.length; j++) assert.ok(weights[j]! <= weights[j - 1]!);
    if (sigma >= 1 && sigma <= 5)
      assert.ok(Math.abs(weights[1]! / (2 * weights[0]!) - Math.exp(-1 / (2 * sigma * sigma))) < 0.01);
  }
  assert.equal([...gaussian(0.001)], [8192, 0]);
});

test("blur is the oracle's but for the rounding, for every side and sigma", () => {
  for (const sigma of SIGMAS)
    for (const [width, height] of SIDES) {
      const picture = noisePicture(width, height);
      const expected = blurOf(picture, sigma);
      const worst = Math.max(
        ...blurBy(sigma)(picture).data.map((value, i) => Math.abs(value - expected[i]!) * 100),
      );
      // half a level of the result, and what 16-bit weights and rows lose
      assert.ok(worst <= 60, `${width} x ${height}, ${sigma}: off by ${worst / 100}`);
    }
});

test("blur of a point is the bell", () => {
  const out = blurBy(2)(grayFrom(41, 41, (x, y) => (x === 20 && y === 20 ? 255 : 0)));
  const expected = (r2: number): number => Math.round((255 / (2 * Math.PI * 4)) * Math.exp(-r2 / 8));
  for (const [x, y] of [
    [20, 20],
    [21, 20],
    [20, 18],
    [22, 23],
    [20, 26],
  ] as const)
    assert.is(out.data[y * 41 + x], expected((x - 20) ** 2 + (y - 20) ** 2));
});

test("sauvola tells how far each pixel is from its threshold, for every side and window", () => {
  for (const [windowPx, k] of WINDOWS)
    for (const [width, height] of SIDES) {
      const picture = noisePicture(width, height);
      const expected = sauvolaOf(picture, windowPx, k);
      const out = sauvolaBy(windowPx, k)(picture).data;
      for (const [i, offset] of expected.entries()) {
        const low = Math.min(255, Math.max(0, 128 + Math.floor(offset - 0.001)));
        const high = Math.min(255, Math.max(0, 128 + Math.floor(offset + 0.002)));
        assert.ok(
          out[i]! >= low && out[i]! <= high,
          `${width} x ${height}, ${windowPx}, ${k}: pixel ${i} is ${out[i]}, not ${128 + offset}`,
        );
      }
    }
});

test("sauvola's sums do not overflow in the largest window of the strongest contrast", () => {
  const [width, height] = [600, 520];
  for (const at of [(): number => 0, (): number => 255, (x: number): number => (x % 2) * 255]) {
    const picture = grayFrom(width, height, at);
    const out = sauvolaBy(511, 0.5)(picture).data;
    for (const x of [0, 255, 256, 299, 599]) {
      const from = Math.max(0, x - 255);
      const to = Math.min(width - 1, x + 255);
      let sum = 0;
      for (let u = from; u <= to; u++) sum += at(u);
      const mean = sum / (to - from + 1);
      const deviation = Math.sqrt(mean * (255 - mean)); // of zeros and 255s
      const offset = at(x) - mean * (1 + 0.5 * (deviation / 128 - 1));
      const got = out[260 * width + x]!;
      assert.is(got, Math.min(255, Math.max(0, 128 + Math.floor(offset + 0.001))));
    }
  }
});

test("sauvolaBytes counts beyond 32 bits, so that there is too little memory and not a wrong address", () => {
  assert.is(release.kernels.sauvolaBytes(2 ** 30), 17 * 2 ** 30 + 8);
});

test("sauvola finds strokes in uneven light, and no strokes in flat noise", () => {
  const shade = (x: number): number => 40 + x; // from dusk to daylight
  const isStroke = (x: number, y: number): boolean => x % 12 < 3 && y > 4 && y < 36;
  const page = grayFrom(200, 40, (x, y) => (isStroke(x, y) ? Math.round(shade(x) * 0.5) : shade(x)));
  const out = sauvolaBy(25, 0.2)(page).data;
  for (const [i, value] of out.entries())
    assert.is(value < 128, isStroke(i % 200, Math.floor(i / 200)), `pixel ${i}`);
  const grain = noise(3, 200 * 40);
  const paper = grayFrom(200, 40, (x, y) => 190 + (grain[y * 200 + x]! % 21));
  assert.ok(sauvolaBy(25, 0.2)(paper).data.every((value) => value >= 128));
  // without k the noise would be cut at its mean
  assert.ok(sauvolaBy(25, 0)(paper).data.some((value) => value < 128));
});

test("sauvola makes nothing of a plain picture, whatever its gray", () => {
  for (const k of [0, 0.2, 1])
    for (const value of [0, 1, 100, 127, 128, 254, 255]) {
      const out = sauvolaBy(51, k)(grayFrom(70, 60, () => value)).data;
      const expected = Math.min(255, 128 + Math.floor(value * k + 0.001));
      assert.ok(
        out.every((gray) => gray === expected),
        `${value}, ${k}`,
      );
    }
});

test("filters: vectors as scalar, debug as release, long rows in pieces too", () => {
  for (const [name, kernel] of KERNELS) {
    for (const [width, height] of [...SIDES, [1030, 3], [17_000, 2]] as const) {
      if (width > 1030 && /of (5|20)/.test(name)) continue;
      const picture = noisePicture(width, height);
      const expected = kernel(picture);
      const at = `${name}, ${width} x ${height}`;
      assert.equal(kernel(picture, release, "scalar").data, expected.data, at);
      if (width < 100) assert.equal(kernel(picture, debug).data, expected.data, at);
    }
  }
});

test("filters: a mirrored or turned picture gives the mirrored or turned result", () => {
  const picture = noisePicture(67, 41);
  for (const [name, kernel] of KERNELS) {
    const out = kernel(picture);
    assert.equal(kernel(mirrored(picture)), mirrored(out), name);
    assert.equal(kernel(turned(picture)), turned(out), name);
    // blur rounds between its two directions
    const other = transposed(kernel(transposed(picture))).data;
    const worst = Math.max(...out.data.map((value, i) => Math.abs(value - other[i]!)));
    assert.ok(worst <= (name.startsWith("blur") ? 1 : 0), `${name}: off by ${worst}`);
  }
});

test("median and blur leave a plain picture as it is", () => {
  for (const [name, kernel] of KERNELS) {
    if (name.startsWith("sauvola")) continue;
    for (const value of [0, 1, 128, 255])
      for (const [width, height] of SIDES) {
        const plain = grayFrom(width, height, () => value);
        assert.equal(kernel(plain), plain, `${name}, ${width} x ${height}, ${value}`);
      }
  }
});

/** Runs a picture through the filters of a tone, `step` rows at a time. */
function chained(gray: Gray, tone: Partial<Tone>, step: number, engine = release): Gray {
  const { width, height, data } = gray;
  return engine.run((engine) => {
    const stages = new Stages();
    const filters = filtersOf(engine, width, height, { ...DEFAULT_TONE, ...tone });
    const chain = new Chain(engine, stages, filters, height, step);
    const out = engine.alloc(width * height);
    let next = 0;
    for (let y = 0; y < height; y += step) {
      const rows = Math.min(step, height - y);
      engine.u8(chain.place(rows), rows * width).set(data.subarray(y * width, (y + rows) * width));
      const made = chain.pass(
        rows,
        (row) => (out + row * width) as Pointer,
        () => 0,
      );
      assert.ok(made.rows <= chain.most);
      if (made.rows > 0) assert.is(made.y, next);
      next += made.rows;
    }
    assert.is(next, height, "all rows come out");
    return { ...gray, data: engine.u8(out, width * height).slice() };
  });
}

test("a chain of filters gives the same for any number of rows at a time", () => {
  const tones: readonly [Partial<Tone>, Kernel][] = [
    [{ denoise: true, threshold: 1 }, median],
    [{ blurPx: 1.4, threshold: 1 }, blurBy(1.4)],
    [{ threshold: "adaptive", adaptive: { windowPx: 15, k: 0.2 } }, sauvolaBy(15, 0.2)],
    [
      { denoise: true, blurPx: 2, threshold: "adaptive", adaptive: { windowPx: 51, k: 0.3 } },
      (gray) => sauvolaBy(51, 0.3)(blurBy(2)(median(gray))),
    ],
  ];
  for (const [tone, kernel] of tones)
    for (const [width, height] of [
      [1, 1],
      [33, 1],
      [1, 33],
      [20, 7],
      [20, 150],
    ] as const) {
      const picture = noisePicture(width, height);
      const expected = kernel(picture);
      for (const step of [1, 2, 7, 64, 1000])
        assert.equal(chained(picture, tone, step), expected, `${JSON.stringify(tone)}, ${step} of ${height}`);
    }
});

test("a chain keeps only the rows that its filters look at", () => {
  const engine = new Engine(newMemory(), moduleOf("dist/kernels.wasm"));
  engine.run((engine) => {
    const start = engine.mark();
    const [width, height] = [1000, 100_000];
    const tone = { ...DEFAULT_TONE, denoise: true, blurPx: 2, threshold: "adaptive" } as const;
    new Chain(engine, new Stages(), filtersOf(engine, width, height, tone), height, 10);
    // twice 2, twice 14 of two bytes, twice 51 rows, what is on its way, and sums of columns
    assert.ok(engine.mark() - start < 250 * width);
  });
});

test("a chain needs at least one row to give one row", () => {
  const seen: string[] = [];
  const filter = (name: string, above: number, below: number): Filter => ({
    rowBytes: 1,
    above,
    below,
    cost: 1,
    run: (_rows, top, y, n) => {
      seen.push(`${name} ${top}: ${y}+${n}`);
      return 0;
    },
  });
  release.run((engine) => {
    const chain = new Chain(engine, new Stages(), [filter("a", 1, 1), filter("b", 0, 2)], 5, 2);
    for (const rows of [2, 2, 1]) {
      chain.place(rows);
      chain.pass(
        rows,
        () => 0 as Pointer,
        () => 0,
      );
    }
  });
  assert.equal(seen, ["a 0: 0+1", "a 0: 1+2", "b 0: 0+1", "a 0: 3+2", "b 0: 1+4"]);
});

test("the filters leave when they are canceled", () => {
  release.run((engine) => {
    const { kernels } = engine;
    const cancel = engine.i32(0 as Pointer, 1);
    const [width, height] = [100, 50];
    const rows = engine.alloc(112 * 2 * height);
    const out = engine.alloc(112 * 2 * height);
    const scratch = engine.alloc(kernels.sauvolaBytes(width));
    const weights = engine.push(gaussian(1));
    const runs = [
      () => kernels.median(rows, 0, width, height, 0, height, out),
      () => kernels.blurAcross(rows, width, height, weights, 3, scratch, out),
      () => kernels.blurDown(rows, 0, width, height, 0, height, weights, 3, scratch, out),
      () => kernels.sauvola(rows, 0, width, height, 0, height, 7, 0.2, scratch, out),
    ];
    const step = engine.i32(64 as Pointer, 1);
    for (const [i, run] of runs.entries()) {
      cancel[0] = 1;
      try {
        assert.is(run(), -1, `kernel ${i}`);
      } finally {
        cancel[0] = 0;
      }
      assert.is(run(), 0);
      assert.is(step[0], height, "it reported all rows");
    }
  });
});

test.run();
