// A job of the machine as a task: what a cancel finds is a link that waits for an `ok`.
import { connect, startSimulator } from "kerfwork";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { text } from "./jobs.ts";
import { staged, until } from "./tasks.ts";

/** The first move takes minutes; behind it the planner, then the receive buffer, then the sender's window fill up. */
const STUCK = text([
  "G21G90M4S300F10",
  "G1X100",
  ...Array.from({ length: 500 }, (_, i) => `G1X${i % 2}Y${i / 10}`),
]);

staged(
  "a job that waits for `ok` is canceled at once, and none of its lines follows the reset",
  {},
  async ({ manager }) => {
    const simulator = await startSimulator();
    const machine = await connect(simulator.path);
    try {
      const order: string[] = [];
      const job = manager.addCoroutine(
        (context) => machine.run(STUCK, { context, signal: context.signal }),
        [],
        {
          key: "laser",
          whenDone: ({ status }) => order.push(`${status}, ${simulator.log.resets.length} resets`),
        },
      );
      // the planner of 15 blocks is full: no `ok` comes any more
      await until(() => simulator.state === "Run" && simulator.log.lines.length >= 17);
      const before = simulator.log.resets.length;
      assert.is(manager.cancelTask("laser"), true);
      await until(() => order.length > 0);
      assert.equal(order, [`canceled, ${before} resets`], "told before the machine had even stopped");
      await job.ended;
      assert.equal(
        simulator.log.realtime.slice(-2).map(({ byte }) => byte),
        ["!".charCodeAt(0), 0x18],
      );
      assert.is(simulator.log.resets.length, before + 1);
      const at = simulator.log.resets.at(-1)?.seconds as number;
      assert.equal(
        simulator.log.lines.filter(({ seconds, text }) => seconds > at && /^G1/.test(text)),
        [],
        "the queue was cleared before the reset byte",
      );
      const { acknowledged } = await machine.run("G21\nG90\nG4P0\n");
      assert.is(acknowledged, 3, "the next job is clean");
    } finally {
      await machine.close();
      await simulator.close();
    }
  },
);

test.run();
