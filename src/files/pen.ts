import svgpath from "svgpath";
import { centerOf } from "../engine/circle.ts";
import type { Curves } from "../engine/trace.ts";
import type { Matrix } from "./matrix.ts";

/** Arcs whose radii differ by less than this part are circular. */
const ROUND = 1e-5;

/** Draws path data into curves. */
export class CurvePen {
  readonly #ends: number[] = [];
  readonly #kinds: number[] = [];
  readonly #xy: number[] = [];
  /** Where the pen stands, and where its contour began. */
  #x = 0;
  #y = 0;
  #startX = 0;
  #startY = 0;
  /** The contour has begun. */
  #down = false;
  readonly #closed: number[] = [];

  /** Number of contours drawn. */
  get contours(): number {
    return this.#ends.length;
  }

  /**
   * Draws path data under a matrix; `closeAll` closes contours that are open, as a fill does.
   * Returns what is wrong with the data, of which only the part before is drawn, or "".
   */
  draw(data: string, matrix: Matrix, closeAll: boolean): string {
    const path = svgpath(data) as ReturnType<typeof svgpath> & { readonly err: string };
    path
      .matrix([...matrix])
      .abs()
      .unshort()
      .iterate((segment) => {
        const [command, ...numbers] = segment as [string, ...number[]];
        this.#step(command, numbers, closeAll);
      });
    this.#lift(closeAll);
    return path.err.replace(/^SvgPath: /, "");
  }

  curves(): Curves & { readonly closed: Uint8Array } {
    return {
      ends: Uint32Array.from(this.#ends),
      kinds: Uint8Array.from(this.#kinds),
      xy: Float32Array.from(this.#xy),
      depth: new Uint16Array(this.#ends.length),
      closed: Uint8Array.from(this.#closed),
    };
  }

  #step(command: string, numbers: readonly number[], closeAll: boolean): void {
    const [x = this.#x, y = this.#y] = numbers.slice(-2) as [number?, number?];
    if (command === "M") {
      this.#lift(closeAll);
      [this.#x, this.#y, this.#startX, this.#startY] = [x, y, x, y];
    } else if (command === "Z") this.#close();
    else if (command === "H") this.#put(0, numbers[0] as number, this.#y);
    else if (command === "V") this.#put(0, this.#x, numbers[0] as number);
    else if (command === "L") this.#put(0, x, y);
    else if (command === "C") this.#put(1, ...(numbers as [number, number, number, number, number, number]));
    else if (command === "Q") this.#quadratic(...(numbers as [number, number, number, number]));
    else if (command === "A") this.#arc(numbers.map(Number));
  }

  /** A segment and its points; one that ends where it begins and goes nowhere in between is left out. */
  #put(kind: number, ...points: number[]): void {
    const [x, y] = points.slice(-2) as [number, number];
    const still = points.every(
      (value, i) => Math.fround(value) === Math.fround(i % 2 === 0 ? this.#x : this.#y),
    );
    if (still && this.#down) return;
    if (!this.#down) this.#xy.push(this.#x, this.#y);
    this.#down = true;
    this.#kinds.push(kind);
    this.#xy.push(...points);
    [this.#x, this.#y] = [x, y];
  }

  #quadratic(cx: number, cy: number, x: number, y: number): void {
    const third = (from: number, to: number): number => from + (2 / 3) * (to - from);
    this.#put(1, third(this.#x, cx), third(this.#y, cy), third(x, cx), third(y, cy), x, y);
  }

  /** A circular arc stays one; another becomes cubics. */
  #arc(numbers: readonly number[]): void {
    const [rx, ry, turn, large, sweep, x, y] = numbers as [
      number,
      number,
      number,
      number,
      number,
      number,
      number,
    ];
    if (x === this.#x && y === this.#y) return; // as SVG has it
    if (!(rx > 0 && ry > 0)) {
      this.#put(0, x, y);
      return;
    }
    if (Math.abs(rx - ry) <= ROUND * rx) {
      const [cx, cy] = centerOf(this.#x, this.#y, x, y, rx, large !== sweep);
      this.#put(sweep ? 2 : 3, cx, cy, x, y);
      return;
    }
    svgpath(`M${this.#x} ${this.#y}A${rx} ${ry} ${turn} ${large} ${sweep} ${x} ${y}`)
      .unarc()
      .iterate((segment, index) => {
        if (index === 0) return;
        const [command, ...points] = segment as [string, ...number[]];
        this.#step(command.toUpperCase(), points, false);
      });
  }

  #close(): void {
    if (this.#down) this.#put(0, this.#startX, this.#startY);
    this.#end(true);
    [this.#x, this.#y] = [this.#startX, this.#startY];
  }

  #lift(closeAll: boolean): void {
    if (closeAll && this.#down) this.#close();
    else this.#end(false);
  }

  #end(closed: boolean): void {
    if (!this.#down) return;
    const same =
      Math.fround(this.#x) === Math.fround(this.#startX) &&
      Math.fround(this.#y) === Math.fround(this.#startY);
    this.#ends.push(this.#kinds.length);
    this.#closed.push(Number(closed || same));
    this.#down = false;
  }
}
