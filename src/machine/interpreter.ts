import { chordsOf } from "./chords.ts";
import { changedBytes } from "./settings.ts";

/** Machine or work coordinates: x, y, z in mm. */
export type Vec = readonly [number, number, number];

/** What stays set from one line to the next. */
export interface Modal {
  readonly motion: 0 | 1 | 2 | 3 | 38.2 | 38.3 | 38.4 | 38.5 | 80;
  readonly plane: 17 | 18 | 19;
  readonly units: 20 | 21;
  readonly distance: 90 | 91;
  readonly feedMode: 93 | 94;
  /** 0 is G54, 5 is G59. */
  readonly system: number;
  readonly spindle: 3 | 4 | 5;
  readonly mist: boolean;
  readonly flood: boolean;
  readonly feed: number;
  readonly speed: number;
  readonly tool: number;
  /** Where the parser stands, machine coordinates; ahead of the motion by what the planner holds. */
  readonly position: Vec;
}

/** What outlives a soft reset: the stored work offsets. `g92` is lost with it. */
export interface Offsets {
  readonly systems: readonly Vec[];
  readonly home: readonly [Vec, Vec];
  readonly g92: Vec;
  readonly toolLength: number;
}

export type Action =
  | { readonly type: "sync" }
  /** Outputs that are set when the motion has ended. */
  | { readonly type: "spindle"; readonly spindle: Modal["spindle"]; readonly speed: number }
  | { readonly type: "coolant"; readonly mist: boolean; readonly flood: boolean }
  | { readonly type: "dwell"; readonly seconds: number }
  /** One straight move; `feed` is mm/min, or Infinity for as fast as the axes can. */
  | { readonly type: "move"; readonly target: Vec; readonly feed: number; readonly power: number }
  /** Bytes written to EEPROM, with interrupts off. */
  | { readonly type: "store"; readonly bytes: number }
  /** A move that ends where the probe touches, or with `away` lets go; `must`: not to find it is an alarm. */
  | {
      readonly type: "probe";
      readonly target: Vec;
      readonly feed: number;
      readonly away: boolean;
      readonly must: boolean;
    }
  | { readonly type: "pause" }
  | { readonly type: "end" };

export interface Interpreted {
  readonly modal: Modal;
  readonly offsets: Offsets;
  readonly actions: readonly Action[];
}

/** What the interpreter needs to know of the settings. */
export interface InterpreterOptions {
  /** `$32`: S words ride on moves instead of stopping them. */
  readonly laser: boolean;
  /** `$12`, mm: how far the chords of an arc may leave it. */
  readonly arcTolerance: number;
}

export const ORIGIN: Vec = [0, 0, 0];
export const START_MODAL: Modal = {
  motion: 0,
  plane: 17,
  units: 21,
  distance: 90,
  feedMode: 94,
  system: 0,
  spindle: 5,
  mist: false,
  flood: false,
  feed: 0,
  speed: 0,
  tool: 0,
  position: ORIGIN,
};
export const START_OFFSETS: Offsets = {
  systems: [ORIGIN, ORIGIN, ORIGIN, ORIGIN, ORIGIN, ORIGIN],
  home: [ORIGIN, ORIGIN],
  g92: ORIGIN,
  toolLength: 0,
};

// modal groups by the number times ten, so that G28.1 is 281
const G_GROUPS: Readonly<Record<number, string>> = {
  ...group("non-modal", 40, 100, 280, 281, 300, 301, 530, 920, 921),
  ...group("motion", 0, 10, 20, 30, 382, 383, 384, 385, 800),
  ...group("plane", 170, 180, 190),
  ...group("distance", 900, 910),
  ...group("arc distance", 911),
  ...group("feed mode", 930, 940),
  ...group("units", 200, 210),
  ...group("cutter", 400),
  ...group("tool length", 431, 490),
  ...group("system", 540, 550, 560, 570, 580, 590),
  ...group("path", 610),
};
const M_GROUPS: Readonly<Record<number, string>> = {
  ...group("stopping", 0, 1, 2, 30),
  ...group("spindle", 3, 4, 5),
  ...group("coolant", 7, 8, 9),
};
/** These take the axis words of their line for themselves. */
const TAKES_AXES = new Set([100, 280, 281, 300, 301, 431, 920]);
const VALUE_WORDS = "FIJKLNPRSTXYZ";

