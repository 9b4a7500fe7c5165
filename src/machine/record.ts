/** What the controller did, as only it can know. Times are seconds of its own clock. */
export interface FirmwareLog {
  /** Every line that the parser finished, stripped and in capitals, with 0 or the number of its error. */
  readonly lines: { readonly seconds: number; readonly text: string; readonly status: number }[];
  /** Realtime bytes taken, `?` left out. */
  readonly realtime: { readonly seconds: number; readonly byte: number; readonly state: string }[];
  /** Starts: power-up, resets from outside, resets by 0x18. */
  readonly resets: { readonly seconds: number; readonly kind: "power" | "soft" }[];
  /**
   * Each time that the motion came to rest: for a hold, at the end of what was queued, or `dry`: it ran out while bytes
   * of the host were still on their way. `rxFree` are the free bytes of the receive buffer just then.
   */
  readonly stops: {
    readonly seconds: number;
    readonly kind: "hold" | "end" | "dry";
    readonly rxFree: number;
  }[];
  /** Bytes that were lost or changed: no room, interrupts off or nobody there, or a fault of the wire. */
  readonly lost: {
    readonly seconds: number;
    readonly byte: number;
    readonly why: "overflow" | "overrun" | "damage";
    readonly direction: "toController" | "toHost";
  }[];
  /** Faults that were injected, in words. */
  readonly faults: { readonly seconds: number; readonly what: string }[];
}

/** One entry of the log, as it is made. */
export type LogRecord = {
  [K in keyof FirmwareLog]: { readonly kind: K } & { readonly entry: FirmwareLog[K][number] };
}[keyof FirmwareLog];

export type LogListener = (record: LogRecord) => void;

/** Keeps the log, hands each entry on, or both. */
export class Recorder {
  readonly log: FirmwareLog = { lines: [], realtime: [], resets: [], stops: [], lost: [], faults: [] };
  readonly #keep: boolean;
  readonly #listener: LogListener | undefined;

  constructor(keep = true, listener?: LogListener) {
    this.#keep = keep;
    this.#listener = listener;
  }

  add<K extends keyof FirmwareLog>(kind: K, entry: FirmwareLog[K][number]): void {
    if (this.#keep) (this.log[kind] as FirmwareLog[K][number][]).push(entry);
    this.#listener?.({ kind, entry } as LogRecord);
  }
}
