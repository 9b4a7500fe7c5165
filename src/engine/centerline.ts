import { checkFlag, checkNumber, checkOneOf, invalid } from "../errors.ts";
import { engineFunction } from "../tasker/target.ts";
import { type Bitmap, checkImage, type Image, toBitmap } from "./image.ts";
import { type Engine, type Pointer, Stages, withEngine } from "./memory.ts";
import { checkScale } from "./scale.ts";
import { checkTone, TONE_NAMES, type Tone, type ToneOptions } from "./tone.ts";
import type { Curves } from "./trace.ts";

/**
 * Middle lines of strokes: as `Curves`, but a stroke ends where it began only if it is closed. `depth` is 0 throughout.
 * A dot is one line of no length.
 */
export interface Centerlines extends Curves {
  /** Width of each stroke, mm: the middle one of those along it. */
  readonly width: Float32Array;
  /** 1 for rings. */
  readonly closed: Uint8Array;
}

export interface CenterlineOptions extends ToneOptions {
  /** Pixels per inch, > 0 (default 254: a pixel is 0.1 mm). */
  readonly dpi?: number;
  /** How far lines and curves may leave the middle that was found, mm, >= 0 (default: half a pixel). */
  readonly tolerance?: number;
  /** Drops strokes that are shorter than this many pixels, from end to end of their ink (default 2; 0 keeps all). */
  readonly minLengthPx?: number;
  /** Drops side branches that reach no farther than this many widths of their stroke, >= 0 (default 1; 0 keeps all). */
  readonly spurs?: number;
  /** Goes straight on through crossings (default true); otherwise strokes end at each. */
  readonly join?: boolean;
}

const OPTIONS = [...TONE_NAMES, "dpi", "tolerance", "minLengthPx", "spurs", "join"] as const;
/** Parts of the whole work. */
const SHARES = {
  bitmap: 0.15,
  close: 0.02,
  thin: 0.33,
  trim: 0.02,
  list: 0.08,
  follow: 0.06,
  prune: 0.02,
  center: 0.16,
  join: 0.04,
  plan: 0.02,
  draw: 0.1,
};
/** Bytes of the kernels' records: `assembly/_graph.ts`. */
const GRAPH = 128;
const PIXEL = 16;
const BRANCH = 12;
const HALF = 16;

/**
 * Traces the middle lines of the black strokes of a picture, in mm, y down, the origin at the picture's top left corner:
 * for drawings that are to be followed once, not around. A line begins and ends half a width before the end of its ink,
 * so that a pen of that width draws the same. Lines go straight through crossings; rings stay closed. Solid areas give
 * whatever line is left when they are thinned from all sides. A picture without black gives no strokes. The image is
 * read and not kept; the arrays are fresh.
 *
 * @throws INVALID_ARGUMENT   an image or an option that breaks its contract, or an option of another name
 * @throws OUT_OF_MEMORY      more pixels or strokes than kernel memory holds
 * @throws CANCELED           the task that runs it was canceled
 * Cost: one read of the picture, then time by its black pixels. Memory: at most 0.8 bytes a pixel of the picture,
 * beside the gray that "otsu" keeps while it looks at it; about 100 bytes for each pixel of the lines, 250 for each branch.
 * @example traceCenterline(image, { dpi: 300 }).closed
 */
export const traceCenterline = engineFunction(
  "traceCenterline",
  (image: Image, options: CenterlineOptions = {}): Centerlines => {
    const checked = checkOptions(options, checkImage(image));
    return withEngine((engine) => {
      const stages = new Stages();
      const { bitmap } = toBitmap(engine, image, checked.tone, stages, SHARES.bitmap);
      return traceStrokes(engine, bitmap, checked, stages);
    });
  },
);

export interface StrokeOptions {
  readonly mmPerPx: number;
  readonly tolerancePx: number;
  readonly minLengthPx: number;
  readonly spurs: number;
  readonly join: boolean;
}

interface CheckedOptions extends StrokeOptions {
  readonly tone: Tone;
}

function checkOptions(options: CenterlineOptions, channels: number): CheckedOptions {
  if (typeof options !== "object" || options === null) throw invalid("options", "an object", options);
  for (const name of Object.keys(options)) checkOneOf("option", name, OPTIONS);
  const { minLengthPx = 2, spurs = 1 } = options;
  const { join = true } = options;
  const scale = checkScale(options);
  checkNumber("minLengthPx", minLengthPx, { min: 0 });
  checkNumber("spurs", spurs, { min: 0 });
  checkFlag("join", join);
  const tone = checkTone(options, channels);
  return { tone, ...scale, minLengthPx, spurs, join };
}

/** A skeleton in kernel memory: see `thin` and `trimSkeleton`. */
interface Skeleton {
  readonly at: Pointer;
  readonly pixels: number;
}

