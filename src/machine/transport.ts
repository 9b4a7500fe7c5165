import { existsSync, readdirSync, readSync, statSync, writeSync } from "node:fs";
import { checkNumber, describe, invalid, KerfworkError } from "../errors.ts";

// the type alone: the driver itself is loaded when a port is opened
type SerialPortClass = typeof import("serialport").SerialPort;
type Binding = Awaited<ReturnType<SerialPortClass["binding"]["open"]>>;

/**
 * A two-way stream of bytes to a controller, for one connection: after a close there is no second life. The link takes
 * any; a serial port is one.
 */
export interface Transport {
  /** For messages, such as the path of the port. */
  readonly name: string;
  /** Bytes a second that it carries each way, where that is known. */
  readonly bytesPerSecond?: number;
  /** Sends bytes, in order; after a close it does nothing. */
  write(bytes: Uint8Array): void;
  /** Who gets what arrives; one listener, a later one replaces it. The bytes are the listener's to keep. */
  onData(listener: (bytes: Uint8Array) => void): void;
  /** Who is told, once, that the other side is gone. Not called after `close()`. */
  onClose(listener: (reason: KerfworkError) => void): void;
  /** Settles in bounded time, whatever state the other side is in. */
  close(): Promise<void>;
}

export interface SerialOptions {
  /** Bits a second, > 0 (default 115200). */
  readonly baudRate?: number;
  /**
   * False keeps DTR up when the port closes, so that boards which restart on DTR live through a reconnect
   * (default true, as serial drivers do). The first open after a boot or a plug raises DTR all the same.
   */
  readonly hangUpOnClose?: boolean;
}

const OPEN_MS = 10_000;
const CLOSE_MS = 1000;
/** Start, eight bits, stop. */
const BITS_PER_BYTE = 10;
const READ_BYTES = 4096;
/**
 * A reader that wakes for each byte costs more than all the rest of the link. After a chunk the port is left alone for so
 * long; half a window of 128 bytes is still on its way by then, so the wire never runs dry.
 */
const GATHER_MS = 2;
/** Above it, bits a second, a window drains too fast for such a pause. */
const GATHER_BAUD = 250_000;

/**
 * Opens a serial port.
 *
 * @throws PORT_NOT_FOUND, PORT_BUSY, PORT_DENIED, PORT_NOT_SERIAL (a directory or a plain file), PORT_LOST (any other
 *   failure to open), TIMEOUT (the driver does not come back), INVALID_ARGUMENT
 */
export async function openSerial(path: string, options: SerialOptions = {}): Promise<Transport> {
  const { baudRate = 115_200, hangUpOnClose = true } = options;
  if (typeof path !== "string" || path === "") {
    const got = `Expected \`path\` to be the path of a serial port, got ${describe(path)}`;
    throw new KerfworkError("INVALID_ARGUMENT", got);
  }
  checkNumber("baudRate", baudRate, { above: 0 });
  if (typeof hangUpOnClose !== "boolean") throw invalid("hangUpOnClose", "true or false", hangUpOnClose);
  // Windows names its ports outside of the file system
  if (process.platform !== "win32") {
    const found = statSync(path, { throwIfNoEntry: false });
    if (found === undefined) throw portError(path, "No such file or directory");
    if (!found.isCharacterDevice()) throw portError(path, "Is a directory or a plain file");
  }
  const { SerialPort } = await import("serialport");
  const opening = SerialPort.binding.open({ path, baudRate, hupcl: hangUpOnClose });
  const port = await new Promise<Binding>((resolve, reject) => {
    const timer = setTimeout(() => {
      opening.then((late) => late.close()).catch(() => {});
      reject(new KerfworkError("TIMEOUT", `Opening ${path} took longer than ${OPEN_MS / 1000} s`));
    }, OPEN_MS);
    opening
      .then(resolve, (error: Error) => reject(portError(path, error.message, error)))
      .finally(() => clearTimeout(timer));
  });
  return new SerialTransport(path, port, baudRate);
}

/** One opened port, straight on the driver's binding: its stream would wake for every byte and queue behind a stall. */
class SerialTransport implements Transport {
  readonly name: string;
  readonly bytesPerSecond: number;
  readonly #port: Binding;
  readonly #gather: boolean;
  #open = true;
  #data: (bytes: Uint8Array) => void = () => {};
  #close: (reason: KerfworkError) => void = () => {};
  #reason: KerfworkError | undefined;
  /** What the kernel has not taken yet. */
  #waiting: Uint8Array[] = [];
  #writing = false;
  #endPause: () => void = () => {};

  constructor(name: string, port: Binding, baudRate: number) {
    this.name = name;
    this.#port = port;
    this.bytesPerSecond = baudRate / BITS_PER_BYTE;
    this.#gather = baudRate <= GATHER_BAUD;
    void this.#read();
  }

