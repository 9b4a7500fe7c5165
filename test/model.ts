// A small model of the rules of tasks, and random stories of what is done to a manager, checked against it.
import type { KerfworkError, ProcessOptions, Task, TaskKind, TaskManager } from "kerfwork";
import * as assert from "uvu/assert";

/** What a task's code does. `hold` waits for its release or its cancel, `deaf` for its release alone. */
export const ACTS = ["give", "fail", "hold", "deaf", "crash", "closure"] as const;
export type Act = (typeof ACTS)[number];

/** How the story acts on the world; inline or with workers. */
export interface World {
  readonly manager: TaskManager;
  submit(kind: TaskKind, act: Act, id: number, options: ProcessOptions<unknown>): Task<unknown>;
  /** Lets the code of `id` end. */
  release(id: number): void;
  /** Whether the code of `id` has begun, as it says itself. */
  entered(id: number): boolean;
  /** Lets some time pass, or none. */
  pass(ms: number): Promise<void>;
}

/** A task as the model knows it. */
interface Known {
  readonly id: number;
  readonly act: Act;
  readonly kind: TaskKind;
  readonly task: Task<unknown>;
  readonly key: number | undefined;
  readonly limited: boolean;
  readonly retries: number;
  canceled: boolean;
  /** It may have been running when the pool was restarted. */
  restarted: boolean;
  readonly log: string[];
}

export function randomFrom(seed: number): (n: number) => number {
  let state = (seed * 2654435761) >>> 0 || 1;
  return (n) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % n;
  };
}

const REPLACE = ["overlap", "overlap", "wait", "reject"] as const;

const CODES: Partial<Record<Act, readonly string[]>> = {
  fail: ["E_OWN"],
  crash: ["WORKER_CRASHED", "TARGET_REFUSED"],
  closure: ["ARGUMENT_NOT_CLONEABLE"],
};

