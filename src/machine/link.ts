import { checkNumber, checkOneOf, checkOptions, invalid } from "../errors.ts";
import { Channel } from "./channel.ts";
import { type Clock, REAL_CLOCK } from "./clock.ts";
import { shakeHands } from "./handshake.ts";
import { closedError, Machine } from "./machine.ts";
import { PROTOCOLS, type Protocol, type ProtocolName, protocolNamed } from "./protocol.ts";
import { isSocketAddress, openSocket } from "./socket.ts";
import { isStreamPair, type StreamPair, StreamTransport } from "./streams.ts";
import { openSerial, type SerialOptions, type Transport } from "./transport.ts";

export interface ConnectOptions extends SerialOptions {
  /** How long the controller may take to answer at all, ms, > 0 (default 5000; boards may restart when a port opens). */
  readonly timeoutMs?: number;
  /** Whose language it speaks (default: found out from its banner and answers). */
  readonly dialect?: ProtocolName;
  /** Bytes that may be on their way unanswered, >= 1 (default: what the controller tells, else 128). */
  readonly window?: number;
  /** Time between two questions for the status while something runs, ms, > 0 (default 200). */
  readonly pollMs?: number;
  /**
   * Without any answer for so long the controller counts as gone, ms, > 0 (default three polls, at least 600; more over a
   * radio). A slow `ok`, homing, a write to EEPROM and a limit alarm never do.
   */
  readonly silenceMs?: number;
  /**
   * How long a feed hold may take before a stop resets the controller anyway, ms, > 0 (default what the machine needs by its
   * settings and its speed at that moment, 600..3000).
   */
  readonly holdMs?: number;
  /**
   * Resets the controller first; one that stands in a limit alarm answers to nothing else (default false). A machine that
   * is at work then stops dead and loses its position.
   */
  readonly reset?: boolean;
  /** Called with every line from the controller, for a console. */
  readonly onLine?: (text: string) => void;
  /** Where time comes from (default: the real one). */
  readonly clock?: Clock;
}

const OPTIONS = [
  ...[
    "baudRate",
    "hangUpOnClose",
    "timeoutMs",
    "dialect",
    "window",
    "pollMs",
    "silenceMs",
    "holdMs",
    "reset",
  ],
  ...["onLine", "clock"],
];
/** Segments that are prepared already run out first, and a report has to show the end. */
const HOLD_PREPARED_SECONDS = 0.2;
const HOLD_ROOM = 1.5;
const HOLD_SECONDS = { min: 0.6, max: 3 };
const MISSED_POLLS = 3;
const LEAST_SILENCE_MS = 600;

/**
 * Connects to a controller: opens the port, finds out that somebody answers and who, how much may be sent, the settings and
 * the state. Nothing that the controller said before counts. The machine is not unlocked, homed or moved.
 *
 * An earlier host may have left half a line in the controller, to which the first byte of anybody else is added. A line end
 * would let it run, and a reset would stop a machine that is at work; so the first bytes are `)` and what other families
 * take as a broken checksum, and a line end: the half line is refused whole, an empty one as well, and nothing moves. One
 * case is left: a half line that ends in an open `;` comment swallows these too, and runs; `reset` is for that.
 *
 * A machine that is at work for somebody else is taken as it is: it can be held, resumed, canceled and reset, and takes
 * lines when it is done.
 *
 * @param target  the path of a serial port, `tcp://host:port`, two streams (the browser's Web Serial), or a Transport of
 *   your own. The connection owns it: one connection, one port, and nothing of it is used again
 * @throws MACHINE_SILENT nobody answers; PORT_NOT_FOUND, PORT_BUSY, PORT_DENIED, PORT_NOT_SERIAL, PORT_LOST, TIMEOUT as
 *   `openSerial`; INVALID_ARGUMENT
 * @example await using machine = await connect("/dev/ttyUSB0"); await machine.run("G21 G90\nG0 X10\n");
 */
export async function connect(
  target: string | Transport | StreamPair,
  options: ConnectOptions = {},
): Promise<Machine> {
  checkOptions(options, OPTIONS);
  const { timeoutMs = 5000, pollMs = 200, holdMs, clock = REAL_CLOCK, reset = false } = options;
  const { silenceMs = Math.max(LEAST_SILENCE_MS, MISSED_POLLS * pollMs) } = options;
  for (const [name, value] of Object.entries({ timeoutMs, pollMs, silenceMs, holdMs }))
    if (value !== undefined) checkNumber(name, value, { above: 0 });
  if (options.window !== undefined) checkNumber("window", options.window, { min: 1, integer: true });
  if (typeof reset !== "boolean") throw invalid("reset", "true or false", reset);
  if (options.dialect !== undefined)
    checkOneOf(
      "dialect",
      options.dialect,
      PROTOCOLS.map(({ name }) => name),
    );
  const dialect = options.dialect === undefined ? undefined : protocolNamed(options.dialect);
  const channel = new Channel(await openTarget(target, options), {
    clock,
    protocol: dialect ?? (protocolNamed("grbl") as Protocol),
    silence: silenceMs / 1000,
    onLine: options.onLine,
  });
  try {
    if (reset && !(await channel.reset(closedError(channel.name)))) throw channel.silentError();
    await shakeHands(channel, timeoutMs / 1000, dialect);
    if (options.window !== undefined) channel.window.size = options.window;
  } catch (error) {
    await channel.close(closedError(channel.name));
    throw error;
  }
  const hold = () => (holdMs === undefined ? holdSeconds(channel) : holdMs / 1000);
  return new Machine(channel, { poll: pollMs / 1000, hold });
}

/** What a feed hold takes from the reported speed at the acceleration of the settings, with room for slow reports. */
function holdSeconds({ settings, report }: Channel): number {
  const slowest = Math.min(settings?.get(120) ?? Infinity, settings?.get(121) ?? Infinity);
  const needed = HOLD_PREPARED_SECONDS + ((report?.feed ?? 0) / 60 / slowest) * HOLD_ROOM;
  return Math.min(HOLD_SECONDS.max, Math.max(HOLD_SECONDS.min, needed));
}

async function openTarget(
  target: string | Transport | StreamPair,
  options: SerialOptions,
): Promise<Transport> {
  if (typeof target === "string") {
    if (isSocketAddress(target)) return await openSocket(target);
    return await openSerial(target, options);
  }
  if (isStreamPair(target)) return new StreamTransport(target);
  if (typeof (target as Transport | undefined)?.write === "function") return target;
  throw invalid("target", "the path of a serial port, tcp://host:port, two streams or a Transport", target);
}
