import type { XMLElement } from "./xml.ts";

/** How an element is painted, as far as a laser needs to know. */
export interface Paint {
  /** A CSS colour, or "none". */
  readonly fill: string;
  readonly stroke: string;
  readonly fillRule: "evenodd" | "nonzero";
  readonly visible: boolean;
}

/** What an SVG document begins with. */
export const DEFAULT_PAINT: Paint = { fill: "black", stroke: "none", fillRule: "nonzero", visible: true };

type Declarations = ReadonlyMap<string, string>;

/** What a style sheet says of the elements that one simple selector names. */
interface Rule {
  readonly name: string;
  readonly id: string;
  readonly classes: readonly string[];
  /** Ids count most, then classes, then names; of equals, the later one wins. */
  readonly weight: number;
  readonly declarations: Declarations;
}

/** `path`, `.cut`, `path.cut.deep`, `#outline`, `*`; what is not that simple is not understood. */
const SELECTOR = /^(\*|[a-zA-Z][\w-]*)?(#[\w-]+)?((?:\.[\w-]+)*)$/;

/** The style sheets of a document: of its selectors, those of an element by itself. */
export class StyleSheet {
  readonly #rules: Rule[] = [];
  /** Selectors that were not understood. */
  readonly unknown: string[] = [];

  add(text: string): void {
    const plain = text.replace(/\/\*[\s\S]*?\*\//g, "").replace(/<!--|-->/g, "");
    for (const [, selectors, body] of plain.matchAll(/([^{}]+)\{([^{}]*)\}/g)) {
      const declarations = declarationsOf(body as string);
      for (const selector of (selectors as string).split(",")) this.#addRule(selector.trim(), declarations);
    }
    this.#rules.sort((a, b) => a.weight - b.weight);
  }

  #addRule(selector: string, declarations: Declarations): void {
    const [match, name = "*", id = "", classes = ""] = SELECTOR.exec(selector) ?? [];
    if (!match) {
      this.unknown.push(selector);
      return;
    }
    const names = classes.split(".").filter(Boolean);
    const weight = (id ? 10_000 : 0) + 100 * names.length + (name === "*" ? 0 : 1);
    this.#rules.push({ name, id: id.slice(1), classes: names, weight, declarations });
  }

  /** The value of a property, as CSS finds it: `style` before the sheets before the attribute. */
  #valueOf(element: XMLElement, inline: Declarations, matching: readonly Rule[], name: string) {
    let value = inline.get(name);
    for (let i = matching.length - 1; value === undefined && i >= 0; i--)
      value = matching[i]?.declarations.get(name);
    return value ?? element.attributes.get(name)?.trim();
  }

  #matching({ name, attributes }: XMLElement): Rule[] {
    const id = attributes.get("id") ?? "";
    const classes = (attributes.get("class") ?? "").split(/\s+/);
    return this.#rules.filter(
      (rule) =>
        (rule.name === "*" || rule.name === name) &&
        (rule.id === "" || rule.id === id) &&
        rule.classes.every((part) => classes.includes(part)),
    );
  }

  /** The paint of an element inside another's; undefined when it is not drawn at all. */
  paint(element: XMLElement, outer: Paint): Paint | undefined {
    const inline = declarationsOf(element.attributes.get("style") ?? "");
    const matching = this.#rules.length === 0 ? [] : this.#matching(element);
    const value = (name: string): string | undefined => this.#valueOf(element, inline, matching, name);
    if (value("display") === "none") return undefined;
    const color = value("color");
    const ink = (name: "fill" | "stroke"): string => {
      const own = value(name);
      if (own === undefined || own === "inherit") return outer[name];
      if (/^currentcolor$/i.test(own)) return color ?? "black";
      return own;
    };
    const rule = value("fill-rule") ?? outer.fillRule;
    const visibility = value("visibility");
    return {
      fill: value("fill-opacity") === "0" ? "none" : ink("fill"),
      stroke: /^0(\D|$)/.test(value("stroke-width") ?? "1") ? "none" : ink("stroke"),
      fillRule: rule === "evenodd" ? "evenodd" : "nonzero",
      visible: visibility === undefined ? outer.visible : visibility === "visible",
    };
  }
}

function declarationsOf(text: string): Declarations {
  const found = new Map<string, string>();
  for (const part of text.split(";")) {
    const at = part.indexOf(":");
    if (at > 0)
      found.set(
        part.slice(0, at).trim().toLowerCase(),
        part
          .slice(at + 1)
          .replace(/!important/i, "")
          .trim(),
      );
  }
  return found;
}
