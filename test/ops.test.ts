import { type OpsOptions, type Paths, toOps } from "kerfwork";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { messageOf } from "./messages.ts";

type Points = number[][];

function paths(lists: Points[]): Paths {
  let points = 0;
  const ends = Uint32Array.from(lists, (list) => (points += list.length));
  return { ends, xy: Float32Array.from(lists.flat(2)) };
}

/** Moves as rows of kind, x, y, power, speed. */
const rows = (given: Points[], options?: OpsOptions): number[][] => {
  const ops = toOps(paths(given), options);
  return Array.from(ops.kinds, (kind, i) => [
    kind,
    ops.xy[2 * i]!,
    ops.xy[2 * i + 1]!,
    ops.power[i]!,
    ops.speed[i]!,
  ]);
};

test("toOps travels to each path, burns its lines and turns y up", () => {
  const given = [
    [
      [1, 2],
      [3, 2],
      [3, 5],
    ],
    [
      [10, 10],
      [11, 10],
    ],
  ];
  assert.equal(rows(given, { power: 0.5, speed: 600, travelSpeed: 3000, height: 20 }), [
    [0, 1, 18, 0, 3000],
    [1, 3, 18, 0.5, 600],
    [1, 3, 15, 0.5, 600],
    [0, 10, 10, 0, 3000],
    [1, 11, 10, 0.5, 600],
  ]);
  assert.equal(
    rows(given).map(([, , y]) => y),
    [8, 8, 5, 0, 0],
    "height is the largest y by default",
  );
  assert.equal(rows(given)[1], [1, 3, 8, 1, 1000]);
  assert.equal(rows(given)[0], [0, 1, 8, 0, 6000]);
});

test("toOps drops moves and paths of no length, and travels to where the head stands", () => {
  assert.equal(
    rows([
      [],
      [[7, 7]],
      [
        [0, 0],
        [0, 0],
        [4, 0],
        [4, 0],
      ],
      [
        [5, 5],
        [5, 5],
      ],
      [
        [4, 0],
        [4, 0],
        [4, 4],
      ],
    ]).map((row) => row.slice(0, 3)),
    [
      [0, 0, 7],
      [1, 4, 7],
      [1, 4, 3],
    ],
  );
  for (const nothing of [[], [[]], [[[1, 1]]]]) assert.is(toOps(paths(nothing)).kinds.length, 0);
});

test("toOps lays all arrays on one buffer, exactly filled", () => {
  const ops = toOps(
    paths([
      [
        [0, 0],
        [1, 1],
        [2, 0],
      ],
    ]),
  );
  const arrays = [ops.kinds, ops.xy, ops.centers, ops.power, ops.speed];
  assert.ok(arrays.every((array) => array.buffer === ops.xy.buffer));
  assert.is(
    arrays.reduce((sum, array) => sum + array.byteLength, 0),
    ops.xy.buffer.byteLength,
  );
  assert.equal([...ops.centers], [0, 0, 0, 0, 0, 0]);
});

test("toOps refuses what breaks its contract", () => {
  const one = paths([
    [
      [0, 0],
      [1, 1],
    ],
  ]);
  assert.is(
    messageOf(() => toOps(one, { power: 1.5 })),
    "INVALID_ARGUMENT: Expected `power` to be a finite number >= 0 and <= 1, got 1.5",
  );
  assert.is(
    messageOf(() => toOps(one, { speed: 0 })),
    "INVALID_ARGUMENT: Expected `speed` to be a finite number >= 0.001 and <= 1000000, got 0",
  );
  assert.is(
    messageOf(() => toOps(one, { height: Infinity })),
    "INVALID_ARGUMENT: Expected `height` to be a finite number, got Infinity",
  );
  assert.is(
    messageOf(() => toOps(one, { feed: 3 } as never)),
    'INVALID_ARGUMENT: Expected `options` to be an object with no other names than power, speed, travelSpeed, height, got "feed"',
  );
  one.xy[3] = -Infinity;
  assert.is(
    messageOf(() => toOps(one)),
    "INVALID_ARGUMENT: Expected path 0, point 1 to be finite, got (1, -Infinity)",
  );
});

test.run();
