export type { Program } from "./gcode.ts";
export type { Image } from "./image.ts";
export type { Ops } from "./ops.ts";
export type { Paths } from "./paths.ts";
export type { Curves } from "./trace.ts";
