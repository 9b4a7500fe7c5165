import { existsSync, readdirSync, statSync } from "node:fs";
import { checkNumber, describe, KerfworkError } from "../errors.ts";

// the type alone: the driver itself is loaded when a port is opened
type NodeSerialPort = import("serialport").SerialPort;

/**
 * A two-way stream of bytes to a controller, for one connection: after a close there is no second life. The link takes
 * any; a serial port is one.
 */
export interface Transport {
  /** For messages, such as the path of the port. */
  readonly name: string;
  /** Sends bytes, in order; after a close it does nothing. */
  write(bytes: Uint8Array): void;
  /** Who gets what arrives; one listener, a later one replaces it. */
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
   * (default true, as serial drivers do).
   */
  readonly hangUpOnClose?: boolean;
}

const OPEN_MS = 10_000;
const CLOSE_MS = 1000;

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
  // Windows names its ports outside of the file system
  if (process.platform !== "win32") {
    const found = statSync(path, { throwIfNoEntry: false });
    if (found === undefined) throw portError(path, "No such file or directory");
    if (!found.isCharacterDevice()) throw portError(path, "Is a directory or a plain file");
  }
  const { SerialPort } = await import("serialport");
  const port = new SerialPort({ path, baudRate, hupcl: hangUpOnClose, autoOpen: false });
  await new Promise<void>((resolve, reject) => {
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      reject(new KerfworkError("TIMEOUT", `Opening ${path} took longer than ${OPEN_MS / 1000} s`));
    }, OPEN_MS);
    port.open((error) => {
      clearTimeout(timer);
      if (late) return port.close(() => {});
      if (error === null || error === undefined) resolve();
      else reject(portError(path, error.message, error));
    });
  });
  return new SerialTransport(path, port);
}

class SerialTransport implements Transport {
  readonly name: string;
  readonly #port: NodeSerialPort;
  #open = true;
  #data: (bytes: Uint8Array) => void = () => {};
  #close: (reason: KerfworkError) => void = () => {};
  #reason: KerfworkError | undefined;

  constructor(path: string, port: NodeSerialPort) {
    this.name = path;
    this.#port = port;
    // without a flowing `data` listener a hang-up goes unnoticed
    port.on("data", (bytes: Uint8Array) => this.#open && this.#data(bytes));
    // a hang-up can come as `error`, as `close`, as both, and twice
    port.on("error", (error) => this.#lose(error));
    port.on("close", (error?: Error | null) => this.#lose(error ?? undefined));
  }

  write(bytes: Uint8Array): void {
    // what is written to a port that hung up stays in its object, and the callback never comes: nobody waits for it
    if (this.#open && this.#port.isOpen) this.#port.write(bytes as Buffer);
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
    if (!this.#port.isOpen) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, CLOSE_MS);
      this.#port.close(() => {
        clearTimeout(timer);
        resolve();
      });
    });
  }

  #lose(error?: Error): void {
    if (!this.#open) return;
    this.#open = false;
    this.#reason = portLost(this.name, error);
    if (this.#port.isOpen) this.#port.close(() => {});
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
