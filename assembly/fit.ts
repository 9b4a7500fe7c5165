import { checkpoint, NO_ROOM, STOPPED } from "./control";
import { Border, countSamples, isFine, roughness, SAMPLE, sampleArc, sampleBorder, STAIRS } from "./_border";
import { capLines } from "./_caps";
import { Course, markCorners, markLines, placeNodes } from "./_course";
import { DIGEST_BYTES } from "./_cubic";
import { drawCourse } from "./_curve";
import { Gray, moveSamples, showsGray } from "./_gray";
import { begin, lineTo, Outline, turnAround } from "./_outline";
import { fitSides, layNodes, Polygon } from "./_polygon";
import { drawKnown, forgetShapes, keepShape, Shapes, SHAPES_BYTES } from "./_shapes";
import { cutAtCorner, mergeSides, sharpenCorners } from "./_tidy";
import { placeVertices, polygonArea } from "./_vertices";
import { breakBorder, forgetWalks } from "./_reach";
import { LOOK, stage, tick, Watch } from "./_watch";

/** Modes; `src/engine/trace.ts` uses the same numbers. */
const PIXELS: i32 = 0;
const CURVES: i32 = 2;
/** Scratch beside the buffers that grow with the border: the records and a stack, see `layOut`. */
const RECORDS: usize = 2048 + DIGEST_BYTES + SHAPES_BYTES;
/** Scratch for each sample of the longest border, bytes, see `layOut`. */
const PER_SAMPLE: usize = 24 + 16 + 4 + 4 + 32 + 16 + 1 + 4 + 4 + 1 + 32 + 4;
/** Entries beyond the samples: both ends, and one for rounding addresses up. */
const MARGIN: usize = 8;
/** Corners between two checkpoints across short borders. */
const STRIDE: i32 = 256;
/** Vertices stay inside the bound by this much, px, so that what leaves them has room to bend. */
const INSIDE: f64 = 0.03;
/** How much of its area a polygon may miss before a closer one is tried. */
const AREA_SHARE: f64 = 0.2;
/** How far samples that gray has placed are off a smooth border, px: what is left by 8 bits, curvature and corners. */
const FINE: f64 = 0.18;
/** How far they may be off, in parts of their roughness. */
const NOISE: f64 = 4;
/** How many times a cubic's bound a sample may be off while its arms are rough, squared; and where gray placed the samples. */
const ROUGH: f64 = 2.25;
const FINE_ROUGH: f64 = 3;
/** One of so many cracks has a gray pixel where a border is worth the look. */
const SOFT: i32 = 8;
/** How much of the tolerance sides and cubics take for themselves where gray has placed the samples. */
const SHARE: f64 = 0.1;

/** What `fit` keeps between calls; i32[5] in memory of the caller, zero before the first. */
@unmanaged
class Cursor {
  /** Contours done in all calls. */
  contours: i32;
  /** Segments done in all calls. */
  total: i32;
  /** Segments and points of the last call. */
  segments: i32;
  points: i32;
  /** Most corners reported in all calls. */
  reported: i32;
}

/**
 * Bytes of scratch that `fit` needs, which the longest border decides.
 *
 * ends     u32[contours], corners up to and with each contour
 * points   i32[2 * corners], px
 * scratch  u8[64]
 * fine     1 when `fit` is to get gray
 * returns  the bytes, or STOPPED; reports corners
 * cost     O(corners)
 */
export function fitScratch(ends: usize, contours: i32, points: usize, scratch: usize, fine: i32): f64 {
  const watch = changetype<Watch>(scratch);
  watch.stopped = false;
  watch.most = 0;
  let most = 0;
  let from = 0;
  let seen = 0;
  for (let i = 0; i < contours; i++) {
    const end = load<i32>(ends + (<usize>i << 2));
    watch.from = from;
    watch.units = end - from;
    watch.most = from;
    most = max(most, countSamples(points + (<usize>from << 3), end - from, fine != 0, watch));
    if (watch.stopped) return STOPPED;
    if (end - seen >= STRIDE) {
      if (checkpoint(end)) return STOPPED;
      seen = end;
    }
    from = end;
  }
  return <f64>(RECORDS + (<usize>most + MARGIN) * PER_SAMPLE);
}

