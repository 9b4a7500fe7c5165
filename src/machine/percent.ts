/** Percent that a host can change while a job runs. */
export class Overrides {
  feed = 100;
  rapid = 100;
  spindle = 100;

  reset(): void {
    this.feed = 100;
    this.rapid = 100;
    this.spindle = 100;
  }

  /** Does what a realtime byte of 0x90..0x9D asks for; false when that changes nothing. */
  take(byte: number): boolean {
    const before = this.text;
    if (byte >= 0x90 && byte <= 0x94) this.feed = changed(this.feed, byte - 0x90);
    else if (byte === 0x95) this.rapid = 100;
    else if (byte === 0x96) this.rapid = 50;
    else if (byte === 0x97) this.rapid = 25;
    else if (byte >= 0x99 && byte <= 0x9d) this.spindle = changed(this.spindle, byte - 0x99);
    return this.text !== before;
  }

  get text(): string {
    return `${this.feed},${this.rapid},${this.spindle}`;
  }
}

/** Back to 100, ten more, ten less, one more, one less. */
function changed(percent: number, what: number): number {
  if (what === 0) return 100;
  return Math.min(200, Math.max(10, percent + [0, 10, -10, 1, -1][what]!));
}
