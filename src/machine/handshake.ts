import { KerfworkError } from "../errors.ts";
import type { Channel, ChannelEvent } from "./channel.ts";
import { within } from "./clock.ts";
import type { StatusReport } from "./grbl.ts";
import { numericSettings } from "./limits.ts";
import { PROTOCOLS, type Protocol, protocolNamed, protocolOf } from "./protocol.ts";

/** Nothing heard for so long: what was said because of the connection itself is over. */
const QUIET_SECONDS = 0.1;
const ASK_SECONDS = 0.25;
/** Questions without a report after which it is asked in the other families' language. */
const ASKS = 6;

/** Of whoever it may be: each family's own way to spoil a line, one behind the other. */
const SPOIL_ANY = `${[...new Set(PROTOCOLS.map(({ spoil }) => spoil))].join("")}\n`;
const GRBL = protocolNamed("grbl") as Protocol;
const SMOOTHIE = protocolNamed("smoothie") as Protocol;

/**
 * Finds out that a controller answers, which one, and how much may be sent to it. Opening a port restarts many boards,
 * so a banner, a report, an `ok` and a refusal are all good news, and what else comes until it is quiet counts for nothing.
 *
 * @param protocol  undefined to find out
 * @throws MACHINE_SILENT after `seconds`
 */
export async function shakeHands(
  channel: Channel,
  seconds: number,
  protocol: Protocol | undefined,
): Promise<void> {
  const end = channel.clock.now() + seconds;
  const left = () => end - channel.clock.now();
  channel.fenced = true;
  const spoil = protocol === undefined ? SPOIL_ANY : `${protocol.spoil}\n`;
  let sign = protocol;
  const unlisten = channel.listen((event) => {
    sign ??= signOf(event);
  });
  try {
    // asked first: it goes into no line, and tells whether there is room for what must not arrive in parts
    const report = await ask(channel);
    if (!isFull(report, spoil)) channel.realtime(spoil);
    if (report === undefined) await recognise(channel, left, () => sign);
    else sign ??= GRBL;
  } finally {
    unlisten();
  }
  channel.speak(sign ?? GRBL);
  for (;;) {
    if (!isFull(channel.report, spoil)) await quiet(channel, left);
    channel.fenced = false;
    try {
      return await measure(channel, left);
    } catch (error) {
      // a board that restarts late: it starts over, and so do we
      if ((error as KerfworkError).code !== "MACHINE_RESET" || left() <= 0) throw error;
    }
  }
}

/** True for a machine at work whose buffer would lose a part of what is sent. */
const isFull = (report: StatusReport | undefined, text: string): boolean =>
  report !== undefined && !/^(Idle|Alarm)$/.test(report.state) && (report.rxFree ?? 0) < text.length;

/** A line that tells who speaks. */
function signOf(event: ChannelEvent): Protocol | undefined {
  if (event.type === "banner") return protocolOf(`${event.firmware} ${event.version}`);
  if (event.type === "unknown") return protocolOf(event.text);
  if (event.type === "data") return protocolOf(event.value);
  // it gives both kinds of coordinates at once
  if (event.type === "status" && event.machine !== undefined && event.work !== undefined) return SMOOTHIE;
  return undefined;
}

/** Asks for the status once; where reports are not known, until anything is heard. */
function ask(channel: Channel): Promise<StatusReport | undefined> {
  const status = channel.wait(ASK_SECONDS, (event) => (event.type === "status" ? event : undefined));
  channel.pulse.ask();
  return status;
}

async function quiet(channel: Channel, left: () => number): Promise<void> {
  while ((await channel.wait(QUIET_SECONDS, () => true)) && left() > 0);
}

/** Waits for a line that tells who is there, or for a report: an `ok` and a refusal come from anybody. */
async function recognise(
  channel: Channel,
  left: () => number,
  sign: () => Protocol | undefined,
): Promise<void> {
  for (let asked = 0; sign() === undefined; asked++) {
    if (left() <= 0) throw channel.silentError();
    const turn = asked >= ASKS && asked % 2 === 0;
    if (turn) channel.realtime("\nM115\n");
    const heard = channel.wait(ASK_SECONDS, (event) =>
      event.type === "status" || sign() ? true : undefined,
    );
    if (!turn) channel.pulse.ask();
    if (await heard) return;
  }
}

/** Learns the state, and how many bytes may be on their way. */
async function measure(channel: Channel, left: () => number): Promise<void> {
  let report = await ask(channel);
  while (report === undefined) {
    if (left() <= 0) throw channel.silentError();
    report = await ask(channel);
  }
  const { window, protocol } = channel;
  if (report.state !== "Idle" && report.state !== "Alarm") {
    // what it still does is not ours, and neither are the answers to come
    channel.strange = /^(Run|Hold|Jog|Home|Door)$/.test(report.state);
    if (channel.strange) channel.fenced = true;
    return;
  }
  if (!protocol.questions) {
    if (protocol.numbered) await renumber(channel, left);
    return;
  }
  let told: number | undefined;
  const unlisten = channel.listen((event) => {
    if (event.type === "options") told = event.rxBytes - protocol.spare;
  });
  const said = await question(channel, "$I", left).finally(unlisten);
  const who = said.map(protocolOf).find((found) => found !== undefined && found !== protocol);
  if (who !== undefined) {
    channel.speak(who);
    if (told !== undefined) told -= who.spare - protocol.spare;
  }
  const known = [told, report.rxFree].filter((bytes) => bytes !== undefined && bytes > 0) as number[];
  if (known.length > 0) window.size = Math.min(...known);
  channel.settings = numericSettings(await question(channel, "$$", left));
}

/** Lets the count of lines begin anew: without a number itself, so that it is taken whatever the count was. */
async function renumber(channel: Channel, left: () => number): Promise<void> {
  channel.fenced = true;
  const taken = channel.wait(Math.max(ASK_SECONDS, left()), ({ type }) => (type === "ok" ? true : undefined));
  channel.realtime("M110 N0\n");
  if (!(await taken)) throw channel.silentError();
  await quiet(channel, left);
  channel.fenced = false;
}

/** Asks in a line; refused by a few, who then say nothing. */
async function question(channel: Channel, text: string, left: () => number): Promise<string[]> {
  const answer = channel.send(text).catch((error: KerfworkError) => {
    if (error.code !== "MACHINE_ERROR") throw error;
    return [];
  });
  const lines = await within(channel.clock, Math.max(ASK_SECONDS, left()), answer);
  if (lines === undefined) throw channel.silentError();
  return lines;
}

/**
 * Takes over a machine that was at work when the connection began, once it is done with that.
 * @throws INVALID_STATE it is not
 */
export async function takeOver(channel: Channel, seconds: number): Promise<void> {
  const end = channel.clock.now() + seconds;
  const left = () => end - channel.clock.now();
  const first = await ask(channel);
  const said = await channel.wait(QUIET_SECONDS, () => true);
  const second = await ask(channel);
  const still = (one: typeof first) => one !== undefined && /^(Idle|Alarm)$/.test(one.state);
  if (!still(first) || !still(second) || said || first?.blocks !== second?.blocks)
    throw new KerfworkError(
      "INVALID_STATE",
      "The machine still does what an earlier host sent: wait for its end, or call `reset()`",
    );
  // now that there is room: half a line may have been left
  channel.realtime(`${channel.protocol.spoil}\n`);
  await quiet(channel, left);
  channel.strange = false;
  channel.fenced = false;
  await measure(channel, left);
}
