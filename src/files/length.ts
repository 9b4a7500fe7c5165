/** CSS pixels of each unit that has a fixed size. */
const PX: Readonly<Record<string, number>> = {
  px: 1,
  mm: 96 / 25.4,
  cm: 96 / 2.54,
  in: 96,
  pt: 96 / 72,
  pc: 16,
  Q: 96 / 101.6,
};

const LENGTH = /^\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)\s*(px|mm|cm|in|pt|pc|Q|em|ex|rem|%)?\s*$/;

/** A length as a document states it. */
export interface Length {
  /** CSS pixels, of which 96 are an inch; for a percentage, the share of what it refers to. */
  readonly value: number;
  /** "" for a plain number. */
  readonly unit: string;
}

/** Undefined for what is no length: a browser draws as if it were not there. */
export function lengthOf(text: string | undefined): Length | undefined {
  const [, number, unit = ""] = LENGTH.exec(text ?? "") ?? [];
  if (number === undefined) return undefined;
  const value = Number(number);
  if (unit === "%") return { value: value / 100, unit };
  // letters are not read, so their size is the default one
  if (unit === "em" || unit === "rem") return { value: 16 * value, unit };
  if (unit === "ex") return { value: 8 * value, unit };
  return { value: value * (PX[unit] ?? 1), unit };
}

/** A length in user units; a percentage refers to `whole`. */
export function unitsOf(text: string | undefined, whole: number, otherwise = 0): number {
  const length = lengthOf(text);
  if (length === undefined) return otherwise;
  return length.unit === "%" ? length.value * whole : length.value;
}

/** The numbers of a list such as `viewBox` or `points`. */
export function numbersOf(text: string): number[] {
  return (text.match(/[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?/g) ?? []).map(Number);
}
