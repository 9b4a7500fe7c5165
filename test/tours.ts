// What the tests of orders share: small jobs, what must hold for every result, and the shortest way by trying all.
import { KerfworkError, type OrderedPaths, type OrderOptions, order, type Paths } from "kerfwork";
import * as assert from "uvu/assert";

export type Points = number[][];

/** Small seeded generator (mulberry32), 0..1. */
export function random(seed: number): () => number {
  let a = seed;
  return () => {
    a = (a + 0x6d2b79f5) | 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

export function paths(lists: Points[]): Paths {
  let points = 0;
  const ends = Uint32Array.from(lists, (list) => (points += list.length));
  return { ends, xy: Float32Array.from(lists.flat(2)) };
}

export function lists({ ends, xy }: Paths): Points[] {
  return Array.from(ends, (end, i) => {
    const from = i === 0 ? 0 : ends[i - 1]!;
    return Array.from({ length: end - from }, (_, k) => [xy[2 * (from + k)]!, xy[2 * (from + k) + 1]!]);
  });
}

export const square = (x: number, y: number, side: number): Points => [
  [x, y],
  [x + side, y],
  [x + side, y + side],
  [x, y + side],
  [x, y],
];

/** A closed star-shaped outline around a centre. */
export function blob(next: () => number, x: number, y: number, radius: number, corners = 7): Points {
  const list = Array.from({ length: corners }, (_, k) => {
    const r = radius * (0.6 + 0.4 * next());
    const angle = (2 * Math.PI * k) / corners;
    return [Math.fround(x + r * Math.cos(angle)), Math.fround(y + r * Math.sin(angle))];
  });
  return [...list, list[0]!];
}

export const segments = (next: () => number, n: number, size = 100): Points[] =>
  Array.from({ length: n }, () => {
    const x = next() * size;
    const y = next() * size;
    return [
      [x, y],
      [x + next() * 4 - 2, y + next() * 4 - 2],
    ];
  });

export const far = (a: number[], b: number[]): number => Math.hypot(a[0]! - b[0]!, a[1]! - b[1]!);
const isClosed = (list: Points): boolean => far(list[0]!, list.at(-1)!) === 0;

/** Way of the head, computed anew. */
export function travel(given: Points[], { start = [0, 0], end }: OrderOptions = {}): number {
  let at: number[] = [...start];
  let sum = 0;
  for (const list of given.filter((each) => each.length > 0)) {
    sum += far(at, list[0]!);
    at = list.at(-1)!;
  }
  return end === undefined ? sum : sum + far(at, [...end]);
}

/** Paths with points that run as one, by their numbers. */
export function unitsOf(given: Points[], { units }: OrderOptions = {}): number[][] {
  const found: number[][] = [];
  given.forEach((list, path) => {
    const last = found.at(-1)?.at(-1);
    if (list.length === 0) return;
    if (units !== undefined && last !== undefined && units[last] === units[path]) found.at(-1)!.push(path);
    else found.push([path]);
  });
  return found;
}

const groupOf = (path: number, { groups }: OrderOptions): number => groups?.[path] ?? 0;

const keepsOrder = (group: number, { keepOrder = false }: OrderOptions): boolean =>
  keepOrder === true || (keepOrder !== false && keepOrder.includes(group));

/** Whether unit `a` must come before unit `b`. */
function precedes(a: number[], b: number[], nested: [number, number][], options: OrderOptions): boolean {
  const [group, other] = [groupOf(a[0]!, options), groupOf(b[0]!, options)];
  if (group !== other) return group < other;
  if (keepsOrder(group, options)) return a[0]! < b[0]!;
  return nested.some(([inner, outer]) => a.includes(inner) && b.includes(outer));
}

/** All that must hold for every result, checked against the input. */
export function check(given: Paths, options: OrderOptions = {}): OrderedPaths {
  const copy = { ends: given.ends.slice(), xy: given.xy.slice() };
  const result = order(given, options);
  assert.equal(given, copy, "the input is left alone");
  const before = lists(given);
  const after = lists(result.paths);
  assert.equal(
    [...result.order].sort((a, b) => a - b),
    before.map((_, i) => i),
    "a permutation",
  );
  after.forEach((list, place) => {
    const old = before[result.order[place]!]!;
    const backwards = result.reversed[place] === 1;
    if (backwards) assert.not(options.flip === false, "nothing is flipped when that is forbidden");
    if (backwards || old.length < 2 || !isClosed(old)) {
      if (String(list) !== String(backwards ? [...old].reverse() : old)) assert.equal(list, old);
      return;
    }
    // a closed path is the same ring from another vertex on
    const ring = old.slice(0, -1);
    const turn = ring.findIndex(
      (_, k) => String([...ring.slice(k), ...ring.slice(0, k), ring[k]]) === String(list),
    );
    assert.ok(turn >= 0, `path ${result.order[place]} is a rotation of its ring`);
  });
  const close = (a: number, b: number): boolean => Math.abs(a - b) <= 1e-6 * (1 + Math.abs(b));
  assert.ok(close(result.travel, travel(after, options)), "travel as computed anew");
  assert.ok(close(result.before, travel(before, options)), "before as computed anew");
  assert.is(result.saving, result.before > 0 ? 1 - result.travel / result.before : 0);
  checkRules(before, result, options);
  return result;
}

function checkRules(given: Points[], result: OrderedPaths, options: OrderOptions): void {
  const placeOf = new Map(Array.from(result.order, (path, place) => [path, place]));
  const units = unitsOf(given, options);
  for (const unit of units) {
    const places = unit.map((path) => placeOf.get(path)!);
    const step = result.reversed[places[0]!] === 1 ? -1 : 1;
    places.forEach((place, i) => {
      assert.is(place, places[0]! + step * i, `unit ${unit} is whole`);
      if (unit.length > 1) assert.is(result.reversed[place], step < 0 ? 1 : 0);
    });
  }
  const nested = options.insideFirst === false ? [] : nestings(given);
  if (nested.length === 0 && options.groups === undefined && !options.keepOrder) return;
  for (const a of units)
    for (const b of units)
      if (a !== b && precedes(a, b, nested, options))
        assert.ok(placeOf.get(a[0]!)! < placeOf.get(b[0]!)!, `paths ${a} before paths ${b}`);
}

const boxOf = (list: Points): number[] => [
  Math.min(...list.map((p) => p[0]!)),
  Math.min(...list.map((p) => p[1]!)),
  Math.max(...list.map((p) => p[0]!)),
  Math.max(...list.map((p) => p[1]!)),
];

function isInside([x, y]: number[], ring: Points): boolean {
  let odd = false;
  for (let i = 1; i < ring.length; i++) {
    const [x0, y0] = ring[i - 1] as [number, number];
    const [x1, y1] = ring[i] as [number, number];
    if (y0 > y! !== y1 > y! && x0 + ((y! - y0) / (y1 - y0)) * (x1 - x0) < x!) odd = !odd;
  }
  return odd;
}

/** The relation as documented, all pairs. */
export function nestings(given: Points[]): [inner: number, outer: number][] {
  const boxes = given.map(boxOf);
  const found: [number, number][] = [];
  given.forEach((inner, a) => {
    if (inner.length === 0) return;
    const middle = (inner.length - 1) >> 1;
    const p = inner[middle]!;
    const q = inner[Math.min(middle + 1, inner.length - 1)]!;
    const point = [(p[0]! + q[0]!) / 2, (p[1]! + q[1]!) / 2];
    given.forEach((outer, b) => {
      if (a === b || outer.length < 2 || !isClosed(outer)) return;
      const [u, v] = [boxes[a]!, boxes[b]!];
      const equal = String(u) === String(v);
      const holds = v[0]! <= u[0]! && v[1]! <= u[1]! && v[2]! >= u[2]! && v[3]! >= u[3]!;
      if (holds && (!equal || b < a) && isInside(point, outer)) found.push([a, b]);
    });
  });
  return found;
}

/** The shortest way over all orders, directions and entries that keep the rules: tries everything. */
export function shortest(given: Points[], options: OrderOptions = {}): number {
  const nested = options.insideFirst === false ? [] : nestings(given);
  const units = unitsOf(given, options);
  const mustFollow = units.map((b) => units.map((a) => a !== b && precedes(a, b, nested, options)));
  const flip = options.flip ?? true;
  const used = units.map(() => false);
  let best = Infinity;
  const visit = (at: number[], sum: number, count: number): void => {
    if (sum >= best) return;
    if (count === units.length) {
      best = Math.min(best, options.end === undefined ? sum : sum + far(at, [...options.end]));
      return;
    }
    units.forEach((unit, i) => {
      if (used[i] || mustFollow[i]!.some((must, a) => must && !used[a])) return;
      used[i] = true;
      const [head, tail] = [given[unit[0]!]!, given[unit.at(-1)!]!];
      const inner = unit
        .slice(1)
        .reduce((way, path, k) => way + far(given[unit[k]!]!.at(-1)!, given[path]![0]!), 0);
      const go = (entry: number[], exit: number[]) => visit(exit, sum + inner + far(at, entry), count + 1);
      if (unit.length === 1 && isClosed(head))
        for (const vertex of head.slice(-Math.max(head.length - 1, 1))) go(vertex, vertex);
      else {
        go(head[0]!, tail.at(-1)!);
        if (flip) go(tail.at(-1)!, head[0]!);
      }
      used[i] = false;
    });
  };
  visit([...(options.start ?? [0, 0])], 0, 0);
  return best;
}

/** How a call fails: code and message. */
export const messageOf = (run: () => unknown): string => {
  try {
    run();
  } catch (error) {
    assert.instance(error, KerfworkError);
    return `${(error as KerfworkError).code}: ${(error as Error).message}`;
  }
  return "nothing was thrown";
};
