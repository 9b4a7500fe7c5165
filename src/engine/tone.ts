import { checkFlag, checkNumber, checkOneOf, invalid } from "../errors.ts";
import type { Source } from "./pixels.ts";

/** How pixels become black or white. The options are applied in the order in which they stand here. */
export interface ToneOptions {
  /**
   * What becomes gray. "luma": the colours, laid over white where they are transparent; "alpha": the shape, opaque
   * becomes black, for pictures with transparency only. "auto" (default) takes the shape of an RGBA picture that has
   * pixels of alpha below 128, while the colours of all others span less than 64 gray levels: a drawing in one colour,
   * be it white, on a transparent ground. All other pictures are taken by their colours.
   */
  readonly source?: "auto" | "luma" | "alpha";
  /**
   * The gray that becomes 0, an integer 0..254 (default 0), and the gray that becomes 255, an integer > `black`, at
   * most 255 (default 255); between them evenly.
   */
  readonly levels?: { readonly black?: number; readonly white?: number };
  /** Lightens the middle tones above 1, darkens them below: 255 (gray / 255) ^ (1 / gamma), 0.1..10 (default 1). */
  readonly gamma?: number;
  /** Replaces each pixel by the median of itself and its eight neighbours (default false). */
  readonly denoise?: boolean;
  /** Standard deviation of Gauss's blur, px, 0..20 (default 0: none). */
  readonly blurPx?: number;
  /**
   * What is black. A number: gray below it, an integer 0..255. "otsu" (default): gray below the number that parts the
   * picture best. `{ from, to }`: gray in this range, both ends included, integers 0..255. "adaptive": gray below the
   * threshold of its surroundings, for uneven light; plain areas wider than the window come out white, dark ones too.
   */
  readonly threshold?: number | "otsu" | "adaptive" | { readonly from: number; readonly to: number };
  /**
   * For "adaptive", Sauvola's threshold m (1 + k (s / 128 - 1)) from the mean m and standard deviation s of a square window:
   * its side, px, an odd integer 3..511 (default 51), wider than the strokes; and k, 0..1 (default 0.3), less finds fainter
   * strokes.
   */
  readonly adaptive?: { readonly windowPx?: number; readonly k?: number };
  /**
   * Exchanges black and white (default false). With "adaptive" it is the gray that is turned over, so that light strokes on a
   * dark ground are found.
   */
  readonly invert?: boolean;
}

export const TONE_NAMES = [
  "source",
  "levels",
  "gamma",
  "denoise",
  "blurPx",
  "threshold",
  "adaptive",
  "invert",
] as const;

/** Checked options, all of them. */
export interface Tone {
  readonly source: "auto" | Source;
  readonly levels: { readonly black: number; readonly white: number };
  readonly gamma: number;
  readonly denoise: boolean;
  readonly blurPx: number;
  readonly threshold: number | "otsu" | "adaptive" | { readonly from: number; readonly to: number };
  readonly adaptive: { readonly windowPx: number; readonly k: number };
  readonly invert: boolean;
}

export const DEFAULT_TONE: Tone = {
  source: "auto",
  levels: { black: 0, white: 255 },
  gamma: 1,
  denoise: false,
  blurPx: 0,
  threshold: "otsu",
  adaptive: { windowPx: 51, k: 0.3 },
  invert: false,
};

/**
 * Fills in what is left out.
 *
 * @param channels   of the picture, 1, 3 or 4
 * @throws INVALID_ARGUMENT   an option that breaks its contract
 */
