// Clipper2 as people use it from JavaScript: compiled to Wasm, and ported to TypeScript. Both work on whole numbers; they
// get the grid that kerfwork works on, a tenth of a micrometre.
import { readFileSync } from "node:fs";
import type { Paths } from "../src/engine/index.ts";
import { peer, peerFile } from "./peers.ts";

const STEPS = 10_000;

export type Operation = "union" | "intersect" | "subtract";

/** A peer on one input, or two for `combine`; each call leaves its result for `area` and `take`. */
export interface Clipper {
  /** Moves outlines outwards with round joins, mm. */
  offset(distance: number, tolerance: number): void;
  /** `count` times inwards, each time from the result before. */
  rings(count: number, step: number, tolerance: number): void;
  combine(operation: Operation): void;
  /** Reads the input in again. */
  give(): void;
  /** Reads the result out, to flat numbers; returns how many points it has. */
  take(): number;
  /** mm2. */
  area(): number;
}

interface Freed {
  delete(): void;
}
interface WasmPath extends Freed {
  assign(triples: BigInt64Array): void;
  view(): BigInt64Array;
}
interface WasmPaths extends Freed {
  push_back(path: WasmPath): void;
  size(): number;
  get(i: number): WasmPath;
}
interface Module {
  readonly Path64: new () => WasmPath;
  readonly Paths64: new () => WasmPaths;
  readonly FillRule: { readonly EvenOdd: unknown };
  readonly JoinType: { readonly Round: unknown };
  readonly EndType: { readonly Polygon: unknown };
  readonly Union64: Combine;
  readonly Intersect64: Combine;
  readonly Difference64: Combine;
  AreaPaths64(paths: WasmPaths): number;
  InflatePaths64(
    paths: WasmPaths,
    delta: number,
    join: unknown,
    end: unknown,
    miter: number,
    tolerance: number,
  ): WasmPaths;
}
type Combine = (subject: WasmPaths, clip: WasmPaths, rule: unknown) => WasmPaths;

/** Clipper2 in Wasm; undefined where it is not installed. */
export async function clipperWasm(): Promise<((subject: Paths, clip?: Paths) => Clipper) | undefined> {
  const script = peerFile("clipper2-wasm", "dist/es/clipper2z.js");
  const binary = peerFile("clipper2-wasm", "dist/es/clipper2z.wasm");
  if (script === undefined || binary === undefined) return undefined;
  const { default: load } = (await import(`file://${script}`)) as {
    default(options: { wasmBinary: Uint8Array }): Promise<Module>;
  };
  const module = await load({ wasmBinary: readFileSync(binary) });
  const combine = { union: module.Union64, intersect: module.Intersect64, subtract: module.Difference64 };
  const inflate = (paths: WasmPaths, distance: number, tolerance: number): WasmPaths =>
    module.InflatePaths64(
      paths,
      distance * STEPS,
      module.JoinType.Round,
      module.EndType.Polygon,
      2,
      tolerance * STEPS,
    );
  return (subject, clip) => {
    let given = [subject, ...(clip ? [clip] : [])].map((paths) => toWasm(module, paths));
    let result = new module.Paths64();
    const put = (next: WasmPaths): void => {
      result.delete();
      result = next;
    };
    return {
      offset: (distance, tolerance) => put(inflate(given[0]!, distance, tolerance)),
      rings(count, step, tolerance) {
        put(inflate(given[0]!, -step, tolerance));
        for (let k = 1; k < count; k++) put(inflate(result, -step, tolerance));
      },
      combine: (operation) => put(combine[operation](given[0]!, given[1]!, module.FillRule.EvenOdd)),
      give() {
        for (const paths of given) paths.delete();
        given = [subject, ...(clip ? [clip] : [])].map((paths) => toWasm(module, paths));
      },
      take() {
        let points = 0;
        for (let i = 0; i < result.size(); i++) {
          const path = result.get(i);
          const triples = path.view();
          const xy = new Float32Array((2 * triples.length) / 3);
          for (let k = 0, to = 0; k < triples.length; k += 3) {
            xy[to++] = Number(triples[k]) / STEPS;
            xy[to++] = Number(triples[k + 1]) / STEPS;
          }
          points += xy.length / 2;
          path.delete();
        }
        return points;
      },
      area: () => module.AreaPaths64(result) / STEPS ** 2,
    };
  };
}

function toWasm(module: Module, { ends, xy }: Paths): WasmPaths {
  const paths = new module.Paths64();
  let first = 0;
  for (const end of ends) {
    const points = end - 1 - first;
    const triples = new BigInt64Array(3 * points);
    for (let k = 0; k < points; k++) {
      triples[3 * k] = BigInt(Math.round(xy[2 * (first + k)]! * STEPS));
      triples[3 * k + 1] = BigInt(Math.round(xy[2 * (first + k) + 1]! * STEPS));
    }
    const path = new module.Path64();
    path.assign(triples);
    paths.push_back(path);
    path.delete();
    first = end;
  }
  return paths;
}

interface Point {
  readonly x: number;
  readonly y: number;
}

/** Clipper2 in TypeScript, for offsets only; undefined where it is not installed. */
export async function clipperTs(): Promise<
  ((subject: Paths) => Pick<Clipper, "offset" | "area">) | undefined
> {
  const module = (await peer("clipper2-ts")) as
    | {
        readonly Clipper: {
          inflatePaths(
            paths: Point[][],
            delta: number,
            join: number,
            end: number,
            miter: number,
            tolerance: number,
          ): Point[][];
          areaPaths(paths: Point[][]): number;
        };
        readonly JoinType: { readonly Round: number };
        readonly EndType: { readonly Polygon: number };
      }
    | undefined;
  if (module === undefined) return undefined;
  return ({ ends, xy }) => {
    const paths = Array.from(ends, (end, i) => {
      const first = i === 0 ? 0 : ends[i - 1]!;
      return Array.from({ length: end - 1 - first }, (_, k) => ({
        x: Math.round(xy[2 * (first + k)]! * STEPS),
        y: Math.round(xy[2 * (first + k) + 1]! * STEPS),
      }));
    });
    let result: Point[][] = [];
    return {
      offset(distance, tolerance) {
        const { Round } = module.JoinType;
        const { Polygon } = module.EndType;
        result = module.Clipper.inflatePaths(paths, distance * STEPS, Round, Polygon, 2, tolerance * STEPS);
      },
      area: () => module.Clipper.areaPaths(result) / STEPS ** 2,
    };
  };
}