/** Thins a bitmap of so many black pixels; the skeleton stays allocated on `engine`, 1 bit a pixel. */
export function thinned(engine: Engine, bitmap: Bitmap, black: number, stages: Stages): Skeleton {
  const { at, words, height } = bitmap;
  const { kernels } = engine;
  const total = (words + 1) * (height + 2);
  const skel = engine.alloc(8 * (total + 1));
  const mark = engine.mark();
  const lists = engine.alloc(8 * total);
  const marks = engine.alloc(total + 1);
  const gone = engine.alloc(8 * total);
  const state = engine.alloc(16);
  const pixels = stages.run(SHARES.thin, black, () =>
    kernels.thin(at, words, height, skel, lists, marks, gone, state),
  );
  engine.release(mark);
  const loose = stages.run(SHARES.trim, height, () => kernels.trimSkeleton(skel, words, height));
  return { at: skel, pixels: pixels - loose };
}

/** Traces the strokes of a bitmap; what is allocated on `engine` may be given back afterwards. */
export function traceStrokes(
  engine: Engine,
  bitmap: Bitmap,
  options: StrokeOptions,
  stages: Stages,
): Centerlines {
  const { words, height } = bitmap;
  const { kernels } = engine;
  const at = engine.alloc(8 * words * height);
  const black = stages.run(SHARES.close, height, () => kernels.closePinholes(bitmap.at, words, height, at));
  const skel = thinned(engine, { ...bitmap, at }, black, stages);
  const n = skel.pixels;

  const rank = engine.alloc(4 * ((words + 1) * (height + 2) + 1));
  stages.run(SHARES.list * 0.2, height, () => kernels.rankSkeleton(skel.at, words, height, rank));
  const graph = engine.alloc(GRAPH);
  const pixels = engine.alloc(PIXEL * n);
  kernels.layGraph(graph, at, words, height, skel.at, rank, n, pixels);
  stages.run(SHARES.list * 0.8, height, () => kernels.listSkeleton(graph));

  const most = stages.run(SHARES.follow * 0.2, n, () => kernels.followBranches(graph, 0));
  const [chain, parent, head, degree, wide] = Array.from({ length: 5 }, () => engine.alloc(4 * n)) as [
    Pointer,
    Pointer,
    Pointer,
    Pointer,
    Pointer,
  ];
  const xy = engine.alloc(8 * n);
  const branch = engine.alloc(BRANCH * most);
  const half = engine.alloc(2 * HALF * most);
  kernels.layBranches(graph, chain, branch, half, parent, head, degree, xy, wide);
  const branches = stages.run(SHARES.follow * 0.8, n, () => kernels.followBranches(graph, 1));
  stages.run(SHARES.prune, n, () => kernels.pruneSpurs(graph, options.spurs));

  const mark = engine.mark();
  const rough = engine.alloc(12 * n);
  stages.run(SHARES.center, n, () => kernels.centerBranches(graph, rough));
  engine.release(mark);
  const arms = engine.alloc(1024);
  stages.run(SHARES.join, branches + n, () => kernels.joinBranches(graph, options.join ? 1 : 0, arms));

  const starts = engine.alloc(4 * branches);
  const places = engine.alloc(4 * branches);
  const plan = engine.alloc(16);
  const strokes = stages.run(SHARES.plan, 2 * branches, () =>
    kernels.planStrokes(graph, starts, places, plan),
  );
  const [, longest, samples] = engine.i32(plan, 3) as unknown as [number, number, number];
  const scratch = engine.alloc(8192 + 24 * longest);
  const ends = engine.alloc(4 * strokes);
  const kinds = engine.alloc(samples);
  const out = engine.alloc(8 * samples);
  const width = engine.alloc(4 * strokes);
  const closed = engine.alloc(strokes);
  const { tolerancePx, minLengthPx, mmPerPx } = options;
  const drawn = stages.run(SHARES.draw, n, () =>
    kernels.drawStrokes(
      graph,
      starts,
      places,
      plan,
      tolerancePx,
      minLengthPx,
      mmPerPx,
      scratch,
      ends,
      kinds,
      out,
      width,
      closed,
    ),
  );
  const segments = drawn === 0 ? 0 : engine.u32(ends, drawn)[drawn - 1]!;
  const points = engine.i32(plan, 4)[3]!;
  return {
    ends: engine.u32(ends, drawn).slice(),
    kinds: engine.u8(kinds, segments).slice(),
    xy: engine.f32(out, 2 * points).slice(),
    depth: new Uint16Array(drawn),
    width: engine.f32(width, drawn).slice(),
    closed: engine.u8(closed, drawn).slice(),
  };
}
