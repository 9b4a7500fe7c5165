import { type Ending, KINDS } from "./station.ts";

/** How the faults ended, kind by kind. */
export class Table {
  readonly #counts = new Map<string, Map<string, number>>();
  faults = 0;
  lines = 0;
  byHand = 0;

  add({ kind, how, lines, byHand }: Ending): void {
    this.faults++;
    this.lines += lines;
    if (byHand) this.byHand++;
    const row = this.#counts.get(kind) ?? new Map<string, number>();
    this.#counts.set(kind, row);
    row.set(how, (row.get(how) ?? 0) + 1);
  }

  /** In Markdown. */
  toString(): string {
    const found = new Set([...this.#counts.values()].flatMap((row) => [...row.keys()]));
    const first = ["exact", "undetectable"];
    const ends = [...first, ...[...found].filter((how) => !first.includes(how)).sort()];
    const rows = KINDS.filter((kind) => this.#counts.has(kind)).map((kind) => {
      const row = this.#counts.get(kind)!;
      const total = [...row.values()].reduce((sum, count) => sum + count, 0);
      return [kind, total, ...ends.map((how) => row.get(how) ?? "")];
    });
    const head = ["fault", "jobs", ...ends];
    return [head, head.map((_, i) => (i === 0 ? "---" : "---:")), ...rows]
      .map((cells) => `| ${cells.join(" | ")} |`)
      .join("\n");
  }
}
