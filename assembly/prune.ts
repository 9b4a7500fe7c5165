import { checkpoint, STOPPED } from "./control";
import {
  BRANCH, chainAt, countOf, degreeOf, drop, flagsOf, firstOf, GONE, Graph, half, headOf, jointOf, leaveRing, LOOP, nextOf,
  pixelX, pixelY, place, radius, rootAt, rootOf,
} from "./_graph";

const BATCH: i32 = 256;
/** Most branches of a joint that is looked at: what has more is a texture. */
const CROWD: i32 = 256;
/** Times that all joints are looked at: what is left after a spur went may be one itself. */
const PASSES: i32 = 8;

/**
 * Takes spurs away: branches whose ink reaches no farther from the middle of their joint than `spurs` times the width
 * of the stroke there. A joint that has only spurs becomes a dot.
 *
 * graph    `Graph` as `followBranches` left it
 * spurs    >= 0; 0 keeps all
 * returns  0, or STOPPED; reports pixels, of n
 * cost     O(pixels), at most 8 passes over them
 * source   own
 */
export function pruneSpurs(graph: usize, spurs: f64): i32 {
  const g = changetype<Graph>(graph);
  if (spurs == 0) return 0;
  for (let pass = 0; pass < PASSES; pass++) {
    let changed = false;
    for (let id = 0; id < g.n; id++) {
      const n = degreeOf(g, id);
      if (n > 2 && n <= CROWD && rootOf(g, id) == id && pruneJoint(g, id, 2 * spurs * radius(g, id))) changed = true;
      if ((id & (BATCH - 1)) == 0 && checkpoint(<i32>((<f64>pass * g.n + id) / PASSES))) return STOPPED;
    }
    if (!changed) break;
  }
  return 0;
}

/** How far the way from half h leads, px, when it ends within `limit`; Infinity when it is no spur. */
function spurLength(g: Graph, h: i32, limit: f64): f64 {
  const x = pixelX(g, jointOf(g, h));
  const y = pixelY(g, jointOf(g, h));
  let places = 0;
  while (true) {
    const far = h ^ 1;
    places += countOf(g, h >> 1);
    if (places > limit) return Infinity;
    const joint = rootAt(g, far);
    if (joint < 0) {
      const tip = chainAt(g, place(g, far, 0));
      const dx = pixelX(g, tip) - x;
      const dy = pixelY(g, tip) - y;
      // a stroke ends as wide as it is, and what runs into a corner does not
      const length = max(<f64>places, Math.sqrt(dx * dx + dy * dy)) + radius(g, tip) - 0.5;
      return length <= limit ? length : Infinity;
    }
    if (degreeOf(g, joint) != 2) return Infinity;
    h = nextOf(g, far);
    if (h == far) return Infinity;
  }
}

function pruneJoint(g: Graph, joint: i32, limit: f64): bool {
  const n = degreeOf(g, joint);
  let found = 0;
  let h = headOf(g, joint);
  for (let i = 0; i < n; i++) {
    if (spurLength(g, h, limit) < Infinity) found++;
    h = nextOf(g, h);
  }
  if (found == 0) return false;
  if (found == n) {
    makeDot(g, joint, n);
    return true;
  }
  h = headOf(g, joint);
  for (let i = 0; i < n; i++) {
    const next = nextOf(g, h);
    if (spurLength(g, h, limit) < Infinity) dropWay(g, h);
    h = next;
  }
  // what alone is left ends here
  if (n - found == 1) leaveRing(g, headOf(g, joint));
  return true;
}

/** Takes a spur away, with all joints on its way. */
function dropWay(g: Graph, h: i32): void {
  while (true) {
    const far = h ^ 1;
    const joint = rootAt(g, far);
    const next = joint < 0 ? -1 : nextOf(g, far);
    drop(g, h >> 1);
    if (next < 0) return;
    h = next;
  }
}

function makeDot(g: Graph, joint: i32, n: i32): void {
  const kept = headOf(g, joint) >> 1;
  for (let i = 0; i < n; i++) dropWay(g, headOf(g, joint));
  const record = g.branch + <usize>kept * BRANCH;
  store<i32>(g.chain + (<usize>firstOf(g, kept) << 2), joint);
  store<i32>(record, 1, 4);
  store<i32>(record, flagsOf(g, kept) & ~GONE & ~LOOP, 8);
  store<i32>(half(g, 2 * kept), -1);
  store<i32>(half(g, 2 * kept + 1), -1);
}
