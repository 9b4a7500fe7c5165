import { setTimeout as sleep } from "node:timers/promises";

/**
 * One side of a comparison. `run` does the work and nothing else; `result` tells afterwards what the last run made, so
 * that both sides are known to have done the same before either is timed.
 */
export interface Entrant {
  run(): unknown;
  result(): Result;
}

/** Typed arrays are compared by their bytes, numbers by `Object.is`. */
export type Result = number | ArrayBufferView | readonly Result[];

export interface Work {
  /** What one run handles, the divisor of its time. */
  readonly items: number;
  /** Name of one item: "px", "point", "line", "call". */
  readonly unit: string;
  readonly kernel: Entrant;
  /** Tuned plain JavaScript that does the same; left out where there is nothing to compare with. */
  readonly reference?: Entrant;
  /** How many times faster than the reference the kernel has to be. */
  readonly bar?: number;
}

/** ns per item: the first call of the process, the median of the warm ones, half their interquartile range. */
export interface Times {
  readonly cold: number;
  readonly median: number;
  readonly spread: number;
}

export interface CompareRow {
  readonly kind: "compare";
  readonly name: string;
  readonly unit: string;
  readonly items: number;
  readonly repetitions: number;
  readonly kernel: Times;
  readonly reference: Times | null;
  /** Median of the ratios reference / kernel of neighbouring runs, so that a slow spell of the machine hits both. */
  readonly ratio: number | null;
  readonly bar: number | null;
  readonly passed: boolean;
}

export interface MeasureRow {
  readonly kind: "measure";
  readonly name: string;
  readonly unit: string;
  readonly count: number;
  readonly median: number;
  readonly p99: number;
  readonly max: number;
  readonly bar: Bar | null;
  readonly passed: boolean;
}

/** Which figure is held to what. */
export interface Bar extends Limit {
  readonly of: "median" | "p99" | "max";
}

const MIN_REPETITIONS = 7;
const MAX_REPETITIONS = 41;
const ROW_MS = 2500; // both sides together, after warming up
const SAMPLE_MS = 2; // shorter runs are repeated within a sample, or the clock would be measured

/** Several figures of one thing, with no bar. */
export interface FiguresRow {
  readonly kind: "figures";
  readonly name: string;
  readonly figures: Readonly<Record<string, number | null>>;
  readonly bar: null;
  readonly passed: true;
}

/** One figure that is held to something; null where it could not be taken, which breaks no bar. */
export interface BarRow {
  readonly kind: "bar";
  readonly name: string;
  readonly unit: string;
  readonly value: number | null;
  readonly bar: Limit;
  readonly passed: boolean;
}

export interface Limit {
  readonly atMost?: number;
  readonly atLeast?: number;
}

/** Each row leaves the process as one line of JSON; `bench/run.mjs` makes tables of them. */
function emit(row: CompareRow | MeasureRow | FiguresRow | BarRow): void {
  process.stdout.write(`${JSON.stringify(row)}\n`);
}

/** Times a kernel against its reference, interleaved, after their results were found equal. */
export async function compare(name: string, work: Work): Promise<void> {
  const sides = work.reference === undefined ? [work.kernel] : [work.kernel, work.reference];
  const perItem = 1e6 / work.items; // ms to ns per item
  const cold = sides.map((side) => time(side, 1) * perItem);
  if (work.reference !== undefined)
    assertEqual(work.kernel.result(), work.reference.result(), `${name}: kernel and reference`);

  const calls = await warm(sides);
  const roundMs = sides.reduce((sum, side, i) => sum + time(side, calls[i]), 0);
  const repetitions = Math.round(clamp(ROW_MS / roundMs, MIN_REPETITIONS, MAX_REPETITIONS));
  const samples = sides.map(() => new Float64Array(repetitions));
  for (let k = 0; k < repetitions; k++)
    for (const [i, side] of sides.entries()) samples[i][k] = (time(side, calls[i]) / calls[i]) * perItem;
  if (work.reference !== undefined)
    assertEqual(work.kernel.result(), work.reference.result(), `${name}: kernel and reference, after timing`);

  const times = samples.map((values, i) => ({ cold: cold[i], ...middle(values) }));
  const ratio =
    samples.length < 2
      ? null
      : quantile(
          samples[1].map((value, k) => value / samples[0][k]),
          0.5,
        );
  const bar = work.bar ?? null;
  emit({
    kind: "compare",
    name,
    unit: work.unit,
    items: work.items,
    repetitions,
    kernel: times[0],
    reference: times[1] ?? null,
    ratio,
    bar,
    passed: bar === null || (ratio !== null && ratio >= bar),
  });
}

