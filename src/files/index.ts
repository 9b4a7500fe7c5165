export { type DecodeOptions, decodeImage } from "./decode.ts";
export { colorsToSVG, type SVGOptions, toSVG } from "./svg.ts";
