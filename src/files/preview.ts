import { type Arc, pointOfArc, sweepOf } from "../engine/circle.ts";
import { measureOps } from "../engine/moves.ts";
import type { Ops } from "../engine/ops.ts";
import { checkNumber, checkOptions } from "../errors.ts";
import { engineFunction } from "../tasker/target.ts";
import { shortNumber } from "./path.ts";

export interface PreviewOptions {
  /** Numbers at the starts of the first so many cuts, in their order, an integer >= 0 (default 100). */
  readonly numbers?: number;
  /** Arrowheads along the cuts, spread evenly, an integer >= 0 (default 1000). */
  readonly arrows?: number;
}

/** Shades of power, from faint to full, and colours of the order, from the first cut to the last. */
const SHADES = 8;
const COLOURS = [
  "#4527a0",
  "#3949ab",
  "#1e88e5",
  "#039be5",
  "#00897b",
  "#43a047",
  "#c0a000",
  "#fb8c00",
  "#e64a19",
  "#c2185b",
];
/** Room around the drawing, part of its larger side. */
const MARGIN = 0.04;

/**
 * Draws a toolpath as an SVG picture: travel as thin dashes, cuts in colours that go from violet for the first to red
 * for the last, the fainter the less power; arrowheads tell the direction and numbers the order. A dark move that is no
 * travel is dotted.
 *
 * @param ops   moves, mm, y up; read and not kept
 * @throws INVALID_ARGUMENT  ops of another shape or not finite, an option out of its contract
 * Cost: about 2 us a move; at most 82 paths, whatever the number of moves.
 * @example writeFileSync("job.svg", preview(ops));
 */
export const preview = engineFunction("preview", (ops: Ops, options: PreviewOptions = {}): string => {
  checkOptions(options, ["numbers", "arrows"]);
  const count = (name: "numbers" | "arrows", usual: number): number =>
    checkNumber(name, options[name] ?? usual, { min: 0, integer: true });
  const [numbers, arrows] = [count("numbers", 100), count("arrows", 1000)];
  const { bounds, lengths } = measureOps(ops, { lengths: true });
  const box = {
    minX: Math.min(bounds.minX, 0),
    minY: Math.min(bounds.minY, 0),
    maxX: Math.max(bounds.maxX, 0),
    maxY: Math.max(bounds.maxY, 0),
  };
  const cuts = countCuts(ops);
  const size = Math.max(box.maxX - box.minX, box.maxY - box.minY) || 1;
  const sheet = new Sheet(box, size);
  const moves = drawMoves(ops, sheet, cuts);
  const marks = arrowMarks(ops, lengths as Float64Array, sheet, arrows, size / 180);
  const labels = cutNumbers(ops, sheet, numbers, size / 80);
  const lines = [sheet.head(), ...moves, marks, ...labels, "</svg>"].filter(Boolean);
  return `${lines.join("\n")}\n`;
});

interface Box {
  readonly minX: number;
  readonly minY: number;
  readonly maxX: number;
  readonly maxY: number;
}

/** The picture's coordinates: y down, hundredths of a promille of its size exact. */
class Sheet {
  readonly #box: Box;
  readonly #size: number;
  readonly #unit: number;

  constructor(box: Box, size: number) {
    this.#box = box;
    this.#size = size;
    this.#unit = 10 ** Math.ceil(Math.log10(size / 1e5));
  }

