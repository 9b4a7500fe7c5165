import { type Message, parseLine } from "./grbl.ts";

/** GRBL 1.1, grblHAL, FluidNC, Marlin, Smoothieware. */
export type ProtocolName = "grbl" | "grblhal" | "fluidnc" | "marlin" | "smoothie";

/** How a family of controllers is talked to, as data: what is sent, what counts as an answer, how much may be on its way. */
export interface Protocol {
  readonly name: ProtocolName;
  /** What its banner, or its answer to `M115`, holds. */
  readonly sign: RegExp;
  /** Bytes that may be on their way before the controller has told. */
  readonly window: number;
  /** Bytes of a receive buffer that it tells of and cannot fill. */
  readonly spare: number;
  /** Lines that may be on their way; one where each waits for its `ok`. */
  readonly lines: number;
  /** True when lines carry a number and a checksum, and a damaged one is asked for again. */
  readonly numbered: boolean;
  /** The byte that asks for a status report; undefined where there is none, and the traffic has to tell. */
  readonly status: string | undefined;
  /** Feed hold, resume and the other bytes that act at once. */
  readonly realtime: boolean;
  /** True when `$I`, `$$` and `$G` are answered. */
  readonly questions: boolean;
  /** Answered when all motion before it has ended. */
  readonly barrier: string;
  readonly unlock: string;
  readonly home: string;
  /**
   * Makes an error of whatever an earlier host left of a line, rather than letting it run; ended by a line end it is
   * answered in any case.
   */
  readonly spoil: string;
  /** What stops everything, and what says that it did: a new banner, or an `ok` to what is sent `after`. */
  readonly reset: { readonly bytes: string; readonly after: string };
  /** Seconds without a sign of life after which it counts as silent; undefined: what `silenceMs` says. */
  readonly silence: number | undefined;
  readonly parse: (text: string) => Message;
}

const GRBL: Protocol = {
  name: "grbl",
  sign: /^Grbl\s+v?\d/i,
  window: 128,
  spare: 0,
  lines: Number.POSITIVE_INFINITY,
  numbered: false,
  status: "?",
  realtime: true,
  questions: true,
  barrier: "G4P0",
  unlock: "$X",
  home: "$H",
  // ends a comment that was left open; outside of one it begins no word, so the line is refused whole
  spoil: ")",
  reset: { bytes: "\x18", after: "" },
  silence: undefined,
  parse: parseLine,
};

/** A host that waits for each `ok`, and asks nothing meanwhile. */
const PACED = { ...GRBL, lines: 1, questions: false, barrier: "M400" } as const;

/** The most telling sign first: forks carry their model's name as well. */
export const PROTOCOLS: readonly Protocol[] = [
  { ...GRBL, name: "fluidnc", sign: /FluidNC/i },
  { ...GRBL, name: "grblhal", sign: /grblHAL/i, spare: 1 },
  GRBL,
  {
    ...PACED,
    name: "smoothie",
    sign: /Smoothie/i,
    unlock: "M999",
    home: "G28.2",
    reset: { bytes: "\x18", after: "M999\nM5\n" },
    parse: parsePaced,
  },
  {
    ...PACED,
    name: "marlin",
    sign: /Marlin/i,
    numbered: true,
    status: undefined,
    realtime: false,
    unlock: "M999",
    home: "G28",
    // a checksum without a line number
    spoil: "*0",
    reset: { bytes: "M410\n", after: "M5\n" },
    // it says that it is busy every two seconds
    silence: 15,
    parse: parsePaced,
  },
];

export const protocolNamed = (name: string): Protocol | undefined =>
  PROTOCOLS.find((dialect) => dialect.name.toLowerCase() === name.toLowerCase());

export const protocolOf = (sign: string): Protocol | undefined =>
  PROTOCOLS.find((dialect) => dialect.sign.test(sign));

/** As `parseLine`, for controllers whose `ok` carries more, and which say in words what went wrong. */
function parsePaced(text: string): Message {
  if (/^ok\b/.test(text)) return { type: "ok" };
  const again = /^(?:Resend|rs):?\s*N?(\d+)/i.exec(text);
  if (again) return { type: "resend", number: Number(again[1]) };
  if (/^(wait$|echo:\s?busy|busy:)/i.test(text)) return { type: "feedback", text };
  if (/^!!|halted|kill\(\)/i.test(text)) return { type: "alarm", code: 0, meaning: text };
  if (/^(start|Smoothie)$/i.test(text) || /^Marlin \d/.test(text))
    return { type: "banner", firmware: text, version: "" };
  if (/^error/i.test(text)) return { type: "feedback", text };
  return parseLine(text);
}
