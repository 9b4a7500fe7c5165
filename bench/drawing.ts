import { readFileSync, writeFileSync } from "node:fs";
import type { Curves } from "kerfwork";

/** What any tracer draws: `Curves` without depths. One unit is a pixel, y down; even-odd. */
export type Drawing = Pick<Curves, "ends" | "kinds" | "xy">;

/** Collects a drawing; rounds that do not end where they began get a closing line. */
export class Sketch {
  #ends: number[] = [];
  #kinds: number[] = [];
  #xy: number[] = [];
  /** Where the open round begins in `#xy`; -1 between rounds. */
  #start = -1;

  move(x: number, y: number): void {
    this.close();
    this.#start = this.#xy.length;
    this.#xy.push(x, y);
  }

  /** To the last of the points: one for a line, three for a cubic. */
  draw(...points: number[]): void {
    this.#kinds.push(points.length === 2 ? 0 : 1);
    this.#xy.push(...points);
  }

  close(): void {
    const [xy, start] = [this.#xy, this.#start];
    if (start < 0) return;
    this.#start = -1;
    if (this.#kinds.length === (this.#ends.at(-1) ?? 0)) {
      xy.length = start; // a point alone is no round
      return;
    }
    const [x, y] = xy.slice(start, start + 2);
    if (xy.at(-2) !== x || xy.at(-1) !== y) this.draw(x, y);
    this.#ends.push(this.#kinds.length);
  }

  drawing(): Drawing {
    this.close();
    return {
      ends: Uint32Array.from(this.#ends),
      kinds: Uint8Array.from(this.#kinds),
      xy: Float32Array.from(this.#xy),
    };
  }
}

/** Visits each round's start, and each segment's points. */
export function visit(
  { ends, kinds, xy }: Drawing,
  move: (x: number, y: number) => void,
  draw: (points: Float32Array) => void,
): void {
  let p = 0;
  let s = 0;
  for (const end of ends) {
    move(xy[p], xy[p + 1]);
    p += 2;
    for (; s < end; s++) {
      const next = p + (kinds[s] === 0 ? 2 : 6);
      draw(xy.subarray(p, next));
      p = next;
    }
  }
}

/** One path, black on white. */
export function toSvg(drawing: Drawing, width: number, height: number): string {
  const parts: string[] = [];
  visit(
    drawing,
    (x, y) => parts.push(`M${x} ${y}`),
    (points) => parts.push(`${points.length === 2 ? "L" : "C"}${points.join(" ")}`),
  );
  const size = `width="${width}" height="${height}" viewBox="0 0 ${width} ${height}"`;
  const path = `<path fill-rule="evenodd" d="${parts.join("")}"/>`;
  return `<svg xmlns="http://www.w3.org/2000/svg" ${size}><rect width="100%" height="100%" fill="#fff"/>${path}</svg>`;
}

/** Reads the paths of an SVG that tracers write: moves, lines and curves, translated and scaled; white fills are left out. */
export function fromSvg(svg: string): Drawing {
  const sketch = new Sketch();
  const group = placeOf(/<g [^>]*transform="([^"]*)"/.exec(svg)?.[1] ?? "");
  for (const [tag] of svg.matchAll(/<path [^>]*>/g)) {
    if (/fill="(#fff(fff)?|white|rgb\(255,255,255\))"/i.test(tag)) continue;
    const inner = placeOf(/transform="([^"]*)"/.exec(tag)?.[1] ?? "");
    const data = / d="([^"]*)"/.exec(tag)?.[1] ?? "";
    walk(data, sketch, (x, y) => group(...inner(x, y)));
  }
  return sketch.drawing();
}

type Place = (x: number, y: number) => [number, number];

/** "translate(...) scale(...)", of which either may be missing. */
function placeOf(transform: string): Place {
  const pair = (name: string, none: number): [number, number] => {
    const found = new RegExp(`${name}\\(([^)]*)\\)`).exec(transform)?.[1];
    const [a = none, b = name === "scale" ? a : 0] = found?.split(/[\s,]+/).map(Number) ?? [none, none];
    return [a, b];
  };
  const [dx, dy] = pair("translate", 0);
  const [sx, sy] = pair("scale", 1);
  return (x, y) => [dx + sx * x, dy + sy * y];
}

const STEPS: Readonly<Record<string, number>> = { M: 2, L: 2, H: 1, V: 1, Q: 4, C: 6, Z: 0 };

function walk(data: string, sketch: Sketch, place: Place): void {
  const tokens = data.match(/[a-zA-Z]|-?(?:\d+\.?\d*|\.\d+)(?:e-?\d+)?/g) ?? [];
  let [x, y, startX, startY] = [0, 0, 0, 0];
  let command = "";
  for (let i = 0; i < tokens.length; ) {
    if (/[a-zA-Z]/.test(tokens[i])) command = tokens[i++];
    const name = command.toUpperCase();
    const count = STEPS[name];
    if (count === undefined) throw new Error(`Expected a path of M, L, H, V, Q, C and Z, got ${command}`);
    const relative = command !== name;
    const values = tokens.slice(i, i + count).map(Number);
    i += count;
    const [fromX, fromY] = relative ? [x, y] : [0, 0];
    if (name === "Z") {
      sketch.close();
      [x, y] = [startX, startY];
      continue;
    }
    if (name === "H") values.push(relative ? 0 : y);
    if (name === "V") values.unshift(relative ? 0 : x);
    const points = values.map((value, k) => value + (k % 2 === 0 ? fromX : fromY));
    const start = [x, y];
    [x, y] = points.slice(-2);
    if (name === "Q") points.splice(0, 2, ...cubicArms(start, points));
    const placed: number[] = [];
    for (let k = 0; k < points.length; k += 2) placed.push(...place(points[k], points[k + 1]));
    if (name === "M") {
      sketch.move(placed[0], placed[1]);
      [startX, startY] = [x, y];
      // further pairs after a move are lines
      command = relative ? "l" : "L";
    } else sketch.draw(...placed);
  }
}

/** The two inner points of the cubic that is the quadratic from `start`. */
function cubicArms([x, y]: readonly number[], [armX, armY, toX, toY]: readonly number[]): number[] {
  const third = (end: number, arm: number): number => end + (2 / 3) * (arm - end);
  return [third(x, armX), third(y, armY), third(toX, armX), third(toY, armY)];
}

/** Numbers of a file: for each round 0, x, y, then for each line 1, x, y and for each cubic 2 and three points. */
export function readDrawing(path: string): Drawing {
  const bytes = readFileSync(path);
  const values = new Float64Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
  const sketch = new Sketch();
  for (let i = 0; i < values.length; ) {
    const next = i + (values[i] === 2 ? 7 : 3);
    if (values[i] === 0) sketch.move(values[i + 1], values[i + 2]);
    else sketch.draw(...values.subarray(i + 1, next));
    i = next;
  }
  return sketch.drawing();
}

export function writeDrawing(drawing: Drawing, path: string): void {
  const values: number[] = [];
  visit(
    drawing,
    (x, y) => values.push(0, x, y),
    (points) => values.push(points.length === 2 ? 1 : 2, ...points),
  );
  writeFileSync(path, Float64Array.from(values));
}
