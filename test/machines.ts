// machines for the tests of the link: simulated ones on virtual time, scripted ones, and wires that delay
import {
  type Clock,
  type ConnectOptions,
  connect,
  Firmware,
  type FirmwareOptions,
  type KerfworkError,
  type Machine,
  SimulatedTransport,
  type Transport,
  VirtualClock,
} from "kerfwork";

/** A machine and its simulated controller on one virtual clock. */
export interface Bench {
  readonly clock: VirtualClock;
  readonly firmware: Firmware;
  readonly transport: SimulatedTransport;
  readonly machine: Machine;
  /** What the controller said. */
  readonly heard: string[];
  readonly executed: () => string[];
}

export const bench = async (
  options: FirmwareOptions = {},
  link: ConnectOptions = {},
  wrap: (transport: Transport, clock: Clock) => Transport = (transport) => transport,
): Promise<Bench> => {
  const clock = new VirtualClock();
  const firmware = new Firmware(options);
  const transport = new SimulatedTransport(firmware, clock);
  const heard: string[] = [];
  const onLine = (text: string) => heard.push(text);
  const machine = await clock.run(connect(wrap(transport, clock), { clock, onLine, ...link }));
  const executed = () => jobLines(firmware);
  return { clock, firmware, transport, machine, heard, executed };
};

/** What ran, without what connecting and asking takes. */
export const jobLines = (firmware: Pick<Firmware, "log">): string[] =>
  firmware.log.lines.map(({ text }) => text).filter((text) => !/^[$)]/.test(text));

export const realtimeOf = ({ firmware }: { firmware: Firmware }): number[] =>
  firmware.log.realtime.map(({ byte }) => byte);

/** Lets time pass until the controller has been asked for its modes: from then on only the job is on the wire. */
export const untilAsked = async ({ clock, firmware }: Pick<Bench, "clock" | "firmware">): Promise<void> => {
  while (firmware.log.lines.at(-1)?.text !== "$G") await clock.advance(0.0005);
};

/** The code of the failure that a promise ends with, or "done". */
export const codeOf = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => "done",
    (error: KerfworkError) => error.code,
  );

/** Delays what comes from the controller, as a USB bridge with a latency timer does. */
export class Latent implements Transport {
  readonly name = "latent";
  readonly #inner: Transport;
  readonly #clock: Clock;
  readonly #seconds: number;

  constructor(inner: Transport, clock: Clock, seconds: number) {
    this.#inner = inner;
    this.#clock = clock;
    this.#seconds = seconds;
  }

  write(bytes: Uint8Array): void {
    this.#inner.write(bytes);
  }

  onData(listener: (bytes: Uint8Array) => void): void {
    this.#inner.onData((bytes) => void this.#clock.after(this.#seconds, () => listener(bytes)));
  }

  onClose(listener: (reason: KerfworkError) => void): void {
    this.#inner.onClose(listener);
  }

  close(): Promise<void> {
    return this.#inner.close();
  }
}

/** A controller made of one function: what it says to each line, and to each byte that acts at once. */
export class Scripted implements Transport {
  readonly name = "scripted";
  /** Everything that was written. */
  written = "";
  readonly #answer: (input: string) => string;
  readonly #later: (run: () => void) => void;
  #line = "";
  #data: (bytes: Uint8Array) => void = () => {};
  closed = false;

  /** `answer` gets a line without its end, or one byte of `realtime`. */
  constructor(
    answer: (input: string) => string,
    { clock, realtime = "?!~\x18" }: { readonly clock?: Clock; readonly realtime?: string } = {},
  ) {
    this.#answer = answer;
    this.#later = clock === undefined ? setImmediate : (run) => void clock.after(0.001, run);
    this.realtime = realtime;
  }

  readonly realtime: string;

  say(text: string): void {
    if (!this.closed) this.#data(Buffer.from(text, "latin1"));
  }

  write(bytes: Uint8Array): void {
    const text = Buffer.from(bytes).toString("latin1");
    this.written += text;
    for (const character of text) {
      let input: string | undefined;
      if (this.realtime.includes(character) || character > "\x7f") input = character;
      else if (character !== "\n") this.#line += character;
      else {
        input = this.#line;
        this.#line = "";
      }
      if (input === undefined) continue;
      const answer = this.#answer(input);
      if (answer !== "") this.#later(() => this.say(answer));
    }
  }

  onData(listener: (bytes: Uint8Array) => void): void {
    this.#data = listener;
  }

  onClose(): void {}

  async close(): Promise<void> {
    this.closed = true;
  }
}

/** Numbers that look random and are the same in each run. */
export const seeded = (seed: number): ((n: number) => number) => {
  let state = seed;
  return (n) => {
    state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
    return (state >> 8) % n;
  };
};
