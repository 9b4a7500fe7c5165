export { type CenterlineOptions, type Centerlines, traceCenterline } from "./centerline.ts";
export { type EncodeOptions, encode, type Program } from "./gcode.ts";
export type { Image } from "./image.ts";
export { type Ops, type OpsOptions, toOps } from "./ops.ts";
export { type OrderedPaths, type OrderOptions, order } from "./order.ts";
export { type FlattenOptions, flatten, measure, type Paths, type PathsMeasure } from "./paths.ts";
export { type Curves, type TraceOptions, trace } from "./trace.ts";