  write(bytes: Uint8Array): void {
    if (!this.#open || !this.#port.isOpen) return;
    let rest = bytes;
    if (!this.#writing) rest = this.#writeNow(bytes);
    if (rest.length === 0) return;
    this.#waiting.push(rest);
    if (!this.#writing) void this.#writeLater();
  }

  /** A write that cannot block, on this thread: a feed hold leaves at once. Returns what did not fit. */
  #writeNow(bytes: Uint8Array): Uint8Array {
    const { fd } = this.#port as { fd?: unknown };
    if (typeof fd !== "number") return bytes;
    try {
      return bytes.subarray(writeSync(fd, bytes));
    } catch {
      // full, or gone: the binding finds out which
      return bytes;
    }
  }

  async #writeLater(): Promise<void> {
    this.#writing = true;
    try {
      while (this.#open && this.#waiting.length > 0)
        await this.#port.write(Buffer.concat(this.#waiting.splice(0)));
    } catch (error) {
      this.#lose(error as Error);
    } finally {
      this.#writing = false;
    }
  }

  /** What is there already, without a way through a thread; 0 when nothing is, or it cannot be told. */
  #readNow(chunk: Uint8Array): number {
    const { fd } = this.#port as { fd?: unknown };
    if (typeof fd !== "number") return 0;
    try {
      return readSync(fd, chunk, 0, READ_BYTES, null);
    } catch {
      return 0;
    }
  }

  async #read(): Promise<void> {
    try {
      while (this.#open) {
        const chunk = Buffer.allocUnsafe(READ_BYTES);
        const size = this.#readNow(chunk) || (await this.#port.read(chunk, 0, READ_BYTES)).bytesRead;
        if (!this.#open) return;
        this.#data(chunk.subarray(0, size));
        if (this.#gather)
          await new Promise<void>((resolve) => {
            const timer = setTimeout(resolve, GATHER_MS);
            this.#endPause = () => {
              clearTimeout(timer);
              resolve();
            };
          });
      }
    } catch (error) {
      // a hang-up fails the read that waits for it
      this.#lose(error as Error);
    }
  }

  onData(listener: (bytes: Uint8Array) => void): void {
    this.#data = listener;
  }

  onClose(listener: (reason: KerfworkError) => void): void {
    this.#close = listener;
    if (this.#reason !== undefined) listener(this.#reason);
  }

  async close(): Promise<void> {
    this.#open = false;
    this.#endPause();
    await this.#closePort();
  }

  async #closePort(): Promise<void> {
    this.#waiting = [];
    if (!this.#port.isOpen) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, CLOSE_MS);
      this.#port
        .close()
        .catch(() => {})
        .finally(() => {
          clearTimeout(timer);
          resolve();
        });
    });
  }

  #lose(error: Error): void {
    if (!this.#open) return;
    this.#open = false;
    this.#reason = portLost(this.name, error);
    void this.#closePort();
    this.#close(this.#reason);
  }
}

/** The error of a connection that ended by itself. */
export function portLost(name: string, cause?: Error): KerfworkError {
  return new KerfworkError("PORT_LOST", `${name} was disconnected`, cause === undefined ? {} : { cause });
}

/** The typed error behind what the serial driver says, which has no code of its own. */
export function portError(path: string, text: string, cause?: Error): KerfworkError {
  const options = cause === undefined ? {} : { cause };
  const rules = [
    [/no such file|file not found|ENOENT|ENXIO/i, "PORT_NOT_FOUND", `There is no serial port ${path}`],
    [
      /lock port|temporarily unavailable|busy|access denied/i,
      "PORT_BUSY",
      `${path} is in use by another program`,
    ],
    [
      /permission|EACCES|EPERM/i,
      "PORT_DENIED",
      `No permission to open ${path} (on Linux: join the group dialout)`,
    ],
    [/directory|inappropriate ioctl|ENOTTY|plain file/i, "PORT_NOT_SERIAL", `${path} is not a serial port`],
  ] as const;
  for (const [pattern, code, message] of rules)
    if (pattern.test(text)) return new KerfworkError(code, message, options);
  return new KerfworkError("PORT_LOST", `Cannot open ${path}: ${text}`, options);
}

export interface PortInfo {
  readonly path: string;
  readonly manufacturer?: string;
  readonly serialNumber?: string;
  readonly vendorId?: string;
  readonly productId?: string;
}

/** Names that serial devices have on Linux and macOS. */
const DEVICE = /^(tty(USB|ACM|AMA|XRUSB|THS)\d+|rfcomm\d+|cu\.(?!Bluetooth).+)$/;

/** Lists serial ports. Where the system cannot describe them (no udev in a container), by the names of the devices. */
export async function listPorts(): Promise<PortInfo[]> {
  const { SerialPort } = await import("serialport");
  try {
    const ports = await SerialPort.list();
    return ports.map(({ path, manufacturer, serialNumber, vendorId, productId }) => ({
      path,
      ...(manufacturer === undefined ? {} : { manufacturer }),
      ...(serialNumber === undefined ? {} : { serialNumber }),
      ...(vendorId === undefined ? {} : { vendorId }),
      ...(productId === undefined ? {} : { productId }),
    }));
  } catch {
    if (!existsSync("/dev")) return [];
    const names = readdirSync("/dev").filter((name) => DEVICE.test(name));
    return names.sort().map((name) => ({ path: `/dev/${name}` }));
  }
}
