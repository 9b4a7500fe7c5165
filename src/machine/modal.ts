/** What stays set from one line of a program to the next, mm and mm/min. A coordinate that is not known is NaN. */
export interface Modal {
  /** G0, 1, 2, 3, 80, or a probe's 38. */
  motion: number;
  plane: 17 | 18 | 19;
  units: 20 | 21;
  distance: 90 | 91;
  feedMode: 93 | 94;
  /** 54..59. */
  system: number;
  spindle: 3 | 4 | 5;
  mist: boolean;
  flood: boolean;
  /** F; 0 when none was set. */
  feed: number;
  /** S. */
  power: number;
  /** Work coordinates. */
  position: number[];
  /** Machine minus work coordinates. */
  offset: number[];
}

const UNKNOWN = [Number.NaN, Number.NaN, Number.NaN];

/** As a controller is after a reset; where it stands is not part of it. */
export const resetModal = (): Modal => ({
  motion: 0,
  plane: 17,
  units: 21,
  distance: 90,
  feedMode: 94,
  system: 54,
  spindle: 5,
  mist: false,
  flood: false,
  feed: 0,
  power: 0,
  position: [...UNKNOWN],
  offset: [...UNKNOWN],
});

/** Understands the answer to `$G`; undefined when it is none. `inches`: the controller reports in inches. */
export function parseModal(text: string, inches = false): Modal | undefined {
  const match = /^\[GC:([^\]]*)\]$/.exec(text);
  if (match === null) return undefined;
  const modal = resetModal();
  for (const word of match[1]!.split(/\s+/)) {
    const value = Number(word.slice(1));
    if (!Number.isFinite(value)) continue;
    if (word[0] === "F") modal.feed = inches ? value * 25.4 : value;
    else if (word[0] === "S") modal.power = value;
    else if (word[0] === "M") setMode(modal, value);
    else if (word[0] === "G") setModal(modal, value);
  }
  return modal;
}

/** What M words leave set. */
export function setMode(modal: Modal, code: number): void {
  if (code === 3 || code === 4 || code === 5) modal.spindle = code;
  else if (code === 7) modal.mist = true;
  else if (code === 8) modal.flood = true;
  else if (code === 9) modal.mist = modal.flood = false;
}

/** What G words leave set, those of motion and of the work offset included. */
export function setModal(modal: Modal, code: number): void {
  if (code <= 3 || code === 80) modal.motion = code;
  else if (code >= 38 && code < 39) modal.motion = 38;
  else if (code === 17 || code === 18 || code === 19) modal.plane = code;
  else if (code === 20 || code === 21) modal.units = code;
  else if (code === 90 || code === 91) modal.distance = code;
  else if (code === 93 || code === 94) modal.feedMode = code;
  else if (code >= 54 && code <= 59) modal.system = Math.floor(code);
}

/** The end of a program sets some modes back, but not units, feed and position. */
export function endModal(modal: Modal): void {
  modal.motion = 1;
  modal.plane = 17;
  modal.distance = 90;
  modal.feedMode = 94;
  modal.system = 54;
  modal.spindle = 5;
  modal.mist = modal.flood = false;
}
