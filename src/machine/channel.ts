import { KerfworkError } from "../errors.ts";
import { Backlog } from "./backlog.ts";
import { Callbacks } from "./callbacks.ts";
import { type Clock, within } from "./clock.ts";
import { alarmError, isDamagedAck } from "./failure.ts";
import { LineReader, type Message, type StatusReport, stopsAnswers, writesStorage } from "./grbl.ts";
import type { SettingValues } from "./limits.ts";
import { numberedLine, type Protocol } from "./protocol.ts";
import { Pulse } from "./pulse.ts";
import { Tracker } from "./state.ts";
import { portLost, type Transport } from "./transport.ts";
import { type Ack, type Line, SendWindow } from "./window.ts";

/** What happens on a channel: what the controller said, or that it will say nothing more. */
export type ChannelEvent =
  | Message
  | { readonly type: "lost"; readonly reason: KerfworkError }
  | { readonly type: "silent" }
  /** What cannot be if no answer was lost or made up. */
  | { readonly type: "mismatch"; readonly what: string };

/** Where the lines of a job come from. */
export interface LineSource {
  /** The next line, again and again until `taken`; undefined when there is none now. */
  peek(): Line | undefined;
  taken(): void;
  /** A callback of the host threw. */
  hostFailed(error: unknown): void;
}

export const REALTIME = { hold: "!", resume: "~", reset: "\x18", cancelJog: "\x85" } as const;

export interface ChannelOptions {
  readonly clock: Clock;
  readonly protocol: Protocol;
  /** Seconds without any answer to `?` after which the controller counts as silent. */
  readonly silence: number;
  readonly onLine?: ((text: string) => void) | undefined;
}

/** Longer than a controller needs to die in order: alarm, half a second of dead time, banner. */
const BANNER_SECONDS = 1.5;
const RESET_TRIES = 3;
/** From ALARM:1 or 2 until it listens to a reset. */
const DEAF_SECONDS = 1;
/** Of a transport that does not come to its end. */
const CLOSE_SECONDS = 2;
/** What acts at once waits for a write to EEPROM, but not for ever. */
const STORE_SECONDS = 1;

/**
 * One connection to a controller: every byte goes out here and every line comes in here, so that the count of what is
 * on its way covers all senders.
 */
export class Channel {
  readonly clock: Clock;
  readonly window: SendWindow;
  readonly tracker = new Tracker();
  readonly pulse: Pulse;
  /** Who feeds the job that runs. */
  source: LineSource | undefined;
  /**
   * Set from a reset or an alarm until the banner: the controller may still answer lines that it has thrown away,
   * so answers mean nothing and nothing is sent.
   */
  fenced = true;
  /** Set while the controller works on what an earlier host sent: its answers belong to nobody here. */
  strange = false;
  /** What `$$` said, where it was asked. */
  settings: SettingValues | undefined;
  /** Set while a restart of the controller is wanted. */
  resetting = false;
  /** Why the channel is over. */
  ended: KerfworkError | undefined;
  /** Set from an alarm of a limit until its message says that a reset will be heard: it answers nothing meanwhile. */
  deaf: "" | "yet" | "until reset" = "";
  #protocol: Protocol;
  readonly #transport: Transport;
  readonly #onLine: ((text: string) => void) | undefined;
  readonly #reader = new LineReader();
  readonly #listeners = new Set<(event: ChannelEvent) => void>();
  readonly #queue: Line[] = [];
  /** Bytes that act at once and wait for the end of a write to EEPROM. */
  #held = "";
  #cancelHeld: (() => void) | undefined;
  readonly #wire: Backlog;
  /** The number of the last line, where lines have one. */
  #number = 0;
  /** Answers to come that belong to a line which is asked for again. */
  #spare = 0;
  /** Calls back into the host when everything here is consistent again. */
  readonly callbacks = new Callbacks((error) => {
    if (this.source === undefined) return false;
    this.source.hostFailed(error);
    return true;
  });

