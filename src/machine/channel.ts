import { KerfworkError } from "../errors.ts";
import type { Clock } from "./clock.ts";
import { LineReader, type Message, parseLine, type StatusReport, writesStorage } from "./grbl.ts";
import type { Transport } from "./transport.ts";
import { type Ack, type Line, SendWindow } from "./window.ts";

/** What happens on a channel: what the controller said, or that it will say nothing more. */
export type ChannelEvent =
  | Message
  | { readonly type: "lost"; readonly reason: KerfworkError }
  | { readonly type: "silent" }
  /** An answer that no line waits for. */
  | { readonly type: "surplus"; readonly ack: Ack };

/** Where the lines of a job come from. */
export interface LineSource {
  /** The next line, again and again until `taken`; undefined when there is none now. */
  peek(): Line | undefined;
  taken(): void;
}

export const REALTIME = { status: "?", hold: "!", resume: "~", reset: "\x18" } as const;

export interface ChannelOptions {
  readonly clock: Clock;
  readonly window: number;
  /** Seconds without any answer to `?` after which the controller counts as silent. */
  readonly silence: number;
  readonly onLine?: ((text: string) => void) | undefined;
}

/** While it homes a controller answers nothing at all. */
const HOMING_SILENCE = 300;
/** Longer than a controller needs to die in order: alarm, half a second of dead time, banner. */
const BANNER_SECONDS = 1.5;
const RESET_TRIES = 3;

/**
 * One connection to a controller: every byte goes out here and every line comes in here, so that the count of what is
 * on its way covers all senders.
 */
export class Channel {
  readonly clock: Clock;
  readonly window: SendWindow;
  /** Who feeds the job that runs. */
  source: LineSource | undefined;
  /** The last status report since the controller started. */
  report: StatusReport | undefined;
  /**
   * Set from a reset or an alarm until the banner: the controller may still answer lines that it has thrown away,
   * so answers mean nothing and nothing is sent.
   */
  fenced = true;
  /** Why the channel is over. */
  ended: KerfworkError | undefined;
  /** The most free blocks and bytes ever reported: what an empty controller reports. */
  #full = { blocks: 0, rx: 0 };
  readonly #transport: Transport;
  readonly #silence: number;
  readonly #onLine: ((text: string) => void) | undefined;
  readonly #reader = new LineReader();
  readonly #listeners = new Set<(event: ChannelEvent) => void>();
  readonly #queue: Line[] = [];
  readonly #watchers = new Map<symbol, number>();
  #cancelPoll: (() => void) | undefined;
  #unanswered = 0;

