import { checkNumber } from "../errors.ts";

/** 0.1 mm a pixel. */
const DEFAULT_DPI = 254;
const MM_PER_INCH = 25.4;

/** Size of a pixel, mm, at a resolution. */
export function mmPerPxOf(dpi: number = DEFAULT_DPI): number {
  return MM_PER_INCH / dpi;
}

/** Checks resolution and tolerance of a tracer; the tolerance that is left out is `defaultPx` pixels. */
export function checkScale(
  { dpi, tolerance }: { readonly dpi?: number; readonly tolerance?: number },
  defaultPx = 0.5,
): { mmPerPx: number; tolerancePx: number } {
  if (dpi !== undefined) checkNumber("dpi", dpi, { above: 0 });
  const mmPerPx = mmPerPxOf(dpi);
  const mm = tolerance ?? defaultPx * mmPerPx;
  return { mmPerPx, tolerancePx: checkNumber("tolerance", mm, { min: 0 }) / mmPerPx };
}
