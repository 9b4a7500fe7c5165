import type { Socket } from "node:net";
import { KerfworkError } from "../errors.ts";
import { portLost, type Transport } from "./transport.ts";

const CONNECT_MS = 10_000;
const ADDRESS = /^tcp:\/\/(\[[0-9a-f:.]+\]|[^/:]+):(\d{1,5})\/?$/i;

/** True for targets that name a controller on the network. */
export const isSocketAddress = (target: string): boolean => /^tcp:/i.test(target);

/**
 * Connects to a controller on the network: a board with its own (ESP32, FluidNC), or a serial port behind ser2net.
 *
 * @param address  `tcp://host:port`
 * @throws PORT_NOT_FOUND no such host, or nobody listens there; PORT_LOST any other failure; TIMEOUT; INVALID_ARGUMENT
 */
export async function openSocket(address: string): Promise<Transport> {
  const match = ADDRESS.exec(address);
  const port = Number(match?.[2]);
  if (match === null || port < 1 || port > 65_535) {
    const got = `Expected \`target\` to be tcp://host:port, got ${JSON.stringify(address)}`;
    throw new KerfworkError("INVALID_ARGUMENT", got);
  }
  const host = match[1]!.replace(/^\[|\]$/g, "");
  const { connect } = await import("node:net");
  const socket = connect({ host, port, noDelay: true, keepAlive: true });
  await new Promise<void>((resolve, reject) => {
    const fail = (error: KerfworkError) => {
      clearTimeout(timer);
      socket.destroy();
      reject(error);
    };
    const timer = setTimeout(
      () => fail(new KerfworkError("TIMEOUT", `${address} did not answer within ${CONNECT_MS / 1000} s`)),
      CONNECT_MS,
    );
    socket.once("error", (error: NodeJS.ErrnoException) => fail(socketError(address, error)));
    socket.once("connect", () => {
      clearTimeout(timer);
      socket.removeAllListeners("error");
      resolve();
    });
  });
  return new SocketTransport(address, socket);
}

function socketError(address: string, error: NodeJS.ErrnoException): KerfworkError {
  const nobody = /^(ENOTFOUND|EAI_AGAIN|ECONNREFUSED|EHOSTUNREACH|ENETUNREACH)$/.test(error.code ?? "");
  const message = nobody ? `Nobody listens at ${address}` : `Cannot connect to ${address}: ${error.message}`;
  return new KerfworkError(nobody ? "PORT_NOT_FOUND" : "PORT_LOST", message, { cause: error });
}

class SocketTransport implements Transport {
  readonly name: string;
  readonly #socket: Socket;
  #open = true;
  #data: (bytes: Uint8Array) => void = () => {};
  #close: (reason: KerfworkError) => void = () => {};
  #reason: KerfworkError | undefined;

  constructor(name: string, socket: Socket) {
    this.name = name;
    this.#socket = socket;
    socket.on("data", (bytes) => this.#open && this.#data(bytes));
    socket.on("error", (error) => this.#lose(error));
    socket.on("end", () => this.#lose());
    socket.on("close", () => this.#lose());
  }

  write(bytes: Uint8Array): void {
    if (this.#open) this.#socket.write(bytes);
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
    // nothing that still waits to be sent may be sent after this
    this.#socket.destroy();
  }

  #lose(error?: Error): void {
    if (!this.#open) return;
    this.#open = false;
    this.#socket.destroy();
    this.#reason = portLost(this.name, error);
    this.#close(this.#reason);
  }
}
