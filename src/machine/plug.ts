import { createServer, type Server, type Socket } from "node:net";
import { KerfworkError } from "../errors.ts";
import { Pty } from "./pty.ts";

/** A place at which a host can reach the simulated controller. */
export interface Plug {
  /** What a host opens. */
  readonly path: string;
  /** Bytes to whoever is connected. */
  write(bytes: Uint8Array): void;
  /** While paused, takes nothing from the host: its bytes wait on its side. */
  pause(paused: boolean): void;
  /** Pulls it: a host sees a hang-up. */
  close(): Promise<void>;
}

/** A pseudo-terminal. */
export async function plugPty(receive: (bytes: Uint8Array) => void): Promise<Plug> {
  return Pty.open(receive);
}

/**
 * A TCP server that carries the bytes as they are, for one host at a time: a second one is hung up on.
 * @throws SIMULATOR_FAILED when it cannot listen there
 */
export async function plugTcp(
  host: string,
  port: number,
  receive: (bytes: Uint8Array) => void,
): Promise<Plug & { readonly port: number }> {
  let socket: Socket | undefined;
  let paused = false;
  const server: Server = createServer((next) => {
    if (socket !== undefined) {
      next.destroy();
      return;
    }
    socket = next;
    next.setNoDelay(true);
    if (paused) next.pause();
    next.on("data", receive);
    // a host that goes away without a word is gone all the same
    next.on("error", () => {});
    next.on("close", () => {
      if (socket === next) socket = undefined;
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", (cause) => {
      const message = `Cannot listen on ${host}:${port} for the simulated controller: ${cause.message}`;
      reject(new KerfworkError("SIMULATOR_FAILED", message, { cause }));
    });
    server.listen(port, host, resolve);
  });
  const address = server.address();
  const actual = typeof address === "object" && address !== null ? address.port : port;
  return {
    path: `tcp://${host}:${actual}`,
    port: actual,
    write(bytes) {
      if (socket?.writable) socket.write(bytes);
    },
    pause(now) {
      paused = now;
      if (now) socket?.pause();
      else socket?.resume();
    },
    close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      socket?.destroy();
      return closed;
    },
  };
}
