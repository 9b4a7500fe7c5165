// The worker's side: loaded by each worker thread and child process, runs one target at a time.

import { deserialize } from "node:v8";
import { isMainThread, type MessagePort, workerData } from "node:worker_threads";
import workerpool from "workerpool";
import { describe, KerfworkError, recordError } from "../errors.ts";
import { isPlain, packResult } from "./args.ts";
import { BlockContext, canceled, directContext } from "./context.ts";
import { ControlBlock, MEMORY_PAGES } from "./control.ts";
import { Deferred } from "./deferred.ts";
import { bytesHeld, crewOf } from "./forward.ts";
import { Inbox } from "./inbox.ts";
import type { LogLevel } from "./log.ts";
import { ChildPipe, nap } from "./pipe.ts";
import type {
  Answer,
  Call,
  Done,
  Handled,
  Order,
  ProcessReport,
  ProcessSetup,
  RunOrder,
  WorkerSetup,
} from "./protocol.ts";
import { type Channel, log, Run } from "./run.ts";
import { environment, resolveTarget, type TargetRecord, type TaskFunction } from "./target.ts";

/** Least time between two progress messages of a process, ms. */
const REPORT_MS = 50;

const memory = isMainThread
  ? new WebAssembly.Memory({ ...MEMORY_PAGES, shared: true })
  : (workerData as WorkerSetup).memory;
const block = new ControlBlock(memory.buffer);
const surroundings = environment();
surroundings.memory = memory;

let running: Run | undefined;
let initialized: Promise<void> | undefined;

/** Targets that were found before, as long as their records are kept. */
const resolved = new WeakMap<TargetRecord, TaskFunction<unknown[], unknown>>();

async function resolve(record: TargetRecord, { channel }: Run): Promise<TaskFunction<unknown[], unknown>> {
  const run = await resolveTarget(record);
  log(channel, "debug", "a worker loaded a target", record.name);
  // each run of a kernel has an instance of its own
  if (record.type !== "kernel") resolved.set(record, run);
  return run;
}

/** Runs an order; always gives an answer. */
async function execute(order: RunOrder, run: Run): Promise<{ done: Done; transfer: ArrayBuffer[] }> {
  const context = new BlockContext(block, run);
  running = run;
  surroundings.reporter = context;
  surroundings.manager = () => run.forwarder;
  const tell = (message: string): void => log(run.channel, "debug", message, order.target.name);
  surroundings.crew = crewOf(run.channel.crew, () => run.forwarder, tell);
  const done = { type: "done", generation: order.generation } as const;
  let unfit = initialized !== undefined;
  try {
    if (unfit) await initialized;
    unfit = false;
    if (block.isCancelled()) throw canceled();
    const target = resolved.get(order.target) ?? (await resolve(order.target, run));
    block.begin();
    const value = await target(context, ...order.args);
    const bytes = bytesHeld(memory, order.args);
    if (isPlain(value)) return { done: { ...done, bytes, value }, transfer: [] };
    const kept = new Set<ArrayBufferLike>([...order.staged, memory.buffer]);
    const packed = packResult(value, kept);
    return { done: { ...done, bytes, value: packed.value }, transfer: packed.transfer };
  } catch (error) {
    const failed: Done = { ...done, bytes: bytesHeld(memory, order.args), error: recordError(error) };
    return { done: unfit ? { ...failed, unfit } : failed, transfer: [] };
  } finally {
    run.over = true;
    running = undefined;
    surroundings.manager = undefined;
    surroundings.crew = undefined;
  }
}

function notCloneable(order: RunOrder, done: Done, cause: unknown): Done {
  const error = new KerfworkError(
    "RESULT_NOT_CLONEABLE",
    `Expected the result of \`${order.target.name}\` to be cloneable, got ${describe(done.value)}: ${(cause as Error).message}`,
    { cause },
  );
  return { type: "done", generation: done.generation, bytes: done.bytes, error: recordError(error) };
}

/** Runs what prepares this worker for its tasks. */
async function initialize({ target, args }: Call, channel: Channel): Promise<void> {
  try {
    const run = await resolveTarget(target);
    await run(directContext(), ...args);
    log(channel, "info", "a worker's initializer ran", target.name);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : describe(cause);
    throw new KerfworkError("WORKER_INIT", `The worker's initializer \`${target.name}\` failed: ${why}`, {
      cause,
    });
  }
}

