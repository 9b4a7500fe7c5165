// Clipper2, compiled to Wasm, as an oracle for what regions become: paths in, area out, on the same grid.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { Paths } from "kerfwork";

const STEPS = 10_000;

interface Path64 {
  assign(triples: BigInt64Array): void;
  view(): BigInt64Array;
  delete(): void;
}

interface Paths64 {
  push_back(path: Path64): void;
  size(): number;
  get(i: number): Path64;
  delete(): void;
}

type Word = { readonly value: number };

interface Clipper2 {
  readonly Path64: new () => Path64;
  readonly Paths64: new () => Paths64;
  readonly FillRule: Record<"EvenOdd" | "NonZero", Word>;
  readonly JoinType: Record<"Round" | "Miter" | "Square", Word>;
  readonly EndType: Record<"Polygon" | "Butt" | "Square" | "Round", Word>;
  readonly Intersect64: Combine;
  readonly Union64: Combine;
  readonly Difference64: Combine;
  readonly Xor64: Combine;
  UnionSelf64(paths: Paths64, rule: Word): Paths64;
  AreaPaths64(paths: Paths64): number;
  InflatePaths64(
    paths: Paths64,
    delta: number,
    join: Word,
    end: Word,
    miter: number,
    tolerance: number,
  ): Paths64;
}

type Combine = (subject: Paths64, clip: Paths64, rule: Word) => Paths64;

const file = createRequire(import.meta.url).resolve("clipper2-wasm/dist/es/clipper2z.wasm");
const { default: load } = (await import("clipper2-wasm/dist/es/clipper2z.js" as string)) as {
  default(options: { wasmBinary: Uint8Array }): Promise<Clipper2>;
};
const clipper = await load({ wasmBinary: readFileSync(file) });

const RULES = { evenodd: clipper.FillRule.EvenOdd, nonzero: clipper.FillRule.NonZero };
const JOINS = {
  round: clipper.JoinType.Round,
  miter: clipper.JoinType.Miter,
  square: clipper.JoinType.Square,
};
const ENDS = { round: clipper.EndType.Round, butt: clipper.EndType.Butt, square: clipper.EndType.Square };
const COMBINE = {
  union: clipper.Union64,
  intersect: clipper.Intersect64,
  subtract: clipper.Difference64,
  exclude: clipper.Xor64,
};

/** Runs `body` with a way to own what lies in Clipper's memory, which is given back. */
function owning<R>(body: (own: <T extends { delete(): void }>(thing: T) => T) => R): R {
  const owned: { delete(): void }[] = [];
  try {
    return body((thing) => {
      owned.push(thing);
      return thing;
    });
  } finally {
    for (const thing of owned) thing.delete();
  }
}

function paths64({ ends, xy }: Paths, own: <T extends { delete(): void }>(thing: T) => T): Paths64 {
  const list = own(new clipper.Paths64());
  ends.forEach((end, i) => {
    const first = i === 0 ? 0 : ends[i - 1]!;
    const closed = xy[2 * first] === xy[2 * end - 2] && xy[2 * first + 1] === xy[2 * end - 1];
    const points = end - first - Number(closed);
    const triples = new BigInt64Array(3 * points);
    for (let k = 0; k < points; k++) {
      triples[3 * k] = BigInt(Math.round(xy[2 * (first + k)]! * STEPS));
      triples[3 * k + 1] = BigInt(Math.round(xy[2 * (first + k) + 1]! * STEPS));
    }
    const path = own(new clipper.Path64());
    path.assign(triples);
    list.push_back(path);
  });
  return list;
}

/** Area of what `combine` should give, mm2. */
export function combinedArea(
  operation: keyof typeof COMBINE,
  subject: Paths,
  clip: Paths,
  rule: keyof typeof RULES,
): number {
  return owning((own) => {
    const result = own(COMBINE[operation](paths64(subject, own), paths64(clip, own), RULES[rule]));
    return clipper.AreaPaths64(result) / STEPS ** 2;
  });
}

/** Area of what paths enclose by a rule, mm2. */
export function enclosedArea(paths: Paths, rule: keyof typeof RULES): number {
  return owning(
    (own) => clipper.AreaPaths64(own(clipper.UnionSelf64(paths64(paths, own), RULES[rule]))) / STEPS ** 2,
  );
}

export interface Inflation {
  readonly distance: number;
  readonly join?: keyof typeof JOINS;
  readonly cap?: keyof typeof ENDS;
  readonly miterLimit?: number;
  readonly tolerance?: number;
  readonly open?: boolean;
}

/** Area of paths moved outwards, mm2; closed ones are made one region first, by the even-odd rule. */
export function offsetArea(paths: Paths, options: Inflation): number {
  const { distance, join = "round", cap = "round", miterLimit = 2, tolerance = 0.01, open = false } = options;
  return owning((own) => {
    const given = paths64(paths, own);
    const region = open ? given : own(clipper.UnionSelf64(given, RULES.evenodd));
    const end = open ? ENDS[cap] : clipper.EndType.Polygon;
    const moved = own(
      clipper.InflatePaths64(region, distance * STEPS, JOINS[join], end, miterLimit, tolerance * STEPS),
    );
    return clipper.AreaPaths64(moved) / STEPS ** 2;
  });
}
