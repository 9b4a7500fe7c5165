import { TaskManager } from "./manager.ts";

export type { TasksUpdate } from "./board.ts";
export type { ExecutionContext } from "./context.ts";
export { type ManagerStats, TaskManager } from "./manager.ts";
export type { ManagerOptions, ProcessOptions, TaskOptions } from "./options.ts";
export type { Signal } from "./signal.ts";
export { type EngineFunction, type TaskFunction, type WorkerFunction, workerFunction } from "./target.ts";
export type { Task, TaskKey, TaskKind, TaskSnapshot, TaskStatus } from "./task.ts";

const KEY = Symbol.for("kerfwork.taskMgr");
const holder = globalThis as { [KEY]?: TaskManager };
holder[KEY] ??= new TaskManager();

/** The default manager: one a process, shared by ESM and CJS. It starts no thread before the first `runProcess`. */
export const taskMgr: TaskManager = holder[KEY];