export function checkTone(options: ToneOptions, channels: number): Tone {
  const { levels = {}, adaptive = {} } = options;
  const { source, gamma, denoise, blurPx, threshold, invert } = { ...DEFAULT_TONE, ...given(options) };
  checkOneOf("source", source, ["auto", "luma", "alpha"]);
  if (source === "alpha" && channels !== 4)
    throw invalid("source", '"auto" or "luma" for a picture without transparency', source);
  checkNames("levels", levels, ["black", "white"]);
  const { black, white } = { ...DEFAULT_TONE.levels, ...given(levels) };
  checkNumber("levels.black", black, { min: 0, max: 254, integer: true });
  checkNumber("levels.white", white, { min: black + 1, max: 255, integer: true });
  checkNumber("gamma", gamma, { min: 0.1, max: 10 });
  checkFlag("denoise", denoise);
  checkNumber("blurPx", blurPx, { min: 0, max: 20 });
  checkThreshold(threshold);
  checkNames("adaptive", adaptive, ["windowPx", "k"]);
  const { windowPx, k } = { ...DEFAULT_TONE.adaptive, ...given(adaptive) };
  const isWindow = typeof windowPx === "number" && windowPx >= 3 && windowPx <= 511;
  if (!isWindow || windowPx % 2 !== 1)
    throw invalid("adaptive.windowPx", "an odd integer >= 3 and <= 511", windowPx);
  checkNumber("adaptive.k", k, { min: 0, max: 1 });
  checkFlag("invert", invert);
  return {
    source,
    levels: { black, white },
    gamma,
    denoise,
    blurPx,
    threshold,
    adaptive: { windowPx, k },
    invert,
  };
}

/** Without entries that are undefined, which would hide defaults. */
function given<T extends object>(options: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as never;
}

function checkNames(name: string, value: unknown, names: readonly string[]): void {
  if (typeof value !== "object" || value === null)
    throw invalid(name, `an object with ${names.join(", ")}`, value);
  for (const key of Object.keys(value))
    if (!names.includes(key))
      throw invalid(name, `an object with no other names than ${names.join(", ")}`, key);
}

function checkThreshold(threshold: Tone["threshold"]): void {
  if (threshold === "otsu" || threshold === "adaptive") return;
  if (typeof threshold === "number") {
    checkNumber("threshold", threshold, { min: 0, max: 255, integer: true });
    return;
  }
  if (typeof threshold !== "object" || threshold === null)
    throw invalid("threshold", '"otsu", "adaptive", an integer >= 0 and <= 255, or { from, to }', threshold);
  checkNames("threshold", threshold, ["from", "to"]);
  const { from, to } = threshold;
  checkNumber("threshold.from", from, { min: 0, max: 255, integer: true });
  checkNumber("threshold.to", to, { min: from, max: 255, integer: true });
}

/** The gray that each gray becomes. */
export type Table = Uint8Array;

export const NEGATIVE: Table = Uint8Array.from({ length: 256 }, (_, gray) => 255 - gray);

/** What comes before the filters: levels and gamma, and the negative that light strokes on dark are found in. */
export function tableBefore({ levels, gamma, threshold, invert }: Tone): Table | undefined {
  const negative = threshold === "adaptive" && invert;
  if (levels.black === 0 && levels.white === 255 && gamma === 1) return negative ? NEGATIVE : undefined;
  return Uint8Array.from({ length: 256 }, (_, gray) => {
    const part = Math.min(1, Math.max(0, (gray - levels.black) / (levels.white - levels.black)));
    const tone = Math.round(255 * part ** (1 / gamma));
    return negative ? 255 - tone : tone;
  });
}

/** What comes behind the filters: how far a gray is outside a range, so that the range lies below `LOCAL_LEVEL`. */
export function tableBehind({ threshold }: Tone): Table | undefined {
  if (typeof threshold !== "object") return undefined;
  const { from, to } = threshold;
  return Uint8Array.from({ length: 256 }, (_, gray) => {
    // both edges of the range are half a level outside its ends
    const outside = Math.max(from - gray, gray - to);
    return Math.min(255, Math.max(0, LOCAL_LEVEL - 1 + outside));
  });
}

/** The threshold of gray that tells how far the picture is from its own. */
export const LOCAL_LEVEL = 128;

export function compose(first: Table | undefined, second: Table | undefined): Table | undefined {
  if (first === undefined || second === undefined) return first ?? second;
  return first.map((gray) => second[gray]!);
}
