import { environment } from "../tasker/target.ts";
import { type Items, liftNesting, type Nesting, pendingOf, type Ranks } from "./items.ts";
import { type Engine, type Pointer, Stages } from "./memory.ts";
import { distance } from "./paths.ts";

/** An order of items, as `assembly/order.ts` has it. */
export interface Tour {
  /** The end at each place; place 0 is the head's own. */
  readonly ends: Int32Array;
  /** The vertex at which each closed item begins. */
  readonly entry: Uint32Array;
  /** Kicks that were made. */
  readonly kicks: number;
}

/** What a tour has to keep to. */
export interface Rules {
  readonly start: readonly [number, number];
  readonly end: readonly [number, number] | undefined;
  readonly insideFirst: boolean;
  readonly flip: boolean;
  readonly ranks: Ranks | undefined;
}

/** When to stop improving. */
export interface Effort {
  /** Kicks at most; Infinity for as many as gain anything. */
  readonly kicks: number;
  /** ms after the first tour; undefined: no limit. */
  readonly budgetMs: number | undefined;
}

/** Neighbours tried for each end; both ends of a closed path lie at one vertex, so there it takes more to see as far. */
const NEIGHBOURS = { open: 8, closed: 12 };
/** Rounds of improving the order and then the entries of closed paths. */
const ROUNDS = 2;
/** Moves in a row that the search tries: single ones for a first result, more where it goes on. */
const DEPTH = { first: 1, kicks: 5 };
/** Fewer items than this leave a kick nothing to exchange. */
const LEAST_ITEMS = 3;
/** Kicks between two looks at the clock, some 5 ms. */
const SLICE = 64;
/** Kicks between two choices of entries, where items are closed: one for so many items, and so many at least. */
const ENTRIES_EVERY = { items: 2, kicks: 512 };
/** The search ends after so many kicks without a gain, and so many for each item. */
const SETTLED = { kicks: 1000, perItem: 20 };
/** What a first tour and a kick take, about, ms; only progress is shared out by it. */
const ABOUT_MS = { item: 0.01, kick: 0.08 };

const NOWHERE = 0 as Pointer;

/** What lies in kernel memory during a search; see `assembly/order.ts` for each. */
interface Placed {
  readonly xy: Pointer;
  readonly first: Pointer;
  readonly closed: Pointer;
  readonly owner: Pointer;
  readonly ends: Pointer;
  readonly entry: Pointer;
  readonly tour: Pointer;
  readonly ranks: Pointer;
  readonly ranked: Pointer;
  readonly starts: Pointer;
  readonly around: Pointer;
}

/** One search for a short tour over `items`; `single` are the same paths as items of their own. */
export class Search {
  readonly #engine: Engine;
  readonly #items: Items;
  readonly #rules: Rules;
  readonly #effort: Effort;
  readonly #at: Placed;
  readonly #nesting: Nesting;
  readonly #stages = new Stages();
  /** Part of the progress that leads to the first tour; kicks have the rest. */
  readonly #share: number;
  readonly #anyClosed: boolean;

