export { type Clock, REAL_CLOCK, VirtualClock } from "./clock.ts";
export type { DialectName } from "./dialect.ts";
export { type Fault, type FaultKind, randomFaults } from "./faults.ts";
export { Firmware, type FirmwareLog, type FirmwareOptions } from "./firmware.ts";
export {
  ALARM_MEANINGS,
  ERROR_MEANINGS,
  LineReader,
  type Message,
  parseLine,
  type StatusReport,
} from "./grbl.ts";
export { type ConnectOptions, connect, type Machine } from "./link.ts";
export type { LogListener, LogRecord } from "./record.ts";
export type { RunOptions, RunProgress, RunResult } from "./run.ts";
export {
  type Damage,
  type Simulator,
  type SimulatorLog,
  type SimulatorOptions,
  simulate,
  startSimulator,
} from "./simulator.ts";
export { listPorts, openSerial, type PortInfo, type SerialOptions, type Transport } from "./transport.ts";
export { SimulatedTransport } from "./wire.ts";
