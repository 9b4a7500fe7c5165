export { type DecodeOptions, decodeImage } from "./decode.ts";
export { type PreviewOptions, preview } from "./preview.ts";
export { type GcodeMoves, type ReadGcodeOptions, readGcode } from "./readgcode.ts";
export { type ReadSVGOptions, readSVG, type SVGDrawing, type SVGLayer } from "./readsvg.ts";
export { colorsToSVG, type SVGOptions, toSVG } from "./svg.ts";
