import { WorkerTaskManager } from "./forward.ts";
import { TaskManager } from "./manager.ts";
import { environment } from "./target.ts";

export type { TasksUpdate } from "./board.ts";
export { type AskOptions, directContext, type ExecutionContext } from "./context.ts";
export { defineKernel, type KernelDefinition, type KernelResult } from "./kernel.ts";
export type { Logger, LogLevel } from "./log.ts";
export { TaskManager } from "./manager.ts";
export type { ManagerOptions, ProcessOptions, TaskOptions, ThreadOptions } from "./options.ts";
export type { EventAnswer } from "./protocol.ts";
export type { Signal } from "./signal.ts";
export type { ManagerStats, Percentiles } from "./stats.ts";
export { type EngineFunction, type TaskFunction, type WorkerFunction, workerFunction } from "./target.ts";
export type { Task, TaskKey, TaskKind, TaskSnapshot, TaskStatus } from "./task.ts";

const KEY = Symbol.for("kerfwork.taskMgr");
const holder = globalThis as { [KEY]?: TaskManager };
holder[KEY] ??= environment().memory
  ? (new WorkerTaskManager() as unknown as TaskManager) // inside a worker: forwards to the main thread's
  : new TaskManager();

/** The default manager: one a process, shared by ESM and CJS. It starts no thread before the first `runProcess`. */
export const taskMgr: TaskManager = holder[KEY];