  constructor(transport: Transport, { clock, protocol, silence, onLine }: ChannelOptions) {
    this.#transport = transport;
    this.#protocol = protocol;
    this.clock = clock;
    this.window = new SendWindow(protocol.window, protocol.lines);
    this.#onLine = onLine;
    this.#wire = new Backlog(clock, this.window, transport.bytesPerSecond, () => this.pump());
    this.pulse = new Pulse(this, silence, (event) => this.#emit(event));
    transport.onData((bytes) => this.#receive(bytes));
    transport.onClose((reason) => this.end(reason));
  }

  get name(): string {
    return this.#transport.name;
  }

  /** Bytes a second that the wire carries, where known. */
  get bytesPerSecond(): number | undefined {
    return this.#transport.bytesPerSecond;
  }

  get protocol(): Protocol {
    return this.#protocol;
  }

  /** Who answers is known by now. */
  speak(protocol: Protocol): void {
    this.#protocol = protocol;
    this.window.size = protocol.window;
    this.window.lines = protocol.lines;
  }

  /** The last status report since the controller started. */
  get report(): StatusReport | undefined {
    return this.tracker.report;
  }

  /** True when lines are waiting, or sent and not answered. */
  get busy(): boolean {
    return this.window.pending > 0 || this.#queue.length > 0;
  }

  listen(listener: (event: ChannelEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** True while the controller may write to its EEPROM: a byte that arrives then can be lost. */
  get storing(): boolean {
    const { oldest } = this.window;
    return oldest?.alone === true && writesStorage(oldest.text);
  }

  /** Sends bytes that no buffer holds and no count covers. */
  realtime(bytes: string): void {
    if (this.ended !== undefined) return;
    if (!this.storing) {
      this.#write(bytes);
      return;
    }
    this.#held += bytes;
    this.#cancelHeld ??= this.clock.after(STORE_SECONDS, () => this.#releaseHeld());
  }

  #releaseHeld(): void {
    this.#cancelHeld?.();
    this.#cancelHeld = undefined;
    const bytes = this.#held;
    this.#held = "";
    if (bytes !== "" && this.ended === undefined) this.#write(bytes);
  }

  #write(text: string): void {
    try {
      this.#transport.write(Buffer.from(text, "latin1"));
    } catch (error) {
      this.end(portLost(this.name, error as Error));
    }
  }

  /** Queues a line; resolves with what the controller said before its `ok`. */
  send(text: string): Promise<string[]> {
    return new Promise((resolve, reject) => {
      if (this.ended !== undefined) return reject(this.ended);
      const said: string[] = [];
      this.#queue.push({
        text,
        alone: writesStorage(text) || stopsAnswers(text),
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
      if (line === undefined || !this.window.fits(line) || this.#wire.isFull(line)) break;
      if (line === this.#queue[0]) this.#queue.shift();
      else this.source!.taken();
      this.window.push(line);
      this.#wire.sent(line);
      out += this.#protocol.numbered ? numberedLine(line.text, ++this.#number) : `${line.text}\n`;
    }
    if (out === "") return;
    this.pulse.sent();
    this.#write(out);
  }

  /** A damaged line, by its number: the only one that may be sent twice, since the controller says that it has not got it. */
  #again(number: number): void {
    const { oldest } = this.window;
    if (oldest === undefined || number !== this.#number) {
      this.#emit({ type: "mismatch", what: `line ${number} was asked for again` });
      return;
    }
    // the request has an answer of its own
    this.#spare++;
    this.#write(numberedLine(oldest.text, number));
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

  /** Awaits an answer while asking for signs of life every `seconds`. @throws MACHINE_SILENT, and what `answer` throws */
  async alive<T>(answer: Promise<T>, seconds: number): Promise<T> {
    let unlisten = () => {};
    const silent = new Promise<never>((_resolve, reject) => {
      unlisten = this.listen((event) => {
        if (event.type === "silent") reject(this.silentError());
      });
    });
    const unwatch = this.pulse.watch(seconds);
    try {
      return await Promise.race([answer, silent]);
    } finally {
      unwatch();
      unlisten();
      // the loser of the race may still fail, with nobody to listen
      answer.catch(() => {});
    }
  }

  /** Resets the controller; true once it started again. What was on its way is dropped with `error`. */
  async reset(error: KerfworkError): Promise<boolean> {
    this.fenced = true;
    this.resetting = true;
    this.drop(error);
    try {
      return await this.#tryReset();
    } finally {
      this.resetting = false;
    }
  }

  async #tryReset(): Promise<boolean> {
    // a limit alarm throws away a reset that comes too early
    if (this.deaf === "yet")
      await this.wait(DEAF_SECONDS, () => (this.deaf !== "yet" ? true : undefined)).catch(() => {});
    const { bytes, after } = this.#protocol.reset;
    for (let i = 0; i < RESET_TRIES; i++) {
      const over = this.wait(BANNER_SECONDS, ({ type }) =>
        type === "banner" || (after !== "" && type === "ok") ? type : undefined,
      );
      this.realtime(bytes + after);
      const sign = await over;
      if (sign === "ok") await this.#settle();
      if (sign !== undefined) return true;
    }
    return false;
  }

  /** Where no banner says that a stop is complete, the end of the answers does. */
  async #settle(): Promise<void> {
    while (await this.wait(BANNER_SECONDS / 3, ({ type }) => (type === "ok" ? true : undefined)));
    this.#restart(new KerfworkError("MACHINE_RESET", `The controller at ${this.name} was stopped`));
  }

  /** Drops what is sent and what waits: nothing of it will be answered. */
  drop(error: Error): void {
    for (const line of [...this.window.clear(), ...this.#queue.splice(0)]) line.dropped?.(error);
    this.#spare = 0;
    this.#releaseHeld();
  }

  /** Ends the channel: nothing is written any more, all that waits is told. */
  end(reason: KerfworkError): void {
    if (this.ended !== undefined) return;
    this.ended = reason;
    this.pulse.stop();
    this.#wire.stop();
    this.drop(reason);
    this.#emit({ type: "lost", reason });
    this.#listeners.clear();
  }

  async close(reason: KerfworkError): Promise<void> {
    this.end(reason);
    await within(this.clock, CLOSE_SECONDS, this.#transport.close()).catch(() => {});
  }

  silentError(): KerfworkError {
    return new KerfworkError("MACHINE_SILENT", `The controller at ${this.name} does not answer`);
  }

  #receive(bytes: Uint8Array): void {
    if (this.ended !== undefined) return;
    for (const text of this.#reader.push(bytes)) {
      const onLine = this.#onLine;
      if (onLine !== undefined) this.callbacks.add(() => onLine(text));
      this.#take(text, this.#protocol.parse(text));
    }
    this.pump();
  }

  #take(text: string, message: Message): void {
    // noise proves nothing
    if (message.type !== "unknown") this.pulse.heard();
    if (message.type === "ok" || message.type === "error") this.#answer(message);
    else if (message.type === "resend") this.#again(message.number);
    else if (message.type === "status") {
      this.tracker.take(message);
      this.#emit(message);
      this.pulse.weigh(message);
    } else this.#note(text, message);
  }

  #note(text: string, message: Message): void {
    if (message.type === "alarm") {
      this.fenced = true;
      this.deaf = message.code === 1 || message.code === 2 ? "yet" : "";
      this.tracker.alarm(message.code, message.meaning);
      this.drop(alarmError(message.code, message.meaning));
    } else if (message.type === "banner")
      this.#restart(new KerfworkError("MACHINE_RESET", `The controller at ${this.name} restarted`));
    else {
      if (this.deaf === "yet" && /reset to continue/i.test(text)) this.deaf = "until reset";
      this.window.oldest?.said?.(text);
    }
    this.#emit(message);
    if (message.type === "unknown" && this.window.pending > 0 && !this.fenced && isDamagedAck(text))
      this.#emit({ type: "mismatch", what: `an answer arrived damaged, as ${JSON.stringify(text)}` });
  }

  #answer(ack: Ack): void {
    if (this.fenced) {
      this.#emit(ack);
      return;
    }
    if (this.#spare > 0) {
      this.#spare--;
      return;
    }
    const line = this.window.answer();
    if (this.#held !== "") this.#releaseHeld();
    this.pulse.sent();
    if (line === undefined) this.#emit({ type: "mismatch", what: "an answer that belongs to no line" });
    else line.answered(ack);
  }

  #restart(error: KerfworkError): void {
    this.fenced = false;
    this.strange = false;
    this.deaf = "";
    this.#number = 0;
    this.tracker.restart();
    this.drop(error);
  }

  #emit(event: ChannelEvent): void {
    for (const listener of [...this.#listeners]) listener(event);
  }
}
