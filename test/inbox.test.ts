// A thread's inbox: orders that come at once are taken at once, and the event loop still gets its turns.
import { availableParallelism } from "node:os";
import { MessageChannel } from "node:worker_threads";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { soon } from "../src/tasker/clock.ts";
import { ControlBlock } from "../src/tasker/control.ts";
import { Inbox } from "../src/tasker/inbox.ts";
import type { Order } from "../src/tasker/protocol.ts";

// ports hold nobody from ending
const alive = setInterval(() => {}, 60_000);
test.after(() => clearInterval(alive));

/** On a single core nobody lingers. */
const cores = availableParallelism();
const cancel = (generation: number): Order => ({ type: "cancel", generation, reason: undefined });

test("lingering takes the order whose generation is there, and none before it", () => {
  const { port1, port2 } = new MessageChannel();
  const block = new ControlBlock(new SharedArrayBuffer(4096));
  const taken: Order[] = [];
  const inbox = new Inbox(port2, block, (order) => taken.push(order));
  const turned = new Promise<void>((resolve) => port2.once("message", () => resolve()));
  inbox.open();
  port1.postMessage(cancel(1));
  return turned.then(() => {
    assert.equal(taken, [cancel(1)], "the event loop brought it");
    block.open(1);
    port1.postMessage(cancel(2));
    inbox.linger(1);
    assert.is(taken.length, 1, "a generation that stands still has nothing new");
    block.open(2);
    inbox.linger(1);
    assert.is(taken.length, cores > 1 ? 2 : 1);
    inbox.linger(1);
    assert.is(taken.length, cores > 1 ? 2 : 1, "nothing comes: it does not wait for ever");
    port1.close();
  });
});

test("orders without a gap leave the event loop its turns", async () => {
  const { port1, port2 } = new MessageChannel();
  const block = new ControlBlock(new SharedArrayBuffer(4096));
  let generation = 0;
  let turned = false;
  const next = (): void => {
    if (turned || generation === 100_000) {
      port1.close();
      return;
    }
    block.open(++generation);
    port1.postMessage(cancel(generation));
    inbox.linger(generation - 1);
  };
  const inbox = new Inbox(port2, block, () => soon(next));
  inbox.open();
  setTimeout(() => {
    turned = true;
  }, 1);
  const closed = new Promise((resolve) => port1.once("close", resolve));
  next();
  await closed;
  assert.ok(turned, `the timer waited for ${generation} orders`);
  assert.ok(cores === 1 || generation > 10, `only ${generation} orders were taken in a turn`);
});

test.run();