/**
 * Turns pixel borders into closed outlines of lines and cubics. Each crack midpoint of a border is within
 * `tolerance` + 1/2 px of its outline, and each point of the outline that near to the line through them; a border without room
 * for smoothing (4 corners, or thinner than the tolerance) keeps its corners.
 *
 * ends      u32[contours], corners up to and with each contour
 * points    i32[2 * corners], px; consecutive ones differ in one coordinate, in turns; closed without repeating
 * mode      0 the corners themselves, 1 polygons, 2 lines and cubics
 * tolerance px, >= 0
 * scale     mm per px
 * scratch   `fitScratch` bytes
 * cursor    i32[5]: contours and segments done in all calls, segments and points of this one; kept by the caller
 * outEnds   u32[contours], segments up to and with each contour
 * kinds     u8[room]: 0 line, 1 cubic
 * xy        f32[2 * pointRoom], mm: start, then 1 point for a line, 3 for a cubic
 * open      how many of the first contours are arcs: at least 2 corners, the first and the last of which are fixed ends
 * gray      u8[width * height], rows top down, that the borders were found in: black is below `threshold`; 0 without. It
 *           moves crack midpoints by about half a pixel at most, and all that is said of them here holds for where they are
 *           then. Arcs get none
 * always    1 to use gray for every border that has any, 0 only where it tells more than the stairs do
 * returns   contours done in all calls; less than `contours` when the room is full: take the output and call again.
 *           NO_ROOM when not even the next contour fits (a contour of n corners never needs more than its samples + n
 *           segments); STOPPED. Reports corners.
 * cost      O(corners + length / 4 px), 0.03 to 0.2 us a corner for cubics
 * source    stages: cone intersection (Sklansky and Gonzalez 1980), least-squares sides, corners (Selinger 2003),
 *           least-squares cubics (Schneider 1990); gray as covered area (Trujillo-Pino 2013); putting them together is own
 */
export function fit(
  ends: usize,
  contours: i32,
  points: usize,
  mode: i32,
  tolerance: f64,
  scale: f64,
  scratch: usize,
  cursor: usize,
  outEnds: usize,
  kinds: usize,
  xy: usize,
  room: i32,
  pointRoom: i32,
  open: i32,
  gray: usize,
  width: i32,
  height: i32,
  threshold: i32,
  always: i32,
): i32 {
  const state = changetype<Cursor>(cursor);
  const work = changetype<Work>(scratch);
  const begun = state.contours;
  let from = begun > 0 ? load<i32>(ends + (<usize>(begun - 1) << 2)) : 0;
  let seen = from;
  openWork(work, scratch, tolerance);
  work.gray.pixels = gray;
  work.gray.width = width;
  work.gray.height = height;
  work.gray.level = <f64>threshold - 0.5;
  work.gray.always = always != 0;
  const watch = work.watch;
  watch.most = state.reported;
  const out = work.out;
  out.kinds = kinds;
  out.xy = xy;
  out.segments = 0;
  out.points = 0;
  out.segmentRoom = room;
  out.pointRoom = pointRoom;
  out.scale = scale;
  out.full = 0;
  out.logEnd = 0;
  state.segments = 0;
  state.points = 0;
  for (let i = begun; i < contours; i++) {
    const end = load<i32>(ends + (<usize>i << 2));
    fitContour(work, points + (<usize>from << 3), from, end - from, mode, tolerance, i < open);
    state.reported = watch.most;
    if (watch.stopped) return STOPPED;
    if (out.full) return i > begun ? i : NO_ROOM;
    store<u32>(outEnds + (<usize>i << 2), state.total + out.segments - state.segments);
    state.total += out.segments - state.segments;
    state.segments = out.segments;
    state.points = out.points;
    state.contours = i + 1;
    if (end - seen >= STRIDE) {
      stage(watch, 1);
      if (tick(watch)) return STOPPED;
      seen = end;
    }
    from = end;
  }
  return contours;
}

