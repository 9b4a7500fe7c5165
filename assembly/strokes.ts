import { checkpoint, STOPPED } from "./control";
import { Arm } from "./_arm";
import { countOf, DRAWN, flag, flagsOf, GONE, Graph, LOOP, partnerOf } from "./_graph";
import { drawSamples, Fit, prepare } from "./_openfit";
import { begin, lineTo, Outline } from "./_outline";
import { gather, MORE, Stroke, sx, sy } from "./_stroke";

const BATCH: i32 = 256;

/** What `planStrokes` finds; i32[4] in memory of the caller. */
@unmanaged
class Plan {
  strokes: i32;
  /** Samples of the longest stroke, and of all. */
  longest: i32;
  samples: i32;
  /** Points drawn. */
  points: i32;
}

/** Where things lie in the scratch of `drawStrokes`: records, then widths, a stack, and the samples. */
const FIT: usize = 256;
const OUT: usize = 512;
const ARM_A: usize = 768;
const ARM_B: usize = 832;
const WIDTHS: usize = 1024;
const STACK: usize = 4096;
const SAMPLES: usize = 8192;

/**
 * Lists strokes: chains of branches over partners, open ones first.
 *
 * graph    `Graph` as `joinBranches` left it
 * starts   u32[branches], written: the half that each stroke begins at
 * places   u32[branches], written: places of its branches
 * plan     i32[4], written: strokes, samples of the longest and of all
 * returns  strokes, or STOPPED; reports branches, twice over
 * cost     O(branches)
 * source   own
 */
export function planStrokes(graph: usize, starts: usize, places: usize, plan: usize): i32 {
  const g = changetype<Graph>(graph);
  const p = changetype<Plan>(plan);
  p.strokes = 0;
  p.longest = 0;
  p.samples = 0;
  for (let pass = 0; pass < 2; pass++) {
    for (let b = 0; b < g.branches; b++) {
      if ((b & (BATCH - 1)) == 0 && checkpoint(pass * g.branches + b)) return STOPPED;
      if (flagsOf(g, b) & (GONE | DRAWN)) continue;
      const h = partnerOf(g, 2 * b) < 0 ? 2 * b : 2 * b + 1;
      const ring = partnerOf(g, h) >= 0 || (flagsOf(g, b) & LOOP) != 0;
      if (ring && pass == 0) continue;
      let k = h;
      let total = 0;
      let samples = 4;
      do {
        flag(g, k >> 1, DRAWN);
        total += countOf(g, k >> 1);
        samples += countOf(g, k >> 1);
        k = partnerOf(g, k ^ 1);
        if (k >= 0) samples += MORE;
      } while (k >= 0 && k != h);
      store<u32>(starts + (<usize>p.strokes << 2), h);
      store<u32>(places + (<usize>p.strokes << 2), total);
      p.strokes++;
      p.longest = max(p.longest, samples);
      p.samples += samples;
    }
  }
  return p.strokes;
}

/**
 * Draws strokes as lines and cubics.
 *
 * graph      `Graph` as `planStrokes` left it
 * starts, places, plan   as `planStrokes` left them; the fourth number of plan becomes the points drawn
 * tolerance  px, >= 0
 * least      px: strokes whose line and width together are shorter are left out
 * scale      mm per px
 * scratch    u8[8192 + 24 * longest]
 * ends       u32[strokes], written: segments up to and with each stroke
 * kinds      u8[samples], xy f32[2 * samples], written as for `fit`, in mm
 * width      f32[strokes] mm, closed u8[strokes], written
 * returns    strokes drawn, or STOPPED; reports samples
 * cost       O(samples * log(samples))
 * source   Schneider 1990 for the cubics; the rest own
 */
export function drawStrokes(
  graph: usize,
  starts: usize,
  places: usize,
  plan: usize,
  tolerance: f64,
  least: f64,
  scale: f64,
  scratch: usize,
  ends: usize,
  kinds: usize,
  xy: usize,
  width: usize,
  closed: usize,
): i32 {
  const g = changetype<Graph>(graph);
  const p = changetype<Plan>(plan);
  const s = changetype<Stroke>(scratch);
  const fit = changetype<Fit>(scratch + FIT);
  const out = changetype<Outline>(scratch + OUT);
  s.a = changetype<Arm>(scratch + ARM_A);
  s.b = changetype<Arm>(scratch + ARM_B);
  s.widths = scratch + WIDTHS;
  fit.stack = scratch + STACK;
  s.samples = scratch + SAMPLES;
  fit.tolerance = tolerance;
  out.kinds = kinds;
  out.xy = xy;
  out.segments = 0;
  out.points = 0;
  out.segmentRoom = p.samples;
  out.pointRoom = p.samples;
  out.originX = 0;
  out.originY = 0;
  out.scale = scale;
  out.full = 0;
  out.logEnd = 0;
  let n = 0;
  let done = 0;
  for (let i = 0; i < p.strokes; i++) {
    const h = load<i32>(starts + (<usize>i << 2));
    const total = load<i32>(places + (<usize>i << 2));
    const ring = partnerOf(g, h) >= 0 || (flagsOf(g, h >> 1) & LOOP) != 0;
    if (checkpoint(done)) return STOPPED;
    gather(g, s, h, ring, total);
    done += total;
    if (isDust(s, least)) continue;
    prepare(s, fit);
    begin(out, sx(s, s.from), sy(s, s.from));
    if (s.to - s.from == 1) lineTo(out, sx(s, s.from), sy(s, s.from));
    else if (!drawSamples(s, fit, out, done)) return STOPPED;
    store<u32>(ends + (<usize>n << 2), out.segments);
    store<f32>(width + (<usize>n << 2), <f32>(s.width * scale));
    store<u8>(closed + <usize>n, s.closed ? 1 : 0);
    n++;
  }
  p.points = out.points;
  return n;
}

function isDust(s: Stroke, least: f64): bool {
  let length = s.width;
  for (let i = s.from + 1; i < s.to && length < least; i++) {
    const dx = sx(s, i) - sx(s, i - 1);
    const dy = sy(s, i) - sy(s, i - 1);
    length += Math.sqrt(dx * dx + dy * dy);
  }
  return length < least;
}
