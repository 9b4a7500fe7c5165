// Course to outline: straight sides as lines, bends in groups that one cubic follows if it can.
import { Border } from "./_border";
import { CORNER, Course, flagsOf, node, STRAIGHT } from "./_course";
import { fitCubic } from "./_cubic";
import { begin, cubicTo, lineWithin, Outline } from "./_outline";
import { at, Polygon } from "./_polygon";
import { LOOK, tick, Watch } from "./_watch";

/** Sides that one cubic may replace: bounds the work, since each halving of a group looks at its samples again. */
const GROUP: i32 = 16;
/** A cubic is tried over so many times the sides that the one before it could replace. */
const AHEAD: i32 = 4;

/** Writes the closed outline. */
export function drawCourse(border: Border, polygon: Polygon, course: Course, out: Outline, watch: Watch): void {
  const m = polygon.m;
  begin(out, load<f64>(node(course, 0)), load<f64>(node(course, 0), 8));
  let i = 0;
  let seen = 0;
  while (i < m && out.full == 0) {
    const sample = at(polygon.before, i);
    if (sample - seen > LOOK) {
      if (tick(watch)) return;
      seen = sample;
    }
    if (flagsOf(course, i) & STRAIGHT) {
      drawSide(border, polygon, course, i, out);
      i++;
      continue;
    }
    // a run of bends from one corner or straight side to the next, cut evenly into groups
    let end = i + 1;
    while (end < m && (flagsOf(course, end) & (CORNER | STRAIGHT)) == 0) end++;
    const groups = (end - i + GROUP - 1) / GROUP;
    for (let g = 0; g < groups && out.full == 0; g++) {
      const a = i + (<i32>((<i64>(end - i) * g) / groups));
      const b = i + (<i32>((<i64>(end - i) * (g + 1)) / groups));
      if (g > 0 && tick(watch)) return;
      drawGroup(border, polygon, course, a, b, out);
    }
    i = end;
  }
}

function drawSide(border: Border, polygon: Polygon, course: Course, i: i32, out: Outline): void {
  const to = node(course, i + 1);
  lineWithin(
    out,
    border,
    at(polygon.after, i),
    at(polygon.before, i + 1),
    load<f64>(to),
    load<f64>(to, 8),
    course.bound,
    course.stack,
  );
}

/** Draws sides a..b - 1 with as few cubics as follow the samples: one, or halves of it; a single side may end as a line. */
function drawGroup(border: Border, polygon: Polygon, course: Course, a: i32, b: i32, out: Outline): void {
  const end = b;
  course.began = -1;
  while (a < end) {
    if (fitCubic(border, polygon, course, a, b)) {
      cubicTo(
        out,
        course.ax + course.armA * course.aux,
        course.ay + course.armA * course.auy,
        course.bx + course.armB * course.bux,
        course.by + course.armB * course.buy,
        course.bx,
        course.by,
      );
    } else if (b - a > 1) {
      b = (a + b) >> 1;
      continue;
    } else drawSide(border, polygon, course, a, out);
    // what follows bends much the same
    const next = b + AHEAD * (b - a);
    a = b;
    b = min(end, next);
  }
}
