export { type CheckOptions, checkProgram, type ProgramCheck } from "./check.ts";
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
export type { JogMove } from "./jog.ts";
export type { RunOptions } from "./launch.ts";
export type { Limits, SettingValues } from "./limits.ts";
export { type ConnectOptions, connect } from "./link.ts";
export type { Machine } from "./machine.ts";
export { type Modal, parseModal } from "./modal.ts";
export type { Overrides } from "./override.ts";
export { opOfLine, type RefusedLine, type RunProgress, type RunResult } from "./progress.ts";
export { PROTOCOLS, type Protocol, type ProtocolName } from "./protocol.ts";
export type { LogListener, LogRecord } from "./record.ts";
export { type ResumeOptions, type Resumption, resumeFrom } from "./rescue.ts";
export {
  type Damage,
  type Simulator,
  type SimulatorLog,
  type SimulatorOptions,
  simulate,
  startSimulator,
} from "./simulator.ts";
export { openSocket } from "./socket.ts";
export type { MachineState } from "./state.ts";
export type { StreamPair } from "./streams.ts";
export { listPorts, openSerial, type PortInfo, type SerialOptions, type Transport } from "./transport.ts";
export { SimulatedTransport } from "./wire.ts";
