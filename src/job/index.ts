export {
  type Drawing,
  type DrawingOptions,
  type LayerDrawing,
  type LayersOptions,
  makeDrawing,
  makeLayers,
  makeStrokes,
  type Picture,
  type PictureOptions,
  type StrokeDrawing,
  type StrokesOptions,
} from "./drawing.ts";
export { checkJobOptions, type Job, type JobOptions, type JobReport, makeProgram } from "./program.ts";
export type { FillOptions, ToolpathOptions } from "./toolpath.ts";