function group(name: string, ...codes: number[]): Record<number, string> {
  return Object.fromEntries(codes.map((code) => [code, name]));
}

/** A refusal with the controller's own number. */
class Refusal {
  constructor(readonly code: number) {}
}
const refuse = (code: number): never => {
  throw new Refusal(code);
};

interface Words {
  readonly g: Map<string, number>;
  readonly m: Map<string, number>;
  readonly values: Map<string, number>;
}

/**
 * Reads one line of G-code as GRBL 1.1 does: all of it is checked before any of it counts. The line comes stripped and
 * in capitals. Returns the new state and what to do, in order, or the number of the error, in which case nothing changed.
 */
export function interpret(
  line: string,
  modal: Modal,
  offsets: Offsets,
  options: InterpreterOptions,
): Interpreted | number {
  try {
    return execute(readWords(line), modal, offsets, options);
  } catch (error) {
    if (error instanceof Refusal) return error.code;
    throw error;
  }
}

/** Reads what follows `$J=`: one straight move with modes of its own, which leaves no mode behind. */
export function interpretJog(
  line: string,
  modal: Modal,
  offsets: Offsets,
  options: InterpreterOptions,
): Interpreted | number {
  if (/[^FGNXYZ\d.+-]|G(?!20|21|53|90|91)/.test(line)) return 16;
  const jog = { ...modal, motion: 1, feedMode: 94, feed: 0 } as const;
  const result = interpret(line, jog, offsets, options);
  if (typeof result === "number") return result;
  if (result.modal.feed === 0) return 22;
  if (result.actions.length === 0) return 26;
  return { ...result, modal: { ...modal, position: result.modal.position } };
}

/** Splits a line into words, refusing what no line may hold. */
function readWords(line: string): Words {
  const words: Words = { g: new Map(), m: new Map(), values: new Map() };
  const word = /([A-Z])([+-]?(?:\d+\.?\d*|\.\d+))?/y;
  while (word.lastIndex < line.length) {
    const match = word.exec(line);
    if (match === null) return refuse(1);
    const letter = match[1]!;
    if (match[2] === undefined) return refuse(2);
    const value = Number(match[2]);
    if (letter === "G" || letter === "M") {
      // one decimal counts for G, none for M
      const code = letter === "G" ? Math.round(value * 10) : value;
      if (letter === "G" && Math.abs(value * 10 - code) > 0.05) refuse(23);
      if (letter === "M" && !Number.isInteger(value)) refuse(23);
      const name = (letter === "G" ? G_GROUPS : M_GROUPS)[code];
      if (name === undefined) return refuse(20);
      const seen = letter === "G" ? words.g : words.m;
      // M7 and M8 may stand together
      if (seen.has(name) && !(name === "coolant" && code !== 9)) refuse(21);
      if (letter === "G" && TAKES_AXES.has(code) && takesAxes(words)) refuse(24);
      seen.set(name === "coolant" ? `${name} ${code}` : name, code);
    } else {
      if (!VALUE_WORDS.includes(letter)) refuse(20);
      if (words.values.has(letter)) refuse(25);
      if ("FNPST".includes(letter) && value < 0) refuse(4);
      words.values.set(letter, value);
    }
  }
  return words;
}

const takesAxes = (words: Words): boolean => [...words.g.values()].some((code) => TAKES_AXES.has(code));

