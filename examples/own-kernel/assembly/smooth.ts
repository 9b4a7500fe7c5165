import { isCancelled, setProgress, setTotal } from "kerfwork/assembly";

export const Float64Array_ID = idof<Float64Array>();

/** Moving average of odd `width`, run `passes` times; the ends keep their values. */
export function smooth(values: Float64Array, width: i32, passes: i32): Float64Array {
  const half = width >> 1;
  let from = values;
  let to = new Float64Array(values.length);
  setTotal(passes);
  for (let pass = 0; pass < passes; pass++) {
    if (isCancelled()) break;
    to.set(from);
    for (let i = half; i < from.length - half; i++) {
      let sum = 0.0;
      for (let k = i - half; k <= i + half; k++) sum += from[k];
      to[i] = sum / f64(2 * half + 1);
    }
    const swap = from === values ? new Float64Array(values.length) : from;
    from = to;
    to = swap;
    setProgress(pass + 1);
  }
  return from;
}
