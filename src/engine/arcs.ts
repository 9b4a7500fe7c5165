import { extract } from "./contours.ts";
import { fitBorders } from "./fit.ts";
import type { Engine, Stages } from "./memory.ts";
import type { Labels } from "./palette.ts";
import type { Regions } from "./regions.ts";
import type { FitOptions } from "./stack.ts";
import type { Curves } from "./trace.ts";

/** The label of what belongs to no layer. */
const NONE = 255;
const CLOSED = 0xffffffff;

/** Each border between two labels once, from node to node or closed. Half-arc 2 i runs along arc i, 2 i + 1 back. */
interface Arcs {
  readonly arcs: number;
  /** Half-arc that leaves node n in direction d: `starts[4 n + d]`; east, south, west, north. */
  readonly starts: Uint32Array;
  /** Node * 4 + direction of arrival, or CLOSED. */
  readonly goals: Uint32Array;
  /** Label on the right hand of each half-arc. */
  readonly sides: Uint8Array;
  /** y, x of each arc's topmost, then leftmost corner. */
  readonly tops: Int32Array;
  readonly curves: ArcCurves;
}

interface ArcCurves extends Curves {
  /** Points up to and with each arc. */
  readonly pointEnds: Uint32Array;
}

/**
 * Outlines of layers that lie side by side, largest first. Neighbours share each border: the same segments, forward in
 * one and reversed in the other.
 */
export function traceCutout(
  engine: Engine,
  labels: Labels,
  regions: Regions,
  fit: FitOptions,
  stages: Stages,
  share: number,
): { label: number; curves: Curves }[] {
  const arcs = findArcs(engine, labels, fit, stages, share * 0.7);
  const loops = chain(arcs);
  const { counts } = regions;
  const order = [...counts.keys()].filter((label) => label !== NONE && counts[label] > 0);
  order.sort((a, b) => counts[b] - counts[a]);
  const part = (share * 0.3) / order.length;
  const words = Math.ceil(labels.width / 64);
  const bitmap = {
    at: engine.alloc(words * 8 * labels.height),
    width: labels.width,
    height: labels.height,
    words,
  };
  const mark = engine.mark();
  return order.map((label) => {
    // the pixels' borders of the label come in the same order, with their nesting
    stages.run(part * 0.2, labels.height, () =>
      engine.kernels.maskLabel(labels.at, labels.width, labels.height, label, bitmap.at, words),
    );
    const { contours, depth } = extract(
      engine,
      bitmap,
      { despecklePx: 0, turn: "white" },
      stages,
      part * 0.8,
    );
    const curves = assemble(arcs, loops[label] ?? [], engine.u16(depth, contours).slice());
    engine.release(mark);
    return { label, curves };
  });
}

function findArcs(engine: Engine, labels: Labels, fit: FitOptions, stages: Stages, share: number): Arcs {
  const { kernels } = engine;
  const { at, width, height } = labels;
  const words = Math.floor((width + 64) / 64);
  const rowsOfBits = words * (height + 1);
  const start = engine.mark();
  const state = engine.alloc(96);
  const [right, down, nodes] = [0, 0, 0].map(() => engine.alloc(8 * rowsOfBits));
  const before = engine.alloc(4 * rowsOfBits);
  const counts = engine.alloc(16);
  stages.run(share * 0.1, height, () =>
    kernels.markArcs(state, at, width, height, words, right, down, nodes, before, counts),
  );
  const [nodeCount, arms, turns, steps] = engine.i32(counts, 4) as unknown as [
    number,
    number,
    number,
    number,
  ];
  const room = arms / 2 + Math.floor(turns / 4);
  const starts = engine.alloc(16 * nodeCount);
  const goals = engine.alloc(8 * room);
  const sides = engine.alloc(2 * room);
  const tops = engine.alloc(8 * room);
  const ends = engine.alloc(4 * room);
  const points = engine.alloc(8 * (arms + turns));
  const arcs = stages.run(share * 0.2, steps, () =>
    kernels.walkArcs(state, starts, goals, sides, tops, ends, points, counts),
  );
  const open = engine.i32(counts, 1)[0];
  const depth = engine.alloc(2 * arcs);
  const corners = arcs === 0 ? 0 : engine.u32(ends, arcs)[arcs - 1];
  const borders = { contours: arcs, corners, ends, points, depth };
  const curves = fitBorders(engine, borders, fit, stages, share * 0.7, open);
  const found = {
    arcs,
    starts: engine.u32(starts, 4 * nodeCount).slice(),
    goals: engine.u32(goals, 2 * arcs).slice(),
    sides: engine.u8(sides, 2 * arcs).slice(),
    tops: engine.i32(tops, 2 * arcs).slice(),
    curves: { ...curves, pointEnds: pointEndsOf(curves) },
  };
  engine.release(start);
  return found;
}

