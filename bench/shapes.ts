import { readFileSync } from "node:fs";
import type { Image } from "kerfwork";
import { seeded } from "./harness.ts";
import { type Outline, Pen, PIECE } from "./outline.ts";
import { peer, peerFile } from "./peers.ts";

// Pictures whose exact outlines are known: what a tracer makes of them is held against the shapes and not against their
// pixels.

export interface Shape {
  readonly name: string;
  readonly exact: Outline;
  readonly width: number;
  readonly height: number;
}

/** What is used of a font of opentype.js. */
interface Font {
  readonly unitsPerEm: number;
  charToGlyph(letter: string): {
    readonly advanceWidth: number;
    getPath(x: number, y: number, size: number): { commands: readonly Command[] };
  };
}
type Command =
  | { type: "M" | "L"; x: number; y: number }
  | { type: "Q"; x1: number; y1: number; x: number; y: number }
  | { type: "C"; x1: number; y1: number; x2: number; y2: number; x: number; y: number }
  | { type: "Z" };

const MARGIN = 4;
/** Pixels are averages of this many samples in each direction. */
const SAMPLES = 8;
const LINES = ["Quick brown foxes", "jump & cut 0.25 mm"];

/** All shapes; those of text only where the fonts and their reader are installed. */
export async function shapes(): Promise<Shape[]> {
  return [circles(), rings(), squares(), stars(), ...(await texts())];
}

/** What a camera without flaws would see: the share of each pixel that is covered, as gray, black on white. */
export function render({ exact, width, height }: Shape): Image {
  const covered = new Uint16Array(width * height);
  for (const [line, xs] of crossingsOf(exact, height * SAMPLES).entries()) {
    const row = Math.floor(line / SAMPLES) * width;
    xs.sort((a, b) => a - b);
    for (let i = 0; i + 1 < xs.length; i += 2) {
      // samples sit in the middles of their squares
      const from = Math.max(0, Math.ceil(xs[i] * SAMPLES - 0.5));
      const to = Math.min(width * SAMPLES, Math.ceil(xs[i + 1] * SAMPLES - 0.5));
      for (let x = from; x < to; ) {
        const end = Math.min(to, (Math.floor(x / SAMPLES) + 1) * SAMPLES);
        covered[row + Math.floor(x / SAMPLES)] += end - x;
        x = end;
      }
    }
  }
  const data = Uint8Array.from(covered, (n) => 255 - Math.round((255 * n) / SAMPLES ** 2));
  return { width, height, data };
}

/** Gray below 128 as black, the rest as white. */
export function bitsOf({ width, height, data }: Image): Image {
  return { width, height, data: data.map((gray) => (gray < 128 ? 0 : 255)) };
}

/** Where each line of samples crosses the outline. */
function crossingsOf({ rounds }: Outline, lines: number): number[][] {
  const crossings: number[][] = Array.from({ length: lines }, () => []);
  for (const points of rounds) {
    const n = points.length;
    for (let i = 0, j = n - 2; i < n; j = i, i += 2) {
      const [xa, ya] = [points[j], points[j + 1] * SAMPLES - 0.5];
      const [xb, yb] = [points[i], points[i + 1] * SAMPLES - 0.5];
      const to = Math.min(lines, Math.ceil(Math.max(ya, yb)));
      for (let y = Math.max(0, Math.ceil(Math.min(ya, yb))); y < to; y++)
        crossings[y].push(xa + ((xb - xa) * (y - ya)) / (yb - ya));
    }
  }
  return crossings;
}

/** Ten, of radius 4 to 120 px. */
function circles(): Shape {
  return inRow("circles", sizes(10, 4, 120), 11, (pen, x, y, radius) => round(pen, x, y, radius));
}

/** Six, of radius 8 to 100 px, their holes 0.7 of it. */
function rings(): Shape {
  return inRow("rings", sizes(6, 8, 100), 12, (pen, x, y, radius) => {
    round(pen, x, y, radius);
    round(pen, x, y, 0.7 * radius, -1);
  });
}

/** Twelve, of sides 12 to 120 px, each turned by 7.3 degrees more. */
function squares(): Shape {
  const radii = sizes(12, 12, 120).map((side) => side / Math.SQRT2);
  return inRow("squares", radii, 13, (pen, x, y, radius, k) => {
    polygon(pen, x, y, [radius, radius, radius, radius], ((1.7 + 7.3 * k) * Math.PI) / 180);
  });
}

