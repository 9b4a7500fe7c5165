import { checkpoint, STOPPED } from "./control";
import { Arm, lookAlong, straightness } from "./_arm";
import {
  countOf, degreeOf, drop, flagsOf, GONE, Graph, half, headOf, jointOf, nextOf, partnerOf, pixelX, pixelY, radius, rootAt, rootOf,
  unite,
} from "./_graph";

const BATCH: i32 = 64;
/** Arms of a joint that are held against each other; more than that is no drawing. */
const ARMS: i32 = 12;
/** Bytes of an arm. */
const ARM: usize = 32;
/** Least straightness of two arms that are one stroke: about 45 degrees, and 65 where all arms come in pairs. */
const STRAIGHT: f64 = 0.7;
const PAIRED: f64 = 0.4;

/**
 * Makes strokes of branches. Two joints are one where one crossing tore them apart: strokes go straight through both, or
 * the ink around one reaches the other. Then at each joint the straightest two arms become one stroke, and so on.
 *
 * graph    `Graph` as `centerBranches` left it; partners are written
 * join     0 only goes on where two arms are left
 * scratch  u8[1024]
 * returns  0, or STOPPED; reports branches and pixels, of branches + n
 * cost     O(branches + pixels)
 * source   own; after Hilaire and Tombre 2006, Noris 2013
 */
export function joinBranches(graph: usize, join: i32, scratch: usize): i32 {
  const g = changetype<Graph>(graph);
  for (let b = 0; b < g.branches; b++) {
    if ((flagsOf(g, b) & GONE) == 0 && isBridge(g, b, scratch)) {
      const a = jointOf(g, 2 * b);
      const c = jointOf(g, 2 * b + 1);
      drop(g, b);
      unite(g, a, c);
    }
    if ((b & (BATCH - 1)) == 0 && checkpoint(b)) return STOPPED;
  }
  for (let id = 0; id < g.n; id++) {
    if (degreeOf(g, id) > 1 && rootOf(g, id) == id) pairArms(g, id, join, scratch);
    if ((id & (BATCH - 1)) == 0 && checkpoint(g.branches + id)) return STOPPED;
  }
  return 0;
}

@inline function arm(scratch: usize, i: i32): Arm {
  return changetype<Arm>(scratch + <usize>i * ARM);
}

function isBridge(g: Graph, b: i32, scratch: usize): bool {
  const h = 2 * b;
  const a = rootAt(g, h);
  const c = rootAt(g, h + 1);
  if (a < 0 || c < 0) return false;
  const dx = pixelX(g, jointOf(g, h)) - pixelX(g, jointOf(g, h + 1));
  const dy = pixelY(g, jointOf(g, h)) - pixelY(g, jointOf(g, h + 1));
  const length = max(<f64>countOf(g, b) + 1, Math.sqrt(dx * dx + dy * dy));
  const ra = radius(g, jointOf(g, h));
  const rc = radius(g, jointOf(g, h + 1));
  if (a == c) return length <= 2 * ra + 1;
  const wide = length > max(ra, rc);
  if (length > 1.5 * (ra + rc) + 4) return false;
  if (degreeOf(g, a) != 3 || degreeOf(g, c) != 3) return length <= max(ra, rc) + 1;
  const a1 = nextOf(g, h);
  const a2 = nextOf(g, a1);
  const c1 = nextOf(g, h + 1);
  const c2 = nextOf(g, c1);
  // a way round a hole comes back
  if (a1 >> 1 == b || a2 >> 1 == b || a1 >> 1 == c1 >> 1 || a1 >> 1 == c2 >> 1 || a2 >> 1 == c1 >> 1 || a2 >> 1 == c2 >> 1)
    return !wide;
  lookAlong(g, a1, arm(scratch, 0));
  lookAlong(g, a2, arm(scratch, 1));
  lookAlong(g, c1, arm(scratch, 2));
  lookAlong(g, c2, arm(scratch, 3));
  const through = max(
    min(straightness(arm(scratch, 0), arm(scratch, 2)), straightness(arm(scratch, 1), arm(scratch, 3))),
    min(straightness(arm(scratch, 0), arm(scratch, 3)), straightness(arm(scratch, 1), arm(scratch, 2))),
  );
  const past = min(straightness(arm(scratch, 0), arm(scratch, 1)), straightness(arm(scratch, 2), arm(scratch, 3)));
  if (past >= STRAIGHT && past > through) return false;
  return through >= STRAIGHT || (through >= PAIRED && through > past + 0.3) || !wide;
}

function marry(g: Graph, a: i32, b: i32): void {
  store<i32>(half(g, a), b, 12);
  store<i32>(half(g, b), a, 12);
}

function pairArms(g: Graph, joint: i32, join: i32, scratch: usize): void {
  const n = degreeOf(g, joint);
  const head = headOf(g, joint);
  if (n == 2) {
    marry(g, head, nextOf(g, head));
    return;
  }
  if (join == 0) return;
  const arms = min(n, ARMS);
  let h = head;
  for (let i = 0; i < arms; i++) {
    lookAlong(g, h, arm(scratch, i));
    store<i32>(scratch + <usize>ARMS * ARM + (<usize>i << 2), h);
    h = nextOf(g, h);
  }
  const halves = scratch + <usize>ARMS * ARM;
  const least = n & 1 ? STRAIGHT : PAIRED;
  for (let round = 0; round < arms / 2; round++) {
    let best = least;
    let a = -1;
    let b = -1;
    for (let i = 0; i < arms; i++) {
      const hi = load<i32>(halves + (<usize>i << 2));
      if (partnerOf(g, hi) >= 0) continue;
      for (let j = i + 1; j < arms; j++) {
        const hj = load<i32>(halves + (<usize>j << 2));
        if (partnerOf(g, hj) >= 0) continue;
        const s = straightness(arm(scratch, i), arm(scratch, j));
        if (s > best) {
          best = s;
          a = hi;
          b = hj;
        }
      }
    }
    if (a < 0) return;
    marry(g, a, b);
  }
}
