import { type Cuts, sweepOf } from "./cuts.ts";
import { distance } from "./paths.ts";

/** Longest piece of an arc that is laid into the grid as one, radians. */
const PIECE = Math.PI / 8;

/**
 * The moves of all cuts, by where they lie: tells whether one comes near a line. Moves lie in the cells of a grid that
 * is about as fine as they are long.
 */
export class Obstacles {
  readonly #cuts: Cuts;
  readonly #sweep: Float64Array;
  readonly #cell: number;
  readonly #x: number;
  readonly #y: number;
  readonly #width: number;
  readonly #height: number;
  /** Cell `c` holds the moves `#starts[c]..#starts[c + 1]` of `#moves`. */
  readonly #starts: Uint32Array;
  readonly #moves: Uint32Array;
  /** The last question in which each move was looked at. */
  readonly #asked: Uint32Array;
  #question = 0;

  constructor(cuts: Cuts) {
    const { ops, way } = cuts;
    const { kinds } = ops;
    const n = kinds.length;
    this.#cuts = cuts;
    this.#sweep = new Float64Array(n);
    this.#asked = new Uint32Array(n);
    let [minX, minY, maxX, maxY] = [Infinity, Infinity, -Infinity, -Infinity];
    let length = 0;
    let count = 0;
    const take = (x0: number, y0: number, x1: number, y1: number, margin: number): void => {
      minX = Math.min(minX, x0 - margin, x1 - margin);
      minY = Math.min(minY, y0 - margin, y1 - margin);
      maxX = Math.max(maxX, x0 + margin, x1 + margin);
      maxY = Math.max(maxY, y0 + margin, y1 + margin);
    };
    for (let op = 1; op < n; op++) {
      if (kinds[op] === 0) continue;
      if (kinds[op]! > 1) this.#sweep[op] = sweepOf(ops, op);
      length += way[op]! - way[op - 1]!;
      count++;
      this.#eachPiece(op, take);
    }
    if (count === 0) [minX, minY, maxX, maxY] = [0, 0, 0, 0];
    const area = (maxX - minX) * (maxY - minY);
    const span = Math.max(maxX - minX, maxY - minY);
    // as many cells as moves, and few for each move; a job along a line has no area
    this.#cell = Math.max(Math.sqrt(area / (count + 1)), length / (count + 1), span / (count + 1), 0.01);
    this.#x = minX;
    this.#y = minY;
    this.#width = Math.floor((maxX - minX) / this.#cell) + 1;
    this.#height = Math.floor((maxY - minY) / this.#cell) + 1;

    // count, sum up, place
    const starts = new Uint32Array(this.#width * this.#height + 2);
    this.#eachEntry((cell) => {
      starts[cell + 2]!++;
    });
    for (let cell = 2; cell < starts.length; cell++) starts[cell]! += starts[cell - 1]!;
    const moves = new Uint32Array(starts.at(-1)!);
    this.#eachEntry((cell, op) => {
      moves[starts[cell + 1]!++] = op;
    });
    this.#starts = starts;
    this.#moves = moves;
  }

  /**
   * True when a move comes nearer to a line than it may.
   *
   * @param most     the largest of all clearances
   * @param within   how near a move may come, mm; less than 0 where it does not matter
   */
  meets(
    x0: number,
    y0: number,
    x1: number,
    y1: number,
    most: number,
    within: (op: number) => number,
  ): boolean {
    this.#question++;
    const left = this.#column(Math.min(x0, x1) - most);
    const right = this.#column(Math.max(x0, x1) + most);
    const bottom = this.#row(Math.min(y0, y1) - most);
    const top = this.#row(Math.max(y0, y1) + most);
    for (let row = bottom; row <= top; row++)
      for (let column = left; column <= right; column++) {
        const cell = row * this.#width + column;
        for (let i = this.#starts[cell]!; i < this.#starts[cell + 1]!; i++) {
          const op = this.#moves[i]!;
          if (this.#asked[op] === this.#question) continue;
          this.#asked[op] = this.#question;
          const limit = within(op);
          if (limit >= 0 && this.#isNear(op, x0, y0, x1, y1, limit)) return true;
        }
      }
    return false;
  }

  #isNear(op: number, x0: number, y0: number, x1: number, y1: number, limit: number): boolean {
    const { kinds, xy, centers } = this.#cuts.ops;
    const at = 2 * op;
    const [ax, ay, bx, by] = [xy[at - 2]!, xy[at - 1]!, xy[at]!, xy[at + 1]!];
    if (kinds[op]! < 2) return betweenLines(ax, ay, bx, by, x0, y0, x1, y1) <= limit;
    if (toLine(ax, ay, x0, y0, x1, y1) <= limit || toLine(bx, by, x0, y0, x1, y1) <= limit) return true;
    const [cx, cy] = [centers[at]!, centers[at + 1]!];
    const radius = distance(ax, ay, cx, cy);
    const sweep = this.#sweep[op]!;
    /** True where the direction from the centre to a place is one of the arc's. */
    const faces = (x: number, y: number): boolean => {
      const [sx, sy] = [ax - cx, ay - cy];
      const [px, py] = [x - cx, y - cy];
      const turn = Math.atan2(sx * py - sy * px, sx * px + sy * py);
      const ahead = turn * sweep >= 0 ? Math.abs(turn) : 2 * Math.PI - Math.abs(turn);
      return ahead <= Math.abs(sweep);
    };
    const isOn = (t: number): boolean => {
      const [x, y] = [x0 + (x1 - x0) * t, y0 + (y1 - y0) * t];
      return Math.abs(distance(x, y, cx, cy) - radius) <= limit && faces(x, y);
    };
    // nearest where the line crosses the circle, ends, or comes nearest to the centre
    if (isOn(0) || isOn(1)) return true;
    const [dx, dy] = [x1 - x0, y1 - y0];
    const square = dx * dx + dy * dy;
    if (square === 0) return false;
    const foot = ((cx - x0) * dx + (cy - y0) * dy) / square;
    if (foot > 0 && foot < 1 && isOn(foot)) return true;
    const off = (cx - x0 - dx * foot) ** 2 + (cy - y0 - dy * foot) ** 2;
    const half = Math.sqrt((radius * radius - off) / square);
    return [foot - half, foot + half].some((t) => t > 0 && t < 1 && isOn(t));
  }

  #column(x: number): number {
    return Math.min(Math.max(Math.floor((x - this.#x) / this.#cell), 0), this.#width - 1);
  }

  #row(y: number): number {
    return Math.min(Math.max(Math.floor((y - this.#y) / this.#cell), 0), this.#height - 1);
  }

  /** Calls `visit` with lines that a move does not leave by more than a margin. */
  #eachPiece(
    op: number,
    visit: (x0: number, y0: number, x1: number, y1: number, margin: number) => void,
  ): void {
    const { kinds, xy, centers } = this.#cuts.ops;
    const at = 2 * op;
    if (kinds[op]! < 2) {
      visit(xy[at - 2]!, xy[at - 1]!, xy[at]!, xy[at + 1]!, 0);
      return;
    }
    const [cx, cy] = [centers[at]!, centers[at + 1]!];
    const sweep = this.#sweep[op]!;
    const radius = Math.max(
      distance(xy[at - 2]!, xy[at - 1]!, cx, cy),
      distance(xy[at]!, xy[at + 1]!, cx, cy),
    );
    const n = Math.ceil(Math.abs(sweep) / PIECE);
    const margin = radius * (1 - Math.cos(sweep / n / 2)) + OFF.least + OFF.part * radius;
    const start = Math.atan2(xy[at - 1]! - cy, xy[at - 2]! - cx);
    let [x, y] = [xy[at - 2]!, xy[at - 1]!];
    for (let i = 1; i <= n; i++) {
      const angle = start + (sweep * i) / n;
      const [x1, y1] = [cx + radius * Math.cos(angle), cy + radius * Math.sin(angle)];
      visit(x, y, x1, y1, margin);
      [x, y] = [x1, y1];
    }
  }

  #eachEntry(visit: (cell: number, op: number) => void): void {
    const { kinds } = this.#cuts.ops;
    let op = 0;
    const lay = (x0: number, y0: number, x1: number, y1: number, margin: number): void => {
      const bottom = this.#row(Math.min(y0, y1) - margin);
      const top = this.#row(Math.max(y0, y1) + margin);
      for (let row = bottom; row <= top; row++) {
        // what of the line lies in the row, with its margin
        let [from, to] = [0, 1];
        if (bottom !== top && y0 !== y1) {
          const low = this.#y + row * this.#cell - margin - y0;
          const high = low + this.#cell + 2 * margin;
          const [a, b] = [low / (y1 - y0), high / (y1 - y0)];
          from = Math.max(0, Math.min(a, b));
          to = Math.min(1, Math.max(a, b));
        }
        const [xa, xb] = [x0 + (x1 - x0) * from, x0 + (x1 - x0) * to];
        const slack = margin + ROUNDING * this.#cell;
        const right = this.#column(Math.max(xa, xb) + slack);
        for (let column = this.#column(Math.min(xa, xb) - slack); column <= right; column++)
          visit(row * this.#width + column, op);
      }
    };
    for (op = 1; op < kinds.length; op++) if (kinds[op] !== 0) this.#eachPiece(op, lay);
  }
}

/** Part of a cell by which a place may be off, much more than roundings add up to. */
const ROUNDING = 1e-4;
/** How far arcs may be from their circles, mm, and as a part of the radius. */
const OFF = { least: 0.005, part: 0.001 };

/** Distance of a place from a line. */
function toLine(x: number, y: number, x0: number, y0: number, x1: number, y1: number): number {
  const [dx, dy] = [x1 - x0, y1 - y0];
  const square = dx * dx + dy * dy;
  const t = square === 0 ? 0 : Math.min(1, Math.max(0, ((x - x0) * dx + (y - y0) * dy) / square));
  return distance(x, y, x0 + dx * t, y0 + dy * t);
}

/** Distance of two lines; 0 when they cross. */
function betweenLines(
  ax: number,
  ay: number,
  bx: number,
  by: number,
  x0: number,
  y0: number,
  x1: number,
  y1: number,
): number {
  const side = (x: number, y: number): number => (bx - ax) * (y - ay) - (by - ay) * (x - ax);
  const other = (x: number, y: number): number => (x1 - x0) * (y - y0) - (y1 - y0) * (x - x0);
  if (side(x0, y0) * side(x1, y1) < 0 && other(ax, ay) * other(bx, by) < 0) return 0;
  return Math.min(
    toLine(ax, ay, x0, y0, x1, y1),
    toLine(bx, by, x0, y0, x1, y1),
    toLine(x0, y0, ax, ay, bx, by),
    toLine(x1, y1, ax, ay, bx, by),
  );
}
