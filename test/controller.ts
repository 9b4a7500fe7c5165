import { Firmware, type FirmwareOptions } from "kerfwork";

/** A controller on virtual time with a host that only writes and listens. */
export class Bench {
  readonly firmware: Firmware;
  constructor(options: FirmwareOptions = {}) {
    this.firmware = new Firmware(options);
    this.run(0.1);
  }

  /** Puts bytes on the wire and lets `seconds` pass; what the controller said meanwhile, line by line. */
  run(seconds: number, bytes = ""): string[] {
    return lines(this.raw(seconds, bytes));
  }

  raw(seconds: number, bytes = ""): string {
    this.firmware.uart.send(Buffer.from(bytes, "latin1"), this.firmware.now);
    this.firmware.advance(this.firmware.now + seconds);
    return Buffer.from(this.firmware.uart.take()).toString("latin1");
  }
}

const lines = (text: string): string[] => text.split("\r\n").filter((line) => line !== "");
