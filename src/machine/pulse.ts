import type { Channel, ChannelEvent } from "./channel.ts";
import { mismatchError } from "./failure.ts";
import { dwellSeconds, type StatusReport, stopsAnswers } from "./grbl.ts";

/** While it homes a controller answers nothing at all. */
const HOMING_SILENCE = 300;
/** Longer than any write to EEPROM, during which nothing is asked. */
const STORING_SILENCE = 10;
/** Longer than the dead time after an alarm. */
const ALARM_SILENCE = 2;
/** An idle, empty controller that owes answers, though nothing was sent meanwhile, gets so long to give them. */
const OWING_SECONDS = 1;

/**
 * Asks a controller for its status, and finds out from the answers whether it lives and whether it still owes any. Not
 * the time that a line takes but the silence of `?` tells a dead controller from a busy one.
 */
export class Pulse {
  readonly #channel: Channel;
  readonly #silence: number;
  readonly #emit: (event: ChannelEvent) => void;
  readonly #watchers = new Map<symbol, number>();
  #cancel: (() => void) | undefined;
  /** Seconds of asking without an answer. */
  #unanswered = 0;
  #polledAt = 0;
  /** When an empty, idle controller was first seen to owe an answer. */
  #owingSince: number | undefined;
  /** The most free blocks and bytes ever reported: what an empty controller reports. */
  #full = { blocks: 0, rx: 0 };
  #seen = { blocks: -1, rx: -1 };

  constructor(channel: Channel, silence: number, emit: (event: ChannelEvent) => void) {
    this.#channel = channel;
    this.#silence = silence;
    this.#emit = emit;
  }

  /** Blocks that an empty planner has. */
  get blocks(): number {
    return this.#full.blocks;
  }

  /** Asks for the status now and then every `seconds`, until the function that it returns is called. */
  watch(seconds: number): () => void {
    const key = Symbol();
    // whoever comes later must not begin the count anew for those who wait already
    if (this.#watchers.size === 0) {
      this.#unanswered = 0;
      this.#polledAt = this.#channel.clock.now();
    }
    this.#watchers.set(key, seconds);
    this.#cancel?.();
    this.#poll();
    return () => {
      this.#watchers.delete(key);
      if (this.#watchers.size === 0) this.stop();
    };
  }

  stop(): void {
    this.#watchers.clear();
    this.#cancel?.();
    this.#cancel = undefined;
  }

  /** A sign of life. */
  heard(): void {
    this.#unanswered = 0;
  }

  /** Lines went out, or were answered: what the controller owes is counted anew. */
  sent(): void {
    this.#owingSince = undefined;
  }

  /** Asks once. */
  ask(): void {
    const { status } = this.#channel.protocol;
    if (status === undefined) this.#infer();
    // a byte that arrives while the controller writes to its EEPROM can be lost
    else if (!this.#channel.storing) this.#channel.realtime(status);
  }

  #poll(): void {
    if (this.#watchers.size === 0 || this.#channel.ended !== undefined) return;
    const interval = Math.min(...this.#watchers.values());
    this.#cancel = this.#channel.clock.after(interval, () => this.#poll());
    // never more than a poll: a host that stood still itself must not call the controller silent
    const now = this.#channel.clock.now();
    this.#unanswered += Math.min(interval, now - this.#polledAt);
    this.#polledAt = now;
    if (this.#unanswered > this.#patience() + interval / 2) {
      this.#unanswered = 0;
      this.#emit({ type: "silent" });
    }
    this.ask();
  }

  #patience(): number {
    const { window, deaf, fenced, resetting, storing, protocol } = this.#channel;
    // a reset has its own patience, and after a limit alarm silence is in order
    if (deaf !== "" || resetting) return Infinity;
    // the dead time of an alarm
    if (fenced) return ALARM_SILENCE;
    if (storing) return STORING_SILENCE;
    if (window.oldest !== undefined && stopsAnswers(window.oldest.text)) return HOMING_SILENCE;
    // without a question there is no answer to miss, only that of a line
    if (protocol.status === undefined && window.pending === 0) return Infinity;
    return protocol.silence ?? this.#silence;
  }

  /** Where no report can be had the traffic tells as much as it can. */
  #infer(): void {
    const { window, tracker } = this.#channel;
    const report: StatusReport = { type: "status", state: window.pending > 0 ? "Run" : "Idle" };
    // not within the call of who asks, who may only then begin to listen
    queueMicrotask(() => {
      if (this.#channel.ended !== undefined) return;
      tracker.take(report);
      this.#emit(report);
    });
  }

  /** True when a report shows a machine that stands and has nothing left to do, as far as it tells. */
  isEmpty(report: StatusReport): boolean {
    if (report.state !== "Idle" && report.state !== "Check") return false;
    return (report.blocks ?? Infinity) >= this.#full.blocks && (report.rxFree ?? Infinity) >= this.#full.rx;
  }

  /** A digit that changed on its way would leave a machine that never looks empty again: more counts when seen twice. */
  #fill(blocks: number, rx: number): void {
    if (blocks <= this.#full.blocks && rx <= this.#full.rx) return;
    if (blocks === this.#seen.blocks && rx === this.#seen.rx)
      this.#full = { blocks: Math.max(this.#full.blocks, blocks), rx: Math.max(this.#full.rx, rx) };
    this.#seen = { blocks, rx };
  }

  /** Looks at a report for answers that will never come. */
  weigh(report: StatusReport): void {
    this.#fill(report.blocks ?? 0, report.rxFree ?? 0);
    const { window, clock, fenced, source } = this.#channel;
    if (fenced || window.pending === 0 || !this.isEmpty(report)) {
      this.#owingSince = undefined;
      return;
    }
    // a dwell looks the same: the machine stands, nothing is queued, and the answer is yet to come
    this.#owingSince ??= clock.now();
    const patience = OWING_SECONDS + dwellSeconds(window.oldest!.text);
    if (clock.now() - this.#owingSince < patience) return;
    this.#owingSince = undefined;
    const what = `${window.pending} lines were not answered`;
    this.#emit({ type: "mismatch", what });
    // no run that would stop the machine: it stands, and who waits must not wait for ever
    if (source === undefined) this.#channel.drop(mismatchError(what));
  }
}
