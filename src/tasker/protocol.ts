// What passes between the main thread and a worker. Progress and cancellation do not: they are words of shared memory.
import type { MessagePort } from "node:worker_threads";
import type { ErrorRecord } from "../errors.ts";
import type { LogEntry, LogLevel } from "./log.ts";
import type { TargetRecord } from "./target.ts";
import type { TaskKey, TaskKind, TaskSnapshot } from "./task.ts";

/** What a worker is given as it starts. */
export interface WorkerSetup {
  readonly memory: WebAssembly.Memory;
  readonly port: MessagePort;
  readonly provided: ReadonlyMap<string, unknown>;
  /** Run before the first task. */
  readonly init: Call | undefined;
  readonly logLevel: LogLevel;
  /** Other threads that may take part in a task. */
  readonly crew: number;
}

/** What a process is given, beyond its memory and its port. */
export type ProcessSetup = Pick<WorkerSetup, "init" | "logLevel">;

/** A target and what it is called with. */
export interface Call {
  readonly target: TargetRecord;
  readonly args: readonly unknown[];
}

/** How a child stands; without its key, which may be a symbol. */
export type Report = Pick<TaskSnapshot, "status" | "progress" | "message">;

export type EventAnswer = "ack" | "nack" | "timeout";

/** Options of a submission that can be sent. */
export interface SentOptions {
  readonly key?: TaskKey;
  readonly visible?: boolean;
  readonly weight?: number;
  readonly priority?: number;
  readonly group?: string;
  readonly timeoutMs?: number;
}

/** Main thread to worker. */
export type Order =
  | {
      readonly type: "run";
      readonly generation: number;
      /** A thread gets each target once, and knows it by its number, counted from 0, from then on. */
      readonly target: TargetRecord | number;
      readonly args: readonly unknown[];
      /** Pooled buffers among the arguments, which must not be kept. */
      readonly staged: readonly SharedArrayBuffer[];
    }
  | { readonly type: "cancel"; readonly generation: number; readonly reason: unknown }
  | { readonly type: "finish"; readonly generation: number }
  | { readonly type: "reply"; readonly correlation: number; readonly value: unknown }
  | { readonly type: "child"; readonly child: number; readonly report: Report }
  | {
      readonly type: "childDone";
      readonly child: number;
      readonly value?: unknown;
      readonly error?: ErrorRecord;
    };

/** To a process, which shares no memory: so many more of the run's events were handled. */
export interface Handled {
  readonly type: "handled";
  readonly generation: number;
  readonly count: number;
}

export type RunOrder = Order & { readonly type: "run"; readonly target: TargetRecord };

/** Worker to main thread, about the run in hand. */
export type Message =
  | { readonly type: "flush" }
  | {
      readonly type: "event";
      readonly name: string;
      readonly data: unknown;
      /** Set when the sender waits for a reply. */
      readonly correlation: number | undefined;
    }
  | {
      readonly type: "submit";
      readonly child: number;
      readonly kind: TaskKind;
      readonly call: Call;
      readonly options: SentOptions;
    }
  | { readonly type: "cancelChild"; readonly child: number; readonly reason: unknown }
  | { readonly type: "finishChild"; readonly child: number }
  /** The run waits for children, or goes on. */
  | { readonly type: "waiting"; readonly waiting: boolean }
  | { readonly type: "cancelTask"; readonly key: TaskKey; readonly correlation: number }
  | { readonly type: "getTask"; readonly key: TaskKey; readonly correlation: number };

/** Worker to main thread. */
export type Answer =
  | { readonly type: "ready" }
  | LogEntry
  | { readonly type: "message"; readonly generation: number; readonly message: Message }
  | Done;

/** From a process: what a thread stores in its control block. */
export interface ProcessReport {
  readonly type: "report";
  readonly generation: number;
  readonly progress: number;
  readonly message: string;
}

export interface Done {
  readonly type: "done";
  readonly generation: number;
  /** Size of the worker's memory. */
  readonly bytes: number;
  readonly value?: unknown;
  readonly error?: ErrorRecord;
  /** The worker's initializer failed: it may not serve. */
  readonly unfit?: true;
}
