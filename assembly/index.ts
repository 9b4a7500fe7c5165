// What AssemblyScript kernels of your own import from "kerfwork/assembly": reports and cancellation of the task that
// runs them. The worker links them; a call costs some 20 ns, so make it once a row or a batch, not once a pixel.

/** Sets what `setProgress` counts up to. */
// @ts-ignore: decorator
@external("kerfwork", "setTotal")
export declare function setTotal(total: f64): void;

/** Reports `value` of the total. */
// @ts-ignore: decorator
@external("kerfwork", "setProgress")
export declare function setProgress(value: f64): void;

/** Shows a text beside the progress. */
// @ts-ignore: decorator
@external("kerfwork", "setMessage")
export declare function setMessage(message: string): void;

/** True when the task was canceled: return at once, the value does not matter. */
// @ts-ignore: decorator
@external("kerfwork", "isCancelled")
export declare function isCancelled(): bool;
