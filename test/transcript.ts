// Recordings of real firmware, and the same bytes sent to a simulated one at the same times.
import { readFileSync } from "node:fs";
import { Firmware, type FirmwareOptions } from "kerfwork";

export interface Entry {
  readonly t: number;
  readonly d: "tx" | "rx" | "note" | "close" | "error";
  readonly b: string;
}

/** A line that the controller said, and when it was complete (simulated) or began to arrive (recorded). */
export interface Said {
  readonly t: number;
  readonly text: string;
  /** The time of the last byte that was sent before. */
  readonly sent: number;
}

export interface Logged {
  readonly t: number;
  readonly kind: string;
  readonly text: string;
}

export interface Transcript {
  readonly entries: readonly Entry[];
  /** The controller's log: GC and SYS of jogs are one. */
  readonly log: readonly Logged[];
  /** How far the controller's clock is ahead of the host's, s. */
  readonly ahead: number;
  readonly said: readonly Said[];
}

export function readTranscript(name: string): Transcript {
  const read = (kind: string) =>
    readFileSync(`test/fixtures/grbl/${name}.${kind}`, "utf8").trim().split("\n");
  const entries = read("jsonl")
    .slice(1)
    .map((line) => JSON.parse(line) as Entry);
  const log = read("mculog").map((line) => {
    const [, t, kind, text] = /^(\S+) (\S+) ?(.*)$/.exec(line)!;
    return { t: Number(t), kind: kind!, text: text! };
  });
  const ahead = log.find(({ kind }) => kind === "PTYOPEN")!.t;
  const said: Said[] = [];
  let text = "";
  let sent = 0;
  for (const { t, d, b } of entries) {
    if (d === "tx") sent = t;
    if (d !== "rx") continue;
    text += b;
    for (let end = text.indexOf("\r\n"); end !== -1; end = text.indexOf("\r\n")) {
      if (end > 0) said.push({ t, text: text.slice(0, end), sent });
      text = text.slice(end + 2);
    }
  }
  return { entries, log, ahead, said };
}

const REALTIME = "!~\x18";

export interface Replay {
  readonly firmware: Firmware;
  readonly said: readonly Said[];
}

export interface ReplayOptions {
  readonly options?: FirmwareOptions;
  /** Called with the text of each note of the recording. */
  readonly atNote?: (text: string, firmware: Firmware) => void;
  /** What happened outside, by the host's clock. */
  readonly events?: readonly { readonly t: number; readonly run: (firmware: Firmware) => void }[];
  /** The controller's time at a time of the host, where the two clocks did not go side by side. */
  readonly clock?: (t: number) => number;
  /** Times of writes that are not repeated. */
  readonly leaveOut?: readonly number[];
  /** A host that waits for answers waits for late ones too, at most so long, s (default 0.05). */
  readonly patience?: number;
  /** Seconds to listen after the last entry. */
  readonly after?: number;
}

/**
 * Sends what the recording sent to a new controller, at the same times: realtime bytes when the controller's log has
 * them, all others by the host's clock, but never before the answers that the host had seen then.
 */
export function replay(transcript: Transcript, options: ReplayOptions = {}): Replay {
  const { atNote = () => {}, events = [], after = 10 } = options;
  const clock = options.clock ?? ((t: number) => t + transcript.ahead);
  const firmware = new Firmware(options.options);
  const said: Said[] = [];
  let text = "";
  let sent = 0;
  const step = (until: number) => {
    firmware.advance(Math.min(until, firmware.next()));
    text += Buffer.from(firmware.uart.take()).toString("latin1");
    for (let end = text.indexOf("\r\n"); end !== -1; end = text.indexOf("\r\n")) {
      if (end > 0) said.push({ t: firmware.now - transcript.ahead, text: text.slice(0, end), sent });
      text = text.slice(end + 2);
    }
  };
  const listen = (until: number) => {
    while (firmware.now < until) step(until);
  };
  const realtime = transcript.log.filter(({ kind }) => kind === "RT");
  let outside = [...events];
  // answers count from the first byte on
  let before: number | undefined;
  let seen = 0;
  for (const { t, d, b } of transcript.entries) {
    for (const { t: at, run } of outside.filter((event) => event.t <= t)) {
      listen(clock(at));
      run(firmware);
    }
    outside = outside.filter((event) => event.t > t);
    if (d === "rx")
      seen += b.split("\n").length - 1 - b.split("\r\n\r\n").length + 1 - (b.startsWith("\r\n") ? 1 : 0);
    if (d === "note" || d === "close") {
      listen(clock(t));
      if (d === "note") atNote(b, firmware);
    }
    if (d !== "tx" || options.leaveOut?.includes(t)) continue;
    const record = b.length === 1 && (REALTIME.includes(b) || b > "\x7f") ? realtime.shift() : undefined;
    listen(record === undefined ? clock(t) : record.t - 10 / 115_200);
    before ??= said.length - seen;
    const limit = firmware.now + (options.patience ?? 0.05);
    while (said.length < before + seen && firmware.now < limit) step(limit);
    sent = t;
    firmware.uart.send(Buffer.from(b, "latin1"), firmware.now);
  }
  listen(firmware.now + after);
  return { firmware, said };
}

/** Seconds from one mark to another. A mark is `GC text`, `RT 0x21` or `stop`, with `#n` for the n-th but the first. */
export function duration(log: readonly Logged[], from: string, to: string): number {
  const at = (mark: string) => {
    const [what, count = "0"] = mark.split("#");
    return log.filter(
      ({ kind, text }) => what === kind || what === `${kind} ${text.replace(/ state.*/, "")}`,
    )[Number(count)]!.t;
  };
  return at(to) - at(from);
}

/** The controller's log with the names that `duration` knows, recorded or simulated. */
export function marks(source: Transcript | Firmware): Logged[] {
  if (!(source instanceof Firmware))
    return source.log.flatMap(({ t, kind, text }) => {
      if (kind === "CYCLESTOP") return { t, kind: "stop", text: "" };
      if (kind === "GC" || kind === "SYS") return { t, kind: "GC", text: text.replace(/^\d+ /, "") };
      return kind === "RT" ? { t, kind, text } : [];
    });
  const { lines, realtime, stops } = source.log;
  return [
    ...lines.map(({ seconds, text }) => ({ t: seconds, kind: "GC", text })),
    ...stops.map(({ seconds }) => ({ t: seconds, kind: "stop", text: "" })),
    ...realtime.map(({ seconds, byte }) => ({ t: seconds, kind: "RT", text: `0x${byte.toString(16)}` })),
  ];
}

export interface Report {
  readonly state: string;
  readonly position: readonly number[];
  /** mm/min and S. */
  readonly speed: number;
  readonly power: number;
  /** All other fields, in order. */
  readonly rest: string;
}

export function parseReport(text: string): Report | undefined {
  const match = /^<([^|]+)\|MPos:([^|]+)\|(.*?)\|?FS:(\d+),(\d+)(.*)>$/.exec(text);
  if (match === null) return undefined;
  const [, state, position, before, speed, power, after] = match;
  return {
    state: state!,
    position: position!.split(",").map(Number),
    speed: Number(speed),
    power: Number(power),
    rest: `${before}${after}`,
  };
}
