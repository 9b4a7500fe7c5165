import { type Curves, type FlattenOptions, flatten, KerfworkError, type Paths, trace } from "kerfwork";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { random } from "./oracle.ts";
import { blobs, contoursOf, distanceTo, imageOf, type Point, pointAt } from "./outline.ts";

const curvesOf = (ends: number[], kinds: number[], xy: number[]): Curves => ({
  ends: Uint32Array.from(ends),
  kinds: Uint8Array.from(kinds),
  xy: Float32Array.from(xy),
  depth: new Uint16Array(ends.length),
});

function pointsOf({ ends, xy }: Paths): Point[][] {
  let p = 0;
  return Array.from(ends, (end) => {
    const points: Point[] = [];
    for (; p < end; p++) points.push([xy[2 * p]!, xy[2 * p + 1]!]);
    return points;
  });
}

/** Closed contours of random lines and cubics, `size` mm wide. */
function scribble(seed: number, contours: number, size: number): Curves {
  const next = random(seed);
  const ends: number[] = [];
  const kinds: number[] = [];
  const xy: number[] = [];
  for (let i = 0; i < contours; i++) {
    const start = [size * next(), size * next()];
    xy.push(...start);
    const segments = 1 + Math.floor(6 * next());
    for (let s = 0; s < segments; s++) {
      const kind = next() < 0.6 ? 1 : 0;
      kinds.push(kind);
      for (let k = 0; k < (kind ? 2 : 0); k++) xy.push(size * next(), size * next());
      xy.push(...(s === segments - 1 ? start : [size * next(), size * next()]));
    }
    ends.push(kinds.length);
  }
  return curvesOf(ends, kinds, xy);
}

test("flatten keeps lines as they are", () => {
  const square = curvesOf([4], [0, 0, 0, 0], [0, 0, 5, 0, 5, 5, 0, 5, 0, 0]);
  const paths = flatten(square);
  assert.equal(paths.ends, Uint32Array.of(5));
  assert.equal(paths.xy, square.xy);
  assert.is.not(paths.xy.buffer, square.xy.buffer);
});

test("flatten cuts a quarter circle into as many lines as the tolerance asks for", () => {
  const k = (4 / 3) * (Math.SQRT2 - 1);
  const quarter = curvesOf([3], [1, 0, 0], [10, 0, 10, 10 * k, 10 * k, 10, 0, 10, 0, 0, 10, 0]);
  for (const tolerance of [0.5, 0.1, 0.02, 0.001]) {
    const [points] = pointsOf(flatten(quarter, { tolerance }));
    const pieces = points!.length - 3;
    // a chord over an angle a leaves r (1 - cos(a / 2)); the bound is allowed a third more lines than that needs
    const needed = Math.PI / 2 / (2 * Math.acos(1 - tolerance / 10));
    assert.ok(pieces >= Math.floor(needed), `${tolerance}: ${pieces} lines, ${needed} needed`);
    assert.ok(pieces <= Math.ceil(needed * 1.34) + 1, `${tolerance}: ${pieces} lines, ${needed} needed`);
  }
});

test("flatten stays within the tolerance of each cubic and closes each path", () => {
  for (const tolerance of [1, 0.05, 0.02]) {
    const curves = scribble(11, 40, 30);
    const paths = pointsOf(flatten(curves, { tolerance }));
    const contours = contoursOf(curves);
    assert.is(paths.length, contours.length);
    for (const [i, points] of paths.entries()) {
      assert.equal(points.at(-1), points[0]);
      for (const segment of contours[i]!.segments)
        for (let k = 0; k <= 64; k++) {
          const off = distanceTo(points, pointAt(segment, k / 64));
          assert.ok(off <= tolerance * (1 + 1e-4) + 1e-5, `contour ${i}: ${off} off`);
        }
    }
  }
});

test("flatten takes traced outlines, at the default tolerance", () => {
  const curves = trace(imageOf(blobs(3, 90, 70, 25)));
  const paths = flatten(curves);
  assert.is(paths.ends.length, curves.ends.length);
  for (const points of pointsOf(paths)) assert.equal(points.at(-1), points[0]);
});

test("flatten takes nothing, single points and curves without length", () => {
  assert.equal(flatten(curvesOf([], [], [])), { ends: new Uint32Array(0), xy: new Float32Array(0) });
  assert.equal(flatten(curvesOf([0], [], [3, 4])), { ends: Uint32Array.of(1), xy: Float32Array.of(3, 4) });
  assert.equal(flatten(curvesOf([1], [1], [1, 2, 1, 2, 1, 2, 1, 2])), {
    ends: Uint32Array.of(2),
    xy: Float32Array.of(1, 2, 1, 2),
  });
});

test("flatten says which argument breaks its contract", () => {
  const messageOf = (curves: unknown, options: FlattenOptions = {}): string => {
    try {
      flatten(curves as Curves, options);
    } catch (error) {
      assert.instance(error, KerfworkError);
      assert.is((error as KerfworkError).code, "INVALID_ARGUMENT");
      return (error as Error).message;
    }
    return "nothing was thrown";
  };
  const square = curvesOf([4], [0, 0, 0, 0], [0, 0, 5, 0, 5, 5, 0, 5, 0, 0]);
  assert.is(messageOf(square, { tolerance: 0 }), "Expected `tolerance` to be a finite number > 0, got 0");
  assert.is(
    messageOf(square, { tolerence: 1 } as never),
    'Expected `option` to be one of "tolerance", got "tolerence"',
  );
  assert.is(messageOf(null), "Expected `curves` to be a Curves object, got null");
  assert.is(
    messageOf({ ...square, kinds: square.kinds.slice(1) }),
    'Expected `curves.kinds` to be a kind for each of 4 segments, got "3 kinds"',
  );
  assert.is(
    messageOf({ ...square, kinds: Uint8Array.of(0, 4, 0, 0) }),
    "Expected `curves.kinds[1]` to be 0..3, got 4",
  );
  assert.is(
    messageOf({ ...square, xy: square.xy.slice(2) }),
    'Expected `curves.xy` to be 2 numbers for each of 5 points, got "8 numbers"',
  );
  assert.is(
    messageOf({ ...square, ends: Uint32Array.of(4, 2) }),
    "Expected `curves.ends[1]` to be >= 4, the end before it, got 2",
  );
});

test.run();