/** A closed way around one label, which is on its right hand. */
interface Loop {
  readonly halves: number[];
  top: number;
  left: number;
}

/** The loops of each label, in raster order of their topmost edges. */
function chain({ arcs, starts, goals, sides, tops }: Arcs): Loop[][] {
  const done = new Uint8Array(2 * arcs);
  const loops: Loop[][] = [];
  for (let first = 0; first < 2 * arcs; first++) {
    const label = sides[first];
    if (done[first] || label === NONE) continue;
    const loop: Loop = { halves: [], top: Infinity, left: 0 };
    let half = first;
    do {
      done[half] = 1;
      loop.halves.push(half);
      const [y, x] = [tops[half & ~1], tops[half | 1]];
      if (y < loop.top || (y === loop.top && x < loop.left)) [loop.top, loop.left] = [y, x];
      half = goals[half] === CLOSED ? half : following(starts, goals[half]);
    } while (half !== first);
    loops[label] ??= [];
    loops[label].push(loop);
  }
  for (const list of loops) list?.sort((a, b) => a.top - b.top || a.left - b.left);
  return loops;
}

/** Where a way goes on that keeps to its right: parts of a label that touch at a corner stay apart. */
function following(starts: Uint32Array, goal: number): number {
  const node = goal & ~3;
  for (const turn of [1, 0, 3]) {
    const half = starts[node | ((goal + turn) & 3)];
    if (half !== CLOSED) return half;
  }
  throw new RangeError("an arc that leads nowhere");
}

/** Copies the arcs of loops together, one contour a loop. */
function assemble({ curves }: Arcs, loops: readonly Loop[], depth: Uint16Array): Curves {
  const ends = new Uint32Array(loops.length);
  let segments = 0;
  let points = 0;
  for (const [i, { halves }] of loops.entries()) {
    for (const half of halves) {
      segments += lengthOf(curves.ends, half >> 1);
      // each arc begins where the one before ends
      points += lengthOf(curves.pointEnds, half >> 1) - 1;
    }
    points++;
    ends[i] = segments;
  }
  const kinds = new Uint8Array(segments);
  const xy = new Float32Array(2 * points);
  let segment = 0;
  let at = 0;
  for (const { halves } of loops) {
    for (const half of halves) {
      segment = copyKinds(curves, half, kinds, segment);
      at = copyPoints(curves, half, xy, at) - 2;
    }
    at += 2;
  }
  return { ends, kinds, xy, depth };
}

function lengthOf(ends: Uint32Array, i: number): number {
  return ends[i] - (i === 0 ? 0 : ends[i - 1]);
}

function copyKinds(curves: ArcCurves, half: number, to: Uint8Array, at: number): number {
  const arc = half >> 1;
  const end = curves.ends[arc];
  const part = curves.kinds.subarray(end - lengthOf(curves.ends, arc), end);
  if (half & 1) for (let i = part.length - 1; i >= 0; i--) to[at++] = part[i];
  else for (let i = 0; i < part.length; i++) to[at++] = part[i];
  return at;
}

function copyPoints({ pointEnds, xy }: ArcCurves, half: number, to: Float32Array, at: number): number {
  const arc = half >> 1;
  const end = 2 * pointEnds[arc];
  const begin = end - 2 * lengthOf(pointEnds, arc);
  if (half & 1)
    for (let i = end - 2; i >= begin; i -= 2) {
      to[at++] = xy[i];
      to[at++] = xy[i + 1];
    }
  else for (let i = begin; i < end; i++) to[at++] = xy[i];
  return at;
}

/** Points up to and with each contour. */
function pointEndsOf({ ends, kinds }: Curves): Uint32Array {
  const found = new Uint32Array(ends.length);
  let points = 0;
  let segment = 0;
  for (let i = 0; i < ends.length; i++) {
    points++;
    for (; segment < ends[i]; segment++) points += kinds[segment] === 1 ? 3 : 1;
    found[i] = points;
  }
  return found;
}
