import { quantile } from "./harness.ts";
import { areaOf, lengthOf, type Outline } from "./outline.ts";

/** How far a traced outline is from the true one, px. */
export interface Truth {
  /** Averages of both ways, from the result to the truth and back: what is missing counts as what is too much. */
  readonly mean: number;
  readonly rms: number;
  /** The larger of both ways. */
  readonly p99: number;
  readonly hausdorff: number;
  /** Area too much for each px of true outline: + is fat. By shoelace areas, so without rendering. */
  readonly bias: number;
  readonly segments: number;
}

/** px between the points of an outline from which distances are taken. */
const STEP = 0.2;
/** px of a side of the grid's cells; edges are cut so that none is longer. */
const CELL = 1;

/** Compares a result with the exact outline. Inner edges count, so strips or overlaps do not pass as good. */
export function truthOf(result: Outline, exact: Outline): Truth {
  const there = distances(result, exact);
  const back = distances(exact, result);
  const ways = [there, back];
  return {
    mean: average(ways.map((way) => average(way))),
    rms: average(ways.map((way) => Math.sqrt(average(way.map((d) => d * d))))),
    p99: Math.max(...ways.map((way) => quantile(way, 0.99))),
    hausdorff: Math.max(...ways.map((way) => quantile(way, 1))),
    // peers run round black the other way
    bias: (Math.abs(areaOf(result)) - areaOf(exact)) / lengthOf(exact),
    segments: result.segments,
  };
}

/** From points of one outline, STEP apart, to the nearest place of the other. */
function distances(from: Outline, to: Outline): Float64Array {
  const grid = new Grid(to);
  const found: number[] = [];
  for (const points of from.rounds) {
    const n = points.length;
    // the way along the round that is left until the next sample
    let left = 0;
    for (let i = 0; i < n; i += 2) {
      const j = (i + 2) % n;
      const [dx, dy] = [points[j] - points[i], points[j + 1] - points[i + 1]];
      const length = Math.hypot(dx, dy);
      for (; left < length; left += STEP)
        found.push(grid.distance(points[i] + (dx * left) / length, points[i + 1] + (dy * left) / length));
      left -= length;
    }
  }
  // nothing is as far from something as can be
  return Float64Array.from(found.length === 0 ? [Infinity] : found);
}

/** The edges of an outline, cut to one cell at most, in the cells that their boxes touch. */
class Grid {
  readonly #x0: number;
  readonly #y0: number;
  readonly #columns: number;
  readonly #rows: number;
  readonly #edges: Float64Array;
  /** Edges of cell `i`: `#items[#starts[i]..#starts[i + 1]]`. */
  readonly #starts: Uint32Array;
  readonly #items: Uint32Array;

  constructor(outline: Outline) {
    this.#edges = edgesOf(outline);
    const edges = this.#edges;
    let [x0, y0, x1, y1] = [Infinity, Infinity, -Infinity, -Infinity];
    for (let i = 0; i < edges.length; i += 2) {
      x0 = Math.min(x0, edges[i]);
      x1 = Math.max(x1, edges[i]);
      y0 = Math.min(y0, edges[i + 1]);
      y1 = Math.max(y1, edges[i + 1]);
    }
    this.#x0 = x0;
    this.#y0 = y0;
    this.#columns = edges.length === 0 ? 0 : Math.floor((x1 - x0) / CELL) + 1;
    this.#rows = edges.length === 0 ? 0 : Math.floor((y1 - y0) / CELL) + 1;
    this.#starts = new Uint32Array(this.#columns * this.#rows + 2);
    // counted one place further, so that filling moves each start to where it belongs
    this.#eachCell((cell) => this.#starts[cell + 2]++);
    for (let i = 2; i < this.#starts.length; i++) this.#starts[i] += this.#starts[i - 1];
    this.#items = new Uint32Array(this.#starts[this.#starts.length - 1]);
    this.#eachCell((cell, edge) => {
      this.#items[this.#starts[cell + 1]++] = edge;
    });
  }

  /** Infinity where there is no edge at all. */
  distance(x: number, y: number): number {
    const column = Math.floor((x - this.#x0) / CELL);
    const row = Math.floor((y - this.#y0) / CELL);
    const [right, below] = [this.#columns - 1 - column, this.#rows - 1 - row];
    const first = Math.max(0, -column, -row, -right, -below);
    const last = this.#edges.length === 0 ? -1 : Math.max(column, row, right, below);
    let best = Infinity;
    // squares of cells, larger and larger: all that is `ring` cells further is at least ring - 1 cells away
    for (let ring = first; ring <= last && (ring - 1) * CELL < Math.sqrt(best); ring++)
      for (let r = Math.max(0, row - ring); r <= Math.min(this.#rows - 1, row + ring); r++) {
        const step = Math.abs(r - row) === ring || ring === 0 ? 1 : 2 * ring;
        for (let c = column - ring; c <= column + ring; c += step)
          if (c >= 0 && c < this.#columns) best = Math.min(best, this.#nearest(r * this.#columns + c, x, y));
      }
    return Math.sqrt(best);
  }

  /** Square of the distance to the edges of one cell. */
  #nearest(cell: number, x: number, y: number): number {
    const edges = this.#edges;
    let best = Infinity;
    for (let i = this.#starts[cell]; i < this.#starts[cell + 1]; i++) {
      const at = this.#items[i];
      const [ax, ay] = [edges[at], edges[at + 1]];
      const [dx, dy] = [edges[at + 2] - ax, edges[at + 3] - ay];
      const square = dx * dx + dy * dy;
      const along = square > 0 ? ((x - ax) * dx + (y - ay) * dy) / square : 0;
      const t = Math.min(1, Math.max(0, along));
      best = Math.min(best, (x - ax - t * dx) ** 2 + (y - ay - t * dy) ** 2);
    }
    return best;
  }

  #eachCell(visit: (cell: number, edge: number) => void): void {
    const edges = this.#edges;
    for (let i = 0; i < edges.length; i += 4) {
      const [c0, c1] = this.#span(edges[i], edges[i + 2], this.#x0);
      const [r0, r1] = this.#span(edges[i + 1], edges[i + 3], this.#y0);
      for (let r = r0; r <= r1; r++) for (let c = c0; c <= c1; c++) visit(r * this.#columns + c, i);
    }
  }

  #span(a: number, b: number, origin: number): [number, number] {
    return [Math.floor((Math.min(a, b) - origin) / CELL), Math.floor((Math.max(a, b) - origin) / CELL)];
  }
}

/** Four numbers an edge: x, y of both ends. */
function edgesOf({ rounds }: Outline): Float64Array {
  const edges: number[] = [];
  for (const points of rounds) {
    const n = points.length;
    for (let i = 0; i < n; i += 2) {
      const j = (i + 2) % n;
      const [dx, dy] = [points[j] - points[i], points[j + 1] - points[i + 1]];
      const pieces = Math.max(1, Math.ceil(Math.hypot(dx, dy) / CELL));
      for (let k = 0; k < pieces; k++)
        for (const t of [k / pieces, (k + 1) / pieces])
          edges.push(points[i] + t * dx, points[i + 1] + t * dy);
    }
  }
  return Float64Array.from(edges);
}

function average(values: Float64Array | readonly number[]): number {
  let sum = 0;
  for (const value of values) sum += value;
  return sum / values.length;
}