function execute(words: Words, modal: Modal, offsets: Offsets, options: InterpreterOptions): Interpreted {
  const { g, m, values } = words;
  const unused = new Set(values.keys());
  const take = (letter: string): number | undefined => {
    unused.delete(letter);
    return values.get(letter);
  };
  const number = take("N");
  if (number !== undefined && (!Number.isInteger(number) || number > 10_000_000)) refuse(27);

  const units = ((g.get("units") ?? modal.units * 10) / 10) as Modal["units"];
  const scale = units === 20 ? 25.4 : 1;
  const feedMode = ((g.get("feed mode") ?? modal.feedMode * 10) / 10) as Modal["feedMode"];
  const plane = ((g.get("plane") ?? modal.plane * 10) / 10) as Modal["plane"];
  const distance = ((g.get("distance") ?? modal.distance * 10) / 10) as Modal["distance"];
  const system = g.has("system") ? g.get("system")! / 10 - 54 : modal.system;
  const explicitMotion = g.get("motion");
  const motion = (explicitMotion === undefined ? modal.motion : explicitMotion / 10) as Modal["motion"];
  const action = g.get("non-modal");
  const axes = [values.get("X"), values.get("Y"), values.get("Z")];
  const hasAxes = axes.some((value) => value !== undefined);
  const moves = hasAxes && !takesAxes(words);

  // G93 times belong to one line; a feed in mm/min stays until the feed mode changes
  const word = take("F");
  let feed = word === undefined ? (feedMode === modal.feedMode ? modal.feed : 0) : word;
  if (word !== undefined && feedMode === 94) feed = word * scale;
  if (feedMode === 93 && word === undefined) feed = 0;
  const speed = take("S") ?? modal.speed;
  const tool = take("T") ?? modal.tool;
  if (tool > 255) refuse(38);
  const spindle = (m.get("spindle") ?? modal.spindle) as Modal["spindle"];
  const coolantOff = m.has("coolant 9");
  const mist = m.has("coolant 7") || (modal.mist && !coolantOff);
  const flood = m.has("coolant 8") || (modal.flood && !coolantOff);

  const actions: Action[] = [];
  const laserMove = options.laser && (motion === 1 || motion === 2 || motion === 3);
  const riding = laserMove && (moves || spindle === 4);
  if (spindle !== modal.spindle || (speed !== modal.speed && spindle !== 5 && !riding))
    actions.push({ type: "sync" }, { type: "spindle", spindle, speed });
  if (mist !== modal.mist || flood !== modal.flood)
    actions.push({ type: "sync" }, { type: "coolant", mist, flood });

  if (action === 40) {
    const seconds = take("P") ?? refuse(28);
    actions.push({ type: "sync" }, { type: "dwell", seconds });
  }
  if (system !== modal.system) actions.push({ type: "sync" });

  let { position } = modal;
  let next = offsets;
  const toolLength = g.get("tool length");
  if (toolLength === 431) {
    if (axes[2] === undefined || axes[0] !== undefined || axes[1] !== undefined) refuse(37);
    next = { ...next, toolLength: axes[2]! * scale };
  } else if (toolLength === 490) next = { ...next, toolLength: 0 };

  const base = workOffset(next, system);
  const target = axes.map((value, axis) => {
    if (value === undefined) return position[axis]!;
    if (action === 530) return value * scale;
    return distance === 91 ? position[axis]! + value * scale : value * scale + base[axis]!;
  }) as unknown as Vec;
  if (toolLength !== undefined || takesAxes(words)) for (const letter of "XYZ") unused.delete(letter);

  if (action === 100) {
    const slot = take("P") ?? refuse(28);
    const mode = take("L") ?? refuse(28);
    if (!hasAxes) refuse(26);
    if (mode !== 2 && mode !== 20) refuse(20);
    if (!Number.isInteger(slot) || slot > 6) refuse(29);
    const index = slot === 0 ? system : slot - 1;
    const stored = offsets.systems[index]!;
    const value = axes.map((axisValue, axis) => {
      if (axisValue === undefined) return stored[axis]!;
      if (mode === 2) return axisValue * scale;
      return position[axis]! - next.g92[axis]! - axisValue * scale - (axis === 2 ? next.toolLength : 0);
    }) as unknown as Vec;
    next = { ...next, systems: next.systems.map((old, i) => (i === index ? value : old)) };
    actions.push({ type: "sync" }, { type: "store", bytes: changed(stored, value) });
  } else if (action === 281 || action === 301) {
    const which = action === 281 ? 0 : 1;
    const home = next.home.map((old, i) => (i === which ? position : old)) as unknown as [Vec, Vec];
    actions.push({ type: "sync" }, { type: "store", bytes: changed(next.home[which]!, position) });
    next = { ...next, home };
  } else if (action === 280 || action === 300) {
    const power = 0;
    if (hasAxes) actions.push({ type: "move", target, feed: Infinity, power });
    position = next.home[action === 280 ? 0 : 1]!;
    actions.push({ type: "move", target: position, feed: Infinity, power });
  } else if (action === 920) {
    if (!hasAxes) refuse(26);
    const wcs = next.systems[system]!;
    const g92 = axes.map((value, axis) =>
      value === undefined ? next.g92[axis]! : position[axis]! - wcs[axis]! - value * scale,
    ) as unknown as Vec;
    next = { ...next, g92 };
    actions.push({ type: "sync" });
  } else if (action === 921) {
    next = { ...next, g92: ORIGIN };
    actions.push({ type: "sync" });
  }

  if (action === 530 && motion !== 0 && motion !== 1) refuse(30);
  if (motion === 80 && moves) refuse(31);
  if (explicitMotion !== undefined && takesAxes(words)) refuse(24);
  if (moves) {
    for (const letter of "XYZ") unused.delete(letter);
    if (motion !== 0 && feed === 0) refuse(22);
    const probing = motion > 38 && motion < 39;
    if (probing && target.every((value, axis) => value === position[axis])) refuse(33);
    const power = motion === 0 || probing || spindle === 5 ? 0 : speed;
    const points = motion === 2 || motion === 3 ? arc() : [target];
    for (const point of points) {
      const length = Math.hypot(...point.map((value, axis) => value - position[axis]!));
      const rate = motion === 0 ? Infinity : feedMode === 94 ? feed : feed * length * points.length;
      if (probing) {
        const [away, must] = [motion > 38.35, motion === 38.2 || motion === 38.4];
        actions.push({ type: "probe", target: point, feed: rate, away, must });
      } else actions.push({ type: "move", target: point, feed: rate, power });
      position = point;
    }
    position = target;
  } else if (motion > 1 && motion < 39 && explicitMotion !== undefined) refuse(26);
  if (unused.size > 0) refuse(36);

  const stop = m.get("stopping");
  if (stop === 0) actions.push({ type: "sync" }, { type: "pause" });
  if (stop === 2 || stop === 30) actions.push({ type: "sync" }, { type: "end" });
  const done: Modal = {
    ...{
      motion,
      plane,
      units,
      distance,
      feedMode,
      system,
      spindle,
      mist,
      flood,
      feed,
      speed,
      tool,
      position,
    },
  };
  // the end of a program sets the modes back, but not units, feed and position
  const ended: Partial<Modal> = { motion: 1, plane: 17, distance: 90, feedMode: 94, system: 0, spindle: 5 };
  const final = stop === 2 || stop === 30 ? { ...done, ...ended, mist: false, flood: false } : done;
  return { modal: final, offsets: next, actions };

  function arc(): Vec[] {
    const [a, b] = plane === 17 ? [0, 1] : plane === 18 ? [2, 0] : [1, 2];
    if (axes[a!] === undefined && axes[b!] === undefined) refuse(32);
    const radiusWord = take("R");
    const [ia, ib] = plane === 17 ? ["I", "J"] : plane === 18 ? ["K", "I"] : ["J", "K"];
    const dx = target[a!]! - position[a!]!;
    const dy = target[b!]! - position[b!]!;
    let ca: number;
    let cb: number;
    if (radiusWord !== undefined) {
      if (dx === 0 && dy === 0) refuse(33);
      const radius = radiusWord * scale;
      const chord = Math.hypot(dx, dy);
      const height = 4 * radius * radius - chord * chord;
      if (height < 0) refuse(34);
      // a negative radius asks for the longer way round
      const side = (motion === 2 ? -1 : 1) * (radius < 0 ? -1 : 1) * (Math.sqrt(height) / chord);
      ca = (dx - dy * side) / 2;
      cb = (dy + dx * side) / 2;
    } else {
      const first = take(ia!);
      const second = take(ib!);
      if (first === undefined && second === undefined) refuse(35);
      ca = (first ?? 0) * scale;
      cb = (second ?? 0) * scale;
      const gap = Math.abs(Math.hypot(dx - ca, dy - cb) - Math.hypot(ca, cb));
      if (gap > 0.005 && (gap > 0.5 || gap > 0.001 * Math.hypot(ca, cb))) refuse(33);
    }
    return chordsOf(
      { position, target, plane: [a!, b!], centre: [ca, cb], clockwise: motion === 2 },
      options,
    );
  }
}

/** What the controller adds to a work coordinate to get a machine coordinate. */
export function workOffset(offsets: Offsets, system: number): Vec {
  const [x, y, z] = offsets.systems[system]!;
  return [x + offsets.g92[0], y + offsets.g92[1], z + offsets.g92[2] + offsets.toolLength];
}

/** Bytes of three 32-bit floats and a checksum that differ. The checksum only tells whether there is anything. */
function changed(old: Vec, now: Vec): number {
  const empty = (vec: Vec) => vec.every((value) => value === 0);
  return changedBytes(old, now) + (empty(old) === empty(now) ? 0 : 1);
}
