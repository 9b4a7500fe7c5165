export { type CenterlineOptions, type Centerlines, traceCenterline } from "./centerline.ts";
export { type ClipOperation, type ClipOptions, combine, union } from "./clip.ts";
export { type ColorLayer, type ColorLayers, type ColorsOptions, traceColors } from "./colors.ts";
export { type EncodeOptions, encode, type Program } from "./gcode.ts";
export { convexHull, type FrameOptions, frame, type HullOptions } from "./hull.ts";
export type { Image } from "./image.ts";
export {
  type JoinOptions,
  type Offset,
  type OffsetOptions,
  type OffsetRings,
  type OffsetRingsOptions,
  offset,
  offsetRings,
} from "./offset.ts";
export { type Ops, type OpsOptions, toOps } from "./ops.ts";
export { type OrderedPaths, type OrderOptions, order } from "./order.ts";
export { type FlattenOptions, flatten, measure, type Paths, type PathsMeasure } from "./paths.ts";
export { type TracePreset, tracePresets } from "./presets.ts";
export { type Curves, type TraceOptions, trace } from "./trace.ts";
