// What the link is measured beside: two ways of sending that other programs use, and no rule at all, as small as can be.
import type { Transport } from "kerfwork";
import { SerialPort } from "serialport";

/** A port as a program has it that uses `serialport` as its manual shows: the stream, one write a line. */
export function openStream(path: string): Promise<Transport> {
  return new Promise((resolve, reject) => {
    const port = new SerialPort({ path, baudRate: 115_200 }, (error) => {
      if (error) reject(error);
      else
        resolve({
          name: path,
          write: (bytes) => void port.write(bytes),
          onData: (listener) => void port.on("data", listener),
          onClose: (listener) => void port.on("close", listener),
          close: () => new Promise<void>((done) => port.close(() => done())),
        });
    });
  });
}

/** Calls back for each `ok` and `error:N`. */
function onAnswers(transport: Transport, answered: () => void): void {
  let open = "";
  transport.onData((bytes) => {
    open += Buffer.from(bytes).toString("latin1");
    const lines = open.split("\n");
    open = lines.pop()!;
    for (const line of lines) if (/^(ok|error:\d+)\r?$/.test(line)) answered();
  });
}

/** Sends a line, waits for its answer, sends the next. */
export function sendResponse(transport: Transport, lines: readonly string[]): Promise<void> {
  return new Promise((resolve) => {
    let next = 0;
    const feed = () => {
      if (next === lines.length) resolve();
      else transport.write(Buffer.from(`${lines[next++]}\n`));
    };
    onAnswers(transport, feed);
    feed();
  });
}

/**
 * Counts characters as CNCjs does: a line goes out while the unanswered ones and it stay below 120 bytes. One write a
 * line.
 */
export function countCharacters(transport: Transport, lines: readonly string[]): Promise<void> {
  return new Promise((resolve) => {
    const pending: number[] = [];
    let bytes = 0;
    let next = 0;
    const feed = () => {
      for (;;) {
        const line = lines[next];
        if (line === undefined) break;
        if (bytes > 0 && bytes + line.length + 1 >= 120) break;
        next++;
        bytes += line.length + 1;
        pending.push(line.length + 1);
        transport.write(Buffer.from(`${line}\n`));
      }
      if (pending.length === 0) resolve();
    };
    onAnswers(transport, () => {
      bytes -= pending.shift() ?? 0;
      feed();
    });
    feed();
  });
}

/** Writes it all at once and counts answers: what the setup itself can carry. The receive buffer may overflow. */
export function writeBlind(transport: Transport, bytes: Uint8Array, answers: number): Promise<void> {
  return new Promise((resolve) => {
    let left = answers;
    onAnswers(transport, () => {
      if (--left === 0) resolve();
    });
    transport.write(bytes);
  });
}