  number(value: number): string {
    const digits = Math.max(-Math.round(Math.log10(this.#unit)), 0);
    return shortNumber(Number((Math.round(value / this.#unit) * this.#unit).toFixed(digits)));
  }

  at(x: number, y: number): string {
    return `${this.number(x)} ${this.number(this.#box.maxY - y)}`;
  }

  head(): string {
    const { minX, maxX, minY, maxY } = this.#box;
    const edge = MARGIN * this.#size;
    const [width, height] = [maxX - minX + 2 * edge, maxY - minY + 2 * edge].map((side) => this.number(side));
    const from = `${this.number(minX - edge)} ${this.number(-edge)}`;
    return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}mm" height="${height}mm" viewBox="${from} ${width} ${height}" fill="none" stroke-linecap="round" stroke-linejoin="round"><rect x="${this.number(minX - edge)}" y="${this.number(-edge)}" width="${width}" height="${height}" fill="#fff"/>`;
  }

  /** Width of a line. */
  width(part: number): string {
    return this.number(Math.max((this.#size * part) / 1000, this.#unit));
  }
}

/** Moves that burn are paths by order and power, the others are two paths. */
function drawMoves(ops: Ops, sheet: Sheet, cuts: number): string[] {
  const { kinds, xy, power } = ops;
  const texts = new Map<string, string[]>();
  let cut = -1;
  let last = "";
  let [x, y] = [0, 0];
  for (let i = 0; i < kinds.length; i++) {
    if (kinds[i] === 0) cut++;
    const dark = power[i] === 0;
    const colour = Math.min(Math.floor((cut / Math.max(cuts, 1)) * COLOURS.length), COLOURS.length - 1);
    const shade = Math.ceil((power[i] as number) * SHADES);
    const key = kinds[i] === 0 ? "travel" : dark ? "dark" : `${colour} ${shade}`;
    let text = texts.get(key);
    if (text === undefined) {
      text = [];
      texts.set(key, text);
    }
    if (key !== last || kinds[i] === 0) text.push(`M${sheet.at(x, y)}`);
    text.push(segment(ops, i, x, y, sheet));
    last = key;
    [x, y] = [xy[2 * i]!, xy[2 * i + 1]!];
  }
  const order = ["travel", "dark", ...[...texts.keys()].filter((key) => key.includes(" ")).sort(byOrder)];
  return order.flatMap((key) => {
    const text = texts.get(key);
    return text === undefined ? [] : [`<path ${styleOf(key, sheet)} d="${text.join("")}"/>`];
  });
}

function byOrder(a: string, b: string): number {
  const [first, second] = [a, b].map((key) => key.split(" ").map(Number)) as [number[], number[]];
  return first[0]! - second[0]! || first[1]! - second[1]!;
}

function styleOf(key: string, sheet: Sheet): string {
  if (key === "travel")
    return `class="travel" stroke="#9e9e9e" stroke-width="${sheet.width(0.7)}" stroke-dasharray="${sheet.width(4)}"`;
  if (key === "dark")
    return `class="dark" stroke="#bdbdbd" stroke-width="${sheet.width(1)}" stroke-dasharray="${sheet.width(0.1)} ${sheet.width(3)}"`;
  const [colour, shade] = key.split(" ").map(Number) as [number, number];
  const opacity = shortNumber(Math.round((0.15 + (0.85 * shade) / SHADES) * 100) / 100);
  return `class="cut" stroke="${COLOURS[colour]}" stroke-opacity="${opacity}" stroke-width="${sheet.width(2)}"`;
}

/** One move from (x, y), in path data; an arc that is a whole circle in two halves. */
function segment(ops: Ops, i: number, x: number, y: number, sheet: Sheet): string {
  const { kinds, xy, centers } = ops;
  const [toX, toY] = [xy[2 * i]!, xy[2 * i + 1]!];
  if (kinds[i]! < 2) return `L${sheet.at(toX, toY)}`;
  const [cx, cy] = [centers[2 * i]!, centers[2 * i + 1]!];
  const r = sheet.number(Math.hypot(x - cx, y - cy));
  const sweep = kinds[i] === 2 ? 1 : 0;
  const arc = (large: number, toX: number, toY: number): string =>
    `A${r} ${r} 0 ${large} ${sweep} ${sheet.at(toX, toY)}`;
  if (toX === x && toY === y) return arc(0, 2 * cx - x, 2 * cy - y) + arc(0, x, y);
  return arc(Number(sweepOf(kinds[i] === 3, arcOf(ops, i)) > Math.PI), toX, toY);
}

/** Small heads on moves that burn, as many as asked for, at even distances along all of them. */
function arrowMarks(ops: Ops, lengths: Float64Array, sheet: Sheet, count: number, size: number): string {
  const { kinds, power } = ops;
  const long = (i: number): number => (kinds[i] !== 0 && power[i] !== 0 ? lengths[i]! : 0);
  let total = 0;
  for (let i = 0; i < kinds.length; i++) total += long(i);
  if (count === 0 || total === 0) return "";
  const step = Math.max(total / count, 8 * size);
  const heads: string[] = [];
  let ahead = step / 2;
  for (let i = 0; i < kinds.length; i++) {
    const length = long(i);
    for (; ahead < length; ahead += step) {
      const [x, y, dx, dy] = tipAt(ops, i, ahead / length);
      const corner = (side: number): string =>
        sheet.at(x - size * (dx + side * 0.5 * dy), y - size * (dy - side * 0.5 * dx));
      heads.push(`M${corner(1)}L${sheet.at(x, y)}L${corner(-1)}`);
    }
    ahead -= length;
  }
  return heads.length === 0
    ? ""
    : `<path class="direction" stroke="#212121" stroke-width="${sheet.width(0.8)}" d="${heads.join("")}"/>`;
}

/** A place on a move, at a part of its way, and the direction there. */
function tipAt(ops: Ops, i: number, part: number): [x: number, y: number, dx: number, dy: number] {
  const { kinds, xy, centers } = ops;
  if (kinds[i]! < 2) {
    const [fromX, fromY] = [xy[2 * i - 2]!, xy[2 * i - 1]!];
    const [wayX, wayY] = [xy[2 * i]! - fromX, xy[2 * i + 1]! - fromY];
    const length = Math.hypot(wayX, wayY);
    return [fromX + part * wayX, fromY + part * wayY, wayX / length, wayY / length];
  }
  const [x, y] = pointOfArc(kinds[i] === 3, arcOf(ops, i), part);
  const [spokeX, spokeY] = [x - centers[2 * i]!, y - centers[2 * i + 1]!];
  const r = Math.hypot(spokeX, spokeY) * (kinds[i] === 3 ? 1 : -1);
  return [x, y, -spokeY / r, spokeX / r];
}

function arcOf({ xy, centers }: Ops, i: number): Arc {
  return [xy[2 * i - 2]!, xy[2 * i - 1]!, centers[2 * i]!, centers[2 * i + 1]!, xy[2 * i]!, xy[2 * i + 1]!];
}

function cutNumbers({ kinds, xy }: Ops, sheet: Sheet, most: number, size: number): string[] {
  const labels: string[] = [];
  for (let i = 0; i + 1 < kinds.length && labels.length < most; i++)
    if (kinds[i] === 0 && kinds[i + 1] !== 0) {
      const [x, y] = sheet.at(xy[2 * i]!, xy[2 * i + 1]!).split(" ");
      labels.push(`<text x="${x}" y="${y}">${labels.length + 1}</text>`);
    }
  return labels.length === 0
    ? []
    : [
        `<g class="order" fill="#212121" font-family="sans-serif" font-size="${sheet.number(size)}">`,
        ...labels,
        "</g>",
      ];
}

function countCuts({ kinds }: Ops): number {
  let cuts = 0;
  for (const kind of kinds) if (kind === 0) cuts++;
  return cuts;
}