  constructor(transport: Transport, { clock, window, silence, onLine }: ChannelOptions) {
    this.#transport = transport;
    this.clock = clock;
    this.window = new SendWindow(window);
    this.#silence = silence;
    this.#onLine = onLine;
    transport.onData((bytes) => this.#receive(bytes));
    transport.onClose((reason) => this.end(reason));
  }

  get name(): string {
    return this.#transport.name;
  }

  /** True when lines are waiting, or sent and not answered. */
  get busy(): boolean {
    return this.window.pending > 0 || this.#queue.length > 0;
  }

  /** True when a report shows a machine that stands and has nothing left to do, as far as it tells. */
  isEmpty(report: StatusReport): boolean {
    if (report.state !== "Idle" && report.state !== "Check") return false;
    return (report.blocks ?? Infinity) >= this.#full.blocks && (report.rxFree ?? Infinity) >= this.#full.rx;
  }

  listen(listener: (event: ChannelEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Sends bytes that no buffer holds and no count covers. */
  realtime(byte: string): void {
    if (this.ended === undefined) this.#transport.write(Buffer.from(byte, "latin1"));
  }

  /** Queues a line; resolves with what the controller said before its `ok`. */
  send(text: string): Promise<string[]> {
    return new Promise((resolve, reject) => {
      const said: string[] = [];
      this.#queue.push({
        text,
        alone: writesStorage(text) || text.toUpperCase() === "$H",
        said: (line) => said.push(line),
        dropped: reject,
        answered: (ack) => {
          if (ack.type === "ok") return resolve(said);
          const message = `The controller refused ${text}: error:${ack.code} (${ack.meaning})`;
          reject(new KerfworkError("MACHINE_ERROR", message, { data: { text, code: ack.code } }));
        },
      });
      this.pump();
    });
  }

  /** Sends every line that fits, in one write. */
  pump(): void {
    if (this.fenced || this.ended !== undefined) return;
    let out = "";
    for (;;) {
      const line = this.#queue[0] ?? this.source?.peek();
      if (line === undefined || !this.window.fits(line)) break;
      if (line === this.#queue[0]) this.#queue.shift();
      else this.source!.taken();
      this.window.push(line);
      out += `${line.text}\n`;
    }
    if (out !== "") this.#transport.write(Buffer.from(out, "latin1"));
  }

  /** Asks for the status now and then every `seconds`, until the function that it returns is called. */
  watch(seconds: number): () => void {
    const key = Symbol();
    this.#watchers.set(key, seconds);
    this.#cancelPoll?.();
    this.#unanswered = 0;
    this.#poll();
    return () => {
      this.#watchers.delete(key);
      if (this.#watchers.size > 0) return;
      this.#cancelPoll?.();
      this.#cancelPoll = undefined;
    };
  }

  #poll(): void {
    if (this.#watchers.size === 0 || this.ended !== undefined) return;
    const interval = Math.min(...this.#watchers.values());
    this.#cancelPoll = this.clock.after(interval, () => this.#poll());
    const oldest = this.window.oldest;
    // a byte that arrives while the controller writes to its EEPROM can be lost
    if (!(oldest?.alone && writesStorage(oldest.text))) this.realtime(REALTIME.status);
    this.#unanswered += interval;
    const patience = oldest?.text.toUpperCase() === "$H" ? HOMING_SILENCE : this.#silence;
    // counted in polls, not in time: a host that stood still itself must not call the controller silent
    if (this.#unanswered <= patience + interval) return;
    this.#unanswered = 0;
    this.#emit({ type: "silent" });
  }

  /**
   * Waits until `match` gives something for an event; undefined after `seconds`.
   * @throws the reason when the connection ends meanwhile, MACHINE_SILENT when the controller stops answering
   */
  wait<T>(seconds: number, match: (event: ChannelEvent) => T | undefined): Promise<T | undefined> {
    return new Promise((resolve, reject) => {
      if (this.ended !== undefined) return reject(this.ended);
      const finish = (act: () => void) => {
        cancel();
        unlisten();
        act();
      };
      const cancel = this.clock.after(seconds, () => finish(() => resolve(undefined)));
      const unlisten = this.listen((event) => {
        if (event.type === "lost") return finish(() => reject(event.reason));
        const found = match(event);
        if (found !== undefined) finish(() => resolve(found));
        else if (event.type === "silent") finish(() => reject(this.silentError()));
      });
    });
  }

  /** What a promise gives, or undefined after `seconds`. */
  within<T>(seconds: number, promise: Promise<T>): Promise<T | undefined> {
    return new Promise((resolve, reject) => {
      const cancel = this.clock.after(seconds, () => resolve(undefined));
      promise.then(resolve, reject).finally(cancel);
    });
  }

  /** Resets the controller; true once it started again. What was on its way is dropped with `error`. */
  async reset(error: KerfworkError): Promise<boolean> {
    this.fenced = true;
    this.#drop(error);
    // an alarm of a limit throws away a reset that comes too early
    for (let i = 0; i < RESET_TRIES; i++) {
      const banner = this.wait(BANNER_SECONDS, (event) => (event.type === "banner" ? true : undefined));
      this.realtime(REALTIME.reset);
      if (await banner) return true;
    }
    return false;
  }

  /** Drops what is sent and what waits: nothing of it will be answered. */
  #drop(error: Error): void {
    for (const line of [...this.window.clear(), ...this.#queue.splice(0)]) line.dropped?.(error);
  }

  /** Ends the channel: nothing is written any more, all that waits is told. */
  end(reason: KerfworkError): void {
    if (this.ended !== undefined) return;
    this.ended = reason;
    this.#cancelPoll?.();
    this.#drop(reason);
    this.#emit({ type: "lost", reason });
    this.#listeners.clear();
    this.#watchers.clear();
  }

  async close(reason: KerfworkError): Promise<void> {
    this.end(reason);
    await this.#transport.close();
  }

  silentError(): KerfworkError {
    return new KerfworkError("MACHINE_SILENT", `The controller at ${this.name} does not answer`);
  }

  #receive(bytes: Uint8Array): void {
    if (this.ended !== undefined) return;
    for (const text of this.#reader.push(bytes)) {
      this.#onLine?.(text);
      this.#take(text, parseLine(text));
    }
    this.pump();
  }

  #take(text: string, message: Message): void {
    // noise proves nothing
    if (message.type !== "unknown") this.#unanswered = 0;
    if (message.type === "ok" || message.type === "error") {
      if (this.fenced) {
        this.#emit(message);
        return;
      }
      const line = this.window.answer();
      if (line === undefined) this.#emit({ type: "surplus", ack: message });
      else line.answered(message);
      return;
    }
    if (message.type === "status") {
      this.report = message;
      this.#full = {
        blocks: Math.max(this.#full.blocks, message.blocks ?? 0),
        rx: Math.max(this.#full.rx, message.rxFree ?? 0),
      };
    } else if (message.type === "alarm") {
      this.fenced = true;
      this.report = { type: "status", state: "Alarm" };
      this.#drop(alarmError(message.code, message.meaning));
    } else if (message.type === "banner") {
      this.fenced = false;
      this.report = undefined;
      this.#drop(new KerfworkError("MACHINE_RESET", `The controller at ${this.name} restarted`));
    } else this.window.oldest?.said?.(text);
    this.#emit(message);
  }

  #emit(event: ChannelEvent): void {
    for (const listener of [...this.#listeners]) listener(event);
  }
}

export function alarmError(code: number, meaning: string, data: Record<string, unknown> = {}): KerfworkError {
  const message = `The controller is in alarm: ALARM:${code} (${meaning})`;
  return new KerfworkError("MACHINE_ALARM", message, { data: { alarm: code, ...data } });
}
