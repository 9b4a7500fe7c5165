export const below = (random: () => number, n: number): number => Math.floor(random() * n);

export interface Job {
  readonly lines: readonly string[];
  /** Where the machine stands after it, mm. */
  readonly end: readonly [number, number];
}

/**
 * A program of which no two lines are alike, and none is like one of another job: X counts its lines, Y its number. Long
 * and short lines, and between the moves what makes a controller wait: dwells, changes of the beam, writes to EEPROM. Every
 * third one moves relative to where it is, so that one digit that is lost moves its end.
 */
export function makeJob(random: () => number, number: number, size: number): Job {
  const side = random() < 0.5 ? -1 : 1;
  const step = 0.01 * (1 + below(random, 20));
  const relative = random() < 1 / 3;
  const y = ((number % 997) + 1) / 100;
  const place = (i: number) => (side * (i + 1) * step).toFixed(3);
  const lines = [`G21G90G54M4S300F${2000 + below(random, 40) * 100}`, `G1X0Y${y}`];
  if (relative) lines.push("G91");
  let x = 0;
  while (lines.length < size - 2) {
    const i = lines.length;
    const pick = random();
    if (pick < 0.004) lines.push(`G4P0.0${String(i).padStart(4, "0")}`);
    else if (pick < 0.008) lines.push(`M${3 + below(random, 2)}S${i}.5`);
    // a 6 that loses or flips a bit names no system that is in use
    else if (pick < 0.01 && !relative) lines.push(`G10L2P6X${place(i)}Y${y}`);
    else if (relative) {
      const mm = `${side < 0 ? "-" : ""}0.1${String(i).padStart(4, "0")}`;
      x += Number(mm);
      lines.push(`G1X${mm}F${3000 + (number % 997)}`);
    } else {
      x = Number(place(i));
      const zeros = random() < 0.1 ? below(random, 50) : 0;
      lines.push(`G1X${place(i)}${"0".repeat(zeros)}Y${y}`);
    }
  }
  lines.push(`G90G94F${1000 + (number % 997)}`, `M5S${number % 1000}.25`);
  return { lines, end: [x, y] };
}
