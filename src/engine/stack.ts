import { type Borders, extract } from "./contours.ts";
import { type FitMode, fitBorders } from "./fit.ts";
import type { Engine, Pointer, Stages } from "./memory.ts";
import type { Labels } from "./palette.ts";
import type { Regions } from "./regions.ts";
import type { Curves } from "./trace.ts";

/** The label of pixels that belong to no layer. */
const NONE = 255;
/** Turns of moving colours; all but odd pictures need three or four. */
const TURNS = 10;

/** What becomes of pixel borders. */
export interface FitOptions {
  readonly mode: FitMode;
  readonly tolerancePx: number;
  readonly mmPerPx: number;
}

/**
 * Outlines of layers that are painted one over the other, each beginning with the label that is then its colour. A part
 * of a layer lies within a part of a layer below it, so that the borders of two colours overlap and leave no crack.
 */
export function traceStack(
  engine: Engine,
  labels: Labels,
  regions: Regions,
  fit: FitOptions,
  stages: Stages,
  share: number,
): { label: number; curves: Curves }[] {
  const { kernels } = engine;
  const { at, width, height } = labels;
  const { state, runs } = regions;
  const edges = engine.push(new Uint32Array(256 * 256));
  stages.run(share * 0.02, runs, () => kernels.countEdges(state, height, at, edges));
  const order = paintingOrder(regions.counts, engine.u32(edges, 256 * 256));
  const ranks = new Uint8Array(256).fill(255);
  for (const [rank, label] of order.entries()) ranks[label] = rank;
  const ranksAt = engine.push(ranks);
  const endsAt = engine.alloc(4 * 257);
  const list = engine.alloc(4 * runs);
  const painted = engine.alloc(runs);
  engine.u8(painted, runs).fill(0);
  stages.run(share * 0.03, runs, () => kernels.rankRuns(state, at, ranksAt, endsAt, list));
  const ends = engine.u32(endsAt, 257).slice();

  const words = Math.ceil(width / 64);
  const bitmap = { at: engine.alloc(words * 8 * height), width, height, words };
  const above = engine.alloc(words * 8 * height);
  engine.u8(above, words * 8 * height).fill(0);
  const part = (share * 0.95) / order.length;
  const mark = engine.mark();
  const layers: { label: number; curves: Curves }[] = [];
  for (let rank = order.length - 1; rank >= 0; rank--) {
    const from = (list + 4 * ends[rank]) as Pointer;
    const count = ends[rank + 1] - ends[rank];
    stages.run(part * 0.1, count, () =>
      kernels.raiseLayer(state, height, from, count, painted, rank + 1, bitmap.at, words),
    );
    stages.run(part * 0.1, count, () =>
      kernels.tuckLayer(state, from, count, above, bitmap.at, words, height),
    );
    const borders: Borders = extract(engine, bitmap, { despecklePx: 0, turn: "white" }, stages, part * 0.1);
    layers.push({ label: order[rank], curves: fitBorders(engine, borders, fit, stages, part * 0.7) });
    engine.release(mark);
  }
  return layers.reverse();
}

/**
 * Labels that occur, in an order with short ways between neighbours: a border between two colours is drawn in all layers
 * from one to the other. Starts from the largest and moves colours while that shortens the ways; then the end with more
 * pixels goes below.
 *
 * source: minimum linear arrangement by local search (Petit, Experiments on the minimum linear arrangement problem, 2003)
 */
function paintingOrder(counts: Uint32Array, edges: Uint32Array): number[] {
  const order = [...counts.keys()].filter((label) => label !== NONE && counts[label] > 0);
  order.sort((a, b) => counts[b] - counts[a]);
  for (let turn = 0, moved = true; moved && turn < TURNS; turn++) {
    moved = false;
    for (const label of [...order]) moved = moveToBest(order, label, edges) || moved;
  }
  const weight = order.reduce((sum, label, i) => sum + counts[label] * (2 * i + 1 - order.length), 0);
  return weight > 0 ? order.reverse() : order;
}

/** Moves one label to where all ways are shortest; false when it is there. */
function moveToBest(order: number[], label: number, edges: Uint32Array): boolean {
  const between = (a: number, b: number): number => edges[256 * Math.min(a, b) + Math.max(a, b)];
  const own = order.indexOf(label);
  let best = own;
  let least = 0;
  for (const step of [-1, 1]) {
    // past one more each time: nearer to all beyond it and farther from all behind, while the passed one comes the other way
    let change = 0;
    for (let i = own + step; i >= 0 && i < order.length; i += step) {
      const passed = order[i];
      for (const [j, other] of order.entries()) {
        if (j === own || j === i) continue;
        const beyond = step > 0 ? j > i : j < i;
        const difference = between(label, other) - between(passed, other);
        change += beyond ? -difference : difference;
      }
      if (change < least) {
        least = change;
        best = i;
      }
    }
  }
  if (best === own) return false;
  order.splice(own, 1);
  order.splice(best, 0, label);
  return true;
}