  constructor(engine: Engine, xy: Float32Array, single: Items, items: Items, rules: Rules, effort: Effort) {
    this.#engine = engine;
    this.#items = items;
    this.#rules = rules;
    this.#effort = effort;
    this.#anyClosed = items.closed.includes(1);
    const firstMs = ABOUT_MS.item * (items.count + 1);
    this.#share =
      firstMs / (firstMs + Math.min(effort.kicks * ABOUT_MS.kick, effort.budgetMs ?? Infinity, 1e9));
    const n = items.count;
    const xyAt = engine.push(xy);
    this.#nesting = liftNesting(this.#nest(xyAt, single), single, items, rules.ranks);
    const { starts, around } = this.#nesting;
    this.#at = {
      xy: xyAt,
      first: engine.push(items.first),
      closed: engine.push(items.closed),
      owner: engine.push(items.owner),
      ends: engine.push(endsOf(items, xy, rules)),
      entry: engine.push(items.first.subarray(0, n)),
      tour: engine.push(givenTour(n)),
      ranks: rules.ranks === undefined ? NOWHERE : engine.push(rules.ranks.of),
      ranked: rules.ranks === undefined ? NOWHERE : engine.push(rules.ranks.sorted),
      starts: engine.push(starts),
      around: engine.push(around),
    };
  }

  run(): Tour {
    this.#begin();
    const kicks = this.#improve();
    const n = this.#items.count;
    return {
      ends: this.#engine.i32(this.#at.tour, n + 1).slice(),
      entry: this.#engine.u32(this.#at.entry, n).slice(),
      kicks,
    };
  }

  /** Finds what lies in what. Takes at most 0.2 of the way to the first tour. */
  #nest(xy: Pointer, { count, first, closed, owner }: Items): Nesting {
    const engine = this.#engine;
    const { kernels } = engine;
    const nothing = { starts: new Uint32Array(count + 1), around: new Uint32Array(0) };
    if (!this.#rules.insideFirst || !closed.includes(1)) return nothing;
    const mark = engine.mark();
    const firstAt = engine.push(first);
    const closedAt = engine.push(closed);
    const ownerAt = engine.push(owner);
    const starts = engine.alloc(4 * (count + 1));
    const points = owner.length;
    const inner = engine.mark();
    // only outlines that cross need more than one entry an item
    for (let room = 2 * count, share = 0.1 * this.#share; ; room *= 2, share /= 2) {
      engine.release(inner);
      const around = engine.alloc(4 * room);
      const scratch = engine.alloc(kernels.nestBytes(count, points));
      const found = this.#stages.offer(share, 2 * count, () =>
        kernels.nestItems(xy, points, firstAt, closedAt, count, ownerAt, starts, around, room, scratch),
      );
      if (found !== undefined) {
        const nesting = {
          starts: engine.u32(starts, count + 1).slice(),
          around: engine.u32(around, found).slice(),
        };
        engine.release(mark);
        return nesting;
      }
      // what was done counts, so that progress does not fall back
      this.#stages.run(share, 1, () => 0);
    }
  }

  /** Makes a tour: from path to nearest path, or the given order where that is allowed and no longer. */
  #begin(): void {
    const engine = this.#engine;
    const { kernels } = engine;
    const { count: n, owner } = this.#items;
    const { flip } = this.#rules;
    const at = this.#at;
    const given = { tour: engine.i32(at.tour, n + 1).slice(), ends: engine.f32(at.ends, 4 * n + 4).slice() };
    const mark = engine.mark();
    const pending = engine.push(pendingOf(this.#nesting));
    const candidates = candidatesOf(this.#items, flip);
    const candidatesAt = engine.push(candidates);
    const grid = engine.alloc(kernels.gridBytes(candidates.length, owner.length));
    this.#stages.run(0.3 * this.#share, n, () =>
      kernels.nearestTour(
        at.xy,
        owner.length,
        at.first,
        at.closed,
        n,
        candidatesAt,
        candidates.length,
        at.owner,
        Number(flip),
        at.starts,
        at.around,
        pending,
        at.ranks,
        at.ranked,
        at.ends,
        at.entry,
        at.tour,
        grid,
      ),
    );
    engine.release(mark);

    if (!this.#allowsGiven()) return;
    const found = { tour: engine.i32(at.tour, n + 1), ends: engine.f32(at.ends, 4 * n + 4) };
    if (tourLength(given, this.#rules) > tourLength(found, this.#rules)) return;
    found.tour.set(given.tour);
    found.ends.set(given.ends);
    engine.u32(at.entry, n).set(this.#items.first.subarray(0, n));
  }

  /** Whether the order that was given keeps to the rules. */
  #allowsGiven(): boolean {
    const { starts, around } = this.#nesting;
    const ranks = this.#rules.ranks?.of;
    for (let item = 0; item < this.#items.count; item++) {
      if (ranks !== undefined && item > 0 && ranks[item]! < ranks[item - 1]!) return false;
      for (let i = starts[item]!; i < starts[item + 1]!; i++) if (around[i]! < item) return false;
    }
    return true;
  }

  /** Shortens the tour; returns how many kicks that took. */
  #improve(): number {
    const engine = this.#engine;
    const { kernels } = engine;
    const n = this.#items.count;
    const { end, flip, ranks } = this.#rules;
    const at = this.#at;
    const free = Number(end === undefined);
    const count = 2 * (n + 1) - free;
    const k = this.#anyClosed ? NEIGHBOURS.closed : NEIGHBOURS.open;
    const near = engine.alloc(4 * count * k);
    const scratch = engine.alloc(kernels.improveBytes(n));
    const mark = engine.mark();
    const rounds = this.#anyClosed ? ROUNDS : 1;
    const part = (0.5 * this.#share) / (rounds + Number(this.#effort.kicks > 0));
    const oneWay = Number(!flip && !this.#anyClosed);
    const choose = (share: number): void => {
      const room = engine.alloc(kernels.chooseBytes(n));
      this.#stages.run(share, n, () =>
        kernels.chooseEnds(
          at.xy,
          at.first,
          at.closed,
          n,
          at.ends,
          at.entry,
          at.tour,
          free,
          Number(flip),
          room,
        ),
      );
      engine.release(mark);
    };
    const listNear = (): void => {
      const grid = engine.alloc(kernels.gridBytes(count, count) + 8 * (k + 1));
      this.#stages.run(part * 0.3, count, () => kernels.nearEnds(at.ends, count, k, oneWay, near, grid));
      engine.release(mark);
    };
    const shorten = (depth: number): void => {
      this.#stages.run(part * 0.6, 2 * (n + 1), () =>
        kernels.improveTour(
          at.ends,
          n,
          near,
          k,
          free,
          Number(flip),
          at.closed,
          this.#nesting.around.length > 0 ? at.starts : NOWHERE,
          at.around,
          ranks === undefined ? NOWHERE : at.ranks,
          depth,
          at.tour,
          scratch,
        ),
      );
      choose(part * 0.1);
    };
    for (let round = 0; round < rounds; round++) {
      listNear();
      shorten(DEPTH.first);
    }
    const from = performance.now();
    const { kicks, budgetMs } = this.#effort;
    if (n < LEAST_ITEMS || kicks === 0 || budgetMs === 0 || environment().reporter.isFinishing?.()) return 0;
    if (this.#anyClosed) listNear();
    shorten(DEPTH.kicks);
    const done = this.#kick(from, scratch, choose);
    choose(0);
    return done;
  }

  /** Kicks until the effort is spent, nothing is gained any more, or the task is to end with what it has; once at least. */
  #kick(from: number, scratch: Pointer, choose: (share: number) => void): number {
    const { kernels } = this.#engine;
    const { kicks, budgetMs } = this.#effort;
    const { reporter } = environment();
    const n = this.#items.count;
    const every = Math.max(ENTRIES_EVERY.kicks, n / ENTRIES_EVERY.items);
    const patience = SETTLED.kicks + SETTLED.perItem * n;
    let done = 0;
    let vain = 0;
    let chosen = 0;
    let left = 1 - this.#share;
    let before = from;
    do {
      const slice = Math.min(SLICE, kicks - done);
      // as much of the progress as this slice will take of the effort, or the one before took
      const now = performance.now();
      const spent = budgetMs === undefined ? 0 : (now - before) / budgetMs;
      const share = Math.min((1 - this.#share) * Math.max(slice / kicks, spent), left);
      before = now;
      left -= share;
      const gains = this.#stages.run(share, slice, () => kernels.kickTour(scratch, slice, 0));
      done += slice;
      vain = gains > 0 ? 0 : vain + slice;
      if (this.#anyClosed && done - chosen >= every) {
        chosen = done;
        choose(0);
      }
      if (budgetMs !== undefined && performance.now() - from >= budgetMs) break;
    } while (done < kicks && vain < patience && !reporter.isFinishing?.());
    return done;
  }
}

/** The items as they are given. */
function givenTour(n: number): Int32Array {
  return Int32Array.from({ length: n + 1 }, (_, place) => (place === 0 ? 2 * n + 1 : 2 * place - 2));
}

/** Points at which items may be entered: ends of open ones, vertices of closed ones. */
function candidatesOf({ count, first, closed, owner }: Items, flip: boolean): Uint32Array {
  const candidates = new Uint32Array(owner.length);
  let n = 0;
  for (let i = 0; i < count; i++) {
    const last = first[i + 1]! - 1;
    candidates[n++] = first[i]!;
    if (closed[i] === 1) for (let point = first[i]! + 1; point < last; point++) candidates[n++] = point;
    else if (flip) candidates[n++] = last;
  }
  return candidates.subarray(0, n);
}

/** Where the ends of items are: those of closed ones at their first vertex, those of the head's own at start and end. */
function endsOf({ count, first, closed }: Items, xy: Float32Array, { start, end }: Rules): Float32Array {
  const ends = new Float32Array(4 * (count + 1));
  for (let i = 0; i < count; i++) {
    const head = first[i]!;
    const tail = closed[i] === 1 ? head : first[i + 1]! - 1;
    ends.set([xy[2 * head]!, xy[2 * head + 1]!, xy[2 * tail]!, xy[2 * tail + 1]!], 4 * i);
  }
  ends.set([...start, ...(end ?? start)], 4 * count);
  return ends;
}

function tourLength({ tour, ends }: { tour: Int32Array; ends: Float32Array }, rules: Rules): number {
  let length = 0;
  const last = tour.length - 1;
  for (let place = 0; place <= last; place++) {
    if (place === last && rules.end === undefined) break;
    const from = 2 * (tour[place]! ^ 1);
    const to = 2 * tour[place === last ? 0 : place + 1]!;
    length += distance(ends[from]!, ends[from + 1]!, ends[to]!, ends[to + 1]!);
  }
  return length;
}
