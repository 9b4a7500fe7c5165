// The thread's side: loaded by each worker, runs one target at a time and reports into the control block.
import { type MessagePort, receiveMessageOnPort, workerData } from "node:worker_threads";
import workerpool from "workerpool";
import { describe, type ErrorRecord, KerfworkError, recordError } from "../errors.ts";
import { packResult } from "./args.ts";
import { BlockContext, canceled } from "./context.ts";
import { ControlBlock, IDLE, RUNNING } from "./control.ts";
import { environment, resolveTarget, type TargetRecord } from "./target.ts";

/** What a worker is given as it starts. */
export interface WorkerSetup {
  readonly memory: WebAssembly.Memory;
  readonly port: MessagePort;
  readonly provided: ReadonlyMap<string, unknown>;
}

/** Main thread to worker, over the port: what to run, or that a run is canceled. */
export type Order =
  | {
      readonly type: "run";
      readonly generation: number;
      readonly target: TargetRecord;
      readonly args: unknown[];
      readonly staged: readonly SharedArrayBuffer[];
    }
  | { readonly type: "cancel"; readonly generation: number; readonly reason: unknown };

/** Worker to main thread, over the port. */
export type Answer =
  | { readonly type: "ready" }
  | {
      readonly type: "done";
      readonly generation: number;
      readonly bytes: number;
      readonly value?: unknown;
      readonly error?: ErrorRecord;
    };

const { memory, port, provided } = workerData as WorkerSetup;
const block = new ControlBlock(memory.buffer);
const surroundings = environment();
surroundings.memory = memory;
for (const [name, value] of provided) surroundings.provided.set(name, value);

let waiting: (Order & { type: "run" }) | undefined;
let running: { generation: number; controller: AbortController } | undefined;

function receive(order: Order): void {
  if (order.type === "run") waiting = order;
  else if (running?.generation === order.generation) running.controller.abort(order.reason);
}

/** Runs what the port holds. The answer goes over the port too; this call only says when. */
async function run(): Promise<void> {
  // the order was posted before the call, but its event may come after it
  if (waiting === undefined) for (let next = take(); next !== undefined; next = take()) receive(next);
  const order = waiting;
  waiting = undefined;
  if (order === undefined)
    throw new KerfworkError("WORKER_CRASHED", "Expected an order to run before the call");
  const controller = new AbortController();
  const context = new BlockContext(block, controller.signal);
  running = { generation: order.generation, controller };
  surroundings.reporter = context;
  let answer: Answer;
  let transfer: ArrayBuffer[] = [];
  const done = { type: "done", generation: order.generation } as const;
  try {
    if (block.isCancelled()) throw canceled();
    const target = await resolveTarget(order.target);
    block.writeState(RUNNING);
    const result = packResult(await target(context, ...order.args), keptBuffers(order.staged));
    transfer = result.transfer;
    answer = { ...done, bytes: memory.buffer.byteLength, value: result.value };
  } catch (error) {
    answer = { ...done, bytes: memory.buffer.byteLength, error: recordError(error) };
  }
  running = undefined;
  try {
    port.postMessage(answer, transfer);
  } catch (cause) {
    const value = "value" in answer ? answer.value : undefined;
    const error = new KerfworkError(
      "RESULT_NOT_CLONEABLE",
      `Expected the result of \`${order.target.name}\` to be cloneable, got ${describe(value)}: ${(cause as Error).message}`,
      { cause },
    );
    port.postMessage({ ...done, bytes: memory.buffer.byteLength, error: recordError(error) });
  }
}

function take(): Order | undefined {
  return receiveMessageOnPort(port)?.message as Order | undefined;
}

function keptBuffers(staged: readonly SharedArrayBuffer[]): Set<ArrayBufferLike> {
  return new Set<ArrayBufferLike>([...staged, memory.buffer]);
}

block.writeState(IDLE);
port.on("message", receive);
port.unref();
port.postMessage({ type: "ready" } satisfies Answer);
workerpool.worker({ run });
