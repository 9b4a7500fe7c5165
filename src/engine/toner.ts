import { Chain } from "./chain.ts";
import { filtersOf } from "./filters.ts";
import type { Bitmap, Image } from "./image.ts";
import type { Engine, Pointer, Stages } from "./memory.ts";
import { BAND_BYTES, type Band, bandRows, bands, GrayReader, rowsOf } from "./pixels.ts";
import { compose, LOCAL_LEVEL, NEGATIVE, type Table, type Tone, tableBefore, tableBehind } from "./tone.ts";

/** About ns a pixel of each step, for progress. */
const COSTS = { read: 0.3, map: 0.5, histogram: 0.5, pack: 0.1 };

/** The way of one picture to bits: read, table, filters, table, threshold. All that it allocates is scratch. */
export class Toner {
  readonly #engine: Engine;
  readonly #image: Image;
  readonly #tone: Tone;
  readonly #stages: Stages;
  readonly #reader: GrayReader;
  readonly #chain: Chain | undefined;
  readonly #before: Pointer | undefined;
  readonly #behind: Pointer | undefined;
  /** Gray of one band, where it is not kept. */
  readonly #scratch: Pointer;
  /** Part of the whole call for 1 ns a pixel. */
  readonly #share: number;

  constructor(engine: Engine, image: Image, tone: Tone, stages: Stages, share: number) {
    const { width, height } = image;
    this.#engine = engine;
    this.#image = image;
    this.#tone = tone;
    this.#stages = stages;
    this.#reader = new GrayReader(engine, image, stages);
    const filters = filtersOf(engine, width, height, tone);
    const most = bandRows(width, height, this.#reader.channels);
    this.#chain = filters.length === 0 ? undefined : new Chain(engine, stages, filters, height, most);
    this.#scratch = engine.alloc(this.#chain ? this.#chain.most * width : BAND_BYTES);

    const [before, behind] = [tableBefore(tone), tableBehind(tone)];
    const push = (table: Table | undefined): Pointer | undefined => table && engine.push(table);
    // without filters between them, two tables are one
    this.#before = push(this.#chain ? before : compose(before, behind));
    this.#behind = this.#chain && push(behind);
    const cost =
      COSTS.read +
      (this.#before === undefined ? 0 : COSTS.map) +
      filters.reduce((sum, filter) => sum + filter.cost, 0) +
      (this.#behind === undefined ? 0 : COSTS.map) +
      (tone.threshold === "otsu" ? COSTS.histogram : 0) +
      COSTS.pack;
    this.#share = share / cost;
  }

  /**
   * Fills `bitmap`, and `kept` with the gray that belongs to it.
   *
   * @returns the level below which that gray is black
   */
  fill(bitmap: Bitmap, kept: Pointer | undefined): number {
    const { threshold, invert } = this.#tone;
    // light strokes on dark were turned over before their surroundings were looked at
    const flip = invert && threshold !== "adaptive";
    const level =
      threshold === "otsu" ? this.#fillByOtsu(bitmap, kept, flip) : this.#fillBelow(bitmap, kept, flip);
    if (kept === undefined || !flip) return level;
    const negative = this.#engine.push(NEGATIVE);
    for (const band of bands(bitmap.width, bitmap.height, 1))
      this.#run(0, band, () => this.#engine.kernels.mapGray(offset(kept, band.first), band.pixels, negative));
    return 256 - level;
  }

  #fillBelow(bitmap: Bitmap, kept: Pointer | undefined, flip: boolean): number {
    const { threshold } = this.#tone;
    const level = typeof threshold === "number" ? threshold : LOCAL_LEVEL;
    this.#eachBand(kept, (band, gray) => this.#pack(bitmap, band, gray, level, flip));
    return level;
  }

  #fillByOtsu(bitmap: Bitmap, kept: Pointer | undefined, flip: boolean): number {
    const { kernels } = this.#engine;
    const plane = kept ?? this.#engine.alloc(bitmap.width * bitmap.height);
    const tables = this.#engine.push(new Uint32Array(4 * 256));
    this.#eachBand(plane, (band, gray) =>
      this.#run(COSTS.histogram, band, () => kernels.histogram(gray, band.pixels, tables)),
    );
    const level = kernels.otsu(tables);
    for (const band of bands(bitmap.width, bitmap.height, 1))
      this.#pack(bitmap, band, offset(plane, band.first), level, flip);
    return level;
  }

  /** Makes the gray of the picture, in `plane` or band by band where it stays for one call. */
  #eachBand(plane: Pointer | undefined, use: (band: Band, gray: Pointer) => void): void {
    const { width } = this.#image;
    const chain = this.#chain;
    const placeOf = (first: number): Pointer => (plane === undefined ? this.#scratch : offset(plane, first));
    this.#reader.choose(this.#tone.source);
    for (const band of this.#reader.bands()) {
      const to = chain ? offset(chain.place(band.rows), band.x) : placeOf(band.first);
      this.#reader.read(band, to, this.#shareOf(COSTS.read, band.pixels));
      this.#map(band, to, this.#before);
      if (chain === undefined) {
        use(band, to);
        continue;
      }
      if (band.x + band.columns < width) continue;
      const made = chain.pass(
        band.rows,
        (y) => placeOf(y * width),
        (cost, rows) => this.#shareOf(cost, rows * width),
      );
      if (made.rows === 0) continue;
      const out = rowsOf(width, made.y, made.rows);
      this.#map(out, placeOf(out.first), this.#behind);
      use(out, placeOf(out.first));
    }
  }

  #map(band: Band, gray: Pointer, table: Pointer | undefined): void {
    if (table !== undefined)
      this.#run(COSTS.map, band, () => this.#engine.kernels.mapGray(gray, band.pixels, table));
  }

  #pack({ at, words }: Bitmap, band: Band, gray: Pointer, level: number, flip: boolean): void {
    const { x, y, columns, rows } = band;
    const bits = offset(at, (y * words + x / 64) * 8);
    this.#stages.run(this.#shareOf(COSTS.pack, band.pixels), rows, () =>
      this.#engine.kernels.threshold(gray, columns, rows, bits, words, level, flip ? 1 : 0),
    );
  }

  #run(cost: number, { pixels }: Band, kernel: () => number): void {
    this.#stages.run(this.#shareOf(cost, pixels), pixels, kernel);
  }

  #shareOf(cost: number, pixels: number): number {
    return (this.#share * cost * pixels) / (this.#image.width * this.#image.height);
  }
}

function offset(at: Pointer, bytes: number): Pointer {
  return (at + bytes) as Pointer;
}
