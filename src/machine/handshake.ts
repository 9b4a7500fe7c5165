import type { KerfworkError } from "../errors.ts";
import { type Channel, REALTIME } from "./channel.ts";

/** Nothing heard for so long: what was said because of the connection itself is over. */
const QUIET_SECONDS = 0.1;
const ASK_SECONDS = 0.25;

/**
 * Finds out that a controller answers, and how much may be sent to it. Opening a port restarts many boards, so a
 * banner, a report and an `ok` are all good news, and what else comes until it is quiet counts for nothing.
 *
 * @throws MACHINE_SILENT after `seconds`
 */
export async function shakeHands(channel: Channel, seconds: number): Promise<void> {
  const end = channel.clock.now() + seconds;
  const left = () => end - channel.clock.now();
  channel.fenced = true;
  // a line that an earlier host left half sent must not swallow the first of ours
  channel.realtime("\n");
  const alive = () =>
    channel.wait(ASK_SECONDS, ({ type }) => (["ok", "status", "banner"].includes(type) ? true : undefined));
  while (!(await alive())) {
    if (left() <= 0) throw channel.silentError();
    channel.realtime(REALTIME.status);
  }
  for (;;) {
    while ((await channel.wait(QUIET_SECONDS, () => true)) && left() > 0);
    channel.fenced = false;
    try {
      return await measure(channel, left);
    } catch (error) {
      // a board that restarts late: it starts over, and so do we
      if ((error as KerfworkError).code !== "MACHINE_RESET" || left() <= 0) throw error;
    }
  }
}

/** Learns the state, and how many bytes may be on their way. */
async function measure(channel: Channel, left: () => number): Promise<void> {
  const ask = () => {
    const status = channel.wait(ASK_SECONDS, (event) => (event.type === "status" ? event : undefined));
    channel.realtime(REALTIME.status);
    return status;
  };
  let report = await ask();
  while (report === undefined) {
    if (left() <= 0) throw channel.silentError();
    report = await ask();
  }
  // in other states the question would be refused, or wait for the end of a hold
  if (report.state !== "Idle" && report.state !== "Alarm") return;
  let told: number | undefined;
  const unlisten = channel.listen((event) => {
    if (event.type === "options") told = event.rxBytes;
  });
  // refused by a few: then the report alone has to do
  const question = channel.send("$I").then(
    () => true,
    (error: KerfworkError) => {
      if (error.code !== "MACHINE_ERROR") throw error;
      return true;
    },
  );
  const answered = await channel.within(Math.max(ASK_SECONDS, left()), question).finally(unlisten);
  if (answered === undefined) throw channel.silentError();
  const known = [told, report.rxFree].filter((bytes) => bytes !== undefined && bytes > 0) as number[];
  if (known.length > 0) channel.window.size = Math.min(...known);
}
