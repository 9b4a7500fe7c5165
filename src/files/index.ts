export { type DecodeOptions, decodeImage } from "./decode.ts";
export { type SVGOptions, toSVG } from "./svg.ts";