/** Plays one story; what breaks a rule throws. */
export async function playStory(world: World, random: (n: number) => number, moves: number): Promise<void> {
  const { manager } = world;
  const all: Known[] = [];
  const listed = new Set<number>();
  let closed = false;
  manager.tasksUpdated.connect(({ tasks, progress }) => {
    assert.not(closed, "tasksUpdated after shutdown");
    assert.ok(progress >= 0 && progress <= 1);
    listed.clear();
    let last = 0;
    for (const { id } of tasks) {
      assert.ok(id > last, "in order of submission");
      last = id;
      listed.add(id);
    }
    for (const known of all)
      if (known.log.includes("final") && !known.log.includes("updated") && !listed.has(known.task.id))
        known.log.push("updated");
  });

  const submit = (): void => {
    const kind = (["coroutine", "thread", "process"] as const)[random(3)] as TaskKind;
    const act = ACTS[random(ACTS.length)] as Act;
    if (kind === "coroutine" && (act === "crash" || act === "closure")) return;
    const key = random(3) === 0 ? undefined : random(3);
    const replace = REPLACE[random(4)] as (typeof REPLACE)[number];
    const old = key === undefined ? undefined : manager.getTask(key);
    const busy = old !== undefined && !old.final;
    const retries = kind === "coroutine" ? 0 : random(3);
    const limited = random(4) === 0;
    const log: string[] = [];
    const options: ProcessOptions<unknown> = {
      ...(key === undefined ? {} : { key, replace }),
      ...(limited ? { group: "pair" } : {}),
      ...(random(3) === 0 ? { priority: random(3) - 1 } : {}),
      ...(random(4) === 0 ? { visible: false } : {}),
      ...(retries > 0 ? { retries } : {}),
      whenDone(task) {
        assert.is(task, known.task);
        if (closed) assert.is(task.status === "canceled" || !known.canceled, true);
        assert.ok(task.final, "whenDone of a final task");
        assert.not(
          [...manager].some(({ id }) => id === task.id),
          "removed before whenDone",
        );
        assert.is.not(key !== undefined && manager.getTask(key), task);
        log.push("done");
      },
    };
    const id = all.length;
    if (replace === "reject" && busy) {
      assert.throws(
        () => world.submit(kind, act, id, options),
        (error: KerfworkError) => error.code === "KEY_BUSY",
      );
      return;
    }
    const before = all.map(({ log }) => log.length);
    const task = world.submit(kind, act, id, options);
    const known: Known = {
      id,
      act,
      kind,
      task,
      key,
      limited,
      retries,
      canceled: false,
      restarted: false,
      log,
    };
    // nobody is called inside a submission
    assert.equal(
      all.map(({ log }) => log.length),
      before,
    );
    const replaced = all.find((other) => other.task === old);
    if (busy && replaced) replaced.canceled = true;
    all.push(known);
    if (key !== undefined) assert.is(manager.getTask(key), task, "the newest has the key");
    let last = 0;
    task.changed.connect(({ status, progress }) => {
      assert.not(log.includes("final"), "nothing after the end");
      assert.not(closed, "changed after shutdown");
      if (status === "running") {
        assert.not(known.canceled, "after a cancel nothing but the end is told");
        assert.ok(progress >= last || retries > 0, "progress goes forward");
        last = progress;
      } else if (status !== "pending") log.push("final");
      assert.is(status, task.status === "pending" ? status : task.final ? status : "running");
    });
    task.promise.then(
      () => log.push("settled"),
      () => log.push("settled"),
    );
  };

  const cancel = (): void => {
    const known = all[random(all.length)];
    if (known === undefined) return;
    const { task } = known;
    const expected = !task.final && !known.canceled;
    const { length } = known.log;
    const byKey = known.key !== undefined && manager.getTask(known.key) === task && random(2) === 0;
    const got = byKey ? manager.cancelTask(known.key as number) : task.cancel("story");
    assert.is(got, expected, `cancel of a ${task.status} task`);
    if (got) known.canceled = true;
    assert.is(task.isCancelled(), known.canceled);
    assert.is(known.log.length, length, "nobody is called inside a cancel");
    if (got && !world.entered(known.id) && task.status === "pending" && known.kind === "coroutine")
      known.log.push("unentered");
  };

  const check = (): void => {
    for (const known of all) if (known.log.includes("unentered")) assert.not(world.entered(known.id));
    for (const { task, key } of all)
      if (key !== undefined && !task.final && all.findLast((other) => other.key === key)?.task === task)
        assert.is(manager.getTask(key), task, "an active task keeps its key");
    const visible = [...manager].map(({ id }) => id);
    for (const { task, log } of all) if (visible.includes(task.id)) assert.not(log.includes("done"));
  };

  for (let move = 0; move < moves; move++) {
    const act = random(20);
    if (act < 9) submit();
    else if (act < 12) cancel();
    else if (act < 15) world.release(random(Math.max(all.length, 1)));
    else if (act < 18) await world.pass(random(3) * random(60));
    else if (act === 18) {
      for (const known of all) if (!known.task.final && known.kind !== "coroutine") known.restarted = true;
      void manager.restartPool({ graceMs: random(2) * 20 });
    } else void manager.whenIdle().then((idle) => assert.ok(idle));
    check();
  }

  const shut = random(2) === 0;
  if (shut) {
    // what is final but not yet told keeps its end; all else is canceled
    for (const known of all) if (!known.task.final) known.canceled = true;
    const closing = manager.shutdown({ graceMs: random(2) * 50 });
    closed = true;
    assert.is(manager.shutdown(), closing);
    assert.throws(() => manager.addCoroutine(async () => 1), /Expected no submission after `shutdown`/);
    let over = false;
    void closing.then(() => {
      over = true;
    });
    for (let i = 0; i < 400 && !over; i++) await world.pass(20);
    assert.ok(over, "shutdown ended");
  }
  for (let i = 0; i < all.length; i++) world.release(i);
  for (let i = 0; i < 400 && !all.every(({ task, log }) => task.final && log.includes("settled")); i++)
    await world.pass(20);
  let ended = 0;
  for (const { task } of all) void task.ended.then(() => ended++);
  for (let i = 0; i < 400 && ended < all.length; i++) await world.pass(20);
  assert.is(ended, all.length, "all code ended");

  for (const known of all) verify(known, shut);
  const { running, retiring, queued } = manager.stats();
  assert.equal({ running, retiring, queued }, { running: 0, retiring: 0, queued: 0 });
  assert.is(manager.size, 0);
  assert.is(manager.progress, 1);
  if (!shut) {
    // every place is free again
    const last = (["process", "thread", "coroutine"] as const).flatMap((kind) =>
      [0, 1, 2].map((i) => world.submit(kind, "give", 10_000 + i, i === 0 ? {} : { group: "pair" })),
    );
    for (let i = 0; i < 400 && !last.every(({ final }) => final); i++) await world.pass(5);
    for (const task of last) assert.is(task.status, "completed", "a slot or a place leaked");
  }
}

/** How one task had to end. */
function verify({ act, task, canceled, restarted, log, id }: Known, shut: boolean): void {
  const order = log.filter((word) => word !== "unentered");
  const told = order.includes("final") ? ["final", ...(task.visible ? ["updated"] : [])] : [];
  const seen = task.visible ? order : order.filter((word) => word !== "updated");
  assert.equal(seen, [...told, "done", "settled"], "told once each, in order");
  if (!shut) assert.ok(order.includes("final"));
  if (canceled) {
    assert.is(task.status, "canceled");
    assert.is((task.error as KerfworkError).code, "CANCELED");
    return;
  }
  if (task.status === "completed") {
    assert.ok(act === "give" || act === "hold" || act === "deaf", `${act} completed`);
    assert.is(task.result(), id);
    assert.is(task.progress, 1);
    return;
  }
  assert.is(task.status, "failed");
  const { code } = task.error as KerfworkError;
  const allowed: string[] = [...(CODES[act] ?? []), ...(restarted ? ["POOL_RESTARTED"] : [])];
  assert.ok(allowed.includes(code), `${act} failed with ${code}: ${task.error?.message}`);
}