/** The records of one call, at the start of its scratch. */
@unmanaged
class Work {
  border: Border;
  polygon: Polygon;
  course: Course;
  out: Outline;
  watch: Watch;
  gray: Gray;
  shapes: Shapes;
  /** Where buffers by sample begin. */
  buffers: usize;
}

function openWork(work: Work, scratch: usize, tolerance: f64): void {
  let p = scratch + 64;
  work.border = changetype<Border>(p);
  work.polygon = changetype<Polygon>(p + 64);
  work.out = changetype<Outline>(p + 192);
  work.watch = changetype<Watch>(p + 320);
  work.course = changetype<Course>(p + 384);
  work.gray = changetype<Gray>(p + 640);
  work.shapes = changetype<Shapes>(p + 704);
  work.polygon.scratch = p + 768;
  work.course.digest = p + 960;
  work.course.stack = p + 960 + DIGEST_BYTES;
  work.shapes.table = scratch + RECORDS - SHAPES_BYTES;
  forgetShapes(work.shapes);
  work.buffers = scratch + RECORDS;
  work.border.samples = work.buffers;
  work.watch.stopped = false;
  // slack for the rounding of outputs to f32
  work.course.bound = tolerance + 0.5 - 1e-3;
}

/** Places what grows with a border behind its n samples, which come first: it need not be known before how many they are. */
function layOut(work: Work, n: i32): void {
  const room = (<usize>n + MARGIN) & ~3;
  let p = work.buffers + room * SAMPLE;
  work.course.nodes = p;
  p += room * 32;
  work.polygon.lines = p;
  p += room * 32;
  work.polygon.vertices = p;
  p += room * 16;
  work.polygon.nodes = p;
  p += room * 16;
  work.polygon.low = p;
  p += room * 4;
  work.polygon.high = p;
  p += room * 4;
  work.polygon.before = p;
  p += room * 4;
  work.polygon.after = p;
  p += room * 4;
  work.course.u = p;
  p += room * 4;
  work.polygon.axial = p;
  p += room;
  work.course.flags = p;
}

function fitContour(
  work: Work,
  corners: usize,
  from: i32,
  count: i32,
  mode: i32,
  tolerance: f64,
  open: bool,
): void {
  const watch = work.watch;
  watch.from = from;
  watch.units = count;
  stage(watch, 0);
  const out = work.out;
  if (mode == PIXELS) {
    drawCorners(out, corners, count, open, watch);
    return;
  }
  const gray = !open && showsGray(work.gray, corners, count);
  if (count <= (open ? 2 : 4) && !gray) {
    drawCorners(out, corners, count, open, watch);
    return;
  }
  if (open || gray) {
    fitBorder(work, corners, count, mode, tolerance, open, gray);
    return;
  }
  if (drawKnown(work.shapes, corners, count, out)) return;
  const segment = out.segments;
  const point = out.points;
  const turned = fitBorder(work, corners, count, mode, tolerance, false, false);
  if (out.logEnd > 0 && !watch.stopped) keepShape(work.shapes, corners, out, segment, point, turned);
}

