export type { Bed } from "./bed.ts";
export { type CenterlineOptions, type Centerlines, traceCenterline } from "./centerline.ts";
export { type ClipOperation, type ClipOptions, combine, union } from "./clip.ts";
export { type ColorLayer, type ColorLayers, type ColorsOptions, traceColors } from "./colors.ts";
export { type CropOptions, type CroppedPaths, crop } from "./crop.ts";
export type { CutWarning, ReworkedOps } from "./cuts.ts";
export { type DedupedPaths, type DedupeOptions, dedupe } from "./dedupe.ts";
export { type Axes, type Estimate, estimate, type MachineProfile } from "./estimate.ts";
export { type ArcCurves, type FitArcsOptions, fitArcs } from "./fitarc.ts";
export { type EncodeOptions, encode, type Program } from "./gcode.ts";
export { type HatchOptions, hatch } from "./hatch.ts";
export { convexHull, type FrameOptions, frame, type HullOptions } from "./hull.ts";
export type { Image } from "./image.ts";
export { type CloseOptions, close, type JoinedPaths, type JoinOptions, join } from "./join.ts";
export type { Lead } from "./lead.ts";
export { addLeads, type LeadsOptions, type LeadsWarning } from "./leads.ts";
export { concatOps, type MeasureOpsOptions, measureOps, type OpsMeasure } from "./moves.ts";
export { type Nesting, nest } from "./nest.ts";
export {
  type CornerOptions,
  type Offset,
  type OffsetOptions,
  type OffsetRings,
  type OffsetRingsOptions,
  offset,
  offsetRings,
} from "./offset.ts";
export { newOps, type Ops, type OpsOptions, toOps } from "./ops.ts";
export { type OrderedPaths, type OrderOptions, order } from "./order.ts";
export { type OvercutOptions, type OvercutWarning, overcut } from "./overcut.ts";
export { type OverscanOptions, type OverscanWarning, overscan } from "./overscan.ts";
export { type PassesOptions, type PassesWarning, passes, type Steps } from "./passes.ts";
export {
  type FillRule,
  type FlattenOptions,
  flatten,
  measure,
  type Paths,
  type PathsMeasure,
} from "./paths.ts";
export { type PerforateOptions, type PerforateWarning, perforate } from "./perforate.ts";
export { type TracePreset, tracePresets } from "./presets.ts";
export { type SimplifyOptions, simplify } from "./simplify.ts";
export { type SmoothOptions, smooth } from "./smooth.ts";
export { addTabs, type TabPlace, type TabsOptions, type TabsWarning } from "./tabs.ts";
export { type Curves, type TraceOptions, trace } from "./trace.ts";
export { bounds, type Matrix, reverse, transform } from "./transform.ts";
