import { RX_BYTES } from "./uart.ts";

/** A controller's language, as data. */
export interface Dialect {
  /** Which program runs: GRBL's, or one that answers each line with `ok` and knows line numbers. */
  readonly program: "grbl" | "marlin" | "smoothie";
  /** Printed at each start. */
  readonly banner: string;
  /** The answer to `$I` or `M115`. */
  readonly info: readonly string[];
  /** Moves that the planner takes. */
  readonly blocks: number;
  /** Bytes that the receive buffer holds. */
  readonly rxBytes: number;
  /** Seconds without a line after which it prints `wait`; Infinity never does. */
  readonly wait: number;
  /** Seconds between two `echo:busy: processing` of a line that takes long; Infinity never says so. */
  readonly busy: number;
  /** What asks for line n once more, before its number. */
  readonly resend: string;
}

/** Of dialects that neither number lines nor say that they live. */
const SILENT = { wait: Infinity, busy: Infinity, resend: "" } as const;

export type DialectName = "grbl" | "grblhal" | "fluidnc" | "marlin" | "smoothie";

/**
 * `grbl` is held against recordings of GRBL 1.1h. The banners and buffer sizes of grblHAL are known, its 1023 usable of
 * 1024 bytes too; the banner of FluidNC is known. All else of the other four is general knowledge of their protocols, not
 * checked against a device: they are there to try a host's flow control on.
 */
export const DIALECTS: Readonly<Record<DialectName, Dialect>> = {
  grbl: {
    ...SILENT,
    program: "grbl",
    banner: "\r\nGrbl 1.1h ['$' for help]\r\n",
    info: ["[VER:1.1h.20190830:]", "[OPT:V,15,128]"],
    blocks: 15,
    rxBytes: RX_BYTES,
  },
  grblhal: {
    ...SILENT,
    program: "grbl",
    banner: "\r\nGrblHAL 1.1f ['$' or '$HELP' for help]\r\n",
    info: ["[VER:1.1f.20240101:]", "[OPT:V,100,1024,3,0]", "[FIRMWARE:grblHAL]"],
    blocks: 100,
    rxBytes: 1023,
  },
  fluidnc: {
    ...SILENT,
    program: "grbl",
    banner: "\r\nGrbl 3.7 [FluidNC v3.7.10 (wifi) '$' for help]\r\n",
    info: ["[VER:3.7 FluidNC v3.7.10:]", "[OPT:PHS]"],
    blocks: 15,
    rxBytes: 255,
  },
  marlin: {
    program: "marlin",
    banner: "start\necho:Marlin 2.1.2\necho: Free Memory: 3814  PlannerBufferBytes: 1200\n",
    info: [
      "FIRMWARE_NAME:Marlin 2.1.2 PROTOCOL_VERSION:1.0 MACHINE_TYPE:Laser EXTRUDER_COUNT:0",
      "Cap:SERIAL_XON_XOFF:0",
      "Cap:EMERGENCY_PARSER:0",
    ],
    blocks: 15,
    rxBytes: 128,
    wait: 1,
    busy: 2,
    resend: "Resend: ",
  },
  smoothie: {
    program: "smoothie",
    banner: "Smoothie\r\nok\r\n",
    info: ["FIRMWARE_NAME:Smoothieware, PROTOCOL_VERSION:1.0, X-GRBL_MODE:0"],
    blocks: 31,
    rxBytes: 256,
    wait: Infinity,
    busy: Infinity,
    resend: "rs N",
  },
};