/** Fits one border; true when it was walked the other way and turned around. */
function fitBorder(
  work: Work,
  corners: usize,
  count: i32,
  mode: i32,
  tolerance: f64,
  open: bool,
  gray: bool,
): bool {
  const watch = work.watch;
  const border = work.border;
  const direction = open ? 1 : sample(work, corners, count, gray);
  if (open) {
    border.grain = STAIRS;
    sampleArc(corners, count, border, watch);
  }
  if (watch.stopped) return false;
  layOut(work, border.n);
  const fine = isFine(border);
  if (count <= 4 && !open && !fine) {
    drawCorners(work.out, corners, count, false, watch);
    return false;
  }
  // cubics are asked for more than the guarantee: near the bound they would look off where lines do not
  work.course.cubicBound = fine ? border.grain + SHARE * tolerance : 0.48 + 0.5 * tolerance;
  work.course.hopeless = (fine ? FINE_ROUGH : ROUGH) * work.course.cubicBound * work.course.cubicBound;
  work.out.originX = work.border.originX;
  work.out.originY = work.border.originY;
  const segment = work.out.segments;
  const point = work.out.points;
  // a radius a little over the grain lets straight borders through; what is left over goes to the cubics, if there are any
  const part = fine ? SHARE : mode == CURVES ? 0.5 : 0.75;
  let radius = border.grain + part * tolerance;
  layNodes(border, work.polygon, watch);
  if (open) forgetWalks(work.polygon);
  else cutAtCorner(work.border, work.polygon, radius, work.course.bound, work.course.nodes, watch);
  for (let attempt = 0; attempt < 3; attempt++) {
    if (makePolygon(work, radius)) {
      if (watch.stopped) return false;
      draw(work, mode);
      const turned = direction < 0 && work.out.full == 0;
      if (turned) turnAround(work.out, segment, point);
      return turned;
    }
    // thinner than the radius: both walks ran through the inside
    radius *= 0.5;
  }
  drawCorners(work.out, corners, count, open, watch);
  return false;
}

/** Samples a border, by gray if that tells more than its stairs do. Returns the direction of the walk. */
function sample(work: Work, corners: usize, count: i32, gray: bool): i32 {
  const border = work.border;
  const plane = work.gray;
  const watch = work.watch;
  border.grain = STAIRS;
  if (!gray) return sampleBorder(corners, count, border, false, watch);
  const direction = sampleBorder(corners, count, border, true, watch);
  if (watch.stopped) return direction;
  moveSamples(border, plane, watch);
  if (plane.soft > 0 && (plane.always || plane.soft * SOFT >= border.n)) {
    border.grain = min(STAIRS, max(FINE, NOISE * roughness(border, work.polygon.scratch, watch)));
    if (plane.always || isFine(border)) return direction;
  }
  return watch.stopped ? direction : sampleBorder(corners, count, border, false, watch);
}

function drawCorners(out: Outline, corners: usize, count: i32, open: bool, watch: Watch): void {
  const x = load<i32>(corners);
  const y = load<i32>(corners, 4);
  out.originX = x;
  out.originY = y;
  begin(out, 0, 0);
  for (let i = 1; i < count; i++) {
    if ((i & LOOK) == LOOK && tick(watch)) return;
    lineTo(out, load<i32>(corners + (<usize>i << 3)) - x, load<i32>(corners + (<usize>i << 3), 4) - y);
  }
  if (!open) lineTo(out, 0, 0);
}

/** False when the polygon is too poor to stand for its border. */
function makePolygon(work: Work, radius: f64): bool {
  const border = work.border;
  const polygon = work.polygon;
  const watch = work.watch;
  stage(watch, 0.1);
  if (breakBorder(border, polygon, radius, watch) < (border.open ? 1 : 3)) return watch.stopped;
  stage(watch, 0.5);
  if (!watch.stopped) capLines(border, polygon, watch);
  fitSides(border, polygon, watch);
  stage(watch, 0.6);
  if (!watch.stopped) mergeSides(border, polygon, watch);
  if (!watch.stopped) sharpenCorners(border, polygon, work.course.bound, watch);
  stage(watch, 0.65);
  placeVertices(border, polygon, work.course.bound - INSIDE, watch);
  return watch.stopped || border.open || abs(polygonArea(polygon) - border.area) < AREA_SHARE * abs(border.area);
}

function draw(work: Work, mode: i32): void {
  if (mode == CURVES) markCorners(work.border, work.polygon, work.course);
  else markLines(work.polygon, work.course);
  stage(work.watch, 0.7);
  placeNodes(work.border, work.polygon, work.course, work.watch);
  stage(work.watch, 0.8);
  if (!work.watch.stopped) drawCourse(work.border, work.polygon, work.course, work.out, work.watch);
}
