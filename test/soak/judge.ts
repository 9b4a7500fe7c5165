import type { LogRecord } from "kerfwork";

/** A line as a host wrote it: where its bytes are in all that was written, those that act at once among them. */
interface Written {
  /** One behind the end of the line before. */
  readonly start: number;
  readonly end: number;
  /** As the controller reads it: without comments, spaces and control characters, in capitals. */
  readonly text: string;
  /** Its number in the job, from 0; -1 for a line of the link's own. */
  readonly job: number;
}

/** What the link says by itself: questions, barriers, the end of a beam, and what spoils half a line. */
const OWN = /^(\$[IG$#X]?|G4P0|M5|\).*)$/;
/** One damaged byte makes at most two lines of one. */
const GARBLED_PER_WOUND = 2;

/**
 * Holds what the controller executed against what the host wrote, and that against the job. The controller's log is the
 * truth: each line of it must be the next that was written, whole, unless bytes of it were lost or changed on the wire, or
 * thrown away by a restart; and each line of the job must be written once, in order.
 */
export class Judge {
  readonly #waiting: () => number;
  readonly #locked: () => boolean;
  #job: readonly string[] = [];
  /** Bytes of hosts so far. */
  #bytes = 0;
  #open = "";
  /** One behind the end of the last line. */
  #end = 0;
  #written: Written[] = [];
  /** Of the lines written, the next to be executed. */
  #next = 0;
  /** Bytes that were changed, or never came. */
  #wounds: number[] = [];
  #garbled = 0;
  /** The line that ran behind wounded ones: one of them may have become its twin, and run before it. */
  #twin = "";
  #alarmed = false;
  /** Lines of the job that were written, and that the controller has had. */
  sent = 0;
  executed = 0;
  /** Lines that ran as something else, or not at all, because of the wire. */
  damaged = 0;
  refused = 0;
  /** Lines of the job that a restart threw away. */
  vanished = 0;
  /** The host has been told that the controller restarted: the job is over. */
  #over = false;
  /** Bytes for which there was no room; bytes that came while interrupts were off or nobody listened. */
  overflow = 0;
  overrun = 0;
  faults: string[] = [];

  /** `waiting` tells how many bytes are still on the wire, `locked` whether the controller takes no G-code. */
  constructor(waiting: () => number, locked: () => boolean) {
    this.#waiting = waiting;
    this.#locked = locked;
  }

  /** From now on lines of this job may be written, and of no other. */
  begin(job: readonly string[]): void {
    this.#job = job;
    this.sent = 0;
    this.executed = 0;
    this.damaged = 0;
    this.refused = 0;
    this.vanished = 0;
    this.#over = false;
    this.overrun = 0;
    this.#garbled = 0;
    this.#twin = "";
    this.#written = this.#written.slice(this.#next);
    this.#next = 0;
    const first = this.#written[0]?.start ?? this.#end;
    this.#wounds = this.#wounds.filter((at) => at >= first - 1);
  }

  /** The host is being told that the controller restarted. */
  toldRestart(): void {
    this.#over = true;
  }

  /** A host writes, now. */
  wrote(bytes: Uint8Array): void {
    for (const byte of bytes) {
      this.#bytes++;
      if (byte > 0x7f || byte === 0x3f || byte === 0x21 || byte === 0x7e || byte === 0x18) continue;
      if (byte !== 10 && byte !== 13) this.#open += String.fromCharCode(byte);
      else {
        this.#line(readAs(this.#open));
        this.#open = "";
      }
    }
  }

  #line(text: string): void {
    const isNext = text === this.#job[this.sent];
    if (!isNext && !OWN.test(text))
      this.faults.push(`wrote ${JSON.stringify(text)} where line ${this.sent} of the job was due`);
    if (isNext && this.#over) this.faults.push(`wrote line ${this.sent} of the job after a restart was told`);
    this.#written.push({ start: this.#end, end: this.#bytes, text, job: isNext ? this.sent : -1 });
    this.#end = this.#bytes;
    if (isNext) this.sent++;
  }

  /** The controller did something, now. */
  take({ kind, entry }: LogRecord): void {
    if (kind === "lines") this.#run(entry.text, entry.status);
    else if (kind === "resets") this.#restart();
    else if (kind === "lost" && entry.direction === "toController") {
      // the byte has just left the wire
      this.#wounds.push(this.#bytes - this.#waiting() - 1);
      if (entry.why === "overflow") this.overflow++;
      else if (entry.why === "overrun") this.overrun++;
    }
  }

  #run(text: string, status: number): void {
    if (status !== 0 && !/^[$)]/.test(text)) this.refused++;
    for (;;) {
      const line = this.#written[this.#next];
      if (line !== undefined && line.text === text) {
        this.#pass(line, false);
        if (text === "$X") this.#alarmed = false;
        return;
      }
      if (line !== undefined && (line.text === "" || (this.#alarmed && !line.text.startsWith("$"))))
        this.#next++;
      else if (line !== undefined && this.#isWounded(line)) {
        if (!this.#continuesWith(text)) {
          this.#garble(line);
          return;
        }
        this.#pass(line, true);
        this.#twin = text;
      } else if (text === this.#twin) {
        this.#twin = "";
        return;
      } else {
        const due = line === undefined ? "nothing" : JSON.stringify(line.text);
        this.faults.push(`executed ${JSON.stringify(text)} where ${due} was due`);
        return;
      }
    }
  }

  /** True when behind the wounded lines there is this one. */
  #continuesWith(text: string): boolean {
    let at = this.#next;
    while (at < this.#written.length && this.#isWounded(this.#written[at]!)) at++;
    // a wounded line may have come through whole
    return this.#written.slice(this.#next, at + 1).some((line) => line.text === text);
  }

  #garble(line: Written): void {
    if (line.job >= 0) this.executed = Math.max(this.executed, line.job + 1);
    if (++this.#garbled > GARBLED_PER_WOUND * this.#wounds.length)
      this.faults.push(`executed more unknown lines than ${this.#wounds.length} bytes can make`);
  }

  #pass(line: Written, wounded: boolean): void {
    this.#next++;
    if (line.job < 0) return;
    this.executed = Math.max(this.executed, line.job + 1);
    if (wounded) this.damaged++;
  }

  #isWounded({ start, end }: Written): boolean {
    // the end of the line before is one of them: without it the two are one
    return this.#wounds.some((at) => at >= start - 1 && at < end);
  }

  /** What has come and was not executed is gone; what is still on the wire may begin in the middle of a line. */
  #restart(): void {
    const arrived = this.#bytes - this.#waiting();
    while (this.#next < this.#written.length && this.#written[this.#next]!.end <= arrived)
      if (this.#written[this.#next++]!.job >= 0) this.vanished++;
    if ((this.#written[this.#next]?.start ?? this.#end) < arrived) this.#wounds.push(arrived - 1);
    this.#alarmed = this.#locked();
  }

  /** Counts the wounded lines at the end, behind which nothing came. */
  settle(): void {
    let line = this.#written[this.#next];
    while (line !== undefined && this.#isWounded(line)) {
      this.#pass(line, true);
      line = this.#written[this.#next];
    }
  }
}

/** A line as a controller keeps it. */
function readAs(line: string): string {
  let kept = "";
  let comment = "";
  for (const character of line) {
    if (comment === ";") break;
    if (comment === "(") comment = character === ")" ? "" : "(";
    else if (character === "(" || character === ";") comment = character;
    else if (character > " " && character !== "/") kept += character.toUpperCase();
  }
  return kept;
}