/** Reports single events, such as latencies, by median, 99th percentile and worst. */
export function measure(name: string, unit: string, values: ArrayLike<number>, bar: Bar | null = null): void {
  const all = Float64Array.from(values);
  const figures = { median: quantile(all, 0.5), p99: quantile(all, 0.99), max: quantile(all, 1) };
  report(name, unit, all.length, figures, bar);
}

/** As `measure`, of figures that something else has summed up. */
export function report(
  name: string,
  unit: string,
  count: number,
  figures: Pick<MeasureRow, "median" | "p99" | "max">,
  bar: Bar | null = null,
): void {
  const passed = bar === null || within(figures[bar.of], bar);
  emit({ kind: "measure", name, unit, count, ...figures, bar, passed });
}

/** A row of a table whose columns are the names of the figures. */
export function figures(name: string, values: Readonly<Record<string, number | null>>): void {
  emit({ kind: "figures", name, figures: values, bar: null, passed: true });
}

/** Holds a figure to its bar; undefined is a figure that could not be taken here, for want of a peer. */
export function bar(name: string, unit: string, value: number | undefined, limit: Limit): void {
  const passed = value === undefined || within(value, limit);
  emit({ kind: "bar", name, unit, value: value ?? null, bar: limit, passed });
}

function within(value: number, { atMost = Infinity, atLeast = -Infinity }: Limit): boolean {
  return value <= atMost && value >= atLeast;
}

/** Throws unless both are the same; the message says where they part. */
export function assertEqual(actual: Result, expected: Result, what: string): void {
  if (Array.isArray(actual) && Array.isArray(expected) && actual.length === expected.length) {
    for (let i = 0; i < actual.length; i++) assertEqual(actual[i], expected[i], `${what}, part ${i}`);
    return;
  }
  if (ArrayBuffer.isView(actual) && ArrayBuffer.isView(expected)) {
    const a = bytesOf(actual);
    const b = bytesOf(expected);
    if (a.equals(b)) return;
    let at = 0;
    while (at < a.length && a[at] === b[at]) at++;
    throw new Error(`${what} differ at byte ${at} of ${a.length} and ${b.length}: ${a[at]}, ${b[at]}`);
  }
  if (!Object.is(actual, expected)) throw new Error(`${what} differ: ${String(actual)}, ${String(expected)}`);
}

/** Seeded numbers in [0, 1): mulberry32, small and good enough for test pictures; the same on every machine. */
export function seeded(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** The value below which the share `q` of the values lies (nearest rank); sorts a copy. */
export function quantile(values: Float64Array, q: number): number {
  const sorted = values.slice().sort();
  return sorted[clamp(Math.ceil(q * sorted.length) - 1, 0, sorted.length - 1)];
}

/** ms for `calls` runs. */
function time(side: Entrant, calls: number): number {
  const start = performance.now();
  for (let i = 0; i < calls; i++) side.run();
  return performance.now() - start;
}

/**
 * Runs all sides until their optimised code is in place, and tells how many runs make a sample of each. Code is
 * optimised on other threads, so there are pauses in which those can finish.
 */
async function warm(sides: readonly Entrant[]): Promise<number[]> {
  for (let round = 0; round < 3; round++) {
    for (const side of sides) {
      let spent = 0;
      for (let n = 0; (n < 2 || spent < 40) && spent < 400; n++) spent += time(side, 1);
    }
    await sleep(20);
  }
  return sides.map((side) => {
    let calls = 1;
    while (time(side, calls) < SAMPLE_MS) calls *= 2;
    return calls;
  });
}

function middle(values: Float64Array): { median: number; spread: number } {
  return { median: quantile(values, 0.5), spread: (quantile(values, 0.75) - quantile(values, 0.25)) / 2 };
}

function bytesOf(view: ArrayBufferView): Buffer {
  return Buffer.from(view.buffer as ArrayBuffer, view.byteOffset, view.byteLength);
}

function clamp(value: number, low: number, high: number): number {
  return Math.min(Math.max(value, low), high);
}