/** A thread: orders and answers pass over a port, where they can be read while the thread is blocked. */
function serveThread({ port, provided, init, logLevel, crew }: WorkerSetup): void {
  for (const [name, value] of provided) surroundings.provided.set(name, value);
  const channel: Channel = {
    logLevel,
    crew,
    post: (answer, transfer) => (port as MessagePort).postMessage(answer, transfer as ArrayBuffer[]),
    poll: () => inbox.poll(),
  };
  const inbox = new Inbox(port, block, (order) => {
    if (order.type === "run") void serve(order);
    else running?.receive(order);
  });
  const targets: TargetRecord[] = [];
  const serve = async (order: Order & { type: "run" }): Promise<void> => {
    let { target } = order;
    if (typeof target === "number") target = targets[target] as TargetRecord;
    else targets.push(target);
    const known = { ...order, target };
    const { done, transfer } = await execute(known, new Run(order.generation, block, channel));
    try {
      channel.post(done, transfer);
    } catch (cause) {
      channel.post(notCloneable(known, done, cause));
    }
    inbox.linger(order.generation);
  };
  const ready = (): void => channel.post({ type: "ready" });
  if (init === undefined) ready();
  else {
    initialized = initialize(init, channel);
    initialized.then(ready, ready); // a failure is told to the first task
  }
  inbox.open();
  // the one call: it ends with the thread
  workerpool.worker({ serve: () => new Promise(() => {}) });
}

/**
 * A process: no memory is shared, so reports and counts pass as messages too, all through one pipe, and cancelling kills.
 * workerpool's own channel only tells when a run begins and is over.
 */
function serveProcess(): void {
  let next = new Deferred<RunOrder>();
  const pipe = new ChildPipe<Order | Handled, Answer | ProcessReport>(
    (order) => {
      if (order.type === "run") next.settle({ value: order as RunOrder });
      else running?.receive(order as Order);
    },
    (order) => {
      if (order.type !== "handled") return false;
      if (order.generation === block.generation) for (let i = 0; i < order.count; i++) block.handled();
      return true;
    },
  );
  let timer: NodeJS.Timeout | undefined;
  let last = 0;
  const report = (send: "write" | "offer"): void => {
    clearTimeout(timer);
    timer = undefined;
    last = performance.now();
    const { generation } = block;
    const sent = { generation, progress: block.readProgress(), message: block.readMessage() };
    if (pipe[send]({ type: "report", ...sent }) === false) later(REPORT_MS);
  };
  const later = (ms: number): void => {
    timer ??= setTimeout(() => {
      timer = undefined;
      reported();
    }, ms);
  };
  /** Reports at most so often, and without ever waiting; what came in between is reported late, not never. */
  const reported = (): void => {
    const left = last + REPORT_MS - performance.now();
    if (left <= 0) report("offer");
    else later(left);
  };
  let logLevel: LogLevel = "silent";
  const channel: Channel = {
    get logLevel() {
      return logLevel;
    },
    crew: 0, // there is no memory to share
    post(answer, transfer = []) {
      if (answer.type === "message" && answer.message.type === "flush") report("write");
      pipe.write(answer);
      if (transfer.length > 0) structuredClone(undefined, { transfer: [...transfer] }); // as if they had moved
    },
    poll: pipe.readable ? () => pipe.poll() as Order | undefined : undefined,
    nap(ms) {
      nap(ms);
      pipe.look();
      if (timer !== undefined) reported(); // the timer itself waits for the event loop
    },
  };
  const run = async (bytes: Uint8Array): Promise<void> => {
    const setup = deserialize(bytes) as ProcessSetup;
    logLevel = setup.logLevel;
    if (setup.init !== undefined) initialized ??= initialize(setup.init, channel);
    const order = await next.promise;
    next = new Deferred();
    await initialized?.catch(() => {}); // a failure is told to the first task
    block.open(order.generation);
    pipe.write({ type: "ready" });
    last = 0;
    const { done } = await execute(order, new Run(order.generation, block, channel, reported));
    report("write");
    try {
      pipe.write(done);
    } catch (cause) {
      pipe.write(notCloneable(order, done, cause));
    }
  };
  workerpool.worker({ run });
}

if (isMainThread) serveProcess();
else serveThread(workerData as WorkerSetup);