/** Four of five points, of radius 20 to 110 px. */
function stars(): Shape {
  return inRow("stars", sizes(4, 20, 110), 14, (pen, x, y, radius, k) => {
    const radii = Array.from({ length: 10 }, (_, i) => (i % 2 === 0 ? radius : 0.45 * radius));
    polygon(pen, x, y, radii, 0.3 + 0.41 * k);
  });
}

/** Two lines in a serif and a bold sans, of 24, 64 and 200 px. */
async function texts(): Promise<Shape[]> {
  const reader = (await peer("opentype.js")) as { default: { parse(bytes: ArrayBuffer): Font } } | undefined;
  const made: Shape[] = [];
  for (const [name, file] of [
    ["serif", "DejaVuSerif.ttf"],
    ["bold sans", "DejaVuSans-Bold.ttf"],
  ]) {
    const path = peerFile("dejavu-fonts-ttf", `ttf/${file}`);
    if (reader === undefined || path === undefined) continue;
    const bytes = readFileSync(path);
    const font = reader.default.parse(
      bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length) as ArrayBuffer,
    );
    for (const size of [24, 64, 200]) made.push(written(`${name} ${size}`, font, size));
  }
  return made;
}

function written(name: string, font: Font, size: number): Shape {
  const pen = new Pen();
  let width = 0;
  for (const [i, line] of LINES.entries()) {
    // off the grid, as no text stands on it; a j reaches back from where it begins
    let x = MARGIN + 0.37 + size / 6;
    for (const letter of line) {
      const glyph = font.charToGlyph(letter);
      draw(pen, glyph.getPath(x, MARGIN + 0.61 + (0.9 + 1.25 * i) * size, size).commands);
      x += (glyph.advanceWidth / font.unitsPerEm) * size;
    }
    width = Math.max(width, x);
  }
  return {
    name,
    exact: pen.outline(),
    width: Math.ceil(width + MARGIN),
    height: Math.ceil(2.5 * size + 2 * MARGIN + 1),
  };
}

function draw(pen: Pen, commands: readonly Command[]): void {
  for (const command of commands) {
    if (command.type === "M") pen.move(command.x, command.y);
    else if (command.type === "L") pen.line(command.x, command.y);
    else if (command.type === "Q") pen.quadratic(command.x1, command.y1, command.x, command.y);
    else if (command.type === "C") {
      const { x1, y1, x2, y2, x, y } = command;
      pen.cubic(x1, y1, x2, y2, x, y);
    } else pen.close();
  }
}

/** Radii in geometric steps. */
function sizes(count: number, from: number, to: number): number[] {
  return Array.from({ length: count }, (_, k) => from * (to / from) ** (k / (count - 1)));
}

/** Figures side by side, their centres off the grid. */
function inRow(
  name: string,
  radii: readonly number[],
  seed: number,
  put: (pen: Pen, x: number, y: number, radius: number, k: number) => void,
): Shape {
  const random = seeded(seed);
  const pen = new Pen();
  let width = MARGIN;
  for (const [k, radius] of radii.entries()) {
    const x = Math.ceil(width + radius) + random();
    put(pen, x, MARGIN + Math.max(...radii) + random(), radius, k);
    width = Math.ceil(x + radius + MARGIN);
  }
  return { name, exact: pen.outline(), width, height: Math.ceil(2 * (Math.max(...radii) + MARGIN) + 1) };
}

function round(pen: Pen, x: number, y: number, radius: number, way = 1): void {
  const n = Math.ceil((2 * Math.PI * radius) / PIECE);
  polygon(pen, x, y, new Array<number>(n).fill(radius), 0, way);
}

/** Corners at equal angles, one for each radius. */
function polygon(pen: Pen, x: number, y: number, radii: readonly number[], turn: number, way = 1): void {
  for (const [i, radius] of radii.entries()) {
    const angle = turn + (way * 2 * Math.PI * i) / radii.length;
    const [px, py] = [x + radius * Math.cos(angle), y + radius * Math.sin(angle)];
    if (i === 0) pen.move(px, py);
    else pen.line(px, py);
  }
  pen.close();
}
