import { SaxesParser } from "saxes";
import { KerfworkError } from "../errors.ts";

/** An element of an XML document, without its namespace prefix. */
export interface XMLElement {
  readonly name: string;
  readonly attributes: ReadonlyMap<string, string>;
  readonly parent: XMLElement | undefined;
  readonly children: XMLElement[];
  /** Its own text, without that of its children. */
  text: string;
}

/** Entities that a document type declares, as drawing programs write them: `<!ENTITY ns_svg "http://...">`. */
const ENTITY = /<!ENTITY\s+([\w.-]+)\s+(?:"([^"]*)"|'([^']*)')\s*>/g;

/**
 * Reads a document into its elements. Entities stand for their text and hold no others, so a small file stays small.
 *
 * @throws BROKEN_DRAWING  text that is not well-formed XML, with line and column
 */
export function parseXML(text: string): XMLElement {
  const parser = new SaxesParser();
  let root: XMLElement | undefined;
  let open: XMLElement | undefined;
  parser.on("doctype", (declaration) => {
    for (const [, name, double, single] of declaration.matchAll(ENTITY))
      parser.ENTITIES[name as string] ??= (double ?? single) as string;
  });
  parser.on("opentag", ({ name, attributes }) => {
    const element: XMLElement = {
      name: localName(name),
      attributes: new Map(Object.entries(attributes).map(([key, value]) => [localName(key), value])),
      parent: open,
      children: [],
      text: "",
    };
    open?.children.push(element);
    root ??= element;
    open = element;
  });
  parser.on("closetag", () => {
    open = open?.parent;
  });
  const add = (piece: string): void => {
    if (open !== undefined) open.text += piece;
  };
  parser.on("text", add);
  parser.on("cdata", add);
  try {
    parser.write(text).close();
  } catch (cause) {
    throw new KerfworkError(
      "BROKEN_DRAWING",
      `Expected a well-formed SVG document, got a mistake at ${(cause as Error).message}`,
      { cause },
    );
  }
  return root as XMLElement;
}

/** `svg:path` is `path`, `xlink:href` is `href`. */
function localName(name: string): string {
  return name.slice(name.indexOf(":") + 1);
}
